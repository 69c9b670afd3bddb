"""The sink `webhook`: decided rows sent to a service as JSON.

    output:
      kind: webhook
      url: https://crm.example/decisions
      headers: {Authorization: {secret: CRM_TOKEN}}

Rows are sent with POST, some at a time: `{"run": "...", "part": 1, "rows": [...]}`. At the end comes
`{"run": "...", "finished": true, "parts": 9, "rows": 8123}`, and only then may the receiver make use of the rows; or
`{"run": "...", "abandoned": true}` where the run failed. A part that is sent again has the same `Idempotency-Key`, so
that it can be told from a new one.
"""
from __future__ import annotations

import datetime
import json
import random
import time
import uuid
from collections.abc import Sequence
from typing import Any

from engine import PluginFailure, Setting, Settings, SinkKind, hookimpl

tierwise_hooks = 1

_SETTINGS = {
    "url": Setting(required=True, help="the service that gets the rows"),
    "headers": Setting("map", help="headers of every request; secrets as `{secret: NAME}`"),
    "rows": Setting("number", default=500.0, help="rows of one request"),
    "wait": Setting("duration", default=30.0, help="for an answer"),
    "retries": Setting("number", default=4.0, help="how often a request is tried again"),
    "backoff": Setting("duration", default=0.2, help="the wait before the first retry, which then doubles"),
}
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Webhook:
    """An open sink. Nothing is sent before there are rows."""

    def __init__(self, settings: Settings) -> None:
        try:
            import urllib3  # noqa: PLC0415 - an extra
        except ImportError:
            raise PluginFailure('it needs urllib3: pip install "tierwise[http]"') from None
        self._errors = urllib3.exceptions
        self._url = settings["url"]
        if not self._url.startswith(("http://", "https://")):
            raise PluginFailure("its `url` does not start with `https://`")
        self._size = max(1, int(settings["rows"]))
        self._retries = int(settings["retries"])
        self._backoff = settings["backoff"]
        headers = {name: str(text) for name, text in (settings["headers"] or {}).items()}
        self._headers = {"Content-Type": "application/json", "User-Agent": "tierwise", **headers}
        self._pool = urllib3.PoolManager(retries=False, timeout=settings["wait"])
        self._jitter = random.Random()
        self.run = uuid.uuid4().hex
        self._parts = self._rows = 0
        self._waiting: list[dict[str, Any]] = []

    def write(self, batch: Any) -> None:
        self._waiting.extend(batch.to_pylist())
        while len(self._waiting) >= self._size:
            self._part(self._size)

    def finish(self) -> None:
        if self._waiting:
            self._part(len(self._waiting))
        self._send({"run": self.run, "finished": True, "parts": self._parts, "rows": self._rows}, "end")
        self._pool.clear()

    def abandon(self) -> None:
        if self._parts:
            self._send({"run": self.run, "abandoned": True}, "end")
        self._pool.clear()

    def _part(self, number: int) -> None:
        rows, self._waiting = self._waiting[:number], self._waiting[number:]
        self._parts += 1
        self._rows += len(rows)
        self._send({"run": self.run, "part": self._parts, "rows": rows}, str(self._parts))

    def _send(self, content: dict[str, Any], part: str) -> None:
        body = json.dumps(content, ensure_ascii=False, default=_text, allow_nan=False).encode()
        headers = {**self._headers, "Idempotency-Key": f"{self.run}-{part}"}
        for attempt in range(self._retries + 1):
            try:
                answer = self._pool.request("POST", self._url, body=body, headers=headers, redirect=False)
            except (self._errors.HTTPError, OSError):
                told = "the connection was lost, or no answer came in time"
            else:
                if 200 <= answer.status < 300:
                    return
                told = f"it answered {answer.status}"
                if answer.status not in _AGAIN:
                    raise PluginFailure(told)
            if attempt < self._retries:
                time.sleep(min(self._backoff * 2**attempt, 10.0) * (0.5 + self._jitter.random() / 2))
        raise PluginFailure(f"{told}, {self._retries + 1} times")


def _text(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise PluginFailure(f"a {type(value).__name__} has no form in JSON")


def open_webhook(settings: Settings, schema: Any, columns: Sequence[str]) -> Webhook:
    return Webhook(settings)


@hookimpl
def register_sinks() -> list[SinkKind]:
    return [SinkKind("webhook", open_webhook, _SETTINGS, "A service that is sent the decided rows as JSON.")]
