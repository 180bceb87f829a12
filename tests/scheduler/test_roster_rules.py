"""Each rule: the judge counts what a hand counts, the model keeps it, and without it would not.

The desk has two people, A and B, from Monday 2026-03-02. Shifts: D 08–16, E 14–22, N 22–06 (night,
unpopular); 480 minutes each. A line is written one letter a day, "-" is off.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import get_args

import pytest

from scheduler import constraints
from scheduler.errors import SchedulingError
from scheduler.model import Limit, RosterModel, roster_of
from scheduler.problem import (
    Agent,
    Apart,
    ContractMinutes,
    Day,
    FairShare,
    ForbiddenSuccession,
    HeldDay,
    Leave,
    Lock,
    MaxConsecutive,
    MaxWeekends,
    MinConsecutive,
    MinDaysOff,
    MinRest,
    MinutesLimit,
    NamedDayRepeat,
    OvertimeLimit,
    PastDuty,
    PastShare,
    Post,
    Request,
    RestAfter,
    RestDays,
    RosterProblem,
    Rotation,
    Rule,
    Shift,
    ShiftLimit,
    Stability,
    StartChange,
    Together,
    WholeWeekends,
)
from scheduler.result import Params
from scheduler.solution import Roster
from scheduler.solve import solve
from scheduler.variables import Grid
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
SHIFTS = (
    Shift("D", 480, 960),
    Shift("E", 840, 1320),
    Shift("N", 1320, 1800, night=True, unpopular=True),
)
QUICK = Params(seconds=None, effort=20.0)


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def roster(*lines: str) -> Roster:
    return Roster(
        {
            (name, day(d)): shift
            for name, line in zip("AB", lines, strict=False)
            for d, shift in enumerate(line)
            if shift != "-"
        }
    )


def wishes(*lines: str, weight: int = 10) -> tuple[Request, ...]:
    """Ask for exactly these lines, B off by default: a wish for each duty and each day off."""
    return tuple(
        Request(name, day(d), on=shift != "-", weight=weight, shift=None if shift == "-" else shift)
        for name, line in zip("AB", (*lines, "-" * len(lines[0])), strict=False)
        for d, shift in enumerate(line)
    )


def desk(length: int, *rules: Rule, before: str = "", **parts: object) -> RosterProblem:
    """Two people; `before` is A's line just before the first day."""
    types = {5: "rest_day", 6: "rest_day"}
    history = tuple(
        PastDuty("A", day(i - len(before)), s) for i, s in enumerate(before) if s != "-"
    )
    given: dict[str, object] = {
        "agents": (Agent("A"), Agent("B")),
        "days": tuple(
            Day(day(i), types.get(day(i).weekday(), "workday"))  # type: ignore[arg-type]
            for i in range(length)
        ),
        "shifts": SHIFTS,
        "rules": rules,
        "history": history,
        "history_days": len(before),
    }
    return RosterProblem(**{**given, **parts})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """`bad` breaks the rule by `amount`, `good` is as near as can be and does not."""

    rule: Rule
    bad: tuple[str, ...]
    amount: int
    good: tuple[str, ...]
    before: str = ""

    def problem(self, *rules: Rule, **parts: object) -> RosterProblem:
        return desk(len(self.bad[0]), *rules, before=self.before, **parts)


