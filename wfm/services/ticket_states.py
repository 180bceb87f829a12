"""What a ticket's events say of it: owner, state, times and outcome, set-based.

Events are the facts; these columns of `ticket` are a cache that can be rebuilt at any time. What
the events say goes before what is recorded, and what they are silent on stays as it is recorded
(a ticket may come from a file that has outcomes but no events).

- **state**: the last of paused, resumed, resolved, reopened, closed and cancelled.
- **owner**: the agent named by the last event that says who has the ticket. An event of kind
  assigned or transferred without an agent puts it back in the queue; messages, notes and priority
  changes say nothing of the owner, nor do closing and cancelling.
- **first_response_at**: the first agent message; without any, the recorded time; without that,
  the first resolution.
- **resolved_at**, **closed_at**: the last such event since the last reopening. A ticket that was
  closed without a resolution counts as resolved then, unless it is recorded as not resolved.
- **independent**: never with a second owner, a transfer or an escalation.
- **reopened**: whether there is a reopening.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session

OWNING = ("opened", "paused", "resumed", "reopened", "escalated", "resolved")
OWNER_EVEN_IF_NONE = ("assigned", "transferred")
STATES = {
    "paused": "paused", "resumed": "open", "reopened": "open", "resolved": "resolved",
    "closed": "closed", "cancelled": "cancelled",
}  # fmt: skip
COLUMNS = (
    "state", "owner_id", "first_response_at", "resolved_at", "closed_at", "resolved",
    "independent", "reopened",
)  # fmt: skip


def derive(session: Session, ticket_ids: Sequence[int] | None = None) -> int:
    """Bring the derived columns of these tickets (or of all) in line with their events.

    Returns
    -------
    int
        How many tickets changed.
    """
    session.flush()
    condition = "" if ticket_ids is None else "where e.ticket_id = any(:ids)"
    parameters = {} if ticket_ids is None else {"ids": list(ticket_ids)}
    changed = _derive(session.connection(), "ticket", condition, parameters)
    session.expire_all()
    return changed


def derive_of(connection: sa.Connection, query: str) -> int:
    """As `derive`, for the tickets whose ids `query` (SQL) yields."""
    return _derive(connection, "ticket", f"where e.ticket_id in ({query})", {})


def derive_into(connection: sa.Connection, table: str) -> int:
    """The same for rows that are to become tickets: `table` has the ticket's columns and id."""
    return _derive(
        connection, table, f"where e.ticket_id in (select id from {table} where id is not null)", {}
    )


def _derive(
    connection: sa.Connection, table: str, condition: str, parameters: dict[str, list[int]]
) -> int:
    new = ", ".join(f"n.{column}" for column in COLUMNS)
    old = ", ".join(f"t.{column}" for column in COLUMNS)
    listed = ", ".join(COLUMNS)
    result = connection.execute(
        sa.text(
            f"with said as ({_said(condition)}), news as ({_news(table)})"
            f" update {table} t set ({listed}) = row({new}) from news n"
            f" where t.id = n.id and ({old}) is distinct from ({new})"
        ),
        parameters,
    )
    return int(result.rowcount)


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _said(condition: str) -> str:
    """One row per ticket: what its events say, in the order in which they happened."""
    owning = (
        f"(e.kind in ({_quoted(OWNER_EVEN_IF_NONE)})"
        f" or e.kind in ({_quoted(OWNING)}) and e.agent_id is not null)"
    )
    stating = f"e.kind in ({_quoted(tuple(STATES))})"
    last = "order by e.at desc, e.id desc"
    return f"""
    select e.ticket_id,
        (array_agg(e.kind {last}) filter (where {stating}))[1] as last_state,
        bool_or({owning}) as tells_owner,
        (array_agg(e.agent_id {last}) filter (where {owning}))[1] as owner,
        count(distinct e.agent_id) filter (where {owning}) as owners,
        bool_or(e.kind in ('transferred', 'escalated')) as moved,
        min(e.at) filter (where e.kind = 'agent_message') as answered,
        min(e.at) filter (where e.kind = 'resolved') as first_resolved,
        max(e.at) filter (where e.kind = 'resolved') as last_resolved,
        max(e.at) filter (where e.kind = 'closed') as last_closed,
        max(e.at) filter (where e.kind = 'reopened') as last_reopened
    from ticket_event e {condition} group by e.ticket_id"""


def _news(table: str) -> str:
    states = " ".join(f"when '{event}' then '{state}'" for event, state in STATES.items())
    since = "coalesce(s.last_reopened, '-infinity')"
    resolved_at = (
        f"coalesce(case when s.last_resolved >= {since} then s.last_resolved end,"
        f" case when t.resolved_at >= {since} then t.resolved_at end,"
        f" case when t.resolved is distinct from false then s.last_closed end)"
    )
    return f"""
    select t.id, d.state,
        case when s.tells_owner then s.owner else t.owner_id end as owner_id,
        coalesce(s.answered, t.first_response_at, s.first_resolved) as first_response_at,
        case when s.last_state is null then t.resolved_at
             when d.done then {resolved_at} end as resolved_at,
        case when s.last_state is null then t.closed_at
             when d.state = 'closed' then coalesce(s.last_closed, t.closed_at) end as closed_at,
        case when s.last_state is null then t.resolved
             when d.done then coalesce(t.resolved, true)
             when d.state = 'cancelled' then coalesce(t.resolved, false) end as resolved,
        case when s.moved or s.owners > 1 then false
             when d.done and s.tells_owner then coalesce(t.independent, true)
             else t.independent end as independent,
        case when s.last_reopened is not null then true
             when s.last_state is not null and d.done then coalesce(t.reopened, false)
             else t.reopened end as reopened
    from {table} t join said s on s.ticket_id = t.id
    cross join lateral (
        select state, state in ('resolved', 'closed') as done
        from (select coalesce(case s.last_state {states} end, t.state) as state) one
    ) d"""
