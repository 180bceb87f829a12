"""Whether a signed version is still what was signed: its text, its seal, what the desk counts by.

Triggers of the database refuse every change; what got round them is found here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.services.agreement_check import document_of
from wfm.sla.documents import seal_of
from wfm.tables import Agreement, AuditEntry
from wfm.words import AgreementStatus

SEALING = "agreement.seal"
SIGNED = (AgreementStatus.SIGNED, AgreementStatus.IN_FORCE, AgreementStatus.SUPERSEDED)
SAYS = {
    "no_seal": ("it counts as signed but has no seal", "按已签署版本使用，却没有封存摘要"),
    "text": ("the seal does not match: the sealed text was changed",
             "封存摘要不符：封存的文本已被改动"),
    "rows": ("the seal does not match what the desk counts by: {fields}",
             "系统现用内容与封存的文本不符：{fields}"),
    "audit": ("the seal is not the one that was recorded with the signature",
              "封存摘要与签署时审计链中记录的不一致"),
}  # fmt: skip
FIELDS = {
    "code": ("code", "编号"), "version": ("version", "版本"), "kind": ("kind", "类型"),
    "names": ("names", "名称"), "service": ("service", "服务"), "customer": ("customer", "客户"),
    "provider": ("provider", "服务方"), "receiver": ("receiver", "接受方"),
    "in_force_from": ("first day in force", "生效日期"), "parts": ("text", "条款"),
    "targets": ("targets", "服务目标"), "supports": ("what it rests on", "依据的协议"),
    "thresholds": ("who is told when", "通知规则"), "reopening": ("reopening", "重新打开的处理"),
    "notices_at_night": ("notices at night", "夜间通知"), "signatures": ("signatures", "签署人"),
    "reviewed_by": ("compliance review", "合规审核人"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SealFault:
    """Why a version is not what was sealed: a code of `SAYS`, in English and Chinese."""

    code: str
    what: tuple[str, str]


def faults(session: Session, agreement: Agreement) -> list[SealFault]:
    """What does not match; nothing of a draft, or of a version that is what was signed."""
    if not agreement.seal:
        return [_fault("no_seal")] if agreement.status in SIGNED else []
    found = []
    sealed = agreement.sealed
    if not isinstance(sealed, Mapping) or seal_of(sealed) != agreement.seal:
        found.append(_fault("text"))
    elif differing := _differing(sealed, _now(session, agreement)):
        found.append(_fault("rows", differing))
    recorded = _recorded(session, agreement)
    if recorded and agreement.seal not in recorded:
        found.append(_fault("audit"))
    return found


def broken(session: Session) -> dict[str, list[SealFault]]:
    """Every signed version that is not what was sealed, by its name."""
    signed = select(Agreement).where(
        sa.or_(col(Agreement.seal) != "", col(Agreement.status).in_(SIGNED))
    )
    found = {f"{one.code} v{one.version}": faults(session, one) for one in session.exec(signed)}
    return {name: wrong for name, wrong in found.items() if wrong}


def signatures(agreement: Agreement) -> list[dict[str, str]]:
    """Both, as they are sealed."""
    return [
        {"party": "provider", "name": agreement.signed_by_provider},
        {"party": "receiver", "name": agreement.signed_by_receiver},
    ]


def _fault(code: str, fields: Sequence[str] = ()) -> SealFault:
    en, zh = SAYS[code]
    names = [FIELDS[name] for name in fields]
    return SealFault(
        code,
        (en.format(fields=", ".join(name for name, _ in names)),
         zh.format(fields="、".join(name for _, name in names))),
    )  # fmt: skip


def _now(session: Session, agreement: Agreement) -> dict[str, Any]:
    """What the desk counts by and shows, in the form in which it is sealed."""
    signed = {"signatures": signatures(agreement), "reviewed_by": agreement.reviewed_by}
    return document_of(session, agreement) | signed


def _differing(sealed: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, value in now.items()
        if _comparable(name, sealed.get(name)) != _comparable(name, value)
    ]


def _comparable(name: str, value: Any) -> Any:
    """Calendars go on after the signature, each year brings its holidays: they do not count."""
    if name != "targets" or not isinstance(value, list):
        return value
    return [{**one, "calendar": None} if isinstance(one, Mapping) else one for one in value]


def _recorded(session: Session, agreement: Agreement) -> set[str]:
    """Seals that the audit chain has of this version; none of what came with the sample."""
    entries = session.exec(
        select(AuditEntry).where(
            AuditEntry.action == SEALING,
            AuditEntry.subject == f"agreement {agreement.code} v{agreement.version}",
        )
    )
    return {str(entry.detail.get("seal")) for entry in entries}
