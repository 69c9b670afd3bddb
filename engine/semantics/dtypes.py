"""Static types: a kind, its refinements and nullability.

A `Type` describes what an expression can give: the kind is FEEL's (plus `money`,
a number with the policy's currency, and `relation`, an event table), `values`
are an enumeration in declared order, `lower`/`upper` bound a number, `decimals`
says to which units sums round (money 2, number 6 unless stated), and `nullable`
says whether null can arise.
"""
from __future__ import annotations

from engine.records import Record

NUMBER = "number"
MONEY = "money"
STRING = "string"
BOOLEAN = "boolean"
DATE = "date"
TIME = "time"
DATE_TIME = "date and time"
DAYS_DURATION = "days and time duration"
MONTHS_DURATION = "years and months duration"
LIST = "list"
CONTEXT = "context"
RANGE = "range"
FUNCTION = "function"
RELATION = "relation"
NULL = "null"
ANY = "Any"

#: Kinds that have a total order under `<`.
ORDERED = frozenset({NUMBER, MONEY, DATE, TIME, DATE_TIME, DAYS_DURATION, MONTHS_DURATION, STRING})
NUMERIC = frozenset({NUMBER, MONEY})
_EXACT = frozenset({STRING, BOOLEAN, DATE, TIME, DATE_TIME, DAYS_DURATION, MONTHS_DURATION})
#: Names a policy file may write under `type:`.
DECLARABLE = (NUMBER, MONEY, STRING, BOOLEAN, DATE, TIME, DATE_TIME, DAYS_DURATION, MONTHS_DURATION)


class Type(Record):
    """The static type of an expression; see the module docstring."""

    kind: str
    nullable: bool = False
    values: tuple[str, ...] | None = None
    #: "best first" or "worst first" where `values` are ordered.
    order: str | None = None
    #: Element type of a list or range.
    item: Type | None = None
    #: Members of a context, or fields of a relation's rows.
    fields: tuple[tuple[str, Type], ...] | None = None
    #: A number known to be whole (compares exactly).
    whole: bool = False
    lower: float | None = None
    upper: float | None = None
    decimals: int | None = None
    #: Name of the relation an item or list was drawn from.
    relation: str | None = None

    def field(self, name: str) -> Type | None:
        for n, t in self.fields or ():
            if n == name:
                return t
        return None

    def optional(self, nullable: bool = True) -> Type:
        return self if self.nullable == nullable else self.replace(nullable=nullable)

    @property
    def rounding(self) -> int:
        """Decimals to which an aggregate rounds each item."""
        if self.decimals is not None:
            return self.decimals
        return 2 if self.kind == MONEY else 6

    def __str__(self) -> str:
        if self.values is not None:
            return "one of " + ", ".join(f'"{v}"' for v in self.values[:6]) + (", …" if len(self.values) > 6 else "")
        if self.kind in (LIST, RANGE) and self.item is not None:
            return f"{self.kind}<{self.item}>"
        if self.kind == CONTEXT and self.fields is not None:
            return "context<" + ", ".join(f"{n}: {t}" for n, t in self.fields) + ">"
        return self.kind


def number(**refine: object) -> Type:
    return Type(NUMBER, **refine)  # type: ignore[arg-type]


def plain(kind: str, nullable: bool = False) -> Type:
    return Type(kind, nullable)


def groups(kind: Type) -> bool:
    """Whether values of a kind compare exactly, so that rows can be grouped by them."""
    return kind.kind in _EXACT or (kind.kind in NUMERIC and kind.whole)


def group_of(key: Type, rows: Type) -> Type:
    """A group of a relation's rows: its `key`, and its `rows` as a relation."""
    return Type(CONTEXT, fields=(("key", key.replace(relation=None)), ("rows", rows.optional(False))))


def is_group(kind: Type) -> bool:
    """Whether a type is that of a group that is there: both its members are, too."""
    if kind.kind != CONTEXT or kind.nullable or kind.relation is not None or len(kind.fields or ()) != 2:
        return False
    rows = kind.field("rows")
    return rows is not None and rows.kind == RELATION and not rows.nullable and kind.field("key") is not None


def list_of(item: Type, nullable: bool = False) -> Type:
    return Type(LIST, nullable, item=item)
