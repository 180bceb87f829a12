"""Refusals reach a page in the reader's language, with their figures and without column names."""

from __future__ import annotations

import pytest

from web.i18n import translations
from web.refusals import in_chinese
from wfm.errors import Fault


@pytest.mark.parametrize(
    ("fault", "chinese"),
    [
        (
            Fault("it comes 2 days ahead, 3 are due; give a reason", column="reason"),
            "仅提前 2 天，应提前 3 天；请说明原因",
        ),
        (
            Fault("'B' cannot hold 'lead' on 2026-10-01: leave"),
            "B 不能在 2026-10-01 担任 lead：休假",
        ),
        (Fault("'B' has 3 days, more than 2"), "B 已有 3 天，超过 2 天"),
        (Fault("this day has no duty table", column="day", value="2026-10-20"), "该日没有值班表"),
        (Fault("nothing would change"), "没有任何变化"),
        # what an import says is known to the wording of imports
        (Fault("there are no rows below the header", file="a.csv"), "a.csv：表头之下没有数据行"),
        # and what nobody knows stays as it is
        (Fault("a sentence of no desk", column="x"), "column x: a sentence of no desk"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_chinese(fault: Fault, chinese: str) -> None:
    assert in_chinese(str(fault), translations("zh").gettext) == chinese


def test_lines_are_told_one_by_one() -> None:
    text = "nothing would change\n8 places are empty; give a reason"
    assert (
        in_chinese(text, translations("zh").gettext) == "没有任何变化\n有 8 个岗位空缺；请说明原因"
    )
