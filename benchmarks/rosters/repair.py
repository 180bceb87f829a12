"""How long repairs take on desk problems: one person falls out, then another.

python benchmarks/rosters/repair.py --people 200 --solve 120 --absences 5
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from datetime import timedelta

from desk import desk_problem

from scheduler.problem import Leave
from scheduler.repair import Wanted, repair
from scheduler.result import Params
from scheduler.solve import solve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--solve", type=float, default=120.0, help="seconds for the first roster")
    parser.add_argument("--absences", type=int, default=5)
    parser.add_argument("--length", type=int, default=2, help="days each absence lasts")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    problem = desk_problem(asked.people, asked.days, asked.seed)
    roster = solve(problem, Params(seconds=asked.solve, seed=asked.seed)).roster
    if roster is None:
        raise SystemExit("no roster in the time given; allow more with --solve")
    print("agent  days  opened  fewest  proven  all days  ways  seconds")
    for agent in problem.agents[:: max(1, asked.people // asked.absences)][: asked.absences]:
        worked = sorted(day for who, day in roster.cells if who == agent.id)
        first = worked[len(worked) // 2] if worked else problem.days[0].date
        away = Leave(agent.id, first, first + timedelta(days=asked.length - 1), "sick")
        begun = time.monotonic()
        found = repair(
            replace(problem, leave=(*problem.leave, away)), roster, Wanted(seed=asked.seed)
        )
        took = time.monotonic() - begun
        print(
            f"{agent.id}  {len(found.forced)}  {found.opened}  {found.fewest}  {found.proven}"
            f"  {found.whole}  {len(found.alternatives)}  {took:.2f}"
        )


if __name__ == "__main__":
    main()
