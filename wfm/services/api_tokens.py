"""Tokens of machines: an account's rights narrowed to scopes, until a day; answers kept once."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from wfm import audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services import accounts
from wfm.tables import Account, ApiToken, KeptAnswer
from wfm.words import Role

LONGEST = timedelta(days=366)
SCOPES = ("read", "write")
LONGEST_KEY = 200


@dataclass(frozen=True)
class Caller:
    """Who asks by token, and what the token lets through."""

    token_id: int
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

    Elevated access is for people at its addresses and does not reach tokens.
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
    actor = accounts.actor_of(session, account)
    if second_factor and not account.totp_secret:
        actor.roles.pop(Role.ADMINISTRATOR, None)
    return Caller(
        row.id, replace(actor, name=f"{account.name} · {row.name}"), frozenset(row.scopes)
    )


def require_scope(who: Caller, scope: str) -> None:
    if scope not in who.scopes:
        raise AccessDeniedError(f"this token lets through {', '.join(sorted(who.scopes))} only")


def once(
    session: Session, who: Caller, key: str, request: dict[str, Any], at: datetime,
    do: Callable[[], tuple[int, dict[str, Any]]],
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    """Do a write once per key; a repeated request gets the same answer.

    Raises
    ------
    InputError
        There is no key.
    ConflictError
        The key was used for another request.
    """
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InputError.of([Fault("a write needs an Idempotency-Key", column="Idempotency-Key")])
    asked = _digest(json.dumps(request, sort_keys=True, default=str))
    session.get_one(ApiToken, who.token_id, with_for_update=True)  # one write of a token at a time
    kept = session.exec(
        select(KeptAnswer).where(KeptAnswer.token_id == who.token_id, KeptAnswer.key == key)
    ).first()
    if kept is not None:
        if kept.request_sha256 != asked:
            raise ConflictError("this Idempotency-Key was used for another request")
        return kept.status, kept.body
    status, body = do()
    session.add(
        KeptAnswer(token_id=who.token_id, key=key, request_sha256=asked, status=status, body=body,
                   made_at=at)
    )  # fmt: skip
    session.flush()
    return status, body


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
