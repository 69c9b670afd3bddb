"""The packages that `tierwise new plugin` writes, by kind: path in the package's folder to text.

In a text `$name` is the plugin's name as typed, `$package` the Python package, `$$` a dollar. Each package passes its
own tests as it is written, and its example decides.
"""
from __future__ import annotations

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$name"
version = "0.1.0"
description = "$description"
readme = "README.md"
requires-python = ">=3.11"
dependencies = [$dependencies]

[project.optional-dependencies]
test = ["pytest>=8", "tierwise[arrow,duckdb]"]

# By this tierwise finds the plugin where it is installed.
[project.entry-points.tierwise]
$name = "$package"

[tool.hatch.build.targets.wheel]
packages = ["src/$package"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
"""

README = """\
# $name

$description, for Tierwise.

    pip install -e ".[test]"
    pytest
    tierwise plugins $name

The tests are what Tierwise asks of a plugin, and your own. The last command lists what the plugin gives.

$usage
## What is where

| | |
|---|---|
| `src/$package/__init__.py` | the hooks: what the plugin gives |
| `src/$package/$module.py` | $what |
| `tests/` | contract tests of `tierwise.testing`, and your own |
| `example/` | a policy that uses it |
"""

CONTINUOUS = """\
name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.11", "3.13"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: $${{ matrix.python }}
      - run: pip install -e ".[test]"
      - run: tierwise plugins $name
      - run: pytest
"""

IGNORED = """\
__pycache__/
*.egg-info/
.venv/
dist/
"""

# --- functions -------------------------------------------------------------------------------

FUNCTION_HOOKS = '''\
"""$description."""
from __future__ import annotations

import tierwise

from .functions import FUNCTIONS

tierwise_hooks = 1


@tierwise.hookimpl
def register_functions() -> list[tierwise.Function]:
    return FUNCTIONS
'''

FUNCTIONS = '''\
"""The functions of the set `$name`."""
from __future__ import annotations

import tierwise


def debt_cover(income: float, service: float) -> float | None:
    """None is no value: the decision that needs it stays open, and says why."""
    return income / service if service > 0 else None


#: The same in DuckDB's SQL, so that a portfolio is decided at the speed of columns. A function without it is
#: carried out one by one.
DEBT_COVER = tierwise.sql_form("CASE WHEN service > 0 THEN income / service END", "income", "service")

FUNCTIONS = [
    tierwise.Function(
        set="$name",
        name="debt cover",
        parameters={"income": "amount", "service": "amount"},
        result="number",
        body=debt_cover,
        sql=DEBT_COVER,
        help="How many times the income covers the debt service; no value where there is nothing to serve.",
        examples=(("150, 100", "1.5"), ("150, 0", "null")),
    ),
]
'''

FUNCTION_TESTS = '''\
"""The plugin holds to what Tierwise asks of it, and to what we ask of it."""
from __future__ import annotations

import datetime
from pathlib import Path

import tierwise
import tierwise.testing

import $package
from $package.functions import FUNCTIONS, debt_cover

EXAMPLE = Path(__file__).parent.parent / "example"


class TestPlugin(tierwise.testing.PluginContract):
    plugin = $package


class TestFunctions(tierwise.testing.FunctionContract):
    functions = FUNCTIONS


def test_cover() -> None:
    assert debt_cover(300, 200) == 1.5
    assert debt_cover(300, 0) is None


def test_the_example() -> None:
    plugins = tierwise.Plugins(given={"$name": $package}, installed=False)
    policy = tierwise.load_policy(EXAMPLE / "policy.yaml", plugins)
    customer = {"firm id": "F1", "income": 300_000, "debt service": 200_000}
    assert policy.decide(customer, as_of=datetime.date(2026, 7, 1)).values["decision"] == "approve"
'''

FUNCTION_POLICY = """\
policy: debt service
version: "1"
effective: {from: 2026-01-01}
currency: CNY
functions: [$name]
on missing: refer

reasons:
  R1: {text: Income does not cover debt service, rank: 1}

inputs:
  firm id: {type: string, key: true}
  income: {type: money, range: '>= 0', optional: true}
  debt service: {type: money, range: '>= 0', optional: true}

features:
  cover:
    value: debt cover(income, debt service)

service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: debt service > 0 and cover < 1.2
        then: decline
        reason: R1
      - otherwise: approve
"""

FUNCTION_USAGE = """\
A policy names the set and calls its functions by name:

```yaml
functions: [$name]
features:
  cover:
    value: debt cover(income, debt service)
```

    tierwise decide example/policy.yaml example/customer.json --as-of 2026-07-01
    tierwise run example/policy.yaml example/customers.csv --as-of 2026-07-01
"""

FUNCTION_CUSTOMER = '{"firm id": "F1", "income": 300000, "debt service": 200000}\n'
FUNCTION_CUSTOMERS = """\
firm id,income,debt service
F1,300000,200000
F2,300000,290000
F3,,100000
F4,100000,0
"""

# --- scorers -------------------------------------------------------------------------------------

SCORER_HOOKS = '''\
"""$description."""
from __future__ import annotations

import tierwise

from .scorer import KIND

tierwise_hooks = 1


@tierwise.hookimpl
def register_scorers() -> list[tierwise.ScorerKind]:
    return [KIND]
'''

SCORER = '''\
"""Models of the kind `$name`: a logistic regression in a JSON file.

Put your own model in the place of `Model`; what it must hold to is tested by `tierwise.testing`.
"""
from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tierwise

if TYPE_CHECKING:
    import pyarrow

#: Names of reasons that the model may give; a policy maps them to its own codes.
REASONS = ("short history", "high debt")


class Model:
    """An open model. It is asked from several threads, by one at a time."""

    def __init__(self, version: str, intercept: float, coefficients: Mapping[str, float]) -> None:
        self.version = version
        self.intercept = intercept
        self.coefficients = coefficients

    def describe(self) -> tierwise.ScorerDescription:
        return tierwise.ScorerDescription(
            inputs={"years": tierwise.Field("number", lower=0), "debt ratio": tierwise.Field("number", lower=0)},
            output=tierwise.Field("number", lower=0, upper=1),
            version=self.version,
            reasons=REASONS,
        )

    def one(self, row: Mapping[str, Any]) -> tierwise.Score:
        points = {name: weight * row[name] for name, weight in self.coefficients.items()}
        odds = self.intercept + sum(points.values())
        value = 1 / (1 + math.exp(-min(max(odds, -500.0), 500.0)))
        return tierwise.Score(value, self.reasons(row))

    def reasons(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The most important first."""
        found = [("high debt", row["debt ratio"] > 0.7), ("short history", row["years"] < 2)]
        return tuple(name for name, holds in found if holds)

    def batch(self, table: pyarrow.Table) -> pyarrow.Table:
        """The same answers for a table. A library that scores whole tables goes here, if it gives the same bits."""
        import pyarrow

        answers = [self.one(row) for row in table.to_pylist()]
        return pyarrow.table({
            "value": pyarrow.array([answer.value for answer in answers], pyarrow.float64()),
            "reasons": pyarrow.array([list(answer.reasons) for answer in answers], pyarrow.list_(pyarrow.string())),
        })

    def close(self) -> None:
        """Nothing is held open."""


def open_model(settings: tierwise.Settings) -> Model:
    """Open a model file. What goes wrong is raised as `PluginFailure`: its text is shown to the user."""
    file = settings["file"]
    try:
        stated = json.loads(file.read_text("utf-8"))
        coefficients = {"years": float(stated["years"]), "debt ratio": float(stated["debt ratio"])}
        return Model(str(stated["version"]), float(stated["intercept"]), coefficients)
    except OSError:
        raise tierwise.PluginFailure(f"the model file `{file.name}` cannot be read") from None
    except (KeyError, TypeError, ValueError):
        text = f"`{file.name}` is no model: it needs `version`, `intercept`, `years` and `debt ratio`"
        raise tierwise.PluginFailure(text) from None


KIND = tierwise.ScorerKind(
    name="$name",
    open=open_model,
    settings={"file": tierwise.Setting("path", required=True, help="The model, a JSON file.")},
    help="A logistic regression in a JSON file.",
)
'''

SCORER_TESTS = '''\
"""The plugin holds to what Tierwise asks of it, and to what we ask of it."""
from __future__ import annotations

from pathlib import Path

import pytest
import tierwise
import tierwise.testing

import $package
from $package.scorer import KIND

EXAMPLE = Path(__file__).parent.parent / "example"


class TestPlugin(tierwise.testing.PluginContract):
    plugin = $package


class TestModel(tierwise.testing.ScorerContract):
    kind = KIND
    settings = {"file": "model.json"}
    folder = EXAMPLE
    rows = [{"years": 3, "debt ratio": 0.4}, {"years": 0.5, "debt ratio": 0.9}]


def test_a_young_firm_in_debt() -> None:
    model = KIND.open(tierwise.testing.settings(KIND.settings, {"file": "model.json"}, EXAMPLE))
    score = model.one({"years": 0.5, "debt ratio": 0.9})
    assert score.value == pytest.approx(0.2672, abs=1e-4)
    assert score.reasons == ("high debt", "short history")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(tierwise.PluginFailure, match="is no model"):
        KIND.open(tierwise.testing.settings(KIND.settings, {"file": "model.json"}, tmp_path))
'''

SCORER_MODEL = '{"version": "2026-10", "intercept": -2.2, "years": -0.3, "debt ratio": 1.49}\n'

SCORER_POLICY = """\
policy: risk of default
version: "1"
effective: {from: 2026-01-01}
on missing: refer

reasons:
  R1: {text: High debt, rank: 1}
  R2: {text: Short operating history, rank: 2}

inputs:
  firm id: {type: string, key: true}
  years trading: {type: number, range: '>= 0', optional: true}
  total debt: {type: number, range: '>= 0', optional: true}
  total assets: {type: number, range: '> 0', optional: true}

risk:
  pd:
    type: number
    range: '[0..1]'
    model: pd
    inputs:
      years: years trading
      debt ratio: total debt / total assets
    reasons: {high debt: R1, short history: R2}
    on failure: refer
    on missing: refer

service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: pd > 20%
        then: decline
        reasons: from pd
      - otherwise: approve
"""

SCORER_DEPLOYMENT = """\
deployment: example
models:
  pd: {kind: $name, file: model.json}
"""

SCORER_USAGE = """\
A policy names a model by its role (`model: pd`), a deployment file says what stands behind it:

```yaml
deployment: example
models:
  pd: {kind: $name, file: model.json}
```

    tierwise decide example/policy.yaml example/customer.json --deployment example/deployment.yaml --as-of 2026-07-01
    tierwise run example/policy.yaml example/customers.csv --deployment example/deployment.yaml --as-of 2026-07-01
"""

SCORER_CUSTOMER = '{"firm id": "F1", "years trading": 6, "total debt": 40, "total assets": 100}\n'
SCORER_CUSTOMERS = """\
firm id,years trading,total debt,total assets
F1,6,40,100
F2,0.5,90,100
F3,,10,100
"""

# --- sources -------------------------------------------------------------------------------------

SOURCE_HOOKS = '''\
"""$description."""
from __future__ import annotations

import tierwise

from .source import KIND

tierwise_hooks = 1


@tierwise.hookimpl
def register_sources() -> list[tierwise.SourceKind]:
    return [KIND]
'''

SOURCE = '''\
"""Data of the kind `$name`: what a bureau says of firms, in a JSON file.

Put your own system in the place of `Bureau`; what it must hold to is tested by `tierwise.testing`.
"""
from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import tierwise

if TYPE_CHECKING:
    import pyarrow

SCORES = tierwise.Table(
    name="scores",
    key="firm id",
    fields={
        "score": tierwise.Field("number", lower=0, upper=1000, help="The bureau's score."),
        "known": tierwise.Field("date", optional=False, help="Since when the score holds."),
    },
    stamp="known",                          # facts: the latest row on or before the date is the one that holds
)
ENQUIRIES = tierwise.Table(
    name="enquiries",
    key="firm id",
    fields={
        "day": tierwise.Field("date", optional=False, help="Of the enquiry."),
        "purpose": tierwise.Field("string", values=("credit", "review"), help="Of the enquiry."),
    },
    events=True,                            # any number of rows for a customer
)
TABLES = {table.name: table for table in (SCORES, ENQUIRIES)}
DATES = {"known", "day"}


class Bureau:
    """An open source. It is asked from several threads, by one at a time."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.rows = rows

    def describe(self) -> Sequence[tierwise.Table]:
        return list(TABLES.values())

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date) -> list[dict[str, Any]]:
        return [{name: row[name] for name in fields} for row in self.of(table, as_of, [key])]

    def batches(
        self, table: str, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None = None
    ) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        types = {"score": pyarrow.float64(), "known": pyarrow.date32(), "day": pyarrow.date32()}
        names = list(dict.fromkeys([TABLES[table].key, *fields]))
        schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in names])
        yield pyarrow.RecordBatch.from_pylist(list(self.of(table, as_of, keys)), schema)

    def of(self, table: str, as_of: datetime.date, keys: Sequence[Any] | None) -> Iterator[dict[str, Any]]:
        """Rows in an order that is always the same; of facts those that held on the date."""
        if TABLES[table].events:
            yield from (row for row in self.rows[table] if keys is None or row["firm id"] in keys)
            return
        latest: dict[str, dict[str, Any]] = {}
        for row in sorted(self.rows[table], key=lambda row: (row["firm id"], row["known"])):
            if row["known"] <= as_of and (keys is None or row["firm id"] in keys):
                latest[row["firm id"]] = row
        yield from latest.values()

    def close(self) -> None:
        """Nothing is held open."""


def open_bureau(settings: tierwise.Settings) -> Bureau:
    """Open a file. What goes wrong is raised as `PluginFailure`: its text is shown to the user."""
    file = settings["file"]
    try:
        stated = json.loads(file.read_text("utf-8"))
        return Bureau({name: [typed(row, table) for row in stated[name]] for name, table in TABLES.items()})
    except OSError:
        raise tierwise.PluginFailure(f"`{file.name}` cannot be read") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise tierwise.PluginFailure(f"`{file.name}` is no file of a bureau: it needs {', '.join(TABLES)}") from None


def typed(row: dict[str, Any], table: tierwise.Table) -> dict[str, Any]:
    """A row with values of the declared types."""
    found: dict[str, Any] = {"firm id": str(row["firm id"])}
    for name in table.fields:
        value = row[name]
        found[name] = datetime.date.fromisoformat(value) if name in DATES else value
    return found


KIND = tierwise.SourceKind(
    name="$name",
    open=open_bureau,
    settings={"file": tierwise.Setting("path", required=True, help="The data, a JSON file.")},
    help="What a bureau says of firms, in a JSON file.",
)
'''

SOURCE_TESTS = '''\
"""The plugin holds to what Tierwise asks of it, and to what we ask of it."""
from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import tierwise
import tierwise.testing

import $package
from $package.source import KIND

EXAMPLE = Path(__file__).parent.parent / "example"


class TestPlugin(tierwise.testing.PluginContract):
    plugin = $package


class TestBureau(tierwise.testing.SourceContract):
    kind = KIND
    settings = {"file": "bureau.json"}
    folder = EXAMPLE
    keys = ["F1", "F2", "F3"]               # with two scores, with one, with none
    as_of = datetime.date(2026, 7, 1)


def test_the_score_that_held() -> None:
    bureau = KIND.open(tierwise.testing.settings(KIND.settings, {"file": "bureau.json"}, EXAMPLE))
    for day, score in ((1, 640), (15, 700)):
        assert bureau.one("scores", ["score"], "F1", datetime.date(2026, 3, day)) == [{"score": score}]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "bureau.json").write_text("[]")
    with pytest.raises(tierwise.PluginFailure, match="is no file of a bureau"):
        KIND.open(tierwise.testing.settings(KIND.settings, {"file": "bureau.json"}, tmp_path))
'''

SOURCE_DATA = """\
{
  "scores": [
    {"firm id": "F1", "known": "2026-01-01", "score": 640},
    {"firm id": "F1", "known": "2026-03-10", "score": 700},
    {"firm id": "F2", "known": "2026-02-01", "score": 480}
  ],
  "enquiries": [
    {"firm id": "F1", "day": "2026-05-02", "purpose": "credit"},
    {"firm id": "F2", "day": "2026-06-11", "purpose": "credit"},
    {"firm id": "F2", "day": "2026-06-20", "purpose": "credit"}
  ]
}
"""

SOURCE_POLICY = """\
policy: credit bureau
version: "1"
effective: {from: 2026-01-01}
on missing: refer

reasons:
  R1: {text: A low score at the credit bureau, rank: 1}
  R2: {text: 'Applied for credit {recent enquiries} times in three months', rank: 2}

inputs:
  firm id: {type: string, key: true}
  credit score: {type: number, range: '[0..1000]', optional: true}

history:
  enquiries:
    key: firm id
    visible from: day
    fields:
      day: {type: date}
      purpose: {type: string, values: [credit, review]}

features:
  recent enquiries:
    value: 'count(enquiries[day > as of - duration("P3M") and purpose = "credit"])'

service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: credit score < 500
        then: decline
        reason: R1
      - rule: D2
        when: recent enquiries > 1
        then: refer
        reason: R2
      - otherwise: approve
"""

SOURCE_DEPLOYMENT = """\
deployment: example
sources:
  bureau: {kind: $name, file: bureau.json}
inputs:
  credit score: bureau.scores.score
history:
  enquiries: bureau.enquiries
"""

SOURCE_USAGE = """\
A deployment file binds a policy's inputs and histories to tables of the source:

```yaml
deployment: example
sources:
  bureau: {kind: $name, file: bureau.json}
inputs:
  credit score: bureau.scores.score
history:
  enquiries: bureau.enquiries
```

    tierwise decide example/policy.yaml --deployment example/deployment.yaml --key F1 --as-of 2026-07-01
    tierwise run example/policy.yaml --deployment example/deployment.yaml --as-of 2026-07-01
"""


def _common(hooks: str, tests: str) -> dict[str, str]:
    return {
        "pyproject.toml": PROJECT, "README.md": README, ".gitignore": IGNORED, ".github/workflows/test.yml": CONTINUOUS,
        "src/$package/__init__.py": hooks, "tests/test_$package.py": tests,
    }


#: By kind: the files, and what the texts that all kinds share say of it.
KINDS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "function": (
        {
            **_common(FUNCTION_HOOKS, FUNCTION_TESTS), "src/$package/functions.py": FUNCTIONS,
            "example/policy.yaml": FUNCTION_POLICY, "example/customer.json": FUNCTION_CUSTOMER,
            "example/customers.csv": FUNCTION_CUSTOMERS,
        },
        {"description": "Functions for policies", "module": "functions", "what": "the functions",
         "usage": FUNCTION_USAGE, "dependencies": '"tierwise"'},
    ),
    "scorer": (
        {
            **_common(SCORER_HOOKS, SCORER_TESTS), "src/$package/scorer.py": SCORER,
            "example/policy.yaml": SCORER_POLICY, "example/deployment.yaml": SCORER_DEPLOYMENT,
            "example/model.json": SCORER_MODEL, "example/customer.json": SCORER_CUSTOMER,
            "example/customers.csv": SCORER_CUSTOMERS,
        },
        {"description": "A scorer for policies", "module": "scorer", "what": "the model",
         "usage": SCORER_USAGE, "dependencies": '"tierwise[arrow]"'},
    ),
    "source": (
        {
            **_common(SOURCE_HOOKS, SOURCE_TESTS), "src/$package/source.py": SOURCE,
            "example/policy.yaml": SOURCE_POLICY, "example/deployment.yaml": SOURCE_DEPLOYMENT,
            "example/bureau.json": SOURCE_DATA,
        },
        {"description": "A data source for policies", "module": "source", "what": "the source",
         "usage": SOURCE_USAGE, "dependencies": '"tierwise[arrow]"'},
    ),
}
