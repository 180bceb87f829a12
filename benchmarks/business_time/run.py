"""A million due times over mixed calendars, in vectorised form.

    python benchmarks/business_time/run.py [--n 1000000] [--seed 1]

Prints a table with machine and date. Peers are timed on the same three calendars where they are
installed, and their answers compared: `pip install businesstimedelta business-duration` (neither is
needed for anything else, so they are not in the lock).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as clock
from zoneinfo import ZoneInfo

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


Measure = Callable[[datetime, datetime], float]


def peers(name: str, data: dict[str, object], peer: Peer, starts: np.ndarray) -> None:
    """Elapsed business time of nine days, here and by other libraries, on one calendar."""
    times = BusinessTime(calendar_from_dict(data))
    ends = starts + 9 * 86_400
    pairs = [(instant_of(int(a)), instant_of(int(b))) for a, b in zip(starts, ends, strict=True)]
    ours = times.elapsed_many(starts, ends)
    took = best_of(3, lambda: [times.elapsed(a, b) for a, b in pairs])
    print(f"\n{name}")
    print(
        f"{'this room, one at a time':<34}{len(pairs):>10}{took:>10.3f}{len(pairs) / took:>14,.0f}"
    )
    for library, elapsed in (
        ("businesstimedelta", _businesstimedelta), ("business_duration", _business_duration)
    ):  # fmt: skip
        if importlib.util.find_spec(library) is None:
            print(f"{library:<34}not installed: pip install {library.replace('_', '-')}")
            continue
        measure = elapsed(peer)
        if measure is None:
            print(f"{library:<34}{'has no such hours':>20}")
            continue
        begin = time.perf_counter()
        theirs = [measure(a, b) for a, b in pairs]
        took = time.perf_counter() - begin
        wrong = sum(abs(x - y) > 0.5 for x, y in zip(theirs, ours, strict=True))
        print(f"{library:<34}{len(pairs):>10}{took:>10.3f}{len(pairs) / took:>14,.0f}"
              f"   answers that differ: {wrong}")  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """A calendar as the other libraries can say it."""

    zone: str
    spans: tuple[tuple[int, int], ...]  # hours of Monday to Friday


# name, zone, hours of Monday to Friday, months from which starts are drawn
CASES = (
    ("office, UTC", Peer("UTC", ((9, 17),)), 0),
    ("two spans, New York, clock change in March",
     Peer("America/New_York", ((9, 12), (13, 18))), 60),
    ("night desk, Berlin, clock change in March", Peer("Europe/Berlin", ((22, 6),)), 80),
)  # fmt: skip


def _businesstimedelta(peer: Peer) -> Measure | None:
    import businesstimedelta
    import pytz  # the only kind of zone it takes

    rules = businesstimedelta.Rules([
        businesstimedelta.WorkDayRule(
            start_time=clock(start), end_time=clock(end), working_days=[0, 1, 2, 3, 4],
            tz=pytz.timezone(peer.zone),
        )
        for start, end in peer.spans
    ])  # fmt: skip
    return lambda a, b: rules.difference(a, b).timedelta.total_seconds()


def _business_duration(peer: Peer) -> Measure | None:
    from business_duration import businessDuration

    if len(peer.spans) > 1 or peer.spans[0][0] > peer.spans[0][1]:
        return None
    [(start, end)] = peer.spans
    zone = ZoneInfo(peer.zone)

    def measure(a: datetime, b: datetime) -> float:
        return float(
            businessDuration(
                a.astimezone(zone).replace(tzinfo=None), b.astimezone(zone).replace(tzinfo=None),
                starttime=clock(start), endtime=clock(end), weekendlist=[5, 6], unit="sec",
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

    for name, peer, day in CASES:
        hours = [[f"{start:02}:00", f"{end:02}:00"] for start, end in peer.spans]
        data: dict[str, object] = {"timezone": peer.zone, **dict.fromkeys(WEEKDAYS, hours)}
        spread = random.integers(0, (30 if day else 365) * 86_400, PEER_N)
        peers(name, data, peer, first + day * 86_400 + spread)


if __name__ == "__main__":
    main()
