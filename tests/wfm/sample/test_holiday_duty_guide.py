"""The walk-through of the guide runs and prints what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "holiday-duty.md"


def test_the_walk_through_prints_what_the_guide_says(capsys):
    text = GUIDE.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (said,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    exec(compile(code, GUIDE.name, "exec"), {})
    assert capsys.readouterr().out == said
