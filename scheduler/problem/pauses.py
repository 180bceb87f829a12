"""Where the movable breaks of a shift may lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from scheduler.problem.parts import Break, Shift


def moved(shift: Shift, starts: Sequence[int]) -> tuple[Break, ...]:
    """The breaks of a shift, each begun at the given minute."""
    return tuple(
        Break(start, start + pause.end - pause.start, pause.paid, pause.earliest, pause.latest)
        for pause, start in zip(shift.breaks, starts, strict=True)
    )


def fault_of_breaks(shift: Shift, starts: Sequence[int]) -> str | None:
    """What is wrong with breaks begun at these minutes, as a code; None when they are right.

    ``count``: not as many as the shift has; ``window``: a break that may not be moved was, or one
    lies outside its window; ``order``: two overlap or change places; ``stretch``: too little work
    between two, or too much without one.
    """
    if len(starts) != len(shift.breaks):
        return "count"
    breaks = moved(shift, starts)
    for before, now in zip(shift.breaks, breaks, strict=True):
        if before.earliest is None or before.latest is None:
            if now.start != before.start:
                return "window"
        elif not before.earliest <= now.start <= now.end <= before.latest:
            return "window"
    edges = [shift.start, *(edge for pause in breaks for edge in (pause.start, pause.end))]
    stretches = [
        until - since for since, until in zip(edges[::2], [*edges[1::2], shift.end], strict=True)
    ]
    if any(stretch < 0 for stretch in stretches):
        return "order"
    if any(stretch < shift.min_stretch for stretch in stretches[1:-1]):
        return "stretch"
    if shift.max_stretch is not None and max(stretches) > shift.max_stretch:
        return "stretch"
    return None


def placements(shift: Shift, step: int, most: int = 200) -> list[tuple[int, ...]]:
    """Ways to begin the breaks, moved in steps from where they lie; that way comes first.

    At most `most` of them, the last breaks moved before the first, each near before far.
    """
    ways = _ways(shift, 0, step, shift.start)
    right = (starts for starts in ways if fault_of_breaks(shift, starts) is None)
    return list(islice(right, most))


def _ways(shift: Shift, number: int, step: int, since: int) -> Iterator[tuple[int, ...]]:
    """Ways to begin the breaks from one on, after work that began at `since`."""
    if number == len(shift.breaks):
        yield ()
        return
    pause = shift.breaks[number]
    length, starts = pause.end - pause.start, [pause.start]
    if pause.earliest is not None and pause.latest is not None:
        first = pause.start - (pause.start - pause.earliest) // step * step
        starts = list(range(first, pause.latest - length + 1, step))
        starts.sort(key=lambda start: (abs(start - pause.start), start))
    latest = shift.end if shift.max_stretch is None else since + shift.max_stretch
    for start in starts:
        if since <= start <= latest:
            for rest in _ways(shift, number + 1, step, start + length):
                yield (start, *rest)
