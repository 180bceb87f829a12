"""Whole solves: proven against full enumeration, repeatable, honest about how they ended."""

from __future__ import annotations

import itertools
import re
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.errors import SchedulingError
from scheduler.explain import explain
from scheduler.model import Limit, RosterModel, grid_of, roster_of
from scheduler.problem import (
    Agent,
    Apart,
    Availability,
    Break,
    ContractMinutes,
    Day,
    FairShare,
    Forbidden,
    ForbiddenSuccession,
    IntervalCover,
    Leave,
    MaxConsecutive,
    MaxWeekends,
    MinConsecutive,
    MinDaysOff,
    MinRest,
    MinutesLimit,
    OvertimeLimit,
    PastDuty,
    PastShare,
    Pin,
    Post,
    Preference,
    Qualification,
    Request,
    RestAfter,
    RestDays,
    Restriction,
    RosterProblem,
    Rotation,
    Rule,
    Shift,
    ShiftCover,
    ShiftLimit,
    StartChange,
    Together,
    WholeWeekends,
)
from scheduler.result import Params, Progress
from scheduler.solution import Roster, roster_from_json
from scheduler.solve import solve
from scheduler.verify import verify

FRIDAY = date(2026, 3, 6)
QUICK = Params(seconds=None, effort=20.0)
SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1800, night=True))
DAYS = 3


WORKED = (PastShare("p0", 1),)


def day(number: int) -> date:
    return FRIDAY + timedelta(days=number)


weights = st.none() | st.integers(1, 9)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    weight, small = draw(weights), draw(st.integers(1, 3))
    agents = draw(st.sampled_from([None, ("a",), ("a", "b")]))
    base: dict[str, Any] = {"name": str(draw(st.uuids())), "weight": weight, "agents": agents}
    soft = {**base, "weight": weight or 1}
    pair = {**base, "agents": ("a", "b")}
    nights = draw(st.sampled_from([(), ("N",)]))
    return draw(
        st.sampled_from(
            [
                MinRest(**base, minutes=660),
                MinRest(**base, minutes=2400),
                ForbiddenSuccession(**base, first=("N",), then=("D",)),
                MaxConsecutive(**base, days=small, shifts=nights),
                MinConsecutive(**base, days=small, shifts=nights),
                MinDaysOff(**base, days=small),
                RestDays(**base, window=3, rolling=True, days=1),
                RestAfter(**base, shifts=("N",), days_off=small),
                MinutesLimit(**base, period="horizon", minimum=480, maximum=960),
                MinutesLimit(**base, period="week", maximum=480 * small),
                ContractMinutes(**base, tolerance=480),
                MaxWeekends(**base, weekends=0),
                ShiftLimit(**base, shifts=("N",), maximum=1, minimum=1),
                Apart(**pair),
                Together(**pair),
                MaxWeekends(**base, weekends=1, window=2),
                WholeWeekends(**base),
                StartChange(**base, earlier_by=0, days_off=small - 1),
                Rotation(**base, cycle=("D", "", "off", "on"), since=day(-small)),
                Apart(**pair, on_same="day"),
                Together(**pair, mutual=True, on_same="day"),
                OvertimeLimit(**base, maximum=60 * small, standard_day=420),
                FairShare(**soft, measure="nights"),
                FairShare(**soft, measure="minutes", how="squares", unit=480),
            ]
        )
    )


