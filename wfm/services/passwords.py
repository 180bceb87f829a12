"""What a password must be: long, of four kinds, and not a common word dressed up."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from wfm.errors import Fault, InputError

SHORTEST = 11  # the desk's own security rules: longer than ten characters
KINDS = {
    "a lower-case letter": str.islower,
    "an upper-case letter": str.isupper,
    "a digit": str.isdigit,
    "a special character": lambda char: not char.isalnum(),
}
COMMON = Path(__file__).parents[1] / "data" / "common_passwords.txt"
DRESS = re.compile(r"^[\W\d_]+|[\W\d_]+$")  # digits and signs before and after the words
UNDRESSED = str.maketrans("@4031!$5780", "aaoeiisstbo")


def check(password: str, account: str = "") -> None:
    """Refuse a password that is short, of too few kinds, common, or the account's own name."""
    missing = [what for what, test in KINDS.items() if not any(map(test, password))]
    if len(password) < SHORTEST:
        missing.insert(0, f"at least {SHORTEST} characters")
    if missing:
        raise InputError.of(
            [Fault(f"the password still needs {', '.join(missing)}", column="password")]
        )
    if is_common(password, account):
        raise InputError.of(
            [Fault("this password is too easy to guess; choose other words", column="password")]
        )


def is_common(password: str, account: str = "") -> bool:
    """Whether a common word, or the account's name, is all there is under digits and signs."""
    words = _common() | ({account.casefold()} if len(account) > 2 else set())
    plain = DRESS.sub("", password.casefold())
    readings = ("".join(filter(str.isalpha, text)) for text in (plain, plain.translate(UNDRESSED)))
    return any(_is_repeated(reading, words) for reading in readings)


def _is_repeated(text: str, words: set[str] | frozenset[str]) -> bool:
    return any(
        text == (text[:length] * (len(text) // length))
        for length in range(1, len(text) + 1)
        if len(text) % length == 0 and (text[:length] in words or length == 1)
    )


@cache
def _common() -> frozenset[str]:
    lines = COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))
