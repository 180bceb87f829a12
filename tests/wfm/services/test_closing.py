"""Closing the loop on a real desk: solved, replayed, raised where it fails, and told what lacks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.demand.closing import Kind, Option, Part
from scheduler.solution import Roster as Cells
from wfm import jobs, tables
from wfm.access import Actor
from wfm.db import transaction
from wfm.errors import AccessDeniedError, ConflictError
from wfm.services import closing, replaying, roster_problems, roster_versions, rostering
from wfm.services.closing import Asked
from wfm.services.closing_desk import ClosingDesk, Row
from wfm.services.rostering import Limits
from wfm.settings import Settings
from wfm.words import Role

ZONE = "Asia/Shanghai"
QUICK = Limits(seconds=None, effort=0.4, workers=1, seed=3)


@pytest.fixture
def desk(fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]) -> Any:
    """The week of `RosterWeek`, with its work in the evening of four days.

    The plan asks for people in the morning only. Contacts take 20 minutes and are promised a
    response within 15. Only D knows app, whose contacts are most of the work.
    """
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        for name, skill in week.skills.items():
            session.add_all(
                tables.Ticket(
                    code=f"{name}-{n}", skill_id=skill, respond_within_s=900, handle_s=1200,
                    opened_at=week.local(week.first, 8) - timedelta(days=3, minutes=n),
                )
                for n in range(30)
            )  # fmt: skip
            session.add_all(
                tables.Demand(
                    plan_id=week.plan, skill_id=skill, handle_s=1200,
                    contacts={"net": 0.2, "app": 1.0}[name],
                    starts_at=week.local(week.first + timedelta(days=day), 17 + slot / 2),
                )
                for day in range(4)
                for slot in range(10)
            )  # fmt: skip
        roster = rostering.open_roster(
            session, week.planner, week.team, week.first, week.last, week.local(week.first, 0)
        )
        week.roster = roster.id
    return week


def asked(week: Any, **options: Any) -> Asked:
    return Asked((week.roster,), limits=QUICK, replications=3, **options)


def test_rounds_raise_the_requirement_and_say_who_is_missing(
    fresh_engine: sa.Engine, desk: Any
) -> None:
    outcome = closing.close(
        fresh_engine, asked(desk, rounds=1), "plan", Settings(timezone=ZONE)
    )  # fmt: skip
    first, second = outcome["rounds"]
    # the plan asks for people of one morning only, so few work in the evenings
    assert first["share"] < outcome["agreed"] == 0.9
    assert first["added_hours"] > 0
    assert first["failing"][0]["high"] < 0.9
    assert second["share"] > first["share"]
    assert (first["versions"], second["versions"]) == (
        {str(desk.roster): 1}, {str(desk.roster): 2},
    )  # fmt: skip
    assert outcome["ended"] in ("rounds_out", "people_out")
    # one person alone knows app, so nobody in the team can lift it far: it is named as missing
    assert any(one["skill"] == "app" for one in outcome["missing"])
    assert "more" in outcome["missing"][0]["en"]
    assert "还缺" in outcome["missing"][0]["zh"]
    assert outcome["share_with_them"] > second["share"]
    assert 0 <= outcome["fresh"]["low"] <= outcome["fresh"]["share"] <= 1
    with transaction(fresh_engine) as session:
        rows = session.exec(
            select(tables.Requirement).where(
                col(tables.Requirement.source).startswith("replay of version ")
            )
        ).all()
        assert {row.source for row in rows} == {"replay of version 1"}
        assert {row.team_id for row in rows} == {desk.team}
        assert sum(row.people for row in rows) / 2 == first["added_hours"]
        roster = session.get_one(tables.Roster, desk.roster)
        problem = roster_problems.build(session, roster, ZONE)
        added = [one for one in problem.interval_cover if one.cause == "replay of version 1"]
        # beside what the promise asks for, not instead of it
        assert added
        assert any("first response" in one.cause for one in problem.interval_cover)
        newest = roster_versions.newest_version(session, desk.roster)
        assert newest is not None
        assert newest.replay["share_met"] == second["share"]


def test_the_same_effort_gives_the_same_rounds(fresh_engine: sa.Engine, desk: Any) -> None:
    settings = Settings(timezone=ZONE)
    first = closing.close(fresh_engine, asked(desk, rounds=0), "plan", settings)
    again = closing.close(fresh_engine, asked(desk, rounds=0), "plan", settings)
    assert [one["share"] for one in first["rounds"]] == [one["share"] for one in again["rounds"]]
    assert first["missing"] == again["missing"]
    assert first["rounds"][0]["versions"] == again["rounds"][0]["versions"]  # nothing was solved


def test_a_roster_that_keeps_the_share_is_left_alone(fresh_engine: sa.Engine, desk: Any) -> None:
    with transaction(fresh_engine) as session:
        session.execute(sa.update(tables.Demand).values(contacts=0.05))
        session.execute(sa.update(tables.Ticket).values(respond_within_s=36_000))
    outcome = closing.close(fresh_engine, asked(desk), "plan", Settings(timezone=ZONE))
    assert outcome["ended"] == "kept"
    assert len(outcome["rounds"]) == 1
    assert outcome["missing"] == []
    assert outcome["rounds"][0]["added_hours"] == 0


def test_the_gain_of_one_more_person_is_seen_in_the_replay(
    fresh_engine: sa.Engine, desk: Any
) -> None:
    with transaction(fresh_engine) as session:
        known = ClosingDesk(session, [desk.roster], ZONE)
        version = closing_version(session, desk)
        bench = replaying.set_up(session, [version], ZONE, replications=2, seed=0)
        played = bench.play()
        # nobody is on duty: every contact fails, and one person more keeps some of them
        options = known.gains(bench, played)
        assert {one.kind for one in options} == {Kind("net", "ordinary"), Kind("app", "ordinary")}
        # the gains of one kind are what its people bring together: they were tried together
        for kind in (Kind("net", "ordinary"), Kind("app", "ordinary")):
            mine = [one for one in options if one.kind == kind]
            with_them = bench.play(known.guests([(kind, one.part) for one in mine]))
            gained = sum(d.met for run in with_them for d in run) / 2
            assert gained > 0
            assert gained == pytest.approx(sum(one.gain for one in mine))
        # an expert is known among the team, so all tiers of net can be asked of it
        assert Kind("net", "expert") in known.able
        assert Kind("app", "senior") not in known.able


def closing_version(session: Session, desk: Any) -> int:
    """A draft in which nobody works."""
    roster = session.get_one(tables.Roster, desk.roster)
    problem = roster_problems.build(session, roster, ZONE)
    return roster_versions.store_version(
        session, desk.roster, problem, Cells({}), "plan", desk.local(desk.first, 0), ZONE, result={}
    )


def test_a_row_reaches_beyond_the_people_there_already(fresh_engine: sa.Engine, desk: Any) -> None:
    with transaction(fresh_engine) as session:
        known = ClosingDesk(session, [desk.roster], ZONE)
        roster = session.get_one(tables.Roster, desk.roster)
        problem = roster_problems.build(session, roster, ZONE)
        # B, C and E (net) work in the evening of the first day; nobody wants them there
        cells = Cells({(name, desk.first): "late" for name in "BCE"})
        version = roster_versions.store_version(
            session, desk.roster, problem, cells, "plan", desk.local(desk.first, 0), ZONE, result={}
        )
        bench = replaying.set_up(session, [version], ZONE, replications=1, seed=0)
        option = Option(Kind("net", "ordinary"), Part(40, 40), 1.0)  # 20:00
        assert [row.people for row in known.rows(session, bench, [option])] == [4]
        # five know net: the next row asks for the fifth, after that nobody is left
        assert [row.people for row in known.rows(session, bench, [option] * 3)] == [4, 1]
        # only D knows app, and is off: one can be asked for, not two
        app = Option(Kind("app", "ordinary"), Part(40, 40), 1.0)
        assert [row.people for row in known.rows(session, bench, [app, app])] == [1]


def test_two_people_more_at_one_place_are_two_people(fresh_engine: sa.Engine, desk: Any) -> None:
    with transaction(fresh_engine) as session:
        known = ClosingDesk(session, [desk.roster], ZONE)
        part, kind = known.parts[0], Kind("net", "ordinary")
        guests = known.guests([(kind, part), (kind, part), (kind, known.parts[1])])
        assert [len(duties) for _, duties in guests] == [2, 1]
        # asked again, a row grows; another version's replay stands beside it
        option = Option(kind, Part(part.first, part.first), 1.0)
        row = Row(desk.roster, option, part.first, 1)
        for number in (1, 1, 2):
            known.add_rows(session, [row], {desk.roster: number})
        rows = session.exec(
            select(tables.Requirement.source, tables.Requirement.people)
            .where(col(tables.Requirement.source).startswith("replay"))
            .order_by(tables.Requirement.source)
        ).all()
        asked_for = [tuple(row) for row in rows]
        assert asked_for == [("replay of version 1", 2), ("replay of version 2", 1)]


def test_closing_runs_as_a_job_and_one_at_a_time(
    fresh_engine: sa.Engine, desk: Any, work_off: Callable[[sa.Engine], None]
) -> None:
    at = desk.local(desk.first, 0)
    with transaction(fresh_engine) as session:
        job = closing.ask(session, desk.planner, desk.roster, QUICK, 0, at)
        number = job.id
        with pytest.raises(ConflictError, match="solved already"):
            closing.ask(session, desk.planner, desk.roster, QUICK, 0, at)
        with pytest.raises(AccessDeniedError):
            closing.ask(
                session, Actor("x", roles={Role.AGENT: None}), desk.roster, QUICK, 0, at
            )  # fmt: skip
    work_off(fresh_engine)
    with transaction(fresh_engine) as session:
        done = session.get_one(tables.Job, number)
        assert done.status == "done", done.error
        assert done.result["ended"] in ("rounds_out", "people_out")
        assert len(done.result["rounds"]) == 1


def test_a_stop_keeps_what_the_rounds_brought(fresh_engine: sa.Engine, desk: Any) -> None:
    with transaction(fresh_engine) as session:
        job = tables.Job(task="close", asked_by="plan", asked_at=desk.local(desk.first, 0))
        session.add(job)
        session.flush()
        number = job.id
        job.cancel_asked = True
    assert number is not None
    progress = jobs.Progress(fresh_engine, number)
    outcome = closing.close(fresh_engine, asked(desk), "plan", Settings(timezone=ZONE), progress)
    assert (outcome["ended"], outcome["rounds"]) == ("stopped", [])
