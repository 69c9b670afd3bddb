"""A run in parts, which goes on where an earlier one of the same name was killed.

The results are a folder. Parts are finished one by one in `_parts` there, each whole or not at all, and `run.json` says
which are done and what they came to. When all are, they are moved into the folder. The manifest also says by
what the run was begun: a policy, table or option that has changed since is refused by name, since its results
would not be of one making with those that are there. A run that is complete writes nothing again.
"""
from __future__ import annotations

import csv
import datetime
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine import __version__
from engine.ir.stored import Unstorable, pack
from engine.portfolio.columnar.binding import ORDINAL, Relation
from engine.portfolio.columnar.counting import tallied
from engine.portfolio.columnar.locations import Location, shown_place
from engine.portfolio.columnar.run import Run
from engine.portfolio.columnar.session import Session, guarded, reading, writing
from engine.portfolio.columnar.sinks import Target, write
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Listener, Options, Policy, Request, Summary
from engine.portfolio.shared import Usage, rejects, too_many
from engine.portfolio.tables import count
from engine.portfolio.tally import Tally
from engine.portfolio.writing import atomic, settle
from engine.reads import digest

MANIFEST = "run.json"
_PARTS = "_parts"
_LOCK = "_lock"
_FORMAT = 1
_ENDINGS = {"parquet": ".parquet", "csv": ".csv", "jsonl": ".jsonl", "xlsx": ".xlsx"}
#: What a person calls the parts of a request that a run hangs on.
_OPTIONS = {
    "only": "--only", "extras": "--with", "where": "--where", "limit": "--limit", "missing": "--missing",
    "date_format": "--date-format", "options": "how text is read", "form": "--format", "part_rows": "--part-rows",
    "on_repeated_key": "--on-repeated-key", "on_null_key": "--on-null-key", "on_orphan": "--on-orphan",
    "on_keyless_event": "--on-keyless-event", "previous_as_of": "--previous-as-of",
}


