"""What agents of the sample desk ask for on its first day: leave, a correction, open to decide."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, select

from wfm.access import Actor
from wfm.instants import local_date
from wfm.services import agent_requests
from wfm.tables import Agent
from wfm.words import LeaveKind, Role

ASKED = (
    (0, LeaveKind.ANNUAL, "女儿家长会 · parents' evening"),
    (3, LeaveKind.PERSONAL, "搬家 · moving house"),
)
WRONG = "2 月的系统培训没有记在贡献里 · the training in February is missing from my contributions"


def ask(session: Session, at: datetime, timezone: str) -> None:
    """Two agents ask for leave in the weeks ahead, and the first for a correction."""
    today = local_date(at, timezone)
    agents = session.exec(select(Agent).order_by(Agent.code).limit(4)).all()
    actors = [Actor(one.code, one.name, roles={Role.AGENT: None}, agent_id=one.id)
              for one in agents]  # fmt: skip
    for number, kind, text in ASKED:
        first = today + timedelta(days=12 + number)
        agent_requests.ask_leave(session, actors[number], first, first, kind, text, today, at)
    agent_requests.ask_correction(session, actors[0], WRONG, today, at)
