"""What is wanted and how much of it is there: shifts, slots and posts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from scheduler.problem import IntervalCover, RosterProblem, ShiftCover
from scheduler.problem.parts import DAY_MINUTES, grade_rank
from scheduler.verify.lines import Lines
from scheduler.verify.verdict import Breach


def shift_cover(lines: Lines) -> Iterator[Breach]:
    """Costs of people missing from, or too many on, a shift."""
    look = lines.look
    on_shift: dict[tuple[int, int], list[int]] = defaultdict(list)
    for a in range(look.n_agents):
        for d, s in lines.duties(a, range(look.n_days)):
            on_shift[d, s].append(a)
    for cover in lines.problem.shift_cover:
        there = on_shift[look.day[cover.date], look.shift[cover.shift]]
        found = sum(counts_for(lines.problem, cover, a) for a in there)
        facts: dict[str, Any] = {"shift": cover.shift, "found": found, "desired": cover.desired}
        for key in ("skill", "min_grade", "cause"):
            if (value := getattr(cover, key)) not in (None, "", "ordinary"):
                facts[key] = value
        short = cover.desired - found
        if short > 0:
            cost = short * cover.under_weight
            cost += max(0, cover.minimum - found) * cover.minimum_weight
            yield _breach("shift_cover_under", cover.date, short, cost, facts)
        over = found - (cover.desired if cover.maximum is None else cover.maximum)
        if over > 0 and cover.over_weight:
            yield _breach("shift_cover_over", cover.date, over, over * cover.over_weight, facts)


def counts_for(problem: RosterProblem, cover: ShiftCover | IntervalCover, agent: int) -> bool:
    """Whether the agent has the cover's skill and grade."""
    person = problem.agents[agent]
    return (cover.skill is None or cover.skill in person.skills) and grade_rank(
        person.grade
    ) >= grade_rank(cover.min_grade)


def interval_cover(lines: Lines) -> Iterator[Breach]:
    """Costs of slots with too few or too many people."""
    short: dict[int, list[list[int]]] = defaultdict(list)
    spare: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    on_shift: dict[tuple[int, int], list[int]] = defaultdict(list)
    for a in range(lines.look.n_agents):
        for d, s in lines.duties(a, lines.look.known):
            on_shift[d, s].append(a)
    for day, start, numbers in _slots(lines.problem):
        present = _present(lines, on_shift, day, start)
        exclusive = [n for n in numbers if lines.problem.interval_cover[n].exclusive]
        for n in numbers:
            cover = lines.problem.interval_cover[n]
            if not cover.exclusive:
                able = lines.look.serving(cover)
                found = sum(able[a][s] for a, s in present)
                if found < cover.desired:
                    short[n].append([start, cover.desired - found])
                if found > cover.desired:
                    people, cost = spare[day]
                    over = found - cover.desired
                    spare[day] = people + over, cost + over * cover.over_weight
        if exclusive:
            covers = [lines.problem.interval_cover[n] for n in exclusive]
            missing, surplus = allot(lines.problem, covers, present)
            for n, amount in zip(exclusive, missing, strict=True):
                if amount:
                    short[n].append([start, amount])
            if surplus:
                people, cost = spare[day]
                weight = min(cover.over_weight for cover in covers)
                spare[day] = people + surplus, cost + surplus * weight
    yield from _interval_breaches(lines, short, spare)


def _interval_breaches(
    lines: Lines, short: dict[int, list[list[int]]], spare: dict[int, tuple[int, int]]
) -> Iterator[Breach]:
    for n, slots in sorted(short.items()):
        cover = lines.problem.interval_cover[n]
        cost = sum(missing * cover.under_weight for _, missing in slots)
        spread = cover.desired - cover.minimum
        cost += sum(max(0, missing - spread) * cover.minimum_weight for _, missing in slots)
        facts: dict[str, Any] = {"skill": cover.skill, "min_grade": cover.min_grade, "slots": slots}
        facts |= {"desired": cover.desired, "cause": cover.cause}
        amount = sum(missing for _, missing in slots)
        yield _breach("interval_cover_under", cover.date, amount, cost, facts)
    for day, (people, cost) in sorted(spare.items()):
        if cost:
            yield _breach("interval_cover_over", lines.look.date_of(day), people, cost, {})


