"""A real Chromium before a real server that serves the sample desk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, StorageState

from wfm import embedded
from wfm.services.sample_desk import PASSWORD

PRESENT = datetime.fromisoformat("2026-10-08T10:00:00+08:00")
WAIT_MS = 30_000
MAKING_S, STARTING_S = 560, 180
WFM = (sys.executable, "-c", "from wfm.cli.main import main; main()")


@dataclass(frozen=True)
class Demo:
    """The sample desk after its circle: what the command printed, and where its data live."""

    figures: dict[str, Any]
    folder: Path


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """`wfm demo --once --json`, as a user would run it.

    Who works on a page sets WFM_TEST_DEMO to a folder in which the demo and its figures.json are
    already, and saves the minutes.
    """
    if made := os.environ.get("WFM_TEST_DEMO"):
        yield Demo(json.loads((Path(made) / "figures.json").read_text()), Path(made))
        return
    with TemporaryDirectory(prefix="wfm-demo-", ignore_cleanup_errors=True) as name:
        environment = os.environ | {"WFM_DATA_DIR": name}
        done = subprocess.run(
            [*WFM, "demo", "--once", "--json"],
            env=environment, capture_output=True, text=True, check=False, timeout=MAKING_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Demo(json.loads(done.stdout), Path(name))
        embedded.stop(Path(name) / "demo")


@pytest.fixture(scope="session")
def address(demo: Demo, new_port: Callable[[], int]) -> Iterator[str]:
    """The address of `wfm serve` on the demo's database, at the sample's present."""
    port = new_port()
    environment = os.environ | {
        "WFM_DATA_DIR": str(demo.folder / "demo"),
        "WFM_CLOCK_OFFSET_S": str(PRESENT.timestamp() - time.time()),
        "WFM_SECOND_FACTOR": "no",  # as `wfm demo` serves it: administrators need no phone
    }
    command = [*WFM, "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        _end(server)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTING_S
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} never answered")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Nothing it started outlives it: a worker left behind would keep the run's output open."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Visit:
    """A signed-in browser page that remembers every error its pages logged."""

    page: Page
    address: str
    errors: list[str]

    def open(self, path: str) -> Response:
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        return answer


@pytest.fixture(scope="module")
def keys(browser: Browser, address: str) -> Callable[[str, str], StorageState]:
    """What a browser keeps of a sign-in, made once for each account; the language is set anew."""
    known: dict[str, StorageState] = {}
    spoken: dict[str, str] = {}

    def key_of(account: str, language: str) -> StorageState:
        if spoken.get(account) != language:
            context = browser.new_context(storage_state=known.get(account))
            context.set_default_timeout(WAIT_MS)
            page = context.new_page()
            if account not in known:
                page.goto(f"{address}/sign-in")
                page.fill("input[name=name]", account)
                page.fill("input[name=password]", PASSWORD)
                page.click("main button.main")
                page.wait_for_url(lambda url: "/sign-in" not in url)
            token = next(c["value"] for c in context.cookies() if c["name"] == "tierdesk_csrf")
            answer = page.request.post(
                f"{address}/language", timeout=WAIT_MS, max_redirects=0,
                form={"language": language, "csrf": token}, headers={"Origin": address},
            )  # fmt: skip
            assert answer.status == 303
            known[account], spoken[account] = context.storage_state(), language
            context.close()
        return known[account]

    return key_of


@pytest.fixture
def visit(browser: Browser, address: str, keys: Any) -> Iterator[Callable[..., Visit]]:
    """Open a browser as one of the sample's accounts, in a language."""
    contexts = []

    def sign_in(account: str, language: str = "zh", width: int = 1400) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, storage_state=keys(account, language)
        )
        # nothing waits without a limit, and no dialog is left open: either would hold up the rest
        context.set_default_timeout(WAIT_MS)
        context.on("dialog", lambda asked: asked.accept())
        contexts.append(context)
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return Visit(page, address, errors)

    yield sign_in
    for context in contexts:
        context.close()
