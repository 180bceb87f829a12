"""Two versions side by side: what changed for whom, and what that does to cover, cost, shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from wfm.access import Actor
from wfm.services import roster_cover, roster_pages, rostering
from wfm.services.roster_month import Month, ShownShift, Totals, month
from wfm.services.roster_pages import VersionFigures
from wfm.tables import Post, Roster, Team


@dataclass(frozen=True)
class CellChange:
    """One cell in both versions."""

    name: str
    day: date
    before: ShownShift | None
    after: ShownShift | None
    post_before: Post | None
    post_after: Post | None


@dataclass(frozen=True)
class TermChange:
    """What a rule costs in both versions."""

    rule: str
    kind: str
    before: int
    after: int


@dataclass(frozen=True)
class PersonChange:
    """What both versions ask of one person."""

    name: str
    cells: int
    before: Totals
    after: Totals


@dataclass(frozen=True)
class Comparison:
    roster: Roster
    team: Team
    versions: tuple[VersionFigures, ...]
    left: VersionFigures
    right: VersionFigures
    cells: tuple[CellChange, ...]
    terms: tuple[TermChange, ...]
    people: tuple[PersonChange, ...]
    spread: tuple[tuple[str, int, int], ...]  # measure, largest less smallest in either


def compare(session: Session, actor: Actor, roster_id: int, left: int, right: int) -> Comparison:
    """Compare two versions of a roster by their numbers."""
    roster = rostering.get_roster(session, actor, roster_id)
    listed = {one.number: one for one in roster_pages.versions(session, roster_id)}
    versions = [roster_pages.numbered(session, roster_id, number) for number in (left, right)]
    grids = [month(session, roster, version, None, marked=False) for version in versions]
    terms = [
        {term.rule: term for term in (roster_cover.terms(version) if version else [])}
        for version in versions
    ]
    names = sorted(terms[0].keys() | terms[1].keys())
    found = [
        TermChange(
            name,
            (terms[1].get(name) or terms[0][name]).kind,
            terms[0][name].cost if name in terms[0] else 0,
            terms[1][name].cost if name in terms[1] else 0,
        )
        for name in names
    ]
    return Comparison(
        roster,
        session.get_one(Team, roster.team_id),
        tuple(listed.values()),
        listed[left],
        listed[right],
        tuple(_cells(*grids)),
        tuple(sorted(found, key=lambda t: (-abs(t.after - t.before), t.rule))),
        tuple(_people(*grids)),
        tuple(_spread(*grids)),
    )


def _cells(left: Month, right: Month) -> list[CellChange]:
    return [
        CellChange(was.agent.name, day.date, then.shift, now.shift, then.post, now.post)
        for was, row in zip(left.rows, right.rows, strict=True)
        for day, then, now in zip(left.days, was.cells, row.cells, strict=True)
        if (then.shift, then.post) != (now.shift, now.post)
    ]


def _people(left: Month, right: Month) -> list[PersonChange]:
    found = []
    for was, now in zip(left.rows, right.rows, strict=True):
        changed = sum(
            (a.shift, a.post) != (b.shift, b.post)
            for a, b in zip(was.cells, now.cells, strict=True)
        )
        if changed:
            found.append(PersonChange(now.agent.name, changed, was.totals, now.totals))
    return sorted(found, key=lambda one: (-one.cells, one.name))


MEASURES = ("balance", "nights", "unpopular", "weekends")


def _spread(left: Month, right: Month) -> list[tuple[str, int, int]]:
    def apart(grid: Month, measure: str) -> int:
        values = [getattr(row.totals, measure) for row in grid.rows]
        return max(values, default=0) - min(values, default=0)

    return [(measure, apart(left, measure), apart(right, measure)) for measure in MEASURES]
