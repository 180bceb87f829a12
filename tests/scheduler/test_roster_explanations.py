"""Explanations: alternatives, why not, gaps and conflicts, each confirmed by solving."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from scheduler.explain import Conflict, Gap, conflicts, explain, explain_gap, why_not
from scheduler.problem import (
    Agent,
    Apart,
    ContractMinutes,
    Day,
    Forbidden,
    Leave,
    Lock,
    MaxConsecutive,
    MinRest,
    Request,
    RosterProblem,
    Shift,
    ShiftCover,
    ShiftLimit,
    Together,
)
from scheduler.problem.cover import IntervalCover
from scheduler.result import Params
from scheduler.solution import Roster
from scheduler.solve import solve
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1800, night=True))


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def team(*agents: Agent, days: int = 5, **more: Any) -> RosterProblem:
    return RosterProblem(
        agents=agents, days=tuple(Day(day(i)) for i in range(days)), shifts=SHIFTS, **more
    )


A, B, C = Agent("a"), Agent("b"), Agent("c")
ROW = MaxConsecutive(name="row", days=2)


# -- a cell ----------------------------------------------------------------------------------------


def test_a_blocked_alternative_has_a_price_once_all_near_is_arranged_anew() -> None:
    # b works Tuesday and Wednesday; on Monday as well it would be three in a row. But a could
    # take b's Tuesday, where a's wish for a day off costs 4 (9 on Wednesday): all is covered again.
    problem = team(
        A, B, days=3, rules=(ROW,),
        shift_cover=tuple(ShiftCover(day(i), "D", 1, under_weight=50) for i in range(3)),
        requests=(Request("a", day(1), False, 4), Request("a", day(2), False, 9)),
    )  # fmt: skip
    roster = Roster({("a", day(0)): "D", ("b", day(1)): "D", ("b", day(2)): "D"})
    told = explain(problem, roster, "a", day(0), seconds=5.0)
    [other] = told.others
    assert (other.agent, [b.rule for b in other.broken]) == ("b", ["row"])
    assert (other.settled, other.proven) == (4, True)
    assert told.reason == "cheapest"  # off costs 50, N costs 50


def test_what_nothing_near_allows_is_said_to_be_impossible() -> None:
    problem = team(A, B, days=1, rules=(Apart(name="apart", agents=("a", "b")),),
                   locks=(Lock("b", day(0), "N"),))  # fmt: skip
    told = explain(problem, Roster({("a", day(0)): "D", ("b", day(0)): "N"}), "a", day(0), 5.0)
    by_shift = {one.shift: one for one in told.alternatives}
    assert (by_shift["N"].settled, by_shift["N"].proven) == (None, True)
    assert (by_shift[None].settled, by_shift[None].proven) == (0, True)


def test_a_locked_cell_and_one_that_could_be_better_say_so() -> None:
    problem = team(A, days=1, locks=(Lock("a", day(0), "D"),))
    assert explain(problem, Roster({("a", day(0)): "D"}), "a", day(0)).reason == "locked"
    problem = team(A, days=1, requests=(Request("a", day(0), False, 4),))
    assert explain(problem, Roster({("a", day(0)): "D"}), "a", day(0)).reason == "improvable"
    assert explain(problem, Roster(), "a", day(0)).reason == "cheapest"
    assert explain(team(A, days=1), Roster(), "a", day(0)).reason == "equal"
    nothing = tuple(Forbidden("a", day(0), s) for s in "DN")
    assert explain(team(A, days=1, forbidden=nothing), Roster(), "a", day(0)).reason == "only"


# -- why not ---------------------------------------------------------------------------------------


def test_why_not_names_what_bars_her() -> None:
    problem = team(
        A, Agent("b", shifts=("N",)), C, days=1, leave=(Leave("a", day(0), day(0)),),
        locks=(Lock("c", day(0), None),),
    )  # fmt: skip
    found = {one: why_not(problem, Roster(), one, day(0), "D") for one in "abc"}
    assert {one: (w.outcome, w.barred) for one, w in found.items()} == {
        "a": ("barred", "leave"), "b": ("barred", "shift"), "c": ("barred", "lock")
    }  # fmt: skip
    assert why_not(problem, Roster(), "c", day(0), None).outcome == "already"


def test_why_not_names_the_rule_that_no_line_of_hers_can_keep() -> None:
    # Monday and Tuesday are locked, so Wednesday would be the third in a row whatever comes after
    problem = team(A, days=3, rules=(ROW,), locks=tuple(Lock("a", day(i), "D") for i in (0, 1)))
    roster = Roster({("a", day(0)): "D", ("a", day(1)): "D"})
    found = why_not(problem, roster, "a", day(2), "D")
    assert (found.outcome, found.proven) == ("never", True)
    assert found.conflict is not None
    assert {(e.kind, e.first) for e in found.conflict.elements} == {
        ("lock", day(0)), ("lock", day(1)), ("lock", day(2)), ("max_consecutive", None)
    }  # fmt: skip
    ways = {(way.element.rule, way.parameter): way for way in found.conflict.relaxations}
    assert (ways["row", "days"].before, ways["row", "days"].after) == (2, 3)
    assert ways["row", "days"].enough


def test_why_not_prices_what_is_possible() -> None:
    problem = team(A, days=1, requests=(Request("a", day(0), False, 9),))
    found = why_not(problem, Roster(), "a", day(0), "D")
    assert (found.outcome, found.settled, found.effect.change) == ("costs", 9, 9)


# -- gaps ------------------------------------------------------------------------------------------


def test_a_gap_names_who_could_fill_it_and_what_stops_the_others() -> None:
    people = (
        Agent("cheap", skills=("x",)),
        Agent("dear", skills=("x",)),
        Agent("tired", skills=("x",)),
        Agent("away", skills=("x",)),
        Agent("there", skills=("x",)),
        Agent("unskilled"),
        Agent("nights", skills=("x",), shifts=("N",)),
    )
    cover = IntervalCover(day(1), 480, 510, 2, under_weight=10, skill="x", cause="answer in time")
    problem = team(
        *people, days=2, interval_cover=(cover,), rules=(MinRest(name="rest", minutes=660),),
        leave=(Leave("away", day(1), day(1)),), requests=(Request("dear", day(1), False, 3),),
    )  # fmt: skip
    roster = Roster({("tired", day(0)): "N", ("there", day(1)): "D"})
    found = explain_gap(problem, roster, Gap(day(1), start=480, skill="x"), seconds=5.0)
    told = {one.agent: (one.reason, one.shift, one.effect and one.effect.change)
            for one in found.fillers}  # fmt: skip
    # one of two is there; another saves 10, for dear less her wish of 3
    assert told == {
        "cheap": (None, "D", -10), "dear": (None, "D", -7), "tired": ("rule", "D", -10)
    }  # fmt: skip
    assert [one.agent for one in found.possible] == ["cheap", "dear"]
    assert found.fillers[2].effect is not None
    assert [b.rule for b in found.fillers[2].effect.broken] == ["rest"]
    assert dict(found.stopped) == {
        "rule": 1, "leave": 1, "there": 1, "skill": 1, "no_shift": 1
    }  # fmt: skip
    assert (found.settled, found.proven) == (-10, True)


def test_a_gap_when_no_shift_is_at_work_says_so() -> None:
    cover = IntervalCover(day(0), 0, 30, 1, under_weight=10)
    problem = team(A, days=1, interval_cover=(cover,))
    found = explain_gap(problem, Roster(), Gap(day(0), start=0))
    assert (found.stopped, found.settled, found.proven) == ((("no_pattern", 1),), None, True)


def test_a_gap_not_worth_filling_shows_its_price() -> None:
    problem = team(A, days=1, shift_cover=(ShiftCover(day(0), "D", 1, under_weight=5),),
                   requests=(Request("a", day(0), False, 8),))  # fmt: skip
    found = explain_gap(problem, Roster(), Gap(day(0), shift="D"), seconds=5.0)
    assert (found.settled, found.proven) == (3, True)  # 8 less 5


def test_a_roster_broken_already_is_explained_all_the_same() -> None:
    # three days in a row are published where two are allowed; b could still take Thursday
    cover = (ShiftCover(day(3), "D", 1, under_weight=50),)
    problem = team(A, B, days=4, rules=(ROW,), shift_cover=cover)
    roster = Roster({("a", day(i)): "D" for i in range(3)})
    found = explain_gap(problem, roster, Gap(day(3), shift="D"), seconds=5.0)
    assert [one.agent for one in found.possible] == ["b"]
    assert (found.settled, found.proven) == (-50, True)


# -- conflicts -------------------------------------------------------------------------------------


def kinds(conflict: Conflict) -> list[str]:
    return sorted(element.kind for element in conflict.elements)


def test_locks_against_a_rule_conflict_and_the_rule_gives_way_by_one() -> None:
    problem = team(
        A, B, days=4, rules=(ROW, MinRest(name="rest", minutes=60)),
        locks=tuple(Lock("a", day(i), "D") for i in range(3)),
    )  # fmt: skip
    [found] = conflicts(problem)
    assert (found.agents, found.irreducible) == (("a",), True)
    assert kinds(found) == ["lock", "lock", "lock", "max_consecutive"]
    [rule] = [way for way in found.relaxations if way.element.kind == "max_consecutive"]
    assert (rule.parameter, rule.before, rule.after, rule.enough) == ("days", 2, 3, True)
    assert {way.parameter for way in found.relaxations if way.element.kind == "lock"} == {"drop"}


def test_every_set_is_irreducible_and_every_way_out_helps() -> None:
    # 40 hours at least, and nights only, of which three are allowed: at most 24 hours
    rules = (
        ContractMinutes(name="hours", tolerance=0),
        ShiftLimit(name="few nights", shifts=("N",), maximum=3),
    )
    problem = team(Agent("a", shifts=("N",), day_minutes=480), days=5, rules=rules)
    [found] = conflicts(problem)
    assert kinds(found) == ["contract_minutes", "shift_limit"]
    ways = {way.parameter: (way.before, way.after) for way in found.relaxations}
    # 24 of 40 hours: a tolerance of 16 h, or five nights
    assert ways == {"tolerance": (0, 960), "maximum": (3, 5)}
    for way in found.relaxations:
        eased = tuple(
            replace(rule, **{way.parameter: way.after}) if rule.name == way.element.rule else rule
            for rule in problem.rules
        )
        assert conflicts(replace(problem, rules=eased)) == ()
    for rule in problem.rules:
        assert conflicts(replace(problem, rules=(rule,))) == ()


def test_an_own_minimum_and_leave_conflict() -> None:
    problem = team(
        Agent("a", min_minutes=960), days=2, leave=(Leave("a", day(0), day(0)),),
    )  # fmt: skip
    [found] = conflicts(problem)
    assert kinds(found) == ["leave", "min_minutes"]
    ways = {way.element.kind: way for way in found.relaxations}
    assert (ways["min_minutes"].before, ways["min_minutes"].after) == (960, 480)
    assert ways["leave"].parameter == "drop"


def test_a_lock_on_a_day_of_leave_conflicts_with_it() -> None:
    problem = team(A, days=1, leave=(Leave("a", day(0), day(0)),), locks=(Lock("a", day(0), "D"),))
    [found] = conflicts(problem)
    assert kinds(found) == ["leave", "lock"]


def test_people_joined_by_a_rule_are_looked_at_together() -> None:
    # the newcomer is locked where the mentor may not be
    problem = team(
        A, B, days=1, rules=(Together(name="pair", agents=("a", "b")),),
        locks=(Lock("a", day(0), "D"), Lock("b", day(0), "N")),
    )  # fmt: skip
    [found] = conflicts(problem)
    assert found.agents == ("a", "b")
    assert kinds(found) == ["lock", "lock", "together"]


def test_where_all_rules_hold_together_there_is_no_conflict() -> None:
    problem = team(A, B, rules=(ROW, MinRest(name="rest", minutes=660)))
    assert conflicts(problem) == ()
    assert verify(
        problem, solve(problem, Params(seconds=None, effort=1.0)).roster or Roster()
    ).valid


def test_soft_rules_and_cover_are_never_in_a_conflict() -> None:
    problem = team(A, days=3, rules=(replace(ROW, weight=3),),
                   shift_cover=(ShiftCover(day(0), "D", 9),),
                   locks=tuple(Lock("a", day(i), "D") for i in range(3)))  # fmt: skip
    assert conflicts(problem) == ()
