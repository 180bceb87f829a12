"""What the sample desk's planner knows and has tried: an adjustment, and a loop closed."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from wfm.access import Actor
from wfm.db import Engine, transaction
from wfm.services import adjustments, closing
from wfm.services.adjustments import Change
from wfm.services.closing import Asked
from wfm.services.rostering import Limits
from wfm.settings import Settings
from wfm.tables import Job, RosterVersion
from wfm.words import JobStatus

CHANGES = (
    Change(
        date(2026, 10, 20), date(2026, 10, 22), 1.25, "发票新版上线 New invoice layout", "billing"
    ),
    Change(
        date(2026, 10, 26), date(2026, 10, 26), 1.4, "密码到期提醒 Password reminder is sent",
        "account", 9 * 60, 12 * 60,
    ),
)  # fmt: skip


def adjust_forecast(session: Session, actor: Actor, at: datetime) -> None:
    """Two things that the records cannot know."""
    for change in CHANGES:
        adjustments.adjust(session, actor, change, at)


def close_loop(
    engine: Engine, version_id: int, actor: Actor, settings: Settings, seed: int, at: datetime
) -> None:
    """Close the loop for one team's draft as its job would."""
    with transaction(engine) as session:
        roster_id = session.get_one(RosterVersion, version_id).roster_id
    limits = Limits(seconds=None, effort=1.0, workers=1, seed=seed)
    asked = Asked((roster_id,), rounds=0, limits=limits, seed=seed)
    outcome = closing.close(engine, asked, actor.name, settings)
    with transaction(engine) as session:
        session.add(
            Job(
                task="close", arguments={"roster_id": roster_id, "rounds": 0},
                status=JobStatus.DONE, progress=1.0, result=outcome, asked_by=actor.name,
                asked_at=at, started_at=at, ended_at=at,
            )
        )  # fmt: skip
