"""The service-level desk: every page has content and an empty state, refusals stand on the page."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select
from starlette.testclient import TestClient

from wfm import instants
from wfm.db import transaction
from wfm.sample import catalogue
from wfm.services import clock_book, opening, sample_agreements, ticket_states
from wfm.sla.documents import PARTS, verify
from wfm.tables import (
    Agreement,
    AgreementTarget,
    BusinessCalendar,
    Customer,
    Service,
    Ticket,
    TicketEvent,
)
from wfm.words import EventKind, Role

SignIn = Callable[..., TestClient]
BASE = "/service-levels"


@pytest.fixture
def sample(fresh_engine: sa.Engine) -> sa.Engine:
    """The sample's agreements, and a ticket answered late last month and one that is open."""
    now = instants.now()
    last_month = (now.replace(day=1) - timedelta(days=10)).replace(hour=4, minute=0)
    with transaction(fresh_engine) as session:
        for row in catalogue.services().itertuples():
            session.add(Service(code=row.code, name_en=row.name_en, name_zh=row.name_zh))
        session.add(Customer(code="C1", name="<b>Blue</b>"))
        session.flush()
        sample_agreements.add_calendars(session)
        sample_agreements.add_agreements(session, catalogue.services(), catalogue.targets())
        service = session.exec(select(Service).where(Service.code == "connect")).one()
        ids = []
        for code, opened in (("T-old", last_month), ("T-new", now - timedelta(minutes=30))):
            row = Ticket(code=code, opened_at=opened, service_id=service.id, priority=1,
                         customer_id=1)  # fmt: skip
            session.add(row)
            session.flush()
            ids.append(row.id)
            session.add(TicketEvent(code=code, ticket_id=row.id, at=opened, kind=EventKind.OPENED))
        session.add(TicketEvent(code="a", ticket_id=ids[0], kind=EventKind.RESOLVED,
                                at=last_month + timedelta(hours=9)))  # fmt: skip
        ticket_states.derive(session, ids)
        clock_book.refresh(session, ids, now, "UTC")
    return fresh_engine


def id_of(engine: sa.Engine, code: str) -> int:
    with transaction(engine) as session:
        found = session.exec(
            select(Agreement.id).where(Agreement.code == code).order_by(Agreement.version.desc())  # type: ignore[attr-defined]
        ).first()
    assert found is not None
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_says_what_to_do_when_there_is_nothing(signed_in: SignIn, language: str) -> None:
    client = signed_in(Role.SERVICE_MANAGER, language=language)
    for path in ("", "/report", "/notices"):
        page = client.get(BASE + path)
        assert page.status_code == 200
        assert 'class="empty"' in page.text
    assert client.get(f"{BASE}/agreements/1").status_code == 404
    assert client.get(f"{BASE}/clocks", params={"code": "none"}).status_code == 404


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_with_content(sample: sa.Engine, signed_in: SignIn, language: str) -> None:
    client = signed_in(Role.SERVICE_MANAGER, language=language)
    page = client.get(BASE).text
    assert "SLA-connect" in page
    assert "connect-care" in page  # the near-duplicate
    assert "UC-courier" in page
    detail = client.get(f"{BASE}/agreements/{id_of(sample, 'SLA-connect')}").text
    assert "OLA-network + UC-line" in detail
    assert re.search(r"[0-9a-f]{64}", detail)
    report = client.get(f"{BASE}/report").text
    assert "&lt;b&gt;Blue&lt;/b&gt;" in report
    assert "<b>Blue" not in report
    clocks = client.get(f"{BASE}/clocks", params={"code": "T-new"}).text
    assert "SLA-connect v1" in clocks
    word = {"en": "ticket opened", "zh": "工单已建立"}[language]
    assert word in clocks
    assert client.get(f"{BASE}/notices").status_code == 200


