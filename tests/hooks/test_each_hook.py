"""Each hook, from a plugin's file to what a command makes of it; `tests/docs` asks that each has its test here."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Tierwise, tierwise  # noqa: F401 - a fixture

HEAD = "import tierwise\n\ntierwise_hooks = 1\n\n\n"

SOURCE = HEAD + '''
class Source:
    def __init__(self, settings):
        self.factor = settings["factor"]

    def describe(self):
        return [tierwise.Table("firms", "firm id", {"revenue": tierwise.Field(), "known": tierwise.Field("date")}),
                tierwise.Table("invoices", "firm id", {"amount": tierwise.Field()}, events=True)]

    def one(self, table, fields, key, as_of):
        rows = {"firms": [{"revenue": 100 * self.factor, "known": as_of}], "invoices": [{"amount": 1}, {"amount": 2}]}
        return [{name: row[name] for name in fields} for row in rows[table]] if key == "F1" else []

    def batches(self, table, fields, as_of, keys=None):
        import pyarrow

        for key in ("F1",) if keys is None else keys:
            rows = [{"firm id": key, **row} for row in self.one(table, fields, key, as_of)]
            types = {"firm id": pyarrow.string(), "known": pyarrow.date32()}
            schema = pyarrow.schema([(n, types.get(n, pyarrow.float64())) for n in dict.fromkeys(["firm id", *fields])])
            yield pyarrow.RecordBatch.from_pylist(rows, schema)

    def close(self):
        print("closed")


@tierwise.hookimpl
def register_sources():
    yield tierwise.SourceKind("acme", Source, {"factor": tierwise.Setting("number", default=1)})
'''

SCORER = HEAD + '''
class Scorer:
    def describe(self):
        return tierwise.ScorerDescription({"x": tierwise.Field()}, tierwise.Field(), "7.1", ("low",))

    def one(self, row):
        return tierwise.Score(row["x"] / 4, ("low",))

    def batch(self, table):
        import pyarrow

        values = [x / 4 for x in table["x"].to_pylist()]
        return pyarrow.table({"value": pyarrow.array(values, pyarrow.float64()), "reasons": [["low"]] * len(values)})

    def close(self):
        pass


@tierwise.hookimpl
def register_scorers():
    return (tierwise.ScorerKind("acme", lambda settings: Scorer()),)
'''

FUNCTIONS = HEAD + '''
@tierwise.hookimpl
def register_functions():
    return [tierwise.Function("acme", "times three", {"x": "number"}, "number", lambda x: 3 * x)]
'''

SINK = HEAD + '''
class Sink:
    def __init__(self, settings, schema, columns):
        self.file, self.rows = settings["file"], [list(columns)]

    def write(self, batch):
        self.rows += [list(row.values()) for row in batch.to_pylist()]

    def finish(self):
        self.file.write_text(repr(self.rows))

    def abandon(self):
        pass


@tierwise.hookimpl
def register_sinks():
    return [tierwise.SinkKind("acme", Sink, {"file": tierwise.Setting("path", required=True)})]
'''

SECTION = HEAD + '''
def make(rows, settings, language):
    found = [row for row in rows.to_pylist() if row["limit"] >= settings["least"]]
    yield tierwise.ReportNote(f"{len(found)} rows")
    yield tierwise.ReportTable("Rows", [("id", "text"), ("limit", "count")], [tuple(row.values()) for row in found])
    yield tierwise.ReportChart("Limits", [(row["id"], row["limit"]) for row in found], says="b has 5")


@tierwise.hookimpl
def register_report_sections():
    return [tierwise.ReportSection("acme", "Of Acme", make, {"least": tierwise.Setting("number", default=1)})]
'''

COMMAND = HEAD + '''
import click


@tierwise.hookimpl
def register_commands():
    return [tierwise.Command("greet", lambda: click.Command("greet", callback=lambda: click.echo("hello")))]
'''

POLICY = '''\
policy: small
version: "1"
effective: {from: 2026-01-01}
on missing: refer
inputs:
  firm id: {type: string, key: true}
  revenue: {type: number, optional: true}
'''
FEATURE = '''\
segmentation:
  size:
    values: [small, large]
    rules:
      - rule: S1
        when: revenue > 150
        then: large
      - otherwise: small
'''


MODEL = '''\
reasons:
  R1: {text: Low, rank: 1}
risk:
  pd:
    type: number
    range: '[0..1]'
    model: pd
    inputs:
      x: revenue
    reasons: {low: R1}
    on failure: missing
    on missing: refer
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="utf-8")


def test_register_sources(tierwise: Tierwise, folder: Path) -> None:  # noqa: F811
    write(folder, acme_py=SOURCE, p_yaml=POLICY + "history:\n  invoices:\n    key: firm id\n    fields:\n"
          "      amount: {type: number}\n" + FEATURE + "service:\n  turnover:\n    type: number\n"
          "    value: sum(invoices.amount)\n",
          d_yaml="deployment: d\nsources:\n  core: {kind: acme, factor: 2}\ninputs:\n  revenue: core.firms.revenue\n"
          "history:\n  invoices: core.invoices\n")
    for key, size in (("F1", "large"), ("F9", "null")):
        told = tierwise("decide", "p.yaml", "--plugin", "acme.py", "--deployment", "d.yaml", "--key", key,
                        "--as-of", "2026-07-01", "--no-explain", "--format", "json")
        values = json.loads(told.out)["values"]
        assert (values["size"] or "null", values["turnover"]) == (size, 3 if key == "F1" else 0)
        assert "closed" in told.err


def test_register_scorers(tierwise: Tierwise, folder: Path) -> None:  # noqa: F811
    write(folder, acme_py=SCORER, p_yaml=POLICY + MODEL, d_yaml="deployment: d\nmodels:\n  pd: {kind: acme}\n",
          firm_json='{"firm id": "F1", "revenue": 2}')
    told = tierwise("decide", "p.yaml", "firm.json", "--plugin", "acme.py", "--deployment", "d.yaml",
                    "--as-of", "2026-07-01", "--no-explain", "--format", "json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["values"] == {"pd": 0.5}
    assert json.loads(told.out)["reasons"] == ["R1"]


def test_register_functions(tierwise: Tierwise, folder: Path) -> None:  # noqa: F811
    write(folder, acme_py=FUNCTIONS, firm_json='{"firm id": "F1", "revenue": 2}',
          p_yaml=POLICY + "functions: [acme]\nservice:\n  limit:\n    type: number\n    value: times three(revenue)\n")
    told = tierwise("decide", "p.yaml", "firm.json", "--plugin", "acme.py", "--as-of", "2026-07-01", "--no-explain")
    assert told.out == "limit  6\n"


def test_register_sinks(tierwise: Tierwise, folder: Path) -> None:  # noqa: F811
    write(folder, acme_py=SINK, source_py=SOURCE.replace('"acme"', '"other"'), p_yaml=POLICY + FEATURE,
          d_yaml="deployment: d\nsources:\n  core: {kind: other}\ninputs:\n  revenue: core.firms.revenue\n"
          "output: {kind: acme, file: out.txt}\n")
    told = tierwise("run", "p.yaml", "--plugin", "acme.py", "--plugin", "source.py", "--deployment", "d.yaml",
                    "--as-of", "2026-07-01", "--only", "size", "--with", "none", "--no-summary")
    assert told.code == 0, told.err
    columns, row = eval((folder / "out.txt").read_text())  # noqa: S307 - written above
    assert dict(zip(columns, row, strict=True))["size"] == "small"


def test_register_report_sections(tierwise: Tierwise, folder: Path) -> None:  # noqa: F811
    write(folder, acme_py=SECTION, r_yaml="report: r\nresults: rows.csv\nkey: id\nsections:\n  acme: {least: 2}\n",
          rows_csv="id,limit\na,1\nb,5\n")
    told = tierwise("report", "r.yaml", "--plugin", "acme.py", "--format", "json")
    assert told.code == 0, told.err
    section = json.loads(told.out)["sections"][-1]
    assert section["id"] == "acme" and section["title"] == "Of Acme"
    assert section["blocks"][0] == {"note": "1 rows", "alarm": False}
    assert section["blocks"][1]["rows"] == [{"id": "b", "limit": 5}]


def test_register_commands(tierwise: Tierwise, folder: Path) -> None:  # noqa: F811
    write(folder, acme_py=COMMAND)
    assert tierwise("--plugin", "acme.py", "greet").out == "hello\n"
