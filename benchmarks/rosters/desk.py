"""Seeded desk problems of any size: skills, tiers, breaks, law, two public holidays, carry-in.

Teams of about twenty that share nobody, unless some people are given the skills of two teams.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date, timedelta

from scheduler.problem import (
    Agent,
    Break,
    Day,
    FairShare,
    HeldDay,
    IntervalCover,
    Leave,
    MaxConsecutive,
    MaxWeekends,
    MinRest,
    NamedDayRepeat,
    OvertimeLimit,
    PastDuty,
    Post,
    Preference,
    Request,
    RestAfter,
    RestDays,
    Restriction,
    RosterProblem,
    Rule,
    Shift,
    ShiftCover,
)
from scheduler.problem.parts import Grade

# each shift pauses while another is there; at night one rests at the desk
SHIFTS = (
    Shift("early", 7 * 60, 15 * 60 + 30, breaks=(Break(11 * 60, 11 * 60 + 30, paid=False),)),
    Shift("day", 9 * 60 + 30, 18 * 60, breaks=(Break(12 * 60 + 30, 13 * 60, paid=False),)),
    Shift("late", 13 * 60 + 30, 22 * 60, breaks=(Break(17 * 60, 17 * 60 + 30, paid=False),)),
    Shift("night", 22 * 60, 31 * 60, minutes=480, night=True, unpopular=True),
)
# as announced for 2026: Mid-Autumn and National Day, and the Saturday worked in exchange
STATUTORY = {
    date(2026, 9, 25): "中秋节",
    **{date(2026, 10, day): f"10月{day}日" for day in (1, 2, 3)},
}
OFF = {
    date(2026, 9, 26): "中秋假期",
    date(2026, 9, 27): "中秋假期",
    **{date(2026, 10, day): f"10月{day}日" for day in (4, 5, 6, 7)},
}
MAKE_UP = {date(2026, 10, 10): "国庆调休上班"}
TEAM = 20
FIRST = date(2026, 9, 21)
HISTORY = 7  # days of carry-in
GRADES: tuple[Grade, ...] = ("expert", "senior", "senior", "ordinary", "ordinary", "ordinary")
SKILLS = ("network", "billing", "device")


def desk_problem(people: int, days: int, seed: int, shared: int = 0) -> RosterProblem:
    """Demand follows the hour, the type of day and the size of the team.

    `shared` percent of the people have the skills of the next team as well, which ties all teams
    together.
    """
    rng = random.Random(seed)
    teams = [
        range(people * t // count, people * (t + 1) // count)
        for count in [math.ceil(people / TEAM)]
        for t in range(count)
    ]
    last = FIRST + timedelta(days=days - 1)
    agents = tuple(
        _agent(i, team, members[0], last, rng)
        for team, members in enumerate(teams)
        for i in members
    )
    agents = tuple(_with_second(agent, len(teams), shared, rng) for agent in agents)
    calendar = tuple(_day(FIRST + timedelta(days=i)) for i in range(days))
    return RosterProblem(
        agents=agents,
        days=calendar,
        shifts=SHIFTS,
        interval_cover=tuple(
            cover
            for team, members in enumerate(teams)
            for day in calendar
            for cover in _demand(day, team, len(members))
        ),
        shift_cover=tuple(
            ShiftCover(
                day.date, "night", 1, under_weight=200, skill=f"team{team}", min_grade="senior"
            )
            for team in range(len(teams))
            for day in calendar
        ),
        posts=_posts(calendar, len(teams)),
        rules=_rules(agents, calendar, rng),
        requests=tuple(
            Request(agent.id, rng.choice(calendar).date, rng.random() < 0.3, rng.randint(1, 5))
            for agent in agents
            for _ in range(3)
        ),
        preferences=tuple(
            Preference(agent.id, 1, ("late",)) for agent in agents if rng.random() < 0.1
        ),
        leave=tuple(_leave(agent, calendar, rng) for agent in agents if rng.random() < 0.15),
        history=tuple(duty for i, agent in enumerate(agents) for duty in _past(i, agent)),
        history_days=HISTORY,
        name=f"desk of {people} people, {days} days, seed {seed}",
    )


def _agent(i: int, team: int, first: int, last: date, rng: random.Random) -> Agent:
    grade = GRADES[(i - first) % 6]
    skill = (i - first) % len(SKILLS)  # as many for each, then a second for every other one
    second = (skill + rng.choice((1, 2))) % len(SKILLS)
    own = [f"{SKILLS[n]}{team}" for n in ((skill, second) if rng.random() < 0.5 else (skill,))]
    chance = rng.random()
    protected = (Restriction("no_nights", FIRST, last, "女职工劳动保护特别规定 art. 6"),)
    return Agent(
        f"p{i:04}",
        grade=grade,
        skills=(f"team{team}", *own),
        team=f"team{team}",
        restrictions=protected if chance < 0.03 else (),
        declines=("nights",) if 0.03 <= chance < 0.08 else (),
        day_minutes=240 if chance > 0.95 else 480,
    )


def _with_second(agent: Agent, teams: int, shared: int, rng: random.Random) -> Agent:
    """The agent, perhaps with the skills of the next team as well."""
    if teams == 1 or not shared or rng.random() >= shared / 100:
        return agent
    home = int(agent.team.removeprefix("team"))
    second = (skill.removesuffix(str(home)) for skill in agent.skills)
    return replace(
        agent, skills=(*agent.skills, *(f"{skill}{(home + 1) % teams}" for skill in second))
    )


def _past(i: int, agent: Agent) -> list[PastDuty]:
    """The week before: five days on one shift, the two days off spread over the week."""
    shift = SHIFTS[i % 3].id
    days = (FIRST - timedelta(days=back) for back in range(1, HISTORY + 1))
    return [PastDuty(agent.id, day, shift) for day in days if (day.weekday() - i) % 7 < 5]


def _day(day: date) -> Day:
    if day in STATUTORY:
        return Day(day, "statutory_holiday", STATUTORY[day], burden=10)
    if day in OFF:
        return Day(day, "rest_day", OFF[day], burden=4)
    if day in MAKE_UP:
        return Day(day, "make_up_workday", MAKE_UP[day])
    return Day(day, "rest_day" if day.weekday() >= 5 else "workday")


def _demand(day: Day, team: int, size: int) -> list[IntervalCover]:
    busy = size / TEAM * (1.0 if day.type in ("workday", "make_up_workday") else 0.5)
    spans = ((0, 420, 1), (420, 540, 2), (540, 720, 8), (720, 1080, 7), (1080, 1320, 4),
             (1320, 1440, 1))  # fmt: skip
    covers = []
    for start, end, load in spans[day.date == FIRST :]:  # the night before belongs to its roster
        wanted = max(1, round(load * busy))
        for n, skill in enumerate(SKILLS):
            share = wanted // 3 + (n < wanted % 3)
            upper = share // 2  # of two, one for the second tier
            for tier, count in (("ordinary", share - upper), ("senior", upper)):
                if count:
                    covers.append(
                        IntervalCover(day.date, start, end, count, 1, 10, 20,
                                      skill=f"{skill}{team}", min_grade=tier)
                    )  # fmt: skip
        covers.append(
            IntervalCover(day.date, start, end, 1, 0, 15, 0, skill=f"team{team}",
                          min_grade="senior", exclusive=False)
        )  # fmt: skip
    return covers


def _posts(calendar: tuple[Day, ...], teams: int) -> tuple[Post, ...]:
    held = tuple(d.date for d in calendar if d.burden)
    return tuple(
        Post(f"lead{team}", held, min_grade="senior", skill=f"team{team}", weight=500)
        for team in range(teams)
        if held
    )


def _rules(
    agents: tuple[Agent, ...], calendar: tuple[Day, ...], rng: random.Random
) -> tuple[Rule, ...]:
    held = tuple(
        HeldDay(agent.id, day.name)
        for agent in agents
        for day in calendar
        if day.type == "statutory_holiday" and rng.random() < 0.3
    )
    law: list[Rule] = [
        MinRest(name="rest of 11 h", minutes=660),
        MaxConsecutive(name="six days", days=6),
        RestDays(name="a rest day a week", source="劳动法 art. 38"),
        OvertimeLimit(name="36 h", source="劳动法 art. 41"),
        MaxConsecutive(name="four nights", days=4, shifts=("night",)),
        RestAfter(name="rest after nights", shifts=("night",), days_off=1),
        MaxWeekends(name="three weekends of four", weekends=3, window=4),
    ]
    if held:
        law.append(NamedDayRepeat(name="not the same day again", weight=30, held=held))
    fair: list[Rule] = []
    for team in sorted({agent.team for agent in agents}):
        members = tuple(agent.id for agent in agents if agent.team == team)
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
