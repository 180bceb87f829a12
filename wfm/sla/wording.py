"""Words that promise nothing: a linter for agreement texts.

Only what can be measured can be met or missed. The linter names phrases in Chinese and English
that put an impression in the place of a number, and parts that were left empty. A phrase that is
part of a measured quantity (及时率, 满意度) is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VagueRule:
    """Phrases of one sort, and what to write instead."""

    code: str
    pattern: re.Pattern[str]
    instead: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A phrase that cannot be measured, or an empty part.

    ``start`` and ``end`` count characters within the part; ``instead`` is advice in English and
    Chinese.
    """

    part: str
    code: str
    phrase: str
    start: int
    end: int
    instead: tuple[str, str]


def _phrases(chinese: str, english: str) -> re.Pattern[str]:
    return re.compile(rf"{chinese}|\b(?:{english})\b", re.IGNORECASE)


RULES = (
    VagueRule(
        "vague_time",
        _phrases(
            r"尽快|尽早|及时(?!率)|第一时间|立即|立刻|马上|迅速|快速响应|短时间内|合理(?:的)?时间",
            r"as soon as (?:possible|practicable)|a\.?s\.?a\.?p|promptly|quickly|swiftly"
            r"|immediately|without (?:undue )?delay|in a timely (?:manner|fashion)|timely"
            r"|(?:with)?in (?:a )?reasonable time",
        ),
        ("a limit, its unit and its calendar: within 30 business minutes",
         "写明时限、单位与服务日历，例如“30 个工作分钟内”"),
    ),
    VagueRule(
        "vague_effort",
        _phrases(
            r"尽力|尽量|尽最大努力|尽可能|争取|力争|努力做到",
            r"best[- ]efforts?|reasonable efforts?|commercially reasonable|endeavou?rs? to"
            r"|strives? to|(?:where|wherever|if|whenever) possible",
        ),
        ("what is owed, and in which share of cases: 95 % per month",
         "写明应达到的结果与比例，例如“每月 95%”"),
    ),
    VagueRule(
        "vague_scope",
        _phrases(
            r"原则上|一般情况下|通常|必要时|视情况|适当|酌情|相关(?:人员|部门)|等等",
            r"normally|usually|generally|in principle|as appropriate|where appropriate"
            r"|if necessary|as (?:needed|required)|etc\.?|and so on",
        ),
        ("the conditions, one by one, and who decides", "逐条列明适用条件及决定人"),
    ),
    VagueRule(
        "vague_amount",
        _phrases(
            r"左右|大约|大概|若干|少量|大部分|绝大多数|基本上|较高|较低",
            r"approximately|roughly|about \d+|some|most(?:ly)?|several|sufficient|adequate(?:ly)?",
        ),
        ("a number with its unit", "写明数值与单位"),
    ),
    VagueRule(
        "vague_quality",
        _phrases(
            r"高质量|优质|满意的|良好的|一流的?|专业的?服务|让客户满意",
            r"high[- ]quality|satisfactory|best[- ]in[- ]class|world[- ]class|state of the art"
            r"|user[- ]friendly|professional(?:ly)?",
        ),
        ("a metric with its source: share of surveys answered 4 or 5",
         "写明指标与数据来源，例如“问卷 4 分及以上的比例”"),
    ),
)  # fmt: skip


def lint(part: str, text: str) -> list[Finding]:
    """Findings of one part of an agreement, in the order of the text."""
    if not text.strip():
        return [Finding(part, "empty", "", 0, 0, ("write this part", "请填写此部分"))]
    return sorted(_vague(part, text), key=lambda finding: (finding.start, finding.end))


def _vague(part: str, text: str) -> Iterator[Finding]:
    for rule in RULES:
        for match in rule.pattern.finditer(text):
            yield Finding(part, rule.code, match.group(), match.start(), match.end(), rule.instead)
