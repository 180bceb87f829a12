"""Rows of the month grid, chosen and grouped as the planner asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scheduler.problem.parts import GRADES
from wfm.services.roster_month import Month, Row

Grouping: TypeAlias = Literal["", "team", "grade", "skill"]


@dataclass(frozen=True)
class Choice:
    """Which rows to show: people whose name or code has `who`, of a grade, with a skill."""

    who: str = ""
    grade: str = ""
    skill: str = ""
    group: Grouping = ""
    changed: bool = False


@dataclass(frozen=True)
class Group:
    """Rows under one heading; without a grouping the heading is empty."""

    heading: str
    rows: tuple[Row, ...]


def arranged(grid: Month, choice: Choice) -> list[Group]:
    """The rows wanted, by group; whoever has several skills stands under each."""
    rows = chosen(grid.rows, choice)
    if choice.group == "grade":
        return _grouped(rows, list(reversed(GRADES)), lambda row: [row.agent.grade.value])
    if choice.group == "skill":
        skills = sorted({skill for row in rows for skill in row.agent.skills})
        return _grouped(rows, skills, lambda row: list(row.agent.skills))
    return [Group("", rows)]


def chosen(rows: Sequence[Row], choice: Choice) -> tuple[Row, ...]:
    """The rows wanted."""
    return tuple(row for row in rows if _wanted(row, choice))


def _wanted(row: Row, choice: Choice) -> bool:
    agent, who = row.agent, choice.who.strip().lower()
    return (
        (not who or who in agent.name.lower() or who in agent.code.lower())
        and choice.grade in ("", agent.grade.value)
        and (not choice.skill or choice.skill in agent.skills)
        and (not choice.changed or row.totals.changed > 0 or any(c.edited for c in row.cells))
    )


def _grouped(
    rows: Sequence[Row], headings: Sequence[str], of: Callable[[Row], list[str]]
) -> list[Group]:
    found = [Group(name, tuple(row for row in rows if name in of(row))) for name in headings]
    without = tuple(row for row in rows if not of(row))
    return [group for group in (*found, Group("–", without)) if group.rows]
