"""The actions of a run: which of them the ledger leaves out, and the list of those that are given out.

An action is an item of a list that a decision collects and that says by `action` what is to be done. One that names
by `once per` the period within which it is to be done once is held against the ledger, by the customer's key, the
action and the period; of two alike in one run the first counts.
"""
from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import IO, Any, TextIO

from engine.ir import nodes as ir
from engine.ir.stored import Unstorable, pack
from engine.portfolio.layout import Layout
from engine.portfolio.ledger import Identity, Ledger, held, parts_of
from engine.portfolio.problems import DataProblem, reason
from engine.portfolio.request import Listener, Policy, Request
from engine.portfolio.shared import Usage
from engine.portfolio.tables import count
from engine.portfolio.writing import Pledge, Writer, csv_line, output, writer
from engine.reads import digest
from engine.semantics import dtypes as dt

ACTION, ONCE_PER = "action", "once per"
#: The outcomes of a customer by decision, those that are lists of actions among them.
Lists = Mapping[str, Sequence[Mapping[str, Any]] | None]
#: Bytes of what the ledger is to keep that are held in memory until then.
_IN_MEMORY = 1 << 24
_FORMS = {".jsonl": "jsonl", ".ndjson": "jsonl"}


@contextmanager
def actions_of(policy: Policy, layout: Layout, request: Request) -> Iterator[Actions | None]:
    """What becomes of the actions of a run; None where neither a ledger nor a list of them is asked for. When the
    block ends well the list takes its place and the ledger holds what is in it. Raises DataProblem and Usage."""
    if request.ledger is None and request.actions is None:
        yield None
        return
    decisions = _require(layout, request)
    program = policy.program_at(request.as_of)
    with (
        held(request.ledger) if request.ledger is not None else nullcontext() as ledger,
        tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as rows,
    ):
        found = Actions(decisions, layout.keys, program, request, ledger, rows)
        if request.actions is None:
            yield found
            return
        with output(request.actions, found.pledge) as stream:
            found.listed(stream)
            yield found


def _require(layout: Layout, request: Request) -> list[str]:
    """The decisions whose items are actions; raises Usage for a run of which no list or ledger can be kept."""
    place = request.out if request.actions is None else request.actions
    if request.actions is not None and (place == "-" or not _is_plain(place)):
        raise Usage("the list of actions is CSV or JSON lines: name a file with `--actions`")
    if request.ledger is not None:
        if not request.ledger.endswith(".csv"):
            raise Usage(f"the ledger is CSV: name a file such as `{os.path.splitext(request.ledger)[0]}.csv`")
        taken = place != "-" and request.delivery is None if request.actions is None else True
        if not taken or "::" in place or place.startswith(("postgres://", "postgresql://", "env:")):
            raise Usage("`--ledger` keeps what a file has been given: name one with `--actions` or `--output`")
        if os.path.exists(place) and not os.path.isfile(place):
            raise Usage(f"`{place}` is no file, and the ledger keeps what a file has been given")
        if not layout.keys:
            raise Usage("the ledger knows customers by their key, and no input of the policy is one: `key: true`")
    found = []
    for decision in layout.decisions:
        fields = _fields(decision)
        if ONCE_PER in fields and ACTION not in fields:
            raise Usage(
                f"`{decision.name}` has `{ONCE_PER}` and no `{ACTION}`, by which the ledger knows what was given out"
            )
        if ACTION in fields:
            found.append(decision.name)
    if not found:
        raise Usage(f"no decision collects actions: `do` with `{ACTION}`")
    return found


def _is_plain(place: str) -> bool:
    name = place.lower()
    return "::" not in place and "://" not in place and not name.endswith((".parquet", ".pq", ".xlsx", ".gz"))


def _fields(decision: ir.Decision) -> list[str]:
    """The members of the items that a decision collects."""
    item = decision.type.item if decision.type.kind == dt.LIST else None
    return [name for name, _ in item.fields or ()] if item is not None and item.kind == dt.CONTEXT else []


