"""The month grid: agents × days of one version, with marks and totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.problem.parts import WORKING_DAY_TYPES
from wfm.services import roster_people
from wfm.services.day_types import NamedDay, days_between
from wfm.services.facts import AgentFacts
from wfm.services.roster_problems import is_night
from wfm.tables import (
    Assignment,
    Leave,
    Post,
    Roster,
    RosterLock,
    RosterVersion,
    ShiftTemplate,
)
from wfm.words import DutyKind, Mode

LANGUAGES = ("en", "zh")
SHOWN_BEFORE = 7  # days
SATURDAY = 5


@dataclass(frozen=True)
class ShownShift:
    """A shift as the grid shows it: a short mark in either language, and a colour."""

    template: ShiftTemplate
    short_en: str
    short_zh: str
    colour: str
    night: bool

    @property
    def name_en(self) -> str:
        return self.template.name_en

    @property
    def name_zh(self) -> str:
        return self.template.name_zh

    def short(self, language: str) -> str:
        return self.short_zh if language == "zh" else self.short_en


def shown_shifts(templates: Sequence[ShiftTemplate]) -> dict[str, ShownShift]:
    """Shifts by code, each with marks no other shift has."""
    marks = {
        language: _short_marks([getattr(one, f"name_{language}") for one in templates])
        for language in LANGUAGES
    }
    return {
        one.code: ShownShift(
            one, marks["en"][number], marks["zh"][number], _colour(one), is_night(one)
        )
        for number, one in enumerate(templates)
    }


def all_shifts(session: Session) -> dict[str, ShownShift]:
    """Every shift of the desk as pages show it."""
    templates = session.exec(select(ShiftTemplate).order_by(col(ShiftTemplate.id))).all()
    return shown_shifts(templates)


def _short_marks(names: Sequence[str]) -> list[str]:
    """The shortest mark of each name that none before it took: initials, then more letters."""
    taken: list[str] = []
    for name in names:
        words = name.split() or ["?"]
        initials = "".join(word[0] for word in words).upper()
        longer = [name[:length] for length in range(2, len(name) + 1)]
        candidates = [initials, *longer, *(f"{initials}{n}" for n in range(2, 100))]
        taken.append(next(mark for mark in candidates if mark not in taken))
    return taken


def _colour(template: ShiftTemplate) -> str:
    if template.mode == Mode.STANDBY:
        return "standby"
    if is_night(template):
        return "night"
    hour = template.starts.hour
    return "early" if hour < 9 else "middle" if hour < 12 else "late"


@dataclass(frozen=True)
class Cell:
    """One agent on one day."""

    shift: ShownShift | None = None
    post: Post | None = None
    leave: str | None = None
    lock: RosterLock | None = None
    changed: bool = False
    broken: bool = False
    edited: bool = False
    request: str = ""

    @property
    def on_standby(self) -> bool:
        return self.shift is not None and self.shift.template.mode == Mode.STANDBY


OFF = Cell()


@dataclass(frozen=True)
class Totals:
    """What a month asks of an agent; minutes, and days or duties."""

    minutes: int = 0
    contract: int = 0
    nights: int = 0
    unpopular: int = 0
    weekends: int = 0
    changed: int = 0

    @property
    def balance(self) -> int:
        """Minutes beyond the contract."""
        return self.minutes - self.contract


@dataclass(frozen=True)
class Row:
    agent: AgentFacts
    carried_in: tuple[ShownShift | None, ...]
    cells: tuple[Cell, ...]
    totals: Totals


@dataclass(frozen=True)
class Month:
    """The grid of a version: agents × days, with the days before it that rules look back on."""

    before: tuple[date, ...]
    days: tuple[NamedDay, ...]
    rows: tuple[Row, ...]
    shifts: dict[str, ShownShift]
    on_duty: tuple[int, ...]
    changed: int


def month(
    session: Session,
    roster: Roster,
    version: RosterVersion | None,
    other: RosterVersion | None,
    edited: Mapping[tuple[str, date], str | None] | None = None,
) -> Month:
    """The grid of a version as edited by hand; with another one, changed cells are marked."""
    first, last = roster.period_from, roster.period_until
    members = roster_people.members(session, roster)
    days = days_between(session, first, last)
    shifts = all_shifts(session)
    cells = _cells(session, version, shifts)
    numbers = {agent.code: agent.id for agent in members}
    for (code, on), shift in (edited or {}).items():
        then = cells.get((numbers.get(code, 0), on), OFF)
        cells[numbers.get(code, 0), on] = replace(then, shift=shifts.get(shift or ""), edited=True)
    wishes = _requests(version)
    before = tuple(first - timedelta(days=n) for n in range(SHOWN_BEFORE, 0, -1))
    past = _carried_in(session, roster, before[0], shifts)
    earlier = _cells(session, other, shifts) if other else None
    leave = _leave_days(session, members, first, last)
    locks = {
        (lock.agent_id, lock.day): lock
        for lock in session.exec(select(RosterLock).where(RosterLock.roster_id == roster.id))
    }
    at_fault = _broken(version)
    rows = []
    for agent in members:
        line = []
        for day in days:
            place, named = (agent.id, day.date), (agent.code, day.date.isoformat())
            cell = cells.get(place, OFF)
            marks: dict[str, Any] = {
                "leave": leave.get(place),
                "lock": locks.get(place),
                "broken": named in at_fault,
                "request": wishes.get(named, ""),
                "changed": earlier is not None
                and _shift_of(cell) != _shift_of(earlier.get(place, OFF)),
            }
            # most cells have no mark: a copy of each would be most of the work
            line.append(replace(cell, **marks) if any(marks.values()) else cell)
        carried = tuple(past.get((agent.id, day)) for day in before)
        rows.append(Row(agent, carried, tuple(line), _totals(agent, days, line)))
    return Month(
        before=before,
        days=tuple(days),
        rows=tuple(rows),
        shifts=shifts,
        on_duty=tuple(
            sum(row.cells[d].shift is not None and not row.cells[d].on_standby for row in rows)
            for d in range(len(days))
        ),
        changed=sum(row.totals.changed for row in rows),
    )  # fmt: skip


def _shift_of(cell: Cell) -> tuple[str | None, int | None]:
    return (
        cell.shift.template.code if cell.shift else None,
        cell.post.id if cell.post else None,
    )


def _cells(
    session: Session, version: RosterVersion | None, shifts: dict[str, ShownShift]
) -> dict[tuple[int, date], Cell]:
    if version is None:
        return {}
    posts = {post.id: post for post in session.exec(select(Post))}
    rows = session.execute(
        sa.select(
            col(Assignment.agent_id), col(Assignment.day), col(Assignment.shift_code),
            col(Assignment.post_id),
        )
        .where(col(Assignment.version_id) == version.id)
        .order_by(sa.case((col(Assignment.kind) == DutyKind.ORDINARY, 1), else_=0))
    )  # fmt: skip
    # an ordinary duty comes last, so it is what the cell shows
    return {
        (agent_id, day): Cell(shifts.get(code), posts.get(post_id))
        for agent_id, day, code, post_id in rows
    }


def _carried_in(
    session: Session, roster: Roster, since: date, shifts: dict[str, ShownShift]
) -> dict[tuple[int, date], ShownShift | None]:
    rows = session.execute(
        sa.select(col(Assignment.agent_id), col(Assignment.day), col(Assignment.shift_code)).where(
            col(Assignment.live),
            col(Assignment.day) >= since,
            col(Assignment.day) < roster.period_from,
        )
    )
    return {(agent_id, day): shifts.get(code) for agent_id, day, code in rows}


def _leave_days(
    session: Session, members: Iterable[AgentFacts], first: date, last: date
) -> dict[tuple[int, date], str]:
    rows = session.exec(
        select(Leave).where(
            col(Leave.agent_id).in_([agent.id for agent in members]),
            Leave.start_on <= last,
            Leave.end_on >= first,
        )
    )
    found = {}
    for row in rows:
        day = max(row.start_on, first)
        while day <= min(row.end_on, last):
            found[row.agent_id, day] = row.kind.value
            day += timedelta(days=1)
    return found


def _broken(version: RosterVersion | None) -> set[tuple[str, str]]:
    """Cells a hard rule is broken at: (agent, day)."""
    if version is None:
        return set()
    return {
        (breach["agent"], day)
        for breach in version.verdict.get("violations", [])
        for day in breach["days"]
    }


def _requests(version: RosterVersion | None) -> dict[tuple[str, str], str]:
    """Wishes about cells: ``on`` or ``off`` as asked, with a ``!`` when not met."""
    if version is None:
        return {}
    unmet = {
        (breach["agent"], breach["days"][0])
        for breach in version.verdict.get("costs", [])
        if breach["kind"] == "request"
    }
    return {
        place: ("on" if wish["on"] else "off") + ("!" if place in unmet else "")
        for wish in version.problem.get("requests", [])
        if (place := (wish["agent"], wish["date"]))
    }


def _totals(agent: AgentFacts, days: Sequence[NamedDay], cells: Sequence[Cell]) -> Totals:
    counts: Counter[str] = Counter()
    weekends: defaultdict[date, bool] = defaultdict(bool)
    for day, cell in zip(days, cells, strict=True):
        if day.type in WORKING_DAY_TYPES and cell.leave is None:
            counts["contract"] += agent.minutes_per_day
        counts["changed"] += cell.changed
        if cell.shift is None or cell.on_standby:
            continue
        counts["minutes"] += cell.shift.template.paid_minutes
        counts["nights"] += cell.shift.night
        counts["unpopular"] += cell.shift.template.unpopular
        if day.date.weekday() >= SATURDAY:
            weekends[day.date - timedelta(days=day.date.weekday() - SATURDAY)] = True
    return Totals(weekends=sum(weekends.values()), **counts)
