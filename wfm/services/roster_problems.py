"""From tables to a roster problem: people, days, shifts, cover, rules, wishes, what is given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from scheduler import labour
from scheduler import problem as p
from scheduler.errors import SchedulingError
from scheduler.solution import Roster as Cells
from wfm.errors import Fault, InputError, faults_of
from wfm.services import (
    carry_in,
    house_rules,
    opening,
    roster_given,
    roster_people,
    roster_wishes,
    shift_plan,
)
from wfm.services.day_types import NamedDay, days_between
from wfm.services.duty_days import DutyDay, duty_days
from wfm.services.facts import AgentFacts
from wfm.sla.business_time import BusinessTime
from wfm.tables import (
    HouseRule,
    Requirement,
    Roster,
    ShiftTemplate,
    Site,
    Skill,
    StaffingPlan,
)
from wfm.words import Mode

SLOT_MINUTES = 30
LEAST_ON_SITE = 2
REPLAY_SOURCE = "replay of version "  # begins the source of a requirement a replay added
PLANNER_SOURCE = "planner: "  # begins the source of a requirement a planner added
UNDER_WEIGHT = 10  # per person and half-hour short
FEW_CHANGES = "few changes"
PRESENCE = "two at least, one of them senior"


def minutes_of(template: ShiftTemplate) -> tuple[int, int]:
    """Start and end in minutes from midnight of the day the shift starts on."""
    start = template.starts.hour * 60 + template.starts.minute
    end = template.ends.hour * 60 + template.ends.minute
    return start, end if end > start else end + 24 * 60


def build(
    session: Session, roster: Roster, timezone: str, keep_until: date | None = None
) -> p.RosterProblem:
    """Everything the solver and the judge need to know about one team's period.

    What is published stays as it is up to `keep_until`.

    Raises
    ------
    InputError
        There is nobody in the team, no shift, or no staffing plan for the period yet.
    """
    first, last = roster.period_from, roster.period_until
    facts = roster_people.members(session, roster)
    templates = session.exec(select(ShiftTemplate).order_by(ShiftTemplate.code)).all()
    worked = [t for t in templates if t.mode != Mode.STANDBY]
    plan = newest_plan(session, first, last)
    faults = [
        (not facts, "this team has no agents in the period; import agents first"),
        (not worked, "there are no shift templates; add some first"),
        (plan is None, f"there is no staffing plan from {first} to {last}; make one first"),
    ]
    if any(wrong for wrong, _ in faults):
        raise InputError.of(Fault(message) for wrong, message in faults if wrong)
    assert plan is not None
    named = days_between(session, first, last)
    minded = {day.date: day for day in duty_days(session, first, last)}
    days = tuple(_day(day, minded.get(day.date)) for day in named)
    codes = {agent.id: agent.code for agent in facts}
    holdings = roster_given.holdings(session, codes, first, last)
    locks, forbidden = roster_given.given_cells(session, roster, codes)
    absences = (
        *roster_people.leave(session, codes, first, last),
        *roster_people.elsewhere(session, roster, codes),
    )
    house = house_rules.in_force(session, roster.team_id)
    with faults_of(SchedulingError):
        shifts = {one.code: _shift(session, one) for one in worked}
        agents = roster_people.roster_agents(session, roster, facts, shifts)
        rules = _rules(session, house, facts, agents, days, shifts)
        look_back = carry_in.look_back(rules)
        published = (
            roster_given.published(session, roster, codes, shifts, absences) if keep_until else ()
        )
        return p.RosterProblem(
            name=f"team {roster.team_id}, {first} to {last}",
            agents=agents,
            days=days,
            shifts=tuple(shifts.values()),
            shift_cover=shift_plan.needs(session, roster.team_id, days, shifts),
            interval_cover=(
                *_cover(session, plan, roster, timezone),
                *_presence(opening.desk_time(session, timezone), named, timezone),
            ),
            posts=tuple(roster_given.posts(session, holdings, worked)),
            post_locks=tuple(
                p.PostLock(post.code, held.day, codes[held.agent_id]) for held, post in holdings
            ),
            rules=rules,
            requests=roster_wishes.requests(session, codes, first, last, shifts),
            preferences=(
                *roster_wishes.preferences(session, codes, shifts),
                *house_rules.pay_preferences(house, agents, days),
            ),
            leave=absences,
            locks=locks,
            forbidden=forbidden,
            published=published,
            pins=(p.Pin(first, min(keep_until, last)),) if published and keep_until else (),
            history=carry_in.history(session, codes, first, set(shifts), look_back),
            history_days=look_back,
            slot_minutes=SLOT_MINUTES,
        )


def _rules(
    session: Session,
    house: Sequence[HouseRule],
    facts: Sequence[AgentFacts],
    agents: Sequence[p.Agent],
    days: Sequence[p.Day],
    shifts: dict[str, p.Shift],
) -> tuple[p.Rule, ...]:
    """The law's rules and the house's, with what was worked before on their meters."""
    found = house_rules.rules(session, house, agents, days, shifts)
    weekly = house_rules.part_time(
        {one.code: (one.minutes_per_day, one.minutes_per_week) for one in facts}
    )
    part_time = {code for rule in weekly for code in rule.agents or ()}
    if part_time:
        full = tuple(one.id for one in agents if one.id not in part_time)
        found = tuple(
            replace(rule, agents=full)
            if isinstance(rule, p.ContractMinutes) and rule.agents is None
            else rule
            for rule in found
            if full or not isinstance(rule, p.ContractMinutes)
        )
    codes = {one.id: one.code for one in facts}
    return carry_in.with_past(session, (*found, *weekly), codes, agents, days[0].date, shifts)


def keeping(problem: p.RosterProblem, earlier: Cells, weight: int) -> p.RosterProblem:
    """The same problem, where every cell that differs from an earlier roster has a cost."""
    cells = tuple(
        p.Lock(agent.id, day.date, earlier.cells.get((agent.id, day.date)))
        for agent in problem.agents
        for day in problem.days
    )
    few = p.Stability(name=FEW_CHANGES, earlier=cells, weight=weight, source="house rule")
    return replace(problem, rules=(*problem.rules, few))


def newest_plan(session: Session, first: date, last: date) -> StaffingPlan | None:
    """The newest staffing plan that covers the period."""
    return session.exec(
        select(StaffingPlan)
        .where(StaffingPlan.period_from <= first, StaffingPlan.period_until >= last)
        .order_by(col(StaffingPlan.id).desc())
        .limit(1)
    ).first()


def _day(day: NamedDay, minded: DutyDay | None) -> p.Day:
    """A day with the name and burden the ledger knows it by: of a holiday or an event."""
    if minded is None:
        return p.Day(day.date, day.type.value)
    return p.Day(day.date, day.type.value, minded.name_zh, minded.burden)


def is_night(template: ShiftTemplate) -> bool:
    """Whether a shift reaches into the night, as the law in use knows it."""
    law = labour.MAINLAND_CHINA
    return labour.night_minutes(*minutes_of(template), law, date(2026, 1, 1)) > 0


def _shift(session: Session, template: ShiftTemplate) -> p.Shift:
    start, end = minutes_of(template)
    site = session.get(Site, template.site_id) if template.site_id is not None else None
    return p.Shift(
        id=template.code,
        name=template.name_en,
        start=start,
        end=end,
        minutes=template.paid_minutes,
        mode=template.mode.value,
        site=site.code if site else None,
        skills=tuple(template.skill_codes),
        min_grade=template.min_grade.value,
        breaks=tuple(
            p.Break(
                pause["start"], pause["end"], paid=bool(pause.get("paid", False)),
                earliest=pause.get("earliest"), latest=pause.get("latest"),
            )
            for pause in template.breaks
        ),
        night=is_night(template),
        unpopular=template.unpopular,
        min_stretch=template.min_stretch,
        max_stretch=template.max_stretch,
    )  # fmt: skip


def _cover(
    session: Session, plan: StaffingPlan, roster: Roster, timezone: str
) -> list[p.IntervalCover]:
    """The team's requirement by source; equal neighbouring half-hours become one span."""
    rows = session.exec(
        select(Requirement, Skill.code)
        .join(Skill, col(Skill.id) == Requirement.skill_id)
        .where(Requirement.plan_id == plan.id, Requirement.team_id == roster.team_id)
    ).all()
    zone = ZoneInfo(timezone)
    # what replays and planners added stands beside what the promises ask for: both are wanted
    slots: dict[tuple[date, str, str, str], dict[int, tuple[int, str]]] = defaultdict(dict)
    for row, skill in rows:
        local = row.starts_at.astimezone(zone)
        if roster.period_from <= local.date() <= roster.period_until:
            minute = local.hour * 60 + local.minute
            added = row.source if row.source.startswith((REPLAY_SOURCE, PLANNER_SOURCE)) else ""
            place = slots[local.date(), skill, row.tier.value, added]
            place[minute] = (round(row.people), row.source)
    covers = []
    for (day, skill, tier, _), people in sorted(slots.items()):
        for start, end, wanted, cause in _spans(people):
            covers.append(
                p.IntervalCover(
                    day, start, end, wanted, under_weight=UNDER_WEIGHT, skill=skill,
                    min_grade=tier, cause=cause,  # type: ignore[arg-type]
                )
            )  # fmt: skip
    return covers


