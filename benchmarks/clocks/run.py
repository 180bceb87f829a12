"""Finding and moving due clocks among many open tickets, as the clock worker does it.

    python benchmarks/clocks/run.py [--open 200000] [--due 10000] [--seed 1]

Makes an embedded database of its own in a temporary folder, with open tickets under one agreement
(first response and resolution), of which some reach a threshold at the instant of the look. Prints
a table with machine and date: seconds to look at all that are due, notices raised, and what a
second look finds (nothing).
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import sqlalchemy as sa

from wfm import db, embedded
from wfm.services import clock_worker
from wfm.settings import Settings

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)  # Wednesday noon in Shanghai, the desk is open
ZONE = "Asia/Shanghai"
LIMIT_S = 14_400
STEP = timedelta(minutes=1)


def fill(engine: sa.Engine, open_tickets: int, due: int, seed: int) -> None:
    """Tickets opened this morning; `due` of them reached half of their limit a moment ago."""
    random = np.random.default_rng(seed)
    age = random.uniform(60, LIMIT_S / 2 - 60, open_tickets)  # not half of it used yet
    age[:due] = LIMIT_S / 2 + random.uniform(0, 59, due)
    random.shuffle(age)
    with engine.begin() as connection:
        connection.execute(sa.text(
            "insert into business_calendar (code, name_en, name_zh, timezone, definition) values"
            " ('desk', 'Desk', '服务台', 'Asia/Shanghai', cast(:hours as jsonb))"),
            {"hours": "{" + ", ".join(f'"{day}": [["08:00", "22:00"]]' for day in
             ("mon", "tue", "wed", "thu", "fri", "sat", "sun")) + "}"})  # fmt: skip
        connection.execute(sa.text(
            "insert into service (code, name_en, name_zh, status, owner) values"
            " ('s', 'S', 'S', 'live', '')"))  # fmt: skip
        connection.execute(sa.text(
            "insert into agreement (code, version, kind, status, name_en, name_zh, service_id,"
            " provider, receiver, parts, supports, thresholds, reopening, notices_at_night,"
            " reviewed_by, signed_by_provider, signed_by_receiver, sealed, seal) values"
            " ('A', 1, 'sla', 'in_force', '', '', 1, '', '', '{}', '{}', '[]', 'continue', false,"
            " '', '', '', '{}', '')"))  # fmt: skip
        connection.execute(sa.text(
            "insert into agreement_target (agreement_id, metric, limit_s, unit, share, source,"
            " conditions) values (1, 'first_response', :limit, 'second', 0.9, '', '{}'),"
            " (1, 'resolution', 86400, 'second', 0.9, '', '{}')"), {"limit": LIMIT_S})  # fmt: skip
        connection.execute(sa.text(
            "insert into ticket (code, opened_at, kind, title, min_grade, priority, category,"
            " channel, service_id, state)"
            " select 'T' || n, cast(:now as timestamptz) - make_interval(secs => age), 'request',"
            " '', 'ordinary', 3, '', '', 1, 'open'"
            " from unnest(cast(:ages as double precision[])) with ordinality as a(age, n)"),
            {"now": NOW, "ages": age.round().tolist()})  # fmt: skip
        connection.execute(sa.text(
            "insert into ticket_event (code, ticket_id, at, kind, team, note)"
            " select 'E' || id, id, opened_at, 'opened', '', '' from ticket"))  # fmt: skip
        connection.execute(sa.text("update ticket set next_look_at = :at"), {"at": NOW - STEP})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--open", type=int, default=200_000, help="open tickets")
    parser.add_argument("--due", type=int, default=10_000, help="tickets due for a look")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{date.today()}  {platform.machine()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}")  # fmt: skip
    with TemporaryDirectory(prefix="wfm-bench-", ignore_cleanup_errors=True) as folder:
        engine = db.open_engine(Settings(data_dir=Path(folder)))
        db.upgrade(engine)
        fill(engine, options.open, options.due, options.seed)
        looks = (
            ("first reading of all open tickets", NOW - STEP),
            ("look: those that are due", NOW),
            ("look again", NOW),
        )
        print(f"{'':<36}{'tickets':>10}{'notices':>10}{'seconds':>10}")
        raised = 0
        for name, at in looks:
            begin = time.perf_counter()
            looked = clock_worker.catch_up(engine, at, ZONE, 1000)
            took = time.perf_counter() - begin
            with engine.connect() as connection:
                total = connection.scalar(sa.text("select count(*) from clock_notice")) or 0
            print(f"{name:<36}{looked:>10}{total - raised:>10}{took:>10.2f}")
            raised = total
        engine.dispose()
        embedded.stop(Path(folder))


if __name__ == "__main__":
    main()
