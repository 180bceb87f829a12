"""How this desk dispatches, as data: policy, weights, rings, the end of a duty, pauses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wfm.dispatch.policy import POLICIES, Deadline, Policy, Ring
from wfm.errors import Fault, InputError
from wfm.words import TicketKind

RULES = Path(__file__).parents[1] / "data" / "dispatch.toml"
CONTINUE, QUEUE, PERSON = ENDINGS = ("continue", "queue", "person")


@dataclass(frozen=True)
class Pause:
    """A reason for which a ticket's clocks may stand still."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True)
class DeskRules:
    """The rules of one desk; see `wfm/data/dispatch.toml` for what each means."""

    policy_name: str
    weights: dict[TicketKind, int]
    proficiency: dict[int, int]
    rings: tuple[Ring, ...]
    endings: dict[TicketKind, str]
    pauses: tuple[Pause, ...]

    def policy(self, name: str | None = None) -> Policy:
        """The desk's policy, or another one by name; rings belong to `deadline` alone."""
        name = name or self.policy_name
        return Deadline(rings=self.rings) if name == Deadline.name else POLICIES[name]()

    def weight(self, kind: TicketKind) -> int:
        return self.weights.get(kind, 1)

    def wanted(self, priority: int) -> int:
        """Proficiency looked for at first."""
        return self.proficiency.get(priority, 1)


@cache
def load() -> DeskRules:
    """The rules as they are shipped or were changed by the desk."""
    return read(RULES.read_text(encoding="utf-8"))


def read(text: str) -> DeskRules:
    """Rules from TOML.

    Raises
    ------
    InputError
        Not TOML, or a part of it is not what it has to be.
    """
    try:
        given = tomllib.loads(text)
        return DeskRules(
            policy_name=_one_of(given.get("policy", Deadline.name), POLICIES, "policy"),
            weights={
                TicketKind(kind): _within(weight, 1, 99, f"weights.{kind}")
                for kind, weight in given.get("weights", {}).items()
            },
            proficiency={
                int(priority): _within(level, 1, 5, f"proficiency.{priority}")
                for priority, level in given.get("proficiency", {}).items()
            },
            rings=tuple(
                Ring(
                    float(_within(ring["left_share"], 0, 1, "rings.left_share")),
                    int(_within(ring.get("proficiency", 5), 1, 5, "rings.proficiency")),
                    int(_within(ring.get("tiers_below", 0), 0, 2, "rings.tiers_below")),
                )
                for ring in given.get("rings", [])
            ),
            endings=_endings(given.get("end_of_duty", {})),
            pauses=tuple(Pause(one["code"], one["en"], one["zh"]) for one in given["pauses"]),
        )
    except tomllib.TOMLDecodeError as error:
        raise InputError.of([Fault(f"expected TOML: {error}", RULES.name)]) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.of([Fault(f"this rule cannot be read: {error}", RULES.name)]) from error


def _endings(given: dict[str, str]) -> dict[TicketKind, str]:
    otherwise = _one_of(given.get("otherwise", QUEUE), ENDINGS, "end_of_duty.otherwise")
    return {
        kind: _one_of(given.get(kind, otherwise), ENDINGS, f"end_of_duty.{kind}")
        for kind in TicketKind
    }


def _one_of(value: str, choices: Any, where: str) -> str:
    if value not in choices:
        raise ValueError(f"{where} must be one of {', '.join(sorted(choices))}")
    return value


def _within(value: Any, least: float, most: float, where: str) -> Any:
    if not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{where} must be from {least} to {most}")
    return value
