"""Rows of histories as of the decision's date: visible ones alone, fields as they were known then; and the
histories that a policy for each row derives from them."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.door import admitted, checked
from engine.backends.sql.items import History, Item, Members, Opened, carried
from engine.backends.sql.origins import Behind, Labels, union, where
from engine.backends.sql.relations import Expressions
from engine.backends.sql.scopes import HANDED, ROWS, Aggregation, Chain, Handing, Key, below, continued, table
from engine.backends.sql.stages import FALSE, TRUE, Cte, Sql
from engine.backends.sql.tables import Events, Source
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.ir.reads import Cone, cone
from engine.records import Record
from engine.semantics.declarations import FieldDecl


class Handed(Record):
    """Rows of an importer's relation, handed to a policy for each row: their chain, what gives a column of the relation
    in it, and the relation's own scope."""

    chain: Chain
    carry: Callable[[Sql], Sql]
    opened: Opened


#: Decides a program in the scope of some rows: what each gives by decision, and which it refuses.
Decider = Callable[[ir.Program, Cone, Expressions], tuple[Mapping[str, Item], Sql]]


class HistoryMaker:
    """Makes the histories of a scope that decides a program. `decide` is how a policy for each row is compiled."""

    def __init__(self, program: ir.Program, reach: Cone, of: Expressions, labels: Labels, decide: Decider) -> None:
        self.program = program
        self.reach = reach
        self.of = of
        self.labels = labels
        self.decide = decide

    # --- tables ---------------------------------------------------------------------------------------------

    def from_table(self, decl: ir.HistoryDecl, source: Source) -> tuple[History, Sql]:
        """A history of a table, and whether a visible row of it is bad data."""
        events = source.histories.get(decl.name)
        if events is None:
            return History(decl.name, TRUE, _nothing), FALSE
        null = FALSE
        if events.supplied is not None:
            supplied = self.of.stages.source(st.quoted(events.supplied), True)
            null = self.of.stages.named(st.opposite(st.holds(supplied)))
        customers = source.customers
        owner = self._owning(decl)
        column = customers.columns.get(owner)
        key = customers.key or (column.name if column is not None else None)
        if key is None:
            raise Gap(decl.at, f"the history `{decl.name}` without a column for its key `{owner}`")
        ours = self.of.stages.source(st.quoted(key), True)
        history = History(decl.name, null, lambda outer: self._table(decl, events, ours, outer))
        return history, self._any_bad(history)

    def _owning(self, decl: ir.HistoryDecl) -> str:
        """The customers' key by which rows are theirs: the history's own, or that of the one above it."""
        by_name = {h.name: h for h in self.program.histories}
        while decl.of is not None:
            decl = by_name[decl.of]
        return decl.key or ""

    def _table(self, decl: ir.HistoryDecl, events: Events, ours: Sql, outer: Expressions) -> Opened:
        def begin() -> tuple[list[Cte], exp.Select]:
            alias = exp.TableAlias(this=exp.to_identifier(ROWS))
            return [], exp.select().from_(exp.Table(this=exp.to_identifier(events.relation, quoted=True), alias=alias))

        chain = Chain(outer.stages.names, begin, [(_user(events.key), False)])
        compiler = outer.below(chain.stages)
        needed = self._needed(decl)
        raw, bad = {}, {}
        for field in needed:
            raw[field.name], bad[field.name] = admitted(compiler, field, events.columns.get(field.name), ROWS)
        ordinal = None if events.ordinal is None else chain.stages.source(_user(events.ordinal), False)
        return self._opened(decl, chain, compiler, [ours], raw, bad, ordinal)

    def _needed(self, decl: ir.HistoryDecl) -> list[FieldDecl]:
        names = {name for owner, name in self.reach.fields if owner == decl.name}
        return [f for f in decl.fields if f.name in names]

    def _opened(
        self, decl: ir.HistoryDecl, chain: Chain, compiler: Expressions, ours: Sequence[Sql], raw: dict[str, Sql],
        bad: dict[str, Sql], ordinal: Sql | None,
    ) -> Opened:
        """The scope of a history's rows, after the door: what is not visible is not there, and nothing of it is bad."""
        shown = decl.visible_from
        if shown is not None:
            seen = raw[shown].replace(nullable=True)
            # A row whose date is bad may well exist; that of a row without a date is null, and it does not.
            visible = st.either(_by_then(compiler, seen), bad[shown])
            chain.stages.filter(st.holds(visible.replace(nullable=True)))
        compiler.bad = list(bad.values())
        fields = {f.name: _known(compiler, f, raw) for f in self._needed(decl)}
        order = [fields[name] for name in decl.order_by] + ([ordinal] if ordinal is not None else [])
        compiler.order = lambda: order
        aggregation = Aggregation(self.of.stages, st.deepest(list(ours)) + 1, chain, ours)
        return Opened(aggregation, compiler, Members(fields))

    def _any_bad(self, history: History) -> Sql:
        """Whether a visible row of an outer row is bad data."""
        opened = history.opened(self.of)
        bad = [b for b in opened.compiler.bad if not b.is_false]
        if not bad:
            return FALSE
        whole = opened.compiler.stages.named(st.either(*bad))
        counted = opened.aggregation.column(exp.Count(this=st.case([(whole.tree.copy(), st.whole(1))])))
        found = Sql(exp.GT(this=counted.tree, expression=st.whole(0)), counted.level, True)
        return st.both(st.opposite(history.null), st.holds(found))

    # --- policies for each row ---------------------------------------------------------------------------------

    def derived(self, decl: ir.HistoryDecl, each: ir.EachDecl) -> History:
        """The rows of a history with what a policy gives for each as further fields."""
        over = self.of.histories[each.over]
        return History(decl.name, over.null, lambda outer: self._decided(each, over, outer))

    def behind(self, name: str, histories: Mapping[str, ir.HistoryDecl]) -> Behind:
        """What is behind a null of a relation's rows: the histories that a policy for each row lacks, else the supplied
        one that it goes over."""
        each = histories[name].each
        if each is None:
            return self.labels.behind(name, TRUE, self.of.nulls.wants_labels)
        lacking = [(self.of.histories[h.source].null, self.behind(h.source, histories)) for h in each.histories]
        some = self.of.stages.named(st.either(*(null for null, _ in lacking))) if lacking else FALSE
        rest = where(self.of.stages.named(st.opposite(some)), self.behind(each.over, histories))
        return union([*(where(null, found) for null, found in lacking), rest])

    def _decided(self, each: ir.EachDecl, over: History, outer: Expressions) -> Opened:
        base = over.opened(outer)
        parts = [p for _, node in each.bindings for p in outer.loops.of_this_scope(node, frozenset({"row"}))]
        given = [(p, outer.stages.named(outer.compile(p))) for p in parts]
        nulls = {h.source: outer.histories[h.source].null for h in each.histories}
        columns = [v for v in (*(v for _, v in given), *nulls.values()) if isinstance(v.tree, exp.Column)]
        source = base.aggregation.whole
        if columns:
            level = max(base.aggregation.level, st.deepest(columns) + 1)
            aggregation: Aggregation = Handing(outer.stages, level, source, base.aggregation.ours)
            assert isinstance(aggregation, Handing)
            hand: Callable[[Sql], Sql] = aggregation.outer_value
            carry: Callable[[Sql], Sql] = aggregation.carried
        else:
            chain, carry = below(source)
            aggregation = Aggregation(outer.stages, base.aggregation.level, chain, base.aggregation.ours)
            hand = _itself
        chain = aggregation.chain
        compiler = outer.below(chain.stages)
        compiler.order = lambda: [carry(o) for o in base.compiler.order()]
        compiler.hand([(p, hand(v)) for p, v in given], [])
        nulls = {name: hand(null) for name, null in nulls.items()}
        row = carried(base.row, carry)
        with compiler.loops.bound("row", row):
            inputs = {name: chain.stages.named(compiler.compile(node)) for name, node in each.bindings}
        outcomes = self._outcomes(each, outer, chain, inputs, nulls)
        return Opened(aggregation, compiler, Members({**row.fields, **outcomes}))

    def _outcomes(
        self, each: ir.EachDecl, outer: Expressions, chain: Chain, inputs: Mapping[str, Sql], nulls: Mapping[str, Sql]
    ) -> dict[str, Sql | Members]:
        """What the policy gives for each row of a chain, null where it refuses the row."""
        program = each.program
        reach = cone(program, [d.name for d in program.decisions])
        labels = Labels(())
        of = Expressions(chain.stages, program, labels, dialect=outer.dialect.name)
        refusing = []
        for expected in program.inputs:
            if expected.name in reach.inputs:
                value, bad = checked(of, expected, inputs.get(expected.name, st.NULL), [])
                of.variables[("Input", expected.name)] = value
                refusing.append(bad)
        maker = HistoryMaker(program, reach, of, labels, self.decide)
        raws: dict[str, Handed] = {}
        for given in each.histories:
            if given.name not in reach.relations:
                continue
            decl = next(h for h in program.histories if h.name == given.name)
            source = outer.histories[given.source]
            null = nulls[given.source]
            if given.of is not None:
                null = chain.stages.named(st.either(null, of.histories[given.of].null))
            if source.null == TRUE:
                of.histories[given.name] = History(given.name, TRUE, _nothing)
                continue
            opened = source.opened(outer)
            if any(k.null_safe for k in (*opened.aggregation.whole.keys, *chain.keys)):
                # Such rows stand beside values of the outer row, and would be joined by these as well.
                at = next((node.at for _, node in each.bindings), None)
                raise Gap(at, f"the history `{given.source}` in a policy for each row, where either was decided by "
                              "values of the customer")
            raws[given.name] = _handed_over(given, opened, raws)
            ours = [k.column for k in chain.keys]
            ours.append(_as_column(of, inputs.get(self._owner(each, given), st.NULL)))
            history = History(given.name, null, maker._given(decl, raws[given.name], ours))
            of.histories[given.name] = history
            refusing.append(maker._any_bad(history))
        for decl in program.histories:
            if decl.each is not None and decl.name in reach.relations:
                of.histories[decl.name] = maker.derived(decl, decl.each)
        outcomes, refused = self.decide(program, reach, of)
        refused = chain.stages.named(st.either(*refusing, refused))
        return {name: _unless(chain, refused, outcome) for name, outcome in outcomes.items()}

    @staticmethod
    def _owner(each: ir.EachDecl, given: ir.EachHistory) -> str:
        """The input whose value owns the rows of a history, through those that it is `of`."""
        by_name = {h.name: h for h in each.histories}
        while given.input is None:
            given = by_name[given.of or ""]
        return given.input

    def _given(
        self, decl: ir.HistoryDecl, handed: Handed, ours: Sequence[Sql]
    ) -> Callable[[Expressions], Opened]:
        """Opens a history that was handed over: the policy's own declaration says once more what is visible."""

        def open(outer: Expressions) -> Opened:
            chain, carry = below(handed.chain)
            compiler = outer.below(chain.stages)
            values, bad = {}, {}
            for field in self._needed(decl):
                found = handed.opened.row(field.name)
                if not isinstance(found, Sql):
                    raise Gap(decl.at, f"the field `{field.name}` of a history that is handed over")
                values[field.name], bad[field.name] = checked(compiler, field, carry(handed.carry(found)), [])
            order = handed.opened.compiler.order()
            ordinal = carry(_place(handed.chain, [handed.carry(o) for o in order])) if order else None
            return self._opened(decl, chain, compiler, ours, values, bad, ordinal)

        return open


