"""Scorers `lightgbm`: gradient-boosted trees in LightGBM's own text files."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tierwise import Field, ScorerKind, Settings

from . import boosted, opening, rows, trees

if TYPE_CHECKING:
    from .rows import Numbers

_WAY = "copy it anew, as `Booster.save_model` wrote it"
#: What objectives make of the sum of the trees.
_PROBABILITIES = ("binary", "multiclass", "multiclassova", "cross_entropy")


@dataclass
class Text:
    """What the head of a model file says."""

    features: list[str]
    objective: str
    classes: int
    #: By the feature's position, the texts that its codes stand for.
    texts: dict[int, list[str]] = field(default_factory=dict)


class LightgbmScorer(boosted.Boosted):
    def predict(self, fed: Numbers) -> Numbers:
        found: Numbers = self.booster.predict(fed, num_threads=self.threads)
        return found

    def contributions(self, fed: Numbers) -> Numbers:
        found: Numbers = self.booster.predict(fed, num_threads=self.threads, pred_contrib=True)
        return found


def open_lightgbm(settings: Settings) -> LightgbmScorer:
    file = opening.model_file(settings)
    threads = opening.threads(settings)
    library = opening.library("lightgbm", "lightgbm")
    content = file.text().replace("\r\n", "\n")
    text = read(content, file)
    with opening.loading(file, "a LightGBM model", (library.basic.LightGBMError, ValueError, KeyError), _WAY):
        booster = library.Booster(model_str=_bare(content))
    names = opening.named(settings["inputs"], text.features, len(text.features), file)
    fields = {
        name: Field("string", tuple(text.texts[at])) if at in text.texts else Field("number") for name, at in names
    }
    is_share = text.objective in _PROBABILITIES
    output = Field("number", lower=0.0 if is_share else None, upper=1.0 if is_share else None)
    scorer = boosted.made(LightgbmScorer, booster, fields, output, text.classes, threads, settings, file)
    scorer.settle((rows.ALONE, *rows.GROUPS), (library.basic.LightGBMError,))
    return scorer


def _bare(content: str) -> str:
    """The text without what prediction needs not, and the library's reader trusts: the sizes of the trees, by which it
    reads ahead on several threads, and the parameters of training."""
    front, _, _ = content.partition("\nend of trees\n")
    front = re.sub("^tree_sizes=.*\n", "", front, count=1, flags=re.MULTILINE)
    return f"{front}\nend of trees\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"


# --- reading the text ------------------------------------------------------------------------------


def read(content: str, file: opening.ModelFile) -> Text:
    """The head of a model's text; raises `PluginFailure` where head or trees are not whole."""
    try:
        head, blocks, tail = _parts(content)
        features = head["feature_names"].split(" ")
        count = int(head["max_feature_idx"]) + 1
        classes, each = int(head["num_class"]), int(head["num_tree_per_iteration"])
        if count != len(features) or len(head["feature_infos"].split(" ")) != count:
            raise trees.Broken("other names than features")
        if not 1 <= classes <= 10_000 or each not in (1, classes) or not blocks or len(blocks) % each:
            raise trees.Broken("trees that do not go round")
        if len(head["tree_sizes"].split(" ")) != len(blocks):
            raise trees.Broken("another number of trees than it announces")
        for block in blocks:
            _check_tree(block, count)
        objective = head.get("objective", "").split(" ")[0]
        text = Text(features, objective, classes if each > 1 else 1)
        text.texts = _texts(head["feature_infos"].split(" "), tail)
        return text
    except trees.Broken as problem:
        raise file.refused(f"is not a whole LightGBM model: {problem}", _WAY) from None
    except (KeyError, ValueError, OverflowError) as problem:
        missing = f": it has no `{problem.args[0]}`" if isinstance(problem, KeyError) else ""
        raise file.refused(f"is not a whole LightGBM model{missing}", _WAY) from None


