"""Whether the parts of a problem fit together: every fault, with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from scheduler.problem import rules as r
from scheduler.problem.parts import DAY_MINUTES

if TYPE_CHECKING:
    from scheduler.problem.problem import RosterProblem

LONGEST_SHIFT = 2 * DAY_MINUTES


def faults_in(problem: RosterProblem) -> list[str]:
    """One line per fault; empty when the problem can be used."""
    return [
        *_identities(problem),
        *_days(problem),
        *_shifts(problem),
        *_agents(problem),
        *_cover(problem),
        *_posts(problem),
        *_given(problem),
        *_rules(problem),
    ]


def _identities(problem: RosterProblem) -> Iterator[str]:
    for part in ("agents", "shifts", "posts"):
        counts = Counter(item.id for item in getattr(problem, part))
        for name, n in counts.items():
            if not name:
                yield f"problem.{part}: an id is empty"
            elif n > 1:
                yield f"problem.{part}: the id {name!r} occurs {n} times"
    for name, n in Counter(rule.name for rule in problem.rules).items():
        if not name:
            yield "problem.rules: a rule has no name"
        elif n > 1:
            yield f"problem.rules: the name {name!r} occurs {n} times"


def _days(problem: RosterProblem) -> Iterator[str]:
    if not problem.days:
        yield "problem.days: at least one day expected"
    for i in range(1, len(problem.days)):
        if problem.days[i].date != problem.days[i - 1].date + timedelta(days=1):
            yield f"problem.days[{i}].date: not the day after the one before it"
    for i, day in enumerate(problem.days):
        if not 1900 <= day.date.year <= 2200:
            yield f"problem.days[{i}].date: a year from 1900 to 2200 expected"
        if day.burden < 0:
            yield f"problem.days[{i}].burden: below zero"
    if problem.history_days < 0:
        yield "problem.history_days: below zero"
    if problem.slot_minutes <= 0 or DAY_MINUTES % problem.slot_minutes:
        yield "problem.slot_minutes: must divide 1440"


def _shifts(problem: RosterProblem) -> Iterator[str]:
    for i, shift in enumerate(problem.shifts):
        path = f"problem.shifts[{i}]"
        if not 0 <= shift.start < DAY_MINUTES:
            yield f"{path}.start: must be within the day, 0 to 1439"
        if not shift.start < shift.end <= shift.start + LONGEST_SHIFT:
            yield f"{path}.end: must be after the start, by two days at most"
        if shift.work_minutes < 0 or shift.burden_percent < 0:
            yield f"{path}: minutes and burden_percent cannot be below zero"
        for pause in shift.breaks:
            if not shift.start <= pause.start < pause.end <= shift.end:
                yield f"{path}.breaks: a break must lie within the shift"


def _agents(problem: RosterProblem) -> Iterator[str]:
    shifts = {shift.id for shift in problem.shifts}
    for i, agent in enumerate(problem.agents):
        path = f"problem.agents[{i}]"
        yield from _unknown(agent.shifts or (), shifts, "shift", f"{path}.shifts")
        if agent.day_minutes < 0:
            yield f"{path}.day_minutes: below zero"
        low, high = agent.min_minutes, agent.max_minutes
        if low is not None and high is not None and low > high:
            yield f"{path}.min_minutes: more than max_minutes"
        for restriction in agent.restrictions:
            if restriction.first > restriction.last:
                yield f"{path}.restrictions: the first day is after the last"


def _cover(problem: RosterProblem) -> Iterator[str]:
    shifts, dates = {s.id for s in problem.shifts}, {d.date for d in problem.days}
    for i, cover in enumerate(problem.shift_cover):
        path = f"problem.shift_cover[{i}]"
        yield from _unknown([cover.shift], shifts, "shift", f"{path}.shift")
        yield from _unknown([cover.date], dates, "day", f"{path}.date")
        if not 0 <= cover.minimum <= cover.desired:
            yield f"{path}: 0 ≤ minimum ≤ desired expected"
        if cover.maximum is not None and cover.maximum < cover.desired:
            yield f"{path}.maximum: less than desired"
        if min(cover.under_weight, cover.minimum_weight, cover.over_weight) < 0:
            yield f"{path}: a weight is below zero"
    for i, span in enumerate(problem.interval_cover):
        path = f"problem.interval_cover[{i}]"
        yield from _unknown([span.date], dates, "day", f"{path}.date")
        if not 0 <= span.start < span.end <= DAY_MINUTES:
            yield f"{path}: 0 ≤ start < end ≤ 1440 expected"
        if problem.slot_minutes > 0 and (
            span.start % problem.slot_minutes or span.end % problem.slot_minutes
        ):
            yield f"{path}: start and end must be multiples of slot_minutes"
        if not 0 <= span.minimum <= span.desired:
            yield f"{path}: 0 ≤ minimum ≤ desired expected"
        if min(span.under_weight, span.minimum_weight, span.over_weight) < 0:
            yield f"{path}: a weight is below zero"


def _posts(problem: RosterProblem) -> Iterator[str]:
    shifts, dates = {s.id for s in problem.shifts}, {d.date for d in problem.days}
    for i, post in enumerate(problem.posts):
        path = f"problem.posts[{i}]"
        yield from _unknown(post.shifts, shifts, "shift", f"{path}.shifts")
        yield from _unknown(post.days, dates, "day", f"{path}.days")
        if len(set(post.days)) < len(post.days):
            yield f"{path}.days: a day occurs twice"
        if post.count < 1 or post.weight < 0 or post.burden_percent < 0:
            yield f"{path}: count at least 1, weight and burden_percent at least 0 expected"
        if post.exclusive and post.shifts:
            yield f"{path}: an exclusive post cannot ask for shifts"


def _given(problem: RosterProblem) -> Iterator[str]:
    agents, shifts = {a.id for a in problem.agents}, {s.id for s in problem.shifts}
    dates, posts = {d.date for d in problem.days}, {p.id: p for p in problem.posts}
    for part in ("requests", "locks", "forbidden"):
        for i, item in enumerate(getattr(problem, part)):
            path = f"problem.{part}[{i}]"
            yield from _unknown([item.agent], agents, "agent", f"{path}.agent")
            yield from _unknown([item.date], dates, "day", f"{path}.date")
            if item.shift is not None:
                yield from _unknown([item.shift], shifts, "shift", f"{path}.shift")
    for i, request in enumerate(problem.requests):
        if request.weight < 0:
            yield f"problem.requests[{i}].weight: below zero"
    for (agent, day), n in Counter((lock.agent, lock.date) for lock in problem.locks).items():
        if n > 1:
            yield f"problem.locks: {agent!r} on {day} is locked {n} times"
    for i, absence in enumerate(problem.leave):
        yield from _unknown([absence.agent], agents, "agent", f"problem.leave[{i}].agent")
        if absence.first > absence.last:
            yield f"problem.leave[{i}]: the first day is after the last"
    for i, held in enumerate(problem.post_locks):
        path = f"problem.post_locks[{i}]"
        yield from _unknown([held.agent], agents, "agent", f"{path}.agent")
        yield from _unknown([held.post], posts, "post", f"{path}.post")
        if held.post in posts and held.date not in posts[held.post].days:
            yield f"{path}.date: the post is not held on {held.date}"
    yield from _history(problem, agents, shifts)


def _history(problem: RosterProblem, agents: set[str], shifts: set[str]) -> Iterator[str]:
    if not problem.days:
        return  # told already
    first = problem.days[0].date
    seen: set[tuple[str, object]] = set()
    for i, past in enumerate(problem.history):
        path = f"problem.history[{i}]"
        yield from _unknown([past.agent], agents, "agent", f"{path}.agent")
        yield from _unknown([past.shift], shifts, "shift", f"{path}.shift")
        if not 1 <= (first - past.date).days <= problem.history_days:
            yield f"{path}.date: {past.date} is not within history_days before the first day"
        if (past.agent, past.date) in seen:
            yield f"{path}: {past.agent!r} has two shifts on {past.date}"
        seen.add((past.agent, past.date))


def _rules(problem: RosterProblem) -> Iterator[str]:
    agents, shifts = {a.id for a in problem.agents}, {s.id for s in problem.shifts}
    dates = {d.date for d in problem.days}
    for i, rule in enumerate(problem.rules):
        path = f"problem.rules[{i}]"
        yield from _unknown(rule.agents or (), agents, "agent", f"{path}.agents")
        if rule.weight is not None and rule.weight < 0:
            yield f"{path}.weight: below zero"
        for field in ("shifts", "first", "then"):
            yield from _unknown(getattr(rule, field, ()), shifts, "shift", f"{path}.{field}")
        for field in ("minutes", "days", "days_off", "weekends", "minimum", "maximum", "tolerance"):
            number = getattr(rule, field, None)
            if number is not None and number < 0:
                yield f"{path}.{field}: below zero"
        for field in ("window", "unit", "run"):
            if getattr(rule, field, 1) < 1:
                yield f"{path}.{field}: at least 1 expected"
        for field in ("past", "held", "earlier"):
            named = [item.agent for item in getattr(rule, field, ())]
            yield from _unknown(named, agents, "agent", f"{path}.{field}")
        yield from _by_kind(rule, path, shifts, dates)


def _by_kind(rule: r.Rule, path: str, shifts: set[str], dates: set[date]) -> Iterator[str]:
    if isinstance(rule, r.FairShare | r.NamedDayRepeat | r.Stability) and rule.hard:
        yield f"{path}.weight: this kind of rule is always soft; give it a weight"
    if isinstance(rule, r.Apart | r.Together) and len(rule.agents or ()) < 2:
        yield f"{path}.agents: at least two agents expected"
    if isinstance(rule, r.RestDays) and not rule.rolling and rule.window != 7:
        yield f"{path}.window: calendar weeks have 7 days; set rolling for others"
    if isinstance(rule, r.Stability):
        for cell in rule.earlier:
            yield from _unknown([cell.date], dates, "day", f"{path}.earlier")
            yield from _unknown({cell.shift} - {None}, shifts, "shift", f"{path}.earlier")
    if isinstance(rule, r.RestDays) and rule.days > rule.window:
        yield f"{path}.days: more days than the window has"
    if isinstance(rule, r.ShiftLimit | r.MinutesLimit):
        low, high = rule.minimum, rule.maximum
        if low is None and high is None:
            yield f"{path}: a minimum or a maximum expected"
        elif low is not None and high is not None and low > high:
            yield f"{path}.minimum: more than maximum"


def _unknown(
    names: Iterable[object], known: Iterable[object], what: str, path: str
) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{path}: there is no {what} {str(name)!r}"
