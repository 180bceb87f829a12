"""What agents ask for: leave, a swap, a correction of their record; asked, agreed and decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services import swaps
from wfm.services.agent_desk import own_agent
from wfm.tables import Agent, AgentRequest, AgentTeam, Leave
from wfm.words import LeaveKind, RequestKind, RequestStatus

LONGEST_LEAVE_DAYS = 180
LONGEST_TEXT = 2000
MOST_SHOWN = 200
RIGHT = {
    RequestKind.LEAVE: "requests.decide",
    RequestKind.SWAP: "requests.decide",
    RequestKind.CORRECTION: "records.correct",
}


@dataclass(frozen=True)
class Asked:
    """A request with the people it concerns."""

    request: AgentRequest
    agent: Agent
    colleague: Agent | None
    team_id: int | None

    @property
    def ready(self) -> bool:
        """Whether it can be granted: the colleague of a swap has agreed."""
        return self.request.kind != RequestKind.SWAP or self.request.agreed_at is not None


def ask_leave(
    session: Session, actor: Actor, first: date, last: date, kind: LeaveKind, text: str,
    today: date, at: datetime,
) -> AgentRequest:  # fmt: skip
    """Ask for days off, both ends included."""
    agent = own_agent(session, actor)
    if last < first:
        raise InputError.of([Fault("must not lie before the first", column="last")])
    if (last - first).days >= LONGEST_LEAVE_DAYS:
        raise InputError.of(
            [Fault(f"a period of 1 to {LONGEST_LEAVE_DAYS} days is expected", column="last")]
        )
    if last < today:
        raise InputError.of([Fault("these days are over", column="last")])
    request = AgentRequest(
        agent_id=_id(agent), kind=RequestKind.LEAVE, first_day=first, last_day=last,
        leave_kind=kind, text=text.strip()[:LONGEST_TEXT], made_at=at,
    )  # fmt: skip
    return _add(session, actor, request, at)


def ask_swap(
    session: Session, actor: Actor, day: date, colleague_id: int, text: str, today: date,
    at: datetime,
) -> AgentRequest:  # fmt: skip
    """Ask to change shifts of a day with a colleague the rules allow it with."""
    agent = own_agent(session, actor)
    if day <= today:
        raise InputError.of([Fault("a swap is asked for before the day begins", column="day")])
    if not swaps.candidates(session, agent, day, only=colleague_id).candidates:
        raise ConflictError("the rules do not allow this swap; choose somebody of the list")
    request = AgentRequest(
        agent_id=_id(agent), kind=RequestKind.SWAP, first_day=day, last_day=day,
        colleague_id=colleague_id, text=text.strip()[:LONGEST_TEXT], made_at=at,
    )  # fmt: skip
    return _add(session, actor, request, at)


def ask_correction(
    session: Session, actor: Actor, text: str, today: date, at: datetime
) -> AgentRequest:
    """Say what is wrong in what the desk holds about oneself."""
    agent = own_agent(session, actor)
    if len(text.strip()) < 5:
        raise InputError.of([Fault("say what is wrong and what is right", column="text")])
    request = AgentRequest(
        agent_id=_id(agent), kind=RequestKind.CORRECTION, first_day=today, last_day=today,
        text=text.strip()[:LONGEST_TEXT], made_at=at,
    )  # fmt: skip
    return _add(session, actor, request, at)


def agree(session: Session, actor: Actor, request_id: int, at: datetime) -> AgentRequest:
    """The colleague agrees to a swap."""
    agent = own_agent(session, actor)
    request = _open(session, request_id)
    if request.colleague_id != agent.id:
        raise AccessDeniedError("only the colleague who was asked can agree")
    request.agreed_at = at
    audit.record(session, at, actor.name, "request.agree", f"request {request_id}")
    return request


def withdraw(session: Session, actor: Actor, request_id: int, at: datetime) -> AgentRequest:
    """Take one's own open request back; the colleague who was asked may refuse it this way."""
    agent = own_agent(session, actor)
    request = _open(session, request_id)
    if agent.id not in (request.agent_id, request.colleague_id):
        raise AccessDeniedError("only who asked, or was asked, can take a request back")
    request.status, request.decided_by, request.decided_at = (
        RequestStatus.WITHDRAWN, actor.name, at,
    )  # fmt: skip
    audit.record(session, at, actor.name, "request.withdraw", f"request {request_id}")
    return request


