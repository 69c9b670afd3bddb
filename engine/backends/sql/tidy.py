"""A query's stages made fewer: columns that nobody reads go, those read once or cheap stand where they are read.

The compiler names whatever might be used twice, a column a stage. Here it is known what is. A column that stays is
made at the first stage that has all it reads; a stage without columns, joins and filters goes. A name
means the same column throughout a query, and a user's own are quoted.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from sqlglot import exp

from engine.backends.sql.simplify import COMPARISONS, Simplifier

#: Nodes of a tree that costs next to nothing wherever it stands: a comparison with a constant, a test of bits.
CHEAP = 6
#: Nodes that repeating one column may add to a query.
REPEATED = 16
#: Depth beyond which a tree stays a column of its own.
DEEPEST = 60
#: Trees that stay where they are: what they give hangs on more than one row's columns, or on an item of a list.
FIXED = (exp.Window, exp.AggFunc, exp.Query, exp.Unnest, exp.Lambda)
#: What a test that may stand several times is made of.
TESTS = (
    *COMPARISONS, exp.Is, exp.In, exp.Not, exp.And, exp.Or, exp.Paren, exp.BitwiseAnd, exp.Neg, exp.Column, exp.Literal,
    exp.Boolean, exp.Null,
)
#: Clauses that a stage does not have.
_OTHERS = ("group", "distinct", "order", "limit", "offset", "having", "qualify", "laterals")


def tidied(query: exp.Select, solid: set[str]) -> exp.Select:
    """The query with fewer columns and stages, changed in place; `solid` are columns that are never NULL, to which it
    adds those that it finds."""
    return _Tidier(query, solid).run()


class _Stage:
    """A query `SELECT *, columns FROM before`, which may join tables and filter."""

    def __init__(self, name: str, select: exp.Select, depth: int) -> None:
        self.name = name
        self.select = select
        self.depth = depth
        self.columns: dict[str, exp.Expr] = {}
        self.rest: list[exp.Expr] = []
        for each in select.expressions:
            if isinstance(each, exp.Alias):
                self.columns[each.alias] = each.this
            else:
                self.rest.append(each)
        self.joins: list[exp.Join] = select.args.get("joins") or []
        where = select.args.get("where")
        self.filter: exp.Expr | None = where.this if where is not None else None


class _Column:
    """A column of a stage: what it is made of, and how often that is read."""

    def __init__(self, stage: _Stage, tree: exp.Expr) -> None:
        self.stage = stage
        self.tree = tree
        self.nodes, self.depth = _measured(tree)
        self.is_fixed = any(isinstance(n, FIXED) for n in _nodes(tree))
        self.reads = Counter(_read(tree))

    def become(self, tree: exp.Expr) -> None:
        if tree is not self.tree:
            self.tree = tree
            self.nodes, self.depth = _measured(tree)
            self.reads = Counter(_read(tree))


class _Tidier:
    def __init__(self, query: exp.Select, solid: set[str]) -> None:
        self.query = query
        clause = query.args.get("with_")
        self.parts: list[tuple[str, exp.Expr]] = [(p.alias, p.this) for p in clause.expressions] if clause else []
        self.stages: dict[str, _Stage] = {}
        self.columns: dict[str, _Column] = {}
        self.uses: Counter[str] = Counter()
        self.pinned: set[str] = set()
        self.solid = solid
        self.simplifier = Simplifier(self.solid, self._stands_for)

    def run(self) -> exp.Select:
        depths: dict[str, int] = {}
        for name, select in self.parts:
            before = _before(select)
            before = before if before in depths else None
            depths[name] = 0 if before is None else depths[before] + 1
            if before is not None:
                assert isinstance(select, exp.Select)
                stage = self.stages[name] = _Stage(name, select, depths[name])
                self.columns.update((n, _Column(stage, tree)) for n, tree in stage.columns.items())
        self._pin()
        self._count()
        self._make_smaller()
        self._count()
        self._make_smaller()
        self._place()
        self._write()
        return self.query

    # --- what is read ---------------------------------------------------------------------------------------

    def _pin(self) -> None:
        """Columns that are read elsewhere than in columns, filters and results must be columns."""
        for name, select in self.parts:
            stage = self.stages.get(name)
            if stage is None:
                self.pinned.update(_read(select))
            else:
                self.pinned.update(c for join in stage.joins for c in _read(join))

    def _roots(self) -> Iterator[exp.Expr]:
        yield from self.query.expressions
        for stage in self.stages.values():
            if stage.filter is not None:
                yield stage.filter

    def _count(self) -> None:
        """How often each column is read, by what is read itself."""
        self.uses = Counter(name for root in self._roots() for name in _read(root))
        for name in self.pinned:
            self.uses[name] += 1
        for name in reversed(self.columns):         # a column reads columns of stages before its own
            if self.uses[name]:
                for read, times in self.columns[name].reads.items():
                    self.uses[read] += times
        self.columns = {name: column for name, column in self.columns.items() if self.uses[name]}

    # --- what stands where --------------------------------------------------------------------------------------

    def _stands_for(self, column: exp.Column) -> exp.Expr:
        """What stands in the place of a column that is read."""
        made = self.columns.get(column.name) if column.args.get("table") is None else None
        if made is None or not self._is_repeated(column.name, made):
            return column
        tree = made.tree.copy() if self.uses[column.name] > 1 else made.tree
        if column.name in self.solid:
            self.simplifier.known[id(tree)] = tree
        return tree

    def _is_repeated(self, name: str, made: _Column) -> bool:
        """Whether a column's tree stands wherever it is read."""
        if isinstance(made.tree, (exp.Literal, exp.Boolean, exp.Null)):
            return True
        if made.is_fixed or made.depth > DEEPEST or name in self.pinned:
            return False
        times = self.uses[name]
        if times <= 1:
            return True
        if not all(isinstance(n, TESTS) for n in _nodes(made.tree)):
            return False
        return made.nodes <= CHEAP or (times - 1) * made.nodes <= REPEATED

    def _make_smaller(self) -> None:
        for name, column in self.columns.items():
            if not column.is_fixed:
                column.become(self.simplifier.value(column.tree))
                if self.simplifier.is_solid(column.tree):
                    self.solid.add(name)
        for stage in self.stages.values():
            if stage.filter is not None:
                stage.filter = self.simplifier.truth(stage.filter)
        self.query.set("expressions", [
            exp.alias_(self.simplifier.value(e.this), e.args["alias"]) if isinstance(e, exp.Alias) else e
            for e in self.query.expressions
        ])

    # --- stages -----------------------------------------------------------------------------------------------

    def _place(self) -> None:
        """Each column at the first stage after all that it reads, though not before a filter that was before it."""
        self._count()
        chains: dict[str, list[_Stage]] = {}
        brought: dict[str, int] = {}
        for name, select in self.parts:
            stage = self.stages.get(name)
            before = _before(select)
            if stage is None or before is None:
                chains[name] = []
                continue
            chains[name] = [*chains[before], stage]
            brought.update((e.name, stage.depth) for e in stage.rest if isinstance(e, exp.Column) and not e.is_star)
            stage.columns = {}
        placed: dict[str, int] = {}
        for name, column in self.columns.items():
            least = max((placed.get(r, brought.get(r, 0)) for r in column.reads), default=0) + 1
            chain = chains[column.stage.name]
            filtered = max((s.depth for s in chain if s.filter is not None), default=0)
            at = column.stage.depth if column.is_fixed else max(least, filtered)
            placed[name] = at
            chain[at - 1].columns[name] = column.tree

    def _write(self) -> None:
        gone: dict[str, str] = {}
        kept = []
        clause = self.query.args.get("with_")
        for part in clause.expressions if clause is not None else ():
            stage = self.stages.get(part.alias)
            before = _before(part.this)
            if stage is not None and before is not None:
                if not stage.columns and not stage.joins and stage.filter is None:
                    gone[part.alias] = gone.get(before, before)
                    continue
                named = [exp.alias_(tree, name) for name, tree in stage.columns.items()]
                stage.select.set("expressions", [*stage.rest, *named])
                if stage.filter is not None:
                    stage.select.set("where", exp.Where(this=stage.filter))
            kept.append(part)
            _rename(_tables(part.this, stage is not None), gone)
        if clause is not None:
            clause.set("expressions", kept)
        _rename(_tables(self.query, True), gone)
        for stage in self.stages.values():
            for each in [*stage.rest, *(j.args["on"] for j in stage.joins if j.args.get("on") is not None)]:
                for column in each.find_all(exp.Column):
                    if column.table in gone:
                        column.set("table", exp.to_identifier(gone[column.table]))


