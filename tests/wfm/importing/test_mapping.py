"""Mapping files: what they may say, what they do, and how a wrong one is told."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfm.errors import InputError
from wfm.importing.forms import FORMS
from wfm.importing.mapping import Mapping, Output, Source, adapter_names, load_mapping, plain
from wfm.importing.translate import Translator

UTC = ZoneInfo("UTC")


def loaded(folder: Path, text: str) -> Mapping:
    path = folder / "map.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(str(path))


def faults_of(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        loaded(folder, text)
    return "\n".join(caught.value.lines())


def table(**columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(columns, dtype="str")
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame


def translated(mapping: Mapping, *frames: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The records of a file that comes in pieces."""
    translator = Translator(mapping, UTC)
    rows = [translator.rows(translator.known(frame)) for frame in frames]
    direct = {kind: pd.concat([piece[kind] for piece in rows]) for kind in rows[0]}
    return direct | translator.groups()


def agents(folder: Path, fields: str, frame: pd.DataFrame, settings: str = "") -> pd.DataFrame:
    mapping = loaded(folder, f'kind = "agents"\n{settings}\n[agents.fields]\n{fields}')
    return translated(mapping, frame)["agents"]


def test_columns_are_renamed_and_our_own_names_need_no_mention(tmp_path: Path) -> None:
    made = agents(tmp_path, 'agent_id = "工号"', table(工号=["1"], name=["Ann"], other=["x"]))
    assert made.to_dict("records") == [{"agent_id": "1", "name": "Ann"}]


def test_values_patterns_and_what_neither_knows(tmp_path: Path) -> None:
    frame = table(id=["1", "2", "3", "4"], rank=["A", "head B", "C", ""])
    fields = (
        'agent_id = "id"\n[agents.fields.grade]\ncolumn = "rank"\n'
        'values = { A = "expert" }\npatterns = { "^head" = "senior" }\n'
    )
    # C is known to neither: it stays and the form will judge it; an empty cell stays empty
    assert agents(tmp_path, fields, frame)["grade"].tolist() == ["expert", "senior", "C", ""]
    fields += 'otherwise = "ordinary"\n'
    made = agents(tmp_path, fields, frame)["grade"].tolist()
    assert made == ["expert", "senior", "ordinary", ""]


def test_templates_constants_and_unknown_markers(tmp_path: Path) -> None:
    frame = table(site=["SH", "?"], no=["7", "8"])
    fields = 'agent_id = { template = "{site}-{no}" }\nteam = { constant = "T1" }'
    made = agents(tmp_path, fields, frame, 'unknown = ["?"]')
    # a template with an unknown part is unknown
    assert made["agent_id"].tolist() == ["SH-7", ""]
    assert made["team"].tolist() == ["T1", "T1"]


def test_only_and_unless(tmp_path: Path) -> None:
    frame = table(id=["1", "2", "3"], role=["agent", "robot", "lead"])
    fields = 'agent_id = { column = "id", unless = { role = ["robot"] } }\n'
    fields += 'team = { column = "role", only = { role = ["lead"] } }'
    made = agents(tmp_path, fields, frame)
    assert made["agent_id"].tolist() == ["1", "", "3"]
    assert made["team"].tolist() == ["", "", "lead"]


def test_seconds_are_added_and_numbers_multiplied() -> None:
    mapping = Mapping("", "tickets", (Output("tickets", {
        "resolved_at": Source("{d} {t}", add=("q", "s")),
        "handle_s": Source("{minutes}", multiply=60),
    }),), times=("%y%m%d %H:%M:%S",))  # fmt: skip
    frame = table(d=["990201", "990201"], t=["23:59:30", "noon"], q=["20", "1"], s=["15", "1"],
                  minutes=["2.5", "?"])  # fmt: skip
    made = translated(mapping, frame)["tickets"]
    # 23:59:30 + 20 s + 15 s = 00:00:05 on the next day; what is no time or number stays as it is
    assert made["resolved_at"].tolist() == ["1999-02-02T00:00:05.000000+00:00", "990201 noon"]
    assert made["handle_s"].tolist() == ["150", "?"]


GROUPED = """
kind = "ticket-events"
[agents]
one_per = "who"
[agents.fields]
agent_id = "who"
team = { column = "team", take = "most" }
skills = { column = "skill", take = "all" }
grade = { column = "grade", take = "highest" }
[tickets]
one_per = "case"
ordered_by = "at"
[tickets.fields]
ticket_id = "case"
opened_at = "at"
category = { column = "skill", take = "last" }
[ticket-events.fields]
ticket_id = "case"
"""


def log() -> pd.DataFrame:
    return table(
        case=["c1", "c1", "c2", "c1"],
        # the third row of c1 is the earliest
        at=["2026-01-02T00:00Z", "2026-01-03T00:00Z", "2026-01-01T00:00Z", "2026-01-01T12:00Z"],
        who=["ann", "ann", "", "ann"],
        team=["x", "y", "z", "y"],
        skill=["s2", "s1", "s3", ""],
        grade=["senior", "ordinary", "expert", "senior"],
    )


