"""Rosters: periods, versions, solving, publishing; what changes cells is in `roster_edits`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from web.api.calls import Call, Called
from web.api.fields import (
    ADay,
    Asked,
    AskedNumber,
    Code,
    From,
    Id,
    Number,
    Period,
    Until,
    Wanted,
    WithReason,
)
from web.api.operations import After, Limit, Operations
from web.deps import XLSX, attachment
from wfm.errors import NotFoundError
from wfm.services import (
    closing,
    listings,
    queue,
    roster_cells,
    roster_compare,
    roster_cover,
    roster_day,
    roster_export,
    roster_pages,
    roster_work,
    rostering,
)
from wfm.services.listings import DutyRow, Page, RosterHead, RosterRow
from wfm.services.roster_cells import CellPanel, Why
from wfm.services.roster_compare import Comparison
from wfm.services.roster_cover import Gap, Heat, Term
from wfm.services.roster_day import DayPage
from wfm.services.roster_month import Month
from wfm.services.roster_pages import PlannedPeriod, VersionFigures
from wfm.services.rostering import Misgiving
from wfm.tables import Job, Roster, RosterVersion

api = Operations("rosters")
Tier = Annotated[str, Query(pattern="^(ordinary|senior|expert)?$", examples=["senior"])]


class Solve(Wanted):
    """How long to search, and from which seed."""

    seconds: float = Field(60, ge=1, le=3600)
    seed: int = Field(1, ge=0, le=2**31 - 1)

    @property
    def limits(self) -> rostering.Limits:
        return rostering.Limits(seconds=self.seconds, seed=self.seed)


class SolvePeriod(Solve, Period):
    """Solve every team's roster of a period."""


class Close(Solve):
    """Solve, replay, raise the requirement, solve again: at most so many rounds."""

    rounds: int = Field(3, ge=0, le=10)


class NewRoster(Period):
    """A roster of a team over a period."""

    team: Id = Field(description="the team's number", examples=[1])


@api.read("/rosters")
def rosters(call: Called, after: After = 0, limit: Limit = 100) -> Page[RosterRow]:
    """Rosters: a team and a period each."""
    return listings.rosters(call.session, call.actor, after, limit)


@api.write("/rosters", status=201)
def open_roster(call: Called, wanted: NewRoster) -> Roster:
    """Open a roster for a team and a period."""
    return rostering.open_roster(
        call.session, call.actor, wanted.team, wanted.first, wanted.last, call.at
    )


@api.read("/roster-periods")
def periods(call: Called) -> Sequence[tuple[date, date]]:
    """Periods that have a roster or a staffing plan, newest first."""
    return roster_pages.periods(call.session, call.actor)


@api.read("/roster-period")
def period(call: Called, first: From, last: Until) -> PlannedPeriod:
    """A period with every team's newest version, its plan and its holiday posts."""
    return roster_pages.period(call.session, call.actor, first, last)


@api.write("/roster-period/solve", status=202)
def solve_all(call: Called, wanted: SolvePeriod) -> None:
    """Solve the roster of every team of a period that has none on its way."""
    roster_work.solve_every_team(
        call.session, call.actor, wanted.first, wanted.last, wanted.limits, call.at
    )


@api.read("/duties")
def duties(
    call: Called, first: From, last: Until, after: After = 0, limit: Limit = 100
) -> Page[DutyRow]:
    """Published duties of days, both ends included."""
    return listings.duties(call.session, call.actor, after, limit, first, last)


@api.read("/rosters/{roster}")
def roster(call: Called, roster: Number) -> RosterHead:
    """One roster with its newest version."""
    return listings.roster(call.session, call.actor, roster)


@api.write("/rosters/{roster}/solve", status=202, guard=roster)
def solve(call: Called, roster: Number, wanted: Solve) -> Job:
    """Solve a roster as a job; its progress tells the best so far, bound and gap."""
    return rostering.ask_to_solve(call.session, call.actor, roster, wanted.limits, call.at)


@api.write("/rosters/{roster}/close", status=202, guard=roster)
def close(call: Called, roster: Number, wanted: Close) -> Job:
    """Close the loop: solve, replay, raise what the replay found too low, solve again."""
    return closing.ask(call.session, call.actor, roster, wanted.limits, wanted.rounds, call.at)


@api.read("/rosters/{roster}/work")
def work(call: Called, roster: Number) -> Job:
    """The newest solve, replay or closing of a roster."""
    job = roster_pages.newest_work(call.session, call.actor, roster)
    if job is None:
        raise NotFoundError("nothing runs for this roster")
    return job


@api.write("/rosters/{roster}/stop")
def stop(call: Called, roster: Number) -> Job:
    """Stop what runs for a roster; a solve keeps its best roster so far."""
    return queue.cancel(call.session, call.actor, work(call, roster).id or 0, call.at)


@api.read("/rosters/{roster}/versions")
def versions(call: Called, roster: Number) -> Sequence[VersionFigures]:
    """All versions of a roster with their figures, newest first."""
    rostering.get_roster(call.session, call.actor, roster)
    return roster_pages.versions(call.session, roster)


def row_of(call: Call, roster: int, version: int) -> RosterVersion:
    """A version by its number, for somebody who may see its roster."""
    rostering.get_roster(call.session, call.actor, roster)
    found = roster_pages.numbered(call.session, roster, version)
    assert found is not None
    return found


def id_of(call: Call, roster: int, version: int) -> int:
    return row_of(call, roster, version).id or 0


