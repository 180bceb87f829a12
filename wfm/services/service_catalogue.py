"""The service catalogue: every service offered, planned or gone, with its owner and its review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.sla.documents import NEAR, likeness, near_duplicates
from wfm.tables import Agreement, Service
from wfm.words import AgreementStatus, ServiceStatus

LONGEST = 120


@dataclass(frozen=True)
class CatalogueRow:
    """A service with its agreements; `alike` names services that may be the same."""

    service: Service
    agreements: tuple[Agreement, ...]
    alike: tuple[str, ...]
    review_due: bool


def catalogue(session: Session, actor: Actor, today: date) -> list[CatalogueRow]:
    """All services, live ones first."""
    access.require(actor, "agreements.view")
    services = session.exec(select(Service).order_by(col(Service.code))).all()
    alike: dict[str, list[str]] = {}
    in_use = {s.code: (s.name_en, s.name_zh) for s in services if s.status != ServiceStatus.RETIRED}
    for one, other, _ in near_duplicates(in_use):
        alike.setdefault(one, []).append(other)
        alike.setdefault(other, []).append(one)
    agreements = session.exec(
        select(Agreement)
        .where(Agreement.status != AgreementStatus.SUPERSEDED)
        .order_by(col(Agreement.kind), col(Agreement.code), col(Agreement.version))
    ).all()
    order = (ServiceStatus.LIVE, ServiceStatus.PIPELINE, ServiceStatus.RETIRED)
    rows = [
        CatalogueRow(
            service,
            tuple(a for a in agreements if a.service_id == service.id),
            tuple(alike.get(service.code, ())),
            service.review_on is not None and service.review_on < today,
        )
        for service in services
    ]
    return sorted(rows, key=lambda row: (order.index(row.service.status), row.service.code))


def general_agreements(session: Session, actor: Actor) -> list[Agreement]:
    """Agreements of no one service: OLAs and UCs that several rest on."""
    access.require(actor, "agreements.view")
    return list(
        session.exec(
            select(Agreement)
            .where(col(Agreement.service_id).is_(None),
                   Agreement.status != AgreementStatus.SUPERSEDED)
            .order_by(col(Agreement.kind), col(Agreement.code), col(Agreement.version))
        )
    )  # fmt: skip


def save_service(
    session: Session, actor: Actor, at: datetime, *, code: str, name_en: str, name_zh: str,
    status: str, owner: str, review_on: date | None, anyway: bool = False,
) -> tuple[Service | None, tuple[str, ...]]:  # fmt: skip
    """Add or change a service.

    A new one whose name is nearly that of another is not added unless `anyway`: the second value
    then names the services it resembles.
    """
    access.require(actor, "agreements.write")
    code, name_en, name_zh = code.strip(), name_en.strip(), name_zh.strip()
    faults = [
        Fault("a value is required", column=column)
        for column, value in (("code", code), ("name_en", name_en), ("name_zh", name_zh))
        if not value
    ]
    faults += [
        Fault(f"longer than {LONGEST} characters", column=column)
        for column, value in (("code", code), ("name_en", name_en), ("name_zh", name_zh))
        if len(value) > LONGEST
    ]
    if status not in list(ServiceStatus):
        faults.append(Fault(f"expected one of {', '.join(ServiceStatus)}", column="status",
                            value=status))  # fmt: skip
    if faults:
        raise InputError.of(faults)
    services = session.exec(select(Service).order_by(col(Service.code))).all()
    found = next((service for service in services if service.code == code), None)
    if found is None and not anyway:
        alike = tuple(
            service.code
            for service in services
            if service.status != ServiceStatus.RETIRED
            and max(likeness(name_en, service.name_en), likeness(name_zh, service.name_zh)) >= NEAR
        )
        if alike:
            return None, alike
    if found is None:
        found = Service(code=code, name_en=name_en, name_zh=name_zh)
        session.add(found)
    found.name_en, found.name_zh, found.status = name_en, name_zh, ServiceStatus(status)
    found.owner, found.review_on = owner.strip()[:LONGEST], review_on
    session.flush()
    audit.record(session, at, actor.name, "service.save", f"service {code}", status=status)
    return found, ()
