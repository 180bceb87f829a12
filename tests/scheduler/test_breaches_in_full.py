"""What the judge says of each breach, in full: how much, where, and with which figures.

From Monday 2026-03-02. D 08–16 with a pause at 12:00 that may lie between 11:00 and 14:00 and is
not paid: 450 minutes; N 22–06, 480 minutes.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from scheduler.problem import (
    Agent,
    Apart,
    Break,
    ContractMinutes,
    Day,
    FairShare,
    HeldDay,
    IntervalCover,
    Lock,
    MaxWeekends,
    MinRest,
    MinutesLimit,
    NamedDayRepeat,
    OvertimeLimit,
    PastDuty,
    PastShare,
    Post,
    PostLock,
    RestAfter,
    Restriction,
    RosterProblem,
    Rotation,
    Rule,
    Shift,
    ShiftCover,
    ShiftLimit,
    Stability,
    Together,
    WholeWeekends,
)
from scheduler.solution import Duty, Roster
from scheduler.verify import Verdict, verify
from scheduler.verify.cover import allot

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
SUNDAY = MONDAY - timedelta(days=1)
NOON = Break(720, 750, paid=False, earliest=660, latest=840)
SHIFTS = (Shift("D", 480, 960, breaks=(NOON,)), Shift("N", 1320, 1800, night=True))
Line = tuple[str, str, tuple[int, ...], int, dict[str, Any]]


def ordinary(first: date, number: int) -> tuple[Day, ...]:
    dates = (first + timedelta(days=n) for n in range(number))
    return tuple(Day(on, "rest_day" if on.weekday() > 4 else "workday") for on in dates)


def desk(
    *rules: Rule, first: date = MONDAY, number: int = 2, before: str = "", **parts: Any
) -> RosterProblem:
    """A and B on so many days; `before` is A's line just before the first of them."""
    given: dict[str, Any] = {
        "agents": (Agent("A"), Agent("B")),
        "days": ordinary(first, number),
        "shifts": SHIFTS,
        "rules": rules,
        "history": tuple(
            PastDuty("A", first + timedelta(days=n - len(before)), s)
            for n, s in enumerate(before)
            if s != "-"
        ),
        "history_days": len(before),
    }
    return RosterProblem(**{**given, **parts})


def on(problem: RosterProblem, *lines: str, **parts: Any) -> Roster:
    first = problem.days[0].date
    cells = {
        (name, first + timedelta(days=n)): s
        for name, line in zip("AB", lines, strict=False)
        for n, s in enumerate(line)
        if s != "-"
    }
    return Roster(cells, **parts)


def judged(problem: RosterProblem, *lines: str, **parts: Any) -> Verdict:
    return verify(problem, on(problem, *lines, **parts))


def told(problem: RosterProblem, verdict: Verdict) -> list[Line]:
    """Kind, agent, days by number, amount and facts of each violation or cost."""
    first = problem.days[0].date
    return [
        (
            b.kind,
            b.agent or "",
            tuple((day - first).days for day in b.days),
            b.amount,
            dict(b.facts),
        )
        for b in (*verdict.violations, *verdict.costs)
    ]


# -- what no rule may change -----------------------------------------------------------------------


def test_two_shifts_in_a_cell() -> None:
    problem = desk()
    found = judged(problem, "D-", extra=(Duty("A", TUESDAY, "N"), Duty("B", MONDAY, "D")))
    assert told(problem, found) == [
        ("one_shift_a_day", "A", (1,), 1, {"shift": "N"}),
        ("one_shift_a_day", "B", (0,), 1, {"shift": "D"}),
    ]


def test_two_duties_at_a_time() -> None:
    # Q runs until 10:00 of the next day: D is two hours too early, E just in time
    shifts = (*SHIFTS, Shift("Q", 960, 2040), Shift("E", 600, 660))
    problem = desk(shifts=shifts)
    assert told(problem, judged(problem, "QD")) == [("overlap", "A", (0, 1), 1, {})]
    assert judged(problem, "QE").valid
    # one minute of overlap is one too many
    early = desk(shifts=(Shift("Q", 960, 2041), Shift("E", 600, 660)))
    assert told(early, judged(early, "QE")) == [("overlap", "A", (0, 1), 1, {})]


