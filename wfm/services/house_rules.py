"""Rules a roster must or should keep: the law, the house's own, and what planners added to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sqlmodel import Session, col, or_, select

from scheduler import problem as p
from scheduler.errors import SchedulingError
from scheduler.labour_rules import Emergency, roster_rules
from scheduler.ledger import fairness_rules
from scheduler.pay import ComprehensiveHours
from scheduler.problem.json_form import from_plain
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError, faults_of
from wfm.services.ledger import ledger
from wfm.tables import Agent, HouseRule, ShiftTemplate, Team
from wfm.words import Mode

REST_MINUTES = 11 * 60
FAIR_WEIGHT = 5
HOURS_WEIGHT = 20
STANDARD_DAY = 480
# OvertimeLimit counts a holiday's hour once; paid at 300 % it weighs as two of other overtime
HOLIDAY_EXTRA_HOURS = 8
NONE = "none"
PAY, COMPREHENSIVE, EMERGENCY = "pay", "comprehensive_hours", "emergency"
SPECIAL: dict[str, dict[str, Any]] = {
    NONE: {},
    PAY: {},
    COMPREHENSIVE: {"approval": str, "first": date, "last": date, "work_days": int},
    EMERGENCY: {"reason": str},
}
GIVEN = {"name", "weight", "source", "teams", "past"}
RULES: dict[str, type[Any]] = {
    kind.kind: kind
    for kind in (
        p.MinRest, p.ForbiddenSuccession, p.MaxConsecutive, p.MinConsecutive, p.MinDaysOff,
        p.RestDays, p.RestAfter, p.MinutesLimit, p.OvertimeLimit, p.ContractMinutes,
        p.MaxWeekends, p.WholeWeekends, p.ShiftLimit, p.StartChange, p.Rotation, p.Apart,
        p.Together, p.FairShare,
    )
}  # fmt: skip
KINDS = (*RULES, *SPECIAL)
SHIFT_FIELDS = {"shifts", "first", "then"}
DEFAULTS: tuple[p.Rule, ...] = (
    p.MinRest(name="rest between duties", minutes=REST_MINUTES, source="house rule"),
    p.ContractMinutes(name="contract hours", tolerance=480, weight=HOURS_WEIGHT, source="contract"),
    p.MinDaysOff(name="days off in a row", days=2, weight=3, source="house rule"),
    p.FairShare(
        name="fair unpopular shifts", weight=FAIR_WEIGHT, measure="unpopular", source="house rule"
    ),
)


Form = Literal["number", "flag", "choice", "date", "shifts", "people", "cycle", "text"]


@dataclass(frozen=True)
class RuleField:
    """One thing a rule of some kind says, as a form asks for it."""

    name: str
    form: Form
    required: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class RuleWish:
    """A rule as a planner asks for it; `values` are texts of a form."""

    name: str
    kind: str
    values: Mapping[str, str]
    weight: int | None = None
    team_id: int | None = None
    source: str = ""


# -- what forms ask for ---------------------------------------------------------------------------


def fields_of(kind: str) -> tuple[RuleField, ...]:
    """What a rule of a kind says beside its name, weight and scope."""
    if kind in SPECIAL:
        forms: dict[object, Form] = {int: "number", date: "date"}
        return tuple(
            RuleField(name, forms.get(of, "text"), True) for name, of in SPECIAL[kind].items()
        )
    if kind not in RULES:
        raise NotFoundError(f"there is no kind of rule {kind}")
    hints = get_type_hints(RULES[kind])
    return tuple(
        _field(one.name, hints[one.name], one.default)
        for one in fields(RULES[kind])
        if one.name not in GIVEN
    )


def _field(name: str, hint: Any, default: Any) -> RuleField:
    required = default is MISSING
    if name == "agents":
        return RuleField(name, "people")
    if name == "cycle":
        return RuleField(name, "cycle", required)
    if get_origin(hint) is tuple:
        return RuleField(name, "shifts", required)
    if get_origin(hint) is Literal:
        return RuleField(name, "choice", required, get_args(hint), "" if required else default)
    if hint is bool:
        return RuleField(name, "flag")
    if hint is date:
        return RuleField(name, "date", required)
    shown = "" if required or default is None else str(default)
    return RuleField(name, "number", required, default=shown)


def _plain(kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a form as JSON."""
    found: dict[str, Any] = {}
    for one in fields_of(kind):
        text = values.get(one.name, "").strip()
        if one.form == "flag":
            found[one.name] = bool(text)
        elif not text:
            if one.required:
                raise InputError.of([Fault("this is needed", column=one.name)])
        elif one.form == "number":
            try:
                found[one.name] = int(text)
            except ValueError:
                raise InputError.of(
                    [Fault("a whole number expected", column=one.name, value=text[:40])]
                ) from None
        elif one.form in ("shifts", "people", "cycle"):
            items = text.replace(",", " ").split()
            found[one.name] = ["" if item == "-" else item for item in items]
        else:
            found[one.name] = text
    return found


