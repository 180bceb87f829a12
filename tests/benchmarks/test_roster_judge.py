"""The judge of the roster benchmark, against rosters made by hand: each hard rule broken once."""

from pathlib import Path

import pytest

from benchmarks.rosters.judge import judge
from benchmarks.rosters.one import judged_twice, reached
from benchmarks.rosters.peers.answer import Lines

LAWFUL = {2: "E", 3: "E", 4: "E", 7: "E", 8: "E", 9: "E"}  # of A: 6 times 480 = 2880 minutes


def lines(works: dict[int, str]) -> Lines:
    """A works as given, B on L on day 5."""
    return {
        "A": [works.get(day, "") for day in range(14)],
        "B": ["L" if day == 5 else "" for day in range(14)],
    }


def on(*days: int) -> dict[int, str]:
    return dict.fromkeys(days, "E")


def test_a_lawful_roster_costs_its_requests_and_cover(instance: Path) -> None:
    # A has E on day 2 as asked; B has no L on day 3: 2; B has L on day 5: 4;
    # day 2 wants two on E and has one: 100; day 3 wants none and has one: 5
    found = judged_twice(instance, lines(LAWFUL))
    assert found == {"cost": 2 + 4 + 100 + 5, "broken": 0, "agree": True}


@pytest.mark.parametrize(
    ("works", "fault"),
    [
        (LAWFUL | on(12, 13), "A: 8 shifts E, at most 7"),
        (LAWFUL | {12: "L", 13: "L"}, "A: 4080 minutes, not within 1920–3840"),
        (on(2, 3, 4), "A: 1440 minutes, not within 1920–3840"),
        (LAWFUL | {8: "L"}, "A: E after L on day 9"),
        (LAWFUL | on(10), "A: 4 days in a row from day 7"),
        (on(2, 3, 4, 7), "A: only 1 days in a row from day 7"),
        (on(2, 3, 4, 6, 7), "A: only 1 days off from day 5"),
        (on(5, 6, 7, 11, 12), "A: 2 weekends, at most 1"),
        (on(0, 1, 2, 7, 8, 9), "A works on day off 0"),
    ],
)
def test_each_hard_rule_broken_once_is_seen_by_both_judges(
    instance: Path, tmp_path: Path, works: dict[int, str], fault: str
) -> None:
    roster = tmp_path / "roster.csv"
    cells = [f"A,{day},{shift}" for day, shift in works.items()]
    roster.write_text("\n".join(["employee,day,shift", "B,5,L", *cells]), encoding="utf-8")
    assert judge(instance, roster)[0] == [fault]
    found = judged_twice(instance, lines(works))
    assert (found["broken"], found["agree"]) == (1, True)


@pytest.mark.parametrize(
    "works",
    [
        LAWFUL | on(13),  # a run of one day at the end may be longer beyond it
        on(1, 2, 3, 7, 8, 9),  # so may one day off at the start
        on(2, 3, 4, 7, 8, 11, 12),  # 7 times E; one weekend; one day off at the end
        LAWFUL | {9: "L"},  # L after E
    ],
)
def test_the_edges_and_what_is_just_allowed_break_nothing(
    instance: Path, works: dict[int, str]
) -> None:
    found = judged_twice(instance, lines(works))
    assert (found["broken"], found["agree"]) == (0, True)


def test_two_shifts_on_a_day_are_seen(instance: Path, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    cells = [f"A,{day},{shift}" for day, shift in LAWFUL.items()]
    roster.write_text("\n".join(["employee,day,shift", "B,5,L", "B,5,E", *cells]), encoding="utf-8")
    assert judge(instance, roster)[0] == ["B has two shifts on day 5"]


def test_a_solver_that_tells_another_cost_is_caught(instance: Path) -> None:
    assert judged_twice(instance, lines(LAWFUL), told=110)["agree"] is False


def test_when_a_gap_was_reached() -> None:
    # gaps: unknown, 100 of 1000, 20 of 1000, 5 of 990
    trace = [(1.0, 1000, None), (2.0, 1000, 900), (3.0, 1000, 980), (4.0, 990, 985)]
    assert reached(trace, 0.02) == 3.0
    assert reached(trace, 0.01) == 4.0
    assert reached(trace, 0.001) is None
