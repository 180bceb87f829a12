"""The form of every kind of record: its columns, what they mean, what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from wfm.words import (
    DayType,
    EventKind,
    Grade,
    LeaveKind,
    TicketKind,
    TicketState,
)

FieldType = Literal[
    "id", "code", "text", "instant", "date", "whole", "number", "boolean", "choice", "skills"
]
LONGEST_CODE = 120  # as the tables have it
LONGEST_NOTE = 600  # a note that is part of a key must fit the index
LARGEST_WHOLE = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a form.

    `id` names the row itself, `code` another row; numbers lie within `low` … `high`; `words`
    maps what may be written to what is stored. A required field has a value in every row.
    """

    name: str
    type: FieldType
    en: str
    zh: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    longest: int | None = None
    words: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """`key` identifies a row, so that a second import finds it again; `order` lists pairs of
    columns of which the second may not come before the first."""

    kind: str
    en: str
    zh: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    order: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.required)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def _words(kind: type[StrEnum], **chinese: str) -> dict[str, str]:
    """The stored words, and the Chinese ones people write for them."""
    return {word.value: word.value for word in kind} | {
        zh: word for word, listed in chinese.items() for zh in listed.split()
    }


GRADES = _words(Grade, ordinary="普通客服 普通", senior="高级客服 高级", expert="专家客服 专家")
TICKET_KINDS = _words(
    TicketKind, consultation="咨询", incident="故障", request="服务请求 请求",
    complaint="投诉", suggestion="建议", problem="问题",
)  # fmt: skip
STATES = _words(
    TicketState, open="处理中", paused="已暂停", resolved="已解决", closed="已关闭",
    cancelled="已取消",
)  # fmt: skip
DAY_TYPES = _words(
    DayType, workday="工作日", rest_day="休息日", statutory_holiday="法定节假日",
    make_up_workday="调休上班日",
)  # fmt: skip
LEAVES = _words(
    LeaveKind, annual="年假 年休假", sick="病假", in_lieu="调休", personal="事假",
    training="培训", other="其他",
)  # fmt: skip


def _agent(required: bool = True) -> Field:
    return Field("agent_id", "code", "the agent's id", "客服人员编号", required)


AGENTS = Form(
    "agents", "Agents", "客服人员", ("agent_id",),
    (
        Field("agent_id", "id", "the agent's id", "客服人员编号", required=True),
        Field("name", "text", "name shown to colleagues", "姓名"),
        Field("team", "code", "code of the team", "团队代码"),
        Field("site", "code", "code of the team's site", "团队所在地点代码"),
        Field("hired_on", "date", "first day of service", "入职日期"),
        Field("grade", "choice", "ordinary, senior or expert", "等级：普通、高级或专家",
              words=GRADES),
        Field("skills", "skills", "all skills: a;b or a:3;b:1 (proficiency 1–5)",
              "全部技能：a;b 或 a:3;b:1（熟练度 1–5）"),
        Field("capacity", "whole", "tickets in hand at a time", "同时处理的工单数",
              low=1, high=100),
        Field("phone", "text", "telephone for the duty table", "值班表联系电话", longest=60),
    ),
)  # fmt: skip

TICKETS = Form(
    "tickets", "Tickets", "工单", ("ticket_id",),
    (
        Field("ticket_id", "id", "the ticket's id", "工单编号", required=True),
        Field("opened_at", "instant", "when the customer asked", "受理时间", required=True),
        Field("skill", "code", "skill it needs", "所需技能"),
        Field("min_grade", "choice", "tier: lowest grade that may handle it", "层级：最低等级",
              words=GRADES),
        Field("priority", "whole", "1 (highest) to 9", "优先级，1 最高", low=1, high=9),
        Field("respond_within_s", "whole", "promised first response, seconds", "承诺响应时限（秒）",
              low=0, high=LARGEST_WHOLE),
        Field("handle_s", "whole", "work in it, seconds", "处理用时（秒）",
              low=0, high=LARGEST_WHOLE),
        Field("kind", "choice", "consultation, incident, request …", "工单类型",
              words=TICKET_KINDS),
        Field("category", "text", "what it is about", "类别"),
        Field("channel", "text", "how it came in", "渠道"),
        Field("service", "code", "service of the catalogue", "服务代码"),
        Field("customer", "code", "the customer's code", "客户代码"),
        Field("difficulty", "number", "harder is higher", "难度", low=-1e9, high=1e9),
        Field("title", "text", "one line", "标题"),
        Field("agent_id", "code", "its owner", "负责人编号"),
        Field("first_response_at", "instant", "first answer by a person", "首次响应时间"),
        Field("resolved_at", "instant", "when it was resolved", "解决时间"),
        Field("closed_at", "instant", "when it was closed", "关闭时间"),
        Field("resolved", "boolean", "was it resolved?", "是否解决"),
        Field("independent", "boolean", "without transfer or escalation?", "是否独立解决"),
        Field("reopened", "boolean", "was it reopened?", "是否重开"),
        Field("state", "choice", "open, paused, resolved, closed or cancelled", "状态",
              words=STATES),
    ),
    order=(("opened_at", "first_response_at"), ("opened_at", "resolved_at"),
           ("opened_at", "closed_at")),
)  # fmt: skip

