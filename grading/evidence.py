"""Records → evidence per agent and criterion: value, interval, n, reliability.

`gather` is the entry point. What an agent has no records of is missing (NaN, n = 0), never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from grading.belief import Family, probability_at_least, quantile
from grading.calibration import agreement
from grading.casemix import fit_case_mix
from grading.estimate import (
    ScorePrior,
    SharePrior,
    doubted,
    fit_score_prior,
    fit_share_prior,
    reliability,
)
from grading.outcomes import DAYS_PER_MONTH, beside, recent, solved
from grading.policy import CRITERIA, MOST_ODDS, Criterion, GradePolicy
from grading.raters import correct_severity
from grading.records import Records, check_records, codes_of

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

FAMILIES: dict[Criterion, Family] = {
    "tenure": "exact",
    "resolution": "share",
    "quality": "score",
    "initiative": "score",
    "satisfaction": "share",
}
COLUMNS = (
    "value", "low", "high", "n", "reliability", "raw", "adjusted", "usual", "strength",
    "precision", "enough",
)  # fmt: skip
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader of the grades should know; `code` and its numbers."""

    code: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of all agents.

    Parameters
    ----------
    agents : Index of agent ids, sorted
    criteria : mapping of criterion to frame of shape (agents, columns)
        ``value``, ``low``, ``high`` (estimate after shrinkage and correction, and its interval;
        months, shares 0–1, review points, contribution points per month), ``n`` (records),
        ``reliability`` (0–1), ``raw`` (plain average), ``adjusted`` (the same after case mix or
        the severity of reviewers, before shrinkage), ``usual`` and ``strength`` (what the value
        is shrunk towards, and how hard, in records), ``precision`` (share: pseudo-observations
        behind the value; score: 1/variance), ``enough`` (may count under the policy).
    notices : tuple of Notice
    effects : mapping of "criterion factor" to mapping of level to effect (logits or points)
    beside : frame of shape (agents, figures)
        What is shown beside the criteria and decides nothing; see `grading.outcomes.beside`.
    reached : mapping of criterion to what `at_least` has found of it so far, by limit
    """

    agents: pd.Index
    criteria: dict[Criterion, pd.DataFrame]
    notices: tuple[Notice, ...]
    effects: dict[str, dict[str, float]]
    beside: pd.DataFrame = field(default_factory=pd.DataFrame)
    reached: dict[Criterion, dict[float, Array]] = field(
        default_factory=lambda: {name: {} for name in CRITERIA}, init=False, repr=False
    )

    def at_least(self, criterion: Criterion, limit: float) -> Array:
        """Probability that the true value reaches `limit`; NaN where there is no evidence."""
        known = self.reached[criterion]
        if limit not in known:
            frame = self.criteria[criterion]
            known[limit] = probability_at_least(
                FAMILIES[criterion],
                frame["value"].to_numpy(dtype=float),
                frame["precision"].to_numpy(dtype=float),
                limit,
            )
        return known[limit]

    def above(self, criterion: Criterion, limit: float) -> Array:
        """Probability that the true value is beyond `limit`: a value at its veto is vetoed."""
        exact = FAMILIES[criterion] == "exact"  # else nothing lies on the limit itself
        return self.at_least(criterion, float(np.nextafter(limit, np.inf)) if exact else limit)

    def with_other(self, criterion: Criterion, frame: pd.DataFrame) -> Evidence:
        """The same but for one criterion; what is found of the others is not reckoned again."""
        other = replace(self, criteria=self.criteria | {criterion: frame})
        other.reached.update(self.reached | {criterion: {}})
        return other


def gather(records: Records, policy: GradePolicy, as_of: date) -> Evidence:
    """Turn records up to and including the day `as_of` into evidence.

    Raises
    ------
    GradingError
        A frame lacks a required column, agents occur twice, or a score lies off its scale.
    """
    check_records(records, policy)
    return _Gatherer(records, policy, as_of).evidence()


class _Gatherer:
    """Holds what all criteria share while the evidence is put together."""

    def __init__(self, records: Records, policy: GradePolicy, as_of: date) -> None:
        self.records = records
        self.policy = policy
        self.end = pd.Timestamp(as_of)
        self.agents = pd.Index(records.agents["agent_id"]).sort_values()
        self.notices: list[Notice] = []
        self.effects: dict[str, dict[str, float]] = {}

    def evidence(self) -> Evidence:
        cases = self._counted(self.records.cases, "cases")
        criteria = {
            "tenure": self._tenure(),
            "resolution": self._resolution(cases),
            "quality": self._quality(self._counted(self.records.reviews, "reviews")),
            "initiative": self._initiative(
                self._counted(self.records.contributions, "contributions")
            ),
            "satisfaction": self._satisfaction(cases),
        }
        frames = {name: self._framed(name, criteria[name]) for name in CRITERIA}
        figures = pd.DataFrame(beside(cases, len(self.agents), self.policy), index=self.agents)
        return Evidence(self.agents, frames, tuple(self.notices), self.effects, figures)

    def _framed(self, name: Criterion, columns: dict[str, Array]) -> pd.DataFrame:
        size = len(self.agents)
        n = columns.get("n", np.zeros(size))
        enough = columns.get("enough", np.ones(size, dtype=bool)).astype(bool)
        whole = {c: columns.get(c, np.full(size, np.nan)) for c in COLUMNS}
        frame = pd.DataFrame(whole, index=self.agents)
        frame["n"] = n.astype(np.int64)
        frame["enough"] = enough & (n >= self.policy.criteria[name].minimum_evidence)
        return frame

    def _counted(self, frame: pd.DataFrame | None, kind: str) -> pd.DataFrame | None:
        """Rows of known agents up to the day of assessment, with `agent` as a number."""
        if frame is None:
            return None
        code = codes_of(frame["agent_id"], self.agents)
        unknown = code < 0
        if unknown.any():
            names = sorted({str(name) for name in frame["agent_id"][unknown].unique()})
            self.notices.append(
                Notice(
                    "unknown_agents",
                    {"kind": kind, "rows": int(unknown.sum()), "agents": len(names),
                     "names": names[:NAMES_SHOWN]},
                )
            )  # fmt: skip
        keep = ~unknown
        if "on" in frame:
            late = (frame["on"].dt.normalize() > self.end).to_numpy()
            if late.any():
                self.notices.append(Notice("after_as_of", {"kind": kind, "rows": int(late.sum())}))
            keep &= ~late
        return frame[keep].assign(agent=code[keep])

    def _tenure(self) -> dict[str, Array]:
        agents = self.records.agents.set_index("agent_id").reindex(self.agents)
        if "hired_on" not in agents:
            return {}
        days = (self.end - agents["hired_on"].dt.normalize()).dt.days.to_numpy(dtype=float)
        if (days < 0).any():
            self.notices.append(Notice("hired_later", {"agents": int((days < 0).sum())}))
        excluded = self.policy.criteria["tenure"].definition.exclusions
        if "break_days" in agents and "breaks" in excluded:
            days = days - agents["break_days"].fillna(0).to_numpy(dtype=float)
        months = np.maximum(days, 0.0) / DAYS_PER_MONTH
        known = (~np.isnan(months)).astype(float)
        sure = np.where(known > 0, 1.0, np.nan)
        return {
            "value": months, "low": months, "high": months, "raw": months,
            "adjusted": months, "n": known,
            "reliability": sure, "precision": np.where(known > 0, np.inf, np.nan),
        }  # fmt: skip

    def _resolution(self, cases: pd.DataFrame | None) -> dict[str, Array]:
        """Solved as the policy defines it: by the agent's own hand and not reopened."""
        if cases is None or not {"resolved", "independent"} & set(cases.columns):
            return {}
        cases = self._recent("resolution", cases)
        counted, success = solved(cases, self.policy)
        return self._shares("resolution", cases[counted], success[counted])

    def _recent(self, name: Criterion, frame: pd.DataFrame) -> pd.DataFrame:
        return recent(frame, self.policy.criteria[name].definition.window_months, self.end)

    def _satisfaction(self, cases: pd.DataFrame | None) -> dict[str, Array]:
        if cases is None or "satisfaction" not in cases:
            return {}
        cases = self._recent("satisfaction", cases)
        score = cases["satisfaction"].to_numpy(dtype=float)
        surveyed = ~np.isnan(score)
        happy = score[surveyed] >= self.policy.surveys.satisfied_from
        return self._shares("satisfaction", cases[surveyed], happy)

    def _shares(
        self, name: Criterion, cases: pd.DataFrame, success: NDArray[np.bool_]
    ) -> dict[str, Array]:
        """Beta-binomial estimate on the standard mix of cases.

        An agent's prior mean is moved to the agent's own mix, the records are added there, and
        the result is moved back to the standard mix; all moves are made in logits.
        """
        if not len(cases):
            return {}
        size = len(self.agents)
        agent = cases["agent"].to_numpy()
        n = np.bincount(agent, minlength=size).astype(float)
        k = np.bincount(agent, success, size)
        factors = [factor for factor in self.policy.case_mix if factor in cases]
        mix = fit_case_mix(agent, success.astype(np.int64), cases[factors], size)
        for (factor, level), effect in mix.effects.items():
            self.effects.setdefault(f"{name} {factor}", {})[level] = effect
        prior = fit_share_prior(k, n, mix.shift, self.policy.small_samples.shares)
        telling, doubt = self._telling(name, n, prior)
        counted, shift = n * telling, mix.shift * telling
        strength = doubted(prior.strength, counted, doubt)
        usual = expit(logit(prior.mean) + shift)
        own = (k * telling + strength * usual) / (counted + strength)
        value = expit(logit(own) - shift)
        trust = reliability(counted, strength)
        variance = (
            1 / ((counted + strength) * own * (1 - own))
            + doubt * (logit(own) - logit(usual)) ** 2
            + (1 - trust) ** 2 * prior.mean_variance
            + trust**2 * mix.shift_variance
        )
        seen = n > 0
        columns = {
            "value": value,
            "raw": k / np.maximum(n, 1),
            "adjusted": _on_standard_mix(k / np.maximum(n, 1), mix.shift),
            "reliability": trust,
            "usual": np.full(size, prior.mean),
            "strength": strength if telling else np.full(size, np.inf),
            "precision": 1 / (variance * value * (1 - value)),
        }
        return self._with_limits("share", columns, n, seen)

    def _telling(
        self, name: Criterion, n: Array, prior: SharePrior | ScorePrior
    ) -> tuple[int, float]:
        """Whether records tell agents apart (1 or 0), and if so with what doubt."""
        agents = int(np.sum(n > 0))
        if not self.policy.small_samples.alike(agents, prior.alike_odds):
            return 1, self.policy.small_samples.doubt(agents, prior.alike_odds)
        odds = round(min(prior.alike_odds, MOST_ODDS), 2)
        self.notices.append(Notice("alike", {"criterion": name, "agents": agents, "odds": odds}))
        return 0, 0.0

    def _quality(self, reviews: pd.DataFrame | None) -> dict[str, Array]:
        if reviews is None:
            return {}
        reviews = self._recent("quality", reviews[reviews["score"].notna()])
        if not len(reviews):
            return {}
        rules, samples = self.policy.reviews, self.policy.small_samples
        factors = [name for name in ("reviewer", "form") if name in reviews]
        scores = reviews["score"].to_numpy(dtype=float)
        agent = reviews["agent"].to_numpy()
        found = correct_severity(
            scores,
            np.unique(agent, return_inverse=True)[1],
            reviews[factors],
            samples.scores,
            samples.noise(rules.highest - rules.lowest),
        )
        self.effects.update({f"quality {name}": e for name, e in found.effects.items()})
        size = len(self.agents)
        n = np.bincount(agent, minlength=size).astype(float)
        prior, seen, each = found.prior, n > 0, np.maximum(n, 1)
        mean = np.bincount(agent, found.corrected, size) / each
        columns = self._scores("quality", mean, n, prior)
        columns["value"] = np.clip(columns["value"], rules.lowest, rules.highest)
        columns["raw"], columns["adjusted"] = np.bincount(agent, scores, size) / each, mean
        if not self._reviewers_agree(reviews, found.corrected):
            columns["enough"] = np.zeros(size, dtype=bool)
        limited = self._with_limits("score", columns, n, seen)
        for name in ("low", "high"):
            limited[name] = np.clip(limited[name], rules.lowest, rules.highest)
        return limited

    def _reviewers_agree(self, reviews: pd.DataFrame, corrected: Array) -> bool:
        """Agreement on the cases that several reviewers scored, once there are enough of them."""
        twice, alpha = agreement(reviews, corrected)
        if twice < self.policy.reviews.least_double_scored:
            return True
        alpha = round(alpha, 6)
        agree = not alpha < self.policy.reviews.least_agreement
        code = "agreement" if agree else "quality_left_out"
        limit = self.policy.reviews.least_agreement
        self.notices.append(Notice(code, {"alpha": alpha, "cases": twice, "limit": limit}))
        return agree

    def _initiative(self, contributions: pd.DataFrame | None) -> dict[str, Array]:
        """Capped points per month of the last months; a month without contributions counts as 0."""
        if contributions is None:
            return {}
        rules, size = self.policy.contributions, len(self.agents)
        month = np.zeros(len(contributions), dtype=np.int64)
        if "on" in contributions:
            age = (self.end - contributions["on"].dt.normalize()).dt.days.fillna(0)
            month = (age.to_numpy(dtype=float) // DAYS_PER_MONTH).astype(np.int64)
        recent = month < rules.months
        rows, month = contributions[recent], month[recent]
        if not len(rows):
            return {}
        plain = pd.Series(rules.points_without_value, index=rows.index)
        points = rows["points"].fillna(rules.points_without_value) if "points" in rows else plain
        kind = rows["kind"].astype("string").fillna("") if "kind" in rows else ""
        given = pd.DataFrame(
            {"agent": rows["agent"], "month": month, "kind": kind, "points": points}
        )
        per_kind = given.groupby(["agent", "month", "kind"], sort=True)["points"].sum()
        capped = per_kind.clip(0, rules.cap_per_kind).groupby(level=["agent", "month"]).sum()
        monthly = capped.clip(upper=rules.cap_per_month)
        agent = monthly.index.get_level_values("agent").to_numpy()
        total = np.bincount(agent, monthly.to_numpy(dtype=float), size)
        squares = np.bincount(agent, monthly.to_numpy(dtype=float) ** 2, size)
        n = np.bincount(rows["agent"].to_numpy(), minlength=size).astype(float)
        seen = n > 0
        months = rules.months * seen.astype(float)
        mean: Array = np.asarray(total, dtype=float) / rules.months
        within = float(np.sum(np.sort(squares[seen] - rules.months * mean[seen] ** 2)))
        samples = self.policy.small_samples
        noise = samples.noise(max(rules.cap_per_month, 1.0))
        prior = fit_score_prior(months, mean, max(within, 0.0), samples.scores, noise)
        columns = self._scores("initiative", mean, months, prior)
        columns["raw"] = columns["adjusted"] = mean
        limited = self._with_limits("score", columns, n, seen)
        return limited | {"low": np.maximum(limited["low"], 0.0)}

    def _scores(
        self, name: Criterion, mean: Array, n: Array, prior: ScorePrior
    ) -> dict[str, Array]:
        """Normal–normal estimate; the prior mean is itself uncertain."""
        telling, doubt = self._telling(name, n, prior)
        counted = n * telling
        strength = doubted(prior.strength, counted, doubt)
        trust = reliability(counted, strength)
        value = prior.mean + trust * (mean - prior.mean)
        unsure = (1 - trust) ** 2 * prior.mean_variance + doubt * (value - prior.mean) ** 2
        return {
            "value": value,
            "reliability": trust,
            "usual": np.full(len(n), prior.mean),
            "strength": strength if telling else np.full(len(n), np.inf),
            "precision": 1 / (prior.noise / (counted + strength) + unsure),
        }

    def _with_limits(
        self, family: Family, columns: dict[str, Array], n: Array, seen: NDArray[np.bool_]
    ) -> dict[str, Array]:
        """Blank what was never seen, and add the interval."""
        kept = {
            name: column if name == "enough" else np.where(seen, column, np.nan)
            for name, column in columns.items()
        }
        tail = (1 - self.policy.small_samples.interval) / 2
        low, high = np.full(len(n), np.nan), np.full(len(n), np.nan)
        value, precision = kept["value"][seen], kept["precision"][seen]
        low[seen] = quantile(family, value, precision, tail)
        high[seen] = quantile(family, value, precision, 1 - tail)
        return kept | {"low": low, "high": high, "n": n}


def _on_standard_mix(share: Array, shift: Array) -> Array:
    """A share as it would be on the desk's standard mix of cases; none and all stay so."""
    inside = (share > 0) & (share < 1)
    moved = expit(logit(np.where(inside, share, 0.5)) - shift)
    return np.asarray(np.where(inside, moved, share))
