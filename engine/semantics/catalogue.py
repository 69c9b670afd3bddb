"""Every operation of the language: one row each.

An `Operation` has the signatures a checker needs, a kernel over plain Python values and its
null rule. A kernel raises `Undefined` where FEEL has no value for known operands. The
catalogue is a value: a plugin extends it by making another one.

Aggregates (`sum`, `min`, ...) take one list; `sum(1, 2)` is that of `[1, 2]`, as `spread` says.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from engine.records import Record
from engine.semantics import conversions as cv
from engine.semantics import dtypes as dt
from engine.semantics import equality, intervals, lists, number, operators, patterns, temporal, text
from engine.semantics.dtypes import Type
from engine.semantics.values import LimitExceeded, Undefined

__all__ = ["BUILTINS", "Catalogue", "LimitExceeded", "Operation", "Parameter", "Signature", "Undefined"]

Result = Type | Callable[[Sequence[Type]], Type]


class Parameter(Record):
    """`nullable`: null is a value like others here, not a reason for the result to be null."""

    name: str
    type: Type
    optional: bool = False
    nullable: bool = False


class Signature(Record):
    """With `variadic` the last parameter takes any number of arguments. `result` is nullable where
    the kernel may find no value for known operands."""

    parameters: tuple[Parameter, ...]
    result: Result
    variadic: bool = False

    def returns(self, arguments: Sequence[Type]) -> Type:
        """The type of the result for argument types."""
        return self.result if isinstance(self.result, Type) else self.result(arguments)

    def accepts(self, count: int) -> bool:
        """Whether it takes `count` positional arguments."""
        required = sum(1 for p in self.parameters if not p.optional)
        return required <= count and (self.variadic or count <= len(self.parameters))


class Operation(Record):
    """`nulls` is "strict" (a null argument makes the result null before the kernel is asked) or
    "handles". `primitive` operations are a backend's to supply; the others are built from them or
    run in Python only. `clock` operations take the evaluation's `as of` as their only argument.
    `spread` operations take their arguments as one list."""

    name: str
    signatures: tuple[Signature, ...]
    kernel: Callable[..., Any]
    nulls: str = "strict"
    primitive: bool = False
    spread: bool = False
    clock: bool = False
    deterministic: bool = True

    def by_count(self, count: int) -> tuple[Signature, ...]:
        return tuple(s for s in self.signatures if s.accepts(count))


class Catalogue:
    """Operations by name."""

    __slots__ = ("_rows",)

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._rows = {operation.name: operation for operation in operations}

    def get(self, name: str) -> Operation:
        """The row of `name`; LookupError without one."""
        return self._rows[name]

    def find(self, name: str) -> Operation | None:
        return self._rows.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def functions(self) -> tuple[str, ...]:
        """Names that an expression may call: operators and properties left out."""
        return tuple(n for n in self._rows if n[0].isalpha() and n != "neg")

    def extended(self, operations: Iterable[Operation]) -> Catalogue:
        """A catalogue that has further operations; a row of the same name takes its place."""
        return Catalogue((*self._rows.values(), *operations))


# --- types ------------------------------------------------------------------------------

ANY = Type(dt.ANY)
NUMBER = Type(dt.NUMBER)
WHOLE = Type(dt.NUMBER, whole=True)
TEXT = Type(dt.STRING)
BOOLEAN = Type(dt.BOOLEAN)
DATE = Type(dt.DATE)
TIME = Type(dt.TIME)
MOMENT = Type(dt.DATE_TIME)
DAYS = Type(dt.DAYS_DURATION)
MONTHS = Type(dt.MONTHS_DURATION)
LIST = Type(dt.LIST, item=ANY)
TEXTS = Type(dt.LIST, item=TEXT)
NUMBERS = Type(dt.LIST, item=NUMBER)
CONTEXT = Type(dt.CONTEXT)
CONTEXTS = Type(dt.LIST, item=CONTEXT)
RANGE = Type(dt.RANGE, item=ANY)
FUNCTION = Type(dt.FUNCTION)


def _maybe(kind: Type) -> Type:
    return kind.optional()


def _item(arguments: Sequence[Type]) -> Type:
    """The item type of the first argument, or the first argument's own."""
    if not arguments:
        return ANY.optional()
    first = arguments[0]
    return ((first.item or ANY) if first.kind == dt.LIST else first).optional()


