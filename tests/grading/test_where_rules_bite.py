"""Each rule of deciding, evidence and what-ifs just where it begins to bite, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from grading.assess import assess, verdict
from grading.casemix import fit_case_mix
from grading.deserve import probability_of
from grading.estimate import (
    NoiseGuess,
    StrengthGuess,
    doubted,
    fit_score_prior,
    fit_share_prior,
)
from grading.evidence import Evidence, gather
from grading.explain import explain
from grading.outcomes import recent
from grading.policy import CriterionRule, Grade, GradePolicy, Limits, out_of_order
from grading.raters import correct_severity
from grading.records import Records

Known = Callable[..., Evidence]
Held = Callable[..., pd.DataFrame]
DAY = date(2026, 6, 30)


def deciding(policy: GradePolicy, **decision: Any) -> GradePolicy:
    return replace(policy, decision=replace(policy.decision, **decision))


def ruled(policy: GradePolicy, **rules: dict[str, Any]) -> GradePolicy:
    """The policy with some fields of some criteria changed."""
    changed = {name: replace(policy.criteria[name], **fields) for name, fields in rules.items()}  # type: ignore[index]
    return replace(policy, criteria=policy.criteria | changed)  # type: ignore[arg-type]


def entering(evidence: Evidence, policy: GradePolicy, grade: Grade = "senior") -> float:
    return float(probability_of(evidence, policy, grade, "entry")[0])


METHODS = pytest.mark.parametrize("method", ["majority", "electre-tri-b"])

# -- deserving a grade -----------------------------------------------------------------------------


@METHODS
def test_a_majority_just_reached_is_enough(known: Known, policy: GradePolicy, method: str) -> None:
    # resolution for, quality against, a quarter each: one half
    split = known({"resolution": 0.9, "quality": 76})
    half = deciding(policy, method=method, majority=0.5)
    assert entering(split, half) == pytest.approx(1)
    assert entering(split, deciding(half, majority=0.501)) == pytest.approx(0)


@METHODS
def test_a_companion_carries_nobody(known: Known, policy: GradePolicy, method: str) -> None:
    # resolution 0.25 of 0.45 by itself; with tenure 0.45 of 0.65 = 0.69
    veteran = known({"tenure": 360, "resolution": 0.9, "satisfaction": 0.7})
    plain = deciding(policy, method=method)
    assert entering(veteran, plain) == pytest.approx(0)
    assert entering(veteran, ruled(plain, tenure={"companion": False})) == pytest.approx(1)
    # and against: 5 months of 12 make resolution's 0.25 a part of 0.25 + 0.2 = 0.556
    novice = known({"tenure": 11, "resolution": 0.9})
    assert entering(novice, plain) == pytest.approx(0)


@METHODS
@pytest.mark.parametrize("beside", [{}, {"tenure": 48}])
def test_where_no_work_speaks_nothing_is_known(
    known: Known, policy: GradePolicy, method: str, beside: dict[str, float]
) -> None:
    # initiative speaks only for: where it falls short, it is as if it were not there
    plain = deciding(policy, method=method)
    idle, keen = known(beside | {"initiative": 0.1}), known(beside | {"initiative": 9.0})
    assert entering(idle, plain) == pytest.approx(2 / 3)
    assert entering(idle, plain, "expert") == pytest.approx(1 / 3)
    assert entering(keen, plain) == pytest.approx(1)


@METHODS
def test_a_profile_that_asks_nothing_tells_nothing(
    known: Known, policy: GradePolicy, method: str
) -> None:
    free = deciding(policy, method=method)
    open_ = ruled(free, **{name: {"exit": Limits()} for name in policy.criteria})
    found = probability_of(known({"quality": 50}), open_, "senior", "exit")
    assert found == pytest.approx([0])  # the veto of quality stands all the same
    found = probability_of(known({"quality": 61}, {}), open_, "senior", "exit")
    assert found == pytest.approx([2 / 3] * 2)


@METHODS
def test_a_criterion_without_weight_has_no_floor(
    known: Known, policy: GradePolicy, method: str
) -> None:
    # quality 74 is below the floor of 75
    short = known({"quality": 74, "resolution": 0.9, "satisfaction": 0.9})
    plain = deciding(policy, method=method)
    assert entering(short, plain) == pytest.approx(0)
    assert entering(short, ruled(plain, quality={"weight": 0})) == pytest.approx(1)


@METHODS
def test_service_at_its_veto_is_vetoed_and_at_its_floor_is_not(
    known: Known, policy: GradePolicy, method: str
) -> None:
    # 6 months: at the veto of 6 nobody is senior, above it everybody whose work is; at a floor of
    # 6 the same 6 months are enough. By credibility the veto begins to weigh before: 9 months are
    # 3 of the 6 behind that are a veto, 0.5 against, less than the 0.78 that agree
    plain = deciding(policy, method=method)
    bars = ruled(plain, tenure={"veto": Limits(6, 7), "floor": Limits()})
    work = {"resolution": 0.9, "quality": 90.0, "satisfaction": 0.9}
    above = 6.01 if method == "majority" else 9
    evidence = known(work | {"tenure": 6}, work | {"tenure": above}, work)
    assert probability_of(evidence, bars, "senior", "entry") == pytest.approx([0, 1, 1])
    assert probability_of(evidence, plain, "senior", "entry") == pytest.approx([1, 1, 1])
    found = verdict(evidence, bars, "tenure", "senior", "entry").tolist()
    assert found == ["vetoed", "against", "missing"]
    told = explain("A0", evidence, bars, assess(evidence, bars)).cases[0].reasons[0]
    assert (told.verdict, told.limit, told.probability) == ("vetoed", 6, 0)


# -- moving, and what each criterion says ----------------------------------------------------------


def test_certainty_itself_is_clear_enough(known: Known, held: Held, policy: GradePolicy) -> None:
    # with rise 1 and fall 0 only what is certain moves: service is
    sure = deciding(policy, rise=1.0, fall=0.0)
    alone = replace(sure, coverage=replace(sure.coverage, senior=0, expert=0, fall=0))
    tenure = ruled(alone, tenure={"companion": False, "exit": Limits(12, 36), "floor": Limits()})
    evidence = known({"tenure": 12}, {"tenure": 11})
    found = assess(evidence, tenure, held("ordinary", "senior"))
    assert found.table["decision"].tolist() == ["rise", "fall"]
    assert verdict(evidence, tenure, "tenure", "senior", "entry").tolist() == ["for", "against"]


def test_coverage_just_reached_is_enough(known: Known, held: Held, policy: GradePolicy) -> None:
    # resolution is 0.25 of 0.8 in work: 0.3125
    for asked, decision in ((0.3125, "rise"), (0.313, "blocked")):
        sure = replace(policy, coverage=replace(policy.coverage, senior=asked))
        found = assess(known({"resolution": 0.9}), sure, held("ordinary")).table
        assert found["decision"].tolist() == [decision]


def test_the_grade_in_question_is_the_one_in_doubt(
    known: Known, held: Held, policy: GradePolicy
) -> None:
    # the exit profile of senior asks 0.74 of satisfaction: likely at 0.72 not to be reached, but
    # not clearly so; at 0.95 it is, and the next grade is in question; nothing is above expert
    evidence = known(*[{"satisfaction": (0.72, 60)}] * 2, *[{"satisfaction": (0.95, 600)}] * 3)
    found = assess(evidence, policy, held("senior", "ordinary", "senior", "ordinary", "expert"))
    assert list(zip(found.table["target"], found.table["side"], strict=True)) == [
        ("senior", "exit"), ("senior", "entry"), ("expert", "entry"), ("senior", "entry"),
        ("expert", "exit"),
    ]  # fmt: skip


def test_verdicts_in_their_order(known: Known, policy: GradePolicy) -> None:
    evidence = known(
        {"quality": 59}, {"quality": 74}, {"quality": 79}, {"quality": 81}, {"quality": (80, 1)},
        {"quality": 90}, {"quality": 90}, {},
    )  # fmt: skip
    frame = evidence.criteria["quality"]
    frame.loc["A5", ["n", "enough"]] = [3, False]  # 4 reviews are asked for
    frame.loc["A6", "enough"] = False  # the reviewers disagreed
    found = verdict(evidence, policy, "quality", "senior", "entry").tolist()
    assert found == [
        "vetoed", "below_floor", "against", "for", "unsure", "thin", "left_out", "missing",
    ]  # fmt: skip
    # the exit profile (75) has no floor, and a criterion without weight says nothing
    assert verdict(evidence, policy, "quality", "senior", "exit").tolist()[:3] == [
        "vetoed", "against", "for",
    ]  # fmt: skip
    idle = ruled(policy, quality={"weight": 0})
    assert set(verdict(evidence, idle, "quality", "senior", "entry")) == {"not_counted"}


def test_a_quota_warns_above_its_share(known: Known, policy: GradePolicy) -> None:
    good = {"resolution": 0.9, "quality": 92, "satisfaction": 0.93, "tenure": 48}
    evidence = known(good, {}, {})
    for limit, warned in ((1 / 3, []), (0.33, ["quota"])):
        limited = replace(policy, quota=Limits(senior=limit))
        assert [n.code for n in assess(evidence, limited).notices] == warned


# -- what would change a grade ---------------------------------------------------------------------


def test_efforts_are_counted_in_standard_errors(known: Known, policy: GradePolicy) -> None:
    evidence = known({"resolution": (0.78, 150), "quality": (79, 0.25), "satisfaction": (0.79, 60)})
    # one standard error: of quality 1 / √0.25, of shares √(share · (1 − share) / precision)
    spreads = {
        "resolution": np.sqrt(0.78 * 0.22 / 150),
        "quality": 2.0,
        "satisfaction": np.sqrt(0.79 * 0.21 / 60),
    }
    found = explain("A0", evidence, policy, assess(evidence, policy)).lifts
    changes = [one for one in found if one.records is None]
    assert {one.criterion for one in changes} >= {"quality", "satisfaction"}
    for one in changes:
        assert one.effort == pytest.approx((one.needed - one.now) / spreads[one.criterion])


def test_a_month_of_service_counts_like_a_standard_error(known: Known, policy: GradePolicy) -> None:
    # all is outstanding, but 4.5 months of service are 1.5 short of the floor
    evidence = known({"tenure": 4.5, "resolution": 0.9, "quality": 92, "satisfaction": 0.93})
    [change] = explain("A0", evidence, policy, assess(evidence, policy)).lifts
    assert (change.criterion, change.records) == ("tenure", None)
    assert (change.needed, change.effort) == pytest.approx((6, 1.5), abs=0.01)


def test_more_records_weigh_by_those_there_are(known: Known, policy: GradePolicy) -> None:
    evidence = known({"satisfaction": (0.83, 60), "resolution": 0.95}, n=40)
    frame = evidence.criteria["satisfaction"]
    frame["usual"], frame["strength"] = 0.80, 20.0
    evidence.criteria["resolution"]["strength"] = np.nan
    [more] = [c for c in explain("A0", evidence, policy, assess(evidence, policy)).lifts
              if c.records]  # fmt: skip
    # (0.83 · 60 + 0.845 · records) / (60 + records), and √(records / (40 + 20)) standard errors
    assert more.records is not None
    assert more.needed == pytest.approx((0.83 * 60 + 0.845 * more.records) / (60 + more.records))
    assert more.effort == pytest.approx(np.sqrt(more.records / 60))
    # one record fewer is not enough: the fewest are named
    fewer = 60 + more.records - 1
    frame["value"] = (0.83 * 60 + 0.845 * (more.records - 1)) / fewer
    frame["precision"], frame["n"] = 60 * fewer / 60, 40 + more.records - 1
    assert assess(evidence, policy).table["grade"].tolist() == ["ordinary"]


def test_contributions_are_not_counted_on(known: Known, policy: GradePolicy) -> None:
    # with 0.9 a month where 1 is asked for: more of the same would raise the value above 1, yet
    # only the value itself is named, since nobody can promise more months
    alone = replace(policy, coverage=replace(policy.coverage, senior=0))
    evidence = known({"initiative": (0.9, 50), "tenure": 30}, n=10)
    frame = evidence.criteria["initiative"]
    frame["usual"], frame["strength"] = 0.1, 10.0
    found = explain("A0", evidence, alone, assess(evidence, alone)).lifts
    assert [(one.criterion, one.records) for one in found] == [("initiative", None)]


# -- how hard the work was, how severe the reviewers -----------------------------------------------


def handled(**factors: list[Any]) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Two agents, forty cases each, every other one solved."""
    agent = np.repeat([0, 1], 40)
    return agent, np.tile([0, 1, 1, 0], 20), pd.DataFrame(factors)


