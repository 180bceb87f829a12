"""Imports into a real database: what lands, what is refused, and that twice is once."""

import csv
import gzip
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import xlsxwriter
from sqlmodel import Session, col, select

from wfm import access, db, jobs
from wfm.access import SYSTEM, Actor
from wfm.audit import verify
from wfm.errors import AccessDeniedError, InputError, NotFoundError
from wfm.importing.report import ImportReport, neutral
from wfm.services import importing
from wfm.tables import (
    Agent,
    AgentContract,
    AgentGrade,
    AgentSkill,
    AgentTeam,
    AuditEntry,
    CalendarDay,
    Contribution,
    ImportRun,
    Leave,
    Site,
    Skill,
    Survey,
    Team,
    Ticket,
    TicketEvent,
)
from wfm.words import DayType, Role

AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
AGENTS = "agent_id,name\nA1,Ann\nA2,Bo\n"
TICKETS = "ticket_id,opened_at\nT1,2026-02-16T09:00:00\nT2,2026-02-16T10:00:00\n"

Import = Callable[..., ImportReport]


@pytest.fixture
def bring(session: Session, tmp_path: Path) -> Import:
    """Import text as a file of one kind."""

    def bring_in(kind: str, text: str | bytes, name: str = "file.csv", **options: object):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        options = {"at": AT, "timezone": "Asia/Shanghai"} | options
        return importing.run_import(session, SYSTEM, path, kind, **options)

    return bring_in


def numbers(report: ImportReport) -> tuple[int, int, int, int]:
    total = report.total
    assert total.rows == total.added + total.changed + total.unchanged + total.rejected
    return total.added, total.changed, total.unchanged, total.rejected


def refused(report: ImportReport) -> list[tuple[int | None, str | None, str]]:
    return [(fault.row, fault.column, fault.message) for _, fault in report.rejects]


def one(session: Session, table: type, **where: object):
    return session.exec(select(table).filter_by(**where)).one()


# ---- each kind: lands, and twice is once


SECOND_FILES = {
    "agents": "agent_id,name,team,site,hired_on,grade,skills,capacity,phone\n"
              "A1,Ann,T1,SH,2024-01-01,senior,a:3;b,2,123\nA3,,,,,,,,\n",
    "tickets": "ticket_id,opened_at,skill,service,customer,agent_id,resolved_at,resolved\n"
               "T1,2026-02-16T09:00:00,a,s,c,A1,2026-02-16T09:30:00,Y\nT3,2026-02-17,,,,,,\n",
    "ticket-events": "ticket_id,at,kind,agent_id,team,note\n"
                     "T1,2026-02-16T09:00:00,opened,,,\nT1,2026-02-16T09:05:00,assigned,A1,x,y\n",
    "surveys": "survey_id,agent_id,answered_on,score\nS1,A1,2026-02-17,5\nS2,A2,2026-02-17,1\n",
    "reviews": "review_id,agent_id,reviewer,case_id,reviewed_on,form,score\n"
               "R1,A1,Zoe,T1,2026-02-17,f,87.5\nR2,A2,Zoe,,2026-02-17,,90\n",
    "contributions": "agent_id,on,kind,points,note\nA1,2026-02-17,coaching,2,\n"
                     "A1,2026-02-17,师徒结对 idea,1,other\n",
    "serious-events": "agent_id,on,note\nA1,2026-02-17,abuse\nA1,2026-02-17,leak\n",
    "leave": "agent_id,start,end,kind\nA1,2026-02-17,2026-02-18,annual\n"
             "A1,2026-02-19,2026-02-19,\n",
    "calendar": "date,day_type,name,name_zh\n2026-02-17,statutory_holiday,Day 1,初一\n"
                "2026-02-28,make_up_workday,,\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", list(SECOND_FILES))
