"""Jobs: asked for in a transaction, run by a real worker on a real queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from wfm import instants, jobs, worker
from wfm.db import transaction
from wfm.errors import InputError
from wfm.tables import Job
from wfm.words import JobStatus


def counted(engine: sa.Engine, progress: jobs.Progress, arguments: dict) -> dict:
    progress.report(0.5, "half way", seen=arguments["n"])
    return {"doubled": 2 * arguments["n"]}


def refused(engine: sa.Engine, progress: jobs.Progress, arguments: dict) -> dict:
    raise InputError("row 3 is wrong")


def asked(engine: sa.Engine, task: str, **arguments: int) -> int:
    with transaction(engine) as session:
        job = jobs.ask(session, task, arguments, "test", instants.now())
        assert job.id is not None
        return job.id


def kept(engine: sa.Engine, job_id: int) -> Job:
    with Session(engine) as session:
        job = session.get(Job, job_id)
        assert job is not None
        return job


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "Works", lambda: {"counted": counted, "refused": refused})


def test_a_worker_runs_what_was_asked_and_keeps_the_result(
    fresh_engine: sa.Engine, works: None, work_off: Callable[[sa.Engine], None]
) -> None:
    done, failed = asked(fresh_engine, "counted", n=21), asked(fresh_engine, "refused")
    work_off(fresh_engine)
    job = kept(fresh_engine, done)
    assert (job.status, job.result, job.progress) == (JobStatus.DONE, {"doubled": 42}, 1.0)
    assert job.details == {"seen": 21}
    job = kept(fresh_engine, failed)
    assert (job.status, job.error) == (JobStatus.FAILED, "row 3 is wrong")


def test_a_rolled_back_asker_leaves_no_job_anywhere(fresh_engine: sa.Engine) -> None:
    def ask_and_fail() -> None:
        with transaction(fresh_engine) as session:
            jobs.ask(session, "counted", {"n": 1}, "test", instants.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ask_and_fail()
    with fresh_engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from procrastinate_jobs")) == 0
        assert connection.scalar(sa.text("select count(*) from job")) == 0


def test_a_waiting_job_is_cancelled_before_it_starts(
    fresh_engine: sa.Engine, works: None, work_off: Callable[[sa.Engine], None]
) -> None:
    job_id = asked(fresh_engine, "counted", n=1)
    with transaction(fresh_engine) as session:
        jobs.ask_to_cancel(session, job_id, instants.now())
    work_off(fresh_engine)
    job = kept(fresh_engine, job_id)
    assert (job.status, job.result) == (JobStatus.CANCELLED, {})


def test_a_running_job_stops_at_its_next_report(fresh_engine: sa.Engine) -> None:
    def asked_to_stop_midway(engine: sa.Engine, progress: jobs.Progress, arguments: dict) -> dict:
        with transaction(engine) as session:
            jobs.ask_to_cancel(session, progress.job_id, instants.now())
        progress.report(0.9, "too late")
        return {"never": True}

    job_id = asked(fresh_engine, "long")
    jobs.run(fresh_engine, job_id, {"long": asked_to_stop_midway})
    job = kept(fresh_engine, job_id)
    assert (job.status, job.result, job.message) == (JobStatus.CANCELLED, {}, "")
