"""Files handed in through a page: kept until their import has run, then removed.

Each lies in a folder of its own under `uploads` in the data folder, which the workers must see
too (`docs/reference/settings.md`).
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, jobs
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.importing.mapping import adapter_names
from wfm.services import importing
from wfm.settings import Settings
from wfm.tables import Job
from wfm.words import JobStatus

FOLDER = "uploads"
TABLES = (".csv", ".csv.gz", ".tsv", ".txt", ".gz", ".xlsx", ".xlsm")
LONGEST_STEM = 50
LARGEST_MAPPING = 1 << 20
FORM_ROOM = 64 << 10  # what the other fields of the form and its boundaries may take
FORGOTTEN_AFTER_S = 3600
COPIED_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Upload:
    """A file as the browser sent it."""

    name: str
    stream: IO[bytes]


def check_size(actor: Actor, settings: Settings, length: str | None) -> None:
    """Refuse, before anything of it is read, what may not be imported or is too large.

    `length` is what the request says of itself.
    """
    access.require(actor, "imports.run")
    limit = settings.upload_limit_mb
    most = (limit << 20) + LARGEST_MAPPING + FORM_ROOM
    if length is None or not length.isascii() or not length.isdigit():
        raise InputError.of([Fault("the request does not say how large it is", column="file")])
    if int(length) > most:
        raise _too_large(limit << 20, "file")


def ask(
    session: Session,
    actor: Actor,
    settings: Settings,
    file: Upload,
    kind: str,
    *,
    at: datetime,
    adapter: str = "",
    mapping: Upload | None = None,
    dry_run: bool = False,
) -> Job:
    """Keep the file (and one's own mapping file) and put its import on the queue."""
    access.require(actor, "imports.run")
    if adapter and adapter not in adapter_names():
        expected = f"expected one of {', '.join(adapter_names())}"
        raise InputError.of([Fault(expected, column="adapter", value=adapter)])
    if adapter and mapping:
        wrong = "choose an adapter or hand in a mapping file, not both"
        raise InputError.of([Fault(wrong, column="mapping")])
    if not file.name.lower().endswith(TABLES):
        expected = f"expected a table: {', '.join(TABLES)}"
        raise InputError.of([Fault(expected, column="file", value=file.name[:80])])
    root = (settings.data_dir / FOLDER).resolve()
    _sweep(session, root)
    place = root / secrets.token_hex(8)
    place.mkdir(mode=0o700, parents=True)
    try:
        kept = _keep(file, place / safe_name(file.name), settings.upload_limit_mb << 20, "file")
        chosen = adapter
        if mapping:
            chosen = str(_keep(mapping, place / "mapping.toml", LARGEST_MAPPING, "mapping"))
        return importing.ask_import(
            session, actor, kept, kind, at=at, mapping=chosen, dry_run=dry_run,
            file_name=Path(file.name.replace("\\", "/")).name[:200],
        )  # fmt: skip
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def run_job(
    engine: sa.Engine, progress: jobs.Progress, arguments: dict[str, Any]
) -> dict[str, Any]:
    """The worker's part: import, then remove what was handed in; the result has a page."""
    path = Path(arguments["path"])
    if not path.is_file():
        wrong = "this worker does not see the file; give it the WFM_DATA_DIR of the pages"
        raise InputError.of([Fault(wrong, file=arguments.get("file_name") or path.name)])
    try:
        document = importing.run_job(engine, progress, arguments)
    finally:
        if path.parent.parent.name == FOLDER:
            shutil.rmtree(path.parent, ignore_errors=True)
    return document | {"page": f"/imports/{document['run']}"}


def safe_name(name: str) -> str:
    """A file name of plain characters, with the ending that says what the file is."""
    base = name.replace("\\", "/").rpartition("/")[2].lower()
    ending = max((e for e in TABLES if base.endswith(e)), key=len, default="")
    stem = re.sub(r"[^\w-]+", "_", base.removesuffix(ending)).strip("_")[:LONGEST_STEM]
    return (stem or "file") + ending


def _keep(upload: Upload, path: Path, most: int, field: str) -> Path:
    with path.open("xb") as kept:
        while piece := upload.stream.read(COPIED_AT_ONCE):
            if kept.tell() + len(piece) > most:
                raise _too_large(most, field)
            kept.write(piece)
    return path


def _too_large(most: int, field: str) -> InputError:
    wrong = f"larger than {most >> 20} MB; import it with `wfm import`, or in parts"
    return InputError.of([Fault(wrong, column=field)])


def _sweep(session: Session, root: Path) -> None:
    """Remove what no job will read any more: of imports that were cancelled or never asked for."""
    if not root.is_dir():
        return
    alive = session.exec(
        select(Job.arguments).where(
            Job.task == "import", col(Job.status).in_([JobStatus.WAITING, JobStatus.RUNNING])
        )
    )
    needed = {Path(arguments["path"]).parent for arguments in alive}
    for place in root.iterdir():
        age = time.time() - place.stat().st_mtime
        if place not in needed and age > FORGOTTEN_AFTER_S:
            shutil.rmtree(place, ignore_errors=True)
