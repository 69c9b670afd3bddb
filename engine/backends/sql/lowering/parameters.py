"""The date of the decision as each engine writes a parameter."""
from __future__ import annotations

from sqlglot import exp


def parameters(query: exp.Select, dialect: str) -> exp.Select:
    """PostgreSQL numbers its parameters."""
    if dialect == "postgres":
        for place in list(query.find_all(exp.Placeholder)):
            place.replace(exp.Parameter(this=exp.Literal.number(1)))
    return query
