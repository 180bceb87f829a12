"""The satisfaction export: grades for its 810 agents, from surveys alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from records_desk import Desk, check_evidence, check_import
from sqlmodel import func, select

from grading.assess import assess
from grading.evidence import gather
from grading.policy import GRADES, default_policy
from wfm import db
from wfm.importing.report import ImportReport
from wfm.services import grade_records
from wfm.tables import Assessment, Survey

pytestmark = [pytest.mark.records, pytest.mark.xdist_group("satisfaction-export")]

FILE = "csat_surveys_agents_a"
TIMEZONE = "Asia/Kolkata"
MONTH = (date(2023, 8, 1), date(2023, 8, 31))
HALVES = ((date(2023, 8, 1), date(2023, 8, 15)), (date(2023, 8, 16), date(2023, 8, 31)))
AT = datetime(2023, 9, 1, 6, tzinfo=UTC)
RAW_CUTS = (0.8, 0.9)  # grades by raw averages: senior from 80 % satisfied, expert from 90 %


@dataclass
class Circle:
    desk: Desk
    imported: ImportReport
    assessments: list[Assessment]


@pytest.fixture(scope="module")
def circle(open_desk_of: Callable[[str, str], Desk]) -> Circle:
    desk = open_desk_of("satisfaction", TIMEZONE)
    imported = desk.log(FILE, "surveys", "satisfaction-export", AT)
    return Circle(desk, imported, desk.grades("2023-08", *MONTH, AT))


def test_every_survey_lands(circle: Circle) -> None:
    check_import(circle.imported)
    kinds = circle.imported.kinds
    assert (kinds["surveys"].rows, kinds["surveys"].added) == (10_221, 10_221)
    assert kinds["agents"].added == 810
    with db.transaction(circle.desk.engine) as session:
        first, last = session.exec(
            select(func.min(Survey.answered_on), func.max(Survey.answered_on))
        ).one()
    assert (first, last) == MONTH


def test_all_810_are_assessed_on_satisfaction_and_nothing_else(circle: Circle) -> None:
    assert len(circle.assessments) == 810
    check_evidence(circle.assessments, {"satisfaction"})
    told = circle.desk.figures["grades"]["evidence"]
    assert told["satisfaction"] == 810
    assert {name: n for name, n in told.items() if n} == {"satisfaction": 810}
    surveys = sum(one.evidence["satisfaction"]["n"] for one in circle.assessments)
    assert surveys == 10_221


def test_one_criterion_of_five_moves_few_and_nobody_to_expert(circle: Circle) -> None:
    assert {one.proposed_grade.value for one in circle.assessments} <= {"ordinary", "senior"}
    perfect = [one for one in circle.assessments if one.evidence["satisfaction"]["raw"] == 1]
    few = [one.evidence["satisfaction"]["n"] for one in perfect]
    circle.desk.figures["perfect"] = {"agents": len(perfect), "median_n": float(np.median(few))}
    assert all(one.evidence["satisfaction"]["value"] < 1 for one in perfect)


def test_every_proposal_explains_itself_in_both_languages(circle: Circle) -> None:
    for one in circle.assessments:
        assert all(one.explanation[language]["line"] for language in ("en", "zh"))
        assert all(one.explanation[language]["text"] for language in ("en", "zh"))


def test_estimates_move_fewer_grades_than_raw_averages(circle: Circle) -> None:
    policy = default_policy()
    frames, proposed = [], []
    for first, last in HALVES:
        with db.transaction(circle.desk.engine) as session:
            found = grade_records.records(session, first, last, TIMEZONE)
        evidence = gather(found, policy, last)
        frames.append(evidence.criteria["satisfaction"])
        history = None
        if proposed:
            history = proposed[0].rename_axis("agent_id").reset_index(name="grade")
        answer = assess(evidence, policy, history).table["grade"]
        again = assess(gather(found, policy, last), policy, history).table["grade"]
        assert answer.equals(again)
        proposed.append(answer)
    both = frames[0].index[(frames[0]["n"] > 0) & (frames[1]["n"] > 0)]
    ours = [one.loc[both].map(GRADES.index) for one in proposed]
    moved = (ours[1] - ours[0]).abs()
    raw = [np.searchsorted(RAW_CUTS, frame.loc[both, "raw"], side="right") for frame in frames]
    jumps = pd.Series(np.abs(raw[1] - raw[0]), index=both)
    circle.desk.figures["halves"] = {
        "agents": len(both),
        "ours": {"change": float((moved > 0).mean()), "jump": float((moved > 1).mean())},
        "raw": {"change": float((jumps > 0).mean()), "jump": float((jumps > 1).mean())},
    }
    assert (moved > 1).sum() == 0
    assert (moved > 0).sum() < (jumps > 0).sum() / 2
    assert (jumps > 1).sum() > 0
