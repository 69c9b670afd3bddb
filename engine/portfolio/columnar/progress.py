"""How far the database is with a statement, told while it runs."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engine.portfolio.columnar.session import Session
from engine.portfolio.request import Listener

_EVERY = 0.25


@contextmanager
def watched(listener: Listener, doing: str, session: Session) -> Iterator[None]:
    """Tell the listener of the share done of the statement that runs within."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            share = session.connection.query_progress()
            if share >= 0:
                listener.progress(round(share), 100, doing)

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
