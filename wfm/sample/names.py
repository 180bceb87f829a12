"""Made-up names of people and customers."""

from __future__ import annotations

import numpy as np

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余"
GIVEN = [
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "磊",
    "洋",
    "艳",
    "勇",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "霞",
    "平",
    "刚",
    "玲",
    "桂英",
    "建华",
    "志强",
    "秀兰",
    "海燕",
    "晓东",
    "雪梅",
    "文博",
    "子涵",
    "梓萱",
    "浩然",
    "欣怡",
    "宇航",
    "思远",
    "佳琪",
    "雨桐",
    "嘉豪",
    "若曦",
    "俊熙",
    "诗涵",
    "天佑",
    "雅婷",
    "立新",
    "春燕",
    "国庆",
    "小龙",
    "丽华",
    "志远",
    "慧敏",
    "晨曦",
    "一鸣",
    "可欣",
]
LATIN = ("Aisha Rahman", "Daniel Novak", "Emily Carter", "Kenji Sato", "Lucas Meyer", "Maria Costa")

PLACES = (
    ("East Lake", "东湖"), ("Golden Bridge", "金桥"), ("Blue Harbour", "蓝港"),
    ("South Gate", "南门"), ("River Bend", "江湾"), ("Cloud Peak", "云峰"),
    ("New Century", "新纪元"), ("Jade Spring", "玉泉"), ("White Stone", "白石"),
    ("Morning Star", "晨星"),
)  # fmt: skip
TRADES = (
    ("Trading", "贸易"), ("Retail", "零售"), ("Clinic", "诊所"), ("Hotel", "酒店"),
    ("Foods", "食品"), ("Textiles", "纺织"), ("Schools", "学校"), ("Freight", "货运"),
)  # fmt: skip


def people(rng: np.random.Generator, count: int) -> list[str]:
    """Different names, mostly Chinese, a few in Latin letters."""
    every = [surname + given for surname in SURNAMES for given in GIVEN]
    chosen = [every[i] for i in rng.choice(len(every), size=count - len(LATIN), replace=False)]
    names = chosen + list(LATIN)
    return [names[i] for i in rng.permutation(count)]


def customers() -> list[tuple[str, str, str]]:
    """Every customer: code, English and Chinese name."""
    pairs = [(place, trade) for place in PLACES for trade in TRADES]
    return [
        (f"C{number:03d}", f"{place[0]} {trade[0]}", f"{place[1]}{trade[1]}")
        for number, (place, trade) in enumerate(pairs, start=1)
    ]
