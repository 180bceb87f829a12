"""Proposals on the live desk: whom, why, and the next best."""

from __future__ import annotations

import pytest

from wfm.dispatch.live import Proposer, next_for, recommend
from wfm.dispatch.model import EXPERT, ORDINARY, SECOND, Agent, DeskState, Seat, Ticket
from wfm.dispatch.policy import Deadline, Fifo


def ticket(name, opened=0, within=60, skill="x", **more):
    return Ticket(name, opened * SECOND, (opened + within) * SECOND, skill, **more)


def seat(name, grade=ORDINARY, skills=None, since=0, in_hand=0, capacity=1):
    return Seat(Agent(name, grade, skills or {"x": 3}, capacity), in_hand, since * SECOND)


def codes(proposal):
    return [reason.code for reason in proposal.why]


def test_the_stages_tell_how_many_were_left_after_each():
    desk = DeskState(
        [
            seat("busy", in_hand=1),
            seat("other-skill", skills={"y": 3}),
            seat("accused"),
            seat("late-comer", since=9),
            seat("idle", since=1),
        ],
        [],
    )
    proposal = recommend(Fifo(), ticket("t", not_by=frozenset({"accused"})), desk, 10 * SECOND)
    assert proposal.agent_id == "idle"
    assert proposal.next_best == ("late-comer",)
    assert [(r.code, r.numbers.get("n")) for r in proposal.why] == [
        ("on_duty", 5),
        ("able", 4),
        ("no_conflict", 3),
        ("free", 2),
        ("longest_idle", None),
    ]
    assert [r.text("en") for r in proposal.why][3:] == [
        "2 with room for one more",
        "idle for longest",
    ]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (seat("b", EXPERT), "lowest_tier"),
        (seat("b", skills={"x": 3, "y": 3}), "fewest_skills"),
        (seat("b", in_hand=1, capacity=2), "least_in_hand"),
        (seat("b", since=5), "longest_idle"),
    ],
)
def test_the_reason_names_what_set_the_chosen_apart(second, why):
    proposal = recommend(Deadline(), ticket("t"), DeskState([second, seat("c")], []), 10 * SECOND)
    assert (proposal.agent_id, proposal.next_best, codes(proposal)[-1]) == ("c", ("b",), why)


def test_the_reason_does_not_depend_on_how_many_runners_up_are_named():
    desk = DeskState([seat("a"), seat("b", since=5)], [])
    proposal = recommend(Fifo(), ticket("t"), desk, 10 * SECOND, runners_up=0)
    assert (proposal.agent_id, proposal.next_best) == ("a", ())
    assert codes(proposal)[-1] == "longest_idle"


def test_nobody_to_propose():
    busy = DeskState([seat("a", in_hand=1)], [])
    away = DeskState([seat("a", skills={"y": 3})], [])
    assert recommend(Fifo(), ticket("t"), busy, 0).agent_id is None
    assert codes(recommend(Fifo(), ticket("t"), busy, 0))[-1] == "nobody_free"
    assert codes(recommend(Fifo(), ticket("t"), away, 0))[-1] == "nobody_on_duty"


def kept_desk(*waiting):
    seats = [seat("e", EXPERT, {"x": 3, "y": 3}), seat("o", in_hand=1)]
    return DeskState(seats, waiting, frozenset({("y", EXPERT)}))


def test_the_last_expert_is_kept_until_half_of_the_promise_is_left():
    calm = ticket("calm", 0, 1200)
    for proposal in (
        recommend(Deadline(), calm, kept_desk(calm), SECOND),
        next_for(Deadline(), "e", kept_desk(calm), SECOND),
    ):
        assert codes(proposal)[-1] == "expert_kept"
        assert proposal.kept_until == 600 * SECOND
        assert None in (proposal.agent_id, proposal.ticket_id)
    assert recommend(Deadline(), calm, kept_desk(calm), 600 * SECOND).agent_id == "e"
    assert next_for(Deadline(), "e", kept_desk(calm), 600 * SECOND).ticket_id == "calm"
    assert recommend(Deadline(), calm, kept_desk(calm, ticket("u")), SECOND).agent_id == "e"


