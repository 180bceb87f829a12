"""The planner's pages: what they show in both languages, refuse, and hand out as files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from wfm import tables
from wfm.access import Actor
from wfm.db import transaction
from wfm.services import roster_teams, rostering
from wfm.services.roster_rows import Choice
from wfm.words import Role

SignIn = Callable[..., TestClient]
HTMX = {"hx-request": "true"}
MONDAY = date(2026, 9, 28)
PERIOD = {"from": "2026-09-28", "until": "2026-10-04"}


@dataclass
class Stored:
    """A week's roster with two drafts, kept in the database."""

    week: Any
    roster: int
    versions: list[int]

    @property
    def page(self) -> str:
        return f"/rosters/{self.roster}"

    def cell(self, agent: str, day: date = MONDAY) -> str:
        return f"{self.page}/cells/{self.week.agents[agent]}/{day}"


@pytest.fixture
def stored(fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]) -> Stored:
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        session.get_one(tables.Agent, week.agents["D"]).name = "<script>alert(1)</script>"
        roster, versions = week.drafts(
            session,
            {("D", MONDAY): "early", ("B", MONDAY): "early"},
            {("A", MONDAY): "late", ("A", MONDAY + timedelta(days=1)): "early",
             ("B", MONDAY): "early"},
        )  # fmt: skip
        return Stored(week, roster, versions)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    sent: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", count)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", count)


# -- the overview ---------------------------------------------------------------------------------


def missing(text: str, *words: str) -> list[str]:
    return [word for word in words if word not in text]


