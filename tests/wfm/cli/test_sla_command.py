"""`wfm sla` from a file to standard output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from wfm import instants
from wfm.cli.main import run
from wfm.db import transaction
from wfm.sla.documents import FORMAT, seal_of
from wfm.tables import Ticket

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


def test_a_name_that_occurs_twice_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = json.dumps([CASE]).replace('"mon":', '"mon": [["00:00", "24:00"]], "mon":')
    assert run(["sla", "evaluate", write(tmp_path, twice), "--json"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "cases.json: this name occurs twice in one object (found 'mon')\n")


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


def sealed(folder: Path) -> tuple[Path, str]:
    document = {"format": FORMAT, "code": "SLA-x", "version": 2, "parts": {"term": {"zh": "一年"}}}
    path = folder / "sealed.json"
    path.write_text(json.dumps({"document": document, "seal": seal_of(document)}), "utf-8")
    return path, seal_of(document)


def test_a_seal_is_verified_without_a_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, seal = sealed(tmp_path)
    assert run(["sla", "verify-seal", str(path)]) == 0
    assert capsys.readouterr().out == f"SLA-x v2: as it was sealed ({seal})\n"
    assert run(["sla", "verify-seal", str(path), "--seal", seal.upper(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]
    assert run(["sla", "verify-seal", str(path), "--seal", "0" * 64]) == 1
    assert "sealed.json" in capsys.readouterr().err
    export = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(export | {"faults": [{"en": "targets differ"}, 3]}), "utf-8")
    assert run(["sla", "verify-seal", str(path)]) == 0
    assert capsys.readouterr().err == "the desk that wrote this file said: targets differ\n"


@pytest.mark.parametrize("change", ['"一年"', '"version": 2', '"SLA-x"'])
def test_a_changed_text_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    path, _ = sealed(tmp_path)
    text = json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
    assert change in text
    path.write_text(text.replace(change, change.replace("2", "3").replace("x", "y")
                                 .replace("一", "两")), "utf-8")  # fmt: skip
    assert run(["sla", "verify-seal", str(path), "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["ok"]


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", '{"document": 3}', '"x"', '{"document": {"a": NaN}, "seal": ""}',
     '{"document": {"format": "tierdesk-agreement-1", "a": "\\ud800"}, "seal": ""}'],
)  # fmt: skip
def test_what_is_no_export_is_not_verified(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, "utf-8")
    assert run(["sla", "verify-seal", str(path)]) == 1


def test_a_check_of_the_clocks(
    fresh_engine: Any, fresh_url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("WFM_DATABASE_URL", fresh_url)
    with transaction(fresh_engine) as session:
        session.add(Ticket(code="T", opened_at=instants.now(), respond_within_s=3600))
    assert run(["sla", "rebuild", "--check"]) == 1  # its clock was never read
    assert "first_response" in capsys.readouterr().out
    assert run(["sla", "rebuild"]) == 0
    capsys.readouterr()
    assert run(["sla", "rebuild", "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "tickets": 1, "pending": 0, "differences": [], "overtaken": [],
    }  # fmt: skip
    with transaction(fresh_engine) as session:
        session.execute(sa.text("update ticket set due_at = due_at + interval '1 s', "
                                "next_look_at = :now"), {"now": instants.now()})  # fmt: skip
    assert run(["sla", "rebuild", "--check", "--json"]) == 0
    (kept,) = json.loads(capsys.readouterr().out)["overtaken"]
    assert (kept["ticket"], kept["column"]) == ("T", "due_at")
    assert run(["sla", "rebuild", "--check"]) == 0
    out, err = capsys.readouterr()
    assert "due_at" in out
    assert "await a look, until it comes" in err


@pytest.mark.parametrize("more", [[], ["--check"]])
def test_a_database_that_is_not_set_up_is_told_in_a_line(
    new_database: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    more: list[str],
) -> None:  # fmt: skip
    empty = new_database(f"without_tables_{len(more)}")
    url = empty.url.render_as_string(hide_password=False)
    empty.dispose()
    monkeypatch.setenv("WFM_DATABASE_URL", url)
    assert run(["sla", "rebuild", *more]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "the database is not at this version; run: wfm db upgrade\n")
