"""Who may do what: one check, at the start of every use case.

`RIGHTS` is the table of `docs/reference/rights.md`; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wfm.errors import AccessDeniedError
from wfm.words import Role

RIGHTS: dict[str, frozenset[Role]] = {
    "grades.view": frozenset(
        {Role.LEAD, Role.REVIEWER, Role.SERVICE_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR}
    ),
    "grades.decide": frozenset({Role.LEAD}),
    "grades.second": frozenset({Role.LEAD, Role.SERVICE_MANAGER}),
    "grades.assess": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "grades.policy": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "grades.calibrate": frozenset({Role.LEAD, Role.REVIEWER}),
    "rosters.view": frozenset(
        {Role.LEAD, Role.PLANNER, Role.DISPATCHER, Role.AGENT, Role.AUDITOR, Role.ADMINISTRATOR}
    ),
    "rosters.plan": frozenset({Role.PLANNER}),
    "rosters.publish": frozenset({Role.PLANNER}),
    "contacts.view": frozenset({Role.LEAD, Role.PLANNER, Role.DISPATCHER}),
    "dispatch.view": frozenset(
        {Role.DISPATCHER, Role.LEAD, Role.SERVICE_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR}
    ),
    "dispatch.assign": frozenset({Role.DISPATCHER}),
    "agreements.view": frozenset(
        {
            Role.SERVICE_MANAGER,
            Role.LEAD,
            Role.PLANNER,
            Role.DISPATCHER,
            Role.AUDITOR,
            Role.ADMINISTRATOR,
        }
    ),
    "agreements.write": frozenset({Role.SERVICE_MANAGER}),
    "agreements.review": frozenset({Role.AUDITOR}),
    "agreements.sign": frozenset({Role.SERVICE_MANAGER}),
    "imports.view": frozenset({Role.PLANNER, Role.LEAD, Role.AUDITOR, Role.ADMINISTRATOR}),
    "imports.run": frozenset({Role.PLANNER, Role.ADMINISTRATOR}),
    "jobs.view": frozenset({Role.PLANNER, Role.LEAD, Role.AUDITOR, Role.ADMINISTRATOR}),
    "audit.view": frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    "work.own": frozenset({Role.AGENT}),
    "requests.decide": frozenset({Role.PLANNER}),
    "records.correct": frozenset({Role.LEAD, Role.ADMINISTRATOR}),
    "accounts.manage": frozenset({Role.ADMINISTRATOR}),
    "webhooks.manage": frozenset({Role.ADMINISTRATOR}),
    "access.view": frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
    "access.decide": frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
}


@dataclass(frozen=True)
class Actor:
    """Who asks: an account, or the system itself (jobs, the command line of its owner).

    Parameters
    ----------
    roles : mapping of role to the team ids it covers; None covers the whole desk.
    """

    name: str
    display_name: str = ""
    language: str = "zh"
    agent_id: int | None = None
    roles: dict[Role, frozenset[int] | None] = field(default_factory=dict)
    system: bool = False

    def may(self, right: str, team_id: int | None = None) -> bool:
        """Whether this actor holds `right` (for `team_id`, when one is named)."""
        if self.system:
            return True
        for role in RIGHTS[right] & self.roles.keys():
            teams = self.roles[role]
            if teams is None or team_id is None or team_id in teams:
                return True
        return False

    def teams(self, right: str) -> frozenset[int] | None:
        """The teams `right` covers; None means all of them."""
        if self.system:
            return None
        covered: frozenset[int] = frozenset()
        for role in RIGHTS[right] & self.roles.keys():
            teams = self.roles[role]
            if teams is None:
                return None
            covered |= teams
        return covered


SYSTEM = Actor(name="system", display_name="system", system=True)


def require(actor: Actor, right: str, team_id: int | None = None) -> None:
    """Refuse when the actor does not hold `right`."""
    if not actor.may(right, team_id):
        holders = ", ".join(sorted(RIGHTS[right]))
        who = actor.display_name or actor.name
        if actor.may(right):
            raise AccessDeniedError(
                f"{who} may not do this for this team ({right}); "
                f"it takes one of these roles for it: {holders}"
            )
        raise AccessDeniedError(
            f"{who} may not do this ({right}); it takes one of these roles: {holders}"
        )


def require_whole_desk(actor: Actor, right: str) -> None:
    """Refuse when the actor does not hold `right` for every team."""
    require(actor, right)
    if actor.teams(right) is not None:
        raise AccessDeniedError(
            f"{actor.display_name or actor.name} may do this only for some teams; "
            f"it concerns the whole desk ({right})"
        )
