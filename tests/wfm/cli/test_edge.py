"""The edge of the command line: what the machine refuses, and what cannot be printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wfm.cli.main import run

CASE = {
    "id": "\ud800",
    "kind": "due",
    "calendar": {"mon": [["09:00", "17:00"]]},
    "timezone": "UTC",
    "start": "2024-01-15T16:00:00",
    "target": {"business_seconds": 60},
}


@pytest.mark.parametrize("name", ["\ud800", "客服一"])
def test_half_a_character_is_escaped(tmp_path: Path, name: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([{**CASE, "id": name}]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from wfm.cli.main import main; main()",
         "sla", "evaluate", str(path), "--json"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"}, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["id"] == name


def test_a_name_too_long_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["sla", "evaluate", str(tmp_path / ("x" * 5000))],
        ["roster", "solve", "p.txt", "--out", str(tmp_path / ("x" * 5000))],
    ):
        assert run(arguments) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        assert "too long" in err
