"""What moves the clock of a draft's target, as a table of choices: events against what they do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import agreement_versions
from wfm.sla.tickets import (
    RULES,
    STOPPED,
    Conditions,
    Metric,
    conditions_from_dict,
    conditions_to_dict,
)
from wfm.tables import Agreement, AgreementTarget

EVENTS: dict[str, tuple[str, str]] = {
    "opened": ("the ticket is opened", "工单建立"),
    "assigned": ("somebody gets it", "分派"),
    "transferred": ("it is passed on", "转派"),
    "escalated": ("it is escalated", "升级"),
    "customer_message": ("the customer writes", "客户留言"),
    "agent_message": ("an agent answers", "客服回复"),
    "pause": ("it is paused", "暂停"),
    "resume": ("it is resumed", "恢复"),
    "stop": ("it is resolved", "解决"),
    "reopen": ("it is reopened", "重新打开"),
    "callback": ("the customer is called back", "回访"),
    "priority_changed": ("its priority changes", "优先级变更"),
    "service_changed": ("its service changes", "服务变更"),
}
ACTS: dict[str, tuple[str, str]] = {
    "starts": ("starts", "开始"),
    "ends": ("stops, with a verdict", "停止并判定"),
    "pauses": ("pauses", "暂停"),
    "resumes": ("resumes", "恢复"),
    "cancels": ("cancels, no verdict", "取消，不判定"),
    "resets": ("starts from nothing", "从零重新计时"),
    "reverts": ("takes the stop back", "撤销停止"),
}
"""Source: the conditions of `wfm.sla.tickets.Conditions`, one column each."""


@dataclass(frozen=True)
class ClockPage:
    """A target and what moves its clock: the events of each act, and two switches."""

    agreement: Agreement
    target: AgreementTarget
    chosen: Mapping[str, Set[str]]
    repeats: bool
    rests_when_resolved: bool
    usual: bool


def page(session: Session, actor: Actor, agreement_id: int, target_id: int) -> ClockPage:
    """The choices made for one target."""
    access.require(actor, "agreements.view")
    agreement = agreement_versions.find(session, agreement_id)
    target = _target(session, agreement, target_id)
    rule = conditions_from_dict(target.conditions, Metric(target.metric))
    return ClockPage(
        agreement, target, _chosen(rule), rule.repeats,
        any(hold.final for hold in rule.holds), rule == RULES[Metric(target.metric)],
    )  # fmt: skip


def save(
    session: Session, actor: Actor, agreement_id: int, target_id: int, at: datetime, *,
    chosen: Mapping[str, Collection[str]], repeats: bool, rests_when_resolved: bool,
) -> None:  # fmt: skip
    """From now on this moves the clock of a draft's target."""
    access.require(actor, "agreements.write")
    agreement = agreement_versions.find_draft(session, agreement_id)
    target = _target(session, agreement, target_id)
    unknown = sorted(
        {kind for kinds in chosen.values() for kind in kinds} - set(EVENTS)
        | set(chosen) - set(ACTS)
    )
    if unknown:
        raise InputError.of([Fault(f"expected one of {', '.join(EVENTS)}", value=unknown[0])])
    kinds: dict[str, object] = {act: sorted(chosen.get(act, ())) for act in ACTS}
    pauses, resumes = kinds.pop("pauses"), kinds.pop("resumes")
    holds: list[dict[str, object]] = [{"begins": pauses, "ends": resumes}] if pauses else []
    if rests_when_resolved:
        holds.append(
            {"begins": sorted(STOPPED.begins), "ends": sorted(STOPPED.ends), "final": True}
        )
    metric = Metric(target.metric)
    made = conditions_from_dict(kinds | {"holds": holds, "repeats": repeats}, metric)
    target.conditions = {} if made == RULES[metric] else conditions_to_dict(made)
    session.flush()
    audit.record(session, at, actor.name, "agreement.clock", agreement_versions.named(agreement),
                 target=f"{metric} {target.priority or ''}".strip())  # fmt: skip


def in_words(target: AgreementTarget, language: str) -> str:
    """What starts, stops, pauses and resumes a target's clock, in a line."""
    place = ("en", "zh").index(language)
    chosen = _chosen(conditions_from_dict(target.conditions, Metric(target.metric)))
    comma, colon = (", ", ": ") if language == "en" else ("、", "：")
    told = []
    for act in ACTS:
        names = [names[place] for kind, names in EVENTS.items() if kind in chosen[act]]
        if names:
            told.append(f"{ACTS[act][place]}{colon}{comma.join(names)}")
    return " · ".join(told)


def _chosen(rule: Conditions) -> dict[str, Set[str]]:
    holds = [hold for hold in rule.holds if not hold.final]
    none: frozenset[str] = frozenset()
    return {
        "starts": rule.starts, "ends": rule.ends, "cancels": rule.cancels, "resets": rule.resets,
        "reverts": rule.reverts,
        "pauses": none.union(*(hold.begins for hold in holds)),
        "resumes": none.union(*(hold.ends for hold in holds)),
    }  # fmt: skip


def _target(session: Session, agreement: Agreement, target_id: int) -> AgreementTarget:
    target = session.get(AgreementTarget, target_id)
    if target is None or target.agreement_id != agreement.id:
        raise NotFoundError(f"there is no target {target_id} of this agreement")
    return target
