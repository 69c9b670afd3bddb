"""A program as one query over relations with customers and their histories.

The first stages are the door: numbers become DOUBLE and what is not finite NULL, and a row that the door
refuses gives no outcome. The rest is a chain of stages, decision by decision in evaluation order.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.errors import ErrorLevel

from engine.backends.sql import stages as st
from engine.backends.sql.codes import Codes
from engine.backends.sql.decisions import DecisionCompiler, Given, Wanted
from engine.backends.sql.decoded import decoded
from engine.backends.sql.door import admitted, unfit
from engine.backends.sql.enums import enumerated
from engine.backends.sql.histories import HistoryMaker
from engine.backends.sql.items import Item, Members, supplied
from engine.backends.sql.listing import constant_items, told
from engine.backends.sql.lowering import lowered
from engine.backends.sql.masks import Flag, Flags, lanes, once, texts
from engine.backends.sql.origins import Behind, Labels
from engine.backends.sql.packed import packed
from engine.backends.sql.reasons import Reasons, flags
from engine.backends.sql.relations import Expressions
from engine.backends.sql.stages import MAX_STAGES, Cte, Names, Sql, Stages
from engine.backends.sql.tables import Source, by_name
from engine.backends.sql.tidy import tidied
from engine.backends.support import Gap, Unsupported
from engine.ir import nodes as ir
from engine.ir.building import uncollected
from engine.ir.reads import (
    Cone,
    cone,
    decision_reads,
    expressions,
    inputs_behind,
    reached,
    reads,
    walk,
    with_parameters,
)
from engine.ir.rewrites import rewritten
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

#: What a query may give beside the outcomes.
EXTRAS = ("reasons", "reasons_of", "fired", "open", "missing", "assumed", "refused")
#: A further one: what is missing behind the open decisions that are shown, those of features left out.
NEEDED = "needed"
STATUS = ("decided", "open", "refused")
#: The only field of a scalar item's struct, and the field that tells which members an item has.
VALUE, SHAPE = "value", "#"


class Output(Record):
    """A column of the result. `kind` is kept, value, list, status or an extra; `decision` and `member` say whose it
    is. A set (`labels` not None) is a list of texts, or a number whose bits are the labels from `lane` on. A list holds
    structs: of `VALUE` alone, or of members, with `SHAPE` telling which of the `shapes` an item has where there are
    several; as bits it is the `items`. Reasons as bits are the `blocks` of a decision: codes, and where `inherited` the
    list of another one."""

    name: str
    kind: str
    decision: str = ""
    member: str = ""
    type: Type | None = None
    labels: tuple[str, ...] | None = None
    lane: int = 0
    shapes: tuple[tuple[str, ...], ...] = ()
    inherited: tuple[bool, ...] = ()
    items: tuple[Any, ...] = ()


class Query(Record):
    """The compiled program for one engine; `columns` describe the result, `lists` says how it holds sets. `shown` are
    the decisions that were asked for, and `extras` what was beside them."""

    tree: exp.Select
    columns: tuple[Output, ...]
    lists: bool
    shown: tuple[str, ...]
    extras: frozenset[str]
    dialect: str = "duckdb"

    def sql(self, dialect: str | None = None, pretty: bool = False) -> str:
        """The text; the date of the decision is the named parameter `as_of`, PostgreSQL's first. ValueError for
        another dialect than it was compiled for."""
        if dialect not in (None, self.dialect):
            raise ValueError(f"a query that was compiled for {self.dialect} is none for {dialect}")
        with uncollected():
            return self.tree.sql(dialect=self.dialect, pretty=pretty, unsupported_level=ErrorLevel.RAISE)


def compile_program(
    program: ir.Program,
    outcomes: Sequence[str] | None = None,
    source: Source | None = None,
    keep: Sequence[str] = (),
    extras: Sequence[str] = (),
    lists: bool = False,
    dialect: str = "duckdb",
) -> Query:
    """Compile a program for one of `DIALECTS`; `outcomes` are the decisions asked for, all that are shown by default.

    `source` says where the data stand, by default in relations that are called as the policy calls them. `keep` are
    columns of the customers' relation to hand on, `extras` sets of `EXTRAS`: as lists of texts where `lists`
    is set, else as bits. Raises `Unsupported` with every place that this backend lacks, the decisions that read such a
    place left out.
    """
    unknown = set(extras) - {*EXTRAS, NEEDED}
    if unknown:
        raise ValueError(f"no extra is called {sorted(unknown)[0]!r}; there are {', '.join(EXTRAS)}")
    with uncollected():
        settled = rewritten(program)
        compiler = _Compiler(settled, outcomes, source or by_name(program), frozenset(extras), dialect)
        try:
            return compiler.query(tuple(keep), lists)
        except Gap as gap:
            raise Unsupported(gap.diagnostic(compiler.expressions.title)) from None


class _Compiler:
    def __init__(
        self, program: ir.Program, outcomes: Sequence[str] | None, source: Source, extras: frozenset[str],
        dialect: str = "duckdb",
    ) -> None:
        self.program = program
        shown = [n for n in program.declared if any(d.name == n and not d.internal for d in program.decisions)]
        self.shown = shown if outcomes is None else list(outcomes)
        self.reach: Cone = cone(program, program.declared if outcomes is None else self.shown)
        self.source = source
        self.extras = extras
        self.stages = Stages(Names(), "s", self._begin)
        missable = [i.name for i in program.inputs if i.name in self.reach.inputs and i.type.nullable]
        missable += [h.name for h in program.histories if h.name in self.reach.relations and h.each is None]
        self.labels = Labels(missable)
        self.expressions = Expressions(self.stages, program, self.labels, dialect=dialect)
        wanted = Wanted(
            "fired" in extras, bool(extras & {"reasons", "reasons_of"}), bool(extras & {"missing", "assumed", NEEDED})
        )
        self.expressions.nulls.wants_labels = wanted.labels
        self.reasons = Reasons(self.stages, program)
        self.decisions = DecisionCompiler(self.expressions, self.reasons, self.labels, wanted)
        self.given: dict[str, Given] = {}
        self.gaps: list[Gap] = []
        self.refusing: Flags = []
        self.at_door: tuple[Flag, ...] = ()
        self.failed: set[str] = set()

    def _begin(self) -> tuple[list[Cte], exp.Select]:
        return [], exp.select().from_(exp.Table(this=exp.to_identifier(self.source.customers.relation, quoted=True)))

    def query(self, keep: tuple[str, ...], lists: bool) -> Query:
        for decl in self.program.inputs:
            if decl.name in self.reach.inputs:
                self.attempt(decl.name, self.input, decl)
        for history in self.program.histories:
            if history.name not in self.reach.relations:
                continue
            each = history.each
            if each is not None and self.failed & {each.over, *(h.source for h in each.histories)}:
                self.failed.add(history.name)
            else:
                self.attempt(history.name, self.history, history)
        self.at_door = tuple(self.refusing)
        for decision in self.reach.decisions:
            if not self.failed & self.needed(decision):
                self.attempt(decision.name, self.decision, decision)
            else:
                self.failed.add(decision.name)
        if len(self.stages.levels) > MAX_STAGES:
            self.gaps.append(Gap(None, f"decisions that hang on one another more than {MAX_STAGES:,} stages deep"))
        if self.gaps:
            raise Unsupported(*(g.diagnostic(self.expressions.title) for g in self.gaps))
        return self.selected(keep, lists)

    def needed(self, decision: ir.Decision) -> set[str]:
        """The names that a decision reads, those of its parameters' rows included."""
        parameters = {p.name: p for p in self.program.parameters}
        found = [decision_reads(decision)]
        for read in found:                              # grows by the parameters that are read
            rows = [parameters.pop(n).rows for n in read.parameters if n in parameters]
            found += [reads(r.guard for r in each) for each in rows]
        return {name for read in found for name in (*read.refs, *read.inputs, *read.relations)}

    def attempt(self, name: str, compile: Callable[[Any], None], of: Any) -> None:
        try:
            compile(of)
        except Gap as gap:
            self.gaps.append(gap)
            self.failed.add(name)

    # --- data ---------------------------------------------------------------------------------------------

    def input(self, decl: Any) -> None:
        value, bad = admitted(self.expressions, decl, self.source.customers.columns.get(decl.name), None)
        key = ("Input", decl.name)
        self.expressions.variables[key] = value
        null = self.stages.named(st.missing(value))
        self.expressions.nulls.names[key] = self.labels.behind(decl.name, null, self.expressions.nulls.wants_labels)
        self.refusing.append(Flag(decl.name, bad))

    def history(self, decl: ir.HistoryDecl) -> None:
        maker = HistoryMaker(self.program, self.reach, self.expressions, self.labels, decided)
        histories = {h.name: h for h in self.program.histories}
        if decl.each is None:
            history, bad = maker.from_table(decl, self.source)
            self.refusing.append(Flag(decl.name, self.stages.named(bad)))
        else:
            history = maker.derived(decl, decl.each)
        self.expressions.histories[decl.name] = history
        behind = self.labels.behind(supplied(self.program, decl), history.null, self.expressions.nulls.wants_labels)
        self.expressions.nulls.names[("Relation", decl.name)] = Behind(history.null, behind.lanes)
        if decl.name in self.expressions.nulls.composed:
            self.expressions.nulls.relations[decl.name] = maker.behind(decl.name, histories)

    # --- decisions ------------------------------------------------------------------------------------------

    def decision(self, decision: ir.Decision) -> None:
        given = self.decisions.decision(decision)
        self.given[decision.name] = given
        self.reasons.give(decision.name, given.reasons)
        refuse = refuses(self.expressions, decision, given)
        if not refuse.is_false:                         # of a customer with bad data nothing is decided
            bad = self.stages.named(st.either(*(f.holds for f in self.at_door)))
            refuse = self.stages.named(st.both(refuse, st.opposite(bad)))
        self.refusing.append(Flag(decision.name, refuse))

    # --- the result -------------------------------------------------------------------------------------------

    def selected(self, keep: tuple[str, ...], lists: bool) -> Query:
        columns = [Output(name, "kept") for name in keep]
        refusing = [f.replace(holds=self.stages.named(f.holds)) for f in once(self.refusing)]
        refused = self.stages.named(st.either(*(f.holds for f in refusing)))
        trees: list[tuple[str, exp.Expr]] = []

        def put(output: Output, tree: exp.Expr) -> None:
            columns.append(output)
            whole = tree if refused.is_false else st.case([(refused.tree.copy(), exp.null())], tree)
            trees.append((output.name, whole))

        def put_set(name: str, kind: str, flags: Flags, decision: str = "") -> None:
            labels = tuple(f.label for f in flags)
            if lists:
                put(Output(name, kind, decision, labels=labels), texts(flags))
                return
            for lane, tree in enumerate(lanes(flags)):
                suffix = f" {lane + 1}" if lane else ""
                put(Output(name + suffix, kind, decision, labels=labels, lane=lane), tree)

        by_name = {d.name: d for d in self.reach.decisions}
        for name in self.shown:
            self._outcome(by_name[name], lists, put)
        opened = [Flag(n, g.is_open) for n, g in self.given.items() if not g.is_open.is_false]
        shown_open = st.either(*(f.holds for f in opened if f.label in self.shown))
        columns.append(Output("status", "status"))
        trees.append(("status", self._status(refused, shown_open)))
        if self.extras & {"reasons", "reasons_of"}:
            self._reasons(lists, put)
        for name in self.shown:
            decision = by_name[name]
            if "fired" in self.extras and isinstance(decision, ir.Decide) and decision.hit != "value":
                put_set(f"fired of {name}", "fired", self.given[name].fired, name)
        if "open" in self.extras:
            put_set("open", "open", opened)
        if self.extras & {"missing", "assumed"}:
            missing = self._missing()
            if "missing" in self.extras:
                put_set("missing", "missing", missing)
            if "assumed" in self.extras:
                put_set("assumed", "assumed", self._assumed(missing))
        if NEEDED in self.extras:
            put_set(NEEDED, NEEDED, self._missing(self.shown))
        if "refused" in self.extras:
            labels = tuple(f.label for f in refusing)
            if lists:
                columns.append(Output("refused", "refused", labels=labels))
                none = exp.cast(exp.Array(expressions=[]), "ARRAY<TEXT>")     # of nearly all, so no list is made there
                trees.append(("refused", st.case([(refused.tree.copy(), texts(refusing))], none)))
            else:
                for lane, tree in enumerate(lanes(refusing)):
                    name = f"refused {lane + 1}" if lane else "refused"
                    columns.append(Output(name, "refused", labels=labels, lane=lane))
                    trees.append((name, tree))
        dialect = self.expressions.dialect
        query = lowered(self._final(keep, trees), dialect)
        return Query(query, tuple(columns), lists, tuple(self.shown), self.extras, dialect.name)

    def _reasons(self, lists: bool, put: Callable[[Output, exp.Expr], None]) -> None:
        """Reasons as lists of codes; as bits the blocks of each decision, those included that others inherit."""
        if lists:
            codes = Codes(self.stages, self.reasons, self.expressions.dialect.name)
            if "reasons" in self.extras:
                labels = self.reasons.codes(self.shown)
                put(Output("reasons", "reasons", labels=labels), codes.joint(self.shown).tree.copy())
            for name in self.shown if "reasons_of" in self.extras else ():
                labels = self.reasons.codes([name])
                put(Output(f"reasons of {name}", "reasons_of", name, labels=labels), codes.of(name).tree.copy())
            return
        for name in self.reasons.reached(self.shown):
            blocks = self.reasons.given[name]
            if not blocks:
                continue
            labels, inherited = tuple(b.name for b in blocks), tuple(b.inherited for b in blocks)
            for lane, tree in enumerate(lanes(flags(blocks))):
                suffix = f" {lane + 1}" if lane else ""
                title = f"reasons of {name}{suffix}"
                put(Output(title, "blocks", name, labels=labels, lane=lane, inherited=inherited), tree)

    def _outcome(self, decision: ir.Decision, lists: bool, put: Callable[[Output, exp.Expr], None]) -> None:
        given = self.given[decision.name]
        constants = None if given.items is None or lists else constant_items(given.items, decision.type)
        if given.items is not None and constants is not None:
            flags = [Flag("", present) for present, _ in given.items]
            for lane, tree in enumerate(lanes(flags)):
                name = f"{decision.name} {lane + 1}" if lane else decision.name
                labels = tuple(map(told, constants))
                put(Output(name, "items", decision.name, "", decision.type, labels, lane, items=constants), tree)
            return
        if given.items is not None:
            tree, shapes = listed(given.items, decision)
            put(Output(decision.name, "list", decision.name, type=decision.type, shapes=shapes), tree)
            return
        members = decision.members if isinstance(decision, ir.Decide) else ()
        if not members and not given.values:            # a derived fact that is rows, asked for by name
            raise Gap(decision.at, f"outcomes of kind `{decision.type.kind}`")
        for member, kind in members or (("", decision.type),):
            name = f"{decision.name}.{member}" if member else decision.name
            value = given.values[member] if member in given.values else st.NULL
            tree = typed(value.tree.copy(), kind, self.expressions.dialect.name != "duckdb")
            put(Output(name, "value", decision.name, member, kind), tree)

    def _status(self, refused: Sql, is_open: Sql) -> exp.Expr:
        text = [exp.Literal.string(t) for t in STATUS]
        return st.case([(refused.tree.copy(), text[2]), (is_open.tree.copy(), text[1])], text[0])

    def _missing(self, of: Sequence[str] | None = None) -> Flags:
        """The inputs and histories behind the open decisions, or those of them in `of`, in declared order."""
        found: dict[int | str, list[exp.Expr]] = {}
        level = 0
        for decision, given in self.given.items():
            if given.is_open.is_false or of is not None and decision not in of:
                continue
            for lane, bits in given.behind.lanes:
                held = st.case([(given.is_open.tree.copy(), bits.tree.copy())], st.whole(0))
                found.setdefault(lane, []).append(held)
                level = max(level, given.is_open.level, bits.level)
        flags = []
        columns = {}
        for lane, trees in found.items():
            whole = trees[0]
            for tree in trees[1:]:
                whole = st.binary(exp.BitwiseOr, whole, tree)
            columns[lane] = self.stages.named(Sql(whole, level))
        for index, name in enumerate(self.labels.names):
            lane, bit = divmod(index, 60)
            if lane in columns:
                tree = exp.BitwiseAnd(this=columns[lane].tree.copy(), expression=st.whole(1 << bit))
                holds = exp.NEQ(this=exp.Paren(this=tree), expression=st.whole(0))
                flags.append(Flag(name, self.stages.named(Sql(holds, columns[lane].level))))
        return flags

    def _assumed(self, missing: Flags) -> Flags:
        """Missing data that leave nothing open, as far as some decision that is shown reads them."""
        told = {f.label: f.holds for f in missing}
        read = self._read_by_rules() - {decl.name for decl in self.program.inputs if decl.model}
        flags = []
        for name in self.labels.names:
            if name not in read:
                continue
            kind = "Relation" if ("Relation", name) in self.expressions.nulls.names else "Input"
            null = self.expressions.nulls.names[(kind, name)].names
            flags.append(Flag(name, self.stages.named(st.both(null, st.opposite(told.get(name, st.FALSE))))))
        return [f for f in flags if not f.holds.is_false]

    def _read_by_rules(self) -> set[str]:
        """The inputs and histories that decisions with outcomes read, through derived facts too."""
        by_name = {d.name: d for d in self.reach.decisions}
        histories = {h.name: h for h in self.program.histories}
        parameters = {p.name: p for p in self.program.parameters}
        behind = inputs_behind(self.program)
        found: set[str] = set()
        for decision in by_name.values():
            if decision.internal:
                continue
            used = reached(reads(used_expressions(decision)), histories)
            direct = reached(with_parameters(used, parameters), histories)
            found |= direct.inputs | direct.relations
            found |= {name for ref in direct.refs if by_name[ref].internal for name in behind[ref]}
        return found

    def _final(self, keep: Sequence[str], trees: Sequence[tuple[str, exp.Expr]]) -> exp.Select:
        kept = [exp.alias_(st.quoted(name), f"k{i}") for i, name in enumerate(keep)]
        queries = self.stages.queries(kept)
        final = exp.select(
            *(exp.alias_(st.column(f"k{i}"), exp.to_identifier(name, quoted=True)) for i, name in enumerate(keep)),
            *(exp.alias_(tree, exp.to_identifier(name, quoted=True)) for name, tree in trees),
            copy=False,
        ).from_(exp.Table(this=exp.to_identifier(queries[-1][0])), copy=False)
        query = tidied(st.with_queries(final, queries), self.stages.names.solid)
        if self.expressions.dialect.name != "duckdb":
            return query
        return packed(enumerated(decoded(query, self.stages.names.solid)))


