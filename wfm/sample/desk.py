"""Generate the sample desk and write it in the forms that `wfm import` reads."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from wfm.calendars import HolidayCalendar, load_calendar
from wfm.files import write_whole
from wfm.sample import catalogue, names
from wfm.sample.arrivals import make_arrivals
from wfm.sample.events import make_events
from wfm.sample.evidence import make_contributions, make_reviews, make_surveys
from wfm.sample.handling import assign, outcomes
from wfm.sample.history import DAY_S, carry_in, holiday_ledger, make_history
from wfm.sample.people import Crew, make_crew, make_leave

CALENDAR_YEARS = (2024, 2025, 2026, 2027)
PARTS = ("people", "leave", "history", "ledger", "arrivals", "outcomes", "events", "surveys",
         "reviews", "contributions")  # fmt: skip


@dataclass(frozen=True, eq=False)
class SampleDesk:
    """The sample desk, one frame per file; a file's name is its field's with hyphens.

    Instants are in the desk's time zone, dates are `datetime.date`, a missing value is what was
    not yet known when the records end (the closing of the last day).
    """

    sites: pd.DataFrame
    teams: pd.DataFrame
    skills: pd.DataFrame
    categories: pd.DataFrame
    customers: pd.DataFrame
    services: pd.DataFrame
    targets: pd.DataFrame
    shifts: pd.DataFrame
    posts: pd.DataFrame
    agents: pd.DataFrame
    leave: pd.DataFrame
    calendar: pd.DataFrame
    tickets: pd.DataFrame
    ticket_events: pd.DataFrame
    surveys: pd.DataFrame
    reviews: pd.DataFrame
    contributions: pd.DataFrame
    carry_in: pd.DataFrame
    holiday_ledger: pd.DataFrame


def generate(seed: int) -> SampleDesk:
    """Make the sample desk; the same seed gives the same desk.

    Parameters
    ----------
    seed : int
        Any number from 0. Each part draws from a stream of its own, so that a change to one
        leaves the others as they are.
    """
    streams = np.random.SeedSequence(seed).spawn(len(PARTS))
    rng = {part: np.random.default_rng(s) for part, s in zip(PARTS, streams, strict=True)}
    calendar = load_calendar("CN", CALENDAR_YEARS)
    crew = make_crew(rng["people"])
    leave = make_leave(rng["leave"], crew)
    history = make_history(rng["history"], crew, leave, calendar)
    until = (len(history.days) - 1) * DAY_S + catalogue.CLOSES_S
    arrivals = make_arrivals(rng["arrivals"], calendar)
    arrivals = arrivals[arrivals["opened"] <= until].reset_index(drop=True)
    agent, start = assign(arrivals, crew, history)
    story = outcomes(rng["outcomes"], arrivals, crew, agent, start)
    events = make_events(rng["events"], story, arrivals["opened"].to_numpy(), crew, until)
    surveys = make_surveys(rng["surveys"], arrivals, story, crew, until)
    reviews = make_reviews(rng["reviews"], arrivals, story, crew, until)
    return SampleDesk(
        sites=catalogue.sites(),
        teams=catalogue.teams(),
        skills=catalogue.skills(),
        categories=catalogue.categories(),
        customers=pd.DataFrame(names.customers(), columns=["code", "name_en", "name_zh"]),
        services=catalogue.services(),
        targets=catalogue.targets(),
        shifts=catalogue.shifts(),
        posts=catalogue.posts(),
        agents=_agents(crew),
        leave=leave,
        calendar=_calendar(calendar),
        tickets=_tickets(arrivals, story, crew, until),
        ticket_events=_events(events, crew),
        surveys=_rows_of(surveys, crew, "survey_id", "S"),
        reviews=_rows_of(reviews, crew, "review_id", "R").rename(columns={"ticket_id": "case_id"}),
        contributions=make_contributions(rng["contributions"], crew),
        carry_in=carry_in(crew, history),
        holiday_ledger=holiday_ledger(rng["ledger"], crew, history, calendar),
    )


def write(desk: SampleDesk, folder: Path) -> tuple[Path, ...]:
    """Write every table as CSV; the folder is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for field in dataclasses.fields(desk):
        path = folder / f"{field.name.replace('_', '-')}.csv"
        frame = getattr(desk, field.name)
        text = frame.apply(_as_text).to_csv(index=False, lineterminator="\n")
        write_whole(path, text)
        written.append(path)
    return tuple(written)


