"""From tickets to people: the mix of work, sharing people out, and a plan on the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlmodel import Session, select

from scheduler.demand.staffing import Requirement as Needed
from wfm.access import SYSTEM, Actor
from wfm.errors import AccessDeniedError, InputError
from wfm.services import demand
from wfm.tables import (
    Agent,
    AgentGrade,
    AgentSkill,
    AgentTeam,
    Demand,
    Requirement,
    Skill,
    Team,
    Ticket,
)
from wfm.words import Grade, Role

ZONE = "Asia/Shanghai"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def tickets(rows: list[tuple[str, str, float | None, float | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["skill", "tier", "within_s", "handle_s"])
    frame["opened_at"] = pd.Timestamp("2026-05-04T02:00Z")
    return frame


def test_a_mix_tells_live_work_from_work_that_may_wait() -> None:
    # two promises of 30 min (live), one of 2 h (may wait); the waiting one takes twice as long
    mixes = demand._mixes(
        tickets([("a", "ordinary", 1800, 600), ("a", "ordinary", 1800, 600),
                 ("a", "ordinary", 7200, 1200)])
    )["a"]  # fmt: skip
    found = {mix.live: mix for mix in mixes}
    assert found[True].share == pytest.approx(2 / 3)
    assert found[True].within_s == 1800
    # the mean is (600 + 600 + 1200) / 3 = 800, so 1200 is 1.5 of the usual
    assert found[False].handle_ratio == pytest.approx(1.5)


def test_work_never_measured_is_taken_to_be_as_long_as_usual() -> None:
    mixes = demand._mixes(
        tickets([("a", "ordinary", 1800, 600), ("a", "senior", 1800, None)])
    )["a"]  # fmt: skip
    assert {mix.tier: mix.handle_ratio for mix in mixes} == {"ordinary": 1.0, "senior": 1.0}


def work(team: int, skill: str, minutes: float) -> demand.Work:
    mix = demand.Mix("ordinary", True, 1.0, 1800, 1.0)
    per_slot = np.zeros(96)
    per_slot[20] = minutes
    return demand.Work(team, skill, mix, per_slot, per_slot)


def needed(slot: int, people: int) -> Needed:
    return Needed("desk", "ordinary", slot, people, people, people, people, people, 0, "p", None)


def test_people_are_shared_out_by_work_in_pieces_of_a_day() -> None:
    # day one wants 2 people in slots 20–21 and a third in slot 21; work is 2 : 1
    required = [needed(20, 2), needed(21, 3)]
    shared = list(
        demand._shared_out("ordinary", [work(1, "a", 20.0), work(2, "b", 10.0)], required)
    )
    # layer 1 (2 slots): owed 4/3 and 2/3 → team 1, left −2/3 and 2/3
    # layer 2 (2 slots): owed 2/3 and 4/3 → team 2, left 2/3 and −2/3
    # layer 3 (1 slot):  owed 4/3 and −1/3 → team 1
    found = {(need.team_id, need.slot): need.people for need in shared}
    assert found == {(1, 20): 1, (2, 20): 1, (1, 21): 2, (2, 21): 1}
    assert {need.skill for need in shared if need.team_id == 2} == {"b"}


def test_nobody_is_lost_or_added_in_sharing_out() -> None:
    required = [needed(slot, 1 + slot % 4) for slot in range(16, 90)]
    works = [work(1, "a", 5.0), work(2, "b", 3.0), work(3, "c", 0.5)]
    shared = list(demand._shared_out("ordinary", works, required))
    for row in required:
        assert sum(n.people for n in shared if n.slot == row.slot) == row.scheduled


def test_teams_without_a_skill_in_common_are_staffed_apart() -> None:
    # teams 1 and 2 share skill b; team 3 shares nothing
    works = [work(1, "a", 1.0), work(3, "c", 1.0), work(2, "b", 1.0), work(1, "b", 1.0)]
    pools = [{(one.team_id, one.skill) for one in pool} for pool in demand._pools(works)]
    assert sorted(pools, key=len) == [{(3, "c")}, {(1, "a"), (2, "b"), (1, "b")}]


def test_a_tier_without_work_gets_nobody() -> None:
    assert list(demand._shared_out("expert", [work(1, "a", 20.0)], [needed(20, 2)])) == []


@pytest.fixture
def desk(session: Session) -> Session:
    """One team of two, one skill, four weeks of ten tickets each morning."""
    team, skill = (
        Team(code="t", name_en="T", name_zh="T"),
        Skill(code="s", name_en="S", name_zh="S"),
    )
    session.add_all([team, skill])
    session.flush()
    for code in ("A1", "A2"):
        agent = Agent(code=code, name=code)
        session.add(agent)
        session.flush()
        since = date(2026, 1, 1)
        session.add_all([
            AgentTeam(agent_id=agent.id, team_id=team.id, valid_from=since),
            AgentGrade(agent_id=agent.id, grade=Grade.ORDINARY, valid_from=since),
            AgentSkill(agent_id=agent.id, skill_id=skill.id, proficiency=3, valid_from=since),
        ])  # fmt: skip
    for day in range(28):
        for number in range(10):
            session.add(
                Ticket(
                    code=f"T{day}-{number}", skill_id=skill.id, respond_within_s=1800, handle_s=600,
                    # 09:00 to 10:15 in Shanghai, every day from Monday 4 May
                    opened_at=datetime(2026, 5, 4, 1, tzinfo=UTC)
                    + timedelta(days=day, minutes=8 * number),
                )
            )  # fmt: skip
    session.flush()
    return session


def test_a_plan_stores_demand_and_requirement_with_its_promise(desk: Session) -> None:
    plan = demand.make_plan(desk, SYSTEM, date(2026, 6, 1), date(2026, 6, 7), ZONE, NOW)
    expected = desk.exec(select(Demand).where(Demand.plan_id == plan.id)).all()
    # ten tickets a day for a week, all alike in the past
    assert sum(row.contacts for row in expected) == pytest.approx(70, rel=0.25)
    hours = {row.starts_at.astimezone(UTC).hour for row in expected if row.contacts > 0.5}
    assert hours == {1, 2}
    wanted = desk.exec(select(Requirement).where(Requirement.plan_id == plan.id)).all()
    assert {row.tier for row in wanted} == {Grade.ORDINARY}
    assert all("within 30 min" in row.source for row in wanted)
    assert plan.facts["skills"]["s"]["accuracy"]["wape"] < 0.5


def test_without_tickets_there_is_nothing_to_plan(session: Session) -> None:
    with pytest.raises(InputError, match="no tickets with a skill before 2026-06-01"):
        demand.make_plan(session, SYSTEM, date(2026, 6, 1), date(2026, 6, 7), ZONE, NOW)


def test_only_planners_plan(desk: Session) -> None:
    with pytest.raises(AccessDeniedError):
        demand.make_plan(
            desk,
            Actor("x", roles={Role.AGENT: None}),
            date(2026, 6, 1),
            date(2026, 6, 7),
            ZONE,
            NOW,
        )