def _spans(people: dict[int, tuple[int, str]]) -> list[tuple[int, int, int, str]]:
    """Runs of neighbouring slots with equal numbers: (start, end, people, promise)."""
    found: list[tuple[int, int, int, str]] = []
    for minute, (wanted, cause) in sorted(people.items()):
        if wanted <= 0:
            continue
        if found and found[-1][1] == minute and found[-1][2] == wanted:
            found[-1] = (found[-1][0], minute + SLOT_MINUTES, wanted, found[-1][3])
        else:
            found.append((minute, minute + SLOT_MINUTES, wanted, cause))
    return found


def _presence(time: BusinessTime, days: list[NamedDay], timezone: str) -> list[p.IntervalCover]:
    """Whenever the desk is open: two people of the team, one of them senior or above."""
    return [
        p.IntervalCover(
            day.date, opens, closes, wanted, minimum=wanted, under_weight=0,
            minimum_weight=3 * UNDER_WEIGHT, min_grade=grade,  # type: ignore[arg-type]
            exclusive=False, cause=PRESENCE,
        )
        for day in days
        for opens, closes in _open_spans(time, day.date, timezone)
        for grade, wanted in (("ordinary", LEAST_ON_SITE), ("senior", 1))
    ]  # fmt: skip


def _open_spans(time: BusinessTime, day: date, timezone: str) -> list[tuple[int, int]]:
    """When the desk is open on a day, in whole slots from midnight."""
    starts = range(0, 24 * 60, SLOT_MINUTES)
    is_open = {at: (1, "") for at in starts if time.is_open(instant_of(day, at, timezone))}
    return [(start, end) for start, end, _, _ in _spans(is_open)]


