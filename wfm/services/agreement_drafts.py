"""Drafts of agreements: a new version, its parties, parts and targets, what stands beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services.agreement_check import targets_of
from wfm.services.agreement_versions import AgreementRefusal, find, find_draft, named
from wfm.sla.documents import PARTS, Gap, Part, gaps_of_part, supports_from_text
from wfm.sla.notices import steps_from_list
from wfm.sla.tickets import Metric as ClockMetric
from wfm.sla.tickets import conditions_from_dict
from wfm.tables import (
    Agreement,
    AgreementTarget,
    BusinessCalendar,
    Customer,
    Service,
)
from wfm.words import AgreementKind, AgreementStatus, Metric, Reopening

LANGUAGES = ("en", "zh")
UNITS = {"second": 1, "minute": 60, "hour": 3600}
LONGEST_TEXT = 8000


@dataclass(frozen=True)
class TargetInput:
    """One line of a draft's targets, as somebody wrote it."""

    metric: str
    limit: float
    unit: str
    calendar: str
    source: str
    priority: int | None = None
    share: float = 0.9
    conditions: dict[str, Any] | None = None


def draft(
    session: Session, actor: Actor, code: str, kind: AgreementKind, at: datetime,
    service: str = "", customer: str = "",
) -> Agreement:  # fmt: skip
    """A new version, copied from the newest one of this code where there is one."""
    access.require(actor, "agreements.write")
    code = code.strip()
    if not code or len(code) > 60 or any(mark in code for mark in "()+| "):
        raise InputError.of([Fault("expected up to 60 characters without blanks or ()+|",
                                   column="code", value=code)])  # fmt: skip
    last = session.exec(
        select(Agreement).where(Agreement.code == code).order_by(col(Agreement.version).desc())
    ).first()
    if last is not None and last.status in (AgreementStatus.DRAFT, AgreementStatus.REVIEW):
        raise AgreementRefusal("draft_there", code=code, version=last.version)
    made = Agreement(code=code, kind=kind, version=1)
    if last is not None:
        made = Agreement(
            code=code, kind=last.kind, version=last.version + 1, name_en=last.name_en,
            name_zh=last.name_zh, service_id=last.service_id, customer_id=last.customer_id,
            provider=last.provider, receiver=last.receiver, parts=last.parts,
            supports=last.supports, thresholds=last.thresholds, reopening=last.reopening,
            notices_at_night=last.notices_at_night,
        )  # fmt: skip
    if service:
        made.service_id = _by_code(session, Service, service).id
    if customer:
        made.customer_id = _by_code(session, Customer, customer).id
    session.add(made)
    session.flush()
    assert made.id is not None
    if last is not None:
        for target in targets_of(session, last):
            session.add(AgreementTarget(**target.model_dump(exclude={"id", "agreement_id"}),
                                        agreement_id=made.id))  # fmt: skip
        session.flush()
    audit.record(session, at, actor.name, "agreement.draft", named(made))
    return made


def edit(
    session: Session, actor: Actor, agreement_id: int, at: datetime, *, language: str,
    values: dict[str, Any], parts: dict[str, str],
) -> Agreement:  # fmt: skip
    """Change a draft: names, parties, the ten parts in one language, what stands beneath it."""
    access.require(actor, "agreements.write")
    agreement = find_draft(session, agreement_id)
    for name in ("name_en", "name_zh", "provider", "receiver"):
        if name in values:
            setattr(agreement, name, str(values[name]).strip()[:200])
    if "supports" in values:
        try:
            beneath = supports_from_text(str(values["supports"]))
        except ValueError as error:
            raise InputError.of([Fault(str(error), column="supports",
                                       value=str(values["supports"])[:80])]) from error  # fmt: skip
        agreement.supports = {"series": [beneath]} if isinstance(beneath, str) else beneath
    if "reopening" in values:
        agreement.reopening = Reopening(values["reopening"])
    if "notices_at_night" in values:
        agreement.notices_at_night = bool(values["notices_at_night"])
    if "thresholds" in values:
        steps_from_list(values["thresholds"])
        agreement.thresholds = values["thresholds"]
    texts = {code: dict(text) for code, text in agreement.parts.items()}
    known = {part.code for part in PARTS}
    for code, text in parts.items():
        if code in known and language in LANGUAGES:
            texts.setdefault(code, {})[language] = text.strip()[:LONGEST_TEXT]
    agreement.parts = texts
    session.flush()
    audit.record(session, at, actor.name, "agreement.edit", named(agreement))
    return agreement


