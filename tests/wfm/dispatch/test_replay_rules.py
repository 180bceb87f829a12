"""What a replay does at each kind of instant, on traces small enough to run by hand."""

from __future__ import annotations

import pytest

from wfm.dispatch.model import EXPERT, ORDINARY, SECOND, SENIOR, Agent, Ticket
from wfm.dispatch.policy import Deadline, Fifo, Priority, Ring
from wfm.dispatch.replay import Duty, Trace, joined, run


def call(name, opened, within=60, handle=100, patience=None, **more):
    one = Ticket(name, opened * SECOND, (opened + within) * SECOND, **more)
    return one, handle * SECOND, None if patience is None else patience * SECOND


def duty(agent, start=0, end=10_000):
    return Duty(agent, start * SECOND, end * SECOND)


def replay(calls, agents, duties=None, policy=None):
    """Ticket → (agent, start in seconds, why), or (None, why)."""
    trace = Trace(*map(list, zip(*calls, strict=True)))
    if duties is None:
        duties = [duty(agent.agent_id) for agent in agents]
    return {
        d.ticket.ticket_id: (d.agent_id, d.start / SECOND, d.turn)
        if d.start is not None
        else (None, d.turn)
        for d in run(trace, agents, duties, policy or Fifo())
    }


def test_a_free_agent_starts_at_once_and_the_next_ticket_when_she_is_done():
    done = replay([call("t1", 5), call("t2", 10)], [Agent("a")])
    assert done == {"t1": ("a", 5, "on_arrival"), "t2": ("a", 105, "oldest")}


def test_the_longest_idle_gets_the_ticket():
    # b and a are idle since 0 (the smaller id first); a is done at 11, b idle for longer at 20
    calls = [call("t1", 1, handle=10), call("t2", 20), call("t3", 21)]
    done = replay(calls, [Agent("b"), Agent("a")])
    assert [done[name][0] for name in ("t1", "t2", "t3")] == ["a", "b", "a"]


def test_nobody_starts_before_her_duty_nor_at_its_end():
    assert replay([call("t", 5)], [Agent("a")], [duty("a", 30, 60)]) == {"t": ("a", 30, "oldest")}
    assert replay([call("t", 60)], [Agent("a")], [duty("a", 30, 60)]) == {
        "t": (None, "nobody_on_duty")
    }


def test_the_ticket_in_hand_at_the_end_of_a_duty_is_finished_and_no_other_begun():
    # a works on t1 until 110, ten seconds past her duty; t2 waits for her next one
    done = replay(
        [call("t1", 10), call("t2", 20)], [Agent("a")], [duty("a", 0, 100), duty("a", 300, 400)]
    )
    assert done == {"t1": ("a", 10, "on_arrival"), "t2": ("a", 300, "oldest")}


def test_a_ticket_that_runs_into_the_next_duty_keeps_the_agent_busy():
    done = replay(
        [call("t1", 90, handle=300), call("t2", 100)],
        [Agent("a")],
        [duty("a", 0, 100), duty("a", 200, 500)],
    )
    assert done["t2"] == ("a", 390, "oldest")


def test_a_break_is_a_gap_and_touching_duties_are_one():
    parts = [duty("a", 0, 100), duty("a", 100, 200), duty("a", 260, 300)]
    assert joined(parts) == {"a": [(0, 200 * SECOND), (260 * SECOND, 300 * SECOND)]}
    assert replay([call("t", 100)], [Agent("a")], parts)["t"][1] == 100
    assert replay([call("t", 200)], [Agent("a")], parts)["t"][1] == 260


@pytest.mark.parametrize(
    ("duties", "message"),
    [
        ([duty("a", 5, 5)], "ends before or when it starts"),
        ([duty("a", 0, 10), duty("a", 9, 20)], "overlap"),
    ],
)
def test_impossible_duties_are_refused(duties, message):
    with pytest.raises(ValueError, match=message):
        joined(duties)


def test_two_agents_may_be_on_duty_at_the_same_time():
    assert len(joined([duty("a", 0, 10), duty("b", 9, 20)])) == 2


def test_skill_and_grade_are_respected():
    agents = [Agent("ordinary", ORDINARY, {"x": 1}), Agent("senior", SENIOR, {"y": 1})]
    done = replay(
        [
            call("skill", 0, skill="y"),
            call("grade", 1, skill="y", tier=SENIOR),
            call("skill-but-no-grade", 2, skill="x", tier=SENIOR),
            call("fits", 3, skill="x"),
        ],
        agents,
    )
    assert done["skill"] == ("senior", 0, "on_arrival")
    assert done["grade"] == ("senior", 100, "oldest")
    assert done["skill-but-no-grade"] == (None, "nobody_may")
    assert done["fits"] == ("ordinary", 3, "on_arrival")


