"""Let signed grades take effect: the present fact ends, a new one begins, none is overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from wfm import access, audit, instants
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError
from wfm.services import grade_appeals, webhooks
from wfm.services.facts import in_force
from wfm.services.grading import (
    covers,
    newer_in_force,
    newest_decisions,
    second_signature,
    state_of,
    team_of_assessed,
)
from wfm.tables import Agent, AgentGrade, AgentTeam, Assessment, AssessmentCycle
from wfm.words import CycleStatus, Grade


@dataclass(frozen=True)
class Move:
    """A signed grade that is not in force yet; `before` is None for an agent without a grade."""

    agent_id: int
    code: str
    name: str
    before: Grade | None
    after: Grade
    decision_id: int


@dataclass(frozen=True)
class Effect:
    """What taking effect on a day does, or would do, to the agents an actor may act for."""

    on: date
    kept: int
    moves: tuple[Move, ...]
    unsigned: int

    @property
    def counts(self) -> dict[str, int]:
        return {"kept": self.kept, "changed": len(self.moves), "unsigned": self.unsigned}


def preview(session: Session, actor: Actor, cycle_id: int, on: date, today: date) -> Effect:
    """Count and name what would change, without changing anything.

    Raises
    ------
    InputError
        The day lies within the window for appeals.
    ConflictError
        The cycle is not published, its window is still open, or a newer one is in force.
    """
    access.require(actor, "grades.assess")
    cycle = session.get_one(AssessmentCycle, cycle_id)
    check_due(session, cycle, today)
    assert cycle.objections_until is not None
    if on <= cycle.objections_until:
        expected = "a grade takes effect after the window for appeals"
        raise InputError.of([Fault(expected, column="on", value=str(on))])
    decisions = newest_decisions(session, col(Assessment.cycle_id) == cycle_id)
    second, appeals = second_signature(session, cycle), grade_appeals.waiting(session, cycle)
    present = {
        fact.agent_id: fact.grade
        for fact in session.exec(select(AgentGrade).where(in_force(AgentGrade, on)))
    }
    done = set(session.exec(select(AgentGrade.decision_id)))
    kept, unsigned, moves = 0, 0, []
    for assessment, agent in _assessed(session, actor, cycle):
        assert agent.id is not None
        assert assessment.id is not None
        decision = decisions.get(assessment.id)
        before = present.get(agent.id)
        state = state_of(decision, assessment.previous_grade, second)
        if decision is None or state != "decided" or assessment.id in appeals:
            unsigned += 1
        elif decision.id in done or decision.grade == before:
            kept += 1
        else:
            assert decision.id is not None
            moves.append(
                Move(agent.id, agent.code, agent.name, before, decision.grade, decision.id)
            )
    return Effect(on, kept, tuple(moves), unsigned)


def check_due(session: Session, cycle: AssessmentCycle, today: date) -> None:
    """Refuse while grades of a cycle cannot take effect.

    Raises
    ------
    ConflictError
    """
    if cycle.status == CycleStatus.EFFECTIVE:
        raise ConflictError("the grades of this cycle are in force; decide in the next cycle")
    if cycle.status != CycleStatus.PUBLISHED or cycle.objections_until is None:
        raise ConflictError("publish the cycle first; nothing takes effect unpublished")
    if today <= cycle.objections_until:
        raise ConflictError("agents may still appeal; wait until the window has ended")
    if newer_in_force(session, cycle) is not None:
        raise ConflictError("grades of a newer cycle are in force; decide there")


def _assessed(
    session: Session, actor: Actor, cycle: AssessmentCycle
) -> list[tuple[Assessment, Agent]]:
    """The assessed agents of the teams the actor answers for, by code."""
    query = (
        select(Assessment, Agent)
        .join(Agent, col(Agent.id) == Assessment.agent_id)
        .join(AgentTeam, team_of_assessed(cycle.as_of), isouter=True)
        .where(Assessment.cycle_id == cycle.id)
        .order_by(Agent.code)
    )
    covered = actor.teams("grades.assess")
    if covered is not None:
        query = query.where(col(AgentTeam.team_id).in_(covered))
    return list(session.exec(query))


def take_effect(
    session: Session,
    actor: Actor,
    cycle_id: int,
    on: date,
    at: datetime,
    timezone: str,
    expected: int | None = None,
) -> dict[str, int]:
    """Let all signed grades of a published cycle take effect; others change nothing.

    A case decided later (after an appeal, a correction) takes effect the next time; the cycle is
    closed once none is left. Returns how many grades were kept, changed, and left as they are.

    Raises
    ------
    InputError, ConflictError
        As `preview`; or not `expected` grades would change (any more).
    """
    access.require(actor, "grades.assess")
    cycle = session.get_one(AssessmentCycle, cycle_id, with_for_update=True)
    effect = preview(session, actor, cycle_id, on, instants.local_date(at, timezone))
    if expected is not None and expected != len(effect.moves):
        found = f"{len(effect.moves)} grades would change by now, not {expected}"
        raise ConflictError(f"{found}; look again")
    for move in effect.moves:
        _put_in_force(session, move, on)
    if not effect.unsigned and covers(actor, "grades.assess", cycle):
        cycle.status, cycle.effective_on = CycleStatus.EFFECTIVE, on
    audit.record(session, at, actor.name, "grade.effective", f"cycle {cycle.code}",
                 on=str(on), **effect.counts)  # fmt: skip
    webhooks.notify(session, "grades.effective", at,
                  {"cycle": cycle.code, "on": str(on), **effect.counts})  # fmt: skip
    session.flush()
    return effect.counts


def _put_in_force(session: Session, move: Move, on: date) -> None:
    """End the present fact on the day and begin the new one, up to what is planned after it."""
    facts = session.exec(
        select(AgentGrade)
        .where(AgentGrade.agent_id == move.agent_id)
        .order_by(col(AgentGrade.valid_from))
    ).all()
    until = min((fact.valid_from for fact in facts if fact.valid_from > on), default=None)
    for fact in facts:
        if fact.valid_from <= on and (fact.valid_until is None or fact.valid_until > on):
            fact.valid_until = on
    session.flush()
    session.add(
        AgentGrade(
            agent_id=move.agent_id, grade=move.after, decision_id=move.decision_id,
            valid_from=on, valid_until=until,
        )
    )  # fmt: skip
    session.flush()
