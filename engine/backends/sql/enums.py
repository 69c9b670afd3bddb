"""Texts that are one of a few constants as values of an ENUM type, in DuckDB: compared and written as numbers.

Only a column that is given out or compared with constants becomes one: the type orders its values by their places, and
texts by their letters.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

#: Constants up to which a type is spelt out at each of them.
MOST = 24


def enumerated(query: exp.Select) -> exp.Select:
    """The query with such columns and results as ENUMs; it is changed in place."""
    clause = query.args.get("with_")
    selects = [p.this for p in clause.expressions] if clause is not None else []
    columns = {
        each.alias: each for select in selects for each in select.expressions
        if isinstance(each, exp.Alias) and not each.args["alias"].args.get("quoted") and _constants(each.this)
    }
    compared: dict[str, list[str]] = {name: [] for name in columns}
    for select in selects:
        _seek(select, columns, compared, None)
    results: dict[str, exp.Alias] = {}
    for each in query.expressions:
        if isinstance(each, exp.Alias):
            _seek(each.this, columns, compared, each.this)
            results[each.alias] = each
    for name, column in columns.items():
        if name in compared:
            _convert(column, [*(_constants(column.this) or []), *compared[name]])
    for each in results.values():
        constants = _constants(each.this)
        if constants:
            _convert(each, constants)
    return query


def enum(values: Iterable[str]) -> exp.DataType:
    """The type of some texts."""
    texts: list[exp.Expr] = [exp.Literal.string(value) for value in dict.fromkeys(values)]
    return exp.DataType(this=exp.DType.ENUM, expressions=texts, nested=False)


def _constants(tree: exp.Expr) -> list[str] | None:
    """The texts of which a CASE gives one, or NULL; None where it gives anything else."""
    if not isinstance(tree, exp.Case) or tree.args.get("this") is not None:
        return None
    found: list[str] = []
    for value in _values(tree):
        if isinstance(value, exp.Literal) and value.is_string:
            found.append(value.this)
        elif not isinstance(value, exp.Null):
            return None
    found = list(dict.fromkeys(found))
    return found if len(found) <= MOST else None


def _values(tree: exp.Expr) -> Iterator[exp.Expr]:
    """What a CASE may give."""
    for branch in tree.args["ifs"]:
        yield branch.args["true"]
    default = tree.args.get("default")
    if default is not None:
        yield default


def _seek(
    tree: exp.Expr, columns: dict[str, exp.Alias], compared: dict[str, list[str]], result: exp.Expr | None
) -> None:
    """Leave out of `compared` the columns that a tree reads otherwise than a number can be read, and note what the
    others are compared with. `result` is the tree where it is a column of the result."""
    waiting: list[tuple[exp.Expr, exp.Expr | None]] = [(tree, None)]
    given = {id(result)}
    if isinstance(result, exp.Case) and result.args.get("this") is None:
        mixed = any(not isinstance(v, (exp.Null, exp.Column)) for v in _values(result))
        named = {v.name for v in _values(result) if isinstance(v, exp.Column)}
        if not mixed and len(named) == 1:
            given = {id(v) for v in _values(result)}
    while waiting:
        node, parent = waiting.pop()
        if isinstance(node, exp.Column):
            if node.name in compared and not node.args.get("table"):
                constants = [] if id(node) in given else _beside(node, parent)
                if constants is None:
                    del compared[node.name]
                else:
                    compared[node.name].extend(constants)
            continue
        waiting.extend((child, node) for child in node.iter_expressions())


def _beside(column: exp.Column, parent: exp.Expr | None) -> list[str] | None:
    """The constants that a column is compared with; None where something else is done with it."""
    if isinstance(parent, exp.Is):
        return [] if isinstance(parent.expression, exp.Null) else None
    if isinstance(parent, (exp.EQ, exp.NEQ)):
        others = [s for s in (parent.this, parent.expression) if s is not column]
    elif isinstance(parent, exp.In) and parent.this is column and not parent.args.get("query"):
        others = parent.expressions
    else:
        return None
    return [o.this for o in others] if all(isinstance(o, exp.Literal) and o.is_string for o in others) else None


def _convert(column: exp.Alias, constants: list[str]) -> None:
    """Give a column's constants the type of all of them."""
    values = list(dict.fromkeys(constants))
    if len(values) > MOST:
        return
    kind = enum(values)

    def typed(tree: exp.Expr) -> exp.Expr:
        return exp.Cast(this=tree, to=kind.copy()) if isinstance(tree, exp.Literal) else tree

    case = column.this
    default = case.args.get("default")
    column.set("this", exp.Case(
        ifs=[exp.If(this=b.this, true=typed(b.args["true"])) for b in case.args["ifs"]],
        default=None if default is None else typed(default),
    ))
