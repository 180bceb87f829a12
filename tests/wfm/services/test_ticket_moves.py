"""Putting back, reassigning, escalating, pausing, merging, handing over, and their refusals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.db import transaction
from wfm.errors import AccessDeniedError, InputError
from wfm.services import (
    clock_worker,
    desk_rules,
    desk_snapshot,
    dispatching,
    ticket_moves,
    ticket_work,
)
from wfm.services.ticket_work import Refusal
from wfm.tables import (
    Agent,
    AgentGrade,
    Assignment,
    AuditEntry,
    Skill,
    Ticket,
    TicketEvent,
    TicketHandover,
)
from wfm.words import EventKind, Grade, Mode, Role, TicketKind, TicketState

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
ZONE = "Asia/Shanghai"
DANA = Actor("dana", roles={Role.DISPATCHER: None})
ORDINARY, SENIOR = "ordinary", "senior"
OpenDesk = Callable[..., None]


def later(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


@pytest.fixture
def desk(session: Session, open_desk: OpenDesk) -> Session:
    """T1 is Ann's; Bo is a senior, Cai has another skill."""
    open_desk(
        session, AT, Ann=(ORDINARY, {"net": 3}, 2), Bo=(SENIOR, {"net": 3}, 1),
        Cai=(SENIOR, {"app": 3}, 1),
    )  # fmt: skip
    add(session, "T1")
    dispatching.assign(session, DANA, "T1", "Ann", AT, ZONE, "as agreed")
    return session


def add(session: Session, code: str, **more: object) -> Ticket:
    skill = session.exec(select(Skill).where(Skill.code == "net")).one()
    ticket = Ticket(code=code, opened_at=AT - timedelta(minutes=5), skill_id=skill.id,
                    respond_within_s=3600, **more)  # fmt: skip
    session.add(ticket)
    session.flush()
    return ticket


def owner(session: Session, code: str) -> str | None:
    ticket = ticket_work.find(session, code)
    return session.get_one(Agent, ticket.owner_id).code if ticket.owner_id else None


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        act()
    assert set(caught.value.texts) == {"en", "zh"}
    return caught.value.code


def test_put_back_needs_a_word_and_frees_the_hand(desk: Session) -> None:
    assert code_of(lambda: ticket_moves.put_back(desk, DANA, "T1", later(1), " ")) == "say_note"
    ticket_moves.put_back(desk, DANA, "T1", later(1), "went to a meeting")
    assert owner(desk, "T1") is None
    assert code_of(lambda: ticket_moves.put_back(desk, DANA, "T1", later(2), "x")) == "unowned"


def test_reassigning_moves_it_in_one_act_with_a_decision(desk: Session) -> None:
    decision = ticket_moves.reassign(desk, DANA, "T1", "Bo", later(1), ZONE, "Bo knows it")
    assert owner(desk, "T1") == "Bo"
    assert decision.note == "Bo knows it"
    full = lambda: ticket_moves.reassign(desk, DANA, "T1", "Cai", later(2), ZONE, "x")  # noqa: E731
    assert code_of(full) == "unable"


def test_escalating_takes_it_from_an_owner_below_and_leaves_it_with_one_who_reaches(
    desk: Session,
) -> None:
    ticket_moves.escalate(desk, DANA, "T1", Grade.SENIOR, later(1), "beyond Ann")
    ticket = ticket_work.find(desk, "T1")
    assert (ticket.min_grade, ticket.owner_id, ticket.independent) == (Grade.SENIOR, None, False)
    same = lambda: ticket_moves.escalate(desk, DANA, "T1", Grade.SENIOR, later(2), "x")  # noqa: E731
    assert code_of(same) == "no_higher"
    add(desk, "T2")
    dispatching.assign(desk, DANA, "T2", "Bo", later(2), ZONE, "x")
    ticket_moves.escalate(desk, DANA, "T2", Grade.SENIOR, later(3), "hard")
    assert owner(desk, "T2") == "Bo"


