"""What an import says of itself, and its rejected rows as a file."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wfm.errors import Fault

SHOWN = 1000  # rejected rows listed in a report; the file of rejects holds all of them
REJECT_COLUMNS = ("kind", "row", "column", "value", "reason")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of one kind: all = added + changed + unchanged + rejected."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0

    def document(self) -> dict[str, int]:
        return {
            "rows": self.rows, "added": self.added, "changed": self.changed,
            "unchanged": self.unchanged, "rejected": self.rejected,
        }  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """Why rows were rejected, and how often."""

    kind: str
    column: str
    reason: str
    count: int
    example_row: int | None


@dataclass(frozen=True)
class ImportReport:
    """One import. `total` counts the main kind; `kinds` all that the file yields; `made` rows of
    other tables that had to be made by code; `rejects` the first of the rejected rows."""

    kind: str
    file: str
    mapping: str
    dry_run: bool
    total: Counts
    kinds: Mapping[str, Counts]
    made: Mapping[str, int]
    ignored_columns: tuple[str, ...]
    reasons: tuple[Reason, ...]
    rejects: tuple[tuple[str, Fault], ...]
    notes: tuple[str, ...] = ()
    run_id: int | None = None
    rejects_gz: bytes | None = field(default=None, repr=False)

    @property
    def landed(self) -> bool:
        """Whether anything was accepted."""
        return any(
            counts.added + counts.changed + counts.unchanged for counts in self.kinds.values()
        )

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "run": self.run_id, "kind": self.kind, "file": self.file, "mapping": self.mapping,
            "dry_run": self.dry_run, **self.total.document(),
            "kinds": {kind: counts.document() for kind, counts in self.kinds.items()},
            "made": dict(self.made),
            "ignored_columns": list(self.ignored_columns),
            "notes": list(self.notes),
            "reasons": [
                {"kind": r.kind, "column": r.column, "reason": r.reason, "count": r.count,
                 "example_row": r.example_row}
                for r in self.reasons
            ],
            "rejects": [
                {"kind": kind, "row": f.row, "column": f.column, "value": f.value,
                 "reason": f.message}
                for kind, f in self.rejects
            ],
        }  # fmt: skip


def neutral(text: str) -> str:
    """Text that a spreadsheet shows and does not compute."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def rejects_gz(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rejected rows as gzipped CSV in the columns `REJECT_COLUMNS`."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        writer = csv.writer(text)
        writer.writerow(REJECT_COLUMNS)
        for row in rows:
            writer.writerow("" if cell is None else neutral(str(cell)) for cell in row)
        text.flush()
        text.detach()
    return packed.getvalue()
