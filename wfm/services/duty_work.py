"""Proposing duty tables as a job: asked for on the page, searched for by a worker."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from wfm import access, audit, instants, jobs
from wfm.access import Actor
from wfm.db import Engine, transaction
from wfm.errors import ConflictError
from wfm.services import holiday_duty
from wfm.tables import Job


def ask_to_propose(session: Session, actor: Actor, first: date, last: date, at: datetime) -> Job:
    """Put the proposal of a period's tables on the queue; one at a time.

    Raises
    ------
    ConflictError
        One is on its way already, or all tables of the period are published.
    """
    holiday_duty.to_propose(session, actor, first, last)
    running = newest(session, actor, first, last)
    if running is not None and running.status in jobs.MOVING:
        raise ConflictError("this duty table is being proposed already")
    audit.record(session, at, actor.name, "duty.ask", f"{first} to {last}")
    return jobs.ask(session, "duty", {"first": str(first), "last": str(last)}, actor.name, at)


def newest(session: Session, actor: Actor, first: date, last: date) -> Job | None:
    """The newest proposal of a period."""
    access.require(actor, "rosters.view")
    return session.exec(
        select(Job)
        .where(
            Job.task == "duty",
            col(Job.arguments)["first"].as_string() == str(first),
            col(Job.arguments)["last"].as_string() == str(last),
        )
        .order_by(col(Job.id).desc())
        .limit(1)
    ).first()


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """The search itself; whoever asked was checked when asking."""
    first, last = (date.fromisoformat(arguments[name]) for name in ("first", "last"))
    with transaction(engine) as session:
        asker = Actor(session.get_one(Job, progress.job_id).asked_by, system=True)
        found = holiday_duty.propose(
            session, asker, first, last, instants.now(), tell=progress.report
        )
    return asdict(found) | {"page": f"/duty?from={first}&until={last}"}
