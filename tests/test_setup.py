"""What a fresh machine lacks is said in one line; nothing here installs anything."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "make", "dirname", "test", "sed", "expand")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Run:
    """A copy of what sets up, run where only the tools of a bare machine are found."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "scripts" / "setup", tmp_path / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).touch()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for tool in TOOLS:
        (bin_folder / tool).symlink_to(shutil.which(tool) or tool)

    def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={"PATH": str(bin_folder), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_without_python_the_way_to_one_is_told(machine: Run) -> None:
    result = machine("scripts/setup")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "no Python 3.11 or newer" in result.stderr


def test_a_python_too_old_counts_as_none(machine: Run, tmp_path: Path) -> None:
    old = f'exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 99); $2"'
    script(tmp_path / "bin" / "python3", old)
    assert "no Python 3.11 or newer" in machine("scripts/setup").stderr


def test_a_dead_shim_is_passed_over_for_a_living_python(machine: Run, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "python3", "exit 127")
    script(
        tmp_path / "bin" / "python3.12",
        f'case "$2" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@"',
    )
    result = machine("scripts/setup")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "python3.12 has no venv; install it" in result.stderr
    assert "apt-get install python3-venv" in result.stderr


@pytest.fixture
def installed(machine: Run, tmp_path: Path) -> Run:
    """The same machine once set up, with a pytest that only repeats its arguments."""
    script(tmp_path / ".venv" / "bin" / "pytest", 'echo "pytest $*"')
    for name in ("pyproject.toml", "requirements.lock"):
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".venv" / "complete").touch()
    return machine


def test_without_chromium_browser_tests_are_left_out_and_said_to_be(installed: Run) -> None:
    result = installed("make", "test")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].endswith("-m not browser")
    assert len(result.stderr.splitlines()) == 1
    assert "apt-get install chromium" in result.stderr


def test_where_changes_are_judged_a_missing_chromium_is_a_failure(installed: Run) -> None:
    result = installed("make", "test", CI="true")
    assert result.returncode != 0
    assert "pytest" not in result.stdout


def test_with_chromium_all_tests_run(installed: Run, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "chromium", "")
    result = installed("make", "test", CI="true")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "not browser" not in result.stdout


def test_help_lists_every_target(machine: Run) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = text.partition(".PHONY:")[2].splitlines()[0].split()
    listed = [line.split()[1] for line in machine("make").stdout.splitlines()]
    assert sorted(listed) == sorted(targets)
