"""Scores for many customers at once, in Arrow tables.

A batch that fails as a whole is asked for again customer by customer, so that one bad customer costs only itself; where
very many fail in a row the rest of the batch is given up, and marked.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from engine.calling import CallFailed
from engine.ir import nodes as ir
from engine.records import Record
from engine.scoring.bound import Bound, taken
from engine.scoring.single import score
from engine.semantics import dtypes as dt

#: Failures in a row after which the customers left of a batch that failed are not asked for one by one.
MOST_IN_A_ROW = 200
TYPES: Mapping[str, pa.DataType] = {
    dt.NUMBER: pa.float64(), dt.MONEY: pa.float64(), dt.STRING: pa.string(), dt.BOOLEAN: pa.bool_(),
    dt.DATE: pa.date32(), dt.DATE_TIME: pa.timestamp("us"),
}
LISTS = pa.list_(pa.string())


class Answers(Record):
    """A batch's answers: `value` and a truth value for each of the model's reasons, in the order of the rows; `failed`
    says where there is none since the scorer failed, `why` in which way, and `given` are the lists of all reasons that
    it gave, null for none. `asked` are the rows it was asked for, `failures` how often it failed in which way, and
    `singly` says why a batch failed whose customers were then asked for one by one."""

    value: pa.Array
    reasons: Mapping[str, pa.Array]
    failed: pa.Array
    why: pa.Array
    given: pa.Array
    asked: int
    failures: Mapping[str, int]
    singly: str | None = None


def answers(
    model: ir.ModelDecl, bound: Bound, table: pa.Table, rows: int, wanted: pa.ChunkedArray | None = None
) -> Answers:
    """Ask a model's scorer for the rows of a table with a column for each of its inputs, for those alone that are
    `wanted`."""
    kinds = dict(model.types)
    columns = [table.column(key).cast(TYPES[kinds[key].kind]) for key, _ in model.args]
    whole = pa.table(columns, [key for key, _ in model.args])
    asked = wanted
    if not model.with_missing:
        for column in columns:
            if column.null_count:
                asked = pc.is_valid(column) if asked is None else pc.and_(asked, pc.is_valid(column))
    if asked is None:
        return _batch(model, bound, whole, rows) if rows else nobody(model, 0)
    count = pc.sum(asked).as_py() or 0
    chosen = whole.filter(asked)
    return _spread(_batch(model, bound, chosen, count) if count else nobody(model, 0), asked, rows)


def nobody(model: ir.ModelDecl, rows: int) -> Answers:
    """No answer for anybody, since nobody was asked."""
    falses = _falses(rows)
    return Answers(
        pa.nulls(rows, TYPES[model.type.kind]), {reason: falses for reason, _ in model.reasons}, falses,
        pa.nulls(rows, pa.string()), pa.nulls(rows, LISTS), 0, {},
    )


def _batch(model: ir.ModelDecl, bound: Bound, table: pa.Table, rows: int) -> Answers:
    try:
        given = bound.batch(table)
        return _checked(model, bound, given, rows)
    except CallFailed as problem:
        if rows == 1:
            why = pa.array([problem.text], pa.string())
            return nobody(model, 1).replace(failed=_trues(1), why=why, asked=1, failures={problem.text: 1})
        return _one_by_one(model, bound, table).replace(singly=problem.text)


def _checked(model: ir.ModelDecl, bound: Bound, given: Any, rows: int) -> Answers:
    """A scorer's table as answers; raises CallFailed where the table is not what was asked for."""
    if not isinstance(given, pa.Table):
        raise CallFailed("it gave no Arrow table")
    if given.num_rows != rows:
        raise CallFailed(f"it gave {given.num_rows:,} rows for {rows:,} customers")
    if "value" not in given.column_names:
        raise CallFailed("its table has no column `value`")
    value = given.column("value").combine_chunks()
    if isinstance(value, pa.ChunkedArray):
        value = pa.concat_arrays(value.chunks) if value.num_chunks else pa.nulls(0, value.type)
    wanted = TYPES[model.type.kind]
    if value.type != wanted:
        if not _is_of(value.type, model.type.kind):
            raise CallFailed(f"its column `value` holds {value.type}, not {wanted}")
        try:
            value = value.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            raise CallFailed(f"its column `value` holds {value.type} that does not fit {wanted}") from None
    lists = _lists(bound, given, rows)
    why = _unfit(model, value)
    if why is None:
        return Answers(
            value, _flags(model, lists), _falses(rows), pa.nulls(rows, pa.string()), lists, rows, {}
        )
    failed, failures = pc.is_valid(why), Counter(text for text in why.to_pylist() if text is not None)
    fine = pc.if_else(failed, pa.scalar(None, pa.int64()), pa.array(range(rows), pa.int64()))
    value, lists = value.take(fine), lists.take(fine)
    return Answers(value, _flags(model, lists), failed, why, lists, rows, failures)


def _is_of(column: pa.DataType, kind: str) -> bool:
    """Whether a column holds values of a kind: Arrow would also make numbers of texts and of truth values, which the
    policy takes from nobody."""
    if pa.types.is_dictionary(column):
        column = column.value_type
    if pa.types.is_null(column):
        return True
    if kind in dt.NUMERIC:
        return bool(pa.types.is_integer(column) or pa.types.is_floating(column) or pa.types.is_decimal(column))
    if kind == dt.STRING:
        return bool(pa.types.is_string(column) or pa.types.is_large_string(column))
    if kind == dt.DATE:
        return bool(pa.types.is_date(column))
    if kind == dt.DATE_TIME:
        return bool(pa.types.is_timestamp(column)) and column.tz is None
    return bool(pa.types.is_boolean(column))


