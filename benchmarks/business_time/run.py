"""A million due times over mixed calendars, in vectorised form.

    python benchmarks/business_time/run.py [--n 1000000] [--seed 1]

Prints a table with machine and date. Peers (businesstimedelta, business-duration) are timed on the
same calendar when they are installed, and their answers compared.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

import numpy as np

from wfm.sla.business_time import BusinessTime, due_times, instant_of, second_of
from wfm.sla.reading import calendar_from_dict

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
PEER_N = 2_000


def calendars() -> list[dict[str, object]]:
    """Twelve calendars: offices in six zones, lunch breaks, night desks, 24×7, holidays."""
    holidays = ["01-01", "05-01", "12-25", "2026-10-01", "2026-10-02", "2027-02-08"]
    made: list[dict[str, object]] = []
    zones = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo",
             "Australia/Sydney", "UTC")  # fmt: skip
    for n, zone in enumerate(zones):
        office = {day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in WEEKDAYS}
        made.append({"timezone": zone, "holidays": holidays, **office})
        night = {day: [["22:00", "06:00"]] for day in WEEKDAYS}
        always = {day: [["00:00", "24:00"]] for day in (*WEEKDAYS, "sat", "sun")}
        made.append({"timezone": zone, "breaks": [["02:00", "02:30"]], **night} if n % 2 else
                    {"timezone": zone, **always})  # fmt: skip
    return made


def best_of(times: int, job: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        job()
        took.append(time.perf_counter() - begin)
    return min(took)


def peers(times: BusinessTime, starts: np.ndarray, ends: np.ndarray) -> None:
    """Elapsed office hours of Monday to Friday, 09:00–17:00 UTC, by other libraries."""
    pairs = [(instant_of(int(a)), instant_of(int(b))) for a, b in zip(starts, ends, strict=True)]
    ours = times.elapsed_many(starts, ends)
    took = best_of(3, lambda: [times.elapsed(a, b) for a, b in pairs])
    print(
        f"{'this room, one at a time':<34}{len(pairs):>10}{took:>10.3f}{len(pairs) / took:>14,.0f}"
    )
    for name, elapsed in (
        ("businesstimedelta", _businesstimedelta), ("business_duration", _business_duration)
    ):  # fmt: skip
        if importlib.util.find_spec(name) is None:
            print(f"{name:<34}{'not installed':>20}")
            continue
        measure = elapsed()
        begin = time.perf_counter()
        theirs = [measure(a, b) for a, b in pairs]
        took = time.perf_counter() - begin
        wrong = sum(abs(x - y) > 0.5 for x, y in zip(theirs, ours, strict=True))
        print(f"{name:<34}{len(pairs):>10}{took:>10.3f}{len(pairs) / took:>14,.0f}"
              f"   answers that differ: {wrong}")  # fmt: skip


def _businesstimedelta() -> Callable[[datetime, datetime], float]:
    import businesstimedelta
    import pytz  # the only kind of zone it takes

    day = businesstimedelta.WorkDayRule(
        start_time=clock(9), end_time=clock(17), working_days=[0, 1, 2, 3, 4], tz=pytz.utc
    )
    rules = businesstimedelta.Rules([day])
    return lambda a, b: rules.difference(a, b).timedelta.total_seconds()


def _business_duration() -> Callable[[datetime, datetime], float]:
    from business_duration import businessDuration

    def measure(a: datetime, b: datetime) -> float:
        return float(
            businessDuration(
                a.replace(tzinfo=None), b.replace(tzinfo=None), starttime=clock(9),
                endtime=clock(17), weekendlist=[5, 6], unit="sec",
            )
        )  # fmt: skip

    return measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="due times to compute")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    plain = calendars()
    first = second_of(datetime(2026, 1, 1, tzinfo=UTC))
    which = random.integers(0, len(plain), options.n)
    starts = first + random.integers(0, 365 * 86_400, options.n)
    seconds = random.integers(60, 80 * 3600, options.n)

    print(f"{date.today()}  {platform.machine()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}, numpy {np.__version__}")  # fmt: skip
    print(f"{'':<34}{'n':>10}{'seconds':>10}{'per second':>14}")

    def cold() -> None:
        due_times([BusinessTime(calendar_from_dict(data)) for data in plain],
                  which, starts, seconds)  # fmt: skip

    compiled = [BusinessTime(calendar_from_dict(data)) for data in plain]
    due = due_times(compiled, which, starts, seconds)
    for name, job in (
        (f"due times, {len(plain)} calendars, cold", cold),
        (f"due times, {len(plain)} calendars, warm",
         lambda: due_times(compiled, which, starts, seconds)),
        ("elapsed, one calendar", lambda: compiled[0].elapsed_many(starts, starts + seconds)),
    ):  # fmt: skip
        took = best_of(3, job)
        print(f"{name:<34}{options.n:>10}{took:>10.3f}{options.n / took:>14,.0f}")

    back = np.empty_like(due)
    for n, times in enumerate(compiled):
        rows = which == n
        back[rows] = times.elapsed_many(starts[rows], due[rows])
    print(f"measured again, other than added: {int((back != seconds).sum())}")

    office = BusinessTime(
        calendar_from_dict({"timezone": "UTC", **{d: [["09:00", "17:00"]] for d in WEEKDAYS}})
    )
    few = starts[:PEER_N]
    peers(office, few, few + int(timedelta(days=9).total_seconds()))


if __name__ == "__main__":
    main()
