"""Tokens of machines: an account's rights narrowed to scopes, until a day; answers kept once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, select

from wfm import audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services import accounts
from wfm.tables import Account, ApiToken, KeptAnswer
from wfm.words import Role

LONGEST = timedelta(days=366)
SCOPES = ("read", "write")
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Caller:
    """Who asks by token, and what the token lets through."""

    token_id: int
    account_id: int
    token: str
    actor: Actor
    scopes: frozenset[str]


def make(
    session: Session, account_id: int, name: str, scopes: Sequence[str], days: int, at: datetime
) -> str:
    """Make a token of one's own account; it is told this once.

    Raises
    ------
    InputError
        No name, an unknown scope, or longer than a year.
    """
    faults = []
    if not 1 <= len(name.strip()) <= 80:
        faults.append(Fault("a value is required", column="name"))
    if not scopes or not set(scopes) <= set(SCOPES):
        faults.append(Fault(f"expected one of {', '.join(SCOPES)}", column="scopes"))
    if not 1 <= days <= LONGEST.days:
        faults.append(Fault(f"a period of 1 to {LONGEST.days} days is expected", column="days"))
    if faults:
        raise InputError.of(faults)
    token = f"td_{secrets.token_urlsafe(32)}"
    session.add(
        ApiToken(account_id=account_id, name=name.strip(), token_sha256=_digest(token),
                 scopes=sorted(set(scopes)), made_at=at, expires_at=at + timedelta(days=days))
    )  # fmt: skip
    session.flush()
    account = session.get_one(Account, account_id)
    audit.record(session, at, account.name, "token.make", f"account {account.name}",
                 token=name.strip(), scopes=sorted(set(scopes)), days=days)  # fmt: skip
    return token


def revoke(session: Session, account_id: int, token_id: int, at: datetime) -> None:
    """End a token of one's own."""
    row = session.get(ApiToken, token_id)
    if row is None or row.account_id != account_id:
        raise NotFoundError(f"there is no token {token_id}")
    row.revoked_at = row.revoked_at or at
    account = session.get_one(Account, account_id)
    audit.record(session, at, account.name, "token.revoke", f"account {account.name}",
                 token=row.name)  # fmt: skip


def own(session: Session, account_id: int) -> Sequence[ApiToken]:
    return session.exec(
        select(ApiToken).where(ApiToken.account_id == account_id).order_by(col(ApiToken.id).desc())
    ).all()


def caller(
    session: Session, token: str, at: datetime, *, second_factor: bool = False
) -> Caller | None:
    """Whose token this is; None for an unknown, ended or revoked one.

    Who asks by token is the account itself, so that nobody signs twice by two names; the token's
    name goes into the audit chain with each write. Elevated access is for people at
    its addresses and does not reach tokens.
    """
    found = session.exec(
        select(ApiToken, Account)
        .join(Account, col(Account.id) == ApiToken.account_id)
        .where(ApiToken.token_sha256 == _digest(token), ApiToken.expires_at > at,
               col(ApiToken.revoked_at).is_(None), Account.active)
    ).first()  # fmt: skip
    if found is None:
        return None
    row, account = found
    assert row.id is not None
    assert account.id is not None
    actor = accounts.actor_of(session, account)
    if second_factor and not account.totp_secret:
        actor.roles.pop(Role.ADMINISTRATOR, None)
    return Caller(row.id, account.id, row.name, actor, frozenset(row.scopes))


def require_scope(who: Caller, scope: str) -> None:
    if scope not in who.scopes:
        raise AccessDeniedError(f"this token lets through {', '.join(sorted(who.scopes))} only")


def kept_answer(session: Session, who: Caller, key: str, asked: str) -> KeptAnswer | None:
    """The answer to a write done before under this key; one write of a token goes at a time.

    Raises
    ------
    ConflictError
        The key was used for another request.
    """
    session.get_one(ApiToken, who.token_id, with_for_update=True)
    kept = session.exec(
        select(KeptAnswer).where(KeptAnswer.token_id == who.token_id, KeptAnswer.key == key)
    ).first()
    if kept is not None and kept.request_sha256 != asked:
        raise ConflictError("this Idempotency-Key was used for another request")
    return kept


def keep_answer(
    session: Session, who: Caller, key: str, asked: str, operation: str, status: int,
    body: dict[str, Any], at: datetime,
) -> None:  # fmt: skip
    """Keep the answer to a write for `KEPT_FOR`, and on record which token wrote.

    Older answers of the token are forgotten.
    """
    audit.record(session, at, who.actor.name, "token.write", operation, token=who.token, key=key)
    session.execute(
        delete(KeptAnswer).where(
            col(KeptAnswer.token_id) == who.token_id, col(KeptAnswer.made_at) < at - KEPT_FOR
        )
    )
    session.add(
        KeptAnswer(token_id=who.token_id, key=key, request_sha256=asked, status=status, body=body,
                   made_at=at)
    )  # fmt: skip
    session.flush()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
