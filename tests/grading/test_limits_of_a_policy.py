"""How far each number of a policy may go: the last value allowed, and the first beyond it."""

from __future__ import annotations

import math
import re
from importlib import resources

import pytest

from grading.errors import GradingError
from grading.policy import load_policy

TEXT = (resources.files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")
TINY = 1e-9

# what a whole number may be is told with the step 1, of any other number with a tiny one
BOUNDS = {
    "decision.majority": (0.5, 1, TINY),
    "decision.rise": (0.5, 1, TINY),
    "decision.fall": (0, 0.5, TINY),
    "decision.dwell": (0, 100, 1),
    "coverage.senior": (0, 1, TINY),
    "coverage.expert": (0, 1, TINY),
    "coverage.fall": (0, 1, TINY),
    "small_samples.interval": (0.5, 0.999, TINY),
    "small_samples.share_strength": (0.1, 1e5, TINY),
    "small_samples.share_spread": (0.01, 10, TINY),
    "small_samples.score_strength": (0.1, 1e5, TINY),
    "small_samples.score_spread": (0.01, 10, TINY),
    "small_samples.score_noise": (1e-6, 1, TINY),
    "small_samples.score_noise_weight": (0, 1e6, TINY),
    "small_samples.alike_agents": (2, 1_000_000, 1),
    "small_samples.alike_odds": (0, 1e9, 1e-3),
    "reviews.least_agreement": (-1, 1, TINY),
    "reviews.least_double_scored": (1, 1_000_000, 1),
    "reviews.calibration_cases": (1, 1_000_000, 1),
    "contributions.months": (1, 600, 1),
    "contributions.points_without_value": (0, 1e6, TINY),
    "contributions.cap_per_kind": (0, 1e6, TINY),
    "contributions.cap_per_month": (0, 1e6, TINY),
    "cycle.review_days": (1, 366, 1),
    "cycle.publish_days": (1, 366, 1),
    "fairness.least_ratio": (0, 1, TINY),
    "fairness.level": (0, 1, TINY),
    "fairness.least_group": (1, 1_000_000, 1),
    "serious_events.bars_rise_from": (1, 1000, 1),
    "resolution.reopened_within_days": (0, 3660, 1),
    "quota.senior": (0, 1, TINY),
    "quota.expert": (0, 1, TINY),
    "criteria.quality.weight": (0, 1e6, TINY),
    "criteria.quality.minimum_evidence": (1, 1_000_000, 1),
}


def changed(path: str, value: float, text: str = TEXT) -> str:
    """The policy with another value under a key."""
    table, _, key = path.rpartition(".")
    head, start, rest = text.partition(f"[{table}]\n")
    written, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value!r}", rest, count=1)
    assert count == 1, path
    return head + start + written


def refused(text: str) -> str:
    try:
        load_policy(text)
    except GradingError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("path", BOUNDS)
def test_the_last_number_allowed_and_the_first_that_is_not(path: str) -> None:
    low, high, step = BOUNDS[path]
    for edge, beyond in ((low, -step), (high, step)):
        assert refused(changed(path, edge)) == "", edge
        out = edge + beyond * max(1, abs(edge) if step < 1 else 1)
        assert f"{path}: " in refused(changed(path, out)), out


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"surveys.lowest": 5}, "surveys.highest"),
        ({"surveys.lowest": 4}, "surveys.satisfied_from"),  # 4 is the lowest there is: all are
        ({"surveys.lowest": 3}, ""),
        ({"surveys.satisfied_from": 5}, ""),
        ({"surveys.satisfied_from": 5.1}, "surveys.satisfied_from"),
        ({"reviews.lowest": 100}, "reviews.highest"),
        ({"reviews.lowest": 60}, ""),  # the lowest limit of quality is a veto of 60
        ({"reviews.lowest": 60.1}, "criteria.quality.veto: senior must be at least 60.1"),
        ({"reviews.highest": 87}, ""),
        ({"reviews.highest": 86.9}, "criteria.quality.entry: expert must be at most 86.9"),
        ({"criteria.quality.minimum_evidence": 4.5}, "criteria.quality.minimum_evidence"),
    ],
)
def test_numbers_that_must_go_together(changes: dict[str, float], fault: str) -> None:
    text = TEXT
    for path, value in changes.items():
        text = changed(path, value, text)
    found = refused(text)
    assert (fault in found) if fault else found == ""


def weights(**given: float) -> str:
    text = TEXT
    for name in ("tenure", "resolution", "quality", "initiative", "satisfaction"):
        text = changed(f"criteria.{name}.weight", given.get(name, 0), text)
    return text


def test_a_companion_cannot_stand_alone() -> None:
    assert "no companion needs a weight above 0" in refused(weights(tenure=1))
    assert "no companion needs a weight above 0" in refused(weights())
    assert refused(weights(quality=TINY)) == ""


def test_thresholds_of_pseudo_criteria() -> None:
    def text(indifference: float, preference: float) -> str:
        lines = f"indifference = {indifference}\npreference = {preference}\n"
        return TEXT.replace(
            "[criteria.quality.definition]", lines + "[criteria.quality.definition]"
        )

    rule = load_policy(text(2, 2)).criteria["quality"]
    assert (rule.indifference, rule.preference) == (2, 2)
    assert refused(text(0, 0)) == refused(text(0.5, 0.5)) == ""
    assert "criteria.quality.preference" in refused(text(2, 1.9))
    assert "criteria.quality.indifference" in refused(text(-0.1, 1))
    plain = load_policy(TEXT).criteria["quality"]
    assert (plain.indifference, plain.preference) == (0, 0)


def test_what_may_be_left_out_of_a_policy() -> None:
    # before agents could be taken as alike, policies said nothing of it: 20 agents, odds 1 : 4
    lines = [line for line in TEXT.splitlines() if not line.startswith("alike_")]
    samples = load_policy("\n".join(lines)).small_samples
    assert (samples.alike_agents, samples.alike_odds) == (20, 0.25)
    assert samples.alike(20, 0.25)
    assert not samples.alike(19, 0.25)
    assert not samples.alike(20, 0.2499)
    # one agent has nobody to be like; odds of 0.1 against 0.25 are a doubt of 0.4
    assert samples.doubt(1, 0.1) == samples.doubt(2, 0) == 0
    assert samples.doubt(2, 0.1) == pytest.approx(0.4)
    assert samples.doubt(2, math.inf) == 1e6
