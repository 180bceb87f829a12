"""The rules of a roster as constraints: one function per rule, by subject.

A hard rule is a constraint; a soft one has a slack that costs its weight per unit, the same
units the judge counts. With `relax` hard rules get a slack as well, at that price, so that a
problem whose hard rules contradict each other still has an answer that breaks few of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduler.constraints import amounts, given, people, sequences
from scheduler.problem import rules as r
from scheduler.rows import Rows

__all__ = ["Constraints"]

GIVEN: tuple[Callable[[Rows], None], ...] = (
    given.one_duty_at_a_time,
    given.agent_minutes,
    given.protected_minutes,
    given.post_holders,
)
BY_KIND: dict[type, Callable[[Rows, Any], None]] = {
    r.MinRest: sequences.min_rest,
    r.ForbiddenSuccession: sequences.forbidden_succession,
    r.StartChange: sequences.start_change,
    r.MaxConsecutive: sequences.max_consecutive,
    r.MinConsecutive: sequences.min_consecutive,
    r.MinDaysOff: sequences.min_days_off,
    r.RestDays: sequences.rest_days,
    r.RestAfter: sequences.rest_after,
    r.MaxWeekends: sequences.max_weekends,
    r.WholeWeekends: sequences.whole_weekends,
    r.Rotation: sequences.rotation,
    r.MinutesLimit: amounts.minutes_limit,
    r.OvertimeLimit: amounts.overtime_limit,
    r.ContractMinutes: amounts.contract_minutes,
    r.ShiftLimit: amounts.shift_limit,
    r.Apart: people.apart,
    r.Together: people.together,
    r.FairShare: people.fair_share,
    r.NamedDayRepeat: people.named_day_repeat,
    r.Stability: people.stability,
}


class Constraints(Rows):
    """Adds the rules of a problem to a model."""

    def add_constraints(self) -> None:
        """What is given first, then the problem's own rules by kind."""
        for add in GIVEN:
            add(self)
        for rule in self.problem.rules:
            BY_KIND[type(rule)](self, rule)
