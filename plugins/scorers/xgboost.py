"""Scorers `xgboost`: gradient-boosted trees in XGBoost's own JSON or UBJSON files."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tierwise import Field, ScorerKind, Settings

from . import boosted, opening, rows, trees, ubjson

if TYPE_CHECKING:
    from .rows import Numbers

_WAY = "copy it anew, as `Booster.save_model` wrote it"
_PROBABILITIES = ("binary:logistic", "reg:logistic", "multi:softprob")
#: Objectives whose scores are classes or of another shape than one number a customer and class.
_REFUSED = {"multi:softmax": "gives classes, no probabilities; train it with `multi:softprob`"}
_BOOSTERS = ("gbtree", "dart", "gblinear")
#: The parent of a root; a node's parent is kept in 31 bits.
_NO_PARENT = (2 ** 31 - 1, -1)


@dataclass
class Model:
    """What the file says about the model."""

    features: list[str] | None
    count: int
    is_plain: bool
    objective: str
    classes: int
    #: The rounds that early stopping found best, None for all.
    rounds: int | None
    #: By the feature's position, the texts that its codes stand for.
    texts: dict[int, list[str]]


class XgboostScorer(boosted.Boosted):
    library: Any
    #: The first and the last but one round that is asked; (0, 0) for all.
    rounds: tuple[int, int] = (0, 0)

    #: Whether the booster reads plain arrays; a linear one does not.
    is_plain = True

    def predict(self, fed: Numbers) -> Numbers:
        found: Numbers
        if self.is_plain:
            found = self.booster.inplace_predict(fed, iteration_range=self.rounds, validate_features=False)
        else:
            found = self.booster.predict(self._data(fed), iteration_range=self.rounds)
        return found

    def contributions(self, fed: Numbers) -> Numbers:
        found: Numbers = self.booster.predict(self._data(fed), pred_contribs=True, iteration_range=self.rounds)
        return found

    def _data(self, fed: Numbers) -> Any:
        return self.library.DMatrix(
            fed, feature_names=self.booster.feature_names, feature_types=self.booster.feature_types,
            enable_categorical=True, nthread=self.threads)


def open_xgboost(settings: Settings) -> XgboostScorer:
    file = opening.model_file(settings)
    threads = opening.threads(settings)
    library = opening.library("xgboost", "xgboost")
    model = read(file)
    problems = (library.core.XGBoostError, ValueError, TypeError, KeyError)
    with opening.loading(file, "an XGBoost model", problems, _WAY):
        booster = library.Booster({"nthread": threads, "verbosity": 0})
        booster.load_model(bytearray(file.content))
    names = opening.named(settings["inputs"], model.features, model.count, file)
    fields = {
        name: Field("string", tuple(model.texts[at])) if at in model.texts else Field("number") for name, at in names
    }
    is_share = model.objective in _PROBABILITIES
    output = Field("number", lower=0.0 if is_share else None, upper=1.0 if is_share else None)
    scorer = boosted.made(XgboostScorer, booster, fields, output, model.classes, threads, settings, file)
    scorer.library, scorer.rounds, scorer.is_plain = library, (0, model.rounds or 0), model.is_plain
    scorer.settle((rows.ALONE, *rows.GROUPS), (library.core.XGBoostError,))
    return scorer


# --- reading the file --------------------------------------------------------------------------------


def read(file: opening.ModelFile) -> Model:
    """What a model's file says; raises `PluginFailure` where it is not whole."""
    try:
        return _model(_document(file), file)
    except trees.Broken as problem:
        raise file.refused(f"is not a whole XGBoost model: {problem}", _WAY) from None
    except (KeyError, IndexError) as problem:
        raise file.refused(f"is not a whole XGBoost model: it has no `{problem.args[0]}`", _WAY) from None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as problem:
        raise file.refused(f"is not a whole XGBoost model: {opening.said(problem)}", _WAY) from None


