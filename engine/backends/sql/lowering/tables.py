"""Constant tables: BigQuery has no VALUES with named columns, but lists of structs."""
from __future__ import annotations

from sqlglot import exp


def tables(query: exp.Select, dialect: str) -> exp.Select:
    if dialect != "bigquery":
        return query
    for values in list(query.find_all(exp.Values)):
        alias = values.args["alias"]
        names = [c.name for c in alias.columns]
        rows = [
            exp.Struct(expressions=[
                exp.PropertyEQ(this=exp.to_identifier(name), expression=cell.copy())
                for name, cell in zip(names, row.expressions, strict=True)
            ])
            for row in values.expressions
        ]
        values.replace(exp.Unnest(expressions=[exp.Array(expressions=rows)]))
    return query
