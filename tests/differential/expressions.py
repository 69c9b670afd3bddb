"""Random well-typed expressions.

An expression is a tree of text (`Expr`), so that a shrinker can put a part of the same kind
in the place of the whole. Kinds are number, money, text, bool, date, time, moment, days, months,
`enum:N` (the N-th enumeration of the policy) and `list:KIND`.

`FORMS` lists templates by the kind that they give: `{kind}` is a random expression of that kind,
`{=kind}` one that is no bare literal (money beside `*`, text beside a literal), `{i}` a small whole
number. A mark `~` in front says that the form treats null as a value of its own, so that a policy
made of it may settle what missing data leave open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from random import Random

ENUMS: tuple[tuple[tuple[str, ...], str | None], ...] = (
    (("A", "B", "C"), "best first"),
    (("low", "mid", "high", "extreme"), "worst first"),
    (("SH", "BJ", "广东"), None),
    (("approve", "refer", "decline"), "best first"),
)
#: Enumerations without `refer`, whose readers would be settled by it.
PLAIN_ENUMS = (0, 1, 2)

#: Enumerations whose letters change case alike everywhere.
CASED = ("enum:0", "enum:1", "enum:3")

NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "5",
    "10",
    "100",
    "0.3",
    "0.1",
    "0.2",
    "0.7",
    "1.1",
    "30%",
    "4.35",
    "1万",
    "0.5",
    "33.33",
    "-1",
    "0.000001",
    "-0.3",
    "12",
    "1e3",
)
TEXTS = (
    "",
    "a",
    "A",
    "abc",
    "a|b",
    "b,c",
    "# x",
    "ß",
    "é",
    "日本",
    "😀x",
    "it's",
    'q"q',
    "back\\slash",
    "2024-02-29",
    "12.5",
    "1,000.5",
    "SH",
    " ",
)
DATES = (
    "2023-12-31",
    "2024-01-31",
    "2024-02-28",
    "2024-02-29",
    "2024-03-01",
    "2024-03-31",
    "2024-06-30",
    "2025-02-28",
    "2025-01-01",
    "2026-07-01",
    "1999-12-31",
    "2000-02-29",
)
TIMES = ("00:00:00", "10:30:00", "23:59:59")
MOMENTS = ("2024-02-29T00:00:00", "2024-02-29T23:59:59", "2024-12-31T12:00:00", "2025-01-01T00:00:00")
DAYS = ("P0D", "P1D", "P30D", "P365D", "-P7D", "PT36H", "P1DT1S")
MONTHS = ("P0M", "P1M", "P1Y", "P1Y6M", "-P2M")
PATTERNS = ("^a", "[0-9]+", "b.c", "^$", "(a|b)+")
SCALARS = ("number", "money", "text", "bool", "date", "time", "moment", "days", "months")


#: Templates by the kind that they give.
Forms = dict[str, list[str]]


class Expr:
    """Text in parts; `kind` is what the whole gives."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: str, parts: Sequence[str | Expr]) -> None:
        self.kind = kind
        self.parts = list(parts)

    @property
    def text(self) -> str:
        return "".join(p if isinstance(p, str) else p.text for p in self.parts)

    def inner(self) -> list[Expr]:
        """Every expression in this one, itself left out."""
        found = []
        for part in self.parts:
            if isinstance(part, Expr):
                found.append(part)
                found.extend(part.inner())
        return found


class Name:
    """A name in scope; `kind` is what reading it gives. `sure` names are never null."""

    __slots__ = ("kind", "sure", "text")

    def __init__(self, text: str, kind: str, sure: bool = False) -> None:
        self.text = text
        self.kind = kind
        self.sure = sure


class Relation:
    """A history in scope with its fields; `ordered`: it says how its rows follow each other."""

    def __init__(self, name: str, fields: Sequence[Name], ordered: bool) -> None:
        self.name = name
        self.fields = tuple(fields)
        self.ordered = ordered


ROUNDINGS = ("decimal", "floor", "ceiling", "round up", "round down", "round half up", "round half down")

