"""The incident and support-line logs as traces: what they hold, and what has to be assumed.

Both hold elapsed times and no effort, no duties and no promises. Effort is modelled, lognormal
around a median per priority, times a factor that makes the desk busy; a promise of a first
response is assumed per priority; an agent is on duty through the opening hours of every day on
which the log shows her at work, and of these people as many stay as hours are needed for the work
at factor 1, drawn by seed, but at least one of each group a day. What an agent does is what the log
shows her at: groups, or lines of an organisation.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from wfm.dispatch.model import EXPERT, ORDINARY, SECOND, SENIOR, Agent, Ticket
from wfm.dispatch.replay import Duty, Trace
from wfm.sla.business_time import BusinessTime
from wfm.sla.reading import calendar_from_dict

HOUR = 3600
RESPOND_S = {1: HOUR // 4, 2: HOUR // 2, 3: 4 * HOUR, 4: 8 * HOUR}
EFFORT_MEDIAN_MIN = {1: 60, 2: 45, 3: 20, 4: 15}
EFFORT_SIGMA = 0.8
EFFORT_MOST_MIN = 240
EFFORT_SEED = 20160229
OPENS, CLOSES = "08:00", "18:00"
"""Monday to Friday: three quarters of the tickets of either log come in these hours."""
LINES = {"": ORDINARY, "2nd": SENIOR, "3rd": EXPERT}
FEWEST = 20
"""Kinds of work with fewer tickets than this in the period are left out."""


@dataclass(frozen=True)
class Log:
    """What a log tells: tickets, and who was at which work on which days.

    `tickets` has the columns ticket, opened (UTC), skill, tier and priority; `work` the columns
    agent, day, skill and tier, one row for each an agent was seen at.
    """

    name: str
    timezone: str
    tickets: pd.DataFrame
    work: pd.DataFrame


def incidents(path: Path) -> Log:
    """Assignment groups are the skills; the log knows one line of people only."""
    log = pd.read_csv(path, dtype=str)
    log = log[(log["assignment_group"] != "?") & log["priority"].isin(list("1234"))]
    for column in ("opened_at", "sys_updated_at"):
        log[column] = pd.to_datetime(log[column], format="%d/%m/%Y %H:%M", utc=True)
    last = log.sort_values("sys_updated_at", kind="stable").groupby("number").last()
    seen = log[log["assigned_to"] != "?"]
    return Log(
        "incidents", "UTC",
        pd.DataFrame({
            "ticket": last.index, "opened": last["opened_at"], "skill": last["assignment_group"],
            "tier": ORDINARY, "priority": last["priority"].astype(int),
        }),
        pd.DataFrame({
            "agent": seen["assigned_to"], "day": seen["sys_updated_at"].dt.date,
            "skill": seen["assignment_group"], "tier": ORDINARY,
        }).drop_duplicates(),
    )  # fmt: skip


def support_line(path: Path) -> Log:
    """Organisations are the skills; a ticket's tier is the highest line that had it."""
    log = pd.read_csv(path, dtype=str)
    log["at"] = pd.to_datetime(log["time:timestamp"], utc=True, format="ISO8601")
    log["tier"] = log["org:group"].str.extract(r" (2nd|3rd)$")[0].fillna("").map(LINES)
    log["day"] = log["at"].dt.tz_convert("Europe/Stockholm").dt.date
    log = log.sort_values("at", kind="stable")
    cases = log.groupby("case_id")
    priority = {"Major": 1, "High": 2, "Medium": 3, "Low": 4}
    return Log(
        "support lines", "Europe/Stockholm",
        pd.DataFrame({
            "ticket": list(cases.groups), "opened": cases["at"].first(),
            "skill": cases["organization involved"].last(), "tier": cases["tier"].max(),
            "priority": cases["impact"].last().map(priority),
        }),
        log.rename(columns={"org:resource": "agent", "organization involved": "skill"})
        [["agent", "day", "skill", "tier"]].drop_duplicates(),
    )  # fmt: skip