TICKET_EVENTS = Form(
    "ticket-events", "Ticket events", "工单事件", ("event_id",),
    (
        Field("event_id", "id", "the event's id; without one it is made from the content",
              "事件编号；缺省时由内容生成"),
        Field("ticket_id", "code", "the ticket's id", "工单编号", required=True),
        Field("at", "instant", "when it happened", "发生时间", required=True),
        Field("kind", "choice", "opened, assigned, resolved …", "事件类型",
              words=_words(EventKind)),
        Field("state", "choice", "in place of kind: the ticket's state after the update",
              "可代替事件类型：更新后的工单状态", words=STATES),
        Field("tier", "choice", "with state: the line at work, as a grade",
              "与状态同用：处理层级", words=GRADES),
        _agent(required=False),
        Field("team", "text", "the team at work", "团队"),
        Field("note", "text", "free text", "备注"),
        Field("priority", "whole", "with priority_changed: the new priority, 1 to 9",
              "与优先级变更同用：新的优先级，1 到 9", low=1, high=9),
    ),
)  # fmt: skip

SURVEYS = Form(
    "surveys", "Satisfaction surveys", "满意度调查", ("survey_id",),
    (
        Field("survey_id", "id", "the survey's id", "调查编号", required=True),
        Field("ticket_id", "code", "the ticket asked about", "工单编号"),
        Field("agent_id", "code", "the agent; without one, the ticket's owner",
              "客服人员编号；缺省为工单负责人"),
        Field("answered_on", "date", "day of the answer", "答复日期", required=True),
        Field("score", "number", "on the scale the grade policy names", "评分", required=True,
              low=-1000, high=1000),
        Field("category", "text", "what it was about", "类别"),
        Field("channel", "text", "how it came in", "渠道"),
        Field("shift", "text", "the agent's shift", "班次"),
        Field("tenure_band", "text", "the agent's time of service", "服务时长段"),
    ),
)  # fmt: skip

REVIEWS = Form(
    "reviews", "Quality reviews", "质检评审", ("review_id",),
    (
        Field("review_id", "id", "the review's id", "评审编号", required=True),
        _agent(),
        Field("reviewer", "text", "who reviewed", "评审人", longest=200),
        Field("case_id", "text", "the case that was reviewed", "被评工单"),
        Field("reviewed_on", "date", "day of the review", "评审日期", required=True),
        Field("form", "text", "review form used", "评审表"),
        Field("score", "number", "0 to 100", "评分，0–100", required=True, low=0, high=100),
    ),
)  # fmt: skip

CONTRIBUTIONS_FORM = Form(
    "contributions", "Contributions", "贡献", ("agent_id", "on", "kind", "note"),
    (
        _agent(),
        Field("on", "date", "day", "日期", required=True),
        Field("kind", "text", "knowledge_article, coaching, training … or a word of your own",
              "贡献类型，可自定", required=True, longest=60),
        Field("points", "number", "weight, 1 when empty", "分值，缺省为 1", low=0, high=1e6),
        Field("note", "text", "what it was", "说明", longest=LONGEST_NOTE),
    ),
)  # fmt: skip

SERIOUS_EVENTS = Form(
    "serious-events", "Serious events", "严重事件", ("agent_id", "on", "note"),
    (
        _agent(),
        Field("on", "date", "day it happened", "发生日期", required=True),
        Field("note", "text", "what happened", "事由", required=True, longest=LONGEST_NOTE),
    ),
)  # fmt: skip

LEAVE = Form(
    "leave", "Leave", "请假", ("agent_id", "start"),
    (
        _agent(),
        Field("start", "date", "first day", "开始日期", required=True),
        Field("end", "date", "last day, included", "结束日期（含）", required=True),
        Field("kind", "choice", "annual, sick …; other when empty", "请假类型，缺省为其他",
              words=LEAVES),
    ),
    order=(("start", "end"),),
)  # fmt: skip

CALENDAR = Form(
    "calendar", "Calendar days", "日历", ("calendar", "date"),
    (
        Field("date", "date", "a day that differs from the plain week or has a name",
              "与普通周不同或有名称的日期", required=True),
        Field("day_type", "choice", "workday, rest_day, statutory_holiday, make_up_workday",
              "日类型", required=True, words=DAY_TYPES),
        Field("name", "text", "English name", "英文名称"),
        Field("name_zh", "text", "Chinese name", "中文名称"),
        Field("calendar", "code", "code of the calendar, cn when empty", "日历代码，缺省为 cn"),
    ),
)  # fmt: skip

# in the order in which they land: what is referred to comes first
FORMS = {
    form.kind: form
    for form in (
        CALENDAR, AGENTS, LEAVE, TICKETS, TICKET_EVENTS, SURVEYS, REVIEWS, CONTRIBUTIONS_FORM,
        SERIOUS_EVENTS,
    )
}  # fmt: skip
