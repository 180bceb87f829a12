"""Grades: cycles, cases with their evidence and explanation, decisions, appeals, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field

from web.api.calls import Called
from web.api.fields import (
    FIRST,
    LAST,
    Asked,
    Code,
    Day,
    Files,
    Name,
    Number,
    Text,
    Wanted,
    handed,
)
from web.api.operations import After, Operations
from web.deps import attachment
from wfm.services import (
    grade_appeals,
    grade_case_page,
    grade_corrections,
    grade_cycles,
    grade_effect,
    grade_evidence,
    grade_files,
    grade_pages,
    grade_runs,
    grading,
)
from wfm.services.grade_case_page import CaseView
from wfm.services.grade_corrections import Wrong
from wfm.services.grade_effect import Effect
from wfm.services.grade_evidence import Records
from wfm.services.grade_filters import Filters
from wfm.services.grade_pages import PAGE, Queue, Row
from wfm.services.listings import Page
from wfm.tables import AssessmentCycle, GradeDecision, Job
from wfm.words import DecisionAction, Grade, RecordKind

api = Operations("grades")
LARGEST_WITH_FILES = 16 << 20


class NewCycle(Wanted):
    """Assess everybody over a period, up to a day."""

    code: Name = Field(min_length=1, examples=["2026-10"])
    period_from: Day
    as_of: Day = Field(examples=["2026-09-30"])
    team: Name = Field("", description="code of a team; empty: the whole desk", examples=["T1"])


class NextStep(Wanted):
    """Where a cycle goes."""

    to: Literal["review", "published", "back", "discard"]


class InForce(Wanted):
    """From which day the signed grades are in force, and how many change by it."""

    on: Day
    changed: int = Field(ge=0, le=1_000_000, description="as the preview says", examples=[3])


class Clear(Wanted):
    """Sign the cases that clearly keep their grade: as many as were read."""

    expected: int = Field(ge=0, le=1_000_000, examples=[12])
    team: Name = Field("", examples=["network"])


class Decision(Wanted):
    """What a person does to a proposed grade."""

    action: DecisionAction
    grade: Grade | None = Field(None, description="of an override")
    reason: Text = Field("", examples=["led the night desk through the outage"])
    files: Files = Field(default_factory=list, max_length=5)


class Judgement(Wanted):
    """The end of an appeal: another grade, or none: the result is upheld."""

    grade: Grade | None = None
    reason: Text = Field(examples=["the survey of May was another agent's"])
    files: Files = Field(default_factory=list, max_length=5)


class Correction(Wanted):
    """A wrong record put right; without a field the record is left out."""

    kind: RecordKind
    record: Name = Field(examples=["S-1042"])
    field: Name = Field("", examples=["score"])
    value: Name = Field("", examples=["4"])
    reason: Text = Field(examples=["the customer chose the wrong star"])


class Signed(Wanted):
    signed: int


@api.read("/grades/cycles")
def cycles(call: Called) -> Sequence[AssessmentCycle]:
    """Assessment cycles, newest first."""
    grade_pages.queue(call.session, call.actor, "", Filters(), call.language, call.today)
    return grade_pages.cycles_of(call.session)


@api.write("/grades/cycles", status=202)
def start_cycle(call: Called, wanted: NewCycle) -> Job:
    """Ask for a cycle: records to evidence to proposals, as a job."""
    return grade_runs.ask_cycle(call.session, call.actor, wanted.code.strip(), wanted.period_from,
                                wanted.as_of, call.timezone, call.at,
                                wanted.team)  # fmt: skip


@api.read("/grades/cycles/{cycle}")
def cycle(call: Called, cycle: Code) -> Queue:
    """One cycle: where it stands, what it waits for, how many cases are in which state."""
    return grade_pages.queue(call.session, call.actor, cycle, Filters(), call.language, call.today)


@api.write("/grades/cycles/{cycle}/step", guard=cycle)
def step(call: Called, cycle: Code, wanted: NextStep) -> None:
    """Take a cycle to review, publish it, take it a step back, or discard it."""
    number = grade_pages.cycle_of(call.session, call.actor, cycle).id or 0
    session, actor, at = call.session, call.actor, call.at
    steps: dict[str, Any] = {
        "review": lambda: grade_cycles.open_review(session, actor, number, at, call.timezone),
        "published": lambda: grade_cycles.publish(session, actor, number, at, call.timezone),
        "back": lambda: grade_cycles.take_back(session, actor, number, at),
        "discard": lambda: grade_cycles.discard(session, actor, number, at),
    }
    steps[wanted.to]()


@api.read("/grades/cycles/{cycle}/cases")
def cases(
    call: Called, cycle: Code, team: Asked = "", decision: Asked = "", grade: Asked = "",
    state: Asked = "", text: Asked = "", order: Asked = "need", after: After = 0,
) -> Page[Row]:  # fmt: skip
    """The cases of a cycle with their evidence, those that wait for a person first."""
    filters = Filters(team, decision, grade, state, text, order, min(after, 10_000) + 1)
    found = grade_pages.queue(call.session, call.actor, cycle, filters, call.language, call.today)
    rows = found.rows if after < found.pages else ()
    return Page(rows, after + 1 if (after + 1) * PAGE < found.found else None)


@api.write("/grades/cycles/{cycle}/clear")
def accept_clear(call: Called, cycle: Code, wanted: Clear) -> Signed:
    """Sign the cases that clearly keep their grade, in one go."""
    return Signed(signed=grade_pages.accept_clear(
        call.session, call.actor, cycle, wanted.team, wanted.expected, call.at))  # fmt: skip


@api.read("/grades/cycles/{cycle}/effect")
def effect(
    call: Called, cycle: Code,
    on: Annotated[date, Query(ge=FIRST, le=LAST, examples=["2026-11-01"])],
) -> Effect:  # fmt: skip
    """Which grades would change on a day, before anything does."""
    number = grade_pages.cycle_of(call.session, call.actor, cycle).id or 0
    return grade_effect.preview(call.session, call.actor, number, on, call.today)


@api.write("/grades/cycles/{cycle}/effect")
def take_effect(call: Called, cycle: Code, wanted: InForce) -> dict[str, int]:
    """Let the signed grades be in force from a day."""
    number = grade_pages.cycle_of(call.session, call.actor, cycle).id or 0
    return grade_effect.take_effect(call.session, call.actor, number, wanted.on, call.at,
                                    call.timezone, expected=wanted.changed)  # fmt: skip


@api.read("/grades/cycles/{cycle}/cases/{agent}")
def case(call: Called, cycle: Code, agent: Code) -> CaseView:
    """One agent in one cycle: evidence, explanation, nearest change, decisions, appeals."""
    return grade_case_page.case_view(call.session, call.actor, cycle, agent, call.language)


@api.write("/grades/cycles/{cycle}/cases/{agent}/decisions", guard=case, status=201,
           max_body_size=LARGEST_WITH_FILES)  # fmt: skip
def decide(call: Called, cycle: Code, agent: Code, wanted: Decision) -> GradeDecision:
    """Accept, override with a reason, send back, confirm or withdraw."""
    files = grade_files.read(handed(wanted.files))
    found = grade_case_page.assessment_id(call.session, call.actor, cycle, agent)
    made = grading.decide(call.session, call.actor, found, wanted.action, call.at,
                          grade=wanted.grade, reason=wanted.reason)  # fmt: skip
    grade_files.attach(call.session, files, decision=made)
    return made


@api.read("/grades/cycles/{cycle}/cases/{agent}/records")
def records(
    call: Called, cycle: Code, agent: Code,
    criterion: Annotated[str, Query(max_length=40, examples=["resolution"])],
) -> Records:  # fmt: skip
    """The records behind one criterion, what speaks against first."""
    found = grade_case_page.assessment_id(call.session, call.actor, cycle, agent)
    return grade_evidence.records(call.session, call.actor, found, criterion, call.timezone)


@api.write("/grades/cycles/{cycle}/cases/{agent}/corrections", status=202)
def correct(call: Called, cycle: Code, agent: Code, wanted: Correction) -> Job:
    """Put a wrong record right; the case is reckoned again as a job."""
    wrong = Wrong(wanted.kind, wanted.record, wanted.field, wanted.value, wanted.reason)
    found = grade_case_page.assessment_id(call.session, call.actor, cycle, agent)
    return grade_corrections.correct(call.session, call.actor, found, wrong, call.at)


@api.write("/grades/appeals/{appeal}", max_body_size=LARGEST_WITH_FILES)
def judge(call: Called, appeal: Number, wanted: Judgement) -> GradeDecision:
    """Decide an appeal as a second reviewer."""
    return grade_appeals.decide(call.session, call.actor, appeal, call.at, grade=wanted.grade,
                                reason=wanted.reason, files=handed(wanted.files))  # fmt: skip


@api.read("/grades/files/{file}", media="application/octet-stream")
def download(call: Called, file: Number) -> Response:
    """A file that goes with a decision or an appeal."""
    found = grade_files.download(call.session, call.actor, file)
    return attachment(found.content, found.media_type, found.file_name)
