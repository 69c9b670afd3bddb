"""Regular expressions of XPath 3.1, which FEEL's `matches`, `replace` and `split` take.

A pattern is read by a small parser (so that what XPath does not know is refused, not
understood otherwise) and written anew for the `regex` package, whose search stops after
`TIMEOUT` seconds of the processor: a pattern that backtracks for ever ends in `LimitExceeded`.
`docs/decisions/0003-regular-expressions.md` weighs the engines.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

from engine.semantics.values import MAX_ITEMS, MAX_TEXT, LimitExceeded, Undefined
from engine.semantics.work import SEARCH, made, spend

R = TypeVar("R")

#: Seconds that one search may take.
TIMEOUT = 0.25
MAX_PATTERN = 2_000
MAX_REPEAT = 1_000

_SINGLE = {"n": r"\n", "r": r"\r", "t": r"\t"}
_LITERAL_ESCAPES = frozenset("\\|.?*+(){}-[]^$")
_CATEGORIES = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn".split())
# Multi-character escapes of XML Schema: what stands inside a class, and whether it is a complement.
_SETS = {
    "s": r"\x20\t\n\r", "d": r"\p{Nd}", "i": r"\p{L}\p{Nl}_:", "c": r"\p{L}\p{Nd}\p{Nl}\p{Mn}\p{Mc}_:.\-\u00B7",
}
_WORD = r"\p{P}\p{Z}\p{C}"


class _Reader:
    """Reads one pattern; `run` gives it in the `regex` package's words."""

    def __init__(self, pattern: str, flags: frozenset[str]) -> None:
        self.pattern = pattern
        self.flags = flags
        self.at = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.depth = 0

    def fail(self, why: str) -> Undefined:
        return Undefined(f"the pattern is not a regular expression: {why}")

    def peek(self) -> str:
        return self.pattern[self.at:self.at + 1]

    def take(self) -> str:
        char = self.pattern[self.at:self.at + 1]
        if not char:
            raise self.fail("it ends too early")
        self.at += 1
        return char

    def run(self) -> str:
        out = self.branches()
        if self.at < len(self.pattern):
            raise self.fail("a `)` closes nothing")
        return out

    def branches(self) -> str:
        self.depth += 1
        if self.depth > 100:
            raise self.fail("it is nested too deep")
        parts = [self.branch()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.branch())
        self.depth -= 1
        return "|".join(parts)

    def branch(self) -> str:
        out = []
        while self.peek() and self.peek() not in "|)":
            out.append(self.atom() + self.quantifier())
        return "".join(out)

    def atom(self) -> str:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return self.char_class()
        if char == ".":
            return r"[\s\S]" if "s" in self.flags else r"[^\n\r]"
        if char == "\\":
            return self.cased(self.escape(inside=False))
        if char == "^":
            return r"(?:\A|(?<=\n)(?!\Z))" if "m" in self.flags else r"\A"
        if char == "$":
            return r"(?=\n|\Z)" if "m" in self.flags else r"\Z"
        if char in "?*+{}]":
            raise self.fail(f"`{char}` cannot stand here")
        return _quote(char)

    def cased(self, escape: str) -> str:
        """A category or block keeps its case under the `i` flag, which takes the case from characters only."""
        return f"(?-i:{escape})" if "i" in self.flags and escape.startswith(("[\\p", "[\\P")) else escape

    def group(self) -> str:
        if self.peek() == "?":
            if self.pattern[self.at:self.at + 2] != "?:":
                raise self.fail("`(?` is not of XPath")
            self.at += 2
            inner = f"(?:{self.branches()})"
            number = None
        else:
            self.groups += 1
            number = self.groups
            inner = f"({self.branches()})"
        if self.peek() != ")":
            raise self.fail("a `(` is never closed")
        self.at += 1
        if number is not None:
            self.closed.add(number)
        return inner

    def quantifier(self) -> str:
        char = self.peek()
        if char and char in "?*+":
            self.at += 1
            out = char
        elif char == "{":
            end = self.pattern.find("}", self.at)
            low, comma, high = self.pattern[self.at + 1:max(end, 0)].partition(",")
            digits = low.isascii() and low.isdigit() and (not high or high.isascii() and high.isdigit())
            if end < 0 or not digits or high and int(high) < int(low):
                raise self.fail("a `{` does not count")
            if int(high or low) > MAX_REPEAT:
                raise LimitExceeded(f"a pattern repeats at most {MAX_REPEAT} times")
            out = "{" + low + comma + high + "}"
            self.at = end + 1
        else:
            return ""
        if self.peek() == "?":
            self.at += 1
            out += "?"
        if self.peek() and self.peek() in "?*+{":
            raise self.fail(f"`{self.peek()}` cannot stand here")
        return out

    def escape(self, inside: bool) -> str:
        char = self.take()
        if char in _SINGLE:
            return _SINGLE[char]
        if char in _LITERAL_ESCAPES:
            return _quote(char)
        if char.lower() in _SETS:
            body = _SETS[char.lower()]
            return f"[{body}]" if char.islower() else f"[^{body}]"
        if char == "w":
            return f"[^{_WORD}]"
        if char == "W":
            return f"[{_WORD}]"
        if char in "pP":
            return self.property(char)
        if char.isascii() and char.isdigit() and char != "0" and not inside:
            return self.back_reference(char)
        raise self.fail(f"`\\{char}` is not of XPath")

    def back_reference(self, digit: str) -> str:
        number = int(digit)
        while self.peek().isascii() and self.peek().isdigit() and number * 10 + int(self.peek()) <= self.groups:
            number = number * 10 + int(self.take())
        if number not in self.closed:
            raise self.fail(f"`\\{number}` refers to no group before it")
        return f"(?:\\{number})"

    def property(self, kind: str) -> str:
        if self.take() != "{":
            raise self.fail("`\\p` names a category in braces")
        end = self.pattern.find("}", self.at)
        if end < 0:
            raise self.fail("a `{` is never closed")
        name = self.pattern[self.at:end]
        self.at = end + 1
        if name in _CATEGORIES:
            return f"[\\{kind}{{{name}}}]"
        if name.startswith("Is") and name[2:].replace("-", "").isalnum():
            return f"[\\{kind}{{Block={name[2:]}}}]"
        raise self.fail(f"there is no category `{name}`")

    def char_class(self) -> str:
        self.depth += 1
        if self.depth > 100:
            raise self.fail("it is nested too deep")
        negated = self.peek() == "^"
        if negated:
            self.at += 1
        parts: list[str] = []
        categories: list[str] = []
        subtracted = ""
        first = True
        while True:
            char = self.take()
            if char == "]" and not first:
                break
            if char == "-" and self.peek() == "[":
                if first:
                    raise self.fail("a class subtracts from nothing")
                self.at += 1
                subtracted = self.char_class()
                if self.take() != "]":
                    raise self.fail("a subtraction ends its class")
                break
            if char in "[]":
                raise self.fail(f"`{char}` needs a backslash in a class")
            first = False
            low = self.escape(inside=True) if char == "\\" else _quote(char)
            # A range: `-` between two single characters, not before the closing bracket or a subtraction.
            if (self.peek() == "-" and self.pattern[self.at + 1:self.at + 2] not in ("]", "[", "")
                    and not low.startswith("[")):
                self.at += 1
                next_char = self.take()
                high = self.escape(inside=True) if next_char == "\\" else _quote(next_char)
                if high.startswith("["):
                    raise self.fail("a range ends in a character")
                if _point(low) > _point(high):
                    raise self.fail("a range runs backward")
                parts.append(f"{low}-{high}")
            elif self.cased(low) != low:
                categories.append(self.cased(low))
            else:
                parts.append(low)
        self.depth -= 1
        if not categories and not subtracted.startswith("("):
            body = f"[{'^' if negated else ''}{''.join(parts)}]"
            return f"[{body}--{subtracted}]" if subtracted else body
        # Case is switched off for a part of a class: classes cannot say so, alternatives can.
        body = "|".join([*categories, *([f"[{''.join(parts)}]"] if parts else [])])
        body = rf"(?!{body})[\s\S]" if negated else f"(?:{body})"
        return f"(?:(?!{subtracted}){body})" if subtracted else f"(?:{body})"


