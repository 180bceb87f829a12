"""Random cases of the five kinds against an oracle that looks at every second.

The oracle shares nothing with the program: it marks each second of a window that is open, and
answers by counting marked seconds. Local readings are looked up in the
window's own list of readings, second by second, so clock changes come out by themselves.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest

from wfm.sla.cases import evaluate_all

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BEFORE, AFTER = 3, 28  # days of the window around the start
DAY = 86_400
EPOCH = datetime(1970, 1, 1)
CASES = 15

# zone and a local date near which something odd happens there, or nothing at all
PLACES = (
    ("UTC", date(2026, 2, 27)), ("Asia/Shanghai", date(2026, 9, 28)),
    ("Asia/Kathmandu", date(1985, 12, 30)),  # +05:30 becomes +05:45
    ("Europe/Berlin", date(2026, 3, 28)), ("Europe/Berlin", date(2026, 10, 24)),
    ("America/New_York", date(2026, 3, 7)), ("America/St_Johns", date(2006, 10, 28)),  # at 00:01
    ("America/Sao_Paulo", date(2015, 10, 17)), ("America/Sao_Paulo", date(2015, 2, 20)),
    ("America/Havana", date(2026, 10, 31)), ("Asia/Tehran", date(2021, 3, 21)),
    ("Australia/Lord_Howe", date(2026, 4, 4)), ("Australia/Lord_Howe", date(2026, 10, 3)),
    ("Africa/Casablanca", date(2026, 2, 14)), ("Africa/Casablanca", date(2026, 3, 21)),
    ("Antarctica/Troll", date(2026, 3, 28)),  # two hours
    ("Pacific/Apia", date(2011, 12, 28)), ("Pacific/Kwajalein", date(1993, 8, 19)),  # skip a day
    ("Pacific/Chatham", date(2026, 9, 26)), ("Asia/Pyongyang", date(2018, 5, 3)),
    ("Africa/Monrovia", date(1972, 1, 5)),  # an offset of 44 minutes and 30 seconds ends
    ("America/Nuuk", date(2024, 3, 29)), ("America/Caracas", date(2016, 4, 30)),  # half an hour
    ("Asia/Singapore", date(1981, 12, 30)), ("Asia/Gaza", date(2023, 4, 28)),  # at 02:00, at 24:00
    ("Pacific/Norfolk", date(2015, 10, 2)), ("America/Anchorage", date(2026, 10, 30)),
)  # fmt: skip

Ints = npt.NDArray[np.int64]


class Window:
    """Every second around a start: its local reading, and whether it is open."""

    def __init__(self, zone: str, around: date, case: dict[str, Any]) -> None:
        self.case = case
        self.first, self.local = readings(zone, around)
        self.jumps = [0, *(np.flatnonzero(np.diff(self.local) != 1) + 1).tolist(), len(self.local)]
        self.open, broken = np.zeros((2, len(self.local)), dtype=bool)
        days = sorted(set((self.local[::900] // DAY).tolist()))
        for day in days:
            for start, end in map(self.place_of(day), self.breaks(day)):
                broken[start:end] = True
        self.working: list[int] = []
        for day in days:
            for start, end in map(self.place_of(day), self.spans(day)):
                self.open[start:end] |= ~broken[start:end]
                if not broken[start:end].all():
                    self.working.append(day)

    def place_of(self, day: int) -> Callable[[tuple[int, int]], tuple[int, int]]:
        return lambda span: (self.find(day * DAY + span[0]), self.find(day * DAY + span[1]))

    def find(self, reading: int) -> int:
        """The first second with that reading; in a gap as long after it as it is into it."""
        stretches = list(zip(self.jumps, self.jumps[1:], strict=False))
        for start, end in stretches:
            into = reading - int(self.local[start])
            if 0 <= into < end - start:
                return start + into
        if reading < self.local[0]:
            return 0
        for (start, end), (following, _) in itertools.pairwise(stretches):
            if self.local[end - 1] < reading < self.local[following]:
                return start + reading - int(self.local[start])
        return len(self.local)

    def spans(self, day: int) -> list[tuple[int, int]]:
        on = date(1970, 1, 1) + timedelta(days=day)
        calendar = {**self.case["calendar"], "holidays": self.case["holidays"]}
        if str(on) in calendar.get("date_overrides", {}):
            return seconds(calendar["date_overrides"][str(on)])
        if str(on) in calendar.get("makeup_workdays", {}):
            return seconds(calendar.get(calendar["makeup_workdays"][str(on)], []))
        if str(on) in calendar["holidays"] or f"{on:%m-%d}" in calendar["holidays"]:
            return []
        return seconds(calendar.get(WEEKDAYS[on.weekday()], []))

    def breaks(self, day: int) -> list[tuple[int, int]]:
        on = date(1970, 1, 1) + timedelta(days=day)
        breaks = self.case["calendar"].get("breaks", {})
        keys = (WEEKDAYS[on.weekday()], str(on), f"{on:%m-%d}")
        return [span for key in keys for span in seconds(breaks.get(key, []))]

    def at(self, text: str) -> int:
        """The place of a time written without an offset."""
        return self.find(int((datetime.fromisoformat(text) - EPOCH).total_seconds()))

    def shown(self, place: int) -> datetime:
        return datetime.fromtimestamp(self.first + place, UTC)

    def text(self, place: int) -> str:
        """A local time without an offset, unless that would mean an earlier second."""
        reading = int(self.local[place])
        shown = (EPOCH + timedelta(seconds=reading)).isoformat()
        if self.find(reading) == place:
            return shown
        ahead = reading - self.first - place
        sign, ahead = "-" if ahead < 0 else "+", abs(ahead)
        return f"{shown}{sign}{ahead // 3600:02}:{ahead // 60 % 60:02}:{ahead % 60:02}"

    def told(self, text: str | None) -> datetime | None:
        """The instant of an answer, with an offset or local."""
        if text is None or datetime.fromisoformat(text).tzinfo is not None:
            return None if text is None else datetime.fromisoformat(text)
        return self.shown(self.at(text))

    def edges(self) -> list[int]:
        """Places at which the calendar opens or closes, and those at which the clock jumps."""
        return (np.flatnonzero(np.diff(self.open)) + 1).tolist() + self.jumps[1:-1]

    def next_open(self, place: int) -> int:
        return place + int(np.argmax(self.open[place:]))

    def last_open(self, place: int) -> int:
        """The place itself when open, else the closing before it."""
        return place if self.open[place] else self.before(place, 1) + 1

    def before(self, place: int, less: int) -> int:
        """The latest second from which so many open ones lead to `place`."""
        return int(np.flatnonzero(self.open[:place])[-less])

    def add(self, place: int, more: int, counted: npt.NDArray[np.bool_] | None = None) -> int:
        """The closing end of the `more`-th counted second from `place` on."""
        counted = self.open if counted is None else counted
        if more == 0:
            return self.next_open(place)
        return place + int(np.flatnonzero(counted[place:])[more - 1]) + 1


@cache
def readings(zone: str, around: date) -> tuple[int, Ints]:
    """The first UTC second of the window, and the local reading of each of its seconds."""
    first = int(datetime(around.year, around.month, around.day, tzinfo=UTC).timestamp())
    first -= BEFORE * DAY
    info = ZoneInfo(zone)

    def offset(second: int) -> int:
        ahead = datetime.fromtimestamp(second, info).utcoffset()
        assert ahead is not None
        return int(ahead.total_seconds())

    local = np.arange(first, first + (BEFORE + AFTER) * DAY)
    for hour in range(0, len(local), 3600):
        low, high = first + hour, first + hour + 3600
        local[hour : hour + 3600] += offset(low)
        if offset(low) != offset(high - 1):  # no zone changes twice within an hour
            change = next(s for s in range(low, high) if offset(s) != offset(low))
            local[change - first : hour + 3600] += offset(change) - offset(low)
    return first, local


def seconds(spans: list[list[str]]) -> list[tuple[int, int]]:
    def second(text: str) -> int:
        hour, minute, *rest = (int(part) for part in text.split(":"))
        return hour * 3600 + minute * 60 + (rest[0] if rest else 0)

    ends = [(second(a), second(b)) for a, b in spans]
    found: list[tuple[int, int]] = []
    for start, end in sorted((a, b if b > a else b + DAY) for a, b in ends):
        if found and start <= found[-1][1]:  # what meets or overlaps on a date is one span
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


# --- random calendars and cases -------------------------------------------------------------------


def clock(dice: random.Random) -> str:
    if dice.random() < 0.15:
        return f"{dice.randrange(24):02}:{dice.randrange(60):02}:{dice.randrange(60):02}"
    return f"{dice.randrange(24):02}:{dice.choice((0, 0, 15, 30, 45, 59)):02}"


def hours(dice: random.Random) -> list[list[str]]:
    kind = dice.random()
    if kind < 0.2:
        return [["00:00", "24:00"]]
    if kind < 0.35:
        return [["22:00", "06:00"]]
    if kind < 0.7:
        return [["08:30", "12:00"], ["13:00", "17:45"]]
    return [[clock(dice), clock(dice)] for _ in range(dice.randint(1, 3))]


def a_date(dice: random.Random, around: date) -> str:
    return str(around + timedelta(days=dice.randint(-4, 12)))


def a_case(dice: random.Random, kind: str) -> tuple[dict[str, Any], date]:
    zone, around = dice.choice(PLACES)
    week = hours(dice)
    calendar: dict[str, Any] = {
        day: week if dice.random() < 0.7 else hours(dice)
        for day in WEEKDAYS
        if day == "mon" or dice.random() < 0.75
    }
    if dice.random() < 0.4:
        calendar["date_overrides"] = {
            a_date(dice, around): dice.choice(([], hours(dice))) for _ in range(2)
        }
    if dice.random() < 0.4:
        calendar["breaks"] = {
            dice.choice((*WEEKDAYS, a_date(dice, around), a_date(dice, around)[5:])):
            [[clock(dice), clock(dice)]] for _ in range(2)
        }  # fmt: skip
    if dice.random() < 0.3:
        calendar["makeup_workdays"] = {a_date(dice, around): "mon"}
    holidays = [a_date(dice, around) for _ in range(dice.randint(0, 2))]
    holidays += [a_date(dice, around)[5:] for _ in range(dice.randint(0, 1))]
    start = datetime.combine(around, datetime.min.time()) + timedelta(
        days=dice.randint(-1, 4), seconds=dice.choice((0, dice.randrange(DAY)))
    )
    case = {
        "id": "r", "kind": kind, "calendar": calendar, "timezone": zone, "holidays": holidays,
        "start": start.isoformat(), "events": [], "target": None,
    }  # fmt: skip
    return case, around


def some_events(dice: random.Random, start: str, kinds: tuple[str, ...], most: int) -> list[Any]:
    """Events at distinct instants, since which of two comes first is a matter of their order."""
    begin = datetime.fromisoformat(start)
    after = sorted(dice.sample(range(60, 4 * DAY), dice.randint(0, most)))
    return [
        {"at": (begin + timedelta(seconds=n)).isoformat(), "type": dice.choice(kinds)}
        for n in after
    ]


def utc_text(window: Window, place: int) -> str:
    return window.shown(place).isoformat().replace("+00:00", "Z")


def prepared(seed: str, kind: str, kinds: tuple[str, ...] = (), most: int = 0) -> Any:
    """A case whose times are UTC, with its window, the start's place, and (place, kind) events."""
    dice = random.Random(seed)
    while True:
        case, around = a_case(dice, kind)
        window = Window(case["timezone"], around, case)
        if window.open.sum() > 80 * 3600 and len(set(window.working)) > 15:
            break
    edges = [at for at in window.edges() if BEFORE * DAY < at < (BEFORE + 6) * DAY]
    place = window.at(case["start"])
    if edges and dice.random() < 0.4:  # the very second of an opening, a closing, a change
        place = max(dice.choice(edges) + dice.choice((-1, 0, 0, 1)), 0)
        case["start"] = window.text(place)
    events = some_events(dice, case["start"][:19], kinds, most) if kinds else []
    happened = [(window.at(event["at"]), event["type"]) for event in events]
    if edges and happened and dice.random() < 0.4:
        happened[0] = (dice.choice(edges), happened[0][1])
    happened = sorted(dict(reversed(happened)).items())  # distinct also where clocks change
    happened = [one for one in happened if one[0] > place]
    local = dice.random() < 0.4
    write = window.text if local else lambda at: utc_text(window, at)
    if not local:
        case["start"] = write(place)
    case["events"] = [{"at": write(at), "type": kind} for at, kind in happened]
    return dice, case, window, place, happened


