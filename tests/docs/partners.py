"""The database and the service that docs/capabilities/d20-data-sources.md speaks of, on this machine."""
from __future__ import annotations

import contextlib
import csv
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

#: The service does not know one firm in fifty, and what it said of one in ten is too old to count.
UNKNOWN, STALE = 50, 10


class Bureau(BaseHTTPRequestHandler):
    """Default probabilities by firm: `GET /scores/KEY`, or `POST /scores` for many."""

    protocol_version = "HTTP/1.1"
    known: dict[str, float]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        found = self._row(urlsplit(self.path).path.rpartition("/")[2])
        self._send({"data": found}, 200 if found else 404)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._send({"data": [row for key in asked["keys"] if (row := self._row(key))]}, 200)

    def _row(self, key: str) -> dict[str, Any] | None:
        number = int(key[1:])
        if key not in self.known or number % UNKNOWN == 0:
            return None
        return {"firm_id": key, "pd": self.known[key], "as_at": "2026-01-15" if number % STALE == 1 else "2026-06-20"}

    def _send(self, content: Any, status: int) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def partners(samples: Path, folder: Path) -> Iterator[dict[str, str]]:
    """What to put into the environment while both are there."""
    _warehouse(samples, folder / "bank.duckdb")
    with (samples / "firms.csv").open(encoding="utf-8", newline="") as stream:
        known = {row["firm_id"]: float(row["external_pd"]) for row in csv.DictReader(stream) if row["external_pd"]}
    handler = type("Known", (Bureau,), {"known": known})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield {"WAREHOUSE": f"duckdb:{folder / 'bank.duckdb'}", "BUREAU": f"http://127.0.0.1:{server.server_port}"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _warehouse(samples: Path, place: Path) -> None:
    """Invoices from the tax office, and the default probability on which each firm's loan was granted."""
    with duckdb.connect(str(place)) as connection:
        connection.execute("CREATE SCHEMA tax; CREATE SCHEMA credit")
        connection.execute("CREATE TABLE tax.invoices AS FROM read_csv(?)", [str(samples / "invoices.csv")])
        connection.execute(
            "CREATE TABLE credit.grants AS SELECT firm_id, any_value(external_pd) * 0.4 AS pd, max(signed) AS signed "
            "FROM read_csv(?) f JOIN read_csv(?) l USING (firm_id) WHERE external_pd IS NOT NULL GROUP BY firm_id",
            [str(samples / "firms.csv"), str(samples / "loans.csv")],
        )
