"""The contract of a function, or of several."""
from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from engine import feel
from engine.hookspecs import Function
from engine.semantics import dtypes as dt
from engine.semantics.values import MAX_ITEMS, MAX_TEXT, YearsMonths
from engine.testing.contract import Contract, fail, on_another_thread
from engine.testing.values import Maker, is_list, known_type, same, untouched

_NAME = re.compile(r"[^\W\d]\w*( \w+)*")
#: How a column of the type is declared in DuckDB.
_COLUMNS: Mapping[str, str] = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "VARCHAR", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.TIME: "TIME", dt.DATE_TIME: "TIMESTAMP", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}
_MICROSECOND = datetime.timedelta(microseconds=1)


class FunctionContract(Contract):
    """What functions must hold to. Set `function`, or `functions`.

    `arguments` are lists of arguments of your own, beside the made-up ones, for a class that tests one function.
    """

    function: Function | None = None
    functions: Sequence[Function] = ()
    arguments: Sequence[Sequence[Any]] = ()
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
            name = f"`{function.name}`"
            if not _NAME.fullmatch(function.name):
                raise fail(f"{name} is no name that FEEL reads",
                           "use words of letters and digits, with one blank between")
            for parameter, type_ in (*function.parameters.items(), ("the result", function.result)):
                if not known_type(type_) and not _is_open(type_):
                    raise fail(f"{name}: `{parameter}` has the type `{type_}`, which there is none of",
                               f"the types are {', '.join(dt.DECLARABLE)}, and `list of ...`")
            optional = [p in function.optional for p in function.parameters]
            if optional != sorted(optional):
                raise fail(f"{name} has a required parameter behind an optional one", "put the optional ones last")
            if not function.help.strip():
                raise fail(f"{name} has no help", "say in `help` what it gives; the reference of functions shows it")

    def test_examples(self) -> None:
        for function in self.all:
            for arguments, expected in function.examples:
                given = _evaluated(function, f"[{arguments}]", arguments)
                wanted = _evaluated(function, expected, expected)
                found = self._answer(function, given)
                if not same(found, wanted):
                    raise fail(f"the example `{function.name}({arguments})` gives {found!r}, not `{expected}`",
                               "mend the function or its example")

    # --- what it gives ----------------------------------------------------------------------

    def calls(self, function: Function) -> list[list[Any]]:
        """Lists of arguments: of your own, then made-up ones; some without the optional ones."""
        maker = Maker(self.seed)
        types = list(function.parameters.values())
        made = []
        if not any(_is_open(t) for t in types):
            for n in range(self.size):
                made.append([maker.value(t, n * (2 * i + 1) % self.size if n < self.size // 2 else self.size + n)
                             for i, t in enumerate(types)])
            required = len(types) - len(function.optional)
            made += [arguments[:count] for count in range(required, len(types)) for arguments in made[:20]]
        given = [list(arguments) for arguments in self.arguments] if self.function is function else []
        return [*given, *made]

    def _answer(self, function: Function, arguments: Sequence[Any]) -> Any:
        """What the engine makes of a call: null for a null argument, and where the body has no value."""
        if not function.handles_missing and any(a is None for a in arguments):
            return None
        try:
            return function.body(*arguments)
        except ValueError:
            return None
        except Exception as error:
            raise fail(
                f"`{function.name}` fails with `{type(error).__name__}` for {tuple(arguments)!r}",
                "where known arguments have no value, return None or raise `ValueError`; anything else is a failure") \
                from error

    def test_results_have_the_declared_type(self) -> None:
        for function in self.all:
            for arguments in self.calls(function):
                result = self._answer(function, arguments)
                wrong = _result_fault(result, function.result)
                if wrong is not None:
                    raise fail(f"`{function.name}` gives {_short(result)} for {tuple(arguments)!r}, which {wrong}",
                               f"give a {function.result}, or None where there is no value")

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
                    raise fail(f"`{function.name}` gives {first!r}, then {again!r} for {tuple(arguments)!r}",
                               "a function may hang on its arguments alone: no clock, no chance, nothing kept")

    def test_it_leaves_its_arguments_as_they_are(self) -> None:
        for function in self.all:
            for arguments in self.calls(function):
                if any(isinstance(a, (list, dict)) for a in arguments):
                    untouched(partial(self._answer, function), arguments, f"`{function.name}`")

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
            lists = [name for name, type_ in typed if type_ not in _COLUMNS]
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
                columnar = _from_column(found, function.result)
                if not same(alone, columnar):
                    raise fail(
                        f"for {tuple(arguments)!r} the body of `{function.name}` gives {alone!r}, and its form in SQL "
                        f"gives {columnar!r}",
                        "guard division (`NULLIF`), keep the order of operations, mind that DuckDB's integers are no "
                        "doubles; or leave `sql` out")


def _is_open(text: str) -> bool:
    """Whether a type holds contexts, or anything: such arguments cannot be made up."""
    return isinstance(text, str) and any(word in text for word in ("context", "Any"))


def _evaluated(function: Function, text: str, shown: str) -> Any:
    try:
        return feel.evaluate(text)
    except feel.FeelError as error:
        raise fail(f"the example `{shown}` of `{function.name}` is no FEEL: {error}",
                   "write arguments and result as a policy would, with commas between arguments") from None


def _result_fault(value: Any, type_: str) -> str | None:
    if value is None:
        return None
    if is_list(type_):
        if not isinstance(value, list):
            return "is no list"
        if len(value) > MAX_ITEMS:
            return f"has more than {MAX_ITEMS:,} items"
        return next((f"holds what {w}" for item in value if (w := _result_fault(item, type_[len("list of "):]))), None)
    if _is_open(type_):
        return None
    return _plain_fault(value, type_)


def _plain_fault(value: Any, type_: str) -> str | None:
    if type_ in (dt.NUMBER, dt.MONEY):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"is of Python's type `{type(value).__name__}`, and not a number"
        return None if math.isfinite(value) else "is not finite"
    if isinstance(value, datetime.datetime) != (type_ == dt.DATE_TIME):
        return f"is no {type_}"
    kinds: dict[str, type] = {
        dt.STRING: str, dt.BOOLEAN: bool, dt.DATE: datetime.date, dt.TIME: datetime.time,
        dt.DATE_TIME: datetime.datetime, dt.DAYS_DURATION: datetime.timedelta, dt.MONTHS_DURATION: YearsMonths,
    }
    if not isinstance(value, kinds[type_]):
        return f"is no {type_}"
    return f"has more than {MAX_TEXT:,} characters" if isinstance(value, str) and len(value) > MAX_TEXT else None


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
    types = list(function.parameters.values())
    names = [f"a{i}" for i in range(count)]
    with duckdb.connect() as connection:
        columns = [("place", "INTEGER"), *((n, _COLUMNS[t]) for n, t in zip(names, types, strict=False))]
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