def test_an_escalation_wants_a_word_and_goes_by_the_grade_of_today(desk: Session) -> None:
    mute = partial(ticket_moves.escalate, desk, DANA, "T1", Grade.SENIOR, later(1), " ")
    assert code_of(mute) == "say_note"
    assert ticket_work.find(desk, "T1").min_grade == Grade.ORDINARY
    # Ann was a senior until February; who has no grade now counts as ordinary
    of_ann = select(AgentGrade).join(Agent).where(Agent.code == "Ann")
    grade = desk.exec(of_ann).one()
    grade.grade, grade.valid_from = Grade.SENIOR, date(2026, 1, 1)
    grade.valid_until = date(2026, 2, 1)
    desk.flush()
    ticket_moves.escalate(desk, DANA, "T1", Grade.SENIOR, later(2), "beyond her")
    assert owner(desk, "T1") is None


def test_a_pause_needs_one_of_the_desks_reasons_and_frees_the_hand(desk: Session) -> None:
    assert code_of(lambda: ticket_moves.pause(desk, DANA, "T1", "lunch", later(1))) == "no_reason"
    ticket_moves.pause(desk, DANA, "T1", "customer", later(1), "asked for the log")
    ticket = ticket_work.find(desk, "T1")
    assert (ticket.state, owner(desk, "T1")) == (TicketState.PAUSED, "Ann")
    assert desk_snapshot.in_hand(desk) == {}
    assert code_of(lambda: ticket_moves.pause(desk, DANA, "T1", "customer", later(2))) == "done"
    ticket_moves.resume(desk, DANA, "T1", later(3))
    assert ticket_work.find(desk, "T1").state == TicketState.OPEN
    assert code_of(lambda: ticket_moves.resume(desk, DANA, "T1", later(4))) == "not_paused"


def test_merging_ends_one_and_tells_the_other(desk: Session) -> None:
    add(desk, "T2")
    into = ticket_moves.merge(desk, DANA, "T2", "T1", later(1), "same customer")
    merged = ticket_work.find(desk, "T2")
    assert (merged.state, merged.merged_into_id) == (TicketState.CANCELLED, into.id)
    assert into.state == TicketState.OPEN
    assert code_of(lambda: ticket_moves.merge(desk, DANA, "T1", "T1", AT)) == "merge_self"
    assert code_of(lambda: ticket_moves.merge(desk, DANA, "T1", "T2", later(2))) == "merge_closed"


def test_a_handover_is_signed_by_both(desk: Session) -> None:
    ids = {agent.code: agent.id for agent in desk.exec(select(Agent))}
    ann, bo, cai = (Actor(c, agent_id=ids[c], roles={Role.AGENT: None}) for c in ids)
    empty = lambda: ticket_moves.hand_over(desk, ann, "T1", "Bo", later(1), ZONE, "")  # noqa: E731
    assert code_of(empty) == "say_note"
    note = ticket_moves.hand_over(desk, ann, "T1", "Bo", later(1), ZONE, "waits for a part")
    assert owner(desk, "T1") == "Bo"
    assert (note.given_by_id, note.given_to_id) == (ids["Ann"], ids["Bo"])
    told = select(TicketEvent).order_by(col(TicketEvent.id).desc())
    event = desk.exec(told).first()
    assert event is not None
    assert (event.kind, event.agent_id) == (EventKind.TRANSFERRED, ids["Bo"])
    assert note.id is not None
    assert code_of(lambda: ticket_moves.sign(desk, cai, note.id, later(2))) == "not_yours"
    ticket_moves.sign(desk, bo, note.id, later(2))
    assert (note.given_signature, note.taken_signature) == ("Ann", "Bo")
    assert code_of(lambda: ticket_moves.sign(desk, bo, note.id, later(3))) == "signed"
    other = lambda: ticket_moves.hand_over(desk, bo, "T1", "Cai", later(4), ZONE, "x")  # noqa: E731
    assert code_of(other) == "unable"


