"""The month grid in a real browser: keys, the brush and swapping, without an error of the page."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, Route, expect

from wfm import instants
from wfm.db import transaction
from wfm.services import accounts
from wfm.words import Role

PASSWORD = "Right-answer-42"


@pytest.fixture
def desk(fresh_engine: sa.Engine, planned: Any, served: Callable[[sa.Engine], Any]) -> str:
    """The address of the planned roster on a server."""
    with transaction(fresh_engine) as session:
        accounts.create(session, "boss", "Boss", PASSWORD, [(Role.PLANNER, None)],
                        instants.now(), language="en")  # fmt: skip
    return f"{served(fresh_engine).address}{planned.page}"


@pytest.fixture
def grid(browser: Browser, desk: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    lost = "net::ERR_FAILED"  # the browser's word for what a test let go astray
    page.on("console", lambda told: errors.append(told.text)
            if told.type == "error" and lost not in told.text else None)  # fmt: skip
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(desk)
    page.fill("input[name=name]", "boss")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button.main")
    page.goto(desk)
    expect(page.locator("#desk-bar")).to_contain_text("Nothing changed by hand.")
    yield page
    assert errors == []
    context.close()


def cell(page: Page, row: int, day: int) -> Any:
    """A cell by its row and day; the carried-in days before have no button."""
    return page.locator("table.grid tbody tr[data-agent]").nth(row).locator("td > button").nth(day)


@pytest.mark.browser
def test_cells_are_changed_by_keys_undone_painted_and_swapped(grid: Page) -> None:
    bar = grid.locator("#desk-bar")
    cell(grid, 0, 1).focus()
    grid.keyboard.press("ArrowLeft")
    expect(cell(grid, 0, 0)).to_be_focused()
    # one stop of the Tab key, however many cells there are
    expect(grid.locator("table.grid button[tabindex='0']")).to_have_count(1)
    expect(cell(grid, 0, 0)).to_have_attribute("tabindex", "0")
    grid.keyboard.press("1")
    expect(bar).to_contain_text("Cells changed by hand: 1")
    expect(cell(grid, 0, 0)).to_have_text("E")
    grid.keyboard.press("Control+z")
    expect(bar).to_contain_text("Nothing changed by hand.")
    expect(cell(grid, 0, 0)).to_have_text("·")
    grid.keyboard.press("Control+y")
    expect(cell(grid, 0, 0)).to_have_text("E")
    # a brush drawn over two cells of the next row is one act
    grid.locator("[data-brush=late]").click()
    start, end = cell(grid, 2, 0).bounding_box(), cell(grid, 2, 1).bounding_box()
    grid.mouse.move(start["x"] + 5, start["y"] + 5)
    grid.mouse.down()
    grid.mouse.move(end["x"] + 5, end["y"] + 5)
    grid.mouse.up()
    expect(bar).to_contain_text("Cells changed by hand: 3")
    expect(cell(grid, 2, 1)).to_have_text("L")
    # swapping A's early with C's late
    grid.locator("[data-brush=swap]").click()
    cell(grid, 0, 0).click()
    cell(grid, 2, 0).click()
    expect(cell(grid, 0, 0)).to_have_text("L")
    expect(cell(grid, 2, 0)).to_have_text("E")
    grid.locator("[data-brush='']").click()
    cell(grid, 0, 0).click()
    expect(grid.locator("#cell .cell-card")).to_contain_text("A Li")
    bar.get_by_role("button", name="Keep as new version").click()
    expect(grid.locator("h1")).to_contain_text("version 2")


@pytest.mark.browser
def test_cells_are_chosen_with_shift_and_a_duty_is_dragged(grid: Page) -> None:
    bar = grid.locator("#desk-bar")
    cell(grid, 0, 0).focus()
    for _ in range(2):
        grid.keyboard.press("Shift+ArrowRight")
    expect(grid.locator("table.grid td.chosen")).to_have_count(3)
    grid.keyboard.press("1")
    expect(bar).to_contain_text("Cells changed by hand: 3")
    expect(cell(grid, 0, 2)).to_have_text("E")
    expect(grid.locator("table.grid td.chosen")).to_have_count(0)
    # C is off that day: the duty moves there, and A is off
    start, end = cell(grid, 0, 2).bounding_box(), cell(grid, 2, 2).bounding_box()
    grid.mouse.move(start["x"] + 5, start["y"] + 5)
    grid.mouse.down()
    grid.mouse.move(end["x"] + 5, end["y"] + 5)
    grid.mouse.up()
    expect(cell(grid, 2, 2)).to_have_text("E")
    expect(cell(grid, 0, 2)).to_have_text("·")
    expect(bar).to_contain_text("Cells changed by hand: 3")
    grid.keyboard.press("Control+z")
    expect(cell(grid, 0, 2)).to_have_text("E")
    # a lock draws the grid anew: whoever works by keyboard goes on from the same cell
    cell(grid, 1, 2).focus()
    grid.keyboard.press("l")
    expect(grid.locator("table.grid td.fix")).to_have_count(1)
    expect(cell(grid, 1, 2)).to_be_focused()


@pytest.mark.browser
def test_what_takes_long_is_seen_and_what_is_lost_is_told(grid: Page) -> None:
    held: list[Route] = []
    grid.evaluate("console.error = () => {}")  # htmx tells it there as well
    grid.route("**/cells/**", lambda route: held.append(route))
    cell(grid, 0, 1).click()
    expect(grid.locator("body")).to_have_class("busy")
    for one in held:
        one.abort()
    expect(grid.locator("#notices")).to_contain_text("The desk did not answer.")
    expect(grid.locator("body")).not_to_have_class("busy")


@pytest.mark.browser
def test_the_panel_of_a_red_cell_is_shown_when_it_is_prepared(grid: Page) -> None:
    asked: list[str] = []

    def prepare(route: Route) -> None:
        asked.append(route.request.url)
        again = f'hx-get="{html.escape(asked[0])}" hx-target="this" hx-swap="outerHTML"'
        if len(asked) == 1:
            route.fulfill(content_type="text/html", body=f'<p {again} hx-trigger="load">so far</p>')
        else:
            route.continue_()

    grid.route("**/gap?*", prepare)
    grid.set_viewport_size({"width": 1400, "height": 420})
    grid.locator("table.heat td > button").last.click()
    expect(grid.locator("#cell [data-panel]")).to_be_focused()
    expect(grid.locator("#cell h2")).to_be_in_viewport()
