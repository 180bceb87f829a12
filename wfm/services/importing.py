"""Imports: a file becomes rows of the desk, with a report that is kept."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, instants, jobs
from wfm.db import transaction
from wfm.errors import Fault, InputError, NotFoundError
from wfm.importing.columns import zone
from wfm.importing.forms import FORMS, Form
from wfm.importing.landing.calendar import land_calendar
from wfm.importing.landing.merge import Landed
from wfm.importing.landing.people import land_agents, land_leave
from wfm.importing.landing.quality import (
    land_contributions,
    land_reviews,
    land_serious_events,
    land_surveys,
)
from wfm.importing.landing.tickets import land_events, land_tickets, prepare_tickets
from wfm.importing.mapping import Mapping, Output, adapter_names, load_mapping, plain
from wfm.importing.read_in import SHARE_OF_READING, Read, Tell, read_in
from wfm.importing.reasons import in_chinese
from wfm.importing.report import SHOWN, Counts, ImportReport, Reason, rejects_gz
from wfm.importing.staging import Staging
from wfm.services import ticket_states
from wfm.settings import Settings
from wfm.tables import ImportRun, Job

ONE_AT_A_TIME = 8_203_118  # any constant: imports do not run into each other
SIMPLE = {
    "calendar": land_calendar, "leave": land_leave, "ticket-events": land_events,
    "surveys": land_surveys, "reviews": land_reviews, "contributions": land_contributions,
    "serious-events": land_serious_events,
}  # fmt: skip


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of imports."""

    id: int
    kind: str
    file_name: str
    mapping: str
    made_by: str
    made_at: datetime
    dry_run: bool
    counts: Counts


@dataclass(frozen=True)
class RunDetail:
    """One import with its whole report (see `ImportReport.document`)."""

    summary: RunSummary
    report: dict[str, Any]
    has_rejects: bool


def kinds() -> tuple[Form, ...]:
    """The forms of all kinds, in the order in which to import them."""
    return tuple(FORMS.values())


def adapters() -> tuple[Mapping, ...]:
    """The mappings shipped for known exports."""
    return tuple(load_mapping(name) for name in adapter_names())


def quietly(_share: float, _message: str) -> None:
    """Nobody listens."""


def run_import(
    session: Session,
    actor: access.Actor,
    path: Path,
    kind: str,
    *,
    at: datetime,
    timezone: str,
    mapping: str = "",
    dry_run: bool = False,
    file_name: str = "",
    tell: Tell = quietly,
) -> ImportReport:
    """Import one file: accepted rows land with the caller's transaction, all or none.

    Parameters
    ----------
    timezone : where times without an offset are local, unless the mapping says otherwise.
    mapping : path of a mapping file or name of an adapter; empty for a file in our form.
    tell : hears the share done (0–1) and a message; what it raises ends the import.

    Raises
    ------
    InputError
        The file or the mapping as a whole is wrong; nothing lands and no run is kept.
    """
    access.require(actor, "imports.run")
    chosen = _mapping(kind, mapping)
    tz = chosen.timezone or zone(timezone)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
    step = session.begin_nested()
    # asked for within the step: only then is there a savepoint for a dry run to go back to
    staging = Staging(session.connection())
    read = read_in(staging, path, chosen, tz, tell)
    today = instants.local_date(at, timezone)
    landed = {}
    for number, kind_of in enumerate(_in_order(chosen)):
        tell(SHARE_OF_READING + 0.35 * number / len(chosen.kinds), f"writing {kind_of}")
        landed[kind_of] = _land(staging, _output(chosen, kind_of), today)
        _mark_clocks(staging, kind_of, at)
    report = _report(staging, chosen, kind, file_name or path.name, dry_run, read, landed)
    if dry_run:
        step.rollback()
    else:
        step.commit()
    session.expire_all()
    tell(0.97, "keeping the report")
    return _keep(session, actor, at, path, report)