def test_a_report_as_a_spreadsheet_and_an_odd_month(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    answer = client.get(f"{BASE}/report.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        assert len([name for name in book.namelist() if "worksheets/sheet" in name]) == 3
    for month in ("13", "2026-00", "x", "0001-01", "9999-12"):
        assert client.get(f"{BASE}/report", params={"month": month}).status_code == 422


def test_a_draft_is_refused_with_the_path_and_the_words(
    sample: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    key = id_of(sample, "SLA-orders-key")
    page = client.get(f"{BASE}/agreements/{key}").text
    assert "not borne" in page
    assert "“as soon as possible” cannot be measured" in page
    answer = client.post(f"{BASE}/agreements/{key}/submit")
    assert answer.status_code == 409
    assert "cannot be submitted" in answer.text
    assert "Charges: not written yet: the price" in answer.text


def test_a_draft_is_discarded_from_its_page(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.SERVICE_MANAGER, language="zh")
    for code, left in (("SLA-orders-key", 404), ("SLA-connect", 200)):
        path = f"{BASE}/agreements/{id_of(sample, code)}"
        assert ("放弃此草稿" in client.get(path).text) == (left == 404)
        answer = client.post(f"{path}/discard", follow_redirects=False)
        assert answer.status_code == (303 if left == 404 else 409)
        assert client.get(path).status_code == left
    assert "SLA-orders-key" not in client.get(BASE).text


@pytest.mark.parametrize(("language", "hours", "minutes", "refusal"), [
    ("en", "4 h", "15 min", "SLA-orders-key resolution: UC-courier"),
    ("zh", "4 小时", "15 分钟", "SLA-orders-key 解决: UC-courier"),
])  # fmt: skip
def test_times_are_said_and_not_left_to_be_read_as_minutes(
    sample: sa.Engine, signed_in: SignIn, language: str, hours: str, minutes: str, refusal: str
) -> None:
    # the courier promises 14400 s, which "4:00" left open: hours or minutes?
    page = f"{BASE}/agreements/{id_of(sample, 'SLA-orders-key')}"
    client = signed_in(Role.SERVICE_MANAGER, language=language)
    shown = client.get(page).text
    assert f"UC-courier {hours}" in shown
    assert f'<td class="n">{minutes}</td>' in shown
    with transaction(sample) as session:  # with nothing else open the path alone refuses
        row = session.exec(select(Agreement).where(Agreement.code == "SLA-orders-key")).one()
        row.parts = {part.code: {"en": "30 minutes in 95 %"} for part in PARTS}
    assert refusal in client.post(f"{page}/submit").text


def test_a_service_is_changed_from_what_it_is(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    page = client.get(BASE, params={"service": "connect"}).text
    assert 'name="code" required maxlength="120" value="connect"' in page
    assert "Change connect" in page
    assert "Change nothing" not in client.get(BASE, params={"service": "nothing"}).text


def test_from_the_form_to_the_seal(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.SERVICE_MANAGER, Role.AUDITOR)
    answer = client.post(f"{BASE}/agreements", data={"code": "SLA-forms", "kind": "sla",
                                                     "service": "access"})  # fmt: skip
    assert answer.status_code == 303
    page = answer.headers["location"]
    text = {f"part_{part.code}": "30 minutes in 95 % of a month's tickets" for part in PARTS}
    named = {"provider": "Desk", "receiver": "Sales", "language": "en", "supports": ""}
    assert client.post(f"{page}/text", data=text | named).status_code == 303
    row = {"metric": ["resolution", "callback"], "priority": ["", ""], "limit": ["8", ""],
           "unit": ["hour", "hour"], "calendar": ["desk", "desk"], "share": ["95", "90"],
           "source": ["ticket events", ""]}  # fmt: skip
    assert client.post(f"{page}/targets", data=row).status_code == 303
    assert client.post(f"{page}/submit").status_code == 303
    assert client.post(f"{page}/review", data={"verdict": "passes"}).status_code == 303
    today = instants.local_date(instants.now(), "Asia/Shanghai").isoformat()
    signature = {"party": "provider", "name": "Lin", "in_force_from": today}
    assert "data-confirm" not in client.get(page).text  # one signature alone seals nothing
    assert client.post(f"{page}/sign", data=signature).status_code == 303
    assert "nobody can change it any more" in client.get(page).text
    again = client.post(f"{page}/sign", data=signature | {"party": "receiver", "name": " LIN "})
    assert again.status_code == 409  # one person for both
    assert "one person" in again.text
    both = signature | {"party": "receiver", "name": "Zhao"}
    assert client.post(f"{page}/sign", data=both).status_code == 303
    export = client.get(f"{page}/sealed.json")
    assert verify(json.loads(export.content)).ok
    assert "Draft the next version" in client.get(page).text
    answer = client.post(f"{BASE}/agreements", data={"code": "SLA-forms"})
    assert answer.headers["location"] != page
    assert "Draft the next version" not in client.get(page).text  # there is one now
    assert client.post(f"{page}/targets", data=row).status_code == 409


def test_a_page_says_that_its_agreement_is_not_what_was_sealed(
    sample: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    page = f"{BASE}/agreements/{id_of(sample, 'SLA-access')}"
    assert "The seal matches." in client.get(page).text
    with transaction(sample) as session:
        session.execute(sa.text("set local session_replication_role = replica"))
        session.execute(sa.text("update agreement set sealed = '{}' where code = 'SLA-access'"))
    assert "the sealed text was changed" in client.get(page).text
    export = client.get(f"{page}/sealed.json")
    assert export.headers["content-disposition"].endswith('-v1.json"')
    assert "封存的文本已被改动" in json.loads(export.content)["faults"][0]["zh"]


def test_a_refused_signature_leaves_nothing_behind(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.SERVICE_MANAGER, Role.AUDITOR)
    key = id_of(sample, "SLA-protect")
    page = f"{BASE}/agreements/{key}"
    client.post(f"{page}/review", data={"verdict": "passes"})
    client.post(f"{page}/sign", data={"party": "provider", "name": "Lin"})
    late = {"party": "receiver", "name": "Zhao", "in_force_from": "2020-01-01"}
    assert client.post(f"{page}/sign", data=late).status_code == 409
    with transaction(sample) as session:
        assert session.get_one(Agreement, key).signed_by_receiver == ""


def test_a_service_is_added_and_a_near_duplicate_asked_about(
    sample: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    new = {"code": "n", "name_en": "Network services", "name_zh": "网络的服务", "status": "live"}
    answer = client.post(f"{BASE}/services", data=new)
    assert answer.status_code == 409
    assert 'value="Network services"' in answer.text
    assert client.post(f"{BASE}/services", data=new | {"anyway": "1"}).status_code == 303


def test_who_may_not(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.LEAD)
    assert client.get(BASE).status_code == 200
    assert "Draft it" not in client.get(BASE).text
    assert client.post(f"{BASE}/agreements", data={"code": "x"}).status_code == 403
    key = id_of(sample, "SLA-protect")
    answer = client.post(f"{BASE}/agreements/{key}/review", data={"verdict": "passes"})
    assert answer.status_code == 403


def test_a_dispatcher_changes_the_priority_and_the_timeline_says_so(
    sample: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.DISPATCHER)
    where = f"{BASE}/clocks?code=T-new"
    assert "Change the priority" in client.get(where).text
    change = {"code": "T-new", "priority": "4", "note": "not so urgent"}
    assert client.post(f"{BASE}/clocks/priority", data=change).status_code == 303
    assert "already spent still count" in client.get(where).text
    assert client.post(f"{BASE}/clocks/callback", data={"code": "T-old"}).status_code == 303
    assert client.post(f"{BASE}/clocks/callback", data={"code": "T-new"}).status_code == 422
    # what it has already is no change, and the page says so
    said = "Nothing has changed: the ticket has this already."
    assert said not in client.get(where).text
    same = {"code": "T-new", "service": "connect", "agreement": "0"}
    timeline = client.get(where).text.partition("Timeline")[2].count("<li>")
    for what, data in (("priority", change), ("service", same), ("agreement", same)):
        again = client.post(f"{BASE}/clocks/{what}", data=data)
        assert (again.status_code, said in again.text) == (200, True)
    chosen = same | {"agreement": str(id_of(sample, "SLA-access"))}
    assert client.post(f"{BASE}/clocks/agreement", data=chosen).status_code == 303
    assert client.post(f"{BASE}/clocks/agreement", data=chosen).status_code == 200
    assert client.post(f"{BASE}/clocks/agreement", data=same).status_code == 303
    after = client.get(where).text.partition("Timeline")[2]
    assert after.count("agreement changed") == 2
    assert after.count("<li>") > timeline
    wrong = client.post(f"{BASE}/clocks/priority", data=change | {"priority": "12"})
    assert wrong.status_code == 422


def test_only_who_assigns_may_change_it(sample: sa.Engine, signed_in: SignIn) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    assert "Change the priority" not in client.get(f"{BASE}/clocks?code=T-new").text
    change = {"code": "T-new", "priority": "4"}
    assert client.post(f"{BASE}/clocks/priority", data=change).status_code == 403


def test_a_draft_is_checked_while_it_is_written(signed_in: SignIn, sample: sa.Engine) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    path = f"{BASE}/agreements/{id_of(sample, 'SLA-orders-key')}"
    page = client.get(path).text
    assert "“as soon as possible” cannot be measured" in page
    vague = client.post(f"{path}/points/hours", data={"part_hours": "Usually 08:00 to 22:00."})
    assert "“Usually” cannot be measured" in vague.text
    good = client.post(f"{path}/points/hours", data={"part_hours": "每天 08:00–22:00"})
    assert "cannot be measured" not in good.text
    assert 'id="points_hours"' in good.text
    assert client.post(f"{path}/points/nothing", data={}).status_code == 404
    assert client.get(path).text == page  # nothing of it was kept


def test_thresholds_and_what_moves_a_clock_are_choices(
    signed_in: SignIn, sample: sa.Engine
) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    draft = id_of(sample, "SLA-orders-key")
    path = f"{BASE}/agreements/{draft}"
    client.post(f"{path}/text", data={
        "language": "en", "percent": ["80", "", "100"],
        "tell": ["lead", "owner", "service_manager"],
        "raise_to": ["senior", "", ""],
    })  # fmt: skip
    with transaction(sample) as session:
        assert session.get_one(Agreement, draft).thresholds == [
            {"percent": 80, "tell": "lead", "raise_to": "senior"},
            {"percent": 100, "tell": "service_manager", "raise_to": None},
        ]
        target = session.exec(
            select(AgreementTarget).where(
                AgreementTarget.agreement_id == draft, AgreementTarget.metric == "resolution"
            )
        ).one()
    twice = client.post(f"{path}/text", data={
        "language": "en", "percent": ["80", "80"], "tell": ["lead", "lead"], "raise_to": ["", ""],
    })  # fmt: skip
    assert twice.status_code == 422
    clock = f"{path}/targets/{target.id}"
    assert 'name="starts" value="opened"' in client.get(clock).text
    answer = client.post(clock, data={
        "starts": ["escalated"], "ends": ["stop"], "pauses": ["pause"], "resumes": ["resume"],
        "resets": ["reopen"], "repeats": "1",
    })  # fmt: skip
    assert answer.status_code == 303
    assert (
        "starts: it is escalated · stops, with a verdict: it is resolved" in client.get(path).text
    )
    row = {"metric": "resolution", "priority": "", "limit": "5", "unit": "hour", "calendar": "desk",
           "share": "90", "source": "events"}  # fmt: skip
    client.post(f"{path}/targets", data=row)
    with transaction(sample) as session:  # another limit, the same moves
        kept = session.exec(
            select(AgreementTarget).where(AgreementTarget.agreement_id == draft)
        ).one()
        assert (kept.limit_s, kept.conditions["starts"]) == (18000, ["escalated"])
        assert kept.conditions["repeats"] is True
    never = client.post(f"{path}/targets/{kept.id}", data={"ends": ["stop"]})
    assert never.status_code == 422
    sealed = id_of(sample, "UC-line")
    with transaction(sample) as session:
        other = session.exec(
            select(AgreementTarget.id).where(AgreementTarget.agreement_id == sealed)
        ).first()
    assert "disabled" in client.get(f"{BASE}/agreements/{sealed}/targets/{other}").text
    assert client.post(
        f"{BASE}/agreements/{sealed}/targets/{other}", data={"starts": ["opened"], "ends": ["stop"]}
    ).status_code == 409  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_service_and_agreement_of_a_ticket_change_on_its_page(
    signed_in: SignIn, sample: sa.Engine, language: str
) -> None:
    client = signed_in(Role.DISPATCHER, language=language)
    page = f"{BASE}/clocks?code=T-new"
    client.post(f"{BASE}/clocks/service", data={"code": "T-new", "service": "access"})
    assert {"en": "service changed", "zh": "所属服务已变更"}[language] in client.get(page).text
    chosen = id_of(sample, "SLA-orders")
    client.post(f"{BASE}/clocks/agreement", data={"code": "T-new", "agreement": str(chosen)})
    text = client.get(page).text
    assert {"en": "agreement changed", "zh": "适用的服务级别协议已变更"}[language] in text
    assert {"en": "already spent still count", "zh": "继续计入"}[language] in text
    assert f'value="{chosen}" selected' in text
    assert "SLA-orders v1</a>" in text
    client.post(f"{BASE}/clocks/agreement", data={"code": "T-new", "agreement": "0"})
    assert "SLA-access v1</a>" in client.get(page).text
    draft = {"code": "T-new", "agreement": str(id_of(sample, "SLA-orders-key"))}
    assert client.post(f"{BASE}/clocks/agreement", data=draft).status_code == 404


def test_calendars_are_made_and_changed_but_not_in_the_past(
    signed_in: SignIn, sample: sa.Engine
) -> None:
    client = signed_in(Role.SERVICE_MANAGER)
    new = {"code": "night", "name_en": "Nights", "name_zh": "夜间", "timezone": "Asia/Shanghai",
           "mon": "22:00-06:00", "holidays": "01-01 2027-02-06", "breaks": "mon 02:00-02:30",
           "date_overrides": "2027-03-01 20:00-23:00", "makeup_workdays": "2027-02-07"}  # fmt: skip
    assert client.post(f"{BASE}/calendars", data=new).status_code == 303
    with transaction(sample) as session:
        made = session.exec(select(BusinessCalendar).where(BusinessCalendar.code == "night")).one()
        assert made.definition == {
            "mon": [["22:00", "06:00"]], "holidays": ["01-01", "2027-02-06"],
            "breaks": {"mon": [["02:00", "02:30"]]},
            "date_overrides": {"2027-03-01": [["20:00", "23:00"]]},
            "makeup_workdays": {"2027-02-07": "mon"},
        }  # fmt: skip
    page = client.get(f"{BASE}/calendars", params={"code": "night"}).text
    assert 'value="22:00-06:00"' in page
    assert client.post(f"{BASE}/calendars", data=new | {"mon": "late"}).status_code == 422
    # the desk's calendar is one that signed agreements count in
    desk = {"code": "desk", "name_en": "Desk", "name_zh": "服务台", "timezone": "Asia/Shanghai",
            **dict.fromkeys(opening.WEEK, "08:00-22:00")}  # fmt: skip
    refused = client.post(f"{BASE}/calendars", data=desk | {"mon": "09:00-17:00"})
    assert refused.status_code == 422
    assert "history" in refused.text
    tomorrow = (instants.now() + timedelta(days=2)).date()
    answer = client.post(f"{BASE}/calendars", data=desk | {"holidays": str(tomorrow)})
    assert answer.status_code == 303
    text = client.get(f"{BASE}/clocks?code=T-new").text
    assert "service hours changed; time already spent and pauses already taken still count" in text
