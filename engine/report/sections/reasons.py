"""Reasons by frequency, with their texts."""
from __future__ import annotations

from engine.report.blocks import COUNT, SHARE, Chart, Section, table
from engine.report.context import Context

MOST = 25


def section(context: Context) -> Section | None:
    main, say = context.main, context.say
    if "reasons" not in main:
        return None
    listed = items_of(context, "reasons")
    found = main.rows(
        f"SELECT r, count(*) FROM (SELECT unnest({listed}) AS r FROM {{t}}) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    (rows,) = main.row(f"SELECT count(*) FROM {{t}} WHERE {context.decided}")
    if not found:
        return None
    texts = {
        "MISSING": say("Data that a decision needs are missing", "缺少决定所需资料"),
        "UNDEFINED": say("An expression has no value for the data given", "按现有资料无法得出数值"), **context.texts,
    }
    told = say(f"{found[0][0]} is the most frequent, for {found[0][1]:,} customers.",
               f"最常见的是 {found[0][0]}，涉及 {found[0][1]:,} 户。")
    return Section("reasons", say("Reasons", "原因"), (
        Chart(say("Reasons by frequency", "原因出现次数"), "bars", ("reason", "customers"), tuple(found[:15]), COUNT,
              told),
        table(
            say("Reasons", "原因"),
            [(say("code", "代码"), "text"), (say("text", "说明"), "text"), (say("customers", "客户数"), COUNT),
             (say("share", "占比"), SHARE)],
            [(code, texts.get(code, ""), n, n / rows if rows else None) for code, n in found[:MOST]],
        ),
    ))


def items_of(context: Context, column: str) -> str:
    """A column of lists as a run writes it: a list, or a text with semicolons."""
    name, kind = context.column(column), context.main.columns[column]
    if kind.endswith("[]"):
        return f"CAST({name} AS VARCHAR[])"
    if kind == "JSON":
        return f"CAST(from_json({name}, '[\"VARCHAR\"]') AS VARCHAR[])"
    return f"list_filter(string_split(coalesce(CAST({name} AS VARCHAR), ''), ';'), lambda x: x <> '')"