def test_the_same_file_twice_changes_nothing(bring: Import, kind: str) -> None:
    bring("agents", AGENTS)
    bring("tickets", TICKETS)
    first = bring(kind, SECOND_FILES[kind])
    assert refused(first) == []
    assert first.total.added + first.total.changed == 2
    assert numbers(bring(kind, SECOND_FILES[kind])) == (0, 0, 2, 0)


def test_agents_come_with_facts_from_their_first_day(bring: Import, session: Session) -> None:
    report = bring("agents", SECOND_FILES["agents"])
    assert report.made == {"sites": 1, "teams": 1, "skills": 2}
    ann = one(session, Agent, code="A1")
    assert (ann.name, ann.hired_on, ann.capacity, ann.phone) == (
        "Ann", date(2024, 1, 1), 2, "123",
    )  # fmt: skip
    team = one(session, Team, code="T1")
    assert team.name_zh == "T1"
    assert session.get_one(Site, team.site_id).code == "SH"
    for table in (AgentTeam, AgentGrade, AgentContract):
        fact = one(session, table, agent_id=ann.id)
        assert (fact.valid_from, fact.valid_until) == (date(2024, 1, 1), None)
    held = session.exec(
        select(Skill.code, AgentSkill.proficiency).join(AgentSkill).order_by(Skill.code)
    ).all()
    assert held == [("a", 3), ("b", 3)]
    # of A3 nothing but the id is known: the contract holds from before all records
    other = one(session, Agent, code="A3")
    assert (other.name, other.capacity) == ("A3", 1)
    assert one(session, AgentContract, agent_id=other.id).valid_from == date(1970, 1, 1)


def test_a_new_grade_and_team_hold_from_the_day_of_the_import(
    bring: Import, session: Session
) -> None:
    bring("agents", SECOND_FILES["agents"])
    moved = "agent_id,team,grade,skills\nA1,T2,expert,b:5;c\n"
    # 23:30 UTC on 1 March is already 2 March in Shanghai
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    report = bring("agents", moved, at=late)
    assert numbers(report) == (0, 1, 0, 0)
    ann = one(session, Agent, code="A1")
    assert ann.name == "Ann"  # the file says nothing of it
    day = date(2026, 3, 2)
    for table in (AgentTeam, AgentGrade):
        old, new = session.exec(
            select(table).where(table.agent_id == ann.id).order_by(table.valid_from)
        ).all()
        assert (old.valid_until, new.valid_from, new.valid_until) == (day, day, None)
    skills = session.exec(
        select(Skill.code, AgentSkill.proficiency, AgentSkill.valid_until)
        .join(AgentSkill).order_by(Skill.code, col(AgentSkill.valid_from))
    ).all()  # fmt: skip
    # a whole list: a ends, b rises from 3 to 5, c is new
    assert skills == [("a", 3, day), ("b", 3, day), ("b", 5, None), ("c", 3, None)]
    assert numbers(bring("agents", moved, at=late)) == (0, 0, 1, 0)
    # a second change on the same day corrects the first and leaves no empty fact behind
    bring("agents", "agent_id,grade,skills\nA1,ordinary,b:5\n", at=late)
    assert len(session.exec(select(AgentGrade)).all()) == 2
    assert one(session, AgentGrade, valid_until=None).grade == "ordinary"
    assert not session.exec(select(AgentSkill).join(Skill).where(Skill.code == "c")).all()


def test_a_signed_grade_is_not_overwritten(bring: Import, session: Session) -> None:
    bring("agents", "agent_id,grade\nA1,ordinary\n")
    fact = session.exec(select(AgentGrade)).one()
    session.exec(sa.text("set local session_replication_role = replica"))  # no decision needed
    fact.decision_id = 1
    session.flush()
    report = bring("agents", "agent_id,grade\nA1,expert\n")
    assert numbers(report) == (0, 0, 1, 0)
    assert report.notes == ("1 grades stay as a named person decided them",)
    assert session.exec(select(AgentGrade)).one().grade == "ordinary"


