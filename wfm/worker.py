"""The worker process: runs the jobs of the queue one at a time, and looks at the clocks."""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module
from typing import Any

import procrastinate
import sqlalchemy as sa

from wfm import jobs
from wfm.services import clock_worker, webhook_worker

# task name → where its work is done; imported when first run, since solvers are slow to import
WORKS = {
    "import": "wfm.services.uploads:run_job",
    "assess": "wfm.services.grade_runs:run_job",
    "reassess": "wfm.services.grade_corrections:run_job",
    "try_policy": "wfm.services.grade_trials:run_job",
    "plan": "wfm.services.demand:run_job",
    "solve": "wfm.services.rostering:run_job",
    "replay": "wfm.services.roster_work:run_replay",
    "what_if": "wfm.services.what_if:run_job",
    "close": "wfm.services.closing:run_job",
    "duty": "wfm.services.duty_work:run_job",
}
SWEEP_CRON = "* * * * *"
STALLED_AFTER_S = 60
BESIDE_END_WITHIN_S = 5


class Works(dict[str, jobs.Work]):
    """Work by task name, imported on first use."""

    def __missing__(self, task: str) -> jobs.Work:
        module, _, name = WORKS[task].partition(":")
        work: jobs.Work = getattr(import_module(module), name)
        self[task] = work
        return work


def worker_app(engine: sa.Engine) -> procrastinate.App:
    """The queue as a worker sees it."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=4))
    works = cache(Works)()

    @app.task(name=jobs.QUEUE_TASK, queue="default")
    def run_job(job_id: int) -> None:
        jobs.run(engine, job_id, works)

    @app.periodic(cron=SWEEP_CRON)
    @app.task(name="take_up_stalled_jobs", queueing_lock="sweep")
    async def take_up_stalled_jobs(timestamp: int) -> None:  # noqa: ARG001 (periodic tasks get it)
        """Give jobs of workers that died to others."""
        manager = app.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S)
        for job in stalled:
            if job.attempts >= jobs.MOST_ATTEMPTS:
                await manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=False)
            else:
                await manager.retry_job(job)

    return app


def work(engine: sa.Engine, **options: Any) -> None:
    """Work until stopped (or, with ``wait=False``, until the queue is empty)."""
    app = worker_app(engine)
    ended = threading.Event()
    # beside the queue, so that no long job keeps a promise's notices, or webhooks, waiting
    beside = [
        threading.Thread(target=run, args=(engine, ended), daemon=True)
        for run in (clock_worker.run, webhook_worker.run)
    ]
    if options.get("wait", True):
        for thread in beside:
            thread.start()
    try:
        with app.open():
            app.run_worker(delete_jobs="successful", **options)
    finally:
        ended.set()
        for thread in beside:
            if thread.is_alive():
                # the database may stop with this process: nobody may still be using it then
                thread.join(BESIDE_END_WITHIN_S)
