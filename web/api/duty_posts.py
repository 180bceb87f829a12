"""Holiday duty: the posts of the desk, how many a day wants, events, the contact card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any

from pydantic import Field

from web.api.calls import Called
from web.api.fields import ADay, From, Id, Name, Number, Period, Until, Wanted
from web.api.operations import Operations
from wfm.errors import NotFoundError
from wfm.services import duty_days, duty_posts, holiday_duty
from wfm.services.duty_days import DutyDay
from wfm.services.duty_posts import PostForm
from wfm.tables import DutyContact, DutyEvent, Post
from wfm.words import DutyKind, Grade, Mode, PostRole

api = Operations("holiday duty")


class PostWanted(Wanted):
    """A post: who may hold it, from when to when, and what holding it is by law."""

    name_en: str = Field(max_length=80, pattern=r"^[^\x00]*$", examples=["Lead"])
    name_zh: str = Field(max_length=80, pattern=r"^[^\x00]*$", examples=["主班"])
    role: PostRole
    min_grade: Grade = Grade.ORDINARY
    people: int = Field(1, ge=0, le=duty_posts.MOST_PEOPLE)
    mode: Mode = Mode.ON_SITE
    kind: DutyKind = DutyKind.ORDINARY
    basis: str = Field("", max_length=80, pattern=r"^[^\x00]*$")
    reach_minutes: int | None = Field(None, ge=1, le=1440)
    site_id: Id | None = None
    skill_id: Id | None = None
    starts: time = time(0)
    ends: time = time(0)
    stays_in_town: bool = False

    def form(self) -> PostForm:
        said: dict[str, Any] = dict(self)
        hours = {name: said[name].replace(tzinfo=None) for name in ("starts", "ends")}
        return PostForm(**said | hours)


class People(Wanted):
    people: int = Field(ge=0, le=duty_posts.MOST_PEOPLE)


class Event(Period):
    """Days that want a duty table though no calendar names them."""

    name_en: str = Field(max_length=80, pattern=r"^[^\x00]*$", examples=["Autumn sale"])
    name_zh: str = Field(max_length=80, pattern=r"^[^\x00]*$", examples=["秋季促销"])
    burden: int = Field(3, ge=0, le=100)


class Contact(Wanted):
    """A line of the contact card that is no post."""

    name_en: Name = Field(examples=["Power"])
    name_zh: Name = Field(examples=["供电"])
    phone: str = Field(max_length=80, pattern=r"^[^\x00]*$", examples=["95598"])
    note: str = Field("", max_length=200, pattern=r"^[^\x00]*$")


@api.read("/duty/posts")
def posts(call: Called) -> Sequence[Post]:
    """The posts of the desk."""
    return duty_posts.posts_page(call.session, call.actor).posts


@api.read("/duty/posts/{post}")
def post(call: Called, post: Number) -> Post:
    """One post."""
    found = duty_posts.posts_page(call.session, call.actor).posts
    row = next((one for one in found if one.id == post), None)
    if row is None:
        raise NotFoundError("there is no such post")
    return row


@api.write("/duty/posts", status=201)
def add_post(call: Called, wanted: PostWanted) -> Post:
    """Add a post."""
    return duty_posts.save_post(call.session, call.actor, None, wanted.form(), call.at)


@api.write("/duty/posts/{post}", method="PUT", guard=post, guarded=True)
def change_post(call: Called, post: Number, wanted: PostWanted) -> Post:
    """Change a post, as it was read."""
    return duty_posts.save_post(call.session, call.actor, post, wanted.form(), call.at)


@api.write("/duty/posts/{post}", method="DELETE", guard=post)
def give_up_post(call: Called, post: Number) -> None:
    """Give a post up; what was held on it stays on record."""
    duty_posts.give_up_post(call.session, call.actor, post, call.at)


@api.write("/duty/posts/{post}/days/{day}", method="PUT")
def want(call: Called, post: Number, day: ADay, wanted: People) -> DutyDay:
    """How many people a day wants of a post, where that is not what the post says."""
    return duty_posts.want(call.session, call.actor, post, day, wanted.people, call.at)


@api.read("/duty/events")
def events(call: Called, first: From, last: Until) -> Sequence[DutyEvent]:
    """Events with dates, in a period."""
    holiday_duty.table(call.session, call.actor, first, last)
    return duty_days.events(call.session, first, last)


@api.write("/duty/events", status=201)
def add_event(call: Called, wanted: Event) -> DutyEvent:
    """Add an event that wants a duty table."""
    return duty_days.add_event(call.session, call.actor, wanted.name_en, wanted.name_zh,
                               wanted.first, wanted.last, wanted.burden, call.at)  # fmt: skip


@api.write("/duty/events/{event}", method="DELETE")
def remove_event(call: Called, event: Number) -> None:
    """Remove an event."""
    duty_days.remove_event(call.session, call.actor, event, call.at)


@api.read("/duty/contacts")
def contacts(call: Called) -> Sequence[DutyContact]:
    """Contacts that are no posts: suppliers, building, power."""
    return duty_posts.posts_page(call.session, call.actor).contacts


@api.write("/duty/contacts", status=201)
def add_contact(call: Called, wanted: Contact) -> DutyContact:
    """Add a contact to the card."""
    return duty_posts.add_contact(call.session, call.actor, wanted.name_en, wanted.name_zh,
                                  wanted.phone, wanted.note, call.at)  # fmt: skip


@api.write("/duty/contacts/{contact}", method="DELETE")
def remove_contact(call: Called, contact: Number) -> None:
    """Remove a contact."""
    duty_posts.remove_contact(call.session, call.actor, contact, call.at)
