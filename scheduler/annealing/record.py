"""What a roster costs, written down as sums over its cells instead of as a model.

The rules are those of the model, by the same functions: only `keep` and `charge`, through which
they speak, write down what they are told. Literals that stand for others are resolved into cells
(and holders of posts), the rest being whole sums: rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ortools.sat.python import cp_model

from scheduler.constraints import BY_KIND, GIVEN
from scheduler.constraints.people import shares_of
from scheduler.objective import Term
from scheduler.problem import RosterProblem
from scheduler.problem import rules as r
from scheduler.rows import Row, Rows
from scheduler.variables import Grid, Literal, Variables

Sum: TypeAlias = dict[int, int]  # by item
EXCESS, SPREAD, SQUARE, TABLE = range(4)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that cost something together.

    Parameters
    ----------
    kind : int
        `EXCESS`: the most any row exceeds its end, in units begun; `SPREAD`: the largest less
        the smallest row, in units begun; `SQUARE`: the square of the units begun of one row;
        `TABLE`: what the table says for one row.
    weight : int or None
        Cost of one; None for a hard rule.
    rows : list of (sum, constant)
        An end is taken off the constant, so that excess is what is above zero.
    """

    kind: int
    weight: int | None
    unit: int
    rows: list[tuple[Sum, int]]
    table: tuple[int, ...] = ()


@dataclass
class Record(Rows):
    """The rules of a problem as groups of rows.

    Items are numbered: cells first, `(agent · days + day) · shifts + shift`, then holders of posts
    in the order of `holders`, then `any_of`, each true when one of its cells is.
    """

    problem: RosterProblem
    groups: list[Group] = field(default_factory=list)
    costs: Sum = field(default_factory=lambda: defaultdict(int))
    any_of: list[list[int]] = field(default_factory=list)
    constant: int = 0  # what every roster costs

    def __post_init__(self) -> None:
        x = Variables(cp_model.CpModel(), self.problem, Grid.empty(self.problem), None)
        super().__init__(x, self)
        days, shifts = self.look.n_days, self.look.n_shifts
        self.holders = list(x.holds)
        self._sums: dict[int, tuple[Sum, int]] = {}
        for (a, d), cell in x.cell.items():
            items = {s: (a * days + d) * shifts + s for s in cell}
            for s, on in cell.items():
                self._know(on, {items[s]: 1}, 0)
            self._know(x.off[a, d], dict.fromkeys(items.values(), -1), 1)
        first = self.look.n_agents * days * shifts
        for n, on in enumerate(x.holds.values()):
            self._know(on, {first + n: 1}, 0)
        self.n_items = first + len(x.holds)
        for add in GIVEN:
            add(self)
        for rule in self.problem.rules:
            if isinstance(rule, r.FairShare):
                self._fair(rule)
            else:
                BY_KIND[type(rule)](self, rule)

    def _know(self, literal: Literal, terms: Sum, constant: int) -> None:
        low, high = self.model.proto.variables[literal.index].domain
        self._sums[literal.index] = ({}, low) if low == high else (terms, constant)

    # -- what the rules speak through ------------------------------------------------------------

    def keep(self, weight: int | None, rows: Sequence[Row], unit: int = 1) -> None:
        """Write down rows that stay within their ends, but for those that always do."""
        if weight == 0:
            return
        found = []
        for terms, end in rows:
            terms_of, constant = self.total(terms)
            if self._most(terms_of) + constant > end:
                found.append((terms_of, constant - end))
        if found:
            self.groups.append(Group(EXCESS, weight, unit, found))

    def charge(self, weight: int, item: Literal | int) -> None:
        """Write down what a literal costs."""
        terms, constant = self.total([(weight, item)])
        self.constant += constant
        for n, c in terms.items():
            self.costs[n] += c

    def total(self, terms: Iterable[Term]) -> tuple[Sum, int]:
        """Terms as a sum over items, and a constant."""
        found: Sum = defaultdict(int)
        constant = 0
        for c, term in terms:
            if isinstance(term, int):
                constant += c * term
                continue
            parts, fixed = self._resolved(term.index)
            constant += c * fixed
            for n, times in parts.items():
                found[n] += c * times
        return {n: c for n, c in found.items() if c}, constant

    def _resolved(self, index: int) -> tuple[Sum, int]:
        if index < 0:
            terms, constant = self._resolved(~index)
            return {n: -c for n, c in terms.items()}, 1 - constant
        if index not in self._sums:
            added, parts = self.x.derived[index]
            terms, constant = self.total((1, part) for part in parts)
            if not added:
                self.any_of.append(sorted(terms))
                terms = {self.n_items + len(self.any_of) - 1: 1}
            self._sums[index] = terms, constant
        return self._sums[index]

    def _most(self, terms: Sum) -> int:
        """No less than the sum can be: of the shifts of one cell one is worked."""
        cells = self.look.n_agents * self.look.n_days * self.look.n_shifts
        most: dict[int, int] = defaultdict(int)
        for n, c in terms.items():
            key = n // self.look.n_shifts if n < cells else -n
            most[key] = max(most[key], c)
        return sum(most.values())

    def _fair(self, rule: r.FairShare) -> None:
        shares, unit = shares_of(self, rule)
        rows = [self.total(term for group in share for term in group) for share in shares]
        if rule.how == "spread":
            if len(rows) > 1:
                self.groups.append(Group(SPREAD, rule.weight or 0, unit, rows))
        else:
            self.groups += [Group(SQUARE, rule.weight or 0, unit, [row]) for row in rows]
