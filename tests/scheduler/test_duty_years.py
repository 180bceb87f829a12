"""Duty tables over the years: heavy days shared, the rotation, people per day, who is excluded."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.duty import DutyTable, assign
from scheduler.duty_table import DutyProblem, Excluded, Place, faults_of_table
from scheduler.errors import SchedulingError
from scheduler.ledger import LedgerEntry, burden_of, spread
from scheduler.problem.parts import Agent, Day, Leave, Post, Request

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
LONG_AGO = date(2023, 2, 1)
NAMES = ("除夕", "初一", "初二", "初三")


def days(*burdens: int, first: date = FIRST) -> tuple[Day, ...]:
    """Days with burdens, without a name in common with any other year."""
    return tuple(
        Day(first + timedelta(days=n), "statutory_holiday", f"{first} {n}", burden)
        for n, burden in enumerate(burdens)
    )


def problem(agents: str, on: tuple[Day, ...], **more) -> DutyProblem:
    posts = more.pop("posts", (Post("lead", tuple(day.date for day in on)),))
    return DutyProblem(tuple(Agent(name) for name in agents), on, posts, **more)


def lead(table: DutyTable) -> list[str]:
    return [fill.agent for fill in table.fills]


# the days people mind most


def test_heavy_places_are_shared_as_well_as_burdens():
    # A and B have borne 10 each: A one heavy day of 10, B two light ones of 5. A day of 6 costs
    # either 16² − 10² = 156, and in heavy places A 20 × (2² − 1²) = 60, B 20 × (1² − 0²) = 20
    past = (
        LedgerEntry("A", LONG_AGO, "除夕", 10),
        LedgerEntry("B", LONG_AGO, "初四", 5),
        LedgerEntry("B", LONG_AGO + timedelta(days=1), "初五", 5),
    )
    assert lead(assign(problem("AB", days(6), ledger=past))) == ["B"]
    # a light day (5) is no heavy one: level, and it is A's turn by name
    assert lead(assign(problem("AB", days(5), ledger=past))) == ["A"]
    # with no weight on heavy places the same
    assert lead(assign(problem("AB", days(6), ledger=past, heavy_weight=0))) == ["A"]


def test_what_makes_a_heavy_place_is_its_share_of_the_day():
    on = days(10)
    posts = (Post("lead", (FIRST,)), Post("standby", (FIRST,), burden_percent=50))
    one = problem("AB", on, posts=posts)
    assert [one.is_heavy(place) for place in one.places] == [True, False]  # 10 and 5; from 6 on
    assert [problem("A", on, posts=posts, heavy_from=5).is_heavy(p) for p in one.places] == [
        True,
        True,
    ]


# the rotation


def test_the_rotation_goes_on_where_the_last_table_stopped():
    # all have borne 5; A, then B had the last table's posts: C and D come first, then A
    past = tuple(
        LedgerEntry(agent, LONG_AGO + timedelta(days=n), f"day {n}", 5, post)
        for n, (agent, post) in enumerate(
            [("C", "lead"), ("D", "lead"), ("A", "lead"), ("B", "lead")]
        )
    )
    assert lead(assign(problem("ABCD", days(5, 5, 5), ledger=past, most_days=1))) == ["C", "D", "A"]
    # nobody has ever had a post: by name
    assert lead(assign(problem("ABCD", days(5, 5, 5), most_days=1))) == ["A", "B", "C"]
    # an ordinary shift on a named day is no place in the rotation
    shift = (LedgerEntry("A", LONG_AGO, "day", 0),)
    assert lead(assign(problem("ABCD", days(5), ledger=shift))) == ["A"]
    post = (LedgerEntry("A", LONG_AGO, "day", 0, "lead"),)
    assert lead(assign(problem("ABCD", days(5), ledger=post))) == ["B"]


def test_burdens_come_before_the_rotation():
    past = (
        LedgerEntry("A", LONG_AGO, "day", 6, "lead"),
        LedgerEntry("B", LONG_AGO + timedelta(days=9), "other", 5, "lead"),
    )
    assert lead(assign(problem("AB", days(5), ledger=past))) == ["B"]


def test_table_after_table_everybody_has_a_turn():
    # five people, two days of 5 a table: in five tables everybody has had two
    ledger: list[LedgerEntry] = []
    order = []
    for table in range(5):
        on = days(5, 5, first=FIRST + timedelta(days=30 * table))
        made = assign(problem("ABCDE", on, ledger=tuple(ledger), most_days=1))
        order += lead(made)
        ledger += made.entries
    assert order == list("ABCDE") * 2


# people per day


def test_a_day_may_want_more_people_or_none():
    on = days(6, 5)
    posts = (Post("lead", (FIRST, SECOND)),)
    wanted = {Place(FIRST, "lead"): 2, Place(SECOND, "lead"): 0}
    table = assign(problem("ABC", on, posts=posts, wanted=wanted))
    assert [(f.place.date, f.agent) for f in table.fills] == [(FIRST, "A"), (FIRST, "B")]
    assert table.gaps == ()
    (gap,) = assign(problem("A", on, posts=posts, wanted=wanted)).gaps
    assert (gap.place.date, gap.missing) == (FIRST, 1)
    one = problem("ABC", on, posts=posts, wanted=wanted)
    assert "too many" in faults_of_table(one, {Place(FIRST, "lead"): ("A", "B", "C")})[0]
    assert "no post" in faults_of_table(one, {Place(SECOND, "lead"): ("A",)})[0]


def test_people_wanted_where_there_is_no_post_are_a_fault():
    with pytest.raises(SchedulingError, match=r"no post .lead.*\n.*fewer than 0.*\n.*heavy"):
        problem("A", days(6), wanted={Place(SECOND, "lead"): 1, Place(FIRST, "lead"): -1},
                heavy_weight=-1)  # fmt: skip


def test_somebody_excluded_from_one_post_may_hold_another():
    posts = (Post("lead", (FIRST,)), Post("standby", (FIRST,), burden_percent=50))
    home = (Excluded("A", "lead", FIRST, FIRST, "home"),)
    table = assign(problem("A", days(6), posts=posts, excluded=home))
    assert [(fill.place.post, fill.agent) for fill in table.fills] == [("standby", "A")]
    (gap,) = table.gaps
    assert gap.barred == (("home", 1),)
    assert "works from home only 1" in gap.text("en")
    assert "仅可居家办公 1" in gap.text("zh")
    later = (Excluded("A", "lead", SECOND, SECOND, "home"),)
    assert lead(assign(problem("A", days(6), excluded=later))) == ["A"]
    with pytest.raises(SchedulingError, match="excluded: there is no agent 'Z'"):
        problem("A", days(6), excluded=(Excluded("Z", "lead", FIRST, FIRST),))


# wishes over what is even


def test_wishes_are_met_by_weight_where_people_are_level():
    # two people, two days of 5: A would rather not have the first (20), B neither (60):
    # B has the second, A the first: 20 unmet; the other way round 60
    on = days(5, 5)
    wishes = (Request("A", FIRST, False, 20), Request("B", FIRST, False, 60))
    table = assign(problem("AB", on, requests=wishes, most_days=1))
    assert lead(table) == ["A", "B"]
    assert table.wish_cost == 20
    # and a wish to work is one as well
    wants = (Request("B", FIRST, True, 20),)
    assert lead(assign(problem("AB", on, requests=wants, most_days=1))) == ["B", "A"]


# over the years


def spring(year: int, posts: int) -> tuple[tuple[Day, ...], tuple[Post, ...]]:
    first = date(year, 2, 1)
    on = tuple(
        Day(first + timedelta(days=n), "statutory_holiday", name, burden_of(name))
        for n, name in enumerate(NAMES)
    )
    dates = tuple(day.date for day in on)
    return on, tuple(Post(f"p{n}", dates) for n in range(posts))


def test_two_people_take_turns_on_new_years_eve():
    # 除夕 10 and 初一 10 and two people: each year they swap the two days
    ledger: list[LedgerEntry] = []
    held = []
    for year in range(2026, 2030):
        on, posts = spring(year, 1)
        on = on[:2]
        posts = (Post("p0", tuple(day.date for day in on)),)
        people = (Agent("A"), Agent("B"))
        table = assign(DutyProblem(people, on, posts, tuple(ledger), most_days=1))
        held.append(lead(table))
        ledger += table.entries
    assert held == [["A", "B"], ["B", "A"], ["A", "B"], ["B", "A"]]


@st.composite
def desks(draw):
    people = draw(st.integers(6, 8))
    posts = draw(st.integers(1, 2))
    past = draw(st.lists(st.integers(0, 30), min_size=people, max_size=people))
    on_leave = draw(st.sets(st.integers(0, people - 1), max_size=1))
    return people, posts, past, on_leave


@given(desks())
@settings(max_examples=15, deadline=None)
def test_year_after_year_burdens_draw_together_and_nobody_has_the_same_day_twice(desk):
    people, posts, past, on_leave = desk
    agents = tuple(Agent(f"A{n}") for n in range(people))
    ledger = [LedgerEntry(f"A{n}", LONG_AGO, "元旦", borne) for n, borne in enumerate(past)]
    spreads = [max(past) - min(past)]
    for year in range(2026, 2031):
        on, wanted = spring(year, posts)
        # somebody is away in the first year only
        away = tuple(
            Leave(f"A{n}", on[0].date, on[-1].date) for n in on_leave if year == 2026
        )  # fmt: skip
        one = DutyProblem(agents, on, wanted, tuple(ledger), leave=away)
        table = assign(one)
        assert table.gaps == ()
        assert_nobody_could_be_spared(one, table)
        ledger += table.entries
        spreads.append(spread(table.ledger, "after"))
    # never further apart than they were, or than what one person can have in one table (two days
    # of 10), but for the year in which somebody was away, who fell behind by as much at most
    assert spreads[1] <= max(spreads[0], 20) + (20 if on_leave else 0)
    assert all(later <= max(earlier, 20) for earlier, later in pairwise(spreads[1:]))
    # and in the end within that
    assert spreads[-1] <= 20


def assert_nobody_could_be_spared(one: DutyProblem, table: DutyTable) -> None:
    """For every repeat: nobody else could have had that day instead of another of theirs."""
    if not table.repeats:
        return
    holders = [fill.agent for fill in table.fills]
    places = [fill.place for fill in table.fills]
    for number, fill in enumerate(table.fills):
        if not fill.repeats:
            continue
        busy = Counter(holders)
        for other in one.agent:
            free = busy[other] < one.most_days and not any(
                agent == other and place.date == fill.place.date
                for agent, place in zip(holders, places, strict=True)
            )
            spared = free and not one.barred(other, fill.place)
            assert not (spared and not one.repeats(other, fill.place)), (number, fill)


def test_a_repeat_is_left_only_where_no_arrangement_avoids_it():
    # three people, three named days, one each; last year A had 除夕, B 初一, C 初二. Of the six
    # arrangements, two repeat nothing
    on, posts = spring(2026, 1)
    on, posts = on[:3], (Post("p0", tuple(day.date for day in on[:3])),)
    last = tuple(
        LedgerEntry(agent, day.date.replace(year=2025), day.name, day.burden, "p0")
        for agent, day in zip("ABC", on, strict=True)
    )
    one = DutyProblem(tuple(map(Agent, "ABC")), on, posts, last, most_days=1)
    table = assign(one)
    fine = [
        arranged
        for arranged in permutations("ABC")
        if not any(one.repeats(a, p) for a, p in zip(arranged, one.places, strict=True))
    ]
    assert fine == [("B", "C", "A"), ("C", "A", "B")]
    assert tuple(lead(table)) in fine
