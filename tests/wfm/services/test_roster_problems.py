"""From tables to a roster problem: each part of it, from a team of five in one week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col

from scheduler.problem import RosterProblem
from wfm import tables
from wfm.errors import InputError
from wfm.services import roster_problems, rostering

ZONE = "Asia/Shanghai"
MONDAY = date(2026, 9, 28)


@pytest.fixture
def week(session: Session, roster_week: Callable[[Session], Any]) -> Any:
    return roster_week(session)


@pytest.fixture
def build(session: Session, week: Any) -> Callable[[], RosterProblem]:
    """The problem of the week as the tables are when it is called."""

    def now() -> RosterProblem:
        session.flush()
        roster = rostering.open_roster(
            session, week.planner, week.team, week.first, week.last, week.local(MONDAY, 0)
        )
        return roster_problems.build(session, roster, ZONE)

    return now


def test_people_have_their_grade_skills_and_hours(session: Session, week: Any, build: Any) -> None:
    session.add(
        tables.AgentContract(agent_id=week.agents["E"], minutes_per_day=240, valid_from=MONDAY)
    )
    people = {agent.id: agent for agent in build().agents}
    assert list(people) == ["A", "B", "C", "D", "E"]
    assert [people[code].grade for code in "ABD"] == ["expert", "senior", "ordinary"]
    held = {code: [one.skill for one in people[code].qualifications] for code in "CD"}
    assert held == {"C": ["net"], "D": ["app", "net"]}
    assert (people["D"].day_minutes, people["E"].day_minutes) == (480, 240)


def test_days_carry_their_type_and_the_burden_of_their_name(build: Any) -> None:
    days = build().days
    assert [day.type for day in days] == ["workday"] * 3 + ["statutory_holiday"] * 3 + ["rest_day"]
    assert [(day.name, day.burden) for day in days[2:5]] == [
        ("", 0),
        ("10月1日", 6),
        ("10月2日", 5),
    ]


def test_standby_is_no_shift_and_nights_are_known_by_their_hours(build: Any) -> None:
    shifts = {shift.id: shift for shift in build().shifts}
    assert sorted(shifts) == ["early", "home", "late", "night"]
    assert {code for code, shift in shifts.items() if shift.night} == {"night"}
    assert (shifts["night"].start, shifts["night"].end) == (1320, 1800)
    assert (shifts["home"].mode, shifts["late"].unpopular) == ("remote", True)
    assert [(pause.start, pause.end) for pause in shifts["early"].breaks] == [(720, 750)]


def test_equal_neighbouring_half_hours_of_the_requirement_become_one_span(build: Any) -> None:
    covers = [
        (cover.date, cover.start, cover.end, cover.skill, cover.min_grade, cover.desired)
        for cover in build().interval_cover
        if cover.exclusive
    ]
    # 9:00 and 9:30 want two people each, 10:00 wants three
    assert sorted(covers) == [
        (MONDAY, 540, 570, "app", "ordinary", 1),
        (MONDAY, 540, 600, "net", "ordinary", 2),
        (MONDAY, 600, 630, "net", "ordinary", 3),
    ]


def test_a_hole_in_the_requirement_ends_a_span(session: Session, week: Any, build: Any) -> None:
    session.execute(
        sa.delete(tables.Requirement).where(
            col(tables.Requirement.starts_at) == week.local(MONDAY, 9.5)
        )
    )
    session.execute(sa.update(tables.Requirement).values(people=2))
    spans = [(c.start, c.end, c.desired) for c in build().interval_cover if c.skill == "net"]
    assert spans == [(540, 570, 2), (600, 630, 2)]


def test_cover_names_its_promise_and_leaves_other_teams_and_plans_out(
    session: Session, week: Any, build: Any
) -> None:
    for team, plan in ((week.other_team, week.plan), (None, week.plan)):
        session.add(
            tables.Requirement(plan_id=plan, team_id=team, skill_id=week.skills["net"],
                               tier="expert", starts_at=week.local(MONDAY, 12), people=4,
                               source="not ours")
        )  # fmt: skip
    causes = {cover.cause for cover in build().interval_cover if cover.exclusive}
    assert causes == {"90 % first response within 30 min"}


def test_the_newest_plan_that_covers_the_period_counts(
    session: Session, week: Any, build: Any
) -> None:
    at = week.local(MONDAY, 1)
    shorter = tables.StaffingPlan(period_from=MONDAY, period_until=MONDAY, made_at=at)
    newer = tables.StaffingPlan(period_from=MONDAY, period_until=week.last, made_at=at)
    session.add(newer)
    session.flush()
    session.add(shorter)
    assert not [cover for cover in build().interval_cover if cover.exclusive]


def test_two_people_one_of_them_senior_whenever_the_desk_is_open(build: Any) -> None:
    presence = [cover for cover in build().interval_cover if not cover.exclusive]
    assert len(presence) == 7 * 2
    monday = {(c.min_grade, c.start, c.end, c.minimum) for c in presence if c.date == MONDAY}
    assert monday == {("ordinary", 480, 1320, 2), ("senior", 480, 1320, 1)}


def test_without_opening_hours_the_desk_is_never_left_alone(
    session: Session, week: Any, build: Any
) -> None:
    session.execute(sa.delete(tables.BusinessCalendar))
    presence = [cover for cover in build().interval_cover if not cover.exclusive]
    assert {(cover.start, cover.end) for cover in presence} == {(0, 1440)}


def test_leave_of_the_period_is_given(session: Session, week: Any, build: Any) -> None:
    for first, last in ((date(2026, 9, 20), MONDAY), (date(2026, 10, 5), date(2026, 10, 6))):
        session.add(
            tables.Leave(agent_id=week.agents["C"], start_on=first, end_on=last, kind="annual")
        )
    leave = [(one.agent, one.first, one.last, one.kind) for one in build().leave]
    assert leave == [("C", date(2026, 9, 20), MONDAY, "annual")]


def test_who_leaves_or_changes_team_is_away_from_that_day(
    session: Session, week: Any, build: Any
) -> None:
    session.get_one(tables.Agent, week.agents["D"]).left_on = date(2026, 10, 3)
    session.execute(
        sa.update(tables.AgentTeam)
        .where(col(tables.AgentTeam.agent_id) == week.agents["E"])
        .values(valid_until=date(2026, 9, 30))
    )
    away = sorted((one.agent, one.first) for one in build().leave)
    # D has left on the 3rd: 3 and 4 October; E is elsewhere from 30 September: five days
    assert away == [("D", date(2026, 10, 3)), ("D", date(2026, 10, 4))] + [
        ("E", date(2026, 9, 30) + timedelta(days=n)) for n in range(5)
    ]


def test_who_joins_within_the_period_is_away_until_then(
    session: Session, week: Any, build: Any
) -> None:
    newcomer = tables.Agent(code="F", name="F Li")
    session.add(newcomer)
    session.flush()
    session.add(
        tables.AgentTeam(agent_id=newcomer.id, team_id=week.team, valid_from=date(2026, 10, 2))
    )
    problem = build()
    assert [agent.id for agent in problem.agents] == ["A", "B", "C", "D", "E", "F"]
    assert [one.first for one in problem.leave if one.agent == "F"] == [
        MONDAY + timedelta(days=n) for n in range(4)
    ]


def test_locks_are_given_and_forbidden_cells_too(session: Session, week: Any, build: Any) -> None:
    roster = rostering.open_roster(
        session, week.planner, week.team, week.first, week.last, week.local(MONDAY, 0)
    )
    for agent, shift, kind in (("A", "early", "fix"), ("B", None, "fix"), ("C", None, "forbid")):
        session.add(
            tables.RosterLock(roster_id=roster.id, agent_id=week.agents[agent], day=MONDAY,
                              shift_code=shift, kind=kind, made_by="plan", reason="why")
        )  # fmt: skip
    problem = build()
    assert [(one.agent, one.date, one.shift) for one in problem.locks] == [
        ("A", MONDAY, "early"), ("B", MONDAY, None),
    ]  # fmt: skip
    assert [(one.agent, one.shift, one.reason) for one in problem.forbidden] == [("C", None, "why")]


def test_only_live_duties_of_the_week_before_are_carried_in(
    session: Session, week: Any, build: Any
) -> None:
    at = week.local(MONDAY, 0)
    past = tables.Roster(
        team_id=week.team, period_from=date(2026, 9, 14), period_until=date(2026, 9, 27)
    )
    session.add(past)
    session.flush()
    version = tables.RosterVersion(roster_id=past.id, number=1, made_at=at, made_by="plan")
    session.add(version)
    session.flush()
    duties = (
        ("A", 27, "late", True), ("B", 26, "late", False), ("C", 20, "late", True),
        ("D", 25, "standby", True), ("E", 21, "early", True),
    )  # fmt: skip
    for agent, day, shift, live in duties:
        on = date(2026, 9, day)
        session.add(
            tables.Assignment(version_id=version.id, agent_id=week.agents[agent], day=on,
                              shift_code=shift, starts_at=week.local(on, 8),
                              ends_at=week.local(on, 16), live=live)
        )  # fmt: skip
    problem = build()
    # a draft is not worked, 20 September is eight days back, standby is no shift
    assert [(past.agent, past.date.day, past.shift) for past in problem.history] == [
        ("A", 27, "late"), ("E", 21, "early"),
    ]  # fmt: skip
    assert problem.history_days == 7


def test_restrictions_become_protections_until_the_day_before_they_end(
    session: Session, week: Any, build: Any
) -> None:
    for agent, kind in (("A", "no_night"), ("B", "minor"), ("C", "no_overtime")):
        session.add(
            tables.AgentRestriction(agent_id=week.agents[agent], kind=kind, valid_from=MONDAY,
                                    valid_until=date(2026, 10, 3))
        )  # fmt: skip
    people = {agent.id: agent.restrictions for agent in build().agents}
    kinds = {code: [one.kind for one in people[code]] for code in "ABCD"}
    assert kinds == {"A": ["no_nights"], "B": ["no_nights", "no_overtime"],
                     "C": ["no_overtime"], "D": []}  # fmt: skip
    assert (people["A"][0].first, people["A"][0].last) == (MONDAY, date(2026, 10, 2))


def test_no_nights_without_consent_to_nights(session: Session, week: Any, build: Any) -> None:
    session.add(
        tables.AgentContract(agent_id=week.agents["E"], night_consent=False, valid_from=MONDAY)
    )
    people = {agent.id: agent.declines for agent in build().agents}
    assert (people["D"], people["E"]) == ((), ("nights",))


def test_overtime_needs_consent(session: Session, week: Any, build: Any) -> None:
    session.add(
        tables.AgentContract(agent_id=week.agents["E"], overtime_consent=False, valid_from=MONDAY)
    )
    declined = {agent.id: agent.declines for agent in build().agents}
    assert declined["E"] == ("overtime",)
    assert declined["D"] == ()


def test_who_works_only_from_home_is_kept_off_site(session: Session, week: Any, build: Any) -> None:
    session.add(
        tables.AgentRestriction(agent_id=week.agents["E"], kind="no_on_site",
                                valid_from=date(2026, 10, 4))
    )  # fmt: skip
    look = build().lookup
    sunday, saturday = look.day[date(2026, 10, 4)], look.day[date(2026, 10, 3)]
    barred = {code: look.barred(look.agent["E"], sunday, s) for code, s in look.shift.items()}
    assert barred == {"early": "remote_only", "home": None, "late": "remote_only",
                      "night": "remote_only"}  # fmt: skip
    assert look.barred(look.agent["E"], saturday, look.shift["early"]) is None


def test_places_of_the_duty_table_are_posts_locked_for_their_holders(
    session: Session, week: Any, build: Any
) -> None:
    stranger = tables.Agent(code="Z", name="Z Li")
    session.add(stranger)
    session.flush()
    held = (("lead", week.agents["B"], 1), ("leader", week.agents["A"], 2),
            ("lead", stranger.id, 2), ("lead", week.agents["B"], 9))  # fmt: skip
    for post, agent, day in held:
        session.add(
            tables.PostHolding(post_id=week.posts[post], agent_id=agent, day=date(2026, 10, day),
                               made_by="plan", made_at=week.local(MONDAY, 0))
        )  # fmt: skip
    problem = build()
    assert [(post.id, post.days, post.exclusive) for post in problem.posts] == [
        ("lead", (date(2026, 10, 1),), False), ("leader", (date(2026, 10, 2),), True),
    ]  # fmt: skip
    assert problem.posts[0].shifts == ("early", "late", "night")  # on site, so not from home
    assert [(lock.post, lock.agent) for lock in problem.post_locks] == [
        ("lead", "B"), ("leader", "A"),
    ]  # fmt: skip


def test_rules_are_the_law_the_house_and_the_ledger(
    session: Session, week: Any, build: Any
) -> None:
    session.add(
        tables.HolidayDuty(agent_id=week.agents["A"], day=date(2025, 10, 1), burden=6,
                           day_type="statutory_holiday", name_en="1 October", name_zh="10月1日")
    )  # fmt: skip
    rules = {rule.name: rule for rule in build().rules}
    hard = {name for name, rule in rules.items() if rule.hard}
    assert hard == {"weekly rest day", "days in a row", "hours a day", "overtime a month",
                    "rest between duties"}  # fmt: skip
    assert [(one.agent, one.day_name) for one in rules["same named day"].held] == [("A", "10月1日")]
    assert all(rule.source for rule in rules.values())


def test_weeks_without_a_named_day_have_no_ledger_in_them(session: Session, week: Any) -> None:
    first, last = date(2026, 11, 2), date(2026, 11, 8)
    at = week.local(MONDAY, 0)
    session.add(tables.StaffingPlan(period_from=first, period_until=last, made_at=at))
    roster = rostering.open_roster(session, week.planner, week.team, first, last, at)
    names = {rule.name for rule in roster_problems.build(session, roster, ZONE).rules}
    assert not names & {"holiday burden", "same named day"}


def test_everything_missing_is_named_at_once(session: Session, week: Any) -> None:
    session.execute(sa.delete(tables.ShiftTemplate))
    roster = rostering.open_roster(
        session, week.planner, week.other_team, date(2026, 11, 2), date(2026, 11, 8),
        week.local(MONDAY, 0),
    )  # fmt: skip
    with pytest.raises(InputError) as refused:
        roster_problems.build(session, roster, ZONE)
    assert [fault.message.split(";")[0] for fault in refused.value.faults] == [
        "this team has no agents in the period",
        "there are no shift templates",
        "there is no staffing plan from 2026-11-02 to 2026-11-08",
    ]


def test_what_the_kernel_refuses_is_a_fault_and_no_crash(
    session: Session, week: Any, build: Any
) -> None:
    session.execute(
        sa.update(tables.Requirement).values(starts_at=week.local(MONDAY, 9.25)).where(
            col(tables.Requirement.people) == 3
        )
    )  # fmt: skip
    with pytest.raises(InputError, match="multiple"):
        build()
