"""A whole program as one Python function, and what stands around it.

The function takes the customer's inputs, the date and the histories,
and gives the outcomes with their trace. `checked` tests each input inline and gives
`SLOW` for any datum that is not of the common form, which the door then looks at;
`trusted` takes data that were admitted already. A customer who is refused after the
data were sound (an open decision under `refuse`, a value that an imported policy does
not take) gives None, and the reference says why.
"""
from __future__ import annotations

import datetime
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.backends.python import runtime
from engine.backends.python.decisions import DecisionEmitter
from engine.backends.python.decode import Decoder
from engine.check.rules import LIMIT
from engine.ir import nodes as ir
from engine.ir.door import EXACT, admit_history, admit_inputs, handed_over
from engine.ir.reads import Cone, cone, decision_reads, expressions, reads, walk
from engine.ir.rewrites import rewritten
from engine.semantics import dtypes as dt
from engine.semantics.binding import bound
from engine.semantics.catalogue import Operation
from engine.semantics.declarations import InputDecl

#: Whole numbers that Python compares fastest; larger ones take the door.
SMALL = 2**30 - 1

Relations = Mapping[str, Sequence[Mapping[str, Any]] | None]
#: (values by decision, trace) of a decided customer.
Result = tuple[dict[str, Any], tuple[Any, ...]]


class Compiled:
    """A program compiled for the outcomes of a cone. `source` is the generated text, for people.

    `trusted` is the function without checks, made when it is first called: compiling costs a good
    part of a short run, and sound data of the plain form never need it.
    """

    def __init__(
        self, program: ir.Program, reach: Cone, source: str, checked: Callable[..., Any],
        trusted: Callable[[], Callable[..., Any]], decoder: Decoder,
    ) -> None:
        self.program = program
        self.reach = reach
        self.reads_history = bool(reach.relations)
        #: Whether it loops or makes texts and lists, and so needs a bound on its work.
        derived = any(h.each is not None and h.name in reach.relations for h in program.histories)
        self.laborious = derived or any(map(_laborious, reach.decisions))
        self.source = source
        self.checked = checked
        self._make_trusted = trusted
        self._trusted: Callable[..., Any] | None = None
        self.decoder = decoder

    def trusted(
        self, inputs: Mapping[str, Any], as_of: datetime.date, relations: Relations | None = None
    ) -> Result | None:
        """Decide admitted data without checks: values and trace, None where the customer is refused."""
        if self._trusted is None:
            self._trusted = self._make_trusted()
        result: Result | None = self._trusted(inputs, as_of, relations or {})
        return result

    def at(self, as_of: datetime.date, checks: bool = False) -> Callable[[Mapping[str, Any]], Any]:
        """The bare generated function with a date bound, for loops over customers without histories.

        Without `checks` the data must have been admitted, and it gives a `Result` or None; with them it may
        also give `runtime.SLOW`.
        """
        function = self.checked if checks else self._trusted or self._make_trusted()
        bound = types.FunctionType(function.__code__, function.__globals__, function.__name__, (as_of, {}))
        return bound


def _laborious(decision: ir.Decision) -> bool:
    return any(
        isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group))
        or (isinstance(node, ir.Call) and (node.type.kind in (dt.STRING, dt.LIST) or node.op == "matches"))
        for root in expressions(decision)
        for node in walk(root)
    )


def compile_program(program: ir.Program, reach: Cone | None = None, inner: bool = False) -> Compiled:
    """Compile a program for a cone, by default that of its declared decisions.

    Where a function of a plugin fails, a customer gets None, and the reference says what comes of it; a policy that
    is decided for each row of another (`inner`) hands the failure on to that one.
    """
    reach = reach or cone(program, program.declared)
    settled = rewritten(program)
    source, checked, emitter = _compiled(settled, reach, inner, True)
    decoder = Decoder(program, emitter.traces, emitter.openable, tuple(d.name for d in reach.decisions))
    return Compiled(program, reach, source, checked, lambda: _compiled(settled, reach, inner, False)[1], decoder)


