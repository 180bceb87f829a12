"""Rosters of other teams in the same period, shown beside one's own: the grid grouped by team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.services import roster_desk
from wfm.services.facts import teams
from wfm.services.roster_month import Row, month
from wfm.services.roster_rows import Choice, chosen
from wfm.tables import Roster, RosterVersion, Team


@dataclass(frozen=True)
class OtherTeam:
    """The newest version of another team's roster: to be looked at, changed on its own page."""

    team: Team
    roster_id: int
    version_id: int | None
    rows: tuple[Row, ...]
    on_duty: tuple[int, ...]


def others(session: Session, actor: Actor, roster: Roster, choice: Choice) -> list[OtherTeam]:
    """Teams the reader may see whose rosters are of the same days, with the rows wanted."""
    access.require(actor, "rosters.view", roster.team_id)
    seen = {team.id: team for team in teams(session, actor.teams("rosters.view"))}
    rosters = session.exec(
        select(Roster)
        .where(
            Roster.period_from == roster.period_from,
            Roster.period_until == roster.period_until,
            Roster.id != roster.id,
        )
        .order_by(col(Roster.team_id))
    ).all()
    return [
        _shown(session, one, seen[one.team_id], choice) for one in rosters if one.team_id in seen
    ]


def _shown(session: Session, roster: Roster, team: Team, choice: Choice) -> OtherTeam:
    version = _newest(session, roster)
    edited = roster_desk.edited(session, version) if version else {}
    grid = month(session, roster, version, None, edited)
    assert roster.id is not None
    return OtherTeam(
        team, roster.id, version.id if version else None, chosen(grid.rows, choice), grid.on_duty
    )


def _newest(session: Session, roster: Roster) -> RosterVersion | None:
    listed = select(RosterVersion).where(RosterVersion.roster_id == roster.id)
    return session.exec(listed.order_by(col(RosterVersion.number).desc()).limit(1)).first()


def together(own: Sequence[int], found: Sequence[OtherTeam]) -> list[int]:
    """How many people of all the teams are on duty each day."""
    return [sum(day) for day in zip(own, *(one.on_duty for one in found), strict=True)]
