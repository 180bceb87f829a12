"""Why a row was refused, for readers of Chinese; the reasons themselves are written in English."""

from __future__ import annotations

import re

THINGS = {"agent": "客服人员", "ticket": "工单"}

# pattern → Chinese, with the pattern's groups in their places
CHINESE = [
    (re.compile(pattern), text)
    for pattern, text in (
        (r"a value is required", "必须填写"),
        (r"an id is required", "必须填写编号"),
        (r"longer than (\d+) characters", "超过 {0} 个字符"),
        (r"not a time; expected ISO 8601 such as (.+)", "不是时间；应为 ISO 8601，如 {0}"),
        (r"not a time; expected (.+)", "不是时间；应为 {0}"),
        (r"not a date; expected (.+)", "不是日期；应为 {0}"),
        (r"not a plausible time; between (\d+) and (\d+)", "时间不合理；应在 {0} 至 {1} 年之间"),
        (r"not a whole number", "不是整数"),
        (r"not a number", "不是数字"),
        (r"must be at least (.+)", "不得小于 {0}"),
        (r"must be at most (.+)", "不得大于 {0}"),
        (r"expected Y or N, true or false", "应为 Y 或 N（是或否）"),
        (r"expected one of (.+)", "应为以下之一：{0}"),
        (r"lies before the ticket was opened, (.+)", "早于工单受理时间 {0}"),
        (r"lies before (\w+)", "早于 {0}"),
        (r"lies after something already on record for this ticket", "晚于该工单已有的记录"),
        (r"not a list of skills; expected (.+) with proficiency 1 to 5",
         "不是技能列表；应为 {0}，熟练度 1–5"),
        (r"a skill stands in this list twice", "列表中有重复的技能"),
        (r"a skill longer than (\d+) characters", "技能代码超过 {0} 个字符"),
        (r"this id already stands in (?:row )?(.+)", "此编号已见于第 {0} 行"),
        (r"the same (.+) already stand in (?:row )?(.+)", "相同的 {0} 已见于第 {1} 行"),
        (r"there is no (\w+) with this id; import \w+ first", "没有此编号的{0}；请先导入{0}"),
        (r"an agent is required, or a ticket that has an owner", "须有客服人员，或有负责人的工单"),
        (r"overlaps the leave from (\S+) to (\S+) on record", "与已登记的 {0} 至 {1} 请假重叠"),
        (r"overlaps the leave from (\S+) to (\S+) in row (\d+)",
         "与第 {2} 行 {0} 至 {1} 的请假重叠"),
        (r"overlaps the leave from …", "与另一请假重叠"),
        (r"this event is on record with other content.*",
         "此事件已有不同内容的记录；已发生的记录不可更改，新事件请另行编号"),
        (r"(\d+) fields where the header has (\d+)", "有 {0} 个字段，表头为 {1} 个"),
    )
]  # fmt: skip


def in_chinese(reason: str) -> str:
    """The reason in Chinese."""
    for pattern, text in CHINESE:
        found = pattern.fullmatch(reason)
        if found:
            return text.format(*(THINGS.get(part, part) for part in found.groups()))
    return reason
