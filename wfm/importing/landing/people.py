"""Agents with the facts about them, and leave."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from datetime import date

from wfm.errors import Fault
from wfm.importing.landing.merge import (
    Landed,
    make_codes,
    merge,
    refuse_duplicates,
    refuse_unknown,
)
from wfm.importing.staging import Staging

# from when a fact holds about an agent whose first day is not known: before all records
ALWAYS = date(1970, 1, 1)


def land_agents(staging: Staging, today: date, only_new: bool) -> Landed:
    """Agents, and what holds about them from their first day or, once known, from `today`."""
    staging.new_table(
        "ready_agents",
        "as select s.*, a.id as existing from staged_agents s"
        " left join agent a on a.code = s.agent_id",
    )
    refuse_duplicates(staging, "agents")
    known = staging.run("delete from ready_agents where existing is not null") if only_new else 0
    made = {
        "sites": make_codes(staging, "agents", "site", "site", ("name_en", "name_zh")),
        "teams": make_codes(staging, "agents", "team", "team", ("name_en", "name_zh")),
        "skills": _make_skills(staging),
    }
    notes = _place_teams(staging)
    staging.new_table(
        "final_agents",
        """as select r.line, r.existing as id, r.agent_id as code,
            coalesce(r.name, a.name, r.agent_id) as name,
            coalesce(r.hired_on, a.hired_on) as hired_on,
            coalesce(r.capacity, a.capacity, 1) as capacity,
            coalesce(r.phone, a.phone) as phone
        from ready_agents r left join agent a on a.id = r.existing""",
    )
    staging.new_table(
        "changed_agents",
        """as select f.line from final_agents f join agent a on a.id = f.id
        where (a.name, a.hired_on, a.capacity, a.phone)
            is distinct from (f.name, f.hired_on, f.capacity, f.phone)""",
    )
    landed = merge(staging, "agents", "agent", ["code", "name", "hired_on", "capacity", "phone"])
    notes += _land_facts(staging, today)
    changed = staging.number(
        "select count(distinct line) from changed_agents"
        " where line in (select line from ready_agents where existing is not null)"
    )
    unchanged = landed.changed + landed.unchanged - changed + known
    return Landed(landed.added, changed, unchanged, made, tuple(notes))


def _make_skills(staging: Staging) -> int:
    staging.new_table(
        "given_skills",
        """as select r.line, trim(split_part(part, ':', 1)) as skill,
            coalesce(nullif(trim(split_part(part, ':', 2)), '')::integer, 3) as proficiency
        from ready_agents r, regexp_split_to_table(r.skills, ';') part
        where r.skills is not null""",
    )
    return staging.run(
        """insert into skill (code, name_en, name_zh)
        select distinct skill, skill, skill from given_skills g
        where not exists (select from skill s where s.code = g.skill) order by skill"""
    )


def _place_teams(staging: Staging) -> list[str]:
    """A team without a site gets the first one named for it; two sites are worth a note."""
    staging.run(
        """update team t set site_id = first.id from (
            select distinct on (r.team) r.team, s.id from ready_agents r
            join site s on s.code = r.site order by r.team, r.line) first
        where t.code = first.team and t.site_id is null"""
    )
    elsewhere = staging.rows(
        """select distinct t.code from ready_agents r join team t on t.code = r.team
        join site s on s.code = r.site where s.id <> t.site_id order by t.code"""
    )
    return [f"team {row.code} stays at its site; the file also names another" for row in elsewhere]


def _land_facts(staging: Staging, today: date) -> list[str]:
    agents = (
        "ready_agents r join agent a on a.code = r.agent_id"
        f" cross join lateral (select coalesce(a.hired_on, date '{ALWAYS}') as since) d"
    )
    staging.new_table(
        "wanted",
        "as select r.line, a.id as agent_id, t.id as team_id, d.since"
        f" from {agents} join team t on t.code = r.team",
    )
    _fact(staging, "agent_team", ("agent_id",), "team_id", today)
    staging.new_table(
        "signed",
        "as select f.agent_id from agent_grade f where f.decision_id is not null"
        " and f.valid_until is null",
    )
    staging.new_table(
        "wanted",
        "as select r.line, a.id as agent_id, r.grade, d.since"
        f" from {agents} where r.grade is not null",
    )
    kept = staging.number(
        """select count(*) from wanted w join agent_grade f on f.agent_id = w.agent_id
        where f.agent_id in (select agent_id from signed)
        and f.valid_until is null and f.grade <> w.grade"""
    )
    staging.run("delete from wanted where agent_id in (select agent_id from signed)")
    _fact(staging, "agent_grade", ("agent_id",), "grade", today)
    _end_skills(staging, today)
    staging.new_table(
        "wanted",
        "as select r.line, a.id as agent_id, s.id as skill_id, g.proficiency, d.since"
        f" from {agents} join given_skills g on g.line = r.line join skill s on s.code = g.skill",
    )
    _fact(staging, "agent_skill", ("agent_id", "skill_id"), "proficiency", today)
    staging.run(
        "insert into agent_contract (agent_id, minutes_per_day, minutes_per_week, night_consent,"
        " overtime_consent, standby_consent, reach_minutes, shift_codes, valid_from)"
        f" select a.id, 480, 2400, true, true, true, 0, '[]', d.since from {agents}"
        " where not exists (select from agent_contract c where c.agent_id = a.id) order by a.id"
    )
    return [f"{kept} grades stay as a named person decided them"] if kept else []


def _fact(staging: Staging, table: str, keys: tuple[str, ...], value: str, today: date) -> None:
    """Make the fact in force (or the next one to be) what `wanted` says.

    A fact that began before today is ended and followed by a new one; nothing past is rewritten.
    """
    same = " and ".join(f"f.{name} = w.{name}" for name in keys)
    listed = ", ".join((*keys, value))
    staging.new_table(
        "compared",
        f"""as select distinct on (w.line, {", ".join(f"w.{k}" for k in keys)}) w.*,
            f.id as fact, f.{value} as held, f.valid_from, f.valid_until,
            exists (select from {table} f where f.agent_id = w.agent_id) as ever
        from wanted w left join {table} f
            on {same} and (f.valid_until is null or f.valid_until > :today)
        order by w.line, {", ".join(f"w.{k}" for k in keys)}, f.valid_from""",
        today=today,
    )
    staging.run(f"delete from compared where fact is not null and held = {value}")
    staging.run("insert into changed_agents select line from compared")
    staging.run(
        f"update {table} f set {value} = c.{value} from compared c"
        " where f.id = c.fact and c.valid_from >= :today",
        today=today,
    )
    staging.run(
        f"update {table} f set valid_until = :today from compared c"
        " where f.id = c.fact and c.valid_from < :today",
        today=today,
    )
    staging.run(
        f"insert into {table} ({listed}, valid_from, valid_until)"
        f" select {listed}, case when ever then :today else since end, valid_until"
        " from compared where fact is null or valid_from < :today order by line",
        today=today,
    )


def _end_skills(staging: Staging, today: date) -> None:
    """A list of skills is a whole one: what it does not name ends."""
    staging.new_table(
        "ended",
        """as select f.id, f.valid_from, r.line from ready_agents r
        join agent a on a.code = r.agent_id
        join agent_skill f on f.agent_id = a.id
            and (f.valid_until is null or f.valid_until > :today)
        join skill s on s.id = f.skill_id
        where r.skills is not null and not exists
            (select from given_skills g where g.line = r.line and g.skill = s.code)""",
        today=today,
    )
    staging.run("insert into changed_agents select line from ended")
    staging.run(
        "delete from agent_skill f using ended e where f.id = e.id and e.valid_from >= :today",
        today=today,
    )
    staging.run(
        "update agent_skill f set valid_until = :today from ended e"
        " where f.id = e.id and e.valid_from < :today",
        today=today,
    )


def land_leave(staging: Staging) -> Landed:
    """Leave; a spell is known by its agent and first day."""
    staging.new_table(
        "ready_leave",
        """as select s.*, a.id as agent_ref, l.id as existing from staged_leave s
        left join agent a on a.code = s.agent_id
        left join leave l on l.agent_id = a.id and l.start_on = s.start""",
    )
    refuse_unknown(staging, "leave", "agent_id", "r.agent_ref", "agent")
    refuse_duplicates(staging, "leave")
    _refuse_overlaps(staging)
    staging.drop_refused("leave")
    staging.new_table(
        "final_leave",
        """as select r.line, r.existing as id, r.agent_ref as agent_id, r.start as start_on,
            r."end" as end_on, coalesce(r.kind, l.kind, 'other') as kind
        from ready_leave r left join leave l on l.id = r.existing""",
    )
    return merge(staging, "leave", "leave", ["agent_id", "start_on", "end_on", "kind"])


def _refuse_overlaps(staging: Staging) -> None:
    """In the order of the file, a spell that meets one already taken is refused."""
    spells: dict[int, list[tuple[date, date, str]]] = defaultdict(list)
    for row in staging.rows(
        """select l.agent_id, l.start_on, l.end_on from leave l
        where l.agent_id in (select agent_ref from ready_leave)
        and l.id not in (select existing from ready_leave where existing is not null)"""
    ):
        insort(spells[row.agent_id], (row.start_on, row.end_on, "on record"))
    faults = []
    for row in staging.rows(
        'select line, agent_ref, start, "end" as last from ready_leave order by line'
    ):
        taken = spells[row.agent_ref]
        place = bisect_left(taken, (row.start, row.last, ""))
        near = taken[max(0, place - 1) : place + 1]
        met = next(
            (spell for spell in near if spell[0] <= row.last and spell[1] >= row.start), None
        )
        if met is None:
            insort(taken, (row.start, row.last, f"in row {row.line}"))
        else:
            message = f"overlaps the leave from {met[0]} to {met[1]} {met[2]}"
            faults.append(Fault(message, None, row.line, "start", str(row.start)))
    staging.add_faults("leave", faults)
