"""`wfm roster repair`, `gap`, `conflicts` and `explain --instead`: from files, in both forms."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from scheduler.problem import Agent, Day, Lock, MaxConsecutive, RosterProblem, Shift, ShiftCover
from scheduler.solution import Roster
from wfm.cli.main import run

MONDAY = date(2026, 3, 2)
NRP = """SECTION_HORIZON
3
SECTION_SHIFTS
D,480,
SECTION_STAFF
A,D=3,1440,0,3,1,1,3
B,D=3,1440,0,3,1,1,3
SECTION_DAYS_OFF
SECTION_SHIFT_ON_REQUESTS
SECTION_SHIFT_OFF_REQUESTS
SECTION_COVER
0,D,1,100,1
1,D,1,100,1
"""


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def desk() -> RosterProblem:
    return RosterProblem(
        agents=(Agent("a"), Agent("b"), Agent("c:1")),
        days=tuple(Day(day(i)) for i in range(3)),
        shifts=(Shift("D", 480, 960), Shift("N", 1320, 1800, night=True)),
        shift_cover=tuple(ShiftCover(day(i), "D", 1, under_weight=50) for i in range(3)),
        rules=(MaxConsecutive(name="row", days=2),),
    )


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    problem, roster = tmp_path / "problem.json", tmp_path / "roster.json"
    problem.write_text(desk().to_json(), encoding="utf-8")
    cells = {("a", day(0)): "D", ("a", day(1)): "D", ("b", day(2)): "D"}
    roster.write_text(Roster(cells).to_json(), encoding="utf-8")
    return problem, roster


def test_a_repair_is_told_taken_and_written(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem, roster = files
    out = tmp_path / "new.json"
    command = [
        "roster",
        "repair",
        str(problem),
        str(roster),
        "--out-of",
        "a:2026-03-02..2026-03-03",
    ]
    assert run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(c["agent"], c["day"], c["after"]) for c in told["forced"]] == [
        ("a", "2026-03-02", None), ("a", "2026-03-03", None)
    ]  # fmt: skip
    # b would have three days in a row on both, so c:1 takes at least one
    assert (told["opened"], told["fewest"], told["proven"], told["whole"]) == (100, 2, True, True)
    best = told["alternatives"][0]
    assert (best["restores"], best["change"]) == (True, -100)
    assert "c:1" in {change["agent"] for change in best["changes"]}
    assert run([*command, "--take", "1", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "fewer are impossible, proven over all days" in text
    written = json.loads(out.read_text(encoding="utf-8"))["assignments"]
    assert {(one["agent"], one["day"]) for one in written} >= {("b", "2026-03-04")}
    assert "a" not in {one["agent"] for one in written}


def test_a_cell_that_must_change_and_a_name_with_a_colon(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    problem, roster = files
    command = ["roster", "repair", str(problem), str(roster), "--json"]
    assert run([*command, "--forbid", "b:2026-03-04:D", "--forbid", "c:1:2026-03-04"]) == 0
    told = json.loads(capsys.readouterr().out)
    # a takes it, gives up a day before so as not to have three in a row, and somebody takes that
    assert (told["fewest"], told["proven"]) == (3, True)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--out-of", "zoe:2026-03-02", "no such agent"),
        ("--out-of", "a", "AGENT:FIRST..LAST expected"),
        ("--out-of", "a:2026-03-04..2026-03-02", "first day is after the last"),
        ("--out-of", "a:2027-01-01", "a date from 2026-03-02"),
        ("--forbid", "a:2026-03-02:tea", "no such shift"),
    ],
)
def test_a_wrong_request_is_refused_in_a_line(
    files: tuple[Path, Path], option: str, value: str, expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    problem, roster = files
    assert run(["roster", "repair", str(problem), str(roster), option, value]) == 1
    shown = capsys.readouterr()
    assert expected in shown.err
    assert "Traceback" not in shown.err


def test_repair_and_explain_know_the_public_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem, roster = tmp_path / "three.txt", tmp_path / "roster.csv"
    problem.write_text(NRP, encoding="utf-8")
    roster.write_text("employee,day,shift\nA,0,D\nA,1,D\n", encoding="utf-8")
    assert run(["roster", "repair", str(problem), str(roster), "--out-of", "A:0..1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["fewest"], told["proven"]) == (2, True)
    changes = told["alternatives"][0]["changes"]
    assert [(c["agent"], c["day"], c["after"]) for c in changes] == [("B", 0, "D"), ("B", 1, "D")]
    cell = ["--agent", "B", "--day", "0", "--instead", "D", "--json"]
    assert run(["roster", "explain", str(problem), str(roster), *cell]) == 0
    told = json.loads(capsys.readouterr().out)
    # one too many on the shift costs 1; A can be off instead, and nothing changes in sum
    assert (told["outcome"], told["change"], told["settled"]) == ("costs", 1, 0)


def test_a_gap_is_told_by_shift_and_by_time(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    problem, _ = files
    empty = problem.with_name("empty.json")
    empty.write_text(Roster().to_json(), encoding="utf-8")
    command = ["roster", "gap", str(problem), str(empty), "--day", "2026-03-02"]
    assert run([*command, "--shift", "D", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["agent"], one["change"]) for one in told["fillers"]] == [
        ("a", -50), ("b", -50), ("c:1", -50)
    ]  # fmt: skip
    assert run([*command, "--at", "08:10"]) == 0
    assert "a: D -50" in capsys.readouterr().out
    assert run([*command, "--at", "8 am"]) == 1
    assert run(command) == 2


def test_a_conflict_is_told_with_the_least_that_helps(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    problem, _ = files
    assert run(["roster", "conflicts", str(problem)]) == 0
    assert "no conflict" in capsys.readouterr().out
    locked = replace(desk(), locks=tuple(Lock("a", day(i), "D") for i in range(3)))
    problem.write_text(locked.to_json(), encoding="utf-8")
    assert run(["roster", "conflicts", str(problem)]) == 1
    assert "row: days 2 → 3" in capsys.readouterr().out
