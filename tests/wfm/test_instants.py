"""The desk's clock: shifted for the sample, and a shift that makes no sense is explained."""

from datetime import UTC, datetime, timedelta

import pytest

from wfm import instants
from wfm.errors import InputError
from wfm.settings import Settings


@pytest.mark.parametrize("offset", ["86400", "-86400.5", "  0 ", ""])
def test_the_clock_is_ahead_by_the_offset(monkeypatch: pytest.MonkeyPatch, offset: str) -> None:
    monkeypatch.setenv(instants.OFFSET_VARIABLE, offset)
    ahead = instants.now() - datetime.now(UTC) - timedelta(seconds=float(offset or 0))
    assert abs(ahead) < timedelta(seconds=5)


@pytest.mark.parametrize("offset", ["a day", "nan", "inf", "1e15", "-1e11"])
def test_an_offset_that_makes_no_sense_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, offset: str
) -> None:
    monkeypatch.setenv(instants.OFFSET_VARIABLE, offset)
    with pytest.raises(InputError, match=r"WFM_CLOCK_OFFSET_S.*expected a number of seconds"):
        instants.now()


@pytest.mark.parametrize("offset", ["a day", "nan", "inf"])
def test_settings_refuse_it_when_the_command_starts(offset: str) -> None:
    with pytest.raises(InputError, match="WFM_CLOCK_OFFSET_S"):
        Settings.from_environment({"WFM_CLOCK_OFFSET_S": offset})
    assert Settings.from_environment({"WFM_CLOCK_OFFSET_S": "1.5"}).clock_offset_s == 1.5
