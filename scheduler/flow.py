"""People present, as a flow to what wants them: shared by the roster model and break placement.

The least cost over the flow equals what the judge counts for the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from ortools.sat.python import cp_model

from scheduler.problem import IntervalCover, ShiftCover

Charge: TypeAlias = Callable[[int, Any], None]
People: TypeAlias = tuple[Any, int]  # how many are present, as an expression, and at most


def shortage(
    model: cp_model.CpModel, charge: Charge, cover: ShiftCover | IntervalCover, times: int
) -> list[Any]:
    """Variables for the people missing, the dearer ones below the minimum apart."""
    parts = [(cover.desired, cover.under_weight)]
    if cover.minimum_weight:
        dear = cover.under_weight + cover.minimum_weight
        parts = [(cover.desired - cover.minimum, cover.under_weight), (cover.minimum, dear)]
    short = []
    for most, weight in parts:
        if most:
            short.append(model.new_int_var(0, most, ""))
            charge(weight * times, short[-1])
    return short


def count(
    model: cp_model.CpModel,
    charge: Charge,
    cover: ShiftCover | IntervalCover,
    present: People,
    times: int = 1,
) -> None:
    """A cover for which everybody able counts, whatever else they count for."""
    here, most = present
    short = shortage(model, charge, cover, times)
    model.add(cp_model.LinearExpr.sum(short) + here >= cover.desired)
    if cover.over_weight:
        over = model.new_int_var(0, max(most, 0), "")
        charge(cover.over_weight * times, over)
        model.add(here - over <= cover.most)


def serve(
    model: cp_model.CpModel,
    charge: Charge,
    covers: Sequence[ShiftCover | IntervalCover],
    people: Mapping[int, People],
    times: int = 1,
) -> None:
    """Covers each person counts for one of: a flow from kinds of people to what they can serve.

    Parameters
    ----------
    people : mapping
        By mask, a bit for each cover those of the kind can serve.
    times : int
        How many slots are alike.
    """
    spare_weight = min(cover.over_weight for cover in covers) * times
    served: list[list[Any]] = [[] for _ in covers]
    for mask, (here, most) in people.items():
        given = []
        for n, cover in enumerate(covers):
            if mask >> n & 1 and cover.most:
                given.append(model.new_int_var(0, min(most, cover.most), ""))
                served[n].append(given[-1])
        if spare_weight:
            spare = model.new_int_var(0, most, "")
            charge(spare_weight, spare)
            model.add(cp_model.LinearExpr.sum([*given, spare]) == here)
        elif given:
            model.add(cp_model.LinearExpr.sum(given) <= here)
    for n, cover in enumerate(covers):
        short = shortage(model, charge, cover, times)
        if short:
            model.add(cp_model.LinearExpr.sum([*served[n], *short]) >= cover.desired)
        if spare_weight and len(served[n]) > 1:
            model.add(cp_model.LinearExpr.sum(served[n]) <= cover.most)
