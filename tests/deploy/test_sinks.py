"""Where a deployment sends results: whole or not at all, and nothing where the run fails."""
from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from engine.deploy.deployment import OpenDeployment
from engine.hookspecs import PluginFailure, Settings, SinkKind
from engine.policy import Policy
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Quiet, Request
from engine.portfolio.running import run, supplied
from engine.portfolio.shared import Usage
from tests.commands.conftest import Tierwise, tierwise
from tests.deploy.kinds import Kinds, bureau, core
from tests.deploy.test_files import DAY, DEPLOYMENT, place
from tests.deploy.test_http import Handler, Service, service, then
from tests.deploy.test_portfolio import DAY as DATE

__all__ = ["place", "service", "tierwise"]


def decided(tierwise: Tierwise, place: Path, output: str, *more: str) -> Any:
    (place / "deployment.yaml").write_text(f"{DEPLOYMENT}output: {output}\n", "utf-8")
    return tierwise("run", "policy.yaml", "--deployment", "deployment.yaml", *DAY, *more)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_file(tierwise: Tierwise, place: Path, form: str) -> None:
    found = decided(tierwise, place, f"{{kind: files, file: out.{form}}}")
    assert (found.code, found.out) == (1, "")
    path = place / f"out.{form}"
    if form == "csv":
        listed: list[dict[str, Any]] = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    elif form == "jsonl":
        listed = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    else:
        listed = pq.read_table(path).to_pylist()
    assert [row["firm id"] for row in listed] == ["F1", "007", "F5", "F6"]
    assert [row["status"] for row in listed] == ["decided", "open", "refused", "open"]
    assert [row["decision"] or None for row in listed] == ["approve", "refer", None, "refer"]
    assert [p.name for p in place.iterdir() if p.name.startswith(".")] == []


def test_another_place_goes_before(tierwise: Tierwise, place: Path) -> None:
    decided(tierwise, place, "{kind: files, file: out.csv}", "-o", "other.csv")
    assert (place / "other.csv").exists() and not (place / "out.csv").exists()


@pytest.mark.parametrize(
    ("output", "code", "text"),
    [
        ("{kind: file, file: out.csv}", 2, "no kind of output is called `file`"),
        ("{kind: files, fil: out.csv}", 2, "has no setting `fil`"),
        ("{kind: files, file: ../out.csv}", 2, "leads out of the deployment's folder"),
        ("{kind: files, file: out.txt}", 3, "`out.txt` is no file by its name"),
        ("{kind: files, file: none/out.csv}", 3, "`out.csv` cannot be written"),
        ("{kind: webhook, url: 'ftp://x'}", 3, "its `url` does not start with `https://`"),
    ],
)
def test_an_output_that_cannot_be(tierwise: Tierwise, place: Path, output: str, code: int, text: str) -> None:
    found = decided(tierwise, place, output)
    assert found.code == code
    assert text in found.err


# --- a service -----------------------------------------------------------------------------------------


def received(service: Service, status: int = 200) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []

    def answer(handler: Handler) -> None:
        parts.append({**json.loads(handler.body), "key": handler.headers["Idempotency-Key"]})
        handler.send({}, status)

    service.script = answer
    return parts


def test_a_webhook(tierwise: Tierwise, place: Path, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "tok-9f3a")
    parts = received(service)
    headers = "headers: {Authorization: {secret: CRM_TOKEN}}"
    found = decided(tierwise, place, f"{{kind: webhook, url: '{service.url}/in', rows: 3, {headers}}}")
    assert found.code == 1, found.err
    assert [len(part["rows"]) for part in parts[:-1]] == [3, 1]
    assert [row["firm id"] for part in parts[:-1] for row in part["rows"]] == ["F1", "007", "F5", "F6"]
    assert {k: v for k, v in parts[-1].items() if k not in ("run", "key")} == {"finished": True, "parts": 2, "rows": 4}
    assert len({part["run"] for part in parts}) == 1 and len({part["key"] for part in parts}) == 3
    assert service.seen[0][2]["Authorization"] == "tok-9f3a"


def test_a_webhook_that_fails_and_comes_back(tierwise: Tierwise, place: Path, service: Service) -> None:
    parts = received(service)
    take = service.script
    assert take is not None
    service.script = then(lambda h: h.send({}, 503), lambda h: h.reset(), take)
    found = decided(tierwise, place, f"{{kind: webhook, url: '{service.url}', backoff: 5ms}}")
    assert found.code == 1, found.err
    keys = [headers["Idempotency-Key"] for _, _, headers in service.seen]
    assert keys[0] == keys[1] == keys[2] and parts[-1]["finished"]


