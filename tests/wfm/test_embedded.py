"""A database server of our own that cannot start."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from wfm.cli.main import run


def test_a_server_that_cannot_start_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with TemporaryDirectory(prefix="wfm-damaged-", ignore_cleanup_errors=True) as name:
        data = Path(name) / "postgres"
        data.mkdir()
        (data / "PG_VERSION").write_text("9.0\n", encoding="ascii")
        monkeypatch.delenv("WFM_DATABASE_URL", raising=False)
        monkeypatch.setenv("WFM_DATA_DIR", name)
        assert run(["db", "verify"]) == 1
        said = capfd.readouterr()
        assert (said.out, len(said.err.splitlines())) == ("", 1), said.err
        assert said.err.startswith("PostgreSQL did not start")
        assert str(data / "log") in said.err
