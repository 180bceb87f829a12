"""Pictures: in place, never beyond their edges, and never markup from the outside."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from web.charts import Axis, Interval, Limit, interval_row, share_bar, track, trend

HOSTILE = '<script>"&'


def test_an_axis_maps_to_per_cent_and_stops_at_its_ends() -> None:
    axis = Axis(0.5, 1.0, 0, 100)
    assert [axis.at(value) for value in (0.5, 0.75, 1.0, 0.1, 7)] == [0, 50, 100, 0, 100]
    assert Axis(3, 3, 0, 100).at(3) == 50
    longer = axis.around(0.25, None, 0.6)
    assert (longer.low, longer.high) == (0.25, 1.0)


def test_shares_fill_the_bar_in_order() -> None:
    bar = ElementTree.fromstring(share_bar({"a": 0.25, "b": 0.75, "c": 0.0}, "says", width=80))
    parts = [(p.get("class"), p.get("x"), p.get("width")) for p in bar.iter("rect")]
    assert parts == [("fill-a", "0", "20"), ("fill-b", "20", "60")]
    assert bar.findtext("title") == "says"


def test_what_is_not_known_is_a_gap() -> None:
    known = Interval(0.5, 0.4, 0.6, "yes", "known")
    missing = Interval(None, None, None, "idle", "missing")
    row = ElementTree.fromstring(interval_row([(known, Axis(0, 1)), (missing, Axis(0, 1))]))
    groups = row.findall("g")
    assert [len(group.findall("circle")) for group in groups] == [1, 0]
    wide = ElementTree.fromstring(track(missing, Axis(0, 1), [], missing="no records"))
    assert wide.findtext("text") == "no records"
    assert wide.find("circle") is None
    # a line joins neighbours only: nothing is drawn across the gap
    line = ElementTree.fromstring(trend([known, missing, known, known], [], "t"))
    assert [part.get("class") for part in line.findall("line")] == ["join"]


def test_an_end_at_zero_is_an_end() -> None:
    row = interval_row([(Interval(0.5, 0.0, 1.0, "yes"), Axis(0, 1, 0, 100))], cell=40)
    assert 'd="M0 7H40"' in row


def test_texts_are_escaped_everywhere() -> None:
    mark = Interval(0.5, 0.4, 0.6, "yes", HOSTILE)
    limits = [Limit(0.5, "entry", HOSTILE, HOSTILE)]
    for picture in (
        share_bar({"a": 1.0}, HOSTILE),
        interval_row([(mark, Axis(0, 1))]),
        track(mark, Axis(0, 1), limits, 0.3, HOSTILE, HOSTILE),
        trend([mark, mark], limits, HOSTILE),
    ):
        assert "<script" not in picture
        assert not re.search(r'style=|on\w+="', picture)
        ElementTree.fromstring(picture)
