"""Records put right: what a correction says goes before what is recorded."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from sqlmodel import Session, col, select

from wfm.tables import RecordCorrection
from wfm.words import RecordKind

# the fields that may be corrected; the whole record may always be left out
FIELDS: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.TICKET: ("resolved", "independent", "reopened", "difficulty"),
    RecordKind.SURVEY: ("score",),
    RecordKind.REVIEW: ("score",),
    RecordKind.CONTRIBUTION: ("points",),
}
TRUTH = {"yes": True, "no": False}
YES_OR_NO = ("resolved", "independent", "reopened")
LEFT_OUT = ""  # stands for the whole record

Fixes = dict[str, dict[str, str | None]]


def fixes_of(session: Session, kind: RecordKind) -> Fixes:
    """Per record of a kind what its fields should be; the newest correction of a field holds."""
    found: Fixes = {}
    for row in session.exec(
        select(RecordCorrection)
        .where(RecordCorrection.kind == kind)
        .order_by(col(RecordCorrection.id))
    ):
        found.setdefault(row.record, {})[row.field] = row.value
    return found


def put_right(frame: pd.DataFrame, key: str, fixes: Mapping[str, dict[str, str | None]]) -> (
    pd.DataFrame
):  # fmt: skip
    """The frame with corrected values, without records that are to be left out."""
    known = frame[key].isin(fixes) if fixes else pd.Series(data=False, index=frame.index)
    if not known.any():
        return frame
    frame = frame.copy()
    gone = []
    for place, record in frame.loc[known, key].items():
        for field, value in fixes[record].items():
            if field == LEFT_OUT:
                gone.append(place)
            else:
                frame.at[place, field] = parsed(field, value)
    kept: pd.DataFrame = frame.drop(index=gone).reset_index(drop=True)
    return kept


def parsed(field: str, value: str | None) -> bool | float | None:
    """A corrected value as its field has it; None: not known."""
    if value is None or value == "":
        return None
    return TRUTH[value] if field in YES_OR_NO else float(value)
