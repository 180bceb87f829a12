"""Faults of whole files, in Chinese, with their place."""

import gzip
from pathlib import Path

import pytest

from wfm.errors import Fault, InputError
from wfm.importing.tabular import read_table
from wfm.importing.wording import chinese

FILES: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "empty.csv：文件为空；应有表头行"),
    "semi.csv": (b"a;b\n1;2\n", "semi.csv，第 1 行：字段以分号分隔；应以逗号分隔"),
    "gbk.csv": (
        "a,b\n中,文\n".encode("gbk"),
        "gbk.csv，第 2 行：不是 UTF-8 编码，可能是 gb18030；请另存为 UTF-8 后重试",
    ),
    "zero.csv": (b"a,b\n1,\x00\n", "zero.csv：不是文本文件（含有零字节）"),
    "twice.csv": (b"a,a\n1,2\n", "twice.csv，第 1 行，a 列：该列出现两次；请改名其一"),
    "other.csv": (b"b,c\n1,2\n", "other.csv，第 1 行，a 列：缺少该列；现有：b, c"),
    "wide.csv": (b"a,b\n1,2,3\n", "wide.csv，第 2 行：有 3 个字段，表头为 2 个"),
    "open.csv": (b'a,b\n1,"2\n', "open.csv，第 2 行：引号未闭合"),
    "cut.csv.gz": (
        gzip.compress(b"a,b\n" * 99, mtime=0)[:-12],
        "cut.csv.gz：.gz 文件已损坏；请重新压缩",
    ),
    "no.xlsx": (b"a,b\n", "no.xlsx：不是 XLSX 工作簿；请重新另存为 .xlsx"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_fault_of_a_file_is_said_in_chinese(name: str, tmp_path: Path) -> None:
    content, expected = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / name, required=["a"])
    assert chinese("\n".join(caught.value.lines())) == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            Fault("not a number", "f.csv", 3, "x", "a: b"),
            "f.csv，第 3 行，x 列：不是数字（实为 'a: b'）",
        ),
        (Fault("not a number", row=3, value="it's"), "第 3 行：不是数字（实为 \"it's\"）"),
        (Fault("a value is required", column="file"), "file 列：必须填写"),
        (Fault("not a number"), "不是数字"),
        (Fault("something new", "f.csv", 3), "f.csv, row 3: something new"),
        (Fault("cancelled on request"), "已按请求取消"),
    ],
)  # fmt: skip
def test_place_and_value_are_kept(fault: Fault, expected: str) -> None:
    assert chinese(str(fault)) == expected


@pytest.mark.parametrize("text", ["", "plain words", "a: b", "x (found 'y')"])
def test_what_is_not_known_stays_as_it_is(text: str) -> None:
    assert chinese(text) == text
