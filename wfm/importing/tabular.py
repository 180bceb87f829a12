"""Tables from CSV, CSV.gz and XLSX, as text, with every structural fault named.

A table is a data frame of strings (empty string = no value) whose index is the row number as a
spreadsheet counts it: the header is row 1, the first record row 2. `read_chunks` reads a file of
any size in bounded memory; `read_table` reads a whole one and takes no faulty row.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from wfm.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
ENCODING_GUESSES = ("gb18030", "cp1252")
CHUNK_ROWS = 50_000
WORKBOOKS = {".xlsx", ".xlsm"}
END = "\x1f"  # stands as a line behind the last one: within quotation marks it is part of a field
DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table; `faults` name the rows that could not be taken, `share` is the part
    of the file read so far (0–1)."""

    frame: pd.DataFrame
    faults: list[Fault] = field(default_factory=list)
    share: float = 0.0


def read_table(path: Path, required: Sequence[str] = (), separator: str = ",") -> pd.DataFrame:
    """Read one table as text.

    Raises
    ------
    InputError
        The file is missing, empty, in another encoding or with another separator, a row has too
        many or too few fields, a column name occurs twice, or a required column is missing.
    """
    import pandas as pd

    chunks = list(read_chunks(path, required, separator))
    faults = [fault for chunk in chunks for fault in chunk.faults]
    if faults:
        raise InputError.of(faults)
    return pd.concat([chunk.frame for chunk in chunks]) if len(chunks) > 1 else chunks[0].frame


def read_chunks(
    path: Path,
    required: Sequence[str] = (),
    separator: str = ",",
    encoding: str = "utf-8",
    rows: int = CHUNK_ROWS,
) -> Iterator[Chunk]:
    """Read a table piece by piece; there is always at least one chunk, which may be empty.

    Raises
    ------
    InputError
        The file as a whole cannot be read; a row with too many or too few fields is only a fault
        of its chunk.
    """
    if path.is_dir():
        raise InputError.of([Fault("this is a folder; name a file", str(path))])
    if not path.exists():
        raise InputError.of([Fault("there is no such file", str(path))])
    if not path.is_file():
        raise InputError.of([Fault("this is a device or a pipe; name a file", str(path))])
    if not os.access(path, os.R_OK):
        raise InputError.of([Fault("this file may not be read", str(path))])
    if path.suffix.lower() in WORKBOOKS:
        yield from _workbook_chunks(path, required, rows)
        return
    try:
        yield from _delimited_chunks(path, required, separator, encoding, rows)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, encoding) from error
    except DAMAGED as error:
        raise _damaged(path) from error
    except csv.Error as error:
        hint = "a quotation mark may be missing or one too many"
        raise InputError.of(
            [Fault(f"cannot be read as a table ({error}); {hint}", path.name)]
        ) from error


def _delimited_chunks(
    path: Path, required: Sequence[str], separator: str, encoding: str, rows: int
) -> Iterator[Chunk]:
    size = max(path.stat().st_size, 1)
    with path.open("rb") as raw, _text(raw, encoding) as text:
        records = csv.reader(_lines(text, path.name), delimiter=separator)
        number, header = _header_of(records, path.name)
        header = _checked_header(header, path.name, separator, required)
        first = number + 1
        while True:
            block = list(islice(records, rows))
            ended = block[-1:] == [[END]]
            if ended:
                block.pop()
            elif len(block) < rows:
                row = first + len(block) - 1
                raise InputError.of([Fault("a quotation mark is not closed", path.name, row)])
            if block or first == number + 1:
                share = min(raw.tell() / size, 1.0)
                yield _chunk(block, header, first, path.name, share)
            first += len(block)
            if ended:
                return


def _header_of(records: Iterable[list[str]], name: str) -> tuple[int, list[str]]:
    """The first row that is not blank, and its number."""
    for number, fields in enumerate(records, start=1):
        if any(map(str.strip, fields)):
            return number, fields
    raise InputError.of([Fault("this file is empty; a header row is expected", name)])


