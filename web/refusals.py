"""Refusals and progress of jobs in the reader's language.

Services write their sentences in English, with figures and names in them. `refusals.po` holds each
such sentence as its code writes it, with `{0}`, `{1}` … where a value stands, and its Chinese.
A test collects the sentences from the code, so none is forgotten. What is said of a row of a file
has its own wording; what nobody knows stays as it is. A fault of a form names its field, in Chinese
as `fields.po` has it: three times "a value is required" helps nobody.
"""

from __future__ import annotations

import re
from functools import cache

from web import policy_faults
from web.i18n import catalog, translations
from wfm.importing.wording import PLACE, chinese

COLUMN = re.compile(r"^column ([\w-]+): (?!this column)")
FOUND = re.compile(r" \(found ('.*')\)$")
SHARE = re.compile(r" [\d.]+ %(?: …)?$")
SLOT = re.compile(r"\{(\d)\}")
BARRED = re.compile(r"(?:lock: )?'(.+)' cannot hold '(.+)' on (\S+): (\w+)")
CAUSES = {
    "grade": "级别不足", "qualification": "无资格", "site": "不在该地点", "leave": "休假",
    "forbidden": "不可安排", "protected": "受法律保护", "home": "仅可居家办公",
    "consent": "未同意加班",
}  # fmt: skip


def in_chinese(text: str) -> str:
    """Lines of a refusal in Chinese."""
    return "\n".join(_line(line) for line in text.splitlines())


def in_english(text: str) -> str:
    """Lines of a refusal for a page: a form has fields, not columns."""
    return "\n".join(COLUMN.sub(_english_field, line) for line in text.splitlines())


def _english_field(named: re.Match[str]) -> str:
    name = named[1]
    return f"{name.replace('_', ' ').capitalize()}: " if _field(name) else named[0]


def _field(name: str) -> str:
    """A field's name in Chinese; nothing where no form has such a field."""
    known = str(translations("zh").pgettext("field", name))
    return "" if known == name else known


def _line(line: str) -> str:
    if (fault := policy_faults.in_chinese(line)) is not None:
        return fault
    named, found = COLUMN.match(line), FOUND.search(line)
    plain = FOUND.sub("", COLUMN.sub("", line))
    known = _sentence(plain)
    if known is not None:
        field = _field(named[1]) if named else ""
        told = f"{known}（实为 {found[1]}）" if found else known
        return f"{field}：{told}" if field else told
    if barred := BARRED.fullmatch(plain):
        agent, post, day, cause = barred.groups()
        return f"{agent} 不能在 {day} 担任 {post}：{CAUSES.get(cause, cause)}"
    worded = chinese(line)
    place = PLACE.match(plain)
    if worded != line or place is None or (known := _sentence(place["what"])) is None:
        return worded
    column = place["column"] and (_field(place["column"]) or f"{place['column']} 列")
    where = (place["file"], place["row"] and f"第 {place['row']} 行", column)
    shown = "，".join(part for part in where if part)
    return f"{shown}：{known}" if shown else known


def _sentence(text: str) -> str | None:
    known = str(translations("zh").gettext(text))
    if known != text:
        return known
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(text):
            return sentence.format(*map(_value, found.groups()))
    return None


def _value(text: str) -> str:
    """A value within a sentence: figures and names stay, words and sentences are translated."""
    parts = [_worded(part) for part in text.split(", ")]
    if parts != text.split(", "):
        return "、".join(parts)
    return _sentence(text) or text


def _worded(part: str) -> str:
    """A word, or one with its share behind it, such as `expert 74.1 %`."""
    share = SHARE.search(part)
    word = part[: share.start()] if share else part
    return str(translations("zh").pgettext("value", word)) + (share[0] if share else "")


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The sentences with values; those that say the most themselves are tried first."""
    known = [
        (str(message.id), str(message.string))
        for message in catalog("zh")
        if message.id and SLOT.search(str(message.id))
    ]
    known.sort(key=lambda pair: -len(SLOT.sub("", pair[0])))
    return [(_pattern(english), zh) for english, zh in known]


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{\d\}", sentence)
    return re.compile("(.+?)".join(re.escape(part) for part in parts), re.DOTALL)
