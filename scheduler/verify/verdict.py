"""What the judge finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

DayName: TypeAlias = Callable[[date], str | int]


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where a rule is broken or a wish not met.

    Parameters
    ----------
    rule : str
        Name of the rule; for what is not a rule of the problem the kind again.
    kind : str
        Kind of rule, or ``one_shift_a_day``, ``overlap``, ``breaks``, ``lock``, ``leave``,
        ``forbidden``, ``availability``, ``shift``, ``site``, ``skill``, ``grade``, ``reach``, the
        kind of a restriction, ``agent_minutes``, ``post`` (hard); ``request``, ``preference``,
        ``away``, ``shift_cover_under``, ``shift_cover_over``, ``interval_cover_under``,
        ``interval_cover_over``, ``post_gap`` (costs).
    amount : int
        By how much, in the unit of the kind.
    cost : int, optional
        What it costs; None for a hard rule.
    agent, days : optional
        Where.
    facts : mapping
        Figures for explanations (limit, found, shift, …).
    """

    rule: str
    kind: str
    amount: int
    cost: int | None = None
    agent: str | None = None
    days: tuple[date, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hard(self) -> bool:
        return self.cost is None

    def plain(self, day_name: DayName = date.isoformat) -> dict[str, Any]:
        """A JSON-ready form."""
        return {
            "rule": self.rule,
            "kind": self.kind,
            "agent": self.agent,
            "days": [day_name(day) for day in self.days],
            "amount": self.amount,
            "cost": self.cost,
            "facts": dict(self.facts),
        }

    def text(self, day_name: DayName = date.isoformat) -> str:
        """One line: rule, person, days and figures."""
        ends = self.days if len(self.days) < 3 else (self.days[0], self.days[-1])
        days = " … ".join(str(day_name(day)) for day in ends)
        facts = ", ".join(f"{k} {v}" for k, v in self.facts.items() if v not in (None, ""))
        place = " ".join(part for part in (self.agent or "", days) if part)
        return f"{self.rule}: {place}" + (f" ({facts})" if facts else "")


GAP_KINDS = ("shift_cover_under", "interval_cover_under", "post_gap")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Violations of hard rules, and every cost, term by term."""

    violations: tuple[Breach, ...]
    costs: tuple[Breach, ...]

    @property
    def valid(self) -> bool:
        return not self.violations

    @property
    def cost(self) -> int:
        return sum(breach.cost or 0 for breach in self.costs)

    @property
    def gaps(self) -> tuple[Breach, ...]:
        """What is wanted and not filled."""
        return tuple(breach for breach in self.costs if breach.kind in GAP_KINDS)

    def terms(self) -> dict[str, int]:
        """Cost by rule name, largest first."""
        sums: dict[str, int] = {}
        for breach in self.costs:
            sums[breach.rule] = sums.get(breach.rule, 0) + (breach.cost or 0)
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
