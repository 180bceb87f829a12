"""A desk with something of everything, and a program that has every role at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from scheduler.solution import Roster as Cells
from web.app import create_app
from web.limits import Limiter
from wfm import instants, jobs, tables
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.sample import catalogue
from wfm.services import (
    accounts,
    api_tokens,
    clock_book,
    grade_cycles,
    grade_runs,
    roster_problems,
    roster_versions,
    rostering,
    sample_agreements,
    ticket_states,
)
from wfm.settings import Settings
from wfm.words import EventKind, Role

ZONE = "Asia/Shanghai"
AT = datetime(2026, 9, 29, 3, tzinfo=UTC)  # eleven in the morning at the desk, a Tuesday
Named = dict[str, list[str]]


@dataclass(frozen=True)
class Machine:
    """The application over the desk, a token to it, and the names of what is there."""

    engine: sa.Engine
    app: FastAPI
    token: str
    known: Named

    def client(self, token: str = "") -> TestClient:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return TestClient(
            self.app, "http://desk.test", headers=headers, raise_server_exceptions=False
        )

    def make_token(self, *scopes: str, account: str = "robot", days: int = 1) -> str:
        with transaction(self.engine) as session:
            row = session.exec(
                select(tables.Account).where(tables.Account.name == account)
            ).one()  # fmt: skip
            return api_tokens.make(session, row.id or 0, "more", scopes, days, instants.now())


@pytest.fixture(scope="module")
def machine(
    copied: Any, tmp_path_factory: pytest.TempPathFactory, roster_week: Any
) -> Iterator[Machine]:
    """One desk for the tests of a file, made once; they change it one after the other."""
    opened = copied("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(instants.OFFSET_VARIABLE, "0")
        ahead = (AT - instants.now()).total_seconds()
        patch.setenv(instants.OFFSET_VARIABLE, str(ahead))
        with transaction(opened) as session:
            week = roster_week(session)
            known = fill(session, week)
            account = accounts.create(
                session, "robot", "Robot", "Right-answer-42", [(role, None) for role in Role], AT,
                language="en", agent_id=week.agents["A"],
            )  # fmt: skip
            token = api_tokens.make(
                session, account.id or 0, "robot", ["read", "write"], 30, instants.now()
            )
        settings = Settings(data_dir=tmp_path_factory.mktemp("data"), second_factor=False)
        app = create_app(settings, opened)
        app.state.api_limit = Limiter(per_minute=1e9, burst=1_000_000_000)
        yield Machine(opened, app, token, known)
    opened.dispose()


def fill(session: Session, week: Any) -> Named:
    """Put something of everything into the desk of `RosterWeek`; returns what it is named."""
    agreements = add_agreements(session)
    add_records(session, week)
    add_tickets(session, week)
    cycle = grade_runs.run_cycle(
        session, SYSTEM, "2026-09", date(2026, 4, 1), date(2026, 9, 28), ZONE, AT
    )
    grade_cycles.open_review(session, SYSTEM, cycle.id or 0, AT, ZONE)
    roster = add_roster(session, week)
    session.add(
        tables.AgentRequest(
            agent_id=week.agents["C"], kind="leave", first_day=date(2026, 10, 9),
            last_day=date(2026, 10, 9), leave_kind="annual", made_at=AT,
        )
    )  # fmt: skip
    jobs.ask(session, "solve", {"roster_id": roster}, "plan", AT)
    return {
        "agent": ["A", "B", "C", "D"], "agreement": agreements, "cycle": ["2026-09"],
        "day": ["2026-09-29", "2026-10-01"], "roster": [str(roster)], "version": ["1", "2"],
        "ticket": ["T-1", "T-2", "T-3", "T-9"], "plan": [str(week.plan)],
        "post": [str(one) for one in week.posts.values()], "item": ["phones"],
    }  # fmt: skip


def add_agreements(session: Session) -> list[str]:
    """The sample's agreements; the row numbers of two drafts and one in force."""
    for row in catalogue.services().itertuples():
        session.add(tables.Service(code=row.code, name_en=row.name_en, name_zh=row.name_zh))
    session.add(tables.Customer(code="C1", name="Blue"))
    known = set(session.exec(select(tables.BusinessCalendar.code)))
    for code, en, zh, definition in sample_agreements.CALENDARS:
        if code not in known:
            session.add(
                tables.BusinessCalendar(
                    code=code, name_en=en, name_zh=zh, timezone=ZONE, definition=definition
                )
            )
    session.flush()
    sample_agreements.add_agreements(session, catalogue.services(), catalogue.targets())
    found = []
    for status, most in (("draft", 2), ("in_force", 1)):
        query = select(tables.Agreement.id).where(tables.Agreement.status == status)
        found += [str(one) for one in session.exec(query.limit(most))]
    return found


def add_records(session: Session, week: Any) -> None:
    """What grades are assessed from: B does well, D does not, of the others nothing is known."""
    for code, solved, score in (("B", 19, 93), ("D", 8, 55)):
        agent = week.agents[code]
        for number in range(40):
            opened = AT - timedelta(days=20, hours=6 * number)
            done, name = number % 20 < solved, f"{code}-{number}"
            session.add(
                tables.Ticket(
                    code=name, opened_at=opened, owner_id=agent, resolved_at=opened, resolved=done,
                    independent=done, reopened=False, state="closed", skill_id=week.skills["net"],
                )
            )  # fmt: skip
            session.add(
                tables.Survey(
                    code=f"s{name}", agent_id=agent, answered_on=opened.date(),
                    score=5 if done else 1,
                )
            )  # fmt: skip
            session.add(
                tables.QualityReview(
                    code=f"q{name}", agent_id=agent, reviewer="R", case_code=name,
                    reviewed_on=opened.date(), score=score + number % 3,
                )
            )  # fmt: skip
    session.flush()


def add_tickets(session: Session, week: Any) -> None:
    """Eight that wait, and one that A has."""
    service = session.exec(select(tables.Service)).first()
    ids = []
    for number in range(1, 10):
        opened = AT - timedelta(minutes=5 * number)
        row = tables.Ticket(
            code=f"T-{number}", opened_at=opened, skill_id=week.skills["net"],
            service_id=service.id if service else None,
        )  # fmt: skip
        session.add(row)
        session.flush()
        ids.append(row.id or 0)
        session.add(
            tables.TicketEvent(
                code=f"e{number}", ticket_id=row.id, at=opened, kind=EventKind.OPENED
            )
        )
    session.add(
        tables.TicketEvent(
            code="a9", ticket_id=ids[-1], at=AT - timedelta(minutes=1), kind=EventKind.ASSIGNED,
            agent_id=week.agents["A"],
        )
    )  # fmt: skip
    ticket_states.derive(session, ids)
    clock_book.refresh(session, ids, AT, ZONE)


def add_roster(session: Session, week: Any) -> int:
    """A published version, with A and B at work now, and a draft after it."""
    roster = rostering.open_roster(session, week.planner, week.team, week.first, week.last, AT)
    problem = roster_problems.build(session, roster, ZONE)
    today = AT.date()
    cells = {("A", today): "early", ("B", today): "early", ("D", week.first): "early"}
    for more in ({}, {("C", today): "late"}):
        version = roster_versions.store_version(
            session, roster.id or 0, problem, Cells(cells | more), "plan", AT, ZONE,
            result={"status": "feasible", "bound": 1, "gap": 0.5, "seed": 7, "seconds": 1.0},
        )  # fmt: skip
        if not more:
            rostering.publish(session, week.planner, version, AT, "no replay yet")
    return roster.id or 0