@pytest.mark.parametrize("pieces", [[4], [1, 3], [2, 2], [1, 1, 1, 1]])
def test_groups_over_any_pieces(tmp_path: Path, pieces: list[int]) -> None:
    frame, start, cut = log(), 0, []
    for size in pieces:
        cut.append(frame.iloc[start : start + size])
        start += size
    made = translated(loaded(tmp_path, GROUPED), *cut)
    # ann: rows 2, 3 and 5; y twice, x once; nobody (row 4) is no agent
    assert made["agents"].to_dict("records") == [
        {"agent_id": "ann", "team": "y", "skills": "s2;s1", "grade": "senior"}
    ]
    assert made["agents"].index.tolist() == [2]
    # c1 begins with row 5 by time; its last known skill is that of row 3
    assert made["tickets"].loc[2].tolist() == ["c1", "2026-01-01T12:00Z", "s1"]
    assert made["tickets"].loc[4].tolist() == ["c2", "2026-01-01T00:00Z", "s3"]
    assert made["ticket-events"]["ticket_id"].tolist() == ["c1", "c1", "c2", "c1"]


def test_a_group_whose_id_is_left_empty_is_none(tmp_path: Path) -> None:
    text = 'kind = "agents"\n[agents]\none_per = "who"\n[agents.fields]\n'
    text += 'agent_id = { column = "who", unless = { who = ["ROBOT"] } }'
    made = translated(loaded(tmp_path, text), table(who=["ROBOT", "ann"]))
    assert made["agents"]["agent_id"].tolist() == ["ann"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind = ", "not a TOML file"),
        ('kind = "agents"', "no table of records"),
        ('kind = "tickets"\n[agents.fields]\nagent_id = "x"', "expected the main one"),
        ('kind = "agents"\n[agents.fields]\nage = "x"', "unknown field"),
        ('kind = "agents"\ncolour = 1\n[agents.fields]\nagent_id = "x"', "unknown setting"),
        ('kind = "agents"\n[agents.fields]\nagent_id = { colum = "x" }', "exactly one of"),
        ('kind = "agents"\n[agents.fields]\nagent_id = 7', "the name of a column"),
        ('kind = "agents"\n[agents.fields]\nagent_id = { column = "x", take = "best" }',
         "expected one of first, last"),
        ('kind = "agents"\n[agents.fields]\nagent_id = { column = "x", patterns = { "(" = "y" } }',
         "not a regular expression"),
        ('kind = "agents"\n[agents.fields]\nagent_id = { column = "x", only = { y = "z" } }',
         "expected lists of values"),
        ('kind = "agents"\ntimezone = "Mars/Base"\n[agents.fields]\nagent_id = "x"',
         "unknown time zone"),
        ('kind = "agents"\nencoding = "latin-99"\n[agents.fields]\nagent_id = "x"',
         "unknown encoding"),
        ('kind = "agents"\nseparator = "::"\n[agents.fields]\nagent_id = "x"', "one character"),
        ('kind = "agents"\nunknown = "?"\n[agents.fields]\nagent_id = "x"', "expected a list"),
        ('kind = "surveys"\n[surveys]\nonly_new = true', "only agents and tickets"),
    ],
)  # fmt: skip
def test_wrong_mappings_are_told(tmp_path: Path, text: str, expected: str) -> None:
    said = faults_of(tmp_path, text)
    assert expected in said
    assert "map.toml" in said


def test_an_unknown_name_lists_the_adapters() -> None:
    with pytest.raises(InputError, match="servicenow-incident-log"):
        load_mapping("no-such-thing")


@pytest.mark.parametrize("name", adapter_names())
def test_shipped_adapters_say_what_they_are_in_both_languages(name: str) -> None:
    adapter = load_mapping(name)
    assert set(adapter.title) == {"en", "zh"}
    assert adapter.assumptions
    assert all(set(assumption) == {"en", "zh"} for assumption in adapter.assumptions)
    for output in adapter.outputs:
        assert set(FORMS[output.kind].required) <= set(output.sources)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.text("abcxyz甲乙", min_size=1), st.text("ABC", min_size=1), max_size=5),
    st.lists(st.text("abcxyz甲乙", min_size=1), min_size=1, max_size=8),
)
def test_a_value_map_is_the_map(values: dict[str, str], cells: list[str]) -> None:
    source = Source("{c}", values=values)
    mapping = Mapping("", "surveys", (Output("surveys", {"shift": source}),))
    made = translated(mapping, table(c=cells))["surveys"]["shift"].tolist()
    assert made == [values.get(cell, cell) for cell in cells]


@pytest.mark.parametrize("kind", list(FORMS))
def test_our_own_form_passes_as_it_is(kind: str) -> None:
    frame = table(**{name: [f"{name} cell"] for name in FORMS[kind].names}, extra=["x"])
    made = translated(plain(kind), frame)[kind]
    assert made.to_dict("records") == [{name: f"{name} cell" for name in FORMS[kind].names}]
