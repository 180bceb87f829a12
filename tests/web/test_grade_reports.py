"""The pages around a cycle, over the desk of `test_grades`: who sees them, what they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from html import unescape

import pytest
import sqlalchemy as sa
from sqlmodel import select
from starlette.requests import Request
from starlette.testclient import TestClient

from web.security import check_size
from wfm import tables
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.errors import InputError
from wfm.services import grade_cycles, grade_policies, grade_runs
from wfm.words import Grade, Role

SignIn = Callable[..., TestClient]
AT = datetime(2026, 9, 30, 14, tzinfo=UTC)
PAGES = (
    "/grades/funnel?cycle=c", "/grades/funnel?cycle=c&criterion=satisfaction",
    "/grades/fairness?cycle=c&column=channel", "/grades/calibration", "/grades/mix",
    "/grades/policy",
)  # fmt: skip


@pytest.fixture
def desk(fresh_engine: sa.Engine) -> sa.Engine:
    """Twelve agents in two teams; those in the south solve little."""
    with transaction(fresh_engine) as session:
        teams = [tables.Team(code=c, name_en=c.title(), name_zh=f"{c}组") for c in ("n", "s")]
        session.add_all(teams)
        session.flush()
        begin = date(2020, 1, 1)
        for place in range(12):
            team = teams[place % 2]
            agent = tables.Agent(code=f"A{place}", name=f"A{place} Li", hired_on=begin)
            session.add(agent)
            session.flush()
            for fact in (
                tables.AgentTeam(agent_id=agent.id, team_id=team.id, valid_from=begin),
                tables.AgentGrade(agent_id=agent.id, grade=Grade.ORDINARY, valid_from=begin),
            ):
                session.add(fact)
            for number in range(100):
                done = number % 10 < (10 if team.code == "n" else 4)
                session.add(
                    tables.Ticket(
                        code=f"{agent.code}-{number}", opened_at=AT, owner_id=agent.id,
                        resolved_at=AT, resolved=done, independent=done, reopened=False,
                        state="closed", channel="mail",
                    )
                )  # fmt: skip
            for number in range(8):
                session.add(
                    tables.QualityReview(
                        code=f"{agent.code}-q{number}", agent_id=agent.id, score=90 + number % 4,
                        reviewer="RS"[number % 2], reviewed_on=date(2026, 9, 2),
                        case_code=f"{agent.code}-{number}", form="call",
                    )
                )  # fmt: skip
        made = grade_runs.run_cycle(
            session, SYSTEM, "c", date(2026, 7, 1), date(2026, 9, 30), "Asia/Shanghai", AT
        )
        grade_cycles.open_review(session, SYSTEM, made.id or 0, AT, "Asia/Shanghai")
    return fresh_engine


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_in_both_languages(
    signed_in: SignIn, desk: sa.Engine, language: str
) -> None:
    client = signed_in(Role.LEAD, language=language)
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<h1>" in answer.text


def test_pages_of_an_empty_desk_say_what_to_do(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    assert "Import reviews" in client.get("/grades/calibration").text
    assert "Import agents" in client.get("/grades/mix").text
    assert "policy that ships" in client.get("/grades/policy").text
    assert client.get("/grades/fairness?cycle=c").status_code == 404
    assert client.get("/grades/funnel?cycle=c").status_code == 404


def test_who_may_see_what_concerns_the_whole_desk(signed_in: SignIn, desk: sa.Engine) -> None:
    for role, status in ((Role.AUDITOR, 200), (Role.AGENT, 403), (Role.DISPATCHER, 403)):
        client = signed_in(role, name=role.value)
        for path in PAGES:
            assert client.get(path).status_code == status, (role, path)
        data = {"cycle": "c", "flag": "x", "text": "because"}
        assert client.post("/grades/fairness", data=data).status_code == 403
        assert client.post("/grades/policy", data={"text": "x"}).status_code == 403
        assert client.post("/grades/calibration").status_code == 403
        assert client.post("/grades/step", data={"cycle": "c", "to": "back"}).status_code == 403
        path = "/grades/allowances.xlsx?first=2026-01-01&last=2026-12-31"
        assert client.get(path).status_code == 403


def test_a_flag_is_answered_on_its_page(signed_in: SignIn, desk: sa.Engine) -> None:
    client = signed_in(Role.LEAD)
    page = client.get("/grades/fairness?cycle=c").text
    # all six in the north solve enough for senior, none in the south; without surveys the grade
    # rests on resolution and quality, five eighths of the weight
    assert "1 flag" in page or "2 flags" in page
    assert 'name="flag" value="team:rises:s"' in page
    data = {"cycle": "c", "flag": "team:rises:s", "text": "the south took over the hard queue"}
    assert client.post("/grades/fairness", data=data).status_code == 303
    assert "took over the hard queue" in client.get("/grades/fairness?cycle=c").text


def test_the_policy_is_checked_tried_and_saved(
    signed_in: SignIn, desk: sa.Engine, work_off: Callable[[sa.Engine], None]
) -> None:
    client = signed_in(Role.LEAD)
    text = grade_policies.default_policy_text()
    wrong = text.replace("majority = 0.6", "majority = 6")
    line = wrong[: wrong.index("majority = 6")].count("\n") + 1
    for act in ("check", "try", "save"):
        answer = client.post("/grades/policy", data={"text": wrong, "act": act, "cycle": "c"})
        assert answer.status_code == 422
        assert f"line {line}: decision.majority" in answer.text
    good = client.post("/grades/policy", data={"text": text, "act": "check"})
    assert "complete and consistent" in good.text
    taken = client.post("/grades/policy", data={"text": text + "#", "act": "save"})
    assert taken.status_code == 409
    assert "give it a new version" in taken.text
    strict = text.replace('version = "2026.3"', 'version = "strict"').replace(
        "entry = { senior = 80, expert = 87 }", "entry = { senior = 99, expert = 99 }"
    )
    answer = client.post("/grades/policy", data={"text": strict, "act": "try", "cycle": "c"})
    assert answer.headers["location"].startswith("/jobs/")
    work_off(desk)
    number = answer.headers["location"].rpartition("/")[2]
    page = unescape(client.get(f"/grades/policy?trial={number}").text)
    assert "6 of 12 agents would be proposed otherwise" in page
    assert "A0 Li" in page
    assert 'version = "strict"' in page
    saved = client.post("/grades/policy", data={"text": strict, "act": "save"})
    assert saved.status_code == 303
    with transaction(desk) as session:
        codes = session.exec(select(tables.GradePolicy.code)).all()
    assert codes == ["default 2026.3", "default strict"]
    assert client.get("/grades/policy?trial=999").status_code == 404


def test_a_correction_is_worked_off_as_a_job(
    signed_in: SignIn, desk: sa.Engine, work_off: Callable[[sa.Engine], None]
) -> None:
    client = signed_in(Role.LEAD)
    data = {"assessment": "1", "what": "ticket:resolved", "record": "A0-0", "value": "no",
            "reason": "it was closed by mistake"}  # fmt: skip
    wrong = client.post("/grades/corrections", data=data | {"record": "A1-0"})
    assert wrong.status_code == 422
    assert "this agent has no such record" in wrong.text
    answer = client.post("/grades/corrections", data=data)
    work_off(desk)
    assert 'href="/grades/c/A0"' in client.get(answer.headers["location"]).text
    page = client.get("/grades/c/A0").text
    assert "What the correction changed" in page
    assert "closed by mistake" in page


def test_a_sample_is_drawn_and_scored(signed_in: SignIn, desk: sa.Engine) -> None:
    client = signed_in(Role.LEAD)
    assert client.post("/grades/calibration").status_code == 303
    page = client.get("/grades/calibration").text
    assert page.count('name="points"') == 30
    assert client.post("/grades/calibration/1", data={"points": "85"}).status_code == 303
    assert client.get("/grades/calibration").text.count('name="points"') == 29
    assert client.post("/grades/calibration/2", data={"points": "nan"}).status_code == 422


def test_a_file_is_downloaded_and_never_shown(signed_in: SignIn, desk: sa.Engine) -> None:
    client = signed_in(Role.LEAD)
    data = {"action": "override", "grade": "expert", "reason": "leads the night shift"}
    files = [("files", ("<b>.txt", b"proof", "text/html"))]
    answer = client.post("/grades/assessments/1", data=data, files=files)
    assert answer.status_code == 303
    got = client.get("/grades/files/1")
    assert got.content == b"proof"
    assert got.headers["content-type"].startswith("text/plain")
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"
    bad = client.post(
        "/grades/assessments/2", data=data | {"grade": "senior"},
        files=[("files", ("a.exe", b"MZ", "text/plain"))],
    )  # fmt: skip
    assert bad.status_code == 422
    with transaction(desk) as session:
        assert len(session.exec(select(tables.GradeDecision)).all()) == 1


def test_evidence_is_one_click_away_down_to_the_ticket(signed_in: SignIn, desk: sa.Engine) -> None:
    client = signed_in(Role.LEAD)
    assert 'href="/grades/records/2?criterion=resolution"' in client.get("/grades/c/A1").text
    page = client.get("/grades/records/2?criterion=resolution").text
    assert "100 records" in page
    assert "60 speak against" in page
    pages = [client.get(f"/grades/records/2?criterion=resolution&page={n}").text for n in (1, 3, 4)]
    # 25 a page, what speaks against first: 25, 25, 10, none
    assert [one.count("▼") for one in pages] == [25, 10, 0]
    assert "A1-0<" not in pages[0]
    assert "A1-0<" in "".join(pages[1:])
    assert "8 records" in client.get("/grades/records/2?criterion=quality").text
    assert "No records" in client.get("/grades/records/2?criterion=satisfaction").text
    assert client.get("/grades/records/2?criterion=tenure").status_code == 404
    other = signed_in(Role.AGENT, name="other")
    assert other.get("/grades/records/2?criterion=quality").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "taken"),
    [
        ("POST", "/grades/appeals", {"content-length": str(10 << 20)}, True),
        ("POST", "/grades/appeals", {"content-length": str(12 << 20)}, False),
        ("POST", "/grades/appeals", {"transfer-encoding": "chunked"}, False),
        ("POST", "/imports", {"content-length": str(900 << 20)}, True),
        ("POST", "/api/v1/imports", {"content-length": str(900 << 20)}, True),
        ("POST", "/sign-in", {"content-length": str(1 << 20)}, True),
        ("POST", "/sign-in", {"content-length": str((1 << 20) + 1)}, False),
        ("POST", "/sign-in", {"transfer-encoding": "chunked"}, False),
        ("GET", "/grades/me", {"content-length": str(12 << 20)}, True),
    ],
)
def test_forms_have_a_largest_size(
    method: str, path: str, headers: dict[str, str], taken: bool
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request(
        {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b"",
         "server": ("desk.test", 80), "scheme": "http"}
    )  # fmt: skip
    if taken:
        check_size(request)
    else:
        with pytest.raises(InputError, match="too large"):
            check_size(request)


def test_serious_events_and_weights_have_their_pages(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    page = client.get("/grades/events").text
    assert "No serious event is on record." in page
    answer = client.post("/grades/events", data={"agent": "nobody", "on": "2026-09-01", "note": ""})
    assert answer.status_code == 422 or answer.status_code == 400
    assert "there is no such agent" in answer.text
    assert "Weights by comparison" in client.get("/grades/weights").text
    found = client.get("/grades/weights", params={"c": [0] * 10}).text
    assert "the answers fit together" in unescape(found)
    assert "Take these weights to the editor" in found
    twisted = client.get("/grades/weights", params={"c": [8, -8, 0, 0, 8, 0, 0, 0, 0, 0]}).text
    assert "contradict one another" in twisted
    assert "Take these weights" not in twisted
    assert client.get("/grades/weights", params={"c": [9] * 10}).status_code == 422
