"""Whether the rules of a problem fit its people, shifts and days: every fault, with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from scheduler.problem import rules as r

if TYPE_CHECKING:
    from scheduler.problem.problem import RosterProblem

CYCLE_WORDS = ("", "off", "on")
NOT_NEGATIVE = (
    "minutes", "days", "days_off", "weekends", "minimum", "maximum", "tolerance", "standard_day",
    "earlier_by", "later_by",
)  # fmt: skip


def faults_in_rules(problem: RosterProblem) -> Iterator[str]:
    """One line per fault."""
    agents, shifts = {a.id for a in problem.agents}, {s.id for s in problem.shifts}
    dates, teams = {d.date for d in problem.days}, {a.team for a in problem.agents if a.team}
    for i, rule in enumerate(problem.rules):
        path = f"problem.rules[{i}]"
        yield from unknown(rule.agents or (), agents, "agent", f"{path}.agents")
        yield from unknown(rule.teams or (), teams, "team", f"{path}.teams")
        if rule.weight is not None and rule.weight < 0:
            yield f"{path}.weight: below zero"
        for field in ("shifts", "first", "then"):
            yield from unknown(getattr(rule, field, ()), shifts, "shift", f"{path}.{field}")
        for field in NOT_NEGATIVE:
            number = getattr(rule, field, None)
            if number is not None and number < 0:
                yield f"{path}.{field}: below zero"
        for field in ("window", "unit", "run", "enough"):
            number = getattr(rule, field, None)
            if number is not None and number < 1:
                yield f"{path}.{field}: at least 1 expected"
        for field in ("past", "held", "earlier"):
            named = [item.agent for item in getattr(rule, field, ())]
            yield from unknown(named, agents, "agent", f"{path}.{field}")
        yield from _by_kind(rule, path, shifts, dates)


def _by_kind(rule: r.Rule, path: str, shifts: set[str], dates: set[date]) -> Iterator[str]:
    if isinstance(rule, r.FairShare | r.NamedDayRepeat | r.Stability) and rule.hard:
        yield f"{path}.weight: this kind of rule is always soft; give it a weight"
    if isinstance(rule, r.Apart | r.Together) and len(rule.agents or ()) < 2 and not rule.teams:
        yield f"{path}.agents: at least two agents expected"
    if isinstance(rule, r.Together) and not rule.mutual and not rule.agents:
        yield f"{path}.agents: the first of them may work only with the others"
    if isinstance(rule, r.StartChange) and rule.earlier_by is None and rule.later_by is None:
        yield f"{path}: earlier_by or later_by expected"
    if isinstance(rule, r.Rotation):
        yield from unknown(rule.cycle, shifts | set(CYCLE_WORDS), "shift", f"{path}.cycle")
        if not rule.cycle:
            yield f"{path}.cycle: at least one day expected"
        for word in sorted(shifts & {"off", "on"}):
            yield f"{path}.cycle: a shift is called {word!r}, a word of its own in a rotation"
    if getattr(rule, "past", ()) and getattr(rule, "period", "") in ("day", "rolling"):
        yield f"{path}.past: only a week, a month or the whole has a part before the known days"
    if isinstance(rule, r.MaxWeekends) and rule.past and rule.window is not None:
        yield f"{path}.past: counts over the whole only; give history_days for a window"
    if isinstance(rule, r.RestDays) and not rule.rolling and rule.window != 7:
        yield f"{path}.window: calendar weeks have 7 days; set rolling for others"
    if isinstance(rule, r.Stability):
        for cell in rule.earlier:
            yield from unknown([cell.date], dates, "day", f"{path}.earlier")
            yield from unknown({cell.shift} - {None}, shifts, "shift", f"{path}.earlier")
    if isinstance(rule, r.RestDays) and rule.days > rule.window:
        yield f"{path}.days: more days than the window has"
    if isinstance(rule, r.ShiftLimit | r.MinutesLimit):
        low, high = rule.minimum, rule.maximum
        if low is None and high is None:
            yield f"{path}: a minimum or a maximum expected"
        elif low is not None and high is not None and low > high:
            yield f"{path}.minimum: more than maximum"


def unknown(
    names: Iterable[object], known: Iterable[object], what: str, path: str
) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{path}: there is no {what} {str(name)!r}"
