"""Draws docs/pictures/rules: one picture for each kind of rule, from the judge's own verdict.

    .venv/bin/python docs/rule_pictures.py

Each picture shows a line that keeps the rule and one that breaks it; what is framed, and the amount
beneath, is what `scheduler.verify` found, so a picture cannot say what the code does not do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

from scheduler import problem as p
from scheduler.breaks import place_breaks
from scheduler.solution import Roster
from scheduler.verify import Breach, verify

FOLDER = Path(__file__).parent / "pictures" / "rules"
MONDAY = date(2026, 3, 2)
NAMES = "ABC"
SHIFTS = (
    p.Shift("D", 480, 960),
    p.Shift("E", 840, 1320),
    p.Shift("N", 1320, 1800, night=True, unpopular=True),
)
COLOURS = {"D": "#fde68a", "E": "#fdba74", "N": "#1e3a8a", "-": "#f1f5f9", "?": "#ffffff"}
CELL, TOP, LEFT, LINE = 30, 22, 74, 26


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


@dataclass(frozen=True)
class Example:
    """A rule, lines that keep it and lines that break it; one letter a day, "-" is off.

    `before` is A's line just before the first day; `unit` names what the amount counts.
    """

    rule: p.Rule
    good: tuple[str, ...]
    bad: tuple[str, ...]
    unit: str
    before: str = ""
    parts: dict[str, Any] = field(default_factory=dict)
    good_posts: dict[str, str] = field(default_factory=dict)
    bad_posts: dict[str, str] = field(default_factory=dict)


EVE = {"days": (p.Day(MONDAY, "statutory_holiday", "除夕", burden=10), p.Day(day(1)))}
LEAD = {**EVE, "posts": (p.Post("lead", (MONDAY,), burden_percent=50),)}
EXAMPLES = (
    Example(p.MinRest(name="r", minutes=660), ("DDE-N--",), ("EDE-N--",), "pairs 对"),
    Example(
        p.ForbiddenSuccession(name="r", first=("N",), then=("D", "E")),
        ("DN-D---",), ("DNED---",), "pairs 对",
    ),
    Example(
        p.StartChange(name="r", earlier_by=0), ("DDEEN-D",), ("DEDNE-D",), "pairs 对"
    ),
    Example(p.MaxConsecutive(name="r", days=3), ("DD-DDD-",), ("DDDDD--",), "days 天", "-D"),
    Example(p.MinConsecutive(name="r", days=2), ("-DD-DD-",), ("-DD-D--",), "days 天"),
    Example(p.MinDaysOff(name="r", days=2), ("DD--DDD",), ("DDD-DDD",), "days 天"),
    Example(p.RestDays(name="r"), ("DDDD-DD",), ("DDDDDDD",), "days 天"),
    Example(
        p.RestAfter(name="r", shifts=("N",), days_off=2), ("DNN--DD",), ("DNN-DDD",), "days 天"
    ),
    Example(
        p.MinutesLimit(name="r", maximum=2400), ("DDDDD--",), ("DDDDDD-",), "hours 小时"
    ),
    Example(
        p.OvertimeLimit(name="r", maximum=480), ("DDDDDD-",), ("DDDDDDD",), "hours 小时"
    ),
    Example(
        p.ContractMinutes(name="r", tolerance=0), ("DDDDD--",), ("DDD----",), "hours 小时"
    ),
    Example(
        p.MaxWeekends(name="r", weekends=1),
        ("DDD--DDDDDDD--",), ("DDD--D-DDD---D",), "weekends 个周末",
    ),
    Example(
        p.WholeWeekends(name="r"), ("DDD--DDDDDDD--",), ("DDD--D-DDD---D",), "weekends 个周末"
    ),
    Example(
        p.ShiftLimit(name="r", shifts=("N",), period="week", maximum=2),
        ("DNN--DD",), ("DNNN--D",), "shifts 个班",
    ),
    Example(
        p.Rotation(name="r", cycle=("D", "D", "N", "N", "off", "off"), since=MONDAY),
        ("DDNN--D",), ("DDEN--D",), "cells 格",
    ),
    Example(
        p.Apart(name="r", agents=("A", "B")),
        ("DDE----", "EED----"), ("DDE----", "EDE----"), "people 人",
    ),
    Example(
        p.Together(name="r", agents=("A", "B")),
        ("DD--E--", "DD-DE--"), ("DDE----", "D-D----"), "duties 个班",
    ),
    Example(
        p.FairShare(name="r", weight=1, measure="nights", past=(p.PastShare("A", 1),)),
        ("DDN----", "NN-----"), ("NNN----", "DD-----"), "nights apart 个夜班之差",
    ),
    Example(
        p.NamedDayRepeat(name="r", weight=1, held=(p.HeldDay("A", "除夕"),)),
        ("-D", "D-"), ("D-", "-D"), "duties 次", parts=LEAD,
        good_posts={"lead": "B"}, bad_posts={"lead": "A"},
    ),
    Example(
        p.Stability(name="r", weight=1, earlier=tuple(
            p.Lock("A", day(i), None if s == "-" else s) for i, s in enumerate("DDE-N--")
        )),
        ("DDE-N--",), ("DEE-N-D",), "cells 格",
    ),
)  # fmt: skip


def problem_of(example: Example) -> p.RosterProblem:
    """The desk of an example: as many people as it has lines, weekends are rest days."""
    length = len(example.bad[0])
    usual: dict[str, Any] = {
        "agents": tuple(p.Agent(name) for name in NAMES[: len(example.bad)]),
        "days": tuple(
            p.Day(day(i), "rest_day" if day(i).weekday() >= 5 else "workday") for i in range(length)
        ),
        "shifts": SHIFTS,
        "rules": (example.rule,),
        "history": tuple(
            p.PastDuty("A", day(i - len(example.before)), s)
            for i, s in enumerate(example.before)
            if s != "-"
        ),
        "history_days": len(example.before),
    }
    return p.RosterProblem(**{**usual, **example.parts})


def judged(example: Example, good: bool) -> list[Breach]:
    """What the judge finds of the rule in the lines that keep it, or in those that break it."""
    lines, posts = (example.good, example.good_posts) if good else (example.bad, example.bad_posts)
    cells = {
        (name, day(i)): shift
        for name, line in zip(NAMES, lines, strict=False)
        for i, shift in enumerate(line)
        if shift != "-"
    }
    held = {(post, MONDAY): (agent,) for post, agent in posts.items()}
    verdict = verify(problem_of(example), Roster(cells, held))
    return [b for b in (*verdict.violations, *verdict.costs) if b.rule == example.rule.name]


def picture(example: Example) -> str:
    """The drawing of one rule."""
    days = len(example.before) + len(example.bad[0])
    rows = len(example.bad)
    width = LEFT + days * CELL + 8
    height = TOP + 2 * (rows * LINE + 34)
    parts = [_head(example, days)]
    top = TOP
    for good in (True, False):
        lines = example.good if good else example.bad
        found = judged(example, good)
        amount = sum(breach.amount for breach in found)
        sign, colour = ("✓", "#15803d") if good else ("✗", "#b91c1c")
        parts.append(_text(14, top + LINE * rows / 2 + 5, sign, colour, 18))
        for row, line in enumerate(lines):
            before = example.before if row == 0 else "?" * len(example.before)
            parts.append(_text(36, top + row * LINE + 18, NAMES[row], "#334155", 13))
            broken = _broken(found, NAMES[row], len(example.before))
            for i, shift in enumerate(before + line):
                parts.append(_cell(i, top + row * LINE, shift, i in broken, i < len(before)))
            holds = example.good_posts if good else example.bad_posts
            if NAMES[row] in holds.values():
                parts.append(_text(LEFT + 21, top + row * LINE + 11, "★", "#b91c1c", 9))
        note = f"{amount} {example.unit}"
        parts.append(_text(LEFT, top + rows * LINE + 18, note, colour, 12))
        top += rows * LINE + 34
    title = f"{example.rule.kind}: kept above, broken below by {note}"
    return _svg(width, height, title, parts)


def _broken(found: list[Breach], name: str, before: int) -> set[int]:
    """Columns of the cells of somebody that a breach is about."""
    return {
        (on - MONDAY).days + before
        for breach in found
        if breach.agent == name or name in breach.facts.get("agents", ())
        for on in breach.days
    }


def _head(example: Example, days: int) -> str:
    names = ["Mo一", "Tu二", "We三", "Th四", "Fr五", "Sa六", "Su日"]
    shown = [names[day(i - len(example.before)).weekday()] for i in range(days)]
    if example.parts:
        shown[0] = "除夕"
    return "".join(
        _text(LEFT + i * CELL + 2, 15, name, "#64748b", 10) for i, name in enumerate(shown)
    )


def _cell(column: int, top: float, shift: str, broken: bool, past: bool) -> str:
    if shift == "?":
        return ""
    frame = ' stroke="#dc2626" stroke-width="2.5"' if broken else ' stroke="#cbd5e1"'
    ink = "#ffffff" if shift == "N" else "#0f172a"
    x = LEFT + column * CELL
    letter = "–" if shift == "-" else shift
    faded = ' opacity="0.55"' if past else ""
    return (
        f'<g{faded}><rect x="{x + 1.5}" y="{top + 1.5}" width="{CELL - 3}" height="{LINE - 3}" '
        f'rx="3" fill="{COLOURS[shift]}"{frame}/>'
        + _text(x + 10, top + 18, letter, ink, 13)
        + "</g>"
    )


def _text(x: float, y: float, words: str, colour: str, size: int) -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}">{escape(words)}</text>'


def _svg(width: float, height: float, title: str, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="sans-serif" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>\n'
        + "\n".join(part for part in parts if part)
        + "\n</svg>\n"
    )


def breaks_picture() -> str:
    """Three people on one shift, their breaks as they lie and as they are placed."""
    work = p.Shift("D", 540, 900, breaks=(p.Break(720, 750, earliest=660, latest=840),))
    desk = p.RosterProblem(
        agents=tuple(p.Agent(name) for name in NAMES),
        days=(p.Day(MONDAY),),
        shifts=(work,),
        interval_cover=(p.IntervalCover(MONDAY, 690, 810, 2, under_weight=1),),
    )
    start = Roster({(name, MONDAY): "D" for name in NAMES})
    parts, top, hours = [], TOP, range(540, 900, 30)
    for i, minute in enumerate(hours):
        if minute % 60 == 0:
            parts.append(_text(LEFT + i * CELL, 15, f"{minute // 60}:00", "#64748b", 11))
    for roster in (start, place_breaks(desk, start)):
        verdict = verify(desk, roster)
        short = {slot for gap in verdict.gaps for slot, _ in gap.facts["slots"]}
        for row, name in enumerate(NAMES):
            (begin,) = roster.breaks.get((name, MONDAY), (work.breaks[0].start,))
            parts.append(_text(36, top + row * LINE + 18, name, "#334155", 13))
            for i, minute in enumerate(hours):
                shift = "-" if minute == begin else "D"
                parts.append(_cell(i, top + row * LINE, shift, minute in short, False))
        colour = "#b91c1c" if short else "#15803d"
        note = f"{verdict.cost} people missing, by the half-hour 缺（人·半小时）"
        parts.append(_text(LEFT, top + 3 * LINE + 18, note, colour, 12))
        top += 3 * LINE + 34
    title = "Breaks as the shift says, and moved so that two people stay"
    return _svg(LEFT + len(hours) * CELL + 8, top, title, parts)


def pictures() -> dict[str, str]:
    """Every drawing by the name of its file."""
    drawn = {f"{example.rule.kind}.svg": picture(example) for example in EXAMPLES}
    return {**drawn, "breaks.svg": breaks_picture()}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, drawing in pictures().items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main()
