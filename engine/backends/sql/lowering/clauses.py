"""The queries that a query is made of."""
from __future__ import annotations

from sqlglot import exp


def queries(query: exp.Select) -> list[tuple[str, exp.Select]]:
    """The queries of the WITH clause by name, in order, each of which reads those before it."""
    clause = query.args.get("with_")
    found = []
    for part in clause.expressions if clause is not None else ():
        assert isinstance(part.this, exp.Select)
        found.append((part.alias, part.this))
    return found
