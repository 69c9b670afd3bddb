"""The same customers under other assumptions, beside the base."""
from __future__ import annotations

from engine.report.blocks import COUNT, MONEY, SHARE, Block, Chart, Note, Section, table
from engine.report.context import Context
from engine.report.spec import WhatIf


def section(context: Context) -> Section | None:
    say = context.say
    if not context.spec.what_ifs:
        return None
    blocks: list[Block] = []
    for what_if in context.spec.what_ifs:
        blocks.extend(_compared(context, what_if))
    return Section("what-if", say("What if", "情景分析"), tuple(blocks))


def _compared(context: Context, what_if: WhatIf) -> list[Block]:
    say, main = context.say, context.main
    other = context.frame.results(what_if.results)
    called = {name: what_if.columns.get(name, name) for name in (*context.outcomes(), *([context.exposure] if
              context.exposure is not None else []), context.frame.key.text)}
    frame = context.frame
    joined = (
        f"{frame.numbered(main)} b JOIN {frame.numbered(other, called[frame.key.text])} o ON b.k = o.k AND b.n = o.n"
    )
    base, then = say("base", "基准"), what_if.name
    blocks: list[Block] = []
    for name in context.outcomes():
        if called[name] not in other:
            continue
        found = {
            "b": dict(main.rows(
                f"SELECT CAST(b.{context.column(name)} AS VARCHAR), count(*) FROM {joined} GROUP BY 1"
            )),
            "o": dict(main.rows(
                f"SELECT CAST(o.{context.column(called[name])} AS VARCHAR), count(*) FROM {joined} GROUP BY 1"
            )),
        }
        values = context.in_order(name, [v for v in dict.fromkeys((*found["b"], *found["o"])) if v is not None])
        whole = {side: max(1, sum(found[side].values())) for side in "bo"}
        moves = main.row(
            f"SELECT count(*) FROM {joined} WHERE CAST(b.{context.column(name)} AS VARCHAR) IS DISTINCT FROM "
            f"CAST(o.{context.column(called[name])} AS VARCHAR)"
        )[0]
        told = say(f"{moves:,} of {whole['b']:,} customers have another outcome.",
                   f"{whole['b']:,} 户中有 {moves:,} 户结果不同。")
        if not moves:
            blocks.append(Note(f"{then}: {name}. {told}"))
            continue
        counts = [(v, found["b"].get(v, 0), found["o"].get(v, 0)) for v in values]
        blocks.append(Chart(
            f"{then}: {name}", "pairs", (name, say("assumption", "情景"), say("share", "占比")),
            tuple(row for v, b, o in counts for row in ((v, base, b / whole["b"]), (v, then, o / whole["o"]))),
            SHARE, told,
        ))
        blocks.append(table(
            f"{then}: {name}", [(name, "text"), (base, COUNT), (then, COUNT), (say("change", "变化"), COUNT)],
            [(v, b, o, o - b) for v, b, o in counts],
        ))
    if context.exposure is not None and called[context.exposure] in other:
        blocks.append(_exposure(context, joined, called, base, then))
    return blocks


def _exposure(context: Context, joined: str, called: dict[str, str], base: str, then: str) -> Block:
    """The exposure of those approved under each assumption, whole and by group."""
    say = context.say
    assert context.exposure is not None
    approved = ", ".join(context.given(v) for v in context.approved)

    def amount(side: str, decision: str, exposure: str) -> str:
        outcome = f"CAST({side}.{context.column(decision)} AS VARCHAR)"
        return f"coalesce(sum({side}.{context.column(exposure)}) FILTER ({outcome} IN ({approved})), 0)"

    sums = (f"{amount('b', context.decision, context.exposure)}, "
            f"{amount('o', called.get(context.decision, context.decision), called[context.exposure])}")
    whole = context.main.row(f"SELECT {sums} FROM {joined}")
    rows: list[tuple[str, float, float]] = [(say("all", "合计"), float(whole[0]), float(whole[1]))]
    for name in context.by[:2]:
        group = f"coalesce(CAST(b.{context.column(name)} AS VARCHAR), {context.given(context.nothing)})"
        rows += [(f"{name}: {g}", float(x), float(y)) for g, x, y in
                 context.main.rows(f"SELECT {group}, {sums} FROM {joined} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20")
                 if x or y]
    return table(
        say(f"{then}: exposure approved", f"{then}：批准额度"),
        [(say("group", "分组"), "text"), (base, MONEY), (then, MONEY), (say("change", "变化"), SHARE)],
        [(g, x, y, (y - x) / x if x else None) for g, x, y in rows],
    )
