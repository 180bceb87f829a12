"""Ten sample desks in one: 1,200 agents and a million tickets, made by the database itself.

Every row that belongs to an agent, a ticket or a team is copied with its number shifted; a copy of
an agent has the copies of her facts, duties and tickets. The copies of the largest team stay in it,
and the last copies of the others join it, so that it has 500 people; all other teams stay as they
are, 35 of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from wfm.db import Engine

AGENTS = 10
TICKETS = 14  # of 74,900 each
STEP = 10_000_000  # between the numbers of a row and of its copies
JOINING = 7  # from this copy on the other teams' people work in the largest team
OF_TEAMS = ("team", "roster", "roster_version")
OF_AGENTS = (
    "agent", "agent_team", "grade_decision", "agent_grade", "agent_skill", "agent_contract",
    "agent_restriction", "leave", "assessment", "quality_review", "contribution",
    "holiday_duty", "duty_wish", "agent_request", "assignment",
)  # fmt: skip
OF_TICKETS = (
    "ticket", "ticket_event", "ticket_handover", "dispatch_decision", "ticket_clock",
    "clock_notice", "survey",
)  # fmt: skip
COPIES = (
    dict.fromkeys(OF_TEAMS, JOINING)
    | dict.fromkeys(OF_AGENTS, AGENTS)
    | dict.fromkeys(OF_TICKETS, TICKETS)
)


def multiply(engine: Engine, dispatchers: int) -> dict[str, int]:
    """Make the big desk out of a finished sample desk; returns what there is then."""
    with engine.begin() as connection:
        # no triggers: rows are not stamped one by one; `wfm db stamp` takes them as they are
        connection.execute(sa.text("set local session_replication_role = replica"))
        connection.execute(sa.text("set local synchronous_commit = off"))
        largest = connection.scalar(sa.text("select min(id) from team"))
        for table in SQLModel.metadata.sorted_tables:
            if table.name in COPIES:
                _copy(connection, table, largest)
        _multiply_rosters(connection, largest)
        connection.execute(sa.text(f"update requirement set people = people * {AGENTS}"))
        connection.execute(sa.text(f"update demand set contacts = contacts * {AGENTS}"))
        _add_dispatchers(connection, dispatchers)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))
        return {
            name: int(connection.scalar(sa.text(f"select count(*) from {name}")) or 0)
            for name in ("team", "agent", "ticket", "ticket_event", "ticket_clock", "assignment")
        }


def _copy(connection: sa.Connection, table: sa.Table, largest: int) -> None:
    """All copies of a table's rows; its plain indexes are made again afterwards."""
    kept = [index for index in table.indexes if table.name in OF_TICKETS]
    for index in kept:
        index.drop(connection)
    columns = list(table.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(column, largest) for column in columns)
    connection.execute(
        sa.text(
            f"insert into {table.name} ({names}) select {values} from {table.name} t, "
            f"generate_series(1, {COPIES[table.name] - 1}) k where {_only(table.name, largest)}"
        )
    )
    for index in kept:
        index.create(connection)
    connection.execute(
        sa.text(f"select setval('{table.name}_id_seq', (select max(id) from {table.name}))")
    )


def _only(table: str, largest: int) -> str:
    """The largest team is not copied; holiday posts stay with those who hold them."""
    return {
        "team": f"t.id <> {largest}",
        "roster": f"t.team_id <> {largest}",
        "roster_version": f"t.roster_id not in (select id from roster where team_id = {largest})",
        "assignment": "t.post_id is null",
    }.get(table, "true")


