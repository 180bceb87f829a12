"""What is wanted of people: on a shift of a day, or throughout a span of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from scheduler.problem.parts import Grade, Mode

Wants: TypeAlias = tuple[int, int, int, int, int]  # desired, minimum, most, and the two weights


class _Wanted:
    """What covers of either kind say of numbers of people."""

    __slots__ = ()
    desired: int
    minimum: int
    maximum: int | None
    under_weight: int
    minimum_weight: int

    @property
    def most(self) -> int:
        """Most people it has use for."""
        return self.desired if self.maximum is None else self.maximum

    @property
    def wants(self) -> Wants:
        """How many people, and what missing ones cost."""
        return self.desired, self.minimum, self.most, self.under_weight, self.minimum_weight


@dataclass(frozen=True, slots=True)
class ShiftCover(_Wanted):
    """People wanted on one shift of one day.

    Costs `under_weight` per person short of `desired`, `minimum_weight` more per person short of
    `minimum`, and `over_weight` per person above `maximum` (by default above `desired`). Only
    people with the skill at `min_level` or above, at least the grade, count. They may count for
    other covers of the shift as well, unless these are `exclusive`: then each person on the shift
    counts for one of them, in the cheapest way, and whoever is left over costs the least
    `over_weight` of them.
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
    min_level: int = 1
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class IntervalCover(_Wanted):
    """People wanted throughout a span of one day, counted slot by slot.

    With `exclusive` each person present counts for one such demand at a time (a multi-skilled
    agent is never counted twice); people are given to demands in the cheapest way. Tiers nest: a
    higher grade may serve a lower tier. Without it the cover asks for a mix, such as one expert
    on site at any hour, whatever they work on. Standby does not count as present, but for a cover
    whose `mode` is standby.

    Parameters
    ----------
    start, end : int
        Minutes from midnight of `date`, multiples of the problem's `slot_minutes`, at most 1440.
    desired, minimum : int
        People per slot.
    under_weight, minimum_weight, over_weight : int
        Cost per person and slot: short of `desired`; further, short of `minimum`; above `maximum`
        (for exclusive demands: present, able, and given to none; the cheapest weight of the slot).
    maximum : int, optional
        Most people it has use for; by default `desired`.
    skill, min_level, min_grade, site, mode : optional
        Who counts; the skill as held on `date`.
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
    maximum: int | None = None
    min_level: int = 1
