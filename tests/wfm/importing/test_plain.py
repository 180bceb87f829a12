"""The quick reader takes what the careful one takes, and leaves it the rest."""

from __future__ import annotations

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.policy import default_policy
from wfm.errors import InputError
from wfm.importing import grading_files, plain
from wfm.importing.grading_files import _Reader
from wfm.importing.tabular import read_table

SHANGHAI = ZoneInfo("Asia/Shanghai")
COLUMNS = ("agent_id", "case_id", "opened_at", "resolved_at", "category", "note", "satisfaction")


def written(folder: Path, text: str, name: str = "cases.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read(path: Path, **columns: list[str]) -> pd.DataFrame:
    words, days = columns.get("words", ["a", "b"]), columns.get("days", [])
    return plain.read_plain(path, words, days, ("a", "b"), SHANGHAI).frame


def test_cells_are_cut_as_csv_says(tmp_path: Path) -> None:
    text = '\ufeffa,b\r\n"x, ""y""","p\nq"\r\n\r\n张, z \r\n,""\r\nlonger than eight bytes,'
    frame = read(written(tmp_path, text))
    assert frame["a"].tolist() == ['x, "y"', "张", "longer than eight bytes"]
    assert frame["b"].tolist() == ["p\nq", "z", ""]


def test_packed_files_and_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "BLOCK_BYTES", 7)  # a row does not fit
    path = tmp_path / "cases.csv.gz"
    path.write_bytes(gzip.compress(b'a,b\nfirst one,1\n"second, two",1\nfirst one,3\n'))
    found = plain.read_plain(path, ["a", "b"], [], ("a", "b"), SHANGHAI)
    assert found.frame["a"].tolist() == ["first one", "second, two", "first one"]
    assert found.frame["b"].tolist() == ["1", "1", "3"]
    assert len(set(found.keys.tolist())) == 3


