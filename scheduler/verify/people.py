"""How much is broken of the rules between people, and of those that look back."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.problem import rules as r
from scheduler.verify.found import Found, begun
from scheduler.verify.lines import OFF, Lines


def apart(rule: r.Apart, lines: Lines) -> Iterator[Found]:
    look = lines.look
    members = look.members(rule)
    kinds = look.same_duty(rule.on_same)
    for d in range(look.n_days):
        for kind in kinds:
            there = [a for a in members if lines.shift(a, d) in kind]
            if len(there) > 1:
                names = [lines.problem.agents[a].id for a in there]
                shift = lines.problem.shifts[min(kind)].id if rule.on_same == "shift" else None
                yield Found(None, (d,), len(there) - 1, {"shift": shift, "agents": names})


def together(rule: r.Together, lines: Lines) -> Iterator[Found]:
    look = lines.look
    for one, others in look.companions(rule):
        enough = len(others) if rule.enough is None else rule.enough
        for d, s in lines.duties(one, range(look.n_days)):
            like = {s} if rule.on_same == "shift" else look.shift_set(())
            missing = [m for m in others if lines.shift(m, d) not in like]
            short = enough - (len(others) - len(missing))
            if short > 0:
                names = [lines.problem.agents[m].id for m in missing]
                facts = {"shift": lines.problem.shifts[s].id, "missing": names}
                yield Found(one, (d,), short, facts)


def fair_share(rule: r.FairShare, lines: Lines) -> Iterator[Found]:
    look = lines.look
    past, (times, unit) = look.carried(rule.past), look.proportions(rule)
    planned = {a: past.get(a, 0) + planned_share(rule.measure, a, lines) for a in times}
    shares = [times[a] * share for a, share in planned.items()]
    if not shares:
        return
    if rule.how == "spread":
        amount = begun(max(shares) - min(shares), unit)
    else:
        amount = sum(begun(abs(share), unit) ** 2 for share in shares)
    if amount:
        named = {lines.problem.agents[a].id: share for a, share in planned.items()}
        yield Found(None, (), amount, {"shares": named})


def planned_share(measure: r.Measure, agent: int, lines: Lines) -> int:
    """What the roster gives an agent of a measure, history aside."""
    counted = lines.shares[agent]
    if measure not in counted:
        counted[measure] = _share(measure, agent, lines)
    return counted[measure]


def _share(measure: r.Measure, agent: int, lines: Lines) -> int:
    look, shifts, days = lines.look, lines.problem.shifts, lines.problem.days
    duties = list(lines.duties(agent, range(look.n_days)))
    if measure == "duties":
        return len(duties)
    if measure == "minutes":
        return sum(look.minutes[s] for _, s in duties) - look.contract_minutes(agent)
    if measure == "nights":
        return sum(shifts[s].night for _, s in duties)
    if measure == "unpopular":
        return sum(shifts[s].unpopular for _, s in duties)
    if measure == "holidays":
        return sum(days[d].type == "statutory_holiday" for d, _ in duties)
    if measure == "weekends":
        return sum(any(lines.works(agent, d) for d in weekend) for weekend in look.weekends)
    on_shift = sum(days[d].burden * shifts[s].burden_percent // 100 for d, s in duties)
    on_post = sum(
        days[d].burden * post.burden_percent // 100
        for post, d, holders in lines.held
        if agent in holders
    )
    return on_shift + on_post


def named_day_repeat(rule: r.NamedDayRepeat, lines: Lines) -> Iterator[Found]:
    look = lines.look
    members = set(look.members(rule))
    for held in rule.held:
        a = look.agent[held.agent]
        for d, day in enumerate(lines.problem.days):
            if a in members and day.name == held.day_name:
                posts = sum(a in holders for _, e, holders in lines.held if e == d)
                if amount := lines.works(a, d) + posts:
                    yield Found(a, (d,), amount, {"day_name": day.name})


def stability(rule: r.Stability, lines: Lines) -> Iterator[Found]:
    look = lines.look
    members = set(look.members(rule))
    for cell in rule.earlier:
        a, d = look.agent[cell.agent], look.day[cell.date]
        before = OFF if cell.shift is None else look.shift[cell.shift]
        if a in members and lines.shift(a, d) != before:
            yield Found(a, (d,), 1, {"earlier": cell.shift})