def _unfit(model: ir.ModelDecl, value: pa.Array) -> pa.Array | None:
    """Why the policy does not take an answer, null where it does; None where it takes all."""
    odd = _odd(model, value)
    if odd is None or not (places := pc.indices_nonzero(pc.fill_null(odd, False)).to_pylist()):
        return None
    why: dict[int, str] = {}
    for place in places:
        try:
            taken(model, value[place].as_py())
        except CallFailed as problem:
            why[place] = problem.text
    return pa.array([why.get(place) for place in range(len(value))], pa.string()) if why else None


def _odd(model: ir.ModelDecl, value: pa.Array) -> pa.Array | None:
    """Where an answer may not do, and is to be looked at more closely."""
    kind = model.type
    if kind.values is not None:
        return pc.invert(pc.is_in(value, value_set=pa.array(list(kind.values), value.type)))
    if kind.kind not in dt.NUMERIC:
        return None if model.domain is None else _trues(len(value))
    odd = pc.invert(pc.is_finite(value))
    if kind.lower is not None:
        odd = pc.or_(odd, pc.less(value, kind.lower))
    if kind.upper is not None:
        odd = pc.or_(odd, pc.greater(value, kind.upper))
    if kind.whole or (model.domain is not None and len(model.domain.intervals) > 1):
        return _trues(len(value))
    if model.domain is not None and model.domain.intervals:
        part = model.domain.intervals[0]
        if part.lower is not None:
            odd = pc.or_(odd, pc.less_equal(value, part.lower))
        if part.upper is not None:
            odd = pc.or_(odd, pc.greater_equal(value, part.upper))
    return odd


def _lists(bound: Bound, given: pa.Table, rows: int) -> pa.Array:
    """The reasons of every customer; raises CallFailed for what are no reasons of the scorer."""
    if "reasons" not in given.column_names:
        return pa.nulls(rows, LISTS)
    lists = given.column("reasons").combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.nulls(0, lists.type)
    if not (pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)):
        raise CallFailed("its column `reasons` holds no lists")
    known = set(bound.described.reasons)
    strange = [name for name in pc.unique(pc.list_flatten(lists)).to_pylist() if name not in known]
    if strange:
        raise CallFailed(f"it gave the reason `{strange[0]}`, which it did not declare")
    return lists if lists.type == LISTS else lists.cast(LISTS)


def _flags(model: ir.ModelDecl, lists: pa.Array) -> dict[str, pa.Array]:
    """For each reason of the model whether it is among a customer's."""
    if lists.null_count == len(lists):
        return {reason: _falses(len(lists)) for reason, _ in model.reasons}
    items, owners = pc.list_flatten(lists), pc.list_parent_indices(lists)
    everyone = pa.array(range(len(lists)), owners.type)
    return {
        reason: pc.is_in(everyone, value_set=owners.filter(pc.equal(items, reason))) for reason, _ in model.reasons
    }


def _one_by_one(model: ir.ModelDecl, bound: Bound, table: pa.Table) -> Answers:
    values: list[Any] = []
    reasons: dict[str, list[bool]] = {reason: [] for reason, _ in model.reasons}
    why: list[str | None] = []
    lists: list[Sequence[str]] = []
    in_a_row = asked = 0
    for row in table.to_pylist():
        if in_a_row < MOST_IN_A_ROW:
            scored = score(model, row, bound)
            failure, value, given = scored.failure, scored.value, scored.reasons
            asked += 1
        else:
            failure, value, given = f"it failed {MOST_IN_A_ROW} times in a row", None, ()
        values.append(value)
        for reason, flags in reasons.items():
            flags.append(reason in given)
        lists.append(given)
        why.append(failure)
        in_a_row = in_a_row + 1 if failure is not None else 0
    told = pa.array(why, pa.string())
    return Answers(
        pa.array(values, TYPES[model.type.kind]), {n: pa.array(f, pa.bool_()) for n, f in reasons.items()},
        pc.is_valid(told), told, pa.array(lists, LISTS), asked, Counter(text for text in why if text is not None),
    )


def _spread(found: Answers, asked: pa.ChunkedArray, rows: int) -> Answers:
    """The answers at the rows that were asked for, no answer elsewhere."""
    mask = pc.fill_null(asked, False)
    mask = pa.concat_arrays(mask.chunks) if isinstance(mask, pa.ChunkedArray) else mask

    def at(values: pa.Array, default: Any) -> pa.Array:
        base = pa.array([default] * rows, values.type) if default is not None else pa.nulls(rows, values.type)
        return pc.replace_with_mask(base, mask, values)

    # lists are no arrays that a mask can be laid over
    places = pc.replace_with_mask(pa.nulls(rows, pa.int64()), mask, pa.array(range(len(found.value)), pa.int64()))
    return Answers(
        at(found.value, None), {n: at(flags, False) for n, flags in found.reasons.items()}, at(found.failed, False),
        found.why.take(places), found.given.take(places), found.asked, found.failures, found.singly,
    )


def _falses(rows: int) -> pa.Array:
    return pc.fill_null(pa.nulls(rows, pa.bool_()), False)


def _trues(rows: int) -> pa.Array:
    return pc.fill_null(pa.nulls(rows, pa.bool_()), True)
