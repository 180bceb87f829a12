"""From a file to staged rows: read in pieces, translate, type, keep what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from wfm.errors import Fault, InputError
from wfm.importing.forms import FORMS, Form
from wfm.importing.mapping import Mapping
from wfm.importing.staging import Staging
from wfm.importing.tabular import read_chunks
from wfm.importing.translate import Translator
from wfm.importing.typed import typed_rows

if TYPE_CHECKING:
    import pandas as pd

Tell = Callable[[float, str], None]
SHARE_OF_READING = 0.6


@dataclass
class Read:
    """How many records of each kind were in the file, and what was not looked at."""

    records: Counter[str] = field(default_factory=Counter)
    ignored_columns: tuple[str, ...] = ()


def read_in(staging: Staging, path: Path, mapping: Mapping, tz: ZoneInfo, tell: Tell) -> Read:
    """Stage every record the file yields.

    Raises
    ------
    InputError
        The file as a whole is wrong: nothing of it can be taken.
    """
    read = Read()
    for kind in mapping.kinds:
        staging.open(FORMS[kind])
    translator = Translator(mapping, tz)
    required = mapping.columns or FORMS[mapping.kind].required
    rows = 0
    for number, chunk in enumerate(
        read_chunks(path, required, mapping.separator, mapping.encoding)
    ):
        frame = translator.known(chunk.frame)
        made = translator.rows(frame)
        if number == 0:
            _check_fields(mapping, made, path.name)
            read.ignored_columns = _ignored(mapping, chunk.frame, made)
        for kind, records in made.items():
            _stage(staging, FORMS[kind], records, mapping, tz, read)
        staging.add_faults(mapping.kind, chunk.faults)
        read.records[mapping.kind] += len(chunk.faults)
        rows += len(frame) + len(chunk.faults)
        tell(SHARE_OF_READING * chunk.share, f"{rows} rows read")
    if rows == 0:
        raise InputError.of([Fault("there are no rows below the header", path.name)])
    for kind, records in translator.groups().items():
        _stage(staging, FORMS[kind], records, mapping, tz, read)
    return read


def _stage(
    staging: Staging, form: Form, records: pd.DataFrame, mapping: Mapping, tz: ZoneInfo, read: Read
) -> None:
    typed, faults = typed_rows(form, records, tz, mapping.times, mapping.dates)
    staging.add(form, typed)
    staging.add_faults(form.kind, faults)
    read.records[form.kind] += len(records)


def _check_fields(mapping: Mapping, made: dict[str, pd.DataFrame], file: str) -> None:
    """Every field that must have a value has a source."""
    faults = []
    for output in mapping.outputs:
        given = set(output.sources) | set(made[output.kind].columns if output.kind in made else ())
        missing = [name for name in FORMS[output.kind].required if name not in given]
        if output.kind == "ticket-events" and not given & {"kind", "state"}:
            missing.append("kind")
        faults += [
            Fault(f"this column is missing, and no mapping gives the {output.kind} a value for it",
                  file, 1, name)
            for name in missing
        ]  # fmt: skip
    if faults:
        raise InputError.of(faults)


def _ignored(
    mapping: Mapping, frame: pd.DataFrame, made: dict[str, pd.DataFrame]
) -> tuple[str, ...]:
    used = set(mapping.columns)
    if mapping.kind in made:
        used |= set(made[mapping.kind].columns) & set(FORMS[mapping.kind].names)
    return tuple(str(column) for column in frame.columns if column not in used)