def answer(case: dict[str, Any]) -> Any:
    results, _ = evaluate_all([case])
    return results[0]["result"]


# --- the five kinds -------------------------------------------------------------------------------


def runs(window: Window, start: int, happened: list[tuple[int, str]]) -> npt.NDArray[np.bool_]:
    """Seconds from the start on that are not in a pause, nor between a stop and a reopening."""
    counted = np.ones(len(window.open), dtype=bool)
    counted[:start] = False
    paused = stopped = False
    marks = [*happened, (len(counted), "end")]
    for (at, kind), (until, _) in itertools.pairwise(marks):
        if kind == "pause":
            paused = True
        elif kind == "resume":
            paused = False
        elif kind == "stop":
            paused, stopped = False, True
        elif kind == "reopen":
            stopped = False
        if paused or stopped:
            counted[at:until] = False
    return counted


@pytest.mark.parametrize("seed", range(CASES))
def test_due(seed: int) -> None:
    _, case, window, start, happened = prepared(f"due {seed}", "due", ("pause", "resume"), 6)
    dice = random.Random(seed)
    seconds = dice.choice((1, 59, 3600, 4 * 3600, dice.randint(1, 30 * 3600)))
    case["target"] = {"business_seconds": seconds}
    convention = dice.choice(("close", "next_open"))
    case["boundary_convention"] = convention
    counted = runs(window, start, happened) & window.open
    if counted[start:].sum() < seconds:
        expected = None  # a pause that does not end
    else:
        due = window.add(start, seconds, counted)
        if convention == "next_open":  # the next second that counts, if no pause begins there
            due = due + int(np.argmax(counted[due:]))
        expected = window.shown(due)
    found = window.told(answer(case)["due"])
    if expected is not None and convention == "next_open" and found != expected:
        # where a pause lies between, both are one business instant of the clock
        assert found is not None
        between = sorted((found, expected))
        places = [int(at.timestamp()) - window.first for at in between]
        assert counted[places[0] : places[1]].sum() == 0
    else:
        assert found == expected


