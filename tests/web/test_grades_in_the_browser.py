"""A whole cycle in a real browser: the lead signs, a second person confirms, an agent appeals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, select

from wfm import instants, tables
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.services import accounts, grade_runs
from wfm.words import Grade, Role

PASSWORD = "Right-answer-42"
FIRST, AS_OF = date(2026, 2, 1), date(2026, 9, 30)
REVIEW = datetime(2026, 10, 9, 2, tzinfo=UTC)  # a Friday; five workdays end on the 15th
ZONE = "Asia/Shanghai"
ROLES = {"lena": Role.LEAD, "mira": Role.SERVICE_MANAGER}


@dataclass
class Clock:
    """The time the desk's pages believe it is."""

    at: datetime = REVIEW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(instants, "now", told)
    return told


def records_of(session: Session, agent: tables.Agent, level: float) -> None:
    """Eight months of work at a level between 0 and 1."""
    for number in range(160):
        opened = datetime(2026, 3, 1, 2, tzinfo=UTC) + timedelta(hours=31 * number)
        done = number % 20 < round(12 + 8 * level)
        session.add(
            tables.Ticket(
                code=f"{agent.code}-{number}", opened_at=opened, owner_id=agent.id,
                resolved_at=opened, resolved=done, independent=done, reopened=False,
                state="closed",
            )
        )  # fmt: skip
        if number % 4 == 0:
            session.add(
                tables.Survey(
                    code=f"{agent.code}-s{number}", agent_id=agent.id,
                    answered_on=opened.date(), score=5 if number % 20 < 12 + 8 * level else 2,
                )
            )  # fmt: skip
        if number % 8 == 0:
            session.add(
                tables.QualityReview(
                    code=f"{agent.code}-q{number}", agent_id=agent.id, reviewer="R",
                    reviewed_on=opened.date(), score=74 + 20 * level + number % 3,
                )
            )  # fmt: skip


@pytest.fixture
def desk(fresh_engine: sa.Engine) -> sa.Engine:
    """Three agents and a draft: one rises to senior, one to expert, one keeps."""
    with transaction(fresh_engine) as session:
        team = tables.Team(code="north", name_en="North", name_zh="北组")
        session.add(team)
        session.flush()
        for code, grade, level in (
            ("A1", Grade.ORDINARY, 1.0), ("A2", Grade.SENIOR, 1.0), ("A3", Grade.ORDINARY, 0.0),
        ):  # fmt: skip
            agent = tables.Agent(code=code, name=f"{code} Li", hired_on=date(2019, 1, 1))
            session.add(agent)
            session.flush()
            begin = date(2020, 1, 1)
            session.add(tables.AgentTeam(agent_id=agent.id, team_id=team.id, valid_from=begin))
            session.add(tables.AgentGrade(agent_id=agent.id, grade=grade, valid_from=begin))
            records_of(session, agent, level)
            if code == "A3":
                accounts.create(
                    session, "ada", "Ada", PASSWORD, [(Role.AGENT, None)], REVIEW,
                    agent_id=agent.id, language="en",
                )  # fmt: skip
        for name, role in ROLES.items():
            accounts.create(session, name, name.title(), PASSWORD, [(role, None)], REVIEW,
                            language="en")  # fmt: skip
        session.flush()
        grade_runs.run_cycle(session, SYSTEM, "2026-09", FIRST, AS_OF, ZONE, REVIEW)
    return fresh_engine


@pytest.fixture
def address(desk: sa.Engine, clock: Clock, served: Callable[[sa.Engine], Any]) -> str:
    """The desk served in this process, so that its clock can be set."""
    return str(served(desk).address)


