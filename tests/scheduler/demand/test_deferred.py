"""Work that may wait: deadlines are kept, by as few people as that takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.demand.deferred import DeferredWork, level, work_due
from scheduler.errors import SchedulingError

SLOT = 30.0


def work(
    *pieces: tuple[int, int, float], tier: str = "ordinary", promise: str = "P"
) -> DeferredWork:
    release, due, minutes = zip(*pieces, strict=True)
    return DeferredWork(
        "mail",
        "ordinary",
        promise,
        np.array(release),
        np.array(due),
        np.array(minutes, dtype=float),
    )


def always(slots: int) -> np.ndarray:
    return np.ones(slots, dtype=bool)


def test_the_peak_is_the_densest_window() -> None:
    # 120 min = 4 person-slots due within slots 0-1, 30 min = 1 due by slot 3: windows
    # [0,1]: 4/2 = 2; [0,3]: 5/4. So two people, then one for the rest.
    answer = level([work((0, 1, 120), (0, 3, 30))], always(4), SLOT)
    assert answer.people.tolist() == [2, 2, 1, 0]
    assert answer.done.sum() == pytest.approx(5)


def test_people_come_for_full_slots_unless_a_deadline_forces_them() -> None:
    # 15 min arrive in each slot, due three slots later: a person comes when 30 min have gathered
    answer = level([work(*((s, s + 3, 15) for s in range(4)))], always(8), SLOT)
    assert answer.people.tolist() == [0, 1, 0, 1, 0, 0, 0, 0]
    # a single 15 min has nothing to wait for but its deadline
    assert level([work((0, 2, 15))], always(4), SLOT).people.tolist() == [0, 0, 1, 0]


def test_work_is_levelled_not_rushed() -> None:
    # 4 person-slots, four slots to do them: one person, although four could start at once
    assert level([work((0, 3, 120))], always(6), SLOT).people.tolist() == [1, 1, 1, 1, 0, 0]


def test_closed_slots_are_not_used() -> None:
    # the same 2 person-slots within slots 0-3 of which 1 and 2 are closed: one in each end
    is_open = np.array([True, False, False, True])
    assert level([work((0, 3, 60))], is_open, SLOT).people.tolist() == [1, 0, 0, 1]


def test_the_earliest_deadline_goes_first() -> None:
    # 1 person-slot due at 0 and 1 due at 1, one person: promise A is worked on in 0, B in 1
    answer = level([work((0, 1, 30), promise="B"), work((0, 0, 30), promise="A")], always(2), SLOT)
    assert answer.promises == ("B", "A")
    assert answer.done.tolist() == [[0, 1], [1, 0]]


def test_people_who_are_there_anyway_are_used_first() -> None:
    # 2 person-slots due by slot 1, half a person free in each: 1 person-slot is missing
    answer = level([work((0, 1, 60))], always(2), SLOT, spare=np.array([0.5, 0.5]))
    assert answer.people.tolist() == [1, 0]
    assert answer.spare == pytest.approx([0, 0])
    # where enough are free, nobody is asked for, and the rest is left over
    answer = level([work((0, 1, 30))], always(2), SLOT, spare=np.array([1.0, 1.0]))
    assert (answer.people.tolist(), answer.spare.tolist()) == ([0, 0], [0, 1])


def test_what_no_staffing_can_keep_is_named() -> None:
    # released and due while closed: done at the next opening, and said so
    is_open = np.array([True, False, False, True])
    answer = level([work((1, 2, 30))], is_open, SLOT)
    assert answer.people.tolist() == [0, 0, 0, 1]
    (late,) = answer.late
    assert (late.release, late.due, late.done_by, late.minutes) == (1, 2, 3, 30)
    # nothing opens any more
    (late,) = level([work((1, 2, 30))], np.array([True, False, False]), SLOT).late
    assert late.done_by is None


def test_due_slots_count_open_time() -> None:
    # open slots 0, 1, 4, 5; promise of 60 min = 2 slots.
    # arrived in 0: due by the end of 1; workable from 1 on (it may come at the slot's end)
    # arrived in 1: slots 1 and 4, so due 4; arrived in closed 2: opening slots 4 and 5
    is_open = np.array([True, True, False, False, True, True])
    minutes = np.array([10, 20, 30, 0, 0, 40.0])
    due = work_due("mail", "ordinary", "P", minutes, 60, SLOT, is_open)
    assert due.release.tolist() == [1, 4, 4, 5]
    assert due.due.tolist() == [1, 4, 5, 5]  # what comes last is due by the horizon's end
    assert due.minutes.tolist() == [10, 20, 30, 40]


def test_a_promise_of_one_slot_is_kept_in_the_slot_itself() -> None:
    due = work_due("mail", "ordinary", "P", np.array([9.0, 0]), 30, SLOT, always(2))
    assert (due.release.tolist(), due.due.tolist()) == ([0], [0])


def test_a_promise_shorter_than_a_slot_cannot_wait() -> None:
    with pytest.raises(SchedulingError, match="shorter than a slot"):
        work_due("mail", "ordinary", "P", np.array([1.0]), 10, SLOT, always(1))


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        ((0, 9, 1.0), "outside"),
        ((-1, 1, 1.0), "outside"),
        ((2, 1, 1.0), "before it is released"),
        ((0, 1, -1.0), "from 0 up"),
        ((0, 1, float("nan")), "from 0 up"),
    ],
)
def test_impossible_work_is_refused(piece: tuple[int, int, float], message: str) -> None:
    with pytest.raises(SchedulingError, match=message):
        level([work(piece)], always(4), SLOT)


def test_no_work_needs_nobody() -> None:
    assert level([], always(3), SLOT).people.tolist() == [0, 0, 0]
    assert level([], np.zeros(3, dtype=bool), SLOT).people.tolist() == [0, 0, 0]


SLOTS = 10
pieces = st.lists(
    st.tuples(st.integers(0, SLOTS - 1), st.integers(0, 5), st.integers(1, 200)),
    min_size=1, max_size=12,
).map(lambda rows: [(r, min(SLOTS - 1, r + gap), float(m)) for r, gap, m in rows])  # fmt: skip


def kept(jobs: list[tuple[int, int, float]], capacity: np.ndarray) -> bool:
    """Hall's condition, window by window: an independent judge of deadlines."""
    return all(
        sum(m / SLOT for r, d, m in jobs if start <= r and d <= end)
        <= capacity[start : end + 1].sum() + 1e-6
        for start in range(SLOTS)
        for end in range(start, SLOTS)
    )


