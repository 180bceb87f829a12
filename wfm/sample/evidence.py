"""What customers, reviewers and colleagues say: surveys, quality reviews, contributions."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from wfm.sample import catalogue
from wfm.sample.history import DAY_S
from wfm.sample.people import Crew
from wfm.words import ContributionKind

ANSWERED, ANSWERED_UNHAPPY = 0.195, 0.26  # share of customers who answer a survey
REVIEWS_PER_MONTH = 3
DOUBLE_SCORED = 0.15
REVIEWERS = ("Q01", "Q02", "Q03", "Q04", "Q05", "Q06")
SEVERITY_SPREAD, REVIEW_NOISE = 4.5, 4.0
# mean number over the whole period per person, and points each
CONTRIBUTIONS = {
    ContributionKind.KNOWLEDGE_ARTICLE: (2.5, 3),
    ContributionKind.COACHING: (1.8, 2),
    ContributionKind.SWAP_TAKEN: (2.6, 1),
    ContributionKind.TRAINING: (2.0, 1),
}


def _date(second: np.ndarray) -> np.ndarray:
    """Local dates of seconds counted from the first day."""
    return np.datetime64(catalogue.FIRST_DAY, "D") + second // DAY_S


def make_surveys(
    rng: np.random.Generator, tickets: pd.DataFrame, story: pd.DataFrame, crew: Crew, until: int
) -> pd.DataFrame:
    """One row per answer: `ticket`, `agent` (places), `answered_on`, `score` 1–5."""
    finished, agent = story["finished"].to_numpy(), story["agent"].to_numpy()
    late = story["first_response"] - tickets["opened"] > tickets["respond_within_s"]
    mood = (
        4.2
        + 0.55 * crew.warmth[agent]
        + 0.2 * crew.ability[agent]
        - 0.2 * (tickets["difficulty"] - 2)
        - 0.5 * late
        - 0.9 * ~story["resolved"]
        - 0.6 * story["reopened"]
        + rng.normal(0, 1.05, len(story))
    ).to_numpy()
    score = np.clip(np.rint(mood), 1, 5).astype(int)
    answers = rng.random(len(story)) < np.where(score <= 2, ANSWERED_UNHAPPY, ANSWERED)
    answered = finished + rng.integers(0, 2 * DAY_S, len(story))
    ticket = np.flatnonzero(answers & (answered <= until))
    frame = pd.DataFrame({
        "ticket": ticket,
        "agent": agent[ticket],
        "answered_on": _date(answered[ticket]),
        "score": score[ticket],
    })  # fmt: skip
    return frame.sort_values(["answered_on", "ticket"], kind="stable", ignore_index=True)


def make_reviews(
    rng: np.random.Generator, tickets: pd.DataFrame, story: pd.DataFrame, crew: Crew, until: int
) -> pd.DataFrame:
    """Scored samples of each person's work; some are scored by two reviewers.

    Reviewers differ in severity, and harder work scores a little lower.
    """
    finished = story["finished"].to_numpy()
    pool = pd.DataFrame({"agent": story["agent"], "month": finished // (30 * DAY_S)})
    pool = pool[finished <= until]
    shuffled = pool.iloc[rng.permutation(len(pool))]
    picked = np.sort(shuffled.groupby(["agent", "month"]).head(REVIEWS_PER_MONTH).index.to_numpy())
    again = picked[rng.random(len(picked)) < DOUBLE_SCORED]
    ticket = np.concatenate([picked, again])
    first = rng.integers(0, len(REVIEWERS), len(picked))
    other = (first[np.isin(picked, again)] + rng.integers(1, len(REVIEWERS), len(again))) % len(
        REVIEWERS
    )
    reviewer = np.concatenate([first, other])
    severity = rng.normal(0, SEVERITY_SPREAD, len(REVIEWERS))
    agent = story["agent"].to_numpy()[ticket]
    merit = 84 + 5 * crew.ability[agent] + 3 * crew.warmth[agent]
    merit -= 1.2 * (tickets["difficulty"].to_numpy()[ticket] - 2)
    # two reviewers of one case look at the same work: its own luck is shared
    luck = rng.normal(0, REVIEW_NOISE, len(story))[ticket]
    score = merit + luck - severity[reviewer] + rng.normal(0, 2.5, len(ticket))
    reviewed = finished[ticket] + rng.integers(DAY_S, 10 * DAY_S, len(ticket))
    spoken = np.isin(tickets["channel"].to_numpy(str)[ticket], ["phone"])
    frame = pd.DataFrame({
        "agent": agent,
        "reviewer": np.array(REVIEWERS)[reviewer],
        "ticket": ticket,
        "reviewed_on": _date(reviewed),
        "form": np.where(spoken, "call", "written"),
        "score": np.clip(np.rint(score), 0, 100).astype(int),
    })  # fmt: skip
    known: pd.DataFrame = frame.loc[reviewed <= until]
    return known.sort_values(["reviewed_on", "ticket", "reviewer"], ignore_index=True)


def make_contributions(rng: np.random.Generator, crew: Crew) -> pd.DataFrame:
    """Knowledge articles, coaching, swaps taken, training; more from those with drive."""
    first = dt.date.fromisoformat(catalogue.FIRST_DAY)
    days = (dt.date.fromisoformat(catalogue.LAST_DAY) - first).days + 1
    rows: list[tuple[str, dt.date, str, int, str]] = []
    for number, (agent_id, hired) in enumerate(crew.starts()):
        begin = max(0, (hired - first).days)
        for kind, (mean, points) in CONTRIBUTIONS.items():
            times = rng.poisson(mean * np.exp(0.7 * crew.drive[number]) * (days - begin) / days)
            for day in rng.integers(begin, days, times):
                note = f"{kind.value.replace('_', ' ')} {len(rows) + 1}"
                on = first + dt.timedelta(days=int(day))
                rows.append((agent_id, on, kind.value, points, note))
    frame = pd.DataFrame(rows, columns=["agent_id", "on", "kind", "points", "note"])
    return frame.sort_values(["on", "agent_id", "kind"], kind="stable", ignore_index=True)
