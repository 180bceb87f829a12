"""The panel of a ticket in work, the acts it offers, and the wallboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from wfm import instants, jobs
from wfm.db import transaction
from wfm.tables import Agent, Assignment, Skill, Ticket, TicketHandover
from wfm.words import Grade, Role, TicketState
from wfm.worker import Works

SignIn = Callable[..., TestClient]


@pytest.fixture
def desk(fresh_engine: sa.Engine, open_desk: Callable[..., None]) -> sa.Engine:
    """T1 is A's, T2 waits; B is a senior."""
    at = instants.now()
    with transaction(fresh_engine) as session:
        open_desk(session, at, A=("ordinary", {"net": 3}, 2), B=("senior", {"net": 3}, 2))
        net = session.exec(select(Skill).where(Skill.code == "net")).one()
        for code in ("T1", "T2"):
            session.add(
                Ticket(code=code, opened_at=at - timedelta(minutes=5), skill_id=net.id,
                       respond_within_s=3600, title=f"about {code}")
            )  # fmt: skip
    return fresh_engine


@pytest.fixture
def dana(desk: sa.Engine, signed_in: SignIn) -> TestClient:
    dana = signed_in(Role.DISPATCHER)
    dana.post("/dispatch/assign", data={"ticket": "T1", "agent": "A", "note": "x"})
    return dana


def stored(engine: sa.Engine, code: str = "T1") -> tuple[str, str | None, str]:
    with Session(engine) as session:
        ticket = session.exec(select(Ticket).where(Ticket.code == code)).one()
        owner = session.get(Agent, ticket.owner_id) if ticket.owner_id else None
        return ticket.state, owner.code if owner else None, ticket.min_grade


def act(dana: TestClient, **form: str):
    return dana.post("/dispatch/act", data={"ticket": "T1"} | form, follow_redirects=False)


def test_the_panel_offers_what_can_be_done(dana: TestClient) -> None:
    shown = dana.get("/dispatch/work?code=T1").text
    for words in ("Put back into the queue", "Give to another", "Hand over", "Escalate", "Pause",
                  "Merge into another", "By rule it goes back to the queue."):  # fmt: skip
        assert words in shown
    waiting = dana.get("/dispatch/work?code=T2").text
    assert "Put back into the queue" not in waiting
    assert "Escalate" in waiting
    assert dana.get("/dispatch/work?code=nothing").status_code == 404


@pytest.mark.parametrize("path", ["/dispatch/work?code=T1", "/dispatch/ticket?code=T2"])
def test_a_panel_opened_as_a_page_has_the_place_its_answers_go_to(
    dana: TestClient, path: str
) -> None:
    # an agent comes here from her own desk: without the place an act is sent and nothing happens
    page = dana.get(path).text
    targets = set(re.findall(r'hx-target="#([\w-]+)"', page))
    assert targets == {"panel"}
    for target in targets:
        assert page.count(f'id="{target}"') == 1
    fragment = dana.get(path, headers={"HX-Request": "true"}).text
    assert 'id="panel"' not in fragment  # it is put into the dialog that has the name


def test_each_act_does_what_it_says(dana: TestClient, desk: sa.Engine) -> None:
    assert act(dana, what="pause", reason="customer").status_code in (200, 303)
    assert stored(desk)[0] == TicketState.PAUSED
    assert "paused" in dana.get("/dispatch").text
    act(dana, what="resume")
    assert stored(desk) == (TicketState.OPEN, "A", Grade.ORDINARY)
    act(dana, what="reassign", agent="B", note="B knows it")
    assert stored(desk)[1] == "B"
    act(dana, what="put_back", note="wrong person")
    assert stored(desk)[1] is None
    act(dana, what="escalate", tier="senior", note="hard")
    assert stored(desk)[2] == Grade.SENIOR
    act(dana, what="merge", into="T2")
    assert stored(desk)[0] == TicketState.CANCELLED


def test_a_refusal_is_shown_in_the_panel_and_leaves_nothing_behind(
    dana: TestClient, desk: sa.Engine
) -> None:
    refused = act(dana, what="put_back", note="")
    assert refused.status_code == 409
    assert "write down why" in refused.text
    dana.post("/language", data={"language": "zh", "back": "/dispatch"})
    assert "请写明原因" in act(dana, what="put_back", note="").text
    # taking it back would work, giving it to somebody unknown does not: neither happens
    assert act(dana, what="reassign", agent="nobody", note="x").status_code == 404
    assert stored(desk)[1] == "A"


def test_a_handover_is_written_and_signed(dana: TestClient, desk: sa.Engine) -> None:
    act(dana, what="hand_over", agent="B", note="waits for a part <soon>")
    shown = dana.get("/dispatch/work?code=T1").text
    assert "waits for a part &lt;soon&gt;" in shown
    assert "Sign for it" in shown
    with Session(desk) as session:
        number = session.exec(select(TicketHandover.id)).one()
    dana.post(f"/dispatch/handovers/{number}/sign")
    assert "Sign for it" not in dana.get("/dispatch/work?code=T1").text


def test_what_those_left_who_went_can_be_settled(dana: TestClient, desk: sa.Engine) -> None:
    assert "Apply the rule" not in dana.get("/dispatch").text
    with transaction(desk) as session:
        agent = session.exec(select(Agent).where(Agent.code == "A")).one()
        duty = session.exec(select(Assignment).where(Assignment.agent_id == agent.id)).one()
        duty.ends_at = instants.now() - timedelta(minutes=1)
    assert "1 open tickets are left" in dana.get("/dispatch").text
    dana.post("/dispatch/settle")
    assert stored(desk)[1] is None


def test_the_wallboard_shows_the_figures_and_the_next_tickets(dana: TestClient) -> None:
    shown = dana.get("/dispatch/wall").text
    assert "T2" in shown
    assert 'data-alarm="0"' in shown
    assert "/static/alarm.js" in shown


def test_who_may_not_dispatch_sees_no_acts_and_may_not_act(
    desk: sa.Engine, signed_in: SignIn
) -> None:
    lead = signed_in(Role.LEAD)
    assert "Escalate" not in lead.get("/dispatch/work?code=T2").text
    assert act(lead, what="escalate", tier="expert", note="x").status_code == 403
    assert lead.post("/dispatch/settle").status_code == 403


def test_what_if_is_asked_and_answered_side_by_side(desk: sa.Engine, signed_in: SignIn) -> None:
    today = instants.now().date()
    with transaction(desk) as session:
        for ticket in session.exec(select(Ticket)):
            ticket.handle_s = 60
    planner = signed_in(Role.PLANNER)
    assert "Choose days and a change" in planner.get("/what-if").text
    form = {"first": str(today - timedelta(days=1)), "last": str(today + timedelta(days=1)),
            "policy": "fifo", "grade": "senior"}  # fmt: skip
    asked = planner.post("/what-if", data=form, follow_redirects=False)
    number = int(asked.headers["location"].rsplit("/", 1)[1])
    jobs.run(desk, number, Works())
    shown = planner.get(f"/what-if?job={number}").text
    for words in ("Promises kept", "With the change", "one more"):
        assert words in shown


def test_what_if_is_for_planners(desk: sa.Engine, signed_in: SignIn) -> None:
    assert signed_in(Role.AUDITOR).get("/what-if").status_code == 403


def test_all_that_waits_is_handed_out_as_proposed(dana: TestClient, desk: sa.Engine) -> None:
    assert "Hand out as proposed" in dana.get("/dispatch").text
    dana.post("/dispatch/hand-out")
    assert stored(desk, "T2")[1] == "A"  # the lowest grade, and room for one more
