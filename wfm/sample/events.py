"""The append-only events behind each ticket."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wfm.sample import catalogue
from wfm.sample.people import Crew
from wfm.words import EventKind

NOBODY = -1
NOTES = {
    EventKind.PAUSED: "waiting for the customer",
    EventKind.ESCALATED: "a specialist helps, the owner stays responsible",
    EventKind.TRANSFERRED: "belongs to another queue",
}


def make_events(
    rng: np.random.Generator, story: pd.DataFrame, opened: np.ndarray, crew: Crew, until: int
) -> pd.DataFrame:
    """Events up to second `until`, by ticket and time.

    Returns
    -------
    pandas.DataFrame
        `ticket` (place of the ticket), `at` (seconds from local midnight of the first day),
        `kind`, `agent` (place in the crew, −1 = nobody), `team`, `note`.
    """
    owner = story["agent"].to_numpy()
    moved = story["transfer"].to_numpy() >= 0
    first_owner = np.where(moved, _teammate(rng, owner), owner)
    start, resume = story["start"].to_numpy(), story["resume"].to_numpy()
    unsolved = ~story["resolved"].to_numpy()
    done = np.where(unsolved, -1, story["done"])
    done_again = np.where(story["again"] >= 0, story["finished"], -1)
    steps: list[tuple[EventKind, np.ndarray, np.ndarray | int]] = [
        (EventKind.OPENED, opened, NOBODY),
        (EventKind.ASSIGNED, start, first_owner),
        (EventKind.TRANSFERRED, story["transfer"].to_numpy(), first_owner),
        (EventKind.ASSIGNED, story["transfer"].to_numpy(), owner),
        (EventKind.AGENT_MESSAGE, story["first_response"].to_numpy(), owner),
        (EventKind.ESCALATED, story["escalate"].to_numpy(), owner),
        (EventKind.PAUSED, story["pause"].to_numpy(), owner),
        (EventKind.CUSTOMER_MESSAGE, resume, NOBODY),
        (EventKind.RESUMED, resume, owner),
        (EventKind.RESOLVED, done, owner),
        (EventKind.REOPENED, story["again"].to_numpy(), NOBODY),
        (EventKind.RESOLVED, done_again, owner),
        (EventKind.CLOSED, story["closed"].to_numpy(), NOBODY),
    ]
    parts = [_part(step, *rest, until) for step, rest in enumerate(steps)]
    events = pd.concat(parts, ignore_index=True)
    events = events.sort_values(["ticket", "at", "step"], kind="stable", ignore_index=True)
    teams = np.array([*crew.agents["team"], ""])
    events["team"] = teams[events["agent"]]
    return events.drop(columns="step")


def _teammate(rng: np.random.Generator, owner: np.ndarray) -> np.ndarray:
    """Someone else of the owner's team."""
    size = catalogue.TEAM_SIZE
    shifted = (owner % size + rng.integers(1, size, len(owner))) % size
    return owner // size * size + shifted


def _part(
    step: int, kind: EventKind, at: np.ndarray, agent: np.ndarray | int, until: int
) -> pd.DataFrame:
    ticket = np.flatnonzero((at >= 0) & (at <= until))
    return pd.DataFrame({
        "ticket": ticket,
        "at": at[ticket],
        "step": step,
        "kind": kind.value,
        "agent": agent if isinstance(agent, int) else agent[ticket],
        "note": NOTES.get(kind, ""),
    })  # fmt: skip
