"""One's account and the register of elevated access, as pages; and how often one may try."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlmodel import select
from starlette.testclient import TestClient

from web.app import create_app
from web.limits import Limiter
from wfm.db import transaction
from wfm.settings import Settings
from wfm.tables import AccessGrant
from wfm.words import Role

SignIn = Callable[..., TestClient]
WISH = {"role": "planner", "purpose": "mend October's roster", "addresses": "10.0.0.7", "days": "7"}


def test_applied_for_approved_by_another_and_withdrawn(
    signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    client = signed_in(Role.AUDITOR, name="lin")
    assert client.post("/account/access", data=WISH).status_code == 303
    assert "waits for another person" in client.get("/account").text
    with transaction(fresh_engine) as session:
        number = session.exec(select(AccessGrant)).one().id
    assert client.post(f"/access/{number}", data={"approve": "true"}).status_code == 403
    other = signed_in(Role.ADMINISTRATOR, name="ada")
    assert "Withdraw" not in other.get("/access").text
    assert other.post(f"/access/{number}", data={"approve": "true"}).status_code == 303
    assert "Withdraw" in other.get("/access").text
    refused = other.post(f"/access/{number}/withdraw", data={"done": ["told"]})
    assert (refused.status_code, "every point" in refused.text) == (422, True)
    done = {"done": ["sessions", "tokens", "copies", "told"]}
    assert other.post(f"/access/{number}/withdraw", data=done).status_code == 303


def test_several_faults_of_an_application_are_each_told_once(signed_in: SignIn) -> None:
    wrong = WISH | {"purpose": "x", "addresses": "10.0.0.300", "days": "40"}
    told = signed_in(Role.PLANNER).post("/account/access", data=wrong)
    assert told.status_code == 422
    for field in ("Purpose: ", "Days: ", "Addresses: "):
        assert told.text.count(field) == 1


def test_the_register_is_empty_at_first_and_not_for_everybody(signed_in: SignIn) -> None:
    assert "Nobody has asked" in signed_in(Role.AUDITOR).get("/access").text
    assert signed_in(Role.PLANNER, name="other").get("/access").status_code == 403


def test_an_account_without_a_role_lands_on_its_own_page(signed_in: SignIn) -> None:
    client = signed_in()
    assert client.get("/").headers["location"] == "/account"
    assert "has no role now" in client.get("/account").text


def test_an_administrator_sets_up_the_second_factor_first(
    fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    assert client.get("/access").status_code == 200
    strict = create_app(Settings(second_factor=True), fresh_engine)
    other = TestClient(strict, base_url="http://desk.test", follow_redirects=False)
    other.cookies.set("tierdesk_session", client.cookies["tierdesk_session"])
    assert other.get("/access").status_code == 403
    assert "authenticator" in other.get("/account").text


def test_one_address_may_try_so_often_and_then_waits(client: TestClient) -> None:
    limiter = Limiter(per_minute=12, burst=20, clock=lambda: 0.0)  # time stands still
    client.app.state.sign_in_limit = limiter  # type: ignore[attr-defined]
    answers = [
        client.post("/sign-in", data={"name": "x", "password": "y"}).status_code for _ in range(21)
    ]
    assert answers == [401] * 20 + [429]


@pytest.mark.parametrize(("after", "let_through"), [(0.0, False), (4.9, False), (5.0, True)])
def test_the_bucket_fills_with_time(after: float, let_through: bool) -> None:
    now = [100.0]
    limiter = Limiter(per_minute=12, burst=2, clock=lambda: now[0])  # one more every 5 seconds
    assert [limiter.wait_s("a") for _ in range(3)] == [0, 0, 5]
    assert limiter.wait_s("b") == 0  # another address has its own
    now[0] += after
    assert (limiter.wait_s("a") == 0) is let_through


def test_a_refused_password_is_not_repeated(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    data = {"old": "Right-answer-42", "new": "Password-4242"}
    answer = client.post("/account/password", data=data)
    assert (answer.status_code, "Password-4242" in answer.text) == (422, False)