def decided(program: ir.Program, reach: Cone, of: Expressions) -> tuple[dict[str, Item], Sql]:
    """A policy that is decided for each row, in the scope of the rows: what it gives, and which rows it refuses."""
    compiler = DecisionCompiler(of, Reasons(of.stages, program), of.nulls.labels, Wanted())
    outcomes: dict[str, Item] = {}
    refusing = []
    for decision in reach.decisions:
        given = compiler.decision(decision)
        refusing.append(refuses(of, decision, given))
        if decision.internal or given.items is not None:
            continue
        single = "" in given.values
        outcomes[decision.name] = given.values[""] if single else Members(given.values)
    return outcomes, st.either(*refusing)


def refuses(of: Expressions, decision: ir.Decision, given: Given) -> Sql:
    """Whether a decision refuses the customer: it is open, or what it hands to an imported policy does not fit."""
    if isinstance(decision, ir.Decide) and decision.binds is not None:
        misfit = unfit(of, decision.binds.type, decision.binds.domain, given.values[""])
        return of.stages.named(st.either(given.refuses, misfit))
    return given.refuses


def used_expressions(decision: ir.Decision) -> list[ir.Node]:
    """The expressions of a decision, without the local names that none of its rules reads."""
    if isinstance(decision, ir.Score) or decision.hit == "value":
        return list(expressions(decision))
    where = dict(decision.where)
    roots = list(expressions(decision.replace(where=())))
    for root in roots:                                  # grows by the locals that are read
        names = [n.name for n in walk(root) if isinstance(n, ir.Local) and n.name in where]
        roots += [where.pop(name) for name in names if name in where]
    return roots


