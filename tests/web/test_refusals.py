"""Refusals reach a page in the reader's language, with their figures and their field."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from web.i18n import catalog
from web.refusals import in_chinese, in_english
from wfm import access
from wfm.errors import AccessDeniedError, Fault
from wfm.sla.documents import supports_from_text
from wfm.words import Role

ROOT = Path(__file__).parents[2]
SAID = [*(ROOT / "wfm" / "services").rglob("*.py"), *(ROOT / "wfm").glob("*.py"),
        *(ROOT / "web").rglob("*.py")]  # fmt: skip
ERRORS = {
    "Fault", "TierdeskError", "InputError", "NotFoundError", "ConflictError", "AccessDeniedError",
    "SignInError", "TimeLimitError", "SetupError", "CancelledError",
}  # fmt: skip
PROGRESS = {"report", "tell"}
NO_FIELDS = {"c"}  # the pairs of the weights page: its sentence says it all


@pytest.mark.parametrize(
    ("fault", "chinese"),
    [
        (
            Fault("it comes 2 days ahead, 3 are due; give a reason", column="reason"),
            "原因：仅提前 2 天，应提前 3 天；请说明原因",
        ),
        (
            Fault("'B' cannot hold 'lead' on 2026-10-01: leave"),
            "B 不能在 2026-10-01 担任 lead：休假",
        ),
        (Fault("'B' has 3 days, more than 2"), "B 已有 3 天，超过 2 天"),
        (
            Fault("this day has no duty table", column="day", value="2026-10-20"),
            "日期：该日没有值班表（实为 '2026-10-20'）",
        ),
        # three fields of a form may want the same: each is named
        (Fault("a value is required", column="display_name"), "姓名：必须填写"),
        (Fault("a value is required", file="a.csv", row=3, column="x"),
            "a.csv，第 3 行，x 列：必须填写"),
        (Fault("nothing would change"), "没有任何变化"),
        # a value that is itself a sentence, or a list of words, is translated as well
        (
            Fault("between 2026-07-01 and 2026-07-09 there is no posts; add some first"),
            "2026-07-01 至 2026-07-09 还没有岗位，请先添加",
        ),
        (
            Fault("the password still needs at least 11 characters, a digit", column="password"),
            "密码：密码还须包含：至少 11 个字符、数字",
        ),
        (
            Fault("the replay misses 90 % beyond chance for expert 74.1 %, net 80.0 % …; publish"
                  " with a reason or mend it first", column="reason"),
            "原因：重放中以下部分未达到 90 %，且非偶然波动所致：专家客服 74.1 %、net 80.0 % …；"
            "请说明发布原因，或先修正",
        ),
        # what an import says is known to the wording of imports
        (Fault("there are no rows below the header", file="a.csv"), "a.csv：表头之下没有数据行"),
        (
            Fault("this is too large; at most five files of 2 MB are taken"),
            "内容过大；最多可附五个文件，每个 2 MB",
        ),
        # and what nobody knows stays as it is
        (Fault("a sentence of no desk", column="x"), "column x: a sentence of no desk"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_chinese(fault: Fault, chinese: str) -> None:
    assert in_chinese(str(fault)) == chinese


@pytest.mark.parametrize("text", ["a +", "+ a", "a b", "(a", "a)", "(" * 21 + "a" + ")" * 21])
def test_what_an_agreement_rests_on_is_refused_in_chinese(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        supports_from_text(text)
    fault = Fault(str(refused.value), column="supports", value=text)
    assert in_chinese(str(fault)).startswith("依据：")
    assert "expected" not in in_chinese(str(fault))


def test_lines_are_told_one_by_one() -> None:
    assert in_chinese("nothing would change\n8 places are empty; give a reason") == (
        "没有任何变化\n有 8 个岗位空缺；请说明原因"
    )


@pytest.mark.parametrize(
    ("fault", "english"),
    [
        (Fault("a value is required", column="display_name"), "Display name: a value is required"),
        # a file has columns, and so has what no form asks for
        (Fault("a value is required", file="a.csv", row=3, column="day"),
         "a.csv, row 3, column day: a value is required"),
        (Fault("this column is missing", column="day"), "column day: this column is missing"),
        (Fault("wrong", column="no-field"), "column no-field: wrong"),
    ],
)  # fmt: skip
def test_a_form_has_fields_not_columns(fault: Fault, english: str) -> None:
    assert in_english(str(fault)) == english


def test_every_field_a_refusal_may_be_about_has_a_chinese_name() -> None:
    """Fields that routes read, and those that services name in a fault."""
    named = {
        keyword.value.value
        for path in SAID
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fault"
        for keyword in node.keywords
        if keyword.arg == "column" and isinstance(keyword.value, ast.Constant)
    }
    read = {
        (argument.annotation and ast.unparse(argument.annotation), argument.arg)
        for path in (ROOT / "web" / "routes").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for argument in node.args.args
    }
    named |= {name for told, name in read if told and "Form(" in told}
    words = {message.id for message in catalog("zh") if message.context == "field"}
    assert len(named) > 60
    assert {name for name in named if name.islower()} - words == NO_FIELDS


def test_roles_are_named_in_the_readers_language() -> None:
    with pytest.raises(AccessDeniedError) as refused:
        access.require(access.Actor("ada", "Ada"), "agreements.review")
    assert in_chinese(refused.value.message) == (
        "Ada 无权进行此操作（agreements.review）；需要以下角色之一：审计员"
    )


@pytest.mark.parametrize(
    ("path", "chinese"),
    [("/imports", "无权进行此操作"), ("/nowhere", "没有这个页面"), ("/jobs/0", "不得小于 1")],
)
def test_pages_refuse_in_chinese(
    signed_in: Callable[..., TestClient], path: str, chinese: str
) -> None:
    assert chinese in signed_in(Role.AGENT, language="zh").get(path).text


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("/grades/effect", "/grades"), ("/grades/records/1", "/grades"), ("/duty/place", "/duty"),
        ("/rosters/1/gap", "/rosters/1"), ("/dispatch/work", "/dispatch"), ("/me/swap", "/me"),
        ("/rosters/1/cells/1/2026-10-01/why", "/rosters/1/cells/1/2026-10-01"),
    ],
)  # fmt: skip
def test_a_page_opened_without_saying_of_what_leads_to_where_one_chooses(
    signed_in: Callable[..., TestClient], path: str, above: str
) -> None:
    client = signed_in(Role.LEAD)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, above)
    # a fragment is for a place on a page: there it is said what is wrong
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 422


def test_a_page_of_something_that_cannot_be_says_so(
    signed_in: Callable[..., TestClient],
) -> None:
    answer = signed_in(Role.AGENT, language="zh").get("/me/swap?day=tomorrow")
    assert answer.status_code == 422
    assert "日期" in answer.text


def test_every_sentence_of_the_services_has_a_chinese_translation() -> None:
    known = catalog("zh")
    missing = {
        (path.name, text)
        for path in SAID
        for text in sentences(ast.parse(path.read_text(encoding="utf-8")))
        if re.search("[A-Za-z]{2}", text)
        and not (text in known and known[text].string)
        and in_chinese(text) == text  # the wording of imports knows some
    }
    assert missing == set()


def test_the_collector_sees_constants_figures_and_lists() -> None:
    """Arrange each way a sentence is written; the test above is worth what this one shows."""
    code = """
