"""What every engine does alike: the versions, columns and event tables of a run, its limits, and what it says."""
from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from engine.ir import nodes as ir
from engine.ir.door import Fault, Refusal, convert
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import REFUSE, Listener, Policy, Request, Summary
from engine.portfolio.tables import count
from engine.portfolio.tally import Tally
from engine.portfolio.writing import json_text, output
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl

#: Faults told of one row.
MAX_FAULTS = 5
#: How the engine begins a fault of a history's row.
_ROW = re.compile(r"row (\d+): ")
UNREADABLE_ROW = "unreadable row"
REPEATED = "the key stands in an earlier row too"
NULL_KEY = "the key is missing"


class Usage(Exception):
    """A request that cannot be carried out as it stands, in words."""


def programs_of(policy: Policy, request: Request) -> list[ir.Program]:
    """The versions that rows may meet, the latest last; raises Usage where a decision asked for is in none."""
    programs = [policy.program_at(request.as_of)]
    if programs[0].application_date is not None:        # each row picks its version
        programs = [version.program for version in policy.versions]
    for name in request.only:
        known = [d.name for program in programs for d in program.decisions]
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise Usage(f"there is no decision `{name}`" + (f"; did you mean `{near[0]}`?" if near else ""))
    return programs


def form_of(request: Request) -> str:
    """The format of the results: as asked, else by the name of the file."""
    return request.form or ("jsonl" if request.out.endswith((".jsonl", ".ndjson")) else "csv")


def require_columns(
    absent: Sequence[str], needed: set[str], inputs: Mapping[str, InputDecl], columns: Sequence[str],
    bound: set[str], path: str,
) -> None:
    """Raise DataProblem where a column is absent without which every row would be refused."""
    lost = [name for name in absent if name in needed and inputs[name].required]
    if not lost:
        return
    strangers = [column for column in columns if column and column not in bound]
    near = [(name, match) for name in lost for match in get_close_matches(name, strangers, 1, 0.6)]
    way = ", ".join(f"is `{match}` meant for `{name}`?" for name, match in near)
    raise DataProblem(
        f"no column for {', '.join(f'`{name}`' for name in lost)}, which the policy requires", path, 1,
        help=way or "add the column, or name it in the input's `column`",
    )


def where_of(programs: Sequence[ir.Program], request: Request) -> Any:
    """The condition on rows, None where every row is taken; raises WhereProblem with its findings."""
    if request.where is None:
        return None
    from engine.portfolio.where import Where  # noqa: PLC0415 - the checker, which few runs need

    return Where(programs[-1], request.where)


def faults_text(faults: Sequence[Any], place: Callable[[str, int], str | None]) -> str:
    """What is bad about a customer, in one line; `place` says where the row of a history stands."""
    told = []
    for fault in faults[:MAX_FAULTS]:
        message = fault.message
        if (row := _ROW.match(message)) and (where := place(fault.name, int(row[1]))) is not None:
            message = f"{where}: {message[row.end():]}"
        told.append(f"`{fault.name}` {message}")
    if len(faults) > MAX_FAULTS:
        told.append(f"and {count(len(faults) - MAX_FAULTS, 'more fault')}")
    return "; ".join(told)


def key_faults(
    values: Mapping[str, Any], keys: Sequence[str], kinds: Mapping[str, dt.Type]
) -> tuple[str, list[str]]:
    """What is wrong with keys that are not what they are declared to be, and which these are."""
    objects = [name for name in keys if isinstance(values.get(name), (list, dict))]
    if objects:
        return f"`{objects[0]}` is a list or object, and keys are plain", objects
    faults = []
    for name in keys:
        try:
            convert(values.get(name), kinds[name])
        except Refusal as refusal:
            faults.append(Fault(name, str(refusal)))
    return faults_text(faults, lambda _name, _row: None), [fault.name for fault in faults]


def trace_text(decision: Any) -> str:
    """The whole account of a decision as JSON (`schemas/explanation.schema.json`)."""
    return json_text(decision.explain(format="json"))


