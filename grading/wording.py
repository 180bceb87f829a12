"""Explanations in words, English and Chinese, from the structured ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from grading.assess import Assessments
from grading.changes import Change
from grading.evidence import FAMILIES, Notice
from grading.explain import Explanation, GradeCase, Reason
from grading.policy import CRITERIA, GRADES, Criterion, GradePolicy

Language = Literal["en", "zh"]
Words = dict[str, dict[str, str]]

GRADE: Words = {
    "en": {"ordinary": "ordinary", "senior": "senior", "expert": "expert"},
    "zh": {"ordinary": "普通客服", "senior": "高级客服", "expert": "专家客服"},
}
CRITERION: Words = {
    "en": {str(name): str(name) for name in CRITERIA},
    "zh": {
        "tenure": "服务经验",
        "resolution": "解决问题能力",
        "quality": "服务质量",
        "initiative": "工作积极性",
        "satisfaction": "客户满意度",
    },
}
VERDICT: Words = {
    "en": {
        "for": "for",
        "against": "against",
        "unsure": "unsure",
        "below_floor": "below the floor",
        "vetoed": "veto",
        "thin": "too few records",
        "left_out": "left out for lack of agreement",
        "missing": "no records",
    },
    "zh": {
        "for": "支持",
        "against": "反对",
        "unsure": "不确定",
        "below_floor": "未达底线",
        "vetoed": "一票否决",
        "thin": "记录太少",
        "left_out": "因评分不一致未计入",
        "missing": "无记录",
    },
}
DECISION: Words = {
    "en": {
        "rise": "rises to {grade}",
        "fall": "falls to {grade}",
        "keep": "keeps {grade}",
        "undecided": "keeps {grade}: not enough evidence to move",
        "blocked": "keeps {grade}: the move is blocked",
    },
    "zh": {
        "rise": "升为{grade}",
        "fall": "降为{grade}",
        "keep": "保持{grade}",
        "undecided": "保持{grade}：依据不足，暂不调整",
        "blocked": "保持{grade}：暂不得调整",
    },
}
BLOCK: Words = {
    "en": {
        "coverage": "the evidence covers too few criteria",
        "dwell": "the last move is too recent",
        "serious_event": "a serious event stands against a rise",
    },
    "zh": {
        "coverage": "有依据的评定因素太少",
        "dwell": "距上次调整不足规定周期",
        "serious_event": "有严重事件，不得升级",
    },
}
RECORD: Words = {
    "en": {"resolution": "cases", "quality": "reviews", "satisfaction": "surveys"},
    "zh": {"resolution": "个工单", "quality": "次质检", "satisfaction": "份评价"},
}
KIND: Words = {
    "en": {"cases": "cases", "reviews": "reviews", "contributions": "contributions"},
    "zh": {"cases": "工单", "reviews": "质检", "contributions": "贡献"},
}
NOTICE: Words = {
    "en": {
        "unknown_agents": "{rows} {kind} of {agents} people who are not among the agents "
        "are left out: {names}",
        "after_as_of": "{rows} {kind} after the day of assessment are not counted",
        "hired_later": "{agents} agents are hired after the day of assessment; "
        "their service counts as 0 months",
        "agreement": "reviewers agree: alpha {alpha:.2f} over {cases} cases scored twice "
        "(at least {limit:.2f} is asked)",
        "quality_left_out": "quality is left out: reviewers disagree, alpha {alpha:.2f} over "
        "{cases} cases scored twice (at least {limit:.2f} is asked)",
        "alike": "{criterion} tells nobody apart: the records of {agents} agents do not show that "
        "they differ (odds of {odds:g} to 1 that all are equal), so all have the common value",
        "quota": "{share} of the agents would be {grade}; {limit} are meant to be",
    },
    "zh": {
        "unknown_agents": "{rows} 条{kind}属于不在名单中的 {agents} 人，未计入：{names}",
        "after_as_of": "{rows} 条{kind}晚于评定日，未计入",
        "hired_later": "{agents} 名客服在评定日之后入职，服务月数按 0 计",
        "agreement": "质检员评分一致：{cases} 个双评工单的 α 为 "
        "{alpha:.2f}（要求至少 {limit:.2f}）",
        "quality_left_out": "服务质量未计入：质检员评分不一致，{cases} 个双评工单的 α 为 "
        "{alpha:.2f}（要求至少 {limit:.2f}）",
        "alike": "{criterion}分不出高低：{agents} 人的记录不足以说明彼此不同"
        "（“人人相同”的胜算为 {odds:g} 比 1），故一律按全体水平计",
        "quota": "{grade}将占 {share}，控制比例为 {limit}",
    },
}


def notice_text(notice: Notice, language: Language = "en") -> str:
    """One notice as a sentence."""
    values = dict(notice.values)
    names = values.get("names")
    if isinstance(names, list):
        joint = ", " if language == "en" else "、"
        more = " …" if len(names) < int(str(values["agents"])) else ""
        values["names"] = joint.join(str(name) for name in names) + more
    if "grade" in values:
        values["grade"] = GRADE[language][str(values["grade"])]
    if "criterion" in values:
        values["criterion"] = CRITERION[language][str(values["criterion"])]
    if notice.code == "quota":
        values |= {name: percent(float(str(values[name])), 1) for name in ("share", "limit")}
    if "kind" in values:
        values["kind"] = KIND[language][str(values["kind"])]
    return NOTICE[language][notice.code].format(**values)


def short_reasons(assessments: Assessments, language: Language = "en") -> pd.Series:
    """One line per agent: the decision and what each criterion says about the grade in question.

    Agents with the same verdicts share the words, so a hundred thousand are no burden.
    """
    table, verdicts = assessments.table, assessments.verdicts
    columns = ["grade", "decision", "block", "target"]
    rows = pd.concat([table[columns], verdicts], axis=1)
    keys = list(rows.itertuples(index=False, name=None))
    words = {key: _line(key, language) for key in set(keys)}
    return pd.Series([words[key] for key in keys], index=table.index, dtype=object)


def _line(key: Sequence[str], language: Language) -> str:
    grade, decision, block, target, *verdicts = key
    said = DECISION[language][decision].format(grade=GRADE[language][grade])
    if block:
        said += (
            f" ({BLOCK[language][block]})" if language == "en" else f"（{BLOCK[language][block]}）"
        )
    parts = []
    for word, text in VERDICT[language].items():
        names = [
            CRITERION[language][name]
            for name, verdict in zip(CRITERIA, verdicts, strict=True)
            if verdict == word
        ]
        if names:
            joint = ", " if language == "en" else "、"
            parts.append(text + (": " if language == "en" else "：") + joint.join(names))
    if not parts:
        return said
    if language == "en":
        return f"{said}; as to {GRADE[language][target]}, {'; '.join(parts)}"
    return f"{said}；就{GRADE[language][target]}而言，{'；'.join(parts)}"


def explanation_text(
    explanation: Explanation, policy: GradePolicy, language: Language = "en"
) -> str:
    """The whole explanation, a few lines."""
    english = language == "en"
    grade = GRADE[language]
    said = DECISION[language][explanation.decision].format(grade=grade[explanation.grade])
    block = f" ({BLOCK[language][explanation.block]})" if explanation.block else ""
    lines = [f"{explanation.agent_id}{': ' if english else '：'}{said}{block}"]
    chances = ", ".join(f"{grade[g]} {percent(p)}" for g, p in explanation.probabilities.items())
    lines.append(("Probability of deserving: " if english else "应得等级的概率：") + chances)
    for case in explanation.cases:
        lines += _case_lines(case, language)
    lines += _change_lines(explanation, language)
    if explanation.plain_average:
        plain = grade[explanation.plain_average]
        lines.append(
            f"A plain average of raw values would have given: {plain}"
            if english
            else f"若按原始值简单平均：{plain}"
        )
    title = policy.title[language]
    lines.append(
        f"Policy: {title}, version {policy.version}"
        if english
        else f"依据：{title}，版本 {policy.version}"
    )
    return "\n".join(lines)


def _case_lines(case: GradeCase, language: Language) -> list[str]:
    grade = GRADE[language][case.grade]
    if language == "en":
        way = "keep" if case.side == "exit" else "be given"
        head = f"To {way} {grade} or higher (probability {percent(case.probability)}):"
    else:
        way = "保持" if case.side == "exit" else "评为"
        head = f"{way}{grade}或以上（概率 {percent(case.probability)}）："
    return [
        head,
        *(f"  {reason_text(r, language)}" for r in case.reasons if r.verdict != "not_counted"),
    ]


def percent(share: float, digits: int = 0) -> str:
    """A share as the pages write it, in both languages."""
    return f"{100 * share:.{digits}f} %"


def amount(criterion: Criterion, value: float, language: Language) -> str:
    """A value of a criterion with its unit."""
    if FAMILIES[criterion] == "share":
        return percent(value, 1)
    if criterion == "tenure":
        return f"{value:.1f} months" if language == "en" else f"{value:.1f} 个月"
    if criterion == "initiative":
        return f"{value:.2f} points a month" if language == "en" else f"每月 {value:.2f} 分"
    return f"{value:.1f}"


def reason_text(reason: Reason, language: Language = "en") -> str:
    """One criterion's say about one grade."""
    english = language == "en"
    name = CRITERION[language][reason.criterion]
    word = VERDICT[language][reason.verdict]
    if reason.verdict == "missing" or reason.value is None:
        return f"{name}: {word}" if english else f"{name}：{word}"
    value = amount(reason.criterion, reason.value, language)
    records = f"{reason.n}" if reason.criterion != "tenure" else ""
    spread = ""
    if reason.low is not None and reason.high is not None and reason.high > reason.low:
        low, high = (amount(reason.criterion, x, language) for x in (reason.low, reason.high))
        spread = (
            f" ({low} – {high}, n = {records})" if english else f"（{low} – {high}，n = {records}）"
        )
    if reason.verdict == "thin":
        need = f", {reason.needed} needed" if english else f"，需要 {reason.needed}"
        return (
            f"{name}: {word}{need}; {value}{spread}"
            if english
            else f"{name}：{word}{need}；{value}{spread}"
        )
    against = ""
    if reason.limit is not None and reason.probability is not None:
        limit = amount(reason.criterion, reason.limit, language)
        against = (
            f"; {limit} asked, reached with {percent(reason.probability)}"
            if english
            else f"；要求 {limit}，达到的概率 {percent(reason.probability)}"
        )
    return (
        f"{name}: {word}; {value}{spread}{against}"
        if english
        else f"{name}：{word}；{value}{spread}{against}"
    )


def _change_lines(explanation: Explanation, language: Language) -> list[str]:
    lines = []
    for changes, english, chinese in (
        (explanation.lifts, "Nearest change that would lift the grade: ", "最近的升级条件："),
        (explanation.drops, "Nearest change that would drop the grade: ", "最近的降级情形："),
    ):
        if changes:
            head = english if language == "en" else chinese
            lines.append(head + change_text(changes[0], language))
    if not explanation.lifts and explanation.decision != "rise" and explanation.grade != GRADES[-1]:
        english = "No single change would lift the grade."
        lines.append(english if language == "en" else "任何单项变化都不足以升级。")
    return lines


def change_text(change: Change, language: Language = "en") -> str:
    """A single change in words."""
    name = CRITERION[language][change.criterion]
    if change.records is not None:
        unit = RECORD[language][change.criterion]
        if language == "en":
            return f"{change.records} more {unit} at the present level ({name})"
        return f"按目前水平再增加 {change.records} {unit}（{name}）"
    now, needed = (amount(change.criterion, x, language) for x in (change.now, change.needed))
    return f"{name} from {now} to {needed}" if language == "en" else f"{name}由 {now} 变为 {needed}"
