"""What is left of a solve's limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from scheduler.model import Limit
from scheduler.result import Params

SHORTEST = 0.02
LONGEST_RESERVE = 2.5  # seconds


class Budget:
    """What is left of a solve's limits.

    Effort is the solver's deterministic time; alone it makes a solve repeatable.
    """

    def __init__(self, params: Params, started: float, closing: bool = True) -> None:
        self._lock = threading.Lock()
        self._closing = closing
        self.renew(params, started)

    def renew(self, params: Params, started: float) -> None:
        """Other limits, of which nothing is used up yet."""
        self.params, self.started = params, started
        self._allowed = params.seconds
        if params.seconds is not None and self._closing:
            # the last solve ends a little late, and the roster is judged once more
            self._allowed = max(0.8 * params.seconds, params.seconds - LONGEST_RESERVE)
            self._allowed = min(self._allowed, 0.97 * params.seconds)
        self.spent = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self.started

    @property
    def repeatable(self) -> bool:
        return self.params.seconds is None

    def spend(self, effort: float) -> None:
        with self._lock:
            self.spent += effort

    def limit(self, share: float = 1.0) -> Limit:
        """What is left, but no more than a share of the whole."""
        seconds = effort = None
        if self._allowed is not None:
            seconds = min(self._allowed - self.seconds, share * self._allowed)
        if self.params.effort is not None:
            effort = min(self.params.effort - self.spent, share * self.params.effort)
        return Limit(seconds, effort)

    def at_most(self, least: Limit, share: float) -> Limit:
        """What is left, but no more than a share of the whole, or so much if that is more."""
        left, whole = self.limit(), self.params

        def within(left: float | None, whole: float | None, least: float | None) -> float | None:
            return None if left is None else min(left, max(least or 0.0, share * (whole or 0.0)))

        return Limit(
            within(left.seconds, whole.seconds, least.seconds),
            within(left.effort, whole.effort, least.effort),
        )

    def of_first(self, share: float, parts: int) -> Limit | None:
        """A part, three times the fair one, of what is left of the first share of the limits.

        None when that share is used up.
        """
        seconds = effort = None
        if self._allowed is not None:
            seconds = 3 * (share * self._allowed - self.seconds) / parts
        if self.params.effort is not None:
            effort = 3 * (share * self.params.effort - self.spent) / parts
        short = any(x is not None and x < SHORTEST for x in (seconds, effort))
        return None if short else Limit(seconds, effort)

    def share(self, share: float) -> Callable[[], bool]:
        """Tells whether that share of the limits is used up."""

        def used() -> bool:
            late = self._allowed is not None and self.seconds >= share * self._allowed
            effort = self.params.effort
            return late or (effort is not None and self.spent >= share * effort)

        return used

    @property
    def out_of_time(self) -> bool:
        return self._allowed is not None and self.seconds >= self._allowed

    @property
    def over(self) -> bool:
        left = self.limit()
        return any(x is not None and x < SHORTEST for x in (left.seconds, left.effort))
