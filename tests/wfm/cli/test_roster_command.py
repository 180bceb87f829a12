"""`wfm roster` on files: forms, figures, faults and exit codes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scheduler.problem import Agent, Day, Lock, MaxConsecutive, RosterProblem, Shift, ShiftCover
from wfm.cli.main import run

NRP = """# a desk of two
SECTION_HORIZON
7

SECTION_SHIFTS
E,480,
L,480,E

SECTION_STAFF
A,E=7|L=7,2400,960,5,1,1,1
B,E=7|L=0,2400,960,5,1,1,1

SECTION_DAYS_OFF
A,0

SECTION_SHIFT_ON_REQUESTS
A,1,L,2

SECTION_SHIFT_OFF_REQUESTS
B,2,E,3

SECTION_COVER
0,E,1,100,1
2,L,1,100,1
3,E,2,90,1
"""
GOOD = "employee,day,shift\nA,1,L\nA,2,L\nB,0,E\nB,3,E\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "desk.txt").write_text(NRP, encoding="utf-8")
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    days = tuple(Day(date(2026, 2, 16 + i)) for i in range(3))
    problem = RosterProblem(
        agents=(Agent("李娜"), Agent("b")),
        days=days,
        shifts=(Shift("D", 480, 960),),
        shift_cover=tuple(ShiftCover(d.date, "D", 1) for d in days),
        rules=(MaxConsecutive(name="两天", days=2),),
    )
    (tmp_path / "desk.json").write_text(problem.to_json(), encoding="utf-8")
    locks = tuple(Lock("b", d.date, "D") for d in days)
    conflict = RosterProblem(**{**vars(problem), "locks": locks})
    (tmp_path / "conflict.json").write_text(conflict.to_json(), encoding="utf-8")
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["roster", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code, out, _ = call(capsys, *arguments, "--json")
    return code, json.loads(out)


def test_a_public_instance_is_solved_verified_and_explained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "roster.csv"
    desk = folder / "desk.txt"
    code, solved = as_json(
        capsys, "solve", desk, "--out", out, "--format", "nrp", "--seconds", "20"
    )
    assert code == 0
    assert list(solved)[:6] == ["status", "cost", "bound", "gap", "seconds", "violations"]
    # A works L on days 1 and 2 and E on no day after it, so day 3 has one E: 90; all else fits
    assert (solved["status"], solved["cost"], solved["bound"]) == ("optimal", 90, 90)
    assert solved["violations"] == []
    assert out.read_text(encoding="utf-8").startswith("employee,day,shift\n")
    code, judged = as_json(capsys, "verify", desk, out, "--format", "nrp")
    assert (code, judged["valid"], judged["cost"]) == (0, True, 90)
    assert judged["terms"] == {"shift_cover_under": 90}
    code, told = as_json(
        capsys, "explain", desk, out, "--agent", "A", "--day", "2", "--format", "nrp"
    )
    assert (code, told["day"], told["shift"]) == (0, 2, "L")
    assert {a["shift"] for a in told["alternatives"]} == {None, "E"}


def test_the_judge_names_days_as_the_format_counts_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # good.csv: B works 960 minutes; A too; the cover of day 3 lacks one: 90
    code, judged = as_json(capsys, "verify", folder / "desk.txt", folder / "good.csv")
    assert (code, judged["cost"]) == (0, 90)
    assert judged["costs"][0]["days"] == [3]
    (folder / "bad.csv").write_text(GOOD + "A,3,E\nA,0,E\n", encoding="utf-8")
    code, out, err = call(capsys, "verify", folder / "desk.txt", folder / "bad.csv")
    assert code == 1
    assert "not valid" in out
    assert "after L: A 2 … 3" in err
    assert "forbidden: A 0" in err


def test_a_json_problem_is_solved_and_explained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "roster.json"
    code, text, _ = call(capsys, "solve", folder / "desk.json", "--out", out, "--effort", "5")
    assert code == 0
    assert "optimal: cost 0" in text
    assert {a["shift"] for a in json.loads(out.read_text("utf-8"))["assignments"]} == {"D"}
    cell = ("--agent", "李娜", "--day", "2026-02-16")
    code, text, _ = call(capsys, "explain", folder / "desk.json", out, *cell)
    assert code == 0
    assert "Instead:" in text
    code, _, _ = call(
        capsys, "solve", folder / "desk.json", "--out", out, "--start", out, "--effort", "1"
    )
    assert code == 0


def test_the_same_effort_and_seed_write_the_same_bytes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.csv", "two.csv"):
        code, _, _ = call(
            capsys, "solve", folder / "desk.txt", "--out", folder / name, "--effort", "1",
            "--seed", "5",
        )  # fmt: skip
        assert code == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_contradicting_rules_give_a_roster_and_their_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "roster.json"
    code, _, err = call(capsys, "solve", folder / "conflict.json", "--out", out, "--effort", "5")
    assert code == 1
    assert "两天: b 2026-02-16 … 2026-02-18" in err
    assert out.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("A,1,L,2", "A,9,L,2"), "line 17: day 9 is outside the horizon"),
        (("A,1,L,2", "Q,1,L,2"), "line 17: there is no employee 'Q'"),
        (("A,1,L,2", "A,1,L,x"), "line 17: weight: a whole number expected"),
        (("A,1,L,2", "A,1,L"), "line 17: 4 fields expected"),
        (("L,480,E", "L,480,Z"), "there is no shift 'Z'"),
        (("SECTION_STAFF", "SECTION_STUFF"), "unknown section SECTION_STUFF"),
        (("SECTION_HORIZON\n7", "SECTION_HORIZON\n-7"), "horizon: a whole number"),
        (("E=7|L=0", "E=7;L=0"), "limits such as"),
        (("A,E=7|L=7,2400", "A,E=7|L=7,100"), "min_minutes"),
    ],
)
def test_faults_of_an_instance_are_named_by_line(
    folder: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], expected: str
) -> None:
    (folder / "desk.txt").write_text(NRP.replace(*change), encoding="utf-8")
    code, out, err = call(capsys, "verify", folder / "desk.txt", folder / "good.csv")
    assert (code, out) == (1, "")
    assert expected in err
    assert err.startswith("desk.txt: ")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Q,1,E", "row 6: there is no agent 'Q'"),
        ("A,7,E", "row 6, column day: a day from 0 to 6"),
        ("A,-1,E", "row 6, column day: a day from 0 to 6"),
        ("A,x,E", "row 6, column day"),
        ("A,5,Z", "row 6: there is no shift 'Z'"),
        ("A" * 200_000 + ",1,E", "cannot be read as a table"),
        ("A,1", "row 6: 3 fields expected"),
    ],
)
def test_faults_of_a_roster_are_named_by_row(
    folder: Path, capsys: pytest.CaptureFixture[str], row: str, expected: str
) -> None:
    (folder / "bad.csv").write_text(GOOD + row + "\n", encoding="utf-8")
    code, _, err = call(capsys, "verify", folder / "desk.txt", folder / "bad.csv")
    assert code == 1
    assert expected in err


def test_two_shifts_on_a_day_are_a_violation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.csv").write_text(GOOD + "A,1,E\n", encoding="utf-8")
    code, found = as_json(capsys, "verify", folder / "desk.txt", folder / "bad.csv")
    assert (code, found["valid"]) == (1, False)
    assert [(b["rule"], b["agent"], b["days"]) for b in found["violations"]] == [
        ("one_shift_a_day", "A", [1])
    ]


@pytest.mark.parametrize("limit", ["nan", "inf", "0", "-1", "soon"])
def test_a_limit_that_is_none_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    out = folder / "roster.csv"
    for option in ("--seconds", "--effort"):
        code, printed, _ = call(capsys, "solve", folder / "desk.txt", "--out", out, option, limit)
        assert (code, printed, out.exists()) == (2, "", False)


def test_a_folder_is_no_place_for_a_roster(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "solve", folder / "desk.txt", "--out", folder)
    assert (code, err) == (1, f"{folder}: this is a folder; name a file\n")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"agents": 3}', "null", "\x00"])
def test_what_is_no_problem_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    for name in ("p.json", "p.txt"):
        (folder / name).write_text(text, encoding="utf-8")
        out = folder / "r"
        code, printed, err = call(capsys, "solve", folder / name, "--out", out, "--seconds", "5")
        assert (code, printed, out.exists()) == (1, "", False)
        assert err.startswith(f"{name}: ")


def test_files_that_are_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = folder / "desk.txt"
    assert call(capsys, "verify", desk, folder / "none.csv")[0] == 1
    assert call(capsys, "solve", folder / "none.txt", "--out", folder / "r")[0] == 1
    assert call(capsys, "solve", desk, "--out", folder / "none" / "r")[0] == 1


@pytest.mark.parametrize(
    ("agent", "day"), [("Q", "1"), ("A", "7"), ("A", "x"), ("A", "2026-02-16"), ("A", "-1")]
)
def test_a_cell_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str], agent: str, day: str
) -> None:
    cell = (f"--agent={agent}", f"--day={day}")
    code, _, err = call(capsys, "explain", folder / "desk.txt", folder / "good.csv", *cell)
    assert code == 1
    assert "Traceback" not in err


def test_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = folder / "desk.txt"
    assert call(capsys, "solve", desk)[0] == 2
    assert call(capsys, "solve", desk, "--out", folder / "r", "--seconds", "0")[0] == 2
    assert call(capsys, "solve", desk, "--out", folder / "r", "--format", "x")[0] == 2


def test_a_limit_before_any_answer_is_exit_three(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "r.csv"
    code, printed, _ = call(
        capsys, "solve", folder / "desk.txt", "--out", out, "--effort", "1e-9", "--json"
    )
    assert (code, out.exists()) == (3, False)
    assert json.loads(printed)["status"] == "nothing_found"


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("solve", "verify", "explain"):
        code, out, _ = call(capsys, command, "--help")
        assert code == 0
        assert f"wfm roster {command}" in out