class Desk:
    """A log from `first` to `last`, the whole desk of it: tickets with effort, people, duties."""

    def __init__(self, log: Log, first: date, last: date) -> None:
        self.name = log.name
        hours = {day: [[OPENS, CLOSES]] for day in ("mon", "tue", "wed", "thu", "fri")}
        self.time = BusinessTime(calendar_from_dict({"timezone": log.timezone} | hours))
        local = log.tickets["opened"].dt.tz_convert(log.timezone).dt.date
        tickets = log.tickets[(local >= first) & (local <= last)]
        work = log.work[(log.work["day"] >= first) & (log.work["day"] <= last)]
        kinds = tickets.groupby(["skill", "tier"]).size()
        known = {tuple(kind) for kind in work[["skill", "tier"]].to_numpy()}
        kept = {kind for kind, count in kinds.items() if count >= FEWEST and kind in known}
        self.tickets = tickets[[kind in kept for kind in zip(tickets["skill"], tickets["tier"],
                                                             strict=True)]]  # fmt: skip
        self.work = work[work["skill"].isin({skill for skill, _ in kept})]
        self.timezone = log.timezone
        self.agents = self._agents()

    def trace(self, factor: float = 1.0) -> Trace:
        """The tickets with so many times the effort."""
        rows = self.tickets.sort_values(["opened", "ticket"])
        opened = np.array([int(at.timestamp()) for at in rows["opened"]])
        promised = rows["priority"].map(RESPOND_S).to_numpy()
        due = self.time.add_many(opened, promised)
        centre = np.log(rows["priority"].map(EFFORT_MEDIAN_MIN).to_numpy() * 60.0)
        drawn = np.random.default_rng(EFFORT_SEED).lognormal(centre, EFFORT_SIGMA)
        effort = (factor * np.minimum(drawn, EFFORT_MOST_MIN * 60)).round().astype(int)
        tickets = [
            Ticket(str(code), at * SECOND, int(until) * SECOND, str(skill), int(tier), int(first))
            for code, at, until, skill, tier, first in zip(
                rows["ticket"], opened.tolist(), due, rows["skill"], rows["tier"],
                rows["priority"], strict=True,
            )
        ]  # fmt: skip
        return Trace(tickets, [int(work) * SECOND for work in effort], [None] * len(tickets))

    def _agents(self) -> list[Agent]:
        """Skills and the line each is seen in most often; a tie goes to the higher."""
        skills = self.work.groupby("agent")["skill"].unique()
        lines = self.work.groupby(["agent", "tier"]).size()
        grades = {
            agent: max(lines[agent].items(), key=lambda line: (line[1], line[0]))[0]
            for agent in skills.index
        }
        return [
            Agent(str(agent), int(grades[agent]), dict.fromkeys(sorted(skills[agent]), 3))
            for agent in skills.index
        ]

    def duties(self, seed: int) -> list[Duty]:
        """Opening hours of the days people were seen at work, thinned to the work there is."""
        grade = {agent.agent_id: agent.grade for agent in self.agents}
        homes = self.work.groupby("agent")["skill"].agg(lambda seen: seen.value_counts().index[0])
        days: dict[date, dict[tuple[str, int], set[str]]] = defaultdict(lambda: defaultdict(set))
        for agent, day in self.work[["agent", "day"]].drop_duplicates().to_numpy():
            if hours := self._hours(day):
                days[day][homes[agent], grade[agent]].add(agent)
                length = hours[1] - hours[0]
        there = sum(len(people) for groups in days.values() for people in groups.values())
        share = sum(self.trace().handle) / (there * length)
        draw = random.Random(seed)
        duties = []
        for day in sorted(days):
            for group in sorted(days[day]):
                people = sorted(days[day][group])
                stay = max(1, int(share * len(people) + draw.random()))
                chosen = draw.sample(people, min(stay, len(people)))
                duties += [Duty(agent, *self._hours(day)) for agent in chosen]
        return duties

    def _hours(self, day: date) -> tuple[int, int] | None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        begin = self.time.next_opening(noon - timedelta(hours=9))
        if begin.date() != day:
            return None
        end = self.time.add(begin, 10 * HOUR)
        return int(begin.timestamp()) * SECOND, int(end.timestamp()) * SECOND


READERS: dict[str, tuple[Callable[[Path], Log], date, date, tuple[float, ...]]] = {
    "servicenow": (incidents, date(2016, 3, 1), date(2016, 4, 30), (1.0, 2.0, 2.5)),
    "volvo": (support_line, date(2012, 4, 1), date(2012, 5, 31), (0.5, 0.75, 1.0)),
}
"""Reader, period and factors of effort by how the file is named."""
