"""Elevated access: asked with a purpose, approved by another person, ending by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from wfm import audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError
from wfm.services import accounts, elevated
from wfm.services.elevated import CHECKLIST, Application
from wfm.tables import AccountRole, AuditEntry, Site, Team
from wfm.words import Role

AT = datetime(2026, 10, 8, 2, tzinfo=UTC)
DAY = timedelta(days=1)
IDLE = timedelta(minutes=60)
PASSWORD = "Right-answer-42"
WISH = Application(Role.PLANNER, None, "mend October while Lin is ill", "10.0.0.7, 10.1.0.0/16", 7)
LIN = Actor("lin", roles={Role.DISPATCHER: None})
ADMIN = Actor("ada", roles={Role.ADMINISTRATOR: None})


@pytest.fixture
def account(session: Session) -> int:
    made = accounts.create(session, "lin", "Lin", PASSWORD, [(Role.DISPATCHER, None)], AT)
    assert made.id is not None
    return made.id


def granted(session: Session, account: int) -> int:
    number = elevated.ask(session, LIN, account, WISH, AT).id
    assert number is not None
    elevated.decide(session, ADMIN, number, True, AT)
    return number


def roles(session: Session, at: datetime, address: str = "10.0.0.7") -> set[Role]:
    token = accounts.sign_in(session, "lin", PASSWORD, at)
    assert token is not None
    found = accounts.signed_in(session, token, at, IDLE, address=address)
    assert found is not None
    return set(found.actor.roles)


@pytest.mark.parametrize(
    ("after", "address", "holds"),
    [
        (timedelta(0), "10.0.0.7", True),
        (timedelta(0), "10.1.255.1", True),
        (timedelta(0), "10.0.0.8", False),
        (timedelta(0), "", False),
        (7 * DAY - timedelta(seconds=1), "10.0.0.7", True),
        (7 * DAY, "10.0.0.7", False),
    ],
)
def test_it_holds_from_its_addresses_until_its_end(
    session: Session, account: int, after: timedelta, address: str, holds: bool
) -> None:
    granted(session, account)
    assert (Role.PLANNER in roles(session, AT + after, address)) is holds


def test_an_application_alone_gives_nothing(session: Session, account: int) -> None:
    elevated.ask(session, LIN, account, WISH, AT)
    assert roles(session, AT) == {Role.DISPATCHER}


def test_nobody_approves_their_own(session: Session, account: int) -> None:
    both = replace(LIN, roles={Role.ADMINISTRATOR: None})
    number = elevated.ask(session, both, account, WISH, AT).id or 0
    with pytest.raises(AccessDeniedError, match="another person"):
        elevated.decide(session, both, number, True, AT)
    with pytest.raises(AccessDeniedError, match=r"access\.decide"):
        elevated.decide(session, Actor("x", roles={Role.PLANNER: None}), number, True, AT)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (replace(WISH, days=32), "1 to 31 days"),
        (replace(WISH, days=0), "1 to 31 days"),
        (replace(WISH, purpose="x"), "needed for"),
        (replace(WISH, addresses=""), "1 to 20 addresses"),
        (replace(WISH, addresses="everywhere"), "an address or a network"),
        (replace(WISH, team_id=99), "no team"),
    ],
)
def test_what_is_asked_for_has_bounds(
    session: Session, account: int, wish: Application, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        elevated.ask(session, LIN, account, wish, AT)


def test_withdrawing_takes_the_whole_checklist_and_ends_it(session: Session, account: int) -> None:
    number = granted(session, account)
    with pytest.raises(InputError, match="every point"):
        elevated.withdraw(session, ADMIN, number, list(CHECKLIST[:-1]), AT)
    elevated.withdraw(session, ADMIN, number, list(CHECKLIST), AT)
    assert roles(session, AT) == {Role.DISPATCHER}
    with pytest.raises(ConflictError, match="ended"):
        elevated.withdraw(session, ADMIN, number, list(CHECKLIST), AT)


def test_four_weeks_without_a_look_make_a_review_due(session: Session, account: int) -> None:
    number = elevated.ask(session, LIN, account, replace(WISH, days=31), AT).id or 0
    elevated.decide(session, ADMIN, number, True, AT)
    due = [elevated.register(session, ADMIN, AT + n * DAY)[0].due for n in (27, 28, 31)]
    assert due == [False, True, False]  # on day 31 it has expired


def test_every_step_is_in_the_audit_chain(session: Session, account: int) -> None:
    elevated.withdraw(session, ADMIN, granted(session, account), list(CHECKLIST), AT)
    actions = [entry.action for entry in session.exec(select(AuditEntry).order_by(AuditEntry.id))]  # type: ignore[arg-type]
    assert actions[-3:] == ["access.ask", "access.granted", "access.withdraw"]
    assert list(audit.verify(session)) == []


def test_a_role_of_a_site_covers_its_teams(session: Session, account: int) -> None:
    site = Site(code="s", name_en="S", name_zh="S")
    session.add(site)
    session.flush()
    teams = [Team(code=code, name_en=code, name_zh=code, site_id=site.id) for code in "ab"]
    session.add_all([*teams, Team(code="c", name_en="c", name_zh="c")])
    session.flush()
    session.add(AccountRole(account_id=account, role=Role.LEAD, site_id=site.id))
    session.flush()
    actor = accounts.actor_of(session, accounts.get(session, account))
    assert actor.roles[Role.LEAD] == {team.id for team in teams}


def test_a_renewal_is_a_new_application_that_ends_the_old_access(
    session: Session, account: int
) -> None:
    first = granted(session, account)
    later = AT + 6 * DAY
    second = elevated.ask(session, LIN, account, replace(WISH, renews=first), later).id
    assert second is not None
    lines = {one.grant.id: one for one in elevated.register(session, ADMIN, later)}
    assert (lines[first].state, lines[first].renewal) == ("active", second)
    elevated.decide(session, ADMIN, second, True, later)
    lines = {one.grant.id: one for one in elevated.register(session, ADMIN, later)}
    assert (lines[first].state, lines[second].state) == ("expired", "active")
    assert Role.PLANNER in roles(session, later + 6 * DAY)
    with pytest.raises(InputError, match="active is renewed"):
        elevated.ask(session, LIN, account, replace(WISH, renews=first), later)


def test_nobody_renews_what_is_anothers(session: Session, account: int) -> None:
    first = granted(session, account)
    other = accounts.create(session, "pia", "Pia", PASSWORD, [], AT)
    assert other.id is not None
    with pytest.raises(InputError, match="active is renewed"):
        elevated.ask(session, Actor("pia"), other.id, replace(WISH, renews=first), AT)


def test_access_for_a_site_covers_its_teams(session: Session, account: int) -> None:
    site = Site(code="s", name_en="Site", name_zh="地点")
    session.add(site)
    session.flush()
    team = Team(code="t", name_en="Team", name_zh="团队", site_id=site.id)
    session.add_all([team, Team(code="u", name_en="Other", name_zh="其他")])
    session.flush()
    number = elevated.ask(session, LIN, account, replace(WISH, site_id=site.id), AT).id
    assert number is not None
    elevated.decide(session, ADMIN, number, True, AT)
    token = accounts.sign_in(session, "lin", PASSWORD, AT)
    assert token is not None
    found = accounts.signed_in(session, token, AT, IDLE, address="10.0.0.7")
    assert found is not None
    assert found.actor.roles[Role.PLANNER] == frozenset({team.id})
