"""What each criterion counts, as data: numerator, denominator, window, exclusions, direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grading.toml import Table

Direction = Literal["higher"]
DIRECTIONS: tuple[Direction, ...] = ("higher",)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a criterion is made of.

    Parameters
    ----------
    numerator : tuple of str
        What a record must be (all of it) to count for the agent, or the amount that is summed.
    denominator : str
        The records, or months, it is a share or a mean of.
    window_months : int
        Records older than this at the day of assessment are left out; 0: the whole period.
    exclusions : tuple of str
        Records that count neither for nor against.
    direction : {"higher"}
        Which end is good work.
    """

    numerator: tuple[str, ...]
    denominator: str
    window_months: int
    exclusions: tuple[str, ...]
    direction: Direction


@dataclass(frozen=True, slots=True)
class Known:
    """The words a criterion's definition may be made of."""

    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    exclusions: tuple[str, ...]


KNOWN: dict[str, Known] = {
    "tenure": Known(("months_of_service",), ("agent",), ("breaks",)),
    "resolution": Known(
        ("resolved", "independent", "not_reopened"), ("closed_cases",), ("handed_up_by_rule",)
    ),
    "quality": Known(("corrected_score",), ("reviews",), ()),
    "initiative": Known(("capped_points",), ("months",), ()),
    "satisfaction": Known(("satisfied",), ("answered_surveys",), ()),
}


def read_definition(table: Table, criterion: str) -> Definition:
    """The definition of one criterion; words it does not know are faults."""
    known = KNOWN[criterion]
    numerator = table.words("numerator", known.numerator)
    if not numerator and not table.faults:
        table.fault(f"{table.path}.numerator", "must name what counts")
    return Definition(
        numerator=numerator,
        denominator=table.choice("denominator", known.denominator),
        window_months=table.whole("window_months", 0, 600),
        exclusions=table.words("exclusions", known.exclusions),
        direction=table.choice("direction", DIRECTIONS),
    )
