"""Columns by name, those alone that a later query reads: engines limit how many a query may have."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.lowering.clauses import queries


def live(query: exp.Select, dialect: str) -> exp.Select:
    """Every `*` becomes the columns that are read after it, and what nothing reads is left out. Columns that stages
    make have names of their own throughout a query."""
    made = queries(query)
    read = _read(query)
    later: dict[str, set[str]] = {}
    for name, select in reversed(made):
        later[name] = set(read)
        kept = [e for e in select.expressions if not isinstance(e, exp.Alias) or e.alias in read]
        if kept or not select.args.get("joins"):
            select.set("expressions", kept or select.expressions[:1])
        read |= _read(select)
    columns: dict[str, list[str]] = {}
    for name, select in made:
        found: list[exp.Expr] = []
        for item in select.expressions:
            if not item.is_star:
                found.append(item)
                continue
            source = select.args["from_"].this
            inner = source.this if isinstance(source, exp.Subquery) else None
            before = inner.args["from_"].this.name if isinstance(inner, exp.Select) else source.name
            table = source.alias_or_name if select.args.get("joins") else None
            found.extend(st.column(c, table) for c in columns[before] if c in later[name])
        select.set("expressions", found or [exp.alias_(st.whole(0), f"{name}_0")])
        columns[name] = [e.alias_or_name for e in select.expressions]
    return query


def _read(query: exp.Select) -> set[str]:
    """The columns that a query reads, its WITH clause aside."""
    clause = query.args.get("with_")
    found: set[str] = set()
    waiting: list[exp.Expr] = [query]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Column):
            found.add(node.name)
        elif node is not clause:
            waiting.extend(node.iter_expressions())
    return found
