"""Elevated access and its register, secret addresses and tokens, and what agents ask for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import LeaveKind, RequestKind, RequestStatus, Role


class AccessGrant(SQLModel, table=True):
    """A role held for a while, on application: asked, approved by another person, expiring.

    For one team, for the teams of one site, or (neither) for the whole desk. `renews_id` is the
    access that ends when this one is approved, `reviewed_at` when somebody last looked whether it
    is still needed, `checklist` what was done when it was withdrawn.
    """

    __tablename__ = "access_grant"
    __table_args__ = (sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),)

    id: int | None = key()
    account_id: int = ref("account.id")
    role: Role = word(Role)
    team_id: int | None = ref("team.id", nullable=True, index=False)
    site_id: int | None = ref("site.id", nullable=True, index=False)
    renews_id: int | None = ref("access_grant.id", nullable=True, index=False)
    purpose: str
    addresses: list[str] = document(list)
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    asked_by: str
    asked_at: datetime = instant()
    status: RequestStatus = word(RequestStatus, default=RequestStatus.OPEN)
    decided_by: str = ""
    decided_at: datetime | None = instant(nullable=True)
    reviewed_by: str = ""
    reviewed_at: datetime | None = instant(nullable=True)
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = instant(nullable=True)
    checklist: list[str] = document(list)


class ApiToken(SQLModel, table=True):
    """What a machine signs in with: an account's rights, narrowed to scopes, until a day."""

    __tablename__ = "api_token"

    id: int | None = key()
    account_id: int = ref("account.id")
    name: str
    token_sha256: str = code()
    scopes: list[str] = document(list)
    made_at: datetime = instant()
    expires_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)


class KeptAnswer(SQLModel, table=True):
    """The answer to a write of a machine, given again when it repeats its request."""

    __tablename__ = "kept_answer"
    __table_args__ = (sa.UniqueConstraint("token_id", "key"),)

    id: int | None = key()
    token_id: int = ref("api_token.id", index=False)
    key: str
    request_sha256: str
    status: int
    body: dict[str, Any] = document()
    made_at: datetime = instant(index=True)


class Webhook(SQLModel, table=True):
    """Who is told of which events, at which address.

    `failures` are attempts in a row that nobody took; too many of them disable it.
    """

    id: int | None = key()
    url: str
    events: list[str] = document(list)
    secret: str
    made_by: str
    made_at: datetime = instant()
    active: bool = True
    failures: int = 0
    disabled_at: datetime | None = instant(nullable=True)


class WebhookDelivery(SQLModel, table=True):
    """One event on its way to one address: tried again at `next_at`, given up without one."""

    __tablename__ = "webhook_delivery"

    id: int | None = key()
    webhook_id: int = ref("webhook.id")
    code: str = code()
    event: str
    body: str
    made_at: datetime = instant()
    attempts: int = 0
    next_at: datetime | None = instant(nullable=True, index=True)
    tried_at: datetime | None = instant(nullable=True)
    delivered_at: datetime | None = instant(nullable=True)
    answer: str = ""


class CalendarFeed(SQLModel, table=True):
    """A secret address under which a calendar program reads an agent's duties."""

    __tablename__ = "calendar_feed"

    id: int | None = key()
    agent_id: int = Field(foreign_key="agent.id", unique=True)
    token_sha256: str = code()
    made_at: datetime = instant()


class AgentRequest(SQLModel, table=True):
    """What an agent asks for: leave, a swap with a colleague, a correction of what is on record."""

    __tablename__ = "agent_request"
    __table_args__ = (
        sa.CheckConstraint("last_day >= first_day", name="ends_after_start"),
        sa.Index("ix_agent_request_status", "status"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id")
    kind: RequestKind = word(RequestKind)
    first_day: date
    last_day: date
    leave_kind: LeaveKind | None = word(LeaveKind, nullable=True)
    colleague_id: int | None = ref("agent.id", nullable=True)
    agreed_at: datetime | None = instant(nullable=True)
    text: str = ""
    status: RequestStatus = word(RequestStatus, default=RequestStatus.OPEN)
    made_at: datetime = instant()
    decided_by: str = ""
    decided_at: datetime | None = instant(nullable=True)
    answer: str = ""
