"""Breaks moved within their windows: what is allowed, and that cover suffers least.

D is 08–16 with half an hour at 12:00, which may lie anywhere from 11:00 to 13:30: five ways.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.breaks import has_movable_breaks, place_breaks, without_movable_breaks
from scheduler.errors import SchedulingError
from scheduler.problem import Agent, Break, Day, IntervalCover, PastDuty, RosterProblem, Shift
from scheduler.problem.pauses import fault_of_breaks, placements
from scheduler.result import Params
from scheduler.solution import Roster, roster_from_json
from scheduler.solve import solve
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
D = Shift("D", 480, 960, breaks=(Break(720, 750, earliest=660, latest=810),))
TWO = Shift(
    "T",
    480,
    960,
    breaks=(Break(600, 615, earliest=540, latest=720), Break(780, 810, earliest=720, latest=900)),
    min_stretch=90,
    max_stretch=180,
)


def desk(*agents: Agent, **parts: Any) -> RosterProblem:
    usual: dict[str, Any] = {"agents": agents, "days": (Day(MONDAY),), "shifts": (D,)}
    return RosterProblem(**{**usual, **parts})


def all_on(problem: RosterProblem, shift: str = "D") -> Roster:
    return Roster({(agent.id, MONDAY): shift for agent in problem.agents})


def wanted(start: int, end: int, people: int, **fields: Any) -> IntervalCover:
    return IntervalCover(MONDAY, start, end, people, **{"under_weight": 10, **fields})


def test_ways_of_one_break() -> None:
    # half an hour earlier, half an hour later, and so on
    assert placements(D, 30) == [(720,), (690,), (750,), (660,), (780,)]
    assert placements(D, 30, most=2) == [(720,), (690,)]
    assert placements(replace(D, breaks=(Break(720, 750),)), 30) == [(720,)]


@pytest.mark.parametrize(
    ("starts", "fault"),
    [
        ((600, 780), None),
        ((600,), "count"),
        # the first may begin at 9:00, but from 9:15 to 13:00 there would be 225 minutes of work
        ((540, 780), "stretch"),
        # work until 11:45 is 225 minutes without a break
        ((705, 780), "stretch"),
        ((525, 780), "window"),
        ((600, 885), "window"),
        # 11:00 to 12:15 leaves 60 minutes after the first break, 90 are asked
        ((660, 735), "stretch"),
        ((660, 780), None),
    ],
)
def test_windows_and_spacing(starts: tuple[int, ...], fault: str | None) -> None:
    assert fault_of_breaks(TWO, starts) == fault
    problem = desk(Agent("a"), shifts=(TWO,))
    placed = replace(all_on(problem, "T"), breaks={("a", MONDAY): starts})
    reasons = [(b.kind, b.facts["reason"]) for b in verify(problem, placed).violations]
    assert reasons == ([] if fault is None else [("breaks", fault)])


def test_many_breaks_with_wide_windows_take_no_longer() -> None:
    breaks = tuple(Break(at, at + 10, earliest=480, latest=960) for at in range(500, 950, 30))
    assert len(placements(replace(D, breaks=breaks), 5)) == 200


def test_breaks_that_change_places_or_may_not_move() -> None:
    loose = replace(TWO, min_stretch=0, max_stretch=None)
    wide = replace(loose, breaks=tuple(replace(b, earliest=480, latest=960) for b in TWO.breaks))
    assert fault_of_breaks(wide, (800, 600)) == "order"
    fixed = replace(D, breaks=(Break(720, 750),))
    assert fault_of_breaks(fixed, (690,)) == "window"
    assert fault_of_breaks(fixed, (720,)) is None


def test_two_people_do_not_rest_at_once() -> None:
    # one wanted from 11:30 to 13:00: both away at 12:00 leaves one half-hour empty
    problem = desk(Agent("a"), Agent("b"), interval_cover=(wanted(690, 780, 1),))
    roster = all_on(problem)
    assert verify(problem, roster).cost == 10
    placed = place_breaks(problem, roster)
    assert verify(problem, placed).cost == 0
    assert len(placed.breaks) == 1  # one of them moves, no more
    # two wanted: the breaks go to 11:00 and to 13:00, or both to one of these
    both = replace(problem, interval_cover=(wanted(690, 780, 2),))
    assert verify(both, roster).cost == 20
    assert verify(both, place_breaks(both, roster)).cost == 0
    # two wanted from 11:00 to 13:30: each break costs its half-hour, wherever it lies
    all_day = replace(problem, interval_cover=(wanted(660, 810, 2),))
    placed = place_breaks(all_day, roster)
    assert (verify(all_day, placed).cost, dict(placed.breaks)) == (20, {})


def test_the_skill_that_is_short_decides_who_waits() -> None:
    # x wanted by one at 12:00, only a has it: a moves, b, who serves nobody then, does not
    cover = wanted(720, 750, 1, skill="x")
    problem = desk(Agent("a", skills=("x",)), Agent("b"), interval_cover=(cover,))
    placed = place_breaks(problem, all_on(problem))
    assert {agent for agent, _ in placed.breaks} == {"a"}
    assert verify(problem, placed).cost == 0


def test_a_night_rests_beside_the_breaks_of_the_next_day() -> None:
    # N 22–06 with a break at 02:00, movable from 01:00 to 05:00; one wanted 01:30–03:00 on Tuesday
    night = Shift("N", 1320, 1800, breaks=(Break(1560, 1590, earliest=1500, latest=1740),))
    tuesday = MONDAY + timedelta(days=1)
    problem = desk(
        Agent("a"),
        shifts=(night,),
        days=(Day(MONDAY), Day(tuesday)),
        interval_cover=(IntervalCover(tuesday, 90, 180, 1, under_weight=10),),
    )
    roster = Roster({("a", MONDAY): "N"})
    assert verify(problem, roster).cost == 10
    assert verify(problem, place_breaks(problem, roster)).cost == 0
    # a duty of carry-in has its break where the shift says
    carried = replace(
        problem,
        agents=(Agent("a"), Agent("b")),
        history=(PastDuty("b", MONDAY - timedelta(days=1), "N"),),
        history_days=1,
        interval_cover=(IntervalCover(MONDAY, 90, 180, 1, under_weight=10),),
    )
    assert verify(carried, place_breaks(carried, Roster())).cost == 10


def test_breaks_survive_json_and_go_with_their_duty() -> None:
    problem = desk(Agent("a"))
    roster = replace(all_on(problem), breaks={("a", MONDAY): (690,)})
    assert roster_from_json(roster.to_json(), problem) == roster
    assert '"breaks": [\n    690\n   ]' in roster.to_json()
    assert not replace(roster, cells={}).breaks


def test_nothing_to_place() -> None:
    problem = desk(Agent("a"))
    assert not has_movable_breaks(problem)  # nothing is wanted by the half-hour
    assert place_breaks(problem, all_on(problem)) == all_on(problem)


def test_a_bound_without_breaks_holds_for_every_placement() -> None:
    problem = desk(Agent("a"), interval_cover=(wanted(660, 810, 2, over_weight=3),))
    relaxed = without_movable_breaks(problem)
    # a is there for all five half-hours, one person is missing in each: 50; with the break 60
    bound = solve(relaxed, Params(seconds=None, effort=5.0)).cost
    assert bound == 50
    assert verify(problem, place_breaks(problem, all_on(problem))).cost == 60


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (replace(D, breaks=(Break(720, 750, earliest=660),)), "both earliest and latest"),
        (replace(D, breaks=(Break(720, 750, earliest=725, latest=810),)), "outside its window"),
        (replace(D, breaks=(Break(720, 750, earliest=470, latest=810),)), "window must lie within"),
        (replace(D, max_stretch=200), "max_stretch"),
        (replace(D, breaks=(Break(720, 750), Break(740, 760))), "without overlap"),
    ],
)
def test_faults_of_breaks_are_named(shift: Shift, expected: str) -> None:
    with pytest.raises(SchedulingError, match=expected):
        desk(Agent("a"), shifts=(shift,))


@settings(max_examples=25, deadline=None)
@given(
    skills=st.lists(st.sampled_from([("x",), ("y",), ("x", "y")]), min_size=1, max_size=3),
    asks=st.lists(
        st.tuples(
            st.sampled_from([660, 690, 720, 750]),
            st.integers(1, 3),
            st.sampled_from(["x", "y", None]),
            st.booleans(),
            st.integers(0, 9),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_no_way_is_cheaper(skills: list[tuple[str, ...]], asks: list[Any]) -> None:
    """Against every placement of up to three people's breaks."""
    people = tuple(Agent(f"p{i}", skills=held) for i, held in enumerate(skills))
    covers = tuple(
        IntervalCover(
            MONDAY, at, at + 60, n, under_weight=w, skill=k, exclusive=e, over_weight=over
        )
        for at, n, k, e, w, over in asks
    )
    problem = desk(*people, interval_cover=covers)
    roster = all_on(problem)
    cheapest = min(
        verify(
            problem,
            replace(roster, breaks={(p.id, MONDAY): w for p, w in zip(people, way, strict=True)}),
        ).cost
        for way in itertools.product(placements(D, 30), repeat=len(people))
    )
    placed = place_breaks(problem, roster)
    assert verify(problem, placed).cost == cheapest
    assert verify(problem, placed).valid
