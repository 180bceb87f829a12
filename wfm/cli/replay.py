"""`wfm replay`: a trace of tickets run through dispatch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfm.cli.output import print_json, print_table
from wfm.dispatch.policy import POLICIES
from wfm.dispatch.reasons import TEXTS

if TYPE_CHECKING:
    from wfm.dispatch.report import Report, Share

FILE = click.Path(path_type=Path)


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
@click.option("--out", type=FILE, required=True, help="Decisions, one row per ticket.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def replay(
    tickets: Path, agents: Path, duty: Path, policy: str, timezone: str, out: Path, as_json: bool
) -> None:
    """Run a trace of tickets through dispatch.

    Nobody starts a ticket outside a duty; one in hand at its end is finished first.

    \b
    Example:
      wfm replay --tickets tickets.csv --agents agents.csv --duty duty.csv \\
          --policy deadline --timezone Asia/Shanghai --out decisions.csv
    """
    from wfm.dispatch.replay import run
    from wfm.dispatch.report import report
    from wfm.files import write_whole
    from wfm.importing.columns import zone
    from wfm.importing.replay_files import decisions_csv, read_replay

    tz = zone(timezone)
    trace, people, duties = read_replay(tickets, agents, duty, tz)
    click.echo(f"{len(trace.tickets)} tickets, {len(people)} agents", err=True)
    decisions = run(trace, people, duties, POLICIES[policy]())
    summary = report(decisions, people, duties)
    write_whole(out, decisions_csv(decisions, tz))
    if as_json:
        print_json({"policy": policy, **_document(summary)})
    else:
        _print(policy, summary)


def _share(share: Share) -> dict[str, Any]:
    return {
        "tickets": share.tickets,
        "served": share.served,
        "met": share.met,
        "share_within_target": share.value,
        "interval": share.interval,
    }


def _document(summary: Report) -> dict[str, Any]:
    return {
        **_share(summary.overall),
        "per_priority": {str(name): _share(share) for name, share in summary.per_priority.items()},
        "per_skill": {name: _share(share) for name, share in summary.per_skill.items()},
        "per_tier": {name: _share(share) for name, share in summary.per_tier.items()},
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
                _percent(share.value),
                " – ".join(map(_percent, share.interval or ())),
            ]
            for name, share in groups
        ],
    )
    click.echo()
    print_table(
        ["figure", "value"],
        [
            *[
                [f"wait {name}, seconds", "–" if value is None else f"{value:.1f}"]
                for name, value in summary.waits.items()
            ],
            ["customers who left", summary.abandoned],
            ["not served", summary.unserved],
            ["utilisation", _percent(summary.utilisation)],
            ["expert time on lower tiers", _percent(summary.expert_lower_share)],
        ],
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
