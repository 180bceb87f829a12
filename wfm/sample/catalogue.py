"""What the sample desk is made of: sites, teams, skills, services, promises, shifts, posts.

Everything here is made up; numbers are chosen so that a desk of about 120 people looks plausible.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

TIMEZONE = "Asia/Shanghai"
FIRST_DAY = "2026-02-01"
LAST_DAY = "2026-09-30"
OPENS_S, CLOSES_S = 8 * 3600, 22 * 3600  # of the local day, every day
TICKETS_EXPECTED = 75_000
GRADES = ("ordinary", "senior", "expert")


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill: share of all tickets, median handle time in minutes, and how its load moves.

    `evening` lifts the hours after 18:00, `weekend` and `holiday` multiply the load of those days.
    """

    code: str
    name_en: str
    name_zh: str
    share: float
    median_min: float
    evening: float
    weekend: float
    holiday: float
    categories: tuple[tuple[str, str, str], ...]


SKILLS = (
    Skill("account", "Accounts and access", "账号与权限", 0.19, 24, 0.8, 0.5, 0.35, (
        ("sign_in", "Sign-in fails", "无法登录"), ("rights", "Access rights", "权限申请"),
        ("new_account", "New account", "开通账号"))),
    Skill("app", "Business applications", "业务应用", 0.17, 42, 0.8, 0.5, 0.35, (
        ("error", "Error message", "应用报错"), ("how_to", "How to", "使用咨询"),
        ("data_fix", "Data correction", "数据更正"))),
    Skill("billing", "Billing", "账单费用", 0.14, 31, 1.1, 0.8, 0.6, (
        ("invoice", "Invoice", "发票"), ("refund", "Refund", "退款"),
        ("charge", "Disputed charge", "扣费争议"))),
    Skill("logistics", "Orders and delivery", "订单与物流", 0.15, 28, 1.3, 1.0, 0.9, (
        ("late", "Late delivery", "配送延误"), ("damage", "Damaged goods", "货品破损"),
        ("change", "Change of order", "订单变更"))),
    Skill("hardware", "Devices", "终端设备", 0.12, 48, 0.8, 0.6, 0.4, (
        ("computer", "Computer", "电脑"), ("printer", "Printer", "打印机"),
        ("phone", "Telephone", "话机"))),
    Skill("network", "Network", "网络", 0.10, 51, 1.0, 0.8, 0.7, (
        ("vpn", "Remote access", "远程接入"), ("wireless", "Wireless", "无线网络"),
        ("outage", "Line down", "线路中断"))),
    Skill("mail", "Mail and collaboration", "邮件与协作", 0.08, 29, 0.8, 0.5, 0.35, (
        ("mailbox", "Mailbox", "邮箱"), ("meeting", "Meetings", "会议系统"))),
    Skill("security", "Information security", "信息安全", 0.05, 57, 1.0, 0.8, 0.8, (
        ("phishing", "Phishing", "钓鱼邮件"), ("leak", "Possible leak", "疑似泄露"))),
)  # fmt: skip

SITES = (("shanghai", "Shanghai", "上海"), ("chengdu", "Chengdu", "成都"))

# code, English, Chinese, site, home skills in order of importance
TEAMS = (
    ("sh-network", "Network team", "网络组", "shanghai", ("network", "security", "hardware")),
    ("sh-device", "Device team", "终端组", "shanghai", ("hardware", "account", "mail")),
    ("sh-app", "Application team", "应用组", "shanghai", ("app", "account", "billing")),
    ("cd-account", "Account team", "账号组", "chengdu", ("account", "mail", "app")),
    ("cd-billing", "Billing team", "账务组", "chengdu", ("billing", "logistics", "app")),
    ("cd-order", "Order team", "订单组", "chengdu", ("logistics", "billing", "account")),
)
TEAM_SIZE = 20
TEAM_GRADES = ("expert",) * 2 + ("senior",) * 6 + ("ordinary",) * 12

# service code, English, Chinese, skill, agreement
SERVICES = (
    ("access", "Access service", "账号权限服务", "account", "standard"),
    ("apps", "Application support", "业务应用支持", "app", "standard"),
    ("bills", "Billing enquiries", "账务查询服务", "billing", "standard"),
    ("orders", "Order care", "订单服务", "logistics", "standard"),
    ("devices", "Device support", "终端支持", "hardware", "standard"),
    ("connect", "Network service", "网络服务", "network", "critical"),
    ("collaborate", "Mail and meetings", "邮件会议服务", "mail", "standard"),
    ("protect", "Security service", "信息安全服务", "security", "critical"),
)

