"""Parts of a problem that share nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from scheduler.apart import ApartSearch
from scheduler.components import components, roster_within
from scheduler.problem import (
    Agent,
    Day,
    FairShare,
    IntervalCover,
    Leave,
    MaxConsecutive,
    PastShare,
    Pin,
    Post,
    Request,
    RosterProblem,
    Shift,
    ShiftCover,
)
from scheduler.result import Params, Progress
from scheduler.solution import Roster
from scheduler.solve import solve
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
DAYS = tuple(MONDAY + timedelta(days=i) for i in range(5))
EFFORT = Params(seconds=None, effort=20.0)


def two_teams(**more: object) -> RosterProblem:
    """Two teams of two, each with its own skill and demand."""
    teams = ("north", "south")
    parts: dict[str, object] = {
        "agents": tuple(
            Agent(f"{team}{i}", skills=(team,), team=team) for team in teams for i in range(2)
        ),
        "days": tuple(Day(d) for d in DAYS),
        "shifts": (Shift("D", 480, 960), Shift("L", 720, 1200)),
        "interval_cover": tuple(
            IntervalCover(d, 540, 1080, 1, 1, 5, 5, skill=team) for team in teams for d in DAYS
        ),
        "shift_cover": tuple(ShiftCover(d, "L", 1, skill="south") for d in DAYS),
        "posts": (Post("lead", DAYS[:1], skill="north", weight=50),),
        "rules": (
            MaxConsecutive(name="four", days=4),
            FairShare(
                name="alike", weight=1, measure="duties", agents=("south0", "south1"),
                past=(PastShare("south0", 2),),
            ),
        ),
        "requests": (Request("north1", DAYS[2], False, 3),),
        "leave": (Leave("south1", DAYS[0], DAYS[1]),),
    }  # fmt: skip
    return RosterProblem(**(parts | more))  # type: ignore[arg-type]


def test_teams_that_share_nobody_are_parts_with_all_that_is_theirs() -> None:
    north, south = components(two_teams(pins=(Pin(DAYS[0], DAYS[0], ("south0",)),)))
    assert [a.id for a in north.agents] == ["north0", "north1"]
    assert [len(north.interval_cover), len(north.shift_cover), len(north.posts)] == [5, 0, 1]
    assert [rule.name for rule in north.rules] == ["four"]
    assert (north.requests[0].agent, north.leave, north.pins) == ("north1", (), ())
    assert [len(south.interval_cover), len(south.shift_cover), len(south.posts)] == [5, 5, 0]
    assert [rule.name for rule in south.rules] == ["four", "alike"]
    assert (south.requests, south.leave[0].agent, len(south.pins)) == ((), "south1", 1)


def test_one_person_of_both_teams_or_a_rule_about_both_joins_them() -> None:
    problem = two_teams()
    bridge = replace(problem.agents[1], skills=("north", "south"))
    joined = replace(problem, agents=(problem.agents[0], bridge, *problem.agents[2:]))
    assert components(joined) == [joined]
    fair = FairShare(name="all", weight=1, measure="duties")
    assert len(components(two_teams(rules=(fair,)))) == 1
    # a post that anybody may hold joins everybody as well
    assert len(components(two_teams(posts=(Post("watch", DAYS[:1]),)))) == 1


def test_what_nobody_can_do_still_costs() -> None:
    problem = two_teams(posts=(Post("chief", DAYS[:1], min_grade="expert", weight=70),))
    parts = components(problem)
    assert [len(part.posts) for part in parts] == [1, 0]
    whole = verify(problem, Roster()).cost
    assert sum(verify(part, Roster()).cost for part in parts) == whole


def test_the_parts_solved_apart_are_the_whole_solved_at_once() -> None:
    problem = two_teams()
    heard: list[Progress] = []
    apart = solve(problem, EFFORT, heard.append)
    assert (apart.status, apart.bound) == ("optimal", apart.cost)
    assert apart.roster is not None
    assert verify(problem, apart.roster).cost == apart.cost
    assert heard[-1].cost == apart.cost
    # a bridge nobody needs makes one problem of it without changing the best roster
    fair = FairShare(name="all", weight=0, measure="duties")
    at_once = solve(replace(problem, rules=(*problem.rules, fair)), EFFORT)
    assert (at_once.status, at_once.cost) == ("optimal", apart.cost)
    north = components(problem)[0]
    assert verify(north, roster_within(apart.roster, north)).valid


def test_each_part_has_a_roster_before_any_has_a_bound() -> None:
    problem = two_teams()
    heard: list[Progress] = []
    assert solve(problem, EFFORT, heard.append).bound
    assert (heard[0].phase, heard[0].bound) == ("lines", 0)
    assert heard[0].cost < verify(problem, Roster()).cost


def test_what_the_parts_spend_counts_against_the_limit_of_the_whole() -> None:
    problem = two_teams()
    search = ApartSearch(components(problem), EFFORT, 0.0)
    search.run()
    assert 0 < search.budget.spent <= EFFORT.effort
    assert search.budget.limit().effort == EFFORT.effort - search.budget.spent
