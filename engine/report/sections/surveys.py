"""NPS, CSAT and CES by theme with their sample and interval, before a measure and since.

NPS is the share of answers of 9 and 10 less that of 0 to 6 (F. Reichheld, 2003), CSAT the share of 4 and 5 of five,
CES the mean of answers from 1 to 7. Intervals are of 95%, by the normal approximation of the mean of the answers
as they count (100, 0 or -100 for NPS).
"""
from __future__ import annotations

import math
from typing import Any

from engine.report.blocks import COUNT, NUMBER, Block, Chart, Note, Section, table
from engine.report.context import Context

_COUNTS = {
    "nps": "CASE WHEN s >= 9 THEN 100.0 WHEN s <= 6 THEN -100.0 ELSE 0.0 END",
    "csat": "CASE WHEN s >= 4 THEN 100.0 ELSE 0.0 END",
    "ces": "CAST(s AS DOUBLE)",
}
_NORMAL = 1.959963984540054


def section(context: Context) -> Section | None:
    part, say = context.part("surveys"), context.say
    if part is None:
        return None
    answers = context.frame.table(part.one["data"])
    context.frame.checked(answers, part, ["theme", "date", *_COUNTS])
    theme = context.column(part.one["theme"].text)
    since = "NULL"
    taken = part.name("measure taken")
    if taken is not None and "date" in part.one:
        since = f"CAST({context.column(part.one['date'].text)} AS DATE) >= CAST({context.given(taken)} AS DATE)"
    blocks: list[Block] = []
    for name, counted in _COUNTS.items():
        if name not in part.one:
            continue
        score = context.column(part.one[name].text)
        found = answers.rows(
            f"SELECT t, since, count(*), avg({counted}), coalesce(var_samp({counted}), 0) FROM (SELECT "
            f"CAST({theme} AS VARCHAR) AS t, {since} AS since, TRY_CAST({score} AS DOUBLE) AS s FROM {{t}}) "
            f"WHERE s IS NOT NULL AND t IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
        )
        if found:
            blocks.extend(_told(context, name.upper(), found, taken))
    if not blocks:
        blocks.append(Note(say("No answers.", "没有答卷。")))
    return Section("surveys", say("Satisfaction", "满意度"), tuple(blocks))


def _told(context: Context, name: str, found: list[tuple[Any, ...]], taken: str | None) -> list[Block]:
    say = context.say
    when = {None: say("all", "全部"), False: say(f"before {taken}", f"{taken} 之前"), True: say("since", "之后")}
    rows = [
        (t, when[s], n, mean, mean - _half(var, n), mean + _half(var, n)) for t, s, n, mean, var in found
    ]
    columns = [
        (say("theme", "主题"), "text"), (say("time", "时段"), "text"), (say("answers", "答卷数"), COUNT),
        (name, NUMBER), (say("from", "下限"), NUMBER), (say("to", "上限"), NUMBER),
    ]
    last = [r for r in rows if r[1] != when[False]]
    low, high = min(last or rows, key=lambda r: r[3]), max(last or rows, key=lambda r: r[3])
    text = say(f"Strongest: {high[0]} ({high[3]:.1f}); weakest: {low[0]} ({low[3]:.1f}).",
               f"最强：{high[0]}（{high[3]:.1f}）；最弱：{low[0]}（{low[3]:.1f}）。")
    if low[0] == high[0]:                                                       # asked about one theme alone
        text = f"{high[0]}: {high[3]:.1f}"
    fields = (say("theme", "主题"), say("time", "时段"), name)
    chart = Chart(name, "pairs", fields, tuple((r[0], r[1], r[3]) for r in rows), NUMBER, text)
    note = say("With intervals of 95%.", "区间为 95% 置信。")
    return [chart, table(say(f"{name} by theme", f"{name}（按主题）"), columns, rows, note)]


def _half(variance: float, answers: int) -> float:
    return _NORMAL * math.sqrt(variance / answers) if answers > 1 else 0.0
