"""Holiday duty: the posts of the desk, events with dates, and the contact card."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, Field

from web import htmx
from web.deps import AtDesk
from web.fields import LARGEST, PathId
from wfm.services import duty_days, duty_posts
from wfm.words import DutyKind, Grade, Mode, PostRole

router = APIRouter(prefix="/duty")
LONGEST_NAME = 80
LONGEST_NOTE = 200

Text = Annotated[str, Form(max_length=LONGEST_NAME)]


@router.get("/posts")
def posts(desk: AtDesk) -> Response:
    found = duty_posts.posts_page(desk.session, desk.actor)
    start = desk.today.replace(month=1, day=1)
    events = duty_days.events(desk.session, start, start + duty_days.AHEAD * 2)
    return desk.page(
        "duty_posts.html", found=found, events=events, tab="posts", roles=list(PostRole),
        grades=list(Grade), modes=list(Mode), kinds=list(DutyKind),
    )  # fmt: skip


class PostEntry(BaseModel):
    """A post as the form sends it; nothing chosen arrives as an empty text."""

    post_id: int | None = Field(default=None, ge=1, le=LARGEST)
    name_en: str = Field(default="", max_length=LONGEST_NAME)
    name_zh: str = Field(default="", max_length=LONGEST_NAME)
    role: PostRole
    min_grade: Grade = Grade.ORDINARY
    people: int = Field(default=1, ge=0, le=duty_posts.MOST_PEOPLE)
    mode: Mode = Mode.ON_SITE
    kind: DutyKind = DutyKind.ORDINARY
    basis: str = Field(default="", max_length=LONGEST_NAME)
    reach_minutes: int | None = Field(default=None, ge=0, le=LARGEST)
    site_id: int | None = Field(default=None, ge=1, le=LARGEST)
    skill_id: int | None = Field(default=None, ge=1, le=LARGEST)
    starts: time = time(0)
    ends: time = time(0)
    stays_in_town: bool = False


@router.post("/posts")
def save_post(desk: AtDesk, entry: Annotated[PostEntry, Form()]) -> Response:
    said = entry.model_dump(exclude={"post_id"})
    form = duty_posts.PostForm(**said | {"reach_minutes": entry.reach_minutes or None})
    duty_posts.save_post(desk.session, desk.actor, entry.post_id, form, desk.at)
    return htmx.go_to(desk.request, "/duty/posts")


@router.post("/posts/{post_id}/give-up")
def give_up_post(desk: AtDesk, post_id: PathId) -> Response:
    duty_posts.give_up_post(desk.session, desk.actor, post_id, desk.at)
    return htmx.go_to(desk.request, "/duty/posts")


@router.post("/events")
def add_event(
    desk: AtDesk,
    first: Annotated[date, Form(alias="from")],
    last: Annotated[date, Form(alias="until")],
    name_en: Text = "",
    name_zh: Text = "",
    burden: Annotated[int, Form(ge=0, le=LARGEST)] = 3,
) -> Response:
    duty_days.add_event(desk.session, desk.actor, name_en, name_zh, first, last, burden, desk.at)
    return htmx.go_to(desk.request, f"/duty?from={first}&until={last}")


@router.post("/events/{event_id}/remove")
def remove_event(desk: AtDesk, event_id: PathId) -> Response:
    duty_days.remove_event(desk.session, desk.actor, event_id, desk.at)
    return htmx.go_to(desk.request, "/duty/posts")


@router.post("/contacts")
def add_contact(
    desk: AtDesk,
    phone: Text,
    name_en: Text = "",
    name_zh: Text = "",
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    duty_posts.add_contact(desk.session, desk.actor, name_en, name_zh, phone, note, desk.at)
    return htmx.go_to(desk.request, "/duty/posts")


@router.post("/contacts/{contact_id}/remove")
def remove_contact(desk: AtDesk, contact_id: PathId) -> Response:
    duty_posts.remove_contact(desk.session, desk.actor, contact_id, desk.at)
    return htmx.go_to(desk.request, "/duty/posts")
