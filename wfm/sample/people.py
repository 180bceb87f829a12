"""The people of the sample desk: who they are, what they can do, when they are away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wfm.sample import catalogue, names

FIRST_EXTENSION = 8001  # phone numbers of the house, nobody's outside it
NEWCOMERS = 4  # hired while the records run
DRIFTED = 0.15  # share of people whose ability no longer fits their grade
LEAVE_UNTIL = dt.date(2026, 10, 31)


@dataclass(frozen=True, eq=False)
class Crew:
    """Agents and their hidden traits; arrays are in the order of `agents`.

    Attributes
    ----------
    agents : pandas.DataFrame
        In the form of `wfm import agents`, skills as a list of (code, proficiency).
    grade : numpy.ndarray of int
        0 ordinary, 1 senior, 2 expert.
    ability, warmth, drive : numpy.ndarray of float
        Solving problems, pleasing customers, doing more than asked; about 0 on average.
    """

    agents: pd.DataFrame
    grade: np.ndarray
    ability: np.ndarray
    warmth: np.ndarray
    drive: np.ndarray

    def starts(self) -> list[tuple[str, dt.date]]:
        """Each agent's id and first day."""
        ids, hired = self.agents["agent_id"].tolist(), self.agents["hired_on"].tolist()
        return list(zip(ids, hired, strict=True))

    def has_skill(self, code: str) -> np.ndarray:
        return np.array([code in dict(held) for held in self.agents["skills"]])


def make_crew(rng: np.random.Generator) -> Crew:
    count = len(catalogue.TEAMS) * catalogue.TEAM_SIZE
    grade = np.array(
        [catalogue.GRADES.index(word) for _ in catalogue.TEAMS for word in catalogue.TEAM_GRADES]
    )
    hired = _hired(rng, grade)
    rows = []
    for agent, name in enumerate(names.people(rng, count)):
        team = catalogue.TEAMS[agent // catalogue.TEAM_SIZE]
        held = _skills(rng, team[4], int(grade[agent]))
        word = catalogue.GRADES[grade[agent]]
        capacity = 1 + (grade[agent] == 2)
        extension = str(FIRST_EXTENSION + agent)
        rows.append((f"A{agent + 1:03d}", name, team[0], team[3], hired[agent], word, held,
                     capacity, extension))  # fmt: skip
    columns = [
        "agent_id", "name", "team", "site", "hired_on", "grade", "skills", "capacity", "phone",
    ]  # fmt: skip
    seen_as = grade + np.where(rng.random(count) < DRIFTED, rng.choice([-1, 1], size=count), 0)
    return Crew(
        agents=pd.DataFrame(rows, columns=columns),
        grade=grade,
        ability=0.7 * (seen_as - 0.5) + rng.normal(0, 0.35, count),
        warmth=0.25 * (seen_as - 0.5) + rng.normal(0, 0.45, count),
        drive=0.35 * (seen_as - 0.5) + rng.normal(0, 0.6, count),
    )


def _hired(rng: np.random.Generator, grade: np.ndarray) -> list[dt.date]:
    """Ordinary people came within four years, experts at least three years ago."""
    low, high = np.array([60, 500, 1100])[grade], np.array([1500, 2800, 4300])[grade]
    days = rng.integers(low, high)
    newest = rng.choice(np.flatnonzero(grade == 0), size=NEWCOMERS, replace=False)
    days[newest] = -rng.integers(20, 150, size=NEWCOMERS)
    first = dt.date.fromisoformat(catalogue.FIRST_DAY)
    return [first - dt.timedelta(days=int(n)) for n in days]


def _skills(rng: np.random.Generator, home: tuple[str, ...], grade: int) -> list[tuple[str, int]]:
    """Two or three home skills; seniors one and experts two or three beyond them."""
    held = {home[0]: 3 + grade, home[1]: min(5, 2 + grade + int(rng.random() < 0.4))}
    if grade or rng.random() < 0.5:
        held[home[2]] = 2 + grade
    others = [skill.code for skill in catalogue.SKILLS if skill.code not in home]
    beyond = (0, 1, int(rng.integers(2, 4)))[grade]
    for place in rng.permutation(len(others))[:beyond]:
        held[others[place]] = int(rng.integers(1, 3)) + grade
    return sorted(held.items())


def make_leave(rng: np.random.Generator, crew: Crew) -> pd.DataFrame:
    """Leave from the first day of the records to the end of the month to be planned."""
    first = dt.date.fromisoformat(catalogue.FIRST_DAY)
    span = (LEAVE_UNTIL - first).days
    rows = []
    for agent_id, hired in crew.starts():
        taken: list[tuple[dt.date, dt.date]] = []
        for kind, spells, low, high in (
            ("annual", 3, 2, 8), ("sick", 2, 1, 4), ("training", 1, 1, 3), ("personal", 1, 1, 2),
        ):  # fmt: skip
            for _ in range(rng.poisson(spells * 0.8)):
                start = first + dt.timedelta(days=int(rng.integers(0, span)))
                end = min(start + dt.timedelta(days=int(rng.integers(low, high)) - 1), LEAVE_UNTIL)
                if start > hired and all(end < a or start > b for a, b in taken):
                    taken.append((start, end))
                    rows.append((agent_id, start, end, kind))
    frame = pd.DataFrame(rows, columns=["agent_id", "start", "end", "kind"])
    return frame.sort_values(["start", "agent_id"], kind="stable", ignore_index=True)
