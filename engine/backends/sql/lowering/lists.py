"""Lists whose items are there under a condition: an array without its NULLs, of texts or of structs."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st

#: Arguments of a function in PostgreSQL.
_MOST_ARGUMENTS = 100


def lists(query: exp.Select, dialect: str) -> exp.Select:
    """`ARRAY_COMPACT([...])` and structs in an engine's words. In PostgreSQL, which has no structs without a type,
    a list of them is JSON; in Snowflake it is a list of objects."""
    if dialect in ("postgres", "snowflake"):
        for array in list(query.find_all(exp.Array)):
            if not array.expressions and not isinstance(array.parent, exp.Cast):
                array.replace(_NOTHING[dialect]())
        for struct in list(query.find_all(exp.Struct)):
            struct.replace(_OBJECTS[dialect](struct))
    for found in list(query.find_all(exp.ArrayCompact)):
        found.replace(_WAYS[dialect](found.this))
    return query


def _json_nothing() -> exp.Expr:
    return exp.cast(exp.Literal.string("[]"), "JSONB")


def _array_nothing() -> exp.Expr:
    return exp.Anonymous(this="ARRAY_CONSTRUCT")


def _json_object(struct: exp.Struct) -> exp.Expr:
    pairs = [[exp.Literal.string(f.this.name), f.expression.copy()] for f in struct.expressions]
    step = _MOST_ARGUMENTS // 2
    parts = [
        exp.Anonymous(this="JSONB_BUILD_OBJECT", expressions=[a for pair in pairs[i:i + step] for a in pair])
        for i in range(0, len(pairs), step)
    ]
    whole: exp.Expr = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return whole


def _object(struct: exp.Struct) -> exp.Expr:
    pairs = [a for f in struct.expressions for a in (exp.Literal.string(f.this.name), f.expression.copy())]
    return exp.Anonymous(this="OBJECT_CONSTRUCT_KEEP_NULL", expressions=pairs)


def _removed(array: exp.Array) -> exp.Expr:
    found = exp.Anonymous(this="ARRAY_REMOVE", expressions=[array.copy(), exp.null()])
    if any(isinstance(f, exp.Anonymous) and f.name == "JSONB_BUILD_OBJECT" for f in array.find_all(exp.Anonymous)):
        return exp.Anonymous(this="TO_JSONB", expressions=[found])
    return found


def _compact(array: exp.Array) -> exp.Expr:
    return exp.Anonymous(this="ARRAY_COMPACT", expressions=[array.copy()])


def _constructed(array: exp.Array) -> exp.Expr:
    return exp.Anonymous(this="ARRAY_CONSTRUCT_COMPACT", expressions=[i.copy() for i in array.expressions])


def _selected(array: exp.Array) -> exp.Expr:
    unnested = exp.Unnest(
        expressions=[array.copy()], alias=exp.TableAlias(columns=[exp.to_identifier("x")]),
        offset=exp.to_identifier("n"),
    )
    chosen = exp.select(st.column("x")).from_(unnested)
    chosen = chosen.where(exp.Not(this=st.is_null(st.column("x")))).order_by(st.column("n"))
    return exp.Array(expressions=[chosen])


_NOTHING = {"postgres": _json_nothing, "snowflake": _array_nothing}
_OBJECTS = {"postgres": _json_object, "snowflake": _object}
_WAYS = {"spark": _compact, "postgres": _removed, "snowflake": _constructed, "bigquery": _selected}