@pytest.mark.parametrize("seed", range(CASES))
def test_due_of_nothing_and_backwards(seed: int) -> None:
    _, case, window, start, _ = prepared(f"back {seed}", "due")
    dice = random.Random(seed)
    seconds = dice.choice((0, -1, -60, -3600, -dice.randint(1, 15 * 3600)))
    case["boundary_convention"] = dice.choice(("close", "next_open"))
    case["target"] = {"business_seconds": seconds}
    assume_open = int(window.open[:start].sum())
    if seconds and assume_open < -seconds:
        seconds = -assume_open
        case["target"] = {"business_seconds": seconds}
    expected = window.before(start, -seconds) if seconds else window.next_open(start)
    assert window.told(answer(case)["due"]) == window.shown(expected)


@pytest.mark.parametrize("seed", range(CASES))
def test_elapsed(seed: int) -> None:
    kinds = ("pause", "resume")
    _, case, window, start, happened = prepared(f"elapsed {seed}", "elapsed", kinds, 6)
    dice = random.Random(seed)
    if not happened and dice.random() < 0.5:  # counted back
        stop = max(start - dice.randint(0, 2 * DAY), DAY)
        case["events"].append({"at": utc_text(window, stop), "type": "stop"})
        seconds = -int(window.open[stop:start].sum())
        assert answer(case) == {"business_seconds": seconds, "paused_business_seconds": 0}
        return
    stop = (happened[-1][0] if happened else start) + dice.randint(1, 6 * DAY)
    case["events"].append({"at": utc_text(window, stop), "type": "stop"})
    counted = runs(window, start, happened)[:stop]
    opened = window.open[:stop].copy()
    opened[:start] = False
    assert answer(case) == {
        "business_seconds": int((counted & opened).sum()),
        "paused_business_seconds": int((~counted & opened).sum()),
    }


