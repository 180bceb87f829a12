"""The instance of the public format that judge and peers are tried on."""

from pathlib import Path

import pytest

# Two weeks from a Monday: days 5, 6 and 12, 13 are weekends.
INSTANCE = """\
SECTION_HORIZON
14
SECTION_SHIFTS
E,480,
L,600,E
SECTION_STAFF
# shift limits, most and least minutes, days in a row most and least, days off, weekends
A,E=7|L=3,3840,1920,3,2,2,1
B,E=14|L=14,99999,0,14,1,1,9
SECTION_DAYS_OFF
A,0
SECTION_SHIFT_ON_REQUESTS
A,2,E,3
B,3,L,2
SECTION_SHIFT_OFF_REQUESTS
B,5,L,4
SECTION_COVER
1,E,0,100,7
2,E,2,100,1
3,E,0,100,5
3,L,0,100,6
"""


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    path = tmp_path / "Instance1.txt"
    path.write_text(INSTANCE, encoding="utf-8")
    return path
