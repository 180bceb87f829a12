"""A judge for the public shift-scheduling format, written from its description alone.

It shares no code with the product: it reads the instance and the CSV roster itself and returns
the broken rules and the cost. Used to check every roster of the benchmark a second time.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path


def sections(path: Path) -> dict[str, list[list[str]]]:
    """Rows of comma-separated fields by section name."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for raw in path.read_text(encoding="utf-8").split("\n"):
        line = raw.strip()
        if line.startswith("SECTION_"):
            rows = found[line] = []
        elif line and line[0] != "#":
            rows.append(line.split(","))
    return found


def judge(instance: Path, roster: Path) -> tuple[list[str], int]:
    """Hard rules broken, one line each, and the cost of the roster."""
    data = sections(instance)
    horizon = int(data["SECTION_HORIZON"][0][0])
    length = {row[0]: int(row[1]) for row in data["SECTION_SHIFTS"]}
    banned = {row[0]: set(filter(None, row[2].split("|"))) for row in data["SECTION_SHIFTS"]}
    works: dict[str, list[str]] = {row[0]: [""] * horizon for row in data["SECTION_STAFF"]}
    broken: list[str] = []
    with roster.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            name, day = row["employee"], int(row["day"])
            if works[name][day]:
                broken.append(f"{name} has two shifts on day {day}")
            works[name][day] = row["shift"]
    for row in data["SECTION_STAFF"]:
        broken += [
            f"{row[0]}: {fault}" for fault in line_faults(row, works[row[0]], length, banned)
        ]
    for row in data.get("SECTION_DAYS_OFF", []):
        for day in row[1:]:
            if works[row[0]][int(day)]:
                broken.append(f"{row[0]} works on day off {day}")
    return broken, cost_of(data, works)


def line_faults(
    row: list[str], line: list[str], length: dict[str, int], banned: dict[str, set[str]]
) -> list[str]:
    """What is wrong with one employee's line."""
    most, least = int(row[2]), int(row[3])
    longest_run, shortest_run, shortest_rest, weekends = map(int, row[4:8])
    faults = []
    counts = Counter(line)
    for part in row[1].split("|"):
        shift, limit = part.split("=")
        if counts[shift] > int(limit):
            faults.append(f"{counts[shift]} shifts {shift}, at most {limit}")
    minutes = sum(length[shift] for shift in line if shift)
    if not least <= minutes <= most:
        faults.append(f"{minutes} minutes, not within {least}–{most}")
    for day in range(1, len(line)):
        if line[day - 1] and line[day] in banned[line[day - 1]]:
            faults.append(f"{line[day]} after {line[day - 1]} on day {day}")
    start = 0
    for day in range(1, len(line) + 1):
        if day < len(line) and bool(line[day]) == bool(line[start]):
            continue
        run, inner = day - start, start > 0 and day < len(line)
        if line[start] and run > longest_run:
            faults.append(f"{run} days in a row from day {start}")
        if line[start] and inner and run < shortest_run:
            faults.append(f"only {run} days in a row from day {start}")
        if not line[start] and inner and run < shortest_rest:
            faults.append(f"only {run} days off from day {start}")
        start = day
    worked = sum(any(line[day : day + 2]) for day in range(5, len(line), 7))
    if worked > weekends:
        faults.append(f"{worked} weekends, at most {weekends}")
    return faults


def cost_of(data: dict[str, list[list[str]]], works: dict[str, list[str]]) -> int:
    """Requests and cover."""
    cost = 0
    for name, day, shift, weight in data.get("SECTION_SHIFT_ON_REQUESTS", []):
        cost += int(weight) * (works[name][int(day)] != shift)
    for name, day, shift, weight in data.get("SECTION_SHIFT_OFF_REQUESTS", []):
        cost += int(weight) * (works[name][int(day)] == shift)
    there = Counter((day, shift) for line in works.values() for day, shift in enumerate(line))
    for day, shift, wanted, under, over in data.get("SECTION_COVER", []):
        missing = int(wanted) - there[int(day), shift]
        cost += max(0, missing) * int(under) + max(0, -missing) * int(over)
    return cost
