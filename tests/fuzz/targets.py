"""What is fuzzed: each target takes a source of chance, makes one hostile input and gives it to the engine.

A target returns what the input was and raises `Fault` where anything but the promised came out: a policy loads or is a
`PolicyError`, an expression has a value or is a `FeelError`, a portfolio ends with an exit code from 0 to 3, a customer
is decided or refused.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import fractions
import io
import json
import os
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from engine import feel
from engine.commands import run as command_line
from engine.policy import Policy, PolicyError, load_policy
from engine.render import render_json, render_sarif, render_text
from tests.hostile import data

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime.date(2026, 7, 1)


class Fault(AssertionError):
    """What came out that must not; the input is in the message."""


# --- mutation ---------------------------------------------------------------------------

#: Pieces that files of policies, expressions and data are made of, and what goes wrong between them.
PIECES = [
    "\n",
    "  ",
    "    ",
    "\t",
    "- ",
    ": ",
    ":",
    "|",
    "||",
    "|-\n",
    ">",
    "'",
    '"',
    "#",
    " #",
    "//",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    "..",
    ".",
    "=",
    "!=",
    "<",
    "<=",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "**",
    "&x ",
    "*x",
    "!t ",
    "<<: ",
    "---\n",
    "null",
    "true",
    "and",
    "or",
    "not",
    "not(",
    "if ",
    " then ",
    " else ",
    "for x in ",
    " return ",
    "some ",
    " satisfies ",
    "in ",
    "between ",
    "instance of ",
    "function(x) ",
    "item",
    "?",
    "as of",
    'duration("P1D")',
    'date("2026-01-01")',
    '@"P1Y"',
    "1e999",
    "1e-999",
    "9" * 40,
    "0",
    "-1",
    "1/0",
    "30%",
    "500万",
    "\0",
    "\u202e",
    "\ufeff",
    "\ud800",
    "：",
    "，",
    "“",
    "”",
    "年",
    "\r",
    "\r\n",
    "\x85",
    "\u2028",
    "=1+1",
    "values",
    "order: best first",
    "optional: true",
    "on missing: refer",
    "otherwise",
    "first | x || d\n",
    "base 500\n",
    "then: ",
    "when: ",
    "rule: ",
    "reasons: ",
    "use: ",
    "policy: ",
    "with: ",
    "sum(",
    "count(",
    "max(",
    "matches(",
    '"(a+)+$"',
    "get or else(",
    "null)",
    "x",
    "d",
    "{x}",
    "{",
    "from d",
]


def mutated(text: str, chance: random.Random) -> str:
    """`text` with some cuts, repeats, swaps and insertions."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice((1, 1, 2, 5, 20, 80)))
        kind = chance.randrange(7)
        if kind == 0:
            text = text[:at] + text[to:]
        elif kind == 1:
            text = text[:to] + text[at:to] + text[to:]
        elif kind in (2, 3):
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind == 4:
            text = text[:at] + chance.choice(PIECES) + text[to:]
        elif kind == 5:
            lines = text.split("\n")
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            text = "\n".join(lines)
        else:
            words = text.split(" ")
            one, other = chance.randrange(len(words)), chance.randrange(len(words))
            words[one] = words[other]
            text = " ".join(words)
    return text


def spoiled(text: str, chance: random.Random) -> bytes:
    """A mutated text as bytes, at times with bytes that are no text."""
    content = mutated(text, chance).encode("utf-8", "surrogatepass")
    if chance.random() < 0.15 and content:
        at = chance.randrange(len(content))
        content = content[:at] + bytes([chance.randrange(256)]) + content[at + chance.randrange(3) :]
    return content


# --- targets -----------------------------------------------------------------------------


@cache
def policies(sound: bool) -> tuple[Path, ...]:
    """Sound policies, or faulty ones, whose mutants are near to what people write."""
    corpus = ROOT / "tests" / "corpus"
    places = [*corpus.glob("good/*.yaml"), *(ROOT / "policies").glob("*.yaml")] if sound else corpus.glob("bad/*.yaml")
    return tuple(sorted(p for p in places if not p.name.endswith(".test.yaml")))


@cache
def text_of(place: Path) -> str:
    return place.read_text("utf-8", "replace")


def policy(chance: random.Random) -> str:
    """A mutated policy file, loaded, and where it loads a customer without data decided."""
    content = spoiled(text_of(chance.choice(policies(chance.random() < 0.7))), chance)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "p.yaml")
        place.write_bytes(content)
        try:
            loaded = load_policy(place)
        except PolicyError as error:
            if not error.diagnostics:
                raise Fault(f"no diagnostics: {content!r}") from None
            render_text(error.diagnostics, error.sources)
            json.loads(render_json(error.diagnostics))
            json.loads(render_sarif(error.diagnostics))
            return "refused"
        except Exception as error:
            raise Fault(f"{error!r}: {content!r}") from error
        try:
            found = loaded.diagnostics
            render_text(found, loaded.sources)
            customer = {i.name: plausible(chance) for i in loaded.program.inputs}
            alike(loaded, customer, {h.name: [] for h in loaded.program.histories})
        except Exception as error:
            raise Fault(f"{error!r}: {content!r}") from error
        return "loaded"


