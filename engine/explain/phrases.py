"""The words of an explanation, by language.

To add a language, add its table here: a test asks that every table has the same phrases with the same
places for values. A policy's own texts (its reasons) may be in further languages; the words around them
are then English.
"""
from __future__ import annotations

from collections.abc import Mapping

Phrases = Mapping[str, str]

DEFAULT = "en"

ENGLISH: dict[str, str] = {
    "comma": ", ",
    "space": " ",
    "colon": ": ",
    "pause": ", ",
    "clause": "; ",
    "or": " or ",
    "and more": "and {} more",
    "no value": "no value",
    "none": "none",
    "true": "true",
    "false": "false",
    "hidden": "***",
    "year": "{} year", "years": "{} years",
    "month": "{} month", "months": "{} months",
    "day": "{} day", "days": "{} days",
    "hour": "{} hour", "hours": "{} hours",
    "minute": "{} minute", "minutes": "{} minutes",
    "second": "{} second", "seconds": "{} seconds",
    "as of": "as of {}",
    "version": "version {}",
    # headings
    "refused": "Refused: the customer was not decided",
    "outcomes": "Outcome",
    "reasons": "Reasons",
    "open": "Not settled",
    "ask": "What to ask for",
    "assumed": "Missing, and handled by the policy",
    "decisions": "How it came about",
    # reasons
    "MISSING": "Data that the decision needs are missing: {}",
    "MISSING unnamed": "Data that the decision needs are missing",
    "UNDEFINED": "There is no value for the data given: {}",
    "UNDEFINED unnamed": "There is no value for the data given",
    "not given": "(not given)",
    "in language": "(in {})",
    # not settled
    "gave": "gave {}",
    "refuse": "refuses the customer",
    "could be": "could be {}",
    "could also be": "could also be {}",
    "could include": "could also include {}",
    "could be anything": "what else it could be is not known",
    "undetermined": "cannot tell {}",
    "is missing": "{} missing",
    "without value": "no value for {}",
    "because of": "{} ({})",
    # ask
    "settles": "would settle {}",
    "touches": "is also needed for {}",
    "needed": "is needed for {}, with more",
    "read by": "read by {}",
    "rules of": "{} ({} rules)",
    # rules
    "matched": "yes",
    "not matched": "no",
    "undetermined state": "unknown",
    "otherwise": "no other rule matched",
    "not otherwise": "another rule matched",
    "always": "always",
    "gives": "gives {}",
    "would give": "would give {}",
    "would give computed": "would give a computed value",
    "not tried": "not tried: {}",
    "value is": "{} = {}",
    "value missing": "{} is missing",
    "value null": "{} has no value",
    "not supplied": "{} not supplied",
    "row": "{} row", "rows": "{} rows", "group": "{} group", "groups": "{} groups",
    "rows counted": "{}: {} of {} rows counted",
    "has": "{}: {}",
    "with": "with {} = {}",
    "nothing matched": "no rule matched",
    "feature": "derived fact",
    "imported": "from another policy",
    # scorecards
    "characteristic": "characteristic",
    "value": "value",
    "bin": "bin",
    "points": "points",
    "lost": "lost",
    "reason": "reason",
    "base": "base",
    "total": "total",
    "no bin": "no bin",
    # conflicts
    "several matched": "{} matched where at most one may, so there is no value",
    "outcomes differ": "{} matched with different outcomes, so there is no value",
    "no bin holds": "no bin of {} holds its value, so there is no score",
}

