"""Declared inputs, histories and vocabularies: their types, and what is wrong with them."""
from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Sequence

from engine.check.constants import domain_of
from engine.check.joins import belongs
from engine.check.model import HistoryModel
from engine.check.parsing import ExpressionParser
from engine.check.plain import NotReadable, number
from engine.check.rules import LIMIT
from engine.check.scope import Report, closest, instead, whole
from engine.diagnostics import Label
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.source.declare import HistorySpec, InputSpec, flag, scalar, strings, text
from engine.source.nodes import Mapping, Node, Scalar, normal

KEYWORDS = frozenset(
    "and or if then else for return in some every satisfies between function".split()
)
#: Characters of a name.
MAX_NAME = 200
#: Joiners, which Persian and Indic words need.
JOINERS = str.maketrans("", "", "\u200c\u200d")
RESERVED = frozenset({"as of", "item", "today", "now", "partial", "previous", "row", "group by"})

Vocabularies = dict[str, tuple[str, ...]]


class Declarations:
    """Reads the typed declarations of one policy file."""

    def __init__(self, report: Report, vocabularies: Vocabularies, currency: str | None) -> None:
        self.report = report
        self.vocabularies = vocabularies
        self.currency = currency

    def input(self, spec: InputSpec, parser: ExpressionParser) -> InputDecl:
        body = spec.body
        kind = self.type_of(body, optional=flag(body, "optional"))
        return InputDecl(
            spec.name,
            self.widened(kind),
            text(body, "column") or None,
            key=flag(body, "key"),
            protected=flag(body, "protected"),
            personal=flag(body, "personal"),
            changeable=text(body, "changeable") or None,
            monitor_only=text(body, "use") == "monitor only",
            on_unknown=text(body, "on unknown value") or "refuse",
            domain=self.domain(body, kind, parser),
            doc=text(body, "description"),
            at=spec.key.span,
        )

    def widened(self, kind: Type) -> Type:
        """Bounds of a number as the door enforces them."""
        if kind.kind in dt.NUMERIC:
            return kind.replace(lower=-LIMIT, upper=LIMIT)
        return kind

    def bounded(self, decl: InputDecl) -> InputDecl:
        """A number's declared range as the bounds of its type."""
        if decl.domain is None or decl.type.kind not in dt.NUMERIC or not decl.domain.intervals:
            return decl
        low, high = decl.domain.intervals[0].lower, decl.domain.intervals[-1].upper
        # Membership is tolerant, so a value may lie a tolerance beyond the end.
        lower = -LIMIT if low is None else low - _slack(low)
        upper = LIMIT if high is None else high + _slack(high)
        return decl.replace(type=decl.type.replace(lower=lower, upper=upper))

    def history(self, spec: HistorySpec, parser: ExpressionParser) -> HistoryModel:
        fields = []
        for field in spec.fields:
            kind = self.widened(self.type_of(field.body, optional=flag(field.body, "optional")))
            known = scalar(field.body, "known from")
            if known is not None and not kind.nullable:
                self.report.at(
                    "E0506",
                    f"`{field.name}` reads null until it is known, so it must be optional",
                    field.key.span,
                    "add `optional: true`",
                )
                kind = kind.optional()
            fields.append(
                FieldDecl(
                    field.name,
                    kind,
                    normal(known.text) if known is not None else None,
                    text(field.body, "column") or None,
                    self.domain(field.body, kind, parser),
                    text(field.body, "description"),
                )
            )
        names = [f.name for f in fields]
        order = strings(spec.body.get("order by"))
        for reference in (scalar(spec.body, "visible from"), *order, *self._known(spec)):
            if reference is not None and normal(reference.text) not in names:
                near = closest(reference.text, names)
                self.report.at(
                    "E0205",
                    f"`{reference.text}` is not a field of `{spec.name}`",
                    reference.span,
                    f"did you mean `{near}`?" if near else f"its fields are {', '.join(f'`{n}`' for n in names)}",
                    edits=instead(reference.span, near),
                )
        for reference in (scalar(spec.body, "visible from"), *self._known(spec)):
            kind_of = next((f.type for f in fields if reference is not None and f.name == normal(reference.text)), None)
            if reference is not None and kind_of is not None and kind_of.kind not in (dt.DATE, dt.DATE_TIME):
                self.report.at("E0308", f"`{reference.text}` must be a date", reference.span, "name a date field")
        members = tuple((f.name, f.type.replace(relation=spec.name)) for f in fields)
        row = Type(dt.CONTEXT, fields=members, relation=spec.name)
        return HistoryModel(
            spec.name,
            normal(text(spec.body, "key")) or None,
            normal(text(spec.body, "visible from")) or None,
            tuple(normal(s.text) for s in order if normal(s.text) in names),
            tuple(fields),
            row,
            text(spec.body, "description"),
            spec.key.span,
            normal(text(spec.body, "of")) or None,
        )

    def belonging(self, specs: Sequence[HistorySpec], histories: Sequence[HistoryModel]) -> None:
        """Histories whose rows belong to those of another."""
        for spec, history in zip(specs, histories, strict=True):
            of = scalar(spec.body, "of")
            if of is not None:
                belongs(history.name, of, history.key, histories, self.report)

    def _known(self, spec: HistorySpec) -> list[Scalar | None]:
        return [scalar(f.body, "known from") for f in spec.fields]

    def type_of(self, body: Mapping, optional: bool = False) -> Type:
        """The type that `type`, `values`, `order` and `decimals` of a mapping declare; text where none is."""
        values = self.values(body.get("values"))
        named = scalar(body, "type")
        kind = named.text if named is not None else dt.STRING
        if kind not in dt.DECLARABLE:
            return Type(dt.ANY, optional)  # of such words the schema says that they are none
        if kind == dt.MONEY and self.currency is None:
            assert named is not None
            self.report.at(
                "E0314", "money needs the policy's currency", named.span, "add `currency: CNY` at the top of the file"
            )
        if values is not None and kind != dt.STRING:
            node = body.get("values")
            assert node is not None
            self.report.at("E0310", f"`values` are texts, but the type is {kind}", node.span, "use `range` instead")
            values = None
        order = text(body, "order") or None
        stated = scalar(body, "decimals")
        decimals = int(stated.text) if stated is not None and stated.text.isdigit() else None
        whole = kind == dt.NUMBER and decimals == 0
        return Type(kind, optional, values=values, order=order, whole=whole, decimals=decimals)

    def values(self, node: Node | None) -> tuple[str, ...] | None:
        """An enumeration: a list of texts, or the name of a vocabulary."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            name = normal(node.text)
            found = self.vocabularies.get(name)
            if found is None:
                near = closest(name, self.vocabularies)
                self.report.at(
                    "E0203",
                    f"unknown vocabulary `{name}`",
                    node.span,
                    f"did you mean `{near}`?" if near else "list the values, or declare the name under `vocabularies`",
                    edits=instead(node.span, near),
                )
            return found or None  # an unreadable vocabulary was reported where it stands
        listed = strings(node)
        seen: dict[str, Scalar] = {}
        for item in listed:
            if item.text in seen:
                self.report.at(
                    "E0201",
                    f"the value `{item.text}` is listed twice",
                    item.span,
                    "delete one of the two",
                    (Label(seen[item.text].span, "first listed here"),),
                )
            seen[item.text] = item
        return tuple(seen)

    def domain(self, body: Mapping, kind: Type, parser: ExpressionParser) -> Domain | None:
        """A declared `range` as a set of values."""
        node = scalar(body, "range")
        if node is None:
            return None
        place = whole(node)
        tests = parser.tests(place)
        if tests is None:
            return None
        found = domain_of(tests, kind)
        if found is None:
            self.report.at(
                "E0312",
                "a `range` is made of constants, such as `>= 0` or `[0..100]`",
                node.span,
                "write bounds of the declared type",
            )
        elif found.is_empty:
            self.report.at("E0313", "no value lies in this range", node.span, "swap or widen its ends")
        return found


def _slack(end: float) -> float:
    return 1e-3 + 1e-11 * abs(end)


def date_of(node: Scalar | None) -> datetime.date | None:
    """A date of the file, None where there is none (the schema reports a wrong one)."""
    if node is None:
        return None
    try:
        return datetime.date.fromisoformat(node.text)
    except ValueError:
        return None


def rank_of(node: Scalar | None) -> float:
    if node is None:
        return float("inf")
    try:
        return float(number(node.text))
    except NotReadable:
        return float("inf")


def name_findings(names: Iterable[tuple[str, Scalar]], report: Report) -> None:
    """Names that the language cannot tell apart: keywords first, arithmetic of others, reserved words."""
    declared = list(names)
    known = {name for name, _ in declared}
    for name, key in declared:
        first = name.split(" ", 1)[0]
        if first in KEYWORDS:
            report.at(
                "E0204", f"the name `{name}` starts with the word `{first}` of the language", key.span, "rename it"
            )
        if not name.translate(JOINERS).isprintable():
            hidden = next(c for c in name.translate(JOINERS) if not c.isprintable())
            help = "delete it; it cannot be seen, and names that look alike would differ"
            report.at("E0204", f"the name `{name}` holds the hidden character U+{ord(hidden):04X}", key.span, help)
        if len(name) > MAX_NAME:
            report.at("E0204", f"a name has {len(name):,} characters, where {MAX_NAME} are allowed", key.span,
                      "shorten it; what it stands for goes into a comment")
        if name[:1].isdecimal():
            help = "start it with a letter; `column` binds an input to a column of another name"
            report.at("E0204", f"the name `{name}` starts with a digit", key.span, help)
        if name in RESERVED:
            report.at("E0209", f"`{name}` is a word of the language", key.span, "rename it")
        parts = arithmetic_reading(name, known)
        if parts is not None:
            listed = " and ".join(f"`{p}`" for p in parts)
            report.at(
                "E0202",
                f"the name `{name}` also reads as arithmetic of {listed}",
                key.span,
                "rename it, for instance with a space or underscore for the sign",
            )


def arithmetic_reading(name: str, known: set[str]) -> list[str] | None:
    """The other names that a name with a sign in it could be arithmetic of."""
    for sign in "+-*/":
        if sign in name:
            parts = [unicodedata.normalize("NFC", p.strip()) for p in name.split(sign)]
            if len(parts) > 1 and all(p in known for p in parts):
                return parts
    return None
