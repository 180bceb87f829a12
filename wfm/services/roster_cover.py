"""Cover against requirement: the heat map of a version, its gaps by cause, its cost by rule."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

from scheduler.problem.parts import GRADES
from wfm.services.roster_month import Month
from wfm.services.roster_problems import PRESENCE, REPLAY_SOURCE, SLOT_MINUTES, minutes_of
from wfm.tables import RosterVersion, ShiftTemplate

DAY_MINUTES = 1440
DEEPEST = 4  # shades of red: this many missing people or more look alike
Language: TypeAlias = Literal["en", "zh"]
PROMISE = re.compile(r"(?:(?P<share>\d+) ?% )?first response within (?P<minutes>\d+) min")


@dataclass(frozen=True)
class Slot:
    """A half-hour: people required, on duty and able, and missing."""

    wanted: int = 0
    there: int = 0
    short: int = 0

    @property
    def shade(self) -> int:
        """0 where nobody is missing, then deeper."""
        return min(self.short, DEEPEST)


@dataclass(frozen=True)
class Heat:
    """Half-hours × days. `pairs` are the (skill, tier) that somebody is required for."""

    days: tuple[date, ...]
    starts: tuple[int, ...]
    slots: tuple[tuple[Slot, ...], ...]
    pairs: tuple[tuple[str, str], ...]
    skill: str
    tier: str

    @property
    def skills(self) -> list[str]:
        return sorted({skill for skill, _ in self.pairs})

    @property
    def missing(self) -> int:
        return sum(slot.short for row in self.slots for slot in row)

    @property
    def wanted(self) -> int:
        return sum(slot.wanted for row in self.slots for slot in row)


def heat(version: RosterVersion, month: Month, skill: str = "", tier: str = "") -> Heat | None:
    """The heat map of one skill and tier, or of all; None for a version without requirement."""
    covers = [one for one in version.problem.get("interval_cover", []) if one.get("skill")]
    if not covers:
        return None
    wanted: dict[tuple[date, int], int] = defaultdict(int)
    for one in covers:
        if _chosen(one, skill, tier):
            for start in range(one["start"], one["end"], SLOT_MINUTES):
                wanted[date.fromisoformat(one["date"]), start] += one["desired"]
    short = _short(version, skill, tier)
    there = _there(month, skill, tier)
    starts = sorted({start for _, start in wanted})
    days = tuple(day.date for day in month.days)
    return Heat(
        days=days,
        starts=tuple(starts),
        slots=tuple(
            tuple(
                Slot(wanted[day, start], there.get((day, start), 0), short.get((day, start), 0))
                if (day, start) in wanted
                else Slot()
                for day in days
            )
            for start in starts
        ),
        pairs=tuple(sorted({(one["skill"], _tier(one)) for one in covers})),
        skill=skill,
        tier=tier,
    )


def _tier(cover: dict[str, Any]) -> str:
    return str(cover.get("min_grade", GRADES[0]))


def _chosen(cover: dict[str, Any], skill: str, tier: str) -> bool:
    return skill in ("", cover["skill"]) and tier in ("", _tier(cover))


def _short(version: RosterVersion, skill: str, tier: str) -> dict[tuple[date, int], int]:
    missing: dict[tuple[date, int], int] = defaultdict(int)
    for breach in version.verdict.get("costs", []):
        if breach["kind"] == "interval_cover_under" and breach["facts"].get("skill"):
            if not _chosen(breach["facts"], skill, tier):
                continue
            for start, amount in breach["facts"]["slots"]:
                missing[date.fromisoformat(breach["days"][0]), start] += amount
    return missing


def _there(month: Month, skill: str, tier: str) -> dict[tuple[date, int], int]:
    """People at work through each slot who have the skill and at least the grade."""
    lowest = GRADES.index(tier) if tier in GRADES else 0
    spans = {code: list(_at_work(one.template)) for code, one in month.shifts.items()}
    on_shift: Counter[tuple[date, str]] = Counter()
    for row in month.rows:
        if (skill and skill not in row.agent.skills) or GRADES.index(row.agent.grade) < lowest:
            continue
        for day, cell in zip(month.days, row.cells, strict=True):
            if cell.shift is not None and cell.at_work:
                on_shift[day.date, cell.shift.code] += 1
    there: dict[tuple[date, int], int] = defaultdict(int)
    for (on, code), people in on_shift.items():
        for start in spans[code]:
            later, minute = divmod(start, DAY_MINUTES)
            there[on + timedelta(days=later), minute] += people
    return there


def _at_work(template: ShiftTemplate) -> Iterator[int]:
    """Slots someone on this shift works through, from midnight of the day it starts on."""
    starts, ends = minutes_of(template)
    first = -(-starts // SLOT_MINUTES) * SLOT_MINUTES
    for start in range(first, ends - SLOT_MINUTES + 1, SLOT_MINUTES):
        if all(
            pause["end"] <= start or start + SLOT_MINUTES <= pause["start"]
            for pause in template.breaks
        ):
            yield start


@dataclass(frozen=True)
class Gap:
    """What is missing for one promise, skill and tier: person-half-hours, and the worst days."""

    kind: str
    cause: str
    skill: str
    tier: str
    post: str
    amount: int
    cost: int
    days: tuple[tuple[str, int], ...]

    def promise(self, language: str) -> str:
        """The promise the requirement comes from, in the reader's language."""
        return promise(self.cause, language)


