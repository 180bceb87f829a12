"""One case of a cases file, read and checked: its calendar, start, events and target."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from wfm.errors import Fault, InputError
from wfm.sla.business_time import FIRST_YEAR, LAST_YEAR, Boundary, BusinessTime
from wfm.sla.calendars import zone_of
from wfm.sla.reading import PARTS, calendar_from_dict
from wfm.sla.tickets import KINDS, SAME, ClockTarget, Metric, TicketEvent

CASE_KINDS = ("due", "elapsed", "due_days", "open_intervals", "clocks")
MOST = 10**20  # more of a unit than anybody can mean
UNITS_S = {"seconds": 1, "minutes": 60, "hours": 3600}
NOWHERE = BusinessTime(calendar_from_dict({"timezone": "UTC"}))
"""Stands for a calendar that cannot be read, while the rest of its case is."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Part = TypeVar("Part")
TARGETS = {
    *(f"business_{unit}" for unit in (*UNITS_S, "days")),
    *(f"{metric}_{unit}" for metric in Metric for unit in UNITS_S),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case, read and checked."""

    id: str | int
    kind: str
    times: BusinessTime
    start: datetime
    events: tuple[TicketEvent, ...]
    target: Mapping[str, object]
    boundary: Boundary
    show: Callable[[datetime], str]
    asked: Mapping[str, object]

    @property
    def last(self) -> datetime:
        """The instant of the last event."""
        return max([self.start, *(event.at for event in self.events)])


def read_case(
    data: object,
    boundary: Boundary = Boundary.CLOSE,
    compiled: dict[str, BusinessTime] | None = None,
) -> Case:
    """Check one case; `InputError` with a fault for each field that is wrong.

    Calendars already compiled are taken from `compiled`, and new ones are put there.
    """
    if not isinstance(data, Mapping):
        raise fault("case", "expected an object", data)
    faults: list[Fault] = []
    kind = _tried(lambda: _kind(data.get("kind")), "", faults)
    unnamed: str | int = ""
    name = _tried(lambda: _id(data.get("id")), unnamed, faults)
    held = {} if compiled is None else compiled
    times = _tried(lambda: _compiled(_calendar(data), held), NOWHERE, faults)
    zone = times.calendar.zone
    start = _tried(lambda: _instant(data.get("start"), zone, "start"), EPOCH, faults)
    nothing: Mapping[str, object] = {}
    target = _tried(lambda: _object(data.get("target"), "target"), nothing, faults)
    ends = _tried(lambda: _boundary(data.get("boundary_convention"), boundary), boundary, faults)
    events = tuple(_events(data.get("events"), times, faults))
    if faults:
        raise InputError.of(faults)
    asked = data.get("expected")
    return Case(
        id=name, kind=kind, times=times, start=start, events=events, target=target, boundary=ends,
        show=_shower(data["start"], zone), asked=asked if isinstance(asked, Mapping) else {},
    )  # fmt: skip


def _tried(read: Callable[[], Part], otherwise: Part, faults: list[Fault]) -> Part:
    """One part of a case; when it cannot be read, its faults are kept for the end."""
    try:
        return read()
    except InputError as error:
        faults.extend(error.faults)
        return otherwise


def remarks(case: Case) -> Iterator[str]:
    """What of a case has no effect, or hardly the one that was meant."""
    for event in case.events:
        if event.kind not in KINDS and event.targets is None:
            yield f"event {event.kind!r} moves no clock"
        if event.at < case.start and case.kind not in ("elapsed", "due"):
            yield f"event {event.kind!r} lies before the start"
    for name in sorted(case.target.keys() - TARGETS):
        yield f"target {name!r} is not known and promises nothing"


def _kind(value: object) -> str:
    if not isinstance(value, str) or value not in CASE_KINDS:
        raise fault("kind", f"expected one of {', '.join(CASE_KINDS)}", value)
    return value


def _id(value: object) -> str | int:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise fault("id", "expected a name", value)
    return value


def _calendar(data: Mapping[str, object]) -> dict[str, object]:
    """The calendar with the parts of it that a case carries beside it."""
    calendar = dict(_object(data.get("calendar"), "calendar"))
    if not calendar:
        raise fault("calendar", "expected an object with opening hours", data.get("calendar"))
    for part in PARTS:
        beside, inside = data.get(part), calendar.get(part)
        if isinstance(beside, list) and isinstance(inside, list):
            calendar[part] = [*inside, *beside]
        elif isinstance(beside, Mapping) and isinstance(inside, Mapping):
            calendar[part] = {**inside, **beside}
        elif beside is not None:
            calendar[part] = beside
    return calendar


def _compiled(calendar: dict[str, object], compiled: dict[str, BusinessTime]) -> BusinessTime:
    key = json.dumps(calendar, sort_keys=True, default=str)
    if key not in compiled:
        compiled[key] = BusinessTime(calendar_from_dict(calendar))
    return compiled[key]


def _instant(text: object, zone: str, field: str) -> datetime:
    """An ISO 8601 time in UTC; without an offset it is local to the calendar's zone."""
    expected = "expected an ISO 8601 time such as 2026-01-31T09:00:00"
    if not isinstance(text, str):
        raise fault(field, expected, text)
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone_of(zone))
        at = at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise fault(field, expected, text) from error
    if not FIRST_YEAR < at.year < LAST_YEAR:
        years = f"expected an instant of the years {FIRST_YEAR + 1} to {LAST_YEAR - 1}"
        raise fault(field, years, text)
    return at