@st.composite
def problems(draw: st.DrawFn) -> RosterProblem:
    names = ("a", "b")
    skills = st.sampled_from([(), ("x",), ("x", "y")])
    history_days = draw(st.integers(0, 2))
    numbers = st.integers(0, DAYS - 1)
    return RosterProblem(
        agents=tuple(Agent(n, skills=draw(skills)) for n in names),
        days=tuple(Day(day(i), burden=i) for i in range(DAYS)),
        shifts=SHIFTS,
        shift_cover=tuple(
            ShiftCover(
                day(d),
                s,
                desired,
                under_weight=draw(st.integers(0, 20)),
                over_weight=draw(st.integers(0, 5)),
                skill=draw(st.sampled_from([None, "x", "y"])),
                exclusive=draw(st.booleans()),
            )
            for d, s, desired in draw(
                st.lists(st.tuples(numbers, st.sampled_from("DN"), st.integers(0, 2)), max_size=6)
            )
        ),
        interval_cover=tuple(
            IntervalCover(
                day(d),
                start,
                start + 60,
                1,
                under_weight=weight,
                skill=skill,
                exclusive=exclusive,
                over_weight=over,
                maximum=most,
            )
            for d, start, weight, skill, exclusive, over, most in draw(
                st.lists(
                    st.tuples(
                        numbers,
                        st.sampled_from([300, 480]),
                        st.integers(0, 9),
                        st.sampled_from([None, "x", "y"]),
                        st.booleans(),
                        st.integers(0, 4),
                        st.sampled_from([None, 1, 2]),
                    ),
                    max_size=5,
                )
            )
        ),
        rules=tuple(draw(st.lists(rules(), max_size=4))),
        requests=tuple(
            Request(agent, day(d), on, weight, shift)
            for agent, d, on, weight, shift in draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(names),
                        numbers,
                        st.booleans(),
                        st.integers(1, 9),
                        st.sampled_from([None, "D", "N"]),
                    ),
                    max_size=5,
                )
            )
        ),
        preferences=tuple(
            Preference(agent, draw(st.integers(1, 9)), ("N",), draw(st.booleans()))
            for agent in draw(st.sampled_from(["", "a", "ab"]))
        ),
        history=tuple(
            PastDuty(agent, day(-i), shift)
            for agent in names
            for i in range(1, history_days + 1)
            if (shift := draw(st.sampled_from([None, "D", "N"]))) is not None
        ),
        history_days=history_days,
    )


def every_roster(problem: RosterProblem) -> list[Roster]:
    cells = [(a.id, d.date) for a in problem.agents for d in problem.days]
    return [
        Roster({cell: s for cell, s in zip(cells, line, strict=True) if s})
        for line in itertools.product((None, "D", "N"), repeat=len(cells))
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_the_solver_finds_what_enumeration_finds(problem: RosterProblem) -> None:
    verdicts = [verify(problem, roster) for roster in every_roster(problem)]
    least = min((v.cost for v in verdicts if v.valid), default=None)
    result = solve(problem, QUICK)
    if least is None:
        assert result.status == "conflict"
        fewest = min(sum(b.amount for b in v.violations) for v in verdicts)
        assert sum(b.amount for b in result.violations) == fewest
    else:
        assert (result.status, result.cost, result.bound) == ("optimal", least, least)
        assert result.violations == ()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.data())
def test_a_model_of_some_cells_finds_what_enumeration_of_them_finds(
    problem: RosterProblem, data: st.DataObject
) -> None:
    cells = [(a.id, d.date) for a in problem.agents for d in problem.days]
    free = data.draw(st.sets(st.sampled_from(cells), min_size=1, max_size=4))
    base = {cell: s for cell in cells if (s := data.draw(st.sampled_from([None, "D", "N"])))}
    kept = {cell: s for cell, s in base.items() if cell not in free}
    rosters = [
        Roster({**kept, **{cell: s for cell, s in zip(sorted(free), line, strict=True) if s}})
        for line in itertools.product((None, "D", "N"), repeat=len(free))
    ]
    verdicts = [verify(problem, roster) for roster in rosters]
    least = min((v.cost for v in verdicts if v.valid), default=None)
    if least is None:
        return  # what is fixed breaks a rule on its own
    look = problem.lookup
    numbers = {(look.agent[a], look.day[d]) for a, d in free}
    model = RosterModel(problem, grid_of(problem, Roster(base)), numbers)
    part = model.solve(Limit(None, 20.0), 1)
    assert part.proven
    assert part.grid is not None
    found = verify(problem, roster_of(problem, part.grid))
    assert (found.valid, found.cost) == (True, least)