def _parts(content: str) -> tuple[dict[str, str], list[dict[str, str]], dict[str, str]]:
    """What stands before the trees, in each, and behind them; lines `key=value`, behind the trees `key:value`."""
    if "\0" in content:
        raise trees.Broken("it holds a NUL character")
    if not content.startswith("tree\n"):
        raise trees.Broken("its first line is not `tree`")
    front, end, behind = content.partition("\nend of trees\n")
    if not end:
        raise trees.Broken("it ends before its trees do")
    head, *blocks = front.split("\nTree=")
    found = []
    for number, block in enumerate(blocks):
        first, _, lines = block.partition("\n")
        if first != str(number):
            raise trees.Broken(f"tree {number} is missing")
        found.append(_lines(lines))
    tail = {}
    for line in behind.splitlines():
        key, sign, value = line.partition(":")
        if sign and key == "pandas_categorical":
            tail[key] = value
    return _lines(head), found, tail


def _lines(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        key, sign, value = line.partition("=")
        if sign and key in found:
            raise trees.Broken(f"it says `{key}` twice")
        if sign:
            found[key] = value
    return found


def _check_tree(block: Mapping[str, str], features: int) -> None:
    leaves = int(block["num_leaves"])
    if leaves < 1 or len(block["leaf_value"].split(" ")) != leaves:
        raise trees.Broken("a tree without all its leaves")
    _numbers(block["leaf_value"], leaves, float)
    if int(block.get("is_linear", "0")):
        raise trees.Broken("linear trees are not read; train it without `linear_tree`")
    if leaves == 1:
        return
    nodes = leaves - 1
    left, right = (_numbers(block[key], nodes, int) for key in ("left_child", "right_child"))
    split = _numbers(block["split_feature"], nodes, int)
    threshold = _numbers(block["threshold"], nodes, float)
    decision = _numbers(block["decision_type"], nodes, int)
    for key in ("split_gain", "internal_value", "internal_weight", "internal_count"):
        _numbers(block[key], nodes, float)
    for key in ("leaf_weight", "leaf_count"):
        _numbers(block[key], leaves, float)
    if not trees.are_within(split, 0, features) or not trees.are_within(decision, 0, 16):
        raise trees.Broken("a tree that asks for a feature there is none of")
    for children in (left, right):
        if not trees.are_within(children, -leaves, nodes):
            raise trees.Broken("a tree whose branches lead nowhere")
    trees.check_reach(left, right)
    _check_categories(block, threshold[(decision & 1) == 1])


def _check_categories(block: Mapping[str, str], chosen: Numbers) -> None:
    """Check the sets of codes that splits by category ask for; `chosen` are the numbers of the sets."""
    count = int(block["num_cat"])
    if not count:
        if len(chosen):
            raise trees.Broken("a split by category without its categories")
        return
    bounds = _numbers(block["cat_boundaries"], count + 1, int)
    words = _numbers(block["cat_threshold"], None, int)
    if not trees.are_within(chosen, 0, count) or bounds[0] != 0 or bounds[-1] != len(words):
        raise trees.Broken("a split by category without its categories")
    trees.check_segments(bounds[:-1], bounds[1:] - bounds[:-1], len(words))
    if not trees.are_within(words, 0, 1 << 32):
        raise trees.Broken("categories that are no sets")


def _numbers(text: str, count: int | None, kind: type) -> Numbers:
    import numpy as np  # noqa: PLC0415 - comes with lightgbm

    found: Numbers = np.array(text.split(" "), np.int64 if kind is int else np.float64)
    if count is not None and len(found) != count:
        raise trees.Broken("a tree with a list that is cut short")
    return found


def _texts(infos: Sequence[str], tail: Mapping[str, str]) -> dict[int, list[str]]:
    """The texts behind codes, which training on a table notes for the features that are categories, in their order."""
    noted = json.loads(tail.get("pandas_categorical", "null"))
    if not noted:
        return {}
    coded = [at for at, info in enumerate(infos) if not info.startswith("[") and info != "none"]
    if not isinstance(noted, list) or len(noted) != len(coded):
        raise trees.Broken("the texts of its categories do not fit its features")
    return dict(_text_features(coded, noted))


def _text_features(coded: Sequence[int], noted: Sequence[Any]) -> Iterator[tuple[int, list[str]]]:
    for at, texts in zip(coded, noted, strict=True):
        if not isinstance(texts, list):
            raise trees.Broken("the texts of its categories do not fit its features")
        if any(isinstance(text, str) for text in texts):
            yield at, [str(text) for text in texts]


KIND = ScorerKind(
    "lightgbm", open_lightgbm, settings=boosted.SETTINGS,
    help="Gradient-boosted trees in a text file of LightGBM",
)
