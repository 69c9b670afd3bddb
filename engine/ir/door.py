"""Data at the door: what a customer brings is checked and converted before anything is decided.

All faults are found at once. A missing optional value is null; a missing required
one, a value of the wrong kind, outside its `range` or `values`, is bad data, which
refuses the customer. Text is never taken for a number; ISO text is taken for a date,
time or duration, since JSON has no other form for them. A number that is not finite
is null.
"""
from __future__ import annotations

import datetime
import functools
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engine import records
from engine.check.rules import LIMIT
from engine.ir import nodes as ir
from engine.ir.reads import Cone
from engine.semantics import dtypes as dt
from engine.semantics import temporal
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.domain import Domain
from engine.semantics.narrow import narrowed
from engine.semantics.values import YearsMonths
from engine.semantics.work import each as charged

#: Beyond this a whole number need not have an exact binary64 form.
EXACT = 2**53


Relations = dict[str, list[dict[str, Any]] | None]


class Fault(records.Record):
    """One bad datum: the input or history, what is wrong in words, and whether the run must stop."""

    name: str
    message: str
    stops: bool = False


class Admitted(records.Record):
    """Checked data: `inputs` by declared name (None for null), visible rows by history (None: not supplied)."""

    inputs: dict[str, Any]
    relations: Relations
    faults: tuple[Fault, ...]


class Refusal(Exception):
    """Why a value cannot be taken, in words."""


def admit(
    program: ir.Program,
    cone: Cone,
    inputs: Mapping[str, Any],
    history: Mapping[str, Sequence[Mapping[str, Any]] | None] | None,
    as_of: datetime.date,
) -> Admitted:
    """Check `inputs` and `history` as far as `cone` reaches."""
    values, faults = admit_inputs(program, cone, inputs)
    relations, problems = admit_history(program, cone, history, as_of)
    return Admitted(values, relations, (*faults, *problems))


