"""Typed reading of a TOML document that names the line of every fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Word = TypeVar("Word", bound=str)
HEADER = re.compile(r"^\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


def lines_of(text: str) -> dict[str, int]:
    """Line of every table and key, by dotted path; keys of inline tables share their line."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = HEADER.match(line)
        if header:
            section = _path(header.group(1))
            found.setdefault(section, number)
            continue
        key = KEY.match(line)
        if key:
            name = _path(key.group(1))
            found.setdefault(f"{section}.{name}" if section else name, number)
    return found


def _path(written: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in written.split("."))


class Table:
    """One table of the document. Faults are collected at the root; reading goes on after one."""

    def __init__(
        self,
        content: Mapping[str, Any],
        lines: Mapping[str, int],
        path: str = "",
        faults: list[str] | None = None,
    ) -> None:
        self.content = content
        self.lines = lines
        self.path = path
        self.faults: list[str] = [] if faults is None else faults
        self._asked: set[str] = set()
        self._inner: list[Table] = []

    def fault(self, path: str, message: str, found: object = None) -> None:
        shown = "" if found is None else f" (found {found!r})"
        self.faults.append(f"line {self._line(path)}: {path}: {message}{shown}")

    def _line(self, path: str) -> int:
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 1)

    def _full(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self.content:
            self.fault(self._full(key), "is missing")
        return self.content.get(key)

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.content

    def table(self, key: str) -> Table:
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self.fault(self._full(key), "must be a table", value)
        inner = Table(
            value if isinstance(value, dict) else {}, self.lines, self._full(key), self.faults
        )
        self._inner.append(inner)
        return inner

    def text(self, key: str) -> str:
        value = self._get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.fault(self._full(key), "must be a text that is not empty", value)
            return ""
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(self._full(key), "must be a list of texts", value)
            return ()
        return tuple(value)

    def words(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """A list of words that are all known."""
        found = self.texts(key)
        strange = [word for word in found if word not in allowed]
        if strange:
            known = ", ".join(allowed) or "none"
            self.fault(self._full(key), f"knows only: {known}", ", ".join(strange))
        return found

    def choice(self, key: str, allowed: Sequence[Word]) -> Word:
        value = self._get(key)
        if value not in allowed:
            if value is not None:
                self.fault(self._full(key), f"must be one of {', '.join(allowed)}", value)
            return allowed[0]
        return allowed[allowed.index(value)]

    def flag(self, key: str) -> bool:
        if not self.has(key):
            return False
        value = self.content[key]
        if not isinstance(value, bool):
            self.fault(self._full(key), "must be true or false", value)
            return False
        return value

    def number(
        self, key: str, low: float = -1e12, high: float = 1e12, otherwise: float | None = None
    ) -> float:
        """A number from `low` to `high`; where it may be left out, `otherwise` stands for it."""
        if otherwise is not None and not self.has(key):
            return otherwise
        value = self._get(key)
        if value is None:
            return low
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(self._full(key), "must be a number", value)
            return low
        if not low <= value <= high:
            limit = f"at least {low:g}" if not value >= low else f"at most {high:g}"
            self.fault(self._full(key), f"must be {limit}", value)
            return low
        return float(value)

    def optional(self, key: str, low: float = -1e12, high: float = 1e12) -> float | None:
        return self.number(key, low, high) if self.has(key) else None

    def whole(self, key: str, low: int, high: int, otherwise: int | None = None) -> int:
        value = self.number(key, low, high, otherwise)
        if value != int(value):
            self.fault(self._full(key), "must be a whole number", value)
        return int(value)

    def close(self) -> None:
        """Name the keys nobody asked for: a misspelt rule must not be ignored in silence."""
        for key in self.content:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.fault(self._full(key), f"is not known here; known: {known}")
        for inner in self._inner:
            inner.close()
