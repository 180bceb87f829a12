"""Accounts and sessions, jobs, imports, and the audit chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import JobStatus, Role


class Account(SQLModel, table=True):
    """A person who signs in; may belong to an agent.

    `totp_secret` is the second factor, empty without one; `totp_step` the last step it was used
    in, so that no code is used twice. An account that `must_change` its password has no roles until
    it has. `email` and `subject` are how a provider of sign-in knows this person.
    """

    id: int | None = key()
    name: str = code()
    display_name: str
    password_hash: str
    agent_id: int | None = ref("agent.id", nullable=True)
    language: str = "zh"
    active: bool = True
    failures: int = 0
    locked_until: datetime | None = instant(nullable=True)
    totp_secret: str = ""
    totp_step: int | None = None
    must_change: bool = False
    email: str | None = Field(default=None, unique=True)
    subject: str | None = Field(default=None, unique=True)


class AccountRole(SQLModel, table=True):
    """A role, for one team, for the teams of one site, or (neither) for the whole desk."""

    __tablename__ = "account_role"
    __table_args__ = (
        sa.UniqueConstraint(
            "account_id", "role", "team_id", "site_id", postgresql_nulls_not_distinct=True
        ),
        sa.CheckConstraint("team_id is null or site_id is null", name="team_or_site"),
    )

    id: int | None = key()
    account_id: int = ref("account.id")
    role: Role = word(Role)
    team_id: int | None = ref("team.id", nullable=True, index=False)
    site_id: int | None = ref("site.id", nullable=True, index=False)


class SignInSession(SQLModel, table=True):
    """A browser that is signed in, perhaps with a second factor; only its token's hash is kept."""

    __tablename__ = "sign_in_session"

    id: int | None = key()
    token_sha256: str = code()
    account_id: int = ref("account.id")
    started_at: datetime = instant()
    seen_at: datetime = instant()
    second_factor: bool = False


class Job(SQLModel, table=True):
    """What the desk knows of one piece of queued work: progress and result."""

    id: int | None = key()
    task: str
    arguments: dict[str, Any] = document()
    status: JobStatus = word(JobStatus, default=JobStatus.WAITING)
    progress: float = 0
    message: str = ""
    details: dict[str, Any] = document()
    result: dict[str, Any] = document()
    error: str = ""
    cancel_asked: bool = False
    asked_by: str
    asked_at: datetime = instant(index=True)
    started_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)


class JobPart(SQLModel, table=True):
    """A part of a job that workers do side by side; whoever has it in hand holds its lock."""

    __tablename__ = "job_part"
    __table_args__ = (sa.UniqueConstraint("job_id", "number"),)

    id: int | None = key()
    job_id: int = ref("job.id", index=False)
    number: int
    done: bool = False
    result: dict[str, Any] = document()


class ImportRun(SQLModel, table=True):
    """One import: what was in the file, what landed, what was refused and why."""

    __tablename__ = "import_run"

    id: int | None = key()
    kind: str
    file_name: str
    file_sha256: str
    mapping: str = ""
    made_by: str
    made_at: datetime = instant(index=True)
    dry_run: bool = False
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    report: dict[str, Any] = document()
    rejects_csv_gz: bytes | None = None


class AuditEntry(SQLModel, table=True):
    """One link of the audit chain; triggers refuse update, delete and truncate."""

    __tablename__ = "audit_entry"

    id: int | None = key()
    at: datetime = instant(index=True)
    actor: str
    action: str = Field(index=True)
    subject: str
    detail: dict[str, Any] = document()
    previous_sha256: str
    sha256: str = code()
