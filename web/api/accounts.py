"""Accounts and access: roles, elevated access and its register, one's tokens, the audit chain.

Passwords, second factors and tokens are made on the pages: a token cannot make what outlives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from web.api.calls import Called
from web.api.fields import NO_ZERO, Asked, AskedNumber, Id, Name, Number, Wanted
from web.api.operations import Limit, Operations
from wfm.services import account_admin, api_tokens, audit_search, elevated
from wfm.services.account_admin import Card, Line, Person
from wfm.services.elevated import Application, Entry
from wfm.services.listings import Page
from wfm.tables import AccessGrant, ApiToken, AuditEntry
from wfm.words import Role

api = Operations("accounts and access")
Short = Annotated[str, Field(max_length=200, pattern=NO_ZERO)]
Instant = Annotated[
    AwareDatetime | None,
    Query(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC),
          examples=["2026-10-01T00:00:00Z"]),
]  # fmt: skip


class PersonWanted(Wanted):
    """Who an account is for."""

    display_name: Short = Field(min_length=1, examples=["Lin Xiao"])
    email: Short = Field("", examples=["lin@desk.example"])
    agent: Name = Field("", description="the agent it belongs to", examples=["A007"])

    def person(self) -> Person:
        return Person(self.display_name, self.email, self.agent)


class NewAccount(PersonWanted):
    name: str = Field(min_length=2, max_length=60, pattern=NO_ZERO, examples=["lin"])
    language: Literal["zh", "en"] = "zh"


class RoleWanted(Wanted):
    """A role for a team, for the teams of a site, or (neither) for the whole desk."""

    role: Role
    team: Id | None = None
    site: Id | None = None


class Open(Wanted):
    active: bool


class Made(BaseModel):
    """A new account; its first password is told this once."""

    id: int
    password: str | None


class Password(BaseModel):
    """Told this once."""

    password: str | None


class Applied(Wanted):
    """A role for a while: what for, from which addresses, for how many days."""

    role: Role
    purpose: Annotated[str, Field(max_length=2000, pattern=NO_ZERO)] = Field(
        examples=["standing in for the planner"]
    )
    addresses: Annotated[str, Field(max_length=1000, pattern=NO_ZERO)] = Field(
        examples=["10.0.0.0/24"]
    )
    days: int = Field(ge=1, le=31)
    team: Id | None = None


class Verdict(Wanted):
    approve: bool


class Withdrawal(Wanted):
    """What was done when access was withdrawn: the whole checklist."""

    done: list[Name] = Field(max_length=20, examples=[list(elevated.CHECKLIST)])


@api.read("/accounts")
def accounts(call: Called, search: Asked = "", role: Role | None = None) -> Sequence[Line]:
    """Accounts with their roles, those in use first."""
    return account_admin.listing(call.session, call.actor, search, role or "")


@api.write("/accounts", status=201, secret=("password",))
def make(call: Called, wanted: NewAccount) -> Made:
    """Make an account without a role; its first password must be changed."""
    made, password = account_admin.make(
        call.session, call.actor, wanted.name, wanted.person(), call.at, wanted.language
    )
    return Made(id=made.id or 0, password=password)


@api.read("/accounts/{account}")
def account(call: Called, account: Number) -> Card:
    """One account: roles with their scope, sessions, tokens, history."""
    return account_admin.card(call.session, call.actor, account)


@api.write("/accounts/{account}", method="PUT", guard=account, guarded=True)
def describe(call: Called, account: Number, wanted: PersonWanted) -> None:
    """Change whose account it is, as it was read."""
    account_admin.describe(call.session, call.actor, account, wanted.person(), call.at)


@api.write("/accounts/{account}/roles", status=204, guard=account)
def give_role(call: Called, account: Number, wanted: RoleWanted) -> None:
    """Let an account hold a role."""
    account_admin.give_role(call.session, call.actor, account, wanted.role, wanted.team,
                            wanted.site, call.at)  # fmt: skip


@api.write("/accounts/{account}/roles/{role}", method="DELETE", guard=account)
def take_role(call: Called, account: Number, role: Number) -> None:
    """Take a role from an account."""
    account_admin.take_role(call.session, call.actor, account, role, call.at)


@api.write("/accounts/{account}/active", method="PUT", guard=account)
def set_active(call: Called, account: Number, wanted: Open) -> None:
    """Close an account (its sessions and tokens end), or open it again."""
    account_admin.set_active(call.session, call.actor, account, wanted.active, call.at)


@api.write("/accounts/{account}/password", secret=("password",))
def reset_password(call: Called, account: Number) -> Password:
    """A new first password; all sessions end."""
    return Password(password=account_admin.reset_password(
        call.session, call.actor, account, call.at))  # fmt: skip


@api.write("/accounts/{account}/second-factor", method="DELETE")
def drop_second_factor(call: Called, account: Number) -> None:
    """For a lost phone: drop the second factor; all sessions end."""
    account_admin.drop_second_factor(call.session, call.actor, account, call.at)


@api.write("/accounts/{account}/sign-out")
def sign_out(call: Called, account: Number) -> None:
    """End all sessions of an account."""
    account_admin.sign_out_everywhere(call.session, call.actor, account, call.at)


@api.read("/access")
def register(call: Called) -> Sequence[Entry]:
    """The register of elevated access: asked, approved, expired, due for review."""
    return elevated.register(call.session, call.actor, call.at)


@api.write("/access", status=201)
def apply(call: Called, wanted: Applied) -> AccessGrant:
    """Apply for elevated access for one's own account."""
    application = Application(wanted.role, wanted.team, wanted.purpose, wanted.addresses,
                              wanted.days)  # fmt: skip
    return elevated.ask(call.session, call.actor, call.who.account_id, application, call.at)


@api.write("/access/{grant}/decide")
def decide(call: Called, grant: Number, wanted: Verdict) -> AccessGrant:
    """Approve or refuse another person's application."""
    return elevated.decide(call.session, call.actor, grant, wanted.approve, call.at)


@api.write("/access/{grant}/withdraw")
def withdraw(call: Called, grant: Number, wanted: Withdrawal) -> AccessGrant:
    """Withdraw access before its time, with the checklist done."""
    return elevated.withdraw(call.session, call.actor, grant, wanted.done, call.at)


@api.read("/tokens")
def tokens(call: Called) -> Sequence[ApiToken]:
    """The tokens of one's account."""
    return api_tokens.own(call.session, call.who.account_id)


@api.write("/tokens/{token}", method="DELETE")
def revoke(call: Called, token: Number) -> None:
    """End a token of one's account, this one too."""
    api_tokens.revoke(call.session, call.who.account_id, token, call.at)


@api.read("/audit")
def audit(
    call: Called, who: Asked = "", action: Asked = "", subject: Asked = "",
    since: Instant = None, until: Instant = None, after: AskedNumber = None, limit: Limit = 100,
) -> Page[AuditEntry]:  # fmt: skip
    """The audit chain, newest first."""
    wanted = audit_search.Wanted(who, action, subject, since, until)
    return audit_search.search(call.session, call.actor, wanted, after, limit)