def admit_inputs(
    program: ir.Program, cone: Cone, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The inputs that a cone reads, converted; every fault."""
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for decl in program.inputs:
        if decl.name not in cone.inputs:
            continue
        try:
            values[decl.name] = admit_input(decl, raw_input(decl, inputs))
        except Refusal as refusal:
            if decl.previous:
                values[decl.name] = None
                continue
            stops = decl.on_unknown == "stop" and isinstance(refusal, Unknown)
            faults.append(Fault(decl.name, str(refusal), stops))
    return values, tuple(faults)


def admit_history(
    program: ir.Program, cone: Cone, history: Mapping[str, Sequence[Mapping[str, Any]] | None] | None,
    as_of: datetime.date,
) -> tuple[Relations, tuple[Fault, ...]]:
    """The visible rows of the histories that a cone reads; every fault."""
    faults: list[Fault] = []
    relations: Relations = {}
    for relation in program.histories:
        if relation.name not in cone.relations or relation.each is not None:
            continue
        rows = (history or {}).get(relation.name)
        if rows is None:
            relations[relation.name] = None
            continue
        if not isinstance(rows, (list, tuple)):
            if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Sequence):
                faults.append(Fault(relation.name, f"{show(rows)} is not a list of rows"))
                continue
        strangers = (i for i, row in enumerate(rows, 1) if type(row) is not dict and not isinstance(row, Mapping))
        stranger = next(strangers, 0)
        if stranger:
            faults.append(Fault(relation.name, f"row {stranger}: {show(rows[stranger - 1])} has no fields"))
            continue
        needed = {name for owner, name in cone.fields if owner == relation.name}
        relations[relation.name], problems = admit_rows(relation, rows, needed, as_of)
        faults.extend(problems)
    return relations, tuple(faults)


class Unknown(Refusal):
    """An enumeration value that nobody declared."""


def raw_input(decl: InputDecl, inputs: Mapping[str, Any]) -> Any:
    """What was given for an input: under its name, its column, or its name with underscores."""
    for name in (decl.name, decl.column, decl.name.replace(" ", "_")):
        if name is not None and inputs.get(name) is not None:
            return inputs[name]
    return None


def admit_input(decl: InputDecl, raw: Any) -> Any:
    value = convert(raw, decl.type)
    if value is None:
        if decl.required:
            raise Refusal("is required and missing")
        return None
    if decl.type.values is not None and value not in decl.type.values:
        if decl.on_unknown == "missing" and not decl.required:
            return None
        raise Unknown(f"`{value}` is not one of {listing(decl.type.values)}")
    check_domain(decl.domain, decl.type, value)
    return value


def check_domain(domain: Domain | None, kind: dt.Type, value: Any) -> None:
    if domain is not None and not domain.holds(value, 1e-4 if kind.kind == dt.MONEY else 1e-12):
        raise Refusal(f"{show(value)} is outside its range {domain}")


def admit_rows(
    relation: ir.HistoryDecl, rows: Sequence[Mapping[str, Any]], needed: set[str], as_of: datetime.date
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Rows visible as of `as_of`, their fields as known then, in the relation's order."""
    decls = [f for f in relation.fields if f.name in needed]
    shown = relation.visible_from
    readers = [(d.name, _reader(d)) for d in decls if d.name != shown]
    seen_reader = next((_reader(d) for d in decls if d.name == shown), None)
    faults: list[Fault] = []
    admitted = []
    for index, raw in enumerate(rows, start=1):
        row: dict[str, Any] = {}
        bad = []
        if seen_reader is not None and shown is not None:
            try:
                seen = row[shown] = seen_reader(raw)
                if seen is None or (seen.date() if isinstance(seen, datetime.datetime) else seen) > as_of:
                    continue  # it does not exist yet, so nothing else of it can be wrong
            except Refusal as refusal:
                bad.append((shown, str(refusal)))
        for name, read in readers:
            try:
                row[name] = read(raw)
            except Refusal as refusal:
                bad.append((name, str(refusal)))
                row[name] = None
        faults.extend(Fault(relation.name, f"row {index}: `{name}` {message}") for name, message in bad)
        admitted.append(row)
    if not faults:
        known_from(decls, admitted, as_of)
        for name in reversed(relation.order_by):
            admitted.sort(key=lambda row, name=name: (row[name] is not None, row[name]))  # type: ignore[misc]
    return admitted, faults


def handed_over(
    each: ir.EachDecl, sources: Sequence[Sequence[Mapping[str, Any]] | None]
) -> Callable[[Mapping[str, Any]], Relations]:
    """The histories of a policy that is decided for each row, by what is given for its inputs.

    `sources` are the rows of the relations that they come from, in the order of `each.histories`. Each is gone
    through once, whatever the number of rows that are decided.
    """
    declared = {h.name: [f.name for f in h.fields] for h in each.program.histories}
    joined = []
    for history, rows in zip(each.histories, sources, strict=True):
        names = dict.fromkeys((*declared[history.name], history.key))
        index: dict[Any, list[tuple[int, dict[str, Any]]]] | None = None
        if rows is not None:
            index = {}
            for place, row in enumerate(charged(rows, len(names) + 1)):
                own = {name: row[name] for name in names if name in row}
                index.setdefault(row[history.key], []).append((place, own))
        joined.append((history, index))

    def of(inputs: Mapping[str, Any]) -> Relations:
        found: Relations = {}
        for history, index in joined:
            keys: Iterable[Any] | None
            if history.of is None:
                keys = (inputs[history.input or ""],)
            else:
                above = found[history.of]
                keys = None if above is None else dict.fromkeys(row[history.key] for row in above)
            if index is None or keys is None:
                found[history.name] = None
                continue
            rows = [pair for key in keys for pair in index.get(key, ())]
            rows.sort(key=_place)
            found[history.name] = [row for _, row in rows]
        return found

    return of


def _place(pair: tuple[int, Any]) -> int:
    return pair[0]


def known_from(decls: Sequence[FieldDecl], rows: list[dict[str, Any]], as_of: datetime.date) -> None:
    """Null each field that was not yet known; all dates are read before any is nulled."""
    later = [(d.name, d.known_from) for d in decls if d.known_from is not None]
    for row in rows:
        hidden = [name for name, source in later if row.get(source) is None or day(row[source]) > as_of]
        for name in hidden:
            row[name] = None


def _reader(decl: FieldDecl) -> Callable[[Mapping[str, Any]], Any]:
    """Reads a field of a row; a value of the plain form is taken as it is, which is what makes long histories fast."""
    name, kind = decl.name, decl.type
    plain = None if decl.domain is not None or kind.values is not None else _PLAIN.get(kind.kind)
    if plain is None or kind.whole:
        return functools.partial(admit_field, decl)

    def read(raw: Mapping[str, Any]) -> Any:
        value = raw.get(name)
        return value if type(value) is plain else admit_field(decl, raw)

    def read_number(raw: Mapping[str, Any]) -> Any:
        value = raw.get(name)
        return value if type(value) is float and -LIMIT <= value <= LIMIT else admit_field(decl, raw)

    return read_number if plain is float else read


#: The one Python type that a kind's plain values have.
_PLAIN: dict[str, type] = {
    dt.NUMBER: float, dt.MONEY: float, dt.STRING: str, dt.BOOLEAN: bool, dt.DATE: datetime.date,
}


def admit_field(decl: FieldDecl, raw: Mapping[str, Any]) -> Any:
    value = None
    for name in (decl.name, decl.column, decl.name.replace(" ", "_")):
        if name is not None and raw.get(name) is not None:
            value = raw[name]
            break
    value = convert(value, decl.type)
    if value is None:
        if not decl.type.nullable:
            raise Refusal("is required and missing")
        return None
    if decl.type.values is not None and value not in decl.type.values:
        raise Unknown(f"`{value}` is not one of {listing(decl.type.values)}")
    check_domain(decl.domain, decl.type, value)
    return value


def convert(raw: Any, kind: dt.Type) -> Any:
    """`raw` as a value of `kind`, None for null; raises Refusal when it cannot be one."""
    if raw is None:
        return None
    value: Any = CONVERSIONS[kind.kind](raw)
    return _whole(value) if kind.whole and value is not None else value


def _whole(value: float) -> int:
    """A whole number as an int; anything else is not one."""
    if not value.is_integer() or abs(value) > EXACT:
        raise Refusal(f"{show(value)} is not a whole number")
    return int(value)


def _number(raw: Any) -> float | None:
    """A number as binary64, None where it is not finite."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, numbers.Real)):
        exact = getattr(raw, "is_finite", None)  # a decimal.Decimal, without importing decimal
        if exact is None or isinstance(raw, bool):
            raise Refusal(f"{show(raw)} is not a number")
        try:
            return _number(float(raw))
        except (TypeError, ValueError):                 # ValueError: a signalling NaN
            raise Refusal(f"{show(raw)} is not a number") from None
    try:
        value = float(raw)
    except OverflowError:
        return None
    if not math.isfinite(value):
        return None
    if abs(value) > LIMIT:
        raise Refusal(f"{show(raw)} is beyond {LIMIT:g}, more than any amount can be")
    return value


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise Refusal(f"{show(raw)} is not text")
    return raw


def _boolean(raw: Any) -> bool:
    if raw is True or raw is False:
        return bool(raw)
    raise Refusal(f"{show(raw)} is not true or false")


def _date(raw: Any) -> datetime.date:
    if isinstance(raw, datetime.datetime):
        if raw.time() != datetime.time(0):
            raise Refusal(f"{show(raw)} is a date and time, not a date")
        return raw.date()
    if isinstance(raw, datetime.date):
        return raw
    if isinstance(raw, str):
        try:
            return datetime.date.fromisoformat(raw)
        except ValueError:
            pass
    raise Refusal(f"{show(raw)} is not a date (YYYY-MM-DD)")


def _local(value: Any, raw: Any) -> Any:
    if value.tzinfo is not None:
        raise Refusal(f"{show(raw)} has a time zone; dates and times are local")
    return value


def _time(raw: Any) -> datetime.time:
    value = raw if isinstance(raw, datetime.time) else None
    if isinstance(raw, str):
        try:
            value = datetime.time.fromisoformat(raw)
        except ValueError:
            value = None
    if value is not None:
        return _local(value, raw)  # type: ignore[no-any-return]
    raise Refusal(f"{show(raw)} is not a time (hh:mm:ss)")


def _date_time(raw: Any) -> datetime.datetime:
    value = raw if isinstance(raw, datetime.datetime) else None
    if isinstance(raw, str):
        try:
            value = datetime.datetime.fromisoformat(raw)
        except ValueError:
            value = None
    if value is not None:
        return _local(value, raw)  # type: ignore[no-any-return]
    raise Refusal(f"{show(raw)} is not a date and time (YYYY-MM-DDThh:mm:ss)")


def _bounded(value: Any, raw: Any) -> Any:
    """A duration that a policy may hold."""
    if narrowed(value) is None:
        raise Refusal(f"{show(raw)} is longer than any duration can be")
    return value


def _days_duration(raw: Any) -> datetime.timedelta:
    value = temporal.parse_duration(raw) if isinstance(raw, str) else raw
    if isinstance(value, datetime.timedelta):
        return _bounded(value, raw)  # type: ignore[no-any-return]
    raise Refusal(f"{show(raw)} is not a duration in days (P3D)")


def _months_duration(raw: Any) -> YearsMonths:
    value = temporal.parse_duration(raw) if isinstance(raw, str) else raw
    if isinstance(value, YearsMonths):
        return _bounded(value, raw)  # type: ignore[no-any-return]
    raise Refusal(f"{show(raw)} is not a duration in months (P1Y2M)")


CONVERSIONS = {
    dt.NUMBER: _number,
    dt.MONEY: _number,
    dt.STRING: _text,
    dt.BOOLEAN: _boolean,
    dt.DATE: _date,
    dt.TIME: _time,
    dt.DATE_TIME: _date_time,
    dt.DAYS_DURATION: _days_duration,
    dt.MONTHS_DURATION: _months_duration,
}


def day(value: Any) -> datetime.date:
    """The day of a date or date and time."""
    return value.date() if isinstance(value, datetime.datetime) else value


def show(raw: Any) -> str:
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < EXACT:
        raw = int(raw)
    text = repr(raw) if isinstance(raw, (bytes, list, tuple, dict)) else str(raw)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def listing(values: Sequence[str]) -> str:
    shown = ", ".join(f"`{v}`" for v in values[:8])
    return shown + (f" and {len(values) - 8} more" if len(values) > 8 else "")
