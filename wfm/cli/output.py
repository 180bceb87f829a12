"""What commands print: one JSON document, or a table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import click


def _plain(value: Any) -> Any:
    """JSON knows neither infinities nor NaN: they become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(_plain(document), ensure_ascii=False, default=str, allow_nan=False))


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under a header; wide (Chinese) characters count as two columns."""
    texts = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(map(_width, column)) for column in zip(*texts, strict=True)]
    for line in texts:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def percent(share: float | None, digits: int = 1) -> str:
    """A share as the pages write it; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def _width(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
