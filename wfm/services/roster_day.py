"""One day of a roster: people × half-hours, with breaks, and the cover below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import roster_cover, roster_pages, rostering
from wfm.services.day_types import NamedDay, days_between
from wfm.services.facts import AgentFacts
from wfm.services.roster_cover import Slot
from wfm.services.roster_month import Month, ShownShift, all_shifts, month
from wfm.services.roster_problems import SLOT_MINUTES
from wfm.tables import Assignment, Roster, RosterVersion, Team

SLOTS = 24 * 60 // SLOT_MINUTES
DAYS_BACK = 2  # a duty has ended before the third day
Mark: TypeAlias = Literal["", "work", "break", "standby"]


@dataclass(frozen=True)
class DayRow:
    agent: AgentFacts
    shift: ShownShift | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class DayPage:
    roster: Roster
    team: Team
    version: RosterVersion | None
    day: NamedDay
    rows: tuple[DayRow, ...]
    cover: tuple[Slot, ...]
    first: int
    last: int

    @property
    def slots(self) -> range:
        """Half-hours shown: those in which somebody works or is wanted."""
        return range(self.first, self.last)

    @property
    def before(self) -> date | None:
        day = self.day.date - timedelta(days=1)
        return day if day >= self.roster.period_from else None

    @property
    def after(self) -> date | None:
        day = self.day.date + timedelta(days=1)
        return day if day <= self.roster.period_until else None


def day_page(
    session: Session,
    actor: Actor,
    roster_id: int,
    day: date,
    number: int | None,
    timezone: str,
) -> DayPage:
    """What the day view shows: the named version, or the newest."""
    roster = rostering.get_roster(session, actor, roster_id)
    if not roster.period_from <= day <= roster.period_until:
        raise NotFoundError("not a day of this roster")
    listed = roster_pages.versions(session, roster_id)
    version = roster_pages.numbered(
        session, roster_id, number or (listed[0].number if listed else None)
    )
    zone = ZoneInfo(timezone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    duties = _duties(session, version, midnight)
    shifts = all_shifts(session)
    rows = []
    # whose duty of the day before reaches into this one counts for its cover as well
    since = max(day - timedelta(days=DAYS_BACK), roster.period_from)
    grid = month(session, roster, version, None, span=(since, day), marked=False)
    for agent in (row.agent for row in grid.rows):
        own = duties.get(agent.id, [])
        today = next((one for one in own if one.day == day), None)
        shift = shifts.get(today.shift_code) if today else None
        rows.append(DayRow(agent, shift, _marks(own, midnight)))
    rows.sort(key=lambda row: (_start(row), row.agent.code))
    cover = _cover(version, grid, day)
    busy = [n for n in range(SLOTS) if cover[n].wanted or any(row.marks[n] for row in rows)]
    return DayPage(
        roster,
        session.get_one(Team, roster.team_id),
        version,
        days_between(session, day, day)[0],
        tuple(rows),
        cover,
        min(busy, default=0),
        max(busy, default=SLOTS - 1) + 1,
    )


def _duties(
    session: Session, version: RosterVersion | None, midnight: datetime
) -> dict[int, list[Assignment]]:
    if version is None:
        return {}
    rows = session.exec(
        select(Assignment)
        .where(
            Assignment.version_id == version.id,
            col(Assignment.starts_at) < midnight + timedelta(days=1),
            col(Assignment.ends_at) > midnight,
        )
        .order_by(col(Assignment.starts_at))
    )
    found: dict[int, list[Assignment]] = {}
    for row in rows:
        found.setdefault(row.agent_id, []).append(row)
    return found


def _marks(duties: list[Assignment], midnight: datetime) -> tuple[Mark, ...]:
    """What somebody does in each half-hour of a day; of two duties in one, the earlier counts."""
    marks: list[Mark] = [""] * SLOTS
    for duty in reversed(duties):
        standby = duty.mode == "standby"
        for n in _slots(duty.starts_at, duty.ends_at, midnight):
            marks[n] = "standby" if standby else "work"
        for pause in () if standby else duty.breaks:
            begins, ends = (datetime.fromisoformat(pause[end]) for end in ("from", "until"))
            for n in _slots(begins, ends, midnight):
                marks[n] = "break"
    return tuple(marks)


def _slots(begins: datetime, ends: datetime, midnight: datetime) -> range:
    """The half-hours of the day that a span touches."""
    length = timedelta(minutes=SLOT_MINUTES)
    return range(max((begins - midnight) // length, 0), min(-((midnight - ends) // length), SLOTS))


def _start(row: DayRow) -> int:
    return next((n for n, mark in enumerate(row.marks) if mark), SLOTS)


def _cover(version: RosterVersion | None, grid: Month, day: date) -> tuple[Slot, ...]:
    heat = roster_cover.heat(version, grid) if version is not None else None
    if heat is None:
        return (Slot(),) * SLOTS
    column = heat.days.index(day)
    by_start = {start: row[column] for start, row in zip(heat.starts, heat.slots, strict=True)}
    return tuple(by_start.get(n * SLOT_MINUTES, Slot()) for n in range(SLOTS))
