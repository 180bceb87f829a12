"""Tables from CSV, CSV.gz and XLSX, as text, with every structural fault named.

A table is a data frame of strings (empty string = no value) whose index is the row number as a
spreadsheet counts it: the header is row 1, the first record row 2.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wfm.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {";": "semicolon", "\t": "tab", "|": "vertical bar"}
ENCODING_GUESSES = ("gb18030", "cp1252")


def read_table(path: Path, required: Sequence[str] = (), separator: str = ",") -> pd.DataFrame:
    """Read one table as text.

    Raises
    ------
    InputError
        The file is missing, empty, in another encoding or with another separator, a row has too
        many or too few fields, a column name occurs twice, or a required column is missing.
    """
    name = path.name
    if not path.is_file():
        raise InputError.of([Fault("there is no such file", str(path))])
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        frame = _read_workbook(path)
    else:
        frame = _read_delimited(_decode(_raw_bytes(path), name), name, separator)
    missing = [column for column in required if column not in frame.columns]
    if missing:
        found = ", ".join(str(c) for c in frame.columns[:12])
        raise InputError.of(
            Fault(f"this column is missing; found: {found}", name, 1, column) for column in missing
        )
    return frame


def _raw_bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError.of(
                [Fault("this .gz file is damaged; compress it again", path.name)]
            ) from error
    if not raw.strip():
        raise InputError.of([Fault("this file is empty; a header row is expected", path.name)])
    return raw


def _decode(raw: bytes, name: str) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        guess = next((g for g in ENCODING_GUESSES if _decodes(raw, g)), None)
        hint = f"; it may be {guess}" if guess else ""
        raise InputError.of(
            [Fault(f"not UTF-8{hint}: save the file as UTF-8 and try again", name, row)]
        ) from error
    if "\x00" in text:
        raise InputError.of([Fault("this is not a text file (it holds zero bytes)", name)])
    return text


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _read_delimited(text: str, name: str, separator: str) -> pd.DataFrame:
    import pandas as pd

    rows = csv.reader(io.StringIO(text), delimiter=separator)
    header = next(rows)
    _check_header(header, name, separator)
    try:
        # pandas fills short rows in silence, so the widths are looked at first
        if any(fields and len(fields) != len(header) for fields in rows):
            raise _ragged(text, name, separator, len(header))
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            na_filter=False,
            header=None,
            names=range(len(header)),
            index_col=False,
            skip_blank_lines=False,
        )
    except (csv.Error, pd.errors.ParserError) as error:
        raise InputError.of([Fault(f"cannot be read as a table: {error}", name)]) from error
    frame = frame.iloc[1:]
    frame.columns = pd.Index([column.strip() for column in header])
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame[~(frame == "").all(axis=1)]


def _ragged(text: str, name: str, separator: str, width: int) -> InputError:
    """Name the rows whose number of fields is wrong."""
    return InputError.of(
        Fault(f"{len(fields)} fields where the header has {width}", name, row)
        for row, fields in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1)
        if fields and len(fields) != width
    )


def _check_header(header: list[str], name: str, separator: str) -> None:
    if len(header) == 1:
        for other, word in SEPARATORS.items():
            if other in header[0] and other != separator:
                raise InputError.of(
                    [Fault(f"fields are separated by {word}; a comma is expected", name, 1)]
                )
    names = [column.strip() for column in header]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise InputError.of(
            Fault("this column occurs twice; rename one", name, 1, column) for column in twice
        )
    if not any(names):
        raise InputError.of([Fault("the header row is empty", name, 1)])


def _read_workbook(path: Path) -> pd.DataFrame:
    import openpyxl
    import pandas as pd

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise InputError.of(
            [Fault("this is not an XLSX workbook; save it again as .xlsx", path.name)]
        ) from error
    try:
        rows = [[_cell(value) for value in row] for row in book.worksheets[0].values]
    finally:
        book.close()
    if not rows or not any(rows[0]):
        raise InputError.of(
            [Fault("the first sheet is empty; a header row is expected", path.name)]
        )
    width = max(i + 1 for i, value in enumerate(rows[0]) if value)
    header = rows[0][:width]
    _check_header(header, path.name, "")
    body = [(row + [""] * width)[:width] for row in rows[1:]]
    frame = pd.DataFrame(body, columns=header, dtype=str)
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame[~(frame == "").all(axis=1)] if len(frame) else frame


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat else str(value).strip()
