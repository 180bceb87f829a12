"""Plain CP-SAT on the textbook model: no parameters but the limit, the threads and the seed."""

from __future__ import annotations

import math
import time
from pathlib import Path

from ortools.sat.python import cp_model

from benchmarks.rosters.peers.answer import Answer
from benchmarks.rosters.peers.textbook import MANY, textbook


class _First(cp_model.CpSolverSolutionCallback):
    """When the first roster was found."""

    def __init__(self) -> None:
        super().__init__()
        self.at: float | None = None

    def on_solution_callback(self) -> None:
        if self.at is None:
            self.at = time.monotonic()


def solve(instance: Path, seconds: float, threads: int, seed: int) -> Answer:
    begun = time.monotonic()
    program = textbook(instance)
    model = cp_model.CpModel()
    columns = [model.new_int_var(0, upper, "") for upper in program.upper]
    for indices, factors, least, most in program.rows:
        terms = cp_model.LinearExpr.weighted_sum([columns[i] for i in indices], factors)
        if least == most:
            model.add(terms == least)
        elif most < MANY:
            model.add_linear_constraint(terms, least if least > -MANY else -(10**9), most)
        else:
            model.add(terms >= least)
    costs = cp_model.LinearExpr.weighted_sum(columns, program.cost)
    model.minimize(costs + program.constant)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.monotonic() - begun))
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed
    first = _First()
    status = solver.solve(model, first)
    bound = math.ceil(solver.best_objective_bound - 1e-6)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer("nothing_found", bound=bound)
    values = [solver.value(column) for column in columns]
    return Answer(
        "optimal" if status == cp_model.OPTIMAL else "feasible",
        program.lines(values),
        bound,
        first.at and first.at - begun,
    )
