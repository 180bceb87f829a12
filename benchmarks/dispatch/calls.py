"""The call log of a bank as a trace with the hourly duty its own agents kept."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd

from wfm.dispatch.model import SECOND, Agent, Ticket
from wfm.dispatch.replay import Duty, Trace

PRIORITY_CALLERS = 2  # the log's own word for them
HOUR = 3600


def read(path: Path) -> pd.DataFrame:
    """Calls that an agent answered: when they came, what they wanted, how long they took."""
    log = pd.read_csv(path, dtype=str)
    log = log[(log["outcome"] == "AGENT") & (log["server"] != "NO_SERVER")]
    midnight = pd.to_datetime("19" + log["date"], format="%Y%m%d").astype("int64") // 10**6

    def at(column: str) -> pd.Series:
        return midnight + pd.to_timedelta(log[column]).dt.total_seconds().astype(int)

    return pd.DataFrame(
        {
            "call": [f"call-{i:05}" for i in log.index],
            "opened": at("vru_exit"),
            "started": at("ser_start"),
            "handle": log["ser_time"].astype(int),
            "kind": log["type"],
            "priority": log["priority"].astype(int),
            "agent": log["server"],
        }
    ).sort_values(["opened", "call"])


def trace(calls: pd.DataFrame) -> Trace:
    """Priority callers are promised a start within 20 s, others within 60 s."""
    tickets = []
    for call in calls.itertuples():
        first = call.priority == PRIORITY_CALLERS
        tickets.append(
            Ticket(
                call.call,
                call.opened * SECOND,
                (call.opened + (20 if first else 60)) * SECOND,
                call.kind,
                priority=1 if first else 2,
            )
        )
    return Trace(tickets, [handle * SECOND for handle in calls["handle"]], [None] * len(calls))


def agents(calls: pd.DataFrame) -> list[Agent]:
    """An agent has the skills of the kinds of calls she answered."""
    kinds = calls.groupby("agent")["kind"].unique()
    return [Agent(name, skills=dict.fromkeys(sorted(kinds[name]), 3)) for name in kinds.index]


def duties(calls: pd.DataFrame, share: float, seed: int) -> list[Duty]:
    """Whole hours in which an agent started a call, thinned hour by hour.

    Of the n agents of an hour `share` of n stay, rounded to the nearest, at least one; `seed`
    decides who.
    """
    draw = random.Random(seed)
    hours: dict[int, set[str]] = {}
    for agent, started in zip(calls["agent"], calls["started"], strict=True):
        hours.setdefault(started // HOUR, set()).add(agent)
    return [
        Duty(agent, hour * HOUR * SECOND, (hour + 1) * HOUR * SECOND)
        for hour in sorted(hours)
        for agent in draw.sample(sorted(hours[hour]), max(1, int(share * len(hours[hour]) + 0.5)))
    ]
