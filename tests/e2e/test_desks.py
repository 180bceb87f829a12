"""Each desk in a real browser: in both languages, wide and narrow, without an error logged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

PICTURES = os.environ.get("WFM_PICTURES")  # a folder: keep what the tests see, for the guides
PAGES = {
    "grades": ("lead", "/grades"),
    "rosters": ("planner", "/rosters"),
    "roster": ("planner", "/rosters/7"),
    "duty": ("planner", "/duty?first=2026-10-01&last=2026-10-08"),
    "dispatch": ("dispatcher", "/dispatch"),
    "imports": ("planner", "/imports"),
    "jobs": ("planner", "/jobs"),
}
LARGEST_PAGE = 200_000  # bytes before compression


def kept(visit, name: str, language: str, width: int) -> None:
    if PICTURES and width > 1000:
        path = Path(PICTURES) / f"{name}-{language}.png"
        visit.page.screenshot(path=path, full_page=False)


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_and_fits(visit, name, language, width) -> None:
    account, path = PAGES[name]
    here = visit(account, language, width)
    page = here.open(path)
    assert page.locator("h1").first.is_visible()
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"{name} is {overflow} px wider than the window"
    assert here.errors == []
    kept(here, name, language, width)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_small(visit, name) -> None:
    account, path = PAGES[name]
    here = visit(account)
    assert len(here.page.request.get(here.address + path).body()) <= LARGEST_PAGE


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_accessibility_fault(visit, name) -> None:
    account, path = PAGES[name]
    found = Axe().run(visit(account).open(path))
    serious = [
        (fault["id"], [node["html"][:120] for node in fault["nodes"][:3]])
        for fault in found.response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []
