"""Mapping files: how the columns and values of a foreign file become ours.

`docs/importing.md` describes the form. Adapters are the mapping files shipped in `adapters/`.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from wfm.errors import Fault, InputError
from wfm.files import read_text
from wfm.importing.columns import zone
from wfm.importing.forms import FORMS

ADAPTERS = Path(__file__).parent / "adapters"
TAKES = ("first", "last", "most", "highest", "all")
PLACE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one field comes from.

    A value is a `template` of columns or a `constant`; then `values` and `patterns` (regular
    expressions) translate it, `otherwise` stands for what they do not know. It is left empty
    unless every column of `only` holds one of its values and none of `unless` does. `add` names
    columns of seconds added to a time. `take` chooses among the rows of a group.
    """

    template: str = ""
    constant: str | None = None
    values: MappingOf[str, str] = field(default_factory=dict)
    patterns: MappingOf[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    only: MappingOf[str, list[str]] = field(default_factory=dict)
    unless: MappingOf[str, list[str]] = field(default_factory=dict)
    add: tuple[str, ...] = ()
    multiply: float | None = None
    take: str = "first"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the file that is looked at."""
        placed = () if self.constant is not None else tuple(PLACE.findall(self.template))
        return (*placed, *self.only, *self.unless, *self.add)


@dataclass(frozen=True, slots=True)
class Output:
    """One kind of record a file yields.

    With `one_per` there is one record per distinct value of that column, its fields taken from
    the group's rows in the order of the time in `ordered_by` (or of the file). `only_new`
    records are left alone where they already exist.
    """

    kind: str
    sources: MappingOf[str, Source]
    one_per: str | None = None
    ordered_by: str | None = None
    only_new: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        looked_at = [name for source in self.sources.values() for name in source.columns]
        return tuple(dict.fromkeys([*filter(None, (self.one_per, self.ordered_by)), *looked_at]))


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping file; `kind` is the main one of `outputs`."""

    name: str
    kind: str
    outputs: tuple[Output, ...]
    title: MappingOf[str, str] = field(default_factory=dict)
    assumptions: tuple[MappingOf[str, str], ...] = ()
    separator: str = ","
    encoding: str = "utf-8"
    timezone: ZoneInfo | None = None
    times: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(output.kind for output in self.outputs)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the file must have."""
        return tuple(dict.fromkeys(name for output in self.outputs for name in output.columns))


def plain(kind: str) -> Mapping:
    """The mapping of a file that already has our form."""
    return Mapping(name="", kind=kind, outputs=(Output(kind, {}),))


def adapter_names() -> list[str]:
    return sorted(path.stem for path in ADAPTERS.glob("*.toml"))


def load_mapping(name: str) -> Mapping:
    """A mapping file by its path, or an adapter by its name.

    Raises
    ------
    InputError
        There is no such file or adapter, or it says something that is not understood.
    """
    path = Path(name)
    if not path.is_file():
        path = ADAPTERS / f"{name}.toml"
        if name not in adapter_names():
            raise InputError.of(
                [Fault("there is no such mapping file, nor an adapter of this name; adapters: "
                       + ", ".join(adapter_names()), name)]
            )  # fmt: skip
    try:
        content = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError.of([Fault(f"not a TOML file: {error}", path.name)]) from error
    reader = _Reader(path.name)
    mapping = reader.mapping(path.stem, content)
    if reader.faults:
        raise InputError.of(reader.faults)
    return mapping


class _Reader:
    """Reads one mapping and collects what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, where: str, message: str, value: object = None) -> None:
        shown = None if value is None else str(value)[:80]
        self.faults.append(Fault(message, self.file, None, where, shown))

    def mapping(self, name: str, content: dict[str, Any]) -> Mapping:
        outputs = tuple(self.output(kind, content.pop(kind)) for kind in FORMS if kind in content)
        kind = self.take(content, "kind", str, "")
        if not outputs:
            self.fault("kind", f"no table of records; expected one of {', '.join(FORMS)}")
        elif kind not in [output.kind for output in outputs]:
            self.fault("kind", "expected the main one of the kinds that have a table here", kind)
        timezone = self.take(content, "timezone", str, "")
        separator = self.take(content, "separator", str, ",")
        if len(separator) != 1:
            self.fault("separator", "expected one character", separator)
        mapping = Mapping(
            name=name, kind=kind, outputs=outputs,
            title=self.take(content, "title", dict, {}),
            assumptions=tuple(self.take(content, "assumptions", list, [])),
            separator=separator, encoding=self.encoding(content),
            timezone=self.timezone(timezone) if timezone else None,
            times=self.words(content, "times"), dates=self.words(content, "dates"),
            unknown=self.words(content, "unknown"),
        )  # fmt: skip
        self.nothing_left(content, "")
        return mapping

    def output(self, kind: str, content: object) -> Output:
        if not isinstance(content, dict):
            self.fault(kind, "expected a table")
            return Output(kind, {})
        fields = self.take(content, "fields", dict, {}, kind)
        known = FORMS[kind].names
        for name in fields:
            if name not in known:
                self.fault(f"{kind}.fields", f"unknown field; expected one of {', '.join(known)}",
                           name)  # fmt: skip
        output = Output(
            kind=kind,
            sources={
                name: self.source(f"{kind}.fields.{name}", value) for name, value in fields.items()
            },
            one_per=self.take(content, "one_per", str, "", kind) or None,
            ordered_by=self.take(content, "ordered_by", str, "", kind) or None,
            only_new=self.take(content, "only_new", bool, False, kind),
        )
        if output.only_new and kind not in ("agents", "tickets"):
            self.fault(f"{kind}.only_new", "only agents and tickets can be left as they are")
        self.nothing_left(content, f"{kind}.")
        return output

    def source(self, where: str, content: object) -> Source:
        if isinstance(content, str):
            return Source(template=f"{{{content}}}")
        if not isinstance(content, dict):
            self.fault(where, "expected the name of a column, or a table", content)
            return Source()
        column = self.take(content, "column", str, "", where)
        template = self.take(content, "template", str, "", where)
        constant = self.take(content, "constant", str, None, where)
        if sum((bool(column), bool(template), constant is not None)) != 1:
            self.fault(where, "expected exactly one of column, template and constant")
        source = Source(
            template=f"{{{column}}}" if column else template,
            constant=constant,
            values=self.texts(content, "values", where),
            patterns=self.texts(content, "patterns", where),
            otherwise=self.take(content, "otherwise", str, None, where),
            only=self.take(content, "only", dict, {}, where),
            unless=self.take(content, "unless", dict, {}, where),
            add=self.words(content, "add", where),
            multiply=self.take(content, "multiply", int | float, None, where),
            take=self.take(content, "take", str, "first", where),
        )
        self.check(source, where)
        self.nothing_left(content, f"{where}.")
        return source

    def check(self, source: Source, where: str) -> None:
        if source.take not in TAKES:
            self.fault(f"{where}.take", f"expected one of {', '.join(TAKES)}", source.take)
        for pattern in source.patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                self.fault(f"{where}.patterns", f"not a regular expression: {error}", pattern)
        for name in ("only", "unless"):
            for listed in getattr(source, name).values():
                if not isinstance(listed, list) or not all(isinstance(v, str) for v in listed):
                    self.fault(f"{where}.{name}", "expected lists of values by column", listed)

    def encoding(self, content: dict[str, Any]) -> str:
        name: str = self.take(content, "encoding", str, "utf-8")
        try:
            codecs.lookup(name)
        except LookupError:
            self.fault("encoding", "unknown encoding; expected a name such as gb18030", name)
        return name

    def timezone(self, name: str) -> ZoneInfo | None:
        try:
            return zone(name)
        except InputError as error:
            self.fault("timezone", error.faults[0].message, name)
            return None

    def words(self, content: dict[str, Any], key: str, where: str = "") -> tuple[str, ...]:
        listed = self.take(content, key, list, [], where)
        if not all(isinstance(item, str) for item in listed):
            self.fault(key, "expected a list of texts", listed)
            return ()
        return tuple(listed)

    def texts(self, content: dict[str, Any], key: str, where: str) -> dict[str, str]:
        table: dict[str, str] = self.take(content, key, dict, {}, where)
        if not all(isinstance(item, str) for item in table.values()):
            self.fault(f"{where}.{key}", "expected texts", table)
            return {}
        return table

    def take(
        self, content: dict[str, Any], key: str, kind: Any, default: Any, where: str = ""
    ) -> Any:
        """Remove and return one setting; one of the wrong type is a fault."""
        value = content.pop(key, default)
        if value is not default and not isinstance(value, kind):
            self.fault(f"{where}.{key}".lstrip("."), f"expected {_named(kind)}", value)
            return default
        return value

    def nothing_left(self, content: dict[str, Any], where: str) -> None:
        for key in content:
            self.fault(f"{where}{key}", "unknown setting")


def _named(kind: Any) -> str:
    names = {str: "a text", dict: "a table", list: "a list", bool: "true or false"}
    return names.get(kind, "a number")
