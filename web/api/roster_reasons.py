"""Why a roster is as it is, what cannot hold together, and what its hours cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import Query

from web.api.calls import Called
from web.api.fields import ADay, Asked, Code, Number
from web.api.operations import Operations
from web.api.rosters import agent_of, id_of
from wfm.services import roster_cells, roster_gaps, roster_pay
from wfm.services.roster_cells import WhyNotPanel
from wfm.services.roster_gaps import ConflictPanel
from wfm.services.roster_pay import PayPage

api = Operations("rosters")
Wage = Annotated[
    Decimal | None, Query(gt=0, lt=10_000_000, description="of a month", examples=["8000"])
]


@api.read("/rosters/{roster}/versions/{version}/cells/{agent}/{day}/why-not")
def why_not(
    call: Called, roster: Number, version: Number, agent: Code, day: ADay, shift: Asked = ""
) -> WhyNotPanel:
    """Why somebody does not have a shift (none: the day off)."""
    return roster_cells.why_not(
        call.session, call.actor, roster, agent_of(call, agent), day,
        id_of(call, roster, version), shift,
    )  # fmt: skip


@api.read("/rosters/{roster}/conflicts")
def conflicts(call: Called, roster: Number) -> ConflictPanel:
    """The smallest sets of hard rules and given facts that cannot hold together."""
    return roster_gaps.conflicts(call.session, call.actor, roster, call.timezone)


@api.read("/rosters/{roster}/versions/{version}/pay")
def pay(
    call: Called, roster: Number, version: Number, wage: Wage = None, rotating: bool = False
) -> PayPage:
    """Every hour of a version classed and, with a wage, priced."""
    return roster_pay.pay_page(
        call.session, call.actor, roster, id_of(call, roster, version), wage, rotating
    )
