"""How kinds of neighbourhoods learn."""

from __future__ import annotations

import pytest

from scheduler.neighbourhoods import Kind


def test_a_long_try_in_vain_counts_as_the_short_ones_there_was_time_for() -> None:
    short, long = Kind("days", 100.0), Kind("relaxed", 100.0)
    for _ in range(10):
        short.learn(0.0, 0.4, None)
    long.learn(0.0, 4.0, None)
    assert short.merit == pytest.approx(long.merit)
    assert long.merit == pytest.approx(0.1969, abs=1e-4)  # 0.85 to the power of 4.0 / 0.4


def test_a_try_shorter_than_most_still_counts_as_one() -> None:
    kind = Kind("days", 100.0)
    kind.learn(0.02, 0.01, False)  # two per second
    assert kind.merit == pytest.approx(0.85 * 1.0 + 0.15 * 2.0)
    assert kind.size == 125.0  # easy: a quarter larger