def _document(file: opening.ModelFile) -> Any:
    start = file.content[:2]
    if start[:1] == b"{" and start[1:] not in (b'"', b"\n", b" ", b"\r", b"}"):
        return ubjson.read(file.content)
    if start[:1] != b"{":
        raise trees.Broken("its first mark is not `{`; the old binary format is not read")
    return json.loads(file.text(), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise trees.Broken("a name stands twice in one object")
    return found


def _model(document: Any, file: opening.ModelFile) -> Model:
    learner = document["learner"]
    parameters = learner["learner_model_param"]
    count, classes = int(parameters["num_feature"]), int(parameters["num_class"])
    if not 1 <= count <= 1_000_000 or not 0 <= classes <= 10_000:
        raise trees.Broken("another number of features than there can be")
    objective = str(learner["objective"]["name"])
    if objective in _REFUSED:
        raise file.refused(_REFUSED[objective])
    if int(parameters.get("num_target", 1)) != 1:
        raise file.refused("has several targets", "train a model for each")
    features = [str(name) for name in learner["feature_names"]]
    types = list(learner["feature_types"])
    if features and len(features) != count or types and len(types) != count:
        raise trees.Broken("other names than features")
    gradient = learner["gradient_booster"]
    name = gradient["name"]
    if name not in _BOOSTERS:
        raise trees.Broken("a booster that has no name here")
    texts: dict[int, list[str]] = {}
    if name == "gblinear":
        if len(_floats(gradient["model"]["weights"])) != (count + 1) * max(1, classes):
            raise trees.Broken("another number of weights than features")
    else:
        trunk = gradient["gbtree"]["model"] if name == "dart" else gradient["model"]
        _check_trees(trunk, count, max(1, classes))
        if name == "dart" and len(_floats(gradient["weight_drop"])) != len(trunk["trees"]):
            raise trees.Broken("another number of weights than trees")
        texts = _texts(trunk.get("cats"), count)
    best = learner["attributes"].get("best_iteration")
    rounds = None if best is None else int(best) + 1
    if rounds is not None and rounds < 1:
        raise trees.Broken("a best round that there cannot be")
    return Model(features or None, count, name != "gblinear", objective, max(1, classes), rounds, texts)


def _check_trees(trunk: Mapping[str, Any], features: int, classes: int) -> None:
    import numpy as np  # noqa: PLC0415 - comes with xgboost

    found, parameters = trunk["trees"], trunk["gbtree_model_param"]
    groups = _integers(trunk["tree_info"])
    if int(parameters["num_trees"]) != len(found) or len(groups) != len(found):
        raise trees.Broken("another number of trees than it announces")
    if not trees.are_within(groups, 0, classes):
        raise trees.Broken("a tree of a class that there is none of")
    starts = trunk.get("iteration_indptr")
    if starts is not None:
        starts = _integers(starts)
        if not len(starts) or starts[0] != 0 or starts[-1] != len(found) or (np.diff(starts) < 0).any():
            raise trees.Broken("rounds that do not add up")
    for tree in found:
        _check_tree(tree, features)


def _check_tree(tree: Mapping[str, Any], features: int) -> None:
    parameters = tree["tree_param"]
    nodes = int(parameters["num_nodes"])
    if int(parameters.get("size_leaf_vector", 1)) > 1:
        raise trees.Broken("leaves with several values")
    if int(parameters["num_feature"]) not in (0, features) or nodes < 1:
        raise trees.Broken("a tree of other features than the model's")
    left, right, split = (_integers(tree[key]) for key in ("left_children", "right_children", "split_indices"))
    parents, kinds = _integers(tree["parents"]), _integers(tree["split_type"])
    lists = [left, right, split, parents, kinds, _integers(tree["default_left"])]
    lists += [_floats(tree[key]) for key in ("split_conditions", "base_weights", "loss_changes", "sum_hessian")]
    if any(len(values) != nodes for values in lists):
        raise trees.Broken("a tree with a list that is cut short")
    inner = left != -1
    if not all(trees.are_within(children, -1, nodes) for children in (left, right)) or (inner != (right != -1)).any():
        raise trees.Broken("a tree whose branches lead nowhere")
    if not trees.are_within(split[inner], 0, features) or not trees.are_within(kinds, 0, 2):
        raise trees.Broken("a tree that asks for a feature there is none of")
    trees.check_reach(left, right)
    above = inner.nonzero()[0]
    if any((parents[children[above]] != above).any() for children in (left, right)) or not (
            parents[0] in _NO_PARENT and trees.are_within(parents[1:], 0, nodes)):
        raise trees.Broken("a tree whose branches lead nowhere")
    starts, sizes, where, words = (
        _integers(tree[key]) for key in ("categories_segments", "categories_sizes", "categories_nodes", "categories"))
    if len(where) != len(starts) or not trees.are_within(where, 0, nodes) or not trees.are_within(words, 0, 1 << 24):
        raise trees.Broken("a split by category without its categories")
    trees.check_segments(starts, sizes, len(words))
    if set((inner & (kinds == 1)).nonzero()[0].tolist()) - set(where.tolist()):
        raise trees.Broken("a split by category without its categories")


def _integers(values: Any) -> Numbers:
    import numpy as np  # noqa: PLC0415

    found = np.asarray(values)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iub"):
        raise trees.Broken("a list that should be of whole numbers")
    whole: Numbers = found.astype(np.int64)
    return whole


def _floats(values: Any) -> Numbers:
    import numpy as np  # noqa: PLC0415

    found = np.asarray(values)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iuf"):
        raise trees.Broken("a list that should be of numbers")
    numbers: Numbers = found.astype(np.float64)
    return numbers


def _texts(cats: Mapping[str, Any] | None, features: int) -> dict[int, list[str]]:
    """The texts behind codes, which training on a table notes for the features that are categories."""
    if not cats or not len(cats["enc"]):
        return {}
    if len(cats["enc"]) != features or len(_integers(cats["feature_segments"])) != features + 1:
        raise trees.Broken("the texts of its categories do not fit its features")
    if len(_integers(cats["sorted_idx"])) != int(cats["feature_segments"][-1]):
        raise trees.Broken("the texts of its categories do not fit its features")
    found = {}
    for at, encoded in enumerate(cats["enc"]):
        if "offsets" in encoded and len(encoded["offsets"]):
            offsets, letters = _integers(encoded["offsets"]), _integers(encoded["values"])
            trees.check_segments(offsets[:-1], offsets[1:] - offsets[:-1], len(letters))
            raw = bytes(int(letter) & 0xFF for letter in letters)
            bounds = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
            found[at] = [raw[start:stop].decode("utf-8") for start, stop in bounds]
    return found


KIND = ScorerKind(
    "xgboost", open_xgboost, settings=boosted.SETTINGS,
    help="Gradient-boosted trees in a JSON or UBJSON file of XGBoost",
)
