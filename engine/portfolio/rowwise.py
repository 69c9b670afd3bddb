"""Deciding a portfolio row by row: every row comes out once, decided, open or refused, with its line."""
from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from engine.decision import declared_names
from engine.ir import nodes as ir
from engine.ir.models import SOURCES_FAILED
from engine.ir.portfolio import LEAF
from engine.portfolio.actions import Actions, actions_of, pledge_of, remaining
from engine.portfolio.aggregates import Asked, Kept, asked_for, decided_with
from engine.portfolio.aggregates import write as write_values
from engine.portfolio.binding import Columns, Reading
from engine.portfolio.histories import History, Key, read_history
from engine.portfolio.layout import Layout
from engine.portfolio.previous import Decisions, later_text, lost_text, opened, wanted
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import FAILURES, KEEP, STOP, Listener, Policy, Request, Summary
from engine.portfolio.scored import MOST_TOLD, Told, asked_of, failures_of, require_answers
from engine.portfolio.shared import (
    NULL_KEY,
    REPEATED,
    UNREADABLE_ROW,
    absent_text,
    declared_histories,
    faults_text,
    form_of,
    key_faults,
    link_of,
    orphans_text,
    programs_of,
    rejects,
    require_columns,
    summarised,
    tell_keys,
    too_many,
    trace_text,
    untold_text,
    where_of,
)
from engine.portfolio.tables import BadRow, Table, count, open_table
from engine.portfolio.tally import Tally
from engine.portfolio.writing import Writer, cell, output, writer
from engine.render import visible


def run(policy: Policy, request: Request, listener: Listener) -> Summary:
    """Decide the portfolio; raises DataProblem, and Usage before anything is read."""
    begun = time.monotonic()
    asked = asked_for(policy, request)
    if asked is not None:
        policy = policy.with_leaves()
    programs = programs_of(policy, request)
    reading = Reading(request.missing, request.date_format)
    options = request.options

    earlier = wanted(programs, request, listener)

    def table(path: str) -> Table:
        return open_table(path, format=options.format, encoding=options.encoding, delimiter=options.delimiter)

    events = _histories(programs[-1], request, table, reading, listener)
    logged = None if earlier is None else opened(earlier, open_table, programs, request.as_of)
    layout = Layout(programs, request.only, request.extras)
    with (
        _customers(request, table) as rows,
        actions_of(policy, layout, request) as actions,
        output(request.out, pledge_of(actions, request)) as stream,
        rejects(request.rejects) as refused,
    ):
        decider = _RowByRow(
            policy, programs, rows, events, logged, reading, request, listener, refused, layout, actions, asked
        )
        decider.decide(writer(stream, form_of(request), layout.columns))
        decider.end()
    return decider.summary(time.monotonic() - begun)


def _customers(request: Request, table: Callable[[str], Table]) -> Table:
    """The customers of the file or, where there is none, of the deployment."""
    if request.data or request.supply is None:
        return table(request.data)
    listed: Table = import_module("engine.portfolio.deployed").Listed(request.supply, request)
    return listed