@api.read("/rosters/{roster}/versions/{version}")
def version(call: Called, roster: Number, version: Number) -> VersionFigures:
    """One version with its figures: cost, bound, cover, the replay's verdict."""
    found = id_of(call, roster, version)
    return next(one for one in roster_pages.versions(call.session, roster) if one.id == found)


@api.read("/rosters/{roster}/versions/{version}/duties")
def duties_of_version(
    call: Called, roster: Number, version: Number, after: After = 0, limit: Limit = 100
) -> Page[DutyRow]:
    """The assignments of a version."""
    found = id_of(call, roster, version)
    return listings.duties_of_version(call.session, call.actor, found, after, limit)


@api.read("/rosters/{roster}/versions/{version}/month")
def month(call: Called, roster: Number, version: Number, against: AskedNumber = None) -> Month:
    """The month grid: agents by days, with locks, wishes, breaks of rules and what changed."""
    return roster_pages.roster_page(call.session, call.actor, roster, version, against).month


@api.read("/rosters/{roster}/versions/{version}/misgivings")
def misgivings(call: Called, roster: Number, version: Number) -> Sequence[Misgiving]:
    """What speaks against publishing: broken rules, no replay, promises not kept."""
    return list(rostering.misgivings(row_of(call, roster, version)))


@api.read("/rosters/{roster}/versions/{version}/cover")
def cover(
    call: Called, roster: Number, version: Number, skill: Asked = "", tier: Tier = ""
) -> Heat | None:
    """Cover against requirement, half-hour by half-hour; null where nothing is required."""
    page = roster_pages.roster_page(call.session, call.actor, roster, version)
    return roster_cover.heat(row_of(call, roster, version), page.month, skill, tier)


@api.read("/rosters/{roster}/versions/{version}/gaps")
def gaps(call: Called, roster: Number, version: Number) -> Sequence[Gap]:
    """Where people are missing, by cause."""
    return roster_cover.gaps(row_of(call, roster, version))


@api.read("/rosters/{roster}/versions/{version}/terms")
def terms(call: Called, roster: Number, version: Number) -> Sequence[Term]:
    """What a version costs, rule by rule."""
    return roster_cover.terms(row_of(call, roster, version))


@api.read("/rosters/{roster}/versions/{version}/violations")
def violations(call: Called, roster: Number, version: Number) -> Sequence[dict[str, Any]]:
    """Hard rules a version breaks."""
    return roster_cover.violations(row_of(call, roster, version))


@api.read("/rosters/{roster}/versions/{version}/days/{day}")
def day(call: Called, roster: Number, version: Number, day: ADay) -> DayPage:
    """One day: people by half-hours, with breaks, and the cover below."""
    return roster_day.day_page(call.session, call.actor, roster, day, version, call.timezone)


@api.read("/rosters/{roster}/versions/{version}/cells/{agent}/{day}")
def cell(call: Called, roster: Number, version: Number, agent: Code, day: ADay) -> CellPanel:
    """One cell: what it is and what is given about it."""
    found, who = id_of(call, roster, version), agent_of(call, agent)
    return roster_cells.panel(call.session, call.actor, roster, who, day, found)


def agent_of(call: Call, code: str) -> int:
    return listings.agent(call.session, call.actor, code, call.today).id


@api.read("/rosters/{roster}/versions/{version}/cells/{agent}/{day}/why")
def why(call: Called, roster: Number, version: Number, agent: Code, day: ADay) -> Why:
    """Why a cell is as it is, and what each alternative would cost."""
    found, who = id_of(call, roster, version), agent_of(call, agent)
    return roster_cells.why(call.session, call.actor, roster, who, day, found)


@api.read("/rosters/{roster}/compare")
def compare(
    call: Called, roster: Number,
    left: Annotated[int, Query(ge=1, le=2**31 - 1, examples=[1])],
    right: Annotated[int, Query(ge=1, le=2**31 - 1, examples=[2])],
) -> Comparison:  # fmt: skip
    """Two versions side by side: what changed for whom, cover, cost, shares."""
    return roster_compare.compare(call.session, call.actor, roster, left, right)


@api.write("/rosters/{roster}/versions/{version}/replay", status=202)
def replay(call: Called, roster: Number, version: Number) -> Job:
    """Prove a version: arrivals drawn from the forecast, run through dispatch, as a job."""
    return roster_work.ask_to_replay(
        call.session, call.actor, id_of(call, roster, version), call.at
    )


@api.write("/rosters/{roster}/versions/{version}/publish", guard=roster)
def publish(call: Called, roster: Number, version: Number, wanted: WithReason) -> RosterVersion:
    """Publish a version: what speaks against it must be answered with a reason."""
    found = id_of(call, roster, version)
    return rostering.publish(call.session, call.actor, found, call.at, wanted.reason)


@api.read("/rosters/{roster}/versions/{version}/duties.csv", media="text/csv")
def duties_csv(call: Called, roster: Number, version: Number) -> Response:
    """The duties of a version as a table."""
    found = id_of(call, roster, version)
    text = roster_export.duties_csv(call.session, call.actor, found, call.timezone)
    return attachment(text, "text/csv; charset=utf-8", f"roster-{roster}-v{version}.csv")


@api.read("/rosters/{roster}/versions/{version}/month.xlsx", media=XLSX)
def month_xlsx(call: Called, roster: Number, version: Number) -> Response:
    """The month as a workbook."""
    page = roster_pages.roster_page(call.session, call.actor, roster, version)
    made_at = page.version.made_at if page.version else call.at
    content = roster_export.month_xlsx(page, call.language, made_at)
    return attachment(content, XLSX, f"roster-{roster}-v{version}.xlsx")
