"""Text into typed rows: one small case per type of field, right and wrong."""

import re
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from wfm.importing.columns import booleans
from wfm.importing.forms import FORMS
from wfm.importing.reasons import in_chinese
from wfm.importing.typed import typed_rows

SHANGHAI = ZoneInfo("Asia/Shanghai")


def judged(form: str, /, **row: str) -> tuple[pd.DataFrame, list[str]]:
    frame = pd.DataFrame({name: pd.Series([cell], index=[2]) for name, cell in row.items()})
    result, faults = typed_rows(FORMS[form], frame.astype("str"), SHANGHAI)
    return result, [f"{fault.column}: {fault.message}" for fault in faults]


def test_a_good_ticket() -> None:
    # 09:00 in Shanghai (+08:00) is 01:00 UTC
    rows, faults = judged(
        "tickets", ticket_id=" T1 ", opened_at="2026-02-16 09:00", priority="1", resolved="是",
        kind="投诉", min_grade="高级客服",
    )  # fmt: skip
    assert faults == []
    row = rows.loc[2]
    assert row["ticket_id"] == "T1"
    assert row["opened_at"] == pd.Timestamp("2026-02-16T01:00Z")
    assert (row["priority"], row["resolved"], row["kind"], row["min_grade"]) == (
        1, True, "complaint", "senior",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("ticket_id", "", "a value is required"),
        ("ticket_id", "x" * 121, "longer than 120 characters"),
        ("opened_at", "", "a value is required"),
        ("opened_at", "16/02/2026", "not a time; expected ISO 8601"),
        ("opened_at", "2026-02-30", "not a time"),
        ("opened_at", "-1", "not a time"),
        ("opened_at", "2026", "not a time"),
        # some zone would show these in the year 0, or 10000
        ("opened_at", "0001-01-01T00:00:00", "not a time"),
        ("opened_at", "9999-12-31T23:59:59", "not a time"),
        ("opened_at", "9999-12-31T23:59:59-08:00", "not a time"),
        ("opened_at", "202602161", "not a time"),
        ("opened_at", "1026-02-16T09:00:00Z", "not a plausible time"),
        ("priority", "0", "must be at least 1"),
        ("priority", "10", "must be at most 9"),
        ("priority", "1.5", "not a whole number"),
        ("priority", "high", "not a whole number"),
        ("handle_s", "-1", "must be at least 0"),
        ("handle_s", "1e99", "must be at most"),
        ("difficulty", "inf", "not a number"),
        ("min_grade", "boss", "expected one of ordinary, senior, expert"),
        ("state", "sleeping", "expected one of open"),
        ("resolved", "maybe", "expected Y or N"),
        ("resolved_at", "2026-02-16T08:59:59", "lies before opened_at"),
        ("closed_at", "2026-02-15", "lies before opened_at"),
        ("first_response_at", "2026-02-16T08:00:00", "lies before opened_at"),
    ],
)
def test_faults_of_a_ticket(column: str, cell: str, message: str) -> None:
    row = {"ticket_id": "T1", "opened_at": "2026-02-16T09:00:00", column: cell}
    rows, faults = judged("tickets", **row)
    assert rows.empty
    assert any(fault.startswith(f"{column}: {message}") for fault in faults), faults
    for fault in faults:
        assert re.search(r"[\u4e00-\u9fff]", in_chinese(fault.partition(": ")[2])), fault


@pytest.mark.parametrize(
    ("cell", "tidy"), [("a;b", "a;b"), (" a : 3 ； b:1;", "a : 3;b:1"), ("", "")]
)
def test_lists_of_skills(cell: str, tidy: str) -> None:
    rows, faults = judged("agents", agent_id="A1", skills=cell)
    assert faults == []
    assert rows.loc[2, "skills"] == tidy


@pytest.mark.parametrize(
    ("cell", "message"),
    [("a:6", "not a list of skills"), ("a:0", "not a list of skills"), (":3", "not a list"),
     ("a:3:4", "not a list"), ("a;a:2", "twice"), ("x" * 121, "longer than 120")],
)  # fmt: skip
def test_wrong_lists_of_skills(cell: str, message: str) -> None:
    rows, faults = judged("agents", agent_id="A1", skills=cell)
    assert rows.empty
    assert message in faults[0]
    assert "技能" in in_chinese(faults[0].partition(": ")[2])


def test_a_leave_that_ends_before_it_starts() -> None:
    _, faults = judged("leave", agent_id="A1", start="2026-02-16", end="2026-02-15")
    assert faults == ["end: lies before start"]
    _, faults = judged("leave", agent_id="A1", start="2026-02-16", end="2026-02-16")
    assert faults == []


def test_review_scores_and_dates() -> None:
    row = {"review_id": "R1", "agent_id": "A1", "reviewed_on": "2026-02-16"}
    assert judged("reviews", **row, score="101")[1] == ["score: must be at most 100"]
    assert judged("reviews", **row, score="")[1] == ["score: a value is required"]
    assert judged("reviews", **{**row, "reviewed_on": "16.2."}, score="5")[1] == [
        "reviewed_on: not a date; expected YYYY-MM-DD"
    ]
    assert judged("reviews", **row, score="100")[1] == []


@pytest.mark.parametrize(
    ("written", "meant"), [("1.0", True), ("0.0", False), ("1", True), ("0", False), ("", None)]
)
def test_flags_as_a_spreadsheet_writes_them(written: str, meant: bool | None) -> None:
    values, faults = booleans(pd.Series([written], name="resolved"))
    assert (values.astype(object).where(values.notna(), None).tolist(), faults) == ([meant], [])
