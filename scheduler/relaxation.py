"""The linear relaxation of a whole roster: a bound, and the cells that cheap rosters use.

The relaxation has many cheapest answers, nearly all of them fractional, and rosters near the bound
are made of their cells. The cells of two answers, one of them to costs changed a little, leave a
model so small that the solver finds within seconds what it does not find in the whole one
(relaxation enforced neighbourhoods, Berthold 2014; changing the costs is ours).
"""

from __future__ import annotations

import math
import random
from datetime import timedelta
from typing import Any

import numpy as np
from ortools.math_opt.python import mathopt

from scheduler.linear import Array, LinearProgram
from scheduler.model import RosterModel
from scheduler.problem import RosterProblem
from scheduler.variables import Narrow

NOISE = 0.2  # of what a duty costs on average: by how much a cell becomes dearer, at most
IN_USE = 1e-6
SHORTEST = 0.01  # seconds with which the solver is not even asked
# an interior-point solve takes about a second of a core for so many duties to decide, and grows so
DUTIES, GROWTH = 2_000, 1.4
EFFORT = 0.3  # of the solver's deterministic units in such a second


def needed(duties: int) -> tuple[float, float]:
    """What one solve takes, about: seconds of a core, and the solver's deterministic units."""
    seconds = float((duties / DUTIES) ** GROWTH)
    return seconds, EFFORT * seconds


def needed_of(problem: RosterProblem) -> tuple[float, float]:
    """The same for a problem."""
    return needed(sum(len(shifts) for line in problem.lookup.allowed for shifts in line))


class Relaxation:
    """The linear program of a model of all cells.

    Attributes
    ----------
    bound : float
        What every roster costs at least; minus infinity before it is known.
    """

    def __init__(self, model: RosterModel, seed: int) -> None:
        x = model.x
        self._shape = x.look.n_agents, x.look.n_days, len(model.problem.shifts)
        duties = [(a, d, s, on.index) for (a, d), cell in x.cell.items() for s, on in cell.items()]
        rests = [(a, d, off.index) for (a, d), off in x.off.items()]
        self._duties = np.array(duties, np.int64).reshape(-1, 4).T
        self._rests = np.array(rests, np.int64).reshape(-1, 3).T
        self._program = LinearProgram.within(model.model.proto)
        self._model = self._program.model()
        self._variables = list(self._model.variables())
        self._random = random.Random(seed)
        self._noise = 0.0
        self._own: Narrow | None = None
        self.bound = -math.inf

    def solve(self, seconds: float | None) -> bool:
        """Solve for the costs as they are; False when that was not possible in time."""
        result = self._solved(seconds)
        if result is None:
            return False
        duals = np.zeros(len(self._program.least))
        for row, price in result.dual_values().items():
            duals[row.id] = price
        self.bound = self._program.bound(duals)
        values = self._values(result)
        self._noise = NOISE * max(self.bound, 1.0) / max(values[self._duties[3]].sum(), 1.0)
        self._own = self._used(values)
        return True

    def near(self, seconds: float | None) -> Narrow | None:
        """The cells in use at the costs as they are, and those at costs changed by chance."""
        if self._own is None:
            return None
        for v in self._duties[3].tolist():
            dearer = self._program.costs[v] + self._random.uniform(0.0, self._noise)
            self._model.objective.set_linear_coefficient(self._variables[v], dearer)
        result = self._solved(seconds)
        if result is None:
            return None
        also = self._used(self._values(result))
        return Narrow(self._own.allowed | also.allowed, self._own.may_rest | also.may_rest)

    def _solved(self, seconds: float | None) -> Any:
        """The result, if one was found in time; this solver cannot be interrupted."""
        if seconds is not None and seconds < SHORTEST:
            return None
        limit = None if seconds is None else timedelta(seconds=seconds)
        parameters = mathopt.SolveParameters(
            time_limit=limit, lp_algorithm=mathopt.LPAlgorithm.BARRIER
        )
        try:
            result = mathopt.solve(self._model, mathopt.SolverType.HIGHS, params=parameters)
        except (
            Exception
        ):  # as in the master problem: nothing narrower catches all the library raises
            return None
        return result if result.termination.reason == mathopt.TerminationReason.OPTIMAL else None

    def _values(self, result: Any) -> Array:
        values = np.zeros(len(self._program.costs))
        for variable, value in result.variable_values().items():
            values[variable.id] = value
        return values

    def _used(self, values: Array) -> Narrow:
        agents, days, shifts = self._shape
        used = Narrow(np.zeros((agents, days, shifts), bool), np.zeros((agents, days), bool))
        for place, cells in ((used.allowed, self._duties), (used.may_rest, self._rests)):
            *where, variables = cells
            place[tuple(where)] = values[variables] > IN_USE
        return used
