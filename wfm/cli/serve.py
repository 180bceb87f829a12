"""`wfm serve` and `wfm worker`."""

from __future__ import annotations

import signal
import subprocess
import sys

import click

from wfm.settings import Settings

WORKER_ENDS_WITHIN_S = 10


@click.command()
@click.option("--host", help="Address to listen on (default: WFM_HOST).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: WFM_PORT).")
@click.option("--workers", default=1, show_default=True, help="Job workers to start beside it.")
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve the pages, with one job worker.

    Example: wfm serve --port 8000
    """
    serve_pages(Settings.from_environment(), host, port, workers)


def serve_pages(
    settings: Settings, host: str | None = None, port: int | None = None, workers: int = 1
) -> None:
    """Migrate, start the workers as processes of their own, and serve until stopped."""
    import os

    import uvicorn

    from wfm.db import open_engine, upgrade

    # without this a SIGTERM would end the process before its workers are told
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = open_engine(settings)
    upgrade(engine)
    # the web process and the workers read the same settings as this one
    os.environ["WFM_DATABASE_URL"] = settings.database_url
    os.environ["WFM_DATA_DIR"] = str(settings.data_dir)
    command = [sys.executable, "-c", "from wfm.cli.main import main; main()", "worker"]
    started = [subprocess.Popen(command) for _ in range(workers)]
    try:
        uvicorn.run(
            "web.app:served",  # by name: the desk does not know the web
            factory=True,
            host=host or settings.host,
            port=port or settings.port,
            log_level=settings.log_level,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
    finally:
        _end(started)
        engine.dispose()


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    """Ask workers to end; one in the middle of a long job is ended, and the job taken up later."""
    for process in workers:
        process.send_signal(signal.SIGTERM)
    for process in workers:
        try:
            process.wait(WORKER_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@click.command()
@click.option("--until-empty", is_flag=True, help="End when the queue is empty.")
def worker(until_empty: bool) -> None:
    """Run a job worker; any number may run, on any machine that reaches the database.

    Example: wfm worker
    """
    from wfm.db import open_engine
    from wfm.worker import work

    work(open_engine(Settings.from_environment()), wait=not until_empty)
