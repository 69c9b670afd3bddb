"""Calls into plugins: on a thread of their own, within a time limit, every failure told in words that hold no secret.

What a plugin prints meanwhile goes to standard error, since standard output is the command's own, and secrets are
struck out of it. Where the process is the command line's (`engine.process`), so does what comes around Python's
streams, from libraries and programs that a plugin starts, and from its own threads (`guard`). A call that does not come
back is left behind on its thread; whoever called must not use the object again that the thread still holds.
"""
from __future__ import annotations

import atexit
import base64
import os
import queue
import re
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, quote_plus, unquote, urlsplit

from engine import process
from engine.hookspecs import PluginFailure

Value = TypeVar("Value")

_lock = threading.RLock()
#: The secrets of deployments that are open, and those of the command line's process until its end.
_living: weakref.WeakSet[Secrets] = weakref.WeakSet()
_kept: list[Secrets] = []

#: What stands where a secret stood.
STRUCK = "***"
#: Characters of a plugin's own words that are shown.
_LONGEST = 300
#: The name of a way to log in, and behind it what is secret.
_SCHEME = re.compile(r"\s*([A-Za-z][\w-]*):?\s+(\S+)\s*")
_SCHEMES = frozenset("apikey basic bearer digest hmac key negotiate ntlm oauth token".split())


class CallFailed(Exception):
    """A call that gave nothing; `text` says why, in words that may be shown."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class TimedOut(CallFailed):
    """A call that did not come back in time, and still holds the object that was called."""


class Scrubs(Protocol):
    """What strikes secrets out of texts."""

    def scrub(self, text: str) -> str: ...


class Secrets:
    """Values that must not be shown, and the removal of them from texts."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        with _lock:
            _living.add(self)
            if process.owned:                           # and what was printed before may be shown when it is closed
                _kept.append(self)

    def add(self, value: str) -> None:
        """Also the password within an address, what follows the name of a way to log in (`Bearer ...`), and all of
        them as addresses and JSON spell them."""
        found = {value, value.strip(), *_behind_scheme(value)}
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


class _Every:
    """The secrets of all deployments that are open."""

    def scrub(self, text: str) -> str:
        with _lock:
            living = list(_living)
        for secrets in living:
            text = secrets.scrub(text)
        return text


#: For texts of plugins that no deployment called: bodies of functions, commands, threads of their own.
EVERY: Scrubs = _Every()


def _behind_scheme(value: str) -> set[str]:
    """What is secret of `Bearer abc123`, and the password too of `Basic ...`."""
    words = _SCHEME.fullmatch(value)
    if words is None:
        return set()
    scheme, rest = words[1].lower(), words[2]
    if scheme not in _SCHEMES and len(rest) < 8:        # two short words, not to be struck out of every sentence
        return set()
    found = {rest}
    if scheme == "basic":
        try:
            plain = base64.b64decode(rest, validate=True).decode()
        except ValueError:                              # not written as it should be
            return found
        found |= {plain, plain.partition(":")[2]}
    return found


class SecretText(str):
    """A secret as a plugin gets it: a text that shows nothing of itself where an object is printed."""

    def __repr__(self) -> str:
        return f"'{STRUCK}'"


def told(problem: BaseException, secrets: Scrubs) -> str:
    """Why a plugin's call failed. Only what a plugin says on purpose is shown, of others their kind alone."""
    if isinstance(problem, PluginFailure):
        return said(problem, secrets)
    if isinstance(problem, SystemExit):
        return "it tried to end the program"
    return f"it raised {secrets.scrub(type(problem).__name__)}"


