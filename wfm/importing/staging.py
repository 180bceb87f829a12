"""Where typed rows wait inside the import's own transaction until all of them are judged.

For each kind of record there is a temporary table `staged_…` of the rows as they came; landing
makes `ready_…` of it, with references resolved, takes out rows with faults and merges the rest.
All of it vanishes with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from wfm.errors import Fault
from wfm.importing.forms import Field, Form

if TYPE_CHECKING:
    import pandas as pd

STORED_AS = {
    "instant": "timestamptz", "date": "date", "whole": "integer", "number": "double precision",
    "boolean": "boolean",
}  # fmt: skip


def table_of(kind: str, stage: str = "staged") -> str:
    return f"{stage}_{kind.replace('-', '_')}"


class Staging:
    """The temporary tables of one import."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.new_table(
            "import_fault",
            "(kind text, line integer, col text, value text, reason text)",
        )

    def new_table(self, name: str, definition: str, **parameters: Any) -> int:
        """Make a temporary table; the number of its rows when made from a query."""
        self.run(f"drop table if exists {name}")
        return self.run(f"create temporary table {name} {definition}", **parameters)

    def run(self, sql: str, **parameters: Any) -> int:
        """Run one statement; the number of rows it touched."""
        result = self.connection.execute(sa.text(sql), parameters)
        return max(int(result.rowcount), 0)

    def rows(self, sql: str, **parameters: Any) -> Sequence[sa.Row[Any]]:
        return self.connection.execute(sa.text(sql), parameters).all()

    def number(self, sql: str, **parameters: Any) -> int:
        return int(self.connection.scalar(sa.text(sql), parameters) or 0)

    def open(self, form: Form) -> None:
        columns = ", ".join(f'"{field.name}" {_stored(field)}' for field in form.fields)
        self.new_table(table_of(form.kind), f"(line integer, {columns})")

    def add(self, form: Form, frame: pd.DataFrame) -> None:
        """Append typed rows; what is missing or empty becomes null."""
        names = [name for name in form.names if name in frame.columns]
        listed = ", ".join(f'"{name}"' for name in ["line", *names])
        columns = [frame.index.tolist(), *(_cells(form.field(name), frame[name]) for name in names)]
        self._copy(f"{table_of(form.kind)} ({listed})", zip(*columns, strict=True))

    def add_faults(self, kind: str, faults: Sequence[Fault]) -> None:
        rows = ((kind, f.row, f.column or "", f.value or "", f.message) for f in faults)
        self._copy("import_fault (kind, line, col, value, reason)", rows)

    def _copy(self, target: str, rows: Iterator[tuple[Any, ...]]) -> None:
        driver = self.connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy(f"copy {target} from stdin") as copy:
            for row in rows:
                copy.write_row(row)

    def refuse(self, kind: str, condition: str, column: str, reason: str, value: str = "") -> None:
        """Rows of `ready_…` (as r) that meet `condition` are faulty.

        `reason` and `value` are SQL expressions; the value defaults to that of `column`.
        """
        shown = value or f'r."{column}"'
        self.run(
            f"insert into import_fault select :kind, r.line, :col, coalesce({shown}::text, ''),"
            f" {reason} from {table_of(kind, 'ready')} r where {condition}",
            kind=kind, col=column,
        )  # fmt: skip

    def drop_refused(self, kind: str) -> None:
        self.run(
            f"delete from {table_of(kind, 'ready')} where line in"
            " (select line from import_fault where kind = :kind)",
            kind=kind,
        )
        self.run(f"analyze {table_of(kind, 'ready')}")


def _stored(field: Field) -> str:
    return STORED_AS.get(field.type, "text")


def _cells(field: Field, column: pd.Series) -> list[Any]:
    """Values as the database reads them; text goes as it is, so that nothing is guessed."""
    import numpy as np

    missing = column.isna()
    cells: list[Any]
    if field.type in ("instant", "date"):
        naive = column.dt.tz_localize(None) if field.type == "instant" else column
        unit = "us" if field.type == "instant" else "D"
        text = np.datetime_as_string(naive.to_numpy(f"datetime64[{unit}]"))
        zone = "+00" if field.type == "instant" else ""
        cells = [f"{cell}{zone}" for cell in text.tolist()]
    elif field.type == "whole":
        cells = column.fillna(0).astype("int64").tolist()
    elif field.type in ("number", "boolean"):
        cells = column.tolist()
    else:
        missing = missing | (column == "")
        cells = column.tolist()
    return [None if gone else cell for cell, gone in zip(cells, missing.tolist(), strict=True)]
