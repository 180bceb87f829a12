"""The model of every rule against the judge on every roster there is.

Desks so small that all rosters can be written down: one person on five days, two on three or three
on two, with two shifts. The judge counts how far each roster breaks the rule; what the model gives
must be the best of all of them, whether the rule is hard or soft, whole or with a part of the cells
free.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from scheduler.model import Limit, RosterModel, roster_of
from scheduler.problem import (
    Agent,
    Apart,
    ContractMinutes,
    Day,
    FairShare,
    ForbiddenSuccession,
    HeldDay,
    IntervalCover,
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
    PostLock,
    Preference,
    Request,
    RestAfter,
    RestDays,
    Restriction,
    RosterProblem,
    Rotation,
    Rule,
    Shift,
    ShiftCover,
    ShiftLimit,
    Stability,
    StartChange,
    Together,
    WholeWeekends,
)
from scheduler.variables import Grid, Narrow
from scheduler.verify import verify

SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1860, night=True, unpopular=True))
TYPES = {date(2026, 3, 2): "statutory_holiday"}
LIMIT = Limit(None, 5.0)
Line = tuple[int, ...]
Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Desk:
    """`before` is the line of A, and then of B, just before the first day; both of one length."""

    first: date
    days: int
    before: tuple[str, ...]
    leave: tuple[Leave, ...] = ()

    def problem(self, *rules: Rule, **parts: Any) -> RosterProblem:
        names = [agent for agent, _ in zip("ABC", self.before, strict=False)]
        known = len(self.before[0])
        dates = [self.first + timedelta(days=n) for n in range(self.days)]
        history = tuple(
            PastDuty(name, self.first + timedelta(days=n - known), shift)
            for name, line in zip(names, self.before, strict=True)
            for n, shift in enumerate(line)
            if shift != "-"
        )
        usual = {d: "rest_day" if d.weekday() > 4 else "workday" for d in dates}
        given: dict[str, Any] = {
            "agents": tuple(Agent(name) for name in names),
            "days": tuple(Day(d, TYPES.get(d, usual[d])) for d in dates),  # type: ignore[arg-type]
            "shifts": SHIFTS,
            "history": history,
            "history_days": known,
            "leave": self.leave,
            "rules": rules,
        }
        return RosterProblem(**{**given, **parts})

    def rosters(self) -> list[Lines]:
        away = {(away.first - self.first).days for away in self.leave}
        every = [(-1,) if n in away else (-1, 0, 1) for n in range(self.days)]
        return list(itertools.product(itertools.product(*every), repeat=len(self.before)))

    def amounts(self, rule: Rule) -> dict[Lines, int]:
        """By how much each roster breaks the rule, as the judge counts."""
        problem = self.problem(replace(rule, weight=1))
        return {
            lines: verify(problem, roster_of(problem, Grid([list(x) for x in lines], {}))).cost
            for lines in self.rosters()
        }


# Friday to Tuesday over the end of a week and of a month, Monday a holiday; known from the Saturday
# before last: the weekend, and a whole week from Monday
LONG = Desk(date(2026, 2, 27), 5, ("D-DN-D",))
# Sunday to Wednesday, the Friday and Saturday before known; Wednesday to Saturday
SUNDAY, SATURDAY = Desk(date(2026, 3, 8), 4, ("D-",)), Desk(date(2026, 3, 11), 4, ("",))
SUN = date(2026, 3, 1)
PAIR, TRIO = Desk(SUN, 3, ("D", "N")), Desk(SUN, 2, ("", "", ""))
FEB, AWAY = date(2026, 2, 27), Leave("A", date(2026, 3, 3), date(2026, 3, 3))
PAST = (PastShare("A", 300),)

ALONE: list[tuple[Desk, Rule]] = [
    (LONG, MinRest(name="x", minutes=660)),
    (LONG, MinRest(name="x", minutes=1500)),
    (LONG, MinRest(name="x", minutes=2700)),
    (LONG, ForbiddenSuccession(name="x", first=("N",), then=("D",))),
    (LONG, ForbiddenSuccession(name="x", first=("D",), then=("D", "N"))),
    (LONG, MaxConsecutive(name="x", days=1)),
    (LONG, MaxConsecutive(name="x", days=3)),
    (LONG, MaxConsecutive(name="x", days=2, shifts=("N",))),
    (LONG, MinConsecutive(name="x", days=2)),
    (LONG, MinConsecutive(name="x", days=3)),
    (LONG, MinConsecutive(name="x", days=2, shifts=("N",))),
    (LONG, MinConsecutive(name="x", days=8)),
    (Desk(FEB, 4, ("-DD",)), MinConsecutive(name="x", days=4)),
    (Desk(FEB, 4, ("D-",)), MinDaysOff(name="x", days=3)),
    (Desk(FEB, 4, ("-D-",)), MinConsecutive(name="x", days=3)),
    (Desk(FEB, 4, ("D-D",)), MinDaysOff(name="x", days=3)),
    (LONG, MinDaysOff(name="x", days=2)),
    (LONG, RestDays(name="x", days=3)),
    (LONG, RestDays(name="x", days=2, window=3, rolling=True)),
    (LONG, RestAfter(name="x", shifts=("N",), days_off=2)),
    (LONG, RestAfter(name="x", shifts=("D",), days_off=1, run=2)),
    (Desk(FEB, 4, ("NN",)), RestAfter(name="x", shifts=("N",), days_off=2, run=2)),
    (LONG, MinutesLimit(name="x", maximum=2500, minimum=2000)),
    (LONG, MinutesLimit(name="x", maximum=2600, past=PAST)),
    (LONG, MinutesLimit(name="x", period="month", maximum=2500)),
    (Desk(FEB, 3, ("-" * 26,)), MinutesLimit(name="x", period="month", minimum=900)),
    (Desk(FEB, 3, ("-" * 25,)), MinutesLimit(name="x", period="month", minimum=900, maximum=999)),
    (Desk(date(2026, 2, 28), 4, ("",)), MinutesLimit(name="x", period="month", maximum=600,
                                                     past=PAST)),
    (LONG, MinutesLimit(name="x", period="day", maximum=480)),
    (LONG, MinutesLimit(name="x", period="horizon", maximum=1500, minimum=1000, past=PAST)),
    (LONG, MinutesLimit(name="x", period="rolling", window=3, maximum=1019, minimum=480)),
    (LONG, OvertimeLimit(name="x", maximum=0)),
    (LONG, OvertimeLimit(name="x", maximum=100, standard_day=450)),
    (LONG, OvertimeLimit(name="x", maximum=540, past=PAST)),
    (replace(LONG, leave=(AWAY,)), OvertimeLimit(name="x", maximum=60)),
    (LONG, ContractMinutes(name="x", tolerance=59)),
    (LONG, ContractMinutes(name="x", tolerance=60, period="rolling", window=2)),
    (Desk(date(2026, 3, 9), 7, ("",)), ContractMinutes(name="x", period="week", tolerance=120)),
    (SATURDAY, ContractMinutes(name="x", period="day")),
    (LONG, ShiftLimit(name="x", shifts=("N",), maximum=1, period="week")),
    (LONG, ShiftLimit(name="x", shifts=("D", "N"), minimum=5, period="week")),
    (LONG, ShiftLimit(name="x", shifts=("D",), minimum=1, maximum=2)),
    (LONG, ShiftLimit(name="x", shifts=("N",), maximum=2, period="month",
                      past=(PastShare("A", 1),))),
    (LONG, StartChange(name="x", earlier_by=0)),
    (LONG, StartChange(name="x", later_by=839, days_off=1)),
    (LONG, StartChange(name="x", earlier_by=840, later_by=839)),  # N begins 840 after D
    (LONG, StartChange(name="x", earlier_by=839, later_by=840)),
    (LONG, StartChange(name="x", earlier_by=100, later_by=100, days_off=9)),
    (LONG, Rotation(name="x", cycle=("D", "N", "off"), since=date(2026, 2, 24))),
    (replace(LONG, leave=(AWAY,)), Rotation(name="x", cycle=("on", "off", ""), since=FEB)),
    *[(desk, WholeWeekends(name="x")) for desk in (LONG, SUNDAY)],
    *[(desk, MaxWeekends(name="x", weekends=0)) for desk in (LONG, SUNDAY, SATURDAY)],
    *[(desk, MaxWeekends(name="x", weekends=0, window=1)) for desk in (LONG, SUNDAY, SATURDAY)],
    (LONG, MaxWeekends(name="x", weekends=1, window=2)),
    (LONG, MaxWeekends(name="x", weekends=1, past=(PastShare("A", 1),))),
]  # fmt: skip
BOTH: list[tuple[Desk, Rule]] = [
    (PAIR, Apart(name="x", agents=("A", "B"))),
    (PAIR, Apart(name="x", agents=("A", "B"), on_same="day")),
    (PAIR, Together(name="x", agents=("A", "B"))),
    (PAIR, Together(name="x", agents=("B", "A"), mutual=True)),
    (PAIR, Together(name="x", agents=("A", "B"), on_same="day", enough=1)),
    (TRIO, Apart(name="x", agents=("A", "B", "C"))),
    (TRIO, Together(name="x", agents=("A", "B", "C"), enough=2)),
    (TRIO, Together(name="x", agents=("B", "A", "C"), enough=1, mutual=True)),
    (TRIO, FairShare(name="x", measure="nights", agents=("A", "C"))),
    (PAIR, FairShare(name="x", measure="duties")),
    (PAIR, FairShare(name="x", measure="minutes", unit=60, past=(PastShare("B", 100),))),
    (PAIR, FairShare(name="x", measure="nights", how="squares", past=(PastShare("A", 1),))),
    (PAIR, FairShare(name="x", measure="minutes", how="squares", unit=60)),
    (PAIR, FairShare(name="x", measure="minutes", how="squares", unit=4)),
    (PAIR, FairShare(name="x", measure="weekends")),
    (PAIR, FairShare(name="x", measure="holidays")),
    (PAIR, FairShare(name="x", measure="unpopular", past=(PastShare("B", 2),))),
    (PAIR, Stability(name="x", earlier=(
        Lock("A", SUN, "D"), Lock("A", SUN + timedelta(days=1)), Lock("B", SUN, "N"),
    ))),
]  # fmt: skip
CASES = [*ALONE, *BOTH]


def named(case: tuple[Desk, Rule]) -> str:
    rule = case[1]
    return f"{rule.kind}-{CASES.index(case)}"


def wishes(
    desk: Desk, lines: Lines, weights: Iterator[int], shifts: tuple[Shift, ...] = SHIFTS
) -> tuple[Request, ...]:
    """For each cell a wish: for just that shift, or for a day off."""
    return tuple(
        Request(name, desk.first + timedelta(days=d), s >= 0, next(weights),
                shifts[s].id if s >= 0 else None)
        for name, line in zip("ABC", lines, strict=False)
        for d, s in enumerate(line)
    )  # fmt: skip


def lost(
    desk: Desk, lines: Lines, asked: tuple[Request, ...], shifts: tuple[Shift, ...] = SHIFTS
) -> int:
    """What the wishes not met cost."""
    cells = dict(
        zip(itertools.product("ABC"[: len(lines)], range(desk.days)), sum(lines, ()), strict=True)
    )
    total = 0
    for wish in asked:
        s = cells[wish.agent, (wish.date - desk.first).days]
        met = shifts[s].id == wish.shift if wish.on and s >= 0 else (s < 0) != wish.on
        total += 0 if met else wish.weight
    return total


def lines_of(grid: Grid | None) -> Lines:
    assert grid is not None
    return tuple(tuple(line) for line in grid.cells)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_best_of_the_model_is_the_best_of_all(case: tuple[Desk, Rule]) -> None:
    desk, rule = case
    amounts = desk.amounts(rule)
    draw = random.Random(1)
    broken = [lines for lines, amount in amounts.items() if amount]
    kept = [lines for lines, amount in amounts.items() if not amount]
    assert broken, "the case breaks nothing"
    for lines in (*draw.sample(broken, min(4, len(broken))), *draw.sample(kept, min(2, len(kept)))):
        # wishes so dear that they are kept: the rule costs just what the judge says
        dear = desk.problem(
            replace(rule, weight=3), requests=wishes(desk, lines, itertools.repeat(10**6))
        )
        part = RosterModel(dear, Grid.empty(dear)).solve(LIMIT, 1)
        assert (part.proven, round(part.objective)) == (True, 3 * amounts[lines])
        assert lines_of(part.grid) == lines
    if isinstance(rule, (FairShare, Stability)):
        return
    for lines in draw.sample(broken, min(3, len(broken))):
        # and cheap ones, some of which give way to a hard rule
        asked = wishes(desk, lines, iter([draw.randint(1, 9) for _ in range(8)]))
        best = min(lost(desk, other, asked) for other in kept)
        strict = desk.problem(rule, requests=asked)
        everything = set(itertools.product(range(len(desk.before)), range(desk.days)))
        part = RosterModel(strict, Grid.empty(strict), everything).solve(LIMIT, 1)
        assert (part.proven, round(part.objective)) == (True, best)
        # with some cells settled as in a roster that keeps the rule
        base = draw.choice(kept)
        free = set(draw.sample(sorted(everything), len(everything) - 2))
        near = min(
            lost(desk, other, asked)
            for other in kept
            if all(other[a][d] == base[a][d] for a, d in everything - free)
        )
        part = RosterModel(strict, Grid([list(x) for x in base], {}), free).solve(LIMIT, 1)
        found = lines_of(part.grid)
        assert (part.proven, lost(desk, found, asked), amounts[found]) == (True, near, 0)


# -- what is given, cover and posts ----------------------------------------------------------------

MON, TUE = date(2026, 3, 2), date(2026, 3, 3)
# D 08–16; L 16–10 of the next day, so that a D the day after begins before it has ended
LATE = (Shift("D", 480, 960), Shift("L", 960, 2040, minutes=600, burden_percent=50))
DAYS = (Day(MON, "statutory_holiday", "除夕", burden=10), Day(TUE, burden=3))
SKILLED, EXPERT = Agent("A", skills=("x", "y")), Agent("B", skills=("x",), grade="expert")


def pair(**parts: Any) -> RosterProblem:
    usual: dict[str, Any] = {"agents": (SKILLED, EXPERT), "days": DAYS, "shifts": LATE}
    return RosterProblem(**{**usual, **parts})


def covers(**fields: Any) -> tuple[ShiftCover, ...]:
    return tuple(
        ShiftCover(day, shift, 1, under_weight=20, **fields) for day in (MON, TUE) for shift in "DL"
    )


def spans(*fields: dict[str, Any]) -> tuple[IntervalCover, ...]:
    # from 09:00 to 11:00 on Tuesday: L of Monday is there until 10:00
    return tuple(IntervalCover(TUE, 540, 660, **more) for more in fields)


def post(name: str, **fields: Any) -> Post:
    return Post(name, (MON,), **{"weight": 20, **fields})


PROBLEMS = {
    "one duty at a time": pair(shift_cover=covers()),
    "history in the way": pair(
        shift_cover=covers(), history=(PastDuty("A", SUN, "L"),), history_days=1
    ),
    "minutes": pair(
        agents=(Agent("A", max_minutes=1079), Agent("B", min_minutes=481)), shift_cover=covers()
    ),
    # of two days one is a working day: 480 minutes, one D; for B only Monday is protected
    "no overtime": pair(
        days=(Day(MON, "rest_day"), Day(TUE)),
        agents=(
            Agent("A", restrictions=(Restriction("no_overtime", MON, TUE),)),
            Agent(
                "B",
                restrictions=(
                    Restriction("no_overtime", SUN, MON),
                    Restriction("no_nights", MON, TUE),
                ),
            ),
        ),
        shift_cover=covers(),
    ),
    "cover with a minimum": pair(
        shift_cover=(
            ShiftCover(MON, "D", 2, minimum=1, under_weight=6, minimum_weight=9, over_weight=4),
            ShiftCover(TUE, "D", 0, maximum=1, over_weight=25),
            ShiftCover(MON, "L", 1, under_weight=9, over_weight=5, skill="y"),
            ShiftCover(TUE, "L", 1, under_weight=30, min_grade="expert"),
        )
    ),
    "covers that share": pair(
        shift_cover=(
            ShiftCover(MON, "D", 1, under_weight=20, over_weight=3, skill="x", exclusive=True),
            ShiftCover(MON, "D", 1, under_weight=12, over_weight=8, skill="y", exclusive=True),
            ShiftCover(TUE, "D", 1, under_weight=15, over_weight=25, exclusive=True),
        )
    ),
    "a cover that nobody can serve": pair(
        agents=(Agent("A", skills=("x",)), Agent("B", skills=("x",))),
        shift_cover=tuple(
            ShiftCover(MON, "D", 1, under_weight=25, over_weight=3, skill=skill, exclusive=True)
            for skill in "xy"
        ),
    ),
    "spans that share": pair(
        interval_cover=spans(
            {"desired": 1, "under_weight": 9, "skill": "x", "over_weight": 2},
            {"desired": 1, "under_weight": 7, "skill": "y", "over_weight": 5},
        )
    ),
    "spans and a mix": pair(
        interval_cover=spans(
            {"desired": 2, "minimum": 1, "under_weight": 3, "minimum_weight": 6},
            {"desired": 1, "under_weight": 8, "min_grade": "expert", "exclusive": False},
            {"desired": 0, "maximum": 1, "over_weight": 11, "skill": "x", "exclusive": False},
        ),
        history=(PastDuty("B", SUN, "D"),),
        history_days=1,
    ),
    "posts": pair(posts=(post("p", exclusive=True), post("q", shifts=("D",), min_grade="expert"))),
    "a post for two": pair(posts=(post("p", count=2, exclusive=True), post("q"))),
    "a post locked": pair(
        posts=(post("p", exclusive=True), post("q", weight=50)),
        post_locks=(PostLock("p", MON, "A"),),
        locks=(Lock("B", TUE, "L"),),
    ),
    "burden": pair(
        posts=(post("p", burden_percent=30, shifts=("L",)),),
        rules=(FairShare(name="x", weight=4, measure="burden", past=(PastShare("B", 2),)),),
        shift_cover=covers(),
    ),
    "the same day again": pair(
        posts=(post("p"),),
        rules=(NamedDayRepeat(name="x", weight=18, held=(HeldDay("A", "除夕"),)),),
        preferences=(Preference("B", 8, ("L",)),),
        shift_cover=covers(),
    ),
}


def grids(problem: RosterProblem) -> Iterator[Grid]:
    """Every roster: who is on what, and who holds which post."""
    line = list(itertools.product((-1, 0, 1), repeat=2))
    holders = [((), (0,), (1,), (0, 1)) for _ in problem.posts]
    for cells in itertools.product(line, repeat=2):
        for held in itertools.product(*holders):
            places = {(p, 0): who for p, who in enumerate(held) if who}
            yield Grid([list(x) for x in cells], places)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_model_finds_the_best_of_everything_there_is(name: str) -> None:
    problem = PROBLEMS[name]
    draw = random.Random(3)
    judged = [(grid, verify(problem, roster_of(problem, grid))) for grid in grids(problem)]
    valid = [(grid, verdict.cost) for grid, verdict in judged if verdict.valid]
    everything = {(a, d) for a in range(2) for d in range(2)}
    for lines in draw.sample(list(itertools.product((-1, 0, 1), repeat=4)), 8):
        target = (lines[:2], lines[2:])
        asked = wishes(Desk(MON, 2, ("", "")), target, iter([draw.randint(1, 60) for _ in "1234"]),
                       LATE)  # fmt: skip
        wished = replace(problem, requests=asked)

        def cost(grid: Grid, own: int, asked: tuple[Request, ...] = asked) -> int:
            return own + lost(Desk(MON, 2, ("", "")), lines_of(grid), asked, LATE)

        best = min(cost(grid, own) for grid, own in valid)
        for free in (None, everything):
            part = RosterModel(wished, Grid.empty(wished), free).solve(LIMIT, 1)
            assert (part.proven, round(part.objective)) == (True, best)
            assert part.grid is not None
            verdict = verify(wished, roster_of(wished, part.grid))
            assert (verdict.valid, verdict.cost) == (True, best)
        # one person's line, the other's settled; and one day, the other settled
        base = draw.choice(valid)[0]
        for free in ({(0, 0), (0, 1)}, {(0, 1), (1, 1)}):
            fixed = everything - free
            near = min(
                cost(grid, own)
                for grid, own in valid
                if all(grid.cells[a][d] == base.cells[a][d] for a, d in fixed)
                and all(
                    (a in grid.held.get((p, d), ())) == (a in base.held.get((p, d), ()))
                    for p in range(len(problem.posts))
                    for a, d in fixed
                )
            )
            part = RosterModel(wished, base, free).solve(LIMIT, 1)
            assert part.grid is not None
            verdict = verify(wished, roster_of(wished, part.grid))
            assert (verdict.valid, verdict.cost) == (True, near)


def test_a_narrow_look_finds_the_best_of_what_it_looks_at() -> None:
    problem = PROBLEMS["one duty at a time"]
    draw = np.random.default_rng(4)
    judged = [(grid, verify(problem, roster_of(problem, grid))) for grid in grids(problem)]
    for _ in range(12):
        before = Narrow(draw.random((2, 2, 2)) < 0.4, draw.random((2, 2)) < 0.3)
        shown = Grid([[0, -1], [-1, 1]], {})
        narrow = before.with_cells_of(shown)  # A on D on Monday, B on L on Tuesday
        assert narrow.allowed[0, 0, 0]
        assert narrow.allowed[1, 1, 1]
        assert narrow.may_rest[0, 1]
        assert narrow.may_rest[1, 0]
        assert (narrow.allowed != before.allowed).sum() <= 2
        assert (narrow.may_rest != before.may_rest).sum() <= 2
        best = min(
            verdict.cost
            for grid, verdict in judged
            if verdict.valid
            and all(
                narrow.may_rest[a, d] if (s := grid.cells[a][d]) < 0 else narrow.allowed[a, d, s]
                for a, d in itertools.product(range(2), repeat=2)
            )
        )
        part = RosterModel(problem, Grid.empty(problem), narrow=narrow).solve(LIMIT, 1)
        assert (part.proven, round(part.objective)) == (True, best)


def test_an_empty_roster_holds_what_is_locked() -> None:
    problem = pair(
        locks=(Lock("A", MON, "L"), Lock("B", MON)),
        posts=(post("p", count=2), post("q")),
        post_locks=(PostLock("p", MON, "B"), PostLock("p", MON, "A")),
    )
    grid = Grid.empty(problem)
    assert grid.cells == [[1, -1], [-1, -1]]
    assert grid.held == {(0, 0): (1, 0)}
    assert grid.same_as(grid.copy())
    assert not grid.same_as(Grid([[1, -1], [-1, 0]], grid.held))
    assert not grid.same_as(Grid(grid.cells, {}))
