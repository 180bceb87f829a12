"""What events say of a ticket, each rule with a case where it holds and one where it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from wfm.services.ticket_states import derive
from wfm.tables import Agent, Ticket, TicketEvent
from wfm.words import EventKind

OPENED = datetime(2026, 2, 16, 9, 0, tzinfo=UTC)


def minute(number: int) -> datetime:
    return OPENED + timedelta(minutes=number)


@pytest.fixture
def told(session: Session):
    """A ticket with the given events (kind, agent 0/1/2 for nobody/first/second), derived."""
    people = [Agent(code=f"A{n}", name=f"A{n}") for n in (1, 2)]
    session.add_all(people)
    session.flush()

    def tell(*events: tuple[str, int], **recorded: object) -> Ticket:
        ticket = Ticket(code="T1", opened_at=OPENED, **recorded)
        session.add(ticket)
        session.flush()
        for number, (kind, who) in enumerate(events):
            session.add(TicketEvent(
                code=f"E{number}", ticket_id=ticket.id, at=minute(number), kind=EventKind(kind),
                agent_id=people[who - 1].id if who else None,
            ))  # fmt: skip
        derive(session, [ticket.id])
        assert derive(session) == 0  # what was derived once stays
        return ticket

    tell.people = people
    return tell


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        (["opened"], "open"),
        (["opened", "paused"], "paused"),
        (["paused", "resumed"], "open"),
        (["paused", "resolved"], "resolved"),
        (["resolved", "closed"], "closed"),
        (["resolved", "closed", "reopened"], "open"),
        (["cancelled"], "cancelled"),
        (["resolved", "noted", "customer_message"], "resolved"),
    ],
)
def test_state(told, kinds: list[str], state: str) -> None:
    assert told(*[(kind, 0) for kind in kinds]).state == state


@pytest.mark.parametrize(
    ("events", "owner"),
    [
        ([("assigned", 1)], 1),
        ([("assigned", 1), ("assigned", 2)], 2),
        ([("assigned", 1), ("transferred", 2)], 2),
        ([("assigned", 1), ("transferred", 0)], 0),  # back in the queue
        ([("assigned", 1), ("escalated", 0)], 1),
        ([("assigned", 1), ("noted", 2), ("agent_message", 2), ("priority_changed", 2)], 1),
        ([("assigned", 1), ("resolved", 0), ("closed", 2)], 1),
        ([("resolved", 2)], 2),
    ],
)
def test_owner(told, events: list[tuple[str, int]], owner: int) -> None:
    expected = told.people[owner - 1].id if owner else None
    assert told(*events).owner_id == expected


def test_first_response_is_the_first_agent_message(told) -> None:
    ticket = told(("customer_message", 0), ("agent_message", 1), ("resolved", 1),
                  first_response_at=minute(50))  # fmt: skip
    assert ticket.first_response_at == minute(1)


def test_without_a_message_the_recorded_response_stays(told) -> None:
    assert told(("resolved", 1), first_response_at=minute(50)).first_response_at == minute(50)


def test_without_either_the_resolution_answers(told) -> None:
    assert told(("noted", 1), ("resolved", 1)).first_response_at == minute(1)


def test_resolved_at_is_the_last_resolution_since_the_last_reopening(told) -> None:
    ticket = told(("resolved", 1), ("reopened", 0), ("resolved", 1), ("resolved", 1),
                  ("closed", 0))  # fmt: skip
    assert (ticket.resolved_at, ticket.closed_at) == (minute(3), minute(4))
    assert (ticket.resolved, ticket.reopened) == (True, True)


def test_a_reopened_ticket_has_no_end(told) -> None:
    ticket = told(("resolved", 1), ("closed", 0), ("reopened", 0), resolved_at=minute(0),
                  resolved=True)  # fmt: skip
    assert (ticket.resolved_at, ticket.closed_at, ticket.resolved) == (None, None, None)


def test_closed_without_a_resolution(told) -> None:
    ticket = told(("closed", 0))
    assert (ticket.resolved_at, ticket.resolved, ticket.reopened) == (minute(0), True, False)


def test_closed_and_recorded_as_not_resolved(told) -> None:
    ticket = told(("closed", 0), resolved=False)
    assert (ticket.resolved_at, ticket.resolved, ticket.state) == (None, False, "closed")


def test_a_recorded_resolution_holds_unless_reopened_since(told) -> None:
    assert told(("closed", 0), resolved_at=minute(30)).resolved_at == minute(30)


def test_cancelled_is_not_resolved(told) -> None:
    ticket = told(("assigned", 1), ("cancelled", 0))
    assert (ticket.resolved, ticket.resolved_at, ticket.closed_at) == (False, None, None)


@pytest.mark.parametrize(
    ("events", "independent"),
    [
        ([("assigned", 1), ("resolved", 1)], True),
        ([("assigned", 1), ("resolved", 2)], False),
        ([("assigned", 1), ("escalated", 1), ("resolved", 1)], False),
        ([("assigned", 1), ("transferred", 1), ("resolved", 1)], False),
        ([("assigned", 1)], None),
        ([("resolved", 0)], None),  # nobody is known to have had it
    ],
)
def test_independent(told, events: list[tuple[str, int]], independent: bool | None) -> None:
    assert told(*events).independent is independent


def test_what_events_are_silent_on_stays(told) -> None:
    ticket = told(("noted", 1), ("opened", 0), state="resolved", resolved_at=minute(5),
                  resolved=True, independent=False, reopened=True)  # fmt: skip
    assert (ticket.state, ticket.resolved_at, ticket.independent, ticket.reopened) == (
        "resolved", minute(5), False, True,
    )  # fmt: skip


def test_events_at_the_same_moment_count_in_their_order(told, session: Session) -> None:
    ticket = told(("assigned", 1))
    for number, kind in enumerate(("resolved", "closed")):
        session.add(TicketEvent(code=f"X{number}", ticket_id=ticket.id, at=minute(9), kind=kind))
        session.flush()
    derive(session, [ticket.id])
    assert ticket.state == "closed"


def test_only_the_tickets_asked_for(told, session: Session) -> None:
    ticket = told(("noted", 1))
    session.add(TicketEvent(code="X", ticket_id=ticket.id, at=minute(9), kind="resolved"))
    session.flush()
    assert derive(session, []) == 0
    assert ticket.state == "open"
    assert derive(session) == 1
    assert ticket.state == "resolved"
