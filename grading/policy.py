"""The grade policy: every rule a number with a source, read from a TOML file.

`load_policy` reads and checks one file and names every fault with its line;
`default_policy` is the one that ships (`grading/policies/default.toml`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import inf
from typing import Literal

from grading.definitions import Definition, read_definition
from grading.errors import GradingError
from grading.estimate import NoiseGuess, StrengthGuess
from grading.procedure import (
    CycleRules,
    EventRules,
    FairnessRules,
    ResolutionRules,
    read_cycle,
    read_events,
    read_fairness,
    read_resolution,
)
from grading.toml import Table, lines_of

Grade = Literal["ordinary", "senior", "expert"]
GRADES: tuple[Grade, ...] = ("ordinary", "senior", "expert")
UPPER: tuple[Grade, ...] = GRADES[1:]
MOST_ODDS = 1e6  # of all agents being equal; more is as good as sure
Limit = Literal["entry", "exit", "floor", "veto"]
LIMITS: tuple[Limit, ...] = ("entry", "exit", "floor", "veto")
# columns of the cases that say who, which and how it went: not what kind of work it was
OUTCOMES = ("agent_id", "case_id", "resolved", "independent", "reopened", "satisfaction")

Criterion = Literal["tenure", "resolution", "quality", "initiative", "satisfaction"]
CRITERIA: tuple[Criterion, ...] = ("tenure", "resolution", "quality", "initiative", "satisfaction")
Method = Literal["majority", "electre-tri-b"]
METHODS: tuple[Method, ...] = ("majority", "electre-tri-b")


@dataclass(frozen=True, slots=True)
class Limits:
    """One number per grade above ordinary; None where the rule does not apply."""

    senior: float | None = None
    expert: float | None = None

    def of(self, grade: Grade) -> float | None:
        return {"senior": self.senior, "expert": self.expert}.get(grade)


@dataclass(frozen=True, slots=True)
class CriterionRule:
    """How one criterion counts.

    Parameters
    ----------
    weight : float
        Relative importance; 0 leaves the criterion out.
    minimum_evidence : int
        Records below which the criterion is shown but can neither lift nor drop anyone.
    companion : bool
        Necessary, never sufficient: the other criteria must reach the majority by themselves.
    only_for : bool
        May speak for a grade, never against it.
    entry, exit : Limits
        Values that speak for being given, and for keeping, a grade (units of the criterion).
    floor : Limits
        Without this value the grade is not given, whatever the other criteria say.
    veto : Limits
        At or below this value the grade is neither given nor kept.
    indifference, preference : float
        Thresholds q ≤ p of the pseudo-criterion, for the method ``electre-tri-b`` only.
    definition : Definition
        What is counted.
    """

    weight: float
    minimum_evidence: int
    companion: bool
    only_for: bool
    entry: Limits
    exit: Limits
    floor: Limits
    veto: Limits
    indifference: float
    preference: float
    definition: Definition
    source: str

    def limits(self, kind: Limit) -> Limits:
        """The limits of one kind."""
        return {"entry": self.entry, "exit": self.exit, "floor": self.floor, "veto": self.veto}[
            kind
        ]


@dataclass(frozen=True, slots=True)
class Decision:
    """How criteria become a grade and when a grade moves."""

    method: Method
    majority: float
    rise: float
    fall: float
    start: Grade
    dwell: int
    source: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of the weight (companions aside) that needs enough evidence before a move."""

    senior: float
    expert: float
    fall: float
    source: str


@dataclass(frozen=True, slots=True)
class SmallSamples:
    """Interval shown, and what is assumed of the spread between agents at first.

    From `alike_agents` agents on, a criterion tells nobody apart when the odds that all of them
    are equal (against that they differ as guessed) are at least `alike_odds`.
    """

    interval: float
    shares: StrengthGuess
    scores: StrengthGuess
    score_noise: float
    score_noise_weight: float
    alike_agents: int
    alike_odds: float
    source: str

    def alike(self, agents: int, odds: float) -> bool:
        """Whether this many agents are to be taken as equal at these odds."""
        return agents >= self.alike_agents and odds >= self.alike_odds

    def doubt(self, agents: int, odds: float) -> float:
        """Odds at which the common figure stands against an agent's own.

        They are 1 where the records say as surely as `alike_odds` asks that agents differ.
        """
        if agents < 2 or odds <= 0:
            return 0.0
        return float(min(odds / max(self.alike_odds, 1 / MOST_ODDS), MOST_ODDS))

    def noise(self, scale: float) -> NoiseGuess:
        """What is believed of one score on a scale this wide."""
        return NoiseGuess((self.score_noise * scale) ** 2, self.score_noise_weight)


