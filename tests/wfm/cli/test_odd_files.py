"""Every command on files that are wrong in one way each.

Whatever is done to a file, a command ends with an exit status of its own: 0, or 1 with a line that
names the file. It never ends in a stack trace, its standard output is one JSON document or nothing,
and a result that was there before is not touched by a run that found fault.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from wfm.cli.main import run

ENDS = (0, 1)
BEFORE = "what an earlier run wrote"

Attempt = Callable[..., str]


@pytest.fixture
def attempt(capsys: pytest.CaptureFixture[str]) -> Attempt:
    """Run a command and check how it ends; its messages are returned."""

    def go(what: object, *arguments: object, names: str, out: Path | None = None) -> str:
        if out:
            out.write_text(BEFORE, encoding="utf-8")
        code = run([str(one) for one in arguments])
        said = capsys.readouterr()
        assert code in ENDS, (what, code, said.err)
        assert "Traceback" not in said.err, (what, said.err)
        if code == 0 or said.out:
            assert isinstance(json.loads(said.out, parse_constant=pytest.fail), dict | list), what
        if code == 1:
            assert any(name in said.err for name in names.split()), (what, said.err)
            assert out is None or out.read_text(encoding="utf-8") == BEFORE, what
        return said.err

    return go


# --- tables -------------------------------------------------------------------------------------

CELLS = (
    "", "NaN", "inf", "-1", "0", "3.5", "1e400", "9" * 40, "王小明😀", "x" * 5000, "2026-02-30",
    "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "2026-03-29T02:30:00",
    "2026-01-01T00:00:00+99:00", ";;", "a:9", "1,5", '"', "١٢",
)  # fmt: skip


def spoilt(text: str) -> Iterator[tuple[str, bytes]]:
    """The file as a whole, wrong in one way."""
    plain = text.encode()
    lines = text.splitlines()
    yield "empty", b""
    yield "blank", b"\n \n"
    yield "header only", lines[0].encode()
    yield "byte order mark", b"\xef\xbb\xbf" + plain
    yield "CRLF", text.replace("\n", "\r\n").encode()
    yield "CR", text.replace("\n", "\r").encode()
    yield "UTF-16", text.encode("utf-16")
    yield "UTF-16 without a mark", text.encode("utf-16-be")
    yield "GB 18030", text.replace("A1", "安").encode("gb18030")
    yield "Latin-1", text.replace("A1", "é").encode("latin-1", "replace")
    yield "semicolons", text.replace(",", ";").encode()
    yield "tabs", text.replace(",", "\t").encode()
    yield "a zero byte", plain[:20] + b"\0" + plain[20:]
    yield "any bytes", bytes(range(256)) * 4
    yield "JSON", b'[{"a": 1}]'
    yield "gzip", gzip.compress(plain)
    yield "gzip cut short", gzip.compress(plain)[:-12]
    yield "Latin-1 in gzip cut short", gzip.compress(b"\xe9" + plain * 500)[:-40]
    yield "an open quotation mark", plain.replace(b"\n", b'\n"', 1)
    yield "a huge field", plain + b"x" * 200_000
    yield "twice", plain + plain
    yield "rows twice", plain + b"\n".join(plain.splitlines()[1:])
    yield "too many fields", plain + b"x," * 30
    yield (
        "an unknown column",
        "\n".join([lines[0] + ",z", *(f"{row},1" for row in lines[1:])]).encode(),
    )
    yield "a column without a name", "\n".join(f"{row}," for row in lines).encode()
    yield "a column twice", "\n".join(f"{row},{row.split(',')[0]}" for row in lines).encode()


def columns_spoilt(text: str, each: int = 1) -> Iterator[tuple[str, bytes]]:
    """Every column left out, and every `each`-th odd value in the first row of every column."""
    rows = [line.split(",") for line in text.splitlines()]
    for at, name in enumerate(rows[0]):
        yield f"no {name}", "\n".join(",".join(r[:at] + r[at + 1 :]) for r in rows).encode()
        for cell in CELLS[at % each :: each]:
            changed = [rows[0], [*rows[1][:at], cell, *rows[1][at + 1 :]], *rows[2:]]
            yield f"{name} = {cell[:30]}", "\n".join(map(",".join, changed)).encode()


REPLAY = {
    "tickets": (
        "ticket_id,opened_at,skill,min_grade,priority,respond_within_s,handle_s,wait_limit_s\n"
        "T1,2026-02-16T09:00:00,loans,ordinary,1,20,100.5,\n"
        "T2,2026-02-16T09:00:10,loans,expert,2,60,100,10\n"
    ),
    "agents": (
        "agent_id,name,team,site,hired_on,grade,skills,capacity\n"
        "A1,安娜,t,s,2020-01-01,ordinary,loans,1\nA2,Otto,t,s,,expert,loans:3;cards:5,2\n"
    ),
    "duty": (
        "agent_id,start,end,mode\nA1,2026-02-16T09:00:00,2026-02-16T12:00:00,on-site\n"
        "A2,2026-02-16T09:00:30,2026-02-16T12:00:00,\n"
    ),
}
GRADE = {
    "agents": "agent_id,name,hired_on,grade\nA1,Ann,2020-01-01,senior\nA2,Bo,,\n",
    "cases": (
        "case_id,agent_id,opened_at,resolved_at,category,channel,priority,difficulty,resolved,"
        "independent,reopened,satisfaction\n"
        "C1,A1,2026-02-01T09:00:00,2026-02-01T10:00:00,net,phone,1,2,Y,1,false,5\n"
        "C2,A2,2026-03-01T09:00:00,,net,phone,2,2,N,0,true,\n"
    ),
    "reviews": (
        "review_id,agent_id,reviewer,case_id,reviewed_on,form,score\nR1,A1,P,C1,2026-05-01,f,93\n"
    ),
    "contributions": "agent_id,on,kind,points,note\nA1,2026-03-10,article,4,n\n",
}
DAY_OF_ASSESSMENT = ("--as-of", "2026-06-30")


def try_tables(
    attempt: Attempt, folder: Path, tables: dict[str, str], whole: str, each: int, *command: str
) -> None:
    """Spoil one file at a time; `whole` is the one that is spoilt as a whole as well."""
    files = {name: folder / f"{name}.csv" for name in tables}
    for name, text in tables.items():
        files[name].write_text(text, encoding="utf-8")
    options = [part for name, file in files.items() for part in (f"--{name}", file)]
    out = folder / "out.csv"
    for name, text in tables.items():
        for what, content in (
            *(spoilt(text) if name == whole else ()),
            *columns_spoilt(text, each),
        ):
            files[name].write_bytes(content)
            attempt((name, what), *command, *options, "--out", out, "--json",
                    names=" ".join(file.name for file in files.values()), out=out)  # fmt: skip
        files[name].write_text(text, encoding="utf-8")


def test_replays(attempt: Attempt, tmp_path: Path) -> None:
    try_tables(attempt, tmp_path, REPLAY, "duty", 7, "replay")


def test_grades(attempt: Attempt, tmp_path: Path) -> None:
    try_tables(attempt, tmp_path, GRADE, "", 20, "grade", *DAY_OF_ASSESSMENT)


# --- documents ----------------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    None, True, "", "x", -1, 0, 1.5, 1e308, float("nan"), 10**30, [], {}, [None], {"a": 1},
    "2026-02-30", "\ud800",
)  # fmt: skip
TEXTS = (
    "",
    "[",
    "[1",
    "null",
    "3",
    '"x"',
    "{}",
    "[[]]",
    "[" * 50_000,
    "[1" + "0" * 5000,
    "\ufeff[]",
)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document; of lists the first two members."""
    yield path
    inside = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        inside = enumerate(document[:2])
    for key, part in inside:
        yield from places(part, (*path, key))