def _text(raw: IO[bytes], encoding: str) -> io.TextIOWrapper:
    """Decompress what is compressed and honour a byte order mark."""
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
    mark = stream.read(2)
    stream.seek(0)
    if mark in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif encoding.lower().replace("-", "") == "utf8":
        encoding = "utf-8-sig"
    return io.TextIOWrapper(stream, encoding=encoding, newline="")


def _lines(text: Iterable[str], name: str) -> Iterator[str]:
    for line in text:
        if "\x00" in line:
            raise InputError.of([Fault("this is not a text file (it holds zero bytes)", name)])
        yield line
    yield END


def _wrong_encoding(path: Path, encoding: str) -> InputError:
    """Say in which row the file stops being what it should be, and what it may be instead."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except DAMAGED:
            return _damaged(path)
    row = None
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
    guess = next((g for g in ENCODING_GUESSES if g != encoding and _decodes(raw, g)), None)
    hint = f"; it may be {guess}" if guess else ""
    return InputError.of(
        [Fault(f"not {encoding.upper()}{hint}: save the file as UTF-8 and try again",
               path.name, row)]
    )  # fmt: skip


def _damaged(path: Path) -> InputError:
    return InputError.of([Fault("this .gz file is damaged; compress it again", path.name)])


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _chunk(
    block: Sequence[Sequence[str]], header: list[str], first: int, name: str, share: float
) -> Chunk:
    """Rows of the right width as a frame, the others as faults; blank rows are passed over."""
    import pandas as pd

    width = len(header)
    taken, numbers, faults = [], [], []
    for number, fields in enumerate(block, start=first):
        if len(fields) == width:
            if any(fields):
                taken.append(fields)
                numbers.append(number)
        elif any(fields):
            message = f"{len(fields)} fields where the header has {width}"
            faults.append(Fault(message, name, number))
    columns = list(zip(*taken, strict=True)) if taken else [()] * width
    frame = pd.DataFrame(
        {
            column: pd.Series(values, dtype="str")
            for column, values in zip(header, columns, strict=True)
            if column
        }
    )
    frame.index = pd.Index(numbers, dtype="int64", name="row")
    return Chunk(frame, faults, share)


def _checked_header(
    header: Sequence[str], name: str, separator: str, required: Sequence[str]
) -> list[str]:
    """The column names; a column without a name is passed over."""
    if len(header) == 1:
        for other, word in SEPARATORS.items():
            if other in header[0] and other != separator:
                expected = SEPARATORS.get(separator, repr(separator))
                raise InputError.of(
                    [Fault(f"fields are separated by {word}; a {expected} is expected", name, 1)]
                )
    names = [column.strip() for column in header]
    twice = sorted({column for column in names if column and names.count(column) > 1})
    if twice:
        raise InputError.of(
            Fault("this column occurs twice; rename one", name, 1, column) for column in twice
        )
    missing = [column for column in required if column not in names]
    if missing:
        found = ", ".join(column for column in names[:12] if column)
        raise InputError.of(
            Fault(f"this column is missing; found: {found}", name, 1, column) for column in missing
        )
    return names


def _workbook_chunks(path: Path, required: Sequence[str], rows: int) -> Iterator[Chunk]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise InputError.of(
            [Fault("this is not an XLSX workbook; save it again as .xlsx", path.name)]
        ) from error
    try:
        sheet = book.worksheets[0]
        # the size written in the file is often wrong; without it the rows themselves are read
        sheet.reset_dimensions()
        records = ([_cell(value) for value in record] for record in sheet.values)
        header = next(records, [])
        if not any(header):
            raise InputError.of(
                [Fault("the first sheet is empty; a header row is expected", path.name)]
            )
        width = max(i + 1 for i, value in enumerate(header) if value)
        header = _checked_header(header[:width], path.name, "", required)
        first = 2
        while True:
            block = [(record + [""] * width)[:width] for record in islice(records, rows)]
            if block or first == 2:
                yield _chunk(block, header, first, path.name, 0.5)
            first += len(block)
            if len(block) < rows:
                return
    finally:
        book.close()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat else str(value).strip()
