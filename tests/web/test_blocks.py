"""A block of a page is also rendered by itself: then nothing is known that stands outside it."""

from __future__ import annotations

import pytest
from jinja2 import Environment, nodes

from web.views import TEMPLATES

WHOLE = {"title", "styles", "main"}  # of whole pages only


def unknown(source: str) -> set[str]:
    """Names that blocks use and that are imported only outside them."""
    page = Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    outside = {one.target for one in page.body if isinstance(one, nodes.Import)}
    found: set[str] = set()
    for block in page.find_all(nodes.Block):
        own = {one.target for one in block.find_all(nodes.Import)}
        if block.name not in WHOLE:
            found |= {one.name for one in block.find_all(nodes.Name)} & outside - own
    return found


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.stem)
def test_blocks_import_what_they_use(path) -> None:
    assert unknown(path.read_text(encoding="utf-8")) == set()


def test_what_is_imported_outside_is_found() -> None:
    outside, block = '{% import "x" as m %}', "{% block rows %}{{ m.a() }}{% endblock %}"
    assert unknown(outside + block) == {"m"}
    assert unknown(outside + block.replace("%}{{", "%}" + outside + "{{")) == set()
    assert unknown(outside + block.replace("rows", "main")) == set()