def _before(select: exp.Expr) -> str | None:
    """The stage that a query adds columns to; None where it is no such query."""
    if not isinstance(select, exp.Select) or not select.expressions or not select.expressions[0].is_star:
        return None
    source = select.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or any(select.args.get(o) for o in _OTHERS):
        return None
    return source.this.name


def _tables(select: exp.Expr, is_stage: bool) -> Iterable[exp.Table]:
    if not is_stage:
        return select.find_all(exp.Table)
    found = [j.this for j in select.args.get("joins") or () if isinstance(j.this, exp.Table)]
    source = select.args.get("from_")
    return [*found, source.this] if source is not None and isinstance(source.this, exp.Table) else found


def _rename(tables: Iterable[exp.Table], gone: dict[str, str]) -> None:
    for table in tables:
        if table.name in gone and not table.this.args.get("quoted"):
            table.set("this", exp.to_identifier(gone[table.name]))


def _nodes(tree: exp.Expr) -> Iterator[exp.Expr]:
    """All nodes but names, in no order."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Identifier):
            continue
        yield node
        for held in node.args.values():
            if isinstance(held, exp.Expr):
                waiting.append(held)
            elif isinstance(held, list):
                waiting.extend(h for h in held if isinstance(h, exp.Expr))


def _read(tree: exp.Expr) -> list[str]:
    """The names of the columns that a tree reads, as often as it does."""
    return [
        n.name for n in _nodes(tree)
        if isinstance(n, exp.Column) and not n.is_star and not n.this.args.get("quoted")
    ]


def _measured(tree: exp.Expr) -> tuple[int, int]:
    """The number of nodes, brackets aside, and the depth."""
    count, deepest = 0, 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, exp.Identifier):
            continue
        count += not isinstance(node, (exp.Paren, exp.If, exp.DataType))
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in node.iter_expressions())
    return count, deepest


