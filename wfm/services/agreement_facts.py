"""What the records say of an agreement: how often it is kept, what it would take, its health."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.intervals import wilson
from wfm import access
from wfm.access import Actor
from wfm.kept import kept
from wfm.services import agreement_people, agreement_seals, agreement_versions, opening
from wfm.services.agreement_check import Checked, beneath, check, targets_of
from wfm.services.agreement_seals import SealFault
from wfm.services.clock_targets import SLA_SLOT
from wfm.sla import health
from wfm.sla.documents import Gap
from wfm.tables import (
    Agreement,
    AgreementTarget,
    BusinessCalendar,
    Customer,
    Service,
    Ticket,
    TicketClock,
)
from wfm.words import AgreementKind, Metric

HISTORY = timedelta(days=183)
YEAR = timedelta(days=365)
SLOW_S = 0.1  # half a year of records is kept for some minutes from here on


@dataclass(frozen=True)
class TargetRecord:
    """How often a target would have been met, and the people its load asks for.

    `people` are those at work in the busiest hour of the week (None where no number would do),
    `mean_people` in a mean open hour; before breaks, leave, shrinkage.
    """

    target: AgreementTarget
    clocks: int
    met: int
    share: float | None
    low: float | None
    high: float | None
    people: int | None
    mean_people: int | None

    @property
    def promise_kept(self) -> bool | None:
        return None if self.share is None else self.share >= self.target.share


def history(
    session: Session, agreement: Agreement, targets: list[AgreementTarget], at: datetime,
    timezone: str,
) -> list[TargetRecord]:  # fmt: skip
    """Each target against the finished clocks of the last six months of the same work."""
    times = opening.calendar_times(session)
    desk = opening.desk_time(session, timezone)
    finished = kept(
        session, ("finished", *_work_of(agreement)), at,
        lambda: _finished(session, agreement, at - HISTORY, at), slow_s=SLOW_S,
    )  # fmt: skip
    arrived = kept(
        session, ("arrivals", *_work_of(agreement)), at,
        lambda: agreement_people.tickets(session, _of(agreement), at - HISTORY, at), slow_s=SLOW_S,
    )  # fmt: skip
    found = []
    for target in targets:
        waits = _waits(session, agreement, Metric(target.metric), at)
        same = [
            columns
            for metric, priority, columns in finished
            if metric == target.metric and target.priority in (None, priority)
        ]
        clocks, met = sum(columns.shape[1] for columns in same), 0
        calendar = times[target.calendar_id] if target.calendar_id else desk
        if clocks:
            starts, ends, paused, worst = np.concatenate(same, axis=1)
            used = calendar.elapsed_many(starts, ends) - paused
            if target.metric == Metric.NEXT_RESPONSE:
                used = np.maximum(used, worst)
            met = int((used <= target.limit_s).sum())
        elif waits is not None:  # never promised before: by what was said, pauses aside
            clocks, met = waits.kept_within(target, calendar)
        low, high = wilson(met, clocks)
        people, mean = agreement_people.people(
            waits if waits is not None else arrived, target, HISTORY, timezone
        )
        found.append(
            TargetRecord(
                target, clocks, met, met / clocks if clocks else None,
                float(low) if clocks else None, float(high) if clocks else None, people, mean,
            )
        )  # fmt: skip
    return found


def _waits(
    session: Session, agreement: Agreement, metric: Metric, at: datetime
) -> agreement_people.Work | None:
    """Waits for a next response or a callback; None for what tickets themselves wait for."""
    if metric not in agreement_people.WAITS:
        return None
    return kept(
        session, ("waits", metric, *_work_of(agreement)), at,
        lambda: agreement_people.waits(session, _of(agreement), metric, at - HISTORY, at),
    )  # fmt: skip


def _of(agreement: Agreement) -> list[Any]:
    conditions: list[Any] = []
    if agreement.service_id is not None:
        conditions.append(col(Ticket.service_id) == agreement.service_id)
    if agreement.customer_id is not None:
        conditions.append(col(Ticket.customer_id) == agreement.customer_id)
    return conditions


def _work_of(agreement: Agreement) -> tuple[Any, ...]:
    """What the records of an agreement depend on."""
    return agreement.service_id, agreement.customer_id, slot_of(agreement)


def slot_of(agreement: Agreement) -> str:
    return SLA_SLOT if agreement.kind == AgreementKind.SLA else agreement.code


def _finished(
    session: Session, agreement: Agreement, since: datetime, at: datetime
) -> list[tuple[Metric, int, Any]]:
    """Metric, priority, and of the finished clocks: starts, ends, seconds paused, worst waits.

    A row per metric and priority: tens of thousands of clocks come several times as fast in arrays.
    """

    def second(column: Any) -> Any:
        return sa.cast(sa.func.floor(sa.extract("epoch", column)), sa.BigInteger)

    columns = (
        second(TicketClock.started_at), second(TicketClock.ended_at),
        sa.func.coalesce(col(TicketClock.paused_s), 0),
        sa.func.coalesce(col(TicketClock.worst_used_s), 0),
    )  # fmt: skip
    rows = session.execute(
        sa.select(
            col(TicketClock.metric), col(Ticket.priority),
            *(sa.func.array_agg(column) for column in columns),
        )
        .join(Ticket, col(Ticket.id) == TicketClock.ticket_id)
        .where(
            col(TicketClock.slot) == slot_of(agreement),
            col(TicketClock.state).in_(("met", "breached")),
            col(TicketClock.ended_at).between(since, at), *_of(agreement),
        )
        .group_by(col(TicketClock.metric), col(Ticket.priority))
        .order_by(col(TicketClock.metric), col(Ticket.priority))
    )  # fmt: skip
    return [
        (metric, priority, np.array(found, dtype=np.int64)) for metric, priority, *found in rows
    ]


def warnings_of(
    session: Session, agreement: Agreement, targets: list[AgreementTarget], found: list[Gap],
    at: datetime, timezone: str,
) -> list[health.Warning]:  # fmt: skip
    """What the data of a year say is wrong with it."""
    zone = ZoneInfo(timezone)
    today: date = at.astimezone(zone).date()
    service = session.get(Service, agreement.service_id) if agreement.service_id else None
    tickets, rows = kept(
        session, ("year", *_work_of(agreement)), at,
        lambda: (_tickets(session, agreement, at), _months(session, agreement, at, timezone)),
    )  # fmt: skip
    agreed: dict[str, list[float]] = defaultdict(list)
    for target in targets:
        agreed[str(target.metric)].append(target.share)
    months = [
        health.Month(str(metric), name, clocks, met, min(agreed[str(metric)]))
        for metric, name, clocks, met in rows
        if str(metric) in agreed
    ]
    return health.warnings(
        metrics=sorted(agreed), months=months, tickets=tickets, targets=len(targets),
        supports=len(beneath(session, agreement)),
        unmeasurable=sum(gap.code in ("vague", "no_source") for gap in found),
        cost_stated=not any(gap.part == "charges" for gap in found),
        review_on=service.review_on if service else None, today=today,
    )  # fmt: skip


def _tickets(session: Session, agreement: Agreement, at: datetime) -> int:
    """How many tickets came within a year."""
    counted = (
        sa.select(sa.func.count())
        .select_from(Ticket)
        .where(col(Ticket.opened_at).between(at - YEAR, at), *_of(agreement))
    )
    return int(session.scalar(counted) or 0)


def _months(session: Session, agreement: Agreement, at: datetime, timezone: str) -> Any:
    """Metric, month, finished clocks and those met, of a year."""
    month = sa.func.to_char(
        sa.func.timezone(timezone, col(TicketClock.ended_at)), sa.literal_column("'YYYY-MM'")
    )
    return session.execute(
        sa.select(
            col(TicketClock.metric), month, sa.func.count(),
            sa.func.count().filter(col(TicketClock.state) == "met"),
        )
        .join(Ticket, col(Ticket.id) == TicketClock.ticket_id)
        .where(
            col(TicketClock.slot) == slot_of(agreement),
            col(TicketClock.state).in_(("met", "breached")),
            col(TicketClock.ended_at).between(at - YEAR, at), *_of(agreement),
        )
        .group_by(col(TicketClock.metric), month)
    ).all()  # fmt: skip


@dataclass(frozen=True)
class AgreementPage:
    """One version with everything that is known of it."""

    agreement: Agreement
    service: Service | None
    customer: Customer | None
    versions: tuple[Agreement, ...]
    records: tuple[TargetRecord, ...]
    gaps: tuple[Gap, ...]
    checked: tuple[Checked, ...]
    warnings: tuple[health.Warning, ...]
    calendars: tuple[BusinessCalendar, ...]
    seal_faults: tuple[SealFault, ...]

    def text(self, part: str, language: str) -> str:
        """A part in the reader's language, or in the other one."""
        texts = self.agreement.parts.get(part) or {}
        return str(texts.get(language) or next(filter(None, texts.values()), ""))


def page(
    session: Session, actor: Actor, agreement_id: int, at: datetime, timezone: str
) -> AgreementPage:
    """A version with its checks, what history says of it, and its health."""
    access.require(actor, "agreements.view")
    agreement = agreement_versions.find(session, agreement_id)
    targets = targets_of(session, agreement)
    found = agreement_versions.open_points(session, agreement)
    today = at.astimezone(ZoneInfo(timezone)).date()
    versions = session.exec(
        select(Agreement)
        .where(Agreement.code == agreement.code)
        .order_by(col(Agreement.version).desc())
    ).all()
    return AgreementPage(
        agreement=agreement,
        service=session.get(Service, agreement.service_id) if agreement.service_id else None,
        customer=session.get(Customer, agreement.customer_id) if agreement.customer_id else None,
        versions=tuple(versions),
        records=tuple(history(session, agreement, targets, at, timezone)),
        gaps=tuple(found),
        checked=tuple(check(session, agreement, today)),
        warnings=tuple(warnings_of(session, agreement, targets, found, at, timezone)),
        calendars=tuple(session.exec(select(BusinessCalendar).order_by(BusinessCalendar.code))),
        seal_faults=tuple(agreement_seals.faults(session, agreement)),
    )