def too_many(tally: Tally, request: Request, path: str) -> None:
    """Raise DataProblem where more rows were refused than the user allows."""
    share = request.max_refused
    refused = tally.status["refused"]
    if share is not None and refused > share * tally.rows:
        raise DataProblem(
            f"{count(refused, 'row')} of {tally.rows:,} refused, more than {share:.4g} of them; there is no result",
            path, help="mend the data, or raise `--max-refused`; `--rejects FILE` lists the rows of a run without it",
        )


def tell_keys(listener: Listener, repeated: int, keyless: int, request: Request) -> None:
    refused = {True: ", refused", False: ""}
    if repeated:
        listener.note(
            f"{count(repeated, 'row')} with a key that an earlier row had{refused[request.on_repeated_key == REFUSE]}"
        )
    if keyless:
        listener.note(f"{count(keyless, 'row')} without a key{refused[request.on_null_key == REFUSE]}")


def untold_text(number: int) -> str:
    return f"{count(number, 'row')} left out whose data are too bad to tell whether `--where` holds"


def absent_text(name: str) -> str:
    return f"no column for `{name}`: it was missing in every row"


def orphans_text(name: str, number: int, table: str) -> str:
    return f"{count(number, 'row')} of history `{name}` without a customer in {table}"


def summarised(
    engine: str, tally: Tally, request: Request, repeated: int, keyless: int, orphans: Mapping[str, int], seconds: float
) -> Summary:
    return Summary(
        engine, tally.rows, tally.status["decided"], tally.status["open"], tally.status["refused"],
        {name: dict(counter) for name, counter in tally.outcomes.items()}, dict(tally.reasons.most_common()),
        dict(tally.missing.most_common()), dict(tally.refused.most_common()), repeated, keyless, dict(orphans), seconds,
        request.out,
    )


@contextlib.contextmanager
def rejects(path: str | None) -> Iterator[Any]:
    """A CSV writer of refused rows, None without a path."""
    if path is None:
        yield None
        return
    with output(path) as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["line", "key", "problem"])
        yield rows


def declared_histories(program: ir.Program, request: Request) -> dict[str, tuple[ir.HistoryDecl, InputDecl, str]]:
    """Each event table given: its declaration, the input that owns its rows, and its place, which is empty where a
    deployment brings it; raises Usage. A history comes behind the one to whose rows its own belong (`of`), which must
    be given, too."""
    declared = {h.name: h for h in program.histories if h.each is None}
    inputs = {i.name: i for i in program.inputs}
    found: dict[str, tuple[ir.HistoryDecl, InputDecl, str]] = {}
    for name, path in request.histories:
        decl = declared.get(name)
        if decl is None:
            known = ", ".join(f"`{n}`" for n in declared) or "none"
            raise Usage(f"the policy has no history `{name}`; it has {known}")
        if name in found:
            raise Usage(f"history `{name}` is given twice")
        top = _top(decl, declared)
        owner = inputs.get(top.key) if top.key is not None else None
        if owner is None:
            raise Usage(f"history `{name}` has no key that says whose its rows are")
        found[name] = decl, owner, path
    if request.supply is not None:
        for name, plan in request.supply.plan.histories.items():
            if name not in found:
                found[name] = plan.decl, plan.owner, ""
    for name, (decl, _, _) in found.items():
        if decl.of is not None and decl.of not in found:
            raise Usage(f"rows of history `{name}` belong to those of `{decl.of}`, which is not given")
    return dict(sorted(found.items(), key=lambda pair: _depth(pair[1][0], declared)))


def _top(decl: ir.HistoryDecl, declared: Mapping[str, ir.HistoryDecl]) -> ir.HistoryDecl:
    """The history above whose key is the customer's."""
    while decl.of is not None:
        decl = declared[decl.of]
    return decl


def _depth(decl: ir.HistoryDecl, declared: Mapping[str, ir.HistoryDecl]) -> int:
    return 0 if decl.of is None else 1 + _depth(declared[decl.of], declared)


def link_of(decl: ir.HistoryDecl) -> InputDecl:
    """The field by which a history's rows belong to those of another one, as a key of its table."""
    field = next(f for f in decl.fields if f.name == decl.key)
    return InputDecl(field.name, field.type, field.column, key=True)
