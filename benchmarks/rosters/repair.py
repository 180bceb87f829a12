"""How long repairs take on desk problems: people fall out, more are wanted, a rule is new.

python benchmarks/rosters/repair.py --people 200 --solve 120 --absences 5
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from desk import desk_problem

from scheduler.problem import Leave, RosterProblem, ShiftLimit
from scheduler.repair import Wanted, repair
from scheduler.result import Params
from scheduler.solution import Roster
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
    print("what  forced  opened  fewest  proven  all days  ways  seconds")
    for agent in problem.agents[:: max(1, asked.people // asked.absences)][: asked.absences]:
        worked = sorted(day for who, day in roster.cells if who == agent.id)
        first = worked[len(worked) // 2] if worked else problem.days[0].date
        away = Leave(agent.id, first, first + timedelta(days=asked.length - 1), "sick")
        timed(agent.id, replace(problem, leave=(*problem.leave, away)), roster, asked.seed)
    cover = max(problem.interval_cover, key=lambda one: one.desired)
    more = replace(cover, desired=cover.desired + 2, maximum=None, minimum=0)
    timed("demand", replace(problem, interval_cover=(*problem.interval_cover, more)), roster,
          asked.seed, days=(cover.date,))  # fmt: skip
    loads = Counter(agent for agent, _ in roster.cells)
    busiest, duties = loads.most_common(1)[0]
    limit = ShiftLimit(
        name="fewer duties", shifts=tuple(s.id for s in problem.shifts), maximum=duties - 1,
        agents=(busiest,),
    )  # fmt: skip
    timed("rule", replace(problem, rules=(*problem.rules, limit)), roster, asked.seed)


def timed(
    what: str, problem: RosterProblem, roster: Roster, seed: int, days: tuple[date, ...] = ()
) -> None:
    """One line: what came of a repair, and how long it took."""
    begun = time.monotonic()
    found = repair(problem, roster, Wanted(seed=seed, days=days))
    took = time.monotonic() - begun
    print(
        f"{what}  {len(found.forced)}  {found.opened}  {found.fewest}  {found.proven}"
        f"  {found.whole}  {len(found.alternatives)}  {took:.2f}"
    )


if __name__ == "__main__":
    main()
