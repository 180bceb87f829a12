"""From tickets to people: forecast, requirement, and its share for each team."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from sqlmodel import Session, select

from scheduler.demand.deferred import DeferredWork, work_due
from scheduler.demand.staffing import (
    LiveWork,
    Requirement,
    Shrinkage,
    StaffingProblem,
    Target,
    staff,
)
from wfm import access, audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.services import forecasting, opening, promises
from wfm.services.bulk import copy_rows
from wfm.services.facts import agents_on
from wfm.services.forecasting import SLOT_MIN, Expected
from wfm.services.replaying import LOOK_BACK_DAYS, agreed_share
from wfm.services.roster_problems import instant_of
from wfm.settings import Settings
from wfm.sla.business_time import BusinessTime
from wfm.tables import Skill, StaffingPlan
from wfm.words import Grade

LIVE_UP_TO_S = 3600  # a promise of an hour or less is staffed as a live queue
IDLE_USE = 0.6  # share of idle time on live queues that serves work that may wait
SHRINKAGE = (
    Shrinkage("meetings and coaching", 0.06),
    Shrinkage("short absences", 0.03),
    Shrinkage("breaks", 0.06, in_roster=True),
)
TIERS = tuple(grade.value for grade in Grade)
DESK_QUEUE = "desk"
SLOTS_A_DAY = 24 * 60 // SLOT_MIN


@dataclass(frozen=True)
class Mix:
    """One kind of work within a skill: its share of contacts and its promise.

    `clauses` are those of the agreements behind it, each with its share of the kind's contacts.
    """

    tier: str
    live: bool
    share: float
    within_s: float
    handle_ratio: float
    clauses: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Work:
    """What one team is expected to do of one skill and tier: contacts and minutes per slot."""

    team_id: int | None
    skill: str
    mix: Mix
    contacts: np.ndarray
    minutes: np.ndarray


@dataclass(frozen=True)
class Need:
    """People one team needs for a skill and tier in a slot."""

    team_id: int | None
    skill: str
    tier: str
    slot: int
    people: int
    promise: str


def make_plan(
    session: Session, actor: Actor, first: date, last: date, timezone: str, at: datetime
) -> StaffingPlan:
    """Forecast the period and say how many people it takes, per team, skill, tier and half-hour.

    Raises
    ------
    InputError
        There are no tickets with a skill before the period.
    """
    access.require(actor, "rosters.plan")
    found = forecasting.expect(session, first, last, timezone)
    works = _works(session, found.skills, _mixes(found.tickets), first)
    time = opening.desk_time(session, timezone)
    share = agreed_share(session, first, last)
    needed = _needed(works, time, share, first, timezone)
    plan = StaffingPlan(
        period_from=first,
        period_until=last,
        made_at=at,
        facts={
            "since": found.since.isoformat(),
            "person_hours": sum(row.people for row in needed) * SLOT_MIN / 60,
            "contacts": float(sum(one.contacts.sum() for one in found.skills)),
            "skills": forecasting.facts(found),
            "promises": _behind(works, share),
            "shrinkage": [[kind.kind, kind.share, kind.in_roster] for kind in SHRINKAGE],
        },
    )
    session.add(plan)
    session.flush()
    assert plan.id is not None
    _store(session, plan.id, found.skills, needed, first, timezone)
    audit.record(session, at, actor.name, "demand.plan", f"plan {plan.id}",
                 period_from=str(first), period_until=str(last))  # fmt: skip
    return plan


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """The plan as a job."""
    first, last = (date.fromisoformat(arguments[name]) for name in ("first", "last"))
    progress.report(0.1, f"planning {first} to {last}")
    with transaction(engine) as session:
        zone = Settings.from_environment().timezone
        plan = make_plan(session, SYSTEM, first, last, zone, instants.now())
        return {"plan_id": plan.id, "page": "/rosters"}


def _mixes(tickets: pd.DataFrame) -> dict[str, list[Mix]]:
    """What kinds of work each skill's recent tickets are, with their mean promises."""
    newest = tickets["opened_at"].max()
    recent = tickets[tickets["opened_at"] > newest - pd.Timedelta(days=LOOK_BACK_DAYS)]
    recent = recent.assign(live=~(recent["within_s"] > LIVE_UP_TO_S))
    mixes: dict[str, list[Mix]] = {}
    for skill, part in recent.groupby("skill"):
        usual = part["handle_s"].mean()
        mixes[str(skill)] = [
            Mix(
                tier=str(tier),
                live=bool(live),
                share=len(kind) / len(part),
                within_s=float(kind["within_s"].mean(skipna=True)),
                handle_ratio=_ratio(kind["handle_s"].mean(), usual),
                clauses=_clauses(kind),
            )
            for (tier, live), kind in part.groupby(["tier", "live"])
        ]
    return mixes