CHINESE: dict[str, str] = {
    "comma": "、",
    "space": "",
    "colon": "：",
    "pause": "，",
    "clause": "；",
    "or": " 或 ",
    "and more": "等另外 {} 项",
    "no value": "无值",
    "none": "无",
    "true": "是",
    "false": "否",
    "hidden": "***",
    "year": "{} 年", "years": "{} 年",
    "month": "{} 个月", "months": "{} 个月",
    "day": "{} 天", "days": "{} 天",
    "hour": "{} 小时", "hours": "{} 小时",
    "minute": "{} 分", "minutes": "{} 分",
    "second": "{} 秒", "seconds": "{} 秒",
    "as of": "截至 {}",
    "version": "版本 {}",
    "refused": "拒绝受理：未对该客户作出决定",
    "outcomes": "结果",
    "reasons": "原因",
    "open": "尚未确定",
    "ask": "需要补充的资料",
    "assumed": "缺失但政策已作处理",
    "decisions": "决定过程",
    "MISSING": "缺少作出决定所需的资料：{}",
    "MISSING unnamed": "缺少作出决定所需的资料",
    "UNDEFINED": "按现有资料无法得出数值：{}",
    "UNDEFINED unnamed": "按现有资料无法得出数值",
    "not given": "（未提供）",
    "in language": "（{}）",
    "gave": "给出 {}",
    "refuse": "拒绝受理该客户",
    "could be": "可能为 {}",
    "could also be": "也可能为 {}",
    "could include": "还可能包括 {}",
    "could be anything": "其他可能的结果无法预知",
    "undetermined": "无法判断 {}",
    "is missing": "缺少 {}",
    "without value": "{} 无值",
    "because of": "{}（{}）",
    "settles": "可确定 {}",
    "touches": "另外还影响 {}",
    "needed": "{} 也需要它，但不止它",
    "read by": "用于 {}",
    "rules of": "{}（{} 条规则）",
    "matched": "是",
    "not matched": "否",
    "undetermined state": "未知",
    "otherwise": "其他规则均不符合",
    "not otherwise": "已有其他规则符合",
    "always": "总是",
    "gives": "给出 {}",
    "would give": "若符合则给出 {}",
    "would give computed": "若符合则给出计算值",
    "not tried": "未再判断：{}",
    "value is": "{} = {}",
    "value missing": "{} 缺失",
    "value null": "{} 无值",
    "not supplied": "未提供 {}",
    "row": "{} 行", "rows": "{} 行", "group": "{} 组", "groups": "{} 组",
    "rows counted": "{}：取 {} / {} 行",
    "has": "{}：{}",
    "with": "其中 {} = {}",
    "nothing matched": "没有符合的规则",
    "feature": "派生数据",
    "imported": "来自其他政策",
    "characteristic": "项目",
    "value": "值",
    "bin": "区间",
    "points": "得分",
    "lost": "失分",
    "reason": "原因",
    "base": "基础分",
    "total": "合计",
    "no bin": "无区间",
    "several matched": "{} 同时符合，但至多只能有一条，因此无值",
    "outcomes differ": "{} 同时符合且结果不同，因此无值",
    "no bin holds": "{} 的值不在任何区间内，因此没有评分",
}

#: Languages of explanations, the default first.
LANGUAGES: dict[str, Phrases] = {"en": ENGLISH, "zh": CHINESE}

#: Faults of data in words, by language: patterns over the English message.
FAULTS: dict[str, tuple[tuple[str, str], ...]] = {
    "zh": (
        (r"(.*)is required and missing", r"\1必须提供，但缺失"),
        (r"(.*)is not a number", r"\1不是数字"),
        (r"(.*)is not text", r"\1不是文本"),
        (r"(.*)is not true or false", r"\1不是 true 或 false"),
        (r"(.*)is not a date \(YYYY-MM-DD\)", r"\1不是日期（YYYY-MM-DD）"),
        (r"(.*)is outside its range (.*)", r"\1超出范围 \2"),
        (r"(.*)is not one of (.*)", r"\1不是下列值之一：\2"),
        (r"is open: (.*) missing", r"无法确定：缺少 \1"),
        (r"is open: it has no value for the known data", r"无法确定：按现有资料无法得出数值"),
    ),
}


def phrases_of(language: str) -> Phrases:
    """The phrases of a language, or of the language without its region (`zh-CN`); English where there are none."""
    return LANGUAGES.get(language) or LANGUAGES.get(language.split("-")[0]) or LANGUAGES[DEFAULT]


def speaks(language: str) -> bool:
    return language in LANGUAGES or language.split("-")[0] in LANGUAGES