# -- keeping them ---------------------------------------------------------------------------------


def keep(session: Session, actor: Actor, wish: RuleWish, at: datetime) -> HouseRule:
    """Add a rule, or change the one of this name and scope; the next solve keeps it.

    Raises
    ------
    InputError
        What the rule says cannot be, or speaks of shifts or people that are not there.
    """
    _require(actor, wish.team_id)
    name = wish.name.strip()[:120]
    if not name:
        raise InputError.of([Fault("a rule needs a name", column="name")])
    if wish.team_id is not None and session.get(Team, wish.team_id) is None:
        raise NotFoundError(f"there is no team {wish.team_id}")
    parameters = _plain(wish.kind, wish.values)
    row = session.exec(
        select(HouseRule).where(HouseRule.name == name, HouseRule.team_id == wish.team_id)
    ).first() or HouseRule(name=name, kind=wish.kind, made_by=actor.name, made_at=at)
    row.kind, row.parameters, row.weight = wish.kind, parameters, wish.weight
    row.team_id, row.source = wish.team_id, wish.source.strip()[:200] or "house rule"
    row.made_by, row.made_at = actor.name, at
    _check(session, row)
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "rule.keep", f"rule {name}", kind=row.kind,
                 parameters=parameters, weight=row.weight, team=row.team_id)  # fmt: skip
    return row


def remove(session: Session, actor: Actor, number: int, at: datetime) -> None:
    """Take a rule away; a default of the same name holds again."""
    access.require(actor, "rosters.plan")
    row = session.get(HouseRule, number)
    if row is None:
        raise NotFoundError(f"there is no rule {number}")
    _require(actor, row.team_id)
    audit.record(session, at, actor.name, "rule.remove", f"rule {row.name}", kind=row.kind,
                 parameters=row.parameters, weight=row.weight, team=row.team_id)  # fmt: skip
    session.delete(row)
    session.flush()


def _require(actor: Actor, team_id: int | None) -> None:
    if team_id is None:
        access.require_whole_desk(actor, "rosters.plan")
    else:
        access.require(actor, "rosters.plan", team_id)


def _check(session: Session, row: HouseRule) -> None:
    """Refuse a rule no problem could hold: try it in the smallest one."""
    if row.kind in (PAY, EMERGENCY) and row.weight is None:
        raise InputError.of([Fault("a weight is needed here", column="weight")])
    if row.kind in SPECIAL:
        _special(row)
        return
    rule = _rule(row)
    agents = tuple(p.Agent(code) for code in session.exec(select(Agent.code).order_by(Agent.code)))
    shifts = session.exec(select(ShiftTemplate.code).where(ShiftTemplate.mode != Mode.STANDBY))
    with faults_of(SchedulingError):
        p.RosterProblem(
            agents=agents,
            days=(p.Day(date(2026, 1, 1)),),
            shifts=tuple(p.Shift(code, 0, 60) for code in shifts),
            rules=(rule,),
        )


def _rule(row: HouseRule) -> p.Rule:
    plain = {"kind": row.kind, "name": row.name, "source": row.source, **row.parameters}
    if row.weight is not None:
        plain["weight"] = row.weight
    faults: list[str] = []
    rule: p.Rule = from_plain(p.Rule, plain, row.name, faults)
    if faults:
        raise InputError.of(Fault(one) for one in faults)
    return rule


def _special(row: HouseRule) -> ComprehensiveHours | Emergency | None:
    with faults_of(SchedulingError):
        try:
            if row.kind == COMPREHENSIVE:
                said = row.parameters
                return ComprehensiveHours(
                    said["approval"], date.fromisoformat(said["first"]),
                    date.fromisoformat(said["last"]), said["work_days"],
                )  # fmt: skip
            if row.kind == EMERGENCY:
                return Emergency(row.parameters["reason"], row.weight or 0)
        except ValueError as error:
            if isinstance(error, SchedulingError):
                raise
            raise InputError.of([Fault("a date like 2026-02-16 is expected")]) from error
    return None


