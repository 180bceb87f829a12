"""The peers of the roster benchmark on an instance small enough to solve by hand."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.rosters.desk import STATUTORY, desk_problem
from benchmarks.rosters.one import judged_twice
from benchmarks.rosters.peers import cpsat, highs
from benchmarks.rosters.peers.monolith import best_kept, peak_memory
from benchmarks.rosters.table import read_rows
from scheduler.components import components
from scheduler.solution import Roster
from scheduler.verify import verify

ROOT = Path(__file__).parents[2]
# Day 2 wants A and B on E. A works at least two days in a row, and L is not followed by E: so A is
# on E on day 1 (one too many: 7), or on day 3 on E (5) or L (6). B's wish for L on day 3 costs 2,
# met it would be one too many on L: 6. Least: 5 + 2.
LEAST = 7


@pytest.mark.parametrize("peer", [cpsat, highs], ids=["cpsat", "highs"])
def test_a_peer_proves_the_least_cost(instance: Path, peer) -> None:
    answer = peer.solve(instance, 20, 1, 1)
    assert (answer.status, answer.bound) == ("optimal", LEAST)
    assert answer.lines is not None
    assert judged_twice(instance, answer.lines) == {"cost": LEAST, "broken": 0, "agree": True}
    assert answer.first is None or 0 <= answer.first <= 20


def test_the_cheapest_kept_roster_is_read(instance: Path, tmp_path: Path) -> None:
    cheap = "\tE\tE" + "\t" * 12 + "\n" + "L" + "\t" * 14 + "\n"
    dear = "\t" * 14 + "\n" + "\t" * 14 + "\n"
    kept = tmp_path / "Instance1.txt.db"
    database = sqlite3.connect(kept)
    database.execute("CREATE TABLE solution (objective, solution, number, time, options)")
    database.execute("CREATE TABLE temp (objective, solution, options)")
    database.execute("INSERT INTO solution VALUES (900, ?, 1, 0.5, '')", [dear])
    database.execute("INSERT INTO temp VALUES (80, ?, '')", [cheap])
    database.commit()
    database.close()
    assert best_kept(kept, instance) == {
        "A": ["", "E", "E", *[""] * 11],
        "B": ["L", *[""] * 13],
    }
    assert best_kept(tmp_path / "none.db", instance) is None


def test_memory_of_a_process_and_of_none() -> None:
    assert peak_memory() > 1
    assert peak_memory(2**22 + 1) == 0  # beyond the highest number a process can have


def test_a_run_is_kept_and_not_repeated(instance: Path, tmp_path: Path) -> None:
    (tmp_path / "published.csv").write_text(
        f"instance,best_known,lower_bound\n1,{LEAST},{LEAST}\n", encoding="utf-8"
    )
    command = [
        sys.executable, "-m", "benchmarks.rosters.run", "--folder", str(tmp_path), "--instances",
        "1", "--seconds", "20", "--peers", "cpsat", "--peers-only", "--threads", "1", "--out",
        str(tmp_path / "out"),
    ]  # fmt: skip
    for again in (False, True):
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
        )
        assert (not done.stderr) == again
        rows = read_rows(tmp_path / "out" / "runs.csv")
        assert [(row["cost"], row["over"], row["of_bound"]) for row in rows] == [(7, 0.0, 100.0)]
        assert rows[0]["agree"] is True


def test_a_failed_run_tells_and_is_no_roster(tmp_path: Path) -> None:
    asked = {"method": "cpsat", "seed": 1, "seconds": 1, "threads": 1, "instance": "none.txt"}
    command = [sys.executable, "-m", "benchmarks.rosters.one", json.dumps(asked)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode
    assert "none.txt" in done.stderr


def test_desk_problems_come_from_their_seed_alone() -> None:
    assert desk_problem(30, 28, 1) == desk_problem(30, 28, 1)
    assert desk_problem(30, 28, 1) != desk_problem(30, 28, 2)


@pytest.mark.parametrize(("people", "days", "teams"), [(30, 28, 2), (100, 42, 5)])
def test_a_desk_has_what_desks_have(people: int, days: int, teams: int) -> None:
    problem = desk_problem(people, days, 3)
    assert (len(problem.agents), len(problem.days)) == (people, days)
    assert len(components(problem)) == teams
    assert {agent.grade for agent in problem.agents} == {"ordinary", "senior", "expert"}
    assert {cover.min_grade for cover in problem.interval_cover} == {"ordinary", "senior"}
    assert all(shift.breaks or shift.night for shift in problem.shifts)
    types = {day.date: day.type for day in problem.days}
    assert {date for date, kind in types.items() if kind == "statutory_holiday"} == set(STATUTORY)
    assert {rule.kind for rule in problem.rules} >= {"rest_days", "overtime_limit", "fair_share"}
    assert problem.posts
    assert problem.history
    assert verify(problem, Roster()).valid  # the carry-in leaves a lawful way on


def test_people_of_two_teams_tie_the_teams_together() -> None:
    assert len(components(desk_problem(60, 28, 1, shared=40))) == 1
