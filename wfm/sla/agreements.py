"""Agreements: what is promised, and whether the promises beneath it can bear it.

An SLA promises something to the customer; it rests on OLAs between own teams and on UCs with
suppliers. `feasible` compares the two: work that passes through the supports, each taking all the
time it was granted in its own calendar, must still be done when the promise falls due. Of the two
ends of a limit reached at closing time the later one counts, here as there: who delivers at the
next opening has used no more business time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from wfm.errors import Fault, InputError
from wfm.sla.business_time import Boundary, BusinessTime, Seconds, instant_of, second_of
from wfm.sla.tickets import ClockTarget, Metric

UNIT_S = {"second": 1, "minute": 60, "hour": 3600}
"""Business seconds in each unit of a target."""

YEAR_S = 366 * 86_400
LONGEST_S = 100 * YEAR_S
STEP_S = 300
"""Starts tried by `feasible` lie this far apart: opening hours are given in whole minutes, mostly
multiples of five."""


class AgreementKind(StrEnum):
    """To the customer, between own teams, from a supplier."""

    SLA = "sla"
    OLA = "ola"
    UC = "uc"


@dataclass(frozen=True, slots=True)
class Target:
    """Metric + limit + unit + calendar + source of measurement.

    Parameters
    ----------
    metric : Metric
    limit : float
        Business time allowed, above 0, in `unit`.
    unit : {"second", "minute", "hour"}
    calendar : str
        Name of the business calendar the limit is counted in.
    source : str
        Where the measured times come from, for example ``ticket events``.
    """

    metric: Metric
    limit: float
    unit: str
    calendar: str
    source: str

    def __post_init__(self) -> None:
        faults = []
        if self.unit not in UNIT_S:
            expected = f"expected one of {', '.join(UNIT_S)}"
            faults.append(Fault(expected, column="unit", value=self.unit))
        elif not 1 <= self.limit * UNIT_S[self.unit] <= LONGEST_S:
            expected = "expected a limit of a second or more, and of a century at most"
            faults.append(Fault(expected, column="limit", value=str(self.limit)))
        faults += [
            Fault("expected a name", column=part)
            for part in ("calendar", "source")
            if not getattr(self, part).strip()
        ]
        if faults:
            raise InputError.of(faults)

    @property
    def limit_s(self) -> int:
        """The limit in whole business seconds."""
        return round(self.limit * UNIT_S[self.unit])

    def clock(self, calendars: Mapping[str, BusinessTime]) -> ClockTarget:
        """The target as a clock needs it."""
        return ClockTarget(self.metric, self.limit_s, _calendar(calendars, self.calendar))


@dataclass(frozen=True, slots=True)
class Series:
    """Supports that work one after the other."""

    parts: tuple[Support, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Supports that work at the same time; the slowest decides."""

    parts: tuple[Support, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of an agreement.

    Parameters
    ----------
    name : str
    kind : AgreementKind
    version : int
        Counts from 1; a version that was signed is never changed but superseded.
    service : str
        The service of the catalogue that it covers.
    targets : tuple of Target
        At most one per metric.
    supports : Support, optional
        The OLAs and UCs that the work passes through.
    in_force_from, in_force_until : date, optional
        First day, and first day no longer.
    """

    name: str
    kind: AgreementKind
    version: int
    service: str
    targets: tuple[Target, ...]
    supports: Support | None = None
    in_force_from: date | None = None
    in_force_until: date | None = None

    def target(self, metric: Metric) -> Target | None:
        """The promise on `metric`, if there is one."""
        return next((target for target in self.targets if target.metric is metric), None)

    def in_force(self, on: date) -> bool:
        """Whether this version binds on that day."""
        return (
            self.in_force_from is not None
            and self.in_force_from <= on
            and (self.in_force_until is None or on < self.in_force_until)
        )


Support: TypeAlias = Agreement | Series | Parallel


@dataclass(frozen=True, slots=True)
class Step:
    """One support on the path, and when it is done if it takes all its time."""

    name: str
    kind: AgreementKind
    limit_s: int
    start: datetime
    done: datetime


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether the supports bear a promise, shown at the start that suits them least.

    ``late_s`` is by how many seconds of real time the supports miss the due time then (negative:
    time to spare). ``unpromised`` names supports that promise nothing on the metric.
    """

    ok: bool
    agreement: str
    metric: Metric
    start: datetime
    due: datetime
    late_s: int
    path: tuple[Step, ...]
    unpromised: tuple[str, ...]


def feasible(
    agreement: Agreement,
    metric: Metric,
    calendars: Mapping[str, BusinessTime],
    first_day: datetime,
) -> Feasibility | None:
    """Try every start of a year: do the supports finish before the promise falls due?

    Parameters
    ----------
    agreement : Agreement
    metric : Metric
    calendars : mapping of name to BusinessTime
        Every calendar that a target names.
    first_day : datetime
        Where the year tried begins; choose it so that the years' holidays are loaded.

    Returns
    -------
    Feasibility or None
        None when the agreement promises nothing on the metric, or rests on no supports.
    """
    target = agreement.target(metric)
    if target is None or agreement.supports is None:
        return None
    times = _calendar(calendars, target.calendar)
    begin = second_of(first_day)
    starts = np.arange(begin, begin + YEAR_S, STEP_S, dtype=np.int64)
    due = times.add_many(starts, target.limit_s, Boundary.NEXT_OPEN)
    late = _done(agreement.supports, metric, calendars, starts) - due
    worst = int(np.argmax(late))
    start = instant_of(int(starts[worst]))
    unpromised = tuple(
        part.name for part in _leaves(agreement.supports) if part.target(metric) is None
    )
    return Feasibility(
        ok=int(late[worst]) <= 0 and not unpromised,
        agreement=agreement.name,
        metric=metric,
        start=start,
        due=instant_of(int(due[worst])),
        late_s=int(late[worst]),
        path=tuple(_slowest(agreement.supports, metric, calendars, start)),
        unpromised=unpromised,
    )


def infeasible_beneath(
    agreement: Agreement,
    metric: Metric,
    calendars: Mapping[str, BusinessTime],
    first_day: datetime,
) -> list[Feasibility]:
    """Promises that `agreement` rests on, at any depth, and that are not borne themselves."""
    below = () if agreement.supports is None else _all(agreement.supports)
    tried = (feasible(part, metric, calendars, first_day) for part in below)
    return [result for result in tried if result is not None and not result.ok]


def _done(
    support: Support, metric: Metric, calendars: Mapping[str, BusinessTime], starts: Seconds
) -> Seconds:
    """When work that arrives at `starts` (UTC seconds) has passed through `support`."""
    if isinstance(support, Series):
        for part in support.parts:
            starts = _done(part, metric, calendars, starts)
        return starts
    if isinstance(support, Parallel):
        ends = starts
        for part in support.parts:
            ends = np.maximum(ends, _done(part, metric, calendars, starts))
        return ends
    target = support.target(metric)
    if target is None:
        return starts
    times = _calendar(calendars, target.calendar)
    return times.add_many(starts, target.limit_s, Boundary.NEXT_OPEN)


def _slowest(
    support: Support, metric: Metric, calendars: Mapping[str, BusinessTime], start: datetime
) -> Iterator[Step]:
    """The path that decides, from one start."""
    if isinstance(support, Series):
        for part in support.parts:
            for step in _slowest(part, metric, calendars, start):
                yield step
                start = step.done
    elif isinstance(support, Parallel):
        paths = [list(_slowest(part, metric, calendars, start)) for part in support.parts]
        yield from max(paths, key=lambda path: path[-1].done if path else start, default=[])
    elif (target := support.target(metric)) is not None:
        times = _calendar(calendars, target.calendar)
        done = times.add(start, target.limit_s, Boundary.NEXT_OPEN)
        yield Step(support.name, support.kind, target.limit_s, start, done)


def _leaves(support: Support) -> Iterator[Agreement]:
    """The agreements directly beneath."""
    if isinstance(support, Agreement):
        yield support
    else:
        for part in support.parts:
            yield from _leaves(part)


def _all(support: Support) -> Iterator[Agreement]:
    """The agreements beneath, at any depth."""
    for agreement in _leaves(support):
        yield agreement
        if agreement.supports is not None:
            yield from _all(agreement.supports)


def _calendar(calendars: Mapping[str, BusinessTime], name: str) -> BusinessTime:
    if name not in calendars:
        raise InputError.of(
            [Fault("there is no such business calendar", column="calendar", value=name)]
        )
    return calendars[name]