def test_a_note_to_the_queue_is_signed_by_whoever_has_the_ticket_then(desk: Session) -> None:
    ids = {agent.code: agent.id for agent in desk.exec(select(Agent))}
    ann, bo = (Actor(c, agent_id=ids[c], roles={Role.AGENT: None}) for c in ("Ann", "Bo"))
    note = ticket_moves.hand_over(desk, ann, "T1", "", later(1), ZONE, "call after two")
    assert (owner(desk, "T1"), note.given_to_id, note.given_by_id) == (None, None, ids["Ann"])
    again = partial(ticket_moves.hand_over, desk, DANA, "T1", "Bo", later(1), ZONE, "x")
    assert code_of(again) == "unowned"
    assert note.id is not None
    sign = partial(ticket_moves.sign, desk, bo, note.id, later(2))
    assert code_of(sign) == "not_yours"  # it waits: nobody's yet
    dispatching.assign(desk, DANA, "T1", "Bo", later(2), ZONE, "free")
    sign()
    assert (note.taken_at, note.taken_signature) == (later(2), "Bo")
    # an account of nobody's may sign for an agent only if it may assign
    other = ticket_moves.hand_over(desk, bo, "T1", "Ann", later(3), ZONE, "yours again")
    assert other.id is not None
    with pytest.raises(AccessDeniedError):
        ticket_moves.sign(desk, Actor("pia", roles={Role.PLANNER: None}), other.id, later(4))
    assert ticket_moves.sign(desk, DANA, other.id, later(4)).taken_signature == "dana"


def test_left_over_is_open_work_of_those_whose_duty_ended_within_a_day(desk: Session) -> None:
    duty = desk.exec(select(Assignment).join(Agent).where(Agent.code == "Ann")).one()
    duty.ends_at = later(30)
    desk.flush()

    def left(minutes: float) -> list[str]:
        return [one.ticket.code for one in ticket_moves.left_over(desk, later(minutes))]

    # at its very end the duty is over; a day later nobody is told any more
    assert [left(minutes) for minutes in (29, 30, 1469, 1470)] == [[], ["T1"], ["T1"], []]
    # who is on duty again keeps it; on standby she is not at the desk
    again = Assignment(**duty.model_dump(exclude={"id"}))
    again.day, again.starts_at, again.ends_at = date(2026, 3, 3), later(40), later(90)
    desk.add(again)
    desk.flush()
    assert [left(minutes) for minutes in (39, 41)] == [["T1"], []]
    again.mode = Mode.STANDBY
    desk.flush()
    assert left(41) == ["T1"]
    # a paused ticket waits with its owner
    ticket_moves.pause(desk, DANA, "T1", "customer", later(35))
    assert left(41) == []


def test_the_end_of_a_duty_follows_the_rule_of_the_kind(desk: Session) -> None:
    add(desk, "T-problem", kind=TicketKind.PROBLEM)
    add(desk, "T-complaint", kind=TicketKind.COMPLAINT)
    ann = desk.exec(select(Agent).where(Agent.code == "Ann")).one()
    for code in ("T-problem", "T-complaint"):
        ticket_work.find(desk, code).owner_id = ann.id
    desk.flush()
    assert ticket_moves.left_over(desk, later(60)) == []
    duty = desk.exec(select(Assignment).where(Assignment.agent_id == ann.id)).one()
    duty.ends_at = later(30)
    desk.flush()
    assert {one.ticket.code: one.rule for one in ticket_moves.left_over(desk, later(60))} == {
        "T1": "queue", "T-problem": "person", "T-complaint": "continue",
    }  # fmt: skip
    assert ticket_moves.settle(desk, DANA, later(60)) == {"continue": 1, "queue": 1, "person": 1}
    owners = [owner(desk, code) for code in ("T1", "T-problem", "T-complaint")]
    assert owners == [None, "Ann", "Ann"]
    back = lambda: ticket_moves.hand_over(  # noqa: E731
        desk, DANA, "T-problem", "", later(61), ZONE, "x"
    )
    assert code_of(back) == "name_person"


