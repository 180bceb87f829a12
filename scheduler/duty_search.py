"""The search behind a duty table: CP-SAT, one aim after the other, deterministic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ortools.sat.python import cp_model

from scheduler.duty_table import DutyProblem, Place
from scheduler.errors import SchedulingError
from scheduler.problem.parts import Agent


@dataclass(frozen=True, slots=True)
class Params:
    """How long to look: deterministic time (not seconds) for each aim, and the seed.

    The rotation is given a tenth of it.
    """

    effort: float = 20.0
    seed: int = 0


def search(problem: DutyProblem, params: Params) -> tuple[dict[Place, tuple[str, ...]], bool]:
    """Holders of every place, and whether no better table exists.

    Raises
    ------
    SchedulingError
        The search ended before any table was found.
    """
    return _Search(problem, params).run()


_Added: TypeAlias = Sequence[tuple[int, cp_model.IntVar]]


class _Search:
    """One CP-SAT model, solved once per aim; each aim reached becomes a constraint."""

    def __init__(self, problem: DutyProblem, params: Params) -> None:
        self.problem, self.params = problem, params
        self.model = cp_model.CpModel()
        self.agents = _candidates(problem)
        self.holds = {
            (place, agent.id): self.model.new_bool_var(f"{place.post} {place.date} {agent.id}")
            for agent in self.agents
            for place in problem.places
            if problem.barred(agent.id, place) is None
        }
        self.sums: list[tuple[_Added, dict[int, cp_model.IntVar]]] = []
        self.of_agent: dict[str, list[tuple[Place, cp_model.IntVar]]] = defaultdict(list)
        self.at_place: dict[Place, list[cp_model.IntVar]] = defaultdict(list)
        for (place, agent_id), held in self.holds.items():
            self.of_agent[agent_id].append((place, held))
            self.at_place[place].append(held)
        self._hold_one_post_a_day()
        self._hold_so_many_days()
        self._keep_locks()

    def run(self) -> tuple[dict[Place, tuple[str, ...]], bool]:
        proven, solver = True, None
        for build in (self._empty_places, self._repeats, self._unevenness, self._rotation):
            aim = build()
            self.model.minimize(aim)
            last = build == self._rotation  # it only chooses between equally good tables
            found, status = self._solve(solver, self.params.effort / (10 if last else 1))
            if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
                if last:
                    break
                raise SchedulingError("the search for a duty table ended before any was found")
            solver = found
            proven &= last or status == cp_model.OPTIMAL
            self.model.add(aim <= round(solver.objective_value))
        assert solver is not None
        holders: dict[Place, list[str]] = {place: [] for place in self.problem.places}
        for (place, agent), held in self.holds.items():
            if solver.boolean_value(held):
                holders[place].append(agent)
        return {place: tuple(sorted(held)) for place, held in holders.items()}, proven

    def _solve(
        self, earlier: cp_model.CpSolver | None, effort: float
    ) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        if earlier is not None:
            for held in self.holds.values():
                self.model.add_hint(held, earlier.boolean_value(held))
            for added, chosen in self.sums:
                total = sum(amount * earlier.boolean_value(held) for amount, held in added)
                for amount, variable in chosen.items():
                    self.model.add_hint(variable, amount == total)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.params.seed
        solver.parameters.linearization_level = 2
        solver.parameters.max_deterministic_time = effort
        return solver, solver.solve(self.model)

    def _hold_one_post_a_day(self) -> None:
        """Nobody holds two posts on a day, and no place has more holders than it wants."""
        for day in self.problem.days:
            for agent in self.agents:
                self.model.add_at_most_one(
                    held for place, held in self.of_agent[agent.id] if place.date == day.date
                )
        for place in self.problem.places:
            self.model.add(sum(self.at_place[place]) <= self.problem.need(place))

    def _hold_so_many_days(self) -> None:
        """Nobody has more days than allowed."""
        for agent in self.agents:
            held = [variable for _, variable in self.of_agent[agent.id]]
            self.model.add(sum(held) <= self.problem.most_days)

    def _keep_locks(self) -> None:
        """Locked places keep their holder."""
        for lock in self.problem.locks:
            self.model.add(self.holds[Place(lock.date, lock.post), lock.agent] == 1)

    def _empty_places(self) -> cp_model.LinearExprT:
        """Weight of the places left empty; of equal ones, rather those people mind less."""
        problem = self.problem
        minded = {place: problem.day[place.date].burden for place in problem.places}
        scale = 1 + sum(minded[place] * problem.need(place) for place in problem.places)
        return sum(
            (problem.post[place.post].weight * scale + minded[place])
            * (problem.need(place) - sum(self.at_place[place]))
            for place in problem.places
        )

    def _repeats(self) -> cp_model.LinearExprT:
        """Places whose holder had the same named day last year."""
        return sum(
            held
            for (place, agent), held in self.holds.items()
            if self.problem.repeats(agent, place)
        )

    def _unevenness(self) -> cp_model.LinearExprT:
        """What the table adds to squared burdens and heavy places, and wishes not met."""
        problem, terms = self.problem, list[cp_model.LinearExprT]()
        for agent in self.agents:
            held = self.of_agent[agent.id]
            added = [(problem.burden(place), variable) for place, variable in held]
            terms += self._squares(agent.id, added, problem.before[agent.id])
            heavy = [(1, variable) for place, variable in held if problem.is_heavy(place)]
            weight = problem.heavy_weight
            terms += self._squares(agent.id, heavy, problem.heavy_before[agent.id], weight)
        for wish in problem.requests:
            busy = sum(v for place, v in self.of_agent[wish.agent] if place.date == wish.date)
            terms.append(wish.weight * (1 - busy) if wish.on else wish.weight * busy)
        return sum(terms)

    def _squares(
        self, agent: str, added: _Added, past: int, weight: int = 1
    ) -> list[cp_model.LinearExprT]:
        """Terms that sum to weight × ((past + what is added)² − past²)."""
        if not added or not weight:
            return []
        sums = _reachable([amount for amount, _ in added], self.problem.most_days)
        chosen = {n: self.model.new_bool_var(f"{agent} adds {n}") for n in sums}
        self.sums.append((added, chosen))
        self.model.add_exactly_one(chosen.values())
        self.model.add(
            sum(amount * variable for amount, variable in added)
            == sum(n * variable for n, variable in chosen.items())
        )
        return [weight * (2 * past + n) * n * variable for n, variable in chosen.items()]

    def _rotation(self) -> cp_model.LinearExprT:
        """Of equally good tables: whoever's turn is next, on the earlier day."""
        turn, last = self.problem.turn, len(self.problem.places)
        order = {place: last - number for number, place in enumerate(self.problem.places)}
        return sum(turn[agent] * order[place] * held for (place, agent), held in self.holds.items())