def test_a_row_is_known_again_in_a_later_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside longer cells too, by which a block holds its cells in more words."""
    monkeypatch.setattr(plain, "BLOCK_BYTES", 12)  # about two rows
    rows = ["x,1", "yy,2", "longer than one word,1", "x,1", "x ,1", "longer than one word,1"]
    found = plain.read_plain(
        written(tmp_path, "a,b\n" + "\n".join(rows)), ["a", "b"], [], ("a", "b"), SHANGHAI
    )
    assert found.frame["a"].tolist() == [row.split(",")[0].strip() for row in rows]
    assert len(found.frame["a"].cat.categories) == 3
    first, second, third, again, _, third_again = found.keys.tolist()
    assert (first, third) == (again, third_again)
    assert len({first, second, third}) == 3


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1\n",
        "a,b\n1,2,3\n",
        "a,b\n1\n2,3,4\n",
        'a,b\nx"y,2\n',
        'a,b\n"x"y,2\n',
        "a,b\n1\r2,3\n",
        "a,b\n1\0,3\n",
        "a,a\n1,2\n",
        "a,\n1,2\n",
        "\n",
        'a,b\n"1,2\n',
        "a,b\n" + "x" * 300 + ",1\n",
    ],
)
def test_what_is_odd_is_left_to_the_careful_reader(tmp_path: Path, text: str) -> None:
    with pytest.raises(plain.NotPlain):
        read(written(tmp_path, text))


def test_another_encoding_is_left_to_the_careful_reader(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    for head, row in ((b"a,b\n", "张,1\n".encode("gb18030")), ("张,b\n".encode("gb18030"), b"")):
        path.write_bytes(head + row)
        with pytest.raises(plain.NotPlain):
            read(path)


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2026-02-16", "2026-02-16"),
        ("2026-02-16T23:59", "2026-02-16"),
        ("2026-02-16 23:59:59", "2026-02-16"),
        ("2026-02-16T16:00:00Z", "2026-02-17"),  # midnight in Shanghai
        ("2026-02-16T15:59:59Z", "2026-02-16"),
        ("2026-02-16T00:30:00.25+09:00", "2026-02-15"),
        ("2026-02-16T11:30-05:00", "2026-02-17"),
    ],
)
def test_days_of_times(tmp_path: Path, time: str, day: str) -> None:
    frame = read(written(tmp_path, f"a,b,t\n1,2,{time}\n1,2,\n"), days=["t"])
    assert frame["t"].dt.strftime("%Y-%m-%d").tolist()[0] == day
    assert frame["t"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "time",
    ["2026-02-30", "2026-02-16T24:00", "2026-02-16T12:60:00", "2026-02-16T12:00:60",
     "16.02.2026", "2026-02-16T12", " 2026-02-16", "2026-02-16T12:00:00+25:00",
     "2026-02-16T12:00:00.+08:00", "2026/02/16", "2026-02-16x12:00", "20260216T120000"],
)  # fmt: skip
def test_odd_times_are_left_to_the_careful_reader(tmp_path: Path, time: str) -> None:
    with pytest.raises(plain.NotPlain):
        read(written(tmp_path, f"a,b,t\n1,2,{time}\n"), days=["t"])


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("Pacific/Apia", "2011-12-30"),  # a date left out: what it says was on the 31st
        ("Pacific/Apia", "2011-12-30T12:00"),
        ("America/Nuuk", "2024-03-30 23:30:00"),  # the clock went from 23:00 to midnight
        ("Asia/Shanghai", "0001-01-01"),
        ("Asia/Shanghai", "9999-12-31T12:00"),
    ],
)
def test_times_that_lie_on_another_day_are_left_to_the_careful_reader(
    tmp_path: Path, zone: str, time: str
) -> None:
    path = written(tmp_path, f"a,b,t\n1,2,{time}\n")
    with pytest.raises(plain.NotPlain):
        plain.read_plain(path, ["a", "b"], ["t"], ("a", "b"), ZoneInfo(zone))


def test_a_skipped_time_of_the_same_day_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,t\n1,2,2024-03-31T02:30\n1,2,2024-03-31T04:30\n")
    frame = plain.read_plain(path, ["a", "b"], ["t"], ("a", "b"), ZoneInfo("Europe/Berlin")).frame
    assert frame["t"].dt.strftime("%Y-%m-%d").tolist() == ["2024-03-31"] * 2


CELLS = st.one_of(
    st.sampled_from(["", " ", "A", "B", "Y", "n", "3", "5", "x,y", 'q"q', "a\nb", "张三", "A "]),
    st.sampled_from(["2026-02-16", "2026-02-16T23:30:00Z", "2026-02-16 08:00", "2026-02-31"]),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=7),
    st.sampled_from(["\n", "\r\n"]),
)
def test_both_ways_read_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], ending: str
) -> None:
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
    path = tmp_path_factory.mktemp("plain") / "cases.csv"
    path.write_bytes(frame.to_csv(index=False, lineterminator=ending).encode())
    policy = default_policy()
    both, careful = _Reader(SHANGHAI), _Reader(SHANGHAI)
    found = both.cases(path, policy)
    expected = careful._typed_cases(careful._careful_cases(path), path.name, policy)
    assert (both.faults, both.warnings) == (careful.faults, careful.warnings)
    for name in expected.columns:
        one, other = (frame[name].astype(object).to_numpy() for frame in (found, expected))
        pd.testing.assert_extension_array_equal(
            pd.array(one, dtype="object"), pd.array(other, dtype="object"), obj=name
        )


def test_repeated_rows_are_found_by_all_their_columns(tmp_path: Path) -> None:
    row = "7,A,2026-02-16,y,hello\n"
    text = "case_id,agent_id,opened_at,resolved,note\n" + row * 2 + row.replace("A", "B")
    path, reader = written(tmp_path, text), _Reader(SHANGHAI)
    assert len(reader.cases(path, default_policy())) == 2
    assert reader.warnings == ["cases.csv: 1 repeated rows are counted once"]
    path = written(tmp_path, text + row.replace("hello", "other"))
    with pytest.raises(InputError, match="already stands"):
        grading_files.read_grading_files(
            written(tmp_path, "agent_id\nA\nB\n", "agents.csv"), path, None, None,
            default_policy(), SHANGHAI,
        )  # fmt: skip
    assert len(read_table(path)) == 4
