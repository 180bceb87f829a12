"""Set up the sample desk: what is not imported from files, and an account for each role."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pandas as pd
from sqlmodel import Session, select

from scheduler.ledger import burden_of
from wfm.sample.desk import SampleDesk
from wfm.services import accounts, sample_agreements
from wfm.services.ledger import burden_percent
from wfm.tables import (
    Agent,
    Assignment,
    Customer,
    HolidayDuty,
    Post,
    Roster,
    RosterVersion,
    Service,
    ShiftTemplate,
    Site,
    Skill,
    Team,
)
from wfm.words import (
    DayType,
    DutyKind,
    Grade,
    Mode,
    PostRole,
    Role,
    RosterStatus,
)

PASSWORD = "Tierdesk-demo-1"  # printed by the demo; a desk of one's own chooses its own
ACCOUNTS = (
    ("lead", "组长 Lead", Role.LEAD),
    ("planner", "排班员 Planner", Role.PLANNER),
    ("dispatcher", "派单员 Dispatcher", Role.DISPATCHER),
    ("agent", "客服 Agent", Role.AGENT),
    ("reviewer", "质检员 Reviewer", Role.REVIEWER),
    ("manager", "服务经理 Service manager", Role.SERVICE_MANAGER),
    ("auditor", "审计员 Auditor", Role.AUDITOR),
    ("admin", "管理员 Administrator", Role.ADMINISTRATOR),
)


def _rows(frame: pd.DataFrame) -> list[Any]:
    """Rows with their columns as attributes."""
    return list(frame.itertuples())


def _add_all(session: Session, table: Any, frame: pd.DataFrame) -> dict[str, Any]:
    """Rows of a frame as rows of a table with a code; returns them by code."""
    rows: list[Any] = [table(**{str(k): v for k, v in row.items()})
                       for row in frame.to_dict("records")]  # fmt: skip
    session.add_all(rows)
    session.flush()
    return {row.code: row for row in rows}


def set_up(session: Session, desk: SampleDesk) -> None:
    """Sites, teams, skills, services, promises, shifts, posts and opening hours."""
    sites = _add_all(session, Site, desk.sites)
    teams = desk.teams.assign(site_id=[sites[code].id for code in desk.teams["site"]])
    _add_all(session, Team, teams.drop(columns="site"))
    _add_all(session, Skill, desk.skills)
    _add_all(
        session, Customer, desk.customers.rename(columns={"name_zh": "name"})[["code", "name"]]
    )
    _add_all(session, Service, desk.services[["code", "name_en", "name_zh"]])
    sample_agreements.add_calendars(session)
    sample_agreements.add_agreements(session, desk.services, desk.targets)
    for row in _rows(desk.shifts):
        session.add(_shift(row))
    for row in _rows(desk.posts):
        session.add(
            Post(
                code=row.code, name_en=row.name_en, name_zh=row.name_zh, role=PostRole(row.role),
                people=int(row.people), min_grade=Grade(row.min_grade), mode=Mode(row.mode),
                reach_minutes=int(row.reach_minutes) or None,
                site_id=sites[row.site].id if row.site else None,
                starts=time.fromisoformat(row.starts), ends=time.fromisoformat(row.ends),
                kind=DutyKind(row.kind), basis=row.basis, stays_in_town=bool(row.stays_in_town),
            )
        )  # fmt: skip
    session.flush()


def _shift(row: Any) -> ShiftTemplate:
    pauses = []
    for span in filter(None, row.breaks.split(";")):
        start, end = (time.fromisoformat(part) for part in span.split("-"))
        pauses.append({"start": start.hour * 60 + start.minute, "end": end.hour * 60 + end.minute})
    return ShiftTemplate(
        code=row.code, name_en=row.name_en, name_zh=row.name_zh,
        starts=time.fromisoformat(row.start), ends=time.fromisoformat(row.end),
        paid_minutes=int(row.paid_minutes), breaks=pauses, mode=Mode(row.mode),
        unpopular=bool(row.unpopular),
    )  # fmt: skip


def add_past(session: Session, desk: SampleDesk, at: datetime) -> None:
    """What the desk remembers: last week's duties, and the holidays of past years."""
    agents = {agent.code: agent.id for agent in session.exec(select(Agent))}
    share = {post.code: burden_percent(post.mode) for post in session.exec(select(Post))}
    for row in _rows(desk.holiday_ledger):
        agent_id = agents[row.agent_id]
        assert agent_id is not None
        session.add(
            HolidayDuty(
                agent_id=agent_id, day=row.on, day_type=DayType(row.day_type), name_en=row.name,
                name_zh=row.name_zh, post_code=row.post,
                burden=burden_of(row.name_zh) * share.get(row.post, 100) // 100,
            )
        )  # fmt: skip
    home = dict(zip(desk.agents["agent_id"], desk.agents["team"], strict=True))
    teams = {team.code: team.id for team in session.exec(select(Team))}
    first, last = desk.carry_in["start"].min().date(), desk.carry_in["start"].max().date()
    versions: dict[str, int] = {}
    for code, team_id in teams.items():
        assert team_id is not None
        roster = Roster(team_id=team_id, period_from=first, period_until=last)
        session.add(roster)
        session.flush()
        assert roster.id is not None
        version = RosterVersion(
            roster_id=roster.id, number=1, status=RosterStatus.PUBLISHED, made_at=at,
            made_by="sample", published_at=at, published_by="sample", note="carry-in",
        )  # fmt: skip
        session.add(version)
        session.flush()
        assert version.id is not None
        versions[code] = version.id
    for row in _rows(desk.carry_in):
        agent_id = agents[row.agent_id]
        assert agent_id is not None
        standby = row.mode == Mode.STANDBY
        session.add(
            Assignment(
                version_id=versions[home[row.agent_id]], agent_id=agent_id,
                day=row.start.date(), shift_code=row.shift,
                starts_at=row.start.to_pydatetime(), ends_at=row.end.to_pydatetime(),
                mode=Mode(row.mode), kind=DutyKind.STANDBY if standby else DutyKind.ORDINARY,
                live=True,
            )
        )  # fmt: skip
    session.flush()


def add_accounts(session: Session, at: datetime) -> list[tuple[str, str, str]]:
    """One account per role; returns (role, account, password)."""
    agent = session.exec(select(Agent).order_by(Agent.code)).first()
    shown = []
    for name, display, role in ACCOUNTS:
        agent_id = agent.id if agent is not None and role is Role.AGENT else None
        accounts.create(session, name, display, PASSWORD, [(role, None)], at, agent_id=agent_id)
        shown.append((role.value, name, PASSWORD))
    return shown