def test_a_duty_one_may_not_have() -> None:
    problem = desk(agents=(Agent("A", shifts=("N",)), Agent("B")))
    assert told(problem, judged(problem, "ND", "DD")) == [("shift", "A", (1,), 1, {"shift": "D"})]


def test_a_lock_not_kept() -> None:
    problem = desk(locks=(Lock("A", MONDAY, "N"), Lock("B", TUESDAY)))
    assert told(problem, judged(problem, "D-", "-D")) == [
        ("lock", "A", (0,), 1, {"shift": "N"}),
        ("lock", "B", (1,), 1, {"shift": None}),
    ]
    assert judged(problem, "N-", "D-").valid


def test_the_minutes_of_an_agent() -> None:
    # D 450 and N 480 are 930: 30 above 900, an hour begun; B's 450 are 61 short of 511: two
    problem = desk(agents=(Agent("A", max_minutes=900), Agent("B", min_minutes=511)))
    assert told(problem, judged(problem, "DN", "D-")) == [
        ("agent_minutes", "A", (0, 1), 1, {"found": 930, "limit": 900}),
        ("agent_minutes", "B", (0, 1), 2, {"found": 450, "limit": 511}),
    ]
    exact = desk(agents=(Agent("A", max_minutes=930), Agent("B", min_minutes=450)))
    assert judged(exact, "DN", "D-").valid


def test_overtime_of_whom_it_may_not_be_asked() -> None:
    # from Monday to Saturday five working days of 480: 2400. Six duties D are 2700, 300 beyond or
    # five hours; five are below
    rule = Restriction("no_overtime", MONDAY, MONDAY + timedelta(days=5))
    problem = desk(number=7, agents=(Agent("A", restrictions=(rule,)), Agent("B")))
    assert told(problem, judged(problem, "DDDDDD-", "DDDDDDD")) == [
        ("no_overtime", "A", (0, 1, 2, 3, 4, 5), 5, {"found": 2700, "limit": 2400})
    ]
    assert judged(problem, "DDDDD-D").valid  # Sunday lies outside its dates
    assert judged(problem, "NNNNN--").valid  # 2400 to the minute
    # another protection for the weekend, on which nothing is owed, asks for no minutes
    weekend = MONDAY + timedelta(days=5), MONDAY + timedelta(days=6)
    other = Agent("A", restrictions=(Restriction("no_nights", *weekend),))
    assert judged(desk(number=7, agents=(other, Agent("B"))), "DDDDDDD").valid


def test_holders_of_posts() -> None:
    posts = (
        Post("p", (MONDAY, TUESDAY), exclusive=True, weight=7),
        Post("q", (MONDAY,), shifts=("N",), weight=5),
    )
    problem = desk(posts=posts)
    held = {("p", MONDAY): ("A", "B"), ("q", MONDAY): ("B",), ("p", TUESDAY): ("A",)}
    # Monday: p has a holder too many; A works though p is exclusive; B holds two posts
    assert told(problem, judged(problem, "D-", posts=held)) == [
        ("post", "", (0,), 1, {"post": "p", "holders": 2, "limit": 1}),
        ("post", "A", (0,), 1, {"post": "p", "reason": "on_shift"}),
        ("post", "B", (0,), 1, {"post": "q", "reason": "two_posts"}),
    ]
    # D is not the shift that q asks for; nobody on p: two gaps of 7
    lines = judged(problem, "D-", posts={("q", MONDAY): ("A",)})
    assert told(problem, lines) == [
        ("post", "A", (0,), 1, {"post": "q", "reason": "shift"}),
        ("post_gap", "", (0,), 1, {"post": "p", "day_name": ""}),
        ("post_gap", "", (1,), 1, {"post": "p", "day_name": ""}),
    ]
    assert lines.cost == 14
    fine = judged(problem, "N-", posts={("q", MONDAY): ("A",), ("p", MONDAY): ("B",)})
    assert (fine.valid, fine.cost) == (True, 7)


