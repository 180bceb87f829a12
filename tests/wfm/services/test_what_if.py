"""What-if: both worlds over the same recorded tickets, and what the interval says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from wfm.access import Actor
from wfm.dispatch.model import SECOND, Agent, Ticket
from wfm.dispatch.replay import Duty, Trace
from wfm.errors import AccessDeniedError, ConflictError, InputError
from wfm.services import what_if
from wfm.services.what_if import Change, Question, World
from wfm.tables import Assignment, Skill
from wfm.tables import Ticket as TicketRow
from wfm.words import Role

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
DAY = date(2026, 3, 2)
ZONE = "Asia/Shanghai"
PLANNER = Actor("pia", roles={Role.PLANNER: None})


def trace(*calls: tuple[int, int]) -> Trace:
    """Calls as (opened, due) in seconds; each takes 100 s."""
    tickets = [Ticket(f"t{n}", a * SECOND, b * SECOND, "x") for n, (a, b) in enumerate(calls)]
    return Trace(tickets, [100 * SECOND] * len(tickets), [None] * len(tickets))


def world(policy: str = "fifo", people: int = 1) -> World:
    agents = tuple(Agent(f"a{n}") for n in range(people))
    return World(agents, tuple(Duty(one.agent_id, 0, 10_000 * SECOND) for one in agents), policy)


def shares(traces: list[Trace], now: World, then: World) -> what_if.Row:
    pairs = [what_if.pair(trace, now, then) for trace in traces]
    return next(row for row in what_if.compare(pairs) if row.figure == "share")


def test_one_more_agent_keeps_the_promise_of_whoever_would_have_waited() -> None:
    # two calls at once, due at 50: one agent keeps one of two, two keep both; then no second call
    days = [trace((0, 50), (0, 50)), trace((0, 50), (0, 50)), trace((0, 50))]
    row = shares(days, world(), world(people=2))
    # differences 0.5, 0.5, 0: mean 1/3, deviation 0.2887, over √3 = 0.1667; t(0.975, 2) = 4.303
    assert (row.now, row.then) == (pytest.approx(2 / 3), 1.0)
    assert row.difference == pytest.approx(1 / 3)
    assert (row.low, row.high) == (
        pytest.approx(1 / 3 - 4.3027 * 0.16667, abs=1e-3),
        pytest.approx(1 / 3 + 4.3027 * 0.16667, abs=1e-3),
    )


def test_the_same_world_differs_by_nothing() -> None:
    row = shares([trace((0, 50), (0, 50))] * 3, world(), world())
    assert (row.difference, row.low, row.high) == (0, 0, 0)


def test_one_pair_has_no_interval() -> None:
    row = shares([trace((0, 50), (0, 50))], world(), world(people=2))
    assert (row.difference, row.low, row.high) == (0.5, None, None)


def test_recorded_days_come_as_they_were(session: Session, open_desk: Callable[..., None]) -> None:
    open_desk(session, AT, A=("ordinary", {"net": 3}, 1))
    net = session.exec(select(Skill)).one()
    for number, hours in enumerate((0, 1, 24)):
        session.add(
            TicketRow(code=f"T{number}", opened_at=AT + timedelta(hours=hours), skill_id=net.id,
                      respond_within_s=600, handle_s=120,
                      kind="consultation" if hours else "incident")
        )  # fmt: skip
    session.add(TicketRow(code="open", opened_at=AT, skill_id=net.id, respond_within_s=600))
    session.flush()
    days = what_if.recorded(session, DAY, DAY + timedelta(days=1), ZONE)
    first, second = days[DAY], days[DAY + timedelta(days=1)]
    assert [ticket.ticket_id for ticket in first.tickets] == ["T0", "T1"]
    assert [ticket.ticket_id for ticket in second.tickets] == ["T2"]
    assert first.tickets[0].due_at - first.tickets[0].opened_at == 600 * SECOND
    assert list(first.handle) == [120 * SECOND] * 2
    assert [ticket.weight for ticket in first.tickets] == [2, 1]  # wfm/data/dispatch.toml


def test_the_other_world_has_the_newcomer_and_not_the_break(
    session: Session, open_desk: Callable[..., None]
) -> None:
    open_desk(session, AT, A=("ordinary", {"net": 3}, 1))
    duty = session.exec(select(Assignment)).one()
    noon = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
    duty.breaks = [{"from": noon.isoformat(), "until": (noon + timedelta(hours=1)).isoformat()}]
    session.flush()
    change = Change("fifo", grade="senior", skill="net", starts=600, ends=660, break_at=720)
    question = Question(DAY, DAY, "recorded", change)
    now, then = (World.of(session, question, ZONE, changed) for changed in (False, True))
    assert (now.policy, then.policy) == ("deadline", "fifo")
    assert [len([d for d in w.duties if d.agent_id == "A"]) for w in (now, then)] == [2, 1]
    (extra,) = [duty for duty in then.duties if duty.agent_id == what_if.NEWCOMER]
    assert (extra.end - extra.start) == 3600 * SECOND
    assert [one.agent_id for one in now.people] == ["A"]
    other = Question(DAY, DAY, "recorded", Change(break_at=721))
    assert len(World.of(session, other, ZONE, True).duties) == 2


@pytest.mark.parametrize(
    ("zone", "day", "begins", "break_at"),
    [
        # a night duty of 2 March: its break at 02:30 is that of the morning of the 3rd
        ("Asia/Shanghai", DAY, datetime(2026, 3, 2, 18, 30, tzinfo=UTC), 150),
        # on 25 October Berlin has 02:30 twice: 00:30 and 01:30 UTC
        ("Europe/Berlin", date(2026, 10, 24), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 150),
        ("Europe/Berlin", date(2026, 10, 24), datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 150),
    ],
)
def test_a_break_is_left_out_by_what_the_clock_on_the_wall_shows(
    zone: str, day: date, begins: datetime, break_at: int
) -> None:
    hour = timedelta(hours=1)
    pause = {"from": begins.isoformat(), "until": (begins + hour / 2).isoformat()}
    duty = Assignment(version_id=1, agent_id=1, day=day, shift_code="N", breaks=[pause],
                      starts_at=begins - 4 * hour, ends_at=begins + 4 * hour)  # fmt: skip
    assert len(what_if._presence(duty, break_at, zone)) == 1
    assert len(what_if._presence(duty, break_at + 1, zone)) == 2


def test_questions_that_make_no_sense_are_refused(session: Session) -> None:
    for question in (
        Question(DAY, DAY - timedelta(days=1), "recorded", Change()),
        Question(DAY, DAY + timedelta(days=31), "recorded", Change()),
        Question(DAY, DAY, "dreamt", Change()),
        Question(DAY, DAY, "recorded", Change(policy="best")),
        Question(DAY, DAY, "recorded", Change(grade="master")),
        Question(DAY, DAY, "recorded", Change(grade="senior", starts=600, ends=600)),
    ):
        with pytest.raises(InputError):
            what_if.ask(session, PLANNER, question, AT)
    with pytest.raises(AccessDeniedError):
        what_if.ask(session, Actor("a", roles={Role.AGENT: None}),
                    Question(DAY, DAY, "recorded", Change()), AT)  # fmt: skip
    with pytest.raises(ConflictError):
        what_if.traces_of(session, Question(DAY, DAY, "recorded", Change()), ZONE)


def test_figures_keep_their_order_whatever_the_queue_made_of_them() -> None:
    """A job's parts come back from the database with their names in another order."""
    one = what_if.pair(trace((0, 50), (0, 50)), world(), world(people=2))
    shuffled = dict(sorted(one.items(), key=lambda item: len(item[0])))
    assert what_if.compare([shuffled]) == what_if.compare([one])
    names = [row.figure for row in what_if.compare([shuffled])]
    assert names == list(what_if.FIGURES)
