"""The monthly service-level report: met, missed, paused time, reasons and trend."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import xlsxwriter
from sqlmodel import Session, col, select

from grading.intervals import wilson
from wfm import access
from wfm.access import Actor
from wfm.kept import copies, kept
from wfm.services.clock_targets import SLA_SLOT
from wfm.sla.words import METRICS
from wfm.tables import Customer, Service, Ticket, TicketClock

TREND_MONTHS = 6
LONGEST = 500

REASONS: dict[str, tuple[str, str]] = {
    "reopened": ("reopened after a resolution", "解决后被重开"),
    "transferred": ("passed between teams or agents", "多次转派"),
    "queued": ("nobody had it for half of its time", "超过一半时限无人接手"),
    "paused": ("paused for longer than its limit", "暂停时间超过时限"),
    "open": ("still open", "尚未完成"),
    "work": ("the work took longer", "处理时间超出时限"),
}


WORDS = {
    "targets": ("Targets", "服务目标"), "customers": ("Customers", "客户"),
    "reasons": ("Reasons", "原因"), "service": ("Service", "服务"), "metric": ("Metric", "指标"),
    "priority": ("Priority", "优先级"), "clocks": ("Clocks", "计时数"), "met": ("Met", "达标"),
    "missed": ("Missed", "未达标"), "share": ("Share met", "达标率"), "low": ("From", "下限"),
    "high": ("To", "上限"), "agreed": ("Agreed", "承诺"), "paused_min": ("Paused min", "暂停分钟"),
    "customer": ("Customer", "客户"), "reason": ("Reason", "原因"),
} | {str(metric): names for metric, names in METRICS.items()}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """What a report covers; empty codes: all."""

    month: date  # its first day
    service: str = ""
    customer: str = ""

    @property
    def until(self) -> date:
        return add_months(self.month, 1)


@dataclass(frozen=True)
class Line:
    """One service, metric and priority, with the shares of the months before."""

    service: Service | None
    metric: str
    priority: int
    clocks: int
    met: int
    paused_s: int
    agreed_share: float | None
    low: float
    high: float
    trend: tuple[float | None, ...]

    @property
    def missed(self) -> int:
        return self.clocks - self.met

    @property
    def share(self) -> float:
        return self.met / self.clocks

    @property
    def kept(self) -> bool | None:
        return None if self.agreed_share is None else self.share >= self.agreed_share


@dataclass(frozen=True)
class CustomerLine:
    """One customer and service."""

    customer: Customer | None
    service: Service | None
    clocks: int
    met: int
    paused_s: int

    @property
    def share(self) -> float:
        return self.met / self.clocks


@dataclass(frozen=True)
class Report:
    scope: Scope
    months: tuple[date, ...]
    lines: tuple[Line, ...]
    customers: tuple[CustomerLine, ...]
    reasons: tuple[tuple[str, int], ...]
    services: tuple[Service, ...]
    all_customers: tuple[Customer, ...]
    as_of: datetime

    @property
    def clocks(self) -> int:
        return sum(line.clocks for line in self.lines)

    @property
    def met(self) -> int:
        return sum(line.met for line in self.lines)

    @property
    def paused_s(self) -> int:
        return sum(line.paused_s for line in self.lines)

    @property
    def share(self) -> float | None:
        return self.met / self.clocks if self.clocks else None


def add_months(day: date, months: int) -> date:
    """The first day of the month so many months on."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def monthly(session: Session, actor: Actor, scope: Scope, timezone: str, at: datetime) -> Report:
    """The report of one month, for all or for one customer and service."""
    access.require(actor, "agreements.view")
    return kept(
        session, ("service report", scope, timezone), at,
        lambda: _monthly(session, scope, timezone, at),
    )  # fmt: skip


