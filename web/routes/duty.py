"""Holiday duty: the table and its life, wishes, swaps, handover, costs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from pydantic import BaseModel, Field

from web import htmx
from web.deps import XLSX, AtDesk, Desk
from web.fields import LARGEST, AskedId, FormId, MaybeId, QueryId
from web.routes.rosters import next_month
from wfm.errors import Fault, InputError, NotFoundError
from wfm.jobs import MOVING
from wfm.services import (
    duty_changes,
    duty_days,
    duty_export,
    duty_handover,
    duty_life,
    duty_pages,
    duty_pay,
    duty_posts,
    duty_wishes,
    duty_work,
    holiday_duty,
)
from wfm.services.duty_pages import DutyPage

router = APIRouter(prefix="/duty")
LONGEST_NAME = 80
LONGEST_NOTE = 4000

First = Annotated[date, Query(alias="from")]
Last = Annotated[date, Query(alias="until")]
MaybeFirst = Annotated[date | None, Query(alias="from")]
MaybeLast = Annotated[date | None, Query(alias="until")]
FormFirst = Annotated[date, Form(alias="from")]
FormLast = Annotated[date, Form(alias="until")]
Note = Annotated[str, Form(max_length=LONGEST_NOTE)]


# -- the table ------------------------------------------------------------------------------------


@router.get("")
def table(desk: AtDesk, first: MaybeFirst = None, last: MaybeLast = None) -> Response:
    first, last = _period(desk, first, last)
    job = duty_work.newest(desk.session, desk.actor, first, last)
    page = _page(desk, first, last)
    return desk.page("duty.html", page=page, tab="table", job=job, first=first, last=last)


def _page(desk: Desk, first: date, last: date) -> DutyPage:
    return duty_pages.duty_page(
        desk.session, desk.actor, first, last, desk.at, desk.settings.timezone
    )


def _period(desk: Desk, first: date | None, last: date | None) -> tuple[date, date]:
    """The days asked for, else those of the next holiday or event."""
    if first is not None and last is not None:
        return first, last
    ahead = duty_days.upcoming(desk.session, desk.today, back=timedelta(days=14))
    found = next((one for one in ahead if one.last >= desk.today), ahead[-1] if ahead else None)
    return (found.first, found.last) if found else next_month(desk.today)


def _to_table(desk: Desk, first: date, last: date) -> Response:
    return htmx.go_to(desk.request, f"/duty?from={first}&until={last}")


@router.post("/propose")
def propose(desk: AtDesk, first: FormFirst, last: FormLast) -> Response:
    """Put the proposal on the queue; the page shows how it goes."""
    duty_work.ask_to_propose(desk.session, desk.actor, first, last, desk.at)
    return _to_table(desk, first, last)


@router.get("/work")
def work(desk: AtDesk, first: First, last: Last) -> Response:
    """How the proposal goes; the page is fetched anew when it has ended."""
    job = duty_work.newest(desk.session, desk.actor, first, last)
    if job is None:
        raise NotFoundError("nothing runs for this table")
    answer = desk.fragment("duty_work.html", "card", job=job, first=first, last=last)
    if job.status not in MOVING:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/table.xlsx")
def table_xlsx(desk: AtDesk, first: First, last: Last) -> Response:
    page, zone = _page(desk, first, last), desk.settings.timezone
    content = duty_export.duty_xlsx(page, _costs(desk, first, last), desk.language, desk.at, zone)
    return desk.file(content, XLSX, f"duty-{first}-{last}.xlsx")


@router.get("/table.ics")
def table_ics(desk: AtDesk, first: First, last: Last, mine: bool = False) -> Response:
    page = _page(desk, first, last)
    only = (desk.actor.agent_id or 0) if mine else None
    zone = desk.settings.timezone
    content = duty_export.duty_ics(page, desk.language, desk.at, zone, only)
    return desk.file(content, "text/calendar; charset=utf-8", f"duty-{first}-{last}.ics")


class Act(BaseModel):
    """Something done to one table, on a page that shows a period."""

    table_id: int = Field(ge=1, le=LARGEST)
    first: date = Field(alias="from")
    last: date = Field(alias="until")
    text: str = Field(default="", max_length=500)
    item: str = Field(default="", max_length=LONGEST_NAME)
    wage: Decimal | None = None


@router.post("/publish")
def publish(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    duty_life.publish(
        desk.session, desk.actor, act.table_id, act.text, desk.at, desk.settings.timezone
    )
    return _to_table(desk, act.first, act.last)


@router.post("/close")
def close(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    duty_life.close(desk.session, desk.actor, act.table_id, desk.at, desk.settings.timezone)
    return _to_table(desk, act.first, act.last)


@router.post("/check")
def check(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    duty_life.sign_check(desk.session, desk.actor, act.table_id, act.item, act.text, desk.at)
    return _to_table(desk, act.first, act.last)


# -- one place ------------------------------------------------------------------------------------


@router.get("/place")
def place(
    desk: AtDesk,
    day: date,
    post: QueryId,
    first: First,
    last: Last,
    agent: AskedId = None,
) -> Response:
    panel = duty_changes.panel(
        desk.session, desk.actor, day, post, agent, desk.at, desk.settings.timezone
    )
    return desk.page("duty_place.html", block="panel", panel=panel, first=first, last=last)


@router.post("/change")
def change(
    desk: AtDesk,
    first: FormFirst,
    last: FormLast,
    day: Annotated[date, Form()],
    post: FormId,
    to: Annotated[str, Form(pattern=r"^(\d{1,9}(@\d{4}-\d\d-\d\d@\d{1,9})?)?$")] = "",
    agent: MaybeId = None,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Give the place to `to`: an agent, or an agent with the day and post given in return."""
    new, *back = to.split("@")
    trade = (_date(back[0]), int(back[1])) if back else None
    duty_changes.change(
        desk.session, desk.actor, day, post, agent, int(new) if new else None, reason, desk.at,
        desk.settings.timezone, trade,
    )  # fmt: skip
    return _to_table(desk, first, last)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError.of([Fault("not a date; expected YYYY-MM-DD", column="to")]) from None