@settings(max_examples=80, deadline=None)
@given(jobs=pieces, spare=st.lists(st.floats(0, 2), min_size=SLOTS, max_size=SLOTS))
def test_deadlines_are_kept_at_the_smallest_peak(
    jobs: list[tuple[int, int, float]], spare: list[float]
) -> None:
    free = np.array(spare)
    answer = level([work(*jobs)], always(SLOTS), SLOT, free)
    assert kept(jobs, answer.people + free)
    assert answer.late == ()
    # all of it is done, nothing before its release, nothing after its due slot
    done = np.cumsum(answer.done[0])
    for slot in range(SLOTS):
        released = sum(m / SLOT for r, _, m in jobs if r <= slot)
        overdue = sum(m / SLOT for _, d, m in jobs if d <= slot)
        assert overdue - 1e-6 <= done[slot] <= released + 1e-6
    assert answer.spare.min() >= -1e-9
    peak = answer.people.max()
    assert peak == 0 or not kept(jobs, free + peak - 1)


@settings(max_examples=40, deadline=None)
@given(jobs=pieces, shut=st.sets(st.integers(0, SLOTS - 1), max_size=6))
def test_nobody_works_while_closed(jobs: list[tuple[int, int, float]], shut: set[int]) -> None:
    is_open = np.array([slot not in shut for slot in range(SLOTS)])
    answer = level([work(*jobs)], is_open, SLOT)
    assert answer.people[~is_open].sum() == 0
    lost = sum(piece.minutes for piece in answer.late if piece.done_by is None)
    assert answer.done.sum() * SLOT == pytest.approx(sum(m for *_, m in jobs) - lost)
