"""Several agreements on one ticket, and what moves a clock as data.

The desk is open Monday to Friday 09:00–17:00 UTC; 2024-01-15 is a Monday.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wfm.errors import InputError
from wfm.sla.business_time import BusinessTime
from wfm.sla.clocks import Key, Reading, Reopening, State, replay
from wfm.sla.reading import calendar_from_dict
from wfm.sla.tickets import (
    RULES,
    ClockTarget,
    Conditions,
    Metric,
    TicketEvent,
    conditions_from_dict,
)
from wfm.sla.words import text_of

WEEK = ("mon", "tue", "wed", "thu", "fri")
DESK = BusinessTime(
    calendar_from_dict({"timezone": "UTC", **{day: [["09:00", "17:00"]] for day in WEEK}})
)
EVERY_DAY = (*WEEK, "sat", "sun")
ALWAYS = BusinessTime(
    calendar_from_dict({"timezone": "UTC", **{day: [["00:00", "24:00"]] for day in EVERY_DAY}})
)
M = 60
SLA: Key = ("sla", Metric.RESOLUTION)
UC: Key = ("UC-line", Metric.RESOLUTION)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-01-15T{clock}").replace(tzinfo=UTC)


def target(key: Key, minutes: int, conditions: Conditions | None = None,
           calendar: BusinessTime = DESK) -> ClockTarget:  # fmt: skip
    return ClockTarget(key[1], minutes * M, calendar, key[0], conditions)


def read(
    targets: list[ClockTarget], events: list[tuple[str, str]], now: str, **options: object
) -> dict[Key, Reading]:
    happened = [TicketEvent(at(when), kind) for when, kind in events]
    return replay(at("09:00"), targets, happened, at(now), **options).clocks  # type: ignore[arg-type]


def test_each_agreement_has_its_own_clock_and_calendar() -> None:
    clocks = read([target(SLA, 240), target(UC, 480, calendar=ALWAYS)], [], "10:00")
    assert set(clocks) == {SLA, UC}
    assert clocks[SLA].due_at == at("13:00")
    assert clocks[UC].due_at == at("17:00")


def test_a_supplier_s_clock_runs_from_the_hand_over_while_the_customer_s_does_not_stand() -> None:
    # handed to the supplier 10:00, back 11:30: 90 min; the customer's clock pauses for neither
    supplier = Conditions(frozenset({"to_supplier"}), frozenset({"from_supplier"}), holds=())
    events = [("10:00", "to_supplier"), ("11:00", "pause"), ("11:30", "from_supplier")]
    clocks = read([target(SLA, 240), target(UC, 60, supplier)], events, "12:00")
    assert (clocks[UC].state, clocks[UC].used_s) == (State.BREACHED, 90 * M)
    assert (clocks[SLA].state, clocks[SLA].used_s) == (State.PAUSED, 120 * M)
    # before the hand-over nothing runs
    assert read([target(UC, 60, supplier)], [], "12:00")[UC].state is State.IDLE


def test_an_event_may_count_a_wait_from_nothing_again() -> None:
    again = conditions_from_dict({"resets": ["customer_message"]}, Metric.RESOLUTION)
    events = [("10:00", "customer_message")]
    assert read([target(SLA, 60, again)], events, "10:30")[SLA].due_at == at("11:00")
    assert read([target(SLA, 60)], events, "10:30")[SLA].due_at == at("10:00")


def test_a_callback_waits_from_the_resolution_and_not_after_a_reopening() -> None:
    key = ("sla", Metric.CALLBACK)
    promise = [target(key, 60)]
    assert read(promise, [], "12:00")[key].state is State.IDLE
    waiting = read(promise, [("11:00", "stop")], "11:30")[key]
    assert (waiting.state, waiting.due_at) == (State.RUNNING, at("12:00"))
    met = read(promise, [("11:00", "stop"), ("11:40", "callback")], "12:30")[key]
    assert (met.state, met.used_s) == (State.MET, 40 * M)
    reopened = [("11:00", "stop"), ("11:20", "reopen")]
    assert read(promise, reopened, "12:30")[key].state is State.CANCELLED
    # resolved again, it waits again
    again = read(promise, [*reopened, ("12:00", "stop")], "12:30")[key]
    assert (again.state, again.due_at) == (State.RUNNING, at("13:00"))


def test_the_readings_without_a_name_are_those_of_the_first_agreement() -> None:
    targets = [target(("", Metric.RESOLUTION), 240), target(UC, 60)]
    replayed = replay(at("09:00"), targets, [], at("09:30"))
    assert replayed.readings[Metric.RESOLUTION].due_at == at("13:00")
    assert replayed.clocks[UC].due_at == at("10:00")
    # the next look is the nearest of all clocks': three quarters of the supplier's hour
    assert replayed.next_look_at == at("09:45")


def test_another_agreement_in_the_slot_keeps_the_time_and_the_pauses() -> None:
    # 09:00-10:00 used, paused; at 10:30, in the pause, the limit becomes 90 min; resumed at 11:00
    events = [
        TicketEvent(at("10:00"), "pause"),
        TicketEvent(at("10:30"), "priority_changed", (target(SLA, 90),)),
        TicketEvent(at("11:00"), "resume"),
    ]
    replayed = replay(at("09:00"), [target(SLA, 240)], events, at("11:10"))
    reading = replayed.clocks[SLA]
    assert (reading.used_s, reading.paused_s, reading.due_at) == (70 * M, 60 * M, at("11:30"))
    line = next(entry for entry in replayed.timeline if entry.code == "target_changed")
    assert text_of(line, "en") == (
        "resolution: the target is now 1:30:00; 1:00:00 already spent still count"
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [("escalated", ("ticket escalated", "工单已升级")), ("van_sent", ("van_sent", "van_sent"))],
)
def test_an_event_that_only_conditions_name_has_words_too(
    kind: str, words: tuple[str, str]
) -> None:
    supplier = Conditions(frozenset({kind}), frozenset({"stop"}))
    replayed = replay(
        at("09:00"), [target(UC, 60, supplier)], [TicketEvent(at("10:00"), kind)], at("10:30")
    )
    assert replayed.clocks[UC].due_at == at("11:00")
    line = next(entry for entry in replayed.timeline if entry.code == kind)
    assert (text_of(line, "en"), text_of(line, "zh")) == words


def test_a_clock_that_comes_later_is_read_as_if_it_had_always_been_there() -> None:
    # opened 09:00, paused 09:30-10:00; the supplier's contract applies from 11:00 on: 90 min spent
    events = [
        TicketEvent(at("09:30"), "pause"),
        TicketEvent(at("10:00"), "resume"),
        TicketEvent(at("11:00"), "service_changed", (target(SLA, 240), target(UC, 120))),
    ]
    replayed = replay(at("09:00"), [target(SLA, 240)], events, at("11:15"))
    reading = replayed.clocks[UC]
    assert (reading.used_s, reading.paused_s, reading.due_at) == (105 * M, 30 * M, at("11:30"))
    # what did not change is not told
    assert [e.slot for e in replayed.timeline if e.code == "target_changed"] == ["UC-line"]


def test_an_agreement_that_goes_is_told() -> None:
    events = [TicketEvent(at("10:00"), "service_changed", (target(SLA, 240),))]
    replayed = replay(at("09:00"), [target(SLA, 240), target(UC, 60)], events, at("12:00"))
    assert replayed.clocks[UC].state is State.IDLE
    assert [e.slot for e in replayed.timeline if e.code == "target_gone"] == ["UC-line"]


def test_thresholds_reached_by_the_wait_shown() -> None:
    # 50 % of 60 min at 09:30; paused 09:40-10:00; 75 % at 10:05, 90 % at 10:14, 100 % at 10:20
    events = [("09:40", "pause"), ("10:00", "resume")]
    reading = read([target(SLA, 60)], events, "10:14")[SLA]
    assert reading.reached == ((50, at("09:30")), (75, at("10:05")), (90, at("10:14")))
    assert reading.next_look_at == at("10:20")
    assert read([target(SLA, 60)], events, "09:50")[SLA].reached == ((50, at("09:30")),)
    own = read([target(SLA, 60)], events, "10:14", thresholds=(20,))[SLA]
    assert (own.reached, own.next_look_at) == (((20, at("09:12")),), at("10:20:01"))


def test_reopening_by_policy_holds_for_whatever_has_its_end_taken_back() -> None:
    events = [("11:00", "stop"), ("12:00", "reopen")]
    old = read([target(SLA, 240)], events, "13:00")[SLA]
    new = read([target(SLA, 240)], events, "13:00", reopening=Reopening.RESTART)[SLA]
    assert (old.used_s, new.used_s) == (180 * M, 60 * M)


def test_conditions_are_read_from_data() -> None:
    assert conditions_from_dict({}, Metric.RESOLUTION) == RULES[Metric.RESOLUTION]
    read_in = conditions_from_dict(
        {"holds": [{"begins": ["to_supplier"], "ends": ["from_supplier"]}], "repeats": True},
        Metric.RESOLUTION,
    )
    assert read_in.repeats
    assert [sorted(hold.begins) for hold in read_in.holds] == [["to_supplier"]]


@pytest.mark.parametrize(
    "data",
    [{"starts": []}, {"ends": "stop"}, {"wat": []}, {"repeats": 1}, {"holds": [{"begins": []}]},
     {"holds": {}}, {"holds": ["pause"]}],
)  # fmt: skip
def test_conditions_that_cannot_be_read_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(InputError):
        conditions_from_dict(data, Metric.RESOLUTION)
