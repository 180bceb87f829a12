"""What each ticket is promised: by the file it came from, and by the agreements of its service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from wfm.services import opening
from wfm.sla.business_time import BusinessTime
from wfm.sla.clocks import Key, Reopening
from wfm.sla.notices import USUAL, Step, steps_from_list
from wfm.sla.tickets import KINDS, ClockTarget, Metric, conditions_from_dict
from wfm.tables import Agreement, AgreementTarget
from wfm.words import AgreementKind, AgreementStatus

SLA_SLOT = "sla"
BINDING = (AgreementStatus.SIGNED, AgreementStatus.IN_FORCE, AgreementStatus.SUPERSEDED)
GIVEN = {Metric.FIRST_RESPONSE: "respond_within_s", Metric.RESOLUTION: "resolve_within_s"}


@dataclass(frozen=True)
class Asked:
    """What decides the promises of a ticket."""

    service_id: int | None
    customer_id: int | None
    priority: int
    on: date
    respond_within_s: int | None = None
    resolve_within_s: int | None = None
    agreement_id: int | None = None  # chosen by hand; goes before what the service would bring


@dataclass(frozen=True)
class Terms:
    """One target of an agreement in force, and how its clock is handled."""

    target: ClockTarget
    agreement_id: int | None
    steps: tuple[Step, ...] = USUAL
    at_night: bool = False
    reopening: Reopening = Reopening.CONTINUE


Promises = dict[Key, Terms]


@dataclass
class TermsBook:
    """All agreements that bind or once did, ready to be asked for any ticket."""

    zone: ZoneInfo
    desk: BusinessTime
    agreements: list[Agreement]
    terms: dict[int, dict[tuple[Metric, int | None], Terms]]
    kinds: frozenset[str]
    _asked: dict[Asked, Promises] = field(default_factory=dict)

    def promises(self, asked: Asked) -> Promises:
        """Per clock, the terms a ticket of this service, customer, priority and day is under."""
        if asked not in self._asked:
            self._asked[asked] = self._promises(asked)
        return self._asked[asked]

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _promises(self, asked: Asked) -> Promises:
        found: Promises = {}
        for agreement in self._in_force(asked):
            slot = SLA_SLOT if agreement.kind == AgreementKind.SLA else agreement.code
            assert agreement.id is not None
            of_agreement = self.terms[agreement.id]
            for metric in Metric:
                terms = of_agreement.get((metric, asked.priority)) or of_agreement.get(
                    (metric, None)
                )
                if terms is not None:
                    found[slot, metric] = terms
        for metric, column in GIVEN.items():
            limit_s = getattr(asked, column)
            if limit_s:
                key = (SLA_SLOT, metric)
                found[key] = _given(found.get(key), metric, limit_s, self.desk)
        return found

    def _in_force(self, asked: Asked) -> list[Agreement]:
        """One version of each OLA and UC, and the one SLA that fits best."""
        chosen = next((one for one in self.agreements if one.id == asked.agreement_id), None)
        best: dict[str, Agreement] = {} if chosen is None else {SLA_SLOT: chosen}
        for agreement in self.agreements:
            slot = SLA_SLOT if agreement.kind == AgreementKind.SLA else agreement.code
            if chosen is not None and slot == SLA_SLOT:
                continue
            if _fits(agreement, asked) and (
                slot not in best or _closeness(agreement) > _closeness(best[slot])
            ):
                best[slot] = agreement
        return list(best.values())


def load(session: Session, timezone: str) -> TermsBook:
    """Read the agreements; a target without a calendar counts in the desk's opening hours."""
    desk = opening.desk_time(session, timezone)
    calendars = opening.calendar_times(session)
    agreements = list(
        session.exec(
            select(Agreement)
            .where(col(Agreement.status).in_(BINDING))
            .order_by(col(Agreement.code), col(Agreement.version))
        )
    )
    terms: dict[int, dict[tuple[Metric, int | None], Terms]] = {}
    by_id = {agreement.id: agreement for agreement in agreements}
    kinds = set(KINDS)
    for agreement in agreements:
        assert agreement.id is not None
        terms[agreement.id] = {}
    for row in session.exec(select(AgreementTarget)):
        if row.agreement_id not in terms:
            continue
        made = _terms(row, by_id[row.agreement_id], calendars, desk)
        terms[row.agreement_id][made.target.metric, row.priority] = made
        kinds |= made.target.rule.kinds
    return TermsBook(ZoneInfo(timezone), desk, agreements, terms, frozenset(kinds))


def _terms(
    row: AgreementTarget,
    agreement: Agreement,
    calendars: dict[int, BusinessTime],
    desk: BusinessTime,
) -> Terms:
    metric = Metric(row.metric)
    slot = SLA_SLOT if agreement.kind == AgreementKind.SLA else agreement.code
    target = ClockTarget(
        metric,
        row.limit_s,
        desk if row.calendar_id is None else calendars[row.calendar_id],
        slot,
        conditions_from_dict(row.conditions, metric) if row.conditions else None,
    )
    return Terms(
        target, agreement.id, steps_from_list(agreement.thresholds), agreement.notices_at_night,
        Reopening(agreement.reopening),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _given(under: Terms | None, metric: Metric, limit_s: int, desk: BusinessTime) -> Terms:
    """A promise that came with the ticket: its limit, and all else as the agreement has it."""
    if under is None:
        return Terms(ClockTarget(metric, limit_s, desk, SLA_SLOT), None)
    target = under.target
    own = ClockTarget(metric, limit_s, target.calendar, SLA_SLOT, target.conditions)
    return Terms(own, under.agreement_id, under.steps, under.at_night, under.reopening)


def _fits(agreement: Agreement, asked: Asked) -> bool:
    return (
        agreement.service_id in (None, asked.service_id)
        and agreement.customer_id in (None, asked.customer_id)
        and (agreement.in_force_from is None or agreement.in_force_from <= asked.on)
        and (agreement.in_force_until is None or asked.on < agreement.in_force_until)
    )


def _closeness(agreement: Agreement) -> tuple[bool, bool, date, int]:
    return (
        agreement.customer_id is not None,
        agreement.service_id is not None,
        agreement.in_force_from or date.min,
        agreement.version,
    )
