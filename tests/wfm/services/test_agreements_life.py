"""An agreement from its draft to its seal, and what the database refuses afterwards."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, InputError
from wfm.sample import catalogue
from wfm.services import (
    agreement_check,
    agreement_drafts,
    agreement_facts,
    agreement_people,
    agreement_seals,
    agreement_versions,
    sample_agreements,
    service_catalogue,
    service_reports,
)
from wfm.services.agreement_check import targets_of
from wfm.services.agreement_drafts import TargetInput
from wfm.services.agreement_versions import AgreementRefusal
from wfm.sla.documents import PARTS, seal_of, verify
from wfm.tables import Agreement, AgreementTarget, Customer, Service, Ticket, TicketEvent
from wfm.words import AgreementKind, AgreementStatus, EventKind, Metric, Role

AT = datetime(2026, 10, 8, 2, tzinfo=UTC)
TODAY = date(2026, 10, 8)
ZONE = "Asia/Shanghai"
MANAGER = Actor("mia", roles={Role.SERVICE_MANAGER: None})
AUDITOR = Actor("aud", roles={Role.AUDITOR: None})
TEXT = "Within 30 minutes in 95 % of the tickets of a month."
TARGETS = [TargetInput("first_response", 30, "minute", "desk", "ticket events"),
           TargetInput("resolution", 8, "hour", "desk", "ticket events", share=0.95)]  # fmt: skip


@pytest.fixture
def sample(session: Session) -> Session:
    for row in catalogue.services().itertuples():
        session.add(Service(code=row.code, name_en=row.name_en, name_zh=row.name_zh))
    session.add(Customer(code="C1", name="Blue Harbour"))
    session.flush()
    sample_agreements.add_calendars(session)
    sample_agreements.add_agreements(session, catalogue.services(), catalogue.targets())
    return session


def refused(act: object) -> str:
    with pytest.raises(AgreementRefusal) as caught:
        act()  # type: ignore[operator]
    assert set(caught.value.texts) == {"en", "zh"}
    return caught.value.reason


def drafted(session: Session, code: str = "SLA-new", **values: object) -> int:
    made = agreement_drafts.draft(session, MANAGER, code, AgreementKind.SLA, AT, "access")
    agreement_drafts.edit(
        session, MANAGER, made.id, AT, language="en",
        values={"provider": "Desk", "receiver": "Sales", **values},
        parts={part.code: TEXT for part in PARTS},
    )  # fmt: skip
    agreement_drafts.set_targets(session, MANAGER, made.id, TARGETS, AT)
    return made.id


def signed(session: Session, agreement_id: int, first: date = TODAY) -> Agreement:
    agreement_versions.submit(session, MANAGER, agreement_id, AT, TODAY)
    agreement_versions.review(session, AUDITOR, agreement_id, AT, passes=True)
    for party, name in (("provider", "Lin Xiao"), ("receiver", "Zhao Ming")):
        agreement_versions.sign(session, MANAGER, agreement_id, party, name, AT, TODAY, first)
    return agreement_versions.find(session, agreement_id)


def test_from_draft_to_seal(sample: Session) -> None:
    key = drafted(sample)
    row = signed(sample, key)
    assert row.status == AgreementStatus.IN_FORCE
    export = json.loads(json.dumps(agreement_versions.export(sample, AUDITOR, key)))
    assert verify(export, row.seal).ok
    written = select(audit.AuditEntry).order_by(col(audit.AuditEntry.id))
    actions = [entry.action for entry in sample.exec(written).all()]
    assert actions[-1] == "agreement.seal"
    assert actions.count("agreement.sign") == 2


def test_an_incomplete_draft_is_not_submitted(sample: Session) -> None:
    made = agreement_drafts.draft(sample, MANAGER, "SLA-x", AgreementKind.SLA, AT)
    submit = lambda: agreement_versions.submit(sample, MANAGER, made.id, AT, TODAY)  # noqa: E731
    assert refused(submit) == "incomplete"
    key = drafted(sample)
    agreement_drafts.edit(sample, MANAGER, key, AT, language="zh", values={},
                          parts={"targets": "尽快响应"})  # fmt: skip
    (gap,) = agreement_versions.open_points(sample, agreement_versions.find(sample, key))
    assert (gap.code, gap.part) == ("vague", "targets")


def test_a_draft_is_discarded_and_nothing_that_was_submitted(sample: Session) -> None:
    key = drafted(sample)
    with pytest.raises(AccessDeniedError):
        agreement_drafts.discard(sample, AUDITOR, key, AT)
    agreement_versions.submit(sample, MANAGER, key, AT, TODAY)
    discard = partial(agreement_drafts.discard, sample, MANAGER, key, AT)
    assert refused(discard) == "not_draft"
    agreement_versions.review(sample, AUDITOR, key, AT, passes=False)
    discard()
    assert sample.get(Agreement, key) is None
    of_it = select(AgreementTarget).where(AgreementTarget.agreement_id == key)
    assert sample.exec(of_it).all() == []
    written = select(audit.AuditEntry).order_by(col(audit.AuditEntry.id).desc())
    last = sample.exec(written).first()
    assert last is not None
    assert (last.action, last.subject) == ("agreement.discard", "agreement SLA-new v1")
    # the number is free again, and a draft beside a sealed version leaves that one alone
    sealed = signed(sample, drafted(sample))
    second = agreement_drafts.draft(sample, MANAGER, "SLA-new", AgreementKind.SLA, AT)
    assert (sealed.version, second.version) == (1, 2)
    assert second.id is not None
    agreement_drafts.discard(sample, MANAGER, second.id, AT)
    assert len(targets_of(sample, sealed)) == 2


def test_a_promise_the_supplier_cannot_bear_is_refused_with_its_path(sample: Session) -> None:
    key = drafted(sample, supports="OLA-network + UC-courier")
    with pytest.raises(AgreementRefusal, match=r"resolution: OLA-network .* → UC-courier 4:00"):
        agreement_versions.submit(sample, MANAGER, key, AT, TODAY)
    unknown = drafted(sample, "SLA-b", supports="UC-nobody")
    with pytest.raises(AgreementRefusal, match=r"UC-nobody\?"):
        agreement_versions.submit(sample, MANAGER, unknown, AT, TODAY)


def test_an_agreement_that_rests_on_itself_is_refused(sample: Session) -> None:
    key = drafted(sample, "SLA-loop", supports="SLA-loop")
    with pytest.raises(AgreementRefusal, match="↻"):
        agreement_versions.submit(sample, MANAGER, key, AT, TODAY)


@pytest.mark.parametrize(
    ("supports", "beneath", "complex_"),
    [
        ("OLA-network + OLA-network + OLA-network", 1, False),  # the same one is one
        ("OLA-a", 4, False),  # itself and what it rests on
        ("OLA-a + OLA-b", 6, False),  # both, and UC-1 … UC-4, of which they share one
        ("OLA-a + OLA-b + OLA-network", 7, True),  # one more than 6
        ("OLA-loop", 1, False),  # that it rests on itself is told elsewhere
    ],
)
def test_an_agreement_is_too_complex_by_all_that_stands_beneath_it(
    sample: Session, supports: str, beneath: int, complex_: bool
) -> None:
    layers = {
        "OLA-a": ["UC-1", "UC-2", "UC-3"],
        "OLA-b": ["UC-3", "UC-4"],
        "OLA-loop": ["OLA-loop"],
    }
    sample.add_all(
        Agreement(code=code, kind="ola", supports={"series": below})
        for code, below in layers.items()
    )
    agreement = agreement_versions.find(sample, drafted(sample, supports=supports))
    assert len(agreement_check.beneath(sample, agreement)) == beneath
    targets = targets_of(sample, agreement)
    found = agreement_facts.warnings_of(sample, agreement, targets, [], AT, ZONE)
    assert ("too_complex" in [one.code for one in found]) == complex_


def test_the_order_of_the_steps_is_kept(sample: Session) -> None:
    key = drafted(sample)

    def sign(party: str = "provider", name: str = "Lin", day: date | None = TODAY) -> Agreement:
        return agreement_versions.sign(sample, MANAGER, key, party, name, AT, TODAY, day)

    assert refused(sign) == "not_reviewed"
    assert refused(lambda: agreement_versions.review(sample, AUDITOR, key, AT, passes=True)) == (
        "not_in_review"
    )
    agreement_versions.submit(sample, MANAGER, key, AT, TODAY)
    assert refused(lambda: agreement_drafts.set_targets(sample, MANAGER, key, [], AT)) == (
        "not_draft"
    )
    assert refused(sign) == "not_reviewed"
    agreement_versions.review(sample, AUDITOR, key, AT, passes=False, note="hours")
    assert agreement_versions.find(sample, key).status == AgreementStatus.DRAFT
    agreement_versions.submit(sample, MANAGER, key, AT, TODAY)
    agreement_versions.review(sample, AUDITOR, key, AT, passes=True)
    sign(day=None)
    assert refused(sign) == "signed_already"
    assert refused(lambda: sign("receiver")) == "same_person"
    with sample.begin_nested() as step:
        assert refused(lambda: sign("receiver", "Zhao", None)) == "no_day"
        step.rollback()
    with sample.begin_nested() as step:
        assert refused(lambda: sign("receiver", "Zhao", TODAY - timedelta(days=1))) == "day_past"
        step.rollback()
    assert sign("receiver", "Zhao").seal
    assert refused(sign) == "sealed"


def test_a_new_version_ends_the_old_one_on_its_first_day(sample: Session) -> None:
    second = agreement_drafts.draft(sample, MANAGER, "SLA-access", AgreementKind.SLA, AT)
    assert (second.version, len(targets_of(sample, second))) == (2, 8)
    assert refused(
        lambda: agreement_drafts.draft(sample, MANAGER, "SLA-access", AgreementKind.SLA, AT)
    ) == "draft_there"  # fmt: skip
    signed(sample, second.id, TODAY + timedelta(days=10))
    first = sample.exec(
        select(Agreement).where(Agreement.code == "SLA-access", Agreement.version == 1)
    ).one()
    assert (first.status, first.in_force_until) == ("in_force", TODAY + timedelta(days=10))
    assert verify({"document": first.sealed, "seal": first.seal}).ok
    agreement_versions.advance(sample, TODAY + timedelta(days=10), AT)
    assert [row.status for row in (first, second)] == ["superseded", "in_force"]


@pytest.mark.parametrize(
    "change",
    [
        "update agreement set provider = 'x' where seal <> ''",
        "update agreement set seal = '', sealed = '{}' where seal <> ''",
        "update agreement set status = 'draft' where seal <> ''",
        "delete from agreement where seal <> ''",
        "truncate agreement cascade",
        "truncate agreement_target",
        "update agreement_target set limit_s = 1",
        "delete from agreement_target",
        "insert into agreement_target (agreement_id, metric, limit_s, unit, share, source,"
        " conditions) select id, 'callback', 60, 'minute', 0.9, '', '{}' from agreement"
        " where seal <> ''",
    ],
)
def test_no_path_changes_what_is_sealed(sample: Session, change: str) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=r"never (changed|emptied)"):
        sample.execute(sa.text(change))


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ("update agreement set provider = 'x' where code = 'SLA-new'", "rows", "provider"),
        ("update agreement set in_force_from = '2026-01-01' where code = 'SLA-new'", "rows",
         "first day in force"),
        ("update agreement set signed_by_receiver = 'Eve' where code = 'SLA-new'", "rows",
         "signatures"),
        ("update agreement_target set limit_s = 9 where agreement_id ="
         " (select id from agreement where code = 'SLA-new')", "rows", "targets"),
        ("update agreement set seal = '' where code = 'SLA-new'", "no_seal", ""),
        ("update agreement set sealed = '{}' where code = 'SLA-new'", "text", ""),
        ("update agreement set sealed = 'null' where code = 'SLA-new'", "text", ""),
        ("update agreement set sealed = '[3]' where code = 'SLA-new'", "text", ""),
    ],
)  # fmt: skip
def test_a_seal_broken_behind_the_back_of_the_triggers_is_found(
    sample: Session, change: str, code: str, named: str
) -> None:
    key = signed(sample, drafted(sample)).id or 0
    assert agreement_seals.broken(sample) == {}
    _behind(sample, change)
    ((name, (fault,)),) = agreement_seals.broken(sample).items()
    assert (name, fault.code) == ("SLA-new v1", code)
    assert named in fault.what[0]
    page = agreement_facts.page(sample, MANAGER, key, AT, ZONE)
    assert page.seal_faults == (fault,)
    if code != "no_seal":
        export = agreement_versions.export(sample, MANAGER, key)
        assert (export["intact"], export["faults"][0]["zh"]) == (False, fault.what[1])
        assert verify(export).ok == (code == "rows")  # the text still is what was sealed


def test_text_seal_and_row_replaced_together_are_not_what_the_audit_chain_recorded(
    sample: Session,
) -> None:
    row = signed(sample, drafted(sample))
    document = row.sealed | {"provider": "x"}
    _behind(
        sample,
        "update agreement set provider = 'x', sealed = :sealed, seal = :seal"
        " where code = 'SLA-new'",
        sealed=json.dumps(document),
        seal=seal_of(document),
    )
    ((fault,),) = agreement_seals.broken(sample).values()
    assert fault.code == "audit"
    document = {"format": row.sealed["format"], "targets": 3}  # whatever was put there
    _behind(sample, "update agreement set sealed = :sealed, seal = :seal where code = 'SLA-new'",
            sealed=json.dumps(document), seal=seal_of(document))  # fmt: skip
    (found,) = agreement_seals.broken(sample).values()
    assert [one.code for one in found] == ["rows", "audit"]


def _behind(session: Session, change: str, **values: str) -> None:
    """Change rows as somebody does who switches triggers off."""
    session.execute(sa.text("set local session_replication_role = replica"))
    session.execute(sa.text(change), values)
    session.execute(sa.text("set local session_replication_role = origin"))
    session.expire_all()


def test_drafts_stay_open_to_change(sample: Session) -> None:
    sample.execute(sa.text("update agreement set provider = 'x' where seal = ''"))
    sample.execute(
        sa.delete(AgreementTarget).where(
            col(AgreementTarget.agreement_id).in_(select(Agreement.id).where(Agreement.seal == ""))
        )
    )


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (TargetInput("speed", 1, "hour", "desk", "x"), "metric"),
        (TargetInput("resolution", 1, "day", "desk", "x"), "unit"),
        (TargetInput("resolution", 0, "hour", "desk", "x"), "limit"),
        (TargetInput("resolution", float("nan"), "hour", "desk", "x"), "limit"),
        (TargetInput("resolution", 1, "hour", "moon", "x"), "calendar"),
        (TargetInput("resolution", 1, "hour", "desk", "x", priority=12), "priority"),
        (TargetInput("resolution", 1, "hour", "desk", "x", share=1.5), "share"),
    ],
)
def test_a_target_that_is_none_is_refused(sample: Session, line: TargetInput, column: str) -> None:
    made = agreement_drafts.draft(sample, MANAGER, "SLA-x", AgreementKind.SLA, AT)
    with pytest.raises(InputError) as caught:
        agreement_drafts.set_targets(sample, MANAGER, made.id, [line], AT)
    assert caught.value.faults[0].column == column


def test_rights(sample: Session) -> None:
    lead = Actor("lea", roles={Role.LEAD: None})
    with pytest.raises(AccessDeniedError):
        agreement_drafts.draft(sample, lead, "SLA-x", AgreementKind.SLA, AT)
    key = drafted(sample)
    agreement_versions.submit(sample, MANAGER, key, AT, TODAY)
    with pytest.raises(AccessDeniedError):
        agreement_versions.review(sample, MANAGER, key, AT, passes=True)


def test_a_service_with_nearly_the_name_of_another_is_asked_about(sample: Session) -> None:
    def save(code: str, en: str, zh: str, **more: object) -> tuple[object, tuple[str, ...]]:
        return service_catalogue.save_service(
            sample, MANAGER, AT, code=code, name_en=en, name_zh=zh, status="live", owner="Lin",
            review_on=None, **more,
        )  # fmt: skip

    assert save("net2", "Network services", "网络支持服务") == (None, ("connect", "connect-care"))
    saved, _ = save("net2", "Network services", "网络支持服务", anyway=True)
    assert saved is not None
    assert save("print", "Large-format printing", "大幅面打印")[1] == ()
    rows = {row.service.code: row for row in service_catalogue.catalogue(sample, MANAGER, TODAY)}
    assert "net2" in rows["connect"].alike
    assert rows["print"].alike == ()
    with pytest.raises(InputError, match="required"):
        save("", "x", "y")


def test_facts_of_an_agreement_and_the_monthly_report(sample: Session) -> None:
    from wfm.services import clock_book

    service = sample.exec(select(Service).where(Service.code == "access")).one()
    customer = sample.exec(select(Customer)).one()
    opened = datetime(2026, 9, 2, 2, tzinfo=UTC)  # 10:00
    ids = []
    # priority 1 promises 5 min and 120 min: three answered in 4 min, one in 8
    for n, minutes in enumerate((4, 4, 4, 8)):
        row = Ticket(code=f"T{n}", opened_at=opened + timedelta(hours=n), priority=1,
                     service_id=service.id, customer_id=customer.id, handle_s=600)  # fmt: skip
        sample.add(row)
        sample.flush()
        ids.append(row.id)
        for kind, after in (("opened", 0), ("agent_message", minutes), ("resolved", 60)):
            sample.add(TicketEvent(code=f"{n}{kind}", ticket_id=row.id, kind=EventKind(kind),
                                   at=row.opened_at + timedelta(minutes=after)))  # fmt: skip
    clock_book.refresh(sample, ids, AT, ZONE)
    agreement = sample.exec(
        select(Agreement).where(Agreement.code == "SLA-access", Agreement.version == 1)
    ).one()
    page = agreement_facts.page(sample, MANAGER, agreement.id, AT, ZONE)
    first = next(r for r in page.records if r.target.metric == "first_response"
                 and r.target.priority == 1)  # fmt: skip
    assert (first.clocks, first.met, first.promise_kept) == (4, 3, False)
    assert first.low is not None
    assert first.low < 0.75 < first.high
    assert first.people == 1
    done = next(r for r in page.records if r.target.metric == "resolution"
                and r.target.priority == 1)  # fmt: skip
    assert done.people == 1  # 10 min of work each, 120 min allowed
    codes = {warning.code for warning in page.warnings}
    assert "unrealistic" in codes  # 75 % where 90 % was agreed, in the one month there is
    scope = service_reports.Scope(date(2026, 9, 1))
    report = service_reports.monthly(sample, MANAGER, scope, ZONE, AT)
    assert [(line.metric, line.clocks, line.missed, line.kept) for line in report.lines] == [
        ("first_response", 4, 1, False), ("resolution", 4, 0, True)
    ]  # fmt: skip
    assert report.lines[0].trend == (None, None, None, None, None, 0.75)
    assert report.reasons == (("queued", 1),)
    assert [(line.clocks, line.met) for line in report.customers] == [(8, 7)]
    assert service_reports.workbook(report, "zh").startswith(b"PK")
    # it may be kept longer than this session
    rows = [*report.services, *report.all_customers, *(line.service for line in report.lines)]
    assert rows
    assert not any(row in sample for row in rows)
    other = service_reports.Scope(date(2026, 9, 1), service="bills")
    assert service_reports.monthly(sample, MANAGER, other, ZONE, AT).lines == ()


def test_next_responses_and_callbacks_never_promised_are_judged_by_what_was_said(
    sample: Session,
) -> None:
    service = sample.exec(select(Service).where(Service.code == "access")).one()
    begin = AT - timedelta(days=7)
    said = {
        # two messages, one exchange: 8 min; then another of 20, the worst; called back after 30
        "A": [("customer_message", 0), ("customer_message", 5), ("agent_message", 8),
              ("customer_message", 10), ("agent_message", 30), ("resolved", 30),
              ("called_back", 60)],
        "B": [("customer_message", 0), ("agent_message", 4), ("resolved", 4), ("reopened", 6),
              ("customer_message", 7), ("agent_message", 8), ("resolved", 9),
              ("called_back", 100)],
        # nobody answered before it was closed: no wait to judge; and one still waits
        "C": [("customer_message", 0), ("closed", 3)],
        "D": [("customer_message", 0)],
    }  # fmt: skip
    for code, events in said.items():
        ticket = Ticket(code=code, opened_at=begin, service_id=service.id, priority=1,
                        handle_s=1200 if code in "AB" else None)  # fmt: skip
        sample.add(ticket)
        sample.flush()
        sample.add_all(
            TicketEvent(code=f"{code}{n}", ticket_id=ticket.id, kind=EventKind(kind),
                        at=begin + timedelta(minutes=minute))
            for n, (kind, minute) in enumerate(events)
        )  # fmt: skip
    sample.flush()
    draft = Agreement(code="new", service_id=service.id, kind=AgreementKind.SLA)
    sample.add(draft)
    sample.flush()
    targets = [
        AgreementTarget(agreement_id=draft.id, metric=metric, limit_s=900, share=0.5)
        for metric in ("next_response", "callback")
    ]
    next_, callback = agreement_facts.history(sample, draft, targets, AT, ZONE)
    # A waited 20 min at worst, B 4; A was called 30 min after, B 91
    assert (next_.clocks, next_.met) == (2, 1)
    assert (callback.clocks, callback.met) == (2, 0)
    # 2 · 1200 s of work shared among four answers: 600 s each
    work = agreement_people.waits(
        sample, [col(Ticket.service_id) == service.id], Metric.NEXT_RESPONSE,
        AT - timedelta(days=183), AT,
    )  # fmt: skip
    assert (len(work.start), work.mean_handle_s(1), work.mean_handle_s(2)) == (5, 600, 1200)
    assert (next_.people, callback.people) == (1, 1)


def test_people_for_a_resolution_wait_and_work() -> None:
    # one agent, half busy: the time in system is exponential with rate 1 − 0.5, so of those after
    # two mean handle times e^(−1) are left
    assert agreement_people.late_share(0.5, 1, 2) == pytest.approx(math.exp(-1))
    # two agents, load 1: a third waits, and nobody is to spare: e^(−2)(1 + 2/3)
    assert agreement_people.late_share(1, 2, 2) == pytest.approx(math.exp(-2) * 5 / 3)
    # e^(−2) = 13.5 % last longer than two handle times however many there are
    assert agreement_people.people_resolving(1, 0.9, 2) is None
    assert agreement_people.people_resolving(1, 0.75, 2) == 2  # 22.6 % late
    assert agreement_people.people_resolving(1, 0.85, 2) == 3
