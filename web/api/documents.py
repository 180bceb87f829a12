"""What services return, as documents: schemas are read from the types, never written twice.

A dataclass becomes an object of its fields and public properties. Of a row of the database only
the columns named in `TOLD` are told; of a row that is not named there nothing but its number.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from functools import cache, cached_property
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model

BOTH = "id code name_en name_zh"
# telephone numbers, days of hiring, secrets and texts of files stay inside
TOLD = {
    "AccessGrant": "id account_id role team_id purpose addresses starts_at ends_at asked_by "
                   "asked_at status decided_by decided_at reviewed_by reviewed_at withdrawn_by "
                   "withdrawn_at checklist",
    "AccountRole": "id role team_id site_id",
    "Account": "id name display_name language agent_id active",
    "Agent": "id code name capacity",
    "AgentAvailability": "id weekdays starts ends valid_from valid_until",
    "AgentRestriction": "id kind valid_from valid_until",
    "AgentSite": "id site_id reluctance",
    "AgentSkill": "id skill_id proficiency valid_from valid_until",
    "AgentRequest": "id kind first_day last_day leave_kind agreed_at text status made_at "
                    "decided_by decided_at answer",
    "Agreement": "id code version kind status name_en name_zh service_id customer_id provider "
                 "receiver parts supports thresholds reopening notices_at_night in_force_from "
                 "in_force_until reviewed_by reviewed_at signed_by_provider signed_by_receiver "
                 "seal",
    "AgreementTarget": "id metric priority limit_s unit calendar_id share source conditions",
    "ApiToken": "id name scopes made_at expires_at revoked_at",
    "AssessmentCycle": "id code period_from as_of status made_at review_until published_on "
                       "objections_until effective_on",
    "Assignment": "id day shift_code starts_at ends_at breaks mode kind post_id live",
    "AuditEntry": "id at actor action subject detail sha256",
    "BusinessCalendar": f"{BOTH} timezone definition",
    "ClockNotice": "id slot metric started_at percent reached_at raised_at tell raised_to",
    "Customer": "id code name",
    "DutyCheck": "item note done_by done_at",
    "DutyContact": "id name_en name_zh phone note",
    "DutyEvent": "id name_en name_zh first_day last_day burden",
    "DutyHandover": "id post_id day given_by_id taken_by_id note open_tickets given_at taken_at",
    "DutySwap": "id day before after reason made_by made_at undone_by undone_at",
    "DutyTable": "id first_day last_day proven month_wage published_at published_by reason "
                 "closed_at closed_by",
    "DutyWish": "day wants strength note made_at",
    "FairnessAnswer": "at answered_by flag text",
    "ForecastAdjustment": "id skill_id day_from day_until minute_from minute_until factor reason "
                          "made_by made_at withdrawn_by withdrawn_at",
    "GradeAppeal": "id filed_at filed_by text decision_id",
    "GradeDecision": "id assessment_id at decided_by action grade reason",
    "GradePolicy": "id code text sha256 added_at",
    "HouseRule": "id name kind parameters weight team_id source made_by made_at",
    "HolidayDuty": "day day_type name_en name_zh post_code burden",
    "Job": "id task status progress message details error result asked_by asked_at started_at "
           "ended_at",
    "Leave": "start_on end_on kind",
    "Post": f"{BOTH} role min_grade people mode reach_minutes site_id skill_id starts ends kind "
            "basis stays_in_town active",
    "QualityReview": "id case_code reviewed_on form score",
    "RecordCorrection": "id at corrected_by kind record field value reason",
    "Roster": "id team_id period_from period_until",
    "RosterLock": "day shift_code kind made_by reason",
    "RosterVersion": "id roster_id number status made_at made_by published_at published_by note",
    "SeriousEvent": "id on note recorded_at recorded_by",
    "RosterPreference": "id shift_codes wants weekdays strength made_by made_at",
    "RosterWish": "id day wants shift_code strength note made_by made_at",
    "Service": f"{BOTH} status owner review_on",
    "ShiftTemplate": f"{BOTH} starts ends paid_minutes breaks mode unpopular",
    "ShiftNeed": "id team_id shift_code weekdays skill_id min_grade min_level people",
    "Site": BOTH,
    "Skill": BOTH,
    "StaffingPlan": "id period_from period_until made_at facts",
    "Team": f"{BOTH} site_id",
    "Ticket": "id code title kind state priority min_grade opened_at first_response_at "
              "resolved_at due_at",
    "TicketEvent": "at kind note",
    "TicketHandover": "id given_by_id given_to_id note given_at given_signature taken_at "
                      "taken_signature",
    "Webhook": "id url events made_by made_at active failures disabled_at",
    "WebhookDelivery": "id code event body made_at attempts next_at tried_at delivered_at answer",
    "WatchDecision": "accepted reason decided_by decided_at",
}  # fmt: skip

# what pages reckon with but machines need not know, or may not
LEFT_OUT = {
    "AgentFacts": "phone hired_on night_consent overtime_consent",
    "CaseView": "policy",
    "DayPage": "slots",
    "Desk": "kept problem cells",
    "DutyPage": "contacts",
    "PersonPage": "all_sites all_skills shifts",
    "Queue": "rows cycles filters",
}


@cache
def document(kind: Any) -> Any:
    """The type a document of `kind` has."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return Union[tuple(document(part) for part in parts)]  # noqa: UP007 (a computed one)
    if origin is tuple and parts[-1] is not Ellipsis:
        return tuple[tuple(document(part) for part in parts)]  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _by_key(*parts)
    if isinstance(origin, type) and issubclass(origin, Set):
        return Annotated[list[document(parts[0])], BeforeValidator(sorted)]  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return list[document(parts[0])]  # type: ignore[misc]
    if isinstance(kind, type) and (is_dataclass(kind) or hasattr(kind, "__table__")):
        return _model(kind)
    return kind


