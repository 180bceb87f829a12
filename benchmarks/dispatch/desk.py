"""Handing out with the database: 5,000 tickets wait, 1,000 agents are on duty.

In a database of its own. `hand_out` gives many tickets in one transaction, as "give out what
waits" does; `assign` gives one, as a dispatcher does, with everything read anew.

Usage: python benchmarks/dispatch/desk.py [WAITING] [ON_DUTY]
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from million import SKILLS
from sqlmodel import Session, select

from wfm import db, embedded, tables
from wfm.access import Actor
from wfm.services import dispatching, hand_out
from wfm.settings import Settings
from wfm.words import Role

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
DANA = Actor("dana", roles={Role.DISPATCHER: None})
GRADES = ("ordinary",) * 6 + ("senior",) * 3 + ("expert",)


def fill(session: Session, waiting: int, on_duty: int) -> None:
    """People of the mix of `million.py` with five hands each, on duty; tickets of the same mix."""
    draw = random.Random(3)
    day = AT.date()
    site = tables.Site(code="s", name_en="Site", name_zh="地点")
    skills = [tables.Skill(code=name, name_en=name, name_zh=name) for name in SKILLS]
    _add(session, site, *skills)
    team = tables.Team(code="t", name_en="Team", name_zh="团队", site_id=site.id)
    _add(session, team)
    roster = tables.Roster(team_id=team.id, period_from=day, period_until=day)
    _add(session, roster)
    version = tables.RosterVersion(
        roster_id=roster.id, number=1, made_at=AT, made_by="benchmark", status="published"
    )
    agents = [tables.Agent(code=f"a{i:04}", name=f"Agent {i}", capacity=5) for i in range(on_duty)]
    _add(session, version, *agents)
    for i, agent in enumerate(agents):
        since = {"agent_id": agent.id, "valid_from": day - timedelta(days=9)}
        session.add(tables.AgentGrade(grade=GRADES[i % 10], **since))
        session.add_all(
            tables.AgentSkill(skill_id=skill.id, proficiency=3, **since)
            for skill in draw.sample(skills, 3)
        )
        session.add(
            tables.Assignment(
                version_id=version.id, agent_id=agent.id, day=day, shift_code="D", live=True,
                starts_at=AT - timedelta(hours=3), ends_at=AT + timedelta(hours=6),
            )
        )  # fmt: skip
    for i in range(waiting):
        opened, within = AT - timedelta(seconds=draw.randrange(600)), draw.choice([900, 1800, 3600])
        session.add(
            tables.Ticket(
                code=f"T{i:05}", opened_at=opened, due_at=opened + timedelta(seconds=within),
                min_grade=draw.choice(GRADES), skill_id=draw.choice(skills).id,
                priority=draw.randint(2, 4), respond_within_s=within,
            )
        )  # fmt: skip


def _add(session: Session, *rows: object) -> None:
    session.add_all(rows)
    session.flush()


def timed(work: Callable[[], int]) -> tuple[int, float, float]:
    """How many, seconds by the clock, processor seconds of this process."""
    clock, cpu = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - clock, time.process_time() - cpu


def in_handfuls(engine: sa.Engine, turns: int) -> int:
    done = 0
    for turn in range(turns):
        with db.transaction(engine) as session:
            at = AT + timedelta(seconds=turn)
            done += len(hand_out.hand_out(session, DANA, at, ZONE))
    return done


def one_by_one(engine: sa.Engine, turns: int) -> int:
    with db.transaction(engine) as session:
        query = select(tables.Ticket.code).where(sa.column("owner_id").is_(None)).limit(turns)
        codes = session.exec(query).all()
        free = dispatching.board(session, DANA, AT + timedelta(minutes=1), ZONE, limit=1).seats
    for turn, code in enumerate(codes):
        at = AT + timedelta(minutes=1, seconds=turn)
        for seat in free:
            try:
                with db.transaction(engine) as session:
                    dispatching.assign(session, DANA, code, seat.agent.code, at, ZONE, "measured")
                break
            except dispatching.Refusal:
                continue
    return len(codes)


def main() -> None:
    waiting, on_duty = (int(one) for one in (sys.argv[1:3] or ("5000", "1000")))
    with TemporaryDirectory(prefix="wfm-bench-") as folder:
        engine = db.open_engine(Settings(data_dir=Path(folder), stamp_key="5a" * 32))
        db.upgrade(engine)
        with db.transaction(engine) as session:
            fill(session, waiting, on_duty)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("analyze"))
        for name, work in (("hand_out", in_handfuls), ("assign", one_by_one)):
            done, clock, cpu = timed(lambda work=work: work(engine, 5))
            print(
                f"{name:9} {done:5} in {clock:6.2f} s ({done / clock:6.0f} a second),"
                f" {cpu:6.2f} s of processor time here"
            )
        engine.dispose()
        embedded.stop(Path(folder))


if __name__ == "__main__":
    main()
