"""Cases: a calendar, a start, events and a target, and what business time says of them.

The file format is that of the project's reference cases. `evaluate` knows five kinds:

``due``             start and ``target.business_seconds``, less the pauses in the events
``elapsed``         business seconds from the start to the stop, less the pauses
``due_days``        start and ``target.business_days``
``open_intervals``  the next open spans
``clocks``          first response, next response and resolution, by replaying the events
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypedDict

from wfm.errors import Fault, InputError
from wfm.sla.business_time import SECOND_US, Boundary, BusinessTime
from wfm.sla.calendars import zone_of
from wfm.sla.clocks import Reading, Replay, replay
from wfm.sla.reading import PARTS, calendar_from_dict
from wfm.sla.tickets import KINDS, SAME, ClockTarget, Metric, TicketEvent

OPEN_INTERVALS = 20
"""How many open spans are listed for a case that does not say how many it asks for."""

Result = dict[str, object]
"""Fields of ``expected``, by name."""

MOST = 10**20  # more of a unit than anybody can mean

UNITS_S = {"seconds": 1, "minutes": 60, "hours": 3600}


class Evaluated(TypedDict):
    """One line of the answer."""

    id: str | int
    result: Result


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


def evaluate_all(
    cases: object, boundary: Boundary = Boundary.CLOSE, file: str | None = None
) -> tuple[list[Evaluated], list[str]]:
    """Results of all cases in their order, and notes on what was ignored.

    Parameters
    ----------
    cases : list of dict
    boundary : Boundary
        For cases that name no ``boundary_convention``.
    file : str, optional
        Name of the file, for faults.

    Raises
    ------
    InputError
        With the faults of all cases, each with the case's id and field: one wrong case and
        there is no result at all.
    """
    if not isinstance(cases, list):
        raise InputError.of([Fault("expected a list of cases", file)])
    results: list[Evaluated] = []
    notes: list[str] = []
    faults: list[Fault] = []
    compiled: dict[str, BusinessTime] = {}
    for number, data in enumerate(cases, 1):
        name = _name(data, number)
        try:
            case = read_case(data, boundary, compiled)
            results.append({"id": case.id, "result": evaluate(case)})
            notes += [f"case {name}: event {kind!r} moves no clock" for kind in _unknown(case)]
        except InputError as error:
            faults += [
                replace(fault, message=f"case {name}: {fault.message}", file=file)
                for fault in error.faults
            ]
    if faults:
        raise InputError.of(faults)
    return results, notes


def evaluate(case: Case) -> Result:
    """What business time says of one case.

    The result has the fields of the case's ``expected`` when it carries one (only its *shape* is
    looked at, never a value), and all fields of its kind otherwise.
    """
    result = _EVALUATORS[case.kind](case)
    return {key: value for key, value in result.items() if not case.asked or key in case.asked}


# --- the five kinds ------------------------------------------------------------------------------


def _due(case: Case) -> Result:
    seconds = _quantity(case, "business_", UNITS_S)
    if seconds <= 0:
        return {"due": case.show(case.times.add(case.start, seconds, case.boundary))}
    target = ClockTarget(Metric.RESOLUTION, seconds, case.times)
    pauses = [event for event in case.events if event.kind in ("pause", "resume")]
    due_at = _resolution(case, target, pauses).due_at
    result: Result = {"due": case.show(due_at) if due_at else None}
    if any(event.kind == "stop" for event in case.events):
        over_us = _resolution(case, target, case.events).used_us - seconds * SECOND_US
        result["overrun_business_seconds"] = _seconds(max(0, over_us))
    return result


def _elapsed(case: Case) -> Result:
    stops = [event.at for event in case.events if event.kind == "stop"]
    if not stops:
        raise _fault("events", "expected an event of type stop")
    if max(stops) < case.start:  # counted back, so negative; no pause lies in between
        seconds = _seconds(case.times.elapsed_us(case.start, max(stops)))
        return {"business_seconds": seconds, "paused_business_seconds": 0}
    any_limit = ClockTarget(Metric.RESOLUTION, 1, case.times)
    reading = _resolution(case, any_limit, case.events)
    return {
        "business_seconds": _seconds(reading.used_us),
        "paused_business_seconds": _seconds(reading.paused_us),
    }


def _due_days(case: Case) -> Result:
    days = _quantity(case, "business_", {"days": 1})
    return {"due": case.show(case.times.add_days(case.start, days))}


def _open_intervals(case: Case) -> Result:
    """As many spans as ``expected`` has: nothing else in a case says how many are asked for."""
    listed = case.asked.get("open_intervals")
    count = len(listed) if isinstance(listed, list) else OPEN_INTERVALS
    spans = case.times.open_intervals(case.start, count)
    return {"open_intervals": [[case.show(start), case.show(end)] for start, end in spans]}


def _clocks(case: Case) -> Result:
    targets = _targets(case.target, case.times)
    replayed = replay(case.start, targets, case.events, case.last, boundary=case.boundary)
    result: Result = {}
    for metric in Metric:
        reading = replayed.readings[metric]
        if metric is Metric.CALLBACK and reading.limit_s is None:
            continue  # shown where it is promised only
        due_at = reading.due_at if reading.running else None
        worst = reading.worst
        result[f"{metric}_due"] = case.show(due_at) if due_at else None
        result[f"{metric}_minutes"] = _minutes(worst.used_s) if worst else None
        result[f"{metric}_margin_minutes"] = _minutes(worst.margin_s) if worst else None
    return result


_EVALUATORS: dict[str, Callable[[Case], Result]] = {
    "due": _due,
    "elapsed": _elapsed,
    "due_days": _due_days,
    "open_intervals": _open_intervals,
    "clocks": _clocks,
}


def _resolution(case: Case, target: ClockTarget, events: Sequence[TicketEvent]) -> Reading:
    replayed: Replay = replay(case.start, [target], events, case.last, boundary=case.boundary)
    return replayed.readings[Metric.RESOLUTION]


def _seconds(us: int) -> int | float:
    return us // SECOND_US if us % SECOND_US == 0 else us / SECOND_US


def _minutes(seconds: int) -> int | float:
    return seconds // 60 if seconds % 60 == 0 else seconds / 60


# --- reading a case ------------------------------------------------------------------------------


def read_case(
    data: object,
    boundary: Boundary = Boundary.CLOSE,
    compiled: dict[str, BusinessTime] | None = None,
) -> Case:
    """Check one case; `InputError` with a fault for each field that is wrong.

    Calendars already compiled are taken from `compiled`, and new ones are put there.
    """
    if not isinstance(data, Mapping):
        raise _fault("case", "expected an object", data)
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _EVALUATORS:
        raise _fault("kind", f"expected one of {', '.join(_EVALUATORS)}", kind)
    if not isinstance(data.get("id"), str | int) or isinstance(data["id"], bool):
        raise _fault("id", "expected a name", data.get("id"))
    times = _compiled(_calendar(data), {} if compiled is None else compiled)
    zone = times.calendar.zone
    asked = data.get("expected")
    return Case(
        id=data["id"],
        kind=kind,
        times=times,
        start=_instant(data.get("start"), zone, "start"),
        events=tuple(_events(data.get("events"), times)),
        target=_object(data.get("target"), "target"),
        boundary=_boundary(data.get("boundary_convention"), boundary),
        show=_shower(data["start"], zone),
        asked=asked if isinstance(asked, Mapping) else {},
    )


def _calendar(data: Mapping[str, object]) -> dict[str, object]:
    """The calendar with the parts of it that a case carries beside it."""
    calendar = dict(_object(data.get("calendar"), "calendar"))
    if not calendar:
        raise _fault("calendar", "expected an object with opening hours", data.get("calendar"))
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
        raise _fault(field, expected, text)
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone_of(zone))
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _fault(field, expected, text) from error


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


def _events(value: object, times: BusinessTime) -> Iterator[TicketEvent]:
    if not isinstance(value, list | None):
        raise _fault("events", "expected a list", value)
    for n, item in enumerate(value or ()):
        field = f"events[{n}]"
        event = _object(item, field)
        kind = event.get("type")
        if not isinstance(kind, str):
            raise _fault(f"{field}.type", "expected the kind of the event", kind)
        at = _instant(event.get("at"), times.calendar.zone, f"{field}.at")
        changed = event.get("target")
        targets = None if changed is None else _targets(_object(changed, f"{field}.target"), times)
        yield TicketEvent(at, SAME.get(kind, kind), targets)


def _targets(target: Mapping[str, object], times: BusinessTime) -> tuple[ClockTarget, ...]:
    """Targets ``<metric>_minutes`` (or seconds, hours); none, null or 0 promises nothing."""
    found = []
    for metric in Metric:
        given = {unit: target.get(f"{metric}_{unit}") for unit in UNITS_S}
        for unit, amount in given.items():
            if amount not in (None, 0):
                limit_s = _whole(amount, f"target.{metric}_{unit}", UNITS_S[unit])
                found.append(ClockTarget(metric, limit_s, times))
    return tuple(found)


def _quantity(case: Case, prefix: str, units: Mapping[str, int]) -> int:
    for unit, size in units.items():
        amount = case.target.get(prefix + unit)
        if amount is not None:
            return _whole(amount, f"target.{prefix}{unit}", size)
    raise _fault(f"target.{prefix}{next(iter(units))}", "expected a number")


def _whole(amount: object, field: str, size: int) -> int:
    """`amount` units of `size` as a whole number."""
    if isinstance(amount, int | float) and not isinstance(amount, bool):
        scaled = amount * size
        # 1.1 minutes are 66.00000000000001 seconds
        if abs(scaled) < MOST and abs(scaled - round(scaled)) < 1e-6:
            return round(scaled)
    raise _fault(field, "expected a whole number", amount)


def _object(value: object, field: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _fault(field, "expected an object", value)
    return value


def _boundary(value: object, default: Boundary) -> Boundary:
    if value is None:
        return default
    if not isinstance(value, str) or value not in list(Boundary):
        raise _fault("boundary_convention", "expected close or next_open", value)
    return Boundary(value)


def _name(data: object, number: int) -> str:
    name = data.get("id") if isinstance(data, Mapping) else None
    return str(number) if name is None else repr(name)


def _unknown(case: Case) -> list[str]:
    known = (event.kind in KINDS or event.targets is not None for event in case.events)
    return [event.kind for event, is_known in zip(case.events, known, strict=True) if not is_known]


def _fault(field: str, expected: str, value: object = None) -> InputError:
    shown = None if value is None else str(value)[:80]
    return InputError.of([Fault(expected, column=field, value=shown)])
