"""Accounts, passwords, sign-in and sign-out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Session, col, delete, select

from wfm import audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, SignInError
from wfm.tables import Account, AccountRole, SignInSession
from wfm.words import Role

SHORTEST_PASSWORD = 11  # the desk's own security rules: longer than ten characters
FAILURES_BEFORE_PAUSE = 5
PAUSE = timedelta(minutes=5)
SEEN_GRANULARITY = timedelta(minutes=1)  # not every request needs a write
WRONG = "the account name or the password is wrong"
KINDS = {
    "a lower-case letter": str.islower,
    "an upper-case letter": str.isupper,
    "a digit": str.isdigit,
    "a special character": lambda char: not char.isalnum(),
}


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _decoy() -> str:
    """A hash nobody's password fits, so that unknown names take as long as known ones."""
    return _hasher().hash(secrets.token_hex(16))


def check_password_rules(password: str) -> None:
    """Refuse a password that is too short or of too few kinds of characters."""
    missing = [what for what, test in KINDS.items() if not any(map(test, password))]
    if len(password) < SHORTEST_PASSWORD:
        missing.insert(0, f"at least {SHORTEST_PASSWORD} characters")
    if missing:
        raise InputError.of(
            [Fault(f"the password still needs {', '.join(missing)}", column="password")]
        )


def create(
    session: Session,
    name: str,
    display_name: str,
    password: str,
    roles: Iterable[tuple[Role, int | None]],
    at: datetime,
    *,
    agent_id: int | None = None,
    language: str = "zh",
    by: str = "system",
) -> Account:
    """Create an account with its roles (each for one team, or None: the whole desk)."""
    check_password_rules(password)
    account = Account(
        name=name,
        display_name=display_name,
        password_hash=_hasher().hash(password),
        agent_id=agent_id,
        language=language,
    )
    session.add(account)
    session.flush()
    assert account.id is not None
    granted = list(roles)
    for role, team_id in granted:
        session.add(AccountRole(account_id=account.id, role=role, team_id=team_id))
    session.flush()
    held = [[role.value, team_id] for role, team_id in granted]
    audit.record(session, at, by, "account.create", f"account {name}", roles=held)
    return account


def sign_in(session: Session, name: str, password: str, at: datetime) -> str | None:
    """Check a password and open a session; returns its token, or None when refused.

    A refusal is returned, not raised, so that the counted failure is kept.

    Raises
    ------
    SignInError
        Too many failures: the account pauses for some minutes.
    """
    account = session.exec(select(Account).where(Account.name == name)).first()
    if account is None or not account.active:
        _hasher().verify(password, _decoy())
        return None
    if account.locked_until is not None and account.locked_until > at:
        minutes = -(-(account.locked_until - at).seconds // 60)
        raise SignInError(f"too many failures; try again in {minutes} minutes")
    if not _hasher().verify(password, account.password_hash):
        account.failures += 1
        if account.failures >= FAILURES_BEFORE_PAUSE:
            account.failures, account.locked_until = 0, at + PAUSE
            audit.record(session, at, name, "account.pause", f"account {name}")
        return None
    account.failures, account.locked_until = 0, None
    token = secrets.token_urlsafe(32)
    assert account.id is not None
    session.add(
        SignInSession(token_sha256=_digest(token), account_id=account.id, started_at=at, seen_at=at)
    )
    audit.record(session, at, name, "account.sign_in", f"account {name}")
    return token


def sign_out(session: Session, token: str, at: datetime, *, everywhere: bool = False) -> None:
    """End this session, or all sessions of its account."""
    found = session.exec(
        select(SignInSession).where(SignInSession.token_sha256 == _digest(token))
    ).first()
    if found is None:
        return
    account = session.get_one(Account, found.account_id)
    ended = (
        col(SignInSession.account_id) == found.account_id
        if everywhere
        else col(SignInSession.id) == found.id
    )
    session.exec(delete(SignInSession).where(ended))
    audit.record(session, at, account.name, "account.sign_out", f"account {account.name}")


@dataclass(frozen=True)
class SignedIn:
    actor: Actor
    account_id: int


def signed_in(session: Session, token: str, at: datetime, idle: timedelta) -> SignedIn | None:
    """Who holds this token, unless the session has been idle for too long."""
    found = session.exec(
        select(SignInSession, Account)
        .join(Account, col(Account.id) == col(SignInSession.account_id))
        .where(SignInSession.token_sha256 == _digest(token), Account.active)
    ).first()
    if found is None:
        return None
    opened, account = found
    if at - opened.seen_at > idle:
        session.delete(opened)
        return None
    if at - opened.seen_at > SEEN_GRANULARITY:
        opened.seen_at = at
    assert account.id is not None
    return SignedIn(actor_of(session, account), account.id)


def actor_of(session: Session, account: Account) -> Actor:
    """The account with its roles, as permission checks want it."""
    roles: dict[Role, frozenset[int] | None] = {}
    for row in session.exec(select(AccountRole).where(AccountRole.account_id == account.id)):
        held = roles.get(row.role, frozenset())
        if row.team_id is None or held is None:
            roles[row.role] = None
        else:
            roles[row.role] = held | {row.team_id}
    return Actor(
        name=account.name,
        display_name=account.display_name,
        language=account.language,
        agent_id=account.agent_id,
        roles=roles,
    )


def set_language(session: Session, account_id: int, language: str) -> None:
    """Remember the language an account reads."""
    if language not in ("zh", "en"):
        raise InputError.of([Fault("expected zh or en", column="language", value=language)])
    session.get_one(Account, account_id).language = language


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
