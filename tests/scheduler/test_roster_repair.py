"""Repairs: what falls out, the fewest changes that mend it with their proof, what each asks."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.changes import Change
from scheduler.effects import Effects
from scheduler.moves import Move
from scheduler.problem import (
    Agent,
    Apart,
    ContractMinutes,
    Day,
    FairShare,
    Forbidden,
    IntervalCover,
    Leave,
    Lock,
    MaxConsecutive,
    MinRest,
    NamedDayRepeat,
    Post,
    Request,
    RosterProblem,
    Shift,
    ShiftCover,
)
from scheduler.problem.rules import HeldDay
from scheduler.repair import Repairs, Wanted, repair
from scheduler.solution import Roster
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
SHIFTS = (
    Shift("D", 480, 960),
    Shift("L", 840, 1320, unpopular=True),
    Shift("N", 1320, 1800, night=True),
)


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def team(*agents: Agent, days: int = 5, **more: Any) -> RosterProblem:
    return RosterProblem(
        agents=agents, days=tuple(Day(day(i)) for i in range(days)), shifts=SHIFTS, **more
    )


def plain(repairs: Repairs, number: int = 0) -> list[tuple[str, int, str | None, str | None]]:
    return [
        (one.agent, (one.day - MONDAY).days, one.before, one.after)
        for one in repairs.alternatives[number].changes
    ]


A, B, C = Agent("a"), Agent("b"), Agent("c")
ONE_A_DAY = tuple(ShiftCover(day(i), "D", 1, under_weight=100) for i in range(5))


def sick(problem: RosterProblem, agent: str, first: int, last: int) -> RosterProblem:
    return replace(problem, leave=(*problem.leave, Leave(agent, day(first), day(last), "sick")))


# -- what falls out and what takes its place -------------------------------------------------------


def test_somebody_falls_out_and_somebody_off_takes_the_shift() -> None:
    problem = team(A, B, shift_cover=ONE_A_DAY[:1], days=1)
    found = repair(sick(problem, "a", 0, 0), Roster({("a", day(0)): "D"}))
    assert found.forced == (Change("a", day(0), "D", None),)
    # one person missing from a shift that costs 100 a person
    assert found.opened == 100
    assert (found.fewest, found.proven, found.whole) == (1, True, True)
    assert plain(found) == [("b", 0, None, "D")]
    [best] = found.alternatives
    assert (best.restores, best.effect.change) == (True, -100)
    # eight hours more than published, on a day published as off; the contract has eight hours
    [toll] = best.tolls
    assert (toll.agent, toll.minutes, toll.balance) == ("b", 480, 0)
    assert toll.classes == (("rest_day", 480),)
    assert found.taken(0) == Roster({("b", day(0)): "D"})


def test_nothing_that_stands_is_touched_when_nothing_falls_out() -> None:
    problem = team(A, B, shift_cover=ONE_A_DAY)
    roster = Roster({("a", day(i)): "D" for i in range(5)})
    found = repair(problem, roster)
    assert (found.forced, found.opened, found.fewest, found.proven) == ((), 0, 0, True)
    assert found.alternatives == ()


def test_the_cheaper_of_two_comes_first_and_the_wish_it_bends_is_named() -> None:
    problem = team(
        A, B, C, shift_cover=ONE_A_DAY[:1], days=1, requests=(Request("b", day(0), False, 7),)
    )
    found = repair(sick(problem, "a", 0, 0), Roster({("a", day(0)): "D"}))
    assert [plain(found, n) for n in range(2)] == [[("c", 0, None, "D")], [("b", 0, None, "D")]]
    bent = found.alternatives[1].effect.bent
    assert [(b.kind, b.agent, b.cost) for b in bent] == [("request", "b", 7)]


def test_who_may_not_is_not_proposed() -> None:
    problem = team(
        A, B, C, shift_cover=ONE_A_DAY[:1], days=1, forbidden=(Forbidden("b", day(0), "D"),)
    )
    found = repair(sick(problem, "a", 0, 0), Roster({("a", day(0)): "D"}))
    assert [plain(found, n) for n in range(len(found.alternatives))] == [[("c", 0, None, "D")]]


def test_a_swap_is_found_where_no_single_change_will_do() -> None:
    # N needs x, which a and b have; b is on D, which c can do: b moves to N and c takes D
    people = Agent("a", skills=("x",)), Agent("b", skills=("x",)), Agent("c", shifts=("D",))
    problem = team(
        *people,
        days=1,
        shift_cover=(
            ShiftCover(day(0), "N", 1, under_weight=100, skill="x"),
            ShiftCover(day(0), "D", 1, under_weight=100),
        ),
    )
    roster = Roster({("a", day(0)): "N", ("b", day(0)): "D"})
    found = repair(sick(problem, "a", 0, 0), roster)
    assert (found.fewest, found.proven) == (2, True)
    assert plain(found) == [("b", 0, "D", "N"), ("c", 0, None, "D")]


def test_when_no_number_of_changes_will_do_that_is_proven() -> None:
    problem = team(A, B, shift_cover=ONE_A_DAY[:1], days=1)
    busy = sick(sick(problem, "a", 0, 0), "b", 0, 0)
    found = repair(busy, Roster({("a", day(0)): "D"}))
    assert (found.fewest, found.proven, found.alternatives) == (None, True, ())


def test_what_was_missing_before_need_not_be_restored() -> None:
    # two wanted, one was there; with a away one is enough to have what was published
    cover = (ShiftCover(day(0), "D", 2, under_weight=100),)
    problem = team(A, B, shift_cover=cover, days=1)
    found = repair(sick(problem, "a", 0, 0), Roster({("a", day(0)): "D"}))
    assert (found.opened, found.fewest) == (100, 1)
    assert found.alternatives[0].restores


def test_a_gap_filled_elsewhere_does_not_count_as_restored() -> None:
    # Tuesday was short already and could be filled; Monday, which falls out, cannot
    problem = team(A, B, shift_cover=ONE_A_DAY[:2], days=2, forbidden=(Forbidden("b", day(0)),))
    found = repair(sick(problem, "a", 0, 0), Roster({("a", day(0)): "D"}))
    assert (found.fewest, found.proven) == (None, True)
    assert not any(one.restores for one in found.alternatives)


def test_a_rule_added_is_kept_with_the_fewest_changes() -> None:
    problem = team(
        A, B, shift_cover=ONE_A_DAY, rules=(MaxConsecutive(name="row", days=3),)
    )  # fmt: skip
    roster = Roster({("a", day(i)): "D" for i in range(5)})
    found = repair(problem, roster, Wanted(most=3))
    # of Monday to Friday one day in the middle must go to b: then runs of two and two, or three
    assert [b.rule for b in found.violations] == ["row"]
    assert (found.fewest, found.proven) == (2, True)
    best = found.alternatives[0]
    assert best.restores
    assert verify(problem, found.taken(0)).valid
    assert {one.agent for one in best.changes} == {"a", "b"}
    assert {one.day for one in best.changes} <= {day(1), day(2), day(3)}


def test_new_demand_is_filled_where_it_pays() -> None:
    problem = team(A, B, shift_cover=(*ONE_A_DAY[:1], ShiftCover(day(0), "N", 1)), days=1)
    found = repair(problem, Roster({("a", day(0)): "D"}))
    assert (found.fewest, found.opened) == (0, 0)
    assert plain(found) == [("b", 0, None, "N")]


def test_a_lock_against_what_was_published_is_a_forced_change() -> None:
    problem = team(A, B, shift_cover=ONE_A_DAY[:1], days=1, locks=(Lock("a", day(0), "N"),))
    found = repair(problem, Roster({("a", day(0)): "D"}))
    assert found.forced == (Change("a", day(0), "D", "N"),)
    assert plain(found) == [("b", 0, None, "D")]
    assert verify(problem, found.taken(0)).valid


def test_a_post_goes_to_another_holder() -> None:
    problem = team(A, B, days=1, posts=(Post("lead", (day(0),), weight=50),))
    roster = Roster({}, {("lead", day(0)): ("a",)})
    found = repair(sick(problem, "a", 0, 0), roster)
    assert found.forced == (Change("a", day(0), "lead", None, "lead"),)
    assert (found.opened, found.fewest) == (50, 1)
    assert found.alternatives[0].changes == (Change("b", day(0), None, "lead", "lead"),)
    assert found.taken(0).posts == {("lead", day(0)): ("b",)}


def test_several_days_of_one_absence_are_repaired_together() -> None:
    problem = team(A, B, C, shift_cover=ONE_A_DAY, rules=(MaxConsecutive(name="row", days=3),))
    roster = Roster({("a", day(i)): "D" for i in range(3)} | {("b", day(3)): "D"})
    found = repair(sick(problem, "a", 0, 2), roster)
    # each of three days needs somebody: three changes, and not b on all (four in a row with day 3)
    assert (found.fewest, found.proven, found.opened) == (3, True, 300)
    assert all(one.restores for one in found.alternatives[:2])
    assert plain(found, 0) != plain(found, 1)


def test_what_was_published_broken_and_accepted_need_not_be_mended() -> None:
    rules = (MaxConsecutive(name="row", days=2),)
    problem = team(A, B, C, days=4, shift_cover=ONE_A_DAY[:4], rules=rules)
    cells = {("a", day(i)): "D" for i in range(3)} | {("b", day(3)): "D"}
    now = sick(problem, "b", 3, 3)
    # a's three days in a row were published: two changes mend them, one more fills b's day
    strict = repair(now, Roster(cells))
    assert (strict.fewest, [b.rule for b in strict.violations]) == (3, ["row"])
    found = repair(now, Roster(cells), Wanted(accepted=frozenset({("row", "a")})))
    assert (found.fewest, found.proven, found.violations) == (1, True, ())
    # a would have four in a row, which is worse than what was accepted
    assert plain(found) == [("c", 3, None, "D")]
    assert all(one.changes[0].agent == "c" for one in found.alternatives)


# -- the proof against everything there is ---------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6))
def test_the_fewest_changes_are_those_of_a_search_through_all(seed: int) -> None:
    rng = random.Random(seed)
    problem = team(
        A,
        Agent("b", skills=("x",)),
        days=3,
        shift_cover=tuple(
            ShiftCover(day(d), rng.choice("DN"), 1, under_weight=rng.randint(1, 9))
            for d in range(3)
        ),
        rules=(MinRest(name="rest", minutes=660), MaxConsecutive(name="row", days=2)),
    )
    choices = (None, "D", "N")
    cells = [(agent, day(d)) for agent in "ab" for d in range(3)]
    drawn = dict(zip(cells, rng.choices(choices, k=6), strict=True))
    published = Roster({cell: s for cell, s in drawn.items() if s is not None})
    if not verify(problem, published).valid:
        return
    now = sick(problem, "a", 0, 0)
    found = repair(now, published, Wanted(most=6, seconds=20))
    left = found.roster
    kinds = ("D", "N")
    reached = {(d, s): _there(published, d, s) for d in range(3) for s in kinds}
    wanted = {(cover.date, cover.shift) for cover in problem.shift_cover}
    fewest = None
    for line in itertools.product(choices, repeat=6):
        then = Roster({c: s for c, s in zip(cells, line, strict=True) if s is not None})
        if not verify(now, then).valid:
            continue
        kept = all(
            (day(d), s) not in wanted or _there(then, d, s) >= min(1, n)
            for (d, s), n in reached.items()
        )
        changes = sum(then.shift(*cell) != left.shift(*cell) for cell in cells)
        if kept and (fewest is None or changes < fewest):
            fewest = changes
    assert found.proven
    assert (found.fewest or 0) == (fewest or 0)
    assert (found.fewest is None) == (fewest is None)


def _there(roster: Roster, d: int, s: str) -> int:
    return sum(held == s for (_, on), held in roster.cells.items() if on == day(d))


# -- effects are the judge's ---------------------------------------------------------------------


def rich(rng: random.Random) -> RosterProblem:
    """A problem with every part whose cost a move can change."""
    people = [
        Agent(f"p{i}", skills=rng.choice([("x",), ("y",), ("x", "y")]), day_minutes=480)
        for i in range(5)
    ]
    days = tuple(Day(day(i), name="n" if i == 2 else "", burden=i) for i in range(6))
    return RosterProblem(
        agents=tuple(people),
        days=days,
        shifts=SHIFTS,
        shift_cover=tuple(
            ShiftCover(day(i), s, rng.randint(0, 2), over_weight=3, exclusive=rng.random() < 0.5)
            for i in range(6)
            for s in "DN"
        ),
        interval_cover=tuple(
            IntervalCover(
                day(i), start, start + 120, 1, under_weight=4, over_weight=1, skill=skill,
                exclusive=rng.random() < 0.7,
            )
            for i in range(6)
            for start in (60, 540, 1380)
            for skill in ("x", "y")
            if start + 120 <= 1440
        ),
        posts=(Post("lead", (day(1), day(2)), weight=20, shifts=("D",)),),
        rules=(
            MinRest(name="rest", minutes=660),
            MaxConsecutive(name="row", days=3, weight=5),
            ContractMinutes(name="contract", tolerance=480, weight=2),
            FairShare(name="nights", measure="nights", weight=3),
            FairShare(name="burden", measure="burden", weight=1, how="squares"),
            Apart(name="apart", agents=("p0", "p1")),
            NamedDayRepeat(name="again", weight=4, held=(HeldDay("p2", "n"),)),
        ),
        requests=(Request("p3", day(3), True, 6),),
        leave=(Leave("p4", day(5), day(5)),),
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_an_effect_is_the_difference_of_two_verdicts(seed: int) -> None:
    rng = random.Random(seed)
    problem = rich(rng)
    cells = {
        (agent.id, d.date): rng.choice("DLN")
        for agent in problem.agents
        for d in problem.days
        if rng.random() < 0.5
    }
    roster = Roster(cells, {("lead", day(1)): ("p0",)})
    effects, before = Effects(problem, roster), verify(problem, roster)
    for _ in range(4):
        changed: dict[tuple[str, date], str | None] = {
            (rng.choice(problem.agents).id, rng.choice(problem.days).date): rng.choice(
                [None, "D", "L", "N"]
            )
            for _ in range(rng.randint(1, 3))
        }
        posts = {("lead", day(2)): (rng.choice(problem.agents).id,)} if rng.random() < 0.4 else {}
        move = Move(changed, posts)
        after = verify(problem, move.on(roster))
        effect = effects.of(move)
        assert effect.change == after.cost - before.cost
        assert sum(change for _, change in effect.terms) == effect.change
        amount = sum(b.amount for b in after.violations) - sum(b.amount for b in before.violations)
        if amount > 0:
            assert effect.broken
        if not effect.broken and not effect.mended:
            assert amount == 0


def test_people_alike_are_counted_once_and_rightly() -> None:
    rng = random.Random(5)
    problem = rich(rng)
    roster = Roster({("p0", day(0)): "D", ("p1", day(1)): "N"})
    effects, before = Effects(problem, roster), verify(problem, roster)
    kinds = ("shift_cover_under", "shift_cover_over", "interval_cover_under",
             "interval_cover_over")  # fmt: skip

    def cover(verdict: Any) -> int:
        return sum(b.cost for b in verdict.costs if b.kind in kinds)

    for a, agent in enumerate(problem.agents):
        for d in range(6):
            for s, shift in enumerate(SHIFTS):
                move = Move.of({(agent.id, day(d)): shift.id})
                then = verify(problem, move.on(roster))
                assert effects.cover_change(a, d, s) == cover(then) - cover(before)


@pytest.mark.parametrize("seconds", [0.01, 0.2])
def test_time_that_is_too_short_claims_nothing(seconds: float) -> None:
    problem = team(A, B, shift_cover=ONE_A_DAY)
    roster = Roster({("a", day(i)): "D" for i in range(5)})
    found = repair(sick(problem, "a", 0, 4), roster, Wanted(seconds=seconds))
    assert found.fewest in (None, 5)
    if found.fewest is None:
        assert not found.proven
