"""The tables of the roster benchmark, from figures made by hand."""

from pathlib import Path

import pytest

from benchmarks.rosters.table import Row, completed, read_rows, tables, write_row


def run(problem: str, method: str, seed: int, cost: int | None, **figures) -> Row:
    known = {"problem": problem, "method": method, "seed": seed, "cost": cost}
    ended = {"limit": 60.0, "took": 60.0, "memory": 100.0, "status": "feasible"}
    if cost is None:
        ended["status"] = "nothing_found"
    judged = {} if cost is None else {"broken": 0, "agree": True}
    return completed(known | ended | judged | figures)


def cells(text: str, first: str) -> list[list[str]]:
    """The cells of the rows that begin so."""
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines()]
    return [row for row in rows if row[0] == first]


def test_shares_follow_from_the_figures() -> None:
    row = run("9", "ours", 1, 450, best_known=400, bound=360, known_bound=400)
    assert row["over"] == pytest.approx(12.5)  # 450 / 400
    assert row["of_bound"] == pytest.approx(90)  # 360 / 400
    assert row["gap"] == pytest.approx(20)  # 90 / 450
    unknown = run("9", "ours", 1, None)
    assert (unknown["over"], unknown["of_bound"], unknown["gap"]) == (None, None, None)


def test_rows_come_back_from_the_file(tmp_path: Path) -> None:
    rows = [
        run("9", "ours", 1, 450, best_known=400, bound=360, first=1.5),
        run("9", "monolith", 1, None),
        run("desk 30 × 28", "ours", 2, 7, people=30, days=28, agree=False),
    ]
    for row in rows:
        write_row(tmp_path / "runs.csv", row)
    assert read_rows(tmp_path / "runs.csv") == rows
    assert read_rows(tmp_path / "none.csv") == []


def test_medians_and_worst_over_the_seeds() -> None:
    costs = (404, 408, 420)  # 1, 2 and 5 % over 400
    rows = [run("9", "ours", n, c, best_known=400, bound=380, known_bound=400, first=float(n))
            for n, c in enumerate(costs, start=1)]  # fmt: skip
    (row,) = cells(tables(rows), "9")
    assert row == ["9", "60", "3 of 3", "408", "2.00", "5.00", "380", "95.0", "2.0", "60.0", "100"]


def test_sums_compare_on_the_same_instances() -> None:
    rows = [
        run("1", "ours", 1, 100, best_known=100), run("1", "ours", 2, 102, best_known=100),
        run("2", "ours", 1, 1000, best_known=1000),
        run("1", "highs", 1, 110, best_known=100),
        run("2", "highs", 1, None, best_known=1000),
    ]  # fmt: skip
    text = tables(rows)
    assert cells(text, "1")[-1] == ["1", "101 (1.00 %)", "110 (10.00 %)"]
    assert cells(text, "2")[-1] == ["2", "1,000 (0.00 %)", "–"]
    # HiGHS found nothing on 2, so both are summed over 1 alone
    assert cells(text, "HiGHS")[-1] == ["HiGHS", "1 of 2", "110", "101", "10.00", "1.00"]
    assert cells(text, "ours")[-1] == ["ours", "2 of 2", "1,101", "1,101", "1.00", "1.00"]


def test_an_unlawful_roster_is_named_and_not_counted() -> None:
    rows = [
        run("1", "ours", 1, 100, best_known=100),
        run("1", "highs", 1, 50, best_known=100, broken=2),
        run("1", "cpsat", 1, 60, best_known=100, agree=False),
    ]
    text = tables(rows)
    assert "- 1, highs, seed 1: breaks 2 rules" in text
    assert "- 1, cpsat, seed 1: the judges disagree" in text
    assert cells(text, "1")[-1] == ["1", "100 (0.00 %)", "–", "–"]


def test_desks_tell_when_a_gap_was_reached_by_every_seed() -> None:
    size = {"people": 30, "days": 28}
    rows = [
        run("desk 30 × 28", "ours", 1, 1000, bound=990, first=2.0, gap_2=10.0, gap_1=20.0, **size),
        run("desk 30 × 28", "ours", 2, 1000, bound=985, first=4.0, gap_2=30.0, **size),
    ]
    (row,) = cells(tables(rows), "30")
    # seed 2 ended at 1.5 %: no time to 1 %
    assert row == ["30", "28", "60", "2 of 2", "3.0", "20.0", "–", "1,000", "988", "1.25", "1.50",
                   "60.0", "100"]  # fmt: skip


def test_peers_alone_have_their_table() -> None:
    text = tables([run("1", "monolith", 1, 110, best_known=100)])
    assert cells(text, "1") == [["1", "110 (10.00 %)"]]
    assert "## Public instances" not in text
