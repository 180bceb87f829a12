"""Around the cycle: whose case it was, trials, calibration, funnel, grade mix, allowances."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pandas as pd
import pytest
from sqlmodel import Session, select

from wfm import tables
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError, NotFoundError
from wfm.services import (
    grade_allowances,
    grade_calibration,
    grade_funnel,
    grade_mix,
    grade_policies,
    grade_policy_page,
    grade_runs,
    grade_stints,
    grade_trials,
)
from wfm.words import EventKind, Grade, Role

ZONE = "Asia/Shanghai"
AS_OF = date(2026, 9, 30)
AT = datetime(2026, 10, 9, 2, tzinfo=UTC)
BEGIN, END = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
LEAD = Actor("lead", roles={Role.LEAD: None})
SMALL = Actor("small", roles={Role.LEAD: frozenset({1})})


def agent(session: Session, code: str, grade: Grade = Grade.ORDINARY, team: int = 0) -> int:
    row = tables.Agent(code=code, name=f"{code} Li", hired_on=date(2019, 1, 1))
    session.add(row)
    session.flush()
    begin = date(2020, 1, 1)
    session.add(tables.AgentGrade(agent_id=row.id, grade=grade, valid_from=begin))
    if team:
        session.add(tables.AgentTeam(agent_id=row.id, team_id=team, valid_from=begin))
    session.flush()
    return row.id or 0


def team(session: Session, code: str = "t") -> int:
    row = tables.Team(code=code, name_en=f"Team {code}", name_zh=f"{code}组")
    session.add(row)
    session.flush()
    return row.id or 0


# -- whose case was it? ---------------------------------------------------------------------------


def ticket(
    session: Session, code: str, owner: int, holders: list[int], tier: Grade = Grade.ORDINARY
) -> None:
    at = datetime(2026, 8, 3, 1, tzinfo=UTC)
    row = tables.Ticket(
        code=code, opened_at=at, owner_id=owner, resolved_at=at + timedelta(hours=5),
        resolved=True, independent=len(holders) == 1, reopened=False, min_grade=tier,
        state="closed",
    )  # fmt: skip
    session.add(row)
    session.flush()
    for place, holder in enumerate(holders):
        session.add(
            tables.TicketEvent(
                code=f"{code}-{place}", ticket_id=row.id, at=at + timedelta(minutes=place),
                kind=EventKind.ASSIGNED, agent_id=holder,
            )
        )  # fmt: skip
    session.flush()


def test_a_ticket_counts_for_everybody_who_had_it_as_far_as_theirs(session: Session) -> None:
    a, b = agent(session, "A"), agent(session, "B", Grade.SENIOR)
    ticket(session, "alone", a, [a])
    ticket(session, "received", b, [a, b])  # A passed on an ordinary one: not solved alone
    ticket(session, "by rule", b, [a, b], Grade.SENIOR)  # above A's grade: handed up by rule
    ticket(session, "back", a, [a, b, a])  # A gave it away and got it back
    cases = pd.DataFrame(
        {
            "case_id": ["alone", "received", "by rule", "back"],
            "agent_id": ["A", "B", "B", "A"],
            "tier": ["ordinary", "ordinary", "senior", "ordinary"],
            "independent": [True, False, False, False],
            "reopened": False,
            "satisfaction": 5.0,
        }
    )
    found = grade_stints.attributed(session, cases, BEGIN, END, AS_OF)
    told = {
        (row.case_id, row.agent_id): (row.independent, row.handed_up) for row in found.itertuples()
    }
    assert told == {
        ("alone", "A"): (True, None),
        ("received", "B"): (True, None),
        ("received", "A"): (False, False),
        ("by rule", "B"): (True, None),
        ("by rule", "A"): (False, True),
        ("back", "A"): (False, None),
        ("back", "B"): (False, False),
    }
    assert found["satisfaction"].notna().sum() == 4  # a customer is asked about the end of it


def test_days_until_a_ticket_came_back(session: Session) -> None:
    a = agent(session, "A")
    ticket(session, "T", a, [a])
    row = session.exec(select(tables.Ticket)).one()
    for day, kind in ((10, EventKind.RESOLVED), (12, EventKind.REOPENED), (13, EventKind.RESOLVED),
                      (20, EventKind.REOPENED)):  # fmt: skip
        session.add(
            tables.TicketEvent(
                code=f"e{day}", ticket_id=row.id, at=datetime(2026, 8, day, tzinfo=UTC), kind=kind
            )
        )
    session.flush()
    assert grade_stints.reopened_after(session, BEGIN, END) == {"T": pytest.approx(2.0)}


# -- trials ---------------------------------------------------------------------------------------


def reviewed(session: Session, code: str, number: int, score: float) -> None:
    for place in range(8):
        session.add(
            tables.QualityReview(
                code=f"{code}-q{place}", agent_id=number, reviewer="RS"[place % 2],
                reviewed_on=date(2026, 9, 2), score=score + place % 3, case_code=f"{code}-{place}",
            )
        )  # fmt: skip
    for place in range(60):
        opened = datetime(2026, 8, 1, 9, tzinfo=UTC) + timedelta(hours=9 * place)
        done = place % 20 < (score - 70)
        session.add(
            tables.Ticket(
                code=f"{code}-{place}", opened_at=opened, owner_id=number, resolved_at=opened,
                resolved=done, independent=done, reopened=False, state="closed",
            )
        )  # fmt: skip
    session.flush()


@pytest.fixture
def cycle(session: Session) -> tables.AssessmentCycle:
    """Four agents, 84 to 90 points, and as good at solving."""
    home = team(session)
    for place, score in enumerate((84, 86, 88, 90)):
        reviewed(session, f"A{place}", agent(session, f"A{place}", team=home), score)
    return grade_runs.run_cycle(session, LEAD, "c", date(2026, 7, 1), AS_OF, ZONE, AT)


def test_stored_evidence_gives_the_same_proposals(
    session: Session, cycle: tables.AssessmentCycle
) -> None:
    text = grade_policies.default_policy_text()
    found = grade_trials.trial(session, LEAD, "c", text, ZONE)
    assert found["differ"] == 0
    assert found["counts"]["written"] == found["counts"]["tried"]
    rows = session.exec(select(tables.Assessment.proposed_grade)).all()
    assert found["counts"]["tried"]["grades"]["senior"] == rows.count(Grade.SENIOR) > 0


def test_a_trial_names_who_would_move_and_why(
    session: Session, cycle: tables.AssessmentCycle
) -> None:
    text = grade_policies.default_policy_text()
    harder = text.replace("floor = { senior = 75, expert = 82 }", "floor = { senior = 80, expert "
                          "= 82 }").replace("entry = { senior = 80, expert = 87 }",
                                            "entry = { senior = 99, expert = 99 }")  # fmt: skip
    found = grade_trials.trial(session, LEAD, "c", harder, ZONE)
    assert found["same_evidence"]
    assert found["differ"] == len(found["moves"]) > 0
    move = found["moves"][-1]
    assert (move["written"], move["tried"]) == ("senior", "ordinary")
    assert "quality" in move["en"][1]
    assert "服务质量" in move["zh"][1]
    assert found["past"] == []  # a look back takes two cycles
    other = text.replace("satisfied_from = 4", "satisfied_from = 5")
    assert not grade_trials.trial(session, LEAD, "c", other, ZONE)["same_evidence"]
    with pytest.raises(AccessDeniedError):
        grade_trials.ask(session, SMALL, "c", text, AT)
    with pytest.raises(InputError, match="line 1"):
        grade_trials.ask(session, LEAD, "c", "x = 1", AT)
    with pytest.raises(NotFoundError):
        grade_trials.ask(session, LEAD, "d", text, AT)


def test_a_saved_policy_is_a_new_version_and_the_next_cycles(
    session: Session, cycle: tables.AssessmentCycle
) -> None:
    text = grade_policies.default_policy_text()
    with pytest.raises(ConflictError):
        grade_policy_page.save(session, LEAD, text + "# changed", AT)
    newer = text.replace('version = "2026.3"', 'version = "2026.4"').replace("\n", "\r\n")
    row = grade_policy_page.save(session, LEAD, newer, AT)
    assert "\r" not in row.text
    page = grade_policy_page.page(session, LEAD, None)
    assert (page.text, [one.code for one in page.versions]) == (
        row.text, ["default 2026.4", "default 2026.3"],
    )  # fmt: skip
    made = grade_runs.run_cycle(session, LEAD, "d", date(2026, 7, 1), AS_OF, ZONE, AT)
    assert (made.policy_id, cycle.policy_id) == (row.id, page.versions[1].id)
    past = grade_trials.trial(session, LEAD, "c", text, ZONE)["past"]
    assert [(one["from"], one["to"]) for one in past] == [("c", "d")]
    with pytest.raises(AccessDeniedError):
        grade_policy_page.save(session, SMALL, newer, AT)
    with pytest.raises(NotFoundError):
        grade_policy_page.page(session, LEAD, 99)


# -- calibration ----------------------------------------------------------------------------------


def test_cases_are_drawn_evenly_and_scored_by_another(
    session: Session, cycle: tables.AssessmentCycle
) -> None:
    before = grade_calibration.page(session, LEAD, AS_OF)
    assert (before.twice, before.alpha, len(before.reviewers)) == (0, None, 2)
    assert grade_calibration.draw(session, LEAD, AS_OF, AT) == 30
    samples = grade_calibration.page(session, LEAD, AS_OF).samples
    firsts = [one.first_reviewer for one in samples]
    assert firsts.count("R") == firsts.count("S") == 15
    assert all(one.first_reviewer != one.reviewer for one in samples)
    assert all(one.first_score is None for one in samples)  # nobody is led by the first score
    with pytest.raises(ConflictError, match="not all scored"):
        grade_calibration.draw(session, LEAD, AS_OF, AT)
    first = samples[0]
    rater = Actor(first.first_reviewer, roles={Role.REVIEWER: None})
    with pytest.raises(AccessDeniedError):
        grade_calibration.score(session, rater, first.id, 80, AT, ZONE)
    with pytest.raises(InputError):
        grade_calibration.score(session, LEAD, first.id, 101, AT, ZONE)
    grade_calibration.score(session, LEAD, first.id, 80, AT, ZONE)
    after = grade_calibration.page(session, LEAD, AS_OF)
    assert after.twice == 1
    assert [one.second_score for one in after.samples if one.id == first.id] == [80]
    with pytest.raises(ConflictError):
        grade_calibration.score(session, LEAD, first.id, 90, AT, ZONE)


# -- funnel, mix, allowances ----------------------------------------------------------------------


def test_the_funnel_of_those_one_may_see(session: Session, cycle: tables.AssessmentCycle) -> None:
    page = grade_funnel.page(session, LEAD, "c", "resolution")
    # 14, 16, 18 and 20 of 20, three times over: 204 of 240
    assert page.share == pytest.approx(204 / 240)
    assert [(dot.n, dot.stands_out) for dot in page.dots] == [
        (60, ""), (60, ""), (60, ""), (60, "high"),
    ]  # fmt: skip
    assert page.expected == pytest.approx(0.01)
    assert grade_funnel.page(session, SMALL, "c", "resolution").dots == ()
    assert grade_funnel.page(session, LEAD, "c", "satisfaction").share is None
    with pytest.raises(InputError):
        grade_funnel.page(session, LEAD, "c", "tenure")


def test_grades_beside_what_the_roster_needs(session: Session) -> None:
    home, other = team(session), team(session, "u")
    for code, grade in (("A", Grade.EXPERT), ("B", Grade.SENIOR), ("C", Grade.ORDINARY),
                        ("D", Grade.ORDINARY)):  # fmt: skip
        agent(session, code, grade, home)
    assert grade_mix.page(session, LEAD, AS_OF).teams[0].needs == ()
    skill = tables.Skill(code="s", name_en="S", name_zh="技能")
    plan = tables.StaffingPlan(
        period_from=date(2026, 10, 1), period_until=date(2026, 10, 31), made_at=AT, facts={}
    )
    session.add_all([skill, plan])
    session.flush()
    for hour, tier, people in ((9, "ordinary", 2), (9, "senior", 3), (10, "ordinary", 3),
                               (10, "expert", 1), (9, "expert", 1)):  # fmt: skip
        session.add(
            tables.Requirement(
                plan_id=plan.id, team_id=home, skill_id=skill.id, tier=tier, people=people,
                starts_at=datetime(2026, 10, 1, hour, tzinfo=UTC), source="promise",
            )
        )  # fmt: skip
    session.flush()
    mix = grade_mix.page(session, LEAD, AS_OF)
    assert [one.team.code for one in mix.teams] == ["t", "u"]
    assert mix.teams[0].counts == {"ordinary": 2, "senior": 1, "expert": 1}
    _, senior, expert = mix.teams[0].needs
    # 5 of 10 person-hours ask for senior or expert, at nine 3 + 1 people at once; two hold it
    assert (senior.agents, senior.held, senior.needed, senior.most, senior.short) == (
        2, 0.5, pytest.approx(5 / 10), 4, True,
    )  # fmt: skip
    assert (expert.agents, expert.needed, expert.most, expert.short) == (
        1, pytest.approx(2 / 10), 1, False,
    )  # fmt: skip
    assert mix.teams[1].agents == 0
    assert other


def test_one_row_per_agent_and_change_for_allowances(session: Session) -> None:
    home = team(session)
    moved, stayed = agent(session, "A", team=home), agent(session, "B", team=home)
    held = session.exec(select(tables.AgentGrade).where(tables.AgentGrade.agent_id == moved)).one()
    held.valid_until = date(2026, 10, 16)
    session.add(tables.AgentGrade(agent_id=moved, grade="senior", valid_from=date(2026, 10, 16)))
    session.get_one(tables.Agent, moved).name = "=SUM(A1)"
    session.flush()
    content = grade_allowances.workbook(
        session, LEAD, date(2026, 10, 1), date(2026, 10, 31), "zh", AT
    )
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][:6] == ["工号", "姓名", "团队", "原等级", "现等级", "生效日期"]
    assert [row[:6] for row in rows[1:]] == [
        ["A", "=SUM(A1)", "t组", "普通客服", "高级客服", "2026-10-16"]
    ]
    assert sheet["B2"].data_type == "s"  # text, never a formula
    assert stayed
    for first, last in ((date(2026, 10, 17), date(2026, 10, 31)), (AS_OF, AS_OF)):
        assert grade_allowances.changes(session, LEAD, first, last) == []
    with pytest.raises(InputError):
        grade_allowances.changes(session, LEAD, date(2026, 10, 2), date(2026, 10, 1))
    with pytest.raises(AccessDeniedError):
        grade_allowances.changes(session, SMALL, AS_OF, AS_OF)
