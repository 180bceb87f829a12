"""Templates: whole pages, and named blocks of them as fragments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from web.grid import half_hours, lines
from web.i18n import translations
from web.refusals import in_chinese, in_english

TEMPLATES = Path(__file__).parent / "templates"
WEEKDAYS = {"en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "zh": tuple("一二三四五六日")}


def _environment(language: str, timezone: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    zone = ZoneInfo(timezone)

    def local(instant: datetime | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
        return instant.astimezone(zone).strftime(pattern) if instant else ""

    def percent(share: float | None, digits: int = 0, *, signed: bool = False) -> str:
        sign = "+" if signed else ""
        # a minus sign, not a hyphen, after which a line may break
        return "" if share is None else f"{100 * share:{sign}.{digits}f} %".replace("-", "−")

    def weekday(day: date) -> str:
        return WEEKDAYS[language][day.weekday()]

    def named(thing: Any) -> str:
        """The name of a team, skill … in the reader's language."""
        return str(getattr(thing, f"name_{language}"))

    def called(code: str, things: Mapping[str, Any]) -> str:
        """The name of what a code stands for; the code where nobody knows it any more."""
        return named(things[code]) if code in things else code

    def told(text: str) -> str:
        """What is wrong, in the reader's language; what has no translation stays as it is."""
        return in_chinese(text) if language == "zh" else in_english(text)

    environment.filters |= {
        "local": local,
        "percent": percent,
        "weekday": weekday,
        "named": named,
        "called": called,
        "faults": told,
    }
    environment.globals |= {"language": language, "timezone": timezone}
    environment.globals |= {"lines": lines, "half_hours": half_hours}
    return environment


class Views:
    """The templates in every language."""

    def __init__(self, timezone: str) -> None:
        self._by_language = {
            language: _environment(language, timezone) for language in ("zh", "en")
        }

    def render(
        self,
        request: Request,
        template: str,
        *,
        block: str | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """Render a page, or one block of it, for whoever is asking."""
        given = context | {
            "request": request,
            "path": request.url.path,
            "actor": request.state.actor,
            "csrf": request.state.csrf,
        }
        text = self.text(request.state.language, template, block, given)
        return HTMLResponse(text, status_code=status, headers=headers)

    def text(self, language: str, template: str, block: str | None, context: dict[str, Any]) -> str:
        """A page, or one block of it, in a language."""
        found = self._by_language[language].get_template(template)
        if block is None:
            return found.render(context)
        return "".join(found.blocks[block](found.new_context(context)))