def _as_text(column: pd.Series) -> pd.Series:
    """Instants as ISO 8601 with their offset, booleans as Y and N."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        offset = pd.Timestamp(catalogue.FIRST_DAY, tz=catalogue.TIMEZONE).strftime("%z")
        local = column.dt.tz_localize(None).to_numpy("datetime64[s]")
        text = np.char.add(np.datetime_as_string(local), f"{offset[:3]}:{offset[3:]}")
        return pd.Series(text, column.index).where(column.notna().to_numpy(), "")
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "Y", False: "N"}).astype(object).where(column.notna(), "")
    return column


def _instants(second: np.ndarray, known: np.ndarray | None = None) -> pd.Series:
    """Seconds from local midnight of the first day, as instants in the desk's time zone."""
    zero = pd.Timestamp(catalogue.FIRST_DAY, tz=catalogue.TIMEZONE)
    shown = second if known is None else np.where(known, second, 0)
    times = pd.Series(zero + pd.to_timedelta(shown, unit="s"))
    return times if known is None else times.where(known)


def _ids(letter: str, count: int) -> list[str]:
    return [f"{letter}{number:06d}" for number in range(1, count + 1)]


def _agents(crew: Crew) -> pd.DataFrame:
    agents = crew.agents.copy()
    agents["skills"] = [
        ";".join(f"{code}:{level}" for code, level in held) for held in agents["skills"]
    ]
    return agents


def _calendar(calendar: HolidayCalendar) -> pd.DataFrame:
    """The official years; what is imported counts as official, so a provisional one is not."""
    rows = [
        (day.date, day.day_type.value, day.name, day.name_zh)
        for year in calendar.years.values()
        if not year.provisional
        for day in year.listed.values()
    ]
    return pd.DataFrame(rows, columns=["date", "day_type", "name", "name_zh"])


def _tickets(arrivals: pd.DataFrame, story: pd.DataFrame, crew: Crew, until: int) -> pd.DataFrame:
    """What was known of each ticket when the records end."""
    started = (story["start"] <= until).to_numpy()
    ended = (story["finished"] <= until).to_numpy()
    tickets = arrivals.drop(columns="opened")
    tickets.insert(0, "ticket_id", _ids("T", len(tickets)))
    tickets.insert(1, "opened_at", _instants(arrivals["opened"].to_numpy()))
    tickets["handle_s"] = tickets["handle_s"].astype("Int64").where(ended)
    ids = np.array([*crew.agents["agent_id"], ""])
    tickets["agent_id"] = ids[np.where(started, story["agent"], -1)]
    for column, step, known in (
        ("first_response_at", "first_response", story["first_response"] <= until),
        ("resolved_at", "finished", ended & story["resolved"]),
        ("closed_at", "closed", story["closed"] <= until),
    ):
        tickets[column] = _instants(story[step].to_numpy(), known.to_numpy())
    for column in ("resolved", "independent", "reopened"):
        tickets[column] = story[column].astype("boolean").where(ended)
    return tickets


def _events(events: pd.DataFrame, crew: Crew) -> pd.DataFrame:
    ids = np.array([*crew.agents["agent_id"], ""])
    return pd.DataFrame({
        "event_id": _ids("E", len(events)),
        "ticket_id": np.char.add("T", np.char.zfill((events["ticket"] + 1).to_numpy(str), 6)),
        "at": _instants(events["at"].to_numpy()),
        "kind": events["kind"],
        "agent_id": ids[events["agent"]],
        "team": events["team"],
        "note": events["note"],
    })  # fmt: skip


def _rows_of(frame: pd.DataFrame, crew: Crew, key: str, letter: str) -> pd.DataFrame:
    """Places of agents and tickets as their ids, and an id for each row."""
    ids = crew.agents["agent_id"].to_numpy()
    frame = frame.rename(columns={"agent": "agent_id", "ticket": "ticket_id"})
    frame["agent_id"] = ids[frame["agent_id"]]
    frame["ticket_id"] = [f"T{ticket + 1:06d}" for ticket in frame["ticket_id"]]
    frame.insert(0, key, _ids(letter, len(frame)))
    return frame
