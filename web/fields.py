"""Numbers of rows as routes take them: bounded by what the database can hold."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path, Query
from pydantic import BeforeValidator, Field

LARGEST = 2**31 - 1  # of an integer column

PathId = Annotated[int, Path(ge=1, le=LARGEST)]
FormId = Annotated[int, Form(ge=1, le=LARGEST)]
MaybeId = Annotated[int | None, Form(ge=1, le=LARGEST)]
QueryId = Annotated[int, Query(ge=1, le=LARGEST)]
# a form whose choice is "all" sends the name without a value
AskedId = Annotated[
    Annotated[int, Field(ge=1, le=LARGEST)] | None,
    BeforeValidator(lambda text: text or None),
    Query(),
]

Scope = Annotated[str, Form(pattern=r"^(desk|(team|site)-\d{1,9})$")]


def scope_of(text: str) -> tuple[int | None, int | None]:
    """The team or the site that `team-3` or `site-1` names; neither for the whole desk."""
    kind, _, key = text.partition("-")
    return (int(key) if kind == "team" else None), (int(key) if kind == "site" else None)
