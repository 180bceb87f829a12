"""The forecast page: what it shows in both languages, adjusting, undoing, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from web.forecast_charts import DayPoint, SlotPoint, days, slots
from wfm import tables
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.services import demand
from wfm.words import AgreementKind, AgreementStatus, Grade, Metric, Role

SignIn = Callable[..., TestClient]
ZONE = "Asia/Shanghai"
FIRST, LAST = date(2026, 6, 1), date(2026, 6, 28)
PAGE = f"/forecast?from={FIRST}&until={LAST}"
PERIOD = {"from": str(FIRST), "until": str(LAST), "skill": "s"}
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def put_desk(session: Session) -> None:
    """One team, one skill, one agreement, four weeks of twenty tickets each morning."""
    team = tables.Team(code="t", name_en="T", name_zh="甲组")
    skill = tables.Skill(code="s", name_en="Network", name_zh="网络")
    service = tables.Service(code="net", name_en="Net", name_zh="网")
    session.add_all([team, skill, service])
    session.flush()
    agreement = tables.Agreement(
        code="SLA-net", kind=AgreementKind.SLA, status=AgreementStatus.IN_FORCE,
        service_id=service.id,
    )  # fmt: skip
    agent = tables.Agent(code="A1", name="A1")
    session.add_all([agreement, agent])
    session.flush()
    since = date(2026, 1, 1)
    session.add_all([
        tables.AgreementTarget(agreement_id=agreement.id, metric=Metric.FIRST_RESPONSE,
                               priority=3, limit_s=1800, share=0.9),
        tables.AgentTeam(agent_id=agent.id, team_id=team.id, valid_from=since),
        tables.AgentGrade(agent_id=agent.id, grade=Grade.ORDINARY, valid_from=since),
        tables.AgentSkill(agent_id=agent.id, skill_id=skill.id, proficiency=3, valid_from=since),
    ])  # fmt: skip
    for day in range(28):
        session.add_all(
            tables.Ticket(
                code=f"T{day}-{number}", skill_id=skill.id, service_id=service.id,
                respond_within_s=1800, handle_s=600,
                opened_at=datetime(2026, 5, 4, 1, tzinfo=UTC)
                + timedelta(days=day, minutes=4 * number),
            )
            for number in range(20)
        )  # fmt: skip
    session.flush()


@pytest.fixture
def desk(fresh_engine: sa.Engine) -> sa.Engine:
    with transaction(fresh_engine) as session:
        put_desk(session)
        demand.make_plan(session, SYSTEM, FIRST, LAST, ZONE, NOW)
    return fresh_engine


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Network", "Back-test", "last week again", "Dragon Boat Festival", "×",
                "Requirement and its sources", "SLA-net v1 P3: 30 min, 90 %", "80 % interval")),
        ("zh", ("网络", "回测", "照搬上周", "端午节", "人力需求及其依据", "首次响应在 30 分钟内")),
    ],
)  # fmt: skip
def test_the_page_shows_forecast_errors_special_days_and_sources(
    desk: sa.Engine, signed_in: SignIn, language: str, words: tuple[str, ...]
) -> None:
    page = signed_in(Role.PLANNER, language=language).get(PAGE)
    assert page.status_code == 200
    assert [word for word in words if word not in page.text] == []
    assert page.text.count('class="forecast"') == 2  # both pictures
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_without_a_plan_the_page_says_what_to_do(
    fresh_engine: sa.Engine, signed_in: SignIn
) -> None:
    page = signed_in(Role.PLANNER).get(PAGE)
    assert page.status_code == 200
    assert "There is no forecast for this period yet" in page.text
    assert 'action="/forecast/plan"' in page.text


def test_an_adjustment_is_kept_with_its_reason_and_the_next_plan_follows_it(
    desk: sa.Engine, signed_in: SignIn
) -> None:
    browser = signed_in(Role.PLANNER)
    answer = browser.post(
        "/forecast/adjust",
        data=PERIOD | {"day_from": "2026-06-03", "day_until": "2026-06-03", "percent": "50",
                       "reason": "A mailing <b>to all</b>", "only": "s"},
    )  # fmt: skip
    assert answer.status_code == 303
    page = browser.get(PAGE).text
    assert "A mailing &lt;b&gt;to all" in page
    assert "+50 %" in page
    assert "make it anew" in page  # the plan is older than the adjustment
    with transaction(desk) as session:
        plan = demand.make_plan(session, SYSTEM, FIRST, LAST, ZONE, NOW + timedelta(days=900))
        days_ = {one["date"]: one for one in plan.facts["skills"]["s"]["days"]}
        third, fourth = days_["2026-06-03"], days_["2026-06-04"]
        assert third["contacts"] == pytest.approx(1.5 * third["base"], abs=0.1)
        assert fourth["contacts"] == fourth["base"]
        audited = session.exec(select(tables.AuditEntry.action)).all()
        assert "forecast.adjust" in audited
    assert "before adjustment" in browser.get(PAGE).text
    assert 'class="mark adjusted"' in browser.get(PAGE).text


def test_an_adjustment_is_undone_once_and_stays_in_the_register(
    desk: sa.Engine, signed_in: SignIn
) -> None:
    browser = signed_in(Role.PLANNER)
    browser.post(
        "/forecast/adjust",
        data=PERIOD | {"day_from": "2026-06-03", "day_until": "2026-06-04", "percent": "-100",
                       "hour_from": "09:00", "hour_until": "10:00", "reason": "closed"},
    )  # fmt: skip
    with transaction(desk) as session:
        row = session.exec(select(tables.ForecastAdjustment)).one()
        number = row.id
        assert (row.minute_from, row.minute_until, row.factor, row.skill_id) == (540, 600, 0, None)
    url = f"/forecast/adjustments/{number}/withdraw"
    assert browser.post(url, data=PERIOD).status_code == 303
    assert 'class="withdrawn"' in browser.get(PAGE).text
    assert browser.post(url, data=PERIOD).status_code == 409
    with transaction(desk) as session:
        plan = demand.make_plan(session, SYSTEM, FIRST, LAST, ZONE, NOW)
        assert all(one["contacts"] == one["base"] for one in plan.facts["skills"]["s"]["days"])


@pytest.mark.parametrize(
    "wrong",
    [{"reason": "  "}, {"day_until": "2026-06-01"}, {"only": "nothing"},
     {"hour_from": "12:00", "hour_until": "11:00"}, {"percent": "5000"}],
)  # fmt: skip
def test_an_adjustment_that_cannot_be_is_refused(
    desk: sa.Engine, signed_in: SignIn, wrong: dict[str, str]
) -> None:
    data = PERIOD | {"day_from": "2026-06-03", "day_until": "2026-06-04", "percent": "5",
                     "reason": "x"} | wrong  # fmt: skip
    assert signed_in(Role.PLANNER).post("/forecast/adjust", data=data).status_code == 422


def test_only_planners_change_the_forecast(desk: sa.Engine, signed_in: SignIn) -> None:
    browser = signed_in(Role.LEAD)
    assert browser.get(PAGE).status_code == 200
    assert 'action="/forecast/adjust"' not in browser.get(PAGE).text
    data = PERIOD | {"day_from": "2026-06-03", "day_until": "2026-06-04", "percent": "5",
                     "reason": "x"}  # fmt: skip
    assert browser.post("/forecast/adjust", data=data).status_code == 403
    assert browser.post("/forecast/plan", data=PERIOD).status_code == 403


@pytest.mark.parametrize(
    ("more", "status"), [("&skill=none", 404), ("&day=2027-01-01", 404), ("&day=2026-06-05", 200)]
)
def test_what_the_plan_does_not_know_is_said(
    desk: sa.Engine, signed_in: SignIn, more: str, status: int
) -> None:
    assert signed_in(Role.PLANNER).get(PAGE + more).status_code == status


def test_the_pictures_hold_their_points() -> None:
    drawn = str(days([
        DayPoint("05-31", "31 May: came 4", actual=4.0),
        DayPoint("06-01", "1 June: <expected> 5", expected=5.0, base=4.0, low=2.0, high=9.0,
                 mark="special"),
        DayPoint("06-02", "2 June", expected=6.0, base=6.0, low=2.0, high=10.0, rest=True),
    ], "days"))  # fmt: skip
    assert "1 June: &lt;expected&gt; 5" in drawn
    assert 'class="mark special"' in drawn
    assert 'class="band"' in drawn
    assert 'class="rest"' in drawn
    # the axis ends at 10: the day of 6 lies at 200 - 186 · 0.6 = 88.4
    assert "88.4" in drawn
    day = str(slots([SlotPoint("09:00", "nine", 3.0, 1.0, 5.0, 2)], "slots"))
    assert 'class="contacts"' in day
    assert 'class="line people"' in day
