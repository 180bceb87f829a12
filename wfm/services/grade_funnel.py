"""Funnel plots: whose share differs from the desk's by more than chance, raw and adjusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col

from grading.intervals import funnel
from wfm import access
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.services.grade_cases import names_of
from wfm.services.grade_pages import cycle_of
from wfm.tables import Agent, Assessment, AssessmentCycle

CRITERIA = ("resolution", "satisfaction")
INNER, OUTER = 0.95, 0.998
CURVE = 40
SHARE = ["n", "raw", "adjusted"]


@dataclass(frozen=True)
class Dot:
    """One agent: cases, share as it is, share on the desk's mix, and where the latter lies.

    `stands_out` is "high" or "low" beyond the outer limits, "" within them.
    """

    code: str
    name: str
    n: int
    raw: float
    adjusted: float
    stands_out: str


@dataclass(frozen=True)
class Curve:
    """Limits at a number of cases, as shares."""

    n: int
    low: float
    high: float
    outer_low: float
    outer_high: float


@dataclass(frozen=True)
class Funnel:
    """What the page shows. `expected` is how many of all would stand out by chance alone."""

    cycle: AssessmentCycle
    criterion: str
    share: float | None
    dots: tuple[Dot, ...]
    curve: tuple[Curve, ...]
    expected: float
    raw_outside: int
    adjusted_outside: int


def page(session: Session, actor: Actor, cycle_code: str, criterion: str) -> Funnel:
    """The funnel of a cycle for the teams an actor may see; limits are those of the whole desk.

    Raises
    ------
    InputError
        The criterion is no share.
    """
    access.require(actor, "grades.view")
    if criterion not in CRITERIA:
        expected = f"expected one of {', '.join(CRITERIA)}"
        raise InputError.of([Fault(expected, column="criterion", value=criterion)])
    cycle = cycle_of(session, actor, cycle_code)
    frame = _shares(session, cycle, criterion)
    if frame.empty:
        return Funnel(cycle, criterion, None, (), (), 0.0, 0, 0)
    n = frame["n"].to_numpy(dtype=float)
    share = float((frame["raw"] * n).sum() / n.sum())
    low, high = funnel(n, share, OUTER)
    outside = {
        name: np.where(np.rint(frame[name] * n) > high, "high",
                       np.where(np.rint(frame[name] * n) < low, "low", ""))
        for name in ("raw", "adjusted")
    }  # fmt: skip
    names = names_of(session, cycle, actor.teams("grades.view"))
    columns = (frame[name].tolist() for name in ("n", "raw", "adjusted"))
    dots = tuple(
        Dot(code, names[code], int(cases), raw, adjusted, out)
        for code, cases, raw, adjusted, out in zip(
            frame.index, *columns, outside["adjusted"].tolist(), strict=True
        )
        if code in names
    )
    return Funnel(
        cycle,
        criterion,
        share,
        dots,
        _curve(int(n.max()), share),
        expected=round(len(frame) * (1 - OUTER), 2),
        raw_outside=int((outside["raw"] != "").sum()),
        adjusted_outside=int((outside["adjusted"] != "").sum()),
    )


def _shares(session: Session, cycle: AssessmentCycle, criterion: str) -> pd.DataFrame:
    """Cases, raw and adjusted share of every agent who has cases, by code."""
    evidence = col(Assessment.evidence)
    figures = [sa.cast(evidence[criterion, name].astext, sa.Float) for name in SHARE]
    rows = session.execute(
        sa.select(col(Agent.code), *figures)
        .join(Agent, col(Agent.id) == col(Assessment.agent_id))
        .where(col(Assessment.cycle_id) == cycle.id, figures[0] > 0)
        .order_by(col(Agent.code))
    ).all()
    figured = np.array([row[1:] for row in rows], dtype=float).reshape(-1, len(SHARE))
    return pd.DataFrame(figured, index=[row[0] for row in rows], columns=SHARE)


def _curve(most: int, share: float) -> tuple[Curve, ...]:
    sizes = np.unique(np.geomspace(1, max(most, 2), CURVE).astype(int))
    inner, outer = funnel(sizes, share, INNER), funnel(sizes, share, OUTER)
    return tuple(
        Curve(int(n), *(float(limit[place] / n) for limit in (*inner, *outer)))
        for place, n in enumerate(sizes)
    )
