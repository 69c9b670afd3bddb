"""Scorers `onnx`: models in the exchange format that most libraries export to, run by onnxruntime."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tierwise import Field, PluginFailure, ScorerDescription, ScorerKind, Setting, Settings

from . import opening, protobuf, rows

if TYPE_CHECKING:
    import pyarrow

    from .rows import Numbers

#: Element types of a model's inputs: how numpy names them, and what the policy gives.
_TYPES = {
    "tensor(float)": ("float32", "number"), "tensor(double)": ("float64", "number"),
    "tensor(int64)": ("int64", "number"), "tensor(int32)": ("int32", "number"),
    "tensor(bool)": ("bool", "boolean"), "tensor(string)": ("object", "string"),
}
_NUMBERS = ("tensor(float)", "tensor(double)")
#: Operators that move values or compute each by a single rounding, so that a row alone gives what it gives among
#: others; all others are asked in groups.
_ROW_BY_ROW = frozenset({
    "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor", "Cast", "ZipMap", "Identity",
    "ArrayFeatureExtractor", "FeatureVectorizer", "Concat", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Gather",
    "LabelEncoder", "OneHotEncoder", "Imputer", "Where", "Equal", "Not", "IsNaN", "Shape", "Constant",
})


@dataclass(frozen=True)
class _Input:
    """An input of the model: its columns stand at `start` to `stop` among all of them."""

    name: str
    dtype: str
    type: str
    #: Whether it is [rows, columns] rather than [rows].
    is_matrix: bool
    start: int
    stop: int


class OnnxScorer(rows.Asked):
    """An onnxruntime session. Its bytes were read before; what the model would fetch from other files is refused."""

    def __init__(self, session: Any, inputs: Sequence[_Input], output: _Output, description: ScorerDescription) -> None:
        super().__init__(description)
        self.whole = frozenset(
            name for given in inputs if given.dtype.startswith("int") for name in self.names[given.start:given.stop])
        self._session = session
        self._inputs = inputs
        self._output = output

    def ask(self, fed: dict[str, Numbers]) -> rows.Answers:
        (found,) = self._session.run([self._output.name], fed)
        count = len(next(iter(fed.values())))
        return rows.Answers(self._output.values(found, count))

    def of_row(self, row: Mapping[str, Any], times: int) -> dict[str, Numbers]:
        np, fed = self.numpy, {}
        for given in self._inputs:
            names = self.names[given.start:given.stop]
            values = [_value(row[name], given) for name in names]
            array = np.array([values] * times, given.dtype)
            fed[given.name] = array if given.is_matrix else array[:, 0]
        return fed

    def of_table(self, table: pyarrow.Table) -> dict[str, Numbers]:
        fed = {}
        for given in self._inputs:
            names = self.names[given.start:given.stop]
            array = self._array(table, names, given)
            fed[given.name] = array if given.is_matrix else array[:, 0]
        return fed

    def _array(self, table: pyarrow.Table, names: Sequence[str], given: _Input) -> Numbers:
        np = self.numpy
        if given.type == "string":
            columns = [np.array(["" if v is None else v for v in table[n].to_pylist()], object) for n in names]
            texts: Numbers = np.stack(columns, axis=1)
            return texts
        found = rows.matrix(table, names, "float64" if given.dtype != "float32" else "float32", self.is_known)
        if given.dtype.startswith("int"):
            _check_whole(bool((found == np.floor(found)).all()), names)
        typed: Numbers = found.astype(given.dtype, copy=False)
        return typed


def _value(value: Any, given: _Input) -> Any:
    if given.type == "string":
        return "" if value is None else value
    if given.type == "boolean":
        return bool(value)
    found = rows.number(value)
    if given.dtype.startswith("int"):
        _check_whole(found == found and found == int(found), [given.name])
        return int(found)
    return found


def _check_whole(is_whole: bool, names: Sequence[str]) -> None:
    if not is_whole:
        which = ", ".join(f"`{name}`" for name in names)
        raise PluginFailure(f"the model takes whole numbers for {which}, and was given another or none")


# --- what it gives -----------------------------------------------------------------------------


class _Output:
    """Where the score stands: an output of the model and, if it gives several numbers a row, which of them."""

    def __init__(self, name: str, stated: Any, file: opening.ModelFile, numpy: Any) -> None:
        self.name = name
        self._numpy = numpy
        self._stated = stated
        self._file = file
        self._label: Any = None

    def values(self, found: Any, count: int) -> Numbers:
        """The scores of `count` rows."""
        if isinstance(found, list):
            if self._label is None:
                self._label = self._of_labels(found)
            label = self._label
            found = self._numpy.array([row[label] for row in found])
        shape = found.shape
        if len(shape) not in (1, 2) or shape[0] != count or 0 in shape:
            raise self._file.refused(
                f"gives {'x'.join(map(str, shape)) or 'one'} numbers as `{self.name}` for {count} customers",
                "export it so that it gives one row a customer")
        if len(shape) == 2:
            found = found[:, self._of_columns(shape[1])]
        values: Numbers = found.astype("float64")
        return values

    def _of_columns(self, width: int) -> int:
        stated = self._stated
        if width <= 2 and stated is None:
            return width - 1
        if isinstance(stated, int) and not isinstance(stated, bool) and 0 <= stated < width:
            return stated
        raise self._file.refused(f"gives {width} numbers a customer as `{self.name}`",
                                 f"state which is the score: `class: 0` to `class: {width - 1}`")

    def _of_labels(self, found: list[Any]) -> Any:
        labels = list(found[0]) if isinstance(found[0], dict) else []
        if not labels:
            raise self._file.refused(f"gives no probabilities as `{self.name}`", "state another with `output`")
        if self._stated is None and len(labels) == 2:
            return labels[1]
        for label in labels:
            if self._stated is not None and str(label) == str(self._stated):
                return label
        listed = ", ".join(f"`{label}`" for label in labels[:8])
        raise self._file.refused(f"gives probabilities of {listed}", "state whose is the score: `class: NAME`")


def _chosen_output(session: Any, settings: Settings, file: opening.ModelFile) -> str:
    outputs = session.get_outputs()
    stated = settings["output"]
    listed = ", ".join(f"`{o.name}` ({o.type})" for o in outputs)
    if stated is not None:
        if any(output.name == stated for output in outputs):
            return str(stated)
        raise file.refused(f"has no output `{stated}`", f"it has {listed}")
    numeric = [o for o in outputs if o.type in _NUMBERS or o.type.startswith("seq(map(")]
    if len(numeric) == 1:
        return str(numeric[0].name)
    if not numeric:
        raise file.refused("gives no number", f"it gives {listed}")
    raise file.refused(f"gives {listed}", "state which is the score: `output: NAME`")


# --- what it takes --------------------------------------------------------------------------------


def _read_inputs(session: Any, settings: Settings, file: opening.ModelFile) -> tuple[list[_Input], list[str]]:
    """The model's inputs, and the names of all their columns in order."""
    found: list[_Input] = []
    columns: list[str] | None = []
    count = 0
    for given in session.get_inputs():
        if given.type not in _TYPES:
            raise file.refused(f"takes `{given.name}` as {given.type}", "inputs may be numbers, booleans or texts")
        shape = given.shape
        if len(shape) not in (1, 2):
            raise file.refused(f"takes `{given.name}` with {len(shape)} dimensions",
                               "export it with one row a customer, [rows, columns]")
        if isinstance(shape[0], int):
            raise file.refused(f"takes {shape[0]} rows at once as `{given.name}`",
                               "export it with a first dimension that is left open")
        width = 1 if len(shape) == 1 else shape[1]
        if not isinstance(width, int):
            if not isinstance(settings["inputs"], Sequence) or len(session.get_inputs()) > 1:
                raise file.refused(f"does not say how many columns `{given.name}` has",
                                   "name them in the model's order: `inputs: [first, second, ...]`")
            width = len(settings["inputs"])
        dtype, type_name = _TYPES[given.type]
        found.append(_Input(given.name, dtype, type_name, len(shape) == 2, count, count + width))
        columns = None if columns is None or width > 1 else [*columns, given.name]
        count += width
    if count == 0:
        raise file.refused("takes no inputs", "export it with an input for each of its columns")
    if columns is None:
        columns = _noted_names(session, count)
    return found, [name for name, _ in opening.named(settings["inputs"], columns, count, file)]


