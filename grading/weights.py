"""Weights from pairwise comparison: "how many times as important as that?" (AHP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# mean consistency index of random comparisons; Saaty 2008, Int. J. Services Sciences 1:83
RANDOM_INDEX = {3: 0.52, 4: 0.89, 5: 1.11, 6: 1.25, 7: 1.35, 8: 1.40, 9: 1.45, 10: 1.49}
MOST_INCONSISTENT = 0.10


@dataclass(frozen=True, slots=True)
class PairwiseWeights:
    """Weights that sum to 1, the principal eigenvalue, and the consistency ratio (0 is perfect).

    `worst` is the comparison that fits the weights worst, where there is one.
    """

    weights: dict[str, float]
    eigenvalue: float
    consistency_ratio: float
    worst: tuple[str, str] | None = None

    def ratio(self, one: str, other: str) -> float:
        """How many times as important one is as the other, by the weights."""
        return self.weights[one] / self.weights[other]

    @property
    def consistent(self) -> bool:
        """False when the comparisons contradict each other too much to be used."""
        return self.consistency_ratio <= MOST_INCONSISTENT


def weights_from_pairs(
    names: Sequence[str], pairs: Mapping[tuple[str, str], float]
) -> PairwiseWeights:
    """Principal eigenvector of the comparisons.

    Parameters
    ----------
    names : 2 to 10 things to compare
    pairs : ``{(a, b): 3.0}`` says a is three times as important as b; every pair exactly once

    Raises
    ------
    ValueError
        A pair is missing, double or not positive; one line per fault.
    """
    place = {name: i for i, name in enumerate(names)}
    faults = []
    if len(place) != len(names) or not 2 <= len(names) <= max(RANDOM_INDEX):
        faults.append(f"2 to {max(RANDOM_INDEX)} different names are needed")
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    for (one, other), ratio in pairs.items():
        if one not in place or other not in place or one == other:
            faults.append(f"{one} / {other}: not two of the names")
        elif not (np.isfinite(ratio) and ratio > 0):
            faults.append(f"{one} / {other}: the ratio must be above 0")
        elif not np.isnan(matrix[place[one], place[other]]):
            faults.append(f"{one} / {other}: compared twice")
        else:
            matrix[place[one], place[other]] = ratio
            matrix[place[other], place[one]] = 1 / ratio
    faults += [
        f"{one} / {other}: not compared"
        for i, one in enumerate(names)
        for other in names[i + 1 :]
        if one != other and np.isnan(matrix[place[one], place[other]])
    ]
    if faults:
        raise ValueError("\n".join(faults))
    values, vectors = np.linalg.eig(matrix)
    best = int(np.argmax(values.real))
    vector = np.abs(vectors[:, best].real)
    size = len(names)
    index = (float(values[best].real) - size) / (size - 1)
    weights = {name: float(w) for name, w in zip(names, vector / vector.sum(), strict=True)}

    def apart(pair: tuple[str, str]) -> float:
        return float(abs(np.log(pairs[pair] * weights[pair[1]] / weights[pair[0]])))

    return PairwiseWeights(
        weights,
        float(values[best].real),
        max(index, 0.0) / RANDOM_INDEX[size] if size > 2 else 0.0,
        max(pairs, key=apart),
    )