def test_a_post_is_kept_for_whom_it_is_locked() -> None:
    problem = desk(posts=(Post("p", (MONDAY,), count=2),), post_locks=(PostLock("p", MONDAY, "B"),))
    one = judged(problem, posts={("p", MONDAY): ("A",)})
    assert told(problem, one)[0] == ("lock", "B", (0,), 1, {"post": "p"})
    assert judged(problem, posts={("p", MONDAY): ("A", "B")}).cost == 0


@pytest.mark.parametrize(
    ("starts", "reason"),
    [
        ((660,), None),
        ((810,), None),  # until 14:00 to the minute
        ((659,), "window"),
        ((811,), "window"),
        ((), "count"),
        ((700, 780), "count"),
    ],
)
def test_breaks_where_they_may_lie(starts: tuple[int, ...], reason: str | None) -> None:
    problem = desk()
    facts = {"shift": "D", "reason": reason, "starts": list(starts)}
    expected = [] if reason is None else [("breaks", "A", (0,), 1, facts)]
    assert told(problem, judged(problem, "D-", breaks={("A", MONDAY): starts})) == expected


# -- cover -----------------------------------------------------------------------------------------


def test_cover_of_a_shift() -> None:
    # wanted 3, at least 2: of A and B only A is able. Short 2, at 4 each, one of them below the
    # minimum at 9 more; on N at most one is wanted and two are there
    covers = (
        ShiftCover(MONDAY, "D", 3, minimum=2, under_weight=4, minimum_weight=9, skill="x",
                   cause="SLA 3"),
        ShiftCover(TUESDAY, "N", 1, under_weight=4, over_weight=6, min_grade="ordinary"),
    )  # fmt: skip
    problem = desk(agents=(Agent("A", skills=("x",)), Agent("B")), shift_cover=covers)
    found = judged(problem, "DN", "DN")
    assert told(problem, found) == [
        ("shift_cover_under", "", (0,), 2,
         {"shift": "D", "found": 1, "desired": 3, "skill": "x", "cause": "SLA 3"}),
        ("shift_cover_over", "", (1,), 1, {"shift": "N", "found": 2, "desired": 1}),
    ]  # fmt: skip
    assert [b.cost for b in found.costs] == [2 * 4 + 9, 6]
    assert [gap.kind for gap in found.gaps] == ["shift_cover_under"]


def test_people_too_many_may_cost_nothing() -> None:
    problem = desk(shift_cover=(ShiftCover(MONDAY, "D", 1),))
    assert judged(problem, "D-", "D-").costs == ()


def test_below_the_wanted_but_not_below_the_least() -> None:
    # two of three, one at the least: 4 for the one missing, no more
    cover = ShiftCover(MONDAY, "D", 3, minimum=1, under_weight=4, minimum_weight=9)
    problem = desk(shift_cover=(cover,))
    assert [judged(problem, *lines).cost for lines in (("D-", "D-"), ("D-",), ())] == [4, 8, 21]


def test_cover_that_shares_people() -> None:
    # A can do x and y, B x: with both there, nothing is short; with B alone y is, at 5. One more
    # than both ask for costs the lesser of 3 and 8
    covers = (
        ShiftCover(MONDAY, "D", 1, under_weight=7, over_weight=3, skill="x", exclusive=True),
        ShiftCover(MONDAY, "D", 1, under_weight=5, over_weight=8, skill="y", exclusive=True),
    )
    people = (Agent("A", skills=("x", "y")), Agent("B", skills=("x",)))
    problem = desk(agents=people, shift_cover=covers)
    assert judged(problem, "D-", "D-").cost == 0
    assert told(problem, judged(problem, "--", "D-")) == [
        ("shift_cover_under", "", (0,), 1, {"shift": "D", "found": 0, "desired": 1, "skill": "y"})
    ]
    [one] = judged(desk(agents=people, shift_cover=covers[:1]), "D-", "D-").costs
    assert (one.kind, one.amount, one.cost, one.facts["found"]) == ("shift_cover_over", 1, 3, 2)