def team(people: int, **parts: Any) -> RosterProblem:
    """A fortnight in which two are wanted on D and one on N."""
    days = tuple(Day(day(i)) for i in range(14))
    given_parts: dict[str, Any] = {
        "agents": tuple(Agent(f"p{i}", max_minutes=4320) for i in range(people)),
        "days": days,
        "shifts": SHIFTS,
        "shift_cover": tuple(
            ShiftCover(d.date, s, n, under_weight=50) for d in days for s, n in (("D", 2), ("N", 1))
        ),
        "rules": (
            MinRest(name="rest", minutes=660),
            MaxConsecutive(name="row", days=5),
            FairShare(name="fair", weight=2, measure="nights"),
        ),
    }
    return RosterProblem(**{**given_parts, **parts})


def test_more_people_never_cost_more() -> None:
    costs = []
    for people in (3, 4, 5):
        result = solve(replace(team(people), rules=team(3).rules[:2]), QUICK)
        assert result.status == "optimal"
        costs.append(result.cost)
    # wanted are 42 duties; each of 9 at most: 15, 6 and none are missing
    assert costs == [750, 300, 0]


def test_the_same_seed_and_effort_give_the_same_roster() -> None:
    params = Params(seconds=None, effort=0.5, seed=7)
    first, second = solve(team(5), params), solve(team(5), params)
    assert first.roster is not None
    assert second.roster is not None
    assert first.roster.to_json() == second.roster.to_json()


def test_a_start_is_never_made_worse() -> None:
    problem = team(5)
    start = solve(problem, QUICK).roster
    assert start is not None
    result = solve(problem, Params(seconds=None, effort=0.01, start=start))
    assert (result.cost or 0) <= verify(problem, start).cost


def test_stopping_keeps_the_best_so_far() -> None:
    heard: list[Progress] = []
    problem = team(12, shift_cover=(), requests=tuple(
        Request(f"p{i}", day(d), (i + d) % 2 == 0, 1 + (i * d) % 5, "DN"[(i * d) % 2])
        for i in range(12) for d in range(14)
    ))  # fmt: skip
    result = solve(problem, Params(seconds=60), heard.append, stop=lambda: bool(heard))
    assert result.status in {"stopped", "optimal"}
    assert result.roster is not None
    assert result.cost == verify(problem, result.roster).cost


def test_bounds_only_rise_and_costs_only_fall() -> None:
    heard: list[Progress] = []
    result = solve(team(4), QUICK, heard.append)
    costs, bounds = [p.cost for p in heard], [p.bound or 0 for p in heard]
    assert costs == sorted(costs, reverse=True)
    assert bounds == sorted(bounds)
    assert (result.status, result.gap) == ("optimal", 0.0)
    assert heard[0].gap == pytest.approx((costs[0] - bounds[0]) / costs[0])


def test_wall_clock_solves_with_two_threads_end_valid() -> None:
    problem = team(5)
    result = solve(problem, Params(seconds=3, workers=2))
    assert result.roster is not None
    verdict = verify(problem, result.roster)
    assert verdict.valid
    assert verdict.cost == result.cost
    assert (result.bound or 0) <= verdict.cost


def test_a_line_that_is_not_found_in_time_is_not_called_a_conflict() -> None:
    problem = team(3, agents=tuple(Agent(f"p{i}", min_minutes=480) for i in range(3)))
    result = solve(problem, Params(seconds=None, effort=1e-9))
    assert (result.status, result.roster, result.cost) == ("nothing_found", None, None)


def test_a_limit_is_needed() -> None:
    with pytest.raises(ValueError, match="limit"):
        Params(seconds=None)


# -- explanations ----------------------------------------------------------------------------------