def test_what_is_missing_is_a_level_among_numbers_too() -> None:
    # sixty different numbers in fifths of twelve, too few to stand alone, and twenty unknown
    agent, success, frame = handled(difficulty=[*np.arange(60.0), *[np.nan] * 20])
    found = fit_case_mix(agent, success, frame, 2).effects
    assert {level for _, level in found} == {"", "(other)"}
    # a factor of which nothing is known explains nothing
    unknown = handled(category=[None] * 80)
    assert fit_case_mix(*unknown, 2).effects == {}


def test_the_effects_of_a_factor_are_told_around_the_mean_case() -> None:
    agent, success, frame = handled(
        category=["a"] * 50 + ["b"] * 30, channel=["x"] * 20 + ["y"] * 60
    )
    success[:30] = 1
    found = fit_case_mix(agent, success, frame, 2).effects
    assert 50 * found["category", "a"] + 30 * found["category", "b"] == pytest.approx(0, abs=1e-6)
    assert 20 * found["channel", "x"] + 60 * found["channel", "y"] == pytest.approx(0, abs=1e-6)
    assert found["category", "a"] > 0 < found["channel", "x"]


def test_records_make_the_effect_of_work_surer_never_less_sure() -> None:
    # each has one kind of work: half of the contrast of two effects, each of variance 1.5² before
    # anything is seen: ¼ · 2 · 2.25
    agent, success, frame = handled(category=["a"] * 40 + ["b"] * 40)
    variance = fit_case_mix(agent, success, frame, 2).shift_variance
    assert variance[0] == pytest.approx(variance[1])
    assert 0 < variance[0] < 1.125