def slots(start: int, end: int, **fields: Any) -> IntervalCover:
    return IntervalCover(MONDAY, start, end, **{"desired": 1, "under_weight": 4, **fields})


def test_cover_of_a_span() -> None:
    # 11:30–13:00 with two wanted and one at the least; the pause of D at noon leaves nobody there
    # for a slot: short 1 + 2 + 1, and the second is one below the minimum
    cover = slots(690, 780, desired=2, minimum=1, minimum_weight=10, cause="SLA 1")
    problem = desk(interval_cover=(cover,))
    found = judged(problem, "D-")
    facts = {"skill": None, "min_grade": "ordinary", "slots": [[690, 1], [720, 2], [750, 1]],
             "desired": 2, "cause": "SLA 1"}  # fmt: skip
    assert told(problem, found) == [("interval_cover_under", "", (0,), 4, facts)]
    assert found.cost == 4 * 4 + 10


def test_people_to_spare_in_a_span_are_added_up_over_the_day() -> None:
    # 08:00–09:00, of use up to 1: B is to spare in two slots at 3; A alone in none
    problem = desk(interval_cover=(slots(480, 540, over_weight=3), slots(600, 630, over_weight=5)))
    found = judged(problem, "D-", "D-")
    assert told(problem, found) == [("interval_cover_over", "", (0,), 3, {})]
    assert found.cost == 2 * 3 + 5
    assert judged(problem, "D-").cost == 0
    mixed = desk(interval_cover=(slots(480, 540, over_weight=3, exclusive=False),))
    assert told(mixed, judged(mixed, "D-", "D-")) == [("interval_cover_over", "", (0,), 2, {})]


@pytest.mark.parametrize(
    ("start", "short"),
    [
        (720, [[720, 1]]),  # where it lies anyway
        (690, [[690, 1]]),
        (750, [[750, 1]]),  # 12:30–13:00: it touches the slots before and after, no more
        (700, [[690, 1], [720, 1]]),  # 11:40–12:10 cuts two slots
    ],
)
def test_a_pause_moved_is_no_presence(start: int, short: list[list[int]]) -> None:
    problem = desk(interval_cover=(slots(660, 810),))
    [gap] = judged(problem, "D-", breaks={("A", MONDAY): (start,)}).costs
    assert gap.facts["slots"] == short


def test_whoever_pauses_at_another_time_is_there_from_the_first_minute_to_the_last() -> None:
    problem = desk(interval_cover=(slots(450, 990),))
    [gap] = judged(problem, "D-", breaks={("A", MONDAY): (750,)}).costs
    assert gap.facts["slots"] == [[450, 1], [750, 1], [960, 1]]


def test_pauses_apart_leave_somebody_there() -> None:
    # both at noon: nobody; B half an hour later: always one of them
    problem = desk(interval_cover=(slots(480, 960),))
    assert judged(problem, "D-", "D-").cost == 4
    assert judged(problem, "D-", "D-", breaks={("B", MONDAY): (750,)}).cost == 0
    # a moved pause is one day's: on Tuesday all is as usual, and N of Monday goes on until 06:00
    tuesday = tuple(
        IntervalCover(TUESDAY, start, end, 1, under_weight=4)
        for start, end in ((480, 960), (300, 390))
    )
    later = desk(interval_cover=tuesday)
    [gap] = judged(later, "DD", "N-", breaks={("A", MONDAY): (750,)}).costs[:1]
    assert gap.facts["slots"] == [[720, 1]]
    assert [b.facts["slots"] for b in judged(later, "-D", "N-").costs] == [[[720, 1]], [[360, 1]]]


