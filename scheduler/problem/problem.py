"""The roster problem as a whole: one immutable value with a JSON form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from scheduler.errors import SchedulingError
from scheduler.problem.check import faults_in
from scheduler.problem.cover import IntervalCover, ShiftCover
from scheduler.problem.json_form import from_plain, to_plain
from scheduler.problem.lookup import Lookup
from scheduler.problem.parts import (
    Agent,
    Day,
    Forbidden,
    Leave,
    Lock,
    PastDuty,
    Pin,
    Post,
    PostLock,
    Preference,
    Request,
    Shift,
)
from scheduler.problem.rules import Rule


@dataclass(frozen=True)
class RosterProblem:
    """Who can work, when, on what, under which rules, and what is wanted.

    Parameters
    ----------
    agents, days, shifts : tuples
        `days` are consecutive dates. Each agent has at most one shift that starts on a day.
    shift_cover, interval_cover, posts : tuples
        What is wanted. Never hard: what cannot be filled is a named gap.
    rules : tuple of Rule
        Hard ones must hold; soft ones cost.
    requests : tuple of Request
    preferences : tuple of Preference
        What people like at all times.
    leave, locks, post_locks, forbidden : tuples
        What is given. Hard.
    published, pins : tuples
        The roster as published (cells not named are off), and which of it must stay: hard.
    history : tuple of PastDuty
        Carry-in: the shifts worked in the `history_days` days before the first day. Days in that
        span without one were off; earlier days are unknown.
    slot_minutes : int
        Length of the slots of interval cover; divides 1440.

    Raises
    ------
    SchedulingError
        Something does not fit together: one line per fault.
    """

    agents: tuple[Agent, ...]
    days: tuple[Day, ...]
    shifts: tuple[Shift, ...]
    shift_cover: tuple[ShiftCover, ...] = ()
    interval_cover: tuple[IntervalCover, ...] = ()
    posts: tuple[Post, ...] = ()
    rules: tuple[Rule, ...] = ()
    requests: tuple[Request, ...] = ()
    leave: tuple[Leave, ...] = ()
    locks: tuple[Lock, ...] = ()
    post_locks: tuple[PostLock, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    history: tuple[PastDuty, ...] = ()
    history_days: int = 0
    slot_minutes: int = 30
    name: str = ""
    preferences: tuple[Preference, ...] = ()
    published: tuple[Lock, ...] = ()
    pins: tuple[Pin, ...] = ()

    def __post_init__(self) -> None:
        faults = faults_in(self)
        if faults:
            raise SchedulingError("\n".join(faults))

    @cached_property
    def lookup(self) -> Lookup:
        """Positions, allowed cells and other tables derived from the problem."""
        return Lookup(self)

    def to_json(self) -> str:
        """The problem as a JSON document; `from_json` gives back an equal problem."""
        return json.dumps(to_plain(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> RosterProblem:
        """Read a JSON document.

        Raises
        ------
        SchedulingError
            Not JSON, a field that is missing, unknown or of another form, or parts that do not
            fit together: one line per fault, each with its path in the document.
        """
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SchedulingError(f"not a JSON document: {error}") from error
        faults: list[str] = []
        problem = from_plain(cls, plain, "problem", faults)
        if faults:
            raise SchedulingError("\n".join(faults))
        assert isinstance(problem, cls)
        return problem
