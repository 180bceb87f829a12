"""The life of a duty table: checked before, published in time, worked, closed into the ledger."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.instants import local_date
from wfm.services import holiday_duty, webhooks
from wfm.services.duty_days import duty_days
from wfm.services.ledger import burden_percent
from wfm.tables import Assignment, DutyCheck, DutyTable, HolidayDuty, PostHolding
from wfm.words import Mode

LEAD_DAYS = 3  # custom: a duty table is published two to three days ahead at the latest
CHECKS = Path(__file__).parents[1] / "data" / "duty_checks.toml"
HIGHEST_WAGE = Decimal(1_000_000)
LONGEST_NOTE = 500


@dataclass(frozen=True)
class CheckItem:
    """A line of the list gone through before a holiday."""

    code: str
    name_en: str
    name_zh: str


@dataclass(frozen=True)
class CheckLine:
    item: CheckItem
    signed: DutyCheck | None


@dataclass(frozen=True)
class Standing:
    """Where a table stands on a day: what is still to do, and whether it is late.

    `days_ahead` is counted to its first day from its publication, or from today.
    """

    table: DutyTable
    days_ahead: int
    lead_days: int
    checks: tuple[CheckLine, ...]
    worked: bool

    @property
    def late(self) -> bool:
        return self.days_ahead < self.lead_days

    @property
    def due_soon(self) -> bool:
        """Not yet published, and the last days to do so in time have come."""
        return self.table.published_at is None and not self.late and (
            self.days_ahead <= self.lead_days + 4
        )  # fmt: skip

    @property
    def unchecked(self) -> int:
        return sum(line.signed is None for line in self.checks)


@cache
def check_items() -> tuple[CheckItem, ...]:
    """The list, from its data file."""
    items = tomllib.loads(CHECKS.read_text(encoding="utf-8"))["items"]
    return tuple(CheckItem(item["code"], item["en"], item["zh"]) for item in items)


def standing(session: Session, table: DutyTable, at: datetime, timezone: str) -> Standing:
    today = local_date(at, timezone)
    counted = local_date(table.published_at, timezone) if table.published_at else today
    signed = {
        line.item: line
        for line in session.exec(select(DutyCheck).where(DutyCheck.table_id == table.id))
    }
    return Standing(
        table=table,
        days_ahead=(table.first_day - counted).days,
        lead_days=LEAD_DAYS,
        checks=tuple(CheckLine(item, signed.get(item.code)) for item in check_items()),
        worked=table.last_day < today,
    )


def publish(
    session: Session, actor: Actor, table_id: int, reason: str, at: datetime, timezone: str
) -> DutyTable:
    """A named person makes a table binding; from then on it changes by swaps only.

    Raises
    ------
    ConflictError
        It is published already.
    InputError
        Nobody is on it; or it is late or has empty places, and no reason is given.
    """
    access.require_whole_desk(actor, "rosters.publish")
    table = _table(session, table_id)
    if table.published_at is not None:
        raise ConflictError("this duty table is published already")
    places, held = _places(session, table)
    if not held:
        raise InputError.of([Fault("nobody is on this duty table yet; propose it first")])
    state = standing(session, table, at, timezone)
    reason = reason.strip()[:LONGEST_NOTE]
    misgivings = []
    if state.late:
        misgivings.append(
            Fault(f"it comes {state.days_ahead} days ahead, {LEAD_DAYS} are due; give a reason",
                  column="reason")
        )  # fmt: skip
    if held < places:
        misgivings.append(
            Fault(f"{places - held} places are empty; give a reason", column="reason")
        )
    if misgivings and not reason:
        raise InputError.of(misgivings)
    table.published_at, table.published_by, table.reason = at, actor.name, reason
    session.add(table)
    session.flush()
    audit.record(session, at, actor.name, "duty.publish", f"{table.first_day} to {table.last_day}",
                 days_ahead=state.days_ahead, held=held, places=places, reason=reason,
                 unchecked=state.unchecked)  # fmt: skip
    webhooks.notify(session, "duty.published", at, {
        "table": table.id, "from": str(table.first_day), "until": str(table.last_day),
    })  # fmt: skip
    jobs.announce(session, "duty")
    return table


def _places(session: Session, table: DutyTable) -> tuple[int, int]:
    """People a table wants, and those it has."""
    days = duty_days(session, table.first_day, table.last_day)
    posts = holiday_duty.active_posts(session)
    if not days or not posts:
        return 0, 0
    problem = holiday_duty.problem(session, days, posts, with_locks=False)
    held = holiday_duty.held_between(session, table.first_day, table.last_day)
    return sum(problem.need(place) for place in problem.places), len(held)


def sign_check(
    session: Session, actor: Actor, table_id: int, item: str, note: str, at: datetime
) -> None:
    """Sign one line of the list before the holiday; signing again changes the note."""
    access.require_whole_desk(actor, "rosters.plan")
    table = _table(session, table_id)
    if item not in {one.code for one in check_items()}:
        raise NotFoundError(f"there is no check {item}")
    query = select(DutyCheck).where(DutyCheck.table_id == table_id, DutyCheck.item == item)
    line = session.exec(query).one_or_none() or DutyCheck(
        table_id=table_id, item=item, done_by=actor.name, done_at=at
    )
    line.note, line.done_by, line.done_at = note.strip()[:LONGEST_NOTE], actor.name, at
    session.add(line)
    session.flush()
    audit.record(session, at, actor.name, "duty.check", f"{table.first_day} to {table.last_day}",
                 item=item, note=line.note)  # fmt: skip


def reckon_with(
    session: Session, actor: Actor, table_id: int, month_wage: Decimal | None, at: datetime
) -> None:
    """Set the monthly wage that a table's costs are reckoned with; no personal wage is kept."""
    access.require_whole_desk(actor, "rosters.plan")
    table = _table(session, table_id)
    if month_wage is not None and not (month_wage.is_finite() and 0 < month_wage <= HIGHEST_WAGE):
        raise InputError.of([Fault("a monthly wage above 0 is expected", column="wage")])
    table.month_wage = month_wage
    session.add(table)
    session.flush()
    audit.record(session, at, actor.name, "duty.wage", f"{table.first_day} to {table.last_day}",
                 month_wage=str(month_wage))  # fmt: skip


