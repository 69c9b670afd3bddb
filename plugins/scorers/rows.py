"""Asking a model so that a customer's score has the same bits alone and among others.

Matrix products round otherwise for one row than for many, and otherwise for the rows left over at the end of a block.
So rows are asked in whole groups, the last filled up with copies of its last row, and one row is asked as a group of
copies of itself. Whether that is enough is tried when a model is opened, and where it is not, every call has one size.
"""
from __future__ import annotations

import abc
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tierwise import Field, PluginFailure, Score, ScorerDescription

if TYPE_CHECKING:
    import numpy
    import pyarrow

    Numbers = numpy.ndarray[Any, Any]

#: Rows of a call; a bound on memory.
_MOST = 1 << 16
#: Sizes of a group with the most rows of a call, from the quickest to the surest.
ALONE = (1, _MOST)
GROUPS = ((16, _MOST), (512, 512))
#: Rows that are tried when a model is opened, and how many of them alone.
_TRIED, _TRIED_ALONE = 200, 24


class Answers:
    """Values of rows, float64, with each column's share in them where reasons are wanted."""

    def __init__(self, values: Numbers, shares: Numbers | None = None) -> None:
        self.values = values
        self.shares = shares


class Asked(abc.ABC):
    """A scorer over a library that is asked about many rows at once.

    A subclass says what it takes and gives, and carries rows into the library's own form. NaN is passed on as it
    comes: to the engine it is a failure of that customer alone.
    """

    def __init__(self, description: ScorerDescription, reasons: int = 0, worse: int = 1) -> None:
        import numpy  # noqa: PLC0415 - comes with the library of the model

        self.numpy: Any = numpy
        self._description = description
        self.names = tuple(description.inputs)
        self._reasons = reasons
        self._worse = worse
        self.group, self.most = ALONE
        #: Whether no input can be missing in what `of_table` is given.
        self.is_known = not description.handles_missing
        #: Calls that may be under way at once.
        self.workers = 1
        #: Inputs that are whole numbers to the model.
        self.whole: frozenset[str] = frozenset()

    def describe(self) -> ScorerDescription:
        return self._description

    @abc.abstractmethod
    def ask(self, fed: Any) -> Answers:
        """The library's answers for what `of_row` or `of_columns` made."""

    @abc.abstractmethod
    def of_row(self, row: Mapping[str, Any], times: int) -> Any:
        """One row, `times` over, as the library takes it; its missing values are None."""

    @abc.abstractmethod
    def of_table(self, table: pyarrow.Table) -> Any:
        """Rows as the library takes them."""

    def one(self, row: Mapping[str, Any]) -> Score:
        if not self._description.handles_missing and any(_is_missing(row[name]) for name in self.names):
            return Score(None)
        answers = self.ask(self.of_row(row, self.group))
        if answers.shares is None:
            return Score(float(answers.values[0]))
        order, count = self._ranked(answers.shares[:1])
        return Score(float(answers.values[0]), tuple(self.names[i] for i in order[0][:int(count[0])]))

    def batch(self, table: pyarrow.Table) -> pyarrow.Table:
        import pyarrow  # noqa: PLC0415 - an extra; whoever calls this has it
        import pyarrow.compute as pc  # noqa: PLC0415

        table = table.select(self.names)
        if self._description.handles_missing or (gone := _gone(table)) is None:
            return self._complete(table)
        found = self._complete(table.filter(pc.invert(gone)))
        # The rows that were left out take the place behind the last, which has no score.
        empty = {"value": [None], "reasons": [[]]}
        found = pyarrow.concat_tables([found, pyarrow.table(
            {name: pyarrow.array(empty[name], found.schema.field(name).type) for name in found.column_names})])
        behind = pyarrow.scalar(found.num_rows - 1, pyarrow.int64())
        asked = pc.cast(pc.invert(gone), pyarrow.int64())
        return found.take(pc.if_else(gone, behind, pc.subtract(pc.cumulative_sum(asked), 1)))

    def _complete(self, table: pyarrow.Table) -> pyarrow.Table:
        """The scores of a table whose every row can be asked."""
        import pyarrow  # noqa: PLC0415

        values = [pyarrow.array([], pyarrow.float64())]
        reasons = [pyarrow.array([], pyarrow.list_(pyarrow.string()))]
        share = -(-table.num_rows // self.workers)
        size = min(self.most, share + -share % self.group) or self.most
        parts = [table.slice(start, size) for start in range(0, table.num_rows, size)]
        for part, answers in zip(parts, self._asked(parts), strict=True):
            values.append(pyarrow.array(answers.values[:part.num_rows], pyarrow.float64()))
            if answers.shares is not None:
                reasons.append(self._lists(answers.shares[:part.num_rows]))
        columns = {"value": pyarrow.chunked_array(values)}
        if self._reasons:
            columns["reasons"] = pyarrow.chunked_array(reasons)
        return pyarrow.table(columns)

    def _asked(self, parts: Sequence[pyarrow.Table]) -> Iterable[Answers]:
        if self.workers == 1 or len(parts) == 1:
            return map(self._filled, parts)
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(self._filled, parts))

    def _filled(self, part: pyarrow.Table) -> Answers:
        """Ask for a part, filled up to whole groups."""
        import pyarrow  # noqa: PLC0415

        count = part.num_rows
        if left := -count % self.group:
            part = pyarrow.concat_tables([part, *[part.slice(count - 1)] * left])
        return self.ask(self.of_table(part))

    def close(self) -> None:  # noqa: B027 - most have nothing to do
        """The library lets go of a model with its last reference."""

    # --- reasons ------------------------------------------------------------------------------

    def _ranked(self, shares: Numbers) -> tuple[Numbers, Numbers]:
        """Columns by how much they speak against the customer, and how many of them do; equals as in the model."""
        np = self.numpy
        against = shares * self._worse
        order = np.argsort(-against, axis=1, kind="stable")[:, :self._reasons]
        return order, (np.take_along_axis(against, order, axis=1) > 0).sum(axis=1)

    def _lists(self, shares: Numbers) -> Any:
        import pyarrow  # noqa: PLC0415

        np = self.numpy
        order, count = self._ranked(shares)
        given = order[np.arange(order.shape[1])[None, :] < count[:, None]]
        offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
        names = pyarrow.array(self.names, pyarrow.string())
        return pyarrow.ListArray.from_arrays(pyarrow.array(offsets), names.take(pyarrow.array(given, pyarrow.int64())))

    # --- the same bits ----------------------------------------------------------------------

    def settle(self, sizes: Sequence[tuple[int, int]], problems: tuple[type[BaseException], ...]) -> None:
        """Choose the sizes of calls: the first with which rows score alike alone and among others.

        A model that raises one of `problems` over rows that nobody chose for it may be right about the real ones.
        """
        table = tried(self._description.inputs, self.whole)
        rows = table.slice(0, _TRIED_ALONE).to_pylist()
        for self.group, self.most in sizes:
            try:
                together = self.batch(table)["value"].to_pylist()
                alone = [self.one(row).value for row in rows]
            except problems:
                return
            if all(_same(a, b) for a, b in zip(alone, together[:len(alone)], strict=True)):
                return
        raise PluginFailure(
            "the model scores a customer otherwise alone than among others, so that its scores could not be repeated; "
            "take out what works across rows, such as a normalisation over the batch")


