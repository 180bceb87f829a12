"""Passwords, sign-in, idle sessions and roles."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from wfm import totp
from wfm.access import RIGHTS, Actor, require
from wfm.errors import AccessDeniedError, InputError, SignInError
from wfm.services import accounts, passwords
from wfm.words import Role

NOW = datetime(2026, 9, 30, 8, tzinfo=UTC)
IDLE = timedelta(minutes=60)
PASSWORD = "Right-answer-42"


@pytest.fixture
def lead(session: Session) -> None:
    accounts.create(session, "lin", "林", PASSWORD, [(Role.LEAD, None)], NOW)


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Short-4two", "at least 11"),  # ten characters of four kinds
        ("lower-case-42", "upper-case"),
        ("UPPER-CASE-42", "lower-case"),
        ("No-digits-here", "digit"),
        ("NoSpecials4242", "special"),
    ],
)
def test_a_weak_password_is_refused_with_what_it_lacks(password: str, missing: str) -> None:
    with pytest.raises(InputError, match=missing):
        passwords.check(password)


def test_eleven_characters_of_four_kinds_pass() -> None:
    passwords.check("Eleven-ch4r")


def test_signing_in_gives_the_roles(session: Session, lead: None) -> None:
    token = accounts.sign_in(session, "lin", PASSWORD, NOW)
    assert token is not None
    who = accounts.signed_in(session, token, NOW, IDLE)
    assert who is not None
    assert who.actor.roles == {Role.LEAD: None}


def test_a_wrong_password_or_name_signs_nobody_in(session: Session, lead: None) -> None:
    assert accounts.sign_in(session, "lin", "Wrong-answer-42", NOW) is None
    assert accounts.sign_in(session, "nobody", PASSWORD, NOW) is None


def test_five_failures_pause_the_account_for_five_minutes(session: Session, lead: None) -> None:
    for _ in range(5):
        accounts.sign_in(session, "lin", "Wrong-answer-42", NOW)
    with pytest.raises(SignInError, match="5 minutes"):
        accounts.sign_in(session, "lin", PASSWORD, NOW)
    assert accounts.sign_in(session, "lin", PASSWORD, NOW + timedelta(minutes=5)) is not None


def test_a_name_nobody_has_pauses_as_an_account_does(session: Session, lead: None) -> None:
    """Else the pause would tell which names are accounts."""

    def told(name: str, at: datetime) -> str:
        try:
            return str(accounts.sign_in(session, name, "Wrong-answer-42", at))
        except SignInError as error:
            return str(error)

    for after_s in (*range(7), 240, 301, 302, 307, 700):
        at = NOW + timedelta(seconds=after_s)
        assert told("nobody-of-this-test", at) == told("lin", at), after_s


def test_an_idle_session_ends(session: Session, lead: None) -> None:
    token = accounts.sign_in(session, "lin", PASSWORD, NOW)
    assert token is not None
    assert accounts.signed_in(session, token, NOW + IDLE, IDLE) is not None
    much_later = NOW + 2 * IDLE + timedelta(seconds=1)
    assert accounts.signed_in(session, token, much_later, IDLE) is None


def test_signing_out_everywhere_ends_all_sessions(session: Session, lead: None) -> None:
    tokens = [accounts.sign_in(session, "lin", PASSWORD, NOW) or "" for _ in range(2)]
    accounts.sign_out(session, tokens[0], NOW, everywhere=True)
    assert [accounts.signed_in(session, token, NOW, IDLE) for token in tokens] == [None, None]


def test_a_right_for_one_team_is_none_for_another() -> None:
    actor = Actor("lin", roles={Role.LEAD: frozenset({1})})
    require(actor, "grades.decide", team_id=1)
    with pytest.raises(AccessDeniedError, match="for this team"):
        require(actor, "grades.decide", team_id=2)


def test_a_role_without_the_right_is_refused() -> None:
    with pytest.raises(AccessDeniedError, match="takes one of these roles: lead"):
        require(Actor("gu", roles={Role.AGENT: None}), "grades.decide")


def test_every_role_is_used_by_some_right() -> None:
    assert set().union(*RIGHTS.values()) == set(Role)


@pytest.mark.parametrize(
    ("password", "common"),
    [
        ("Password-123", True),
        ("P@ssw0rd-2026", True),
        ("Qwertyuiop-1", True),
        ("Admin!Admin!1", True),  # one word twice
        ("Aaaaaaaaaa-1", True),  # one letter
        ("Lin-2026-lin!", True),  # the account's own name
        ("Right-answer-42", False),
        ("Eleven-ch4r", False),
    ],
)
def test_common_words_dressed_up_are_refused(password: str, common: bool) -> None:
    assert passwords.is_common(password, "lin") is common
    if common:
        with pytest.raises(InputError, match="easy to guess"):
            passwords.check(password, "lin")


def test_the_second_factor_is_asked_for_and_used_once(session: Session) -> None:
    made = accounts.create(session, "ada", "Ada", PASSWORD, [(Role.ADMINISTRATOR, None)], NOW)
    assert made.id is not None
    secret = totp.new_secret()

    def code(at: datetime) -> str:
        return totp.code(base64.b32decode(secret), totp.step_of(at))

    with pytest.raises(InputError, match="does not fit"):
        accounts.set_second_factor(session, made.id, secret, "", NOW)
    accounts.set_second_factor(session, made.id, secret, code(NOW), NOW)
    later = NOW + timedelta(minutes=2)
    assert accounts.sign_in(session, "ada", PASSWORD, later) is None
    assert accounts.sign_in(session, "ada", PASSWORD, later, code(later)) is not None
    assert accounts.sign_in(session, "ada", PASSWORD, later, code(later)) is None  # once


def test_an_administrator_without_a_second_factor_is_none_yet(session: Session) -> None:
    roles = [(Role.ADMINISTRATOR, None), (Role.LEAD, None)]
    accounts.create(session, "ada", "Ada", PASSWORD, roles, NOW)
    token = accounts.sign_in(session, "ada", PASSWORD, NOW)
    assert token is not None
    found = accounts.signed_in(session, token, NOW, IDLE, second_factor=True)
    assert found is not None
    assert set(found.actor.roles) == {Role.LEAD}


def test_a_new_password_ends_all_sessions(session: Session, lead: None) -> None:
    token = accounts.sign_in(session, "lin", PASSWORD, NOW)
    assert token is not None
    who = accounts.signed_in(session, token, NOW, IDLE)
    assert who is not None
    with pytest.raises(InputError, match="old password"):
        accounts.change_password(session, who.account_id, "x", "Other-answer-43", NOW)
    accounts.change_password(session, who.account_id, PASSWORD, "Other-answer-43", NOW)
    assert accounts.signed_in(session, token, NOW, IDLE) is None
    assert accounts.sign_in(session, "lin", "Other-answer-43", NOW) is not None
