"""What covers and posts cost, for the tables: counts with a price list, and people to allot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from scheduler.annealing.record import EXCESS, TABLE, Group, Record, Sum
from scheduler.objective import cover_cost
from scheduler.problem import IntervalCover, ShiftCover
from scheduler.problem.cover import Wants

Asked: TypeAlias = tuple[tuple[int, ...], tuple[Wants, ...], int]  # masks, wants, cost of a spare
Person: TypeAlias = tuple[int, int | None]  # the covers she can serve; her cell, None when settled


@dataclass
class Allotment:
    """Places for which people of some kinds are counted, each for one cover at a time.

    `kind_of` tells the kind of each cell that counts here; `settled` the people of each kind who
    are there whatever is decided.
    """

    asked: int
    times: int
    kind_of: dict[int, int]
    settled: list[int]


@dataclass
class Demand:
    """All covers and posts of a problem."""

    record: Record
    asked: list[Asked] = field(default_factory=list)
    allotments: list[Allotment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers: dict[Asked, int] = {}
        self._shift_cover()
        self._interval_cover()
        self._posts()

    def _shift_cover(self) -> None:
        look = self.record.look
        together: dict[tuple[int, int], list[ShiftCover]] = defaultdict(list)
        for cover in self.record.problem.shift_cover:
            place = look.day[cover.date], look.shift[cover.shift]
            if cover.exclusive:
                together[place].append(cover)
            else:
                able = look.able(cover)
                people = [(int(a in able), item) for a, item in self._there([place])]
                self._count(cover, people, 1)
        for place, covers in together.items():
            ables = [look.able(cover) for cover in covers]
            kinds = [
                (sum((a in able) << n for n, able in enumerate(ables)), item)
                for a, item in self._there([place])
            ]
            wants = tuple(cover.wants for cover in covers)
            self._allot(kinds, wants, min(cover.over_weight for cover in covers), 1)

    def _interval_cover(self) -> None:
        look = self.record.look
        first = {slot.like: slot for slot in reversed(look.slots)}
        times: dict[int, int] = defaultdict(int)
        for slot in look.slots:
            times[slot.like] += 1
        for like, slot in first.items():
            plan = look.plan(slot)
            masks = [
                (plan.masks[a][s], item)
                for d, s in slot.present
                for a, item in self._there([(d, s)])
            ]
            for n in plan.mixes:
                self._count(plan.covers[n], [(m >> n & 1, i) for m, i in masks], times[like])
            split = [(plan.split(mask)[0], item) for mask, item in masks]
            for g, wants in enumerate(plan.wants):
                people = [(bits, item) for inside, item in split for h, bits in inside if h == g]
                self._allot(people, wants, plan.spare_weight, times[like])

    def _posts(self) -> None:
        record, look = self.record, self.record.look
        first = record.n_items - len(record.holders)
        at: dict[tuple[int, int], list[int]] = defaultdict(list)
        for n, (p, d, _) in enumerate(record.holders):
            at[p, d].append(first + n)
        for p, post in enumerate(record.problem.posts):
            for day in post.days:
                items = at[p, look.day[day]]
                table = tuple(post.weight * max(0, post.count - n) for n in range(len(items) + 1))
                self._priced(dict.fromkeys(items, 1), 0, table)
                if len(items) > post.count:
                    most = dict.fromkeys(items, 1), -post.count
                    record.groups.append(Group(EXCESS, None, 1, [most]))

    def _there(self, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int | None]]:
        """Everybody who may have such a shift on such a day: the cell, None if it is settled."""
        look = self.record.look
        for d, s in places:
            for a in range(look.n_agents):
                if d < 0:
                    if look.history.get((a, d)) == s:
                        yield a, None
                elif s in self.record.x.cell[a, d]:
                    yield a, (a * look.n_days + d) * look.n_shifts + s

    def _count(self, cover: ShiftCover | IntervalCover, people: list[Person], times: int) -> None:
        items = [item for counts, item in people if counts and item is not None]
        settled = sum(1 for counts, item in people if counts and item is None)
        table = tuple(times * cover_cost(cover, n) for n in range(settled + len(items) + 1))
        self._priced(dict.fromkeys(items, 1), settled, table)

    def _priced(self, items: Sum, settled: int, table: tuple[int, ...]) -> None:
        if not items:
            self.record.constant += table[settled]
        elif any(table):
            self.record.groups.append(Group(TABLE, 1, 1, [(items, settled)], table))

    def _allot(
        self, people: Sequence[Person], wants: tuple[Wants, ...], spare: int, times: int
    ) -> None:
        kinds = sorted({mask for mask, _ in people if mask})
        asked = tuple(kinds), wants, spare
        number = self._numbers.setdefault(asked, len(self._numbers))
        if number == len(self.asked):
            self.asked.append(asked)
        kind = {mask: k for k, mask in enumerate(kinds)}
        settled = [0] * len(kinds)
        kind_of = {}
        for mask, item in people:
            if mask and item is None:
                settled[kind[mask]] += 1
            elif mask and item is not None:
                kind_of[item] = kind[mask]
        self.allotments.append(Allotment(number, times, kind_of, settled))
