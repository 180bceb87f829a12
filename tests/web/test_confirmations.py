"""Whatever takes something away asks first, or wants a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"
TAKES_AWAY = re.compile(r'action="[^"]*/(remove|revoke|withdraw|discard|feed/close|secret)"')
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
FORMS = [
    (template.name, form)
    for template in sorted(TEMPLATES.glob("*.html"))
    for form in FORM.findall(template.read_text("utf-8"))
    if TAKES_AWAY.search(form)
]


def test_there_are_such_forms() -> None:
    assert len(FORMS) > 5


@pytest.mark.parametrize(
    ("template", "form"), FORMS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(FORMS)]
)
def test_it_asks_or_wants_a_reason(template: str, form: str) -> None:
    # a withdrawn adjustment of the forecast stays in the list, where its button says "Undo"
    asks = re.search(r"(data|hx)-confirm=", form) or "required" in form or '_("Undo")' in form
    assert asks, f"{template}: {form[:200]}"
    if "hx-post" in form:  # htmx sends by itself, and asks by its own attribute
        assert "data-confirm" not in form
