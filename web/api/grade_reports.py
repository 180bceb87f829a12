"""Around a cycle: fairness, funnels, calibration of reviewers, grade mix, changes, the policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from web.api.calls import Called
from web.api.fields import Asked, Code, Day, From, Name, Number, Text, Until, Wanted
from web.api.operations import Operations
from wfm.services import (
    grade_allowances,
    grade_calibration,
    grade_events,
    grade_fairness,
    grade_funnel,
    grade_mix,
    grade_policy_page,
    grade_trials,
)
from wfm.services.grade_allowances import Change
from wfm.services.grade_calibration import Page as Calibration
from wfm.services.grade_events import EventsPage
from wfm.services.grade_fairness import Report
from wfm.services.grade_funnel import Funnel
from wfm.services.grade_mix import Mix
from wfm.services.grade_policy_page import PolicyPage
from wfm.tables import FairnessAnswer, GradePolicy, Job, QualityReview, SeriousEvent

api = Operations("grades")


class FlagAnswer(Wanted):
    """What is said to a flag of the report."""

    flag: Name = Field(examples=["shift:night:senior"])
    text: Text = Field(examples=["the night team is new; looked at again in spring"])


class Score(Wanted):
    points: float = Field(ge=0, le=100, allow_inf_nan=False)


class NewEvent(Wanted):
    """Something so grave that it stands against a rise."""

    agent: Name = Field(examples=["A007"])
    on: Day
    note: Text = Field(examples=["told a customer's password to a caller"])


class Withdrawn(Wanted):
    reason: Text = Field(examples=["the recording shows it was another line"])


class Drawn(BaseModel):
    """How many cases were drawn."""

    drawn: int


class Policy(Wanted):
    """A grade policy as TOML, as it is kept."""

    text: str = Field(max_length=60_000, pattern=r"^[^\x00]*$", examples=['code = "house-2027"'])


class Trial(Policy):
    """A policy to try over the evidence of a cycle."""

    cycle: Name = Field(examples=["2026-10"])


class Sound(BaseModel):
    """A policy that can be kept."""

    name: str


@api.read("/grades/cycles/{cycle}/fairness")
def fairness(call: Called, cycle: Code, column: Asked = "") -> Report:
    """Whether groups fare alike, and what is said where they do not."""
    return grade_fairness.report(call.session, call.actor, cycle, column)


@api.write("/grades/cycles/{cycle}/fairness", status=201)
def answer(call: Called, cycle: Code, wanted: FlagAnswer) -> FairnessAnswer:
    """Answer one flag in writing."""
    found = grade_fairness.report(call.session, call.actor, cycle)
    return grade_fairness.answer(
        call.session, call.actor, found.cycle.id or 0, wanted.flag, wanted.text, call.at
    )


@api.read("/grades/cycles/{cycle}/funnel")
def funnel(
    call: Called, cycle: Code,
    criterion: Annotated[str, Query(max_length=40, examples=["resolution"])] = "resolution",
) -> Funnel:  # fmt: skip
    """Whose share differs from the desk's by more than chance."""
    return grade_funnel.page(call.session, call.actor, cycle, criterion)


@api.read("/grades/calibration")
def calibration(call: Called) -> Calibration:
    """Agreement and severity of reviewers, and the cases to score a second time."""
    return grade_calibration.page(call.session, call.actor, call.today)


@api.write("/grades/calibration")
def draw(call: Called) -> Drawn:
    """Draw cases for a second score."""
    return Drawn(drawn=grade_calibration.draw(call.session, call.actor, call.today, call.at))


@api.write("/grades/calibration/{sample}")
def score(call: Called, sample: Number, wanted: Score) -> QualityReview:
    """Give a drawn case its second score."""
    return grade_calibration.score(
        call.session, call.actor, sample, wanted.points, call.at, call.timezone
    )


@api.read("/grades/events")
def events(call: Called) -> EventsPage:
    """Serious events, which stand against a rise in the cycle they fall in."""
    return grade_events.page(call.session, call.actor, call.today)


@api.write("/grades/events", status=201)
def record_event(call: Called, wanted: NewEvent) -> SeriousEvent:
    """Record a serious event."""
    return grade_events.record(call.session, call.actor, wanted.agent, wanted.on, wanted.note,
                               call.at, call.timezone)  # fmt: skip


@api.write("/grades/events/{event}/withdraw")
def withdraw_event(call: Called, event: Number, wanted: Withdrawn) -> SeriousEvent:
    """Withdraw one that was none; both stay on record."""
    return grade_events.withdraw(
        call.session, call.actor, event, wanted.reason, call.at, call.timezone
    )


@api.read("/grades/mix")
def mix(call: Called) -> Mix:
    """Whether a team has the grades its tickets ask for."""
    return grade_mix.page(call.session, call.actor, call.today)


@api.read("/grades/changes")
def changes(call: Called, first: From, last: Until) -> Sequence[Change]:
    """Changes of grade in a period, for whoever pays allowances."""
    return grade_allowances.changes(call.session, call.actor, first, last)


@api.read("/grades/policy")
def policy(call: Called) -> PolicyPage:
    """The policy in force, and its earlier versions."""
    return grade_policy_page.page(call.session, call.actor, None)


@api.write("/grades/policy", method="PUT", guard=policy, guarded=True)
def save_policy(call: Called, wanted: Policy) -> GradePolicy:
    """Save a new version of the policy, over the one that was read."""
    return grade_policy_page.save(call.session, call.actor, wanted.text, call.at)


@api.write("/grades/policy/check")
def check_policy(call: Called, wanted: Policy) -> Sound:
    """Check a policy: every fault with its line."""
    grade_policy_page.with_text(call.session, call.actor, wanted.text)
    return Sound(name=grade_policy_page.check(wanted.text).name)


@api.write("/grades/policy/trial", status=202)
def try_policy(call: Called, wanted: Trial) -> Job:
    """Try a policy over past evidence, as a job: who would move, would it have held."""
    return grade_trials.ask(call.session, call.actor, wanted.cycle, wanted.text, call.at)