def alike(loaded: Policy, customer: dict[str, Any], history: dict[str, Any]) -> None:
    """Decide by both evaluators and explain."""
    one = loaded.decide(customer, as_of=DAY, history=history)
    other = loaded.decide(customer, as_of=DAY, history=history, engine="reference")
    if one.values != other.values or one.refused != other.refused:
        raise Fault(f"{one!r} and {other!r} of {customer!r}")
    one.explain()
    json.dumps(one.explain(format="json"))


def plausible(chance: random.Random) -> Any:
    return chance.choice((None, 0, 1, -1, 0.5, 1e6, "", "A", "2026-01-01", "P1D", True, False, DAY))


EXPRESSIONS = [
    "if x > 1 then y else z",
    "for a in [1, 2, x], b in 1..3 return a * b + partial[1]",
    "some a in l satisfies a > x",
    "every a in l satisfies a > x",
    "l[item > 2]",
    "c.a + c.b",
    "{p: 1, q: p + 1, r: function(k) k * 2}.r(4)",
    "[1..5) overlaps [3..9]",
    "x between 1 and 5",
    "x in (1, 2, [3..4], < 0)",
    'substring("foobar", 3, 2)',
    'date("2026-02-28") + duration("P1M")',
    'time("10:00:00@Europe/Paris")',
    'date and time("2026-01-01T00:00:00Z").year',
    'replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")',
    'matches(s, "^a+$", "i")',
    "sort(l, function(a, b) a < b)",
    'string join(["a", "b"], "-")',
    "x instance of number",
    "l instance of list<number>",
    "decimal(x / 3, 2)",
    "-x ** 2",
    "sum(l) / count(l)",
    'get entries(c)[key = "a"].value',
    '@"2026-01-01" - @"2025-01-01"',
    "not(x = 1 or y = 2)",
    "concatenate(l, [1], l)",
    'range("[1..3]")',
    "median(l) + mode(l)[1] + stddev(l)",
    'context put(c, ["a", "b"], 5)',
    'is(date("2026-01-01"), date("2026-01-01"))',
    "string(c) + string(l)",
    'number("1,000.5", ",", ".")',
    "Monthly Salary * 12",
]
NAMES: dict[str, Any] = {
    "x": 3,
    "y": -0.5,
    "z": None,
    "l": [1, 2, 3, None],
    "c": {"a": 1, "b": {"d": "e"}},
    "s": "aaa",
    "Monthly Salary": 10_000,
    "年": 5,
    "d": DAY,
}


def expression(chance: random.Random) -> str:
    """A mutated expression or cell, evaluated."""
    text = mutated(chance.choice(EXPRESSIONS), chance)
    if chance.random() < 0.3:
        text = text.replace("x", chance.choice(EXPRESSIONS), 1)
    try:
        feel.evaluate(text, NAMES)
        feel.unary_test(text, chance.choice(list(NAMES.values())), NAMES)
        feel.explain_null(text, NAMES)
    except feel.FeelError as error:
        if not error.diagnostics:
            raise Fault(f"no diagnostics: {text!r}") from None
        render_text(error.diagnostics, {d.span.file: text for d in error.diagnostics if d.span is not None})
        return "refused"
    except Exception as error:
        raise Fault(f"{error!r}: {text!r}") from error
    return "evaluated"


CSV = data.HEADER + data.GOOD + 'b,3,BJ,B,H,"Bo, ""the"" 2nd"\n' + "c,,,,,\n" * 3 + "d,1e3,SH,A,G,年\n"
JSONL = '{"id": "a", "x": 2, "city": "SH"}\n{"id": "b", "x": null, "name": "\\u5e74"}\n{"id": "c", "x": 1.5e3}\n'
EVENTS = "id,amount\na,1\na,2.5\nb,3\n"


def portfolio(chance: random.Random) -> str:
    """Mutated data, an event table at times, through `tierwise run`."""
    lines = chance.random() < 0.5
    content = spoiled(JSONL if lines else CSV, chance)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "p.yaml").write_text(data.POLICY, "utf-8")
        name = "d.jsonl" if lines else "d.csv"
        Path(folder, name).write_bytes(content)
        args = ["run", f"{folder}/p.yaml", f"{folder}/{name}", "--as-of", "2026-07-01", "-o", f"{folder}/out.jsonl"]
        if chance.random() < 0.5:
            events = spoiled(EVENTS, chance)
            content += b" with " + events
            Path(folder, "e.csv").write_bytes(events)
            args += ["--history", f"events={folder}/e.csv"]
        code, said = quietly(args)
        if code not in (0, 1, 2, 3) or "Traceback" in said or "\x1b" in said:
            raise Fault(f"exit {code}, {said[-500:]!r}: {content!r}")
        if code in (0, 1):
            for line in Path(folder, "out.jsonl").read_text("utf-8").split("\n")[:-1]:
                json.loads(line)
        return f"exit {code}"


