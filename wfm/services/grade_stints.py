"""Whose case was it? Tickets that several agents had in hand count for each as far as theirs.

A ticket says whether it was *ever* passed on. For the agent who ended it, that is held against
them only when they had it before, gave it away and got it back; who received it and ended it did
so alone. For those who passed it on it is a case they did not solve by themselves, or, where the
ticket's tier is above their grade, one they handed up because the rules ask for it.
"""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from grading.policy import GRADES
from wfm.services.facts import in_force
from wfm.tables import Agent, AgentGrade, Ticket, TicketEvent
from wfm.words import EventKind

PASSING = (
    EventKind.OPENED, EventKind.ASSIGNED, EventKind.TRANSFERRED, EventKind.ESCALATED,
    EventKind.RESUMED, EventKind.RESOLVED,
)  # fmt: skip


def attributed(
    session: Session, cases: pd.DataFrame, begin: datetime, end: datetime, day: date
) -> pd.DataFrame:
    """The cases with independence as far as it is the owner's, and those passed on besides."""
    cases = cases.assign(handed_up=None)
    held = holders(session, begin, end)
    if held.empty:
        return cases
    owner = cases.set_index("case_id")["agent_id"]
    held = held[held["case_id"].isin(owner.index)]
    last = held["agent_id"] == held["case_id"].map(owner)
    again = set(held[last & held["again"]]["case_id"])
    ended = set(held[last]["case_id"]) - again
    cases.loc[cases["case_id"].isin(ended), "independent"] = True
    earlier = held[~last][["case_id", "agent_id"]]
    passed = earlier.merge(cases.drop(columns="agent_id"), on="case_id")
    grade = _grades(session, day)
    rank = {name: place for place, name in enumerate(GRADES)}
    own = passed["agent_id"].map(grade).map(rank).fillna(0)
    passed["handed_up"] = passed["tier"].astype(str).map(rank).fillna(0) > own
    passed["independent"], passed["reopened"] = False, None
    if "satisfaction" in passed:
        passed["satisfaction"] = float("nan")
    return pd.concat([cases, passed], ignore_index=True) if len(passed) else cases


def holders(
    session: Session, begin: datetime, end: datetime, agent_id: int | None = None
) -> pd.DataFrame:
    """Per ticket that was passed on: who had it in hand, and whether with another in between.

    Of all such tickets, or of those one agent had in hand.
    """
    its = sa.select(col(TicketEvent.ticket_id)).where(
        col(TicketEvent.agent_id) == agent_id, col(TicketEvent.kind).in_(PASSING)
    )
    done = sa.func.coalesce(col(Ticket.resolved_at), col(Ticket.opened_at))
    rows = session.execute(
        sa.select(col(Ticket.code), col(Agent.code))
        .select_from(TicketEvent)
        .join(Ticket, col(Ticket.id) == col(TicketEvent.ticket_id))
        .join(Agent, col(Agent.id) == col(TicketEvent.agent_id))
        .where(
            done >= begin, done < end, col(Ticket.independent).is_(False),
            col(Ticket.resolved).is_not(None), col(TicketEvent.kind).in_(PASSING),
            *([col(Ticket.id).in_(its)] if agent_id is not None else []),
        )
        .order_by(col(TicketEvent.ticket_id), col(TicketEvent.at), col(TicketEvent.id))
    ).all()  # fmt: skip
    found = pd.DataFrame(rows, columns=["case_id", "agent_id"])
    stint = (found != found.shift()).any(axis=1)
    counted = found[stint].groupby(["case_id", "agent_id"], sort=True).size()
    return counted.rename("stints").reset_index().assign(again=lambda f: f["stints"] > 1)


def above_own(tier: str | None, grade: str | None) -> bool:
    """Whether a ticket of this tier is to be passed on by who holds this grade."""
    ranks = {str(name): place for place, name in enumerate(GRADES)}
    return ranks.get(tier or "", 0) > ranks.get(grade or "", 0)


def _grades(session: Session, day: date) -> dict[str, str]:
    rows = session.execute(
        sa.select(col(Agent.code), col(AgentGrade.grade))
        .join(AgentGrade, col(AgentGrade.agent_id) == col(Agent.id))
        .where(in_force(AgentGrade, day))
    )
    return {code: grade.value for code, grade in rows}


def reopened_after(session: Session, begin: datetime, end: datetime) -> dict[str, float]:
    """Days from the resolution before it to the first reopening, of tickets that came back."""
    opened, closed = aliased(TicketEvent), aliased(TicketEvent)
    before = (
        sa.select(sa.func.max(closed.at))
        .where(
            col(closed.ticket_id) == col(opened.ticket_id),
            col(closed.at) <= col(opened.at),
            col(closed.kind).in_((EventKind.RESOLVED, EventKind.CLOSED)),
        )
        .scalar_subquery()
    )
    days = sa.func.extract("epoch", col(opened.at) - before) / 86400
    rows = session.execute(
        sa.select(col(Ticket.code), sa.func.min(days))
        .join(opened, col(opened.ticket_id) == col(Ticket.id))
        .where(
            col(opened.kind) == EventKind.REOPENED,
            col(Ticket.opened_at) < end,
            sa.func.coalesce(col(Ticket.resolved_at), col(Ticket.opened_at)) >= begin,
        )
        .group_by(col(Ticket.code))
    )
    return {code: float(after) for code, after in rows if after is not None}
