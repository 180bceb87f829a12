"""`wfm db` and `wfm doctor` as they are typed: order of steps, wrong settings, remedies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from wfm.cli.main import run


@pytest.fixture
def empty(new_database: Callable[[str], sa.Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database, which the commands find by its URL."""
    url = new_database("typed").url.set(drivername="postgresql")
    monkeypatch.setenv("WFM_DATABASE_URL", url.render_as_string(hide_password=False))


def test_an_empty_database_is_to_be_upgraded_first(
    empty: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["db", "verify", "--json"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "", "the database is not at this version; run: wfm db upgrade\n",
    )  # fmt: skip
    assert run(["db", "upgrade"]) == 0
    capsys.readouterr()
    assert run(["db", "verify", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "ticket_event" in told.pop("tables")
    assert told == {"entries": 0, "intact": True, "breaks": [], "broken_seals": [], "rows": []}


def test_a_backup_goes_to_a_folder_that_exists(
    empty: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["db", "backup", str(tmp_path / "none" / "desk.dump")]) == 1
    assert "there is no such folder to write to" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["doctor"], ["db", "verify"], ["import", "agents", "a.csv"]])
@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WFM_DATABASE_URL", "garbage", "WFM_DATABASE_URL cannot be read"),
        ("WFM_DATABASE_URL", "postgresql://a@h:port/d", "WFM_DATABASE_URL cannot be read"),
        ("WFM_DATA_DIR", "file", "the data folder file cannot be made"),
    ],
)
def test_wrong_settings_are_a_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    variable: str,
    value: str,
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.delenv("WFM_DATABASE_URL", raising=False)
    monkeypatch.setenv(variable, value)
    assert run(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
