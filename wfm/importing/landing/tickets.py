"""Tickets and their events."""

from __future__ import annotations

from wfm.importing.landing.merge import (
    Landed,
    make_codes,
    merge,
    refuse_duplicates,
    refuse_unknown,
)
from wfm.importing.staging import Staging

TICKET_COLUMNS = (
    "code", "opened_at", "kind", "title", "skill_id", "min_grade", "priority", "category",
    "channel", "difficulty", "service_id", "customer_id", "respond_within_s", "handle_s",
    "state", "owner_id", "first_response_at", "resolved_at", "closed_at", "resolved",
    "independent", "reopened",
)  # fmt: skip
OVER = "('open', 'paused')"


def prepare_tickets(staging: Staging, only_new: bool) -> tuple[int, dict[str, int]]:
    """Make `final_tickets`: each row as the ticket it would become by what the file says.

    Returns
    -------
    tuple
        How many known tickets are left as they are, and what was made for the others.
    """
    staging.new_table(
        "ready_tickets",
        """as select s.*, a.id as owner, t.id as existing,
            least(t.first_response_at, t.resolved_at, t.closed_at,
                (select min(e.at) from ticket_event e where e.ticket_id = t.id)) as begun_by
        from staged_tickets s left join agent a on a.code = s.agent_id
        left join ticket t on t.code = s.ticket_id""",
    )
    refuse_unknown(staging, "tickets", "agent_id", "r.owner", "agent")
    refuse_duplicates(staging, "tickets")
    staging.refuse(
        "tickets", "r.opened_at > r.begun_by", "opened_at",
        "'lies after something already on record for this ticket'",
    )  # fmt: skip
    staging.drop_refused("tickets")
    known = staging.run("delete from ready_tickets where existing is not null") if only_new else 0
    both = ("name_en", "name_zh")
    made = {
        "skills": make_codes(staging, "tickets", "skill", "skill", both),
        "services": _make_services(staging),
        "customers": make_codes(staging, "tickets", "customer", "customer", ("name",)),
    }
    staging.new_table("final_tickets", f"as {_final_tickets()}")
    staging.run("create index on final_tickets (id)")
    return known, made


def _make_services(staging: Staging) -> int:
    return staging.run(
        """insert into service (code, name_en, name_zh, status, owner)
        select distinct service, service, service, 'live', '' from ready_tickets r
        where service is not null and not exists (select from service s where s.code = r.service)
        order by service"""
    )


def _final_tickets() -> str:
    return f"""
    select r.line, r.existing as id, r.ticket_id as code, r.opened_at,
        coalesce(r.kind, t.kind, 'request') as kind,
        coalesce(r.title, t.title, '') as title,
        coalesce(k.id, t.skill_id) as skill_id,
        coalesce(r.min_grade, t.min_grade, 'ordinary') as min_grade,
        coalesce(r.priority, t.priority, 3) as priority,
        coalesce(r.category, t.category, '') as category,
        coalesce(r.channel, t.channel, '') as channel,
        coalesce(r.difficulty, t.difficulty) as difficulty,
        coalesce(v.id, t.service_id) as service_id,
        coalesce(c.id, t.customer_id) as customer_id,
        coalesce(r.respond_within_s, t.respond_within_s) as respond_within_s,
        coalesce(r.handle_s, t.handle_s) as handle_s,
        coalesce(r.state, case when r.closed_at is not null then 'closed'
            when r.resolved_at is not null then 'resolved' end, t.state, 'open') as state,
        coalesce(r.owner, t.owner_id) as owner_id,
        coalesce(r.first_response_at, t.first_response_at) as first_response_at,
        case when r.state in {OVER} then null else coalesce(r.resolved_at, t.resolved_at) end
            as resolved_at,
        case when r.state in {OVER} then null else coalesce(r.closed_at, t.closed_at) end
            as closed_at,
        coalesce(r.resolved, t.resolved) as resolved,
        coalesce(r.independent, t.independent) as independent,
        coalesce(r.reopened, t.reopened) as reopened
    from ready_tickets r left join ticket t on t.id = r.existing
    left join skill k on k.code = r.skill left join service v on v.code = r.service
    left join customer c on c.code = r.customer"""


def land_tickets(staging: Staging) -> Landed:
    return merge(staging, "tickets", "ticket", TICKET_COLUMNS)