def close(session: Session, actor: Actor, table_id: int, at: datetime, timezone: str) -> int:
    """Enter a worked table into the ledger; returns how many named days were added.

    Whoever had an ordinary duty of a published roster on such a day bore it as well.

    Raises
    ------
    ConflictError
        It is closed already, was never published, or is not over yet.
    """
    access.require_whole_desk(actor, "rosters.plan")
    table = _table(session, table_id)
    if table.closed_at is not None:
        raise ConflictError("this duty table is closed already")
    if table.published_at is None:
        raise ConflictError("this duty table was never published")
    if table.last_day >= local_date(at, timezone):
        raise ConflictError("this duty table is not over yet")
    added = _enter(session, table)
    table.closed_at, table.closed_by = at, actor.name
    session.add(table)
    session.flush()
    audit.record(session, at, actor.name, "duty.close", f"{table.first_day} to {table.last_day}",
                 entries=added)  # fmt: skip
    jobs.announce(session, "duty")
    return added


def _enter(session: Session, table: DutyTable) -> int:
    first, last = table.first_day, table.last_day
    days = {day.date: day for day in duty_days(session, first, last)}
    known = {
        (row.agent_id, row.day)
        for row in session.exec(
            select(HolidayDuty).where(HolidayDuty.day >= first, HolidayDuty.day <= last)
        )
    }
    borne: dict[tuple[int, date], tuple[str, int]] = {
        (duty.agent_id, duty.day): ("", 100)
        for duty in session.exec(
            select(Assignment).where(
                Assignment.live, Assignment.mode != Mode.STANDBY,
                Assignment.day >= first, Assignment.day <= last,
            )
        )
    }  # fmt: skip
    posts = {post.id: post for post in holiday_duty.all_posts(session)}
    for held in session.exec(
        select(PostHolding)
        .where(PostHolding.day >= first, PostHolding.day <= last)
        .order_by(col(PostHolding.id))
    ):
        post = posts[held.post_id]
        borne[held.agent_id, held.day] = (post.code, burden_percent(post.mode))
    added = 0
    for (agent_id, day), (post_code, percent) in sorted(borne.items()):
        if day in days and (agent_id, day) not in known:
            of = days[day]
            session.add(
                HolidayDuty(
                    agent_id=agent_id, day=day, day_type=of.type, name_en=of.name_en,
                    name_zh=of.name_zh, post_code=post_code, burden=of.burden * percent // 100,
                )
            )  # fmt: skip
            added += 1
    session.flush()
    return added


def _table(session: Session, table_id: int) -> DutyTable:
    table = session.get(DutyTable, table_id)
    if table is None:
        raise NotFoundError(f"there is no duty table {table_id}")
    return table
