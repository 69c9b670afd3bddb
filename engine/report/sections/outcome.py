"""What became of the customers: default by tier, and how well scores tell the good from the bad. Those of an earlier
run are measured where the description names its results: what a score of today knows of the past proves nothing.

KS is the greatest distance between the shares of bad and good customers below a score, Gini twice the area under the
ROC curve less one, ties counting half (N. Siddiqi, "Credit Risk Scorecards", 2006; the Mann-Whitney statistic). Both
are over customers with a known outcome and score.
"""
from __future__ import annotations

from engine.report.blocks import COUNT, MONEY, SHARE, Block, Chart, Figure, Figures, Section, table
from engine.report.context import Context
from engine.report.frame import Table

_POINTS = 50


def section(context: Context) -> Section | None:
    part, say = context.part("outcome"), context.say
    if part is None:
        return None
    judged = context.main
    if "results" in part.one:
        judged = context.frame.beside(context.frame.results(part.one["results"]), context.main)
    context.frame.checked(judged, part, ["column", "tier", "score", "loss", "beside"])
    column = context.column(part.one["column"].text)
    bad = context.one_of(part.one["column"].text, part.names("bad"), judged)
    known = f"{column} IS NOT NULL AND {context.decided_in(judged)}"
    rows, bads = judged.row(f"SELECT count(*), count(*) FILTER ({bad}) FROM {{t}} WHERE {known}")
    figures = [
        Figure(say("customers with a known outcome", "结果已知的客户"), rows),
        Figure(say("defaults", "违约"), bads, COUNT, f"{bads / rows:.1%}" if rows else ""),
    ]
    blocks: list[Block] = []
    tier, loss = part.name("tier"), part.name("loss")
    if tier is not None and rows:
        blocks.extend(_by_tier(context, judged, tier, loss, bad, known))
    scores = [(name, part.name("better") != "lower") for name in (part.name("score"),) if name is not None]
    scores += [(name, part.name("better") != "lower") for name in part.names("beside")]
    told = []
    for name, higher in scores:
        measured = _power(context, judged, name, higher, bad, known)
        if measured is not None:
            told.append((name, *measured))
    if told:
        name, n, ks, gini, _ = told[0]
        figures += [
            Figure(f"KS ({name})", ks, SHARE, say(f"over {n:,} customers", f"共 {n:,} 户")),
            Figure(f"Gini ({name})", gini, SHARE),
        ]
        points = [(score, x, y) for score, *_, curve in told for x, y in curve]
        text = "; ".join(f"{score}: KS {k:.1%}, Gini {g:.1%}" for score, _, k, g, _ in told)
        shares = (say("share of good customers", "好客户占比"), say("share of defaults found", "违约客户占比"))
        blocks.append(Chart(say("How early defaults are found, worst scores first", "由差到好累计识别的违约"), "lines",
                            (say("score", "评分"), *shares), tuple(points), SHARE, text))
        blocks.append(table(
            say("Power to separate", "区分能力"),
            [(say("score", "评分"), "text"), (say("customers", "客户数"), COUNT), ("KS", SHARE), ("Gini", SHARE)],
            [t[:4] for t in told],
        ))
    return Section("outcome", say("Defaults", "违约"), (Figures(tuple(figures)), *blocks))


def _by_tier(
    context: Context, judged: Table, tier: str, loss: str | None, bad: str, known: str
) -> list[Block]:
    say = context.say
    lost = "0" if loss is None else f"coalesce({context.column(loss)}, 0)"
    found = {
        t: (n, b, float(x)) for t, n, b, x in judged.rows(
            f"SELECT {context.text_of(tier)}, count(*), count(*) FILTER ({bad}), sum({lost}) FROM {{t}} WHERE {known} "
            "GROUP BY 1 ORDER BY 1"
        )
    }
    names = context.in_order(tier, list(found))
    rates = [(t, found[t][1] / found[t][0]) for t in names]
    columns = [(tier, "text"), (say("customers", "客户数"), COUNT), (say("defaults", "违约"), COUNT),
               (say("default rate", "违约率"), SHARE)]
    values: list[tuple[object, ...]] = [(t, *found[t][:2], rate) for t, rate in rates]
    if loss is not None:
        columns.append((say("loss", "损失"), MONEY))
        values = [(*v, found[t][2]) for v, t in zip(values, names, strict=True)]
    rising = all(a[1] <= b[1] for a, b in zip(rates, rates[1:], strict=False))
    told = "; ".join(f"{t} {r:.1%}" for t, r in rates)
    if tier in context.orders and not rising:
        told += say(". The rates do not rise from tier to tier.", "。违约率未逐级上升。")
    return [
        Chart(say("Default rate by tier", "各层级违约率"), "bars", (tier, say("default rate", "违约率")), tuple(rates),
              SHARE, told),
        table(say("Defaults by tier", "各层级违约"), columns, values),
    ]


def _power(
    context: Context, judged: Table, name: str, higher: bool, bad: str, known: str
) -> tuple[int, float, float, list[tuple[float, float]]] | None:
    """Customers, KS, Gini and the curve of a score; None where one side has nobody."""
    score = f"CAST({context.column(name)} AS DOUBLE)"
    order = "ASC" if higher else "DESC"
    found = judged.rows(
        f"SELECT count(*) FILTER ({bad}), count(*) FILTER (NOT ({bad})) FROM {{t}} "
        f"WHERE {known} AND {score} IS NOT NULL GROUP BY {score} ORDER BY {score} {order}"
    )
    bads, goods = sum(b for b, _ in found), sum(g for _, g in found)
    if not bads or not goods:
        return None
    seen_bad = seen_good = 0
    ks = area = 0.0
    curve = [(0.0, 0.0)]
    for b, g in found:
        area += g * (seen_bad + b / 2)
        seen_bad, seen_good = seen_bad + b, seen_good + g
        ks = max(ks, abs(seen_bad / bads - seen_good / goods))
        curve.append((seen_good / goods, seen_bad / bads))
    step = max(1, len(curve) // _POINTS)
    thin = curve[::step] if curve[-1] in curve[::step] else [*curve[::step], curve[-1]]
    return bads + goods, ks, 2 * area / (bads * goods) - 1, thin


