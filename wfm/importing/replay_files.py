"""The three files of a replay – tickets, agents, duties – and the decisions it writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from wfm.dispatch.model import GRADES, SECOND, Agent, Ticket
from wfm.dispatch.replay import Decision, Duty, Trace
from wfm.errors import Fault, InputError
from wfm.importing import columns
from wfm.importing.forms import GRADES as GRADE_WORDS
from wfm.importing.tabular import read_table
from wfm.importing.typed import plausible
from wfm.words import Mode

if TYPE_CHECKING:
    import pandas as pd

LONGEST_S = 1e9  # some thirty years; keeps instants far from overflow
USUAL_PROFICIENCY = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MODE_WORDS = {
    **{mode.value.replace("_", "-"): mode for mode in Mode},
    "on_site": Mode.ON_SITE, "现场": Mode.ON_SITE, "远程": Mode.REMOTE, "待命": Mode.STANDBY,
}  # fmt: skip


class Sheet:
    """A table being converted; gathers the faults of all its columns."""

    def __init__(self, path: Path, required: Sequence[str]) -> None:
        self.name = path.name
        self.frame = read_table(path, required)
        self.faults: list[Fault] = []

    def column(
        self,
        name: str,
        convert: Callable[[pd.Series], columns.Converted],
        default: Any = None,
        *,
        must: bool = False,
    ) -> pd.Series:
        """Convert one column; an empty cell, or no such column, gives `default`."""
        import pandas as pd

        if name not in self.frame.columns:
            return pd.Series([default] * len(self.frame), index=self.frame.index, dtype=object)
        text = self.frame[name]
        values, faults = convert(text)
        self.faults += faults
        if must:
            self.faults += [
                Fault("a value is required", row=int(row), column=name)
                for row in text.index[text.str.strip() == ""]
            ]
        return values if default is None else values.fillna(default)

    def instants(self, name: str, tz: ZoneInfo) -> pd.Series:
        """A required column of times."""
        return self.column(name, lambda text: _plausible_instants(text, tz), must=True)

    def seconds(self, name: str, *, must: bool = True) -> pd.Series:
        """A column of spans, not negative."""
        return self.column(name, lambda text: columns.numbers(text, 0, LONGEST_S), must=must)

    def finish(self) -> None:
        """Raise the faults found, top down, each with the file's name."""
        if self.faults:
            listed = sorted(self.faults, key=lambda fault: fault.row or 0)
            raise InputError.of(replace(fault, file=self.name) for fault in listed)


def _plausible_instants(text: pd.Series, tz: ZoneInfo) -> columns.Converted:
    values, faults = columns.instants(text, tz)
    values, more = plausible(text, values, tz="UTC")
    return values, faults + more


def read_replay(
    tickets: Path, agents: Path, duty: Path, tz: ZoneInfo
) -> tuple[Trace, list[Agent], list[Duty]]:
    """Read a trace, the agents and their duties.

    Raises
    ------
    InputError
        One fault for every value that does not fit, of all three files.
    """
    faults: list[Fault] = []
    people: list[Agent] | None = None
    duties: list[Duty] = []
    trace = Trace([], [], [])
    with _gathered(faults):
        people = read_agents(agents)
    known = None if people is None else {agent.agent_id for agent in people}
    with _gathered(faults):
        duties = read_duties(duty, tz, known)
    with _gathered(faults):
        trace = read_tickets(tickets, tz)
    if faults:
        raise InputError.of(faults)
    return trace, people or [], duties


