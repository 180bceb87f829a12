"""The duty table as a workbook and as a calendar file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from scheduler.duty_watch import ClassCost
from wfm.services.calendar_text import escaped, utc, whole
from wfm.services.duty_handover import hours_of
from wfm.services.duty_pages import CALL_NEXT_MIN, DutyPage
from wfm.services.roster_export import Sheets, put_texts
from wfm.tables import Post

WORDS = {
    "en": {"duty": "Duty table", "day": "Day", "ledger": "Ledger", "agent": "Agent",
           "name": "Name", "before": "Before", "added": "Added", "after": "After",
           "missing": "{} missing", "phone": "Telephone", "card": "Contact card",
           "posts": "Posts", "note": "Note", "calls": "Call tree", "checks": "Checked before",
           "check": "Check", "by": "Signed by", "at": "At", "costs": "Costs",
           "class": "Pay class", "percent": "%", "hours": "Hours", "units": "Hour wages",
           "amount": "Amount", "town": "stays in town", "reach": "to be reached within {} min",
           "next": "No answer within {} min: call the next.", "source": "Source",
           "on_site": "on site", "remote": "remote", "standby": "standby",
           "ordinary": "Ordinary", "senior": "Senior", "expert": "Expert"},
    "zh": {"duty": "值班表", "day": "日期", "ledger": "台账", "agent": "工号", "name": "姓名",
           "before": "之前", "added": "本次", "after": "之后", "missing": "缺 {} 人",
           "phone": "电话", "card": "联系卡", "posts": "岗位", "note": "备注", "calls": "呼叫顺序",
           "checks": "节前检查", "check": "检查项", "by": "签字人", "at": "时间",
           "costs": "费用", "class": "工资类别", "percent": "%", "hours": "小时",
           "units": "小时工资数", "amount": "金额", "town": "不离市",
           "reach": "{} 分钟内到岗", "next": "{} 分钟内无人接听，呼叫下一位。", "source": "依据",
           "on_site": "现场", "remote": "远程", "standby": "待命",
           "ordinary": "普通", "senior": "高级", "expert": "专家"},
}  # fmt: skip
CLASSES = {
    "en": {"ordinary": "ordinary hours", "overtime": "overtime on a workday",
           "rest_day": "rest day", "statutory_holiday": "statutory holiday",
           "in_lieu": "time off in lieu", "watch": "watch or standby"},
    "zh": {"ordinary": "正常工时", "overtime": "工作日加班", "rest_day": "休息日",
           "statutory_holiday": "法定节假日", "in_lieu": "补休", "watch": "值班或待命"},
}  # fmt: skip


def duty_xlsx(
    page: DutyPage, costs: Iterable[ClassCost], language: str, made_at: datetime, timezone: str
) -> bytes:
    """Table, contact card with call tree, checks, costs by pay class, and the ledger."""
    words, sheets, zone = WORDS[language], Sheets(made_at), ZoneInfo(timezone)
    _table(sheets, page, language)
    _card(sheets, page, language)
    checks = sheets.book.add_worksheet(words["checks"])
    put_texts(checks, 0, 0, [words[n] for n in ("check", "by", "at", "note")], sheets.head)
    lines = [line for standing in page.standings for line in standing.checks]
    for r, line in enumerate(lines, start=1):
        signed = line.signed
        done_at = f"{signed.done_at.astimezone(zone):%Y-%m-%d %H:%M}" if signed else ""
        texts = [
            getattr(line.item, f"name_{language}"), signed.done_by if signed else "", done_at,
            signed.note if signed else "",
        ]  # fmt: skip
        put_texts(checks, r, 0, texts, sheets.plain)
    checks.set_column(0, 0, 60)
    _costs(sheets, costs, language)
    ledger = sheets.book.add_worksheet(words["ledger"])
    head = [words[name] for name in ("agent", "name", "before", "added", "after")]
    put_texts(ledger, 0, 0, head, sheets.head)
    for r, row in enumerate(page.ledger, start=1):
        put_texts(ledger, r, 0, [row.agent.code, row.agent.name], sheets.plain)
        for c, amount in enumerate((row.before, row.added, row.after), start=2):
            ledger.write_number(r, c, amount, sheets.plain)
    return sheets.done()


def post_title(page: DutyPage, post: Post, language: str) -> str:
    """A post with its site and skill, its mode, and what its holder keeps to."""
    words = WORDS[language]
    site = page.sites.get(post.site_id) if post.site_id is not None else None
    skill = page.skills.get(post.skill_id) if post.skill_id is not None else None
    named = " · ".join(getattr(one, f"name_{language}") for one in (post, site, skill) if one)
    keeps = [words[post.mode.value]]
    if post.reach_minutes:
        keeps.append(words["reach"].format(post.reach_minutes))
    if post.stays_in_town:
        keeps.append(words["town"])
    return f"{named}\n{', '.join(keeps)}"


def _table(sheets: Sheets, page: DutyPage, language: str) -> None:
    words = WORDS[language]
    table = sheets.book.add_worksheet(words["duty"])
    titles = [words["day"], *(post_title(page, post, language) for post in page.posts)]
    put_texts(table, 0, 0, titles, sheets.head)
    for r, day in enumerate(page.days, start=1):
        table.write_string(r, 0, f"{day.date} {getattr(day, f'name_{language}')}", sheets.off)
        for c, post in enumerate(page.posts, start=1):
            place = page.places[day.date, post.code]
            lines = [
                " ".join(
                    filter(None, (held.agent.name, words[held.grade.value],
                                  held.agent.phone if page.phones else None))
                )
                for held in place.held
            ]  # fmt: skip
            if place.missing:
                lines.append(words["missing"].format(place.missing.people))
            table.write_string(r, c, "\n".join(lines), sheets.plain)
    table.freeze_panes(1, 1)
    table.set_column(0, 0, 22)
    table.set_column(1, max(len(page.posts), 1), 26)
    table.set_landscape()
    table.set_paper(9)  # A4
    table.fit_to_pages(1, 0)


def _card(sheets: Sheets, page: DutyPage, language: str) -> None:
    words = WORDS[language]
    card = sheets.book.add_worksheet(words["card"])
    put_texts(card, 0, 0, [words[n] for n in ("name", "phone", "posts", "note")], sheets.head)
    row = 1
    for agent, places in page.people:
        held = "; ".join(
            f"{day.date:%m-%d} {getattr(post, f'name_{language}')}" for day, post in places
        )
        phone = agent.phone if page.phones else ""
        put_texts(card, row, 0, [agent.name, phone or "", held, ""], sheets.plain)
        row += 1
    for contact in page.contacts if page.phones else ():
        texts = [getattr(contact, f"name_{language}"), contact.phone, "", contact.note]
        put_texts(card, row, 0, texts, sheets.plain)
        row += 1
    put_texts(card, row + 1, 0, [words["calls"], words["next"].format(CALL_NEXT_MIN)], sheets.head)
    row += 2
    for day in page.days:
        for site_id in page.call_sites:
            site = page.sites.get(site_id) if site_id is not None else None
            where = getattr(site, f"name_{language}") if site else ""
            chain = " → ".join(
                f"{call.agent.name} ({getattr(call.post, f'name_{language}')})"
                for call in page.calls(day.date, site_id)
            )
            put_texts(card, row, 0, [str(day.date), where, chain], sheets.plain)
            row += 1
    card.set_column(0, 1, 18)
    card.set_column(2, 2, 80)


def _costs(sheets: Sheets, costs: Iterable[ClassCost], language: str) -> None:
    words = WORDS[language]
    sheet = sheets.book.add_worksheet(words["costs"])
    head = ("day", "class", "percent", "hours", "units", "amount", "source")
    put_texts(sheet, 0, 0, [words[name] for name in head], sheets.head)
    for r, cost in enumerate(costs, start=1):
        pay_class = CLASSES[language][cost.pay_class.value]
        put_texts(sheet, r, 0, [str(cost.date), pay_class], sheets.plain)
        figures = (cost.percent, cost.minutes / 60, cost.hour_wages, cost.amount)
        for c, figure in enumerate(figures, start=2):
            if figure is not None:
                sheet.write_number(r, c, float(figure), sheets.number)
        sheet.write_string(r, 6, cost.source, sheets.plain)
    sheet.set_column(0, 1, 18)


def duty_ics(
    page: DutyPage, language: str, at: datetime, timezone: str, only: int | None = None
) -> bytes:
    """The table as a calendar (RFC 5545), one event a place; of one agent alone, where named."""
    words = WORDS[language]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tierdesk//Duty table//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(words['duty'])}",
    ]
    for day in page.days:
        for post in page.posts:
            for held in page.places[day.date, post.code].held:
                if only is None or held.agent.id == only:
                    lines += _event(page, day.date, post, held.agent.code, held.agent.name,
                                    language, at, timezone)  # fmt: skip
    lines.append("END:VCALENDAR")
    return whole(lines)


def _event(
    page: DutyPage, day: date, post: Post, code: str, name: str, language: str, at: datetime,
    timezone: str,
) -> list[str]:  # fmt: skip
    start, end = hours_of(post, day, timezone)
    title, _, keeps = post_title(page, post, language).partition("\n")
    site = page.sites.get(post.site_id) if post.site_id is not None else None
    lines = [
        "BEGIN:VEVENT",
        f"UID:duty-{day:%Y%m%d}-{post.id}-{escaped(code)}@tierdesk",
        f"DTSTAMP:{utc(at)}",
        f"DTSTART:{utc(start)}",
        f"DTEND:{utc(end)}",
        f"SUMMARY:{escaped(f'{title}: {name}')}",
        f"DESCRIPTION:{escaped(keeps)}",
    ]
    if site is not None:
        lines.append(f"LOCATION:{escaped(getattr(site, f'name_{language}'))}")
    return [*lines, "END:VEVENT"]


def total_of(costs: Iterable[ClassCost]) -> tuple[Decimal, Decimal | None]:
    """Hour wages and money of all costs together; no money without a wage."""
    listed = list(costs)
    amounts = [cost.amount for cost in listed if cost.amount is not None]
    units = sum((cost.hour_wages for cost in listed), Decimal(0))
    return units, sum(amounts, Decimal(0)) if amounts else None