def single(chance: random.Random) -> str:
    """A mutated customer through `tierwise decide`."""
    whole: Any = {
        "id": "a",
        "x": 2,
        "city": "SH",
        "name": "Ann",
        "history": {"events": [{"amount": 1.5}, {"amount": 2}]},
    }
    for _ in range(chance.randrange(3)):
        place = chance.choice((whole, whole, whole, whole["history"], whole["history"]["events"][0]))
        place[chance.choice(("id", "x", "city", "name", "tier", "amount", "events"))] = chance.choice(
            (
                None,
                True,
                0,
                -1.5,
                1e308,
                10**30,
                "",
                "x",
                "\ud800",
                "\u202e\x1b[31m",
                "9" * 1_000,
                [],
                {},
                [[]],
                [{}],
                [1],
                {"a": {}},
            )
        )
        if not isinstance(whole["history"].get("events"), list) or not whole["history"]["events"]:
            break
        if not isinstance(whole["history"]["events"][0], dict):
            break
    content = json.dumps(whole, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.3:
        content = spoiled(content.decode("utf-8", "replace"), chance)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "p.yaml").write_text(data.POLICY, "utf-8")
        Path(folder, "c.json").write_bytes(content)
        form = chance.choice(("text", "json"))
        code, said = quietly(
            ["decide", f"{folder}/p.yaml", f"{folder}/c.json", "--as-of", "2026-07-01", "--format", form]
        )
        if code not in (0, 1, 2, 3) or "Traceback" in said or "\x1b" in said:
            raise Fault(f"exit {code}, {said[-500:]!r}: {content!r}")
        return f"exit {code}"


def quietly(args: list[str]) -> tuple[int, str]:
    """A command's exit code and what it said."""
    said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = command_line(args)
    except Exception as error:
        raise Fault(f"{error!r}: {args!r}") from error
    said.seek(0)
    return code, said.read()


class Stranger:
    """An object of a kind that no policy knows."""


def values(chance: random.Random, depth: int = 0) -> Any:
    """Any Python value."""
    plain: list[Any] = [
        None,
        True,
        False,
        0,
        1,
        -1,
        2**53 + 1,
        10**400,
        0.0,
        -0.0,
        1e308,
        -1e308,
        1e-320,
        float("nan"),
        float("inf"),
        "",
        " ",
        "A",
        "SH",
        "2",
        "1e5",
        "\0",
        "\ud800",
        "x" * 10_000,
        "2026-02-30",
        "P1D",
        "年",
        b"bytes",
        bytearray(b"x"),
        decimal.Decimal("1.5"),
        decimal.Decimal("NaN"),
        decimal.Decimal("sNaN"),
        decimal.Decimal("1e999999"),
        fractions.Fraction(1, 3),
        1 + 2j,
        DAY,
        datetime.datetime(2026, 7, 1, 12),
        datetime.datetime.max,
        datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC),
        datetime.time(12),
        datetime.timedelta.max,
        Stranger(),
        Stranger,
        len,
        ...,
        range(3),
        {1, 2},
        frozenset(),
        memoryview(b"x"),
        object(),
        NotImplemented,
    ]
    if depth < 3 and chance.random() < 0.2:
        size = chance.randrange(4)
        if chance.random() < 0.5:
            return [values(chance, depth + 1) for _ in range(size)]
        return {chance.choice(["amount", "id", "x", ""]): values(chance, depth + 1) for _ in range(size)}
    return chance.choice(plain)


@cache
def decider() -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "p.yaml")
        place.write_text(data.POLICY, "utf-8")
        return load_policy(place)


@cache
def shipped() -> Policy:
    return load_policy(ROOT / "policies" / "working-capital.yaml")


@cache
def sound(name: str) -> dict[str, Any]:
    """A sound customer of a policy."""
    if name == "p":
        return {"id": "a", "x": 2, "city": "SH", "tier": "A", "grade": "G", "name": "Ann"}
    whole: dict[str, Any] = json.loads((ROOT / "policies" / "samples" / "customer.json").read_text("utf-8"))
    return {key: value for key, value in whole.items() if key != "history"}


def customer(chance: random.Random) -> str:
    """Any objects as a customer's data, decided by both evaluators."""
    loaded = chance.choice((decider, shipped))()
    program = loaded.program
    inputs = dict(sound(loaded.name))
    share = chance.choice((0.0, 0.05, 0.2, 1.0))
    inputs |= {i.name: values(chance) for i in program.inputs if chance.random() < share}
    history: dict[str, Any] = {}
    for each in program.histories:
        if chance.random() < 0.7:
            rows = [{f.name: values(chance) for f in each.fields} for _ in range(chance.choice((0, 0, 1, 2)))]
            history[each.name] = chance.choice((rows, rows, rows, rows, rows, rows, values(chance)))
    try:
        alike(loaded, inputs, history)
        return "refused" if loaded.decide(inputs, as_of=DAY, history=history).refused else "decided"
    except Exception as error:
        raise Fault(f"{error!r}: {inputs!r} with {history!r}") from error


TARGETS: dict[str, Callable[[random.Random], str]] = {
    "policy": policy,
    "expression": expression,
    "portfolio": portfolio,
    "single": single,
    "customer": customer,
}

os.environ.setdefault("TIERWISE_CACHE", "0")
