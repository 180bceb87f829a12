"""Do grades predict, stay and tell chance from skill? On real records and on made ones.

    python benchmarks/grading/run.py [--cases 1000000 --agents 10000] [--records FOLDER]

Who passes a cut by raw average, predicting the second half of a month from the first (squared
error), how many grades change between the halves, impact ratios of shifts before and after case
mix, resolution by priority on the incident log (raw and adjusted), a negative control (agents who
are all alike), and speed.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from grading.assess import assess
from grading.estimate import fit_share_prior
from grading.evidence import gather
from grading.explain import explain, explain_many
from grading.fairness import impact_ratios
from grading.policy import GRADES, Criterion, GradePolicy, default_policy
from grading.records import Records
from grading.wording import short_reasons

RECORDS = Path(__file__).resolve().parents[3] / "shared" / "data"
HALF = pd.Timestamp("2023-08-16")
END = date(2023, 8, 31)
POLICY = default_policy()


def surveys(folder: Path) -> pd.DataFrame:
    """The satisfaction export as cases."""
    table = pd.read_csv(folder / "csat_surveys_agents_a.csv.gz")
    return pd.DataFrame(
        {
            "agent_id": table["Agent_name"],
            "on": pd.to_datetime(table["Issue_reported at"], dayfirst=True),
            "category": table["category"],
            "channel": table["channel_name"],
            "shift": table["Agent Shift"],
            "satisfaction": table["CSAT Score"].astype(float),
        }
    )


def halves(cases: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    first, second = cases[cases["on"] < HALF], cases[cases["on"] >= HALF]
    both = sorted(set(first["agent_id"]) & set(second["agent_id"]))
    return first[first["agent_id"].isin(both)], second[second["agent_id"].isin(both)]


def people(cases: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"agent_id": sorted(cases["agent_id"].unique())})


def noise(cases: pd.DataFrame) -> None:
    """How much of "the best by raw average" is few surveys."""
    happy = (cases["satisfaction"] >= 4).groupby(cases["agent_id"])
    share, size = happy.mean(), happy.size()
    perfect = share == 1
    value = gather(Records(people(cases), cases), POLICY, END).criteria["satisfaction"]["value"]
    print(f"\n{len(share)} agents, cut at 0.90: {int((share >= 0.9).sum())} pass by raw share, "
          f"{int(perfect.sum())} of them perfect on a median of {size[perfect].median():.0f} "
          f"surveys; by our estimate {int((value >= 0.9).sum())} pass")  # fmt: skip


def prediction(cases: pd.DataFrame) -> None:
    """Mean squared error per agent of the share satisfied in the second half."""
    first, second = halves(cases)
    evidence = gather(Records(people(first), first), POLICY, END)
    frame = evidence.criteria["satisfaction"]
    later = second.assign(happy=second["satisfaction"] >= 4).groupby("agent_id")["happy"].mean()
    truth = later.reindex(evidence.agents).to_numpy(dtype=float)
    overall = (first["satisfaction"] >= 4).mean()
    rows = {
        "raw share": frame["raw"].to_numpy(),
        "everyone equal": np.full(len(truth), overall),
        "ours": frame["value"].to_numpy(),
        "ours on own mix": on_own_mix(evidence.effects, first, second, frame),
    }
    print(f"\npredicting the second half from the first, {len(truth)} agents: squared error")
    for name, guess in rows.items():
        print(f"  {name:<18} {np.mean((guess - truth) ** 2):.5f}")


def dealt(cases: pd.DataFrame, repeats: int = 20) -> None:
    """The same with the surveys dealt at random into two halves, time after time.

    One pair of half-months is one draw, and the whole desk's level moved between them. The last
    line says how much there is to be told at all: the share of the variance of an agent's share
    in one half that agents account for, by the spread between them.
    """
    happy = cases["satisfaction"] >= 4
    rows = []
    for seed in range(repeats):
        chosen = np.random.default_rng(seed).random(len(cases)) < 0.5
        both = set(cases["agent_id"][chosen]) & set(cases["agent_id"][~chosen])
        kept = cases["agent_id"].isin(both)
        first = cases[chosen & kept]
        evidence = gather(Records(people(first), first), POLICY, END)
        frame = evidence.criteria["satisfaction"]
        later = happy[~chosen & kept].groupby(cases["agent_id"]).mean()
        truth = later.reindex(evidence.agents).to_numpy(dtype=float)
        guesses = (frame["raw"], happy[chosen & kept].mean(), frame["value"])
        rows.append([float(np.mean((np.asarray(guess) - truth) ** 2)) for guess in guesses])
    raw, equal, ours = np.mean(rows, axis=0)
    won = sum(row[2] < row[1] for row in rows)
    print(
        f"dealt at random into halves, {repeats} times: raw {raw:.5f}, everyone equal {equal:.5f}, "
        f"ours {ours:.5f} (better than everyone equal in {won} of {repeats})"
    )
    by_agent = happy.groupby(cases["agent_id"])
    prior = fit_share_prior(by_agent.sum(), by_agent.size())
    within = prior.mean * (1 - prior.mean)
    between = within / (prior.strength + 1)
    chance = float(np.mean((within - between) / (by_agent.size() / 2)))
    print(
        f"agents account for {between / (between + chance):.0%} of the variance of a half's share"
    )


def on_own_mix(
    effects: dict[str, dict[str, float]],
    first: pd.DataFrame,
    second: pd.DataFrame,
    frame: pd.DataFrame,
) -> np.ndarray:
    """The estimate moved from the standard mix to the cases of the second half."""

    def ease(cases: pd.DataFrame) -> pd.Series:
        total = pd.Series(0.0, index=cases.index)
        for factor in ("category", "channel"):
            levels = effects.get(f"satisfaction {factor}", {})
            total += cases[factor].map(levels).fillna(levels.get("(other)", 0.0)).astype(float)
        return total

    middle = ease(first).mean()
    shift = ease(second).groupby(second["agent_id"]).mean().reindex(frame.index) - middle
    return expit(logit(frame["value"].to_numpy()) + shift.to_numpy())


def changes(cases: pd.DataFrame) -> None:
    """Share of agents graded differently, and two grades apart, in the two halves."""
    first, second = halves(cases)
    frames = [
        gather(Records(people(half), half), POLICY, END).criteria["satisfaction"]
        for half in (first, second)
    ]
    rule = POLICY.criteria["satisfaction"].entry
    cuts = [rule.senior, rule.expert]
    print("\ngrades that change between the halves, and that jump two grades")
    for name, column in (("raw share by cuts", "raw"), ("estimate by cuts", "value")):
        report(name, *(_sorted(f[column], cuts) for f in frames))
    report("raw share, 0.80 and 0.90", *(_sorted(f["raw"], [0.8, 0.9]) for f in frames))
    report("one level for both halves", *_of_one_level(cases, frames[0].index))
    coverage = replace(POLICY.coverage, senior=0.0, expert=0.0, fall=0.0)
    for name, policy in (
        ("after the rule, satisfaction alone", replace(POLICY, coverage=coverage)),
        ("after the rule, default policy", POLICY),
    ):
        report(name, *_in_sequence((first, second), policy))


def _sorted(value: ArrayLike, cuts: Sequence[float]) -> np.ndarray:
    return np.searchsorted(cuts, np.asarray(value, dtype=float), side="right")


def _of_one_level(cases: pd.DataFrame, agents: pd.Index) -> list[np.ndarray]:
    """Shares of each half shrunk towards one common level and strength, cut at 0.80 and 0.90."""
    happy = cases["satisfaction"] >= 4
    whole = happy.groupby(cases["agent_id"])
    prior = fit_share_prior(whole.sum(), whole.size())
    grades = []
    for half in (cases["on"] < HALF, cases["on"] >= HALF):
        found = happy[half].groupby(cases["agent_id"]).agg(["sum", "size"]).reindex(agents)
        value = (found["sum"] + prior.alpha) / (found["size"] + prior.strength)
        grades.append(_sorted(value, [0.8, 0.9]))
    return grades


def _in_sequence(parts: Sequence[pd.DataFrame], policy: GradePolicy) -> list[np.ndarray]:
    """The grades proposed from each part, held through the next."""
    ranks, history = [], None
    for part in parts:
        grade = assess(gather(Records(people(part), part), policy, END), policy, history).table[
            "grade"
        ]
        ranks.append(grade.map(GRADES.index).to_numpy())
        history = grade.rename_axis("agent_id").reset_index()
    return ranks


def report(name: str, one: np.ndarray, two: np.ndarray) -> None:
    moved = np.abs(two - one)
    print(f"  {name:<36} {np.mean(moved > 0):6.1%}   {np.mean(moved > 1):6.1%}")


def impact(cases: pd.DataFrame) -> None:
    """Share at the senior profile per shift against the best one, before and after case mix."""
    evidence = gather(Records(people(cases), cases), POLICY, END)
    frame = evidence.criteria["satisfaction"]
    shift = cases.groupby("agent_id")["shift"].agg(lambda s: s.mode().iloc[0])
    limit = POLICY.criteria["satisfaction"].entry.senior
    print("\nimpact ratios of shifts: agents at the senior profile against the best shift")
    names = {"raw": "raw share", "adjusted": "case mix taken out", "value": "and shrunk"}
    for column, name in names.items():
        found = impact_ratios(frame[column] >= limit, shift.reindex(frame.index))
        told = ", ".join(
            f"{one.group} {one.ratio:.2f}{'*' if one.adverse and one.significant else ''}"
            for one in found
        )
        print(f"  {name:<20} {told}")
    print("  (* below four fifths and significant at 5 %)")


def incidents(folder: Path) -> pd.DataFrame:
    """The incident log as cases of its resolvers: solved where it never came back or moved on."""
    events = pd.read_csv(folder / "servicenow_incident_events_2016-02_04.csv.gz", dtype=str)
    last = events.groupby("number").tail(1)
    known = last[last["resolved_by"].notna() & (last["resolved_by"] != "?")]
    moved = pd.to_numeric(known["reassignment_count"], errors="coerce").fillna(0)
    back = pd.to_numeric(known["reopen_count"], errors="coerce").fillna(0)
    return pd.DataFrame(
        {
            "agent_id": known["resolved_by"],
            "priority": known["priority"],
            "category": known["category"],
            "channel": known["contact_type"],
            "resolved": True,
            "independent": (moved <= 1).to_numpy(),
            "reopened": (back > 0).to_numpy(),
        }
    )


def by_priority(cases: pd.DataFrame) -> None:
    """Share solved alone per priority: raw, and once allowed for who works on what."""
    evidence = gather(Records(people(cases), cases), POLICY, END)
    effects = evidence.effects.get("resolution priority", {})
    solved = cases["independent"] & ~cases["reopened"]
    raw = solved.groupby(cases["priority"]).agg(["mean", "size"])
    print(f"\nincident log: solved alone by priority, {len(cases):,} incidents")
    for name, row in raw.iterrows():
        effect = effects.get(str(name), float("nan"))
        print(f"  {name:<14} raw {row['mean']:.3f} (n {int(row['size']):,}), "
              f"adjusted {effect:+.2f} logits")  # fmt: skip
    frame = evidence.criteria["resolution"]
    far = (frame["adjusted"] - frame["raw"]).abs()
    print(f"  adjustment moves an agent by {far.median():.3f} (median), {far.max():.3f} (most)")


def control(agents: int, repeats: int = 20) -> None:
    """Agents drawn alike, on all that counts.

    *Told apart*: the clear decisions (rise, keep) that contradict most of the others; that there
    is "not enough evidence to move" says nothing of anybody. The second figure counts whoever is
    in another grade than most: where all stand close to a limit, those with more records pass
    it first.
    """
    limit = POLICY.decision.fall
    print(
        f"\nnegative control: {agents} agents exactly alike (at most {limit:.0%} may be told apart)"
    )
    for level in (-0.5, -0.25, 0.0, 0.25, 0.5):
        apart, other = [], []
        for seed in range(repeats):
            rng = np.random.default_rng(seed)
            table = assess(gather(alike(rng, agents, level), POLICY, END), POLICY).table
            clear = table["decision"][table["decision"].isin(["rise", "keep"])].value_counts()
            apart.append(clear.min() / len(table) if len(clear) > 1 else 0.0)
            other.append(1 - table["grade"].value_counts(normalize=True).max())
        print(
            f"  {level:+.2f} from the senior profile: told apart {np.mean(apart):.2%} "
            f"(worst {max(apart):.2%}), in another grade {np.mean(other):.2%} "
            f"(worst {max(other):.2%}), desks split {np.mean(np.array(other) > 0):.0%}"
        )


def alike(rng: np.random.Generator, agents: int, level: float) -> Records:
    """Agents with one and the same true values, `level` standard errors of 60 cases from senior."""
    staff = pd.DataFrame(
        {"agent_id": [f"A{i:03d}" for i in range(agents)], "hired_on": pd.Timestamp("2015-01-01")}
    )
    size = rng.integers(30, 90, agents)
    owner = np.repeat(staff["agent_id"].to_numpy(), size)
    rules = POLICY.criteria

    def share(name: Criterion) -> float:
        limit = rules[name].entry.senior
        return float(limit + level * np.sqrt(limit * (1 - limit) / 60))

    solved = rng.random(len(owner)) < share("resolution")
    happy = rng.random(len(owner)) < share("satisfaction")
    cases = pd.DataFrame(
        {"agent_id": owner, "resolved": solved, "satisfaction": np.where(happy, 5.0, 2.0)}
    )
    reviewed = np.repeat(staff["agent_id"].to_numpy(), 12)
    score = rules["quality"].entry.senior + level * 8 / np.sqrt(12)
    reviews = pd.DataFrame(
        {"agent_id": reviewed, "score": np.clip(rng.normal(score, 8, len(reviewed)), 0, 100)}
    )
    return Records(staff, cases, reviews)


def control_of_one(repeats: int = 5) -> None:
    """Agents alike in satisfaction alone.

    *Told apart*: the clear verdicts (for, against) that contradict most of the others.
    The second figure counts agents in another grade than most; that "not enough evidence to
    move" is said of some and not of others tells nobody apart.
    """
    print("\nnegative control of one criterion: 300 agents alike in satisfaction")
    for share in (0.70, 0.78, 0.80, 0.82, 0.85, 0.88):
        apart, other = [], []
        for seed in range(repeats):
            rng = np.random.default_rng(seed)
            size = rng.integers(5, 60, 300)
            agent = np.repeat([f"A{i:03d}" for i in range(300)], size)
            happy = rng.random(len(agent)) < share
            cases = pd.DataFrame({"agent_id": agent, "satisfaction": np.where(happy, 5.0, 2.0)})
            found = assess(gather(Records(people(cases), cases), POLICY, END), POLICY)
            verdicts = found.verdicts["satisfaction"].isin(["for", "against"])
            clear = found.verdicts["satisfaction"][verdicts].value_counts()
            apart.append(clear.min() / len(found.table) if len(clear) > 1 else 0.0)
            other.append(1 - found.table["grade"].value_counts().max() / len(found.table))
        print(
            f"  true share {share:.2f}: told apart {np.mean(apart):.1%} (worst {max(apart):.1%}), "
            f"in another grade {np.mean(other):.1%}"
        )


def made_cases(cases: int, agents: int) -> Records:
    rng = np.random.default_rng(7)
    skill = rng.normal(0, 0.6, agents)
    agent = rng.integers(0, agents, cases)
    category, priority = rng.integers(0, 8, cases), rng.integers(0, 4, cases)
    chance = expit(1.6 + skill[agent] + 0.1 * category - 0.3 * priority)
    ids = np.array([f"A{i:06d}" for i in range(agents)])
    frame = pd.DataFrame(
        {
            "agent_id": pd.Categorical.from_codes(agent, categories=ids),
            "category": pd.Categorical.from_codes(category, categories=[f"c{i}" for i in range(8)]),
            "priority": priority,
            "resolved": rng.random(cases) < chance,
            "satisfaction": np.where(
                rng.random(cases) < 0.3, np.where(rng.random(cases) < chance, 5.0, 2.0), np.nan
            ),
        }
    )
    staff = pd.DataFrame({"agent_id": ids, "hired_on": pd.Timestamp("2020-01-01")})
    return Records(staff, frame)


def speed(cases: int, agents: int) -> None:
    records = made_cases(cases, agents)
    begun, worked = time.perf_counter(), time.process_time()
    evidence = gather(records, POLICY, END)
    gathered = time.perf_counter()
    short_reasons(assess(evidence, POLICY))
    done, used = time.perf_counter(), time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"\nspeed: {cases:,} cases of {agents:,} agents")
    print(
        f"  evidence {gathered - begun:.1f} s, grades and reasons {done - gathered:.1f} s, "
        f"processor time {used:.1f} s, peak {peak:.2f} GB"
    )


def explaining(agents: int = 2000) -> None:
    """The whole explanation, nearest changes and all: of one agent, as a page asks, and of many."""
    records = made_cases(agents * 100, agents)
    evidence = gather(records, POLICY, END)
    assessments = assess(evidence, POLICY)
    names = [str(name) for name in evidence.agents]
    begun = time.process_time()
    for name in names[:20]:
        explain(name, evidence, POLICY, assessments)
    one = (time.process_time() - begun) / 20
    begun = time.process_time()
    explain_many(names, evidence, POLICY, assessments)
    many = (time.process_time() - begun) / agents
    print(
        f"\nexplaining: {1000 * one:.0f} ms for one agent asked for, {1000 * many:.2f} ms each for "
        f"{agents:,} together"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--records", type=Path, default=RECORDS)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, {date.today()}")
    if (options.records / "csat_surveys_agents_a.csv.gz").exists():
        cases = surveys(options.records)
        noise(cases)
        prediction(cases)
        dealt(cases)
        changes(cases)
        impact(cases)
    else:
        print("the satisfaction export is not here; its tables are left out")
    if (options.records / "servicenow_incident_events_2016-02_04.csv.gz").exists():
        by_priority(incidents(options.records))
    control(300)
    for agents in (25, 10, 5):
        control(agents, repeats=100)
    control_of_one()
    for part in (10, 3, 1):
        speed(options.cases // part, options.agents // part)
    explaining()


if __name__ == "__main__":
    main()
