"""Closing the loop: where a replayed roster fails its promises, how many people more, and where.

A staffing formula sees one queue at a time; a replay sees the desk. Cezik & L'Ecuyer ("Staffing
multiskill call centers via linear programming and simulation", Management Science 54, 2008) let
simulation correct the formula: at staffing y the simulated share g(y) falls short of the target
t, the gain q of one more person is simulated for each kind and time, and the cut

    Σ q · (people added)  ≥  t - g(y)

is given back to the optimiser. Here the cheapest people who satisfy the cut become rows of the
requirement, and the roster is solved again. What cannot be covered is summed up as people missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

LONGEST_PART = 8  # slots: what one person covers without a break for meals, about
ENOUGH = 0.5  # of what a round asked for: with less covered, the people are used up
NOTICED = 0.002  # a share that rises by less has not risen

Ended = Literal["kept", "people_out", "rounds_out"]


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Neighbouring open slots of one day; `first` and `last` (both included) count from day 0."""

    first: int
    last: int

    @property
    def slots(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of work: a skill and the lowest grade that may do it."""

    skill: str
    tier: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Tickets of one kind opened in one slot, over all replications, and those in time."""

    kind: Kind
    slot: int
    tickets: int
    met: int


@dataclass(frozen=True, slots=True)
class Option:
    """One more person for a kind of work in a part of a day.

    ``gain`` is the number of tickets, per replication, that the replay then keeps in time.
    """

    kind: Kind
    part: Part
    gain: float


def parts(is_open: NDArray[np.bool_], slots_a_day: int, longest: int = LONGEST_PART) -> list[Part]:
    """Cut each day's open spans into parts of equal length, none longer than `longest` slots."""
    found = []
    start: int | None = None
    for slot in range(len(is_open) + 1):
        inside = slot < len(is_open) and bool(is_open[slot])
        if start is not None and (not inside or slot % slots_a_day == 0):
            found += _cut(start, slot, longest)
            start = None
        if inside and start is None:
            start = slot
    return found


def _cut(start: int, end: int, longest: int) -> list[Part]:
    count = -(-(end - start) // longest)
    edges = [start + (end - start) * n // count for n in range(count + 1)]
    return [Part(low, high - 1) for low, high in pairwise(edges)]


def part_of(day_parts: Sequence[Part], slots: int) -> NDArray[np.int64]:
    """Number of the part each slot's tickets are served in: its own, or the next that opens."""
    lasts = np.array([part.last for part in day_parts])
    return np.asarray(np.searchsorted(lasts, np.arange(slots)))


def failing(
    tallies: Iterable[Tally], day_parts: Sequence[Part], slots: int, agreed: float
) -> dict[Kind, dict[Part, float]]:
    """Tickets missing to the agreed share, by kind and part, all replications together."""
    if not day_parts:
        return {}
    place = part_of(day_parts, slots)
    sums: dict[tuple[Kind, int], float] = defaultdict(float)
    for tally in tallies:
        number = min(int(place[tally.slot]), len(day_parts) - 1)
        sums[tally.kind, number] += agreed * tally.tickets - tally.met
    found: dict[Kind, dict[Part, float]] = defaultdict(dict)
    for (kind, number), missing in sorted(sums.items()):
        if missing > 0:
            found[kind][day_parts[number]] = missing
    return dict(found)


def choose(
    options: Iterable[Option], shortfall: float, *, most: int | None = None
) -> tuple[Option, ...]:
    """Fewest person-slots whose gains reach the shortfall: the best gain per slot first.

    Parameters
    ----------
    options : iterable of Option
        Each can be taken once; those without a gain are left.
    shortfall : float
        Tickets per replication missing to the agreed share.
    most : int, optional
        Options to take at most.

    Returns
    -------
    tuple of Option
        In the order taken; all that help when together they do not reach the shortfall.
    """
    taken: list[Option] = []
    left = shortfall
    ranked = sorted(options, key=lambda one: (-one.gain / one.part.slots, one.kind, one.part))
    for option in ranked:
        if left <= 0 or option.gain <= 0 or (most is not None and len(taken) >= most):
            break
        taken.append(option)
        left -= option.gain
    return tuple(taken)


def spare(people: Sequence[Collection[Kind]], wanted: Mapping[Kind, int], kind: Kind) -> int:
    """How many more of a kind the people on duty could cover beside what is wanted of them.

    The cut speaks of one person more than there are, so the requirement must first reach them.
    Each person covers one demand at a time: augmenting paths (Kuhn 1955) fill what is wanted,
    then as much of `kind` as will go.
    """
    demands = [one for one, number in sorted(wanted.items()) for _ in range(number)]
    holder: dict[int, int] = {}  # demand → person

    def place(person: int, seen: set[int]) -> bool:
        for number, demand in enumerate(demands):
            if demand in people[person] and number not in seen:
                seen.add(number)
                if number not in holder or place(holder[number], seen):
                    holder[number] = person
                    return True
        return False

    for person in range(len(people)):
        place(person, set())
    before = len(demands)
    demands += [kind] * len(people)
    for person in set(range(len(people))) - set(holder.values()):
        place(person, set())
    return sum(number >= before for number in holder)


def ended(
    shares: Sequence[float], agreed: float, rounds: int, chosen: int, covered: float | None = None
) -> Ended | None:
    """Whether to go on after the rounds whose shares are given, oldest first.

    ``chosen`` counts the people the next round would ask for, ``covered`` is the share of what
    the last round asked for that its roster covers (None: it asked for nothing). Nobody is left
    who could help when there is no one to ask for, when a round brought nothing and less than
    half of what it asked for was covered, or when two rounds brought nothing.
    """
    if shares and shares[-1] >= agreed:
        return "kept"
    if not chosen:
        return "people_out"
    if covered is not None and covered < ENOUGH and not _rose(shares, 1):
        return "people_out"
    if len(shares) > 2 and not _rose(shares, 2):
        return "people_out"
    return "rounds_out" if len(shares) > rounds else None


def _rose(shares: Sequence[float], last: int) -> bool:
    """Whether the last rounds went beyond the best before them."""
    return max(shares[-last:]) >= max(shares[:-last], default=0.0) + NOTICED


@dataclass(frozen=True, slots=True)
class Missing:
    """People who are not there: so many of a kind, between two times of the day, on these days."""

    kind: Kind
    start_min: int
    end_min: int
    people: int
    days: tuple[int, ...]


def missing(
    people: Iterable[tuple[Kind, Part]], slots_a_day: int, slot_min: int
) -> tuple[Missing, ...]:
    """Sum people up by kind, time of day and number; the most person-days first."""
    counts: dict[tuple[Kind, int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for kind, part in people:
        day, start = divmod(part.first, slots_a_day)
        counts[kind, start, start + part.slots][day] += 1
    found = []
    for (kind, start, end), days in counts.items():
        by_number: dict[int, list[int]] = defaultdict(list)
        for day, number in days.items():
            by_number[number].append(day)
        found += [
            Missing(kind, start * slot_min, end * slot_min, number, tuple(sorted(on)))
            for number, on in by_number.items()
        ]
    return tuple(
        sorted(found, key=lambda one: (-one.people * len(one.days), one.kind, one.start_min))
    )


TEXTS = {
    "en": "{n} more {tier}{plural} with skill {skill}, {start}–{end}, on {days} {day}: {dates}",
    "zh": "{start}–{end} 还缺 {n} 名掌握“{skill}”的{tier}客服，共 {days} 天：{dates}",
}
TIERS = {
    "ordinary": {"en": "agent", "zh": "普通及以上"},
    "senior": {"en": "senior", "zh": "高级及以上"},
    "expert": {"en": "expert", "zh": "专家"},
}
LISTED = 12


def text(one: Missing, language: Literal["en", "zh"], dates: Mapping[int, str], skill: str) -> str:
    """A shortage in words; `dates` gives each day's name, `skill` the skill's."""
    shown = [dates[day] for day in one.days[:LISTED]]
    more = len(one.days) - len(shown)
    listed = {"en": ", ", "zh": "、"}[language].join(shown)
    if more:
        listed += {"en": f" and {more} more", "zh": f"等 {len(one.days)} 天"}[language]
    return TEXTS[language].format(
        n=one.people, tier=TIERS[one.kind.tier][language], skill=skill, dates=listed,
        plural="" if one.people == 1 else "s", start=_clock(one.start_min),
        end=_clock(one.end_min), days=len(one.days), day="day" if len(one.days) == 1 else "days",
    )  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
