"""Surveys, quality reviews, contributions and serious events."""

from __future__ import annotations

from wfm.importing.landing.merge import Landed, merge, refuse_duplicates, refuse_unknown
from wfm.importing.staging import Staging


def land_surveys(staging: Staging) -> Landed:
    """Answered surveys; one without an agent is about the owner of its ticket."""
    staging.new_table(
        "ready_surveys",
        """as select s.*, a.id as given_agent, coalesce(a.id, t.owner_id) as agent_ref,
            t.id as ticket_ref, v.id as existing
        from staged_surveys s left join agent a on a.code = s.agent_id
        left join ticket t on t.code = s.ticket_id left join survey v on v.code = s.survey_id""",
    )
    refuse_unknown(staging, "surveys", "agent_id", "r.given_agent", "agent")
    refuse_unknown(staging, "surveys", "ticket_id", "r.ticket_ref", "ticket")
    staging.refuse(
        "surveys", "r.agent_id is null and r.agent_ref is null", "agent_id",
        "'an agent is required, or a ticket that has an owner'",
    )  # fmt: skip
    refuse_duplicates(staging, "surveys")
    staging.new_table(
        "final_surveys",
        """as select r.line, r.existing as id, r.survey_id as code, r.agent_ref as agent_id,
            coalesce(r.ticket_ref, v.ticket_id) as ticket_id, r.answered_on, r.score,
            coalesce(r.category, v.category, '') as category,
            coalesce(r.channel, v.channel, '') as channel,
            coalesce(r.shift, v.shift, '') as shift,
            coalesce(r.tenure_band, v.tenure_band, '') as tenure_band
        from ready_surveys r left join survey v on v.id = r.existing""",
    )
    columns = ["code", "agent_id", "ticket_id", "answered_on", "score", "category", "channel",
               "shift", "tenure_band"]  # fmt: skip
    return merge(staging, "surveys", "survey", columns)


def land_reviews(staging: Staging) -> Landed:
    staging.new_table(
        "ready_reviews",
        """as select s.*, a.id as agent_ref, q.id as existing
        from staged_reviews s left join agent a on a.code = s.agent_id
        left join quality_review q on q.code = s.review_id""",
    )
    refuse_unknown(staging, "reviews", "agent_id", "r.agent_ref", "agent")
    refuse_duplicates(staging, "reviews")
    staging.new_table(
        "final_reviews",
        """as select r.line, r.existing as id, r.review_id as code, r.agent_ref as agent_id,
            coalesce(r.reviewer, q.reviewer, '') as reviewer,
            coalesce(r.case_id, q.case_code, '') as case_code, r.reviewed_on,
            coalesce(r.form, q.form, '') as form, r.score
        from ready_reviews r left join quality_review q on q.id = r.existing""",
    )
    columns = ["code", "agent_id", "reviewer", "case_code", "reviewed_on", "form", "score"]
    return merge(staging, "reviews", "quality_review", columns)


def land_contributions(staging: Staging) -> Landed:
    """Contributions; one is known by its agent, day, kind and note."""
    staging.new_table(
        "ready_contributions",
        """as select s.line, s.agent_id, s."on", s.kind, s.points, coalesce(s.note, '') as note,
            a.id as agent_ref
        from staged_contributions s left join agent a on a.code = s.agent_id""",
    )
    refuse_unknown(staging, "contributions", "agent_id", "r.agent_ref", "agent")
    refuse_duplicates(staging, "contributions")
    staging.new_table(
        "final_contributions",
        """as select r.line, c.id, r.agent_ref as agent_id, r."on" as done_on, r.kind,
            coalesce(r.points, c.points, 1) as points, r.note
        from ready_contributions r left join contribution c on c.agent_id = r.agent_ref
            and c.done_on = r."on" and c.kind = r.kind and c.note = r.note""",
    )
    columns = ["agent_id", "done_on", "kind", "points", "note"]
    return merge(staging, "contributions", "contribution", columns)


def land_serious_events(staging: Staging) -> Landed:
    """Serious events; one is known by its agent, day and note. A withdrawn one stays withdrawn."""
    staging.new_table(
        "ready_serious_events",
        """as select s.*, a.id as agent_ref
        from staged_serious_events s left join agent a on a.code = s.agent_id""",
    )
    refuse_unknown(staging, "serious-events", "agent_id", "r.agent_ref", "agent")
    refuse_duplicates(staging, "serious-events")
    staging.new_table(
        "final_serious_events",
        """as select r.line, e.id, r.agent_ref as agent_id, r."on", r.note,
            coalesce(e.recorded_at, now()) as recorded_at,
            coalesce(e.recorded_by, 'import') as recorded_by,
            coalesce(e.withdrawn_by, '') as withdrawn_by,
            coalesce(e.withdrawn_reason, '') as withdrawn_reason
        from ready_serious_events r left join serious_event e on e.agent_id = r.agent_ref
            and e."on" = r."on" and e.note = r.note""",
    )
    columns = ["agent_id", '"on"', "note", "recorded_at", "recorded_by", "withdrawn_by",
               "withdrawn_reason"]  # fmt: skip
    return merge(staging, "serious-events", "serious_event", columns)