def _quote(char: str) -> str:
    return char if char.isalnum() or char == "_" else f"\\U{ord(char):08x}"


def _point(written: str) -> int:
    if written.startswith("\\U"):
        return int(written[2:], 16)
    return {r"\n": 10, r"\r": 13, r"\t": 9}.get(written) or ord(written)


def without_space(pattern: str) -> str:
    """The `x` flag: white space is dropped, but in character classes."""
    out: list[str] = []
    depth = 0
    escaped = False
    for char in pattern:
        if not escaped:
            depth += (char == "[") - (char == "]" and depth > 0)
        if char in " \t\n\r" and depth == 0:
            continue
        escaped = char == "\\" and not escaped
        out.append(char)
    return "".join(out)


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: str) -> Any:
    """A compiled pattern; raises `Undefined` where it, or a flag, is not of XPath."""
    import regex  # noqa: PLC0415 - heavy, and few policies search in texts

    marks = frozenset(flags)
    if not marks <= frozenset("smixq"):
        raise Undefined("the flags are `s`, `m`, `i`, `x` and `q`")
    if len(pattern) > MAX_PATTERN:
        raise LimitExceeded(f"a pattern has at most {MAX_PATTERN} characters")
    # `i` compares character by character: `ß` is one, and not `ss`, hence no full case folding.
    mode, folding = regex.V1 | (regex.IGNORECASE if "i" in marks else 0), "(?-f)"
    if "q" in marks:
        return regex.compile(folding + regex.escape(pattern), mode)
    if "x" in marks:
        pattern = without_space(pattern)
    try:
        return regex.compile(folding + _Reader(pattern, marks).run(), mode)
    except regex.error:
        raise Undefined("the pattern is not a regular expression") from None