def tried(inputs: Mapping[str, Field], whole: frozenset[str]) -> pyarrow.Table:
    """Rows to try a model with, the same every time; numbers of many sizes, since no data are at hand."""
    import numpy  # noqa: PLC0415
    import pyarrow  # noqa: PLC0415

    random = numpy.random.default_rng(20260701)
    columns: dict[str, Any] = {}
    for name, field in inputs.items():
        if field.type == "string":
            texts = field.values or ("",)
            columns[name] = [texts[i] for i in random.integers(0, len(texts), _TRIED)]
        elif field.type == "boolean":
            columns[name] = pyarrow.array(random.integers(0, 2, _TRIED).astype(bool))
        elif name in whole:
            columns[name] = pyarrow.array(random.integers(0, 2, _TRIED).astype(float))
        else:
            size = 10.0 ** random.integers(-2, 5, _TRIED)
            columns[name] = pyarrow.array(random.normal(size=_TRIED) * size)
    return pyarrow.table(columns)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _gone(table: pyarrow.Table) -> Any:
    """Of each row whether an input is missing or infinite; None where none is."""
    import pyarrow  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    found = None
    for column in table.columns:
        is_float = pyarrow.types.is_floating(column.type)
        if not column.null_count and (not is_float or _is_finite(column.to_numpy())):
            continue
        empty = pc.is_null(column)
        if is_float:
            empty = pc.or_(empty, pc.fill_null(pc.invert(pc.is_finite(column)), True))
        found = empty if found is None else pc.or_(found, empty)
    return found


def _is_finite(values: Numbers) -> bool:
    """Whether all values surely are numbers: so is their sum, then, in a fifth of the time of a look at each."""
    import numpy  # noqa: PLC0415

    with numpy.errstate(over="ignore"):
        return bool(numpy.isfinite(values.sum()))


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def number(value: Any) -> float:
    """A value of a row as the float that Arrow holds for it, NaN where it is missing or infinite."""
    if value is None:
        return math.nan
    found = float(value)
    return found if math.isfinite(found) else math.nan


def numbers(column: pyarrow.ChunkedArray, is_known: bool = False) -> Numbers:
    """A column as float64, NaN where it is missing or infinite; `is_known` where nothing in it is."""
    import numpy  # noqa: PLC0415
    import pyarrow  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if column.type != pyarrow.float64():
        column = pc.cast(column, pyarrow.float64())
    found: Numbers = column.to_numpy()
    if not is_known and not _is_finite(found) and numpy.isinf(found).any():
        found = numpy.where(numpy.isinf(found), numpy.nan, found)
    return found


def matrix(table: pyarrow.Table, names: Sequence[str], dtype: Any, is_known: bool = False) -> Numbers:
    """Columns side by side."""
    import numpy  # noqa: PLC0415

    found = numpy.empty((table.num_rows, len(names)), dtype)
    for at, name in enumerate(names):
        found[:, at] = numbers(table[name], is_known)
    return found
