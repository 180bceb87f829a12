"""The sample desk's webhook: who is told, and a log of what was told."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.services import webhooks
from wfm.tables import WebhookDelivery
from wfm.words import Role

ADMINISTRATOR = Actor("admin", "管理员 Administrator", roles={Role.ADMINISTRATOR: None})
URL = "https://hr.example.invalid/tierdesk"  # a name nobody can ever have
EVENTS = ("grades.published", "grades.effective", "roster.published", "duty.published")
BUSY, TAKEN = "503 Service Unavailable", "204 No Content"


def subscribe(session: Session, at: datetime) -> None:
    """The personnel system is told of grades, rosters and duty tables."""
    webhooks.make(session, ADMINISTRATOR, URL, EVENTS, at)


def answer(session: Session) -> None:
    """What was told so far was taken, the newest at the second attempt."""
    waiting = session.exec(
        select(WebhookDelivery)
        .where(col(WebhookDelivery.next_at).is_not(None))
        .order_by(col(WebhookDelivery.made_at), col(WebhookDelivery.id))
    ).all()
    for delivery in waiting:
        answers = [(False, BUSY)] if delivery is waiting[-1] else []
        at = delivery.made_at
        for taken, told in [*answers, (True, TAKEN)]:
            at += timedelta(seconds=1) if delivery.attempts == 0 else webhooks.WAITS[0]
            delivery.attempts += 1
            delivery.tried_at = at
            webhooks.settle(session, delivery.id or 0, taken, told, at)
