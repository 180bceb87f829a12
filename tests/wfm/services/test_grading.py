"""Cycles, decisions and their effect, on assessments made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session, col, select

from wfm import access, audit, tables
from wfm.access import SYSTEM, Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError, NotFoundError
from wfm.services import (
    grade_case_page,
    grade_cases,
    grade_effect,
    grade_filters,
    grade_pages,
    grade_policies,
    grade_records,
    grade_runs,
    grading,
)
from wfm.words import CycleStatus, DecisionAction, Grade, Role

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
ZONE = "Asia/Shanghai"
SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 30)
ORDINARY, SENIOR, EXPERT = Grade
ACCEPT, OVERRIDE, SEND_BACK, CONFIRM, WITHDRAW, UPHOLD, GRANT = DecisionAction
LEAD = Actor("lead", roles={Role.LEAD: None})
THE_ONLY = {"ordinary": 0.1, "senior": 0.9, "expert": 0.0}
Sign = Callable[..., tables.GradeDecision]


def agent(session: Session, code: str, grade: Grade | None = ORDINARY, team: str = "") -> int:
    """An agent with a grade since 2020, in a team made on first mention."""
    row = tables.Agent(code=code, name=f"{code} Li", hired_on=date(2020, 1, 1))
    session.add(row)
    session.flush()
    assert row.id is not None
    if grade:
        session.add(tables.AgentGrade(agent_id=row.id, grade=grade, valid_from=row.hired_on))
    if team:
        found = session.exec(select(tables.Team).where(tables.Team.code == team)).first()
        found = found or tables.Team(code=team, name_en=team, name_zh=team)
        session.add(found)
        session.flush()
        session.add(tables.AgentTeam(agent_id=row.id, team_id=found.id, valid_from=row.hired_on))
    session.flush()
    return row.id


def cycle(session: Session, code: str, as_of: date) -> int:
    policy = grade_policies.keep_policy(session, grade_policies.default_policy_text(), AT)
    row = tables.AssessmentCycle(
        code=code, policy_id=policy.id, period_from=date(2026, 1, 1), as_of=as_of,
        status=CycleStatus.REVIEW, made_at=AT,
    )  # fmt: skip
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def case(
    session: Session, cycle_id: int, agent_id: int, decision: str = "rise",
    proposed: Grade = SENIOR, previous: Grade | None = ORDINARY,
) -> int:  # fmt: skip
    row = tables.Assessment(
        cycle_id=cycle_id, agent_id=agent_id, previous_grade=previous, proposed_grade=proposed,
        decision=decision, probabilities=THE_ONLY, evidence={}, explanation={},
    )  # fmt: skip
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def effect(
    session: Session, actor: Actor, cycle_id: int, on: date, expected: int | None = None
) -> dict[str, int]:
    """Take effect of a cycle whose window for appeals ended in September."""
    row = session.get_one(tables.AssessmentCycle, cycle_id)
    if row.status == CycleStatus.REVIEW:
        row.status, row.objections_until = CycleStatus.PUBLISHED, SEPTEMBER
    return grade_effect.take_effect(session, actor, cycle_id, on, AT, ZONE, expected)


def facts(session: Session, agent_id: int) -> list[tuple[Grade, date, date | None]]:
    rows = session.exec(
        select(tables.AgentGrade)
        .where(tables.AgentGrade.agent_id == agent_id)
        .order_by(col(tables.AgentGrade.valid_from), col(tables.AgentGrade.id))
    )
    return [(row.grade, row.valid_from, row.valid_until) for row in rows]


def lead_of(session: Session, team: str, **more: int) -> Actor:
    team_id = session.exec(select(tables.Team.id).where(tables.Team.code == team)).one()
    return Actor("small", roles={Role.LEAD: frozenset({team_id or 0})}, **more)


# -- deciding -------------------------------------------------------------------------------------


def test_accepting_signs_the_proposal_with_name_and_time(session: Session) -> None:
    number = case(session, cycle(session, "c", SEPTEMBER), agent(session, "A"))
    signed = grading.decide(session, LEAD, number, ACCEPT, AT)
    assert (signed.decided_by, signed.at, signed.grade) == ("lead", AT, SENIOR)
    entry = session.exec(select(tables.AuditEntry).order_by(col(tables.AuditEntry.id).desc()))
    assert entry.first().action == "grade.accept"
    assert list(audit.verify(session)) == []


def test_an_override_takes_another_grade_and_a_reason(session: Session) -> None:
    number = case(session, cycle(session, "c", SEPTEMBER), agent(session, "A"))
    for grade, reason, columns in (
        (None, "leads the night shift", ["grade"]),
        (SENIOR, "leads the night shift", ["grade"]),  # that is what is proposed
        (EXPERT, "   ok   ", ["reason"]),
        (None, "", ["grade", "reason"]),
    ):
        with pytest.raises(InputError) as refused:
            grading.decide(session, LEAD, number, OVERRIDE, AT, grade=grade, reason=reason)
        assert [fault.column for fault in refused.value.faults] == columns
    signed = grading.decide(
        session, LEAD, number, OVERRIDE, AT, grade=EXPERT, reason=" leads the night shift "
    )
    assert (signed.grade, signed.reason) == (EXPERT, "leads the night shift")


def test_sending_back_takes_a_reason_and_unsigns(session: Session) -> None:
    number = case(session, (the_cycle := cycle(session, "c", SEPTEMBER)), agent(session, "A"))
    grading.decide(session, LEAD, number, ACCEPT, AT)
    with pytest.raises(InputError, match="say why"):
        grading.decide(session, LEAD, number, SEND_BACK, AT)
    grading.decide(session, LEAD, number, SEND_BACK, AT, reason="surveys are missing")
    assert effect(session, LEAD, the_cycle, OCTOBER) == {"kept": 0, "changed": 0, "unsigned": 1}
    assert len(session.exec(select(tables.GradeDecision)).all()) == 2  # nothing is overwritten


def test_only_the_teams_own_lead_decides(session: Session) -> None:
    the_cycle = cycle(session, "c", SEPTEMBER)
    north = case(session, the_cycle, agent(session, "A", team="north"))
    south = case(session, the_cycle, agent(session, "B", team="south"))
    nowhere = case(session, the_cycle, agent(session, "C"))
    small = lead_of(session, "north")
    grading.decide(session, small, north, ACCEPT, AT)
    for number in (south, nowhere):
        with pytest.raises(AccessDeniedError):
            grading.decide(session, small, number, ACCEPT, AT)
    grading.decide(session, LEAD, nowhere, ACCEPT, AT)
    with pytest.raises(AccessDeniedError):
        grading.decide(session, Actor("r", roles={Role.REVIEWER: None}), south, ACCEPT, AT)
    with pytest.raises(NotFoundError):
        grading.decide(session, LEAD, south + 9, ACCEPT, AT)


def test_nobody_decides_on_themselves(session: Session) -> None:
    agent_id = agent(session, "A", team="north")
    the_cycle = cycle(session, "c", SEPTEMBER)
    number = case(session, the_cycle, agent_id, "keep", ORDINARY)
    own = lead_of(session, "north", agent_id=agent_id)
    with pytest.raises(AccessDeniedError, match="own grade"):
        grading.decide(session, own, number, ACCEPT, AT)
    assert grading.accept_clear(session, own, the_cycle, 0, AT) == 0


def test_clear_cases_are_those_that_keep_unsigned_in_scope(session: Session) -> None:
    the_cycle = cycle(session, "c", SEPTEMBER)
    kinds = ("keep", "keep", "undecided", "blocked", "rise", "fall")
    numbers = [
        case(session, the_cycle, agent(session, f"A{i}", team="north"), kind, ORDINARY)
        for i, kind in enumerate(kinds)
    ]
    case(session, the_cycle, agent(session, "B", team="south"), "keep", ORDINARY)
    grading.decide(session, LEAD, numbers[1], SEND_BACK, AT, reason="look again")
    small = lead_of(session, "north")
    with pytest.raises(ConflictError, match="there are 1 such cases"):
        grading.accept_clear(session, small, the_cycle, 2, AT)
    assert grading.accept_clear(session, small, the_cycle, 1, AT) == 1
    signed = session.exec(select(tables.GradeDecision).order_by(col(tables.GradeDecision.id)))
    assert [one.assessment_id for one in signed] == [numbers[1], numbers[0]]
    assert grading.accept_clear(session, LEAD, the_cycle, 1, AT) == 1  # the one in the south


# -- taking effect --------------------------------------------------------------------------------


def test_only_signed_grades_take_effect_and_the_past_stays(session: Session) -> None:
    riser, keeper, waiter = (agent(session, code) for code in "ABC")
    the_cycle = cycle(session, "c", SEPTEMBER)
    grading.decide(session, LEAD, case(session, the_cycle, riser), ACCEPT, AT)
    kept = case(session, the_cycle, keeper, "keep", ORDINARY)
    grading.decide(session, LEAD, kept, ACCEPT, AT)
    case(session, the_cycle, waiter)
    on = date(2026, 10, 5)
    assert effect(session, LEAD, the_cycle, on) == {
        "kept": 1, "changed": 1, "unsigned": 1,
    }  # fmt: skip
    begin = date(2020, 1, 1)
    assert facts(session, riser) == [(ORDINARY, begin, on), (SENIOR, on, None)]
    assert facts(session, keeper) == facts(session, waiter) == [(ORDINARY, begin, None)]


def test_late_signatures_take_effect_later_and_then_the_cycle_closes(session: Session) -> None:
    first, late = agent(session, "A"), agent(session, "B")
    the_cycle = cycle(session, "c", SEPTEMBER)
    early, number = case(session, the_cycle, first), case(session, the_cycle, late)
    grading.decide(session, LEAD, early, ACCEPT, AT)
    effect(session, LEAD, the_cycle, date(2026, 10, 5))
    assert session.get_one(tables.AssessmentCycle, the_cycle).status == CycleStatus.PUBLISHED
    grading.decide(session, LEAD, number, ACCEPT, AT)
    again = effect(session, LEAD, the_cycle, date(2026, 10, 9))
    assert again == {"kept": 1, "changed": 1, "unsigned": 0}
    assert facts(session, first)[-1][1] == date(2026, 10, 5)
    assert facts(session, late)[-1][1] == date(2026, 10, 9)
    assert session.get_one(tables.AssessmentCycle, the_cycle).status == CycleStatus.EFFECTIVE
    with pytest.raises(ConflictError, match="next cycle"):
        grading.decide(session, LEAD, number, ACCEPT, AT)
    with pytest.raises(ConflictError):
        effect(session, LEAD, the_cycle, date(2026, 10, 9))


def test_a_grade_in_force_can_still_be_changed_on_appeal_before_the_cycle_closes(
    session: Session,
) -> None:
    one = agent(session, "A")
    the_cycle = cycle(session, "c", SEPTEMBER)
    number = case(session, the_cycle, one)
    case(session, the_cycle, agent(session, "B"))  # stays unsigned
    grading.decide(session, LEAD, number, ACCEPT, AT)
    on = date(2026, 10, 5)
    effect(session, LEAD, the_cycle, on)
    with pytest.raises(ConflictError, match="only an appeal or a correction"):
        grading.decide(session, LEAD, number, OVERRIDE, AT, grade=ORDINARY, reason="on reflection")
    row = session.get_one(tables.Assessment, number)
    grading.sign(session, LEAD, row, GRANT, ORDINARY, "wrong records", AT)
    effect(session, LEAD, the_cycle, on)
    # the senior fact of no length stays on record; facts never overlap (the table forbids it)
    begin = date(2020, 1, 1)
    assert facts(session, one) == [
        (ORDINARY, begin, on), (SENIOR, on, on), (ORDINARY, on, None),
    ]  # fmt: skip


def test_what_is_planned_after_the_day_stays(session: Session) -> None:
    planned = date(2027, 1, 1)
    known, new = agent(session, "A"), agent(session, "B", grade=None)
    held = session.exec(select(tables.AgentGrade)).one()
    held.valid_until = planned
    session.flush()
    for one in (known, new):
        session.add(tables.AgentGrade(agent_id=one, grade=EXPERT, valid_from=planned))
    the_cycle = cycle(session, "c", SEPTEMBER)
    for one in (known, new):
        grading.decide(session, LEAD, case(session, the_cycle, one, previous=None), ACCEPT, AT)
    on = date(2026, 10, 5)
    effect(session, LEAD, the_cycle, on)
    assert facts(session, known)[1:] == [(SENIOR, on, planned), (EXPERT, planned, None)]
    assert facts(session, new) == [(SENIOR, on, planned), (EXPERT, planned, None)]


def test_effect_is_refused_before_the_day_and_when_the_counts_moved(session: Session) -> None:
    the_cycle = cycle(session, "c", SEPTEMBER)
    one = agent(session, "A")
    grading.decide(session, LEAD, case(session, the_cycle, one), ACCEPT, AT)
    with pytest.raises(InputError, match="after the window"):
        effect(session, LEAD, the_cycle, SEPTEMBER)
    with pytest.raises(ConflictError, match="1 grades would change by now, not 0"):
        effect(session, LEAD, the_cycle, OCTOBER, expected=0)
    assert len(facts(session, one)) == 1


def test_effect_reaches_only_the_teams_one_answers_for(session: Session) -> None:
    the_cycle = cycle(session, "c", SEPTEMBER)
    north, south = agent(session, "A", team="north"), agent(session, "B", team="south")
    for one in (north, south):
        grading.decide(session, LEAD, case(session, the_cycle, one), ACCEPT, AT)
    small = lead_of(session, "north")
    counts = effect(session, small, the_cycle, OCTOBER)
    assert counts == {"kept": 0, "changed": 1, "unsigned": 0}
    assert len(facts(session, south)) == 1
    # others are still to come, so the cycle stays open
    assert session.get_one(tables.AssessmentCycle, the_cycle).status == CycleStatus.PUBLISHED


def test_an_older_cycle_is_over_once_a_newer_one_is_in_force(session: Session) -> None:
    one = agent(session, "A")
    old, new = cycle(session, "old", SEPTEMBER), cycle(session, "new", OCTOBER)
    left = case(session, old, one)
    grading.decide(session, LEAD, case(session, new, one), ACCEPT, AT)
    grading.decide(session, LEAD, left, ACCEPT, AT)  # as long as the newer one is not in force
    case(session, new, agent(session, "B"))
    effect(session, LEAD, new, OCTOBER)
    with pytest.raises(ConflictError, match="newer cycle"):
        grading.decide(session, LEAD, left, ACCEPT, AT)
    with pytest.raises(ConflictError, match="newer cycle"):
        effect(session, LEAD, old, OCTOBER)


# -- history --------------------------------------------------------------------------------------


def test_dwell_counts_the_assessments_since_the_last_move(session: Session) -> None:
    moved, imported = agent(session, "A"), agent(session, "B", SENIOR)
    first = cycle(session, "1", SEPTEMBER)
    for earlier in (date(2026, 3, 31), date(2026, 6, 30)):  # before the move: do not count
        case(session, cycle(session, f"before {earlier}", earlier), moved, "keep", ORDINARY)
    grading.decide(session, LEAD, case(session, first, moved), ACCEPT, AT)
    effect(session, LEAD, first, date(2026, 10, 1))

    def cycles(as_of: date) -> dict[str, float | None]:
        held = grade_records.held_grades(session, as_of).set_index("agent_id")["cycles"]
        return {code: None if value != value else value for code, value in held.items()}

    assert cycles(OCTOBER) == {"A": 0, "B": None}  # whose grade was imported is free to move
    for code in ("2", "2 again"):  # two cycles over the same day count once
        case(session, cycle(session, code, OCTOBER), moved, "blocked", SENIOR, SENIOR)
    case(session, cycle(session, "x", OCTOBER), imported, "keep", SENIOR, SENIOR)
    assert cycles(OCTOBER) == {"A": 0, "B": None}
    assert cycles(NOVEMBER) == {"A": 1, "B": None}
    held = grade_records.held_grades(session, SEPTEMBER).set_index("agent_id")["grade"]
    assert held.to_dict() == {"A": "ordinary", "B": "senior"}


# -- running a cycle ------------------------------------------------------------------------------


def test_a_cycle_assesses_everybody_and_explains_in_both_languages(session: Session) -> None:
    agent(session, "A", SENIOR)
    agent(session, "B", None)
    made = grade_runs.run_cycle(session, LEAD, "c", date(2026, 7, 1), SEPTEMBER, ZONE, AT)
    rows = session.exec(select(tables.Assessment).order_by(col(tables.Assessment.id))).all()
    assert [(r.previous_grade, r.proposed_grade) for r in rows] == [
        (SENIOR, SENIOR), (None, ORDINARY),
    ]  # fmt: skip
    assert {r.decision for r in rows} == {"undecided"}  # there is nothing but tenure to go by
    quality = rows[0].evidence["quality"]
    assert (quality.pop("n"), quality.pop("verdict"), quality.pop("enough")) == (
        0, "missing", False,
    )  # fmt: skip
    assert set(quality.values()) == {None}
    assert rows[0].explanation["zh"]["line"].startswith("保持高级客服")
    assert rows[0].explanation["en"]["line"].startswith("keeps senior")
    assert made.status == CycleStatus.DRAFT
    queue = grade_pages.queue(session, LEAD, "", grade_filters.Filters(), "en", SEPTEMBER)
    assert [row.case.code for row in queue.rows] == ["A", "B"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"code": "a/b"}, "code"),
        ({"code": ""}, "code"),
        ({"period_from": date(2026, 10, 1)}, "period_from"),
        ({"as_of": date(2026, 10, 2)}, "as_of"),
        ({}, None),  # there are no agents
    ],
)
def test_a_cycle_that_cannot_be(
    session: Session, change: dict[str, object], column: str | None
) -> None:
    given = {"code": "c", "period_from": date(2026, 7, 1), "as_of": SEPTEMBER} | change
    with pytest.raises(InputError) as refused:
        grade_runs.run_cycle(session, LEAD, **given, timezone=ZONE, at=AT)
    assert [fault.column for fault in refused.value.faults] == [column]


def test_a_cycle_is_named_once_and_started_by_those_who_may(session: Session) -> None:
    cycle(session, "c", SEPTEMBER)
    given = ("c", date(2026, 7, 1), SEPTEMBER, ZONE, AT)
    with pytest.raises(ConflictError, match="another name"):
        grade_runs.ask_cycle(session, LEAD, *given)
    for role in set(Role) - access.RIGHTS["grades.assess"]:
        with pytest.raises(AccessDeniedError):
            grade_runs.run_cycle(session, Actor("x", roles={role: None}), *given)
    job = grade_runs.ask_cycle(session, LEAD, "d", *given[1:])
    assert (job.task, job.asked_by, job.arguments["code"]) == ("assess", "lead", "d")


def test_a_policy_version_is_stored_once(session: Session) -> None:
    text = grade_policies.default_policy_text()
    first = grade_policies.keep_policy(session, text, AT)
    assert grade_policies.keep_policy(session, text, AT).id == first.id
    with pytest.raises(ConflictError, match="another text"):
        grade_policies.keep_policy(session, text + "\n# changed", AT)
    with pytest.raises(InputError):
        grade_policies.keep_policy(session, "version = 3", AT)


# -- read models ----------------------------------------------------------------------------------


def test_axes_show_the_limits_with_room_and_stay_possible() -> None:
    scales = grade_cases.rules_of(grade_policies.default_policy_text()).scales
    resolution = scales["resolution"]
    # limits from 0.68 (keep senior) to 0.85 (be expert): 0.17 of room, but no share above 1
    assert resolution.low == pytest.approx(0.51)
    assert resolution.high == 1.0
    assert resolution.limits["entry expert"] == 0.85
    # months from 6 (floor) to 36: 30 of room, but nobody serves for less than none
    assert (scales["tenure"].low, scales["tenure"].high) == (0, 66)


def test_own_page_needs_an_agent(session: Session) -> None:
    with pytest.raises(AccessDeniedError, match="belongs to no agent"):
        grade_case_page.own_page(session, SYSTEM, SEPTEMBER, "en")
    one = agent(session, "A", EXPERT)
    page = grade_case_page.own_page(session, Actor("a", agent_id=one), SEPTEMBER, "en")
    assert (page.grade, page.since, page.newest) == (EXPERT, date(2020, 1, 1), None)
