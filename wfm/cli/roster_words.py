"""How the roster commands tell explanations and repairs: one line each, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scheduler.changes import Change
    from scheduler.explain import (
        Alternative,
        Conflict,
        Element,
        Explanation,
        Filler,
        GapReport,
        WhyNot,
    )
    from scheduler.repair import Alternative as Repaired
    from scheduler.repair import Repairs
    from scheduler.toll import Toll
    from scheduler.verify import Breach
    from scheduler.verify.verdict import DayName

OFF = "off"
SHOWN_BREACHES, SHOWN_TERMS = 3, 4


def _breaches(breaches: tuple[Breach, ...], days: DayName) -> str:
    return "; ".join(breach.text(days) for breach in breaches[:SHOWN_BREACHES])


def _terms(terms: tuple[tuple[str, int], ...]) -> str:
    told = ", ".join(f"{name} {change:+}" for name, change in terms[:SHOWN_TERMS])
    return f" ({told})" if told else ""


def alternative_line(one: Alternative, days: DayName) -> str:
    """What an alternative costs, or what it breaks; and what it comes to arranged anew."""
    if one.broken:
        told = f"not possible – {_breaches(one.broken, days)}"
    else:
        told = f"{one.change:+}{_terms(one.terms)}"
    if one.settled is not None:
        return told + f"; {one.settled:+} with all near arranged anew"
    return told + "; nothing near allows it" if one.proven else told


def explanation_plain(told: Explanation, days: DayName) -> dict[str, Any]:
    return {
        "agent": told.agent,
        "day": days(told.day),
        "shift": told.shift,
        "locked": told.locked,
        "reason": told.reason,
        "cost": told.cost,
        "alternatives": [_alternative_plain(one, days) for one in told.alternatives],
        "others": [_alternative_plain(one, days) for one in told.others],
    }


def _alternative_plain(one: Alternative, days: DayName) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "shift": one.shift,
        "change": one.change,
        "terms": dict(one.terms),
        "broken": [breach.plain(days) for breach in one.broken],
        "settled": one.settled,
        "proven": one.proven,
    }


# -- why not, gaps, conflicts ----------------------------------------------------------------------


def why_not_line(answer: WhyNot, days: DayName) -> Iterator[str]:
    place = f"{answer.agent} on {days(answer.day)}: {answer.shift or OFF}"
    proof = "proven" if answer.proven else "as far as the time went"
    if answer.outcome == "already":
        yield f"{place} is what the roster says"
    elif answer.outcome == "barred":
        yield f"{place} is not open to her: {answer.barred}"
    elif answer.outcome == "never":
        yield f"{place} is against hard rules however her other days are arranged ({proof})"
        if answer.conflict is not None:
            yield from conflict_lines(answer.conflict, days)
    elif answer.outcome == "elsewhere":
        yield f"{place} cannot be arranged with those near ({proof})"
    else:
        yield f"{place} costs {answer.settled:+} with all near arranged anew ({proof})"
    if answer.outcome in ("costs", "elsewhere"):
        effect = answer.effect
        if effect.broken:
            yield f"  that one change alone breaks – {_breaches(effect.broken, days)}"
        else:
            yield f"  that one change alone: {effect.change:+}{_terms(effect.terms)}"


def why_not_plain(answer: WhyNot, days: DayName) -> dict[str, Any]:
    return {
        "agent": answer.agent,
        "day": days(answer.day),
        "shift": answer.shift,
        "outcome": answer.outcome,
        "barred": answer.barred,
        "change": answer.effect.change,
        "terms": dict(answer.effect.terms),
        "broken": [breach.plain(days) for breach in answer.effect.broken],
        "conflict": None if answer.conflict is None else conflict_plain(answer.conflict, days),
        "settled": answer.settled,
        "proven": answer.proven,
    }


def filler_line(one: Filler, days: DayName) -> str:
    assert one.effect is not None
    if one.reason is not None:
        return f"{one.shift} breaks – {_breaches(one.effect.broken, days)}"
    tolls = "; ".join(_toll_line(toll) for toll in one.tolls)
    return f"{one.shift} {one.effect.change:+}{_terms(one.effect.terms)}; {tolls}"


def gap_plain(found: GapReport, days: DayName) -> dict[str, Any]:
    gap = found.gap
    return {
        "gap": {
            "day": days(gap.day),
            "shift": gap.shift,
            "start": gap.start,
            "skill": gap.skill,
            "min_grade": gap.min_grade,
        },
        "fillers": [
            {
                "agent": one.agent,
                "shift": one.shift,
                "reason": one.reason,
                "change": None if one.effect is None else one.effect.change,
                "terms": {} if one.effect is None else dict(one.effect.terms),
                "broken": [] if one.effect is None
                else [breach.plain(days) for breach in one.effect.broken],
                "tolls": [_toll_plain(toll) for toll in one.tolls],
            }
            for one in found.fillers
        ],
        "stopped": dict(found.stopped),
        "settled": found.settled,
        "proven": found.proven,
    }  # fmt: skip


def _element(element: Element, days: DayName) -> str:
    told = element.rule or element.kind
    if element.agent and element.first is None:
        return told
    if element.first is None:
        return told
    when = _named(element.first, days)
    if element.last not in (None, element.first):
        when += f" … {_named(element.last, days)}"
    shift = f" {element.shift}" if element.shift else f" {OFF}" if element.kind == "lock" else ""
    return f"{element.kind} {when}{shift}"


def _named(day: date | None, days: DayName) -> str:
    """Leave can begin before, or end after, the days a problem counts."""
    if day is None:
        return "…"
    try:
        return str(days(day))
    except KeyError:
        return day.isoformat()


def conflict_lines(one: Conflict, days: DayName) -> Iterator[str]:
    few = "" if one.irreducible else " (the time ended: it may be smaller still)"
    yield f"conflict of {', '.join(one.agents)}{few}:"
    for element in one.elements:
        yield f"  {_element(element, days)}"
    yield "any one of these helps:"
    for way in one.relaxations:
        what = _element(way.element, days)
        alone = "" if way.enough else "; other conflicts remain"
        if way.parameter == "drop":
            yield f"  without {what}{alone}"
        else:
            yield f"  {what}: {way.parameter} {way.before} → {way.after}{alone}"


def conflict_plain(one: Conflict, days: DayName) -> dict[str, Any]:
    def element(part: Element) -> dict[str, Any]:
        return {
            "kind": part.kind,
            "rule": part.rule,
            "agent": part.agent,
            "first": None if part.first is None else _named(part.first, days),
            "last": None if part.last is None else _named(part.last, days),
            "shift": part.shift,
            "source": part.source,
        }

    return {
        "agents": list(one.agents),
        "elements": [element(part) for part in one.elements],
        "relaxations": [
            {
                "element": element(way.element),
                "parameter": way.parameter,
                "before": way.before,
                "after": way.after,
                "enough": way.enough,
            }
            for way in one.relaxations
        ],
        "irreducible": one.irreducible,
    }


# -- repairs ---------------------------------------------------------------------------------------


def change_line(one: Change, days: DayName) -> str:
    if one.post is not None:
        verb = "holds" if one.after else "no longer holds"
        return f"{one.agent} {verb} {one.post} on {days(one.day)}"
    return f"{one.agent} on {days(one.day)}: {one.before or OFF} → {one.after or OFF}"


def _toll_line(toll: Toll) -> str:
    classes = ", ".join(f"{name} {minutes / 60:+g} h" for name, minutes in toll.classes)
    side = "beyond" if toll.balance >= 0 else "short of"
    told = (
        f"{toll.agent} {toll.minutes / 60:+g} h, then {abs(toll.balance) / 60:g} h {side} contract"
    )
    return told + (f" ({classes})" if classes else "")


def _toll_plain(toll: Toll) -> dict[str, Any]:
    return {
        "agent": toll.agent,
        "minutes": toll.minutes,
        "balance": toll.balance,
        "nights": toll.nights,
        "weekend_days": toll.weekend_days,
        "classes": dict(toll.classes),
    }


def repair_lines(found: Repairs, days: DayName) -> Iterator[str]:
    if found.opened:
        yield f"what is missing then costs {found.opened}"
    span = f"{days(found.days[0])} … {days(found.days[1])}"
    over = "all days" if found.whole else f"the days {span}"
    if found.fewest:
        proof = f"; fewer are impossible, proven over {over}" if found.proven else ""
        yield f"changes that restore what was published: {found.fewest}{proof}"
    elif found.fewest is None:
        proof = f"proven over {over}" if found.proven else "none found in the time given"
        yield f"at most {found.most} changes do not restore what was published: {proof}"
    for number, one in enumerate(found.alternatives, start=1):
        yield from _repaired_lines(number, one, days)
    if not found.alternatives:
        yield "no change helps" if found.forced or found.violations else "nothing to repair"


def _repaired_lines(number: int, one: Repaired, days: DayName) -> Iterator[str]:
    what = "restores all" if one.restores else "helps in part"
    yield f"{number}. {what}, cost {one.effect.change:+}{_terms(one.effect.terms)}"
    for change in one.changes:
        yield f"   {change_line(change, days)}"
    for toll in one.tolls:
        yield f"   {_toll_line(toll)}"
    if one.effect.bent:
        yield f"   bends – {'; '.join(_bent(breach, days) for breach in one.effect.bent)}"


def _bent(breach: Breach, days: DayName) -> str:
    """A wish or soft rule; one between people has figures of all of them, too many to tell."""
    return breach.text(days) if breach.agent else breach.rule


def _change_plain(one: Change, days: DayName) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "day": days(one.day),
        "before": one.before,
        "after": one.after,
        "post": one.post,
    }


def repairs_plain(found: Repairs, days: DayName) -> dict[str, Any]:
    return {
        "forced": [_change_plain(one, days) for one in found.forced],
        "opened": found.opened,
        "violations": [breach.plain(days) for breach in found.violations],
        "fewest": found.fewest,
        "proven": found.proven,
        "most": found.most,
        "days": [days(day) for day in found.days],
        "whole": found.whole,
        "alternatives": [
            {
                "changes": [_change_plain(change, days) for change in one.changes],
                "restores": one.restores,
                "change": one.effect.change,
                "terms": dict(one.effect.terms),
                "mended": [breach.plain(days) for breach in one.effect.mended],
                "bent": [breach.plain(days) for breach in one.effect.bent],
                "tolls": [_toll_plain(toll) for toll in one.tolls],
            }
            for one in found.alternatives
        ],
    }
