"""Forecasts against "last week again" on records nobody here made.

Run: python benchmarks/forecast/run.py [FOLDER OF THE RECORDS]

Two ways to look at it. *Same days*: every candidate, and every peer whose package is installed
(`peers.py`), on the same rolling back-test. *Honest*: at each starting point the candidate is
chosen on what lay before it, then scored on the next days, so that choosing cannot flatter the
result. *Inside*: the share of half-hours and of days that lay in their 80 % interval.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from peers import peers

from scheduler.demand.backtest import trials
from scheduler.demand.candidates import CANDIDATES, NAIVE, predict
from scheduler.demand.forecast import forecast_skill
from scheduler.demand.history import Calendar, Day, History, histories
from scheduler.labour import DayType

RECORDS = Path(__file__).resolve().parents[3] / "shared" / "data"
# The incident desk's holidays are not in its log; these two show in it and fall on public
# holidays of Brazil (Good Friday, Tiradentes), so they are given by name. Friday 22 April is the
# bridge day after the second.
INCIDENT_CALENDAR: Calendar = {
    dt.date(2016, 3, 25): Day(DayType.STATUTORY_HOLIDAY, "Good Friday"),
    dt.date(2016, 4, 21): Day(DayType.STATUTORY_HOLIDAY, "Tiradentes"),
    dt.date(2016, 4, 22): Day(DayType.REST_DAY, "bridge day"),
}
# the bank's week: Friday short, Saturday closed until evening, Sunday a workday
BANK_CALENDAR: Calendar = {
    dt.date(1999, 2, day): Day(DayType.REST_DAY if day % 7 == 6 else DayType.WORKDAY)
    for day in range(1, 15)
}


def bank_calls(folder: Path) -> pd.DataFrame:
    calls = pd.read_csv(folder / "bank_calls_1999-02-01_14.csv.gz", dtype={"date": str})
    opened = pd.to_datetime(calls["date"] + " " + calls["vru_entry"], format="%y%m%d %H:%M:%S")
    seconds = calls["ser_time"].where(calls["server"] != "NO_SERVER")
    return pd.DataFrame({"opened_at": opened, "skill": calls["type"], "handle_s": seconds})


def incidents(folder: Path) -> pd.DataFrame:
    log = pd.read_csv(
        folder / "servicenow_incident_events_2016-02_04.csv.gz",
        dtype=str,
        usecols=["number", "opened_at", "assignment_group"],
    )
    first = log.drop_duplicates("number")
    opened = pd.to_datetime(first["opened_at"], format="%d/%m/%Y %H:%M")
    return pd.DataFrame({"opened_at": opened, "skill": "group " + first["assignment_group"]})


def chosen_in_advance(history: History, calendar: Calendar) -> tuple[float, float, float]:
    """WAPE of the forecast and of last week again, and bias, choosing before looking."""
    error = naive = signed = actual = 0.0
    days = len(history.volume)
    for start in range(14, days, 7) if days >= 28 else range(7, days):
        past = history.until(start)
        dates = history.dates[start : start + 7]
        truth = history.volume[start : start + 7]
        guess = forecast_skill(past, dates, calendar).volume
        again = predict(NAIVE, past, dates, calendar)
        error += float(np.abs(guess - truth).sum())
        naive += float(np.abs(again - truth).sum())
        signed += float((guess - truth).sum())
        actual += float(truth.sum())
    return (error / actual, naive / actual, signed / actual) if actual else (np.nan,) * 3


def report(title: str, tickets: pd.DataFrame, calendar: Calendar, slot_min: int) -> None:
    print(f"\n{title}, {len(tickets)} contacts, slots of {slot_min} min")
    competing = (*CANDIDATES, *peers())
    whole = tickets.assign(skill="all")
    for skill, part in [("all", whole), *_largest(tickets)]:
        (history,) = histories(part, slot_min=slot_min)
        history = replace(history, skill=skill)
        started = time.perf_counter()
        tried = {one.model: one for one in trials(history, calendar, competing)}
        seconds = time.perf_counter() - started
        results = {name: one.accuracy for name, one in tried.items() if one.accuracy}
        own = [results[model.name] for model in CANDIDATES if model.name in results]
        best = min(own, key=lambda result: result.wape)
        gain = 1 - best.wape / results[NAIVE.name].wape
        ours, naive, bias = chosen_in_advance(history, calendar)
        inside = tried[best.model]
        print(f"{skill}: {len(part)} contacts, {seconds:.1f} s; best {best.model} "
              f"{best.wape:.1%} (day {best.wape_day:.1%}, bias {best.bias:+.1%}), "
              f"{gain:.1%} below last week again; honest {ours:.1%} against {naive:.1%}, "
              f"bias {bias:+.1%}; inside {inside.spread().inside or 0:.0%} of half-hours, "
              f"{inside.spread_day().inside or 0:.0%} of days")  # fmt: skip
        print("   " + ", ".join(f"{name} {one.wape:.1%}" for name, one in results.items()))


def _largest(tickets: pd.DataFrame, most: int = 4) -> list[tuple[str, pd.DataFrame]]:
    names = tickets["skill"].value_counts().index[:most]
    return [(str(name), tickets[tickets["skill"] == name]) for name in names]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    if not folder.is_dir():
        sys.exit(f"{folder}: there is no such folder; name the one that holds the records")
    for slot_min in (30, 60):
        report("Bank calls", bank_calls(folder), BANK_CALENDAR, slot_min)
        report("Incidents", incidents(folder), INCIDENT_CALENDAR, slot_min)
        report("Incidents, holidays not given", incidents(folder), {}, slot_min)


if __name__ == "__main__":
    main()
