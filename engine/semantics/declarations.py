"""Declared inputs and fields: what data a policy takes."""
from __future__ import annotations

from engine.diagnostics import Span
from engine.records import Record
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type


class InputDecl(Record):
    """`domain` is the declared `range`, None without one; `on_unknown` says what an undeclared
    enumeration value becomes: missing, refuse (this customer) or stop (the run). `previous`: an outcome of
    the last logged decision, which the engine brings; one that cannot be read is null, and refuses nobody.
    `model`: the decision whose scorer answers it, where data do not bring the answer themselves."""

    name: str
    type: Type
    column: str | None = None
    key: bool = False
    protected: bool = False
    personal: bool = False
    changeable: str | None = None
    monitor_only: bool = False
    on_unknown: str = "refuse"
    domain: Domain | None = None
    doc: str = ""
    at: Span | None = None
    previous: bool = False
    model: str = ""

    @property
    def required(self) -> bool:
        return not self.type.nullable

    @property
    def forgets_unknown(self) -> bool:
        """Whether an undeclared enumeration value counts as missing."""
        return self.on_unknown == "missing" and not self.required


class FieldDecl(Record):
    name: str
    type: Type
    known_from: str | None = None
    column: str | None = None
    domain: Domain | None = None
    doc: str = ""