FORMS: dict[str, list[str]] = {
    "number": [
        "({number} + {number})",
        "({number} - {number})",
        "({number} * {number})",
        "({number} / {number})",
        "(-({number}))",
        "({=money} / {=money})",
        "{=money}.amount",
        "({number} ** {i})",
        "floor({number})",
        "ceiling({number})",
        *(f"{name}({{number}}, {{digits}})" for name in ROUNDINGS),
        "abs({number})",
        "modulo({number}, {number})",
        "sqrt({number})",
        "log({number})",
        "exp({number})",
        "({days} / {days})",
        "({months} / {months})",
        "({days}).days",
        "({days}).hours",
        "({days}).minutes",
        "({days}).seconds",
        "({months}).years",
        "({months}).months",
        "({date}).year",
        "({date}).month",
        "({date}).day",
        "({date}).weekday",
        "({moment}).year",
        "({moment}).hour",
        "({moment}).minute",
        "({moment}).second",
        "({moment}).weekday",
        "({time}).hour",
        "({time}).minute",
        "day of year({date})",
        "week of year({date})",
        "day of year({moment})",
        "string length({text})",
        "number({text})",
        'number({text}, ",", ".")',
        "count({list:number})",
        "count({list:text})",
        "sum({list:number})",
        "min({list:number})",
        "max({list:number})",
        "mean({list:number})",
        "median({list:number})",
        "sum({number}, {number})",
        "min({number}, {number}, {number})",
        "max({number}, {number})",
        "mean({number}, {number})",
        "median({number}, {number}, {number})",
        "product({list:number})",
        "stddev({list:number})",
        "mode({list:number})[1]",
        "({list:number})[1]",
        "({list:number})[-1]",
        "(if {bool} then {number} else {number})",
        "~get or else({number}, {number})",
        "~index of({list:number}, {number})[1]",
        '~get value({k: {number}}, "k")',
        "{k: {number}, l: {text}}.k",
        '~get value(context put({k: {number}}, "m", {number}), "m")',
        '~get value(context merge([{k: {number}}, {m: {number}}]), "m")',
        '~get value(context([{key: "k", value: {number}}]), "k")',
        "~count(get entries({k: {number}}))",
        "~count(flatten([{list:number}, {list:number}]))",
        "({date} - {date}).days",
        "years and months duration({date}, {date}).months",
        "(if {bool} then {number} else {number})",
        "sum(for x in {list:number} return (x * {number}))",
        "count(for x in {i}..{i} return x)",
        "max(for x in 1..{i}, y in {list:number} return (x + y))",
    ],
    "money": [
        "({=money} + {money})",
        "({=money} - {money})",
        "({=money} * {number})",
        "({number} * {=money})",
        "({=money} / {number})",
        "min({=money}, {money})",
        "max({=money}, {money})",
        "(if {bool} then {=money} else {money})",
        "~get or else({=money}, {money})",
        "floor({=money})",
        "ceiling({=money})",
        "abs({=money})",
        "round half up({=money}, {digits})",
        "decimal({=money}, {digits})",
        "round down({=money}, {digits})",
        "sum({list:money})",
        "max({list:money})",
        "min({list:money})",
        "mean({list:money})",
        "median({list:money})",
        "({list:money})[1]",
        "({list:money})[-1]",
        "sum({=money}, {=money})",
    ],
    "text": [
        "({text} + {text})",
        "upper case({text})",
        "lower case({text})",
        "substring({text}, {i})",
        "substring({text}, {i}, {i})",
        "substring({text}, -{i})",
        "substring before({text}, {text})",
        "substring after({text}, {text})",
        "replace({text}, {pattern}, {text})",
        'replace({text}, {pattern}, "x")',
        "string({number})",
        "string({date})",
        "string({bool})",
        "string({days})",
        "string({money})",
        "string({moment})",
        "string({months})",
        "~string join({list:text}, {text})",
        "~string join({list:text})",
        "day of week({date})",
        "month of year({date})",
        'split({text}, ",")[1]',
        "(if {bool} then {=text} else {=text})",
        "~get or else(substring({text}, 1), {text})",
        "({list:text})[1]",
        "({list:text})[-1]",
        "{k: {=text}}.k",
        "({moment}).timezone",
    ],
    "bool": [
        "({number} < {number})",
        "({number} <= {number})",
        "({number} > {number})",
        "({number} >= {number})",
        "({number} = {number})",
        "({number} != {number})",
        "({=money} < {money})",
        "({=money} >= {money})",
        "({=money} = {money})",
        "({=money} <= {money})",
        "({=money} > {money})",
        "(substring({text}, 1) = {text})",
        "(lower case({text}) != {text})",
        "(upper case({text}) < lower case({text}))",
        "({date} < {date})",
        "({date} >= {date})",
        "({date} = {date})",
        "({moment} < {moment})",
        "({moment} = {moment})",
        "({time} <= {time})",
        "({days} > {days})",
        "({days} = {days})",
        "({months} <= {months})",
        "({bool} = {bool})",
        "({bool} and {bool})",
        "({bool} or {bool})",
        "({bool} and {bool} and {bool})",
        "({bool} or {bool} or {bool})",
        "({bool} and {bool})",
        "({bool} or {bool})",
        "not({bool})",
        "not({bool})",
        "({number} between {number} and {number})",
        "({=money} between {money} and {money})",
        "({date} between {date} and {date})",
        "({number} in {range})",
        "({number} in ({range}, {number}))",
        "({number} in (< {number}, > {number}))",
        "({number} in [{number}, {number}])",
        "({date} in [{date}..{date}])",
        "({number} in {list:number})",
        '({days} in [duration("P0D")..duration("P30D")])',
        "(upper case({text}) in [{text}, {text}])",
        "contains({text}, {text})",
        "starts with({text}, {text})",
        "ends with({text}, {text})",
        "matches({text}, {pattern})",
        'matches({text}, {pattern}, "i")',
        "odd({number})",
        "even({number})",
        "before({number}, {number})",
        "after({date}, {date})",
        "coincides({number}, {number})",
        "all([{bool}, {bool}])",
        "any([{bool}, {bool}])",
        "(some x in {list:number} satisfies (x > {number}))",
        "(every x in {list:number} satisfies (x <= {number}))",
        "(some x in {list:number}, y in {list:number} satisfies (x = y))",
        'includes(range("[1..5]"), {number})',
        'during({number}, range("(0..3]"))',
        'starts({number}, range("[1..5]"))',
        'finishes({number}, range("[1..5]"))',
        'started by(range("[1..5]"), {number})',
        'finished by(range("[1..5]"), {number})',
        'before(range("[1..5]"), {number})',
        'after({number}, range("[1..5]"))',
        'meets(range("[1..5]"), range("[5..9]"))',
        'met by(range("[5..9]"), range("[1..5]"))',
        'overlaps(range("[1..5]"), range("[3..9]"))',
        'overlaps before(range("[1..5]"), range("[3..9]"))',
        'overlaps after(range("[3..9]"), range("[1..5]"))',
        "~({number} = null)",
        "~({=money} != null)",
        "~({date} = null)",
        "~({=text} != null)",
        "~({bool} = null)",
        "~get or else({bool}, true)",
        "~list contains({list:number}, {number})",
        "~list contains({list:text}, {text})",
        "~is({number}, {number})",
        "~({number} instance of number)",
        "~({number} in (null, {number}))",
        "~({number} in [null, {number}])",
        "(if {bool} then {bool} else {bool})",
    ],
    "date": [
        "as of",
        "today()",
        "({date} + {days})",
        "({date} - {days})",
        "({date} + {months})",
        "({date} - {months})",
        "({months} + {date})",
        "date({year}, {i}, {i})",
        "date({moment})",
        "date({=text})",
        "max({date}, {date})",
        "min({date}, {date})",
        "(if {bool} then {date} else {date})",
        "~get or else({date}, {date})",
        "({list:date})[1]",
        "max({list:date})",
        "date({date})",
    ],
    "moment": [
        "now()",
        "date and time({date})",
        "date and time({date}, {time})",
        "({moment} + {days})",
        "({moment} - {months})",
        "date and time({moment}, {time})",
        "(if {bool} then {moment} else {moment})",
        "~get or else({moment}, {moment})",
        "date and time({=text})",
    ],
    "time": [
        "time({i}, {i}, {i})",
        "time({moment})",
        "({time} + {days})",
        "({time} - {days})",
        "(if {bool} then {time} else {time})",
        "time({=text})",
        "~get or else({time}, {time})",
    ],
    "days": [
        "({date} - {date})",
        "({moment} - {moment})",
        "({time} - {time})",
        "({days} + {days})",
        "({days} - {days})",
        "({days} * {number})",
        "({number} * {days})",
        "({days} / {number})",
        "abs({days})",
        "(-({days}))",
        "(if {bool} then {days} else {days})",
        "sum([{days}, {days}])",
        "({moment}).time offset",
        "max({days}, {days})",
    ],
    "months": [
        "years and months duration({date}, {date})",
        "({months} + {months})",
        "({months} - {months})",
        "({months} * {number})",
        "({months} / {number})",
        "abs({months})",
        "(-({months}))",
        "(if {bool} then {months} else {months})",
        "~get or else({months}, {months})",
    ],
    "list:number": [
        "[{number}, {number}]",
        "[{number}]",
        "[{number}, {number}, {number}]",
        "~append({list:number}, {number})",
        "concatenate({list:number}, {list:number})",
        "sublist({list:number}, {i})",
        "sublist({list:number}, {i}, {i})",
        "reverse({list:number})",
        "~distinct values({list:number})",
        "~union({list:number}, {list:number})",
        "~remove({list:number}, {i})",
        "~insert before({list:number}, {i}, {number})",
        "~list replace({list:number}, {i}, {number})",
        "sort({list:number})",
        "~index of({list:number}, {number})",
        "(for x in {list:number} return (x + {number}))",
        "(for x in {i}..{i} return (x * {number}))",
        "(for x in [1, 2], y in [3, 5] return (x * y + {number}))",
        "[1, 2, 3][item > {i}]",
        "~({list:number})[get or else(item > {number}, false)]",
        "mode({list:number})",
        "(for x in {list:text} return string length(x))",
    ],
    "list:money": ["[{=money}, {=money}]", "[{=money}]", "(for x in {list:money} return (x * {number}))"],
    "list:text": [
        "[{text}, {text}]",
        'split({text}, ",")',
        "split({text}, {pattern})",
        "~distinct values({list:text})",
        "~list replace({list:text}, {i}, {text})",
        "sublist({list:text}, {i})",
        "(for x in {list:text} return upper case(x))",
        "sort({list:text})",
    ],
    "list:date": [
        "[{date}, {date}]",
        "(for x in {list:date} return (x + {days}))",
        "~list replace({list:date}, {i}, {date})",
    ],
}
ENUM_FORMS = [
    "(if {bool} then {self} else {value})",
    "(if {bool} then {self} else {self})",
    "~get or else({self}, {value})",
]
ENUM_TESTS = [
    "({self} = {value})",
    "({self} != {value})",
    "({self} in [{value}, {value}])",
    "({self} = {self})",
    "({self} in ({value}, {value}))",
]
HOLE = re.compile(r"\{(=?(?:list:)?[a-z]+)\}")


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class Maker:
    """Makes expressions over the names in scope. `sound` leaves out the forms marked `~`."""

    def __init__(
        self,
        random: Random,
        names: Sequence[Name],
        relations: Sequence[Relation],
        sound: bool,
        pending: dict[str, list[str]] | None = None,
        forms: Forms | None = None,
    ) -> None:
        self.random = random
        self.forms = FORMS if forms is None else forms
        #: Forms that this policy is to use, by kind; each is used once.
        self.pending = pending if pending is not None else {}
        self.names = list(names)
        self.relations = list(relations)
        self.sound = sound
        self.depth = 0

    # --- entry ----------------------------------------------------------------

    def make(self, kind: str, depth: int, literal: bool = True) -> Expr:
        """An expression of `kind`; not a bare literal where `literal` is false."""
        random = self.random
        if depth <= 0 or random.random() < 0.15:
            return self.leaf(kind, literal)
        if kind.startswith("enum:"):
            return self.enumeration(kind, depth)
        if self.relations and not self.pending.get(kind) and random.random() < 0.3:
            found = self.over_history(kind, depth)
            if found is not None:
                return found
        if kind == "bool" and random.random() < 0.15:
            return self.enum_test(depth)
        if kind == "text" and random.random() < 0.1:
            cased = [n for n in self.names if n.kind in CASED]
            if cased:
                word = random.choice(("upper", "lower"))
                return Expr(kind, [f"({word} case({random.choice(cased).text}) + {self.literal('text')})"])
        if not self.forms.get(kind):
            return self.leaf(kind, literal)
        return self.fill(kind, self.form(self.forms[kind], kind), depth)

    def form(self, forms: Sequence[str], kind: str = "") -> str:
        waiting = self.pending.get(kind)
        if waiting and self.random.random() < 0.8:
            return waiting.pop()
        choice = self.random.choice(forms)
        if self.sound and choice.startswith("~"):
            choice = self.random.choice([f for f in forms if not f.startswith("~")])
        return choice.lstrip("~")

    def fill(self, kind: str, form: str, depth: int) -> Expr:
        parts: list[str | Expr] = []
        position = 0
        for hole in HOLE.finditer(form):
            parts.append(form[position : hole.start()])
            parts.append(self.hole(hole[1], depth - 1))
            position = hole.end()
        parts.append(form[position:])
        return Expr(kind, parts)

    def hole(self, name: str, depth: int) -> str | Expr:
        random = self.random
        if name == "i":
            return str(random.randint(1, 4))
        if name == "digits":
            return random.choice(("0", "1", "2", "2", "-2", "5"))
        if name == "year":
            return random.choice(("2023", "2024", "2025"))
        if name == "pattern":
            return quote(random.choice(PATTERNS))
        if name == "range":
            return self.range_of()
        literal = not name.startswith("=")
        return self.make(name.lstrip("="), depth, literal)

    # --- leaves ----------------------------------------------------------------

    def leaf(self, kind: str, literal: bool = True) -> Expr:
        named = [n for n in self.names if n.kind == kind]
        if named and (not literal or self.random.random() < 0.75):
            return Expr(kind, [self.random.choice(named).text])
        if kind.startswith("enum:"):
            return Expr(kind, [self.value_of(kind)])
        if kind.startswith("list:"):
            item = kind[5:]
            literal = literal and item != "money"
            return Expr(kind, ["[", self.leaf(item, literal), ", ", self.leaf(item, literal), "]"])
        if not literal:
            return Expr(kind, [NEVER_LITERAL[kind]])
        return Expr(kind, [self.literal(kind)])

    def literal(self, kind: str) -> str:
        choice = self.random.choice
        if kind in ("number", "money"):
            text = choice(NUMBERS)
            return f"({text})" if text.startswith("-") else text
        if kind == "text":
            return quote(choice(TEXTS))
        if kind == "bool":
            return choice(("true", "false"))
        if kind == "date":
            return choice((f'date("{choice(DATES)}")', f'@"{choice(DATES)}"'))
        if kind == "time":
            return f'time("{choice(TIMES)}")'
        if kind == "moment":
            return f'date and time("{choice(MOMENTS)}")'
        return f'duration("{choice(DAYS if kind == "days" else MONTHS)}")'

    def value_of(self, kind: str) -> str:
        return quote(self.random.choice(ENUMS[int(kind[5:])][0]))

    def range_of(self) -> str:
        low, high = sorted((self.random.choice(NUMBERS) for _ in range(2)), key=as_float)
        opening, closing = self.random.choice("[("), self.random.choice("])")
        if as_float(low) == as_float(high):
            opening, closing = "[", "]"
        return f"{opening}{low}..{high}{closing}"

    # --- enumerations and histories ----------------------------------------------

    def enum_kinds(self) -> list[str]:
        return sorted({n.kind for n in self.names if n.kind.startswith("enum:")})

    def enumeration(self, kind: str, depth: int) -> Expr:
        if not any(n.kind == kind for n in self.names):
            return self.leaf(kind)
        ordered = ENUMS[int(kind[5:])][1] is not None
        if ordered and self.random.random() < 0.3:
            source = self.enum_list(kind)
            word = self.random.choice(("worst", "best"))
            return Expr(kind, [f"{word}(", source, ")"])
        return self.of_enum(kind, kind, self.form(ENUM_FORMS), depth)

    def enum_list(self, kind: str) -> Expr:
        found = [(r, f) for r in self.relations for f in r.fields if f.kind == kind]
        if found and self.random.random() < 0.8:
            relation, field = self.random.choice(found)
            return Expr(f"list:{kind}", [f"{self.rows(relation)}.{field.text}"])
        return Expr(f"list:{kind}", ["[", self.name_of(kind), ", ", self.name_of(kind), "]"])

    def name_of(self, kind: str) -> Expr:
        return Expr(kind, [self.random.choice([n for n in self.names if n.kind == kind]).text])

    def of_enum(self, kind: str, enum: str, form: str, depth: int) -> Expr:
        parts: list[str | Expr] = []
        for piece in re.split(r"(\{self\}|\{value\}|\{bool\})", form):
            if piece == "{self}":
                parts.append(self.name_of(enum))
            elif piece == "{value}":
                parts.append(self.value_of(enum))
            elif piece == "{bool}":
                parts.append(self.make("bool", depth - 1))
            else:
                parts.append(piece)
        return Expr(kind, parts)

    def enum_test(self, depth: int) -> Expr:
        kinds = self.enum_kinds()
        if not kinds:
            return self.fill("bool", self.form(self.forms["bool"], "bool"), depth)
        return self.of_enum("bool", self.random.choice(kinds), self.form(ENUM_TESTS), depth)

    def rows(self, relation: Relation, names: dict[str, str] | None = None) -> str:
        """The history, perhaps filtered; a filter is never null."""
        tests = []
        for _ in range(self.random.choice((0, 0, 1, 1, 2))):
            field = self.random.choice(relation.fields)
            test = self.row_test(field)
            if test is not None:
                tests.append(test)
        return f"{relation.name}[{' and '.join(tests)}]" if tests else relation.name

    def row_test(self, field: Name) -> str | None:
        spelled = self.random.choice((field.text, f"item.{field.text}"))
        kind = field.kind
        if kind in ("number", "money"):
            test = f"{spelled} {self.random.choice(('<', '<=', '>', '>=', '=', '!='))} {self.literal(kind)}"
        elif kind == "date":
            shared = [n for n in self.names if n.text.endswith("since")]
            tests = [
                f'{spelled} > as of - duration("{self.random.choice(("P1Y", "P30D", "P6M"))}")',
                f"{spelled} <= as of",
                f"{spelled} in [{self.literal(kind)}..as of]",
                *(f"{spelled} >= {n.text}" for n in shared for _ in range(3)),
            ]
            test = self.random.choice(tests)
            if any(n.text in test and not n.sure for n in shared):
                test = f"get or else({test}, {self.random.choice(('true', 'false'))})"
        elif kind == "bool":
            test = spelled
        elif kind.startswith("enum:"):
            test = f"{spelled} = {self.value_of(kind)}"
        else:
            return None
        if field.sure:
            return test
        if self.sound:
            return None
        return self.random.choice(
            (
                f"({spelled} != null and {test})" if " in " not in test else f"{spelled} != null",
                f"get or else({test}, {self.random.choice(('true', 'false'))})",
                f"{spelled} = null",
            )
        )

    def over_history(self, kind: str, depth: int) -> Expr | None:
        random = self.random
        relation = random.choice(self.relations)
        rows = self.rows(relation)
        of_kind = [f for f in relation.fields if f.kind == kind]
        if kind == "number" and random.random() < 0.4:
            return Expr(kind, [f"count({rows})"])
        if kind == "number" and relation.ordered and random.random() < 0.4:
            found = self.streak(relation, rows, depth)
            if found is not None:
                return found
        if kind in ("number", "money", "bool", "date") and random.random() < 0.3:
            found = self.over_groups(kind, relation, rows)
            if found is not None:
                return found
        if kind == "bool":
            if not self.sound and random.random() < 0.2:
                return Expr(kind, [f"({relation.name} = null)"])
            if not self.sound and random.random() < 0.2 and any(n.text.startswith("previous.") for n in self.names):
                return Expr(kind, ["(previous != null)"])
            body = self.in_row(relation, "r").make("bool", min(depth - 1, 2))
            return Expr(kind, [f"({random.choice(('some', 'every'))} r in {rows} satisfies ", body, ")"])
        if kind.startswith("list:"):
            item = kind[5:]
            fields = [f for f in relation.fields if f.kind == item]
            if fields and random.random() < 0.5:
                return Expr(kind, [f"{rows}.{random.choice(fields).text}"])
            if item in SCALARS:
                body = self.in_row(relation, "r").make(item, min(depth - 1, 2), False)
                return Expr(kind, [f"(for r in {rows} return ", body, ")"])
            return None
        if kind in ("number", "money", "date", "days"):
            words = ["max", "min"] + (["sum", "mean", "median"] if kind in ("number", "money") else [])
            word = random.choice(words)
            if of_kind and random.random() < 0.6:
                return Expr(kind, [f"{word}({rows}.{random.choice(of_kind).text})"])
            body = self.in_row(relation, "r").make(kind, min(depth - 1, 2), False)
            return Expr(kind, [f"{word}(for r in {rows} return ", body, ")"])
        if of_kind and random.random() < 0.5:
            return Expr(kind, [f"{rows}[{random.choice(('1', '-1'))}].{random.choice(of_kind).text}"])
        return None

    def streak(self, relation: Relation, rows: str, depth: int) -> Expr | None:
        """How many rows, groups or items in a row meet a condition, which is never null."""
        random = self.random
        word = random.choice(("longest streak", "current streak"))
        draw = random.random()
        groups = self.groups(relation, rows) if draw < 0.25 else None
        if groups is not None:
            test = f"count(rows) > {random.randint(0, 2)}"
            if random.random() < 0.3:
                return Expr("number", [f"max(for g in {groups} return {word}(g.rows, count(g.rows) > 1))"])
            return Expr("number", [f"{word}({groups}, {test})"])
        if draw < 0.4 and not self.sound:
            values = [f for f in relation.fields if f.kind in ("number", "money")]
            items = f"{rows}.{random.choice(values).text}" if values else "[1, 2, 3, 2]"
            if random.random() < 0.4:
                items = f"[{', '.join(str(random.randint(0, 3)) for _ in range(random.randint(1, 5)))}]"
            return Expr("number", [f"{word}({items}, get or else(item >= {random.randint(0, 2)}, false))"])
        if draw < 0.6 and not self.sound:
            body = self.in_row(relation, "item").make("bool", min(depth - 1, 2), False)
            default = random.choice(("true", "false"))
            return Expr("number", [f"{word}({rows}, get or else(", body, f", {default}))"])
        tests = [t for t in (self.row_test(f) for f in relation.fields) if t is not None]
        return Expr("number", [f"{word}({rows}, {random.choice(tests)})"]) if tests else None

    def over_groups(self, kind: str, relation: Relation, rows: str) -> Expr | None:
        """The rows of a history in groups, or their distinct values."""
        random = self.random
        groups = self.groups(relation, rows)
        if groups is None:
            return None
        of_kind = [f for f in relation.fields if f.kind == kind and (f.sure or not self.sound)]
        word = random.choice(("max", "min"))
        if kind == "number":
            apart = [f for f in relation.fields if f.sure or not self.sound]         # a null counts as a value
            field = random.choice(apart)
            shapes = [f"count({groups})", f"count({groups}[count(rows) > {random.randint(1, 2)}])"]
            shapes.append(f"count(distinct values({rows}.{field.text}))")
            shapes.append(f"{word}(for g in {groups} return count(g.rows))")
            shapes += [f"sum(for g in {groups} return {word}(g.rows.{f.text}))" for f in of_kind]
            return Expr(kind, [random.choice(shapes)])
        if kind == "bool":
            dates = [f for f in relation.fields if f.kind == "date" and f.sure]
            test = f"count(g.rows) > {random.randint(1, 2)}"
            if dates and random.random() < 0.5:
                test = f"{word}(g.rows.{random.choice(dates).text}) <= {self.literal('date')}"
            return Expr(kind, [f"({random.choice(('some', 'every'))} g in {groups} satisfies {test})"])
        if not of_kind:
            return None
        inner = random.choice(("sum", "mean", "max", "median")) if kind == "money" else random.choice(("max", "min"))
        part = f"{inner}(g.rows.{random.choice(of_kind).text})"
        if random.random() < 0.3:
            part = f"g.rows[{random.choice(('1', '-1'))}].{random.choice(of_kind).text}"
        return Expr(kind, [f"{word}(for g in {groups} return {part})"])

    def groups(self, relation: Relation, rows: str) -> str | None:
        """Rows by a key that is never null and compares exactly."""
        random = self.random
        keys = [f for f in relation.fields if f.kind in ("text", "bool", "date") or f.kind.startswith("enum:")]
        if self.sound:
            keys = [f for f in keys if f.sure]
        if not keys:
            return None
        key = random.choice(keys)
        if key.kind == "date" and key.sure and random.random() < 0.5:
            return f"group by({rows}, {key.text}.year * 12 + {key.text}.month)"
        if key.sure:
            return f"group by({rows}, {key.text})"
        if "[" not in rows and random.random() < 0.5:
            return f"group by({rows}[{key.text} != null], {key.text})"
        other = self.value_of(key.kind) if key.kind.startswith("enum:") else self.literal(key.kind)
        return f"group by({rows}, get or else({key.text}, {other}))"

    def in_row(self, relation: Relation, variable: str) -> Maker:
        """A maker whose scope has the row's fields too, under the loop's variable."""
        fields = [Name(f"{variable}.{f.text}", f.kind, f.sure) for f in relation.fields]
        return Maker(self.random, [*self.names, *fields, *fields], (), self.sound, self.pending, self.forms)

    # --- cells ---------------------------------------------------------------------

    def cell(self, kind: str, nulls: bool = True) -> str:
        """A unary test for a grid's column."""
        random = self.random
        draw = random.random()
        if draw < 0.15:
            return "-"
        if nulls and not self.sound and draw < 0.2:
            return "null"
        test = self.cell_test(kind)
        if nulls and not self.sound and draw > 0.93:
            return f"{test}, null"
        if draw > 0.85 and not test.startswith("not("):
            return f"not({test})"
        return test

    def cell_test(self, kind: str) -> str:
        random = self.random
        if kind in ("number", "money"):
            draw = random.randrange(5)
            if draw == 0:
                return self.range_of()
            if draw == 1:
                return ", ".join(random.choice(NUMBERS) for _ in range(random.randint(1, 3)))
            sure = [n for n in self.names if n.kind == kind]
            other = random.choice(sure).text if sure and random.random() < 0.2 else random.choice(NUMBERS)
            return f"{random.choice(('<', '<=', '>', '>='))} {other}"
        if kind == "bool":
            return random.choice(("true", "false"))
        if kind == "date":
            low, high = sorted(random.choice(DATES) for _ in range(2))
            return random.choice(
                (
                    f'> date("{low}")',
                    "<= as of",
                    f'[date("{low}")..date("{high}")]',
                    f'@"{high}"',
                    'in [as of - duration("P1Y")..as of]'[3:],
                )
            )
        if kind == "text":
            return ", ".join(quote(random.choice(TEXTS)) for _ in range(random.randint(1, 2)))
        if kind == "days":
            return random.choice(('> duration("P0D")', '[duration("P0D")..duration("P30D")]', '<= duration("P1D")'))
        values = ENUMS[int(kind[5:])][0]
        return ", ".join(quote(v) for v in random.sample(values, random.randint(1, 2)))


