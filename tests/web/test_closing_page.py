"""Closing the loop from the roster's page: the button, the rounds, who is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from scheduler.solution import Roster as Cells
from wfm import tables
from wfm.db import transaction
from wfm.services import roster_problems, roster_versions, rostering
from wfm.words import JobStatus, Role

SignIn = Callable[..., TestClient]
ZONE = "Asia/Shanghai"
ROUND = {
    "cost": 120, "broken": 0, "short": 4, "low": 0.7, "high": 0.9, "added": [], "failing": [],
    "added_hours": 0.0,
}  # fmt: skip
RESULT: dict[str, Any] = {
    "ended": "people_out", "agreed": 0.9, "replications": 5, "best": 1, "page": "/rosters/1",
    "rounds": [
        ROUND | {"round": 0, "versions": {"1": 1}, "share": 0.8, "added_hours": 7.5,
                 "added": [{"en": "1 more senior there", "zh": "那里还缺一人"}]},
        ROUND | {"round": 1, "versions": {"1": 2}, "share": 0.85,
                 "failing": [{"skill": "net", "tier": "senior", "day": "2026-09-28",
                              "minute": 570, "share": 0.5, "low": 0.3, "high": 0.7}]},
    ],
    "missing": [{"en": "2 more seniors with skill Network", "zh": "还缺 2 名高级客服"}],
    "missing_hours": 14.0, "share_with_them": 0.91,
    "fresh": {"share": 0.84, "low": 0.8, "high": 0.88},
}  # fmt: skip


@pytest.fixture
def roster(fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]) -> int:
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        at = week.local(week.first, 0)
        found = rostering.open_roster(session, week.planner, week.team, week.first, week.last, at)
        assert found.id is not None
        problem = roster_problems.build(session, found, ZONE)
        for _ in range(2):
            roster_versions.store_version(
                session, found.id, problem, Cells({("D", week.first): "early"}), "plan", at, ZONE,
                result={"status": "feasible", "bound": 0, "gap": 1.0, "seed": 1},
            )  # fmt: skip
        return found.id


def test_the_button_asks_for_a_job_once(
    fresh_engine: sa.Engine, roster: int, signed_in: SignIn
) -> None:
    browser = signed_in(Role.PLANNER)
    assert f'action="/rosters/{roster}/close"' in browser.get(f"/rosters/{roster}").text
    answer = browser.post(f"/rosters/{roster}/close", data={"rounds": "2", "seconds": "5"})
    assert answer.status_code == 303
    with transaction(fresh_engine) as session:
        job = session.exec(select(tables.Job)).one()
        assert (job.task, job.arguments["rounds"]) == ("close", 2)
        assert job.arguments["limits"]["seconds"] == 5
    assert "Closing the loop" in browser.get(f"/rosters/{roster}/work").text
    again = browser.post(f"/rosters/{roster}/close", data={"rounds": "2", "seconds": "5"})
    assert again.status_code == 409


def test_others_may_not_ask(roster: int, signed_in: SignIn) -> None:
    browser = signed_in(Role.AGENT)
    assert browser.post(f"/rosters/{roster}/close", data={}).status_code == 403
    assert "/close" not in browser.get(f"/rosters/{roster}").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("people of this team run out", "Best so far: version 2", "80.0 %",
                "2 more seniors with skill Network", "91.0 %", "7.5 person-hours",
                "1 more senior there", "09:30", "84.0 %")),
        ("zh", ("本组人手已用尽", "目前最好的是第 2 版", "还缺 2 名高级客服", "7.5 人时",
                "那里还缺一人")),
    ],
)  # fmt: skip
def test_the_page_shows_the_rounds_and_who_is_missing(
    fresh_engine: sa.Engine, roster: int, signed_in: SignIn, language: str, words: tuple[str, ...]
) -> None:
    put(fresh_engine, roster, JobStatus.DONE, result=RESULT)
    page = signed_in(Role.PLANNER, language=language).get(f"/rosters/{roster}")
    assert page.status_code == 200
    assert [word for word in words if word not in page.text] == []


@pytest.mark.parametrize("stage", ["solve", "replay", "missing"])
def test_the_card_shows_the_rounds_while_they_run(
    fresh_engine: sa.Engine, roster: int, signed_in: SignIn, stage: str
) -> None:
    details = {"stage": stage, "round": 1, "rounds": RESULT["rounds"][:1]}
    put(fresh_engine, roster, JobStatus.RUNNING, details=details)
    card = signed_in(Role.PLANNER).get(f"/rosters/{roster}/work")
    assert card.status_code == 200
    assert "Round 1" in card.text
    assert "80.0 %" in card.text


def put(engine: sa.Engine, roster: int, status: JobStatus, **more: Any) -> None:
    with transaction(engine) as session:
        at = session.exec(select(tables.RosterVersion)).all()[0].made_at
        session.add(
            tables.Job(task="close", arguments={"roster_id": roster}, asked_by="plan",
                       asked_at=at, ended_at=at, status=status, **more)
        )  # fmt: skip
