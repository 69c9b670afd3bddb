"""The ledger of actions that were given out, so that each is given out once a period.

A ledger is a CSV file, one row an action, that only ever grows. A run keeps its actions in it and gives them out in one
step: the rows are appended while the file that takes the actions still stands under another name, and a journal beside
the ledger says how long it was before and which name that is. The file then takes its own name, which is the moment at
which both are so; what a run leaves behind that was killed before it is undone by the next one, by the journal.
"""
from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from engine.portfolio.problems import DataProblem, reason
from engine.portfolio.writing import atomic, cell, csv_line, json_text, settle

COLUMNS = ("as of", "policy", "version", "digest", "key", "decision", "action", "period")
_JOURNAL, _LOCK = ".journal", ".lock"

#: What an action is known by: the customer's key, the action and the period, of one policy; in one text, since a run
#: holds as many as it has actions.
Identity = str


@contextmanager
def held(path: str) -> Iterator[Ledger]:
    """The ledger at a path, held against other runs, and as the last one that ended well left it; made when something
    is first kept. Raises DataProblem."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise DataProblem(f"the ledger `{path}` is no file", path, help="name a CSV file")
    try:
        lock = open(path + _LOCK, "a")
    except OSError as problem:
        raise _unwritable(path, problem) from None
    with lock:
        with suppress(ImportError):                     # not on every system
            import fcntl  # noqa: PLC0415

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DataProblem(
                    f"another run keeps its actions in `{path}` now", path, help="wait for its end"
                ) from None
        ledger = Ledger(path)
        ledger.recover()
        yield ledger


class Ledger:
    """A ledger that is held."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._journal = path + _JOURNAL

    def recover(self) -> None:
        """Undo what a run kept that was killed before it had given its actions out."""
        try:
            with open(self._journal, encoding="utf-8") as stream:
                found = json.load(stream)
            length, draft = int(found["length"]), str(found["draft"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            raise DataProblem(
                f"the journal `{self._journal}` of a ledger is damaged", self._journal,
                help="see whether the last actions of the ledger were given out; delete those that were not, and it",
            ) from None
        try:
            self._undo(length, draft)
        except OSError as problem:
            raise _unwritable(self.path, problem) from None

    def _undo(self, length: int, draft: str) -> None:
        """End what a journal stands for: a draft that is still there was not given out."""
        if os.path.exists(draft):
            if os.path.exists(self.path):
                os.truncate(self.path, length)
                settle(self.path)
            os.unlink(draft)
        else:
            with suppress(OSError):                     # some file systems open no folder
                settle(os.path.dirname(draft))
        os.unlink(self._journal)

    def known(self, policy: str, wanted: dict[Identity, bool] | None = None) -> dict[Identity, bool]:
        """The actions of a policy, and whether the ledger has them; `wanted` alone where they are given, since a
        ledger of years is longer than a run. Raises DataProblem."""
        found = {} if wanted is None else wanted
        try:
            with open(self.path, encoding="utf-8", newline="") as stream:
                rows = csv.reader(stream, strict=True)
                if next(rows, None) not in (None, list(COLUMNS)):
                    raise DataProblem(
                        f"`{self.path}` is no ledger of actions", self.path, 1,
                        help=f"its columns are {', '.join(COLUMNS)}; name another file, which is made",
                    )
                for row in rows:
                    if len(row) != len(COLUMNS):
                        raise self._damaged(rows.line_num)
                    identity = "\0".join((row[4], row[6], row[7]))
                    if row[1] == policy and (wanted is None or identity in wanted):
                        found[identity] = True
        except FileNotFoundError:
            pass
        except csv.Error:
            raise self._damaged(rows.line_num) from None
        except (OSError, UnicodeError) as problem:
            raise DataProblem(f"the ledger `{self.path}` cannot be read: {reason(problem)}", self.path) from None
        return found

    def _damaged(self, line: int) -> DataProblem:
        return DataProblem(
            f"the ledger `{self.path}` is damaged", self.path, line,
            help="bring back a copy; without its rows their actions would be given out again",
        )

    def is_new(self) -> bool:
        """Whether nothing was kept in it yet."""
        return not os.path.exists(self.path)

    @contextmanager
    def keeping(self, rows: IO[str], draft: str) -> Iterator[None]:
        """Keep rows, lines of CSV from where they begin, while the block gives the file `draft` its own name: both, or
        neither. Raises DataProblem."""
        if not rows.tell():
            yield
            return
        draft = os.path.abspath(draft)
        try:
            length = os.path.getsize(self.path) if os.path.exists(self.path) else 0
            with atomic(self._journal) as place, open(place, "w", encoding="utf-8") as stream:
                json.dump({"length": length, "draft": draft}, stream)
        except OSError as problem:
            raise _unwritable(self.path, problem) from None
        try:
            try:
                self._append(rows, length == 0)
            except OSError as problem:
                raise _unwritable(self.path, problem) from None
            yield
        finally:                                        # what became of the draft says which it is
            self._undo(length, draft)

    def _append(self, rows: IO[str], first: bool) -> None:
        made = not os.path.exists(self.path)
        with open(self.path, "a", encoding="utf-8", newline="") as stream:
            stream.write(csv_line(COLUMNS) if first else "")
            rows.seek(0)
            shutil.copyfileobj(rows, stream, 1 << 20)
            stream.flush()
            os.fsync(stream.fileno())
        if made:
            with suppress(OSError):                     # some file systems open no folder
                settle(os.path.dirname(os.path.abspath(self.path)))


def _unwritable(path: str, problem: OSError) -> DataProblem:
    return DataProblem(f"the ledger `{path}` cannot be written: {reason(problem)}", path)


def parts_of(keys: Sequence[Any], action: Any, period: Any) -> tuple[str, str, str]:
    """What an action is known by, as the ledger has it: key, action and period."""
    key = cell(keys[0]) if len(keys) == 1 else json_text([cell(key) for key in keys])
    return key, cell(action), cell(period)
