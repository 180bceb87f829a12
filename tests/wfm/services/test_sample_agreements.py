"""The sample's agreements: sealed ones verify, drafts are refused for what is wrong with them."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, select

from wfm.sample import catalogue
from wfm.services import agreement_check, agreement_versions, sample_agreements
from wfm.sla.documents import verify
from wfm.tables import Agreement, Service
from wfm.words import AgreementStatus

TODAY = date(2026, 10, 8)


def put(session: Session) -> dict[tuple[str, int], Agreement]:
    for row in catalogue.services().itertuples():
        session.add(Service(code=row.code, name_en=row.name_en, name_zh=row.name_zh))
    session.flush()
    sample_agreements.add_calendars(session)
    sample_agreements.add_agreements(session, catalogue.services(), catalogue.targets())
    return {(row.code, row.version): row for row in session.exec(select(Agreement))}


def test_what_is_in_force_is_complete_feasible_and_sealed(session: Session) -> None:
    rows = put(session)
    in_force = [row for row in rows.values() if row.status == AgreementStatus.IN_FORCE]
    assert len(in_force) == 12
    for row in in_force:
        assert agreement_versions.open_points(session, row) == [], row.code
        assert agreement_check.infeasible_in(session, row, TODAY) == [], row.code
        assert verify({"document": row.sealed, "seal": row.seal}).ok
    assert len(agreement_check.check(session, rows["SLA-connect", 1], TODAY)) == 4


def test_the_drafts_show_what_is_refused(session: Session) -> None:
    rows = put(session)
    draft = rows["SLA-orders-key", 1]
    found = agreement_versions.open_points(session, draft)
    assert {(gap.code, gap.part) for gap in found} >= {
        ("vague", "provider_duties"), ("empty", "charges")
    }  # fmt: skip
    (checked,) = agreement_check.infeasible_in(session, draft, TODAY)
    assert checked.path_text("en") == "SLA-orders-key resolution: UC-courier 4:00"
    assert checked.path_text("zh") == "SLA-orders-key 解决: UC-courier 4:00"
    assert rows["SLA-protect", 2].status == AgreementStatus.REVIEW
    assert agreement_versions.open_points(session, rows["SLA-protect", 2]) == []