def test_an_empty_desk_says_what_to_do_first(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get("/rosters?lang=en").text
    assert not missing(text, "There are no teams yet", "There is no staffing plan for this period")
    text = client.get("/rosters?lang=zh").text
    assert not missing(text, "还没有组", "此时段还没有人力需求计划")


def test_the_overview_shows_each_teams_newest_version(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    words = ("Team t", "version 2", "draft", "no roster yet", "Open roster", "not replayed yet")
    assert not missing(client.get("/rosters?lang=en").text, *words, "50.0 %")  # the gap
    words = ("t组", "第 2 版", "尚无排班表", "新建排班表", "尚未重放")
    assert not missing(client.get("/rosters?lang=zh").text, *words)


def test_the_forecast_is_shown_beside_last_week_again_with_its_notes(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    with transaction(fresh_engine) as session:
        plan = session.get_one(tables.StaffingPlan, stored.week.plan)
        error = {"wape_day": 0.124, "wape": 0.571, "bias": -0.012}
        plan.facts = {
            "contacts": 1518.0, "person_hours": 99.0, "since": "2026-02-01",
            "skills": {"net": {
                "model": "profile", "contacts": 1518.0, "handle_wape": 0.3,
                "accuracy": error, "naive": error | {"wape_day": 0.213},
                "notes": [{"en": "less than a year", "zh": "不足一年<i>"}],
            }},
        }  # fmt: skip
    client = signed_in(Role.PLANNER, language="zh")
    text = client.get("/rosters").text
    for word in ("12.4 %", "21.3 %", "57.1 %", "−1.2 %", "季节模式", "网络", "不足一年&lt;i&gt;"):
        assert word in text
    assert "less than a year" in client.get("/rosters?lang=en").text


def test_a_period_and_a_roster_are_opened_from_the_page(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    answer = client.post("/rosters/open", data=PERIOD | {"team": stored.week.other_team})
    assert answer.status_code == 303
    page = client.get(answer.headers["location"])
    assert "This team has no agents in the period" in page.text
    answer = client.get("/rosters", params={"from": "2027-05-01", "until": "2026-05-01"})
    assert answer.status_code == 422
    assert "1 to 93 days" in answer.text


def test_plan_and_solve_become_jobs(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    answer = client.post("/rosters/plan", data=PERIOD | {"seconds": "60"})
    assert answer.headers["location"] == "/rosters?from=2026-09-28&until=2026-10-04"
    client.post("/rosters/solve", data=PERIOD | {"seconds": "5"})
    with transaction(fresh_engine) as session:
        asked = [(job.task, job.arguments) for job in session.exec(select(tables.Job))]
    assert [task for task, _ in asked] == ["plan", "solve", "solve"]
    assert asked[0][1] == {"first": "2026-09-28", "last": "2026-10-04"}
    assert asked[1][1]["limits"]["seconds"] == 5
    assert "waiting" in client.get(answer.headers["location"]).text


# -- one roster -----------------------------------------------------------------------------------


def test_the_roster_page_explains_its_newest_version(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    english = (
        "Hard rules broken", "rest between duties", "10 h, limit 11 h", "statutory holiday",
        "Gaps by cause", "90 % first response within 30 min", "What the cost is made of",
        "the draft has not been replayed", "1 October", "carry-in",
    )  # fmt: skip
    chinese = (
        "违反的硬性规则", "班次间休息", "10 小时，限 11 小时", "法定节假日", "缺口及原因",
        "90 % 的首次响应在 30 分钟内", "代价构成", "草案尚未经过重放检验", "10月1日", "上期衔接",
    )  # fmt: skip
    for language, words in (("en", english), ("zh", chinese)):
        answer = client.get(f"{stored.page}?lang={language}")
        assert not missing(answer.text, *words)
        assert len(answer.content) < 200_000


def test_cells_say_by_letters_and_marks_what_colours_say(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get(f"{stored.page}?version=1").text
    assert re.search(r'<td class="s-early"><button>E</button>', text)
    text = client.get(stored.page).text
    # compared with the version before it without being asked
    assert re.findall(r'<td class="(s-late|s-early) changed broken">', text) == [
        "s-late",
        "s-early",
    ]
    text = client.get(f"{stored.page}?version=2&against=1").text
    assert "3 cells differ from version 1." in text
    assert text.count(" changed") >= 3
    for path in (stored.page, stored.cell("D"), f"{stored.page}?version=1&against=2"):
        text = client.get(path).text  # D is called after a script
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_rosters_of_the_same_days_stand_below_one_another_by_team(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    with transaction(fresh_engine) as session:
        own = session.get_one(tables.Roster, stored.roster)
        other = tables.Roster(team_id=stored.week.other_team, period_from=own.period_from,
                              period_until=own.period_until)  # fmt: skip
        helper = tables.Agent(code="H", name="Helper")
        session.add_all([other, helper])
        session.flush()
        session.add(tables.AgentTeam(agent_id=helper.id, team_id=other.team_id,
                                     valid_from=date(2026, 1, 1)))  # fmt: skip
        number = other.id
    client = signed_in(Role.PLANNER)
    assert "Helper" not in client.get(stored.page).text
    text = client.get(f"{stored.page}?group=team").text
    assert text.count('scope="rowgroup"') == 2
    # what is another team's opens on its own roster, and has no button that locks a line
    assert re.search(rf'<tr data-agent="\d+" data-of="{number}"[^>]*>.*Helper</span> .*', text)
    assert f'<a href="/rosters/{number}">' in text
    filtered = client.get(f"{stored.page}?group=team&who=helper").text
    assert re.findall(r'<span class="name">(\w+)', filtered) == ["Helper"]


def test_who_sees_one_team_sees_no_other_in_the_grid(
    stored: Stored, fresh_engine: sa.Engine
) -> None:
    reader = Actor("r", roles={Role.PLANNER: frozenset({stored.week.team})})
    with transaction(fresh_engine) as session:
        own = session.get_one(tables.Roster, stored.roster)
        session.add(tables.Roster(team_id=stored.week.other_team, period_from=own.period_from,
                                  period_until=own.period_until))  # fmt: skip
        session.flush()
        assert roster_teams.others(session, reader, own, Choice()) == []


def test_skills_go_by_their_names(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    assert '<span class="skills">Network</span>' in client.get(stored.page).text
    assert "<br>Network</p>" in client.get(stored.cell("B"), headers=HTMX).text
    client.post("/language", data={"language": "zh"})
    assert '<span class="skills">网络</span>' in client.get(stored.page).text


def test_the_heat_map_is_chosen_by_skill_and_tier(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    text = client.get(f"{stored.page}?version=1").text
    assert "2 of 8 person-half-hours missing" in text
    assert re.search(r'<td class="h1"><button [^>]*/gap\?[^>]*>2/3<b>−1</b></button></td>', text)
    chosen = client.get(f"{stored.page}?version=1&skill=app&tier=ordinary", headers=HTMX).text
    assert "of 1 person-half-hours missing" in chosen
    assert client.get(f"{stored.page}?tier=boss").status_code == 422


def test_a_roster_without_a_version_or_a_plan_says_what_is_next(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    week = stored.week
    with transaction(fresh_engine) as session:
        empty = rostering.open_roster(
            session, week.planner, week.team, date(2026, 11, 2), date(2026, 11, 8),
            week.local(MONDAY, 0),
        )  # fmt: skip
        number = empty.id
    text = client.get(f"/rosters/{number}").text
    assert "There is no staffing plan for this period yet" in text
    assert "This roster has no version yet" in text
    assert client.get(f"/rosters/{number}/duties.csv").status_code == 404
    assert client.get("/rosters/99999").status_code == 404


def test_the_page_costs_a_fixed_number_of_queries(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    client.get(stored.page)
    with fresh_engine.begin() as other:  # somebody writes: what was shared is read anew
        other.execute(sa.text("select pg_current_xact_id()"))
    with counted(fresh_engine) as few:
        client.get(stored.page)
    with transaction(fresh_engine) as session:
        for number in range(20):
            agent = tables.Agent(code=f"X{number}", name=f"X{number}")
            session.add(agent)
            session.flush()
            session.add(
                tables.AgentTeam(agent_id=agent.id, team_id=stored.week.team,
                                 valid_from=date(2026, 1, 1))
            )  # fmt: skip
    with counted(fresh_engine) as many:
        client.get(stored.page)
    assert len(many) == len(few) <= 34


# -- solving --------------------------------------------------------------------------------------


def test_a_solve_is_watched_and_stopped_on_the_page(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    assert client.post(f"{stored.page}/solve", data={"seconds": "5"}).status_code == 303
    with transaction(fresh_engine) as session:
        job = session.exec(select(tables.Job)).one()
        job.status = "running"
        job.progress = 0.4
        job.details = {"cost": 300, "bound": 150, "gap": 0.5, "seconds": 4.0, "limit": 10.0,
                       "trail": [[1.0, 500, None], [2.0, 400, 100], [4.0, 300, 150]]}  # fmt: skip
    text = client.get(stored.page).text
    assert 'hx-get="' + stored.page + '/work"' in text
    card = client.get(f"{stored.page}/work", headers=HTMX)
    for word in ("Best cost", "300", "150", "50.0 %", "Stop and keep the best", "<polyline"):
        assert word in card.text
    # 4 of 10 seconds are 4/10 of the width: 310 · 0.4 + 5 = 129
    assert re.search(r'class="cost" points="[^"]* 129.0,', card.text)
    assert "hx-refresh" not in card.headers
    stopping = client.post(f"{stored.page}/stop", headers=HTMX)
    assert "the best roster so far will be kept" in stopping.text
    again = client.post(f"{stored.page}/solve", data={"seconds": "5"})
    assert again.status_code == 409
    with transaction(fresh_engine) as session:
        session.exec(select(tables.Job)).one().status = "done"
    ended = client.get(f"{stored.page}/work", headers=HTMX)
    assert ended.headers["hx-refresh"] == "true"


def test_a_solve_has_a_limit_of_time(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    for seconds in ("0", "99999", "soon"):
        answer = client.post(f"{stored.page}/solve", data={"seconds": seconds})
        assert answer.status_code == 422
        assert "Seconds: " in answer.text


# -- publishing -----------------------------------------------------------------------------------


def test_publishing_with_misgivings_asks_for_the_reason_in_place(
    stored: Stored, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    data = {"version_id": stored.versions[1], "reason": " "}
    path = f"{stored.page}/publish"
    asked = (("en", "Give a reason, or mend this first:"), ("zh", "请填写理由，或先解决以下问题："))
    for language, words in asked:
        answer = client.post(f"{path}?lang={language}", data=data, headers=HTMX)
        assert answer.status_code == 422
        assert words in answer.text
        assert answer.text.lstrip().startswith('<section class="card" id="publish">')
    assert client.post(path, data=data).text.lstrip().startswith("<!doctype")
    answer = client.post(path, data=data | {"reason": "the works council agreed"}, headers=HTMX)
    assert answer.headers["hx-redirect"] == stored.page
    assert 'id="publish"' not in client.get(stored.page).text


def test_an_older_draft_is_published_by_its_own_misgivings(
    stored: Stored, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    data = {"version_id": stored.versions[0]}
    text = client.post(f"{stored.page}/publish", data=data, headers=HTMX).text
    assert "Publish version 1" in text
    assert "hard rules are broken" not in text  # only version 2 breaks one


# -- cells ----------------------------------------------------------------------------------------


def test_a_cell_is_locked_explained_and_unlocked(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    query = f"?version={stored.versions[0]}"
    panel = client.get(stored.cell("B") + query, headers=HTMX).text
    for word in ("B Li", "senior", "Early", "08:00–16:30", "on site", "Lock cell"):
        assert word in panel
    locked = client.post(
        f"{stored.cell('B')}/lock{query}",
        data={"kind": "fix", "shift": "early", "reason": "course <b>"}, headers=HTMX,
    )  # fmt: skip
    assert locked.headers["hx-trigger"] == "locks-changed"
    assert "course &lt;b&gt;" in locked.text
    assert '<td class="s-early fix">' in client.get(f"{stored.page}?version=1").text
    why = client.get(f"{stored.cell('B')}/why{query}", headers=HTMX).text
    for word in ("Why so", "Instead", "given to A Li", "people missing"):
        assert word in why
    client.post(f"{stored.cell('B')}/unlock{query}", headers=HTMX)
    with transaction(fresh_engine) as session:
        assert session.exec(select(tables.RosterLock)).all() == []


def test_a_wrong_lock_is_refused_with_words(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    answer = client.post(
        f"{stored.cell('B')}/lock", data={"kind": "fix", "shift": "tea"}, headers=HTMX
    )
    assert (answer.status_code, answer.headers["hx-retarget"]) == (422, "#notices")
    assert "there is no such shift" in answer.text
    assert client.get(stored.cell("B", date(2026, 12, 1))).status_code == 404


def test_a_cell_of_a_version_nobody_solved_offers_nothing_that_fails(
    stored: Stored, fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    client = signed_in(Role.PLANNER)
    query = f"?version={stored.versions[0]}"
    solved = client.get(stored.cell("B") + query, headers=HTMX).text
    assert "/why?" in solved
    assert "was not made by a solve" not in solved
    with transaction(fresh_engine) as session:
        session.get_one(tables.RosterVersion, stored.versions[0]).problem = {}
    brought = client.get(stored.cell("B") + query, headers=HTMX).text
    assert "This version was not made by a solve" in brought
    assert "Lock cell" in brought
    for path in ("/why?", "/edit", "/repair"):
        assert path not in brought


def test_who_may_not_plan_sees_the_cell_without_the_form(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.DISPATCHER)
    text = client.get(stored.cell("B"), headers=HTMX).text
    assert "B Li" in text
    assert "<form" not in text
    page = client.get(stored.page).text
    assert "/solve" not in page
    assert 'id="publish"' not in page


# -- files ----------------------------------------------------------------------------------------


def test_files_are_handed_out_under_safe_names(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER, language="zh")
    answer = client.get(f"{stored.page}/month.xlsx?version=1")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="roster-{stored.roster}-v1.xlsx"'
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["排班表", "班次"]
    answer = client.get(f"{stored.page}/duties.csv?version=1")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.count("\r\n") == 3  # a header and two duties


# -- holiday duty ---------------------------------------------------------------------------------


def test_an_empty_duty_table_says_how_to_fill_it(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    words = ("Duty leader", "Lead · Site", "1 October", "Nobody is on the table yet", "1 missing")
    assert not missing(client.get("/duty", params=PERIOD | {"lang": "en"}).text, *words)
    words = ("带班领导", "主班 · 地点", "10月1日", "值班表还是空的", "缺 1 人")
    assert not missing(client.get("/duty", params=PERIOD | {"lang": "zh"}).text, *words)
    period = {"from": "2026-11-02", "until": "2026-11-08"}
    assert "no duty table is needed" in client.get("/duty", params=period).text
    answer = client.post("/duty/propose", data=period)
    assert answer.status_code == 422
    assert "no named day off" in answer.text


def test_a_proposed_table_shows_names_telephones_reasons_and_the_ledger(
    fresh_engine: sa.Engine,
    stored: Stored,
    signed_in: SignIn,
    work_off: Callable[[sa.Engine], None],
) -> None:
    client = signed_in(Role.PLANNER)
    answer = client.post("/duty/propose", data=PERIOD)
    assert answer.headers["location"] == "/duty?from=2026-09-28&until=2026-10-04"
    assert 'hx-get="/duty/work?' in client.get(answer.headers["location"]).text
    assert client.post("/duty/propose", data=PERIOD).status_code == 409
    work_off(fresh_engine)
    ended = client.get("/duty/work", params=PERIOD)
    assert ended.headers["hx-refresh"] == "true"
    text = client.get(answer.headers["location"]).text
    for word in ("A Li", 'href="tel:1A"', "standby", "to be reached within 60 min", "<details>",
                 "Ledger of named days", "Spread of burden", '<rect class="added"',
                 "grade too low 4"):  # fmt: skip
        assert word in text
    assert "&lt;script&gt;alert" in text  # D is in the ledger
    assert "<script>alert" not in text
    book = openpyxl.load_workbook(io.BytesIO(client.get("/duty/table.xlsx", params=PERIOD).content))
    assert book.sheetnames == ["Duty table", "Contact card", "Checked before", "Costs", "Ledger"]


# -- who may --------------------------------------------------------------------------------------

READ = ("/rosters", "{page}", "{page}/compare?left=1&right=2", "{page}/days/2026-09-28",
        "{page}/month.xlsx", "{page}/duties.csv", "{cell}",
        "/duty?from=2026-09-28&until=2026-10-04",
        "/duty/table.xlsx?from=2026-09-28&until=2026-10-04")  # fmt: skip
PLAN = (
    ("POST", "/rosters/plan", PERIOD),
    ("POST", "/rosters/open", PERIOD | {"team": "1"}),
    ("POST", "/rosters/solve", PERIOD),
    ("POST", "{page}/solve", {}),
    ("POST", "{page}/replay", {"version_id": "{version}"}),
    ("POST", "{page}/publish", {"version_id": "{version}", "reason": "x"}),
    ("GET", "{cell}/why?version={version}", {}),
    ("GET", "{page}/desk?version={version}", {}),
    ("POST", "{page}/edit", {"version": "{version}", "seen": "0", "change": "1|2026-09-28|"}),
    ("POST", "{page}/undo", {"version": "{version}", "seen": "0"}),
    ("POST", "{page}/redo", {"version": "{version}", "seen": "0"}),
    ("POST", "{page}/keep", {"version": "{version}", "seen": "0"}),
    ("POST", "{page}/restore", {"version": "{version}"}),
    ("GET", "{page}/gap?version={version}&day=2026-09-28&start=540", {}),
    ("GET", "{page}/repair?version={version}&agent=1&from=2026-09-28&until=2026-09-28", {}),
    (
        "POST",
        "{page}/repair",
        {
            "version": "{version}",
            "seen": "0",
            "agent": "1",
            "from": "2026-09-28",
            "until": "2026-09-28",
        },
    ),
    ("POST", "{cell}/lock", {"kind": "fix"}),
    ("POST", "{cell}/unlock", {}),
    ("POST", "/duty/propose", PERIOD),
)


def filled(stored: Stored, text: str) -> str:
    places = {"page": stored.page, "cell": stored.cell("B"), "version": stored.versions[0]}
    return text.format(**places)


def test_a_role_without_the_right_is_refused_every_route_with_words(
    stored: Stored, signed_in: SignIn
) -> None:
    client = signed_in(Role.REVIEWER)
    for path in READ:
        answer = client.get(filled(stored, path))
        assert answer.status_code == 403, path
        assert "rosters.view" in answer.text


def test_who_may_only_look_is_refused_every_change_with_words(
    stored: Stored, signed_in: SignIn
) -> None:
    client = signed_in(Role.AGENT)
    for path in READ:
        assert client.get(filled(stored, path)).status_code == 200, path
    for method, path, data in PLAN:
        fields = {name: filled(stored, value) for name, value in data.items()}
        answer = client.request(method, filled(stored, path), data=fields or None)
        assert answer.status_code == 403, path
        assert re.search(r"rosters\.(plan|publish)", answer.text), path


def test_a_change_without_the_token_is_refused(stored: Stored, signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    del client.headers["x-csrf-token"]
    assert client.post(f"{stored.page}/solve", data={"seconds": "5"}).status_code == 403