@dataclass
class Visit:
    """A signed-in browser of its own."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[[str], Visit]]:
    contexts = []

    def sign_in(name: str) -> Visit:
        context = browser.new_context(viewport={"width": 390 if name == "ada" else 1400,
                                                "height": 900})  # fmt: skip
        contexts.append(context)
        found = Visit(context.new_page(), address)
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        found.page.on("dialog", lambda dialog: dialog.accept())
        found.open("/sign-in")
        found.page.fill("input[name=name]", name)
        found.page.fill("input[name=password]", PASSWORD)
        found.page.click("main button.main")
        found.page.wait_for_url(lambda url: "/sign-in" not in url)
        return found

    yield sign_in
    for context in contexts:
        context.close()


def test_a_cycle_from_draft_to_effect(
    visit: Callable[[str], Visit], desk: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    lead = visit("lena")
    page = lead.open("/grades")
    expect(page.get_by_text("Nobody signs a draft")).to_be_visible()
    page.get_by_role("button", name="Open for review").click()
    expect(page.get_by_text("To be signed by 2026-10-22: 10 working days left.")).to_be_visible()

    # the lead signs what rises, one of them with a reason and a file instead of the proposal
    page = lead.open("/grades/2026-09/A1")
    page.get_by_role("button", name="Accept: Senior").click()
    expect(page.locator("#decision .notice.good")).to_contain_text("Signed: lena")
    page = lead.open("/grades/2026-09/A2")
    page.get_by_role("button", name="Accept: Expert").click()
    expect(page.locator("#decision")).to_contain_text("takes a second person's signature")
    expect(page.get_by_role("button", name="Sign as the second person")).to_have_count(0)
    page = lead.open("/grades/2026-09/A3")
    page.get_by_text("Override …").click()
    page.get_by_label("Grade instead").select_option("senior")
    page.locator("#decision textarea").first.fill("leads the night shift")
    proof = tmp_path / "letter.txt"
    proof.write_text("a letter", encoding="utf-8")
    page.locator("#decision input[type=file]").first.set_input_files(proof)
    page.get_by_role("button", name="Override").click()
    expect(page.locator("#decision")).to_contain_text("letter.txt")
    # … and thinks better of it: undo, then accept
    page.get_by_role("button", name="Withdraw my signature").click()
    expect(page.locator("#decision .notice").first).to_contain_text("Unsigned")
    page.get_by_role("button", name="Accept: Ordinary").click()
    expect(page.locator("#decision .notice.good")).to_be_visible()
    page = lead.open("/grades")
    expect(page.get_by_text("1 case has to be signed before publishing.")).to_be_visible()

    second = visit("mira")
    page = second.open("/grades?state=half")
    page.get_by_role("link", name="A2 Li").click()
    page.get_by_role("button", name="Sign as the second person: Expert").click()
    expect(page.locator("#decision")).to_contain_text("Confirmed by a second person")

    agent = visit("ada")
    page = agent.open("/grades/me")
    expect(page.get_by_text("Until it is signed and published")).to_be_visible()
    page = lead.open("/grades")
    page.get_by_role("button", name="Publish the results").click()
    expect(
        page.get_by_text("Open to appeal until 2026-10-15: 5 working days left.")
    ).to_be_visible()

    page = agent.open("/grades/me")
    page.get_by_text("I do not agree: appeal …").click()
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("Say why, in a few words at least.")).to_be_visible()
    page.locator("#appeal textarea").fill("half of my surveys were meant for a colleague")
    page.locator("#appeal input[type=file]").set_input_files(proof)
    page.get_by_role("button", name="Appeal").click()
    expect(page.get_by_text("Your appeal waits for a second reviewer.")).to_be_visible()

    page = lead.open("/grades/2026-09/A3")  # who signed does not decide
    expect(page.locator("#decision")).to_contain_text("A person who has not signed this case")
    expect(page.get_by_role("button", name="Decide the appeal")).to_have_count(0)
    page = second.open("/grades?state=appealed")
    page.get_by_role("link", name="A3 Li").click()
    page.get_by_label("Grade after the appeal").select_option("senior")
    page.locator("#decision textarea").first.fill("they were; without them senior is deserved")
    page.get_by_role("button", name="Decide the appeal").click()
    expect(page.locator("#decision .notice.good")).to_contain_text("Senior")

    clock.at = REVIEW + timedelta(days=7)  # sessions have long ended
    lead, agent = visit("lena"), visit("ada")
    page = lead.open("/grades")
    page.get_by_role("link", name="Let signed grades take effect …").click()
    page.get_by_role("button", name="Change 3 grades").click()
    page.wait_for_url("**/grades?cycle=2026-09")
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("effective 2026-10-16")
    page = agent.open("/grades/me")
    expect(page.get_by_text("In force since 2026-10-16.")).to_be_visible()
    expect(page.get_by_text("Granted on appeal")).to_be_visible()
    with transaction(desk) as session:
        held = session.exec(
            select(tables.AgentGrade.grade).where(tables.AgentGrade.valid_from > AS_OF)
        ).all()
    assert sorted(grade.value for grade in held) == ["expert", "senior", "senior"]
    assert lead.errors == second.errors == agent.errors == []
