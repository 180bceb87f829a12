"""Weights by comparison: the scale, the text they go into, what is refused."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from grading.policy import load_policy
from wfm.access import Actor
from wfm.errors import AccessDeniedError, InputError
from wfm.services import grade_weights
from wfm.services.grade_policies import default_policy_text
from wfm.words import Role

LEAD = Actor("lead", roles={Role.LEAD: None})
AUDITOR = Actor("auditor", roles={Role.AUDITOR: None})


def test_the_scale_goes_both_ways() -> None:
    assert [grade_weights.ratio_of(step) for step in (8, 2, 0, -2)] == [9, 3, 1, 1 / 3]
    assert all(
        grade_weights.answer_of(grade_weights.ratio_of(step)) == step for step in range(-8, 9)
    )
    assert grade_weights.answer_of(40) == 8


def test_equal_answers_give_equal_weights_in_a_policy_that_is_whole(session: Session) -> None:
    page = grade_weights.page(session, LEAD, [0] * 10)
    assert page.found == dict.fromkeys(page.present, 0.2)
    assert page.consistent
    assert page.may_use
    policy = load_policy(page.text)
    assert {name: rule.weight for name, rule in policy.criteria.items()} == page.found
    # only the five lines of the weights differ; comments stay
    before, after = default_policy_text().split("\n"), page.text.split("\n")
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(changed) == {"weight = 0.2"}
    assert len(changed) == 3  # tenure and satisfaction have 0.2 already


def test_answers_that_contradict_each_other_are_shown_and_not_taken(session: Session) -> None:
    # tenure over resolution over quality over tenure, each nine times
    answers = [8, -8, 0, 0, 8, 0, 0, 0, 0, 0]
    page = grade_weights.page(session, LEAD, answers)
    assert not page.consistent
    assert not page.may_use
    assert sum(pair.suggested is not None for pair in page.pairs) == 1
    assert sum((page.found or {}).values()) == pytest.approx(1)


def test_without_answers_there_is_the_policy_in_force(session: Session) -> None:
    page = grade_weights.page(session, AUDITOR, [])
    assert page.found is None
    assert page.present["quality"] == pytest.approx(0.25)
    assert not grade_weights.page(session, AUDITOR, [0] * 10).may_use


def test_what_is_refused(session: Session) -> None:
    for answers in ([0] * 9, [9, *[0] * 9]):
        with pytest.raises(InputError):
            grade_weights.page(session, LEAD, answers)
    with pytest.raises(AccessDeniedError):
        grade_weights.page(session, Actor("a", roles={Role.AGENT: None}), [])
