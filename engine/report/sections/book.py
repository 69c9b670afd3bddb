"""How loans age: vintages, and roll rates from one month's end to the next.

A loan is as many days overdue as the oldest instalment that is due and not paid. `30+` is more than 30 days, as
banking rules count (more than 90 days past due is default, CRR article 178). A vintage is the loans that were opened
in a quarter; at each age it is the share of all of them, those paid off included, so that a line is of the same loans
from its first point to its last, and it ends where the youngest of them is. A roll rate is the share of the loans in
a bucket at the end of a month that are in another at the end of the next. Nothing paid after the day of the report
counts.
"""
from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from typing import Any

from engine.report.blocks import COUNT, SHARE, Block, Chart, Note, Section, table
from engine.report.context import Context
from engine.report.frame import Table
from engine.report.spec import LEAST, Part

#: Months that a vintage is followed, and the vintages that one picture can tell apart.
OLDEST, PICTURED = 120, 8
#: Ages that a table shows beside each other.
COLUMNS = 12
MONTHS, BUCKETS = 12, (30, 60, 90)


def section(context: Context) -> Section | None:
    part, say = context.part("repayments"), context.say
    if part is None:
        return None
    rows = context.frame.table(part.one["data"])
    context.frame.checked(rows, part, ["loan", "opened", "due", "paid"])
    instalments = _instalments(context, part, rows)
    blocks: list[Block] = []
    for days in part.numbers("vintages"):
        blocks.extend(_vintages(context, part, instalments, days))
    if "roll rates" in part.one:
        months, buckets = part.number("roll rates", MONTHS), part.numbers("buckets") or BUCKETS
        blocks.extend(_rolled(context, instalments, months, buckets))
    if not blocks:
        blocks.append(Note(say("No loan is old enough to tell.", "尚无足够账龄的贷款。")))
    return Section("book", say("How loans age", "贷款账龄表现"), tuple(blocks))


def _instalments(context: Context, part: Part, rows: Table) -> Table:
    """Instalments of the loans opened by the day of the report, as they were known on it."""
    session = context.frame.session
    columns = {k: context.column(part.one[k].text) for k in ("loan", "opened", "due", "paid")}
    opened, due, paid = (f"CAST({columns[k]} AS DATE)" for k in ("opened", "due", "paid"))
    name = session.name("instalments")
    with_day = f"(SELECT *, {context.today} AS day FROM {{t}})"
    rows.rows(
        f"CREATE TEMP TABLE {name} AS SELECT CAST({columns['loan']} AS VARCHAR) AS loan, {opened} AS opened, "
        f"{due} AS due, CASE WHEN {paid} <= day THEN {paid} END AS paid, day FROM {with_day} "
        f"WHERE {opened} <= day AND {due} IS NOT NULL AND {columns['loan']} IS NOT NULL"
    )
    return Table(session, name, {}, rows.shown)


def _overdue(at: str) -> str:
    """A join of instalments `i` to points `p` that leaves those open and due at a day; they alone make one overdue."""
    return (
        "(SELECT loan, due, paid FROM {t} WHERE due < day AND (paid IS NULL OR paid > due)) i "
        f"ON i.loan = p.loan AND i.due < p.{at} AND (i.paid IS NULL OR i.paid > p.{at})"
    )


