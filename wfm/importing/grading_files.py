"""The files of `wfm grade` as the grading kernel wants them: checked, typed, dates local."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wfm.errors import Fault, InputError
from wfm.importing import columns, plain
from wfm.importing.forms import GRADES as GRADE_WORDS
from wfm.importing.tabular import DAMAGED, read_table

if TYPE_CHECKING:
    from grading.policy import GradePolicy
    from grading.records import Records
    from wfm.importing.columns import Converted

CASE_KEY = ("case_id", "agent_id")
FLAGS = ("resolved", "independent", "reopened", "handed_up")
TIMES = ("opened_at", "resolved_at", "reopened_at")
REPEATED = 4  # rows per distinct value from which converting the distinct ones pays


@dataclass(frozen=True, slots=True)
class GradingFiles:
    """Records for the kernel, the grades now held, and what was passed over in the files."""

    records: Records
    history: pd.DataFrame
    warnings: tuple[str, ...]


def read_grading_files(
    agents: Path,
    cases: Path,
    reviews: Path | None,
    contributions: Path | None,
    policy: GradePolicy,
    tz: ZoneInfo,
) -> GradingFiles:
    """Read and check all files; every fault of all of them is reported together.

    Raises
    ------
    InputError
        A file cannot be read as a table or holds values that do not fit.
    """
    from grading.records import Records

    reader = _Reader(tz)
    people, history = reader.agents(agents)
    records = Records(
        agents=people,
        cases=reader.cases(cases, policy),
        reviews=reader.reviews(reviews, policy) if reviews else None,
        contributions=reader.contributions(contributions) if contributions else None,
    )
    if reader.faults:
        order = {fault.file: n for n, fault in reversed(list(enumerate(reader.faults)))}
        raise InputError.of(
            sorted(reader.faults, key=lambda fault: (order[fault.file], fault.row or 0))
        )
    return GradingFiles(records, history, tuple(reader.warnings))


class _Reader:
    """Collects faults and warnings over all files."""

    def __init__(self, tz: ZoneInfo) -> None:
        self.tz = tz
        self.faults: list[Fault] = []
        self.warnings: list[str] = []

    def agents(self, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
        file = path.name
        table = self._once(read_table(path, ("agent_id",)), "agent_id", file)
        ids = self._take(file, columns.identifiers(table["agent_id"]))
        if not len(table):
            self.faults.append(Fault("no agents are listed; at least one is expected", file))
        people = pd.DataFrame({"agent_id": ids.to_numpy()})
        if "hired_on" in table:
            hired = self._take(file, columns.dates(table["hired_on"]))
            people["hired_on"] = hired.to_numpy()
        if "break_days" in table:
            pause = self._take(file, columns.numbers(table["break_days"], low=0))
            people["break_days"] = pause.to_numpy(dtype=float)
        history = pd.DataFrame({"agent_id": ids.to_numpy(), "grade": None}, dtype=object)
        if "grade" in table:
            grade = self._take(file, columns.choices(table["grade"], GRADE_WORDS))
            history["grade"] = grade.astype(object).where(grade.notna(), None).to_numpy()
        for name in ("cycles", "serious_events"):
            if name in table:
                given = self._take(file, columns.numbers(table[name], low=0))
                history[name] = given.to_numpy(dtype=float)
        return people, history

    def cases(self, path: Path, policy: GradePolicy) -> pd.DataFrame:
        """The quick way where the file allows it; the careful one names what is wrong."""
        quick = _Reader(self.tz)
        with suppress(plain.NotPlain, OSError, *DAMAGED):
            result = quick._typed_cases(quick._plain_cases(path, policy), path.name, policy)
            if not quick.faults:
                self.warnings += quick.warnings
                return result
        return self._typed_cases(self._careful_cases(path), path.name, policy)

    def _plain_cases(self, path: Path, policy: GradePolicy) -> pd.DataFrame:
        """The columns that count, text as categories and times as days."""
        file = path.name
        words = {"agent_id", "tier", "satisfaction", *FLAGS, *policy.case_mix}
        found = plain.read_plain(path, words, TIMES, CASE_KEY, self.tz)
        if "agent_id" not in found.frame:
            raise plain.NotPlain
        owned = (found.frame["agent_id"] != "").to_numpy()
        self._without_owner(~owned, file)
        kept = owned.copy()
        if len(found.keys):
            likely = pd.Series(found.keys).duplicated(keep=False).to_numpy()
            likely = likely & owned & (found.keys != 0)
            if likely.any():
                kept[likely] = self._first_of(plain.rows_again(path, likely), file)
        return found.frame if kept.all() else found.frame[kept]

    def _first_of(self, table: pd.DataFrame, file: str) -> NDArray[np.bool_]:
        """Which of these rows count: the first of every set of like ones."""
        table = table.assign(agent_id=columns.trimmed(table["agent_id"]))
        once = self._once(table, "case_id", file)
        self._conflicts(once, list(CASE_KEY), file)
        return table.index.isin(once.index)

    def _careful_cases(self, path: Path) -> pd.DataFrame:
        file = path.name
        table = self._owned(read_table(path, ("agent_id",)), file)
        table = self._once(table, "case_id", file)
        self._conflicts(table, list(CASE_KEY), file)
        return table

    def _typed_cases(self, table: pd.DataFrame, file: str, policy: GradePolicy) -> pd.DataFrame:
        result = pd.DataFrame({"agent_id": table["agent_id"].astype("category")})
        times = [
            self._days(table[name], file) for name in ("opened_at", "resolved_at") if name in table
        ]
        if len(times) == 2:
            backwards = int((times[1] < times[0]).sum())
            if backwards:
                self.warnings.append(
                    f"{file}: {backwards} cases are resolved on a day before they were opened; "
                    "they count on the day they were opened"
                )
            times[1] = times[1].where(times[1] >= times[0], times[0])
        if times:
            result["on"] = times[-1].fillna(times[0])
        for name in FLAGS:
            if name in table:
                result[name] = self._take(file, _distinctly(table[name], columns.booleans))
        if "reopened_at" in table and "resolved_at" in table:
            back = self._days(table["reopened_at"], file)
            result["reopened_after_days"] = (back - times[-1]).dt.days
        if "tier" in table:  # a column of other words is of no use, and no fault
            result["tier"] = _distinctly(table["tier"], _tiers)[0]
        if "satisfaction" in table:
            scale = partial(columns.numbers, low=policy.surveys.lowest, high=policy.surveys.highest)
            result["satisfaction"] = self._take(file, _distinctly(table["satisfaction"], scale))
        for name in policy.case_mix:
            if name in table:
                result[name] = _factor(table[name])
        return result

    def reviews(self, path: Path, policy: GradePolicy) -> pd.DataFrame:
        file = path.name
        table = self._owned(read_table(path, ("agent_id", "score")), file)
        table = self._once(table, "review_id", file)
        self._conflicts(table, ["review_id"], file)
        result = pd.DataFrame({"agent_id": table["agent_id"]})
        low, high = policy.reviews.lowest, policy.reviews.highest
        result["score"] = self._take(file, columns.numbers(table["score"], low, high))
        if "reviewed_on" in table:
            result["on"] = self._take(file, columns.dates(table["reviewed_on"]))
        for name in ("reviewer", "form", "case_id"):
            if name in table:
                result[name] = table[name].str.strip()
        return result

    def contributions(self, path: Path) -> pd.DataFrame:
        file = path.name
        table = self._owned(read_table(path, ("agent_id",)), file)
        table = self._once(table, "on", file)  # a contribution has no id; its day stands for it
        result = pd.DataFrame({"agent_id": table["agent_id"]})
        if "on" in table:
            result["on"] = self._take(file, columns.dates(table["on"]))
        if "kind" in table:
            result["kind"] = table["kind"].str.strip()
        if "points" in table:
            result["points"] = self._take(file, columns.numbers(table["points"], low=0))
        return result

    def _once(self, table: pd.DataFrame, key: str, file: str) -> pd.DataFrame:
        """Rows that repeat another one in every column count once, if they carry an id at all."""
        if key not in table:
            return table
        again = (table[key].str.strip() != "") & table.duplicated()
        if again.any():
            self.warnings.append(f"{file}: {int(again.sum())} repeated rows are counted once")
        return table[~again]

    def _owned(self, table: pd.DataFrame, file: str) -> pd.DataFrame:
        """Rows that name an agent."""
        owner, _ = _distinctly(table["agent_id"], lambda column: (column.str.strip(), []))
        table = table.assign(agent_id=owner)
        nobody = owner == ""
        self._without_owner(nobody.to_numpy(), file)
        return table[~nobody]

    def _without_owner(self, nobody: NDArray[np.bool_], file: str) -> None:
        if nobody.any():
            self.warnings.append(f"{file}: {int(nobody.sum())} rows without an agent are left out")

    def _conflicts(self, table: pd.DataFrame, key: list[str], file: str) -> None:
        """The same id with different content cannot both be true."""
        if not set(key) <= set(table.columns):
            return
        named = table[table[key[0]].str.strip() != ""]
        again = named.duplicated(key)
        message = "this id already stands in another row with other values"
        self.faults += [
            Fault(message, file, int(row), key[0], str(value))
            for row, value in named.loc[again, key[0]].items()
        ]

    def _days(self, column: pd.Series, file: str) -> pd.Series:
        if pd.api.types.is_datetime64_dtype(column):
            return column
        moment = self._take(file, _distinctly(column, partial(columns.instants, tz=self.tz)))
        day: pd.Series = moment.dt.tz_convert(self.tz).dt.tz_localize(None).dt.normalize()
        return day

    def _take(self, file: str, converted: tuple[pd.Series, list[Fault]]) -> pd.Series:
        values, faults = converted
        self.faults += [Fault(f.message, file, f.row, f.column, f.value) for f in faults]
        return values


def _distinctly(column: pd.Series, convert: Callable[[pd.Series], Converted]) -> Converted:
    """Convert each value that occurs once, not each of a million rows; faults name every row."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, distinct = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, distinct = pd.factorize(column)
        if len(distinct) * REPEATED >= len(column):
            return convert(column)
    values, faults = convert(pd.Series(distinct, name=column.name))
    if faults and not isinstance(column.dtype, pd.CategoricalDtype):
        return convert(column)
    return values.take(codes).set_axis(column.index), faults


def _tiers(column: pd.Series) -> Converted:
    return column.str.strip().str.lower().map(GRADE_WORDS).astype("category"), []


def _factor(column: pd.Series) -> pd.Series:
    """Numbers where all are numbers (the kernel cuts them), else names."""
    return _distinctly(column, _numbers_or_names)[0]


def _numbers_or_names(column: pd.Series) -> Converted:
    text = column.str.strip()
    given = text != ""
    numbers = pd.to_numeric(text.where(given), errors="coerce")
    if given.any() and not (given & numbers.isna()).any():
        return numbers, []
    return text.where(given).astype("category"), []
