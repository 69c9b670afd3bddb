"""A limit on how long a plugin's code may take on the thread that asks for it, for commands, which own the process and
its main thread.

The bodies of functions run on the thread that decides, since handing them over to another (`engine.calling`) would cost
more than most of them take, and imports belong on the main thread. So a block notes when it began, and a thread beside
it looks once in a while: a block that does not end is interrupted, as by Ctrl+C.
"""
from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Overdue(Exception):
    """A block took longer than it may, or a function was given up; the text says so."""


class Within:
    """A block that may take so many seconds; raises Overdue where it takes longer. Elsewhere than on the main thread,
    or where somebody else handles interrupts, it takes as long as it takes."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.until = 0.0
        self.interrupted = False
        self._watched = False

    def __enter__(self) -> None:
        self._watched = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._watched:
            self.until = time.monotonic() + self.limit
            with _lock:
                _under_way.append(self)
            if not _watchdogs:                          # most commands run no plugin's code
                _watchdogs.append(threading.Thread(target=_look, name="tierwise watch", daemon=True))
                _watchdogs[0].start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        if not self._watched:
            return
        with _lock:
            _under_way.remove(self)
        if not self.interrupted:
            return
        if not isinstance(problem, KeyboardInterrupt):  # it is on its way, and must not reach what comes next
            try:
                time.sleep(0.1)
            except KeyboardInterrupt:
                pass
        raise Overdue(f"no answer within {self.limit:g} s") from None


class Watched:
    """Calls a function a time limit each; one whose calls take longer again and again is not called any more."""

    #: Calls that may take longer.
    patience = 3

    def __init__(self, body: Callable[..., Any], limit: float) -> None:
        self._body = body
        self._limit = limit
        self._late = 0

    def __call__(self, *arguments: Any) -> Any:
        if self._late >= self.patience:
            raise Overdue(f"it was given up after {self.patience} calls that took longer than {self._limit:g} s")
        try:
            with Within(self._limit):
                return self._body(*arguments)
        except Overdue:
            self._late += 1
            raise


_lock = threading.Lock()
#: Watched blocks, the innermost last.
_under_way: list[Within] = []
_watchdogs: list[threading.Thread] = []


def _look() -> None:
    while True:
        with _lock:
            limits = [block.limit for block in _under_way]
        time.sleep(min([0.5, *(limit / 4 for limit in limits)]))
        with _lock:
            now = time.monotonic()
            for block in _under_way[-1:]:
                if now > block.until:
                    block.interrupted, block.until = True, now + block.limit      # and again, if it goes on
                    _interrupt()


def _interrupt() -> None:
    """Interrupt the main thread, and what it waits for."""
    send: Any = getattr(signal, "pthread_kill", None)
    if send is not None:
        send(threading.main_thread().ident, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)
