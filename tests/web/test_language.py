"""Chinese and English are equal: every text of every template has both."""

from __future__ import annotations

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from web.i18n import LOCALE, catalog
from web.views import TEMPLATES, Views


def texts() -> set[str]:
    found = extract_from_dir(
        TEMPLATES, method_map=[("**.html", "jinja2")], options_map={"**.html": {"newstyle": "true"}}
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, *_ in found}


def test_every_text_of_the_templates_has_a_chinese_translation() -> None:
    chinese = catalog("zh")
    missing = [text for text in sorted(texts()) if not (chinese.get(text) and chinese[text].string)]
    assert missing == []


def test_placeholders_survive_translation() -> None:
    for message in catalog("zh"):
        if message.id and message.string and not isinstance(message.id, tuple):
            assert message.id.count("%(") == str(message.string).count("%("), message.id


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_template_compiles(language: str) -> None:
    environment = Views("Asia/Shanghai")._by_language[language]
    for name in environment.list_templates():
        environment.get_template(name)


def test_one_text_has_one_translation_in_all_files() -> None:
    """The files are merged; a text two desks understand differently needs two texts."""
    told: dict[tuple[str | None, str], set[str]] = {}
    for file in (LOCALE / "zh").glob("*.po"):
        with file.open("rb") as stream:
            for message in read_po(stream, locale="zh"):
                if message.id:
                    told.setdefault((message.context, str(message.id)), set()).add(
                        str(message.string)
                    )
    assert {text: words for text, words in told.items() if len(words) > 1} == {}
