"""The forecast page's pictures: days with their interval, and the half-hours of one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from web.charts import tag

HEIGHT, FOOT = 220, 200  # pixels of the picture; where its ground line is
TOP = 14


@dataclass(frozen=True)
class DayPoint:
    """A day: what came, or what is expected with its interval; `base` is before adjustment."""

    label: str
    title: str
    actual: float | None = None
    expected: float | None = None
    base: float | None = None
    low: float | None = None
    high: float | None = None
    mark: str = ""
    rest: bool = False


@dataclass(frozen=True)
class SlotPoint:
    """A half-hour: contacts with their interval, and people required."""

    label: str
    title: str
    contacts: float
    low: float
    high: float
    people: int


def _nice(most: float) -> float:
    """A round number at or above the largest value."""
    step = 1.0
    while step * 10 <= most:
        step *= 10
    return next(step * m for m in (1, 2, 3, 4, 5, 6, 8, 10) if step * m >= most)


def _level(value: float, most: float) -> float:
    return FOOT - (FOOT - TOP) * value / most


def _scale(most: float) -> list[Markup]:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _level(share * most, most)
        parts.append(tag("line", x1="4%", x2="100%", y1=y, y2=y, class_="grid"))
        parts.append(
            tag("text", f"{share * most:g}", x="3.6%", y=y + 4, class_="tick", text_anchor="end")
        )
    return parts


def _left(place: float, count: int) -> float:
    """Per cent from the left of a place among `count`."""
    return 4.5 + 95 * place / max(count, 1)


def _inner(parts: Sequence[Markup], count: int) -> Markup:
    """Lines drawn in units of one point across, stretched to the width of the picture."""
    return tag(
        "svg", Markup().join(parts), x="4.5%", y=0, width="95%", height=HEIGHT,
        viewBox=f"0 0 {count} {HEIGHT}", preserveAspectRatio="none",
    )  # fmt: skip


def _line(points: Sequence[tuple[float, float]], tone: str) -> Markup:
    path = "M" + "L".join(f"{x:.2f} {y:.1f}" for x, y in points)
    return tag("path", d=path, class_=tone, vector_effect="non-scaling-stroke")


def days(points: Sequence[DayPoint], label: str) -> Markup:
    """History and forecast of day totals on one axis, the interval as a band."""
    values = [
        value
        for p in points
        for value in (p.actual, p.expected, p.high, p.base)
        if value is not None
    ]
    most, count = _nice(max([*values, 1.0])), len(points)
    inner: list[Markup] = [
        tag("rect", x=n, y=TOP, width=1, height=FOOT - TOP, class_="rest")
        for n, p in enumerate(points)
        if p.rest
    ]
    band = [(n + 0.5, p.low, p.high) for n, p in enumerate(points) if p.high is not None]
    if band:
        upper = [f"{x:.2f} {_level(high or 0, most):.1f}" for x, _, high in band]
        lower = [f"{x:.2f} {_level(low or 0, most):.1f}" for x, low, _ in reversed(band)]
        inner.append(tag("path", d="M" + "L".join(upper + lower) + "Z", class_="band"))
    for name in ("actual", "base", "expected"):
        line = [
            (n + 0.5, _level(value, most))
            for n, p in enumerate(points)
            if (value := getattr(p, name)) is not None
        ]
        if len(line) > 1:
            inner.append(_line(line, f"line {name}"))
    inner += [
        tag("rect", tag("title", escape(p.title)), x=n, y=0, width=1, height=FOOT, class_="touch")
        for n, p in enumerate(points)
    ]
    parts = [*_scale(most), _inner(inner, count)]
    every = max(1, count // 12)
    for n, p in enumerate(points):
        x = f"{_left(n + 0.5, count):.4g}%"
        if n % every == 0:
            parts.append(tag("text", escape(p.label), x=x, y=FOOT + 14, class_="tick",
                             text_anchor="middle"))  # fmt: skip
        if p.mark:
            y = _level(p.expected if p.expected is not None else p.actual or 0, most)
            dot = tag("circle", tag("title", escape(p.title)), cx=x, cy=y, r=4,
                      class_=f"mark {p.mark}")  # fmt: skip
            parts.append(dot)
    return tag("svg", Markup().join(parts), class_="forecast", width="100%", height=HEIGHT,
               role="img", aria_label=label)  # fmt: skip


def slots(points: Sequence[SlotPoint], label: str) -> Markup:
    """The half-hours of a day: contacts as bars with whiskers, people required as steps."""
    most = _nice(max([1.0, *(max(p.high, p.contacts, p.people) for p in points)]))
    count = len(points)
    inner: list[Markup] = []
    for n, p in enumerate(points):
        y = _level(p.contacts, most)
        inner.append(tag("rect", x=n + 0.12, y=y, width=0.76, height=FOOT - y, class_="contacts"))
        if p.high > 0:
            whisker = [(n + 0.5, _level(p.low, most)), (n + 0.5, _level(p.high, most))]
            inner.append(_line(whisker, "whisker"))
    steps: list[tuple[float, float]] = []
    for n, p in enumerate(points):
        steps += [(n, _level(p.people, most)), (n + 1, _level(p.people, most))]
    if steps:
        inner.append(_line(steps, "line people"))
    inner += [
        tag("rect", tag("title", escape(p.title)), x=n, y=0, width=1, height=FOOT, class_="touch")
        for n, p in enumerate(points)
    ]
    parts = [*_scale(most), _inner(inner, count)]
    for n in range(0, count, max(1, count // 8)):
        parts.append(tag("text", escape(points[n].label), x=f"{_left(n, count):.4g}%", y=FOOT + 14,
                         class_="tick", text_anchor="middle"))  # fmt: skip
    return tag("svg", Markup().join(parts), class_="forecast", width="100%", height=HEIGHT,
               role="img", aria_label=label)  # fmt: skip
