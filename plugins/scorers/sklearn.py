"""Scorers `sklearn`: scikit-learn's models in skops files. A pickle is never read: reading one runs its code."""
from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tierwise import Field, PluginFailure, ScorerDescription, ScorerKind, Setting, Settings

from . import opening, rows

if TYPE_CHECKING:
    import pyarrow

Frame = Callable[[Mapping[str, Any]], Any]
_WAY = "write it with `skops.io.dump`"
#: How pickles of the protocols in use begin, and files that joblib packed.
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")


class SklearnScorer(rows.Asked):
    """An estimator or pipeline. One that was trained on named columns gets a table, which `frame` makes, others an
    array."""

    def __init__(self, model: Any, column: int | None, frame: Frame | None, limits: Any, threads: int,
                 description: ScorerDescription, trained: Sequence[str]) -> None:
        super().__init__(description)
        self._model = model
        self._column = column
        self._frame = frame
        self._limits = limits
        self._threads = threads
        self._trained = tuple(trained)
        self._texts = frozenset(n for n, field in description.inputs.items() if field.type == "string")

    def ask(self, fed: Any) -> rows.Answers:
        count = len(fed)
        try:
            with self._limits.limit(limits=self._threads), self.numpy.errstate(all="ignore"):
                found = self._model.predict(fed) if self._column is None else self._model.predict_proba(fed)
        except (ValueError, TypeError) as problem:
            # Its text would show the customer's values.
            raise Refused(f"scikit-learn refused the inputs with {type(problem).__name__}; an encoder does that over a "
                          "text that it was not trained on, unless made with `handle_unknown`") from None
        values = self.numpy.asarray(found)
        if self._column is not None:
            values = values[:, self._column]
        if values.shape not in ((count,), (count, 1)):
            raise PluginFailure(f"the model gives {'x'.join(map(str, values.shape))} numbers for {count} customers; "
                                "train it for one")
        return rows.Answers(values.reshape(count).astype("float64"))

    def of_row(self, row: Mapping[str, Any], times: int) -> Any:
        values = [row[n] if n in self._texts else rows.number(row[n]) for n in self.names]
        if self._frame is None:
            return self.numpy.array([values] * times, object if self._texts else "float64")
        return self._frame({n: [v] * times for n, v in zip(self._trained, values, strict=True)})

    def of_table(self, table: pyarrow.Table) -> Any:
        if self._frame is None and not self._texts:
            return rows.matrix(table, self.names, "float64", self.is_known)
        columns: list[Any] = [
            table[n].to_pylist() if n in self._texts else rows.numbers(table[n], self.is_known) for n in self.names
        ]
        if self._frame is not None:
            return self._frame(dict(zip(self._trained, columns, strict=True)))
        found = self.numpy.empty((table.num_rows, len(columns)), object)
        for at, column in enumerate(columns):
            found[:, at] = column
        return found

    def close(self) -> None:
        self._model = None


class Refused(PluginFailure):
    """Inputs that the model itself refuses."""


# --- opening ------------------------------------------------------------------------------------


def open_sklearn(settings: Settings) -> SklearnScorer:
    file = opening.model_file(settings)
    threads = opening.threads(settings)
    if not file.content.startswith(b"PK"):
        if file.content.startswith(_PICKLES):
            raise file.refused("is a pickle, and reading one runs whatever code it holds",
                               f"{_WAY}, or export it to ONNX (`kind: onnx`)")
        raise file.refused("is no skops file", f"{_WAY}, or export it to ONNX (`kind: onnx`)")
    library = opening.library("sklearn", "sklearn")
    model = _loaded(settings, file, opening.library("skops.io", "sklearn"), library.__version__)
    if not hasattr(model, "predict") or not hasattr(model, "get_params"):
        raise file.refused("holds no model", "dump the fitted pipeline or estimator itself")
    _alone(model)
    limits = opening.library("threadpoolctl", "sklearn").ThreadpoolController()
    trained = getattr(model, "feature_names_in_", None)
    count = getattr(model, "n_features_in_", None)
    if count is None:
        raise file.refused("does not say how many columns it takes", "fit it before it is dumped")
    names = opening.named(settings["inputs"], None if trained is None else [str(n) for n in trained], count, file)
    fields = _fields([name for name, _ in names], settings, file)
    column, is_share = _column(model, settings, file)
    output = Field("number", lower=0.0 if is_share else None, upper=1.0 if is_share else None)
    description = ScorerDescription(fields, output, file.version, handles_missing=settings["missing"] == "model")
    frame = None if trained is None else _frame(library.__version__)
    scorer = SklearnScorer(model, column, frame, limits, threads, description,
                           [str(n) for n in trained] if trained is not None else ())
    scorer.settle(rows.GROUPS, (Refused,))
    return scorer


