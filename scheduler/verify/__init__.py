"""The judge: violations and cost of a roster, computed without any solver."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.problem import RosterProblem
from scheduler.solution import Roster
from scheduler.verify.cover import interval_cover, posts, shift_cover
from scheduler.verify.given import given
from scheduler.verify.lines import OFF, Lines
from scheduler.verify.rules import JUDGES
from scheduler.verify.verdict import GAP_KINDS, Breach, Verdict

__all__ = ["GAP_KINDS", "Breach", "Verdict", "verify"]


def verify(problem: RosterProblem, roster: Roster) -> Verdict:
    """Judge a roster from the roster alone.

    Parameters
    ----------
    problem : RosterProblem
    roster : Roster
        Names only agents, days, shifts and posts of the problem.

    Returns
    -------
    Verdict
        Every violation of a hard rule, and every cost, whose sum is the roster's cost.
    """
    lines = Lines(problem, roster)
    found = [
        *given(lines),
        *_rules(lines),
        *_wishes(lines),
        *shift_cover(lines),
        *interval_cover(lines),
        *posts(lines),
    ]
    return Verdict(
        violations=tuple(breach for breach in found if breach.hard),
        costs=tuple(breach for breach in found if not breach.hard),
    )


def _rules(lines: Lines) -> Iterator[Breach]:
    for rule in lines.problem.rules:
        for found in JUDGES[type(rule)](rule, lines):
            yield Breach(
                rule=rule.name,
                kind=rule.kind,
                amount=found.amount,
                cost=None if rule.weight is None else rule.weight * found.amount,
                agent=None if found.agent is None else lines.problem.agents[found.agent].id,
                days=tuple(lines.look.date_of(d) for d in found.days),
                facts=found.facts,
            )


def _wishes(lines: Lines) -> Iterator[Breach]:
    look, problem = lines.look, lines.problem
    for wish in look.wishes:
        s = lines.shift(wish.agent, wish.day)
        met = s != OFF if wish.shifts is None else s in wish.shifts
        if met != wish.on:
            shift = problem.shifts[s].id if wish.kind != "request" else wish.shift
            person, day = problem.agents[wish.agent].id, look.date_of(wish.day)
            facts = {"on": wish.on, "shift": shift}
            yield Breach(wish.kind, wish.kind, 1, wish.weight, person, (day,), facts)
