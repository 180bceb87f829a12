"""Rules of security that hold for the whole source, and for every answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from web.app import create_app
from wfm import db, instants
from wfm.db import transaction
from wfm.services import accounts
from wfm.settings import Settings
from wfm.tables import Account

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "wfm").rglob("*.py"), *(ROOT / "web").rglob("*.py")]
TEMPLATES = sorted((ROOT / "web" / "templates").glob("*.html"))
PASSWORD = "Right-answer-42"


def test_no_workbook_turns_text_into_formulas() -> None:
    made = [
        (path.name, call)
        for path in SOURCES
        for call in re.findall(r"xlsxwriter\.Workbook\([^)]*\)", path.read_text("utf-8"))
    ]
    assert len(made) >= 3
    assert [one for one in made if '"strings_to_formulas": False' not in one[1]] == []


def test_the_web_process_keeps_no_access_log() -> None:
    """Addresses of feeds and what people search for stand in addresses."""
    text = "".join(path.read_text("utf-8") for path in SOURCES)
    started = re.findall(r"uvicorn\.run\([^)]*\)", text)
    assert len(started) >= 1
    assert [call for call in started if "access_log=False" not in call] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_script_or_style_within_and_escape_everything(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son(click|load|change|submit|error)=", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_the_token(path: Path) -> None:
    text = path.read_text("utf-8")
    macros = re.findall(r"macro (\w+)\([^)]*\) %\}(.*?)\{% endmacro", text, re.DOTALL)
    carriers = [
        "token",
        "csrf_field",
        "caller",
        *(name for name, body in macros if "token(" in body),
    ]
    told = rf'name="csrf"|({"|".join(carriers)})\('
    for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL):
        assert re.search(told, form), form[:200]


def test_cookies_are_out_of_reach_of_scripts_and_other_sites_and_of_plain_http(
    fresh_engine: sa.Engine, tmp_path: Path
) -> None:
    app = create_app(Settings(data_dir=tmp_path, secure_cookies=True), fresh_engine)
    with transaction(fresh_engine) as session:
        accounts.create(session, "lin", "Lin", PASSWORD, [], instants.now())
    client = TestClient(app, base_url="https://desk.test", follow_redirects=False)
    given = [client.get("/sign-in").headers["set-cookie"]]
    data = {"name": "lin", "password": PASSWORD, "csrf": client.cookies["tierdesk_csrf"]}
    given += [client.post("/sign-in", data=data).headers["set-cookie"]]
    given += [client.post("/language", data={"language": "en", "csrf": data["csrf"]})
              .headers["set-cookie"]]  # fmt: skip
    for cookie in given:
        flags = {part.strip().lower() for part in cookie.split(";")}
        assert {"httponly", "secure", "samesite=lax"} <= flags, cookie


def test_errors_of_the_database_name_no_value(fresh_url: str, tmp_path: Path) -> None:
    engine = db.open_engine(Settings(database_url=fresh_url, data_dir=tmp_path))
    with pytest.raises(sa.exc.DBAPIError) as error, transaction(engine) as session:
        session.add(Account(name="x" * 500, display_name="", password_hash="a-secret-hash"))
    assert "a-secret-hash" not in str(error.value)
    engine.dispose()
