"""Rules as data: each has a name, a weight, a scope and a source.

A rule without a weight is hard. A soft rule costs its weight times the amount by which it is
broken; the amount's unit is told with each kind. `agents` is the scope (None: everybody).
"Worked" means having a shift that starts on the day. Days before the first one count as far back
as the problem's `history_days` reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from scheduler.problem.parts import Lock

Period: TypeAlias = Literal["day", "week", "month", "horizon", "rolling"]
Measure: TypeAlias = Literal["duties", "minutes", "nights", "weekends", "unpopular", "burden"]


@dataclass(frozen=True, kw_only=True)
class BaseRule:
    """What every rule has."""

    name: str
    weight: int | None = None
    agents: tuple[str, ...] | None = None
    source: str = ""

    @property
    def hard(self) -> bool:
        return self.weight is None


@dataclass(frozen=True, kw_only=True)
class MinRest(BaseRule):
    """At least so many minutes between the end of one duty and the start of the next.

    Amount: pairs of duties too close to each other.
    """

    kind: ClassVar[str] = "min_rest"
    minutes: int


@dataclass(frozen=True, kw_only=True)
class ForbiddenSuccession(BaseRule):
    """None of the shifts `then` on the day after one of the shifts `first`. Amount: pairs."""

    kind: ClassVar[str] = "forbidden_succession"
    first: tuple[str, ...]
    then: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MaxConsecutive(BaseRule):
    """At most so many worked days in a row; with `shifts`, days on these. Amount: days beyond."""

    kind: ClassVar[str] = "max_consecutive"
    days: int
    shifts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MinConsecutive(BaseRule):
    """At least so many worked days in a row; with `shifts`, days on these.

    A run that touches the first known or the last day may be shorter. Amount: days missing.
    """

    kind: ClassVar[str] = "min_consecutive"
    days: int
    shifts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MinDaysOff(BaseRule):
    """At least so many days off in a row, except at the edges. Amount: days missing."""

    kind: ClassVar[str] = "min_days_off"
    days: int


@dataclass(frozen=True, kw_only=True)
class RestDays(BaseRule):
    """At least `days` days off in every `window` days.

    Rolling over all windows of that length, or only in the calendar weeks (Monday to Sunday,
    `window` 7) that lie wholly within the known days. Amount: days off missing, per window.
    """

    kind: ClassVar[str] = "rest_days"
    days: int = 1
    window: int = 7
    rolling: bool = False


@dataclass(frozen=True, kw_only=True)
class RestAfter(BaseRule):
    """After a run of at least `run` days on `shifts`, so many days off. Amount: days worked."""

    kind: ClassVar[str] = "rest_after"
    shifts: tuple[str, ...]
    days_off: int
    run: int = 1


@dataclass(frozen=True, kw_only=True)
class MinutesLimit(BaseRule):
    """Minutes worked in each period: a day, week (from Monday), month, the whole, or rolling.

    Rolling windows are `window` days long. Known days before the first count in their week, month
    or window; the minimum is asked only of periods that lie wholly within the known days.
    Amount: hours begun beyond the limit.
    """

    kind: ClassVar[str] = "minutes_limit"
    period: Period = "week"
    minimum: int | None = None
    maximum: int | None = None
    window: int = 7


@dataclass(frozen=True, slots=True)
class PastShare:
    """What an agent has borne before the first day, in the measure's own unit."""

    agent: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class OvertimeLimit(BaseRule):
    """The overtime meter of each calendar month stays within `maximum` minutes.

    Meter = minutes on statutory holidays + minutes on all other days beyond `day_minutes` for
    each working day of the month that the agent is not on leave, over the problem's days; `past`
    adds the meter minutes of the first month before the first day. Amount: hours begun beyond.
    """

    kind: ClassVar[str] = "overtime_limit"
    maximum: int = 2160
    past: tuple[PastShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ContractMinutes(BaseRule):
    """Minutes of the period stay within `tolerance` of the contract. Amount: hours begun beyond.

    Contract = `day_minutes` times the working days of the period that the agent is not on leave.
    """

    kind: ClassVar[str] = "contract_minutes"
    tolerance: int = 0


@dataclass(frozen=True, kw_only=True)
class MaxWeekends(BaseRule):
    """At most so many weekends with a duty on Saturday or Sunday. Amount: weekends beyond."""

    kind: ClassVar[str] = "max_weekends"
    weekends: int


@dataclass(frozen=True, kw_only=True)
class ShiftLimit(BaseRule):
    """How many of `shifts` an agent works in each period. Amount: shifts beyond the limit."""

    kind: ClassVar[str] = "shift_limit"
    shifts: tuple[str, ...]
    period: Period = "horizon"
    minimum: int | None = None
    maximum: int | None = None
    window: int = 7


@dataclass(frozen=True, kw_only=True)
class Apart(BaseRule):
    """No two of `agents` on the same shift of a day. Amount: people beyond one."""

    kind: ClassVar[str] = "apart"


@dataclass(frozen=True, kw_only=True)
class Together(BaseRule):
    """The first of `agents` (a newcomer) works only shifts all the others (mentors) work too.

    Amount: duties without one of the others, each of them counted.
    """

    kind: ClassVar[str] = "together"


@dataclass(frozen=True, kw_only=True)
class FairShare(BaseRule):
    """Shares of a burden, past and planned together, are alike. Always soft.

    Measures: ``duties`` worked days, ``nights`` and ``unpopular`` shifts so marked, ``weekends``
    worked, ``minutes`` worked beyond the contract, ``burden`` of named days (the day's burden
    times the percentage of the shift and of the posts held, rounded down).

    Amount, in begun `unit` s: ``spread`` is the largest share less the smallest; ``squares`` is
    the sum of the squared shares, which always prefers whoever has borne least.
    """

    kind: ClassVar[str] = "fair_share"
    measure: Measure
    how: Literal["spread", "squares"] = "spread"
    unit: int = 1
    past: tuple[PastShare, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldDay:
    """A named day an agent had duty on last year."""

    agent: str
    day_name: str


@dataclass(frozen=True, kw_only=True)
class NamedDayRepeat(BaseRule):
    """Nobody has duty on the same named day two years running. Amount: duties and posts held."""

    kind: ClassVar[str] = "named_day_repeat"
    held: tuple[HeldDay, ...]


@dataclass(frozen=True, kw_only=True)
class Stability(BaseRule):
    """Cells stay as they were in an earlier version. Amount: cells changed."""

    kind: ClassVar[str] = "stability"
    earlier: tuple[Lock, ...]


Rule: TypeAlias = (
    MinRest
    | ForbiddenSuccession
    | MaxConsecutive
    | MinConsecutive
    | MinDaysOff
    | RestDays
    | RestAfter
    | MinutesLimit
    | OvertimeLimit
    | ContractMinutes
    | MaxWeekends
    | ShiftLimit
    | Apart
    | Together
    | FairShare
    | NamedDayRepeat
    | Stability
)
