"""What is done to a ticket at the desk: answering and resolving it, and why that may be refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.dispatch.model import micro
from wfm.errors import ConflictError, NotFoundError
from wfm.services import clock_book
from wfm.services.ticket_states import derive
from wfm.tables import Ticket, TicketEvent
from wfm.words import EventKind, TicketState

REFUSALS = {
    "taken": ("{ticket} was given to {agent} already", "{ticket} 已派给 {agent}"),
    "gone": ("{ticket} no longer waits", "{ticket} 已不在等待"),
    "off_duty": ("{agent} is not on duty now; choose another agent",
                 "{agent} 现在不在班，请另选人员"),
    "on_break": ("{agent} is on a break now; choose another agent",
                 "{agent} 正在休息，请另选人员"),
    "unable": ("{agent} does not have the skill and grade for it; choose another agent",
               "{agent} 不具备所需技能和等级，请另选人员"),
    "about_her": ("this ticket is about {agent}, who must not have it; choose another agent",
                  "此工单涉及 {agent}，须回避，请另选人员"),
    "full": ("{agent} has full hands; choose another agent", "{agent} 在手工单已满，请另选人员"),
    "say_why": ("{proposed} is proposed; say why it goes to {agent}",
                "建议派给 {proposed}；请说明为何派给 {agent}"),
    "kept": ("the policy keeps {agent} free for work that needs an expert; say why not",
             "按策略应保留 {agent} 处理必须由专家处理的工单；请说明理由"),
    "unowned": ("nobody has {ticket}; assign it first", "{ticket} 尚未派单，请先派单"),
    "answered": ("{ticket} was answered already", "{ticket} 已经答复"),
    "say_note": ("write down why, for whoever reads the ticket next",
                 "请写明原因，供后续处理人员查看"),
    "no_higher": ("{ticket} needs that tier already; choose a higher one",
                  "{ticket} 已要求该层级，请选择更高层级"),
    "no_reason": ("choose why it pauses", "请选择暂停原因"),
    "not_paused": ("{ticket} is not paused", "{ticket} 并未暂停"),
    "merge_self": ("a ticket cannot be merged into itself", "工单不能并入自身"),
    "merge_closed": ("{ticket} is no longer in work; merge into one that is",
                     "{ticket} 已不在处理中，请并入处理中的工单"),
    "name_person": ("name the person who takes {ticket} over", "请指定 {ticket} 的接手人员"),
    "signed": ("this handover was signed already", "此次交接已经签收"),
    "not_yours": ("only {agent} can sign for this handover", "只有 {agent} 可以签收此次交接"),
    "done": ("{ticket} is no longer in work", "{ticket} 已不在处理中"),
}  # fmt: skip


class Refusal(ConflictError):
    """The desk has moved on, or the choice needs a reason; in both languages."""

    def __init__(self, code: str, **names: str | None) -> None:
        english, chinese = (text.format(**names) for text in REFUSALS[code])
        super().__init__(english)
        self.code = code
        self.texts = {"en": english, "zh": chinese}


def answer(session: Session, actor: Actor, ticket_code: str, at: datetime) -> Ticket:
    """The customer has heard from the agent who has the ticket: its response clock is met."""
    ticket = _owned(session, actor, ticket_code)
    if ticket.first_response_at is not None:
        raise Refusal("answered", ticket=ticket_code)
    append(session, ticket, EventKind.AGENT_MESSAGE, ticket.owner_id, at)
    audit.record(session, at, actor.name, "dispatch.answer", f"ticket {ticket_code}")
    return ticket


def resolve(
    session: Session, actor: Actor, ticket_code: str, at: datetime, note: str = ""
) -> Ticket:
    """The ticket is done; its owner has a hand free again."""
    ticket = _owned(session, actor, ticket_code)
    append(session, ticket, EventKind.RESOLVED, ticket.owner_id, at, note.strip())
    audit.record(session, at, actor.name, "dispatch.resolve", f"ticket {ticket_code}")
    return ticket


def _owned(session: Session, actor: Actor, ticket_code: str) -> Ticket:
    """A ticket in work that the actor may act on: as a dispatcher, or as its owner."""
    if actor.agent_id is None:
        access.require(actor, "dispatch.assign")
    ticket = find(session, ticket_code, lock=True)
    if actor.agent_id is None or ticket.owner_id != actor.agent_id:
        access.require(actor, "dispatch.assign")
    if ticket.state != TicketState.OPEN:
        raise Refusal("done", ticket=ticket_code)
    if ticket.owner_id is None:
        raise Refusal("unowned", ticket=ticket_code)
    return ticket


def append(
    session: Session,
    ticket: Ticket,
    kind: EventKind,
    agent_id: int | None,
    at: datetime,
    note: str = "",
    **changed: Any,
) -> None:
    """Add what happened, derive what follows from it, and tell everybody who is looking.

    `changed` names what of the event's columns it changed. The clock worker reads the ticket's
    clocks anew.
    """
    assert ticket.id is not None
    code = f"desk-{ticket.id}-{kind}-{agent_id or 0}-{micro(at)}"
    session.add(
        TicketEvent(
            code=code, ticket_id=ticket.id, at=at, kind=kind, agent_id=agent_id, note=note,
            **changed,
        )
    )  # fmt: skip
    derive(session, [ticket.id])
    clock_book.mark(session, at, col(Ticket.id) == ticket.id)
    jobs.announce(session, "dispatch")


def find(session: Session, ticket_code: str, *, lock: bool = False) -> Ticket:
    query = select(Ticket).where(Ticket.code == ticket_code)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    ticket = session.exec(query).first()
    if ticket is None:
        raise NotFoundError(f"there is no ticket {ticket_code}")
    return ticket


def lock_waiting(session: Session, ticket_code: str) -> bool:
    """Lock the ticket if it still waits and nobody else has it locked, without waiting."""
    query = (
        select(Ticket.id)
        .where(
            Ticket.code == ticket_code,
            Ticket.state == TicketState.OPEN,
            col(Ticket.owner_id).is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    return session.exec(query).first() is not None


def reason_document(reason: Any) -> dict[str, Any]:
    """A reason with its words in both languages, as they were when it was decided."""
    return {
        "code": reason.code, "numbers": dict(reason.numbers),
        "en": reason.text("en"), "zh": reason.text("zh"),
    }  # fmt: skip