def _handed_over(given: ir.EachHistory, opened: Opened, before: Mapping[str, Handed]) -> Handed:
    """The rows of the importer's relation by the customer and by what owns them in the policy for each row."""
    source = opened.aggregation.whole
    key = opened.row(given.key)
    assert isinstance(key, Sql)
    if given.of is None:
        chain, carry = below(source)
        chain.keys.append(Key(carry(key)))
        return Handed(chain, carry, opened)
    above = before[given.of]
    above_field = above.opened.row(given.key)
    assert isinstance(above_field, Sql)
    above_key = above.carry(above_field)

    def begin() -> tuple[list[Cte], exp.Select]:
        made, last = source.table()
        upper, name = above.chain.table()
        owners = [exp.alias_(st.column(k.column.tree.name), f"q{i}") for i, k in enumerate(above.chain.keys)]
        theirs = exp.alias_(st.column(above_key.tree.name), "qk")
        distinct = exp.select(*owners, theirs).distinct().from_(table(name))
        on = [_equal(k.column, f"q{i}") for i, k in enumerate(source.keys)]
        select = exp.select().from_(table(last, ROWS))
        select = select.join(distinct.subquery(HANDED), on=st.all_of([*on, _equal(key, "qk")]), copy=False)
        return [*made, *upper], select

    keys = [(st.column(k.column.tree.name, ROWS), k.null_safe) for k in source.keys]
    chain = Chain(source.names, begin, [*keys, (st.column(f"q{len(source.keys)}", HANDED), False)])
    return Handed(chain, lambda value: continued(chain, value), opened)


