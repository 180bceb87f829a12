"""The reference names every command, option and setting, and none that does not exist."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from wfm.cli.main import COMMANDS, wfm
from wfm.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
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


def choices(command: click.Command) -> set[str]:
    """The words one may choose from."""
    return {
        str(choice)
        for parameter in command.params
        if isinstance(parameter.type, click.Choice)
        for choice in parameter.type.choices
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
        assert choices(command) <= set(re.findall(r"`([^`]+)`", described[path])), path
        assert "Example" in (command.help or ""), path


def examples() -> Iterator[tuple[str, str]]:
    """Each command line in a code block of a document, and where it stands."""
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if found := re.match(r"(?:\$ )?(?:\S*/)?wfm (.+)", line):
                    yield f"{page.relative_to(ROOT)}: {line}", found[1]


@pytest.mark.parametrize(("place", "line"), [pytest.param(*e, id=e[0]) for e in examples()])
def test_each_example_uses_what_there_is(place: str, line: str) -> None:
    command: click.Command = wfm
    words = shlex.split(line, comments=True)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, place
        command = found
    assert {word for word in words if word.startswith("--")} <= options(command) | {"--help"}


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
