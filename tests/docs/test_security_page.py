"""Every line of the threat model names tests, and they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| (?!threat)(?!---)([^|]+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def tests() -> set[str]:
    return {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_the_threat_model_is_there() -> None:
    assert len(LINES) >= 15


@pytest.mark.parametrize(("threat", "named"), LINES, ids=[threat[:40] for threat, _ in LINES])
def test_each_threat_has_a_test(threat: str, named: str, tests: set[str]) -> None:
    names = re.findall(r"`(test_\w+)`", named)
    assert names, threat
    assert set(names) <= tests
