"""The policy editor: the version in force, its history, and what a trial of another one found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from grading.errors import GradingError
from grading.policy import GradePolicy, load_policy
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import NotFoundError, faults_of
from wfm.services.grade_policies import keep_policy, policy_in_force
from wfm.tables import AssessmentCycle, Job
from wfm.tables import GradePolicy as PolicyRow
from wfm.words import JobStatus


@dataclass(frozen=True)
class PolicyPage:
    """What the page shows; `trial` is the result of a try, with the text it was made with."""

    text: str
    in_force: str
    versions: Sequence[PolicyRow]
    cycles: Sequence[str]
    trial: dict[str, Any] | None
    may_save: bool


def page(session: Session, actor: Actor, trial: int | None) -> PolicyPage:
    """The editor with the version in force, or with what was tried.

    Raises
    ------
    NotFoundError
        There is no such trial.
    """
    access.require_whole_desk(actor, "grades.view")
    found = _trial(session, trial) if trial is not None else None
    text = found.arguments["text"] if found else policy_in_force(session)
    return _page(session, actor, text, found.result["trial"] if found and found.result else None)


def with_text(session: Session, actor: Actor, text: str) -> PolicyPage:
    """The editor with a text that is not saved."""
    access.require_whole_desk(actor, "grades.policy")
    return _page(session, actor, text.replace("\r\n", "\n"), None)


def _page(session: Session, actor: Actor, text: str, trial: dict[str, Any] | None) -> PolicyPage:
    versions = session.exec(select(PolicyRow).order_by(col(PolicyRow.id).desc())).all()
    cycles = session.exec(
        select(AssessmentCycle.code).order_by(
            col(AssessmentCycle.as_of).desc(), col(AssessmentCycle.id).desc()
        )
    ).all()
    may = actor.may("grades.policy") and actor.teams("grades.policy") is None
    return PolicyPage(text, policy_in_force(session), versions, cycles, trial, may)


def _trial(session: Session, number: int) -> Job:
    job = session.get(Job, number)
    if job is None or job.task != "try_policy" or job.status != JobStatus.DONE:
        raise NotFoundError("there is no such trial")
    return job


def check(text: str) -> GradePolicy:
    """Read a policy.

    Raises
    ------
    InputError
        Every fault with its line.
    """
    with faults_of(GradingError):
        return load_policy(text.replace("\r\n", "\n"))


def save(session: Session, actor: Actor, text: str, at: datetime) -> PolicyRow:
    """Keep a new version; the next cycle is assessed by it.

    Raises
    ------
    InputError, ConflictError
        As `keep_policy`.
    """
    access.require_whole_desk(actor, "grades.policy")
    row = keep_policy(session, text.replace("\r\n", "\n"), at)
    audit.record(session, at, actor.name, "grade.policy", f"policy {row.code}", sha256=row.sha256)
    return row
