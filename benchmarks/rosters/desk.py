"""Seeded desk problems of any size: skills, tiers, breaks, law and a public holiday."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta

from scheduler.problem import (
    Agent,
    Break,
    Day,
    FairShare,
    IntervalCover,
    Leave,
    MaxConsecutive,
    MinRest,
    OvertimeLimit,
    Post,
    Request,
    RestAfter,
    RestDays,
    RosterProblem,
    Shift,
    ShiftCover,
)

SHIFTS = (
    Shift("early", 7 * 60, 15 * 60 + 30, breaks=(Break(11 * 60, 11 * 60 + 30, paid=False),)),
    Shift("day", 9 * 60, 17 * 60 + 30, breaks=(Break(12 * 60, 12 * 60 + 30, paid=False),)),
    Shift("late", 13 * 60 + 30, 22 * 60, breaks=(Break(18 * 60, 18 * 60 + 30, paid=False),)),
    Shift("night", 22 * 60, 30 * 60 + 30, breaks=(Break(26 * 60, 26 * 60 + 30, paid=False),),
          night=True, unpopular=True),
)  # fmt: skip
HOLIDAY = (date(2026, 10, 1), date(2026, 10, 7))
TEAM = 20
FIRST = date(2026, 9, 21)
SKILLS = ("network", "billing", "device")


def desk_problem(people: int, days: int, seed: int) -> RosterProblem:
    """People in teams of twenty that share nobody; demand follows the hour and the weekday."""
    rng = random.Random(seed)
    agents = tuple(_agent(i, rng) for i in range(people))
    calendar = tuple(_day(FIRST + timedelta(days=i)) for i in range(days))
    teams = math.ceil(people / TEAM)
    return RosterProblem(
        agents=agents,
        days=calendar,
        shifts=SHIFTS,
        interval_cover=tuple(
            cover for team in range(teams) for day in calendar for cover in _demand(day, team)
        ),
        shift_cover=tuple(
            ShiftCover(
                day.date, "night", 1, under_weight=200, skill=f"team{team}", min_grade="senior"
            )
            for team in range(teams)
            for day in calendar
        ),
        posts=_posts(calendar, teams),
        rules=_rules(teams, agents),
        requests=tuple(
            Request(agent.id, rng.choice(calendar).date, rng.random() < 0.3, rng.randint(1, 5))
            for agent in agents
            for _ in range(3)
        ),
        leave=tuple(_leave(agent, calendar, rng) for agent in agents if rng.random() < 0.15),
        name=f"desk of {people} people, {days} days, seed {seed}",
    )


def _agent(i: int, rng: random.Random) -> Agent:
    team = i // TEAM
    grade = ("expert", "senior", "senior", "ordinary", "ordinary", "ordinary")[i % 6]
    skills = (f"team{team}", *rng.sample(SKILLS, rng.choice((1, 1, 2))))
    own = tuple(s if s.startswith("team") else f"{s}{team}" for s in skills)
    return Agent(f"p{i:04}", grade=grade, skills=own)  # type: ignore[arg-type]


def _day(day: date) -> Day:
    if date(2026, 10, 1) <= day <= date(2026, 10, 3):
        return Day(day, "statutory_holiday", f"国庆节 {day.day}", burden=10)
    if HOLIDAY[0] <= day <= HOLIDAY[1] or day.weekday() >= 5:
        return Day(day, "rest_day", burden=4 if HOLIDAY[0] <= day <= HOLIDAY[1] else 0)
    return Day(day)


def _demand(day: Day, team: int) -> list[IntervalCover]:
    busy = 1.0 if day.type == "workday" else 0.5
    spans = ((0, 420, 1), (420, 540, 2), (540, 720, 6), (720, 1080, 5), (1080, 1320, 3),
             (1320, 1440, 1))  # fmt: skip
    covers = []
    for start, end, load in spans:
        wanted = max(1, round(load * busy))
        for n, skill in enumerate(SKILLS):
            share = wanted // 3 + (n < wanted % 3)
            if share:
                covers.append(
                    IntervalCover(day.date, start, end, share, min(1, share), 10, 20,
                                  skill=f"{skill}{team}")
                )  # fmt: skip
        covers.append(
            IntervalCover(day.date, start, end, 1, 0, 15, 0, skill=f"team{team}",
                          min_grade="senior", exclusive=False)
        )  # fmt: skip
    return covers


def _posts(calendar: tuple[Day, ...], teams: int) -> tuple[Post, ...]:
    held = tuple(d.date for d in calendar if HOLIDAY[0] <= d.date <= HOLIDAY[1])
    return tuple(
        Post(f"lead{team}", held, min_grade="senior", skill=f"team{team}", weight=500)
        for team in range(teams)
        if held
    )


def _rules(teams: int, agents: tuple[Agent, ...]) -> tuple:
    law = (
        MinRest(name="rest of 11 h", minutes=660),
        MaxConsecutive(name="six days", days=6),
        RestDays(name="a rest day a week", source="劳动法 art. 38"),
        OvertimeLimit(name="36 h", source="劳动法 art. 41"),
        MaxConsecutive(name="four nights", days=4, shifts=("night",)),
        RestAfter(name="rest after nights", shifts=("night",), days_off=1),
    )
    fair = []
    for team in range(teams):
        members = tuple(a.id for a in agents[team * TEAM : (team + 1) * TEAM])
        for measure, weight in (("nights", 5), ("weekends", 5), ("burden", 2)):
            fair.append(
                FairShare(name=f"fair {measure} {team}", weight=weight, measure=measure,
                          agents=members)
            )  # fmt: skip
        fair.append(
            FairShare(name=f"fair minutes {team}", weight=1, measure="minutes", how="squares",
                      unit=480, agents=members)
        )  # fmt: skip
    return (*law, *fair)


def _leave(agent: Agent, calendar: tuple[Day, ...], rng: random.Random) -> Leave:
    start = rng.choice(calendar).date
    return Leave(agent.id, start, start + timedelta(days=rng.randint(0, 4)))
