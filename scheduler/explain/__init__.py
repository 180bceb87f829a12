"""Why a cell is as it is, why not somebody else, why a gap, and which hard rules conflict.

Reasons are structured (codes and figures), so that they can be told in any language. Every claim
is checked: alternatives are judged anew, and what is said to be impossible was solved for.
"""

from scheduler.explain.cell import Alternative, Explanation, explain
from scheduler.explain.conflict import Conflict, Relaxation, conflicts
from scheduler.explain.elements import Element
from scheduler.explain.gap import Filler, Gap, GapReport, explain_gap
from scheduler.explain.why_not import WhyNot, why_not

__all__ = [
    "Alternative",
    "Conflict",
    "Element",
    "Explanation",
    "Filler",
    "Gap",
    "GapReport",
    "Relaxation",
    "WhyNot",
    "conflicts",
    "explain",
    "explain_gap",
    "why_not",
]