def _slots(problem: RosterProblem) -> Iterator[tuple[int, int, list[int]]]:
    """Each slot with cover: its day, its start and the positions of its covers."""
    slots: dict[tuple[int, int], list[int]] = defaultdict(list)
    for n, cover in enumerate(problem.interval_cover):
        for start in range(cover.start, cover.end, problem.slot_minutes):
            slots[problem.lookup.day[cover.date], start].append(n)
    for (day, start), numbers in sorted(slots.items()):
        yield day, start, numbers


def _present(
    lines: Lines, on_shift: dict[tuple[int, int], list[int]], day: int, start: int
) -> list[tuple[int, int]]:
    """(agent, shift) of everybody at work through the slot, whenever the shift began."""
    end = start + lines.problem.slot_minutes
    there: dict[int, int] = {}
    for back in range(3):
        for s, work in enumerate(lines.problem.shifts):
            people = on_shift.get((day - back, s))
            if people and work.present(start + back * DAY_MINUTES, end + back * DAY_MINUTES):
                for a in people:
                    there.setdefault(a, s)  # of two duties at once the later one counts
    return list(there.items())


def allot(
    problem: RosterProblem, covers: Sequence[IntervalCover], present: Iterable[tuple[int, int]]
) -> tuple[tuple[int, ...], int]:
    """Give each person present to at most one cover, in the cheapest way.

    The places that can be filled together form a matroid, so filling them from the dearest to
    the cheapest, rearranging people by augmenting paths, is optimal (Edmonds 1971).

    Returns
    -------
    (people missing per cover, people left over who could have served one)
    """
    serving = [problem.lookup.serving(cover) for cover in covers]
    kinds = Counter(
        able for a, s in present if any(able := tuple(serves[a][s] for serves in serving))
    )
    wants = tuple(
        (cover.desired, cover.minimum, cover.under_weight, cover.minimum_weight) for cover in covers
    )
    return _allotted(tuple(sorted(kinds.items())), wants)


@lru_cache(maxsize=1 << 16)
def _allotted(
    kinds: tuple[tuple[tuple[bool, ...], int], ...], wants: tuple[tuple[int, int, int, int], ...]
) -> tuple[tuple[int, ...], int]:
    places = sorted(
        (-(under + (extra if k < minimum else 0)), n)
        for n, (desired, minimum, under, extra) in enumerate(wants)
        for k in range(desired)
    )
    given = [[0] * len(wants) for _ in kinds]
    free = [count for _, count in kinds]

    def fill(place: int, tried: set[int]) -> bool:
        for kind, (able, _) in enumerate(kinds):
            if not able[place] or kind in tried:
                continue
            tried.add(kind)
            if free[kind]:
                free[kind] -= 1
                given[kind][place] += 1
                return True
            for other in range(len(wants)):
                if given[kind][other] and fill(other, tried):
                    given[kind][other] -= 1
                    given[kind][place] += 1
                    return True
        return False

    missing = [0] * len(wants)
    for _, place in places:
        if not fill(place, set()):
            missing[place] += 1
    return tuple(missing), sum(free)


def posts(lines: Lines) -> Iterator[Breach]:
    """Costs of places in the duty table left empty."""
    look = lines.look
    held = {(post.id, day): len(holders) for post, day, holders in lines.held}
    for post in lines.problem.posts:
        for day in post.days:
            d = look.day[day]
            missing = post.count - held.get((post.id, d), 0)
            if missing > 0:
                facts = {"post": post.id, "day_name": lines.problem.days[d].name}
                yield _breach("post_gap", day, missing, missing * post.weight, facts)


def _breach(kind: str, day: date, amount: int, cost: int, facts: dict[str, Any]) -> Breach:
    return Breach(kind, kind, amount, cost, None, (day,), facts)
