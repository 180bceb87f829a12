"""Changing shifts of a day with a colleague: with whom the rules allow it, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, select

from scheduler.effects import Effects
from scheduler.moves import Cell, Move
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError
from wfm.services import roster_desk, roster_edits, roster_people, roster_versions, rostering
from wfm.tables import Agent, Assignment, Roster, RosterVersion, ShiftTemplate


@dataclass(frozen=True)
class Candidate:
    """A colleague, the shift she would give (None: a day off), and what it costs the roster."""

    agent_id: int
    code: str
    name: str
    shift: ShiftTemplate | None
    change: int


@dataclass(frozen=True)
class SwapPanel:
    day: date
    shift: ShiftTemplate | None
    candidates: tuple[Candidate, ...]
    more: bool = False  # there may be others, who were not judged


def candidates(
    session: Session,
    agent: Agent,
    day: date,
    *,
    only: int | None = None,
    most: int | None = None,
) -> SwapPanel:
    """Colleagues of the same roster with whom changing that day breaks no rule, cheapest first.

    Parameters
    ----------
    only : the one colleague asked about.
    most : how many are enough; in a large team the others are not judged then.

    Raises
    ------
    InputError
        The agent has no published duty on that day, or its roster has no rules to check by.
    """
    roster, version = published_duty(session, agent, day)
    problem = roster_desk.current_problem(session, roster, version)
    cells = roster_versions.cells_of(session, version)
    effects = Effects(problem, cells)
    shifts = {row.code: row for row in session.exec(select(ShiftTemplate))}
    mine = cells.shift(agent.code, day)
    found: list[Candidate] = []
    for other in roster_people.members(session, roster):
        if most is not None and len(found) == most:
            break
        theirs = cells.shift(other.code, day)
        if only not in (None, other.id) or theirs == mine or other.code not in problem.lookup.agent:
            continue
        effect = effects.of(Move.of(_exchanged(agent.code, other.code, day, mine, theirs)))
        if effect.possible:
            shift = shifts.get(theirs) if theirs else None
            found.append(Candidate(other.id, other.code, other.name, shift, effect.change))
    found.sort(key=lambda one: (one.change, one.code))
    more = most is not None and len(found) == most
    return SwapPanel(day, shifts.get(mine or ""), tuple(found), more)


def carry_out(
    session: Session, actor: Actor, agent: Agent, colleague: Agent, day: date, at: datetime,
    timezone: str,
) -> int:  # fmt: skip
    """Exchange the cells in the published roster, as a version published at once.

    A draft a planner has in hand gets the swap too, as its next version, where it has the same
    duties on that day. Returns the row number of the published version.

    Raises
    ------
    ConflictError
        The roster has changed, and the rules do not allow the swap any more.
    """
    roster, version = published_duty(session, agent, day)
    assert roster.id is not None
    session.get_one(Roster, roster.id, with_for_update=True)
    problem = roster_desk.current_problem(session, roster, version)
    published = roster_versions.cells_of(session, version)
    mine, theirs = published.shift(agent.code, day), published.shift(colleague.code, day)
    move = Move.of(_exchanged(agent.code, colleague.code, day, mine, theirs))
    known = {agent.code, colleague.code} <= problem.lookup.agent.keys()
    if mine == theirs or not known or not Effects(problem, published).of(move).possible:
        raise ConflictError("the rules do not allow this swap any more; look again")
    newest = roster_versions.newest_version(session, roster.id)
    assert newest is not None
    assert newest.id is not None
    draft = roster_desk.open_desk(session, actor, roster.id, newest.id)
    note = f"{agent.code} ⇄ {colleague.code} {day}"
    number = roster_versions.store_version(
        session, roster.id, problem, move.on(published), actor.name, at, timezone,
        result=roster_edits.by_hand("swapped"), note=note,
    )  # fmt: skip
    rostering.publish(session, actor, number, at, note)
    same = all(draft.cells.shift(*cell) == published.shift(*cell) for cell in move.cells)
    if (newest.id != version.id or draft.changed) and same:
        roster_versions.store_version(
            session, roster.id, draft.problem, move.on(draft.cells), actor.name, at, timezone,
            result=roster_edits.by_hand("swapped"), note=f"{newest.number} + {note}",
        )  # fmt: skip
    return number


def _exchanged(
    one: str, other: str, day: date, mine: str | None, theirs: str | None
) -> dict[Cell, str | None]:
    return {(one, day): theirs, (other, day): mine}


def published_duty(session: Session, agent: Agent, day: date) -> tuple[Roster, RosterVersion]:
    """The roster by which the agent works that day, and its published version."""
    duty = session.exec(
        select(Assignment).where(
            Assignment.agent_id == agent.id, Assignment.day == day, Assignment.live
        )
    ).first()
    if duty is None:
        raise InputError.of([Fault("there is no duty to change on this day", column="day")])
    version = roster_versions.get_version(session, duty.version_id)
    if not version.problem:
        raise InputError.of([Fault(roster_desk.NOT_SOLVED)])
    return session.get_one(Roster, version.roster_id), version
