"""The desk itself: who asks, teams, agents, skills, shifts, jobs, and figures for a monitor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fastapi import Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from web.api.calls import Called
from web.api.fields import Code, Number
from web.api.operations import After, Limit, Operations
from wfm.access import RIGHTS
from wfm.services import facts, figures, listings, queue
from wfm.services.listings import AgentRow, GradeHeld, Page
from wfm.tables import Job, ShiftTemplate, Site, Skill, Team
from wfm.words import Role

api = Operations("desk")


class Who(BaseModel):
    """Whose token this is, and what it lets through."""

    account: str
    token: str
    scopes: list[str]
    roles: dict[Role, list[int] | None]
    rights: list[str]
    agent_id: int | None
    language: str
    now: datetime


@api.read("/me")
def me(call: Called) -> Who:
    """Who asks: account, roles (with the teams each covers, null: all), rights, scopes."""
    actor = call.actor
    roles = {role: sorted(teams) if teams is not None else None
             for role, teams in sorted(actor.roles.items())}  # fmt: skip
    return Who(
        account=actor.name, token=call.who.token, scopes=sorted(call.who.scopes), roles=roles,
        rights=sorted(right for right in RIGHTS if actor.may(right)), agent_id=actor.agent_id,
        language=actor.language, now=call.at,
    )  # fmt: skip


@api.read("/teams")
def teams(call: Called) -> Sequence[Team]:
    """Teams by code."""
    return facts.teams(call.session)


@api.read("/sites")
def sites(call: Called) -> Sequence[Site]:
    """Sites by code."""
    return listings.sites(call.session)


@api.read("/skills")
def skills(call: Called) -> Sequence[Skill]:
    """Skills by code."""
    return listings.skills(call.session)


@api.read("/shifts")
def shifts(call: Called) -> Sequence[ShiftTemplate]:
    """Shifts people work."""
    return listings.shifts(call.session)


@api.read("/agents")
def agents(call: Called, after: After = 0, limit: Limit = 100) -> Page[AgentRow]:
    """Agents with today's team and grade."""
    return listings.agents(call.session, call.actor, after, limit, call.today)


@api.read("/agents/{agent}")
def agent(call: Called, agent: Code) -> AgentRow:
    """One agent with today's team and grade."""
    return listings.agent(call.session, call.actor, agent, call.today)


@api.read("/grades")
def grades(call: Called, after: After = 0, limit: Limit = 100) -> Page[GradeHeld]:
    """Grades held, from when until when."""
    return listings.grades(call.session, call.actor, after, limit)


@api.read("/jobs")
def jobs(call: Called) -> Sequence[Job]:
    """The newest jobs."""
    return queue.newest(call.session, call.actor)


@api.read("/jobs/{job}")
def job(call: Called, job: Number) -> Job:
    """One job with its progress and result."""
    return queue.one(call.session, call.actor, job)


@api.write("/jobs/{job}/cancel")
def cancel(call: Called, job: Number) -> Job:
    """Ask a job to stop."""
    return queue.cancel(call.session, call.actor, job, call.at)


@api.read("/metrics", media="text/plain")
def metrics(call: Called) -> Response:
    """Figures for Prometheus."""
    text = figures.exposition(figures.figures(call.session))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")
