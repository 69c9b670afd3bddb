"""Calls into plugins: on a thread of their own, within a time limit, every failure told in words that hold no secret.

What a plugin prints meanwhile goes to standard error, since standard output is the command's own, and secrets are
struck out of it. A call that does not come back is left behind on its thread; whoever called must not use the object
again that the thread still holds.
"""
from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote, urlsplit

from engine.hookspecs import PluginFailure

Value = TypeVar("Value")

#: What stands where a secret stood.
STRUCK = "***"
#: Characters of a plugin's own words that are shown.
_LONGEST = 300


class CallFailed(Exception):
    """A call that gave nothing; `text` says why, in words that may be shown."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class TimedOut(CallFailed):
    """A call that did not come back in time, and still holds the object that was called."""


class Secrets:
    """Values that must not be shown, and the removal of them from texts."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def add(self, value: str) -> None:
        """Also the password within an address, and both as addresses and JSON spell them."""
        found = {value, value.strip()}
        if "://" in value:
            try:
                found.add(urlsplit(value).password or "")
            except ValueError:                          # no address after all; the whole of it is struck out
                found.add("")
        for word in value.split():
            name, sign, rest = word.partition("=")
            if sign and name.lower() in ("password", "pwd", "token", "key", "secret"):
                found.add(rest.strip("'\""))
        for form in found:
            plain = unquote(form)
            spelt = {form, plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}
            spelt |= {text.replace("\\", "\\\\").replace('"', '\\"') for text in (form, plain)}
            self._forms.update(text for text in spelt if text)

    def scrub(self, text: str) -> str:
        """The text without them, the longest first."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, STRUCK)
        return text


class SecretText(str):
    """A secret as a plugin gets it: a text that shows nothing of itself where an object is printed."""

    def __repr__(self) -> str:
        return f"'{STRUCK}'"


def told(problem: BaseException, secrets: Secrets) -> str:
    """Why a plugin's call failed. Only what a plugin says on purpose is shown, of others their kind alone."""
    if isinstance(problem, PluginFailure):
        return said(problem, secrets)
    if isinstance(problem, SystemExit):
        return "it tried to end the program"
    return f"it raised {secrets.scrub(type(problem).__name__)}"


def said(words: object, secrets: Secrets) -> str:
    """A plugin's own words as they may be shown: without secrets, in one line that is not long."""
    try:
        spoken = str(words)
    except Exception:  # noqa: BLE001 - the words of an exception may themselves fail
        spoken = ""
    text = " ".join(secrets.scrub(spoken).split())
    return text[:_LONGEST] + ("…" if len(text) > _LONGEST else "") if text else "it gives no reason"


class Caller:
    """Calls into one plugin object, one at a time. `secrets` are struck out of what it says and prints."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._worker: _Worker | None = None

    def call(self, function: Callable[[], Value], limit: float | None) -> Value:
        """What `function` gives; raises CallFailed, and TimedOut after `limit` seconds."""
        if self._worker is None:
            self._worker = _Worker(self._secrets)
        job = _Job(function)
        _divert(job)
        self._worker.jobs.put(job)
        try:
            in_time = job.done.wait(limit)
        except BaseException:                           # somebody does not want to wait any longer
            self._leave(job)
            raise
        if not in_time and self._leave(job):
            raise TimedOut(f"no answer within {seconds_text(limit or 0)}")
        _restore(job)
        if job.problem is not None:
            raise CallFailed(told(job.problem, self._secrets)) from None
        value: Value = job.value
        return value

    def _leave(self, job: _Job) -> bool:
        """Leave a call behind, unless it has just ended; its thread ends the diversion, if it ever comes back."""
        with job.lock:
            job.left = not job.done.is_set()
        if job.left and self._worker is not None:
            self._worker.jobs.put(None)
            self._worker = None
        return job.left

    def close(self) -> None:
        """Let its thread end."""
        if self._worker is not None:
            self._worker.jobs.put(None)
            self._worker = None


def seconds_text(seconds: float) -> str:
    """`2 s`, `0.25 s`."""
    return f"{seconds:g} s"


class _Job:
    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.value: Any = None
        self.problem: BaseException | None = None
        self.done = threading.Event()
        self.lock = threading.Lock()
        self.left = False


class _Worker(threading.Thread):
    """A daemon, so that a call that never comes back does not keep the program from ending."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__(name="tierwise plugin", daemon=True)
        self.secrets = secrets
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            try:
                job.value = job.function()
            except BaseException as problem:            # noqa: BLE001 - whatever a plugin raises is its failure
                job.problem = problem
            with job.lock:
                job.done.set()
                left = job.left
            if left:
                _restore(job)
            del job                                     # and with it what it gave


# --- what plugins print ------------------------------------------------------------------------------


class _Diverted:
    """A standard stream: what a plugin's thread writes goes to standard error without secrets, all else where it
    went before."""

    def __init__(self, stream: Any, error: Any) -> None:
        self.stream = stream
        self._error = error

    def write(self, text: str) -> int:
        thread = threading.current_thread()
        if isinstance(thread, _Worker):
            self._error.write(thread.secrets.scrub(text))
            return len(text)
        if getattr(_aside, "depth", 0):
            self._error.write(text)
            return len(text)
        written: int = self.stream.write(text)
        return written

    @property
    def buffer(self) -> Any:
        aside = isinstance(threading.current_thread(), _Worker) or getattr(_aside, "depth", 0) > 0
        stream = self._error if aside else self.stream
        return stream.buffer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


_lock = threading.Lock()
#: Calls under way, those that were left behind included.
_under_way: list[object] = []
#: By thread, how many calls on it print aside.
_aside = threading.local()


class PrintingAside:
    """A block on this very thread, whose prints go to standard error."""

    def __enter__(self) -> None:
        _divert(self)
        _aside.depth = getattr(_aside, "depth", 0) + 1

    def __exit__(self, *_: object) -> None:
        _aside.depth -= 1
        _restore(self)


def _divert(job: object) -> None:
    with _lock:
        _under_way.append(job)
        out, err = _own(sys.stdout), _own(sys.stderr)   # which somebody may have replaced since the last call
        sys.stdout, sys.stderr = _Diverted(out, err), _Diverted(err, err)


def _restore(job: object) -> None:
    with _lock:
        _under_way.remove(job)
        if not _under_way:
            sys.stdout, sys.stderr = _own(sys.stdout), _own(sys.stderr)


def _own(stream: Any) -> Any:
    return stream.stream if isinstance(stream, _Diverted) else stream
