"""What an agreement's text lacks, its seal, and services that look alike."""

from __future__ import annotations

from typing import Any

import pytest

from wfm.sla.documents import (
    FORMAT,
    PARTS,
    gaps,
    gaps_of_part,
    likeness,
    near_duplicates,
    seal_of,
    verify,
)

TARGET = {"metric": "resolution", "priority": 1, "limit_s": 3600, "unit": "hour",
          "calendar": "office", "source": "ticket events"}  # fmt: skip


def whole(**changed: Any) -> dict[str, Any]:
    """A document that lacks nothing: a number in every part will do."""
    parts = {part.code: {"zh": "按附件 1 执行", "en": "See annex 1."} for part in PARTS}
    return {"parts": parts, "provider": "desk", "receiver": "shop", "targets": [TARGET]} | changed


def codes(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(gap.code, gap.part) for gap in gaps(document)]


def test_ten_parts_two_parties_and_a_target_are_whole() -> None:
    assert len(PARTS) == 10
    assert codes(whole()) == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.code)
def test_a_part_that_is_missing_empty_or_vague_is_named(part: Any) -> None:
    parts = whole()["parts"]
    for texts in (None, {}, {"zh": " ", "en": ""}):
        assert codes(whole(parts=parts | {part.code: texts})) == [("empty", part.code)]
    # one language is enough, but each that is written is read
    assert codes(whole(parts=parts | {part.code: {"zh": "见附件 1", "en": ""}})) == []
    vague = {"zh": "见附件 1", "en": "As soon as possible, see annex 1."}
    assert codes(whole(parts=parts | {part.code: vague})) == [("vague", part.code)]


def test_parts_that_need_a_number_say_so() -> None:
    for part in PARTS:
        found = [gap.code for gap in gaps_of_part(part, {"en": "Nothing to measure here."})]
        assert found == (["no_number"] if part.needs else [])
    assert {part.code for part in PARTS if part.needs} >= {"term", "hours", "charges"}
    charges = next(part for part in PARTS if part.code == "charges")
    assert list(gaps_of_part(charges, {"zh": "不收费", "en": "Free of charge"})) == []


def test_a_reader_is_told_in_which_text_a_phrase_stands() -> None:
    """Both texts are signed: an English reader hears of the Chinese one, and which it is."""
    part = next(part for part in PARTS if part.code == "overview")
    (chinese,) = gaps_of_part(part, {"zh": "尽快处理", "en": "Within 30 minutes."})
    assert chinese.what[0].startswith("in the Chinese text: “尽快” cannot be measured")
    assert chinese.what[1].startswith("“尽快”无法衡量")
    (english,) = gaps_of_part(part, {"zh": "30 分钟内", "en": "Promptly."})
    assert english.what[0].startswith("“Promptly” cannot be measured")
    assert english.what[1].startswith("英文文本中：“Promptly”无法衡量")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"provider": " "}, [("no_party", "overview")]),
        ({"receiver": None}, [("no_party", "overview")]),
        ({"targets": []}, [("no_target", "targets")]),
        ({"targets": [TARGET | {"calendar": ""}]}, [("no_calendar", "targets")]),
        ({"targets": [TARGET, TARGET | {"source": " "}]}, [("no_source", "targets")]),
    ],
)
def test_parties_and_targets_that_lack_something(
    changed: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert codes(whole(**changed)) == expected


def test_a_seal_is_that_of_the_text_whatever_the_order_of_its_fields() -> None:
    document = {"format": FORMAT, "code": "SLA-1", "version": 2}
    export = {"document": dict(reversed(document.items())), "seal": seal_of(document)}
    assert verify(export).ok
    assert verify(export, f" {seal_of(document).upper()} ").ok
    assert not verify(export, "0" * 64).ok
    for change in ({"version": 3}, {"code": "SLA-2"}, {"note": ""}):
        assert not verify(export | {"document": document | change}).ok
    other = {"document": document | {"format": "other"}}
    assert not verify(other | {"seal": seal_of(other["document"])}).ok
    for export in ({"document": {"format": FORMAT, "limit": float("nan")}, "seal": ""}, [], None):
        assert not verify(export).ok


def test_services_whose_names_look_alike() -> None:
    # without words that say nothing "email" and "emails" share 5 of 11 letters twice: 10/11
    assert likeness("E-mail service", "Emails support") == pytest.approx(10 / 11)
    assert likeness("E-mail", "Payments") < 0.5
    names = {
        "a": ["E-mail service", "电子邮件服务"],
        "b": ["Emails", "邮箱"],
        "c": ["Payments", "支付"],
    }
    assert [pair[:2] for pair in near_duplicates(names)] == [("a", "b")]
    # a name of nothing but such words is taken as it is
    assert likeness("Service desk", "service-desk") == 1
    assert near_duplicates({"a": [], "b": ["x"]}) == []
