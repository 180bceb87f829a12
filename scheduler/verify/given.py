"""What is given: who can be where at all, locks, minutes, and what posts ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scheduler.problem import MinRest
from scheduler.problem.pauses import fault_of_breaks
from scheduler.verify.found import HOUR, begun
from scheduler.verify.lines import OFF, Lines
from scheduler.verify.sequences import min_rest
from scheduler.verify.verdict import Breach


def given(lines: Lines) -> Iterator[Breach]:
    """Violations of what no rule of the problem may change."""
    yield from _one_shift_a_day(lines)
    yield from _overlaps(lines)
    yield from _cells(lines)
    yield from _breaks(lines)
    yield from _locks(lines)
    yield from _minutes(lines)
    yield from _protected_minutes(lines)
    yield from _post_holders(lines)
    yield from _post_locks(lines)


def _one_shift_a_day(lines: Lines) -> Iterator[Breach]:
    for duty in lines.extra:
        facts = {"shift": duty.shift}
        yield Breach("one_shift_a_day", "one_shift_a_day", 1, None, duty.agent, (duty.day,), facts)


def _overlaps(lines: Lines) -> Iterator[Breach]:
    """Two duties at one time: the next begins before the last has ended."""
    look = lines.look
    if look.overlapping:
        for found in min_rest(MinRest(name="overlap", minutes=0), lines):
            assert found.agent is not None
            days = tuple(look.date_of(d) for d in found.days)
            person = lines.problem.agents[found.agent].id
            yield Breach("overlap", "overlap", 1, None, person, days, {})


def _breaks(lines: Lines) -> Iterator[Breach]:
    problem = lines.problem
    for (a, d), starts in sorted(lines.breaks.items()):
        shift = problem.shifts[lines.shift(a, d)]
        reason = fault_of_breaks(shift, starts)
        if reason is not None:
            facts = {"shift": shift.id, "reason": reason, "starts": list(starts)}
            person, day = problem.agents[a].id, lines.look.date_of(d)
            yield Breach("breaks", "breaks", 1, None, person, (day,), facts)


def _cells(lines: Lines) -> Iterator[Breach]:
    look, problem = lines.look, lines.problem
    for a, person in enumerate(problem.agents):
        for d, s in lines.duties(a, range(look.n_days)):
            reason = look.barred(a, d, s)
            if reason is not None:
                facts = {"shift": problem.shifts[s].id}
                yield Breach(reason, reason, 1, None, person.id, (look.date_of(d),), facts)


def _locks(lines: Lines) -> Iterator[Breach]:
    look, problem = lines.look, lines.problem
    for (a, d), s in sorted(look.locked.items()):
        if lines.shift(a, d) != (OFF if s is None else s):
            facts = {"shift": None if s is None else problem.shifts[s].id}
            yield Breach("lock", "lock", 1, None, problem.agents[a].id, (look.date_of(d),), facts)


def _minutes(lines: Lines) -> Iterator[Breach]:
    days = tuple(day.date for day in lines.problem.days)
    for a, person in enumerate(lines.problem.agents):
        worked = lines.minutes(a, range(lines.look.n_days))
        low, high = person.min_minutes, person.max_minutes
        if high is not None and worked > high:
            amount, facts = begun(worked - high, HOUR), {"found": worked, "limit": high}
            yield Breach("agent_minutes", "agent_minutes", amount, None, person.id, days, facts)
        if low is not None and worked < low:
            amount, facts = begun(low - worked, HOUR), {"found": worked, "limit": low}
            yield Breach("agent_minutes", "agent_minutes", amount, None, person.id, days, facts)


def _protected_minutes(lines: Lines) -> Iterator[Breach]:
    look = lines.look
    for a, person in enumerate(lines.problem.agents):
        for restriction in look.restrictions[a]:
            span = look.clip(restriction.first, restriction.last)
            if restriction.kind != "no_overtime" or not span:
                continue
            worked, limit = lines.minutes(a, span), look.contract_minutes(a, span)
            if worked > limit:
                days = tuple(look.date_of(d) for d in span)
                facts = {"found": worked, "limit": limit}
                amount = begun(worked - limit, HOUR)
                yield Breach("no_overtime", "no_overtime", amount, None, person.id, days, facts)


def _post_holders(lines: Lines) -> Iterator[Breach]:
    look, problem = lines.look, lines.problem
    seen: Counter[tuple[int, int]] = Counter()
    for post, day, holders in lines.held:
        date = look.date_of(day)
        if len(holders) > post.count:
            facts = {"post": post.id, "holders": len(holders), "limit": post.count}
            yield Breach("post", "post", len(holders) - post.count, None, None, (date,), facts)
        for a in holders:
            seen[a, day] += 1
            shift = lines.shift(a, day)
            reason = look.may_hold(a, post, day)
            if seen[a, day] > 1:
                reason = "two_posts"
            elif post.exclusive and shift != OFF:
                reason = "on_shift"
            elif post.shifts and (shift == OFF or problem.shifts[shift].id not in post.shifts):
                reason = "shift"
            if reason is not None:
                facts = {"post": post.id, "reason": reason}
                yield Breach("post", "post", 1, None, problem.agents[a].id, (date,), facts)


def _post_locks(lines: Lines) -> Iterator[Breach]:
    held = {(post.id, day, a) for post, day, holders in lines.held for a in holders}
    look = lines.look
    for lock in lines.problem.post_locks:
        if (lock.post, look.day[lock.date], look.agent[lock.agent]) not in held:
            facts = {"post": lock.post}
            yield Breach("lock", "lock", 1, None, lock.agent, (lock.date,), facts)