def instant_of(day: date, minute: int, timezone: str) -> datetime:
    """The instant a wall clock shows `minute` minutes after midnight of `day`."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return wall.replace(tzinfo=ZoneInfo(timezone))


def span_on(template: ShiftTemplate, day: date, timezone: str) -> tuple[datetime, datetime]:
    """The instants between which a shift of a day runs."""
    start, end = minutes_of(template)
    return instant_of(day, start, timezone), instant_of(day, end, timezone)


def breaks_on(
    template: ShiftTemplate, day: date, timezone: str, starts: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """The breaks of a shift of a day, as instants; begun at `starts` where they were moved."""
    found = []
    for n, pause in enumerate(template.breaks):
        start = pause["start"] if starts is None else starts[n]
        end = start + pause["end"] - pause["start"]
        found.append(
            {
                "from": instant_of(day, start, timezone).isoformat(),
                "until": instant_of(day, end, timezone).isoformat(),
                "paid": bool(pause.get("paid", False)),
            }
        )
    return found


def break_starts(breaks: Sequence[dict[str, Any]], day: date) -> tuple[int, ...]:
    """Minutes from midnight of its day at which the breaks of a stored duty begin."""
    midnight = datetime(day.year, day.month, day.day)
    return tuple(
        round((datetime.fromisoformat(one["from"]).replace(tzinfo=None) - midnight).total_seconds())
        // 60
        for one in breaks
    )