def test_explanations_price_each_alternative_by_judging_it() -> None:
    problem = team(3, rules=(MaxConsecutive(name="row", days=2),), shift_cover=(
        ShiftCover(day(1), "D", 1, under_weight=50),
    ), requests=(Request("p0", day(1), False, 4),))  # fmt: skip
    cells = {("p0", day(1)): "D", ("p1", day(0)): "D", ("p1", day(2)): "D"}
    answer = explain(problem, Roster(cells), "p0", day(1))
    # off: the wish for a day off is met (−4), the cover is missing (+50)
    by_shift = {a.shift: a for a in answer.alternatives}
    assert by_shift[None].change == 46
    assert dict(by_shift[None].terms) == {"shift_cover_under": 50, "request": -4}
    assert by_shift["N"].change == 50
    # p2 could do it, and only the wish changes; p1 would have three days in a row
    others = {a.agent: a for a in answer.others}
    assert others["p2"].change == -4
    assert others["p2"].possible
    assert [breach.rule for breach in others["p1"].broken] == ["row"]
    assert answer.best == others["p2"]


# -- JSON ------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(problems())
def test_a_problem_survives_json(problem: RosterProblem) -> None:
    assert RosterProblem.from_json(problem.to_json()) == problem


def test_a_roster_survives_json() -> None:
    problem = team(3, posts=(Post("lead", (day(0),)),))
    roster = Roster({("p0", day(0)): "D"}, {("lead", day(0)): ("p1",)})
    assert roster_from_json(roster.to_json(), problem) == roster


def test_two_shifts_a_day_are_read_and_judged() -> None:
    problem = team(3)
    cell = f'{{"agent": "p0", "day": "{day(0)}", "shift": "D"}}'
    once = roster_from_json(f'{{"assignments": [{cell}]}}', problem)
    twice = roster_from_json(f'{{"assignments": [{cell}, {cell}]}}', problem)
    kind = "one_shift_a_day"
    assert [b for b in verify(problem, once).violations if b.kind == kind] == []
    found = [b for b in verify(problem, twice).violations if b.kind == kind]
    assert [(b.agent, b.days, b.facts) for b in found] == [("p0", (day(0),), {"shift": "D"})]
    assert verify(problem, twice).cost == verify(problem, once).cost


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "not a JSON document"),
        ("[]", "roster: an object expected"),
        ('{"assignments": [{"agent": "p0", "day": "x", "shift": "D"}]}', "a date like"),
        ('{"assignments": [{"agent": "q", "day": "2026-03-06", "shift": "D"}]}', "no agent 'q'"),
        ('{"assignments": [{"agent": "p0", "day": "2026-03-06", "shift": "Q"}]}', "no shift 'Q'"),
        ('{"assignments": [{"agent": "p0", "day": "2027-03-06", "shift": "D"}]}', "not one of"),
        ('{"assignments": [], "posts": [{"post": "l", "day": "2026-03-06", "agent": "p0"}]}',
         "no post 'l'"),
    ],
)  # fmt: skip
def test_faults_of_a_roster_are_named(text: str, expected: str) -> None:
    with pytest.raises(SchedulingError, match=expected):
        roster_from_json(text, team(3))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"agents": (Agent("a"), Agent("a"))}, "occurs 2 times"),
        ({"days": ()}, "at least one day"),
        ({"days": (Day(day(0)), Day(day(2)))}, "not the day after"),
        ({"shifts": (Shift("D", 960, 480),)}, "after the start"),
        ({"shift_cover": (ShiftCover(day(0), "Q", 1),)}, "no shift 'Q'"),
        ({"shift_cover": (ShiftCover(day(99), "D", 1),)}, "no day '2026-06-13'"),
        ({"interval_cover": (IntervalCover(day(0), 15, 60, 1),)}, "multiples"),
        ({"posts": (Post("l", (day(0), day(0))),)}, "occurs twice"),
        ({"requests": (Request("q", day(0), True, 1),)}, "no agent 'q'"),
        ({"requests": (Request("p0", day(0), True, -1),)}, "below zero"),
        ({"history": (PastDuty("p0", day(-1), "D"),)}, "history_days"),
        ({"history_days": 10**9}, "0 to 3660"),
        ({"rules": (Rotation(name="x", cycle=("Q",), since=day(0)),)}, "no shift 'Q'"),
        ({"rules": (Rotation(name="x", cycle=(), since=day(0)),)}, "at least one day"),
        ({"rules": (StartChange(name="x"),)}, "earlier_by or later_by"),
        ({"rules": (MinRest(name="x", minutes=1, teams=("q",)),)}, "no team 'q'"),
        (
            {"rules": (MinutesLimit(name="x", period="day", maximum=1, past=WORKED),)},
            "only a week, a month or the whole",
        ),
        ({"rules": (FairShare(name="x", measure="nights"),)}, "always soft"),
        ({"rules": (Apart(name="x"),)}, "at least two"),
        ({"rules": (MaxConsecutive(name="x", days=-1),)}, "below zero"),
        ({"rules": (MinRest(name="x", minutes=1), MinRest(name="x", minutes=2))}, "2 times"),
    ],
)
def test_parts_that_do_not_fit_are_named(parts: dict[str, Any], expected: str) -> None:
    with pytest.raises(SchedulingError, match=expected):
        team(3, **parts)


