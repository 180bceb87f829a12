"""Checks of an agreement before it is signed: can what stands beneath it bear it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session, col, select

from wfm.services import opening
from wfm.sla.agreements import Agreement as Promise
from wfm.sla.agreements import AgreementKind as PromiseKind
from wfm.sla.agreements import (
    Feasibility,
    Parallel,
    Series,
    Support,
    Target,
    feasible,
    infeasible_beneath,
)
from wfm.sla.business_time import BusinessTime
from wfm.sla.documents import names_beneath
from wfm.sla.tickets import Metric
from wfm.sla.words import LANGUAGES, METRICS
from wfm.tables import (
    Agreement,
    AgreementTarget,
    BusinessCalendar,
    Customer,
    Service,
)
from wfm.words import AgreementStatus

DESK = "desk"


def document_of(session: Session, agreement: Agreement) -> dict[str, Any]:
    """Everything that was agreed, as plain data; its calendars are written out."""
    service = session.get(Service, agreement.service_id) if agreement.service_id else None
    customer = session.get(Customer, agreement.customer_id) if agreement.customer_id else None
    calendars = {row.id: row for row in session.exec(select(BusinessCalendar))}
    first = agreement.in_force_from
    return {
        "code": agreement.code,
        "version": agreement.version,
        "kind": str(agreement.kind),
        "names": {"en": agreement.name_en, "zh": agreement.name_zh},
        "service": service.code if service else None,
        "customer": customer.code if customer else None,
        "provider": agreement.provider,
        "receiver": agreement.receiver,
        "in_force_from": first.isoformat() if first else None,
        "parts": agreement.parts,
        "targets": [_target(row, calendars) for row in targets_of(session, agreement)],
        "supports": agreement.supports,
        "thresholds": agreement.thresholds,
        "reopening": str(agreement.reopening),
        "notices_at_night": agreement.notices_at_night,
    }


def _target(row: AgreementTarget, calendars: Mapping[int | None, BusinessCalendar]) -> Any:
    calendar = calendars.get(row.calendar_id)
    return {
        "metric": str(row.metric), "priority": row.priority, "limit_s": row.limit_s,
        "unit": row.unit, "share": row.share, "source": row.source, "conditions": row.conditions,
        "calendar": calendar and {"code": calendar.code, "timezone": calendar.timezone,
                                  "definition": calendar.definition},
    }  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """Feasibility of one promise, for one priority (None: for all)."""

    priority: int | None
    result: Feasibility | None
    unknown: tuple[str, ...] = ()
    circular: bool = False

    @property
    def ok(self) -> bool:
        return not self.unknown and not self.circular and (self.result is None or self.result.ok)

    def path_text(self, language: str) -> str:
        """The path that refuses, in one line."""
        if self.circular:
            return "↻"
        if self.unknown:
            return ", ".join(f"{code}?" for code in self.unknown)
        assert self.result is not None
        named = f"P{self.priority} " if self.priority else ""
        steps = " → ".join(f"{step.name} {hours(step.limit_s)}" for step in self.result.path)
        missing = ", ".join(f"{name}: –" for name in self.result.unpromised)
        shown = "; ".join(filter(None, (steps, missing)))
        metric = METRICS[self.result.metric][LANGUAGES.index(language)]
        return f"{self.result.agreement} {named}{metric}: {shown}"


def hours(seconds: int) -> str:
    """Hours and minutes, for example 4:00."""
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}"


def check(session: Session, agreement: Agreement, today: date) -> list[Checked]:
    """Each promise that rests on others, tried from every start of a year.

    A response of which none beneath promises anything is the provider's own. Of the promises
    beneath those are listed that do not stand on their own supports.
    """
    if not names_beneath(agreement.supports):
        return []
    known = _versions(session)
    rows = {row.code: targets_of(session, row) for row in known.values()}
    own = targets_of(session, agreement)
    graph = _Graph(known, rows, _calendar_names(session))
    try:
        unknown = graph.unknown(agreement)
    except RecursionError:
        return [Checked(None, None, circular=True)]
    if unknown:
        return [Checked(None, None, unknown)]
    times = _times(session)
    start = datetime.combine(today, time.min, UTC)
    found = []
    for priority in graph.priorities(agreement, own):
        promise = graph.promise(agreement, own, priority)
        found += [
            Checked(priority, result)
            for target in promise.targets
            if (result := feasible(promise, target.metric, times, start)) is not None
            and (result.path or target.metric is Metric.RESOLUTION)
        ]
        found += [
            Checked(priority, result)
            for target in promise.targets
            for result in infeasible_beneath(promise, target.metric, times, start)
        ]
    return found


def beneath(session: Session, agreement: Agreement) -> set[str]:
    """Codes of all agreements it rests on, those beneath these as well, each once."""
    waiting = names_beneath(agreement.supports)
    known = _versions(session) if waiting else {}
    found: set[str] = set()
    while waiting:
        code = waiting.pop()
        if code not in found and code != agreement.code:
            found.add(code)
            waiting += names_beneath(known[code].supports) if code in known else []
    return found


def infeasible_in(session: Session, agreement: Agreement, today: date) -> list[Checked]:
    return [checked for checked in check(session, agreement, today) if not checked.ok]


@dataclass(frozen=True)
class _Graph:
    known: Mapping[str, Agreement]
    rows: Mapping[str, list[AgreementTarget]]
    calendars: Mapping[int | None, str]

    def unknown(self, agreement: Agreement, above: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Codes beneath that are no agreements; `RecursionError` when one rests on itself."""
        found: list[str] = []
        for code in names_beneath(agreement.supports):
            if code in above or code == agreement.code:
                raise RecursionError(code)
            if code not in self.known:
                found.append(code)
            else:
                found += self.unknown(self.known[code], (*above, agreement.code))
        return tuple(dict.fromkeys(found))

    def priorities(self, agreement: Agreement, own: list[AgreementTarget]) -> list[int | None]:
        """The priorities told apart here or beneath; None alone where none is."""
        found = {row.priority for row in own}
        waiting = names_beneath(agreement.supports)
        while waiting:
            code = waiting.pop()
            found |= {row.priority for row in self.rows[code]}
            waiting += names_beneath(self.known[code].supports)
        return [*sorted(found - {None})] or [None]  # type: ignore[type-var]

    def promise(
        self, agreement: Agreement, rows: list[AgreementTarget], priority: int | None
    ) -> Promise:
        """The agreement as the kernel knows it, for tickets of one priority."""
        chosen: dict[Metric, Target] = {}
        for row in sorted(rows, key=lambda row: row.priority is not None):
            if row.priority in (None, priority):
                calendar = self.calendars.get(row.calendar_id, DESK)
                metric = Metric(row.metric)
                chosen[metric] = Target(metric, row.limit_s, "second", calendar, row.source or "–")
        made = Promise(
            agreement.code, PromiseKind(agreement.kind), agreement.version, "",
            tuple(chosen.values()),
        )  # fmt: skip
        return replace(made, supports=self.support(agreement.supports, priority))

    def support(self, data: Any, priority: int | None) -> Support | None:
        if isinstance(data, str):
            return self.promise(self.known[data], self.rows[data], priority)
        for key, kind in (("series", Series), ("parallel", Parallel)):
            if data.get(key):
                parts = (self.support(part, priority) for part in data[key])
                return kind(tuple(part for part in parts if part is not None))
        return None


def _versions(session: Session) -> dict[str, Agreement]:
    """The version of each agreement that counts: the one that binds, else the newest draft."""
    found: dict[str, Agreement] = {}
    binding = (AgreementStatus.SIGNED, AgreementStatus.IN_FORCE)
    for row in session.exec(select(Agreement).order_by(col(Agreement.version))):
        held = found.get(row.code)
        if row.status == AgreementStatus.SUPERSEDED:
            continue
        if held is None or row.status in binding or held.status not in binding:
            found[row.code] = row
    return found


def targets_of(session: Session, agreement: Agreement) -> list[AgreementTarget]:
    return list(
        session.exec(
            select(AgreementTarget)
            .where(AgreementTarget.agreement_id == agreement.id)
            .order_by(col(AgreementTarget.metric), col(AgreementTarget.priority))
        )
    )


def _calendar_names(session: Session) -> dict[int | None, str]:
    return {row.id: row.code for row in session.exec(select(BusinessCalendar))}


def _times(session: Session) -> dict[str, BusinessTime]:
    times = opening.calendar_times(session)
    named = {name: times[key] for key, name in _calendar_names(session).items() if key is not None}
    return {DESK: opening.desk_time(session, "UTC")} | named
