"""The words of a ticket's timeline, in English and Chinese."""

from __future__ import annotations

from wfm.sla.clocks import TimelineEntry
from wfm.sla.tickets import Metric

LANGUAGES = ("en", "zh")

METRICS: dict[Metric, tuple[str, str]] = {
    Metric.FIRST_RESPONSE: ("first response", "首次响应"),
    Metric.NEXT_RESPONSE: ("next response", "后续响应"),
    Metric.RESOLUTION: ("resolution", "解决"),
    Metric.CALLBACK: ("callback", "回访"),
}

TEXTS: dict[str, tuple[str, str]] = {
    "opened": ("ticket opened", "工单已建立"),
    "customer_message": ("customer wrote", "客户留言"),
    "agent_message": ("agent answered", "客服已回复"),
    "pause": ("clocks paused", "计时暂停"),
    "resume": ("clocks resumed", "计时恢复"),
    "stop": ("ticket resolved", "工单已解决"),
    "reopen": ("ticket reopened", "工单重新打开"),
    "callback": ("customer called back", "已回访客户"),
    "cancel": ("ticket cancelled", "工单已取消"),
    "sla_removed": ("no agreement applies any more", "不再适用任何服务级别协议"),
    "priority_changed": ("priority changed", "优先级已变更"),
    "service_changed": ("service changed", "所属服务已变更"),
    "agreement_changed": ("agreement changed", "适用的服务级别协议已变更"),
    "calendar_changed": (
        "service hours changed; time already spent and pauses already taken still count",
        "服务时间已变更；已用时间与已暂停时间继续计入",
    ),
    "target_changed": (
        "{metric}: the target is now {limit_s}; {spent_s} already spent still count",
        "{metric}：目标改为 {limit_s}，已用时间 {spent_s} 继续计入",
    ),
    "target_gone": ("{metric}: no longer promised", "{metric}：不再承诺"),
    "met": (
        "{metric} within the target: {used_s} of {limit_s}",
        "{metric}达标：用时 {used_s}，目标 {limit_s}",
    ),
    "late": (
        "{metric} late: {used_s} of {limit_s}",
        "{metric}超时：用时 {used_s}，目标 {limit_s}",
    ),
    "breached": ("{metric}: time ran out", "{metric}：已到期"),
    # what may move a clock whose conditions name it
    "assigned": ("ticket assigned", "工单已派出"),
    "transferred": ("ticket passed on", "工单已转派"),
    "escalated": ("ticket escalated", "工单已升级"),
    "noted": ("note added", "已添加备注"),
    "closed": ("ticket closed", "工单已关闭"),
    "ignored": ("event “{kind}” moves no clock", "事件“{kind}”不影响计时"),
}


def text_of(entry: TimelineEntry, language: str) -> str:
    """One line of the timeline in `language`, ``en`` or ``zh``."""
    column = LANGUAGES.index(language)
    gaps = {
        name: _duration(value) if isinstance(value, int) else value
        for name, value in entry.parameters.items()
    }
    if entry.metric is not None:
        gaps["metric"] = METRICS[entry.metric][column]
    # conditions are data and may name an event of any word: it is shown as it is
    words = TEXTS.get(entry.code)
    return words[column].format(**gaps) if words else entry.code


def _duration(seconds: int) -> str:
    """Hours, minutes and seconds, for example 1:05:00."""
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"
