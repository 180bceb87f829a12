"""Warnings from data: agreements that nobody measures, nobody understands or nobody can keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from wfm.sla.tickets import Metric
from wfm.sla.words import METRICS

MOST_TARGETS = 24
MANY_PARTS = 6
REVIEW_MONTHS = 12

WARNINGS: dict[str, tuple[str, str]] = {
    "unmonitored": (
        "nothing was measured for {metric} in the last {months} months although tickets came",
        "最近 {months} 个月有工单，但 {metric} 没有任何测量数据",
    ),
    "too_complex": (
        "targets: {count}, agreements beneath it: {supports}; more than people can keep in mind",
        "共 {count} 项目标、{supports} 份下层协议，过于复杂",
    ),
    "unmeasurable": (
        "{count} words or targets cannot be measured",
        "有 {count} 处用语或目标无法衡量",
    ),
    "unrealistic": (
        "{metric} was not met in any of the last {months} months",
        "{metric} 在最近 {months} 个月中没有一个月达标",
    ),
    "no_cost": ("no cost is stated", "未注明费用"),
    "review_due": ("its review was due on {day}", "应于 {day} 复审，已逾期"),
}


@dataclass(frozen=True, slots=True)
class Month:
    """What one month said of one metric: finished clocks, and those within the target."""

    metric: str
    month: str
    clocks: int
    met: int
    agreed_share: float

    @property
    def kept(self) -> bool:
        return self.clocks > 0 and self.met >= self.agreed_share * self.clocks


@dataclass(frozen=True, slots=True)
class Warning:
    """A code of `WARNINGS` and what fills its gaps."""

    code: str
    parameters: dict[str, int | str]


def warnings(
    *,
    metrics: Sequence[str],
    months: Sequence[Month],
    tickets: int,
    targets: int,
    supports: int,
    unmeasurable: int,
    cost_stated: bool,
    review_on: date | None,
    today: date,
    span: int = REVIEW_MONTHS,
) -> list[Warning]:
    """Warnings of one agreement in force.

    Parameters
    ----------
    metrics : sequence of str
        What it promises.
    months : sequence of Month
        Of the last `span` months.
    tickets : int
        Tickets under it in that time.
    targets, supports, unmeasurable : int
        Its targets, the agreements beneath it, and what of it cannot be measured.
    cost_stated : bool
    review_on : date, optional
    today : date
    """
    found = []
    for metric in metrics:
        of_metric = [m for m in months if m.metric == metric and m.clocks]
        if tickets and not of_metric:
            found.append(Warning("unmonitored", {"metric": metric, "months": span}))
        elif of_metric and not any(m.kept for m in of_metric):
            found.append(Warning("unrealistic", {"metric": metric, "months": len(of_metric)}))
    if targets > MOST_TARGETS or supports > MANY_PARTS:
        found.append(Warning("too_complex", {"count": targets, "supports": supports}))
    if unmeasurable:
        found.append(Warning("unmeasurable", {"count": unmeasurable}))
    if not cost_stated:
        found.append(Warning("no_cost", {}))
    if review_on is not None and review_on < today:
        found.append(Warning("review_due", {"day": review_on.isoformat()}))
    return found


def text_of(warning: Warning, language: str) -> str:
    """One warning in `language`, ``en`` or ``zh``."""
    column = ("en", "zh").index(language)
    gaps: dict[str, int | str] = dict(warning.parameters)
    if "metric" in gaps:
        gaps["metric"] = METRICS[Metric(str(gaps["metric"]))][column]
    return WARNINGS[warning.code][column].format(**gaps)
