"""The sample desk's grades: a cycle that went all its way, with an appeal, and one in review."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.sample.catalogue import TIMEZONE
from wfm.services import (
    grade_appeals,
    grade_calibration,
    grade_cycles,
    grade_effect,
    grade_events,
    grade_fairness,
    grade_files,
    grade_runs,
    grading,
)
from wfm.services.grade_files import Handed
from wfm.services.grade_policies import default_policy_text
from wfm.tables import Agent, Assessment, AssessmentCycle
from wfm.words import DecisionAction, Grade, Role

ZONE = ZoneInfo(TIMEZONE)
LEAD = Actor("lead", "组长 Lead", roles={Role.LEAD: None})
SECOND = Actor("manager", "服务经理 Service manager", roles={Role.SERVICE_MANAGER: None})
FIRST_DAY = date(2026, 2, 1)
PAST, PRESENT = date(2026, 8, 31), date(2026, 9, 30)
ASSESSED = datetime(2026, 9, 1, 9, tzinfo=ZONE)
PUBLISHED = datetime(2026, 9, 7, 9, tzinfo=ZONE)  # a Monday; five workdays end on the 14th
EFFECTIVE = date(2026, 9, 16)
REVIEWED = datetime(2026, 9, 30, 20, tzinfo=ZONE)
HAPPENED = date(2026, 9, 16)  # after the past cycle took effect, within the present one
SERIOUS = (
    "把客户手机号发到外部群聊，已撤回 · a customer's number posted in an outside chat",
    "客户投诉拒接来电 · a customer complained that calls were refused",
)
NONE_AFTER_ALL = "复查录音：线路故障，与本人无关 · the recording shows a fault of the line"
SIGNED_BEFORE_YOU = 25  # clear cases of the present cycle
# the desk's own version of the shipped policy: its people solve and are reviewed above the usual
OWN_RULES = (
    ('name = "default"', 'name = "sample desk"'),
    ("entry = { senior = 0.75, expert = 0.85 }", "entry = { senior = 0.86, expert = 0.90 }"),
    ("exit = { senior = 0.68, expert = 0.80 }", "exit = { senior = 0.81, expert = 0.86 }"),
    ("entry = { senior = 80, expert = 87 }", "entry = { senior = 86, expert = 89 }"),
    ("exit = { senior = 75, expert = 83 }", "exit = { senior = 82, expert = 86 }"),
    ("floor = { senior = 75, expert = 82 }", "floor = { senior = 81, expert = 85 }"),
    ("entry = { senior = 0.80, expert = 0.88 }", "entry = { senior = 0.66, expert = 0.74 }"),
    ("exit = { senior = 0.74, expert = 0.83 }", "exit = { senior = 0.58, expert = 0.68 }"),
    ("veto = { senior = 0.50, expert = 0.60 }", "veto = { senior = 0.40, expert = 0.50 }"),
)


def own_policy() -> str:
    """The shipped policy with the sample desk's own profiles."""
    text = default_policy_text()
    for shipped, own in OWN_RULES:
        assert shipped in text
        text = text.replace(shipped, own, 1)
    return text


def past_cycle(session: Session, timezone: str) -> list[Assessment]:
    """Assessed, signed, published, appealed against, and in force since the middle of September."""
    cycle = grade_runs.run_cycle(
        session, LEAD, "2026-08", FIRST_DAY, PAST, timezone, ASSESSED, own_policy()
    )
    number = cycle.id or 0
    grade_cycles.open_review(session, LEAD, number, ASSESSED, timezone)
    found = _cases(session, cycle)
    for one in found:
        _sign(session, one)
    for flag in grade_fairness.unanswered(session, cycle):
        grade_fairness.answer(
            session, LEAD, number, flag,
            "已核对：该组新人较多，服务年限短，与班次、团队分派无关；下一周期复查。",
            ASSESSED + timedelta(days=2),
        )  # fmt: skip
    grade_cycles.publish(session, LEAD, number, PUBLISHED, timezone)
    _appeal(session, cycle, timezone)
    effective = datetime.combine(EFFECTIVE, PUBLISHED.timetz())
    grade_effect.take_effect(session, LEAD, number, EFFECTIVE, effective, timezone)
    return list(found)


