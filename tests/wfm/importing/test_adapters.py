# ruff: noqa: E501 (rows of a file are not wrapped)
"""Each shipped adapter on a few hand-written rows in the form of its file, and on the real ones."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select

from wfm.access import SYSTEM
from wfm.importing.report import ImportReport
from wfm.services.importing import run_import
from wfm.tables import (
    Agent,
    AgentGrade,
    AgentSkill,
    AgentTeam,
    Skill,
    Survey,
    Team,
    Ticket,
    TicketEvent,
)

Bring = Callable[[str, str], ImportReport]


@pytest.fixture
def bring(session: Session, tmp_path: Path) -> Bring:
    def bring_in(adapter: str, text: str) -> ImportReport:
        path = tmp_path / "export.csv"
        path.write_text(text, encoding="utf-8")
        kind = {"call-log": "tickets", "satisfaction-export": "surveys"}.get(
            adapter, "ticket-events"
        )
        return run_import(
            session, SYSTEM, path, kind, at=datetime(2026, 3, 2, tzinfo=UTC),
            timezone="Asia/Shanghai", mapping=adapter,
        )  # fmt: skip

    return bring_in


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def skills_of(session: Session, code: str) -> set[str]:
    query = select(Skill.code).join(AgentSkill).join(Agent).where(Agent.code == code)
    return set(session.exec(query))


def team_of(session: Session, code: str) -> str | None:
    query = select(Team.code).join(AgentTeam).join(Agent).where(Agent.code == code)
    return session.exec(query).first()


def one(session: Session, table: type, code: str):
    return session.exec(select(table).where(table.code == code)).one()


INCIDENTS = """\
number,incident_state,reassignment_count,reopen_count,sys_mod_count,opened_at,sys_updated_at,\
contact_type,category,priority,assignment_group,assigned_to,resolved_at,closed_at,active
0000001,New,0,0,0,1/3/2016 08:00,1/3/2016 08:05,Phone,12,3,70,?,1/3/2016 11:00,6/3/2016 12:00,true
0000001,Active,0,0,1,1/3/2016 08:00,1/3/2016 08:30,Phone,12,3,70,17,1/3/2016 11:00,6/3/2016 12:00,true
0000001,Awaiting User Info,0,0,2,1/3/2016 08:00,1/3/2016 09:00,Phone,12,2,70,17,1/3/2016 11:00,6/3/2016 12:00,true
0000001,Resolved,0,0,3,1/3/2016 08:00,1/3/2016 11:00,Phone,12,2,70,17,1/3/2016 11:00,6/3/2016 12:00,true
0000001,Closed,0,0,4,1/3/2016 08:00,6/3/2016 12:00,Phone,12,2,70,17,1/3/2016 11:00,6/3/2016 12:00,false
0000002,New,0,0,0,1/3/2016 09:00,1/3/2016 09:10,Email,5,4,70,17,?,?,true
0000002,New,1,1,1,1/3/2016 09:00,1/3/2016 09:20,Email,5,4,24,31,?,?,true
0000003,New,0,0,0,1/13/2016 09:00,1/3/2016 09:10,Email,5,4,70,17,?,?,true
"""


def test_incident_log(bring: Bring, session: Session) -> None:
    report = bring("servicenow-incident-log", INCIDENTS)
    # the third incident has no month 13, so neither it nor its event can land
    assert {kind: (c.added, c.rejected) for kind, c in report.kinds.items()} == {
        "agents": (2, 0), "tickets": (2, 1), "ticket-events": (7, 1),
    }  # fmt: skip
    first, second = one(session, Ticket, "INC0000001"), one(session, Ticket, "INC0000002")
    assert (first.opened_at, first.first_response_at, first.resolved_at, first.closed_at) == (
        utc(2016, 3, 1, 8), utc(2016, 3, 1, 8, 30), utc(2016, 3, 1, 11), utc(2016, 3, 6, 12),
    )  # fmt: skip
    assert (first.kind, first.priority, first.category, first.channel) == (
        "incident", 2, "category 12", "Phone",
    )  # fmt: skip
    assert (first.state, first.resolved, first.independent, first.reopened) == (
        "closed", True, True, False,
    )  # fmt: skip
    assert first.owner_id == one(session, Agent, "R17").id
    # reassigned, still new: no response yet, and the last known group is the skill
    assert (second.first_response_at, second.state, second.independent, second.reopened) == (
        None, "open", False, True,
    )  # fmt: skip
    assert second.skill_id == one(session, Skill, "G24").id
    kinds = session.exec(
        select(TicketEvent.kind).where(TicketEvent.ticket_id == first.id).order_by(TicketEvent.at)
    ).all()
    assert kinds == ["opened", "assigned", "paused", "resolved", "closed"]
    assert skills_of(session, "R17") == {"G70"}
    assert team_of(session, "R31") == "G24"
    again = bring("servicenow-incident-log", INCIDENTS)
    assert (again.total.added, again.total.changed, again.total.unchanged) == (0, 0, 7)
    assert again.kinds["tickets"].unchanged == 2


LINES = """\
case_id,org:group,resource country,organization country,org:resource,organization involved,\
org:role,concept:name,impact,product,lifecycle:transition,time:timestamp
1-1,G97,Sweden,se,Anna,Org line C,V3_2,Accepted,Medium,PROD1,In Progress,2012-05-01T10:00:00+02:00
1-1,G97,Sweden,se,Anna,Org line C,V3_2,Queued,Medium,PROD1,Awaiting Assignment,2012-05-01T10:10:00+02:00
1-1,G5 2nd,Poland,pl,Bartek,Org line B,,Accepted,High,PROD1,In Progress,2012-05-01T11:00:00+02:00
1-1,G5 2nd,Poland,pl,Bartek,Org line B,,Accepted,High,PROD1,Wait - User,2012-05-01T11:30:00+02:00
1-1,G5 2nd,Poland,pl,Bartek,Org line B,,Completed,High,PROD1,Resolved,2012-05-01T12:00:00+02:00
1-1,G5 2nd,0,se,Siebel,Org line B,,Completed,High,PROD1,Closed,2012-05-09T00:30:00+02:00
1-2,G6 2nd 3rd,Poland,pl,Bartek,Org line B,,Queued,Low,PROD2,Awaiting Assignment,2012-05-02T10:00:00+02:00
1-2,G97,Sweden,se,Anna,Org line C,V3_2,Completed,Low,PROD2,In Call,2012-05-02T10:30:00+02:00
"""


def test_support_line_log(bring: Bring, session: Session) -> None:
    report = bring("support-line-log", LINES)
    assert {kind: (c.added, c.rejected) for kind, c in report.kinds.items()} == {
        "agents": (2, 0), "tickets": (2, 0), "ticket-events": (8, 0),
    }  # fmt: skip
    # highest line worked: Anna only first, Bartek also third; the robot is nobody
    grades = session.exec(select(Agent.code, AgentGrade.grade).join(AgentGrade)).all()
    assert dict(grades) == {"Anna": "ordinary", "Bartek": "expert"}
    assert team_of(session, "Bartek") == "G5 2nd"
    first, second = one(session, Ticket, "1-1"), one(session, Ticket, "1-2")
    assert (first.min_grade, second.min_grade) == ("senior", "expert")
    assert (first.priority, second.priority) == (2, 4)
    assert first.opened_at == first.first_response_at == utc(2012, 5, 1, 8)
    assert (first.state, first.resolved_at) == ("closed", utc(2012, 5, 1, 10))
    assert first.skill_id == one(session, Skill, "Org line B").id
    kinds = session.exec(
        select(TicketEvent.kind).where(TicketEvent.ticket_id == first.id).order_by(TicketEvent.at)
    ).all()
    assert kinds == ["opened", "noted", "escalated", "paused", "resolved", "closed"]
    assert first.owner_id == one(session, Agent, "Bartek").id
    assert (first.independent, second.state) == (False, "resolved")
    assert bring("support-line-log", LINES).total.unchanged == 8


CALLS = """\
vru+line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,\
outcome,ser_start,ser_exit,ser_time,server
AA0101,1,0,0,PS,990201,7:02:47,7:02:56,9,0:00:00,0:00:00,0,AGENT,7:02:55,7:05:41,166,DORIT
AA0101,2,11,2,NW,990201,8:19:42,8:19:47,5,8:19:47,8:20:21,34,AGENT,8:20:20,8:22:04,104,DORIT
AA0102,2,22,1,PS,990201,8:09:16,8:09:22,6,8:09:22,8:09:27,5,HANG,0:00:00,0:00:00,0,NO_SERVER
"""


def test_call_log(bring: Bring, session: Session) -> None:
    report = bring("call-log", CALLS)
    assert {kind: (c.added, c.rejected) for kind, c in report.kinds.items()} == {
        "agents": (1, 0), "tickets": (3, 0),
    }  # fmt: skip
    assert skills_of(session, "DORIT") == {"PS", "NW"}
    waited = one(session, Ticket, "990201/AA0101/2")
    # 8:19:47 in Jerusalem (+02:00), 34 s of queue, 104 s of service
    assert waited.opened_at == utc(1999, 2, 1, 6, 19, 47)
    assert waited.first_response_at == utc(1999, 2, 1, 6, 20, 21)
    assert waited.resolved_at == waited.closed_at == utc(1999, 2, 1, 6, 22, 5)
    assert (waited.priority, waited.handle_s, waited.state) == (1, 104, "closed")
    left = one(session, Ticket, "990201/AA0102/2")
    assert (left.priority, left.handle_s, left.state) == (2, None, "cancelled")
    assert (left.owner_id, left.first_response_at, left.resolved_at) == (None, None, None)
    assert one(session, Ticket, "990201/AA0101/1").priority == 2
    assert bring("call-log", CALLS).total.unchanged == 3


ANSWERS = """\
Unique id,channel_name,category,Sub-category,Survey_response_Date,Agent_name,Supervisor,Manager,\
Tenure Bucket,Agent Shift,CSAT Score
u1,Inbound,Returns,Missing,26-Aug-23,Jo Day,Mia,John,>90,Morning,5
u2,Email,Refund,Late,01-Aug-23,Jo Day,Mia,John,>90,Morning,1
u3,Email,Refund,Late,31-Aug-23,Al Low,Mia,John,0-30,Split,six
"""


def test_satisfaction_export(bring: Bring, session: Session) -> None:
    report = bring("satisfaction-export", ANSWERS)
    assert {kind: (c.added, c.rejected) for kind, c in report.kinds.items()} == {
        "agents": (2, 0), "surveys": (2, 1),
    }  # fmt: skip
    survey = one(session, Survey, "u1")
    assert (survey.answered_on.isoformat(), survey.score) == ("2023-08-26", 5)
    assert (survey.category, survey.channel, survey.shift, survey.tenure_band) == (
        "Returns / Missing", "Inbound", "Morning", ">90",
    )  # fmt: skip
    assert team_of(session, "Jo Day") == "Mia"


def test_agents_that_are_known_better_stay_as_they_are(bring: Bring, session: Session) -> None:
    session.add(Agent(code="DORIT", name="Dorit", capacity=3))
    report = bring("call-log", CALLS)
    assert (report.kinds["agents"].added, report.kinds["agents"].unchanged) == (0, 1)
    assert one(session, Agent, "DORIT").name == "Dorit"
    assert skills_of(session, "DORIT") == set()


# file, kind → added and rejected of every kind; the reasons stand in docs/importing.md
REAL = {
    "servicenow-incident-log": (
        "servicenow_incident_events_2016-02_04", "ticket-events",
        {"agents": (200, 0), "tickets": (17_134, 2), "ticket-events": (101_029, 16)},
    ),
    "support-line-log": (
        "volvo_incident_events_sample", "ticket-events",
        {"agents": (1_273, 0), "tickets": (4_996, 0), "ticket-events": (43_768, 0)},
    ),
    "call-log": (
        "bank_calls_1999-02-01_14", "tickets", {"agents": (24, 0), "tickets": (17_456, 0)},
    ),
    "satisfaction-export": (
        "csat_surveys_agents_a", "surveys", {"agents": (810, 0), "surveys": (10_221, 0)},
    ),
}  # fmt: skip


@pytest.mark.records
@pytest.mark.parametrize("adapter", list(REAL))
def test_real_records(adapter: str, session: Session, shared: Path) -> None:
    name, kind, expected = REAL[adapter]
    path = shared / "data" / f"{name}.csv.gz"

    def bring() -> ImportReport:
        return run_import(
            session, SYSTEM, path, kind, at=datetime(2026, 3, 2, tzinfo=UTC),
            timezone="Asia/Shanghai", mapping=adapter,
        )  # fmt: skip

    first = bring()
    assert {kind: (c.added, c.rejected) for kind, c in first.kinds.items()} == expected
    again = bring()
    assert {kind: (c.added + c.changed, c.unchanged) for kind, c in again.kinds.items()} == {
        kind: (0, added) for kind, (added, _) in expected.items()
    }
