"""Watch or overtime (值班 or 加班), and what the days of a duty table cost by pay class.

A watch during which tickets were worked is carrying on one's own post, which is overtime. What a
record proves of working time is a house rule (⚠ case practice, regional): an entry of an agent
on a ticket stands for the minutes before it, and work close together is one piece of work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from scheduler.labour import MAINLAND_CHINA, LabourLaw
from scheduler.pay import DayTypes, DutyKind, PayClass, WorkedDuty, price

SOURCE = "house rule: an entry on a ticket proves the minutes of work before it"
PROVES_MIN = 15
BRIDGES_MIN = 30


@dataclass(frozen=True, slots=True)
class Act:
    """An agent's entry on a ticket."""

    at: datetime
    ticket: str


@dataclass(frozen=True, slots=True)
class WatchWork:
    """Work found in a watch: from when to when, on which tickets."""

    start: datetime
    end: datetime
    tickets: tuple[str, ...]

    @property
    def minutes(self) -> int:
        return int((self.end - self.start) // timedelta(minutes=1))


def work_in_watch(
    acts: Iterable[Act],
    start: datetime,
    end: datetime,
    elsewhere: Sequence[tuple[datetime, datetime]] = (),
) -> tuple[WatchWork, ...]:
    """Pieces of work in a watch from `start` to `end`, in order.

    Parameters
    ----------
    elsewhere : sequence of (start, end)
        Rostered duties of the same person: entries made then are no work of the watch.
    """
    pieces: list[tuple[datetime, datetime, list[str]]] = []
    for act in sorted(acts, key=lambda one: (one.at, one.ticket)):
        if not start < act.at <= end or any(since < act.at <= to for since, to in elsewhere):
            continue
        edge = max([start, *(to for _, to in elsewhere if to < act.at)])
        since = max(edge, act.at - timedelta(minutes=PROVES_MIN))
        if pieces and since - pieces[-1][1] <= timedelta(minutes=BRIDGES_MIN) and (
            edge <= pieces[-1][0]
        ):  # fmt: skip
            first, _, tickets = pieces.pop()
            pieces.append((first, act.at, [*tickets, act.ticket]))
        else:
            pieces.append((since, act.at, [act.ticket]))
    return tuple(
        WatchWork(since, to, tuple(dict.fromkeys(tickets))) for since, to, tickets in pieces
    )


@dataclass(frozen=True, slots=True)
class ClassCost:
    """Hours of one pay class on one day, and their pay beyond the monthly wage.

    `hour_wages` counts the pay in wages of an hour; `amount` in money, None without a wage.
    """

    date: date
    pay_class: PayClass
    percent: Decimal
    minutes: Decimal
    hour_wages: Decimal
    amount: Decimal | None
    source: str


def unit_wage(on: date, law: LabourLaw = MAINLAND_CHINA) -> Decimal:
    """The monthly wage of somebody who earns 1 an hour."""
    return law.value("paid_days_a_month", on) * law.value("standard_day", on)


def cost_by_day(
    duties: Mapping[str, Sequence[WorkedDuty]],
    day_type: DayTypes,
    month_wage: Decimal | None,
    law: LabourLaw = MAINLAND_CHINA,
) -> tuple[ClassCost, ...]:
    """What the duties of each person cost, by date and pay class; a duty is split at midnight.

    Parameters
    ----------
    duties : mapping of agent to duties
    month_wage : Decimal, optional
        Monthly wage to reckon with; the same for all, since no personal wage is kept.
    """
    sums: dict[tuple[date, PayClass, Decimal, str], list[Decimal]] = {}
    # people with the same duties are priced once
    for theirs, people in Counter(tuple(theirs) for theirs in duties.values() if theirs).items():
        unit = unit_wage(min(duty.start for duty in theirs).date(), law)
        for span in price(theirs, day_type, month_wage or unit, law):
            key = (span.start.date(), span.pay_class, span.percent, span.source)
            total = sums.setdefault(key, [Decimal(0), Decimal(0)])
            total[0] += people * span.minutes
            total[1] += people * span.amount
    return tuple(
        ClassCost(
            day, pay_class, percent, minutes, _hour_wages(minutes, percent),
            amount if month_wage is not None else None, source,
        )
        for (day, pay_class, percent, source), (minutes, amount) in sorted(sums.items())
    )  # fmt: skip


def price_work(
    work: WatchWork,
    day_type: DayTypes,
    month_wage: Decimal | None,
    law: LabourLaw = MAINLAND_CHINA,
) -> tuple[ClassCost, ...]:
    """What a piece of work found in a watch costs as overtime."""
    duty = WorkedDuty(work.start, work.end, kind=DutyKind.OVERTIME)
    return cost_by_day({"": (duty,)}, day_type, month_wage, law)


def _hour_wages(minutes: Decimal, percent: Decimal) -> Decimal:
    return (minutes * percent / 6000).quantize(Decimal("0.01"))
