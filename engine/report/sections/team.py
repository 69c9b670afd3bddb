"""Volume, quality and turnaround by manager or branch. What rests on few customers is marked: each rate has its own,
those with a known outcome for defaults, those whose days are known for turnaround.
"""
from __future__ import annotations

from engine.report.blocks import COUNT, MONEY, NUMBER, SHARE, Block, Section, table
from engine.report.context import MOST_GROUPS, Context
from engine.report.spec import LEAST


def section(context: Context) -> Section | None:
    part, say = context.part("team"), context.say
    if part is None:
        return None
    context.frame.checked(context.main, part, ["by", "turnaround"])
    least = part.number("least", LEAST)
    outcome = context.part("outcome")
    turn = part.name("turnaround")
    bad = known = "false"
    if outcome is not None:
        column = outcome.one["column"]
        context.frame.checked(context.main, outcome, ["column"])
        bad, known = context.one_of(column.text, outcome.names("bad")), f"{context.column(column.text)} IS NOT NULL"
    timed = "0" if turn is None else f"count({context.column(turn)})"
    days = "NULL" if turn is None else f"median(CAST({context.column(turn)} AS DOUBLE))"
    late = "NULL" if turn is None else f"quantile_cont(CAST({context.column(turn)} AS DOUBLE), 0.9)"
    blocks: list[Block] = []
    for name in part.names("by"):
        found = context.main.rows(
            f"SELECT {context.text_of(name)}, count(*), count(*) FILTER ({context.approves()}), "
            f"coalesce(sum({context.at_risk()}), 0), count(*) FILTER ({bad}), count(*) FILTER ({known}), "
            f"{timed}, {days}, {late} FROM {{t}} "
            f"WHERE {context.decided} GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        columns = [(name, "text"), (say("customers", "客户数"), COUNT), (say("approval rate", "批准率"), SHARE)]
        rows = [[g, n, a / n if n else None] for g, n, a, *_ in found]
        if context.exposure is not None:
            columns.append((say("exposure", "额度"), MONEY))
            rows = [[*r, float(f[3])] for r, f in zip(rows, found, strict=True)]
        if outcome is not None:
            columns.append((say("default rate", "违约率"), SHARE))
            rows = [[*r, f[4] / f[5] if f[5] else None] for r, f in zip(rows, found, strict=True)]
        if turn is not None:
            columns += [(say("timed", "计时件数"), COUNT), (say("days, median", "天数中位数"), NUMBER),
                        (say("days, nine of ten", "九成以内天数"), NUMBER)]
            rows = [[*r, *f[6:]] for r, f in zip(rows, found, strict=True)]
        columns.append((say("small sample", "样本过小"), "text"))
        rows = [[*r, _few(context, least, f[1], f[5] if outcome else None, f[6] if turn else None)]
                for r, f in zip(rows, found, strict=True)]
        note = say(f"Below {least} customers a rate says little; each is of those of whom it is known.",
                   f"少于 {least} 户时比率参考意义有限；各比率以已知结果的客户计。")
        if len(rows) > MOST_GROUPS:
            more = len(rows) - MOST_GROUPS
            note += say(f" {more:,} further ones are smaller still.", f"另有 {more:,} 组户数更少，未列出。")
        blocks.append(table(say(f"By {name}", f"按{name}"), columns, rows[:MOST_GROUPS], note))
    return Section("team", say("Managers and branches", "客户经理与网点"), tuple(blocks))


def _few(context: Context, least: int, customers: int, known: int | None, timed: int | None) -> str:
    """Which figures of a row rest on fewer than `least` customers."""
    say = context.say
    if customers < least:
        return say("all", "全部")
    few = [(known, say("default rate", "违约率")), (timed, say("days", "天数"))]
    return say(", ", "、").join(name for number, name in few if number is not None and number < least)