def _clauses(kind: pd.DataFrame) -> tuple[tuple[str, float], ...]:
    if "clause" not in kind:
        return ()
    return tuple(promises.ranked((clause, 1.0) for clause in kind["clause"]))


def _ratio(own: float, usual: float) -> float:
    """How much longer than usual a kind of work takes; as long, where it was never measured."""
    return float(own / usual) if own > 0 and usual > 0 else 1.0


def _works(
    session: Session, expected: Sequence[Expected], mixes: dict[str, list[Mix]], first: date
) -> list[Work]:
    """Every skill's work, shared among the teams by what their people can do of it."""
    weights = _weights(session, first)
    works = []
    for one in expected:
        skill, volume = one.forecast.skill, one.contacts.ravel()
        handle_min = np.nan_to_num(one.forecast.handle_s.ravel()) / 60
        for mix in mixes.get(skill, []):
            able = weights.get((skill, mix.tier)) or {None: 1.0}
            for team_id, weight in able.items():
                contacts = volume * mix.share * weight / sum(able.values())
                minutes = contacts * handle_min * mix.handle_ratio
                works.append(Work(team_id, skill, mix, contacts, minutes))
    return works


def _needed(
    works: list[Work], time: BusinessTime, share: float, first: date, timezone: str
) -> list[Need]:
    """People per tier and slot, shared among teams and skills.

    Agents know several skills and stand in for each other, also across teams, so teams that have
    a skill in common are staffed as one queue with nested tiers; staffing each skill or team on
    its own would ask for far more. Where that is too little, replaying the rosters shows it.
    """
    if not works:
        return []
    slots = len(works[0].contacts)
    starts = [instant_of(first, number * SLOT_MIN, timezone) for number in range(slots)]
    is_open = np.array([time.is_open(start) for start in starts])
    needs: list[Need] = []
    for pool in _pools(works):
        required = staff(_problem(pool, is_open, share)).requirements
        needs += [need for tier in TIERS for need in _shared_out(tier, pool, required)]
    return needs


def _pools(works: list[Work]) -> list[list[Work]]:
    """Work that the same people may do, directly or through others: by teams and their skills."""
    pools: list[list[Work]] = []
    for work in works:
        apart, merged = [], [work]
        for pool in pools:
            if any(one.skill == work.skill or one.team_id == work.team_id for one in pool):
                merged = pool + merged
            else:
                apart.append(pool)
        pools = [*apart, merged]
    return pools


def _problem(works: list[Work], is_open: np.ndarray, share: float) -> StaffingProblem:
    live: list[LiveWork] = []
    deferred: list[DeferredWork] = []
    for tier in TIERS:
        now = [work for work in works if work.mix.tier == tier and work.mix.live]
        if now:
            live.append(_live(tier, now, share, is_open))
        deferred += [
            _deferred(work, is_open)
            for work in works
            if work.mix.tier == tier and not work.mix.live
        ]
    return StaffingProblem(
        slots=len(is_open), slot_min=SLOT_MIN, live=live, deferred=deferred,
        opening={DESK_QUEUE: is_open}, shrinkage=SHRINKAGE, idle_use=IDLE_USE,
    )  # fmt: skip


def _live(tier: str, works: list[Work], share: float, is_open: np.ndarray) -> LiveWork:
    """One tier's live work; the promise is the mean of what is promised for it."""
    contacts = _when_open(np.sum([work.contacts for work in works], axis=0), is_open)
    minutes = _when_open(np.sum([work.minutes for work in works], axis=0), is_open)
    handle = np.divide(minutes, contacts, out=np.zeros_like(minutes), where=contacts > 0)
    within = _mean_limit(works)
    target = Target(_live_promise(share, within), min(share, 0.99), within, max_occupancy=0.9)
    return LiveWork(DESK_QUEUE, tier, target, contacts, handle)


def _mean_limit(works: list[Work]) -> float:
    """Minutes promised, in the mean over the contacts."""
    sizes = np.array([work.contacts.sum() for work in works])
    limits = np.array([work.mix.within_s for work in works])
    known = np.isfinite(limits) & (sizes > 0)
    return float(np.average(limits[known], weights=sizes[known])) / 60 if known.any() else 30.0


def _live_promise(share: float, within_min: float) -> str:
    return f"{share * 100:.0f} % first response within {within_min:.0f} min (mean promise)"


def _deferred_promise(work: Work) -> str:
    return f"first response within {work.mix.within_s / 60:.0f} min"