def run(policy: Policy, request: Request, listener: Listener) -> Summary:
    """Decide the parts that are not done yet; raises DataProblem, Usage and Unsupported."""
    begun = time.monotonic()
    folder = request.out
    if folder == "-" or "::" in folder or "://" in folder:
        raise Usage("`--run-id` needs a folder: name one with `--output`")
    place = shown_place(request.data)
    with _mine(folder), Session(request.memory_limit, request.threads) as session, guarded(place, place):
        found = Run(session, policy, request, listener)
        found.target = found.target.replace(form=request.form or "parquet")
        found.open()
        manifest = _begun(folder, request, found)
        parts = manifest["parts"]
        for number, (first, last) in enumerate(_ranges(found.customers, request.part_rows)):
            name = f"part-{number:05d}"
            listener.progress(number, -(-found.customers.rows // request.part_rows), "parts")
            if name not in parts:
                parts[name] = _part(found, folder, name, request, (first, last))
                _keep(folder, manifest)
        found.tally = _whole(found, parts.values())
        if not manifest["complete"]:
            too_many(found.tally, request, found.customers.path)
            _publish(folder, list(parts), request)
            manifest["complete"] = True
            _keep(folder, manifest)
        _told(found, folder, list(parts), request)
        found.notes.append(f"{count(len(parts), 'part')} in `{folder}`")
        return found.summary(time.monotonic() - begun)


# --- one part -------------------------------------------------------------------------------------


def _ranges(customers: Relation, rows: int) -> Iterator[tuple[int, int]]:
    """The first and last ordinal of each part; at least one part."""
    last = max([customers.last, *(row.line for row in customers.unreadable)])
    for first in range(1, max(last, 1) + 1, rows):
        yield first, first + rows - 1


def _part(found: Run, folder: str, name: str, request: Request, rows: tuple[int, int]) -> dict[str, Any]:
    """Decide one part and write it and its refused rows; what the manifest keeps of it."""
    session = found.session
    results = found.decide(session.path(".parquet"), rows)
    with reading(found.customers.shown, found.customers.path):
        tally = tallied(session, results, found.layout)
    place = os.path.join(folder, _PARTS, name + _ending(request))
    write(results, Target(request.form or "parquet", Location("file", place, place)))
    refused = os.path.join(folder, _PARTS, f"{name}.rejects.csv")
    with writing(refused), atomic(refused) as draft, open(draft, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(results.refusals())
    for line, key, message, help in results.first_refusals(20):
        found.listener.refused(f"{found.customers.shown}:{line}", key, message, help)
    return {
        "rows": list(rows), "status": dict(tally.status), "outcomes": {n: dict(c) for n, c in tally.outcomes.items()},
        "reasons": dict(tally.reasons), "missing": dict(tally.missing), "refused": dict(tally.refused),
    }


def _ending(request: Request) -> str:
    return _ENDINGS[request.form or "parquet"]


def _whole(found: Run, parts: Any) -> Tally:
    """The counts of all parts together."""
    tally = Tally(found.layout.enumerations)
    for part in parts:
        tally.status.update(part["status"])
        for name, counter in tally.outcomes.items():
            counter.update(Counter(part["outcomes"].get(name, {})))
        tally.reasons.update(part["reasons"])
        tally.missing.update(part["missing"])
        tally.refused.update(part["refused"])
    return tally


def _publish(folder: str, names: Sequence[str], request: Request) -> None:
    """Move the finished parts into the folder; what an earlier run of this name moved already stays."""
    with writing(folder):
        for name in names:
            made = os.path.join(folder, _PARTS, name + _ending(request))
            if os.path.exists(made):
                os.replace(made, os.path.join(folder, name + _ending(request)))
        settle(folder)


def _told(found: Run, folder: str, names: Sequence[str], request: Request) -> None:
    """Write the refused rows of all parts where they were asked for."""
    with rejects(request.rejects) as listed:
        if listed is None:
            return
        for name in names:
            with open(os.path.join(folder, _PARTS, f"{name}.rejects.csv"), encoding="utf-8", newline="") as stream:
                listed.writerows(csv.reader(stream))


# --- the manifest -----------------------------------------------------------------------------------


def _begun(folder: str, request: Request, found: Run) -> dict[str, Any]:
    """The manifest of a run that was begun, or a new one; raises DataProblem where it was begun otherwise."""
    wanted = _identity(request, found)
    path = os.path.join(folder, MANIFEST)
    if os.path.exists(path):
        manifest = _read(path)
        if manifest["run"] != request.run_id:
            raise DataProblem(
                f"`{folder}` holds the run `{manifest['run']}`, not `{request.run_id}`", path,
                help="give that name, or another folder",
            )
        changed = _changed(manifest["made by"], wanted)
        if changed:
            raise DataProblem(
                f"the run `{request.run_id}` was begun with {_listed(changed)}", path,
                help="run it with what it was begun with, or begin another in a folder of its own",
            )
        return manifest
    others = [name for name in os.listdir(folder) if name not in (_PARTS, _LOCK)]
    if others:
        raise DataProblem(f"the folder `{folder}` is not empty, and holds no run", folder, help="name a new folder")
    with writing(folder):
        os.makedirs(os.path.join(folder, _PARTS), exist_ok=True)
    manifest = {"format": _FORMAT, "run": request.run_id, "made by": wanted, "complete": False, "parts": {}}
    _keep(folder, manifest)
    return manifest


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as stream:
            manifest: dict[str, Any] = json.load(stream)
        if manifest["format"] != _FORMAT or not {"run", "made by", "complete", "parts"} <= manifest.keys():
            raise ValueError
        return manifest
    except (OSError, ValueError, KeyError, TypeError):
        raise DataProblem(
            f"`{path}` is no manifest of a run", path, help="name another folder, or delete this one"
        ) from None


def _keep(folder: str, manifest: dict[str, Any]) -> None:
    path = os.path.join(folder, MANIFEST)
    with writing(path), atomic(path) as draft, open(draft, "w", encoding="utf-8") as stream:
        json.dump(manifest, stream, ensure_ascii=False, indent=1)


def _identity(request: Request, found: Run) -> dict[str, Any]:
    """All that results hang on, by what a person calls it."""
    try:
        policy = digest(json.dumps([pack(program) for program in found.programs]).encode("utf-8", "surrogatepass"))
    except Unstorable as problem:
        raise DataProblem(f"a run in parts needs a policy that can be kept: {problem}", request.data) from None
    identity: dict[str, Any] = {
        "policy": policy, "as-of date": request.as_of.isoformat(), "engine": __version__,
        f"table `{found.customers.shown}`": _content(found.session, found.table),
    }
    for name, table in found.events.items():
        identity[f"history `{name}`"] = _content(found.session, table.relation)
    if found.logged is not None:
        logged = found.logged.relation
        identity[f"earlier run `{logged.shown}`"] = _content(found.session, logged)
    for field, name in _OPTIONS.items():
        value = getattr(request, field)
        identity[name] = _kept(value)
    return identity


def _kept(value: Any) -> Any:
    """An option as the manifest keeps it."""
    if isinstance(value, tuple):
        return list(value)
    return repr(value) if isinstance(value, Options) else str(value) if isinstance(value, datetime.date) else value


def _content(session: Session, relation: Relation) -> str:
    """A digest of what is read of a table: every row with its line, in the columns that are bound."""
    cells = [ORDINAL, *(c.name for c in relation.columns.values()), *relation.cells.values()]
    with reading(relation.shown, relation.path):
        found = session.row(f"SELECT count(*), bit_xor(hash({', '.join(cells)})) FROM {relation.name}")
    bad = [[row.line, row.message] for row in relation.unreadable]
    return digest(json.dumps([found, sorted(relation.columns), bad]).encode("utf-8", "surrogatepass"))


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs, in words."""
    found = []
    for name in dict.fromkeys([*before, *now]):
        if before.get(name) != now.get(name):
            if name == "as-of date":
                found.append(f"the as-of date {before.get(name)}")
            elif name.startswith("--"):
                found.append(f"another `{name}`")
            else:
                found.append(name if name == "how text is read" else f"another {name}")
    return found


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@contextmanager
def _mine(folder: str) -> Iterator[None]:
    """The folder, made where it is not there, held against other runs; raises DataProblem."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise DataProblem(f"`{folder}` is a file", folder, help="a run in parts needs a folder")
    with writing(folder):
        os.makedirs(folder, exist_ok=True)
        lock = open(os.path.join(folder, _LOCK), "a")
    with lock:
        try:
            import fcntl  # noqa: PLC0415 - not on every system
        except ImportError:
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataProblem(f"another run writes into `{folder}` now", folder, help="wait for its end") from None
        yield

