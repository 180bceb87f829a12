"""The words of the trade that records are made of; `docs/glossary.md` explains them."""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    ORDINARY = "ordinary"
    SENIOR = "senior"
    EXPERT = "expert"


class TicketKind(StrEnum):
    CONSULTATION = "consultation"
    INCIDENT = "incident"
    REQUEST = "request"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"
    PROBLEM = "problem"


class TicketState(StrEnum):
    """What replaying the ticket's events says of it."""

    OPEN = "open"
    PAUSED = "paused"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class EventKind(StrEnum):
    OPENED = "opened"
    ASSIGNED = "assigned"
    TRANSFERRED = "transferred"
    ESCALATED = "escalated"
    CUSTOMER_MESSAGE = "customer_message"
    AGENT_MESSAGE = "agent_message"
    PAUSED = "paused"
    RESUMED = "resumed"
    PRIORITY_CHANGED = "priority_changed"
    SERVICE_CHANGED = "service_changed"
    AGREEMENT_CHANGED = "agreement_changed"
    CALENDAR_CHANGED = "calendar_changed"
    NOTED = "noted"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    CALLED_BACK = "called_back"


class DayType(StrEnum):
    WORKDAY = "workday"
    REST_DAY = "rest_day"
    STATUTORY_HOLIDAY = "statutory_holiday"
    MAKE_UP_WORKDAY = "make_up_workday"


class ServiceStatus(StrEnum):
    PIPELINE = "pipeline"
    LIVE = "live"
    RETIRED = "retired"


class AgreementKind(StrEnum):
    SLA = "sla"
    OLA = "ola"
    UC = "uc"


class AgreementStatus(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"


class Metric(StrEnum):
    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    CALLBACK = "callback"


class ClockState(StrEnum):
    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class Reopening(StrEnum):
    CONTINUE = "continue"
    RESTART = "restart"


class RestrictionKind(StrEnum):
    NO_NIGHT = "no_night"
    NO_OVERTIME = "no_overtime"
    NO_ON_SITE = "no_on_site"
    MINOR = "minor"
    NO_STANDBY = "no_standby"
    NO_HOLIDAYS = "no_holidays"
    SHORT_DAYS = "short_days"


class LeaveKind(StrEnum):
    ANNUAL = "annual"
    SICK = "sick"
    IN_LIEU = "in_lieu"
    PERSONAL = "personal"
    TRAINING = "training"
    OTHER = "other"


class ContributionKind(StrEnum):
    KNOWLEDGE_ARTICLE = "knowledge_article"
    COACHING = "coaching"
    SWAP_TAKEN = "swap_taken"
    TRAINING = "training"
    IMPROVEMENT = "improvement"
    OTHER = "other"


class CycleStatus(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    EFFECTIVE = "effective"


class DecisionAction(StrEnum):
    """What a person did to a proposed grade; the last two decide an appeal."""

    ACCEPT = "accept"
    OVERRIDE = "override"
    SEND_BACK = "send_back"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    UPHOLD = "uphold"
    GRANT = "grant"


class RecordKind(StrEnum):
    """Records behind a grade that may have to be put right."""

    TICKET = "ticket"
    SURVEY = "survey"
    REVIEW = "review"
    CONTRIBUTION = "contribution"


class Mode(StrEnum):
    ON_SITE = "on_site"
    REMOTE = "remote"
    STANDBY = "standby"


class DutyKind(StrEnum):
    ORDINARY = "ordinary"
    OVERTIME = "overtime"
    WATCH = "watch"
    STANDBY = "standby"


class PostRole(StrEnum):
    DUTY_LEADER = "duty_leader"
    LEAD = "lead"
    DEPUTY = "deputy"
    STAFF = "staff"
    STANDBY = "standby"


class RosterStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    REVISED = "revised"


class LockKind(StrEnum):
    FIX = "fix"
    FORBID = "forbid"


class EditKind(StrEnum):
    EDIT = "edit"
    UNDO = "undo"
    REDO = "redo"


class RequestKind(StrEnum):
    """What an agent asks for."""

    LEAVE = "leave"
    SWAP = "swap"
    CORRECTION = "correction"


class RequestStatus(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class JobStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    LEAD = "lead"
    PLANNER = "planner"
    DISPATCHER = "dispatcher"
    AGENT = "agent"
    REVIEWER = "reviewer"
    SERVICE_MANAGER = "service_manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