def _noted_names(session: Any, count: int) -> list[str] | None:
    """Names of columns that the exporter noted as `feature_names` in the model's metadata, a JSON list."""
    noted = session.get_modelmeta().custom_metadata_map.get("feature_names")
    try:
        names = json.loads(noted) if noted else None
    except ValueError:
        return None
    is_names = isinstance(names, list) and len(names) == count and all(isinstance(n, str) for n in names)
    return names if is_names else None


def open_onnx(settings: Settings) -> OnnxScorer:
    file = opening.model_file(settings)
    runtime = opening.library("onnxruntime", "onnx")
    session = _session(runtime, file)
    inputs, names = _read_inputs(session, settings, file)
    output = _Output(_chosen_output(session, settings, file), settings["class"], file, import_module("numpy"))
    fields = {name: Field(given.type) for given in inputs for name in names[given.start:given.stop]}
    description = ScorerDescription(fields, Field("number"), file.version,
                                    handles_missing=settings["missing"] == "model")
    scorer = OnnxScorer(session, inputs, output, description)
    scorer.workers = opening.threads(settings)
    operators = protobuf.operators(file.content)
    alone = (rows.ALONE,) if operators is not None and operators <= _ROW_BY_ROW else ()
    scorer.settle(alone + rows.GROUPS, _problems(runtime))
    return scorer


def _session(runtime: Any, file: opening.ModelFile) -> Any:
    options = runtime.SessionOptions()
    # With more, onnxruntime adds up the trees of a forest in another order for many rows than for few.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4                      # what is wrong comes as an exception
    options.use_deterministic_compute = True
    way = "export it anew as one file, for an operator set that onnxruntime knows"
    with opening.loading(file, "an ONNX model", _problems(runtime), way):
        return runtime.InferenceSession(file.content, options, providers=["CPUExecutionProvider"])


def _problems(runtime: Any) -> tuple[type[BaseException], ...]:
    """The exceptions of onnxruntime, which have no common base of their own."""
    state: Mapping[str, Any] = vars(runtime.capi.onnxruntime_pybind11_state)
    own = [found for found in state.values() if isinstance(found, type) and issubclass(found, Exception)]
    return (*own, RuntimeError, ValueError)


KIND = ScorerKind(
    "onnx", open_onnx,
    settings={
        **opening.FILE, **opening.INPUTS,
        "output": Setting("text", help="the output that holds the score, where the model gives several"),
        "class": Setting("any", help="whose probability is the score; of two classes the second unless stated"),
        **opening.missing_setting("none"), **opening.THREADS,
    },
    help="A model in ONNX, run by onnxruntime",
)
