"""Tables from files: what is read, and every way in which a file can be wrong."""

import gzip
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfm.errors import InputError
from wfm.importing.tabular import read_chunks, read_table


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fault_of(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path, **options)  # type: ignore[arg-type]
    return "\n".join(caught.value.lines())


def test_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    # header 1, first record 2, a blank row 3 and a record over two lines, which is one row
    table = read_table(written(tmp_path, 'a,b\n1,x\n\n2,"y\nz"\n3,\n'))
    assert table.index.tolist() == [2, 4, 5]
    assert table["b"].tolist() == ["x", "y\nz", ""]


def test_chunks_number_on(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n" + "".join(f"{n}\n" for n in range(7)))
    chunks = list(read_chunks(path, rows=3))
    assert [chunk.frame.index.tolist() for chunk in chunks] == [[2, 3, 4], [5, 6, 7], [8]]
    assert chunks[-1].share == 1.0


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_a_quotation_mark_left_open_is_named_wherever_a_chunk_ends(
    tmp_path: Path, rows: int
) -> None:
    closed = written(tmp_path, 'a,b\n1,"2\n2"\n3,4\n"5",6')
    frames = [chunk.frame for chunk in read_chunks(closed, rows=rows)]
    assert [cell for frame in frames for cell in frame["b"]] == ["2\n2", "4", "6"]
    with pytest.raises(InputError, match="row 4: a quotation mark is not closed"):
        list(read_chunks(written(tmp_path, 'a,b\n1,2\n3,4\n5,"6\n'), rows=rows))


def test_a_row_of_the_wrong_width_is_a_fault_and_the_others_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")
    (chunk,) = read_chunks(path)
    assert chunk.frame["a"].tolist() == ["1", "7"]
    assert [(fault.row, fault.message) for fault in chunk.faults] == [
        (3, "1 fields where the header has 2"), (4, "3 fields where the header has 2"),
    ]  # fmt: skip
    assert "row 3" in fault_of(path)


def test_gzip_and_byte_order_marks(tmp_path: Path) -> None:
    text = "名,b\n张,1\n"
    for content in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        gzip.compress(text.encode(), mtime=0),
    ):
        assert read_table(written(tmp_path, content))["名"].tolist() == ["张"]


def test_wrong_encoding_names_the_row_and_a_guess(tmp_path: Path) -> None:
    said = fault_of(written(tmp_path, "a\nx\n张三\n".encode("gb18030")))
    assert "row 3" in said
    assert "not UTF-8; it may be gb18030" in said


def test_wrong_encoding_far_down_a_compressed_file(tmp_path: Path) -> None:
    content = b"a\n" + b"x\n" * 70_000 + "张三\n".encode("gb18030")
    assert "row 70002" in fault_of(written(tmp_path, gzip.compress(content, mtime=0)))


@pytest.mark.parametrize(
    ("separator", "word"), [(";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")]
)
def test_wrong_separator_is_named(tmp_path: Path, separator: str, word: str) -> None:
    said = fault_of(written(tmp_path, f"a{separator}b\n1{separator}2\n"))
    assert f"separated by {word}; a comma is expected" in said


def test_another_separator_may_be_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1;2\n")
    assert read_table(path, separator=";")["b"].tolist() == ["2"]
    assert "a semicolon is expected" in fault_of(written(tmp_path, "a,b\n"), separator=";")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"a,a\n1,2\n", "occurs twice"),
        (b"a,b\x00\n1,2\n", "zero bytes"),
        (gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:30], "damaged"),
        (gzip.compress(b"a,b\n" + b"\xff,\n" * 60_000, mtime=0)[:-9], "damaged"),
        (b'a,b\n1,"' + b"x\n" * 200_000, "quotation mark"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "row 3: a quotation mark is not closed"),
        (b'a,b\n1,2\n3,"4', "row 3: a quotation mark is not closed"),
        (b'a,"b\n1,2\n', "row 1: a quotation mark is not closed"),
    ],
)
def test_structural_faults(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in fault_of(written(tmp_path, content))


def test_missing_columns_are_named_with_what_was_found(tmp_path: Path) -> None:
    said = fault_of(written(tmp_path, "a,b\n1,2\n"), required=["id", "a"])
    assert said == "table.csv, row 1, column id: this column is missing; found: a, b"


def test_columns_without_a_name_are_passed_over(tmp_path: Path) -> None:
    assert list(read_table(written(tmp_path, "a,,\n1,,\n")).columns) == ["a"]


def workbook(folder: Path, *rows: tuple[object, ...]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / "table.xlsx"
    book.save(path)
    return path


def test_workbook_cells_become_text(tmp_path: Path) -> None:
    path = workbook(
        tmp_path, ("id", "on", "at", "n", "yes", None),
        (7, date(2026, 2, 16), datetime(2026, 2, 16, 9, 30), 1.5, True), (None,), ("x",),
    )  # fmt: skip
    table = read_table(path)
    assert table.index.tolist() == [2, 4]
    first = table.loc[2].tolist()
    assert first == ["7", "2026-02-16T00:00:00", "2026-02-16T09:30:00", "1.5", "True"]
    assert table.loc[4].tolist() == ["x", "", "", "", ""]


def test_broken_and_empty_workbooks(tmp_path: Path) -> None:
    assert "not an XLSX workbook" in fault_of(written(tmp_path, b"PK nonsense", "table.xlsx"))
    assert "first sheet is empty" in fault_of(workbook(tmp_path))
    assert "no such file" in fault_of(tmp_path / "none.csv")
    assert "this is a folder" in fault_of(tmp_path)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
            min_size=3, max_size=3,
        ).filter(any),
        max_size=6,
    )
)  # fmt: skip
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    import csv

    path = tmp_path_factory.mktemp("round") / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    assert read_table(path).to_numpy().tolist() == rows