def typed(tree: exp.Expr, kind: Type, always: bool = False) -> exp.Expr:
    """A whole null column must not be of the database's own choice of type, nor any column of a warehouse's."""
    if (always or isinstance(tree, exp.Null)) and kind.kind in COLUMN_TYPES:
        return exp.cast(tree, COLUMN_TYPES[kind.kind])
    return tree


COLUMN_TYPES = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "TEXT", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.DATE_TIME: "TIMESTAMP", dt.TIME: "TIME", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}


def listed(items: Sequence[tuple[Sql, Item]], decision: ir.Decision) -> tuple[exp.Expr, tuple[tuple[str, ...], ...]]:
    """The items that are there, as a list of structs, and the names of each shape that an item may have. A struct has
    all members of the decision, and the number of its shape where items differ in theirs; a scalar is its only
    member."""
    shapes = tuple(dict.fromkeys(tuple(i.fields) for _, i in items if isinstance(i, Members)))
    names = tuple(dict.fromkeys(name for shape in shapes for name in shape))
    kind = decision.type.item or decision.type
    kinds = dict(kind.fields or ())
    wrapped = []
    for present, item in items:
        if isinstance(item, Sql):
            fields = [(VALUE, typed(item.tree.copy(), kind))]
        else:
            fields = [(name, typed(item.scalar(name).tree.copy(), kinds.get(name, kind))) for name in names]
            if len(shapes) > 1:
                fields.append((SHAPE, st.whole(shapes.index(tuple(item.fields)))))
        struct = exp.Struct(expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=tree) for name, tree in fields
        ])
        wrapped.append(st.case([(present.tree.copy(), struct)]))
    if not wrapped:
        return exp.Array(expressions=[]), shapes
    return exp.ArrayCompact(this=exp.Array(expressions=wrapped)), shapes
