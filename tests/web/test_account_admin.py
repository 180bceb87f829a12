"""The accounts page: make, give roles with a scope, ways back in, close; never one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select
from starlette.testclient import TestClient

import web
from wfm import instants
from wfm.cli.main import run
from wfm.db import transaction
from wfm.services import accounts, api_tokens
from wfm.tables import Account, SignInSession, Site, Team
from wfm.words import Role

SignIn = Callable[..., TestClient]
OWN = "My-very-own-77"


@pytest.fixture
def admin(signed_in: SignIn) -> TestClient:
    return signed_in(Role.ADMINISTRATOR, name="ada")


def shown_password(page: str) -> str:
    found = re.search(r"<code>([^<]{16})</code>", page)
    assert found is not None
    return found[1]


def make(admin: TestClient, name: str = "wei", **more: str) -> tuple[str, str]:
    """A new account: its page's path and its first password."""
    data = {"name": name, "display_name": "魏 Wei", "language": "en"} | more
    page = admin.post("/accounts", data=data)
    assert page.status_code == 200, page.text
    path = re.search(r'action="(/accounts/\d+)/roles"', page.text)
    assert path is not None
    return path[1], shown_password(page.text)


def sign_in(client: TestClient, name: str, password: str) -> TestClient:
    client.cookies.delete("tierdesk_session")
    assert client.post("/sign-in", data={"name": name, "password": password}).status_code == 303
    return client


def test_a_new_account_chooses_its_own_password_before_it_has_roles(admin: TestClient) -> None:
    path, first = make(admin)
    role = {"role": "planner", "scope": "desk"}
    assert admin.post(f"{path}/roles", data=role).status_code == 303
    assert first not in admin.get(path).text  # shown once
    client = sign_in(admin, "wei", first)
    assert client.get("/").headers["location"] == "/account"
    assert client.get("/rosters").status_code == 403
    assert "This is your first password" in client.get("/account").text
    done = client.post("/account/password", data={"old": first, "new": OWN})
    assert done.headers["location"] == "/sign-in"
    assert sign_in(client, "wei", OWN).get("/rosters").status_code == 200


def test_roles_are_for_the_desk_a_site_or_a_team(
    admin: TestClient, fresh_engine: sa.Engine
) -> None:
    with transaction(fresh_engine) as session:
        site = Site(code="bj", name_en="Beijing", name_zh="北京")
        session.add(site)
        session.flush()
        team = Team(code="t", name_en="Night team", name_zh="夜班组", site_id=site.id)
        session.add_all([team, Team(code="u", name_en="Other", name_zh="其他")])
        session.flush()
        team_id, site_id = team.id, site.id
    path, _ = make(admin)
    for scope in (f"team-{team_id}", f"site-{site_id}"):
        assert admin.post(f"{path}/roles", data={"role": "lead", "scope": scope}).status_code == 303
    again = admin.post(f"{path}/roles", data={"role": "lead", "scope": f"team-{team_id}"})
    assert (again.status_code, "holds this role already" in again.text) == (409, True)
    page = admin.get(path).text
    assert "Night team" in page
    assert "teams of Beijing" in page
    with transaction(fresh_engine) as session:
        account = accounts.named(session, "wei")
        assert account is not None
        account.must_change = False
        assert accounts.actor_of(session, account).roles == {Role.LEAD: frozenset({team_id})}
    taken = re.findall(r'action="(/accounts/\d+/roles/\d+/take)"', page)
    assert [admin.post(one).status_code for one in taken] == [303, 303]
    assert "No role yet" in admin.get(path).text


def test_a_closed_account_is_out_at_once_and_stays_on_record(
    admin: TestClient, fresh_engine: sa.Engine
) -> None:
    path, first = make(admin)
    kept = admin.cookies["tierdesk_session"]
    client = sign_in(admin, "wei", first)
    theirs = client.cookies["tierdesk_session"]
    now = instants.now()
    with transaction(fresh_engine) as session:
        number = int(path.rpartition("/")[2])
        token = api_tokens.make(session, number, "report", ["read"], 30, now)
    client.cookies.set("tierdesk_session", kept, domain="desk.test", path="/")
    client.cookies.clear()
    client.cookies.set("tierdesk_session", kept)
    client.get("/sign-in")
    client.headers["x-csrf-token"] = client.cookies["tierdesk_csrf"]
    assert client.post(f"{path}/active", data={"active": "false"}).status_code == 303
    assert "closed" in client.get("/accounts").text
    assert "account closed" in client.get(path).text
    client.cookies.set("tierdesk_session", theirs)
    assert client.get("/account").status_code == 303
    assert client.post("/sign-in", data={"name": "wei", "password": first}).status_code == 401
    # opened again, the person signs in anew; neither session nor token comes back
    client.cookies.set("tierdesk_session", kept)
    assert client.post(f"{path}/active", data={"active": "true"}).status_code == 303
    client.cookies.set("tierdesk_session", theirs)
    assert client.get("/account").status_code == 303
    with transaction(fresh_engine) as session:
        assert api_tokens.caller(session, token, now) is None