class Actions:
    """What becomes of the actions of one run. `decisions` are those that give them."""

    def __init__(
        self, decisions: Sequence[str], keys: Sequence[str], program: ir.Program, request: Request,
        ledger: Ledger | None, rows: IO[str],
    ) -> None:
        self.decisions = decisions
        self.ledger = ledger
        self._keys = keys
        self._program = program
        self._request = request
        self._made = (request.as_of.isoformat(), program.name, program.version, _digest(program))
        self._list: Writer | None = None
        self._known: dict[Identity, bool] | None = None
        self._rows = rows
        self._given = self._left = self._keyless = 0

    def listed(self, stream: TextIO) -> None:
        """Write every action that is given out to a stream too."""
        place = self._request.actions or ""
        fields: dict[str, None] = {}
        for decision in self._program.decisions:
            if decision.name in self.decisions:
                fields.update(dict.fromkeys(_fields(decision)))
        self._renamed = {name: name if name not in self._keys else f"_{name}" for name in ("decision", *fields)}
        form = _FORMS.get(os.path.splitext(place)[1].lower(), "csv")
        self._list = writer(stream, form, [*self._keys, *self._renamed.values()])

    def identities(self, keys: Sequence[Any], lists: Lists) -> list[Identity]:
        """What the actions of a customer would be known by, of those that a ledger holds."""
        return [
            "\0".join(parts_of(keys, item[ACTION], item[ONCE_PER]))
            for name in self.decisions for item in lists.get(name) or () if ONCE_PER in item
        ]

    def know(self, wanted: dict[Identity, bool] | None = None) -> None:
        """Read what the ledger has, of these actions alone where they are named."""
        self._known = {} if self.ledger is None else self.ledger.known(self._program.name, wanted)

    def take(self, keys: Sequence[Any], lists: Lists) -> dict[str, list[int]]:
        """Give the actions of a customer out, in order; of each decision the places, from 0, of those left out."""
        if self._known is None:
            self.know()
        left: dict[str, list[int]] = {}
        for name in self.decisions:
            for place, item in enumerate(lists.get(name) or ()):
                if self._is_left(keys, name, item):
                    left.setdefault(name, []).append(place)
                    continue
                self._given += 1
                if self._list is not None:
                    row = dict(zip(self._keys, keys, strict=True)) | {self._renamed["decision"]: name}
                    row.update((self._renamed[field], value) for field, value in item.items())
                    self._list.write(row)
        return left

    def _is_left(self, keys: Sequence[Any], decision: str, item: Mapping[str, Any]) -> bool:
        if self.ledger is None or ONCE_PER not in item:
            return False
        if None in keys:
            self._keyless += 1
            return True
        assert self._known is not None
        key, action, period = parts = parts_of(keys, item[ACTION], item[ONCE_PER])
        found = "\0".join(parts)
        if self._known.get(found):
            self._left += 1
            return True
        self._known[found] = True
        try:
            self._rows.write(csv_line((*self._made, key, decision, action, period)))
        except OSError as problem:
            raise DataProblem(
                f"what the ledger is to keep cannot be set aside: {reason(problem)}", self.ledger.path,
                help=f"make room in `{tempfile.gettempdir()}`, or name another folder by TMPDIR",
            ) from None
        return False

    def pledge(self, draft: str) -> AbstractContextManager[Any]:
        """What holds together with the file that takes the actions."""
        return nullcontext() if self.ledger is None else self.ledger.keeping(self._rows, draft)

    def tell(self, listener: Listener) -> None:
        """Say what became of the actions."""
        told = f"{count(self._given, 'action')} given out"
        if self.ledger is not None:
            told += f", {self._left:,} left out that `{self.ledger.path}` has"
        listener.note(told)
        if self._keyless:
            listener.note(
                f"{count(self._keyless, 'action')} left out of rows without a key, by which the ledger would know them"
            )


def _digest(program: ir.Program) -> str:
    """What a policy's meaning is known by; empty for one that cannot be stored."""
    try:
        return digest(json.dumps(pack(program)).encode("utf-8", "surrogatepass"))
    except Unstorable:
        return ""


def pledge_of(actions: Actions | None, request: Request) -> Pledge:
    """What holds together with the results: the ledger, where no list of the actions takes them."""
    return nullcontext if actions is None or request.actions is not None else actions.pledge


def remaining(items: Sequence[Any], left: Sequence[int]) -> list[Any]:
    """A list without the items at some places."""
    gone = set(left)
    return [item for place, item in enumerate(items) if place not in gone]
