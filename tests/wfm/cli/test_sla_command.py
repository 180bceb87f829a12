"""`wfm sla` from a file to standard output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wfm.cli.main import run

CASE = {
    "id": "one",
    "kind": "due",
    "calendar": {"mon": [["09:00", "17:00"]]},
    "timezone": "UTC",
    "start": "2024-01-15T16:00:00",
    "target": {"business_seconds": 3600},
}


def write(folder: Path, content: Any) -> str:
    path = folder / "cases.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return str(path)


def test_json_is_one_document_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [{"at": "2024-01-15T16:30:00", "type": "tag_added"}]
    assert run(["sla", "evaluate", write(tmp_path, [{**CASE, "events": events}]), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == [{"id": "one", "result": {"due": "2024-01-15T17:00:00"}}]
    assert err == "case 'one': event 'tag_added' moves no clock\n"


def test_without_json_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spans = {**CASE, "id": 2, "kind": "open_intervals", "expected": {"open_intervals": [[]]}}
    paused = {**CASE, "events": [{"at": "2024-01-15T16:30:00", "type": "pause"}]}
    assert run(["sla", "evaluate", write(tmp_path, [CASE, spans, paused])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["case", "field", "value"],
        ["one", "due", "2024-01-15T17:00:00"],
        ["2", "open_intervals", "2024-01-15T16:00:00", "–", "2024-01-15T17:00:00"],
        ["one", "due", "–"],
    ]


def test_the_other_convention(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, [CASE])
    assert run(["sla", "evaluate", path, "--boundary", "next_open", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["result"]["due"] == "2024-01-22T09:00:00"


def test_a_wrong_case_ends_it_with_a_line_and_no_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [CASE, {**CASE, "id": "two", "start": "2024-13-01T00:00:00"}])
    assert run(["sla", "evaluate", path, "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "cases.json, column start: case 'two': expected an ISO 8601 time such as "
        "2026-01-31T09:00:00 (found '2024-13-01T00:00:00')\n"
    )


@pytest.mark.parametrize("content", ["", "[", "{}", "[1]", "3", "[" * 100_000, "[1" + "0" * 5000])
def test_what_is_no_list_of_cases(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sla", "evaluate", write(tmp_path, content), "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("cases.json")


def test_no_file_and_no_argument(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sla", "evaluate", str(tmp_path / "none.json")]) == 1
    assert "no such file" in capsys.readouterr().err
    assert run(["sla", "evaluate"]) == 2
    assert run(["sla", "evaluate", "x", "--boundary", "late"]) == 2


@pytest.mark.parametrize("arguments", [["sla", "--help"], ["sla", "evaluate", "--help"]])
def test_help_has_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    assert "Example: wfm sla evaluate" in capsys.readouterr().out