def _compiled(
    program: ir.Program, reach: Cone, inner: bool, checks: bool
) -> tuple[str, Callable[..., Any], ProgramEmitter]:
    """The function's text, itself, and what emitted it."""
    emitter = ProgramEmitter(program, reach, inner)
    source = emitter.function("decide", checks)
    pool = {**runtime.GLOBALS, **emitter.pool}
    exec(compile(source, f"<{program.name}>", "exec"), pool)  # noqa: S102 - text of our own making, literals by repr
    return source, pool["decide"], emitter


class ProgramEmitter(DecisionEmitter):
    """Emits the function of a program."""

    def __init__(self, program: ir.Program, reach: Cone, inner: bool) -> None:
        super().__init__(program.functions.catalogue)
        self.program = program
        self.may_fail = bool(program.functions) and not inner
        self.reach = reach
        self.parameters = {p.name: p for p in program.parameters}
        self.histories = {h.name: h for h in program.histories}
        self.tables = {t.name: t for t in program.tables}
        self._guards: dict[tuple[str, bool], Any] = {}
        self._derivations: set[str] = set()
        self._lookups: dict[tuple[str, str], Any] = {}

    def function(self, name: str, checks: bool) -> str:
        """The text of the function, with inline checks of its inputs or without."""
        self._inputs(checks)
        self._histories()
        self.emit("om = 0")
        needed = {d.name for d in self.reach.decisions}
        number = 0
        for decision in self.program.decisions:
            if decision.name not in needed:
                continue
            self._before(decision)
            self.decision(decision, number)
            if isinstance(decision, ir.Decide) and decision.binds is not None:
                self._binding(decision.binds, f"d{number}")
            number += 1
        self._return()
        head = [f"def {name}(row, as_of, r):", "    g = row.get"]
        if not self.may_fail:
            return "\n".join([*head, *self.lines, ""])
        lines = [f"    {line}" for line in self.lines]
        return "\n".join([*head, "    try:", *lines, "    except Failed:", "        return None", ""])

    # --- inputs and histories ----------------------------------------------------------

    def _inputs(self, checks: bool) -> None:
        for index, decl in enumerate(self.program.inputs):
            if decl.name not in self.reach.inputs:
                continue
            variable = f"i{index}"
            self.variables[("Input", decl.name)] = variable
            self.emit(f"{variable} = g({decl.name!r})")
            if checks:
                for other in dict.fromkeys((decl.column, decl.name.replace(" ", "_"))):
                    if other is not None and other != decl.name:
                        self.emit(f"if {variable} is None:")
                        self.emit(f"    {variable} = g({other!r})")
                self._check(decl, variable)
            if not decl.required:
                self.nullable.add(variable)

    def _check(self, decl: InputDecl, variable: str) -> None:
        """Leave the fast path for anything but a sound value of the plain form."""
        test = self._sound(decl, variable)
        if decl.type.kind in dt.NUMERIC:
            self._check_number(decl, variable, test)
            return
        absent = "" if decl.required else f"{variable} is not None and "
        self.emit(f"if {absent}not ({test}):")
        self.emit("    return SLOW")

    def _check_number(self, decl: InputDecl, variable: str, test: str) -> None:
        """Whole numbers are ints, all others floats: comparing an int with a float is slow."""
        form = "int" if decl.type.whole else "float"
        self.emit(f"if type({variable}) is {form}:")
        self.emit(f"    if not {test}:")
        self.emit("        return SLOW")
        if not decl.type.whole:
            self.emit(f"elif type({variable}) is int:")
            self.emit(f"    {variable} = float({variable}) if -{EXACT} <= {variable} <= {EXACT} else 1e308")
            self.emit(f"    if not {test}:")
            self.emit("        return SLOW")
        if decl.required:
            self.emit("else:")
        else:
            self.emit(f"elif {variable} is not None:")
        self.emit("    return SLOW")

    def _sound(self, decl: InputDecl, variable: str) -> str:
        kind = decl.type.kind
        if kind in dt.NUMERIC:
            low, high = (-SMALL, SMALL) if decl.type.whole else (-LIMIT, LIMIT)
            intervals = decl.domain.intervals if decl.domain is not None else ()
            if len(intervals) == 1:
                # strictly inside the declared range; its tolerant edges are the door's affair
                low = max(low, intervals[0].lower) if intervals[0].lower is not None else low
                high = min(high, intervals[0].upper) if intervals[0].upper is not None else high
                left = "<=" if intervals[0].lower is None or intervals[0].lower_closed else "<"
                right = "<=" if intervals[0].upper is None or intervals[0].upper_closed else "<"
                return f"{low!r} {left} {variable} {right} {high!r}"
            test = f"{low!r} <= {variable} <= {high!r}"
            return test if decl.domain is None else f"{test} and {self.pooled(decl.domain.holds)}({variable})"
        if kind == dt.BOOLEAN:
            return f"{variable} is True or {variable} is False"
        if kind == dt.STRING:
            test = f"type({variable}) is str"
            if decl.type.values is not None:
                test += f" and {variable} in {self.pooled(frozenset(decl.type.values))}"
            elif decl.domain is not None:
                test += f" and {self.pooled(decl.domain.holds)}({variable})"
            return test
        if kind == dt.DATE and decl.domain is None:
            return f"type({variable}) is {self.pooled(datetime.date)}"
        return "False"

    def _histories(self) -> None:
        for index, history in enumerate(self.program.histories):
            if history.name not in self.reach.relations:
                continue
            variable = f"r{index}"
            self.variables[("Relation", history.name)] = variable
            self.nullable.add(variable)
            if history.each is None:
                self.emit(f"{variable} = r.get({history.name!r})")

    def _before(self, decision: ir.Decision) -> None:
        """Parameters and relations derived by a policy for each row, before their first reader."""
        found = decision_reads(decision)
        for name in sorted(found.parameters):
            self._parameter(self.parameters[name])
        for name in sorted(found.relations):
            self._derived(name)

    def _derived(self, name: str) -> None:
        each = self.histories[name].each
        if each is None or name in self._derivations:
            return
        self._derivations.add(name)
        inner = reads(node for _, node in each.bindings)
        for parameter in sorted(inner.parameters):
            self._parameter(self.parameters[parameter])
        for relation in sorted({each.over, *inner.relations, *(h.source for h in each.histories)}):
            self._derived(relation)
        source, target = self.variables[("Relation", each.over)], self.variables[("Relation", name)]
        row = self.temporary()
        self.variables[("Local", "row")] = row
        values = ", ".join(f"{n!r}: {self.value(node)}" for n, node in each.bindings)
        decide = self.pooled(each_decider(each), "e")
        histories = "".join(f"{self.variables[('Relation', h.source)]}, " for h in each.histories)
        given = f"[{{{values}}} for {row} in {source} or ()]"
        self.emit(f"{target} = {decide}({source}, {given}, as_of, ({histories}))")

    def _parameter(self, parameter: ir.ParameterDecl) -> None:
        """The row that wins: of those begun and not false, the fewest wildcards, then the latest start."""
        if ("Parameter", parameter.name) in self.variables:
            return
        found = reads(row.guard for row in parameter.rows)
        for name in sorted(found.parameters):
            self._parameter(self.parameters[name])
        variable = f"p{list(self.parameters).index(parameter.name)}"
        self.variables[("Parameter", parameter.name)] = variable
        self.nullable.add(variable)
        rows = sorted(parameter.rows, key=lambda row: (row.wildcards, -row.start.toordinal()))
        self.emit("while True:")
        self.indent += 1
        closed = False
        for row in rows:
            self.emit(f"if as_of >= {self.pooled(row.start)}:" if row.start != datetime.date.min else "if True:")
            self.indent += 1
            condition, unknown = self.true(row.guard), self.unknown(row.guard)
            if condition == "True":
                self.emit(f"{variable} = {self.literal(row.value)}")
                self.emit("break")
                closed = row.start == datetime.date.min and row.value is not None
            elif condition != "False":
                self.emit(f"if {condition}:")
                self.emit(f"    {variable} = {self.literal(row.value)}")
                self.emit("    break")
            if condition != "True" and unknown != "False":
                self.emit(f"if {unknown}:")
                self.emit(f"    {variable} = None")
                self.emit("    break")
            if condition == "False" and unknown == "False":
                self.emit("pass")
            self.indent -= 1
        self.emit(f"{variable} = None")
        self.emit("break")
        self.indent -= 1
        if closed and all(r.value is not None for r in rows) and all(self.unknown(r.guard) == "False" for r in rows):
            self.nullable.discard(variable)

    def _binding(self, decl: InputDecl, variable: str) -> None:
        """A value handed to an imported policy's input must satisfy its declaration."""
        tests = []
        if decl.type.whole:
            tests.append(f"-{EXACT} <= {variable} <= {EXACT} and float({variable}).is_integer()")
        if decl.type.values is not None:
            tests.append(f"{variable} in {self.pooled(frozenset(decl.type.values))}")
        if decl.domain is not None:
            floor = 1e-4 if decl.type.kind == dt.MONEY else 1e-12
            tests.append(f"{self.pooled(decl.domain.holds)}({variable}, {floor!r})")
        if decl.required and variable in self.nullable:
            self.emit(f"if {variable} is None:")
            self.emit("    return None")
        if tests:
            present = f"{variable} is not None and " if variable in self.nullable else ""
            self.emit(f"if {present}not ({' and '.join(tests)}):")
            self.emit("    return None")

    def _return(self) -> None:
        shown = [d.name for d in self.reach.decisions if self.reach.shows(d)]
        order = {name: place for place, name in enumerate(self.program.declared)}
        shown.sort(key=lambda name: order.get(name, len(order)))
        values = ", ".join(f"{n!r}: {self.variables[('Ref', n)]}" for n in shown)
        trace: list[str] = ["om"]
        for spec in self.traces:
            trace.extend(spec.parts)
            if spec.flag:
                trace.append(spec.flag)
        self.emit(f"return {{{values}}}, ({', '.join(trace)},)")

    # --- what expressions call --------------------------------------------------------------

    def guarded(self, operation: Operation, untyped: bool) -> Any:
        key = operation.name, untyped
        if key not in self._guards:
            self._guards[key] = runtime.guarded(bound(operation) if untyped else operation)
        return self._guards[key]

    def pool_table(self, node: ir.Lookup) -> str:
        key = (node.table, node.column)
        if key not in self._lookups:
            table = self.tables[node.table]
            make = runtime.by_band if table.mode == "band" else runtime.by_key
            self._lookups[key] = make(table, node.column)
        return self.pooled(self._lookups[key], "l")


