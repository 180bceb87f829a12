"""Many at one queue: 5,000 tickets wait, 25 dispatchers and 25 agents take from it at once.

In a database of its own, each taker with a connection of its own. Dispatchers hand out 50 at a
time, agents press for their next ticket, until nothing waits. Then every ticket must have exactly
one owner and exactly one decision.

Usage: python benchmarks/dispatch/takers.py [WAITING] [TAKERS]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from desk import AT, DANA, ZONE, fill
from sqlmodel import col, select

from wfm import db, embedded, stamps, tables
from wfm.access import Actor
from wfm.errors import ConflictError
from wfm.services import agent_desk, hand_out
from wfm.settings import Settings
from wfm.words import Role

AT_A_TIME = 50


def prepared(engine: sa.Engine, waiting: int, takers: int) -> dict[str, int]:
    """As in `desk.py`, but everybody is an expert with every skill and room for their share."""
    with db.transaction(engine) as session:
        fill(session, waiting, takers)
    with db.transaction(engine) as session:
        session.execute(sa.update(tables.AgentGrade).values(grade="expert"))
        session.execute(sa.update(tables.Agent).values(capacity=waiting))
        session.execute(sa.update(tables.Ticket).values(skill_id=None))
        ids = {agent.code: agent.id or 0 for agent in session.exec(select(tables.Agent))}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("analyze"))
    return ids


def hand_out_all(engine: sa.Engine) -> int:
    done, turn = 0, 0
    while True:
        turn += 1
        with db.transaction(engine) as session:
            at = AT + timedelta(milliseconds=turn)
            given = hand_out.hand_out(session, DANA, at, ZONE, AT_A_TIME)
        done += len(given)
        if not given:
            return done


def take_all(engine: sa.Engine, code: str, agent_id: int) -> int:
    own = Actor(code, agent_id=agent_id, roles={Role.AGENT: None})
    done = 0
    while True:
        try:
            with db.transaction(engine) as session:
                agent_desk.take_next(session, own, AT + timedelta(milliseconds=done), ZONE)
        except ConflictError:
            return done
        done += 1


def judge(engine: sa.Engine, waiting: int, taken: int) -> str:
    """Counted from what the database holds, not from what the takers say."""
    with db.transaction(engine) as session:
        owner = col(tables.Ticket.owner_id)
        owned = session.exec(select(tables.Ticket.id).where(owner.is_not(None))).all()
        decided = Counter(session.exec(select(tables.DispatchDecision.ticket_id)).all())
        given = tables.TicketEvent.kind == "assigned"
        events = Counter(session.exec(select(tables.TicketEvent.ticket_id).where(given)).all())
    lost = waiting - len(owned)
    doubled = sum(count > 1 for count in (decided + Counter()).values())
    doubled += sum(count > 1 for count in events.values())
    same = len(owned) == len(decided) == len(events) == taken
    return f"lost {lost}, doubled {doubled}, books {'agree' if same else 'DISAGREE'}"


def main() -> None:
    waiting, takers = (int(one) for one in (sys.argv[1:3] or ("5000", "50")))
    with TemporaryDirectory(prefix="wfm-bench-") as folder:
        settings = Settings(data_dir=Path(folder), stamp_key="5a" * 32)
        first = db.open_engine(settings)
        db.upgrade(first)
        engine = sa.create_engine(first.url, pool_size=takers, hide_parameters=True)
        stamps.give_key(engine, stamps.key_of(settings))
        agents = list(prepared(engine, waiting, takers).items())[: takers // 2]
        clock, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(takers) as pool:
            handing = [pool.submit(hand_out_all, engine) for _ in range(takers - len(agents))]
            taking = [pool.submit(take_all, engine, *agent) for agent in agents]
            by_dispatchers = sum(one.result() for one in handing)
            by_agents = sum(one.result() for one in taking)
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        taken = by_dispatchers + by_agents
        print(
            f"{taken} of {waiting} by {takers} at once in {clock:.1f} s ({taken / clock:.0f} a"
            f" second; {cpu:.1f} s of processor time here): {by_dispatchers} handed out,"
            f" {by_agents} taken; {judge(engine, waiting, taken)}"
        )
        engine.dispose()
        first.dispose()
        embedded.stop(Path(folder))


if __name__ == "__main__":
    main()
