"""The sample's National Day 2026: asked for, proposed, checked, published, swapped and worked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.services import (
    duty_changes,
    duty_days,
    duty_handover,
    duty_life,
    duty_posts,
    duty_wishes,
    holiday_duty,
)
from wfm.services.holiday_duty import Proposed
from wfm.services.ticket_states import derive
from wfm.tables import Agent, Skill, Ticket, TicketEvent
from wfm.words import EventKind, PostRole

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 7)
EVENT = (date(2026, 11, 10), date(2026, 11, 12))
MONTH_WAGE = Decimal(8700)
CONTACTS = (
    ("Network supplier, day and night", "网络供应商（24 小时）", "400-810-0001"),
    ("Building and air conditioning", "物业与空调", "021-5550-0110"),
    ("Power supply", "供电抢修", "95598"),
)
# agent, day of October, wants, strength, note
WISHES = (
    ("A001", 1, False, 3, "妹妹婚礼"), ("A004", 2, False, 2, ""), ("A015", 1, True, 2, "想攒调休"),
    ("A021", 3, False, 2, ""), ("A032", 1, False, 2, "回老家"), ("A044", 5, True, 1, ""),
    ("A058", 4, False, 1, ""), ("A071", 1, False, 3, "孩子满月"), ("A093", 2, True, 2, ""),
    ("A103", 7, False, 1, "返程"),
)  # fmt: skip
CHECKED = (
    ("equipment", "两地工位与备用电脑已测"), ("power_network", "UPS 自检通过"),
    ("emergency_plans", "第 7 版，已阅"), ("suppliers", ""), ("monitoring", "告警试送成功"),
    ("access", "两份授权，10 月 8 日到期"), ("backups", ""),
)  # fmt: skip
NOTES = (
    "队列正常，无重大工单。", "网络工单略多，已请备班关注。", "邮件系统补丁已装，留意登录失败。",
    "无未结重大工单，打印机耗材已补。", "分支机构专线抖动一次，供应商已回复。",
    "一张投诉单待回访，已约明早十点。",
)  # fmt: skip
# night of October, role of who was called out, minutes after 22:00 of each entry
CALL_OUTS = ((1, PostRole.STANDBY, (65, 92)), (3, PostRole.DUTY_LEADER, (40,)),
             (5, PostRole.STANDBY, (150, 171, 196)))  # fmt: skip


def prepare(session: Session, planner: Actor, timezone: str) -> Proposed:
    """Everything up to the first day of the holiday."""
    zone = ZoneInfo(timezone)

    def at(day: int, hour: int) -> datetime:
        return datetime(2026, 9, day, hour, tzinfo=zone)

    for name_en, name_zh, phone in CONTACTS:
        duty_posts.add_contact(session, planner, name_en, name_zh, phone, "", at(14, 10))
    duty_days.add_event(session, planner, "Double Eleven", "双十一", *EVENT, 4, at(14, 10))
    ids = {agent.code: agent.id for agent in session.exec(select(Agent))}
    for code, day, wants, strength, note in WISHES:
        agent_id = ids.get(code)
        if agent_id is not None:
            on = date(2026, 10, day)
            duty_wishes.put(session, planner, agent_id, on, wants, strength, note, at(15, 14))
    proposed = holiday_duty.propose(session, planner, FIRST, LAST, at(21, 15))
    [table] = holiday_duty.tables_between(session, FIRST, LAST)
    assert table.id is not None
    duty_life.reckon_with(session, planner, table.id, MONTH_WAGE, at(21, 15))
    for item, note in CHECKED:
        duty_life.sign_check(session, planner, table.id, item, note, at(22, 9))
    short = "样例：有空缺，先行发布" if proposed.gaps else ""
    duty_life.publish(session, planner, table.id, short, at(22, 10), timezone)
    _swap(session, planner, at(27, 11), timezone)
    return proposed


def _swap(session: Session, planner: Actor, at: datetime, timezone: str) -> None:
    """A deputy of 6 October is ill; the first whom the rules allow takes it over."""
    on = LAST - timedelta(days=1)
    for held in holiday_duty.held_between(session, on, on):
        assert held.post.id is not None
        if held.post.role != PostRole.DEPUTY:
            continue
        place = held.day, held.post.id, held.agent.id
        panel = duty_changes.panel(session, planner, *place, at, timezone)
        for one in panel.candidates:
            if one.trade_day is None:
                duty_changes.change(session, planner, *place, one.agent.id,
                                    "术后休养，医生证明已收", at, timezone)  # fmt: skip
                return


def live_through(session: Session, planner: Actor, timezone: str) -> None:
    """What the holiday left behind: handovers signed by both, and nights people were called out."""
    zone = ZoneInfo(timezone)
    held = holiday_duty.held_between(session, FIRST, LAST)
    slots = duty_handover.slots(session, held, FIRST, LAST, timezone)
    for number, slot in enumerate(one for one in slots if one.taker is not None):
        assert slot.post.id is not None
        assert slot.giver.id is not None
        assert slot.taker is not None
        assert slot.taker.id is not None
        note = duty_handover.give(session, planner, slot.post.id, slot.day, slot.giver.id,
                                  NOTES[number % len(NOTES)], slot.at)  # fmt: skip
        assert note.id is not None
        duty_handover.take(session, planner, note.id, slot.taker.id, slot.at + timedelta(minutes=9))
    skill = session.exec(select(Skill).order_by(col(Skill.id))).first()
    tickets = []
    for day, role, entries in CALL_OUTS:
        on = date(2026, 10, day)
        holders = [one.agent.id for one in held if one.day == on and one.post.role == role]
        if not holders:
            continue
        night = datetime(2026, 10, day, 22, tzinfo=zone)
        ticket = Ticket(
            code=f"N-{day:04d}", opened_at=night + timedelta(minutes=entries[0] - 25), priority=1,
            skill_id=skill.id if skill else None, title="夜间告警",
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        assert ticket.id is not None
        tickets.append(ticket.id)
        _events(session, ticket, holders[0], [night + timedelta(minutes=m) for m in entries])
    derive(session, tickets)


def _events(
    session: Session, ticket: Ticket, agent_id: int | None, entries: list[datetime]
) -> None:
    assert ticket.id is not None
    told: list[tuple[datetime, EventKind, int | None]] = [
        (ticket.opened_at, EventKind.OPENED, None)
    ]
    told += [(at, EventKind.AGENT_MESSAGE, agent_id) for at in entries[:-1]]
    told += [(entries[-1], EventKind.RESOLVED, agent_id)]
    told += [(entries[-1] + timedelta(hours=10), EventKind.CLOSED, None)]
    for number, (at, kind, who) in enumerate(told):
        session.add(
            TicketEvent(code=f"{ticket.code}-{number}", ticket_id=ticket.id, at=at, kind=kind,
                        agent_id=who)
        )  # fmt: skip
    session.flush()
