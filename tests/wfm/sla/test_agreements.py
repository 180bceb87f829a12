"""Promises and what they rest on."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from wfm.errors import InputError
from wfm.sla.agreements import (
    Agreement,
    AgreementKind,
    Feasibility,
    Parallel,
    Series,
    Support,
    Target,
    feasible,
    infeasible_beneath,
)
from wfm.sla.business_time import BusinessTime
from wfm.sla.documents import names_beneath, supports_from_text, text_of_supports
from wfm.sla.reading import calendar_from_dict
from wfm.sla.tickets import Metric

REFERENCE = Path(__file__).parents[3] / "../shared/reference/grading_values.json"
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
CALENDARS = {
    "24x7": BusinessTime(
        calendar_from_dict(
            {"timezone": "UTC", **{d: [["00:00", "24:00"]] for d in (*WORKDAYS, "sat", "sun")}}
        )
    ),
    "5x8": BusinessTime(
        calendar_from_dict({"timezone": "UTC", **{d: [["09:00", "17:00"]] for d in WORKDAYS}})
    ),
}
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def agreement(
    name: str, kind: str, hours: float, supports: Support | None = None, calendar: str = "24x7"
) -> Agreement:
    target = Target(Metric.RESOLUTION, hours, "hour", calendar, "ticket events")
    return Agreement(name, AgreementKind(kind), 1, "mail", (target,), supports)


def tried(promise: Agreement) -> Feasibility:
    result = feasible(promise, Metric.RESOLUTION, CALENDARS, FIRST_DAY)
    assert result is not None
    return result


def test_two_hours_over_a_supplier_s_four_are_refused_with_the_path() -> None:
    result = tried(agreement("customer", "sla", 2, agreement("supplier", "uc", 4)))
    assert not result.ok
    assert result.late_s == 2 * 3600
    assert [(step.name, step.limit_s) for step in result.path] == [("supplier", 4 * 3600)]
    assert (result.path[0].done - result.due).total_seconds() == result.late_s


def test_supports_in_series_add_up() -> None:
    # 1 h + 2 h within 4 h leave an hour; 2.5 h + 2 h miss it by half an hour
    fits = Series((agreement("ola", "ola", 1), agreement("uc", "uc", 2)))
    assert tried(agreement("sla", "sla", 4, fits)).late_s == -3600
    misses = Series((agreement("ola", "ola", 2.5), agreement("uc", "uc", 2)))
    result = tried(agreement("sla", "sla", 4, misses))
    assert (result.ok, result.late_s) == (False, 1800)
    assert [step.name for step in result.path] == ["ola", "uc"]
    assert result.path[0].start == result.start
    assert result.path[1].start == result.path[0].done


def test_a_second_too_late_is_too_late() -> None:
    just = tried(agreement("sla", "sla", 4, agreement("uc", "uc", 4)))
    over = tried(agreement("sla", "sla", 4, agreement("uc", "uc", 4 + 1 / 3600)))
    assert [(one.ok, one.late_s) for one in (just, over)] == [(True, 0), (False, 1)]


def test_supports_in_parallel_wait_for_the_slowest() -> None:
    both = Parallel((agreement("ola", "ola", 2.5), agreement("uc", "uc", 2)))
    result = tried(agreement("sla", "sla", 4, both))
    assert (result.ok, result.late_s) == (True, -5400)
    assert [step.name for step in result.path] == ["ola"]
    # in series with a third: 2.5 h + 2 h
    chain = Series((both, agreement("third", "uc", 2)))
    assert [step.name for step in tried(agreement("sla", "sla", 4, chain)).path] == ["ola", "third"]


def test_equal_hours_in_another_calendar_do_not_bear_it() -> None:
    result = tried(agreement("sla", "sla", 4, agreement("uc", "uc", 4, calendar="5x8")))
    assert not result.ok
    # at worst the work arrives as the last 4 h of Friday begin to be missed: Friday 13:00 needs
    # until Monday 09:00 (the next opening), 64 h after the due time of 17:00
    assert result.late_s == 64 * 3600
    assert result.start.weekday() == 4
    # the other way round it does
    assert tried(agreement("sla", "sla", 4, agreement("uc", "uc", 4), calendar="5x8")).ok
    # and in one calendar equal limits are borne
    own = agreement("uc", "uc", 4, calendar="5x8")
    assert tried(agreement("sla", "sla", 4, own, calendar="5x8")).late_s == 0


def test_a_support_that_promises_nothing_on_the_metric_bears_nothing() -> None:
    silent = Agreement("silent", AgreementKind.OLA, 1, "mail", ())
    result = tried(agreement("sla", "sla", 4, Series((silent, agreement("uc", "uc", 1)))))
    assert (result.ok, result.unpromised) == (False, ("silent",))


def test_the_whole_graph_is_searched() -> None:
    # the SLA stands on its OLA; the OLA does not stand on its UC
    ola = agreement("ola", "ola", 2, agreement("uc", "uc", 3))
    sla = agreement("sla", "sla", 4, ola)
    found = infeasible_beneath(sla, Metric.RESOLUTION, CALENDARS, FIRST_DAY)
    assert [result.agreement for result in found] == ["ola"]
    over = agreement("over", "sla", 8, agreement("top", "ola", 6, sla))
    found = infeasible_beneath(over, Metric.RESOLUTION, CALENDARS, FIRST_DAY)
    assert [result.agreement for result in found] == ["ola"]
    alone = agreement("alone", "sla", 4)
    assert infeasible_beneath(alone, Metric.RESOLUTION, CALENDARS, FIRST_DAY) == []
    assert feasible(sla, Metric.FIRST_RESPONSE, CALENDARS, FIRST_DAY) is None


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs ../shared/reference")
def test_the_reference_cases() -> None:
    for case in json.loads(REFERENCE.read_text("utf-8"))["ola_uc_consistency"]["cases"]:
        promised = case.get("sla_calendar", "24x7")
        parts = tuple(
            agreement(part["kind"], part["kind"].lower(), part["resolve_h"],
                      calendar=part.get("calendar", promised))
            for part in case["supports"]
        )  # fmt: skip
        supports = Series(parts) if case.get("serial") else Parallel(parts)
        sla = agreement("sla", "sla", case["sla_resolve_h"], supports, calendar=promised)
        assert tried(sla).ok is case["ok"], case


def test_a_target_becomes_a_clock() -> None:
    target = Target(Metric.FIRST_RESPONSE, 30, "minute", "5x8", "ticket events")
    clock = target.clock(CALENDARS)
    assert (clock.metric, clock.limit_s, clock.calendar) == (target.metric, 1800, CALENDARS["5x8"])
    with pytest.raises(InputError, match="no such business calendar"):
        target.clock({})


@pytest.mark.parametrize(
    ("text", "beneath", "names"),
    [
        ("", {}, []),
        ("OLA-1", "OLA-1", ["OLA-1"]),
        ("OLA-1 + UC-2", {"series": ["OLA-1", "UC-2"]}, ["OLA-1", "UC-2"]),
        # one after the other binds closer than at the same time
        ("a + b | c", {"parallel": [{"series": ["a", "b"]}, "c"]}, ["a", "b", "c"]),
        ("a + (b | c)", {"series": ["a", {"parallel": ["b", "c"]}]}, ["a", "b", "c"]),
        ("((a))", "a", ["a"]),
        ("(" * 20 + "a" + ")" * 20, "a", ["a"]),
    ],
)
def test_supports_are_written_as_an_expression(
    text: str, beneath: object, names: list[str]
) -> None:
    assert supports_from_text(text) == beneath
    assert names_beneath(beneath) == names
    assert supports_from_text(text_of_supports(beneath)) == beneath


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a +", "the code of an agreement"),
        ("+ a", "the code of an agreement, found '+'"),
        ("a b", "the end, found 'b'"),
        ("(a", "a closing bracket"),
        ("a)", "the end, found ')'"),
        ("()", "the code of an agreement, found ')'"),
        ("(" * 21 + "a" + ")" * 21, "no more than 20 deep"),
        ("(" * 100_000, "no more than 20 deep"),
    ],
)
def test_what_is_no_such_expression_is_told(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        supports_from_text(text)


@pytest.mark.parametrize(
    ("limit", "unit", "calendar", "source", "columns"),
    [
        (0, "hour", "5x8", "events", ["limit"]),
        (-1, "hour", "5x8", "events", ["limit"]),
        (float("nan"), "hour", "5x8", "events", ["limit"]),
        (float("inf"), "hour", "5x8", "events", ["limit"]),
        (366 * 24 * 100 + 1, "hour", "5x8", "events", ["limit"]),  # a century of hours, and one
        (1, "soon", "5x8", "events", ["unit"]),
        (1, "hour", "", " ", ["calendar", "source"]),
    ],
)
def test_a_target_has_all_its_parts(
    limit: float, unit: str, calendar: str, source: str, columns: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        Target(Metric.RESOLUTION, limit, unit, calendar, source)
    assert [fault.column for fault in caught.value.faults] == columns


def test_a_version_binds_from_its_first_day_to_the_day_before_its_last() -> None:
    version = Agreement(
        "sla", AgreementKind.SLA, 1, "mail", (), None, date(2024, 1, 1), date(2025, 1, 1)
    )
    days = (date(2023, 12, 31), date(2024, 1, 1), date(2024, 12, 31), date(2025, 1, 1))
    assert [version.in_force(day) for day in days] == [False, True, True, False]
    assert not Agreement("draft", AgreementKind.SLA, 1, "mail", ()).in_force(days[1])
