"""What customers of endless patience would wait where others leave: integrals of its density."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Drop = Callable[[NDArray[np.float64]], NDArray[np.float64]]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
NEGLIGIBLE = 60.0  # natural logarithm: e^-60 of the peak adds nothing to an integral


@dataclass(frozen=True, slots=True)
class OfferedWait:
    """Integrals of e^g over u ≥ 0, each divided by e^log_scale; u counts handle times."""

    log_scale: float
    all: float
    left: float  # · P(patience < u)
    served: float  # · P(patience > u)
    served_within: float  # the same up to the promise
    served_wait: float  # · u · P(patience > u)


def offered_wait(load: float, agents: int, leaving: float, promise: float) -> OfferedWait:
    """Integrate the density of the offered wait by Gauss-Legendre panels around its peak.

    g is concave. Written around its peak u0 (0 when the agents suffice), with m = min(load, n)
    and h(z) = e^-z - 1 + z, it is g(u) = g(u0) - max(0, n - load)·v - m/φ·h(φv), v = u - u0,
    so that no digits are lost whatever the sizes of load, staff and patience.

    Parameters
    ----------
    load : float
        Erlangs, above 0.
    agents : int
        n, from 1.
    leaving : float
        φ, mean handle time over mean patience.
    promise : float
        The wait promised, in handle times.
    """
    slope = max(0.0, agents - load)
    bend = min(load, agents) / leaving
    excess = max(0.0, load - agents) / agents
    peak = math.log1p(excess) / leaving
    log_scale = agents / leaving * _minus_log1p(excess)
    first = 0.5 / max(slope, leaving, math.sqrt(bend) * leaving)

    def drop(v: NDArray[np.float64]) -> NDArray[np.float64]:
        return slope * v + bend * _exp_rest(leaving * v)

    edges = _panels(first, peak, 1 / leaving, drop)
    if edges[0] < promise - peak < edges[-1]:
        edges = np.union1d(edges, [promise - peak])
    half = np.diff(edges)[:, None] / 2
    v = (edges[:-1, None] + half) + half * NODES
    mass = half * WEIGHTS * np.exp(-drop(v))
    u = v + peak
    staying = np.exp(-leaving * u)
    served = mass * staying
    return OfferedWait(
        log_scale=log_scale,
        all=float(mass.sum()),
        left=float((mass * -np.expm1(-leaving * u)).sum()),
        served=float(served.sum()),
        served_within=float(served[u <= promise].sum()),
        served_wait=float((served * u).sum()),
    )


def _panels(first: float, peak: float, widest: float, drop: Drop) -> NDArray[np.float64]:
    """Panel edges around 0: doubling outwards, on the left down to -peak and never wide."""
    right, width = [0.0], first
    while drop(np.array(right[-1])) < NEGLIGIBLE:
        right.append(right[-1] + width)
        width *= 2
    left, width = [0.0], first
    while left[-1] > -peak:
        left.append(max(-peak, left[-1] - width))
        width = min(2 * width, widest)
    return np.array([*left[:0:-1], *right])


def _exp_rest(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """e^-z - 1 + z without cancellation near 0."""
    small = np.where(np.abs(z) < 0.1, z, 0.0)
    series = np.zeros_like(small)
    for k in range(11, 1, -1):
        series = (series + 1) * (-small / k) if k > 2 else (series + 1) * small * small / 2
    return np.where(np.abs(z) < 0.1, series, np.expm1(-z) + z)


def _minus_log1p(r: float) -> float:
    """r - ln(1 + r) without cancellation near 0."""
    if r > 0.1:
        return r - math.log1p(r)
    return math.fsum((-r) ** k / k for k in range(2, 21))
