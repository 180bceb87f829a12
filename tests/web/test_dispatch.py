"""The dispatch desk in a browser's eyes: what it shows, what it refuses, and in which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from wfm import instants
from wfm.db import transaction
from wfm.tables import Agent, DispatchDecision, Skill, Ticket, TicketEvent
from wfm.words import EventKind, Role

SignIn = Callable[..., TestClient]
HTMX = {"hx-request": "true"}


@pytest.fixture
def at() -> datetime:
    return instants.now()


@pytest.fixture
def desk(fresh_engine: sa.Engine, open_desk: Callable[..., None], at: datetime) -> sa.Engine:
    """Three agents on duty and three tickets: one late, one at risk, one with time."""
    with transaction(fresh_engine) as session:
        open_desk(
            session, at, A=("ordinary", {"net": 3}, 1), B=("senior", {"net": 3, "app": 2}, 2),
            C=("expert", {"app": 5}, 1),
        )  # fmt: skip
        net = session.exec(select(Skill).where(Skill.code == "net")).one()
        for code, minutes in (("T/1?", 65), ("T2", 50), ("T3", 5)):
            session.add(
                Ticket(
                    code=code, opened_at=at - timedelta(minutes=minutes), skill_id=net.id,
                    title=f"<script>alert('{code}')</script>", respond_within_s=3600,
                )
            )  # fmt: skip
    return fresh_engine


def shown(text: str) -> list[str]:
    """Codes of the waiting tickets, in their order."""
    return re.findall(r'id="t-\d+">([^<]+)</a>', text)


def owner(engine: sa.Engine, code: str) -> str | None:
    with transaction(engine) as session:
        query = select(Agent.code).join(Ticket, col(Ticket.owner_id) == Agent.id)
        return session.exec(query.where(Ticket.code == code)).first()


def test_the_queue_shows_clocks_risks_and_reasons(desk: sa.Engine, signed_in: SignIn) -> None:
    text = signed_in(Role.DISPATCHER).get("/dispatch").text
    assert shown(text) == ["T2", "T3", "T/1?"]  # what can be kept first, then the late
    risks = re.findall(r'<tr class="risk-(\w+)">', text)
    assert risks == ["at_risk", "fine", "late"]
    clocks = [int(left) for left in re.findall(r'data-left="(-?\d+)" data-running="1"', text)]
    assert [round(left / 60) for left in clocks] == [10, 55, -5]
    for words in ("At risk", "In time", "Late", "lowest grade that suffices", "3 agents on duty",
                  "Next best:", "B Li", "until "):  # fmt: skip
        assert words in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "Sample clock" not in text


def test_the_same_in_chinese(desk: sa.Engine, signed_in: SignIn) -> None:
    text = signed_in(Role.DISPATCHER, language="zh").get("/dispatch").text
    for words in (
        "临期",
        "超时",
        "未到期",
        "满足要求的最低等级",
        "在班客服 3 人",
        "技能net",
        "专家客服",
    ):
        assert words in text
    for words in ("Assign", "At risk", "lowest grade", "free"):
        assert f">{words}" not in text


def test_filters_stay_through_a_refresh_and_an_act(desk: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    page = client.get("/dispatch", params={"risk": "late"}).text
    assert shown(page) == ["T/1?"]
    assert '<option value="late" selected>' in page
    assert 'hx-include="#filters, #show"' in page  # the list asks again with what the filters say
    part = client.get("/dispatch", params={"risk": "late"}, headers=HTMX).text
    assert shown(part) == ["T/1?"]
    assert "<html" not in part
    none = client.get("/dispatch", params={"skill": "app"}).text
    assert "No waiting ticket passes these filters." in none
    act = {"ticket": "T2", "agent": "A", "risk": "late"}
    assert shown(client.post("/dispatch/assign", data=act, headers=HTMX).text) == ["T/1?"]
    assert client.get("/dispatch", params={"tier": "boss"}).status_code == 422


def test_one_click_gives_the_ticket_to_the_proposed(desk: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    answer = client.post("/dispatch/assign", data={"ticket": "T/1?", "agent": "A"}, headers=HTMX)
    assert answer.status_code == 200
    assert "T/1? is assigned." in answer.text
    assert shown(answer.text) == ["T2", "T3"]
    assert owner(desk, "T/1?") == "A"
    assert 'id="said"' not in client.get("/dispatch", headers=HTMX).text  # a refresh leaves it
    # without scripts the same form leads back to the page
    plain = client.post("/dispatch/assign", data={"ticket": "T2", "agent": "B"})
    assert (plain.status_code, plain.headers["location"]) == (303, "/dispatch")


def test_what_is_refused_is_said_in_place_in_both_languages(
    desk: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.DISPATCHER, language="zh")

    def say(ticket: str, agent: str, note: str = "") -> str:
        data = {"ticket": ticket, "agent": agent, "note": note}
        answer = client.post("/dispatch/assign", data=data, headers=HTMX)
        assert answer.status_code == 409
        return re.findall(r'role="alert">([^<]+)<', answer.text)[0]

    assert say("T2", "B") == "建议派给 A Li；请说明为何派给 B Li"
    client.post("/dispatch/assign", data={"ticket": "T2", "agent": "A"}, headers=HTMX)
    assert say("T2", "B", "why") == "T2 已派给 A Li"
    assert say("T3", "A", "why") == "A Li 在手工单已满，请另选人员"
    assert say("T3", "C", "why") == "C Li 不具备所需技能和等级，请另选人员"
    missing = client.post("/dispatch/assign", data={"ticket": "no", "agent": "A"}, headers=HTMX)
    assert missing.status_code == 404


def test_the_panel_offers_all_who_may_take_it_and_keeps_a_refused_note(
    desk: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.DISPATCHER)
    panel = client.get("/dispatch/ticket", params={"code": "T/1?"}, headers=HTMX).text
    assert re.findall(r'name="agent" value="(\w)" required( checked)?', panel) == [
        ("A", " checked"), ("B", ""),
    ]  # fmt: skip
    assert "<script>alert" not in panel
    act = {"ticket": "T/1?", "agent": "B", "note": " ", "in_panel": "true"}
    refused = client.post("/dispatch/assign", data=act, headers=HTMX)
    assert refused.status_code == 409
    assert "A Li is proposed; say why it goes to B Li" in refused.text
    assert "hx-retarget" not in refused.headers
    assert re.search(r'value="B" required checked', refused.text)
    done = client.post("/dispatch/assign", data=act | {"note": "<b>asked for"}, headers=HTMX)
    assert done.headers["hx-retarget"] == "#board"
    assert owner(desk, "T/1?") == "B"
    gone = client.get("/dispatch/ticket", params={"code": "T/1?"}, headers=HTMX)
    assert gone.status_code == 409
    assert "was given to B Li already" in gone.text
    log = client.get("/dispatch/log", params={"differing": "true"}).text
    assert "&lt;b&gt;asked for" in log
    assert "lowest grade that suffices" in log


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whatever_happened_to_a_ticket_that_waits_is_told(
    desk: sa.Engine, signed_in: SignIn, at: datetime, language: str
) -> None:
    with transaction(desk) as session:
        ticket = session.exec(select(Ticket).where(Ticket.code == "T2")).one()
        for kind in EventKind:
            session.add(TicketEvent(code=kind, ticket_id=ticket.id, at=at, kind=kind))
        agent = session.exec(select(Agent).where(Agent.code == "B")).one()
        session.add(TicketEvent(code="B", ticket_id=ticket.id, at=at, agent_id=agent.id,
                                kind=EventKind.ASSIGNED))  # fmt: skip
    page = signed_in(Role.DISPATCHER, language=language).get("/dispatch/ticket?code=T2").text
    told = re.findall(r'<li><span class="num">[^<]+</span> (.+?) *</li>', page)
    # given to B, and what has no agent is back in the queue
    assert len(set(told)) == len(EventKind) + 1
    assert {"en": "back to the queue", "zh": "退回队列"}[language] in told
    # in the reader's language: no Chinese in the one, nothing else in the other
    assert all(bool(re.search("[a-z]{2}", words)) == (language == "en") for words in told), told


def test_a_ticket_is_worked_to_its_end(desk: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    client.post("/dispatch/assign", data={"ticket": "T2", "agent": "A"}, headers=HTMX)
    text = client.post("/dispatch/answer", data={"ticket": "T2"}, headers=HTMX).text
    assert "T2 is answered." in text
    assert "answered " in text
    again = client.post("/dispatch/answer", data={"ticket": "T2"}, headers=HTMX)
    assert (again.status_code, "was answered already" in again.text) == (409, True)
    text = client.post("/dispatch/resolve", data={"ticket": "T2"}, headers=HTMX).text
    assert "Nobody has a ticket in hand." in text
    assert "3 / 3" in text  # everybody is free again


def test_roles_without_the_right_are_refused_with_words(desk: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    page = client.get("/dispatch")
    assert page.status_code == 200
    assert "hx-post" not in page.text  # may look, is offered nothing to do
    for path in ("/dispatch/assign", "/dispatch/answer", "/dispatch/resolve"):
        answer = client.post(path, data={"ticket": "T2", "agent": "A"}, headers=HTMX)
        assert answer.status_code == 403
        assert "dispatch.assign" in answer.text
    assert owner(desk, "T2") is None


def test_agents_may_not_see_the_desk(desk: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.AGENT)
    for path in ("/dispatch", "/dispatch/log", "/dispatch/ticket?code=T2"):
        assert client.get(path).status_code == 403


def test_an_empty_desk_says_what_to_do(signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    text = client.get("/dispatch").text
    assert "Nothing waits." in text
    assert "Nobody is on duty now." in text
    assert "No ticket has been assigned yet." in client.get("/dispatch/log").text


@pytest.fixture
def crowded(fresh_engine: sa.Engine, open_desk: Callable[..., None], at: datetime) -> sa.Engine:
    """500 tickets wait, 120 people are on duty."""
    skills = [f"skill{n}" for n in range(8)]
    agents = {
        f"A{n:03}": (("ordinary", "senior", "expert")[n % 3], dict.fromkeys(skills[n % 6 :], 3), 1)
        for n in range(120)
    }
    with transaction(fresh_engine) as session:
        open_desk(session, at, **agents)
        ids = session.exec(select(Skill.id)).all()
        for n in range(500):
            session.add(
                Ticket(code=f"T{n:03}", opened_at=at - timedelta(minutes=n % 90), title="x" * 60,
                       skill_id=ids[n % 8], respond_within_s=3600)
            )  # fmt: skip
    return fresh_engine


def test_a_crowded_desk_stays_small_and_asks_the_database_little(
    crowded: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.DISPATCHER)
    asked: list[str] = []
    sa.event.listen(crowded, "before_cursor_execute", lambda *args: asked.append(args[2]))
    page = client.get("/dispatch")
    assert len(page.content) <= 200_000
    assert len(asked) <= 26  # however many wait
    asked.clear()
    # whoever looks next, while nothing is written, is shown the same without reading it again
    assert client.get("/dispatch").text == page.text
    assert len(asked) <= 8
    assert len(shown(page.text)) == 50
    assert "50 of 500" in page.text
    more = client.get("/dispatch", params={"show": 100}, headers=HTMX).text
    assert len(shown(more)) == 100


def test_the_log_goes_back_page_by_page(desk: sa.Engine, signed_in: SignIn, at: datetime) -> None:
    client = signed_in(Role.DISPATCHER)
    with Session(desk) as session, session.begin():
        ticket = session.exec(select(Ticket.id).where(Ticket.code == "T2")).one()
        agent = session.exec(select(Agent.id).where(Agent.code == "A")).one()
        for n in range(60):
            session.add(
                DispatchDecision(ticket_id=ticket, agent_id=agent, at=at, decided_by=f"d{n}",
                                 policy="deadline", proposed_agent_id=agent)
            )  # fmt: skip
    first = client.get("/dispatch/log").text
    assert "<td>d59</td>" in first
    assert "<td>d9</td>" not in first
    older = re.search(r'href="(/dispatch/log\?[^"]+)">Older', first)
    assert older is not None
    second = client.get(older[1].replace("&amp;", "&")).text
    assert "<td>d9</td>" in second
    assert "Older" not in second
    assert "<td>d17</td>" in client.get("/dispatch/log", params={"words": "d17"}).text


def test_a_shifted_clock_is_said(client: TestClient, signed_in: SignIn) -> None:
    object.__setattr__(client.app.state.settings, "clock_offset_s", -60.0)
    assert "示例时钟" in signed_in(Role.DISPATCHER, language="zh").get("/dispatch").text
