"""The page about the interface for machines names every operation, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from web.api.app import READS, WRITES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


def test_the_page_names_every_operation() -> None:
    told = set(re.findall(r"`((?:GET|POST) /[^`?]+)", PAGE.read_text(encoding="utf-8")))
    assert told == {f"GET {path}" for path in READS} | {f"POST {path}" for path in WRITES}
