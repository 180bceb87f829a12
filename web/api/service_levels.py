"""Service levels: catalogue, agreements with their whole life, notices, monthly reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, Field

from web.api.calls import Called
from web.api.fields import Asked, Day, Name, Number, Text, Wanted
from web.api.operations import Operations
from web.deps import XLSX, attachment
from wfm.errors import ConflictError
from wfm.services import (
    agreement_drafts,
    agreement_facts,
    agreement_versions,
    clock_pages,
    service_catalogue,
    service_reports,
)
from wfm.services.agreement_drafts import TargetInput
from wfm.services.agreement_facts import AgreementPage
from wfm.services.clock_pages import NoticeRow
from wfm.services.service_catalogue import CatalogueRow
from wfm.services.service_reports import Report, Scope
from wfm.tables import Agreement, Service
from wfm.words import AgreementKind, Metric, Reopening, ServiceStatus

api = Operations("service levels")
LONGEST_PART = agreement_drafts.LONGEST_TEXT
Short = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Part = Annotated[str, Field(max_length=LONGEST_PART, pattern=r"^[^\x00]*$")]
Month = Annotated[
    str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="a month", examples=["2026-10"])
]


class NewService(Wanted):
    """A service of the catalogue."""

    code: Name = Field(min_length=1, examples=["broadband"])
    name_en: Short = Field(examples=["Broadband"])
    name_zh: Short = Field(examples=["宽带"])
    status: ServiceStatus = ServiceStatus.PIPELINE
    owner: Short = ""
    review_on: Day | None = None
    anyway: bool = Field(False, description="though one is named nearly so already")


class NewAgreement(Wanted):
    """A new version, copied from the newest one of this code where there is one."""

    code: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00]*$", examples=["SLA-BB"])
    kind: AgreementKind = AgreementKind.SLA
    service: Name = Field("", examples=["broadband"])
    customer: Name = ""


class Draft(Wanted):
    """What of a draft is changed; what is left out stays."""

    language: Literal["en", "zh"] = "zh"
    name_en: Short | None = None
    name_zh: Short | None = None
    provider: Short | None = None
    receiver: Short | None = None
    supports: Part | None = Field(None, description="what stands beneath it",
                                  examples=["OLA-NET + UC-FIBRE"])  # fmt: skip
    reopening: Reopening | None = None
    notices_at_night: bool | None = None
    parts: dict[str, Part] = Field(
        default_factory=dict, max_length=20, description="parts of the text by their codes",
        examples=[{"scope": "all broadband lines"}],
    )  # fmt: skip

    @property
    def values(self) -> dict[str, Any]:
        said = self.model_dump(exclude={"language", "parts"})
        return {name: value for name, value in said.items() if value is not None}


class Target(Wanted):
    """metric + limit + unit + calendar + source, for one priority or for all."""

    metric: Metric
    limit: float = Field(gt=0, le=366 * 86400, allow_inf_nan=False, examples=[30])
    unit: Literal["second", "minute", "hour"]
    calendar: Name = Field(examples=["desk"])
    source: Short = Field("", examples=["contract 7.2"])
    priority: int | None = Field(None, ge=1, le=9)
    share: float = Field(0.9, gt=0, le=1, allow_inf_nan=False)


class Targets(Wanted):
    """All targets of a draft."""

    targets: list[Target] = Field(max_length=200)


class ReviewVerdict(Wanted):
    """The end of a compliance review."""

    passes: bool
    note: Text = ""


class Signature(Wanted):
    """One party signs; the second signature needs the first day in force."""

    party: Literal["provider", "receiver"]
    name: Short = Field(min_length=1, examples=["Wang Fang"])
    in_force_from: Day | None = None


class Sealed(BaseModel):
    """A sealed version with the hash of its document, and whether the two match on this desk."""

    document: dict[str, Any]
    seal: str
    intact: bool = Field(description="the seal is that of the document, and of what counts here")
    faults: list[dict[str, str]] = Field(description="what does not match, by language")


@api.read("/services")
def services(call: Called) -> Sequence[CatalogueRow]:
    """The service catalogue with its agreements, live services first."""
    return service_catalogue.catalogue(call.session, call.actor, call.today)


@api.write("/services", method="PUT")
def save_service(call: Called, wanted: NewService) -> Service:
    """Add or change a service."""
    saved, alike = service_catalogue.save_service(
        call.session, call.actor, call.at, **wanted.model_dump()
    )
    if saved is None:
        raise ConflictError(f"named nearly like {', '.join(alike)}; say anyway to add it")
    return saved


@api.read("/agreements")
def agreements(call: Called) -> Sequence[Agreement]:
    """Agreements that are not superseded: those of services, then those several rest on."""
    rows = service_catalogue.catalogue(call.session, call.actor, call.today)
    general = service_catalogue.general_agreements(call.session, call.actor)
    return [*(one for row in rows for one in row.agreements), *general]


@api.write("/agreements", status=201)
def draft(call: Called, wanted: NewAgreement) -> Agreement:
    """Draft a new version."""
    return agreement_drafts.draft(call.session, call.actor, wanted.code, wanted.kind, call.at,
                                  wanted.service, wanted.customer)  # fmt: skip


@api.read("/agreements/{agreement}")
def agreement(call: Called, agreement: Number) -> AgreementPage:
    """One version: text, targets with what the records say, open points, checks, warnings."""
    return agreement_facts.page(call.session, call.actor, agreement, call.at, call.timezone)


@api.write("/agreements/{agreement}", method="PATCH", guard=agreement, guarded=True)
def edit(call: Called, agreement: Number, wanted: Draft) -> Agreement:
    """Change the text of a draft, as it was read."""
    return agreement_drafts.edit(
        call.session, call.actor, agreement, call.at, language=wanted.language,
        values=wanted.values, parts=wanted.parts,
    )  # fmt: skip


@api.write("/agreements/{agreement}", method="DELETE", guard=agreement)
def discard(call: Called, agreement: Number) -> None:
    """Discard a draft with its targets; what has been submitted goes back to a draft first."""
    agreement_drafts.discard(call.session, call.actor, agreement, call.at)


@api.write("/agreements/{agreement}/targets", method="PUT", guard=agreement, guarded=True)
def set_targets(call: Called, agreement: Number, wanted: Targets) -> None:
    """The targets of a draft are these, instead of those that were read."""
    rows = [TargetInput(**{**one.model_dump(), "metric": one.metric.value})
            for one in wanted.targets]  # fmt: skip
    agreement_drafts.set_targets(call.session, call.actor, agreement, rows, call.at)


@api.write("/agreements/{agreement}/submit", guard=agreement)
def submit(call: Called, agreement: Number) -> None:
    """Hand a draft to the compliance review: complete, measurable, feasible."""
    agreement_versions.submit(call.session, call.actor, agreement, call.at, call.today)


@api.write("/agreements/{agreement}/review", guard=agreement)
def review(call: Called, agreement: Number, wanted: ReviewVerdict) -> None:
    """End the compliance review."""
    agreement_versions.review(call.session, call.actor, agreement, call.at, passes=wanted.passes,
                              note=wanted.note)  # fmt: skip


@api.write("/agreements/{agreement}/sign", guard=agreement)
def sign(call: Called, agreement: Number, wanted: Signature) -> Agreement:
    """Sign for one party; with the second signature the version is sealed."""
    return agreement_versions.sign(
        call.session, call.actor, agreement, wanted.party, wanted.name, call.at, call.today,
        wanted.in_force_from,
    )  # fmt: skip


@api.read("/agreements/{agreement}/sealed")
def sealed(call: Called, agreement: Number) -> Sealed:
    """The sealed document, to be verified anywhere."""
    return Sealed(**agreement_versions.export(call.session, call.actor, agreement))


@api.read("/clocks")
def clocks(call: Called) -> dict[str, int]:
    """How many clocks are in each state now."""
    return clock_pages.running(call.session, call.actor)


@api.read("/notices")
def notices(call: Called, tell: Asked = "") -> Sequence[NoticeRow]:
    """Who was told that a clock reached a threshold, newest first."""
    return clock_pages.notices(call.session, call.actor, tell)


def _scope(month: str, service: str, customer: str) -> Scope:
    return Scope(date.fromisoformat(f"{month}-01"), service, customer)


@api.read("/service-report")
def report(call: Called, month: Month, service: Asked = "", customer: Asked = "") -> Report:
    """A month: met, missed, paused time, reasons, trend, by service and customer."""
    scope = _scope(month, service, customer)
    return service_reports.monthly(call.session, call.actor, scope, call.timezone, call.at)


@api.read("/service-report.xlsx", media=XLSX)
def report_xlsx(call: Called, month: Month, service: Asked = "", customer: Asked = "") -> Response:
    """The same as a workbook."""
    found = report(call, month, service, customer)
    content = service_reports.workbook(found, call.language)
    return attachment(content, XLSX, f"service-levels-{month}.xlsx")
