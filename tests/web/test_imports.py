"""Handing in files: what is kept and for how long, what is refused, and the report."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import xlsxwriter
from sqlmodel import select
from starlette.testclient import TestClient

from wfm import jobs
from wfm.db import transaction
from wfm.services import queue, uploads
from wfm.tables import Agent, Job
from wfm.words import JobStatus, Role
from wfm.worker import Works

SignIn = Callable[..., TestClient]
HTMX = {"hx-request": "true"}
AGENTS = "agent_id,name,capacity\nA1,<script>x</script>,1\nA2,Bo,many\nA3,,0\nA1,Again,1\n"


def hand_in(
    client: TestClient, content: str | bytes, name: str = "agents.csv", kind: str = "agents",
    mapping: bytes | None = None, **fields: str,
):  # fmt: skip
    files = {"file": (name, content.encode() if isinstance(content, str) else content)}
    if mapping is not None:
        files["mapping"] = ("mine.toml", mapping)
    return client.post("/imports", data={"kind": kind, **fields}, files=files, headers=HTMX)


def kept(tmp_path: Path) -> list[Path]:
    return sorted(path for path in tmp_path.glob("uploads/**/*") if path.is_file())


def run_all(engine: sa.Engine) -> Job:
    """What a worker would do; the last job."""
    with transaction(engine) as session:
        ids = session.exec(select(Job.id).where(Job.status == JobStatus.WAITING)).all()
    for job_id in ids:
        assert job_id is not None
        jobs.run(engine, job_id, Works())
    with transaction(engine) as session:
        return session.get_one(Job, max(id for id in ids if id))


def test_a_file_is_kept_for_the_worker_imported_reported_and_removed(
    fresh_engine: sa.Engine, signed_in: SignIn, tmp_path: Path
) -> None:
    client = signed_in(Role.PLANNER)
    card = hand_in(client, AGENTS, name="../../Ä <b>客服 agents!.CSV")
    assert card.status_code == 200
    assert 'hx-get="/jobs/1"' in card.text  # the card that shows progress
    (file,) = kept(tmp_path)
    assert (file.read_text(), file.name) == (AGENTS, "ä_b_客服_agents.csv")
    assert file.parent.stat().st_mode & 0o077 == 0  # nobody else's business
    job = run_all(fresh_engine)
    assert (job.status, job.result["page"]) == (JobStatus.DONE, "/imports/1")
    assert kept(tmp_path) == []
    assert list((tmp_path / "uploads").iterdir()) == []

    page = client.get("/imports/1").text
    assert "Ä &lt;b&gt;客服 agents!.CSV" in page
    assert "Rejected rows were left out" in page
    cells = "|".join(cell.strip() for cell in re.split(r"<[^>]+>", page) if cell.strip())
    assert "Agents|4|1|0|0|3" in cells  # rows, added, changed, unchanged, rejected
    assert "Agents|capacity|not a whole number|1|3" in cells
    assert "5|agent_id|A1|this id already stands in row 2" in cells

    answer = client.get("/imports/1/rejects.csv")
    assert answer.headers["content-disposition"].endswith('"import-1-rejects.csv"')
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[1] for row in rows] == ["row", "3", "4", "5"]
    listed = client.get("/imports").text
    assert "客服 agents!.CSV" in listed
    assert "somebody" in listed
    assert "<script>x" not in page + listed


def test_the_report_in_chinese(fresh_engine: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER, language="zh")
    hand_in(client, AGENTS)
    run_all(fresh_engine)
    page = client.get("/imports/1").text
    for words in ("拒收理由", "不是整数", "此编号已见于第 2 行", "客服人员", "下载全部"):
        assert words in page
    assert "不是整数" in client.get("/imports/1/rejects.csv").content.decode("utf-8-sig")
    assert "技能" in client.get("/imports").text


def test_a_dry_run_changes_nothing_and_says_so(fresh_engine: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    hand_in(client, "agent_id\nA1\n", dry_run="1")
    run_all(fresh_engine)
    assert "This was a dry run" in client.get("/imports/1").text
    with transaction(fresh_engine) as session:
        assert session.exec(select(Agent)).all() == []
    hand_in(client, "agent_id\nA1\n")
    run_all(fresh_engine)
    page = client.get("/imports/2").text
    assert "Every row was taken." in page
    assert client.get("/imports/2/rejects.csv").status_code == 404


def _workbook() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for row, value in enumerate(("agent_id", "A1")):
            sheet.write(row, 0, value)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(b"agent_id\nA1\n", mtime=0)),
        ("a.xlsx", _workbook()),
        ("a.csv", "\ufeffagent_id\nA1\n".encode()),
    ],
)
def test_every_form_of_table_is_taken(
    fresh_engine: sa.Engine, signed_in: SignIn, name: str, content: bytes
) -> None:
    hand_in(signed_in(Role.PLANNER), content, name=name)
    assert run_all(fresh_engine).result["added"] == 1


FAULTY = {
    "empty": (b"", "this file is empty", "文件为空"),
    "separator": (b"agent_id;name\nA1;x\n", "fields are separated by semicolon", "字段以分号分隔"),
    "encoding": (
        "agent_id,name\nA1,中文\n".encode("gbk"), "not UTF-8; it may be gb18030", "可能是 gb18030",
    ),
    "column": (b"id,name\nA1,x\n", "column agent_id: this column is missing", "缺少该列"),
    "binary": (b"agent_id\nA\x001\n", "not a text file", "不是文本文件"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTY)
def test_a_wrong_file_is_explained_on_its_card(
    fresh_engine: sa.Engine, signed_in: SignIn, tmp_path: Path, fault: str
) -> None:
    content, english, chinese = FAULTY[fault]
    client = signed_in(Role.PLANNER)
    hand_in(client, content)
    assert run_all(fresh_engine).status == JobStatus.FAILED
    card = client.get("/jobs/1", headers=HTMX).text
    assert english in card
    assert str(tmp_path) not in card
    assert chinese in client.get("/jobs/1", params={"lang": "zh"}).text
    assert kept(tmp_path) == []
    assert "Nothing has been imported yet." in client.get("/imports").text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "dragons"}, "expected one of"),
        ({"name": "agents.pdf"}, "expected a table"),
        ({"adapter": "../../etc/passwd"}, "expected one of call-log"),
        ({"adapter": "call-log", "kind": "surveys"}, "makes"),
        ({"mapping": b"x = ["}, "not a TOML file"),
        ({"mapping": b"", "adapter": "call-log"}, "not both"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_and_not_kept(
    signed_in: SignIn, tmp_path: Path, fields: dict, words: str
) -> None:
    answer = hand_in(signed_in(Role.PLANNER), "agent_id\nA1\n", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert str(tmp_path) not in answer.text
    assert kept(tmp_path) == []


def test_no_file_is_a_fault_of_the_form(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    answer = client.post(
        "/imports", data={"kind": "agents"}, files={"file": ("", b"")}, headers=HTMX
    )
    assert (answer.status_code, "File: a value is required" in answer.text) == (422, True)


def test_ones_own_mapping_file_is_used(fresh_engine: sa.Engine, signed_in: SignIn) -> None:
    mapping = b'kind = "agents"\n[agents.fields]\nagent_id = "who"\n'
    hand_in(signed_in(Role.PLANNER), "who,x\nA1,1\n", mapping=mapping)
    assert run_all(fresh_engine).result["added"] == 1


def test_too_much_is_refused_before_it_is_read(
    client: TestClient, signed_in: SignIn, tmp_path: Path
) -> None:
    signed_in(Role.PLANNER)
    most = client.app.state.settings.upload_limit_mb
    headers = {**HTMX, "content-length": str((most + 2) << 20)}
    answer = client.post("/imports", content=b"", headers=headers)
    assert answer.status_code == 422
    assert f"larger than {most} MB" in answer.text
    answer = client.post("/imports", content=iter([b"x"]), headers=HTMX)  # of unknown size
    assert answer.status_code == 422
    assert kept(tmp_path) == []


def test_a_file_just_over_the_limit_is_not_kept(
    client: TestClient, signed_in: SignIn, tmp_path: Path
) -> None:
    signed_in(Role.PLANNER)
    object.__setattr__(client.app.state.settings, "upload_limit_mb", 1)
    assert hand_in(client, b"agent_id\n" + b"A" * (1 << 20)).status_code == 422
    assert kept(tmp_path) == []
    assert hand_in(client, b"agent_id\n" + b"A" * ((1 << 20) - 9)).status_code == 200


def test_a_large_body_without_the_token_is_not_even_read(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    token = client.headers.pop("x-csrf-token")
    assert hand_in(client, "agent_id\nA1\n", csrf=token).status_code == 200
    assert hand_in(client, b"x" * (2 << 20), csrf=token).status_code == 403


def test_who_may_look_and_who_may_import(
    fresh_engine: sa.Engine, signed_in: SignIn, tmp_path: Path
) -> None:
    client = signed_in(Role.LEAD)
    page = client.get("/imports")
    assert (page.status_code, 'name="file"' in page.text) == (200, False)
    answer = hand_in(client, "agent_id\nA1\n")
    assert (answer.status_code, "imports.run" in answer.text) == (403, True)
    assert kept(tmp_path) == []


def test_dispatchers_have_no_business_with_imports(signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    for path in ("/imports", "/imports/1", "/imports/1/rejects.csv"):
        assert client.get(path).status_code == 403


def test_each_kind_has_its_columns_explained_and_an_empty_file(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    page = client.get("/imports").text
    kinds = re.findall(r'href="/imports/template/([\w-]+)\.csv"', page)
    assert len(kinds) == 9
    for kind in kinds:
        content = client.get(f"/imports/template/{kind}.csv").content
        names = content.decode("utf-8-sig").strip().split(",")
        assert all(f"<code>{name}</code>" in page for name in names)
    assert client.get("/imports/template/dragons.csv").status_code == 404
    assert client.get("/imports/99").status_code == 404


def test_files_of_cancelled_imports_go_with_the_next_upload_and_no_others(
    fresh_engine: sa.Engine, signed_in: SignIn, tmp_path: Path
) -> None:
    client = signed_in(Role.PLANNER)
    for number in range(2):
        hand_in(client, f"agent_id\nA{number}\n", name=f"{number}.csv")
    with transaction(fresh_engine) as session:
        actor = uploads.Actor("somebody", roles={Role.PLANNER: None})
        queue.cancel(session, actor, 1, session.get_one(Job, 1).asked_at)
    assert len(kept(tmp_path)) == 2
    hour_ago = time.time() - uploads.FORGOTTEN_AFTER_S - 1
    for place in (tmp_path / "uploads").iterdir():
        os.utime(place, (hour_ago, hour_ago))
    hand_in(client, "agent_id\nA3\n", name="2.csv")
    assert {path.name for path in kept(tmp_path)} == {"1.csv", "2.csv"}


def test_a_worker_that_does_not_see_the_file_says_what_to_do(
    fresh_engine: sa.Engine, signed_in: SignIn, tmp_path: Path
) -> None:
    client = signed_in(Role.PLANNER)
    hand_in(client, "agent_id\nA1\n")
    kept(tmp_path)[0].unlink()
    assert "WFM_DATA_DIR" in run_all(fresh_engine).error


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("C:\\Users\\x\\工单.XLSX", "工单.xlsx"),
        ("../../etc/cron.d/x.csv.gz", "x.csv.gz"),
        ("=cmd|'/c calc'!A1.csv", "c_calc_A1.csv".lower()),
        (".csv", "file.csv"),
        ("长" * 200 + ".csv", "长" * 50 + ".csv"),
        ("a\x00b\n.csv", "a_b.csv"),
    ],
)
def test_names_of_kept_files_are_harmless(name: str, expected: str) -> None:
    assert uploads.safe_name(name) == expected
