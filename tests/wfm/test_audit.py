"""The audit chain holds against update, delete, truncate and tampering."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from wfm import audit, instants


def three_entries(session: Session) -> None:
    for number in range(3):
        audit.record(session, instants.now(), "lead", "grade.accept", f"agent {number}", n=number)


def test_an_untouched_chain_verifies(session: Session) -> None:
    three_entries(session)
    assert list(audit.verify(session)) == []


@pytest.mark.parametrize(
    "change",
    [
        "update audit_entry set subject = 'x'",
        "delete from audit_entry",
        "truncate audit_entry",
        "update ticket_event set note = 'x'",
        "delete from grade_decision",
        "truncate dispatch_decision",
    ],
)
def test_the_database_refuses_to_change_appended_facts(session: Session, change: str) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="never changed or removed"):
        session.execute(sa.text(change))


def tamper(session: Session, change: str) -> list[audit.Break]:
    """Change a row behind the triggers' back, as an owner of the database could."""
    three_entries(session)
    session.execute(sa.text("alter table audit_entry disable trigger audit_entry_append_only"))
    session.execute(sa.text(change))
    session.expire_all()
    return list(audit.verify(session))


def test_a_changed_row_is_found(session: Session) -> None:
    breaks = tamper(session, "update audit_entry set subject = 'agent 7' where subject = 'agent 1'")
    assert [b.what for b in breaks] == ["was changed after it was written"]


def test_a_removed_row_is_found(session: Session) -> None:
    breaks = tamper(session, "delete from audit_entry where subject = 'agent 1'")
    assert len(breaks) == 1
    assert "does not follow the entry before it" in breaks[0].what