def test_one_team_stays_at_one_site(bring: Import) -> None:
    report = bring("agents", "agent_id,team,site\nA1,T1,SH\nA2,T1,BJ\n")
    assert report.notes == ("team T1 stays at its site; the file also names another",)


def test_an_empty_cell_leaves_what_is_known(bring: Import, session: Session) -> None:
    bring("tickets", "ticket_id,opened_at,category,priority\nT1,2026-02-16,mail,1\n")
    report = bring("tickets", "ticket_id,opened_at,category,priority\nT1,2026-02-16,,2\n")
    assert numbers(report) == (0, 1, 0, 0)
    ticket = one(session, Ticket, code="T1")
    assert (ticket.category, ticket.priority) == ("mail", 2)


def test_times_without_offset_are_local(bring: Import, session: Session) -> None:
    bring("tickets", "ticket_id,opened_at\nT1,2026-02-16T09:00:00\nT2,2026-02-16T09:00:00Z\n")
    assert one(session, Ticket, code="T1").opened_at == datetime(2026, 2, 16, 1, tzinfo=UTC)
    assert one(session, Ticket, code="T2").opened_at == datetime(2026, 2, 16, 9, tzinfo=UTC)


def test_a_reopened_ticket_is_no_longer_resolved(bring: Import, session: Session) -> None:
    head = "ticket_id,opened_at,resolved_at,state\n"
    bring("tickets", head + "T1,2026-02-16,2026-02-17,resolved\n")
    assert numbers(bring("tickets", head + "T1,2026-02-16,,open\n")) == (0, 1, 0, 0)
    assert one(session, Ticket, code="T1").resolved_at is None


def test_events_are_known_by_their_content_and_tell_the_state(
    bring: Import, session: Session
) -> None:
    bring("agents", AGENTS)
    bring("tickets", TICKETS)
    events = "ticket_id,at,kind,agent_id\n" + "".join(
        f"T1,2026-02-16T09:{minute}:00,{kind},{agent}\n"
        for minute, kind, agent in (
            ("01", "assigned", "A2"), ("02", "agent_message", "A2"), ("30", "resolved", "A2"),
        )
    )  # fmt: skip
    bring("ticket-events", events)
    ticket = one(session, Ticket, code="T1")
    assert ticket.owner_id == one(session, Agent, code="A2").id
    assert ticket.first_response_at == datetime(2026, 2, 16, 1, 2, tzinfo=UTC)
    assert ticket.resolved_at == datetime(2026, 2, 16, 1, 30, tzinfo=UTC)
    assert (ticket.state, ticket.resolved, ticket.independent, ticket.reopened) == (
        "resolved", True, True, False,
    )  # fmt: skip
    # the tickets' own file has fewer facts and takes nothing back
    assert numbers(bring("tickets", TICKETS)) == (0, 0, 2, 0)
    assert one(session, Ticket, code="T1").state == "resolved"


STATES = """ticket_id,at,state,agent_id,team,tier
T1,2026-02-16T09:00,open,,g1,ordinary
T1,2026-02-16T09:01,open,A1,g1,ordinary
T1,2026-02-16T09:02,open,A1,g1,ordinary
T1,2026-02-16T09:03,paused,A1,g1,ordinary
T1,2026-02-16T09:04,open,A1,g1,ordinary
T1,2026-02-16T09:05,open,A1,g2,senior
T1,2026-02-16T09:06,open,A2,g2,senior
T1,2026-02-16T09:07,resolved,A2,g2,senior
T1,2026-02-16T09:08,resolved,A2,g2,senior
T1,2026-02-16T09:09,open,A2,g2,senior
T1,2026-02-16T09:10,cancelled,A2,g2,senior
T1,2026-02-16T09:11,closed,A2,g2,senior
"""
KINDS_TOLD = [
    "opened", "assigned", "noted", "paused", "resumed", "escalated", "transferred", "resolved",
    "resolved", "reopened", "cancelled", "closed",
]  # fmt: skip


