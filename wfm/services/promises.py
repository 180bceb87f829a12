"""Which clause of which agreement a ticket's promise comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from wfm.tables import Agreement, AgreementTarget
from wfm.words import AgreementKind, AgreementStatus, Metric

Clauses = Mapping[tuple[int | None, int | None], str]
OWN = "promised with the ticket"


def clauses(session: Session) -> Clauses:
    """First-response clauses by service and priority (None: all), of the newest versions."""
    query = (
        select(Agreement, AgreementTarget)
        .join(AgreementTarget, col(AgreementTarget.agreement_id) == Agreement.id)
        .where(
            Agreement.kind == AgreementKind.SLA,
            Agreement.status == AgreementStatus.IN_FORCE,
            AgreementTarget.metric == Metric.FIRST_RESPONSE,
        )
        .order_by(Agreement.code, col(Agreement.version))
    )
    return {
        (agreement.service_id, target.priority): clause_name(agreement, target)
        for agreement, target in session.exec(query)
    }


def clause_name(agreement: Agreement, target: AgreementTarget) -> str:
    """Agreement, version, priority, limit and share; the same words in every language."""
    priority = f" P{target.priority}" if target.priority is not None else ""
    return (
        f"{agreement.code} v{agreement.version}{priority}: {target.limit_s / 60:g} min, "
        f"{target.share * 100:.0f} %"
    )


def behind(known: Clauses, service: int | None, priority: int) -> str:
    """The clause that covers a service's tickets of a priority; empty where there is none."""
    for key in ((service, priority), (service, None), (None, priority), (None, None)):
        if key in known:
            return known[key]
    return ""


def ranked(weights: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Clauses with their share of the contacts, the largest first; nameless ones as `OWN`."""
    sums: Counter[str] = Counter()
    for clause, weight in weights:
        sums[clause or OWN] += weight  # type: ignore[assignment]
    total = sum(sums.values()) or 1.0
    return sorted(
        ((clause, weight / total) for clause, weight in sums.items()),
        key=lambda pair: (-pair[1], pair[0]),
    )
