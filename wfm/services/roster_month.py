"""The month grid: agents × days of one version, with marks and totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
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
from wfm.tables.base import among
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

    @cached_property
    def code(self) -> str:
        return self.template.code

    @cached_property
    def standby(self) -> bool:
        return self.template.mode == Mode.STANDBY

    @cached_property
    def asks(self) -> tuple[int, int, int]:
        """Paid minutes, nights and unpopular shifts it counts for."""
        return self.template.paid_minutes, int(self.night), int(self.template.unpopular)

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
    def at_work(self) -> bool:
        """Whether a duty other than standby is there."""
        return self.shift is not None and not self.shift.standby


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

    @cached_property
    def on_duty(self) -> tuple[int, ...]:
        """People at work on each day."""
        return tuple(
            sum(row.cells[d].at_work for row in self.rows) for d in range(len(self.days))
        )  # fmt: skip

    @cached_property
    def changed(self) -> int:
        return sum(row.totals.changed for row in self.rows)


def month(
    session: Session,
    roster: Roster,
    version: RosterVersion | None,
    other: RosterVersion | None,
    edited: Mapping[tuple[str, date], str | None] | None = None,
    span: tuple[date, date] | None = None,
    *,
    marked: bool = True,
) -> Month:
    """The grid of a version as edited by hand; with another one, changed cells are marked.

    With a `span` it has the days between these two only. Not `marked`, it has who works when and
    who is on leave: no locks, wishes, broken rules or days before.
    """
    first, last = span or (roster.period_from, roster.period_until)
    members = roster_people.members(session, roster)
    days = days_between(session, first, last)
    shifts = all_shifts(session)
    cells = _cells(session, version, shifts, first, last)
    numbers = {agent.code: agent.id for agent in members}
    for (code, on), shift in (edited or {}).items():
        then = cells.get((numbers.get(code, 0), on), OFF)
        was = then.shift.template.code if then.shift else None
        now = replace(then, shift=shifts.get(shift or ""), edited=shift != was)
        cells[numbers.get(code, 0), on] = now
    before = tuple(first - timedelta(days=n) for n in range(SHOWN_BEFORE, 0, -1)) if marked else ()
    past = _carried_in(session, roster, list(numbers.values()), before, shifts) if marked else {}
    marks: defaultdict[tuple[int, date], dict[str, Any]] = defaultdict(dict)
    for place, kind in _leave_days(session, members, first, last).items():
        marks[place]["leave"] = kind
    if marked:
        _mark(session, roster, version, numbers, marks)
    if other is not None:
        earlier = _cells(session, other, shifts, first, last)
        for place in cells.keys() | earlier.keys():
            if _shift_of(cells.get(place, OFF)) != _shift_of(earlier.get(place, OFF)):
                marks[place]["changed"] = True
    for place, found in marks.items():
        cells[place] = replace(cells.get(place, OFF), **found)
    rows = []
    dates = [day.date for day in days]
    kinds = [(day.type in WORKING_DAY_TYPES, _weekend(day.date)) for day in days]
    for agent in members:
        line = tuple(cells.get((agent.id, on), OFF) for on in dates)
        carried = tuple(past.get((agent.id, day)) for day in before)
        rows.append(Row(agent, carried, line, _totals(agent, kinds, line)))
    return Month(before, tuple(days), tuple(rows), shifts)


def _mark(
    session: Session,
    roster: Roster,
    version: RosterVersion | None,
    numbers: Mapping[str, int],
    marks: defaultdict[tuple[int, date], dict[str, Any]],
) -> None:
    """Add locks, broken rules and wishes."""
    for lock in session.exec(select(RosterLock).where(RosterLock.roster_id == roster.id)):
        marks[lock.agent_id, lock.day]["lock"] = lock
    for code, iso in _broken(version):
        marks[numbers.get(code, 0), date.fromisoformat(iso)]["broken"] = True
    for (code, on_day), wish in _requests(version).items():
        marks[numbers.get(code, 0), date.fromisoformat(on_day)]["request"] = wish


def _shift_of(cell: Cell) -> tuple[str | None, int | None]:
    return (
        cell.shift.code if cell.shift else None,
        cell.post.id if cell.post else None,
    )


def _cells(
    session: Session,
    version: RosterVersion | None,
    shifts: dict[str, ShownShift],
    first: date,
    last: date,
) -> dict[tuple[int, date], Cell]:
    if version is None:
        return {}
    posts = {post.id: post for post in session.exec(select(Post))}
    known: dict[tuple[str, int | None], Cell] = {}  # as good as all cells are one of a few
    rows = session.execute(
        sa.select(
            col(Assignment.agent_id), col(Assignment.day), col(Assignment.shift_code),
            col(Assignment.post_id),
        )
        .where(
            col(Assignment.version_id) == version.id, col(Assignment.day).between(first, last)
        )
        .order_by(sa.case((col(Assignment.kind) == DutyKind.ORDINARY, 1), else_=0))
    )  # fmt: skip
    # an ordinary duty comes last, so it is what the cell shows
    return {
        (agent_id, day): known.get((code, post_id))
        or known.setdefault((code, post_id), Cell(shifts.get(code), posts.get(post_id)))
        for agent_id, day, code, post_id in rows
    }


def _carried_in(
    session: Session,
    roster: Roster,
    members: Sequence[int],
    before: Sequence[date],
    shifts: dict[str, ShownShift],
) -> dict[tuple[int, date], ShownShift | None]:
    rows = session.execute(
        sa.select(col(Assignment.agent_id), col(Assignment.day), col(Assignment.shift_code)).where(
            col(Assignment.live),
            among(Assignment.agent_id, members),
            col(Assignment.day) >= before[0],
            col(Assignment.day) < roster.period_from,
        )
    )
    return {(agent_id, day): shifts.get(code) for agent_id, day, code in rows}


def _leave_days(
    session: Session, members: Iterable[AgentFacts], first: date, last: date
) -> dict[tuple[int, date], str]:
    chosen = sa.select(col(Leave.agent_id), col(Leave.start_on), col(Leave.end_on), col(Leave.kind))
    rows = session.execute(
        chosen.where(
            among(Leave.agent_id, [agent.id for agent in members]),
            col(Leave.start_on) <= last,
            col(Leave.end_on) >= first,
        )
    )
    found = {}
    for agent_id, start, end, kind in rows:
        day = max(start, first)
        while day <= min(end, last):
            found[agent_id, day] = kind.value
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


def _weekend(day: date) -> date | None:
    """The Saturday of the weekend a day is of."""
    past = day.weekday() - SATURDAY
    return day - timedelta(days=past) if past >= 0 else None


def _totals(
    agent: AgentFacts, days: Sequence[tuple[bool, date | None]], cells: Sequence[Cell]
) -> Totals:
    """Of the cells of an agent, on days that are working days or not, and of a weekend or none."""
    minutes = contract = nights = unpopular = changed = 0
    weekends: set[date] = set()
    for (working, weekend), cell in zip(days, cells, strict=True):
        if working and cell.leave is None:
            contract += agent.minutes_per_day
        changed += cell.changed
        shift = cell.shift
        if shift is None or shift.standby:
            continue
        paid, night, unpopular_one = shift.asks
        minutes += paid
        nights += night
        unpopular += unpopular_one
        if weekend is not None:
            weekends.add(weekend)
    return Totals(minutes, contract, nights, unpopular, len(weekends), changed)
