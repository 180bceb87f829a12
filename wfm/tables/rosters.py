"""Shift templates, posts, demand, requirements, rosters with versions, assignments, locks."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import DayType, DutyKind, EditKind, Grade, LockKind, Mode, PostRole, RosterStatus


class ShiftTemplate(SQLModel, table=True):
    """A pattern of work on a day; an end not after the start is on the next day.

    A break lies from `start` to `end`, minutes from midnight; with `earliest` and `latest` it may
    be moved between them, `min_stretch` to `max_stretch` minutes of work apart.
    """

    __tablename__ = "shift_template"

    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str
    starts: time
    ends: time
    paid_minutes: int
    breaks: list[dict[str, Any]] = document(list)
    mode: Mode = word(Mode, default=Mode.ON_SITE)
    unpopular: bool = False
    site_id: int | None = ref("site.id", nullable=True, index=False)
    skill_codes: list[str] = document(list)
    min_grade: Grade = word(Grade, default=Grade.ORDINARY)
    min_stretch: int = 0
    max_stretch: int | None = None


class Post(SQLModel, table=True):
    """A place in a duty table, and who may hold it; an end not after the start is on the next day.

    `kind` is what holding it is by law, `basis` why; both decide its pay.
    """

    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str
    role: PostRole = word(PostRole)
    min_grade: Grade = word(Grade, default=Grade.ORDINARY)
    people: int = 1
    mode: Mode = word(Mode, default=Mode.ON_SITE)
    reach_minutes: int | None = None
    site_id: int | None = ref("site.id", nullable=True, index=False)
    skill_id: int | None = ref("skill.id", nullable=True, index=False)
    starts: time = time(0)
    ends: time = time(0)
    kind: DutyKind = word(DutyKind, default=DutyKind.ORDINARY)
    basis: str = ""
    stays_in_town: bool = False
    active: bool = True


class PostHolding(SQLModel, table=True):
    """Who holds a post on a day: the duty table of holidays and events."""

    __tablename__ = "post_holding"
    __table_args__ = (
        sa.UniqueConstraint("agent_id", "day"),
        sa.UniqueConstraint("post_id", "day", "agent_id"),
    )

    id: int | None = key()
    post_id: int = ref("post.id")
    agent_id: int = ref("agent.id", index=False)
    day: date = Field(index=True)
    made_by: str
    made_at: datetime = instant()
    reasons: list[dict[str, Any]] = document(list)
    locked: bool = False


class StaffingPlan(SQLModel, table=True):
    """One forecast and the requirement that follows from it, with its back-test error."""

    __tablename__ = "staffing_plan"

    id: int | None = key()
    period_from: date
    period_until: date
    made_at: datetime = instant()
    facts: dict[str, Any] = document()


class Demand(SQLModel, table=True):
    """Contacts expected per skill and interval, and the work in them."""

    __table_args__ = (sa.UniqueConstraint("plan_id", "skill_id", "starts_at"),)

    id: int | None = key()
    plan_id: int = ref("staffing_plan.id")
    skill_id: int = ref("skill.id", index=False)
    starts_at: datetime = instant()
    contacts: float
    handle_s: float


class ForecastAdjustment(SQLModel, table=True):
    """What a planner knows that the records do not: a factor on some days, with its reason."""

    __tablename__ = "forecast_adjustment"
    __table_args__ = (
        sa.CheckConstraint("factor >= 0", name="factor_not_negative"),
        sa.CheckConstraint("day_until >= day_from", name="days_in_order"),
        sa.CheckConstraint("minute_until > minute_from", name="minutes_in_order"),
    )

    id: int | None = key()
    skill_id: int | None = ref("skill.id", nullable=True, index=False)
    day_from: date
    day_until: date
    minute_from: int = 0
    minute_until: int = 1440
    factor: float
    reason: str
    made_by: str
    made_at: datetime = instant()
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = instant(nullable=True)


class Requirement(SQLModel, table=True):
    """People needed per skill, tier and interval so that the targets are met.

    Rows of one place add up: what a promise asks for, and what replays of rosters added.
    """

    __table_args__ = (
        sa.UniqueConstraint("plan_id", "team_id", "skill_id", "tier", "starts_at", "source"),
    )

    id: int | None = key()
    plan_id: int = ref("staffing_plan.id")
    team_id: int | None = ref("team.id", nullable=True, index=False)
    skill_id: int = ref("skill.id", index=False)
    tier: Grade = word(Grade)
    starts_at: datetime = instant()
    people: float
    source: str


class Roster(SQLModel, table=True):
    """The duties of one team over one period; its content lives in versions."""

    __table_args__ = (sa.UniqueConstraint("team_id", "period_from", "period_until"),)

    id: int | None = key()
    team_id: int = ref("team.id")
    period_from: date
    period_until: date


class RosterVersion(SQLModel, table=True):
    __tablename__ = "roster_version"
    __table_args__ = (sa.UniqueConstraint("roster_id", "number"),)

    id: int | None = key()
    roster_id: int = ref("roster.id")
    number: int
    status: RosterStatus = word(RosterStatus, default=RosterStatus.DRAFT)
    made_at: datetime = instant()
    made_by: str
    published_at: datetime | None = instant(nullable=True)
    published_by: str | None = None
    note: str = ""
    problem: dict[str, Any] = document()
    result: dict[str, Any] = document()
    verdict: dict[str, Any] = document()
    replay: dict[str, Any] = document()


class Assignment(SQLModel, table=True):
    """One duty of one agent. `live` marks the duties of published versions."""

    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        ExcludeConstraint(
            (sa.column("version_id"), "="),
            (sa.column("agent_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            name="ex_assignment_one_duty_at_once",
            using="gist",
        ),
        ExcludeConstraint(
            (sa.column("agent_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("live"),
            name="ex_assignment_one_live_duty_at_once",
            using="gist",
        ),
        sa.Index("ix_assignment_live", "starts_at", "ends_at", postgresql_where=sa.text("live")),
    )

    id: int | None = key()
    version_id: int = ref("roster_version.id")
    agent_id: int = ref("agent.id")
    day: date
    shift_code: str
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    breaks: list[dict[str, Any]] = document(list)
    mode: Mode = word(Mode, default=Mode.ON_SITE)
    kind: DutyKind = word(DutyKind, default=DutyKind.ORDINARY)
    post_id: int | None = ref("post.id", nullable=True)
    live: bool = False


class RosterLock(SQLModel, table=True):
    """A cell the planner fixes to a shift, or forbids (no shift: any shift)."""

    __tablename__ = "roster_lock"
    __table_args__ = (
        sa.UniqueConstraint(
            "roster_id", "agent_id", "day", "shift_code", postgresql_nulls_not_distinct=True
        ),
    )

    id: int | None = key()
    roster_id: int = ref("roster.id")
    agent_id: int = ref("agent.id", index=False)
    day: date
    shift_code: str | None = None
    kind: LockKind = word(LockKind)
    made_by: str
    reason: str = ""


class RosterEdit(SQLModel, table=True):
    """One act of a planner on a version: cells changed, or an act taken back or done again.

    What the version looks like now is what replaying its acts in order says.
    """

    __tablename__ = "roster_edit"

    id: int | None = key()
    version_id: int = ref("roster_version.id")
    kind: EditKind = word(EditKind)
    changes: list[dict[str, Any]] = document(list)
    broken: list[dict[str, Any]] = document(list)
    reason: str = ""
    made_by: str
    made_at: datetime = instant()


class HolidayDuty(SQLModel, table=True):
    """The holiday ledger: who worked which named day."""

    __tablename__ = "holiday_duty"
    __table_args__ = (sa.UniqueConstraint("agent_id", "day"),)

    id: int | None = key()
    agent_id: int = ref("agent.id")
    day: date = Field(index=True)
    day_type: DayType = word(DayType)
    name_en: str
    name_zh: str
    post_code: str = ""
    burden: float = 1
