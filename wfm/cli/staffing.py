"""`wfm staffing`: people needed for a load, by the queueing formulas."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from wfm.cli.output import print_json, print_table
from wfm.errors import Fault, InputError, faults_of

if TYPE_CHECKING:
    from scheduler.demand.queues import Model

REASONS = {
    "handle": "needs --aht-min",
    "within": "needs --within-min",
    "overrun": "as many agents as erlangs or fewer: the queue grows for ever",
    "nobody": "nobody arrives",
}


@click.group()
def staffing() -> None:
    """People needed for a load.

    Example: wfm staffing erlang c --arrivals 100 --interval-min 30 --aht-min 3
    --within-min 0.33 --target-service-level 0.8
    """


@staffing.command()
@click.argument("model", type=click.Choice(["b", "c", "a"], case_sensitive=False))
@click.option("--arrivals", type=float, help="Contacts per interval.")
@click.option("--interval-min", type=float, help="Length of the interval in minutes.")
@click.option("--aht-min", type=float, help="Mean handle time in minutes.")
@click.option("--erlangs", type=float, help="Load, instead of --arrivals.")
@click.option("--agents", type=int, help="People serving.")
@click.option("--within-min", type=float, help="The wait promised, in minutes.")
@click.option("--patience-min", type=float, help="Mean patience in minutes (model a).")
@click.option("--target-service-level", type=float, help="Share to keep, e.g. 0.8.")
@click.option("--max-occupancy", type=float, help="Highest share of time at work, e.g. 0.85.")
@click.option("--shrinkage", type=float, help="Share of paid time not available for work.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def erlang(model: Model, as_json: bool, **options: Any) -> None:
    """Waits, losses and occupancy, or the agents needed for a target.

    MODEL is b (no waiting room: who finds nobody free is lost), c (everybody waits) or
    a (customers leave after a patience; the service level counts those served within
    --within-min over all arrivals).

    \b
    Examples:
      wfm staffing erlang c --arrivals 100 --interval-min 30 --aht-min 3 \\
          --within-min 0.33 --agents 14
      wfm staffing erlang a --erlangs 48 --aht-min 1 --patience-min 2 \\
          --within-min 0.5 --target-service-level 0.8 --json
    """
    _check_usage(model, options)
    _check_values(options)
    result = _answer(model, options)
    if as_json:
        print_json(result)
    else:
        _print_table(result)


def _check_usage(model: str, options: dict[str, Any]) -> None:
    """Refuse combinations that leave the question open or ask it twice."""
    given = {name for name, value in options.items() if value is not None}
    sizing = given & {"target_service_level", "max_occupancy"}
    wrong = [
        message
        for when, message in (
            (not given & {"arrivals", "erlangs"}, "give the load: --arrivals or --erlangs"),
            ({"arrivals", "erlangs"} <= given, "give --arrivals or --erlangs, not both"),
            (
                "arrivals" in given and not {"interval_min", "aht_min"} <= given,
                "--arrivals needs --interval-min and --aht-min",
            ),
            (
                "agents" not in given and not sizing,
                "give --agents, or --target-service-level for the agents needed",
            ),
            (
                "agents" in given and bool(sizing),
                "--agents excludes --target-service-level and --max-occupancy",
            ),
            (model == "a" and "patience_min" not in given, "model a needs --patience-min"),
            (model == "a" and "aht_min" not in given, "model a needs --aht-min"),
            (model != "a" and "patience_min" in given, "--patience-min belongs to model a"),
            (
                model == "c" and "within_min" in given and "aht_min" not in given,
                "--within-min needs --aht-min",
            ),
            (
                model != "b" and "target_service_level" in given and "within_min" not in given,
                "--target-service-level needs --within-min",
            ),
        )
        if when
    ]
    if wrong:
        raise click.UsageError("; ".join(wrong))


LIMITS: dict[str, tuple[float, float, str]] = {
    "arrivals": (0, math.inf, "a number from 0 up"),
    "interval_min": (math.ulp(0), math.inf, "minutes above 0"),
    "aht_min": (math.ulp(0), math.inf, "minutes above 0"),
    "erlangs": (0, math.inf, "a number from 0 up"),
    "agents": (0, math.inf, "a whole number from 0 up"),
    "within_min": (0, math.inf, "minutes from 0 up"),
    "patience_min": (math.ulp(0), math.inf, "minutes above 0"),
    "target_service_level": (0, math.nextafter(1, 0), "a share from 0 to below 1, such as 0.8"),
    "max_occupancy": (math.ulp(0), 1, "a share above 0 up to 1, such as 0.85"),
    "shrinkage": (0, math.nextafter(1, 0), "a share from 0 to below 1, such as 0.3"),
}


def _check_values(options: dict[str, Any]) -> None:
    faults = []
    for name, (low, high, expected) in LIMITS.items():
        value = options[name]
        if value is not None and not (low <= value <= high and math.isfinite(value)):
            option = "--" + name.replace("_", "-")
            faults.append(Fault(f"{option}: expected {expected}", value=str(value)))
    if faults:
        raise InputError.of(faults)


def _answer(model: Model, options: dict[str, Any]) -> dict[str, Any]:
    """Inputs, agents and every quantity; what cannot be given is null, with its reason."""
    from scheduler.demand.queues import agents_needed
    from scheduler.demand.staffing import people_scheduled
    from scheduler.errors import SchedulingError

    handle, within, patience = (options[k] for k in ("aht_min", "within_min", "patience_min"))
    load = options["erlangs"]
    if load is None:
        load = options["arrivals"] * handle / options["interval_min"]
    with faults_of(SchedulingError):
        agents = options["agents"]
        if agents is None:
            agents = agents_needed(
                model,
                load,
                target_service_level=options["target_service_level"],
                within_min=within or 0.0,
                handle_min=handle,
                patience_min=patience,
                max_occupancy=options["max_occupancy"],
            )
        quantities = _quantities(model, load, agents, handle, within, patience)
    result: dict[str, Any] = {
        "model": model,
        "inputs": {name: value for name, value in options.items() if value is not None},
        "offered": load,
        "agents": agents,
    }
    if options["agents"] is None:
        result["required_servers" if model == "b" else "required_agents"] = agents
    if options["shrinkage"] is not None:
        result["scheduled_agents"] = people_scheduled(agents, options["shrinkage"])
    reasons = {
        name: _reason(name, value, handle)
        for name, value in quantities.items()
        if value is None or not math.isfinite(value)
    }
    result |= {name: None if name in reasons else value for name, value in quantities.items()}
    result["reasons"] = reasons
    return result


def _quantities(
    model: Model,
    load: float,
    agents: int,
    handle: float | None,
    within: float | None,
    patience: float | None,
) -> dict[str, float | None]:
    """Every quantity of the model, under the names of our own and of published tables."""
    from scheduler.demand.queues import erlang_a, erlang_b, erlang_c

    if model == "b":
        lossy = asdict(erlang_b(load, agents))
        return _renamed(lossy, {"log_blocking_probability": "ln(blocking)"}) | {
            "blocking": lossy["blocking_probability"]
        }
    if model == "c":
        waiting = asdict(erlang_c(load, agents, handle, within))
        return _renamed(waiting, {"log_waiting_probability": "ln(waiting_probability)"}) | {
            "ASA_s": _seconds(waiting["mean_wait_min"]),
            "wait_p90_s": _seconds(waiting["wait_p90_min"]),
        }
    assert handle is not None
    assert patience is not None
    leaving = asdict(erlang_a(load, agents, handle, patience, within))
    return _renamed(leaving, {}) | {
        "mean_wait_all_s": _seconds(leaving["mean_wait_min"]),
        "P(served within t)/arrivals": leaving["service_level"],
    }


def _renamed(fields: dict[str, Any], names: dict[str, str]) -> dict[str, float | None]:
    left_out = {"load", "agents", "stable"}
    return {names.get(key, key): fields[key] for key in fields if key not in left_out}


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60


def _reason(name: str, value: float | None, handle: float | None) -> str:
    # of all quantities only the logarithm of 0 is infinite downwards
    if value is None:
        waits = handle is None and not name.startswith("service_level")
        return REASONS["handle" if waits else "within"]
    return REASONS["nobody" if value < 0 else "overrun"]


def _print_table(result: dict[str, Any]) -> None:
    click.echo(f"Erlang {result['model'].upper()}, {result['offered']:.6g} erlangs")
    skipped = {"model", "inputs", "offered", "reasons"}
    rows = {name: value for name, value in result.items() if name not in skipped}
    print_table(
        ["quantity", "value"],
        [
            (name, f"– ({result['reasons'][name]})" if value is None else f"{value:.6g}")
            for name, value in rows.items()
        ],
    )
