"""What counts is data: each part of a definition where it decides, and where it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from grading.definitions import KNOWN
from grading.errors import GradingError
from grading.evidence import Evidence, gather
from grading.policy import CRITERIA, Criterion, GradePolicy, load_policy
from grading.records import Records

DAY = date(2026, 6, 30)
TEXT = (resources.files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")


def gathered(policy: GradePolicy, **columns: object) -> Evidence:
    cases = pd.DataFrame(columns)
    return gather(Records(pd.DataFrame({"agent_id": ["A", "B"]}), cases), policy, DAY)


def counts(evidence: Evidence, name: Criterion = "resolution") -> list[tuple[int, float]]:
    frame = evidence.criteria[name]
    return [(int(n), round(float(raw), 4)) for n, raw in zip(frame["n"], frame["raw"], strict=True)]


def defined(policy: GradePolicy, name: Criterion = "resolution", **changes: object) -> GradePolicy:
    rule = policy.criteria[name]
    new = replace(rule, definition=replace(rule.definition, **changes))
    return replace(policy, criteria=policy.criteria | {name: new})


def test_a_reopening_counts_within_the_days_the_policy_names(policy: GradePolicy) -> None:
    # 14 days: reopened after 3 and after 14 days count against A, after 15 does not; of B's two
    # reopenings one has no day and counts
    evidence = gathered(
        policy,
        agent_id=["A"] * 4 + ["B"] * 2,
        resolved=True,
        reopened=[True, True, True, False, True, True],
        reopened_after_days=[3.0, 14.0, 15.0, np.nan, np.nan, 40.0],
    )
    assert counts(evidence) == [(4, 0.5), (2, 0.5)]
    assert evidence.beside["reopened_share"].tolist() == [0.5, 0.5]


def test_handing_up_by_rule_is_left_out(policy: GradePolicy) -> None:
    given = {
        "agent_id": ["A"] * 4 + ["B"],
        "resolved": True,
        "independent": [True, False, False, True, False],
        "handed_up": pd.array([False, True, False, None, True], dtype="boolean"),
    }
    assert counts(gathered(policy, **given))[0] == (3, 0.6667)  # B is left with no case at all
    assert gathered(policy, **given).criteria["resolution"]["n"].tolist() == [3, 0]
    strict = defined(policy, exclusions=())
    assert counts(gathered(strict, **given)) == [(4, 0.5), (1, 0.0)]
    assert gathered(policy, **given).beside["handed_up"].tolist() == [1, 1]


def test_the_numerator_says_what_solving_takes(policy: GradePolicy) -> None:
    given = {
        "agent_id": ["A"] * 4,
        "resolved": [True, True, True, False],
        "independent": [True, False, True, True],
        "reopened": [False, False, True, False],
    }
    for parts, share in (
        (("resolved", "independent", "not_reopened"), 0.25),
        (("resolved", "independent"), 0.5),
        (("resolved",), 0.75),
        (("not_reopened",), 0.75),
    ):
        evidence = gathered(defined(policy, numerator=parts), **given)
        assert counts(evidence)[0] == (4, share), parts


def test_a_window_leaves_older_records_out(policy: GradePolicy) -> None:
    # three months of 30.4375 days before 30 June: 31 March (91 days) is inside, 30 March is not
    given = {
        "agent_id": ["A"] * 3,
        "resolved": [True, False, True],
        "satisfaction": [5.0, 1.0, 5.0],
        "on": pd.to_datetime(["2026-06-01", "2026-03-31", "2026-03-30"]),
    }
    for name in ("resolution", "satisfaction"):
        evidence = gathered(defined(policy, name, window_months=3), **given)
        assert counts(evidence, name)[0] == (2, 0.5)
        assert counts(gathered(policy, **given), name)[0] == (3, 0.6667)


def test_breaks_are_taken_off_when_the_policy_excludes_them(policy: GradePolicy) -> None:
    staff = pd.DataFrame(
        {"agent_id": ["A"], "hired_on": pd.to_datetime(["2025-06-30"]), "break_days": [100]}
    )
    months = [
        gather(Records(staff), one, DAY).criteria["tenure"]["value"].iloc[0]
        for one in (policy, defined(policy, "tenure", exclusions=()))
    ]
    assert months == pytest.approx([265 / 30.4375, 365 / 30.4375])


def test_what_is_shown_beside_the_value(policy: GradePolicy) -> None:
    # A: five closed cases, two surveys answered; hard from difficulty 4 or of tier senior;
    # one case says nothing of its difficulty. B has no case.
    evidence = gathered(
        policy,
        agent_id=["A"] * 6,
        resolved=pd.array([True, True, True, False, True, None], dtype="boolean"),
        satisfaction=[5.0, np.nan, 1.0, np.nan, np.nan, 4.0],
        difficulty=[4.0, 1.0, 3.0, 2.0, np.nan, np.nan],
        tier=["ordinary", "senior", "ordinary", "", "", ""],
    )
    row = evidence.beside.loc["A"]
    assert (row["handled"], row["response_rate"]) == (5, 0.4)
    assert (row["hard_of"], row["hard_share"]) == (4, 0.5)
    assert evidence.beside.loc["B", ["response_rate", "hard_share"]].isna().all()
    # surveys alone do not tell how many were asked
    alone = gathered(policy, agent_id=["A"], satisfaction=[5.0])
    assert alone.beside["response_rate"].isna().all()


def test_adjusted_values_stand_beside_raw_ones(policy: GradePolicy) -> None:
    rng = np.random.default_rng(3)
    # A has the hard half of the work (40 %), B the easy half (80 %), a hundred colleagues both
    agents = [f"C{i:02d}" for i in range(100)]
    owner = ["A"] * 200 + ["B"] * 200 + [a for a in agents for _ in range(40)]
    hard = [True] * 200 + [False] * 200 + [i % 2 == 0 for i in range(4000)]
    done = rng.random(len(owner)) < np.where(hard, 0.4, 0.8)
    cases = pd.DataFrame(
        {"agent_id": owner, "resolved": done, "category": np.where(hard, "x", "y")}
    )
    staff = pd.DataFrame({"agent_id": ["A", "B", *agents]})
    frame = gather(Records(staff, cases), policy, DAY).criteria["resolution"]
    assert frame.loc["B", "raw"] - frame.loc["A", "raw"] > 0.3
    assert abs(frame.loc["B", "adjusted"] - frame.loc["A", "adjusted"]) < 0.15
    everything = gathered(policy, agent_id=["A"], resolved=[True])
    assert everything.criteria["resolution"]["adjusted"].iloc[0] == 1


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"not_reopened"]', '"not_late"]', "criteria.resolution.definition.numerator"),
        ('["corrected_score"]', "[]", "criteria.quality.definition.numerator"),
        ('denominator = "reviews"', 'denominator = "cases"', "criteria.quality.definition"),
        ('"handed_up_by_rule"', '"bad_days"', "criteria.resolution.definition.exclusions"),
        ("review_days = 10", "review_days = 0", "cycle.review_days"),
        ("least_ratio = 0.8", "least_ratio = 2", "fairness.least_ratio"),
        ("reopened_within_days = 14", "reopened_within_days = 1.5", "resolution.reopened"),
        ('hard_tiers = ["senior", "expert"]', 'hard_tiers = ["boss"]', "resolution.hard_tiers"),
        ("calibration_cases = 30", "calibration_cases = 0", "reviews.calibration_cases"),
    ],
)
def test_wrong_definitions_name_their_line(old: str, new: str, path: str) -> None:
    assert old in TEXT
    line = TEXT[: TEXT.index(old)].count("\n") + 1
    with pytest.raises(GradingError) as caught:
        load_policy(TEXT.replace(old, new, 1))
    first = str(caught.value).splitlines()[0]
    assert first.startswith(f"line {line}: {path}")


def test_every_criterion_can_be_defined() -> None:
    assert set(KNOWN) == set(CRITERIA)
