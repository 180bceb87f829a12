"""Signing in by a provider: OpenID Connect, authorization code with PKCE (RFC 7636).

Authlib speaks the protocol and joserfc reads the token; what is decided here is whom to believe:
the one issuer of the settings, a token made for this desk, for this very attempt, signed with a key
the issuer publishes.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from wfm.errors import SetupError, SignInError
from wfm.settings import Settings

TIMEOUT_S = 10
CLOCK_LEEWAY_S = 60
KNOWN_FOR_S = 600  # what the issuer publishes is asked for again after this
ALGORITHMS = ("RS256", "PS256", "ES256")  # with a key pair: nobody but the issuer can sign
STRONG = frozenset({"mfa", "otp", "hwk", "swk"})  # RFC 8176: more than a password was asked for
SCOPE = "openid email profile"


@dataclass(frozen=True)
class Attempt:
    """What the browser keeps until it comes back."""

    state: str
    nonce: str
    verifier: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Identity:
    """Who the issuer says this is. `email` is empty unless the issuer has verified it."""

    subject: str
    email: str
    second_factor: bool


class Provider:
    """The issuer of the settings; what it publishes is kept for some minutes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._read_at = 0.0
        self._published: dict[str, Any] = {}
        self._keys: Any = None

    def begin(self, back: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what it keeps meanwhile."""
        self._read()
        attempt = Attempt(*(secrets.token_urlsafe(48) for _ in range(3)))
        address, _ = self._client(back).create_authorization_url(
            self._published["authorization_endpoint"],
            state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier,
        )  # fmt: skip
        return address, attempt

    def finish(self, attempt: Attempt | None, answer: Mapping[str, str], back: str) -> Identity:
        """Who came back.

        Raises
        ------
        SignInError
            The answer is not one to this attempt, or the issuer does not vouch for anybody.
        """
        given = answer.get("state", "")
        if attempt is None or not hmac.compare_digest(given.encode(), attempt.state.encode()):
            raise SignInError("this sign-in was begun elsewhere or too long ago; begin again")
        if "error" in answer or not answer.get("code"):
            raise SignInError("the provider did not let you in; begin again")
        self._read()
        if answer.get("iss", self._published["issuer"]) != self._published["issuer"]:
            raise SignInError("another provider answered; begin again")  # RFC 9207
        try:
            token = self._client(back).fetch_token(
                self._published["token_endpoint"],
                code=answer["code"], code_verifier=attempt.verifier,
                grant_type="authorization_code", timeout=TIMEOUT_S,
            )  # fmt: skip
            claims = self._claims(str(token.get("id_token", "")), attempt.nonce)
        except (AuthlibBaseError, JoseError, ValueError, requests.RequestException) as error:
            raise SignInError("the provider's answer cannot be believed; begin again") from error
        verified = claims.get("email_verified") is True
        return Identity(
            subject=f"{self._published['issuer']}|{claims['sub']}",
            email=str(claims.get("email", "")).strip().lower() if verified else "",
            second_factor=bool(STRONG & set(claims.get("amr") or ())),
        )

    def _client(self, back: str) -> OAuth2Session:
        secret = self._settings.oidc_client_secret
        ways = self._published.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return OAuth2Session(
            self._settings.oidc_client_id, secret or None, redirect_uri=back, scope=SCOPE,
            token_endpoint_auth_method=way if secret else "none", code_challenge_method="S256",
            default_timeout=TIMEOUT_S,
        )  # fmt: skip

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            self._read(afresh=True)  # the issuer may have changed its keys since
            claims = jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
        expected = {"iss": self._published["issuer"], "aud": self._settings.oidc_client_id,
                    "nonce": nonce}  # fmt: skip
        rules: dict[str, Any] = {
            **{name: {"essential": True, "value": value} for name, value in expected.items()},
            **{name: {"essential": True} for name in ("exp", "iat", "sub")},
        }
        now = int(time.time())
        jwt.JWTClaimsRegistry(now=now, leeway=CLOCK_LEEWAY_S, **rules).validate(claims)
        if claims.get("azp", self._settings.oidc_client_id) != self._settings.oidc_client_id:
            raise ValueError("made for another client")
        return dict(claims)

    def _read(self, *, afresh: bool = False) -> None:
        """What the issuer publishes about itself, and its keys."""
        now = time.monotonic()
        if self._keys is not None and not afresh and now - self._read_at < KNOWN_FOR_S:
            return
        try:
            published = _get(f"{self._issuer}/.well-known/openid-configuration")
            if str(published["issuer"]).rstrip("/") != self._issuer:
                raise ValueError("it calls itself by another name")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _check_address(str(published[name]))
            keys = KeySet.import_key_set(_get(published["jwks_uri"]))  # type: ignore[arg-type]
        except (requests.RequestException, JoseError, KeyError, ValueError) as error:
            raise SetupError(
                "the provider of sign-in cannot be reached now; use your password, or try later"
            ) from error
        self._published, self._keys, self._read_at = published, keys, now


def _get(address: str) -> dict[str, Any]:
    _check_address(address)
    answer = requests.get(address, timeout=TIMEOUT_S, allow_redirects=False)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _check_address(address: str) -> None:
    """Only over TLS, except on this very machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise ValueError(f"{address} is not over TLS")