def _same(arguments: Sequence[Type]) -> Type:
    return arguments[0] if arguments else ANY


def _same_maybe(arguments: Sequence[Type]) -> Type:
    return _same(arguments).optional()


def _either(arguments: Sequence[Type]) -> Type:
    """`get or else(value, default)`: null only where the default is."""
    first, second = arguments[0], arguments[1]
    kind = second if first.kind == dt.NULL else first
    return kind.optional(second.nullable or second.kind == dt.NULL)


# --- making rows ------------------------------------------------------------------------


def _p(name: str, kind: Type, mark: str = "") -> Parameter:
    """`mark`: `?` optional, `0` nullable."""
    return Parameter(name, kind, "?" in mark, "0" in mark)


def _s(result: Result, *parameters: Parameter, variadic: bool = False) -> Signature:
    return Signature(parameters, result, variadic)


def _guarded(kernel: Callable[..., Any], nullable: tuple[bool, ...]) -> Callable[..., Any]:
    """A kernel that gives null where an argument that must not be null is."""
    last = len(nullable) - 1

    def guarded(*arguments: Any) -> Any:
        for place, argument in enumerate(arguments):
            if argument is None and not nullable[min(place, last)]:
                return None
        return kernel(*arguments)

    return guarded


def operation(name: str, kernel: Callable[..., Any], *signatures: Signature, primitive: bool = False,
              spread: bool = False, clock: bool = False) -> Operation:
    """A row whose null rule follows from its parameters."""
    longest = max(signatures, key=lambda s: len(s.parameters)).parameters
    nullable = tuple(p.nullable for p in longest)
    handles = clock or any(nullable)
    if any(nullable) and not all(nullable):
        kernel = _guarded(kernel, nullable)
    return Operation(name, signatures, kernel, "handles" if handles else "strict", primitive, spread, clock, not clock)


def _aggregate(name: str, kernel: Callable[..., Any], result: Result, item: Type = ANY, primitive: bool = False,
               ) -> Operation:
    many = Type(dt.LIST, item=item)
    return operation(
        name, kernel, _s(result, _p("list", many)), _s(result, _p("item", item, "0"), variadic=True),
        primitive=primitive, spread=True,
    ).replace(nulls="strict", kernel=kernel)


def _property(name: str, kernel: Callable[..., Any], result: Type, *kinds: Type, primitive: bool = False) -> Operation:
    return operation("." + name, kernel, *(_s(result, _p("value", kind)) for kind in kinds), primitive=primitive)


def _binary(name: str, kernel: Callable[..., Any], *rows: tuple[Type, Type, Type], primitive: bool = True) -> Operation:
    return operation(name, kernel, *(_s(out, _p("left", a), _p("right", b)) for a, b, out in rows), primitive=primitive)


def _rounding(name: str, mode: str, optional: bool) -> Operation:
    def kernel(n: float, scale: float = 0, least: float = number.FLOOR_NUMBER) -> int | float:
        return number.round_to(mode, n, scale, least)

    return operation(name, kernel, _s(NUMBER, _p("n", NUMBER), _p("scale", NUMBER, "?" if optional else "")))


def _negation(value: Any) -> bool | None:
    if isinstance(value, bool):
        return not value
    if value is None:
        return None
    raise Undefined("`not` takes true or false")


def _get_or_else(value: Any, default: Any) -> Any:
    return default if value is None else value


def _interval(name: str, kernel: Callable[..., Any], *pairs: tuple[str, str]) -> Operation:
    def kind(parameter: str) -> Type:
        return RANGE if parameter.startswith("range") else ANY

    ordered = sorted(pairs, key=lambda pair: sum(p.startswith("point") for p in pair))
    return operation(
        name, kernel, *(_s(_maybe(BOOLEAN), _p(a, kind(a)), _p(b, kind(b))) for a, b in ordered))


_DATED = (DATE, MOMENT)
_RANGES = ("range1", "range2")