def _loaded(settings: Settings, file: opening.ModelFile, skops: Any, running: str) -> Any:
    problems = (ValueError, TypeError, KeyError, AttributeError, ImportError, zipfile.BadZipFile, RecursionError)
    trusted = [str(name) for name in settings["trusted"] or ()]
    with opening.loading(file, "a skops file", problems, f"{_WAY} of this version"):
        with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > opening.LARGEST:
                raise ValueError(f"it unpacks to more than {opening.LARGEST >> 20} MiB")
        unknown = [name for name in skops.get_untrusted_types(data=file.content) if name not in trusted]
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown[:4]) + (", ..." if len(unknown) > 4 else "")
        raise file.refused(f"holds types that skops does not trust unasked: {listed}",
                           "those that you know, list under `trusted`")
    with opening.loading(file, "a skops file", problems, f"{_WAY} of this version"), \
            warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        model = skops.loads(file.content, trusted=trusted)
    written = next((str(version) for warning in noted
                    if (version := getattr(warning.message, "original_sklearn_version", None))), running)
    if written.split(".")[:2] != running.split(".")[:2] and not settings["other versions"]:
        raise file.refused(f"was written by scikit-learn {written}, and {running} is installed",
                           "install that version, or export the model to ONNX; `other versions: true` takes the risk")
    return model


def _alone(model: Any) -> None:
    """One worker, whatever training used: forests add up their trees in the order that workers end."""
    workers = {name: 1 for name in model.get_params() if name == "n_jobs" or name.endswith("__n_jobs")}
    model.set_params(**workers)


def _frame(running: str) -> Frame:
    """What makes a table of columns: scikit-learn takes Arrow's from 1.9 on, before that those of pandas alone."""
    numbers = [int(part) for part in running.split(".")[:2] if part.isdigit()]
    if numbers >= [1, 9]:
        made: Frame = opening.library("pyarrow", "sklearn").table
        return made
    try:
        frame: Frame = import_module("pandas").DataFrame
    except ImportError:
        raise PluginFailure(f"a model that was trained on named columns needs pandas with scikit-learn {running}: "
                            "pip install pandas") from None
    return frame


def _fields(names: Sequence[str], settings: Settings, file: opening.ModelFile) -> dict[str, Field]:
    texts = [str(name) for name in settings["texts"] or ()]
    if strange := [name for name in texts if name not in names]:
        raise file.refused(f"has no input `{strange[0]}`, which `texts` names")
    return {name: Field("string" if name in texts else "number") for name in names}


def _column(model: Any, settings: Settings, file: opening.ModelFile) -> tuple[int | None, bool]:
    """The column of the probabilities, None for a regression; and whether the score is a probability."""
    stated = settings["class"]
    classes = getattr(model, "classes_", None)
    if classes is None:
        if stated is not None:
            raise file.refused("gives one number a customer", "leave `class` out")
        return None, False
    if not hasattr(model, "predict_proba"):
        raise file.refused("gives classes without probabilities", "calibrate it, or train another model")
    labels = [str(label) for label in classes]
    if stated is None and len(labels) == 2:
        return 1, True
    if str(stated) in labels:
        return labels.index(str(stated)), True
    raise file.refused("gives probabilities of " + ", ".join(f"`{label}`" for label in labels[:8]),
                       "state whose is the score: `class: NAME`")


KIND = ScorerKind(
    "sklearn", open_sklearn,
    settings={
        **opening.FILE, **opening.INPUTS,
        "class": Setting("any", help="whose probability is the score; of two classes the second unless stated"),
        "texts": Setting("list", help="the inputs that are texts"),
        "trusted": Setting("list", help="types beyond scikit-learn's own that the file may hold"),
        "other versions": Setting("boolean", default=False, help="take files that another scikit-learn wrote"),
        **opening.missing_setting("none"), **opening.THREADS,
    },
    help="A model of scikit-learn in a skops file",
)
