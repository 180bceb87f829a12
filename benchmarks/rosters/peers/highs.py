"""HiGHS on the textbook model, through OR-Tools MathOpt."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from ortools.math_opt.solvers import highs_pb2

from benchmarks.rosters.peers.answer import Answer
from benchmarks.rosters.peers.textbook import MANY, Program, textbook

FOUND = re.compile(
    r"^ [A-Za-z] "
)  # lines of the log with a new best solution begin with its source


def solve(instance: Path, seconds: float, threads: int, seed: int) -> Answer:
    begun = time.monotonic()
    program = textbook(instance)
    model = mathopt.Model.from_model_proto(_form(program))
    found: list[float] = []

    def read(lines: Sequence[str]) -> None:
        if any(FOUND.match(line) for line in lines):
            found.append(time.monotonic() - begun)

    options = highs_pb2.HighsOptionsProto(
        int_options={"threads": threads}, string_options={"parallel": "on"}
    )
    params = mathopt.SolveParameters(
        time_limit=timedelta(seconds=max(0.1, seconds - (time.monotonic() - begun))),
        random_seed=seed,
        highs=options,
    )
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=params, msg_cb=read)
    dual = result.termination.objective_bounds.dual_bound
    bound = math.ceil(dual - 1e-6) if math.isfinite(dual) else None
    if not result.has_primal_feasible_solution():
        return Answer("nothing_found", bound=bound)
    by_column = result.variable_values()
    values = [by_column[column] for column in model.variables()]
    proven = result.termination.reason == mathopt.TerminationReason.OPTIMAL
    status = "optimal" if proven else "feasible"
    return Answer(status, program.lines(values), bound, found[0] if found else None)


def _form(program: Program) -> model_pb2.ModelProto:
    """The program as arrays: far quicker than adding row by row."""
    count, rows = len(program.upper), range(len(program.rows))
    form = model_pb2.ModelProto()
    form.variables.ids.extend(range(count))
    form.variables.lower_bounds.extend([0.0] * count)
    form.variables.upper_bounds.extend(program.upper)
    form.variables.integers.extend([True] * count)
    costs = [(column, cost) for column, cost in enumerate(program.cost) if cost]
    form.objective.offset = program.constant
    form.objective.linear_coefficients.ids.extend(column for column, _ in costs)
    form.objective.linear_coefficients.values.extend(cost for _, cost in costs)
    form.linear_constraints.ids.extend(rows)
    matrix = form.linear_constraint_matrix
    for number, (columns, factors, least, most) in enumerate(program.rows):
        form.linear_constraints.lower_bounds.append(-math.inf if least <= -MANY else least)
        form.linear_constraints.upper_bounds.append(math.inf if most >= MANY else most)
        cells = sorted(zip(columns, factors, strict=True))
        matrix.row_ids.extend([number] * len(cells))
        matrix.column_ids.extend(column for column, _ in cells)
        matrix.coefficients.extend(factor for _, factor in cells)
    return form
