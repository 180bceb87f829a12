"""Signing in by a provider: a real one, small, on this machine; and everything it may get wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.testclient import TestClient

from web.app import create_app
from wfm import instants
from wfm.db import transaction
from wfm.services import accounts
from wfm.settings import Settings
from wfm.words import Role

CLIENT, SECRET = "tierdesk", "a-secret-of-the-desk"
BACK = "http://desk.test/sign-in/provider/back"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})


class Issuer(ThreadingHTTPServer):
    """A provider that knows one person and keeps the rules of RFC 6749, 7636 and OpenID Connect."""

    def __init__(self) -> None:
        self.person = {"sub": "u-17", "email": "Lin@Desk.example", "email_verified": True}
        self.twist: dict[str, Any] = {}  # claims to get wrong; None leaves one out
        self.sign_with: Any = KEY
        self.algorithm = "RS256"
        self.codes: dict[str, dict[str, str]] = {}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], **self.person, **self.twist}  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        return jwt.encode(header, claims, self.sign_with, algorithms=[self.algorithm])


class Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            self.answer({
                "issuer": self.server.url, "jwks_uri": f"{self.server.url}/keys",
                "authorization_endpoint": f"{self.server.url}/authorize",
                "token_endpoint": f"{self.server.url}/token",
            })  # fmt: skip
        elif parts.path == "/keys":
            self.answer({"keys": [KEY.as_dict(private=False)]})
        else:
            assert asked["response_type"] == "code"
            assert asked["code_challenge_method"] == "S256"
            assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT, BACK)
            code = secrets.token_hex(8)
            self.server.codes[code] = asked
            self.send_response(302)
            query = urlencode({"code": code, "state": asked["state"]})
            self.send_header("location", f"{asked['redirect_uri']}?{query}")
            self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.codes.pop(given.get("code", ""), None)  # once
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if (asked is None or challenge != asked["code_challenge"]
                or given.get("redirect_uri") != asked["redirect_uri"]
                or self.headers["authorization"] != f"Basic {basic}"):  # fmt: skip
            self.answer({"error": "invalid_grant"}, 400)
            return
        self.answer({"access_token": "x", "token_type": "Bearer",
                     "id_token": self.server.token(asked)})  # fmt: skip

    def answer(self, document: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as server:
        poll = {"poll_interval": 0.05}
        thread = threading.Thread(target=server.serve_forever, kwargs=poll, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(20)


@pytest.fixture
def desk(fresh_engine: sa.Engine, tmp_path: Path, issuer: Issuer) -> Iterator[TestClient]:
    """A desk that knows this issuer, and Lin, an administrator, by address."""
    settings = Settings(
        data_dir=tmp_path, oidc_issuer=issuer.url, oidc_client_id=CLIENT, language="en",
        oidc_client_secret=SECRET, oidc_name="Our Login", public_url="http://desk.test",
    )  # fmt: skip
    with transaction(fresh_engine) as session:
        accounts.create(
            session, "lin", "Lin", "Right-answer-42",
            [(Role.LEAD, None), (Role.ADMINISTRATOR, None)],
            instants.now(), language="en", email="lin@desk.example", must_change=True,
        )  # fmt: skip
    app = create_app(settings, fresh_engine)
    with TestClient(app, base_url="http://desk.test", follow_redirects=False) as client:
        yield client


def there_and_back(desk: TestClient, target: str = "/grades") -> Any:
    """As a browser does it."""
    leave = desk.get("/sign-in/provider", params={"next": target})
    assert leave.status_code == 303
    back = requests.get(leave.headers["location"], allow_redirects=False, timeout=5)
    return desk.get(back.headers["location"])


def test_the_first_time_by_address_then_by_the_providers_own_name(
    desk: TestClient, issuer: Issuer
) -> None:
    assert "Sign in with Our Login" in desk.get("/sign-in?next=/grades").text
    answer = there_and_back(desk)
    assert (answer.status_code, answer.headers["location"]) == (303, "/grades")
    assert desk.get("/grades").status_code == 200
    assert desk.post("/sign-in", data={"name": "lin", "password": "Right-answer-42"}).status_code
    issuer.person = {"sub": "u-17", "email": "another@desk.example", "email_verified": False}
    desk.cookies.clear()
    assert there_and_back(desk).status_code == 303
    # somebody else who comes to have Lin's address is not Lin
    issuer.person = {"sub": "u-18", "email": "lin@desk.example", "email_verified": True}
    desk.cookies.clear()
    assert there_and_back(desk).status_code == 401


@pytest.mark.parametrize(("amr", "status"), [(["pwd"], 403), (["pwd", "mfa"], 200), (None, 403)])
def test_the_second_factor_of_an_administrator_may_be_the_providers(
    desk: TestClient, issuer: Issuer, amr: list[str] | None, status: int
) -> None:
    issuer.twist = {"amr": amr}
    assert there_and_back(desk).status_code == 303
    assert desk.get("/accounts").status_code == status


@pytest.mark.parametrize(
    "twist",
    [
        {"nonce": "of another attempt"}, {"nonce": None}, {"aud": "another desk"},
        {"aud": [CLIENT, "x"], "azp": "x"}, {"iss": "http://127.0.0.1:1"}, {"exp": 1_000_000_000},
        {"exp": None}, {"sub": None}, {"email_verified": False}, {"email_verified": None},
        {"email": "nobody@desk.example"}, {"email": ""},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_does_not_fit_lets_nobody_in(
    desk: TestClient, issuer: Issuer, twist: dict[str, Any]
) -> None:
    issuer.twist = twist
    answer = there_and_back(desk)
    assert (answer.status_code, 'role="alert"' in answer.text) == (401, True)
    assert "tierdesk_session" not in desk.cookies


@pytest.mark.parametrize(
    ("key", "algorithm"), [(OTHER, "RS256"), (OctKey.import_key(SECRET), "HS256")]
)
def test_a_token_the_issuer_did_not_sign_lets_nobody_in(
    desk: TestClient, issuer: Issuer, key: Any, algorithm: str
) -> None:
    issuer.sign_with, issuer.algorithm = key, algorithm
    assert there_and_back(desk).status_code == 401


def test_an_answer_to_no_attempt_or_a_used_one_lets_nobody_in(
    desk: TestClient, issuer: Issuer
) -> None:
    assert desk.get("/sign-in/provider/back?code=x&state=y").status_code == 401
    leave = desk.get("/sign-in/provider")
    back = requests.get(leave.headers["location"], allow_redirects=False, timeout=5)
    path = back.headers["location"]
    assert desk.get(path.replace("state=", "state=x")).status_code == 401
    desk.get("/sign-in/provider")
    assert desk.get(path).status_code == 401  # of the attempt before
    leave = desk.get("/sign-in/provider")
    kept = desk.cookies["tierdesk_provider"]
    back = requests.get(leave.headers["location"], allow_redirects=False, timeout=5)
    assert desk.get(back.headers["location"]).status_code == 303
    desk.cookies.set("tierdesk_provider", kept, domain="desk.test", path="/sign-in")
    assert desk.get(back.headers["location"]).status_code == 401
    assert desk.get("/sign-in/provider/back?error=access_denied&state=y").status_code == 401


def test_afterwards_one_lands_on_this_very_site(desk: TestClient) -> None:
    assert there_and_back(desk, "//evil.test/").headers["location"] == "/"


def test_a_closed_account_stays_out(desk: TestClient, fresh_engine: sa.Engine) -> None:
    with transaction(fresh_engine) as session:
        account = accounts.named(session, "lin")
        assert account is not None
        account.active = False
    assert "ask an administrator" in there_and_back(desk).text


def test_without_a_provider_there_is_none(client: TestClient) -> None:
    assert client.get("/sign-in/provider").status_code == 404
    assert "/sign-in/provider" not in client.get("/sign-in").text


@pytest.mark.parametrize("issuer_url", ["http://login.example", "http://127.0.0.1:9"])
def test_a_provider_that_is_not_reached_safely_is_said(
    fresh_engine: sa.Engine, tmp_path: Path, issuer_url: str
) -> None:
    settings = Settings(data_dir=tmp_path, oidc_issuer=issuer_url, oidc_client_id=CLIENT)
    with TestClient(create_app(settings, fresh_engine), base_url="http://desk.test") as client:
        answer = client.get("/sign-in/provider?lang=en")
    assert (answer.status_code, "use your password" in answer.text) == (503, True)
