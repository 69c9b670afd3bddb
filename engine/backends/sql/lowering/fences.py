"""Stages that a planner must not merge: merged, a column that is used twice is written twice, stage by stage."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.lowering.clauses import queries


def fences(query: exp.Select, dialect: str) -> exp.Select:
    """PostgreSQL merges a query into the one that reads it unless it has an OFFSET, and computes nothing for one
    of 0."""
    if dialect == "postgres":
        for _, select in queries(query):
            select.set("offset", exp.Offset(expression=st.whole(0)))
    return query
