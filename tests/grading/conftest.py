"""Evidence made by hand, so that each rule can be looked at alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from grading.evidence import COLUMNS, FAMILIES, Evidence
from grading.policy import CRITERIA, GradePolicy, default_policy

Given = Mapping[str, float | tuple[float, float]]
SURE = 1e9


@pytest.fixture
def policy() -> GradePolicy:
    return default_policy()


@pytest.fixture
def known() -> Callable[..., Evidence]:
    """`known({"quality": 90}, …)`: one agent per mapping; a value, or (value, precision)."""

    def build(*agents: Given, n: int = 100, names: Sequence[str] = ()) -> Evidence:
        index = pd.Index(names or [f"A{i}" for i in range(len(agents))])
        frames = {}
        for name in CRITERIA:
            frame = pd.DataFrame(np.nan, index=index, columns=list(COLUMNS), dtype=float)
            frame["n"], frame["enough"] = 0, False
            for place, given in enumerate(agents):
                if name in given:
                    pair = given[name]
                    value, precision = pair if isinstance(pair, tuple) else (pair, SURE)
                    if FAMILIES[name] == "exact":
                        precision = np.inf
                    row = {
                        "value": value, "low": value, "high": value, "raw": value,
                        "reliability": 0.9, "usual": value, "strength": 10.0,
                        "precision": precision,
                    }  # fmt: skip
                    for column, number in row.items():
                        frame.iloc[place, frame.columns.get_loc(column)] = number
                    frame.iloc[place, frame.columns.get_loc("n")] = n
                    frame.iloc[place, frame.columns.get_loc("enough")] = True
            frame["n"], frame["enough"] = frame["n"].astype(int), frame["enough"].astype(bool)
            frames[name] = frame
        return Evidence(index, frames, (), {})

    return build


@pytest.fixture
def held() -> Callable[..., pd.DataFrame]:
    """`held("senior", "expert")`: the grades agents A0, A1 … hold now."""

    def build(*grades: str | None, **further: Sequence[float]) -> pd.DataFrame:
        ids = [f"A{i}" for i in range(len(grades))]
        return pd.DataFrame({"agent_id": ids, "grade": grades, **further}, dtype=object).assign(
            **{name: pd.Series(values, dtype=float) for name, values in further.items()}
        )

    return build
