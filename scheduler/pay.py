"""The class of every hour worked, and its pay beyond the monthly wage.

Times are local to the calendar: naive, or aware with the calendar's zone. Money is `Decimal`.
Source: 劳动法 art. 44; 工资支付暂行规定 art. 13 (clauses in `scheduler.labour`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import chain, pairwise
from typing import TypeAlias

from scheduler.errors import SchedulingError
from scheduler.labour import MAINLAND_CHINA, DayType, LabourLaw

DayTypes: TypeAlias = Callable[[date], DayType]
CENT = Decimal("0.01")


class DutyKind(StrEnum):
    """What a duty is by law; a watch (值班) or standby is no work on one's own post.

    ``ordinary`` is rostered work, of which only what exceeds the standard day is overtime;
    ``overtime`` is work ordered beyond it, so that none of it is ordinary on a workday.
    """

    ORDINARY = "ordinary"
    OVERTIME = "overtime"
    WATCH = "watch"
    STANDBY = "standby"


class PayClass(StrEnum):
    """The class of an hour, which decides its pay beyond the monthly wage."""

    ORDINARY = "ordinary"
    OVERTIME = "overtime"
    REST_DAY = "rest_day"
    STATUTORY_HOLIDAY = "statutory_holiday"
    IN_LIEU = "in_lieu"
    WATCH = "watch"


METERED = (PayClass.OVERTIME, PayClass.REST_DAY, PayClass.STATUTORY_HOLIDAY)


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """Time worked within one date, with that date's type."""

    start: datetime
    end: datetime
    day_type: DayType

    @property
    def minutes(self) -> Decimal:
        return _minutes(self.start, self.end)


@dataclass(frozen=True, slots=True)
class WorkedDuty:
    """A duty as it was worked.

    Parameters
    ----------
    start, end : datetime
        Local to the calendar.
    breaks : sequence of (start, end)
        Unpaid time within it.
    kind : DutyKind
        Watch and standby are paid by `watch_percent`; work done during them is a duty of its own
        and a break of theirs.
    in_lieu : bool
        Time off in lieu (补休) was given; it replaces pay for rest days only.
    """

    start: datetime
    end: datetime
    breaks: Sequence[tuple[datetime, datetime]] = ()
    kind: DutyKind = DutyKind.ORDINARY
    in_lieu: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "breaks", tuple(self.breaks))  # duties are told apart by hash
        if not self.start < self.end:
            raise SchedulingError(f"a duty from {self.start} to {self.end} does not end after it")
        edge = self.start
        for start, end in self.breaks:
            if not edge <= start < end <= self.end:
                raise SchedulingError(
                    f"the break {start} to {end} does not lie within the duty, in order"
                )
            edge = end


@dataclass(frozen=True, slots=True)
class PricedSpan:
    """Time of one class, with the pay it brings beyond the monthly wage."""

    start: datetime
    end: datetime
    minutes: Decimal
    pay_class: PayClass
    percent: Decimal
    amount: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class ComprehensiveHours:
    """Leave to count hours over a whole period (综合计算工时; 劳部发〔1994〕503).

    Parameters
    ----------
    approval : str
        Number of the approval.
    first, last : date
        Days for which it holds, and which are counted together.
    work_days : int
        Working days of that period; 8 h each are ordinary whatever day they fall on.
    """

    approval: str
    first: date
    last: date
    work_days: int

    def __post_init__(self) -> None:
        if not self.approval.strip():
            raise SchedulingError("comprehensive hours need the number of their approval")


def hour_wage(month_wage: Decimal, on: date, law: LabourLaw = MAINLAND_CHINA) -> Decimal:
    """Wage of an hour: month ÷ paid days a month ÷ standard day (exact, not rounded)."""
    return month_wage / law.value("paid_days_a_month", on) / law.value("standard_day", on)


def split_at_midnight(start: datetime, end: datetime, day_type: DayTypes) -> tuple[WorkSpan, ...]:
    """Cut a stretch of time at every midnight and tell the type of each date."""
    spans = []
    while start < end:
        next_day = start.date() + timedelta(days=1)
        stop = min(end, datetime.combine(next_day, time(0), tzinfo=start.tzinfo))
        spans.append(WorkSpan(start, stop, DayType(day_type(start.date()))))
        start = stop
    return tuple(spans)


def rotating_rest(day_type: DayTypes, days_off: Collection[date]) -> DayTypes:
    """Day types of a person whose weekly rest rotates (轮休): the roster's days off are rest days.

    Statutory holidays stay what they are. Source: 劳动法 arts. 38, 39; regional practice.
    """

    def personal(on: date) -> DayType:
        if day_type(on) == DayType.STATUTORY_HOLIDAY:
            return DayType.STATUTORY_HOLIDAY
        return DayType.REST_DAY if on in days_off else DayType.WORKDAY

    return personal


