"""The grade pages over a real cycle of five agents in two teams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from wfm import instants, tables
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.services import accounts, grade_cycles, grade_runs, grading
from wfm.words import DecisionAction, Grade, Role

SignIn = Callable[..., TestClient]
AS_OF = date(2026, 9, 30)
AT = datetime(2026, 9, 30, 14, tzinfo=UTC)
HTMX = {"hx-request": "true"}
PASSWORD = "Right-answer-42"
# code: name, team, grade held, share of cases resolved, review score, share of happy surveys
AGENTS = {
    "A1": ("Ann <b>Li</b>", "north", "ordinary", 0.95, 93, 0.95),
    "A2": ("Bo Chen", "north", "senior", 0.80, 84, 0.85),
    "A3": ("Cai Wen", "south", "ordinary", None, None, None),
    "A4": ("Du Fei", "south", "expert", 0.30, 55, 0.20),
    "A5": ("E/5 Fan", "south", "ordinary", 0.55, 68, 0.60),
}


def records_of(session: Session, agent: tables.Agent, solved: float, score: int, happy: float):
    for number in range(120):
        opened = datetime(2026, 8, 1, 9, tzinfo=UTC) + timedelta(hours=6 * number)
        done = number % 20 < 20 * solved
        session.add(
            tables.Ticket(
                code=f"{agent.code}-{number}", opened_at=opened, owner_id=agent.id,
                resolved_at=opened, resolved=done, independent=done, reopened=False,
                state="closed", category="mail",
            )
        )  # fmt: skip
    for number in range(40):
        session.add(
            tables.Survey(
                code=f"{agent.code}-s{number}", agent_id=agent.id, answered_on=date(2026, 9, 1),
                score=5 if number % 20 < 20 * happy else 1, category="mail",
            )
        )  # fmt: skip
        session.add(
            tables.QualityReview(
                code=f"{agent.code}-q{number}", agent_id=agent.id, reviewer="R",
                reviewed_on=date(2026, 9, 2), score=score + number % 3 - 1,
            )
        )  # fmt: skip


def a_desk(session: Session) -> None:
    teams = {
        code: tables.Team(code=code, name_en=code.title(), name_zh=f"{code}组")
        for code in ("north", "south")
    }
    session.add_all(teams.values())
    session.flush()
    begin = date(2020, 1, 1)
    for code, (name, team, grade, *levels) in AGENTS.items():
        agent = tables.Agent(code=code, name=name, hired_on=date(2019, 1, 1))
        session.add(agent)
        session.flush()
        for fact in (
            tables.AgentTeam(agent_id=agent.id, team_id=teams[team].id, valid_from=begin),
            tables.AgentGrade(agent_id=agent.id, grade=Grade(grade), valid_from=begin),
        ):
            session.add(fact)
        if levels[0] is not None:
            records_of(session, agent, *levels)
    session.flush()
    made = grade_runs.run_cycle(
        session, SYSTEM, "2026-09", date(2026, 7, 1), AS_OF, "Asia/Shanghai", AT
    )
    grade_cycles.open_review(session, SYSTEM, made.id or 0, AT, "Asia/Shanghai")


@pytest.fixture(scope="module")
def graded(copied: Callable[[str], sa.Engine]) -> str:
    """The name of a database with one cycle, made once and copied for each test."""
    opened = copied("graded")
    with transaction(opened) as session:
        a_desk(session)
    opened.dispose()
    return "graded"


@pytest.fixture
def fresh_engine(new_database: Callable[..., sa.Engine], graded: str) -> Iterator[sa.Engine]:
    opened = new_database("scratch", graded)
    yield opened
    opened.dispose()


def shown(page: str) -> list[str]:
    """The codes of the agents a list shows, in its order."""
    return re.findall(r'<a href="/grades/2026-09/(A\d)">', page.split("<tbody>")[-1])


def number_of(engine: sa.Engine, code: str) -> int:
    with transaction(engine) as session:
        query = select(tables.Assessment.id).join(tables.Agent).where(tables.Agent.code == code)
        return session.exec(query).one() or 0


def publish(engine: sa.Engine) -> None:
    """As if every case were signed and the window for appeals had ended."""
    with transaction(engine) as session:
        row = session.exec(select(tables.AssessmentCycle)).one()
        row.status, row.published_on, row.objections_until = "published", AS_OF, AS_OF


def sign(client: TestClient, engine: sa.Engine, code: str, **data: str):
    path = f"/grades/assessments/{number_of(engine, code)}"
    return client.post(path, data={"action": "accept"} | data, headers=HTMX)


def lead_of(client: TestClient, engine: sa.Engine, team: str, agent: str | None = None) -> None:
    """Sign in a lead of one team only."""
    with transaction(engine) as session:
        team_id = session.exec(select(tables.Team.id).where(tables.Team.code == team)).one()
        agent_id = (
            agent and session.exec(select(tables.Agent.id).where(tables.Agent.code == agent)).one()
        )
        accounts.create(
            session, "small", "Small", PASSWORD, [(Role.LEAD, team_id)], instants.now(),
            agent_id=agent_id or None, language="en",
        )  # fmt: skip
    client.post("/sign-in", data={"name": "small", "password": PASSWORD})


# -- the list -------------------------------------------------------------------------------------


def test_the_newest_cycle_is_shown_with_its_queues(signed_in: SignIn) -> None:
    page = signed_in(Role.LEAD).get("/grades").text
    # moves and the unclear case first, then what clearly keeps
    assert shown(page) == ["A1", "A4", "A3", "A2", "A5"]
    assert re.search(r">2</b>Rise or fall", page)
    assert re.search(r">1</b>Not enough evidence", page)
    assert re.search(r">2</b>Clearly keep, unsigned", page)
    assert "rises to senior" in page
    assert page.count('class="marks"') == 5


FILTERS = {
    "team=north": ["A1", "A2"],
    "decision=moves": ["A1", "A4"],
    "decision=rise": ["A1"],
    "decision=fall": ["A4"],
    "decision=undecided": ["A3"],
    "decision=blocked": [],
    "decision=keep&team=south": ["A5"],
    "grade=expert": ["A4"],
    "grade=senior": ["A1", "A4", "A2"],
    "state=open": ["A1", "A4", "A3", "A2", "A5"],
    "state=decided": [],
    "text=bo+CH": ["A2"],
    "text=a4": ["A4"],
    "text=%25": [],
    "order=agent": ["A1", "A2", "A3", "A4", "A5"],
    "order=-agent": ["A5", "A4", "A3", "A2", "A1"],
    "order=-present&team=north": ["A2", "A1"],
    "order=sure&team=south": ["A3", "A4", "A5"],
    "order=name&page=9": ["A1", "A2", "A3", "A4", "A5"],
}


def test_filters_and_orders(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    pages = {query: client.get(f"/grades?{query}", headers=HTMX).text for query in FILTERS}
    assert {query: shown(page) for query, page in pages.items()} == FILTERS
    for query, page in pages.items():
        assert "<html" not in page  # a fragment
        assert ("No case fits" in page) == (FILTERS[query] == []), query


def test_filters_that_make_no_sense_are_refused(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    wrong = {"decision=x": 422, "order=x": 422, "page=0": 422, "team=x": 404, "cycle=x": 404}
    assert {query: client.get(f"/grades?{query}").status_code for query in wrong} == wrong


def test_the_list_in_chinese(signed_in: SignIn) -> None:
    page = signed_in(Role.LEAD, language="zh").get("/grades").text
    assert "升为高级客服" in page
    assert "依据不足" in page
    assert "建议经人签署后方可生效" in page


def test_names_are_never_markup(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    for path in ("/grades", "/grades/2026-09/A1", "/grades?text=%3Cscript%3E"):
        page = client.get(path).text
        assert "<b>Li</b>" not in page
        assert "<script>" not in page
    assert "Ann &lt;b&gt;Li&lt;/b&gt;" in client.get("/grades").text


def test_the_page_stays_small(signed_in: SignIn) -> None:
    page = signed_in(Role.LEAD, language="zh").get("/grades").text
    rows = page.split("<tbody>")[1].split("</tbody>")[0]
    assert len(rows.encode()) / 5 < 1600  # 120 of them stay below 200 kB


# -- one case -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Unsigned. It takes no effect", "No records of this", "speaks against", "vetoes"]),
        ("zh", ["未签署。经人签署之前不会生效", "没有这方面的记录", "一票否决", "解决问题能力"]),
    ],
)
def test_a_case_shows_its_evidence(signed_in: SignIn, language: str, words: list[str]) -> None:
    client = signed_in(Role.LEAD, language=language)
    page = client.get("/grades/2026-09/A4").text + client.get("/grades/2026-09/A5").text
    for word in words:
        assert word in page
    assert page.count('class="track"') == 10


def test_accepting_signs_and_names_the_next_case(
    signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    client = signed_in(Role.LEAD)
    answer = sign(client, fresh_engine, "A1")
    assert answer.status_code == 200
    assert "Signed: somebody" in answer.text
    assert 'href="/grades/2026-09/A4"' in answer.text
    assert 'href="/grades/2026-09/A3"' in sign(client, fresh_engine, "A4").text
    assert shown(client.get("/grades?state=decided&order=agent").text) == ["A1", "A4"]


def test_an_override_without_grade_or_reason_is_refused_in_place(
    signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    client = signed_in(Role.LEAD)
    grade, why = "Choose another grade", "Say why"
    for given, faults in (
        ({"reason": "customers praise her"}, {grade}),
        ({"grade": "senior", "reason": "customers praise her"}, {grade}),  # as proposed
        ({"grade": "expert", "reason": " no "}, {why}),
        ({"grade": "", "reason": ""}, {grade, why}),
    ):
        answer = sign(client, fresh_engine, "A1", action="override", **given)
        assert answer.status_code == 422
        assert {fault for fault in (grade, why) if fault in answer.text} == faults, given
        assert re.search(
            r'type="file" id="files-override-\d+" hx-preserve', answer.text
        )  # chosen files
        assert "hx-retarget" not in answer.headers
    assert shown(client.get("/grades?state=decided").text) == []


def test_an_override_keeps_its_reason_as_text(signed_in: SignIn, fresh_engine: sa.Engine) -> None:
    client = signed_in(Role.LEAD)
    answer = sign(
        client, fresh_engine, "A1", action="override", grade="expert", reason="<i>led</i> the team"
    )
    assert "&lt;i&gt;led&lt;/i&gt; the team" in answer.text
    answer = sign(client, fresh_engine, "A1", action="send_back", reason="surveys are missing")
    assert "Sent back by somebody" in answer.text
    assert "led" in answer.text  # the earlier decision stays on record
    assert shown(client.get("/grades?state=sent_back").text) == ["A1"]


def test_without_htmx_the_forms_work_too(signed_in: SignIn, fresh_engine: sa.Engine) -> None:
    client = signed_in(Role.LEAD)
    path = f"/grades/assessments/{number_of(fresh_engine, 'A5')}"
    answer = client.post(path, data={"action": "accept"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/grades/2026-09/A5")
    answer = client.post(path, data={"action": "send_back", "reason": ""})
    assert answer.status_code == 422
    assert "<html" in answer.text
    assert "Say why" in answer.text


def test_cases_that_are_not_there(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    for path in ("/grades/2026-09/A9", "/grades/1999/A1", "/grades/2026-09/"):
        assert client.get(path).status_code == 404
    assert client.post("/grades/assessments/999", data={"action": "accept"}).status_code == 404
    assert client.post("/grades/assessments/1", data={"action": "burn"}).status_code == 422


# -- many at once, and taking effect --------------------------------------------------------------


def test_clear_cases_are_signed_together_and_nothing_else(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    page = client.get("/grades").text
    assert "Sign 2 cases that clearly keep their grade?" in unescape(page)
    data = {"cycle": "2026-09", "expected": "2", "team": ""}
    answer = client.post("/grades/clear", data=data, headers=HTMX)
    assert "2 cases signed." in answer.text
    assert shown(client.get("/grades?state=decided&order=agent").text) == ["A2", "A5"]
    assert client.post("/grades/clear", data=data, headers=HTMX).status_code == 409


def test_taking_effect_counts_first_and_changes_only_what_is_signed(
    signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    client = signed_in(Role.LEAD)
    sign(client, fresh_engine, "A1")
    sign(client, fresh_engine, "A2")
    assert client.get("/grades/effect?cycle=2026-09").status_code == 409  # not published
    publish(fresh_engine)
    page = client.get("/grades/effect?cycle=2026-09&on=2026-10-01").text
    figures = re.findall(r"<dt>([^<]+)</dt><dd[^>]*>(\d+)", page)
    assert [count for _, count in figures] == ["1", "1", "3"]
    assert "Change 1 grade from 2026-10-01?" in unescape(page)
    data = {"cycle": "2026-09", "on": "2026-10-01", "changed": "2"}
    assert client.post("/grades/effect", data=data).status_code == 409
    answer = client.post("/grades/effect", data=data | {"changed": "1"})
    assert answer.headers["location"] == "/grades?cycle=2026-09"
    with transaction(fresh_engine) as session:
        facts = session.exec(
            select(tables.AgentGrade)
            .join(tables.Agent)
            .where(tables.Agent.code == "A1")
            .order_by(tables.AgentGrade.valid_from)
        ).all()
    assert [(f.grade, f.valid_until) for f in facts] == [
        (Grade.ORDINARY, date(2026, 10, 1)), (Grade.SENIOR, None),
    ]  # fmt: skip


def test_no_effect_before_the_window_for_appeals_has_ended(
    signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    client = signed_in(Role.LEAD)
    publish(fresh_engine)
    answer = client.get("/grades/effect?cycle=2026-09&on=2026-09-29")
    assert answer.status_code == 422
    assert "after the window for appeals" in answer.text
    data = {"cycle": "2026-09", "on": "2026-09-29", "changed": "0"}
    assert client.post("/grades/effect", data=data).status_code == 422


# -- a new cycle ----------------------------------------------------------------------------------


def test_a_cycle_is_started_as_a_job(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    data = {"code": "2026-10", "period_from": "2026-07-01", "as_of": "2026-09-30"}
    answer = client.post("/grades/cycles", data=data)
    assert re.fullmatch(r"/jobs/\d+", answer.headers["location"])
    assert client.get(answer.headers["location"]).status_code == 200


def test_a_cycle_that_cannot_be_is_refused_in_place(signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    possible = {"code": "x", "period_from": "2026-07-01", "as_of": "2026-09-30"}
    for change, status, said in (
        ({"code": "2026-09"}, 409, "There is a cycle of this name already"),
        ({"code": "a/b"}, 422, "A name has up to 40 letters"),
        ({"period_from": "2026-10-01"}, 422, "begins after its end"),
        ({"as_of": "2099-01-01"}, 422, "not over yet"),
    ):
        answer = client.post("/grades/cycles", data=possible | change, headers=HTMX)
        assert answer.status_code == status
        assert said in answer.text
        assert f'value="{(possible | change)["code"]}"' in answer.text


def test_an_empty_desk_says_what_to_do(signed_in: SignIn, fresh_engine: sa.Engine) -> None:
    with transaction(fresh_engine) as session:
        session.execute(sa.delete(tables.Assessment))
        session.execute(sa.delete(tables.AssessmentCycle))
    client = signed_in(Role.LEAD)
    assert "start the first cycle below" in client.get("/grades").text
    assert 'action="/grades/cycles"' in client.get("/grades").text
    assert client.get("/grades/effect?cycle=").status_code == 404


# -- who may what ---------------------------------------------------------------------------------


def test_a_lead_of_one_team_sees_and_signs_only_that_team(
    client: TestClient, fresh_engine: sa.Engine
) -> None:
    lead_of(client, fresh_engine, "north")
    assert shown(client.get("/grades").text) == ["A1", "A2"]
    assert client.get("/grades/2026-09/A2").status_code == 200
    assert client.get("/grades/2026-09/A4").status_code == 403
    assert client.get("/grades?team=south").status_code == 404
    assert sign(client, fresh_engine, "A4").status_code == 403
    assert sign(client, fresh_engine, "A2").status_code == 200
    data = {"cycle": "2026-09", "expected": "1", "team": "south"}
    assert client.post("/grades/clear", data=data).status_code == 404
    publish(fresh_engine)
    page = client.get("/grades/effect?cycle=2026-09&on=2026-10-01").text
    assert [n for _, n in re.findall(r"<dt>([^<]+)</dt><dd[^>]*>(\d+)", page)] == ["0", "1", "1"]


def test_nobody_signs_their_own_grade(client: TestClient, fresh_engine: sa.Engine) -> None:
    lead_of(client, fresh_engine, "north", agent="A2")
    assert sign(client, fresh_engine, "A2").status_code == 403
    assert "/grades/assessments/" not in client.get("/grades/2026-09/A2").text
    assert "clear case" not in client.get("/grades").text


def test_who_may_look_but_not_sign(signed_in: SignIn, fresh_engine: sa.Engine) -> None:
    for role in (Role.REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR):
        client = signed_in(role, name=role.value)
        page = client.get("/grades")
        assert page.status_code == 200
        assert "/grades/clear" not in page.text
        assert "/grades/assessments/" not in client.get("/grades/2026-09/A1").text
        assert sign(client, fresh_engine, "A1").status_code == 403
        asked = client.get("/grades/effect?cycle=2026-09").status_code
        assert asked == (409 if role is Role.ADMINISTRATOR else 403)
        start = {"code": "x", "period_from": "2026-07-01", "as_of": "2026-09-30"}
        allowed = 303 if role is Role.ADMINISTRATOR else 403
        assert client.post("/grades/cycles", data=start).status_code == allowed


def test_who_may_not_even_look(signed_in: SignIn, fresh_engine: sa.Engine) -> None:
    for role in (Role.PLANNER, Role.DISPATCHER, Role.AGENT):
        client = signed_in(role, name=role.value)
        for path in ("/grades", "/grades/2026-09/A1", "/grades/effect?cycle=x", "/grades/me"):
            assert client.get(path).status_code == 403
        assert sign(client, fresh_engine, "A1").status_code == 403


def agent_account(client: TestClient, engine: sa.Engine, code: str, language: str) -> None:
    with transaction(engine) as session:
        agent = session.exec(select(tables.Agent).where(tables.Agent.code == code)).one()
        accounts.create(
            session, code, agent.name, PASSWORD, [(Role.AGENT, None)], instants.now(),
            agent_id=agent.id, language=language,
        )  # fmt: skip
    client.post("/sign-in", data={"name": code, "password": PASSWORD})


@pytest.mark.parametrize(
    ("language", "before", "after", "proposal"),
    [
        ("en", "Until it is signed and published", "signed the result", "rises to senior"),
        ("zh", "签署并公示之前，您的等级不变", "您 2026-07-01 至 2026-09-30", "升为高级客服"),
    ],
)
def test_agents_see_their_own_result_once_it_is_published(
    client: TestClient, fresh_engine: sa.Engine, language: str, before: str, after: str,
    proposal: str,
) -> None:  # fmt: skip
    agent_account(client, fresh_engine, "A1", language)
    page = client.get("/grades/me").text
    assert before in page
    assert proposal not in page
    assert "Du Fei" not in page
    with transaction(fresh_engine) as session:
        grading.decide(session, SYSTEM, 1, DecisionAction.ACCEPT, AT)
    assert proposal not in client.get("/grades/me").text  # signed is not yet published
    publish(fresh_engine)
    page = client.get("/grades/me").text
    assert after in page
    assert proposal in page
    assert client.get("/grades/2026-09/A1").status_code == 403