@router.post("/lock")
def lock(
    desk: AtDesk,
    first: FormFirst,
    last: FormLast,
    day: Annotated[date, Form()],
    post: FormId,
    agent: FormId,
    locked: Annotated[bool, Form()],
) -> Response:
    duty_changes.lock(desk.session, desk.actor, day, post, agent, locked, desk.at)
    return _to_table(desk, first, last)


@router.post("/undo")
def undo(desk: AtDesk, first: FormFirst, last: FormLast, swap: FormId) -> Response:
    duty_changes.undo(desk.session, desk.actor, swap, desk.at, desk.settings.timezone)
    return _to_table(desk, first, last)


@router.post("/people")
def people(
    desk: AtDesk,
    first: FormFirst,
    last: FormLast,
    day: Annotated[date, Form()],
    post: FormId,
    people: Annotated[int, Form(ge=0, le=duty_posts.MOST_PEOPLE)],
) -> Response:
    duty_posts.want(desk.session, desk.actor, post, day, people, desk.at)
    return _to_table(desk, first, last)


# -- wishes ---------------------------------------------------------------------------------------


@router.get("/wishes")
def wishes(desk: AtDesk, agent: AskedId = None) -> Response:
    asked = duty_wishes.wish_page(desk.session, desk.actor, agent, desk.today)
    return desk.page("duty_wishes.html", block="wishes", asked=asked, tab="wishes")


