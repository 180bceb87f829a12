"""The steps of a cycle, two signatures, appeals, attachments, fairness answers, corrections."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from wfm import audit, tables
from wfm.access import SYSTEM, Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError, NotFoundError
from wfm.services import (
    grade_appeals,
    grade_case_page,
    grade_corrections,
    grade_cycles,
    grade_effect,
    grade_events,
    grade_evidence,
    grade_fairness,
    grade_files,
    grade_pages,
    grade_runs,
    grading,
)
from wfm.services.grade_corrections import Wrong
from wfm.services.grade_files import Handed
from wfm.services.grade_filters import Filters
from wfm.words import CycleStatus, DecisionAction, EventKind, Grade, RecordKind, Role

ZONE = "Asia/Shanghai"
AS_OF = date(2026, 9, 30)
AT = datetime(2026, 10, 9, 2, tzinfo=UTC)  # a Friday; the 10th is a make-up workday
LEAD = Actor("lead", roles={Role.LEAD: None})
OTHER = Actor("other", roles={Role.LEAD: None})
MANAGER = Actor("manager", roles={Role.SERVICE_MANAGER: None})
A = DecisionAction


@pytest.fixture
def desk(session: Session) -> dict[str, int]:
    """Twelve agents with records that make clear cases; B0 … B5 hold senior already."""
    team = tables.Team(code="t", name_en="Team", name_zh="团队")
    session.add(team)
    session.flush()
    ids = {}
    for place in range(12):
        code = f"{'AB'[place % 2]}{place // 2}"
        agent = tables.Agent(code=code, name=f"{code} Li", hired_on=date(2019, 1, 1))
        session.add(agent)
        session.flush()
        ids[code] = agent.id or 0
        grade = Grade.SENIOR if code[0] == "B" else Grade.ORDINARY
        begin = date(2020, 1, 1)
        session.add(tables.AgentGrade(agent_id=agent.id, grade=grade, valid_from=begin))
        session.add(tables.AgentTeam(agent_id=agent.id, team_id=team.id, valid_from=begin))
        records_of(session, code, ids[code], good=place < 4)
    session.flush()
    return ids


def records_of(session: Session, code: str, agent: int, *, good: bool) -> None:
    for number in range(80):
        opened = datetime(2026, 8, 1, 9, tzinfo=UTC) + timedelta(hours=9 * number)
        done = number % 20 < (19 if good else 14)
        session.add(
            tables.Ticket(
                code=f"{code}-{number}", opened_at=opened, owner_id=agent, resolved_at=opened,
                resolved=done, independent=done, reopened=False, state="closed",
            )
        )  # fmt: skip
    for number in range(24):
        session.add(
            tables.Survey(
                code=f"{code}-s{number}", agent_id=agent, answered_on=date(2026, 9, 1),
                score=5 if number % 12 < (11 if good else 8) else 1,
            )
        )  # fmt: skip
        session.add(
            tables.QualityReview(
                code=f"{code}-q{number}", agent_id=agent, reviewer="R",
                reviewed_on=date(2026, 9, 2), score=(93 if good else 78) + number % 3,
            )
        )  # fmt: skip


def drafted(session: Session) -> int:
    made = grade_runs.run_cycle(session, LEAD, "c", date(2026, 7, 1), AS_OF, ZONE, AT)
    return made.id or 0


def opened(session: Session) -> int:
    number = drafted(session)
    grade_cycles.open_review(session, LEAD, number, AT, ZONE)
    return number


def number_of(session: Session, agent: int) -> int:
    found = session.exec(
        select(tables.Assessment.id).where(tables.Assessment.agent_id == agent)
    ).one()
    return found or 0


def sign_all(session: Session, cycle_id: int) -> None:
    for one in session.exec(
        select(tables.Assessment).where(tables.Assessment.cycle_id == cycle_id)
    ).all():
        signed = grading.decide(session, LEAD, one.id or 0, A.ACCEPT, AT)
        if grading.state_of(signed, one.previous_grade, Grade.EXPERT) == "half":
            grading.decide(session, MANAGER, one.id or 0, A.CONFIRM, AT)
    cycle = session.get_one(tables.AssessmentCycle, cycle_id)
    for flag in grade_fairness.unanswered(session, cycle):
        grade_fairness.answer(session, LEAD, cycle_id, flag, "looked into it", AT)


def published(session: Session) -> int:
    number = opened(session)
    sign_all(session, number)
    grade_cycles.publish(session, LEAD, number, AT, ZONE)
    return number


def own(agent: int) -> Actor:
    return Actor("own", roles={Role.AGENT: None}, agent_id=agent)


# -- steps and their days -------------------------------------------------------------------------


def test_workdays_are_those_of_the_desks_calendar(session: Session) -> None:
    # from Wednesday 30 September 2026: 1 to 7 October are off, the 8th and 9th are workdays and so
    # is Saturday the 10th, made up for the holiday
    assert grade_cycles.after_workdays(session, AS_OF, 1) == date(2026, 10, 8)
    assert grade_cycles.after_workdays(session, AS_OF, 3) == date(2026, 10, 10)
    assert grade_cycles.after_workdays(session, AS_OF, 4) == date(2026, 10, 12)


def test_a_draft_is_opened_or_thrown_away(session: Session, desk: dict[str, int]) -> None:
    number = drafted(session)
    case = number_of(session, desk["A0"])
    with pytest.raises(ConflictError, match="draft"):
        grading.decide(session, LEAD, case, A.ACCEPT, AT)
    small = Actor("small", roles={Role.LEAD: frozenset({1})})
    with pytest.raises(AccessDeniedError):
        grade_cycles.open_review(session, small, number, AT, ZONE)
    cycle = grade_cycles.open_review(session, LEAD, number, AT, ZONE)
    # ten workdays after 9 October: 10, 12–16, 19–22
    assert cycle.review_until == date(2026, 10, 22)
    left = grade_cycles.deadline(session, cycle, date(2026, 10, 20))
    assert left == grade_cycles.Deadline(date(2026, 10, 22), 2)
    late = grade_cycles.deadline(session, cycle, date(2026, 10, 26))
    assert late is not None
    assert late.workdays_left == -2  # Friday the 23rd and Monday the 26th
    with pytest.raises(ConflictError, match="another step"):
        grade_cycles.discard(session, LEAD, number, AT)


def test_a_discarded_draft_leaves_its_name_free(session: Session, desk: dict[str, int]) -> None:
    number = drafted(session)
    grade_cycles.discard(session, LEAD, number, AT)
    assert session.exec(select(tables.Assessment)).all() == []
    assert drafted(session) != number


def test_nothing_is_published_unsigned(session: Session, desk: dict[str, int]) -> None:
    number = opened(session)
    with pytest.raises(ConflictError, match="not every case is signed"):
        grade_cycles.publish(session, LEAD, number, AT, ZONE)
    sign_all(session, number)
    cycle = grade_cycles.publish(session, LEAD, number, AT, ZONE)
    assert (cycle.published_on, cycle.objections_until) == (date(2026, 10, 9), date(2026, 10, 15))
    with pytest.raises(ConflictError, match="may still appeal"):
        grade_effect.take_effect(session, LEAD, number, date(2026, 11, 1), AT, ZONE)


def test_a_publication_is_taken_back_until_somebody_appeals(
    session: Session, desk: dict[str, int]
) -> None:
    number = published(session)
    grade_cycles.take_back(session, LEAD, number, AT)
    cycle = grade_cycles.publish(session, LEAD, number, AT, ZONE)
    case = number_of(session, desk["A0"])
    grade_appeals.file(session, own(desk["A0"]), case, "please look again", AT, ZONE)
    with pytest.raises(ConflictError, match="relies on"):
        grade_cycles.take_back(session, LEAD, cycle.id or 0, AT)


# -- two signatures -------------------------------------------------------------------------------


def test_an_expert_grade_takes_two_persons(session: Session, desk: dict[str, int]) -> None:
    opened(session)
    case = number_of(session, desk["B0"])  # rises from senior to expert
    row = session.get_one(tables.Assessment, case)
    assert (row.decision, row.proposed_grade) == ("rise", Grade.EXPERT)
    with pytest.raises(ConflictError, match="no signature"):
        grading.decide(session, MANAGER, case, A.CONFIRM, AT)
    signed = grading.decide(session, LEAD, case, A.ACCEPT, AT)
    assert grading.state_of(signed, row.previous_grade, Grade.EXPERT) == "half"
    with pytest.raises(AccessDeniedError, match="another person"):
        grading.decide(session, LEAD, case, A.CONFIRM, AT)
    second = grading.decide(session, MANAGER, case, A.CONFIRM, AT)
    assert second.grade == Grade.EXPERT
    assert grading.state_of(second, row.previous_grade, Grade.EXPERT) == "decided"


def test_keeping_expert_or_giving_senior_takes_one(session: Session, desk: dict[str, int]) -> None:
    opened(session)
    case = number_of(session, desk["A0"])
    signed = grading.decide(session, LEAD, case, A.ACCEPT, AT)
    assert (signed.grade, grading.state_of(signed, Grade.ORDINARY, Grade.EXPERT)) == (
        Grade.SENIOR, "decided",
    )  # fmt: skip
    assert grading.state_of(signed, Grade.ORDINARY, Grade.SENIOR) == "half"  # as a policy may ask
    signed.grade = Grade.EXPERT
    assert grading.state_of(signed, Grade.EXPERT, Grade.EXPERT) == "decided"
    session.expire(signed)


def test_a_signature_is_withdrawn_by_who_gave_it(session: Session, desk: dict[str, int]) -> None:
    number = opened(session)
    case = number_of(session, desk["A0"])
    grading.decide(session, LEAD, case, A.ACCEPT, AT)
    with pytest.raises(AccessDeniedError, match="only who signed"):
        grading.decide(session, OTHER, case, A.WITHDRAW, AT)
    before = grade_cycles.unsigned(session, session.get_one(tables.AssessmentCycle, number))
    grading.decide(session, LEAD, case, A.WITHDRAW, AT)
    after = grade_cycles.unsigned(session, session.get_one(tables.AssessmentCycle, number))
    assert (before, after) == (11, 12)


# -- appeals --------------------------------------------------------------------------------------


def test_an_appeal_is_decided_by_somebody_else(session: Session, desk: dict[str, int]) -> None:
    published(session)
    case = number_of(session, desk["A5"])
    agent = own(desk["A5"])
    with pytest.raises(AccessDeniedError, match="agent's own"):
        grade_appeals.file(session, LEAD, case, "they deserve it", AT, ZONE)
    with pytest.raises(InputError):
        grade_appeals.file(session, agent, case, " ", AT, ZONE)
    appeal = grade_appeals.file(session, agent, case, "two weeks were counted twice", AT, ZONE)
    with pytest.raises(ConflictError, match="your appeal is in"):
        grade_appeals.file(session, agent, case, "again", AT, ZONE)
    assert grade_case_page.own_page(session, agent, date(2026, 10, 12), "en").may_appeal is False
    with pytest.raises(AccessDeniedError, match="not signed"):  # the lead signed the case
        grade_appeals.decide(session, LEAD, appeal.id or 0, AT, reason="no")
    with pytest.raises(AccessDeniedError):
        grade_appeals.decide(session, agent, appeal.id or 0, AT, reason="yes, please")
    with pytest.raises(InputError):
        grade_appeals.decide(session, MANAGER, appeal.id or 0, AT, reason="")
    decided = grade_appeals.decide(
        session, MANAGER, appeal.id or 0, AT, grade=Grade.SENIOR, reason="they were indeed"
    )
    assert (decided.action, decided.grade) == (A.GRANT, Grade.SENIOR)
    with pytest.raises(ConflictError, match="decided already"):
        grade_appeals.decide(session, OTHER, appeal.id or 0, AT, reason="once more")
    page = grade_case_page.own_page(session, agent, date(2026, 10, 12), "zh")
    assert page.newest is not None
    assert page.newest.case.signed == decided
    assert list(audit.verify(session)) == []


def test_appeals_are_taken_within_the_window_only(session: Session, desk: dict[str, int]) -> None:
    number = opened(session)
    case, agent = number_of(session, desk["A5"]), own(desk["A5"])
    with pytest.raises(ConflictError, match="from the publication"):
        grade_appeals.file(session, agent, case, "too early", AT, ZONE)
    sign_all(session, number)
    grade_cycles.publish(session, LEAD, number, AT, ZONE)
    late = datetime(2026, 10, 15, 16, tzinfo=UTC)  # the 16th at the desk
    with pytest.raises(ConflictError, match="window ends"):
        grade_appeals.file(session, agent, case, "too late", late, ZONE)
    grade_appeals.file(session, agent, case, "in time", late - timedelta(minutes=1), ZONE)


def test_an_open_appeal_holds_back_that_case_alone(session: Session, desk: dict[str, int]) -> None:
    number = published(session)
    case = number_of(session, desk["A0"])  # rises to senior
    appeal = grade_appeals.file(session, own(desk["A0"]), case, "expert, please", AT, ZONE)
    after = datetime(2026, 10, 16, 2, tzinfo=UTC)
    on = date(2026, 11, 1)
    counts = grade_effect.take_effect(session, LEAD, number, on, after, ZONE)
    assert counts["unsigned"] == 1
    assert session.get_one(tables.AssessmentCycle, number).status == CycleStatus.PUBLISHED
    grade_appeals.decide(session, MANAGER, appeal.id or 0, after, reason="one step at a time")
    counts = grade_effect.take_effect(session, LEAD, number, on, after, ZONE)
    assert (counts["changed"], counts["unsigned"]) == (1, 0)
    closed = session.get_one(tables.AssessmentCycle, number)
    assert (closed.status, closed.effective_on) == (CycleStatus.EFFECTIVE, on)


def test_expert_on_appeal_takes_a_second_person_too(session: Session, desk: dict[str, int]) -> None:
    number = published(session)
    case = number_of(session, desk["A0"])
    appeal = grade_appeals.file(session, own(desk["A0"]), case, "expert, please", AT, ZONE)
    grade_appeals.decide(
        session, MANAGER, appeal.id or 0, AT, grade=Grade.EXPERT, reason="outstanding"
    )
    cycle = session.get_one(tables.AssessmentCycle, number)
    assert grade_cycles.unsigned(session, cycle) == 1
    grading.decide(session, LEAD, case, A.CONFIRM, AT)
    assert grade_cycles.unsigned(session, cycle) == 0


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.exe", b"MZ", "are taken"),
        ("a.pdf", b"<script>", "not what its name says"),
        ("a.txt", b"x\0y", "not what its name says"),
        ("a.png", b"", "empty"),
        ("a.txt", b"x" * ((2 << 20) + 1), "2 MB"),
    ],
)
def test_files_that_are_not_taken(name: str, content: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        grade_files.read([Handed(name, io.BytesIO(content))])


def test_file_names_are_made_safe() -> None:
    [file] = grade_files.read([Handed("..\\..\\/etc/<b>证明 书.PDF", io.BytesIO(b"%PDF-1.7"))])
    assert (file.file_name, file.media_type) == ("b_证明_书.PDF", "application/pdf")


def test_files_are_seen_by_those_who_see_the_case(session: Session, desk: dict[str, int]) -> None:
    published(session)
    case = number_of(session, desk["A5"])
    handed = [Handed("proof.txt", io.BytesIO("证明".encode()))]
    appeal = grade_appeals.file(session, own(desk["A5"]), case, "see file", AT, ZONE, handed)
    files = grade_files.attached(session, [], [appeal.id or 0])
    [file] = files["appeal", appeal.id or 0]
    for actor in (own(desk["A5"]), LEAD, MANAGER):
        assert grade_files.download(session, actor, file.id).content == "证明".encode()
    for actor in (own(desk["A0"]), Actor("d", roles={Role.DISPATCHER: None})):
        with pytest.raises(AccessDeniedError):
            grade_files.download(session, actor, file.id)
    with pytest.raises(NotFoundError):
        grade_files.download(session, LEAD, file.id + 1)


# -- fairness -------------------------------------------------------------------------------------


def test_a_flag_wants_an_answer_before_publishing(session: Session, desk: dict[str, int]) -> None:
    number = opened(session)
    cycle = session.get_one(tables.AssessmentCycle, number)
    for one in session.exec(select(tables.Assessment)):
        code = session.get_one(tables.Agent, one.agent_id).code
        one.groups = {"team": "north" if code[0] == "A" else "south"}
    # two of six A rise to senior, all six B hold senior: 2/6 against 6/6, exact p = 0.061
    assert grade_fairness.unanswered(session, cycle) == []
    for one in session.exec(select(tables.Assessment)):
        one.proposed_grade = Grade.SENIOR if one.groups["team"] == "south" else Grade.ORDINARY
    flags = grade_fairness.unanswered(session, cycle)  # none of six against all of six: p = 0.002
    assert flags == ["team:holds_senior:north"]
    report = grade_fairness.report(session, LEAD, "c")
    assert (report.flags, report.open) == (1, 1)
    for one in session.exec(select(tables.Assessment)).all():
        grading.decide(session, LEAD, one.id or 0, A.ACCEPT, AT)
    with pytest.raises(ConflictError, match="no written answer"):
        grade_cycles.publish(session, LEAD, number, AT, ZONE)
    with pytest.raises(InputError):
        grade_fairness.answer(session, LEAD, number, flags[0], "", AT)
    grade_fairness.answer(session, LEAD, number, flags[0], "south has the older hands", AT)
    assert grade_fairness.report(session, LEAD, "c").open == 0
    grade_cycles.publish(session, LEAD, number, AT, ZONE)


def test_small_groups_are_not_judged(session: Session, desk: dict[str, int]) -> None:
    opened(session)
    rows = session.exec(select(tables.Assessment).order_by(col(tables.Assessment.id))).all()
    for place, one in enumerate(rows):
        one.groups = {"team": "few" if place < 4 else "many", "odd": "x" if place % 2 else "y"}
        one.proposed_grade = Grade.ORDINARY if place < 4 else Grade.SENIOR
    report = grade_fairness.report(session, LEAD, "c")
    assert [one.column for one in report.comparisons] == []
    asked = grade_fairness.report(session, LEAD, "c", "odd")  # any column the desk chooses
    assert {one.column for one in asked.comparisons} == {"odd"}
    with pytest.raises(NotFoundError):
        grade_fairness.report(session, LEAD, "c", "nonsense")
    with pytest.raises(AccessDeniedError):
        grade_fairness.report(session, Actor("s", roles={Role.LEAD: frozenset({1})}), "c")


# -- corrections ----------------------------------------------------------------------------------


def test_a_correction_reckons_the_case_again_and_shows_the_difference(
    session: Session, desk: dict[str, int]
) -> None:
    opened(session)
    case = number_of(session, desk["A5"])
    grading.decide(session, LEAD, case, A.ACCEPT, AT)
    wrong = Wrong(RecordKind.SURVEY, "A5-s11", "score", "5", "the customer pressed the wrong key")
    job = grade_corrections.correct(session, LEAD, case, wrong, AT)
    assert (job.task, job.arguments["assessment_id"]) == ("reassess", case)
    before = session.get_one(tables.Assessment, case).evidence["satisfaction"]["raw"]
    grade_corrections.run_again(session, LEAD, case, ZONE, AT)
    row = session.get_one(tables.Assessment, case)
    # 16 of 24 happy becomes 17 of 24
    assert (before, row.evidence["satisfaction"]["raw"]) == (
        pytest.approx(16 / 24), pytest.approx(17 / 24),
    )  # fmt: skip
    view = grade_case_page.case_view(session, LEAD, "c", "A5", "en")
    assert view.earlier is not None
    assert view.earlier.criteria[4].raw == pytest.approx(16 / 24)
    assert view.case.state == "open"  # the signature was given to another result
    leave = Wrong(RecordKind.REVIEW, "A5-q0", "", "", "a review of another agent's work")
    grade_corrections.correct(session, LEAD, case, leave, AT)
    grade_corrections.run_again(session, LEAD, case, ZONE, AT)
    assert session.get_one(tables.Assessment, case).evidence["quality"]["n"] == 23
    ticket = Wrong(RecordKind.TICKET, "A5-14", "independent", "yes", "helped by nobody")
    grade_corrections.correct(session, LEAD, case, ticket, AT)
    assert list(audit.verify(session)) == []


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (Wrong(RecordKind.SURVEY, "A0-s1", "score", "5", "reason"), "record"),  # another agent's
        (Wrong(RecordKind.SURVEY, "A5-s1", "answered_on", "5", "reason"), "field"),
        (Wrong(RecordKind.SURVEY, "A5-s1", "score", "five", "reason"), "value"),
        (Wrong(RecordKind.TICKET, "A5-1", "resolved", "1", "reason"), "value"),
        (Wrong(RecordKind.SURVEY, "A5-s1", "score", "5", " "), "reason"),
    ],
)
def test_corrections_that_cannot_be(
    session: Session, desk: dict[str, int], wrong: Wrong, column: str
) -> None:
    opened(session)
    with pytest.raises(InputError) as refused:
        grade_corrections.correct(session, LEAD, number_of(session, desk["A5"]), wrong, AT)
    assert [fault.column for fault in refused.value.faults] == [column]


def test_nobody_corrects_their_own_records(session: Session, desk: dict[str, int]) -> None:
    opened(session)
    lead = Actor("lead", roles={Role.LEAD: None}, agent_id=desk["A5"])
    wrong = Wrong(RecordKind.SURVEY, "A5-s1", "score", "5", "better so")
    with pytest.raises(AccessDeniedError):
        grade_corrections.correct(session, lead, number_of(session, desk["A5"]), wrong, AT)
    grade_corrections.correct(session, SYSTEM, number_of(session, desk["A5"]), wrong, AT)


# -- serious events -------------------------------------------------------------------------------

LEAK = "a customer's number was passed on"


def test_a_serious_event_bars_a_rise_and_goes_to_a_person(
    session: Session, desk: dict[str, int]
) -> None:
    opened(session)
    case = number_of(session, desk["A0"])
    assert session.get_one(tables.Assessment, case).decision == "rise"
    clear_before = len(session.exec(grading.clear_cases(LEAD, cycle_of(session), None)).all())
    for code in ("A0", "A3"):
        event = grade_events.record(session, LEAD, code, date(2026, 8, 15), LEAK, AT, ZONE)
        asked = session.exec(select(tables.Job).order_by(col(tables.Job.id).desc())).first()
        assert asked is not None
        assert asked.arguments["assessment_id"] == number_of(session, desk[code])
        grade_corrections.run_again(session, LEAD, asked.arguments["assessment_id"], ZONE, AT)
    row = session.get_one(tables.Assessment, case)
    assert (row.decision, row.explanation["block"]) == ("blocked", "serious_event")
    # A3 keeps its grade as clearly as before, and a person looks all the same
    kept = session.get_one(tables.Assessment, number_of(session, desk["A3"]))
    assert kept.decision == "keep"
    queue = grade_pages.queue(session, LEAD, "c", Filters(decision="veto"), "en", AS_OF)
    assert {one.case.code for one in queue.rows} == {"A0", "A3"}
    assert queue.counts["veto"] == 2
    clear = session.exec(grading.clear_cases(LEAD, cycle_of(session), None)).all()
    assert len(clear) == clear_before - 1
    view = grade_case_page.case_view(session, LEAD, "c", "A0", "en")
    assert [one.note for one in view.events] == [LEAK]
    # taken back, it counts no more
    grade_events.withdraw(session, LEAD, event.id or 0, "it was somebody else", AT, ZONE)
    first = session.exec(select(tables.SeriousEvent).order_by(col(tables.SeriousEvent.id))).first()
    assert first is not None
    grade_events.withdraw(session, LEAD, first.id or 0, "it was somebody else", AT, ZONE)
    grade_corrections.run_again(session, LEAD, case, ZONE, AT)
    assert session.get_one(tables.Assessment, case).decision == "rise"
    assert list(audit.verify(session)) == []


def cycle_of(session: Session) -> tables.AssessmentCycle:
    return session.exec(select(tables.AssessmentCycle)).one()


def test_events_outside_the_period_or_of_closed_cycles_ask_for_nothing(
    session: Session, desk: dict[str, int]
) -> None:
    opened(session)
    before = len(session.exec(select(tables.Job.id)).all())
    grade_events.record(session, LEAD, "A0", date(2026, 6, 30), LEAK, AT, ZONE)
    grade_events.record(session, LEAD, "A0", date(2026, 10, 1), LEAK, AT, ZONE)
    assert len(session.exec(select(tables.Job.id)).all()) == before
    again = grade_runs.reckon(
        session, grade_runs.load_policy(grade_runs.policy_in_force(session)),
        date(2026, 7, 1), AS_OF, ZONE,
    )  # fmt: skip
    assert again.assessments.table.loc["A0", "decision"] == "rise"


def test_events_that_cannot_be_recorded(session: Session, desk: dict[str, int]) -> None:
    day = date(2026, 8, 15)
    for code, on, note, column in (
        ("XX", day, LEAK, "agent"), ("A0", date(2026, 10, 30), LEAK, "on"),
        ("A0", day, " ", "reason"), ("A0", day, "x" * 601, "reason"),
    ):  # fmt: skip
        with pytest.raises(InputError) as caught:
            grade_events.record(session, LEAD, code, on, note, AT, ZONE)
        assert [fault.column for fault in caught.value.faults] == [column]
    event = grade_events.record(session, LEAD, "A0", day, LEAK, AT, ZONE)
    with pytest.raises(ConflictError, match="already"):
        grade_events.record(session, LEAD, "A0", day, LEAK, AT, ZONE)
    himself = Actor("lead", roles={Role.LEAD: None}, agent_id=desk["A0"])
    for actor in (MANAGER, himself, Actor("far", roles={Role.LEAD: frozenset({999})})):
        with pytest.raises(AccessDeniedError):
            grade_events.record(session, actor, "A0", day, "another one", AT, ZONE)
        with pytest.raises(AccessDeniedError):
            grade_events.withdraw(session, actor, event.id or 0, "not so", AT, ZONE)
    with pytest.raises(InputError):
        grade_events.withdraw(session, LEAD, event.id or 0, "", AT, ZONE)
    with pytest.raises(NotFoundError):
        grade_events.withdraw(session, LEAD, 999_999, "not so", AT, ZONE)
    grade_events.withdraw(session, LEAD, event.id or 0, "not so", AT, ZONE)
    with pytest.raises(ConflictError, match="withdrawn already"):
        grade_events.withdraw(session, LEAD, event.id or 0, "not so", AT, ZONE)
    assert grade_events.page(session, himself, AS_OF).rows[0].may_withdraw is False


# -- a team's own cycle ---------------------------------------------------------------------------


def test_a_team_has_a_cycle_of_its_own(session: Session, desk: dict[str, int]) -> None:
    own_team = tables.Team(code="own", name_en="Own", name_zh="本队")
    session.add(own_team)
    session.flush()
    moved = {desk[code] for code in ("A0", "B4", "A3")}
    for fact in session.exec(select(tables.AgentTeam)).all():
        if fact.agent_id in moved:
            fact.team_id = own_team.id or 0
    session.flush()
    lead = Actor("own lead", roles={Role.LEAD: frozenset({own_team.id or 0})})
    days = (date(2026, 7, 1), AS_OF, ZONE, AT)
    with pytest.raises(AccessDeniedError):
        grade_runs.run_cycle(session, lead, "c", *days)  # not the whole desk's
    with pytest.raises(AccessDeniedError):
        grade_runs.run_cycle(session, lead, "c", *days, team="t")
    with pytest.raises(InputError):
        grade_runs.run_cycle(session, LEAD, "c", *days, team="none")
    cycle = grade_runs.run_cycle(session, lead, "c", *days, team="own")
    cases = session.exec(select(tables.Assessment)).all()
    assert {one.agent_id for one in cases} == moved
    # what is usual comes from the whole desk: the same evidence as in a cycle of everybody
    whole = grade_runs.run_cycle(session, LEAD, "d", *days)
    pairs = {
        one.agent_id: one.evidence["resolution"]["value"]
        for one in session.exec(
            select(tables.Assessment).where(tables.Assessment.cycle_id == whole.id)
        )
    }
    assert all(pairs[one.agent_id] == one.evidence["resolution"]["value"] for one in cases)
    # the team's lead takes it all the way, and a later cycle of another team changes nothing here
    number = cycle.id or 0
    grade_cycles.open_review(session, lead, number, AT, ZONE)
    for one in cases:
        grading.decide(session, lead, one.id or 0, A.ACCEPT, AT)
    for flag in grade_fairness.unanswered(session, cycle):
        grade_fairness.answer(session, lead, number, flag, "looked into it", AT)
    grade_cycles.publish(session, lead, number, AT, ZONE)
    with pytest.raises(AccessDeniedError):
        grade_cycles.discard(session, lead, whole.id or 0, AT)
    later = AT + timedelta(days=12)
    team = session.exec(select(tables.Team.id).where(tables.Team.code == "t")).one()
    other = tables.AssessmentCycle(
        code="e", policy_id=cycle.policy_id, team_id=team, period_from=AS_OF, made_at=AT,
        as_of=AS_OF + timedelta(days=1), status=CycleStatus.EFFECTIVE,
    )  # fmt: skip
    session.add(other)
    session.flush()
    grade_effect.take_effect(session, lead, number, date(2026, 10, 20), later, ZONE)
    assert cycle.status == CycleStatus.EFFECTIVE
    seen = grade_pages.queue(session, lead, "", Filters(), "en", AS_OF)
    assert {one.code for one in seen.cycles} == {"c", "d"}
    assert [team.code for team in seen.start if team] == ["own"]
    other.team_id = None
    session.flush()
    assert grading.newer_in_force(session, cycle) == "e"


# -- the records behind a value -------------------------------------------------------------------


def pages_of(session: Session, number: int) -> list[tuple[grade_evidence.Record, ...]]:
    found = grade_evidence.records(session, LEAD, number, "resolution", ZONE)
    return [
        grade_evidence.records(session, LEAD, number, "resolution", ZONE, page + 1).rows
        for page in range(found.pages)
    ]


def test_the_records_are_those_that_are_counted(session: Session, desk: dict[str, int]) -> None:
    # two tickets went from A2 (ordinary) to B0 (senior), who ended them; the second is of a tier
    # above A2's grade, so passing it on is what the rules ask for
    opened_at = datetime(2026, 8, 20, 1, tzinfo=UTC)
    for code, tier in (("P-1", Grade.ORDINARY), ("P-2", Grade.SENIOR)):
        ticket = tables.Ticket(
            code=code, opened_at=opened_at, owner_id=desk["B0"], resolved_at=opened_at,
            resolved=True, independent=False, reopened=False, state="closed", min_grade=tier,
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        for minute, (who, kind) in enumerate(
            (("A2", EventKind.ASSIGNED), ("B0", EventKind.TRANSFERRED), ("B0", EventKind.RESOLVED))
        ):
            session.add(
                tables.TicketEvent(
                    code=f"{code}-{minute}", ticket_id=ticket.id, kind=kind,
                    at=opened_at + timedelta(minutes=minute), agent_id=desk[who],
                )
            )  # fmt: skip
    session.flush()
    opened(session)
    seen = {}
    for who in ("A2", "B0"):
        number = number_of(session, desk[who])
        found = grade_evidence.records(session, LEAD, number, "resolution", ZONE)
        rows = [row for page in pages_of(session, number) for row in page]
        seen[who] = {row.number: row for row in rows}
        counted = session.get_one(tables.Assessment, number).evidence["resolution"]["n"]
        by_rule = [row for row in rows if dict(row.facts)["passed"] == "by_rule"]
        assert found.found - len(by_rule) == counted
        assert found.uncounted == len(by_rule)
        assert found.against == sum(row.against for row in rows)
    assert seen["A2"]["P-1"].against
    assert dict(seen["A2"]["P-1"].facts)["passed"] is True
    assert not seen["A2"]["P-2"].against
    assert dict(seen["B0"]["P-1"].facts)["independent"] is True
    assert not seen["B0"]["P-1"].against


def test_records_come_in_pages_with_what_speaks_against_first(
    session: Session, desk: dict[str, int]
) -> None:
    # 80 tickets, of every 20 the last 6 not resolved: 24 against on the first page of 25
    opened(session)
    number = number_of(session, desk["A3"])
    pages = pages_of(session, number)
    assert [len(page) for page in pages] == [25, 25, 25, 5]
    assert [row.against for row in pages[0]] == [True] * 24 + [False]
    rows = {row.number: row for page in pages for row in page}
    assert len(rows) == 80
    assert not any(row.against for page in pages[1:] for row in page)
    # ticket 1 came on 1 August at 18:00 UTC, which is the 2nd in Shanghai
    assert rows["A3-1"].on == date(2026, 8, 2)
    beyond = grade_evidence.records(session, LEAD, number, "resolution", ZONE, 99)
    assert (beyond.page, beyond.pages, beyond.found, beyond.against) == (4, 4, 80, 24)
    assert (beyond.uncounted, beyond.rows) == (0, pages[3])
