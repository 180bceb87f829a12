"""What a roster problem is made of: people, days, shifts, cover, wishes and what is given.

All times are whole minutes, counted from midnight of the day a shift starts on; a shift over
midnight ends after minute 1440. Weights are whole cost units, zero or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Grade: TypeAlias = Literal["ordinary", "senior", "expert"]
DayType: TypeAlias = Literal["workday", "rest_day", "statutory_holiday", "make_up_workday"]
Mode: TypeAlias = Literal["on_site", "remote", "standby"]
RestrictionKind: TypeAlias = Literal[
    "no_nights", "no_overtime", "no_duty_on_holidays", "no_standby", "remote_only", "short_days"
]
Declined: TypeAlias = Literal["nights", "overtime", "standby"]

GRADES: tuple[Grade, ...] = ("ordinary", "senior", "expert")
WORKING_DAY_TYPES = ("workday", "make_up_workday")
DAY_MINUTES = 1440
FULL_LEVEL = 5


def grade_rank(grade: Grade) -> int:
    """Place of a grade in the order ordinary (0) < senior (1) < expert (2)."""
    return GRADES.index(grade)


@dataclass(frozen=True, slots=True)
class Restriction:
    """A protection one person has between two dates, both included.

    ``no_nights``: no shift marked as night. ``no_overtime``: no shift longer than the agent's
    `day_minutes`, no duty on statutory holidays, and within the dates no more minutes than
    `day_minutes` for each working day. ``no_duty_on_holidays``: off on statutory holidays.
    ``no_standby``: no standby shift. ``remote_only``: no shift on site. ``short_days``: no shift
    with more than `minutes` between start and end, breaks aside, whether paid or not.
    """

    kind: RestrictionKind
    first: date
    last: date
    source: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Qualification:
    """A skill with its level (1 to 5) and the dates it is held, both included; open without."""

    skill: str
    level: int = FULL_LEVEL
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """When an agent can work: shifts that start on these weekdays and lie within the hours.

    Parameters
    ----------
    weekdays : tuple of int
        1 is Monday, 7 Sunday.
    start, end : int
        Minutes from midnight of the day the shift starts on.
    first, last : date, optional
        Dates for which it is offered, both included.
    """

    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    start: int = 0
    end: int = 2 * DAY_MINUTES
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who can be rostered.

    Parameters
    ----------
    id : str
        Unique name in the problem.
    grade : {"ordinary", "senior", "expert"}
        Higher grades may do the work of lower ones.
    skills : tuple of str
        Skills and qualifications held at the full level without an end (a post may ask for one
        as well).
    sites : tuple of str
        Sites the agent may work at; empty means any.
    shifts : tuple of str, optional
        Shifts the agent may work; None means all.
    day_minutes : int
        Contract minutes of a working day; the contract of a period is this times its working
        days, less those on leave.
    min_minutes, max_minutes : int, optional
        Hard limits of the minutes worked within the problem's days.
    restrictions : tuple of Restriction
        Protections with dates.
    team : str
        A rule may be about everybody of a team.
    qualifications : tuple of Qualification
        Skills with a level or with dates, beside `skills`.
    declines : tuple of {"nights", "overtime", "standby"}
        What the agent has not consented to: hard, as the restriction of that name for all days.
    availability : tuple of Availability
        When the agent can work at all; empty means always.
    home, away_weight : optional
        Each duty at a site other than `home` costs `away_weight`: how unwilling the agent is to go.
    reach_minutes : int
        Minutes the agent needs to be at work when called on standby.
    """

    id: str
    name: str = ""
    grade: Grade = "ordinary"
    skills: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    shifts: tuple[str, ...] | None = None
    day_minutes: int = 480
    min_minutes: int | None = None
    max_minutes: int | None = None
    restrictions: tuple[Restriction, ...] = ()
    team: str = ""
    qualifications: tuple[Qualification, ...] = ()
    declines: tuple[Declined, ...] = ()
    availability: tuple[Availability, ...] = ()
    home: str | None = None
    away_weight: int = 0
    reach_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day: its type, its name when it has one (除夕), and how much people mind it.

    `burden` is the weight of having duty on this day for the holiday ledger; 0 on ordinary days.
    """

    date: date
    type: DayType = "workday"
    name: str = ""
    burden: int = 0


@dataclass(frozen=True, slots=True)
class Break:
    """A pause within a shift, minutes from midnight of the day the shift starts on.

    With a window the pause may be moved, its length kept, to begin no earlier than `earliest` and
    to end no later than `latest`; `start` and `end` are where it lies unless a roster says
    otherwise.
    """

    start: int
    end: int
    paid: bool = True
    earliest: int | None = None
    latest: int | None = None

    @property
    def movable(self) -> bool:
        return self.earliest is not None and self.latest is not None


@dataclass(frozen=True, slots=True)
class Shift:
    """A pattern of work on a day.

    Parameters
    ----------
    start, end : int
        Minutes from midnight of the day it starts on, ``start < end``; over 1440 is the next day.
    minutes : int, optional
        Minutes of work it counts for; by default its length less unpaid breaks.
    skills, min_grade, site : optional
        What whoever works it must have.
    night, unpopular : bool
        Marks read by rules (nights) and fair shares.
    burden_percent : int
        Share of the day's burden that working this shift brings.
    min_stretch, max_stretch : int, optional
        Least and most minutes of work between breaks, and before the first and after the last
        (the least only between breaks).
    reach_minutes : int, optional
        Of a standby: whoever has it must be at work within so many minutes.
    """

    id: str
    start: int
    end: int
    name: str = ""
    minutes: int | None = None
    mode: Mode = "on_site"
    site: str | None = None
    skills: tuple[str, ...] = ()
    min_grade: Grade = "ordinary"
    breaks: tuple[Break, ...] = ()
    night: bool = False
    unpopular: bool = False
    burden_percent: int = 100
    min_stretch: int = 0
    max_stretch: int | None = None
    reach_minutes: int | None = None

    @property
    def work_minutes(self) -> int:
        """Minutes of work the shift counts for."""
        if self.minutes is not None:
            return self.minutes
        return self.end - self.start - sum(b.end - b.start for b in self.breaks if not b.paid)

    def present(self, start: int, end: int) -> bool:
        """Whether someone on this shift works through all of ``[start, end)`` of its day."""
        return (
            self.start <= start
            and end <= self.end
            and all(b.end <= start or end <= b.start for b in self.breaks)
        )

    @property
    def attended_minutes(self) -> int:
        """Minutes between start and end without breaks, paid or not."""
        return self.end - self.start - sum(b.end - b.start for b in self.breaks)


@dataclass(frozen=True, slots=True)
class Post:
    """A place in a duty table, to be held on some days.

    Parameters
    ----------
    days : tuple of date
        Days on which it is held.
    count : int
        Holders a day; nobody holds two posts on a day.
    min_grade, skill : optional
        Who may hold it.
    shifts : tuple of str
        The holder works one of these that day; empty: any duty, or none.
    exclusive : bool
        The holder works no shift that day (standby from home).
    weight : int
        Cost of every place left empty.
    burden_percent : int
        Share of the day's burden that holding it brings, beside that of the holder's shift.
    reach_minutes : int, optional
        Whoever holds it must be at work within so many minutes.
    """

    id: str
    days: tuple[date, ...]
    name: str = ""
    count: int = 1
    min_grade: Grade = "ordinary"
    skill: str | None = None
    shifts: tuple[str, ...] = ()
    exclusive: bool = False
    weight: int = 1000
    burden_percent: int = 100
    reach_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A wish: costs `weight` when not met. Without a shift it is about any duty on the day."""

    agent: str
    date: date
    on: bool
    weight: int
    shift: str | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """What an agent likes at all times: costs `weight` for every duty against it.

    Against it is a duty on one of `shifts` (all, when none is named), or, with `on`, a duty on any
    other shift. It holds on `weekdays` (1 is Monday) from `first` to `last`, both included.
    """

    agent: str
    weight: int
    shifts: tuple[str, ...] = ()
    on: bool = False
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """An absence from `first` to `last`, both included: no shift and no post.

    With `start` and `end`, minutes from midnight, it takes these hours of each day only: no shift
    that touches them. It then leaves the contract as it is.
    """

    agent: str
    first: date
    last: date
    kind: str = "leave"
    start: int | None = None
    end: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it takes whole days."""
        return self.start is None or self.end is None


@dataclass(frozen=True, slots=True)
class Lock:
    """A cell the solver may not change; without a shift the agent is off."""

    agent: str
    date: date
    shift: str | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """From `first` to `last`, both included, the cells of `agents` (None: all) stay as published.

    A whole line, a whole day or a published week; a lock on a single cell goes before it.
    """

    first: date
    last: date
    agents: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class PostLock:
    """A place in the duty table the solver may not change."""

    post: str
    date: date
    agent: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A shift the agent may not work on that day; without a shift: any duty at all."""

    agent: str
    date: date
    shift: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PastDuty:
    """A shift worked before the first day (carry-in)."""

    agent: str
    date: date
    shift: str