def _equal(ours: Sql, theirs: str) -> exp.Expr:
    return exp.EQ(this=st.column(ours.tree.name, ROWS), expression=st.column(theirs, HANDED))


def _place(chain: Chain, order: Sequence[Sql]) -> Sql:
    """The place of a row in the order of the relation that it comes from."""
    number = exp.Window(
        this=exp.RowNumber(),
        order=exp.Order(expressions=[exp.Ordered(this=o.tree.copy(), nulls_first=True) for o in order]),
    )
    return chain.stages.named(Sql(number, st.deepest(list(order))))


def _unless(chain: Chain, refused: Sql, outcome: Item) -> Sql | Members:
    if isinstance(outcome, Members):
        return Members({name: _unless(chain, refused, value) for name, value in outcome.fields.items()})
    return chain.stages.named(st.chosen([(refused, st.NULL)], outcome))


def _as_column(of: Expressions, value: Sql) -> Sql:
    """A literal as a column, too: keys are joined by columns."""
    if isinstance(value.tree, exp.Column):
        return value
    return of.stages.named(value.replace(tree=exp.Paren(this=value.tree)))


def _known(compiler: Expressions, field: FieldDecl, raw: Mapping[str, Sql]) -> Sql:
    """A field as it was known on the date."""
    value = raw[field.name]
    if field.known_from is None:
        return value
    known = _by_then(compiler, raw[field.known_from].replace(nullable=True))
    tree = st.case([(known.tree.copy(), value.tree.copy())])
    return compiler.stages.named(Sql(tree, max(known.level, value.level), True))


def _by_then(compiler: Expressions, moment: Sql) -> Sql:
    """Whether a day (or a moment's day) had come on the date of the decision."""
    day = exp.cast(moment.tree.copy(), "DATE")
    by_then = exp.LTE(this=day, expression=compiler.as_of.tree.copy())
    return Sql(by_then, max(moment.level, compiler.as_of.level), True)


def _user(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), ROWS)


def _itself(value: Sql) -> Sql:
    return value


def _nothing(outer: Expressions) -> Opened:
    raise Gap(None, "a history that no table supplies")
