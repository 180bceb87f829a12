"""Do groups fare alike? Impact ratios with exact tests.

A ratio below four fifths is a flag that wants a written answer, not a verdict: small groups
differ by chance, and the exact test says how easily.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

FOUR_FIFTHS = 0.8
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class GroupImpact:
    """One group against the group that fares best.

    Parameters
    ----------
    group, selected, total
        Name, people with the favourable outcome, people in all.
    ratio : float
        Share of this group divided by the best share; NaN when nobody at all was selected.
    p_value : float
        Two-sided Fisher exact test against the best group.
    adverse : bool
        The ratio is below the least one asked for (exactly that one is not).
    significant : bool
        The test rejects chance at the level asked for.
    """

    group: str
    selected: int
    total: int
    share: float
    ratio: float
    p_value: float
    adverse: bool
    significant: bool


def impact_ratios(selected: pd.Series, group: pd.Series, level: float = 0.05) -> list[GroupImpact]:
    """Compare the share of `selected` (booleans) between groups; without a group left out.

    Source: Uniform Guidelines, 29 CFR 1607.4D (four-fifths rule); Fisher 1935 (exact test).
    """
    known = group.notna()
    frame = pd.DataFrame(
        {"group": group[known].astype(str), "selected": selected[known].astype(bool)}
    )
    table = frame.groupby("group", sort=True)["selected"].agg(["sum", "count"])
    return impact_of_counts(
        {str(name): (int(row["sum"]), int(row["count"])) for name, row in table.iterrows()}, level
    )


def impact_of_counts(
    counts: dict[str, tuple[int, int]], level: float = 0.05, least_ratio: float = FOUR_FIFTHS
) -> list[GroupImpact]:
    """As `impact_ratios`, from (selected, total) per group; `least_ratio` is a share, 0–1."""
    counts = {name: pair for name, pair in counts.items() if pair[1] > 0}
    if not counts:
        return []
    best = max(counts, key=lambda name: (counts[name][0] / counts[name][1], counts[name][1], name))
    best_selected, best_total = counts[best]
    best_share = best_selected / best_total
    found = []
    for name in sorted(counts):
        chosen, total = counts[name]
        share = chosen / total
        ratio = share / best_share if best_share > 0 else float("nan")
        p_value = 1.0 if name == best else _exact(chosen, total, best_selected, best_total)
        found.append(
            GroupImpact(
                group=name,
                selected=chosen,
                total=total,
                share=share,
                ratio=ratio,
                p_value=p_value,
                adverse=ratio < least_ratio - TOLERANCE,
                significant=p_value < level,
            )
        )
    return found


@lru_cache(maxsize=4096)
def _exact(chosen: int, total: int, best: int, best_total: int) -> float:
    """Fisher's exact test of two shares, two-sided."""
    table = np.array([[chosen, total - chosen], [best, best_total - best]])
    return float(fisher_exact(table).pvalue)