def land_events(staging: Staging) -> Landed:
    """Events are added, never changed; afterwards `ready_ticket_events` holds the accepted ones.

    An event without an id is known by its content. Rows that carry a state instead of a kind are
    read in the order of their times: what changed since the row before gives the kind.
    """
    staging.run("analyze staged_ticket_events")
    staging.new_table(
        "ready_ticket_events",
        """as select s.line, s.ticket_id, s.at, s.kind as given_kind, s.kind, s.state, s.tier,
            s.agent_id, s.team, s.note, s.priority, c.event_id,
            t.id as ticket_ref, t.opened_at, a.id as agent_ref, e.id as existing
        from staged_ticket_events s
        cross join lateral (select coalesce(s.event_id, 'event-' || md5(concat_ws('|', s.ticket_id,
            extract(epoch from s.at), coalesce(s.kind, s.state), s.agent_id, s.team, s.note)))
            as event_id) c
        left join ticket t on t.code = s.ticket_id
        left join agent a on a.code = s.agent_id
        left join ticket_event e on e.code = c.event_id""",
    )
    kind = "ticket-events"
    staging.refuse(kind, "r.kind is null and r.state is null", "kind", "'a value is required'")
    refuse_unknown(staging, kind, "ticket_id", "r.ticket_ref", "ticket")
    refuse_unknown(staging, kind, "agent_id", "r.agent_ref", "agent")
    staging.refuse(
        kind, "r.at < r.opened_at", "at", "'lies before the ticket was opened, ' ||"
        " to_char(r.opened_at at time zone 'UTC', 'YYYY-MM-DD HH24\\:MI') || ' UTC'",
        "to_char(r.at at time zone 'UTC', 'YYYY-MM-DD HH24\\:MI') || ' UTC'",
    )  # fmt: skip
    refuse_duplicates(staging, kind)
    staging.refuse(
        kind, "r.line in (select d.line from ready_ticket_events d join ticket_event e"
        " on e.id = d.existing where (e.ticket_id, e.at, e.agent_id, e.team, e.note)"
        " is distinct from (d.ticket_ref, d.at, d.agent_ref, coalesce(d.team, ''),"
        " coalesce(d.note, '')) or e.kind <> d.given_kind)", "event_id",
        "'this event is on record with other content, and a record of what happened never"
        " changes; give a new event an id of its own'",
    )  # fmt: skip
    staging.drop_refused(kind)
    if staging.number("select 1 from ready_ticket_events where kind is null limit 1"):
        _tell_kinds(staging)
    rows = staging.number("select count(*) from ready_ticket_events")
    added = staging.run(
        """insert into ticket_event (code, ticket_id, at, kind, agent_id, team, note, priority)
        select event_id, ticket_ref, at, kind, agent_ref, coalesce(team, ''), coalesce(note, ''),
            case when kind = 'priority_changed' then priority end
        from ready_ticket_events where existing is null order by line"""
    )
    return Landed(added=added, unchanged=rows - added)


def _tell_kinds(staging: Staging) -> None:
    """From states to events, row by row of one ticket.

    The first new row of a ticket that has events follows on the ticket as it is on record.
    A row that repeats "resolved" is a resolution of its own: the last one counts.
    """
    grades = "array_position(array['ordinary', 'senior', 'expert'], {})"
    staging.new_table(
        "told_kinds",
        f"""as with step as (
            select r.line, r.existing, r.state, r.agent_id, r.team,
                {grades.format("r.tier")} as tier,
                row_number() over w as place, lag(r.existing) over w as before_existing,
                lag(r.state) over w as was, lag(r.agent_id) over w as had,
                lag(r.team) over w as team_was, lag({grades.format("r.tier")}) over w as tier_was,
                t.state as on_record, o.code as owner, r.ticket_ref
            from ready_ticket_events r join ticket t on t.id = r.ticket_ref
            left join agent o on o.id = t.owner_id
            window w as (partition by r.ticket_ref order by r.at, r.line)
        ), known as (
            select step.*, place = 1 and existing is null
                and exists (select from ticket_event e where e.ticket_id = ticket_ref) as follows
            from step
        ), seen as (
            select line, existing, state, agent_id, team, tier, place, follows,
                case when follows then on_record else was end as was,
                case when follows then owner else had end as had,
                case when follows then team else team_was end as team_was, tier_was
            from known
        )
        select line, case
            when was is null and state = 'open' then 'opened'
            when state = 'cancelled' and was is distinct from state then 'cancelled'
            when state = 'closed' and was is distinct from state then 'closed'
            when state = 'resolved' then 'resolved'
            when was in ('resolved', 'closed', 'cancelled') and state in {OVER} then 'reopened'
            when state = 'paused' and was is distinct from state then 'paused'
            when state = 'open' and was = 'paused' then 'resumed'
            when tier > tier_was then 'escalated'
            when agent_id is distinct from had and had is null then 'assigned'
            when agent_id is distinct from had or team is distinct from team_was
                then 'transferred'
            else 'noted' end as kind
        from seen""",
    )
    staging.run(
        """update ready_ticket_events r set kind = coalesce(
            (select e.kind from ticket_event e where e.id = r.existing), k.kind)
        from told_kinds k where k.line = r.line and r.kind is null"""
    )