# -- what a roster has of them --------------------------------------------------------------------


def in_force(session: Session, team_id: int) -> list[HouseRule]:
    """Rules planners keep for a team: its own, and those for everybody it has none like in name."""
    query = select(HouseRule).where(
        or_(col(HouseRule.team_id).is_(None), HouseRule.team_id == team_id)
    )
    rows = session.exec(query.order_by(col(HouseRule.team_id).nulls_first(), HouseRule.name)).all()
    last = {row.name: row for row in rows}
    return [row for row in rows if last[row.name] is row]


def rules(
    session: Session,
    rows: Sequence[HouseRule],
    agents: Sequence[p.Agent],
    days: Sequence[p.Day],
    shifts: Collection[str],
) -> tuple[p.Rule, ...]:
    """The law, the house's rules as planners left them, and fair shares over the years.

    `rows` are those `in_force`.
    """
    codes = [agent.id for agent in agents]
    found: dict[str, p.Rule | None] = {rule.name: rule for rule in _law(rows, days)}
    found |= {rule.name: rule for rule in DEFAULTS}
    for row in rows:
        if row.kind in RULES:
            found[row.name] = _here(_rule(row), set(codes), set(shifts))
        elif row.kind == NONE:
            found[row.name] = None
        elif row.kind == PAY:
            found[row.name] = _pay(row)
    kept = tuple(rule for rule in found.values() if rule is not None)
    if not any(day.burden for day in days):
        return kept
    past = ledger(session, before=days[0].date)
    return kept + fairness_rules(past, days, codes, share_weight=10, unit=10)


def _law(rows: Sequence[HouseRule], days: Sequence[p.Day]) -> tuple[p.Rule, ...]:
    first, last = days[0].date, days[-1].date
    comprehensive, emergency = None, None
    for row in rows:
        said = _special(row)
        if isinstance(said, ComprehensiveHours) and said.first <= first <= last <= said.last:
            comprehensive = said
        elif isinstance(said, Emergency):
            emergency = said
    return roster_rules(first, last, comprehensive=comprehensive, emergency=emergency)


def _here(rule: p.Rule, codes: set[str], shifts: set[str]) -> p.Rule | None:
    """A rule cut down to the people and shifts of a roster; None when it says nothing there."""
    if rule.agents is not None:
        there = tuple(code for code in rule.agents if code in codes)
        if len(there) < (2 if isinstance(rule, p.Apart | p.Together) else 1):
            return None
        if isinstance(rule, p.Together) and not rule.mutual and there[0] != rule.agents[0]:
            return None  # the newcomer is not here
        rule = replace(rule, agents=there)
    named: dict[str, Any] = {
        name: tuple(code for code in value if code in shifts)
        for name in SHIFT_FIELDS
        if isinstance(value := getattr(rule, name, None), tuple) and value
    }
    return None if any(not kept for kept in named.values()) else replace(rule, **named)


def _pay(row: HouseRule) -> p.OvertimeLimit:
    """Every hour beyond the contract and on statutory holidays costs: what pay adds up to."""
    return p.OvertimeLimit(
        name=row.name, maximum=0, standard_day=STANDARD_DAY, weight=row.weight, source=row.source
    )


def pay_preferences(
    rows: Sequence[HouseRule], agents: Sequence[p.Agent], days: Sequence[p.Day]
) -> tuple[p.Preference, ...]:
    """Where pay is asked to count: a holiday's duty costs what 300 % is beyond other overtime."""
    weight = sum(row.weight or 0 for row in rows if row.kind == PAY)
    holidays = [day.date for day in days if day.type == "statutory_holiday"]
    if not weight:
        return ()
    return tuple(
        p.Preference(agent.id, weight * HOLIDAY_EXTRA_HOURS, first=day, last=day)
        for agent in agents
        for day in holidays
    )


def part_time(agents: Mapping[str, tuple[int, int]]) -> tuple[p.Rule, ...]:
    """Weekly hours of those who work fewer days: (minutes a day, minutes a week) by agent.

    Others are held by their hours a day times the working days.
    """
    groups: dict[int, list[str]] = {}
    for code, (day, week) in agents.items():
        if week < 5 * day:
            groups.setdefault(week, []).append(code)
    return tuple(
        p.MinutesLimit(
            name=f"contract week of {minutes / 60:g} h", period="week", maximum=minutes,
            weight=HOURS_WEIGHT, agents=tuple(codes), source="contract",
        )
        for minutes, codes in sorted(groups.items())
    )  # fmt: skip
