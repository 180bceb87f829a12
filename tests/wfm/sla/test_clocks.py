"""Clocks by hand. The desk is open Monday to Friday 09:00–17:00 UTC; 2024-01-15 is a Monday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wfm.errors import InputError
from wfm.sla.business_time import Boundary, BusinessTime
from wfm.sla.clocks import Reading, Reopening, Replay, State, replay
from wfm.sla.reading import calendar_from_dict
from wfm.sla.tickets import KINDS, ClockTarget, Metric, TicketEvent
from wfm.sla.words import METRICS, TEXTS, text_of

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
DESK = BusinessTime(
    calendar_from_dict({"timezone": "UTC", **{day: [["09:00", "17:00"]] for day in WORKDAYS}})
)
ALWAYS = BusinessTime(
    calendar_from_dict(
        {"timezone": "UTC", **{day: [["00:00", "24:00"]] for day in (*WORKDAYS, "sat", "sun")}}
    )
)
M = 60


def at(text: str) -> datetime:
    """``HH:MM`` of Monday, or ``D HH:MM`` of the day of January."""
    day, clock = text.split() if " " in text else ("15", text)
    return datetime.fromisoformat(f"2024-01-{day}T{clock}").replace(tzinfo=UTC)


def targets(first: int = 60, following: int = 120, resolution: int = 240) -> list[ClockTarget]:
    minutes = zip(Metric, (first, following, resolution), strict=False)
    return [ClockTarget(metric, limit * M, DESK) for metric, limit in minutes]


def run(events: list[tuple[str, str]], now: str, **options: object) -> Replay:
    happened = [TicketEvent(at(when), kind) for when, kind in events]
    return replay(at("09:00"), targets(), happened, at(now), **options)  # type: ignore[arg-type]


def first(events: list[tuple[str, str]], now: str) -> Reading:
    return run(events, now).readings[Metric.FIRST_RESPONSE]


def following(events: list[tuple[str, str]], now: str) -> Reading:
    return run(events, now).readings[Metric.NEXT_RESPONSE]


def resolution(events: list[tuple[str, str]], now: str, **options: object) -> Reading:
    return run(events, now, **options).readings[Metric.RESOLUTION]


# --- first response -------------------------------------------------------------------------------


def test_a_running_clock() -> None:
    reading = first([], "09:15")
    assert (reading.state, reading.running) == (State.RUNNING, True)
    assert (reading.used_s, reading.percent) == (15 * M, 25.0)
    assert reading.due_at == at("10:00")
    assert reading.next_look_at == at("09:30")  # 50 %


@pytest.mark.parametrize(
    ("now", "look"),
    [("09:30", "09:45"), ("09:45", "09:54"), ("09:54", "10:00"), ("09:59", "10:00")],
)
def test_the_next_look_is_the_next_threshold(now: str, look: str) -> None:
    assert first([], now).next_look_at == at(look)


def test_at_the_due_time_the_promise_is_still_kept_and_a_second_later_it_is_not() -> None:
    due = first([], "10:00")
    assert (due.state, due.percent, due.next_look_at) == (State.RUNNING, 100.0, at("10:00:01"))
    late = first([], "10:00:01")
    assert (late.state, late.running, late.next_look_at) == (State.BREACHED, True, None)
    assert late.due_at == at("10:00")


def test_an_answer_in_time_and_one_too_late() -> None:
    met = first([("10:00", "agent_message")], "12:00")
    assert (met.state, met.used_s, met.ended_at) == (State.MET, 60 * M, at("10:00"))
    assert met.worst is not None
    assert met.worst.margin_s == 0
    timeline = run([("10:00", "agent_message")], "12:00").timeline
    assert [entry.code for entry in timeline] == ["opened", "agent_message", "met"]
    late = first([("10:05", "agent_message")], "12:00")
    assert (late.state, late.used_s, late.running) == (State.BREACHED, 65 * M, False)


def test_an_opening_among_the_events_is_told_once() -> None:
    def opened(*times: str) -> int:
        entries = run([(time, "opened") for time in times], "12:00").timeline
        return [entry.code for entry in entries].count("opened")

    assert (opened(), opened("09:00")) == (1, 1)
    assert opened("09:05") == 2  # the records do not agree, and that is seen


def test_only_the_first_answer_counts() -> None:
    events = [("09:10", "agent_message"), ("09:30", "customer_message"), ("16:00", "agent_message")]
    assert first(events, "16:30").used_s == 10 * M


def test_an_answer_in_the_evening_uses_no_time_after_closing() -> None:
    # used 09:00–09:10, then paused until 16:10: 50 min to closing time; answered at 20:00
    events = [("09:10", "pause"), ("16:10", "resume"), ("20:00", "agent_message")]
    reading = first(events, "20:00")
    assert (reading.used_s, reading.state, reading.due_at) == (60 * M, State.MET, at("17:00"))


def test_events_after_the_instant_asked_for_are_not_yet_known() -> None:
    assert first([("09:30", "agent_message")], "09:20").state is State.RUNNING


def test_a_ticket_is_opened_once() -> None:
    events = [("09:10", "agent_message"), ("09:30", "opened")]
    assert (first(events, "12:00").state, first(events, "12:00").used_s) == (State.MET, 10 * M)


# --- pauses ---------------------------------------------------------------------------------------


def test_a_pause_moves_the_due_time() -> None:
    reading = first([("09:30", "pause"), ("10:00", "resume")], "10:10")
    assert (reading.used_s, reading.paused_s, reading.due_at) == (40 * M, 30 * M, at("10:30"))


def test_while_it_lasts_nobody_knows_the_due_time() -> None:
    reading = first([("09:30", "pause")], "16:00")
    assert (reading.state, reading.running) == (State.PAUSED, False)
    assert (reading.used_s, reading.due_at, reading.next_look_at) == (30 * M, None, None)


def test_a_pause_after_the_due_time_changes_nothing() -> None:
    reading = first([("10:30", "pause")], "16:00")
    assert (reading.state, reading.running, reading.due_at) == (State.BREACHED, False, at("10:00"))


def test_a_pause_over_the_weekend_holds_business_time_only() -> None:
    # paused Friday 16:00 to Monday 10:00: 1 h + 1 h of the desk's time
    events = [("19 16:00", "pause"), ("22 10:00", "resume")]
    assert resolution(events, "22 12:00").paused_s == 120 * M


def test_a_pause_from_the_start_and_one_from_before_it() -> None:
    for when in ("09:00", "08:00"):
        reading = first([(when, "pause"), ("09:20", "resume")], "09:30")
        assert (reading.used_s, reading.due_at) == (10 * M, at("10:20"))


def test_pausing_twice_is_pausing_once() -> None:
    events = [("09:10", "pause"), ("09:20", "pause"), ("09:30", "resume"), ("09:40", "resume")]
    assert first(events, "09:50").used_s == 30 * M


def test_a_target_used_up_at_closing_is_due_though_the_ticket_is_paused_that_night() -> None:
    # 60 min from 16:00 end with the day at 17:00; the pause of 20:00 comes after them
    late = [ClockTarget(Metric.FIRST_RESPONSE, 60 * M, DESK)]
    night = [TicketEvent(at("20:00"), "pause")]
    for boundary, due in ((Boundary.CLOSE, "17:00"), (Boundary.NEXT_OPEN, "16 09:00")):
        replayed = replay(at("16:00"), late, night, at("21:00"), boundary=boundary)
        assert replayed.readings[Metric.FIRST_RESPONSE].due_at == at(due)
    # one minute is left when the pause begins: nobody knows
    before = [TicketEvent(at("16:59"), "pause")]
    replayed = replay(at("16:00"), late, before, at("21:00"), boundary=Boundary.NEXT_OPEN)
    assert replayed.readings[Metric.FIRST_RESPONSE].due_at is None


def test_a_due_time_that_ends_as_a_pause_begins() -> None:
    # the 60th minute ends at 10:00, when the pause begins: kept until 10:00, or, as the same
    # business instant, until the pause is over
    events = [TicketEvent(at("10:00"), "pause"), TicketEvent(at("11:00"), "resume")]
    for boundary, due in ((Boundary.CLOSE, "10:00"), (Boundary.NEXT_OPEN, "11:00")):
        read = replay(at("09:00"), targets(), events, at("12:00"), boundary=boundary)
        assert read.readings[Metric.FIRST_RESPONSE].due_at == at(due)


# --- next response --------------------------------------------------------------------------------


def test_no_customer_message_no_clock() -> None:
    reading = following([], "12:00")
    assert (reading.state, reading.due_at, reading.limit_s) == (State.IDLE, None, 120 * M)


def test_it_waits_from_the_first_unanswered_message() -> None:
    events = [("10:00", "customer_message"), ("11:00", "customer_message")]
    reading = following(events, "11:30")
    assert (reading.used_s, reading.due_at) == (90 * M, at("12:00"))


def test_an_answer_clears_it_and_the_worst_exchange_is_kept() -> None:
    events = [
        ("09:00", "customer_message"), ("11:30", "agent_message"),  # 150 of 120 min
        ("12:00", "customer_message"), ("12:10", "agent_message"),  # 10 min
    ]  # fmt: skip
    reading = following(events, "12:30")
    assert (reading.state, reading.running) == (State.BREACHED, False)
    assert reading.worst is not None
    assert (reading.worst.used_s, reading.worst.margin_s) == (150 * M, -30 * M)
    waiting = following([*events, ("13:00", "customer_message")], "13:30")
    assert (waiting.state, waiting.due_at) == (State.RUNNING, at("15:00"))


def test_an_answer_to_nobody_is_no_exchange() -> None:
    assert following([("10:00", "agent_message")], "12:00").worst is None


# --- resolution, reopening, cancelling ------------------------------------------------------------


def test_a_stop_ends_the_resolution_clock() -> None:
    reading = resolution([("12:00", "stop")], "16:00")
    assert (reading.state, reading.used_s, reading.due_at) == (State.MET, 180 * M, at("13:00"))
    assert resolution([("13:30", "stop")], "16:00").state is State.BREACHED


def test_a_stop_leaves_nobody_waiting_for_an_answer() -> None:
    events = [("09:30", "customer_message"), ("09:40", "stop")]
    assert first(events, "12:00").state is State.CANCELLED
    assert following(events, "12:00").state is State.CANCELLED
    # but a promise already broken stays broken
    assert first([("11:00", "stop")], "12:00").state is State.BREACHED


def test_a_stop_in_a_pause() -> None:
    events = [("09:00", "pause"), ("10:30", "resume"), ("11:00", "pause"), ("12:00", "stop")]
    reading = resolution(events, "12:00")
    assert (reading.used_s, reading.paused_s) == (30 * M, 150 * M)


def test_a_reopened_ticket_goes_on_with_its_old_clock() -> None:
    # 09:00–11:00 used; resolved until 12:00; 120 of 240 min left
    reading = resolution([("11:00", "stop"), ("12:00", "reopen")], "13:00")
    assert (reading.state, reading.used_s, reading.paused_s) == (State.RUNNING, 180 * M, 60 * M)
    assert (reading.due_at, reading.worst) == (at("14:00"), None)


def test_or_with_a_new_one() -> None:
    events = [("11:00", "stop"), ("12:00", "reopen")]
    reading = resolution(events, "13:00", reopening=Reopening.RESTART)
    assert (reading.used_s, reading.due_at, reading.started_at) == (60 * M, at("16:00"),
                                                                    at("12:00"))  # fmt: skip
    assert reading.worst is not None
    assert reading.worst.used_s == 120 * M


def test_resolved_in_a_pause_and_reopened_it_runs() -> None:
    events = [("10:00", "pause"), ("11:00", "stop"), ("12:00", "reopen")]
    assert resolution(events, "12:30").used_s == 90 * M


def test_a_reopen_of_an_open_ticket_is_nothing() -> None:
    assert resolution([("12:00", "reopen")], "12:30").used_s == 210 * M


def test_a_cancelled_ticket_has_no_verdict() -> None:
    events = [("09:30", "cancel"), ("10:30", "agent_message")]
    reading = first(events, "12:00")
    assert (reading.state, reading.used_s, reading.running) == (State.CANCELLED, 30 * M, False)


def test_a_promise_already_kept_or_broken_stays_so_when_the_ticket_is_cancelled() -> None:
    met = first([("09:10", "agent_message"), ("09:30", "cancel")], "12:00")
    assert (met.state, met.used_s, met.ended_at) == (State.MET, 10 * M, at("09:10"))
    late = first([("11:00", "agent_message"), ("11:30", "cancel")], "12:00")
    assert (late.state, late.used_s, late.ended_at) == (State.BREACHED, 120 * M, at("11:00"))


# --- what is promised changes ---------------------------------------------------------------------


def test_another_target_keeps_the_time_spent_and_the_pauses_taken() -> None:
    # 09:00–10:00 and 10:30–11:00 used = 90 min; at 11:00 the limit becomes 120 min: 30 min left
    shorter = (ClockTarget(Metric.RESOLUTION, 120 * M, DESK),)
    events = [
        TicketEvent(at("10:00"), "pause"),
        TicketEvent(at("10:30"), "resume"),
        TicketEvent(at("11:00"), "priority_changed", shorter),
    ]
    read = replay(at("09:00"), targets(), events, at("11:15"))
    reading = read.readings[Metric.RESOLUTION]
    assert (reading.used_s, reading.paused_s, reading.due_at) == (105 * M, 30 * M, at("11:30"))
    changed = [entry for entry in read.timeline if entry.code == "target_changed"]
    assert changed[0].parameters == {"limit_s": 120 * M, "spent_s": 90 * M}
    # first response is no longer promised
    assert read.readings[Metric.FIRST_RESPONSE].state is State.IDLE


def test_another_calendar_counts_the_time_spent_again() -> None:
    # Friday 16:00 to Saturday 00:00: 1 h of the desk's, 8 h around the clock
    around = (ClockTarget(Metric.RESOLUTION, 600 * M, ALWAYS),)
    events = [TicketEvent(at("20 00:00"), "service_changed", around)]
    read = replay(at("19 16:00"), targets(), events, at("20 01:00"))
    reading = read.readings[Metric.RESOLUTION]
    assert (reading.used_s, reading.due_at) == (540 * M, at("20 02:00"))


def test_a_verdict_once_given_stays() -> None:
    harder = (ClockTarget(Metric.FIRST_RESPONSE, 5 * M, DESK),)
    events = [
        TicketEvent(at("09:30"), "agent_message"),
        TicketEvent(at("10:00"), "priority_changed", harder),
    ]
    reading = replay(at("09:00"), targets(), events, at("11:00")).readings[Metric.FIRST_RESPONSE]
    assert (reading.state, reading.limit_s, reading.used_s) == (State.MET, 60 * M, 30 * M)


def test_without_an_agreement_nothing_is_promised() -> None:
    read = run([("09:30", "sla_removed")], "12:00")
    assert {reading.state for reading in read.readings.values()} == {State.IDLE}
    assert read.next_look_at is None


# --- the ticket as a whole ------------------------------------------------------------------------


def test_the_ticket_s_next_look_is_the_earliest_of_its_clocks() -> None:
    # first response answered; resolution reaches 50 % of 240 min at 11:00
    assert run([("09:30", "agent_message")], "10:00").next_look_at == at("11:00")


def test_unknown_events_move_nothing_and_are_noted() -> None:
    read = run([("09:30", "tag_added")], "09:45")
    assert read.readings[Metric.FIRST_RESPONSE].used_s == 45 * M
    assert [(e.code, e.parameters) for e in read.timeline][1] == ("ignored", {"kind": "tag_added"})


def test_the_order_of_the_events_does_not_matter() -> None:
    events = [("09:10", "pause"), ("09:20", "resume"), ("09:30", "agent_message")]
    assert first(events, "10:00") == first(events[::-1], "10:00")


def test_instants_of_one_zone_are_ordered_by_time_not_by_reading() -> None:
    from zoneinfo import ZoneInfo

    # Berlin 2024-10-27: 02:50 comes before the second 02:10, twenty minutes later
    zone = ZoneInfo("Europe/Berlin")
    opened = datetime(2024, 10, 27, 2, 50, tzinfo=zone)
    answered = datetime(2024, 10, 27, 2, 10, tzinfo=zone, fold=1)
    promise = ClockTarget(Metric.FIRST_RESPONSE, 60 * M, ALWAYS)
    read = replay(opened, [promise], [TicketEvent(answered, "agent_message")], answered)
    reading = read.readings[Metric.FIRST_RESPONSE]
    assert (reading.state, reading.used_s) == (State.MET, 20 * M)


def test_a_limit_of_nothing_and_a_local_time_are_refused() -> None:
    with pytest.raises(InputError, match="above 0"):
        ClockTarget(Metric.RESOLUTION, 0, DESK)
    with pytest.raises(InputError, match="offset"):
        TicketEvent(datetime(2024, 1, 15), "stop")


def test_every_line_of_a_timeline_has_words_in_both_languages() -> None:
    events = [
        ("09:10", "customer_message"), ("09:20", "pause"), ("09:30", "resume"),
        ("10:30", "agent_message"), ("10:40", "tag_added"), ("11:00", "stop"), ("11:10", "reopen"),
        ("11:20", "customer_message"), ("16:00", "pause"), ("16:30", "cancel"),
    ]  # fmt: skip
    timeline = run(events, "16:45").timeline
    assert [entry.at for entry in timeline] == sorted(entry.at for entry in timeline)
    english = [text_of(entry, "en") for entry in timeline]
    assert "first response late: 1:20:00 of 1:00:00" in english
    assert "next response within the target: 1:10:00 of 2:00:00" in english
    assert "resolution: time ran out" in english
    chinese = [text_of(entry, "zh") for entry in timeline]
    assert "首次响应超时：用时 1:20:00，目标 1:00:00" in chinese
    assert set(METRICS) == set(Metric)
    assert set(TEXTS) >= KINDS | {entry.code for entry in timeline}
