"""What planners keep for all rosters: rules, shifts, people; and what agents wish."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import BaseModel, Field

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import LARGEST, AskedId, FormId, PathId
from wfm.errors import Fault, InputError
from wfm.services import (
    agent_desk,
    house_rules,
    person_plan,
    planning_pages,
    roster_wishes,
    shift_plan,
)
from wfm.services.house_rules import RuleWish
from wfm.services.person_plan import Contract, Kept
from wfm.services.roster_wishes import Liked, Wished
from wfm.services.shift_plan import Need, Pattern, Pause
from wfm.tables import RosterPreference, RosterWish
from wfm.words import Grade, Mode, RestrictionKind

router = APIRouter()
LONGEST = 400

Days = Annotated[list[int], Form(max_length=7)]
Codes = Annotated[list[str] | None, Form(max_length=60)]
Strength = Annotated[int, Form(ge=1, le=3)]
Text = Annotated[str, Form(max_length=LONGEST)]


# -- rules ----------------------------------------------------------------------------------------


@router.get("/planning/rules")
def rules(
    desk: AtDesk,
    kind: Annotated[str, Query(max_length=40)] = "min_rest",
    team: AskedId = None,
) -> Response:
    page = planning_pages.rules_page(desk.session, desk.actor, desk.today, team)
    kind = kind if kind in house_rules.KINDS else "min_rest"
    return desk.page(
        "planning_rules.html", block="form", page=page, kind=kind, kinds=house_rules.KINDS,
        fields=house_rules.fields_of(kind), tab="rules",
    )  # fmt: skip


async def _sent(request: Request) -> dict[str, str]:
    """A form as it was sent; several values of one name are told apart by blanks."""
    sent = await request.form()
    return {
        str(name): " ".join(str(one)[:LONGEST] for one in sent.getlist(name)) for name in set(sent)
    }


@router.post("/planning/rules")
def keep_rule(desk: AtDesk, sent: Annotated[dict[str, str], Depends(_sent)]) -> Response:
    """Add a rule or change one; the fields of the form depend on its kind."""
    rule = RuleWish(
        sent.get("name", ""), sent.get("kind", ""), sent, _number(sent, "weight"),
        _number(sent, "team"), sent.get("source", ""),
    )  # fmt: skip
    house_rules.keep(desk.session, desk.actor, rule, desk.at)
    return htmx.go_to(desk.request, "/planning/rules")


def _number(sent: dict[str, str], name: str) -> int | None:
    text = sent.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) <= LARGEST):
        raise InputError.of([Fault("a whole number expected", column=name, value=text[:40])])
    return int(text) if text else None


@router.post("/planning/rules/{number}/remove")
def remove_rule(desk: AtDesk, number: PathId) -> Response:
    house_rules.remove(desk.session, desk.actor, number, desk.at)
    return htmx.go_to(desk.request, "/planning/rules")


# -- shifts ---------------------------------------------------------------------------------------


@router.get("/planning/shifts")
def shifts(desk: AtDesk, code: Annotated[str, Query(max_length=120)] = "") -> Response:
    page = planning_pages.shifts_page(desk.session, desk.actor)
    chosen = next((one for one in page.shifts if one.code == code), None)
    return desk.page("planning_shifts.html", page=page, chosen=chosen, tab="shifts")


@router.post("/planning/shifts")
def set_shift(
    desk: AtDesk,
    code: Annotated[str, Form(min_length=1, max_length=40, pattern=r"^[\w-]+$")],
    name_en: Annotated[str, Form(max_length=80)],
    name_zh: Annotated[str, Form(max_length=80)],
    starts: Annotated[time, Form()] = time(8),
    ends: Annotated[time, Form()] = time(16, 30),
    paid_minutes: Annotated[int, Form(ge=0, le=2880)] = 480,
    mode: Annotated[Mode, Form()] = Mode.ON_SITE,
    unpopular: Annotated[bool, Form()] = False,
    site: Annotated[str, Form(pattern=r"^\d{0,9}$")] = "",
    skills: Codes = None,
    grade: Annotated[Grade, Form()] = Grade.ORDINARY,
    breaks: Text = "",
    min_stretch: Annotated[int, Form(ge=0, le=1440)] = 0,
    max_stretch: Annotated[str, Form(pattern=r"^\d{0,4}$")] = "",
) -> Response:
    pattern = Pattern(
        code, name_en, name_zh, starts, ends, paid_minutes, mode, unpopular,
        int(site) if site else None, tuple(skills or ()), grade,
        tuple(_pauses(breaks, starts)), min_stretch, int(max_stretch) if max_stretch else None,
    )  # fmt: skip
    shift_plan.set_shift(desk.session, desk.actor, pattern, desk.at)
    return htmx.go_to(desk.request, "/planning/shifts")


PAUSE = re.compile(
    r"(\d\d):(\d\d)-(\d\d):(\d\d)(?: in (\d\d):(\d\d)-(\d\d):(\d\d))?( paid)?", re.ASCII
)


def _pauses(text: str, starts: time) -> list[Pause]:
    """Breaks as ``11:30-12:00 in 11:00-13:30 paid``, one a line; the window may be left out."""
    begin = starts.hour * 60 + starts.minute
    found = []
    for line in filter(None, (part.strip() for part in re.split(r"[\n;]", text))):
        match = PAUSE.fullmatch(line)
        if match is None:
            raise InputError.of(
                [Fault("a break like 11:30-12:00 in 11:00-13:30 is expected", column="breaks",
                       value=line[:60])]
            )  # fmt: skip
        numbers = [int(part) if part else None for part in match.groups()[:8]]
        times = [
            None if hour is None or minute is None else hour * 60 + minute
            for hour, minute in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        # a break after midnight of a night shift is on the next day
        start, end, earliest, latest = (
            None if at is None else at + 1440 * (at < begin) for at in times
        )
        assert start is not None
        assert end is not None
        found.append(Pause(start, end, bool(match[9]), earliest, latest))
    return found


@router.post("/planning/needs")
def add_need(
    desk: AtDesk,
    team: FormId,
    shift: Annotated[str, Form(max_length=120)],
    people: Annotated[int, Form(ge=1, le=999)],
    weekdays: Days,
    skill: Annotated[str, Form(pattern=r"^\d{0,9}$")] = "",
    grade: Annotated[Grade, Form()] = Grade.ORDINARY,
    level: Annotated[int, Form(ge=1, le=5)] = 1,
) -> Response:
    need = Need(team, shift, people, tuple(weekdays), int(skill) if skill else None, grade, level)
    shift_plan.add_need(desk.session, desk.actor, need, desk.at)
    return htmx.go_to(desk.request, "/planning/shifts#needs")


@router.post("/planning/needs/{number}/remove")
def remove_need(desk: AtDesk, number: PathId) -> Response:
    shift_plan.remove_need(desk.session, desk.actor, number, desk.at)
    return htmx.go_to(desk.request, "/planning/shifts#needs")


# -- people ---------------------------------------------------------------------------------------


@router.get("/planning/people")
def people(
    desk: AtDesk, team: AskedId = None, who: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    page = planning_pages.people_page(desk.session, desk.actor, desk.today, team, who)
    return desk.page("planning_people.html", page=page, team=team, who=who, tab="people")


@router.get("/planning/people/{agent_id}")
def person(desk: AtDesk, agent_id: PathId) -> Response:
    page = person_plan.person(desk.session, desk.actor, agent_id, desk.today)
    return desk.page("planning_person.html", page=page, kinds=list(RestrictionKind), tab="people")


def _to_person(desk: Desk, agent_id: int) -> Response:
    return htmx.go_to(desk.request, f"/planning/people/{agent_id}")


def _day(text: str, column: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError.of([Fault("not a date; expected YYYY-MM-DD", column=column)]) from None


@router.post("/planning/people/{agent_id}/contract")
def set_contract(
    desk: AtDesk,
    agent_id: PathId,
    since: Annotated[date, Form()],
    hours_day: Annotated[float, Form(gt=0, le=24)],
    hours_week: Annotated[float, Form(gt=0, le=168)],
    night: Annotated[bool, Form()] = False,
    overtime: Annotated[bool, Form()] = False,
    standby: Annotated[bool, Form()] = False,
    reach: Annotated[int, Form(ge=0, le=1440)] = 0,
    shifts: Codes = None,
) -> Response:
    wanted = Contract(
        since, round(60 * hours_day), round(60 * hours_week), night, overtime, standby, reach,
        tuple(shifts or ()),
    )  # fmt: skip
    person_plan.set_contract(desk.session, desk.actor, agent_id, wanted, desk.today, desk.at)
    return _to_person(desk, agent_id)


@router.post("/planning/people/{agent_id}/skill")
def set_skill(
    desk: AtDesk,
    agent_id: PathId,
    skill: FormId,
    level: Annotated[int, Form(ge=1, le=5)],
    first: Annotated[date, Form(alias="from")],
    last: Annotated[str, Form(alias="until", pattern=r"^(\d{4}-\d\d-\d\d)?$")] = "",
) -> Response:
    person_plan.set_skill(
        desk.session, desk.actor, agent_id, skill, level, first, _day(last, "until"), desk.today,
        desk.at,
    )  # fmt: skip
    return _to_person(desk, agent_id)


@router.post("/planning/people/{agent_id}/protect")
def protect(
    desk: AtDesk,
    agent_id: PathId,
    kind: Annotated[RestrictionKind, Form()],
    first: Annotated[date, Form(alias="from")],
    last: Annotated[str, Form(alias="until", pattern=r"^(\d{4}-\d\d-\d\d)?$")] = "",
    minutes: Annotated[str, Form(pattern=r"^\d{0,4}$")] = "",
) -> Response:
    person_plan.protect(
        desk.session, desk.actor, agent_id, kind, first, _day(last, "until"),
        int(minutes) if minutes else None, desk.today, desk.at,
    )  # fmt: skip
    return _to_person(desk, agent_id)


@router.post("/planning/people/{agent_id}/hours")
def offer_hours(
    desk: AtDesk,
    agent_id: PathId,
    weekdays: Days,
    first: Annotated[date, Form(alias="from")],
    starts: Annotated[time, Form()] = time(8),
    ends: Annotated[time, Form()] = time(18),
) -> Response:
    start, end = (at.hour * 60 + at.minute for at in (starts, ends))
    person_plan.offer_hours(
        desk.session, desk.actor, agent_id, tuple(weekdays), start,
        end if end > start else end + 1440, first, desk.today, desk.at,
    )  # fmt: skip
    return _to_person(desk, agent_id)


@router.post("/planning/people/{agent_id}/site")
def add_site(
    desk: AtDesk,
    agent_id: PathId,
    site: FormId,
    reluctance: Annotated[int, Form(ge=0, le=3)] = 1,
) -> Response:
    person_plan.add_site(
        desk.session, desk.actor, agent_id, site, reluctance, desk.today, desk.at
    )  # fmt: skip
    return _to_person(desk, agent_id)


@router.post("/planning/people/{agent_id}/remove")
def remove(
    desk: AtDesk, agent_id: PathId, kind: Annotated[Kept, Form()], number: FormId
) -> Response:
    person_plan.remove(desk.session, desk.actor, agent_id, kind, number, desk.today, desk.at)
    return _to_person(desk, agent_id)


# -- wishes ---------------------------------------------------------------------------------------


@router.get("/me/wishes")
def own_wishes(desk: AtDesk) -> Response:
    agent = agent_desk.own_agent(desk.session, desk.actor)
    page = planning_pages.wishes_page(desk.session, desk.actor, agent, desk.today)
    return desk.page("me_wishes.html", page=page, here="/me/wishes")


class WishDay(BaseModel):
    """A wish for one day."""

    day: date
    wants: bool
    shift: str = Field(default="", max_length=120)
    strength: int = Field(default=2, ge=1, le=3)
    note: str = Field(default="", max_length=300)


def _whose(desk: Desk, agent: int | None) -> tuple[int, str]:
    """Whose wishes, and where to go back to: a planner may write down those of others."""
    if agent is not None:
        return agent, f"/planning/people/{agent}#wishes"
    own = agent_desk.own_agent(desk.session, desk.actor)
    assert own.id is not None
    return own.id, "/me/wishes"


@router.post("/me/wishes/day")
def wish(desk: AtDesk, asked: Annotated[WishDay, Form()], agent: AskedId = None) -> Response:
    number, back = _whose(desk, agent)
    wished = Wished(asked.day, asked.wants, asked.shift or None, asked.strength, asked.note)
    roster_wishes.wish(desk.session, desk.actor, number, wished, desk.today, desk.at)
    return htmx.go_to(desk.request, back)


@router.post("/me/wishes/like")
def like(
    desk: AtDesk,
    wants: Annotated[bool, Form()],
    weekdays: Days,
    strength: Strength = 1,
    shifts: Codes = None,
    agent: AskedId = None,
) -> Response:
    number, back = _whose(desk, agent)
    liked = Liked(wants, tuple(shifts or ()), tuple(weekdays), strength)
    roster_wishes.like(desk.session, desk.actor, number, liked, desk.today, desk.at)
    return htmx.go_to(desk.request, back)


@router.post("/me/wishes/take-back")
def take_back(
    desk: AtDesk,
    number: FormId,
    kind: Annotated[Literal["day", "like"], Form()],
    agent: AskedId = None,
) -> Response:
    _, back = _whose(desk, agent)
    table = RosterWish if kind == "day" else RosterPreference
    roster_wishes.take_back(desk.session, desk.actor, table, number, desk.today, desk.at)
    return htmx.go_to(desk.request, back)
