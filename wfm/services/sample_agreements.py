"""The sample desk's catalogue and agreements, in both languages: in force, signed, drafted."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlmodel import Session, select

from wfm import sample
from wfm.sample.catalogue import TIMEZONE
from wfm.services import agreement_versions, opening
from wfm.tables import Agreement, AgreementTarget, BusinessCalendar, Customer, Service
from wfm.words import AgreementKind, AgreementStatus, Metric, ServiceStatus

TEXTS = Path(sample.__path__[0]) / "agreement_parts.toml"
FROM = date(2026, 2, 1)
SIGNED_AT = datetime(2026, 1, 20, 2, tzinfo=UTC)
KEPT_SHARE = 0.9
SOURCE = "ticket events 工单事件"
WORKDAYS = opening.WEEK[:5]
CALENDARS = (
    (opening.DESK_CALENDAR, "Opening hours", "服务时间",
     {day: [["08:00", "22:00"]] for day in opening.WEEK}),
    ("always", "Around the clock", "全天候", {day: [["00:00", "24:00"]] for day in opening.WEEK}),
    ("office", "Office hours", "办公时间", {
        **{day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in WORKDAYS},
        "holidays": ["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"],
        "makeup_workdays": {"2026-10-10": "mon"}}),
)  # fmt: skip
OWNERS = ("林晓 Lin Xiao", "周航 Zhou Hang", "陈露 Chen Lu", "Daniel Novak")
EXTRA_SERVICES = (
    ("chatbot", "Self-service assistant", "自助服务助手", ServiceStatus.PIPELINE, "周航 Zhou Hang"),
    ("fax", "Fax gateway", "传真网关", ServiceStatus.RETIRED, ""),
    ("connect-care", "Network care service", "网络关怀服务", ServiceStatus.PIPELINE, ""),
)
# agreement, kind, English, Chinese, provider, receiver, service, calendar,
# priority → resolution in minutes; what moves the clock
SUPPORTS: tuple[tuple[Any, ...], ...] = (
    ("OLA-network", AgreementKind.OLA, "Network team to service desk", "网络组对服务台",
     "网络组 Network team", "服务台 Service desk", "connect", "desk",
     {1: 45, 2: 90, 3: 300, 4: 840}, {"starts": ["assigned"]}),
    ("UC-line", AgreementKind.UC, "Line carrier", "线路运营商",
     "东线通信 Eastline", "服务台 Service desk", "connect", "always",
     {1: 45, 2: 90, 3: 240, 4: 480}, {"starts": ["escalated"], "holds": []}),
    ("UC-courier", AgreementKind.UC, "Courier", "快递公司",
     "速达快递 Suda Courier", "服务台 Service desk", "orders", "office",
     {None: 240}, {"starts": ["escalated"], "holds": []}),
    ("OLA-second-line", AgreementKind.OLA, "Second line to service desk", "二线支持对服务台",
     "二线支持 Second line", "服务台 Service desk", None, "desk",
     {1: 60, 2: 120, 3: 420, 4: 1260}, {"starts": ["escalated"]}),
)  # fmt: skip


def _parts(
    provider: tuple[str, str], receiver: tuple[str, str], what: tuple[str, str],
    hours: tuple[str, str], price: tuple[str, str],
) -> dict[str, dict[str, str]]:  # fmt: skip
    """The ten parts in both languages."""
    texts = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    gaps = {"provider": provider, "receiver": receiver, "what": what, "hours": hours,
            "price": price}  # fmt: skip
    return {
        part: {
            language: text.format(**{gap: words[place] for gap, words in gaps.items()})
            for place, (language, text) in enumerate(both.items())
        }
        for part, both in texts.items()
    }


DESK_HOURS = ("Every day 08:00–22:00, Shanghai time; outside of it tickets wait for 08:00.",
              "每天 08:00–22:00（上海时间）；以外的工单于次日 08:00 起计时。")  # fmt: skip
HOURS = {
    "desk": DESK_HOURS,
    "always": ("Around the clock, 7 days a week.", "全年 7×24 小时。"),
    "office": ("Monday to Friday 09:00–12:00 and 13:00–18:00, public holidays excepted.",
               "周一至周五 09:00–12:00、13:00–18:00，法定节假日除外。"),
}  # fmt: skip


def add_calendars(session: Session) -> None:
    for code, en, zh, definition in CALENDARS:
        session.add(BusinessCalendar(code=code, name_en=en, name_zh=zh, timezone=TIMEZONE,
                                     definition=definition))  # fmt: skip
    session.flush()


def add_agreements(session: Session, services: pd.DataFrame, promised: pd.DataFrame) -> None:
    """Owners and reviews, an SLA for each service, what they rest on, and two drafts."""
    kept = {service.code: service for service in session.exec(select(Service))}
    calendars = {row.code: row.id for row in session.exec(select(BusinessCalendar))}
    _complete_catalogue(session, kept)
    for code, kind, en, zh, provider, receiver, service, calendar, limits, moves in SUPPORTS:
        agreement = Agreement(
            code=code, kind=kind, name_en=en, name_zh=zh, provider=provider, receiver=receiver,
            service_id=kept[service].id if service else None,
            parts=_parts((provider, provider), (receiver, receiver), (en, zh), HOURS[calendar],
                         ("CNY 12,000 a month; a missed month is credited with 10 %.",
                          "每月 12,000 元；未达标月份抵扣 10%。")),
        )  # fmt: skip
        rows = [
            (Metric.RESOLUTION, p, minutes, calendars[calendar]) for p, minutes in limits.items()
        ]
        _put(session, agreement, rows, moves)
        _sign(session, agreement, "王志远 Wang Zhiyuan")
    for row in services.itertuples():
        _sla(session, row, kept[str(row.code)], promised, calendars)
    _drafts(session, kept, calendars)
    session.flush()


def _complete_catalogue(session: Session, kept: dict[str, Service]) -> None:
    for number, service in enumerate(kept.values()):
        service.owner = OWNERS[number % len(OWNERS)]
        service.review_on = date(2026, 9 + number % 4, 15)
    for code, en, zh, status, owner in EXTRA_SERVICES:
        session.add(Service(code=code, name_en=en, name_zh=zh, status=status, owner=owner))
    session.flush()


def _sla(
    session: Session, row: Any, service: Service, promised: pd.DataFrame, calendars: dict[str, Any]
) -> None:
    desk = ("The service desk", "服务台")
    agreement = Agreement(
        code=f"SLA-{row.code}", kind=AgreementKind.SLA, service_id=service.id,
        name_en=row.name_en, name_zh=row.name_zh, provider="服务台 Service desk",
        receiver="业务部门 Business departments",
        parts=_parts(desk, ("the business departments", "各业务部门"), (row.name_en, row.name_zh),
                     DESK_HOURS, ("No charge between departments.", "部门之间不收费。")),
        thresholds=[{"percent": 50, "tell": "owner"}, {"percent": 75, "tell": "dispatcher"},
                    {"percent": 90, "tell": "lead"}, {"percent": 100, "tell": "service_manager"}],
        supports={"series": ["OLA-network", "UC-line"]} if row.code == "connect" else {},
    )  # fmt: skip
    targets = promised[promised["agreement"] == row.agreement]
    rows = [
        (Metric(target.metric), int(target.priority), int(target.limit_min), calendars["desk"])
        for target in targets.itertuples()
    ]
    _put(session, agreement, rows)
    _sign(session, agreement, "赵明 Zhao Ming")


def _drafts(session: Session, kept: dict[str, Service], calendars: dict[str, Any]) -> None:
    """Drafts that show what is refused: words nobody can measure, a supplier that is too slow."""
    orders = kept["orders"]
    parts = _parts(("The service desk", "服务台"), ("key customers", "重点客户"),
                   ("order care", "订单服务"), DESK_HOURS, ("", ""))  # fmt: skip
    parts["provider_duties"] = {
        "en": "Answers requests as soon as possible and resolves most of them promptly.",
        "zh": "尽快响应客户请求，并及时解决大部分问题。",
    }
    first = session.exec(select(Customer)).first()
    draft = Agreement(
        code="SLA-orders-key", kind=AgreementKind.SLA, service_id=orders.id,
        customer_id=first.id if first else None, name_en="Order care for a key customer",
        name_zh="重点客户订单服务", provider="服务台 Service desk",
        receiver=first.name if first else "", parts=parts, supports={"series": ["UC-courier"]},
    )  # fmt: skip
    _put(session, draft, [
        (Metric.FIRST_RESPONSE, None, 15, calendars["desk"]),
        (Metric.RESOLUTION, None, 120, calendars["always"]),
        (Metric.CALLBACK, None, 1440, calendars["desk"]),
    ])  # fmt: skip
    waiting = Agreement(
        code="SLA-protect", version=2, kind=AgreementKind.SLA, service_id=kept["protect"].id,
        name_en="Security service", name_zh="信息安全服务", provider="服务台 Service desk",
        receiver="业务部门 Business departments", status=AgreementStatus.REVIEW,
        parts=_parts(("The service desk", "服务台"), ("the business departments", "各业务部门"),
                     ("security service", "信息安全服务"), DESK_HOURS,
                     ("No charge between departments.", "部门之间不收费。")),
    )  # fmt: skip
    _put(session, waiting, [
        (Metric.FIRST_RESPONSE, None, 10, calendars["desk"]),
        (Metric.NEXT_RESPONSE, None, 60, calendars["desk"]),
        (Metric.RESOLUTION, None, 480, calendars["desk"]),
    ])  # fmt: skip


def _put(
    session: Session, agreement: Agreement, rows: list[tuple[Any, ...]], moves: Any = None
) -> None:
    session.add(agreement)
    session.flush()
    assert agreement.id is not None
    session.add_all(
        AgreementTarget(
            agreement_id=agreement.id, metric=metric, priority=priority, limit_s=minutes * 60,
            unit="minute", share=KEPT_SHARE, calendar_id=calendar, source=SOURCE,
            conditions=moves or {},
        )
        for metric, priority, minutes, calendar in rows
    )  # fmt: skip
    session.flush()


def _sign(session: Session, agreement: Agreement, receiver: str) -> None:
    """Reviewed and signed before the sample begins."""
    agreement.reviewed_by, agreement.reviewed_at = "auditor", SIGNED_AT
    agreement.signed_by_provider, agreement.signed_by_receiver = "林晓 Lin Xiao", receiver
    agreement.in_force_from = FROM
    agreement_versions.seal(session, agreement, SIGNED_AT)
    agreement.status = AgreementStatus.IN_FORCE
    session.flush()