def kinds_told(session: Session) -> list[str]:
    return list(session.exec(select(TicketEvent.kind).order_by(TicketEvent.at)))


def test_a_log_of_states_tells_events(bring: Import, session: Session) -> None:
    bring("agents", AGENTS)
    bring("tickets", TICKETS)
    # the order in the file does not matter, that of the times does
    head, *rows = STATES.splitlines(keepends=True)
    report = bring("ticket-events", head + "".join(reversed(rows)))
    assert numbers(report) == (12, 0, 0, 0)
    assert kinds_told(session) == KINDS_TOLD
    assert numbers(bring("ticket-events", STATES)) == (0, 0, 12, 0)


def test_a_log_that_comes_in_two_files_goes_on(bring: Import, session: Session) -> None:
    bring("agents", AGENTS)
    bring("tickets", TICKETS)
    head, *rows = STATES.splitlines(keepends=True)
    parts = [head + "".join(rows[:4]), head + "".join(rows[4:])]
    for part in parts:
        bring("ticket-events", part)
    assert kinds_told(session) == KINDS_TOLD
    assert [numbers(bring("ticket-events", part)) for part in parts] == [
        (0, 0, 4, 0), (0, 0, 8, 0),
    ]  # fmt: skip


def test_a_survey_without_an_agent_is_about_the_owner(bring: Import, session: Session) -> None:
    bring("agents", AGENTS)
    bring("tickets", "ticket_id,opened_at,agent_id\nT1,2026-02-16,A2\nT2,2026-02-16,\n")
    report = bring("surveys", "survey_id,ticket_id,answered_on,score\n"
                   "S1,T1,2026-02-17,4\nS2,T2,2026-02-17,4\n")  # fmt: skip
    assert refused(report) == [
        (3, "agent_id", "an agent is required, or a ticket that has an owner")
    ]
    assert one(session, Survey, code="S1").agent_id == one(session, Agent, code="A2").id


def test_an_official_year_replaces_a_provisional_one(bring: Import, session: Session) -> None:
    for day in (date(2027, 1, 1), date(2027, 1, 2), date(2028, 1, 1)):
        session.add(CalendarDay(calendar="cn", day=day, day_type=DayType.REST_DAY,
                                provisional=True))  # fmt: skip
    official = date(2027, 5, 1)
    session.add(CalendarDay(calendar="cn", day=official, day_type=DayType.STATUTORY_HOLIDAY))
    session.flush()
    report = bring("calendar", "date,day_type,name\n2027-01-01,statutory_holiday,New Year\n")
    assert numbers(report) == (0, 1, 0, 0)
    assert report.notes == ("1 provisional days gave way to the official calendar",)
    days = session.exec(select(CalendarDay).order_by(CalendarDay.day)).all()
    assert [(day.day, day.provisional) for day in days] == [
        (date(2027, 1, 1), False), (official, False), (date(2028, 1, 1), True),
    ]  # fmt: skip


# ---- refused rows