GONE = "it is gone"
def check(n, progress):
    checks = [(n, f"at most {n} pieces"), (n, "a name please")]
    if n:
        raise ConflictError(GONE)
    wrong = "said before"
    progress.report(0.1, f"round {n}")
    raise InputError.of([Fault(wrong), *(Fault(told) for _, told in checks)])
"""
    assert set(sentences(ast.parse(code))) == {
        "it is gone", "said before", "at most {0} pieces", "a name please", "round {0}",
    }  # fmt: skip


def sentences(module: ast.Module) -> Iterator[str]:
    """The sentences errors and progress are made of, as a catalogue writes them."""
    for function in [module, *(n for n in ast.walk(module) if isinstance(n, ast.FunctionDef))]:
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            said = _said(call)
            if said is not None:
                yield from _texts(said, function, module)


def _said(call: ast.Call) -> ast.expr | None:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name in ERRORS and call.args:
        return call.args[0]
    return call.args[1] if name in PROGRESS and len(call.args) > 1 else None


def _texts(node: ast.expr, function: ast.AST, module: ast.Module) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        parts = iter(range(len(node.values)))
        return ["".join(str(v.value) if isinstance(v, ast.Constant) else f"{{{next(parts)}}}"
                        for v in node.values)]  # fmt: skip
    if isinstance(node, ast.IfExp):
        return _texts(node.body, function, module) + _texts(node.orelse, function, module)
    if isinstance(node, ast.BinOp):
        return _texts(node.left, function, module)
    if isinstance(node, ast.Name):
        return _named(node.id, function, module) or _listed(function)
    return []


def _named(name: str, function: ast.AST, module: ast.Module) -> list[str]:
    """What is assigned to a name in the function, else in the module."""
    for place in (function, module):
        found = [
            text
            for node in ast.walk(place)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
            and not isinstance(node.value, ast.Name)
            for text in _texts(node.value, place, module)
        ]  # fmt: skip
        if found:
            return found
    return []


def _listed(function: ast.AST) -> list[str]:
    """Sentences in a list of checks: strings with a blank, in a tuple of the function."""
    return [
        text
        for node in ast.walk(function)
        if isinstance(node, ast.Tuple) and not isinstance(function, ast.Module)
        for part in node.elts
        if isinstance(part, ast.Constant | ast.JoinedStr)
        for text in _texts(part, function, ast.Module([], []))
        if " " in text
    ]
