"""Weights of the criteria from comparing them two by two, put into the text of a policy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlmodel import Session

from grading.policy import CRITERIA, load_policy
from grading.toml import lines_of
from grading.weights import MOST_INCONSISTENT, weights_from_pairs
from wfm import access
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.services.grade_policies import policy_in_force

PAIRS = tuple(combinations(map(str, CRITERIA), 2))
FURTHEST = 8  # steps from "alike" to "nine times as important"
DECIMALS = 3
WEIGHT = re.compile(r"^(\s*weight\s*=\s*)[^#\s]+")


@dataclass(frozen=True)
class Pair:
    """Two criteria and the answer given: 0 alike, +2 the first three times as important, −2 the
    second. `suggested` is the answer the other ones would lead to, of the pair that fits worst."""

    one: str
    other: str
    answer: int
    suggested: int | None = None


@dataclass(frozen=True)
class WeightsPage:
    """The answers and what follows from them; without answers there is nothing yet."""

    pairs: tuple[Pair, ...]
    present: dict[str, float]
    found: dict[str, float] | None = None
    ratio: float = 0.0
    most: float = MOST_INCONSISTENT
    text: str = ""
    may_use: bool = False

    @property
    def consistent(self) -> bool:
        return self.ratio <= self.most


def page(session: Session, actor: Actor, answers: Sequence[int]) -> WeightsPage:
    """Weights from one answer per pair of criteria.

    Raises
    ------
    InputError
        Not one answer per pair, or one off the scale.
    """
    access.require_whole_desk(actor, "grades.view")
    text = policy_in_force(session)
    written = {str(name): rule.weight for name, rule in load_policy(text).criteria.items()}
    whole = sum(written.values())
    present = {name: weight / whole for name, weight in written.items()}
    if not answers:
        return WeightsPage(tuple(Pair(one, other, 0) for one, other in PAIRS), present)
    if len(answers) != len(PAIRS) or any(abs(answer) > FURTHEST for answer in answers):
        raise InputError.of([Fault("one answer is needed for every pair", column="c")])
    ratios = {pair: ratio_of(answer) for pair, answer in zip(PAIRS, answers, strict=True)}
    found = weights_from_pairs(CRITERIA, ratios)
    weights = _rounded(found.weights)
    may = actor.may("grades.policy") and actor.teams("grades.policy") is None
    worst = None if found.consistent else found.worst
    pairs = tuple(
        Pair(*pair, answer, answer_of(found.ratio(*pair)) if pair == worst else None)
        for pair, answer in zip(PAIRS, answers, strict=True)
    )
    return WeightsPage(
        pairs, present, weights, found.consistency_ratio,
        text=with_weights(text, weights), may_use=may and found.consistent,
    )  # fmt: skip


def ratio_of(answer: int) -> float:
    """How many times as important the first is: 2 → 3, 0 → 1, −2 → 1/3."""
    return answer + 1.0 if answer >= 0 else 1.0 / (1 - answer)


def answer_of(ratio: float) -> int:
    """The nearest answer on the scale."""
    steps = ratio - 1 if ratio >= 1 else 1 - 1 / ratio
    return int(max(-FURTHEST, min(FURTHEST, round(steps))))


def _rounded(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of three decimals that sum to one; the largest takes what rounding leaves."""
    found = {name: round(weight, DECIMALS) for name, weight in weights.items()}
    largest = max(found, key=lambda name: found[name])
    found[largest] = round(found[largest] + 1 - sum(found.values()), DECIMALS)
    return found


def with_weights(text: str, weights: Mapping[str, float]) -> str:
    """The text of a policy with other weights; everything else, comments too, stays."""
    lines, places = text.split("\n"), lines_of(text)
    for name, weight in weights.items():
        place = places[f"criteria.{name}.weight"] - 1
        lines[place] = WEIGHT.sub(rf"\g<1>{weight:g}", lines[place])
    return "\n".join(lines)
