"""The cells of the month grid as text: fifteen thousand of them are too many for a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from markupsafe import Markup, escape

from wfm.services.roster_day import Mark
from wfm.services.roster_month import Cell, Row
from wfm.tables import Skill

MUCH = 480  # minutes beyond or below the contract


def lines(
    language: str, away: str, grades: Mapping[str, str], skills: Mapping[str, Skill], lock: str = ""
) -> Callable[..., Markup]:
    """A function that gives the row of an agent: who, the days before, the cells, the totals.

    `away` is the short word for leave, `grades` the tag of each grade, `lock` what the button that
    locks the whole line is called; there is none without a name. A row of another team tells its
    roster and version.
    """
    called = {code: getattr(skill, f"name_{language}") for code, skill in skills.items()}
    button = f'<button type="button" data-lock-line title="{escape(lock)}">L</button>'
    known: dict[int, tuple[Cell, str]] = {}  # most cells are the same few objects

    def drawn(cell: Cell) -> str:
        if (found := known.get(id(cell))) is None:
            found = known[id(cell)] = cell, _cell(cell, language, away)
        return found[1]

    def line(row: Row, of: int = 0, version: int | None = None) -> Markup:
        before = "".join(
            f'<td class="past">{escape(shift.short(language)) if shift else ""}</td>'
            for shift in row.carried_in
        )
        agent = row.agent
        held = ", ".join(called.get(code, code) for code in agent.skills)
        head = (
            f'<tr data-agent="{agent.id}"{_elsewhere(of, version)}><th class="person" scope="row">'
            f'<span class="name">{escape(agent.name)}</span> {grades[agent.grade.value]}'
            f'{button if lock and not of else ""}<span class="skills">{escape(held)}</span>'
        )
        cells = "".join(map(drawn, row.cells))
        return Markup(f"{head}</th>{before}{cells}{_totals(row)}</tr>")

    return line


def _elsewhere(roster: int, version: int | None) -> str:
    """What a row says that is not of the grid's own roster: its cells open there."""
    if not roster:
        return ""
    told = escape(f'{{"version": {version}}}') if version else "{}"
    return f' data-of="{roster}" hx-vals="{told}"'


def _cell(cell: Cell, language: str, away: str) -> str:
    marks = (
        cell.shift and f"s-{cell.shift.colour}",
        cell.leave and "leave",
        cell.changed and "changed",
        cell.edited and "edited",
        cell.broken and "broken",
        cell.request and f"wish-{cell.request[:2]}",
        cell.request[-1:] == "!" and "unmet",
        cell.lock and cell.lock.kind.value,
    )
    names = " ".join(str(mark) for mark in marks if mark)
    css = f' class="{names}"' if names else ""
    text = cell.shift.short(language) if cell.shift else away if cell.leave else "·"
    return f"<td{css}><button>{escape(text)}{'★' if cell.post else ''}</button></td>"


def _totals(row: Row) -> str:
    totals = row.totals
    bad = " bad" if abs(totals.balance) > MUCH else ""
    return (
        f'<td class="n">{totals.minutes / 60:.4g}</td>'
        f'<td class="n{bad}">{totals.balance / 60:+.4g}</td>'
        f'<td class="n">{totals.nights + totals.unpopular}</td>'
        f'<td class="n">{totals.weekends}</td>'
    )


@lru_cache(1000)
def half_hours(marks: tuple[Mark, ...], colour: str) -> Markup:
    """The cells of a line of the day's picture; most people on one shift have the same ones."""
    signs = {"break": "∥", "standby": "☏"}
    cells = []
    for mark in marks:
        css = f"at-{mark} s-{colour}" if mark == "work" and colour else f"at-{mark}"
        cells.append(f'<td class="{css}">{signs.get(mark, "")}</td>' if mark else "<td></td>")
    return Markup("".join(cells))
