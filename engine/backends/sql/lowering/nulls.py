"""Columns that are NULL in every row: written out where they are read, since engines give such a column a type of
their own choice, which fits no other."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql.lowering.clauses import queries

_AGGREGATES = (exp.Sum, exp.Min, exp.Max, exp.BitwiseOrAgg, exp.PercentileDisc)


def nulls(query: exp.Select, dialect: str) -> exp.Select:
    """A NULL that stands in an expression takes the type that is wanted there."""
    grouped = {c.name for group in query.find_all(exp.Group) for c in group.find_all(exp.Column)}
    known: set[str] = set()
    for select in [*(s for _, s in queries(query)), query]:
        if known:
            _written_out(select, known)
        for case in list(select.find_all(exp.Case)):
            if not isinstance(case.parent, exp.Alias) and _is_null(case):
                case.replace(exp.null())
        if select is query:
            break
        kept = []
        for item in select.expressions:
            if isinstance(item, exp.Alias) and item.alias not in grouped and _is_null(item.this):
                known.add(item.alias)
            elif not (isinstance(item, exp.Null)):
                kept.append(item)
        select.set("expressions", kept or select.expressions[:1])
    return query


def _written_out(select: exp.Select, known: set[str]) -> None:
    clause = select.args.get("with_")
    waiting: list[exp.Expr] = [select]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Column) and node.name in known:
            node.replace(exp.null())
        elif node is not clause:
            waiting.extend(node.iter_expressions())


def _is_null(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Paren):
        return _is_null(tree.this)
    if isinstance(tree, exp.Case):
        default = tree.args.get("default")
        return all(_is_null(i.args["true"]) for i in tree.args["ifs"]) and (default is None or _is_null(default))
    if isinstance(tree, _AGGREGATES):
        return _is_null(tree.this)
    return isinstance(tree, exp.Null)
