"""Webhooks against a real receiver: signed, tried again, given up, switched off, kept in bounds."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.db import transaction
from wfm.errors import AccessDeniedError, ConflictError, InputError
from wfm.services import webhook_worker, webhooks
from wfm.tables import AuditEntry, Webhook, WebhookDelivery
from wfm.words import Role

AT = datetime(2026, 10, 8, 2, tzinfo=UTC)
ADA = Actor("ada", roles={Role.ADMINISTRATOR: None})
LOOPBACK = webhook_worker.networks("127.0.0.0/8")


class Receiver(ThreadingHTTPServer):
    """A program that is told; answers what `status` says."""

    status = 204

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/told?by=desk"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        yield server
        server.shutdown()
        thread.join(20)


def subscribe(engine: sa.Engine, url: str, *events: str) -> tuple[int, str]:
    with transaction(engine) as session:
        hook, secret = webhooks.make(session, ADA, url, events or ("roster.published",), AT)
        assert hook.id is not None
        return hook.id, secret


def published(engine: sa.Engine, at: datetime = AT) -> None:
    with transaction(engine) as session:
        webhooks.notify(session, "roster.published", at, {"roster": 7})


def newest(engine: sa.Engine) -> WebhookDelivery:
    with Session(engine) as session:
        return session.exec(select(WebhookDelivery).order_by(col(WebhookDelivery.id).desc())).one()


def test_an_event_arrives_signed(fresh_engine: sa.Engine, receiver: Receiver) -> None:
    _, secret = subscribe(fresh_engine, receiver.url)
    published(fresh_engine)
    assert webhook_worker.step(fresh_engine, AT, LOOPBACK)
    assert not webhook_worker.step(fresh_engine, AT, LOOPBACK)
    [(path, headers, body)] = receiver.got
    assert path == "/told?by=desk"
    told = json.loads(body)
    assert (told["event"], told["data"]) == ("roster.published", {"roster": 7})
    assert headers["Tierdesk-Delivery"] == told["id"]
    # as docs/reference/webhooks.md tells a receiver to check it
    parts = dict(part.split("=", 1) for part in headers["Tierdesk-Signature"].split(","))
    assert parts["t"] == str(int(AT.timestamp()))
    mac = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256)
    assert parts["v1"] == mac.hexdigest()
    assert newest(fresh_engine).delivered_at == AT


def test_only_what_was_asked_for_is_told_and_only_if_it_happened(
    fresh_engine: sa.Engine, receiver: Receiver
) -> None:
    subscribe(fresh_engine, receiver.url, "duty.published")
    published(fresh_engine)
    with Session(fresh_engine) as session:  # what is never committed has not happened
        webhooks.notify(session, "duty.published", AT, {"table": 1})
        session.flush()
    assert not webhook_worker.step(fresh_engine, AT, LOOPBACK)


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_tried_again_later_and_later(
    fresh_engine: sa.Engine, receiver: Receiver, status: int
) -> None:
    subscribe(fresh_engine, receiver.url)
    published(fresh_engine)
    receiver.status, at = status, AT
    for wait in webhooks.WAITS:
        assert webhook_worker.step(fresh_engine, at, LOOPBACK)
        assert newest(fresh_engine).next_at == at + wait
        assert not webhook_worker.step(fresh_engine, at + wait / 2, LOOPBACK)
        at += wait
    receiver.status = 200
    assert webhook_worker.step(fresh_engine, at, LOOPBACK)
    done = newest(fresh_engine)
    assert (done.attempts, done.next_at, done.answer) == (7, None, "HTTP 200")
    assert {path for path, _, _ in receiver.got} == {"/told?by=desk"}  # no redirect was followed
    assert len({headers["Tierdesk-Delivery"] for _, headers, _ in receiver.got}) == 1


def test_a_delivery_given_up_switches_the_webhook_off_and_on_again_sends_what_waits(
    fresh_engine: sa.Engine, receiver: Receiver
) -> None:
    number, _ = subscribe(fresh_engine, receiver.url)
    published(fresh_engine)
    receiver.status, at = 500, AT
    for wait in (*webhooks.WAITS, timedelta(0)):
        assert webhook_worker.step(fresh_engine, at, LOOPBACK)
        at += wait
    published(fresh_engine, at)  # nobody is told while it is off
    with transaction(fresh_engine) as session:
        line, log = webhooks.one(session, ADA, number)
        assert (line.hook.active, line.given_up, line.waiting) == (False, 1, 0)
        assert session.exec(
            select(AuditEntry.actor).where(AuditEntry.action == "webhook.off")
        ).all() == ["system"]
        with pytest.raises(ConflictError, match="switched off"):
            webhooks.send_again(session, ADA, log[0].id or 0, at)
        webhooks.switch(session, ADA, number, True, at)
        webhooks.send_again(session, ADA, log[0].id or 0, at)
    receiver.status = 200
    assert webhook_worker.step(fresh_engine, at, LOOPBACK)
    assert newest(fresh_engine).delivered_at == at


def test_twenty_failures_in_a_row_switch_it_off(
    fresh_engine: sa.Engine, receiver: Receiver
) -> None:
    number, _ = subscribe(fresh_engine, receiver.url)
    receiver.status = 503
    for _ in range(webhooks.FAILURES_BEFORE_OFF + 5):
        published(fresh_engine)
    steps = 0
    while webhook_worker.step(fresh_engine, AT, LOOPBACK):
        steps += 1
    assert steps == webhooks.FAILURES_BEFORE_OFF
    with Session(fresh_engine) as session:
        assert not session.get_one(Webhook, number).active


def test_a_worker_that_dies_leaves_the_delivery_to_another(
    fresh_engine: sa.Engine, receiver: Receiver
) -> None:
    subscribe(fresh_engine, receiver.url)
    published(fresh_engine)
    with transaction(fresh_engine) as session:
        assert webhooks.claim(session, AT) is not None  # and then nothing more is heard of it
    assert not webhook_worker.step(fresh_engine, AT, LOOPBACK)
    assert webhook_worker.step(fresh_engine, AT + webhooks.LEASE, LOOPBACK)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("93.184.215.14", True), ("2606:2800:21f::1", True),
        ("127.0.0.1", False), ("::1", False), ("::ffff:127.0.0.1", False),
        ("169.254.169.254", False), ("fe80::1", False), ("0.0.0.0", False), ("10.1.2.3", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("100.64.0.1", False), ("fd00::1", False),
        ("224.0.0.1", False), ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_our_own_house_is_out_of_reach(address: str, reached: bool) -> None:
    given = ipaddress.ip_address(address)
    assert webhook_worker.may_reach(given, []) is reached
    allowed = webhook_worker.networks(f"{address.removeprefix('::ffff:')}, fd00::/8")
    assert webhook_worker.may_reach(given, allowed)


def test_a_refused_address_is_not_connected_to(fresh_engine: sa.Engine, receiver: Receiver) -> None:
    subscribe(fresh_engine, receiver.url.replace("127.0.0.1", "localhost"))
    published(fresh_engine)
    assert webhook_worker.step(fresh_engine, AT, [])
    assert receiver.got == []
    assert "which webhooks may not reach" in newest(fresh_engine).answer


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example", "https://", "https://u:p@a.example/", "https://a.example/#x", "x",
     "https://a.example:99999/", "https://a b.example/", "https://[::1"],
)  # fmt: skip
def test_what_is_no_address(session: Session, url: str) -> None:
    with pytest.raises(InputError, match="expected an address"):
        webhooks.make(session, ADA, url, ("roster.published",), AT)


def test_events_are_chosen_from_those_there_are(session: Session) -> None:
    with pytest.raises(InputError, match="at least one event"):
        webhooks.make(session, ADA, "https://a.example/", ("roster.eaten",), AT)


def test_webhooks_are_for_administrators_of_the_whole_desk(session: Session) -> None:
    for actor in (Actor("pia", roles={Role.PLANNER: None}),
                  Actor("tim", roles={Role.ADMINISTRATOR: frozenset({1})})):  # fmt: skip
        with pytest.raises(AccessDeniedError):
            webhooks.listing(session, actor)


def test_a_month_later_only_what_waits_is_kept(fresh_engine: sa.Engine, receiver: Receiver) -> None:
    subscribe(fresh_engine, receiver.url)
    published(fresh_engine)
    webhook_worker.step(fresh_engine, AT, LOOPBACK)
    published(fresh_engine, AT + timedelta(seconds=1))
    webhook_worker.keep_house(fresh_engine, AT + timedelta(days=31))
    assert newest(fresh_engine).next_at is not None
