"""Agreements as documents: ten parts, seals, near names, supports; health and notices."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from wfm.errors import InputError
from wfm.sla.business_time import BusinessTime
from wfm.sla.clocks import replay
from wfm.sla.documents import (
    FORMAT,
    PARTS,
    gaps,
    names_beneath,
    near_duplicates,
    seal_of,
    supports_from_text,
    text_of_supports,
    verify,
)
from wfm.sla.health import WARNINGS, Month, text_of, warnings
from wfm.sla.notices import USUAL, Step, due_now, steps_from_list
from wfm.sla.reading import calendar_from_dict
from wfm.sla.tickets import ClockTarget, Metric, TicketEvent

TARGET = {"metric": "resolution", "priority": 1, "limit_s": 3600, "unit": "hour",
          "calendar": {"code": "desk"}, "source": "ticket events"}  # fmt: skip
WHOLE: dict[str, Any] = {
    "format": FORMAT, "code": "SLA-x", "version": 1, "provider": "Desk", "receiver": "Sales",
    "parts": {part.code: {"en": "30 minutes in 95 % of tickets", "zh": "30 分钟内"}
              for part in PARTS},
    "targets": [TARGET],
}  # fmt: skip


def without(**changes: Any) -> dict[str, Any]:
    return deepcopy(WHOLE) | changes


def codes(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(gap.code, gap.part) for gap in gaps(document)]


def test_there_are_ten_parts_and_a_whole_document_has_no_gap() -> None:
    assert len(PARTS) == 10
    assert codes(WHOLE) == []


@pytest.mark.parametrize("part", [part.code for part in PARTS])
def test_each_part_must_be_written(part: str) -> None:
    document = without()
    document["parts"][part] = {"en": "  ", "zh": ""}
    assert codes(document) == [("empty", part)]
    del document["parts"][part]
    assert codes(document) == [("empty", part)]


@pytest.mark.parametrize(
    ("part", "text", "found"),
    [
        ("provider_duties", "answers as soon as possible", "vague"),
        ("provider_duties", "尽快响应", "vague"),
        ("charges", "as the price list says", "no_number"),
        ("charges", "部门之间不收费", None),
        ("charges", "No charge between departments.", None),
        ("term", "until it ends", "no_number"),
        ("hours", "每天八点到二十点", None),
        ("overview", "the desk serves sales", None),
    ],
)
def test_what_a_part_must_say(part: str, text: str, found: str | None) -> None:
    document = without()
    document["parts"][part] = {"zh": text}
    assert codes(document) == ([(found, part)] if found else [])


def test_a_target_has_a_calendar_and_a_source() -> None:
    assert codes(without(targets=[])) == [("no_target", "targets")]
    assert codes(without(targets=[TARGET | {"calendar": None}])) == [("no_calendar", "targets")]
    assert codes(without(targets=[TARGET | {"source": " "}])) == [("no_source", "targets")]
    assert codes(without(receiver="")) == [("no_party", "overview")]


def test_the_seal_is_the_hash_of_the_sorted_text() -> None:
    document = {"b": 1, "a": "一"}
    assert seal_of(document) == hashlib.sha256('{"a":"一","b":1}'.encode()).hexdigest()
    assert seal_of({"a": "一", "b": 1}) == seal_of(document)


def test_an_export_is_verified_by_itself_and_against_a_known_seal() -> None:
    export = {"document": WHOLE, "seal": seal_of(WHOLE)}
    assert verify(export).ok
    assert verify(export, seal_of(WHOLE).upper()).ok
    assert not verify(export, "0" * 64).ok
    forged = without(provider="Other")
    assert not verify({"document": forged, "seal": seal_of(WHOLE)}).ok
    # replaced together: only a seal known from elsewhere tells
    both = {"document": forged, "seal": seal_of(forged)}
    assert verify(both).ok
    assert not verify(both, seal_of(WHOLE)).ok
    other = {"format": "x"}
    assert not verify({"document": other, "seal": seal_of(other)}).ok
    for nothing in (None, [], {}, {"document": "x", "seal": 3}):
        assert not verify(nothing).ok


def test_names_that_are_nearly_the_same() -> None:
    names = {
        "a": ("Network service", "网络服务"), "b": ("Network care services", "网络关怀"),
        "c": ("Networks support", "网络支持"), "d": ("Payroll", "薪资"),
    }  # fmt: skip
    # network / network / networks once the words that say nothing are gone
    assert [pair[:2] for pair in near_duplicates(names)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert near_duplicates({"a": ("Desk", "服务台"), "b": ("Service", "系统")}) == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a", "a"),
        ("a + b", {"series": ["a", "b"]}),
        ("a | b", {"parallel": ["a", "b"]}),
        ("a + b | c", {"parallel": [{"series": ["a", "b"]}, "c"]}),
        ("a + (b | c)", {"series": ["a", {"parallel": ["b", "c"]}]}),
        ("", {}),
    ],
)
def test_what_stands_beneath_is_written_and_read(text: str, read: Any) -> None:
    assert supports_from_text(text) == read
    again = supports_from_text(text_of_supports(read))
    assert again == read
    assert names_beneath(read) == [name for name in "abc" if name in text]


@pytest.mark.parametrize("text", ["a +", "(a", "a)", "+ a", "a b", "| ", "()"])
def test_what_is_no_such_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        supports_from_text(text)


# --- health ---------------------------------------------------------------------------------------


def found(**changes: Any) -> list[str]:
    facts: dict[str, Any] = {
        "metrics": ["resolution"], "months": [Month("resolution", "2026-09", 10, 9, 0.9)],
        "tickets": 10, "targets": 4, "supports": 1, "unmeasurable": 0, "cost_stated": True,
        "review_on": date(2026, 12, 1), "today": date(2026, 10, 8),
    }  # fmt: skip
    shown = warnings(**(facts | changes))
    for language in ("en", "zh"):
        assert all("{" not in text_of(one, language) for one in shown)
    return [one.code for one in shown]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"months": []}, "unmonitored"),
        ({"months": [Month("resolution", "2026-09", 10, 8, 0.9)]}, "unrealistic"),
        ({"targets": 25}, "too_complex"),
        ({"supports": 7}, "too_complex"),
        ({"unmeasurable": 1}, "unmeasurable"),
        ({"cost_stated": False}, "no_cost"),
        ({"review_on": date(2026, 10, 7)}, "review_due"),
    ],
)
def test_each_warning(changes: dict[str, Any], code: str) -> None:
    assert found(**changes) == [code]
    assert code in WARNINGS


def test_nothing_to_warn_of() -> None:
    assert found() == []
    assert found(months=[], tickets=0) == []  # nobody asked for anything
    one_good = [Month("resolution", "2026-08", 10, 2, 0.9), Month("resolution", "2026-09", 10, 9,
                                                                   0.9)]  # fmt: skip
    assert found(months=one_good) == []
    assert found(review_on=date(2026, 10, 8), targets=24, supports=6) == []


# --- notices --------------------------------------------------------------------------------------

WEEK = ("mon", "tue", "wed", "thu", "fri")
DESK = BusinessTime(
    calendar_from_dict({"timezone": "UTC", **{day: [["09:00", "17:00"]] for day in WEEK}})
)
START = datetime(2024, 1, 15, 16, 0, tzinfo=UTC)  # Monday, an hour before closing
M = timedelta(minutes=1)


def raised(
    at: datetime, known: set[int] = frozenset(), events: tuple[TicketEvent, ...] = (), **more: Any
) -> tuple[list[int], datetime | None]:  # fmt: skip
    target = ClockTarget(Metric.RESOLUTION, 7200, DESK)  # due Tuesday 10:00
    reading = replay(START, [target], events, at).readings[Metric.RESOLUTION]
    due, later = due_now(reading, DESK, USUAL, known, at, **more)
    return [one.step.percent for one in due], later


def test_thresholds_are_raised_as_they_are_reached_and_once() -> None:
    assert raised(START + 59 * M) == ([], None)
    assert raised(START + 60 * M) == ([50], None)
    assert raised(START + 60 * M, {50}) == ([], None)
    tuesday = START + timedelta(hours=17)  # 09:00
    assert raised(tuesday + 30 * M, {50}) == ([75], None)
    assert raised(tuesday + 90 * M, {50}) == ([75, 90, 100], None)


def test_at_night_they_wait_for_the_opening() -> None:
    opening = START + timedelta(hours=17)
    assert raised(START + 75 * M) == ([50], None)  # a quarter of an hour after closing
    assert raised(START + 76 * M) == ([], opening)
    assert raised(START + 76 * M, at_night=True) == ([50], None)
    assert raised(opening) == ([50], None)


def test_a_wait_that_is_over_raises_what_it_passed_on_the_last_day_only() -> None:
    done = (TicketEvent(START + 60 * M, "stop"),)
    assert raised(START + 61 * M, events=done) == ([50], None)
    assert raised(START + timedelta(hours=25, minutes=1), events=done) == ([], None)


def test_a_pause_takes_nothing_back() -> None:
    held = (TicketEvent(START + 60 * M, "pause"),)
    assert raised(START + timedelta(days=3, hours=-1), events=held) == ([50], None)


@pytest.mark.parametrize(
    "step",
    [{"percent": 0, "tell": "lead"}, {"percent": 50, "tell": "boss"}, {"percent": True},
     {"percent": 50, "tell": "lead", "raise_to": "ordinary"}],
)  # fmt: skip
def test_steps_that_are_none_are_refused(step: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        steps_from_list([step])


def test_steps() -> None:
    assert steps_from_list([]) == USUAL
    data = [{"percent": 90, "tell": "lead", "raise_to": "expert"}, {"percent": 50, "tell": "owner"}]
    assert steps_from_list(data) == (Step(50, "owner"), Step(90, "lead", "expert"))
    with pytest.raises(InputError, match="twice"):
        steps_from_list([{"percent": 50, "tell": "lead"}] * 2)
