"""Compile the kernels and keep them beside the sources, so that the first solve does not wait."""

from __future__ import annotations

import numpy as np

from scheduler.annealing import anneal
from scheduler.columns.people import Person
from scheduler.columns.pricing import Habit, Pricer


def up() -> None:
    """Let somebody who may work one shift on one day do so, in both ways of searching."""
    ones = np.ones(1, np.int64)
    person = Person(
        costs=np.zeros((1, 1), np.int64), allowed=np.ones((1, 1), bool),
        may_rest=np.ones(1, bool), group_of=np.zeros(1, np.int64), before=np.ones((1, 1), bool),
        longest=1, shortest=1, least_off=1, low=np.zeros(2, np.int64),
        high=np.array([0, 1]), caps=(), steps=1,
    )  # fmt: skip
    Pricer(ones).price(person, Habit.of(person), person.costs, np.zeros(1, np.int64))
    anneal.get_ready()