def test_reviewers_and_forms_are_told_apart() -> None:
    # form X takes ten points; reviewer P, as severe as Q, uses it for four of five reviews, Q for
    # one. Every agent has all ten
    form = ["X"] * 4 + ["Y"] + ["X"] + ["Y"] * 4
    reviewer = ["P"] * 5 + ["Q"] * 5
    agent = np.repeat(np.arange(12), 10)
    factors = pd.DataFrame({"reviewer": reviewer * 12, "form": form * 12})
    worth = np.linspace(70, 90, 12)[agent] + np.tile([-0.5, 0.5], 60)
    scores = worth - 10.0 * (factors["form"] == "X").to_numpy()
    found = correct_severity(scores, agent, factors, StrengthGuess(5, 1), NoiseGuess(64, 5))
    severe, forms = found.effects["reviewer"], found.effects["form"]
    assert forms["Y"] - forms["X"] == pytest.approx(10, abs=0.7)  # a little shrunk
    assert severe["P"] == pytest.approx(0, abs=0.5)
    # around the mean review: five of each
    assert severe["P"] + severe["Q"] == pytest.approx(0, abs=1e-6)
    assert forms["X"] + forms["Y"] == pytest.approx(0, abs=1e-6)
    assert found.corrected == pytest.approx(
        scores - factors["reviewer"].map(severe) - factors["form"].map(forms), abs=1e-6
    )


