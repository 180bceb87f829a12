"""The master problem: which mix of lines covers best (a linear program)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from ortools.math_opt.python import mathopt

from scheduler.columns.cover import Cover
from scheduler.columns.kernel import Array

KEEP_IDLE = 15  # rounds at zero in a row after which a column may leave
CROWD = 40  # columns per person from which idle ones leave
BEYOND = 2  # times the dearest cell: the price of a person short beyond what is asked for
ANY = (-float("inf"), float("inf"))
# of an answer: columns in use and prices; handing over what nobody reads takes as long as solving
WANTED = mathopt.ModelSolveParameters(
    variable_values_filter=mathopt.VariableFilter(skip_zero_values=True),
    reduced_costs_filter=mathopt.VariableFilter(filtered_items=()),
)


@dataclass(slots=True)
class Column:
    """One lawful line of one person, with the cost of its wishes."""

    agent: int
    line: Array
    cost: int
    variable: Any
    share: float = 0.0  # in the last solution
    idle: int = 0
    open: bool = True


@dataclass(frozen=True, slots=True)
class Prices:
    """Duals of a solution: what one more person is worth in each row, and each person's line.

    `short` is what one more person short in all rows together would save.
    """

    cost: float
    rows: Array
    persons: Array
    short: float


class Master:
    """One row per person, one per cover with variables for people short and spare."""

    def __init__(self, cover: Cover, n_agents: int) -> None:
        self.cover, self.n_agents = cover, n_agents
        self.columns: list[Column] = []
        self._known: set[tuple[int, bytes]] = set()
        self.iterations = 0
        self.short = 0.0  # people, in the last solution
        self.short_asked = ANY
        self._at: dict[tuple[int, int], list[int]] = {}
        for n, cell in enumerate(zip(cover.day.tolist(), cover.shift.tolist(), strict=True)):
            self._at.setdefault(cell, []).append(n)
        self._build()

    def _build(self) -> None:
        self.model = mathopt.Model()
        self.model.objective.is_maximize = False
        add = self.model.add_linear_constraint
        self.persons = [add(lb=1.0, ub=1.0) for _ in range(self.n_agents)]
        self.rows = [add(lb=float(d), ub=float(d)) for d in self.cover.desired]
        self.total = add()  # people short in all rows together
        self._gaps: list[Any] = []
        cover = self.cover
        for n, row in enumerate(self.rows):
            self._gap(row, int(cover.desired[n] - cover.minimum[n]), int(cover.under[n]))
            self._gap(row, int(cover.minimum[n]), int(cover.under[n] + cover.dear[n]))
            self._slack(row, -1.0, int(cover.most[n] - cover.desired[n]), 0)
            self._slack(row, -1.0, None, int(cover.over[n]))
        self._slack(self.total, -1.0, None, BEYOND * max(1, cover.dearest))
        self._bound_total()
        self._solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def _gap(self, row: Any, most: int, cost: int) -> None:
        gap = self._slack(row, 1.0, most, cost)
        if gap is not None:
            self.total.set_coefficient(gap, 1.0)
            self._gaps.append(gap)

    def _slack(self, row: Any, sign: float, most: int | None, cost: int) -> Any:
        if most == 0:
            return None
        variable = self.model.add_variable(lb=0.0, ub=float("inf") if most is None else float(most))
        row.set_coefficient(variable, sign)
        if cost:
            self.model.objective.set_linear_coefficient(variable, float(cost))
        return variable

    def short_within(self, least: float, most: float) -> None:
        """Ask for so many people short in all; more than `most` stay possible, at a high price."""
        self.short_asked = least, most
        self._bound_total()

    def _bound_total(self) -> None:
        self.total.lower_bound, self.total.upper_bound = self.short_asked

    def add(self, agent: int, line: Array, cost: int) -> bool:
        """Take a line into the master; False when it is there already."""
        key = _key(agent, line)
        if key in self._known:
            return False
        self._known.add(key)
        self.columns.append(Column(agent, line.copy(), cost, self._variable(agent, line, cost)))
        return True

    def _variable(self, agent: int, line: Array, cost: int) -> Any:
        variable = self.model.add_variable(lb=0.0)
        self.persons[agent].set_coefficient(variable, 1.0)
        for d in np.flatnonzero(line >= 0).tolist():
            for n in self._at.get((d, int(line[d])), ()):
                if self.cover.members[n, agent]:
                    self.rows[n].set_coefficient(variable, 1.0)
        if cost:
            self.model.objective.set_linear_coefficient(variable, float(cost))
        return variable

    def solve(self, seconds: float | None) -> Prices | None:
        """The cheapest mix of the open columns; None when time ran out before it was found."""
        limit = None if seconds is None else timedelta(seconds=max(seconds, 0.01))
        result = self._solved(mathopt.SolveParameters(time_limit=limit))
        if result is None or result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            return None
        self.iterations += result.solve_stats.simplex_iterations
        values = result.variable_values()
        for column in self.columns:
            column.share = values.get(column.variable, 0.0)
            column.idle = 0 if column.share > 1e-9 else column.idle + 1
        self.short = sum(values.get(gap, 0.0) for gap in self._gaps)
        return Prices(
            result.objective_value(),
            np.array(result.dual_values(self.rows)),
            np.array(result.dual_values(self.persons)),
            result.dual_values(self.total),
        )

    def _solved(self, parameters: mathopt.SolveParameters) -> Any:
        """Solve; once more from scratch when the simplex method lost its way, then give up.

        The library then raises a status of its own, or stumbles over raising it; nothing narrower
        than `Exception` catches both.
        """
        for attempt in range(2):
            if attempt:
                self._rebuild()
            try:
                return self._solver.solve(params=parameters, model_params=WANTED)
            except Exception:
                continue
        return None

    def _rebuild(self) -> None:
        """The same program anew, without the basis that led astray."""
        self._build()
        for column in self.columns:
            column.variable = self._variable(column.agent, column.line, column.cost)
            if not column.open:
                column.variable.upper_bound = 0.0

    def drop_idle(self) -> None:
        """Let columns go that have long been at zero."""
        if len(self.columns) <= CROWD * self.n_agents:
            return
        for column in self.columns:
            if column.idle > KEEP_IDLE:
                self._known.discard(_key(column.agent, column.line))
                self.model.delete_variable(column.variable)
        self.columns = [column for column in self.columns if column.idle <= KEEP_IDLE]

    def open_only(self, allowed: Array, may_rest: Array) -> None:
        """Close the columns that leave the narrowed cells ((agents, days, …) bool)."""
        days = np.arange(self.cover.size[0])
        for column in self.columns:
            on = column.line >= 0
            a = column.agent
            fits = allowed[a, days[on], column.line[on]].all() and may_rest[a, ~on].all()
            if bool(fits) != column.open:
                column.open = bool(fits)
                column.variable.upper_bound = float("inf") if fits else 0.0

    def shares(self) -> Array:
        """How much of each (agent, day, shift) the last solution uses."""
        days, shifts = self.cover.size
        found = np.zeros((self.n_agents, days, shifts))
        for column in self.columns:
            if column.share > 1e-9:
                on = np.flatnonzero(column.line >= 0)
                found[column.agent, on, column.line[on]] += column.share
        return found


def _key(agent: int, line: Array) -> tuple[int, bytes]:
    return agent, line.astype(np.int8).tobytes()