def _mapping(kind: str, name: str) -> Mapping:
    if kind not in FORMS:
        raise InputError.of([Fault(f"expected one of {', '.join(FORMS)}", column="KIND",
                                   value=kind)])  # fmt: skip
    if not name:
        return plain(kind)
    mapping = load_mapping(name)
    if kind not in mapping.kinds:
        made = " and ".join(mapping.kinds)
        raise InputError.of(
            [Fault(f"the mapping {mapping.name} makes {made}; name one of them", column="KIND",
                   value=kind)]
        )  # fmt: skip
    return mapping


def _in_order(mapping: Mapping) -> list[str]:
    return [kind for kind in FORMS if kind in mapping.kinds]


def _output(mapping: Mapping, kind: str) -> Output:
    return next(output for output in mapping.outputs if output.kind == kind)


def _land(staging: Staging, output: Output, today: Any) -> Landed:
    if output.kind == "agents":
        return land_agents(staging, today, output.only_new)
    if output.kind == "tickets":
        known, made = prepare_tickets(staging, output.only_new)
        # what events already on record say of a ticket goes before what the file says
        ticket_states.derive_into(staging.connection, "final_tickets")
        landed = land_tickets(staging)
        return replace(landed, unchanged=landed.unchanged + known, made=made)
    landed = SIMPLE[output.kind](staging)
    if output.kind == "ticket-events" and landed.added:
        new = "select ticket_ref from ready_ticket_events where existing is null"
        ticket_states.derive_of(staging.connection, new)
    return landed


def _mark_clocks(staging: Staging, kind: str, at: datetime) -> None:
    """The clock worker is to read the clocks of what landed."""
    landed = {
        "tickets": "select code from final_tickets",
        "ticket-events": "select ticket_id from ready_ticket_events where existing is null",
    }
    if kind in landed:
        staging.run(
            "update ticket set next_look_at = least(next_look_at, :at)"
            f" where code in ({landed[kind]}) and next_look_at is distinct from :at",
            at=at,
        )


def _report(
    staging: Staging, mapping: Mapping, kind: str, file: str, dry_run: bool, read: Read,
    landed: dict[str, Landed],
) -> ImportReport:  # fmt: skip
    rejected = {
        row.kind: row.times
        for row in staging.rows(
            "select kind, count(distinct line) as times from import_fault group by kind"
        )
    }
    counts = {
        name: Counts(read.records[name], done.added, done.changed, done.unchanged,
                     rejected.get(name, 0))
        for name, done in landed.items()
    }  # fmt: skip
    made: Counter[str] = Counter()
    for done in landed.values():
        made.update({name: number for name, number in done.made.items() if number})
    reasons = staging.rows(
        "select kind, col, reason, count(*) as times, min(line) as line from"
        " (select kind, col, line, regexp_replace(reason, 'row \\d+|\\d{4}-.*$', '…') as reason"
        " from import_fault) f group by kind, col, reason order by times desc, kind, col, reason"
        " limit 200"
    )
    order = "order by kind <> :kind, kind, line, col, reason"
    shown = staging.rows(f"select * from import_fault {order} limit {SHOWN}", kind=kind)
    return ImportReport(
        kind=kind, file=file, mapping=mapping.name, dry_run=dry_run, total=counts[kind],
        kinds=counts, made=dict(made), ignored_columns=read.ignored_columns,
        reasons=tuple(Reason(r.kind, r.col, r.reason, r.times, r.line) for r in reasons),
        rejects=tuple(
            (r.kind, Fault(r.reason, file, r.line, r.col or None, r.value or None)) for r in shown
        ),
        notes=tuple(note for done in landed.values() for note in done.notes),
        rejects_gz=_rejects(staging.connection, order, kind) if rejected else None,
    )  # fmt: skip


def _rejects(connection: sa.Connection, order: str, kind: str) -> bytes:
    rows = connection.execute(
        sa.text(f"select kind, line, col, value, reason from import_fault {order}"),
        {"kind": kind},
        execution_options={"yield_per": 5000},
    )
    return rejects_gz(rows)