@pytest.mark.parametrize(
    "parts",
    [
        {"rules": (MinConsecutive(name="x", days=10**9),)},
        {"rules": (MinConsecutive(name="x", days=10**9, weight=1),)},
        {"rules": (MinDaysOff(name="x", days=10**9),)},
        {"rules": (MaxConsecutive(name="x", days=10**9),)},
        {"rules": (MinRest(name="x", minutes=10**9),)},
        {"rules": (RestAfter(name="x", shifts=("N",), days_off=10**9, run=10**9),)},
        {"rules": (StartChange(name="x", earlier_by=0, days_off=10**9),)},
        {"rules": (MinutesLimit(name="x", maximum=1, period="rolling", window=10**9),)},
        {"rules": (MaxWeekends(name="x", weekends=10**9, window=10**9),)},
        {"shift_cover": (ShiftCover(day(0), "D", 10**9, under_weight=1, exclusive=True),)},
        {"interval_cover": (IntervalCover(day(0), 480, 510, 10**9, under_weight=1),)},
    ],
)
def test_figures_out_of_all_measure_take_no_longer(parts: dict[str, Any]) -> None:
    problem = team(2, **parts)
    result = solve(problem, QUICK)
    assert result.roster is not None
    assert verify(problem, result.roster).cost == result.cost


# -- the guide -------------------------------------------------------------------------------------


def test_the_guide_explains_every_rule_with_its_fields_and_a_picture() -> None:
    guide = (Path(__file__).parents[2] / "docs/rostering.md").read_text(encoding="utf-8")
    for kind in get_args(Rule):
        (section,) = re.findall(rf"^### .+ – `{kind.kind}`\n(.*?)^##", guide, flags=re.M | re.S)
        own = {f.name for f in fields(kind)} - {"name", "weight", "agents", "teams", "source"}
        assert all(f"`{name}`" in section or f'"{name}"' in section for name in own), kind.kind
        assert f"(pictures/rules/{kind.kind}.svg)" in section


def test_the_guide_names_every_field_of_the_problem() -> None:
    guide = (Path(__file__).parents[2] / "docs/rostering.md").read_text(encoding="utf-8")
    form = guide[guide.index("## The problem file") :]
    parts = (Agent, Qualification, Availability, Restriction, Day, Shift, Break, ShiftCover,
             IntervalCover, Post, Request, Preference, Leave, Pin)  # fmt: skip
    for part in (RosterProblem, *parts):
        for f in fields(part):
            named = any(f"{mark}{f.name}{mark}" in form for mark in ("`", '"', "**"))
            assert named, f"{part.__name__}.{f.name}"


