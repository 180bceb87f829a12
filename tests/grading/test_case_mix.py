"""Harder work must not punish."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from grading.casemix import LEAST_ROWS, POOLED, fit_case_mix


def desk(seed: int, cases: int = 20_000, agents: int = 60) -> tuple[np.ndarray, ...]:
    """Better agents are given more of the hard cases; hard costs 1.5 logits."""
    rng = np.random.default_rng(seed)
    skill = np.linspace(-0.9, 0.9, agents)
    agent = rng.integers(0, agents, cases)
    hard = rng.random(cases) < expit(2 * skill[agent])
    success = (rng.random(cases) < expit(1.5 + skill[agent] - 1.5 * hard)).astype(np.int64)
    return agent, success, hard, skill


def test_the_effect_of_hard_cases_is_found_inside_agents() -> None:
    agent, success, hard, skill = desk(1)
    factors = pd.DataFrame({"priority": np.where(hard, "1", "3")})
    mix = fit_case_mix(agent, success, factors, 60)
    effect = mix.effects[("priority", "1")] - mix.effects[("priority", "3")]
    assert effect == pytest.approx(-1.5, abs=0.15)
    # the best agent has the hardest work, the weakest the easiest
    assert mix.shift[59] < -0.3
    assert mix.shift[0] > 0.3
    raw = np.bincount(agent, success) / np.bincount(agent)
    adjusted = np.log(raw / (1 - raw)) - mix.shift
    assert np.corrcoef(adjusted, skill)[0, 1] > np.corrcoef(raw, skill)[0, 1]
    assert np.corrcoef(adjusted, skill)[0, 1] > 0.95


def test_equal_work_is_not_shifted() -> None:
    agent, success, _, _ = desk(2, 5000)
    factors = pd.DataFrame({"category": np.repeat("net", 5000), "channel": ""})
    mix = fit_case_mix(agent, success, factors, 60)
    assert not mix.shift.any()
    assert mix.effects == {}
    assert not fit_case_mix(agent, success, factors[[]], 60).shift.any()


def test_rare_levels_are_pooled_and_missing_is_a_level() -> None:
    agent, success, _, _ = desk(3, 2000)
    level = np.array(["common"] * 1500 + [None] * 400 + [f"rare{i}" for i in range(100)])
    mix = fit_case_mix(agent, success, pd.DataFrame({"category": level}), 60)
    assert {name for _, name in mix.effects} == {"common", "", POOLED}
    assert LEAST_ROWS > 1


def test_many_different_numbers_are_cut_at_their_fifths() -> None:
    agent, success, _, _ = desk(4, 2000)
    hardness = np.linspace(0, 1, 2000)
    mix = fit_case_mix(agent, success, pd.DataFrame({"difficulty": hardness}), 60)
    assert len(mix.effects) == 5


@pytest.mark.parametrize("value", [0, 1])
def test_one_agent_and_one_outcome_are_survived(value: int) -> None:
    agent = np.zeros(60, dtype=np.int64)
    factors = pd.DataFrame({"category": ["a", "b"] * 30})
    mix = fit_case_mix(agent, np.full(60, value), factors, 1)
    assert np.isfinite(mix.shift).all()
    assert np.isfinite(mix.shift_variance).all()
    assert abs(mix.shift[0]) < 1e-6  # the only agent's mix is the standard


def test_wholly_confounded_work_is_put_down_to_the_work_in_the_main() -> None:
    # thirty agents have only easy cases (90 %), thirty only hard ones (60 %)
    rng = np.random.default_rng(5)
    agent = np.repeat(np.arange(60), 100)
    hard = agent >= 30
    success = (rng.random(6000) < np.where(hard, 0.6, 0.9)).astype(np.int64)
    mix = fit_case_mix(agent, success, pd.DataFrame({"category": hard.astype(str)}), 60)
    between = np.log(0.9 / 0.1) - np.log(0.6 / 0.4)  # 1.79 logits
    assert 0.5 * between < mix.shift[0] - mix.shift[-1] < between


def test_an_agent_without_cases_is_not_shifted() -> None:
    agent, success, hard, _ = desk(6, 3000)
    factors = pd.DataFrame({"category": hard.astype(str)})
    assert fit_case_mix(agent, success, factors, 61).shift[60] == 0