def price(
    duties: Sequence[WorkedDuty],
    day_type: DayTypes,
    month_wage: Decimal,
    law: LabourLaw = MAINLAND_CHINA,
    comprehensive: ComprehensiveHours | None = None,
) -> tuple[PricedSpan, ...]:
    """Class every minute of one person's duties and price it.

    A duty over midnight is split; each part has the class of its own date. On workdays the first
    eight hours of a date's duties are ordinary, the rest overtime; a duty that began the day
    before counts for the day it began on. With comprehensive hours, only what exceeds the
    period's total is overtime, whatever the day; statutory holidays are 300 % all the same.

    Parameters
    ----------
    duties : sequence of WorkedDuty
        In any order; they must not overlap.
    day_type : callable
        Date → day type; see `rotating_rest` for people without a fixed weekend.
    month_wage : Decimal
        Monthly wage the hour is computed from.

    Returns
    -------
    tuple of PricedSpan
        In order of time; the amounts (to the cent) are pay beyond the monthly wage.

    Raises
    ------
    SchedulingError
        Duties overlap, a duty lies outside the approval, or no clause is in force.
    """
    ordered = sorted(duties, key=lambda duty: duty.start)
    stretches = sorted(stretch for duty in ordered for stretch in _stretches(duty))
    for (_, earlier_end), (later_start, _) in pairwise(stretches):
        if later_start < earlier_end:
            raise SchedulingError(f"two duties overlap at {later_start}")
    priced: list[PricedSpan] = []
    left: dict[date, Decimal] = {}
    wages: dict[date, Decimal] = {}
    for duty in ordered:
        # ordinary minutes are counted per day a duty begins on, or over the whole period
        account = comprehensive.first if comprehensive else duty.start.date()
        left.setdefault(account, _allowance(duty.start.date(), law, comprehensive))
        spans = (split_at_midnight(*stretch, day_type) for stretch in _stretches(duty))
        for span in chain.from_iterable(spans):
            on = span.start.date()
            if on not in wages:
                wages[on] = hour_wage(month_wage, on, law)
            fixed = _fixed_class(duty, span, comprehensive)
            if fixed is not None:
                parts = [(span.minutes, fixed)]
            else:
                ordinary = min(span.minutes, left[account])
                left[account] -= ordinary
                beyond = span.minutes - ordinary
                parts = [(ordinary, PayClass.ORDINARY), (beyond, PayClass.OVERTIME)]
            priced += _price_parts(span, [part for part in parts if part[0]], wages[on], law)
    return tuple(sorted(priced, key=lambda span: span.start))


def total(spans: Sequence[PricedSpan]) -> Decimal:
    """Pay beyond the monthly wage."""
    return sum((span.amount for span in spans), Decimal(0))


def overtime_meter(spans: Sequence[PricedSpan]) -> dict[tuple[int, int], Decimal]:
    """Minutes of overtime per (year, month): beyond ordinary hours, on rest days, on holidays.

    Hours answered with time off in lieu do not count. Source: 劳动法 arts. 41, 44.
    """
    meter: dict[tuple[int, int], Decimal] = {}
    for span in spans:
        if span.pay_class in METERED:
            month = (span.start.year, span.start.month)
            meter[month] = meter.get(month, Decimal(0)) + span.minutes
    return meter


def _allowance(on: date, law: LabourLaw, comprehensive: ComprehensiveHours | None) -> Decimal:
    """Ordinary minutes of a date, or of the whole period."""
    standard = law.value("standard_day", on) * 60
    if comprehensive is None:
        return standard
    if not comprehensive.first <= on <= comprehensive.last:
        raise SchedulingError(
            f"the approval {comprehensive.approval!r} of comprehensive hours does not cover {on}"
        )
    return standard * comprehensive.work_days


def _fixed_class(
    duty: WorkedDuty, span: WorkSpan, comprehensive: ComprehensiveHours | None
) -> PayClass | None:
    """The class that the kind of duty and the date decide alone; None where hours are counted."""
    if duty.kind in (DutyKind.WATCH, DutyKind.STANDBY):
        return PayClass.WATCH
    if span.day_type == DayType.STATUTORY_HOLIDAY:
        return PayClass.STATUTORY_HOLIDAY
    if comprehensive is not None:
        return None
    if span.day_type == DayType.REST_DAY:
        return PayClass.IN_LIEU if duty.in_lieu else PayClass.REST_DAY
    return PayClass.OVERTIME if duty.kind == DutyKind.OVERTIME else None


def _stretches(duty: WorkedDuty) -> list[tuple[datetime, datetime]]:
    """The duty without its breaks."""
    edges = [duty.start, *(edge for pause in duty.breaks for edge in pause), duty.end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in pairs if start < end]


def _price_parts(
    span: WorkSpan, parts: Sequence[tuple[Decimal, PayClass]], wage: Decimal, law: LabourLaw
) -> list[PricedSpan]:
    clauses = {
        PayClass.OVERTIME: "overtime_percent",
        PayClass.REST_DAY: "rest_day_percent",
        PayClass.STATUTORY_HOLIDAY: "statutory_percent",
        PayClass.WATCH: "watch_percent",
        PayClass.IN_LIEU: "rest_day_percent",
        PayClass.ORDINARY: "standard_day",
    }
    priced, start = [], span.start
    for minutes, pay_class in parts:
        clause = law.clause(clauses[pay_class], span.start.date())
        unpaid = pay_class in (PayClass.ORDINARY, PayClass.IN_LIEU)
        percent = Decimal(0) if unpaid else clause.value
        amount = (wage * minutes / 60 * percent / 100).quantize(CENT, ROUND_HALF_UP)
        end = _after(start, minutes)
        priced.append(PricedSpan(start, end, minutes, pay_class, percent, amount, clause.source))
        start = end
    return priced


def _minutes(start: datetime, end: datetime) -> Decimal:
    """Elapsed minutes, true across clock changes."""
    if start.tzinfo is not None:
        start, end = start.astimezone(UTC), end.astimezone(UTC)
    return Decimal((end - start) // timedelta(seconds=1)) / 60


def _after(start: datetime, minutes: Decimal) -> datetime:
    length = timedelta(seconds=int(minutes * 60))
    if start.tzinfo is None:
        return start + length
    return (start.astimezone(UTC) + length).astimezone(start.tzinfo)
