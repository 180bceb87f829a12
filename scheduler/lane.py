"""A process that solves parts of a problem, and tells what it finds; started by `lanes.py`.

It reads what to do, and ends when what it reads from is closed: a solver that cannot be
interrupted does not keep it, nor does it outlive who started it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from typing import BinaryIO

from scheduler.apart import ApartSearch, Part
from scheduler.lanes import ENDS_WITHIN, Ended, News
from scheduler.solution import Roster


class Teller:
    """Tells what is new of the parts."""

    def __init__(self, wire: BinaryIO) -> None:
        self._wire, self._lock = wire, threading.Lock()
        self._told: dict[int, Roster] = {}
        self.numbers: dict[int, int] = {}  # of the parts, by identity

    def heard(self, part: Part, phase: str) -> None:
        """Tell of a part; the roster only when it is another."""
        with self._lock:
            number = self.numbers[id(part)]
            same = self._told.get(number) == part.roster
            self._told[number] = part.roster
            roster = None if same else part.roster
            self._send(News(number, part.cost, part.bound, part.status, phase, roster))

    def end(self, failure: str | None) -> None:
        with self._lock:
            self._send(Ended(failure))

    def _send(self, message: News | Ended) -> None:
        pickle.dump(message, self._wire, pickle.HIGHEST_PROTOCOL)
        self._wire.flush()


def main() -> None:
    """Solve what is asked for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; who started this one says when
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints spoils no message
    teller = Teller(wire)
    try:
        parts, params, begun = pickle.load(sys.stdin.buffer)
    except EOFError:  # nobody wants anything any more
        return
    unwanted = threading.Event()
    threading.Thread(target=_watch, args=[unwanted], daemon=True).start()
    failure = None
    try:
        search = ApartSearch(
            parts, params, begun, stop=unwanted.is_set, closing=False, heard=teller.heard
        )
        teller.numbers = {id(part): n for n, part in enumerate(search.parts)}
        search.run()
    except Exception:
        failure = traceback.format_exc()
    teller.end(failure)


def _watch(unwanted: threading.Event) -> None:
    """Until nobody wants to hear more; then this process ends soon, whatever it does."""
    while os.read(0, 1):  # not through a buffer, whose lock would be held when this one ends
        pass
    unwanted.set()
    time.sleep(ENDS_WITHIN)
    os._exit(1)
