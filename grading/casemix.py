"""How hard was the work? Shares made comparable between agents with different cases.

A logistic model gives every kind of case (category, channel, priority, difficulty …) its own
effect. Agents enter with effects of their own, shrunk to a normal distribution, and the mean mix
of an agent enters beside them (Mundlak's device), so that the good work of those who are given
the hard cases is not mistaken for easy cases. What comes out per agent is one number: how much
easier or harder the work was than the desk's standard mix, in logits.

The work is done on counts per agent and kind of case; ten million cases are a few million counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, logit

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_LEVELS = 40
LEAST_ROWS = 20
NUMERIC_LEVELS = 12
POOLED = "(other)"
EFFECT_SPREAD = 1.5  # logits: a priori standard deviation of the effect of a kind of case
MIX_SPREAD = 0.5  # logits: of the ability that goes with being given one mix or another
STEPS = 40
BLOCK = 128


@dataclass(frozen=True, slots=True)
class CaseMix:
    """What the model says of every agent's work.

    Parameters
    ----------
    shift : array of shape (agents,), logits
        Expected share of an average agent on this agent's cases, against the standard mix
        (positive = easier work).
    shift_variance : array of shape (agents,), logits squared
    effects : mapping of (factor, level) to logits, relative to the mean case
    """

    shift: Array
    shift_variance: Array
    effects: dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Counts:
    """Cases per agent and kind, ordered by agent, then kind."""

    agent: Codes
    kind: Codes
    trials: Array
    successes: Array

    def by_agent(self, weights: Array, agents: int, kinds: int) -> csr_array:
        start = np.searchsorted(self.agent, np.arange(agents + 1))
        return csr_array((weights, self.kind, start), shape=(agents, kinds))


def no_mix(agents: int) -> CaseMix:
    """Every agent had the same work, as far as is known."""
    return CaseMix(np.zeros(agents), np.zeros(agents), {})


def fit_case_mix(agent: Codes, success: Codes, factors: pd.DataFrame, agents: int) -> CaseMix:
    """Fit the model and compare every agent's work with the standard mix.

    Parameters
    ----------
    agent : array of shape (cases,), whole numbers in 0 … agents − 1
    success : array of shape (cases,), 0 or 1
    factors : frame of shape (cases, factors)
        One column per factor. Numbers with many different values are cut at their fifths, rare
        levels are pooled, a missing value is a level of its own.

    Source: Mundlak 1978, Econometrica 46:69; penalised quasi-likelihood of Breslow & Clayton 1993,
    J. Am. Stat. Assoc. 88:9. Fully confounded work (everyone has one kind) is split between work
    and agents by the two a priori spreads.
    """
    kinds, design, labels = _kinds(factors)
    if not labels:
        return no_mix(agents)
    counts = _tally(agent, kinds, success, len(design))
    effects, intercept, covariance = _fit(counts, design, agents)
    return _compare(counts, design, labels, effects, intercept, covariance, agents)


def _kinds(factors: pd.DataFrame) -> tuple[Codes, Array, list[tuple[str, str]]]:
    """Kind of every case, and which levels each kind has (one-hot, only factors that vary)."""
    kinds = np.zeros(len(factors), dtype=np.int64)
    columns: list[tuple[Codes, list[str], str]] = []
    for name in factors.columns:
        codes, levels = _levels(factors[name])
        if len(levels) > 1:
            columns.append((codes, levels, str(name)))
            kinds = kinds * len(levels) + codes
    found, kinds = np.unique(kinds, return_inverse=True)
    blocks, labels = [], []
    rest = found
    for _, levels, name in reversed(columns):
        blocks.append(np.eye(len(levels))[rest % len(levels)])
        labels.append([(name, level) for level in levels])
        rest = rest // len(levels)
    design = np.hstack(blocks) if blocks else np.zeros((len(found), 0))
    return kinds, design, [label for group in labels for label in group]


def _levels(column: pd.Series) -> tuple[Codes, list[str]]:
    """Codes and names of the levels, in the order of their names."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > NUMERIC_LEVELS:
        cuts = np.unique(np.nanquantile(column.to_numpy(dtype=float), [0.2, 0.4, 0.6, 0.8]))
        codes = np.searchsorted(cuts, column.to_numpy(dtype=float), side="right")
        codes = np.where(column.isna(), -1, codes)
        names = [f"fifth {i + 1}" for i in range(len(cuts) + 1)]
    else:
        category = column.astype("category")
        names = [str(level) for level in category.cat.categories]
        order = np.argsort(np.array(names, dtype=object), kind="stable")
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        raw = category.cat.codes.to_numpy().astype(np.int64)
        codes = np.where(raw < 0, -1, rank[raw] if len(names) else -1)
        names = [names[i] for i in order]
    names = [*names, ""]
    codes = np.where(codes < 0, len(names) - 1, codes)
    return _pool(codes, names)


