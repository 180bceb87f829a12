"""Cover, posts and what is given: counted by hand, and kept by the model."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.problem import (
    Agent,
    Break,
    Day,
    Forbidden,
    IntervalCover,
    Leave,
    Lock,
    MaxConsecutive,
    MinRest,
    PastDuty,
    Post,
    PostLock,
    Request,
    Restriction,
    RosterProblem,
    Shift,
    ShiftCover,
)
from scheduler.result import Params
from scheduler.solution import Roster
from scheduler.solve import solve
from scheduler.verify import Verdict, verify
from scheduler.verify.cover import allot

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)
SHIFTS = (
    Shift("D", 480, 960, breaks=(Break(720, 750),)),
    Shift("N", 1320, 1800, night=True),
    Shift("S", 480, 960, mode="standby"),
)
QUICK = Params(seconds=None, effort=20.0)


def desk(agents: tuple[Agent, ...], **parts: Any) -> RosterProblem:
    usual: dict[str, Any] = {
        "agents": agents,
        "days": (Day(MONDAY), Day(TUESDAY)),
        "shifts": SHIFTS,
    }
    return RosterProblem(**{**usual, **parts})


def on(shift: str, *agents: str, day: date = MONDAY) -> Roster:
    return Roster({(agent, day): shift for agent in agents})


def terms(problem: RosterProblem, roster: Roster) -> dict[str, int]:
    return verify(problem, roster).terms()


def best(problem: RosterProblem) -> int:
    """The proven least cost; the solved roster must be judged valid."""
    result = solve(problem, QUICK)
    assert result.status == "optimal"
    assert result.violations == ()
    return result.cost or 0


# -- cover of shifts -------------------------------------------------------------------------------


def test_shift_cover_prices_missing_and_surplus_people() -> None:
    cover = ShiftCover(
        MONDAY, "D", desired=3, minimum=2, maximum=4, under_weight=10, minimum_weight=50,
        over_weight=7,
    )  # fmt: skip
    people = tuple(Agent(f"a{i}") for i in range(6))
    problem = desk(people, shift_cover=(cover,))
    names = [agent.id for agent in people]
    # 0 there: 3 × 10 + 2 × 50; 1: 2 × 10 + 50; 2: 10; 3 and 4: nothing; 6: 2 × 7
    for there, cost in ((0, 130), (1, 70), (2, 10), (3, 0), (4, 0), (6, 14)):
        assert verify(problem, on("D", *names[:there])).cost == cost
        locked = tuple(
            Lock(name, MONDAY, "D" if i < there else None) for i, name in enumerate(names)
        )
        assert best(replace(problem, locks=locked)) == cost


def test_shift_cover_counts_only_the_skilled_and_the_graded() -> None:
    people = (Agent("a", skills=("fr",)), Agent("b", grade="expert"), Agent("c"))
    covers = (
        ShiftCover(MONDAY, "D", 1, under_weight=5, skill="fr"),
        ShiftCover(MONDAY, "D", 1, under_weight=3, min_grade="senior"),
    )
    problem = desk(people, shift_cover=covers)
    assert verify(problem, on("D", "c")).cost == 8
    assert verify(problem, on("D", "b")).cost == 5  # expert is above senior
    assert verify(problem, on("D", "a", "b")).cost == 0
    assert best(replace(problem, locks=(Lock("a", MONDAY),))) == 5


# -- cover of intervals ----------------------------------------------------------------------------


def test_interval_cover_counts_slots_without_breaks() -> None:
    # 11:30–13:00 is three slots; the break 12:00–12:30 leaves one of them empty
    cover = IntervalCover(MONDAY, 690, 780, desired=1, under_weight=4)
    problem = desk((Agent("a"),), interval_cover=(cover,))
    assert verify(problem, on("D", "a")).cost == 4
    assert verify(problem, Roster()).cost == 12
    (gap,) = verify(problem, on("D", "a")).gaps
    assert gap.facts["slots"] == [[720, 1]]
    assert best(problem) == 4


def test_interval_cover_sees_night_shifts_of_the_day_before() -> None:
    cover = IntervalCover(TUESDAY, 300, 420, desired=1, under_weight=1)  # 05:00–07:00
    problem = desk((Agent("a"),), interval_cover=(cover,))
    assert verify(problem, on("N", "a")).cost == 2  # from 06:00 on nobody
    first = replace(cover, date=MONDAY)
    carried = desk(
        (Agent("a"),),
        interval_cover=(first,),
        history=(PastDuty("a", MONDAY - timedelta(days=1), "N"),),
        history_days=1,
    )
    assert verify(carried, Roster()).cost == 2
    assert best(carried) == 2


def test_a_split_shift_is_one_duty_in_two_halves() -> None:
    # 09–13 and 17–21: the pause is no work, nobody is there in it, and rest counts from 21:00
    split = Shift("P", 540, 1260, breaks=(Break(780, 1020, paid=False),))
    early = Shift("E", 420, 660)
    covers = (
        IntervalCover(MONDAY, 720, 780, 1, under_weight=1),
        IntervalCover(MONDAY, 780, 1020, 1, under_weight=1),
        IntervalCover(MONDAY, 1020, 1080, 1, under_weight=1),
    )
    problem = desk(
        (Agent("a", max_minutes=480 + 240),),
        shifts=(split, early),
        interval_cover=covers,
        rules=(MinRest(name="rest", minutes=660),),
    )
    assert verify(problem, on("P", "a")).cost == 8  # the half-hours of the pause
    both = Roster({("a", MONDAY): "P", ("a", TUESDAY): "E"})  # 21:00 to 07:00 are ten hours
    assert [breach.kind for breach in verify(problem, both).violations] == ["min_rest"]
    assert best(problem) == 8


def test_standby_is_not_presence() -> None:
    cover = IntervalCover(MONDAY, 480, 510, desired=1, under_weight=1)
    problem = desk((Agent("a"),), interval_cover=(cover,))
    assert verify(problem, on("S", "a")).cost == 1
    assert verify(problem, on("D", "a")).cost == 0


def demand(skill: str, desired: int = 1, **fields: Any) -> IntervalCover:
    return IntervalCover(MONDAY, 480, 510, desired, skill=skill, **fields)


def test_a_person_with_two_skills_counts_once() -> None:
    both = desk(
        (Agent("a", skills=("x", "y")),), interval_cover=(demand("x"), demand("y", under_weight=6))
    )
    # given to x (10), since y costs 6
    assert terms(both, on("D", "a")) == {"interval_cover_under": 6}
    assert best(both) == 6
    shared = replace(
        both, interval_cover=(demand("x"), demand("y", under_weight=6, exclusive=False))
    )
    assert verify(shared, on("D", "a")).cost == 0


def test_people_are_rearranged_so_that_the_dearest_is_served() -> None:
    # a can do x and y, b only x; y is dear: a must do y and b x, whatever the order
    people = (Agent("a", skills=("x", "y")), Agent("b", skills=("x",)))
    problem = desk(people, interval_cover=(demand("x"), demand("y", under_weight=99)))
    assert verify(problem, on("D", "a", "b")).cost == 0
    assert verify(problem, on("D", "b")).cost == 99
    assert best(problem) == 0


def test_tiers_nest_and_an_expert_counts_once() -> None:
    people = (Agent("e", grade="expert"), Agent("o"))
    covers = (
        IntervalCover(MONDAY, 480, 510, 1, under_weight=5),
        IntervalCover(MONDAY, 480, 510, 1, under_weight=9, min_grade="expert"),
    )
    problem = desk(people, interval_cover=covers)
    assert verify(problem, on("D", "e")).cost == 5  # serves the dearer, expert tier
    assert verify(problem, on("D", "o")).cost == 9
    assert verify(problem, on("D", "e", "o")).cost == 0
    assert best(replace(problem, locks=(Lock("o", MONDAY),))) == 5


def test_spare_people_cost_the_cheapest_over_weight() -> None:
    people = tuple(Agent(name, skills=("x",)) for name in "abc")
    problem = desk(people, interval_cover=(demand("x", over_weight=3),))
    assert terms(problem, on("D", "a", "b", "c")) == {"interval_cover_over": 6}
    mix = replace(problem, interval_cover=(demand("x", over_weight=3, exclusive=False),))
    assert terms(mix, on("D", "a", "b", "c")) == {"interval_cover_over": 6}
    for kind in (problem, mix):
        everyone = tuple(Lock(name, MONDAY, "D") for name in "abc")
        assert best(replace(kind, locks=everyone)) == 6


def test_below_the_minimum_costs_more() -> None:
    problem = desk((), interval_cover=(demand("x", 3, minimum=1, minimum_weight=40),))
    assert verify(problem, Roster()).cost == 3 * 10 + 40
    assert best(problem) == 70


def test_spare_people_of_two_kinds_are_not_lost() -> None:
    # a can do x, b and c both; x and y want one each: whoever is given, one is to spare
    people = (Agent("a", skills=("x",)), *(Agent(n, skills=("x", "y")) for n in "bc"))
    covers = (demand("x", over_weight=3), demand("y", over_weight=3))
    problem = desk(people, interval_cover=covers)
    assert terms(problem, on("D", "a", "b", "c")) == {"interval_cover_over": 3}
    everyone = tuple(Lock(name, MONDAY, "D") for name in "abc")
    assert best(replace(problem, locks=everyone)) == 3


def test_a_maximum_takes_people_at_no_cost() -> None:
    # wanted 1, of use up to 2: of three, one is to spare
    people = tuple(Agent(name, skills=("x",)) for name in "abc")
    everyone = tuple(Lock(name, MONDAY, "D") for name in "abc")
    for exclusive in (True, False):
        cover = demand("x", maximum=2, over_weight=3, exclusive=exclusive)
        problem = desk(people, interval_cover=(cover,))
        for there, cost in ((0, 10), (1, 0), (2, 0), (3, 3)):
            assert verify(problem, on("D", *"abc"[:there])).cost == cost
        assert best(replace(problem, locks=everyone)) == 3


def test_standby_is_counted_where_standby_is_wanted() -> None:
    cover = IntervalCover(MONDAY, 480, 510, desired=1, under_weight=1, mode="standby")
    problem = desk((Agent("a"),), interval_cover=(cover,))
    assert verify(problem, on("S", "a")).cost == 0
    assert verify(problem, on("D", "a")).cost == 1
    assert best(replace(problem, locks=(Lock("a", MONDAY, "D"),))) == 1


def test_one_expert_at_any_hour_the_desk_is_open() -> None:
    # open 8 to 9, two half-hours: an expert on site, whatever else he does; remote is not on site
    shifts = (Shift("D", 480, 960), Shift("R", 480, 960, mode="remote"))
    mix = IntervalCover(
        MONDAY, 480, 540, 1, under_weight=50, min_grade="expert", mode="on_site", exclusive=False
    )
    work = IntervalCover(MONDAY, 480, 540, 1, under_weight=10)
    people = (Agent("e", grade="expert"), Agent("s", grade="senior"))
    problem = desk(people, shifts=shifts, interval_cover=(mix, work))
    assert verify(problem, on("D", "s")).cost == 2 * 50
    assert verify(problem, on("R", "e")).cost == 2 * 50
    assert verify(problem, on("D", "e")).cost == 0
    assert best(replace(problem, locks=(Lock("e", MONDAY, "R"),))) == 100


def test_exclusive_covers_of_a_shift_count_each_person_once() -> None:
    # one for x (10) and one for y (6), at most two in all; a can do both, b only x
    people = (Agent("a", skills=("x", "y")), Agent("b", skills=("x",)), Agent("c", skills=("x",)))
    covers = tuple(
        ShiftCover(MONDAY, "D", 1, under_weight=w, over_weight=3, skill=s, exclusive=True)
        for s, w in (("x", 10), ("y", 6))
    )
    problem = desk(people, shift_cover=covers)
    for there, cost in (("", 16), ("a", 6), ("b", 6), ("ab", 0), ("bc", 6 + 3), ("abc", 3)):
        assert verify(problem, on("D", *there)).cost == cost
        locked = tuple(Lock(n, MONDAY, "D" if n in there else None) for n in "abc")
        assert best(replace(problem, locks=locked)) == cost
    mix = replace(problem, shift_cover=tuple(replace(c, exclusive=False) for c in covers))
    assert verify(mix, on("D", "a")).cost == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 7), max_size=5),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 9), st.integers(0, 9)),
        min_size=3,
        max_size=3,
    ),
)
def test_nobody_is_counted_twice_and_the_cheapest_way_is_found(
    people: list[int], wants: list[tuple[int, int, int, int]]
) -> None:
    """Against every way to give each person one of the three covers he can serve, or none."""
    covers = [
        (desired, min(minimum, desired), desired, under, extra)
        for desired, minimum, under, extra in wants
    ]

    def cost(missing: Sequence[int]) -> int:
        return sum(
            short * under + max(0, short - desired + minimum) * extra
            for short, (desired, minimum, _, under, extra) in zip(missing, covers, strict=True)
        )

    ways = itertools.product(*([None, *(n for n in range(3) if mask >> n & 1)] for mask in people))
    cheapest = min(cost([max(0, covers[n][0] - way.count(n)) for n in range(3)]) for way in ways)
    missing, spare = allot(tuple(sorted(Counter(people).items())), tuple(covers))
    assert cost(missing) == cheapest
    able = sum(mask > 0 for mask in people)
    assert spare == able - sum(c[0] for c in covers) + sum(missing)


def test_site_and_mode() -> None:
    shifts = (
        Shift("H", 480, 960, site="Hefei"),
        Shift("R", 480, 960, mode="remote"),
    )
    cover = IntervalCover(MONDAY, 480, 510, 1, under_weight=1, site="Hefei", mode="on_site")
    problem = desk((Agent("a"),), shifts=shifts, interval_cover=(cover,))
    assert verify(problem, on("H", "a")).cost == 0
    assert verify(problem, on("R", "a")).cost == 1
    elsewhere = replace(problem, interval_cover=(replace(cover, site="Xi'an"),))
    assert verify(elsewhere, on("H", "a")).cost == 1


# -- posts -----------------------------------------------------------------------------------------


def post_reasons(verdict: Verdict) -> set[str]:
    return {breach.facts["reason"] for breach in verdict.violations}


def test_an_empty_post_is_a_gap() -> None:
    post = Post("lead", (MONDAY, TUESDAY), count=2, weight=100, min_grade="senior")
    people = (Agent("s", grade="senior"), Agent("o"))
    problem = desk(people, posts=(post,))
    assert verify(problem, Roster()).cost == 400
    assert best(problem) == 200  # only one person may hold it
    held = Roster({}, {("lead", MONDAY): ("o",)})
    assert post_reasons(verify(problem, held)) == {"grade"}


@pytest.mark.parametrize(
    ("fields", "agent", "shift", "reason"),
    [
        ({"skill": "bridge"}, Agent("a"), "D", "skill"),
        ({"shifts": ("D",)}, Agent("a"), "N", "shift"),
        ({"shifts": ("D",)}, Agent("a"), None, "shift"),
        ({"exclusive": True}, Agent("a"), "D", "on_shift"),
    ],
)
def test_who_may_hold_a_post(
    fields: dict[str, Any], agent: Agent, shift: str | None, reason: str
) -> None:
    post = Post("lead", (MONDAY,), **fields)
    wish = Request("a", MONDAY, True, 1, shift) if shift else Request("a", MONDAY, False, 1)
    problem = desk((agent,), posts=(post,), requests=(wish,))
    cells = {("a", MONDAY): shift} if shift else {}
    held = Roster(cells, {("lead", MONDAY): ("a",)})
    assert post_reasons(verify(problem, held)) == {reason}
    # the model gives up the wish (1) or, where nothing helps, the post (1000)
    assert best(problem) == (1000 if reason == "skill" else 1)


def test_nobody_holds_two_posts_on_a_day() -> None:
    posts = (Post("lead", (MONDAY,)), Post("deputy", (MONDAY,), weight=300))
    problem = desk((Agent("a"),), posts=posts)
    held = Roster({}, {("lead", MONDAY): ("a",), ("deputy", MONDAY): ("a",)})
    assert post_reasons(verify(problem, held)) == {"two_posts"}
    assert best(problem) == 300


def test_a_post_has_no_more_holders_than_places() -> None:
    problem = desk((Agent("a"), Agent("b")), posts=(Post("lead", (MONDAY,)),))
    held = Roster({}, {("lead", MONDAY): ("a", "b")})
    assert [breach.kind for breach in verify(problem, held).violations] == ["post"]


def test_a_post_lock_is_kept() -> None:
    post = Post("lead", (MONDAY,))
    people = (Agent("a"), Agent("b"))
    problem = desk(people, posts=(post,), post_locks=(PostLock("lead", MONDAY, "b"),))
    assert [b.kind for b in verify(problem, Roster()).violations] == ["lock"]
    result = solve(problem, QUICK)
    assert result.roster is not None
    assert result.roster.posts == {("lead", MONDAY): ("b",)}


# -- what is given ---------------------------------------------------------------------------------

WANTS_D = ShiftCover(MONDAY, "D", 1, under_weight=100)


@pytest.mark.parametrize(
    ("agent", "parts", "kind"),
    [
        (Agent("a"), {"leave": (Leave("a", MONDAY, MONDAY),)}, "leave"),
        (Agent("a"), {"forbidden": (Forbidden("a", MONDAY, "D"),)}, "forbidden"),
        (Agent("a"), {"forbidden": (Forbidden("a", MONDAY),)}, "forbidden"),
        (Agent("a"), {"locks": (Lock("a", MONDAY),)}, "lock"),
        (Agent("a", shifts=("N",)), {}, "shift"),
        (Agent("a", sites=("Xi'an",)), {"shifts": (Shift("D", 480, 960, site="Hefei"),)}, "site"),
        (Agent("a"), {"shifts": (Shift("D", 480, 960, skills=("x",)),)}, "skill"),
        (Agent("a"), {"shifts": (Shift("D", 480, 960, min_grade="senior"),)}, "grade"),
        (
            Agent("a", restrictions=(Restriction("no_nights", MONDAY, MONDAY),)),
            {"shifts": (Shift("D", 480, 960, night=True),)},
            "no_nights",
        ),
        (
            Agent("a", day_minutes=400, restrictions=(Restriction("no_overtime", MONDAY, MONDAY),)),
            {},
            "no_overtime",
        ),
        (
            Agent("a", restrictions=(Restriction("no_duty_on_holidays", MONDAY, TUESDAY),)),
            {"days": (Day(MONDAY, "statutory_holiday"), Day(TUESDAY))},
            "no_duty_on_holidays",
        ),
        (Agent("a", max_minutes=479), {}, "agent_minutes"),
    ],
)
def test_what_is_given_is_kept(agent: Agent, parts: dict[str, Any], kind: str) -> None:
    shifts = parts.get("shifts", SHIFTS)
    known = tuple(s for s in shifts if s.id != "N") if agent.shifts is None else shifts
    problem = desk((agent,), **{**parts, "shifts": known, "shift_cover": (WANTS_D,)})
    assert kind in {breach.kind for breach in verify(problem, on("D", "a")).violations}
    assert best(problem) == 100
    free = desk((Agent("a"),), shift_cover=(WANTS_D,))
    assert verify(free, on("D", "a")).valid


def test_a_restriction_ends_with_its_dates() -> None:
    until_monday = Restriction("no_nights", MONDAY, MONDAY)
    problem = desk((Agent("a", restrictions=(until_monday,)),))
    assert not verify(problem, on("N", "a")).valid
    assert verify(problem, on("N", "a", day=TUESDAY)).valid


def test_least_minutes_of_an_agent() -> None:
    problem = desk((Agent("a", min_minutes=500),), requests=(Request("a", MONDAY, False, 3),))
    assert not verify(problem, on("D", "a", day=TUESDAY)).valid
    assert best(problem) == 3  # both days are needed for 500 minutes


# -- hard rules that contradict each other ---------------------------------------------------------


def test_a_conflict_is_answered_with_the_fewest_breaches() -> None:
    rule = MaxConsecutive(name="one day", days=1)
    locks = (Lock("a", MONDAY, "D"), Lock("a", TUESDAY, "D"))
    result = solve(desk((Agent("a"), Agent("b")), rules=(rule,), locks=locks), QUICK)
    assert result.status == "conflict"
    assert [(b.rule, b.agent, b.amount) for b in result.violations] == [("one day", "a", 1)]


def test_a_lock_on_a_day_of_leave_is_named() -> None:
    problem = desk(
        (Agent("a"),), locks=(Lock("a", MONDAY, "D"),), leave=(Leave("a", MONDAY, TUESDAY),)
    )
    result = solve(problem, QUICK)
    assert result.status == "conflict"
    assert [breach.kind for breach in result.violations] == ["leave"]


def test_nobody_to_work_is_all_gaps() -> None:
    result = solve(desk((), shift_cover=(WANTS_D,)), QUICK)
    assert (result.status, result.cost) == ("optimal", 100)
    assert [gap.amount for gap in result.gaps] == [1]
