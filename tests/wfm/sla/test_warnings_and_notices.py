"""Warnings about agreements, and thresholds to raise: each just where it begins to bite.

The desk is open Monday to Friday 09:00–17:00 UTC; 2024-01-15 is a Monday.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from wfm.errors import InputError
from wfm.sla import health
from wfm.sla.business_time import BusinessTime
from wfm.sla.clocks import replay
from wfm.sla.notices import USUAL, Step, due_now, steps_from_list
from wfm.sla.reading import calendar_from_dict
from wfm.sla.tickets import ClockTarget, Metric, TicketEvent

TODAY = date(2026, 6, 30)
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
DESK = BusinessTime(
    calendar_from_dict({"timezone": "UTC", **{day: [["09:00", "17:00"]] for day in WORKDAYS}})
)


# -- warnings --------------------------------------------------------------------------------------


def found(**given: Any) -> list[tuple[str, dict[str, Any]]]:
    """Warnings of an agreement with nothing wrong but what is given."""
    usual: dict[str, Any] = {
        "metrics": ["resolution"],
        "months": [health.Month("resolution", "2026-05", 10, 10, 0.9)],
        "tickets": 5, "targets": 24, "supports": 6, "unmeasurable": 0, "cost_stated": True,
        "review_on": TODAY, "today": TODAY,
    }  # fmt: skip
    return [(one.code, one.parameters) for one in health.warnings(**(usual | given))]


def test_an_agreement_in_good_health() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("given", "code", "parameters"),
    [
        ({"targets": 25}, "too_complex", {"count": 25, "supports": 6}),
        ({"supports": 7}, "too_complex", {"count": 24, "supports": 7}),
        ({"unmeasurable": 1}, "unmeasurable", {"count": 1}),
        ({"cost_stated": False}, "no_cost", {}),
        ({"review_on": TODAY - timedelta(days=1)}, "review_due", {"day": "2026-06-29"}),
        ({"months": []}, "unmonitored", {"metric": "resolution", "months": 12}),
        ({"months": [], "span": 3}, "unmonitored", {"metric": "resolution", "months": 3}),
    ],
)
def test_what_is_wrong_with_an_agreement(
    given: dict[str, Any], code: str, parameters: dict[str, Any]
) -> None:
    assert found(**given) == [(code, parameters)]
    for language in ("en", "zh"):
        assert "{" not in health.text_of(health.Warning(code, parameters), language)


def test_what_is_not_wrong_with_it() -> None:
    assert found(review_on=None) == []
    assert found(months=[], tickets=0) == []  # nothing came, so nothing could be measured
    # months of another metric are no measurements of this one
    assert [code for code, _ in found(metrics=["resolution", "first_response"])] == ["unmonitored"]


@pytest.mark.parametrize(
    ("months", "codes"),
    [
        ([(10, 9)], []),  # nine of ten are the share agreed
        ([(10, 8)], ["unrealistic"]),
        ([(10, 8), (10, 9)], []),  # kept once is kept
        ([(10, 8), (0, 0)], ["unrealistic"]),  # an empty month is none
        ([(0, 0)], ["unmonitored"]),
    ],
)
def test_a_promise_never_kept_is_unrealistic(
    months: list[tuple[int, int]], codes: list[str]
) -> None:
    given = [health.Month("resolution", f"2026-0{n}", *m, 0.9) for n, m in enumerate(months, 1)]
    warned = found(months=given)
    assert [code for code, _ in warned] == codes
    if codes == ["unrealistic"]:
        assert warned[0][1] == {"metric": "resolution", "months": sum(m[0] > 0 for m in months)}


# -- notices ---------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-01-{text}").replace(tzinfo=UTC)


def raised(
    now: str, *events: tuple[str, str], minutes: int = 60, before: tuple[int, ...] = (),
    **options: bool,
) -> tuple[list[int], datetime | None]:  # fmt: skip
    """Percentages to raise at an instant, of a promise from Monday 16:00 on."""
    reading = replay(
        at("15T16:00"),
        [ClockTarget(Metric.FIRST_RESPONSE, minutes * 60, DESK)],
        [TicketEvent(at(when), kind) for when, kind in events],
        at(now),
        thresholds=[step.percent for step in USUAL],
    ).readings[Metric.FIRST_RESPONSE]
    due, again = due_now(reading, DESK, USUAL, before, at(now), **options)
    return [one.step.percent for one in due], again


def test_thresholds_passed_are_raised_once() -> None:
    # 50 % of an hour at 16:30, 75 % at 16:45
    assert raised("15T16:29:59") == ([], None)
    assert raised("15T16:30") == ([50], None)
    assert raised("15T16:45") == ([50, 75], None)
    assert raised("15T16:45", before=(50,)) == ([75], None)


def test_at_night_nobody_is_told() -> None:
    # the hour ends as the desk closes: what is reached then is told within a minute, or next day
    assert raised("15T17:00", before=(50, 75, 90)) == ([100], None)
    assert raised("15T17:01", before=(50, 75, 90)) == ([100], None)
    assert raised("15T17:01:01", before=(50, 75, 90)) == ([], at("16T09:00"))
    assert raised("15T23:00", before=(50, 75, 90), at_night=True) == ([100], None)
    assert raised("16T09:00", before=(50, 75, 90)) == ([100], None)


def test_a_wait_that_has_ended_tells_of_its_last_day_only() -> None:
    answered = ("15T16:50", "agent_message")
    # at 10:00 the next day 75 % (16:45) is less than a day ago; at 16:45 just a day; then no more
    assert raised("16T10:00", answered, before=(50,)) == ([75], None)
    assert raised("16T16:45", answered, before=(50,)) == ([75], None)
    assert raised("16T16:45:01", answered, before=(50,)) == ([], None)
    # one that goes on tells of everything it has passed, however long ago, paused or not
    assert raised("18T10:00") == ([50, 75, 90, 100], None)
    assert raised("18T10:00", ("15T16:50", "pause")) == ([50, 75], None)


def test_only_the_steps_of_the_policy_are_raised() -> None:
    reading = replay(
        at("15T16:00"), [ClockTarget(Metric.FIRST_RESPONSE, 3600, DESK)], [], at("15T16:50"),
        thresholds=[50, 60],
    ).readings[Metric.FIRST_RESPONSE]  # fmt: skip
    due, _ = due_now(reading, DESK, [Step(60, "lead", "senior")], (), at("15T16:50"))
    assert [(one.step.tell, one.step.raise_to, one.reached_at) for one in due] == [
        ("lead", "senior", at("15T16:36"))
    ]


def test_steps_are_read_and_ordered() -> None:
    assert steps_from_list([]) == USUAL
    read = steps_from_list([
        {"percent": 1000, "tell": "lead", "raise_to": "expert"}, {"percent": 1, "tell": "owner"},
    ])  # fmt: skip
    assert read == (Step(1, "owner"), Step(1000, "lead", "expert"))


@pytest.mark.parametrize(
    ("step", "column"),
    [
        ({"percent": 0, "tell": "lead"}, "percent"),
        ({"percent": 1001, "tell": "lead"}, "percent"),
        ({"percent": True, "tell": "lead"}, "percent"),
        ({"percent": "50", "tell": "lead"}, "percent"),
        ({"percent": 40, "tell": "lead"}, "percent"),  # twice
        ({"percent": 50, "tell": "boss"}, "tell"),
        ({"percent": 50, "tell": "lead", "raise_to": "ordinary"}, "raise_to"),
    ],
)
def test_steps_that_cannot_be_are_refused(step: dict[str, Any], column: str) -> None:
    with pytest.raises(InputError) as caught:
        steps_from_list([{"percent": 40, "tell": "owner"}, step])
    assert [fault.column for fault in caught.value.faults] == [column]
