"""Case files: shapes, formats, faults, and the whole reference file."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wfm.errors import InputError
from wfm.sla.business_time import Boundary, BusinessTime
from wfm.sla.cases import OPEN_INTERVALS, evaluate_all
from wfm.sla.reading import calendar_from_dict

REFERENCE = Path(__file__).parents[3] / "../shared/reference/sla_clock_cases.json"
OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def case(kind: str, **parts: Any) -> dict[str, Any]:
    """A case that starts on Monday 2024-01-15 at 10:00."""
    usual = {"id": "one", "kind": kind, "calendar": OFFICE, "timezone": "UTC",
             "start": "2024-01-15T10:00:00", "events": [], "target": None}  # fmt: skip
    return {**usual, **parts}


def result(kind: str, **parts: Any) -> dict[str, Any]:
    results, _ = evaluate_all([case(kind, **parts)])
    return results[0]["result"]


def event(at: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"at": f"2024-01-15T{at}:00", "type": kind, **more}


def faults(cases: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        evaluate_all(cases, file="cases.json")
    return list(caught.value.lines())


# --- kinds ----------------------------------------------------------------------------------------


def test_due_with_pauses_and_overrun() -> None:
    # 10:00 + 2 h + 30 min of pause; stopped at 13:00, so 2.5 h used: half an hour over
    events = [event("11:00", "pause"), event("11:30", "resume"), event("13:00", "stop")]
    assert result("due", target={"business_seconds": 7200}, events=events) == {
        "due": "2024-01-15T12:30:00",
        "overrun_business_seconds": 1800,
    }
    early = result("due", target={"business_seconds": 7200}, events=[event("11:00", "stop")])
    assert early == {"due": "2024-01-15T12:00:00", "overrun_business_seconds": 0}
    assert "overrun_business_seconds" not in result("due", target={"business_seconds": 7200})


def test_due_in_other_units_and_of_nothing() -> None:
    for target in ({"business_minutes": 90}, {"business_hours": 1.5}, {"business_seconds": 5400.0}):
        assert result("due", target=target)["due"] == "2024-01-15T11:30:00"
    late = result("due", start="2024-01-13T10:00:00", target={"business_seconds": 0})
    assert late["due"] == "2024-01-15T09:00:00"


def test_due_in_a_pause_that_does_not_end() -> None:
    events = [event("11:00", "pause")]
    assert result("due", target={"business_seconds": 7200}, events=events)["due"] is None
    assert result("due", target={"business_seconds": 1800}, events=events)["due"] is not None


def test_either_convention() -> None:
    target = {"business_seconds": 7 * 3600}
    assert result("due", target=target)["due"] == "2024-01-15T17:00:00"
    opening = result("due", target=target, boundary_convention="next_open")
    assert opening["due"] == "2024-01-16T09:00:00"
    by_option, _ = evaluate_all([case("due", target=target)], Boundary.NEXT_OPEN)
    assert by_option[0]["result"] == opening


def test_elapsed() -> None:
    events = [event("11:00", "pause"), event("11:30", "resume"), event("13:00", "stop")]
    expected = {"business_seconds": 9000, "paused_business_seconds": 1800}
    assert result("elapsed", events=events) == expected
    assert result("elapsed", events=events[::-1]) == expected
    # a stop before the start counts back
    assert result("elapsed", events=[event("09:30", "stop")])["business_seconds"] == -1800


def test_elapsed_goes_on_after_reopening() -> None:
    events = [event("11:00", "stop"), event("12:00", "reopen"), event("12:30", "stop")]
    assert result("elapsed", events=events)["business_seconds"] == 5400


def test_due_days() -> None:
    assert result("due_days", target={"business_days": 5}) == {"due": "2024-01-22T10:00:00"}


def test_open_intervals_as_many_as_are_asked_for() -> None:
    assert len(result("open_intervals")["open_intervals"]) == OPEN_INTERVALS
    asked = {"open_intervals": [["", ""], ["", ""]]}
    assert result("open_intervals", expected=asked)["open_intervals"] == [
        ["2024-01-15T10:00:00", "2024-01-15T17:00:00"],
        ["2024-01-16T09:00:00", "2024-01-16T17:00:00"],
    ]


def test_clocks() -> None:
    target = {"first_response_minutes": 60, "next_response_seconds": 7200, "resolution_hours": 4}
    events = [event("10:30", "customer_message"), event("11:15", "agent_message"),
              event("11:30", "customer_message")]  # fmt: skip
    assert result("clocks", target=target, events=events) == {
        "first_response_due": None,
        "first_response_minutes": 75,
        "first_response_margin_minutes": -15,
        "next_response_due": "2024-01-15T13:30:00",
        "next_response_minutes": 45,
        "next_response_margin_minutes": 75,
        "resolution_due": "2024-01-15T14:00:00",
        "resolution_minutes": None,
        "resolution_margin_minutes": None,
    }


def test_clocks_without_a_target_or_with_none_of_a_metric() -> None:
    assert set(result("clocks").values()) == {None}
    some = result("clocks", target={"resolution_minutes": 60, "next_response_minutes": None,
                                    "first_response_minutes": 0})  # fmt: skip
    assert some["resolution_due"] == "2024-01-15T11:00:00"
    assert some["first_response_due"] is None


def test_a_target_that_changes_on_the_way() -> None:
    events = [event("10:30", "priority_change", target={"resolution_minutes": 45})]
    changed = result("clocks", target={"resolution_minutes": 240}, events=events)
    assert changed["resolution_due"] == "2024-01-15T10:45:00"


def test_minutes_are_exact() -> None:
    events = [{"at": "2024-01-15T10:00:30", "type": "stop"}]
    some = result("clocks", target={"resolution_minutes": 10}, events=events)
    assert (some["resolution_minutes"], some["resolution_margin_minutes"]) == (0.5, 9.5)


# --- shapes ---------------------------------------------------------------------------------------


def test_the_shape_of_expected_is_followed_but_never_its_values() -> None:
    events = [event("11:00", "stop")]
    for guess in (0, None, "nonsense"):
        asked = result("elapsed", events=events, expected={"business_seconds": guess})
        assert asked == {"business_seconds": 3600}


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2024-07-15T10:00:00", "2024-07-15T11:00:00"),
        ("2024-07-15 10:00", "2024-07-15T11:00:00"),
        ("2024-07-15T08:00:00Z", "2024-07-15T09:00:00Z"),
        ("2024-07-15T08:00:00+00:00", "2024-07-15T11:00:00+02:00"),
        ("2024-07-15T10:00:00+02:00", "2024-07-15T11:00:00+02:00"),
    ],
)
def test_times_are_written_as_the_start_is(start: str, due: str) -> None:
    target = {"business_seconds": 3600}
    assert result("due", start=start, timezone="Europe/Berlin", target=target)["due"] == due


def test_a_local_time_that_occurs_twice_keeps_its_offset_the_second_time() -> None:
    night = {"sun": [["00:00", "06:00"]]}
    due = [
        result("due", calendar=night, timezone="Europe/Berlin", start="2024-10-27T01:00:00",
               target={"business_seconds": hours * 3600})["due"]
        for hours in (1, 2, 3)
    ]  # fmt: skip
    assert due == ["2024-10-27T02:00:00", "2024-10-27T02:00:00+01:00", "2024-10-27T03:00:00"]


def test_calendar_parts_may_stand_in_the_case_or_in_the_calendar() -> None:
    target = {"business_seconds": 8 * 3600}
    inside = {**OFFICE, "holidays": ["2024-01-16"], "breaks": [["12:00", "13:00"]]}
    beside = {"holidays": ["2024-01-16"], "breaks": [["12:00", "13:00"]]}
    # Monday 10:00–17:00 less an hour = 6 h; Wednesday 2 h
    assert result("due", calendar=inside, target=target)["due"] == "2024-01-17T11:00:00"
    assert result("due", **beside, target=target)["due"] == "2024-01-17T11:00:00"
    both = result("due", calendar=inside, holidays=["2024-01-17"], target=target)
    assert both["due"] == "2024-01-18T11:00:00"


def test_unknown_events_are_noted() -> None:
    _, notes = evaluate_all([case("clocks", events=[event("11:00", "tag_added")])])
    assert notes == ["case 'one': event 'tag_added' moves no clock"]


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ({"kind": "guess"}, "column kind"),
        ({"kind": ["due"]}, "column kind"),
        ({"id": None}, "column id"),
        ({"calendar": None}, "column calendar"),
        ({"calendar": []}, "column calendar"),
        ({"timezone": None}, "column timezone"),
        ({"timezone": "Mars/Base"}, "column timezone"),
        ({"holidays": ["2024-02-30"]}, "column holidays[0]"),
        ({"start": None}, "column start"),
        ({"start": "2024-02-30T10:00:00"}, "column start"),
        ({"start": "10 o'clock"}, "column start"),
        ({"start": "2024-01-15T25:00:00"}, "column start"),
        ({"start": "9999-12-31T23:59:59-12:00"}, "column start"),
        ({"start": "3500-01-01T00:00:00"}, "column start: case 'one': expected an instant of the"),
        ({"events": [{"at": "1899-01-01T00:00:00", "type": "stop"}]}, "column events[0].at"),
        ({"events": {}}, "column events"),
        ({"events": [3]}, "column events[0]"),
        ({"events": [{"at": "2024-01-15T11:00:00"}]}, "column events[0].type"),
        ({"events": [{"at": "noon", "type": "stop"}]}, "column events[0].at"),
        ({"events": [{"type": "stop"}]}, "column events[0].at"),
        ({"events": [{"at": "2024-01-15", "type": "x", "target": 3}]}, "column events[0].target"),
        ({"target": None}, "column target.business_seconds"),
        ({"target": []}, "column target"),
        ({"target": {"business_seconds": True}}, "column target.business_seconds"),
        ({"target": {"business_seconds": "5"}}, "column target.business_seconds"),
        ({"target": {"business_seconds": 1.5}}, "column target.business_seconds"),
        ({"target": {"business_seconds": float("nan")}}, "column target.business_seconds"),
        ({"target": {"business_seconds": 10**18}}, "not open that long"),
        ({"boundary_convention": "late"}, "column boundary_convention"),
        ({"boundary_convention": ["close"]}, "column boundary_convention"),
    ],
)
def test_what_is_wrong_is_named_with_case_and_field(parts: dict[str, Any], line: str) -> None:
    lines = faults([{**case("due", target={"business_seconds": 60}), **parts}])
    assert len(lines) == 1
    assert line in lines[0]
    assert lines[0].startswith("cases.json")
    assert "case 1:" in lines[0] if "id" in parts else "case 'one':" in lines[0]


@pytest.mark.parametrize(
    ("kind", "parts", "column"),
    [
        ("elapsed", {}, "events"),
        ("due_days", {}, "target.business_days"),
        ("due_days", {"target": {"business_days": 0.5}}, "target.business_days"),
        ("due_days", {"target": {"business_days": 10**400}}, "target.business_days"),
        ("clocks", {"target": {"resolution_minutes": 1e308}}, "target.resolution_minutes"),
        ("clocks", {"id": True}, "id"),
        ("clocks", {"target": {"resolution_minutes": -5}}, "target.resolution_minutes"),
        (
            "clocks",
            {"events": [event("11:00", "x", target={"resolution_hours": -1})]},
            "events[0].target.resolution_hours",
        ),
        (
            "clocks",
            {"target": {"resolution_minutes": 60, "resolution_hours": 2}},
            "target.resolution_hours",
        ),
        (
            "due",
            {"target": {"business_seconds": 3600, "business_minutes": 61}},
            "target.business_minutes",
        ),
        ("due_days", {"target": {"business_days": 36_601}}, "target.business_days"),
        ("clocks", {"target": {"resolution_minutes": "5"}}, "target.resolution_minutes"),
    ],
)
def test_faults_of_the_other_kinds(kind: str, parts: dict[str, Any], column: str) -> None:
    lines = faults([case(kind, **parts)])
    assert len(lines) == 1
    assert f"column {column}" in lines[0]


def test_two_units_that_agree_are_one_promise() -> None:
    assert result("due", target={"business_minutes": 60, "business_hours": 1}) == {
        "due": "2024-01-15T11:00:00"
    }


def test_every_field_of_a_case_that_is_wrong_is_named_at_once() -> None:
    events = [event("25:00", "stop"), event("11:00", "stop"), {"at": "2024-01-15T11:00:00"}]
    lines = faults([case("due", start="x", timezone="Mars", target=[], events=events)])
    columns = [line.split("column ")[1].split(":")[0] for line in lines]
    assert columns == ["timezone", "start", "target", "events[0].at", "events[2].type"]


def test_what_has_no_effect_is_remarked() -> None:
    early = [event("09:30", "agent_message")]
    cases = [
        case("clocks", target={"resolutoin_minutes": 60}, events=early), case("open_intervals"),
    ]  # fmt: skip
    assert evaluate_all(cases)[1] == [
        "case 'one': event 'agent_message' lies before the start",
        "case 'one': target 'resolutoin_minutes' is not known and promises nothing",
        "case 'one': this id occurs 2 times",
    ]
    # a stop before the start is a way to count back
    counted = case("elapsed", events=[event("09:30", "stop")])
    assert evaluate_all([counted])[1] == []


def test_one_wrong_case_and_all_faults_are_listed_but_no_result() -> None:
    good = case("due", target={"business_seconds": 60})
    lines = faults(
        [good, {**good, "id": "two", "start": "x"}, 3, {**good, "id": "four", "kind": 0}]
    )
    assert [part.split(":")[1].strip() for part in lines] == ["case 'two'", "case 3", "case 'four'"]
    assert "a list of cases" in faults({"cases": []})[0]


# --- the reference --------------------------------------------------------------------------------


def same(found: Any, expected: Any, given: dict[str, Any], times: BusinessTime) -> bool:
    """Equal, or one business instant where the case names a closing-time convention."""
    if isinstance(expected, list):
        return len(found) == len(expected) and all(
            same(a, b, given, times) for a, b in zip(found, expected, strict=True)
        )
    if not isinstance(expected, str):
        return bool(found == expected)
    zone = ZoneInfo(given["timezone"])
    one, other = (
        at if at.tzinfo else at.replace(tzinfo=zone)
        for at in map(datetime.fromisoformat, (found, expected))
    )
    if "boundary_convention" in given:
        return times.elapsed(one, other) == 0
    return one.timestamp() == other.timestamp()


@pytest.mark.records
@pytest.mark.skipif(not REFERENCE.exists(), reason="needs ../shared/reference")
@pytest.mark.parametrize("convention", [None, "close", "next_open"])
def test_all_reference_cases(convention: str | None) -> None:
    cases = json.loads(REFERENCE.read_text("utf-8"))
    for given in cases:
        if convention is not None and "boundary_convention" in given:
            given["boundary_convention"] = convention
    results, notes = evaluate_all(cases)
    assert notes == []
    wrong = []
    for given, found in zip(cases, results, strict=True):
        times = BusinessTime(
            calendar_from_dict(
                {**given["calendar"], "timezone": given["timezone"], "holidays": given["holidays"]}
            )
        )
        assert found["id"] == given["id"]
        assert set(found["result"]) == set(given["expected"])
        for field, value in given["expected"].items():
            if not same(found["result"][field], value, given, times):
                wrong.append((given["id"], field, found["result"][field], value))
    assert wrong == []
    assert len(results) >= 135


def test_a_callback_is_shown_where_it_is_promised() -> None:
    # resolved at 11:00, called back at 11:45: 45 of 60 min
    events = [event("11:00", "stop"), event("11:45", "callback")]
    shown = result("clocks", target={"callback_minutes": 60}, events=events)
    assert (shown["callback_minutes"], shown["callback_margin_minutes"]) == (45, 15)


def test_the_words_of_records_are_understood_too() -> None:
    events = [event("10:30", "paused"), event("11:00", "resumed"), event("12:00", "resolved")]
    # 10:00-12:00 less half an hour
    assert result("elapsed", events=events) == {
        "business_seconds": 5400, "paused_business_seconds": 1800
    }  # fmt: skip


def test_parts_of_a_second_count() -> None:
    events = [{"at": "2024-01-15T10:00:01.500", "type": "stop"}]
    assert result("elapsed", events=events)["business_seconds"] == 1.5
    whole = result("elapsed", events=[event("11:00", "stop")])["business_seconds"]
    assert (whole, type(whole)) == (3600, int)