def _candidates(problem: DutyProblem) -> list[Agent]:
    """The agents an optimal table can be made of.

    Of people who may hold the same places, with the same repeats, no lock and no wish, whoever had
    no more heavy places and has borne less (or as much, and her turn is earlier) serves as well.
    Somebody for whom there are as many such people as those places take is not looked at: one of
    them is free, and could do all she does.
    """
    named = {wish.agent for wish in problem.requests} | {lock.agent for lock in problem.locks}
    before, heavy, turn = problem.before, problem.heavy_before, problem.turn

    def serves(one: str, other: str) -> bool:
        return heavy[one] <= heavy[other] and (
            before[one] < before[other] or turn[one] < turn[other]
        )

    alike: dict[tuple[tuple[Place, ...], tuple[bool, ...], str], list[Agent]] = defaultdict(list)
    for agent in sorted(
        problem.agents, key=lambda one: (before[one.id], heavy[one.id], turn[one.id])
    ):
        able = tuple(place for place in problem.places if problem.barred(agent.id, place) is None)
        repeats = tuple(problem.repeats(agent.id, place) for place in able)
        alike[able, repeats, agent.id if agent.id in named else ""].append(agent)
    candidates: list[Agent] = []
    for (able, _, _), group in alike.items():
        most = sum(problem.need(place) for place in able)
        for number, agent in enumerate(group):
            if sum(serves(one.id, agent.id) for one in group[:number]) < most:
                candidates.append(agent)
    return candidates


def _reachable(burdens: Sequence[int], most: int) -> list[int]:
    """Every sum of at most so many of the burdens."""
    by_count = [{0}] + [set[int]() for _ in range(most)]
    for burden in burdens:
        for count in range(most, 0, -1):
            by_count[count] |= {total + burden for total in by_count[count - 1]}
    return sorted(set().union(*by_count))
