"""Every fault of a grade policy is said in Chinese, with its line and what was found."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from grading.errors import GradingError
from grading.policy import load_policy
from web.refusals import in_chinese

TEXT = (resources.files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("majority = 0.6", "majority = 7", "decision.majority：不得大于 1（现为 7）"),
        ("majority = 0.6", "majority = 'x'", "decision.majority：应为数字（现为 'x'）"),
        ("dwell = 2", "dwell = 1.5", "decision.dwell：应为整数（现为 1.5）"),
        ("dwell = 2", "dwel = 2", "decision.dwell：缺少此项"),
        ('start = "ordinary"', 'start = "x"', "以下之一：ordinary, senior, expert（现为 'x'）"),
        ("only_for = true", "only_for = 1", "应为 true 或 false（现为 1）"),
        ('["satisfied"]', '["x"]', "definition.numerator：只可为：satisfied（现为 'x'）"),
        ("senior = 0.75", "senior = 75", "resolution.entry：高级不得大于 1（现为 75.0）"),
        ("satisfied_from = 4", "satisfied_from = 9", "satisfied_from：须大于 lowest，且不大于"),
        ('"difficulty"]', '"agent_id"]', "case_mix.factors：应为工作的种类，不可为结果"),
        ("senior = 60, expert = 70", "senior = 78, expert = 79", "高级须低于 entry、exit 和 floor"),
        ("senior = 80, expert = 87", "senior = 80, expert = 70", "quality.entry：专家不得低于高级"),
        ("entry = { senior = 80, expert = 87 }", "entry = { senior = 80 }", "也须有专家"),
        ("[quota]", "[quotas]", "quota：缺少此项"),
    ],
)
def test_a_fault_of_a_policy_in_chinese(old: str, new: str, said: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(GradingError) as caught:
        load_policy(TEXT.replace(old, new))
    lines = in_chinese(str(caught.value)).splitlines()
    assert all(re.match(r"第 \d+ 行，[\w.]+：", line) for line in lines), lines
    assert any(said in line for line in lines), lines


def test_what_is_no_fault_of_a_policy_stays_with_the_others() -> None:
    assert in_chinese("line 3 is long") == "line 3 is long"
    assert in_chinese("line 3: a.b: says something new") == "line 3: a.b: says something new"
