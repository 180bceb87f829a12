"""Erlang B, C and A against published values, exact arithmetic, and each other."""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyworkforce.queuing import ErlangC as PeerC
from scipy.integrate import quad

from scheduler.demand.queues import agents_needed, erlang_a, erlang_b, erlang_c
from scheduler.errors import SchedulingError

EXACT = 1e-9


def minutes(given: dict[str, Any], stem: str) -> float | None:
    """A time of the reference file in minutes, whatever its unit."""
    if f"{stem}_min" in given:
        return float(given[f"{stem}_min"])
    return given[f"{stem}_s"] / 60 if f"{stem}_s" in given else None


def load_of(given: dict[str, Any], handle: float | None) -> float:
    if "offered" in given:
        return float(given["offered"])
    per_minute = (
        given["arrivals_per_min"]
        if "arrivals_per_min" in given
        else given["arrivals_per_hour"] / 60
        if "arrivals_per_hour" in given
        else given["arrivals"] / (minutes(given, "interval") or math.nan)
    )
    return float(per_minute * (handle or math.nan))


def computed(case: dict[str, Any]) -> float:
    """What we say about one case of the reference file."""
    given, quantity = case["inputs"], case["quantity"]
    handle = minutes(given, "aht") or minutes(given, "service")
    within = minutes(given, "answer_within") or minutes(given, "within")
    load = load_of(given, handle)
    if quantity in {"required_servers", "required_agents", "scheduled_agents"}:
        return needed(case, load, handle, within)
    agents = given.get("agents", given.get("servers"))
    if case["model"] == "ErlangB":
        lossy = erlang_b(load, agents)
        return {
            "blocking": lossy.blocking_probability,
            "ln(blocking)": lossy.log_blocking_probability,
        }[quantity]
    if case["model"] == "ErlangC":
        waiting = erlang_c(load, agents, handle, within)
        values = {
            "waiting_probability": waiting.waiting_probability,
            "ln(waiting_probability)": waiting.log_waiting_probability,
            "service_level": waiting.service_level,
            "ASA_s": (waiting.mean_wait_min or 0) * 60,
            "wait_p90_s": (waiting.wait_p90_min or 0) * 60,
        }
    else:
        assert handle is not None
        patience = minutes(given, "patience")
        assert patience is not None
        leaving = erlang_a(load, agents, handle, patience, within)
        values = {
            "abandonment_probability": leaving.abandonment_probability,
            "waiting_probability": leaving.waiting_probability,
            "mean_wait_all_s": leaving.mean_wait_min * 60,
            "P(served within t)/arrivals": leaving.service_level,
        }
    value = values[quantity]
    assert value is not None
    return value


def needed(case: dict[str, Any], load: float, handle: float | None, within: float | None) -> float:
    limits = {
        "SL>=0.8, occupancy<=0.85": (0.8, 0.85),
        "SL>=0.90": (0.9, None),
        "SL>=0.80": (0.8, None),
        "blocking<=0.02": (0.98, None),
    }
    level, occupancy = limits[case["inputs"]["target"]]
    agents = agents_needed(
        "b" if case["model"] == "ErlangB" else "c",
        load,
        target_service_level=level,
        max_occupancy=occupancy,
        within_min=within or 0.0,
        handle_min=handle,
    )
    return math.ceil(agents / (1 - case["inputs"].get("shrinkage", 0)))


def test_reference_values(shared: Path) -> None:
    cases = json.loads((shared / "reference" / "erlang_values.json").read_text("utf-8"))["values"]
    wrong = [
        (case["model"], case["quantity"], case["inputs"], computed(case), case["exact"])
        for case in cases
        if computed(case) != pytest.approx(float(case["exact"]), rel=EXACT)
    ]
    assert len(cases) > 40
    assert wrong == []


def test_one_line_blocks_half_of_one_erlang() -> None:
    # B(1, a) = a / (1 + a) = 1/2; carried 1/2 erlang by one line
    lossy = erlang_b(1.0, 1)
    assert lossy.blocking_probability == lossy.service_level == lossy.occupancy == 0.5


