"""Habits of the house that a reviewer should not have to look for."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ROOMS = ("grading", "scheduler", "wfm", "web")
LONGEST = 400
LONGER = {}  # path: why it stays in one piece

# The brackets keep these patterns from finding themselves.
INDEX_ADDRESS = re.compile(
    r"py[p]i\.(org|python)|pythonhoste[d]|index[-_]ur[l]|find[-_]link[s]|/simple/?\""
)
ONE_MACHINE = re.compile(r"(?<![\w.\-])/(root|work|Users|home/[a-z]\w*)/")
PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)((?: ;[^\\\n]*)?) ((?:\\\n    --hash=sha256:[0-9a-f]{64} ?)+)$", re.M
)


def listed() -> list[str]:
    """The files under version control; of an unpacked archive, all that are not hidden."""
    try:
        command = ["git", "ls-files", "-z"]
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=120
        )
        return [name for name in run.stdout.split("\0") if name]
    except (FileNotFoundError, subprocess.CalledProcessError):
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return [path.as_posix() for path in paths if not re.search(r"(^|/)[._]", path.as_posix())]


@cache
def tracked() -> dict[str, str]:
    """Path and text of every text file under version control."""
    texts = {}
    for name in listed():
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # pictures and packed data; files deleted but not committed yet
    return texts


@cache
def code_of_the_rooms() -> dict[str, str]:
    return {
        path: text
        for path, text in tracked().items()
        if path.endswith(".py") and path.split("/")[0] in ROOMS
    }


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lock() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_no_file_is_longer_than_a_room_should_be() -> None:
    lengths = {path: len(text.splitlines()) for path, text in code_of_the_rooms().items()}
    too_long = {
        path for path, lines in lengths.items() if lines > LONGEST and "/versions/" not in path
    }
    assert too_long == set(LONGER)


def test_no_file_names_a_package_index_or_one_machine() -> None:
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in tracked().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if INDEX_ADDRESS.search(line) or ONE_MACHINE.search(line)
    ]
    assert found == []


def test_the_lock_has_hashes_and_no_addresses() -> None:
    text = lock()
    assert not re.search(r"https?://|file:|git\+|^-", text, flags=re.M)
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(PIN.findall(text)) > 0


def test_the_lock_covers_what_the_project_asks_for() -> None:
    # a package may be pinned more than once, for different platforms
    pinned: dict[str, list[str]] = {}
    for name, version, *_ in PIN.findall(lock()):
        pinned.setdefault(canonicalize_name(name), []).append(version)
    asked = [*project()["project"]["dependencies"], *project()["dependency-groups"]["dev"]]
    for requirement in map(Requirement, asked):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not locked"
        assert all(map(requirement.specifier.contains, versions)), requirement


def test_every_import_is_asked_for() -> None:
    asked = {
        canonicalize_name(Requirement(text).name) for text in project()["project"]["dependencies"]
    }
    imported = {
        name.split(".")[0]: path
        for path, text in code_of_the_rooms().items()
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    }
    # packages whose import name is not their own, and those another asked-for one always brings
    known = {
        "dateutil": "pandas",
        "js_lib_htmx": "django-js-lib-htmx",
        "markupsafe": "jinja2",
        "multipart": "python-multipart",
        "psycopg_pool": "psycopg",
        "pydantic": "fastapi",
        "sqlalchemy": "sqlmodel",
    }
    for name, path in imported.items():
        if name in sys.stdlib_module_names or name in ROOMS:
            continue
        assert canonicalize_name(known.get(name, name)) in asked, f"{path} imports {name}"


def test_the_walls_stand() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
