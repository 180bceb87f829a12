"""Why not this person on that shift: what stops it, or what it would cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from scheduler.effects import Effects
from scheduler.explain.conflict import Conflict, group_conflicts
from scheduler.explain.elements import Element, bare
from scheduler.explain.neighbourhood import Around
from scheduler.few_changes import Clock
from scheduler.moves import Effect, Move
from scheduler.problem import Lock, RosterProblem
from scheduler.solution import Roster
from scheduler.variables import OFF

Outcome: TypeAlias = Literal["already", "barred", "never", "elsewhere", "costs"]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a person does not have a shift.

    Parameters
    ----------
    agent, day, shift
        The question; shift None asks about a day off.
    outcome : str
        ``already``: she has it; ``barred``: she cannot have it that day at all (`barred`);
        ``never``: her own rules allow no line with it, however her other days are arranged
        (`conflict`); ``elsewhere``: nothing near allows it, others being needed where they are;
        ``costs``: it can be done, at `settled`.
    barred : str, optional
        Leave, skill, grade, site, forbidden, lock …
    effect : Effect
        Of that one change, all else as it is.
    conflict : Conflict, optional
    settled : int, optional
        What it costs when everything near is arranged anew around it.
    proven : bool
        The outcome is proven: nothing near is cheaper, or nothing at all is possible.
    """

    agent: str
    day: date
    shift: str | None
    outcome: Outcome
    barred: str | None
    effect: Effect
    conflict: Conflict | None = None
    settled: int | None = None
    proven: bool = True


def why_not(
    problem: RosterProblem,
    roster: Roster,
    agent: str,
    day: date,
    shift: str | None,
    seconds: float = 3.0,
) -> WhyNot:
    """Explain why a cell is not something else; each step is solved for.

    Parameters
    ----------
    agent, day, shift
        Of the problem.
    seconds : float
        Wall-clock limit.
    """
    clock = Clock(time.monotonic() + seconds)
    look = problem.lookup
    a, d = look.agent[agent], look.day[day]
    s = OFF if shift is None else look.shift[shift]
    effect = Effects(problem, roster).of(Move.of({(agent, day): shift}))
    answer = WhyNot(agent, day, shift, "costs", None, effect)
    if roster.shift(agent, day) == shift:
        return replace(answer, outcome="already", settled=0)
    reason = "lock" if (a, d) in look.locked else None if s == OFF else look.barred(a, d, s)
    if reason is not None:
        return replace(answer, outcome="barred", barred=reason)
    lock = Lock(agent, day, shift)
    part = bare(problem, [agent], ())
    part = replace(part, locks=(*part.locks, lock))
    asked = Element("lock", "", agent, day, day, shift)
    conflict = next(group_conflicts(part, clock, [asked]), None)
    if conflict is not None:
        return replace(answer, outcome="never", conflict=conflict, proven=conflict.irreducible)
    around = Around(problem, roster, [a], d)
    found = around.solve([([around.on(a, d, s)], 1)], clock)
    if found.roster is None:
        return replace(answer, outcome="elsewhere", proven=found.proven)
    return replace(answer, settled=found.change, proven=found.proven)
