"""The sample desk: its figures, and each desk in a real browser, in both languages.

One file, so that one worker makes the demo once for all of it.
"""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from wfm.words import Role

PICTURES = os.environ.get("WFM_PICTURES")  # a folder: keep what the tests see, for the guides
PAGES = {
    "grades": ("lead", "/grades"),
    "grade-case": ("lead", "/grades/2026-09/A001"),
    "grade-own": ("agent", "/grades/me"),
    "grade-fairness": ("lead", "/grades/fairness?cycle=2026-08"),
    "grade-funnel": ("lead", "/grades/funnel?cycle=2026-09"),
    "grade-calibration": ("lead", "/grades/calibration"),
    "grade-mix": ("lead", "/grades/mix"),
    "grade-policy": ("lead", "/grades/policy"),
    "rosters": ("planner", "/rosters"),
    "forecast": ("planner", "/forecast"),
    "roster": ("planner", "/rosters/7"),
    "duty": ("planner", "/duty?from=2026-10-01&until=2026-10-07"),
    "duty-wishes": ("planner", "/duty/wishes"),
    "duty-handover": ("planner", "/duty/handover?from=2026-10-01&until=2026-10-07"),
    "duty-costs": ("planner", "/duty/costs?from=2026-10-01&until=2026-10-07"),
    "duty-posts": ("planner", "/duty/posts"),
    "dispatch": ("dispatcher", "/dispatch"),
    "service-levels": ("manager", "/service-levels"),
    "agreement": ("manager", "/service-levels/agreements/13"),
    "service-report": ("manager", "/service-levels/report"),
    "notices": ("manager", "/service-levels/notices"),
    "imports": ("planner", "/imports"),
    "jobs": ("planner", "/jobs"),
    "requests": ("planner", "/requests"),
    "my-desk": ("agent", "/me"),
    "my-records": ("agent", "/me/records"),
    "account": ("agent", "/account"),
    "access": ("auditor", "/access"),
    "accounts": ("admin", "/accounts"),
}
# of a table: those below are made alike, and take axe most of its time
FIRST_ROWS = {"exclude": [["tbody tr:nth-child(n+9)"]]}
LARGEST_PAGE = 200_000  # bytes before compression


def kept(visit, name: str, language: str) -> None:
    if PICTURES:
        path = Path(PICTURES) / f"{name}-{language}.png"
        visit.page.screenshot(path=path, full_page=False)


def test_all_records_land(demo) -> None:
    assert demo.figures["tickets"] > 70_000
    assert demo.figures["events"] > 5 * demo.figures["tickets"]
    assert demo.figures["rejected"] == 0


def test_nobody_is_lost_between_grades_before_and_after(demo) -> None:
    before, after = demo.figures["grades_before"], demo.figures["grades_after"]
    assert sum(before.values()) == sum(after.values()) == 120
    assert sum(demo.figures["moves"].values()) == 120
    # what needs a person is left to one: nothing takes effect unsigned
    moves = demo.figures["moves"]
    assert demo.figures["undecided"] == moves.get("undecided", 0) + moves.get("blocked", 0)


def test_the_forecast_beats_last_week_again(demo) -> None:
    assert demo.figures["forecast_wape"] < demo.figures["naive_wape"]


def test_rosters_are_lawful_and_near_their_bound(demo) -> None:
    figures = demo.figures
    assert figures["hard_violations"] == 0
    assert figures["roster_bound"] <= figures["roster_cost"]
    assert 0.8 < figures["covered_share"] <= 1


def test_every_holiday_post_is_filled(demo) -> None:
    # National Day 2026: seven days × seven posts (a leader; lead, deputy, standby at two sites)
    assert demo.figures["posts"] == demo.figures["posts_filled"] == 49


def test_promises_come_with_an_interval(demo) -> None:
    figures = demo.figures
    assert 0 < figures["promises_low"] <= figures["promises_kept"] <= figures["promises_high"] <= 1


