"""`wfm import` as it is typed: outputs, messages, exit statuses."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import ANY

import pytest
import sqlalchemy as sa

from wfm.cli.main import run
from wfm.importing.forms import FORMS

AGENTS = "agent_id,name,grade\nA1,Ann,senior\nA2,Bo,boss\n"


@pytest.fixture
def desk(
    new_database: Callable[[str], sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """An empty database of its own, and files to import; returns a maker of files."""
    url = new_database("command").url.set(drivername="postgresql")
    monkeypatch.setenv("WFM_DATABASE_URL", url.render_as_string(hide_password=False))

    def make(text: str, file: str = "agents.csv") -> Path:
        path = tmp_path / file
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_json_is_the_report_and_nothing_else(desk, capsys) -> None:
    path = desk("agent_id,name,age\nA1,Ann,3\n")
    assert run(["import", "agents", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {
        "run": ANY, "kind": "agents", "file": "agents.csv", "mapping": "", "dry_run": False,
        "rows": 1, "added": 1, "changed": 0, "unchanged": 0, "rejected": 0,
        "kinds": {"agents": {"rows": 1, "added": 1, "changed": 0, "unchanged": 0, "rejected": 0}},
        "made": {}, "ignored_columns": ["age"], "notes": [], "reasons": [], "rejects": [],
    }  # fmt: skip
    assert run(["import", "agents", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], report["changed"], report["unchanged"]) == (0, 0, 1)


def test_rejected_rows_are_told_and_the_others_land(desk, capsys, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    path = str(desk(AGENTS))
    assert run(["import", "agents", path, "--json", "--rejects", str(rejects)]) == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["added"], report["rejected"]) == (1, 1)
    assert report["rejects"] == [
        {"kind": "agents", "row": 3, "column": "grade", "value": "boss", "reason": ANY}
    ]
    assert "agents.csv, row 3, column grade: expected one of ordinary" in said.err
    assert "1 rows rejected; all other rows landed" in said.err
    with rejects.open(encoding="utf-8-sig") as stream:
        assert [row["value"] for row in csv.DictReader(stream)] == ["boss"]


def test_nothing_accepted(desk, capsys) -> None:
    assert run(["import", "agents", str(desk("agent_id,capacity\nA1,0\n"))]) == 1
    assert "no row was accepted" in capsys.readouterr().err


def test_a_dry_run_says_so_and_changes_nothing(desk, capsys) -> None:
    path = str(desk("agent_id\nA1\n"))
    for _ in range(2):
        assert run(["import", "agents", path, "--dry-run"]) == 0
        out = capsys.readouterr().out
        assert "dry run: nothing was changed" in out
        assert out.splitlines()[1].split() == ["agents", "1", "1", "0", "0", "0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("agent_id;name\nA1;x\n", "separated by semicolon"),
        ("name\nx\n", "agents.csv, row 1, column agent_id: this column is missing"),
    ],
)
def test_a_wrong_file(desk, capsys, text: str, expected: str) -> None:
    assert run(["import", "agents", str(desk(text)), "--json"]) == 1
    said = capsys.readouterr()
    assert expected in said.err
    assert said.out == ""


def test_a_missing_file_and_a_wrong_mapping(desk, capsys) -> None:
    assert run(["import", "agents", "nowhere.csv"]) == 1
    assert "there is no such file" in capsys.readouterr().err
    path = str(desk("agent_id\nA1\n"))
    assert run(["import", "agents", path, "--map", "nothing"]) == 1
    assert "adapters: call-log" in capsys.readouterr().err
    assert run(["import", "leave", path, "--map", "call-log"]) == 1
    assert "makes agents and tickets" in capsys.readouterr().err


def test_a_mapping_file(desk, capsys) -> None:
    mapping = desk('kind = "agents"\nseparator = ";"\n[agents.fields]\nagent_id = "工号"\n'
                   '[agents.fields.grade]\ncolumn = "级"\nvalues = { "高" = "senior" }\n',
                   "map.toml")  # fmt: skip
    path = desk("工号;级\nA1;高\n")
    assert run(["import", "agents", str(path), "--map", str(mapping), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 1


def test_wrong_usage(desk) -> None:
    assert run(["import", "people", "x.csv"]) == 2
    assert run(["import", "agents"]) == 2


def test_a_database_of_another_version_is_left_alone(desk, engine: sa.Engine, capsys) -> None:
    path = str(desk("agent_id\nA1\n"))
    assert run(["import", "agents", path]) == 0
    other = sa.create_engine(engine.url.set(database="command"))
    with other.begin() as connection:
        connection.execute(sa.text("delete from alembic_version"))
    other.dispose()
    capsys.readouterr()
    assert run(["import", "agents", path]) == 1
    assert "run: wfm db upgrade" in capsys.readouterr().err


def test_help_has_an_example_and_every_kind(capsys) -> None:
    assert run(["import", "--help"]) == 0
    said = capsys.readouterr().out
    assert "Example: wfm import" in said
    assert all(kind in said for kind in FORMS)
