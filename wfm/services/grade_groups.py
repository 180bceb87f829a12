"""The groups between which outcomes are compared: where and when an agent works, for how long."""

from __future__ import annotations

from datetime import date

import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col

from grading.outcomes import DAYS_PER_MONTH
from grading.records import Records
from wfm.services.facts import in_force
from wfm.tables import Agent, AgentTeam, Assignment, Site, Team

TENURE_BANDS = ((12, "0-1"), (36, "1-3"), (60, "3-5"), (float("inf"), "5+"))  # months, years
COLUMNS = ("team", "site", "shift", "tenure_band", "grade", "channel", "category")


def groups(
    session: Session, records: Records, history: pd.DataFrame, first: date, as_of: date
) -> pd.DataFrame:
    """Which group of each column every agent is in; empty where it is not known."""
    agents = records.agents.set_index("agent_id")
    found = pd.DataFrame("", index=agents.index, columns=list(COLUMNS), dtype=object)
    rows = session.execute(
        sa.select(col(Agent.code), col(Team.code), col(Site.code))
        .join(AgentTeam, col(AgentTeam.agent_id) == col(Agent.id))
        .join(Team, col(Team.id) == col(AgentTeam.team_id))
        .join(Site, col(Site.id) == col(Team.site_id), isouter=True)
        .where(in_force(AgentTeam, as_of))
    ).all()
    place = pd.DataFrame(rows, columns=["agent_id", "team", "site"]).set_index("agent_id")
    for name in ("team", "site"):
        found[name] = place[name].reindex(found.index).fillna("")
    if "hired_on" in agents:
        months = (pd.Timestamp(as_of) - agents["hired_on"]).dt.days / DAYS_PER_MONTH
        found["tenure_band"] = months.map(_band)
    if len(history):
        held = history.set_index("agent_id")["grade"]
        found["grade"] = held.reindex(found.index).fillna("")
    shifts = _shifts(session, first, as_of)
    if shifts.empty and records.cases is not None and "shift" in records.cases:
        shifts = _usual(records.cases, "shift")
    found["shift"] = shifts.reindex(found.index).fillna("")
    for name in ("channel", "category"):
        if records.cases is not None and name in records.cases:
            found[name] = _usual(records.cases, name).reindex(found.index).fillna("")
    return found


def _band(months: float) -> str:
    if pd.isna(months):
        return ""
    return next(name for until, name in TENURE_BANDS if months < until)


def _usual(frame: pd.DataFrame, name: str) -> pd.Series:
    """The value most frequent in an agent's rows; of several the first by name."""
    known = frame[frame[name].notna() & (frame[name].astype(str) != "")]
    counted = known.groupby(["agent_id", name], observed=True).size().rename("rows").reset_index()
    counted = counted.sort_values(["rows", name], ascending=[False, True], kind="stable")
    first: pd.Series = counted.drop_duplicates("agent_id").set_index("agent_id")[name]
    return first.astype(str)


def _shifts(session: Session, first: date, as_of: date) -> pd.Series:
    """The shift each agent worked most often in the period."""
    rows = session.execute(
        sa.select(col(Agent.code), col(Assignment.shift_code))
        .join(Agent, col(Agent.id) == col(Assignment.agent_id))
        .where(col(Assignment.live), col(Assignment.day).between(first, as_of))
    ).all()
    return _usual(pd.DataFrame(rows, columns=["agent_id", "shift"]), "shift")
