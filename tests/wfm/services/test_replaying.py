"""Replays of drafts: presence, intervals over replications, and arrivals drawn from a plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from wfm.dispatch.model import SECOND, Ticket
from wfm.dispatch.replay import Decision
from wfm.dispatch.report import Share
from wfm.services import replaying
from wfm.tables import Assignment

NINE = datetime(2026, 6, 1, 1, tzinfo=UTC)


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
    found = replaying.shares([Share(10, 10, 8), Share(10, 10, 9)])
    assert found.mean == pytest.approx(0.85)
    assert found.low == pytest.approx(0.85 - 12.706 * 0.05, abs=1e-3)
    assert found.high == 1.0  # 1.485, cut off


def test_one_replication_has_wilsons_interval() -> None:
    found = replaying.shares([Share(10, 10, 8)])
    assert (found.low, found.high) == pytest.approx(Share(10, 10, 8).interval)


def test_nothing_replayed_is_no_share() -> None:
    assert replaying.shares([Share(0, 0, 0)]).mean == 0.0


def decided(minute: int, met: int, of: int, skill: str = "net") -> list[Decision]:
    opened = (round(NINE.timestamp()) + 60 * minute) * SECOND
    return [
        Decision(
            Ticket(f"{skill}-{minute}-{n}", opened, opened, skill), "a",
            opened if n < met else opened + 1, opened + 2, "oldest",
        )
        for n in range(of)
    ]  # fmt: skip


def test_half_hours_fail_where_chance_does_not_explain_it() -> None:
    # 09:00: 10 of 20 over two replications, Wilson up to 70 %; 09:30: 4 of 5, up to 96 %
    played = [decided(10, 5, 10) + decided(40, 4, 5), decided(29, 5, 10)]
    (found,) = replaying.failing(played, 0.9, "Asia/Shanghai")
    assert (found["day"], found["minute"], found["skill"], found["tier"], found["share"]) == (
        "2026-06-01", 540, "net", "ordinary", 0.5,
    )  # fmt: skip
    assert found["high"] == pytest.approx(0.701, abs=1e-3)
    assert replaying.failing(played, 0.7, "Asia/Shanghai") == []
    # what misses most comes first: 20 × 0.9 − 10 = 8 tickets, and 30 × 0.9 − 10 = 17
    more = [*played, decided(70, 10, 30, "app")]
    assert [one["minute"] for one in replaying.failing(more, 0.9, "Asia/Shanghai")] == [600, 540]
