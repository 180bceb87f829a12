"""The page about the interface for machines lists every operation as the code describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from web.app import create_app
from wfm.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


def lines() -> Iterator[str]:
    """A line of the table for each operation."""
    app = create_app(Settings(), sa.create_engine("postgresql://"))
    api = next(one.app for one in app.routes if getattr(one, "path", "") == "/api/v1")
    for path, operations in api.openapi()["paths"].items():
        for method, one in operations.items():
            taken = any(p["name"] == "If-Match" for p in one.get("parameters", []))
            tag = "must" if "428" in one["responses"] else "may" if taken else ""
            what = " ".join(one["description"].split())
            yield f"| `{method.upper()} {path}` | {what} | {tag} |"


def test_the_page_lists_every_operation() -> None:
    told = re.findall(r"^\| `[A-Z]+ /.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(lines())
