"""`wfm roster breaks` and `wfm roster hours`, from files."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from scheduler.problem import Agent, Break, Day, IntervalCover, RosterProblem, Shift
from scheduler.solution import Roster
from wfm.cli.main import run

EVE = date(2026, 9, 30)  # a Wednesday; 1 October is a statutory holiday
DESK = RosterProblem(
    agents=(Agent("a"), Agent("b")),
    days=tuple(Day(EVE - timedelta(days=i)) for i in (1, 0)),
    shifts=(
        Shift("D", 480, 990, breaks=(Break(720, 750, paid=False, earliest=690, latest=780),)),
        Shift("N", 1320, 1800, night=True),
    ),
    interval_cover=(IntervalCover(EVE, 720, 750, 1, under_weight=7),),
)


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(DESK.to_json(), encoding="utf-8")
    return path


def roster(folder: Path, *cells: tuple[str, date, str]) -> str:
    path = folder / "roster.json"
    path.write_text(Roster({(a, d): s for a, d, s in cells}).to_json(), encoding="utf-8")
    return str(path)


def test_breaks_are_placed(problem: Path, tmp_path: Path, capsys) -> None:
    placed = tmp_path / "placed.json"
    given = roster(tmp_path, ("a", EVE, "D"), ("b", EVE, "D"))
    assert run(["roster", "breaks", str(problem), given, "--out", str(placed), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    # both away at 12:00 cost 7; one of them moves
    assert told == {"cost_before": 7, "cost": 0, "duties_with_moved_breaks": 1}
    assert run(["roster", "verify", str(problem), str(placed), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost"] == 0


def test_hours_are_classed_and_priced(problem: Path, tmp_path: Path, capsys) -> None:
    given = roster(tmp_path, ("a", EVE, "N"))
    command = ["roster", "hours", str(problem), given]
    assert run([*command, "--wage", "8700", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    # 22–24 ordinary, 00–06 on 1 October: 6 × 50 × 300 % = 900
    assert told["pay"] == 900
    assert [(row["class"], row["hours"], row["pay"]) for row in told["hours"]] == [
        ("ordinary", 2, 0),
        ("statutory_holiday", 6, 900),
    ]
    assert run(command) == 0
    assert "statutory_holiday" in capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pay"] is None


@pytest.mark.parametrize("wage", ["-1", "much", "NaN"])
def test_a_wage_is_an_amount(problem: Path, tmp_path: Path, wage: str, capsys) -> None:
    given = roster(tmp_path, ("a", EVE, "N"))
    assert run(["roster", "hours", str(problem), given, "--wage", wage]) == 2
    assert "amount" in capsys.readouterr().err


def test_a_year_without_a_calendar_is_named(problem: Path, tmp_path: Path, capsys) -> None:
    given = roster(tmp_path, ("a", EVE, "N"))
    assert run(["roster", "hours", str(problem), given, "--country", "XX"]) == 1
    assert "2026 for XX is not loaded" in capsys.readouterr().err
