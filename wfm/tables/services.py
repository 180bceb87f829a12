"""The service catalogue, customers, agreements and business calendars."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from wfm.tables.base import code, document, key, ref, word
from wfm.words import AgreementKind, AgreementStatus, DayType, Metric, ServiceStatus


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
    """One version of a promise."""

    __table_args__ = (sa.UniqueConstraint("code", "version"),)

    id: int | None = key()
    code: str
    version: int = 1
    kind: AgreementKind = word(AgreementKind)
    status: AgreementStatus = word(AgreementStatus, default=AgreementStatus.DRAFT)
    service_id: int | None = ref("service.id", nullable=True)
    customer_id: int | None = ref("customer.id", nullable=True)
    in_force_from: date | None = None


class AgreementTarget(SQLModel, table=True):
    """metric + limit + unit (seconds) + calendar, for one priority or for all."""

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
    share: float = 0.9
    calendar_id: int | None = ref("business_calendar.id", nullable=True)
    source: str = ""
