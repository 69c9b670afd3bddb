"""Hostile policies by name: what the file holds, and what is to be said of it.

Small ones that only the checker sees are files under `tests/corpus/bad`; here stand those that are large, or not
text, or that matter only once they decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HEAD = "policy: p\nversion: '1'\neffective: {from: 2026-01-01}\n"


def policy(body: str, on_missing: str = "on missing: refer\n", inputs: str = "  x: {type: number}\n") -> str:
    return f"{HEAD}{on_missing}inputs:\n{inputs}{body}"


def value(expression: str, inputs: str = "  x: {type: number}\n", kind: str = "number") -> str:
    """A policy of one decision."""
    indented = "\n".join("      " + line for line in expression.split("\n"))
    return policy(f"service:\n  d:\n    type: {kind}\n    value: |-\n{indented}\n", inputs=inputs)


BOMB = "a: &a [x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)
)


def many_decisions(n: int) -> str:
    lines = "".join(f"  d{i}:\n    type: number\n    value: x + {i}\n" for i in range(n))
    return policy(f"service:\n{lines}")


def chain(n: int) -> str:
    """Features each of which reads the former."""
    lines = "".join(f"  f{i}:\n    value: {f'f{i - 1}' if i else 'x'} + 1\n" for i in range(n))
    return policy(f"features:\n{lines}service:\n  d:\n    type: number\n    value: f{n - 1}\n")


def grid(n: int) -> str:
    rows = "".join(f"      T{i} | {i} || {i}\n" for i in range(n))
    return policy(f"service:\n  d:\n    type: number\n    table: |\n      first | x || d\n{rows}      Z | - || 0\n")


def rules(n: int) -> str:
    rows = "".join(f"      - rule: R{i}\n        when: x = {i}\n        then: {i}\n" for i in range(n))
    return policy(f"service:\n  d:\n    type: number\n    rules:\n{rows}      - otherwise: 0\n")


def errors(n: int) -> str:
    rows = "".join(f"      - rule: R{i}\n        when: nobody{i} = {i}\n        then: {i}\n" for i in range(n))
    return policy(f"service:\n  d:\n    type: number\n    rules:\n{rows}      - otherwise: 0\n")


def nested_if(n: int) -> str:
    return value("".join(f"if x = {i} then {i} else " for i in range(n)) + "0")


#: name: what makes the file, the exit code of `check`, a part of what it says.
FILES: dict[str, tuple[Callable[[], str | bytes], int, str]] = {
    "alias bomb": (lambda: BOMB, 1, "E0012"),
    "nested yaml brackets": (lambda: HEAD + "a: " + "[" * 100_000, 1, "deep"),
    "closed yaml brackets": (lambda: HEAD + "a: " + "[" * 100_000 + "]" * 100_000, 1, "deep"),
    "nested braces": (lambda: HEAD + "a: " + "{a: " * 100_000, 1, "deep"),
    "nested brackets in feel": (lambda: value("(" * 49_000 + "x" + ")" * 49_000), 1, "nested"),
    "nested lists in feel": (lambda: value("[" * 100_000 + "x" + "]" * 100_000), 1, "E0108"),
    "unclosed brackets in feel": (lambda: value("(" * 100_000), 1, "nested"),
    "nested braces in feel": (lambda: value("{a:" * 33_000), 1, "nested"),
    "minus signs": (lambda: value("-" * 100_000 + "x"), 1, "E0"),
    "not of not": (lambda: value("not(" * 5_000 + "true" + ")" * 5_000, kind="boolean"), 1, "nested"),
    "if in if": (lambda: value("if true then " * 30_000 + "x"), 1, "E0"),
    "filters": (lambda: value("x" + "[1]" * 30_000), 1, "E0"),
    "calls": (lambda: value("abs(" * 20_000 + "x" + ")" * 20_000), 1, "E0108"),
    "paths": (lambda: value("x" + ".a" * 30_000), 1, "E0"),
    "1000 deep": (lambda: value("(" * 1_000 + "x" + ")" * 1_000), 1, "nested"),
    "scalar of 50 MB": (lambda: HEAD + "owner: " + "x" * 50_000_000, 1, "too large"),
    "block scalar of 50 MB": (lambda: HEAD + "owner: |\n" + "  xxxxxxxx\n" * 5_000_000, 1, "too large"),
    "feel text of 490 KB": (lambda: value('"' + "x" * 490_000 + '"', kind="string"), 1, "E0"),
    "null character": (lambda: policy("service:\n  d:\n    type: number\n    value: x\0\n"), 1, "null character"),
    "invalid utf-8": (lambda: HEAD.encode() + b"owner: caf\xe9\n", 1, "not UTF-8"),
    "utf-16": (lambda: policy("service:\n  d: {type: number}\n").encode("utf-16"), 1, "UTF-16"),
    "gb18030": (lambda: (HEAD + "owner: 中小企业信贷政策\n").encode("gb18030"), 1, "GB18030"),
    "huge number": (lambda: value("x + 1e999999999"), 1, "E0"),
    "huge negative exponent": (lambda: value("x + 1e-999999999"), 0, ""),
    "number of many digits": (lambda: value("x + " + "9" * 100_000), 1, "E0"),
    "fraction of many digits": (lambda: value("x + 0." + "9" * 100_000), 1, ""),
    "huge number as plain data": (
        lambda: policy(
            "service:\n  d:\n    type: number\n    rules:\n      - rule: A\n        when: x > 1\n"
            "        then: 1e999999999\n      - otherwise: 0\n"
        ),
        1,
        "E0",
    ),
    "huge number in a range": (lambda: policy("", inputs="  x: {type: number, range: '>= 1e999999999'}\n"), 1, "E0"),
    "huge number in a grid": (
        lambda: policy(
            "service:\n  d:\n    type: number\n    table: |\n      first | x || d\n"
            "      A | > 1e999999999 || 1e999999999\n"
        ),
        1,
        "E0",
    ),
    "huge exponent of a power": (lambda: value("x ** 1e308 ** 1e308"), 0, ""),
    "power tower": (lambda: value("9 ** 9 ** 9 ** 9 ** 9 ** 9 + x"), 0, ""),
    "billion pairs": (lambda: value("count(for a in 1..1000000000, b in 1..1000000000 return a)"), 0, ""),
    "long sum": (lambda: value(" + ".join(["x"] * 20_000)), 1, "E0"),
    "long product": (lambda: value(" * ".join(["x"] * 20_000)), 1, "E0"),
    "long and": (lambda: value(" and ".join(["x > 1"] * 2_000), kind="boolean"), 0, ""),
    "longer and": (lambda: value(" and ".join(["x > 1"] * 40_000), kind="boolean"), 1, "E0"),
    "long concat": (lambda: value("string length(" + " + ".join(['"a"'] * 20_000) + ") + x"), 1, "E0"),
    "sum of 1000": (lambda: value(" + ".join(["x"] * 1_000)), 1, "E0107"),
    "sum of 150": (lambda: value(" + ".join(["x"] * 150)), 0, ""),
    "300 ifs": (lambda: nested_if(300), 1, ""),
    "90 ifs": (lambda: nested_if(90), 0, ""),
    "10,000 decisions": (lambda: many_decisions(10_000), 0, ""),
    "5,000 rules": (lambda: rules(5_000), 0, ""),
    "grid of 5,000 arms": (lambda: grid(5_000), 0, ""),
    "chain of 3,000": (lambda: chain(3_000), 0, ""),
    "1,000 decisions": (lambda: many_decisions(1_000), 0, ""),
    "500 rules": (lambda: rules(500), 0, ""),
    "grid of 500 arms": (lambda: grid(500), 0, ""),
    "chain of 500": (lambda: chain(500), 0, ""),
    "2,000 errors": (lambda: errors(2_000), 1, "E0203"),
    "name of 100,000": (lambda: policy("", inputs=f"  {'n' * 100_000}: {{type: number}}\n"), 1, "E0"),
    "unknown name of 100,000": (lambda: value("n" * 100_000), 1, "E0203"),
    "many words": (lambda: value("x " * 100_000), 1, "E0"),
    "many bars": (
        lambda: policy(
            "service:\n  d:\n    type: number\n    table: |\n      first "
            + "| x " * 20_000
            + "|| d\n      A "
            + "| - " * 20_000
            + "|| 1\n"
        ),
        0,
        "",
    ),
    "unclosed string": (lambda: value('"' + "x" * 100_000), 1, "E0"),
    "import itself by a runner": (lambda: value('__import__("os").system("id")'), 1, "E0"),
    "dunder": (lambda: value("x.__class__.__init__.__globals__"), 1, "E0"),
    "dunder in a reason": (
        lambda: policy(
            "reasons:\n  R1: {text: 'so {x.__class__} it is {0.__class__}'}\nservice:\n  d:\n    type: number\n"
            "    rules:\n"
            "      - rule: A\n        when: x > 1\n        then: 1\n        reason: R1\n      - otherwise: 0\n"
        ),
        1,
        "E0",
    ),
    "open brace in a reason": (
        lambda: policy(
            "reasons:\n  R1: {text: 'so {x'}\nservice:\n  d:\n    type: number\n    rules:\n"
            "      - rule: A\n        when: x > 1\n        then: 1\n        reason: R1\n      - otherwise: 0\n"
        ),
        1,
        "E0",
    ),
    "control characters in a name": (lambda: policy("", inputs='  "a\\e[31mred\\a": {type: number}\n'), 1, "\\u{1b}"),
    "bidi in a name": (lambda: policy("", inputs="  'a\u202eb': {type: number}\n"), 1, ""),
    "pattern for ever": (lambda: value('matches(s, "^(a+)+$")', "  s: {type: string}\n", "boolean"), 0, ""),
    "empty": (lambda: "", 1, "empty"),
    "only a comment": (lambda: "# nothing\n", 1, "empty"),
    "a list": (lambda: "- a\n", 1, "E0"),
    "a number": (lambda: "42\n", 1, "E0"),
    "windows line ends": (lambda: value("x").replace("\n", "\r\n"), 0, ""),
    "binary": (lambda: bytes(range(256)) * 100, 1, "E0"),
    "elf": (lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 1000, 1, "E0"),
}

#: Sound policies whose size is the point; what they take grows with it, and they run with `make test-real`.
LARGE = frozenset({"10,000 decisions", "5,000 rules", "grid of 5,000 arms", "chain of 3,000", "many bars"})

TEXT = "  s: {type: string}\n"
LOOPS = "  id: {type: string, key: true}\n  x: {type: number}\n"
HISTORY = "history:\n  h:\n    key: id\n    fields:\n      v: {type: number}\n"


def loops(expression: str) -> str:
    return policy(f"service:\n  d:\n    type: number\n    value: {expression}\n", inputs=LOOPS) + HISTORY


def doubled(first: str, step: str, last: str, inputs: str) -> str:
    """Sixty features, each made of two of the former."""
    lines = f"  t0:\n    value: '{first}'\n" + "".join(
        f"  t{i}:\n    value: {step.format(f't{i - 1}')}\n" for i in range(1, 60)
    )
    return policy(f"features:\n{lines}service:\n  d:\n    type: number\n    value: {last}\n", inputs=inputs)


THREE = {"x": 3}
ROWS = {"id": "a", "x": 1, "history": {"h": [{"v": n} for n in range(3_000)]}}

#: name: what makes the policy, the customer, the exit code of `decide`, a part of what it says.
DECIDED: dict[str, tuple[Callable[[], str], dict[str, Any], int, str]] = {
    "10,000 decisions": (lambda: many_decisions(10_000), THREE, 0, "d9999"),
    "5,000 rules": (lambda: rules(5_000), THREE, 0, "R3"),
    "grid of 5,000 arms": (lambda: grid(5_000), THREE, 0, "T3"),
    "chain of 3,000": (lambda: chain(3_000), THREE, 0, "3003"),
    "500 rules": (lambda: rules(500), THREE, 0, "R3"),
    "grid of 500 arms": (lambda: grid(500), THREE, 0, "T3"),
    "chain of 300": (lambda: chain(300), THREE, 0, "303"),
    "long and": (lambda: value(" and ".join(["x > 1"] * 2_000), kind="boolean"), THREE, 0, "d  true"),
    "90 ifs": (lambda: nested_if(90), THREE, 0, "d  3"),
    "power tower": (lambda: value("9 ** 9 ** 9 ** 9 ** 9 ** 9 + x"), THREE, 0, "no value"),
    "billion pairs": (
        lambda: value("count(for a in 1..1000000000, b in 1..1000000000 return a) + x"),
        THREE,
        0,
        "no value",
    ),
    "billion pairs of short ranges": (
        lambda: value("count(for a in 1..1000, b in 1..1000, c in 1..1000 return a) + x"),
        THREE,
        1,
        "10,000,000 steps",
    ),
    "pairs of a long range": (
        lambda: value("count(for a in 1..900000, b in 1..900000 return a) + x"),
        THREE,
        1,
        "10,000,000 steps",
    ),
    "some of pairs": (
        lambda: value("some a in 1..9000, b in 1..9000 satisfies a * b = x - 4", kind="boolean"),
        THREE,
        1,
        "steps",
    ),
    "records of pairs": (
        lambda: value("count(for a in 1..1000, b in 1..1000 return {p: a, q: b, r: x})"),
        THREE,
        1,
        "10,000,000 steps",
    ),
    "numbers of pairs": (lambda: value("count(for a in 1..500, b in 1..500 return a * b + x)"), THREE, 0, "250,000"),
    "texts of numbers": (
        lambda: value('string length(string join(for a in 1..9999 return s + string(a), ","))', TEXT),
        {"s": "a" * 9_000},
        1,
        "10,000,000 steps",
    ),
    "pairs of rows": (lambda: loops("count(for a in h, b in h, c in h return a.v)"), ROWS, 1, "10,000,000 steps"),
    "rows within rows": (
        lambda: loops("sum(for a in h return sum(for b in h return sum(for c in h return a.v * c.v)))"),
        ROWS,
        1,
        "steps",
    ),
    "rows filtered by rows": (
        lambda: loops("sum(for a in h return count(h[v > a.v]) + count(h[v < 2 * a.v]))"),
        ROWS,
        1,
        "steps",
    ),
    "text doubling": (lambda: doubled("s + s", "{0} + {0}", "string length(t59)", TEXT), {"s": "abcd"}, 0, "no value"),
    "list doubling": (
        lambda: doubled("[x, x]", "concatenate({0}, {0})", "count(t59)", "  x: {type: number}\n"),
        THREE,
        0,
        "no value",
    ),
    "replacing": (
        lambda: value(
            'string length(replace(replace(replace(s, "a", "aaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaaaaaaaaaa"), '
            '"a", "aaaa"))',
            TEXT,
        ),
        {"s": "a" * 1_000},
        0,
        "no value",
    ),
    "joining": (
        lambda: value("string length(string join(for i in 1..900000 return s))", TEXT),
        {"s": "a" * 1_000},
        1,
        "steps",
    ),
    "pattern for ever": (
        lambda: value('matches(s, "^(a|aa|a?)+$")', TEXT, "boolean"),
        {"s": "a" * 5_000 + "b"},
        0,
        "d  ",
    ),
    "pattern of stars": (
        lambda: value('matches(s, "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a]$")', TEXT, "boolean"),
        {"s": "a" * 500},
        0,
        "d  ",
    ),
    "pattern of repeats": (
        lambda: value('matches(s, "((a{1,1000}){1,1000}){1,1000}b")', TEXT, "boolean"),
        {"s": "a" * 500},
        0,
        "d  ",
    ),
    "pattern of the data": (lambda: value("matches(s, s)", TEXT, "boolean"), {"s": "((((a*)*)*)*)*" * 60}, 0, "d  "),
    "pattern for every number": (
        lambda: value(
            'count(for i in 1..1000 return matches(s + string(i), "(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a0-9]$"))', TEXT
        ),
        {"s": "a" * 500},
        1,
        "steps",
    ),
    "split for ever": (lambda: value('count(split(s, "(x*)*y"))', TEXT), {"s": "x" * 5_000}, 0, "d  "),
}
