"""Looking now and then, while something that cannot look by itself goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL = 0.1  # seconds


@contextmanager
def looking(look: Callable[[], None]) -> Iterator[None]:
    """While inside, `look` is called now and then from a thread of its own."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
