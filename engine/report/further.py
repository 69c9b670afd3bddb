"""Sections that plugins bring: asked within a time limit, and never the end of a report."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.calling import Caller, CallFailed, Secrets
from engine.check.scope import closest
from engine.deploy.document import Entry
from engine.deploy.settings import Reader
from engine.diagnostics import Diagnostic
from engine.hookspecs import PluginFailure, ReportChart, ReportNote, ReportSection, ReportTable, Settings
from engine.report.blocks import COUNT, DECIMAL, MONEY, NUMBER, SHARE, TEXT, Block, Chart, Note, Section, table
from engine.report.context import Context
from engine.report.spec import Spec, SpecError

#: Seconds that a section may take.
LIMIT = 120.0
_KINDS = (TEXT, COUNT, SHARE, MONEY, NUMBER, DECIMAL)


class Asked:
    """The further sections of a description, their settings read; raises SpecError."""

    def __init__(self, spec: Spec, kinds: Mapping[str, ReportSection]) -> None:
        self._secrets = Secrets()
        self._ready: list[tuple[ReportSection, Settings]] = []
        found: list[Diagnostic] = []
        reader = Reader(spec.path.parent.resolve(), self._secrets, found)
        for name, at, node in spec.sections:
            kind = kinds.get(name)
            if kind is None:
                near = closest(name, kinds)
                listed = ", ".join(f"`{known}`" for known in kinds) or "none"
                way = f"did you mean `{near}`?" if near else f"the sections are {listed}; see `tierwise plugins`"
                found.append(Diagnostic("E0983", f"no section of a report is called `{name}`", at, way))
                continue
            self._ready.append((kind, reader.settings(Entry(name, name, at, at, node), kind.settings)))
        if found:
            raise SpecError(found, {at.file: spec.text for _, at, _ in spec.sections})

    def sections(self, context: Context) -> Iterable[Section]:
        """Each section, or where it failed what is told of that."""
        if not self._ready:
            return
        rows = context.frame.session.connection.sql(f"SELECT * FROM {context.main.name}").to_arrow_table()
        for kind, settings in self._ready:
            yield Section(kind.name.replace(" ", "-"), kind.title, tuple(self._blocks(context, kind, settings, rows)))

    def _blocks(self, context: Context, kind: ReportSection, settings: Settings, rows: Any) -> Sequence[Block]:
        caller = Caller(self._secrets)
        try:
            return caller.call(lambda: [_block(b) for b in kind.make(rows, settings, context.language)], LIMIT)
        except CallFailed as failure:
            return [Note(context.say(f"This section could not be made: {failure.text}.",
                                     f"本节未能生成：{failure.text}。"), True)]
        finally:
            caller.close()


def _block(given: Any) -> Block:
    """What a plugin gave as a block of the report; raises PluginFailure where it is none."""
    if isinstance(given, ReportNote):
        return Note(str(given.text), bool(given.alarm))
    if isinstance(given, ReportChart):
        _known(given.kind)
        return Chart(given.title, "bars", ("name", "value"), tuple((str(n), float(v)) for n, v in given.rows),
                     given.kind, given.says)
    if isinstance(given, ReportTable):
        for _, kind in given.columns:
            _known(kind)
        if any(len(row) != len(given.columns) for row in given.rows):
            raise PluginFailure(f"a row of `{given.title}` has not one value for each column")
        return table(given.title, list(given.columns), list(given.rows), given.note)
    raise PluginFailure("it gives what is no table, chart or note")


def _known(kind: str) -> None:
    if kind not in _KINDS:
        raise PluginFailure(f"`{kind}` is no way to show a value; there are {', '.join(_KINDS)}")
