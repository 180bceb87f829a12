"""The pictures of the rules are what the judge says today."""

import importlib.util
import sys
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest

from scheduler.problem import Rule

DOCS = Path(__file__).parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("rule_pictures", DOCS / "rule_pictures.py")
assert SPEC is not None
assert SPEC.loader is not None
drawing = importlib.util.module_from_spec(SPEC)
sys.modules["rule_pictures"] = drawing  # dataclasses look their module up
SPEC.loader.exec_module(drawing)


def test_every_kind_of_rule_has_one_picture() -> None:
    kinds = [type(example.rule) for example in drawing.EXAMPLES]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == set(get_args(Rule))


@pytest.mark.parametrize("example", drawing.EXAMPLES, ids=lambda example: example.rule.kind)
def test_a_picture_shows_the_rule_kept_and_broken(example) -> None:
    assert drawing.judged(example, True) == []
    assert drawing.judged(example, False) != []


@pytest.mark.parametrize("name", [*drawing.pictures()])
def test_pictures_are_up_to_date(name: str) -> None:
    kept = (drawing.FOLDER / name).read_text(encoding="utf-8")
    assert kept == drawing.pictures()[name], "run docs/rule_pictures.py"
    ElementTree.fromstring(kept)


def test_the_breaks_in_the_picture_leave_nobody_missing() -> None:
    words = ElementTree.fromstring(drawing.breaks_picture()).itertext()
    notes = [text for text in words if "missing" in text]
    assert [note.split()[0] for note in notes] == ["2", "0"]
