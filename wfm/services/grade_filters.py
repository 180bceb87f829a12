"""Which cases a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wfm.errors import Fault, InputError
from wfm.services.grade_cases import NEEDS_A_PERSON, Case
from wfm.words import Grade

DECISIONS = ("moves", *NEEDS_A_PERSON, "keep", "veto")
STATES = ("open", "sent_back", "half", "appealed", "decided")
GRADE_RANK = {grade: rank for rank, grade in enumerate(Grade)}


def _by_need(case: Case) -> Any:
    order = (*NEEDS_A_PERSON, "keep").index(case.decision)
    return (not case.needs_a_person, case.state == "decided", order)


ORDERS: dict[str, Callable[[Case], Any]] = {
    "need": _by_need,
    "agent": lambda case: case.code,
    "name": lambda case: case.name,
    "team": lambda case: case.team_id or 0,
    "present": lambda case: -1 if case.present is None else GRADE_RANK[case.present],
    "proposed": lambda case: GRADE_RANK[case.proposed],
    "sure": lambda case: max(case.probabilities.values()),
    "state": lambda case: STATES.index(case.state),
}


@dataclass(frozen=True)
class Filters:
    """Which cases, in which order. Empty text means all; team is a code, order may begin with -."""

    team: str = ""
    decision: str = ""
    grade: str = ""
    state: str = ""
    text: str = ""
    order: str = "need"
    page: int = 1

    def check(self) -> None:
        """Refuse words that no case can have, instead of finding none."""
        known = (
            ("decision", self.decision, ("", *DECISIONS)),
            ("grade", self.grade, ("", *(grade.value for grade in Grade))),
            ("state", self.state, ("", *STATES)),
            ("order", self.order.removeprefix("-"), tuple(ORDERS)),
        )
        faults = [
            Fault(f"expected one of {', '.join(filter(None, words))}", column=name, value=given)
            for name, given, words in known
            if given not in words
        ]
        if faults:
            raise InputError.of(faults)

    def of(self, cases: list[Case]) -> list[Case]:
        """The cases that fit, in order."""
        found = [case for case in cases if self._fit(case)]
        by = ORDERS[self.order.removeprefix("-")]
        return sorted(found, key=by, reverse=self.order.startswith("-"))

    def _fit(self, case: Case) -> bool:
        if self.decision == "veto" and not case.veto:
            return False
        if self.decision not in ("", "veto", case.decision, case.kind):
            return False
        if self.grade and self.grade not in (case.present, case.proposed):
            return False
        if self.state and self.state != case.state:
            return False
        text = self.text.strip().casefold()
        return text in case.code.casefold() or text in case.name.casefold()