def test_duplicate_ids(bring: Import, session: Session) -> None:
    # row 2 is faulty, so row 3 is the first that counts; row 4 repeats it
    report = bring("agents", "agent_id,grade\nA1,boss\nA1,senior\nA1,expert\n")
    assert numbers(report) == (1, 0, 0, 2)
    assert refused(report)[1] == (4, "agent_id", "this id already stands in row 3")
    assert session.exec(select(AgentGrade)).one().grade == "senior"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("tickets", "ticket_id,opened_at,agent_id\nT8,2026-02-16,A9\n",
         (2, "agent_id", "no agent")),
        ("tickets", "ticket_id,opened_at,resolved_at\nT8,2026-02-16,2026-02-15\n",
         (2, "resolved_at", "lies before opened_at")),
        ("ticket-events", "ticket_id,at,kind\nT9,2026-02-16T10:00,noted\n",
         (2, "ticket_id", "no ticket")),
        ("ticket-events", "ticket_id,at,kind,agent_id\nT1,2026-02-16T10:00,noted,A9\n",
         (2, "agent_id", "no agent")),
        ("ticket-events", "ticket_id,at,kind\nT1,2026-02-16T08:59,noted\n",
         (2, "at", "before the ticket was opened, 2026-02-16 01:00 UTC")),
        ("ticket-events", "ticket_id,at,kind,state\nT1,2026-02-16T10:00,,\n",
         (2, "kind", "a value is required")),
        ("ticket-events", "ticket_id,at,kind\n" + "T1,2026-02-16T10:00,noted\n" * 2,
         (3, "event_id", "already stands in row 2")),
        ("surveys", "survey_id,agent_id,ticket_id,answered_on,score\nS1,A1,T9,2026-02-16,3\n",
         (2, "ticket_id", "no ticket")),
        ("reviews", "review_id,agent_id,reviewed_on,score\nR1,A9,2026-02-16,3\n",
         (2, "agent_id", "no agent")),
        ("contributions", "agent_id,on,kind\nA9,2026-02-16,coaching\n",
         (2, "agent_id", "no agent")),
        ("contributions", "agent_id,on,kind\nA1,2026-02-16,coaching\nA1,2026-02-16,coaching\n",
         (3, "agent_id", "already stand in row 2")),
        ("serious-events", "agent_id,on,note\nA1,2026-02-16,\n",
         (2, "note", "a value is required")),
        ("serious-events", "agent_id,on,note\nA9,2026-02-16,abuse\n",
         (2, "agent_id", "no agent")),
        ("leave", "agent_id,start,end\nA1,2026-02-16,2026-02-18\nA1,2026-02-18,2026-02-19\n",
         (3, "start", "overlaps the leave from 2026-02-16 to 2026-02-18 in row 2")),
        ("leave", "agent_id,start,end\nA9,2026-02-16,2026-02-18\n", (2, "agent_id", "no agent")),
        ("leave", "agent_id,start,end\nA1,2026-02-16,2026-02-15\n", (2, "end", "before start")),
        ("calendar", "date,day_type\n2026-02-16,workday\n2026-02-16,rest_day\n",
         (3, "calendar", "already stand in row 2")),
        ("agents", "agent_id,name\nA7\n", (2, None, "1 fields where the header has 2")),
    ],
)  # fmt: skip
def test_faults_are_told_with_row_column_and_reason(
    bring: Import, kind: str, text: str, expected: tuple[int, str | None, str]
) -> None:
    bring("agents", AGENTS)
    bring("tickets", TICKETS)
    report = bring(kind, text)
    assert report.total.rejected == 1
    ((row, column, reason),) = refused(report)
    assert (row, column) == expected[:2]
    assert expected[2] in reason
    for said in (reason, report.reasons[0].reason):
        assert re.search(r"[\u4e00-\u9fff]", importing.reason_in("zh", said)), said
    assert importing.reason_in("en", reason) == reason
    assert report.landed == (report.total.rows > 1)


def test_an_event_on_record_never_changes(bring: Import) -> None:
    bring("tickets", TICKETS)
    head = "event_id,ticket_id,at,kind,note\n"
    bring("ticket-events", head + "E1,T1,2026-02-16T10:00,noted,first\n")
    report = bring("ticket-events", head + "E1,T1,2026-02-16T10:00,noted,second\n")
    assert numbers(report) == (0, 0, 0, 1)
    assert "never changes" in refused(report)[0][2]


def test_a_ticket_cannot_be_opened_after_what_happened_to_it(bring: Import) -> None:
    bring("tickets", TICKETS)
    bring("ticket-events", "ticket_id,at,kind\nT1,2026-02-16T10:00,noted\n")
    report = bring("tickets", "ticket_id,opened_at\nT1,2026-02-16T10:00:01\n")
    assert refused(report)[0][:2] == (2, "opened_at")
    assert numbers(bring("tickets", "ticket_id,opened_at\nT1,2026-02-16T10:00\n")) == (0, 1, 0, 0)


