"""Elevated access on application: asked with a purpose, approved by another, ending by itself."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.tables import AccessGrant, Account, Site, Team
from wfm.words import RequestStatus, Role

LONGEST = timedelta(days=31)  # at most one month
REVIEW_EVERY = timedelta(days=28)
MOST_ADDRESSES = 20
MOST_SHOWN = 500
CHECKLIST = ("sessions", "tokens", "copies", "told")  # what is done when access is withdrawn


@dataclass(frozen=True)
class Entry:
    """One line of the register. `due` says whether its monthly review is due; then it is renewed
    with a new application (`renewal` is its number) or withdrawn.
    """

    grant: AccessGrant
    account: Account
    team: Team | None
    site: Site | None
    state: str
    due: bool
    renewal: int | None


@dataclass(frozen=True)
class Application:
    """What somebody asks for: a role for a while, why, where, and from which addresses.

    `renews` is the number of one's own access that ends when this is approved.
    """

    role: Role
    team_id: int | None
    purpose: str
    addresses: str
    days: int
    site_id: int | None = None
    renews: int | None = None


def ask(
    session: Session, actor: Actor, account_id: int, application: Application, at: datetime
) -> AccessGrant:
    """Apply for elevated access for one's own account.

    Raises
    ------
    InputError
        No purpose, longer than a month, or an address that is none.
    """
    faults = []
    if len(application.purpose.strip()) < 10:
        faults.append(Fault("say what it is needed for", column="purpose"))
    if not 1 <= application.days <= LONGEST.days:
        faults.append(Fault(f"a period of 1 to {LONGEST.days} days is expected", column="days"))
    if application.team_id is not None and session.get(Team, application.team_id) is None:
        faults.append(Fault(f"there is no team {application.team_id}", column="team"))
    if application.site_id is not None and session.get(Site, application.site_id) is None:
        faults.append(Fault(f"there is no site {application.site_id}", column="site"))
    renewed = session.get(AccessGrant, application.renews) if application.renews else None
    if application.renews and (
        renewed is None or renewed.account_id != account_id or state_of(renewed, at) != "active"
    ):
        faults.append(Fault("only one's own access that is active is renewed", column="renews"))
    addresses, wrong = _addresses(application.addresses)
    if faults or wrong:
        raise InputError.of([*faults, *wrong])
    grant = AccessGrant(
        account_id=account_id, role=application.role, team_id=application.team_id,
        site_id=application.site_id, renews_id=application.renews,
        purpose=application.purpose.strip()[:2000], addresses=addresses, starts_at=at,
        ends_at=at + timedelta(days=application.days), asked_by=actor.name, asked_at=at,
    )  # fmt: skip
    session.add(grant)
    session.flush()
    audit.record(session, at, actor.name, "access.ask", f"access {grant.id}",
                 role=grant.role.value, team=grant.team_id, site=grant.site_id,
                 renews=grant.renews_id, days=application.days,
                 addresses=addresses, purpose=grant.purpose)  # fmt: skip
    return grant


def decide(
    session: Session, actor: Actor, grant_id: int, approve: bool, at: datetime
) -> AccessGrant:
    """Approve or refuse an application; never one's own. Its time runs from the approval."""
    access.require(actor, "access.decide")
    grant = _another_persons(session, actor, grant_id)
    if grant.status != RequestStatus.OPEN:
        raise ConflictError("this request is decided already")
    grant.ends_at, grant.starts_at = at + (grant.ends_at - grant.starts_at), at
    grant.status = RequestStatus.GRANTED if approve else RequestStatus.REFUSED
    grant.decided_by, grant.decided_at = actor.name, at
    grant.reviewed_by, grant.reviewed_at = actor.name, at
    if approve and grant.renews_id is not None:
        renewed = session.get_one(AccessGrant, grant.renews_id, with_for_update=True)
        if state_of(renewed, at) == "active":
            renewed.ends_at = max(at, renewed.starts_at + timedelta(seconds=1))
    audit.record(session, at, actor.name, f"access.{grant.status.value}", f"access {grant_id}",
                 account=grant.account_id, until=grant.ends_at.isoformat())  # fmt: skip
    return grant