def test_severity_is_told_around_the_mean_review() -> None:
    # Q, ten points lower, wrote one review of four
    scores = np.tile([80.0, 82, 78, 70], 6)
    factors = pd.DataFrame({"reviewer": ["P", "P", "P", "Q"] * 6})
    found = correct_severity(
        scores, np.repeat(np.arange(6), 4), factors, StrengthGuess(5, 1), NoiseGuess(64, 5)
    ).effects["reviewer"]
    assert found["Q"] < 0 < found["P"]
    assert 3 * found["P"] + found["Q"] == pytest.approx(0, abs=1e-6)


# -- evidence --------------------------------------------------------------------------------------


def surveys(**agents: tuple[int, int]) -> Records:
    """(satisfied, surveyed) of each agent."""
    rows = [(name, 5.0 if i < k else 1.0) for name, (k, n) in agents.items() for i in range(n)]
    return Records(
        pd.DataFrame({"agent_id": list(agents)}),
        pd.DataFrame(rows, columns=["agent_id", "satisfaction"]),
    )


def test_how_sure_a_share_is(policy: GradePolicy) -> None:
    k, n = np.array([18, 30, 9]), np.array([20, 40, 30])
    found = gather(surveys(A=(18, 20), B=(30, 40), C=(9, 30)), policy, DAY)
    frame = found.criteria["satisfaction"]
    prior = fit_share_prior(k, n, guess=policy.small_samples.shares)
    doubt = prior.alike_odds / policy.small_samples.alike_odds
    assert doubt > 1e-4  # so that its terms below can be seen
    strength = doubted(prior.strength, n, doubt)
    value = (k + strength * prior.mean) / (n + strength)
    trust = n / (n + strength)
    # in logits: of the records, of whether the common figure holds, of the common figure itself
    variance = 1 / ((n + strength) * value * (1 - value))
    variance += doubt * (logit(value) - logit(prior.mean)) ** 2
    variance += (1 - trust) ** 2 * prior.mean_variance
    assert frame["value"].to_numpy() == pytest.approx(value, rel=1e-9)
    assert frame["precision"].to_numpy() == pytest.approx(
        1 / (variance * value * (1 - value)), rel=1e-9
    )
    assert frame["usual"].tolist() == pytest.approx([prior.mean] * 3)