def test_giving_people_to_covers() -> None:
    # wants: (desired, minimum, most, weight, weight below the minimum)
    plain = (1, 0, 1, 10, 0)
    assert allot(((0b11, 1),), (plain, (1, 0, 1, 6, 0))) == ((0, 1), 0)
    # the second has a minimum: its first place costs 6 + 5, more than 10
    assert allot(((0b11, 1),), (plain, (1, 1, 1, 6, 5))) == ((1, 0), 0)
    # and its second place does not: 6 again
    assert allot(((0b11, 2),), (plain, (2, 1, 2, 6, 5))) == ((0, 1), 0)
    # places between desired and most take whom the others leave, at no cost
    assert allot(((0b11, 3),), (plain, (1, 0, 2, 6, 0))) == ((0, 0), 0)
    assert allot(((0b11, 4), (0, 2)), (plain, (1, 0, 2, 6, 0))) == ((0, 0), 1)
    # whoever can do the first alone leaves the one who can do both to the second
    assert allot(((0b01, 1), (0b11, 1)), (plain, plain)) == ((0, 0), 0)
    assert allot((), (plain,)) == ((1,), 0)
    # one who can do all four is moved from the first to the second to the third, as others come
    # who can do those, and is then used up: the cheapest stays empty, one of two is to spare
    four = tuple((1, 0, 1, weight, 0) for weight in (10, 9, 8, 7))
    assert allot(((0b1111, 1), (0b0001, 1), (0b0010, 2)), four) == ((0, 0, 0, 1), 1)


# -- rules -----------------------------------------------------------------------------------------


def test_whom_a_rule_keeps_apart_is_named() -> None:
    both = ("A", "B")
    shift, day = (desk(Apart(name="x", agents=both, on_same=s)) for s in ("shift", "day"))
    assert told(shift, judged(shift, "DN", "DD")) == [
        ("apart", "", (0,), 1, {"shift": "D", "agents": ["A", "B"]})
    ]
    assert told(day, judged(day, "DN", "-D")) == [
        ("apart", "", (1,), 1, {"shift": None, "agents": ["A", "B"]})
    ]


def test_who_was_missing_is_named() -> None:
    rule = Together(name="x", agents=("A", "B"))
    problem = desk(rule)
    assert told(problem, judged(problem, "DN", "ND")) == [
        ("together", "A", (0,), 1, {"shift": "D", "missing": ["B"]}),
        ("together", "A", (1,), 1, {"shift": "N", "missing": ["B"]}),
    ]
    assert judged(problem, "D-", "DN").valid  # B may be without A


def test_shares_and_what_has_been() -> None:
    # A had 3 nights and gets one, B one: 4 and 1
    rule = FairShare(name="x", weight=5, measure="nights", unit=2, past=(PastShare("A", 3),))
    problem = desk(rule)
    found = judged(problem, "N-", "DN")
    # three apart are two units of two begun
    assert told(problem, found) == [("fair_share", "", (), 2, {"shares": {"A": 4, "B": 1}})]
    assert found.cost == 10


@pytest.mark.parametrize(
    ("measure", "lines", "amount"),
    [
        ("duties", ("DDN", "--D"), 3 - 1),
        ("minutes", ("DDN", "--D"), 960),  # whatever the contract, which is the same for both
        ("weekends", ("D--", "-DD"), 1),  # of a weekend of which one day is the roster's
        ("weekends", ("DDD", "D--"), 0),
        ("holidays", ("-D-", "D-D"), 1),
        ("nights", ("NNN", "N-D"), 2),
        ("unpopular", ("-N-", "DDD"), 1),
        ("burden", ("-D-", "D-D"), 9),
        ("burden", ("-N-", "D-D"), 4),  # half of nine, rounded down
        ("burden", ("-DD", "-N-"), 9 - 4),
    ],
)
def test_shares_of_each_measure(measure: Any, lines: tuple[str, str], amount: int) -> None:
    days = (Day(SUNDAY, "rest_day"), Day(MONDAY, "statutory_holiday", burden=9), Day(TUESDAY))
    night = Shift("N", 1320, 1800, night=True, unpopular=True, burden_percent=50)
    rule = FairShare(name="x", weight=1, measure=measure)
    problem = desk(rule, days=days, shifts=(Shift("D", 480, 960), night))
    assert judged(problem, *lines).cost == amount


