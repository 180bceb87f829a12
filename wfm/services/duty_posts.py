"""The posts of a desk, how many people a day wants of each, and the contact card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.services import holiday_duty
from wfm.services.duty_days import DutyDay, duty_days
from wfm.tables import DutyContact, Post, PostHolding, PostNeed, Site, Skill
from wfm.words import DutyKind, Grade, Mode, PostRole

MOST_PEOPLE = 99
LONGEST_NAME = 80
LONGEST_REACH = 24 * 60  # minutes


@dataclass(frozen=True)
class PostForm:
    """What a planner says of a post."""

    name_en: str
    name_zh: str
    role: PostRole
    min_grade: Grade = Grade.ORDINARY
    people: int = 1
    mode: Mode = Mode.ON_SITE
    kind: DutyKind = DutyKind.ORDINARY
    basis: str = ""
    reach_minutes: int | None = None
    site_id: int | None = None
    skill_id: int | None = None
    starts: time = time(0)
    ends: time = time(0)
    stays_in_town: bool = False


@dataclass(frozen=True)
class PostsPage:
    """Posts in use, what they can name, and the contact card."""

    posts: tuple[Post, ...]
    sites: tuple[Site, ...]
    skills: tuple[Skill, ...]
    contacts: tuple[DutyContact, ...]


def posts_page(session: Session, actor: Actor) -> PostsPage:
    access.require_whole_desk(actor, "rosters.plan")
    return PostsPage(
        tuple(holiday_duty.active_posts(session)),
        tuple(session.exec(select(Site).order_by(Site.code))),
        tuple(session.exec(select(Skill).order_by(Skill.code))),
        tuple(contacts(session)),
    )


def save_post(
    session: Session, actor: Actor, post_id: int | None, form: PostForm, at: datetime
) -> Post:
    """Add a post, or change one; places already held stay with their holders.

    Raises
    ------
    InputError
        A field does not fit: one fault each.
    """
    access.require_whole_desk(actor, "rosters.plan")
    faults = _faults(session, form)
    if faults:
        raise InputError.of(faults)
    post = _post(session, post_id) if post_id else Post(
        code=_new_code(session, form.role), name_en="", name_zh="", role=form.role
    )  # fmt: skip
    for name, value in vars(form).items():
        setattr(post, name, value.strip() if isinstance(value, str) else value)
    post.name_en, post.name_zh = post.name_en or post.name_zh, post.name_zh or post.name_en
    post.role, post.min_grade = PostRole(form.role), Grade(form.min_grade)
    post.mode, post.kind = Mode(form.mode), DutyKind(form.kind)
    session.add(post)
    session.flush()
    audit.record(session, at, actor.name, "duty.post", post.code, people=post.people,
                 grade=post.min_grade.value)  # fmt: skip
    return post


def _faults(session: Session, form: PostForm) -> list[Fault]:
    named = form.name_en.strip() or form.name_zh.strip()
    longest = max(len(form.name_en), len(form.name_zh), len(form.basis))
    standby = form.mode == Mode.STANDBY
    checks = (
        (not named, "name", "a post needs a name"),
        (longest > LONGEST_NAME, "name", f"at most {LONGEST_NAME} letters are expected"),
        (not 0 <= form.people <= MOST_PEOPLE, "people", f"0 to {MOST_PEOPLE} people are expected"),
        (
            form.reach_minutes is not None and not 1 <= form.reach_minutes <= LONGEST_REACH,
            "reach", f"1 to {LONGEST_REACH} minutes are expected",
        ),
        (standby and not form.reach_minutes, "reach", "standby needs a time to be reached within"),
        (bool(form.site_id) and session.get(Site, form.site_id) is None, "site",
         "there is no such site"),
        (bool(form.skill_id) and session.get(Skill, form.skill_id) is None, "skill",
         "there is no such skill"),
    )  # fmt: skip
    return [Fault(message, column=column) for wrong, column, message in checks if wrong]


def _new_code(session: Session, role: PostRole) -> str:
    taken = set(session.exec(select(Post.code)))
    numbers = (f"{role}-{number}" for number in range(1, len(taken) + 2))
    return next(code for code in (role.value, *numbers) if code not in taken)


def give_up_post(session: Session, actor: Actor, post_id: int, at: datetime) -> None:
    """Take a post out of use: no new table has it, and old ones keep it."""
    access.require_whole_desk(actor, "rosters.plan")
    post = _post(session, post_id)
    post.active = False
    session.add(post)
    session.flush()
    audit.record(session, at, actor.name, "duty.post.give_up", post.code)


def _post(session: Session, post_id: int) -> Post:
    post = session.get(Post, post_id)
    if post is None:
        raise NotFoundError(f"there is no post {post_id}")
    return post


def want(
    session: Session, actor: Actor, post_id: int, day: date, people: int, at: datetime
) -> DutyDay:
    """Say how many people a post wants on one day; none takes it off that day's table.

    Raises
    ------
    ConflictError
        More people hold it already, or the table is published.
    """
    access.require_whole_desk(actor, "rosters.plan")
    post = _post(session, post_id)
    days = duty_days(session, day, day)
    if not days:
        raise InputError.of([Fault("this day has no duty table", column="day", value=str(day))])
    if not 0 <= people <= MOST_PEOPLE:
        raise InputError.of([Fault(f"0 to {MOST_PEOPLE} people are expected", column="people")])
    if any(one.published_at for one in holiday_duty.tables_between(session, day, day)):
        raise ConflictError("this duty table is published; change it by swaps")
    holding = select(sa.func.count()).select_from(PostHolding)
    held = session.exec(
        holding.where(col(PostHolding.post_id) == post_id, col(PostHolding.day) == day)
    ).one()
    if held > people:
        raise ConflictError("more people hold this place already; take one off it first")
    session.execute(
        sa.delete(PostNeed).where(col(PostNeed.post_id) == post_id, col(PostNeed.day) == day)
    )
    if people != post.people:
        session.add(PostNeed(post_id=post_id, day=day, people=people))
    session.flush()
    audit.record(session, at, actor.name, "duty.people", str(day), post=post.code, people=people)
    jobs.announce(session, "duty")
    return days[0]


def contacts(session: Session) -> list[DutyContact]:
    """The lines of the contact card that are no posts."""
    return list(session.exec(select(DutyContact).order_by(col(DutyContact.id))))


def add_contact(
    session: Session,
    actor: Actor,
    name_en: str,
    name_zh: str,
    phone: str,
    note: str,
    at: datetime,
) -> DutyContact:
    access.require_whole_desk(actor, "rosters.plan")
    name_en, name_zh, phone = name_en.strip(), name_zh.strip(), phone.strip()
    if not (name_en or name_zh) or not phone:
        fault = Fault("a contact needs a name and a telephone number", column="phone")
        raise InputError.of([fault])
    contact = DutyContact(name_en=name_en or name_zh, name_zh=name_zh or name_en, phone=phone,
                          note=note.strip())  # fmt: skip
    session.add(contact)
    session.flush()
    audit.record(session, at, actor.name, "duty.contact", contact.name_en)
    return contact


def remove_contact(session: Session, actor: Actor, contact_id: int, at: datetime) -> None:
    access.require_whole_desk(actor, "rosters.plan")
    contact = session.get(DutyContact, contact_id)
    if contact is None:
        raise NotFoundError(f"there is no contact {contact_id}")
    session.delete(contact)
    session.flush()
    audit.record(session, at, actor.name, "duty.contact.remove", contact.name_en)