def _monthly(session: Session, scope: Scope, timezone: str, at: datetime) -> Report:
    services = copies(session.exec(select(Service).order_by(col(Service.code))))
    customers = copies(session.exec(select(Customer).order_by(col(Customer.code))))
    by_id = {service.id: service for service in services}
    months = tuple(add_months(scope.month, n) for n in range(1 - TREND_MONTHS, 1))
    counted = _count(session, scope, timezone, months)
    agreed = _agreed(session)
    lines = []
    for key in sorted({key for key, _ in counted}, key=str):
        now = counted.get((key, months[-1]))
        if now is None:
            continue
        service_id, metric, priority = key
        clocks, met, paused_s = now
        low, high = wilson(met, clocks)
        trend = tuple(
            past[1] / past[0] if (past := counted.get((key, month))) else None for month in months
        )
        lines.append(
            Line(
                by_id.get(service_id), metric, priority, clocks, met, paused_s,
                agreed.get((service_id, metric, priority), agreed.get((service_id, metric, None))),
                float(low), float(high), trend,
            )
        )  # fmt: skip
    lines.sort(key=lambda line: (line.service.code if line.service else "", line.metric,
                                 line.priority))  # fmt: skip
    return Report(
        scope, months, tuple(lines),
        tuple(_by_customer(session, scope, timezone, customers, by_id)),
        tuple(_reasons(session, scope, timezone)), tuple(services), tuple(customers), at,
    )  # fmt: skip


def _instant(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(timezone))


def _judged_at() -> Any:
    """When a clock was judged: as it ended, or as it ran out without having ended."""
    return sa.case(
        (col(TicketClock.ended_at).is_not(None), col(TicketClock.ended_at)),
        else_=col(TicketClock.due_at),
    )


def _where(scope: Scope, timezone: str, since: date) -> list[Any]:
    conditions = [
        col(TicketClock.slot) == SLA_SLOT,
        col(TicketClock.state).in_(("met", "breached")),
        _judged_at() >= _instant(since, timezone),
        _judged_at() < _instant(scope.until, timezone),
    ]
    if scope.service:
        conditions.append(
            col(Ticket.service_id).in_(sa.select(Service.id).where(Service.code == scope.service))  # type: ignore[call-overload]
        )
    if scope.customer:
        conditions.append(
            col(Ticket.customer_id).in_(
                sa.select(Customer.id).where(Customer.code == scope.customer)  # type: ignore[call-overload]
            )
        )
    return conditions


def _met() -> Any:
    return sa.func.count().filter(col(TicketClock.state) == "met")


def _paused() -> Any:
    return sa.func.coalesce(sa.func.sum(col(TicketClock.paused_s)), 0)


def _count(session: Session, scope: Scope, timezone: str, months: Sequence[date]) -> Any:
    month = sa.cast(sa.func.date_trunc("month", sa.func.timezone(timezone, _judged_at())), sa.Date)
    groups = (col(Ticket.service_id), col(TicketClock.metric), col(Ticket.priority))
    rows = session.execute(
        sa.select(*groups, month, sa.func.count(), _met(), _paused())
        .join(Ticket, col(Ticket.id) == TicketClock.ticket_id)
        .where(*_where(scope, timezone, months[0]))
        .group_by(*groups, sa.text("4"))
    )
    return {
        ((service, str(metric), priority), day): (clocks, met, int(paused))
        for service, metric, priority, day, clocks, met, paused in rows
    }


def _agreed(session: Session) -> dict[tuple[int | None, str, int | None], float]:
    """Agreed share by service, metric and priority, of what is in force."""
    rows = session.execute(
        sa.text(
            "select a.service_id, t.metric, t.priority, t.share from agreement_target t"
            " join agreement a on a.id = t.agreement_id where a.kind = 'sla'"
            " and a.status = 'in_force' and a.customer_id is null order by a.version"
        )
    )
    return {(service, metric, priority): share for service, metric, priority, share in rows}


