"""`wfm grade`: grades from files, no database needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from grading.assess import Assessments
    from grading.evidence import Evidence
    from grading.explain import Explanation
    from grading.policy import GradePolicy
    from grading.wording import Language

MEASURES = ("value", "low", "high", "n")
DECIMALS = 6


@click.command()
@click.option(
    "--agents", required=True, type=click.Path(path_type=Path), help="agent_id, hired_on, grade …"
)
@click.option(
    "--cases",
    required=True,
    type=click.Path(path_type=Path),
    help="agent_id, resolved, satisfaction …",
)
@click.option("--reviews", type=click.Path(path_type=Path), help="agent_id, reviewer, score …")
@click.option(
    "--contributions", type=click.Path(path_type=Path), help="agent_id, on, kind, points …"
)
@click.option(
    "--as-of",
    "as_of",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Day of assessment; later records are not counted.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Grade policy in TOML; the default policy without.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Where the grades go, CSV."
)
@click.option("--explain", "agent", metavar="AGENT", help="Say why this agent's grade is proposed.")
@click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Language of reasons and explanations.",
)
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    help="Zone of the day of assessment and of times without an offset.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def grade(
    agents: Path,
    cases: Path,
    reviews: Path | None,
    contributions: Path | None,
    as_of: datetime,
    policy_file: Path | None,
    out: Path,
    agent: str | None,
    lang: Language,
    timezone: str,
    as_json: bool,
) -> None:
    """Grade agents from files.

    Example: wfm grade --agents agents.csv --cases cases.csv --reviews reviews.csv
    --as-of 2026-06-30 --out grades.csv --explain A017
    """  # fmt: skip
    from grading.assess import assess
    from grading.errors import GradingError
    from grading.evidence import gather
    from grading.explain import explain
    from grading.wording import explanation_text
    from wfm.errors import faults_of
    from wfm.files import write_whole
    from wfm.importing.columns import zone
    from wfm.importing.grading_files import read_grading_files

    policy = _policy(policy_file)
    files = read_grading_files(agents, cases, reviews, contributions, policy, zone(timezone))
    with faults_of(GradingError):
        evidence = gather(files.records, policy, as_of.date())
        assessments = assess(evidence, policy, files.history)
        explanation = (
            explain(agent, evidence, policy, assessments, files.history) if agent else None
        )
    warnings = [*files.warnings, *_notices(assessments, lang)]
    for warning in warnings:
        click.echo(warning, err=True)
    write_whole(out, grades_csv(evidence, assessments, lang))
    if as_json:
        click.echo(json.dumps(
            _document(as_of, policy, evidence, assessments, explanation, warnings, lang),
            ensure_ascii=False, indent=2,
        ))  # fmt: skip
        return
    click.echo(_summary(assessments, out))
    if explanation:
        click.echo("\n" + explanation_text(explanation, policy, lang))


def _policy(file: Path | None) -> GradePolicy:
    from grading.errors import GradingError
    from grading.policy import default_policy, load_policy
    from wfm.errors import faults_of
    from wfm.files import read_text

    if file is None:
        return default_policy()
    with faults_of(GradingError, file.name):
        return load_policy(read_text(file))


def _notices(assessments: Assessments, lang: Language) -> list[str]:
    from grading.wording import notice_text

    return [notice_text(notice, lang) for notice in assessments.notices]


def grades_csv(evidence: Evidence, assessments: Assessments, lang: Language) -> str:
    """The grades as CSV, agents in the order of their ids, six decimals."""
    from grading.policy import GRADES
    from grading.wording import short_reasons

    table = assessments.table
    shown = table[["grade", "previous_grade"]].copy()
    for name, column in zip(GRADES, _whole(table), strict=True):
        shown[f"probability_{name}"] = column
    shown["decision"] = table["decision"]
    shown["reasons"] = short_reasons(assessments, lang)
    for criterion, frame in evidence.criteria.items():
        for measure in MEASURES:
            column = frame[measure]
            if measure == "n":
                shown[f"{criterion}_n"] = column.astype(object).where(column > 0, "")
            else:
                shown[f"{criterion}_{measure}"] = column.round(DECIMALS)
    return str(shown.to_csv(index_label="agent_id", lineterminator="\n"))


def _whole(table: pd.DataFrame) -> Sequence[pd.Series]:
    """Rounded probabilities that still sum to one."""
    expert = table["probability_expert"].round(DECIMALS)
    ordinary = table["probability_ordinary"].round(DECIMALS)
    senior = (1 - expert - ordinary).round(DECIMALS).clip(lower=0) + 0.0
    return ordinary, senior, expert


def _document(
    as_of: datetime,
    policy: GradePolicy,
    evidence: Evidence,
    assessments: Assessments,
    explanation: Explanation | None,
    warnings: list[str],
    lang: Language,
) -> dict[str, Any]:
    from grading.assess import DECISIONS
    from grading.policy import GRADES
    from grading.wording import explanation_text

    table = assessments.table
    document: dict[str, Any] = {
        "as_of": as_of.date().isoformat(),
        "policy": {"name": policy.name, "version": policy.version},
        "agents": len(table),
        "grades": {g: int((table["grade"] == g).sum()) for g in GRADES},
        "decisions": {d: int((table["decision"] == d).sum()) for d in DECISIONS},
        "criteria": {
            name: {
                "agents_with_evidence": int((frame["n"] > 0).sum()),
                "agents_with_enough": int(frame["enough"].sum()),
                "records": int(frame["n"].sum()),
            }
            for name, frame in evidence.criteria.items()
        },
        "effects": {
            name: {level: round(effect, DECIMALS) for level, effect in levels.items()}
            for name, levels in sorted(evidence.effects.items())
        },
        "warnings": warnings,
    }
    if explanation:
        figures = evidence.beside.loc[explanation.agent_id].to_dict()
        document["explanation"] = _rounded(asdict(explanation)) | {
            "beside": {str(k): _rounded(v) if v == v else None for k, v in figures.items()},
            "text": explanation_text(explanation, policy, lang),
        }
    return document


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value


def _summary(assessments: Assessments, out: Path) -> str:
    from grading.assess import DECISIONS
    from grading.policy import GRADES

    table = assessments.table
    lines = [f"{len(table)} agents graded; written to {out}"]
    for name, words in (("present_grade", "before"), ("grade", "now")):
        counts = ", ".join(f"{g} {int((table[name] == g).sum())}" for g in GRADES)
        lines.append(f"{words:>8}: {counts}")
    moves = ", ".join(f"{d} {int((table['decision'] == d).sum())}" for d in DECISIONS)
    lines.append(f"decisions: {moves}")
    return "\n".join(lines)
