"""Small pictures drawn on the server: no script, readable at any width, coloured by style.css.

Positions are percentages of the picture's width, so that text keeps its size on a phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from wfm.services.grade_cases import CriterionView

EDGE = 1.5  # per cent kept free on either side, so that marks at the ends are seen whole


@dataclass(frozen=True)
class Axis:
    """Maps values between `low` and `high` to per cent of the width; beyond them to the ends."""

    low: float
    high: float
    start: float = EDGE
    end: float = 100 - EDGE

    def at(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)

    def around(self, *values: float | None) -> Axis:
        """The same axis, long enough for these values."""
        known = [value for value in values if value is not None]
        low, high = min([self.low, *known]), max([self.high, *known])
        return Axis(low, high, self.start, self.end)


@dataclass(frozen=True)
class Interval:
    """A value with its interval; `tone` is a class of style.css. No value: nothing is known."""

    value: float | None
    low: float | None
    high: float | None
    tone: str
    title: str = ""


@dataclass(frozen=True)
class Limit:
    """A line on an axis, with a label above it where it has one."""

    value: float
    tone: str
    label: str = ""
    title: str = ""


def tag(name: str, body: str | Markup = "", **attributes: object) -> Markup:
    """One element; `class_` is class, a_b is a-b, None leaves the attribute out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    # pieced together by hand: a funnel has thousands of these, and Markup.format takes its time
    return Markup(f"<{name}{shown}>{escape(body)}</{name}>" if body else f"<{name}{shown}/>")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _percent(value: float) -> str:
    return f"{value:.4g}%"


def _titled(parts: Iterable[Markup], title: str) -> Markup:
    inside = Markup().join(parts)
    return tag("g", tag("title", escape(title)) + inside) if title else inside


