"""Where a rule just holds, just breaks, and which days and figures the judge names.

One person, A, from Monday 2026-03-02. Shifts: D 08–16, E 14–22, N 22–06.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduler.problem import (
    Agent,
    Day,
    ForbiddenSuccession,
    MaxConsecutive,
    MinConsecutive,
    MinRest,
    PastDuty,
    Post,
    PostLock,
    RestAfter,
    RestDays,
    RosterProblem,
    Rule,
    Shift,
    StartChange,
)
from scheduler.solution import Roster
from scheduler.verify import Breach, verify

MONDAY = date(2026, 3, 2)
SHIFTS = (Shift("D", 480, 960), Shift("E", 840, 1320), Shift("N", 1320, 1800, night=True))


def broken(rule: Rule, line: str, before: str = "") -> list[Breach]:
    """What the judge finds in A's line; `before` is the line just before the first day."""
    first = MONDAY - timedelta(days=len(before))
    duties = [(first + timedelta(days=n), s) for n, s in enumerate(before + line) if s != "-"]
    problem = RosterProblem(
        agents=(Agent("A"),),
        days=tuple(Day(MONDAY + timedelta(days=n)) for n in range(len(line))),
        shifts=SHIFTS,
        rules=(rule,),
        history=tuple(PastDuty("A", day, s) for day, s in duties if day < MONDAY),
        history_days=len(before),
    )
    held = {("A", day): s for day, s in duties if day >= MONDAY}
    return list(verify(problem, Roster(held)).violations)


def days(breach: Breach) -> list[int]:
    return [(day - MONDAY).days for day in breach.days]


def test_a_rest_of_just_the_limit_is_enough_and_its_length_is_told() -> None:
    # E ends at 22:00, D begins at 08:00: ten hours
    assert not broken(MinRest(name="rest", minutes=600), "ED")
    [found] = broken(MinRest(name="rest", minutes=601), "ED")
    assert (days(found), found.facts) == ([0, 1], {"rest_minutes": 600, "limit": 601})


def test_a_succession_counts_from_the_day_before_the_first() -> None:
    rule = ForbiddenSuccession(name="never D after N", first=("N",), then=("D",))
    [inside] = broken(rule, "-ND-")
    assert (days(inside), inside.facts) == ([1, 2], {"shift": "N", "then": "D"})
    [carried] = broken(rule, "D", before="N")
    assert days(carried) == [-1, 0]
    assert not broken(rule, "E", before="ND")  # what is past cannot be mended


@pytest.mark.parametrize("rule", [
    ForbiddenSuccession(name="nothing after N", first=("N",), then=()),
    ForbiddenSuccession(name="D after nothing", first=(), then=("D",)),
])  # fmt: skip
def test_a_succession_without_shifts_forbids_nothing(rule: ForbiddenSuccession) -> None:
    assert not broken(rule, "NDEN")


def test_a_start_may_change_by_just_the_limit() -> None:
    # D 08:00, E 14:00: 360 minutes
    assert not broken(StartChange(name="s", earlier_by=360, later_by=360), "DED")
    later, earlier = broken(StartChange(name="s", earlier_by=358, later_by=359), "DED")
    assert (days(later), later.facts) == ([0, 1], {"change_minutes": 360, "limit": 359})
    assert (days(earlier), earlier.facts) == ([1, 2], {"change_minutes": -360, "limit": 358})


def test_a_run_that_is_too_long_is_named_whole() -> None:
    [found] = broken(MaxConsecutive(name="run", days=2), "-DDDD-")
    assert (found.amount, days(found), found.facts) == (2, [1, 2, 3, 4], {"days": 4, "limit": 2})


def test_of_a_run_carried_in_only_the_days_of_this_roster_count() -> None:
    # four days before: the limit of three was passed then; each further day is one too many
    assert [
        one.amount for one in broken(MaxConsecutive(name="run", days=3), "DD-", before="DDDD")
    ] == [2]
    # two before, so the second day here is the fourth
    assert [
        one.amount for one in broken(MaxConsecutive(name="run", days=3), "DD-", before="DD")
    ] == [1]


def test_a_run_that_is_too_short_is_named_unless_it_may_go_on_beyond_an_edge() -> None:
    rule = MinConsecutive(name="run", days=3)
    [found] = broken(rule, "-DD-")
    assert (found.amount, days(found), found.facts) == (1, [1, 2], {"days": 2, "limit": 3})
    assert not broken(rule, "-DD")
    assert not broken(rule, "D--")
    assert [days(one) for one in broken(rule, "---", before="-D")] == [[-1]]
    assert not broken(rule, "---", before="-D-")  # it had ended before


def test_rest_days_count_in_whole_weeks_only() -> None:
    # from Monday: seven days worked; the eighth begins a week of which one day is known
    assert len(broken(RestDays(name="week", days=1, rolling=False), "DDDDDDDD")) == 1
    assert not broken(RestDays(name="week", days=1, rolling=False), "DDDDDD")


def test_rest_after_nights_begins_the_day_after_them() -> None:
    rule = RestAfter(name="off after nights", shifts=("N",), days_off=2, run=2)
    [found] = broken(rule, "NND--D")
    assert (days(found), found.amount) == ([2], 1)
    assert [days(one) for one in broken(rule, "D-D", before="NN")] == [[0]]
    assert not broken(rule, "ND--")  # one night is no run of two


def test_a_post_locked_to_somebody_who_does_not_hold_it_is_broken() -> None:
    problem = RosterProblem(
        agents=(Agent("A"),),
        days=(Day(MONDAY),),
        shifts=SHIFTS,
        posts=(Post("lead", (MONDAY,)),),
        post_locks=(PostLock("lead", MONDAY, "A"),),
    )
    [found] = verify(problem, Roster({})).violations
    assert (found.kind, found.agent, days(found)) == ("lock", "A", [0])
    assert verify(problem, Roster({}, {("lead", MONDAY): ("A",)})).valid
