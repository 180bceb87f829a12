"""An agreement as a document: its ten parts, what is missing from it, its seal.

The sealed form is plain data. Its seal is the SHA-256 of the canonical text of that data (keys in
order, no spaces, UTF-8), so that anyone can verify an export without this program or its database.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

from wfm.sla.tickets import Metric
from wfm.sla.wording import lint
from wfm.sla.words import METRICS

FORMAT = "tierdesk-agreement-1"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the ten parts: its name, and what must stand in it, in English and Chinese.

    ``needs`` is a pattern the text must contain where being written is not enough.
    """

    code: str
    name: tuple[str, str]
    says: tuple[str, str]
    needs: re.Pattern[str] | None = None


_NUMBER = re.compile(r"\d|[一二三四五六七八九十百千]|免费|不收费|no charge|free of charge", re.I)
_DATE_OR_TERM = re.compile(r"\d")

PARTS = (
    Part("overview", ("Overview", "概述"),
         ("the service, the two parties and the purpose", "服务内容、双方当事人与目的")),
    Part("term", ("Term and change control", "期限与变更管理"),
         ("first day, length in months or years, notice of a change and who decides on it",
          "起始日期、期限（月或年）、变更的提前通知与决定人"), _DATE_OR_TERM),
    Part("authorisation", ("Authorisation", "授权与签署"),
         ("who may sign and change it, by post", "有权签署和变更的岗位")),
    Part("reporting", ("Reporting and contact", "报告与联系方式"),
         ("reports and their day, contacts of both parties, escalation",
          "报告及其日期、双方联系人、升级渠道")),
    Part("hours", ("Service hours", "服务时间"),
         ("days, hours and time zone; what holds outside of them",
          "服务日期、时段与时区，时段以外如何处理"),
         _NUMBER),
    Part("customer_duties", ("Duties of the customer", "客户责任"),
         ("what the customer provides, and by when", "客户须提供的内容与时限")),
    Part("provider_duties", ("Duties of the provider", "服务方责任"),
         ("what the provider does, item by item", "服务方逐项应做的工作")),
    Part("charges", ("Charges", "费用"),
         ("the price, or that there is none; what a missed target costs",
          "价格（或不收费），未达标的后果"),
         _NUMBER),
    Part("targets", ("Targets", "服务目标"),
         ("how the targets are measured and counted over a month", "目标的测量方法与按月统计口径")),
    Part("exclusions", ("Exclusions and definitions", "除外条款与定义"),
         ("what is not covered; the words that have a meaning of their own",
          "不包含的内容，专用术语的含义")),
)  # fmt: skip
"""Source: customary contents of service-level agreements; ISO/IEC 20000-1:2018, clause 8.3.3, asks
for targets, workload limits and exceptions."""

NEAR = 0.82


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that stands in the way of signing: a code, the part, and what to do about it."""

    code: str
    part: str
    what: tuple[str, str]


def gaps(document: Mapping[str, Any]) -> list[Gap]:
    """What of the ten parts is missing or cannot be measured; nothing: it may be signed.

    Parameters
    ----------
    document : mapping
        ``parts``: part → language → text; ``targets``: a list with ``metric``, ``limit_s``,
        ``unit``, ``calendar``, ``source``; ``provider``, ``receiver``, ``names``.
    """
    return [*_gaps_of_parts(document), *_gaps_of_targets(document)]


def _gaps_of_parts(document: Mapping[str, Any]) -> Iterator[Gap]:
    parts = document.get("parts") or {}
    for part in PARTS:
        yield from gaps_of_part(part, parts.get(part.code) or {})
    for party, (en, zh) in (("provider", ("the provider", "服务方")),
                            ("receiver", ("the receiver", "接受方"))):  # fmt: skip
        if not str(document.get(party) or "").strip():
            yield Gap("no_party", "overview", (f"name {en}", f"请填写{zh}"))


def gaps_of_part(part: Part, texts: Mapping[str, str]) -> Iterator[Gap]:
    """What one part lacks, by its texts in one or both languages (``en``, ``zh``).

    Both are signed, so both are read; a reader of one is told what is in the text of the other.
    """
    written = {language: text for language, text in texts.items() if str(text).strip()}
    if not written:
        en, zh = part.says
        yield Gap("empty", part.code, (f"not written yet: {en}", f"尚未填写：{zh}"))
    for language, text in written.items():
        for finding in lint(part.code, text):
            en, zh = finding.instead
            yield Gap("vague", part.code, _of(
                language, f"“{finding.phrase}” cannot be measured; write {en}",
                f"“{finding.phrase}”无法衡量；{zh}",
            ))  # fmt: skip
        if part.needs is not None and not part.needs.search(text):
            en, zh = part.says
            yield Gap("no_number", part.code, _of(
                language, f"a number is missing: {en}", f"缺少具体数值：{zh}"
            ))  # fmt: skip


def _of(language: str, english: str, chinese: str) -> tuple[str, str]:
    """What is said of a text in `language`, to readers of English and of Chinese."""
    return (
        english if language == "en" else f"in the Chinese text: {english}",
        chinese if language == "zh" else f"英文文本中：{chinese}",
    )


def _gaps_of_targets(document: Mapping[str, Any]) -> Iterator[Gap]:
    targets = document.get("targets") or []
    if not targets:
        yield Gap("no_target", "targets", ("add at least one target", "至少添加一项服务目标"))
    for target in targets:
        en, zh = _named(target)
        if not target.get("calendar"):
            yield Gap("no_calendar", "targets", (f"{en}: choose a business calendar",
                                                 f"{zh}：请选择服务日历"))  # fmt: skip
        if not str(target.get("source") or "").strip():
            yield Gap("no_source", "targets", (f"{en}: say where it is measured",
                                               f"{zh}：请注明测量数据来源"))  # fmt: skip


def _named(target: Mapping[str, Any]) -> tuple[str, str]:
    """A target in both languages, for example "resolution P1"; what has no name stays a code."""
    code, priority = str(target.get("metric")), target.get("priority")
    names = METRICS[Metric(code)] if code in list(Metric) else (code, code)
    en, zh = (f"{name} P{priority}" if priority else name for name in names)
    return en, zh


def canonical(document: Mapping[str, Any]) -> bytes:
    """The text that is sealed."""
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def seal_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an export is what was sealed."""

    ok: bool
    code: str
    version: int | None
    seal: str
    computed: str
    expected: str | None = None