def test_leave_is_judged_against_what_was_taken(bring: Import, session: Session) -> None:
    bring("agents", AGENTS)
    head = "agent_id,start,end\n"
    bring("leave", head + "A1,2026-02-10,2026-02-12\n")
    # row 2 meets the one on record; row 3 meets row 2, which is not taken; row 4 is another person
    report = bring("leave", head + "A1,2026-02-12,2026-02-14\nA1,2026-02-14,2026-02-15\n"
                   "A2,2026-02-10,2026-02-12\n")  # fmt: skip
    assert numbers(report) == (2, 0, 0, 1)
    assert refused(report) == [
        (2, "start", "overlaps the leave from 2026-02-10 to 2026-02-12 on record")
    ]
    # the same first day is the same leave: it may grow as long as it meets no other
    assert numbers(bring("leave", head + "A1,2026-02-10,2026-02-13\n")) == (0, 1, 0, 0)
    assert one(session, Leave, start_on=date(2026, 2, 10),
               agent_id=one(session, Agent, code="A1").id).end_on == date(2026, 2, 13)  # fmt: skip
    assert numbers(bring("leave", head + "A1,2026-02-10,2026-02-14\n")) == (0, 0, 0, 1)


def test_structural_faults_land_nothing_and_keep_no_run(bring: Import, session: Session) -> None:
    for text, expected in (
        ("", "empty"),
        ("agent_id\n", "no rows below the header"),
        ("name\nx\n", "this column is missing"),
        ("agent_id;name\n1;x\n", "semicolon"),
        ("agent_id\n张\n".encode("gb18030"), "not UTF-8"),
    ):
        with pytest.raises(InputError, match=expected):
            bring("agents", text)
    with pytest.raises(InputError, match="kind"):
        bring("ticket-events", "ticket_id,at\nT1,2026-02-16\n")
    with pytest.raises(InputError, match="expected one of"):
        bring("people", "agent_id\n1\n")
    assert session.exec(select(ImportRun)).all() == []


# ---- dry runs, reports, rights


def test_a_dry_run_shows_and_changes_nothing(bring: Import, session: Session) -> None:
    report = bring("agents", SECOND_FILES["agents"] + "A4,,,,,,,0,\n", dry_run=True)
    assert numbers(report) == (2, 0, 0, 1)
    assert report.made == {"sites": 1, "teams": 1, "skills": 2}
    for table in (Agent, Team, Skill, AgentContract, AuditEntry):
        assert session.exec(select(table)).all() == []
    run = session.exec(select(ImportRun)).one()
    assert (run.dry_run, run.added, run.rejected) == (True, 2, 1)


def test_the_report_is_kept_with_its_rejects(bring: Import, session: Session) -> None:
    report = bring("agents", 'agent_id,grade,age\nA1,"=1+1",3\nA2,senior,4\n')
    detail = importing.get_run(session, SYSTEM, report.run_id)
    assert detail.report == report.document()
    assert detail.report["ignored_columns"] == ["age"]
    assert detail.summary.counts == report.total
    assert [run.id for run in importing.list_runs(session, SYSTEM)] == [report.run_id]
    text = importing.rejects_csv(session, SYSTEM, report.run_id).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    # a spreadsheet must not compute what a stranger wrote
    assert row["value"] == "'=1+1"
    assert (row["kind"], row["row"], row["column"]) == ("agents", "2", "grade")
    assert [(r.column, r.count) for r in report.reasons] == [("grade", 1)]
    chinese = importing.rejects_csv(session, SYSTEM, report.run_id, "zh").decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(chinese))
    assert row["value"] == "'=1+1"
    assert row["reason"].startswith("应为以下之一：ordinary")


