"""What a solve is asked and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scheduler.solution import Roster
from scheduler.verify import Breach

Status: TypeAlias = Literal["optimal", "feasible", "stopped", "conflict", "nothing_found"]


@dataclass(frozen=True, slots=True)
class Params:
    """How to solve.

    Parameters
    ----------
    seconds : float, optional
        Wall-clock limit, building included. What is found depends on the machine.
    effort : float, optional
        Limit in the solver's own deterministic units, roughly a second each on a machine of 2024.
        Alone, the same problem, seed and effort give the same roster on any machine; with
        `seconds` as well, whichever ends first.
    workers : int
        Threads, at most; `effort` alone uses one, for the sake of repeatability.
    seed : int
    start : Roster, optional
        Where to begin; used when it breaks no hard rule.
    """

    seconds: float | None = 60.0
    effort: float | None = None
    workers: int = 2
    seed: int = 1
    start: Roster | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.effort is None:
            raise ValueError("seconds or effort expected: a solve needs a limit")


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a solve: `gap` is (cost − bound) / cost."""

    seconds: float
    cost: int
    bound: int | None
    phase: str

    @property
    def gap(self) -> float | None:
        return gap_between(self.cost, self.bound)


ProgressCallback: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a solve.

    Parameters
    ----------
    status : str
        ``optimal``: proven; ``feasible``: the limit came first; ``stopped``: the caller stopped
        it, the roster is the best so far; ``conflict``: no roster keeps all hard rules or none
        was found that does, and this one breaks few of them, listed in `violations`;
        ``nothing_found``: the limit came before any roster.
    roster : Roster, optional
    cost : int, optional
        The judge's cost of the roster.
    bound : int, optional
        No roster that keeps the hard rules costs less; None when nothing is proven.
    seconds : float
        Wall-clock time used.
    violations, gaps, costs : tuple of Breach
        From the judge: hard rules broken, cover and posts not filled, all costs.
    """

    status: Status
    roster: Roster | None
    cost: int | None
    bound: int | None
    seconds: float
    violations: tuple[Breach, ...] = ()
    gaps: tuple[Breach, ...] = ()
    costs: tuple[Breach, ...] = ()

    @property
    def gap(self) -> float | None:
        """(cost − bound) / cost; 0 when proven optimal, None without a bound."""
        return None if self.cost is None else gap_between(self.cost, self.bound)


def gap_between(cost: int, bound: int | None) -> float | None:
    """Relative distance of a cost from its bound."""
    if bound is None:
        return None
    return (cost - bound) / cost if cost > 0 else 0.0
