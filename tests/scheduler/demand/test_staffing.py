"""From promises to people."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.demand.deferred import DeferredWork
from scheduler.demand.queues import agents_needed
from scheduler.demand.staffing import (
    LiveWork,
    Requirement,
    Shrinkage,
    StaffingProblem,
    Target,
    people_scheduled,
    staff,
)
from scheduler.errors import SchedulingError

PROMISE = Target("SLA 1: 80 % in 20 s", 0.8, 20 / 60)


def live(contacts: list[float], tier: str = "ordinary", target: Target = PROMISE) -> LiveWork:
    return LiveWork("phone", tier, target, np.array(contacts), np.full(len(contacts), 3.0))


def late_work(*pieces: tuple[int, int, float], tier: str = "ordinary") -> DeferredWork:
    release, due, minutes = zip(*pieces, strict=True)
    return DeferredWork(
        "phone", tier, "SLA 2: by noon", np.array(release), np.array(due), np.array(minutes)
    )


def by_tier(rows: tuple[Requirement, ...], slot: int = 0) -> dict[str, Requirement]:
    return {row.tier: row for row in rows if row.slot == slot}


def test_a_live_queue_is_staffed_by_its_promise() -> None:
    # 100 contacts of 3 min in 30 min are 10 erlangs; 13 agents answer 79.6 % within 20 s,
    # 14 answer 88.8 %
    plan = staff(StaffingProblem(2, 30, live=[live([100, 0])]))
    (row,) = plan.requirements
    assert (row.slot, row.people, row.at_least, row.live, row.deferred) == (0, 14, 14, 14, 0)
    assert row.live_promise == "SLA 1: 80 % in 20 s"
    assert row.deferred_promise is None


def test_customers_who_leave_need_fewer_people() -> None:
    patient = staff(StaffingProblem(1, 30, live=[live([100])])).requirements[0].people
    target = Target("SLA 1", 0.8, 20 / 60, patience_min=2)
    hasty = staff(StaffingProblem(1, 30, live=[live([100], target=target)])).requirements[0].people
    assert hasty < patient


def test_the_stricter_promise_is_the_one_named() -> None:
    strict = Target("SLA 9: 95 % in 10 s", 0.95, 10 / 60)
    queues = [live([50], target=strict), live([50])]
    plan = staff(StaffingProblem(1, 30, live=queues))
    assert plan == staff(StaffingProblem(1, 30, live=queues[::-1]))
    (row,) = plan.requirements
    # pooled: 10 erlangs, the stricter promise
    assert row.people == agents_needed(
        "c", 10, target_service_level=0.95, within_min=10 / 60, handle_min=3
    )
    assert row.live_promise == "SLA 9: 95 % in 10 s"


def test_tiers_nest_on_live_queues() -> None:
    # experts for 2 erlangs, everybody together for 10: the experts count towards the 14
    plan = staff(StaffingProblem(1, 30, live=[live([80]), live([20], "expert")]))
    rows = by_tier(plan.requirements)
    experts = agents_needed("c", 2, target_service_level=0.8, within_min=20 / 60, handle_min=3)
    assert rows["expert"].people == rows["expert"].at_least == experts
    assert rows["ordinary"].at_least == 14
    assert rows["ordinary"].people == 14 - experts
    assert "senior" not in rows


def test_spare_time_of_experts_serves_lower_tiers() -> None:
    # expert: 15 min due in slot 0 brings one expert, whose other 15 min do the ordinary work
    plan = staff(
        StaffingProblem(1, 30, deferred=[late_work((0, 0, 15.0), tier="expert"),
                                         late_work((0, 0, 15.0))])
    )  # fmt: skip
    assert [(row.tier, row.people) for row in plan.requirements] == [("expert", 1)]
    # the other way round nobody may help: ordinary time does no expert work
    plan = staff(StaffingProblem(1, 30, deferred=[late_work((0, 0, 15.0), tier="expert"),
                                                  late_work((0, 0, 30.0))]))  # fmt: skip
    assert [(row.tier, row.people) for row in plan.requirements] == [("expert", 1), ("ordinary", 1)]
    assert plan.requirements[1].deferred_promise == "SLA 2: by noon"


def test_idle_time_between_calls_serves_work_that_may_wait() -> None:
    # 14 agents for 10 erlangs: 4 person-slots idle; half of it does 2 person-slots = 60 min
    problem = StaffingProblem(1, 30, live=[live([100])], deferred=[late_work((0, 0, 60.0))])
    assert staff(problem).requirements[0].people == 16
    used = StaffingProblem(
        1, 30, live=[live([100])], deferred=[late_work((0, 0, 60.0))], idle_use=0.5
    )
    assert staff(used).requirements[0].people == 14


def test_idle_time_of_experts_is_not_counted_twice() -> None:
    # 20 expert contacts (2 erlangs, 5 experts) and 80 ordinary: 14 in all for 10 erlangs. The
    # experts' 3 idle person-slots are part of the 4 idle in all, so 5 person-slots of work in
    # both tiers need at least one more person
    problem = StaffingProblem(
        1, 30, live=[live([80]), live([20], "expert")], idle_use=1.0,
        deferred=[late_work((0, 0, 60.0), tier="expert"), late_work((0, 0, 90.0))],
    )  # fmt: skip
    plan = staff(problem)
    assert max(row.at_least for row in plan.requirements) == 15


def test_idle_time_that_lower_tiers_use_up_is_nobody_elses() -> None:
    # impatient customers: 3 experts for 2 erlangs are idle a third of the time, but all together
    # are fewer than the 102 erlangs, so the experts' idle time goes to ordinary calls
    target = Target("SLA 1", 0.8, 20 / 60, patience_min=2)
    queues = [live([1000], target=target), live([20], "expert", target)]
    work = [late_work((0, 0, 20.0), tier="expert")]
    alone = by_tier(staff(StaffingProblem(1, 30, live=queues[1:])).requirements)
    assert alone["expert"].people > 2
    plain, used = (
        by_tier(staff(StaffingProblem(1, 30, queues, work, idle_use=use)).requirements)
        for use in (0.0, 1.0)
    )
    assert plain["ordinary"].live + plain["expert"].live < 102
    assert used == plain
    assert used["expert"].deferred == 1


def test_shrinkage_by_kind() -> None:
    # 14 people; 10 % ill and late on the day: 14/0.9 = 15.6, so 16 on the roster;
    # with 20 % breaks and leave, which the roster shows: 14/0.7 = 20 in all
    kinds = (Shrinkage("sick", 0.1), Shrinkage("breaks and leave", 0.2, in_roster=True))
    (row,) = staff(StaffingProblem(1, 30, live=[live([100])], shrinkage=kinds)).requirements
    assert (row.people, row.scheduled, row.headcount) == (14, 16, 20)


def test_shrinkage_is_rounded_up_over_the_tiers_together() -> None:
    # 5 experts and 9 others, 10 %: 5/0.9 = 5.6 → 6 experts, 14/0.9 = 15.6 → 16 in all, so 10
    plan = staff(
        StaffingProblem(1, 30, live=[live([80]), live([20], "expert")],
                        shrinkage=[Shrinkage("sick", 0.1)])
    )  # fmt: skip
    rows = by_tier(plan.requirements)
    assert rows["expert"].scheduled == people_scheduled(rows["expert"].people, 0.1)
    assert rows["expert"].scheduled + rows["ordinary"].scheduled == 16


def test_scheduling_rounds_up_but_not_by_rounding_error() -> None:
    assert people_scheduled(14, 0.3) == 20  # 14 / 0.7 = 20 exactly
    assert people_scheduled(15, 0.3) == 22  # 21.4
    assert people_scheduled(0, 0.3) == 0


def test_opening_hours_hold_for_work_that_may_wait() -> None:
    problem = StaffingProblem(
        3, 30, deferred=[late_work((0, 2, 30.0))],
        opening={"phone": np.array([False, False, True])},
    )  # fmt: skip
    assert [row.slot for row in staff(problem).requirements] == [2]


def test_the_frame_has_a_column_per_field() -> None:
    frame = staff(StaffingProblem(1, 30, live=[live([100])])).frame()
    assert list(frame.columns) == list(Requirement.__dataclass_fields__)
    assert list(staff(StaffingProblem(1, 30)).frame().columns) == list(frame.columns)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (StaffingProblem(0, 30), "at least one slot"),
        (StaffingProblem(1, 0), "at least one slot"),
        (StaffingProblem(1, 30, live=[live([1], "chief")]), "unknown tier chief"),
        (StaffingProblem(2, 30, live=[live([1])]), "contacts needs 2 values"),
        (StaffingProblem(1, 30, live=[live([-1])]), "contacts must be"),
        (StaffingProblem(1, 30, opening={"phone": np.ones(2, dtype=bool)}), "opening needs 1"),
        (StaffingProblem(1, 30, shrinkage=[Shrinkage("a", 0.6), Shrinkage("b", 0.4)]), "shares"),
        (StaffingProblem(1, 30, idle_use=2), "idle_use"),
    ],
)
def test_impossible_problems_are_refused(problem: StaffingProblem, message: str) -> None:
    with pytest.raises(SchedulingError, match=message):
        staff(problem)


@settings(max_examples=25, deadline=None)
@given(
    contacts=st.lists(st.floats(0, 200), min_size=3, max_size=3),
    more=st.floats(0, 50),
    tier=st.sampled_from(["ordinary", "senior", "expert"]),
)
def test_more_work_never_needs_fewer_people(contacts: list[float], more: float, tier: str) -> None:
    base = [live([contacts[0]]), live([contacts[1]], "senior"), live([contacts[2]], "expert")]
    less = staff(StaffingProblem(1, 30, live=base))
    extra = staff(StaffingProblem(1, 30, live=[*base, live([more], tier)]))
    assert sum(row.people for row in less.requirements) <= sum(
        row.people for row in extra.requirements
    )
    for row in extra.requirements:
        assert row.people == row.live + row.deferred <= row.at_least
        assert row.people <= row.scheduled <= row.headcount
