"""Histories handed to another policy: they bring its fields, and for each row they say which rows are its own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.check import rules
from engine.check.model import HistoryModel, HistoryUse, UseModel
from engine.check.scope import Report, Scope, closest
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl
from engine.semantics.dtypes import Type
from engine.source.nodes import Scalar, normal


class Joiner:
    """Checks the histories that one import hands over; `given` are the types of what it gives for inputs. `declared`
    are the histories here, and for those that imports derive the ones whose rows they are."""

    def __init__(
        self, use: UseModel, policy: str, scope: Scope, given: Mapping[str, Type], declared: Mapping[str, HistoryModel],
        report: Report,
    ) -> None:
        self.use = use
        self.policy = policy
        self.scope = scope
        self.given = given
        self.declared = declared
        self.report = report

    def join(self, spots: Mapping[str, Scalar]) -> tuple[HistoryUse, ...]:
        """The histories with the keys by which their rows belong to the row at hand; `spots`: where they are named."""
        inner = {h.name: h for h in self.use.policy.histories}
        found = []
        for history in self.use.histories:
            row = self._row(history.source)
            if row is not None:
                self._fields(inner[history.name], history.source, row, spots[history.name])
                if self.use.each is not None:
                    history = self._keyed(inner[history.name], history, row, spots[history.name])
                else:
                    self._seen(inner[history.name], history.source, spots[history.name])
            found.append(history)
        order = [*inner]
        return tuple(sorted(found, key=lambda h: (_depth(inner, h.name), order.index(h.name))))

    def _row(self, name: str) -> Type | None:
        binding = self.scope.find(name)
        return binding.type.item if binding is not None and binding.type.kind == dt.RELATION else None

    def _fields(self, history: HistoryModel, source: str, row: Type, spot: Scalar) -> None:
        """Every field that the other policy declares is there, of its type, and there where it must be."""
        names = [n for n, _ in row.fields or ()]
        for field in history.fields:
            kind = row.field(field.name)
            if kind is None:
                near = closest(field.name, names)
                hint = f"did you mean to call `{near}` so?" if near else f"declare it under the fields of `{source}`"
                self._misfit(f"`{self.policy}` reads the field `{field.name}`, which `{source}` has not", spot, hint)
            elif not self._fits(kind, field):
                self._misfit(
                    f"the field `{field.name}` of `{self.policy}` is {rules.describe(field.type)}, that of `{source}` "
                    f"is {rules.describe(kind)}", spot, "declare it alike in both policies",
                )
            elif kind.nullable and not field.type.nullable:
                self._misfit(
                    f"the field `{field.name}` of `{source}` can be missing, but `{self.policy}` requires it", spot,
                    "make it optional there, or required here",
                )

    def _seen(self, history: HistoryModel, source: str, spot: Scalar) -> None:
        """What the other policy says of when rows are seen and known, and of their order, is said here too: they pass
        one door, that of this policy."""
        outer = self.declared.get(source)
        if outer is None:
            return
        known = {f.name: f.known_from for f in outer.fields}
        said = [("visible from", "", history.visible_from, outer.visible_from)]
        said += [("known from", f".{f.name}", f.known_from, known.get(f.name)) for f in history.fields]
        said.append(("order by", "", ", ".join(history.order_by) or None, ", ".join(outer.order_by) or None))
        for word, what, wanted, here in said:
            if wanted is not None and wanted != here:
                self._misfit(
                    f"`{self.policy}` says `{word}: {wanted}` of `{history.name}{what}`, `{source}` says "
                    + (f"`{here}`" if here is not None else "nothing of it"), spot,
                    f"declare `{word}: {wanted}` in `{source}` too",
                )

    def _fits(self, kind: Type, field: FieldDecl) -> bool:
        # the rows of a policy for each row pass its door, which tests free text against declared values
        tested = self.use.each is not None and kind.kind == field.type.kind == dt.STRING and kind.values is None
        return kind.kind == dt.ANY or tested or rules.fits(kind, field.type)

    def _keyed(self, history: HistoryModel, use: HistoryUse, row: Type, spot: Scalar) -> HistoryUse:
        """How its rows belong to the row at hand: a field of theirs equals what is given for the key of the policy."""
        if history.of is not None:
            return use.replace(key=history.key, of=history.of)
        over = self.use.each
        input = next((i.name for i in self.use.policy.inputs if i.key), None)
        if input is None:
            self._misfit(
                f"`{self.policy}` has no input marked `key: true`, so no row of `{use.source}` belongs to a row of "
                f"`{over}`", spot, "mark the input that identifies its customers",
            )
            return use
        if input not in self.given:
            self._misfit(
                f"nothing is given for `{input}`, by which rows of `{use.source}` belong to a row of `{over}`", spot,
                f"add `{input}: ...` under `with`",
            )
            return use
        field = self._key_field(history.key or input, use.source, row)
        if field is None:
            self._misfit(
                f"`{use.source}` has no field `{history.key}` that says to which row of `{over}` each of its rows "
                f"belongs", spot, f"declare it under the fields of `{use.source}`",
            )
            return use
        name, kind = field
        given = self.given[input]
        if dt.ANY in (kind.kind, given.kind):
            return use
        if kind.kind != given.kind or not dt.groups(kind) or not dt.groups(given):
            self._misfit(
                f"the key `{name}` of `{use.source}` is {rules.describe(kind)}, the key `{input}` of `{self.policy}` "
                f"is given {rules.describe(given)}", spot,
                "keys are texts, dates or whole numbers (`decimals: 0`), and alike",
            )
        elif kind.nullable or given.nullable:
            where = f"the field `{name}` of `{use.source}`" if kind.nullable else f"what is given for `{input}`"
            self._misfit(
                f"{where} can be missing, so rows of `{use.source}` would belong to no row of `{over}`", spot,
                "make it required; rows without it are then bad data, and are told",
            )
        return use.replace(key=name, input=input)

    def _key_field(self, key: str, source: str, row: Type) -> tuple[str, Type] | None:
        """The field that the key names: by its own name, its name with underscores, or its data column."""
        columns = {f.name: f.column for f in self.declared[source].fields} if source in self.declared else {}
        for name, kind in row.fields or ():
            if key in (name, name.replace(" ", "_"), columns.get(name)):
                return name, kind
        return None

    def _misfit(self, message: str, spot: Scalar, help: str) -> None:
        self.report.at("E0713", message, spot.span, help)


def _depth(histories: Mapping[str, HistoryModel], name: str) -> int:
    """How many histories stand between one and the customer."""
    depth = 0
    above = histories.get(histories[name].of or "")
    while above is not None and depth < len(histories):
        depth, above = depth + 1, histories.get(above.of or "")
    return depth


def belongs(name: str, of: Scalar, key: str | None, histories: Sequence[HistoryModel], report: Report) -> None:
    """`of`: the rows of one history belong to those of another by a field that both have."""
    rows = {h.name: h for h in histories}
    wanted = normal(of.text)
    other = rows.get(wanted)
    own = rows[name]
    if other is None or other is own:
        near = closest(wanted, [n for n in rows if n != name])
        what = f"`{name}` cannot belong to itself" if other is own else f"there is no history `{wanted}`"
        report.at(
            "E0203", what, of.span, f"did you mean `{near}`?" if near else "name another history of this policy"
        )
        return
    for history in (own, other):
        if key is None or history.row.field(key) is None:
            report.at(
                "E0713", f"`{history.name}` has no field `{key or 'key'}` by which rows of `{name}` belong to those of "
                f"`{other.name}`", of.span, f"declare it under the fields of `{history.name}`",
            )
            return
    one, two = own.row.field(key or ""), other.row.field(key or "")
    assert one is not None and two is not None
    if one.kind != two.kind or one.nullable or two.nullable or not dt.groups(one):
        report.at(
            "E0713", f"the field `{key}` must be of one exact type, and required, in `{name}` and `{other.name}`",
            of.span,
            "keys are texts, dates or whole numbers (`decimals: 0`)",
        )
    step: HistoryModel | None = other
    seen = {name}
    while step is not None and step.of is not None:
        if step.name in seen:
            report.at(
                "E0208", f"the histories `{name}` and `{other.name}` belong to each other", of.span,
                "leave `of` out of the one whose key is the customer's",
            )
            return
        seen.add(step.name)
        step = rows.get(step.of)
