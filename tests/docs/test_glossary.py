"""Code, screens and documents share one set of words."""

import re
from collections import defaultdict
from enum import StrEnum
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from wfm import words

ROOT = Path(__file__).parents[2]
ENUMERATIONS = [
    kind
    for kind in vars(words).values()
    if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
]
CONCEPTS, VALUES = (
    (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("## Kinds and states")
)
CATALOGUES = sorted((ROOT / "web" / "locale" / "zh").rglob("*.po"))
FIELDS_OF_OTHER_MEANING = {"done", "grant"}


def rows(part: str) -> list[list[str]]:
    """The cells of each row of a part of the glossary."""
    lines = re.findall(r"^\| (?!word )(.+) \|$", part, flags=re.MULTILINE)
    return [line.split(" | ") for line in lines]


def plain(word: str) -> str:
    """A word as it is compared: without case, hyphens and what stands in brackets."""
    return re.sub(r" \(.*\)", "", word).replace("-", " ").replace("_", " ").casefold()


def values() -> dict[str, dict[str, str]]:
    """Per enumeration, the values and their Chinese."""
    return {
        plain(word): {
            plain(english): chinese
            for english, chinese in (value.rsplit(" ", 1) for value in listed.split(", "))
        }
        for word, _, listed in rows(VALUES)
    }


def terms() -> dict[str, set[str]]:
    """The Chinese of each word; one English word may stand for two things."""
    chinese: dict[str, set[str]] = defaultdict(set)
    for word, term, *_ in [*rows(CONCEPTS), *rows(VALUES)]:
        chinese[plain(word)].add(term)
    for listed in values().values():
        for word, term in listed.items():
            chinese[word].add(term)
    return chinese


@pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
def test_every_value_of_the_code_has_its_word(kind: type[StrEnum]) -> None:
    name = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).casefold()
    assert list(values()[name]) == [plain(member.value) for member in kind]


def test_no_enumeration_is_described_that_is_not_there() -> None:
    assert len(values()) == len(ENUMERATIONS)


def test_every_word_is_explained_in_both_languages() -> None:
    for row in rows(CONCEPTS):
        assert len(row) == 4, row
        word, term, meaning, chinese_meaning = row
        assert word
        assert meaning
        assert re.search(r"[\u4e00-\u9fff]", term), word
        assert re.search(r"[\u4e00-\u9fff]", chinese_meaning), word


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_screens_say_it_with_the_same_words(catalogue: Path) -> None:
    known = terms()
    with catalogue.open("rb") as file:
        messages = [message for message in read_po(file) if isinstance(message.id, str)]
    for message in messages:
        word = plain(message.id)
        # a form calls its fields by the code's names: `grant` there is an access, not a grade
        other = message.context == "field" and word in FIELDS_OF_OTHER_MEANING
        if word in known and not other:
            assert message.string in known[word], f"{message.id}: {message.string}"
