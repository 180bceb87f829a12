"""`wfm grade` on files: what it writes, what it refuses."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from wfm.cli.main import run

CRITERIA = ("tenure", "resolution", "quality", "initiative", "satisfaction")
HEADER = [
    "agent_id", "grade", "previous_grade", "probability_ordinary", "probability_senior",
    "probability_expert", "decision", "reasons",
    *(f"{name}_{part}" for name in CRITERIA for part in ("value", "low", "high", "n")),
]  # fmt: skip
CASES = (
    "case_id,agent_id,opened_at,resolved_at,category,channel,priority,difficulty,"
    "resolved,independent,reopened,satisfaction"
)


class Desk:
    """A folder with the files of a small desk: A is strong, B weak, C new and without records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = random.Random(1)
        self.agents = [
            "agent_id,name,hired_on,grade",
            "A,Ann,2020-01-01,senior",
            "B,Bo,2020-01-01,senior",
            "C,Cy,,",
        ]
        self.cases = [CASES]
        for i in range(240):
            agent = "AB"[i % 2]
            good = rng.random() < {"A": 0.95, "B": 0.35}[agent]
            happy = 5 if rng.random() < {"A": 0.97, "B": 0.4}[agent] else 2
            day = f"2026-0{1 + i % 6}-{1 + i % 28:02d}"
            self.cases.append(
                f"C{i},{agent},{day}T09:00:00,{day}T10:00:00,net,phone,{1 + i % 3},2,"
                f"{'Y' if good else 'N'},1,false,{happy if i % 3 else ''}"
            )
        self.reviews = ["review_id,agent_id,reviewer,case_id,reviewed_on,form,score"]
        for i in range(24):
            agent = "AB"[i % 2]
            score = {"A": 93, "B": 60}[agent] + rng.randint(-3, 3)
            self.reviews.append(f"R{i},{agent},{'PQ'[i % 3 == 0]},,2026-05-01,f,{score}")
        self.contributions = ["agent_id,on,kind,points,note"]
        self.contributions += [f"A,2026-0{m}-10,article,4,n{m}" for m in range(1, 7)]

    def write(self) -> None:
        for name in ("agents", "cases", "reviews", "contributions"):
            text = "\n".join(getattr(self, name)) + "\n"
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")

    def grade(self, *further: str, as_of: str = "2026-06-30", full: bool = True) -> int:
        self.write()
        files = ("agents", "cases", "reviews", "contributions") if full else ("agents", "cases")
        options = [part for n in files for part in (f"--{n}", str(self.folder / f"{n}.csv"))]
        return run(["grade", *options, "--as-of", as_of, "--out", str(self.out), *further])

    @property
    def out(self) -> Path:
        return self.folder / "grades.csv"

    def rows(self) -> dict[str, dict[str, str]]:
        with self.out.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            assert reader.fieldnames == HEADER
            return {row["agent_id"]: row for row in reader}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_grades_with_evidence(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.grade() == 0
    rows = desk.rows()
    assert list(rows) == ["A", "B", "C"]
    a, b, c = rows.values()
    assert (a["previous_grade"], a["grade"], a["decision"]) == ("senior", "expert", "rise")
    assert (b["previous_grade"], b["grade"], b["decision"]) == ("senior", "ordinary", "fall")
    assert (c["previous_grade"], c["grade"], c["decision"]) == ("", "ordinary", "undecided")
    for row in rows.values():
        chances = [float(row[f"probability_{g}"]) for g in ("ordinary", "senior", "expert")]
        assert sum(chances) == pytest.approx(1, abs=1e-9)
    assert [a[f"{name}_n"] for name in CRITERIA] == ["1", "120", "12", "6", "80"]
    assert [c[f"{n}_{part}"] for n in CRITERIA for part in ("value", "low", "high", "n")] == [
        ""
    ] * 20
    assert b["initiative_value"] == ""
    assert 0 < float(a["resolution_low"]) < float(a["resolution_value"]) < 1
    assert float(a["tenure_value"]) == pytest.approx(2372 / 30.4375, abs=1e-5)
    assert "3 agents graded" in capsys.readouterr().out


def test_only_agents_and_bare_cases_are_needed(desk: Desk) -> None:
    desk.agents = ["agent_id", "A", "B"]
    desk.cases = ["agent_id", "A"]
    assert desk.grade(full=False) == 0
    assert {row["decision"] for row in desk.rows().values()} == {"undecided"}
    desk.cases = ["agent_id,satisfaction", *["A,5"] * 30]
    assert desk.grade(full=False) == 0
    assert desk.rows()["A"]["satisfaction_n"] == "30"


def test_cases_after_the_day_are_not_counted(desk: Desk) -> None:
    desk.grade(as_of="2026-03-31")
    early = int(desk.rows()["A"]["resolution_n"])
    desk.grade(as_of="2026-12-31")
    assert 0 < early < int(desk.rows()["A"]["resolution_n"]) == 120
    # opened before, resolved after: not known on the day; the zone decides which day it was
    desk.cases = [
        "agent_id,opened_at,resolved_at,resolved",
        "A,2026-06-30T10:00:00Z,2026-06-30T20:00:00Z,Y",
        "A,2026-06-30T10:00:00Z,2026-07-02T10:00:00Z,Y",
    ]
    desk.grade(full=False)
    assert desk.rows()["A"]["resolution_n"] == "1"
    desk.grade("--timezone", "Asia/Shanghai", full=False)
    assert desk.rows()["A"]["resolution_n"] == ""


def test_order_and_repeated_rows_change_no_byte(desk: Desk) -> None:
    desk.grade()
    before = desk.out.read_bytes()
    desk.grade()
    assert desk.out.read_bytes() == before
    rng = random.Random(2)
    for table in (desk.agents, desk.cases, desk.reviews, desk.contributions):
        body = table[1:] + rng.sample(table[1:], min(5, len(table) - 1))
        rng.shuffle(body)
        table[1:] = body
    desk.grade()
    assert desk.out.read_bytes() == before


def test_a_better_record_never_lowers_a_grade(desk: Desk) -> None:
    ranks = ("ordinary", "senior", "expert")
    desk.grade()
    before = desk.rows()
    for i, line in enumerate(desk.cases[1:], start=1):
        if i % 8 == 1 and line.split(",")[1] == "B":
            desk.cases[i] = line.replace(",N,", ",Y,")
    desk.reviews.append("R99,A,P,,2026-05-02,f,99")
    desk.grade()
    after = desk.rows()
    for agent, row in before.items():
        assert ranks.index(after[agent]["grade"]) >= ranks.index(row["grade"])


def test_json_is_one_document(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.grade("--json", "--explain", "A", "--lang", "zh") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["agents"] == 3
    assert document["decisions"]["rise"] == 1
    assert document["criteria"]["resolution"]["records"] == 240
    assert document["explanation"]["grade"] == "expert"
    assert document["explanation"]["drops"]
    assert "专家客服" in document["explanation"]["text"]
    assert "升为专家客服" in desk.rows()["A"]["reasons"]


def test_further_columns_of_cases_are_used_where_they_are_given(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.agents = ["agent_id,grade,serious_events,cycles", "A,ordinary,1,", "B,senior,0,0"]
    desk.cases = [
        "case_id,agent_id,resolved_at,resolved,independent,handed_up,reopened,reopened_at,tier",
        "1,A,2026-06-01T09:00,Y,Y,,N,,ordinary",
        "2,A,2026-06-01T09:00,Y,N,Y,N,,expert",  # handed up by rule: left out
        "3,A,2026-06-01T09:00,Y,Y,,Y,2026-06-03T09:00,gold",  # back after two days; no such tier
        "4,A,2026-06-01T09:00,Y,Y,,Y,2026-06-29T09:00,senior",  # back after four weeks
    ]
    assert desk.grade("--json", "--explain", "A", full=False) == 0
    told = json.loads(capsys.readouterr().out)["explanation"]
    resolution = told["cases"][0]["reasons"][1]
    assert (resolution["n"], resolution["raw"]) == (3, pytest.approx(2 / 3, abs=1e-6))
    assert told["beside"]["hard_share"] == pytest.approx(2 / 3, abs=1e-6)
    assert told["beside"]["handed_up"] == 1
    assert told["beside"]["response_rate"] is None


def test_explanation_as_text(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.grade("--explain", "B") == 0
    printed = capsys.readouterr().out
    assert "B: falls to ordinary" in printed
    assert "No single change would lift the grade" in printed


def test_every_fault_is_one_line_with_its_place(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.agents[1] = "A,Ann,1st May,boss"
    desk.cases[1] = "C0,A,2026-13-01,,net,phone,1,2,maybe,1,false,9"
    desk.reviews[2] = "R1,B,P,,2026-05-01,f,101"
    desk.contributions.append("A,2026-05-05,article,-3,")
    assert desk.grade() == 1
    lines = capsys.readouterr().err.splitlines()
    for place in (
        "agents.csv, row 2, column hired_on", "agents.csv, row 2, column grade",
        "cases.csv, row 2, column opened_at", "cases.csv, row 2, column resolved",
        "cases.csv, row 2, column satisfaction", "reviews.csv, row 3, column score",
        "contributions.csv, row 8, column points",
    ):  # fmt: skip
        assert sum(line.startswith(place) for line in lines) == 1, place
    assert not desk.out.exists()


def test_faults_are_listed_from_the_top_of_each_file(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.agents[1] = "A,Ann,1st May,senior"
    desk.reviews[2:5] = [f"X{n},B,P,,2026-05-01,f,{s}" for n, s in enumerate(("101", "x", "-1"))]
    assert desk.grade() == 1
    places = [line.split(",")[:2] for line in capsys.readouterr().err.splitlines()]
    assert places == [
        ["agents.csv", " row 2"], *(["reviews.csv", f" row {n}"] for n in (3, 4, 5)),
    ]  # fmt: skip


def rename_the_id(desk: Desk) -> str:
    desk.agents[0] = "id,name,hired_on,grade"
    return "agents.csv, row 1, column agent_id"


def list_nobody(desk: Desk) -> str:
    del desk.agents[1:]
    return "agents.csv: no agents"


def list_an_agent_twice(desk: Desk) -> str:
    desk.agents.append("A,Other,2020-01-01,senior")
    return "agents.csv, row 5, column agent_id"


def tell_a_case_twice(desk: Desk) -> str:
    desk.cases.append(desk.cases[1].replace(",1,false", ",0,false"))
    return "cases.csv, row 242, column case_id"


def score_a_review_twice(desk: Desk) -> str:
    desk.reviews.append(desk.reviews[1] + ".5")
    return "reviews.csv, row 26, column review_id"


@pytest.mark.parametrize(
    "change",
    [rename_the_id, list_nobody, list_an_agent_twice, tell_a_case_twice, score_a_review_twice],
)
def test_what_contradicts_itself_is_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str], change: Callable[[Desk], str]
) -> None:
    place = change(desk)
    assert desk.grade() == 1
    assert place in capsys.readouterr().err


def test_strangers_and_ownerless_cases_are_warned_of(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.cases += ["C900,ZZ,,,,,,,Y,Y,N,", "C901,,,,,,,,Y,Y,N,"]
    desk.cases += ["C902,A,2026-05-02,2026-05-01,,,,,Y,Y,N,"]
    assert desk.grade() == 0
    warned = capsys.readouterr().err
    for part in ("ZZ", "1 rows without an agent", "1 cases are resolved on a day before"):
        assert part in warned
    assert desk.rows()["A"]["resolution_n"] == "121"


def test_a_policy_of_ones_own(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    text = (resources.files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")
    file = desk.folder / "own.toml"
    strict = text.replace(
        "entry = { senior = 80, expert = 87 }", "entry = { senior = 99, expert = 100 }"
    )
    strict = strict.replace(
        "floor = { senior = 75, expert = 82 }", "floor = { senior = 98, expert = 99 }"
    )
    file.write_text(strict, encoding="utf-8")
    assert desk.grade("--policy", str(file)) == 0
    assert desk.rows()["A"]["grade"] == "senior"
    file.write_text(text.replace("majority = 0.6", "majority = 6"), encoding="utf-8")
    assert desk.grade("--policy", str(file)) == 1
    assert "own.toml: line 15: decision.majority: must be at most 1" in capsys.readouterr().err
    assert desk.grade("--policy", str(desk.folder / "none.toml")) == 1


def test_wrong_usage(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.grade(as_of="yesterday") == 2
    assert run(["grade", "--agents", "a.csv"]) == 2
    assert desk.grade("--explain", "nobody") == 1
    assert "nobody" in capsys.readouterr().err
    assert desk.grade("--timezone", "Mars/Base") == 1
    assert not desk.out.exists()
    assert run(["grade", "--help"]) == 0
    assert "Example: wfm grade" in capsys.readouterr().out