def test_two_agents_one_erlang() -> None:
    # B(2, 1) = (1/2) / (1 + 1 + 1/2) = 1/5; C = 2·(1/5) / (2 - 1·(4/5)) = 1/3
    # of those who wait: 6 min / (2 - 1) = 6 min; of all: 2 min; queue = 1/3 · 1 / (2 - 1) = 1/3
    # within 6 min: 1 - 1/3 · e^-1
    queue = erlang_c(1.0, 2, handle_min=6, within_min=6)
    assert queue.waiting_probability == pytest.approx(1 / 3, rel=1e-15)
    assert queue.mean_wait_of_waiting_min == 6
    assert queue.mean_wait_min == pytest.approx(2)
    assert queue.mean_queue_length == pytest.approx(1 / 3)
    assert queue.service_level == pytest.approx(1 - math.exp(-1) / 3)
    assert queue.occupancy == 0.5
    # 1/3 · e^(-t/6) = 1/10 at t = 6 ln(10/3)
    assert queue.wait_p90_min == pytest.approx(6 * math.log(10 / 3))


def test_one_agent_with_customers_as_quick_to_leave_as_to_be_served() -> None:
    # n = 1, patience = handle time: M/M/∞ in disguise, k present with weight a^k / k!, a = 1.
    # P(wait) = 1 - 1/e; busy = 1 - 1/e, so served/arrivals = (1 - 1/e) / 1, lost = 1/e
    # queue = E[k] - busy = 1 - (1 - 1/e) = 1/e
    queue = erlang_a(1.0, 1, handle_min=4, patience_min=4, within_min=0)
    assert queue.waiting_probability == pytest.approx(1 - 1 / math.e, rel=1e-13)
    assert queue.abandonment_probability == pytest.approx(1 / math.e, rel=1e-13)
    assert queue.occupancy == pytest.approx(1 - 1 / math.e, rel=1e-13)
    assert queue.mean_queue_length == pytest.approx(1 / math.e, rel=1e-13)
    assert queue.mean_wait_min == pytest.approx(4 / math.e, rel=1e-13)
    # served at once: 1/e of all, and (1/e) / (1 - 1/e) of those served
    assert queue.service_level == pytest.approx(1 / math.e, rel=1e-13)
    assert queue.service_level_served == pytest.approx(1 / (math.e - 1), rel=1e-13)
    # the offered wait has density 1/e · e^(1 - e^-u - u) at u handle times; served: · e^-u
    waited = quad(lambda u: u * math.exp(-math.exp(-u) - 2 * u), 0, 60)[0]
    assert queue.mean_wait_served_min == pytest.approx(4 * waited / (1 - 1 / math.e), rel=1e-7)


def exact_a(load: Fraction, agents: int, leaving: Fraction) -> tuple[float, float]:
    """Waiting and abandonment by adding up the states in fractions."""
    below = Fraction(1)
    for n in range(1, agents + 1):
        below = 1 + n / load * below
    term, waiting, queue = Fraction(1), Fraction(1), Fraction(0)
    for j in range(1, 400):
        term = Fraction(float(term * load / (agents + j * leaving)))
        waiting += term
        queue += j * term
    total = below + waiting - 1
    return float(waiting / total), float(leaving * queue / load / total)


@pytest.mark.parametrize("load", [0.01, 1.0, 9.5, 40.0])
@pytest.mark.parametrize("agents", [1, 3, 10, 60])
@pytest.mark.parametrize("leaving", [0.2, 1.0, 30.0, 1e6])
def test_impatient_queue_against_the_sum_over_states(
    load: float, agents: int, leaving: float
) -> None:
    queue = erlang_a(load, agents, handle_min=leaving, patience_min=1)
    waiting, lost = exact_a(Fraction(load), agents, Fraction(leaving))
    assert queue.waiting_probability == pytest.approx(waiting, rel=1e-11)
    assert queue.abandonment_probability == pytest.approx(lost, rel=1e-11)


