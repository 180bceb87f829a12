"""A fault of a grade policy in Chinese: `line 15: decision.majority: must be at most 1`."""

from __future__ import annotations

import re

LINE = re.compile(
    r"line (?P<line>\d+): (?P<key>[\w.]+): (?P<what>.+?)(?: \(found (?P<found>.+)\))?"
)
GRADES = {"senior": "高级", "expert": "专家"}
SENTENCES = [
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"is missing", "缺少此项"),
        (r"must be a table", "应为一个表"),
        (r"must be a text that is not empty", "应为非空文字"),
        (r"must be a list of texts", "应为文字列表"),
        (r"knows only: (.+)", "只可为：{0}"),
        (r"must be one of (.+)", "应为以下之一：{0}"),
        (r"must be true or false", "应为 true 或 false"),
        (r"must be a number", "应为数字"),
        (r"must be a whole number", "应为整数"),
        (r"is not known here; known: (.+)", "此处没有这一项；可用：{0}"),
        (r"must be at least (\S+)", "不得小于 {0}"),
        (r"must be at most (\S+)", "不得大于 {0}"),
        (r"(senior|expert) must be at least (\S+)", "{0}不得小于 {1}"),
        (r"(senior|expert) must be at most (\S+)", "{0}不得大于 {1}"),
        (r"must be above (\S+)", "须大于 {0}"),
        (r"must lie above lowest and not above highest", "须大于 lowest，且不大于 highest"),
        (r"at least one criterion that is no companion needs a weight above 0",
         "至少一项非伴随因素的权重须大于 0"),
        (r"must be kinds of work, no results", "应为工作的种类，不可为结果"),
        (r"must not be below indifference", "不得小于 indifference"),
        (r"must name what counts", "须写明计数内容"),
        (r"expert must not be below senior", "专家不得低于高级"),
        (r"senior is given, so expert must be given too", "既有高级，也须有专家"),
        (r"(senior|expert) must not be above entry", "{0}不得高于 entry"),
        (r"(senior|expert) must be below entry, exit and floor",
         "{0}须低于 entry、exit 和 floor"),
    )
]  # fmt: skip


def in_chinese(text: str) -> str | None:
    """One fault in Chinese; None where the text is no fault of a policy."""
    fault = LINE.fullmatch(text)
    if fault is None:
        return None
    for pattern, sentence in SENTENCES:
        if known := pattern.fullmatch(fault["what"]):
            said = sentence.format(*(GRADES.get(word, word) for word in known.groups()))
            found = f"（现为 {fault['found']}）" if fault["found"] else ""
            return f"第 {fault['line']} 行，{fault['key']}：{said}{found}"
    return None
