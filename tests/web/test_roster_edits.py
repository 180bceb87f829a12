"""Working on a roster by requests: edits, undo, gaps, repairs, versions side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from wfm import audit, tables
from wfm.db import transaction
from wfm.words import Role

SignIn = Callable[..., TestClient]
HTMX = {"hx-request": "true"}
MONDAY = date(2026, 9, 28)
TUESDAY = MONDAY + timedelta(days=1)


@dataclass
class Planner:
    """A planner at work: remembers what the bar said last."""

    client: TestClient
    planned: Any
    seen: int = 0

    def post(self, act: str, **data: Any) -> Any:
        fields = {"version": self.planned.version, "seen": self.seen} | data
        answer = self.client.post(f"{self.planned.page}/{act}", data=fields, headers=HTMX)
        if found := re.search(r'name="seen" value="(\d+)"', answer.text):
            self.seen = int(found[1])
        return answer

    def edit(self, *changes: str, **data: Any) -> Any:
        return self.post("edit", change=list(changes), **data)


@pytest.fixture
def planner(planned: Any, signed_in: SignIn) -> Planner:
    return Planner(signed_in(Role.PLANNER), planned)


# -- edits -----------------------------------------------------------------------------------------


def test_an_edit_is_priced_shown_in_the_grid_undone_and_done_again(planner: Planner) -> None:
    planned = planner.planned
    bar = planner.client.get(f"{planned.page}/desk?version={planned.version}", headers=HTMX).text
    assert "Nothing changed by hand." in bar
    answer = planner.edit(planned.change("A", MONDAY, "early"))
    assert "Cells changed by hand: 1" in answer.text
    [cell] = json.loads(answer.headers["hx-trigger"])["cells-changed"]["cells"]
    assert (cell["agent"], cell["day"], cell["text"]) == (
        planned.week.agents["A"],
        str(MONDAY),
        "E",
    )
    assert 'class="s-early edited"' in planner.client.get(planned.page).text
    answer = planner.post("undo")
    assert "Nothing changed by hand." in answer.text
    [cell] = json.loads(answer.headers["hx-trigger"])["cells-changed"]["cells"]
    assert (cell["text"], cell["colour"]) == ("·", "")
    assert (cell["edited"], 'class="s-early edited"' in planner.client.get(planned.page).text) == (
        False, False,
    )  # fmt: skip
    assert "Cells changed by hand: 1" in planner.post("redo").text
    assert planner.post("redo").status_code == 409
    # what is put back by hand is as it was kept, and bears no mark
    planner.edit(planned.change("A", MONDAY, ""))
    assert " edited" not in planner.client.get(planned.page).text.partition("</table>")[0]


def test_a_cell_that_is_so_already_is_no_act(planner: Planner) -> None:
    planned = planner.planned
    first = planner.seen
    answer = planner.edit(planned.change("A", MONDAY, ""))  # she is off that day
    assert "It was so already." in answer.text
    assert (planner.seen, "hx-trigger" in answer.headers) == (first, False)
    assert planner.post("undo").status_code == 409  # nothing to undo
    # of two cells the one that changes is the act
    planner.edit(planned.change("A", MONDAY, ""), planned.change("A", TUESDAY, "early"))
    with transaction(planned.engine) as session:
        [row] = session.exec(select(tables.RosterEdit)).all()
        assert [one["day"] for one in row.changes] == [str(TUESDAY)]


def test_an_edit_that_breaks_a_rule_wants_a_reason_which_is_kept(planner: Planner) -> None:
    planned = planner.planned
    # late ends at 22:00, early begins at 8:00: ten hours of rest instead of eleven
    change = planned.change("B", TUESDAY, "early")
    asked = planner.edit(change)
    assert "This breaks a hard rule:" in asked.text
    assert "rest between duties" in asked.text
    assert "hx-trigger" not in asked.headers
    assert "Cells changed by hand" not in asked.text
    done = planner.edit(change, reason="B asked for it")
    assert "Cells changed by hand: 1" in done.text
    with transaction(planned.engine) as session:
        entry = session.exec(
            select(tables.AuditEntry).where(tables.AuditEntry.action == "roster.override")
        ).one()
        assert "B asked for it" in json.dumps(entry.detail)
        [row] = session.exec(select(tables.RosterEdit)).all()
        assert row.broken[0]["rule"] == "rest between duties"
        assert audit.verify(session) is not None


def test_two_people_never_overwrite_each_other_silently(planner: Planner) -> None:
    planned = planner.planned
    planner.edit(planned.change("A", MONDAY, "early"))
    other = Planner(planner.client, planned, seen=0)  # opened the page before
    refused = other.edit(planned.change("A", MONDAY, "late"))
    assert refused.status_code == 409
    assert "Somebody changed this roster meanwhile" in refused.text
    assert '<a class="button" href="">Show it as it is now</a>' in refused.text  # this very page
    refused = planner.client.post(
        f"{planned.page}/edit?lang=zh", headers=HTMX,
        data={"version": planned.version, "seen": 0, "change": planned.change("A", MONDAY, "late")},
    )  # fmt: skip
    assert "有人刚刚改动了此排班表" in refused.text
    planner.post("keep", reason="done")
    assert planner.edit(planned.change("C", MONDAY, "late")).status_code == 409  # a newer version


def test_what_was_changed_is_kept_as_a_judged_version_with_note_and_reasons(
    planner: Planner,
) -> None:
    planned = planner.planned
    planner.edit(planned.change("A", MONDAY, "early"), planned.change("D", MONDAY))
    answer = planner.post("keep", reason="swapped A and D")
    assert answer.headers["hx-redirect"] == planned.page
    assert planned.cells(2) == {("A", MONDAY): "early", ("B", MONDAY): "late"}
    assert planned.cells(1) == {("B", MONDAY): "late", ("D", MONDAY): "early"}
    page = planner.client.get(planned.page).text
    assert "swapped A and D" in page
    assert "changed by hand" in page
    with transaction(planned.engine) as session:
        query = select(tables.RosterVersion).order_by(col(tables.RosterVersion.id).desc())
        newest = session.exec(query).first()
        assert newest is not None
        assert newest.result["bound"] is None
        assert newest.verdict["valid"]


@pytest.mark.parametrize("change", ["1|2026-09-28", "x|2026-09-28|early", "1|2027-01-01|early",
                                    "99|2026-09-28|early", "1|2026-09-28|tea"])  # fmt: skip
def test_a_wrong_change_is_refused_with_words(planner: Planner, change: str) -> None:
    answer = planner.edit(change)
    assert answer.status_code == 422
    assert answer.headers["hx-retarget"] == "#notices"


def test_a_lock_is_kept_by_edits_too(planner: Planner) -> None:
    planned = planner.planned
    cell = f"{planned.page}/cells/{planned.week.agents['D']}/{MONDAY}"
    planner.client.post(f"{cell}/lock", data={"kind": "fix", "shift": "early"}, headers=HTMX)
    assert "lock not kept" in planner.edit(planned.change("D", MONDAY, "late")).text


def test_a_whole_day_is_locked_and_unlocked_at_once(planner: Planner) -> None:
    planned = planner.planned
    cells = [planned.change("B", MONDAY, "late"), planned.change("D", MONDAY, "early"),
             planned.change("A", MONDAY)]  # fmt: skip
    page = f"{planned.page}/locks"
    answer = planner.client.post(page, data={"act": "lock", "change": cells}, headers=HTMX)
    assert (answer.status_code, answer.headers["hx-trigger"]) == (204, "locks-changed")
    locks = planned.all(tables.RosterLock)
    assert {(one.agent_id, one.shift_code) for one in locks} == {
        (planned.week.agents[agent], shift)
        for agent, shift in (("A", None), ("B", "late"), ("D", "early"))
    }
    planner.client.post(page, data={"act": "unlock", "change": cells[:2]}, headers=HTMX)
    assert [one.agent_id for one in planned.all(tables.RosterLock)] == [planned.week.agents["A"]]
    wrong = planner.client.post(page, data={"act": "lock", "change": "99|2027-01-01|tea"})
    assert wrong.status_code == 422
    assert wrong.text.count("<li>") == 3  # the agent, the day and the shift


# -- gaps ------------------------------------------------------------------------------------------


def test_a_red_cell_of_the_cover_map_says_who_could_fill_it(planner: Planner) -> None:
    planned = planner.planned
    query = f"version={planned.version}&day={MONDAY}&start=540&skill=net&tier=ordinary"
    text = planner.client.get(f"{planned.page}/gap?{query}", headers=HTMX).text
    for word in ("Who could fill it", "A Li", "Early", "rest-day work", "Take"):
        assert word in text
    [taken, *_] = re.findall(r'name="change" value="(\d+\|[^"]+)"', text)
    # everybody is judged at once; what solving around the gap says is fetched after it
    [then] = re.findall(r'hx-get="([^"]+near=true[^"]*)" hx-trigger="load"', text)
    assert "everything near arranged anew" not in text
    near = planner.client.get(unescape(then), headers=HTMX).text
    assert "With one more there and everything near arranged anew" in near
    assert "near=true" not in near
    assert "Cells changed by hand: 1" in planner.edit(taken).text
    chinese = planner.client.get(f"{planned.page}/gap?{query}&lang=zh", headers=HTMX).text
    assert "谁能顶上" in chinese
    assert "09:00 · 网络 ·" in chinese


# -- repairs ---------------------------------------------------------------------------------------


def absence(planned: Any, agent: str) -> dict[str, Any]:
    return {"agent": planned.week.agents[agent], "from": str(MONDAY), "until": str(MONDAY)}


def test_an_absence_is_repaired_by_one_of_several_ways(planner: Planner) -> None:
    planned = planner.planned
    params = absence(planned, "D") | {"version": planned.version}
    text = planner.client.get(f"{planned.page}/repair", params=params, headers=HTMX).text
    for word in ("Repair: D Li", "What is missing then costs", "Show in the grid", "Take this"):
        assert word in text
    [first, *_] = re.findall(r"<article.*?</article>", text, flags=re.S)
    changes = re.findall(r'name="change" value="([^"]+)"', first)
    assert changes
    answer = planner.post("repair", **absence(planned, "D"), change=changes, reason="ill")
    assert answer.headers["hx-redirect"] == planned.page
    cells = planned.cells(2)
    assert ("D", MONDAY) not in cells
    assert cells[("B", MONDAY)] == "late"  # what was published stays
    with transaction(planned.engine) as session:
        rows = session.exec(
            select(tables.Leave).where(tables.Leave.agent_id == planned.week.agents["D"])
        )
        assert (MONDAY, MONDAY) in [(row.start_on, row.end_on) for row in rows]
        actions = session.exec(select(tables.AuditEntry.action)).all()
        assert "roster.repair" in actions
    again = planner.post("repair", **absence(planned, "D"), change=changes)
    assert again.status_code == 409


def test_an_absence_that_opens_no_gap_is_only_recorded(planner: Planner) -> None:
    planned = planner.planned
    planner.edit(planned.change("C", MONDAY, "night"))  # nobody is wanted at night
    params = absence(planned, "C") | {"version": planned.version}
    text = planner.client.get(f"{planned.page}/repair", params=params, headers=HTMX).text
    assert "Nothing required is missing then." in text
    assert "Record the absence only" in text
    assert "<article" not in text
    params = absence(planned, "E") | {"version": planned.version}
    text = planner.client.get(f"{planned.page}/repair", params=params, headers=HTMX).text
    assert "There is no duty on these days" in text


def test_a_repair_that_does_not_fit_any_more_is_refused(planner: Planner) -> None:
    planned = planner.planned
    agent = planned.week.agents["A"]
    stale = f"{agent}|{MONDAY}|late|early|"  # A is off, not late
    answer = planner.post("repair", **absence(planned, "D"), change=[stale])
    assert answer.status_code == 409
    assert "does not fit the roster any more" in answer.text
    odd = absence(planned, "D") | {"until": "2026-09-27"}
    assert planner.post("repair", **odd).status_code == 422
    assert planner.post("repair", **absence(planned, "D"), change=["?"]).status_code == 422


# -- versions side by side, restored; one day ------------------------------------------------------


def test_two_versions_are_compared_and_the_earlier_one_restored(planner: Planner) -> None:
    planned = planner.planned
    planner.edit(planned.change("A", MONDAY, "early"), planned.change("D", MONDAY))
    planner.post("keep")
    text = planner.client.get(f"{planned.page}/compare?left=1&right=2").text
    for word in (
        "Cells changed: 2",
        "A Li",
        "D Li",
        "Cost by rule",
        "Fairness",
        "Unpopular shifts",
    ):
        assert word in text
    assert "改动的格子：2" in planner.client.get(
        f"{planned.page}/compare?left=1&right=2&lang=zh"
    ).text  # fmt: skip
    assert planner.client.get(f"{planned.page}/compare?left=1&right=9").status_code == 404
    answer = planner.post("restore")
    assert answer.headers["hx-redirect"] == planned.page
    assert planned.cells(3) == planned.cells(1)
    same = planner.client.get(f"{planned.page}/compare?left=1&right=3").text
    assert "Both versions have the same duties" in same


def test_a_day_shows_half_hours_breaks_and_cover(planner: Planner) -> None:
    planned = planner.planned
    text = planner.client.get(f"{planned.page}/days/{MONDAY}").text
    for word in ("B Li", "at-work s-late", "at-break", "On duty and able / required", str(TUESDAY)):
        assert word in text
    assert planner.client.get(f"{planned.page}/days/2027-01-01").status_code == 404


def test_rows_are_chosen_and_grouped(planner: Planner) -> None:
    planned = planner.planned

    def names(query: str) -> list[str]:
        text = planner.client.get(f"{planned.page}?{query}").text
        return re.findall(r'<span class="name">(\w) Li</span>', text)

    assert names("") == ["A", "B", "C", "D", "E"]
    assert names("grade=senior") == ["B", "C"]
    assert names("has=app") == ["D"]
    assert names("who=e") == ["E"]
    assert names("group=grade") == ["A", "B", "C", "D", "E"]
    assert names("group=skill") == ["D", "A", "B", "C", "D", "E"]
    planner.edit(planned.change("C", MONDAY, "early"))
    assert names("changed=1") == ["C"]
    assert "Nobody here fits the filter." in planner.client.get(f"{planned.page}?who=zz").text
    assert "Nobody here fits the filter." not in planner.client.get(planned.page).text
    assert planner.client.get(f"{planned.page}?group=shoe").status_code == 422
