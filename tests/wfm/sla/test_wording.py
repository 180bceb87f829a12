"""Words that cannot be measured, and words that can."""

from __future__ import annotations

import pytest

from wfm.sla.wording import lint


@pytest.mark.parametrize(
    ("text", "phrase", "code"),
    [
        ("供应商应尽快恢复服务", "尽快", "vague_time"),
        ("及时响应客户请求", "及时", "vague_time"),
        ("We answer as soon as possible.", "as soon as possible", "vague_time"),
        ("Faults are mended ASAP.", "ASAP", "vague_time"),
        ("in a timely manner", "in a timely manner", "vague_time"),
        ("尽力满足需求", "尽力", "vague_effort"),
        ("uses best efforts to respond", "best efforts", "vague_effort"),
        ("原则上当日处理", "原则上", "vague_scope"),
        ("support is normally given by phone", "normally", "vague_scope"),
        ("30 分钟左右", "左右", "vague_amount"),
        ("approximately 30 minutes", "approximately", "vague_amount"),
        ("提供优质服务", "优质", "vague_quality"),
        ("a high-quality service", "high-quality", "vague_quality"),
    ],
)
def test_a_vague_phrase_is_found_where_it_stands(text: str, phrase: str, code: str) -> None:
    finding = lint("targets", text)[0]
    assert (finding.phrase, finding.code, finding.part) == (phrase, code, "targets")
    assert text[finding.start : finding.end] == phrase
    assert all(finding.instead)


@pytest.mark.parametrize(
    "text",
    [
        "95% 的工单在 30 个工作分钟内首次响应",
        "响应及时率不低于 98%，客户满意度不低于 4.5 分",
        "First response within 30 business minutes for 95 % of incidents per month.",
        "The awesome handsome almost-normal wording",  # no phrase inside other words
    ],
)
def test_what_can_be_measured_passes(text: str) -> None:
    assert lint("targets", text) == []


def test_findings_stand_in_the_order_of_the_text() -> None:
    phrases = [finding.phrase for finding in lint("duties", "尽力并尽快，原则上及时")]
    assert phrases == ["尽力", "尽快", "原则上", "及时"]


def test_an_empty_part_is_a_finding() -> None:
    assert lint("overview", "Mail for the bank.") == []
    assert [finding.code for finding in lint("exclusions", " \n")] == ["empty"]
