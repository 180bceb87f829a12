"""What planners keep for all rosters: rules, shifts and the people they need, and each person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated

from pydantic import Field

from web.api.calls import Called
from web.api.fields import NO_ZERO, Asked, AskedNumber, Code, Day, Id, Name, Number, Wanted
from web.api.operations import Operations
from web.api.rosters import agent_of
from wfm.services import house_rules, person_plan, planning_pages, shift_plan
from wfm.services.facts import AgentFacts
from wfm.services.house_rules import RuleWish
from wfm.services.person_plan import Contract, Kept, PersonPage
from wfm.services.planning_pages import RulesPage
from wfm.services.shift_plan import Need, Pattern, Pause
from wfm.tables import HouseRule, ShiftNeed, ShiftTemplate
from wfm.words import Grade, Mode, RestrictionKind

api = Operations("planning")
Weekdays = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
Minute = Annotated[int, Field(ge=0, le=2880, description="of the day, past 1440: the next one")]


class Rule(Wanted):
    """A rule of the desk beside the law: hard without a weight, for all teams or for one."""

    name: Name = Field(min_length=1, examples=["rest"])
    kind: str = Field(max_length=40, pattern=NO_ZERO, examples=["min_rest"])
    values: dict[str, Annotated[str, Field(max_length=400, pattern=NO_ZERO)]] = Field(
        default_factory=dict, max_length=40, examples=[{"minutes": "660"}]
    )
    weight: int | None = Field(None, ge=1, le=1_000_000)
    team: Id | None = None
    source: Name = ""


class Break(Wanted):
    """A break, in minutes of the day, and the window it may be moved in."""

    start: Minute
    end: Minute
    paid: bool = False
    earliest: Minute | None = None
    latest: Minute | None = None


class Shift(Wanted):
    """A pattern of work on a day; an end not after the start is on the next day."""

    name_en: str = Field(max_length=80, pattern=NO_ZERO, examples=["Early"])
    name_zh: str = Field(max_length=80, pattern=NO_ZERO, examples=["早班"])
    starts: time = Field(examples=["08:00:00"])
    ends: time = Field(examples=["16:30:00"])
    paid_minutes: int = Field(ge=0, le=2880, examples=[480])
    mode: Mode = Mode.ON_SITE
    unpopular: bool = False
    site: Id | None = None
    skills: list[Name] = Field(default_factory=list, max_length=60)
    grade: Grade = Grade.ORDINARY
    breaks: list[Break] = Field(default_factory=list, max_length=20)
    min_stretch: int = Field(0, ge=0, le=1440)
    max_stretch: int | None = Field(None, ge=1, le=2880)

    def pattern(self, code: str) -> Pattern:
        return Pattern(
            code, self.name_en, self.name_zh, self.starts.replace(tzinfo=None),
            self.ends.replace(tzinfo=None), self.paid_minutes, self.mode, self.unpopular,
            self.site, tuple(self.skills), self.grade,
            tuple(Pause(**one.model_dump()) for one in self.breaks), self.min_stretch,
            self.max_stretch,
        )  # fmt: skip


class NeedWanted(Wanted):
    """People a shift needs on weekdays (1 is Monday), by skill, grade and level."""

    team: Id
    shift: Name = Field(examples=["early"])
    people: int = Field(ge=1, le=999)
    weekdays: Weekdays = Field(examples=[[1, 2, 3, 4, 5]])
    skill: Id | None = None
    grade: Grade = Grade.ORDINARY
    level: int = Field(1, ge=1, le=5)


class ContractWanted(Wanted):
    """Hours and consents from a day on."""

    since: Day
    minutes_per_day: int = Field(ge=1, le=1440, examples=[480])
    minutes_per_week: int = Field(ge=1, le=10080, examples=[2400])
    night_consent: bool = False
    overtime_consent: bool = False
    standby_consent: bool = False
    reach_minutes: int = Field(0, ge=0, le=1440)
    shifts: list[Name] = Field(default_factory=list, max_length=60)


class SkillHeld(Wanted):
    """A skill with its level and its dates."""

    skill: Id
    level: int = Field(ge=1, le=5, examples=[3])
    first: Day = Field(alias="from")
    last: Day | None = Field(None, alias="until")


class Protection(Wanted):
    """What a person must be spared, until when; the reason is not kept."""

    kind: RestrictionKind
    first: Day = Field(alias="from")
    last: Day | None = Field(None, alias="until")
    minutes: int | None = Field(None, ge=1, le=1440)


class Hours(Wanted):
    """Hours of weekdays in which a person can work."""

    weekdays: Weekdays = Field(examples=[[1, 3]])
    starts: Minute = Field(examples=[540])
    ends: Minute = Field(examples=[1080])
    first: Day = Field(alias="from")


class OtherSite(Wanted):
    site: Id
    reluctance: int = Field(1, ge=0, le=3)


@api.read("/planning/rules")
def rules(call: Called, team: AskedNumber = None) -> RulesPage:
    """Rules in force: the law's, the house's, and what planners added."""
    return planning_pages.rules_page(call.session, call.actor, call.today, team)


@api.write("/planning/rules", method="PUT")
def keep_rule(call: Called, wanted: Rule) -> HouseRule:
    """Add a rule, or change the one of that name."""
    rule = RuleWish(wanted.name, wanted.kind, wanted.values, wanted.weight, wanted.team,
                    wanted.source)  # fmt: skip
    return house_rules.keep(call.session, call.actor, rule, call.at)


@api.write("/planning/rules/{rule}", method="DELETE")
def remove_rule(call: Called, rule: Number) -> None:
    """Remove a rule of the house."""
    house_rules.remove(call.session, call.actor, rule, call.at)


@api.write("/planning/shifts/{shift}", method="PUT")
def set_shift(call: Called, shift: Code, wanted: Shift) -> ShiftTemplate:
    """Add a shift, or change the one of that code."""
    return shift_plan.set_shift(call.session, call.actor, wanted.pattern(shift), call.at)


@api.read("/planning/needs")
def needs(call: Called) -> Sequence[ShiftNeed]:
    """People each shift needs."""
    return planning_pages.shifts_page(call.session, call.actor).needs


@api.write("/planning/needs", status=201)
def add_need(call: Called, wanted: NeedWanted) -> ShiftNeed:
    """Say how many people a shift needs."""
    need = Need(wanted.team, wanted.shift, wanted.people, tuple(wanted.weekdays), wanted.skill,
                wanted.grade, wanted.level)  # fmt: skip
    return shift_plan.add_need(call.session, call.actor, need, call.at)


@api.write("/planning/needs/{need}", method="DELETE")
def remove_need(call: Called, need: Number) -> None:
    """Take it back."""
    shift_plan.remove_need(call.session, call.actor, need, call.at)


@api.read("/planning/people")
def people(call: Called, team: AskedNumber = None, who: Asked = "") -> Sequence[AgentFacts]:
    """People one plans for, with grade, skills and hours."""
    return planning_pages.people_page(call.session, call.actor, call.today, team, who).people


@api.read("/planning/people/{agent}")
def person(call: Called, agent: Code) -> PersonPage:
    """What is kept of a person: skills, protections, hours offered, sites, wishes."""
    return person_plan.person(call.session, call.actor, agent_of(call, agent), call.today)


@api.write("/planning/people/{agent}/contract", method="PUT")
def set_contract(call: Called, agent: Code, wanted: ContractWanted) -> None:
    """Hours and consents from a day on."""
    contract = Contract(**wanted.model_dump() | {"shifts": tuple(wanted.shifts)})
    person_plan.set_contract(call.session, call.actor, agent_of(call, agent), contract,
                             call.today, call.at)  # fmt: skip


@api.write("/planning/people/{agent}/skills")
def set_skill(call: Called, agent: Code, wanted: SkillHeld) -> None:
    """A skill with its level, from a day on."""
    person_plan.set_skill(
        call.session, call.actor, agent_of(call, agent), wanted.skill, wanted.level, wanted.first,
        wanted.last, call.today, call.at,
    )  # fmt: skip


@api.write("/planning/people/{agent}/protections")
def protect(call: Called, agent: Code, wanted: Protection) -> None:
    """Spare a person something."""
    person_plan.protect(
        call.session, call.actor, agent_of(call, agent), wanted.kind, wanted.first, wanted.last,
        wanted.minutes, call.today, call.at,
    )  # fmt: skip


@api.write("/planning/people/{agent}/hours")
def offer_hours(call: Called, agent: Code, wanted: Hours) -> None:
    """Hours of weekdays in which a person can work."""
    person_plan.offer_hours(
        call.session, call.actor, agent_of(call, agent), tuple(wanted.weekdays), wanted.starts,
        wanted.ends, wanted.first, call.today, call.at,
    )  # fmt: skip


@api.write("/planning/people/{agent}/sites")
def add_site(call: Called, agent: Code, wanted: OtherSite) -> None:
    """Another site a person may be sent to."""
    person_plan.add_site(call.session, call.actor, agent_of(call, agent), wanted.site,
                         wanted.reluctance, call.today, call.at)  # fmt: skip


@api.write("/planning/people/{agent}/{kind}/{number}", method="DELETE")
def remove(call: Called, agent: Code, kind: Kept, number: Number) -> None:
    """Remove a skill, a protection, hours or a site of a person."""
    person_plan.remove(
        call.session, call.actor, agent_of(call, agent), kind, number, call.today, call.at
    )