@pytest.mark.parametrize(("load", "agents"), [(8.0, 10), (95.0, 100), (4990.0, 5000)])
def test_endless_patience_is_erlang_c(load: float, agents: int) -> None:
    patient = erlang_c(load, agents, 5, 1)
    nearly = erlang_a(load, agents, 5, 1e15, 1)
    assert nearly.waiting_probability == pytest.approx(patient.waiting_probability, rel=1e-9)
    assert nearly.service_level == pytest.approx(patient.service_level, rel=1e-9)
    assert nearly.mean_wait_min == pytest.approx(patient.mean_wait_min, rel=1e-9)
    assert nearly.mean_queue_length == pytest.approx(patient.mean_queue_length, rel=1e-9)


def test_no_patience_is_erlang_b() -> None:
    lossy, hasty = erlang_b(120, 100), erlang_a(120, 100, 5, 1e-12, 1)
    assert hasty.abandonment_probability == pytest.approx(lossy.blocking_probability, rel=1e-9)
    assert hasty.occupancy == pytest.approx(lossy.occupancy, rel=1e-9)


def test_far_more_work_than_patient_customers_can_have_served() -> None:
    # 10,000 erlangs on 9,000 agents: a tenth must leave, whatever the patience
    queue = erlang_a(10_000, 9_000, 3, 1e9, 0.3)
    assert queue.abandonment_probability == pytest.approx(0.1, rel=1e-9)
    assert queue.occupancy == pytest.approx(1)


def test_a_queue_that_grows_for_ever() -> None:
    queue = erlang_c(10, 10, 3, 0.5)
    assert not queue.stable
    assert (queue.waiting_probability, queue.service_level, queue.occupancy) == (1, 0, 1)
    assert queue.mean_wait_min == queue.mean_queue_length == math.inf
    assert erlang_c(9.99, 10, 3, 0.5).stable


def test_tiny_and_huge_probabilities_keep_their_logarithm() -> None:
    assert erlang_b(5, 2000).blocking_probability == 0
    # Stirling: ln(a^n e^-a / n!) = 2000 ln 5 - 5 - lnΓ(2001)
    expected = 2000 * math.log(5) - 5 - math.lgamma(2001)
    assert erlang_b(5, 2000).log_blocking_probability == pytest.approx(expected, rel=1e-12)
    # a handful of lines under a million million erlangs: served 5/10^12, to all digits
    assert erlang_b(1e12, 5).service_level == pytest.approx(5e-12, rel=1e-9)


@pytest.mark.parametrize("agents", [0, 3])
def test_nobody_arrives(agents: int) -> None:
    assert erlang_b(0, agents).blocking_probability == 0
    assert erlang_c(0, agents, 3, 0).service_level == 1
    assert erlang_a(0, agents, 3, 3, 0).abandonment_probability == 0
    assert agents_needed("c", 0, target_service_level=0.9, handle_min=3) == 0


def test_nobody_is_there() -> None:
    assert erlang_b(2, 0).blocking_probability == 1
    assert erlang_c(2, 0, 3, 9).service_level == 0
    queue = erlang_a(2, 0, 3, 7, 9)
    assert (queue.abandonment_probability, queue.service_level) == (1, 0)
    assert queue.mean_wait_min == 7  # everybody waits out their patience


@pytest.mark.parametrize(
    "call",
    [
        lambda: erlang_b(-1, 2),
        lambda: erlang_b(math.nan, 2),
        lambda: erlang_b(1, 10**8),
        lambda: erlang_c(math.inf, 2),
        lambda: erlang_c(1, 2, within_min=1),
        lambda: erlang_a(1, 2, 0, 1),
        lambda: erlang_a(1, 2, 1, 0),
        lambda: erlang_a(1, 2, 1e-300, 1e300),
        lambda: agents_needed("a", 1, target_service_level=0.5),
        lambda: agents_needed("c", 1, target_service_level=1.0),
        lambda: agents_needed("c", 1, max_occupancy=0),
        lambda: agents_needed("c", 1e9, target_service_level=0.5),
    ],
)
def test_impossible_values_are_refused(call: Any) -> None:
    with pytest.raises(SchedulingError):
        call()


