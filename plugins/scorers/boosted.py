"""What scorers of gradient-boosted trees share: codes of texts, reasons by contribution, the class asked for."""
from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tierwise import Field, ScorerDescription, Setting, Settings

from . import opening, rows

if TYPE_CHECKING:
    import pyarrow

    from .rows import Numbers

_MOST_REASONS = 100

SETTINGS: Mapping[str, Setting] = {
    **opening.FILE, **opening.INPUTS,
    "class": Setting("number", help="the position, from 0, of the class whose probability is the score"),
    "reasons": Setting("number", default=0, help="how many inputs to name at most as reasons; slower than the score"),
    "worse": Setting("text", default="higher", values=("higher", "lower"),
                     help="which scores are the worse ones: reasons are what moves the score there"),
    **opening.missing_setting("model"), **opening.THREADS,
}


class Boosted(rows.Asked):
    """A booster, asked row by row: every tree walks alone, so that the rows beside a row change nothing.

    Texts are the positions of `Field.values`; others are missing, as the libraries take what training did not show.
    """

    def __init__(
        self, booster: Any, description: ScorerDescription, reasons: int, worse: int, threads: int,
        chosen: int | None, width: int, refused: opening.ModelFile
    ) -> None:
        super().__init__(description, reasons, worse)
        self.booster = booster
        self.threads = threads
        self._chosen = chosen
        self._width = width
        self._file = refused
        self._codes = {
            name: {text: float(code) for code, text in enumerate(field.values)}
            for name, field in description.inputs.items() if field.type == "string"
        }

    @abc.abstractmethod
    def predict(self, fed: Numbers) -> Numbers:
        """Scores: one a row, or one a class and row."""

    @abc.abstractmethod
    def contributions(self, fed: Numbers) -> Numbers:
        """What each column adds to the score, and what stands without them: columns + 1 a class and row."""

    def ask(self, fed: Numbers) -> rows.Answers:
        values = self.predict(fed)
        wanted = (len(fed),) if self._chosen is None else (len(fed), self._width)
        if values.shape != wanted:
            raise self._file.refused(f"gives {'x'.join(map(str, values.shape))} numbers for {len(fed)} customers",
                                     "train it for one score, or state `class`")
        if self._chosen is not None:
            values = values[:, self._chosen]
        if not self._reasons:
            return rows.Answers(values.astype("float64", copy=False))
        shares = self.contributions(fed).reshape(len(fed), -1, len(self.names) + 1)
        return rows.Answers(values.astype("float64", copy=False), shares[:, self._chosen or 0, :-1])

    def of_row(self, row: Mapping[str, Any], times: int) -> Numbers:
        codes, nan = self._codes, float("nan")
        values = [codes[n].get(row[n], nan) if n in codes else rows.number(row[n]) for n in self.names]
        found: Numbers = self.numpy.array([values] * times)
        return found

    def of_table(self, table: pyarrow.Table) -> Numbers:
        import pyarrow  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        if self._codes:
            for at, name in enumerate(self.names):
                if name in self._codes:
                    known = pyarrow.array(self._codes[name], pyarrow.string())
                    column = pc.index_in(pc.cast(table[name], pyarrow.string()), known, skip_nulls=True)
                    table = table.set_column(at, name, column)
        return rows.matrix(table, self.names, "float64", self.is_known)

    def close(self) -> None:
        self.booster = None


Kind = TypeVar("Kind", bound=Boosted)


def made(
    kind: type[Kind], booster: Any, fields: Mapping[str, Field], output: Field, width: int, threads: int,
    settings: Settings, file: opening.ModelFile
) -> Kind:
    """The scorer of a booster that was read; raises `PluginFailure` where settings and model do not go together."""
    reasons = opening.whole(settings, "reasons", _MOST_REASONS)
    description = ScorerDescription(
        fields, output, file.version, reasons=tuple(fields) if reasons else (),
        handles_missing=settings["missing"] == "model")
    worse = 1 if settings["worse"] == "higher" else -1
    return kind(booster, description, reasons, worse, threads, _class(settings, width, file), width, file)


def _class(settings: Settings, width: int, file: opening.ModelFile) -> int | None:
    stated = settings["class"]
    if width == 1:
        if stated is not None:
            raise file.refused("gives one score a customer", "leave `class` out")
        return None
    if stated is None or stated != int(stated) or not 0 <= stated < width:
        raise file.refused(f"gives {width} numbers a customer",
                           f"state which is the score: `class: 0` to `class: {width - 1}`")
    return int(stated)
