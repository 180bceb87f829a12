"""The funnel plot: agents by cases and share, with the limits that chance sets."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from markupsafe import Markup, escape

from web.charts import tag
from wfm.services.grade_funnel import Curve, Dot

WIDTH, HEIGHT, LEFT, BOTTOM = 900, 360, 44, 24


def funnel(dots: Sequence[Dot], curve: Sequence[Curve], share: float, title: str) -> Markup:
    """Cases on a logarithmic axis to the right, shares upwards; adjusted filled, raw as rings."""
    lowest = min([share, *(min(dot.raw, dot.adjusted) for dot in dots)])
    highest = max([share, *(max(dot.raw, dot.adjusted) for dot in dots)])
    fewest = min(dot.n for dot in dots)
    most = max(max(dot.n for dot in dots), fewest + 1)
    room = (highest - lowest or 0.1) * 0.05

    def x(n: float) -> float:
        part = log(max(n, fewest) / fewest) / log(most / fewest)
        return LEFT + (WIDTH - LEFT - 10) * part

    def y(value: float) -> float:
        span = highest - lowest + 2 * room
        inside = min(max(value, lowest - room), highest + room)
        return 8 + (HEIGHT - BOTTOM - 8) * (highest + room - inside) / span

    parts = [tag("title", escape(title))]
    parts.append(tag("line", x1=LEFT, x2=WIDTH - 10, y1=y(share), y2=y(share), class_="middle"))
    shown = [one for one in curve if fewest <= one.n <= most]
    for name, tone in (("low", "inner"), ("high", "inner"), ("outer_low", "outer"),
                       ("outer_high", "outer")):  # fmt: skip
        points = " ".join(f"{x(one.n):.1f},{y(getattr(one, name)):.1f}" for one in shown)
        parts.append(tag("polyline", points=points, class_=tone))
    for dot in dots:
        parts.append(tag("circle", cx=x(dot.n), cy=y(dot.raw), r=3, class_="ring"))
        says = f"{dot.name} ({dot.code}): {100 * dot.adjusted:.1f} %, n = {dot.n}"
        mark = tag("circle", tag("title", escape(says)), cx=x(dot.n), cy=y(dot.adjusted), r=3.5,
                   class_=dot.stands_out or "within")  # fmt: skip
        parts.append(mark)
    for value in (lowest, share, highest):
        parts.append(tag("text", f"{100 * value:.0f} %", x=0, y=y(value) + 4))
    for count in (fewest, most):
        parts.append(tag("text", f"n = {count}", x=min(x(count), WIDTH - 60), y=HEIGHT - 6))
    return tag("svg", Markup().join(parts), class_="funnel", viewBox=f"0 0 {WIDTH} {HEIGHT}",
               width="100%", role="img", aria_label=title)  # fmt: skip
