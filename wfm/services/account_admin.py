"""Accounts as administrators see them: make, close, roles with their scope, ways back in."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, func, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services import accounts
from wfm.tables import (
    Account,
    AccountRole,
    Agent,
    ApiToken,
    AuditEntry,
    SignInSession,
    Site,
    Team,
)
from wfm.words import Role

RIGHT = "accounts.manage"
NAME = re.compile(r"[\w.@-]{2,60}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MOST_SHOWN = 500
FIRST_PASSWORD = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.!")


@dataclass(frozen=True)
class Line:
    """One account of the list."""

    account: Account
    roles: list[AccountRole]
    seen_at: datetime | None


@dataclass(frozen=True)
class Held:
    """A role of an account with its scope; both None: the whole desk."""

    row: AccountRole
    team: Team | None
    site: Site | None


@dataclass(frozen=True)
class Card:
    """One account with everything an administrator may change."""

    account: Account
    agent: Agent | None
    roles: list[Held]
    sessions: int
    seen_at: datetime | None
    tokens: Sequence[ApiToken]
    history: Sequence[AuditEntry]
    own: bool


@dataclass(frozen=True)
class Person:
    """Who an account is for. `agent` is the code of the agent it belongs to, or empty."""

    display_name: str
    email: str = ""
    agent: str = ""


def listing(session: Session, actor: Actor, search: str = "", role: str = "") -> list[Line]:
    """Accounts by name, those in use first."""
    access.require_whole_desk(actor, RIGHT)
    seen = (
        select(SignInSession.account_id, func.max(SignInSession.seen_at).label("seen_at"))
        .group_by(col(SignInSession.account_id))
        .subquery()
    )
    query = (
        select(Account, seen.c.seen_at)
        .join(seen, seen.c.account_id == Account.id, isouter=True)
        .order_by(col(Account.active).desc(), Account.name)
        .limit(MOST_SHOWN)
    )
    if search.strip():
        like = f"%{search.strip()}%"
        query = query.where(col(Account.name).ilike(like) | col(Account.display_name).ilike(like))
    if role:
        holders = select(AccountRole.account_id).where(AccountRole.role == Role(role))
        query = query.where(col(Account.id).in_(holders))
    found = session.exec(query).all()
    roles: dict[int, list[AccountRole]] = {}
    ids = [account.id for account, _ in found]
    held = select(AccountRole).where(col(AccountRole.account_id).in_(ids)).order_by("role")
    for row in session.exec(held):
        roles.setdefault(row.account_id, []).append(row)
    return [Line(account, roles.get(account.id or 0, []), at) for account, at in found]


def card(session: Session, actor: Actor, account_id: int) -> Card:
    """One account."""
    account = _found(session, actor, account_id)
    roles = session.exec(
        select(AccountRole, Team, Site)
        .join(Team, col(Team.id) == AccountRole.team_id, isouter=True)
        .join(Site, col(Site.id) == AccountRole.site_id, isouter=True)
        .where(AccountRole.account_id == account_id)
        .order_by("role", col(AccountRole.id))
    )
    sessions, seen_at = session.exec(
        select(func.count(), func.max(SignInSession.seen_at)).where(
            SignInSession.account_id == account_id
        )
    ).one()
    subject = f"account {account.name}"
    history = session.exec(
        select(AuditEntry)
        .where(AuditEntry.subject == subject)
        .order_by(col(AuditEntry.id).desc())
        .limit(20)
    ).all()
    return Card(
        account, session.get(Agent, account.agent_id) if account.agent_id else None,
        [Held(*row) for row in roles], sessions, seen_at, _tokens(session, account_id),
        history, account.name == actor.name,
    )  # fmt: skip


def _tokens(session: Session, account_id: int) -> Sequence[ApiToken]:
    return session.exec(
        select(ApiToken)
        .where(ApiToken.account_id == account_id, col(ApiToken.revoked_at).is_(None))
        .order_by(col(ApiToken.id).desc())
    ).all()


def make(
    session: Session, actor: Actor, name: str, person: Person, at: datetime, language: str = "zh"
) -> tuple[Account, str]:
    """Make an account without a role; its first password is told this once and must be changed.

    Raises
    ------
    InputError
        The name or the address cannot be used.
    ConflictError
        There is an account of this name or address already.
    """
    access.require_whole_desk(actor, RIGHT)
    name = name.strip()
    if not NAME.fullmatch(name):
        raise InputError.of(
            [Fault("2 to 60 letters, digits, dots, dashes or @ are expected", column="name")]
        )
    if session.exec(select(Account.id).where(func.lower(Account.name) == name.lower())).first():
        raise ConflictError(f"there is an account {name} already")
    given = _checked(session, person, None)
    password = first_password()
    made = accounts.create(
        session, name, given["display_name"], password, [], at, agent_id=given["agent_id"],
        language=language, by=actor.name, email=given["email"], must_change=True,
    )  # fmt: skip
    return made, password


def describe(session: Session, actor: Actor, account_id: int, person: Person, at: datetime) -> None:
    """Change whose account it is, or the address a provider of sign-in knows it by."""
    account = _another(session, actor, account_id)
    given = _checked(session, person, account_id)
    if account.email != given["email"]:
        account.subject = None  # the next sign-in by a provider binds it anew
    for field, value in given.items():
        setattr(account, field, value)
    _recorded(session, actor, account, "account.describe", at, **given)


def give_role(
    session: Session, actor: Actor, account_id: int, role: Role, team_id: int | None,
    site_id: int | None, at: datetime,
) -> None:  # fmt: skip
    """Let an account hold a role: for a team, for the teams of a site, or for the whole desk."""
    account = _another(session, actor, account_id)
    if team_id is not None and session.get(Team, team_id) is None:
        raise NotFoundError(f"there is no team {team_id}")
    if site_id is not None and session.get(Site, site_id) is None:
        raise NotFoundError(f"there is no site {site_id}")
    same = select(AccountRole).where(
        AccountRole.account_id == account_id, AccountRole.role == role,
        col(AccountRole.team_id).is_not_distinct_from(team_id),
        col(AccountRole.site_id).is_not_distinct_from(site_id),
    )  # fmt: skip
    if session.exec(same).first():
        raise ConflictError("this account holds this role already")
    session.add(AccountRole(account_id=account_id, role=role, team_id=team_id, site_id=site_id))
    _recorded(session, actor, account, "account.give_role", at, role=role.value, team=team_id,
              site=site_id)  # fmt: skip


def take_role(session: Session, actor: Actor, account_id: int, role_id: int, at: datetime) -> None:
    """Take a role from an account; it holds from the next request on."""
    account = _another(session, actor, account_id)
    row = session.get(AccountRole, role_id)
    if row is None or row.account_id != account_id:
        raise NotFoundError("this account does not hold this role")
    session.delete(row)
    _recorded(session, actor, account, "account.take_role", at, role=row.role.value,
              team=row.team_id, site=row.site_id)  # fmt: skip


def reset_password(session: Session, actor: Actor, account_id: int, at: datetime) -> str:
    """A new first password, told this once; all sessions end."""
    account = _another(session, actor, account_id)
    password = first_password()
    account.password_hash, account.must_change = accounts.hashed(password), True
    account.failures, account.locked_until = 0, None
    _end_sessions(session, account_id)
    _recorded(session, actor, account, "account.reset_password", at)
    return password


def drop_second_factor(session: Session, actor: Actor, account_id: int, at: datetime) -> None:
    """For a lost phone: the person sets up another; all sessions end."""
    account = _another(session, actor, account_id)
    account.totp_secret, account.totp_step = "", None
    _end_sessions(session, account_id)
    _recorded(session, actor, account, "account.drop_second_factor", at)


def sign_out_everywhere(session: Session, actor: Actor, account_id: int, at: datetime) -> int:
    """End all sessions of an account; how many there were."""
    account = _found(session, actor, account_id)
    ended = _end_sessions(session, account_id)
    _recorded(session, actor, account, "account.end_sessions", at, sessions=ended)
    return ended


def set_active(session: Session, actor: Actor, account_id: int, active: bool, at: datetime) -> None:
    """Close an account (its sessions and tokens end) or open it again; its records stay."""
    account = _another(session, actor, account_id)
    account.active = active
    if not active:
        _end_sessions(session, account_id)
        for token in _tokens(session, account_id):
            token.revoked_at = at
    _recorded(session, actor, account, "account.open" if active else "account.close", at)


def first_password() -> str:
    """Sixteen characters that keep the rules, of all four kinds, from 93 bits of chance."""
    every = "".join(FIRST_PASSWORD)
    chars = [secrets.choice(kind) for kind in FIRST_PASSWORD]
    chars += [secrets.choice(every) for _ in range(12)]
    secrets.SystemRandom().shuffle(chars)
    return "".join(chars)


def _found(session: Session, actor: Actor, account_id: int) -> Account:
    access.require_whole_desk(actor, RIGHT)
    account = session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    return account


def _another(session: Session, actor: Actor, account_id: int) -> Account:
    account = _found(session, actor, account_id)
    if account.name == actor.name:
        raise AccessDeniedError("another administrator decides about one's own account")
    return account


def _checked(session: Session, person: Person, account_id: int | None) -> dict[str, Any]:
    faults = []
    display, email = person.display_name.strip(), person.email.strip().lower()
    if not 1 <= len(display) <= 120:
        faults.append(Fault("a value is required", column="display_name"))
    if email and not (len(email) <= 200 and EMAIL.fullmatch(email)):
        faults.append(Fault("expected an address such as lin@desk.example", column="email"))
    agent = None
    if person.agent.strip():
        agent = session.exec(select(Agent).where(Agent.code == person.agent.strip())).first()
        if agent is None:
            faults.append(Fault(f"there is no agent {person.agent.strip()}", column="agent"))
    if faults:
        raise InputError.of(faults)
    if email:
        other = session.exec(select(Account).where(Account.email == email)).first()
        if other is not None and other.id != account_id:
            raise ConflictError(f"the account {other.name} has this address already")
    return {"display_name": display, "email": email or None, "agent_id": agent and agent.id}


def _end_sessions(session: Session, account_id: int) -> int:
    ended = session.exec(delete(SignInSession).where(col(SignInSession.account_id) == account_id))
    return int(ended.rowcount)


def _recorded(
    session: Session, actor: Actor, account: Account, action: str, at: datetime, **detail: object
) -> None:
    session.flush()
    audit.record(session, at, actor.name, action, f"account {account.name}", **detail)