def discard(session: Session, actor: Actor, agreement_id: int, at: datetime) -> Agreement:
    """A draft that nobody wants any more is gone with its targets; the audit chain keeps its name.

    Its number is free again: no version that anybody signed was ever left out.
    """
    access.require(actor, "agreements.write")
    agreement = find_draft(session, agreement_id)
    session.execute(
        sa.delete(AgreementTarget).where(col(AgreementTarget.agreement_id) == agreement.id)
    )
    session.delete(agreement)
    session.flush()
    audit.record(session, at, actor.name, "agreement.discard", named(agreement))
    return agreement


def points_of(
    session: Session, actor: Actor, agreement_id: int, code: str, language: str, text: str
) -> tuple[Part, list[Gap]]:
    """What a part of a draft lacks if its text in `language` were this; nothing is kept."""
    access.require(actor, "agreements.write")
    part = next((part for part in PARTS if part.code == code), None)
    if part is None:
        raise NotFoundError(f"there is no part {code}")
    kept = find(session, agreement_id).parts.get(code) or {}
    return part, list(gaps_of_part(part, kept | {language: text}))


def set_targets(
    session: Session, actor: Actor, agreement_id: int, targets: Sequence[TargetInput], at: datetime
) -> None:
    """The targets of a draft are these."""
    access.require(actor, "agreements.write")
    agreement = find_draft(session, agreement_id)
    assert agreement.id is not None
    before = {
        (str(row.metric), row.priority): row.conditions for row in targets_of(session, agreement)
    }
    calendars = {row.code: row.id for row in session.exec(select(BusinessCalendar))}
    rows: list[AgreementTarget] = []
    faults: list[Fault] = []
    seen: set[tuple[str, int | None]] = set()
    for number, line in enumerate(targets, start=1):
        wrong = _fault_of(line, calendars, seen)
        seen.add((line.metric, line.priority))
        if wrong is not None:
            faults.append(Fault(wrong[0], row=number, column=wrong[1], value=wrong[2]))
            continue
        moves = line.conditions
        if moves is None:  # a line that says nothing of it goes on as it was
            moves = before.get((line.metric, line.priority), {})
        if moves:
            conditions_from_dict(moves, ClockMetric(line.metric))
        rows.append(
            AgreementTarget(
                agreement_id=agreement.id, metric=Metric(line.metric), priority=line.priority,
                limit_s=round(line.limit * UNITS[line.unit]), unit=line.unit, share=line.share,
                calendar_id=calendars[line.calendar], source=line.source.strip()[:200],
                conditions=moves,
            )
        )  # fmt: skip
    if faults:
        raise InputError.of(faults)
    session.execute(
        sa.delete(AgreementTarget).where(col(AgreementTarget.agreement_id) == agreement.id)
    )
    session.add_all(rows)
    session.flush()
    audit.record(session, at, actor.name, "agreement.targets", named(agreement), count=len(rows))


def _fault_of(
    line: TargetInput, calendars: dict[str, Any], seen: set[tuple[str, int | None]]
) -> tuple[str, str, str] | None:
    if line.metric not in list(Metric):
        return f"expected one of {', '.join(Metric)}", "metric", line.metric
    if line.unit not in UNITS:
        return f"expected one of {', '.join(UNITS)}", "unit", line.unit
    if not 1 <= line.limit * UNITS[line.unit] <= 366 * 86400:
        return "expected a limit from a second to a year", "limit", str(line.limit)
    if line.calendar not in calendars:
        return f"expected one of {', '.join(sorted(calendars))}", "calendar", line.calendar
    if line.priority is not None and not 1 <= line.priority <= 9:
        return "expected 1 to 9", "priority", str(line.priority)
    if not 0 < line.share <= 1:
        return "expected a share above 0 and up to 1", "share", str(line.share)
    if (line.metric, line.priority) in seen:
        return "there is a target for this metric and priority already", "metric", line.metric
    return None


def _by_code(session: Session, table: Any, code: str) -> Any:
    row = session.exec(select(table).where(table.code == code)).first()
    if row is None:
        raise NotFoundError(f"there is no {table.__tablename__} {code}")
    return row
