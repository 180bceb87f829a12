"""Pages of what planners keep for all rosters, and the explanations and repairs that follow."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import select
from starlette.testclient import TestClient

from wfm import tables
from wfm.db import transaction
from wfm.services import roster_versions
from wfm.words import Role

SignIn = Callable[..., TestClient]
HTMX = {"hx-request": "true"}
MONDAY = date(2026, 9, 28)


def test_a_rule_is_added_on_the_page_and_reaches_the_next_solve(
    planned: Any, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get("/planning/rules").text
    for word in ("weekly rest day", "劳动法", "rest between duties", "Keep rule"):
        assert word in text
    form = client.get("/planning/rules", params={"kind": "shift_limit"}, headers=HTMX).text
    assert "<html" not in form
    assert 'name="shifts" value="late"' in form
    rule = {"kind": "shift_limit", "name": "few late", "shifts": ["late", "night"],
            "period": "week", "maximum": "1", "team": str(planned.week.team)}  # fmt: skip
    assert client.post("/planning/rules", data=rule).status_code == 303
    kept = {one.name: one for one in planned.build().rules}["few late"]
    assert (kept.shifts, kept.maximum, kept.hard) == (("late", "night"), 1, True)
    assert "few late" in client.get("/planning/rules").text
    answer = client.post("/planning/rules?lang=zh", data=rule | {"maximum": "x"})
    assert (answer.status_code, "应为整数" in answer.text) == (422, True)
    [row] = planned.all(tables.HouseRule)
    client.post(f"/planning/rules/{row.id}/remove")
    assert planned.all(tables.HouseRule) == []


def test_every_kind_of_rule_has_its_form(planned: Any, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER, language="zh")
    text = client.get("/planning/rules", headers=HTMX).text
    for kind in re.findall(r'<option value="(\w+)"', text)[:22]:
        form = client.get("/planning/rules", params={"kind": kind}, headers=HTMX)
        assert form.status_code == 200
        assert f'<input type="hidden" name="kind" value="{kind}">' in form.text


def test_a_shift_gets_a_movable_break_and_needs_people(planned: Any, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get("/planning/shifts", params={"code": "early"}).text
    assert "12:00-12:30" in text
    shift = {"code": "early", "name_en": "Early", "name_zh": "早班", "starts": "08:00",
             "ends": "16:30", "paid_minutes": "480", "skills": ["net"],
             "breaks": "12:00-12:30 in 11:00-14:00", "max_stretch": "300"}  # fmt: skip
    assert client.post("/planning/shifts", data=shift).status_code == 303
    early = next(one for one in planned.build().shifts if one.id == "early")
    assert (early.breaks[0].earliest, early.breaks[0].latest, early.skills) == (660, 840, ("net",))
    assert client.post("/planning/shifts", data=shift | {"breaks": "noon"}).status_code == 422
    need = {"team": str(planned.week.team), "shift": "late", "people": "1", "weekdays": ["1", "2"],
            "grade": "senior"}  # fmt: skip
    assert client.post("/planning/needs", data=need).status_code == 303
    assert [one.date.isoweekday() for one in planned.build().shift_cover] == [1, 2]
    [row] = planned.all(tables.ShiftNeed)
    client.post(f"/planning/needs/{row.id}/remove")
    assert planned.all(tables.ShiftNeed) == []


def test_what_is_kept_of_a_person_is_entered_and_taken_away(
    planned: Any, signed_in: SignIn
) -> None:
    client, number = signed_in(Role.PLANNER), planned.week.agents["E"]
    here = f"/planning/people/{number}"
    assert "E Li" in client.get("/planning/people", params={"who": "e li"}).text
    acts: dict[str, dict[str, Any]] = {
        "contract": {"since": "2026-09-01", "hours_day": "8", "hours_week": "24", "reach": "30",
                     "overtime": "true", "shifts": ["early", "late"]},
        "skill": {"skill": str(planned.week.skills["app"]), "level": "4", "from": "2026-09-01",
                  "until": "2026-09-30"},
        "protect": {"kind": "short_days", "minutes": "420", "from": "2026-09-01"},
        "hours": {"weekdays": ["1", "3"], "starts": "08:00", "ends": "18:00",
                  "from": "2026-09-01"},
    }  # fmt: skip
    for act, data in acts.items():
        answer = client.post(f"{here}/{act}", data=data)
        assert (act, answer.status_code) == (act, 303)
    agent = next(one for one in planned.build().agents if one.id == "E")
    assert (agent.shifts, agent.reach_minutes, agent.declines) == (
        ("early", "late"), 30, ("nights", "standby"),
    )  # fmt: skip
    assert [one.kind for one in agent.restrictions] == ["short_days"]
    assert [one.weekdays for one in agent.availability] == [(1, 3)]
    assert ("app", 4) in [(one.skill, one.level) for one in agent.qualifications]
    text = client.get(here).text
    for word in ("short duties", "Mon Wed", "agrees to overtime"):
        assert word in text
    again = client.post(f"{here}/protect", data=acts["protect"])
    assert again.status_code == 422
    [row] = planned.all(tables.AgentRestriction)
    client.post(f"{here}/remove", data={"kind": "restriction", "number": str(row.id)})
    assert planned.all(tables.AgentRestriction) == []
    client.post(f"/me/wishes/day?agent={number}", data={"day": "2099-01-01", "wants": "false"})
    assert [one.made_by for one in planned.all(tables.RosterWish)] == ["somebody"]


def test_why_not_tells_what_stands_against_a_shift(planned: Any, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    ask = {"version": planned.version, "agent": planned.week.agents["A"], "day": str(MONDAY)}
    text = client.get(f"{planned.page}/why-not", params=ask | {"shift": "late"}, headers=HTMX).text
    assert "A Li" in text
    assert "the cost changes by" in text
    with transaction(planned.engine) as session:
        session.add(
            tables.AgentRestriction(agent_id=planned.week.agents["E"], kind="no_night",
                                    valid_from=MONDAY)
        )  # fmt: skip
    night = ask | {"agent": planned.week.agents["B"], "shift": "late"}
    text = client.get(f"{planned.page}/why-not", params=night, headers=HTMX).text
    assert "It is so already." in text
    unknown = client.get(f"{planned.page}/why-not", params=ask | {"shift": "none"})
    assert unknown.status_code == 422


def test_a_gap_on_a_shift_is_explained(planned: Any, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    ask = {"version": planned.version, "day": str(MONDAY), "shift": "early", "tier": "ordinary"}
    text = client.get(f"{planned.page}/gap", params=ask, headers=HTMX).text
    assert "Who could fill it" in text
    assert "Early" in text
    at = {"version": planned.version, "day": str(MONDAY), "at": "09:00", "skill": "net"}
    assert "09:00" in client.get(f"{planned.page}/gap", params=at, headers=HTMX).text
    neither = {"version": planned.version, "day": str(MONDAY)}
    assert client.get(f"{planned.page}/gap", params=neither).status_code == 422


def test_rules_in_conflict_are_named_with_the_least_that_helps(
    planned: Any, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    assert "No conflict found" in client.get(f"{planned.page}/conflicts", headers=HTMX).text
    # D is locked to work all seven days, and the law wants a rest day
    with transaction(planned.engine) as session:
        for n in range(7):
            session.add(
                tables.RosterLock(roster_id=planned.roster, agent_id=planned.week.agents["D"],
                                  day=MONDAY + timedelta(days=n), shift_code="early", kind="fix",
                                  made_by="plan")
            )  # fmt: skip
    text = client.get(f"{planned.page}/conflicts", headers=HTMX).text
    for word in ("D Li", "weekly rest day", "Any one of these helps"):
        assert word in text
    assert "互相矛盾的规则" in client.get(f"{planned.page}/conflicts?lang=zh", headers=HTMX).text


def test_more_demand_is_covered_by_a_way_that_is_shown_first(
    planned: Any, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    asked = {"cause": "demand", "day": str(MONDAY), "starts": "18:00", "ends": "20:00",
             "people": "2", "skill": "net", "tier": "ordinary"}  # fmt: skip
    version = {"version": str(planned.version)}
    text = client.get(f"{planned.page}/repair", params=asked | version, headers=HTMX).text
    assert "2 more wanted" in text
    [first, *_] = re.findall(r"<article.*?</article>", text, flags=re.S)
    changes = re.findall(r'name="change" value="([^"]+)"', first)
    assert any("|late|" in one for one in changes)
    taken = client.post(
        f"{planned.page}/repair",
        data=asked | version | {"seen": "0", "change": changes, "reason": "a release"},
    )
    assert taken.status_code == 303
    # the demand stays with the plan: the next solve sees it as well
    more = [one for one in planned.build().interval_cover if one.cause == "planner: a release"]
    assert [(one.start, one.end, one.desired) for one in more] == [(1080, 1200, 2)]
    with transaction(planned.engine) as session:
        newest = roster_versions.newest_version(session, planned.roster)
        assert newest is not None
        assert newest.result["status"] == "repaired"
    odd = asked | version | {"starts": "18:10"}
    assert client.get(f"{planned.page}/repair", params=odd).status_code == 422


def test_a_rule_added_later_is_repaired_to(planned: Any, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    rule = {"kind": "shift_limit", "name": "B never late", "shifts": ["late"], "maximum": "0",
            "agents": "B"}  # fmt: skip
    assert client.post("/planning/rules", data=rule).status_code == 303
    ask = {"cause": "now", "version": str(planned.version)}
    text = client.get(f"{planned.page}/repair", params=ask, headers=HTMX).text
    assert "Broken now" in text
    assert "B never late" in text
    [first, *_] = re.findall(r"<article.*?</article>", text, flags=re.S)
    changes = re.findall(r'name="change" value="([^"]+)"', first)
    taken = client.post(
        f"{planned.page}/repair", data=ask | {"seen": "0", "change": changes, "reason": ""}
    )
    assert taken.status_code == 303
    with transaction(planned.engine) as session:
        newest = roster_versions.newest_version(session, planned.roster)
        assert newest is not None
        assert newest.verdict["violations"] == []
        assert roster_versions.cells_of(session, newest).shift("B", MONDAY) != "late"


def test_agents_wish_at_their_own_page(
    planned: Any, signed_in: SignIn, fresh_engine: sa.Engine
) -> None:
    client = signed_in(Role.AGENT)
    with transaction(fresh_engine) as session:
        account = session.exec(select(tables.Account)).one()
        account.agent_id = planned.week.agents["D"]
    assert "No wishes yet" in client.get("/me/wishes").text
    day = {"day": "2099-01-01", "wants": "false", "strength": "3", "note": "wedding"}
    assert client.post("/me/wishes/day", data=day).headers["location"] == "/me/wishes"
    like = {"wants": "true", "shifts": ["early"], "weekdays": ["1", "2"], "strength": "2"}
    assert client.post("/me/wishes/like", data=like).status_code == 303
    text = client.get("/me/wishes").text
    for word in ("2099-01-01", "wedding", "very much", "Mon Tue"):
        assert word in text
    [row] = planned.all(tables.RosterWish)
    client.post("/me/wishes/take-back", data={"kind": "day", "number": str(row.id)})
    assert planned.all(tables.RosterWish) == []
    other = client.post(f"/me/wishes/day?agent={planned.week.agents['E']}", data=day)
    assert other.status_code == 403
    assert client.get("/planning/people").status_code == 403
