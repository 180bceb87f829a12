"""The reference names every command, option and setting, and none that does not exist."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from wfm.cli.main import COMMANDS, wfm
from wfm.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PUBLIC_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def sections(page: str) -> dict[str, str]:
    """The text under each heading that names a command, as in ``### `wfm db backup```."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    parts = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {
        heading.strip("` "): body
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
        if heading.startswith("`wfm ")
    }


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with what one types to reach it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from commands(child, f"{path} {name}")


def options(command: click.Command) -> set[str]:
    return {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_is_described_with_its_options(name: str) -> None:
    described = sections("commands.md")
    top = wfm.get_command(click.Context(wfm), name)
    assert top is not None
    existing = dict(commands(top, f"wfm {name}"))
    listed = {path for path in described if path.split()[1] == name}
    assert listed == set(existing)
    for path, command in existing.items():
        assert set(PUBLIC_OPTION.findall(described[path])) == options(command), path


def test_each_setting_is_described() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(WFM_\w+)` \|", text, flags=re.MULTILINE))
    assert rows == {setting.metadata["variable"] for setting in fields(Settings)}


def test_each_default_is_the_one_described() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `(WFM_\w+)` \| `?([^|`]*)`? \|", text, flags=re.MULTILINE))
    words = {"": "empty", "False": "no", "True": "yes"}
    for setting in fields(Settings):
        default = str(setting.default)
        assert shown[setting.metadata["variable"]].strip() == words.get(default, default)
