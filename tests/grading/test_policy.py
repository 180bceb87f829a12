"""The policy file: what it may say, and where it is wrong."""

from __future__ import annotations

from importlib import resources

import pytest

from grading.errors import GradingError
from grading.policy import CRITERIA, default_policy, load_policy

TEXT = (resources.files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")


def faults(text: str) -> list[str]:
    with pytest.raises(GradingError) as caught:
        load_policy(text)
    return str(caught.value).splitlines()


def line_of(start: str, text: str = TEXT) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_the_default_policy_stands_for_the_desk_rules() -> None:
    policy = default_policy()
    assert set(policy.criteria) == set(CRITERIA)
    assert all(rule.weight > 0 and rule.source for rule in policy.criteria.values())
    assert policy.criteria["tenure"].companion
    assert policy.criteria["quality"].floor.senior is not None
    assert (policy.decision.rise, policy.decision.fall) == (0.8, 0.2)
    assert policy.title["zh"]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("majority = 0.6", "majority = 1.5", "decision.majority"),
        ("rise = 0.8", "rise = 'high'", "decision.rise"),
        ("fall = 0.2\nstart", "fall = true\nstart", "decision.fall"),
        ("dwell = 2", "dwell = 1.5", "decision.dwell"),
        ('start = "ordinary"', 'start = "master"', "decision.start"),
        ("satisfied_from = 4", "satisfied_from = 6", "surveys.satisfied_from"),
        ("lowest = 1\n", "lowest = 9\n", "surveys.highest"),
        ("highest = 100", "highest = 0", "reviews.highest"),
        ("only_for = true", "only_for = 1", "criteria.initiative.only_for"),
        ('factors = ["category"', "factors = [1", "case_mix.factors"),
        ("share_strength = 20", "share_strength = nan", "small_samples.share_strength"),
        (
            "entry = { senior = 80, expert = 87 }",
            "entry = { senior = 80, expert = 70 }",
            "criteria.quality.entry",
        ),
        (
            "exit = { senior = 75, expert = 83 }",
            "exit = { senior = 81, expert = 83 }",
            "criteria.quality.exit",
        ),
        (
            "veto = { senior = 60, expert = 70 }",
            "veto = { senior = 78, expert = 79 }",
            "criteria.quality.veto",
        ),
        (
            "entry = { senior = 0.80, expert = 0.88 }",
            "entry = { senior = 0.80, expert = 88 }",
            "criteria.satisfaction.entry",
        ),
        (
            "veto = { senior = 0.40, expert = 0.50 }",
            "veto = { senior = -0.1, expert = 0.50 }",
            "criteria.resolution.veto",
        ),
        ("floor = { senior = 6,", "floor = { senior = -6,", "criteria.tenure.floor"),
        ('"priority", "difficulty"]', '"priority", "agent_id"]', "case_mix.factors"),
        (
            "entry = { senior = 1.0, expert = 2.0 }",
            "entry = { senior = 1.0 }",
            "criteria.initiative.entry",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line(old: str, new: str, path: str) -> None:
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    found = faults(text)
    key = path.rpartition(".")[2]
    section = path.rpartition(".")[0]
    head = text.splitlines().index(f"[{section}]") + 1
    line = next(
        number
        for number, written in enumerate(text.splitlines(), 1)
        if number > head and written.startswith(f"{key} =")
    )
    assert any(fault.startswith(f"line {line}: {path}: ") for fault in found), found


def test_every_table_needs_a_source() -> None:
    text = TEXT.replace('source = "Desk rule: initiative counts in an agent\'s favour"\n', "")
    line = line_of("[criteria.initiative]")
    assert faults(text) == [f"line {line}: criteria.initiative.source: is missing"]
    assert (
        "must be a text that is not empty"
        in faults(
            TEXT.replace(
                'source = "Desk rule: initiative counts in an agent\'s favour"', 'source=" "'
            )
        )[0]
    )


def test_a_misspelt_key_is_not_ignored() -> None:
    found = faults(TEXT.replace("weight = 0.1\n", "wieght = 0.1\n"))
    assert any("criteria.initiative.weight: is missing" in fault for fault in found)
    assert any("criteria.initiative.wieght: is not known here" in fault for fault in found)


def test_all_faults_come_at_once() -> None:
    text = TEXT.replace("majority = 0.6", "majority = 7").replace("dwell = 2", "dwell = -1")
    assert len(faults(text)) == 2


def test_broken_toml_says_where() -> None:
    assert "line" in faults(TEXT + "\nx == 1")[0]


def test_weights_must_not_all_vanish() -> None:
    text = TEXT
    for weight in ("0.25", "0.1", "0.2"):
        text = text.replace(f"weight = {weight}\n", "weight = 0\n")
    assert any("at least one criterion" in fault for fault in faults(text))


def test_pseudo_criteria_thresholds_are_ordered() -> None:
    text = TEXT.replace("minimum_evidence = 4", "minimum_evidence = 4\nindifference = 5")
    assert any("criteria.quality.preference" in fault for fault in faults(text))
