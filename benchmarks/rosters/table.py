"""The figures of many runs: as CSV, row by row, and as tables in Markdown."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

TEXTS = ("problem", "method", "status", "agree")
WHOLE = ("people", "days", "seed", "cost", "best_known", "bound", "known_bound", "broken")
REAL = ("limit", "over", "of_bound", "gap", "first", "gap_2", "gap_1", "took", "memory")
FIELDS = (
    "problem", "people", "days", "method", "seed", "limit", "status", "cost", "best_known", "over",
    "bound", "known_bound", "of_bound", "gap", "first", "gap_2", "gap_1", "took", "memory",
    "broken", "agree",
)  # fmt: skip
NAMES = {"ours": "ours", "cpsat": "CP-SAT", "highs": "HiGHS", "monolith": "colgen"}


def completed(row: Row) -> Row:
    """The row with the shares that follow from its figures, all in percent."""
    row = dict.fromkeys(FIELDS) | row
    cost, bound, best, known = (row[x] for x in ("cost", "bound", "best_known", "known_bound"))
    if cost is not None and best:
        row["over"] = 100 * (cost / best - 1)
    if bound is not None and known:
        row["of_bound"] = 100 * bound / known
    if cost is not None and bound is not None:
        row["gap"] = 100 * (cost - bound) / cost if cost else 0.0
    return row


def write_row(path: Path, row: Row) -> None:
    """One more row at the end of the file, which begins with a header."""
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})


def read_rows(path: Path) -> list[Row]:
    """The rows of such a file; none when there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            {name: _value(name, text) for name, text in r.items()} for r in csv.DictReader(stream)
        ]


def _value(name: str, text: str) -> Any:
    if not text:
        return None
    if name == "agree":
        return text == "True"
    if name in TEXTS:
        return text
    return int(text) if name in WHOLE else float(text)


def lawful(row: Row) -> bool:
    """Whether the run ended with a roster that breaks nothing, by both judges."""
    return row["cost"] is not None and row["broken"] == 0 and row["agree"] is True


def tables(rows: Sequence[Row]) -> str:
    """All tables for which there are rows."""
    public = [row for row in rows if row["people"] is None]
    desk = [row for row in rows if row["people"] is not None]
    parts = [_faults(rows)]
    if any(row["method"] == "ours" for row in public):
        parts.append("## Public instances\n\n" + _ours(public))
    if any(row["method"] != "ours" for row in public):
        parts.append("## Beside the peers\n\n" + _peers(public) + "\n\n" + _sums(public))
    if desk:
        parts.append("## Desk problems\n\n" + _desk(desk))
    return "\n\n".join(part for part in parts if part) + "\n"


def _faults(rows: Sequence[Row]) -> str:
    """Rosters that break a rule, and runs on which the judges disagree."""
    lines = []
    for row in rows:
        if row["cost"] is not None and not lawful(row):
            what = f"breaks {row['broken']} rules" if row["agree"] else "the judges disagree"
            lines.append(f"- {row['problem']}, {row['method']}, seed {row['seed']}: {what}")
    return "Not counted:\n\n" + "\n".join(lines) if lines else ""


def _ours(rows: Sequence[Row]) -> str:
    head = (
        "instance", "seconds", "runs", "cost", "over best known %", "worst %", "bound",
        "of known bound %", "first roster s", "took s", "MB",
    )  # fmt: skip
    body = []
    for problem in _problems(rows):
        runs = [row for row in rows if row["problem"] == problem and row["method"] == "ours"]
        good = [row for row in runs if lawful(row)]
        if not runs:
            continue
        body.append(
            (
                problem,
                _number(runs[0]["limit"]),
                f"{len(good)} of {len(runs)}",
                _middle(good, "cost"),
                _middle(good, "over", 2),
                _worst(good, "over", 2),
                _middle(runs, "bound"),
                _middle(runs, "of_bound", 1),
                _middle(good, "first", 1),
                _middle(runs, "took", 1),
                _worst(runs, "memory"),
            )
        )
    return _markdown(head, body)


def _methods(rows: Sequence[Row]) -> list[str]:
    return [name for name in NAMES if any(row["method"] == name for row in rows)]


def _costs(rows: Sequence[Row], field: str = "cost") -> dict[tuple[str, str], float]:
    """Mean over the seeds, by problem and method; nothing where no run gave a lawful roster."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if lawful(row) and row[field] is not None:
            found.setdefault((row["problem"], row["method"]), []).append(row[field])
    return {key: mean(values) for key, values in found.items()}


def _peers(rows: Sequence[Row]) -> str:
    methods, costs, over = _methods(rows), _costs(rows), _costs(rows, "over")
    body = []
    for problem in _problems(rows):
        cells = [problem]
        for method in methods:
            cost, percent = costs.get((problem, method)), over.get((problem, method))
            cells.append(_number(cost) + (f" ({percent:.2f} %)" if percent is not None else ""))
        body.append(cells)
    return _markdown(["instance", *(NAMES[name] for name in methods)], body)


def _sums(rows: Sequence[Row]) -> str:
    """Sums over the instances, each peer beside ours where it has a roster at all."""
    costs, over = _costs(rows), _costs(rows, "over")
    problems = _problems(rows)
    body = []
    for method in _methods(rows):
        solved = [p for p in problems if (p, method) in costs]
        both = [p for p in solved if (p, "ours") in costs]
        body.append(
            (
                NAMES[method],
                f"{len(solved)} of {len(problems)}",
                _number(sum(costs[p, method] for p in both)),
                _number(sum(costs[p, "ours"] for p in both)),
                _number(sum(over[p, method] for p in both if (p, method) in over), 2),
                _number(sum(over[p, "ours"] for p in both if (p, "ours") in over), 2),
            )
        )
    head = ("sums over all instances", "with a roster", "cost", "ours on the same",
            "over best known %", "ours on the same %")  # fmt: skip
    return _markdown(head, body)


def _desk(rows: Sequence[Row]) -> str:
    head = (
        "people", "days", "seconds", "runs", "first roster s", "to 2 % s", "to 1 % s", "cost",
        "bound", "gap %", "worst gap %", "took s", "MB",
    )  # fmt: skip
    sizes = sorted(
        {(row["problem"], row["people"], row["days"]) for row in rows}, key=lambda s: s[1:]
    )
    body = []
    for problem, people, days in sizes:
        runs = [row for row in rows if row["problem"] == problem]
        good = [row for row in runs if lawful(row)]
        shared = problem.partition(", ")[2]
        body.append(
            (
                f"{people} ({shared})" if shared else f"{people}",
                str(days),
                _number(runs[0]["limit"]),
                f"{len(good)} of {len(runs)}",
                *(_middle(good, field, 1) for field in ("first", "gap_2", "gap_1")),
                _middle(good, "cost"),
                _middle(good, "bound"),
                _middle(good, "gap", 2),
                _worst(good, "gap", 2),
                _middle(runs, "took", 1),
                _worst(runs, "memory"),
            )
        )
    return _markdown(head, body)


def _problems(rows: Sequence[Row]) -> list[str]:
    return sorted({row["problem"] for row in rows}, key=lambda p: (len(p), p))


def _middle(rows: Sequence[Row], field: str, digits: int = 0) -> str:
    """The median; none unless every run has the figure."""
    values = [row[field] for row in rows]
    return "–" if not values or None in values else _number(median(values), digits)


def _worst(rows: Sequence[Row], field: str, digits: int = 0) -> str:
    values = [row[field] for row in rows]
    return "–" if not values or None in values else _number(max(values), digits)


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
