"""The watch list: how many at each level, and who."""
from __future__ import annotations

from engine.report.blocks import COUNT, MONEY, Block, Chart, Section, table
from engine.report.context import Context

MOST = 50


def section(context: Context) -> Section | None:
    part, say = context.part("warnings"), context.say
    if part is None:
        return None
    context.frame.checked(context.main, part, ["level", "show"])
    level = part.one["level"].text
    listed = f"{context.column(level)} IS NOT NULL"
    if part.names("none"):
        listed += f" AND NOT ({context.one_of(level, part.names('none'))})"
    waits = "0" if context.exposure is None else f"coalesce({context.column(context.exposure)}, 0)"
    found = {
        v: (n, float(e)) for v, n, e in context.main.rows(
            f"SELECT CAST({context.column(level)} AS VARCHAR), count(*), sum({waits}) FROM {{t}} WHERE {listed} "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
    }
    names = context.in_order(level, list(found))
    told = "; ".join(f"{v}: {found[v][0]:,}" for v in names) or say("Nobody is on the list.", "名单为空。")
    columns = [(level, "text"), (say("customers", "客户数"), COUNT), (say("exposure", "额度"), MONEY)]
    kept = columns if context.exposure is not None else columns[:2]
    blocks: list[Block] = [
        Chart(say("Watch list", "观察名单"), "bars", (level, say("customers", "客户数")),
              tuple((v, found[v][0]) for v in names), COUNT, told),
        table(say("Watch list by level", "按级别"), kept, [(v, *found[v])[:len(kept)] for v in names]),
    ]
    shown = [context.frame.key.text, level, *(n for n in part.names("show") if n != level)]
    ranks = " ".join(f"WHEN {context.given(v)} THEN {at}" for at, v in enumerate(reversed(names)))
    order = f"CASE CAST({context.column(level)} AS VARCHAR) {ranks} END" if names else "1"
    firms = context.main.rows(
        f"SELECT {', '.join(f'CAST({context.column(c)} AS VARCHAR)' for c in shown)} FROM {{t}} WHERE {listed} "
        f"ORDER BY {order}, {waits} DESC, 1 LIMIT {MOST}"
    )
    if firms:
        whole = sum(n for n, _ in found.values())
        note = say(f"The first {MOST} of {whole:,}.", f"共 {whole:,} 户，列出前 {MOST} 户。") if whole > MOST else ""
        blocks.append(table(say("Who is on the list", "名单"), [(c, "text") for c in shown], firms, note))
    return Section("warnings", say("Early warnings", "预警"), tuple(blocks))
