"""Cases: a calendar, a start, events and a target, and what business time says of them.

The file format is that of the project's reference cases. `evaluate` knows five kinds:

``due``             start and ``target.business_seconds``, less the pauses in the events
``elapsed``         business seconds from the start to the stop, less the pauses
``due_days``        start and ``target.business_days``
``open_intervals``  the next open spans
``clocks``          first response, next response and resolution, by replaying the events
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

from wfm.errors import Fault, InputError
from wfm.sla.business_time import MOST_DAYS, SECOND_US, Boundary, BusinessTime
from wfm.sla.case_reading import UNITS_S, Case, clock_targets, fault, quantity, read_case, remarks
from wfm.sla.clocks import Reading, Replay, replay
from wfm.sla.tickets import ClockTarget, Metric, TicketEvent

OPEN_INTERVALS = 20
"""How many open spans are listed for a case that does not say how many it asks for."""

Result = dict[str, object]
"""Fields of ``expected``, by name."""


class Evaluated(TypedDict):
    """One line of the answer."""

    id: str | int
    result: Result


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
            notes += [f"case {name}: {remark}" for remark in remarks(case)]
        except InputError as error:
            faults += [
                replace(fault, message=f"case {name}: {fault.message}", file=file)
                for fault in error.faults
            ]
    if faults:
        raise InputError.of(faults)
    times = Counter(entry["id"] for entry in results)
    notes += [f"case {name!r}: this id occurs {n} times" for name, n in times.items() if n > 1]
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
    seconds = quantity(case, "business_", UNITS_S)
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
        raise fault("events", "expected an event of type stop")
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
    days = quantity(case, "business_", {"days": 1})
    if abs(days) > MOST_DAYS:
        raise fault("target.business_days", f"expected at most {MOST_DAYS}", days)
    return {"due": case.show(case.times.add_days(case.start, days))}


def _open_intervals(case: Case) -> Result:
    """As many spans as ``expected`` has: nothing else in a case says how many are asked for."""
    listed = case.asked.get("open_intervals")
    count = len(listed) if isinstance(listed, list) else OPEN_INTERVALS
    spans = case.times.open_intervals(case.start, count)
    return {"open_intervals": [[case.show(start), case.show(end)] for start, end in spans]}


def _clocks(case: Case) -> Result:
    targets = clock_targets(case.target, case.times)
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


def _name(data: object, number: int) -> str:
    name = data.get("id") if isinstance(data, Mapping) else None
    return str(number) if name is None else repr(name)