def test_capacity_is_the_number_of_tickets_in_hand():
    calls = [call(f"t{i}", i) for i in range(3)]
    done = replay(calls, [Agent("a", capacity=2)])
    assert [done[f"t{i}"][1] for i in range(3)] == [0, 1, 100]


def test_whoever_has_fewest_in_hand_comes_before_the_longest_idle():
    # a (capacity 2) and b: t0 to a, t1 to b, b done at 6; at 7 a holds one since 0, b none
    calls = [call("t0", 0), call("t1", 1, handle=5), call("t2", 7)]
    done = replay(calls, [Agent("a", capacity=2), Agent("b")])
    assert done["t2"][0] == "b"


def test_an_agent_who_is_done_with_one_stands_where_her_load_is_now():
    # a has t0 until 5, b has t1 from 1, a t2 from 6: at 7 both hold one, b idle for longer
    calls = [call("t0", 0, handle=5), call("t1", 1), call("t2", 6), call("t3", 7)]
    done = replay(calls, [Agent("a", capacity=3), Agent("b", capacity=3)])
    assert [done[f"t{i}"][0] for i in range(4)] == ["a", "b", "a", "b"]


def test_the_customer_leaves_after_the_patience_but_is_served_at_its_very_end():
    busy = call("busy", 0, handle=50)
    assert replay([busy, call("t", 10, patience=39)], [Agent("a")])["t"] == (
        None, "customer_left",
    )  # fmt: skip
    assert replay([busy, call("t", 10, patience=40)], [Agent("a")])["t"] == ("a", 50, "oldest")


def test_a_customer_without_patience_is_served_only_at_once():
    assert replay([call("t", 10, patience=0)], [Agent("a")])["t"][0] == "a"
    done = replay([call("busy", 0), call("t", 10, patience=0)], [Agent("a")])
    assert done["t"] == (None, "customer_left")


def test_a_ticket_left_when_the_duties_end_says_so():
    done = replay([call("t1", 0), call("t2", 1)], [Agent("a")], [duty("a", 0, 50)])
    assert done["t2"] == (None, "duties_ended")


def test_an_able_agent_without_any_duty_is_not_there():
    done = replay([call("t", 0, skill="x")], [Agent("a", skills={"x": 1})], [])
    assert done == {"t": (None, "nobody_on_duty")}


def test_tickets_of_no_length_pass_at_one_instant():
    done = replay([call(f"t{i}", 5, handle=0) for i in range(3)], [Agent("a")])
    assert [done[f"t{i}"][1] for i in range(3)] == [5, 5, 5]


def test_a_start_at_the_due_instant_keeps_the_promise():
    trace = Trace(*map(list, zip(call("t1", 0, handle=70), call("t2", 10), strict=True)))
    second = run(trace, [Agent("a")], [duty("a")], Fifo())[1]
    assert (second.start, second.wait, second.met) == (70 * SECOND, 60 * SECOND, True)
    tighter = Trace(*map(list, zip(call("t1", 0, handle=71), call("t2", 10), strict=True)))
    assert not run(tighter, [Agent("a")], [duty("a")], Fifo())[1].met


def test_the_order_of_a_freed_agent_follows_the_policy():
    # free at 100: t1 is late (due 60), t2 due 150, t3 due 120 and of low priority
    calls = [
        call("busy", 0),
        call("t1", 1, 59, priority=2),
        call("t2", 10, 140, priority=1),
        call("t3", 20, 100, priority=3),
    ]

    def order(policy):
        done = replay(calls, [Agent("a")], policy=policy)
        return sorted(done, key=lambda name: done[name][1])[1:]

    assert order(Fifo()) == ["t1", "t2", "t3"]
    assert order(Priority()) == ["t2", "t1", "t3"]
    # at 100 t3; at 200 t2 is late too, and t1 has been so for longer
    assert order(Deadline()) == ["t3", "t1", "t2"]


def test_a_late_ticket_beyond_the_cap_goes_before_a_winnable_one():
    calls = [call("busy", 0), call("late", 1, 9), call("winnable", 90)]
    # at 100 "late" is 90 s past due
    beyond = replay(calls, [Agent("a")], policy=Deadline(cap_s=89))
    within = replay(calls, [Agent("a")], policy=Deadline(cap_s=90))
    assert beyond["late"] == ("a", 100, "over_cap")
    assert within["winnable"] == ("a", 100, "earliest_due")
    assert within["late"] == ("a", 200, "over_cap")


