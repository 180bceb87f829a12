"""What all kinds share: duplicates, references, codes made on the way, merging, counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wfm.importing.forms import FORMS
from wfm.importing.staging import Staging, table_of


@dataclass(frozen=True)
class Landed:
    """Rows of one kind that came in, and rows of other tables that were made for them."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    made: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def refuse_duplicates(staging: Staging, kind: str) -> None:
    """Of the rows without other faults, the first with a key is taken; the others are faulty."""
    staging.drop_refused(kind)
    key = FORMS[kind].key
    listed = ", ".join(f'"{name}"' for name in key)
    ready = table_of(kind, "ready")
    staging.new_table(
        "import_again",
        f"as select line, first from (select line, min(line) over (partition by {listed}) as first"
        f" from {ready}) numbered where line <> first",
    )
    again = "r.line in (select line from import_again)"
    first = "(select first from import_again where line = r.line)"
    what = "this id already stands" if len(key) == 1 else f"the same {', '.join(key)} already stand"
    staging.refuse(kind, again, key[0], f"'{what} in row ' || {first}")
    staging.drop_refused(kind)


def refuse_unknown(staging: Staging, kind: str, column: str, found: str, what: str) -> None:
    """A reference that was given leads to a row (`found` is its id) or the row is faulty."""
    remedy = f"there is no {what} with this id; import {what}s first"
    staging.refuse(kind, f'r."{column}" is not null and {found} is null', column, f"'{remedy}'")


def make_codes(staging: Staging, kind: str, column: str, table: str, names: Sequence[str]) -> int:
    """Make a row, named as its code, for every code that is not known yet."""
    columns = ", ".join(names)
    values = ", ".join("code" for _ in names)
    return staging.run(
        f"insert into {table} (code, {columns})"
        f' select code, {values} from (select distinct "{column}" as code'
        f' from {table_of(kind, "ready")} where "{column}" is not null) given'
        f" where not exists (select from {table} t where t.code = given.code) order by code"
    )


def merge(staging: Staging, kind: str, table: str, columns: Sequence[str]) -> Landed:
    """Bring `final_…` (line, id of the row that is there or null, `columns`) into `table`."""
    final = table_of(kind, "final")
    listed = ", ".join(columns)
    new = ", ".join(f"f.{name}" for name in columns)
    old = ", ".join(f"t.{name}" for name in columns)
    staging.run(f"analyze {final}")
    rows = staging.number(f"select count(*) from {final}")
    changed = staging.run(
        f"update {table} t set ({listed}) = row({new}) from {final} f"
        f" where t.id = f.id and ({old}) is distinct from ({new})"
    )
    added = staging.run(
        f"insert into {table} ({listed}) select {listed} from {final}"
        " where id is null order by line"
    )
    return Landed(added=added, changed=changed, unchanged=rows - added - changed)