def verify(export: object, expected: str | None = None) -> Verdict:
    """Verify an export by itself and, where one is given, against a seal known from elsewhere.

    A document and its seal can be replaced together; the seal on paper, in a letter or in the
    audit chain cannot.
    """
    data = export if isinstance(export, Mapping) else {}
    document = data.get("document")
    document = document if isinstance(document, Mapping) else {}
    seal = str(data.get("seal") or "")
    try:
        computed = seal_of(document)
    except ValueError:  # NaN, or half a character: no sealed text holds such
        computed = ""
    known = document.get("format") == FORMAT
    version = document.get("version")
    same = expected is None or expected.strip().lower() == computed
    return Verdict(
        known and bool(computed) and seal == computed and same, str(document.get("code") or ""),
        version if isinstance(version, int) else None, seal, computed, expected,
    )  # fmt: skip


def faults_told(export: object) -> list[str]:
    """What the desk that wrote an export found wrong with it, in English; `verify` looks itself."""
    data = export if isinstance(export, Mapping) else {}
    return [str(one.get("en")) for one in _list(data.get("faults")) if isinstance(one, Mapping)]


def near_duplicates(names: Mapping[str, Sequence[str]]) -> list[tuple[str, str, float]]:
    """Pairs of services whose names look alike in a language: codes and likeness (0–1).

    Parameters
    ----------
    names : mapping of code to names
    """
    found = []
    codes = sorted(names)
    for n, one in enumerate(codes):
        for other in codes[n + 1 :]:
            alike = max(
                (likeness(a, b) for a, b in zip(names[one], names[other], strict=False)), default=0
            )
            if alike >= NEAR:
                found.append((one, other, alike))
    return found


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0–1; words that say nothing (service, 服务 …) do not count."""
    a, b = _core(one), _core(other)
    return SequenceMatcher(None, a, b).ratio() if a and b else 0.0


_HOLLOW = re.compile(
    r"\b(?:services?|support|desk|care|the|and)\b|服务|支持|系统|\W|_", re.IGNORECASE
)


def _core(name: str) -> str:
    return _HOLLOW.sub("", name.casefold()) or re.sub(r"\W", "", name.casefold())


# --- the agreements beneath ----------------------------------------------------------------------


def names_beneath(supports: object) -> list[str]:
    """Codes of the OLAs and UCs in ``{"series": […]}``, ``{"parallel": […]}`` or a plain code."""
    return list(_names(supports))


def _names(supports: object) -> Iterator[str]:
    if isinstance(supports, str):
        yield supports
    elif isinstance(supports, Mapping):
        for part in (*_list(supports.get("series")), *_list(supports.get("parallel"))):
            yield from _names(part)


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


DEEPEST = 20
_STEPS = {"(": 1, ")": -1}
_TOKEN = re.compile(r"\s*([()+|]|[^\s()+|]+)")


def supports_from_text(text: str) -> dict[str, Any] | str:
    """Read ``a + (b | c)``: ``+`` is one after the other, ``|`` at the same time.

    Raises
    ------
    ValueError
        The text is no such expression.
    """
    tokens = [token for token in _TOKEN.findall(text) if token]
    if not tokens:
        return {}
    if max(accumulate(_STEPS.get(token, 0) for token in tokens)) > DEEPEST:
        raise ValueError(f"expected brackets in brackets no more than {DEEPEST} deep")
    value = _any(tokens)
    if tokens:
        raise ValueError(f"expected + or | or the end, found {tokens[0]!r}")
    return value


def _any(tokens: list[str]) -> dict[str, Any] | str:
    parts = [_row(tokens)]
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        parts.append(_row(tokens))
    return parts[0] if len(parts) == 1 else {"parallel": parts}


def _row(tokens: list[str]) -> dict[str, Any] | str:
    parts = [_one(tokens)]
    while tokens and tokens[0] == "+":
        tokens.pop(0)
        parts.append(_one(tokens))
    return parts[0] if len(parts) == 1 else {"series": parts}


def _one(tokens: list[str]) -> dict[str, Any] | str:
    if not tokens:
        raise ValueError("expected the code of an agreement")
    token = tokens.pop(0)
    if token == "(":
        inner = _any(tokens)
        if not tokens or tokens.pop(0) != ")":
            raise ValueError("expected a closing bracket")
        return inner
    if token in (")", "+", "|"):
        raise ValueError(f"expected the code of an agreement, found {token!r}")
    return token


def text_of_supports(supports: object) -> str:
    """The expression `supports_from_text` reads."""
    if isinstance(supports, str):
        return supports
    if not isinstance(supports, Mapping):
        return ""
    for key, sign in (("series", " + "), ("parallel", " | ")):
        parts = list(_list(supports.get(key)))
        if parts:
            return sign.join(
                f"({text_of_supports(p)})" if isinstance(p, Mapping) else str(p) for p in parts
            )
    return ""