def decide(
    session: Session, actor: Actor, request_id: int, grant: bool, answer: str, at: datetime,
    timezone: str,
) -> AgentRequest:  # fmt: skip
    """Grant or refuse; leave is put on record, a swap makes a new draft of the roster.

    Raises
    ------
    AccessDeniedError
        Nobody decides their own request, or for a team that is not theirs.
    ConflictError
        It was decided before, or the colleague has not agreed yet.
    """
    request = _open(session, request_id)
    asked = next(one for one in _rows(session, AgentRequest.id == request_id))
    access.require(actor, RIGHT[request.kind], asked.team_id)
    if actor.agent_id is not None and actor.agent_id in (request.agent_id, request.colleague_id):
        raise AccessDeniedError("nobody decides their own request")
    answer = answer.strip()[:LONGEST_TEXT]
    if grant and not asked.ready:
        raise ConflictError("the colleague has not agreed yet")
    if not grant and not answer:
        raise InputError.of([Fault("say why it is refused", column="answer")])
    if grant and request.kind == RequestKind.LEAVE:
        _grant_leave(session, request)
    if grant and request.kind == RequestKind.SWAP:
        assert asked.colleague is not None
        swaps.carry_out(
            session, actor, asked.agent, asked.colleague, request.first_day, at, timezone
        )
    request.status = RequestStatus.GRANTED if grant else RequestStatus.REFUSED
    request.decided_by, request.decided_at, request.answer = actor.name, at, answer
    audit.record(session, at, actor.name, f"request.{request.status.value}",
                 f"request {request_id}", kind=request.kind.value, agent=asked.agent.code,
                 first=str(request.first_day), last=str(request.last_day))  # fmt: skip
    return request


def of_agent(session: Session, agent_id: int) -> list[Asked]:
    """What an agent asked for or was asked, the newest first."""
    mine = or_(AgentRequest.agent_id == agent_id, AgentRequest.colleague_id == agent_id)
    return _rows(session, mine)


def to_decide(session: Session, actor: Actor) -> list[Asked]:
    """Open requests this account may decide, the earliest day first."""
    if not any(actor.may(right) for right in RIGHT.values()):
        access.require(actor, "requests.decide")
    found = _rows(session, AgentRequest.status == RequestStatus.OPEN)
    mine = [one for one in found if actor.may(RIGHT[one.request.kind], one.team_id)]
    return sorted(mine, key=lambda one: (one.request.first_day, one.request.id or 0))


def _rows(session: Session, which: sa.ColumnElement[bool] | bool) -> list[Asked]:
    colleague = aliased(Agent)
    rows = session.execute(
        select(AgentRequest, Agent, colleague, AgentTeam.team_id)
        .join(Agent, col(Agent.id) == AgentRequest.agent_id)
        .join(colleague, col(colleague.id) == AgentRequest.colleague_id, isouter=True)
        .join(
            AgentTeam,
            sa.and_(
                col(AgentTeam.agent_id) == col(AgentRequest.agent_id),
                col(AgentTeam.valid_from) <= AgentRequest.first_day,
                sa.or_(
                    col(AgentTeam.valid_until).is_(None),
                    col(AgentTeam.valid_until) > AgentRequest.first_day,
                ),
            ),
            isouter=True,
        )
        .where(which)
        .order_by(col(AgentRequest.made_at).desc(), col(AgentRequest.id).desc())
        .limit(MOST_SHOWN)
    )  # fmt: skip
    return [Asked(*row) for row in rows]


def _add(session: Session, actor: Actor, request: AgentRequest, at: datetime) -> AgentRequest:
    session.add(request)
    session.flush()
    audit.record(session, at, actor.name, f"request.{request.kind.value}",
                 f"request {request.id}", first=str(request.first_day),
                 last=str(request.last_day))  # fmt: skip
    return request


def _open(session: Session, request_id: int) -> AgentRequest:
    request = session.get(AgentRequest, request_id, with_for_update=True)
    if request is None:
        raise NotFoundError(f"there is no request {request_id}")
    if request.status != RequestStatus.OPEN:
        raise ConflictError("this request is decided already")
    return request


def _grant_leave(session: Session, request: AgentRequest) -> None:
    known = session.exec(
        select(Leave).where(
            Leave.agent_id == request.agent_id, Leave.start_on <= request.last_day,
            Leave.end_on >= request.first_day,
        )
    ).first()  # fmt: skip
    if known is not None:
        raise ConflictError("There is leave on some of these days already. Choose the others.")
    session.add(
        Leave(agent_id=request.agent_id, start_on=request.first_day, end_on=request.last_day,
              kind=request.leave_kind or LeaveKind.OTHER)
    )  # fmt: skip
    session.flush()


def _id(agent: Agent) -> int:
    assert agent.id is not None
    return agent.id
