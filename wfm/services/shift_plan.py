"""Shifts as planners set them: hours, movable breaks, site and skills; people each shift needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlmodel import Session, col, select

from scheduler import problem as p
from scheduler.errors import SchedulingError
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError, faults_of
from wfm.tables import ShiftNeed, ShiftTemplate, Site, Skill, Team
from wfm.words import Grade, Mode

MISSING_WEIGHT = 160  # a person missing on a whole shift: sixteen half-hours at ten
WEEK = (1, 2, 3, 4, 5, 6, 7)
DAY_MINUTES = 1440


@dataclass(frozen=True)
class Need:
    """People a shift needs on some weekdays, and what they must have."""

    team_id: int
    shift: str
    people: int
    weekdays: tuple[int, ...] = WEEK
    skill_id: int | None = None
    grade: Grade = Grade.ORDINARY
    level: int = 1


@dataclass(frozen=True)
class Pause:
    """A break: minutes from midnight; with a window it may be moved within it."""

    start: int
    end: int
    paid: bool = False
    earliest: int | None = None
    latest: int | None = None


@dataclass(frozen=True)
class Pattern:
    """A shift as a planner sets it."""

    code: str
    name_en: str
    name_zh: str
    starts: time
    ends: time
    paid_minutes: int
    mode: Mode = Mode.ON_SITE
    unpopular: bool = False
    site_id: int | None = None
    skills: tuple[str, ...] = ()
    grade: Grade = Grade.ORDINARY
    breaks: tuple[Pause, ...] = ()
    min_stretch: int = 0
    max_stretch: int | None = None


def set_shift(session: Session, actor: Actor, pattern: Pattern, at: datetime) -> ShiftTemplate:
    """Add a shift, or change the one of this code; rosters made before keep theirs.

    Raises
    ------
    InputError
        Something of it cannot be: each fault is named.
    """
    access.require_whole_desk(actor, "rosters.plan")
    code = pattern.code.strip()
    known = set(session.exec(select(Skill.code)))
    faults = [
        ("code", not code or code in ("off", "on", "swap"), "a code of its own is needed"),
        ("name", not (pattern.name_en.strip() and pattern.name_zh.strip()),
         "a name in both languages is needed"),
        ("skills", not set(pattern.skills) <= known, "there is no such skill"),
        ("site", pattern.site_id is not None and session.get(Site, pattern.site_id) is None,
         "there is no such site"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    _try(pattern)
    row = session.exec(select(ShiftTemplate).where(ShiftTemplate.code == code)).first()
    if row is None:
        row = ShiftTemplate(
            code=code, name_en="", name_zh="", starts=pattern.starts, ends=pattern.ends,
            paid_minutes=0,
        )  # fmt: skip
    row.name_en, row.name_zh = pattern.name_en.strip(), pattern.name_zh.strip()
    row.starts, row.ends, row.paid_minutes = pattern.starts, pattern.ends, pattern.paid_minutes
    row.mode, row.unpopular, row.site_id = pattern.mode, pattern.unpopular, pattern.site_id
    row.skill_codes, row.min_grade = list(pattern.skills), pattern.grade
    row.min_stretch, row.max_stretch = pattern.min_stretch, pattern.max_stretch
    row.breaks = [
        {name: value for name, value in vars(one).items() if value is not None}
        for one in pattern.breaks
    ]
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "shift.set", f"shift {code}",
                 starts=str(row.starts), ends=str(row.ends), breaks=row.breaks)  # fmt: skip
    return row


def _try(pattern: Pattern) -> None:
    """Let the kernel say what of a shift cannot be."""
    start = pattern.starts.hour * 60 + pattern.starts.minute
    end = pattern.ends.hour * 60 + pattern.ends.minute
    with faults_of(SchedulingError):
        shift = p.Shift(
            id=pattern.code, start=start, end=end if end > start else end + DAY_MINUTES,
            minutes=pattern.paid_minutes,
            breaks=tuple(
                p.Break(one.start, one.end, one.paid, one.earliest, one.latest)
                for one in pattern.breaks
            ),
            min_stretch=pattern.min_stretch, max_stretch=pattern.max_stretch,
        )  # fmt: skip
        p.RosterProblem(
            agents=(), days=(p.Day(datetime(2026, 1, 1).date()),), shifts=(shift,)
        )  # fmt: skip


def add_need(session: Session, actor: Actor, need: Need, at: datetime) -> ShiftNeed:
    """Want people on a shift beside what the forecast asks for."""
    access.require(actor, "rosters.plan", need.team_id)
    shifts = session.exec(select(ShiftTemplate.code).where(ShiftTemplate.mode != Mode.STANDBY))
    faults = [
        ("team", session.get(Team, need.team_id) is None, "there is no such team"),
        ("shift", need.shift not in shifts.all(), "there is no such shift"),
        ("skill", need.skill_id is not None and session.get(Skill, need.skill_id) is None,
         "there is no such skill"),
        ("weekdays", not need.weekdays or not set(need.weekdays) <= set(WEEK),
         "at least one weekday is expected"),
        ("people", not 1 <= need.people <= 999, "1 to 999 people are expected"),
        ("level", not 1 <= need.level <= 5, "a level from 1 to 5 is expected"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    row = ShiftNeed(
        team_id=need.team_id, shift_code=need.shift, weekdays=sorted(set(need.weekdays)),
        skill_id=need.skill_id, min_grade=need.grade, min_level=need.level, people=need.people,
        made_by=actor.name, made_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "shift.need", f"team {need.team_id}",
                 shift=need.shift, people=need.people, weekdays=row.weekdays)  # fmt: skip
    return row


def remove_need(session: Session, actor: Actor, number: int, at: datetime) -> None:
    access.require(actor, "rosters.plan")
    row = session.get(ShiftNeed, number)
    if row is None:
        raise NotFoundError(f"there is no need {number}")
    access.require(actor, "rosters.plan", row.team_id)
    audit.record(session, at, actor.name, "shift.need_removed", f"team {row.team_id}",
                 shift=row.shift_code, people=row.people)  # fmt: skip
    session.delete(row)
    session.flush()


def kept_needs(session: Session, team_id: int | None = None) -> list[ShiftNeed]:
    """What shifts need, of one team or of all."""
    query = select(ShiftNeed).order_by(col(ShiftNeed.team_id), col(ShiftNeed.id))
    if team_id is not None:
        query = query.where(ShiftNeed.team_id == team_id)
    return list(session.exec(query))


def needs(
    session: Session, team_id: int, days: Sequence[p.Day], shifts: Mapping[str, p.Shift]
) -> tuple[p.ShiftCover, ...]:
    """Cover by shift, for each day of a roster."""
    skills = {skill.id: skill.code for skill in session.exec(select(Skill))}
    return tuple(
        p.ShiftCover(
            day.date, row.shift_code, row.people, row.people, under_weight=MISSING_WEIGHT,
            maximum=10_000, skill=skills.get(row.skill_id), min_grade=row.min_grade.value,
            min_level=row.min_level, cause="need of the shift",
        )
        for row in kept_needs(session, team_id)
        if row.shift_code in shifts
        for day in days
        if day.date.isoweekday() in row.weekdays
    )  # fmt: skip
