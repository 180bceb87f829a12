"""Webhooks: who is told of which events, signed, tried again, and switched off when nobody listens.

An event is written with the transaction that made it, so it is told if and only if it happened.
Deliveries are a queue of their own (`webhook_delivery.next_at`), since a ticket at risk must not
wait behind a roster that takes minutes to solve.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import Session, col, delete, func, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.tables import Webhook, WebhookDelivery

RIGHT = "webhooks.manage"
TEST = "test"
EVENTS = (
    "roster.published",
    "duty.published",
    "grades.published",
    "grades.effective",
    "ticket.at_risk",
    "ticket.breached",
    "agreement.in_force",
)
WAITS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 8 * 60, 24 * 60)
)  # after the first attempt, and each one that failed after it
LEASE = timedelta(minutes=2)  # longer than an attempt takes
FAILURES_BEFORE_OFF = 20
KEPT = timedelta(days=30)
MOST_HOOKS = 50
LONGEST_URL = 500
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """A webhook and how its deliveries stand."""

    hook: Webhook
    waiting: int
    delivered: int
    given_up: int


@dataclass(frozen=True)
class Attempt:
    """One delivery to be tried now."""

    delivery_id: int
    url: str
    headers: dict[str, str]
    body: bytes


def notify(session: Session, event: str, at: datetime, *facts: dict[str, Any]) -> int:
    """Put an event, once for each of `facts`, on its way to whoever wants it.

    Facts name things by their numbers and codes; nothing personal leaves the desk this way.
    """
    hooks = session.exec(select(Webhook).where(Webhook.active)).all()
    wanted = [hook for hook in hooks if event in hook.events]
    for hook in wanted:
        session.add_all(_delivery(hook, event, fact, at) for fact in facts)
    return len(wanted) * len(facts)


def anybody(session: Session) -> bool:
    """Whether anybody is told of anything."""
    return session.exec(select(Webhook.id).where(Webhook.active).limit(1)).first() is not None


def _delivery(hook: Webhook, event: str, fact: dict[str, Any], at: datetime) -> WebhookDelivery:
    assert hook.id is not None
    number = f"evt_{secrets.token_hex(12)}"
    content = {"id": number, "event": event, "at": at.astimezone(UTC).isoformat(), "data": fact}
    return WebhookDelivery(
        webhook_id=hook.id, code=number, event=event, made_at=at, next_at=at,
        body=json.dumps(content, ensure_ascii=False, sort_keys=True),
    )  # fmt: skip


def signature(secret: str, body: bytes, at: datetime) -> str:
    """What a receiver computes as well: HMAC-SHA-256 of the time, a dot and the body."""
    seconds = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"


# -- for the worker --------------------------------------------------------------------------------


def claim(session: Session, at: datetime) -> Attempt | None:
    """The delivery longest due; it is held for a while, so that nobody else tries it."""
    found = session.exec(
        select(WebhookDelivery, Webhook)
        .join(Webhook, col(Webhook.id) == WebhookDelivery.webhook_id)
        .where(col(WebhookDelivery.next_at) <= at, Webhook.active)
        .order_by(col(WebhookDelivery.next_at), col(WebhookDelivery.id))
        .limit(1)
        .with_for_update(skip_locked=True, of=WebhookDelivery)
    ).first()
    if found is None:
        return None
    delivery, hook = found
    delivery.attempts += 1
    delivery.tried_at, delivery.next_at = at, at + LEASE
    body = delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Tierdesk",
        "Tierdesk-Event": delivery.event,
        "Tierdesk-Delivery": delivery.code,
        "Tierdesk-Signature": signature(hook.secret, body, at),
    }
    assert delivery.id is not None
    return Attempt(delivery.id, hook.url, headers, body)


def settle(session: Session, delivery_id: int, taken: bool, answer: str, at: datetime) -> None:
    """What came of an attempt: delivered, tried again later, or given up."""
    delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if delivery is None:
        return  # the webhook was removed meanwhile
    hook = session.get_one(Webhook, delivery.webhook_id, with_for_update=True)
    delivery.answer = answer[:200]
    if taken:
        delivery.delivered_at, delivery.next_at, hook.failures = at, None, 0
        return
    again = delivery.attempts <= len(WAITS)
    delivery.next_at = at + WAITS[delivery.attempts - 1] if again else None
    hook.failures += 1
    if hook.active and (not again or hook.failures >= FAILURES_BEFORE_OFF):
        hook.active, hook.disabled_at = False, at
        audit.record(session, at, "system", "webhook.off", f"webhook {hook.id}",
                     failures=hook.failures, answer=delivery.answer)  # fmt: skip


def forget_old(session: Session, at: datetime) -> None:
    """What is done with goes after a month."""
    session.exec(
        delete(WebhookDelivery).where(
            col(WebhookDelivery.made_at) < at - KEPT, col(WebhookDelivery.next_at).is_(None)
        )
    )


# -- for administrators ----------------------------------------------------------------------------


def listing(session: Session, actor: Actor) -> list[Line]:
    """All webhooks."""
    access.require_whole_desk(actor, RIGHT)
    return [_line(session, hook) for hook in session.exec(select(Webhook).order_by("id"))]


def one(session: Session, actor: Actor, number: int) -> tuple[Line, Sequence[WebhookDelivery]]:
    """A webhook with its newest deliveries."""
    hook = _found(session, actor, number)
    log = session.exec(
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == number)
        .order_by(col(WebhookDelivery.id).desc())
        .limit(SHOWN)
    ).all()
    return _line(session, hook), log


def make(
    session: Session, actor: Actor, url: str, events: Sequence[str], at: datetime
) -> tuple[Webhook, str]:
    """Subscribe an address to events; its secret is told this once.

    Raises
    ------
    InputError
        The address is none a webhook can have, or no event is chosen.
    """
    access.require_whole_desk(actor, RIGHT)
    count = session.scalar(sa.select(func.count()).select_from(Webhook)) or 0
    if count >= MOST_HOOKS:
        raise ConflictError(f"there are {MOST_HOOKS} webhooks already; remove one first")
    faults = _faults_of_url(url.strip())
    if not events or not set(events) <= set(EVENTS):
        faults.append(Fault("choose at least one event", column="events"))
    if faults:
        raise InputError.of(faults)
    hook = Webhook(
        url=url.strip(), events=sorted(set(events)), secret=_new_secret(), made_by=actor.name,
        made_at=at,
    )  # fmt: skip
    session.add(hook)
    _recorded(session, actor, hook, "webhook.make", at, events=hook.events)
    return hook, hook.secret


def renew_secret(session: Session, actor: Actor, number: int, at: datetime) -> str:
    """A new secret, told this once; the old one signs nothing any more."""
    hook = _found(session, actor, number)
    hook.secret = _new_secret()
    _recorded(session, actor, hook, "webhook.secret", at)
    return hook.secret


def switch(session: Session, actor: Actor, number: int, on: bool, at: datetime) -> None:
    """Stop telling, or tell again: what waits is tried at once."""
    hook = _found(session, actor, number)
    hook.active, hook.failures = on, 0
    hook.disabled_at = None if on else at
    if on:
        session.execute(
            sa.update(WebhookDelivery)
            .where(col(WebhookDelivery.webhook_id) == number,
                   col(WebhookDelivery.next_at).is_not(None))
            .values(next_at=at)
        )  # fmt: skip
    _recorded(session, actor, hook, "webhook.on" if on else "webhook.off", at)


def try_out(session: Session, actor: Actor, number: int, at: datetime) -> None:
    """Send an event that says nothing but that the way is open."""
    hook = _found(session, actor, number)
    if not hook.active:
        raise ConflictError("this webhook is switched off; switch it on first")
    session.add(_delivery(hook, TEST, {"asked_by": actor.name}, at))
    _recorded(session, actor, hook, "webhook.try", at)


def send_again(session: Session, actor: Actor, delivery_id: int, at: datetime) -> int:
    """Try a delivery afresh; the number of its webhook."""
    access.require_whole_desk(actor, RIGHT)
    delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if delivery is None:
        raise NotFoundError(f"there is no delivery {delivery_id}")
    hook = _found(session, actor, delivery.webhook_id)
    if not hook.active:
        raise ConflictError("this webhook is switched off; switch it on first")
    delivery.attempts, delivery.next_at, delivery.delivered_at = 0, at, None
    _recorded(session, actor, hook, "webhook.again", at, delivery=delivery.code)
    return delivery.webhook_id


def remove(session: Session, actor: Actor, number: int, at: datetime) -> None:
    """Remove a webhook with its log."""
    hook = _found(session, actor, number)
    session.exec(delete(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == number))
    session.delete(hook)
    _recorded(session, actor, hook, "webhook.remove", at)


def _found(session: Session, actor: Actor, number: int) -> Webhook:
    access.require_whole_desk(actor, RIGHT)
    hook = session.get(Webhook, number)
    if hook is None:
        raise NotFoundError(f"there is no webhook {number}")
    return hook


def _line(session: Session, hook: Webhook) -> Line:
    waits, done = col(WebhookDelivery.next_at), col(WebhookDelivery.delivered_at)
    counted = session.execute(
        sa.select(
            func.count(waits),
            func.count(done),
            func.count().filter(waits.is_(None), done.is_(None)),
        ).where(col(WebhookDelivery.webhook_id) == hook.id)
    ).one()
    return Line(hook, *counted)


def _faults_of_url(url: str) -> list[Fault]:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        fits = fits and not parts.username and not parts.password and not parts.fragment
        fits = fits and len(url) <= LONGEST_URL and url.isascii() and url.isprintable()
        fits = fits and " " not in url
    except ValueError:
        fits = False
    expected = "expected an address such as https://receiver.example/tierdesk"
    return [] if fits else [Fault(expected, column="url")]


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def _recorded(
    session: Session, actor: Actor, hook: Webhook, action: str, at: datetime, **detail: object
) -> None:
    session.flush()
    audit.record(session, at, actor.name, action, f"webhook {hook.id}", url=hook.url, **detail)
