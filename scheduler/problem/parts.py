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
RestrictionKind: TypeAlias = Literal["no_nights", "no_overtime", "no_duty_on_holidays"]

GRADES: tuple[Grade, ...] = ("ordinary", "senior", "expert")
WORKING_DAY_TYPES = ("workday", "make_up_workday")
DAY_MINUTES = 1440


def grade_rank(grade: Grade) -> int:
    """Place of a grade in the order ordinary (0) < senior (1) < expert (2)."""
    return GRADES.index(grade)


@dataclass(frozen=True, slots=True)
class Restriction:
    """A protection one person has between two dates, both included.

    ``no_nights``: no shift marked as night. ``no_overtime``: no shift longer than the agent's
    `day_minutes`, no duty on statutory holidays, and within the dates no more minutes than
    `day_minutes` for each working day. ``no_duty_on_holidays``: off on statutory holidays.
    """

    kind: RestrictionKind
    first: date
    last: date
    source: str = ""


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
        Skills and qualifications (a post may ask for one as well).
    sites : tuple of str
        Sites the agent may work at; empty means any.
    shifts : tuple of str, optional
        Shifts the agent may work; None means all.
    day_minutes : int
        Contract minutes of a working day; the contract of a period is this times its working
        days, less those on leave.
    min_minutes, max_minutes : int, optional
        Hard limits of the minutes worked within the problem's days.
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
    """A pause within a shift, minutes from midnight of the day the shift starts on."""

    start: int
    end: int
    paid: bool = True


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


@dataclass(frozen=True, slots=True)
class ShiftCover:
    """People wanted on one shift of one day.

    Costs `under_weight` per person short of `desired`, `minimum_weight` more per person short of
    `minimum`, and `over_weight` per person above `maximum` (by default above `desired`). Only
    people with the skill, at least the grade, count; they may count for other covers as well.
    """

    date: date
    shift: str
    desired: int
    minimum: int = 0
    maximum: int | None = None
    under_weight: int = 100
    minimum_weight: int = 0
    over_weight: int = 0
    skill: str | None = None
    min_grade: Grade = "ordinary"
    cause: str = ""


@dataclass(frozen=True, slots=True)
class IntervalCover:
    """People wanted throughout a span of one day, counted slot by slot.

    With `exclusive` each person present counts for one such demand at a time (a multi-skilled
    agent is never counted twice); people are given to demands in the cheapest way. Tiers nest: a
    higher grade may serve a lower tier. Without it the cover asks for a mix, such as one expert
    on site at any hour, whatever they work on. Standby does not count as present.

    Parameters
    ----------
    start, end : int
        Minutes from midnight of `date`, multiples of the problem's `slot_minutes`, at most 1440.
    desired, minimum : int
        People per slot.
    under_weight, minimum_weight, over_weight : int
        Cost per person and slot: short of `desired`; further, short of `minimum`; above `desired`
        (for exclusive demands: present, able, and given to none; the cheapest weight of the slot).
    skill, min_grade, site, mode : optional
        Who counts.
    cause : str
        The promise the requirement comes from, for explanations.
    """

    date: date
    start: int
    end: int
    desired: int
    minimum: int = 0
    under_weight: int = 10
    minimum_weight: int = 0
    over_weight: int = 0
    skill: str | None = None
    min_grade: Grade = "ordinary"
    site: str | None = None
    mode: Mode | None = None
    exclusive: bool = True
    cause: str = ""


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


@dataclass(frozen=True, slots=True)
class Request:
    """A wish: costs `weight` when not met. Without a shift it is about any duty on the day."""

    agent: str
    date: date
    on: bool
    weight: int
    shift: str | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """An absence from `first` to `last`, both included: no shift and no post."""

    agent: str
    first: date
    last: date
    kind: str = "leave"


@dataclass(frozen=True, slots=True)
class Lock:
    """A cell the solver may not change; without a shift the agent is off."""

    agent: str
    date: date
    shift: str | None = None


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
