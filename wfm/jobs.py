"""Jobs: long work on the queue, with progress, cancel and a kept result.

A `Job` row is what the desk sees; Procrastinate's row is what makes a worker run it. Both are
written in the asker's transaction, so a job exists in both places or in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import procrastinate
import sqlalchemy as sa
from sqlmodel import Session

from wfm import instants
from wfm.db import transaction
from wfm.errors import NotFoundError, TierdeskError
from wfm.tables import Job
from wfm.words import JobStatus

QUEUE_TASK = "run_job"
CHANGED_CHANNEL = "desk_changed"
MOST_ATTEMPTS = 3


class CancelledError(TierdeskError):
    """Raised inside a job whose cancel was asked for."""


@dataclass(frozen=True)
class Progress:
    """How a job tells what it is doing; every report is seen at once."""

    engine: sa.Engine
    job_id: int

    def report(self, share: float, message: str, **details: Any) -> None:
        """Store the share done (0–1) and a message.

        Raises
        ------
        CancelledError
            Somebody asked to cancel this job.
        """
        with transaction(self.engine) as session:
            job = _get(session, self.job_id)
            if job.cancel_asked:
                raise CancelledError("cancelled on request")
            job.progress = min(max(share, 0.0), 1.0)
            job.message = message
            job.details = details
            announce(session, f"job:{self.job_id}")

    def cancel_asked(self) -> bool:
        """Whether somebody asked to stop; for code that must not be interrupted by an error."""
        with transaction(self.engine) as session:
            return _get(session, self.job_id).cancel_asked


Work = Callable[[sa.Engine, Progress, dict[str, Any]], dict[str, Any]]


@cache
def _asking_app() -> procrastinate.App:
    """The queue as those who ask see it: it only ever uses the asker's own connection."""
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def ask(session: Session, task: str, arguments: dict[str, Any], asked_by: str, at: datetime) -> Job:
    """Put work on the queue with the caller's transaction."""
    job = Job(task=task, arguments=arguments, asked_by=asked_by, asked_at=at)
    session.add(job)
    session.flush()
    _asking_app().configure_task(
        QUEUE_TASK,
        connection=session.connection().connection.driver_connection,
    ).defer(job_id=job.id)
    return job


def ask_to_cancel(session: Session, job_id: int, at: datetime) -> Job:
    """Ask a job to stop; one that waits is cancelled at once."""
    job = _get(session, job_id)
    if job.status == JobStatus.WAITING:
        job.status, job.ended_at = JobStatus.CANCELLED, at
    elif job.status == JobStatus.RUNNING:
        job.cancel_asked = True
    announce(session, f"job:{job_id}")
    return job


def announce(session: Session, what: str) -> None:
    """Tell listening web processes that something changed (on commit)."""
    session.execute(sa.select(sa.func.pg_notify(CHANGED_CHANNEL, what)))


def run(engine: sa.Engine, job_id: int, works: dict[str, Work]) -> None:
    """Run one job to its end, whatever the end is, and keep what came of it."""
    with transaction(engine) as session:
        job = _get(session, job_id)
        if job.status not in (JobStatus.WAITING, JobStatus.RUNNING):
            return
        job.status, job.started_at = JobStatus.RUNNING, instants.now()
        task, arguments = job.task, job.arguments
        announce(session, f"job:{job_id}")
    outcome: dict[str, Any] = {}
    try:
        result = works[task](engine, Progress(engine, job_id), arguments)
        outcome = {"status": JobStatus.DONE, "result": result, "progress": 1.0}
    except CancelledError:
        outcome = {"status": JobStatus.CANCELLED}
    except TierdeskError as error:
        outcome = {"status": JobStatus.FAILED, "error": "\n".join(error.lines())}
    except BaseException as error:
        outcome = {"status": JobStatus.FAILED, "error": f"unexpected: {error!r}"}
        raise
    finally:
        with transaction(engine) as session:
            job = _get(session, job_id)
            for name, value in outcome.items():
                setattr(job, name, value)
            job.ended_at = instants.now()
            announce(session, f"job:{job_id}")


def _get(session: Session, job_id: int) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    return job