def withdraw(
    session: Session, actor: Actor, grant_id: int, done: list[str], at: datetime
) -> AccessGrant:
    """End access before its time; the whole checklist has to be done.

    Raises
    ------
    InputError
        Not every point of the checklist is ticked.
    """
    access.require(actor, "access.decide")
    grant = _another_persons(session, actor, grant_id)
    if state_of(grant, at) != "active":
        raise ConflictError("this access has ended already")
    if set(done) != set(CHECKLIST):
        raise InputError.of([Fault("tick every point of the checklist", column="checklist")])
    grant.status = RequestStatus.WITHDRAWN
    grant.withdrawn_by, grant.withdrawn_at, grant.checklist = actor.name, at, list(CHECKLIST)
    audit.record(session, at, actor.name, "access.withdraw", f"access {grant_id}",
                 account=grant.account_id, checklist=list(CHECKLIST))  # fmt: skip
    return grant


def register(session: Session, actor: Actor, at: datetime) -> list[Entry]:
    """Everything ever asked for, the newest first."""
    access.require(actor, "access.view")
    rows = session.exec(
        select(AccessGrant, Account, Team, Site)
        .join(Account, col(Account.id) == AccessGrant.account_id)
        .join(Team, col(Team.id) == AccessGrant.team_id, isouter=True)
        .join(Site, col(Site.id) == AccessGrant.site_id, isouter=True)
        .order_by(col(AccessGrant.asked_at).desc(), col(AccessGrant.id).desc())
        .limit(MOST_SHOWN)
    ).all()
    renewals = {grant.renews_id: grant.id for grant, *_ in reversed(rows)}
    return [
        Entry(grant, account, team, site, state_of(grant, at), _is_due(grant, at),
              renewals.get(grant.id))
        for grant, account, team, site in rows
    ]  # fmt: skip


def own(session: Session, account_id: int, at: datetime) -> list[tuple[AccessGrant, str]]:
    """What this account has asked for."""
    rows = session.exec(
        select(AccessGrant)
        .where(AccessGrant.account_id == account_id)
        .order_by(col(AccessGrant.asked_at).desc())
        .limit(20)
    )
    return [(grant, state_of(grant, at)) for grant in rows]


def state_of(grant: AccessGrant, at: datetime) -> str:
    """open, refused, withdrawn, active or expired."""
    if grant.status != RequestStatus.GRANTED:
        return grant.status.value
    return "active" if grant.starts_at <= at < grant.ends_at else "expired"


def held(session: Session, account_id: int, at: datetime, address: str) -> list[AccessGrant]:
    """The roles an account has on application now, from this address."""
    rows = session.exec(
        select(AccessGrant).where(
            AccessGrant.account_id == account_id, AccessGrant.status == RequestStatus.GRANTED,
            AccessGrant.starts_at <= at, AccessGrant.ends_at > at,
        )
    )  # fmt: skip
    return [row for row in rows if _from_there(address, row.addresses)]


def _is_due(grant: AccessGrant, at: datetime) -> bool:
    """A review by calendar: nothing runs longer than a month without somebody looking."""
    looked = grant.reviewed_at
    return state_of(grant, at) == "active" and looked is not None and at - looked >= REVIEW_EVERY


def _another_persons(session: Session, actor: Actor, grant_id: int) -> AccessGrant:
    grant = session.get(AccessGrant, grant_id, with_for_update=True)
    if grant is None:
        raise NotFoundError(f"there is no application {grant_id}")
    if grant.asked_by == actor.name:
        raise AccessDeniedError("another person decides about elevated access")
    return grant


def _addresses(text: str) -> tuple[list[str], list[Fault]]:
    given = text.replace(",", " ").split()
    if not 1 <= len(given) <= MOST_ADDRESSES:
        expected = f"1 to {MOST_ADDRESSES} addresses are expected"
        return [], [Fault(expected, column="addresses")]
    found, faults = [], []
    for one in given:
        try:
            found.append(str(ipaddress.ip_network(one, strict=False)))
        except ValueError:
            faults.append(
                Fault("expected an address or a network", column="addresses", value=one[:60])
            )
    return found, faults


def _from_there(address: str, networks: list[str]) -> bool:
    try:
        asked = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(asked in ipaddress.ip_network(one) for one in networks)
