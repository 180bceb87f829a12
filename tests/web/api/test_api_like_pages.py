"""What pages do, machines can: calendars, clocks of targets, causes of repairs, why not, pay."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

V1 = "/api/v1"


@pytest.fixture(scope="module")
def client(machine: Any) -> TestClient:
    made: TestClient = machine.client()
    return made


def key(name: str, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": name} | more


def test_a_calendar_is_changed_as_it_was_read_and_never_over_somebody_elses_change(
    client: TestClient,
) -> None:
    known = client.get(f"{V1}/calendars").json()["items"][0]
    path = f"{V1}/calendars/{known['row']['code']}"
    read = client.get(path)
    wanted = {
        "name_en": "Renamed", "name_zh": known["row"]["name_zh"],
        "timezone": known["row"]["timezone"], "texts": known["texts"],
    }  # fmt: skip
    tag = {"If-Match": read.headers["etag"]}
    saved = client.put(path, json=wanted, headers=key("calendar-1", **tag))
    assert (saved.status_code, saved.json()["row"]["name_en"]) == (200, "Renamed")
    assert saved.json()["texts"] == known["texts"]
    late = client.put(path, json=wanted | {"name_en": "Late"}, headers=key("calendar-2", **tag))
    assert late.status_code == 412
    assert client.get(path).json()["row"]["name_en"] == "Renamed"
    assert client.get(f"{V1}/calendars/nowhere").status_code == 404


def test_what_moves_a_clock_is_read_and_set_of_a_draft(machine: Any, client: TestClient) -> None:
    draft, *_, sealed = (f"{V1}/agreements/{one}" for one in machine.known["agreement"])
    clocks = {}
    for name, path in (("draft", draft), ("sealed", sealed)):
        target = client.get(path).json()["records"][0]["target"]["id"]
        clocks[name] = f"{path}/targets/{target}/clock"
    read = client.get(clocks["draft"]).json()
    wanted = {"chosen": read["chosen"] | {"resets": ["transferred"]}}
    saved = client.put(clocks["draft"], json=wanted, headers=key("clock-1"))
    assert saved.status_code == 200, saved.text
    assert saved.json()["chosen"]["resets"] == ["transferred"]
    refused = client.put(clocks["sealed"], json=wanted, headers=key("clock-2"))
    assert refused.status_code == 409
    assert client.get(f"{draft}/targets/999999/clock").status_code == 404


def test_a_ticket_goes_back_to_the_agreement_of_its_service(client: TestClient) -> None:
    saved = client.put(
        f"{V1}/tickets/T-1/agreement", json={"agreement": None}, headers=key("agreement-1")
    )
    assert saved.status_code == 200, saved.text
    wrong = {"agreement": 999999}
    answer = client.put(f"{V1}/tickets/T-1/agreement", json=wrong, headers=key("agreement-2"))
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cause=now", 200),
        ("cause=absence", 422),  # whose?
        ("cause=demand", 422),  # on which day?
        ("cause=absence&agent=A&from=2026-09-29&until=2026-09-29", 200),
    ],
)
def test_ways_to_mend_are_looked_for_whatever_happened(
    machine: Any, client: TestClient, query: str, status: int
) -> None:
    roster = machine.known["roster"][0]
    found = client.get(f"{V1}/rosters/{roster}/versions/2/repair?{query}")
    assert found.status_code == status, found.text
    if status == 200:
        assert found.json()["seen"] == 0


def test_reasons_of_a_roster_are_told(machine: Any, client: TestClient) -> None:
    roster = f"{V1}/rosters/{machine.known['roster'][0]}"
    version = f"{roster}/versions/2"
    assert client.get(f"{roster}/conflicts").json()["found"] == []
    why = client.get(f"{version}/cells/B/2026-09-29/why-not?shift=early")
    assert (why.status_code, why.json()["shift"]["code"]) == (200, "early")
    assert client.get(f"{version}/cells/B/2026-09-29/why-not?shift=none").status_code == 422
    pay = client.get(f"{version}/pay?wage=8000")
    assert pay.status_code == 200, pay.text
    by_shift = client.get(f"{version}/gap?day=2026-09-29&shift=late")
    assert by_shift.status_code == 200
    neither = client.get(f"{version}/gap?day=2026-09-29")
    assert neither.status_code == 422