def test_how_sure_a_share_of_unequal_work_is(policy: GradePolicy) -> None:
    # A 18 of 20 hard and 28 of 30 easy cases, B 30 of 60 hard and 32 of 40 easy, C 9 of 10 easy
    parts = {("A", "h"): (18, 20), ("A", "e"): (28, 30), ("B", "h"): (30, 60),
             ("B", "e"): (32, 40), ("C", "e"): (9, 30)}  # fmt: skip
    rows = [
        (agent, hard, i < good) for (agent, hard), (good, of) in parts.items() for i in range(of)
    ]
    cases = pd.DataFrame(rows, columns=["agent_id", "priority", "resolved"])
    records = Records(pd.DataFrame({"agent_id": list("ABC")}), cases)
    frame = gather(records, policy, DAY).criteria["resolution"]
    agent = cases["agent_id"].map("ABC".index).to_numpy()
    mix = fit_case_mix(agent, cases["resolved"].to_numpy().astype(int), cases[["priority"]], 3)
    k, n = np.array([46, 62, 9]), np.array([50, 100, 30])
    prior = fit_share_prior(k, n, mix.shift, policy.small_samples.shares)
    doubt = prior.alike_odds / policy.small_samples.alike_odds
    strength = doubted(prior.strength, n, doubt)
    usual = expit(logit(prior.mean) + mix.shift)
    own = (k + strength * usual) / (n + strength)  # on the agent's own work …
    value = expit(logit(own) - mix.shift)  # … and on the standard work
    trust = n / (n + strength)
    variance = 1 / ((n + strength) * own * (1 - own)) + trust**2 * mix.shift_variance
    variance += doubt * (logit(own) - logit(usual)) ** 2 + (1 - trust) ** 2 * prior.mean_variance
    assert mix.shift_variance.min() > 0
    assert frame["value"].to_numpy() == pytest.approx(value, rel=1e-9)
    assert frame["precision"].to_numpy() == pytest.approx(
        1 / (variance * value * (1 - value)), rel=1e-9
    )
    assert frame["adjusted"].to_numpy() == pytest.approx(expit(logit(k / n) - mix.shift))


