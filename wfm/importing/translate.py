"""A foreign table, chunk by chunk, into the forms its mapping names – still as text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from wfm.importing import columns
from wfm.importing.forms import FORMS
from wfm.importing.mapping import PLACE, Mapping, Output, Source

if TYPE_CHECKING:
    import pandas as pd


class Translator:
    """Translates the rows of one file; `tz` is where times without an offset are local."""

    def __init__(self, mapping: Mapping, tz: ZoneInfo) -> None:
        self.mapping = mapping
        self.tz = tz
        self._groups = [Groups(output) for output in mapping.outputs if output.one_per]

    def known(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns that are looked at, trimmed; cells that mean "unknown" made empty."""
        named = {*self.mapping.columns, *FORMS[self.mapping.kind].names}
        frame = frame[[column for column in frame.columns if column in named]]
        frame = frame.apply(columns.trimmed)
        unknown = list(self.mapping.unknown)
        return frame.mask(frame.isin(unknown), "") if unknown else frame

    def rows(self, frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Records that have a row of their own, by kind; the others are collected."""
        for groups in self._groups:
            groups.add(frame, self._translated(groups.output, frame), self._order(groups, frame))
        return {
            output.kind: self._translated(output, frame)
            for output in self.mapping.outputs
            if not output.one_per
        }

    def groups(self) -> dict[str, pd.DataFrame]:
        """Records that stand for groups of rows, when all rows have been seen."""
        return {groups.output.kind: groups.records() for groups in self._groups}

    def _translated(self, output: Output, frame: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        names = FORMS[output.kind].names
        made = {name: self._value(source, frame) for name, source in output.sources.items()}
        if output.kind == self.mapping.kind and not output.one_per:
            # columns that already bear our name need no mention
            made |= {n: frame[n] for n in names if n in frame.columns and n not in made}
        return pd.DataFrame(made, index=frame.index)

    def _value(self, source: Source, frame: pd.DataFrame) -> pd.Series:
        import pandas as pd

        if source.constant is not None:
            text = pd.Series(source.constant, index=frame.index, dtype="str")
        else:
            text = _filled(source.template, frame)
        if source.values or source.patterns or source.otherwise is not None:
            text = _looked_up(source, text)
        if source.multiply is not None:
            text = _multiplied(text, source.multiply)
        if source.add:
            text = self._later(text, source, frame)
        for column, listed in source.only.items():
            text = text.where(frame[column].isin(listed), "")
        for column, listed in source.unless.items():
            text = text.mask(frame[column].isin(listed), "")
        return text

    def _later(self, text: pd.Series, source: Source, frame: pd.DataFrame) -> pd.Series:
        """Times moved on by the seconds of other columns; what is no time stays as it is."""
        import pandas as pd

        moments, _ = columns.instants(text, self.tz, self.mapping.times)
        for name in source.add:
            seconds, _ = columns.numbers(frame[name])
            moments = moments + pd.to_timedelta(seconds, unit="s").astype("timedelta64[us]")
        return columns.iso(moments).where(moments.notna(), text)

    def _order(self, groups: Groups, frame: pd.DataFrame) -> pd.Series | None:
        if groups.output.ordered_by is None:
            return None
        return columns.instants(frame[groups.output.ordered_by], self.tz, self.mapping.times)[0]


def _filled(template: str, frame: pd.DataFrame) -> pd.Series:
    """The template with cells in its places; empty where one of them is."""
    import pandas as pd

    parts = PLACE.split(template)
    text = pd.Series(parts[0], index=frame.index, dtype="str")
    missing = pd.Series(False, index=frame.index)
    for column, literal in zip(parts[1::2], parts[2::2], strict=True):
        missing |= frame[column] == ""
        text = text + frame[column] + literal
    return text.mask(missing, "")


def _looked_up(source: Source, text: pd.Series) -> pd.Series:
    """Translated values; one that is not known stays (and is judged by the form)."""
    result = text.map(source.values)
    for pattern, word in source.patterns.items():
        hit = result.isna() & text.str.contains(pattern, regex=True)
        result = result.mask(hit, word)
    unknown = result.isna() & (text != "")
    result = result.mask(unknown, text if source.otherwise is None else source.otherwise)
    return result.fillna("").astype("str")


def _multiplied(text: pd.Series, factor: float) -> pd.Series:
    values, _ = columns.numbers(text)
    return (values * factor).map("{:.15g}".format).astype("str").where(values.notna(), text)


class Groups:
    """Collects, for each distinct key, the chosen value of every field.

    What is held stays small: per field one value for each key (per key and value for `most` and
    `all`), whatever the number of rows.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self._held: dict[str, pd.DataFrame] = {}
        self._rows: pd.Series | None = None

    def add(self, frame: pd.DataFrame, made: pd.DataFrame, order: pd.Series | None) -> None:
        """Take in more rows: `made` are their translated fields, `order` their times."""
        import pandas as pd

        keys = frame[str(self.output.one_per)]
        known = keys != ""
        seen = pd.Series(frame.index[known], index=keys[known]).groupby(level=0).min()
        both = seen if self._rows is None else pd.concat([self._rows, seen])
        self._rows = both.groupby(level=0).min()
        place = frame.index.to_series() if order is None else order
        for name in made.columns:
            new = pd.DataFrame({
                "key": keys, "value": made[name], "order": place, "row": frame.index, "count": 1,
            })[known & (made[name] != "")].reset_index(drop=True)  # fmt: skip
            held = pd.concat([self._held[name], new]) if name in self._held else new
            self._held[name] = self._reduced(name, held)

    def _reduced(self, name: str, held: pd.DataFrame) -> pd.DataFrame:
        take = self.output.sources[name].take
        if take in ("most", "all"):
            same = held.groupby(["key", "value"], sort=False)
            found = same.agg({"order": "min", "row": "min", "count": "sum"})
            return found.reset_index()
        ranked = ["order", "row"]
        if take == "highest":
            words = list((FORMS[self.output.kind].field(name).words or {}).values())
            held = held.assign(rank=held["value"].map({w: words.index(w) for w in words}))
            ranked = ["rank"]
        held = held.sort_values(ranked, kind="stable", na_position="last" if take == "first"
                                else "first")  # fmt: skip
        kept = held.drop_duplicates("key", keep="first" if take == "first" else "last")
        return kept.drop(columns="rank", errors="ignore")

    def records(self) -> pd.DataFrame:
        """One record per key; its row number is that of the first row of its group."""
        import pandas as pd

        if self._rows is None:
            return pd.DataFrame(columns=list(self.output.sources), dtype="str")
        fields = {name: self._chosen(name) for name in self.output.sources}
        table = pd.DataFrame(fields, index=self._rows.index).fillna("").astype("str")
        table.index = pd.Index(self._rows.to_numpy(), dtype="int64", name="row")
        # a group whose id came out empty stands for nothing
        named = table[FORMS[self.output.kind].key[0]] != ""
        return table[named].sort_index(kind="stable")

    def _chosen(self, name: str) -> pd.Series:
        held, take = self._held[name], self.output.sources[name].take
        if take == "most":
            held = held.sort_values(["count", "row"], ascending=[False, True], kind="stable")
            held = held.drop_duplicates("key")
        elif take == "all":
            return held.sort_values("row").groupby("key")["value"].agg(";".join)
        return held.set_index("key")["value"]
