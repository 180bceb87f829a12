"""Refusals in the reader's language: sentences of the services, which are written in English.

A sentence without figures is translated by the catalogue like any text of a page; one with figures
by a pattern here. What neither knows is left to the wording of imports, or stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wfm.importing.wording import chinese

COLUMN = re.compile(r"^column [\w-]+: ")
FOUND = re.compile(r" \(found '(.*)'\)$")
PATTERNS = [
    (re.compile(pattern), translation)
    for pattern, translation in (
        (
            r"it comes (-?\d+) days ahead, (\d+) are due; give a reason",
            "仅提前 {0} 天，应提前 {1} 天；请说明原因",
        ),
        (r"(\d+) places are empty; give a reason", "有 {0} 个岗位空缺；请说明原因"),
        (
            r"between (\S+) and (\S+) there is no named day off and no event",
            "{0} 至 {1} 没有节假日或重要活动",
        ),
        (
            r"between (\S+) and (\S+) there is no posts; add some first",
            "还没有岗位，请先添加（{0} 至 {1}）",
        ),
        (r"a period of 1 to (\d+) days is expected", "时段应为 1 至 {0} 天"),
        (r"an event lasts 1 to (\d+) days", "活动应为 1 至 {0} 天"),
        (r"a burden of 0 to (\d+) is expected", "负担应为 0 至 {0}"),
        (r"0 to (\d+) people are expected", "人数应为 0 至 {0}"),
        (r"1 to (\d+) minutes are expected", "应为 1 至 {0} 分钟"),
        (r"at most (\d+) letters are expected", "最多 {0} 个字"),
        (
            r"(\S+) has begun; report a swap before the duty starts",
            "{0} 已开始；调换须在值班开始前报备",
        ),
        (r"'(.+)' has (\d+) posts on (\S+)", "{0} 在 {2} 有 {1} 个岗位"),
        (r"'(.+)' has (\d+) days, more than (\d+)", "{0} 已有 {1} 天，超过 {2} 天"),
        (r"too many people hold '(.+)' on (\S+)", "{1} 的岗位 {0} 人数过多"),
        (
            r"the official calendar of (\d+) for (\w+) is not loaded and no year may be .+",
            "{0} 年的官方日历（{1}）尚未导入，不得推测；请用 wfm import calendar 导入",
        ),
    )
]  # fmt: skip
BARRED = re.compile(r"(?:lock: )?'(.+)' cannot hold '(.+)' on (\S+): (\w+)")
CAUSES = {
    "grade": "级别不足", "qualification": "无资格", "site": "不在该地点", "leave": "休假",
    "forbidden": "不可安排", "protected": "受法律保护", "home": "仅可居家办公",
    "consent": "未同意加班",
}  # fmt: skip


def in_chinese(text: str, translate: Callable[[str], str]) -> str:
    """Lines of a refusal in Chinese; `translate` is the catalogue's."""
    return "\n".join(_line(line, translate) for line in text.splitlines())


def _line(line: str, translate: Callable[[str], str]) -> str:
    plain = FOUND.sub("", COLUMN.sub("", line))
    known = translate(plain)
    if known != plain:
        return known
    if barred := BARRED.fullmatch(plain):
        agent, post, day, cause = barred.groups()
        return f"{agent} 不能在 {day} 担任 {post}：{CAUSES.get(cause, cause)}"
    for pattern, sentence in PATTERNS:
        if found := pattern.fullmatch(plain):
            return sentence.format(*found.groups())
    return chinese(line)
