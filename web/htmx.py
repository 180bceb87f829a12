"""What is particular to htmx: is this a fragment request, and where to go after it."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import RedirectResponse


def wants_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of the page (and not for the page to be restored)."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") is None


def go_to(request: Request, path: str) -> Response:
    """Send the browser to another page, in the way this kind of request understands."""
    if wants_fragment(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)