def _pool(codes: Codes, names: list[str]) -> tuple[Codes, list[str]]:
    rows = np.bincount(codes, minlength=len(names))
    enough = np.flatnonzero(rows >= LEAST_ROWS)
    kept = np.sort(enough[np.argsort(-rows[enough], kind="stable")][:MOST_LEVELS])
    new = np.full(len(names), len(kept), dtype=np.int64)
    new[kept] = np.arange(len(kept))
    levels = [names[i] for i in kept]
    if rows.sum() > rows[kept].sum():
        levels.append(POOLED)
    return new[codes], levels


def _tally(agent: Codes, kind: Codes, success: Codes, kinds: int) -> Counts:
    key = np.sort((agent * kinds + kind) * 2 + success)
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, int)
    size = np.diff(np.r_[start, len(key)]).astype(float)
    pair, won = key[start] // 2, key[start] % 2
    first = np.flatnonzero(np.r_[True, pair[1:] != pair[:-1]]) if len(pair) else start
    trials = np.add.reduceat(size, first) if len(first) else size
    successes = np.add.reduceat(size * won, first) if len(first) else size
    return Counts(pair[first] // kinds, pair[first] % kinds, trials, successes)


def _agent_spread(counts: Counts, agents: int) -> float:
    """Variance between agents in logits, by moments, kept between 0.05 and 2."""
    n = np.bincount(counts.agent, counts.trials, agents)
    k = np.bincount(counts.agent, counts.successes, agents)
    share = (k.sum() + 0.5) / (n.sum() + 1)
    expected = n * share * (1 - share)
    excess = np.sum((k - n * share) ** 2) - expected.sum()
    return float(np.clip(excess / max(np.sum(expected**2), 1e-9), 0.05, 2.0))


def _fit(counts: Counts, design: Array, agents: int) -> tuple[Array, float, Array]:
    """Newton's method on the penalised likelihood, the agents' effects eliminated.

    Returns the effects per design column, the intercept and the effects' covariance.
    """
    kinds, width = design.shape
    in_kind = np.bincount(counts.kind, counts.trials, kinds)
    x = design - in_kind @ design / in_kind.sum()
    size = np.bincount(counts.agent, counts.trials, agents)
    mix = counts.by_agent(counts.trials, agents, kinds) @ x / np.maximum(size, 1)[:, None]
    spread = _agent_spread(counts, agents)
    penalty = np.r_[1e-9, np.full(width, EFFECT_SPREAD**-2), np.full(width, MIX_SPREAD**-2)]
    share = (counts.successes.sum() + 0.5) / (counts.trials.sum() + 1)
    point = np.zeros(1 + 2 * width)
    point[0] = logit(share)
    ability = np.zeros(agents)
    for _ in range(STEPS):
        eta = (x @ point[1 : width + 1])[counts.kind]
        eta += (point[0] + mix @ point[width + 1 :] + ability)[counts.agent]
        chance = expit(np.clip(eta, -20, 20))
        weight = counts.trials * chance * (1 - chance)
        rest = counts.successes - counts.trials * chance
        agent_weight: Array = np.bincount(counts.agent, weight, agents).astype(float)
        agent_rest = np.bincount(counts.agent, rest, agents)
        kind_weight: Array = np.bincount(counts.kind, weight, kinds).astype(float)
        inside = counts.by_agent(weight, agents, kinds) @ x
        by_agent = np.hstack([agent_weight[:, None], inside, agent_weight[:, None] * mix])
        curve = _curvature(x, mix, inside, agent_weight, kind_weight) + np.diag(penalty)
        slope = np.r_[
            agent_rest.sum(),
            x.T @ np.bincount(counts.kind, rest, kinds),
            mix.T @ agent_rest,
        ]
        slope -= penalty * point
        own = agent_weight + 1 / spread
        own_slope = agent_rest - ability / spread
        schur = curve - _cross(by_agent, by_agent / own[:, None])
        step = np.linalg.solve(schur, slope - by_agent.T @ (own_slope / own))
        point = point + np.clip(step, -2, 2)
        ability = ability + np.clip((own_slope - by_agent @ step) / own, -2, 2)
        if np.max(np.abs(step)) < 1e-8:
            break
    covariance = np.linalg.inv(schur)[1 : width + 1, 1 : width + 1]
    effects: Array = np.round(point[1 : width + 1], 9).astype(float)
    return effects, round(float(point[0]), 9), covariance


def _curvature(
    x: Array, mix: Array, inside: Array, agent_weight: Array, kind_weight: Array
) -> Array:
    width = x.shape[1]
    whole = np.empty((1 + 2 * width, 1 + 2 * width))
    one, effect, ability = slice(0, 1), slice(1, width + 1), slice(width + 1, None)
    weighted = agent_weight[:, None] * mix
    whole[one, one] = agent_weight.sum()
    whole[one, effect] = inside.sum(axis=0)
    whole[one, ability] = weighted.sum(axis=0)
    whole[effect, effect] = x.T @ (kind_weight[:, None] * x)
    whole[effect, ability] = _cross(inside, mix)
    whole[ability, ability] = _cross(weighted, mix)
    low = np.tril_indices(len(whole), -1)
    whole[low] = whole.T[low]
    return whole


def _cross(left: Array, right: Array) -> Array:
    """leftᵀ · right, summed in short blocks.

    A tall thin product gains nothing from the threads of a linear algebra library and on a busy
    machine loses a factor of thirty to them; short blocks stay below its threshold.
    """
    whole = len(left) // BLOCK * BLOCK
    blocks = left[:whole].reshape(-1, BLOCK, left.shape[1])
    others = right[:whole].reshape(-1, BLOCK, right.shape[1])
    total = np.matmul(blocks.transpose(0, 2, 1), others).sum(axis=0)
    return np.asarray(total + left[whole:].T @ right[whole:], dtype=float)


def _compare(
    counts: Counts,
    design: Array,
    labels: list[tuple[str, str]],
    effects: Array,
    intercept: float,
    covariance: Array,
    agents: int,
) -> CaseMix:
    kinds = len(design)
    in_kind = np.bincount(counts.kind, counts.trials, kinds)
    middle = in_kind @ design / in_kind.sum()
    x = design - middle
    chance = expit(np.clip(intercept + x @ effects, -20, 20))
    size = np.maximum(np.bincount(counts.agent, counts.trials, agents), 1e-300)
    per_agent = counts.by_agent(counts.trials, agents, kinds)
    expected = per_agent @ chance / size
    mix = per_agent @ x / size[:, None]
    standard = float(in_kind @ chance / in_kind.sum())
    idle = np.bincount(counts.agent, minlength=agents) == 0
    shift = np.where(idle, 0.0, logit(np.where(idle, 0.5, expected)) - logit(standard))
    variance = np.einsum("ap,pq,aq->a", mix, covariance, mix, optimize=True)
    relative = effects - _per_factor_mean(labels, middle, effects)
    return CaseMix(
        np.round(shift, 9).astype(float),
        np.round(np.maximum(variance, 0.0), 9).astype(float),
        {label: float(value) for label, value in zip(labels, relative, strict=True)},
    )


def _per_factor_mean(labels: list[tuple[str, str]], middle: Array, effects: Array) -> Array:
    """Mean effect of a factor over the cases (`middle` holds the share of each level)."""
    factor = np.array([name for name, _ in labels])
    means = {name: float(np.sum((middle * effects)[factor == name])) for name in set(factor)}
    return np.array([means[name] for name in factor])
