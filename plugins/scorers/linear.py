"""Scorers `linear`: regressions and scorecards as coefficients in a YAML or JSON file.

    link: logit                       # or identity
    intercept: -3.2
    inputs:
      debt ratio: {coefficient: 1.8, neutral: 0.4, missing: 0.9}
      years trading:
        bands: [{adds: 0.7}, {from: 2, adds: 0}, {from: 5, adds: -0.4}]
        neutral: 5
      sector: {levels: {retail: 0.2, mining: 0.9}, other: 0.5, neutral: retail}
    scale: {points: 600, odds: 50, double: 20, of: bad}

The sum is taken in the order of the file, one by one and in columns, so that the bits are the same.
"""
from __future__ import annotations

import abc
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tierwise import Field, Score, ScorerDescription, ScorerKind, Settings

from . import coefficients, opening
from .coefficients import Reading

if TYPE_CHECKING:
    import pyarrow


#: A row's reasons are kept as one number below 2 ** 62: 201 ** 8 is.
_MOST_INPUTS, _MOST_REASONS = 200, 8


@dataclass(frozen=True)
class Part(abc.ABC):
    """What one input adds: `neutral` where it neither helps nor harms, `missing` where it is missing."""

    name: str
    #: The name of the reason that it is, where it harms.
    reason: str
    neutral: float
    missing: float | None

    @property
    @abc.abstractmethod
    def field(self) -> Field:
        """The input's type."""

    @abc.abstractmethod
    def of(self, value: Any) -> float | None:
        """What a known value adds; None where the file says nothing about it."""

    @abc.abstractmethod
    def over(self, column: pyarrow.ChunkedArray) -> Any:
        """The same over a column, null where a value is missing or the file says nothing about it."""

    def adds(self, value: Any) -> float | None:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return self.missing
        return self.of(value)


@dataclass(frozen=True)
class Slope(Part):
    coefficient: float

    @property
    def field(self) -> Field:
        return Field("number")

    def of(self, value: Any) -> float | None:
        return self.coefficient * float(value)

    def over(self, column: pyarrow.ChunkedArray) -> Any:
        import pyarrow.compute as pc  # noqa: PLC0415 - an extra; whoever calls this has it

        return pc.multiply(column, self.coefficient)


@dataclass(frozen=True)
class Bands(Part):
    """`starts` are the lowest values of all bands but the first."""

    starts: tuple[float, ...]
    points: tuple[float, ...]

    @property
    def field(self) -> Field:
        return Field("number")

    def of(self, value: Any) -> float | None:
        return self.points[bisect_right(self.starts, float(value))]

    def over(self, column: pyarrow.ChunkedArray) -> Any:
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        found = pc.if_else(pc.is_null(column), pyarrow.scalar(None, pyarrow.float64()), self.points[0])
        for start, points in zip(self.starts, self.points[1:], strict=True):
            found = pc.if_else(pc.greater_equal(column, start), points, found)
        return found


@dataclass(frozen=True)
class Levels(Part):
    levels: Mapping[Any, float]
    other: float | None
    type: str

    @property
    def field(self) -> Field:
        if self.type == "boolean":
            return Field("boolean")
        return Field("string", () if self.other is not None else tuple(self.levels))

    def of(self, value: Any) -> float | None:
        return self.levels.get(value, self.other)

    def over(self, column: pyarrow.ChunkedArray) -> Any:
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        kind = pyarrow.bool_() if self.type == "boolean" else pyarrow.string()
        column = pc.cast(column, kind)
        points = pyarrow.array([*self.levels.values(), self.other], pyarrow.float64())
        known = pyarrow.array(list(self.levels), kind)
        at = pc.fill_null(pc.index_in(column, known, skip_nulls=True), len(self.levels))
        return points.take(pc.if_else(pc.is_null(column), pyarrow.scalar(None, pyarrow.int32()), at))


@dataclass(frozen=True)
class Model:
    parts: tuple[Part, ...]
    intercept: float
    #: Whether the sum is log-odds, of which the score is the probability.
    is_logit: bool
    #: Points are offset + factor times the sum; None where there are no points.
    offset: float | None
    factor: float
    #: 1 where a higher score is the worse one, -1 where a lower one is; and how many reasons are given at most.
    worse: int
    reasons: int
    version: str | None