def _value(column: sa.Column[Any], largest: int) -> str:
    name = f't."{column.name}"'
    if column.name == "id":
        return f"t.id + k * {STEP}"
    if column.name == "code":
        return "t.code || '-' || k"
    if column.name.startswith("name") and column.table.name in ("agent", "team"):
        return f"{name} || ' ' || k"
    target = next((key.column.table.name for key in column.foreign_keys), "")
    if target == "team" and column.table.name == "agent_team":
        stays = f"t.team_id = {largest} or k >= {JOINING}"
        return f"case when {stays} then {largest} else t.team_id + k * {STEP} end"
    if target == "roster_version":
        return f"({_VERSION_THERE.format(largest=largest, joining=JOINING, step=STEP)})"
    if target in COPIES:
        return f"{name} + (k % {COPIES[target]}) * {STEP}"
    return name


_VERSION_THERE = """
    select case when r.team_id <> {largest} and k < {joining} then v.id + k * {step}
                else there.id end
    from roster_version v join roster r on r.id = v.roster_id
    join roster w on w.team_id = {largest} and w.period_from = r.period_from
    join roster_version there on there.roster_id = w.id and there.number = v.number
    where v.id = t.version_id"""


def _multiply_rosters(connection: sa.Connection, largest: int) -> None:
    """The problems and verdicts of the versions name their people: these change with them."""
    rows = connection.execute(
        sa.text(
            "select v.id, r.team_id, r.period_from, v.problem, v.verdict from roster_version v "
            "join roster r on r.id = v.roster_id order by v.id"
        )
    ).all()
    first = [row for row in rows if row.id < STEP]
    for row in rows:
        copy = row.id // STEP
        problem, verdict = (_grown(one, [copy]) for one in (row.problem, row.verdict))
        problem["posts"] = problem.get("posts", []) if copy == 0 else []
        if row.team_id == largest:
            problem, verdict = (_grown(one, range(AGENTS)) for one in (row.problem, row.verdict))
            for other in first:
                if other.team_id != largest and other.period_from == row.period_from:
                    joining = _grown(other.problem, range(JOINING, AGENTS))
                    for name in ("agents", "leave", "history"):
                        problem.setdefault(name, []).extend(joining.get(name, []))
            for cover in problem.get("interval_cover", ()):
                cover["desired"] = round(cover["desired"] * AGENTS * 2.5)
        connection.execute(
            sa.text(
                "update roster_version set problem = cast(:problem as jsonb), "
                "verdict = cast(:verdict as jsonb) where id = :id"
            ),
            {"problem": json.dumps(problem), "verdict": json.dumps(verdict), "id": row.id},
        )


def _grown(thing: Any, copies: Iterable[int], within: str = "") -> Any:
    """A document with every entry about an agent once for each copy of her."""
    copies = list(copies)
    if isinstance(thing, dict):
        return {name: _grown(value, copies, name) for name, value in thing.items()}
    if not isinstance(thing, list):
        return thing
    grown = []
    for entry in thing:
        names = [key for key in ("agent", "id") if isinstance(entry, dict) and entry.get(key)]
        about = names and (names[0] == "agent" or within == "agents")
        if about and within != "post_locks":
            grown += [entry | {names[0]: _code(entry[names[0]], k)} for k in copies]
        elif not about or 0 in copies:
            grown.append(_grown(entry, copies))
    return grown


def _code(code: str, copy: int) -> str:
    return f"{code}-{copy}" if copy else code


def _add_dispatchers(connection: sa.Connection, count: int) -> None:
    """Accounts dispatcher1 … with the sample's password."""
    table = SQLModel.metadata.tables["account"]
    columns = [column.name for column in table.columns if column.name != "id"]
    own = {
        "name": "name || k",
        "display_name": "display_name || ' ' || k",
        "language": "case when k % 2 = 0 then 'en' else 'zh' end",
    }
    connection.execute(
        sa.text(
            f"insert into account ({', '.join(columns)}) "
            f"select {', '.join(own.get(name, name) for name in columns)} "
            "from account, generate_series(1, :count) k where name = 'dispatcher'"
        ),
        {"count": count},
    )
    connection.execute(
        sa.text(
            "insert into account_role (account_id, role) select id, 'dispatcher' from account "
            "where name ~ '^dispatcher[0-9]+$'"
        )
    )
