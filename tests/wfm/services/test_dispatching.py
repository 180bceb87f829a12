"""The live desk in a real database: order, proposals, one owner at a time, what frees a hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.audit import verify
from wfm.db import transaction
from wfm.errors import AccessDeniedError, NotFoundError
from wfm.services import clock_book, dispatch_log, dispatching, opening, ticket_work
from wfm.services.dispatching import Filters
from wfm.services.ticket_work import Refusal
from wfm.tables import (
    Agent,
    Assignment,
    BusinessCalendar,
    DispatchDecision,
    Skill,
    Ticket,
    TicketEvent,
)
from wfm.words import Grade, Mode, Role, TicketState

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
ZONE = "Asia/Shanghai"
DISPATCHER = Actor("dana", roles={Role.DISPATCHER: None})
LEAD = Actor("leo", roles={Role.LEAD: None})
ORDINARY, SENIOR, EXPERT = "ordinary", "senior", "expert"

OpenDesk = Callable[..., None]


def add(
    session: Session, code: str, *, skill: str | None = "net", waited_min: float = 10,
    promised_min: float = 60, tier: str = ORDINARY, priority: int = 3,
) -> Ticket:  # fmt: skip
    found = session.exec(select(Skill).where(Skill.code == skill)).first() if skill else None
    ticket = Ticket(
        code=code, opened_at=AT - timedelta(minutes=waited_min), min_grade=Grade(tier),
        skill_id=found.id if found else None, priority=priority,
        respond_within_s=round(promised_min * 60), title=f"about {code}",
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    return ticket


def board(session: Session, at: datetime = AT, **filters: object) -> dispatching.Board:
    return dispatching.board(session, DISPATCHER, at, ZONE, Filters(**filters))


def give(session: Session, ticket: str, agent: str, note: str = "", at: datetime = AT):
    return dispatching.assign(session, DISPATCHER, ticket, agent, at, ZONE, note)


def refused(session: Session, ticket: str, agent: str, note: str = "because") -> str:
    with pytest.raises(Refusal) as caught:
        give(session, ticket, agent, note)
    assert set(caught.value.texts) == {"en", "zh"}
    return caught.value.code


def test_the_queue_stands_in_the_policys_order_with_its_risks(
    session: Session, open_desk: OpenDesk
) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1))
    add(session, "T-fine", waited_min=10)  # 50 of 60 minutes left
    add(session, "T-risk", waited_min=46)  # 14 of 60 left: less than a quarter, which is 15
    add(session, "T-edge", waited_min=45)  # 15 of 60 left: not less than a quarter
    add(session, "T-late", waited_min=61)  # one minute late: after all that can be kept
    shown = board(session)
    assert [(row.ticket.code, row.risk, row.left_s) for row in shown.waiting] == [
        ("T-risk", "at_risk", 840), ("T-edge", "fine", 900), ("T-fine", "fine", 3000),
        ("T-late", "late", -60),
    ]  # fmt: skip
    assert shown.counts == {"at_risk": 1, "fine": 2, "late": 1}
    assert [row.waited_s for row in shown.waiting] == [2760, 2700, 600, 3660]
    assert shown.clock_runs


def test_clocks_count_business_time_and_stand_still_at_night(
    session: Session, open_desk: OpenDesk
) -> None:
    session.add(
        BusinessCalendar(
            code=opening.DESK_CALENDAR, name_en="Desk", name_zh="客服台", timezone=ZONE,
            definition={day: [["08:00", "10:20"], ["13:00", "18:00"]] for day in opening.WEEK},
        )
    )  # fmt: skip
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1))
    add(session, "T1", waited_min=10)
    # asked at 09:50 with an hour promised: 30 minutes to 10:20, the other 30 from 13:00
    (row,) = board(session).waiting
    assert row.due_at == AT + timedelta(hours=3, minutes=30)
    assert (row.waited_s, row.left_s) == (600, 3000)
    later = board(session, AT + timedelta(hours=1))
    assert not later.clock_runs
    assert later.waiting[0].left_s == 1800
    ticket = row.ticket
    assert ticket.due_at is None  # a cache nobody has filled yet; nothing is hidden for that
    clock_book.refresh(session, [ticket.id], AT, ZONE)
    assert session.get_one(Ticket, ticket.id).due_at == row.due_at


def test_filters_show_a_part_and_count_the_whole(session: Session, open_desk: OpenDesk) -> None:
    open_desk(session, AT, A=(EXPERT, {"net": 3}, 1), B=(ORDINARY, {"app": 3}, 1))
    add(session, "T1")
    add(session, "T2", skill="app")
    add(session, "T3", tier=SENIOR)
    add(session, "T4", waited_min=90)

    def codes(**filters: object) -> list[str]:
        shown = board(session, **filters)
        assert shown.total_waiting == 4
        assert shown.matching == len(shown.waiting)
        return [row.ticket.code for row in shown.waiting]

    assert codes(skill="app") == ["T2"]
    assert codes(tier=Grade.SENIOR) == ["T3"]
    assert codes(risk="late") == ["T4"]
    assert codes(skill="app", risk="late") == []
    assert [seat.agent.code for seat in board(session, skill="app").seats] == ["B"]


def test_a_ticket_that_names_no_skill_waits_for_anybody(
    session: Session, open_desk: OpenDesk
) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1))
    add(session, "T1", skill=None)
    (row,) = board(session).waiting
    assert row.proposed is not None
    assert row.proposed.code == "A"


def test_who_is_on_duty_is_free_full_or_on_a_break(session: Session, open_desk: OpenDesk) -> None:
    open_desk(
        session, AT, A=(ORDINARY, {}, 1), B=(ORDINARY, {}, 1), C=(SENIOR, {}, 2),
        D=(ORDINARY, {}, 1), E=(ORDINARY, {}, 1),
    )  # fmt: skip
    ids = {agent.code: agent.id for agent in session.exec(select(Agent))}
    duties = {duty.agent_id: duty for duty in session.exec(select(Assignment))}
    pause = {"from": "2026-03-02T09:55:00+08:00", "until": "2026-03-02T10:05:00+08:00"}
    duties[ids["B"]].breaks = [pause]
    duties[ids["D"]].mode = Mode.STANDBY  # called only in need: not at the desk
    duties[ids["E"]].ends_at = AT  # off duty from this very instant
    for code in ("A", "C"):
        add(session, f"T-{code}", skill=None).owner_id = ids[code]
    session.flush()
    shown = board(session)
    assert [(s.agent.code, s.state, s.in_hand) for s in shown.seats] == [
        ("C", "free", 1), ("A", "full", 1), ("B", "on_break", 0),
    ]  # fmt: skip
    assert shown.free == 1
    assert [hand.owner.code for hand in shown.hands] == ["A", "C"]
    add(session, "T9", skill=None)
    assert refused(session, "T9", "A") == "full"
    assert refused(session, "T9", "B") == "on_break"
    assert refused(session, "T9", "D") == "off_duty"
    assert refused(session, "T9", "E") == "off_duty"


def test_the_longest_idle_is_proposed_and_idle_time_starts_when_a_ticket_is_done(
    session: Session, open_desk: OpenDesk
) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1), B=(ORDINARY, {"net": 3}, 1))
    add(session, "T1")
    early = AT - timedelta(minutes=9)
    give(session, "T1", "A", at=early)
    ticket_work.resolve(session, DISPATCHER, "T1", AT - timedelta(minutes=5))
    add(session, "T2", waited_min=4)
    (row,) = board(session).waiting
    assert row.proposed is not None
    assert row.proposed.code == "B"  # idle for three hours; A for five minutes
    assert [agent.code for agent in row.runners_up] == ["A"]


def test_the_last_expert_is_kept_for_work_that_came_this_week(
    session: Session, open_desk: OpenDesk
) -> None:
    open_desk(session, AT, X=(EXPERT, {"net": 3}, 1), O=(ORDINARY, {"net": 3}, 1))
    ordinary = session.exec(select(Agent).where(Agent.code == "O")).one()
    add(session, "T-busy").owner_id = ordinary.id
    add(session, "T1", waited_min=1)
    seldom = add(session, "T-expert", tier=EXPERT, waited_min=8 * 24 * 60)
    seldom.state = TicketState.CLOSED
    session.flush()
    (row,) = board(session).waiting
    assert row.proposed is not None  # expert work was last seen eight days ago
    seldom.opened_at = AT - timedelta(days=6)
    session.flush()
    (row,) = board(session).waiting
    assert row.proposed is None
    assert row.proposal.why[-1].code == "expert_kept"
    assert refused(session, "T1", "X", note="") == "kept"
    assert give(session, "T1", "X", "the customer is the mayor").proposed_agent_id is None


def test_assigning_keeps_who_chose_what_and_why(session: Session, open_desk: OpenDesk) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1), B=(SENIOR, {"net": 3}, 1))
    ticket = add(session, "T1")
    assert refused(session, "T1", "B", note="  ") == "say_why"
    decision = give(session, "T1", "B", "knows the customer")
    ids = {agent.code: agent.id for agent in session.exec(select(Agent))}
    assert (decision.agent_id, decision.proposed_agent_id) == (ids["B"], ids["A"])
    assert (ticket.owner_id, ticket.state) == (ids["B"], TicketState.OPEN)
    assert decision.reasons[-1]["zh"] == "满足要求的最低等级"
    (event,) = session.exec(select(TicketEvent))
    assert (event.kind, event.agent_id, event.note) == ("assigned", ids["B"], "knows the customer")
    assert refused(session, "T1", "A") == "taken"
    assert list(verify(session)) == []


def test_what_cannot_be_assigned_is_refused(session: Session, open_desk: OpenDesk) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1), B=(SENIOR, {"app": 3}, 1))
    add(session, "T1", tier=SENIOR)
    assert refused(session, "T1", "A") == "unable"  # the grade is missing
    assert refused(session, "T1", "B") == "unable"  # the skill is missing
    add(session, "T-later", waited_min=-5)
    assert refused(session, "T-later", "A") == "gone"
    add(session, "T-paused").state = TicketState.PAUSED
    assert refused(session, "T-paused", "A") == "gone"
    with pytest.raises(NotFoundError):
        give(session, "T1", "nobody")
    with pytest.raises(NotFoundError):
        give(session, "nothing", "A")
    with pytest.raises(AccessDeniedError):
        dispatching.assign(session, LEAD, "T1", "A", AT, ZONE)
    with pytest.raises(AccessDeniedError):
        dispatching.board(session, Actor("p", roles={Role.PLANNER: None}), AT, ZONE)


def test_answering_meets_the_clock_and_resolving_frees_the_hand(
    session: Session, open_desk: OpenDesk
) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1))
    ticket = add(session, "T1")
    with pytest.raises(Refusal) as caught:
        ticket_work.answer(session, DISPATCHER, "T1", AT)
    assert caught.value.code == "unowned"
    give(session, "T1", "A")
    later = AT + timedelta(minutes=3)
    ticket_work.answer(session, DISPATCHER, "T1", later)
    assert ticket.first_response_at == later
    with pytest.raises(Refusal) as caught:
        ticket_work.answer(session, DISPATCHER, "T1", later)
    assert caught.value.code == "answered"
    assert board(session).seats[0].state == "full"
    end = AT + timedelta(minutes=9)
    ticket_work.resolve(session, DISPATCHER, "T1", end, "restarted")
    assert (ticket.state, ticket.resolved_at, ticket.independent) == ("resolved", end, True)
    assert board(session).seats[0].state == "free"
    with pytest.raises(Refusal) as caught:
        ticket_work.resolve(session, DISPATCHER, "T1", end)
    assert caught.value.code == "done"


def test_owners_act_on_their_own_tickets_only(session: Session, open_desk: OpenDesk) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1), B=(ORDINARY, {"net": 3}, 1))
    ids = {agent.code: agent.id for agent in session.exec(select(Agent))}
    add(session, "T1").owner_id = ids["A"]
    session.flush()
    own, other = (Actor(c, agent_id=ids[c], roles={Role.AGENT: None}) for c in ("A", "B"))
    with pytest.raises(AccessDeniedError):
        ticket_work.answer(session, other, "T1", AT)
    with pytest.raises(AccessDeniedError):
        ticket_work.answer(session, LEAD, "T1", AT)
    assert ticket_work.answer(session, own, "T1", AT).first_response_at == AT
    proposal = next(dispatching.proposals(session, own, "A", AT, ZONE))
    assert proposal.why[-1].code == "no_room"
    with pytest.raises(AccessDeniedError):
        next(dispatching.proposals(session, own, "B", AT, ZONE))


def test_a_very_long_ticket_code_has_its_events(session: Session, open_desk: OpenDesk) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 1))
    add(session, "T" * 120)
    give(session, "T" * 120, "A")
    ticket_work.resolve(session, DISPATCHER, "T" * 120, AT)


def test_the_log_is_found_by_any_word_of_it(session: Session, open_desk: OpenDesk) -> None:
    open_desk(session, AT, A=(ORDINARY, {"net": 3}, 9), B=(SENIOR, {"net": 3}, 9))
    for code in ("T1", "T2", "T3"):
        add(session, code)
    give(session, "T1", "A")
    give(session, "T2", "B", "100% sure")
    give(session, "T3", "A")

    def found(words: str = "", **how: object) -> list[str]:
        rows = dispatch_log.search(session, DISPATCHER, words, **how)
        return [row.ticket.code for row in rows]

    assert found() == ["T3", "T2", "T1"]
    assert found("t2 dana") == ["T2"]
    assert found("100%") == ["T2"]  # a sign of its own, not a wild card
    assert found("0%0") == []
    assert found("dana about sure") == ["T2"]
    assert found(differing=True) == ["T2"]
    newest = dispatch_log.search(session, DISPATCHER)[0]
    assert found(before=newest.id) == ["T2", "T1"]
    assert found(limit=1) == ["T3"]
    # written down last and made first: by its time it is the oldest, also where a page ends
    session.add(
        DispatchDecision(ticket_id=newest.ticket.id, agent_id=newest.agent.id, policy="deadline",
                         at=AT - timedelta(minutes=1), decided_by="late")
    )  # fmt: skip
    session.flush()
    assert found() == ["T3", "T2", "T1", "T3"]
    second = dispatch_log.search(session, DISPATCHER, limit=2)[-1]
    assert found(before=second.id) == ["T1", "T3"]
    assert found("late") == ["T3"]
    with pytest.raises(AccessDeniedError):
        dispatch_log.search(session, Actor("p", roles={Role.PLANNER: None}))


def test_many_dispatchers_at_one_queue_lose_nothing_and_overfill_nobody(
    fresh_engine: sa.Engine, open_desk: OpenDesk
) -> None:
    """8 people, 30 tickets, 6 agents with 4 × 1 + 2 × 4 = 12 hands: 12 go out, 18 wait on."""
    agents = {f"A{n}": (ORDINARY, {"net": 3}, 1 if n < 4 else 4) for n in range(6)}
    with transaction(fresh_engine) as session:
        open_desk(session, AT, **agents)
        for number in range(30):
            add(session, f"T{number:02}", waited_min=number)
    start = Barrier(8, timeout=60)

    def work(number: int) -> Counter[str]:
        """Give tickets away until nobody is free; every refusal is a look again."""
        outcome: Counter[str] = Counter()
        start.wait()
        for turn in range(200):
            at = AT + timedelta(milliseconds=8 * turn + number)
            try:
                with transaction(fresh_engine) as session:
                    waiting = [row for row in board(session, at).waiting if row.proposed]
                    if not waiting:
                        return outcome
                    row = waiting[number % len(waiting)]
                with transaction(fresh_engine) as session:
                    give(session, row.ticket.code, row.proposed.code, at=at)
                outcome["given"] += 1
            except Refusal as refusal:
                outcome[refusal.code] += 1
        raise AssertionError("the queue never ran dry")

    with ThreadPoolExecutor(8) as pool:
        outcomes = sum(pool.map(work, range(8)), Counter())
    assert outcomes["given"] == 12
    with transaction(fresh_engine) as session:
        given = session.exec(select(DispatchDecision.ticket_id)).all()
        assert len(given) == len(set(given)) == 12
        owned = session.exec(select(Ticket).where(col(Ticket.owner_id).is_not(None))).all()
        assert {ticket.id for ticket in owned} == set(given)
        held = Counter(ticket.owner_id for ticket in owned)
        capacity = {agent.id: agent.capacity for agent in session.exec(select(Agent))}
        assert held == Counter(capacity)
        assert len(board(session).waiting) == 18
        assert list(verify(session)) == []
        assert len(session.exec(select(TicketEvent)).all()) == 12