@dataclass(frozen=True, slots=True)
class Surveys:
    lowest: float
    highest: float
    satisfied_from: float
    source: str


@dataclass(frozen=True, slots=True)
class Reviews:
    lowest: float
    highest: float
    least_agreement: float
    least_double_scored: int
    calibration_cases: int
    source: str


@dataclass(frozen=True, slots=True)
class Contributions:
    """Caps in points per agent and month; `months` looked back on."""

    months: int
    points_without_value: float
    cap_per_kind: float
    cap_per_month: float
    source: str


@dataclass(frozen=True, slots=True)
class GradePolicy:
    """All rules of one version. Same policy and records, same grades."""

    name: str
    version: str
    title: dict[str, str]
    source: str
    decision: Decision
    coverage: Coverage
    case_mix: tuple[str, ...]
    small_samples: SmallSamples
    surveys: Surveys
    reviews: Reviews
    contributions: Contributions
    quota: Limits
    resolution: ResolutionRules
    cycle: CycleRules
    fairness: FairnessRules
    serious_events: EventRules
    criteria: dict[Criterion, CriterionRule]


def load_policy(text: str) -> GradePolicy:
    """Read a policy from TOML.

    Raises
    ------
    GradingError
        One line per fault: ``line 12: criteria.quality.weight: must be at least 0 (found -1)``.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GradingError(f"not valid TOML: {error}") from error
    root = Table(content, lines_of(text))
    policy = _policy(root)
    root.close()
    if not root.faults:
        _check_whole(policy, root)
    if root.faults:
        raise GradingError("\n".join(root.faults))
    return policy


@cache
def default_policy() -> GradePolicy:
    """The policy that ships with the product."""
    file = resources.files("grading") / "policies" / "default.toml"
    return load_policy(file.read_text(encoding="utf-8"))


def _policy(root: Table) -> GradePolicy:
    decision, coverage = root.table("decision"), root.table("coverage")
    samples, surveys = root.table("small_samples"), root.table("surveys")
    reviews, contributions = root.table("reviews"), root.table("contributions")
    mix, quota, criteria = root.table("case_mix"), root.table("quota"), root.table("criteria")
    title = root.table("title")
    quota.text("source")
    mix.text("source")
    return GradePolicy(
        name=root.text("name"),
        version=root.text("version"),
        title={"en": title.text("en"), "zh": title.text("zh")},
        source=root.text("source"),
        decision=Decision(
            method=decision.choice("method", METHODS),
            majority=decision.number("majority", 0.5, 1),
            rise=decision.number("rise", 0.5, 1),
            fall=decision.number("fall", 0, 0.5),
            start=decision.choice("start", GRADES),
            dwell=decision.whole("dwell", 0, 100),
            source=decision.text("source"),
        ),
        coverage=Coverage(
            senior=coverage.number("senior", 0, 1),
            expert=coverage.number("expert", 0, 1),
            fall=coverage.number("fall", 0, 1),
            source=coverage.text("source"),
        ),
        case_mix=mix.texts("factors"),
        small_samples=SmallSamples(
            interval=samples.number("interval", 0.5, 0.999),
            shares=_guess(samples, "share"),
            scores=_guess(samples, "score"),
            score_noise=samples.number("score_noise", 1e-6, 1),
            score_noise_weight=samples.number("score_noise_weight", 0, 1e6),
            alike_agents=samples.whole("alike_agents", 2, 1_000_000, 20),
            alike_odds=samples.number("alike_odds", 0, 1e9, 0.25),
            source=samples.text("source"),
        ),
        surveys=Surveys(
            lowest=surveys.number("lowest"),
            highest=surveys.number("highest"),
            satisfied_from=surveys.number("satisfied_from"),
            source=surveys.text("source"),
        ),
        reviews=Reviews(
            lowest=reviews.number("lowest"),
            highest=reviews.number("highest"),
            least_agreement=reviews.number("least_agreement", -1, 1),
            least_double_scored=reviews.whole("least_double_scored", 1, 1_000_000),
            calibration_cases=reviews.whole("calibration_cases", 1, 1_000_000),
            source=reviews.text("source"),
        ),
        contributions=Contributions(
            months=contributions.whole("months", 1, 600),
            points_without_value=contributions.number("points_without_value", 0, 1e6),
            cap_per_kind=contributions.number("cap_per_kind", 0, 1e6),
            cap_per_month=contributions.number("cap_per_month", 0, 1e6),
            source=contributions.text("source"),
        ),
        quota=Limits(quota.optional("senior", 0, 1), quota.optional("expert", 0, 1)),
        resolution=read_resolution(root.table("resolution")),
        cycle=read_cycle(root.table("cycle")),
        fairness=read_fairness(root.table("fairness")),
        serious_events=read_events(root),
        criteria={name: _criterion(criteria.table(name), name) for name in CRITERIA},
    )


def _guess(table: Table, kind: str) -> StrengthGuess:
    return StrengthGuess(
        table.number(f"{kind}_strength", 0.1, 1e5), table.number(f"{kind}_spread", 0.01, 10)
    )


def _criterion(table: Table, name: Criterion) -> CriterionRule:
    return CriterionRule(
        weight=table.number("weight", 0, 1e6),
        minimum_evidence=table.whole("minimum_evidence", 1, 1_000_000),
        companion=table.flag("companion"),
        only_for=table.flag("only_for"),
        entry=_limits(table, "entry"),
        exit=_limits(table, "exit"),
        floor=_limits(table, "floor"),
        veto=_limits(table, "veto"),
        indifference=table.optional("indifference", 0) or 0.0,
        preference=table.optional("preference", 0) or 0.0,
        definition=read_definition(table.table("definition"), name),
        source=table.text("source"),
    )


def _limits(table: Table, name: str) -> Limits:
    if not table.has(name):
        return Limits()
    inner = table.table(name)
    return Limits(inner.optional("senior"), inner.optional("expert"))


def _check_whole(policy: GradePolicy, root: Table) -> None:
    """Rules that join several numbers."""
    if policy.surveys.lowest >= policy.surveys.highest:
        root.fault("surveys.highest", "must be above surveys.lowest")
    if not policy.surveys.lowest < policy.surveys.satisfied_from <= policy.surveys.highest:
        root.fault("surveys.satisfied_from", "must lie above lowest and not above highest")
    if policy.reviews.lowest >= policy.reviews.highest:
        root.fault("reviews.highest", "must be above reviews.lowest")
    if not any(r.weight > 0 and not r.companion for r in policy.criteria.values()):
        root.fault("criteria", "at least one criterion that is no companion needs a weight above 0")
    if known := [name for name in policy.case_mix if name in OUTCOMES]:
        root.fault("case_mix.factors", "must be kinds of work, no results", ", ".join(known))
    for name, rule in policy.criteria.items():
        _check_criterion(f"criteria.{name}", rule, root)
        _check_scale(f"criteria.{name}", rule, *_scale(policy, name), root)


def _scale(policy: GradePolicy, name: Criterion) -> tuple[float, float]:
    """The least and the greatest value a criterion can have."""
    if name == "quality":
        return policy.reviews.lowest, policy.reviews.highest
    return 0.0, 1.0 if name in ("resolution", "satisfaction") else inf


def _check_scale(path: str, rule: CriterionRule, low: float, high: float, root: Table) -> None:
    """A limit no value can reach is a slip: 75 where 0.75 was meant."""
    for kind in LIMITS:
        for grade in UPPER:
            limit = rule.limits(kind).of(grade)
            if limit is not None and not low <= limit <= high:
                nearest = f"at least {low:g}" if limit < low else f"at most {high:g}"
                root.fault(f"{path}.{kind}", f"{grade} must be {nearest}", limit)


def out_of_order(rule: CriterionRule) -> Iterator[tuple[Limit, str]]:
    """The limits of a criterion that may not stand beside each other, and why."""
    for kind in LIMITS:
        limits = rule.limits(kind)
        if limits.senior is not None and limits.expert is not None:
            if limits.expert < limits.senior:
                yield kind, "expert must not be below senior"
        elif limits.senior is not None:
            yield kind, "senior is given, so expert must be given too"
    for grade in UPPER:
        entry, leave = rule.entry.of(grade), rule.exit.of(grade)
        veto, floor = rule.veto.of(grade), rule.floor.of(grade)
        if entry is not None and leave is not None and leave > entry:
            yield "exit", f"{grade} must not be above entry"
        lowest = min((x for x in (entry, leave, floor) if x is not None), default=None)
        if veto is not None and lowest is not None and veto >= lowest:
            yield "veto", f"{grade} must be below entry, exit and floor"


def _check_criterion(path: str, rule: CriterionRule, root: Table) -> None:
    for kind, why in out_of_order(rule):
        root.fault(f"{path}.{kind}", why)
    if rule.preference < rule.indifference:
        root.fault(f"{path}.preference", "must not be below indifference")
