"""`wfm replay`: a trace of tickets run through dispatch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfm.cli.output import percent, print_json, print_table
from wfm.dispatch.model import SECOND
from wfm.dispatch.policy import POLICIES
from wfm.dispatch.reasons import TEXTS

if TYPE_CHECKING:
    from wfm.dispatch.report import Report, Share

FILE = click.Path(path_type=Path)
REPLICATIONS = 10


@click.command()
@click.option("--tickets", type=FILE, required=True, help="Tickets with handle_s.")
@click.option("--agents", type=FILE, required=True, help="Agents with grade and skills.")
@click.option("--duty", type=FILE, required=True, help="Duties: agent_id,start,end.")
@click.option(
    "--policy",
    type=click.Choice(sorted(POLICIES)),
    default="deadline",
    show_default=True,
    help="Who gets which ticket.",
)
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    help="Zone of times without an offset, and of the times written.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["recorded", "days", "poisson"]),
    default="recorded",
    show_default=True,
    help="As they came; or drawn from them: whole days, or half-hours as a Poisson process.",
)
@click.option(
    "--replications",
    type=click.IntRange(1, 1000),
    help="How often drawn arrivals are replayed.  [default: 10]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--out", type=FILE, required=True, help="Decisions, one row per ticket.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def replay(
    tickets: Path,
    agents: Path,
    duty: Path,
    policy: str,
    timezone: str,
    arrivals: str,
    replications: int | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Run a trace of tickets through dispatch.

    Nobody starts a ticket outside a duty; one in hand at its end is finished first. With drawn
    arrivals the decisions written, and the figures, are those of the first replication; beside
    them stand the means over all, with 95 % intervals.

    \b
    Example:
      wfm replay --tickets tickets.csv --agents agents.csv --duty duty.csv \\
          --policy deadline --timezone Asia/Shanghai --out decisions.csv
    """
    import numpy as np

    from wfm.dispatch.arrivals import DRAWS
    from wfm.dispatch.replay import run
    from wfm.dispatch.report import report
    from wfm.errors import Fault, InputError
    from wfm.files import check_place, write_whole
    from wfm.importing.columns import zone
    from wfm.importing.replay_files import decisions_csv, read_replay
    from wfm.services.replay_figures import over_replications

    if arrivals == "recorded" and replications not in (None, 1):
        raise click.UsageError("arrivals as recorded are the same in every replication")
    if out.resolve() in {path.resolve() for path in (tickets, agents, duty)}:
        raise InputError.of([Fault("this is a file to read; name another to write", str(out))])
    check_place(out)
    tz = zone(timezone)
    trace, people, duties = read_replay(tickets, agents, duty, tz)
    click.echo(f"{len(trace.tickets)} tickets, {len(people)} agents", err=True)
    if arrivals != "recorded" and not trace.tickets:
        raise InputError.of([Fault("expected tickets to draw from", file=tickets.name)])
    summaries: list[Report] = []
    decided = ""
    for number in range(1 if arrivals == "recorded" else replications or REPLICATIONS):
        drawn = trace
        if arrivals != "recorded":
            drawn = DRAWS[arrivals](trace, tz, np.random.default_rng([seed, number]))
            click.echo(f"replication {number + 1}: {len(drawn.tickets)} tickets", err=True)
        decisions = run(drawn, people, duties, POLICIES[policy]())
        if not summaries:
            decided = decisions_csv(decisions, tz)
        summaries.append(report(decisions, people, duties))
    write_whole(out, decided)
    together = over_replications(summaries) if arrivals != "recorded" else None
    if as_json:
        drawn_as = {"arrivals": arrivals, "seed": seed, "over_replications": together}
        print_json({
            "policy": policy, **_document(summaries[0], tz), **(drawn_as if together else {}),
        })  # fmt: skip
    else:
        _print(policy, summaries[0])
        if together:
            _print_together(together)


def _share(share: Share) -> dict[str, Any]:
    return {
        "tickets": share.tickets,
        "served": share.served,
        "met": share.met,
        "share_within_target": share.value,
        "interval": share.interval,
    }


def _document(summary: Report, zone: tzinfo) -> dict[str, Any]:
    return {
        **_share(summary.overall),
        "per_priority": {str(name): _share(share) for name, share in summary.per_priority.items()},
        "per_skill": {name: _share(share) for name, share in summary.per_skill.items()},
        "per_tier": {name: _share(share) for name, share in summary.per_tier.items()},
        "per_interval": [
            {"from": datetime.fromtimestamp(begin / SECOND, zone).isoformat(), **_share(share)}
            for begin, share in summary.per_interval.items()
        ],
        "waits": summary.waits,
        "abandoned": summary.abandoned,
        "unserved": summary.unserved,
        "utilisation": summary.utilisation,
        "overrun_s": summary.overrun_s,
        "expert_on_lower_tier_s": summary.expert_lower_s,
        "expert_on_lower_tier_share": summary.expert_lower_share,
        "reasons": {
            code: {"tickets": count, "en": TEXTS[code][0], "zh": TEXTS[code][1]}
            for code, count in summary.reasons.items()
        },
    }


def _print(policy: str, summary: Report) -> None:
    groups = [("all", summary.overall)]
    groups += [(f"priority {name}", share) for name, share in summary.per_priority.items()]
    groups += [(f"skill {name}", share) for name, share in summary.per_skill.items()]
    groups += [(f"tier {name}", share) for name, share in summary.per_tier.items()]
    print_table(
        [policy, "tickets", "served", "met", "within target", "95 % interval"],
        [
            [
                name,
                share.tickets,
                share.served,
                share.met,
                percent(share.value),
                " – ".join(map(percent, share.interval or ())),
            ]
            for name, share in groups
        ],
    )
    click.echo()
    print_table(
        ["figure", "value"],
        [
            *[[f"wait {name}, seconds", _seconds(value)] for name, value in summary.waits.items()],
            ["customers who left", summary.abandoned],
            ["not served", summary.unserved],
            ["utilisation", percent(summary.utilisation)],
            ["expert time on lower tiers", percent(summary.expert_lower_share)],
        ],
    )


def _print_together(found: dict[str, Any]) -> None:
    lines: list[tuple[str, dict[str, Any], Callable[[float | None], str]]] = [
        ("all", found["share_within_target"], percent)
    ]
    for part in ("priority", "skill", "tier"):
        lines += [(f"{part} {name}", one, percent) for name, one in found[f"per_{part}"].items()]
    lines += [(f"wait {name}, seconds", one, _seconds) for name, one in found["waits"].items()]
    for name in ("utilisation", "expert_on_lower_tier_share", "abandoned_share"):
        lines.append((name.replace("_", " "), found[name], percent))
    click.echo()
    print_table(
        [f"over {found['replications']} replications", "mean", "95 % interval"],
        [
            [name, told(one["mean"]), f"{told(one['low'])} – {told(one['high'])}"]
            for name, one, told in lines
        ],
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
