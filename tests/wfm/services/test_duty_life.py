"""A duty table's life: wishes, posts, swaps, publishing in time, checks, handover, closing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session, col, select

from wfm import tables
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError, NotFoundError
from wfm.services import (
    duty_changes,
    duty_export,
    duty_handover,
    duty_life,
    duty_pages,
    duty_posts,
    duty_wishes,
    holiday_duty,
)
from wfm.services.duty_posts import PostForm
from wfm.words import DutyKind, Mode, PostRole, Role

FIRST, SECOND, LAST = (date(2026, 10, n) for n in (1, 2, 3))
ZONE = "Asia/Shanghai"


@pytest.fixture
def week(session: Session, roster_week: Callable[[Session], Any]) -> Any:
    return roster_week(session)


@pytest.fixture
def early(week: Any) -> datetime:
    """Ten days ahead."""
    return week.local(date(2026, 9, 21), 9)


def propose(session: Session, week: Any, last: date = LAST) -> tables.DutyTable:
    at = week.local(date(2026, 9, 21), 9)
    holiday_duty.propose(session, week.planner, FIRST, last, at)
    [table] = holiday_duty.tables_between(session, FIRST, last)
    return table


def leads(session: Session) -> dict[date, str]:
    return {
        one.day: one.agent.code
        for one in holiday_duty.held_between(session, FIRST, LAST)
        if one.post.code == "lead"
    }


def as_agent(week: Any, code: str) -> Actor:
    return Actor(code, agent_id=week.agents[code], roles={Role.AGENT: None})


# wishes


def test_a_wish_is_honoured_where_people_are_level(
    session: Session, week: Any, early: datetime
) -> None:
    # B and C are level; the lead of the 1st goes to one of them; whoever wishes gets it
    for code, other in (("B", "C"), ("C", "B")):
        duty_wishes.put(session, as_agent(week, code), week.agents[code], FIRST, True, 2, " x ",
                        early)  # fmt: skip
        propose(session, week)
        assert leads(session)[FIRST] == code
        duty_wishes.withdraw(session, as_agent(week, code), week.agents[code], FIRST, early)
        duty_wishes.put(session, as_agent(week, code), week.agents[code], FIRST, False, 1, "",
                        early)  # fmt: skip
        propose(session, week)
        assert leads(session)[FIRST] == other
        duty_wishes.withdraw(session, as_agent(week, code), week.agents[code], FIRST, early)


def test_one_wishes_for_oneself_and_a_planner_for_others(
    session: Session, week: Any, early: datetime
) -> None:
    b = week.agents["B"]
    with pytest.raises(AccessDeniedError, match="planner"):
        duty_wishes.put(session, as_agent(week, "A"), b, FIRST, True, 1, "", early)
    with pytest.raises(AccessDeniedError):
        duty_wishes.put(session, Actor("r", roles={Role.REVIEWER: None}), b, FIRST, True, 1, "",
                        early)  # fmt: skip
    duty_wishes.put(session, week.planner, b, FIRST, True, 1, "by telephone", early)
    [wish] = session.exec(select(tables.DutyWish)).all()
    assert (wish.made_by, wish.note) == ("plan", "by telephone")
    for day, strength, agent, error in (
        (date(2026, 10, 15), 1, b, InputError), (FIRST, 4, b, InputError),
        (FIRST, 1, 999_999, NotFoundError),
    ):  # fmt: skip
        with pytest.raises(error):
            duty_wishes.put(session, week.planner, agent, day, True, strength, "", early)


def test_wishes_end_when_the_table_is_published(
    session: Session, week: Any, early: datetime
) -> None:
    table = propose(session, week)
    page = duty_wishes.wish_page(session, as_agent(week, "B"), None, early.date())
    assert page.own
    assert page.agents == ()
    [national] = [days for occasion, days in page.occasions if occasion.first == FIRST]
    assert [one.day.date.day for one in national] == [1, 2, 3, 4, 5, 6, 7]
    assert sum(one.held for one in national) == sum(code == "B" for code in leads(session).values())
    duty_life.publish(session, week.planner, table.id, "few people", early, ZONE)
    page = duty_wishes.wish_page(session, as_agent(week, "B"), None, early.date())
    assert FIRST not in {occasion.first for occasion, _ in page.occasions}
    with pytest.raises(ConflictError, match="swap"):
        duty_wishes.put(session, as_agent(week, "B"), week.agents["B"], FIRST, True, 1, "", early)
    nobody = duty_wishes.wish_page(session, Actor("d", roles={Role.DISPATCHER: None}), None,
                                   early.date())  # fmt: skip
    assert nobody.agent is None
    assert len(duty_wishes.wish_page(session, week.planner, None, early.date()).agents) == 5


# posts


def test_a_post_is_added_changed_and_given_up(session: Session, week: Any, early: datetime) -> None:
    form = PostForm("Network staff", "", PostRole.STAFF, skill_id=week.skills["net"], people=2,
                    starts=time(8), ends=time(16))  # fmt: skip
    post = duty_posts.save_post(session, week.planner, None, form, early)
    assert (post.code, post.name_zh, post.people) == ("staff", "Network staff", 2)
    again = duty_posts.save_post(session, week.planner, None, form, early)
    assert again.code == "staff-1"
    duty_posts.give_up_post(session, week.planner, again.id, early)
    propose(session, week)
    held = holiday_duty.held_between(session, FIRST, FIRST)
    assert [one.post.code for one in held].count("staff") == 2
    assert "staff-1" not in {one.post.code for one in held}
    with pytest.raises(AccessDeniedError):
        duty_posts.save_post(session, as_agent(week, "A"), post.id, form, early)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (PostForm(" ", "", PostRole.LEAD), "needs a name"),
        (PostForm("x" * 81, "", PostRole.LEAD), "at most 80"),
        (PostForm("x", "", PostRole.LEAD, people=100), "0 to 99"),
        (PostForm("x", "", PostRole.STANDBY, mode=Mode.STANDBY), "reached within"),
        (PostForm("x", "", PostRole.LEAD, reach_minutes=5000), "minutes"),
        (PostForm("x", "", PostRole.LEAD, site_id=999_999), "no such site"),
        (PostForm("x", "", PostRole.LEAD, skill_id=999_999), "no such skill"),
    ],
)
def test_a_wrong_post_is_refused(
    session: Session, week: Any, early: datetime, form: PostForm, wrong: str
) -> None:
    with pytest.raises(InputError, match=wrong):
        duty_posts.save_post(session, week.planner, None, form, early)


def test_a_qualification_and_consent_decide_who_may_hold_a_post(
    session: Session, week: Any, early: datetime
) -> None:
    # only D has the skill "app"
    form = PostForm("Applications", "", PostRole.STAFF, skill_id=week.skills["app"])
    duty_posts.save_post(session, week.planner, None, form, early)
    propose(session, week, FIRST)

    def staff() -> list[str]:
        held = holiday_duty.held_between(session, FIRST, FIRST)
        return [one.agent.code for one in held if one.post.code == "staff"]

    assert staff() == ["D"]
    session.add(
        tables.AgentContract(agent_id=week.agents["D"], overtime_consent=False,
                             valid_from=date(2026, 1, 1))
    )  # fmt: skip
    session.flush()
    found = holiday_duty.propose(session, week.planner, FIRST, FIRST, early)
    assert staff() == []
    assert "no consent to overtime 1" in found.gaps[0]["en"]
    assert "未同意加班 1" in found.gaps[0]["zh"]


def test_who_works_from_home_or_is_gone_holds_no_place_on_site(
    session: Session, week: Any, early: datetime
) -> None:
    session.add(
        tables.AgentRestriction(agent_id=week.agents["B"], kind="no_on_site",
                                valid_from=date(2026, 1, 1))
    )  # fmt: skip
    session.get_one(tables.Agent, week.agents["C"]).left_on = SECOND
    session.flush()
    propose(session, week)
    assert leads(session)[FIRST] == "C"  # until she has left
    assert set(leads(session).values()) <= {"A", "C"}
    assert leads(session).get(SECOND, "A") == "A"


def test_a_day_wants_more_people_or_none(session: Session, week: Any, early: datetime) -> None:
    duty_posts.want(session, week.planner, week.posts["lead"], FIRST, 2, early)
    duty_posts.want(session, week.planner, week.posts["leader"], FIRST, 0, early)
    propose(session, week)
    held = holiday_duty.held_between(session, FIRST, FIRST)
    assert [one.post.code for one in held] == ["lead", "lead"]
    with pytest.raises(ConflictError, match="more people hold"):
        duty_posts.want(session, week.planner, week.posts["lead"], FIRST, 1, early)
    with pytest.raises(InputError, match="no duty table"):
        duty_posts.want(session, week.planner, week.posts["lead"], date(2026, 10, 20), 1, early)
    # back to what the post says
    duty_posts.want(session, week.planner, week.posts["leader"], FIRST, 1, early)
    assert len(session.exec(select(tables.PostNeed)).all()) == 1


# changes by hand


def change(
    session: Session,
    week: Any,
    at: datetime,
    old: str | None,
    new: str | None,
    reason: str = "asked",
    day: date = FIRST,
    trade: Any = None,
) -> tables.DutySwap:
    ids = week.agents | {None: None}
    return duty_changes.change(
        session, week.planner, day, week.posts["lead"], ids[old], ids[new], reason, at, ZONE, trade
    )


def test_a_swap_is_offered_made_kept_and_undone(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    before = leads(session)
    mine, [other] = before[FIRST], {"B", "C"} - {before[FIRST]}
    panel = duty_changes.panel(session, week.planner, FIRST, week.posts["lead"],
                               week.agents[mine], early, ZONE)  # fmt: skip
    assert {one.agent.code for one in panel.candidates} <= {"A", "B", "C"}
    traded = next(one for one in panel.candidates if one.trade_day)
    assert traded.agent.code == other
    swap = change(session, week, early, mine, other, trade=(traded.trade_day, week.posts["lead"]))
    after = leads(session)
    assert (after[FIRST], after[traded.trade_day]) == (other, mine)
    # what was set by hand stays when the table is proposed anew
    propose(session, week)
    assert leads(session)[FIRST] == other
    duty_changes.undo(session, week.planner, swap.id, early, ZONE)
    assert leads(session)[FIRST] == mine
    with pytest.raises(ConflictError, match="undone before"):
        duty_changes.undo(session, week.planner, swap.id, early, ZONE)
    actions = session.exec(select(tables.AuditEntry.action)).all()
    assert actions.count("duty.swap") == actions.count("duty.swap.undo") == 1


def test_rules_that_made_the_table_judge_a_swap(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    mine = leads(session)[FIRST]
    with pytest.raises(InputError, match="cannot hold 'lead' on 2026-10-01: grade"):
        change(session, week, early, mine, "D")
    with pytest.raises(ConflictError, match="somebody else holds"):
        change(session, week, early, "D", "B")
    begun = week.local(FIRST, 9)
    with pytest.raises(InputError, match="has begun"):
        change(session, week, begun, mine, None)
    panel = duty_changes.panel(session, week.planner, FIRST, week.posts["lead"],
                               week.agents[mine], begun, ZONE)  # fmt: skip
    assert (panel.began, panel.candidates) == (True, ())
    with pytest.raises(AccessDeniedError):
        duty_changes.change(session, as_agent(week, "B"), FIRST, week.posts["lead"],
                            week.agents[mine], None, "", early, ZONE)  # fmt: skip


def test_a_published_table_changes_by_swaps_with_a_reason_only(
    session: Session, week: Any, early: datetime
) -> None:
    table = propose(session, week)
    duty_life.publish(session, week.planner, table.id, "few people", early, ZONE)
    with pytest.raises(ConflictError, match="change it by swaps"):
        propose(session, week)
    mine = leads(session)[FIRST]
    with pytest.raises(InputError, match="needs a reason"):
        change(session, week, early, mine, None, reason=" ")
    swap = change(session, week, early, mine, None)  # the place is left empty
    assert FIRST not in leads(session)
    change(session, week, early, None, mine)  # and filled again
    with pytest.raises(ConflictError, match="changed since"):
        duty_changes.undo(session, week.planner, swap.id, early, ZONE)
    with pytest.raises(ConflictError, match="published"):
        duty_posts.want(session, week.planner, week.posts["lead"], FIRST, 3, early)


def test_a_lock_keeps_a_holder_and_tells_when_it_cannot(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    mine = leads(session)[FIRST]
    post = week.posts["lead"]
    duty_changes.lock(session, week.planner, FIRST, post, week.agents[mine], True, early)
    session.add(
        tables.HolidayDuty(agent_id=week.agents[mine], day=date(2025, 10, 1), burden=60,
                           day_type="statutory_holiday", name_en="1 October", name_zh="10月1日")
    )  # fmt: skip
    propose(session, week)
    assert leads(session)[FIRST] == mine
    session.add(tables.Leave(agent_id=week.agents[mine], start_on=FIRST, end_on=FIRST, kind="sick"))
    session.flush()
    with pytest.raises(InputError, match="lock"):
        propose(session, week)
    duty_changes.lock(session, week.planner, FIRST, post, week.agents[mine], False, early)
    propose(session, week)
    assert leads(session)[FIRST] != mine


# publishing, checks, closing


def test_a_late_or_incomplete_table_takes_a_reason(
    session: Session, week: Any, early: datetime
) -> None:
    table = propose(session, week)  # one place of the duty leader is empty
    with pytest.raises(InputError, match="1 places are empty"):
        duty_life.publish(session, week.planner, table.id, "", early, ZONE)
    late = week.local(date(2026, 9, 29), 9)
    state = duty_life.standing(session, table, late, ZONE)
    assert (state.days_ahead, state.late, state.unchecked) == (2, True, len(state.checks))
    with pytest.raises(InputError, match="2 days ahead, 3 are due"):
        duty_life.publish(session, week.planner, table.id, "", late, ZONE)
    soon = duty_life.standing(session, table, week.local(date(2026, 9, 25), 9), ZONE)
    assert (soon.late, soon.due_soon) == (False, True)
    assert not duty_life.standing(session, table, early, ZONE).due_soon
    duty_life.publish(session, week.planner, table.id, "illness", late, ZONE)
    assert duty_life.standing(session, table, week.local(FIRST, 9), ZONE).days_ahead == 2
    with pytest.raises(ConflictError, match="already"):
        duty_life.publish(session, week.planner, table.id, "again", late, ZONE)


def test_only_somebody_who_publishes_publishes_what_is_there(
    session: Session, week: Any, early: datetime
) -> None:
    table = propose(session, week)
    with pytest.raises(AccessDeniedError):
        duty_life.publish(session, Actor("l", roles={Role.LEAD: None}), table.id, "x", early, ZONE)
    with pytest.raises(NotFoundError):
        duty_life.publish(session, week.planner, 999_999, "x", early, ZONE)
    for one in session.exec(select(tables.PostHolding)):
        session.delete(one)
    session.flush()
    with pytest.raises(InputError, match="nobody is on"):
        duty_life.publish(session, week.planner, table.id, "x", early, ZONE)


def test_the_list_before_the_holiday_is_signed_line_by_line(
    session: Session, week: Any, early: datetime
) -> None:
    table = propose(session, week)
    duty_life.sign_check(session, week.planner, table.id, "equipment", "all tried", early)
    duty_life.sign_check(session, week.planner, table.id, "equipment", "tried again", early)
    state = duty_life.standing(session, table, early, ZONE)
    [line] = [line for line in state.checks if line.signed]
    assert (line.item.code, line.signed.done_by, line.signed.note) == (
        "equipment", "plan", "tried again",
    )  # fmt: skip
    assert all(line.item.name_en and line.item.name_zh for line in state.checks)
    with pytest.raises(NotFoundError):
        duty_life.sign_check(session, week.planner, table.id, "nothing", "", early)


def test_a_worked_table_goes_into_the_ledger_once(
    session: Session, week: Any, early: datetime
) -> None:
    table = propose(session, week)
    after = week.local(date(2026, 10, 8), 9)
    with pytest.raises(ConflictError, match="never published"):
        duty_life.close(session, week.planner, table.id, after, ZONE)
    duty_life.publish(session, week.planner, table.id, "few people", early, ZONE)
    with pytest.raises(ConflictError, match="not over"):
        duty_life.close(session, week.planner, table.id, week.local(LAST, 20), ZONE)
    # E works an ordinary published shift on the 1st, which she bears as well
    roster = tables.Roster(team_id=week.team, period_from=FIRST, period_until=LAST)
    session.add(roster)
    session.flush()
    version = tables.RosterVersion(roster_id=roster.id, number=1, made_at=early, made_by="p")
    session.add(version)
    session.flush()
    session.add(
        tables.Assignment(version_id=version.id, agent_id=week.agents["E"], day=FIRST, live=True,
                          shift_code="early", starts_at=week.local(FIRST, 8),
                          ends_at=week.local(FIRST, 16.5))
    )  # fmt: skip
    session.flush()
    assert duty_life.close(session, week.planner, table.id, after, ZONE) == 6  # five and E
    with pytest.raises(ConflictError, match="already"):
        duty_life.close(session, week.planner, table.id, after, ZONE)
    entries = session.exec(
        select(tables.HolidayDuty, tables.Agent.code)
        .join(tables.Agent, col(tables.Agent.id) == tables.HolidayDuty.agent_id)
        .where(tables.HolidayDuty.day >= FIRST)
    ).all()
    kept = {(code, row.day.day, row.post_code): (row.name_zh, row.burden) for row, code in entries}
    assert kept["E", 1, ""] == ("10月1日", 6)
    # a whole burden for the lead on site; the leader stands by, at half of 6 and of 5, cut to units
    assert kept[leads(session)[FIRST], 1, "lead"] == ("10月1日", 6)
    assert {b for (_, _, post), (_, b) in kept.items() if post == "leader"} == {2, 3}


def test_the_next_table_starts_where_the_last_one_stopped_though_it_is_not_closed(
    session: Session, week: Any, early: datetime
) -> None:
    # Mid-Autumn, 25 to 27 September: B and C share the lead; whoever bore less there comes first
    first, last = date(2026, 9, 25), date(2026, 9, 27)
    for code, days in (("B", (25, 26)), ("C", (27,))):
        for day in days:
            session.add(
                tables.PostHolding(post_id=week.posts["lead"], agent_id=week.agents[code],
                                   day=date(2026, 9, day), made_by="p", made_at=early)
            )  # fmt: skip
    session.flush()
    # B has 6 + 3, C 3: C has the heavier 1 October
    propose(session, week, SECOND)
    assert leads(session)[FIRST] == "C"
    assert first < last


# handover


def test_a_handover_is_written_and_signed_by_both(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    held = holiday_duty.held_between(session, FIRST, LAST)
    slots = duty_handover.slots(session, held, FIRST, LAST, ZONE)
    mine = next(one for one in slots if one.post.code == "lead" and one.taker)
    assert mine.at == week.local(mine.day, 24)  # a post without hours is held all day
    giver, taker = mine.giver.code, mine.taker.code
    session.add(
        tables.Ticket(code="T-9", opened_at=early, owner_id=week.agents[giver], state="open")
    )
    session.flush()
    arguments = (mine.post.id, mine.day, mine.giver.id)
    with pytest.raises(InputError, match="write down"):
        duty_handover.give(session, as_agent(week, giver), *arguments, " ", early)
    with pytest.raises(AccessDeniedError, match="oneself"):
        duty_handover.give(session, as_agent(week, taker), *arguments, "x", early)
    with pytest.raises(NotFoundError, match="does not hold"):
        duty_handover.give(session, as_agent(week, "D"), mine.post.id, mine.day, week.agents["D"],
                           "x", early)  # fmt: skip
    note = duty_handover.give(session, as_agent(week, giver), *arguments, "router 3 hot", early)
    assert (note.note, note.open_tickets, note.taken_at) == ("router 3 hot", ["T-9"], None)
    with pytest.raises(InputError, match="another person"):
        duty_handover.take(session, as_agent(week, giver), note.id, week.agents[giver], early)
    with pytest.raises(AccessDeniedError):
        duty_handover.take(session, as_agent(week, "D"), note.id, week.agents[taker], early)
    duty_handover.take(session, as_agent(week, taker), note.id, week.agents[taker], early)
    with pytest.raises(ConflictError, match="by both"):
        duty_handover.give(session, as_agent(week, giver), *arguments, "more", early)
    with pytest.raises(ConflictError, match="by both"):
        duty_handover.take(session, as_agent(week, taker), note.id, week.agents[taker], early)
    again = duty_handover.slots(session, held, FIRST, LAST, ZONE)
    assert next(one for one in again if one.note).note.taken_by_id == week.agents[taker]


def test_hours_of_a_post_may_end_on_the_next_day(session: Session, week: Any) -> None:
    post = session.get_one(tables.Post, week.posts["lead"])
    for starts, ends, until in ((8, 16, 16), (8, 8, 32), (20, 8, 32), (0, 0, 24)):
        post.starts, post.ends = time(starts), time(ends)
        assert duty_handover.hours_of(post, FIRST, ZONE) == (
            week.local(FIRST, starts), week.local(FIRST, until),
        )  # fmt: skip


# the page and its files


def test_telephones_are_for_whoever_calls_and_whoever_is_on_the_table(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    duty_posts.add_contact(session, week.planner, "Power", "供电", "95598", "", early)

    def sees(actor: Actor) -> bool:
        return duty_pages.duty_page(session, actor, FIRST, LAST, early, ZONE).phones

    assert sees(week.planner)
    assert sees(Actor("d", roles={Role.DISPATCHER: None}))
    assert sees(as_agent(week, "A"))
    assert not sees(as_agent(week, "E"))
    assert not sees(Actor("a", roles={Role.AUDITOR: None}))
    page = duty_pages.duty_page(session, as_agent(week, "E"), FIRST, LAST, early, ZONE)
    book = duty_export.duty_xlsx(page, (), "zh", early, ZONE)
    import io

    import openpyxl

    cells = {
        str(cell.value) for sheet in openpyxl.load_workbook(io.BytesIO(book))
        for row in sheet.iter_rows() for cell in row
    }  # fmt: skip
    assert not any("1A" in text or "95598" in text for text in cells)
    assert any("带班领导" in text for text in cells)


def test_the_call_tree_goes_from_the_lead_to_the_leader(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    page = duty_pages.duty_page(session, week.planner, FIRST, LAST, early, ZONE)
    [site] = page.call_sites
    on = next(day for day in page.days if page.places[day.date, "leader"].held)
    assert [call.post.code for call in page.calls(on.date, site)] == ["lead", "leader"]


def test_the_calendar_file_has_an_event_a_place_and_short_lines(
    session: Session, week: Any, early: datetime
) -> None:
    session.get_one(tables.Agent, week.agents["B"]).name = "李, 小;明\n" + "很长的名字" * 12
    propose(session, week)
    page = duty_pages.duty_page(session, week.planner, FIRST, LAST, early, ZONE)
    text = duty_export.duty_ics(page, "zh", early, ZONE).decode()
    assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == page.filled == 5
    lines = text.split("\r\n")
    assert max(len(line.encode()) for line in lines) <= 75
    whole = text.replace("\r\n ", "")
    assert "李\\, 小\\;明\\n很长的名字" in whole
    assert "DTSTART:20260930T160000Z" in whole  # midnight of 1 October in Shanghai
    assert "DTEND:20261001T160000Z" in whole
    assert len({line for line in lines if line.startswith("UID:")}) == 5
    mine = duty_export.duty_ics(page, "en", early, ZONE, only=week.agents["A"]).decode()
    assert mine.count("BEGIN:VEVENT") == 2


def test_the_page_counts_wishes_and_tells_of_rosters_that_stray(
    session: Session, week: Any, early: datetime
) -> None:
    for code, wants in (("B", True), ("D", True)):
        duty_wishes.put(session, week.planner, week.agents[code], FIRST, wants, 3, "", early)
    propose(session, week, SECOND)
    page = duty_pages.duty_page(session, week.planner, FIRST, LAST, early, ZONE)
    assert page.wishes == (1, 2)  # D may not hold anything
    assert page.strayed == ()
    roster = tables.Roster(team_id=week.team, period_from=FIRST, period_until=LAST)
    session.add(roster)
    session.flush()
    version = tables.RosterVersion(roster_id=roster.id, number=1, made_at=early, made_by="p")
    session.add(version)
    session.flush()
    session.add(
        tables.Assignment(version_id=version.id, agent_id=week.agents["B"], day=FIRST, live=True,
                          shift_code="early", post_id=week.posts["lead"],
                          starts_at=week.local(FIRST, 8), ends_at=week.local(FIRST, 16.5))
    )  # fmt: skip
    session.flush()
    page = duty_pages.duty_page(session, week.planner, FIRST, LAST, early, ZONE)
    assert page.strayed == ()  # B holds it in both
    other = "C" if leads(session)[FIRST] == "B" else "B"
    change(session, week, early, leads(session)[FIRST], other)
    page = duty_pages.duty_page(session, week.planner, FIRST, LAST, early, ZONE)
    assert [(one.day, one.agent.code) for one in page.strayed] == [(FIRST, "C")]
    assert page.published is False


def test_a_post_given_up_stays_on_the_tables_that_have_it(
    session: Session, week: Any, early: datetime
) -> None:
    propose(session, week)
    duty_posts.give_up_post(session, week.planner, week.posts["lead"], early)
    page = duty_pages.duty_page(session, week.planner, FIRST, LAST, early, ZONE)
    assert len(page.places[FIRST, "lead"].held) == 1
    assert page.places[FIRST, "lead"].missing is None
    later = duty_pages.duty_page(
        session, week.planner, date(2027, 1, 1), date(2027, 1, 1), early, ZONE
    )
    assert [post.code for post in later.posts] == ["leader"]


def test_a_wage_to_reckon_with_is_checked(session: Session, week: Any, early: datetime) -> None:
    table = propose(session, week)
    duty_life.reckon_with(session, week.planner, table.id, Decimal("8700"), early)
    assert table.month_wage == 8700
    for wrong in (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal(10_000_000)):
        with pytest.raises(InputError, match="above 0"):
            duty_life.reckon_with(session, week.planner, table.id, wrong, early)


def test_kinds_of_posts_are_kept(session: Session, week: Any, early: datetime) -> None:
    form = PostForm("Night", "夜间", PostRole.STANDBY, mode=Mode.STANDBY, reach_minutes=60,
                    kind=DutyKind.STANDBY, basis="at home", stays_in_town=True)  # fmt: skip
    post = duty_posts.save_post(session, week.planner, None, form, early)
    assert (post.kind, post.basis, post.stays_in_town) == (DutyKind.STANDBY, "at home", True)