def test_the_next_ticket_for_an_agent_and_those_after_it():
    waiting = [
        ticket("far", 0, 900),
        ticket("near", 50, 60),
        ticket("late", 10, 20),
        ticket("not-hers", 0, 5, skill="y"),
    ]
    proposal = next_for(Deadline(), "a", DeskState([seat("a")], waiting), 100 * SECOND)
    assert proposal.ticket_id == "near"
    assert proposal.next_best == ("far", "late")
    assert [(r.code, r.numbers.get("n")) for r in proposal.why] == [
        ("waiting", 4),
        ("within_reach", 3),
        ("earliest_due", None),
    ]


def test_the_last_free_agent_is_not_given_a_late_caller_for_a_while():
    late = ticket("late", 0, 60)
    busy = [seat(f"b{i}", in_hand=1) for i in range(3)]
    desk = DeskState([seat("a"), *busy], [late])
    # four may take it, due at 60 s, so kept until 60 + 600
    for proposal in (
        next_for(Deadline(), "a", desk, 61 * SECOND), recommend(Deadline(), late, desk, 61 * SECOND)
    ):  # fmt: skip
        assert (codes(proposal)[-1], proposal.kept_until) == ("agent_kept", 660 * SECOND)
    assert next_for(Deadline(), "a", desk, 660 * SECOND).ticket_id == "late"
    # with three it is not, nor with another free who may take it; one of other skills is no help
    three = DeskState([seat("a"), *busy[:2]], [late])
    assert next_for(Deadline(), "a", three, 61 * SECOND).ticket_id == "late"
    two_free = DeskState([seat("a"), seat("c"), *busy], [late])
    assert next_for(Deadline(), "a", two_free, 61 * SECOND).ticket_id == "late"
    # of six who may take it two stay free
    six = [seat("d"), *busy, seat("b4", in_hand=1)]
    held = next_for(Deadline(), "a", DeskState([seat("a"), *six], [late]), 61 * SECOND)
    assert codes(held)[-1] == "agent_kept"
    more = DeskState([seat("a"), seat("e"), *six[:-1]], [late])
    assert next_for(Deadline(), "a", more, 61 * SECOND).ticket_id == "late"
    other = DeskState([seat("a"), seat("o", skills={"y": 3}), *busy], [late])
    assert next_for(Deadline(), "a", other, 61 * SECOND).ticket_id is None


def test_what_there_is_no_room_for_is_passed_over():
    heavy, light = ticket("heavy", 0, 60, weight=2), ticket("light", 0, 90)
    half = DeskState([seat("a", in_hand=1, capacity=2)], [heavy, light])
    assert next_for(Deadline(), "a", half, SECOND).ticket_id == "light"
    only = DeskState([seat("a", in_hand=1, capacity=2)], [heavy])
    assert codes(next_for(Deadline(), "a", only, SECOND))[-1] == "no_room"
    assert next_for(Deadline(), "a", DeskState([seat("a")], [heavy]), SECOND).ticket_id == "heavy"


def test_each_of_many_proposals_knows_what_was_given_before_it():
    # a and b are alike and idle since 0 and 1; both have two hands
    desk = DeskState([seat("a", capacity=2), seat("b", since=1, capacity=2)], [])
    proposer = Proposer(Fifo(), desk, 10 * SECOND)
    given = []
    for number in range(5):
        one = ticket(f"t{number}")
        proposal = proposer.propose(one)
        given.append(proposal.agent_id)
        if proposal.agent_id is not None:
            proposer.give(one, proposal.agent_id)
    # the longest idle, then the other, who holds less; then by name, alike since 10; none is left
    assert given == ["a", "b", "a", "b", None]
    # a heavy one fits only where both hands are empty
    proposer = Proposer(Fifo(), desk, 10 * SECOND)
    proposer.give(ticket("t"), "a")
    assert proposer.propose(ticket("heavy", weight=2)).agent_id == "b"
    proposer.give(ticket("t"), "b")
    assert codes(proposer.propose(ticket("heavy", weight=2)))[-1] == "nobody_free"


def test_no_ticket_for_an_agent():
    full = DeskState([seat("a", in_hand=1)], [ticket("t")])
    assert codes(next_for(Fifo(), "a", full, 0))[-1] == "no_room"
    assert codes(next_for(Fifo(), "a", DeskState([seat("a")], []), 0))[-1] == "nothing_waits"
    with pytest.raises(ValueError, match="b is not on duty"):
        next_for(Fifo(), "b", full, 0)