def test_the_lowest_sufficient_grade_then_the_fewest_skills_are_spent_first():
    agents = [
        Agent("a-expert", EXPERT, {"x": 1}),
        Agent("b-broad", ORDINARY, {"x": 1, "y": 1}),
        Agent("c-narrow", ORDINARY, {"x": 1}),
    ]
    calls = [call(f"t{i}", i, skill="x") for i in range(3)]
    done = replay(calls, agents, policy=Deadline())
    assert [done[f"t{i}"][0] for i in range(3)] == ["c-narrow", "b-broad", "a-expert"]
    fifo = replay(calls, agents)
    assert [fifo[f"t{i}"][0] for i in range(3)] == ["a-expert", "b-broad", "c-narrow"]


EXPERT_AND_ORDINARY = [Agent("expert", EXPERT), Agent("otto", ORDINARY)]


def test_the_last_expert_waits_for_expert_work():
    # otto is busy until 200; "calm" has until 1210, so the expert is kept from it
    calls = [
        call("busy", 0, handle=200),
        call("calm", 10, 1200),
        call("hard", 50, 20, tier=EXPERT),
    ]
    done = replay(calls, EXPERT_AND_ORDINARY, policy=Deadline())
    assert done["hard"] == ("expert", 50, "on_arrival")
    assert done["calm"] == ("otto", 200, "earliest_due")
    # the longest idle (the smaller id) at 0 is the expert: busy until 200, and the hard one waits
    assert replay(calls, EXPERT_AND_ORDINARY)["hard"] == ("expert", 200, "oldest")


def test_expert_work_goes_to_the_kept_expert_though_lesser_work_is_due_earlier():
    # calm is due at 1210 and hard at 1250; otto is busy until 200
    hard = call("hard", 50, 1200, tier=EXPERT)
    calls = [call("busy", 0, handle=200), call("calm", 10, 1200), hard]
    done = replay(calls, EXPERT_AND_ORDINARY, policy=Deadline())
    assert done["hard"] == ("expert", 50, "on_arrival")
    assert done["calm"] == ("otto", 200, "earliest_due")


def test_lesser_work_without_slack_goes_before_expert_work_due_later():
    # half of calm's 1200 s is gone at 610, when the expert, busy with first, becomes free at 700
    calls = [
        call("busy", 0, handle=2000),
        call("first", 0, tier=EXPERT, handle=700),
        call("calm", 10, 1200),
        call("hard", 50, 1200, tier=EXPERT),
    ]
    done = replay(calls, EXPERT_AND_ORDINARY, policy=Deadline())
    assert done["calm"] == ("expert", 700, "earliest_due")
    assert done["hard"] == ("expert", 800, "earliest_due")


def test_a_kept_expert_is_released_when_the_slack_runs_low():
    # due at 1210, half of it left until 610; otto is busy until 2000
    calls = [call("busy", 0, handle=2000), call("calm", 10, 1200), call("hard", 5000, tier=EXPERT)]
    done = replay(calls, EXPERT_AND_ORDINARY, policy=Deadline())
    assert done["calm"] == ("expert", 610, "expert_released")


def test_a_second_ticket_ends_the_keeping():
    calls = [
        call("busy", 0, handle=2000),
        call("calm", 10, 1200),
        call("more", 60, 1200),
        call("hard", 5000, tier=EXPERT),
    ]
    done = replay(calls, EXPERT_AND_ORDINARY, policy=Deadline())
    assert done["calm"][:2] == ("expert", 60)
    # alone again at 160, "more" may wait for otto until half of its promise is gone
    assert done["more"] == ("expert", 660, "expert_released")


def test_an_expert_without_expert_work_on_the_desk_is_not_kept():
    calls = [call("busy", 0, handle=200), call("calm", 10, 1200)]
    done = replay(calls, EXPERT_AND_ORDINARY, policy=Deadline())
    assert done["calm"] == ("expert", 10, "on_arrival")


def test_an_expert_whose_duty_ends_before_the_slack_is_not_kept():
    duties = [duty("expert", 0, 300), duty("otto", 0, 5000)]
    calls = [call("busy", 0, handle=900), call("calm", 10, 1200), call("hard", 4000, tier=EXPERT)]
    done = replay(calls, EXPERT_AND_ORDINARY, duties, Deadline())
    # the slack of "calm" would keep her until 610
    assert done["calm"] == ("expert", 10, "on_arrival")
    assert done["hard"] == (None, "nobody_on_duty")


