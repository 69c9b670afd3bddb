"""Random policies: a tree that a shrinker can cut, and its YAML.

A `Bundle` is the files of one policy: `policy.yaml`, perhaps a policy that it uses, perhaps the
table of a lookup. Policies are plain dicts of strings, `Expr` and lists, so that a part can be
deleted and what remains written out again; whether the rest still means something is for the
checker to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from tests.differential.expressions import (
    DATES,
    ENUMS,
    NUMBERS,
    PLAIN_ENUMS,
    SCALARS,
    TEXTS,
    Expr,
    Forms,
    Maker,
    Name,
    Relation,
    as_float,
    due,
    quote,
    searched,
)

Spec = dict[str, Any]
Bundle = dict[str, Any]

TYPES = {
    "bool": "boolean",
    "text": "string",
    "moment": "date and time",
    "days": "days and time duration",
    "months": "years and months duration",
}
INPUT_NAMES = (
    "annual revenue",
    "年营业收入",
    "dscr",
    "years trading",
    "n1",
    "n2",
    "overdue days",
    "Größe",
    "owner name",
    "flag",
    "is new",
    "opened",
    "due date",
    "stage",
    "region",
    "grade",
    "t1",
    "m1",
    "cash flow",
    "span",
    "months left",
    "branch",
)
#: Dates that are the same for all customers.
DATED = (
    'as of - duration("P1Y")',
    'date("2023-12-31")',
    'if as of > date("2024-02-28") then as of - duration("P30D") else as of',
)
UNDATED = ('as of - duration("P4000Y")',)
FEATURES = ("features", "segmentation", "risk", "service")
#: Rules of a wide decision: beyond one lane of a mask, and beyond two. One policy in so many has one.
MANY_RULES = (65, 130)
WIDE_EVERY = 40
#: Values of a kind that a policy has at most for forms whose turn it is and that its decisions did not use.
TURNS = 2
CODES = ("R1", "R2", "R3", "R4", "R5", "R6")
VALUE_KINDS = (
    *("number", "number", "number", "money", "text", "bool", "bool", "date", "days", "months", "moment", "time"),
    *("list:number", "list:text", "enum", "enum"),
)
TABLE_HITS = (
    "unique",
    "first",
    "any",
    "priority",
    "output order",
    "rule order",
    "collect",
    "collect sum",
    "collect min",
    "collect max",
    "collect count",
    "worst",
)


def generate(seed: int, sound: bool = False, forms: Forms | None = None) -> Bundle:
    """The policy of a seed. A `sound` one handles no null, so that the promise of open decisions can be tested.
    `forms` are the expressions that it may hold, by default all that there are; of few policies some decision has
    very many rules."""
    generator = _Generator(Random(seed), sound, forms=forms)
    generator.pending = due(seed, sound, forms=forms)
    generator.many_rules = MANY_RULES[seed // WIDE_EVERY % 2] if seed % WIDE_EVERY == WIDE_EVERY - 1 else 0
    return generator.bundle()


class _Generator:
    def __init__(self, random: Random, sound: bool, prefix: str = "", forms: Forms | None = None) -> None:
        self.random = random
        self.forms = forms
        self.many_rules = 0
        self.sound = sound
        self.prefix = prefix
        self.names: list[Name] = []
        self.relations: list[Relation] = []
        self.files: Bundle = {}
        self.decided: list[str] = []
        self.pending: dict[str, list[str]] = {}

    # --- the whole ------------------------------------------------------------------

    def bundle(self) -> Bundle:
        random = self.random
        inputs = self.inputs(random.randint(5, 9))
        spec: Spec = {
            "name": "random",
            "currency": "CNY",
            "on missing": self.policy_action(),
            "parameters": {},
            "use": {},
            "reasons": self.reasons(),
            "inputs": inputs,
            "history": {},
            "decisions": [],
        }
        if random.random() < 0.75:
            for name in random.sample(("repayments", "invoices"), random.randint(1, 2)):
                spec["history"][name] = self.history(name)
        for name in random.sample(("base rate", "cap", "floor rate"), random.randint(0, 2)):
            spec["parameters"][name] = self.parameter(name)
        if random.random() < 0.4:
            self.use(spec)
        if random.random() < 0.4:
            spec["decisions"].append(self.of_the_date())
        self.files["policy.yaml"] = spec
        for index in range(random.randint(2, 7)):
            spec["decisions"].append(self.decision(f"{self.prefix}d{index}"))
        if self.many_rules:
            spec["decisions"].append(self.wide("wide", spec))
        for kind in [k for k in self.pending for _ in range(TURNS)]:
            if self.pending[kind] and random.random() < 0.9:
                spec["decisions"].append(self.waiting(f"t{len(spec['decisions'])}", kind))
        return self.files

    def policy_action(self) -> str:
        return "refer" if self.sound else self.random.choice(("refer", "refer", "refer", "skip"))

    def reasons(self) -> dict[str, int | None]:
        return {self.prefix + c: self.random.choice((None, 1, 2, 5, 5)) for c in CODES}

    def enum_pool(self) -> tuple[int, ...]:
        return PLAIN_ENUMS if self.sound else tuple(range(len(ENUMS)))

    # --- declarations -----------------------------------------------------------------

    def inputs(self, count: int) -> dict[str, Spec]:
        random = self.random
        found: dict[str, Spec] = {"principal": {"type": "money", "optional": True}}
        self.names.append(Name("principal", "money"))
        kinds = [
            "number",
            "number",
            *(random.choice((*SCALARS, "enum", "number", "enum", "date")) for _ in range(count - 2)),
        ]
        for name, kind in zip(random.sample(INPUT_NAMES, count), kinds, strict=True):
            body, named = self.declared(name, kind, 0.75)
            if random.random() < 0.15 and " " not in name:
                body["column"] = f"col_{len(found)}"
            if kind == "number" and random.random() < 0.15:
                body["range"] = random.choice((">= 0", "[0..100]", "<= 1e6"))
            found[name] = body
            self.names.append(named)
        return found

    def declared(self, name: str, kind: str, optional: float) -> tuple[Spec, Name]:
        random = self.random
        may_miss = random.random() < optional
        body: Spec = {}
        if kind == "enum":
            index = random.choice(self.enum_pool())
            kind = f"enum:{index}"
            body["values"] = index
        else:
            body["type"] = TYPES.get(kind, kind)
        if may_miss:
            body["optional"] = True
        if kind in ("number", "money") and random.random() < 0.2:
            body["decimals"] = random.choice((0, 1, 3))
        return body, Name(name, kind, not may_miss)

    def history(self, name: str) -> Spec:
        random = self.random
        tag = name[0]
        fields: dict[str, Spec] = {f"{tag} booked": {"type": "date"}}
        named = [Name(f"{tag} booked", "date", True)]
        for label, kind in (
            ("amount", "money"),
            ("size", "number"),
            ("score", "number"),
            ("paid", "date"),
            ("mark", "enum"),
            ("late", "bool"),
            ("note", "text"),
        ):
            if random.random() < 0.75:
                body, field = self.declared(f"{tag} {label}", kind, 0.4)
                if label == "paid" and random.random() < 0.7:
                    body["optional"] = True
                    body["known from"] = f"{tag} paid"
                    field.sure = False
                if label == "score" and f"{tag} paid" in fields and random.random() < 0.5:
                    body["optional"] = True
                    body["known from"] = f"{tag} paid"
                    field.sure = False
                fields[f"{tag} {label}"] = body
                named.append(field)
        found: Spec = {"key": "customer", "fields": fields}
        if random.random() < 0.6:
            found["visible from"] = f"{tag} booked"
        orders = [f.text for f in named if f.kind in ("date", "number", "money") and (f.sure or not self.sound)]
        if random.random() < 0.7 or self.sound:
            found["order by"] = random.sample(orders, random.randint(1, min(2, len(orders))))
        self.relations.append(Relation(name, named, "order by" in found))
        return found

    def parameter(self, name: str) -> Spec:
        random = self.random
        kind = random.choice(("number", "number", "money"))
        columns = [n for n in self.names if n.kind.startswith("enum:") or n.kind in ("number", "bool")]
        chosen = random.sample(columns, min(len(columns), random.randint(0, 2)))
        maker = self.maker()
        rows = []
        seen: set[tuple[str, int]] = set()
        for start in sorted(
            random.sample(("2020-01-01", "2023-06-01", "2024-02-29", "2024-03-01", "2025-01-01"), random.randint(1, 4))
        ):
            cells = [random.choice(("-", maker.cell(c.kind, nulls=not self.sound))) for c in chosen]
            if (start, cells.count("-")) not in seen:
                seen.add((start, cells.count("-")))
                rows.append({"from": start, "cells": cells, "value": random.choice(NUMBERS)})
        if random.random() < 0.7:
            rows.insert(0, {"from": "-", "cells": ["-"] * len(chosen), "value": random.choice(NUMBERS)})
        self.names.append(Name(name, kind))
        return {"type": kind, "columns": [c.text for c in chosen], "rows": rows}

    def use(self, spec: Spec) -> None:
        """Another policy, decided once or for each row of a history."""
        random = self.random
        part = _Generator(random, self.sound, "p ", self.forms)
        each = random.choice(self.relations) if self.relations and random.random() < 0.5 else None
        handed = each is not None and random.random() < 0.4
        inner: dict[str, Spec] = {"principal": {"type": "money", "optional": True}}
        part.names.append(Name("principal", "money"))
        for name, kind in (("p x", "number"), ("p y", "number"), ("p kind", "enum"), ("p day", "date")):
            body, _ = self.declared(name, kind, 1.0)
            body["optional"] = True
            if kind == "number" and random.random() < 0.2 and not self.sound:
                body["range"] = ">= -1e6"
            inner[name] = body
            part.names.append(Name(name, kind if kind != "enum" else f"enum:{body['values']}"))
        part_spec: Spec = {
            "name": "part",
            "currency": "CNY",
            "on missing": part.policy_action(),
            "parameters": {},
            "use": {},
            "reasons": {"Q" + c: r for c, r in self.reasons().items()},
            "inputs": inner,
            "history": {},
            "decisions": [],
        }
        if each is not None and handed:
            self.hand_over(spec, part_spec, each, part)
        part.codes = list(part_spec["reasons"])
        part.parts = False
        for index in range(random.randint(1, 3)):
            part_spec["decisions"].append(part.decision(f"p d{index}"))
        self.files["part.yaml"] = part_spec
        names = [Name(n.text, n.kind, n.sure) for n in self.names]
        if each is not None:
            names += [Name(f.text, f.kind, f.sure) for f in each.fields] * 2
        maker = Maker(random, names, () if each is not None else self.relations, self.sound, forms=self.forms)
        bindings = {}
        if handed:
            bindings |= {"ref": Expr("text", ["ref"]), "p lines": Expr("rows", ["lines"])}
        for inner_name in part.names[1:5]:
            if random.random() < 0.85:
                bindings[inner_name.text] = (
                    maker.leaf(inner_name.kind)
                    if inner_name.kind.startswith("enum:")
                    else maker.make(inner_name.kind, random.randint(0, 1))
                )
        spec["use"]["part"] = {"policy": "part", "with": bindings, "each": each.name if each is not None else None}
        outcomes = [
            n
            for n in part.names[5:]
            if (n.text in part.decided or "." in n.text) and not n.text.startswith("previous.")
        ]
        # Decisions of `features` are outcomes too, but have no column in a history.
        shown = {d["name"] for d in part_spec["decisions"] if d["family"] != "features"}
        if each is None:
            self.names += [Name(f"part.{n.text}", n.kind) for n in outcomes]
            self.decided += [f"part.{d['name']}" for d in part_spec["decisions"]]
        else:
            columns = [Name(n.text, n.kind) for n in outcomes if n.text in shown]
            self.relations.append(Relation("part", [*each.fields, *columns], each.ordered))

    def hand_over(self, spec: Spec, part_spec: Spec, each: Relation, part: _Generator) -> None:
        """A history whose rows belong to those that the other policy is decided for, by a key: it has them too."""
        random = self.random
        fields: dict[str, Spec] = {"ref": {"type": "string"}, "l day": {"type": "date"}}
        named = [Name("l day", "date", True)]
        for label, kind in (("amount", "money"), ("size", "number"), ("mark", "enum"), ("late", "bool")):
            body, field = self.declared(f"l {label}", kind, 0.4)
            fields[f"l {label}"] = body
            named.append(field)
        order = ["l day"] if random.random() < 0.7 or self.sound else None
        for at, name, key in ((spec, "lines", {"of": each.name}), (part_spec, "p lines", {})):
            body = {"key": "ref", **key, "fields": dict(fields)}
            if key == {}:
                del body["fields"]["ref"]
            if random.random() < 0.5:
                body["visible from"] = "l day"
            if order:
                body["order by"] = order
            at["history"][name] = body
        spec["history"][each.name]["fields"]["ref"] = {"type": "string"}
        part_spec["inputs"]["ref"] = {"type": "string", "key": True}
        part.relations.append(Relation("p lines", named, order is not None))
        self.relations.append(Relation("lines", named, order is not None))

    codes: list[str] | None = None
    parts = True

    # --- decisions ------------------------------------------------------------------------

    def of_the_date(self) -> Spec:
        """A date that hangs on nothing but the date of the decision; one that no calendar has is null."""
        name = f"{self.prefix}since"
        made = self.random.choice(DATED if self.sound else (*DATED, *UNDATED))
        self.names.append(Name(name, "date", made in DATED))
        decision: Spec = {
            "name": name,
            "family": self.random.choice(FEATURES),
            "where": {},
            "on missing": None,
            "form": "value",
            "type": "date",
            "expr": Expr("date", [made]),
        }
        self.action(decision, self.plain("date"))
        return decision

    def maker(self, local: tuple[Name, ...] = ()) -> Maker:
        names = [*self.names, *local, *local]
        return Maker(self.random, names, self.relations, self.sound, self.pending, self.forms)

    def decision(self, name: str) -> Spec:
        random = self.random
        decision: Spec = {"name": name, "family": random.choice(FEATURES), "where": {}, "on missing": None}
        local: list[Name] = []
        if random.random() < 0.25:
            for index in range(random.randint(1, 2)):
                kind = random.choice(("number", "bool", "date", "money"))
                label = f"{name} w{index}"
                decision["where"][label] = self.maker(tuple(local)).make(kind, 2, False)
                local.append(Name(label, kind))
        maker = self.maker(tuple(local))
        form = random.choice(
            (
                "value",
                "value",
                "rules",
                "worst",
                "collect",
                "table",
                "table",
                "table",
                "scorecard",
                "scorecard",
                "lookup",
            )
        )
        if form == "lookup" and not self.parts:
            form = "value"
        kind = getattr(self, f"_{form}")(decision, maker)
        decision["form"] = form
        self.decided.append(name)
        if kind is not None:
            self.names.append(Name(name, kind))
        if self.parts and not self.sound and decision["family"] != "features" and random.random() < 0.15:
            members = [(f"{name}.{n}", k) for n, k in decision.get("outputs", {}).items()]
            if kind is not None and not kind.startswith("list:"):
                members = [(name, kind)]
            self.names += [Name(f"previous.{n}", k) for n, k in members]
        return decision

    def wide(self, name: str, spec: Spec) -> Spec:
        """A decision of very many rules and reasons, over very many inputs that may be missing."""
        random, count = self.random, self.many_rules
        decision: Spec = {"name": name, "family": "service", "where": {}, "on missing": None, "grid": False}
        form = random.choice(("collect", "collect", "rules", "worst"))
        kind = "enum:1"
        self.typed(decision, kind)
        rules = []
        for index in range(count):
            label = f"x {index}"
            spec["inputs"][label] = {"type": "number", "optional": True}
            code = f"W{index}"
            spec["reasons"][code] = random.choice((None, 1, 2, 5))
            test = f"{label} {random.choice(('<', '<=', '>', '>=', '=', '!='))} {random.choice(NUMBERS)}"
            rules.append(
                {
                    "id": f"S{index + 1}",
                    "when": Expr("bool", [test]),
                    "key": "then",
                    "then": self.plain(kind),
                    "reasons": [code] if random.random() < 0.8 else self.given(),
                }
            )
        decision["rules"], decision["form"] = rules, form
        self.action(decision, self.plain(kind))
        return decision

    def waiting(self, name: str, kind: str) -> Spec:
        """A value of a kind whose forms are still waiting for their turn."""
        decision: Spec = {
            "name": name,
            "family": self.random.choice(FEATURES),
            "where": {},
            "on missing": None,
            "form": "value",
        }
        maker = self.maker()
        made = maker.make(kind, 3, kind != "text")
        if kind.startswith("list:") and self.forms is not None:
            made = searched(made, maker.leaf(kind[5:]))
            kind = made.kind
        if not kind.startswith("list:"):
            self.typed(decision, kind)
        decision["expr"] = made
        return decision

    def action(self, decision: Spec, then: Any) -> None:
        """Perhaps an `on missing` of its own; `then` is what `{then: ...}` gives, None where it cannot stand."""
        draw = self.random.random()
        if self.sound or draw < 0.55:
            return
        if draw < 0.7:
            decision["on missing"] = "skip"
        elif draw < 0.8:
            decision["on missing"] = "refer"
        elif draw < 0.83:
            decision["on missing"] = "refuse"
        elif then is not None:
            decision["on missing"] = {"then": then}

    def outcome_kind(self, ordered: bool = False, enum: bool = False) -> str:
        random = self.random
        if ordered or enum or random.random() < 0.5:
            pool = [i for i in self.enum_pool() if not ordered or ENUMS[i][1] is not None]
            return f"enum:{random.choice(pool)}"
        return random.choice(("number", "number", "money", "date", "bool", "text", "days"))

    def typed(self, decision: Spec, kind: str) -> None:
        if kind.startswith("enum:"):
            decision["values"] = int(kind[5:])
        else:
            decision["type"] = TYPES.get(kind, kind)

    def plain(self, kind: str) -> str:
        """Plain data of a kind, as a result cell spells it."""
        random = self.random
        if kind.startswith("enum:"):
            return random.choice(ENUMS[int(kind[5:])][0])
        if kind in ("number", "money"):
            return random.choice([n for n in NUMBERS if n != "1e3"])
        if kind == "bool":
            return random.choice(("true", "false"))
        if kind == "date":
            return random.choice(DATES)
        if kind == "days":
            return random.choice(("P1D", "P30D", "-P7D"))
        return random.choice(("yes", "no", "a b", "日本", "ß", "010"))

    def cell(self, maker: Maker, kind: str, computed: float = 0.15, empty: float = 0.03) -> str | Expr:
        draw = self.random.random()
        if draw < computed:
            return maker.make(kind, 1, kind != "text")
        return "" if draw > 1 - empty else self.plain(kind)

    def given(self) -> list[str]:
        """Reasons of a rule: codes and `from X`."""
        random = self.random
        pool = self.codes or list(self.files_reasons())
        found = random.sample(pool, random.choice((0, 0, 1, 1, 2)))
        if self.decided and random.random() < 0.2:
            found.insert(random.randint(0, len(found)), f"from {random.choice(self.decided)}")
        return found

    def files_reasons(self) -> tuple[str, ...]:
        return tuple(self.prefix + c for c in CODES)

    def _value(self, decision: Spec, maker: Maker) -> str:
        kinds = VALUE_KINDS if self.forms is None else [k for k in VALUE_KINDS if not k.startswith("list:")]
        kind = self.random.choice(kinds)
        if kind == "enum":
            kind = f"enum:{self.random.choice(self.enum_pool())}"
        if not kind.startswith("list:") and not (kind.startswith("enum:") and all(n.kind != kind for n in self.names)):
            self.typed(decision, kind)
        elif kind.startswith("enum:"):
            self.typed(decision, kind)
        decision["expr"] = maker.make(kind, self.random.randint(1, 4), kind != "text")
        self.action(
            decision, None if kind.startswith("list:") or kind in ("moment", "time", "months") else self.plain(kind)
        )
        return kind

    def _rules(self, decision: Spec, maker: Maker) -> str | None:
        random = self.random
        if random.random() < 0.25:
            return self.several(decision, maker, "rules")
        kind = self.outcome_kind()
        self.typed(decision, kind)
        decision["grid"] = random.random() < 0.3
        decision["rules"] = self.rule_list(maker, kind, decision["grid"])
        self.action(decision, self.plain(kind))
        return kind

    def several(self, decision: Spec, maker: Maker, form: str) -> None:
        """Several outputs, read as `decision.output`."""
        random = self.random
        kinds = {
            f"{decision['name']} o1": self.outcome_kind(),
            f"{decision['name']} o2": random.choice(("number", "money")),
        }
        decision["outputs"] = kinds
        if form == "rules":
            rules = []
            for rule in self.rule_list(maker, "number", False):
                rule["then"] = {n: self.cell(maker, k, 0.2) or self.plain(k) for n, k in kinds.items()}
                rules.append(rule)
            decision["rules"], decision["grid"] = rules, False
        self.action(decision, {n: self.plain(k) for n, k in kinds.items()})
        self.names += [Name(f"{decision['name']}.{n}", k) for n, k in kinds.items()]

    def rule_list(
        self, maker: Maker, kind: str, grid: bool, computed: float = 0.15, otherwise: float = 0.75
    ) -> list[Spec]:
        random = self.random
        rules: list[Spec] = []
        for index in range(random.randint(1, 4)):
            rules.append(
                {
                    "id": f"S{index + 1}",
                    "when": maker.make("bool", random.randint(1, 3)),
                    "key": "then",
                    "then": self.cell(maker, kind, computed, 0.03 if grid else 0.0),
                    "reasons": self.given(),
                }
            )
        if random.random() < otherwise:
            rules.append(
                {
                    "id": "O" if grid or random.random() < 0.3 else None,
                    "when": None,
                    "key": "otherwise",
                    "then": self.cell(maker, kind, computed, 0.0),
                    "reasons": self.given() if random.random() < 0.4 else [],
                }
            )
        return rules

    def _worst(self, decision: Spec, maker: Maker) -> str:
        kind = self.outcome_kind(ordered=True)
        self.typed(decision, kind)
        decision["grid"] = self.random.random() < 0.3
        decision["rules"] = self.rule_list(maker, kind, decision["grid"], 0.1)
        self.action(decision, self.plain(kind))
        return kind

    def _collect(self, decision: Spec, maker: Maker) -> str | None:
        random = self.random
        decision["grid"] = random.random() < 0.2
        if not decision["grid"] and random.random() < 0.5:
            rules = self.rule_list(maker, "text", False, otherwise=0.0)
            kinds = {"action": "text", "amount due": "number", "on": "date"}
            for rule in rules:
                rule["key"] = "do"
                rule["then"] = {
                    n: maker.make(k, 1, False)
                    if k != "text" and random.random() < 0.5
                    else "call"
                    if k == "text"
                    else None
                    for n, k in kinds.items()
                }
                rule["then"] = {n: c for n, c in rule["then"].items() if c is not None}
            decision["rules"] = rules
            decision["on missing"] = None if self.sound else random.choice((None, "skip", "refer"))
            return None
        kind = self.outcome_kind()
        self.typed(decision, kind)
        decision["rules"] = self.rule_list(maker, kind, decision["grid"], otherwise=0.3)
        self.action(decision, self.plain(kind))
        return None if self.sound or not kind.startswith("enum:") else f"list:{kind}"

    def _table(self, decision: Spec, maker: Maker) -> str | None:
        random = self.random
        hit = random.choice(TABLE_HITS)
        several = hit in ("unique", "first", "any") and random.random() < 0.2
        if hit in ("priority", "output order"):
            kind = self.outcome_kind(enum=True)
        elif hit == "worst":
            kind = self.outcome_kind(ordered=True)
        elif hit.startswith("collect "):
            kind = "money" if random.random() < 0.2 and hit != "collect count" else "number"
        else:
            kind = self.outcome_kind()
        columns = []
        for _ in range(random.randint(1, 3)):
            column = maker.random.choice(
                [
                    n
                    for n in maker.names
                    if not n.kind.startswith("list:") and n.kind not in ("moment", "time", "months")
                ]
            )
            if column.kind in ("number", "money") and random.random() < 0.2:
                columns.append((maker.make(column.kind, 1, False), column.kind))
            else:
                columns.append((Expr(column.kind, [column.text]), column.kind))
        if several:
            kinds = {
                f"{decision['name']} o1": self.outcome_kind(),
                f"{decision['name']} o2": random.choice(("number", "money")),
            }
            decision["outputs"] = kinds
        else:
            self.typed(decision, kind)
            kinds = {decision["name"]: kind}
        rows = []
        same = {n: self.plain(k) for n, k in kinds.items()}
        for index in range(random.randint(1, 5)):
            cells = [maker.cell(k) for _, k in columns]
            results = {
                n: same[n] if hit == "any" and random.random() < 0.7 else self.cell(maker, k, 0.1, 0.05)
                for n, k in kinds.items()
            }
            rows.append({"id": f"T{index + 1}", "cells": cells, "results": results, "reasons": self.given()})
        if random.random() < 0.3:
            rows.append(
                {
                    "id": "T0",
                    "cells": ["-"] * len(columns),
                    "results": {n: self.plain(k) for n, k in kinds.items()},
                    "reasons": self.given(),
                }
            )
        decision["hit"], decision["columns"], decision["rows"] = hit, [c for c, _ in columns], rows
        if several:
            self.action(decision, {n: self.plain(k) for n, k in kinds.items()})
            self.names += [Name(f"{decision['name']}.{n}", k) for n, k in kinds.items()]
            return None
        self.action(decision, self.plain(kind))
        if hit in ("rule order", "output order", "collect"):
            return None if self.sound or not kind.startswith("enum:") else f"list:{kind}"
        return kind

    def _scorecard(self, decision: Spec, maker: Maker) -> str:
        random = self.random
        characteristics = []
        for _ in range(random.randint(1, 4)):
            pool = [
                n
                for n in maker.names
                if n.kind in ("number", "money", "bool", "date", "text") or n.kind.startswith("enum:")
            ]
            named = random.choice(pool)
            value = Expr(named.kind, [named.text])
            if named.kind == "number" and random.random() < 0.3:
                value = maker.make("number", 2, False)
            if any(c["value"].text == value.text for c in characteristics):
                continue
            bins = [{"test": t, "neutral": False} for t in self.bins(maker, named.kind)]
            if not self.sound and random.random() < 0.5:
                bins.append({"test": "null", "neutral": False})
            if random.random() < 0.25:
                random.choice(bins)["neutral"] = True
            pool_codes = self.codes or list(self.files_reasons())
            for each in bins:
                each["points"] = random.choice(("0", "10", "-40", "35", "2.5", "0.1", "-0.3", "10"))
                each["reason"] = random.choice(pool_codes) if random.random() < 0.6 else ""
            characteristics.append({"value": value, "bins": bins})
        decision["base"] = random.choice(("500", "0", "0.1", "-3"))
        decision["characteristics"] = characteristics
        if not self.sound:
            draw = random.random()
            decision["on missing"] = (
                "refuse" if draw < 0.04 else {"then": random.choice(("300", "0.5"))} if draw < 0.3 else "refer"
            )
        return "number"

    def bins(self, maker: Maker, kind: str) -> list[str]:
        random = self.random
        if kind in ("number", "money"):
            cuts = sorted(set(random.sample(NUMBERS, random.randint(1, 3))), key=as_float)
            cuts = [c for i, c in enumerate(cuts) if i == 0 or as_float(c) != as_float(cuts[i - 1])]
            closed = random.random() < 0.5
            tests = [f"{'<' if closed else '<='} {cuts[0]}"]
            tests += [f"[{a}..{b})" if closed else f"({a}..{b}]" for a, b in zip(cuts, cuts[1:], strict=False)]
            tests.append(f"{'>=' if closed else '>'} {cuts[-1]}")
            if random.random() < 0.15:
                del tests[random.randrange(len(tests))]
            return tests
        return [maker.cell_test(kind) for _ in range(random.randint(1, 2))] + (["-"] if random.random() < 0.6 else [])

    def _lookup(self, decision: Spec, maker: Maker) -> str:
        random = self.random
        path = f"{decision['name'].replace(' ', '_')}.csv"
        result = random.choice(("number", "money", "enum:0"))
        self.typed(decision, result)
        decision["mode"] = random.choice(("key", "band"))
        decision["column"], decision["table"] = "out", path
        lines = ["k,out"]
        if decision["mode"] == "band":
            key = random.choice(("number", "number", "number"))
            for low in sorted({as_float(n) for n in random.sample(NUMBERS, 4)}):
                lines.append(f"{low!r},{self.plain(result)}")
        else:
            kinds = sorted({n.kind for n in maker.names if n.kind.startswith("enum:")}) or ["number"]
            key = random.choice((*kinds, "number"))
            values = ENUMS[int(key[5:])][0] if key.startswith("enum:") else ("0", "1", "2", "5", "100")
            for value in random.sample(values, random.randint(1, len(values))):
                lines.append(f"{value},{self.plain(result) if random.random() > 0.1 else ''}")
        decision["keys"] = {"k": maker.leaf(key, False) if key.startswith("enum:") else maker.make(key, 1, False)}
        self.files[path] = "\n".join(lines) + "\n"
        self.action(decision, self.plain(result))
        return result


# --- writing ----------------------------------------------------------------------------------


def write(bundle: Bundle, folder: Path) -> Path:
    """Write a bundle's files into a folder; gives the policy's path."""
    for name, content in bundle.items():
        (folder / name).write_text(content if isinstance(content, str) else render(content), "utf-8")
    return folder / "policy.yaml"


def single(text: str) -> str:
    """Single-quoted YAML."""
    return "'" + text.replace("'", "''") + "'"


def feel(expr: Expr) -> str:
    """An expression as a YAML value: a block, relative to its key, where it is long."""
    text = expr.text
    return f"|-\n  {text}" if len(text) > 60 else single(text)


def pad(lines: Iterable[str], by: int = 2) -> list[str]:
    """Lines, some of which hold line breaks, further to the right."""
    space = " " * by
    return [space + line.replace("\n", "\n" + space) for line in lines]


def render(spec: Spec) -> str:
    out = [f"policy: {spec['name']}", 'version: "1"', "effective: {from: 2020-01-01}", "owner: tests"]
    if spec["currency"]:
        out.append(f"currency: {spec['currency']}")
    if spec["on missing"]:
        out.append(f"on missing: {spec['on missing']}")
    for section, writer in (
        ("parameters", _parameter),
        ("use", _use),
        ("reasons", _reason),
        ("inputs", _declared),
        ("history", _history),
    ):
        if spec[section]:
            out.append(f"{section}:")
            for name, body in spec[section].items():
                out += pad(writer(name, body))
    for family in FEATURES:
        found = [d for d in spec["decisions"] if d["family"] == family]
        if found:
            out.append(f"{family}:")
            for decision in found:
                out += pad(_decision(decision))
    return "\n".join(out) + "\n"


def _values(index: int) -> str:
    values, order = ENUMS[index]
    return f"values: [{', '.join(values)}]" + (f", order: {order}" if order else "")


def _body(body: Spec) -> str:
    parts = []
    for key, value in body.items():
        if key == "values":
            parts.append(_values(value))
        elif key == "range":
            parts.append(f"range: {single(value)}")
        else:
            parts.append(f"{key}: {'true' if value is True else value}")
    return "{" + ", ".join(parts) + "}"


def _declared(name: str, body: Spec) -> list[str]:
    return [f"{name}: {_body(body)}"]


def _reason(code: str, rank: int | None) -> list[str]:
    return [f"{code}: {{text: Because of {code}" + (f", rank: {rank}" if rank is not None else "") + "}"]


def _history(name: str, body: Spec) -> list[str]:
    lines = [f"{name}:", f"  key: {body['key']}"]
    if "of" in body:
        lines.append(f"  of: {body['of']}")
    if "visible from" in body:
        lines.append(f"  visible from: {body['visible from']}")
    if "order by" in body:
        lines.append(f"  order by: [{', '.join(body['order by'])}]")
    lines.append("  fields:")
    return lines + [f"    {f}: {_body(b)}" for f, b in body["fields"].items()]


def _parameter(name: str, body: Spec) -> list[str]:
    lines = [f"{name}:", f"  type: {body['type']}", "  table: |"]
    lines.append("    " + " | ".join(["from", *body["columns"]]) + " || value")
    return lines + ["    " + " | ".join([r["from"], *r["cells"]]) + f" || {r['value']}" for r in body["rows"]]


def _use(name: str, body: Spec) -> list[str]:
    lines = [f"{name}:", f"  policy: {body['policy']}"]
    if body["each"]:
        lines.append(f"  for each: {body['each']}")
    if body["with"]:
        lines.append("  with:")
        lines += pad((f"{n}: {feel(e)}" for n, e in body["with"].items()), 4)
    return lines


def _result(cell: str | Expr) -> str:
    return f"= {cell.text}" if isinstance(cell, Expr) else cell


def _outcome(then: Any) -> list[str] | str:
    if isinstance(then, dict):
        return [f"{n}: {single(_result(c))}" for n, c in then.items()]
    return single(_result(then))


def _decision(d: Spec) -> list[str]:
    lines = [f"{d['name']}:"]
    if "values" in d:
        values, order = ENUMS[d["values"]]
        lines.append(f"  values: [{', '.join(values)}]")
        if order:
            lines.append(f"  order: {order}")
    if "type" in d:
        lines.append(f"  type: {d['type']}")
    if "outputs" in d:
        lines.append("  outputs:")
        for name, kind in d["outputs"].items():
            body = _values(int(kind[5:])) if kind.startswith("enum:") else f"type: {TYPES.get(kind, kind)}"
            lines.append(f"    {name}: {{{body}}}")
    action = d["on missing"]
    if isinstance(action, dict):
        then = _outcome(action["then"])
        shown = "{" + ", ".join(then) + "}" if isinstance(then, list) else then
        lines.append(f"  on missing: {{then: {shown}}}")
    elif action:
        lines.append(f"  on missing: {action}")
    if d["where"]:
        lines.append("  where:")
        lines += pad((f"{n}: {feel(e)}" for n, e in d["where"].items()), 4)
    return lines + pad(FORMS[d["form"]](d))


def _value_lines(d: Spec) -> list[str]:
    return [f"value: {feel(d['expr'])}"]


def _rule_lines(d: Spec) -> list[str]:
    if d["grid"]:
        lines = [f"{d['form']}: |", "  id | when || then | reasons"]
        for rule in d["rules"]:
            when = rule["when"].text if rule["when"] is not None else "otherwise"
            lines.append(f"  {rule['id']} | {when} || {_result(rule['then'])} | {', '.join(rule['reasons'])}")
        return lines
    lines = [f"{d['form']}:"]
    for rule in d["rules"]:
        entry = []
        if rule["id"]:
            entry.append(f"rule: {rule['id']}")
        if rule["when"] is not None:
            entry.append(f"when: {feel(rule['when'])}")
        outcome = _outcome(rule["then"])
        if isinstance(outcome, list):
            entry.append(f"{rule['key']}:")
            entry += pad(outcome)
        else:
            entry.append(f"{rule['key']}: {outcome}")
        if rule["reasons"]:
            entry.append(f"reasons: [{', '.join(rule['reasons'])}]")
        first, *rest = pad(entry, 4)
        lines += ["  - " + first[4:], *rest]
    return lines


def _table_lines(d: Spec) -> list[str]:
    names = list(d.get("outputs") or {d["name"]: None})
    lines = [
        "table: |",
        "  " + " | ".join([d["hit"], *(c.text for c in d["columns"])]) + " || " + " | ".join([*names, "reasons"]),
    ]
    for row in d["rows"]:
        results = [_result(row["results"][n]) for n in names]
        lines.append(
            "  " + " | ".join([row["id"], *row["cells"]]) + " || " + " | ".join([*results, ", ".join(row["reasons"])])
        )
    return lines


def _score_lines(d: Spec) -> list[str]:
    lines = ["scorecard: |", f"  base {d['base']}", "  characteristic | bin | points | reason"]
    for characteristic in d["characteristics"]:
        label = characteristic["value"].text
        for each in characteristic["bins"]:
            neutral = " neutral" if each["neutral"] else ""
            lines.append(f"  {label} | {each['test']} | {each['points']}{neutral} | {each['reason']}")
            label = ""
    return lines


def _lookup_lines(d: Spec) -> list[str]:
    keys = pad((f"{n}: {feel(e)}" for n, e in d["keys"].items()), 4)
    return ["lookup:", f"  table: {d['table']}", f"  {d['mode']}:", *keys, f"  column: {d['column']}"]


FORMS = {
    "value": _value_lines,
    "rules": _rule_lines,
    "worst": _rule_lines,
    "collect": _rule_lines,
    "table": _table_lines,
    "scorecard": _score_lines,
    "lookup": _lookup_lines,
}

__all__ = ["Bundle", "Spec", "generate", "quote", "render", "write", "TEXTS"]