@pytest.mark.parametrize("seed", range(CASES))
def test_open_intervals(seed: int) -> None:
    _, case, window, start, _ = prepared(f"open {seed}", "open_intervals")
    case["expected"] = {"open_intervals": [["", ""]] * 12}
    found = [(window.told(a), window.told(b)) for a, b in answer(case)["open_intervals"]]
    edges = (np.flatnonzero(np.diff(window.open[start:])) + 1 + start).tolist()
    edges = [start, *edges] if window.open[start] else edges
    expected = list(
        zip(map(window.shown, edges[::2]), map(window.shown, edges[1::2]), strict=False)
    )
    # where one date's hours touch the next date's there are two spans; here they are one
    whole = joined(found)[:-1]
    assert whole == expected[: len(whole)]
    assert len(found) == 12


def joined(spans: list[Any]) -> list[Any]:
    made = spans[:1]
    for opening, closing in spans[1:]:
        if opening == made[-1][1]:
            made[-1] = (made[-1][0], closing)
        else:
            made.append((opening, closing))
    return made


@pytest.mark.parametrize("seed", range(CASES))
def test_due_days(seed: int) -> None:
    _, case, window, start, _ = prepared(f"days {seed}", "due_days")
    # the window begins only some days before
    earliest = -2 if window.open[DAY:start].any() else 0
    days = random.Random(seed).randint(earliest, 8)
    within = window.last_open if days < 0 else window.next_open
    at = start
    if not window.open[at] and window.local[at] // DAY not in window.working:
        at = within(at)
    day, second = divmod(int(window.local[at]), DAY)
    later = sorted({one for one in window.working if one > day})
    earlier = sorted({one for one in window.working[2:] if one < day}, reverse=True)
    days = max(days, -len(earlier))
    case["target"] = {"business_days": days}
    if days:
        at = window.find((later if days > 0 else earlier)[abs(days) - 1] * DAY + second)
        at = within(at)
    else:
        at = window.next_open(start)
    assert window.told(answer(case)["due"]) == window.shown(at)


