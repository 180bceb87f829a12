"""The sample desk: its figures, and each desk in a real browser, in both languages.

One file, so that one worker makes the demo once for all of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from wfm.access import RIGHTS
from wfm.words import Role

ROUTES = Path(__file__).parents[2] / "docs" / "reference" / "routes.md"
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
}
LARGEST_PAGE = 200_000  # bytes before compression
HOLIDAY = "from=2026-10-01&until=2026-10-07"
CELL = "/rosters/7/cells/61/2026-10-13"
PLACES = {  # a place with real content of each route that wants more than its own address
    "/accounts/{number}": "/accounts/4",
    "/dispatch/ticket": "/dispatch/ticket?code=L-account-000009",
    "/dispatch/work": "/dispatch/work?code=L-account-000009",
    "/duty": f"/duty?{HOLIDAY}",
    "/duty/costs": f"/duty/costs?{HOLIDAY}",
    "/duty/handover": f"/duty/handover?{HOLIDAY}",
    "/duty/place": f"/duty/place?{HOLIDAY}&day=2026-10-01&post=1&agent=1",
    "/duty/work": f"/duty/work?{HOLIDAY}",
    "/grades/effect": "/grades/effect?cycle=2026-08",
    "/grades/fairness": "/grades/fairness?cycle=2026-08",
    "/grades/funnel": "/grades/funnel?cycle=2026-09",
    "/grades/records/{assessment_id}": "/grades/records/1?criterion=satisfaction",
    "/grades/{cycle}/{agent}": "/grades/2026-09/A001",
    "/imports/{run_id}": "/imports/1",
    "/jobs/{job_id}": "/jobs/1",
    "/me/swap": "/me/swap?day=2026-10-13",
    "/planning/people/{agent_id}": "/planning/people/61",
    "/rosters/{roster_id}": "/rosters/7",
    "/rosters/{roster_id}/cells/{agent_id}/{day}": f"{CELL}?version=7",
    "/rosters/{roster_id}/cells/{agent_id}/{day}/why": f"{CELL}/why?version=7&shift=late",
    "/rosters/{roster_id}/compare": "/rosters/7/compare?left=7&right=7",
    "/rosters/{roster_id}/conflicts": "/rosters/7/conflicts",
    "/rosters/{roster_id}/days/{day}": "/rosters/7/days/2026-10-13",
    "/rosters/{roster_id}/desk": "/rosters/7/desk?version=7",
    "/rosters/{roster_id}/gap": "/rosters/7/gap?day=2026-10-13&start=600&version=7",
    "/rosters/{roster_id}/pay": "/rosters/7/pay?version=7",
    "/rosters/{roster_id}/repair":
        "/rosters/7/repair?agent=61&from=2026-10-13&until=2026-10-14&version=7",
    "/rosters/{roster_id}/why-not":
        "/rosters/7/why-not?version=7&agent=61&day=2026-10-13&shift=late",
    "/rosters/{roster_id}/work": "/rosters/7/work?version=7",
    "/service-levels/agreements/{agreement_id}": "/service-levels/agreements/13",
    "/service-levels/agreements/{agreement_id}/targets/{target_id}":
        "/service-levels/agreements/13/targets/78",
    "/service-levels/clocks": "/service-levels/clocks?code=T074417",
}  # fmt: skip
WHOSE = {  # where the right depends on the row alone: who sees the row of the sample
    "/duty/work": {Role.PLANNER},
    "/grades/me": {Role.AGENT},
    "/requests": {Role.PLANNER, Role.LEAD, Role.ADMINISTRATOR},
}
NOT_IN_SAMPLE = {"/webhooks/{number}"}
DOWNLOADS = {
    "/duty/table.ics", "/duty/table.xlsx", "/grades/allowances.xlsx",
    "/grades/files/{attachment_id}", "/imports/template/{kind}.csv",
    "/imports/{run_id}/rejects.csv", "/me/records.json", "/rosters/{roster_id}/duties.csv",
    "/rosters/{roster_id}/month.xlsx",
    "/service-levels/agreements/{agreement_id}/sealed.json", "/service-levels/report.xlsx",
}  # fmt: skip


def kept(visit, name: str, language: str, width: int) -> None:
    if PICTURES and width > 1000 and "/" not in name:
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
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_every_page_opens_for_whoever_may_see_it(demo, visit, axed, role, language) -> None:
    """One browser walks all pages of a role: no error, nothing too wide, too large, out of reach.

    Each page is laid out for a screen and a phone; axe looks at it once.
    """
    account = {role: name for role, name, _ in demo.figures["sign_ins"]}[role]
    here = visit(account, language)
    wrong = []
    for name, path in pages_of(role, account):
        here.errors.clear()
        answer = here.page.goto(here.address + path)
        kept(here, name, language, 1400)
        wrong += [f"{name}: {fault}" for fault in faults_of(here, answer, language)]
        if name not in axed:
            axed.add(name)
            found = Axe().run(here.page).response["violations"]
            wrong += [
                f"{name}: {one['id']} {[node['html'][:120] for node in one['nodes'][:3]]}"
                for one in found
                if one["impact"] in ("serious", "critical")
            ]
    assert wrong == []


def test_the_walk_knows_every_page() -> None:
    wanting = {route for route in readers() if "{" in route}
    assert wanting <= {*PLACES, *DOWNLOADS, *NOT_IN_SAMPLE}
    assert {*PLACES, *DOWNLOADS, *WHOSE} <= set(readers())


def readers() -> dict[str, set[Role]]:
    """Route → the roles that may open it, by the table of the docs."""
    table = re.findall(r"^\| `GET (/[^`]*)` \| (.+?) \|$", ROUTES.read_text("utf-8"), re.M)
    found = {}
    for route, right in table:
        named = [RIGHTS[name] for name in re.findall(r"`([\w.]+)`", right)]
        found[route] = WHOSE.get(route) or (set().union(*named) if named else set(Role))
    return found


@pytest.fixture(scope="session")
def axed() -> set[str]:
    """Pages axe has looked at."""
    return set()


def pages_of(role: Role, account: str) -> list[tuple[str, str]]:
    """Name and address of each page a role may see; named pages are those of the guides."""
    named = {name: path for name, (who, path) in PAGES.items() if who == account}
    mine = {
        route: PLACES.get(route, route)
        for route, roles in readers().items()
        if role in roles
        and route not in {"/", *DOWNLOADS, *NOT_IN_SAMPLE}
        and PLACES.get(route, route) not in named.values()
    }
    return [*named.items(), *mine.items()]


def faults_of(here, answer, language: str) -> list[str]:
    """What is wrong with the page just opened."""
    page, found = here.page, list(here.errors)
    if answer.status != 200:
        return [f"status {answer.status}"]
    if language == "zh" and len(answer.body()) > LARGEST_PAGE:
        found.append(f"{len(answer.body())} bytes")
    if not page.locator("h1").first.is_visible():
        found.append("has no heading")
    for width in (390, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{over} px wider than {width}"] if over > 0 else []
    page.keyboard.press("Tab")
    if not page.evaluate("document.activeElement.matches('a.skip')"):
        found.append("the first stop of the keyboard is not the way past the menu")
    found += [f"not to be reached by keyboard: {one}" for one in page.evaluate(OUT_OF_REACH)]
    return found


# what acts on a click but is no stop of the Tab key
OUT_OF_REACH = """() => [...document.querySelectorAll("[hx-get], [hx-post], [onclick]")]
  .filter((one) => !/^(load|sse|every|revealed)/.test(one.getAttribute("hx-trigger") ?? ""))
  .filter((one) => !one.matches("form, a[href], button, input, select, textarea, summary"))
  .filter((one) => !one.hasAttribute("tabindex"))
  .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_spring_festival_is_proposed_swapped_and_put_back(visit, language) -> None:
    """A planner's way through a holiday, by keyboard where a dialog opens."""
    here = visit("planner", language)
    page = here.open("/duty?from=2027-02-05&until=2027-02-10")
    page.set_default_timeout(120_000)  # a worker searches for the table
    page.once("dialog", lambda asked: asked.accept())
    page.click("form[action='/duty/propose'] button")
    page.wait_for_url("**/duty?from=2027-02-05*")
    page.wait_for_function("!document.querySelector('#duty-work progress')")
    page.wait_for_selector(".holder")
    kept(here, "duty-spring", language, 1400)
    holder = page.locator("table.duty .holder strong").first
    before = holder.inner_text()
    page.locator("table.duty .holder a.edit").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#place[open] input[name=to]")
    kept(here, "duty-swap", language, 1400)
    page.locator("dialog#place button.main").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("form[action='/duty/undo']")
    assert holder.inner_text() != before
    page.locator("form[action='/duty/undo'] button").first.click()
    page.wait_for_load_state()
    assert holder.inner_text() == before
    assert here.errors == []


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_dispatcher_gives_tickets_out_and_finds_it_in_the_log(visit, language) -> None:
    """By keyboard: the proposal taken, another chosen with a reason, a pause, a handover."""
    here = visit("dispatcher", language)
    page = here.page
    assert page.url.endswith("/dispatch")
    page.locator("button[hx-post='/dispatch/assign']").first.press("Enter")
    expect(page.locator("#said .good")).to_be_visible()

    page.locator("button[id^='o-']").first.press("Enter")
    panel = page.locator("dialog#panel[open]")
    expect(panel).to_be_visible()
    code = panel.locator("h1 .num").inner_text()
    panel.locator("input[name=agent]:enabled:not(:checked)").first.check()
    panel.locator("textarea[name=note]").fill(f"knows the customer {language}")
    panel.locator("button.main").press("Enter")
    expect(page.locator("#said .good")).to_contain_text(code)

    page.goto(f"{here.address}/dispatch/work?code={code}")
    for act in ("pause", "resume"):
        page.locator(f"#act-{act} summary").press("Enter")
        page.locator(f"#act-{act} button.main").press("Enter")
        page.wait_for_url("**/dispatch")
        page.goto(f"{here.address}/dispatch/work?code={code}")
    page.locator("#act-hand_over summary").press("Enter")
    page.locator("#act-hand_over select").select_option(index=1)
    page.locator("#act-hand_over textarea").fill("called twice, wants a call back before six")
    page.locator("#act-hand_over button.main").press("Enter")
    page.wait_for_url("**/dispatch")
    page.goto(f"{here.address}/dispatch/work?code={code}")
    expect(page.locator("ul.notes")).to_contain_text("wants a call back")

    page = here.open(f"/dispatch/log?words={code}")
    expect(page.locator("#log tbody tr").first).to_contain_text(f"knows the customer {language}")
    page = here.open("/dispatch/wall")
    page.locator("button[data-sound]").press("Enter")
    expect(page.locator("button[data-sound]")).to_have_attribute("aria-pressed", "true")
    assert here.errors == []


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_agent_looks_through_her_day(visit, language) -> None:
    """On a phone: duties, a calendar address, leave asked and taken back, what is on record."""
    here = visit("agent", language, 390)
    page = here.page
    assert page.url.endswith("/me")
    page.locator("a[href*='span=week']").first.press("Enter")
    expect(page.locator("ol.days li")).to_have_count(7)
    page.locator("form[action='/me/feed'] button").press("Enter")
    feed = page.locator(".notice code").inner_text()
    assert "BEGIN:VCALENDAR" in page.request.get(feed).text()
    page.locator("form[action='/me/feed/close'] button").press("Enter")
    page.wait_for_url("**/me")
    page.fill("form[action='/me/requests/leave'] input[name=first]", "2026-11-16")
    page.fill("form[action='/me/requests/leave'] input[name=last]", "2026-11-17")
    page.fill("form[action='/me/requests/leave'] input[name=text]", f"a journey {language}")
    page.locator("form[action='/me/requests/leave'] button").press("Enter")
    asked = page.locator("#requests tbody tr").filter(has_text=f"a journey {language}")
    expect(asked).to_be_visible()
    asked.locator("form[action$='/withdraw'] button").press("Enter")
    expect(asked.locator("form[action$='/withdraw']")).to_have_count(0)
    page = here.open("/me/records")
    with page.expect_download() as download:
        page.locator("a[href='/me/records.json']").press("Enter")
    assert download.value.suggested_filename == "my-records.json"
    page = here.open("/grades/me")
    assert page.locator("svg").count() > 0
    assert here.errors == []


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_lead_goes_from_the_queue_to_a_ticket_and_signs(visit, language) -> None:
    """The case that needs a person, its evidence, a signature, and the next case."""
    here = visit("lead", language)
    page = here.page
    assert page.url.endswith("/grades")
    page = here.open("/grades?state=open")
    page.locator("#cases tbody a").first.press("Enter")
    page.wait_for_url(lambda url: url.count("/") == 5)
    case = page.url
    page.locator("a[href*='/grades/records/']").first.press("Enter")
    page.wait_for_url("**/grades/records/**")
    assert page.locator("tbody tr").count() > 0
    page.goto(case)
    page.locator("#decision input[name=action][value=accept] ~ button").first.press("Enter")
    expect(page.locator("#decision .notice").first).not_to_contain_text("Unsigned")
    page.locator("#decision input[value=withdraw] ~ button").press("Enter")
    expect(page.locator("#decision input[value=accept]")).to_have_count(1)
    page = here.open("/grades/mix")
    assert page.locator("h1").is_visible()
    assert here.errors == []
