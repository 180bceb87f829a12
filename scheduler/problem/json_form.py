"""Frozen dataclasses to JSON and back, strictly: every fault is named with its path.

A dataclass becomes an object of its fields, leaving out those at their default; dates are ISO
8601; of a union of rule classes the key ``kind`` tells which. Unknown keys are faults, so that a
misspelt field is not silently ignored.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

LARGEST = 10**9


def to_plain(value: Any) -> Any:
    """A JSON-ready form of a dataclass and everything in it."""
    if is_dataclass(value) and not isinstance(value, type):
        plain = {
            f.name: to_plain(getattr(value, f.name))
            for f in fields(value)
            if getattr(value, f.name) != _default(f)
        }
        kind = getattr(type(value), "kind", None)
        return {"kind": kind, **plain} if isinstance(kind, str) else plain
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def from_plain(kind: Any, value: Any, path: str, faults: list[str]) -> Any:
    """Build `kind` from parsed JSON; what is wrong is added to `faults` and None returned."""
    origin = get_origin(kind)
    if origin is Literal:
        return _choice(get_args(kind), value, path, faults)
    if origin is tuple:
        return _sequence(get_args(kind)[0], value, path, faults)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind), value, path, faults)
    if isinstance(kind, type) and is_dataclass(kind):
        return _object(kind, value, path, faults)
    return _scalar(kind, value, path, faults)


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


def _wrong(expected: str, value: Any, path: str, faults: list[str]) -> Any:
    faults.append(f"{path}: {expected} expected, found {_shown(value)}")
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _choice(choices: tuple[Any, ...], value: Any, path: str, faults: list[str]) -> Any:
    if isinstance(value, str) and value in choices:
        return value
    return _wrong("one of " + ", ".join(map(str, choices)), value, path, faults)


def _sequence(kind: Any, value: Any, path: str, faults: list[str]) -> Any:
    if not isinstance(value, list):
        return _wrong("a list", value, path, faults)
    return tuple(from_plain(kind, item, f"{path}[{i}]", faults) for i, item in enumerate(value))


def _union(kinds: tuple[Any, ...], value: Any, path: str, faults: list[str]) -> Any:
    if value is None and type(None) in kinds:
        return None
    rest = tuple(k for k in kinds if k is not type(None))
    if len(rest) == 1:
        return from_plain(rest[0], value, path, faults)
    by_kind = {k.kind: k for k in rest}
    if not isinstance(value, Mapping):
        return _wrong("an object", value, path, faults)
    found = value.get("kind")
    if not isinstance(found, str) or found not in by_kind:
        return _wrong("one of " + ", ".join(by_kind), found, f"{path}.kind", faults)
    inner = {k: v for k, v in value.items() if k != "kind"}
    return _object(by_kind[found], inner, path, faults)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _object(kind: type, value: Any, path: str, faults: list[str]) -> Any:
    if not isinstance(value, Mapping):
        return _wrong("an object", value, path, faults)
    hints = _hints(kind)
    known = {f.name: f for f in fields(kind)}
    before = len(faults)
    for key in value.keys() - known.keys():
        faults.append(f"{path}.{key}: no such field; known are {', '.join(known)}")
    given = {
        name: from_plain(hints[name], value[name], f"{path}.{name}", faults)
        for name in known
        if name in value
    }
    for name, field in known.items():
        if name not in value and _default(field) is MISSING:
            faults.append(f"{path}.{name}: this field is missing")
    return kind(**given) if len(faults) == before else None


def _scalar(kind: Any, value: Any, path: str, faults: list[str]) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else _wrong("true or false", value, path, faults)
    if kind is int:
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
        return value if whole else _wrong("a whole number", value, path, faults)
    if kind is str:
        return value if isinstance(value, str) else _wrong("a text", value, path, faults)
    if kind is date:
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            return _wrong("a date like 2026-02-16", value, path, faults)
    raise TypeError(f"no JSON form for {kind}")
