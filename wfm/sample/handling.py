"""What became of each ticket: who took it when, and how it ended."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wfm.sample import catalogue
from wfm.sample.history import DAY_S, History
from wfm.sample.people import Crew

TIER_PATIENCE_S = 900  # how much longer a ticket waits to spare a higher grade
NOTICE_MEDIAN_S = 35  # from being given a ticket to the first words
PAUSED = 0.22  # share of tickets that wait for the customer
TRANSFERRED = 0.02
UNSTARTED = np.iinfo(np.int64).max // 4


def assign(arrivals: pd.DataFrame, crew: Crew, history: History) -> tuple[np.ndarray, np.ndarray]:
    """Give each ticket, in order of arrival, to whoever with the skill and tier is free soonest.

    Returns
    -------
    agent, start : numpy.ndarray
        Place in the crew (−1 = nobody before the records end) and second of the start.
    """
    tier = arrivals["min_grade"].map(catalogue.GRADES.index).to_numpy()
    pools = _pools(arrivals, tier, crew, history)
    grade, free = crew.grade.tolist(), [0] * len(crew.grade)
    agent = np.full(len(arrivals), -1)
    start = np.full(len(arrivals), UNSTARTED)
    jobs = zip(
        arrivals["opened"].tolist(), arrivals["skill"].tolist(), tier.tolist(),
        arrivals["handle_s"].tolist(), strict=True,
    )  # fmt: skip
    for number, (opened, skill, rank, handle) in enumerate(jobs):
        for day in range(opened // DAY_S, len(history.days)):
            best = None
            for person, begins, ends in pools[skill, rank][day]:
                at = max(opened, begins, free[person])
                if at < ends:
                    key = (at + TIER_PATIENCE_S * (grade[person] - rank), free[person], person)
                    if best is None or key < best[0]:
                        best = (key, at, person)
            if best is not None:
                _, at, person = best
                agent[number], start[number], free[person] = person, at, at + handle
                break
    return agent, start


def _pools(
    arrivals: pd.DataFrame, tier: np.ndarray, crew: Crew, history: History
) -> dict[tuple[str, int], list[list[tuple[int, int, int]]]]:
    """Per skill and tier, for each day: who works, from when until when."""
    pools = {}
    for skill, rank in sorted(set(zip(arrivals["skill"], tier.tolist(), strict=True))):
        able = crew.has_skill(skill) & (crew.grade >= rank)
        pools[skill, rank] = [
            [
                (int(person), int(history.start[person, day]), int(history.end[person, day]))
                for person in np.flatnonzero(able & (history.shift[:, day] >= 0))
            ]
            for day in range(len(history.days))
        ]
    return pools


def outcomes(
    rng: np.random.Generator,
    arrivals: pd.DataFrame,
    crew: Crew,
    agent: np.ndarray,
    start: np.ndarray,
) -> pd.DataFrame:
    """The whole story of each ticket, as if nothing ended with the records.

    Times are seconds from local midnight of the first day, −1 where the step did not happen.
    The first owner stays responsible when a ticket is escalated; only a transfer moves it.
    """
    count = len(arrivals)
    ability, harder = crew.ability[agent], arrivals["difficulty"].to_numpy() - 2
    handle = arrivals["handle_s"].to_numpy()
    independent = rng.random(count) < _chance(2.1 + 0.9 * ability - 0.75 * harder)
    passed_on = ~independent & (rng.random(count) < TRANSFERRED / 0.16)
    resolved = rng.random(count) < _chance(3.4 + 0.6 * ability - 0.5 * harder)
    reopened = resolved & (rng.random(count) < _chance(-2.9 - 0.8 * ability + 0.35 * harder))
    notice = np.minimum(rng.lognormal(np.log(NOTICE_MEDIAN_S), 0.8, count), 1200).astype(int)
    first_response = start + notice
    paused = rng.random(count) < PAUSED
    pause = np.where(paused, first_response + (0.4 * handle).astype(int), -1)
    waited = rng.lognormal(np.log(3 * 3600), 0.9, count).astype(int)
    resume = np.where(paused, into_opening(pause + waited), -1)
    done = np.where(paused, resume + (0.6 * handle).astype(int), first_response + handle)
    again = np.where(reopened, into_opening(done + rng.integers(4 * 3600, 4 * DAY_S, count)), -1)
    done_again = np.where(reopened, again + (0.35 * handle).astype(int), -1)
    finished = np.where(reopened, done_again, done)
    return pd.DataFrame({
        "agent": agent,
        "start": start,
        "first_response": first_response,
        "pause": pause,
        "resume": resume,
        "escalate": np.where(
            ~independent & ~passed_on, first_response + (0.3 * handle).astype(int), -1
        ),
        "transfer": np.where(passed_on, start + notice // 2, -1),
        "done": done,
        "again": again,
        "finished": finished,
        "closed": finished + rng.integers(DAY_S, 3 * DAY_S, count),
        "resolved": resolved,
        "independent": independent,
        "reopened": reopened,
    })  # fmt: skip


def _chance(score: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-score)))


def into_opening(second: np.ndarray) -> np.ndarray:
    """Move an instant outside the opening hours to the next opening, a little after the bell."""
    day, of_day = second // DAY_S, second % DAY_S
    after_bell = second % 1200
    early, late = of_day < catalogue.OPENS_S, of_day >= catalogue.CLOSES_S
    opening = (day + late) * DAY_S + catalogue.OPENS_S + after_bell
    return np.where(early | late, opening, second)
