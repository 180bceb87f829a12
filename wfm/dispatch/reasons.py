"""Why a ticket went to an agent, as codes with their words in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TEXTS: dict[str, tuple[str, str]] = {
    # whose turn it was
    "on_arrival": ("an agent was free when it came", "到达时有空闲客服"),
    "oldest": ("it had waited longest", "等待时间最长"),
    "highest_priority": ("no ticket of higher priority waited", "没有更高优先级的工单在等待"),
    "earliest_due": ("earliest due of those still winnable", "在仍可按时响应的工单中最早到期"),
    "late": ("already late; nothing winnable waited", "已超时；没有仍可按时响应的工单在等待"),
    "over_cap": ("so late that it goes before anything else", "超时过久，先于一切工单"),
    "expert_released": (
        "the last expert was kept free until its slack ran low",
        "最后一名空闲专家一直保留到余量将尽",
    ),
    # why this agent
    "just_free": ("the agent became free", "该客服刚刚空闲"),
    "only_one_free": ("the only one free who may take it", "唯一空闲且可受理的客服"),
    "lowest_tier": ("lowest grade that suffices", "满足要求的最低等级"),
    "fewest_skills": ("fewest skills of those who may", "可受理客服中技能最少"),
    "least_in_hand": ("fewest tickets in hand", "在手工单最少"),
    "longest_idle": ("idle for longest", "空闲时间最长"),
    # why nobody
    "nobody_may": ("no agent has the skill and grade", "没有客服具备所需技能和等级"),
    "nobody_on_duty": ("nobody who may take it was on duty", "可受理的客服均不在班"),
    "duties_ended": ("the duties ended before its turn", "轮到之前值班已结束"),
    "customer_left": ("the customer left", "客户已放弃等待"),
    "nobody_free": ("everybody who may take it is busy", "可受理的客服均忙"),
    "no_room": ("the agent's hands are full", "该客服在手工单已满"),
    "nothing_waits": (
        "no ticket of fitting skill and grade waits",
        "没有技能和等级相符的工单在等待",
    ),
    "expert_kept": (
        "the last free expert is kept for work that needs one",
        "最后一名空闲专家保留给必须由专家处理的工单",
    ),
    "alone_kept": (
        "alone on duty for some kind of work, and kept for it while others may take this one",
        "在班仅此一人能处理某类工作；此单可由他人受理，故为该类工作保留",
    ),
    "agent_kept": (
        "already late; the last free agents are kept for customers still in time",
        "已超时；最后空闲的客服保留给仍可按时响应的客户",
    ),
    # stages of a live decision
    "on_duty": ("{n} agents on duty", "在班客服 {n} 人"),
    "able": ("{n} with the skill and grade", "具备技能和等级 {n} 人"),
    "no_conflict": ("{n} without a conflict", "无回避关系 {n} 人"),
    "free": ("{n} with room for one more", "有空余容量 {n} 人"),
    "waiting": ("{n} tickets wait", "等待工单 {n} 个"),
    "within_reach": ("{n} of them of fitting skill and grade", "其中技能和等级相符 {n} 个"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a decision: a code and the numbers that belong to it."""

    code: str
    numbers: Mapping[str, int] = field(default_factory=dict, hash=False)

    def text(self, language: str = "en") -> str:
        """In words, `language` "en" or "zh"."""
        return TEXTS[self.code][language == "zh"].format(**self.numbers)