def _shower(start: str, zone: str) -> Callable[[datetime], str]:
    """Write times as the case writes its start: with ``Z``, with an offset, or local."""
    given = datetime.fromisoformat(start.strip())
    local_zone = zone_of(zone)

    def show(at: datetime) -> str:
        if start.strip().endswith(("Z", "z")):
            return (
                at.strftime("%Y-%m-%dT%H:%M:%S.%f" if at.microsecond else "%Y-%m-%dT%H:%M:%S") + "Z"
            )
        local = at.astimezone(local_zone)
        if given.tzinfo is None and not local.fold:
            local = local.replace(tzinfo=None)
        return local.isoformat()  # the second of two equal readings keeps its offset

    return show


def _events(value: object, times: BusinessTime, faults: list[Fault]) -> Iterator[TicketEvent]:
    """The events that can be read; what is wrong with the others goes to `faults`."""
    if not isinstance(value, list | None):
        faults += fault("events", "expected a list", value).faults
        return
    for n, item in enumerate(value or ()):
        try:
            yield _event(item, f"events[{n}]", times)
        except InputError as error:
            faults.extend(error.faults)


def _event(item: object, field: str, times: BusinessTime) -> TicketEvent:
    event = _object(item, field)
    kind = event.get("type")
    if not isinstance(kind, str):
        raise fault(f"{field}.type", "expected the kind of the event", kind)
    at = _instant(event.get("at"), times.calendar.zone, f"{field}.at")
    changed = event.get("target")
    if changed is None:
        return TicketEvent(at, SAME.get(kind, kind))
    named = _object(changed, f"{field}.target")
    return TicketEvent(at, SAME.get(kind, kind), clock_targets(named, times, f"{field}.target"))


def clock_targets(
    target: Mapping[str, object], times: BusinessTime, field: str = "target"
) -> tuple[ClockTarget, ...]:
    """Targets ``<metric>_minutes`` (or seconds, hours); none, null or 0 promises nothing."""
    found = []
    for metric in Metric:
        place, limit_s = _amount(target, f"{metric}_", UNITS_S, field) or ("", 0)
        if limit_s < 0:
            raise fault(
                place, "expected more than 0, or 0 for no promise", target[place.rsplit(".")[-1]]
            )
        if limit_s:
            found.append(ClockTarget(metric, limit_s, times))
    return tuple(found)


def quantity(case: Case, prefix: str, units: Mapping[str, int]) -> int:
    """What the target names, in whole numbers of the smallest unit."""
    found = _amount(case.target, prefix, units, "target")
    if found is None:
        raise fault(f"target.{prefix}{next(iter(units))}", "expected a number")
    return found[1]


def _amount(
    target: Mapping[str, object], prefix: str, units: Mapping[str, int], field: str
) -> tuple[str, int] | None:
    """The field that names an amount, and the amount; two units must say the same."""
    found: tuple[str, int] | None = None
    for unit, size in units.items():
        given = target.get(prefix + unit)
        if given is None:
            continue
        place = f"{field}.{prefix}{unit}"
        amount = _whole(given, place, size)
        if found is not None and found[1] != amount:
            raise fault(place, f"expected one unit; {found[0]} says something else", given)
        found = found or (place, amount)
    return found


def _whole(amount: object, field: str, size: int) -> int:
    """`amount` units of `size` as a whole number."""
    if isinstance(amount, int | float) and not isinstance(amount, bool):
        scaled = amount * size
        # 1.1 minutes are 66.00000000000001 seconds
        if abs(scaled) < MOST and abs(scaled - round(scaled)) < 1e-6:
            return round(scaled)
    raise fault(field, "expected a whole number", amount)


def _object(value: object, field: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise fault(field, "expected an object", value)
    return value


def _boundary(value: object, default: Boundary) -> Boundary:
    if value is None:
        return default
    if not isinstance(value, str) or value not in list(Boundary):
        raise fault("boundary_convention", "expected close or next_open", value)
    return Boundary(value)


def fault(field: str, expected: str, value: object = None) -> InputError:
    """An `InputError` of one fault in a field of the case."""
    shown = None if value is None else str(value)[:80]
    return InputError.of([Fault(expected, column=field, value=shown)])
