"""Stored clocks of tickets: from the agreements of their service, rebuilt, looked at, raised.

The desk is open every day 08:00–22:00 in Shanghai; 2026-03-02 is a Monday, 02:00 UTC is 10:00.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.services import clock_book, clock_worker, opening, ticket_changes, ticket_work
from wfm.tables import (
    Agreement,
    AgreementTarget,
    BusinessCalendar,
    ClockFailure,
    ClockNotice,
    Customer,
    Service,
    Ticket,
    TicketClock,
    TicketEvent,
)
from wfm.words import AgreementKind, AgreementStatus, EventKind, Metric

ZONE = "Asia/Shanghai"
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
M = timedelta(minutes=1)
EVERY_DAY = {day: [["08:00", "22:00"]] for day in opening.WEEK}


def put(session: Session, *rows: object) -> None:
    session.add_all(rows)
    session.flush()


def agree(
    session: Session, service: Service | None, kind: str = "sla", code: str = "S", **options: object
) -> Callable[..., None]:
    """An agreement; gives back what adds a target to it."""
    agreement = Agreement(
        code=code, kind=AgreementKind(kind), status=AgreementStatus.IN_FORCE,
        service_id=service.id if service else None, **options,
    )  # fmt: skip
    put(session, agreement)

    def target(metric: str, minutes: int, priority: int | None = None, **more: object) -> None:
        put(session, AgreementTarget(agreement_id=agreement.id, metric=Metric(metric),
                                     priority=priority, limit_s=minutes * 60, **more))  # fmt: skip

    return target


def desk(session: Session) -> Service:
    service = Service(code="net", name_en="Network", name_zh="网络")
    put(session, service, BusinessCalendar(
        code=opening.DESK_CALENDAR, name_en="Desk", name_zh="服务台", timezone=ZONE,
        definition=EVERY_DAY))  # fmt: skip
    return service


def ticket(session: Session, service: Service | None, code: str = "T", at: datetime = AT,
           **options: object) -> Ticket:  # fmt: skip
    made = Ticket(code=code, opened_at=at, service_id=service.id if service else None, **options)
    put(session, made)
    happened(session, made, "opened", at)
    return made


def happened(session: Session, which: Ticket, kind: str, at: datetime) -> None:
    put(session, TicketEvent(code=f"{which.code}-{kind}-{at}", ticket_id=which.id, at=at,
                             kind=EventKind(kind)))  # fmt: skip


def look(session: Session, which: Ticket, at: datetime) -> dict[tuple[str, str], TicketClock]:
    clock_book.refresh(session, [which.id], at, ZONE)
    rows = session.exec(select(TicketClock).where(TicketClock.ticket_id == which.id))
    return {(row.slot, row.metric): row for row in rows}


def raised(session: Session) -> list[tuple[str, str, int]]:
    rows = session.exec(select(ClockNotice).order_by(col(ClockNotice.id)))
    return [(row.slot, row.metric, row.percent) for row in rows]


def test_an_imported_ticket_gets_the_promises_of_its_service(session: Session) -> None:
    service = desk(session)
    target = agree(session, service)
    target("first_response", 60)
    target("resolution", 240, priority=3)
    target("resolution", 120, priority=1)
    clocks = look(session, row := ticket(session, service), AT + 10 * M)
    assert set(clocks) == {("sla", "first_response"), ("sla", "resolution")}
    assert clocks["sla", "first_response"].due_at == AT + 60 * M
    assert clocks["sla", "resolution"].due_at == AT + 240 * M
    assert row.due_at == AT + 60 * M
    assert row.next_look_at == AT + 30 * M  # 50 % of the first response
    urgent = look(session, ticket(session, service, "U", priority=1), AT + 10 * M)
    assert urgent["sla", "resolution"].limit_s == 7200


def test_a_promise_that_came_with_the_ticket_goes_before(session: Session) -> None:
    service = desk(session)
    agree(session, service)("first_response", 60)
    clocks = look(session, ticket(session, service, respond_within_s=300), AT)
    assert clocks["sla", "first_response"].due_at == AT + 5 * M
    # and without any agreement it counts in the desk's opening hours: 21:58 + 5 min is 08:03
    late = AT.replace(hour=13, minute=58)
    alone = look(session, ticket(session, None, "A", late, respond_within_s=300), late)
    assert alone["sla", "first_response"].due_at == late + timedelta(hours=10, minutes=5)
    assert look(session, ticket(session, None, "B"), AT) == {}


def test_the_version_in_force_when_the_ticket_was_opened_binds(session: Session) -> None:
    service = desk(session)
    agree(session, service, version=1, in_force_until=date(2026, 3, 2))("first_response", 60)
    agree(session, service, version=2, in_force_from=date(2026, 3, 2))("first_response", 30)
    draft = Agreement(code="S", version=3, kind="sla", service_id=service.id)
    put(session, draft)
    put(session, AgreementTarget(agreement_id=draft.id, metric="first_response", limit_s=1))
    before = ticket(session, service, "A", AT - timedelta(days=1))
    assert look(session, before, AT)["sla", "first_response"].limit_s == 3600
    assert look(session, ticket(session, service), AT)["sla", "first_response"].limit_s == 1800


def test_a_customer_s_own_agreement_goes_before_the_service_s(session: Session) -> None:
    service = desk(session)
    ours, other = Customer(code="C1", name="one"), Customer(code="C2", name="two")
    put(session, ours, other)
    agree(session, service)("first_response", 60)
    agree(session, service, code="VIP", customer_id=ours.id)("first_response", 15)
    own = ticket(session, service, customer_id=ours.id)
    usual = ticket(session, service, "U", customer_id=other.id)
    assert look(session, own, AT)["sla", "first_response"].limit_s == 900
    assert look(session, usual, AT)["sla", "first_response"].limit_s == 3600


def test_supporting_agreements_have_clocks_beside_the_customer_s(session: Session) -> None:
    service = desk(session)
    agree(session, service)("resolution", 240)
    agree(session, service, "ola", "OLA-line")("resolution", 120)
    agree(session, service, "uc", "UC-line")("resolution", 60, conditions={
        "starts": ["escalated"], "ends": ["transferred"], "holds": []})  # fmt: skip
    row = ticket(session, service)
    happened(session, row, "escalated", AT + 20 * M)
    clocks = look(session, row, AT + 30 * M)
    due = {slot: clock.due_at for (slot, _), clock in clocks.items()}
    assert due == {"sla": AT + 240 * M, "OLA-line": AT + 120 * M, "UC-line": AT + 80 * M}
    assert row.due_at == AT + 240 * M  # the customer's


def test_a_change_of_priority_keeps_the_time_spent(session: Session) -> None:
    service = desk(session)
    target = agree(session, service)
    target("resolution", 240, priority=3)
    target("resolution", 90, priority=1)
    row = ticket(session, service)
    ticket_work.append(session, row, EventKind.PAUSED, None, AT + 20 * M)
    ticket_changes.change_priority(session, SYSTEM, "T", 1, AT + 40 * M, "outage")
    ticket_work.append(session, row, EventKind.RESUMED, None, AT + 50 * M)
    clock = look(session, row, AT + 60 * M)["sla", "resolution"]
    # 20 min spent, 30 min paused: 70 of 90 left at 10:50
    assert (clock.limit_s, clock.due_at) == (5400, AT + 120 * M)
    (facts,) = clock_book.facts_of(session, [row.id], AT + 60 * M)
    replayed, _ = clock_book.read(facts, AT + 60 * M, clock_book.load(session, ZONE))
    changed = [entry for entry in replayed.timeline if entry.code == "target_changed"]
    assert [entry.parameters for entry in changed] == [{"limit_s": 5400, "spent_s": 1200}]


def test_a_change_of_service_brings_other_agreements(session: Session) -> None:
    service = desk(session)
    other = Service(code="app", name_en="App", name_zh="应用")
    put(session, other)
    agree(session, service)("resolution", 240)
    agree(session, other, code="S2")("resolution", 60)
    row = ticket(session, service)
    ticket_changes.change_service(session, SYSTEM, "T", "app", AT + 30 * M)
    assert look(session, row, AT + 40 * M)["sla", "resolution"].due_at == AT + 60 * M


def test_a_callback_is_due_after_the_resolution(session: Session) -> None:
    service = desk(session)
    agree(session, service)("callback", 60)
    row = ticket(session, service)
    for kind, minutes in (("resolved", 30), ("closed", 50)):
        ticket_work.append(session, row, EventKind(kind), None, AT + minutes * M)
    assert look(session, row, AT + 55 * M)["sla", "callback"].due_at == AT + 90 * M
    ticket_changes.call_back(session, SYSTEM, "T", AT + 80 * M)
    clock = look(session, row, AT + 85 * M)["sla", "callback"]
    assert (clock.state, clock.used_s) == ("met", 50 * 60)


def test_a_ticket_without_events_is_read_by_what_is_recorded_of_it(session: Session) -> None:
    service = desk(session)
    target = agree(session, service)
    target("first_response", 60)
    target("resolution", 240)
    row = Ticket(code="F", opened_at=AT, service_id=service.id, state="resolved",
                 first_response_at=AT + 10 * M, resolved_at=AT + 300 * M)  # fmt: skip
    put(session, row)
    clocks = look(session, row, AT + timedelta(days=2))
    assert {key[1]: (clock.state, clock.used_s) for key, clock in clocks.items()} == {
        "first_response": ("met", 600), "resolution": ("breached", 18000)
    }  # fmt: skip


def test_each_threshold_is_raised_once(session: Session) -> None:
    service = desk(session)
    agree(session, service)("first_response", 60)
    row = ticket(session, service)
    look(session, row, AT + 29 * M)
    assert raised(session) == []
    look(session, row, AT + 46 * M)
    assert [percent for *_, percent in raised(session)] == [50, 75]
    look(session, row, AT + 47 * M)
    look(session, row, AT + 61 * M)
    assert [percent for *_, percent in raised(session)] == [50, 75, 90, 100]
    assert row.next_look_at is None  # nothing more will happen without an event


def test_nothing_is_raised_at_night_but_by_policy(session: Session) -> None:
    service = desk(session)
    evening = AT.replace(hour=13, minute=50)  # 21:50; 20 min: half at closing time, all at 08:10
    agree(session, service)("first_response", 20)
    row = ticket(session, service, at=evening)
    look(session, row, evening + 10.5 * M)  # 22:00:30: reached as the desk closed, still raised
    assert [percent for *_, percent in raised(session)] == [50]
    late = ticket(session, service, "L", at=evening)
    look(session, late, evening + 12 * M)  # 22:02: too late to disturb anybody
    morning = AT + timedelta(hours=22)
    assert late.next_look_at == morning
    assert len(raised(session)) == 1
    look(session, late, morning)
    assert len(raised(session)) == 2
    night = agree(session, None, code="N", notices_at_night=True)
    night("first_response", 20)
    look(session, ticket(session, None, "N", at=evening), evening + 60 * M)
    assert len(raised(session)) == 3


def test_history_raises_nothing(session: Session) -> None:
    service = desk(session)
    agree(session, service)("resolution", 60)
    row = ticket(session, service, at=AT - timedelta(days=9))
    happened(session, row, "resolved", AT - timedelta(days=8))
    assert look(session, row, AT)["sla", "resolution"].state == "breached"
    assert raised(session) == []


def test_a_threshold_may_raise_the_tier_the_ticket_needs(session: Session) -> None:
    service = desk(session)
    agree(session, service, thresholds=[{"percent": 80, "tell": "lead", "raise_to": "senior"}])(
        "resolution", 100
    )
    row = ticket(session, service)
    look(session, row, AT + 79 * M)
    assert row.min_grade == "ordinary"
    look(session, row, AT + 80 * M)
    look(session, row, AT + 81 * M)
    assert row.min_grade == "senior"
    kinds = session.exec(select(TicketEvent.kind).where(TicketEvent.ticket_id == row.id)).all()
    assert kinds.count("escalated") == 1


def test_a_check_finds_what_replay_does_not_confirm(session: Session) -> None:
    service = desk(session)
    agree(session, service)("resolution", 240)
    row = ticket(session, service)
    clock = look(session, row, AT)["sla", "resolution"]
    assert clock_book.check(session, AT + M, ZONE).differences == ()
    clock.due_at = AT
    session.flush()
    (found,) = clock_book.check(session, AT + M, ZONE).differences
    assert (found.ticket, found.column, found.replayed) == ("T", "due_at", AT + 240 * M)
    look(session, row, AT + M)
    assert clock_book.check(session, AT + M, ZONE).differences == ()
    session.execute(sa.delete(TicketClock))
    assert clock_book.check(session, AT + M, ZONE).differences[0].column == "clock"


def test_what_is_kept_of_tickets_that_await_a_look_is_compared_too(session: Session) -> None:
    service = desk(session)
    agree(session, service)("resolution", 100)
    row = ticket(session, service)
    clock = look(session, row, AT)["sla", "resolution"]
    # half of 100 minutes is over: a look is due, a notice too, and nothing that is kept is wrong
    checked = clock_book.check(session, AT + 55 * M, ZONE)
    assert (checked.tickets, checked.pending) == (0, 1)
    assert (checked.differences, checked.overtaken) == ((), ())
    # nor past the due time, where the state is another
    assert clock_book.check(session, AT + 130 * M, ZONE).overtaken == ()
    clock.limit_s = 7200
    session.flush()
    checked = clock_book.check(session, AT + 55 * M, ZONE)
    (found,) = checked.overtaken
    assert (found.column, found.stored, found.replayed) == ("limit_s", 7200, 6000)
    assert checked.differences == ()
    # of a ticket nobody has looked at yet nothing is kept
    session.execute(sa.delete(TicketClock))
    assert clock_book.check(session, AT + 55 * M, ZONE).overtaken == ()


def test_a_ticket_that_cannot_be_read_is_pushed_forward(session: Session) -> None:
    service = desk(session)
    agree(session, service)("resolution", 240)
    good = ticket(session, service, "G")
    bad = Ticket(code="B", opened_at=datetime(1890, 1, 1, tzinfo=UTC), service_id=service.id)
    put(session, bad)
    clock_book.refresh(session, [good.id, bad.id], AT, ZONE)
    assert good.due_at is not None
    assert bad.next_look_at == AT + M
    clock_book.refresh(session, [bad.id], AT + M, ZONE)
    assert bad.next_look_at == AT + 3 * M
    assert session.exec(select(ClockFailure.failures)).one() == 2
    bad.opened_at = AT
    clock_book.refresh(session, [bad.id], AT + 3 * M, ZONE)
    assert session.exec(select(ClockFailure)).first() is None


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_share_what_is_due(fresh_engine: sa.Engine, workers: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with transaction(fresh_engine) as session:
        service = desk(session)
        agree(session, service)("first_response", 60)
        for n in range(60):
            ticket(session, service, f"T{n}")
        clock_book.mark(session, AT)
    with ThreadPoolExecutor(workers) as pool:
        looked = pool.map(
            lambda _: clock_worker.catch_up(fresh_engine, AT + 31 * M, ZONE, 7), range(workers)
        )
        assert sum(looked) == 60
    with transaction(fresh_engine) as session:
        assert sorted(raised(session)) == [("sla", "first_response", 50)] * 60


def test_an_imported_change_of_priority_moves_the_clock(session: Session, tmp_path: Path) -> None:
    from wfm.services import importing

    service = desk(session)
    target = agree(session, service)
    target("resolution", 240, priority=3)
    target("resolution", 90, priority=1)
    ticket(session, service, priority=3)
    file = tmp_path / "events.csv"
    file.write_text("event_id,ticket_id,at,kind,priority\n"
                    "e1,T,2026-03-02T02:30:00Z,priority_changed,1\n"
                    "e2,T,2026-03-02T02:40:00Z,noted,2\n")  # fmt: skip
    report = importing.run_import(session, SYSTEM, file, "ticket-events", at=AT + 45 * M,
                                  timezone=ZONE)  # fmt: skip
    assert report.total.added == 2
    row = session.exec(select(Ticket)).one()
    assert row.next_look_at == AT + 45 * M  # the worker is to read it
    clock = look(session, row, AT + 45 * M)["sla", "resolution"]
    assert (clock.limit_s, clock.due_at) == (5400, AT + 90 * M)
