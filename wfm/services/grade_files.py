"""Files that go with a decision or an appeal: few kinds, small, never run, always downloaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services.grading import assessment_of, require_for_agent
from wfm.tables import GradeAppeal, GradeAttachment, GradeDecision

LARGEST = 2 << 20
MOST = 5
# what a file must begin with to be what its name says it is
KINDS = {
    ".pdf": ("application/pdf", b"%PDF-"),
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04"),
    ".txt": ("text/plain; charset=utf-8", b""),
    ".csv": ("text/csv; charset=utf-8", b""),
}


@dataclass(frozen=True)
class Handed:
    """A file as the browser sent it."""

    name: str
    stream: IO[bytes]


@dataclass(frozen=True)
class Attached:
    """What a page shows of a file."""

    id: int
    file_name: str
    size: int


def read(files: Sequence[Handed]) -> list[GradeAttachment]:
    """Check files before anything is decided; they are attached afterwards by `attach`.

    Raises
    ------
    InputError
        Too many, too large, empty, or not of a kind that is taken.
    """
    given = [file for file in files if file.name]
    faults: list[Fault] = []
    if len(given) > MOST:
        faults.append(Fault("at most five files at a time", column="files"))
    found = []
    for file in given[:MOST]:
        name = _safe_name(file.name)
        ending = "." + name.rpartition(".")[2].lower()
        content = file.stream.read(LARGEST + 1)
        if problem := _problem(ending, content):
            faults.append(Fault(problem, column="files", value=name))
            continue
        found.append(
            GradeAttachment(
                file_name=name, media_type=KINDS[ending][0], content=content,
                sha256=hashlib.sha256(content).hexdigest(),
            )
        )  # fmt: skip
    if faults:
        raise InputError.of(faults)
    return found


def _problem(ending: str, content: bytes) -> str:
    if ending not in KINDS:
        return "PDF, PNG, JPEG, XLSX, CSV and TXT files are taken"
    if len(content) > LARGEST:
        return "a file may have 2 MB"
    if not content:
        return "this file is empty"
    start = KINDS[ending][1]
    textual = not start
    if not content.startswith(start) or (textual and b"\0" in content):
        return "this file is not what its name says"
    return ""


def _safe_name(name: str) -> str:
    """The last part of a name, of letters, digits, points and hyphens, with its ending."""
    base = name.replace("\\", "/").rpartition("/")[2]
    stem, _, ending = base.rpartition(".")
    return (re.sub(r"[^\w.-]+", "_", stem).strip("._")[:80] or "file") + "." + ending[:8]


def attach(
    session: Session,
    files: Sequence[GradeAttachment],
    *,
    decision: GradeDecision | None = None,
    appeal: GradeAppeal | None = None,
) -> None:
    """Keep checked files with what they belong to."""
    for file in files:
        file.decision_id = decision.id if decision else None
        file.appeal_id = appeal.id if appeal else None
        session.add(file)
    session.flush()


def attached(
    session: Session, decisions: Sequence[int], appeals: Sequence[int]
) -> dict[tuple[str, int], list[Attached]]:
    """The files of these decisions and appeals, by ("decision" or "appeal", number)."""
    found: dict[tuple[str, int], list[Attached]] = {}
    for kind, column, numbers in (
        ("decision", col(GradeAttachment.decision_id), decisions),
        ("appeal", col(GradeAttachment.appeal_id), appeals),
    ):
        for row in session.exec(
            select(GradeAttachment).where(column.in_(numbers)).order_by(col(GradeAttachment.id))
        ):
            number = row.decision_id if kind == "decision" else row.appeal_id
            one = Attached(row.id or 0, row.file_name, len(row.content))
            found.setdefault((kind, number or 0), []).append(one)
    return found


def download(session: Session, actor: Actor, attachment_id: int) -> GradeAttachment:
    """A file, for whoever may see the case it belongs to, and for the agent themselves.

    Raises
    ------
    NotFoundError, AccessDeniedError
    """
    file = session.get(GradeAttachment, attachment_id)
    if file is None:
        raise NotFoundError("there is no such file")
    owner: GradeDecision | GradeAppeal = (
        session.get_one(GradeDecision, file.decision_id)
        if file.decision_id is not None
        else session.get_one(GradeAppeal, file.appeal_id)
    )
    assessment, cycle = assessment_of(session, owner.assessment_id)
    if actor.agent_id is None or actor.agent_id != assessment.agent_id:
        require_for_agent(session, actor, "grades.view", assessment.agent_id, cycle.as_of)
    return file
