"""What must hold in every replay, and that the live desk decides what the replay decided."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfm.dispatch.live import has_room, in_order, recommend
from wfm.dispatch.model import EXPERT, SECOND, Agent, DeskState, Seat, Ticket, may_take
from wfm.dispatch.policy import POLICIES, Deadline, Ring, widened
from wfm.dispatch.replay import Decision, Duty, Trace, joined, run

SKILLS = ("x", "y")


@st.composite
def worlds(draw):
    """A small crowded desk; few distinct instants, so that many things happen at once."""
    small = st.integers(0, 60)
    agents = [
        Agent(
            f"a{i}",
            draw(st.integers(1, 3)),
            draw(st.sampled_from([None, {"x": 1}, {"y": 2}, {"x": 3, "y": 1}])),
            draw(st.sampled_from([1, 1, 1, 2])),
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    duties = []
    for agent in agents:
        cuts = sorted(draw(st.sets(small, max_size=4)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            duties.append(Duty(agent.agent_id, start * SECOND, end * SECOND))
    tickets, handle, patience = [], [], []
    for i in range(draw(st.integers(0, 14))):
        opened = draw(small)
        tickets.append(
            Ticket(
                f"t{i:02}",
                opened * SECOND,
                (opened + draw(st.sampled_from([0, 10, 40]))) * SECOND,
                draw(st.sampled_from(["", *SKILLS])),
                draw(st.sampled_from([1, 1, 2, 3])),
                draw(st.integers(1, 3)),
                proficiency=draw(st.sampled_from([1, 1, 4])),
                weight=draw(st.sampled_from([1, 1, 2])),
                not_by=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"a0"})])),
            )
        )
        handle.append(draw(st.integers(0, 25)) * SECOND)
        patience.append(draw(st.none() | st.integers(0, 30).map(lambda s: s * SECOND)))
    return Trace(tickets, handle, patience), agents, duties


def policies():
    # keeping starts at once in these tiny worlds, the cap is near, and rings open
    eager = Deadline(
        cap_s=8, cap_per_agent_s=4, keep_share=0.3, keep_least_s=2,
        hold_s=5, hold_from=2, hold_promise_s=20, cap_promises=0.5,
        rings=[Ring(0.5, proficiency=2), Ring(0.2, 2, tiers_below=1)],
    )  # fmt: skip
    return st.sampled_from([*(make() for make in POLICIES.values()), eager])


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_what_no_policy_may_break(world, policy):
    trace, agents, duties = world
    people = {agent.agent_id: agent for agent in agents}
    spans = joined(duties)
    decisions = run(trace, agents, duties, policy)
    assert [d.ticket for d in decisions] == list(trace.tickets)
    for d, handle, patience in zip(decisions, trace.handle, trace.patience, strict=True):
        if d.agent_id is None:
            assert (d.start, d.end, d.wait, d.met) == (None, None, None, False)
            continue
        assert d.start >= d.ticket.opened_at
        assert d.end == d.start + handle
        assert any(low <= d.start < high for low, high in spans[d.agent_id])
        assert may_take(people[d.agent_id], widened(policy, d.ticket, d.start))
        assert patience is None or d.wait <= patience
        assert d.met == (d.start <= d.ticket.due_at)
    for agent in agents:
        mine = [d for d in decisions if d.agent_id == agent.agent_id]
        for d in mine:
            held = [e.ticket.weight for e in mine if e.start <= d.start < e.end]
            assert sum(held) <= agent.capacity or len(held) == 1


@settings(max_examples=100, deadline=None)
@given(worlds(), st.sampled_from(["fifo", "priority"]))
def test_no_ticket_waits_beside_a_free_agent_who_may_take_it(world, name):
    trace, agents, duties = world
    decisions = run(trace, agents, duties, POLICIES[name]())
    for seen in range(62):
        now = seen * SECOND
        waiting = [d for d, p in zip(decisions, trace.patience, strict=True) if waits(d, p, now)]
        for seat in seats_at(agents, duties, decisions, now):
            reach = [d.ticket for d in waiting if may_take(seat.agent, d.ticket)]
            assert not any(has_room(seat, ticket) for ticket in reach)


@settings(max_examples=60, deadline=None)
@given(worlds(), policies(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(world, policy, shuffle):
    trace, agents, duties = world
    before = {d.ticket.ticket_id: d for d in run(trace, agents, duties, policy)}
    order = list(range(len(trace.tickets)))
    for listed in (order, agents, duties):
        shuffle.shuffle(listed)
    mixed = Trace(
        [trace.tickets[i] for i in order],
        [trace.handle[i] for i in order],
        [trace.patience[i] for i in order],
    )
    assert {d.ticket.ticket_id: d for d in run(mixed, agents, duties, policy)} == before


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_the_live_desk_decides_what_the_replay_decided(world, policy):
    """A slow run that knows nothing but `recommend`, looked at every second.

    Tickets of no length are left out: there an instant has no single state to look at.
    """
    trace, agents, duties = world
    trace = replace(trace, handle=[max(span, SECOND) for span in trace.handle])
    expected = {
        d.ticket.ticket_id: (d.agent_id, d.start) for d in run(trace, agents, duties, policy)
    }
    assert by_hand(trace, agents, duties, policy) == expected


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_live_desk_decides_what_the_replay_decided_on_a_busy_day(name):
    """More people and tickets than the small worlds have: 12 agents, 400 tickets, 30 minutes."""
    draw = random.Random(3)
    agents = [
        Agent(f"a{i:02}", 1 + i % 3, dict.fromkeys(draw.sample("wxyz", 1 + i % 3), 3))
        for i in range(12)
    ]
    duties = [Duty(agent.agent_id, 0, (1500 + 20 * i) * SECOND) for i, agent in enumerate(agents)]
    tickets = []
    for i in range(400):
        opened = draw.randrange(1700)
        tickets.append(
            Ticket(
                f"t{i:03}",
                opened * SECOND,
                (opened + draw.choice([20, 60, 900])) * SECOND,
                draw.choice("wxyz"),
                draw.choice([1, 1, 1, 2, 3]),
                draw.randint(1, 3),
            )
        )
    trace = Trace(tickets, [draw.randrange(5, 90) * SECOND for _ in tickets], [None] * len(tickets))
    policy = POLICIES[name]()
    expected = {
        d.ticket.ticket_id: (d.agent_id, d.start) for d in run(trace, agents, duties, policy)
    }
    assert by_hand(trace, agents, duties, policy, until=1900) == expected


def waits(d: Decision, patience: int | None, now: int) -> bool:
    """Whether the ticket still waits when everything of `now` has happened."""
    opened = d.ticket.opened_at
    left = patience is not None and d.start is None and now >= opened + patience
    return opened <= now and not left and (d.start is None or d.start > now)


def seats_at(agents, duties, decisions, now):
    """Who is on duty at `now`, with what in hand and since when, from what was decided."""
    spans = joined(duties)
    for agent in agents:
        mine = [d for d in decisions if d.agent_id == agent.agent_id and d.start is not None]
        for low, high in spans.get(agent.agent_id, []):
            if low <= now < high:
                changes = [low, *(d.start for d in mine), *(d.end for d in mine)]
                in_hand = sum(d.ticket.weight for d in mine if d.start <= now < d.end)
                yield Seat(agent, in_hand, max(c for c in changes if c <= now), high)


def by_hand(trace, agents, duties, policy, until=100):
    kinds = frozenset((t.skill, t.tier) for t in trace.tickets)
    done: dict[str, Decision] = {}
    for now in (second * SECOND for second in range(until)):
        while True:
            waiting = [
                t
                for t, patience in zip(trace.tickets, trace.patience, strict=True)
                if t.ticket_id not in done
                and t.opened_at <= now
                and (patience is None or now <= t.opened_at + patience)
            ]
            desk = DeskState(list(seats_at(agents, duties, done.values(), now)), waiting, kinds)
            ids = {t.ticket_id: t for t in waiting}
            for ticket in (ids[t.ticket_id] for t in in_order(policy, desk, now)):
                agent_id = recommend(policy, ticket, desk, now).agent_id
                if agent_id is not None:
                    handle = trace.handle[trace.tickets.index(ticket)]
                    done[ticket.ticket_id] = Decision(ticket, agent_id, now, now + handle, "oldest")
                    break
            else:
                break
    return {
        t.ticket_id: (done[t.ticket_id].agent_id, done[t.ticket_id].start)
        if t.ticket_id in done
        else (None, None)
        for t in trace.tickets
    }


def test_the_small_worlds_do_keep_experts():
    """Otherwise the properties above would say nothing about it."""
    policy = Deadline(cap_s=8, keep_share=0.3, keep_least_s=2)
    trace = Trace(
        [
            Ticket("t0", 0, 5 * SECOND, "x"),
            Ticket("t1", SECOND, 41 * SECOND, "x"),
            Ticket("t2", 50 * SECOND, 55 * SECOND, "x", EXPERT),
        ],
        [20 * SECOND] * 3,
        [None] * 3,
    )
    agents = [Agent("a0"), Agent("a1", EXPERT)]
    duties = [Duty("a0", 0, 60 * SECOND), Duty("a1", 0, 60 * SECOND)]
    starts = [d.start / SECOND for d in run(trace, agents, duties, policy)]
    assert starts == [0, 20, 50]
