"""Rows of a roster model: sums kept within a bound, exactly or at a price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from ortools.sat.python import cp_model

from scheduler.objective import Term
from scheduler.problem import rules as r
from scheduler.variables import Literal, Variables

Row = tuple[Sequence[Term], int]
HOUR = 60


def ones(literals: Iterable[Literal | int]) -> list[Term]:
    """Terms with the coefficient 1."""
    return [(1, literal) for literal in literals]


def plus(terms: list[Term], settled: int) -> list[Term]:
    """The terms and what is settled beside them."""
    return [(settled, 1), *terms] if settled else terms


class Charging(Protocol):
    """What takes the costs of rules."""

    def charge(self, weight: int, item: Literal | int) -> None: ...


class Rows:
    """What all rules of a model are built with."""

    def __init__(self, x: Variables, objective: Charging, relax: int | None = None) -> None:
        self.x, self.model, self.objective = x, x.model, objective
        self.problem, self.look, self.relax = x.problem, x.look, relax

    def members(self, rule: r.Rule) -> list[int]:
        return [a for a in self.look.members(rule) if a in self.x.free_days]

    def keep(self, weight: int | None, rows: Sequence[Row], unit: int = 1) -> None:
        """Each row's sum stays within its bound; one slack, in units, serves all rows."""
        tight = []
        for terms, bound in rows:
            literals = [(c, t) for c, t in terms if not isinstance(t, int)]
            rest = bound - sum(c * t for c, t in terms if isinstance(t, int))
            most = sum(c for c, _ in literals if c > 0)
            if most > rest:
                tight.append((literals, rest, most))
        if not tight:
            return
        price = self.relax if weight is None else weight
        if price is None:
            for literals, rest, _ in tight:
                self.model.add(weighted(literals) <= rest)
            return
        most_beyond = max(most - rest for _, rest, most in tight)
        slack = self.model.new_int_var(0, -(-most_beyond // unit), "")
        self.objective.charge(price, slack)
        for literals, rest, _ in tight:
            self.model.add(weighted(literals) - unit * slack <= rest)

    def exact(self, weight: int | None) -> bool:
        """Whether the rule is a plain constraint, for which a tighter form may be used."""
        return weight is None and self.relax is None

    def windows(self, a: int, length: int, first: int, last: int) -> Iterator[int]:
        """Starts of the windows within first … last that touch a free day of the agent."""
        starts: set[int] = set()
        for d in self.x.free_days[a]:
            starts.update(range(max(first, d - length + 1), min(d, last - length + 1) + 1))
        yield from sorted(starts)

    def between(
        self, weight: int | None, terms: list[Term], low: int | None, high: int | None, unit: int
    ) -> None:
        """The sum stays within two bounds."""
        if high is not None:
            self.keep(weight, [(terms, high)], unit)
        if low is not None:
            self.keep(weight, [([(-c, t) for c, t in terms], -low)], unit)

    def minutes(self, a: int, days: Iterable[int]) -> list[Term]:
        """Terms of the minutes worked."""
        return self.amounts(a, days, self.look.minutes)

    def amounts(self, a: int, days: Iterable[int], of_shift: Sequence[int]) -> list[Term]:
        """Terms of what the shifts worked on some days amount to."""
        terms: list[Term] = []
        for d in days:
            if (a, d) in self.x.free:
                terms.extend(
                    (of_shift[s], literal)
                    for s, literal in self.x.cell[a, d].items()
                    if of_shift[s]
                )
            elif (s := self.x.settled(a, d)) >= 0:
                terms.append((of_shift[s], 1))
        return terms

    def touches(self, a: int, span: range) -> bool:
        return any(d in span for d in self.x.free_days[a])


def weighted(terms: Sequence[Term]) -> Any:
    literals = [t for _, t in terms if not isinstance(t, int)]
    weights = [c for c, t in terms if not isinstance(t, int)]
    constant = sum(c * t for c, t in terms if isinstance(t, int))
    return cp_model.LinearExpr.weighted_sum(literals, weights) + constant
