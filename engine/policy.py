"""Policies: load, decide, and say what they take.

A policy file, or a folder of its versions, becomes a `Policy`; `decide` picks the
version in force on the decision's date.
"""
from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.backends.python.program import Compiled, Result, compile_program
from engine.backends.python.runtime import SLOW
from engine.backends.reference.program import Trace, exhausted
from engine.backends.reference.program import decide as reference_decide
from engine.backends.support import Unsupported
from engine.contract import input_schema
from engine.decision import Decision, output_values
from engine.diagnostics import Diagnostic
from engine.functions import functions_of
from engine.ir import nodes as ir
from engine.ir.building import uncollected
from engine.ir.door import Refusal, Relations, admit_history, admit_input, admit_inputs, raw_input
from engine.ir.portfolio import with_leaves
from engine.ir.previous import previous_inputs
from engine.ir.reads import Cone, cone
from engine.reads import Reads
from engine.records import Record
from engine.semantics.work import Exhausted, allowance

if TYPE_CHECKING:
    import os

    from engine.check.load import Checked
    from engine.hooks import Plugins
    from engine.runs import Summary
    from engine.scoring.bound import Bound

__all__ = ["Decision", "Policy", "PolicyError", "check_policy", "load_policy"]

NO_RELATIONS: Relations = {}
History = Mapping[str, Sequence[Mapping[str, Any]] | None]


class PolicyError(Exception):
    """A policy that cannot be used; `diagnostics` say why, `sources` hold the texts they point into."""

    def __init__(self, diagnostics: Sequence[Diagnostic], sources: Mapping[str, str]) -> None:
        errors = [d for d in diagnostics if d.is_error]
        first = f": {errors[0].message}" if errors else ""
        super().__init__(f"the policy has {len(errors)} error{'s' if len(errors) != 1 else ''}{first}")
        self.diagnostics = tuple(diagnostics)
        self.sources = dict(sources)


class Version(Record):
    """A program and the days, both included, on which it is in force."""

    start: datetime.date
    end: datetime.date
    program: ir.Program


