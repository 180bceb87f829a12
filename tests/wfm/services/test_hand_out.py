"""Many hand out at once, from processes' own connections: none lost, none doubled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.db import transaction
from wfm.errors import AccessDeniedError, ConflictError
from wfm.services import agent_desk, dispatching, hand_out, ticket_work
from wfm.services.ticket_work import Refusal
from wfm.tables import Agent, DispatchDecision, Skill, Ticket
from wfm.words import Role

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
DANA = Actor("dana", roles={Role.DISPATCHER: None})
HANDS, TICKETS, DISPATCHERS = 150, 200, 50


def fill(session: Session, number: int) -> None:
    net = session.exec(select(Skill).where(Skill.code == "net")).one()
    session.add_all(
        Ticket(code=f"T{n:04}", opened_at=AT - timedelta(minutes=5), skill_id=net.id,
               respond_within_s=3600 + n)
        for n in range(number)
    )  # fmt: skip


def test_it_gives_what_single_proposals_would_give(
    session: Session, open_desk: Callable[..., None]
) -> None:
    open_desk(session, AT, A=("ordinary", {"net": 3}, 2), B=("senior", {"net": 3}, 1))
    fill(session, 4)
    given = hand_out.hand_out(session, DANA, AT, ZONE)
    # the lowest grade first while there is room, then the senior; one ticket stays
    codes = {agent.id: agent.code for agent in session.exec(select(Agent))}
    assert [codes[one.agent_id] for one in given] == ["A", "A", "B"]
    assert given[0].reasons[-1]["code"] == "lowest_tier"
    assert hand_out.hand_out(session, DANA, AT + timedelta(seconds=1), ZONE) == []
    assert ticket_work.find(session, "T0003").owner_id is None


def test_only_who_may_assign_may_hand_out(session: Session) -> None:
    with pytest.raises(AccessDeniedError):
        hand_out.hand_out(session, Actor("a", roles={Role.AGENT: None}), AT, ZONE)


def test_fifty_dispatchers_lose_none_and_double_none(
    fresh_engine: sa.Engine, open_desk: Callable[..., None]
) -> None:
    with transaction(fresh_engine) as session:
        agents = {f"A{n:02}": ("ordinary", {"net": 3}, HANDS // 30) for n in range(30)}
        open_desk(session, AT, **agents)
        fill(session, TICKETS)

    def work(number: int) -> int:
        """Half hand out in handfuls, half give single tickets away by name."""
        done = 0
        for turn in range(4):
            at = AT + timedelta(milliseconds=50 * turn + number)
            try:
                with transaction(fresh_engine) as session:
                    if number % 2:
                        done += len(hand_out.hand_out(session, DANA, at, ZONE, 7))
                    else:
                        code, agent = f"T{(turn * 37 + number) % TICKETS:04}", f"A{number % 30:02}"
                        dispatching.assign(session, DANA, code, agent, at, ZONE, "by name")
                        done += 1
            except Refusal:
                continue
        return done

    with ThreadPoolExecutor(DISPATCHERS) as pool:
        given = sum(pool.map(work, range(DISPATCHERS)))
    with transaction(fresh_engine) as session:
        decided = session.exec(select(DispatchDecision.ticket_id)).all()
        owned = session.exec(select(Ticket).where(col(Ticket.owner_id).is_not(None))).all()
        assert given == len(decided) == len(set(decided)) == len(owned)
        assert {ticket.id for ticket in owned} == set(decided)
        held = Counter(ticket.owner_id for ticket in owned)
        capacity = {agent.id: agent.capacity for agent in session.exec(select(Agent))}
        assert all(held[agent] <= room for agent, room in capacity.items())
        assert given == HANDS  # all hands are full, fifty tickets wait


def test_agents_who_take_at_once_leave_nothing_behind(
    fresh_engine: sa.Engine, open_desk: Callable[..., None]
) -> None:
    """Twelve agents press for their next at the same moment: each gets one at every press."""
    takers, hands = 12, 3
    with transaction(fresh_engine) as session:
        agents = {f"A{n:02}": ("ordinary", {"net": 3}, hands) for n in range(takers)}
        open_desk(session, AT, **agents)
        fill(session, takers * hands)
        ids = {agent.code: agent.id for agent in session.exec(select(Agent))}

    def take(code: str) -> list[str]:
        own = Actor(code, agent_id=ids[code], roles={Role.AGENT: None})
        taken = []
        for press in range(hands):
            at = AT + timedelta(milliseconds=press)
            with transaction(fresh_engine) as session:
                taken.append(agent_desk.take_next(session, own, at, ZONE))
        return taken

    with ThreadPoolExecutor(takers) as pool:
        taken = [code for codes in pool.map(take, ids) for code in codes]
    assert sorted(taken) == [f"T{n:04}" for n in range(takers * hands)]


@pytest.mark.parametrize("withdrawn", [True, False])
def test_who_finds_the_last_ticket_being_given_away_waits_for_how_that_ends(
    fresh_engine: sa.Engine, open_desk: Callable[..., None], withdrawn: bool
) -> None:
    with transaction(fresh_engine) as session:
        open_desk(session, AT, A=("ordinary", {"net": 3}, 1), B=("ordinary", {"net": 3}, 1))
        fill(session, 1)
        own_id = session.exec(select(Agent.id).where(Agent.code == "A")).one()
    own = Actor("A", agent_id=own_id, roles={Role.AGENT: None})

    def take() -> str:
        with transaction(fresh_engine) as session:
            return agent_desk.take_next(session, own, AT, ZONE)

    with ThreadPoolExecutor(1) as pool, Session(fresh_engine) as other:
        dispatching.assign(other, DANA, "T0000", "B", AT, ZONE, "by name")
        asked = pool.submit(take)
        assert until_somebody_waits(fresh_engine)
        if withdrawn:
            other.rollback()
            assert asked.result(timeout=60) == "T0000"
        else:
            other.commit()
            with pytest.raises(ConflictError, match="nothing for you"):
                asked.result(timeout=60)


def until_somebody_waits(engine: sa.Engine) -> bool:
    """Whether some transaction waits for a lock of another, looked at for ten seconds."""
    query = sa.text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
    for _ in range(500):
        with engine.connect() as connection:
            if connection.execute(query).scalar_one():
                return True
        time.sleep(0.02)
    return False
