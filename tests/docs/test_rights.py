"""The table of rights in the documents is the one the code checks."""

from __future__ import annotations

import re
from pathlib import Path

from wfm.access import RIGHTS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rights.md"


def test_the_page_says_what_the_code_checks() -> None:
    rows = re.findall(r"^\| `([a-z.]+)` \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    told = {right: set(re.findall(r"`(\w+)`", roles)) for right, roles in rows}
    assert told == {right: {role.value for role in roles} for right, roles in RIGHTS.items()}
