"""One-time passwords by the clock (RFC 6238, with HMAC-SHA-1 and six digits, as phones show)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
DRIFT_STEPS = 1  # a phone may be half a minute ahead or behind
SECRET_BYTES = 20  # RFC 4226 section 4, requirement 6: 160 bits are recommended


def new_secret() -> str:
    """A new shared secret, in the base 32 that phones read."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def address(secret: str, account: str) -> str:
    """What an authenticator takes as an address."""
    return f"otpauth://totp/Tierdesk:{quote(account)}?secret={secret}&issuer=Tierdesk"


def step_of(at: datetime) -> int:
    return int(at.timestamp()) // STEP_S


def code(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one step: dynamic truncation of its HMAC (RFC 4226 section 5.3)."""
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: str, given: str, at: datetime, used: int | None) -> int | None:
    """The step whose code was given, unless that or a later one was used before."""
    raw = base64.b32decode(secret)
    now = step_of(at)
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        fresh = used is None or step > used
        if fresh and hmac.compare_digest(code(raw, step).encode(), given.strip().encode()):
            return step
    return None
