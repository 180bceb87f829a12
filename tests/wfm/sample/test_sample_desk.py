"""The sample desk: the same for a seed, in the forms of the imports, and plausible."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from wfm.importing.columns import instants, zone
from wfm.importing.tabular import read_table
from wfm.sample.desk import SampleDesk, generate, write
from wfm.words import ContributionKind, DayType, EventKind, Grade, LeaveKind, Mode, PostRole

FORMS = {
    "agents": "agent_id,name,team,site,hired_on,grade,skills,capacity,phone",
    "tickets": "ticket_id,opened_at,skill,min_grade,priority,respond_within_s,handle_s,kind,"
    "category,channel,service,customer,difficulty,agent_id,first_response_at,resolved_at,"
    "closed_at,resolved,independent,reopened",
    "ticket-events": "event_id,ticket_id,at,kind,agent_id,team,note",
    "surveys": "survey_id,ticket_id,agent_id,answered_on,score",
    "reviews": "review_id,agent_id,reviewer,case_id,reviewed_on,form,score",
    "contributions": "agent_id,on,kind,points,note",
    "leave": "agent_id,start,end,kind",
    "calendar": "date,day_type,name,name_zh",
}


@pytest.fixture(scope="module")
def desk() -> SampleDesk:
    return generate(7)


@pytest.fixture(scope="module")
def folder(desk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write(desk, folder)
    return folder


def test_the_same_seed_writes_the_same_bytes(folder, tmp_path):
    for path in write(generate(7), tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_another_seed_makes_another_desk(desk):
    other = generate(8)
    assert not other.tickets.equals(desk.tickets)
    assert not other.agents["name"].equals(desk.agents["name"])


@pytest.mark.parametrize("name", FORMS)
def test_files_have_the_form_of_their_import(folder, name):
    table = read_table(folder / f"{name}.csv")
    assert ",".join(table.columns) == FORMS[name]
    assert len(table)


def test_written_times_are_read_back(desk, folder):
    table = read_table(folder / "tickets.csv")
    for column in ("opened_at", "first_response_at", "resolved_at", "closed_at"):
        read, faults = instants(table[column], zone("UTC"))
        assert not faults
        kept = desk.tickets[column].dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        assert np.array_equal(read.isna(), kept.isna())
        assert (read[read.notna()].to_numpy() == kept[kept.notna()].to_numpy()).all()


def test_size_of_the_desk(desk):
    assert len(desk.agents) == 120
    assert desk.agents.groupby("team").size().tolist() == [20] * 6
    assert desk.agents["site"].nunique() == 2
    assert desk.agents["grade"].value_counts().to_dict() == {
        "ordinary": 72, "senior": 36, "expert": 12,
    }  # fmt: skip
    assert desk.agents["name"].is_unique
    assert len(desk.skills) == 8
    assert 70_000 < len(desk.tickets) < 80_000
    assert 40 < desk.tickets["handle_s"].mean() / 60 < 45
    assert 0.17 < len(desk.surveys) / len(desk.tickets) < 0.23
    assert desk.reviews.duplicated("case_id").any()


def test_only_words_of_the_trade_are_used(desk):
    for column, words in (
        (desk.agents["grade"], Grade),
        (desk.tickets["min_grade"], Grade),
        (desk.ticket_events["kind"], EventKind),
        (desk.contributions["kind"], ContributionKind),
        (desk.leave["kind"], LeaveKind),
        (desk.calendar["day_type"], DayType),
        (desk.shifts["mode"], Mode),
        (desk.posts["role"], PostRole),
    ):
        assert set(column) <= set(words)


def test_references_lead_somewhere(desk):
    agents = set(desk.agents["agent_id"])
    for frame in (desk.leave, desk.surveys, desk.reviews, desk.contributions, desk.carry_in,
                  desk.holiday_ledger):  # fmt: skip
        assert set(frame["agent_id"]) <= agents
    assert set(desk.tickets["agent_id"]) <= agents | {""}
    assert set(desk.tickets["service"]) == set(desk.services["code"])
    assert set(desk.tickets["customer"]) <= set(desk.customers["code"])
    assert set(desk.tickets["category"]) == set(desk.categories["code"])
    assert set(desk.agents["team"]) == set(desk.teams["code"])
    assert set(desk.services["agreement"]) == set(desk.targets["agreement"])


def test_times_are_possible(desk):
    tickets = desk.tickets
    end = pd.Timestamp("2026-09-30T22:00:00+08:00")
    for earlier, later in (
        ("opened_at", "first_response_at"),
        ("first_response_at", "resolved_at"),
        ("resolved_at", "closed_at"),
    ):
        known = tickets[earlier].notna() & tickets[later].notna()
        assert (tickets[earlier][known] <= tickets[later][known]).all()
        assert tickets[later].max() <= end
    assert tickets["opened_at"].is_monotonic_increasing
    assert not (tickets["resolved_at"].notna() & ~tickets["resolved"].fillna(False)).any()


def test_events_tell_the_same_story_as_the_tickets(desk):
    tickets = desk.tickets.set_index("ticket_id")
    events = desk.ticket_events
    same = events["ticket_id"].eq(events["ticket_id"].shift())
    assert (events["at"].diff()[same] >= pd.Timedelta(0)).all()
    assert (~same).sum() == len(tickets)
    assert events.drop_duplicates("ticket_id")["kind"].eq("opened").all()
    owner = events[events["kind"] == "assigned"].groupby("ticket_id")["agent_id"].last()
    assert owner.reindex(tickets.index, fill_value="").eq(tickets["agent_id"]).all()
    last = events[events["kind"] == "resolved"].groupby("ticket_id")["at"].last()
    solved = tickets.index[tickets["resolved_at"].notna()]
    assert last[solved].eq(tickets.loc[solved, "resolved_at"]).all()
    passed_on = set(events.loc[events["kind"].isin(["escalated", "transferred"]), "ticket_id"])
    alone = tickets.index[tickets["independent"].fillna(False).astype(bool)]
    assert passed_on.isdisjoint(alone)


def test_nobody_works_before_being_hired_or_on_leave(desk):
    hired = desk.agents.set_index("agent_id")["hired_on"]
    owned = desk.tickets[desk.tickets["first_response_at"].notna()]
    days = owned["first_response_at"].dt.date
    assert (days.to_numpy() >= hired[owned["agent_id"]].to_numpy()).all()
    duties = set(zip(desk.carry_in["agent_id"], desk.carry_in["start"].dt.date, strict=True))
    for agent_id, start, end, _ in desk.leave.itertuples(index=False):
        for offset in range((end - start).days + 1):
            assert (agent_id, start + dt.timedelta(days=offset)) not in duties


def test_the_load_has_a_pattern(desk):
    opened = desk.tickets["opened_at"]
    per_day = opened.dt.date.value_counts()
    monday, sunday = per_day[dt.date(2026, 6, 8)], per_day[dt.date(2026, 6, 14)]
    new_year = per_day[dt.date(2026, 2, 17)]
    make_up = per_day[dt.date(2026, 5, 9)]  # a Saturday worked for Labour Day
    assert new_year < sunday < make_up < monday * 1.05
    by_hour = opened.dt.hour.value_counts()
    assert by_hour[10] > by_hour[13] > by_hour[8] > by_hour[3]


def test_raw_averages_mislead(desk):
    """Experts solve more of equally hard work alone, yet less of what they are given."""
    tickets = desk.tickets[desk.tickets["independent"].notna()].copy()
    tickets["grade"] = tickets["agent_id"].map(desk.agents.set_index("agent_id")["grade"])
    raw = tickets.groupby("grade")["independent"].mean()
    assert raw["expert"] < raw["ordinary"]
    equally_hard = tickets[tickets["difficulty"] == 4].groupby("grade")["independent"].mean()
    assert equally_hard["expert"] > equally_hard["senior"] > equally_hard["ordinary"]


def test_carry_in_is_the_last_week_of_september(desk):
    days = set(desk.carry_in["start"].dt.date)
    assert min(days) == dt.date(2026, 9, 24)
    assert max(days) == dt.date(2026, 9, 30)
    assert (
        not desk.carry_in.assign(on=desk.carry_in["start"].dt.date)
        .duplicated(["agent_id", "on"])
        .any()
    )


def test_ledger_holds_each_person_once_a_day_and_never_before_hiring(desk):
    ledger = desk.holiday_ledger
    assert not ledger.duplicated(["agent_id", "on"]).any()
    hired = desk.agents.set_index("agent_id")["hired_on"]
    assert (ledger["on"].to_numpy() >= hired[ledger["agent_id"]].to_numpy()).all()
    assert {"除夕", "初一", "中秋节", "10月1日"} <= set(ledger["name_zh"])
    assert set(pd.to_datetime(ledger["on"]).dt.year) == {2024, 2025, 2026}
    grade = ledger["agent_id"].map(desk.agents.set_index("agent_id")["grade"])
    assert set(grade[ledger["post"] == "duty_leader"]) == {"expert"}


def test_leave_reaches_into_the_month_to_be_planned(desk):
    assert (desk.leave["end"] >= dt.date(2026, 10, 1)).sum() >= 20
    for _, taken in desk.leave.groupby("agent_id"):
        spells = sorted(zip(taken["start"], taken["end"], strict=True))
        assert all(a[1] < b[0] for a, b in pairwise(spells))


def test_every_table_is_written(desk, folder):
    names = {field.name.replace("_", "-") + ".csv" for field in dataclasses.fields(desk)}
    assert {path.name for path in folder.iterdir()} == names