def each_decider(each: ir.EachDecl) -> Callable[..., Any]:
    """Decides a policy for each row of a history: the rows with its outcomes as columns."""
    program = each.program
    wanted = [d.name for d in program.decisions if not d.internal]
    compiled = compile_program(program, cone(program, [d.name for d in program.decisions]), inner=True)
    nothing = dict.fromkeys(wanted)

    def decide(
        rows: Sequence[dict[str, Any]] | None, inputs: Sequence[dict[str, Any]], as_of: datetime.date,
        sources: Sequence[Sequence[dict[str, Any]] | None],
    ) -> Any:
        if rows is None:
            return None
        history_of = handed_over(each, sources)
        decided = []
        for row, values in zip(rows, inputs, strict=True):
            result = decide_admitted(compiled, values, as_of, history_of(values))
            decided.append({**row, **(nothing if result is None else result[0])})
        return decided

    return decide


def decide_admitted(
    compiled: Compiled, inputs: Mapping[str, Any], as_of: datetime.date, history: Relations
) -> Result | None:
    """Decide data that the engine computed itself: checked inline, then at the door, None where refused."""
    relations, faults = admit_history(compiled.program, compiled.reach, history, as_of)
    if faults:
        return None
    result = compiled.checked(inputs, as_of, relations)
    if result is runtime.SLOW:
        values, faults = admit_inputs(compiled.program, compiled.reach, inputs)
        return None if faults else compiled.trusted(values, as_of, relations)
    final: Result | None = result
    return final