def gaps(version: RosterVersion) -> list[Gap]:
    """Everything wanted and not there, by cause, the dearest first."""
    sums: dict[tuple[str, str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    days: dict[tuple[str, str, str, str, str], dict[str, int]] = defaultdict(dict)
    for breach in version.verdict.get("costs", []):
        if breach["kind"] not in ("interval_cover_under", "shift_cover_under", "post_gap"):
            continue
        facts = breach["facts"]
        key = (
            breach["kind"],
            facts.get("cause") or "",
            facts.get("skill") or "",
            facts.get("min_grade") or "",
            facts.get("post") or "",
        )
        sums[key][0] += breach["amount"]
        sums[key][1] += breach["cost"]
        day = breach["days"][0]
        days[key][day] = days[key].get(day, 0) + breach["amount"]
    found = [
        Gap(*key, amount, cost, tuple(sorted(days[key].items(), key=lambda d: (-d[1], d[0]))))
        for key, (amount, cost) in sums.items()
    ]
    return sorted(found, key=lambda gap: (-gap.cost, gap.skill, gap.tier, gap.post))


def promise(cause: str, language: str) -> str:
    """A requirement's source in the reader's language; sources are kept in English."""
    if language != "zh":
        return cause
    if cause == PRESENCE:
        return "至少两人在岗，其中一人为高级或以上"
    if cause.startswith(REPLAY_SOURCE):
        return f"第 {cause.removeprefix(REPLAY_SOURCE)} 版的重放"
    found = PROMISE.match(cause)
    if found is None:
        return cause
    share = f"{found['share']} % 的" if found["share"] else ""
    return f"{share}首次响应在 {found['minutes']} 分钟内"


@dataclass(frozen=True)
class Term:
    """What one rule costs: places, cost, and what the rule says of itself."""

    rule: str
    kind: str
    source: str
    places: int
    cost: int


def terms(version: RosterVersion) -> list[Term]:
    """Cost by rule, the dearest first."""
    sources = {rule["name"]: rule.get("source", "") for rule in version.problem.get("rules", [])}
    found: dict[str, Term] = {}
    for breach in version.verdict.get("costs", []):
        name = breach["rule"]
        before = found.get(name, Term(name, breach["kind"], sources.get(name, ""), 0, 0))
        found[name] = Term(
            name, before.kind, before.source, before.places + 1, before.cost + breach["cost"]
        )
    return sorted(found.values(), key=lambda term: (-term.cost, term.rule))


def violations(version: RosterVersion) -> Sequence[dict[str, Any]]:
    """Hard rules the judge found broken."""
    return list(version.verdict.get("violations", []))
