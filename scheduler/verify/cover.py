"""What is wanted and how much of it is there: shifts, slots and posts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from scheduler.problem import Break, ShiftCover
from scheduler.problem.cover import Wants
from scheduler.problem.lookup import Slot
from scheduler.problem.parts import DAY_MINUTES
from scheduler.verify.lines import Lines
from scheduler.verify.verdict import Breach

Kinds: TypeAlias = tuple[tuple[int, int], ...]  # which covers one can serve, a bit each; people


def shift_cover(lines: Lines) -> Iterator[Breach]:
    """Costs of people missing from, or too many on, a shift."""
    look = lines.look
    on_shift: dict[tuple[int, int], list[int]] = defaultdict(list)
    for a in range(look.n_agents):
        for d, s in lines.duties(a, range(look.n_days)):
            on_shift[d, s].append(a)
    together: dict[tuple[int, int], list[ShiftCover]] = defaultdict(list)
    for cover in lines.problem.shift_cover:
        place = look.day[cover.date], look.shift[cover.shift]
        if cover.exclusive:
            together[place].append(cover)
            continue
        able = look.able(cover)
        found = sum(a in able for a in on_shift[place])
        short, over = cover.desired - found, found - cover.most
        yield from _shift_breaches(cover, found, short, over, cover.over_weight)
    for place, covers in together.items():
        ables = [look.able(cover) for cover in covers]
        kinds = Counter(
            mask
            for a in on_shift[place]
            if (mask := sum((a in able) << n for n, able in enumerate(ables)))
        )
        missing, spare = allot(tuple(sorted(kinds.items())), tuple(cover.wants for cover in covers))
        for cover, short in zip(covers, missing, strict=True):
            yield from _shift_breaches(cover, cover.desired - short, short, 0, 0)
        least = min(cover.over_weight for cover in covers)
        yield from _shift_breaches(covers[0], covers[0].most + spare, 0, spare, least)


def _shift_breaches(
    cover: ShiftCover, found: int, short: int, over: int, over_weight: int
) -> Iterator[Breach]:
    facts: dict[str, Any] = {"shift": cover.shift, "found": found, "desired": cover.desired}
    for key in ("skill", "min_grade", "cause"):
        if (value := getattr(cover, key)) not in (None, "", "ordinary"):
            facts[key] = value
    if short > 0:
        cost = short * cover.under_weight
        cost += max(0, short - cover.desired + cover.minimum) * cover.minimum_weight
        yield _breach("shift_cover_under", cover.date, short, cost, facts)
    if over > 0 and over_weight:
        yield _breach("shift_cover_over", cover.date, over, over * over_weight, facts)


def interval_cover(lines: Lines) -> Iterator[Breach]:
    """Costs of slots with too few or too many people."""
    short: dict[int, list[list[int]]] = defaultdict(list)
    spare: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    known: dict[int, Counted] = {}
    for slot in lines.look.slots:
        moved = _rearranged(lines, slot) if lines.rearranged else []
        counted = None if moved else known.get(slot.like)
        if counted is None:
            counted = _count(lines, slot, moved)
            if not moved:
                known[slot.like] = counted
        missing, people, cost = counted
        for n, amount in zip(slot.covers, missing, strict=True):
            if amount > 0:
                short[n].append([slot.start, amount])
        if people:
            before = spare[slot.day]
            spare[slot.day] = before[0] + people, before[1] + cost
    yield from _interval_breaches(lines, short, spare)


Counted: TypeAlias = tuple[list[int], int, int]  # missing per cover, people to spare, their cost


def _count(lines: Lines, slot: Slot, moved: Sequence[tuple[int, int]]) -> Counted:
    plan = lines.look.plan(slot)
    masks, on_shift = plan.masks, lines.on_shift
    kinds: dict[int, int] = defaultdict(int)
    for place in slot.present:
        s = place[1]
        for a in on_shift.get(place, ()):
            kinds[masks[a][s]] += 1
    for a, s in moved:
        kinds[masks[a][s]] += 1
    found = dict.fromkeys(plan.mixes, 0)
    grouped: list[dict[int, int]] = [{} for _ in plan.groups]
    for mask, count in kinds.items():
        inside, mixes = plan.split(mask)
        for g, bits in inside:
            grouped[g][bits] = grouped[g].get(bits, 0) + count
        for n in mixes:
            found[n] += count
    missing, people, cost = [0] * len(plan.covers), 0, 0
    for n, there in found.items():
        cover = plan.covers[n]
        missing[n] = cover.desired - there
        over = max(0, there - cover.most)
        people, cost = people + over, cost + over * cover.over_weight
    for members, wants, own in zip(plan.groups, plan.wants, grouped, strict=True):
        short, left = allot(tuple(sorted(own.items())), wants)
        for n, amount in zip(members, short, strict=True):
            missing[n] = amount
        people, cost = people + left, cost + left * plan.spare_weight
    return missing, people, cost


def _rearranged(lines: Lines, slot: Slot) -> list[tuple[int, int]]:
    """(agent, shift) of those at work through the slot whose breaks the roster places."""
    there = []
    for (a, d), (s, breaks) in lines.rearranged.items():
        start = slot.start + (slot.day - d) * DAY_MINUTES
        end = start + lines.problem.slot_minutes
        work = lines.problem.shifts[s]
        if work.start <= start and end <= work.end and not _paused(breaks, start, end):
            there.append((a, s))
    return there


def _paused(breaks: Sequence[Break], start: int, end: int) -> bool:
    return any(pause.start < end and start < pause.end for pause in breaks)


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


@lru_cache(maxsize=1 << 16)
def allot(kinds: Kinds, wants: tuple[Wants, ...]) -> tuple[tuple[int, ...], int]:
    """Give each person to at most one cover, in the cheapest way.

    The places that can be filled together form a matroid, so filling them from the dearest to
    the cheapest, rearranging people by augmenting paths, is optimal (Edmonds 1971). Places between
    desired and most cost nothing and are filled last.

    Parameters
    ----------
    kinds : tuple of (mask, people)
        How many people can serve the covers whose bits are set.
    wants : tuple of (desired, minimum, most, under_weight, minimum_weight)

    Returns
    -------
    (people missing per cover, people left over who could have served one)
    """
    people = sum(count for _, count in kinds)  # no cover can have more places filled
    places = sorted(
        (-(under + (extra if k < minimum else 0)) if k < desired else 1, n)
        for n, (desired, minimum, most, under, extra) in enumerate(wants)
        for k in range(min(most, people))
    )
    given = [[0] * len(wants) for _ in kinds]
    free = [count for _, count in kinds]

    def fill(place: int, tried: set[int]) -> bool:
        for kind, (able, _) in enumerate(kinds):
            if not able >> place & 1 or kind in tried:
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

    filled = [0] * len(wants)
    for _, place in places:
        filled[place] += fill(place, set())
    missing = tuple(max(0, want[0] - has) for want, has in zip(wants, filled, strict=True))
    return missing, sum(n for n, (able, _) in zip(free, kinds, strict=True) if able)


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
