"""Replays of drafts: presence, intervals over replications, and arrivals drawn from a plan."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from wfm import jobs
from wfm.db import transaction
from wfm.dispatch import model
from wfm.dispatch.model import SECOND, Agent
from wfm.dispatch.replay import Decision, Duty
from wfm.dispatch.report import Share, report
from wfm.services import replay_figures, replaying, roster_work
from wfm.tables import (
    Agreement,
    AgreementTarget,
    Assignment,
    AuditEntry,
    Demand,
    Job,
    RosterVersion,
    Ticket,
)
from wfm.worker import Works

NINE = datetime(2026, 6, 1, 1, tzinfo=UTC)
ZONE = "Asia/Shanghai"
ALWAYS = Duty("a", 0, 1 << 62)


def duty(*breaks: tuple[int, int]) -> Assignment:
    """09:00–17:30 with breaks told in minutes after its start."""
    return Assignment(
        version_id=1, agent_id=1, day=date(2026, 6, 1), shift_code="day",
        starts_at=NINE, ends_at=NINE + timedelta(hours=8.5),
        breaks=[
            {"from": (NINE + timedelta(minutes=a)).isoformat(),
             "until": (NINE + timedelta(minutes=b)).isoformat()}
            for a, b in breaks
        ],
    )  # fmt: skip


def minutes(spans: list[tuple[int, int]]) -> list[tuple[float, float]]:
    start = NINE.timestamp()
    return [((a / SECOND - start) / 60, (b / SECOND - start) / 60) for a, b in spans]


def test_presence_is_the_duty_less_its_breaks() -> None:
    assert minutes(replaying.presence(duty((180, 210)))) == [(0, 180), (210, 510)]


def test_a_duty_without_breaks_is_one_span() -> None:
    assert minutes(replaying.presence(duty())) == [(0, 510)]


def test_a_break_at_the_edge_leaves_no_empty_span() -> None:
    assert minutes(replaying.presence(duty((0, 30), (480, 510)))) == [(30, 480)]


def test_shares_over_replications_have_students_interval() -> None:
    # shares 0.8 and 0.9: mean 0.85, deviation 0.0707, over √2 = 0.05; t(0.975, 1) = 12.706
    found = replay_figures.shares([Share(10, 10, 8), Share(10, 10, 9)])
    assert found.mean == pytest.approx(0.85)
    assert found.low == pytest.approx(0.85 - 12.706 * 0.05, abs=1e-3)
    assert found.high == 1.0  # 1.485, cut off


def test_one_replication_has_wilsons_interval() -> None:
    found = replay_figures.shares([Share(10, 10, 8)])
    assert (found.low, found.high) == pytest.approx(Share(10, 10, 8).interval)


def test_nothing_replayed_is_no_share() -> None:
    assert replay_figures.shares([Share(0, 0, 0)]).mean == 0.0


def decided(minute: int, met: int, of: int, skill: str = "net") -> list[Decision]:
    opened = (round(NINE.timestamp()) + 60 * minute) * SECOND
    return [
        Decision(
            model.Ticket(f"{skill}-{minute}-{n}", opened, opened, skill), "a",
            opened if n < met else opened + 1, opened + 2, "oldest",
        )
        for n in range(of)
    ]  # fmt: skip


def failing(played: list[list[Decision]], agreed: float) -> list[dict[str, Any]]:
    runs = [
        replay_figures.figures(decisions, report(decisions, [Agent("a")], [ALWAYS]), ZONE)
        for decisions in played
    ]
    outcome = replay_figures.outcome(runs, agreed, "fifo", 0, ZONE)
    return list(outcome["failing"])


def test_half_hours_fail_where_chance_does_not_explain_it() -> None:
    # 09:00: 10 of 20 over two replications, Wilson up to 70 %; 09:30: 4 of 5, up to 96 %
    played = [decided(10, 5, 10) + decided(40, 4, 5), decided(29, 5, 10)]
    (found,) = failing(played, 0.9)
    assert (found["day"], found["minute"], found["skill"], found["tier"], found["share"]) == (
        "2026-06-01", 540, "net", "ordinary", 0.5,
    )  # fmt: skip
    assert found["high"] == pytest.approx(0.701, abs=1e-3)
    assert failing(played, 0.7) == []
    # what misses most comes first: 20 × 0.9 − 10 = 8 tickets, and 30 × 0.9 − 10 = 17
    more = [*played, decided(70, 10, 30, "app")]
    assert [one["minute"] for one in failing(more, 0.9)] == [600, 540]


def test_workers_that_share_a_replay_come_to_what_one_would(
    fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]
) -> None:
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        net = week.skills["net"]
        at = week.local(week.first, 8)
        session.add_all(
            Ticket(code=f"T{n}", skill_id=net, respond_within_s=900, handle_s=60 * (n + 1),
                   opened_at=at - timedelta(days=3, minutes=n))
            for n in range(30)
        )  # fmt: skip
        session.add_all(
            Demand(plan_id=week.plan, skill_id=net, handle_s=900, contacts=3.0,
                   starts_at=week.local(week.first, 17 + slot / 2))
            for slot in range(8)
        )  # fmt: skip
        _, (version,) = week.drafts(session, {(who, week.first): "late" for who in "BCE"})
        alone = replaying.gate(session, week.planner, [version], ZONE, at,
                               replications=roster_work.REPLICATIONS)  # fmt: skip
        session.get_one(RosterVersion, version).replay = {}
        job = roster_work.ask_to_replay(session, week.planner, version, at).id
    assert 0 < alone["share_met"] < 1
    assert job is not None
    with ThreadPoolExecutor(2) as pool:
        for running in [pool.submit(jobs.run, fresh_engine, job, Works()) for _ in range(2)]:
            running.result(60)
    with transaction(fresh_engine) as session:
        assert session.get_one(Job, job).status == "done"
        assert session.get_one(RosterVersion, version).replay == alone
        replays = session.exec(select(AuditEntry).where(AuditEntry.action == "roster.replay"))
        assert len(replays.all()) == 2  # that of the one, and that of the two


def test_a_roster_changed_during_its_replay_is_to_be_replayed_again(
    fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]
) -> None:
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        _, (version,) = week.drafts(session, {("B", week.first): "late"})
        before = replaying.bench_of(session, [version], ZONE)
        again = replaying.bench_of(session, [version], ZONE)
        row = session.exec(select(Assignment).where(Assignment.version_id == version)).one()
        row.ends_at -= timedelta(minutes=30)
        session.flush()
        after = replaying.bench_of(session, [version], ZONE)
    assert before.print_of() == again.print_of() != after.print_of()


JUNE = date(2026, 6, 1), date(2026, 6, 30)


@pytest.mark.parametrize(
    ("kind", "metric", "seal", "begins", "ends", "agreed"),
    [
        ("sla", "first_response", "x", date(2026, 1, 1), None, 0.5),
        ("sla", "first_response", "x", date(2026, 6, 30), None, 0.5),
        ("sla", "first_response", "x", date(2026, 1, 1), date(2026, 6, 2), 0.5),
        ("sla", "first_response", "", None, None, 0.95),  # a draft
        ("sla", "first_response", "x", date(2026, 7, 1), None, 0.95),
        ("sla", "first_response", "x", date(2026, 1, 1), date(2026, 6, 1), 0.95),
        ("sla", "resolution", "x", date(2026, 1, 1), None, 0.95),
        ("ola", "first_response", "x", date(2026, 1, 1), None, 0.95),
    ],
)
def test_only_what_binds_in_the_period_says_which_share_is_agreed(
    session: Session, kind: str, metric: str, seal: str, begins: date | None, ends: date | None,
    agreed: float,
) -> None:  # fmt: skip
    assert replaying.agreed_share(session, *JUNE) == replaying.DEFAULT_SHARE
    rows = (("one", "sla", "first_response", "x", date(2026, 1, 1), None, 0.95),
            ("two", kind, metric, seal, begins, ends, 0.5))  # fmt: skip
    for code, of_kind, of_metric, sealed, first, last, share in rows:
        row = Agreement(code=code, kind=of_kind, in_force_from=first, in_force_until=last)
        session.add(row)
        session.flush()
        session.add(AgreementTarget(agreement_id=row.id, metric=of_metric, limit_s=60, share=share))
        session.flush()
        row.seal = sealed
    assert replaying.agreed_share(session, *JUNE) == agreed


def test_drawn_tickets_weigh_what_their_kind_weighs(
    session: Session, roster_week: Callable[[Session], Any]
) -> None:
    week = roster_week(session)
    net, at = week.skills["net"], week.local(week.first, 9)
    session.add_all(
        Ticket(code=f"T{n}", skill_id=net, respond_within_s=900, handle_s=60, kind=kind,
               opened_at=at - timedelta(days=3))
        for n, kind in enumerate(("incident", "request"))
    )  # fmt: skip
    session.add(Demand(plan_id=week.plan, skill_id=net, handle_s=60, contacts=40.0, starts_at=at))
    session.flush()
    bench = replaying.set_up(session, week.drafts(session, {})[1], ZONE, replications=1, seed=0)
    # incidents take 2 of an agent's capacity (wfm/data/dispatch.toml), requests 1
    assert {ticket.weight for ticket in bench.traces[0].tickets} == {1, 2}
