"""Rows of a form from text to typed columns; a row with any fault is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from wfm.errors import Fault
from wfm.importing import columns
from wfm.importing.columns import faults_in
from wfm.importing.forms import LONGEST_CODE, Field, Form

if TYPE_CHECKING:
    import pandas as pd

EARLIEST, LATEST = "1900-01-01", "2200-01-01"
SKILL = re.compile(r"[^:;]+(:\s*[1-5])?")


def typed_rows(
    form: Form,
    frame: pd.DataFrame,
    tz: ZoneInfo,
    times: Sequence[str] = (),
    dates: Sequence[str] = (),
) -> tuple[pd.DataFrame, list[Fault]]:
    """The rows of `frame` that fit `form`, typed, and the faults of those that do not."""
    import pandas as pd

    converted = {}
    faults: list[Fault] = []
    for field in form.fields:
        if field.name in frame.columns:
            values, found = _converted(field, frame[field.name], tz, times, dates)
            converted[field.name] = values
            faults += found
    result = pd.DataFrame(converted, index=frame.index)
    for earlier, later in form.order:
        if earlier in result and later in result:
            wrong = result[later] < result[earlier]
            faults += faults_in(frame[later], wrong, f"lies before {earlier}")
    rejected = {fault.row for fault in faults}
    return (result[~result.index.isin(rejected)] if rejected else result), faults


def _converted(
    field: Field, column: pd.Series, tz: ZoneInfo, times: Sequence[str], dates: Sequence[str]
) -> columns.Converted:
    if field.type == "instant":
        values, faults = columns.instants(column, tz, times)
        values, more = plausible(column, values, tz="UTC")
        faults += more
    elif field.type == "date":
        values, faults = columns.dates(column, (*dates, "%Y-%m-%d"))
        values, more = plausible(column, values)
        faults += more
    elif field.type in ("whole", "number"):
        values, faults = columns.numbers(column, field.low, field.high, whole=field.type == "whole")
    elif field.type == "boolean":
        values, faults = columns.booleans(column)
    elif field.type == "choice":
        values, faults = columns.choices(column, field.words or {})
    elif field.type == "skills":
        values, faults = _skills(column)
    else:
        values, faults = _text(field, column)
    if field.required:
        faults += faults_in(column, columns.trimmed(column) == "", "a value is required")
    return values, faults


def plausible(column: pd.Series, values: pd.Series, tz: str | None = None) -> columns.Converted:
    """Times that somebody can have meant, and a fault for every other one."""
    import pandas as pd

    early, late = pd.Timestamp(EARLIEST, tz=tz), pd.Timestamp(LATEST, tz=tz)
    wrong = (values < early) | (values >= late)
    return values.mask(wrong), faults_in(
        column, wrong, "not a plausible time; between 1900 and 2200"
    )


def _text(field: Field, column: pd.Series) -> columns.Converted:
    text = columns.trimmed(column)
    longest = field.longest or (LONGEST_CODE if field.type in ("id", "code") else None)
    if longest is None:
        return text, []
    return text, faults_in(column, text.str.len() > longest, f"longer than {longest} characters")


def _skills(column: pd.Series) -> columns.Converted:
    """Lists such as ``a;b`` or ``a:3;b:1``, tidied; a skill may stand once in a list."""
    import pandas as pd

    tidy, faults = [], []
    for row, text in columns.cells_of(column):
        parts = [
            part.strip()
            for part in text.replace("；", ";").replace("：", ":").split(";")
            if part.strip()
        ]
        names = [part.split(":")[0].strip() for part in parts]
        wrong = [part for part in parts if not SKILL.fullmatch(part)]
        if wrong:
            message = "not a list of skills; expected a;b or a:3;b:1 with proficiency 1 to 5"
        elif len(set(names)) < len(names):
            message = "a skill stands in this list twice"
        elif any(len(name) > LONGEST_CODE for name in names):
            message = f"a skill longer than {LONGEST_CODE} characters"
        else:
            message = ""
        if message:
            faults.append(Fault(message, row=row, column=str(column.name), value=text[:80]))
        tidy.append(";".join(parts))
    return pd.Series(tidy, index=column.index, dtype="str", name=column.name), faults
