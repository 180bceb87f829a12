"""The live queue in a real browser: what others do is seen, also after the connection was lost."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from starlette.testclient import TestClient

from web.boards import GZIP_HEADER, _packed, event_of
from wfm import instants
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.services import accounts, dispatching
from wfm.tables import Skill, Ticket
from wfm.words import Role

PASSWORD = "Right-answer-42"
ZONE = "Asia/Shanghai"


def put(engine: sa.Engine, code: str, minutes: int) -> None:
    """A ticket that came so many minutes ago, as an import would bring it."""
    with transaction(engine) as session:
        net = session.exec(select(Skill).where(Skill.code == "net")).one()
        opened = instants.now() - timedelta(minutes=minutes)
        session.add(Ticket(code=code, opened_at=opened, skill_id=net.id, respond_within_s=3600))


def give(engine: sa.Engine, code: str, agent: str) -> None:
    """Somebody else at the desk gives a ticket away."""
    with transaction(engine) as session:
        dispatching.assign(session, SYSTEM, code, agent, instants.now(), ZONE, "by another")


@pytest.fixture
def desk(
    fresh_engine: sa.Engine, open_desk: Callable[..., None], served: Callable[[sa.Engine], Any]
) -> Any:
    """The desk served, with three tickets that wait."""
    with transaction(fresh_engine) as session:
        open_desk(
            session, instants.now(), A=("ordinary", {"net": 3}, 3), B=("senior", {"net": 3}, 3)
        )
        accounts.create(session, "dana", "Dana", PASSWORD, [(Role.DISPATCHER, None)],
                        instants.now(), language="en")  # fmt: skip
    for code, minutes in (("T1", 5), ("T2", 50), ("T3", 65)):
        put(fresh_engine, code, minutes)
    return served(fresh_engine)


@pytest.fixture
def page(browser: Browser, desk: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    opened = context.new_page()
    opened.goto(f"{desk.address}/sign-in")
    opened.fill("input[name=name]", "dana")
    opened.fill("input[name=password]", PASSWORD)
    opened.click("main button.main")
    opened.wait_for_url("**/dispatch")
    yield opened
    context.close()


@pytest.mark.browser
def test_the_queue_is_right_after_the_connection_was_lost(page: Page, desk: Any) -> None:
    rows = page.locator("section table.queue").first.locator("tbody tr:has(a[id^='t-'])")
    expect(rows).to_have_count(3)
    expect(rows.last).to_have_class(re.compile("risk-late"))
    left = page.locator("[data-left]").first
    before = left.inner_text()
    page.locator("#g-senior summary").click()  # what is folded stays folded

    give(desk.engine, "T1", "A")  # somebody else acts: seen without a reload
    expect(rows).to_have_count(2)
    expect(page.locator("#g-senior")).not_to_have_attribute("open", "")
    expect(left).not_to_have_text(before)  # the clocks run

    desk.stop()
    expect(page.locator("body")).to_have_class(re.compile("offline"))
    told = page.locator("#notices .lost")
    page.evaluate("htmx.trigger('#board', 'sse:changed')")
    expect(told).to_have_text(re.compile("did not answer"))
    give(desk.engine, "T2", "A")
    put(desk.engine, "T4", 1)
    desk.start()
    expect(page.locator("body")).not_to_have_class(re.compile("offline"), timeout=15_000)
    codes = page.locator("#board a[id^='t-']")
    expect(codes).to_have_text(["T4", "T3"])  # what can be kept first, then the late
    expect(told).to_have_count(0)  # and nothing says any more that the desk does not answer
    # an act that was lost is told until the next one, whatever the list hears meanwhile
    page.route("**/dispatch?lost", lambda route: route.abort())
    page.evaluate("htmx.ajax('GET', '/dispatch?lost', '#board').catch(() => {})")
    expect(told).to_have_count(1)
    page.evaluate("htmx.trigger('#board', 'sse:changed')")
    page.wait_for_load_state("networkidle")
    expect(told).to_have_count(1)
    page.evaluate("htmx.ajax('GET', '/dispatch', '#board')")
    expect(told).to_have_count(0)

    # a pushed board can be acted on, though nobody's token is in it
    page.once("dialog", lambda asked: asked.accept())
    page.click("form[action='/dispatch/hand-out'] button")
    expect(page.locator("#board")).to_contain_text("Nothing waits.")


@pytest.mark.browser
def test_the_sound_of_alarms_can_be_silenced(page: Page) -> None:
    button = page.locator("[data-sound]")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_who_may_not_see_the_queue_does_not_hear_of_it(
    signed_in: Callable[..., TestClient],
) -> None:
    assert signed_in(Role.PLANNER).get("/dispatch/live").status_code == 403


def test_nobody_unknown_hears_of_the_queue(client: TestClient) -> None:
    assert client.get("/dispatch/live").headers["location"].startswith("/sign-in")


def test_pieces_packed_apart_make_one_stream() -> None:
    first, second = event_of("<p>one\ntwo</p>").plain, event_of("<p>three</p>").plain
    assert first == b"event: content\ndata: <p>one\ndata: two</p>\n\n"
    stream = GZIP_HEADER + _packed(first) + _packed(second)
    assert zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(stream) == first + second