def _cases(session: Session, cycle: AssessmentCycle) -> Sequence[Assessment]:
    return session.exec(
        select(Assessment).where(Assessment.cycle_id == cycle.id).order_by(col(Assessment.id))
    ).all()


def _sign(session: Session, one: Assessment) -> None:
    """The proposal is accepted; where it gives an expert grade, a second person confirms."""
    at = ASSESSED + timedelta(days=1)
    assert one.id is not None
    signed = grading.decide(session, LEAD, one.id, DecisionAction.ACCEPT, at)
    second = Grade.EXPERT
    if grading.state_of(signed, one.previous_grade, second) == "half":
        grading.decide(session, SECOND, one.id, DecisionAction.CONFIRM, at + timedelta(days=1))


def _appeal(session: Session, cycle: AssessmentCycle, timezone: str) -> None:
    """The agent of the sample account appeals, and a second reviewer decides."""
    agent = session.exec(select(Agent).order_by(Agent.code)).first()
    if agent is None:
        return
    own = session.exec(
        select(Assessment).where(Assessment.cycle_id == cycle.id, Assessment.agent_id == agent.id)
    ).one()
    actor = Actor("agent", agent.name, roles={Role.AGENT: None}, agent_id=agent.id)
    proof = Handed(
        "工单清单.txt", io.BytesIO("七月二十日 14 时电话系统中断，名单附后。\n".encode())
    )
    appeal = grade_appeals.file(
        session, actor, own.id or 0,
        "七月电话系统中断两小时，期间的评价不应计入我的客户满意度，请复查。",
        PUBLISHED + timedelta(days=2), timezone, [proof],
    )  # fmt: skip
    grade_appeals.decide(
        session, SECOND, appeal.id or 0, PUBLISHED + timedelta(days=4),
        reason="已复查：中断时段只有两份评价，剔除后各级概率不变，维持原结果。",
    )  # fmt: skip


def _serious(session: Session, timezone: str) -> None:
    """One serious event that counts in the present cycle, and one that was none after all."""
    codes = session.exec(select(Agent.code).order_by(col(Agent.code).desc()).limit(2)).all()
    for days, code, note in zip((2, 5), codes, SERIOUS, strict=False):
        on = HAPPENED + timedelta(days=days)
        at = datetime.combine(on, REVIEWED.timetz())
        event = grade_events.record(session, LEAD, code, on, note, at, timezone)
    grade_events.withdraw(session, LEAD, event.id or 0, NONE_AFTER_ALL, at, timezone)


def present_cycle(session: Session, timezone: str) -> None:
    """In review at the end of September: some clear cases are signed, the rest waits."""
    _serious(session, timezone)
    cycle = grade_runs.run_cycle(session, LEAD, "2026-09", FIRST_DAY, PRESENT, timezone, REVIEWED)
    grade_cycles.open_review(session, LEAD, cycle.id or 0, REVIEWED, timezone)
    grade_calibration.draw(session, LEAD, PRESENT, REVIEWED)
    cases = _cases(session, cycle)
    for one in [case for case in cases if case.decision == "keep"][:SIGNED_BEFORE_YOU]:
        grading.decide(session, LEAD, one.id or 0, DecisionAction.ACCEPT, REVIEWED)
    expert = next(
        (case for case in cases
         if case.decision == "rise" and case.proposed_grade == Grade.EXPERT), None
    )  # fmt: skip
    if expert is not None:  # waits for its second signature
        note = Handed("推荐信.txt", io.BytesIO("带教三名新人，主持两次复盘。\n".encode()))
        checked = grade_files.read([note])
        signed = grading.decide(session, LEAD, expert.id or 0, DecisionAction.ACCEPT, REVIEWED)
        grade_files.attach(session, checked, decision=signed)
