"""The agent's desk in the browser's eyes: content, empty states, take next, requests decided."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select
from starlette.testclient import TestClient

from wfm import instants
from wfm.db import transaction
from wfm.tables import Account, Agent, AgentRequest, Skill, Ticket, TicketEvent
from wfm.words import EventKind, Role

SignIn = Callable[..., TestClient]


@pytest.fixture
def agent(fresh_engine: sa.Engine, signed_in: SignIn, open_desk: Callable[..., Any]) -> TestClient:
    """An agent on duty with one ticket waiting that suits her."""
    now = instants.now()
    client = signed_in(Role.AGENT, name="somebody")
    with transaction(fresh_engine) as session:
        open_desk(session, now, B1=("senior", {"net": 3}, 2))
        row = session.exec(select(Agent)).one()
        session.exec(select(Account)).one().agent_id = row.id
        skill = session.exec(select(Skill)).one()
        ticket = Ticket(
            code="T-1", opened_at=now - timedelta(minutes=5), skill_id=skill.id, title="No network"
        )
        session.add(ticket)
        session.flush()
        session.add(
            TicketEvent(code="e1", ticket_id=ticket.id, at=ticket.opened_at, kind=EventKind.OPENED)
        )
    return client


def test_she_takes_the_next_ticket_answers_and_resolves_it(agent: TestClient) -> None:
    page = agent.get("/me").text
    assert "Next for you: T-1" in page
    assert "You have no open tickets" in page
    assert agent.post("/me/next").status_code == 303
    page = agent.get("/me").text
    assert "No network" in page
    assert "Nothing waits that you should take now" in page
    assert agent.post("/me/tickets/T-1/answer").status_code == 303
    assert agent.post("/me/tickets/T-1/resolve").status_code == 303
    assert "You have no open tickets" in agent.get("/me").text


def test_nothing_to_take_is_a_refusal_in_her_language(agent: TestClient) -> None:
    agent.post("/me/next")
    agent.post("/language", data={"language": "zh"})
    assert "目前没有可领取的工单" in agent.post("/me/next").text


@pytest.mark.parametrize("span", ["week", "month"])
def test_her_duties_are_on_the_calendar(agent: TestClient, span: str) -> None:
    page = agent.get(f"/me?span={span}").text
    assert len(re.findall(r'class="[^"]*today', page)) == 1
    assert len(re.findall(r"<li class=", page)) % 7 == 0
    assert agent.get("/me?day=1899-01-01").status_code == 422


def test_a_feed_is_read_without_signing_in_and_revoked(agent: TestClient) -> None:
    address = re.search(r"(/feeds/[^?<]+)", agent.post("/me/feed").text)
    assert address is not None
    stranger = TestClient(agent.app, base_url="http://desk.test")
    answer = stranger.get(address[1])
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in answer.text
    agent.post("/me/feed/close")
    assert stranger.get(address[1]).status_code == 404


def test_leave_is_asked_and_decided(
    agent: TestClient, signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    day = (instants.now() + timedelta(days=9)).date()
    data = {"first": str(day), "last": str(day), "kind": "annual", "text": "family"}
    wrong = data | {"last": str(day - timedelta(days=1))}
    assert "must not lie before the first" in agent.post("/me/requests/leave", data=wrong).text
    assert agent.post("/me/requests/leave", data=data).status_code == 303
    assert "waits for a decision" in agent.get("/me").text
    assert (
        "服务请求" not in agent.get("/me?lang=zh").text
    )  # a kind of ticket, not what she asks for
    with transaction(fresh_engine) as session:
        number = session.exec(select(AgentRequest)).one().id
    assert agent.post(f"/requests/{number}", data={"grant": "true"}).status_code == 403
    planner = signed_in(Role.PLANNER, name="planner")
    assert "family" in planner.get("/requests").text
    assert planner.post(f"/requests/{number}", data={"grant": "true"}).status_code == 303
    assert "No request waits for you" in planner.get("/requests").text


def test_what_the_desk_holds_can_be_read_taken_and_corrected(agent: TestClient) -> None:
    assert "Grades held" in agent.get("/me/records").text
    document = agent.get("/me/records.json").json()
    assert document["agent"][0]["name"] == "B1 Li"
    assert "password_hash" not in document["account"][0]
    data = {"text": "my telephone number is another one"}
    assert agent.post("/me/requests/correction", data=data).status_code == 303
    assert "Correction of my record" in agent.get("/me").text


def test_an_account_without_an_agent_is_told_so(signed_in: SignIn) -> None:
    answer = signed_in(Role.AGENT).get("/me")
    assert (answer.status_code, "belongs to no agent" in answer.text) == (404, True)
