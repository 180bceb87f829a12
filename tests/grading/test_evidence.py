"""Records → evidence: each criterion by hand, and what does not count."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from grading.errors import GradingError
from grading.evidence import Evidence, gather
from grading.policy import CRITERIA, GradePolicy
from grading.records import Records

DAY = date(2026, 6, 30)


def agents(*ids: str, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"agent_id": list(ids), **columns})


def cases(owner: list[str], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"agent_id": owner, **columns})


def codes(evidence: Evidence) -> list[str]:
    return [notice.code for notice in evidence.notices]


def test_what_nobody_recorded_is_missing_everywhere(policy: GradePolicy) -> None:
    evidence = gather(Records(agents("A", "B")), policy, DAY)
    for name in CRITERIA:
        frame = evidence.criteria[name]
        assert frame["n"].tolist() == [0, 0]
        assert frame[["value", "low", "high", "reliability"]].isna().all(axis=None)
        assert not frame["enough"].any()


def test_tenure_in_months_without_breaks(policy: GradePolicy) -> None:
    staff = agents(
        "A", "B", "C", "D",
        hired_on=pd.to_datetime(["2025-06-30", "2025-06-30", None, "2026-07-15"]),
        break_days=[0, 100, 0, 0],
    )  # fmt: skip
    evidence = gather(Records(staff), policy, DAY)
    frame = evidence.criteria["tenure"]
    # 365 days / 30.4375 = 11.992; 265 / 30.4375 = 8.706; unknown; hired later: 0
    assert frame["value"].tolist() == pytest.approx([11.99179, 8.70637, np.nan, 0], nan_ok=True)
    assert frame["n"].tolist() == [1, 1, 0, 1]
    assert codes(evidence) == ["hired_later"]


def test_resolution_needs_own_hand_and_no_reopening(policy: GradePolicy) -> None:
    frame = cases(
        ["A"] * 6,
        resolved=pd.array([True, True, True, False, True, None], dtype="boolean"),
        independent=pd.array([True, False, True, True, None, True], dtype="boolean"),
        reopened=pd.array([False, False, True, False, None, False], dtype="boolean"),
    )
    found = gather(Records(agents("A"), frame), policy, DAY).criteria["resolution"].loc["A"]
    # good: 1st and 5th (unknown parts are left out); bad: transferred, reopened, not resolved;
    # the 6th is not counted, since nobody knows whether it was resolved
    assert (found["n"], found["raw"]) == (5, 2 / 5)


def test_resolution_without_outcome_columns_is_missing(policy: GradePolicy) -> None:
    frame = cases(["A"] * 3, satisfaction=[5.0, 4.0, np.nan])
    evidence = gather(Records(agents("A"), frame), policy, DAY)
    assert evidence.criteria["resolution"].loc["A", "n"] == 0


def test_satisfaction_counts_surveys_only(policy: GradePolicy) -> None:
    frame = cases(["A"] * 5, satisfaction=[5.0, 4.0, 3.0, np.nan, np.nan])
    found = gather(Records(agents("A", "B"), frame), policy, DAY).criteria["satisfaction"]
    assert (found.loc["A", "n"], found.loc["A", "raw"]) == (3, 2 / 3)
    assert np.isnan(found.loc["B", "value"])
    assert 0 < found.loc["A", "low"] < found.loc["A", "value"] < found.loc["A", "high"] < 1


def test_value_is_the_beta_binomial_mean(policy: GradePolicy) -> None:
    owner = ["A"] * 10 + ["B"] * 40 + ["C"] * 30
    score = [5.0] * 10 + [5.0] * 30 + [1.0] * 10 + [5.0] * 20 + [1.0] * 10
    evidence = gather(Records(agents("A", "B", "C"), cases(owner, satisfaction=score)), policy, DAY)
    frame = evidence.criteria["satisfaction"]
    for agent, k, n in (("A", 10, 10), ("B", 30, 40), ("C", 20, 30)):
        row = frame.loc[agent]
        m = row["strength"]
        assert row["value"] == pytest.approx((k + m * row["usual"]) / (n + m), abs=1e-9)
        assert row["reliability"] == pytest.approx(n / (n + m))
    assert frame.loc["A", "value"] < 1


def test_harder_work_is_allowed_for(policy: GradePolicy) -> None:
    # A has the hard cases, B the easy ones; on the same kind A is better than B, raw it is worse
    rng = np.random.default_rng(1)
    owner = rng.choice(["A", "B"], 4000)
    hard = rng.random(4000) < np.where(owner == "A", 0.8, 0.1)
    good = rng.random(4000) < expit(1.2 + 0.5 * (owner == "A") - 2 * hard)
    frame = cases(owner.tolist(), resolved=good, priority=np.where(hard, "1", "4"))
    found = gather(Records(agents("A", "B"), frame), policy, DAY).criteria["resolution"]
    assert found.loc["A", "raw"] < found.loc["B", "raw"]
    assert found.loc["A", "value"] > found.loc["B", "value"]
    blind = gather(Records(agents("A", "B"), frame.drop(columns="priority")), policy, DAY)
    assert (
        blind.criteria["resolution"].loc["A", "value"]
        < blind.criteria["resolution"].loc["B", "value"]
    )


def test_records_after_the_day_of_assessment_do_not_count(policy: GradePolicy) -> None:
    days = pd.to_datetime(["2026-06-30 23:59", "2026-07-01 00:00", None])
    frame = cases(["A"] * 3, on=days, resolved=[True] * 3)
    reviews = pd.DataFrame({"agent_id": ["A"] * 3, "on": days, "score": [80.0] * 3})
    given = pd.DataFrame({"agent_id": ["A"] * 3, "on": days, "points": [1.0] * 3})
    evidence = gather(Records(agents("A"), frame, reviews, given), policy, DAY)
    for name in ("resolution", "quality", "initiative"):
        assert evidence.criteria[name].loc["A", "n"] == 2, name
    assert codes(evidence) == ["after_as_of"] * 3


def test_strangers_are_left_out_and_named(policy: GradePolicy) -> None:
    frame = cases(["A", "X", "Y", "X"], resolved=[True] * 4)
    for owner in (frame["agent_id"], frame["agent_id"].astype("category")):
        evidence = gather(Records(agents("A"), frame.assign(agent_id=owner)), policy, DAY)
        (notice,) = evidence.notices
        assert notice.code == "unknown_agents"
        assert notice.values["rows"] == 3
        assert notice.values["names"] == ["X", "Y"]
        assert evidence.criteria["resolution"].loc["A", "n"] == 1


def test_quality_is_corrected_for_the_reviewer(policy: GradePolicy) -> None:
    # both agents are worth 80; "strict" takes 6 points off and saw mostly A
    rng = np.random.default_rng(4)
    ids = [f"A{i:02d}" for i in range(30)]
    owner = np.repeat(ids, 20)
    strict = rng.random(600) < np.where(owner == "A00", 0.9, 0.4)
    score = 80 - 6.0 * strict + rng.normal(0, 2, 600)
    reviews = pd.DataFrame(
        {"agent_id": owner, "score": score, "reviewer": np.where(strict, "strict", "mild")}
    )
    evidence = gather(Records(agents(*ids), None, reviews), policy, DAY)
    effect = evidence.effects["quality reviewer"]
    assert effect["mild"] - effect["strict"] == pytest.approx(6, abs=0.6)
    row = evidence.criteria["quality"].loc["A00"]
    assert row["raw"] < 76.5
    assert row["value"] == pytest.approx(77.4, abs=0.8)  # 80 less the mean severity of 0.42 · 6


def disagreeing(pairs: int, noise: float) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    worth = rng.normal(80, 6, pairs)
    rows = [
        (f"A{i % 5}", reviewer, f"C{i}", float(np.clip(worth[i] + rng.normal(0, noise), 0, 100)))
        for i in range(pairs)
        for reviewer in ("P", "Q")
    ]
    return pd.DataFrame(rows, columns=["agent_id", "reviewer", "case_id", "score"])


@pytest.mark.parametrize(
    ("pairs", "noise", "code", "counts"),
    [
        (40, 30.0, ["quality_left_out"], False),
        (40, 1.0, ["agreement"], True),
        (19, 30.0, [], True),  # too few double-scored cases to judge the reviewers
    ],
)
def test_quality_is_left_out_when_reviewers_disagree(
    policy: GradePolicy, pairs: int, noise: float, code: list[str], counts: bool
) -> None:
    staff = agents(*(f"A{i}" for i in range(5)))
    evidence = gather(Records(staff, None, disagreeing(pairs, noise)), policy, DAY)
    assert codes(evidence) == code
    assert evidence.criteria["quality"]["enough"].all() == counts
    assert evidence.criteria["quality"]["value"].notna().all()


def test_initiative_is_capped_and_spread_over_the_months(policy: GradePolicy) -> None:
    rows = [
        ("A", "2026-06-15", "article", 9.0),  # capped at 5 a kind and month
        ("A", "2026-06-16", "coaching", 3.0),
        ("A", "2026-03-01", "swap", None),  # without points: 1
        ("B", "2026-06-01", "a", 5.0),
        ("B", "2026-06-02", "b", 5.0),
        ("B", "2026-06-03", "c", 5.0),  # all kinds together capped at 10 a month
        ("B", "2025-06-01", "a", 5.0),  # more than twelve months ago
    ]
    given = pd.DataFrame(rows, columns=["agent_id", "on", "kind", "points"])
    given["on"] = pd.to_datetime(given["on"])
    records = Records(agents("A", "B", "C"), None, None, given)
    frame = gather(records, policy, DAY).criteria["initiative"]
    # A: (5 + 3 + 1) / 12 months; B: 10 / 12 months; C: nothing recorded is not nothing done
    assert frame["raw"].tolist() == pytest.approx([9 / 12, 10 / 12, np.nan], nan_ok=True)
    assert frame["n"].tolist() == [3, 3, 0]


def test_below_the_minimum_evidence_is_shown_but_not_enough(policy: GradePolicy) -> None:
    need = policy.criteria["satisfaction"].minimum_evidence
    frame = cases(["A"] * (need - 1) + ["B"] * need, satisfaction=5.0)
    found = gather(Records(agents("A", "B"), frame), policy, DAY).criteria["satisfaction"]
    assert found["value"].notna().all()
    assert found["enough"].tolist() == [False, True]


def test_order_and_names_change_nothing(policy: GradePolicy) -> None:
    rng = np.random.default_rng(6)
    ids = [f"A{i:02d}" for i in range(12)]
    frame = cases(
        rng.choice(ids, 800).tolist(),
        resolved=rng.random(800) < 0.8,
        satisfaction=rng.choice([1.0, 3.0, 5.0, np.nan], 800),
        category=rng.choice(["a", "b", "c"], 800),
    )
    reviews = pd.DataFrame(
        {
            "agent_id": rng.choice(ids, 80),
            "score": rng.normal(80, 5, 80).round(1),
            "reviewer": rng.choice(["P", "Q"], 80),
        }
    )
    plain = gather(Records(agents(*ids), frame, reviews), policy, DAY)
    shuffled = gather(
        Records(agents(*ids[::-1]), frame.sample(frac=1, random_state=1), reviews[::-1]),
        policy, DAY,
    )  # fmt: skip
    rename = {name: f"Z{99 - i}" for i, name in enumerate(ids)}
    renamed = gather(
        Records(
            agents(*rename.values()),
            frame.assign(agent_id=frame["agent_id"].map(rename)),
            reviews.assign(agent_id=reviews["agent_id"].map(rename)),
        ),
        policy, DAY,
    )  # fmt: skip
    for name in CRITERIA:
        pd.testing.assert_frame_equal(plain.criteria[name], shuffled.criteria[name], rtol=1e-9)
        back = renamed.criteria[name].loc[[rename[i] for i in ids]]
        assert np.allclose(
            plain.criteria[name]["value"], back["value"].to_numpy(), rtol=1e-8, equal_nan=True
        )


def test_wrong_frames_are_refused_with_all_faults(policy: GradePolicy) -> None:
    with pytest.raises(GradingError) as caught:
        gather(
            Records(agents("A", "A"), cases(["A"], satisfaction=[9.0]),
                    pd.DataFrame({"agent_id": ["A"], "score": [101.0]})),
            policy, DAY,
        )  # fmt: skip
    assert str(caught.value).splitlines() == [
        "agents: an agent_id occurs twice",
        "satisfaction: must lie between 1 and 5",
        "score: must lie between 0 and 100",
    ]
    with pytest.raises(GradingError, match="cases: column agent_id is missing"):
        gather(Records(agents("A"), pd.DataFrame({"x": [1]})), policy, DAY)


def test_empty_frames_are_no_evidence(policy: GradePolicy) -> None:
    nothing = cases([], resolved=[], satisfaction=[], category=[])
    reviews = pd.DataFrame({"agent_id": [], "score": []})
    given = pd.DataFrame({"agent_id": [], "points": []})
    evidence = gather(Records(agents("A"), nothing, reviews, given), policy, DAY)
    assert all((frame["n"] == 0).all() for frame in evidence.criteria.values())


def test_one_agent_all_good_on_one_category(policy: GradePolicy) -> None:
    frame = cases(["A"] * 30, resolved=True, satisfaction=5.0, category="net")
    evidence = gather(Records(agents("A"), frame), policy, DAY)
    for name in ("resolution", "satisfaction"):
        row = evidence.criteria[name].loc["A"]
        assert row["low"] < row["value"] < 1
        assert np.isfinite(row["precision"])


def test_the_mean_of_all_is_uncertain_too_and_weighs_most_on_who_has_few_records(
    policy: GradePolicy,
) -> None:
    # 40 agents of one category, so the case mix shifts nobody; 10 to 200 cases each
    names = [f"A{number:02}" for number in range(40)]
    sizes = [10 + 190 * number // 39 for number in range(40)]
    kept = [size * (3 + number % 7) // 10 for number, size in enumerate(sizes)]
    owner = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    resolved = [i < k for size, k in zip(sizes, kept, strict=True) for i in range(size)]
    frame = cases(owner, resolved=resolved, category="net")
    found = gather(Records(agents(*names), frame), policy, DAY).criteria["resolution"]
    value, trust = found["value"], found["reliability"]
    # 1/precision = 1/(n + strength) + (1 - trust)² · variance of the mean · value (1 - value)
    beyond = 1 / found["precision"] - 1 / (found["n"] + found["strength"])
    variance = beyond / ((1 - trust) ** 2 * value * (1 - value))
    assert variance.min() > 0
    assert variance.max() == pytest.approx(variance.min(), rel=1e-6)


def test_whoever_begins_on_the_day_of_assessment_is_not_hired_later(policy: GradePolicy) -> None:
    evidence = gather(Records(agents("A", hired_on=pd.Timestamp(DAY))), policy, DAY)
    assert "hired_later" not in codes(evidence)
    assert evidence.criteria["tenure"].loc["A", "value"] < 1 / 28