def _vintages(context: Context, part: Part, instalments: Table, days: int) -> list[Block]:
    """Shares that are overdue by more than `days`, by age: a chart of the latest vintages and a table of all."""
    say = context.say
    found = instalments.rows(
        "WITH loans AS (SELECT loan, min(opened) AS opened, any_value(day) AS day FROM {t} GROUP BY loan), "
        "points AS (SELECT *, year(opened) AS y, quarter(opened) AS q, count(*) OVER (PARTITION BY y, q) AS whole, "
        "unnest(range(1, ?)) AS age, CAST(opened + to_months(CAST(age AS INTEGER)) AS DATE) AS point FROM loans), "
        "told AS (SELECT p.loan, y, q, whole, age, point - min(i.due) AS late FROM "
        f"(FROM points WHERE point <= day) p LEFT JOIN {_overdue('point')} GROUP BY p.loan, y, q, whole, age, point) "
        "SELECT y, q, age, whole, count(*) FILTER (late > ?) FROM told GROUP BY ALL HAVING count(*) = whole "
        "ORDER BY 1, 2, 3", [OLDEST + 1, days],
    )
    if not found:
        return []
    rates: dict[str, dict[int, float]] = defaultdict(dict)
    sizes: dict[str, int] = {}
    for year, quarter, age, whole, late in found:
        vintage = say(f"{year} Q{quarter}", f"{year}年{quarter}季度")
        sizes[vintage] = whole
        rates[vintage][age] = late / whole
    pictured = list(rates)[-PICTURED:]
    common = sorted((max(rates[v]) for v in pictured), reverse=True)[min(1, len(pictured) - 1)]
    there = {v: rates[v][common] for v in pictured if common in rates[v]}
    low, high = min(there, key=there.__getitem__), max(there, key=there.__getitem__)
    told = say(
        f"At {common} months from {there[low]:.1%} ({low}) to {there[high]:.1%} ({high}) are more than {days} days "
        "overdue.",
        f"账龄 {common} 个月时，逾期 {days} 天以上的占比由 {there[low]:.1%}（{low}）至 {there[high]:.1%}（{high}）。",
    )
    title = say(f"Vintages, {days}+ days overdue", f"各放款季度逾期 {days} 天以上占比")
    fields = (say("opened", "放款季度"), say("months since it was opened", "账龄（月）"), say("share", "占比"))
    points = tuple((v, age, rate) for v in pictured for age, rate in rates[v].items())
    oldest = max(max(r) for r in rates.values())
    ages = range(-(-oldest // COLUMNS), oldest + 1, -(-oldest // COLUMNS))
    least = part.number("least", LEAST)
    small = say("small", "过小")
    return [
        Chart(title, "curves", fields, points, SHARE, told),
        table(
            say(f"{title}, by age in months", f"{title}（按账龄月数）"),
            [(fields[0], "text"), (say("loans", "贷款笔数"), COUNT), *((str(age), SHARE) for age in ages),
             (say("sample", "样本"), "text")],
            [(v, sizes[v], *(rates[v].get(age) for age in ages), small if sizes[v] < least else "") for v in rates],
            say("An age is told once all loans of the quarter have reached it. "
                f"Below {least} loans a rate says little.",
                f"该季度全部贷款达到某账龄后方列示；少于 {least} 笔时比率参考意义有限。"),
        ),
    ]


def _rolled(context: Context, instalments: Table, months: int, buckets: tuple[int, ...]) -> list[Block]:
    """Where the loans of each bucket went in a month: the months together as a grid, and each month's worsening."""
    say = context.say
    starts = [0, *buckets]
    # -1: paid off; 0: nothing overdue; n: above the n-th limit
    steps = " ".join(f"WHEN late > {context.given(limit)} THEN {at}" for at, limit in reversed([*enumerate(starts, 1)]))
    found = instalments.rows(
        "WITH ends AS (SELECT unnest(range(0, ? + 1)) AS n, any_value(day) AS d FROM {t}), "
        "days AS (SELECT CAST(date_trunc('month', d + 1) - to_months(CAST(n AS INTEGER)) - to_days(1) AS DATE) AS day "
        "FROM ends), "
        "loans AS (SELECT loan, min(opened) AS opened, CASE WHEN count(*) = count(paid) THEN max(paid) END AS ended "
        "FROM {t} GROUP BY loan), "
        "p AS (SELECT l.loan, days.day, ended IS NOT NULL AND ended <= days.day AS over FROM days JOIN loans l "
        "ON l.opened <= days.day), "
        f"told AS (SELECT p.loan, p.day, over, p.day - min(i.due) AS late FROM p LEFT JOIN {_overdue('day')} "
        "GROUP BY p.loan, p.day, over), "
        f"placed AS (SELECT loan, day, CASE WHEN over THEN -1 {steps} ELSE 0 END AS bucket FROM told) "
        "SELECT b.day, a.bucket, b.bucket, count(*) FROM placed a JOIN placed b "
        "ON a.loan = b.loan AND b.day = last_day(a.day + 1) WHERE a.bucket >= 0 GROUP BY ALL ORDER BY 1, 2, 3",
        [months],
    )
    if not found:
        return []
    paid_off = say("paid off", "已结清")
    names = [
        say("not overdue", "未逾期"),
        *(say(f"{a + 1} to {b} days", f"{a + 1}–{b} 天") for a, b in zip(starts, buckets, strict=False)),
        say(f"{buckets[-1]}+ days", f"{buckets[-1]} 天以上"),
    ]
    return _told(context, found, [*names, paid_off])


def _told(
    context: Context, found: list[tuple[datetime.date, int, int, int]], names: list[str]
) -> list[Block]:
    """`names` are the buckets in their order, and last what is paid off, which is the bucket -1."""
    say = context.say
    moves: Counter[tuple[int, int]] = Counter()
    month: dict[datetime.date, Counter[tuple[int, int]]] = defaultdict(Counter)
    for day, a, b, n in found:
        moves[a, b] += n
        month[day][a, b] += n
    froms = range(len(names) - 1)
    tos = [*froms, -1]
    whole = {a: sum(moves[a, b] for b in tos) for a in froms}
    overdue = [a for a in froms if 0 < a < len(names) - 2 and whole[a]]     # the last bucket has no worse one
    first, last = min(month), max(month)
    told = say(
        f"Over the {len(month)} months to {last}: "
        + "; ".join(f"of {names[a]} {_worse(moves, a, froms) / whole[a]:.1%} got worse and "
                    f"{sum(moves[a, b] for b in tos if b < a) / whole[a]:.1%} better or were paid off"
                    for a in overdue) + ".",
        f"截至 {last} 的 {len(month)} 个月合计："
        + "；".join(f"{names[a]}的贷款中 {_worse(moves, a, froms) / whole[a]:.1%} 恶化，"
                    f"{sum(moves[a, b] for b in tos if b < a) / whole[a]:.1%} 好转或结清"
                    for a in overdue) + "。",
    ) if overdue else say("Nothing was overdue at the end of a month.", "各月末均无逾期。")
    grid: tuple[tuple[Any, ...], ...] = tuple(
        (names[a], names[b], moves[a, b] / whole[a]) for a in froms if whole[a] for b in tos
    )
    start, end = say("end of a month", "月末"), say("end of the next", "次月末")
    worsening = [a for a in froms if a < len(names) - 2]
    return [
        Chart(say("Roll rates", "迁徙率"), "grid", (start, end, say("share", "占比")), grid, SHARE, told),
        table(
            say(f"Roll rates in numbers, {first:%Y-%m} to {last:%Y-%m}", f"迁徙笔数，{first:%Y-%m} 至 {last:%Y-%m}"),
            [(f"{start} \\ {end}", "text"), *((names[b], COUNT) for b in tos)],
            [(names[a], *(moves[a, b] for b in tos)) for a in froms],
        ),
        table(
            say("Share that got worse, by month", "各月恶化占比"),
            [(say("month", "月份"), "text"), *((names[a], SHARE) for a in worsening)],
            [(f"{day:%Y-%m}", *(_worse(n, a, froms) / s if (s := sum(n[a, b] for b in tos)) else None
                                for a in worsening)) for day, n in month.items()],
        ),
    ]


def _worse(moves: Counter[tuple[int, int]], bucket: int, buckets: range) -> int:
    return sum(moves[bucket, b] for b in buckets if b > bucket)
