"""What the page on FEEL says of each function: a sentence and an example, whose result is worked out."""
from __future__ import annotations

from engine import feel
from engine.commands.feel import shown
from engine.semantics.catalogue import BUILTINS, Operation, Signature

Entry = tuple[str, str, str]

#: Group, then name, sentence and example of each function.
GROUPS: dict[str, tuple[Entry, ...]] = {
    "Conversions": (
        ("date", "the date of a text, a moment, or of year, month and day", 'date(2026, 7, 1)'),
        ("time", "the time of a text or moment, or of hour, minute, second and offset", 'time("09:30:00")'),
        ("date and time", "the moment of a text, or of a date and a time", 'date and time("2026-07-01T09:30:00")'),
        ("duration", "the duration of a text: of days (`P3DT4H`) or of months (`P1Y6M`)", 'duration("P1Y6M")'),
        ("years and months duration", "the whole months between two dates",
         'years and months duration(date("2024-03-31"), date("2026-07-01"))'),
        ("number", "the number of a text, its separators named", 'number("1.234,5", ".", ",")'),
        ("string", "the text of a value", 'string(1.50)'),
        ("range", "the range of a text", 'range("[1..5)")'),
    ),
    "Truth and null": (
        ("not", "the opposite; null of null", 'not(true)'),
        ("get or else", "the value, or the default where it is null", 'get or else(null, 0)'),
        ("is", "whether two values are the same in kind and value", 'is(1, "1")'),
        ("all", "whether all are true; null where a null leaves it open", 'all([true, null, false])'),
        ("any", "whether one is true; null where a null leaves it open", 'any([false, null, true])'),
    ),
    "Numbers": (
        ("decimal", "rounded to digits, half to even", 'decimal(2.345, 2)'),
        ("floor", "the next number below, of the digits given", 'floor(-1.5)'),
        ("ceiling", "the next number above, of the digits given", 'ceiling(1.234, 2)'),
        ("round up", "rounded away from zero", 'round up(1.121, 2)'),
        ("round down", "rounded towards zero", 'round down(1.129, 2)'),
        ("round half up", "rounded, half away from zero", 'round half up(2.5, 0)'),
        ("round half down", "rounded, half towards zero", 'round half down(2.5, 0)'),
        ("abs", "without its sign; of durations too", 'abs(-5)'),
        ("modulo", "what is left of a division, with the sign of the divisor", 'modulo(-12, 5)'),
        ("sqrt", "the square root; null below zero", 'sqrt(16)'),
        ("log", "the natural logarithm; null at zero and below", 'log(10)'),
        ("exp", "e to the power", 'exp(0)'),
        ("odd", "whether a whole number is odd", 'odd(5)'),
        ("even", "whether a whole number is even", 'even(5)'),
    ),
    "Texts": (
        ("substring", "a part, from a position (1 is the first, -1 the last) and of a length",
         'substring("foobar", 3, 2)'),
        ("string length", "the number of characters", 'string length("年收入")'),
        ("upper case", "in capitals", 'upper case("aBc")'),
        ("lower case", "in small letters", 'lower case("aBc")'),
        ("substring before", "what stands before the first match", 'substring before("2026-07", "-")'),
        ("substring after", "what stands after the first match", 'substring after("2026-07", "-")'),
        ("contains", "whether it holds another text", 'contains("foobar", "oba")'),
        ("starts with", "whether it starts with another text", 'starts with("foobar", "foo")'),
        ("ends with", "whether it ends with another text", 'ends with("foobar", "bar")'),
        ("matches", "whether a regular expression matches; flags `s`, `m`, `i`, `x`",
         'matches("SH-0017", "^[A-Z]{2}-\\d+$")'),
        ("replace", "with the matches of a regular expression replaced", 'replace("a-b-c", "-", "/")'),
        ("split", "the parts between the matches of a regular expression", 'split("a;b;;c", ";")'),
        ("string join", "the texts of a list, joined", 'string join(["a", "b"], ", ")'),
    ),
    "Lists": (
        ("count", "how many", 'count([1, null, 3])'),
        ("sum", "the sum; of no items 0 in a policy, null in bare FEEL", 'sum([1, 2, 3])'),
        ("mean", "the average", 'mean([1, 2, 6])'),
        ("min", "the least", 'min([3, 1, 2])'),
        ("max", "the greatest", 'max(3, 1, 2)'),
        ("product", "the product", 'product([2, 3, 4])'),
        ("median", "the middle one, or the mean of the two in the middle", 'median([8, 2, 5, 3])'),
        ("stddev", "the standard deviation of a sample", 'stddev([2, 4, 7, 5])'),
        ("mode", "the most frequent, all of them in order", 'mode([6, 3, 9, 6, 6, 3])'),
        ("list contains", "whether it is among them", 'list contains([1, 2], 2)'),
        ("sublist", "a part, from a position and of a length", 'sublist([4, 5, 6], 2)'),
        ("append", "with items at the end", 'append([1], 2, 3)'),
        ("concatenate", "lists one behind the other", 'concatenate([1], [2, 3])'),
        ("insert before", "with an item put before a position", 'insert before([1, 3], 2, 2)'),
        ("remove", "without the item at a position", 'remove([1, 2, 3], 2)'),
        ("list replace", "with the item at a position, or those that a function picks, replaced",
         'list replace([2, 4, 7], 3, 6)'),
        ("reverse", "the other way round", 'reverse([1, 2, 3])'),
        ("index of", "the positions of an item", 'index of([1, 2, 1], 1)'),
        ("union", "lists one behind the other, each item once", 'union([1, 2], [2, 3])'),
        ("distinct values", "each item once", 'distinct values([1, 2, 1])'),
        ("flatten", "lists within lists taken out of them", 'flatten([[1, [2]], 3])'),
        ("sort", "in order, by a function where items have none", 'sort([3, 1, 2], function(a, b) a > b)'),
    ),
    "Contexts": (
        ("get value", "the value of a key", 'get value({a: 1}, "a")'),
        ("get entries", "keys and values as a list", 'get entries({a: 1})'),
        ("context", "a context of keys and values", 'context([{key: "a", value: 1}])'),
        ("context put", "with an entry put in", 'context put({a: 1}, "b", 2)'),
        ("context merge", "contexts in one, the later goes before", 'context merge([{a: 1}, {a: 2, b: 3}])'),
    ),
    "Dates": (
        ("today", "the date of the decision", 'today() = date(now())'),
        ("now", "the moment of the decision", 'now() instance of date and time'),
        ("day of year", "from 1 to 366", 'day of year(date("2026-07-01"))'),
        ("day of week", "the name of the day", 'day of week(date("2026-07-01"))'),
        ("month of year", "the name of the month", 'month of year(date("2026-07-01"))'),
        ("week of year", "the week by ISO 8601", 'week of year(date("2026-07-01"))'),
    ),
    "Ranges": (
        ("before", "whether the first ends before the second begins", 'before([1..5], [6..10])'),
        ("after", "whether the first begins after the second ends", 'after(7, [1..5])'),
        ("meets", "whether the first ends where the second begins", 'meets([1..5], [5..10])'),
        ("met by", "the same with the two changed", 'met by([5..10], [1..5])'),
        ("overlaps", "whether they share a part", 'overlaps([1..5], [3..8])'),
        ("overlaps before", "whether the first begins earlier and ends within the second",
         'overlaps before([1..5], [3..8])'),
        ("overlaps after", "whether the first begins within the second and ends later",
         'overlaps after([3..8], [1..5])'),
        ("finishes", "whether the first is the end of the second", 'finishes([3..5], [1..5])'),
        ("finished by", "the same with the two changed", 'finished by([1..5], 5)'),
        ("includes", "whether the first holds the second", 'includes([1..10], [4..6])'),
        ("during", "the same with the two changed", 'during(5, [1..10])'),
        ("starts", "whether the first is the beginning of the second", 'starts([1..3], [1..5])'),
        ("started by", "the same with the two changed", 'started by([1..5], 1)'),
        ("coincides", "whether they are the same", 'coincides([1..5], [1..5])'),
    ),
}


def functions() -> str:
    """The tables of all functions; fails where one is not described, or no longer there."""
    described = [name for entries in GROUPS.values() for name, _, _ in entries]
    if sorted(described) != sorted(BUILTINS.functions()):
        raise SystemExit(f"not described, or no function: {', '.join(set(described) ^ set(BUILTINS.functions()))}")
    parts = []
    for group, entries in GROUPS.items():
        parts.append(f"### {group}\n\n| function | gives | example | result |\n|---|---|---|---|\n")
        parts += (_row(*entry) for entry in entries)
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _row(name: str, sentence: str, example: str) -> str:
    calls = "<br>".join(dict.fromkeys(f"`{_call(BUILTINS.get(name), s)}`" for s in BUILTINS.get(name).signatures))
    result = shown(feel.evaluate(example))
    return f"| {calls} | {sentence} | `{_cell(example)}` | `{_cell(result)}` |\n"


def _call(operation: Operation, signature: Signature) -> str:
    """`name(a, b?)`: `?` marks what may be left out, `...` what may be repeated."""
    names = [p.name + ("?" if p.optional else "") for p in signature.parameters]
    if signature.variadic:
        names[-1] += "..."
    return f"{operation.name}({', '.join(names)})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
