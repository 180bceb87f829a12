"""What people are, can and want, counted by hand and kept by the model.

From Monday 2026-03-02, two days. D 08–16, N 22–06 (night), S standby 08–16, R remote 08–16.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from scheduler.errors import SchedulingError
from scheduler.problem import (
    Agent,
    Availability,
    Day,
    Forbidden,
    IntervalCover,
    Leave,
    Lock,
    Pin,
    Post,
    Preference,
    Qualification,
    Restriction,
    RosterProblem,
    Shift,
    ShiftCover,
)
from scheduler.result import Params
from scheduler.solution import Roster
from scheduler.solve import solve
from scheduler.verify import verify

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
SUNDAY = MONDAY - timedelta(days=1)
SHIFTS = (
    Shift("D", 480, 960),
    Shift("N", 1320, 1800, night=True),
    Shift("S", 480, 960, mode="standby", reach_minutes=60),
    Shift("R", 480, 960, mode="remote"),
)
QUICK = Params(seconds=None, effort=20.0)


def desk(*agents: Agent, **parts: Any) -> RosterProblem:
    given: dict[str, Any] = {
        "agents": agents,
        "days": (Day(MONDAY), Day(TUESDAY)),
        "shifts": SHIFTS,
    }
    return RosterProblem(**{**given, **parts})


def wanted(shift: str, day: date = MONDAY) -> ShiftCover:
    """One person on the shift, at 100."""
    return ShiftCover(day, shift, 1, under_weight=100)


def on(shift: str, *agents: str, day: date = MONDAY) -> Roster:
    return Roster({(agent, day): shift for agent in agents})


def best(problem: RosterProblem) -> int:
    """The proven least cost; the solved roster must be judged valid."""
    result = solve(problem, QUICK)
    assert (result.status, result.violations) == ("optimal", ())
    return result.cost or 0


EVER = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("fields", "shift", "kind"),
    [
        ({"declines": ("nights",)}, "N", "no_nights"),
        ({"declines": ("standby",)}, "S", "no_standby"),
        ({"declines": ("overtime",), "day_minutes": 420}, "D", "no_overtime"),
        ({"restrictions": (Restriction("no_standby", *EVER),)}, "S", "no_standby"),
        ({"restrictions": (Restriction("remote_only", *EVER),)}, "D", "remote_only"),
        # D is 480 minutes from start to end without a break
        ({"restrictions": (Restriction("short_days", *EVER, minutes=479),)}, "D", "short_days"),
        ({"reach_minutes": 61}, "S", "reach"),
        ({"availability": (Availability((2, 3, 4)),)}, "D", "availability"),
        ({"availability": (Availability(start=540),)}, "D", "availability"),
        ({"availability": (Availability(end=1440),)}, "N", "availability"),
        ({"availability": (Availability(last=SUNDAY),)}, "D", "availability"),
    ],
)
def test_what_keeps_a_person_from_a_shift(fields: dict[str, Any], shift: str, kind: str) -> None:
    problem = desk(Agent("a", **fields), shift_cover=(wanted(shift),))
    assert [b.kind for b in verify(problem, on(shift, "a")).violations][:1] == [kind]
    assert best(problem) == 100
    assert best(desk(Agent("a"), shift_cover=(wanted(shift),))) == 0


@pytest.mark.parametrize(
    ("fields", "shift"),
    [
        ({"declines": ("nights", "standby", "overtime")}, "D"),
        ({"restrictions": (Restriction("remote_only", *EVER),)}, "R"),
        ({"restrictions": (Restriction("short_days", *EVER, minutes=480),)}, "D"),
        ({"restrictions": (Restriction("short_days", EVER[0], SUNDAY, minutes=1),)}, "D"),
        ({"reach_minutes": 60}, "S"),
        ({"reach_minutes": 61}, "D"),
        ({"availability": (Availability((2,)), Availability((1,), 480, 960))}, "D"),
        ({"availability": (Availability((1,), end=1800),)}, "N"),
    ],
)
def test_what_does_not_keep_a_person_from_a_shift(fields: dict[str, Any], shift: str) -> None:
    problem = desk(Agent("a", **fields), shift_cover=(wanted(shift),))
    assert verify(problem, on(shift, "a")).valid
    assert best(problem) == 0


def test_overtime_not_consented_to_is_counted_over_all_days() -> None:
    # contract 2 × 480; N on Monday and a day of 600 minutes: 1080, 120 beyond: 2 hours begun
    shifts = (*SHIFTS, Shift("L", 480, 1080, minutes=480), Shift("X", 480, 960, minutes=490))
    problem = desk(Agent("a", declines=("overtime",)), shifts=shifts)
    assert verify(problem, on("L", "a")).valid
    assert [b.kind for b in verify(problem, on("X", "a")).violations] == ["no_overtime"]


# -- skills with levels and dates ------------------------------------------------------------------


def test_a_qualification_ends_with_its_last_day() -> None:
    licence = Qualification("licence", last=MONDAY)
    shifts = (Shift("D", 480, 960, skills=("licence",)),)
    covers = (wanted("D"), wanted("D", TUESDAY))
    problem = desk(Agent("a", qualifications=(licence,)), shifts=shifts, shift_cover=covers)
    assert verify(problem, on("D", "a")).valid
    late = verify(problem, on("D", "a", day=TUESDAY))
    assert [b.kind for b in late.violations] == ["skill"]
    assert best(problem) == 100  # Tuesday stays empty
    held = desk(Agent("a", skills=("licence",)), shifts=shifts, shift_cover=covers)
    assert best(held) == 0


def test_cover_asks_for_a_level_on_its_own_date() -> None:
    covers = tuple(
        IntervalCover(day, 480, 510, 1, under_weight=7, skill="x", min_level=3)
        for day in (MONDAY, TUESDAY)
    )
    learns = Agent("a", qualifications=(Qualification("x", 2), Qualification("x", 3, TUESDAY)))
    problem = desk(learns, interval_cover=covers)
    # level 2 on Monday is not enough, level 3 on Tuesday is
    both = Roster({("a", MONDAY): "D", ("a", TUESDAY): "D"})
    assert verify(problem, both).cost == 7
    assert best(problem) == 7
    mix = replace(problem, interval_cover=tuple(replace(c, exclusive=False) for c in covers))
    assert best(mix) == 7
    on_shift = tuple(
        ShiftCover(day, "D", 1, under_weight=7, skill="x", min_level=3) for day in (MONDAY, TUESDAY)
    )
    assert best(replace(problem, interval_cover=(), shift_cover=on_shift)) == 7
    assert best(replace(problem, agents=(Agent("a", skills=("x",)),))) == 0  # the full level


def test_a_post_asks_for_a_skill_held_that_day_and_for_reach() -> None:
    post = Post("lead", (MONDAY, TUESDAY), weight=10, skill="x", reach_minutes=30)
    trained = Agent("a", qualifications=(Qualification("x", first=TUESDAY),), reach_minutes=30)
    problem = desk(trained, posts=(post,))
    assert best(problem) == 10
    assert best(replace(problem, agents=(replace(trained, reach_minutes=31),))) == 20
    held = Roster({}, {("lead", MONDAY): ("a",)})
    assert verify(problem, held).violations[0].facts["reason"] == "skill"


@pytest.mark.parametrize(
    ("fields", "day_type", "gap"),
    [
        ({"restrictions": (Restriction("no_duty_on_holidays", *EVER),)}, "statutory_holiday", 10),
        ({"restrictions": (Restriction("no_duty_on_holidays", *EVER),)}, "rest_day", 0),
        ({"declines": ("overtime",)}, "statutory_holiday", 10),
        ({"declines": ("standby",)}, "workday", 10),
    ],
)
def test_protections_keep_from_posts(fields: dict[str, Any], day_type: Any, gap: int) -> None:
    post = Post("standby", (MONDAY,), weight=10, exclusive=True)
    problem = desk(Agent("a", **fields), days=(Day(MONDAY, day_type),), posts=(post,))
    assert best(problem) == gap
    held = Roster({}, {("standby", MONDAY): ("a",)})
    assert verify(problem, held).valid == (gap == 0)


def test_a_day_forbidden_is_forbidden_for_posts() -> None:
    post = Post("lead", (MONDAY,), weight=10)
    problem = desk(Agent("a"), posts=(post,), forbidden=(Forbidden("a", MONDAY),))
    assert best(problem) == 10
    assert best(replace(problem, forbidden=(Forbidden("a", MONDAY, "D"),))) == 0


# -- absences of some hours ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leave", "shift", "free"),
    [
        (Leave("a", MONDAY, MONDAY, start=900, end=1000), "D", False),
        (Leave("a", MONDAY, MONDAY, start=960, end=1000), "D", True),
        # N of Monday ends at 06:00 on Tuesday
        (Leave("a", TUESDAY, TUESDAY, start=300, end=600), "N", False),
        (Leave("a", TUESDAY, TUESDAY, start=360, end=600), "N", True),
    ],
)
def test_leave_of_some_hours(leave: Leave, shift: str, free: bool) -> None:
    problem = desk(Agent("a"), leave=(leave,), shift_cover=(wanted(shift),))
    assert verify(problem, on(shift, "a")).valid == free
    assert best(problem) == (0 if free else 100)
    assert problem.lookup.contract_minutes(0) == 960  # such hours leave the contract as it is


# -- what people like ------------------------------------------------------------------------------


def test_preferences_cost_each_duty_against_them() -> None:
    covers = (wanted("D"), wanted("N", TUESDAY))
    dislikes = Preference("a", 5, ("N",))
    problem = desk(Agent("a"), shift_cover=covers, preferences=(dislikes,))
    worked = Roster({("a", MONDAY): "D", ("a", TUESDAY): "N"})
    assert verify(problem, worked).terms() == {"preference": 5}
    assert best(problem) == 5
    # with somebody else to do it, nothing
    assert best(replace(problem, agents=(Agent("a"), Agent("b")))) == 0
    for like, cost in (
        (Preference("a", 5, ("D",), on=True), 5),  # N is another shift
        (Preference("a", 5, ("D", "N"), on=True), 0),
        (Preference("a", 5), 10),  # any duty
        (Preference("a", 5, weekdays=(1,)), 5),
        (Preference("a", 5, first=TUESDAY), 5),
        (Preference("a", 5, last=SUNDAY), 0),
    ):
        assert best(replace(problem, preferences=(like,))) == cost


def test_going_to_another_site_has_its_price() -> None:
    shifts = (Shift("H", 480, 960, site="Hefei"), Shift("X", 480, 960, site="Xi'an"))
    covers = (wanted("H"), wanted("X"))
    stays = Agent("a", home="Hefei", away_weight=30)
    goes = Agent("b", home="Hefei", away_weight=4)
    problem = desk(stays, goes, shifts=shifts, shift_cover=covers)
    assert verify(problem, Roster({("a", MONDAY): "X", ("b", MONDAY): "H"})).cost == 30
    assert best(problem) == 4
    never = replace(goes, sites=("Hefei",))
    assert best(replace(problem, agents=(stays, never))) == 30


# -- what stays as published -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pin", "kept"),
    [
        (Pin(MONDAY, MONDAY), {("a", MONDAY): "D"}),
        (Pin(MONDAY, TUESDAY, ("a",)), {("a", MONDAY): "D"}),
        (Pin(TUESDAY, TUESDAY), {("b", TUESDAY): "N"}),
    ],
)
def test_pins_keep_a_day_or_a_line_as_published(pin: Pin, kept: dict[Any, str]) -> None:
    published = (Lock("a", MONDAY, "D"), Lock("b", TUESDAY, "N"))
    # every duty costs 5: nobody works but where it is pinned
    likes = (Preference("a", 5), Preference("b", 5))
    problem = desk(Agent("a"), Agent("b"), published=published, pins=(pin,), preferences=likes)
    result = solve(problem, QUICK)
    assert result.roster is not None
    assert (dict(result.roster.cells), result.cost) == (kept, 5)
    assert {b.kind for b in verify(problem, Roster()).violations} == {"lock"}
    assert best(replace(problem, pins=())) == 0


def test_a_lock_on_a_cell_goes_before_a_pin() -> None:
    problem = desk(
        Agent("a"),
        published=(Lock("a", MONDAY, "D"),),
        pins=(Pin(MONDAY, TUESDAY),),
        locks=(Lock("a", MONDAY, "N"),),
    )
    assert verify(problem, on("N", "a")).valid
    assert not verify(problem, on("D", "a")).valid


# -- one duty at a time ----------------------------------------------------------------------------


def test_a_duty_begins_only_after_the_last_has_ended() -> None:
    # L of Monday runs until 10:00 on Tuesday, D begins at 08:00, E at 10:00
    shifts = (Shift("L", 960, 2040), Shift("D", 480, 960), Shift("E", 600, 960))
    problem = desk(Agent("a"), shifts=shifts, shift_cover=(wanted("L"), wanted("D", TUESDAY)))
    both = Roster({("a", MONDAY): "L", ("a", TUESDAY): "D"})
    assert [b.kind for b in verify(problem, both).violations] == ["overlap"]
    assert best(problem) == 100
    later = replace(problem, shift_cover=(wanted("L"), wanted("E", TUESDAY)))
    assert best(later) == 0


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "parts", "expected"),
    [
        (
            {"qualifications": (Qualification("x", 6),)},
            {},
            r"agents\[0\].qualifications\[0\].level",
        ),
        ({"skills": ("x",), "qualifications": (Qualification("x"),)}, {}, "stands in skills too"),
        ({"qualifications": (Qualification("x", 1, TUESDAY, MONDAY),)}, {}, "first day is after"),
        ({"availability": (Availability((0,)),)}, {}, r"1 \(Monday\) to 7"),
        ({"availability": (Availability(start=600, end=600),)}, {}, "start < end"),
        ({"restrictions": (Restriction("short_days", *EVER),)}, {}, "short_days, and no other"),
        ({"away_weight": 3}, {}, "needs a home site"),
        ({"reach_minutes": -1}, {}, "below zero"),
        ({}, {"leave": (Leave("a", MONDAY, MONDAY, start=60),)}, "both start and end"),
        ({}, {"leave": (Leave("a", MONDAY, MONDAY, start=60, end=60),)}, "start < end ≤ 1440"),
        ({}, {"preferences": (Preference("a", 1, on=True),)}, "which shifts are preferred"),
        ({}, {"preferences": (Preference("a", 1, weekdays=()),)}, "weekdays"),
        ({}, {"preferences": (Preference("b", 1),)}, "no agent 'b'"),
        ({}, {"pins": (Pin(TUESDAY, MONDAY),)}, "first day is after"),
        ({}, {"published": (Lock("a", MONDAY), Lock("a", MONDAY))}, "published: 'a' .* 2 times"),
        ({}, {"shifts": (Shift("D", 0, 60, reach_minutes=5),)}, "only a standby shift"),
    ],
)
def test_faults_are_named_with_their_place(
    agent: dict[str, Any], parts: dict[str, Any], expected: str
) -> None:
    with pytest.raises(SchedulingError, match=expected):
        desk(Agent("a", **agent), **parts)


def test_all_of_it_survives_json() -> None:
    person = Agent(
        "a",
        team="t",
        qualifications=(Qualification("x", 2, MONDAY, TUESDAY),),
        declines=("nights",),
        availability=(Availability((1,), 60, 900, MONDAY),),
        home="Hefei",
        away_weight=2,
        reach_minutes=20,
        restrictions=(Restriction("short_days", *EVER, minutes=400),),
    )
    problem = desk(
        person,
        preferences=(Preference("a", 1, ("D",)),),
        published=(Lock("a", MONDAY, "D"),),
        pins=(Pin(MONDAY, MONDAY, ("a",)),),
        leave=(Leave("a", MONDAY, MONDAY, start=60, end=90),),
    )
    assert RosterProblem.from_json(problem.to_json()) == problem
