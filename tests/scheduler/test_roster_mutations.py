"""Leaving any one part out of the model is noticed: the roster it gives is judged worse.

The model is solved to proof with one part missing; the judge, who misses nothing, then finds a
violation or a higher cost than the proven least.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

import pytest

from scheduler import constraints
from scheduler.constraints import given as given_parts
from scheduler.model import Limit, RosterModel, roster_of
from scheduler.objective import Objective
from scheduler.problem import (
    Agent,
    Day,
    FairShare,
    HeldDay,
    IntervalCover,
    Lock,
    NamedDayRepeat,
    PastShare,
    Post,
    Preference,
    Request,
    Restriction,
    RosterProblem,
    Rule,
    Shift,
    ShiftCover,
    Stability,
)
from scheduler.variables import Grid
from scheduler.verify import verify

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1800, night=True))
WANTS_D = tuple(ShiftCover(day, "D", 1, under_weight=10) for day in (MONDAY, TUESDAY))


def desk(*agents: Agent, **parts: Any) -> RosterProblem:
    usual: dict[str, Any] = {
        "agents": agents or (Agent("a"),),
        "days": (Day(MONDAY), Day(TUESDAY)),
        "shifts": SHIFTS,
    }
    return RosterProblem(**{**usual, **parts})


def merit(problem: RosterProblem) -> tuple[int, int]:
    """What the judge says of the model's best: violations, then cost."""
    free = set(itertools.product(range(len(problem.agents)), range(len(problem.days))))
    part = RosterModel(problem, Grid.empty(problem), free).solve(Limit(None, 10.0), 1)
    assert part.grid is not None
    assert part.proven
    verdict = verify(problem, roster_of(problem, part.grid))
    return len(verdict.violations), verdict.cost


@dataclass(frozen=True)
class Case:
    """A problem in which a part matters, and the least cost with it."""

    problem: RosterProblem
    least: int


GIVEN = {
    # L ends at 10:00 on Tuesday, D begins at 08:00: one of them stays empty
    given_parts.one_duty_at_a_time: Case(
        desk(
            shifts=(*SHIFTS, Shift("L", 960, 2040)),
            shift_cover=(ShiftCover(MONDAY, "L", 1, under_weight=10), WANTS_D[1]),
        ),
        10,
    ),
    # 480 minutes at most: one of two duties
    given_parts.agent_minutes: Case(desk(Agent("a", max_minutes=480), shift_cover=WANTS_D), 10),
    # Tuesday is a rest day: the contract of both days is 480 minutes, no overtime
    given_parts.protected_minutes: Case(
        desk(
            Agent("a", restrictions=(Restriction("no_overtime", MONDAY, TUESDAY),)),
            days=(Day(MONDAY), Day(TUESDAY, "rest_day")),
            shift_cover=WANTS_D,
        ),
        10,
    ),
    # the holder of the post works no shift: one of the two is left
    given_parts.post_holders: Case(
        desk(posts=(Post("p", (MONDAY,), exclusive=True, weight=30),), shift_cover=WANTS_D), 10
    ),
}
COSTS = {
    "wishes": Case(
        desk(
            requests=(Request("a", MONDAY, True, 5, "D"),),
            preferences=(Preference("a", 2, ("N",)),),
        ),
        0,
    ),
    "shift_cover": Case(desk(shift_cover=WANTS_D), 0),
    "interval_cover": Case(desk(interval_cover=(IntervalCover(MONDAY, 480, 510, 1),)), 0),
    "post_gaps": Case(desk(posts=(Post("p", (MONDAY,)),)), 0),
}
DUTY_ON_EVE = ShiftCover(MONDAY, "D", 1, under_weight=10)
SOFT: dict[type, Case] = {
    # A had a night and asks for this one, B for none: B has it all the same, two wishes (1 each)
    # lost; A would make a spread of 2 at 5 each
    FairShare: Case(
        desk(
            Agent("a"),
            Agent("b"),
            days=(Day(MONDAY),),
            shift_cover=(ShiftCover(MONDAY, "N", 1, under_weight=10),),
            rules=(FairShare(name="x", weight=5, measure="nights", past=(PastShare("a", 1),)),),
            requests=(Request("a", MONDAY, True, 1, "N"), Request("b", MONDAY, False, 1)),
        ),
        2,
    ),
    # alone: the duty (10 when empty) is worth the repeat at 20 not at all
    NamedDayRepeat: Case(
        desk(
            days=(Day(MONDAY, "statutory_holiday", "除夕"), Day(TUESDAY)),
            shift_cover=(DUTY_ON_EVE,),
            rules=(NamedDayRepeat(name="x", weight=20, held=(HeldDay("a", "除夕"),)),),
        ),
        10,
    ),
    # off as published (20) rather than on D (10)
    Stability: Case(
        desk(
            shift_cover=(DUTY_ON_EVE,),
            rules=(Stability(name="x", weight=20, earlier=(Lock("a", MONDAY),)),),
        ),
        10,
    ),
}  # fmt: skip


def test_every_part_has_its_case() -> None:
    assert set(GIVEN) == set(constraints.GIVEN)
    assert set(constraints.BY_KIND) == set(get_args(Rule))  # hard kinds: see the rules' own tests


@pytest.mark.parametrize("part", GIVEN, ids=lambda part: part.__name__)
def test_what_is_given_is_missed(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case = GIVEN[part]
    assert merit(case.problem) == (0, case.least)
    rest = tuple(other for other in constraints.GIVEN if other is not part)
    monkeypatch.setattr(constraints, "GIVEN", rest)
    assert merit(case.problem)[0] > 0


@pytest.mark.parametrize("name", COSTS)
def test_a_cost_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = COSTS[name]
    assert merit(case.problem) == (0, case.least)
    # nothing that costs: the solver may leave all off, or hold no post; ask it to by a price
    monkeypatch.setattr(Objective, name, lambda self: _rest_is_cheaper(self))
    assert merit(case.problem)[1] > case.least


def _rest_is_cheaper(objective: Objective) -> None:
    """Every duty and post costs a little: without a reason to work, nobody does."""
    for literals in objective.x.cell.values():
        for literal in literals.values():
            objective.charge(1, literal)
    for holds in objective.x.holds.values():
        objective.charge(1, holds)


@pytest.mark.parametrize("kind", SOFT, ids=lambda kind: kind.kind)
def test_a_soft_rule_is_missed(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    case = SOFT[kind]
    assert merit(case.problem) == (0, case.least)
    monkeypatch.setitem(constraints.BY_KIND, kind, lambda rows, rule: None)
    assert merit(case.problem)[1] > case.least