class LinearScorer:
    """A sum of parts. A value that the file says nothing about gives no score."""

    def __init__(self, model: Model, version: str) -> None:
        self._model = model
        self._reason_names = tuple(part.reason for part in model.parts)
        # What turns the sum against the customer: a higher sum, unless points turn it round.
        self._against = model.worse * (-1 if model.offset is not None and model.factor < 0 else 1)
        is_share = model.is_logit and model.offset is None
        self._description = ScorerDescription(
            {part.name: part.field for part in model.parts},
            Field("number", lower=0.0 if is_share else None, upper=1.0 if is_share else None),
            version, reasons=tuple(dict.fromkeys(self._reason_names)) if model.reasons else (),
            handles_missing=any(part.missing is not None for part in model.parts))
        #: Arrow's exponential, once known; False where it is not Python's.
        self._exp: Any = None

    def describe(self) -> ScorerDescription:
        return self._description

    def one(self, row: Mapping[str, Any]) -> Score:
        model = self._model
        total, harms = model.intercept, []
        for part in model.parts:
            added = part.adds(row[part.name])
            if added is None:
                return Score(None)
            total += added
            harms.append(self._against * (added - part.neutral))
        if model.offset is not None:
            value = model.offset + model.factor * total
        else:
            value = _probability(total) if model.is_logit else total
        if not model.reasons:
            return Score(value)
        order = sorted((at for at, harm in enumerate(harms) if harm > 0), key=lambda at: -harms[at])
        return Score(value, tuple(dict.fromkeys(self._reason_names[at] for at in order[:model.reasons])))

    def batch(self, table: pyarrow.Table) -> pyarrow.Table:
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        model = self._model
        added = [self._added(part, table[part.name]) for part in model.parts]
        total = pyarrow.scalar(model.intercept)
        for column in added:
            total = pc.add(total, column)
        if model.offset is not None:
            value = pc.add(model.offset, pc.multiply(model.factor, total))
        else:
            value = self._probabilities(total) if model.is_logit else total
        columns = {"value": value}
        if model.reasons:
            columns["reasons"] = self._reasons(added, pc.is_valid(total))
        return pyarrow.table(columns)

    def _added(self, part: Part, column: pyarrow.ChunkedArray) -> Any:
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        if part.field.type == "number":
            column = pc.cast(column, pyarrow.float64())
            column = pc.if_else(pc.is_finite(column), column, pyarrow.scalar(None, pyarrow.float64()))
        found = part.over(column)
        return found if part.missing is None else pc.if_else(pc.is_null(column), part.missing, found)

    def _probabilities(self, total: Any) -> Any:
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        if self._exp is None:
            found = getattr(pc, "exp", None)
            self._exp = found if found is not None and _agrees(found) else False
        if self._exp:
            return pc.divide(1.0, pc.add(1.0, self._exp(pc.negate(total))))
        values = [None if value is None else _probability(value) for value in total.to_pylist()]
        return pyarrow.chunked_array([pyarrow.array(values, pyarrow.float64())])

    def _reasons(self, added: Sequence[Any], known: Any) -> Any:
        """Of each row the parts that harm most, the worst first; equals as in the file.

        Arrow sorts no rows, so the worst is taken out again and again; each row's choice is kept as one number, of
        which there are few, and only those become lists.
        """
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        parts = self._model.parts
        none = pyarrow.scalar(0.0)
        harms = [pc.multiply(float(self._against), pc.subtract(column, part.neutral))
                 for column, part in zip(added, parts, strict=True)]
        harms = [pc.if_else(pc.and_(known, pc.greater(harm, none)), harm, none) for harm in harms]
        base, place = len(parts) + 1, 1
        choice: Any = None
        for _ in range(min(self._model.reasons, len(parts))):
            worst = pc.max_element_wise(*harms)
            at: Any = pyarrow.scalar(0, pyarrow.int64())
            for index in range(len(parts) - 1, -1, -1):
                at = pc.if_else(pc.equal(harms[index], worst), index + 1, at)
            at = pc.if_else(pc.greater(worst, none), at, 0)
            harms = [pc.if_else(pc.equal(at, index + 1), none, harm) for index, harm in enumerate(harms)]
            step = pc.multiply(pc.cast(at, pyarrow.int64()), place)
            choice = step if choice is None else pc.add(choice, step)
            place *= base
        choice = choice.combine_chunks() if isinstance(choice, pyarrow.ChunkedArray) else choice
        coded = choice.dictionary_encode()
        lists = [self._listed(code, base) for code in coded.dictionary.to_pylist()]
        return pyarrow.array(lists, pyarrow.list_(pyarrow.string())).take(coded.indices)

    def _listed(self, code: int, base: int) -> list[str]:
        found = []
        while code:
            code, at = divmod(code, base)
            found.append(self._reason_names[at - 1])
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """There is nothing to let go of."""


def _probability(log_odds: float) -> float:
    try:
        return 1.0 / (1.0 + math.exp(-log_odds))
    except OverflowError:
        return 0.0


def _agrees(exp: Any) -> bool:
    """Whether Arrow's exponential is Python's: both are the system's, but a build may bring its own."""
    import pyarrow  # noqa: PLC0415

    tried = [step / 64 - 40 + step * 1e-9 for step in range(5120)]
    return bool(exp(pyarrow.array(tried)).to_pylist() == [math.exp(value) for value in tried])


# --- reading the file --------------------------------------------------------------------------


def open_linear(settings: Settings) -> LinearScorer:
    file = opening.model_file(settings)
    model = read(coefficients.document(file))
    return LinearScorer(model, settings["version"] or model.version or file.version)


