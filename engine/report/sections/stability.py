"""Drift against an earlier run (PSI), and moves from class to class."""
from __future__ import annotations

from collections import Counter

from engine.policytest.stability import MAX_INDEX, stability
from engine.report.blocks import COUNT, DECIMAL, SHARE, Block, Chart, Note, Section, table
from engine.report.context import Context


def section(context: Context) -> Section | None:
    earlier, say = context.frame.previous, context.say
    if earlier is None:
        return None
    blocks: list[Block] = []
    rows = []
    for name in context.outcomes():
        if name not in earlier:
            continue
        then = _counted(context, earlier.rows(_counts(context, name)))
        now = _counted(context, context.main.rows(_counts(context, name)))
        if then.total() and now.total():
            found = stability(then, now, context.orders.get(name, ()))
            rows.append((name, found.index, found.chance, found.index > MAX_INDEX))
            blocks.append(Chart(
                say(f"{name}: then and now", f"{name}：前后对比"), "pairs",
                (name, say("run", "批次"), say("share", "占比")),
                tuple((s.category, when, share) for s in found.shifts
                      for when, share in ((say("then", "前次"), s.then), (say("now", "本次"), s.now))),
                SHARE, f"PSI {found.index:.3f}",
            ))
    psi = table("PSI", [
        (say("decision", "决定"), "text"), ("PSI", DECIMAL), (say("by chance alone", "仅由偶然"), DECIMAL),
        (say("a shift", "有变化"), "text"),
    ], [(n, i, c, say("yes", "是") if s else say("no", "否")) for n, i, c, s in rows],
        say("Below 0.10 no significant change, up to 0.25 one to look into, above a shift.",
            "0.10 以下无显著变化，0.10 至 0.25 需关注，以上为明显变化。"))
    for name in context.spec.top.names("migration"):
        if name in earlier:
            blocks.extend(_moves(context, name))
    shifted = [n for n, *_, s in rows if s]
    alarms = []
    if shifted:
        alarms = [Note(say(f"{', '.join(shifted)} has shifted.", f"{'、'.join(shifted)} 有明显变化。"), True)]
    return Section("stability", say("Drift and migration", "稳定性与迁徙"), (*alarms, psi, *blocks))


def _counts(context: Context, name: str) -> str:
    return f"SELECT {context.text_of(name)}, count(*) FROM {{t}} GROUP BY 1"


def _counted(context: Context, rows: list[tuple[str, int]]) -> Counter[str]:
    return Counter({value: number for value, number in rows if value != context.nothing})


def _moves(context: Context, name: str) -> list[Block]:
    """A grid of classes then by classes now, over customers of both runs."""
    say, column, frame = context.say, context.column(name), context.frame
    earlier = frame.previous
    assert earlier is not None
    found = context.main.rows(
        f"SELECT CAST(p.{column} AS VARCHAR), CAST(n.{column} AS VARCHAR), count(*) "
        f"FROM {frame.numbered(context.main)} n JOIN {frame.numbered(earlier)} p ON n.k = p.k AND n.n = p.n "
        f"WHERE p.{column} IS NOT NULL AND n.{column} IS NOT NULL GROUP BY 1, 2"
    )
    if not found:
        return []
    names = context.in_order(name, sorted({v for a, b, _ in found for v in (a, b)}))
    counts = {(a, b): n for a, b, n in found}
    whole = {a: sum(counts.get((a, b), 0) for b in names) for a in names}
    stayed = sum(counts.get((v, v), 0) for v in names) / sum(whole.values())
    up = down = 0
    if name in context.orders:
        rank = {v: at for at, v in enumerate(names)}
        up = sum(n for (a, b), n in counts.items() if rank[b] < rank[a])
        down = sum(n for (a, b), n in counts.items() if rank[b] > rank[a])
    told = say(f"{stayed:.1%} stayed; {up:,} moved to an earlier class of the list, {down:,} to a later one.",
               f"{stayed:.1%} 未变；{up:,} 户升级，{down:,} 户降级。")
    then, now = say("then", "前次"), say("now", "本次")
    return [
        Chart(say(f"{name}: moves", f"{name}：迁徙"), "grid", (then, now, say("share", "占比")),
              tuple((a, b, counts.get((a, b), 0) / whole[a] if whole[a] else 0.0) for a in names for b in names), SHARE,
              told),
        table(say(f"{name}: moves in numbers", f"{name}：迁徙户数"),
              [(f"{then} \\ {now}", "text"), *((v, COUNT) for v in names)],
              [(a, *(counts.get((a, b), 0) for b in names)) for a in names]),
    ]
