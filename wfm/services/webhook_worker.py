"""Sends what webhooks are told, beside the queue, to addresses that may be reached.

Where an address leads is looked up once for each attempt, judged, and then connected to as looked
up, so that a name cannot lead elsewhere a moment later. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from wfm import instants, stamps
from wfm.db import transaction
from wfm.errors import Fault, InputError
from wfm.services import webhooks
from wfm.services.webhooks import Attempt
from wfm.settings import Settings

IDLE_S = 1.0
TIMEOUT_S = 10.0
HOUSEKEEPING = timedelta(minutes=10)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
logger = logging.getLogger(__name__)


class RefusedError(OSError):
    """An address of our own house, which a webhook must not reach."""


def may_reach(address: Address, allowed: list[Network]) -> bool:
    """Public addresses, and what the setting names; never our own machine or network otherwise."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in allowed if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast


def networks(text: str) -> list[Network]:
    """The networks of the setting."""
    try:
        return [ipaddress.ip_network(one) for one in text.replace(",", " ").split()]
    except ValueError as error:
        raise InputError.of([Fault(str(error), column="WFM_WEBHOOK_NETWORKS")]) from error


def look_up(host: str, port: int, allowed: list[Network]) -> str:
    """The address to connect to."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        given = str(place[0])
        if not may_reach(ipaddress.ip_address(given.partition("%")[0]), allowed):
            raise RefusedError(f"{host} leads to {given}, which webhooks may not reach")
    return str(found[0][4][0])


class _Plain(http.client.HTTPConnection):
    """Connects to an address that was judged, whatever its name says by now."""

    judged = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.judged, self.port), TIMEOUT_S)


class _Secure(_Plain):
    default_port = 443

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def send(attempt: Attempt, allowed: list[Network]) -> tuple[bool, str]:
    """Try once: whether it was taken, and what was answered."""
    parts = urlsplit(attempt.url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = (_Secure if secure else _Plain)(host, port, timeout=TIMEOUT_S)
    try:
        connection.judged = look_up(host, port, allowed)
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("POST", path, attempt.body, attempt.headers)
        status = connection.getresponse().status
        return 200 <= status < 300, f"HTTP {status}"
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return False, str(error) or type(error).__name__
    finally:
        connection.close()


def step(engine: sa.Engine, at: datetime, allowed: list[Network]) -> bool:
    """Try the delivery that is longest due; whether there was one."""
    with transaction(engine) as session:
        attempt = webhooks.claim(session, at)
    if attempt is None:
        return False
    taken, answer = send(attempt, allowed)
    with transaction(engine) as session:
        webhooks.settle(session, attempt.delivery_id, taken, answer, at)
    return True


def run(
    engine: sa.Engine, ended: threading.Event, now: Callable[[], datetime] = instants.now
) -> None:
    """Send until `ended`, and keep the house now and then; what goes wrong is tried again."""
    allowed = networks(Settings.from_environment().webhook_networks)
    kept: datetime | None = None
    while not ended.is_set():
        sent = False
        try:
            at = now()
            if kept is None or at - kept >= HOUSEKEEPING:
                keep_house(engine, at)
                kept = at
            sent = step(engine, at, allowed)
        except sa.exc.SQLAlchemyError:
            logger.exception("webhooks could not reach their work")
        if not sent:
            ended.wait(IDLE_S)


def keep_house(engine: sa.Engine, at: datetime) -> None:
    """The roll of rows gets short again, old deliveries go."""
    with transaction(engine) as session:
        stamps.fold(session)
        webhooks.forget_old(session, at)