#: Searches that were broken off, the latest last: whoever asks again (an explanation, the next customer with
#: the same text) is told the same, at once.
_broken_off: dict[tuple[str, ...], None] = {}
_REMEMBERED = 16


def _bounded(search: Callable[..., R]) -> Callable[..., R]:
    """A search that ends in `LimitExceeded` where it took too long."""

    @wraps(search)
    def run(*args: str) -> R:
        if args in _broken_off:
            raise LimitExceeded(f"the pattern searched longer than {TIMEOUT} seconds")
        try:
            return search(*args)
        except TimeoutError:
            _broken_off[args] = None
            while len(_broken_off) > _REMEMBERED:
                _broken_off.pop(next(iter(_broken_off)), None)
            spend(SEARCH)
            raise LimitExceeded(f"the pattern searched longer than {TIMEOUT} seconds") from None

    return run


@_bounded
def matches(text: str, pattern: str, flags: str = "") -> bool:
    return compiled(pattern, flags).search(text, timeout=TIMEOUT) is not None


@_bounded
def replace(text: str, pattern: str, replacement: str, flags: str = "") -> str:
    """Every match replaced; `$1` stands for a group, `$0` for the match, `\\$` for the sign."""
    engine = compiled(pattern, flags)
    _refuse_empty(engine)
    parts = [("text", replacement)] if "q" in flags else template(replacement, engine.groups)
    size = 0
    out: list[str] = []
    end = 0
    for match in engine.finditer(text, timeout=TIMEOUT):
        out.append(text[end:match.start()])
        for kind, value in parts:
            out.append(value if kind == "text" else match.group(int(value)) or "")
        size += sum(len(p) for p in out[-1 - len(parts):])
        if size > MAX_TEXT:
            raise LimitExceeded(f"a text has at most {MAX_TEXT:,} characters")
        end = match.end()
    out.append(text[end:])
    made(size + len(out[-1]), MAX_TEXT, "text", "characters")
    return "".join(out)


@_bounded
def split(text: str, pattern: str) -> list[str]:
    engine = compiled(pattern, "")
    _refuse_empty(engine)
    out: list[str] = []
    end = 0
    for match in engine.finditer(text, timeout=TIMEOUT):
        out.append(text[end:match.start()])
        end = match.end()
    out.append(text[end:])
    made(len(out), MAX_ITEMS, "list", "items")
    return out


def _refuse_empty(engine: Any) -> None:
    if engine.search("", timeout=TIMEOUT) is not None:
        raise Undefined("the pattern matches the empty text")


def template(replacement: str, groups: int) -> list[tuple[str, str]]:
    """A replacement as texts and group numbers."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        following = replacement[at + 1:at + 2]
        if char == "\\":
            if following not in ("\\", "$"):
                raise Undefined("in a replacement a backslash stands before `\\` or `$` only")
            parts.append(("text", following))
            at += 2
        elif char == "$":
            if not (following.isascii() and following.isdigit()):
                raise Undefined("in a replacement `$` names a group by its number")
            number = int(following)
            at += 2
            while at < len(replacement) and replacement[at].isascii() and replacement[at].isdigit() and (
                    number * 10 + int(replacement[at]) <= groups):
                number = number * 10 + int(replacement[at])
                at += 1
            if number <= groups:
                parts.append(("group", str(number)))
        else:
            parts.append(("text", char))
            at += 1
    return parts
