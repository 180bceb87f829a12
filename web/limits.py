"""How often one address may ask: a bucket that fills with time, kept in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wfm.errors import TooManyError

MOST_KEPT = 10_000


class TooOftenError(TooManyError):
    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many attempts; try again in {wait_s} seconds")
        self.wait_s = wait_s


class Limiter:
    """Lets through `burst` at once, then `per_minute`.

    Parameters
    ----------
    clock : seconds of a clock that never goes back.
    """

    def __init__(
        self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, who: str, *, take: bool = True) -> int:
        """0 when let through, else the seconds to wait; without `take` it is only asked."""
        now = self._clock()
        with self._lock:
            if len(self._levels) > MOST_KEPT:
                self._forget_full(now)
            level, seen = self._levels.get(who, (float(self._burst), now))
            level = min(self._burst, level + (now - seen) * self._rate)
            if level < 1:
                self._levels[who] = (level, now)
                return max(1, round((1 - level) / self._rate))
            self._levels[who] = (level - take, now)
            return 0

    def require(self, who: str, *, take: bool = True) -> None:
        """Refuse whoever is to wait."""
        if wait := self.wait_s(who, take=take):
            raise TooOftenError(wait)

    def _forget_full(self, now: float) -> None:
        """Whoever has not asked for long starts afresh anyhow."""
        full_after = self._burst / self._rate
        self._levels = {
            who: kept for who, kept in self._levels.items() if now - kept[1] < full_after
        }
