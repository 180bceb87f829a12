"""Large CSV files quickly: bytes are cut at the separators and become text once per distinct cell.

Whatever is out of the ordinary (a row of another width, a stray quotation mark, a time in another
form, another encoding) raises `NotPlain`; the careful reader of `tabular` then takes the file and
names every fault with its row.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, time, timedelta
from pathlib import Path
from typing import IO, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BLOCK_BYTES = 1 << 24
LONGEST_CELL = 256
COMMA, NEWLINE, RETURN, QUOTE = (ord(sign) for sign in ',\n\r"')
MASKS = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype="<u8")
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits well mixed (the golden ratio)

Places = NDArray[np.int64]
Words = NDArray[np.uint64]


class NotPlain(Exception):
    """The file is not of the simple kind; read it with `tabular`."""


@dataclass(frozen=True)
class PlainTable:
    """Wanted columns of a file.

    Parameters
    ----------
    frame : frame of shape (rows, wanted columns)
        Text as categories, without white space around it; times as the local day.
    keys : array of shape (rows,)
        Equal for rows whose key cells are equal, and hardly ever otherwise; 0 where the first
        key cell is empty.
    """

    frame: pd.DataFrame
    keys: Words


@dataclass(frozen=True)
class Block:
    """Some whole rows: the bytes, and where every cell starts and ends."""

    data: NDArray[np.uint8]
    start: Places
    end: Places

    def words(self, column: int) -> Words:
        """Cells as rows of eight-byte words, filled up with zeros."""
        start, length = self.start[:, column], self.end[:, column] - self.start[:, column]
        longest = int(length.max(initial=1))
        if longest > LONGEST_CELL:
            raise NotPlain
        loads = np.ndarray((len(self.data) - 7,), "<u8", self.data, strides=(1,))
        parts = [
            loads[np.minimum(start + at, len(loads) - 1)] & MASKS[np.clip(length - at, 0, 8)]
            for at in range(0, max(longest, 1), 8)
        ]
        return np.column_stack(parts)

    def texts(self, column: int, rows: Places) -> list[str]:
        """Cells of these rows as text, without white space around it."""
        starts, ends = self.start[rows, column].tolist(), self.end[rows, column].tolist()
        data = self.data.data
        cells = (str(data[a:b], "utf-8") for a, b in zip(starts, ends, strict=True))
        return [cell.replace('""', '"').strip() for cell in cells]


def mixed(words: Words) -> Words:
    """One number per row of words, the same with or without words of zeros at the end."""
    total: Words = words[:, 0].copy()
    for place in range(1, words.shape[1]):
        part = words[:, place] * (SPREAD + np.uint64(2 * place))
        total ^= (part ^ (part >> np.uint64(29))) * SPREAD
    return total


def header_of(path: Path) -> list[str]:
    """Column names of the first line."""
    with _opened(path) as stream:
        return _header(stream)


def read_plain(
    path: Path, words: Collection[str], days: Collection[str], keys: Sequence[str], tz: ZoneInfo
) -> PlainTable:
    """Read the wanted columns that the file has.

    Parameters
    ----------
    words, days : columns wanted as text and as the local day of a time
    keys : columns that together name a row; of words but the first
    """
    header = header_of(path)
    texts = {name: _Column() for name in header if name in words}
    times: dict[str, list[NDArray[np.datetime64]]] = {n: [] for n in header if n in days}
    hashes: list[Words] = [np.zeros(0, dtype=np.uint64)]
    for block in read_blocks(path):
        for name, column in texts.items():
            column.add(block, header.index(name))
        for name, parts in times.items():
            parts.append(local_days(block, header.index(name), tz))
        if set(keys) <= set(header):
            own = block.words(header.index(keys[0]))
            if np.any((own[:, 0] & MASKS[1]) == ord(" ")):
                raise NotPlain
            others = [texts[name].codes[-1].astype(np.uint64) for name in keys[1:]]
            hashes.append(np.where(own[:, 0] > 0, mixed(np.column_stack([*others, own])), 0))
    empty = np.zeros(0, dtype="M8[s]")
    frame = pd.DataFrame(
        {name: column.categories() for name, column in texts.items()}
        | {name: np.concatenate([empty, *parts]) for name, parts in times.items()}
    )
    return PlainTable(frame, np.concatenate(hashes))


class _Column:
    """Numbers the distinct texts of a column; a cell known from an earlier block is not read again.

    `keys` and `cells` hold the distinct cells so far as hashes and as words, `number` the number
    of the text of each.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.keys = np.zeros(0, dtype=np.uint64)
        self.cells: Words = np.zeros((0, 1), dtype=np.uint64)
        self.number = np.zeros(0, dtype=np.int32)
        self.codes: list[NDArray[np.int32]] = []

    def add(self, block: Block, column: int) -> None:
        words = block.words(column)
        codes, keys = pd.factorize(mixed(words))
        first = np.zeros(len(keys), dtype=np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        place = pd.Index(self.keys).get_indexer(pd.Index(keys))
        new = np.flatnonzero(place < 0)
        place[new] = len(self.keys) + np.arange(len(new))
        self.keys = np.append(self.keys, keys[new])
        self.cells = np.vstack(_equally_wide(self.cells, words[first[new]]))
        texts = block.texts(column, first[new])
        numbers = [self.numbers.setdefault(text, len(self.numbers)) for text in texts]
        self.number = np.append(self.number, np.array(numbers, dtype=np.int32))
        place = place[codes]
        if self.cells.shape[1] > 1 and not np.array_equal(*_equally_wide(self.cells[place], words)):
            raise NotPlain  # two cells of the same hash
        self.codes.append(self.number[place])

    def categories(self) -> pd.Categorical:
        smallest = np.min_scalar_type(-max(len(self.numbers), 1))
        parts = [np.zeros(0, smallest), *(part.astype(smallest) for part in self.codes)]
        self.codes = []
        words = pd.Index(list(self.numbers), dtype="str")
        return pd.Categorical.from_codes(np.concatenate(parts), words)


def _equally_wide(one: Words, other: Words) -> tuple[Words, Words]:
    """Both filled up with words of zeros."""
    width = max(one.shape[1], other.shape[1])
    return _filled(one, width), _filled(other, width)


def _filled(words: Words, width: int) -> Words:
    return (
        words if words.shape[1] == width else np.pad(words, ((0, 0), (0, width - words.shape[1])))
    )


def rows_again(path: Path, wanted: NDArray[np.bool_]) -> pd.DataFrame:
    """All columns of these rows as text."""
    header, taken, seen = header_of(path), [], 0
    for block in read_blocks(path):
        size = len(block.start)
        for row in np.flatnonzero(wanted[seen : seen + size]).tolist():
            pairs = zip(block.start[row].tolist(), block.end[row].tolist(), strict=True)
            cells = [block.data[start:end].tobytes().decode() for start, end in pairs]
            taken.append([cell.replace('""', '"') for cell in cells])
        seen += size
    return pd.DataFrame(taken, columns=pd.Index(header), dtype="str")


def read_blocks(path: Path) -> Iterator[Block]:
    """The rows below the header; blank lines are passed over."""
    with _opened(path) as stream:
        width = len(_header(stream))
        rest = b""
        while more := stream.read(BLOCK_BYTES):
            rest += more
            end = _last_row_end(rest)
            if end:
                yield _cut(rest[:end], width)
            rest = rest[end:]
        if rest:
            yield _cut(rest + b"\n", width)


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _header(stream: IO[bytes]) -> list[str]:
    line = stream.readline(1 << 16)
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotPlain from error
    names = [name.strip() for name in next(csv.reader([text]), [])]
    odd = line[:-2].count(b"\r") or b"\0" in line or text.count('"') % 2
    if odd or not names or not all(names) or len(set(names)) < len(names):
        raise NotPlain
    return names


def _last_row_end(data: bytes) -> int:
    """Just behind the last line end that does not lie within quotation marks."""
    end = data.rfind(b"\n") + 1
    while end and data.count(b'"', 0, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def _cut(rows: bytes, width: int) -> Block:
    """Find every cell, and refuse what is not of one width."""
    if b"\0" in rows or rows.count(b"\r") != rows.count(b"\r\n"):
        raise NotPlain
    if not (rows.isascii() or _is_text(rows)):
        raise NotPlain
    data = np.frombuffer(rows + b"\0" * 8, dtype=np.uint8)
    body = data[:-8]
    apart = (body == COMMA) | (body == NEWLINE)
    if b'"' in rows:
        apart &= _outside_quotes(body)
    end = np.flatnonzero(apart)
    start = np.r_[0, end + 1][:-1]
    closes = data[end] == NEWLINE
    opens = np.r_[True, closes[:-1]]
    blank = closes & opens & ((end == start) | ((end == start + 1) & (data[start] == RETURN)))
    if blank.any():
        start, end, closes = start[~blank], end[~blank], closes[~blank]
    last_of_row = np.arange(len(end)) % width == width - 1
    if len(end) % width or not np.array_equal(closes, last_of_row):
        raise NotPlain
    end = end - (closes & (data[end - 1] == RETURN))
    quoted = data[start] == QUOTE
    starts, ends = (start + quoted).reshape(-1, width), (end - quoted).reshape(-1, width)
    given = (ends > starts).any(axis=1)
    return Block(data, starts, ends) if given.all() else Block(data, starts[given], ends[given])


def _is_text(rows: bytes) -> bool:
    try:
        rows.decode()
    except UnicodeDecodeError:
        return False
    return True


def _outside_quotes(body: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which bytes lie outside quotation marks, where these stand around whole cells only."""
    marks = body == QUOTE
    inside = np.cumsum(marks, dtype=np.int32) % 2 == 1
    opening, closing = np.flatnonzero(marks & inside), np.flatnonzero(marks & ~inside)
    before = np.isin(body[opening - 1], [COMMA, NEWLINE, QUOTE])
    after = np.isin(body[closing + 1], [COMMA, NEWLINE, RETURN, QUOTE])
    if inside[-1] or not (before.all() and after.all()):
        raise NotPlain
    return np.asarray(~inside)


def local_days(block: Block, column: int, tz: ZoneInfo) -> NDArray[np.datetime64]:
    """Days in `tz` of ISO 8601 times such as 2026-02-16T09:30:00+08:00; NaT where empty."""
    cells = np.ascontiguousarray(block.words(column)).view(np.uint8)
    length = block.end[:, column] - block.start[:, column]
    result = np.full(len(cells), np.datetime64("NaT"), dtype="M8[s]")
    for size in np.unique(length[length > 0]).tolist():
        rows = np.flatnonzero(length == size)
        result[rows] = _days_of(cells[rows, :size], tz)
    return result


def _days_of(cells: NDArray[np.uint8], tz: ZoneInfo) -> NDArray[np.datetime64]:
    """Days of times that are all written equally long."""
    size = cells.shape[1]
    if size == 10:
        return _local(_parsed(cells, "M8[D]").astype("M8[m]"), tz)
    if size < 16 or not np.isin(cells[:, 10], list(b"T ")).all():
        raise NotPlain
    body, offset = size, None
    if (cells[:, -1] == ord("Z")).all():
        body, offset = size - 1, np.zeros(len(cells), dtype=np.int64)
    elif size >= 22 and np.isin(cells[:, -6], list(b"+-")).all():
        body, offset = size - 6, _offset(cells[:, -6:])
    _check_seconds(cells[:, 16:body])
    minute = _parsed(cells[:, :16], "M8[m]")
    if offset is None:
        return _local(minute, tz)
    return _in_zone(minute - offset.astype("m8[m]"), tz)


def _parsed(cells: NDArray[np.uint8], unit: str) -> NDArray[np.datetime64]:
    """Dates and minutes by numpy, which knows the calendar; dashes and colons at their places."""
    marks = {4: "-", 7: "-", 13: ":"}
    for place in range(cells.shape[1]):
        if place in marks and not (cells[:, place] == ord(marks[place])).all():
            raise NotPlain
        if place not in marks and place != 10:
            _numbers(cells[:, place : place + 1])
    try:
        text = np.ascontiguousarray(cells).view(f"S{cells.shape[1]}").ravel()
        return text.astype(unit)
    except ValueError as error:
        raise NotPlain from error


def _numbers(digits: NDArray[np.uint8]) -> Places:
    value = digits.astype(np.int64) - ord("0")
    if ((value < 0) | (value > 9)).any():
        raise NotPlain
    return np.asarray(value @ 10 ** np.arange(digits.shape[1])[::-1], dtype=np.int64)


def _check_seconds(rest: NDArray[np.uint8]) -> None:
    """Nothing, or ``:SS``, or that with a fraction."""
    if not rest.shape[1]:
        return
    if (
        rest.shape[1] < 3
        or not (rest[:, 0] == ord(":")).all()
        or (_numbers(rest[:, 1:3]) > 59).any()
    ):
        raise NotPlain
    fraction = rest[:, 3:]
    if fraction.shape[1]:
        if fraction.shape[1] == 1 or not (fraction[:, 0] == ord(".")).all():
            raise NotPlain
        for place in range(1, fraction.shape[1]):
            _numbers(fraction[:, place : place + 1])


def _offset(cells: NDArray[np.uint8]) -> Places:
    """Minutes east of UTC, from ``+08:00``."""
    hours, minutes = _numbers(cells[:, 1:3]), _numbers(cells[:, 4:6])
    if not (cells[:, 3] == ord(":")).all() or (hours > 23).any() or (minutes > 59).any():
        raise NotPlain
    return np.asarray(np.where(cells[:, 0] == ord("-"), -1, 1) * (hours * 60 + minutes))


def _local(minute: NDArray[np.datetime64], tz: ZoneInfo) -> NDArray[np.datetime64]:
    """Days of local times; one that the clock skipped may lie on the day after."""
    day = minute.astype("M8[D]")
    for date in np.unique(day).tolist():
        if not MINYEAR + 1 <= date.year <= MAXYEAR - 1:
            raise NotPlain
        midnight = datetime.combine(date, time(), tz)
        if midnight.utcoffset() != (midnight + timedelta(days=1)).utcoffset():
            for at in np.unique(minute[day == np.datetime64(date)]).tolist():
                if at.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).date() != date:
                    raise NotPlain
    return day.astype("M8[s]")


def _in_zone(minute: NDArray[np.datetime64], tz: ZoneInfo) -> NDArray[np.datetime64]:
    codes, found = pd.factorize(minute.astype(np.int64))
    moments = pd.DatetimeIndex(found.astype("M8[m]").astype("M8[s]"), tz="UTC").tz_convert(tz)
    return moments.tz_localize(None).to_numpy().astype("M8[D]").astype("M8[s]")[codes]
