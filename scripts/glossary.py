"""The outcomes of the policies for small firms in both languages.

A decision or value that a policy gets and that has no Chinese here stops `make docs`.
"""
from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.policy import load_policy  # noqa: E402

DECISIONS = {
    "approver": "审批权限", "became": "违约表现", "borrower category": "借款人分类", "category": "五级分类",
    "change": "等级调整申请", "moved": "等级下调", "weighing": "采用的评级",
    "credit record": "信用记录", "decision": "审批结论", "eligibility": "准入", "equipment mortgage": "设备抵押贷",
    "go on": "能否进入下一阶段", "group category": "集团分类", "guaranteed": "担保贷", "joint group": "联保贷",
    "level": "观察名单级别", "life stage": "生命周期", "looked after by": "投诉处理人", "movement": "名单变动",
    "new money": "新增授信", "opinion": "评价结论", "order finance": "订单融资", "pattern": "交易行为",
    "premises mortgage": "房产抵押贷", "product": "产品", "quick credit": "快捷信用贷",
    "receivables": "应收账款融资", "record": "还款记录", "relationship": "客户关系", "repayment plan": "还款方式",
    "segment": "客户分层", "signal": "预警信号", "size": "企业规模", "stage": "减值阶段",
    "stage of industry": "行业周期", "tax credit": "税务信用贷", "tier": "风险等级", "weakest theme": "最弱主题",
    "would recommend": "推荐意愿",
}
VALUES = {
    "1": "第一阶段", "2": "第二阶段", "3": "第三阶段", "POCI": "购入时已减值", "A": "甲级", "B": "乙级",
    "C": "丙级", "D": "丁级", "action": "处置", "agreed": "一致", "alert": "预警", "approve": "批准",
    "attitude": "态度", "bad": "不良", "blemished": "有瑕疵", "branch head": "支行行长",
    "bullet": "到期一次还本付息", "clean": "良好", "committee": "审批委员会", "convenience": "便利",
    "core": "核心客户", "counter-offer": "调整方案", "decline": "拒绝", "declining": "衰退", "deep": "深厚",
    "detractor": "贬损者", "does not fit": "不适用", "doubtful": "可疑类", "down": "下调", "eases": "降级",
    "eligible": "符合准入",
    "emerging": "新兴", "enters": "进入名单", "equal_instalments": "等额本息", "equal_principal": "等额本金",
    "equipment mortgage": "设备抵押贷", "escalates": "升级", "fair": "一般", "fell behind": "逾期超过三十天",
    "fits": "适用", "go on": "进入下一阶段", "good": "良好", "growing": "成长", "guaranteed": "担保贷",
    "head office": "总行", "interest_first": "按月付息到期还本", "joint group": "联保贷", "kept up": "正常履约",
    "key": "重点客户", "large": "大型", "leaves": "移出名单", "loss": "损失类",
    "manager": "客户经理", "mature": "成熟", "medium": "中型", "micro": "微型", "mixed": "有波动", "no": "否",
    "no application": "无申请", "nobody": "无", "none": "无", "none asked": "未申请", "normal": "正常类",
    "not asked": "未调查",
    "not at all": "未下调", "not taken over": "未采纳", "ours": "以我行评级为准", "taken over": "已采纳",
    "the service's": "以外部评级为准",
    "not eligible": "不符合准入", "not served": "不予服务", "off": "不在名单", "order finance": "订单融资",
    "passive": "中立者", "poor": "差", "premises mortgage": "房产抵押贷", "promoter": "推荐者",
    "quick credit": "快捷信用贷", "rate": "利率", "receivables": "应收账款融资", "refer": "转人工",
    "settled": "稳定", "small": "小型", "special_mention": "关注类", "speed": "速度", "start-up": "初创",
    "stays off": "未入名单", "stays on": "仍在名单", "steady": "稳健", "stuck": "停滞", "substandard": "次级类",
    "tax credit": "税务信用贷", "thin": "浅", "wait": "等待", "watch": "关注", "yes": "是",
}


def outcomes() -> str:
    """Each decision with its values in both languages, and the policies that give it."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for path in sorted((ROOT / "policies" / "sme").iterdir()):
        if not _policy(path):
            continue
        for decision in load_policy(path).program.decisions:
            if not decision.internal and decision.type.values is not None:
                found[decision.name, decision.type.values].append(path.stem)
    lacking = sorted({name for name, _ in found} - DECISIONS.keys()) + sorted(
        {value for _, values in found for value in values} - VALUES.keys())
    if lacking:
        raise RuntimeError(f"scripts/glossary.py has no Chinese for {', '.join(f'`{name}`' for name in lacking)}")
    rows = ["| decision | 决定 | outcomes | policies |", "|---|---|---|---|"]
    for (name, values), policies in sorted(found.items()):
        told = ", ".join(f"`{value}` {VALUES[value]}" for value in values)
        rows.append(f"| {name} | {DECISIONS[name]} | {told} | {', '.join(policies)} |")
    return "\n".join(rows) + "\n"


def _policy(path: Path) -> bool:
    """Whether a path is a policy, or the folder of the versions of one."""
    if path.is_dir():
        return any(_policy(inner) for inner in path.glob("*.yaml"))
    if path.suffix != ".yaml" or ".test" in path.name:
        return False
    return any(line.startswith("policy:") for line in path.read_text("utf-8").splitlines()[:3])