@contextmanager
def _gathered(faults: list[Fault]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        faults.extend(error.faults)


def read_agents(path: Path) -> list[Agent]:
    """Agents with grade, skills and capacity.

    Without a column `skills` everybody has every skill; with one, an empty cell is no skill.
    Without a grade an agent is ordinary; without a capacity she holds one ticket at a time.
    """
    sheet = Sheet(path, ["agent_id"])
    ids = sheet.column("agent_id", columns.identifiers)
    grades = sheet.column("grade", lambda text: columns.choices(text, GRADE_WORDS), GRADES[0])
    capacities = sheet.column(
        "capacity", lambda text: columns.numbers(text, 1, 1000, whole=True), 1
    )
    skills = sheet.column("skills", _skills)
    sheet.finish()
    return [
        Agent(agent_id, GRADES.index(grade) + 1, has, int(capacity))
        for agent_id, grade, has, capacity in zip(ids, grades, skills, capacities, strict=True)
    ]


def _skills(column: pd.Series) -> columns.Converted:
    """`a;b` or `a:3;b:1` to skill → proficiency."""
    import pandas as pd

    faults: list[Fault] = []
    parsed = []
    for row, cell in column.items():
        skills: dict[str, int] = {}
        for part in filter(None, (part.strip() for part in cell.replace("；", ";").split(";"))):
            name, _, level = part.replace("：", ":").partition(":")
            name, level = name.strip(), level.strip() or str(USUAL_PROFICIENCY)
            if not name or level not in {"1", "2", "3", "4", "5"}:
                wrong = "expected skills such as a;b or a:3;b:1 with a proficiency from 1 to 5"
            elif name in skills:
                wrong = "this skill is named twice"
            else:
                skills[name] = int(level)
                continue
            faults.append(Fault(wrong, row=int(str(row)), column="skills", value=part[:80]))
        parsed.append(skills)
    return pd.Series(parsed, index=column.index, dtype=object), faults


def read_duties(path: Path, tz: ZoneInfo, known: set[str] | None) -> list[Duty]:
    """Duties of the agents in `known` (of anybody, when None), no two of one agent overlapping.

    Without a mode a duty is on site. Who is on standby is not at the desk, so those are left out.
    """
    sheet = Sheet(path, ["agent_id", "start", "end"])
    ids = sheet.column("agent_id", lambda text: columns.identifiers(text, unique=False))
    starts, ends = sheet.instants("start", tz), sheet.instants("end", tz)
    modes = sheet.column("mode", lambda text: columns.choices(text, MODE_WORDS), Mode.ON_SITE)
    whole = (ids != "") & starts.notna() & ends.notna()
    listed = sorted(
        zip(
            ids[whole],
            _instants(starts[whole]),
            _instants(ends[whole]),
            ids.index[whole].tolist(),
            strict=True,
        )
    )
    before: tuple[str, int, int, int] | None = None
    for duty in listed:
        agent_id, start, end, row = duty
        if known is not None and agent_id not in known:
            wrong = Fault("no such agent in the agents file", None, row, "agent_id", agent_id)
        elif end <= start:
            wrong = Fault("must be after start", None, row, "end", sheet.frame["end"][row])
        elif before and before[0] == agent_id and start < before[2]:
            wrong = Fault(
                f"overlaps the duty of the same agent in row {before[3]}",
                None, row, "start", sheet.frame["start"][row],
            )  # fmt: skip
        else:
            before = duty
            continue
        sheet.faults.append(wrong)
    sheet.finish()
    return [
        Duty(agent_id, start, end)
        for agent_id, start, end, row in listed
        if modes[row] != Mode.STANDBY
    ]


def read_tickets(path: Path, tz: ZoneInfo) -> Trace:
    """Tickets with handle times and, where given, patience.

    Without a skill any agent will do; without a grade ordinary suffices; without a column
    `priority` all have priority 1.
    """
    sheet = Sheet(path, ["ticket_id", "opened_at", "respond_within_s", "handle_s"])
    ids = sheet.column("ticket_id", columns.identifiers)
    opened = sheet.instants("opened_at", tz)
    skills = sheet.column("skill", lambda text: (text.str.strip(), []), "")
    tiers = sheet.column("min_grade", lambda text: columns.choices(text, GRADE_WORDS), GRADES[0])
    priorities = sheet.column(
        "priority", lambda text: columns.numbers(text, 1, 1000, whole=True), 1, must=True
    )
    within, handle = sheet.seconds("respond_within_s"), sheet.seconds("handle_s")
    patience = sheet.seconds("wait_limit_s", must=False)
    sheet.finish()
    tickets = [
        Ticket(ticket_id, at, at + span, skill, GRADES.index(tier) + 1, int(priority))
        for ticket_id, at, span, skill, tier, priority in zip(
            ids,
            _instants(opened),
            _micro(within),
            skills,
            tiers,
            priorities,
            strict=True,
        )
    ]
    limits = patience.notna()
    return Trace(
        tickets,
        _micro(handle),
        [
            span if limited else None
            for span, limited in zip(_micro(patience.fillna(0)), limits, strict=True)
        ],
    )


def _instants(times: pd.Series) -> list[int]:
    instants: list[int] = times.astype("datetime64[us, UTC]").astype("int64").tolist()
    return instants


def _micro(seconds: pd.Series) -> list[int]:
    spans: list[int] = (seconds.astype(float) * SECOND).round().astype("int64").tolist()
    return spans


def decisions_csv(decisions: Iterable[Decision], tz: ZoneInfo) -> str:
    """Decisions as CSV, by time of opening, whatever the order of the tickets was.

    A ticket nobody served has no agent, start, end and wait; its reason says why.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["ticket_id", "agent_id", "start", "end", "wait_s", "met", "reason"])
    for decision in sorted(decisions, key=lambda d: (d.ticket.opened_at, d.ticket.ticket_id)):
        wait = decision.wait
        writer.writerow(
            [
                decision.ticket.ticket_id,
                decision.agent_id or "",
                _instant(decision.start, tz),
                _instant(decision.end, tz),
                "" if wait is None else _seconds(wait),
                "true" if decision.met else "false",
                f"{decision.turn};{decision.choice}" if decision.choice else decision.turn,
            ]
        )
    return out.getvalue()


def _instant(at: int | None, tz: ZoneInfo) -> str:
    if at is None:
        return ""
    return (EPOCH + timedelta(microseconds=at)).astimezone(tz).isoformat()


def _seconds(span: int) -> str:
    whole, rest = divmod(span, SECOND)
    return f"{whole}.{rest:06}".rstrip("0") if rest else str(whole)
