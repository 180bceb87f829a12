"""Business calendars as people write them: hours of a week, holidays, make-up days, exceptions.

Hours that have passed are history: clocks were judged by them. While a sealed agreement or a
running clock counts in a calendar, only the time to come may change; for other hours altogether
there is another calendar, in another version of the agreement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.instants import local_date
from wfm.services import clock_book, opening
from wfm.sla.calendars import BusinessCalendar as Hours
from wfm.sla.reading import calendar_from_dict
from wfm.tables import Agreement, AgreementTarget, BusinessCalendar, Ticket
from wfm.words import EventKind

LONGEST = 4000
PAST_DAYS = 800
DATED = ("date_overrides", "makeup_workdays", "breaks")
_SPAN = re.compile(r"(\d{1,2}:\d{2}(?::\d{2})?)\s*[-–—~至]\s*(\d{1,2}:\d{2}(?::\d{2})?)")


@dataclass(frozen=True)
class CalendarText:
    """A calendar as it stands in the form: one text per weekday and per list."""

    row: BusinessCalendar
    texts: dict[str, str]
    used: int  # agreements that count in it


def listed(session: Session, actor: Actor) -> list[CalendarText]:
    """All calendars, each as text."""
    access.require(actor, "agreements.view")
    counted = session.execute(
        sa.select(
            col(AgreementTarget.calendar_id),
            sa.func.count(sa.distinct(col(AgreementTarget.agreement_id))),
        ).group_by(col(AgreementTarget.calendar_id))
    )
    used = {calendar_id: int(count) for calendar_id, count in counted}
    rows = session.exec(select(BusinessCalendar).order_by(BusinessCalendar.code))
    return [CalendarText(row, texts_of(row.definition), used.get(row.id, 0)) for row in rows]


def texts_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """The form's texts of a definition; `definition_of` reads them."""
    texts = {day: _spans_text(definition.get(day) or ()) for day in opening.WEEK}
    holidays = definition.get("holidays") or ()
    texts["holidays"] = " ".join(
        str(one["date"] if isinstance(one, Mapping) else one) for one in holidays
    )
    for part in DATED:
        value = definition.get(part) or {}
        if isinstance(value, Mapping):
            lines = [
                f"{key} {item if isinstance(item, str) else _spans_text(item)}".strip()
                for key, item in value.items()
            ]
        elif part == "breaks":
            lines = [f"{day} {_spans_text(value)}" for day in opening.WEEK if value]
        else:
            lines = [str(day) for day in value]
        texts[part] = "\n".join(lines)
    return texts


def _spans_text(spans: Iterable[Sequence[str]]) -> str:
    return " ".join(f"{start}-{end}" for start, end in spans)


def definition_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """A definition from the form's texts.

    Raises
    ------
    InputError
        Something is neither a span of hours nor a date; every such fault is named.
    """
    faults: list[Fault] = []

    def spans(column: str, text: str) -> list[list[str]]:
        found = [[start, end] for start, end in _SPAN.findall(text)]
        rest = _SPAN.sub("", text).strip(" ,;，；、")
        if rest:
            faults.append(Fault("expected hours such as 09:00-12:00 13:00-18:00", column=column,
                                value=rest[:40]))  # fmt: skip
        return found

    definition: dict[str, Any] = {
        day: spans(day, texts[day]) for day in opening.WEEK if texts.get(day, "").strip()
    }
    holidays = re.split(r"[\s,;，；、]+", texts.get("holidays", "").strip())
    if any(holidays):
        definition["holidays"] = [one for one in holidays if one]
    for part in DATED:
        made: dict[str, Any] = {}
        for line in texts.get(part, "").splitlines():
            key, _, rest = line.strip().partition(" ")
            if key:
                made[key] = (rest.strip() or _first(definition)) if part == "makeup_workdays" \
                    else spans(part, rest)  # fmt: skip
        if made:
            definition[part] = made
    if faults:
        raise InputError.of(faults)
    return definition


def _first(definition: Mapping[str, Any]) -> str:
    """The weekday whose hours a make-up day has that names none."""
    return next((day for day in opening.WEEK if definition.get(day)), opening.WEEK[0])


