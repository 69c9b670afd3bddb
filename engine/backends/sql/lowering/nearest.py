"""Joins to the last row at or below a value: a range up to the next row where there is no ASOF join."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.lowering.clauses import queries


def nearest(query: exp.Select, dialect: str) -> exp.Select:
    """Each joined table gets a column with the value at which its next row begins."""
    made = dict(queries(query))
    for select in made.values():
        for join in select.args.get("joins") or ():
            if join.args.get("method") != "ASOF":
                continue
            tests = list(join.args["on"].flatten()) if isinstance(join.args["on"], exp.And) else [join.args["on"]]
            bands = [t for t in tests if isinstance(t, exp.GTE)]
            assert len(bands) == 1
            ours, theirs = bands[0].left, bands[0].right
            assert isinstance(theirs, exp.Column)
            following = f"{theirs.name}_next"
            table = made[join.this.name]
            if following not in table.named_selects:
                keys = [t.expression.name for t in tests if t is not bands[0]]
                _number(table, theirs.name, keys, following)
            next_one = st.column(following, theirs.table)
            below = st.any_of([
                exp.LT(this=ours.copy(), expression=next_one), exp.Is(this=next_one.copy(), expression=exp.null()),
            ])
            join.set("on", st.all_of([*(t.copy() for t in tests), below]))
            join.set("method", None)
    return query


def _number(table: exp.Select, band: str, keys: list[str], following: str) -> None:
    window = exp.Window(
        this=exp.Lead(this=st.column(band)),
        partition_by=[st.column(k) for k in keys] or None,
        order=exp.Order(expressions=[exp.Ordered(this=st.column(band))]),
    )
    table.select(exp.alias_(window, following), copy=False)
