"""Holiday duty beside the posts: events, wishes, the table's life, swaps, checks, handovers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field, SQLModel

from wfm.tables.base import document, instant, key, ref


class DutyEvent(SQLModel, table=True):
    """Days that want a duty table though no calendar names them: a sale, a move, a release."""

    __tablename__ = "duty_event"
    __table_args__ = (
        sa.CheckConstraint("last_day >= first_day", name="ends_after_start"),
        sa.CheckConstraint("burden between 0 and 100", name="burden_0_to_100"),
    )

    id: int | None = key()
    name_en: str
    name_zh: str
    first_day: date = Field(index=True)
    last_day: date
    burden: int = 3


class PostNeed(SQLModel, table=True):
    """How many people a post wants on a day, where that is not what the post says."""

    __tablename__ = "post_need"
    __table_args__ = (
        sa.UniqueConstraint("post_id", "day"),
        sa.CheckConstraint("people between 0 and 99", name="people_0_to_99"),
    )

    id: int | None = key()
    post_id: int = ref("post.id", index=False)
    day: date = Field(index=True)
    people: int


class DutyWish(SQLModel, table=True):
    """An agent would like to have (or not to have) a post on a day."""

    __tablename__ = "duty_wish"
    __table_args__ = (
        sa.UniqueConstraint("agent_id", "day"),
        sa.CheckConstraint("strength between 1 and 3", name="strength_1_to_3"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id", index=False)
    day: date = Field(index=True)
    wants: bool
    strength: int = 2
    note: str = ""
    made_by: str
    made_at: datetime = instant()


class DutyTable(SQLModel, table=True):
    """The life of one duty table: proposed, published by a person, worked and closed."""

    __tablename__ = "duty_table"
    __table_args__ = (
        sa.CheckConstraint("last_day >= first_day", name="ends_after_start"),
        ExcludeConstraint(
            (sa.text("daterange(first_day, last_day, '[]')"), "&&"),
            name="ex_duty_table_one_a_day",
            using="gist",
        ),
    )

    id: int | None = key()
    first_day: date
    last_day: date
    proven: bool = False
    month_wage: Decimal | None = Field(default=None, sa_type=sa.Numeric(12, 2))
    published_at: datetime | None = instant(nullable=True)
    published_by: str = ""
    reason: str = ""
    closed_at: datetime | None = instant(nullable=True)
    closed_by: str = ""


class DutyCheck(SQLModel, table=True):
    """A line of the list checked before a holiday (equipment, emergency plans), signed."""

    __tablename__ = "duty_check"
    __table_args__ = (sa.UniqueConstraint("table_id", "item"),)

    id: int | None = key()
    table_id: int = ref("duty_table.id", index=False)
    item: str
    note: str = ""
    done_by: str
    done_at: datetime = instant()


class DutyContact(SQLModel, table=True):
    """A line of the contact card that is no post: supplier, building, power, security."""

    __tablename__ = "duty_contact"

    id: int | None = key()
    name_en: str
    name_zh: str
    phone: str
    note: str = ""


class DutyHandover(SQLModel, table=True):
    """The handover at the end of a duty: said, written, and signed by both."""

    __tablename__ = "duty_handover"
    __table_args__ = (sa.UniqueConstraint("post_id", "day", "given_by_id"),)

    id: int | None = key()
    post_id: int = ref("post.id", index=False)
    day: date = Field(index=True)
    given_by_id: int = ref("agent.id", index=False)
    taken_by_id: int | None = ref("agent.id", nullable=True, index=False)
    note: str
    open_tickets: list[str] = document(list)
    given_at: datetime = instant()
    taken_at: datetime | None = instant(nullable=True)


class DutySwap(SQLModel, table=True):
    """A change of a place by hand, kept so that it can be undone."""

    __tablename__ = "duty_swap"

    id: int | None = key()
    day: date = Field(index=True)
    before: list[dict[str, Any]] = document(list)
    after: list[dict[str, Any]] = document(list)
    reason: str
    made_by: str
    made_at: datetime = instant()
    undone_by: str = ""
    undone_at: datetime | None = instant(nullable=True)


class WatchDecision(SQLModel, table=True):
    """Work found in a watch (值班), turned into overtime (加班) or not, by a named person."""

    __tablename__ = "watch_decision"
    __table_args__ = (
        sa.UniqueConstraint("agent_id", "starts_at"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id", index=False)
    post_code: str
    day: date = Field(index=True)
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    accepted: bool
    facts: dict[str, Any] = document()
    reason: str = ""
    decided_by: str
    decided_at: datetime = instant()
