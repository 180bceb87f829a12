"""Explanations come from the numbers that decided, and their what-ifs come true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grading import wording
from grading.assess import DECISIONS, VERDICTS, assess
from grading.changes import Change
from grading.errors import GradingError
from grading.evidence import Evidence, Notice
from grading.explain import Explanation, explain, explain_many, plain_averages
from grading.policy import CRITERIA, GRADES, GradePolicy

Known = Callable[..., Evidence]
Held = Callable[..., pd.DataFrame]


def explained(
    evidence: Evidence, policy: GradePolicy, history: pd.DataFrame | None = None
) -> Explanation:
    return explain("A0", evidence, policy, assess(evidence, policy, history), history)


def with_value(evidence: Evidence, change: Change) -> Evidence:
    frame = evidence.criteria[change.criterion].copy()
    if change.records is not None:
        grown = frame["n"] + frame["strength"] + change.records
        frame["precision"] = frame["precision"] * grown / (frame["n"] + frame["strength"])
        frame["n"] = frame["n"] + change.records
    frame["value"] = change.needed
    return replace(evidence, criteria=evidence.criteria | {change.criterion: frame})


AGENT = {
    "tenure": 30, "resolution": (0.78, 150), "quality": (82, 0.3), "satisfaction": (0.79, 60),
}  # fmt: skip


def test_the_cases_for_each_grade_carry_their_numbers(known: Known, policy: GradePolicy) -> None:
    found = explained(known(AGENT), policy)
    senior, expert = found.cases
    assert (senior.grade, senior.side, expert.grade) == ("senior", "entry", "expert")
    by_name = {reason.criterion: reason for reason in senior.reasons}
    assert list(by_name) == list(CRITERIA)
    assert by_name["initiative"].verdict == "missing"
    quality = by_name["quality"]
    assert (quality.value, quality.limit, quality.n, quality.verdict) == (82, 80, 100, "for")
    assert quality.probability == pytest.approx(0.863, abs=0.001)  # Φ(2 · √0.3) = Φ(1.095)
    assert found.probabilities["senior"] + found.probabilities["expert"] == pytest.approx(
        senior.probability
    )


@pytest.mark.parametrize("grade", [None, "senior", "expert"])
def test_every_change_named_comes_true_and_none_smaller_does(
    known: Known, held: Held, policy: GradePolicy, grade: str | None
) -> None:
    history = held(grade)
    evidence = known(AGENT)
    now = GRADES.index(assess(evidence, policy, history).table["grade"].iloc[0])
    found = explained(evidence, policy, history)
    assert found.lifts or found.drops
    for change in (*found.lifts, *found.drops):
        after = assess(with_value(evidence, change), policy, history).table["grade"].iloc[0]
        moved = GRADES.index(after) - now
        assert moved > 0 if change.direction == "lift" else moved < 0, change
        if change.records is None:
            less = replace(change, needed=change.needed + 0.002 * (change.now - change.needed))
            before = assess(with_value(evidence, less), policy, history).table["grade"].iloc[0]
            assert GRADES.index(before) == now, change
    efforts = [change.effort for change in found.lifts]
    assert efforts == sorted(efforts)


def test_more_records_at_the_present_level_can_lift(known: Known, policy: GradePolicy) -> None:
    evidence = known({"satisfaction": (0.83, 60), "resolution": 0.95}, n=40)
    frame = evidence.criteria["satisfaction"]
    frame["usual"], frame["strength"] = 0.80, 20.0
    evidence.criteria["resolution"]["strength"] = np.nan
    changes = [c for c in explained(evidence, policy).lifts if c.records]
    assert len(changes) == 1
    assert changes[0].criterion == "satisfaction"
    # the present level is 0.83 + 0.03 · 20 / 40 = 0.845, so more surveys raise the value too
    assert 0.83 < changes[0].needed < 0.845


def test_a_block_leaves_nothing_to_change(known: Known, held: Held, policy: GradePolicy) -> None:
    history = held("senior", cycles=[0])
    found = explained(known(AGENT | {"quality": 95, "satisfaction": 0.95}), policy, history)
    assert found.lifts == ()


def test_plain_average_ignores_uncertainty_and_floors(known: Known, policy: GradePolicy) -> None:
    # quality 74 of 80 → 0.925; resolution 0.85 → 2; satisfaction 0.88 → 2; weights .25 .25 .2:
    # (0.925 · .25 + 2 · .25 + 2 · .2) / .7 = 1.616 → senior, though the floor of quality is 75
    evidence = known({"quality": 74, "resolution": 0.85, "satisfaction": 0.88})
    assert plain_averages(evidence, policy) == ["senior"]
    assert assess(evidence, policy).table["grade"].iloc[0] == "ordinary"
    assert plain_averages(known({}), policy) == [None]


def test_unknown_agents_have_no_explanation(known: Known, policy: GradePolicy) -> None:
    evidence = known(AGENT)
    with pytest.raises(GradingError, match="no agent 'B7'"):
        explain("B7", evidence, policy, assess(evidence, policy))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_languages_say_the_same(known: Known, policy: GradePolicy, language: str) -> None:
    found = explained(known(AGENT), policy)
    text = wording.explanation_text(found, policy, language)
    for shown in ("78.0 %", "82.0", "79.0 %", f"{100 * found.probabilities['senior']:.0f} %"):
        assert shown in text
    assert policy.title[language] in text
    line = wording.short_reasons(assess(known(AGENT), policy), language).iloc[0]
    assert all(wording.CRITERION[language][name] in line for name in CRITERIA)


def test_no_word_is_missing_in_either_language() -> None:
    tables = [wording.GRADE, wording.CRITERION, wording.VERDICT, wording.DECISION, wording.BLOCK,
              wording.RECORD, wording.KIND, wording.NOTICE]  # fmt: skip
    for table in tables:
        assert set(table["en"]) == set(table["zh"])
    assert set(wording.VERDICT["en"]) == set(VERDICTS) - {"not_counted"}
    assert set(wording.DECISION["en"]) == set(DECISIONS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_notices_read_well(language: str) -> None:
    strangers = Notice(
        "unknown_agents", {"kind": "cases", "rows": 9, "agents": 7, "names": ["X", "Y"]}
    )
    text = wording.notice_text(strangers, language)
    assert "9" in text
    assert "X" in text
    assert text.endswith("…")
    quota = wording.notice_text(
        Notice("quota", {"grade": "expert", "share": 0.301, "limit": 0.2}), language
    )
    assert "30.1 %" in quota


def test_many_at_once_are_explained_like_one_by_one(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    agents = [
        AGENT, {}, {"quality": (86, 0.2), "resolution": (0.84, 90)}, AGENT | {"tenure": 3},
        {"satisfaction": (0.83, 60)}, AGENT | {"quality": (79, 0.1), "satisfaction": (0.7, 40)},
    ]  # fmt: skip
    evidence = known(*agents, n=15)
    history = held(
        "senior", None, "ordinary", "senior", "ordinary", "expert", cycles=[2, 0, 9, 9, 1, 3]
    )
    proposed = assess(evidence, policy, history)
    ids = ["A5", "A0", "A2", "A1", "A4", "A3"]
    many = explain_many(ids, evidence, policy, proposed, history)
    assert many == [explain(one, evidence, policy, proposed, history) for one in ids]
    assert [one.agent_id for one in many] == ids
    assert sum(len(one.lifts) for one in many) >= 2
    assert sum(len(one.drops) for one in many) >= 2


def test_more_reviews_do_not_lift_while_quality_is_left_out(
    known: Known, policy: GradePolicy
) -> None:
    alone = replace(policy, coverage=replace(policy.coverage, senior=0))
    evidence = known({"quality": (81, 0.3), "tenure": 30}, n=10)
    frame = evidence.criteria["quality"]
    frame["usual"], frame["strength"] = 75.0, 20.0
    lifted = [c.criterion for c in explained(evidence, alone).lifts if c.records]
    assert lifted == ["quality"]
    frame["enough"] = False  # ten reviews are enough; the reviewers disagreed
    assert [c for c in explained(evidence, alone).lifts if c.records] == []