def _by_key(key: Any, value: Any) -> Any:
    if get_origin(key) is tuple or isinstance(key, str):  # JSON has names only
        return Annotated[dict[str, document(value)], BeforeValidator(_joined)]  # type: ignore[misc]
    return dict[key, document(value)]  # type: ignore[misc]


def _joined(given: Mapping[Any, Any]) -> dict[str, Any]:
    return {",".join(map(str, key)): value for key, value in given.items()}


@cache
def _model(kind: type) -> type[BaseModel]:
    model: type[BaseModel] = create_model(
        _name(kind), __doc__=(kind.__doc__ or kind.__name__).split("\n\n")[0],
        __config__=ConfigDict(from_attributes=True, protected_namespaces=()),
        **{name: (document(hint), ...) for name, hint in _parts(kind).items()},
    )  # type: ignore[call-overload]  # fmt: skip
    return model


def _parts(kind: type) -> dict[str, Any]:
    """Names and types of what is told of a kind."""
    if not is_dataclass(kind):
        columns: Any = kind
        names = TOLD.get(kind.__name__, "id").split()
        return {name: columns.model_fields[name].annotation for name in names}
    hints = typing.get_type_hints(kind)
    told = {one.name: hints[one.name] for one in fields(kind)}
    for parent in kind.__mro__:
        for name, found in vars(parent).items():
            if isinstance(found, property | cached_property) and name not in told:
                read = found.func if isinstance(found, cached_property) else found.fget
                told[name] = typing.get_type_hints(read)["return"]
    left_out = LEFT_OUT.get(kind.__name__, "").split()
    return {name: hint for name, hint in told.items() if name not in left_out and name[0] != "_"}


_taken: dict[str, type] = {}


def _name(kind: type) -> str:
    """The name of a kind; with its module's where another kind has the name already."""
    if _taken.setdefault(kind.__name__, kind) is kind:
        return kind.__name__
    module = kind.__module__.rpartition(".")[2].title().replace("_", "")
    return f"{module}{kind.__name__}"
