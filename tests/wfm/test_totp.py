"""One-time passwords: the values RFC 6238 publishes, drift, and no code used twice."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from wfm import totp

SEED = b"12345678901234567890"  # RFC 6238 appendix B, SHA-1
AT = datetime(2026, 10, 8, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_published_values(seconds: int, expected: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code(SEED, totp.step_of(at), digits=8) == expected


@pytest.mark.parametrize(
    ("behind", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_phone_may_be_half_a_minute_off(behind: int, taken: bool) -> None:
    secret = base64.b32encode(SEED).decode()
    shown = totp.code(SEED, totp.step_of(AT + timedelta(seconds=behind)))
    assert (totp.matching_step(secret, shown, AT, None) is not None) is taken


def test_no_code_is_taken_twice() -> None:
    secret = totp.new_secret()
    shown = totp.code(base64.b32decode(secret), totp.step_of(AT))
    used = totp.matching_step(secret, shown, AT, None)
    assert used is not None
    assert totp.matching_step(secret, shown, AT, used) is None
    assert totp.matching_step(secret, "", AT, None) is None
    assert totp.matching_step(secret, "六位数", AT, None) is None