def said(words: object, secrets: Scrubs) -> str:
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
        _tell_strays()
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
    went before. `guarded`: all threads but the main one are taken for a plugin's."""

    def __init__(self, stream: Any, error: Any, guarded: bool = False) -> None:
        self.stream = stream
        self._error = error
        self._guarded = guarded

    def write(self, text: str) -> int:
        scrubs = self._aside()
        if scrubs is not None:
            self._error.write(scrubs.scrub(text))
            return len(text)
        written: int = self.stream.write(text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        return self.stream.buffer if self._aside() is None else _Bytes(self)

    def close(self) -> None:
        """Only for whom it belongs to."""
        if self._aside() is None:
            self.stream.close()

    def detach(self) -> Any:
        return self.stream.detach() if self._aside() is None else _Bytes(self)

    def _aside(self) -> Scrubs | None:
        """What strikes secrets out of what this thread writes; None where it goes where it went before."""
        thread = threading.current_thread()
        if isinstance(thread, _Worker):
            return thread.secrets
        if getattr(_aside, "depth", 0) or self._guarded and thread is not threading.main_thread():
            return EVERY
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Bytes:
    """The bytes beneath a diverted stream, as a plugin's thread may write them."""

    def __init__(self, text: _Diverted) -> None:
        self._text = text

    def write(self, data: Any) -> int:
        held = bytes(data)
        self._text.write(held.decode("utf-8", "replace"))
        return len(held)

    def flush(self) -> None:
        self._text.flush()

    def close(self) -> None:
        """It belongs to somebody else."""


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
        _wrap(True)


def _restore(job: object) -> None:
    with _lock:
        _under_way.remove(job)
        if not _under_way:
            _wrap(False)


def _wrap(diverted: bool) -> None:
    """Put the standard streams, which somebody may have replaced since, behind ones that divert, or back."""
    out, err, guarded = _own(sys.stdout), _own(sys.stderr), _strays is not None
    if diverted or guarded:
        out, err = _Diverted(out, err, guarded), _Diverted(err, err, guarded)
    sys.stdout, sys.stderr = out, err


def _own(stream: Any) -> Any:
    return stream.stream if isinstance(stream, _Diverted) else stream


# --- what comes around Python's streams --------------------------------------------------------------


class _Strays:
    """A file that stands in for the process's standard output: what is in it was written by libraries, and by programs
    that plugins started, and is told on standard error. A pipe in its place would have to be read meanwhile, which a
    library that keeps Python waiting while it writes would not let happen."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)
        self._told = 0

    def take_place(self, number: int) -> None:
        """Let it be the process's stream of that number, and of programs that are started."""
        os.dup2(self._file.fileno(), number)

    def unseen(self) -> str:
        """What has come since it was last asked."""
        number = self._file.fileno()
        more = os.fstat(number).st_size - self._told
        if more <= 0:
            return ""
        data = os.pread(number, more, self._told)
        self._told += len(data)
        return data.decode("utf-8", "replace")


_strays: _Strays | None = None


def guard() -> None:
    """From now on keep standard output for the command alone, where the process is the command line's: what it writes
    goes to a descriptor of its own, what anything else writes to standard error. Threads of plugins that fail are told
    in words without secrets. Call it as soon as a plugin is loaded, and before anybody holds on to `sys.stdout`."""
    global _strays
    own = sys.__stdout__
    if not process.owned or _strays is not None or own is None or own is not _own(sys.stdout):
        return
    try:
        own.flush()
        kept = os.dup(own.fileno())
        strays = _Strays()
    except (OSError, ValueError):                       # nowhere to write, or no place to keep anything
        return
    stream = open(kept, "w", encoding=own.encoding, errors=own.errors)
    stream.reconfigure(line_buffering=own.line_buffering or own.write_through)
    strays.take_place(own.fileno())
    with _lock:
        _strays = strays
        sys.stdout = stream
        _wrap(True)
    threading.excepthook = _thread_failed
    atexit.register(_tell_strays)


def _tell_strays() -> None:
    """Tell on standard error what came around Python's streams."""
    if _strays is not None:
        with _lock:
            text = _strays.unseen()
        if text:
            error = _own(sys.stderr)
            error.write(EVERY.scrub(text))
            error.flush()


_before = threading.excepthook


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """A thread of a plugin ended with an exception, whose text may hold what must not be shown. One of the engine's own
    is told in full."""
    frames = traceback.extract_tb(failure.exc_traceback)
    first = next((f.filename for f in frames if f.filename != threading.__file__), "")
    if Path(first).is_relative_to(Path(__file__).parent):
        _before(failure)
        return
    problem = failure.exc_value or failure.exc_type()
    if not isinstance(problem, SystemExit):
        _own(sys.stderr).write(f"a thread of a plugin failed: {told(problem, EVERY)}\n")