def share_bar(shares: Mapping[str, float], title: str, width: int = 90, height: int = 11) -> Markup:
    """Shares of one whole as a bar of coloured parts; the keys are the classes of the parts."""
    parts, start = [], 0.0
    for tone, share in shares.items():
        wide = width * min(max(share, 0.0), 1.0)
        if wide >= 0.25:
            parts.append(
                f'<rect x="{start:.4g}" width="{wide:.4g}" height="{height}"'
                f' class="fill-{escape(tone)}"/>'
            )
        start += wide
    return Markup(
        f'<svg class="bar" width="{width}" height="{height}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def interval_row(marks: Sequence[tuple[Interval, Axis]], cell: int = 40) -> Markup:
    """A few intervals side by side, each on its own axis; what is not known is a gap."""
    parts = []
    for place, (mark, axis) in enumerate(marks):
        left = place * (cell + 4)
        drawn = ""
        if mark.value is not None:
            low, high, value = (
                left + cell * axis.at(mark.value if x is None else x) / 100
                for x in (mark.low, mark.high, mark.value)
            )
            tone = escape(mark.tone)
            if high > low:
                drawn = f'<path d="M{low:.4g} 7H{high:.4g}" class="{tone}"/>'
            drawn += f'<circle cx="{value:.4g}" cy="7" r="2.6" class="{tone}"/>'
        parts.append(f"<g><title>{escape(mark.title)}</title>{drawn}</g>")
    lines = "".join(f"M{place * (cell + 4)} 7h{cell}" for place in range(len(marks)))
    return Markup(
        f'<svg class="marks" width="{len(marks) * (cell + 4)}" height="14">'
        f'<path class="base" d="{lines}"/>{"".join(parts)}</svg>'
    )


def criteria_row(
    criteria: Sequence[CriterionView], names: Mapping[str, str], tones: Mapping[str, str]
) -> Markup:
    """The criteria of an agent side by side, each on its axis, as a list shows them.

    Drawn here and not in a template: a list has hundreds of them.
    """
    return interval_row(
        [
            (
                Interval(
                    one.value, one.low, one.high, tones[one.verdict],
                    f"{names[one.name]} {_amount(one.value, one.unit)}, n {one.n}",
                ),
                Axis(one.scale.low, one.scale.high),
            )
            for one in criteria
        ]
    )  # fmt: skip


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    shown = f"{100 * value:.1f} %" if unit == "share" else f"{value:.{1 + (unit == 'points')}f}"
    return shown.replace("-", "−")


def track(
    mark: Interval,
    axis: Axis,
    limits: Sequence[Limit],
    raw: float | None = None,
    raw_title: str = "",
    missing: str = "",
) -> Markup:
    """One interval on a wide axis with its limits: the value filled, the raw value hollow."""
    y = 30
    parts = [tag("rect", x=0, y=y - 7, width="100%", height=14, rx=3, class_="ground")]
    for limit in limits:
        x = _percent(axis.at(limit.value))
        drawn = [tag("line", x1=x, x2=x, y1=y - 12, y2=y + 12, class_=f"limit {limit.tone}")]
        if limit.label:
            drawn.append(
                tag("text", escape(limit.label), x=x, y=12, class_=f"label {limit.tone}",
                    text_anchor="middle")
            )  # fmt: skip
        parts.append(_titled(drawn, limit.title))
    if mark.value is None:
        parts.append(tag("text", escape(missing or "—"), x="50%", y=y + 4, class_="missing",
                         text_anchor="middle"))  # fmt: skip
    else:
        low, high = (axis.at(mark.value if x is None else x) for x in (mark.low, mark.high))
        drawn = [
            tag("rect", x=_percent(low), y=y - 3.5, width=_percent(max(high - low, 0.2)), height=7,
                rx=3, class_=f"span {mark.tone}"),
        ]  # fmt: skip
        if raw is not None:
            hollow = tag("circle", cx=_percent(axis.at(raw)), cy=y, r=4, class_="hollow")
            drawn.append(_titled([hollow], raw_title))
        drawn.append(tag("circle", cx=_percent(axis.at(mark.value)), cy=y, r=5, class_=mark.tone))
        parts.append(_titled(drawn, mark.title))
    return tag("svg", Markup().join(parts), class_="track", width="100%", height=44, role="img",
               aria_label=mark.title or missing)  # fmt: skip


def trend(points: Sequence[Interval], limits: Sequence[Limit], title: str) -> Markup:
    """Values over time with their intervals, oldest left; a point without a value is a gap."""
    height, top, bottom = 78, 8, 70
    known = [x for p in points for x in (p.value, p.low, p.high) if x is not None]
    edges = [*known, *(limit.value for limit in limits)]
    axis = Axis(min(edges, default=0), max(edges, default=1), 0, 1)

    def y(value: float) -> float:
        return bottom - (bottom - top) * axis.at(value)

    step = 100 / max(len(points), 1)
    parts = [tag("title", escape(title))]
    for limit in limits:
        level = y(limit.value)
        line = tag("line", x1=0, x2="100%", y1=level, y2=level, class_=f"limit {limit.tone}")
        parts.append(_titled([line], limit.title))
    before: tuple[float, float] | None = None
    for place, point in enumerate(points):
        if point.value is None:
            before = None
            continue
        x, level = step * (place + 0.5), y(point.value)
        ends = [y(point.value if end is None else end) for end in (point.low, point.high)]
        if before:
            parts.append(
                tag("line", x1=_percent(before[0]), y1=before[1], x2=_percent(x), y2=level,
                    class_="join")
            )  # fmt: skip
        whisker = tag("line", x1=_percent(x), x2=_percent(x), y1=ends[0], y2=ends[1],
                      class_=f"whisker {point.tone}")  # fmt: skip
        dot = tag("circle", cx=_percent(x), cy=level, r=4, class_=point.tone)
        parts.append(_titled([whisker, dot], point.title))
        before = (x, level)
    return tag("svg", Markup().join(parts), class_="trend", width="100%", height=height,
               role="img", aria_label=title)  # fmt: skip
