"""What if: ask for it, and read the answer side by side."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response

from web import htmx
from web.deps import AtDesk
from web.fields import AskedId
from wfm.dispatch.policy import POLICIES
from wfm.services import queue, what_if
from wfm.services.what_if import Change, Question

router = APIRouter()
WEEK = timedelta(days=7)


@router.get("/what-if")
def page(desk: AtDesk, job: AskedId = None) -> Response:
    skills = what_if.skills(desk.session, desk.actor)
    found = queue.one(desk.session, desk.actor, job) if job else None
    answer = found.result if found is not None and found.task == "what_if" else None
    monday = desk.today - timedelta(days=desk.today.weekday())
    return desk.page(
        "what_if.html", answer=answer, first=monday - WEEK, last=monday - timedelta(days=1),
        policies=sorted(POLICIES), skills=skills,
        skills_by_code={skill.code: skill for skill in skills},
    )  # fmt: skip


@router.post("/what-if")
def ask(
    desk: AtDesk,
    first: Annotated[date, Form()],
    last: Annotated[date, Form()],
    source: Annotated[str, Form(max_length=20)] = "recorded",
    policy: Annotated[str, Form(max_length=40)] = "deadline",
    grade: Annotated[str, Form(max_length=20)] = "",
    skill: Annotated[str, Form(max_length=120)] = "",
    starts: Annotated[str, Form(pattern=r"\d\d:\d\d")] = "09:00",
    ends: Annotated[str, Form(pattern=r"\d\d:\d\d")] = "18:00",
    break_at: Annotated[str, Form(pattern=r"(\d\d:\d\d)?")] = "",
) -> Response:
    change = Change(policy, grade, skill, _minutes(starts), _minutes(ends),
                    _minutes(break_at) if break_at else None)  # fmt: skip
    question = Question(first, last, source, change)
    job = what_if.ask(desk.session, desk.actor, question, desk.at)
    return htmx.go_to(desk.request, f"/jobs/{job.id}")


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
