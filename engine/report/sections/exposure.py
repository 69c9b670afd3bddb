"""Approval and exposure by group."""
from __future__ import annotations

from engine.report.blocks import COUNT, MONEY, SHARE, Block, Chart, Section, table
from engine.report.context import MOST_GROUPS, Context
from engine.report.spec import LEAST


def section(context: Context) -> Section | None:
    if not context.by:
        return None
    say = context.say
    blocks: list[Block] = []
    for name in context.by:
        found = context.main.rows(
            f"SELECT {context.text_of(name)} AS g, count(*), count(*) FILTER ({context.approves()}), "
            f"coalesce(sum({context.at_risk()}), 0) FROM {{t}} WHERE {context.decided} "
            "GROUP BY 1 ORDER BY 4 DESC, 2 DESC, 1"
        )
        rank = {v: at for at, v in enumerate(context.orders.get(name, ()))}
        if rank:
            found.sort(key=lambda row: rank.get(row[0], len(rank)))
        whole = float(sum(row[3] for row in found))
        rows = [
            (g, n, a, a / n if n else None, float(e), float(e) / whole if whole else None) for g, n, a, e in found
        ]
        columns = [
            (name, "text"), (say("customers", "客户数"), COUNT), (say("approved", "批准"), COUNT),
            (say("approval rate", "批准率"), SHARE), (say("exposure", "额度"), MONEY),
            (say("share of exposure", "额度占比"), SHARE),
        ]
        kept = columns if context.exposure is not None else columns[:4]
        shown = rows[:MOST_GROUPS]
        note = "" if len(rows) == len(shown) else say(
            f"{len(rows) - len(shown):,} further groups with {sum(r[1] for r in rows[MOST_GROUPS:]):,} customers",
            f"另有 {len(rows) - len(shown):,} 组，共 {sum(r[1] for r in rows[MOST_GROUPS:]):,} 户",
        )
        title = say(f"By {name}", f"按{name}")
        if len(shown) > 1:
            rated = [(r[0], r[3], r[1]) for r in shown[:20] if r[3] is not None]
            rates = [(name, rate) for name, rate, _ in rated]
            # a few customers make any rate, so that the extremes are of groups that are large enough
            large = [(name, rate) for name, rate, count in rated if count >= LEAST]
            told = say(f"Fewer than two groups have {LEAST} customers: the rates say little.",
                       f"满 {LEAST} 户的组不足两个，比率参考意义有限。")
            if len(large) > 1:
                low, high = min(large, key=lambda r: r[1]), max(large, key=lambda r: r[1])
                of = "" if len(large) == len(rates) else say(
                    f" in groups of {LEAST} customers and more", f"（仅计满 {LEAST} 户的组）")
                told = say(
                    f"Approval rates go from {low[1]:.1%} ({low[0]}) to {high[1]:.1%} ({high[0]}){of}.",
                    f"批准率由 {low[1]:.1%}（{low[0]}）至 {high[1]:.1%}（{high[0]}）{of}。",
                )
            rate = say("approval rate", "批准率")
            blocks.append(Chart(f"{title}: {rate}", "bars", (name, rate), tuple(rates), SHARE, told))
        blocks.append(table(title, kept, [r[:len(kept)] for r in shown], note))
    return Section("exposure", say("Approval and exposure", "批准与额度"), tuple(blocks))
