"""What planners and agents enter reaches the roster problem: each fact, and one that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.problem import RosterProblem
from scheduler.solution import Roster as Cells
from scheduler.verify import verify
from wfm import tables
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError
from wfm.services import (
    house_rules,
    roster_problems,
    roster_versions,
    roster_wishes,
    rostering,
    shift_plan,
)
from wfm.services.house_rules import RuleWish
from wfm.services.roster_wishes import Liked, Wished
from wfm.services.shift_plan import Need, Pattern, Pause
from wfm.words import Role

ZONE = "Asia/Shanghai"
MONDAY = date(2026, 9, 28)  # Thursday to Saturday are statutory holidays, Sunday is a rest day
SUNDAY = date(2026, 10, 4)


@pytest.fixture
def week(session: Session, roster_week: Callable[[Session], Any]) -> Any:
    return roster_week(session)


@pytest.fixture
def roster(session: Session, week: Any) -> tables.Roster:
    at = week.local(MONDAY, 0)
    return rostering.open_roster(session, week.planner, week.team, week.first, week.last, at)


@pytest.fixture
def build(session: Session, roster: tables.Roster) -> Callable[..., RosterProblem]:
    def now(keep_until: date | None = None) -> RosterProblem:
        session.flush()
        return roster_problems.build(session, roster, ZONE, keep_until)

    return now


def barred(problem: RosterProblem, agent: str, day: date, shift: str) -> str | None:
    look = problem.lookup
    return look.barred(look.agent[agent], look.day[day], look.shift[shift])


# -- people ---------------------------------------------------------------------------------------


def test_a_skill_has_its_level_and_ends_with_its_certificate(
    session: Session, week: Any, build: Any
) -> None:
    net, app = week.skills["net"], week.skills["app"]
    session.execute(
        sa.update(tables.AgentSkill)
        .where(col(tables.AgentSkill.agent_id) == week.agents["D"])
        .where(col(tables.AgentSkill.skill_id) == net)
        .values(proficiency=2, valid_until=date(2026, 10, 1))
    )
    session.add(
        tables.AgentSkill(agent_id=week.agents["A"], skill_id=app, proficiency=5,
                          valid_from=date(2026, 1, 1))
    )  # fmt: skip
    problem = build()
    look = problem.lookup
    d, a = look.agent["D"], look.agent["A"]
    # the certificate holds on 30 September and no longer on 1 October
    assert look.level(d, "net", date(2026, 9, 30)) == 2
    assert look.level(d, "net", date(2026, 10, 1)) == 0
    assert look.level(d, "app", date(2026, 10, 1)) == 3
    assert "app" in problem.agents[a].skills  # the full level all week needs no dates


def test_hours_offered_keep_other_shifts_away(session: Session, week: Any, build: Any) -> None:
    session.add(
        tables.AgentAvailability(agent_id=week.agents["E"], weekdays=[1, 2], starts=480, ends=1050,
                                 valid_from=date(2026, 1, 1))
    )  # fmt: skip
    problem = build()
    assert barred(problem, "E", MONDAY, "early") is None  # 8:00 to 16:30, within 8:00 to 17:30
    assert barred(problem, "E", MONDAY, "late") == "availability"
    assert barred(problem, "E", MONDAY + timedelta(days=2), "early") == "availability"
    assert barred(problem, "D", MONDAY, "late") is None


def test_hours_offered_end_with_their_dates(session: Session, week: Any, build: Any) -> None:
    session.add(
        tables.AgentAvailability(agent_id=week.agents["E"], weekdays=[1], starts=0, ends=60,
                                 valid_from=date(2026, 1, 1), valid_until=MONDAY)
    )  # fmt: skip
    assert barred(build(), "E", MONDAY, "late") is None


def test_each_protection_closes_what_it_is_about(session: Session, week: Any, build: Any) -> None:
    kinds = {"B": ("no_standby", None), "C": ("no_holidays", None), "D": ("short_days", 420)}
    for agent, (kind, minutes) in kinds.items():
        session.add(
            tables.AgentRestriction(agent_id=week.agents[agent], kind=kind, minutes=minutes,
                                    valid_from=MONDAY)
        )  # fmt: skip
    problem = build()
    first = date(2026, 10, 1)
    assert barred(problem, "C", first, "early") == "no_duty_on_holidays"
    assert barred(problem, "C", MONDAY, "early") is None
    # 8 hours between start and end, breaks aside, are more than 7
    assert barred(problem, "D", MONDAY, "early") == "short_days"
    assert [one.kind for one in problem.agents[1].restrictions] == ["no_standby"]


def test_consents_reach_and_agreed_shifts_come_from_the_contract(
    session: Session, week: Any, build: Any
) -> None:
    session.add(
        tables.AgentContract(agent_id=week.agents["E"], night_consent=False, standby_consent=False,
                             reach_minutes=90, shift_codes=["early", "gone"], valid_from=MONDAY)
    )  # fmt: skip
    problem = build()
    one = next(agent for agent in problem.agents if agent.id == "E")
    assert (one.declines, one.reach_minutes, one.shifts) == (("nights", "standby"), 90, ("early",))
    assert barred(problem, "E", MONDAY, "late") == "shift"
    assert barred(problem, "D", MONDAY, "late") is None


def test_who_works_fewer_days_has_a_weekly_limit_instead_of_daily_hours(
    session: Session, week: Any, build: Any
) -> None:
    session.add(
        tables.AgentContract(agent_id=week.agents["E"], minutes_per_week=1440, valid_from=MONDAY)
    )
    rules = {rule.name: rule for rule in build().rules}
    weekly = rules["contract week of 24 h"]
    assert (weekly.maximum, weekly.agents, weekly.weight) == (1440, ("E",), 20)
    assert rules["contract hours"].agents == ("A", "B", "C", "D")


def test_full_time_contracts_have_no_weekly_limit(build: Any) -> None:
    rules = {rule.name: rule for rule in build().rules}
    assert rules["contract hours"].agents is None
    assert not any(name.startswith("contract week") for name in rules)


def test_other_sites_are_open_to_the_willing_at_a_cost(
    session: Session, week: Any, build: Any
) -> None:
    site = tables.Site(code="far", name_en="Far", name_zh="外地")
    session.add(site)
    session.flush()
    session.add(tables.AgentSite(agent_id=week.agents["D"], site_id=site.id, reluctance=2))
    session.execute(
        sa.update(tables.ShiftTemplate)
        .where(col(tables.ShiftTemplate.code) == "late")
        .values(site_id=site.id)
    )
    problem = build()
    people = {agent.id: agent for agent in problem.agents}
    assert (people["D"].sites, people["D"].home, people["D"].away_weight) == (("s", "far"), "s", 15)
    assert barred(problem, "D", MONDAY, "late") is None
    assert barred(problem, "E", MONDAY, "late") == "site"
    verdict = verify(problem, Cells({("D", MONDAY): "late"}))
    assert [(one.agent, one.cost) for one in verdict.costs if one.kind == "away"] == [("D", 15)]


# -- wishes ---------------------------------------------------------------------------------------


def me(week: Any, agent: str) -> Actor:
    return Actor(agent, agent, roles={Role.AGENT: None}, agent_id=week.agents[agent])


def test_wishes_and_preferences_are_weighed(session: Session, week: Any, build: Any) -> None:
    at = week.local(MONDAY, 0)
    today = MONDAY - timedelta(days=7)
    actor = me(week, "D")
    off = Wished(MONDAY, wants=False, strength=3)
    roster_wishes.wish(session, actor, week.agents["D"], off, today, at)
    liked = Liked(wants=True, shifts=("early",), weekdays=(1, 2), strength=2)
    roster_wishes.like(session, actor, week.agents["D"], liked, today, at)
    problem = build()
    assert [(one.agent, one.date, one.on, one.weight) for one in problem.requests] == [
        ("D", MONDAY, False, 60)
    ]
    # late on Monday is against the wish (60) and the preference (20); early on Wednesday neither
    verdict = verify(problem, Cells({("D", MONDAY): "late"}))
    assert sum(c.cost for c in verdict.costs if c.kind in ("request", "preference")) == 80
    verdict = verify(problem, Cells({("D", MONDAY + timedelta(days=2)): "early"}))
    assert sum(c.cost for c in verdict.costs if c.kind in ("request", "preference")) == 0


def test_a_wish_is_for_oneself_for_a_day_to_come_and_replaced(session: Session, week: Any) -> None:
    at = week.local(MONDAY, 0)
    number = week.agents["D"]
    for wants in (True, False):
        roster_wishes.wish(session, me(week, "D"), number, Wished(SUNDAY, wants), MONDAY, at)
    [kept] = roster_wishes.of_agent(session, week.planner, number, MONDAY).days
    assert not kept.wants
    with pytest.raises(AccessDeniedError):
        roster_wishes.wish(session, me(week, "E"), number, Wished(SUNDAY, True), MONDAY, at)
    with pytest.raises(InputError, match="day to come"):
        roster_wishes.wish(session, me(week, "D"), number, Wished(MONDAY, True), MONDAY, at)
    wish = Wished(SUNDAY, True, "nothing")
    with pytest.raises(InputError, match="no such shift"):
        roster_wishes.wish(session, me(week, "D"), number, wish, MONDAY, at)
    roster_wishes.take_back(session, me(week, "D"), tables.RosterWish, kept.id or 0, MONDAY, at)
    assert roster_wishes.of_agent(session, me(week, "D"), number, MONDAY).days == ()


def test_nobody_wishes_for_half_the_month(session: Session, week: Any) -> None:
    at, number = week.local(MONDAY, 0), week.agents["D"]
    for day in range(1, 9):
        wish = Wished(date(2026, 11, day), False)
        roster_wishes.wish(session, me(week, "D"), number, wish, MONDAY, at)
    wish = Wished(date(2026, 11, 9), False)
    with pytest.raises(ConflictError):
        roster_wishes.wish(session, me(week, "D"), number, wish, MONDAY, at)
    roster_wishes.wish(session, me(week, "D"), number, Wished(date(2026, 12, 1), False), MONDAY, at)


# -- shifts ---------------------------------------------------------------------------------------


def test_breaks_move_within_their_windows_and_are_kept_with_the_duty(
    session: Session, week: Any, roster: tables.Roster, build: Any
) -> None:
    pattern = Pattern(
        "early", "Early", "早班", time(8), time(16, 30), 480, skills=("net",),
        breaks=(Pause(720, 750, earliest=660, latest=840),), min_stretch=60, max_stretch=300,
    )  # fmt: skip
    shift_plan.set_shift(session, week.planner, pattern, week.local(MONDAY, 0))
    problem = build()
    early = problem.shifts[problem.lookup.shift["early"]]
    assert (early.breaks[0].earliest, early.breaks[0].latest) == (660, 840)
    assert (early.min_stretch, early.max_stretch, early.skills) == (60, 300, ("net",))
    cells = Cells({("D", MONDAY): "early"}, breaks={("D", MONDAY): (780,)})
    number = roster_versions.store_version(
        session, roster.id or 0, problem, cells, "plan", week.local(MONDAY, 1), ZONE, result={}
    )
    version = roster_versions.get_version(session, number)
    # kept at 13:00, and read back as the kernel knows it
    [duty] = session.exec(select(tables.Assignment).where(tables.Assignment.version_id == number))
    assert duty.breaks[0]["from"] == "2026-09-28T13:00:00+08:00"
    assert roster_versions.cells_of(session, version).breaks[("D", MONDAY)] == (780,)


def test_a_shift_that_cannot_be_is_refused(session: Session, week: Any) -> None:
    wrong = Pattern("x", "X", "X", time(8), time(16), 480, breaks=(Pause(1000, 1030),))
    with pytest.raises(InputError, match="within the shift"):
        shift_plan.set_shift(session, week.planner, wrong, week.local(MONDAY, 0))
    unknown = Pattern("x", "X", "X", time(8), time(16), 480, skills=("none",))
    with pytest.raises(InputError, match="no such skill"):
        shift_plan.set_shift(session, week.planner, unknown, week.local(MONDAY, 0))


def test_a_shift_needs_people_of_a_grade_and_level(session: Session, week: Any, build: Any) -> None:
    need = Need(week.team, "late", 1, (1,), week.skills["net"], level=3)
    shift_plan.add_need(session, week.planner, need, week.local(MONDAY, 0))
    session.execute(
        sa.update(tables.AgentSkill)
        .where(col(tables.AgentSkill.agent_id) == week.agents["E"])
        .values(proficiency=2)
    )
    problem = build()
    assert [(one.date, one.minimum, one.min_level) for one in problem.shift_cover] == [
        (MONDAY, 1, 3)
    ]
    # E has the skill at level 2 only, D at 3: with E alone one person is missing (160)
    costs = {
        agent: sum(
            one.cost
            for one in verify(problem, Cells({(agent, MONDAY): "late"})).costs
            if one.kind == "shift_cover_under"
        )
        for agent in "DE"
    }
    assert costs == {"D": 0, "E": 160}
    [kept] = shift_plan.kept_needs(session, week.team)
    shift_plan.remove_need(session, week.planner, kept.id or 0, week.local(MONDAY, 1))
    assert build().shift_cover == ()


# -- rules ----------------------------------------------------------------------------------------


def rule(week: Any, name: str, kind: str, weight: int | None = None, **values: str) -> RuleWish:
    return RuleWish(name, kind, values, weight, week.team)


def test_planners_add_rules_hard_or_soft_for_a_team_or_people(
    session: Session, week: Any, build: Any
) -> None:
    at = week.local(MONDAY, 0)
    for wish in (
        rule(week, "few late", "shift_limit", shifts="late", period="week", maximum="2"),
        rule(week, "not both", "apart", 7, agents="C, D"),
        rule(week, "rest between duties", "min_rest", minutes="720"),
    ):
        house_rules.keep(session, week.planner, wish, at)
    rules = {one.name: one for one in build().rules}
    assert (rules["few late"].hard, rules["few late"].maximum) == (True, 2)
    assert (rules["not both"].weight, rules["not both"].agents) == (7, ("C", "D"))
    assert rules["rest between duties"].minutes == 720  # in place of the default's 660


def test_rules_of_another_team_and_of_people_elsewhere_do_not_count(
    session: Session, week: Any, build: Any
) -> None:
    at = week.local(MONDAY, 0)
    stranger = tables.Agent(code="Z", name="Z Li")
    session.add(stranger)
    session.flush()
    other = RuleWish("theirs", "max_consecutive", {"days": "4"}, None, week.other_team)
    house_rules.keep(session, week.planner, other, at)
    house_rules.keep(session, week.planner, rule(week, "pair", "together", 3, agents="Z A"), at)
    assert not {"theirs", "pair"} & {one.name for one in build().rules}


def test_a_default_is_switched_off_and_comes_back(session: Session, week: Any, build: Any) -> None:
    at = week.local(MONDAY, 0)
    kept = house_rules.keep(session, week.planner, rule(week, "days off in a row", "none"), at)
    assert "days off in a row" not in {one.name for one in build().rules}
    house_rules.remove(session, week.planner, kept.id or 0, at)
    assert "days off in a row" in {one.name for one in build().rules}


def test_rules_that_cannot_be_are_refused_with_their_field(session: Session, week: Any) -> None:
    at = week.local(MONDAY, 0)
    wrong = (
        (rule(week, "a", "min_rest"), "this is needed"),
        (rule(week, "a", "min_rest", minutes="x"), "a whole number"),
        (rule(week, "a", "shift_limit", shifts="gone", maximum="1"), "there is no shift"),
        (rule(week, "a", "apart", agents="A"), "at least two agents"),
        (rule(week, "a", "fair_share", measure="nights"), "always soft"),
        (rule(week, " ", "whole_weekends"), "needs a name"),
        (rule(week, "a", "pay"), "a weight is needed"),
        (rule(week, "a", "comprehensive_hours", approval="1", first="x", last="2026-12-31",
              work_days="62"), "a date like"),
    )  # fmt: skip
    for wish, told in wrong:
        with pytest.raises(InputError, match=told):
            house_rules.keep(session, week.planner, wish, at)
    team_planner = Actor("p", roles={Role.PLANNER: frozenset({week.team})})
    with pytest.raises(AccessDeniedError):
        house_rules.keep(session, team_planner, RuleWish("all", "whole_weekends", {}), at)


def test_pay_counts_in_the_objective_only_when_asked(
    session: Session, week: Any, build: Any
) -> None:
    first = date(2026, 10, 1)
    before = verify(build(), Cells({("D", first): "early"})).cost
    house_rules.keep(session, week.planner, rule(week, "pay", "pay", 3), week.local(MONDAY, 0))
    after = verify(build(), Cells({("D", first): "early"})).cost
    # a holiday's 8 hours on the meter at 3, and 8 more: 300 % is twice 150 %
    assert after - before == 8 * 3 + 8 * 3


@pytest.mark.parametrize("mine", [True, False])
def test_a_team_switches_off_for_itself_what_the_desk_pays_attention_to(
    session: Session, week: Any, build: Any, mine: bool
) -> None:
    at, first = week.local(MONDAY, 0), date(2026, 10, 1)
    before = verify(build(), Cells({("D", first): "early"})).cost
    house_rules.keep(session, week.planner, RuleWish("pay", "pay", {}, 3), at)
    team = week.team if mine else week.other_team
    house_rules.keep(session, week.planner, RuleWish("pay", "none", {}, None, team), at)
    after = verify(build(), Cells({("D", first): "early"})).cost
    assert after - before == (0 if mine else 8 * 3 + 8 * 3)


def test_a_team_switches_off_an_emergency_of_the_desk(
    session: Session, week: Any, build: Any
) -> None:
    at = week.local(MONDAY, 0)
    before = build().rules
    urgent = RuleWish("flood", "emergency", {"reason": "flood in the data centre"}, 50)
    house_rules.keep(session, week.planner, urgent, at)
    assert build().rules != before
    house_rules.keep(session, week.planner, rule(week, "flood", "none"), at)
    assert build().rules == before


def test_an_approval_of_comprehensive_hours_and_an_emergency_change_the_law(
    session: Session, week: Any, build: Any
) -> None:
    at = week.local(MONDAY, 0)
    house_rules.keep(
        session, week.planner,
        rule(week, "approval", "comprehensive_hours", approval="沪人社 12", first="2026-07-01",
             last="2026-12-31", work_days="124"), at,
    )  # fmt: skip
    names = {one.name for one in build().rules}
    assert "hours of the approved period" in names
    assert "overtime a month" not in names
    urgent = rule(week, "flood", "emergency", 50, reason="flood in the data centre")
    house_rules.keep(session, week.planner, urgent, at)
    [total] = [one for one in build().rules if one.name == "hours of the approved period"]
    assert total.weight == 50
    assert "flood" in total.source


# -- what came before -----------------------------------------------------------------------------


def worked(session: Session, week: Any, *duties: tuple[str, date, str]) -> None:
    """Published duties of an earlier roster."""
    past = tables.Roster(team_id=week.team, period_from=date(2026, 7, 1),
                         period_until=MONDAY - timedelta(days=1))  # fmt: skip
    session.add(past)
    session.flush()
    version = tables.RosterVersion(roster_id=past.id, number=1, made_at=week.local(MONDAY, 0),
                                   made_by="plan", status="published")  # fmt: skip
    session.add(version)
    session.flush()
    for agent, day, shift in duties:
        session.add(
            tables.Assignment(version_id=version.id, agent_id=week.agents[agent], day=day,
                              shift_code=shift, starts_at=week.local(day, 8),
                              ends_at=week.local(day, 16), live=True)
        )  # fmt: skip


def test_fair_shares_look_back_on_a_quarter(session: Session, week: Any, build: Any) -> None:
    tuesdays = [date(2026, 8, 4) + timedelta(weeks=n) for n in range(3)]
    worked(session, week, *[("A", day, "late") for day in tuesdays],
           ("B", tuesdays[0], "late"), ("C", tuesdays[0], "early"))  # fmt: skip
    [fair] = [one for one in build().rules if one.name == "fair unpopular shifts"]
    # A had 3 late, B 1, C none; D and E are new and start from the mean, 4 // 3 = 1
    assert {one.agent: one.amount for one in fair.past} == {"A": 3, "B": 1, "D": 1, "E": 1}


def test_overtime_of_the_month_so_far_is_on_the_meter(
    session: Session, week: Any, build: Any
) -> None:
    # September 2026 has 20 working days before the 28th (25 to 27 are the Mid-Autumn holiday, and
    # the 20th is worked for it): 21 duties of 8 h are one more than the contract asks for
    days = [date(2026, 9, n) for n in range(1, 28)]
    mid_autumn = {date(2026, 9, 25), date(2026, 9, 26), date(2026, 9, 27)}
    workdays = [d for d in days if (d.isoweekday() < 6 or d.day == 20) and d not in mid_autumn]
    worked(session, week, *[("A", day, "early") for day in workdays],
           ("A", date(2026, 9, 5), "early"), ("B", workdays[0], "early"))  # fmt: skip
    [meter] = [one for one in build().rules if one.name == "overtime a month"]
    assert [(one.agent, one.amount) for one in meter.past] == [("A", 480)]


def test_longer_windows_look_further_back(session: Session, week: Any, build: Any) -> None:
    worked(session, week, ("A", MONDAY - timedelta(days=12), "late"))
    assert build().history == ()
    limit = rule(week, "a fortnight", "minutes_limit", period="rolling", window="14",
                 maximum="5000")  # fmt: skip
    house_rules.keep(session, week.planner, limit, week.local(MONDAY, 0))
    problem = build()
    assert problem.history_days == 14
    assert [(one.agent, one.shift) for one in problem.history] == [("A", "late")]


def test_published_days_stay_when_asked(
    session: Session, week: Any, roster: tables.Roster, build: Any
) -> None:
    at = week.local(MONDAY, 0)
    cells = Cells({("D", MONDAY): "early", ("E", MONDAY): "late", ("D", SUNDAY): "early"})
    number = roster_versions.store_version(
        session, roster.id or 0, build(), cells, "plan", at, ZONE, result={}
    )
    rostering.publish(session, week.planner, number, at, "for a test")
    assert build().pins == ()
    session.add(
        tables.Leave(agent_id=week.agents["E"], start_on=MONDAY, end_on=MONDAY, kind="sick")
    )
    problem = build(MONDAY + timedelta(days=2))
    [pin] = problem.pins
    assert (pin.first, pin.last) == (MONDAY, MONDAY + timedelta(days=2))
    # who fell ill is off; Sunday lies outside the pinned days
    kept = verify(problem, Cells({("D", MONDAY): "early"})).violations
    moved = verify(problem, Cells({("D", MONDAY): "late"})).violations
    assert [one.kind for one in kept] == []
    assert [one.kind for one in moved] == ["lock"]
