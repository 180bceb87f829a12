"""The public shift-scheduling text format of Curtois and Qu, and its rosters.

Source: T. Curtois, R. Qu, "Computational results on new staff scheduling benchmark instances",
2014. All instances start on a Monday; day numbers start at zero. A roster is CSV with the header
``employee,day,shift`` and one row per worked day.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from scheduler.errors import SchedulingError
from scheduler.problem import (
    Agent,
    Day,
    Forbidden,
    ForbiddenSuccession,
    MaxConsecutive,
    MaxWeekends,
    MinConsecutive,
    MinDaysOff,
    Request,
    RosterProblem,
    Rule,
    Shift,
    ShiftCover,
    ShiftLimit,
)
from scheduler.problem.parts import DAY_MINUTES
from scheduler.solution import Duty, Roster, cells_of

FIRST_DAY = date(2001, 1, 1)  # a Monday; the format itself has no dates
SOURCE = "Curtois and Qu 2014"
LONGEST_HORIZON = 3660
HEADER = ["employee", "day", "shift"]
COLUMNS = {
    "SECTION_HORIZON": 1,
    "SECTION_SHIFTS": 3,
    "SECTION_STAFF": 8,
    "SECTION_DAYS_OFF": 2,
    "SECTION_SHIFT_ON_REQUESTS": 4,
    "SECTION_SHIFT_OFF_REQUESTS": 4,
    "SECTION_COVER": 5,
}
NEEDED = ("SECTION_HORIZON", "SECTION_SHIFTS", "SECTION_STAFF")


class _Row(NamedTuple):
    line: int
    fields: list[str]


class _Reader:
    """Typed fields of a section's rows; what is wrong goes to `faults`."""

    def __init__(self, text: str) -> None:
        self.faults: list[str] = []
        self.sections: dict[str, list[_Row]] = {}
        self.horizon = 0
        self._split(text)

    def _split(self, text: str) -> None:
        current: list[_Row] | None = None
        section = ""
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("SECTION_"):
                section = line
                if line not in COLUMNS:
                    self.fault(number, f"unknown section {line}")
                elif line in self.sections:
                    self.fault(number, f"{line} occurs a second time")
                current = self.sections.setdefault(line, [])
                continue
            if current is None:
                self.fault(number, "a section such as SECTION_HORIZON expected first")
                return
            fields = [part.strip() for part in line.split(",")]
            wanted = COLUMNS.get(section, len(fields))
            if len(fields) == wanted or section == "SECTION_DAYS_OFF":
                current.append(_Row(number, fields))
            else:
                self.fault(number, f"{wanted} fields expected in {section}, found {len(fields)}")
        for section in NEEDED:
            if not self.sections.get(section):
                self.faults.append(f"{section} is missing or empty")

    def fault(self, line: int, message: str) -> None:
        self.faults.append(f"line {line}: {message}")

    def rows(self, section: str) -> list[_Row]:
        return self.sections.get(section, [])

    def whole(self, row: _Row, column: int, what: str) -> int:
        """A whole number, zero or more."""
        text = row.fields[column]
        digits = text.removeprefix("-")  # published files write -0
        if digits.isascii() and digits.isdigit() and len(digits) <= 9 and int(text) >= 0:
            return int(text)
        self.fault(row.line, f"{what}: a whole number expected, found {text!r}")
        return 0

    def day(self, row: _Row, column: int) -> date:
        """A day number within the horizon, as a date."""
        number = self.whole(row, column, "day")
        if number >= self.horizon:
            self.fault(row.line, f"day {number} is outside the horizon of {self.horizon} days")
        return FIRST_DAY + timedelta(days=min(number, LONGEST_HORIZON))

    def known(self, row: _Row, column: int, names: set[str], what: str) -> str:
        name = row.fields[column]
        if name not in names:
            self.fault(row.line, f"there is no {what} {name!r}")
        return name

    def check(self) -> None:
        if self.faults:
            raise SchedulingError("\n".join(self.faults))


def read_problem(text: str) -> RosterProblem:
    """Read an instance.

    Raises
    ------
    SchedulingError
        Not of the format; one line per fault, with its line number.
    """
    reader = _Reader(text)
    reader.check()
    reader.horizon = _horizon(reader)
    shifts, successions = _shifts(reader)
    names = {shift.id for shift in shifts}
    agents, rules = _staff(reader, [shift.id for shift in shifts])
    people = {agent.id for agent in agents}
    reader.check()
    parts = {
        "forbidden": tuple(_days_off(reader, people)),
        "requests": (
            *_requests(reader, "SECTION_SHIFT_ON_REQUESTS", people, names),
            *_requests(reader, "SECTION_SHIFT_OFF_REQUESTS", people, names),
        ),
        "shift_cover": tuple(_cover(reader, names)),
    }
    reader.check()
    days = tuple(Day(FIRST_DAY + timedelta(days=i)) for i in range(reader.horizon))
    return RosterProblem(agents, days, shifts, rules=(*successions, *rules), **parts)  # type: ignore[arg-type]


def _horizon(reader: _Reader) -> int:
    row = reader.rows("SECTION_HORIZON")[0]
    days = reader.whole(row, 0, "horizon")
    if not 1 <= days <= LONGEST_HORIZON:
        reader.fault(row.line, f"a horizon from 1 to {LONGEST_HORIZON} days expected")
    return days


