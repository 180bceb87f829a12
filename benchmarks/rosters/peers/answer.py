"""What a peer gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Lines: TypeAlias = dict[str, list[str]]  # employee: a shift or an empty text for each day


@dataclass(frozen=True, slots=True)
class Answer:
    """`lines` are None when nothing was found, `first` is the seconds until the first roster."""

    status: str
    lines: Lines | None = None
    bound: int | None = None
    first: float | None = None
    memory: float | None = None  # MB at most, of a program of its own
