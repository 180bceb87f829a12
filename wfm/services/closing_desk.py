"""What closing the loop knows of the desk: its day's parts, who can help, and where to ask more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.demand import closing as loop
from scheduler.demand.closing import Kind, Option, Part, Tally
from wfm.dispatch.model import GRADES, SECOND, Agent, micro
from wfm.dispatch.replay import Decision, Duty
from wfm.errors import NotFoundError
from wfm.services import opening
from wfm.services.facts import agents_on
from wfm.services.replay_figures import SLOT_S
from wfm.services.replaying import Bench
from wfm.services.roster_problems import REPLAY_SOURCE, instant_of, newest_plan
from wfm.tables import Requirement, Roster, RosterVersion, Skill
from wfm.words import Grade, RosterStatus

SLOT_MIN = SLOT_S // 60
SLOTS_A_DAY = 24 * 60 // SLOT_MIN
PROBES = 2  # replications in which the gain of one more person is seen
MOST_KINDS = 8  # kinds of work tried in a round, those missing most first

People = Sequence[tuple[Kind, Part]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the requirement to be: so many people more for an option's kind in one slot."""

    roster_id: int
    option: Option
    slot: int
    people: int


class ClosingDesk:
    """The desk over the period of some rosters, which are solved again and again.

    Raises
    ------
    NotFoundError
        A roster is not there.
    """

    def __init__(self, session: Session, roster_ids: Collection[int], timezone: str) -> None:
        rosters = [session.get(Roster, number) for number in roster_ids]
        if not rosters or None in rosters:
            raise NotFoundError("there is no such roster")
        found = [roster for roster in rosters if roster is not None]
        self.first = min(roster.period_from for roster in found)
        self.last = max(roster.period_until for roster in found)
        self.roster_ids = tuple(roster_ids)
        self.teams = {roster.id: roster.team_id for roster in found if roster.id is not None}
        self.days = (self.last - self.first).days + 1
        self.slots = self.days * SLOTS_A_DAY
        time = opening.desk_time(session, timezone)
        starts = [instant_of(self.first, n * SLOT_MIN, timezone) for n in range(self.slots)]
        self.starts = starts
        self.parts = loop.parts(np.array([time.is_open(at) for at in starts]), SLOTS_A_DAY)
        self.part_of = loop.part_of(self.parts, self.slots)
        self.skills = {skill.code: skill for skill in session.exec(select(Skill))}
        self.people: dict[str, tuple[int, frozenset[Kind]]] = {}
        self.able_by_team: dict[int, Counter[Kind]] = {}
        for team in sorted(set(self.teams.values())):
            self._learn(session, team)
        self.asked_for: Counter[tuple[int, Kind]] = Counter()

    def _learn(self, session: Session, team: int) -> None:
        """What the people of a team can do."""
        counts: Counter[Kind] = Counter()
        for agent in agents_on(session, self.first, team):
            tiers = GRADES[: GRADES.index(agent.grade.value) + 1]
            kinds = frozenset(Kind(skill, tier) for skill in agent.skills for tier in tiers)
            self.people[agent.code] = team, kinds
            counts.update(kinds)
        self.able_by_team[team] = counts

    @property
    def able(self) -> set[Kind]:
        """Kinds of work that somebody of these teams can do."""
        return {kind for kinds in self.able_by_team.values() for kind in kinds}

    def rosters_beside(self, session: Session) -> list[int]:
        """The rosters replayed: those asked for, and others of the period not yet published."""
        published = select(RosterVersion.roster_id).where(
            RosterVersion.status == RosterStatus.PUBLISHED
        )
        others = session.exec(
            select(Roster.id)
            .where(
                Roster.period_from == self.first,
                Roster.period_until == self.last,
                col(Roster.id).not_in(self.roster_ids),
                col(Roster.id).not_in(published),
            )
            .order_by(col(Roster.id))
        )
        return [*self.roster_ids, *(number for number in others if number is not None)]

    def gains(
        self,
        bench: Bench,
        played: Sequence[Sequence[Decision]],
        *,
        only: Collection[Kind] | None = None,
        beside: People = (),
    ) -> list[Option]:
        """What one more person would bring, by replaying with that person in every failing part.

        The parts lie apart, so that one replay shows the gain of each of them.
        """
        failing = loop.failing(self._tallies(played), self.parts, self.slots, bench.agreed)
        kinds = [kind for kind in failing if only is None or kind in only]
        kinds.sort(key=lambda kind: (-sum(failing[kind].values()), kind))
        probes = min(PROBES, len(played))
        before = self._met(played[:probes])
        number = {part: n for n, part in enumerate(self.parts)}
        options = []
        for kind in kinds[:MOST_KINDS]:
            tried = [*beside, *((kind, part) for part in failing[kind])]
            after = self._met(bench.play(self.guests(tried), replications=probes))
            options += [
                Option(kind, part, float(after[number[part]] - before[number[part]]) / probes)
                for part in failing[kind]
            ]
        return options

    def guests(self, people: People) -> list[tuple[Agent, list[Duty]]]:
        """People who are not there, as the replay knows people: each with one kind of work."""
        copies: Counter[tuple[Kind, Part]] = Counter()
        parts: dict[tuple[Kind, int], list[Part]] = defaultdict(list)
        for kind, part in people:
            parts[kind, copies[kind, part]].append(part)
            copies[kind, part] += 1
        guests = []
        for (kind, copy), mine in sorted(parts.items()):
            name = f"+{kind.skill}:{kind.tier}:{copy}"
            agent = Agent(name, GRADES.index(kind.tier) + 1, {kind.skill: 3})
            guests.append((agent, [Duty(name, *self._span(part)) for part in mine]))
        return guests

    def _span(self, part: Part) -> tuple[int, int]:
        begin = micro(self.starts[part.first])
        return begin, begin + part.slots * SLOT_S * SECOND

    def rows(self, session: Session, bench: Bench, options: Sequence[Option]) -> list[Row]:
        """Requirement rows that bring one person more than are there, where somebody could come.

        A roster may have people to spare at a place: a row reaches beyond them, or the next
        solve would call it covered already. Options nobody of these teams is left for are dropped.
        """
        there = self._there(bench)
        wanted = self._wanted(session)
        found = []
        for option in options:
            roster_id = self._roster_for(option.kind)
            team = self.teams[roster_id]
            mine = []
            for slot in range(option.part.first, option.part.last + 1):
                on_duty, asked = there[team, slot], wanted[team, slot]
                more = loop.spare(on_duty, asked, option.kind) + 1
                if asked[option.kind] + more <= self.able_by_team[team][option.kind]:
                    mine.append(Row(roster_id, option, slot, more))
                    asked[option.kind] += more
            if mine:
                self.asked_for[roster_id, option.kind] += 1
                found += mine
        return found

    def _there(self, bench: Bench) -> dict[tuple[int, int], list[frozenset[Kind]]]:
        """What each person on duty can do, by team and slot; breaks are not on duty."""
        there: dict[tuple[int, int], list[frozenset[Kind]]] = defaultdict(list)
        begin, length = micro(self.starts[0]), SLOT_S * SECOND
        for duty in bench.duties:
            if duty.agent_id not in self.people:
                continue
            team, kinds = self.people[duty.agent_id]
            first = -(-(duty.start - begin) // length)
            for slot in range(max(first, 0), min((duty.end - begin) // length, self.slots)):
                there[team, slot].append(kinds)
        return there

    def _wanted(self, session: Session) -> dict[tuple[int, int], Counter[Kind]]:
        """What the newest plan asks of these teams so far, by team and slot."""
        wanted: dict[tuple[int, int], Counter[Kind]] = defaultdict(Counter)
        number = {at: slot for slot, at in enumerate(self.starts)}
        rows = session.execute(
            sa.select(
                col(Requirement.team_id), col(Requirement.starts_at), col(Skill.code),
                col(Requirement.tier), col(Requirement.people),
            )
            .join(Skill, col(Skill.id) == col(Requirement.skill_id))
            .where(
                col(Requirement.plan_id) == self._plan(session),
                col(Requirement.team_id).in_(set(self.teams.values())),
            )
        )  # fmt: skip
        for team, at, skill, tier, people in rows:
            if at in number:
                wanted[team, number[at]][Kind(skill, Grade(tier).value)] += round(people)
        return wanted

    def _plan(self, session: Session) -> int:
        plan = newest_plan(session, self.first, self.last)
        if plan is None or plan.id is None:
            raise NotFoundError("there is no staffing plan for this period; make one first")
        return plan.id

    def add_rows(self, session: Session, rows: Sequence[Row], numbers: dict[int, int]) -> None:
        """Raise the newest plan's requirement; the source names the version replayed."""
        plan_id = self._plan(session)
        for row in rows:
            source = f"{REPLAY_SOURCE}{numbers[row.roster_id]}"
            self._raise(session, plan_id, row, source)
        session.flush()

    def _roster_for(self, kind: Kind) -> int:
        """The roster whose team has been asked least for each person who can do it."""
        able = {
            roster_id: self.able_by_team[team][kind]
            for roster_id, team in self.teams.items()
            if kind in self.able_by_team[team]
        }
        return min(able, key=lambda r: ((self.asked_for[r, kind] + 1) / able[r], r))

    def _raise(self, session: Session, plan_id: int, row: Row, source: str) -> None:
        kind = row.option.kind
        place: dict[str, Any] = {
            "plan_id": plan_id, "team_id": self.teams[row.roster_id],
            "skill_id": self.skills[kind.skill].id, "tier": Grade(kind.tier),
            "starts_at": self.starts[row.slot], "source": source,
        }  # fmt: skip
        known = session.exec(select(Requirement).filter_by(**place)).first()
        if known is None:
            session.add(Requirement(**place, people=row.people))
        else:
            known.people += row.people

    def words(self, people: People) -> list[dict[str, Any]]:
        """People in words and numbers, in both languages."""
        dates = {n: (self.first + timedelta(days=n)).strftime("%m-%d") for n in range(self.days)}
        return [
            {
                "skill": one.kind.skill,
                "tier": one.kind.tier,
                "people": one.people,
                "start_min": one.start_min,
                "end_min": one.end_min,
                "days": [str(self.first + timedelta(days=n)) for n in one.days],
                "en": loop.text(one, "en", dates, self.skills[one.kind.skill].name_en),
                "zh": loop.text(one, "zh", dates, self.skills[one.kind.skill].name_zh),
            }
            for one in loop.missing(people, SLOTS_A_DAY, SLOT_MIN)
        ]

    def _slot(self, decision: Decision) -> int:
        begin = micro(self.starts[0])
        slot = (decision.ticket.opened_at - begin) // (SLOT_S * SECOND)
        return min(max(int(slot), 0), self.slots - 1)

    def _tallies(self, played: Sequence[Sequence[Decision]]) -> list[Tally]:
        counts: dict[tuple[Kind, int], list[int]] = defaultdict(lambda: [0, 0])
        for decisions in played:
            for decision in decisions:
                ticket = decision.ticket
                kind = Kind(ticket.skill, GRADES[ticket.tier - 1])
                count = counts[kind, self._slot(decision)]
                count[0] += 1
                count[1] += decision.met
        return [Tally(kind, slot, *count) for (kind, slot), count in sorted(counts.items())]

    def _met(self, played: Sequence[Sequence[Decision]]) -> np.ndarray:
        """Tickets kept in time by part, all kinds and replications together."""
        met = np.zeros(len(self.parts) + 1)
        for decisions in played:
            for decision in decisions:
                if decision.met:
                    met[self.part_of[self._slot(decision)]] += 1
        if len(self.parts):
            met[-2] += met[-1]  # what came after the last opening counts with the last part
        return met
