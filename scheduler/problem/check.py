"""Whether the parts of a problem fit together: every fault, with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scheduler.problem.check_rules import faults_in_rules, unknown
from scheduler.problem.parts import DAY_MINUTES, FULL_LEVEL, Agent
from scheduler.problem.pauses import fault_of_breaks

if TYPE_CHECKING:
    from scheduler.problem.problem import RosterProblem

LONGEST_SHIFT = 2 * DAY_MINUTES
LONGEST_HISTORY = 3660
BREAK_FAULTS = {
    "window": "a break lies outside its window",
    "order": "breaks must follow each other without overlap",
    "stretch": "the work between breaks is shorter than min_stretch or longer than max_stretch",
}


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
        *faults_in_rules(problem),
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
        if (problem.days[i].date - problem.days[i - 1].date).days != 1:
            yield f"problem.days[{i}].date: not the day after the one before it"
    for i, day in enumerate(problem.days):
        if not 1900 <= day.date.year <= 2200:
            yield f"problem.days[{i}].date: a year from 1900 to 2200 expected"
        if day.burden < 0:
            yield f"problem.days[{i}].burden: below zero"
    if not 0 <= problem.history_days <= LONGEST_HISTORY:
        yield f"problem.history_days: 0 to {LONGEST_HISTORY} expected"
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
        for n, pause in enumerate(shift.breaks):
            if not shift.start <= pause.start < pause.end <= shift.end:
                yield f"{path}.breaks[{n}]: a break must lie within the shift"
            if (pause.earliest is None) != (pause.latest is None):
                yield f"{path}.breaks[{n}]: a window has both earliest and latest"
            elif (pause.earliest or shift.start) < shift.start or (
                pause.latest or shift.end
            ) > shift.end:
                yield f"{path}.breaks[{n}]: the window must lie within the shift"
        reason = fault_of_breaks(shift, [pause.start for pause in shift.breaks])
        if reason is not None:
            yield f"{path}.breaks: {BREAK_FAULTS[reason]}"
        if shift.reach_minutes is not None and shift.mode != "standby":
            yield f"{path}.reach_minutes: only a standby shift has one"


def _agents(problem: RosterProblem) -> Iterator[str]:
    shifts = {shift.id for shift in problem.shifts}
    for i, agent in enumerate(problem.agents):
        path = f"problem.agents[{i}]"
        yield from unknown(agent.shifts or (), shifts, "shift", f"{path}.shifts")
        if agent.day_minutes < 0:
            yield f"{path}.day_minutes: below zero"
        low, high = agent.min_minutes, agent.max_minutes
        if low is not None and high is not None and low > high:
            yield f"{path}.min_minutes: more than max_minutes"
        yield from _person(agent, path)


def _person(agent: Agent, path: str) -> Iterator[str]:
    for i, restriction in enumerate(agent.restrictions):
        if restriction.first > restriction.last:
            yield f"{path}.restrictions[{i}]: the first day is after the last"
        if (restriction.kind == "short_days") != (restriction.minutes is not None):
            yield f"{path}.restrictions[{i}].minutes: short_days, and no other kind, has minutes"
    for i, held in enumerate(agent.qualifications):
        at = f"{path}.qualifications[{i}]"
        if not 1 <= held.level <= FULL_LEVEL:
            yield f"{at}.level: 1 to {FULL_LEVEL} expected"
        if held.skill in agent.skills:
            yield f"{at}.skill: {held.skill!r} stands in skills too, held without an end"
        if held.first is not None and held.last is not None and held.first > held.last:
            yield f"{at}: the first day is after the last"
    for i, window in enumerate(agent.availability):
        at = f"{path}.availability[{i}]"
        if not 0 <= window.start < window.end <= LONGEST_SHIFT + DAY_MINUTES:
            yield f"{at}: 0 ≤ start < end expected"
        yield from _weekdays(window.weekdays, at)
    if agent.away_weight < 0 or agent.reach_minutes < 0:
        yield f"{path}: away_weight and reach_minutes cannot be below zero"
    if agent.away_weight and agent.home is None:
        yield f"{path}.home: away_weight needs a home site"


def _weekdays(weekdays: tuple[int, ...], path: str) -> Iterator[str]:
    if not weekdays or not set(weekdays) <= set(range(1, 8)):
        yield f"{path}.weekdays: 1 (Monday) to 7 (Sunday) expected"


def _cover(problem: RosterProblem) -> Iterator[str]:
    shifts, dates = {s.id for s in problem.shifts}, {d.date for d in problem.days}
    for i, cover in enumerate(problem.shift_cover):
        path = f"problem.shift_cover[{i}]"
        yield from unknown([cover.shift], shifts, "shift", f"{path}.shift")
        yield from unknown([cover.date], dates, "day", f"{path}.date")
        if not 0 <= cover.minimum <= cover.desired:
            yield f"{path}: 0 ≤ minimum ≤ desired expected"
        if cover.most < cover.desired:
            yield f"{path}.maximum: less than desired"
        if not 1 <= cover.min_level <= FULL_LEVEL:
            yield f"{path}.min_level: 1 to {FULL_LEVEL} expected"
        if min(cover.under_weight, cover.minimum_weight, cover.over_weight) < 0:
            yield f"{path}: a weight is below zero"
    for i, span in enumerate(problem.interval_cover):
        path = f"problem.interval_cover[{i}]"
        yield from unknown([span.date], dates, "day", f"{path}.date")
        if not 0 <= span.start < span.end <= DAY_MINUTES:
            yield f"{path}: 0 ≤ start < end ≤ 1440 expected"
        if problem.slot_minutes > 0 and (
            span.start % problem.slot_minutes or span.end % problem.slot_minutes
        ):
            yield f"{path}: start and end must be multiples of slot_minutes"
        if not 0 <= span.minimum <= span.desired:
            yield f"{path}: 0 ≤ minimum ≤ desired expected"
        if span.most < span.desired:
            yield f"{path}.maximum: less than desired"
        if not 1 <= span.min_level <= FULL_LEVEL:
            yield f"{path}.min_level: 1 to {FULL_LEVEL} expected"
        if min(span.under_weight, span.minimum_weight, span.over_weight) < 0:
            yield f"{path}: a weight is below zero"


def _posts(problem: RosterProblem) -> Iterator[str]:
    shifts, dates = {s.id for s in problem.shifts}, {d.date for d in problem.days}
    for i, post in enumerate(problem.posts):
        path = f"problem.posts[{i}]"
        yield from unknown(post.shifts, shifts, "shift", f"{path}.shifts")
        yield from unknown(post.days, dates, "day", f"{path}.days")
        if len(set(post.days)) < len(post.days):
            yield f"{path}.days: a day occurs twice"
        if post.count < 1 or post.weight < 0 or post.burden_percent < 0:
            yield f"{path}: count at least 1, weight and burden_percent at least 0 expected"
        if post.reach_minutes is not None and post.reach_minutes < 0:
            yield f"{path}.reach_minutes: below zero"
        if post.exclusive and post.shifts:
            yield f"{path}: an exclusive post cannot ask for shifts"


def _given(problem: RosterProblem) -> Iterator[str]:
    agents, shifts = {a.id for a in problem.agents}, {s.id for s in problem.shifts}
    dates, posts = {d.date for d in problem.days}, {p.id: p for p in problem.posts}
    for part in ("requests", "locks", "forbidden", "published"):
        for i, item in enumerate(getattr(problem, part)):
            path = f"problem.{part}[{i}]"
            yield from unknown([item.agent], agents, "agent", f"{path}.agent")
            yield from unknown([item.date], dates, "day", f"{path}.date")
            if item.shift is not None:
                yield from unknown([item.shift], shifts, "shift", f"{path}.shift")
    for i, request in enumerate(problem.requests):
        if request.weight < 0:
            yield f"problem.requests[{i}].weight: below zero"
    for part in ("locks", "published"):
        cells = Counter((cell.agent, cell.date) for cell in getattr(problem, part))
        for (agent, day), n in cells.items():
            if n > 1:
                yield f"problem.{part}: {agent!r} on {day} occurs {n} times"
    for i, pin in enumerate(problem.pins):
        yield from unknown(pin.agents or (), agents, "agent", f"problem.pins[{i}].agents")
        if pin.first > pin.last:
            yield f"problem.pins[{i}]: the first day is after the last"
    for i, like in enumerate(problem.preferences):
        path = f"problem.preferences[{i}]"
        yield from unknown([like.agent], agents, "agent", f"{path}.agent")
        yield from unknown(like.shifts, shifts, "shift", f"{path}.shifts")
        yield from _weekdays(like.weekdays, path)
        if like.weight < 0:
            yield f"{path}.weight: below zero"
        if like.on and not like.shifts:
            yield f"{path}.shifts: which shifts are preferred?"
    for i, absence in enumerate(problem.leave):
        yield from unknown([absence.agent], agents, "agent", f"problem.leave[{i}].agent")
        if absence.first > absence.last:
            yield f"problem.leave[{i}]: the first day is after the last"
        if (absence.start is None) != (absence.end is None):
            yield f"problem.leave[{i}]: hours have both start and end"
        elif not 0 <= (absence.start or 0) < (absence.end or DAY_MINUTES) <= DAY_MINUTES:
            yield f"problem.leave[{i}]: 0 ≤ start < end ≤ 1440 expected"
    for i, held in enumerate(problem.post_locks):
        path = f"problem.post_locks[{i}]"
        yield from unknown([held.agent], agents, "agent", f"{path}.agent")
        yield from unknown([held.post], posts, "post", f"{path}.post")
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
        yield from unknown([past.agent], agents, "agent", f"{path}.agent")
        yield from unknown([past.shift], shifts, "shift", f"{path}.shift")
        if not 1 <= (first - past.date).days <= problem.history_days:
            yield f"{path}.date: {past.date} is not within history_days before the first day"
        if (past.agent, past.date) in seen:
            yield f"{path}: {past.agent!r} has two shifts on {past.date}"
        seen.add((past.agent, past.date))