#: Forms whose turn it is in one policy: of all that there are, which few policies are made of, and of those that most
#: are made of.
MANY_FORMS, FEW_FORMS = 16, 7


def due(seed: int, sound: bool, forms: Forms | None = None) -> dict[str, list[str]]:
    """The forms whose turn it is in the policy of a seed, so that each comes round about as often."""
    held, count = (FORMS, MANY_FORMS) if forms is None else (forms, FEW_FORMS)
    turns = [
        (k, f.lstrip("~")) for k, all_of_kind in held.items() for f in all_of_kind if not (sound and f.startswith("~"))
    ]
    found: dict[str, list[str]] = {}
    for place in range(seed * count, (seed + 1) * count):
        kind, form = turns[place % len(turns)]
        found.setdefault(kind, []).append(form)
    for forms_of_kind in found.values():                # few of a kind are used, so that none may always be last
        Random(seed).shuffle(forms_of_kind)
    return found


def searched(items: Expr, wanted: Expr) -> Expr:
    """A truth about a list, where a list itself may not stand."""
    if wanted.kind == "text":  # the checker knows what a list of literals cannot hold
        wanted = Expr("text", ["substring(", wanted, ", 1)"])
    return Expr("bool", ["(some x in ", items, " satisfies x = ", wanted, ")"])


NEVER_LITERAL = {
    "money": "principal",
    "text": "string(1)",
    "number": "abs(1)",
    "bool": "(1 < 2)",
    "date": "as of",
    "time": "time(now())",
    "moment": "now()",
    "days": "(as of - as of)",
    "months": "years and months duration(as of, as of)",
}


def as_float(text: str) -> float:
    """The value of a number as written here."""
    scale = 0.01 if text.endswith("%") else 1e4 if text.endswith("万") else 1.0
    return float(text.rstrip("%万")) * scale
