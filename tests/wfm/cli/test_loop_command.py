"""`wfm loop`: what it prints, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlmodel import Session

from wfm import tables
from wfm.cli.main import wfm
from wfm.db import transaction

ASKED = (
    "loop",
    "--from",
    "2026-09-28",
    "--until",
    "2026-10-04",
    "--rounds",
    "0",
    "--effort",
    "0.3",
)


@pytest.fixture
def desk(
    fresh_engine: sa.Engine,
    fresh_url: str,
    roster_week: Callable[[Session], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    monkeypatch.setenv("WFM_DATABASE_URL", fresh_url)
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        net = week.skills["net"]
        session.add_all([
            tables.Ticket(code="one", skill_id=net, respond_within_s=900, handle_s=600,
                          opened_at=week.local(week.first, 9) - timedelta(days=3)),
            tables.Demand(plan_id=week.plan, skill_id=net, contacts=5.0, handle_s=600,
                          starts_at=week.local(week.first, 9)),
        ])  # fmt: skip
    return week


def test_the_rounds_are_printed_as_json_and_as_a_table(desk: Any) -> None:
    done = CliRunner().invoke(wfm, [*ASKED, "--team", "t", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["ended"] in ("kept", "people_out", "rounds_out")
    assert len(told["rounds"]) == 1
    done = CliRunner().invoke(wfm, [*ASKED, "--team", "t"], catch_exceptions=False)
    assert done.exit_code == 0
    assert re.search(r"\d\.\d %", done.stdout)  # shares as the pages write them
    assert "agreed are 90 %" in done.stdout


def test_an_unknown_team_and_a_period_without_a_plan_are_refused(desk: Any) -> None:
    from wfm.errors import ConflictError, NotFoundError

    with pytest.raises(NotFoundError, match="there is no team nobody"):
        CliRunner().invoke(wfm, [*ASKED, "--team", "nobody"], catch_exceptions=False)
    other = ["loop", "--team", "t", "--from", "2026-11-01", "--until", "2026-11-07"]
    with pytest.raises(ConflictError, match="no staffing plan"):
        CliRunner().invoke(wfm, other, catch_exceptions=False)