@router.post("/wishes")
def wish(
    desk: AtDesk,
    agent: FormId,
    day: Annotated[date, Form()],
    wish: Annotated[str, Form(pattern="^((on|off)-[123])?$")] = "",
    note: Annotated[str, Form(max_length=duty_wishes.LONGEST_NOTE)] = "",
) -> Response:
    """A wish such as on-2 or off-3; an empty one takes back what was wished."""
    if wish:
        kind, strength = wish.split("-")
        duty_wishes.put(
            desk.session, desk.actor, agent, day, kind == "on", int(strength), note, desk.at
        )
    else:
        duty_wishes.withdraw(desk.session, desk.actor, agent, day, desk.at)
    if not htmx.wants_fragment(desk.request):
        return htmx.go_to(desk.request, f"/duty/wishes?agent={agent}")
    return wishes(desk, agent)


# -- handover -------------------------------------------------------------------------------------


@router.get("/handover")
def handover(desk: AtDesk, first: MaybeFirst = None, last: MaybeLast = None) -> Response:
    first, last = _period(desk, first, last)
    held = duty_pages.require_period(desk.session, desk.actor, first, last)
    slots = duty_handover.slots(desk.session, held, first, last, desk.settings.timezone)
    return desk.page("duty_handover.html", slots=slots, first=first, last=last, tab="handover",
                     now=desk.at, sites=duty_pages.sites(desk.session))  # fmt: skip


@router.post("/handover/give")
def give(
    desk: AtDesk, first: FormFirst, last: FormLast, post: FormId, agent: FormId,
    day: Annotated[date, Form()], note: Note = "",
) -> Response:  # fmt: skip
    duty_handover.give(desk.session, desk.actor, post, day, agent, note, desk.at)
    return htmx.go_to(desk.request, f"/duty/handover?from={first}&until={last}")


@router.post("/handover/take")
def take(
    desk: AtDesk, first: FormFirst, last: FormLast, handover: FormId, agent: MaybeId = None
) -> Response:
    taker = agent or desk.actor.agent_id
    if taker is None:
        raise InputError.of([Fault("say who takes over", column="agent")])
    duty_handover.take(desk.session, desk.actor, handover, taker, desk.at)
    return htmx.go_to(desk.request, f"/duty/handover?from={first}&until={last}")


# -- costs and watches ----------------------------------------------------------------------------


@router.get("/costs")
def costs(desk: AtDesk, first: MaybeFirst = None, last: MaybeLast = None) -> Response:
    first, last = _period(desk, first, last)
    found = _costs(desk, first, last)
    tables = holiday_duty.tables_between(desk.session, first, last)
    zone, wage = desk.settings.timezone, duty_pages.month_wage(desk.session, first, last)
    return desk.page(
        "duty_costs.html", costs=found, total=duty_export.total_of(found), wage=wage, first=first,
        last=last, tab="costs", tables=tables,
        days={day.date: day for day in duty_days.duty_days(desk.session, first, last)},
        proposals=duty_pay.proposals(desk.session, desk.actor, first, last, desk.at, wage, zone),
    )  # fmt: skip


def _costs(desk: Desk, first: date, last: date) -> duty_pay.Costs:
    zone = desk.settings.timezone
    return duty_pages.period_costs(desk.session, desk.actor, first, last, zone)


@router.post("/wage")
def wage(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    duty_life.reckon_with(desk.session, desk.actor, act.table_id, act.wage, desk.at)
    return htmx.go_to(desk.request, f"/duty/costs?from={act.first}&until={act.last}")


@router.post("/watch")
def watch(
    desk: AtDesk,
    first: FormFirst,
    last: FormLast,
    key: Annotated[str, Form(max_length=LONGEST_NAME)],
    accepted: Annotated[bool, Form()],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    if not holiday_duty.tables_between(desk.session, first, last):
        raise NotFoundError("there is no duty table in this period")
    duty_pay.decide(
        desk.session, desk.actor, first, last, key, accepted, reason, desk.at,
        duty_pages.month_wage(desk.session, first, last), desk.settings.timezone,
    )  # fmt: skip
    return htmx.go_to(desk.request, f"/duty/costs?from={first}&until={last}")
