"""The judge of each kind of rule: how much of it is broken, from the lines alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from scheduler.problem import rules as r
from scheduler.verify import amounts, people, sequences
from scheduler.verify.found import Found
from scheduler.verify.lines import Lines

JUDGES: dict[type, Callable[[Any, Lines], Iterator[Found]]] = {
    r.MinRest: sequences.min_rest,
    r.ForbiddenSuccession: sequences.forbidden_succession,
    r.MaxConsecutive: sequences.max_consecutive,
    r.MinConsecutive: sequences.min_consecutive,
    r.MinDaysOff: sequences.min_days_off,
    r.RestDays: sequences.rest_days,
    r.RestAfter: sequences.rest_after,
    r.MinutesLimit: amounts.minutes_limit,
    r.OvertimeLimit: amounts.overtime_limit,
    r.ContractMinutes: amounts.contract_minutes,
    r.MaxWeekends: sequences.max_weekends,
    r.WholeWeekends: sequences.whole_weekends,
    r.StartChange: sequences.start_change,
    r.Rotation: sequences.rotation,
    r.ShiftLimit: amounts.shift_limit,
    r.Apart: people.apart,
    r.Together: people.together,
    r.FairShare: people.fair_share,
    r.NamedDayRepeat: people.named_day_repeat,
    r.Stability: people.stability,
}