def _by_customer(
    session: Session, scope: Scope, timezone: str, customers: Sequence[Customer], services: Any
) -> list[CustomerLine]:
    by_id = {customer.id: customer for customer in customers}
    rows = session.execute(
        sa.select(
            col(Ticket.customer_id), col(Ticket.service_id), sa.func.count(), _met(), _paused()
        )
        .join(Ticket, col(Ticket.id) == TicketClock.ticket_id)
        .where(*_where(scope, timezone, scope.month))
        .group_by(col(Ticket.customer_id), col(Ticket.service_id))
    )
    found = [
        CustomerLine(by_id.get(customer), services.get(service), clocks, met, int(paused))
        for customer, service, clocks, met, paused in rows
    ]
    return sorted(
        found, key=lambda line: (line.share, -line.clocks, line.customer.code if line.customer
                                 else "", line.service.code if line.service else "")
    )[:LONGEST]  # fmt: skip


def _reasons(session: Session, scope: Scope, timezone: str) -> list[tuple[str, int]]:
    """Why clocks were missed: for each the first of the reasons that applies."""

    def happened(kind: str) -> Any:
        return sa.text(
            "exists (select from ticket_event e where e.ticket_id = ticket.id"
            f" and e.kind = '{kind}')"
        )

    queued = sa.text(
        "coalesce((select min(e.at) from ticket_event e where e.ticket_id = ticket.id"
        " and e.kind = 'assigned' and e.agent_id is not null), 'infinity')"
        " > ticket_clock.started_at + make_interval(secs => ticket_clock.limit_s / 2.0)"
        " and exists (select from ticket_event e where e.ticket_id = ticket.id)"
    )
    reason = sa.case(
        (col(TicketClock.ended_at).is_(None), "open"),
        (happened("reopened"), "reopened"),
        (happened("transferred"), "transferred"),
        (col(TicketClock.paused_s) > col(TicketClock.limit_s), "paused"),
        (queued, "queued"),
        else_="work",
    )
    rows = session.execute(
        sa.select(reason, sa.func.count())
        .select_from(TicketClock)
        .join(Ticket, col(Ticket.id) == TicketClock.ticket_id)
        .where(*_where(scope, timezone, scope.month), col(TicketClock.state) == "breached")
        .group_by(sa.text("1"))
    )
    return sorted(((code, int(count)) for code, count in rows), key=lambda pair: -pair[1])


def workbook(report: Report, language: str) -> bytes:
    """The report as XLSX."""
    column = ("en", "zh").index(language)
    words = {code: names[column] for code, names in WORDS.items()}
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})

    def name(thing: Any) -> str:
        return str(getattr(thing, f"name_{language}", "") or getattr(thing, "name", "")) if thing \
            else "–"  # fmt: skip

    def sheet(title: str, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        page = book.add_worksheet(words[title][:31])
        page.write_row(0, 0, [words.get(heading, heading) for heading in headings], bold)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(number, place, value)
                else:
                    page.write(number, place, value, share if isinstance(value, float) else None)
        page.set_column(0, len(headings) - 1, 16)
        page.freeze_panes(1, 0)

    sheet(
        "targets",
        ("service", "metric", "priority", "clocks", "met", "missed", "share", "low", "high",
         "agreed", "paused_min", *(f"{month:%Y-%m}" for month in report.months)),
        [
            (name(line.service), words[line.metric], line.priority, line.clocks, line.met,
             line.missed, line.share, line.low, line.high, line.agreed_share,
             line.paused_s // 60,
             *line.trend)
            for line in report.lines
        ],
    )  # fmt: skip
    sheet(
        "customers", ("customer", "service", "clocks", "met", "missed", "share"),
        [
            (name(line.customer), name(line.service), line.clocks, line.met,
             line.clocks - line.met, line.share)
            for line in report.customers
        ],
    )  # fmt: skip
    sheet("reasons", ("reason", "missed"),
          [(REASONS[code][column], count) for code, count in report.reasons])  # fmt: skip
    book.close()
    return stream.getvalue()
