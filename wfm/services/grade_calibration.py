"""Calibration of reviewers: who agrees, who is severe, and which cases to score a second time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.calibration import Calibration, calibrate
from grading.policy import GradePolicy, load_policy
from grading.raters import Kappa
from wfm import access, audit, instants
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.kept import of_rows
from wfm.services.grade_policies import policy_in_force
from wfm.tables import Agent, CalibrationSample, QualityReview

MONTHS_BACK = 183  # days of reviews that are looked at


@dataclass(frozen=True)
class Reviewer:
    """One reviewer: reviews, and points given beyond colleagues for like work (+: generous)."""

    name: str
    reviews: int
    severity: float


@dataclass(frozen=True)
class Sample:
    """A case to be scored again; the first score is shown only once there is a second."""

    id: int
    case: str
    agent: str
    form: str
    first_reviewer: str
    reviewer: str
    first_score: float | None
    second_score: float | None
    mine: bool


@dataclass(frozen=True)
class Page:
    """The calibration page. `alpha` is None with nothing scored twice."""

    since: date
    alpha: float | None
    icc: float | None
    kappa: Kappa | None
    twice: int
    limit: float
    needed: int
    left_out: bool
    reviewers: tuple[Reviewer, ...]
    samples: tuple[Sample, ...]
    may_draw: bool
    may_score: bool


def page(session: Session, actor: Actor, today: date) -> Page:
    """Agreement and severity over the last half year, and the samples drawn."""
    access.require(actor, "grades.view")
    text = policy_in_force(session)
    policy = load_policy(text)
    since = date.fromordinal(today.toordinal() - MONTHS_BACK)
    found, reviewers = of_rows(
        session, ("calibration", text, since),
        [(QualityReview, col(QualityReview.reviewed_on) >= since), (Agent, None)],
        lambda: _looked_at(_reviews(session, since), policy),
    )  # fmt: skip
    limit = policy.reviews.least_agreement
    enough = found.twice >= policy.reviews.least_double_scored
    return Page(
        since=since,
        alpha=_known(found.alpha),
        icc=_known(found.icc),
        kappa=found.kappa if found.kappa and _known(found.kappa.value) is not None else None,
        twice=found.twice,
        limit=limit,
        needed=policy.reviews.least_double_scored,
        left_out=enough and found.alpha < limit,
        reviewers=reviewers,
        samples=_samples(session, actor),
        may_draw=actor.may("grades.calibrate") and actor.teams("grades.calibrate") is None,
        may_score=actor.may("grades.calibrate"),
    )


def _looked_at(
    frame: pd.DataFrame, policy: GradePolicy
) -> tuple[Calibration, tuple[Reviewer, ...]]:
    found = calibrate(frame, policy)
    return found, _reviewers(frame, found)


def _reviews(session: Session, since: date) -> pd.DataFrame:
    rows = session.execute(
        sa.select(
            col(QualityReview.id), col(Agent.code), col(QualityReview.score),
            col(QualityReview.reviewer), col(QualityReview.form), col(QualityReview.case_code),
        )
        .join(Agent, col(Agent.id) == col(QualityReview.agent_id))
        .where(col(QualityReview.reviewed_on) >= since)
        .order_by(col(QualityReview.id))
    ).all()  # fmt: skip
    columns = ["id", "agent_id", "score", "reviewer", "form", "case_id"]
    return pd.DataFrame([tuple(row) for row in rows], columns=columns)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _reviewers(frame: pd.DataFrame, found: Calibration) -> tuple[Reviewer, ...]:
    counts = frame.groupby("reviewer").size()
    return tuple(
        Reviewer(str(name), int(counts[name]), found.severity.get(str(name), 0.0))
        for name in sorted(counts.index)
    )


def draw(session: Session, actor: Actor, today: date, at: datetime) -> int:
    """Draw cases scored once for a second score, evenly over the first reviewers.

    The draw depends on the cases alone, so that nobody can choose; returns how many were drawn.

    Raises
    ------
    ConflictError
        Samples drawn before still wait, or fewer than two people review.
    """
    access.require_whole_desk(actor, "grades.calibrate")
    rules = load_policy(policy_in_force(session)).reviews
    drawn = set(session.exec(select(CalibrationSample.review_id)))
    waiting = select(CalibrationSample.id).where(col(CalibrationSample.second_review_id).is_(None))
    if session.exec(waiting).first() is not None:
        raise ConflictError("the samples drawn before are not all scored yet")
    since = date.fromordinal(today.toordinal() - MONTHS_BACK)
    frame = _reviews(session, since)
    names = sorted(frame["reviewer"].unique())
    if len(names) < 2:
        raise ConflictError("it takes two reviewers to compare them")
    once = frame[(frame["case_id"] != "") & ~frame.duplicated(["agent_id", "case_id"], keep=False)]
    once = once[~once["id"].isin(drawn)].assign(
        lot=lambda f: [hashlib.sha256(f"{n}".encode()).hexdigest() for n in f["id"]]
    )
    once = once.sort_values("lot")
    turn = once.groupby("reviewer").cumcount()
    chosen = once.assign(turn=turn).sort_values(["turn", "lot"]).head(rules.calibration_cases)
    for number, (review_id, first) in enumerate(zip(chosen["id"], chosen["reviewer"], strict=True)):
        others = [name for name in names if name != first]
        session.add(
            CalibrationSample(
                review_id=int(review_id), reviewer=others[number % len(others)], drawn_at=at,
                drawn_by=actor.name,
            )
        )  # fmt: skip
    session.flush()
    audit.record(session, at, actor.name, "grade.calibrate", "reviews", drawn=len(chosen))
    return len(chosen)


def score(
    session: Session, actor: Actor, sample_id: int, points: float, at: datetime, timezone: str
) -> QualityReview:
    """Give a drawn case its second score; it counts as a review like any other.

    Raises
    ------
    AccessDeniedError
        The actor gave the first score.
    InputError
        The score is off the scale.
    """
    access.require(actor, "grades.calibrate")
    sample = session.get(CalibrationSample, sample_id)
    if sample is None:
        raise NotFoundError("there is no such sample")
    if sample.second_review_id is not None:
        raise ConflictError("this case has its second score already")
    first = session.get_one(QualityReview, sample.review_id)
    if actor.name == first.reviewer or (actor.agent_id is not None
                                        and actor.agent_id == first.agent_id):  # fmt: skip
        raise AccessDeniedError("the second score takes another person than the first")
    rules = load_policy(policy_in_force(session)).reviews
    if not (np.isfinite(points) and rules.lowest <= points <= rules.highest):
        expected = "the score lies outside the scale"
        raise InputError.of([Fault(expected, column="score", value=str(points))])
    second = QualityReview(
        code=f"calibration-{sample.id}", agent_id=first.agent_id, reviewer=sample.reviewer,
        case_code=first.case_code, reviewed_on=instants.local_date(at, timezone),
        form=first.form, score=points,
    )  # fmt: skip
    session.add(second)
    session.flush()
    sample.second_review_id = second.id
    session.flush()
    audit.record(session, at, actor.name, "grade.calibrate.score", f"review {first.code}",
                 score=points)  # fmt: skip
    return second


def _samples(session: Session, actor: Actor) -> tuple[Sample, ...]:
    """Samples, those that wait first."""
    rows = session.exec(
        select(CalibrationSample, QualityReview, Agent)
        .join(QualityReview, col(QualityReview.id) == CalibrationSample.review_id)
        .join(Agent, col(Agent.id) == QualityReview.agent_id)
        .order_by(col(CalibrationSample.id).desc())
        .limit(100)
    ).all()
    found = []
    for sample, first, agent in rows:
        second = (
            session.get(QualityReview, sample.second_review_id)
            if sample.second_review_id is not None
            else None
        )
        found.append(
            Sample(
                sample.id or 0, first.case_code, agent.name, first.form, first.reviewer,
                sample.reviewer, first.score if second else None,
                second.score if second else None, first.reviewer != actor.name,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.second_score is not None, one.id)))
