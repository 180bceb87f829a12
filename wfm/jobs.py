"""Jobs: long work on the queue, with progress, cancel and a kept result.

A `Job` row is what the desk sees; Procrastinate's row is what makes a worker run it. Both are
written in the asker's transaction, so a job exists in both places or in neither.

Work that falls into parts (`in_parts`) is spread over the workers: each of them takes the first
part that nobody has in hand, again and again, until none is left. A part in hand is a locked row,
so the part of a worker that dies is free again at once. Nobody waits for anybody: whoever finds
all parts done puts the answer together. A single worker does everything, to the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import procrastinate
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import instants
from wfm.db import transaction
from wfm.errors import NotFoundError, TierdeskError
from wfm.tables import Job, JobPart
from wfm.words import JobStatus

QUEUE_TASK = "run_job"
CHANGED_CHANNEL = "desk_changed"
MOST_ATTEMPTS = 3
MOVING = (JobStatus.WAITING, JobStatus.RUNNING)


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
            Somebody asked to cancel this job, or another worker ended it.
        """
        with transaction(self.engine) as session:
            job = _get(session, self.job_id)
            if job.cancel_asked or job.status not in MOVING:
                raise CancelledError("cancelled on request")
            job.progress = min(max(share, 0.0), 1.0)
            job.message = message
            job.details = details
            announce(session, f"job:{self.job_id}")

    def cancel_asked(self) -> bool:
        """Whether somebody asked to stop; for code that must not be interrupted by an error."""
        with transaction(self.engine) as session:
            return _get(session, self.job_id).cancel_asked


Document = dict[str, Any]
Work = Callable[[sa.Engine, Progress, Document], Document | None]
"""What a job does; None when other workers are still at parts of it."""


@cache
def _asking_app() -> procrastinate.App:
    """The queue as those who ask see it: it only ever uses the asker's own connection."""
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def ask(
    session: Session,
    task: str,
    arguments: dict[str, Any],
    asked_by: str,
    at: datetime,
    parts: int = 0,
) -> Job:
    """Put work on the queue with the caller's transaction; so many workers may share in it."""
    job = Job(task=task, arguments=arguments, asked_by=asked_by, asked_at=at)
    session.add(job)
    session.flush()
    assert job.id is not None
    session.add_all(JobPart(job_id=job.id, number=number) for number in range(parts))
    session.flush()
    run_it = _asking_app().configure_task(
        QUEUE_TASK, connection=session.connection().connection.driver_connection
    )
    for _ in range(max(parts, 1)):
        run_it.defer(job_id=job.id)
    return job


def in_parts(
    progress: Progress,
    prepare: Callable[[Session], Callable[[int], Document]],
    combine: Callable[[Session, list[Document]], Document],
    told: str,
) -> Document | None:
    """Do parts of a job while there are any in nobody's hand.

    Parameters
    ----------
    progress : Progress
    prepare : callable
        Reads what all parts need; what it returns does the part of a number.
    combine : callable
        Makes the answer of the results in the order of the parts; happens once.
    told : str
        What is reported, with ``{0}`` parts done of ``{1}``.

    Returns
    -------
    dict or None
        The answer; None when other workers are still at a part, the last of whom will give it.
    """
    engine, job_id = progress.engine, progress.job_id
    do: Callable[[int], Document] | None = None
    while True:
        with transaction(engine) as session:
            done, parts = _counted(session, job_id)
            progress.report(done / max(parts, 1), told.format(done, parts))
            part = session.exec(
                select(JobPart)
                .where(JobPart.job_id == job_id, ~col(JobPart.done))
                .order_by(col(JobPart.number))
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if part is None:
                break
            do = do or prepare(session)
            part.result, part.done = do(part.number), True
    with transaction(engine) as session:
        job = session.get_one(Job, job_id, with_for_update=True)
        done, parts = _counted(session, job_id)
        if done < parts or job.status not in MOVING:
            return None
        if not job.result:  # else another worker was first
            results = session.exec(
                select(JobPart.result).where(JobPart.job_id == job_id).order_by(col(JobPart.number))
            )
            job.result = combine(session, [dict(result) for result in results])
        return job.result


def _counted(session: Session, job_id: int) -> tuple[int, int]:
    """Parts done, and parts in all."""
    return session.exec(
        select(sa.func.count().filter(col(JobPart.done)), sa.func.count()).where(
            JobPart.job_id == job_id
        )
    ).one()


def newest(session: Session, task: str, **arguments: Any) -> Job | None:
    """The newest job of a task with these among its arguments."""
    return session.exec(
        select(Job)
        .where(Job.task == task, col(Job.arguments).contains(arguments))
        .order_by(col(Job.id).desc())
        .limit(1)
    ).first()


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
        if job.status not in MOVING:
            return
        if job.status == JobStatus.WAITING:
            job.status, job.started_at = JobStatus.RUNNING, instants.now()
        task, arguments = job.task, job.arguments
        announce(session, f"job:{job_id}")
    outcome: dict[str, Any] = {}
    try:
        result = works[task](engine, Progress(engine, job_id), arguments)
        if result is not None:
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
            job = session.get_one(Job, job_id, with_for_update=True)
            if job.status in MOVING and outcome:  # another worker may have ended it
                for name, value in outcome.items():
                    setattr(job, name, value)
                job.ended_at = instants.now()
                announce(session, f"job:{job_id}")
            if job.status not in MOVING:
                _clear_parts(session, job_id)


def _clear_parts(session: Session, job_id: int) -> None:
    """Forget the parts of a job that has ended; one still in a worker's hand is left to it."""
    free = select(JobPart).where(JobPart.job_id == job_id).with_for_update(skip_locked=True)
    for part in session.exec(free):
        session.delete(part)


def _get(session: Session, job_id: int) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}")
    return job
