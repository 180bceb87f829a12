"""Swaps: who may take a place over or trade it, at what cost, and what stands against it."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.duty import assign
from scheduler.duty_swap import changed, choices, new_faults, places_of
from scheduler.duty_table import DutyProblem, Place, faults_of_table
from scheduler.ledger import LedgerEntry
from scheduler.problem.parts import Agent, Day, Leave, Post

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
DAYS = (
    Day(FIRST, "statutory_holiday", "10月1日", 6),
    Day(SECOND, "statutory_holiday", "10月2日", 5),
)
ONE, TWO = Place(FIRST, "lead"), Place(SECOND, "lead")


def problem(agents: str = "ABC", **more) -> DutyProblem:
    people = more.pop("people", tuple(Agent(name) for name in agents))
    posts = more.pop("posts", (Post("lead", (FIRST, SECOND)),))
    return DutyProblem(people, DAYS, posts, **more)


def test_a_place_is_taken_over_or_traded_at_a_cost():
    # A has the 1st (6, a heavy one), B the 2nd (5), C nothing.
    # C takes it over: A −36 − 20, C +36 + 20: level. A and B trade: A 6 → 5 and no heavy place,
    # B 5 → 6 and one: level. B takes it over: A −56, B 11² + 20 − 5² = 116: 60 more
    table = {ONE: ("A",), TWO: ("B",)}
    found = choices(problem(), table, ONE, "A")
    assert [(c.agent, c.trade, c.cost) for c in found] == [
        ("B", TWO, 0), ("C", None, 0), ("B", None, 60),
    ]  # fmt: skip


def test_who_may_not_hold_it_is_not_offered():
    table = {ONE: ("A",), TWO: ("B",)}
    away = choices(problem(leave=(Leave("C", FIRST, FIRST),)), table, ONE, "A")
    assert {c.agent for c in away} == {"B"}
    # A is away on the 2nd, so cannot take B's place in return
    giving = choices(problem(leave=(Leave("A", SECOND, SECOND),)), table, ONE, "A")
    assert [(c.agent, c.trade) for c in giving] == [("C", None), ("B", None)]
    # one day each: B may only trade
    tight = choices(problem(most_days=1), table, ONE, "A")
    assert [(c.agent, c.trade) for c in tight] == [("B", TWO), ("C", None)]
    # whoever has another post that day is not free
    posts = (Post("lead", (FIRST,)), Post("deputy", (FIRST,)))
    both = {ONE: ("A",), Place(FIRST, "deputy"): ("B",)}
    assert [c.agent for c in choices(problem(posts=posts), both, ONE, "A")] == ["C"]


def test_the_same_named_day_last_year_is_told_and_comes_last():
    past = (LedgerEntry("C", date(2025, 10, 1), "10月1日", 0),)
    found = choices(problem("AC", ledger=past, people=tuple(map(Agent, "ABC"))), {ONE: ("A",)},
                    ONE, "A")  # fmt: skip
    assert [(c.agent, c.repeats) for c in found] == [("B", False), ("C", True)]


def test_an_empty_place_is_filled():
    found = choices(problem(), {TWO: ("A",)}, ONE, None)
    # A has 5: 11² + 20 − 25 = 116; B and C 36 + 20
    assert [(c.agent, c.trade, c.cost) for c in found] == [
        ("B", None, 56), ("C", None, 56), ("A", None, 116),
    ]  # fmt: skip


def test_a_change_is_judged_by_the_same_rules():
    one = problem(leave=(Leave("C", FIRST, FIRST),))
    table = {ONE: ("A",), TWO: ("B",)}
    assert new_faults(one, table, changed(table, ONE, "A", "B", TWO)) == ()
    (fault,) = new_faults(one, table, changed(table, ONE, "A", "C"))
    assert fault == "'C' cannot hold 'lead' on 2026-10-01: leave"
    # a fault that was there before does not stop another change
    broken = {ONE: ("C",), TWO: ("B",)}
    assert new_faults(one, broken, changed(broken, TWO, "B", "A")) == ()
    # nothing changes on a day that has begun
    (fault,) = new_faults(one, table, changed(table, ONE, "A", "B", TWO), [FIRST])
    assert "2026-10-01 has begun" in fault
    assert new_faults(one, table, changed(table, TWO, "B", "C"), [FIRST]) == ()


def test_a_place_can_be_left_empty():
    assert changed({ONE: ("A",)}, ONE, "A", None) == {ONE: ()}
    assert changed({}, ONE, None, "A") == {ONE: ("A",)}


@given(st.integers(2, 5), st.integers(1, 2), st.integers(1, 2), st.data())
@settings(max_examples=25, deadline=None)
def test_every_choice_keeps_the_rules_and_can_be_undone(people, count, most_days, data):
    past = tuple(
        LedgerEntry(f"A{n}", date(2025, 10, data.draw(st.integers(1, 2))), "10月1日", n)
        for n in range(people)
    )
    one = problem(
        people=tuple(Agent(f"A{n}") for n in range(people)), ledger=past, most_days=most_days,
        posts=(Post("lead", (FIRST, SECOND), count=count),),
    )  # fmt: skip
    table = dict.fromkeys(one.places, ())
    for fill in assign(one).fills:
        table[fill.place] += (fill.agent,)

    def cost(of):
        held = places_of(of)
        return sum(one.agent_cost(agent, held.get(agent, ())) for agent in one.agent)

    for place, holders in table.items():
        for holder in holders:
            for choice in choices(one, table, place, holder):
                after = changed(table, place, holder, choice.agent, choice.trade)
                assert faults_of_table(one, after) == ()
                assert cost(after) - cost(table) == choice.cost
                back = changed(after, place, choice.agent, holder, choice.trade)
                assert back == table
