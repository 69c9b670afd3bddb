"""Approval by group, judged by the four-fifths rule (29 CFR 1607.4(D)), which is a screen and no verdict."""
from __future__ import annotations

from engine.policytest.impact import FOUR_FIFTHS, Rate, adverse_impact
from engine.report.blocks import COUNT, DECIMAL, SHARE, Block, Chart, Note, Section, table
from engine.report.context import Context
from engine.report.spec import LEAST


def section(context: Context) -> Section | None:
    part, say = context.part("fairness"), context.say
    if part is None:
        return None
    context.frame.checked(context.main, part, ["by"])
    least = part.number("least", LEAST)
    blocks: list[Block] = []
    for name in part.names("by"):
        found = context.main.rows(
            f"SELECT CAST({context.column(name)} AS VARCHAR), count(*), count(*) FILTER ({context.approves()}) "
            f"FROM {{t}} WHERE {context.decided} GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        rates = [Rate(g, n, a) for g, n, a in found if g is not None]
        impact = adverse_impact(rates, FOUR_FIFTHS, least)
        ratios = {r.group: ratio for r, ratio in impact.ratios}
        small = {r.group for r in impact.small}
        adverse = {r.group for r, _ in impact.adverse}
        best = None if impact.best is None else impact.best.group
        verdict = {r.group: say("within", "在范围内") for r in rates}
        verdict |= dict.fromkeys(adverse, say("below four fifths", "低于五分之四"))
        verdict |= dict.fromkeys(small, say("too few to judge", "样本过小"))
        if best is not None:
            verdict[best] = say("the highest rate", "最高")
        told = say("No group is below four fifths of the highest rate.", "没有群体低于最高批准率的五分之四。")
        if adverse:
            told = say(f"{', '.join(sorted(adverse))}: below four fifths of the rate of {best}.",
                       f"{'、'.join(sorted(adverse))} 低于 {best} 的五分之四。")
        rate = say("approval rate", "批准率")
        if adverse:
            blocks.append(Note(told, True))
        blocks.append(Chart(say(f"{rate} by {name}", f"{rate}（按{name}）"), "bars", (name, rate),
                            tuple((r.group, r.rate) for r in rates), SHARE, told))
        nobody = sum(n for g, n, _ in found if g is None)
        note = "" if not nobody else say(
            f"{nobody:,} customers without it are not judged.", f"{nobody:,} 户未提供，不作判断。"
        )
        blocks.append(table(say(f"Four fifths by {name}", f"五分之四规则（按{name}）"), [
            (name, "text"), (say("customers", "客户数"), COUNT), (say("approved", "批准"), COUNT), (rate, SHARE),
            (say("ratio to the highest", "与最高之比"), DECIMAL), (say("reading", "判断"), "text"),
        ], [(r.group, r.size, r.favourable, r.rate, ratios.get(r.group), verdict[r.group]) for r in rates], note))
    return Section("fairness", say("Fairness", "公平性"), tuple(blocks))
