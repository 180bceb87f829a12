"""Each rule of the policy alone: where it decides, and where it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.assess import assess
from grading.deserve import probability_of
from grading.errors import GradingError
from grading.evidence import Evidence
from grading.policy import GRADES, GradePolicy, Limits
from grading.sorting import majority_sort

Known = Callable[..., Evidence]
Held = Callable[..., pd.DataFrame]

GOOD = {"tenure": 48, "resolution": 0.9, "quality": 92, "initiative": 3, "satisfaction": 0.93}
POOR = {"tenure": 48, "resolution": 0.3, "quality": 50, "initiative": 0, "satisfaction": 0.4}


def decided(evidence: Evidence, policy: GradePolicy, history: pd.DataFrame | None = None) -> list:
    table = assess(evidence, policy, history).table
    return list(zip(table["grade"], table["decision"], table["block"], strict=True))


def chance(evidence: Evidence, policy: GradePolicy, grade: str = "senior") -> float:
    return float(probability_of(evidence, policy, grade, "entry")[0])


def test_one_step_at_a_time_up_and_down(known: Known, held: Held, policy: GradePolicy) -> None:
    up = known(GOOD, GOOD, GOOD, GOOD)
    history = held("ordinary", "senior", "expert", None)
    assert decided(up, policy, history) == [
        ("senior", "rise", ""), ("expert", "rise", ""), ("expert", "keep", ""),
        ("senior", "rise", ""),
    ]  # fmt: skip
    down = known(POOR, POOR, POOR)
    assert decided(down, policy, held("ordinary", "senior", "expert")) == [
        ("ordinary", "keep", ""), ("ordinary", "fall", ""), ("senior", "fall", ""),
    ]  # fmt: skip


def test_new_agents_begin_at_the_start_grade(known: Known, policy: GradePolicy) -> None:
    table = assess(known(GOOD), policy).table
    assert table.loc["A0", "previous_grade"] == ""
    assert table.loc["A0", "present_grade"] == "ordinary"
    higher = replace(policy, decision=replace(policy.decision, start="senior"))
    assert assess(known(GOOD), higher).table.loc["A0", "grade"] == "expert"


def test_majority_of_the_weight_that_has_evidence(known: Known, policy: GradePolicy) -> None:
    # resolution 0.25 + satisfaction 0.2 of 0.7 (quality 0.25 against): 0.643 ≥ 0.6
    enough = {"resolution": 0.9, "satisfaction": 0.9, "quality": 78}
    assert chance(known(enough), policy) == pytest.approx(1)
    # quality 0.25 + satisfaction 0.2 for is also 0.643; satisfaction alone is 0.286
    few = {"resolution": 0.7, "satisfaction": 0.9, "quality": 78}
    assert chance(known(few), policy) == pytest.approx(0)


def test_the_combinations_are_summed_exactly(known: Known, policy: GradePolicy) -> None:
    # three criteria each reached with probability p, q, r; any two carry the majority
    plain = replace(
        policy,
        criteria={
            name: replace(rule, floor=Limits(), veto=Limits())
            for name, rule in policy.criteria.items()
        },
    )
    evidence = known({"resolution": (0.8, 40), "satisfaction": (0.78, 60), "quality": (82, 0.1)})
    p, q, r = (
        float(evidence.at_least(name, limit)[0])
        for name, limit in (("resolution", 0.75), ("satisfaction", 0.8), ("quality", 80))
    )
    by_hand = p * q * r + p * q * (1 - r) + p * (1 - q) * r + (1 - p) * q * r
    assert chance(evidence, plain) == pytest.approx(by_hand, abs=1e-12)


def test_missing_evidence_counts_neither_for_nor_against(known: Known, policy: GradePolicy) -> None:
    good = {"resolution": 0.9, "satisfaction": 0.9}
    poor = {"resolution": 0.5, "satisfaction": 0.6}
    for given_, expected in ((good, 1), (poor, 0)):
        assert chance(known(given_), policy) == pytest.approx(expected)
    # quality unknown: its floor and veto do not bite either
    assert chance(known(good | {"quality": 50}), policy) == pytest.approx(0)


def test_without_any_evidence_all_grades_are_alike(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    table = assess(known({}, {}), policy, held("ordinary", "expert")).table
    for grade in GRADES:
        assert table[f"probability_{grade}"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert table["grade"].tolist() == ["ordinary", "expert"]
    assert table["decision"].tolist() == ["undecided", "undecided"]


def test_thin_evidence_neither_lifts_nor_drops(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    evidence = known(GOOD, POOR)
    for frame in evidence.criteria.values():
        frame["enough"] = False
    assert [d for _, d, _ in decided(evidence, policy, held("ordinary", "senior"))] == [
        "undecided", "undecided",
    ]  # fmt: skip


def test_tenure_is_necessary_but_never_sufficient(known: Known, policy: GradePolicy) -> None:
    work = {"resolution": 0.9, "quality": 92, "satisfaction": 0.93}
    assert chance(known(work | {"tenure": 5.9}), policy) == pytest.approx(0)  # floor: 6 months
    assert chance(known(work | {"tenure": 6.0}), policy) == pytest.approx(1)
    # 30 years do not help: resolution alone is 0.25 of 0.45 work, with tenure it is 0.45 of 0.65
    veteran = {"tenure": 360, "resolution": 0.9, "satisfaction": 0.7}
    assert chance(known(veteran), policy) == pytest.approx(0)
    rule = replace(policy.criteria["tenure"], companion=False)
    carried = replace(policy, criteria=policy.criteria | {"tenure": rule})
    assert chance(known(veteran), carried) == pytest.approx(1)


def test_initiative_speaks_only_for(known: Known, policy: GradePolicy) -> None:
    # 0.45 of 0.7 without it; as an opponent it would make 0.45 of 0.8
    work = {"resolution": 0.9, "satisfaction": 0.9, "quality": 78}
    assert chance(known(work | {"initiative": 0.1}), policy) == pytest.approx(1)
    rule = replace(policy.criteria["initiative"], only_for=False)
    strict = replace(policy, criteria=policy.criteria | {"initiative": rule})
    assert chance(known(work | {"initiative": 0.1}), strict) == pytest.approx(0)
    # and for it does speak: 0.35 of 0.8 without, 0.35 + 0.1 of 0.8 … still short; with quality on
    # the other side 0.25 + 0.1 of 0.6 = 0.583 is short, 0.25 + 0.2 + 0.1 of 0.8 = 0.6875 is not
    assert chance(known(work | {"initiative": 2.0, "quality": 76}), policy) == pytest.approx(1)


def test_the_floor_of_quality_is_asked_of_those_who_rise(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    others = {"resolution": 0.9, "satisfaction": 0.93, "tenure": 48}
    assert chance(known(others | {"quality": 74.9}), policy) == pytest.approx(0)
    assert chance(known(others | {"quality": 75.1}), policy) == pytest.approx(1)
    # who holds the grade is judged by the exit profile, which has no floor
    kept = decided(known(others | {"quality": 74.9}), policy, held("senior"))
    assert kept[0][0] == "senior"


def test_a_veto_takes_a_grade_away(known: Known, held: Held, policy: GradePolicy) -> None:
    others = {"resolution": 0.9, "satisfaction": 0.93, "tenure": 48}
    assert decided(known(others | {"quality": 59}), policy, held("senior")) == [
        ("ordinary", "fall", "")
    ]
    assert decided(known(others | {"quality": 61}), policy, held("senior"))[0][0] == "senior"


def test_a_held_grade_is_judged_by_its_exit_profile(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    between = {"resolution": 0.72, "satisfaction": 0.77, "quality": 77}
    history = held("ordinary", "senior")
    assert [g for g, _, _ in decided(known(between, between), policy, history)] == [
        "ordinary", "senior",
    ]  # fmt: skip


def test_confidence_to_rise_and_to_fall(known: Known, held: Held, policy: GradePolicy) -> None:
    alone = replace(policy, coverage=replace(policy.coverage, senior=0, fall=0))
    sure = known({"satisfaction": (0.86, 60)}, {"satisfaction": (0.83, 60)})
    p = sure.at_least("satisfaction", 0.8)
    assert p[0] > 0.8 > p[1] > 0.2
    assert [d for _, d, _ in decided(sure, alone)] == ["rise", "undecided"]
    low = known({"satisfaction": (0.68, 60)}, {"satisfaction": (0.72, 60)})
    q = low.at_least("satisfaction", 0.74)
    assert q[0] < 0.2 < q[1] < 0.8
    assert [d for _, d, _ in decided(low, alone, held("senior", "senior"))] == [
        "fall", "undecided",
    ]  # fmt: skip


def test_coverage_keeps_a_small_part_of_the_work_from_deciding(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    # of 0.8 work: satisfaction 0.2 is 0.25, with resolution 0.25 it is 0.5625, with quality 0.875
    one, two, three = (
        {"tenure": 48, "satisfaction": 0.95},
        {"tenure": 48, "satisfaction": 0.95, "resolution": 0.95},
        {"tenure": 48, "satisfaction": 0.95, "resolution": 0.95, "quality": 95},
    )
    evidence = known(one, two, two, three)
    assert decided(evidence, policy, held("ordinary", "ordinary", "senior", "senior")) == [
        ("ordinary", "blocked", "coverage"), ("senior", "rise", ""),
        ("senior", "blocked", "coverage"), ("expert", "rise", ""),
    ]  # fmt: skip
    # to take a grade away 0.3 is asked: resolution (0.3125) can alone, satisfaction (0.25) cannot
    poor = known({"satisfaction": 0.3}, {"resolution": 0.2})
    assert decided(poor, policy, held("senior", "senior")) == [
        ("senior", "blocked", "coverage"), ("ordinary", "fall", ""),
    ]  # fmt: skip


def test_years_of_service_lift_nobody_without_work_to_show(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    veteran = {"tenure": 360, "initiative": 9.0}
    assert decided(known(veteran), policy, held("ordinary"))[0][0] == "ordinary"


def test_unknown_service_is_missing_on_either_side(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    # tenure has no exit profile: known, it does not count for keeping a grade; unknown, it is
    # still said to be missing
    evidence = known({"quality": 90}, {"quality": 90, "tenure": 20}, {"quality": 90})
    found = assess(evidence, policy, held("expert", "expert", "ordinary")).verdicts["tenure"]
    assert found.tolist() == ["missing", "not_counted", "missing"]


def test_dwell_and_serious_events(known: Known, held: Held, policy: GradePolicy) -> None:
    evidence = known(GOOD, GOOD, GOOD, POOR)
    history = held(
        "senior", "senior", "senior", "senior", cycles=[1, 2, 5, 1], serious_events=[0, 0, 1, 1]
    )
    assert decided(evidence, policy, history) == [
        ("senior", "blocked", "dwell"),
        ("expert", "rise", ""),
        ("senior", "blocked", "serious_event"),
        ("senior", "blocked", "dwell"),
    ]


def test_quotas_only_warn(known: Known, policy: GradePolicy) -> None:
    evidence = known(*[GOOD] * 4)
    found = assess(evidence, policy)
    assert (found.table["grade"] == "senior").all()
    assert [(n.code, n.values["grade"]) for n in found.notices] == [("quota", "senior")]
    open_ = replace(policy, quota=Limits())
    assert assess(evidence, open_).notices == ()


def test_known_values_are_sorted_as_mr_sort_does(known: Known, policy: GradePolicy) -> None:
    names = ["resolution", "quality", "satisfaction"]
    rng = np.random.default_rng(1)
    values = np.column_stack(
        [rng.uniform(0.3, 1, 200), rng.uniform(55, 100, 200), rng.uniform(0.4, 1, 200)]
    )
    rules = {
        name: replace(rule, floor=Limits(), companion=False, only_for=False)
        for name, rule in policy.criteria.items()
    }
    plain = replace(policy, criteria=rules)
    evidence = known(*[dict(zip(names, row, strict=True)) for row in values])
    weights = [rules[name].weight for name in names]
    sorted_ = majority_sort(
        values,
        [[rules[n].entry.of(g) for n in names] for g in ("senior", "expert")],
        weights,
        0.6 * sum(weights),
        [[rules[n].veto.of(g) for n in names] for g in ("senior", "expert")],
    )
    senior = probability_of(evidence, plain, "senior", "entry")
    expert = probability_of(evidence, plain, "expert", "entry")
    assert np.array_equal(np.round(senior) + np.round(expert), sorted_)


def test_wrong_histories_are_refused(known: Known, policy: GradePolicy) -> None:
    with pytest.raises(GradingError, match="no such grade: boss"):
        assess(known(GOOD), policy, pd.DataFrame({"agent_id": ["A0"], "grade": ["boss"]}))
    with pytest.raises(GradingError, match="twice"):
        assess(known(GOOD), policy, pd.DataFrame({"agent_id": ["A0"] * 2, "grade": [None] * 2}))


def test_outranking_with_pseudo_criteria(known: Known, policy: GradePolicy) -> None:
    electre = replace(policy, decision=replace(policy.decision, method="electre-tri-b"))
    sharp = known(GOOD, POOR, {"resolution": 0.9, "satisfaction": 0.9, "quality": 78})
    exact = probability_of(sharp, policy, "senior", "entry")
    assert probability_of(sharp, electre, "senior", "entry") == pytest.approx(exact)
    # quality one point short: nothing by majority, half agreed to within q = 0 and p = 2
    near = known({"quality": 79, "resolution": 0.7, "satisfaction": 0.9})
    assert chance(near, electre) == pytest.approx(0)
    rule = replace(policy.criteria["quality"], preference=4.0)
    soft = replace(electre, criteria=policy.criteria | {"quality": rule})
    # (0.75 · 0.25 + 0.2) / 0.7 = 0.554 < 0.6; with p = 8: (0.875 · 0.25 + 0.2) / 0.7 = 0.598
    assert chance(near, soft) == pytest.approx(0)
    softer = replace(
        electre, criteria=policy.criteria | {"quality": replace(rule, preference=10.0)}
    )
    assert chance(near, softer) == pytest.approx(1)  # (0.9 · 0.25 + 0.2) / 0.7 = 0.607


amounts = st.fixed_dictionaries(
    {},
    optional={
        "tenure": st.floats(0, 80),
        "resolution": st.tuples(st.floats(0.02, 0.98), st.floats(5, 400)),
        "quality": st.tuples(st.floats(40, 100), st.floats(0.005, 1)),
        "initiative": st.tuples(st.floats(0, 8), st.floats(0.5, 50)),
        "satisfaction": st.tuples(st.floats(0.02, 0.98), st.floats(5, 400)),
    },
)
WIDTH = {"tenure": 90, "resolution": 0.98, "quality": 100, "initiative": 8, "satisfaction": 0.98}
MODEST = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MODEST
@given(st.data(), amounts, st.sampled_from([None, *GRADES]), st.booleans())
def test_better_on_any_criterion_never_lowers_a_grade(
    known: Known,
    held: Held,
    policy: GradePolicy,
    data: st.DataObject,
    agent: dict,
    grade: str | None,
    pseudo: bool,
) -> None:
    if not agent:
        return
    if pseudo:
        policy = replace(policy, decision=replace(policy.decision, method="electre-tri-b"))
    name = data.draw(st.sampled_from(sorted(agent)))
    now = agent[name]
    value = now[0] if isinstance(now, tuple) else now
    more = value + data.draw(st.floats(0, 1)) * (WIDTH[name] - value)
    better = agent | {name: (more, now[1]) if isinstance(now, tuple) else more}
    table = assess(known(agent, better), policy, held(grade, grade)).table
    ranks = [GRADES.index(g) for g in table["grade"]]
    assert ranks[1] >= ranks[0]
    assert table["probability_ordinary"].iloc[1] <= table["probability_ordinary"].iloc[0] + 1e-9
    assert table["probability_expert"].iloc[1] >= table["probability_expert"].iloc[0] - 1e-9


@MODEST
@given(st.lists(st.tuples(amounts, st.sampled_from([None, *GRADES])), min_size=1, max_size=5))
def test_what_always_holds(known: Known, held: Held, policy: GradePolicy, agents: list) -> None:
    evidence = known(*[agent for agent, _ in agents])
    table = assess(evidence, policy, held(*[grade for _, grade in agents])).table
    chances = table[[f"probability_{g}" for g in GRADES]].to_numpy(dtype=float)
    assert np.allclose(chances.sum(axis=1), 1)
    assert ((chances >= -1e-12) & (chances <= 1 + 1e-12)).all()
    for place, (agent, grade) in enumerate(agents):
        row = table.iloc[place]
        step = GRADES.index(row["grade"]) - GRADES.index(grade or "ordinary")
        assert abs(step) <= 1
        assert {1: "rise", -1: "fall"}.get(step, row["decision"]) == row["decision"]
        assert step != 0 or row["decision"] in ("keep", "undecided", "blocked")
        # an agent's grade depends on nobody else's evidence
        alone = assess(known(agent), policy, held(grade)).table.iloc[0]
        assert (alone["grade"], alone["decision"]) == (row["grade"], row["decision"])
