"""The textbook integer program of the public shift-scheduling format, for any solver.

One binary variable per employee, day and shift, one per employee and day worked, one per employee
and weekend; shortage and surplus of each cover. After the formulation of Curtois and Qu (2014).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rosters.judge import sections
from benchmarks.rosters.peers.answer import Lines

MANY = 10**6


@dataclass(slots=True)
class Program:
    """Columns from 0 to `upper` with a cost, and rows ``least <= sum(factor * column) <= most``."""

    upper: list[int] = field(default_factory=list)
    cost: list[int] = field(default_factory=list)
    rows: list[tuple[list[int], list[int], int, int]] = field(default_factory=list)
    constant: int = 0
    cells: dict[tuple[str, int, str], int] = field(default_factory=dict)
    days: int = 0
    staff: list[str] = field(default_factory=list)

    def column(self, upper: int = 1, cost: int = 0) -> int:
        self.upper.append(upper)
        self.cost.append(cost)
        return len(self.upper) - 1

    def row(self, terms: Iterable[tuple[int, int]], least: int = -MANY, most: int = MANY) -> None:
        columns, factors = [], []
        for factor, column in terms:
            columns.append(column)
            factors.append(factor)
        self.rows.append((columns, factors, least, most))

    def lines(self, values: Sequence[float]) -> Lines:
        """The roster that a solution stands for."""
        found: Lines = {name: [""] * self.days for name in self.staff}
        for (name, day, shift), column in self.cells.items():
            if values[column] > 0.5:
                found[name][day] = shift
        return found


def textbook(instance: Path) -> Program:
    """The program of an instance."""
    data = sections(instance)
    program = Program(days=int(data["SECTION_HORIZON"][0][0]))
    off = {row[0]: {int(day) for day in row[1:]} for row in data.get("SECTION_DAYS_OFF", [])}
    for row in data["SECTION_STAFF"]:
        _employee(program, row, data["SECTION_SHIFTS"], off.get(row[0], set()))
    for sign, section in ((-1, "SECTION_SHIFT_ON_REQUESTS"), (1, "SECTION_SHIFT_OFF_REQUESTS")):
        for name, day, shift, weight in data.get(section, []):
            program.cost[program.cells[name, int(day), shift]] += sign * int(weight)
            program.constant += int(weight) * (sign < 0)
    for day, shift, wanted, under, over in data.get("SECTION_COVER", []):
        there = [(1, program.cells[name, int(day), shift]) for name in program.staff]
        short = program.column(int(wanted), int(under))
        much = program.column(len(program.staff), int(over))
        program.row([*there, (1, short), (-1, much)], int(wanted), int(wanted))
    return program


def _employee(program: Program, row: list[str], shifts: list[list[str]], off: set[int]) -> None:
    name, days = row[0], range(program.days)
    program.staff.append(name)
    works = [program.column(int(day not in off)) for day in days]
    for shift, *_ in shifts:
        for day in days:
            program.cells[name, day, shift] = program.column()
    cell = program.cells
    for day in days:  # at most one shift a day
        program.row([*((1, cell[name, day, s[0]]) for s in shifts), (-1, works[day])], 0, 0)
    for first, _, then in shifts:
        for day in days[:-1] if then else ():
            after = ((1, cell[name, day + 1, second]) for second in filter(None, then.split("|")))
            program.row([(1, cell[name, day, first]), *after], most=1)
    for part in row[1].split("|"):
        shift, limit = part.split("=")
        program.row(((1, cell[name, day, shift]) for day in days), most=int(limit))
    minutes = ((int(s[1]), cell[name, day, s[0]]) for s in shifts for day in days)
    program.row(minutes, int(row[3]), int(row[2]))
    _runs(program, works, *map(int, row[4:7]))
    _weekends(program, works, int(row[7]))


def _runs(program: Program, works: list[int], longest: int, shortest: int, rest: int) -> None:
    days = len(works)
    for start in range(days - longest):
        program.row(((1, works[day]) for day in range(start, start + longest + 1)), most=longest)
    for length in range(1, shortest):  # not: off, `length` days on, off
        for start in range(1, days - length):
            inner = [(-1, works[day]) for day in range(start, start + length)]
            ends = [(1, works[start - 1]), (1, works[start + length])]
            program.row([*inner, *ends], least=1 - length)
    for length in range(1, rest):  # not: on, `length` days off, on
        for start in range(1, days - length):
            inner = [(-1, works[day]) for day in range(start, start + length)]
            ends = [(1, works[start - 1]), (1, works[start + length])]
            program.row([*inner, *ends], most=1)


def _weekends(program: Program, works: list[int], most: int) -> None:
    weekends = []
    for saturday in range(5, len(works), 7):
        weekend = program.column()
        weekends.append((1, weekend))
        for day in works[saturday : saturday + 2]:
            program.row([(1, day), (-1, weekend)], most=0)
    program.row(weekends, most=most)
