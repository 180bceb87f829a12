"""Expected starts of what waits, on desks small enough to reckon by hand."""

from __future__ import annotations

from wfm.dispatch.ahead import look_ahead, slots
from wfm.dispatch.model import SECOND, SENIOR, Agent, DeskState, Seat, Ticket
from wfm.dispatch.policy import Deadline

MEAN = 100 * SECOND


def ticket(name: str, due: int, skill: str = "x", **more: object) -> Ticket:
    return Ticket(name, 0, due * SECOND, skill, **more)


def seat(name: str, in_hand: int = 0, skills: str = "x", leaves: int | None = None, **more: object):
    agent = Agent(name, skills=dict.fromkeys(skills, 3), **more)
    return Seat(agent, in_hand, 0, None if leaves is None else leaves * SECOND)


def ahead(seats, waiting):
    said = look_ahead(Deadline(), DeskState(seats, waiting), 0, {"x": MEAN, "y": MEAN}, MEAN)
    return {
        one.ticket_id: (one.agent_id, None if one.start is None else one.start // SECOND,
                        one.at_risk)
        for one in said
    }  # fmt: skip


def test_slots_of_free_busy_and_leaving_hands():
    assert [at // SECOND for at in slots(seat("a"), 0, MEAN, 3)] == [0, 100, 200]
    assert [at // SECOND for at in slots(seat("a", in_hand=1), 0, MEAN, 2)] == [100, 200]
    # two in hand of two: the first is done after half of the mean
    two = seat("a", in_hand=2, capacity=2)
    assert [at // SECOND for at in slots(two, 0, MEAN, 4)] == [50, 100, 150, 200]
    assert [at // SECOND for at in slots(seat("a", leaves=150), 0, MEAN, 6)] == [0, 100]


def test_work_of_no_length_takes_a_second():
    assert [at // SECOND for at in slots(seat("a"), 0, 0, 3)] == [0, 1, 2]


def test_a_start_at_the_due_instant_is_no_risk():
    # one in hand until 100
    assert ahead([seat("a", in_hand=1)], [ticket("just", 100)]) == {"just": ("a", 100, False)}
    assert ahead([seat("a", in_hand=1)], [ticket("late", 99)]) == {"late": ("a", 100, True)}


def test_promises_are_kept_where_they_can_be_and_the_rest_is_at_risk():
    # one agent, free now, at 100, at 200: the one due at 30 goes first, then 150; 40 is lost
    said = ahead([seat("a")], [ticket("soon", 30), ticket("lost", 40), ticket("later", 150)])
    assert said == {
        "soon": ("a", 0, False), "later": ("a", 100, False), "lost": ("a", 200, True),
    }  # fmt: skip


def test_nobody_is_expected_to_take_what_she_may_not():
    said = ahead([seat("a", skills="y")], [ticket("t", 500), ticket("u", 500, "y")])
    assert said == {"u": ("a", 0, False), "t": (None, None, True)}
    assert ahead([], [ticket("t", 500)]) == {"t": (None, None, True)}


def test_an_overflow_is_proposed_only_for_what_is_at_risk():
    seats = [seat("senior", in_hand=1, grade=SENIOR), seat("free")]
    hard = ticket("hard", 50, tier=SENIOR)
    calm = ticket("calm", 400, tier=SENIOR)
    said = look_ahead(Deadline(), DeskState(seats, [hard, calm]), 0, {"x": MEAN}, MEAN)
    assert {one.ticket_id: one.overflow for one in said} == {"hard": "free", "calm": None}
    barred = ticket("hard", 50, tier=SENIOR, not_by=frozenset({"free"}))
    (one,) = look_ahead(Deadline(), DeskState(seats, [barred]), 0, {"x": MEAN}, MEAN)
    assert one.overflow is None
