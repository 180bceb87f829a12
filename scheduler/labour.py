"""Working-time law as data: day types, limits, percentages and constants, each with its source.

Every figure is a `Clause` with its source and its dates of force; change the data, not the code.
This is product knowledge, not legal advice: clauses marked ``certain=False`` rest on weak sources
and are to be confirmed by an administrator before a rule set takes effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from scheduler.errors import SchedulingError


class DayType(StrEnum):
    """What a date is in the official calendar (全国年节及纪念日放假办法 arts. 2, 6, 7)."""

    WORKDAY = "workday"
    REST_DAY = "rest_day"
    STATUTORY_HOLIDAY = "statutory_holiday"
    MAKE_UP_WORKDAY = "make_up_workday"


@dataclass(frozen=True, slots=True)
class Clause:
    """One figure of the law.

    Parameters
    ----------
    code : str
        What it is, e.g. ``overtime_percent``.
    value : Decimal
        In `unit`.
    source : str
        Article or notice.
    since, until : date
        First and last day of force; without `until` it is in force still.
    certain : bool
        False where the source is weak: show it, and let the desk configure it.
    """

    code: str
    value: Decimal
    unit: str
    source: str
    since: date
    until: date | None = None
    certain: bool = True

    def in_force(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class LabourLaw:
    """A country's working-time law: all clauses, of any date.

    Raises
    ------
    SchedulingError
        Two clauses of one code are in force on the same day.
    """

    country: str
    clauses: tuple[Clause, ...]

    def __post_init__(self) -> None:
        ordered = sorted(self.clauses, key=lambda clause: (clause.code, clause.since))
        for earlier, later in pairwise(ordered):
            if earlier.code == later.code and earlier.in_force(later.since):
                raise SchedulingError(f"two clauses {later.code!r} are in force on {later.since}")

    def find(self, code: str, on: date) -> Clause | None:
        """The clause in force on a day, or None: the law said nothing of it then."""
        return next((one for one in self._of_code.get(code, ()) if one.in_force(on)), None)

    @cached_property
    def _of_code(self) -> dict[str, list[Clause]]:
        """Pricing a month of a hundred people looks clauses up ten thousand times."""
        found: dict[str, list[Clause]] = {}
        for clause in self.clauses:
            found.setdefault(clause.code, []).append(clause)
        return found

    def clause(self, code: str, on: date) -> Clause:
        """The clause in force on a day.

        Raises
        ------
        SchedulingError
            There is none.
        """
        found = self.find(code, on)
        if found is None:
            raise SchedulingError(f"no clause {code!r} of {self.country} is in force on {on}")
        return found

    def value(self, code: str, on: date) -> Decimal:
        return self.clause(code, on).value


def _clause(
    code: str, value: str, unit: str, source: str, since: str, until: str = "", certain: bool = True
) -> Clause:
    last = date.fromisoformat(until) if until else None
    return Clause(code, Decimal(value), unit, source, date.fromisoformat(since), last, certain)


_DAYS_2025 = "人社部发〔2025〕2号"
_DAYS_2008 = "劳社部发〔2008〕3号"
_LABOUR_LAW = "劳动法"

MAINLAND_CHINA = LabourLaw("CN", (
    _clause("standard_day", "8", "h", "国务院关于职工工作时间的规定 art. 3", "1995-05-01"),
    _clause("standard_week", "40", "h", "国务院关于职工工作时间的规定 art. 3", "1995-05-01"),
    _clause("weekly_rest", "1", "day", f"{_LABOUR_LAW} art. 38", "1995-01-01"),
    _clause("overtime_day", "3", "h", f"{_LABOUR_LAW} art. 41", "1995-01-01"),
    _clause("overtime_month", "36", "h", f"{_LABOUR_LAW} art. 41", "1995-01-01"),
    _clause("overtime_percent", "150", "%", f"{_LABOUR_LAW} art. 44 (1)", "1995-01-01"),
    _clause("rest_day_percent", "200", "%", f"{_LABOUR_LAW} art. 44 (2)", "1995-01-01"),
    _clause("statutory_percent", "300", "%", f"{_LABOUR_LAW} art. 44 (3)", "1995-01-01"),
    _clause("watch_percent", "0", "%", "house rule; case practice, regional", "1995-01-01",
            certain=False),
    _clause("days_in_a_row", "6", "day", "全国年节及纪念日放假办法 art. 7", "2025-01-01",
            certain=False),
    _clause("night_from", "22", "h", "common use", "1995-01-01", certain=False),
    _clause("night_until", "6", "h", "common use", "1995-01-01", certain=False),
    _clause("paid_days_a_month", "21.75", "day", _DAYS_2008, "2008-01-03", "2024-12-31"),
    _clause("paid_days_a_month", "21.75", "day", _DAYS_2025, "2025-01-01"),
    _clause("work_days_a_month", "20.83", "day", _DAYS_2008, "2008-01-03", "2024-12-31"),
    _clause("work_days_a_month", "20.67", "day", _DAYS_2025, "2025-01-01"),
    _clause("work_days_a_year", "250", "day", _DAYS_2008, "2008-01-03", "2024-12-31"),
    _clause("work_days_a_year", "248", "day", _DAYS_2025, "2025-01-01"),
))  # fmt: skip


def night_minutes(start: int, end: int, law: LabourLaw, on: date) -> int:
    """Minutes of a shift within the night; `start` and `end` are minutes from midnight of `on`."""
    dusk = int(law.value("night_from", on) * 60)
    dawn = int(law.value("night_until", on) * 60)
    nights = ((day * 1440 + dusk - 1440, day * 1440 + dawn) for day in range(end // 1440 + 2))
    return sum(max(0, min(end, until) - max(start, since)) for since, until in nights)
