"""Versions of the grade policy: kept as written, never changed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from importlib.resources import files

from sqlmodel import Session, select

from grading.errors import GradingError
from grading.policy import GradePolicy as Policy
from grading.policy import load_policy
from wfm.errors import ConflictError, faults_of
from wfm.tables import AssessmentCycle, GradePolicy


def keep_policy(session: Session, text: str, at: datetime) -> GradePolicy:
    """Store a policy version; the same text is stored once.

    Raises
    ------
    InputError
        The policy is wrong; every fault with its line.
    ConflictError
        There is this version already, with another text.
    """
    with faults_of(GradingError):
        policy = load_policy(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    code = f"{policy.name} {policy.version}"
    found = session.exec(select(GradePolicy).where(GradePolicy.code == code)).first()
    if found is None:
        found = GradePolicy(code=code, text=text, sha256=digest, added_at=at)
        session.add(found)
        session.flush()
    elif found.sha256 != digest:
        raise ConflictError(
            "this version of the policy exists with another text; give it a new version"
        )
    return found


@lru_cache(maxsize=16)
def read(text: str) -> Policy:
    """A stored policy; its text never changes, so it is read once."""
    return load_policy(text)


def policy_of(session: Session, cycle: AssessmentCycle) -> Policy:
    """The policy a cycle is assessed by."""
    return read(session.get_one(GradePolicy, cycle.policy_id).text)


def default_policy_text() -> str:
    """The policy shipped with the product."""
    return (files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")


def policy_in_force(session: Session) -> str:
    """The text of the version saved last; the shipped one where none was saved."""
    newest = session.exec(
        select(GradePolicy.text).order_by(
            GradePolicy.added_at.desc(),  # type: ignore[attr-defined]
            GradePolicy.id.desc(),  # type: ignore[union-attr]
        )
    ).first()
    return newest or default_policy_text()
