"""`wfm demo`: the sample desk, the whole circle, and then the pages."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfm.cli.output import percent, print_json, print_table
from wfm.settings import Settings

if TYPE_CHECKING:
    from wfm.services.demo import Figures

DEFAULT_SEED = 2026


@click.command()
@click.option("--once", is_flag=True, help="Stop before serving.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to serve on.")
@click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
def demo(once: bool, port: int | None, seed: int, as_json: bool) -> None:
    """Build the sample desk in a fresh database, run the circle and serve it.

    Example: wfm demo --once --json
    """
    from wfm.db import open_engine, upgrade
    from wfm.services.demo import PRESENT, run

    settings = Settings.from_environment()
    settings = replace(settings, database_url="", data_dir=settings.data_dir / "demo")
    _start_afresh(settings.data_dir)
    engine = open_engine(settings)
    upgrade(engine)
    started = time.perf_counter()

    def tell(what: str) -> None:
        click.echo(f"{time.perf_counter() - started:6.1f} s  {what} …", err=True)

    figures = run(engine, settings, seed, tell)
    engine.dispose()
    if as_json:
        print_json(asdict(figures))
    else:
        _print(figures)
    if once:
        return
    from wfm.cli.serve import serve_pages
    from wfm.instants import OFFSET_VARIABLE

    # the sample lives on fixed dates; its clock starts at its own present
    os.environ[OFFSET_VARIABLE] = str(PRESENT.timestamp() - time.time())
    # everybody may try the sample desk without a phone; a desk of one's own keeps the default
    os.environ["WFM_SECOND_FACTOR"] = "no"
    address = f"http://{settings.host}:{port or settings.port}"
    click.echo(f"\nThe desk is open at {address} (Ctrl+C ends it)", err=as_json)
    sys.stdout.flush()
    serve_pages(settings, port=port)


def _start_afresh(folder: Path) -> None:
    """A fresh database each time; a server still running on the old one is stopped first."""
    if not folder.exists():
        return
    from wfm.embedded import stop

    stop(folder)
    shutil.rmtree(folder)


def _print(figures: Figures) -> None:
    def grades(counts: dict[str, int]) -> str:
        return ", ".join(f"{count} {grade}" for grade, count in counts.items())

    bound = "unknown" if figures.roster_bound is None else f"{figures.roster_bound:,}"
    rows = [
        ("tickets 工单", f"{figures.tickets:,} with {figures.events:,} events"),
        ("grades before 原级别", grades(figures.grades_before)),
        ("grades after 现级别", grades(figures.grades_after)),
        ("proposals 评定", grades(figures.moves)),
        ("demand 需求", f"{figures.contacts_expected:,.0f} contacts; error per half-hour "
         f"{percent(figures.forecast_wape)} (last week again: {percent(figures.naive_wape)})"),
        ("requirement 人力", f"{figures.required_person_hours:,.0f} person-hours"),
        ("cover 覆盖", f"{percent(figures.covered_share)} of them; cost {figures.roster_cost:,}, "
         f"bound {bound}; hard rules broken: {figures.hard_violations}"),
        ("holiday posts 节日岗位", f"{figures.posts_filled} of {figures.posts} filled; burden "
         f"spread {figures.burden_spread[0]} before, {figures.burden_spread[1]} after"),
        ("promises kept 按时响应", f"{percent(figures.promises_kept)} "
         f"[{percent(figures.promises_low)}, {percent(figures.promises_high)}], "
         f"agreed {percent(figures.agreed_share, 0)}"),
        ("seconds 用时", ", ".join(f"{k} {v}" for k, v in figures.seconds.items())
         + f"; {sum(figures.seconds.values()):.0f} in all"),
    ]  # fmt: skip
    print_table(("", f"sample desk, seed {figures.seed}"), rows)
    click.echo()
    print_table(("role 角色", "account 账号", "password 密码"), figures.sign_ins)
