"""One desk, in a database of its own, for each log; its figures are kept.

The steps the tests walk stand in `records_desk` and `records_rosters` beside this file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from wfm import db

sys.path.append(str(Path(__file__).parent))

from records_desk import Desk


@pytest.fixture(scope="module")
def open_desk_of(
    new_database: Callable[[str], sa.Engine], shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Desk]]:
    """`open_desk_of("calls", "Asia/Jerusalem")`: an empty desk of a log in its own database.

    The figures of a run are printed, and kept as JSON in the folder that FIGURES names.
    """
    opened: list[tuple[str, Desk]] = []

    def make(name: str, timezone: str) -> Desk:
        fresh = new_database(name)
        db.upgrade(fresh)
        desk = Desk(fresh, timezone, shared / "data", tmp_path_factory.mktemp(name))
        opened.append((name, desk))
        return desk

    yield make
    for name, desk in opened:
        desk.engine.dispose()
        text = json.dumps(desk.figures, indent=1, default=str)
        print(f"\n{name}: {text}")
        if folder := os.environ.get("FIGURES"):
            (Path(folder) / f"{name}.json").write_text(text, encoding="utf-8")
