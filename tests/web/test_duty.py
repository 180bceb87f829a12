"""The pages of holiday duty: table, wishes, swaps, posts, handover, costs; in both languages."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from wfm import instants, tables
from wfm.db import transaction
from wfm.words import EventKind, Role

SignIn = Callable[..., TestClient]
WorkOff = Callable[[sa.Engine], None]
PERIOD = {"from": "2026-10-01", "until": "2026-10-07"}
QUERY = "from=2026-10-01&until=2026-10-07"
HTMX = {"HX-Request": "true"}


@dataclass
class Stored:
    engine: sa.Engine
    week: Any

    def leads(self) -> dict[date, int]:
        with Session(self.engine) as session:
            rows = session.exec(
                select(tables.PostHolding).where(
                    tables.PostHolding.post_id == self.week.posts["lead"]
                )
            )
            return {row.day: row.agent_id for row in rows}

    @property
    def table_id(self) -> int:
        with Session(self.engine) as session:
            return session.exec(select(tables.DutyTable.id)).one() or 0


@pytest.fixture
def stored(
    fresh_engine: sa.Engine,
    roster_week: Callable[[Session], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Stored:
    """The desk of `RosterWeek` ten days before National Day."""
    with transaction(fresh_engine) as session:
        week = roster_week(session)
    ahead = (week.local(date(2026, 9, 21), 9) - instants.now()).total_seconds()
    monkeypatch.setenv(instants.OFFSET_VARIABLE, str(ahead))
    return Stored(fresh_engine, week)


def propose(client: TestClient, stored: Stored, work_off: WorkOff) -> None:
    """Ask for the table on the page and let a worker search for it."""
    assert client.post("/duty/propose", data=PERIOD).status_code == 303
    work_off(stored.engine)


def words_of(text: str) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", text)


def test_the_page_chooses_the_next_holiday(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get("/duty").text
    assert "Mid-Autumn Festival" in text
    assert f'href="/duty?{QUERY.replace("&", "&amp;")}"' in text
    assert "National Day" in client.get("/duty", params=PERIOD).text
    assert "国庆节" in client.get("/duty", params=PERIOD | {"lang": "zh"}).text
    text = client.get("/duty", params={"from": "2027-10-01", "until": "2027-10-05"}).text
    assert "official calendar of these days is not published yet" in text
    text = client.get("/duty", params={"from": "2026-11-02", "until": "2026-11-03"}).text
    assert "Enter an event with dates" in text


def test_a_year_without_a_calendar_is_an_error_that_says_what_to_do(
    stored: Stored, signed_in: SignIn
) -> None:
    answer = signed_in(Role.PLANNER).get(
        "/duty", params={"from": "2030-01-01", "until": "2030-01-02"}
    )
    assert answer.status_code == 404
    assert "wfm import calendar" in answer.text


def test_a_table_is_proposed_published_with_a_reason_and_then_only_swapped(
    stored: Stored, signed_in: SignIn, work_off: WorkOff
) -> None:
    client = signed_in(Role.PLANNER)
    propose(client, stored, work_off)
    text = client.get("/duty", params=PERIOD).text
    for word in ("proposal", "Contact card", "Call tree", "Checked before the holiday",
                 "Sign and publish", "burden 6"):  # fmt: skip
        assert word in text
    act = PERIOD | {"table_id": str(stored.table_id)}
    answer = client.post("/duty/publish", data=act)
    assert answer.status_code == 422
    assert "places are empty" in answer.text
    assert "个岗位空缺" in client.post("/duty/publish?lang=zh", data=act).text
    answer = client.post("/duty/publish", data=act | {"text": "few people"})
    assert answer.headers["location"] == f"/duty?{QUERY}"
    text = client.get("/duty", params=PERIOD).text
    assert "10 days ahead" in text
    assert "Propose anew" not in text
    assert client.post("/duty/propose", data=PERIOD).status_code == 409


def test_the_check_list_is_signed_on_the_page(
    stored: Stored, signed_in: SignIn, work_off: WorkOff
) -> None:
    client = signed_in(Role.PLANNER)
    propose(client, stored, work_off)
    act = PERIOD | {"table_id": str(stored.table_id), "item": "equipment", "text": "all tried"}
    assert client.post("/duty/check", data=act).status_code == 303
    text = words_of(client.get("/duty", params=PERIOD).text)
    assert "1 / 8" in text
    assert "all tried" in text


def test_a_place_is_swapped_in_a_dialog_and_the_swap_undone(
    stored: Stored, signed_in: SignIn, work_off: WorkOff
) -> None:
    client = signed_in(Role.PLANNER)
    propose(client, stored, work_off)
    day, holder = next(iter(stored.leads().items()))
    place = {"day": str(day), "post": str(stored.week.posts["lead"]), "agent": str(holder)} | PERIOD
    text = client.get("/duty/place", params=place, headers=HTMX).text
    assert "<html" not in text
    assert "Whom the rules allow" in text
    to = re.search(r'name="to" value="([^"]+)"', text)
    assert to
    answer = client.post("/duty/change", data=place | {"to": to[1], "reason": "family"},
                         headers=HTMX)  # fmt: skip
    assert answer.headers["hx-redirect"] == f"/duty?{QUERY}"
    assert stored.leads()[day] != holder
    text = client.get("/duty", params=PERIOD).text
    assert "Changes by hand" in text
    assert "family" in text
    with Session(stored.engine) as session:
        swap = session.exec(select(tables.DutySwap.id)).one()
    client.post("/duty/undo", data=PERIOD | {"swap": str(swap)})
    assert stored.leads()[day] == holder
    locked = client.post("/duty/lock", data=place | {"locked": "true"})
    assert locked.status_code == 303
    assert "🔒" in client.get("/duty", params=PERIOD).text
    emptied = client.post("/duty/change", data=place | {"to": ""})
    assert emptied.status_code == 303
    assert day not in stored.leads()
    text = client.get("/duty/place", params={k: v for k, v in place.items() if k != "agent"}).text
    assert "Nobody holds this place" in text
    refused = client.post("/duty/change", data=place | {"to": "1@2026-99-01@1"})
    assert refused.status_code == 422


def test_wishes_are_entered_on_a_page(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get("/duty/wishes").text
    assert "National Day" in text
    agent = str(stored.week.agents["B"])
    data = {"agent": agent, "day": "2026-10-01", "wish": "off-3", "note": "wedding"}
    answer = client.post("/duty/wishes", data=data, headers=HTMX)
    assert answer.status_code == 200
    assert '<div id="wishes">' in answer.text
    assert 'value="off-3" selected' in answer.text
    assert 'value="wedding"' in answer.text
    plain = client.post("/duty/wishes", data=data | {"wish": ""})
    assert plain.headers["location"] == f"/duty/wishes?agent={agent}"
    assert "selected" not in client.get(f"/duty/wishes?agent={agent}").text.split("<tbody>")[1]
    assert client.post("/duty/wishes", data=data | {"wish": "on-9"}).status_code == 422


def test_an_account_without_an_agent_is_told_so(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    assert "belongs to no agent" in client.get("/duty/wishes").text
    data = {"agent": str(stored.week.agents["B"]), "day": "2026-10-01", "wish": "on-1"}
    assert client.post("/duty/wishes", data=data).status_code == 403


def test_posts_events_and_contacts_are_entered(
    stored: Stored, signed_in: SignIn, work_off: WorkOff
) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get("/duty/posts").text
    assert "Duty leader" in text
    post = {"name_en": "Network staff", "name_zh": "网络值守", "role": "staff", "people": "2",
            "mode": "on_site", "kind": "ordinary", "starts": "08:00", "ends": "16:00",
            "site_id": "", "skill_id": str(stored.week.skills["net"]), "reach_minutes": "",
            "min_grade": "ordinary", "stays_in_town": "true"}  # fmt: skip
    assert client.post("/duty/posts", data=post).status_code == 303
    text = client.get("/duty", params=PERIOD).text
    assert "Network staff · Network" in words_of(text)
    assert "stays in town" in text
    assert client.post("/duty/posts", data=post | {"name_en": "", "name_zh": ""}).status_code == 422
    event = {"name_zh": "双十一", "from": "2026-11-11", "until": "2026-11-11", "burden": "5"}
    answer = client.post("/duty/events", data=event)
    assert answer.headers["location"] == "/duty?from=2026-11-11&until=2026-11-11"
    text = client.get(answer.headers["location"]).text
    assert "双十一" in text
    assert "burden 5" in text
    assert "双十一" in client.get("/duty/posts").text
    contact = {"name_en": "Power", "phone": "95598", "note": "day and night"}
    client.post("/duty/contacts", data=contact)
    propose(client, stored, work_off)
    assert "95598" in client.get("/duty", params=PERIOD).text
    assert client.post("/duty/contacts/1/remove").status_code == 303
    assert client.post("/duty/events/1/remove").status_code == 303
    assert client.post(f"/duty/posts/{stored.week.posts['lead']}/give-up").status_code == 303
    people = PERIOD | {"day": "2026-10-01", "post": str(stored.week.posts["leader"]), "people": "2"}
    assert client.post("/duty/people", data=people).status_code == 303
    with Session(stored.engine) as session:
        assert session.exec(select(tables.PostNeed.people)).one() == 2


def test_a_handover_is_signed_by_both_on_the_page(
    stored: Stored, signed_in: SignIn, work_off: WorkOff
) -> None:
    client = signed_in(Role.PLANNER)
    assert "propose a duty table first" in client.get("/duty/handover", params=PERIOD).text
    propose(client, stored, work_off)
    assert "to come" in client.get("/duty/handover", params=PERIOD).text
    leads = stored.leads()
    day = next(
        d for d in leads if leads.get(date(d.year, d.month, d.day + 1), leads[d]) != leads[d]
    )
    slot = PERIOD | {"post": str(stored.week.posts["lead"]), "day": str(day),
                     "agent": str(leads[day]), "note": "<b>router</b> 3 hot"}  # fmt: skip
    assert client.post("/duty/handover/give", data=slot).status_code == 303
    text = client.get("/duty/handover", params=PERIOD).text
    assert "&lt;b&gt;router&lt;/b&gt; 3 hot" in text
    assert "not yet taken over" in text
    taken = PERIOD | {"handover": "1", "agent": str(leads[date(2026, 10, day.day + 1)])}
    assert client.post("/duty/handover/take", data=taken).status_code == 303
    assert "not yet taken over" not in client.get("/duty/handover", params=PERIOD).text
    assert client.post("/duty/handover/take", data=PERIOD | {"handover": "1"}).status_code == 422


def test_costs_and_watches_are_shown_and_decided(
    stored: Stored, signed_in: SignIn, work_off: WorkOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(Role.PLANNER)
    assert "nothing to pay" in client.get("/duty/costs", params=PERIOD).text
    with transaction(stored.engine) as session:
        session.get_one(tables.Post, stored.week.posts["leader"]).kind = "watch"
    propose(client, stored, work_off)
    text = client.get("/duty/costs", params=PERIOD).text
    assert "statutory holiday" in text
    assert "no work in watches" in text
    act = PERIOD | {"table_id": str(stored.table_id), "wage": "8700"}
    assert client.post("/duty/wage", data=act).status_code == 303
    # a lead without a shift holds the post all day: 24 h × 50 × 300 % = 3,600
    assert "3,600.00" in client.get("/duty/costs", params=PERIOD).text
    with transaction(stored.engine) as session:
        held = session.exec(
            select(tables.PostHolding).where(
                tables.PostHolding.post_id == stored.week.posts["leader"]
            )
        ).first()
        assert held
        at = stored.week.local(held.day, 10)
        ticket = tables.Ticket(code="T-77", opened_at=at)
        session.add(ticket)
        session.flush()
        session.add(
            tables.TicketEvent(code="E-1", ticket_id=ticket.id, at=at, kind=EventKind.RESOLVED,
                               agent_id=held.agent_id)
        )  # fmt: skip
    assert "T-77" not in client.get("/duty/costs", params=PERIOD).text  # it is not over
    later = float(os.environ[instants.OFFSET_VARIABLE]) + 20 * 86_400
    monkeypatch.setenv(instants.OFFSET_VARIABLE, str(later))
    client.post("/sign-in", data={"name": "somebody", "password": "Right-answer-42"})
    text = client.get("/duty/costs", params=PERIOD).text
    assert "T-77" in text
    key = re.search(r'name="key" value="([^"]+)"', text)
    assert key
    data = PERIOD | {"key": key[1], "accepted": "true", "reason": "called out"}
    assert client.post("/duty/watch", data=data).status_code == 303
    assert "called out" in client.get("/duty/costs", params=PERIOD).text
    assert client.post("/duty/watch", data=data).status_code == 409


def test_files_for_other_programs(stored: Stored, signed_in: SignIn, work_off: WorkOff) -> None:
    client = signed_in(Role.PLANNER)
    propose(client, stored, work_off)
    answer = client.get("/duty/table.ics", params=PERIOD)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")
    assert answer.text.count("BEGIN:VEVENT") == len(stored.leads()) + 2
    assert client.get("/duty/table.ics", params=PERIOD | {"mine": "true"}).text.count("VEVENT") == 0
    book = openpyxl.load_workbook(io.BytesIO(client.get("/duty/table.xlsx", params=PERIOD).content))
    costs = [[cell.value for cell in row] for row in book["Costs"].iter_rows(min_row=2)]
    assert costs[0][:3] == ["2026-10-01", "statutory holiday", 300]


READ = ("", "/wishes", "/handover", "/costs", "/table.xlsx", "/table.ics")
WRITE = {
    "/propose": {}, "/publish": {"table_id": "1"}, "/close": {"table_id": "1"},
    "/check": {"table_id": "1", "item": "equipment"}, "/wage": {"table_id": "1"},
    "/change": {"day": "2026-10-01", "post": "1"}, "/undo": {"swap": "1"},
    "/lock": {"day": "2026-10-01", "post": "1", "agent": "1", "locked": "true"},
    "/people": {"day": "2026-10-01", "post": "1", "people": "1"},
    "/wishes": {"agent": "1", "day": "2026-10-01", "wish": "on-1"},
    "/posts": {"name_en": "x", "role": "lead"}, "/posts/1/give-up": {},
    "/events": {"name_en": "x"}, "/events/1/remove": {},
    "/contacts": {"name_en": "x", "phone": "1"}, "/contacts/1/remove": {},
    "/handover/give": {"post": "1", "agent": "1", "day": "2026-10-01", "note": "x"},
    "/handover/take": {"handover": "1", "agent": "1"},
    "/watch": {"key": "1@x", "accepted": "true"},
}  # fmt: skip


def test_who_may_only_look_changes_nothing(
    stored: Stored, signed_in: SignIn, work_off: WorkOff
) -> None:
    client = signed_in(Role.PLANNER)
    propose(client, stored, work_off)
    client.post("/sign-out")
    client = signed_in(Role.AUDITOR, name="auditor")
    client.headers["x-csrf-token"] = client.cookies["tierdesk_csrf"]
    for path in READ:
        assert client.get(f"/duty{path}", params=PERIOD).status_code == 200, path
    for path, data in WRITE.items():
        assert client.post(f"/duty{path}", data=PERIOD | data).status_code == 403, path
    text = client.get("/duty", params=PERIOD).text
    assert 'href="tel:' not in text
    assert "Telephone numbers are shown to" in text
    assert client.get("/duty/posts").status_code == 403


def test_a_role_without_the_right_sees_nothing(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.REVIEWER)
    for path in READ:
        assert client.get(f"/duty{path}", params=PERIOD).status_code == 403, path


def test_pages_speak_chinese(stored: Stored, signed_in: SignIn, work_off: WorkOff) -> None:
    client = signed_in(Role.PLANNER, language="zh")
    propose(client, stored, work_off)
    for path, word in (("", "呼叫顺序"), ("/wishes", "节假日值班意愿"), ("/handover", "交接班"),
                       ("/costs", "工资类别"), ("/posts", "有日期的重要活动")):  # fmt: skip
        text = client.get(f"/duty{path}", params=PERIOD).text
        assert word in text, path
