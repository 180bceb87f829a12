"""The days that want a duty table: named days of the calendar, and events with dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from scheduler.ledger import burden_of
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services.day_types import NamedDay, days_between
from wfm.tables import DutyEvent
from wfm.words import DayType

SATURDAY = 5
LONGEST_EVENT = 31  # days
HEAVIEST = 20  # units a day of an event may weigh; New Year's Eve weighs 10
AHEAD = timedelta(days=400)
# what the days of one holiday are called together
HOLIDAYS = (
    ("Spring Festival", "春节", ("除夕", "初一", "初二", "初三")),
    ("Labour Day", "劳动节", ("5月1日", "5月2日")),
    ("National Day", "国庆节", ("10月1日", "10月2日", "10月3日")),
)


@dataclass(frozen=True)
class DutyDay(NamedDay):
    """A day of a duty table, with the burden of a whole duty on it."""

    burden: int = 0
    event: bool = False


@dataclass(frozen=True)
class Occasion:
    """Days in a row that want one duty table."""

    days: tuple[DutyDay, ...]
    name_en: str
    name_zh: str

    @property
    def first(self) -> date:
        return self.days[0].date

    @property
    def last(self) -> date:
        return self.days[-1].date

    @property
    def provisional(self) -> bool:
        return any(day.provisional for day in self.days)


def duty_days(session: Session, first: date, last: date) -> list[DutyDay]:
    """The named days and event days of a period, by date; make-up workdays are ordinary days.

    A day that is both keeps the name of the holiday and the heavier of the burdens.
    """
    events = _event_days(session, first, last)
    found = []
    for day in days_between(session, first, last):
        event = events.get(day.date)
        if _is_minded(day):
            name_en, name_zh = _names(day)
            burden = max(burden_of(name_zh), event.burden if event else 0)
            found.append(
                DutyDay(day.date, day.type, name_en, name_zh, day.provisional, burden,
                        event is not None)
            )  # fmt: skip
        elif event is not None:
            found.append(
                DutyDay(day.date, day.type, event.name_en, event.name_zh, day.provisional,
                        event.burden, event=True)
            )  # fmt: skip
    return found


def _is_minded(day: NamedDay) -> bool:
    """Whether people mind working on it: a holiday, a day given for one, a named workday."""
    if day.type == DayType.MAKE_UP_WORKDAY:
        return False
    named = bool(day.name_zh or day.name_en)
    given = day.type == DayType.REST_DAY and day.date.weekday() < SATURDAY
    return named or given or day.type == DayType.STATUTORY_HOLIDAY


def _names(day: NamedDay) -> tuple[str, str]:
    """Both names; a day whose calendar names it in neither language is called by its date."""
    name_en = day.name_en or day.name_zh or f"{day.date.day} {day.date:%B}"
    return name_en, day.name_zh or day.name_en or f"{day.date.month}月{day.date.day}日"


def _event_days(session: Session, first: date, last: date) -> dict[date, DutyDay]:
    """The days of events; the days of a longer one are numbered, as people tell them apart."""
    found: dict[date, DutyDay] = {}
    for event in events(session, first, last):
        length = (event.last_day - event.first_day).days + 1
        for number in range(length):
            on = event.first_day + timedelta(days=number)
            suffix = ("", "") if length == 1 else (f" day {number + 1}", f"第{number + 1}天")
            day = DutyDay(
                on, DayType.WORKDAY, event.name_en + suffix[0], event.name_zh + suffix[1],
                burden=event.burden, event=True,
            )  # fmt: skip
            if on not in found or found[on].burden < day.burden:
                found[on] = day
    return found


def occasions(session: Session, first: date, last: date) -> list[Occasion]:
    """The duty days of a period as tables want them: days in a row together."""
    groups: list[list[DutyDay]] = []
    for day in duty_days(session, first, last):
        if groups and day.date - groups[-1][-1].date == timedelta(days=1):
            groups[-1].append(day)
        else:
            groups.append([day])
    return [Occasion(tuple(group), *_title(group)) for group in groups]


def _title(days: Sequence[DutyDay]) -> tuple[str, str]:
    """What days in a row are called together: the holidays in them, else the first of them."""
    titles: dict[str, str] = {}
    for day in days:
        if day.type != DayType.STATUTORY_HOLIDAY and not (day.event and day.name_zh):
            continue
        for name_en, name_zh, names in HOLIDAYS:
            if day.name_zh in names:
                titles.setdefault(name_zh, name_en)
                break
        else:
            titles.setdefault(_without_number(day.name_zh, "第"),
                              _without_number(day.name_en, " day "))  # fmt: skip
    if not titles:
        return days[0].name_en, days[0].name_zh
    return " and ".join(titles.values()), "、".join(titles)


def _without_number(name: str, mark: str) -> str:
    head, found, tail = name.rpartition(mark)
    return head if found and head and tail.rstrip("天").isdigit() else name


def upcoming(session: Session, today: date, back: timedelta = timedelta(days=60)) -> list[Occasion]:
    """Holidays and events from a little while ago to a year ahead, as far as calendars reach."""
    found: list[Occasion] = []
    start, end = today - back, today + AHEAD
    for year in range(start.year, end.year + 1):
        since, until = max(start, date(year, 1, 1)), min(end, date(year, 12, 31))
        try:
            of_year = occasions(session, since, until)
        except NotFoundError:  # no official calendar yet, and none may be guessed
            of_year = []
        if found and of_year and of_year[0].first - found[-1].last == timedelta(days=1):
            earlier, later = found.pop(), of_year.pop(0)
            days = earlier.days + later.days
            of_year.insert(0, Occasion(days, *_title(days)))
        found += of_year
    return found


def events(session: Session, first: date, last: date) -> list[DutyEvent]:
    """Events that touch a period, by date."""
    query = select(DutyEvent).where(DutyEvent.first_day <= last, DutyEvent.last_day >= first)
    return list(session.exec(query.order_by(col(DutyEvent.first_day), col(DutyEvent.id))))


def add_event(
    session: Session,
    actor: Actor,
    name_en: str,
    name_zh: str,
    first: date,
    last: date,
    burden: int,
    at: datetime,
) -> DutyEvent:
    """Enter an event whose days want a duty table.

    Raises
    ------
    InputError
        It has no name, ends before it begins, lasts too long or weighs too much.
    """
    access.require_whole_desk(actor, "rosters.plan")
    name_en, name_zh = name_en.strip(), name_zh.strip()
    checks = (
        (not (name_en or name_zh), "name", "an event needs a name"),
        (not 0 <= (last - first).days < LONGEST_EVENT, "until",
         f"an event lasts 1 to {LONGEST_EVENT} days"),
        (not 0 <= burden <= HEAVIEST, "burden", f"a burden of 0 to {HEAVIEST} is expected"),
    )  # fmt: skip
    faults = [Fault(message, column=column) for wrong, column, message in checks if wrong]
    if faults:
        raise InputError.of(faults)
    event = DutyEvent(name_en=name_en or name_zh, name_zh=name_zh or name_en, first_day=first,
                      last_day=last, burden=burden)  # fmt: skip
    session.add(event)
    session.flush()
    audit.record(session, at, actor.name, "duty.event", event.name_en, first=str(first),
                 last=str(last), burden=burden)  # fmt: skip
    return event


def remove_event(session: Session, actor: Actor, event_id: int, at: datetime) -> None:
    """Take an event off the calendar; duty tables made for it stay as they are."""
    access.require_whole_desk(actor, "rosters.plan")
    event = session.get(DutyEvent, event_id)
    if event is None:
        raise NotFoundError(f"there is no event {event_id}")
    session.delete(event)
    session.flush()
    audit.record(session, at, actor.name, "duty.event.remove", event.name_en,
                 first=str(event.first_day), last=str(event.last_day))  # fmt: skip