class _RowByRow:
    def __init__(
        self, policy: Policy, programs: Sequence[ir.Program], table: Table, histories: Mapping[str, History],
        logged: Decisions | None, reading: Reading, request: Request, listener: Listener, rejects: Any,
        layout: Layout, actions: Actions | None, asked: Asked | None,
    ) -> None:
        self.policy = policy
        self.request = request
        self.kept = None if asked is None else Kept(asked)
        self.portfolio: Mapping[str, Any] = {}
        self.only = (list(request.only) or None) if asked is None else decided_with(programs[-1], asked)
        self.table = table
        self.histories = histories
        self.rejects = rejects
        self.listener = listener
        self.layout = layout
        self.actions = actions
        inputs = self.layout.inputs
        self.kinds = {decl.name: decl.type for decl in inputs.values()}
        self.logged = logged
        self.bound = Columns(
            table, tuple(d for d in inputs.values() if logged is None or not d.previous), reading
        )
        self.fetcher: Any = None
        if request.supply is not None:                  # most runs need none of what it imports
            deployed: Any = import_module("engine.portfolio.deployed")
            self.fetcher = deployed.Fetcher(request.supply, request, table)
            self.failures_of = deployed.failures_of
        self.owner = {name: owner.name for name, (_, owner, _) in declared_histories(programs[-1], request).items()}
        needed = set.intersection(*(set(policy.cone(program, self.only).inputs) for program in programs))
        brought = () if request.supply is None else request.supply.deployment.inputs
        self.absent = [name for name in self.bound.absent if name not in brought]
        require_columns(self.absent, needed, inputs, table.columns, self.bound.columns, table.path)
        self.where = where_of(programs, request)
        require_answers(
            programs, asked_of(policy, programs, self.only), policy.scorers,
            [name for name in self.kinds if name not in self.bound.absent],
        )
        self.told: dict[str, Told] = {}
        self.failing: Counter[str] = Counter()
        self.untold = 0
        self.seen: set[tuple[Any, ...]] = set()
        self.repeated = 0
        self.keyless = 0
        self.tally = Tally(self.layout.enumerations)

    def decide(self, out: Writer) -> None:
        """Decide every row; raises DataProblem where reading fails, or a row that must end the run."""
        left = self.request.limit
        for done, row in enumerate(self.table):
            if left is not None and self.tally.rows >= left:
                break
            if done % 256 == 0:
                self.listener.progress(done, None, "rows")
            values = self.bound.values(row.cells)
            self.fetched = None
            if self.fetcher is not None and not isinstance(row, BadRow):
                self.fetched = self.fetcher.of(values)
                brought = (*self.fetched.origins, SOURCES_FAILED)
                values.update({name: v for name, v in self.fetched.inputs.items() if name in brought})
            if self.logged is not None and not isinstance(row, BadRow):
                values.update(self.logged.of(values))
            if self.where is not None and not self._taken(row, values):
                continue
            self._row(out, row, values)

    def _taken(self, row: Any, values: Mapping[str, Any]) -> bool:
        assert self.where is not None
        holds = None if isinstance(row, BadRow) else self.where.holds(values, self.request.as_of)
        if holds is None:
            self.untold += 1
        if not holds and not isinstance(row, BadRow) and not key_faults(values, self.layout.keys, self.kinds)[1]:
            self._claim(values)
        return bool(holds)

    def _claim(self, values: Mapping[str, Any]) -> None:
        """A customer's events have one, whether or not it is decided."""
        for name, history in self.histories.items():
            history.of(values.get(self.owner[name]))

    def _row(self, out: Writer, row: Any, values: dict[str, Any]) -> None:
        layout = self.layout
        if isinstance(row, BadRow):                     # what is no text cannot be written either
            values = {name: _writable(values.get(name)) for name in layout.keys}
        key = ", ".join(cell(values[k]) for k in layout.keys if values.get(k) is not None)
        base = {layout.own["line"]: row.line, **{k: values.get(k) for k in layout.keys}}
        if isinstance(row, BadRow):
            return self._refuse(out, base, key, row.message, row.help, [UNREADABLE_ROW])
        message, names = key_faults(values, layout.keys, self.kinds)
        if names:
            hints = dict.fromkeys(h for n in names if (h := self.bound.hint(n, values.get(n))))
            shown = "" if any(isinstance(values.get(n), (list, dict)) for n in names) else key
            return self._refuse(out, base, shown, message, "; ".join(hints) or None, names)
        self._claim(values)
        if self.fetched is not None:
            self.fetcher.count(self.fetched)
        if layout.keys and (flaw := self._flaw(values)) is not None:
            message, choice = flaw
            if choice != KEEP:
                return self._refuse(out, base, key, message, None, ["key"], choice == STOP)
        broken = self._broken(values)
        if broken is not None:
            return self._refuse(out, base, key, f"history `{broken[0]}`: {broken[1]}", None, [broken[0]])
        decision = self.policy.decide(
            values, as_of=self.request.as_of, history=self._history(values), only=self.only
        )
        if self.fetched is not None:
            decision.supplied(self.fetched.origins)
        self.failing.update(decision.failures)
        for scored in decision.models.values():
            if scored.state in ("answered", "failed"):
                failures = {} if scored.failure is None else {scored.failure: 1}
                self.told.setdefault(scored.model, Told(scored.kind, scored.version)).add(1, failures)
        if not decision.refused:
            return self._decided(out, base, decision, values)
        stops = any(fault.stops for fault in decision.faults)
        hints = dict.fromkeys(h for n in decision.refused if (h := self.bound.hint(n, values.get(n))))
        text = faults_text(decision.faults, lambda name, number: self._line(name, number, values))
        if behind := self._failures(decision):
            text = f"{text} ({'; '.join(behind)})"
        self._refuse(out, base, key, text, "; ".join(hints) or None, decision.refused, stops)

    def _failures(self, decision: Any) -> list[str]:
        """Which sources and models failed for a customer, and why."""
        sources = [] if self.fetched is None else self.failures_of(self.fetched)
        return sorted({*sources, *failures_of(decision)})

    def _flaw(self, values: Mapping[str, Any]) -> tuple[str, str] | None:
        """What is wrong with a row's key, and what is to be done about it."""
        found = tuple(None if values.get(k) is None else cell(values[k]) for k in self.layout.keys)
        if None in found:
            self.keyless += 1
            return NULL_KEY, self.request.on_null_key
        if found in self.seen:
            self.repeated += 1
            return REPEATED, self.request.on_repeated_key
        self.seen.add(found)
        return None

    def _line(self, name: str, number: int, values: Mapping[str, Any]) -> str | None:
        history = self.histories.get(name)
        if history is None:
            return None
        return f"line {history.line(values.get(self.owner[name]), number)} of {history.source}"

    def _decided(self, out: Writer, base: dict[str, Any], decision: Any, given: Mapping[str, Any]) -> None:
        layout, own = self.layout, self.layout.own
        values = self._given_out(base, decision.values)
        for column in layout.outputs:
            value = values.get(column.decision)
            base[column.column] = value if column.member is None else (value or {}).get(column.member)
        # an open feature counts as far as it leaves a decision open; one that the policy handles does not
        opened = {name: of for name, of in decision.open.items() if name in decision.values}
        missing: Sequence[str] = ()
        if opened:
            found = {name for of in opened.values() for name in of.missing}
            missing = [name for name in declared_names(decision.program) if name in found]
        base[own["status"]] = "open" if opened else "decided"
        extras = {"reasons": decision.reasons, "open": list(opened), "missing": missing}
        if "fired" in own:
            extras["fired"] = [
                f"{name}/{rule}" for name, rules in decision.fired.items() if not name.startswith(LEAF)
                for rule in rules
            ]
        if "trace" in own:
            extras["trace"] = trace_text(decision if self.kept is None else self._without_leaves(given))
        if FAILURES in own:
            extras[FAILURES] = self._failures(decision)
        for name in layout.extras:
            found = extras[name]
            base[own[name]] = found if isinstance(found, str) else list(found)
        out.write(base)
        self.tally.decided(values, decision.reasons, missing, bool(opened))
        if self.kept is not None:
            self.kept.add(decision.values, bool(opened))

    def _without_leaves(self, values: Mapping[str, Any]) -> Any:
        """The decision without what the portfolio values read, for its account."""
        found = self.policy.decide(values, as_of=self.request.as_of, history=self._history(values))
        if self.fetched is not None:
            found.supplied(self.fetched.origins)
        return found

    def _given_out(self, base: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outcomes without the actions that the ledger leaves out."""
        if self.actions is None:
            return values
        left = self.actions.take([base[name] for name in self.layout.keys], values)
        return {**values, **{name: remaining(values[name], places) for name, places in left.items()}}

    def _refuse(
        self, out: Writer, base: dict[str, Any], key: str, message: str, help: str | None,
        names: Sequence[str], stops: bool = False,
    ) -> None:
        own = self.layout.own
        line = base[own["line"]]
        if self.request.strict or stops:
            place = f"`{key}`: " if key else ""
            raise DataProblem(place + visible(message), self.table.path, line, help)
        base[own["status"]] = "refused"
        base[own["problem"]] = message
        out.write(base)
        self.tally.bad(names)
        if self.kept is not None:
            self.kept.refused += 1
        if self.rejects is not None:
            self.rejects.writerow([line, key, message])
        self.listener.refused(f"{self.table.name}:{line}", key, message, help)

    def _history(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        if self.fetched is None and not self.histories:
            return None
        fetched = {} if self.fetched is None else self.fetched.history
        return fetched | {name: history.of(values.get(self.owner[name])) for name, history in self.histories.items()}

    def _broken(self, values: Mapping[str, Any]) -> tuple[str, str] | None:
        for name, history in self.histories.items():
            if history.broken and (found := history.broken.get(values.get(self.owner[name]))) is not None:
                return name, found
        return None

    def end(self) -> None:
        """Judge the whole; raises DataProblem where there may be no result."""
        too_many(self.tally, self.request, self.table.path)
        self.orphans = {} if self.request.limit is not None else {
            name: lost for name, history in self.histories.items() if (lost := history.unclaimed())
        }
        if self.orphans and self.request.on_orphan == STOP:
            name, lost = next(iter(self.orphans.items()))
            raise DataProblem(orphans_text(name, lost, self.table.name), self.histories[name].source)
        if self.kept is not None:
            self.portfolio = self.kept.values(self.request.as_of)
            if self.request.portfolio is not None:
                write_values(self.request.portfolio, self.kept.asked, self.portfolio)

    def summary(self, seconds: float) -> Summary:
        tell_keys(self.listener, self.repeated, self.keyless, self.request)
        if self.actions is not None:
            self.actions.tell(self.listener)
        if self.untold:
            self.listener.note(untold_text(self.untold))
        for name in self.absent:
            if not self.layout.inputs[name].model:
                self.listener.note(absent_text(name))
        for model, told in self.told.items():
            for line in told.lines(model):
                self.listener.note(line)
        for failure, rows in self.failing.most_common(MOST_TOLD):
            self.listener.note(f"{failure}, for {count(rows, 'row')}")
        for name, history in self.histories.items():
            if history.skipped:
                self.listener.note(f"{count(history.skipped, 'row')} of history `{name}` without a key")
        for name, lost in self.orphans.items():
            self.listener.note(orphans_text(name, lost, self.table.name))
        if self.logged is not None:
            self._tell_logged(self.logged)
        found = summarised(
            "python", self.tally, self.request, self.repeated, self.keyless, self.orphans, seconds
        ).replace(portfolio=self.portfolio)
        if self.fetcher is None:
            return found
        self.fetcher.tell(self.listener)
        return found.replace(sources={name: dict(counter) for name, counter in self.fetcher.counts.items()})

    def _tell_logged(self, logged: Decisions) -> None:
        for note in logged.notes:
            self.listener.note(note)
        if logged.later:
            self.listener.note(later_text(logged.later, logged.shown, self.request.as_of))
        if self.request.limit is None and (lost := logged.unclaimed()):
            self.listener.note(lost_text(lost, logged.shown, self.table.name))


def _histories(
    program: ir.Program, request: Request, table: Callable[[str], Table], reading: Reading, listener: Listener
) -> dict[str, History]:
    """The event tables by history; raises DataProblem and Usage."""
    found: dict[str, History] = {}
    for name, (decl, owner, path) in declared_histories(program, request).items():
        if not path:                                    # fetched with each customer's other data
            continue
        link = owner if decl.of is None else link_of(decl)
        with table(path) as rows:
            found[name] = read_history(
                name, Key(link.name, link.type, link.column), decl.fields, rows, reading,
                skip_keyless=request.on_keyless_event != STOP,
            )
        if decl.of is not None:
            found[name] = found[name].owned(found[decl.of], link.name)
        for column, hint in found[name].hints.items():
            listener.note(f"note: {path}: `{column}` {visible(hint)}")
    return found


def _writable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value

