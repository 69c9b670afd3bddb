"""The source `http` against a real service on this machine, which fails by a seeded schedule."""
from __future__ import annotations

import csv
import datetime
import gzip
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.deploy.deployment import open_deployment
from engine.hooks import Plugins
from engine.hookspecs import Settings
from engine.policy import load_policy
from engine.portfolio.request import Quiet, Request
from engine.portfolio.running import run, supplied
from engine.testing import SourceContract, check
from tests.commands.conftest import Tierwise, tierwise

__all__ = ["tierwise"]

DAY = datetime.date(2026, 7, 1)
POLICY = """\
policy: scored
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: refer
inputs:
  firm id: {type: string, key: true}
  score: {type: number, optional: true}
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: score < 500
        then: decline
      - otherwise: approve
"""
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's script says; without one it has a score for whose number is no multiple of 10."""

    protocol_version = "HTTP/1.1"
    server: Service

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.body = b""
        self._serve()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._serve()

    def _serve(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        (self.server.script or usual)(self)

    def send(self, content: Any, status: int = 200, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        self.connection.close()


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: Answer | None = None
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was reset has no more to say."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def score(key: str) -> float | None:
    if not key[1:].isdigit():
        return None
    number = int(key[1:])
    return None if number % 10 == 0 else float(400 + number % 300)


def usual(handler: Handler) -> None:
    if handler.command == "POST":
        keys = json.loads(handler.body)["keys"]
        handler.send({"data": [{"id": key, "score": score(key)} for key in keys if score(key) is not None]})
        return
    key = handler.path.rpartition("/")[2]
    found = score(key)
    if found is None:
        handler.send({"error": "unknown"}, 404)
    else:
        handler.send({"data": {"id": key, "score": found}})


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUREAU_TOKEN", "tok-9f3a")
    Path("policy.yaml").write_text(POLICY, "utf-8")
    deployment(service)
    return tmp_path


def deployment(service: Service, *more: str, table: str = "path: '/scores/{key}'") -> None:
    Path("deployment.yaml").write_text(
        "deployment: testing\nsources:\n  bureau:\n    kind: http\n"
        f"    url: {service.url}\n    headers: {{Authorization: {{secret: BUREAU_TOKEN}}}}\n    backoff: 5ms\n"
        + "".join(f"    {line}\n" for line in more)
        + f"    tables:\n      scores: {{{table}, key: id, rows: data, fields: {{score: number}}}}\n"
        "inputs:\n  score: bureau.scores.score\n", "utf-8",
    )


def one(key: str = "F101") -> Any:
    with open_deployment("deployment.yaml") as found:
        return found.decide(load_policy("policy.yaml"), key, as_of=DAY)


def told(key: str = "F101") -> str:
    """Why the score could not be had."""
    (failed,) = one(key).sources["score"].passed
    assert failed.why == "failed"
    return failed.detail


def many(keys: list[str], **more: Any) -> tuple[list[dict[str, str]], list[str]]:
    Path("firms.csv").write_text("firm id\n" + "".join(f"{key}\n" for key in keys), "utf-8")
    policy, listener = load_policy("policy.yaml"), Quiet()
    with open_deployment("deployment.yaml") as found:
        request = supplied(policy, Request("firms.csv", DAY, out="out.csv"), found, False)
        run(policy, request, listener, more.get("engine", "duckdb"))
    with open("out.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), listener.notes


def test_one_customer(place: Path, service: Service) -> None:
    found = one()
    assert found.values["decision"] == "approve"
    assert found.sources["score"].source == "bureau.scores.score"
    assert one("F110").missing == ("score",)
    (method, path, headers), *_ = service.seen
    assert (method, path, headers["Authorization"]) == ("GET", "/scores/F101", "tok-9f3a")


def test_a_key_is_no_path(place: Path, service: Service) -> None:
    service.script = lambda handler: handler.send({"data": None})
    one("../admin?x=1#y/é")
    assert service.seen[0][1] == "/scores/..%2Fadmin%3Fx%3D1%23y%2F%C3%A9"


def test_a_customer_of_a_batch_endpoint(place: Path, service: Service) -> None:
    deployment(service, table="batch: /scores")
    assert one().values["decision"] == "approve"
    assert service.seen[0][:2] == ("POST", "/scores")


def test_connections_are_kept(place: Path, service: Service) -> None:
    ports = set()
    service.script = lambda handler: (ports.add(handler.client_address[1]), usual(handler))[1]
    policy = load_policy("policy.yaml")
    with open_deployment("deployment.yaml") as found:
        for number in range(101, 109):
            found.decide(policy, f"F{number}", as_of=DAY)
    assert len(ports) == 1


def then(*answers: Answer) -> Answer:
    """One answer after the other, the last for ever."""
    left = list(answers)

    def answer(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


@pytest.mark.parametrize(
    "fault",
    [
        lambda h: h.send({}, 503), lambda h: h.send({}, 429), lambda h: h.reset(), lambda h: h.send(b"{\"data\": "),
        lambda h: h.send(b"[" * 100_000), lambda h: h.send(b"\xff\xfe\x00"),
        lambda h: h.send(b"short", Content_Length="500"),
    ],
    ids=["503", "429", "reset", "cut JSON", "deep JSON", "no text", "cut answer"],
)
def test_a_fault_that_passes_is_tried_again(place: Path, service: Service, fault: Answer) -> None:
    deployment(service, "read timeout: 300ms")
    service.script = then(fault, fault, usual)
    assert one().values["decision"] == "approve"
    assert len(service.seen) == 3


@pytest.mark.parametrize(
    ("answer", "text", "times"),
    [
        (lambda h: h.send({}, 500), "it answered 500, 3 times", 3),
        (lambda h: h.reset(), "the connection was lost, 3 times", 3),
        (lambda h: h.send(b"<html>"), "its answer is no JSON, 3 times", 3),
        (lambda h: h.send({}, 401), "it answered 401: see the secrets in its `headers`", 1),
        (lambda h: h.send({}, 400), "it answered 400", 1),
        (lambda h: h.send({}, 302, Location="http://127.0.0.1:1/"), "it answered 302", 1),
        (lambda h: h.send({"data": {"score": "tok-9f3a"}}), "`scores.score` is no number", 1),
        (lambda h: h.send({"data": [1]}), "its answer for `scores` holds what is no row", 1),
        (lambda h: h.send({"data": [{"score": 1}, {"score": 2}]}),
         "it gives several rows of `scores` for one customer, and facts are one", 1),
        (lambda h: h.send(b" " * 3000), "its answer is longer than 2,000 bytes", 1),
    ],
)
def test_a_fault_that_stays(place: Path, service: Service, answer: Answer, text: str, times: int) -> None:
    deployment(service, "largest answer: 2000")
    service.script = answer
    assert told() == text
    assert len(service.seen) == times


def test_an_answer_that_swells(place: Path, service: Service) -> None:
    deployment(service, "largest answer: 2000")
    service.script = lambda handler: handler.send(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")
    assert told() == "its answer is longer than 2,000 bytes"


def test_a_service_that_is_slow(place: Path, service: Service) -> None:
    deployment(service, "read timeout: 100ms", "retries: 1")
    gate = threading.Event()
    service.script = lambda handler: gate.wait(5) and None
    assert told() == "no answer in time, 2 times"
    gate.set()


def test_a_service_that_drips_is_given_up_as_a_whole(place: Path, service: Service) -> None:
    deployment(service, "timeout: 400ms")

    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    service.script = drip
    begun = time.monotonic()
    assert told() == "no answer within 0.4 s"
    assert time.monotonic() - begun < 2


def test_a_service_that_is_not_there(place: Path, service: Service) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = Path("deployment.yaml").read_text("utf-8").replace(service.url, f"http://127.0.0.1:{port}")
    Path("deployment.yaml").write_text(text, "utf-8")
    assert told() == "no connection, 3 times"


def test_the_circuit_opens_and_closes(place: Path, service: Service) -> None:
    deployment(service, "retries: 0", "breaker failures: 3", "breaker pause: 300ms")
    service.script = lambda handler: handler.send({}, 500)
    policy = load_policy("policy.yaml")
    with open_deployment("deployment.yaml") as found:
        def detail() -> str:
            origin = found.decide(policy, "F101", as_of=DAY).sources["score"]
            return origin.passed[0].detail if origin.passed else ""

        assert [detail() for _ in range(5)] == ["it answered 500"] * 3 + [
            "it failed many times in a row and is left alone for a while"
        ] * 2
        assert len(service.seen) == 3
        service.script = None
        time.sleep(0.35)
        assert [detail() for _ in range(3)] == [""] * 3


@pytest.mark.parametrize(
    ("table", "more", "text"),
    [
        ("path: /scores", "", "the `path` of table `scores` does not say where the `{key}` stands"),
        ("stamp: as_at, path: '/{key}'", "", "the stamp of table `scores` is no field that is a date"),
        ("events: false", "", "table `scores` has neither `path` nor `batch`"),
    ],
)
def test_a_table_that_cannot_be_asked(
    place: Path, service: Service, tierwise: Tierwise, table: str, more: str, text: str
) -> None:
    deployment(service, table=table)
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F1", "--as-of", "2026-07-01")
    assert found.code == 3
    assert text in found.err


@pytest.mark.parametrize("table", ["path: '/scores/{key}'", "batch: /scores"])
def test_a_portfolio_is_what_each_customer_gets(place: Path, service: Service, table: str) -> None:
    deployment(service, "batch size: 7", table=table)
    keys = [f"F{number}" for number in range(100, 160)]
    rows, notes = many(keys)
    assert [row["firm id"] for row in rows] == keys
    assert [row["decision"] for row in rows] == [one(key).values["decision"] for key in keys]
    assert notes == []
    again, _ = many(keys, engine="python")
    assert again == rows


def faulty(seed: int) -> Answer:
    """A service that answers slowly, not at all, or with what is none, by a schedule of its own."""
    random_, lock = random.Random(seed), threading.Lock()

    def answer(handler: Handler) -> None:
        with lock:
            fate = random_.random()
            wait = random_.random() * 0.02
        if fate < 0.05:
            handler.send({}, random_.choice([500, 502, 503, 429]))
        elif fate < 0.08:
            handler.reset()
        elif fate < 0.11:
            handler.send(b"{\"data\": [")
        elif fate < 0.13:
            time.sleep(0.25)                            # longer than anybody waits
            handler.send({"data": []})
        else:
            time.sleep(wait if fate > 0.9 else 0)
            usual(handler)

    return answer


@pytest.mark.real
@pytest.mark.parametrize("table", ["path: '/scores/{key}'", "batch: /scores"])
def test_ten_thousand_customers_of_a_faulty_service(place: Path, service: Service, table: str) -> None:
    deployment(
        service, "read timeout: 200ms", "retries: 1", "parallel: 16", "batch size: 20", "breaker failures: 50",
        "breaker pause: 200ms", table=table,
    )
    service.script = faulty(20260701)
    keys = [f"F{number}" for number in range(10_000, 20_000)]
    rows, notes = many(keys)
    assert [row["firm id"] for row in rows] == keys     # none lost, doubled or moved
    states = Counter()
    for row in rows:
        wanted = score(row["firm id"])
        if row["failures"]:
            assert row["failures"].startswith("bureau.scores: ")
            assert (row["status"], row["missing"]) == ("open", "score")
            states["failed"] += 1
        elif wanted is None:
            assert (row["status"], row["missing"]) == ("open", "score")
            states["unknown"] += 1
        else:
            assert (row["status"], row["decision"]) == ("decided", "decline" if wanted < 500 else "approve")
            states["decided"] += 1
    assert states.total() == 10_000
    assert states["failed"] > 20 and states["decided"] > 8_000
    assert sum(int(note.split(" failed for ")[1].split(" ")[0].replace(",", "")) for note in notes) == states["failed"]


@pytest.mark.parametrize("table", ["path: '/scores/{key}'", "batch: /scores"])
def test_a_secret_in_why_it_failed_is_struck_out(
    place: Path, service: Service, tierwise: Tierwise, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    deployment(service, "retries: 0", table=table)
    service.script = lambda handler: handler.send({}, 418)
    assert told() == "it answered 418"
    monkeypatch.setenv("BUREAU_TOKEN", "answered 418")
    found = tierwise("decide", "policy.yaml", "--deployment", "deployment.yaml", "--key", "F1", "--as-of", "2026-07-01")
    assert "it ***" in found.out and "answered 418" not in found.out + found.err
    rows, notes = many(["F1", "F2"])
    assert [row["failures"] for row in rows] == ["bureau.scores: it ***"] * 2
    assert notes == ["bureau.scores failed for 2 customers: it ***"]


@pytest.mark.parametrize("table", [{"path": "/scores/{key}"}, {"batch": "/scores"}])
def test_it_holds_to_the_contract_of_sources(place: Path, service: Service, table: dict[str, Any]) -> None:
    settings: dict[str, Any] = {
        "url": service.url, "tables": {"scores": {**table, "key": "id", "rows": "data", "fields": {"score": "number"}}},
    }
    kind = Plugins(installed=False).sources()["http"]
    takes = {name: setting.default for name, setting in kind.settings.items()}
    table = {"path": None, "batch": None, "stamp": None, "events": False, **settings["tables"]["scores"]}
    away = {**takes, "url": "http://127.0.0.1:9", "retries": 0.0, "tables": {"scores": table}}
    check(SourceContract, kind=kind, settings=settings, folder=place, keys=("F101", "F102", "F110"), as_of=DAY,
          broken=lambda: kind.open(Settings("bureau", away, place)))


STAMPED = "batch: /scores, stamp: at"


@pytest.mark.parametrize("engine", ["duckdb", "python"])
@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"F102": {"at": "last week"}}, {"F102": "`scores.at` is no date"}),
        ({"F102": {"score": "many"}}, {"F102": "`scores.score` is no number"}),
        ({"F102": None}, {"F102": "its answer for `scores` holds what is no customer's row"}),
        ({"F102": {"id": None}}, {"F102": "its answer for `scores` holds what is no customer's row"}),
        ({"F102": {"id": "F999"}}, {}),                 # of nobody who was asked for
        ({"F102": {"at": "2026-07-02"}}, {}),
    ],
)
def test_one_bad_row_of_a_batch_fails_its_customer_alone(
    place: Path, service: Service, change: dict[str, Any], failed: dict[str, str], engine: str
) -> None:
    def answer(handler: Handler) -> None:
        rows: list[Any] = []
        for key in json.loads(handler.body)["keys"]:
            row = {"id": key, "score": score(key), "at": "2026-06-01"}
            more = change.get(key, {})
            rows.append(None if more is None else {**row, **more})
        handler.send({"data": rows})

    deployment(service, table=STAMPED)
    Path("deployment.yaml").write_text(
        Path("deployment.yaml").read_text("utf-8").replace("{score: number}", "{score: number, at: date}"), "utf-8")
    service.script = answer
    rows, _ = many(["F101", "F102", "F103"], engine=engine)
    told = {row["firm id"]: row["failures"].removeprefix("bureau.scores: ") for row in rows if row["failures"]}
    assert told == failed
    assert [row["status"] for row in rows] == ["decided", "open", "decided"]


def test_a_row_of_nobody_may_be_one_of_many_events(place: Path, service: Service) -> None:
    """Of which customer an event was lost nobody can tell, so that no history is whole."""
    kind = Plugins(installed=False).sources()["http"]
    values = {name: setting.default for name, setting in kind.settings.items()}
    table = {"path": None, "batch": "/events", "stamp": None, "events": True, "rows": None, "key": "id",
             "fields": {"paid": "number"}}
    service.script = lambda handler: handler.send([{"id": "F1", "paid": 1}, None])
    source = kind.open(Settings("bureau", {**values, "url": service.url, "tables": {"events": table}}, place))
    (batch,) = source.batches("events", ("paid",), DAY, ("F1", "F2"))
    assert {row["id"] for row in batch.to_pylist() if row["failed"] is not None} == {"F1", "F2"}
    source.close()