def test_the_worker_ends_duties_unasked_and_once(
    fresh_engine: sa.Engine, open_desk: OpenDesk
) -> None:
    with transaction(fresh_engine) as session:
        open_desk(session, AT, Ann=(ORDINARY, {"net": 3}, 2))
        add(session, "T1")
        dispatching.assign(session, DANA, "T1", "Ann", AT, ZONE, "as agreed")
        session.exec(select(Assignment)).one().ends_at = later(30)
    moved = [clock_worker.end_duties(fresh_engine, later(minute))["queue"] for minute in (31, 32)]
    assert moved == [1, 0]
    with transaction(fresh_engine) as session:
        assert owner(session, "T1") is None
        assert len(session.exec(select(TicketHandover)).all()) == 1
        told = select(AuditEntry).where(AuditEntry.action == "dispatch.settle")
        assert len(session.exec(told).all()) == 1


def test_whoever_neither_dispatches_nor_owns_it_is_turned_away(desk: Session) -> None:
    bo = desk.exec(select(Agent).where(Agent.code == "Bo")).one()
    stranger = Actor("Bo", agent_id=bo.id, roles={Role.AGENT: None})
    with pytest.raises(AccessDeniedError):
        ticket_moves.put_back(desk, stranger, "T1", later(1), "mine now")
    with pytest.raises(AccessDeniedError):
        ticket_moves.settle(desk, stranger, later(1))


def test_the_agent_a_complaint_is_about_gets_it_by_no_way(desk: Session) -> None:
    bo = desk.exec(select(Agent).where(Agent.code == "Bo")).one()
    add(desk, "C1", kind=TicketKind.COMPLAINT, about_id=bo.id)
    give = lambda: dispatching.assign(desk, DANA, "C1", "Bo", AT, ZONE, "x")  # noqa: E731
    assert code_of(give) == "about_her"
    ticket_work.find(desk, "T1").about_id = bo.id
    desk.flush()
    pass_on = lambda: ticket_moves.hand_over(desk, DANA, "T1", "Bo", AT, ZONE, "x")  # noqa: E731
    assert code_of(pass_on) == "about_her"


def test_kinds_weigh_as_the_rules_say(desk: Session) -> None:
    # Ann holds T1 (request, 1); an incident weighs 2 and does not fit beside it in 2
    add(desk, "I1", kind=TicketKind.INCIDENT)
    give = lambda: dispatching.assign(desk, DANA, "I1", "Ann", AT, ZONE, "x")  # noqa: E731
    assert code_of(give) == "full"
    dispatching.assign(desk, DANA, "I1", "Bo", AT, ZONE, "x")  # empty hands take anything
    bo = desk.exec(select(Agent).where(Agent.code == "Bo")).one()
    assert desk_snapshot.in_hand(desk)[bo.id] == 2


@pytest.mark.parametrize(
    "text",
    [
        "not toml", 'policy = "best"\npauses = []', "[weights]\nincident = 0\n[[pauses]]",
        "pauses = []\n[end_of_duty]\nproblem = 'vanish'", "[[rings]]\nleft_share = 2",
        "[weights]\ndream = 1",
    ],
)  # fmt: skip
def test_rules_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="dispatch"):
        desk_rules.read(text)


def test_the_rules_shipped_can_be_read() -> None:
    rules = desk_rules.load()
    assert rules.policy().rings == rules.rings
    assert rules.policy("fifo").rings == ()
    assert rules.weight(TicketKind.INCIDENT) == 2
    assert rules.weight(TicketKind.REQUEST) == 1
