"""One solve in a process of its own, so that its memory is its own: ``one.py REQUEST``.

REQUEST is a JSON object; the figures are printed as one. `run.py` starts it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from benchmarks.rosters.judge import judge
from benchmarks.rosters.peers.answer import Answer, Lines
from benchmarks.rosters.peers.monolith import peak_memory

Asked: TypeAlias = dict[str, Any]
Figures: TypeAlias = dict[str, Any]
Point: TypeAlias = tuple[float, int, int | None]  # seconds, cost, bound


def public(asked: Asked) -> Figures:
    """A public instance by our solver or by a peer, judged twice."""
    instance = Path(asked["instance"])
    begun = time.monotonic()
    answer, figures = (
        _ours(instance, asked) if asked["method"] == "ours" else _peer(instance, asked)
    )
    figures |= {
        "status": answer.status,
        "bound": answer.bound,
        "first": answer.first,
        "took": time.monotonic() - begun,
        "memory": answer.memory or peak_memory(),
    }
    if answer.lines is not None:
        figures |= judged_twice(instance, answer.lines, figures.get("cost"))
    return figures


def _ours(instance: Path, asked: Asked) -> tuple[Answer, Figures]:
    from scheduler.formats.nrp import FIRST_DAY, read_problem

    problem = read_problem(instance.read_text(encoding="utf-8"))
    result, figures = _solve(problem, asked)
    if result.roster is None:
        return Answer(result.status, bound=result.bound), figures
    lines: Lines = {agent.id: [""] * len(problem.days) for agent in problem.agents}
    for (agent, day), shift in result.roster.cells.items():
        lines[agent][(day - FIRST_DAY).days] = shift
    return Answer(result.status, lines, result.bound, figures["first"]), figures


def _solve(problem: Any, asked: Asked) -> tuple[Any, Figures]:
    """Our solver's result, and when it got how far."""
    from scheduler.result import Params
    from scheduler.solve import solve

    trace: list[Point] = []
    params = Params(seconds=asked["seconds"], seed=asked["seed"], workers=asked["threads"])
    result = solve(problem, params, lambda p: trace.append((p.seconds, p.cost, p.bound)))
    figures: Figures = {"cost": result.cost, "first": None, "gap_2": None, "gap_1": None}
    if result.cost is not None:
        trace.append((result.seconds, result.cost, result.bound))
        figures["first"] = trace[0][0]
        figures |= {"gap_2": reached(trace, 0.02), "gap_1": reached(trace, 0.01)}
    return result, figures


def reached(trace: Sequence[Point], share: float) -> float | None:
    """When the cost was first known to be within a share of itself from the bound."""
    for seconds, cost, bound in trace:
        if bound is not None and cost - bound <= share * cost:
            return seconds
    return None


def _peer(instance: Path, asked: Asked) -> tuple[Answer, Figures]:
    seconds, threads, seed = asked["seconds"], asked["threads"], asked["seed"]
    if asked["method"] == "cpsat":
        from benchmarks.rosters.peers import cpsat

        return cpsat.solve(instance, seconds, threads, seed), {}
    if asked["method"] == "highs":
        from benchmarks.rosters.peers import highs

        return highs.solve(instance, seconds, threads, seed), {}
    from benchmarks.rosters.peers import monolith

    return monolith.solve(instance, seconds, threads, Path(asked["monolith"])), {}


def judged_twice(instance: Path, lines: Lines, told: int | None = None) -> Figures:
    """Cost and rules broken, and whether both judges (and the solver, if it told) say the same."""
    from scheduler.formats.nrp import read_problem, read_roster
    from scheduler.verify import verify

    rows = [f"{name},{day},{s}" for name, line in lines.items() for day, s in enumerate(line) if s]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "roster.csv"
        path.write_text("\n".join(["employee,day,shift", *rows, ""]), encoding="utf-8")
        broken, cost = judge(instance, path)
        problem = read_problem(instance.read_text(encoding="utf-8"))
        verdict = verify(problem, read_roster(path.read_text(encoding="utf-8"), problem))
    agree = verdict.valid == (not broken) and verdict.cost == cost and told in (None, cost)
    return {"cost": cost, "broken": len(broken), "agree": agree}


def largest_process() -> float:
    """Most memory that one process started from here has held, in MB; one is started a thread."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def desk(asked: Asked) -> Figures:
    """A desk problem of our generator by our solver."""
    from benchmarks.rosters.desk import desk_problem
    from scheduler.verify import verify

    problem = desk_problem(asked["people"], asked["days"], asked["seed"], asked["shared"])
    begun = time.monotonic()
    result, figures = _solve(problem, asked)
    figures |= {
        "status": result.status,
        "bound": result.bound,
        "took": time.monotonic() - begun,
        "memory": peak_memory() + asked["threads"] * largest_process(),
    }
    if result.roster is not None:
        verdict = verify(problem, result.roster)
        agree = verdict.cost == result.cost
        figures |= {"broken": len(verdict.violations), "agree": agree}
    return figures


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    print(json.dumps(desk(request) if "people" in request else public(request)))
