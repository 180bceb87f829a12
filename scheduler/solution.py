"""A roster: who has which shift on which day, and who holds which post."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from scheduler.errors import SchedulingError
from scheduler.problem import RosterProblem
from scheduler.problem.json_form import from_plain, to_plain


@dataclass(frozen=True, slots=True)
class Duty:
    """One cell of a roster: an agent has a shift on a day.

    `breaks` are the minutes at which the breaks of the shift begin, counted from midnight of the
    day; without them the breaks lie where the shift says.
    """

    agent: str
    day: date
    shift: str
    breaks: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """One place of a duty table: an agent holds a post on a day."""

    post: str
    day: date
    agent: str


@dataclass(frozen=True)
class Roster:
    """All duties of a period; a cell that is not named is a day off.

    Parameters
    ----------
    cells : mapping of (agent id, date) to shift id
    posts : mapping of (post id, date) to the ids of its holders
    extra : duties read beside the one in their cell, which break the rule of one shift a day;
        they count for nothing else
    breaks : mapping of (agent id, date) to the minutes at which the breaks of the duty begin
    """

    cells: Mapping[tuple[str, date], str] = field(default_factory=dict)
    posts: Mapping[tuple[str, date], tuple[str, ...]] = field(default_factory=dict)
    extra: tuple[Duty, ...] = ()
    breaks: Mapping[tuple[str, date], tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", MappingProxyType(dict(self.cells)))
        breaks = {cell: starts for cell, starts in self.breaks.items() if cell in self.cells}
        object.__setattr__(self, "breaks", MappingProxyType(breaks))
        posts = {place: tuple(sorted(held)) for place, held in self.posts.items() if held}
        object.__setattr__(self, "posts", MappingProxyType(posts))

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: views of mappings do not travel, mappings do."""
        return Roster, (dict(self.cells), dict(self.posts), self.extra, dict(self.breaks))

    def shift(self, agent: str, day: date) -> str | None:
        """The shift of a cell, None when off."""
        return self.cells.get((agent, day))

    def duties(self) -> list[Duty]:
        """All cells, ordered by agent and day."""
        return [Duty(a, d, s, self.breaks.get((a, d))) for (a, d), s in sorted(self.cells.items())]

    def holdings(self) -> list[Holding]:
        """All places held, ordered by day and post."""
        ordered = sorted(self.posts.items(), key=lambda item: (item[0][1], item[0][0]))
        return [Holding(p, d, agent) for (p, d), held in ordered for agent in held]

    def to_json(self) -> str:
        """``{"assignments": [{agent, day, shift, breaks}], "posts": [{post, day, agent}]}``."""
        document = {
            "assignments": [to_plain(duty) for duty in self.duties()],
            "posts": [
                {"post": h.post, "day": h.day.isoformat(), "agent": h.agent}
                for h in self.holdings()
            ],
        }
        return json.dumps(document, ensure_ascii=False, indent=1)


@dataclass(frozen=True)
class _Document:
    assignments: tuple[Duty, ...]
    posts: tuple[Holding, ...] = ()


def roster_from_json(text: str, problem: RosterProblem) -> Roster:
    """Read a roster of `problem`.

    Raises
    ------
    SchedulingError
        Not JSON, not of this form, an unknown agent, shift, post or day: one line per fault.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchedulingError(f"not a JSON document: {error}") from error
    faults: list[str] = []
    document = from_plain(_Document, plain, "roster", faults)
    if faults:
        raise SchedulingError("\n".join(faults))
    places = [(f"roster.assignments[{i}]", duty) for i, duty in enumerate(document.assignments)]
    cells, extra = cells_of(places, problem, faults)
    posts: dict[tuple[str, date], tuple[str, ...]] = {}
    held_on = {post.id: post.days for post in problem.posts}
    for i, held in enumerate(document.posts):
        path = f"roster.posts[{i}]"
        if held.agent not in problem.lookup.agent:
            faults.append(f"{path}.agent: there is no agent {held.agent!r}")
        if held.day not in held_on.get(held.post, ()):
            faults.append(f"{path}: there is no post {held.post!r} on {held.day}")
        place = (held.post, held.day)
        if held.agent in posts.get(place, ()):
            faults.append(f"{path}: {held.agent!r} holds this post twice")
        posts[place] = (*posts.get(place, ()), held.agent)
    if faults:
        raise SchedulingError("\n".join(faults))
    breaks = {(c.agent, c.day): c.breaks for c in document.assignments if c.breaks is not None}
    return Roster(cells, posts, extra, breaks)


def cells_of(
    duties: list[tuple[str, Duty]], problem: RosterProblem, faults: list[str]
) -> tuple[dict[tuple[str, date], str], tuple[Duty, ...]]:
    """Cells from duties, and those whose cell was taken; what is wrong goes to `faults`.

    Each duty comes with the place it was read at.
    """
    look = problem.lookup
    cells: dict[tuple[str, date], str] = {}
    extra: list[Duty] = []
    for place, duty in duties:
        before = len(faults)
        if duty.agent not in look.agent:
            faults.append(f"{place}: there is no agent {duty.agent!r}")
        if duty.shift not in look.shift:
            faults.append(f"{place}: there is no shift {duty.shift!r}")
        if duty.day not in look.day:
            faults.append(f"{place}: {duty.day} is not one of the problem's days")
        if len(faults) > before:
            continue
        if (duty.agent, duty.day) in cells:
            extra.append(duty)
        else:
            cells[duty.agent, duty.day] = duty.shift
    return cells, tuple(extra)