loads = st.floats(0.01, 300)
times = st.floats(0.01, 100)


@settings(max_examples=60, deadline=None)
@given(load=loads, agents=st.integers(1, 350), handle=times, patience=times, within=times)
def test_one_agent_more_is_never_worse(
    load: float, agents: int, handle: float, patience: float, within: float
) -> None:
    rounding = 1e-12
    less, more = erlang_b(load, agents), erlang_b(load, agents + 1)
    assert more.blocking_probability <= less.blocking_probability + rounding
    queue, longer = (
        erlang_c(load, agents + 1, handle, within),
        erlang_c(load, agents, handle, within),
    )
    assert (queue.service_level or 0) >= (longer.service_level or 0) - rounding
    here, there = (erlang_a(load, n, handle, patience, within) for n in (agents, agents + 1))
    assert there.abandonment_probability <= here.abandonment_probability + rounding
    assert (there.service_level or 0) >= (here.service_level or 0) - rounding
    assert there.occupancy <= here.occupancy + rounding


@settings(max_examples=60, deadline=None)
@given(load=loads, spare=st.integers(1, 30), handle=times, patience=times)
def test_losses_lie_between(load: float, spare: int, handle: float, patience: float) -> None:
    agents = math.floor(load) + spare
    lossy, patient = erlang_b(load, agents), erlang_c(load, agents, handle)
    # C = n B / (n - a (1 - B))
    blocked = lossy.blocking_probability
    expected = agents * blocked / (agents - load * (1 - blocked))
    assert patient.waiting_probability == pytest.approx(expected, rel=1e-6)
    leaving = erlang_a(load, agents, handle, patience)
    assert leaving.abandonment_probability <= blocked * (1 + 1e-9)
    assert leaving.waiting_probability <= patient.waiting_probability * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(["b", "c", "a"]),
    load=loads,
    target=st.floats(0.05, 0.999),
    occupancy=st.one_of(st.none(), st.floats(0.3, 1)),
)
def test_agents_needed_is_enough_and_least(
    model: Any, load: float, target: float, occupancy: float | None
) -> None:
    def quality(agents: int) -> tuple[float, float]:
        queue: Any = {
            "b": lambda: erlang_b(load, agents),
            "c": lambda: erlang_c(load, agents, 5, 0.5),
            "a": lambda: erlang_a(load, agents, 5, 2, 0.5),
        }[model]()
        return queue.service_level, queue.occupancy

    def keeps(agents: int, slack: float) -> bool:
        level, busy = quality(agents)
        return level >= target - slack and (occupancy is None or busy <= occupancy + slack)

    agents = agents_needed(
        model, load, target_service_level=target, within_min=0.5, handle_min=5,
        patience_min=2, max_occupancy=occupancy,
    )  # fmt: skip
    assert keeps(agents, 1e-9)
    assert not keeps(agents - 1, -1e-9)


@pytest.mark.parametrize("transactions", [20, 100, 500])
def test_peer_agrees(transactions: int) -> None:
    peer = PeerC(transactions=transactions, aht=3, asa=20 / 60, interval=30, shrinkage=0.3)
    theirs = peer.required_positions(service_level=0.8, max_occupancy=0.85)
    ours = agents_needed(
        "c", transactions / 10, target_service_level=0.8, within_min=20 / 60, handle_min=3,
        max_occupancy=0.85,
    )  # fmt: skip
    assert ours == theirs["raw_positions"]
    queue = erlang_c(transactions / 10, ours, 3, 20 / 60)
    assert queue.waiting_probability == pytest.approx(theirs["waiting_probability"])
    assert queue.service_level == pytest.approx(theirs["service_level"])
