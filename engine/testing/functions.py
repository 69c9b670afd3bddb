"""The contract of a function, or of several."""
from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from engine import feel
from engine.diagnostics import Problem
from engine.functions.reading import function_set, read_type
from engine.hookspecs import Function
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.functions import PluginFunction
from engine.semantics.values import Failed, LimitExceeded, Undefined, YearsMonths
from engine.testing.contract import Contract, fail, on_another_thread
from engine.testing.values import Maker, same

#: How a column of the type is declared in DuckDB.
_COLUMNS: Mapping[str, str] = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "VARCHAR", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.TIME: "TIME", dt.DATE_TIME: "TIMESTAMP", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}
_MICROSECOND = datetime.timedelta(microseconds=1)


class FunctionContract(Contract):
    """What functions must hold to. Set `function`, or `functions`.

    Numbers are made up between a million below and above nought; `ranges` narrows them by the parameter's name, as
    `{"months": (1, 360)}`. `arguments` are lists of arguments of your own, for a class that tests one function.
    """

    function: Function | None = None
    functions: Sequence[Function] = ()
    arguments: Sequence[Sequence[Any]] = ()
    ranges: Mapping[str, tuple[float, float]] = {}
    size: int = 300

    @property
    def all(self) -> list[Function]:
        found = [*self.functions, *([self.function] if self.function is not None else [])]
        if not found:
            raise fail(f"`{type(self).__name__}` does not say what it tests", "set `function`, or `functions`")
        return found

    # --- signature and examples -----------------------------------------------------------

    def test_signatures(self) -> None:
        for function in self.all:
            _read(function)
            if not function.help.strip():
                raise fail(f"`{function.name}` has no help",
                           "say in `help` what it gives; the reference of functions shows it")

    def test_examples(self) -> None:
        for function in self.all:
            for arguments, expected in function.examples:
                given = _evaluated(function, f"[{arguments}]", arguments)
                wanted = _evaluated(function, expected, expected)
                found = self._answer(function, given)
                if not same(found, wanted) and not _about(found, wanted):
                    raise fail(f"the example `{function.name}({arguments})` gives {found!r}, not `{expected}`",
                               "mend the function or its example")

    # --- what it gives ----------------------------------------------------------------------

    def calls(self, function: Function) -> list[list[Any]]:
        """Lists of arguments: of your own, then made-up ones; some without the optional ones."""
        maker = Maker(self.seed)
        made: list[list[Any]] = []
        kinds = [self._narrowed(name, text) for name, text in function.parameters.items()]
        if not any(kind.kind == dt.CONTEXT and kind.fields is None for kind in map(_innermost, kinds)):
            for n in range(self.size):
                made.append([maker.value(kind, n * (2 * i + 1) % self.size if n < self.size // 2 else self.size + n)
                             for i, kind in enumerate(kinds)])
            required = len(kinds) - len(function.optional)
            made += [arguments[:count] for count in range(required, len(kinds)) for arguments in made[:20]]
        given = [list(arguments) for arguments in self.arguments] if self.function is function else []
        return [*given, *made]

    def _narrowed(self, name: str, text: str) -> Type:
        kind = read_type(text)
        low, high = self.ranges.get(name, (None, None))
        if kind.kind == dt.LIST and kind.item is not None:
            return kind.replace(item=kind.item.replace(lower=low, upper=high))
        return kind.replace(lower=low, upper=high)

    def _answer(self, function: Function, arguments: Sequence[Any]) -> Any:
        """What the engine makes of a call, by the engine's own hand: null for a null argument, and where the body has
        no value."""
        if not function.handles_missing and any(a is None for a in arguments):
            return None
        try:
            return self._kernel(function)(*arguments)
        except (Undefined, LimitExceeded):
            return None
        except Failed as failed:
            raise fail(
                f"for {_short(tuple(arguments))} {failed.message}",
                f"give a {function.result}; where known arguments have no value, return None or raise `ValueError`: "
                "anything else is a failure, which opens the decision") from failed.__context__

    def _kernel(self, function: Function) -> Callable[..., Any]:
        """The body as the engine calls it, read once a test."""
        kept: dict[int, Callable[..., Any]] = self.__dict__.setdefault("kernels", {})
        if id(function) not in kept:
            kept[id(function)] = _read(function).operation.kernel
        return kept[id(function)]

    def test_results_have_the_declared_type(self) -> None:
        for function in self.all:
            for arguments in self.calls(function):
                self._answer(function, arguments)

    def test_nulls(self) -> None:
        for function in self.all:
            if not function.handles_missing:
                continue
            for arguments in self.calls(function)[:50]:
                for place in range(len(arguments)):
                    self._answer(function, [None if i == place else a for i, a in enumerate(arguments)])
                self._answer(function, [None] * len(arguments))

    def test_the_same_result_again(self) -> None:
        for function in self.all:
            for arguments in self.calls(function):
                first = self._answer(function, arguments)
                again = self._answer(function, arguments)
                if not same(first, again):
                    raise fail(
                        f"`{function.name}` gives {_short(first)}, then {_short(again)} for {_short(tuple(arguments))}",
                        "a function may hang on its arguments alone: no clock, no chance, nothing kept")

    def test_it_answers_on_another_thread(self) -> None:
        for function in self.all:
            for arguments in self.calls(function)[:1]:
                here = self._answer(function, arguments)
                if not same(here, on_another_thread(partial(self._answer, function, arguments))):
                    raise fail(f"`{function.name}` answers otherwise on another thread", "keep nothing between calls")

    # --- columnar ----------------------------------------------------------------------------

    def test_the_sql_form_agrees_with_the_body(self) -> None:
        for function in self.all:
            if function.sql is None:
                continue
            typed = (*function.parameters.items(), ("its result", function.result))
            lists = [name for name, text in typed if read_type(text).kind not in _COLUMNS]
            if lists:
                raise fail(f"`{function.name}` has a form in SQL, and `{lists[0]}` is of a type that no column holds",
                           "leave `sql` out: such a function is carried out one by one")
            self._agree(function)

    def _agree(self, function: Function) -> None:
        for count in sorted({len(a) for a in self.calls(function)}):
            calls = [a for a in self.calls(function) if len(a) == count]
            calls += [[None if i == place else a for i, a in enumerate(calls[0])] for place in range(count)]
            for arguments, found in zip(calls, _in_duckdb(function, calls, count), strict=True):
                alone = _finite(self._answer(function, arguments))
                columnar = _from_column(found, read_type(function.result).kind)
                if not same(alone, columnar):
                    raise fail(
                        f"for {_short(tuple(arguments))} the body of `{function.name}` gives {alone!r}, and its form "
                        f"in SQL gives {columnar!r}",
                        "guard division (`NULLIF`), keep the order of operations, mind that DuckDB's integers are no "
                        "doubles; or leave `sql` out")


def _read(function: Function) -> PluginFunction:
    """The function as the engine reads it."""
    try:
        return function_set(function.set, "test", [function]).functions[0]
    except Problem as problem:
        found = problem.diagnostics[0]
        raise fail(found.message, found.help or "see what `tierwise.Function` takes") from None


def _innermost(kind: Type) -> Type:
    return _innermost(kind.item) if kind.item is not None else kind


def _about(found: Any, wanted: Any) -> bool:
    """Whether an example that is written with fewer decimals tells the number."""
    if isinstance(found, (list, tuple)) and isinstance(wanted, (list, tuple)):
        return len(found) == len(wanted) and all(map(_about, found, wanted))
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return found.keys() == wanted.keys() and all(_about(found[k], wanted[k]) for k in found)
    if isinstance(found, (int, float)) and isinstance(wanted, (int, float)) and not isinstance(found, bool):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)
    return same(found, wanted)


