"""Tables derived from a problem, by position: what judge, model and explanations all read.

Days before the first have negative positions: the day before it is -1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from scheduler.problem.cover import IntervalCover, ShiftCover
from scheduler.problem.eligibility import Eligibility
from scheduler.problem.parts import DAY_MINUTES, WORKING_DAY_TYPES, Agent, Shift
from scheduler.problem.rules import FairShare, PastShare, Period, Rotation, Rule, SameDuty, Together

if TYPE_CHECKING:
    from scheduler.problem.problem import RosterProblem

SATURDAY = 5
PROPORTION = 100
Present: TypeAlias = tuple[tuple[int, int], ...]  # (day, shift) pairs
SlotGroup: TypeAlias = tuple[Present, tuple[int, ...], int]  # who, which covers, how many slots


class Slot(NamedTuple):
    """A slot with interval cover: its day and start, its covers, and whose shifts are present.

    Slots that are `like` each other have the same shifts present and want the same.
    """

    day: int
    start: int
    covers: tuple[int, ...]
    present: Present
    like: int


def _bits(mask: int) -> tuple[int, ...]:
    """The places of ones in a number, from the lowest."""
    found = []
    while mask:
        found.append((mask & -mask).bit_length() - 1)
        mask &= mask - 1
    return tuple(found)


class SlotPlan:
    """What a slot asks of each kind of person.

    Parameters
    ----------
    masks : table
        By agent and shift, the covers one counts for, a bit each.
    groups : list of int
        The exclusive covers, in groups no one could serve two of.
    """

    def __init__(
        self, covers: Sequence[IntervalCover], masks: list[list[int]], groups: list[int]
    ) -> None:
        self.covers, self.masks = covers, masks
        every = range(len(covers))
        self.groups = [_bits(group) for group in groups]
        self.wants = [tuple(covers[n].wants for n in group) for group in self.groups]
        self.mixes = [n for n in every if not covers[n].exclusive]
        exclusive = (cover.over_weight for cover in covers if cover.exclusive)
        self.spare_weight = min(exclusive, default=0)
        self._split: dict[int, tuple[list[tuple[int, int]], list[int]]] = {}

    def split(self, mask: int) -> tuple[list[tuple[int, int]], list[int]]:
        """Of a kind of person: (group, bits within it), and the covers that ask for a mix."""
        if mask not in self._split:
            inside = [
                (g, sum((mask >> n & 1) << i for i, n in enumerate(group)))
                for g, group in enumerate(self.groups)
            ]
            self._split[mask] = (
                [(g, bits) for g, bits in inside if bits],
                [n for n in self.mixes if mask >> n & 1],
            )
        return self._split[mask]


class Wish(NamedTuple):
    """One cell somebody has a wish about: any duty (`shifts` None), or one of some shifts."""

    kind: str
    agent: int
    day: int
    on: bool
    weight: int
    shift: str | None
    shifts: frozenset[int] | None


class Lookup(Eligibility):
    """What is allowed where, who counts for which cover, wishes, and calendar periods."""

    def __init__(self, problem: RosterProblem) -> None:
        super().__init__(problem)
        self._serving: dict[tuple[object, ...], list[list[bool]]] = {}
        self._masks: dict[tuple[tuple[object, ...], ...], list[list[int]]] = {}
        self._plans: dict[int, SlotPlan] = {}
        self._groups: dict[tuple[object, ...], list[int]] = {}
        self._counting: dict[tuple[object, ...], frozenset[int]] = {}

    @cached_property
    def history(self) -> dict[tuple[int, int], int]:
        """Shift worked by (agent, day) before the first day."""
        first = self.problem.days[0].date
        return {
            (self.agent[past.agent], (past.date - first).days): self.shift[past.shift]
            for past in self.problem.history
        }

    @cached_property
    def overlapping(self) -> list[tuple[int, dict[int, frozenset[int]]]]:
        """Shifts that so many days on would begin before a shift has ended; empty if none can."""
        return self.too_soon(0)

    def too_soon(self, rest: int) -> list[tuple[int, dict[int, frozenset[int]]]]:
        """For each number of days on, the shifts that begin before a shift's end and the rest."""
        shifts = self.problem.shifts
        latest = max((work.end for work in shifts), default=0) + rest
        found = []
        for gap in range(1, min(-(-latest // DAY_MINUTES), len(self.known)) + 1):
            later = {
                s: frozenset(
                    t
                    for t, other in enumerate(shifts)
                    if other.start + gap * DAY_MINUTES < work.end + rest
                )
                for s, work in enumerate(shifts)
            }
            if any(later.values()):
                found.append((gap, later))
        return found

    @cached_property
    def working_days(self) -> list[int]:
        """Positions of workdays and make-up workdays."""
        return [i for i, d in enumerate(self.problem.days) if d.type in WORKING_DAY_TYPES]

    def contract_minutes(self, agent: int, days: range | None = None) -> int:
        """Contract minutes of the agent over the problem's days, or those of `days`."""
        inside = range(self.n_days) if days is None else days
        working = sum((agent, d) not in self.on_leave for d in self.working_days if d in inside)
        return working * self.problem.agents[agent].day_minutes

    def members(self, rule: Rule) -> list[int]:
        """Positions of the agents a rule is about: those it names, in order, and its teams."""
        if rule.agents is None and rule.teams is None:
            return list(range(self.n_agents))
        named = [self.agent[name] for name in rule.agents or ()]
        teams = set(rule.teams or ())
        return named + [
            a
            for a, person in enumerate(self.problem.agents)
            if person.team in teams and a not in named
        ]

    def carried(self, past: Iterable[PastShare]) -> dict[int, int]:
        """What each agent has had before, by position."""
        return {self.agent[share.agent]: share.amount for share in past}

    def companions(self, rule: Together) -> list[tuple[int, list[int]]]:
        """Who may work only with whom: the first with the others, or each with the others."""
        members = self.members(rule)
        ones = members if rule.mutual else members[:1]
        return [(one, [m for m in members if m != one]) for one in ones]

    def proportions(self, rule: FairShare) -> tuple[dict[int, int], int]:
        """By how much each member's share counts, and the unit in which shares are counted."""
        members = self.members(rule)
        if not rule.pro_rata:
            return dict.fromkeys(members, 1), rule.unit
        contracts = {a: self.problem.agents[a].day_minutes for a in members}
        full = max(contracts.values(), default=0)
        return {
            a: round(PROPORTION * full / own) for a, own in contracts.items() if own
        }, PROPORTION * rule.unit

    def same_duty(self, on_same: SameDuty) -> list[frozenset[int]]:
        """Sets of shifts of which having one each is having the same duty."""
        shifts = range(self.n_shifts)
        return [frozenset(shifts)] if on_same == "day" else [frozenset([s]) for s in shifts]

    def beyond(self, shift: int, standard_day: int | None) -> int:
        """Minutes of a shift beyond a standard day; none where there is no such standard."""
        return 0 if standard_day is None else max(0, self.minutes[shift] - standard_day)

    def cycle_entry(self, rule: Rotation, day: int) -> str:
        """What a rotation wants on a day."""
        return rule.cycle[(self.date_of(day) - rule.since).days % len(rule.cycle)]

    def cycle(self, rule: Rotation) -> list[tuple[int, frozenset[int]]]:
        """The shifts (-1: off) a rotation allows on each of the days it says something about."""
        every = frozenset(range(self.n_shifts))
        entries = ((d, self.cycle_entry(rule, d)) for d in range(self.n_days))
        words = {"off": frozenset([-1]), "on": every}
        return [
            (d, words[entry] if entry in words else frozenset([self.shift[entry]]))
            for d, entry in entries
            if entry
        ]

    def shift_set(self, names: tuple[str, ...]) -> frozenset[int]:
        """Positions of the named shifts; all shifts when none is named."""
        return frozenset(self.shift[n] for n in names) if names else frozenset(range(self.n_shifts))

    def periods(self, period: Period, window: int) -> list[tuple[range, bool]]:
        """The spans of known days a rule counts in, and whether each is wholly known."""
        known, n = self.known, self.n_days
        if period == "horizon":
            return [(range(n), True)]
        if period == "day":
            return [(range(d, d + 1), True) for d in range(n)]
        if period == "rolling":
            starts = range(known.start, n - window + 1)
            return [(range(s, s + window), True) for s in starts if s + window > 0]
        spans: dict[object, list[int]] = defaultdict(list)
        for d in known:
            day = self.date_of(d)
            spans[day.isocalendar()[:2] if period == "week" else (day.year, day.month)].append(d)
        return [
            (range(days[0], days[-1] + 1), self._whole(days, period))
            for days in spans.values()
            if days[-1] >= 0
        ]

    def _whole(self, days: list[int], period: Period) -> bool:
        if period == "week":
            return len(days) == 7
        before, after = self.date_of(days[0] - 1), self.date_of(days[-1] + 1)
        inside = self.date_of(days[0])
        return before.month != inside.month and after.month != inside.month

    def able(self, cover: ShiftCover) -> frozenset[int]:
        """Agents who count for the cover."""
        key = (cover.skill, cover.min_grade, cover.min_level, self.turn(cover.date))
        if key not in self._counting:
            people = self.qualified(cover.skill, cover.min_grade, cover.date, cover.min_level)
            self._counting[key] = frozenset(people)
        return self._counting[key]

    def serving(self, cover: IntervalCover) -> list[list[bool]]:
        """Whether an agent (row) on a shift (column) counts for the cover.

        Kept by what the cover asks for: judge and model look here millions of times.
        """
        asks = self._asks(cover)
        found = self._serving.get(asks)
        if found is None:
            nobody = [False] * self.n_shifts
            found = self._serving[asks] = [nobody] * self.n_agents
            for a in self._qualified_for(cover):
                person = self.problem.agents[a]
                found[a] = [_there(person, work, cover) for work in self.problem.shifts]
        return found

    def masks(self, covers: Sequence[IntervalCover]) -> list[list[int]]:
        """For which of the covers an agent (row) on a shift (column) counts, one bit for each."""
        asks = tuple(self._asks(cover) for cover in covers)
        found = self._masks.get(asks)
        if found is None:
            # of a large desk most people count for few of its many covers
            lines: dict[int, list[int]] = {}
            for n, cover in enumerate(covers):
                table = self.serving(cover)
                for a in self._qualified_for(cover):
                    line = lines.setdefault(a, [0] * self.n_shifts)
                    for s, there in enumerate(table[a]):
                        line[s] |= there << n
            nobody = [0] * self.n_shifts
            found = self._masks[asks] = [lines.get(a, nobody) for a in range(self.n_agents)]
        return found

    def _qualified_for(self, cover: IntervalCover) -> tuple[int, ...]:
        return self.qualified(cover.skill, cover.min_grade, cover.date, cover.min_level)

    def groups(self, covers: Sequence[IntervalCover]) -> list[int]:
        """The exclusive covers in groups that share no one who could serve two; a bit each."""
        exclusive = sum(1 << n for n, cover in enumerate(covers) if cover.exclusive)
        asks = (exclusive, *(self._asks(cover) for cover in covers))
        if asks not in self._groups:
            groups: list[int] = [1 << n for n in range(len(covers)) if exclusive >> n & 1]
            for mask in {m & exclusive for line in self.masks(covers) for m in line}:
                joined = [group for group in groups if group & mask]
                if len(joined) > 1:
                    groups = [group for group in groups if not group & mask] + [sum(joined)]
            self._groups[asks] = groups
        return self._groups[asks]

    def plan(self, slot: Slot) -> SlotPlan:
        """How people present in the slot, or in one like it, are counted."""
        if slot.like not in self._plans:
            covers = [self.problem.interval_cover[n] for n in slot.covers]
            self._plans[slot.like] = SlotPlan(covers, self.masks(covers), self.groups(covers))
        return self._plans[slot.like]

    def _asks(self, cover: IntervalCover) -> tuple[object, ...]:
        turn = self.turn(cover.date) if cover.skill is not None else 0
        return (cover.skill, cover.min_level, cover.min_grade, cover.site, cover.mode, turn)

    @cached_property
    def slots(self) -> list[Slot]:
        """Every slot with interval cover, in order of time."""
        slots: dict[tuple[int, int], list[int]] = defaultdict(list)
        alike: dict[object, int] = {}
        wants = [
            alike.setdefault((c.wants, c.over_weight, c.exclusive, self._asks(c)), len(alike))
            for c in self.problem.interval_cover
        ]
        for n, cover in enumerate(self.problem.interval_cover):
            for start in range(cover.start, cover.end, self.problem.slot_minutes):
                slots[self.day[cover.date], start].append(n)
        presents: dict[int, Present] = {}
        likes: dict[object, int] = {}
        found = []
        for (d, start), numbers in sorted(slots.items()):
            present = self._present(d, start, presents)
            key = (present, *(wants[n] for n in numbers))
            like = likes.setdefault(key, len(likes))
            found.append(Slot(d, start, tuple(numbers), present, like))
        return found

    @cached_property
    def slot_groups(self) -> list[SlotGroup]:
        """Slots with interval cover, those with the same people and wants taken together."""
        first: dict[int, Slot] = {}
        times: dict[int, int] = defaultdict(int)
        for slot in self.slots:
            first.setdefault(slot.like, slot)
            times[slot.like] += 1
        return [(slot.present, slot.covers, times[like]) for like, slot in first.items()]

    def _present(self, day: int, start: int, known: dict[int, Present]) -> Present:
        """The shifts, each with the day it starts on, whose people work through a slot."""
        if start not in known:
            end = start + self.problem.slot_minutes
            known[start] = tuple(
                (back, s)
                for back in range(3)
                for s, work in enumerate(self.problem.shifts)
                if work.present(start + back * DAY_MINUTES, end + back * DAY_MINUTES)
            )
        return tuple((day - back, s) for back, s in known[start] if day - back in self.known)

    @cached_property
    def wishes(self) -> list[Wish]:
        """Requests, preferences and the price of going to another site, cell by cell."""
        found = [
            Wish(
                "request", self.agent[r.agent], self.day[r.date], r.on, r.weight, r.shift,
                None if r.shift is None else frozenset([self.shift[r.shift]]),
            )
            for r in self.problem.requests
        ]  # fmt: skip
        for like in self.problem.preferences:
            shifts = self.shift_set(like.shifts)
            against = frozenset(range(self.n_shifts)) - shifts if like.on else shifts
            a = self.agent[like.agent]
            for d in self.clip(like.first, like.last):
                if self.weekday(d) + 1 in like.weekdays:
                    found.append(Wish("preference", a, d, False, like.weight, None, against))
        for a, person in enumerate(self.problem.agents):
            if person.home is not None and person.away_weight:
                sites = [work.site for work in self.problem.shifts]
                away = frozenset(s for s, at in enumerate(sites) if at not in (None, person.home))
                found += [
                    Wish("away", a, d, False, person.away_weight, None, away)
                    for d in range(self.n_days)
                ]
        return found

    @cached_property
    def weekends(self) -> list[list[int]]:
        """Days of each weekend that touches the problem's days."""
        return [days for known in self.known_weekends if (days := [d for d in known if d >= 0])]

    @cached_property
    def known_weekends(self) -> list[list[int]]:
        """Known days of each weekend, those before the first day with it."""
        found: dict[int, list[int]] = defaultdict(list)
        for d in self.known:
            if self.weekday(d) >= SATURDAY:
                found[d - self.weekday(d)].append(d)
        return list(found.values())


def _there(person: Agent, work: Shift, cover: IntervalCover) -> bool:
    """Whether an agent on the shift is where and how the cover asks."""
    if (work.mode == "standby") != (cover.mode == "standby") or cover.mode not in (None, work.mode):
        return False
    if cover.site is None:
        return True
    return cover.site == work.site if work.site is not None else cover.site in person.sites
