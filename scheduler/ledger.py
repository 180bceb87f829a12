"""The holiday ledger: who worked which *named* day in which year, and how heavy that was.

Fairness is kept by named day over years, since 除夕 and 10月3日 are not the same burden. Burdens
are whole units of a house rule (⚠ custom, not law); change the data for another desk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from scheduler.errors import SchedulingError
from scheduler.problem.parts import Day
from scheduler.problem.rules import FairShare, HeldDay, NamedDayRepeat, PastShare, Rule

SOURCE = "house rule: holiday duty is shared by named day over years"
OTHER_BURDEN = 3
# English and Chinese name as in the calendars, burden of a whole duty
BURDENS: tuple[tuple[str, str, int], ...] = (
    ("Lunar New Year's Eve", "除夕", 10),
    ("Lunar New Year day 1", "初一", 10),
    ("Lunar New Year day 2", "初二", 8),
    ("Lunar New Year day 3", "初三", 7),
    ("Lunar New Year day 4", "初四", 5),
    ("Lunar New Year day 5", "初五", 5),
    ("Lunar New Year day 6", "初六", 5),
    ("Lunar New Year day 7", "初七", 5),
    ("Lunar New Year day 8", "初八", 5),
    ("1 October", "10月1日", 6),
    ("2 October", "10月2日", 5),
    ("3 October", "10月3日", 5),
    ("Mid-Autumn Festival", "中秋节", 6),
    ("1 May", "5月1日", 5),
    ("2 May", "5月2日", 4),
    ("New Year's Day", "元旦", 4),
    ("Qingming Festival", "清明节", 4),
    ("Dragon Boat Festival", "端午节", 4),
)
_BY_NAME = {name: burden for english, chinese, burden in BURDENS for name in (english, chinese)}


def burden_of(name: str) -> int:
    """Burden of a named day, in either language; 0 for a day without a name."""
    return _BY_NAME.get(name, OTHER_BURDEN) if name else 0


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One named day one agent worked.

    Parameters
    ----------
    name : str
        Name of the day, in the language the days to be planned are named in.
    burden : int
        Units borne: the day's burden, times the share of the post held.
    """

    agent: str
    date: date
    name: str
    burden: int
    post: str = ""

    def __post_init__(self) -> None:
        if self.burden < 0:
            raise SchedulingError(f"the burden of {self.agent} on {self.date} is less than 0")


@dataclass(frozen=True, slots=True)
class Carried:
    """What an agent has borne over the years, before and after a duty table, in burden units."""

    agent: str
    before: int
    after: int


def carried(entries: Iterable[LedgerEntry], agents: Sequence[str]) -> dict[str, int]:
    """Burden units of each agent; agents without an entry have 0, others are left out."""
    total = dict.fromkeys(agents, 0)
    for entry in entries:
        if entry.agent in total:
            total[entry.agent] += entry.burden
    return total


def before_and_after(
    entries: Iterable[LedgerEntry], new: Iterable[LedgerEntry], agents: Sequence[str]
) -> tuple[Carried, ...]:
    """The ledger of each agent, whoever has borne most first."""
    old, added = carried(entries, agents), carried(new, agents)
    rows = [Carried(agent, old[agent], old[agent] + added[agent]) for agent in agents]
    return tuple(sorted(rows, key=lambda row: (-row.after, row.agent)))


def held_last_year(entries: Iterable[LedgerEntry], days: Iterable[Day]) -> frozenset[HeldDay]:
    """Who held a day of the same name in the year before, of the days to be planned."""
    planned = {(day.name, day.date.year - 1) for day in days if day.name}
    return frozenset(
        HeldDay(entry.agent, entry.name)
        for entry in entries
        if (entry.name, entry.date.year) in planned
    )


def fairness_rules(
    entries: Sequence[LedgerEntry],
    days: Sequence[Day],
    agents: Sequence[str],
    *,
    share_weight: int = 1,
    repeat_weight: int = 2000,
    unit: int = 1,
) -> tuple[Rule, ...]:
    """The ledger as rules of a roster problem: who has borne least goes first, no day twice.

    Parameters
    ----------
    agents : sequence of str
        Agents of the roster; entries of others are left out.
    share_weight : int
        Cost per unit of the sum of squared burdens.
    unit : int
        Burden units counted as one; shares count from that of whoever has borne least, which
        changes nothing between people and keeps the sum small.
    repeat_weight : int
        Cost of the same named day two years running.
    """
    borne = carried(entries, agents)
    least = min(borne.values(), default=0)
    past = tuple(PastShare(agent, amount - least) for agent, amount in borne.items())
    held = tuple(
        sorted(
            (item for item in held_last_year(entries, days) if item.agent in set(agents)),
            key=lambda item: (item.agent, item.day_name),
        )
    )
    return (
        FairShare(
            name="holiday burden",
            measure="burden",
            how="squares",
            unit=unit,
            weight=share_weight,
            past=past,
            source=SOURCE,
        ),
        NamedDayRepeat(name="same named day", weight=repeat_weight, held=held, source=SOURCE),
    )


def spread(rows: Sequence[Carried], when: Literal["before", "after"]) -> int:
    """Largest less smallest burden of a ledger."""
    amounts = [getattr(row, when) for row in rows]
    return max(amounts) - min(amounts) if amounts else 0
