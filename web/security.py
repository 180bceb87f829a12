"""Headers, origin check and the anti-forgery token, for every request."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request, Response

from wfm.errors import AccessDeniedError, InputError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_PLAIN_FORM = 1 << 20
LARGEST_WITH_FILES = 11 << 20  # five files of 2 MB and what goes with them
CSRF_COOKIE = "tierdesk_csrf"
SESSION_COOKIE = "tierdesk_session"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def csrf_token(request: Request) -> str:
    """The token of this browser; a new one where it has none yet."""
    return request.cookies.get(CSRF_COOKIE) or secrets.token_urlsafe(24)


def check_origin(request: Request) -> None:
    """Refuse a changing request that another site caused."""
    if request.method in SAFE_METHODS:
        return
    source = request.headers.get("origin") or request.headers.get("referer")
    if source and urlsplit(source).netloc != request.headers.get("host", ""):
        raise AccessDeniedError("this request came from another site; open the page again")


def check_size(request: Request) -> None:
    """Refuse a form that is larger than its fields and files may be, before reading it.

    A body that does not say its length is not read either. Imports and the interface for machines
    have limits of their own.
    """
    path = request.url.path
    if request.method in SAFE_METHODS or path == "/imports" or path.startswith("/api/v1/"):
        return
    files = path.startswith("/grades/")
    most = LARGEST_WITH_FILES if files else LARGEST_PLAIN_FORM
    length = request.headers.get("content-length", "")
    known = length.isascii() and length.isdigit()
    if (known and int(length) > most) or "transfer-encoding" in request.headers:
        told = "at most five files of 2 MB are taken" if files else "at most 1 MB is taken"
        raise InputError(f"this is too large; {told}")


async def check_csrf(request: Request) -> None:
    """Refuse a changing request without this browser's token (header, or form field)."""
    if request.method in SAFE_METHODS:
        return
    expected = request.cookies.get(CSRF_COOKIE, "")
    given = request.headers.get("x-csrf-token")
    if given is None and _is_small(request):
        given = str((await request.form()).get("csrf", ""))
    if not expected or not hmac.compare_digest(expected.encode(), (given or "").encode()):
        raise AccessDeniedError("this page is too old to act on; reload it and try again")


def _is_small(request: Request) -> bool:
    """Whether to read a body before knowing who sent it; whoever uploads sends the header."""
    length = request.headers.get("content-length", "")
    return length.isascii() and length.isdigit() and int(length) <= LARGEST_PLAIN_FORM


def address_of(request: Request) -> str:
    """Where a request comes from, as the server sees it (a proxy is trusted by the server only)."""
    return request.client.host if request.client else ""


def set_cookie(response: Response, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, httponly=True, samesite="lax", secure=secure, path="/")