def test_nothing_to_do_is_no_fault():
    assert run(Trace([], [], []), [Agent("a")], [duty("a")], Deadline()) == []
    assert run(Trace([], [], []), [], [], Fifo()) == []


def test_agents_idle_since_the_same_instant_go_by_id():
    # at 100 b is done and a's duty begins: both idle since 100
    calls = [call("busy", 0, handle=100), call("t", 110)]
    done = replay(calls, [Agent("b"), Agent("a")], [duty("b"), duty("a", 100)])
    assert done["t"][0] == "a"


def test_nobody_leaves_at_an_instant_at_which_an_agent_is_free_again():
    calls = [call("t1", 5, handle=0), call("t2", 5, handle=0, patience=0)]
    assert replay(calls, [Agent("a")])["t2"] == ("a", 5, "oldest")


def test_a_heavy_ticket_takes_more_of_the_capacity():
    calls = [call("t0", 0, handle=50), call("heavy", 1, weight=2), call("t1", 2, handle=5)]
    done = replay(calls, [Agent("a", capacity=2)])
    # t0 leaves room for one: t1 takes it; heavy needs both hands, free at 50
    assert [(name, done[name][1]) for name in ("t0", "t1", "heavy")] == [
        ("t0", 0), ("t1", 2), ("heavy", 50),
    ]  # fmt: skip
    # with empty hands there is room for anything
    assert replay([call("huge", 0, weight=9)], [Agent("a")])["huge"][1] == 0


def test_one_with_room_for_light_work_only_does_not_release_the_last_for_a_heavy_caller():
    def when(second_handle):
        # four agents with two hands hold one light ticket each; o0 is done with hers at 100
        handles = (100, second_handle, 5000, 5000)
        light = [call(f"l{i}", 0, handle=handles[i]) for i in range(4)]
        agents = [Agent(f"o{i}", capacity=2) for i in range(4)]
        return replay([*light, call("heavy", 1, weight=2)], agents, policy=Deadline())["heavy"][1]

    # due at 61; o0 is the last who could hold it, and kept for 600 s; the others' second hands
    # are no help
    assert when(5000) == 61 + 600
    # o1 is done at 90, so she is the last until 100; then there are two
    assert when(90) == 100


@pytest.mark.parametrize(("ends", "late_starts"), [(600, 599), (2000, 661)])
def test_the_last_call_of_a_duty_is_taken_at_its_end(ends, late_starts):
    # "late", due at 61, is kept from ann, free from 100 on while the three others are busy, for
    # 600 s, or until a second before her duty ends; so she is there for "next" at 300
    names = ("ann", "o1", "o2", "o3")
    agents = [Agent(name, skills={"x": 3, name: 3}) for name in names]
    duties = [duty(name, 0, ends if name == "ann" else 10_000) for name in names]
    calls = [call(name, 0, skill=name, handle=100 if name == "ann" else 5000) for name in names]
    calls += [call("late", 1, skill="x"), call("next", 300, skill="x", handle=100)]
    kinds = {("x", ORDINARY)}
    done = {
        d.ticket.ticket_id: (d.agent_id, d.start / SECOND, d.met)
        for d in run(Trace(*map(list, zip(*calls, strict=True))), agents, duties, Deadline(), kinds)
    }
    assert done["next"] == ("ann", 300, True)
    assert done["late"] == ("ann", late_starts, False)


def test_what_stood_behind_a_customer_who_leaves_is_looked_at_at_once():
    # ann alone speaks y and is kept from "short", due at 60, who leaves at 30; "long", promised
    # more than 120 s, is nothing she is kept from
    names = ("ann", "o1", "o2", "o3")
    agents = [Agent(name, skills={"x": 3, name: 3}) for name in names]
    calls = [call(name, 0, skill=name, handle=5000) for name in names[1:]]
    calls += [call("short", 0, skill="x", patience=30), call("long", 10, 600, skill="x")]
    done = replay([*calls, call("ann", 9000, skill="ann")], agents, policy=Deadline())
    assert done["short"] == (None, "customer_left")
    assert done["long"][:2] == ("ann", 30)


def test_a_ring_that_opens_lets_a_free_agent_take_what_waits():
    calls = [call("hard", 0, 100, skill="x", proficiency=5)]
    learner = Agent("a", skills={"x": 3})
    rings = [Ring(0.25, proficiency=3)]
    # a quarter of 100 s is left at 75
    assert replay(calls, [learner], policy=Deadline(rings=rings))["hard"][1] == 75
    assert replay(calls, [learner], policy=Deadline())["hard"][0] is None