def _operators() -> list[Operation]:
    moved = [
        *((at, span, at) for at in (DATE, MOMENT) for span in (DAYS, MONTHS)), (TIME, DAYS, TIME),
    ]
    spans = [(DAYS, DAYS, DAYS), (MONTHS, MONTHS, MONTHS)]
    return [
        _binary("+", operators.add, (NUMBER, NUMBER, NUMBER), (TEXT, TEXT, TEXT), *spans, *moved,
                *((span, at, out) for at, span, out in moved)),
        _binary("-", operators.subtract, (NUMBER, NUMBER, NUMBER), *spans, *moved,
                *((a, b, DAYS if a.kind == b.kind == dt.DATE else _maybe(DAYS))
                  for a in _DATED for b in _DATED), (TIME, TIME, _maybe(DAYS))),
        _binary("*", operators.multiply, (NUMBER, NUMBER, NUMBER), (DAYS, NUMBER, DAYS), (NUMBER, DAYS, DAYS),
                (MONTHS, NUMBER, MONTHS), (NUMBER, MONTHS, MONTHS)),
        _binary("/", operators.divide, (NUMBER, NUMBER, _maybe(NUMBER)), (DAYS, NUMBER, _maybe(DAYS)),
                (MONTHS, NUMBER, _maybe(MONTHS)), (DAYS, DAYS, _maybe(NUMBER)), (MONTHS, MONTHS, _maybe(NUMBER))),
        _binary("**", operators.power, (NUMBER, NUMBER, _maybe(NUMBER)), primitive=False),
        operation("neg", operators.negate, *(_s(k, _p("operand", k)) for k in (NUMBER, DAYS, MONTHS)), primitive=True),
    ]


def _properties() -> list[Operation]:
    clocked = (MOMENT, TIME)
    return [
        _property("year", cv.year, WHOLE, *_DATED, primitive=True),
        _property("month", cv.month, WHOLE, *_DATED, primitive=True),
        _property("day", cv.day, WHOLE, *_DATED, primitive=True),
        _property("weekday", temporal.weekday, WHOLE, *_DATED),
        _property("hour", cv.hour, WHOLE, *clocked),
        _property("minute", cv.minute, WHOLE, *clocked),
        _property("second", cv.second, WHOLE, *clocked),
        _property("time offset", cv.time_offset, _maybe(DAYS), *clocked),
        _property("timezone", cv.timezone, _maybe(TEXT), *clocked),
        _property("days", cv.days, WHOLE, DAYS, primitive=True),
        _property("hours", cv.hours, WHOLE, DAYS),
        _property("minutes", cv.minutes, WHOLE, DAYS),
        _property("seconds", cv.seconds, WHOLE, DAYS),
        _property("years", cv.years, WHOLE, MONTHS),
        _property("months", cv.months, WHOLE, MONTHS),
        _property("start", cv.start, _maybe(ANY), RANGE),
        _property("end", cv.end, _maybe(ANY), RANGE),
        _property("start included", cv.start_included, BOOLEAN, RANGE),
        _property("end included", cv.end_included, BOOLEAN, RANGE),
    ]


def _conversions() -> list[Operation]:
    n = NUMBER
    return [
        operation("date", cv.to_date, _s(_maybe(DATE), _p("from", TEXT)), *(_s(DATE, _p("from", k)) for k in _DATED),
                  _s(_maybe(DATE), _p("year", n), _p("month", n), _p("day", n))),
        operation("time", cv.to_time, _s(_maybe(TIME), _p("from", TEXT)),
                  *(_s(TIME, _p("from", k)) for k in (TIME, MOMENT, DATE)),
                  _s(_maybe(TIME), _p("hour", n), _p("minute", n), _p("second", n), _p("offset", DAYS, "?0"))),
        operation("date and time", cv.to_date_time, _s(_maybe(MOMENT), _p("from", TEXT)),
                  *(_s(MOMENT, _p("from", k)) for k in (MOMENT, DATE)),
                  *(_s(MOMENT, _p("date", k), _p("time", TIME)) for k in _DATED)),
        operation("duration", cv.to_duration, _s(_maybe(ANY), _p("from", TEXT))),
        operation("years and months duration", cv.months_duration,
                  *(_s(MONTHS, _p("from", a), _p("to", b)) for a in _DATED for b in _DATED)),
        operation("number", text.to_number, _s(
            _maybe(NUMBER), _p("from", TEXT), _p("grouping separator", TEXT, "?0"),
            _p("decimal separator", TEXT, "?0"))),
        operation("string", text.to_string, _s(TEXT, _p("from", ANY))),
        operation("range", cv.to_range, _s(_maybe(RANGE), _p("from", TEXT))),
    ]