def test_agents_whom_the_records_do_not_tell_apart(policy: GradePolicy) -> None:
    # twenty agents, all 8 of 10: from twenty on they are taken as equal; nineteen are not
    alike = gather(surveys(**{f"A{i:02}": (8, 10) for i in range(20)}), policy, DAY)
    [notice] = alike.notices
    prior = fit_share_prior([8] * 20, [10] * 20, guess=policy.small_samples.shares)
    assert (notice.code, notice.values) == (
        "alike",
        {"criterion": "satisfaction", "agents": 20, "odds": round(prior.alike_odds, 2)},
    )
    frame = alike.criteria["satisfaction"]
    assert np.isinf(frame["strength"]).all()
    assert frame["reliability"].tolist() == [0] * 20
    assert gather(surveys(**{f"A{i:02}": (8, 10) for i in range(19)}), policy, DAY).notices == ()


def test_none_and_all_stay_so_on_the_standard_work(policy: GradePolicy) -> None:
    found = gather(surveys(A=(10, 10), B=(0, 10)), policy, DAY).criteria["satisfaction"]
    assert found["adjusted"].tolist() == [1, 0]


def test_how_sure_a_score_is(policy: GradePolicy) -> None:
    # means 70 and 86 of four and two reviews; within 4 · 25 and 2 · 4
    scores = {"A": [65.0, 75, 65, 75], "B": [84.0, 88]}
    rows = [(name, score) for name, given in scores.items() for score in given]
    reviews = pd.DataFrame(rows, columns=["agent_id", "score"])
    frame = gather(
        Records(pd.DataFrame({"agent_id": list("AB")}), None, reviews), policy, DAY
    ).criteria["quality"]
    samples, n, mean = policy.small_samples, np.array([4, 2]), np.array([70, 86])
    prior = fit_score_prior(n, mean, 108, samples.scores, samples.noise(100))
    assert samples.noise(100).variance == pytest.approx(64)  # (0.08 · 100)²
    doubt = prior.alike_odds / samples.alike_odds
    strength = doubted(prior.strength, n, doubt)
    trust = n / (n + strength)
    value = prior.mean + trust * (mean - prior.mean)
    variance = prior.noise / (n + strength) + (1 - trust) ** 2 * prior.mean_variance
    variance += doubt * (value - prior.mean) ** 2
    assert frame["value"].to_numpy() == pytest.approx(value)
    assert frame["precision"].to_numpy() == pytest.approx(1 / variance)


def test_the_noise_of_a_score_goes_with_its_scale(policy: GradePolicy) -> None:
    # from 60 to 100: a standard deviation of 0.08 · 40, as if seen in five records before. One
    # review says nothing of its own noise: 5 · 10.24 / (1 − 1 + 5) = 10.24
    narrow = replace(policy, reviews=replace(policy.reviews, lowest=60))
    reviews = pd.DataFrame({"agent_id": ["A"], "score": [80.0]})
    records = Records(pd.DataFrame({"agent_id": ["A"]}), None, reviews)
    row = gather(records, narrow, DAY).criteria["quality"].loc["A"]
    m = row["strength"]
    # 10.24 / (1 + m) by the record, and of the mean's own 10.24 · (1 + m) / m as much as it weighs
    of_mean = (m / (1 + m)) ** 2 * 10.24 * (1 + m) / m
    assert 1 / row["precision"] == pytest.approx(10.24 / (1 + m) + of_mean)