def read(at: Reading) -> Model:
    """A model from its file; raises `PluginFailure` that names the place of what is wrong."""
    at.only("version", "link", "intercept", "inputs", "scale", "reasons", "worse", "name", "description")
    link = at.choice("link", ("logit", "identity"))
    parts = tuple(_part(name, inner) for name, inner in at.under("inputs").items())
    if not parts:
        raise at.refused("inputs", "names no input", "give each a `coefficient`, `levels` or `bands`")
    if len(parts) > _MOST_INPUTS:
        raise at.refused("inputs", f"are more than {_MOST_INPUTS}", "export a model of that size to ONNX")
    offset, factor = None, 1.0
    if "scale" in at:
        if link != "logit":
            raise at.refused("scale", "needs log-odds", "state `link: logit`")
        offset, factor = _scale(at.under("scale"))
    worse = at.choice("worse", ("higher", "lower"), "higher" if offset is None else "lower")
    count = at.number("reasons", 4.0)
    if count != int(count) or not 0 <= count <= _MOST_REASONS:
        raise at.refused("reasons", f"is no whole number from 0 to {_MOST_REASONS}", "say how many to give at most")
    for _, inner in at.under("inputs").items():
        if count and "coefficient" in inner and "neutral" not in inner:
            raise inner.refused("neutral", "is missing", "state the value against which reasons are weighed, "
                                "or `reasons: 0` for the whole model")
    return Model(parts, at.number("intercept", 0.0), link == "logit", offset, factor, 1 if worse == "higher" else -1,
                 int(count), at.text("version"))


def _scale(at: Reading) -> tuple[float, float]:
    """Offset and factor of points, stated or by the points at some odds and those that double the odds."""
    if "factor" in at or "offset" in at:
        at.only("factor", "offset")
        factor = at.number("factor")
        if factor == 0:
            raise at.refused("factor", "is 0", "points must move with the odds")
        return at.number("offset"), factor
    at.only("points", "odds", "double", "of")
    odds, double = at.number("odds"), at.number("double")
    if odds <= 0 or double == 0:
        raise at.refused("odds", "and `double` are above 0", "as in `{points: 600, odds: 50, double: 20, of: bad}`")
    factor = double / math.log(2)
    offset = at.number("points") - factor * math.log(odds)
    # The points rise with the odds of good, whichever the regression is of.
    return offset, factor if at.choice("of", ("good", "bad")) == "good" else -factor


def _part(name: str, at: Reading) -> Part:
    forms = [form for form in ("coefficient", "bands", "levels") if form in at]
    if len(forms) != 1:
        raise at.refused("", "states " + (" and ".join(f"`{f}`" for f in forms) or "nothing that it adds"),
                         "state one of `coefficient`, `bands` and `levels`")
    missing = at.number("missing") if "missing" in at else None
    reason = at.text("reason") or name
    if forms == ["coefficient"]:
        at.only("coefficient", "neutral", "missing", "reason")
        coefficient = at.number("coefficient")
        return Slope(name, reason, coefficient * at.number("neutral", 0.0), missing, coefficient)
    if forms == ["levels"]:
        return _levels(name, reason, at, missing)
    at.only("bands", "neutral", "missing", "reason")
    bands = at.items("bands")
    for number, band in enumerate(bands):
        band.only("from", "adds")
        if (number == 0) == ("from" in band):
            raise band.refused("from", "stands with the first band" if number == 0 else "is missing",
                               "the first band holds all below the second, each other one begins at its `from`")
    starts = tuple(band.number("from") for band in bands[1:])
    points = tuple(band.number("adds") for band in bands)
    if not points or any(one >= other for one, other in zip(starts, starts[1:], strict=False)):
        raise at.refused("bands", "are not in order", "sort them by `from`")
    part = Bands(name, reason, 0.0, missing, starts, points)
    neutral = part.of(at.number("neutral")) if "neutral" in at else _middle(points)
    assert neutral is not None
    return Bands(name, reason, neutral, missing, starts, points)


def _levels(name: str, reason: str, at: Reading, missing: float | None) -> Part:
    at.only("levels", "other", "neutral", "missing", "reason")
    levels = dict(at.under("levels").numbers())
    other = at.number("other") if "other" in at else None
    if not levels:
        raise at.refused("levels", "are empty", "write `text: what it adds` for each")
    stated = at.text("neutral")
    if stated is not None and stated not in levels:
        raise at.refused("neutral", f"is `{stated}`, which is none of the levels", "name one of them")
    neutral = levels[stated] if stated is not None else _middle(tuple(levels.values()))
    if set(levels) <= {"true", "false"}:
        truths = {level == "true": add for level, add in levels.items()}
        return Levels(name, reason, neutral, missing, truths, other, "boolean")
    return Levels(name, reason, neutral, missing, levels, other, "string")


def _middle(points: Sequence[float]) -> float:
    """What is neutral unless stated: what adds nothing, or what adds the least either way."""
    return min(points, key=abs)


KIND = ScorerKind(
    "linear", open_linear, settings=opening.FILE,
    help="A regression or scorecard as coefficients in a YAML or JSON file",
)