def _behind(works: list[Work], share: float) -> dict[str, list[list[Any]]]:
    """The clauses behind each promise a requirement names: [clause, share of its contacts]."""
    found: dict[str, list[tuple[str, float]]] = {}
    for pool in _pools(works):
        for tier in TIERS:
            live = [work for work in pool if work.mix.tier == tier and work.mix.live]
            name = _live_promise(share, _mean_limit(live)) if live else ""
            for work in pool:
                if work.mix.tier == tier:
                    promise = name if work.mix.live else _deferred_promise(work)
                    contacts = float(work.contacts.sum())
                    found.setdefault(promise, []).extend(
                        (clause, part * contacts) for clause, part in work.mix.clauses
                    )
    return {
        promise: [[clause, round(part, 4)] for clause, part in promises.ranked(parts)]
        for promise, parts in sorted(found.items())
    }


def _when_open(amounts: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """What comes in closed hours waits, as its promise does, for the next opening of the period."""
    openings = np.flatnonzero(is_open)
    place = np.searchsorted(openings, np.arange(len(amounts)))
    inside = place < len(openings)
    moved = np.zeros_like(amounts)
    np.add.at(moved, openings[place[inside]], amounts[inside])
    return moved


def _deferred(work: Work, is_open: np.ndarray) -> DeferredWork:
    """Each half-hour's work may wait within its promise, counted in open time."""
    return work_due(
        DESK_QUEUE, work.mix.tier, _deferred_promise(work), work.minutes, work.mix.within_s / 60,
        SLOT_MIN, is_open,
    )  # fmt: skip


def _shared_out(tier: str, works: list[Work], required: Sequence[Requirement]) -> Iterator[Need]:
    """Give a tier's people to teams and skills, by their work, a day's layer at a time.

    The k-th person of a day's curve is wanted in one piece, so that somebody's duty can cover it;
    each piece goes to the team and skill that so far has had least for its share of the work.
    """
    work: dict[tuple[int | None, str], float] = {}
    for one in works:
        if one.mix.tier == tier:
            cell = (one.team_id, one.skill)
            work[cell] = work.get(cell, 0.0) + float(one.minutes.sum())
    total = sum(work.values())
    curve = {row.slot: row for row in required if row.tier == tier}
    if not curve or total <= 0:
        return
    owed = dict.fromkeys(sorted(work, key=lambda cell: (cell[0] or 0, cell[1])), 0.0)
    people: dict[tuple[tuple[int | None, str], int], int] = {}
    for _, day in groupby(sorted(curve), key=lambda slot: slot // SLOTS_A_DAY):
        slots = list(day)
        for layer in range(1, max(curve[slot].scheduled for slot in slots) + 1):
            piece = [slot for slot in slots if curve[slot].scheduled >= layer]
            for cell in owed:
                owed[cell] += len(piece) * work[cell] / total
            chosen = max(owed, key=lambda cell: owed[cell])
            owed[chosen] -= len(piece)
            for slot in piece:
                people[chosen, slot] = people.get((chosen, slot), 0) + 1
    for ((team_id, skill), slot), count in sorted(people.items(), key=lambda item: item[0][1]):
        row = curve[slot]
        promise = row.live_promise or row.deferred_promise or ""
        yield Need(team_id, skill, tier, slot, count, promise)


def _store(
    session: Session,
    plan_id: int,
    expected: Sequence[Expected],
    needed: Sequence[Need],
    first: date,
    timezone: str,
) -> None:
    skills = {row.code: row.id for row in session.exec(select(Skill))}
    copy_rows(
        session,
        "demand",
        ("plan_id", "skill_id", "starts_at", "contacts", "handle_s"),
        (
            (plan_id, skills[one.forecast.skill],
             instant_of(first, int(slot) * SLOT_MIN, timezone), float(one.contacts.flat[slot]),
             float(np.nan_to_num(one.forecast.handle_s.flat[slot])))
            for one in expected
            for slot in np.flatnonzero(one.contacts)
        ),
    )  # fmt: skip
    copy_rows(
        session,
        "requirement",
        ("plan_id", "team_id", "skill_id", "tier", "starts_at", "people", "source"),
        (
            (plan_id, row.team_id, skills[row.skill], row.tier,
             instant_of(first, row.slot * SLOT_MIN, timezone), row.people, row.promise)
            for row in needed
        ),
    )  # fmt: skip


def _weights(session: Session, first: date) -> dict[tuple[str, str], dict[int | None, float]]:
    """How much of each skill and tier every team can do: proficiency of those who may."""
    weights: dict[tuple[str, str], dict[int | None, float]] = {}
    for agent in agents_on(session, first):
        for skill, proficiency in agent.skills.items():
            for tier in TIERS[: TIERS.index(agent.grade.value) + 1]:
                teams = weights.setdefault((skill, tier), {})
                teams[agent.team_id] = teams.get(agent.team_id, 0.0) + proficiency
    return weights
