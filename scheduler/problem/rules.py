"""Rules as data: each has a name, a weight, a scope and a source.

A rule without a weight is hard. A soft rule costs its weight times the amount by which it is
broken; the amount's unit is told with each kind. `agents` is the scope (None: everybody).
"Worked" means having a shift that starts on the day. Days before the first one count as far back
as the problem's `history_days` reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, TypeAlias

from scheduler.problem.parts import Lock

Period: TypeAlias = Literal["day", "week", "month", "horizon", "rolling"]
Measure: TypeAlias = Literal[
    "duties", "minutes", "nights", "weekends", "unpopular", "holidays", "burden"
]
SameDuty: TypeAlias = Literal["shift", "day"]


@dataclass(frozen=True, kw_only=True)
class BaseRule:
    """What every rule has."""

    name: str
    weight: int | None = None
    agents: tuple[str, ...] | None = None
    source: str = ""
    teams: tuple[str, ...] | None = None

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


@dataclass(frozen=True, slots=True)
class PastShare:
    """What an agent has had before, in the rule's own unit (carry-in)."""

    agent: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class MinutesLimit(BaseRule):
    """Minutes worked in each period: a day, week (from Monday), month, the whole, or rolling.

    Rolling windows are `window` days long. Known days before the first count in their week, month
    or window; the minimum is asked only of periods that lie wholly within the known days. `past`
    adds minutes worked in the first period (of days, weeks, months or the whole) before the known
    days. Amount: hours begun beyond the limit.
    """

    kind: ClassVar[str] = "minutes_limit"
    period: Period = "week"
    minimum: int | None = None
    maximum: int | None = None
    window: int = 7
    past: tuple[PastShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OvertimeLimit(BaseRule):
    """The overtime meter of each calendar month stays within `maximum` minutes.

    Meter = minutes on statutory holidays + minutes of other duties beyond `standard_day` each +
    what the rest of these duties exceeds the contract by: `day_minutes` for each working day of
    the month that the agent is not on leave. Over the problem's days; `past` adds the meter
    minutes of the first month before the first day. Without `standard_day` long duties are no
    overtime in themselves. Amount: hours begun beyond.
    """

    kind: ClassVar[str] = "overtime_limit"
    maximum: int = 2160
    past: tuple[PastShare, ...] = ()
    standard_day: int | None = None


@dataclass(frozen=True, kw_only=True)
class ContractMinutes(BaseRule):
    """Minutes of each period stay within `tolerance` of the contract. Amount: hours begun beyond.

    Contract = `day_minutes` times the working days of the period that the agent is not on leave.
    Only periods that lie wholly within the problem's days are asked.
    """

    kind: ClassVar[str] = "contract_minutes"
    tolerance: int = 0
    period: Period = "horizon"
    window: int = 7


@dataclass(frozen=True, kw_only=True)
class MaxWeekends(BaseRule):
    """At most so many weekends with a duty on Saturday or Sunday. Amount: weekends beyond.

    Over the whole, `past` weekends worked before with them; with `window`, in every so many
    weekends in a row, those before the first day too.
    """

    kind: ClassVar[str] = "max_weekends"
    weekends: int
    window: int | None = None
    past: tuple[PastShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WholeWeekends(BaseRule):
    """Saturday and Sunday both worked or both off. Amount: weekends worked by half.

    Weekends of which only one day is known are left alone.
    """

    kind: ClassVar[str] = "whole_weekends"


@dataclass(frozen=True, kw_only=True)
class ShiftLimit(BaseRule):
    """How many of `shifts` an agent works in each period. Amount: shifts beyond the limit.

    `past` adds those worked in the first period before the known days, as in `MinutesLimit`.
    """

    kind: ClassVar[str] = "shift_limit"
    shifts: tuple[str, ...]
    period: Period = "horizon"
    minimum: int | None = None
    maximum: int | None = None
    window: int = 7
    past: tuple[PastShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StartChange(BaseRule):
    """From one duty to the next the start of work moves little: stable starts, forward rotation.

    By the clock, the next duty begins at most `earlier_by` minutes before and at most `later_by`
    minutes after the one before it (None: as much as may be). Pairs with more than `days_off`
    days off between them are free. With `earlier_by` 0 shifts rotate forward only.
    Amount: pairs.
    """

    kind: ClassVar[str] = "start_change"
    earlier_by: int | None = None
    later_by: int | None = None
    days_off: int = 0


@dataclass(frozen=True, kw_only=True)
class Rotation(BaseRule):
    """Lines follow a cycle of days, such as two early, two nights, two off.

    Amount: cells that do not follow it. Agents on leave need not.

    Parameters
    ----------
    cycle : tuple of str
        One entry a day: a shift, ``off``, ``on`` (any shift) or an empty text (anything).
    since : date
        A day on which the cycle begins; it repeats without end, before it as well.
    """

    kind: ClassVar[str] = "rotation"
    cycle: tuple[str, ...]
    since: date


@dataclass(frozen=True, kw_only=True)
class Apart(BaseRule):
    """No two of them on the same shift of a day, or on duty on the same day.

    Amount: people beyond one.
    """

    kind: ClassVar[str] = "apart"
    on_same: SameDuty = "shift"


@dataclass(frozen=True, kw_only=True)
class Together(BaseRule):
    """The first of `agents` (a newcomer) works only shifts the others (mentors) work too.

    All the others, or `enough` of them. With `mutual` it holds for each of them as for the first:
    always together. With `on_same` ``day`` any shift of that day will do. Amount: duties times the
    people missing.
    """

    kind: ClassVar[str] = "together"
    enough: int | None = None
    mutual: bool = False
    on_same: SameDuty = "shift"


@dataclass(frozen=True, kw_only=True)
class FairShare(BaseRule):
    """Shares of a burden, past and planned together, are alike. Always soft.

    Measures: ``duties`` worked days, ``nights`` and ``unpopular`` shifts so marked, ``weekends``
    worked, ``holidays`` duties on statutory holidays, ``minutes`` worked beyond the contract,
    ``burden`` of named days (the day's burden times the percentage of the shift and of the posts
    held, rounded down).

    Amount, in begun `unit` s: ``spread`` is the largest share less the smallest; ``squares`` is
    the sum of the squared shares, which always prefers whoever has borne least. With `pro_rata`
    shares count in proportion to the contract: whoever works half days (`day_minutes`) is to have
    half as much, so that each unit counts twice; people without a contract are left out.
    """

    kind: ClassVar[str] = "fair_share"
    measure: Measure
    how: Literal["spread", "squares"] = "spread"
    unit: int = 1
    past: tuple[PastShare, ...] = ()
    pro_rata: bool = False


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
    | WholeWeekends
    | ShiftLimit
    | StartChange
    | Rotation
    | Apart
    | Together
    | FairShare
    | NamedDayRepeat
    | Stability
)