@pytest.mark.parametrize("seed", range(CASES))
def test_clocks(seed: int) -> None:
    kinds = ("customer_message", "agent_message", "agent_message", "pause", "resume", "stop",
             "reopen")  # fmt: skip
    _, case, window, start, happened = prepared(f"clocks {seed}", "clocks", kinds, 9)
    dice = random.Random(seed)
    limits = {metric: 60 * dice.randint(5, 900) for metric in ("first", "next", "whole")}
    case["target"] = {"first_response_minutes": limits["first"] // 60,
                      "next_response_minutes": limits["next"] // 60,
                      "resolution_minutes": limits["whole"] // 60}  # fmt: skip
    going_on = runs(window, start, happened)
    counted = going_on & window.open
    found = answer(case)
    for metric, name in (("first", "first_response"), ("next", "next_response"),
                         ("whole", "resolution")):  # fmt: skip
        used, waits_from = waits(metric, start, happened, counted)
        worst = max(used, default=None)
        minutes = None if worst is None else worst / 60
        margin = None if worst is None else (limits[metric] - worst) / 60
        assert found[f"{name}_minutes"] == pytest.approx(minutes)
        assert found[f"{name}_margin_minutes"] == pytest.approx(margin)
        due = None
        if waits_from is not None and going_on[-1]:
            due = window.shown(window.add(waits_from, limits[metric], counted))
        assert window.told(found[f"{name}_due"]) == due


def waits(
    metric: str, start: int, happened: list[tuple[int, str]], counted: npt.NDArray[np.bool_]
) -> tuple[list[int], int | None]:
    """Business seconds of each finished wait, and where the one still going on began."""
    since: int | None = None if metric == "next" else start
    done: list[tuple[int, int]] = []
    stopped = False
    for at, kind in happened:
        if metric == "whole":
            if kind == "stop" and since is not None:
                done.append((since, at))
                since = None
            elif kind == "reopen" and stopped and since is None:
                since = done.pop()[0]  # the stop is taken back
            stopped = kind == "stop" or (stopped and kind != "reopen")
            continue
        if kind == "agent_message" and since is not None:
            done.append((since, at))
            since = None
        elif kind == "customer_message" and metric == "next" and since is None:
            since = at
        stopped = kind == "stop" or (stopped and kind != "reopen")
    return [int(counted[a:b].sum()) for a, b in done], None if stopped else since