def save(
    session: Session, actor: Actor, at: datetime, *, code: str, name_en: str, name_zh: str,
    timezone: str, texts: Mapping[str, str],
) -> BusinessCalendar:  # fmt: skip
    """Add or change a calendar; open tickets that count in it are told and counted anew."""
    access.require(actor, "agreements.write")
    code, name_en, name_zh = code.strip(), name_en.strip(), name_zh.strip()
    faults = [
        Fault("a value is required" if not value else f"longer than {most} characters",
              column=column)
        for column, value, most in (("code", code, 60), ("name_en", name_en, 120),
                                    ("name_zh", name_zh, 120))
        if not 0 < len(value) <= most
    ]  # fmt: skip
    if faults:
        raise InputError.of(faults)
    definition = definition_of({key: text[:LONGEST] for key, text in texts.items()})
    hours = calendar_from_dict(definition | {"timezone": timezone.strip()})
    found = session.exec(
        select(BusinessCalendar).where(BusinessCalendar.code == code).with_for_update()
    ).first()
    if found is None:
        found = BusinessCalendar(code=code, name_en=name_en, name_zh=name_zh, timezone=hours.zone,
                                 definition=definition)  # fmt: skip
        session.add(found)
        session.flush()
    else:
        before = calendar_from_dict(found.definition | {"timezone": found.timezone})
        if before != hours:
            _keep_the_past(session, found, before, hours, at)
            found.timezone, found.definition = hours.zone, definition
            session.flush()
            _tell_tickets(session, found, at)
        found.name_en, found.name_zh = name_en, name_zh
        session.flush()
    audit.record(session, at, actor.name, "calendar.save", f"calendar {code}",
                 timezone=hours.zone, definition=definition)  # fmt: skip
    return found


def _keep_the_past(
    session: Session, row: BusinessCalendar, before: Hours, after: Hours, at: datetime
) -> None:
    """Refuse other hours for days that are over, where something was promised in them."""
    sealed = session.exec(
        select(Agreement.id)
        .join(AgreementTarget, col(AgreementTarget.agreement_id) == Agreement.id)
        .where(AgreementTarget.calendar_id == row.id, Agreement.seal != "")
    ).first()
    if sealed is None and row.code != opening.DESK_CALENDAR:
        return
    today = local_date(at, before.zone)
    days: Iterable[date] = (today - timedelta(days=n) for n in range(1, PAST_DAYS))
    changed = next((day for day in days if before.open_on(day) != after.open_on(day)), None)
    if changed is not None:
        expected = (
            "the hours of this day are history and clocks were judged by them; change days to "
            "come only, or make another calendar"
        )
        raise InputError.of([Fault(expected, column="calendar", value=changed.isoformat())])


def _tell_tickets(session: Session, row: BusinessCalendar, at: datetime) -> None:
    """Open tickets with a clock in this calendar: an event each, and their clocks are read anew."""
    unnamed = row.code == opening.DESK_CALENDAR  # what names no calendar counts in the desk's
    of_calendar = sa.text(
        "exists (select from ticket_clock c left join agreement_target a"
        " on a.agreement_id = c.agreement_id and a.metric = c.metric"
        " where c.ticket_id = ticket.id and c.ended_at is null"
        " and (a.calendar_id = :calendar or (:unnamed and a.calendar_id is null)))"
    ).bindparams(calendar=row.id, unnamed=unnamed)
    ids = list(
        session.exec(
            select(Ticket.id).where(col(Ticket.state).in_(("open", "paused")), of_calendar)
        )
    )
    session.execute(
        sa.text(
            "insert into ticket_event (code, ticket_id, at, kind, team, note)"
            " select 'calendar-' || :calendar || '-' || id || '-' || :mark, id, :at, :kind, '',"
            " :note from unnest(cast(:ids as integer[])) as told(id)"
        ),
        {"calendar": row.id, "mark": int(at.timestamp() * 1_000_000), "at": at,
         "kind": EventKind.CALENDAR_CHANGED, "note": row.code, "ids": ids},
    )  # fmt: skip
    clock_book.mark(session, at, col(Ticket.id).in_(ids))
    jobs.announce(session, "dispatch")
