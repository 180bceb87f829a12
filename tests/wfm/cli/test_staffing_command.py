"""`wfm staffing erlang` as a planner types it."""

import json
from typing import Any

import pytest

from wfm.cli.main import run

CALLS = ["--arrivals", "100", "--interval-min", "30", "--aht-min", "3"]


def erlang(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["staffing", "erlang", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    result: dict[str, Any] = json.loads(captured.out)
    return result


def test_erlang_c(capsys: pytest.CaptureFixture[str]) -> None:
    result = erlang(capsys, "c", *CALLS, "--within-min", "0.33", "--agents", "14")
    assert result["waiting_probability"] == pytest.approx(0.17413193359504984, rel=1e-12)
    # 10 erlangs on 14 agents: of those who wait 3/(14-10) = 0.75 min
    assert result["mean_wait_min"] == pytest.approx(0.17413193359504984 * 0.75)
    assert result["ASA_s"] == pytest.approx(result["mean_wait_min"] * 60)
    assert result["occupancy"] == pytest.approx(10 / 14)
    assert result["offered"] == 10
    assert result["inputs"]["arrivals"] == 100
    assert result["reasons"] == {}


def test_erlang_b(capsys: pytest.CaptureFixture[str]) -> None:
    result = erlang(capsys, "b", "--erlangs", "1", "--agents", "2")
    # B(2, 1) = (1/2) / (1 + 1 + 1/2)
    assert result["blocking_probability"] == result["blocking"] == pytest.approx(0.2)
    assert result["service_level"] == pytest.approx(0.8)
    assert result["occupancy"] == pytest.approx(0.4)


def test_erlang_a(capsys: pytest.CaptureFixture[str]) -> None:
    result = erlang(
        capsys, "a", *CALLS, "--patience-min", "5", "--agents", "14", "--within-min", "0.33"
    )
    assert result["abandonment_probability"] == pytest.approx(0.013983744122408937, rel=1e-12)
    assert result["mean_wait_min"] == pytest.approx(5 * 0.013983744122408937)
    served = 1 - result["abandonment_probability"]
    assert result["service_level_served"] == pytest.approx(result["service_level"] / served)
    assert result["P(served within t)/arrivals"] == result["service_level"]


def test_agents_needed(capsys: pytest.CaptureFixture[str]) -> None:
    result = erlang(
        capsys, "c", *CALLS, "--within-min", "0.33", "--target-service-level", "0.8",
        "--max-occupancy", "0.85", "--shrinkage", "0.3",
    )  # fmt: skip
    assert (result["agents"], result["scheduled_agents"]) == (14, 20)
    assert result["service_level"] >= 0.8
    # at most 60 % at work: 10 / 0.6 = 16.7
    result = erlang(
        capsys, "c", *CALLS, "--within-min", "0.33", "--target-service-level", "0.8",
        "--max-occupancy", "0.6",
    )  # fmt: skip
    assert result["agents"] == result["required_agents"] == 17
    result = erlang(capsys, "b", "--erlangs", "10", "--target-service-level", "0.98")
    assert result["agents"] == result["required_servers"] == 17


def test_a_queue_without_end_is_null_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    result = erlang(capsys, "c", *CALLS, "--within-min", "1", "--agents", "10")
    assert (result["waiting_probability"], result["service_level"]) == (1, 0)
    assert result["mean_wait_min"] is None
    assert "grows for ever" in result["reasons"]["mean_wait_min"]
    assert "service_level" not in result["reasons"]


def test_a_quantity_that_needs_more_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    result = erlang(capsys, "c", "--erlangs", "8", "--agents", "10")
    assert result["waiting_probability"] == pytest.approx(0.40918015079644353, rel=1e-12)
    assert result["reasons"]["mean_wait_min"] == "needs --aht-min"
    assert result["reasons"]["service_level"] == "needs --within-min"


@pytest.mark.parametrize("load", ["0", "1e-300"])
def test_nobody_arrives(capsys: pytest.CaptureFixture[str], load: str) -> None:
    result = erlang(capsys, "b", "--erlangs", load, "--agents", "0")
    assert result["blocking_probability"] == 0
    assert result["reasons"] == {"ln(blocking)": "nobody arrives"}


def test_a_table_without_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staffing", "erlang", "c", *CALLS, "--agents", "14"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Erlang C, 10 erlangs"
    assert any(line.split() == ["waiting_probability", "0.174132"] for line in lines)
    assert any("needs --within-min" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["c", "--agents", "3"], "--arrivals or --erlangs"),
        (["c", "--erlangs", "2", *CALLS, "--agents", "3"], "not both"),
        (["c", "--arrivals", "5", "--agents", "3"], "--interval-min"),
        (["c", "--erlangs", "2"], "--target-service-level"),
        (["c", "--erlangs", "2", "--agents", "3", "--target-service-level", "0.8"], "excludes"),
        (["c", "--erlangs", "2", "--agents", "3", "--within-min", "1"], "--aht-min"),
        (["c", *CALLS, "--target-service-level", "0.8"], "--within-min"),
        (["a", *CALLS, "--agents", "3"], "--patience-min"),
        (["a", "--erlangs", "2", "--patience-min", "2", "--agents", "3"], "--aht-min"),
        (["c", *CALLS, "--agents", "3", "--patience-min", "2"], "model a"),
        (["d", *CALLS, "--agents", "3"], "'d'"),
        (["c", *CALLS, "--agents", "many"], "many"),
    ],
)
def test_wrong_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str], missing: str
) -> None:
    assert run(["staffing", "erlang", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert missing in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["c", *CALLS, "--agents", "-3"],
        ["c", "--erlangs", "-1", "--agents", "3"],
        ["c", "--erlangs", "nan", "--agents", "3"],
        ["c", "--erlangs", "inf", "--agents", "3"],
        ["c", "--erlangs", "1", "--aht-min", "0", "--agents", "3"],
        ["c", "--erlangs", "1", "--aht-min", "3", "--within-min", "-1", "--agents", "3"],
        ["a", "--erlangs", "1", "--aht-min", "3", "--patience-min", "0", "--agents", "3"],
        ["c", *CALLS, "--within-min", "1", "--target-service-level", "1"],
        ["c", *CALLS, "--within-min", "1", "--target-service-level", "80"],
        ["c", *CALLS, "--max-occupancy", "0"],
        ["c", "--erlangs", "1e9", "--max-occupancy", "0.8"],
        ["b", "--erlangs", "1", "--agents", "100000000"],
        ["c", *CALLS, "--agents", "14", "--shrinkage", "1"],
    ],
)
def test_impossible_values(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(["staffing", "erlang", *arguments, "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1


def test_every_fault_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staffing", "erlang", "b", "--erlangs", "-1", "--agents", "-3"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "--erlangs: expected a number from 0 up (found '-1.0')",
        "--agents: expected a whole number from 0 up (found '-3')",
    ]


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staffing", "erlang", "--help"]) == 0
    assert "wfm staffing erlang c --arrivals 100" in capsys.readouterr().out