def _evaluated(function: Function, text: str, shown: str) -> Any:
    try:
        return feel.evaluate(text)
    except feel.FeelError as error:
        raise fail(f"the example `{shown}` of `{function.name}` is no FEEL: {error}",
                   "write arguments and result as a policy would, with commas between arguments") from None


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) < 200 else f"{shown[:200]}…"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _in_duckdb(function: Function, calls: Sequence[Sequence[Any]], count: int) -> Iterator[Any]:
    """What the form in SQL gives for each call, over a table of all of them, as the engine asks: null for a null
    argument where the function does not handle it, and for what is not finite."""
    duckdb, sqlglot = _library("duckdb"), _library("sqlglot")
    exp = sqlglot.exp
    types = [_column_type(text) for text in function.parameters.values()]
    names = [f"a{i}" for i in range(count)]
    with duckdb.connect() as connection:
        columns = [("place", "INTEGER"), *zip(names, types, strict=False)]
        defined = [exp.ColumnDef(this=exp.to_identifier(n), kind=exp.DataType.build(t)) for n, t in columns]
        table = exp.Schema(this=exp.to_table("calls"), expressions=defined)
        connection.execute(exp.Create(this=table, kind="TABLE").sql("duckdb"))
        row = exp.Tuple(expressions=[exp.Placeholder() for _ in columns])
        connection.executemany(exp.insert(exp.Values(expressions=[row]), "calls").sql("duckdb"),
                               [[n, *map(_to_column, arguments)] for n, arguments in enumerate(calls)])
        given = [exp.column(name) for name in names] + [None] * (len(types) - count)
        assert function.sql is not None
        try:
            tree = function.sql(*given)
        except Exception as error:
            way = "it is given a sqlglot expression for each parameter, and None for one that is left out"
            raise fail(f"the form in SQL of `{function.name}` fails with `{type(error).__name__}`", way) from error
        if not isinstance(tree, exp.Expression):
            raise fail(f"the form in SQL of `{function.name}` is `{type(tree).__name__}`",
                       "return a sqlglot expression")
        if not function.handles_missing and names:
            known = exp.and_(*(exp.column(n).is_(exp.null()).not_() for n in names))
            tree = exp.Case().when(known, tree)
        query = exp.select(tree.as_("result")).from_("calls").order_by("place")
        try:
            rows = connection.execute(query.sql("duckdb")).fetchall()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise fail(f"DuckDB does not carry out the form in SQL of `{function.name}`: {first}",
                       f"it is `{query.sql('duckdb')}`") from None
    return (value for (value,) in rows)


def _column_type(text: str) -> str:
    return _COLUMNS[read_type(text).kind]


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise fail(f"a form in SQL is tried in DuckDB, and {name} is not installed",
                   "install `tierwise[duckdb]`") from None


def _to_column(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return value // _MICROSECOND
    return value.total if isinstance(value, YearsMonths) else value


def _from_column(value: Any, type_: str) -> Any:
    if value is None:
        return None
    if type_ == dt.DAYS_DURATION:
        return int(value) * _MICROSECOND
    if type_ == dt.MONTHS_DURATION:
        return YearsMonths(int(value))
    if type_ in (dt.NUMBER, dt.MONEY):
        return _finite(float(value))
    return value
