"""Why a gap: who could have filled it, what stops each, and what filling it would cost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from scheduler.effects import Effects
from scheduler.explain.neighbourhood import Around
from scheduler.few_changes import Clock
from scheduler.moves import Effect, Move
from scheduler.problem import RosterProblem
from scheduler.problem.parts import Grade, grade_rank
from scheduler.solution import Roster
from scheduler.toll import Toll, tolls
from scheduler.variables import Literal

DAY_MINUTES = 1440
NEAR = 6  # people around whom a gap is solved


@dataclass(frozen=True, slots=True)
class Gap:
    """Where somebody is missing: on a shift of a day, or in the slot that begins at `start`.

    `start` counts minutes from midnight of `day`; skill and grade say who would count.
    """

    day: date
    shift: str | None = None
    start: int | None = None
    skill: str | None = None
    min_grade: Grade = "ordinary"


@dataclass(frozen=True, slots=True)
class Filler:
    """One person and the gap.

    Parameters
    ----------
    agent : str
    shift : str, optional
        The best shift that would help, with `effect` against the roster as it is.
    reason : str, optional
        Why she cannot: ``skill``, ``grade``, ``leave``, ``lock``, ``there`` (at work in that slot
        already), ``no_pattern`` (no shift at all has people at work then), ``no_shift`` (none of
        the shifts that help is open to her), ``rule`` (see
        `effect.broken`); None when she could.
    """

    agent: str
    shift: str | None
    reason: str | None
    effect: Effect | None
    tolls: tuple[Toll, ...] = ()


@dataclass(frozen=True, slots=True)
class GapReport:
    """Who could fill a gap, from the cheapest on, and what stops the others.

    Parameters
    ----------
    fillers : tuple of Filler
        First those who could, then those a rule stops.
    stopped : tuple of (reason, people)
        How many cannot for which reason.
    settled : int, optional
        Least change of cost found when one more must be there and everything near may change;
        below zero means the gap was worth filling. None when nothing was found.
    proven : bool
        `settled` is the least there is near, or nothing near fills the gap.
    """

    gap: Gap
    fillers: tuple[Filler, ...]
    stopped: tuple[tuple[str, int], ...]
    settled: int | None
    proven: bool

    @property
    def possible(self) -> tuple[Filler, ...]:
        return tuple(one for one in self.fillers if one.reason is None)


def explain_gap(
    problem: RosterProblem,
    roster: Roster,
    gap: Gap,
    seconds: float = 3.0,
    only: Collection[str] = (),
) -> GapReport:
    """Explain why nobody, or not enough people, are where a gap is.

    Parameters
    ----------
    gap : Gap
        With a shift or a start; the day of the problem.
    seconds : float
        Wall-clock limit of solving around it again; everybody is judged in any case.
    only : collection of str, optional
        Judge these agents alone: solving needs no more than the first `NEAR` of a report.
    """
    clock = Clock(time.monotonic() + seconds)
    effects = Effects(problem, roster)
    fillers = [
        _filler(effects, a, gap)
        for a, agent in enumerate(problem.agents)
        if not only or agent.id in only
    ]
    stopped = Counter(one.reason for one in fillers if one.reason is not None)
    told = [one for one in fillers if one.effect is not None]
    told.sort(key=lambda one: (one.reason is not None, one.effect and one.effect.change, one.agent))
    settled, proven = None, False
    if clock.left > 0.05:
        settled, proven = _forced(problem, roster, gap, told, clock)
    return GapReport(
        gap,
        tuple(told),
        tuple(sorted(stopped.items(), key=lambda item: (-item[1], item[0]))),
        settled,
        proven,
    )


def _filler(effects: Effects, a: int, gap: Gap) -> Filler:
    problem, look = effects.problem, effects.look
    person, d = problem.agents[a], look.day[gap.day]

    def no(reason: str) -> Filler:
        return Filler(person.id, None, reason, None)

    if gap.skill is not None and not look.level(a, gap.skill, gap.day):
        return no("skill")
    if grade_rank(person.grade) < grade_rank(gap.min_grade):
        return no("grade")
    useful = _useful(problem, gap)
    if not useful:
        return no("no_pattern")
    now = effects.roster.shift(person.id, gap.day)
    if now in useful:
        return no("there")
    if (a, d) in look.on_leave:
        return no("leave")
    if (a, d) in look.locked:
        return no("lock")
    open_to_her = [s for s in useful if look.shift[s] in look.allowed[a][d]]
    if not open_to_her:
        return no("no_shift")
    judged = [(effects.of(Move.of({(person.id, gap.day): s})), s) for s in open_to_her]
    effect, shift = min(judged, key=lambda one: (not one[0].possible, one[0].change, one[1]))
    if not effect.possible:
        return Filler(person.id, shift, "rule", effect)
    move = Move.of({(person.id, gap.day): shift})
    then = move.on(effects.roster)
    toll = tolls(problem, effects.roster, then, [person.id])
    return Filler(person.id, shift, None, effect, toll)


def _useful(problem: RosterProblem, gap: Gap) -> list[str]:
    """Shifts of that day whose people would be there."""
    if gap.shift is not None:
        return [gap.shift]
    start = gap.start or 0
    return [
        shift.id
        for shift in problem.shifts
        if shift.mode != "standby" and shift.present(start, start + problem.slot_minutes)
    ]


def _forced(
    problem: RosterProblem, roster: Roster, gap: Gap, told: list[Filler], clock: Clock
) -> tuple[int | None, bool]:
    """The cheapest roster near in which one more is there."""
    look = problem.lookup
    d = look.day[gap.day]
    able = look.qualified(gap.skill, gap.min_grade, gap.day)
    useful = [look.shift[s] for s in _useful(problem, gap)]
    around = Around(problem, roster, [look.agent[one.agent] for one in told[:NEAR]], d)
    there: list[Literal | int] = [around.on(a, d, s) for a in able for s in useful]
    now = sum(roster.shift(problem.agents[a].id, gap.day) in _useful(problem, gap) for a in able)
    answer = around.solve([(there, now + 1)], clock)
    return answer.change, answer.proven