def test_the_guides_example_can_be_solved() -> None:
    guide = (Path(__file__).parents[2] / "docs/rostering.md").read_text(encoding="utf-8")
    example, roster = re.findall(r"```json\n(.*?)```", guide, flags=re.DOTALL)
    problem = RosterProblem.from_json(example)
    verify(problem, roster_from_json(roster, problem))
    assert solve(problem, QUICK).status == "optimal"


def test_a_hint_is_as_dear_as_the_roster_it_stands_for() -> None:
    # two desks at once; c can do both, and the roster has c at none of them on Monday
    shift, monday = Shift("D", 480, 960), Day(date(2026, 3, 2))
    people = (Agent("a", skills=("x",)), Agent("b", skills=("y",)), Agent("c", skills=("x", "y")))
    problem = RosterProblem(
        people, (monday,), (shift,),
        interval_cover=tuple(
            IntervalCover(monday.date, 480, 960, wanted, 0, 7, 1, skill=skill)
            for skill, wanted in (("x", 2), ("y", 1))
        ),
    )  # fmt: skip
    roster = Roster({("a", monday.date): "D", ("b", monday.date): "D"})
    model = RosterModel(problem, grid_of(problem, roster))
    model.complete_hint(Limit(None, None), 1)
    proto = model.model.proto
    hint = dict(zip(proto.solution_hint.vars, proto.solution_hint.values, strict=True))
    assert set(hint) == set(range(len(proto.variables)))
    terms = zip(proto.objective.vars, proto.objective.coeffs, strict=True)
    cost = proto.objective.offset + sum(weight * hint[number] for number, weight in terms)
    # one of two short at x in each of 16 half-hours: 16 · 7
    assert cost == verify(problem, roster).cost == 112


def test_a_line_is_priced_as_the_judge_prices_it() -> None:
    # a is at x; c can do x and y, b only y and is off: c is worth most where one is missing
    early, late = Shift("E", 480, 960), Shift("L", 720, 1200)
    monday = Day(date(2026, 3, 2))
    people = (Agent("a", skills=("x",)), Agent("b", skills=("y",)), Agent("c", skills=("x", "y")))
    problem = RosterProblem(
        people, (monday,), (early, late),
        shift_cover=(ShiftCover(monday.date, "L", 1, under_weight=40),),
        interval_cover=(
            IntervalCover(monday.date, 480, 960, 1, under_weight=5, over_weight=2, skill="x"),
            IntervalCover(monday.date, 600, 1200, 1, under_weight=3, over_weight=2, skill="y"),
            IntervalCover(
                monday.date, 480, 1200, 1, under_weight=4, over_weight=1, exclusive=False
            ),
        ),
    )  # fmt: skip
    # per half-hour. E: y is short from 960 (8 · 3), two are there beside each other from 480 to
    # 960 (16 · 1), c is spare before 600 (4 · 2), nobody from 960 (8 · 4), nobody late (40): 120.
    # L: y is short from 600 to 720 (4 · 3), two are there from 720 to 960 (8 · 1): 20.
    # off: y is short throughout (20 · 3), nobody from 960 (8 · 4), nobody late (40): 132
    worth = {"E": 120, "L": 20, None: 132}
    for shift, cost in worth.items():
        cells = {("a", monday.date): "E"} | ({("c", monday.date): shift} if shift else {})
        assert verify(problem, Roster(cells)).cost == cost
    # with E alone to choose, y after 960 (8 · 3) is out of her reach and left out
    for only, cost in (("EL", 20), ("E", 120 - 24)):
        barred = tuple(Forbidden("c", monday.date, s) for s in "EL" if s not in only)
        base = grid_of(problem, Roster({("a", monday.date): "E"}))
        model = RosterModel(replace(problem, forbidden=barred), base, {(2, 0)}, hint=False)
        assert model.x.alone
        part = model.solve(Limit(None, 1.0), 1)
        assert (part.proven, part.objective) == (True, cost)
