"""Versions of agreements: draft → review → signed by both parties → in force → superseded.

A version that both parties have signed is sealed: its document and the hash of it are kept, and a
trigger of the database refuses every later change but of its status and last day.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.services import agreement_seals, clock_book, webhooks
from wfm.services.agreement_check import document_of, infeasible_in
from wfm.sla.documents import FORMAT, Gap, gaps, seal_of
from wfm.tables import (
    Agreement,
    Ticket,
)
from wfm.words import AgreementStatus

REFUSALS = {
    "not_draft": ("{code} v{version} is no draft; make a new version",
                  "{code} v{version} 不是草稿，请新建版本"),
    "draft_there": ("{code} has a draft already: v{version}", "{code} 已有草稿：v{version}"),
    "incomplete": ("{code} v{version} cannot be submitted: {count} points are open",
                   "{code} v{version} 尚不能提交：还有 {count} 处待处理"),
    "infeasible": ("the agreements beneath do not bear it: {path_en}",
                   "下层协议无法支撑：{path_zh}"),
    "sealed": ("{code} v{version} is signed and sealed; make a new version",
               "{code} v{version} 已签署并封存，请新建版本"),
    "not_in_review": ("{code} v{version} is not in review", "{code} v{version} 不在审核中"),
    "not_reviewed": ("{code} v{version} has not passed the compliance review",
                     "{code} v{version} 尚未通过合规审核"),
    "signed_already": ("this party has signed already", "该方已经签署"),
    "same_person": ("one person cannot sign for both parties", "双方不能由同一人签署"),
    "no_day": ("say from which day it is in force", "请填写生效日期"),
    "day_past": ("it cannot be in force before today", "生效日期不能早于今天"),
    "before_last": ("version {version} is in force from {day}; choose a later day",
                    "版本 {version} 自 {day} 起生效，请选择更晚的日期"),
}  # fmt: skip


class AgreementRefusal(ConflictError):
    """What stands in the way, in both languages."""

    def __init__(self, reason: str, **names: Any) -> None:
        english, chinese = (text.format(**names) for text in REFUSALS[reason])
        super().__init__(english)
        self.reason = reason
        self.texts = {"en": english, "zh": chinese}


def submit(session: Session, actor: Actor, agreement_id: int, at: datetime, today: date) -> None:
    """Hand a draft to the compliance review; it must be complete, measurable and feasible."""
    access.require(actor, "agreements.write")
    agreement = find_draft(session, agreement_id)
    found = open_points(session, agreement)
    if found:
        raise AgreementRefusal("incomplete", code=agreement.code, version=agreement.version,
                               count=len(found))  # fmt: skip
    _refuse_infeasible(session, agreement, today)
    agreement.status = AgreementStatus.REVIEW
    agreement.reviewed_by, agreement.reviewed_at = "", None
    audit.record(session, at, actor.name, "agreement.submit", named(agreement))


def review(
    session: Session, actor: Actor, agreement_id: int, at: datetime, *, passes: bool, note: str = ""
) -> None:
    """The compliance review: it passes, or goes back to be a draft."""
    access.require(actor, "agreements.review")
    agreement = find(session, agreement_id, lock=True)
    if agreement.status != AgreementStatus.REVIEW:
        raise AgreementRefusal("not_in_review", code=agreement.code, version=agreement.version)
    if passes:
        agreement.reviewed_by, agreement.reviewed_at = actor.name, at
    else:
        agreement.status = AgreementStatus.DRAFT
        agreement.signed_by_provider = agreement.signed_by_receiver = ""
    audit.record(session, at, actor.name, "agreement.review", named(agreement), passes=passes,
                 note=note.strip())  # fmt: skip


def sign(
    session: Session, actor: Actor, agreement_id: int, party: str, name: str, at: datetime,
    today: date, in_force_from: date | None = None,
) -> Agreement:  # fmt: skip
    """One party signs; with the second signature the version is sealed and gets its first day."""
    access.require(actor, "agreements.sign")
    agreement = find(session, agreement_id, lock=True)
    name = " ".join(name.split())[:120]
    other = "receiver" if party == "provider" else "provider"
    if party not in ("provider", "receiver") or not name:
        raise InputError.of([Fault("a value is required", column="name")])
    if agreement.seal:
        raise AgreementRefusal("sealed", code=agreement.code, version=agreement.version)
    if agreement.status != AgreementStatus.REVIEW or not agreement.reviewed_by:
        raise AgreementRefusal("not_reviewed", code=agreement.code, version=agreement.version)
    if getattr(agreement, f"signed_by_{party}"):
        raise AgreementRefusal("signed_already")
    if getattr(agreement, f"signed_by_{other}").casefold() == name.casefold():
        raise AgreementRefusal("same_person")
    setattr(agreement, f"signed_by_{party}", name)
    agreement.in_force_from = in_force_from or agreement.in_force_from
    audit.record(session, at, actor.name, "agreement.sign", named(agreement), party=party,
                 signed_by=name)  # fmt: skip
    if getattr(agreement, f"signed_by_{other}"):
        _refuse_infeasible(session, agreement, today)
        _seal(session, actor, agreement, at, today)
    return agreement


def _seal(session: Session, actor: Actor, agreement: Agreement, at: datetime, today: date) -> None:
    if agreement.in_force_from is None:
        raise AgreementRefusal("no_day")
    if agreement.in_force_from < today:
        raise AgreementRefusal("day_past")
    last = _binding_before(session, agreement)
    if last is not None and last.in_force_from and last.in_force_from >= agreement.in_force_from:
        raise AgreementRefusal("before_last", version=last.version, day=last.in_force_from)
    seal(session, agreement, at)
    if last is not None:
        last.in_force_until = agreement.in_force_from
    advance(session, today, at)
    clock_book.mark(session, at, col(Ticket.service_id) == agreement.service_id)
    audit.record(session, at, actor.name, agreement_seals.SEALING, named(agreement),
                 seal=agreement.seal)  # fmt: skip


def seal(session: Session, agreement: Agreement, at: datetime) -> None:
    """Keep the document and its hash; from here on the database refuses to change it."""
    document = document_of(session, agreement) | {
        "format": FORMAT,
        "signatures": agreement_seals.signatures(agreement),
        "reviewed_by": agreement.reviewed_by,
        "sealed_at": at.isoformat(),
    }
    agreement.sealed, agreement.seal = document, seal_of(document)
    agreement.status = AgreementStatus.SIGNED
    session.flush()


def advance(session: Session, today: date, at: datetime) -> int:
    """Signed versions whose day has come are in force; those followed by another are superseded."""
    found = session.execute(
        sa.update(Agreement)
        .where(col(Agreement.status) == AgreementStatus.SIGNED,
               col(Agreement.in_force_from) <= today)
        .values(status=AgreementStatus.IN_FORCE)
        .returning(col(Agreement.code), col(Agreement.version))
    ).all()  # fmt: skip
    for code, version in found:
        webhooks.notify(session, "agreement.in_force", at, {"agreement": code, "version": version})
    gone: Any = session.execute(
        sa.update(Agreement)
        .where(col(Agreement.status) == AgreementStatus.IN_FORCE,
               col(Agreement.in_force_until) <= today)
        .values(status=AgreementStatus.SUPERSEDED)
    )  # fmt: skip
    session.expire_all()
    return len(found) + int(gone.rowcount)


def export(session: Session, actor: Actor, agreement_id: int) -> dict[str, Any]:
    """A sealed version with its seal, to be verified anywhere, and whether it matches here."""
    access.require(actor, "agreements.view")
    agreement = find(session, agreement_id)
    if not agreement.seal:
        raise NotFoundError(f"{agreement.code} v{agreement.version} is not sealed yet")
    faults = agreement_seals.faults(session, agreement)
    return {
        "document": agreement.sealed if isinstance(agreement.sealed, dict) else {},
        "seal": agreement.seal,
        "intact": not faults,
        "faults": [dict(zip(("en", "zh"), one.what, strict=True)) for one in faults],
    }


def open_points(session: Session, agreement: Agreement) -> list[Gap]:
    """What is missing or cannot be measured."""
    return gaps(document_of(session, agreement))


def find(session: Session, agreement_id: int, *, lock: bool = False) -> Agreement:
    query = select(Agreement).where(Agreement.id == agreement_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    agreement = session.exec(query).first()
    if agreement is None:
        raise NotFoundError(f"there is no agreement {agreement_id}")
    return agreement


def find_draft(session: Session, agreement_id: int) -> Agreement:
    agreement = find(session, agreement_id, lock=True)
    if agreement.status != AgreementStatus.DRAFT:
        raise AgreementRefusal("not_draft", code=agreement.code, version=agreement.version)
    return agreement


def _refuse_infeasible(session: Session, agreement: Agreement, today: date) -> None:
    found = infeasible_in(session, agreement, today)
    if found:
        paths = {
            f"path_{language}": "; ".join(one.path_text(language) for one in found[:3])
            for language in ("en", "zh")
        }
        raise AgreementRefusal("infeasible", **paths)


def _binding_before(session: Session, agreement: Agreement) -> Agreement | None:
    return session.exec(
        select(Agreement)
        .where(Agreement.code == agreement.code, Agreement.version < agreement.version,
               col(Agreement.status).in_((AgreementStatus.SIGNED, AgreementStatus.IN_FORCE)))
        .order_by(col(Agreement.version).desc())
    ).first()  # fmt: skip


def named(agreement: Agreement) -> str:
    return f"agreement {agreement.code} v{agreement.version}"