def _texts() -> list[Operation]:
    flags = _p("flags", TEXT, "?0")

    def search(kernel: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            return kernel(*(a for a in arguments if a is not None))

        return run

    return [
        operation("substring", text.substring, _s(
            _maybe(TEXT), _p("string", TEXT), _p("start position", NUMBER), _p("length", NUMBER, "?")), primitive=True),
        operation("string length", text.length, _s(WHOLE, _p("string", TEXT)), primitive=True),
        operation("upper case", text.upper, _s(TEXT, _p("string", TEXT)), primitive=True),
        operation("lower case", text.lower, _s(TEXT, _p("string", TEXT)), primitive=True),
        operation("substring before", text.before, _s(TEXT, _p("string", TEXT), _p("match", TEXT))),
        operation("substring after", text.after, _s(TEXT, _p("string", TEXT), _p("match", TEXT))),
        operation("contains", text.contains, _s(BOOLEAN, _p("string", TEXT), _p("match", TEXT)), primitive=True),
        operation("starts with", text.starts, _s(BOOLEAN, _p("string", TEXT), _p("match", TEXT)), primitive=True),
        operation("ends with", text.ends, _s(BOOLEAN, _p("string", TEXT), _p("match", TEXT)), primitive=True),
        operation("matches", search(patterns.matches), _s(
            _maybe(BOOLEAN), _p("input", TEXT), _p("pattern", TEXT), flags)),
        operation("replace", search(patterns.replace), _s(
            _maybe(TEXT), _p("input", TEXT), _p("pattern", TEXT), _p("replacement", TEXT), flags)),
        operation("split", patterns.split, _s(_maybe(TEXTS), _p("string", TEXT), _p("delimiter", TEXT))),
        operation("string join", text.join, _s(_maybe(TEXT), _p("list", TEXTS), _p("delimiter", TEXT, "?0"))),
    ]


def _lists() -> list[Operation]:
    at, any_item = _p("position", NUMBER), _p("newItem", ANY, "0")
    items = _p("list", LIST)
    return [
        operation("..", lists.counted, _s(_maybe(NUMBERS), _p("from", NUMBER), _p("to", NUMBER))),
        operation("list contains", lists.contains, _s(BOOLEAN, items, _p("element", ANY, "0"))),
        _aggregate("count", lists.count, WHOLE, primitive=True),
        _aggregate("min", lists.least, _item),
        _aggregate("max", lists.greatest, _item),
        _aggregate("sum", lists.total, _item),
        _aggregate("mean", lists.mean, _item),
        _aggregate("product", lists.product, _maybe(NUMBER), NUMBER),
        _aggregate("median", lists.median, _maybe(NUMBER), NUMBER),
        _aggregate("stddev", lists.standard_deviation, _maybe(NUMBER), NUMBER),
        _aggregate("mode", lists.mode, _maybe(NUMBERS), NUMBER),
        _aggregate("all", lists.every, _maybe(BOOLEAN), BOOLEAN),
        _aggregate("any", lists.some, _maybe(BOOLEAN), BOOLEAN),
        operation("sublist", lists.sublist, _s(
            _same_maybe, items, _p("start position", NUMBER), _p("length", NUMBER, "?"))),
        operation("append", lists.append, _s(_same, items, _p("item", ANY, "0"), variadic=True)),
        operation("concatenate", lists.concatenate, _s(_same, items, variadic=True)),
        operation("insert before", lists.insert_before, _s(_same_maybe, items, at, any_item)),
        operation("remove", lists.remove, _s(_same_maybe, items, at)),
        operation("list replace", lists.replace, _s(_same_maybe, items, at, any_item),
                  _s(_same_maybe, items, _p("match", FUNCTION), any_item)),
        operation("reverse", lists.reverse, _s(_same, items)),
        operation("index of", lists.index_of, _s(NUMBERS, items, _p("match", ANY, "0"))),
        operation("union", lists.union, _s(_same, items, variadic=True)),
        operation("distinct values", lists.distinct, _s(_same, items)),
        operation("flatten", lists.flatten, _s(LIST, items)),
        operation("sort", lists.sort, _s(_same_maybe, items, _p("precedes", FUNCTION, "?"))),
        operation("get value", lists.get_value, _s(_maybe(ANY), _p("m", CONTEXT), _p("key", TEXT)),
                  _s(_maybe(ANY), _p("m", CONTEXT), _p("keys", LIST))),
        operation("get entries", lists.get_entries, _s(CONTEXTS, _p("m", CONTEXT))),
        operation("context", lists.make_context, _s(_maybe(CONTEXT), _p("entries", CONTEXTS))),
        operation("context put", lists.put,
                  _s(CONTEXT, _p("context", CONTEXT), _p("key", TEXT), _p("value", ANY, "0")),
                  _s(_maybe(CONTEXT), _p("context", CONTEXT), _p("keys", LIST), _p("value", ANY, "0"))),
        operation("context merge", lists.merge, _s(_maybe(CONTEXT), _p("contexts", CONTEXTS))),
    ]


def _numbers() -> list[Operation]:
    one = _p("number", NUMBER)
    return [
        _rounding("decimal", "half even", False),
        _rounding("floor", "floor", True),
        _rounding("ceiling", "ceiling", True),
        _rounding("round up", "up", False),
        _rounding("round down", "down", False),
        _rounding("round half up", "half up", False),
        _rounding("round half down", "half down", False),
        operation("abs", operators.absolute, *(_s(k, _p("n", k)) for k in (NUMBER, DAYS, MONTHS)), primitive=True),
        operation("modulo", number.modulo, _s(_maybe(NUMBER), _p("dividend", NUMBER), _p("divisor", NUMBER))),
        operation("sqrt", number.square_root, _s(_maybe(NUMBER), one)),
        operation("log", number.logarithm, _s(_maybe(NUMBER), one)),
        operation("exp", number.exponential, _s(_maybe(NUMBER), one)),
        operation("odd", number.is_odd, _s(BOOLEAN, one)),
        operation("even", number.is_even, _s(BOOLEAN, one)),
    ]


def _others() -> list[Operation]:
    points = ("point1", "point2")
    return [
        operation("not", _negation, _s(BOOLEAN, _p("negand", BOOLEAN))),
        operation("is", equality.identical, _s(BOOLEAN, _p("value1", ANY, "0"), _p("value2", ANY, "0"))),
        operation("get or else", _get_or_else, _s(_either, _p("value", ANY, "0"), _p("default", ANY, "0"))),
        operation("day of year", temporal.day_of_year, *(_s(WHOLE, _p("date", k)) for k in _DATED)),
        operation("day of week", cv.day_name, *(_s(TEXT, _p("date", k)) for k in _DATED)),
        operation("month of year", cv.month_name, *(_s(TEXT, _p("date", k)) for k in _DATED)),
        operation("week of year", temporal.week_of_year, *(_s(WHOLE, _p("date", k)) for k in _DATED)),
        operation("today", cv.today, _s(DATE), clock=True),
        operation("now", cv.now, _s(MOMENT), clock=True),
        _interval("before", intervals.before, points, ("point", "range"), ("range", "point"), _RANGES),
        _interval("after", intervals.after, points, ("point", "range"), ("range", "point"), _RANGES),
        _interval("meets", intervals.meets, _RANGES),
        _interval("met by", intervals.met_by, _RANGES),
        _interval("overlaps", intervals.overlaps, _RANGES),
        _interval("overlaps before", intervals.overlaps_before, _RANGES),
        _interval("overlaps after", intervals.overlaps_after, _RANGES),
        _interval("finishes", intervals.finishes, ("point", "range"), _RANGES),
        _interval("finished by", intervals.finished_by, ("range", "point"), _RANGES),
        _interval("includes", intervals.includes, ("range", "point"), _RANGES),
        _interval("during", intervals.during, ("point", "range"), _RANGES),
        _interval("starts", intervals.starts, ("point", "range"), _RANGES),
        _interval("started by", intervals.started_by, ("range", "point"), _RANGES),
        _interval("coincides", intervals.coincides, points, _RANGES),
    ]


#: The language's own operations.
BUILTINS = Catalogue([
    *_operators(), *_properties(), *_conversions(), *_texts(), *_lists(), *_numbers(), *_others(),
])
