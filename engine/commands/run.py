"""`tierwise run`: decide a portfolio row by row.

Every row of the data comes out once: decided, open or refused, with its line. A bad row is
told on standard error and the others are decided.
"""
from __future__ import annotations

import contextlib
import csv
import datetime
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import click

from engine.commands.common import FINDINGS, Date, paint, talk
from engine.commands.loading import open_policy
from engine.commands.reading import data_failure
from engine.commands.tally import Tally
from engine.ir import nodes as ir
from engine.policy import Decision, Policy
from engine.portfolio.binding import Columns, Reading
from engine.portfolio.histories import History, Key, read_history
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, Table, count, open_table
from engine.portfolio.writing import Writer, output, writer
from engine.render import visible
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl

#: Bad rows told one by one on standard error; the rest are counted.
MAX_TOLD = 20
#: Faults told of one row.
MAX_FAULTS = 5
#: How the engine begins a fault of a history's row.
_ROW = re.compile(r"row (\d+): ")
#: What the reserved reasons say in the summary.
_RESERVED = {
    "MISSING": "Data that a decision needs are missing",
    "UNDEFINED": "An expression has no value for the data given",
}
_META = ("line", "status", "reasons", "open", "missing", "problem")


class _Named(click.ParamType):  # type: ignore[type-arg]
    """`NAME=FILE`."""

    name = "NAME=FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, sign, path = value.partition("=")
        if not sign or not name.strip() or not path:
            self.fail(f"`{value}` is not of the form NAME=FILE", param, ctx)
        return " ".join(name.split()), path


class _Delimiter(click.ParamType):  # type: ignore[type-arg]
    """One character, or the word `tab`."""

    name = "CHAR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if len(found) != 1 or found in '"\r\n\0 ':
            self.fail(f"`{value}` is not one character or `tab`", param, ctx)
        return str(found)


