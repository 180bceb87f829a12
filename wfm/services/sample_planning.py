"""What the sample desk's planner knows and has tried: an adjustment, and a loop closed."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session, select

from wfm.access import Actor
from wfm.db import Engine, transaction
from wfm.services import adjustments, closing, roster_wishes
from wfm.services.adjustments import Change
from wfm.services.closing import Asked
from wfm.services.roster_wishes import Liked, Wished
from wfm.services.rostering import Limits
from wfm.settings import Settings
from wfm.tables import Agent, Job, RosterVersion
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


# place among the agents by code → days of October off, and how strongly
WISHES = {
    2: ((date(2026, 10, 17), 3, "婚礼 Wedding"),),
    9: ((date(2026, 10, 12), 1, ""), (date(2026, 10, 13), 1, "")),
    24: ((date(2026, 10, 24), 2, "家长会 Parents' day"),),
    47: ((date(2026, 10, 31), 2, "搬家 Moving house"),),
    71: ((date(2026, 10, 19), 3, "体检 Medical check"),),
    103: ((date(2026, 10, 10), 1, ""),),
}
LIKES = {5: ("early", True), 30: ("late", False), 88: ("late", True)}  # place → shift, wanted


def wish(session: Session, actor: Actor, at: datetime) -> None:
    """What some agents wish of October, written down by the planner."""
    today = at.date()
    agents = session.exec(select(Agent.id).order_by(Agent.code)).all()
    for place, days in WISHES.items():
        for day, strength, note in days:
            wished = Wished(day, wants=False, strength=strength, note=note)
            roster_wishes.wish(session, actor, agents[place] or 0, wished, today, at)
    for place, (shift, wants) in LIKES.items():
        liked = Liked(wants, (shift,))
        roster_wishes.like(session, actor, agents[place] or 0, liked, today, at)


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