def _shifts(reader: _Reader) -> tuple[tuple[Shift, ...], list[Rule]]:
    rows = reader.rows("SECTION_SHIFTS")
    names = {row.fields[0] for row in rows}
    shifts, rules = [], []
    for row in rows:
        minutes = reader.whole(row, 1, "length")
        if not 1 <= minutes <= 2 * DAY_MINUTES:
            reader.fault(row.line, "a length from 1 to 2880 minutes expected")
        name = row.fields[0]
        shifts.append(Shift(name, 0, max(minutes, 1), minutes=minutes))
        then = tuple(part.strip() for part in row.fields[2].split("|") if part.strip())
        for other in then:
            if other not in names:
                reader.fault(row.line, f"there is no shift {other!r}")
        if then:
            rules.append(
                ForbiddenSuccession(name=f"after {name}", first=(name,), then=then, source=SOURCE)
            )
    return tuple(shifts), list(rules)


def _staff(reader: _Reader, shifts: list[str]) -> tuple[tuple[Agent, ...], list[Rule]]:
    agents: list[Agent] = []
    scopes: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for row in reader.rows("SECTION_STAFF"):
        name = row.fields[0]
        limits = _shift_limits(reader, row, shifts)
        minutes = [reader.whole(row, column, "minutes") for column in (2, 3)]
        can = tuple(s for s in shifts if limits.get(s, reader.horizon) > 0)
        agents.append(Agent(name, shifts=can, max_minutes=minutes[0], min_minutes=minutes[1]))
        for shift in can:
            if limits.get(shift, reader.horizon) < reader.horizon:
                scopes["shift_limit", shift, limits[shift]].append(name)
        for column, kind in (
            (4, "max_consecutive"),
            (5, "min_consecutive"),
            (6, "min_days_off"),
            (7, "max_weekends"),
        ):
            scopes[kind, "", reader.whole(row, column, kind)].append(name)
    return tuple(agents), [_rule(*key, tuple(names)) for key, names in scopes.items()]


def _shift_limits(reader: _Reader, row: _Row, shifts: list[str]) -> dict[str, int]:
    limits = {}
    for part in row.fields[1].split("|"):
        shift, equals, number = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not equals or shift not in shifts or not (number.isascii() and number.isdigit()):
            reader.fault(row.line, f"limits such as E=14|L=0 of known shifts expected: {part!r}")
        else:
            limits[shift] = int(number)
    return limits


def _rule(kind: str, shift: str, limit: int, agents: tuple[str, ...]) -> Rule:
    if kind == "shift_limit":
        return ShiftLimit(
            name=f"at most {limit} {shift}", shifts=(shift,), maximum=limit, agents=agents,
            source=SOURCE,
        )  # fmt: skip
    if kind == "max_consecutive":
        name = f"at most {limit} days in a row"
        return MaxConsecutive(name=name, days=limit, agents=agents, source=SOURCE)
    if kind == "min_consecutive":
        name = f"at least {limit} days in a row"
        return MinConsecutive(name=name, days=limit, agents=agents, source=SOURCE)
    if kind == "min_days_off":
        name = f"at least {limit} days off in a row"
        return MinDaysOff(name=name, days=limit, agents=agents, source=SOURCE)
    name = f"at most {limit} weekends"
    return MaxWeekends(name=name, weekends=limit, agents=agents, source=SOURCE)


def _days_off(reader: _Reader, people: set[str]) -> Iterator[Forbidden]:
    for row in reader.rows("SECTION_DAYS_OFF"):
        agent = reader.known(row, 0, people, "employee")
        for column in range(1, len(row.fields)):
            yield Forbidden(agent, reader.day(row, column), reason="day off")


def _requests(
    reader: _Reader, section: str, people: set[str], shifts: set[str]
) -> Iterator[Request]:
    for row in reader.rows(section):
        yield Request(
            agent=reader.known(row, 0, people, "employee"),
            date=reader.day(row, 1),
            on=section == "SECTION_SHIFT_ON_REQUESTS",
            weight=reader.whole(row, 3, "weight"),
            shift=reader.known(row, 2, shifts, "shift"),
        )


def _cover(reader: _Reader, shifts: set[str]) -> Iterator[ShiftCover]:
    for row in reader.rows("SECTION_COVER"):
        yield ShiftCover(
            date=reader.day(row, 0),
            shift=reader.known(row, 1, shifts, "shift"),
            desired=reader.whole(row, 2, "requirement"),
            under_weight=reader.whole(row, 3, "weight for under"),
            over_weight=reader.whole(row, 4, "weight for over"),
        )


def read_roster(text: str, problem: RosterProblem) -> Roster:
    """Read a roster in CSV.

    Raises
    ------
    SchedulingError
        Wrong header or fields, an unknown employee or shift, or a day outside the horizon: one
        line per fault, with row and column.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    except csv.Error as error:
        raise SchedulingError(f"cannot be read as a table: {error}") from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    if header != HEADER:
        raise SchedulingError(f"row 1: the header {','.join(HEADER)} expected, found {header}")
    faults: list[str] = []
    duties = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(field.strip() for field in row):
            continue
        fields = [field.strip() for field in row]
        if len(fields) != len(HEADER):
            faults.append(f"row {number}: {len(HEADER)} fields expected, found {len(fields)}")
            continue
        agent, day, shift = fields
        if not (day.isascii() and day.isdigit() and int(day[:9]) < len(problem.days)):
            last = len(problem.days) - 1
            faults.append(f"row {number}, column day: a day from 0 to {last} expected: {day!r}")
            continue
        duties.append((f"row {number}", Duty(agent, problem.days[int(day)].date, shift)))
    cells, extra = cells_of(duties, problem, faults)
    if faults:
        raise SchedulingError("\n".join(faults))
    return Roster(cells, extra=extra)


def write_roster(problem: RosterProblem, roster: Roster) -> str:
    """A roster in CSV, ordered by employee as the problem lists them and by day."""
    look = problem.lookup
    rows = sorted((look.agent[a], look.day[d], s) for (a, d), s in roster.cells.items())
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([problem.agents[a].id, d, s] for a, d, s in rows)
    return lines.getvalue()
