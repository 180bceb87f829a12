"""The service catalogue, customers, agreements and business calendars."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import (
    AgreementKind,
    AgreementStatus,
    DayType,
    Metric,
    Reopening,
    ServiceStatus,
)


class BusinessCalendar(SQLModel, table=True):
    """Opening hours as `wfm.sla.business_time` reads them."""

    __tablename__ = "business_calendar"

    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str
    timezone: str
    definition: dict[str, Any] = document()


class CalendarDay(SQLModel, table=True):
    """A day that differs from its weekday: holiday, day off in lieu, make-up workday."""

    __tablename__ = "calendar_day"
    __table_args__ = (sa.UniqueConstraint("calendar", "day"),)

    id: int | None = key()
    calendar: str
    day: date
    day_type: DayType = word(DayType)
    name_en: str = ""
    name_zh: str = ""
    provisional: bool = False


class Customer(SQLModel, table=True):
    id: int | None = key()
    code: str = code()
    name: str


class Service(SQLModel, table=True):
    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str
    status: ServiceStatus = word(ServiceStatus, default=ServiceStatus.LIVE)
    owner: str = ""
    review_on: date | None = None


class Agreement(SQLModel, table=True):
    """One version of a promise. Once it is sealed, a trigger lets nothing of it change but its
    status and the day it ends.

    `parts` holds the ten parts of the text, each in one or both languages; `supports` the OLAs and
    UCs beneath it, as `wfm.sla.documents` reads them; `thresholds` who is told at which percentage
    of a target; `sealed` the document that `seal` is the hash of.
    """

    __table_args__ = (
        sa.UniqueConstraint("code", "version"),
        sa.CheckConstraint("in_force_until > in_force_from", name="ends_after_it_begins"),
    )

    id: int | None = key()
    code: str
    version: int = 1
    kind: AgreementKind = word(AgreementKind)
    status: AgreementStatus = word(AgreementStatus, default=AgreementStatus.DRAFT)
    name_en: str = ""
    name_zh: str = ""
    service_id: int | None = ref("service.id", nullable=True)
    customer_id: int | None = ref("customer.id", nullable=True)
    provider: str = ""
    receiver: str = ""
    parts: dict[str, Any] = document()
    supports: dict[str, Any] = document()
    thresholds: list[dict[str, Any]] = document(list)
    reopening: Reopening = word(Reopening, default=Reopening.CONTINUE)
    notices_at_night: bool = False
    in_force_from: date | None = None
    in_force_until: date | None = None
    reviewed_by: str = ""
    reviewed_at: datetime | None = instant(nullable=True)
    signed_by_provider: str = ""
    signed_by_receiver: str = ""
    sealed: dict[str, Any] = document()
    seal: str = ""


class AgreementTarget(SQLModel, table=True):
    """metric + limit + unit + calendar + source, for one priority or for all.

    The limit is stored in seconds and shown in `unit`; `conditions` says what moves the clock
    where it differs from the usual.
    """

    __tablename__ = "agreement_target"
    __table_args__ = (
        sa.UniqueConstraint("agreement_id", "metric", "priority"),
        sa.CheckConstraint("limit_s > 0", name="limit_positive"),
        sa.CheckConstraint("share > 0 and share <= 1", name="share_is_a_share"),
    )

    id: int | None = key()
    agreement_id: int = ref("agreement.id")
    metric: Metric = word(Metric)
    priority: int | None = None
    limit_s: int
    unit: str = "minute"
    share: float = 0.9
    calendar_id: int | None = ref("business_calendar.id", nullable=True)
    source: str = ""
    conditions: dict[str, Any] = document()