def documents_spoilt(document: Any, each: int) -> Iterator[tuple[str, Any]]:
    """At every place every `each`-th odd value, nothing, or one thing too many."""
    for number, path in enumerate(places(document)):
        for value in VALUES[number % each :: each]:
            holder = [deepcopy(document)]
            place = holder
            for key in (0, *path)[:-1]:
                place = place[key]
            place[(0, *path)[-1]] = value
            yield f"{path} = {value!r:.30}", holder[0]
        if path:
            shorter = deepcopy(document)
            place = shorter
            for key in path[:-1]:
                place = place[key]
            del place[path[-1]]
            yield f"{path} left out", shorter
    if isinstance(document, dict):
        yield "unknown field", {**document, "zzz": 1}


CALENDAR = {"mon": [["09:00", "17:00"]], "tue": [["22:00", "06:00"]], "breaks": {}}
CASES = [
    {"id": "a", "kind": "due", "calendar": CALENDAR, "timezone": "Europe/Berlin",
     "start": "2024-01-15T16:00:00", "target": {"business_seconds": 60},
     "holidays": ["2024-01-16"], "boundary_convention": "next_open",
     "events": [{"type": "pause", "at": "2024-01-15T16:00:10"}], "expected": {"due": "x"}},
    {"id": "b", "kind": "elapsed", "calendar": CALENDAR, "timezone": "UTC",
     "start": "2024-01-15T09:00:00Z", "events": [{"type": "stop", "at": "2024-01-15T10:00:00Z"}]},
    {"id": "c", "kind": "due_days", "calendar": CALENDAR, "start": "2024-01-15T09:00:00+08:00",
     "timezone": "UTC", "target": {"business_days": 2}},
    {"id": "d", "kind": "open_intervals", "calendar": CALENDAR, "timezone": "UTC",
     "start": "2024-01-15T09:00:00", "expected": {"open_intervals": [["a", "b"]]}},
    {"id": "e", "kind": "clocks", "calendar": CALENDAR, "timezone": "UTC",
     "start": "2024-01-15T09:00:00",
     "target": {"first_response_minutes": 5, "resolution_minutes": 50},
     "events": [{"type": "agent_reply", "at": "2024-01-15T10:00:00",
                 "target": {"resolution_minutes": 9}}]},
]  # fmt: skip


