"""The orders of the policies, and the rule that keeps the last expert back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wfm.dispatch.model import EXPERT, ORDINARY, SECOND, SENIOR, Agent, Ticket, does, may_take
from wfm.dispatch.policy import (
    POLICIES,
    Deadline,
    Fifo,
    Priority,
    Ring,
    contrast,
    expert_work,
    keeps,
    rank,
    widened,
)
from wfm.dispatch.reasons import TEXTS, Reason


def ticket(name: str, opened: float, within: float = 60, **more: object) -> Ticket:
    return Ticket(name, int(opened * SECOND), int((opened + within) * SECOND), **more)


def turns(policy, tickets, at: float, cover: int = 9) -> list[str]:
    now = int(at * SECOND)
    return [t.ticket_id for t in sorted(tickets, key=lambda t: rank(policy, t, now, cover))]


def test_the_grades_are_ordered_and_a_higher_one_does_lower_work():
    agent = Agent("a", SENIOR, {"loans": 3})
    assert does(agent, "loans", ORDINARY)
    assert does(agent, "loans", SENIOR)
    assert not does(agent, "loans", EXPERT)


def test_an_expert_does_any_tier_but_only_in_her_skills():
    expert = Agent("e", EXPERT, {"loans": 3})
    assert all(does(expert, "loans", tier) for tier in (ORDINARY, SENIOR, EXPERT))
    assert not does(expert, "cards", ORDINARY)


def test_a_skill_must_reach_the_proficiency_asked_for():
    agent = Agent("a", ORDINARY, {"loans": 2})
    assert does(agent, "loans", ORDINARY, proficiency=2)
    assert not does(agent, "loans", ORDINARY, proficiency=3)


def test_work_without_a_skill_and_agents_without_a_list_fit_everything():
    assert does(Agent("a", ORDINARY, {}), "", ORDINARY)
    assert does(Agent("a"), "loans", ORDINARY)
    assert not does(Agent("a", ORDINARY, {}), "loans", ORDINARY)


def test_the_agent_a_complaint_is_about_does_not_get_it():
    complaint = ticket("c", 0, not_by=frozenset({"a"}))
    assert not may_take(Agent("a"), complaint)
    assert may_take(Agent("b"), complaint)


def test_fifo_takes_the_oldest_whatever_its_priority_or_due_instant():
    older = ticket("z", 0, within=900, priority=3)
    newer = ticket("a", 1, within=5, priority=1)
    assert turns(Fifo(), [newer, older], at=3) == ["z", "a"]


def test_tickets_of_the_same_instant_go_by_id():
    assert turns(Fifo(), [ticket("b", 0), ticket("a", 0)], at=1) == ["a", "b"]


def test_priority_goes_before_age_and_age_decides_within():
    low, high, later = (
        ticket("low", 0, priority=2),
        ticket("high", 5, priority=1),
        ticket("later", 6, priority=1),
    )
    assert turns(Priority(), [low, later, high], at=10) == ["high", "later", "low"]


def test_deadline_takes_the_earliest_due_of_the_winnable():
    # due at 0 + 300, 10 + 60, 20 + 20
    tickets = [ticket("a", 0, 300), ticket("b", 10, 60), ticket("c", 20, 20)]
    assert turns(Deadline(), tickets, at=30) == ["c", "b", "a"]


def test_a_ticket_is_winnable_at_its_due_instant_and_late_after_it():
    one = ticket("one", 0, 60)
    policy = Deadline()
    assert policy.band(one, 60 * SECOND) == Deadline.WINNABLE
    assert policy.band(one, 60 * SECOND + 1) == Deadline.LATE


def test_the_late_wait_behind_the_winnable_up_to_the_cap_and_before_all_beyond_it():
    late, winnable = ticket("late", 0, 60), ticket("winnable", 100, 600)
    policy = Deadline(cap_s=100)
    # late since 60; the cap is reached at 60 + 100 = 160
    assert turns(policy, [late, winnable], at=160) == ["winnable", "late"]
    assert turns(policy, [late, winnable], at=160.000001) == ["late", "winnable"]


def test_with_a_long_promise_the_cap_is_a_multiple_of_it():
    late, winnable = ticket("late", 0, 1000), ticket("winnable", 100, 9000)
    policy = Deadline(cap_s=100, cap_promises=2)
    # due at 1000, the cap is reached 2 · 1000 s later; how many are on duty does not matter
    assert turns(policy, [late, winnable], at=3000, cover=1) == ["winnable", "late"]
    assert turns(policy, [late, winnable], at=3000.000001, cover=1) == ["late", "winnable"]
    # never less than the cap of short promises
    assert turns(Deadline(cap_s=100, cap_promises=0), [late, winnable], at=1100)[0] == "winnable"
    assert turns(Deadline(cap_s=100, cap_promises=0), [late, winnable], at=1101)[0] == "late"


def test_late_ones_with_long_promises_go_by_when_their_caps_are_reached():
    # due at 1000 and 800, capped at 1000 + 3 · 200 = 1600 and 800 + 3 · 800 = 3200
    soon, far = ticket("soon", 800, 200), ticket("far", 0, 800)
    policy = Deadline(cap_s=100, cap_promises=3)
    assert turns(policy, [far, soon], at=1500) == ["soon", "far"]
    # short promises are late before long ones; beyond its cap the long one goes first
    short = ticket("short", 1490, 60)
    assert turns(policy, [far, short], at=1560) == ["short", "far"]
    assert turns(policy, [soon, short], at=1601) == ["soon", "short"]


def test_among_late_ones_the_longest_late_goes_first():
    # at 200 both are late: due 10 and 100
    assert turns(Deadline(), [ticket("b", 40, 60), ticket("a", 0, 10)], at=200) == ["a", "b"]


def test_a_ticket_with_a_far_due_instant_is_not_starved_by_newer_ones():
    old = ticket("old", 0, 3600)
    # a newer ticket due within 60 s goes first at 1000, but not one that comes at 3550
    assert turns(Deadline(), [old, ticket("new", 1000)], at=1001) == ["new", "old"]
    assert turns(Deadline(), [old, ticket("new", 3550)], at=3551) == ["old", "new"]


def test_equal_due_instants_go_by_priority():
    tickets = [ticket("a", 0, 60, priority=2), ticket("b", 40, 20, priority=1)]
    assert turns(Deadline(), tickets, at=50) == ["b", "a"]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_band_lasts_until_the_instant_the_policy_names(name):
    policy, one = POLICIES[name](), ticket("one", 0, 60)
    now = one.opened_at
    while (change := policy.changes_at(one, policy.band(one, now))) is not None:
        assert policy.band(one, change - 1) == policy.band(one, now)
        assert policy.band(one, change) != policy.band(one, now)
        now = change
    assert policy.band(one, now + 10**15) == policy.band(one, now)
    assert policy.name == name


def test_deadline_prefers_the_lowest_grade_then_the_fewest_skills():
    agents = [
        Agent("expert", EXPERT, {"a": 1}),
        Agent("broad", ORDINARY, {"a": 1, "b": 1}),
        Agent("everything", ORDINARY, None),
        Agent("narrow", ORDINARY, {"a": 1}),
    ]
    ordered = sorted(agents, key=Deadline().preference)
    assert [agent.agent_id for agent in ordered] == ["narrow", "broad", "everything", "expert"]
    assert len({Fifo().preference(agent) for agent in agents}) == 1


# The last expert. The ticket is due at 1200 s: half of the promise is left until 600 s.

LESSER = ticket("lesser", 0, 1200, skill="a")
ANNA = Agent("anna", EXPERT, {"a": 3, "b": 3})


def kept(policy=None, one=LESSER, agent=ANNA, at=0.0, **world):
    facts = {
        "kinds": {("b", EXPERT)},
        "others_free": [],
        "others_wait": False,
        "expert_work_waits": False,
        "alone": False,
        "on_duty": [ANNA, Agent("otto", ORDINARY, {"a": 3})],
    } | world
    room = SimpleNamespace(
        scarce=lambda: expert_work(agent, facts["kinds"]),
        alone=lambda: facts["alone"],
        experts_free=lambda: [other for other in facts["others_free"] if other.grade == EXPERT],
        others_free=lambda n: sum(may_take(other, one) for other in facts["others_free"]) >= n,
        others_wait=lambda: facts["others_wait"] or facts["expert_work_waits"],
        expert_work_waits=lambda: facts["expert_work_waits"],
        on_duty=lambda: facts["on_duty"],
        cover=lambda: len(facts["on_duty"]),
    )
    leaves_at = facts.get("leaves_at")
    keeping = keeps(policy or Deadline(), one, agent, int(at * SECOND), room, leaves_at)
    return keeping and (keeping.code, keeping.until / SECOND)


def test_the_last_expert_is_kept_while_half_of_the_promise_is_left():
    assert kept() == ("expert_kept", 600)
    assert kept(at=599.9) == ("expert_kept", 600)
    assert kept(at=600) is None


def test_a_short_promise_keeps_nobody():
    # 400 s promised: half is 200 s, but at least 300 s must be left, so until 100 s
    assert kept(one=ticket("t", 0, 400, skill="a")) == ("expert_kept", 100)
    assert kept(one=ticket("t", 0, 300, skill="a")) is None


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("the ticket needs an expert", {"one": ticket("t", 0, 1200, skill="a", tier=EXPERT)}),
        ("the agent is no expert", {"agent": Agent("s", SENIOR, {"a": 3, "b": 3})}),
        ("the desk has no work that needs an expert", {"kinds": {("b", SENIOR)}}),
        ("its expert work is none of hers", {"kinds": {("c", EXPERT)}}),
        ("another free expert does that work", {"others_free": [Agent("e", EXPERT, {"b": 1})]}),
        ("something else waits for her", {"others_wait": True}),
        ("nobody of a lower grade could do it", {"on_duty": [ANNA]}),
        ("her duty ends before", {"leaves_at": 600 * SECOND}),
        ("the policy keeps nobody", {"policy": Fifo()}),
    ],
)
def test_the_last_expert_is_not_kept_when(why, change):
    assert kept() is not None
    assert kept(**change) is None


def test_another_free_expert_of_other_work_does_not_release_her():
    assert kept(others_free=[Agent("e", EXPERT, {"c": 1})]) == ("expert_kept", 600)


def test_expert_work_that_waits_does_not_release_the_expert_for_lesser_work():
    assert kept(expert_work_waits=True) == ("expert_kept", 600)
    assert kept(others_wait=True, expert_work_waits=True) == ("expert_kept", 600)
    assert kept(expert_work_waits=True, at=600) is None  # the slack of the lesser is gone


# The last free agent, and a caller who was due at 60 s.

CALLER = ticket("caller", 0, 60, skill="a")
FOUR = [Agent(f"o{i}", ORDINARY, {"a": 3}) for i in range(4)]


def held(**change):
    world = {"one": CALLER, "agent": FOUR[0], "at": 61, "kinds": set(), "on_duty": FOUR}
    return kept(**(world | change))


def test_the_last_free_agent_is_kept_from_a_late_caller_for_a_while():
    # 60 + 600
    assert held() == ("agent_kept", 660)
    assert held(at=659.9) == ("agent_kept", 660)
    assert held(at=660) is None


def test_of_six_who_may_take_a_late_call_two_stay_free():
    on_duty = [Agent(f"o{i}", ORDINARY, {"a": 3}) for i in range(20)]
    for number, kept_free in ((4, 1), (5, 1), (6, 2), (20, 2)):
        some = {"on_duty": on_duty[:number]}
        assert held(others_free=on_duty[1:kept_free], **some) == ("agent_kept", 660)
        assert held(others_free=on_duty[1 : kept_free + 1], **some) is None


def test_the_last_free_agent_is_kept_until_a_moment_before_her_duty_ends():
    # the duty ends at 300: whoever takes the call a second before finishes it after the duty
    assert held(leaves_at=300 * SECOND) == ("agent_kept", 299)
    assert held(leaves_at=300 * SECOND, at=299) is None
    assert held(leaves_at=661 * SECOND) == ("agent_kept", 660)


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("the caller is still winnable", {"at": 60}),
        ("three on duty are too few", {"on_duty": FOUR[:3]}),
        ("somebody else is free for the next caller", {"others_free": [FOUR[1]]}),
        ("the promise is a long one", {"one": ticket("t", 0, 121, skill="a"), "at": 122}),
        ("it is urgent: late by more than 4 × 50 s", {"policy": Deadline(cap_per_agent_s=50),
                                                    "at": 261}),
        ("the duty is about to end", {"leaves_at": 62 * SECOND}),
        ("the policy keeps nobody", {"policy": Fifo()}),
    ],
)  # fmt: skip
def test_the_last_free_agent_is_not_kept_when(why, change):
    assert held() is not None
    assert held(**change) is None


def test_a_promise_is_counted_from_the_opening():
    # opened at 1000, promised within just 120 s: still a short promise, due at 1120 instead of 60
    late = ticket("caller", 1000, 120, skill="a")
    assert held(one=late, at=1121) == ("agent_kept", 1120 + held()[1] - 60)


def test_one_free_for_other_work_only_does_not_release_the_last():
    assert held(others_free=[Agent("b", ORDINARY, {"b": 3})]) == ("agent_kept", 660)


# Whoever is alone on duty for some kind of work, and a caller who is due at 60 s.


def spared(**change):
    return held(**({"alone": True, "at": 10} | change))


def test_who_is_alone_for_some_work_is_kept_from_what_others_may_take_in_time():
    assert spared() == ("alone_kept", 60)
    assert spared(at=59.9) == ("alone_kept", 60)
    assert spared(others_free=[FOUR[1]]) == ("alone_kept", 60)
    # late: 60 + 600, others free or not
    assert spared(at=60.1) == ("alone_kept", 660)
    assert spared(at=659.9, others_free=[FOUR[1]]) == ("alone_kept", 660)
    assert spared(at=660) is None
    # until a moment before her duty ends
    assert spared(leaves_at=40 * SECOND) == ("alone_kept", 39)


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("somebody else does all her work too", {"alone": False}),
        ("it is due now: started at once it is in time", {"at": 60}),
        ("three on duty are too few", {"on_duty": FOUR[:3]}),
        ("the promise is a long one", {"one": ticket("t", 0, 121, skill="a")}),
        ("the duty is about to end", {"leaves_at": 11 * SECOND}),
        ("the policy keeps nobody", {"policy": Fifo()}),
        ("it is urgent: late by more than 4 × 50 s", {"policy": Deadline(cap_per_agent_s=50),
                                                    "at": 261}),
    ],
)  # fmt: skip
def test_who_is_alone_for_some_work_is_not_kept_when(why, change):
    assert spared() is not None
    assert spared(**change) is None


def test_the_fewer_may_take_a_ticket_the_lower_its_cap():
    late, winnable = ticket("late", 0, 60), ticket("winnable", 300, 600)
    # late since 60; one agent: 60 + 250 = 310; two: 560
    assert turns(Deadline(), [late, winnable], at=311, cover=1) == ["late", "winnable"]
    assert turns(Deadline(), [late, winnable], at=310, cover=1) == ["winnable", "late"]
    assert turns(Deadline(), [late, winnable], at=311, cover=2) == ["winnable", "late"]
    # nine agents: 1100, not 2250
    assert turns(Deadline(), [late, ticket("w", 900, 600)], at=1161, cover=9) == ["late", "w"]
    assert turns(Deadline(), [late, ticket("w", 900, 600)], at=1160, cover=9) == ["w", "late"]


def test_rings_open_one_after_another_as_the_deadline_nears():
    policy = Deadline(rings=[Ring(0.1, 1, tiers_below=1), Ring(0.5, proficiency=3)])
    one = ticket("t", 0, 1000, tier=SENIOR, proficiency=5)

    def needs(at: float) -> tuple[int, int]:
        now = widened(policy, one, int(at * SECOND))
        return now.proficiency, now.tier

    # half of 1000 s is left at 500, a tenth at 900
    assert [needs(at) for at in (499, 500, 899, 900)] == [
        (5, SENIOR), (3, SENIOR), (3, SENIOR), (1, ORDINARY),
    ]  # fmt: skip
    # opened at 4000: half of its 1000 s is left at 4500
    after = ticket("after", 4000, 1000, tier=SENIOR, proficiency=5)
    assert widened(policy, after, 4499 * SECOND) is after
    assert widened(policy, after, 4500 * SECOND).proficiency == 3
    assert widened(Fifo(), one, 999 * SECOND) is one
    low = ticket("low", 0, 1000, proficiency=2)
    assert widened(policy, low, 950 * SECOND).tier == ORDINARY  # never below the lowest
    assert widened(policy, low, 600 * SECOND) is low  # three asks for no more than two


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (((SENIOR, 2), 0), "lowest_tier"),
        (((SENIOR, 3), 0), "lowest_tier"),  # more skills as well, but the tier comes first
        (((ORDINARY, 3), 0), "fewest_skills"),
        (((ORDINARY, 2), 1), "least_in_hand"),
        (((ORDINARY, 2), 0), "longest_idle"),
    ],
)
def test_what_sets_the_chosen_agent_apart_from_the_next(other, reason):
    assert contrast(((ORDINARY, 2), 0), other) == reason


def test_every_reason_has_words_in_both_languages():
    for code, (english, chinese) in TEXTS.items():
        numbers = {"n": 3} if "{n}" in english else {}
        assert Reason(code, numbers).text("en") != Reason(code, numbers).text("zh")
        assert ("{n}" in english) == ("{n}" in chinese)
    assert Reason("free", {"n": 2}).text("zh") == "有空余容量 2 人"
    codes = {POLICIES[name]().turn(band) for name in ("fifo", "priority") for band in (0,)}
    codes |= {Deadline().turn(band) for band in (-1, 0, 1)}
    assert codes <= set(TEXTS)
