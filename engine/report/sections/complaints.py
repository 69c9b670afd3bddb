"""Complaints and their clocks: how many are open, how many too long, and how long answers took."""
from __future__ import annotations

from engine.report.blocks import COUNT, NUMBER, Block, Figure, Figures, Note, Section, table
from engine.report.context import Context
from engine.report.spec import DAYS


def section(context: Context) -> Section | None:
    part, say = context.part("complaints"), context.say
    if part is None:
        return None
    rows = context.frame.table(part.one["data"])
    if "results" in part.one:
        rows = context.frame.beside(rows, context.frame.results(part.one["results"]), part.one.get("key"))
    days, by_column = part.one.get("days"), not part.is_number("days")
    context.frame.checked(rows, part, ["theme", "received", "closed", *(["days"] if by_column else [])])
    received, closed = (f"CAST({context.column(part.one[k].text)} AS DATE)" for k in ("received", "closed"))
    today = context.today
    due = f"TRY_CAST({context.column(days.text)} AS DOUBLE)" if days and by_column else str(part.number("days", DAYS))
    clock = say("the days allowed", "规定时限") if by_column else say(f"{due} days", f" {due} 天")
    # a complaint that is answered after the day of the report is open on it
    answered = f"CASE WHEN {closed} <= {today} THEN {closed} END"
    took = f"date_diff('day', {received}, coalesce({answered}, {today}))"
    theme = context.column(part.one["theme"].text) if "theme" in part.one else "''"
    found = rows.rows(
        f"SELECT CAST({theme} AS VARCHAR), count(*), count(*) FILTER ({answered} IS NULL), "
        f"count(*) FILTER ({answered} IS NULL AND {took} > {due}), "
        f"count(*) FILTER ({answered} IS NOT NULL AND {took} > {due}), "
        f"median({took}) FILTER ({answered} IS NOT NULL), count(*) FILTER ({due} IS NULL) "
        f"FROM {{t}} WHERE {received} <= {today} "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    whole, still, over, late, unjudged = (sum(f[at] for f in found) for at in (1, 2, 3, 4, 6))
    blocks: list[Block] = [Figures((
        Figure(say("complaints", "投诉"), whole),
        Figure(say("open", "未结"), still),
        Figure(say(f"open beyond {clock}", f"超过{clock}未结"), over),
        Figure(say("answered late", "逾期办结"), late, COUNT, f"{late / (whole - still):.1%}" if whole > still else ""),
    ))]
    if over:
        blocks.insert(0, Note(say(f"{over:,} complaints are open beyond {clock}.",
                                  f"{over:,} 件投诉超过{clock}仍未办结。"), True))
    if days and unjudged:
        blocks.append(Note(say(f"Of {unjudged:,} complaints `{days.text}` is not known; they count as in time.",
                               f"{unjudged:,} 件投诉缺少时限，按未逾期计。")))
    blocks.append(table(say("By theme", "按主题"), [
        (say("theme", "主题"), "text"), (say("complaints", "投诉"), COUNT), (say("open", "未结"), COUNT),
        (say("overdue", "超期未结"), COUNT), (say("answered late", "逾期办结"), COUNT),
        (say("days to the answer, median", "办结天数中位数"), NUMBER),
    ], [f[:6] for f in found]))
    return Section("complaints", say("Complaints", "投诉"), tuple(blocks))


