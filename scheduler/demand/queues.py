"""Queues with Poisson arrivals and exponential handling: Erlang B, C and A.

Load is in erlangs (work arriving per unit of time, counted in people), times are in minutes.
Everything follows from the odds of being served at once in a system without waiting room,

    x(n) = (1 - B(n)) / B(n),    x(n) = n/load · (1 + x(n-1)),    x(0) = 0,

a recursion of positive terms that loses no digits, at light loads or heavy ones.

Sources
-------
Erlang (1917); Jagerman, "Some properties of the Erlang loss function", 1974 (the recursion);
Palm (1957) and Mandelbaum & Zeltyn, "Service engineering in action: the Palm/Erlang-A queue",
2007 (the density of the offered wait under exponential patience).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scheduler.demand.offered_wait import offered_wait
from scheduler.errors import SchedulingError

Model = Literal["b", "c", "a"]
MOST_AGENTS = 10_000_000
NO_LOAD = 1e-100  # erlangs; anything below is no load at all
RESCALE = 1e100
WIDEST = 100.0  # natural logarithm of handle time over patience, either way
SLACK = 1e-12  # relative; a goal met to within rounding is met


@dataclass(frozen=True, slots=True)
class ErlangB:
    """A queue without waiting room: who finds nobody free is lost.

    ``service_level`` is the share served (at once); ``occupancy`` the share of time an agent
    works; ``log_blocking_probability`` stays exact where the probability itself underflows.
    """

    load: float
    agents: int
    blocking_probability: float
    log_blocking_probability: float
    service_level: float
    occupancy: float


@dataclass(frozen=True, slots=True)
class ErlangC:
    """A queue where everybody waits.

    ``service_level`` is P(wait ≤ within) and ``None`` when no limit was asked for; waits are in
    minutes and ``None`` when the handle time is unknown. Without enough agents (agents ≤ load)
    the queue grows for ever: ``stable`` is false, everybody waits, waits are infinite.
    """

    load: float
    agents: int
    stable: bool
    waiting_probability: float
    log_waiting_probability: float
    service_level: float | None
    mean_wait_min: float | None
    mean_wait_of_waiting_min: float | None
    wait_p90_min: float | None
    occupancy: float
    mean_queue_length: float


@dataclass(frozen=True, slots=True)
class ErlangA:
    """A queue whose customers leave after an exponential patience.

    ``service_level`` counts those served within the limit over *all* arrivals;
    ``service_level_served`` over those served. ``mean_wait_min`` is over all arrivals, those who
    left included; ``mean_wait_served_min`` over those served.
    """

    load: float
    agents: int
    waiting_probability: float
    abandonment_probability: float
    service_level: float | None
    service_level_served: float | None
    mean_wait_min: float
    mean_wait_of_waiting_min: float
    mean_wait_served_min: float
    occupancy: float
    mean_queue_length: float


def erlang_b(load: float, agents: int) -> ErlangB:
    """Loss system M/M/n/n.

    Parameters
    ----------
    load : float
        Offered load, erlangs.
    agents : int
        People (or lines) serving.

    Raises
    ------
    SchedulingError
        A value is negative, not finite or too large.
    """
    _check(load=load, agents=agents)
    if load < NO_LOAD:
        return ErlangB(load, agents, 0.0, -math.inf, 1.0, 0.0)
    odds, log_odds = _served_odds(load, agents)
    served = 1 / (1 + 1 / odds) if odds > 0 else 0.0
    log_blocked = -math.log1p(odds) if odds < RESCALE else -log_odds
    occupancy = min(1.0, load * served / agents) if agents else 1.0
    blocked = 1 / (1 + odds) if odds < RESCALE else math.exp(log_blocked)
    return ErlangB(load, agents, blocked, log_blocked, served, occupancy)


def erlang_c(
    load: float,
    agents: int,
    handle_min: float | None = None,
    within_min: float | None = None,
) -> ErlangC:
    """Delay system M/M/n.

    Parameters
    ----------
    load : float
        Offered load, erlangs.
    agents : int
        People serving.
    handle_min : float, optional
        Mean handle time, minutes; needed for waits and for a service level.
    within_min : float, optional
        The wait promised, minutes; 0 asks for the share served at once.

    Raises
    ------
    SchedulingError
        A value is negative, not finite or too large, or a service level was asked for without
        a handle time.
    """
    _check(load=load, agents=agents, handle_min=handle_min, within_min=within_min)
    if within_min is not None and within_min > 0 and handle_min is None:
        raise SchedulingError("a service level needs the handle time")
    if load < NO_LOAD:
        return _empty_c(load, agents, handle_min, within_min)
    if agents <= load:
        return _overrun_c(load, agents, handle_min, within_min)
    odds, log_odds = _served_odds(load, agents)
    spare = agents - load
    if odds < RESCALE:
        whole = spare * (1 + odds) + load
        waiting = agents / whole
        log_waiting = math.log(waiting) if waiting < 0.5 else math.log1p(-spare * odds / whole)
        at_once = spare * odds / whole
    else:
        log_waiting = math.log(agents / spare) - log_odds
        waiting, at_once = math.exp(log_waiting), 1.0
    level = None
    if within_min is not None:
        patience_lost = spare * within_min / handle_min if handle_min else 0.0
        level = at_once - waiting * math.expm1(-patience_lost)
    of_waiting = handle_min / spare if handle_min is not None else None
    return ErlangC(
        load=load,
        agents=agents,
        stable=True,
        waiting_probability=waiting,
        log_waiting_probability=log_waiting,
        service_level=level,
        mean_wait_min=None if of_waiting is None else waiting * of_waiting,
        mean_wait_of_waiting_min=of_waiting,
        wait_p90_min=None
        if of_waiting is None
        else max(0.0, (log_waiting - math.log(0.1)) * of_waiting),
        occupancy=load / agents,
        mean_queue_length=waiting * load / spare,
    )


def erlang_a(
    load: float,
    agents: int,
    handle_min: float,
    patience_min: float,
    within_min: float | None = None,
) -> ErlangA:
    """Delay system with impatient customers, M/M/n+M.

    The offered wait V (what a customer of endless patience would wait) has the density
    load · p · e^g(u) at u handle times, with p the probability of n-1 busy agents and
    g(u) = load·(1-e^(-φu))/φ - n·u, φ = handle time / patience. All quantities are integrals
    of it; none is a difference of larger ones.

    Parameters
    ----------
    load : float
        Offered load, erlangs.
    agents : int
        People serving.
    handle_min, patience_min : float
        Mean handle time and mean patience, minutes, above 0.
    within_min : float, optional
        The wait promised, minutes.

    Raises
    ------
    SchedulingError
        A value is negative, not finite or too large, or a time is 0.
    """
    _check(load=load, agents=agents, handle_min=handle_min, within_min=within_min)
    _check(patience_min=patience_min)
    if handle_min <= 0 or patience_min <= 0:
        raise SchedulingError("handle time and patience must be above 0")
    if abs(math.log(handle_min) - math.log(patience_min)) > WIDEST:
        raise SchedulingError("handle time and patience are too far apart to compute with")
    asked = within_min is not None
    if load < NO_LOAD or agents == 0:
        gone = 0.0 if load < NO_LOAD else 1.0
        level = 1 - gone if asked else None
        wait = gone * patience_min
        queue = load * wait / handle_min
        return ErlangA(load, agents, gone, gone, level, level, wait, wait, 0.0, gone, queue)
    leaving = handle_min / patience_min
    promise = within_min / handle_min if within_min is not None else 0.0
    offered = offered_wait(load, agents, leaving, promise)
    odds, log_odds = _served_odds(load, agents - 1)
    log_idle = math.log1p(odds) if odds < RESCALE else log_odds
    log_busy = math.log(load) + offered.log_scale
    top = max(log_idle, log_busy)
    idle, busy = math.exp(log_idle - top), math.exp(log_busy - top)
    total = idle + busy * offered.all
    served = (idle + busy * offered.served) / total
    gone = busy * offered.left / total
    within = (idle + busy * offered.served_within) / total
    wait = gone * patience_min
    return ErlangA(
        load=load,
        agents=agents,
        waiting_probability=busy * offered.all / total,
        abandonment_probability=gone,
        service_level=within if asked else None,
        service_level_served=within / served if asked else None,
        mean_wait_min=wait,
        mean_wait_of_waiting_min=offered.left / offered.all * patience_min,
        mean_wait_served_min=busy * offered.served_wait / total / served * handle_min,
        occupancy=min(1.0, load * served / agents),
        mean_queue_length=load * wait / handle_min,
    )


def agents_needed(
    model: Model,
    load: float,
    *,
    target_service_level: float | None = None,
    within_min: float = 0.0,
    handle_min: float | None = None,
    patience_min: float | None = None,
    max_occupancy: float | None = None,
) -> int:
    """Fewest agents that keep the promise; more agents keep it too.

    Parameters
    ----------
    model : {"b", "c", "a"}
        Lost, waiting, or impatient customers.
    load : float
        Offered load, erlangs. Without load nobody is needed.
    target_service_level : float, optional
        Share from 0 to below 1, as `service_level` of the model counts it.
    within_min, handle_min, patience_min : float
        Minutes; the last two where the model needs them.
    max_occupancy : float, optional
        Highest share of time an agent may work, above 0 up to 1.

    Raises
    ------
    SchedulingError
        A value is impossible, or no number of agents up to ten million is enough.
    """
    _check(load=load)
    if target_service_level is not None and not 0 <= target_service_level < 1:
        raise SchedulingError("the target service level must be from 0 to below 1")
    if max_occupancy is not None and not 0 < max_occupancy <= 1:
        raise SchedulingError("the highest occupancy must be above 0 and at most 1")
    if load < NO_LOAD:
        return 0

    def enough(agents: int) -> bool:
        level, occupancy = _quality(model, load, agents, handle_min, patience_min, within_min)
        keeps = target_service_level is None or level >= target_service_level * (1 - SLACK)
        return keeps and (max_occupancy is None or occupancy <= max_occupancy * (1 + SLACK))

    short = math.floor(load) if model == "c" else -1
    ample = short + 1
    while not enough(ample):
        short, ample = ample, ample + max(1, 2 * (ample - short))
        if ample > MOST_AGENTS:
            raise SchedulingError(f"more than {MOST_AGENTS} agents would be needed")
    while ample - short > 1:
        middle = (short + ample) // 2
        short, ample = (short, middle) if enough(middle) else (middle, ample)
    return ample


def _quality(
    model: Model,
    load: float,
    agents: int,
    handle_min: float | None,
    patience_min: float | None,
    within_min: float,
) -> tuple[float, float]:
    """Service level and occupancy."""
    if model == "b":
        lossy = erlang_b(load, agents)
        return lossy.service_level, lossy.occupancy
    if model == "c":
        patient = erlang_c(load, agents, handle_min, within_min)
        return patient.service_level or 0.0, patient.occupancy
    if handle_min is None or patience_min is None:
        raise SchedulingError("the model with impatient customers needs handle time and patience")
    impatient = erlang_a(load, agents, handle_min, patience_min, within_min)
    return impatient.service_level or 0.0, impatient.occupancy


def _check(**values: float | None) -> None:
    faults = []
    for name, value in values.items():
        if value is None:
            continue
        if not math.isfinite(value) or value < 0:
            faults.append(f"{name} must be a number from 0 up, not {value}")
        elif name == "agents" and value > MOST_AGENTS:
            faults.append(f"{name} must be at most {MOST_AGENTS}, not {value}")
    if faults:
        raise SchedulingError("\n".join(faults))


def _served_odds(load: float, agents: int) -> tuple[float, float]:
    """Odds x of being served in the loss system, and ln x (which outlives overflow)."""
    odds, unit, shifts = 0.0, 1.0, 0
    for n in range(1, agents + 1):
        odds = n / load * (unit + odds)
        if odds > RESCALE:
            odds /= RESCALE
            unit /= RESCALE
            shifts += 1
    if odds == 0:
        return 0.0, -math.inf
    log_odds = math.log(odds) + shifts * math.log(RESCALE)
    return (odds if shifts == 0 else math.exp(min(log_odds, 700.0))), log_odds


def _empty_c(
    load: float, agents: int, handle_min: float | None, within_min: float | None
) -> ErlangC:
    wait = None if handle_min is None else 0.0
    level = None if within_min is None else 1.0
    return ErlangC(load, agents, True, 0.0, -math.inf, level, wait, wait, wait, 0.0, 0.0)


def _overrun_c(
    load: float, agents: int, handle_min: float | None, within_min: float | None
) -> ErlangC:
    wait = None if handle_min is None else math.inf
    level = None if within_min is None else 0.0
    return ErlangC(load, agents, False, 1.0, 0.0, level, wait, wait, wait, 1.0, math.inf)
