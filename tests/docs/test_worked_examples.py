"""Worked examples of the documents on dispatch and service levels, reckoned by the code.

Each test quotes what the document says of its example, so that neither changes without the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wfm.dispatch.ahead import look_ahead
from wfm.dispatch.live import in_order
from wfm.dispatch.model import EXPERT, SECOND, Agent, DeskState, Seat, Ticket
from wfm.dispatch.policy import URGENT, Deadline, Fifo, Policy, Ring, rank, widened
from wfm.dispatch.replay import Duty, Trace, run
from wfm.dispatch.report import Share, report
from wfm.services import agreement_people, what_if
from wfm.sla.agreements import Agreement, AgreementKind, Parallel, Series, Support, Target, feasible
from wfm.sla.business_time import Boundary, BusinessTime
from wfm.sla.clocks import Reading, State, replay
from wfm.sla.reading import calendar_from_dict
from wfm.sla.tickets import ClockTarget, Metric, TicketEvent
from wfm.sla.wording import lint

DOCS = Path(__file__).parents[2] / "docs"
DISPATCH = (DOCS / "dispatch.md").read_text("utf-8")
LEVELS = (DOCS / "service-levels.md").read_text("utf-8")


def clock(text: str) -> int:
    """Microseconds since midnight."""
    hours, minutes, seconds = (int(part) for part in f"{text}:00".split(":")[:3])
    return (hours * 3600 + minutes * 60 + seconds) * SECOND


def shown(at: int | None) -> str | None:
    return None if at is None else str(timedelta(seconds=at // SECOND)).zfill(8)


# -- dispatch --------------------------------------------------------------------------------------

Call = tuple[Ticket, int]


def call(name: str, came: str, within_s: int, handle_s: int = 600, **more: object) -> Call:
    opened = clock(came)
    one = Ticket(name, opened, opened + within_s * SECOND, **more)  # type: ignore[arg-type]
    return one, handle_s * SECOND


def busy(agent: str, until: str) -> Call:
    """Work that only this agent may do, in hand since 08:00."""
    begun = clock("08:00")
    one = Ticket(f"busy-{agent}", begun, begun, agent)
    return one, clock(until) - begun


def desk(*names: str, **more: object) -> list[Agent]:
    """Agents with a skill of their own, so that they can be busy, and that of calls."""
    return [Agent(name, skills={name: 3, "call": 3}, **more) for name in names]  # type: ignore[arg-type]


def starts(
    calls: list[Call], agents: list[Agent], policy: Policy | None = None, kinds: object = None
) -> dict[str, tuple[str | None, str | None]]:
    """Ticket → agent and start."""
    tickets, handle = zip(*calls, strict=True)
    duties = [Duty(agent.agent_id, clock("08:00"), clock("20:00")) for agent in agents]
    done = run(Trace(tickets, handle, [None] * len(calls)), agents, duties, policy or Deadline(),
               kinds)  # type: ignore[arg-type]  # fmt: skip
    return {d.ticket.ticket_id: (d.agent_id, shown(d.start)) for d in done}


def test_rings_of_a_ticket() -> None:
    assert "it goes to proficiency 3 only for 250 s, to 2 as well until 500 s" in DISPATCH
    policy = Deadline(rings=[Ring(0.75, 2), Ring(0.5, 1)])
    ticket = Ticket("t", 0, 1000 * SECOND, "x", proficiency=3)
    wanted = [widened(policy, ticket, s * SECOND).proficiency for s in (249, 250, 499, 500)]
    assert wanted == [3, 2, 2, 1]


@pytest.mark.parametrize(("on_duty", "order"), [(3, "DBAC"), (2, "DCBA"), (5, "BADC")])
def test_the_order_of_four_calls(on_duty: int, order: str) -> None:
    assert ", ".join(order) in DISPATCH
    due = {"A": "09:22", "B": "09:21", "C": "09:10", "D": "09:04"}
    waiting = [
        Ticket(name, clock(at) - (120 if name == "A" else 60) * SECOND, clock(at))
        for name, at in due.items()
    ]
    seats = [Seat(Agent(f"a{n}"), 1, 0) for n in range(on_duty)]
    found = in_order(Deadline(), DeskState(seats, waiting), clock("09:20"))
    assert "".join(ticket.ticket_id for ticket in found) == order


def test_a_long_promise_that_is_late() -> None:
    assert "behind those still winnable until 17:00 and before everything after" in DISPATCH
    ticket = Ticket("t", clock("09:00"), clock("13:00"))
    fresh = Ticket("f", clock("16:59"), clock("17:59"))
    for now, first in (("17:00:00", fresh), ("17:00:01", ticket)):
        ranks = {one.ticket_id: rank(Deadline(), one, clock(now), 3) for one in (ticket, fresh)}
        assert min(ranks, key=ranks.__getitem__) == first.ticket_id
    assert rank(Deadline(), ticket, clock("17:00:01"), 3)[0] == URGENT


EXPERT_AND_OTTO = [
    Agent("expert", EXPERT, {"call": 3}), Agent("otto", skills={"call": 3, "otto": 3}),
]  # fmt: skip
CALM = call("calm", "09:00:10", 1200, skill="call")


@pytest.mark.parametrize("within_s", [600, 1200])  # due before the first, and after it
def test_the_last_expert(within_s: int) -> None:
    assert "She is kept until 09:10:10 at the latest." in DISPATCH
    assert shown(Deadline().kept_until(CALM[0])) == "09:10:10"
    hard = call("hard", "09:00:50", within_s, skill="call", tier=EXPERT)
    calls = [busy("otto", "09:03:20"), CALM, hard]
    found = starts(calls, EXPERT_AND_OTTO)
    assert (found["hard"], found["calm"]) == (("expert", "09:00:50"), ("otto", "09:03:20"))
    assert starts(calls, EXPERT_AND_OTTO, Fifo())["calm"] == ("expert", "09:00:10")


def test_the_last_expert_with_two_tickets_for_anybody() -> None:
    assert "at 09:00:50 she would take the first, and at 09:03:20 Otto the other" in DISPATCH
    second = call("second", "09:00:50", 1200, skill="call")
    kinds = {("call", 1), ("call", EXPERT), ("otto", 1)}
    for handle_s in (60, 900):  # whether or not she is done before him
        calls = [busy("otto", "09:03:20"), (CALM[0], handle_s * SECOND), second]
        found = starts(calls, EXPERT_AND_OTTO, kinds=kinds)
        assert (found["calm"], found["second"]) == (("expert", "09:00:50"), ("otto", "09:03:20"))


def test_the_last_free_agent() -> None:
    assert "At 10:00:20 another caller comes and is answered at once, in time." in DISPATCH
    agents = desk("a", "b", "c", "d")
    calls = [
        busy("a", "10:00:00"), busy("b", "10:00:40"), busy("c", "10:00:50"), busy("d", "11:00:00"),
        call("late", "09:58:00", 60, skill="call"), call("next", "10:00:20", 60, skill="call"),
    ]  # fmt: skip
    found = starts(calls, agents, kinds={("call", 1)})
    assert found["next"] == ("a", "10:00:20")
    assert found["late"][1] == "10:00:50"  # then two are free, and one stays so
    assert "Were six on duty, two would have to stay free." in DISPATCH
    more = [*calls, busy("e", "11:00:00"), busy("f", "11:00:00")]
    found = starts(more, [*agents, *desk("e", "f")], kinds={("call", 1)})
    assert found["late"][1] == "10:09:00"  # late by 600 s


@pytest.mark.parametrize(
    ("ben_until", "taken"), [("10:00:40", ("ben", "10:00:40")), ("10:30:00", ("ann", "10:01:00"))]
)
def test_the_only_one_who_speaks_spanish(ben_until: str, taken: tuple[str, str]) -> None:
    assert "Had nobody become free, Ann would have taken it at 10:01:00, still in time." in DISPATCH
    ann = Agent("ann", skills={"call": 3, "spanish": 3})
    agents = [ann, *desk("ben", "c", "d", "e")]
    calls = [busy("ben", ben_until), *(busy(name, "11:00:00") for name in "cde"),
             call("enquiry", "10:00:00", 60, skill="call")]  # fmt: skip
    found = starts(calls, agents, kinds={("call", 1), ("spanish", 1)})
    assert found["enquiry"] == taken


def test_the_end_of_a_duty() -> None:
    assert "Utilisation is 30 s of 600 s, 5 %; overrun 90 s." in DISPATCH
    (one, handle), (two, _) = call("T1", "09:09:30", 60, 120), call("T2", "09:09:40", 60)
    agents, duties = [Agent("a")], [Duty("a", clock("09:00"), clock("09:10"))]
    done = run(Trace([one, two], [handle, handle], [None, None]), agents, duties, Fifo())
    assert [(shown(d.end), d.turn) for d in done] == [
        ("09:11:30", "on_arrival"), (None, "duties_ended"),
    ]  # fmt: skip
    told = report(done, agents, duties)
    assert (told.utilisation, told.overrun_s) == (0.05, 90)


def test_a_look_ahead() -> None:
    assert "the second is lost either way and is shown at risk, at 200 s" in DISPATCH
    waiting = [Ticket(f"t{due}", 0, due * SECOND, "x") for due in (30, 40, 150)]
    state = DeskState([Seat(Agent("a"), 0, 0)], waiting)
    said = look_ahead(Deadline(), state, 0, {}, 100 * SECOND)
    assert {(one.ticket_id, one.start, one.at_risk) for one in said} == {
        ("t30", 0, False), ("t150", 100 * SECOND, False), ("t40", 200 * SECOND, True),
    }  # fmt: skip


def test_half_hours_of_a_draft() -> None:
    assert "Wilson's interval is 30 to 70 %" in DISPATCH
    assert "the interval reaches 96 %" in DISPATCH
    assert Share(20, 20, 10).interval == pytest.approx((0.30, 0.70), abs=0.005)
    assert (Share(5, 5, 4).interval or (0, 0))[1] == pytest.approx(0.96, abs=0.005)


def test_three_days_prove_nothing() -> None:
    assert "times 4.30 the interval is −38 … +105" in DISPATCH
    row = what_if._row("share", "all", [(0.5, 1.0), (0.5, 1.0), (1.0, 1.0)])
    assert row.difference == pytest.approx(0.333, abs=0.001)
    assert (row.low, row.high) == pytest.approx((-0.38, 1.05), abs=0.005)


# -- service levels --------------------------------------------------------------------------------

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")


def times(days: tuple[str, ...], opens: str, closes: str, zone: str = "UTC") -> BusinessTime:
    return BusinessTime(
        calendar_from_dict({"timezone": zone} | {day: [[opens, closes]] for day in days})
    )


OFFICE, ALWAYS = times(WORKDAYS, "09:00", "17:00"), times(EVERY_DAY, "00:00", "24:00")
WEEK = dict(zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), range(12, 19), strict=True))
H = 3600


def at(text: str) -> datetime:
    """``Mon 09:00`` of a week in January 2026; ``+Mon`` of the next."""
    day, time = text.split()
    first = datetime.fromisoformat(f"2026-01-{WEEK[day[-3:]]}T{time}:00+00:00")
    return first + timedelta(days=7 if day[0] == "+" else 0)


@pytest.mark.parametrize(
    ("said", "found", "expected"),
    [
        ("Friday 16:00 + 2 h | Monday 10:00", OFFICE.add(at("Fri 16:00"), 2 * H), "+Mon 10:00"),
        ("Monday 16:00 + 1 h | Monday 17:00", OFFICE.add(at("Mon 16:00"), H), "Mon 17:00"),
        ("or Tuesday 09:00 (`next_open`)",
         OFFICE.add(at("Mon 16:00"), H, Boundary.NEXT_OPEN), "Tue 09:00"),
        ("Saturday 10:00 + 0 | Monday 09:00", OFFICE.add(at("Sat 10:00"), 0), "+Mon 09:00"),
        ("Tuesday 10:00 − 2 h | Monday 16:00", OFFICE.add(at("Tue 10:00"), -2 * H), "Mon 16:00"),
        ("Friday 12:00 + 2 business days | Tuesday 12:00",
         OFFICE.add_days(at("Fri 12:00"), 2), "+Tue 12:00"),
        ("Friday 18:00 + 1 business day | Tuesday 09:00",
         OFFICE.add_days(at("Fri 18:00"), 1), "+Tue 09:00"),
        ("Saturday 12:00 + 1 business day | Tuesday 09:00",
         OFFICE.add_days(at("Sat 12:00"), 1), "+Tue 09:00"),
        ("Tuesday 18:00 − 1 business day | Monday 17:00",
         OFFICE.add_days(at("Tue 18:00"), -1), "Mon 17:00"),
    ],
)  # fmt: skip
def test_adding(said: str, found: datetime, expected: str) -> None:
    assert said in LEVELS
    assert found == at(expected)


def test_measuring() -> None:
    assert "Friday 16:00 to Monday 09:30 | 1 h 30 min; the other way round −1 h 30 min" in LEVELS
    friday, monday = at("Fri 16:00"), at("+Mon 09:30")
    assert (OFFICE.elapsed(friday, monday), OFFICE.elapsed(monday, friday)) == (5400, -5400)


def test_spans_over_midnight_and_clock_changes() -> None:
    for said in (
        "`22:00`–`06:00` is 8 h",
        "`00:00`–`00:00` is 24 h",
        "00:00–06:00 has 5 h",
        "one that opens at 02:30 opens at 03:30",
        "00:00–06:00 has 7 h, and an hour on from the first 02:00 it is 02:00 again",
    ):
        assert said in LEVELS.replace("a desk open ", "").replace("\n", " "), said  # fmt: skip
    for opens, closes, hours in (("22:00", "06:00", 8), ("00:00", "00:00", 24)):
        night = times(("tue",), opens, closes)
        assert night.elapsed(at("Mon 00:00"), at("Sun 00:00")) == hours * H
    berlin = times(EVERY_DAY, "00:00", "06:00", "Europe/Berlin")
    for day, offset, hours in (("2024-03-31", "+01:00", 5), ("2024-10-27", "+02:00", 7)):
        midnight = datetime.fromisoformat(f"{day}T00:00{offset}")
        assert berlin.elapsed(midnight, midnight + timedelta(hours=12)) == hours * H
    half_past = times(EVERY_DAY, "02:30", "06:00", "Europe/Berlin")
    opened = half_past.next_opening(datetime.fromisoformat("2024-03-31T00:00+01:00"))
    assert opened == datetime.fromisoformat("2024-03-31T03:30+02:00")
    first_two = datetime.fromisoformat("2024-10-27T02:00+02:00")
    assert berlin.add(first_two, H) == datetime.fromisoformat("2024-10-27T02:00+01:00")


def reading(events: list[tuple[str, str]], now: str, metric: Metric, limit_min: int) -> Reading:
    targets = [ClockTarget(metric, limit_min * 60, OFFICE)]
    happened = [TicketEvent(at(f"Mon {when}"), kind) for when, kind in events]
    found = replay(at("Mon 09:00"), targets, happened, at(f"Mon {now}"))
    return found.readings[metric]


def test_a_paused_clock() -> None:
    assert "at 10:10, 40 min are\nused (67 %), it is due at 10:30, and the next look" in LEVELS
    pause = [("09:30", "pause"), ("10:00", "resume")]
    seen = reading(pause, "10:10", Metric.FIRST_RESPONSE, 60)
    assert (seen.used_s, seen.due_at, seen.next_look_at) == (
        40 * 60, at("Mon 10:30"), at("Mon 10:15"),
    )  # fmt: skip
    assert reading(pause[:1], "09:50", Metric.FIRST_RESPONSE, 60).due_at is None
    for answered, state in (("10:30:00", State.MET), ("10:30:01", State.BREACHED)):
        events = [TicketEvent(at(f"Mon {when}"), kind) for when, kind in pause]
        moment = datetime.fromisoformat(f"2026-01-12T{answered}").replace(tzinfo=UTC)
        events.append(TicketEvent(moment, "agent_message"))
        targets = [ClockTarget(Metric.FIRST_RESPONSE, 3600, OFFICE)]
        found = replay(at("Mon 09:00"), targets, events, at("Mon 12:00"))
        assert found.readings[Metric.FIRST_RESPONSE].state == state


def test_changed_targets_keep_time_and_pauses() -> None:
    assert "120 min: 90 are spent, it is due at 11:30" in LEVELS
    events = [
        TicketEvent(at("Mon 10:00"), "pause"), TicketEvent(at("Mon 10:30"), "resume"),
        TicketEvent(at("Mon 11:00"), "change",
                    targets=(ClockTarget(Metric.RESOLUTION, 7200, OFFICE),)),
    ]  # fmt: skip
    targets = [ClockTarget(Metric.RESOLUTION, 4 * H, OFFICE)]
    seen = replay(at("Mon 09:00"), targets, events, at("Mon 11:00")).readings[Metric.RESOLUTION]
    assert (seen.used_s, seen.due_at) == (90 * 60, at("Mon 11:30"))


def promise(
    name: str, kind: str, hours: float, supports: Support | None = None, calendar: str = "24×7"
) -> Agreement:
    target = Target(Metric.RESOLUTION, hours, "hour", calendar, "events")
    return Agreement(name, AgreementKind(kind), 1, "s", (target,), supports)


def ola_and_uc(hours: float) -> tuple[Agreement, Agreement]:
    return promise("ola", "ola", hours), promise("uc", "uc", 2)


@pytest.mark.parametrize(
    ("said", "hours", "supports", "late_h"),
    [
        ("| 2 h | UC 4 h | refused: 2 h late", 2, promise("supplier", "uc", 4), 2),
        ("| 4 h | OLA 1 h, then UC 2 h | borne, 1 h", 4, Series(ola_and_uc(1)), -1),
        ("| 4 h | OLA 2.5 h, then UC 2 h | refused: 30 min", 4, Series(ola_and_uc(2.5)), 0.5),
        ("| 4 h | OLA 2.5 h and UC 2 h at once | borne, 1 h 30", 4, Parallel(ola_and_uc(2.5)),
         -1.5),
        # from Friday 13:00 until Monday 09:00 are 68 h, 64 more than promised
        ("from Friday 13:00 it takes until Monday 09:00", 4,
         promise("uc", "uc", 4, calendar="office"), 64),
    ],
)  # fmt: skip
def test_what_stands_beneath_a_promise(
    said: str, hours: float, supports: Support, late_h: float
) -> None:
    assert said in LEVELS
    calendars = {"24×7": ALWAYS, "office": OFFICE}
    whole = promise("sla", "sla", hours, supports)
    found = feasible(whole, Metric.RESOLUTION, calendars, datetime(2026, 1, 1, tzinfo=UTC))
    assert found is not None
    assert found.late_s == late_h * H


def test_people_who_resolve() -> None:
    assert "e⁻² · (1 + 2/3) = 22.6 %" in LEVELS
    assert agreement_people.late_share(1.0, 2, 2.0) == pytest.approx(0.226, abs=0.0005)


def test_words_that_cannot_be_measured() -> None:
    assert "(尽快, 及时, as soon as possible,\nbest efforts, approximately …)" in LEVELS
    for phrase in ("尽快", "及时", "as soon as possible", "best efforts", "approximately"):
        assert [one.phrase for one in lint("targets", phrase)] == [phrase]
    assert lint("targets", "及时率 95 %，满意度 4 分") == []
