"""Jobs as people see them: what runs, how far it is, and a way to stop it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.tables import Job


def newest(session: Session, actor: Actor, limit: int = 100) -> Sequence[Job]:
    """The newest jobs first."""
    access.require(actor, "jobs.view")
    return session.exec(select(Job).order_by(col(Job.id).desc()).limit(limit)).all()


def one(session: Session, actor: Actor, job_id: int) -> Job:
    """One job; whoever asked for it may always look."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    if job.asked_by != actor.name:
        access.require(actor, "jobs.view")
    return job


def cancel(session: Session, actor: Actor, job_id: int, at: datetime) -> Job:
    """Ask a job to stop: one's own, or any with the right to plan."""
    job = one(session, actor, job_id)
    if job.asked_by != actor.name:
        access.require(actor, "rosters.plan")
    audit.record(session, at, actor.name, "job.cancel", f"job {job_id}", task=job.task)
    return jobs.ask_to_cancel(session, job_id, at)
