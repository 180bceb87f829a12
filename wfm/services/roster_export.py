"""Rosters as spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.importing.report import neutral
from wfm.services import rostering
from wfm.services.roster_pages import RosterPage
from wfm.tables import Agent, Assignment, Post, RosterVersion

CSV_COLUMNS = ("agent_id", "name", "day", "shift", "starts_at", "ends_at", "mode", "kind", "post")
COLOURS = {"early": "#cfe6f7", "middle": "#d9efd9", "late": "#fbe2c4", "night": "#d9d3ee",
           "standby": "#eeeeee"}  # fmt: skip
DAY_OFF = "#f0e4e4"
WORDS = {
    "en": {"agent": "Agent", "name": "Name", "grade": "Grade", "hours": "Hours",
           "contract": "Contract", "nights": "Nights", "weekends": "Weekends", "month": "Roster",
           "shifts": "Shifts", "leave": "leave", "from": "From", "until": "Until",
           "ordinary": "Ordinary", "senior": "Senior", "expert": "Expert"},
    "zh": {"agent": "工号", "name": "姓名", "grade": "级别", "hours": "工时", "contract": "合同",
           "nights": "夜班", "weekends": "周末", "month": "排班表", "shifts": "班次",
           "leave": "假", "from": "开始", "until": "结束", "ordinary": "普通", "senior": "高级",
           "expert": "专家"},
}  # fmt: skip


def duties_csv(session: Session, actor: Actor, version_id: int, timezone: str) -> str:
    """All duties of a version, one a row; nothing in it that a spreadsheet would compute."""
    version = session.get(RosterVersion, version_id)
    if version is None:
        raise NotFoundError(f"there is no roster version {version_id}")
    roster = rostering.get_roster(session, actor, version.roster_id)
    access.require(actor, "rosters.view", roster.team_id)
    zone = ZoneInfo(timezone)
    rows = session.exec(
        select(Assignment, Agent, Post)
        .join(Agent, col(Agent.id) == Assignment.agent_id)
        .join(Post, col(Post.id) == Assignment.post_id, isouter=True)
        .where(Assignment.version_id == version_id)
        .order_by(col(Assignment.starts_at), col(Agent.code))
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for duty, agent, post in rows:
        cells = (
            agent.code, agent.name, duty.day.isoformat(), duty.shift_code,
            duty.starts_at.astimezone(zone).isoformat(),
            duty.ends_at.astimezone(zone).isoformat(),
            duty.mode.value, duty.kind.value, post.code if post else "",
        )  # fmt: skip
        writer.writerow(neutral(cell) for cell in cells)
    return "\ufeff" + text.getvalue()


class Sheets:
    """A workbook in memory; every text is written as text, so none is ever a formula."""

    def __init__(self, made_at: datetime) -> None:
        self._bytes = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self._bytes, {"in_memory": True, "strings_to_formulas": False}
        )
        self.book.set_properties({"created": made_at.astimezone(UTC).replace(tzinfo=None)})
        self.head = self.book.add_format({"bold": True, "border": 1, "text_wrap": True,
                                          "align": "center", "valign": "vcenter"})  # fmt: skip
        self.off = self.book.add_format({"bold": True, "border": 1, "bg_color": DAY_OFF,
                                         "text_wrap": True, "align": "center"})  # fmt: skip
        self.plain = self.book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        self.number = self.book.add_format({"border": 1, "num_format": "0.0"})
        self.shift = {
            name: self.book.add_format({"border": 1, "bg_color": colour, "align": "center"})
            for name, colour in COLOURS.items()
        }

    def done(self) -> bytes:
        self.book.close()
        return self._bytes.getvalue()


def month_xlsx(page: RosterPage, language: str, made_at: datetime) -> bytes:
    """The month grid with totals, and what the short marks stand for."""
    words, sheets = WORDS[language], Sheets(made_at)
    grid = sheets.book.add_worksheet(words["month"])
    head = [words["agent"], words["name"], words["grade"]]
    put_texts(grid, 0, 0, head, sheets.head)
    for number, day in enumerate(page.month.days):
        workday = day.type in ("workday", "make_up_workday")
        name = day.name_zh if language == "zh" else day.name_en
        title = "\n".join(filter(None, (f"{day.date:%m-%d}", name)))
        grid.write_string(0, 3 + number, title, sheets.head if workday else sheets.off)
    last = 3 + len(page.month.days)
    sums = ("hours", "contract", "nights", "weekends")
    put_texts(grid, 0, last, [words[name] for name in sums], sheets.head)
    for r, row in enumerate(page.month.rows, start=1):
        texts = [row.agent.code, row.agent.name, words[row.agent.grade.value]]
        put_texts(grid, r, 0, texts, sheets.plain)
        for c, cell in enumerate(row.cells, start=3):
            if cell.shift is not None:
                mark = cell.shift.short(language) + ("★" if cell.post else "")
                grid.write_string(r, c, mark, sheets.shift[cell.shift.colour])
            else:
                grid.write_string(r, c, words["leave"] if cell.leave else "", sheets.plain)
        totals = row.totals
        for c, amount in enumerate(
            (totals.minutes / 60, totals.contract / 60, totals.nights, totals.weekends), start=last
        ):
            grid.write_number(r, c, amount, sheets.number)
    grid.freeze_panes(1, 3)
    grid.set_column(1, 1, 14)
    grid.set_column(3, last - 1, 5)
    legend = sheets.book.add_worksheet(words["shifts"])
    put_texts(legend, 0, 0, ["", words["name"], words["from"], words["until"]], sheets.head)
    for r, shift in enumerate(page.month.shifts.values(), start=1):
        template = shift.template
        legend.write_string(r, 0, shift.short(language), sheets.shift[shift.colour])
        name = shift.name_zh if language == "zh" else shift.name_en
        put_texts(legend, r, 1, [name, f"{template.starts:%H:%M}", f"{template.ends:%H:%M}"],
               sheets.plain)  # fmt: skip
    return sheets.done()


def put_texts(
    sheet: xlsxwriter.worksheet.Worksheet,
    row: int,
    column: int,
    texts: Iterable[str],
    form: xlsxwriter.format.Format,
) -> None:
    for offset, text in enumerate(texts):
        sheet.write_string(row, column + offset, text, form)
