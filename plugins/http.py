"""The source `http`: a partner's JSON service, asked for one customer or for some at a time.

    bureau:
      kind: http
      url: https://bureau.example/v1
      headers: {Authorization: {secret: BUREAU_TOKEN}}
      timeout: 3s
      tables:
        scores:
          path: /scores/{key}
          batch: /scores
          key: id
          fields: {score: number, as_at: date}
          stamp: as_at

`path` is asked with GET, `{key}` and `{as_of}` put in; 404 means that the service does not know the customer. `batch`
is asked with POST and `{"keys": [...], "as_of": "2026-07-01"}`. What is answered is an object or a list of objects, at
`rows` where they lie deeper. A time-out, a reset, an answer of 429 or 5xx and one that is no JSON are tried again, each
time after a longer and uneven wait. When the service fails many times in a row it is left alone for a while (a circuit
breaker), so that neither it nor the run is worn out.
"""
from __future__ import annotations

import datetime
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from engine import Field, PluginFailure, Setting, Settings, SourceKind, Table, hookimpl

from .values import batch as record_batch
from .values import value

tierwise_hooks = 1

_TABLE = {
    "path": Setting(help="what is asked for one customer, as `/scores/{key}?as_of={as_of}`"),
    "batch": Setting(help="what is asked for many customers, with POST"),
    "key": Setting(required=True, help="the member of an answer that holds the customer's key"),
    "fields": Setting("map", required=True, help="the members of an answer with their types: `{score: number}`"),
    "rows": Setting(help="where the rows lie within an answer, as `data.items`"),
    "stamp": Setting(help="the member that says since when an answer holds"),
    "events": Setting("boolean", default=False, help="whether a customer may have many rows"),
}
_SETTINGS = {
    "url": Setting(required=True, help="where the service is, without the path of a table"),
    "tables": Setting("map", required=True, of=_TABLE, help="the tables, each a path of the service"),
    "headers": Setting("map", help="headers of every request; secrets as `{secret: NAME}`"),
    "connect timeout": Setting("duration", default=2.0, help="for a connection"),
    "read timeout": Setting("duration", default=5.0, help="for an answer"),
    "retries": Setting("number", default=2.0, help="how often a request is tried again"),
    "backoff": Setting("duration", default=0.1, help="the wait before the first retry, which then doubles"),
    "breaker failures": Setting("number", default=10.0, help="failed requests in a row that open the circuit"),
    "breaker pause": Setting("duration", default=5.0, help="how long the service is then left alone"),
    "parallel": Setting("number", default=4.0, help="requests at the same time, in a portfolio"),
    "batch size": Setting("number", default=200.0, help="customers of one request to `batch`"),
    "largest answer": Setting("number", default=20_000_000.0, help="bytes of an answer that are read"),
    "ca": Setting("path", help="the certificates to trust, instead of the system's"),
}
_TYPES = ("number", "string", "boolean", "date", "date and time", "time")
#: Circuits that may open in one portfolio before the rest of it is given up.
_TRIPS = 5
#: Customers of a batch where each is asked for by itself.
_CHUNK = 500
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 10.0


class Again(Exception):
    """A failure that may pass; its text says what failed."""


class Breaker:
    """Opens when requests fail in a row; after a pause one request may try."""

    def __init__(self, failures: int, pause: float) -> None:
        self._limit = failures
        self._pause = pause
        self._lock = threading.Lock()
        self._row = 0
        self._until = 0.0
        self._tripped = -pause
        self.trips = 0

    def wait(self) -> float:
        """Seconds until a request may be sent; where it may be sent now, others wait until it has ended."""
        with self._lock:
            now = time.monotonic()
            if self._row < self._limit:
                return 0.0
            if now >= self._until:
                self._until = now + self._pause
                return 0.0
            return self._until - now

    def ended(self, well: bool) -> None:
        with self._lock:
            if well:
                self._row = 0
                return
            self._row += 1
            if self._row >= self._limit:
                now = time.monotonic()
                if now - self._tripped >= self._pause / 2:      # not by what was under way at the time
                    self.trips += 1
                    self._tripped = now
                self._until = now + self._pause


