"""From tables to a roster problem: people, days, shifts, cover, rules, wishes, what is given."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from scheduler import labour
from scheduler import problem as p
from scheduler.errors import SchedulingError
from scheduler.labour_rules import roster_rules
from scheduler.ledger import fairness_rules
from scheduler.solution import Roster as Cells
from wfm.errors import Fault, InputError, faults_of
from wfm.services import opening, roster_people
from wfm.services.day_types import NamedDay, days_between
from wfm.services.duty_days import DutyDay, duty_days
from wfm.services.ledger import ledger
from wfm.sla.business_time import BusinessTime
from wfm.tables import (
    Assignment,
    Post,
    PostHolding,
    Requirement,
    Roster,
    RosterLock,
    ShiftTemplate,
    Skill,
    StaffingPlan,
)
from wfm.words import LockKind, Mode

HISTORY_DAYS = 7  # rules look back one week: rest, days in a row, the week's rest day
SLOT_MINUTES = 30
REST_MINUTES = 11 * 60
LEAST_ON_SITE = 2
REPLAY_SOURCE = "replay of version "  # begins the source of a requirement a replay added
UNDER_WEIGHT = 10  # per person and half-hour short
POST_WEIGHT = 2000
FEW_CHANGES = "few changes"
PRESENCE = "two at least, one of them senior"
FAIR_WEIGHT = 5


def minutes_of(template: ShiftTemplate) -> tuple[int, int]:
    """Start and end in minutes from midnight of the day the shift starts on."""
    start = template.starts.hour * 60 + template.starts.minute
    end = template.ends.hour * 60 + template.ends.minute
    return start, end if end > start else end + 24 * 60


def build(session: Session, roster: Roster, timezone: str) -> p.RosterProblem:
    """Everything the solver and the judge need to know about one team's period.

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
    holdings = _holdings(session, codes, first, last)
    restricted = roster_people.restrictions(session)
    locks, forbidden = given_cells(session, roster, codes)
    with faults_of(SchedulingError):
        return p.RosterProblem(
            name=f"team {roster.team_id}, {first} to {last}",
            agents=tuple(
                roster_people.roster_agent(agent, restricted[agent.id]) for agent in facts
            ),
            days=days,
            shifts=tuple(_shift(template) for template in worked),
            interval_cover=(
                *_cover(session, plan, roster, timezone),
                *_presence(opening.desk_time(session, timezone), named, timezone),
            ),
            posts=tuple(_posts(holdings, worked)),
            post_locks=tuple(
                p.PostLock(post.code, held.day, codes[held.agent_id]) for held, post in holdings
            ),
            rules=(*roster_rules(first, last), *_desk_rules(session, list(codes.values()), days)),
            leave=(
                *roster_people.leave(session, codes, first, last),
                *roster_people.elsewhere(session, roster, codes),
            ),
            locks=locks,
            forbidden=forbidden,
            history=tuple(_history(session, codes, first, {t.code for t in worked})),
            history_days=HISTORY_DAYS,
            slot_minutes=SLOT_MINUTES,
        )


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


def _shift(template: ShiftTemplate) -> p.Shift:
    start, end = minutes_of(template)
    return p.Shift(
        id=template.code,
        name=template.name_en,
        start=start,
        end=end,
        minutes=template.paid_minutes,
        mode=template.mode.value,
        breaks=tuple(
            p.Break(pause["start"], pause["end"], paid=bool(pause.get("paid", False)))
            for pause in template.breaks
        ),
        night=is_night(template),
        unpopular=template.unpopular,
    )


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
    # what replays added stands beside what the promises ask for: both are wanted
    slots: dict[tuple[date, str, str, str], dict[int, tuple[int, str]]] = defaultdict(dict)
    for row, skill in rows:
        local = row.starts_at.astimezone(zone)
        if roster.period_from <= local.date() <= roster.period_until:
            minute = local.hour * 60 + local.minute
            added = row.source if row.source.startswith(REPLAY_SOURCE) else ""
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


def _posts(holdings: list[tuple[PostHolding, Post]], shifts: list[ShiftTemplate]) -> list[p.Post]:
    """The holiday posts that the duty table gives to people of this team."""
    on_site = tuple(t.code for t in shifts if t.mode == Mode.ON_SITE)
    days: dict[str, list[date]] = defaultdict(list)
    posts = {post.code: post for _, post in holdings}
    for holding, post in holdings:
        days[post.code].append(holding.day)
    return [
        p.Post(
            id=code,
            days=tuple(sorted(set(held))),
            name=posts[code].name_en,
            count=max(held.count(day) for day in held),
            min_grade=posts[code].min_grade.value,
            shifts=() if posts[code].mode == Mode.STANDBY else on_site,
            exclusive=posts[code].mode == Mode.STANDBY,
            weight=POST_WEIGHT,
        )
        for code, held in sorted(days.items())
    ]