def test_a_reset_password_ends_the_sessions_and_the_second_factor_can_be_dropped(
    admin: TestClient, fresh_engine: sa.Engine
) -> None:
    path, first = make(admin)

    def signed_in_then(act: str) -> str:
        """Wei signs in with a password of her own; nothing of it is left after the act."""
        with transaction(fresh_engine) as session:
            account = session.exec(select(Account).where(Account.name == "wei")).one()
            account.totp_secret, account.failures, account.must_change = "A" * 32, 4, False
            accounts.open_session(session, account, instants.now(), second_factor=True)
        page = admin.post(f"{path}/{act}").text
        with transaction(fresh_engine) as session:
            account = session.exec(select(Account).where(Account.name == "wei")).one()
            left = session.exec(
                select(SignInSession).where(SignInSession.account_id == account.id)
            ).all()
            assert left == [], act
            assert account.must_change is (act == "password")
        return page

    second = shown_password(signed_in_then("password"))
    assert second != first
    assert "Drop the second factor" in admin.get(path).text
    signed_in_then("sign-out")
    signed_in_then("second-factor")
    third = shown_password(admin.post(f"{path}/password").text)
    assert third != second
    sign_in(admin, "wei", third)  # no second factor is asked for any more


@pytest.mark.parametrize(
    ("act", "data"),
    [("roles", {"role": "lead"}), ("password", {}), ("active", {"active": "false"}),
     ("person", {"display_name": "x"}), ("second-factor", {})],
)  # fmt: skip
def test_nobody_changes_ones_own_account(
    admin: TestClient, fresh_engine: sa.Engine, act: str, data: dict[str, str]
) -> None:
    with transaction(fresh_engine) as session:
        own = accounts.named(session, "ada")
        assert own is not None
        path = f"/accounts/{own.id}"
    answer = admin.post(f"{path}/{act}", data=data)
    assert (answer.status_code, "another administrator" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"name": "a b"}, 422, "letters, digits"),
        ({"name": "ADA"}, 409, "already"),
        ({"email": "nobody"}, 422, "expected an address"),
        ({"agent": "A999"}, 422, "there is no agent A999"),
    ],
)
def test_what_cannot_be_an_account(
    admin: TestClient, more: dict[str, str], status: int, said: str
) -> None:
    answer = admin.post("/accounts", data={"name": "wei", "display_name": "Wei"} | more)
    assert (answer.status_code, said in answer.text) == (status, True)


def test_an_administrator_of_one_team_manages_no_accounts(
    client: TestClient, fresh_engine: sa.Engine
) -> None:
    with transaction(fresh_engine) as session:
        team = Team(code="t", name_en="Team", name_zh="团队")
        session.add(team)
        session.flush()
        accounts.create(session, "pia", "Pia", OWN, [(Role.ADMINISTRATOR, team.id)],
                        instants.now(), language="en")  # fmt: skip
    sign_in(client, "pia", OWN)
    assert client.get("/accounts").status_code == 403


def test_the_first_administrator_comes_from_the_command_line(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    client: TestClient,
) -> None:  # fmt: skip
    monkeypatch.setenv("WFM_DATABASE_URL", fresh_url)
    monkeypatch.setenv("WFM_STAMP_KEY", "5a" * 32)
    assert run(["account", "add", "ada", "--role", "administrator"]) == 0
    first = capsys.readouterr().out.strip()
    sign_in(client, "ada", first)
    assert run(["account", "add", "ada"]) == 1
    assert "there is an account ada already" in capsys.readouterr().err
    assert run(["account", "reset", "ada"]) == 0
    second = capsys.readouterr().out.strip()
    assert client.get("/account").status_code == 303  # the session has ended
    sign_in(client, "ada", second)
    assert run(["account", "reset", "nobody"]) == 1


def test_what_happened_to_an_account_is_told_in_words(admin: TestClient) -> None:
    path, _ = make(admin)
    admin.post(f"{path}/roles", data={"role": "planner", "scope": "desk"})
    told = admin.get(path).text
    assert "account made" in told
    assert "role given planner" in told
    assert "account." not in told


def test_every_act_on_an_account_has_its_words() -> None:
    services = Path(accounts.__file__).parent
    acts = {
        act
        for name in ("accounts.py", "account_admin.py")
        for act in re.findall(r'"(account\.\w+)"', (services / name).read_text(encoding="utf-8"))
    }
    template = Path(web.__file__).parent / "templates" / "access_words.html"
    assert len(acts) > 10
    assert acts <= set(re.findall(r'"(account\.\w+)"', template.read_text(encoding="utf-8")))
