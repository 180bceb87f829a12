"""Who holds which post on the holidays: a fair duty table (值班表), exact and explained.

Four aims, each only as far as those before it allow: no place empty; nobody the same named day two
years running; burdens even and wishes met; whoever's turn it is in the rotation. The third is one
sum: the squared burden of each agent over the years, this table included; the squared number of
places people mind most; the weight of every wish not met. Squares always prefer whoever has borne
least.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from scheduler.duty_search import Params, search
from scheduler.duty_table import DutyProblem, Place, faults_of_table
from scheduler.ledger import Carried, LedgerEntry, before_and_after

Holders: TypeAlias = Mapping[Place, Sequence[str]]
Language: TypeAlias = Literal["en", "zh"]
ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Alternative:
    """Somebody else who may hold the place and has no post that day.

    `cost` is what the swap alone would add to squared burdens and wishes; `repeats` says she had
    the same named day last year, `full` that she has as many days in the table as one may have.
    """

    agent: str
    carried: int
    cost: int
    repeats: bool
    full: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """A place with its holder and the reasons.

    Parameters
    ----------
    carried : int
        Burden units borne before this table.
    burden : int
        Units this place adds.
    lighter : int
        How many of the `able` agents (those who may hold the place) had borne less.
    repeats : bool
        The holder had the same named day last year.
    alternatives : tuple of Alternative
        The next best, cheapest first.
    """

    place: Place
    agent: str
    carried: int
    burden: int
    lighter: int
    able: int
    repeats: bool
    locked: bool
    alternatives: tuple[Alternative, ...]

    def text(self, language: Language) -> str:
        """Why this person, in one sentence."""
        en = f"may hold it with {self.able - 1} others, {self.lighter} of whom had borne less"
        zh = f"符合条件者共 {self.able} 人，其中 {self.lighter} 人以往负担更轻"
        if self.locked:
            en, zh = "set by the planner", "由排班员锁定"
        if self.repeats:
            en += "; had the same day last year"
            zh += "；去年同日已值班"
        en = f"{self.agent}: {self.carried} units before, {self.burden} more; {en}"
        zh = f"{self.agent}：以往负担 {self.carried}，本次增加 {self.burden}；{zh}"
        return zh if language == "zh" else en


@dataclass(frozen=True, slots=True)
class Gap:
    """Places of a post left empty on a day, and where the people are.

    `barred` counts the agents who cannot hold it, by cause (grade, qualification, site, leave,
    forbidden, protected); `elsewhere` those with another post that day, `full` those with as many
    days as one may have.
    """

    place: Place
    missing: int
    barred: tuple[tuple[str, int], ...]
    elsewhere: int
    full: int

    def text(self, language: Language) -> str:
        """What is missing and why, in one sentence."""
        causes = dict(self.barred)
        words = CAUSES[language]
        parts = [f"{words[code]} {n}" for code, n in causes.items()]
        parts += [f"{words[code]} {n}" for code, n in
                  (("elsewhere", self.elsewhere), ("full", self.full)) if n]  # fmt: skip
        if language == "zh":
            return f"{self.place.date} {self.place.post} 缺 {self.missing} 人：" + "、".join(parts)
        return f"{self.place.date} {self.place.post}: {self.missing} missing; " + ", ".join(parts)


def change_of_cost(
    problem: DutyProblem,
    now: Mapping[str, Collection[Place]],
    then: Mapping[str, Collection[Place]],
) -> int:
    """What it adds to the third aim that the agents of `then` hold other places than `now`."""
    return sum(
        problem.agent_cost(agent, held) - problem.agent_cost(agent, now.get(agent, ()))
        for agent, held in then.items()
    )


CAUSES: dict[Language, dict[str, str]] = {
    "en": {"grade": "grade too low", "qualification": "not qualified", "site": "other site",
           "leave": "on leave", "forbidden": "not available", "protected": "protected by law",
           "home": "works from home only", "consent": "no consent to overtime",
           "standby": "no consent to standby", "reach": "too far away for standby",
           "elsewhere": "on another post", "full": "has enough days"},
    "zh": {"grade": "级别不足", "qualification": "无资格", "site": "不在该地点",
           "leave": "休假", "forbidden": "不可安排", "protected": "受法律保护",
           "home": "仅可居家办公", "consent": "未同意加班",
           "standby": "未同意待命", "reach": "到岗时间过长",
           "elsewhere": "当日另有岗位", "full": "值班天数已满"},
}  # fmt: skip


@dataclass(frozen=True)
class DutyTable:
    """The table, with what it does to the ledger.

    `proven` says that no better table exists; otherwise the search ended before the proof.
    """

    fills: tuple[Fill, ...]
    gaps: tuple[Gap, ...]
    ledger: tuple[Carried, ...]
    entries: tuple[LedgerEntry, ...]
    repeats: int
    wish_cost: int
    proven: bool


def assign(problem: DutyProblem, params: Params | None = None) -> DutyTable:
    """Fill the posts fairly; the same problem and parameters give the same table.

    Raises
    ------
    SchedulingError
        The search ended before any table was found.
    """
    holders, proven = search(problem, params or Params())
    wrong = faults_of_table(problem, holders)
    assert not wrong, wrong
    return describe(problem, holders, proven=proven)


def describe(
    problem: DutyProblem, holders: Holders, *, proven: bool = False, why: bool = True
) -> DutyTable:
    """A table with reasons, gaps and the ledger it leads to; also for a table made by hand.

    Without `why` nobody is compared with those who could hold the place as well, and `fills` is
    empty: at a desk of a thousand that is most of the work.
    """
    entries = tuple(
        LedgerEntry(
            agent, place.date, problem.day[place.date].name, problem.burden(place), place.post
        )
        for place in problem.places
        for agent in holders.get(place, ())
        if problem.day[place.date].name
    )
    names = [agent.id for agent in problem.agents]
    view = _View(problem, holders)
    held = [(place, agent) for place in problem.places for agent in holders.get(place, ())]
    fills = tuple(view.fill(place, agent) for place, agent in held) if why else ()
    gaps = tuple(
        view.gap(place)
        for place in problem.places
        if len(holders.get(place, ())) < problem.need(place)
    )
    return DutyTable(
        fills=fills,
        gaps=gaps,
        ledger=before_and_after(problem.ledger, entries, names),
        entries=entries,
        repeats=sum(problem.repeats(agent, place) for place, agent in held),
        wish_cost=problem.wish_cost(holders),
        proven=proven,
    )


class _View:
    """Reads reasons off a finished table."""

    def __init__(self, problem: DutyProblem, holders: Holders) -> None:
        self.problem = problem
        self.busy: dict[tuple[str, date], Place] = {}
        self.held: dict[str, tuple[Place, ...]] = dict.fromkeys(problem.agent, ())
        for place, held in holders.items():
            for agent in held:
                self.busy[agent, place.date] = place
                self.held[agent] += (place,)
        self.locked = {(Place(lock.date, lock.post), lock.agent) for lock in problem.locks}

    def fill(self, place: Place, agent: str) -> Fill:
        problem = self.problem
        able = [one for one in problem.agent if problem.barred(one, place) is None]
        others = [
            self._alternative(place, agent, one)
            for one in able
            if (one, place.date) not in self.busy
        ]
        others.sort(key=lambda other: (other.full, other.repeats, other.cost, other.agent))
        return Fill(
            place=place,
            agent=agent,
            carried=problem.before[agent],
            burden=problem.burden(place),
            lighter=sum(problem.before[one] < problem.before[agent] for one in able),
            able=len(able),
            repeats=problem.repeats(agent, place),
            locked=(place, agent) in self.locked,
            alternatives=tuple(others[:ALTERNATIVES]),
        )

    def _alternative(self, place: Place, holder: str, other: str) -> Alternative:
        moved = {holder: tuple(p for p in self.held[holder] if p != place)}
        moved[other] = (*self.held[other], place)
        return Alternative(
            agent=other,
            carried=self.problem.before[other],
            cost=change_of_cost(self.problem, self.held, moved),
            repeats=self.problem.repeats(other, place),
            full=len(self.held[other]) >= self.problem.most_days,
        )

    def gap(self, place: Place) -> Gap:
        barred: dict[str, int] = {}
        elsewhere = full = held = 0
        for agent in self.problem.agent:
            code = self.problem.barred(agent, place)
            if code is not None:
                barred[code] = barred.get(code, 0) + 1
            elif (where := self.busy.get((agent, place.date))) is not None:
                held += where == place
                elsewhere += where != place
            elif len(self.held[agent]) >= self.problem.most_days:
                full += 1
        missing = self.problem.need(place) - held
        return Gap(place, missing, tuple(sorted(barred.items())), elsewhere, full)
