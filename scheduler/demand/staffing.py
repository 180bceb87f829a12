"""From promises to people: staffing requirements per skill, tier and slot.

Live queues are staffed by Erlang C or A, work that may wait by its deadlines (`deferred`).
Tiers nest: an expert may do any work. People of a tier and above together are staffed for the
pooled work of these tiers, as if each contact took the next free person who may handle it;
keeping an expert free for expert work is a matter of dispatch, and replaying the roster shows
where it needs more people than this.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scheduler.demand.deferred import DeferredWork, Floats, Late, Slots, level
from scheduler.demand.queues import agents_needed
from scheduler.errors import SchedulingError

TIERS = ("ordinary", "senior", "expert")
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Target:
    """A promise on a live queue.

    Parameters
    ----------
    promise : str
        Where it comes from, such as ``"SLA 12: first response"``.
    service_level : float
        Share to be served within the limit, 0 to below 1.
    within_min : float
        The limit, minutes.
    patience_min : float, optional
        Mean patience, minutes: customers leave (Erlang A). Without it they wait (Erlang C).
    max_occupancy : float, optional
        Highest share of time an agent may be at work.
    """

    promise: str
    service_level: float
    within_min: float
    patience_min: float | None = None
    max_occupancy: float | None = None


@dataclass(frozen=True)
class LiveWork:
    """Contacts that wait for an answer: expected contacts per slot and their handle minutes."""

    skill: str
    tier: str
    target: Target
    contacts: Floats
    handle_min: Floats


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """A share of paid time not available for work.

    ``in_roster`` marks kinds the roster itself shows (breaks, leave, training): they do not
    raise what the roster must cover, only the headcount. Shares are of paid time and add up.
    """

    kind: str
    share: float
    in_roster: bool = False


@dataclass(frozen=True)
class StaffingProblem:
    """What has to be staffed.

    Parameters
    ----------
    slots : int
        Number of slots of the horizon.
    slot_min : float
        Minutes per slot.
    live, deferred : sequences
        The work.
    opening : mapping skill → array of bool
        Slots in which deferred work may be done; a skill not named is always open.
    shrinkage : sequence of Shrinkage
    idle_use : float
        Share of the idle time of people on live queues that serves deferred work, 0 to 1.
    tiers : sequence of str
        Grades from lowest to highest.
    """

    slots: int
    slot_min: float
    live: Sequence[LiveWork] = ()
    deferred: Sequence[DeferredWork] = ()
    opening: Mapping[str, NDArray[np.bool_]] | None = None
    shrinkage: Sequence[Shrinkage] = ()
    idle_use: float = 0.0
    tiers: Sequence[str] = TIERS


@dataclass(frozen=True, slots=True)
class Requirement:
    """People needed in one slot.

    ``people`` of this tier or above, beside those required of the tiers above; ``at_least`` of
    this tier and above in all; ``scheduled`` and ``headcount`` the same as ``people`` with the
    shrinkage of the day, and with all shrinkage. ``live`` and ``deferred`` split ``people``;
    the promises say where each part comes from (``None`` when the part is 0).
    """

    skill: str
    tier: str
    slot: int
    people: int
    at_least: int
    scheduled: int
    headcount: int
    live: int
    deferred: int
    live_promise: str | None
    deferred_promise: str | None


@dataclass(frozen=True, slots=True)
class StaffingPlan:
    """Requirements (only where people are needed) and the work no staffing can do in time."""

    requirements: tuple[Requirement, ...]
    late: tuple[Late, ...]

    def frame(self) -> pd.DataFrame:
        """One row per requirement, columns as the fields of `Requirement`."""
        columns = list(Requirement.__dataclass_fields__)
        return pd.DataFrame([asdict(row) for row in self.requirements], columns=columns)


@dataclass(frozen=True)
class _Need:
    """People per slot of one tier, or of a tier and above, and the promise behind each slot."""

    people: Slots
    promise: list[str | None]


def people_scheduled(people: int, shrinkage: float) -> int:
    """People to schedule so that `people` are at work: people / (1 - shrinkage), rounded up."""
    if not 0 <= shrinkage < 1:
        raise SchedulingError("shrinkage must be from 0 to below 1")
    return math.ceil(people / (1 - shrinkage) - ROUNDING)


def staff(problem: StaffingProblem) -> StaffingPlan:
    """People per skill, tier and slot so that the targets are met.

    Raises
    ------
    SchedulingError
        Tiers, lengths, shares or times that cannot be; one fault per line.
    """
    _check(problem)
    off_roster = sum(kind.share for kind in problem.shrinkage if not kind.in_roster)
    in_all = sum(kind.share for kind in problem.shrinkage)
    requirements: list[Requirement] = []
    late: list[Late] = []
    skills = {work.skill for work in problem.live} | {work.skill for work in problem.deferred}
    for skill in sorted(skills):
        live, spare = _live(problem, skill)
        waiting, unkept = _deferred(problem, skill, spare)
        late += unkept
        requirements += _rows(problem, skill, live, waiting, off_roster, in_all)
    order = {tier: -rank for rank, tier in enumerate(problem.tiers)}
    requirements.sort(key=lambda row: (row.skill, row.slot, order[row.tier]))
    return StaffingPlan(tuple(requirements), tuple(late))


def _live(problem: StaffingProblem, skill: str) -> tuple[dict[str, _Need], dict[str, Floats]]:
    """People per tier for live queues, and idle person-slots per tier usable for other work."""
    needs: dict[str, _Need] = {}
    idle: dict[str, Floats] = {}
    above = np.zeros(problem.slots, dtype=np.int64)
    load = np.zeros(problem.slots)
    pool: list[LiveWork] = []
    for tier in reversed(problem.tiers):
        added = [work for work in problem.live if work.skill == skill and work.tier == tier]
        pool += added
        together = _pooled(pool, problem.slots, problem.slot_min)
        people = np.maximum(together.people, above)
        load = load + sum(
            (work.contacts * work.handle_min / problem.slot_min for work in added),
            start=np.zeros(problem.slots),
        )
        needs[tier] = _Need(people - above, together.promise)
        idle[tier] = np.maximum(0.0, people - load)
        above = people
    return needs, _usable(idle, problem)


def _usable(idle: dict[str, Floats], problem: StaffingProblem) -> dict[str, Floats]:
    """Split the idle time of tiers-and-above into what each tier adds, counting nobody twice."""
    usable: dict[str, Floats] = {}
    taken = np.zeros(problem.slots)
    for rank in range(len(problem.tiers) - 1, -1, -1):
        # what lower tiers' live work leaves of it is all that can be used
        left = np.min([idle[lower] for lower in problem.tiers[: rank + 1]], axis=0)
        usable[problem.tiers[rank]] = problem.idle_use * (left - taken)
        taken = left
    return usable


def _pooled(pool: Sequence[LiveWork], slots: int, slot_min: float) -> _Need:
    """People for several queues served together; the promise that asks for most of them."""
    people = np.zeros(slots, dtype=np.int64)
    promise: list[str | None] = [None] * slots
    if not pool:
        return _Need(people, promise)
    contacts = np.sum([work.contacts for work in pool], axis=0)
    minutes = np.sum([work.contacts * work.handle_min for work in pool], axis=0)
    for work in pool:
        for slot in np.flatnonzero((work.contacts > 0) & (minutes > 0)):
            handle = float(minutes[slot] / contacts[slot])
            needed = _agents(work.target, float(minutes[slot]) / slot_min, handle)
            if needed > people[slot]:
                people[slot], promise[slot] = needed, work.target.promise
    return _Need(people, promise)


@lru_cache(maxsize=100_000)
def _agents(target: Target, load: float, handle_min: float) -> int:
    return agents_needed(
        "c" if target.patience_min is None else "a",
        load,
        target_service_level=target.service_level,
        within_min=target.within_min,
        handle_min=handle_min,
        patience_min=target.patience_min,
        max_occupancy=target.max_occupancy,
    )


def _deferred(
    problem: StaffingProblem, skill: str, idle: dict[str, Floats]
) -> tuple[dict[str, _Need], list[Late]]:
    """People per tier for work that may wait; what higher tiers leave over serves lower ones."""
    always = np.ones(problem.slots, dtype=bool)
    is_open = (problem.opening or {}).get(skill, always)
    needs: dict[str, _Need] = {}
    late: list[Late] = []
    spare = np.zeros(problem.slots)
    for tier in reversed(problem.tiers):
        works = [work for work in problem.deferred if work.skill == skill and work.tier == tier]
        spare = spare + idle[tier]
        answer = level(works, is_open, problem.slot_min, spare)
        spare = answer.spare
        late += answer.late
        promise: list[str | None] = [None] * problem.slots
        for slot in np.flatnonzero(answer.people):
            promise[slot] = answer.promises[int(np.argmax(answer.done[:, slot]))]
        needs[tier] = _Need(answer.people, promise)
    return needs, late


def _rows(
    problem: StaffingProblem,
    skill: str,
    live: dict[str, _Need],
    waiting: dict[str, _Need],
    off_roster: float,
    in_all: float,
) -> list[Requirement]:
    """Requirements of one skill; shrinkage is rounded up over a tier and above, not per tier."""
    rows = []
    above = np.zeros(problem.slots, dtype=np.int64)
    for tier in reversed(problem.tiers):
        people = live[tier].people + waiting[tier].people
        for slot in np.flatnonzero(people):
            before, after = int(above[slot]), int(above[slot] + people[slot])
            on_phone, on_paper = int(live[tier].people[slot]), int(waiting[tier].people[slot])
            rows.append(
                Requirement(
                    skill=skill,
                    tier=tier,
                    slot=int(slot),
                    people=after - before,
                    at_least=after,
                    scheduled=people_scheduled(after, off_roster)
                    - people_scheduled(before, off_roster),
                    headcount=people_scheduled(after, in_all) - people_scheduled(before, in_all),
                    live=on_phone,
                    deferred=on_paper,
                    live_promise=live[tier].promise[slot] if on_phone else None,
                    deferred_promise=waiting[tier].promise[slot] if on_paper else None,
                )
            )
        above = above + people
    return rows


def _check(problem: StaffingProblem) -> None:
    faults = []
    if problem.slots < 1 or not problem.slot_min > 0:
        faults.append("the horizon needs at least one slot of more than 0 minutes")
    places = [(work.skill, work.tier) for work in problem.live]
    places += [(work.skill, work.tier) for work in problem.deferred]
    faults += [
        f"{skill}: unknown tier {tier}" for skill, tier in places if tier not in problem.tiers
    ]
    for queue in problem.live:
        for name, values in (("contacts", queue.contacts), ("handle_min", queue.handle_min)):
            if np.shape(values) != (problem.slots,):
                faults.append(f"{queue.skill}: {name} needs {problem.slots} values")
            elif not (np.isfinite(values) & (np.asarray(values) >= 0)).all():
                faults.append(f"{queue.skill}: {name} must be numbers from 0 up")
    for skill, hours in (problem.opening or {}).items():
        if np.shape(hours) != (problem.slots,):
            faults.append(f"{skill}: opening needs {problem.slots} values")
    shares = [kind.share for kind in problem.shrinkage]
    if any(not 0 <= share < 1 for share in shares) or sum(shares) >= 1:
        faults.append("shrinkage: shares must be from 0 and add up to below 1")
    if not 0 <= problem.idle_use <= 1:
        faults.append("idle_use must be from 0 to 1")
    if faults:
        raise SchedulingError("\n".join(faults))