def test_a_run_without_rejects_has_no_file(bring: Import, session: Session) -> None:
    report = bring("agents", AGENTS)
    for run_id in (report.run_id, 10_000):
        with pytest.raises(NotFoundError):
            importing.rejects_csv(session, SYSTEM, run_id)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_neutralised(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_plain_text_is_left_alone() -> None:
    assert [neutral(text) for text in ("", "a=1", "1-2")] == ["", "a=1", "1-2"]


def test_an_import_is_in_the_audit_chain(bring: Import, session: Session) -> None:
    bring("agents", AGENTS)
    entry = session.exec(select(AuditEntry)).one()
    assert (entry.action, entry.detail["added"]) == ("import", 2)
    assert list(verify(session)) == []


def test_rights(session: Session, tmp_path: Path) -> None:
    agent = Actor("x", roles={Role.AGENT: None})
    path = tmp_path / "agents.csv"
    path.write_text(AGENTS)
    with pytest.raises(AccessDeniedError):
        importing.run_import(session, agent, path, "agents", at=AT, timezone="UTC")
    with pytest.raises(AccessDeniedError):
        importing.ask_import(session, agent, path, "agents", at=AT)
    for read in (
        lambda: importing.list_runs(session, agent),
        lambda: importing.get_run(session, agent, 1),
        lambda: importing.rejects_csv(session, agent, 1),
    ):
        with pytest.raises(AccessDeniedError):
            read()
    planner = replace(agent, roles={Role.PLANNER: None})
    assert importing.run_import(session, planner, path, "agents", at=AT, timezone="UTC").landed


def test_forms_explain_every_column_in_both_languages() -> None:
    for form in importing.kinds():
        assert form.en
        assert form.zh
        assert all(field.en and field.zh for field in form.fields)
    assert {adapter.name for adapter in importing.adapters()} == {
        "call-log", "satisfaction-export", "servicenow-incident-log", "support-line-log",
    }  # fmt: skip


# ---- other containers, bigger files


def test_xlsx_and_gzip_say_the_same_as_csv(bring: Import, tmp_path: Path) -> None:
    rows = [["agent_id", "hired_on", "capacity"], ["A1", date(2024, 1, 1), 2]]
    with xlsxwriter.Workbook(str(tmp_path / "made.xlsx")) as book:
        sheet = book.add_worksheet()
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, rows[0])
        sheet.write(1, 0, "A1")
        sheet.write_datetime(1, 1, datetime(2024, 1, 1), days)
        sheet.write(1, 2, 2)
    workbook = (tmp_path / "made.xlsx").read_bytes()
    assert numbers(bring("agents", workbook, "agents.xlsx")) == (1, 0, 0, 0)
    text = "\n".join(",".join(map(str, row)) for row in rows)
    assert numbers(bring("agents", gzip.compress(text.encode(), mtime=0), "a.csv.gz")) == (
        0,
        0,
        1,
        0,
    )


