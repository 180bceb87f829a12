"""Writing calendar files (RFC 5545): instants, escapes, and lines of at most 75 octets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

LINE_OCTETS = 75  # RFC 5545 section 3.1


def utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\r", "").replace("\n", "\\n")


def whole(lines: Iterable[str]) -> bytes:
    """The file: every line folded and ended as calendar programs expect."""
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _folded(line: str) -> str:
    """A line of at most 75 octets, carried on with a space; no character is cut in two."""
    parts, current, size = [], "", 0
    for mark in line:
        length = len(mark.encode())
        if size + length > LINE_OCTETS:
            parts.append(current)
            current, size = " ", 1
        current += mark
        size += length
    return "\r\n".join([*parts, current])