def test_one_day_of_a_weekend_is_a_weekend_and_a_post_is_a_burden() -> None:
    weekend = FairShare(name="x", weight=1, measure="weekends")
    problem = desk(weekend, first=SUNDAY - timedelta(days=1), number=9)
    assert judged(problem, "D------DD", "D--------").cost == 1
    assert judged(problem, "D--------", "-D-------").cost == 0
    # a third of 10 is 3; 7 more by the duty's own 70 of 100
    day = Day(MONDAY, "statutory_holiday", burden=10)
    post = Post("p", (MONDAY,), weight=0, burden_percent=33)
    shift = Shift("D", 480, 960, burden_percent=70)
    rule = FairShare(name="x", weight=1, measure="burden")
    burden = desk(rule, days=(day,), shifts=(shift,), posts=(post,))
    assert judged(burden, "D", posts={("p", MONDAY): ("A",)}).cost == 10
    assert judged(burden, "D", posts={("p", MONDAY): ("B",)}).cost == 7 - 3
    whole = desk(rule, days=(day,), shifts=(shift,), posts=(Post("p", (MONDAY,), weight=0),))
    assert judged(whole, "D", posts={("p", MONDAY): ("B",)}).cost == 10 - 7


def test_the_same_named_day_again() -> None:
    days = (Day(MONDAY, "statutory_holiday", "除夕"), Day(TUESDAY, "workday", "初一"))
    rule = NamedDayRepeat(name="x", weight=2, agents=("A",),
                          held=(HeldDay("A", "除夕"), HeldDay("B", "除夕")))  # fmt: skip
    problem = desk(rule, posts=(Post("p", (MONDAY,), weight=0),), days=days)
    held = {("p", MONDAY): ("A",)}
    # the duty and the post; B is no concern of the rule
    assert told(problem, judged(problem, "DD", "D-", posts=held)) == [
        ("named_day_repeat", "A", (0,), 2, {"day_name": "除夕"})
    ]
    assert judged(problem, "-D", "D-", posts={("p", MONDAY): ("B",)}).cost == 0


def test_what_was_published_is_told() -> None:
    earlier = (Lock("A", MONDAY, "N"), Lock("A", TUESDAY), Lock("B", MONDAY, "D"))
    rule = Stability(name="x", weight=2, agents=("A",), earlier=earlier)
    problem = desk(rule)
    assert told(problem, judged(problem, "DD", "--")) == [
        ("stability", "A", (0,), 1, {"earlier": "N"}),
        ("stability", "A", (1,), 1, {"earlier": None}),
    ]
    assert judged(problem, "N-", "-D").cost == 0


def test_a_rotation_not_followed_is_told() -> None:
    problem = desk(Rotation(name="x", cycle=("D", "off"), since=MONDAY, agents=("A",)))
    assert told(problem, judged(problem, "-N")) == [
        ("rotation", "A", (0,), 1, {"shift": None, "wanted": "D"}),
        ("rotation", "A", (1,), 1, {"shift": "N", "wanted": "off"}),
    ]
    assert judged(problem, "D-").valid


def test_limits_hold_to_the_unit_for_whom_nothing_was_carried() -> None:
    # D 450 and 450: 900 of 900 for B, who carries nothing; A carries one minute, an hour begun
    minutes = desk(MinutesLimit(name="x", maximum=900, past=(PastShare("A", 1),)))
    assert told(minutes, judged(minutes, "DD", "DD")) == [
        ("minutes_limit", "A", (0, 1), 1, {"found": 901, "limit": 900})
    ]
    count = desk(ShiftLimit(name="x", shifts=("D",), maximum=2, past=(PastShare("A", 1),)))
    assert told(count, judged(count, "DD", "DD")) == [
        ("shift_limit", "A", (0, 1), 1, {"found": 3, "limit": 2})
    ]
    # two working days are 960: N and N to the minute, nothing on the meter
    meter = desk(OvertimeLimit(name="x", maximum=0, past=(PastShare("A", 1),)))
    assert told(meter, judged(meter, "NN", "NN")) == [
        ("overtime_limit", "A", (0, 1), 1, {"found": 1, "limit": 0})
    ]


