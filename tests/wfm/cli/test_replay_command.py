"""`wfm replay` on files: forms, figures, faults and exit codes."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime, timedelta

import pytest

from wfm.cli.main import run
from wfm.importing.columns import zone
from wfm.importing.replay_files import read_agents, read_duties, read_tickets

TICKETS = """ticket_id,opened_at,skill,min_grade,priority,respond_within_s,handle_s,wait_limit_s
T2,2026-02-16T09:00:10,loans,ordinary,2,60,100,
T1,2026-02-16T09:00:00,loans,ordinary,1,20,100.5,
T3,2026-02-16T09:00:20,cards,expert,1,20,100,10
T4,2026-02-16T20:00:00,loans,,1,20,100,
"""
AGENTS = """agent_id,name,grade,skills
A1,安娜,ordinary,loans
A2,Otto,expert,loans:3;cards:5
"""
DUTY = """agent_id,start,end,mode
A1,2026-02-16T09:00:00,2026-02-16T12:00:00,on-site
A2,2026-02-16T09:00:30,2026-02-16T12:00:00,remote
"""


@pytest.fixture
def desk(tmp_path, capsys):
    def replay(*more, tickets=TICKETS, agents=AGENTS, duty=DUTY):
        for name, text in (("tickets", tickets), ("agents", agents), ("duty", duty)):
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        out = tmp_path / "out.csv"
        code = run(
            [
                "replay",
                *(part for name in ("tickets", "agents", "duty")
                  for part in (f"--{name}", str(tmp_path / f"{name}.csv"))),
                "--out", str(out), *more,
            ]
        )  # fmt: skip
        shown = capsys.readouterr()
        text = out.read_text(encoding="utf-8") if out.exists() else None
        return code, shown.out, shown.err, text

    return replay


def test_decisions_come_by_time_of_opening_in_the_zone_asked_for(desk):
    code, _, _, text = desk("--timezone", "Asia/Shanghai")
    assert code == 0
    # T3 leaves at 09:00:30 if nobody starts, which is when A2's duty begins; T2 is due at 09:01:10
    assert text == (
        "ticket_id,agent_id,start,end,wait_s,met,reason\n"
        "T1,A1,2026-02-16T09:00:00+08:00,2026-02-16T09:01:40.500000+08:00,0,true,"
        "on_arrival;only_one_free\n"
        "T2,A1,2026-02-16T09:01:40.500000+08:00,2026-02-16T09:03:20.500000+08:00,90.5,false,"
        "late;just_free\n"
        "T3,A2,2026-02-16T09:00:30+08:00,2026-02-16T09:02:10+08:00,10,true,"
        "earliest_due;just_free\n"
        "T4,,,,,false,nobody_on_duty\n"
    )


def test_json_is_one_document_and_messages_go_to_standard_error(desk):
    code, shown, error, _ = desk("--json", "--policy", "fifo")
    assert code == 0
    figures = json.loads(shown)
    assert "4 tickets, 2 agents" in error
    # oldest first: at 09:00:30 A2 takes T2 (20 s), and T3 leaves
    assert {key: figures[key] for key in ("policy", "tickets", "served", "met")} == {
        "policy": "fifo", "tickets": 4, "served": 2, "met": 2,
    }  # fmt: skip
    assert figures["share_within_target"] == 0.5
    assert figures["per_priority"]["1"]["share_within_target"] == pytest.approx(1 / 3)
    assert figures["per_priority"]["2"]["met"] == 1
    assert figures["waits"] == {"mean": 10, "p50": 10, "p95": 19, "max": 20}
    # 200.5 s of work in 3 h and 2 h 59 min 30 s of duty
    assert figures["utilisation"] == pytest.approx(200.5 / (2 * 3 * 3600 - 30))
    assert figures["abandoned"] == 1
    assert figures["reasons"]["customer_left"]["zh"] == "客户已放弃等待"


def test_nobody_on_standby_is_given_a_ticket(desk):
    code, _, _, text = desk(duty=DUTY.replace("remote", "待命"))
    assert code == 0
    # A2 took T3 when she worked from home; on standby she does not
    assert "T3,,,,,false," in text
    assert "A2" not in text
    code, shown, _, _ = desk("--json", duty=DUTY.replace("remote", "Standby"))
    assert json.loads(shown)["utilisation"] == pytest.approx(200.5 / (3 * 3600))  # of A1 alone


def test_a_duty_without_a_mode_is_at_the_desk(desk):
    code, _, _, text = desk(duty=DUTY.replace("remote", ""))
    assert code == 0
    assert "T3,A2," in text


def test_a_mode_nobody_knows_is_refused_with_its_row(desk):
    code, _, error, text = desk(duty=DUTY.replace("remote", "at home"))
    assert code != 0
    assert text is None
    assert "duty.csv" in error
    assert "mode" in error
    assert "at home" in error
    assert "on-site, remote, standby" in error


def test_a_table_without_json(desk):
    code, shown, _, _ = desk()
    assert code == 0
    assert "within target" in shown
    assert "50.0 %" in shown


def test_the_order_of_rows_changes_no_byte(desk):
    def turned(text):
        head, *rows = text.splitlines()
        return "\n".join([head, *reversed(rows)]) + "\n"

    mixed = desk(tickets=turned(TICKETS), agents=turned(AGENTS), duty=turned(DUTY))
    assert mixed == desk()


@pytest.mark.parametrize("policy", ["fifo", "priority", "deadline"])
def test_every_policy_answers_every_ticket(desk, policy):
    code, _, _, text = desk("--policy", policy)
    rows = list(csv.DictReader(text.splitlines()))
    assert code == 0
    assert sorted(row["ticket_id"] for row in rows) == ["T1", "T2", "T3", "T4"]


def test_offsets_in_the_file_count_more_than_the_zone(desk):
    utc = TICKETS.replace("09:00:00,", "01:00:00Z,").replace("09:00:10,", "02:00:10+01:00,")
    _, _, _, text = desk("--timezone", "Asia/Shanghai", tickets=utc)
    assert text == desk("--timezone", "Asia/Shanghai")[3]


def test_without_a_zone_times_are_utc(desk):
    assert "T1,A1,2026-02-16T09:00:00+00:00," in desk()[3]


def test_a_duty_over_the_change_of_clocks_has_its_true_length(desk):
    # New York, 8 March 2026: 01:30 to 03:30 is one hour; the ticket is opened 59 min 59 s into it
    rows = "ticket_id,opened_at,respond_within_s,handle_s\nT,{},60,10\n"
    duty = "agent_id,start,end\nA,2026-03-08T01:30:00,2026-03-08T03:30:00\n"
    for opened, served in (("2026-03-08T03:29:59", True), ("2026-03-08T03:30:00", False)):
        _, _, _, text = desk(
            "--timezone", "America/New_York",
            tickets=rows.format(opened), agents="agent_id\nA\n", duty=duty,
        )  # fmt: skip
        row = next(csv.DictReader(text.splitlines()))
        assert bool(row["agent_id"]) is served
    assert datetime.fromisoformat("2026-03-08T03:30:00-04:00") - datetime.fromisoformat(
        "2026-03-08T01:30:00-05:00"
    ) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("duty", "A2,", "A9,", "duty.csv, row 3, column agent_id: no such agent"),
        ("duty", "A2,", ",", "duty.csv, row 3, column agent_id: an id is required"),
        ("duty", "00:30,2026-02-16T12", "00:30,2026-02-16T08", "row 3, column end: must be after"),
        ("duty", "A2,", "A1,", "row 3, column start: overlaps the duty of the same agent in row 2"),
        ("duty", "2026-02-16T09:00:30", "soon", "row 3, column start: not a time"),
        ("duty", "2026-02-16T09:00:30", "", "row 3, column start: a value is required"),
        ("duty", "start", "begin", "duty.csv, row 1, column start: this column is missing"),
        ("agents", "A2", "A1", "agents.csv, row 3, column agent_id: this id already stands"),
        ("agents", "expert", "guru", "agents.csv, row 3, column grade: expected one of ordinary"),
        ("agents", "cards:5", "cards:6", "agents.csv, row 3, column skills: expected skills"),
        ("agents", "cards:5", ":5", "agents.csv, row 3, column skills: expected skills"),
        ("agents", "cards:5", "loans", "row 3, column skills: this skill is named twice"),
        ("tickets", "T2", "T1", "tickets.csv, row 3, column ticket_id: this id already stands"),
        ("tickets", "100.5", "-1", "row 3, column handle_s: must be at least 0"),
        ("tickets", "100.5", "nan", "row 3, column handle_s: not a number"),
        ("tickets", "100.5", "1e300", "row 3, column handle_s: must be at most"),
        ("tickets", "1,20,100.5", "1,,100.5", "row 3, column respond_within_s: a value is"),
        ("tickets", "1,20,100.5", "0,20,100.5", "row 3, column priority: must be at least 1"),
        ("tickets", "100,10", "100,-10", "row 4, column wait_limit_s: must be at least 0"),
        ("tickets", "cards,expert", "cards,boss", "row 4, column min_grade: expected one of"),
        ("tickets", "handle_s", "handled", "column handle_s: this column is missing"),
    ],
)
def test_each_fault_has_its_place_and_nothing_is_written(desk, file, old, new, line):
    texts = {"tickets": TICKETS, "agents": AGENTS, "duty": DUTY}
    assert old in texts[file]
    code, shown, error, text = desk(**{file: texts[file].replace(old, new, 1)})
    assert (code, shown, text) == (1, "", None)
    assert line in error


def test_faults_of_all_three_files_are_told_together(desk):
    code, _, error, _ = desk(
        tickets=TICKETS.replace("T2", "T1"),
        agents=AGENTS.replace("expert", "guru"),
        duty=DUTY.replace("12:00:00", "noon"),
    )
    assert code == 1
    assert [line.split(",")[0] for line in error.splitlines()] == [
        "agents.csv", "duty.csv", "duty.csv", "tickets.csv",
    ]  # fmt: skip


def test_a_missing_file_and_a_missing_folder(desk, tmp_path):
    code, _, error, _ = desk("--duty", str(tmp_path / "none.csv"))
    assert code == 1
    assert "none.csv: there is no such file" in error
    code, shown, error, _ = desk("--out", str(tmp_path / "no" / "out.csv"), "--json")
    assert (code, shown) == (1, "")
    assert "there is no such folder to write to" in error


def test_wrong_usage(desk):
    code, _, error, _ = desk("--policy", "random")
    assert code == 2
    assert all(f"'{name}'" in error for name in ("deadline", "fifo", "priority"))
    assert run(["replay", "--tickets", "t.csv"]) == 2


def test_an_unknown_zone(desk):
    code, _, error, _ = desk("--timezone", "Mars/Olympus")
    assert code == 1
    assert "unknown time zone" in error


def test_help_has_an_example(capsys):
    assert run(["replay", "--help"]) == 0
    assert "wfm replay --tickets tickets.csv" in capsys.readouterr().out


def test_files_without_rows_give_figures_without_values(desk):
    heads = (text.splitlines()[0] + "\n" for text in (TICKETS, AGENTS, DUTY))
    tickets, agents, duty = heads
    code, shown, _, text = desk("--json", tickets=tickets, agents=agents, duty=duty)
    figures = json.loads(shown)
    assert (code, figures["tickets"], figures["share_within_target"]) == (0, 0, None)
    assert text == "ticket_id,agent_id,start,end,wait_s,met,reason\n"
    assert desk("--json", agents=agents)[0] == 1
    nobody = json.loads(desk("--json", agents=agents, duty=duty)[1])
    assert (nobody["served"], nobody["reasons"]["nobody_may"]["tickets"]) == (0, 3)


def test_what_a_missing_column_or_an_empty_cell_means(tmp_path):
    path = tmp_path / "agents.csv"
    path.write_text("agent_id\nA\n", encoding="utf-8")
    (everything,) = read_agents(path)
    assert (everything.skills, everything.grade, everything.capacity) == (None, 1, 1)
    path.write_text(
        "agent_id,skills,grade,capacity\nA,,,\nB,x；y：5;,专家客服,3\n", encoding="utf-8"
    )
    nothing, some = read_agents(path)
    assert (nothing.skills, nothing.grade, nothing.capacity) == ({}, 1, 1)
    assert (some.skills, some.grade, some.capacity) == ({"x": 3, "y": 5}, 3, 3)
    path.write_text(
        "ticket_id,opened_at,respond_within_s,handle_s\nT,2026-01-01T00:00:00,60,0.5\n",
        encoding="utf-8",
    )
    trace = read_tickets(path, zone("UTC"))
    (ticket,) = trace.tickets
    assert (ticket.skill, ticket.tier, ticket.priority) == ("", 1, 1)
    assert (ticket.due_at - ticket.opened_at, trace.handle, trace.patience) == (
        60_000_000, [500_000], [None],
    )  # fmt: skip


def test_packed_files_are_read(tmp_path):
    path = tmp_path / "duty.csv.gz"
    path.write_bytes(gzip.compress(DUTY.encode(), mtime=0))
    assert len(read_duties(path, zone("UTC"), None)) == 2


def test_figures_by_half_hour(desk):
    _, out, _, _ = desk("--json", "--timezone", "Asia/Shanghai")
    found = json.loads(out)["per_interval"]
    assert [(one["from"], one["tickets"], one["met"]) for one in found] == [
        ("2026-02-16T09:00:00+08:00", 3, 2), ("2026-02-16T20:00:00+08:00", 1, 0),
    ]  # fmt: skip


def test_drawn_arrivals_give_means_with_intervals_and_the_same_bytes_again(desk):
    draw = ("--arrivals", "poisson", "--replications", "4", "--seed", "3", "--json")
    code, out, err, text = desk(*draw)
    assert code == 0
    assert err.count("replication") == 4
    found = json.loads(out)
    together = found["over_replications"]
    assert (together["replications"], found["arrivals"], found["seed"]) == (4, "poisson", 3)
    share = together["share_within_target"]
    assert 0 <= share["low"] <= share["mean"] <= share["high"] <= 1
    assert set(together["waits"]) == {"mean", "p50", "p95", "max"}
    assert together["utilisation"]["mean"] > 0
    # the decisions, and the figures beside, are those of the first replication
    assert text.count("\n") == 1 + found["tickets"]
    assert desk(*draw) == (code, out, err, text)
    assert desk(*draw[:5], "4", "--json")[1] != out
    code, out, _, _ = desk("--arrivals", "days")
    assert code == 0
    assert "over 10 replications" in out


def test_what_cannot_be_drawn_is_refused(desk):
    assert desk("--replications", "3")[0] == 2
    code, _, err, text = desk("--arrivals", "days", tickets=TICKETS.splitlines()[0] + "\n")
    assert (code, text) == (1, None)
    assert "tickets to draw from" in err


def test_grades_are_understood_as_people_write_them(desk):
    words = AGENTS.replace("ordinary", " 普通 ").replace("expert", "专家")
    plain = desk()[3]
    assert desk(agents=words, tickets=TICKETS.replace("expert", "专家客服"))[3] == plain
    assert desk(agents=AGENTS.replace("expert", "EXPERT"))[3] == plain
    code, _, error, text = desk(agents=AGENTS.replace("expert", "大师"))
    assert (code, text) == (1, plain)  # what was written before stays as it is
    assert error.startswith("agents.csv, row 3, column grade: expected one of ordinary, senior, ")


def test_a_year_that_nobody_means_is_refused(desk):
    code, _, error, text = desk(tickets=TICKETS.replace("2026-02-16T20", "1026-02-16T20"))
    assert (code, text) == (1, None)
    assert error.startswith("tickets.csv, row 5, column opened_at: not a plausible time; between")
    code, _, error, _ = desk(duty=DUTY.replace("12:00:00,on", "12:00:00+08:00,on").replace(
        "2026-02-16T09:00:30", "9998-02-16T09:00:30"))  # fmt: skip
    assert code == 1
    assert "duty.csv, row 3, column start: not a plausible time" in error


def test_what_is_read_is_not_written_over(desk, tmp_path):
    read = tmp_path / "tickets.csv"
    code, _, error, _ = desk("--out", str(tmp_path / "x" / ".." / "tickets.csv"))
    assert code == 1
    assert "this is a file to read" in error
    assert read.read_text("utf-8") == TICKETS
