"""Accounts, passwords, sign-in and sign-out."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlmodel import Session, col, delete, select

from wfm import audit, totp
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, SignInError
from wfm.services import elevated, passwords
from wfm.tables import AccessGrant, Account, AccountRole, SignInSession, Team
from wfm.words import Role

FAILURES_BEFORE_PAUSE = 5
PAUSE = timedelta(minutes=5)
MOST_STRANGERS = 10_000
SEEN_GRANULARITY = timedelta(minutes=1)  # not every request needs a write


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher().hash(password)


@cache
def _decoy() -> str:
    """A hash nobody's password fits, so that unknown names take as long as known ones."""
    return _hasher().hash(secrets.token_hex(16))


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
    email: str | None = None,
    must_change: bool = False,
) -> Account:
    """Create an account with its roles (each for one team, or None: the whole desk)."""
    passwords.check(password, name)
    account = Account(
        name=name,
        display_name=display_name,
        password_hash=hashed(password),
        agent_id=agent_id,
        language=language,
        email=email,
        must_change=must_change,
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


class _Strangers:
    """Failures under names nobody has, which pause as those of accounts do: else the pause would
    tell which names are accounts. Kept in this process, the newest of them."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, datetime | None]] = {}
        self._lock = threading.Lock()

    def fails(self, name: str, at: datetime) -> None:
        with self._lock:
            count, until = self._failures.pop(name, (0, None))
            paused = until is not None and until > at
            if not paused:
                last = count + 1 >= FAILURES_BEFORE_PAUSE
                count, fresh = (0, at + PAUSE) if last else (count + 1, None)
            self._failures[name] = (count, until if paused else fresh)
            if len(self._failures) > MOST_STRANGERS:
                del self._failures[next(iter(self._failures))]
        if paused:
            _check_pause(until, at)


_strangers: WeakKeyDictionary[Any, _Strangers] = WeakKeyDictionary()  # by desk


def _check_pause(until: datetime | None, at: datetime) -> None:
    if until is not None and until > at:
        minutes = -(-(until - at).seconds // 60)
        raise SignInError(f"too many failures; try again in {minutes} minutes")


def sign_in(session: Session, name: str, password: str, at: datetime, code: str = "") -> str | None:
    """Check a password (and the second factor's code, where the account has one); open a session.

    Returns its token, or None when refused.

    A refusal is returned, not raised, so that the counted failure is kept.

    Raises
    ------
    SignInError
        Too many failures: the account pauses for some minutes.
    """
    account = named(session, name)
    if account is None or not account.active:
        _strangers.setdefault(session.get_bind(), _Strangers()).fails(name, at)
        _hasher().verify(password, _decoy())
        return None
    _check_pause(account.locked_until, at)
    right = _hasher().verify(password, account.password_hash)
    if account.totp_secret:
        step = totp.matching_step(account.totp_secret, code, at, account.totp_step)
        right = right and step is not None
        account.totp_step = step if right else account.totp_step
    if not right:
        account.failures += 1
        if account.failures >= FAILURES_BEFORE_PAUSE:
            account.failures, account.locked_until = 0, at + PAUSE
            audit.record(session, at, name, "account.pause", f"account {name}")
        return None
    account.failures, account.locked_until = 0, None
    return open_session(session, account, at, second_factor=bool(account.totp_secret))


def open_session(
    session: Session, account: Account, at: datetime, *, second_factor: bool, by: str = "password"
) -> str:
    """Let somebody in whose identity is proven; the token of the new session."""
    token = secrets.token_urlsafe(32)
    assert account.id is not None
    session.add(
        SignInSession(token_sha256=_digest(token), account_id=account.id, started_at=at,
                      seen_at=at, second_factor=second_factor)
    )  # fmt: skip
    audit.record(session, at, account.name, "account.sign_in", f"account {account.name}", by=by)
    return token


def sign_in_by_provider(
    session: Session, subject: str, email: str, at: datetime, *, second_factor: bool
) -> str:
    """Let in whom a provider vouches for: known by its subject, the first time by its address.

    Raises
    ------
    SignInError
        No account in use is this person's.
    """
    account = session.exec(select(Account).where(Account.subject == subject)).first()
    if account is None and email:
        account = session.exec(
            select(Account).where(Account.email == email, col(Account.subject).is_(None))
        ).first()
    if account is None or not account.active:
        raise SignInError("no account of this desk is yours; ask an administrator for one")
    if account.subject is None:
        account.subject = subject
        if account.must_change:  # the first password, which others know, ends with this
            account.password_hash, account.must_change = hashed(secrets.token_hex(16)), False
        audit.record(session, at, account.name, "account.bind", f"account {account.name}")
    return open_session(session, account, at, second_factor=second_factor, by="provider")


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


def signed_in(
    session: Session, token: str, at: datetime, idle: timedelta, *,
    address: str = "", second_factor: bool = False,
) -> SignedIn | None:  # fmt: skip
    """Who holds this token, unless the session has been idle for too long.

    Elevated access counts from its addresses only. With `second_factor`, an administrator without
    one is no administrator yet.
    """
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
    actor = actor_of(session, account, elevated.held(session, account.id, at, address))
    if second_factor and not opened.second_factor:
        actor.roles.pop(Role.ADMINISTRATOR, None)
    return SignedIn(actor, account.id)


def actor_of(session: Session, account: Account, more: Iterable[AccessGrant] = ()) -> Actor:
    """The account with its roles, and those it has on application, as checks want it."""
    roles: dict[Role, frozenset[int] | None] = {}
    if account.must_change:  # whoever knows the first password may only choose another
        return Actor(account.name, account.display_name, account.language, account.agent_id)

    def add(role: Role, teams: frozenset[int] | None) -> None:
        held = roles.get(role, frozenset())
        roles[role] = None if teams is None or held is None else held | teams

    held = session.exec(select(AccountRole).where(AccountRole.account_id == account.id)).all()
    rows: tuple[AccountRole | AccessGrant, ...] = (*held, *more)
    for row in rows:
        if row.site_id is not None:
            at_site = select(Team.id).where(Team.site_id == row.site_id)
            add(row.role, frozenset(one for one in session.exec(at_site) if one is not None))
        else:
            add(row.role, None if row.team_id is None else frozenset({row.team_id}))
    return Actor(
        name=account.name,
        display_name=account.display_name,
        language=account.language,
        agent_id=account.agent_id,
        roles=roles,
    )


def change_password(session: Session, account_id: int, old: str, new: str, at: datetime) -> None:
    """A new password of one's own; all other sessions end.

    Raises
    ------
    InputError
        The old one is wrong, or the new one does not keep the rules.
    """
    account = session.get_one(Account, account_id)
    if not _hasher().verify(old, account.password_hash):
        raise InputError.of([Fault("the old password is wrong", column="old")])
    passwords.check(new, account.name)
    account.password_hash, account.must_change = hashed(new), False
    session.exec(delete(SignInSession).where(col(SignInSession.account_id) == account_id))
    audit.record(session, at, account.name, "account.password", f"account {account.name}")


def set_second_factor(
    session: Session, account_id: int, secret: str, code: str, at: datetime, token: str = ""
) -> None:
    """Use a second factor from now on; the first code shows that the phone has the secret.

    The session of `token` has shown it; all others end.

    Raises
    ------
    InputError
        The code does not fit.
    """
    account = session.get_one(Account, account_id)
    if account.totp_secret:
        raise ConflictError("this account has a second factor already")
    step = totp.matching_step(secret, code, at, None)
    if step is None:
        raise InputError.of([Fault("this code does not fit; wait for the next", column="code")])
    account.totp_secret, account.totp_step = secret, step
    for opened in session.exec(select(SignInSession).where(SignInSession.account_id == account_id)):
        if opened.token_sha256 == _digest(token):
            opened.second_factor = True
        else:
            session.delete(opened)
    audit.record(session, at, account.name, "account.second_factor", f"account {account.name}")


def named(session: Session, name: str) -> Account | None:
    return session.exec(select(Account).where(Account.name == name)).first()


def get(session: Session, account_id: int) -> Account:
    return session.get_one(Account, account_id)


def set_language(session: Session, account_id: int, language: str) -> None:
    """Remember the language an account reads."""
    if language not in ("zh", "en"):
        raise InputError.of([Fault("expected zh or en", column="language", value=language)])
    session.get_one(Account, account_id).language = language


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