def test_what_is_carried_belongs_to_the_first_period() -> None:
    # Saturday 02-28 and Sunday 03-01: a month's end and start, in one week
    parts: dict[str, Any] = {"first": SUNDAY - timedelta(days=1), "number": 2}
    carried = (PastShare("A", 100),)
    for rule, amounts in (
        (MinutesLimit(name="x", period="month", maximum=449, past=carried), [2, 1, 1, 1]),
        (MinutesLimit(name="x", period="month", maximum=450, past=carried), [2]),
        (MinutesLimit(name="x", period="week", maximum=899, past=carried), [2, 1]),
        # no working days: 450 on the meter of each month, of A 550 in February
        (OvertimeLimit(name="x", maximum=449, past=carried), [2, 1, 1, 1]),
        (OvertimeLimit(name="x", maximum=450, past=carried), [2]),
        (ShiftLimit(name="x", period="month", shifts=("D",), maximum=1,
                    past=(PastShare("A", 2),)), [2]),
    ):  # fmt: skip
        problem = desk(rule, **parts)
        assert [b.amount for b in judged(problem, "DD", "DD").violations] == amounts, rule


def test_the_meter_of_overtime() -> None:
    # Wednesday a holiday: its 450 at once. Of the others beyond a standard day of 400: 50 each for
    # five; the rest of them 5 · 400 against a contract of 4 · 480: 80. In all 450 + 250 + 80
    days = list(ordinary(MONDAY, 6))
    days[2] = Day(days[2].date, "statutory_holiday")
    given: dict[str, Any] = {"days": tuple(days)}
    problem = desk(OvertimeLimit(name="x", maximum=779, standard_day=400), **given)
    [found] = judged(problem, "DDDDDD").violations
    assert (found.amount, found.facts) == (1, {"found": 780, "limit": 779})
    # without the standard day: 450 + (5 · 450 − 1920) = 780 as well; and five duties leave 450
    plain = desk(OvertimeLimit(name="x", maximum=449), **given)
    assert judged(plain, "DDDDDD").violations[0].facts["found"] == 780
    assert judged(plain, "DDDDD-").violations[0].facts["found"] == 450


def test_the_meter_begins_with_the_roster() -> None:
    # known Sunday 03-01 is of the same month, but its duty stands in `past` where it counts at all
    problem = desk(OvertimeLimit(name="x", maximum=0), before="N")
    assert judged(problem, "NN").valid
    # minutes of the month count it: three nights are 1440
    month = desk(MinutesLimit(name="x", period="month", maximum=1439), before="N")
    assert told(month, judged(month, "NN")) == [
        ("minutes_limit", "A", (-1, 0, 1), 1, {"found": 1440, "limit": 1439})
    ]


def test_a_contract_is_asked_of_periods_within_the_roster() -> None:
    # the week from Monday 02-23 is known from its Monday on, but began before the roster
    inside = desk(ContractMinutes(name="x", period="week"), number=7)
    # 5 · 480 = 2400: D in all seven days is 3150, 750 beyond, 13 hours begun; none at all 40
    assert [b.amount for b in judged(inside, "DDDDDDD", "-------").violations] == [13, 40]
    # D in five days is 2250, N in five and D in one 2850: 150 too few and 450 too many
    for tolerance, amounts in ((149, [1, 6]), (150, [5]), (449, [1]), (450, [])):
        near = desk(ContractMinutes(name="x", period="week", tolerance=tolerance), number=7)
        found = judged(near, "DDDDD--", "NNNNND-").violations
        assert [b.amount for b in found] == amounts, tolerance
    short = desk(ContractMinutes(name="x", period="week"), number=6)
    assert judged(short, "DDDDDD").valid
    before = desk(ContractMinutes(name="x", period="week"), number=6, first=TUESDAY, before="D")
    assert judged(before, "DDDDDD").valid


