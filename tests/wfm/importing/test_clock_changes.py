"""Times that a clock change skips or repeats, read from a file as everywhere else."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from wfm.importing.columns import instants
from wfm.sla.calendars import utc_second


def read(*cells: str, zone: str, formats: tuple[str, ...] = ()) -> list[str]:
    column = pd.Series(cells, index=range(2, 2 + len(cells)), name="at", dtype="str")
    moments, faults = instants(column, ZoneInfo(zone), formats)
    assert faults == []
    return [at.tz_convert(zone).isoformat() for at in moments]


@pytest.mark.parametrize(
    ("zone", "cell", "meant"),
    [
        # 02:30 with the offset before the gap, +01:00, is 01:30 UTC, and that is 03:30+02:00
        ("Europe/Berlin", "2024-03-31 02:30", "2024-03-31T03:30:00+02:00"),
        ("Europe/Berlin", "2024-03-31 02:00", "2024-03-31T03:00:00+02:00"),
        ("Europe/Berlin", "2024-03-31 02:30:00.000007", "2024-03-31T03:30:00.000007+02:00"),
        # a gap of half an hour from 02:00: a quarter into it is a quarter behind 02:30
        ("Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-06T02:45:00+11:00"),
        # a date left out: its noon, with the offset of -10:00 that held until then
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-31T12:00:00+14:00"),
        # a gap that ends at midnight: 23:30-02:00 is 01:30 UTC, half past midnight of the next day
        ("America/Nuuk", "2024-03-30 23:30", "2024-03-31T00:30:00-01:00"),
        # neither skipped nor repeated
        ("Europe/Berlin", "2024-03-31 01:59:59", "2024-03-31T01:59:59+01:00"),
        ("Europe/Berlin", "2024-03-31 03:00", "2024-03-31T03:00:00+02:00"),
        # repeated: the first is meant
        ("Europe/Berlin", "2024-10-27 02:30", "2024-10-27T02:30:00+02:00"),
        ("Australia/Lord_Howe", "2024-04-07 01:45", "2024-04-07T01:45:00+11:00"),
        # an offset says which moment is meant
        ("Europe/Berlin", "2024-10-27 02:30+01:00", "2024-10-27T02:30:00+01:00"),
    ],
)
def test_a_time_near_a_clock_change(zone: str, cell: str, meant: str) -> None:
    assert read(cell, zone=zone) == [meant]


def test_a_skipped_time_in_a_format_of_the_mapping() -> None:
    found = read("31/03/2024 02:30", "31/03/2024 02:30", "01/04/2024 02:30",
                 zone="Europe/Berlin", formats=("%d/%m/%Y %H:%M",))  # fmt: skip
    skipped = "2024-03-31T03:30:00+02:00"
    assert found == [skipped, skipped, "2024-04-01T02:30:00+02:00"]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", (2024, 3, 30)), ("Europe/Berlin", (2024, 10, 26)),
        ("Australia/Lord_Howe", (2024, 10, 5)), ("Australia/Lord_Howe", (2024, 4, 6)),
        ("America/Sao_Paulo", (2015, 10, 17)), ("America/St_Johns", (2006, 10, 28)),
        ("Pacific/Apia", (2011, 12, 29)), ("Pacific/Kwajalein", (1993, 8, 20)),
        ("Africa/Monrovia", (1972, 1, 6)), ("Asia/Pyongyang", (2018, 5, 4)),
        ("Antarctica/Troll", (2024, 3, 30)), ("Africa/Casablanca", (2026, 2, 14)),
    ],
)  # fmt: skip
def test_records_and_calendars_read_a_wall_clock_alike(
    zone: str, day: tuple[int, int, int]
) -> None:
    """Each seven minutes of three days: what is imported is the instant a calendar counts from."""
    midnight = datetime(*day)
    seconds = range(0, 3 * 86_400, 7 * 60)
    cells = [(midnight + timedelta(seconds=n)).isoformat() for n in seconds]
    column = pd.Series(cells, name="at", dtype="str")
    found, _ = instants(column, ZoneInfo(zone))
    expected = [utc_second(midnight.date(), n, ZoneInfo(zone)) for n in seconds]
    assert found.tolist() == [datetime.fromtimestamp(at, UTC) for at in expected]
