"""Missing data, and what they cost: decisions left open, and the exposure that waits for them."""
from __future__ import annotations

from typing import Any

from engine.report.blocks import COUNT, MONEY, SHARE, Block, Chart, Note, Section, table
from engine.report.context import Context
from engine.report.sections.reasons import items_of


def section(context: Context) -> Section | None:
    main, say = context.main, context.say
    if "missing" not in main:
        return None
    listed = items_of(context, "missing")
    alone = f"len({listed}) = 1"
    waits = "0" if context.exposure is None else f"coalesce({context.column(context.exposure)}, 0)"
    found = main.rows(
        f"SELECT m, count(*), count(*) FILTER (alone), coalesce(sum(e), 0) FROM (SELECT unnest({listed}) AS m, "
        f"{alone} AS alone, {waits} AS e FROM {{t}}) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    (rows,) = main.row(f"SELECT count(*) FROM {{t}} WHERE {context.decided}")
    if not found:
        text = say("No decision is open for missing data.", "没有因缺资料而未定的决定。")
        return Section("missing", say("Missing data", "缺失资料"), (Note(text),))
    columns = [
        (say("input or history", "输入项或历史"), "text"), (say("customers left open", "未定客户数"), COUNT),
        (say("share", "占比"), SHARE), (say("settled by it alone", "仅缺此项"), COUNT),
    ]
    values: list[tuple[Any, ...]] = [(m, n, n / rows if rows else None, a) for m, n, a, _ in found[:30]]
    if context.exposure is not None:
        columns.append((say("exposure of these", "涉及额度"), MONEY))
        values = [(*v, float(f[3])) for v, f in zip(values, found, strict=False)]
    first = found[0]
    told = say(f"{first[0]} leaves {first[1]:,} customers open; for {first[2]:,} nothing else is missing.",
               f"缺少 {first[0]} 使 {first[1]:,} 户未定，其中 {first[2]:,} 户仅缺此项。")
    blocks: list[Block] = [
        Chart(say("What is missing where a decision is open", "未定决定所缺的资料"), "bars", ("input", "customers"),
              tuple((m, n) for m, n, *_ in found[:15]), COUNT, told),
        table(say("Missing data and what they cost", "缺失资料及其代价"), columns, values),
    ]
    return Section("missing", say("Missing data", "缺失资料"), tuple(blocks))
