"""Parts of a problem solved in processes of their own."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from scheduler import lanes
from scheduler.components import components
from scheduler.lanes import LanesSearch, shared_out, worth_processes
from scheduler.problem import Agent, Day, MaxConsecutive, RosterProblem, Shift, ShiftCover
from scheduler.result import Params, Progress
from scheduler.solution import Roster
from scheduler.solve import solve
from scheduler.verify import verify

DAYS = tuple(date(2026, 3, 2) + timedelta(days=i) for i in range(5))


def teams(*sizes: int) -> RosterProblem:
    """Teams that share nobody: in each somebody every day, and nobody more than four days."""
    people = tuple(
        Agent(f"t{team}p{i}", skills=(f"t{team}",))
        for team, n in enumerate(sizes)
        for i in range(n)
    )
    return RosterProblem(
        agents=people,
        days=tuple(Day(day) for day in DAYS),
        shifts=(Shift("D", 480, 960),),
        shift_cover=tuple(
            ShiftCover(day, "D", 1, under_weight=7, skill=f"t{team}")
            for team in range(len(sizes))
            for day in DAYS
        ),
        rules=(MaxConsecutive(name="four", days=4),),
    )


@pytest.fixture(autouse=True)
def nobody_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Even small problems go to processes, all of which have ended afterwards."""
    monkeypatch.setattr(lanes, "LARGE", 1)
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*given: object, **more: object) -> subprocess.Popen[bytes]:
        started.append(start(*given, **more))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    threads = threading.active_count()
    yield
    assert all(process.returncode is not None for process in started)
    assert threading.active_count() == threads


def test_the_largest_parts_first_each_to_who_has_least() -> None:
    # five days each: 20, 15, 10, 5 cells; 20 + 5 against 15 + 10
    parts = components(teams(1, 3, 4, 2))
    assert shared_out(parts, 2) == [[2, 0], [1, 3]]
    assert shared_out(parts, 9) == [[2], [1], [3], [0]]


def test_processes_only_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = components(teams(1, 2))
    assert worth_processes(parts, Params(seconds=60))
    assert not worth_processes(parts, Params(seconds=lanes.LONG - 1))
    assert not worth_processes(parts, Params(seconds=60, workers=1))
    assert not worth_processes(parts, Params(seconds=None, effort=9.0))  # repeatable: in order
    assert not worth_processes(parts[:1], Params(seconds=60))
    monkeypatch.setattr(lanes, "LARGE", 16)  # cells; there are fifteen
    assert not worth_processes(parts, Params(seconds=60))


def test_what_the_processes_find_is_put_together_and_proven() -> None:
    problem = teams(1, 2, 1)
    heard: list[Progress] = []
    result = solve(problem, Params(seconds=60), heard.append)
    # who is alone may work four days of five: one short in two of the teams
    assert (result.status, result.cost, result.bound) == ("optimal", 14, 14)
    assert result.roster is not None
    assert verify(problem, result.roster).cost == 14
    assert (heard[-1].cost, heard[-1].bound) == (14, 14)


def test_a_start_reaches_the_processes() -> None:
    problem = teams(1, 1)
    best = Roster({(f"t{team}p0", day): "D" for team in (0, 1) for day in DAYS[:4]})
    heard: list[Progress] = []
    solve(problem, Params(seconds=60, start=best), heard.append)
    assert heard[0].cost == 14


def test_who_stops_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "CODE", TOLD_AND_DEAF)
    heard: list[Progress] = []
    result = solve(teams(1, 1), Params(seconds=600), heard.append, lambda: bool(heard))
    assert (result.status, result.cost) == ("stopped", 70)
    assert result.seconds < 60  # the processes would sleep for an hour


TOLD_AND_DEAF = """
import sys; sys.path[:] = {path!r}
import pickle, time
from scheduler.lanes import News
from scheduler.solution import Roster
pickle.dump(News(0, 35, 0, "feasible", "lines", Roster()), sys.stdout.buffer)
sys.stdout.flush()
time.sleep(3600)
"""


def test_a_process_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "CODE", "raise SystemExit")
    search = LanesSearch(components(teams(1, 1)), Params(seconds=60), time.monotonic(), None, None)
    with pytest.raises(RuntimeError, match="nothing more"):
        search.run()


def test_a_process_ends_with_who_started_it() -> None:
    left = subprocess.Popen(
        [sys.executable, "-c", lanes.CODE.format(path=sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    # a problem that is not proven at once, and an hour for it
    parts = components(teams(9))
    asked = pickle.dumps((parts, Params(seconds=3600, workers=1), time.monotonic()))
    left.communicate(asked, timeout=60)  # which closes what it reads from
    assert left.returncode is not None


def test_a_roster_travels() -> None:
    roster = Roster({("a", DAYS[0]): "D"}, {("lead", DAYS[0]): ("a",)})
    assert pickle.loads(pickle.dumps(roster)) == roster