def test_there_is_a_sign_in_for_each_role(demo) -> None:
    assert {role for role, _, _ in demo.figures["sign_ins"]} == {role.value for role in Role}


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_an_error_and_is_small_and_fits(visit, name, language) -> None:
    account, path = PAGES[name]
    here = visit(account, language)
    answer = here.open(path)
    page = here.page
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert len(answer.body()) <= LARGEST_PAGE
    for width in (390, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator("h1").first.is_visible()
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{name} is {overflow} px wider than a window of {width} px"
        if (language, width) == ("zh", 1400):
            assert serious_faults(page) == []
    assert here.errors == []
    kept(here, name, language)  # last: taking a picture sets a style of its own


def kind_of(path: str) -> str:
    """The route of an address: what holds a figure is the name of one thing of many."""
    return re.sub(r"/[^/]*\d[^/]*", "/*", path.partition("?")[0])


def led_to(html: str) -> list[str]:
    """Pages a page leads to; files to keep and events are none."""
    found = map(unescape, re.findall(r'(?:href|hx-get)="(/[^"#]+)"', html))
    none = re.compile(r"\.\w+$|^/(static|live|feeds|grades/files|health)\b")
    return [path for path in found if not none.search(path.partition("?")[0])]


@pytest.mark.browser
def test_every_other_page_anybody_is_led_to_is_without_a_fault_too(visit) -> None:
    """Pages are followed from where each role starts; each kind is looked at once, the languages
    and widths by turns."""
    looked_at = {kind_of(path) for _, path in PAGES.values()}
    followed: set[str] = set()
    wrong = []
    for number, account in enumerate(
        ("planner", "lead", "dispatcher", "agent", "manager", "auditor", "reviewer", "admin")
    ):
        here = visit(account, ("zh", "en")[number % 2])
        page = here.page
        waiting = ["/", *(path for role, path in PAGES.values() if role == account)]
        while waiting:
            path = waiting.pop(0)
            kind = kind_of(path)
            if kind in followed and kind != "/":
                continue
            answer = page.request.get(here.address + path)
            html = answer.text() if answer.ok else ""
            if path != "/" and kind_of(answer.url.removeprefix(here.address)) != kind:
                continue  # it leads on: what it is about has to be chosen first
            followed.add(kind)
            waiting += led_to(html)
            if kind == "/" or kind in looked_at or (answer.ok and "<html" not in html):
                continue
            looked_at.add(kind)
            page.set_viewport_size({"width": (1400, 390)[len(looked_at) % 2], "height": 900})
            page.goto(here.address + path)
            overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            told = (answer.status, page.locator("h1").count(), overflow, serious_faults(page))
            if told != (200, 1, 0, []) or here.errors:
                wrong.append((account, path, told, here.errors.copy()))
            here.errors.clear()
    assert wrong == []
    assert len(looked_at) > 45, sorted(looked_at)


def serious_faults(page) -> list[tuple[str, list[str]]]:
    """What axe-core finds that keeps somebody from using the page."""
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"][:3]])
        for fault in Axe().run(page, context=FIRST_ROWS).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_spring_festival_is_proposed_swapped_and_put_back(visit, language) -> None:
    """A planner's way through a holiday, by keyboard where a dialog opens."""
    here = visit("planner", language)
    here.open("/duty?from=2027-02-05&until=2027-02-10")
    page = here.page
    page.set_default_timeout(120_000)  # a worker searches for the table
    page.click("form[action='/duty/propose'] button")
    page.wait_for_url("**/duty?from=2027-02-05*")
    page.locator("#duty-work progress").wait_for(state="detached")
    page.wait_for_selector(".holder")
    kept(here, "duty-spring", language)
    holder = page.locator("table.duty .holder strong").first
    before = holder.inner_text()
    page.locator("table.duty .holder a.edit").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#place[open] input[name=to]")
    kept(here, "duty-swap", language)
    page.locator("dialog#place button.main").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("form[action='/duty/undo']")
    assert holder.inner_text() != before
    page.locator("form[action='/duty/undo'] button").first.click()
    page.wait_for_load_state()
    assert holder.inner_text() == before
    assert here.errors == []
