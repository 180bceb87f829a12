"""Working time as law knows it: day types, hour classes, limits and pay, as data with sources."""

from __future__ import annotations

from enum import StrEnum


class DayType(StrEnum):
    """What a date is in the official calendar."""

    WORKDAY = "workday"
    REST_DAY = "rest_day"
    STATUTORY_HOLIDAY = "statutory_holiday"
    MAKE_UP_WORKDAY = "make_up_workday"
