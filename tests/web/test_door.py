"""Who is let in, what is refused at the door, and in which language."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from wfm.words import Role

SignIn = Callable[..., TestClient]
EVIL = "https://evil.test/page"


def test_a_stranger_is_sent_to_sign_in_and_back(client: TestClient) -> None:
    answer = client.get("/jobs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/jobs")


def test_a_fragment_request_of_a_stranger_reloads_the_whole_page(client: TestClient) -> None:
    answer = client.get("/jobs", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in?next=/jobs")


def test_a_wrong_password_is_refused_with_words(client: TestClient) -> None:
    answer = client.post("/sign-in", data={"name": "x", "password": "y"})
    assert answer.status_code == 401
    assert "账号、密码或验证码不正确" in answer.text


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "/\\evil.test", "x"])
def test_sign_in_never_leads_to_another_site(signed_in: SignIn, target: str) -> None:
    client = signed_in(Role.LEAD)
    data = {"name": "somebody", "password": "Right-answer-42", "next": target}
    assert client.post("/sign-in", data=data).headers["location"] == "/"


def test_a_post_without_the_token_is_refused(client: TestClient) -> None:
    del client.headers["x-csrf-token"]
    answer = client.post("/sign-in", data={"name": "x", "password": "y"})
    assert answer.status_code == 403
    client.cookies.clear()  # nor does an empty token match a browser that has none
    for sent in ({}, {"x-csrf-token": ""}):
        assert client.post("/sign-in", data={"csrf": ""}, headers=sent).status_code == 403


def test_a_post_from_another_site_is_refused(client: TestClient) -> None:
    # a browser that names no origin names the page
    for header in ("origin", "referer"):
        answer = client.post("/language", data={"language": "en"}, headers={header: EVIL})
        assert answer.status_code == 403
        assert "another site" in answer.text or "其他网站" in answer.text


def test_pages_forbid_inline_script_and_framing(client: TestClient) -> None:
    policy = client.get("/sign-in").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_language_is_remembered_with_the_account(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    assert "No jobs yet" in client.get("/jobs").text
    client.post("/language", data={"language": "zh", "back": "/jobs"})
    assert "还没有任务" in client.get("/jobs").text


def test_signing_out_ends_the_session_on_the_server(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    token = client.cookies["tierdesk_session"]
    client.post("/sign-out")
    client.cookies.set("tierdesk_session", token)
    assert client.get("/jobs").status_code == 303


def test_a_role_without_the_right_is_told_so(signed_in: SignIn) -> None:
    answer = signed_in(Role.AGENT).get("/jobs")
    assert answer.status_code == 403
    assert "jobs.view" in answer.text


def test_an_unknown_page_is_a_page_too(signed_in: SignIn) -> None:
    answer = signed_in(Role.AGENT).get("/nowhere")
    assert answer.status_code == 404
    assert "there is no such page" in answer.text


def test_an_empty_choice_of_a_form_chooses_all(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    assert client.get("/planning/people?team=&who=").status_code == 200
    assert client.get("/planning/people?team=0").status_code == 422


def test_an_agents_account_without_an_agent_starts_on_a_page_it_may_see(signed_in: SignIn) -> None:
    client = signed_in(Role.AGENT)
    assert client.get("/me").status_code == 404
    start = client.get("/").headers["location"]
    assert client.get(start).status_code == 200