def _holdings(
    session: Session, codes: dict[int, str], first: date, last: date
) -> list[tuple[PostHolding, Post]]:
    return list(
        session.exec(
            select(PostHolding, Post)
            .join(Post, col(Post.id) == PostHolding.post_id)
            .where(
                col(PostHolding.agent_id).in_(codes),
                PostHolding.day >= first,
                PostHolding.day <= last,
            )
            .order_by(col(PostHolding.day), Post.code)
        )
    )


def _desk_rules(session: Session, agents: list[str], days: tuple[p.Day, ...]) -> tuple[p.Rule, ...]:
    """The house's own rules beside the law, and fair shares over the years."""
    rules: tuple[p.Rule, ...] = (
        p.MinRest(name="rest between duties", minutes=REST_MINUTES, source="house rule"),
        p.ContractMinutes(name="contract hours", tolerance=480, weight=20, source="contract"),
        p.MinDaysOff(name="days off in a row", days=2, weight=3, source="house rule"),
        p.FairShare(
            name="fair unpopular shifts", weight=FAIR_WEIGHT, measure="unpopular",
            source="house rule",
        ),
    )  # fmt: skip
    if not any(day.burden for day in days):
        return rules
    past = ledger(session, before=days[0].date)
    return rules + fairness_rules(past, days, agents, share_weight=10, unit=10)


def _locks(session: Session, roster: Roster, codes: dict[int, str]) -> list[p.Lock]:
    return [
        p.Lock(codes[row.agent_id], row.day, row.shift_code)
        for row in _roster_locks(session, roster, LockKind.FIX)
        if row.agent_id in codes
    ]


def _forbidden(session: Session, roster: Roster, codes: dict[int, str]) -> list[p.Forbidden]:
    return [
        p.Forbidden(codes[row.agent_id], row.day, row.shift_code, row.reason)
        for row in _roster_locks(session, roster, LockKind.FORBID)
        if row.agent_id in codes
    ]


def given_cells(
    session: Session, roster: Roster, codes: dict[int, str]
) -> tuple[tuple[p.Lock, ...], tuple[p.Forbidden, ...]]:
    """Cells the planner fixed, and those that may not be given: what is not open to anybody."""
    templates = session.exec(select(ShiftTemplate).order_by(ShiftTemplate.code)).all()
    worked = [t for t in templates if t.mode != Mode.STANDBY]
    last = (roster.period_until - roster.period_from).days
    days = [roster.period_from + timedelta(days=n) for n in range(last + 1)]
    restricted = roster_people.restrictions(session)
    return (
        tuple(_locks(session, roster, codes)),
        (
            *_forbidden(session, roster, codes),
            *roster_people.from_home(restricted, codes, days, worked),
        ),
    )


def _roster_locks(session: Session, roster: Roster, kind: LockKind) -> list[RosterLock]:
    query = select(RosterLock).where(RosterLock.roster_id == roster.id, RosterLock.kind == kind)
    return list(session.exec(query.order_by(col(RosterLock.id))))


def _history(
    session: Session, codes: dict[int, str], first: date, shifts: set[str]
) -> list[p.PastDuty]:
    """Published duties of the days just before the period."""
    rows = session.exec(
        select(Assignment)
        .where(
            Assignment.live,
            col(Assignment.agent_id).in_(codes),
            Assignment.day < first,
            Assignment.day >= first - timedelta(days=HISTORY_DAYS),
        )
        .order_by(col(Assignment.agent_id), col(Assignment.starts_at))
    )
    past = []
    for _, duties in groupby(rows, key=lambda row: (row.agent_id, row.day)):
        duty = next(duties)  # one duty a day is what the rules know
        if duty.shift_code in shifts:
            past.append(p.PastDuty(codes[duty.agent_id], duty.day, duty.shift_code))
    return past


def instant_of(day: date, minute: int, timezone: str) -> datetime:
    """The instant a wall clock shows `minute` minutes after midnight of `day`."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return wall.replace(tzinfo=ZoneInfo(timezone))


def span_on(template: ShiftTemplate, day: date, timezone: str) -> tuple[datetime, datetime]:
    """The instants between which a shift of a day runs."""
    start, end = minutes_of(template)
    return instant_of(day, start, timezone), instant_of(day, end, timezone)


def breaks_on(template: ShiftTemplate, day: date, timezone: str) -> list[dict[str, Any]]:
    """The breaks of a shift of a day, as instants."""
    return [
        {
            "from": instant_of(day, pause["start"], timezone).isoformat(),
            "until": instant_of(day, pause["end"], timezone).isoformat(),
            "paid": bool(pause.get("paid", False)),
        }
        for pause in template.breaks
    ]
