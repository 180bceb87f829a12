"""What is wrong with a whole file, for readers of Chinese; `reasons` has what is wrong with a row.

Faults are written in English, as the command line shows them; a page in Chinese asks here. What
is not known here stays as it is.
"""

from __future__ import annotations

import re

from wfm.importing.reasons import in_chinese

PLACE = re.compile(
    r"^(?:(?P<file>[^:]+?)(?:, |(?=: )))??(?:row (?P<row>\d+)(?:, )?)?"
    r"(?:column (?P<column>[^:]+?))?: (?P<what>.+)$"
)
FOUND = re.compile(r"^(?P<what>.+) \(found (?P<value>'.*'|\".*\")\)$", re.DOTALL)
SEPARATORS = {"comma": "逗号", "semicolon": "分号", "tab": "制表符", "vertical bar": "竖线"}
SENTENCES = [
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"expected a table: (.+)", "应为表格文件：{0}"),
        (r"this file is empty; a header row is expected", "文件为空；应有表头行"),
        (r"the first sheet is empty; a header row is expected", "第一个工作表为空；应有表头行"),
        (r"there are no rows below the header", "表头之下没有数据行"),
        (r"this is not a text file \(it holds zero bytes\)", "不是文本文件（含有零字节）"),
        (
            r"this is not an XLSX workbook; save it again as \.xlsx",
            "不是 XLSX 工作簿；请重新另存为 .xlsx",
        ),
        (r"this \.gz file is damaged; compress it again", ".gz 文件已损坏；请重新压缩"),
        (r"a quotation mark is not closed", "引号未闭合"),
        (r"cannot be read as a table .+", "无法按表格读取；可能缺少或多出一个引号"),
        (
            r"not ([\w-]+); it may be ([\w-]+): save the file as UTF-8 and try again",
            "不是 {0} 编码，可能是 {1}；请另存为 UTF-8 后重试",
        ),
        (
            r"not ([\w-]+): save the file as UTF-8 and try again",
            "不是 {0} 编码；请另存为 UTF-8 后重试",
        ),
        (r"fields are separated by (.+); a (.+) is expected", "字段以{0}分隔；应以{1}分隔"),
        (r"this column occurs twice; rename one", "该列出现两次；请改名其一"),
        (r"this column is missing; found: (.*)", "缺少该列；现有：{0}"),
        (
            r"this column is missing, and no mapping gives the ([\w-]+) a value for it",
            "缺少该列，且映射未给出其值",
        ),
        (r"not a TOML file: .+", "不是 TOML 文件"),
        (
            r"the mapping (.+) makes (.+); name one of them",
            "映射 {0} 生成 {1}；请选择其中一种",
        ),
        (r"larger than (\d+) MB; .+", "超过 {0} MB；请用 `wfm import` 导入，或分成几份"),
        (
            r"choose an adapter or hand in a mapping file, not both",
            "请选择适配器或上传映射文件，二者只选其一",
        ),
        (
            r"this worker does not see the file; .+",
            "后台进程看不到该文件；其 WFM_DATA_DIR 须与网页进程相同",
        ),
        (r"cancelled on request", "已按请求取消"),
    )
]


def chinese(text: str) -> str:
    """One or more lines of faults, as `str(fault)` writes them, or a bare reason."""
    return "\n".join(_line(line) for line in text.splitlines())


def _line(line: str) -> str:
    known = _sentence(line)
    if known is not None:
        return known
    place = PLACE.match(line)
    if place is None or not (place["row"] or place["column"] or place["file"]):
        return line
    what = _sentence(place["what"])
    if what is None:
        return line
    where = (
        place["file"],
        place["row"] and f"第 {place['row']} 行",
        place["column"] and f"{place['column']} 列",
    )
    return "，".join(part for part in where if part) + "：" + what


def _sentence(text: str) -> str | None:
    found = FOUND.match(text)
    plain = found["what"] if found else text
    for pattern, sentence in SENTENCES:
        if known := pattern.fullmatch(plain):
            words = [SEPARATORS.get(word, word) for word in known.groups()]
            return sentence.format(*words) + _found(found)
    reason = in_chinese(plain)
    return None if reason == plain else reason + _found(found)


def _found(found: re.Match[str] | None) -> str:
    return f"（实为 {found['value']}）" if found else ""