def test_a_file_of_several_chunks(
    bring: Import, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wfm.importing import read_in, tabular

    def small(*arguments: object):
        return tabular.read_chunks(*arguments, rows=100)

    monkeypatch.setattr(read_in, "read_chunks", small)
    text = "agent_id,capacity\n" + "".join(f"A{n % 950},1\n" for n in range(1000))
    shares: list[float] = []
    report = bring("agents", text, tell=lambda share, message: shares.append(share))
    # the ids of the last fifty rows stand in the first fifty, nine chunks before
    assert numbers(report) == (950, 0, 0, 50)
    assert refused(report)[0] == (952, "agent_id", "this id already stands in row 2")
    assert shares == sorted(shares)
    assert len(shares) > 10


def test_more_rejects_than_are_shown(bring: Import, session: Session) -> None:
    text = "agent_id,capacity\n" + "".join(f"A{n},0\n" for n in range(1500))
    report = bring("agents", text)
    assert not report.landed
    assert len(report.rejects) == 1000
    lines = importing.rejects_csv(session, SYSTEM, report.run_id).decode().splitlines()
    assert len(lines) == 1501
    assert [(r.count, r.example_row) for r in report.reasons] == [(1500, 2)]


# ---- all or none


def test_what_stops_half_way_lands_nothing(fresh_engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "agents.csv"
    path.write_text(AGENTS)

    def stop(share: float, message: str) -> None:
        if share > 0.9:
            raise jobs.CancelledError("cancelled on request")

    with pytest.raises(jobs.CancelledError), db.transaction(fresh_engine) as session:
        importing.run_import(session, SYSTEM, path, "agents", at=AT, timezone="UTC", tell=stop)
    with db.transaction(fresh_engine) as session:
        assert session.exec(select(Agent)).all() == []


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import sqlalchemy as sa
from wfm import access, db
from wfm.services.importing import run_import

def tell(share, message):
    if message == "keeping the report":  # everything is written, nothing is committed
        os.kill(os.getpid(), signal.SIGKILL)

with db.transaction(sa.create_engine(sys.argv[1])) as session:
    run_import(session, access.SYSTEM, Path(sys.argv[2]), "agents",
               at=datetime(2026, 1, 1, tzinfo=UTC), timezone="UTC", tell=tell)
"""


def test_a_killed_import_lands_nothing(
    fresh_engine: sa.Engine, fresh_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "agents.csv"
    path.write_text(AGENTS)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, fresh_url, str(path)], capture_output=True, check=False,
        env=os.environ, timeout=120,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, run.stderr.decode()
    with db.transaction(fresh_engine) as session:
        assert session.exec(select(Agent)).all() == []
        report = importing.run_import(session, SYSTEM, path, "agents", at=AT, timezone="UTC")
        assert numbers(report) == (2, 0, 0, 0)


def test_as_a_job(fresh_engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "upload-1.csv"
    path.write_text(AGENTS)
    planner = Actor("pia", roles={Role.PLANNER: None})
    with db.transaction(fresh_engine) as session:
        job = importing.ask_import(session, planner, path, "agents", at=AT, file_name="agents.csv")
        with pytest.raises(InputError):
            importing.ask_import(session, planner, path, "agents", at=AT, mapping="nonsense")
    jobs.run(fresh_engine, job.id, {"import": importing.run_job})
    with db.transaction(fresh_engine) as session:
        done = session.get_one(type(job), job.id)
        assert (done.status, done.error) == ("done", "")
        assert done.result["added"] == 2
        run = session.exec(select(ImportRun)).one()
        assert (run.made_by, run.file_name) == ("pia", "agents.csv")


def test_contributions_differ_by_note_and_points_may_change(
    bring: Import, session: Session
) -> None:
    bring("agents", AGENTS)
    head = "agent_id,on,kind,points,note\n"
    bring("contributions", head + "A1,2026-02-16,coaching,1,x\n")
    assert numbers(bring("contributions", head + "A1,2026-02-16,coaching,2,x\n")) == (0, 1, 0, 0)
    assert one(session, Contribution, note="x").points == 2


def test_today_is_the_desks_own(bring: Import, session: Session) -> None:
    """An agent hired tomorrow has facts from tomorrow; a correction does not split them."""
    tomorrow = (AT + timedelta(days=1)).date()
    bring("agents", f"agent_id,hired_on,grade\nA1,{tomorrow},ordinary\n")
    bring("agents", f"agent_id,hired_on,grade\nA1,{tomorrow},senior\n")
    fact = session.exec(select(AgentGrade)).one()
    assert (fact.grade, fact.valid_from) == ("senior", tomorrow)


def test_the_job_runs_with_the_rights_it_was_asked_with() -> None:
    assert access.RIGHTS["imports.run"] == {Role.PLANNER, Role.ADMINISTRATOR}
