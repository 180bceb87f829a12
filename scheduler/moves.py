"""A few changes of a roster, and what they do to its cost and its rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from scheduler.solution import Roster
from scheduler.verify import GAP_KINDS, Breach

Cell: TypeAlias = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Move:
    """Cells to change, None for a day off, and places of the duty table with their new holders."""

    cells: Mapping[Cell, str | None]
    posts: Mapping[tuple[str, date], tuple[str, ...]]

    @classmethod
    def of(cls, cells: Mapping[Cell, str | None]) -> Move:
        """A move of cells alone."""
        return cls(cells, {})

    def on(self, roster: Roster) -> Roster:
        """The roster after the move."""
        kept = dict(roster.cells)
        for place, shift in self.cells.items():
            if shift is None:
                kept.pop(place, None)
            else:
                kept[place] = shift
        breaks = {
            cell: starts
            for cell, starts in roster.breaks.items()
            if cell not in self.cells or self.cells[cell] == roster.cells.get(cell)
        }
        return replace(roster, cells=kept, posts={**roster.posts, **self.posts}, breaks=breaks)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a move does.

    Parameters
    ----------
    change : int
        Cost after it less the cost before.
    terms : tuple of (rule name, change)
        Where the difference comes from, largest first.
    broken, mended : tuple of Breach
        Hard rules broken by it (or more than before), and those that hold again.
    bent : tuple of Breach
        Soft rules and wishes, cover aside, that cost more than before.
    """

    change: int
    terms: tuple[tuple[str, int], ...]
    broken: tuple[Breach, ...]
    mended: tuple[Breach, ...]
    bent: tuple[Breach, ...]

    @property
    def possible(self) -> bool:
        return not self.broken

    @property
    def gap(self) -> int:
        """Change of the cost of what is wanted and not filled."""
        return sum(change for name, change in self.terms if name in GAP_KINDS)


def effect_between(before: Iterable[Breach], after: Iterable[Breach]) -> Effect:
    """The difference between what was found before and after."""
    before, after = list(before), list(after)
    terms: Counter[str] = Counter()
    for breach in after:
        terms[breach.rule] += breach.cost or 0
    for breach in before:
        terms[breach.rule] -= breach.cost or 0
    named = sorted(
        ((name, change) for name, change in terms.items() if change),
        key=lambda term: (-abs(term[1]), term[0]),
    )
    return Effect(
        change=sum(terms.values()),
        terms=tuple(named),
        broken=_worse(before, after, hard=True),
        mended=_worse(after, before, hard=True),
        bent=_worse(before, after, hard=False),
    )


def _worse(before: list[Breach], after: list[Breach], hard: bool) -> tuple[Breach, ...]:
    """Breaches of `after` that were not there, or are worse than they were."""
    known = Counter[tuple[str, str | None, tuple[date, ...]]]()
    sums = Counter[tuple[str, str | None]]()
    for breach in before:
        if breach.hard == hard:
            known[breach.rule, breach.agent, breach.days] += breach.amount
            sums[breach.rule, breach.agent] -= breach.amount
    found = [b for b in after if b.hard == hard and (hard or not b.kind.endswith(_OF_COVER))]
    for breach in found:
        sums[breach.rule, breach.agent] += breach.amount
    return tuple(
        breach
        for breach in found
        if sums[breach.rule, breach.agent] > 0
        and breach.amount > known[breach.rule, breach.agent, breach.days]
    )


_OF_COVER = ("_under", "_over", "_gap")
