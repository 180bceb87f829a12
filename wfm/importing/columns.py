"""Text columns into typed ones, vectorised, with a fault for every value that does not fit.

Every converter takes a column of text (`pandas.Series`, index = spreadsheet row) and returns the
typed column together with the faults; an empty value becomes a missing one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wfm.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

    Converted = tuple[pd.Series, list[Fault]]

OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
# a year alone or a bare number would pass as ISO 8601, and is hardly ever meant as a time
DAY = r"\d{4}(?:-\d{1,2}-\d{1,2}|\d{4})(?!\d)"
BOOLEANS = {
    "y": True, "yes": True, "true": True, "1": True, "1.0": True, "是": True,
    "n": False, "no": False, "false": False, "0": False, "0.0": False, "否": False,
}  # fmt: skip


def zone(name: str) -> ZoneInfo:
    """Look up an IANA time zone, or say that there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError.of(
            [Fault("unknown time zone; expected a name such as Asia/Shanghai", value=name)]
        ) from error


def trimmed(column: pd.Series) -> pd.Series:
    """Cells without white space around them (several times as fast as `.str.strip`)."""
    import pandas as pd

    cells = [cell.strip() for cell in column.tolist()]
    return pd.Series(cells, index=column.index, dtype="str", name=column.name)


def cells_of(column: pd.Series) -> Iterator[tuple[int, str]]:
    """Row numbers with their cells."""
    return zip(column.index.tolist(), column.astype(str).tolist(), strict=True)


def faults_in(column: pd.Series, wrong: pd.Series, message: str) -> list[Fault]:
    """One fault for every cell marked as wrong."""
    return [
        Fault(message, row=row, column=str(column.name), value=value[:80])
        for row, value in cells_of(column[wrong])
    ]


def instants(column: pd.Series, tz: ZoneInfo, formats: Sequence[str] = ()) -> Converted:
    """ISO 8601 times to UTC instants; strptime `formats`, where given, are tried first.

    A time without an offset is local to `tz`; of an hour that occurs twice the first is meant. A
    time the clock skipped is read with the offset before the gap, as `wfm.sla.calendars` does, so
    it lies as far behind the gap as it was into it.
    """
    import pandas as pd

    text = trimmed(column)
    given = text != ""
    result = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us, UTC]")
    for pattern in formats:
        rest = given & result.isna()
        parsed = pd.to_datetime(text[rest], format=pattern, errors="coerce")
        result[rest] = _localised(parsed.astype("datetime64[us]"), tz)
    rest = given & result.isna()
    rest &= text.str.match(DAY)
    aware = rest & text.str.contains(OFFSET, regex=True) & text.str.contains(":")
    if aware.any():
        parsed = pd.to_datetime(text[aware], format="ISO8601", errors="coerce", utc=True)
        result[aware] = _in_any_zone(parsed).astype("datetime64[us, UTC]")
    plain = rest & ~aware
    if plain.any():
        parsed = pd.to_datetime(text[plain], format="ISO8601", errors="coerce")
        result[plain] = _localised(parsed.astype("datetime64[us]"), tz)
    expected = "not a time; expected " + (
        " or ".join(formats) if formats else "ISO 8601 such as 2026-02-16T09:30:00+08:00"
    )
    return result, faults_in(column, given & result.isna(), expected)


def _localised(naive: pd.Series, tz: ZoneInfo) -> pd.Series:
    import numpy as np

    naive = _in_any_zone(naive)
    first = np.ones(len(naive), dtype=bool)
    local = naive.dt.tz_localize(tz, ambiguous=first, nonexistent="NaT")
    utc: pd.Series = local.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    skipped = naive[utc.isna() & naive.notna()]
    for reading in skipped.unique():  # a few; the standard library reads them as we want them
        at = reading.to_pydatetime().replace(tzinfo=tz).astimezone(UTC)
        utc[skipped.index[skipped == reading]] = at
    return utc


def _in_any_zone(times: pd.Series) -> pd.Series:
    """Without times so near the ends of the calendar that some zone cannot show them."""
    return times.where(times.dt.year.between(MINYEAR + 1, MAXYEAR - 1))


def iso(moments: pd.Series) -> pd.Series:
    """Instants as ISO 8601 text in UTC; a missing one becomes empty."""
    import numpy as np
    import pandas as pd

    naive = moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    text = pd.Series(np.datetime_as_string(naive), index=moments.index, dtype="str") + "+00:00"
    return text.where(moments.notna(), "")


def dates(column: pd.Series, formats: Sequence[str] = ("%Y-%m-%d",)) -> Converted:
    """Calendar dates; a time of day after an ISO date is dropped."""
    import pandas as pd

    text = trimmed(column)
    if "%Y-%m-%d" in formats:
        text = text.str.replace(r"^(\d{4}-\d{2}-\d{2})[T ].*$", r"\1", regex=True)
    result = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    for pattern in formats:
        rest = (text != "") & result.isna()
        parsed = pd.to_datetime(text[rest], format=pattern, errors="coerce")
        result[rest] = parsed.astype("datetime64[us]")
    wrong = (text != "") & result.isna()
    shown = " or ".join(formats).replace("%Y-%m-%d", "YYYY-MM-DD")
    return result, faults_in(column, wrong, f"not a date; expected {shown}")


def numbers(
    column: pd.Series, low: float | None = None, high: float | None = None, *, whole: bool = False
) -> Converted:
    """Numbers within `low` … `high` (inclusive)."""
    import numpy as np
    import pandas as pd

    text = trimmed(column)
    values = pd.to_numeric(text.where(text != ""), errors="coerce")
    wrong = (text != "") & (values.isna() | np.isinf(values))
    expected = "not a whole number" if whole else "not a number"
    if whole:
        wrong |= values.notna() & (values % 1 != 0)
    faults = faults_in(column, wrong, expected)
    for limit, word, outside in (
        (low, "at least", values < low if low is not None else None),
        (high, "at most", values > high if high is not None else None),
    ):
        if outside is not None:
            faults += faults_in(column, outside & ~wrong, f"must be {word} {limit:g}")
            values = values.mask(outside)
    return values.mask(wrong), faults


def booleans(column: pd.Series) -> Converted:
    """Y/N, true/false, 1/0 (or 是/否)."""
    text = trimmed(column).str.lower()
    values = text.map(BOOLEANS).astype("boolean")
    return values, faults_in(column, (text != "") & values.isna(), "expected Y or N, true or false")


def choices(column: pd.Series, allowed: Sequence[str] | Mapping[str, str]) -> Converted:
    """One of a few words; a mapping also translates (keys are compared without case)."""
    table = allowed if isinstance(allowed, Mapping) else {word: word for word in allowed}
    lookup = {key.lower(): value for key, value in table.items()}
    text = trimmed(column)
    values = text.str.lower().map(lookup)
    wrong = (text != "") & values.isna()
    return values, faults_in(column, wrong, f"expected one of {', '.join(list(table)[:12])}")


def identifiers(column: pd.Series, *, unique: bool = True) -> Converted:
    """Required ids, each once when `unique`."""
    text = trimmed(column)
    faults = faults_in(column, text == "", "an id is required")
    if unique:
        again = text.duplicated() & (text != "")
        first = {value: row for row, value in cells_of(text[~again])}
        faults += [
            Fault(
                f"this id already stands in row {first[value]}",
                row=row, column=str(column.name), value=value[:80],
            )
            for row, value in cells_of(text[again])
        ]  # fmt: skip
    return text, faults
