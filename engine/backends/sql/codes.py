"""Lists of reason codes in the database, from the blocks of `reasons`."""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.masks import Flag, once
from engine.backends.sql.reasons import Block, Blocks, Reasons
from engine.backends.sql.stages import Sql, Stages
from engine.backends.support import Gap
from engine.ir import nodes as ir


class Codes:
    """Lists of codes as columns. DuckDB and Spark alone put several lists together in their order."""

    def __init__(self, stages: Stages, reasons: Reasons, dialect: str) -> None:
        self.stages = stages
        self.reasons = reasons
        self.dialect = dialect
        self._columns: dict[str, Sql] = {}

    def of(self, name: str) -> Sql:
        """A decision's list."""
        if name not in self._columns:
            blocks = self.reasons.given[name]
            own = [b for b in blocks if not b.inherited and b.name in ir.RESERVED]
            others = [b for b in blocks if b not in own]
            codes = [b.name for b in others]
            if any(b.inherited for b in others) or len(set(codes)) < len(codes):
                found = self._in_order(self._parts(others), own)
            else:
                found = _compact(blocks)
            self._columns[name] = self.stages.named(found)
        return self._columns[name]

    def joint(self, names: Sequence[str]) -> Sql:
        """One list of several decisions'."""
        blocks = [b for name in names for b in self.reasons.given[name]]
        if not any(b.inherited for b in blocks):
            flags = once(Flag(b.name, b.holds) for b in blocks)
            flags.sort(key=lambda flag: flag.label in ir.RESERVED)
            return self.stages.named(_compact([Block(f.label, f.holds) for f in flags]))
        lists = [self.of(name) for name in names if self.reasons.given[name]]
        return lists[0] if len(lists) == 1 else self._in_order(lists, []) if lists else _compact([])

    def _parts(self, blocks: Blocks) -> list[Sql]:
        """Lists of neighbouring codes, and those that are inherited."""
        parts: list[Sql] = []
        run: Blocks = []
        for block in blocks:
            if not block.inherited:
                run.append(block)
                continue
            if run:
                parts.append(_compact(run))
            run = []
            inherited = self.of(block.name)
            tree = st.case([(block.holds.tree.copy(), inherited.tree.copy())], _nothing())
            parts.append(Sql(tree, max(block.holds.level, inherited.level)))
        return [*parts, _compact(run)] if run else parts

    def _in_order(self, lists: Sequence[Sql], own: Blocks) -> Sql:
        """The codes of some lists, each once, reserved ones last, the decision's own after those that it inherits."""
        if self.dialect not in ("duckdb", "spark"):
            raise Gap(None, f"lists of inherited reasons for {self.dialect}; ask for them as bits")
        trees = [p.tree.copy() for p in lists]
        whole = self.stages.named(Sql(_concatenated(trees), st.deepest(list(lists))))
        once = self.stages.named(Sql(self._distinct(whole.tree), whole.level))
        plain = _without(once.tree, [exp.Literal.string(code) for code in ir.RESERVED])
        reserved = _only(once.tree, [exp.Literal.string(code) for code in ir.RESERVED])
        if own:
            reserved = _without(reserved, [_present(b.holds, b.name) for b in own])
            return Sql(
                _concatenated([plain, reserved, _compact(own).tree]),
                max(once.level, *(b.holds.level for b in own)),
            )
        return Sql(_concatenated([plain, reserved]), once.level)

    def _distinct(self, tree: exp.Expr) -> exp.Expr:
        """Each item at its first place."""
        if self.dialect == "spark":
            return exp.ArrayDistinct(this=tree.copy())
        item, place = exp.to_identifier("x"), exp.to_identifier("i")
        first = exp.EQ(
            this=exp.Anonymous(this="LIST_POSITION", expressions=[tree.copy(), st.column("x")]),
            expression=st.column("i"),
        )
        return exp.ArrayFilter(this=tree.copy(), expression=exp.Lambda(this=first, expressions=[item, place]))


def _nothing() -> exp.Expr:
    return exp.cast(exp.Array(expressions=[]), "ARRAY<TEXT>")


def _compact(blocks: Blocks) -> Sql:
    if not blocks:
        return Sql(_nothing())
    items = [_present(b.holds, b.name) for b in blocks]
    return Sql(exp.ArrayCompact(this=exp.Array(expressions=items)), st.deepest([b.holds for b in blocks]))


def _present(holds: Sql, code: str) -> exp.Expr:
    return st.case([(holds.tree.copy(), exp.Literal.string(code))])


def _concatenated(trees: Sequence[exp.Expr]) -> exp.Expr:
    whole = trees[0]
    for tree in trees[1:]:
        whole = exp.ArrayConcat(this=whole, expressions=[tree])
    return whole


def _only(tree: exp.Expr, codes: Sequence[exp.Expr]) -> exp.Expr:
    test = exp.In(this=st.column("x"), expressions=list(codes))
    return exp.ArrayFilter(this=tree.copy(), expression=exp.Lambda(this=test, expressions=[exp.to_identifier("x")]))


def _without(tree: exp.Expr, codes: Sequence[exp.Expr]) -> exp.Expr:
    """The items that are none of some codes; a code that is NULL is no item."""
    tests = [exp.NullSafeNEQ(this=st.column("x"), expression=code) for code in codes]
    return exp.ArrayFilter(
        this=tree.copy(), expression=exp.Lambda(this=st.all_of(tests), expressions=[exp.to_identifier("x")])
    )