def _keep(
    session: Session, actor: access.Actor, at: datetime, path: Path, report: ImportReport
) -> ImportReport:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    total = report.total
    run = ImportRun(
        kind=report.kind, file_name=report.file, file_sha256=digest, mapping=report.mapping,
        made_by=actor.name, made_at=at, dry_run=report.dry_run, rows=total.rows,
        added=total.added, changed=total.changed, unchanged=total.unchanged,
        rejected=total.rejected, rejects_csv_gz=report.rejects_gz,
    )  # fmt: skip
    session.add(run)
    session.flush()
    report = replace(report, run_id=run.id)
    run.report = report.document()
    if not report.dry_run:
        audit.record(
            session, at, actor.name, "import", f"import_run:{run.id}", kind=report.kind,
            file=report.file, sha256=digest, **total.document(),
        )  # fmt: skip
    session.flush()
    return report


def ask_import(
    session: Session, actor: access.Actor, path: Path, kind: str, *, at: datetime,
    mapping: str = "", dry_run: bool = False, file_name: str = "",
) -> Job:  # fmt: skip
    """Put an import on the queue; a wrong kind or mapping is said at once."""
    access.require(actor, "imports.run")
    _mapping(kind, mapping)
    arguments = {
        "path": str(path), "kind": kind, "mapping": mapping, "dry_run": dry_run,
        "asked_by": actor.name, "file_name": file_name or path.name,
    }  # fmt: skip
    return jobs.ask(session, "import", arguments, actor.name, at)


def run_job(
    engine: sa.Engine, progress: jobs.Progress, arguments: dict[str, Any]
) -> dict[str, Any]:
    """The worker's part: the right was checked when the import was asked for."""
    actor = replace(access.SYSTEM, name=arguments["asked_by"])
    with transaction(engine) as session:
        report = run_import(
            session, actor, Path(arguments["path"]), arguments["kind"],
            at=instants.now(),
            timezone=arguments.get("timezone") or Settings.from_environment().timezone,
            mapping=arguments.get("mapping") or "",
            dry_run=bool(arguments.get("dry_run")),
            file_name=arguments.get("file_name") or "",
            tell=progress.report,
        )  # fmt: skip
    return report.document()


def list_runs(session: Session, actor: access.Actor, limit: int = 100) -> Sequence[RunSummary]:
    """The newest imports first."""
    access.require(actor, "imports.view")
    runs = session.exec(select(ImportRun).order_by(col(ImportRun.id).desc()).limit(limit))
    return [_summary(run) for run in runs]


def get_run(session: Session, actor: access.Actor, run_id: int) -> RunDetail:
    access.require(actor, "imports.view")
    run = _run(session, run_id)
    return RunDetail(_summary(run), run.report, run.rejects_csv_gz is not None)


def reason_in(language: str, reason: str) -> str:
    """Why a row was rejected, in the reader's language (zh or en)."""
    return in_chinese(reason) if language == "zh" else reason


def rejects_csv(session: Session, actor: access.Actor, run_id: int, language: str = "en") -> bytes:
    """All rejected rows as CSV (UTF-8 with a mark for spreadsheets, formulas neutralised)."""
    access.require(actor, "imports.view")
    packed = _run(session, run_id).rejects_csv_gz
    if packed is None:
        raise NotFoundError(f"import {run_id} rejected no row")
    content = gzip.decompress(packed)
    return content if language == "en" else _with_reasons_in(language, content)


def _with_reasons_in(language: str, content: bytes) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    for number, row in enumerate(csv.reader(io.StringIO(content.decode("utf-8-sig")))):
        writer.writerow(row if number == 0 else [*row[:-1], reason_in(language, row[-1])])
    return table.getvalue().encode("utf-8-sig")


def _run(session: Session, run_id: int) -> ImportRun:
    run = session.get(ImportRun, run_id)
    if run is None:
        raise NotFoundError(f"there is no import {run_id}")
    return run


def _summary(run: ImportRun) -> RunSummary:
    assert run.id is not None
    counts = Counts(run.rows, run.added, run.changed, run.unchanged, run.rejected)
    return RunSummary(
        run.id, run.kind, run.file_name, run.mapping, run.made_by, run.made_at, run.dry_run, counts
    )
