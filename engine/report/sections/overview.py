"""How many were decided, and the distribution of every decision."""
from __future__ import annotations

from engine.report.blocks import COUNT, MONEY, Block, Chart, Figure, Figures, Section
from engine.report.context import Context


def section(context: Context) -> Section:
    say, main = context.say, context.main
    status = "status" in main
    rows, refused, opened = main.row(
        "SELECT count(*), count(*) FILTER (status = 'refused'), count(*) FILTER (status = 'open') FROM {t}"
        if status else "SELECT count(*), 0, 0 FROM {t}"
    )
    approved, exposure = main.row(
        f"SELECT count(*) FILTER ({context.approves()}), coalesce(sum({context.at_risk()}), 0) FROM {{t}}"
    )
    decided = rows - refused
    figures = [
        Figure(say("customers", "客户数"), rows),
        Figure(say("decided", "已决定"), decided),
        Figure(say("open for missing data", "因缺资料未定"), opened, COUNT, _share(opened, decided)),
        Figure(say("refused for bad data", "因数据有误拒绝受理"), refused, COUNT, _share(refused, rows)),
        Figure(say("approved", "批准"), approved, COUNT, _share(approved, decided)),
    ]
    if context.exposure is not None:
        figures.append(Figure(say("exposure approved", "批准额度"), float(exposure), MONEY))
    blocks: list[Block] = [Figures(tuple(figures))]
    for name in context.outcomes():
        found = dict(main.rows(
            f"SELECT {context.text_of(name)}, count(*) FROM {{t}} WHERE {context.decided} GROUP BY 1 ORDER BY 2 DESC, 1"
        ))
        values = context.in_order(name, list(found))
        told = "; ".join(f"{v} {found[v]:,} ({_share(found[v], decided)})" for v in values[:8])
        blocks.append(Chart(name, "bars", (name, "customers"), tuple((v, found[v]) for v in values), COUNT, told))
    return Section("overview", say("Overview", "概览"), tuple(blocks))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


