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
    context.frame.checked(rows, part, ["theme", "received", "closed"])
    received, closed = (f"CAST({context.column(part.one[k].text)} AS DATE)" for k in ("received", "closed"))
    today = context.today
    due = part.number("days", DAYS)
    # a complaint that is answered after the day of the report is open on it
    answered = f"CASE WHEN {closed} <= {today} THEN {closed} END"
    took = f"date_diff('day', {received}, coalesce({answered}, {today}))"
    theme = context.column(part.one["theme"].text) if "theme" in part.one else "''"
    found = rows.rows(
        f"SELECT CAST({theme} AS VARCHAR), count(*), count(*) FILTER ({answered} IS NULL), "
        f"count(*) FILTER ({answered} IS NULL AND {took} > {due}), "
        f"count(*) FILTER ({answered} IS NOT NULL AND {took} > {due}), "
        f"median({took}) FILTER ({answered} IS NOT NULL) FROM {{t}} WHERE {received} <= {today} "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    whole, still, over, late = (sum(f[at] for f in found) for at in (1, 2, 3, 4))
    blocks: list[Block] = [Figures((
        Figure(say("complaints", "投诉"), whole),
        Figure(say("open", "未结"), still),
        Figure(say(f"open beyond {due} days", f"超过 {due} 天未结"), over),
        Figure(say("answered late", "逾期办结"), late, COUNT, f"{late / (whole - still):.1%}" if whole > still else ""),
    ))]
    if over:
        blocks.insert(0, Note(say(f"{over:,} complaints are open beyond their {due} days.",
                                  f"{over:,} 件投诉超过 {due} 天仍未办结。"), True))
    blocks.append(table(say("By theme", "按主题"), [
        (say("theme", "主题"), "text"), (say("complaints", "投诉"), COUNT), (say("open", "未结"), COUNT),
        (say("overdue", "超期未结"), COUNT), (say("answered late", "逾期办结"), COUNT),
        (say("days to the answer, median", "办结天数中位数"), NUMBER),
    ], found))
    return Section("complaints", say("Complaints", "投诉"), tuple(blocks))