CASES = {
    # E ends 22:00, D starts 08:00: 10 hours; twice
    "rest": Case(MinRest(name="x", minutes=660), ("EDED---",), 2, ("DDEEE--",)),
    # N ends 06:00 on the second day, E of that day starts 8 h later, at 14:00; D of the third
    # day is 26 h away
    "rest over midnight": Case(MinRest(name="x", minutes=660), ("NE-----",), 1, ("N-D----",)),
    # the N before the first day ends 06:00 on it: 2 h to D, 8 h to E
    "rest after history": Case(MinRest(name="x", minutes=660), ("D------",), 1, ("N------",), "N"),
    # a rest of 36 h reaches to the day after next: N ends 06:00 on day 1, D on day 2 is 26 h on
    "rest of two days": Case(MinRest(name="x", minutes=2160), ("N-D----",), 1, ("N--D---",)),
    "succession": Case(
        ForbiddenSuccession(name="x", first=("N", "E"), then=("D",)),
        ("NDED---",),
        2,
        ("N-DEE--",),
    ),
    # 5 in a row, 3 allowed: 2 beyond
    "consecutive": Case(MaxConsecutive(name="x", days=3), ("DDDDD--",), 2, ("DDD-DDD",)),
    # 2 before and 2 now make 4 in a row: 1 beyond
    "consecutive with history": Case(
        MaxConsecutive(name="x", days=3), ("DD-----",), 1, ("D-DDD--",), "-DD"
    ),
    "consecutive nights": Case(
        MaxConsecutive(name="x", days=2, shifts=("N",)), ("NNN----",), 1, ("NNDNN--",)
    ),
    # a run of 1 (2 missing) and of 2 (1 missing); runs at the edges do not count
    "short runs": Case(MinConsecutive(name="x", days=3), ("-D-DD--",), 3, ("D-DDD-D",)),
    # the run before the first day had 1; it could have gone on
    "short run from history": Case(
        MinConsecutive(name="x", days=2), ("--DD---",), 1, ("D-DD---",), "-D"
    ),
    "short nights": Case(
        MinConsecutive(name="x", days=2, shifts=("N",)), ("DND----",), 1, ("DNND---",)
    ),
    # one day off between duties where two are wanted
    "days off": Case(MinDaysOff(name="x", days=2), ("DD-DD--",), 1, ("-DD--D-",)),
    # the week has no day off
    "weekly rest": Case(RestDays(name="x"), ("DDDDDDD",), 1, ("DDD-DDD",)),
    # calendar weeks each have one; of the rolling windows one has none
    "calendar weeks": Case(
        RestDays(name="x", days=2),
        ("DDDDDD-DDDDDDD",),
        3,
        ("D-DD-DDDDDDD--",),
    ),
    "rolling rest": Case(
        RestDays(name="x", window=4, rolling=True), ("DDDD---",), 1, ("DDD-DDD",)
    ),
    # after the run NN two days off: one is worked; the run at the end has no days after it
    "rest after nights": Case(
        RestAfter(name="x", shifts=("N",), days_off=2), ("NN-D--N",), 1, ("NN--D-N",)
    ),
    "rest after long runs": Case(
        RestAfter(name="x", shifts=("N",), days_off=1, run=2), ("NND-ND-",), 1, ("ND-NN--",)
    ),
    "rest after history nights": Case(
        RestAfter(name="x", shifts=("N",), days_off=2), ("-D-----",), 1, ("--D----",), "N"
    ),
    # 5 duties are 2400 minutes, 400 above 2000: 7 hours begun
    "minutes of a week": Case(
        MinutesLimit(name="x", maximum=2000), ("DDDDD--",), 7, ("DDDD---",)
    ),
    # 2 duties are 960, 40 below: one hour begun
    "least minutes": Case(
        MinutesLimit(name="x", minimum=1000, agents=("A",)), ("DD-----",), 1, ("DDD----",)
    ),
    "minutes of rolling days": Case(
        MinutesLimit(name="x", period="rolling", window=2, maximum=500),
        ("DD-----",),
        8,
        ("D-D-D-D",),
    ),
    "minutes of a day": Case(
        MinutesLimit(name="x", period="day", maximum=400), ("D------",), 2, ("-------",)
    ),
    # Contract: 5 working days × 480 = 2400. 7 duties are 3360: meter 960, above 600 by 6 hours.
    "overtime": Case(OvertimeLimit(name="x", maximum=600), ("DDDDDDD",), 6, ("DDDDDD-",)),
    # the same with 500 minutes on the meter before: 6 duties leave 480 + 500 − 600 = 380: 7 hours
    "overtime with past": Case(
        OvertimeLimit(name="x", maximum=600, past=(PastShare("A", 500),)),
        ("DDDDDD-",),
        7,
        ("DDDDD--",),
    ),
    # contract 2400, tolerance 100: 4 duties are 1920, 380 too few: 7 hours begun
    "contract": Case(
        ContractMinutes(name="x", tolerance=100, agents=("A",)), ("DDDD---",), 7, ("DDDDD--",)
    ),
    # forward only, D (8:00) → E (14:00) → N (22:00): E to D goes back six hours, N to E eight; with
    # a day off between, the next may begin anew
    "forward rotation": Case(
        StartChange(name="x", earlier_by=0), ("EDNE---",), 2, ("DEN-D--",)
    ),
    # with two days off still counted: N – – D goes back; a third day off makes it free
    "forward rotation over days off": Case(
        StartChange(name="x", earlier_by=0, days_off=2), ("N--D---",), 1, ("N---D--",)
    ),
    # a duty between lifts the pair around it: D E E goes forward, D to the second E is no pair
    "stable starts": Case(
        StartChange(name="x", earlier_by=120, later_by=120, days_off=1),
        ("DE-D---",),
        2,
        ("DD--EE-",),
    ),
    "stable starts from history": Case(
        StartChange(name="x", later_by=120), ("E------",), 1, ("-E-----",), "D"
    ),
    # D D off, begun on the day before the first: D off D D off D D; days 1 and 4 differ
    "rotation": Case(
        Rotation(name="x", cycle=("D", "D", "off"), since=day(-1), agents=("A",)),
        ("DDDDDDD",),
        2,
        ("D-DD-DD",),
    ),
    # any shift on Monday to Friday, Saturday and Sunday free to choose: off on Tuesday breaks it
    "fixed pattern": Case(
        Rotation(name="x", cycle=("on",) * 5 + ("",) * 2, since=MONDAY, agents=("A",)),
        ("D-EN---",),
        2,
        ("DDENDD-",),
    ),
    # Saturday of the first weekend alone, Sunday of the second alone
    "whole weekends": Case(
        WholeWeekends(name="x"), ("-----D-------D",), 2, ("-----DD-------",)
    ),
    # 3 weekends in a row, 2 allowed in any 3; the third after a free one is allowed
    "weekends in a row": Case(
        MaxWeekends(name="x", weekends=2, window=3),
        ("-----D-------D------D",),
        1,
        ("-----D--------------D",),
    ),
    # one weekend worked before the roster and one now are two, one allowed
    "weekends with past": Case(
        MaxWeekends(name="x", weekends=1, past=(PastShare("A", 1),)), ("-----DD",), 1, ("DDDDD--",)
    ),
    # 1500 minutes of this week before the known days; 2 duties make 2460, 60 above 2400
    "minutes with past": Case(
        MinutesLimit(name="x", maximum=2400, past=(PastShare("A", 1500),)), ("DD-----",), 1, ("D",)
    ),
    # two nights this month before; one more is one too many, of two allowed
    "shift limit with past": Case(
        ShiftLimit(name="x", shifts=("N",), maximum=2, period="month", past=(PastShare("A", 2),)),
        ("-N-----",),
        1,
        ("-E-----",),
    ),
    # each week's contract is 2400: the first has 4 duties, 480 too few or 8 hours; the second 5
    "contract of each week": Case(
        ContractMinutes(name="x", period="week", agents=("A",)),
        ("DDDD---DDDDD--",),
        8,
        ("DDDDD--DDDD-D-",),
    ),
    # N counts 480: 120 beyond a standard day of 360 each. Contract 2400: 3 nights leave 1080 below
    # it, the meter is 3 × 120 = 360, 160 above 200: 3 hours begun
    "overtime of long duties": Case(
        OvertimeLimit(name="x", maximum=200, standard_day=360), ("NNN----",), 3, ("N------",)
    ),
    "apart all day": Case(
        Apart(name="x", agents=("A", "B"), on_same="day"), ("DE-----", "NE-----"), 2, ("D-", "-E")
    ),
    "together all day": Case(
        Together(name="x", agents=("A", "B"), on_same="day"),
        ("DDE----", "N-D----"),
        1,
        ("DDE----", "NDD----"),
    ),
    # A is once without B, B once without A
    "always together": Case(
        Together(name="x", agents=("A", "B"), mutual=True), ("DD-----", "D-E----"), 2, ("DD", "DD")
    ),
    # Saturday or Sunday worked in both weeks
    "weekends": Case(
        MaxWeekends(name="x", weekends=1), ("-----D-------D",), 1, ("-----DD-------",)
    ),
    "shift limit": Case(
        ShiftLimit(name="x", shifts=("N",), maximum=1), ("N-N-N--",), 2, ("NDE----",)
    ),
    "shift limit a week": Case(
        ShiftLimit(name="x", shifts=("E", "N"), maximum=1, period="week"),
        ("E-N----E------",),
        1,
        ("------N-E-----",),
    ),
    "least of a shift": Case(
        ShiftLimit(name="x", shifts=("E",), minimum=2, agents=("A",)), ("E------",), 1, ("EE-----",)
    ),
    "apart": Case(Apart(name="x", agents=("A", "B")), ("DE-----", "DE-----"), 2, ("DE", "ED")),
    # A, the newcomer, is twice without B
    "together": Case(
        Together(name="x", agents=("A", "B")), ("DDE----", "D-D----"), 2, ("DDE----", "DDED---")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_judge_counts_what_a_hand_counts(name: str) -> None:
    case = CASES[name]
    problem = case.problem(case.rule)
    breaches = verify(problem, roster(*case.bad)).violations
    assert sum(breach.amount for breach in breaches) == case.amount
    assert {breach.rule for breach in breaches} <= {"x"}
    assert verify(problem, roster(*case.good)).valid


@pytest.mark.parametrize("name", CASES)
def test_the_model_keeps_a_hard_rule_and_without_it_would_not(name: str) -> None:
    case = CASES[name]
    asked = wishes(*case.bad)
    bare = solve(case.problem(requests=asked), QUICK)
    assert bare.roster is not None
    assert bare.roster.cells == roster(*case.bad).cells
    ruled = solve(case.problem(case.rule, requests=asked), QUICK)
    assert ruled.status == "optimal"
    assert ruled.violations == ()
    assert (ruled.cost or 0) >= 10  # at least one wish had to give way


@pytest.mark.parametrize("name", CASES)
def test_a_soft_rule_costs_its_weight_per_unit(name: str) -> None:
    case = CASES[name]
    soft = replace(case.rule, weight=1)
    # wishes weigh 1000: they are all kept, and the rule pays 1 for each unit
    problem = case.problem(soft, requests=wishes(*case.bad, weight=1000))
    result = solve(problem, QUICK)
    assert (result.status, result.cost) == ("optimal", case.amount)
    assert verify(problem, roster(*case.bad)).cost == case.amount


def test_a_rule_binds_only_those_in_its_scope() -> None:
    rule = MaxConsecutive(name="x", days=1, agents=("B",))
    assert verify(desk(3, rule), roster("DDD", "D-D")).valid
    assert not verify(desk(3, rule), roster("---", "DD-")).valid


def test_a_rule_may_be_about_a_team() -> None:
    # B is of the night team: the rule is about B, and about A only where A is named too
    rule = MaxConsecutive(name="x", days=1, teams=("night",))
    people = (Agent("A", team="day"), Agent("B", team="night"))
    asked = wishes("DD", "DD")
    for scope, cost in ((rule, 10), (replace(rule, agents=("A",)), 20)):
        problem = desk(2, scope, agents=people, requests=asked)
        found = {breach.agent for breach in verify(problem, roster("DD", "DD")).violations}
        assert found == ({"B"} if cost == 10 else {"A", "B"})
        assert solve(problem, QUICK).cost == cost
    with pytest.raises(SchedulingError, match="no team 'dusk'"):
        desk(2, replace(rule, teams=("dusk",)), agents=people)


def test_a_newcomer_needs_one_of_several_mentors() -> None:
    # A works D twice, B is there on the first day, C on neither: with one of the two needed, one
    # duty is short of one; with both needed the first is short of C, the second of both
    people = (Agent("A"), Agent("B"), Agent("C"))
    one = Together(name="x", agents=("A", "B", "C"), enough=1)
    for rule, amount in ((one, 1), (replace(one, enough=None), 3)):
        problem = desk(2, rule, agents=people)
        assert sum(b.amount for b in verify(problem, roster("DD", "D-")).violations) == amount
    # asked: A twice, B once, C never. One wish gives way: A rests on the second day
    asked = (*wishes("DD", "D-"), *(Request("C", day(d), False, 10) for d in range(2)))
    problem = desk(2, one, agents=people, requests=asked)
    assert solve(problem, QUICK).cost == 10
    assert solve(replace(problem, rules=()), QUICK).cost == 0


def test_a_rotation_lets_people_go_on_leave() -> None:
    rule = Rotation(name="x", cycle=("D", "D"), since=MONDAY, agents=("A",))
    away = (Leave("A", day(1), day(1)),)
    assert not verify(desk(2, rule), roster("D-")).valid
    problem = desk(2, rule, leave=away)
    assert verify(problem, roster("D-")).valid
    assert solve(problem, QUICK).status == "optimal"


def test_every_kind_of_rule_has_its_case() -> None:
    always_soft = {FairShare, NamedDayRepeat, Stability}  # below
    assert {type(case.rule) for case in CASES.values()} | always_soft == set(get_args(Rule))


@pytest.mark.parametrize("name", CASES)
def test_a_rule_left_out_of_the_model_would_be_missed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setitem(constraints.BY_KIND, type(case.rule), lambda rows, rule: None)
    asked = wishes(*case.bad)
    free = set(itertools.product(range(2), range(len(case.bad[0]))))
    problem = case.problem(case.rule, requests=asked)
    part = RosterModel(problem, Grid.empty(problem), free).solve(Limit(None, 20.0), 1)
    assert part.grid is not None
    assert not verify(problem, roster_of(problem, part.grid)).valid


# -- fair shares, ledger, stability: always soft --------------------------------------------------


def judged_and_solved(problem: RosterProblem, given: Roster, cost: int, least: int) -> None:
    """The given roster costs so much; the best roster costs `least`."""
    assert verify(problem, given).cost == cost
    result = solve(problem, QUICK)
    assert (result.status, result.cost) == ("optimal", least)


def test_fair_share_by_spread_counts_past_nights() -> None:
    # A bore 3 nights before, B none; the wish for A's night (5) loses against a spread of 4 × 10
    rule = FairShare(name="x", weight=10, measure="nights", past=(PastShare("A", 3),))
    problem = desk(1, rule, requests=(Request("A", day(0), True, 5, "N"),))
    # given: shares 4 and 0: 40. Best: B has the night unasked: 3 and 1: 20, and the wish 5.
    judged_and_solved(problem, roster("N", "-"), 40, 25)


def test_fair_share_by_squares_prefers_whoever_bore_least() -> None:
    rule = FairShare(name="x", weight=1, measure="duties", how="squares", past=(PastShare("A", 2),))
    # one duty, A: 3² + 0² = 9, B: 2² + 1² = 5
    problem = desk(1, rule)
    assert verify(problem, roster("D", "-")).cost == 9
    assert verify(problem, roster("-", "D")).cost == 5
    judged_and_solved(problem, roster("-", "-"), 4, 4)


@pytest.mark.parametrize(
    ("measure", "lines", "spread"),
    [
        ("duties", ("DDN----", "D------"), 2),
        ("nights", ("NNN----", "N------"), 2),
        ("unpopular", ("NND----", "E------"), 2),
        ("weekends", ("-----DD", "D------"), 1),
        # 3 duties against 1: 960 minutes apart, in hours 16
        ("minutes", ("DDD----", "D------"), 960),
        # Wednesday is a statutory holiday
        ("holidays", ("DDD----", "DD-----"), 1),
    ],
)
def test_measures(measure: str, lines: tuple[str, str], spread: int) -> None:
    rule = FairShare(name="x", weight=1, measure=measure)  # type: ignore[arg-type]
    days = list(desk(7).days)
    days[2] = Day(day(2), "statutory_holiday")
    problem = desk(7, rule, days=tuple(days), requests=wishes(*lines, weight=10_000))
    judged_and_solved(problem, roster(*lines), spread, spread)


def test_part_time_bears_its_part() -> None:
    # B works half days: two nights of A are as much as one of B
    rule = FairShare(name="x", weight=1, measure="nights", pro_rata=True)
    people = (Agent("A"), Agent("B", day_minutes=240), Agent("C", day_minutes=0))
    problem = desk(3, rule, agents=people, requests=wishes("NN-", "--N", weight=100))
    judged_and_solved(problem, roster("NN-", "--N"), 0, 0)
    # one each: B bears 2, A 1; without proportion they are even (C, without a contract, has none)
    assert verify(problem, roster("N--", "--N")).terms()["x"] == 1
    even = desk(3, replace(rule, pro_rata=False), agents=people[:2])
    assert verify(even, roster("N--", "--N")).cost == 0
    assert verify(even, roster("NN-", "--N")).cost == 1
    squares = replace(problem, rules=(replace(rule, how="squares"),))
    judged_and_solved(squares, roster("NN-", "--N"), 8, 8)  # 2² + 2²


def test_burden_of_a_named_day_counts_shifts_and_posts() -> None:
    eve = Day(MONDAY, "statutory_holiday", "除夕", burden=10)
    rule = FairShare(name="x", weight=1, measure="burden")
    post = Post("lead", (MONDAY,), burden_percent=50, shifts=("D",))
    problem = desk(1, rule, days=(eve,), posts=(post,))
    held = Roster(roster("D", "-").cells, {("lead", MONDAY): ("A",)})
    # A: 10 for the shift and 5 for the post, B: 0; the best leaves nothing to one person only
    # but the post must be held by somebody: 1000 for a gap; B on D as well: 15 − 10 = 5
    judged_and_solved(problem, held, 15, 5)


def test_nobody_has_the_same_named_day_twice_running() -> None:
    days = (Day(MONDAY, "statutory_holiday", "除夕", burden=10), Day(day(1)))
    rule = NamedDayRepeat(name="x", weight=7, held=(HeldDay("A", "除夕"),))
    post = Post("lead", (MONDAY,))
    problem = desk(2, rule, days=days, posts=(post,), requests=wishes("DD", "--", weight=1))
    held = Roster(roster("DD", "--").cells, {("lead", MONDAY): ("A",)})
    # A works (7) and holds the post (7); better: B holds the post, A is off: one wish (1) lost
    judged_and_solved(problem, held, 14, 1)
    other_day = replace(problem, days=(Day(MONDAY, "statutory_holiday", "初一"), Day(day(1))))
    assert verify(other_day, held).cost == 0


def test_stability_counts_changed_cells() -> None:
    earlier = (Lock("A", day(0), "D"), Lock("A", day(1)), Lock("B", day(0), "E"))
    rule = Stability(name="x", weight=3, earlier=earlier)
    # A0 changed to E, A1 worked, B0 as before
    judged_and_solved(desk(2, rule), roster("ED", "E-"), 6, 0)
