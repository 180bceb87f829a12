"""The planner's desk: periods, and one roster with its month grid."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Response

from web import htmx
from web.deps import XLSX, AtDesk, Desk
from web.fields import LARGEST, AskedId, FormId, PathId, QueryId
from wfm.errors import Fault, InputError, NotFoundError
from wfm.jobs import MOVING
from wfm.services import (
    queue,
    roster_cells,
    roster_cover,
    roster_export,
    roster_locks,
    roster_pages,
    roster_teams,
    roster_versions,
    roster_work,
    rostering,
)
from wfm.services.roster_pages import RosterPage
from wfm.services.roster_rows import Choice, Grouping, arranged
from wfm.words import LockKind

router = APIRouter()
EVERYBODY = Choice()
TIER = "^(ordinary|senior|expert)?$"
SHOWN_PERIODS = 6

First = Annotated[date, Form(alias="from")]
Last = Annotated[date, Form(alias="until")]
Seconds = Annotated[float, Form(ge=1, le=3600)]
Seed = Annotated[int, Form(ge=0, le=LARGEST)]


# -- periods --------------------------------------------------------------------------------------


@router.get("/rosters")
def overview(
    desk: AtDesk,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="until")] = None,
) -> Response:
    found = roster_pages.periods(desk.session, desk.actor)
    if first is None or last is None:
        first, last = found[0] if found else next_month(desk.today)
    shown = roster_pages.period(desk.session, desk.actor, first, last)
    return desk.page(
        "rosters.html", block="period", periods=found[:SHOWN_PERIODS], shown=shown,
        next_month=next_month(found[0][1] if found else desk.today),
    )  # fmt: skip


def next_month(day: date) -> tuple[date, date]:
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


@router.post("/rosters/plan")
def plan(desk: AtDesk, first: First, last: Last) -> Response:
    roster_work.ask_to_plan(desk.session, desk.actor, first, last, desk.at)
    return _to_period(desk, first, last)


@router.post("/rosters/open")
def open_roster(desk: AtDesk, team: FormId, first: First, last: Last) -> Response:
    roster = rostering.open_roster(desk.session, desk.actor, team, first, last, desk.at)
    return htmx.go_to(desk.request, f"/rosters/{roster.id}")


@router.post("/rosters/solve")
def solve_all(
    desk: AtDesk, first: First, last: Last, seconds: Seconds = 60, seed: Seed = 1
) -> Response:
    limits = rostering.Limits(seconds=seconds, seed=seed)
    roster_work.solve_every_team(desk.session, desk.actor, first, last, limits, desk.at)
    return _to_period(desk, first, last)


def _to_period(desk: Desk, first: date, last: date) -> Response:
    return htmx.go_to(desk.request, f"/rosters?from={first}&until={last}")


# -- one roster -----------------------------------------------------------------------------------


@router.get("/rosters/{roster_id}")
def roster(
    desk: AtDesk,
    roster_id: PathId,
    version: AskedId = None,
    against: AskedId = None,
    skill: Annotated[str, Query(max_length=120)] = "",
    tier: Annotated[str, Query(pattern=TIER)] = "",
    who: Annotated[str, Query(max_length=60)] = "",
    grade: Annotated[str, Query(pattern=TIER)] = "",
    has: Annotated[str, Query(max_length=120)] = "",
    group: Grouping = "",
    changed: bool = False,
) -> Response:
    page = roster_pages.roster_page(desk.session, desk.actor, roster_id, version, against)
    choice = Choice(who, grade, has, group, changed)
    shown = _shown(page, skill, tier, choice)
    if group == "team":
        others = roster_teams.others(desk.session, desk.actor, page.roster, choice)
        on_duty = roster_teams.together(page.month.on_duty, others)
        shown |= {"others": others, "on_duty": on_duty}
    return desk.page("roster.html", block="page", **shown)


def _shown(
    page: RosterPage, skill: str = "", tier: str = "", choice: Choice = EVERYBODY
) -> dict[str, object]:
    version = page.version
    chosen = {"who": choice.who, "grade": choice.grade, "has": choice.skill,
              "group": choice.group, "changed": "1" if choice.changed else ""}  # fmt: skip
    return {
        "page": page,
        "choice": choice,
        "chosen": urlencode({name: value for name, value in chosen.items() if value}),
        "groups": arranged(page.month, choice),
        "others": [],
        "on_duty": page.month.on_duty,
        "heat": roster_cover.heat(version, page.month, skill, tier) if version else None,
        "gaps": roster_cover.gaps(version) if version else [],
        "terms": roster_cover.terms(version) if version else [],
        "violations": roster_cover.violations(version) if version else [],
        "promise": roster_cover.promise,
        "faults": [],
        "reason": "",
    }


@router.post("/rosters/{roster_id}/solve")
def solve(
    desk: AtDesk,
    roster_id: PathId,
    seconds: Seconds = 60,
    seed: Seed = 1,
    keep_until: Annotated[str, Form(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = "",
    keep: Annotated[int, Form(ge=0, le=1000)] = 0,
) -> Response:
    """Solve; published days up to `keep_until` stay, other changed cells cost `keep` each."""
    until = _date(keep_until)
    limits = rostering.Limits(seconds=seconds, seed=seed, keep_until=until, keep=keep)
    rostering.ask_to_solve(desk.session, desk.actor, roster_id, limits, desk.at)
    return htmx.go_to(desk.request, f"/rosters/{roster_id}")


def _date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError:
        raise InputError.of(
            [Fault("not a date; expected YYYY-MM-DD", column="keep_until")]
        ) from None


@router.get("/rosters/{roster_id}/work")
def work(desk: AtDesk, roster_id: PathId) -> Response:
    """The progress card; the page is fetched anew when the job has ended."""
    job = roster_pages.newest_work(desk.session, desk.actor, roster_id)
    if job is None:
        raise NotFoundError("nothing runs for this roster")
    answer = desk.fragment("roster_work.html", "card", job=job, roster_id=roster_id)
    if job.status not in MOVING:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.post("/rosters/{roster_id}/stop")
def stop(desk: AtDesk, roster_id: PathId) -> Response:
    job = roster_pages.newest_work(desk.session, desk.actor, roster_id)
    if job is None or job.id is None:
        raise NotFoundError("nothing runs for this roster")
    job = queue.cancel(desk.session, desk.actor, job.id, desk.at)
    if not htmx.wants_fragment(desk.request):
        return htmx.go_to(desk.request, f"/rosters/{roster_id}")
    return desk.fragment("roster_work.html", "card", job=job, roster_id=roster_id)


@router.post("/rosters/{roster_id}/replay")
def replay(desk: AtDesk, roster_id: PathId, version_id: FormId) -> Response:
    roster_work.ask_to_replay(desk.session, desk.actor, version_id, desk.at)
    return htmx.go_to(desk.request, f"/rosters/{roster_id}")


@router.post("/rosters/{roster_id}/publish")
def publish(
    desk: AtDesk,
    roster_id: PathId,
    version_id: FormId,
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    try:
        version = rostering.publish(desk.session, desk.actor, version_id, desk.at, reason)
    except InputError:
        number = roster_versions.get_version(desk.session, version_id).number
        page = roster_pages.roster_page(desk.session, desk.actor, roster_id, number)
        block = "publish" if htmx.wants_fragment(desk.request) else None
        shown = _shown(page) | {"faults": page.misgivings, "reason": reason}
        return desk.request.app.state.views.render(  # type: ignore[no-any-return]
            desk.request, "roster.html", block=block, status=422, **shown
        )
    return htmx.go_to(desk.request, f"/rosters/{version.roster_id}")


# -- one cell -------------------------------------------------------------------------------------


@router.get("/rosters/{roster_id}/cells/{agent_id}/{day}")
def cell(
    desk: AtDesk, roster_id: PathId, agent_id: PathId, day: date, version: AskedId = None
) -> Response:
    return _cell(desk, roster_id, agent_id, day, version)


def _cell(desk: Desk, roster_id: int, agent_id: int, day: date, version: int | None) -> Response:
    panel = roster_cells.panel(desk.session, desk.actor, roster_id, agent_id, day, version)
    return desk.page("roster_cell.html", block="panel", panel=panel)


@router.get("/rosters/{roster_id}/cells/{agent_id}/{day}/why")
def why(
    desk: AtDesk,
    roster_id: PathId,
    agent_id: PathId,
    day: date,
    version: QueryId,
    near: bool = False,
) -> Response:
    """The alternatives as they are judged; then, with `near`, solved around as well."""
    seconds = roster_cells.SECONDS if near else 0.0
    found = roster_cells.why(desk.session, desk.actor, roster_id, agent_id, day, version, seconds)
    here = f"/rosters/{roster_id}/cells/{agent_id}/{day}/why?version={version}&near=true"
    return desk.fragment(
        "roster_why.html", "why", why=found, roster_id=roster_id, then=None if near else here
    )


@router.post("/rosters/{roster_id}/cells/{agent_id}/{day}/lock")
def lock(
    desk: AtDesk,
    roster_id: PathId,
    agent_id: PathId,
    day: date,
    kind: Annotated[LockKind, Form()],
    shift: Annotated[str, Form(max_length=120)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    version: AskedId = None,
) -> Response:
    roster_locks.lock_cell(
        desk.session, desk.actor, roster_id, agent_id, day, kind, desk.at,
        shift_code=shift or None, reason=reason,
    )  # fmt: skip
    return _locked(desk, roster_id, agent_id, day, version)


@router.post("/rosters/{roster_id}/cells/{agent_id}/{day}/unlock")
def unlock(
    desk: AtDesk, roster_id: PathId, agent_id: PathId, day: date, version: AskedId = None
) -> Response:
    roster_locks.unlock_cell(desk.session, desk.actor, roster_id, agent_id, day, desk.at)
    return _locked(desk, roster_id, agent_id, day, version)


def _locked(desk: Desk, roster_id: int, agent_id: int, day: date, version: int | None) -> Response:
    """The panel as it is now; the grid hears that a lock changed."""
    if not htmx.wants_fragment(desk.request):
        return htmx.go_to(desk.request, f"/rosters/{roster_id}")
    answer = _cell(desk, roster_id, agent_id, day, version)
    answer.headers["HX-Trigger"] = "locks-changed"
    return answer


# -- files ----------------------------------------------------------------------------------------


@router.get("/rosters/{roster_id}/month.xlsx")
def month_xlsx(desk: AtDesk, roster_id: PathId, version: AskedId = None) -> Response:
    page = roster_pages.roster_page(desk.session, desk.actor, roster_id, version)
    number = page.version.number if page.version else 0
    made_at = page.version.made_at if page.version else desk.at
    name = f"roster-{roster_id}-v{number}.xlsx"
    return desk.file(roster_export.month_xlsx(page, desk.language, made_at), XLSX, name)


@router.get("/rosters/{roster_id}/duties.csv")
def duties_csv(desk: AtDesk, roster_id: PathId, version: AskedId = None) -> Response:
    page = roster_pages.roster_page(desk.session, desk.actor, roster_id, version)
    if page.version is None or page.version.id is None:
        raise NotFoundError("this roster has no version yet; solve it first")
    text = roster_export.duties_csv(
        desk.session, desk.actor, page.version.id, desk.settings.timezone
    )
    name = f"roster-{roster_id}-v{page.version.number}.csv"
    return desk.file(text, "text/csv; charset=utf-8", name)
