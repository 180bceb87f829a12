"""Jobs in parts: shared by workers, put together once, and gone on with when a worker dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import instants, jobs, worker
from wfm.db import transaction
from wfm.errors import ConflictError
from wfm.tables import Job, JobPart
from wfm.words import JobStatus

LONGEST_S = 60
Do = Callable[[int], dict[str, Any]]


def squared(number: int) -> dict[str, Any]:
    return {"square": number * number}


class Shared:
    """Work that sums the squares of its parts' numbers, and counts how often it did."""

    def __init__(self, do: Do = squared) -> None:
        self.do = do
        self.prepared = self.combined = 0

    def __call__(self, _: sa.Engine, progress: jobs.Progress, __: Any) -> dict[str, Any] | None:
        def prepare(session: Session) -> Do:
            self.prepared += 1
            return self.do

        def combine(session: Session, results: list[dict[str, Any]]) -> dict[str, Any]:
            self.combined += 1
            return {"squares": [one["square"] for one in results]}

        return jobs.in_parts(progress, prepare, combine, "{0} of {1} replays")


def asked(engine: sa.Engine, parts: int) -> int:
    with transaction(engine) as session:
        job = jobs.ask(session, "shared", {}, "test", instants.now(), parts=parts)
        assert job.id is not None
        return job.id


def kept(engine: sa.Engine, job_id: int) -> tuple[Job, int]:
    with Session(engine) as session:
        parts = session.exec(select(sa.func.count()).select_from(JobPart)).one()
        return session.get_one(Job, job_id), parts


def test_one_worker_does_all_parts(
    fresh_engine: sa.Engine,
    work_off: Callable[[sa.Engine], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Shared()
    monkeypatch.setattr(worker, "Works", lambda: {"shared": work})
    job_id = asked(fresh_engine, 4)
    work_off(fresh_engine)
    job, parts = kept(fresh_engine, job_id)
    assert (job.status, job.result, job.progress) == (
        JobStatus.DONE, {"squares": [0, 1, 4, 9]}, 1.0,
    )  # fmt: skip
    # it was on the queue four times, for as many workers; three found nothing to do
    assert (parts, work.prepared, work.combined) == (0, 1, 1)


def test_workers_share_the_parts_and_the_last_puts_them_together(fresh_engine: sa.Engine) -> None:
    held, go_on = threading.Event(), threading.Event()

    def slow(number: int) -> dict[str, Any]:
        held.set()
        assert go_on.wait(LONGEST_S)
        return squared(number)

    first, second = Shared(slow), Shared()
    job_id = asked(fresh_engine, 3)
    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(jobs.run, fresh_engine, job_id, {"shared": first})
        assert held.wait(LONGEST_S)
        # the second takes what the first has not in hand, and waits for nobody
        jobs.run(fresh_engine, job_id, {"shared": second})
        job, _ = kept(fresh_engine, job_id)
        assert (job.status, job.result, job.message) == (JobStatus.RUNNING, {}, "2 of 3 replays")
        assert job.progress == pytest.approx(2 / 3)
        go_on.set()
        one.result(LONGEST_S)
    job, parts = kept(fresh_engine, job_id)
    assert (job.status, job.result, parts) == (JobStatus.DONE, {"squares": [0, 1, 4]}, 0)
    assert (first.combined, second.combined) == (1, 0)
    jobs.run(fresh_engine, job_id, {"shared": second})  # a worker that comes too late
    assert second.combined == 0


def test_a_cancelled_job_is_stopped_for_all_who_share_it(fresh_engine: sa.Engine) -> None:
    job_id = asked(fresh_engine, 3)

    def cancelled(number: int) -> dict[str, Any]:
        with transaction(fresh_engine) as session:
            jobs.ask_to_cancel(session, job_id, instants.now())
        jobs.run(fresh_engine, job_id, {"shared": Shared()})  # another hears of it first
        return squared(number)

    work = Shared(cancelled)
    jobs.run(fresh_engine, job_id, {"shared": work})
    job, parts = kept(fresh_engine, job_id)
    assert (job.status, job.result, work.combined, parts) == (JobStatus.CANCELLED, {}, 0, 0)


def test_a_part_that_fails_fails_the_job(fresh_engine: sa.Engine) -> None:
    def refused(number: int) -> dict[str, Any]:
        raise ConflictError("there is no plan")

    job_id = asked(fresh_engine, 3)
    jobs.run(fresh_engine, job_id, {"shared": Shared(refused)})
    jobs.run(fresh_engine, job_id, {"shared": Shared()})
    job, parts = kept(fresh_engine, job_id)
    assert (job.status, job.error, parts) == (JobStatus.FAILED, "there is no plan", 0)


IMPORTS = """
import time
import sqlalchemy as sa
from wfm import jobs

def do(number):
    if number:
        time.sleep(60)
    return {"square": 100}

def work(engine, progress, arguments):
    return jobs.in_parts(progress, lambda session: do, lambda session, found: {}, "{0} of {1}")
"""
WORK = 'jobs.run(sa.create_engine(sys.argv[1]), int(sys.argv[2]), {"shared": work})'


def test_the_part_of_a_killed_worker_is_done_by_the_next(
    fresh_engine: sa.Engine, forks: Any, alive: Callable[[int], bool]
) -> None:
    job_id = asked(fresh_engine, 3)
    url = fresh_engine.url.render_as_string(hide_password=False)
    process = forks(IMPORTS, WORK, url, str(job_id)).start()
    deadline = time.monotonic() + LONGEST_S

    def done() -> int:
        with Session(fresh_engine) as session:
            return session.exec(
                select(sa.func.count()).select_from(JobPart).where(col(JobPart.done))
            ).one()

    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    while alive(process):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    work = Shared()
    while kept(fresh_engine, job_id)[0].status == JobStatus.RUNNING:  # the server hears of it soon
        assert time.monotonic() < deadline
        jobs.run(fresh_engine, job_id, {"shared": work})
    job, _ = kept(fresh_engine, job_id)
    # the first part was done before; the one in hand is done anew
    assert (job.status, job.result) == (JobStatus.DONE, {"squares": [100, 1, 4]})
    assert work.combined == 1