# agreement, priority → first response and resolution, in minutes of opening hours
PROMISES = {
    "standard": {1: (5, 120), 2: (15, 240), 3: (30, 840), 4: (120, 2520)},
    "critical": {1: (3, 90), 2: (10, 180), 3: (20, 600), 4: (60, 1680)},
}

# code, English, Chinese, start, end, paid minutes, breaks (unpaid), mode, unpopular
SHIFTS = (
    ("early", "Early", "早班", "08:00", "16:30", 480, "11:30-12:00", "on_site", False),
    ("day", "Day", "行政班", "09:00", "17:30", 480, "12:00-12:30", "on_site", False),
    ("mid", "Middle", "中班", "11:00", "19:30", 480, "15:00-15:30", "on_site", False),
    ("late", "Late", "晚班", "13:30", "22:00", 480, "17:30-18:00", "on_site", True),
    ("home-late", "Late from home", "居家晚班", "14:00", "22:00", 480, "", "remote", True),
    ("short", "Short", "短班", "09:00", "13:00", 240, "", "on_site", False),
    ("standby", "Night standby", "夜间待命", "22:00", "08:00", 0, "", "standby", True),
)

# role, English, Chinese, people per day, lowest grade, mode, minutes to be at work, one per site,
# start, end (not after the start: the next day), legal kind and its basis, stays in town
POSTS = (
    ("duty_leader", "Duty leader", "带班领导", 1, "expert", "standby", 60, False,
     "08:00", "08:00", "watch", "reachable, may rest", True),
    ("lead", "Lead", "主班", 1, "senior", "on_site", 0, True,
     "08:00", "16:00", "ordinary", "own work", False),
    ("deputy", "Deputy", "副班", 1, "ordinary", "on_site", 0, True,
     "14:00", "22:00", "ordinary", "own work", False),
    ("standby", "Standby", "备班", 1, "ordinary", "standby", 60, True,
     "22:00", "08:00", "standby", "at home, may rest", False),
)  # fmt: skip


def sites() -> pd.DataFrame:
    return pd.DataFrame(SITES, columns=["code", "name_en", "name_zh"])


def teams() -> pd.DataFrame:
    return pd.DataFrame(
        [team[:4] for team in TEAMS], columns=["code", "name_en", "name_zh", "site"]
    )


def skills() -> pd.DataFrame:
    rows = [(skill.code, skill.name_en, skill.name_zh) for skill in SKILLS]
    return pd.DataFrame(rows, columns=["code", "name_en", "name_zh"])


def categories() -> pd.DataFrame:
    rows = [(*category, skill.code) for skill in SKILLS for category in skill.categories]
    return pd.DataFrame(rows, columns=["code", "name_en", "name_zh", "skill"])


def services() -> pd.DataFrame:
    return pd.DataFrame(SERVICES, columns=["code", "name_en", "name_zh", "skill", "agreement"])


def targets() -> pd.DataFrame:
    """The promises, one row per agreement, metric and priority; limits in business minutes."""
    rows = [
        (agreement, metric, priority, limits[place])
        for agreement, by_priority in PROMISES.items()
        for place, metric in enumerate(("first_response", "resolution"))
        for priority, limits in by_priority.items()
    ]
    return pd.DataFrame(rows, columns=["agreement", "metric", "priority", "limit_min"])


def shifts() -> pd.DataFrame:
    columns = ["code", "name_en", "name_zh", "start", "end", "paid_minutes", "breaks", "mode"]
    return pd.DataFrame(SHIFTS, columns=[*columns, "unpopular"])


def posts() -> pd.DataFrame:
    """Holiday posts; a post without a site is one for the whole desk."""
    rows = [
        (f"{post[0]}-{site}" if site else post[0], *post[:7], site, *post[8:])
        for post in POSTS
        for site in ([code for code, _, _ in SITES] if post[7] else [""])
    ]
    columns = ["code", "role", "name_en", "name_zh", "people", "min_grade", "mode"]
    columns += ["reach_minutes", "site", "starts", "ends", "kind", "basis", "stays_in_town"]
    return pd.DataFrame(rows, columns=columns)