def test_a_weekend_of_which_a_day_is_known_before() -> None:
    # Saturday before the roster, Sunday its first day
    whole = desk(WholeWeekends(name="x"), first=SUNDAY, before="D")
    assert told(whole, judged(whole, "--")) == [("whole_weekends", "A", (-1, 0), 1, {})]
    assert judged(whole, "D-").valid
    assert told(whole, judged(whole, "D-", "D-")) == [("whole_weekends", "B", (-1, 0), 1, {})]
    # of a weekend only half known nothing is asked, nor of one that is past
    assert judged(desk(WholeWeekends(name="x"), first=SUNDAY), "D-").valid
    assert judged(desk(WholeWeekends(name="x"), before="D-"), "--").valid


def test_rest_is_asked_up_to_the_last_day() -> None:
    problem = desk(RestAfter(name="x", shifts=("N",), days_off=2), number=4)
    assert told(problem, judged(problem, "--ND", "-N--")) == [
        ("rest_after", "A", (3,), 1, {"limit": 2})
    ]
    assert judged(problem, "---N", "N--D").valid


def test_the_least_of_a_week_is_asked_of_whole_weeks() -> None:
    rule = ShiftLimit(name="x", period="week", shifts=("D",), minimum=1)
    assert judged(desk(rule, number=6), "------").valid
    whole = desk(rule, number=8)
    assert told(whole, judged(whole, "------D-", "-------D")) == [
        ("shift_limit", "B", tuple(range(7)), 1, {"found": 0, "limit": 1})
    ]
    minutes = desk(MinutesLimit(name="x", period="week", minimum=450), number=8)
    assert [b.agent for b in judged(minutes, "------D-", "-------D").violations] == ["B"]
    assert judged(desk(MinutesLimit(name="x", period="week", minimum=1), number=6), "------").valid


def test_weekends_one_by_one() -> None:
    # with a window of one each weekend worked is one too many
    first = SUNDAY - timedelta(days=1)
    problem = desk(MaxWeekends(name="x", weekends=0, window=1), first=first, number=9)
    assert [line[2] for line in told(problem, judged(problem, "D------D-", "-D-------"))] == [
        (0, 1), (7, 8), (0, 1),
    ]  # fmt: skip
    three = desk(MaxWeekends(name="x", weekends=1, window=3), first=first, number=15)
    assert [b.amount for b in judged(three, "D------D------D").violations] == [2]


def test_weekends_in_every_so_many() -> None:
    # three weekends worked in a row, two allowed in any two … the last is of one known day only
    first = SUNDAY - timedelta(days=1)
    rule = MaxWeekends(name="x", weekends=1, window=2)
    problem = desk(rule, first=first, number=15)
    [one, two] = judged(problem, "D------D------D").violations
    assert [(b.amount, b.facts) for b in (one, two)] == [(1, {"weekends": 2, "limit": 1})] * 2
    assert judged(problem, "D-------------D").valid
    # a weekend that ends with the first day is still to be decided, though Saturday was worked
    begun = desk(rule, first=SUNDAY, before="D------D")
    assert [line[3] for line in told(begun, judged(begun, "--"))] == [1]
    past = desk(rule, before="D------DD")
    assert judged(past, "--").valid
    # in all: the weekend worked before counts by `past` only
    total = desk(MaxWeekends(name="x", weekends=1), first=SUNDAY, before="D")
    assert judged(total, "D-").valid
    carried = desk(MaxWeekends(name="x", weekends=1, past=(PastShare("A", 1),)), first=SUNDAY)
    assert told(carried, judged(carried, "D-", "D-")) == [
        ("max_weekends", "A", (0,), 1, {"weekends": 2, "limit": 1})
    ]


def test_a_rest_is_told_between_the_two_that_are_too_close() -> None:
    # N until 06:00, D at 08:00 two hours later, and again 24 later: one pair too close
    problem = desk(MinRest(name="x", minutes=660), number=3)
    assert told(problem, judged(problem, "NDD")) == [
        ("min_rest", "A", (0, 1), 1, {"rest_minutes": 120, "limit": 660})
    ]
    # all three within 40 hours: every pair
    wide = desk(MinRest(name="x", minutes=1800), number=3)
    assert [line[2] for line in told(wide, judged(wide, "NDD"))] == [(0, 1), (0, 2), (1, 2)]
