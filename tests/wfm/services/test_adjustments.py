"""Adjustments of a forecast: which days, hours and skills a factor reaches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np

from wfm.services import adjustments
from wfm.tables import ForecastAdjustment

MADE = datetime(2026, 6, 1, tzinfo=UTC)


def row(factor: float, skill: int | None = None, **where: int) -> ForecastAdjustment:
    return ForecastAdjustment(
        skill_id=skill, day_from=date(2026, 6, 2), day_until=date(2026, 6, 2), factor=factor,
        reason="x", made_by="p", made_at=MADE, **where,
    )  # fmt: skip


def factors(*rows: ForecastAdjustment) -> np.ndarray:
    """Two days of four slots of six hours, of skill 7."""
    one = SimpleNamespace(
        volume=np.ones((2, 4)), slot_min=360, dates=(date(2026, 6, 1), date(2026, 6, 2))
    )
    return adjustments.factors(one, 7, rows)  # type: ignore[arg-type]


def test_a_factor_reaches_its_days_and_hours_only() -> None:
    # 06:00 to 18:00 are the second and third slot of 2 June
    found = factors(row(1.5, minute_from=360, minute_until=1080))
    assert found.tolist() == [[1, 1, 1, 1], [1, 1.5, 1.5, 1]]


def test_factors_multiply_and_leave_other_skills_alone() -> None:
    assert factors(row(2.0), row(1.5, skill=7), row(9.0, skill=8))[1].tolist() == [3, 3, 3, 3]
    assert factors().tolist() == np.ones((2, 4)).tolist()