def test_clock_cases(attempt: Attempt, tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    for text in TEXTS:
        file.write_text(text, encoding="utf-8")
        attempt(text[:9], "sla", "evaluate", file, "--json", names=file.name)
    for case in CASES:
        for what, document in documents_spoilt([case], 2):
            file.write_text(json.dumps(document), encoding="utf-8")
            attempt((case["id"], what), "sla", "evaluate", file, "--json", names=file.name)


DAYS = ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05")


def rule(kind: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "name": kind, "weight": 5, **parts}


PAST = [{"agent": "a", "amount": 1}]
PROBLEM = {
    "name": "x", "slot_minutes": 30, "history_days": 2,
    "agents": [
        {"id": "a", "name": "安", "grade": "senior", "skills": ["s"], "sites": ["x"],
         "shifts": ["D", "N"], "day_minutes": 480, "min_minutes": 0, "max_minutes": 2400,
         "restrictions": [{"kind": "short_days", "first": DAYS[0], "last": DAYS[1],
                           "source": "l", "minutes": 480}],
         "team": "t", "qualifications": [{"skill": "q", "level": 3, "first": DAYS[0]}],
         "declines": ["standby"], "home": "x", "away_weight": 1, "reach_minutes": 5,
         "availability": [{"weekdays": [1, 2, 3, 4, 5], "start": 0, "end": 2000}]},
        {"id": "b"},
    ],
    "days": [{"date": day, "type": "workday", "name": "", "burden": 1} for day in DAYS],
    "shifts": [
        {"id": "D", "start": 480, "end": 960, "minutes": 450, "mode": "on_site", "site": "x",
         "skills": ["s"], "min_grade": "ordinary", "burden_percent": 100, "unpopular": False,
         "breaks": [{"start": 720, "end": 750, "paid": False, "earliest": 700, "latest": 800}]},
        {"id": "N", "start": 1320, "end": 1800, "night": True},
    ],
    "shift_cover": [{"date": DAYS[0], "shift": "D", "desired": 1, "minimum": 1, "maximum": 2,
                     "under_weight": 10, "over_weight": 1, "skill": "s", "exclusive": False}],
    "interval_cover": [{"date": DAYS[1], "start": 480, "end": 540, "desired": 1, "minimum": 1,
                        "under_weight": 10, "over_weight": 1, "site": "x", "mode": "on_site"}],
    "posts": [{"id": "p", "days": [DAYS[2]], "count": 1, "min_grade": "ordinary", "skill": "s",
               "shifts": ["D"], "exclusive": False, "weight": 100, "burden_percent": 100}],
    "requests": [{"agent": "a", "date": DAYS[0], "on": True, "weight": 3, "shift": "D"}],
    "leave": [{"agent": "b", "first": DAYS[3], "last": DAYS[3], "kind": "annual"}],
    "locks": [{"agent": "b", "date": DAYS[1], "shift": "N"}],
    "post_locks": [{"post": "p", "date": DAYS[2], "agent": "a"}],
    "forbidden": [{"agent": "b", "date": DAYS[0], "shift": "N", "reason": "r"}],
    "history": [{"agent": "a", "date": "2026-03-01", "shift": "D"}],
    "preferences": [{"agent": "a", "weight": 2, "shifts": ["D"], "on": True, "weekdays": [1]}],
    "published": [{"agent": "a", "date": DAYS[0], "shift": "D"}],
    "pins": [{"first": DAYS[0], "last": DAYS[0], "agents": ["b"]}],
}  # fmt: skip
RULES = [
    rule("apart", agents=["a", "b"], on_same="shift"),
    rule("contract_minutes", tolerance=60, period="week", window=7),
    rule("fair_share", measure="nights", how="spread", unit=1, past=PAST, pro_rata=True),
    rule("forbidden_succession", first=["N"], then=["D"]),
    rule("max_consecutive", days=2, shifts=["D"]),
    rule("max_weekends", weekends=1, past=PAST),
    rule("min_consecutive", days=2, shifts=["D"]),
    rule("min_days_off", days=2),
    rule("min_rest", minutes=660),
    rule("minutes_limit", period="month", minimum=0, maximum=2000, past=PAST),
    rule("named_day_repeat", held=[{"agent": "a", "day_name": "X"}]),
    rule("overtime_limit", maximum=100, past=PAST, standard_day=480),
    rule("rest_after", shifts=["N"], days_off=1, run=1),
    rule("rest_days", days=1, window=7, rolling=True),
    rule("rotation", cycle=["D", "off"], since=DAYS[0]),
    rule("shift_limit", shifts=["N"], period="week", minimum=0, maximum=2, past=PAST),
    rule("stability", earlier=[{"agent": "a", "date": DAYS[0], "shift": "D"}]),
    rule("start_change", earlier_by=60, later_by=60, days_off=1),
    rule("together", agents=["a", "b"], enough=1, mutual=True, on_same="day"),
    rule("whole_weekends"),
]
ROSTER = {
    "assignments": [{"agent": "a", "day": DAYS[0], "shift": "D", "breaks": [720]},
                    {"agent": "b", "day": DAYS[1], "shift": "N"}],
    "posts": [{"post": "p", "day": DAYS[2], "agent": "a"}],
}  # fmt: skip


def test_roster_problems_and_rosters(attempt: Attempt, tmp_path: Path) -> None:
    problem, roster, out = (tmp_path / name for name in ("p.json", "r.json", "out.json"))
    judged = "p.json r.json hard"
    roster.write_text(json.dumps(ROSTER), encoding="utf-8")
    for text in TEXTS:
        problem.write_text(text, encoding="utf-8")
        attempt(
            text[:9], "roster", "solve", problem, "--out", out, "--json", names="p.json", out=out
        )
    for what, document in (
        *documents_spoilt(PROBLEM, 8),
        *(
            (f"{one['kind']} {what}", {**PROBLEM, "rules": [changed]})
            for one in RULES
            for what, changed in documents_spoilt(one, 8)
        ),
    ):
        problem.write_text(json.dumps(document), encoding="utf-8")
        attempt(what, "roster", "verify", problem, roster, "--json", names=judged)
    problem.write_text(json.dumps({**PROBLEM, "rules": RULES}), encoding="utf-8")
    for what, document in documents_spoilt(ROSTER, 2):
        roster.write_text(json.dumps(document), encoding="utf-8")
        attempt(what, "roster", "verify", problem, roster, "--json", names=judged)


def test_a_problem_with_every_rule_is_solved_and_judged(attempt: Attempt, tmp_path: Path) -> None:
    problem, roster = tmp_path / "p.json", tmp_path / "r.json"
    problem.write_text(json.dumps({**PROBLEM, "rules": RULES}), encoding="utf-8")
    attempt("", "roster", "solve", problem, "--out", roster, "--effort", "0.2", "--json", names="")
    attempt("", "roster", "verify", problem, roster, "--json", names="")