@click.command()
@click.argument("policy", metavar="POLICY")
@click.argument("data", metavar="DATA")
@click.option("--as-of", type=Date(), help="The date of the decisions. [default: today]")
@click.option("--history", "histories", type=_Named(), multiple=True, help="An event table for a history, many times.")
@click.option("-o", "--output", "out", default="-", show_default=True, metavar="FILE", help="Where the results go.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), help="Of the results. [default: by FILE]")
@click.option("--input-format", type=click.Choice(["csv", "jsonl"]), help="Of DATA and tables. [default: by name]")
@click.option("--rejects", metavar="FILE", help="Also write refused rows here, as CSV with line, key and problem.")
@click.option("--strict", is_flag=True, help="Stop at the first refused row.")
@click.option("--encoding", metavar="NAME", help="Of DATA and tables. [default: utf-8, or as a byte-order mark says]")
@click.option("--delimiter", type=_Delimiter(), help="Of CSV. [default: a comma, a tab in .tsv]")
@click.option("--missing", multiple=True, metavar="TEXT", help="A text that means missing, as NA; many times.")
@click.option("--date-format", metavar="FORM", help="Of dates that are not ISO, as %d.%m.%Y.")
@click.option("--summary/--no-summary", default=True, show_default=True, help="Show counts when done.")
def command(
    policy: str,
    data: str,
    as_of: datetime.date | None,
    histories: Sequence[tuple[str, str]],
    out: str,
    form: str | None,
    input_format: str | None,
    rejects: str | None,
    strict: bool,
    encoding: str | None,
    delimiter: str | None,
    missing: Sequence[str],
    date_format: str | None,
    summary: bool,
) -> int:
    """Decide a portfolio, row by row.

    DATA is CSV or JSON lines, `-` for standard input, `.gz` read through. A column is bound to the input of
    its name, of the name with underscores, or to the one whose `column` names it. Each row gives one row:
    its line and key, whether it is decided, open or refused, the outcomes, reasons, open decisions, and what
    was missing. Exits with 1 where rows were refused, with 3 where data cannot be read at all.
    """
    day = as_of or datetime.date.today()
    if [data, *(path for _, path in histories)].count("-") > 1:
        raise click.UsageError("standard input can be read once only")
    _keep_apart(out, rejects, [data, *(path for _, path in histories)])
    loaded = open_policy(policy)
    programs = [loaded.program_at(day)]
    if programs[0].application_date is not None:  # each row picks its version
        programs = [version.program for version in loaded.versions]
    reading = Reading(missing, date_format)

    def table(path: str) -> Table:
        return open_table(path, format=input_format, encoding=encoding, delimiter=delimiter)

    try:
        events = _histories(programs[-1], histories, table, reading)
        chosen = form or ("jsonl" if out.endswith((".jsonl", ".ndjson")) else "csv")
        with table(data) as rows, output(out) as stream, _rejects(rejects) as refused:
            run = Run(loaded, programs, day, rows, events, reading, refused, strict)
            run.decide(writer(stream, chosen, run.columns))
    except DataProblem as problem:
        raise data_failure(problem) from None
    run.tell_end()
    if summary:
        texts = {reason.code: _template(reason) for p in programs for reason in p.reasons}
        run.tally.show(sys.stderr, texts | _RESERVED)
    return FINDINGS if run.tally.status["refused"] else 0


def _keep_apart(out: str, rejects: str | None, read: Sequence[str]) -> None:
    """Raise a usage error where results would replace what they are made from, or each other."""
    written = [path for path in (out, rejects) if path is not None and path != "-"]
    for path in written:
        if any(other != "-" and _same(path, other) for other in read):
            raise click.UsageError(f"`{visible(path)}` is read, and would be replaced by the results")
    if len(written) == 2 and _same(*written):
        raise click.UsageError("results and rejects cannot be one file")


def _writable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _same(one: str, other: str) -> bool:
    try:
        return os.path.isfile(one) and os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


class Run:
    """One portfolio under one policy; `programs` are the versions that its rows may meet, the latest last."""

    def __init__(
        self, policy: Policy, programs: Sequence[ir.Program], as_of: datetime.date, table: Table,
        histories: Mapping[str, History], reading: Reading, rejects: Any, strict: bool,
    ) -> None:
        self.policy = policy
        self.as_of = as_of
        self.table = table
        self.histories = histories
        self.rejects = rejects
        self.strict = strict
        self.told = 0
        inputs = {decl.name: decl for program in programs for decl in program.inputs}
        self.bound = Columns(table, tuple(inputs.values()), reading)
        self.keys = [decl.name for decl in inputs.values() if decl.key]
        self.owner = {h.name: h.key for program in programs for h in program.histories if h.key is not None}
        self._require_columns(policy, programs, inputs)
        self.seen: set[str] = set()
        self.repeated = 0
        decisions = list({d.name: d for program in programs for d in _shown(program)}.values())
        self.outputs = [column for d in decisions for column in _columns(d)]
        names = [column for column, _, _ in self.outputs]
        self.meta = {m: m if m not in {*names, *self.keys} else f"_{m}" for m in _META}
        line, status, *rest = self.meta.values()
        self.columns = [line, *self.keys, status, *names, *rest]
        self.tally = Tally({d.name: d.type.values for d in decisions if d.type.values is not None})

    def _require_columns(
        self, policy: Policy, programs: Sequence[ir.Program], inputs: Mapping[str, InputDecl]
    ) -> None:
        """Raise DataProblem where a column is absent without which every row would be refused."""
        needed = set.intersection(*(set(policy.cone(program).inputs) for program in programs))
        lost = [name for name in self.bound.absent if name in needed and inputs[name].required]
        if not lost:
            return
        strangers = [column for column in self.table.columns if column and column not in self.bound.columns]
        near = [(name, match) for name in lost for match in get_close_matches(name, strangers, 1, 0.6)]
        way = ", ".join(f"is `{match}` meant for `{name}`?" for name, match in near)
        raise DataProblem(
            f"no column for {', '.join(f'`{name}`' for name in lost)}, which the policy requires", self.table.path, 1,
            help=way or "add the column, or name it in the input's `column`",
        )

    def decide(self, out: Writer) -> None:
        """Decide every row; raises DataProblem where reading or, under `strict`, a row fails."""
        progress = Progress()
        for row in self.table:
            values = self.bound.values(row.cells)
            if isinstance(row, BadRow):                 # what is no text cannot be written either
                values = {name: _writable(values.get(name)) for name in self.keys}
            key = ", ".join(str(values[k]) for k in self.keys if values.get(k) is not None)
            if key:
                self.repeated += key in self.seen
                self.seen.add(key)
            base = {self.meta["line"]: row.line, **{k: values.get(k) for k in self.keys}}
            if isinstance(row, BadRow):
                self._refuse(out, base, key, row.message, row.help, ["unreadable row"])
                continue
            objects = [name for name in self.keys if isinstance(values.get(name), (list, dict))]
            if objects:
                self._refuse(out, base, "", f"`{objects[0]}` is a list or object, and keys are plain", None, objects)
                continue
            broken = self._broken(values)
            if broken is not None:
                self._refuse(out, base, key, f"history `{broken[0]}`: {broken[1]}", None, [broken[0]])
                continue
            decision = self.policy.decide(values, as_of=self.as_of, history=self._history(values))
            if decision.refused:
                stops = any(fault.stops for fault in decision.faults)
                text = self._faults(decision, values)
                hints = dict.fromkeys(h for n in decision.refused if (h := self.bound.hint(n, values.get(n))))
                self._refuse(out, base, key, text, "; ".join(hints) or None, decision.refused, stops)
            else:
                self._decided(out, base, decision)
            progress.step()
        progress.end()

    def _faults(self, decision: Decision, values: Mapping[str, Any]) -> str:
        """What is bad about a customer, in one line; rows of a history by their place in its file."""
        told = []
        for fault in decision.faults[:MAX_FAULTS]:
            message = fault.message
            history = self.histories.get(fault.name)
            if history is not None and (row := _ROW.match(message)):
                line = history.line(values.get(self.owner[fault.name]), int(row[1]))
                message = f"line {line} of {history.source}: {message[row.end():]}"
            told.append(f"`{fault.name}` {message}")
        if len(decision.faults) > MAX_FAULTS:
            told.append(f"and {count(len(decision.faults) - MAX_FAULTS, 'more fault')}")
        return "; ".join(told)

    def _decided(self, out: Writer, base: dict[str, Any], decision: Decision) -> None:
        meta = self.meta
        for column, name, member in self.outputs:
            value = decision.values.get(name)
            base[column] = value if member is None else (value or {}).get(member)
        # an open feature counts as far as it leaves a decision open; one that the policy handles does not
        opened = [o for o in decision.open.values() if o.name in decision.values]
        missing = list(dict.fromkeys(m for o in opened for m in o.missing))
        base[meta["status"]] = "open" if opened else "decided"
        base[meta["reasons"]] = list(decision.reasons)
        base[meta["open"]] = [o.name for o in opened]
        base[meta["missing"]] = missing
        out.write(base)
        self.tally.decided(decision.values, decision.reasons, missing, bool(opened))

    def _refuse(
        self, out: Writer, base: dict[str, Any], key: str, message: str, help: str | None,
        names: Sequence[str], stops: bool = False,
    ) -> None:
        line = base[self.meta["line"]]
        if self.strict or stops:
            place = f"`{key}`: " if key else ""
            raise DataProblem(place + visible(message), self.table.path, line, help)
        base[self.meta["status"]] = "refused"
        base[self.meta["problem"]] = message
        out.write(base)
        self.tally.bad(names)
        if self.rejects is not None:
            self.rejects.writerow([line, key, message])
        self.told += 1
        if self.told <= MAX_TOLD:
            who = f" {visible(key)}" if key else ""
            talk(f"{paint('refused', sys.stderr, fg='yellow')} {self.table.name}:{line}{who}: {visible(message)}"
                 + (f" (help: {visible(help)})" if help else ""))

    def _history(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        if not self.histories:
            return None
        return {name: history.of(values.get(self.owner[name])) for name, history in self.histories.items()}

    def _broken(self, values: Mapping[str, Any]) -> tuple[str, str] | None:
        for name, history in self.histories.items():
            if history.broken and (found := history.broken.get(values.get(self.owner[name]))) is not None:
                return name, found
        return None

    def tell_end(self) -> None:
        """What the rows came to, and what a person should know of the tables."""
        if self.told > MAX_TOLD:
            talk(f"{count(self.told - MAX_TOLD, 'more refused row')}; `--rejects FILE` lists them all")
        if self.repeated:
            talk(f"{count(self.repeated, 'row')} with a key that an earlier row had")
        for name in self.bound.absent:
            talk(f"no column for `{name}`: it was missing in every row")
        for history in self.histories.values():
            if unclaimed := history.unclaimed():
                talk(f"{count(unclaimed, 'row')} of history `{history.name}` without a customer in {self.table.name}")
        talk(self.tally.line())


class Progress:
    """Rows done, on standard error while that is a terminal, from the second second on."""

    def __init__(self) -> None:
        self.rows = 0
        self.live = sys.stderr.isatty()
        self.begun = self.shown = time.monotonic()
        self.drawn = False

    def step(self) -> None:
        self.rows += 1
        if self.live and self.rows % 256 == 0:
            now = time.monotonic()
            if now - self.begun > 1 and now - self.shown > 0.2:
                self.shown = now
                self.drawn = True
                click.echo(f"\r{self.rows:,} rows, {self.rows / (now - self.begun):,.0f} a second ", err=True, nl=False)

    def end(self) -> None:
        if self.drawn:
            click.echo("\r\x1b[K", err=True, nl=False)


def _shown(program: ir.Program) -> list[ir.Decision]:
    """The decisions that give outputs, in the order of the file."""
    by_name = {d.name: d for d in program.decisions}
    return [by_name[name] for name in program.declared if name in by_name and not by_name[name].internal]


def _template(reason: ir.ReasonDecl) -> str:
    """A reason's first text, with the names of what stands in it."""
    parts = reason.texts[0][1] if reason.texts else ()
    return "".join(part if isinstance(part, str) else f"{{{part.at.snippet if part.at else '…'}}}" for part in parts)


def _columns(decision: ir.Decision) -> list[tuple[str, str, str | None]]:
    """Column, decision and member of what a decision gives: one column, or one a member."""
    members = decision.members if isinstance(decision, ir.Decide) and decision.type.kind != dt.LIST else ()
    if not members:
        return [(decision.name, decision.name, None)]
    return [(f"{decision.name}.{member}", decision.name, member) for member, _ in members]


def _histories(
    program: ir.Program, given: Sequence[tuple[str, str]], table: Callable[[str], Table], reading: Reading
) -> dict[str, History]:
    """The event tables by history; raises DataProblem and usage errors."""
    declared = {h.name: h for h in program.histories if h.each is None}
    inputs = {i.name: i for i in program.inputs}
    found: dict[str, History] = {}
    for name, path in given:
        decl = declared.get(name)
        if decl is None:
            known = ", ".join(f"`{n}`" for n in declared) or "none"
            raise click.UsageError(f"the policy has no history `{name}`; it has {known}")
        if name in found:
            raise click.UsageError(f"history `{name}` is given twice")
        owner = inputs.get(decl.key) if decl.key is not None else None
        if owner is None:
            raise click.UsageError(f"history `{name}` has no key that says whose its rows are")
        with table(path) as rows:
            found[name] = read_history(name, Key(owner.name, owner.type, owner.column), decl.fields, rows, reading)
        for column, hint in found[name].hints.items():
            talk(f"note: {path}: `{column}` {visible(hint)}")
    return found


@contextlib.contextmanager
def _rejects(path: str | None) -> Iterator[Any]:
    """A CSV writer of refused rows, None without a path."""
    if path is None:
        yield None
        return
    with output(path) as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["line", "key", "problem"])
        yield rows