class Policy:
    """A policy that decides.

    `versions` stand in the order of their periods; a single version decides every date, since a
    backtest may ask before its period began. `diagnostics` hold the warnings.
    """

    def __init__(
        self, versions: Sequence[Version], diagnostics: Sequence[Diagnostic] = (),
        sources: Mapping[str, str] | None = None, reads: Reads | None = None,
    ) -> None:
        self.versions = tuple(versions)
        self.warnings = tuple(diagnostics)      # of the checker alone
        self.reads = reads                      # of the files it was loaded from, None where it was not
        self._analysed: tuple[Diagnostic, ...] | None = None
        self.sources = dict(sources or {})
        self.scorers: dict[str, Bound] = {}
        self._has_models = any(v.program.models for v in self.versions)
        self._only_version: Compiled | None = None
        self._compiled: dict[tuple[int, tuple[str, ...] | None], Compiled] = {}
        self._cones: dict[tuple[int, tuple[str, ...] | None], Cone] = {}
        self._stages: dict[tuple[int, tuple[str, ...] | None], tuple[tuple[ir.ModelDecl, ...], ...]] = {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The warnings, those of the analyses included; these are made when first asked for."""
        if self._analysed is None:
            programs = [v.program for v in self.versions]
            self._analysed = _checker().with_analyses(self.warnings, programs, self.sources)
        return self._analysed

    @property
    def program(self) -> ir.Program:
        """The latest version's program."""
        return self.versions[-1].program

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.program.name

    def program_at(self, day: datetime.date) -> ir.Program:
        """The program in force on `day`; the first or last where none is."""
        for version in self.versions:
            if day <= version.end:
                return version.program
        return self.versions[-1].program

    def decide(
        self,
        inputs: Mapping[str, Any],
        *,
        as_of: datetime.date,
        history: History | None = None,
        only: Sequence[str] | None = None,
        engine: str = "python",
        previous: Mapping[str, Any] | Decision | None = None,
    ) -> Decision:
        """Decide one customer as of a date.

        `inputs` are by declared name, by `column`, or by name with underscores; None or absent is missing.
        `history` gives rows by history; a history left out is not supplied. `only` names the decisions
        and features asked for; what they do not need is not looked at. Data that are bad refuse the customer, they do
        not raise; only a call that is wrong in itself does: TypeError for a date, inputs or histories of
        another kind, ValueError for an unknown engine, KeyError for an unknown decision. `engine` is
        "python" or "reference". `previous` is the last logged decision of this customer, for policies that read
        `previous.tier` and the like: a `Decision`, or decisions with their outcomes and its date as `as of`.
        """
        if type(inputs) is not dict or type(as_of) is not datetime.date or history.__class__ not in _USUAL:
            as_of = _called_well(inputs, as_of, history)
        inputs = dict(inputs)  # explanations come later, and must not see what the caller changes meanwhile
        if previous is not None:
            inputs.update(previous_inputs(self.program_at(self._day(inputs, as_of)), _logged(previous), as_of))
        if self._has_models:
            return self._scored(inputs, as_of, history, only, engine)
        return self._decided(inputs, as_of, history, only, engine)

    def _decided(
        self, inputs: dict[str, Any], as_of: datetime.date, history: History | None, only: Sequence[str] | None,
        engine: str,
    ) -> Decision:
        """Decide a customer whose inputs are complete, the answers of scorers included."""
        compiled = self._only_version
        if compiled is None or only is not None or engine != "python":
            if engine not in ("python", "reference"):
                raise ValueError(f"no engine is called {engine!r}; there are 'python' and 'reference'")
            program = self.program_at(self._day(inputs, as_of))
            if engine == "reference":
                return self._reference(program, inputs, history, as_of, only)
            compiled = self.compiled(program, only)
            if only is None and len(self.versions) == 1:
                self._only_version = compiled
        relations = NO_RELATIONS
        if compiled.reads_history:
            relations, faults = admit_history(compiled.program, compiled.reach, history, as_of)
            if faults:
                return self._reference(compiled.program, inputs, history, as_of, only)
        if compiled.laborious:
            try:
                with allowance():
                    result = _generated(compiled, inputs, as_of, relations)
            except Exhausted as why:
                program, told = compiled.program, exhausted(compiled.program, str(why))
                return Decision({}, (self.trace, program, inputs, history, as_of, only, told))
        else:
            result = compiled.checked(inputs, as_of, relations)
            if result is SLOW:
                result = _generated(compiled, inputs, as_of, relations)
        if result is None:
            return self._reference(compiled.program, inputs, history, as_of, only)
        return Decision(result[0], (self.trace, compiled, inputs, relations, as_of, only, result))

    def _scored(
        self, inputs: dict[str, Any], as_of: datetime.date, history: History | None, only: Sequence[str] | None,
        engine: str,
    ) -> Decision:
        """Decide what scorers are asked, ask them, and decide the rest."""
        single = import_module("engine.scoring.single")
        program = self.program_at(self._day(inputs, as_of))
        key = (id(program), None if only is None else tuple(only))
        wanted = self._stages.get(key)
        if wanted is None:
            reach = {d.name for d in self.cone(program, only).decisions}
            asked = [model for model in program.models if model.decision in reach]
            wanted = self._stages[key] = import_module("engine.ir.models").stages(asked, program)

        def decide(given: dict[str, Any], names: Sequence[str]) -> Mapping[str, Any] | None:
            found = self._decided(given, as_of, history, names, engine)
            return None if found.refused else found.values

        found, told = single.with_answers(program, wanted, inputs, self.scorers, decide)
        decision = self._decided(found, as_of, history, only, engine)
        decision.told_of_models(told)
        return decision

    def bind(self, scorers: Mapping[str, Bound]) -> None:
        """Let these scorers answer the models of this policy, by the models' names.

        Raises PolicyError where one takes or gives something else than the policy states.
        """
        bound = import_module("engine.scoring.bound")
        found = [
            diagnostic for version in self.versions for model in version.program.models if model.model in scorers
            for diagnostic in bound.misfits(model, scorers[model.model])
        ]
        if found:
            raise PolicyError(found, self.sources)
        self.scorers.update(scorers)

    def _day(self, inputs: Mapping[str, Any], as_of: datetime.date) -> datetime.date:
        """The day whose version decides: the stated application date, else the date of the decision."""
        name = self.program.application_date
        if name is None:
            return as_of
        decl = next(i for i in self.program.inputs if i.name == name)
        try:
            day: datetime.date | None = admit_input(decl, raw_input(decl, inputs))
        except Refusal:
            return as_of  # the door refuses the customer
        return day or as_of

    def compiled(self, program: ir.Program, only: Sequence[str] | None = None) -> Compiled:
        """The generated evaluator of one version's program, made when first asked for."""
        key = (id(program), None if only is None else tuple(only))
        found = self._compiled.get(key)
        if found is None:
            with uncollected():
                found = self._compiled[key] = compile_program(program, self.cone(program, only))
        return found

    def _reference(
        self, program: ir.Program, inputs: Mapping[str, Any], history: History | None, as_of: datetime.date,
        only: Sequence[str] | None,
    ) -> Decision:
        trace = self.trace(program, inputs, history, as_of, only)
        values = {} if trace.refused else output_values(program, trace, self.cone(program, only))
        return Decision(values, (self.trace, program, inputs, history, as_of, only, trace))

    def trace(
        self, program: ir.Program, inputs: Mapping[str, Any], history: History | None, as_of: datetime.date,
        only: Sequence[str] | None = None,
    ) -> Trace:
        """The reference evaluator's account."""
        reach = self.cone(program, only)
        try:
            with allowance():
                return reference_decide(program, inputs, history, as_of, reach)
        except Exhausted as why:
            return exhausted(program, str(why))

    def cone(self, program: ir.Program, only: Sequence[str] | None = None) -> Cone:
        """What the outcomes asked for hang on; KeyError where there is no such decision."""
        key = (id(program), None if only is None else tuple(only))
        if key not in self._cones:
            if only is not None:
                _known_decisions(program, only)
            # Decisions of imported policies count as far as the policy's own read them.
            found = cone(program, program.declared if only is None else only)
            if program.application_date is not None:
                # It picks the version: a bad one must refuse the customer, though no rule may read it.
                found = found.replace(inputs=found.inputs | {program.application_date})
            self._cones[key] = found.replace(asked=frozenset(only or ()))
        return self._cones[key]

    def with_leaves(self) -> Policy:
        """The policy with what its portfolio values read of one customer among its decisions."""
        versions = [v.replace(program=with_leaves(v.program)) for v in self.versions]
        found = Policy(versions, self.warnings, self.sources, self.reads)
        found.scorers = self.scorers
        return found

    def decide_many(
        self, rows: Iterable[Mapping[str, Any]], *, as_of: datetime.date, history: Mapping[str, Any] | None = None
    ) -> Iterator[Decision]:
        """Decide customers one by one, in order, lazily; a row may bring its own date as `as of`."""
        for row in rows:
            day = row.get("as of", as_of) if isinstance(row, Mapping) else as_of
            yield self.decide(row, as_of=day, history=history)

    def run(
        self, data: str | os.PathLike[str] = "", *, as_of: datetime.date, out: str | os.PathLike[str],
        history: Mapping[str, str | os.PathLike[str]] | None = None, engine: str | None = None, **options: Any,
    ) -> Summary:
        """Decide a portfolio as `tierwise run` does, and write the results to `out`.

        `data` and each table of `history` are places: a CSV, JSON lines or Parquet file, a workbook, a table of a
        database. `engine` is "duckdb", "python" or "spark"; without it, what suits the tables. `options` are those of
        the command: `only`, `where`, `limit`, `extras` (its `--with`), `form`, `rejects`, `strict`, `max_refused`,
        `on_repeated_key`, `on_null_key`, `on_orphan`, `on_keyless_event`, `previous`, `previous_as_of`, `run_id`,
        `part_rows`, `memory_limit`, `threads`, `master`, `missing`, `date_format`, `actions`, `ledger`, `portfolio`,
        and `deployment`, the file whose sources give what the tables do not, the customers too without `data`.
        Refused rows are among the results, they do not raise. Raises DataProblem where data cannot be read or results
        not written, PolicyError for a policy that the engine does not carry out or a condition with errors, ValueError
        for a call that cannot be carried out as it stands.
        """
        running = import_module("engine.portfolio.running")
        found: Summary = running.called(self, data, as_of, out, history or {}, engine, options, PolicyError)
        return found

    def sql(
        self, dialect: str = "duckdb", *, as_of: datetime.date | None = None, only: Sequence[str] | None = None,
        extras: Sequence[str] = (), lists: bool = False, table: str = "customers",
        history: Mapping[str, str] | None = None, pretty: bool = False,
    ) -> str:
        """The policy as one statement, as `tierwise sql` prints it.

        `dialect` is "duckdb", "spark", "postgres", "snowflake" or "bigquery". The date is a parameter unless `as_of`
        gives it, which picks the version too. `extras` are sets beside the outcomes ("reasons", "fired", "open",
        "missing", ...), as bits or with `lists` as lists of texts. `table` holds the customers, `history` names the
        tables of histories that are not called as the policy calls them. Raises PolicyError for what the
        dialect cannot say, KeyError for an unknown decision or history, ValueError for another dialect or no table.
        """
        program = self.program if as_of is None else self.program_at(as_of)
        if only is not None:
            _known_decisions(program, only)
        for name in history or {}:
            if name not in {h.name for h in program.histories if h.each is None}:
                raise KeyError(f"there is no history {name!r}")
        made = import_module("engine.backends.sql.statement")
        asked = made.Asked(dialect, only, tuple(extras), lists, table, dict(history or {}), as_of, pretty)
        with self._compiling():
            text: str = made.statement(program, asked)
        return text

    def decide_frame(
        self, frame: Any, *, as_of: datetime.date, history: Mapping[str, Any] | None = None,
        only: Sequence[str] | None = None, extras: Sequence[str] = ("reasons", "open", "missing"), lists: bool = True,
    ) -> Any:
        """Decide the rows of a Spark DataFrame; gives a DataFrame, which is computed when it is asked for.

        Columns bind by name as everywhere, and a column of another type is read where that is exact: a cell that is
        not makes its row refused. `history` holds the DataFrames of histories; one that is left out is not supplied.
        The result has the key, the outcomes, `status` (decided, open, refused) and the sets in `extras`, as
        lists of texts or else as bits. The session plans it, best with
        `spark.sql.optimizer.runtime.bloomFilter.enabled` set to false: that rule can take all memory over policies of
        many stages. Needs `pip install "tierwise[spark]"`. Raises PolicyError for what Spark does not carry out,
        KeyError for an unknown decision or history, ValueError for a column that cannot be read.
        """
        day = _called_well({}, as_of, None)
        program = self.program_at(day)
        if only is not None:
            _known_decisions(program, only)
        for name in history or {}:
            if name not in {h.name for h in program.histories if h.each is None}:
                raise KeyError(f"there is no history {name!r}")
        frames = import_module("engine.backends.sql.frames")
        with self._compiling():
            return frames.decide_frame(program, frame, day, history, only, tuple(extras), lists)

    @contextmanager
    def _compiling(self) -> Iterator[None]:
        """What an engine does not carry out, as an error of the policy."""
        try:
            yield
        except Unsupported as lacking:
            raise PolicyError(lacking.diagnostics, self.sources) from None

    def input_schema(self) -> dict[str, Any]:
        """The policy's input contract as JSON Schema."""
        return input_schema(self.program)


#: Classes of a history that need no second look, which costs a tenth of a decision.
_USUAL = frozenset({dict, type(None)})


def _called_well(inputs: Any, as_of: Any, history: Any) -> datetime.date:
    """The date of a decision; raises TypeError for arguments of another kind."""
    if not isinstance(inputs, Mapping):
        raise TypeError(f"inputs are a mapping of names to values, not {type(inputs).__name__}")
    if history is not None and not isinstance(history, Mapping):
        raise TypeError(f"history is a mapping of names to lists of rows, not {type(history).__name__}")
    if isinstance(as_of, datetime.datetime):
        raise TypeError("as_of is a datetime.date, not a datetime; say which day with .date()")
    if not isinstance(as_of, datetime.date):
        raise TypeError(f"as_of is a datetime.date, not {type(as_of).__name__}")
    return as_of


def _logged(previous: Any) -> Mapping[str, Any] | None:
    """A previous decision as its outcomes and date; raises TypeError for what is neither."""
    if isinstance(previous, Decision):
        return None if previous.refused else {**previous.values, "as of": previous.as_of}
    if not isinstance(previous, Mapping):
        raise TypeError(f"previous is a decision or a mapping of decisions to outcomes, not {type(previous).__name__}")
    return previous


def _known_decisions(program: ir.Program, only: Sequence[str]) -> None:
    """Raise TypeError or KeyError where `only` does not name decisions."""
    if isinstance(only, str):
        raise TypeError(f"only is a list of names, as [{only!r}]")
    names = [d.name for d in program.decisions]
    for name in only:
        if name not in names:
            import difflib  # noqa: PLC0415 - wanted only where something is misspelt

            near = difflib.get_close_matches(str(name), names, 1)
            raise KeyError(f"there is no decision {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _generated(
    compiled: Compiled, inputs: dict[str, Any], as_of: datetime.date, relations: Relations
) -> Result | None:
    """What generated code says, of data that its inline checks do not take too; None where the reference must say."""
    result: Result | None = compiled.checked(inputs, as_of, relations)
    if result is SLOW:
        admitted, faults = admit_inputs(compiled.program, compiled.reach, inputs)
        return None if faults else compiled.trusted(admitted, as_of, relations)
    return result


def check_policy(path: str | Path, plugins: Plugins | None = None) -> Checked:
    """All findings about the policy, or folder of versions, at `path`; the analyses run where there are no errors.

    `plugins` bring the sets of functions that it names; by default those of the engine, of installed packages and
    of the project file.
    """
    checked: Checked = _checker().check(Path(path), functions_of(path, plugins))
    return checked


def load_policy(path: str | Path, plugins: Plugins | None = None) -> Policy:
    """Load the policy, or folder of versions, at `path`; raises `PolicyError` where it has errors. `plugins` are as for
    `check_policy`."""
    with uncollected():
        checker = _checker()
        checked: Checked = checker.check_path(Path(path), functions_of(path, plugins))
        if checked.has_errors or not checked.stretches:
            raise PolicyError(checked.diagnostics, checked.sources)
        versions = [Version(s.start, s.end, checker.lower(s.model)) for s in checked.stretches]
        return Policy(versions, checked.diagnostics, checked.sources, checked.reads)


def _checker() -> Any:
    """The checker and the way from its models to programs. A third of a short run is importing it, which
    a policy that was kept from an earlier run (`engine.keeping`) does not need."""
    return import_module("engine.ir.findings")