class Service:
    """An open service."""

    def __init__(self, settings: Settings) -> None:
        try:
            import urllib3  # noqa: PLC0415 - an extra
        except ImportError:
            raise PluginFailure('it needs urllib3: pip install "tierwise[http]"') from None
        self._urllib3 = urllib3
        self.url = settings["url"].rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise PluginFailure("its `url` does not start with `https://`")
        self.tables: Mapping[str, Mapping[str, Any]] = settings["tables"]
        for name, table in self.tables.items():
            _check(name, table)
        self.retries = int(settings["retries"])
        self.backoff = settings["backoff"]
        self.parallel = max(1, int(settings["parallel"]))
        self.size = max(1, int(settings["batch size"]))
        self.largest = int(settings["largest answer"])
        self.breaker = Breaker(max(1, int(settings["breaker failures"])), settings["breaker pause"])
        self._jitter = random.Random()
        headers = {name: str(text) for name, text in (settings["headers"] or {}).items()}
        given = {"ca_certs": str(settings["ca"])} if settings["ca"] is not None else {}
        self._pool = urllib3.PoolManager(
            num_pools=4, maxsize=self.parallel + 1, block=False, retries=False,
            timeout=urllib3.Timeout(connect=settings["connect timeout"], read=settings["read timeout"]),
            headers={"Accept": "application/json", "User-Agent": "tierwise", **headers}, **given,
        )
        self._headers = dict(self._pool.headers)

    # --- what the engine asks ---------------------------------------------------------------------

    def describe(self) -> Sequence[Table]:
        return [self._described(name) for name in self.tables]

    def _described(self, name: str) -> Table:
        table = self.tables[name]
        fields = {field: Field(kind) for field, kind in table["fields"].items()}
        return Table(name, table["key"], fields, table["events"], table["stamp"], keyed=True)

    def one(self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date) -> list[dict[str, Any]]:
        return self._customer(table, fields, key, as_of, False)

    def batches(
        self, table: str, fields: Sequence[str], as_of: datetime.date, keys: Sequence[Any] | None = None
    ) -> Iterator[Any]:
        """The rows of the customers in `keys`; one whose rows could not be had has a row that says why."""
        if keys is None:
            raise PluginFailure(f"table `{table}` can only be asked for given customers")
        described = self.tables[table]
        kinds = dict(described["fields"])
        kinds.setdefault(described["key"], "number" if keys and isinstance(keys[0], float) else "string")
        columns = [described["key"], *(field for field in fields if field != described["key"])]
        columns.append(self._described(table).failed_column)
        trips = self.breaker.trips
        step = self.size * self.parallel if described["batch"] else _CHUNK
        for start in range(0, len(keys), step):
            part = keys[start:start + step]
            if described["batch"]:
                chunks = [part[at:at + self.size] for at in range(0, len(part), self.size)]
            else:
                chunks = [[key] for key in part]
            ask = self._asking(table, columns[1:-1], as_of, trips)
            rows = [row for found in _spread(ask, chunks, self.parallel) for row in found]
            yield record_batch(columns, kinds, rows)

    def close(self) -> None:
        self._pool.clear()

    # --- asking -----------------------------------------------------------------------------------

    def _asking(
        self, table: str, fields: Sequence[str], as_of: datetime.date, trips: int
    ) -> Callable[[Sequence[Any]], list[list[Any]]]:
        """Asks for some customers; their rows as lists of cells, the key first and the failure last."""
        def ask(keys: Sequence[Any]) -> list[list[Any]]:
            patient = self.breaker.trips - trips < _TRIPS
            try:
                if self.tables[table]["batch"]:
                    return self._some(table, fields, keys, as_of, patient)
                (key,) = keys
                rows = self._customer(table, fields, key, as_of, patient)
                return [[key, *(row[field] for field in fields), None] for row in rows]
            except PluginFailure as failure:
                return [[key, *(None for _ in fields), str(failure)] for key in keys]

        return ask

    def _customer(
        self, table: str, fields: Sequence[str], key: Any, as_of: datetime.date, patient: bool
    ) -> list[dict[str, Any]]:
        described = self.tables[table]
        if described["path"] is None:
            found = self._some(table, fields, [key], as_of, patient)
            for *_, failed in found:
                if failed is not None:
                    raise PluginFailure(failed)
            return [dict(zip(fields, cells[1:-1], strict=True)) for cells in found]
        path = described["path"].replace("{key}", quote(str(key), safe="")).replace("{as_of}", as_of.isoformat())
        answer = self._request("GET", path, None, patient)
        found = []
        for row in self._rows(table, answer):
            if not isinstance(row, dict):
                raise PluginFailure(f"its answer for `{table}` holds what is no row")
            if not self._later(table, row, as_of):
                found.append({field: _member(row, field, described, table) for field in fields})
        return found

    def _some(
        self, table: str, fields: Sequence[str], keys: Sequence[Any], as_of: datetime.date, patient: bool
    ) -> list[list[Any]]:
        described = self.tables[table]
        body = json.dumps({"keys": list(keys), "as_of": as_of.isoformat()}).encode()
        answer = self._request("POST", described["batch"], body, patient)
        asked = {str(key): key for key in keys}
        found: list[list[Any]] = []
        lost = False
        for row in self._rows(table, answer):
            key = asked.get(str(row.get(described["key"]))) if isinstance(row, dict) else None
            if key is None:                             # nobody asked for this one, or whose it is cannot be told
                lost = lost or not isinstance(row, dict) or row.get(described["key"]) is None
                continue
            try:
                if not self._later(table, row, as_of):
                    found.append([key, *(_member(row, field, described, table) for field in fields), None])
            except PluginFailure as failure:
                found.append([key, *(None for _ in fields), str(failure)])
        if lost:                                        # it may be a row of any customer without one, or with many
            known = set() if described["events"] else {key for key, *_ in found}
            why = f"its answer for `{table}` holds what is no customer's row"
            found += [[key, *(None for _ in fields), why] for key in keys if key not in known]
        return found

    def _rows(self, table: str, answer: Any) -> list[Any]:
        """The rows of an answer, whatever they are."""
        for name in (self.tables[table]["rows"] or "").split("."):
            if name:
                answer = answer.get(name) if isinstance(answer, dict) else None
        return [] if answer is None else answer if isinstance(answer, list) else [answer]

    def _later(self, table: str, row: Mapping[str, Any], as_of: datetime.date) -> bool:
        """Whether a row is of a later date."""
        described = self.tables[table]
        stamp = None if described["stamp"] is None else _member(row, described["stamp"], described, table)
        return stamp is not None and (stamp.date() if isinstance(stamp, datetime.datetime) else stamp) > as_of

    def _request(self, method: str, path: str, body: bytes | None, patient: bool) -> Any:
        """The JSON of an answer, None for 404; tried again while that may help. Raises PluginFailure."""
        for attempt in range(self.retries + 1):
            wait = self.breaker.wait()
            while wait and patient:
                time.sleep(min(wait, _LONGEST_WAIT))
                wait = self.breaker.wait()
            if wait:
                raise PluginFailure("it failed many times in a row and is left alone for a while")
            try:
                answer = self._once(method, path, body)
            except Again as problem:
                self.breaker.ended(False)
                last = str(problem)
            except PluginFailure:
                self.breaker.ended(True)                # it answers, if not what was hoped for
                raise
            else:
                self.breaker.ended(True)
                return answer
            if attempt < self.retries:
                most = min(self.backoff * 2**attempt, _LONGEST_WAIT)
                time.sleep(most * (0.5 + self._jitter.random() / 2))
        times = f", {self.retries + 1} times" if self.retries else ""
        raise PluginFailure(f"{last}{times}")

    def _once(self, method: str, path: str, body: bytes | None) -> Any:
        errors = self._urllib3.exceptions
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            answer = self._pool.request(
                method, self.url + "/" + path.lstrip("/"), body=body, headers=headers, redirect=False,
                preload_content=False,
            )
            try:
                data = answer.read(self.largest + 1, decode_content=True)
            finally:
                whole = answer.isclosed() or not answer.length_remaining
                answer.release_conn() if whole else answer.close()
        except (errors.NewConnectionError, errors.NameResolutionError):
            raise Again("no connection") from None
        except (errors.ConnectTimeoutError, errors.ReadTimeoutError):
            raise Again("no answer in time") from None
        except errors.SSLError:
            raise PluginFailure("its certificate is not trusted") from None
        except errors.LocationValueError:
            raise PluginFailure("its `url` is no address") from None
        except (errors.HTTPError, OSError):
            raise Again("the connection was lost") from None
        if answer.status == 404:
            return None
        if answer.status in _AGAIN:
            raise Again(f"it answered {answer.status}")
        if answer.status in (401, 403):
            raise PluginFailure(f"it answered {answer.status}: see the secrets in its `headers`")
        if not 200 <= answer.status < 300:
            raise PluginFailure(f"it answered {answer.status}")
        if len(data) > self.largest:
            raise PluginFailure(f"its answer is longer than {self.largest:,} bytes")
        if not data.strip():
            return None
        try:
            return json.loads(data, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise Again("its answer is no JSON") from None


def _spread(ask: Callable[[Any], Any], chunks: Sequence[Any], parallel: int) -> list[Any]:
    """What is answered for each chunk, in their order. Its threads are daemons, so that a program which is ended need
    not wait until all have been asked."""
    found: list[Any] = [None] * len(chunks)
    problems: list[BaseException] = []
    places, lock = iter(range(len(chunks))), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                at = next(places, None)
            if at is None or problems:
                return
            try:
                found[at] = ask(chunks[at])
            except BaseException as problem:  # noqa: BLE001 - raised again, where somebody waits for it
                problems.append(problem)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(parallel, len(chunks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return found


def _no_constant(_: str) -> None:
    """NaN and the infinities, which JSON does not have: no number is known."""
    return None


def _member(row: Mapping[str, Any], field: str, described: Mapping[str, Any], table: str) -> Any:
    """A member of a row as its type; one that is left out is none."""
    kind = described["fields"].get(field, "string")
    return value(row.get(field), kind, f"{table}.{field}")


def _check(name: str, table: Mapping[str, Any]) -> None:
    if table["path"] is None and table["batch"] is None:
        raise PluginFailure(f"table `{name}` has neither `path` nor `batch`")
    if table["path"] is not None and "{key}" not in table["path"]:
        raise PluginFailure(f"the `path` of table `{name}` does not say where the `{{key}}` stands")
    for field, kind in table["fields"].items():
        if kind not in _TYPES:
            listed = ", ".join(f"`{each}`" for each in _TYPES)
            raise PluginFailure(f"`{kind}` of field `{field}` of table `{name}` is no type; there are {listed}")
    stamp = table["stamp"]
    if stamp is not None and table["fields"].get(stamp) not in ("date", "date and time"):
        raise PluginFailure(f"the stamp of table `{name}` is no field that is a date")


@hookimpl
def register_sources() -> list[SourceKind]:
    return [SourceKind("http", Service, _SETTINGS, "A JSON service, for one customer or many at a time.")]
