"""What a duty table is: posts × days, who may hold which, what is given, and its judge.

No solver in here: `faults_of_table` checks any table, whoever made it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from scheduler.errors import SchedulingError
from scheduler.ledger import LedgerEntry, carried, held_last_year
from scheduler.problem.parts import (
    Agent,
    Day,
    Forbidden,
    Leave,
    Post,
    PostLock,
    Request,
    grade_rank,
)


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A post on a day."""

    date: date
    post: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """Somebody who cannot hold one post between two dates, both included, and why (a code)."""

    agent: str
    post: str
    first: date
    last: date
    cause: str = "forbidden"


@dataclass(frozen=True)
class DutyProblem:
    """Which posts are to be held on which named days, and by whom they can be.

    Parameters
    ----------
    agents, days, posts : tuples
        As in a roster problem; `Day.burden` and `Post.burden_percent` decide what a place weighs,
        `Post.weight` what an empty place costs.
    ledger : tuple of LedgerEntry
        Named days of past years.
    sites : mapping of post id to site
        Posts held at a site, by people who may work there; others are for the whole desk.
    requests : tuple of Request
        Wishes for or against having a post on a day (`shift` is not read).
    leave, forbidden, excluded, locks : tuples
        Hard. A forbidden cell with a shift is not read. Locked places stay as they are.
    most_days : int
        Places one agent may have in the table, locked ones included.
    wanted : mapping of place to people
        Where a place wants other than `Post.count` people; 0 takes the place away.
    heavy_from : int
        A place that brings at least so many units is one people mind most.
    heavy_weight : int
        Cost per unit of the sum of squared numbers of such places, over all years.

    Raises
    ------
    SchedulingError
        One line per fault.
    """

    agents: tuple[Agent, ...]
    days: tuple[Day, ...]
    posts: tuple[Post, ...]
    ledger: tuple[LedgerEntry, ...] = ()
    sites: Mapping[str, str] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    leave: tuple[Leave, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    locks: tuple[PostLock, ...] = ()
    most_days: int = 2
    excluded: tuple[Excluded, ...] = ()
    wanted: Mapping[Place, int] = field(default_factory=dict)
    heavy_from: int = 6
    heavy_weight: int = 20

    def __post_init__(self) -> None:
        faults = _faults(self)
        if faults:
            raise SchedulingError("\n".join(faults))

    @cached_property
    def agent(self) -> dict[str, Agent]:
        return {agent.id: agent for agent in self.agents}

    @cached_property
    def day(self) -> dict[date, Day]:
        return {day.date: day for day in self.days}

    @cached_property
    def post(self) -> dict[str, Post]:
        return {post.id: post for post in self.posts}

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every post on every of its days, by date and in the order of the posts."""
        rank = {post.id: number for number, post in enumerate(self.posts)}
        places = [Place(on, post.id) for post in self.posts for on in post.days]
        held = [place for place in places if self.need(place)]
        return tuple(sorted(held, key=lambda place: (place.date, rank[place.post])))

    def need(self, place: Place) -> int:
        """People a place wants."""
        return self.wanted.get(place, self.post[place.post].count)

    @cached_property
    def before(self) -> dict[str, int]:
        """Burden units each agent has borne."""
        return carried(self.ledger, [agent.id for agent in self.agents])

    @cached_property
    def heavy_before(self) -> dict[str, int]:
        """How many places that people mind most each agent has had."""
        heavy = Counter(e.agent for e in self.ledger if e.burden >= self.heavy_from)
        return {agent.id: heavy[agent.id] for agent in self.agents}

    @cached_property
    def turn(self) -> dict[str, int]:
        """Whose turn it is, 0 first: the rotation goes on behind who held a post last."""
        last: dict[str, date] = {}
        for entry in self.ledger:
            if entry.post:
                last[entry.agent] = max(entry.date, last.get(entry.agent, date.min))
        order = sorted(self.agent, key=lambda agent: (last.get(agent, date.min), agent))
        return {agent: number for number, agent in enumerate(order)}

    @cached_property
    def _held(self) -> frozenset[tuple[str, str]]:
        return frozenset((h.agent, h.day_name) for h in held_last_year(self.ledger, self.days))

    @cached_property
    def _closed(self) -> dict[tuple[str, Place], str]:
        return {
            (one.agent, place): one.cause
            for one in self.excluded
            for place in self.places
            if place.post == one.post and one.first <= place.date <= one.last
        }

    @cached_property
    def _wishes(self) -> dict[str, list[Request]]:
        wishes: dict[str, list[Request]] = {agent.id: [] for agent in self.agents}
        for wish in self.requests:
            wishes[wish.agent].append(wish)
        return wishes

    @cached_property
    def _away(self) -> dict[tuple[str, date], str]:
        away = {(f.agent, f.date): "forbidden" for f in self.forbidden if f.shift is None}
        for absence in self.leave:
            for day in self.days:
                if absence.first <= day.date <= absence.last:
                    away[absence.agent, day.date] = "leave"
        return away

    def burden(self, place: Place) -> int:
        """Units that holding a place brings."""
        return self.day[place.date].burden * self.post[place.post].burden_percent // 100

    def repeats(self, agent: str, place: Place) -> bool:
        """Whether the agent had a day of this name last year."""
        return (agent, self.day[place.date].name) in self._held

    def barred(self, agent: str, place: Place) -> str | None:
        """Why the agent cannot hold the place at all, as a code; None when possible."""
        person, post = self.agent[agent], self.post[place.post]
        site = self.sites.get(place.post)
        if grade_rank(person.grade) < grade_rank(post.min_grade):
            return "grade"
        if post.skill is not None and post.skill not in person.skills:
            return "qualification"
        if site and person.sites and site not in person.sites:
            return "site"
        if (agent, place.date) in self._away:
            return self._away[agent, place.date]
        if (agent, place) in self._closed:
            return self._closed[agent, place]
        if self.day[place.date].type == "statutory_holiday" and any(
            one.kind in ("no_overtime", "no_duty_on_holidays")
            and one.first <= place.date <= one.last
            for one in person.restrictions
        ):
            return "protected"
        return None

    def is_heavy(self, place: Place) -> bool:
        """Whether it is one of the places people mind most."""
        return self.burden(place) >= self.heavy_from

    def agent_cost(self, agent: str, held: Collection[Place]) -> int:
        """Squared burden and heavy places over the years, and wishes not met, of one agent."""
        burden = self.before[agent] + sum(self.burden(place) for place in held)
        heavy = self.heavy_before[agent] + sum(self.is_heavy(place) for place in held)
        days = {place.date for place in held}
        unmet = sum(w.weight for w in self._wishes[agent] if w.on != (w.date in days))
        return burden**2 + self.heavy_weight * heavy**2 + unmet

    def wish_cost(self, holders: Mapping[Place, Sequence[str]]) -> int:
        """Cost of the wishes that a table does not meet."""
        busy = {(agent, place.date) for place, held in holders.items() for agent in held}
        return sum(
            wish.weight for wish in self.requests if wish.on != ((wish.agent, wish.date) in busy)
        )


def _faults(problem: DutyProblem) -> list[str]:
    faults = [
        f"{what} {name!r} occurs {times} times"
        for what, names in (
            ("agent", [agent.id for agent in problem.agents]),
            ("post", [post.id for post in problem.posts]),
            ("day", [str(day.date) for day in problem.days]),
        )
        for name, times in Counter(names).items()
        if times > 1
    ]
    agents = {agent.id for agent in problem.agents}
    days = {day.date for day in problem.days}
    faults += [
        f"post {post.id!r} is to be held on {on}, which is not one of the days"
        for post in problem.posts
        for on in post.days
        if on not in days
    ]
    faults += [
        f"post {post.id!r}: the number of people, its weight and its burden must not be below 0"
        for post in problem.posts
        if min(post.count, post.weight, post.burden_percent) < 0
    ]
    faults += [f"the burden of {d.date} is less than 0" for d in problem.days if d.burden < 0]
    known = {Place(on, post.id) for post in problem.posts for on in post.days}
    for place, people in problem.wanted.items():
        if place not in known:
            faults.append(f"people wanted: there is no post {place.post!r} on {place.date}")
        elif people < 0:
            faults.append(f"{place.post!r} on {place.date} wants fewer than 0 people")
    if min(problem.heavy_from, problem.heavy_weight) < 0:
        faults.append("what makes a heavy day, and its weight, must not be below 0")
    if problem.most_days < 1:
        faults.append("an agent must be allowed at least one day (most_days)")
    faults += [
        f"{what}: there is no agent {item.agent!r}"
        for what, items in (
            ("request", problem.requests), ("leave", problem.leave),
            ("forbidden", problem.forbidden), ("excluded", problem.excluded),
            ("lock", problem.locks),
        )
        for item in items
        if item.agent not in agents
    ]  # fmt: skip
    return faults or _lock_faults(problem)


def _lock_faults(problem: DutyProblem) -> list[str]:
    places = set(problem.places)
    unknown = [
        f"lock: there is no post {lock.post!r} on {lock.date}"
        for lock in problem.locks
        if Place(lock.date, lock.post) not in places
    ]
    if unknown:
        return unknown
    holders: dict[Place, list[str]] = {}
    for lock in problem.locks:
        holders.setdefault(Place(lock.date, lock.post), []).append(lock.agent)
    return [f"lock: {fault}" for fault in faults_of_table(problem, holders)]


def faults_of_table(
    problem: DutyProblem, holders: Mapping[Place, Sequence[str]]
) -> tuple[str, ...]:
    """What is wrong with a table by the hard rules; empty places are no fault."""
    faults = []
    known, days_of = set(problem.places), Counter[str]()
    on_day: Counter[tuple[str, date]] = Counter()
    for place, held in holders.items():
        if place not in known:
            faults.append(f"there is no post {place.post!r} on {place.date}")
            continue
        if len(held) > problem.need(place):
            faults.append(f"too many people hold {place.post!r} on {place.date}")
        for agent in held:
            if agent not in problem.agent:
                faults.append(f"there is no agent {agent!r}")
                continue
            if code := problem.barred(agent, place):
                faults.append(f"{agent!r} cannot hold {place.post!r} on {place.date}: {code}")
            days_of[agent] += 1
            on_day[agent, place.date] += 1
    faults += [f"{a!r} has {n} posts on {on}" for (a, on), n in on_day.items() if n > 1]
    faults += [
        f"{agent!r} has {times} days, more than {problem.most_days}"
        for agent, times in days_of.items()
        if times > problem.most_days
    ]
    return tuple(faults)
