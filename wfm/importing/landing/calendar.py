"""Days of the official calendar."""

from __future__ import annotations

from wfm.importing.landing.merge import Landed, merge, refuse_duplicates
from wfm.importing.staging import Staging

DEFAULT_CALENDAR = "cn"


def land_calendar(staging: Staging) -> Landed:
    """Days that differ; an imported year is official and takes the place of a provisional one."""
    staging.new_table(
        "ready_calendar",
        f"""as select s.line, s.date, s.day_type, s.name, s.name_zh,
            coalesce(s.calendar, '{DEFAULT_CALENDAR}') as calendar
        from staged_calendar s""",
    )
    refuse_duplicates(staging, "calendar")
    gone = staging.run(
        """delete from calendar_day d where d.provisional
        and (d.calendar, extract(year from d.day)) in
            (select calendar, extract(year from date) from ready_calendar)
        and not exists (select from ready_calendar r
            where r.calendar = d.calendar and r.date = d.day)"""
    )
    staging.new_table(
        "final_calendar",
        """as select r.line, d.id, r.calendar, r.date as day, r.day_type,
            coalesce(r.name, d.name_en, '') as name_en,
            coalesce(r.name_zh, d.name_zh, '') as name_zh, false as provisional
        from ready_calendar r
        left join calendar_day d on d.calendar = r.calendar and d.day = r.date""",
    )
    columns = ["calendar", "day", "day_type", "name_en", "name_zh", "provisional"]
    landed = merge(staging, "calendar", "calendar_day", columns)
    notes = (f"{gone} provisional days gave way to the official calendar",) if gone else ()
    return Landed(landed.added, landed.changed, landed.unchanged, notes=notes)
