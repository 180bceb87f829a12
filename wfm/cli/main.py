"""The command `wfm`: the one point where errors become messages and exit codes.

Commands are imported only when called, so that `wfm --help` is quick: pandas, OR-Tools and
SQLModel each take seconds to import.
"""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from wfm.errors import TierdeskError

COMMANDS = {
    "account": "wfm.cli.account",
    "db": "wfm.cli.database",
    "demo": "wfm.cli.demo",
    "doctor": "wfm.cli.doctor",
    "grade": "wfm.cli.grade",
    "import": "wfm.cli.importing",
    "loop": "wfm.cli.loop",
    "replay": "wfm.cli.replay",
    "roster": "wfm.cli.roster",
    "serve": "wfm.cli.serve",
    "sla": "wfm.cli.sla",
    "staffing": "wfm.cli.staffing",
    "worker": "wfm.cli.serve",
}
SUMMARIES = {
    "account": "Make the first account; let somebody in again.",
    "db": "Migrate, back up, restore and verify the database.",
    "demo": "Build the sample desk, run the whole circle and serve it.",
    "doctor": "Check this installation and name a remedy for each fault.",
    "grade": "Grade agents from files.",
    "import": "Import records from CSV or XLSX.",
    "loop": "Solve and replay in rounds until promises are kept.",
    "replay": "Run a trace of tickets through dispatch.",
    "roster": "Solve, verify, repair and explain rosters.",
    "serve": "Serve the pages, with one job worker.",
    "sla": "Service-level clocks and sealed agreements.",
    "staffing": "People needed for a load.",
    "worker": "Run a job worker.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        name = {"import": "import_"}.get(cmd_name, cmd_name)
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tierdesk", prog_name="wfm")
def wfm() -> None:
    """Workforce management for tiered customer service.

    Example: wfm demo
    """


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        result = wfm.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as leave:
        return int(leave.exit_code)
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    except TierdeskError as error:
        for line in error.lines():
            click.echo(line, err=True)
        return error.exit_code
    except BrokenPipeError:
        # the reader of our output has gone; let the interpreter exit without a second complaint
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # the machine's own refusals: a disk that is full, a name too long, a folder gone
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"{place}{error.strerror or error}", err=True)
        return 1
    return result if isinstance(result, int) else 0


def main() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # half a character from a file, or a narrow console, must not end in a stack trace
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run())