def test_those_hired_later_are_counted(policy: GradePolicy) -> None:
    days = pd.to_datetime(["2026-06-29", "2026-06-30", "2026-07-01", "2026-07-02", None])
    staff = pd.DataFrame({"agent_id": list("ABCDE"), "hired_on": days})
    [notice] = gather(Records(staff), policy, DAY).notices
    assert (notice.code, notice.values) == ("hired_later", {"agents": 2})


def test_a_window_of_months_ends_on_its_day() -> None:
    # 16 months of 30.4375 days are 487 days: the 487th before is out, without a date it is kept
    end = pd.Timestamp(DAY)
    ages = [0, 486, 487, 600]
    on = [*(end - pd.Timedelta(days=days) for days in ages), pd.NaT]
    frame = pd.DataFrame({"on": pd.to_datetime(on), "row": range(5)})
    assert recent(frame, 16, end)["row"].tolist() == [0, 1, 4]
    assert recent(frame, 0, end)["row"].tolist() == [0, 1, 2, 3, 4]
    assert len(recent(frame.drop(columns="on"), 16, end)) == 5


def test_points_of_a_year_by_month(policy: GradePolicy) -> None:
    # A 8 and 1 points in two months: 9 / 12, squares 65 − 12 · (9/12)² = 58.25; B 4 in one:
    # 4 / 12, 16 − 12 / 9 = 14.667
    rows = [("A", "2026-06-15", "a", 5.0), ("A", "2026-06-16", "b", 3.0),
            ("A", "2026-03-01", "a", 1.0), ("B", "2026-05-01", "a", 4.0)]  # fmt: skip
    given = pd.DataFrame(rows, columns=["agent_id", "on", "kind", "points"])
    given["on"] = pd.to_datetime(given["on"])
    frame = gather(
        Records(pd.DataFrame({"agent_id": list("AB")}), None, None, given), policy, DAY
    ).criteria["initiative"]
    samples, months = policy.small_samples, np.array([12, 12])
    prior = fit_score_prior(
        months, [9 / 12, 4 / 12], 58.25 + 16 - 12 / 9, samples.scores, samples.noise(10)
    )
    doubt = prior.alike_odds / samples.alike_odds
    trust = months / (months + doubted(prior.strength, months, doubt))
    value = prior.mean + trust * (np.array([9 / 12, 4 / 12]) - prior.mean)
    assert frame["value"].to_numpy() == pytest.approx(value)


# -- the policy itself -----------------------------------------------------------------------------


def faults(rule: CriterionRule, **limits: Limits) -> list[str]:
    blank = {kind: Limits() for kind in ("entry", "exit", "floor", "veto")}
    return [kind for kind, _ in out_of_order(replace(rule, **(blank | limits)))]  # type: ignore[arg-type]


def test_limits_that_may_stand_beside_each_other(policy: GradePolicy) -> None:
    rule = policy.criteria["quality"]
    even = Limits(80, 80)
    assert faults(rule, entry=even, exit=even, floor=even, veto=Limits(79, 79)) == []
    assert faults(rule, entry=Limits(None, 80), veto=Limits(50, 60)) == []
    # expert below senior; senior alone; leaving above entering; a veto at the lowest of them
    assert faults(rule, entry=Limits(80, 79)) == ["entry"]
    assert faults(rule, floor=Limits(80, None)) == ["floor"]
    assert faults(rule, entry=even, exit=Limits(80, 81)) == ["exit"]
    assert faults(rule, entry=even, floor=Limits(70, 75), veto=Limits(69, 75)) == ["veto"]
    assert faults(rule, entry=even, exit=Limits(70, 75), veto=Limits(69, 75)) == ["veto"]