def test_a_webhook_that_refuses(tierwise: Tierwise, place: Path, service: Service) -> None:
    parts = received(service, 403)
    found = decided(tierwise, place, f"{{kind: webhook, url: '{service.url}'}}")
    assert found.code == 3
    assert "the results cannot be handed to the output, of kind `webhook`: it answered 403" in found.err
    assert "finished" not in parts[-1]


# --- sinks that misbehave ---------------------------------------------------------------------------------


class Sink:
    """Keeps what it is handed; `fails` names the call that fails."""

    def __init__(self, fails: str, problem: BaseException) -> None:
        self.fails, self.problem = fails, problem
        self.calls: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self._call("open")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        print("a sink talks")
        if name == self.fails:
            raise self.problem

    def write(self, batch: Any) -> None:
        self._call("write")
        self.rows.extend(batch.to_pylist())

    def finish(self) -> None:
        self._call("finish")

    def abandon(self) -> None:
        self._call("abandon")


class WithSink(Kinds):
    def __init__(self, fails: str = "", problem: BaseException | None = None) -> None:
        super().__init__(core=core, bureau=bureau)
        self.made: list[Sink] = []
        self.fails, self.problem = fails, problem or PluginFailure("")

    def sinks(self) -> dict[str, SinkKind]:
        def open(settings: Settings, schema: Any, columns: Sequence[str]) -> Sink:
            self.columns = columns
            self.made.append(Sink(self.fails, self.problem))
            return self.made[-1]

        return {"kept": SinkKind("kept", open)}


@pytest.fixture
def kept(deployment: Path) -> Iterator[Path]:
    deployment.write_text(deployment.read_text("utf-8") + "output: {kind: kept}\n", "utf-8")
    yield deployment


def run_into(policy: Policy, kinds: WithSink, engine: str = "duckdb", **more: Any) -> None:
    with OpenDeployment("deployment.yaml", kinds) as deployment:
        run(policy, supplied(policy, Request("", DATE, **more), deployment, True), Quiet(), engine)


def test_a_sink_gets_every_row_in_order(policy: Policy, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = WithSink()
    run_into(policy, kinds)
    (sink,) = kinds.made
    assert sink.calls == ["open", "write", "finish"]
    assert [row["firm id"] for row in sink.rows] == ["F1", "F2", "F5", "F7"]
    assert list(sink.rows[0]) == list(kinds.columns)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("fails", "problem", "text", "calls"),
    [
        ("write", PluginFailure("full"), "full", ["open", "write", "abandon"]),
        ("finish", ValueError("x"), "it raised ValueError", ["open", "write", "finish", "abandon"]),
        ("write", SystemExit(), "it tried to end the program", ["open", "write", "abandon"]),
    ],
)
def test_a_sink_that_fails_is_told_to_leave_nothing(
    policy: Policy, kept: Path, fails: str, problem: BaseException, text: str, calls: list[str]
) -> None:
    kinds = WithSink(fails, problem)
    with pytest.raises(DataProblem) as caught:
        run_into(policy, kinds)
    assert caught.value.message == f"the results cannot be handed to the output, of kind `kept`: {text}"
    assert (caught.value.file, caught.value.line) == ("deployment.yaml", 15)
    assert kinds.made[0].calls == calls


def test_a_sink_that_does_not_open(policy: Policy, kept: Path) -> None:
    with pytest.raises(DataProblem, match="of kind `kept`: no room$"):
        run_into(policy, WithSink("open", PluginFailure("no room")))


def test_a_run_that_fails_hands_over_nothing(policy: Policy, kept: Path) -> None:
    kinds = WithSink()
    text = kept.read_text("utf-8").replace("bureau.scores.dscr, ", "").replace("P30D", "P1D")
    kept.write_text(text.replace("core.firms.annual_revenue", "core.firms.last_score"), "utf-8")
    with pytest.raises(DataProblem, match="refused"):
        run_into(policy, kinds, max_refused=0.0)
    assert kinds.made == []


def test_a_format_is_for_another_place(policy: Policy, kept: Path) -> None:
    with pytest.raises(Usage, match="`--format` is for a place"):
        run_into(policy, WithSink(), form="parquet")


def test_the_one_by_one_engine_has_no_sinks(policy: Policy, kept: Path) -> None:
    with pytest.raises(Usage, match="the deployment's output needs the columnar engine"):
        run_into(policy, WithSink(), "python")
