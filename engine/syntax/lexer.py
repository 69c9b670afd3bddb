"""Cuts an expression into tokens, names by longest match.

FEEL cannot be cut without knowing where it is: `a-b` is a name or a difference, `date and
time` a function or a conjunction, `[` opens a list, a filter or ends a range. The lexer keeps
a stack of open brackets with what they are, and the names bound inside the text (iterators,
parameters, context keys), and reads every character once; look-ahead is bounded by the next
bracket, so the whole is linear.

What is not FEEL but close to it is reported with its mend and read as what it means, so that
one run finds all slips.
"""
from __future__ import annotations

import math
import re
from collections.abc import Sequence

from engine.semantics.builtin_names import SPACED_TYPES
from engine.semantics.lazy import Lazy
from engine.syntax.slips import CASED, FOREIGN, FULL_WIDTH, QUOTES
from engine.syntax.tokens import Finding, SyntaxProblem, Token
from engine.syntax.vocabulary import (
    EMPTY,
    KNOWN_MEMBERS,
    KNOWN_NAMES,
    MARKS,
    SPACES,
    WORD,
    Trie,
    Vocabulary,
    insert,
    longest,
    normalise,
)

MAX_LENGTH = 100_000
MAX_TOKENS = 20_000
MAX_DEPTH = 100
#: Slips named before reading stops.
MAX_FINDINGS = 50

KEYWORDS = {w: w.upper() for w in (
    "if", "then", "else", "for", "return", "some", "every", "satisfies", "in", "between", "and", "or",
    "true", "false", "null",
)}
#: Keywords behind which an operand is complete.
_VALUES = frozenset({"TRUE", "FALSE", "NULL"})
_EXPONENTS = {"%": -2, "千万": 7, "百万": 6, "万": 4, "亿": 8}

_BLANK = re.compile(rf"(?:[{SPACES}]+|//[^\n\r]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(r"(?:[0-9]+(?:\.(?=[0-9])[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UNIT = Lazy("%|千万|百万|万|亿")
_STRING = re.compile(r'"((?:[^"\\\n\r]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_FOREIGN = Lazy(r"===|!==|==|<>|=<|=>|&&?|\|\|?|\^")
_OPERATOR = re.compile(r"\*\*|<=|>=|!=|\.\.|->|[-+*/<>=.,:()\[\]{}]")
_KEY = re.compile(rf"([\w{MARKS}?][\w{MARKS}{SPACES}./\-'+*?]*)")
#: An iterator's name reaches to `in`; bounded, so that texts without `in` stay linear.
_BOUND = Lazy(rf"[\w{MARKS}][\w{MARKS}{SPACES}./\-'+*]{{0,200}}?(?=[{SPACES}]+in(?!\w))")
_NEXT_WORD = re.compile(rf"[{SPACES}]+([\w{MARKS}]+)")
_IS_NULL = Lazy(rf"[{SPACES}]*\bis[{SPACES}]+(not[{SPACES}]+)?(null|none|missing|empty)\b", re.IGNORECASE)
_IS_NOT_START = Lazy(rf"is[{SPACES}]+(?:not[{SPACES}]+)?(?:null|none|missing|empty)\b", re.IGNORECASE)
_INSTANCE = Lazy(rf"instance[{SPACES}]+of(?!\w)")
_CAN_FOLLOW_RANGE = Lazy(
    rf"(?:[{SPACES}]|//[^\n\r]*|/\*.*?\*/)*(?:$|[)\],}}=<>!|&]|(?:and|or|in|instance|between|then|else|return|satisfies)(?!\w))",
    re.DOTALL)
_NOT_OPERAND = re.compile(rf"[{SPACES}]*(?:$|[)\],}}:*/+=<>!])")
_SIMPLE_OPERATORS = {
    "**": "POW", "<=": "COMPARE", ">=": "COMPARE", "!=": "COMPARE", "=": "COMPARE", "<": "COMPARE", ">": "COMPARE",
    "+": "PLUS", "-": "MINUS", "*": "MUL", "/": "MUL", ",": "COMMA", ":": "COLON", "..": "DOTS", "->": "ARROW",
}
_CLOSERS = {"(": ")", "[": "]", "{": "}", "]": "[", "<": ">"}
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f"}

_TYPES: Trie = {}
for _name in SPACED_TYPES:
    insert(_TYPES, _name)


class _Frame:
    """An open bracket: `sign` as written, `role` one of group, call, list, filter, context, params, type."""

    __slots__ = ("members", "names", "offset", "pending", "range", "role", "sign")

    def __init__(self, sign: str, role: str, offset: int) -> None:
        self.sign = sign
        self.role = role
        self.offset = offset
        self.range = False
        #: `for`, `some` and `every` whose iterators are still being listed.
        self.pending = 0
        self.names: Trie | None = None
        self.members = False


def decode(body: str) -> str:
    """A string literal's value: escapes resolved, surrogate pairs joined, lone ones replaced.

    A backslash before any other character stands for itself, as in regular expressions.
    """
    if "\\" in body:
        def swap(m: re.Match[str]) -> str:
            if m[3] is not None:
                return _SIMPLE_ESCAPES.get(m[3], m[0])
            point = int(m[1] or m[2], 16)
            return chr(point) if point <= 0x10FFFF else m[0]

        body = _ESCAPE.sub(swap, body)
    if not body.isascii() and any("\ud800" <= c <= "\udfff" for c in body):
        body = body.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return body


def number_value(text: str, shift: int = 0) -> int | float:
    """The binary64 nearest to the decimal `text` times ten to the `shift`; an int where whole.

    Infinity where it is out of range.
    """
    if shift:
        mantissa, _, exponent = text.lower().partition("e")
        if len(exponent) > 6:
            return math.inf if float(mantissa) and not exponent.startswith("-") else 0
        text = f"{mantissa}e{int(exponent or 0) + shift}"
    elif len(text) < 16 and text.isdigit():
        return int(text)
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


class Lexer:
    """One pass over one text; see `tokens`. After `run`, `findings` hold the slips met and
    `broken` says that the text could not be read through."""

    def __init__(self, text: str, vocabulary: Vocabulary = EMPTY, dialect: str = "feel") -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.policy = dialect == "policy"
        self.tokens: list[Token] = []
        self.findings: list[Finding] = []
        self.broken = False
        self.root = _Frame("", "group", 0)
        self.frames = [self.root]
        self.bound: list[Trie] = []
        self.keys: Trie = {}
        self.operand = False          # whether the last token completes an operand
        self.type_next = False
        self.key_next = False
        self.filters = 0
        self.position = 0

    # --- emitting -------------------------------------------------------------------

    def emit(self, type: str, end: int, text: str, value: object = None, operand: bool = False) -> None:
        self.tokens.append(Token(type, self.position, end, text, value))
        self.operand = operand
        self.position = end

    def find(self, code: str, message: str, start: int, end: int, help: str | None = None,
             replacement: str | None = None) -> None:
        self.findings.append(Finding(code, message, start, end, help, replacement))
        if len(self.findings) >= MAX_FINDINGS:
            raise SyntaxProblem(self.findings)

    def fail(self, code: str, message: str, start: int, end: int, help: str | None = None) -> None:
        raise SyntaxProblem([*self.findings, Finding(code, message, start, end, help)])

    def bind(self, name: str) -> None:
        frame = self.frames[-1]
        if frame.names is None:
            frame.names = {}
            self.bound.append(frame.names)
        insert(frame.names, name)

    # --- the loop -------------------------------------------------------------------

    def run(self) -> list[Token]:
        text = self.text
        size = len(text)
        if size > MAX_LENGTH:
            self.fail("E0108", f"the expression is {size:,} characters long; at most {MAX_LENGTH:,} are read", 0, 0,
                      "split it into several decisions or features")
        blank, word_at, number_at = _BLANK.match, WORD.match, _NUMBER.match
        while True:
            if skipped := blank(text, self.position):
                self.position = skipped.end()
            start = self.position
            if start >= size:
                break
            if len(self.tokens) > MAX_TOKENS:
                self.fail("E0108", f"the expression has more than {MAX_TOKENS:,} parts", start, start + 1,
                          "split it into several decisions or features")
            if self.key_next:
                self.key_next = False
                if self.key():
                    continue
            if word := word_at(text, start):
                self.word(word.group(), word.end())
                continue
            char = text[start]
            if (char.isdecimal() and char.isascii()) or char == "." and (number := number_at(text, start)):
                number = number_at(text, start)
                assert number is not None
                self.number(number)
            elif char == '"':
                self.string("STRING")
            elif char == "@":
                self.at()
            elif char in FULL_WIDTH or char in QUOTES:
                self.slip(char)
            elif foreign := _FOREIGN.match(text, start):
                self.foreign(foreign.group())
            elif operator := _OPERATOR.match(text, start):
                self.operator(operator.group(), operator.end())
            else:
                self.other(char)
        if len(self.frames) > 1:
            frame = self.frames[-1]
            self.broken = True
            self.find("E0103", f"`{frame.sign}` is never closed", frame.offset, frame.offset + 1,
                      f"add `{_CLOSERS[frame.sign]}` where it should end")
        return self.tokens

    # --- words ----------------------------------------------------------------------

    def word(self, word: str, end: int) -> None:
        tokens = self.tokens
        previous = tokens[-1].type if tokens else ""
        if previous == "DOT":
            self.member(word, end)
            return
        if self.type_next:
            self.type_name(word, end)
            return
        if word == "is" and self.operand and self.is_null():
            return
        keyword = KEYWORDS.get(word)
        if keyword is not None:
            self.keyword(keyword, word, end)
            return
        if word == "instance" and (match := _INSTANCE.match(self.text, self.position)):
            self.emit("INSTANCE", match.end(), "instance of")
            self.type_next = True
            return
        if word == "function" and self.opens(end):
            self.emit("FUNCTION", end, word)
            return
        if word == "not" and not self.operand:
            self.negation(word, end)
            return
        if word == "external" and previous == "RPAR" and not self.operand:
            self.emit("EXTERNAL", end, word)
            return
        found = self.known()
        if found is None and word in CASED and (CASED[word] != "not" or not self.operand):
            meant = CASED[word]
            if not (word == "In" and not self.operand):
                self.find("E0115", f"`{word}` is written `{meant}` in FEEL", self.position, end,
                          "keywords are lower case" if word.lower() == meant else f"FEEL's word for it is `{meant}`",
                          meant)
                if meant == "not":
                    self.negation(word, end)
                else:
                    self.keyword(KEYWORDS[meant], meant, end)
                return
        stop = found[1] if found is not None else end
        extended = self.extend(stop)
        if found is not None and extended == stop:
            self.emit("NAME", stop, found[0], found[0], True)
        else:
            name = normalise(self.text[self.position:extended])
            self.emit("NAME", extended, name, name, True)

    def known(self) -> tuple[str, int] | None:
        """The longest known name here."""
        tries = [self.vocabulary.trie, *self.bound, KNOWN_NAMES]
        if self.filters:
            tries += (self.vocabulary.member_trie, self.keys)
        return self.longest_of(tries)

    def longest_of(self, tries: Sequence[Trie]) -> tuple[str, int] | None:
        """The longest name that any of the tries has at the present place; the first of equals."""
        best = None
        for trie in tries:
            if trie:
                found = longest(trie, self.text, self.position)
                if found is not None and (best is None or found[1] > best[1]):
                    best = found
        return best

    def extend(self, stop: int) -> int:
        """The end of a run of words: an unknown name is reported whole."""
        text = self.text
        while match := _NEXT_WORD.match(text, stop):
            word = match.group(1)
            if word in KEYWORDS or word in CASED or word in ("not", "external"):
                break
            if word == "instance" and _INSTANCE.match(text, match.start(1)):
                break
            if word in ("is", "IS", "Is") and _IS_NOT_START.match(text, match.start(1)):
                break
            stop = match.end()
        return stop

    def opens(self, end: int) -> bool:
        """Whether the next sign is `(`."""
        match = _BLANK.match(self.text, end)
        return self.text.startswith("(", match.end() if match else end)

    def keyword(self, type: str, word: str, end: int) -> None:
        frame = self.frames[-1]
        self.emit(type, end, word, None, type in _VALUES)
        if type in ("FOR", "SOME", "EVERY"):
            frame.pending += 1
            self.iterator()
        elif type in ("RETURN", "SATISFIES") and frame.pending:
            frame.pending -= 1

    def negation(self, word: str, end: int) -> None:
        if self.opens(end):
            self.emit("NAME", end, "not", "not", True)
            return
        start = self.position
        follow = _BLANK.match(self.text, end)
        rest = WORD.match(self.text, follow.end() if follow else end)
        if rest is None:
            self.find("E0118", "`not` is a function in FEEL", start, end, "write `not(...)` around what it negates")
        else:
            self.position = rest.start()
            found = self.known()
            stop = self.extend(found[1] if found else rest.end())
            operand = self.text[rest.start():stop]
            self.find("E0118", "`not` is a function in FEEL", start, stop, f"write `not({operand})`", f"not({operand})")
        self.position = end

    def is_null(self) -> bool:
        """`x is null` and its kin, read as the comparison meant."""
        match = _IS_NULL.match(self.text, self.position)
        if match is None:
            return False
        sign = "!=" if match[1] else "="
        start, end = self.position, match.end()
        self.find("E0117", f"FEEL has no `{' '.join(match[0].split())}`", start, end,
                  f"compare with null: `{sign} null`", f"{sign} null")
        self.emit("COMPARE", match.end(2) - len(match[2]), sign)
        self.emit("NULL", end, "null", None, True)
        return True

    def member(self, word: str, end: int) -> None:
        best = self.longest_of((self.vocabulary.member_trie, self.keys, KNOWN_MEMBERS))
        stop = best[1] if best is not None else end
        if best is None or best[1] == end:
            stop = self.extend(stop)
        name = best[0] if best is not None and best[1] == stop else normalise(self.text[self.position:stop])
        self.emit("MEMBER", stop, name, name, True)

    def type_name(self, word: str, end: int) -> None:
        text = self.text
        found = longest(_TYPES, text, self.position)
        if found is not None:
            end = found[1]
        else:
            end = self.extend(end)
            while text.startswith(".", end) and (more := WORD.match(text, end + 1)):
                end = self.extend(more.end())
        name = normalise(text[self.position:end])
        self.emit("TYPE", end, name, name, True)
        self.type_next = False
        match = _BLANK.match(text, end)
        at = match.end() if match else end
        if name in ("list", "context", "function", "range") and text.startswith("<", at):
            self.position = at
            self.emit("TLT", at + 1, "<")
            self.push("<", "type", at)
            self.frames[-1].members = name == "context"
            self.key_next, self.type_next = name == "context", name != "context"

    def key(self) -> bool:
        """A context key, parameter or argument name at the present place, if one stands there."""
        text, start = self.text, self.position
        frame = self.frames[-1]
        match = _KEY.match(text, start)
        if match is None or frame.role != "params" and not text.startswith(":", match.end()):
            return False
        if frame.role == "call" and not WORD.match(text, start):
            return False
        raw = match.group().rstrip()
        name = normalise(raw)
        self.emit("KEY", start + len(raw), name, name)
        if frame.role == "context":
            insert(self.keys, name)
            self.bind(name)
        elif frame.role == "params":
            # Parameters are in scope behind the closing bracket, in the frame around it.
            inner = self.frames.pop()
            self.bind(name)
            self.frames.append(inner)
        elif frame.role == "type":
            self.type_next = True
        return True

    def iterator(self) -> None:
        """The name that `for`, `some`, `every` or a comma among iterators binds."""
        text = self.text
        match = _BLANK.match(text, self.position)
        start = match.end() if match else self.position
        word = WORD.match(text, start)
        if word is None:
            return
        bound = _BOUND.match(text, start)
        end = bound.end() if bound else word.end()
        self.position = start
        name = normalise(text[start:end])
        self.emit("BOUND", end, name, name)
        self.bind(name)

    # --- literals -------------------------------------------------------------------

    def number(self, match: re.Match[str]) -> None:
        text, start = self.text, self.position
        digits, end, shift = match.group(), match.end(), 0
        if unit := _UNIT.match(text, end):
            sign = unit.group()
            if self.policy and (sign != "%" or not self.is_remainder(unit.end())):
                shift = _EXPONENTS[sign]
                end = unit.end()
            elif sign != "%":
                self.find("E0112", f"`{digits}{sign}` is read in policies only", start, unit.end(),
                          "write the number out", None)
                shift = _EXPONENTS[sign]
                end = unit.end()
        value = number_value(digits, shift)
        if math.isinf(value):
            self.broken = True
            shown = digits if len(digits) <= 30 else digits[:27] + "..."
            self.find("E0119", f"the number `{shown}` is out of range", start, end,
                      "numbers reach to about 1.8e308")
        if self.operand and not self.findings and WORD.match(text, start):
            self.broken = True
        self.emit("NUMBER", end, text[start:end], value, True)

    def is_remainder(self, end: int) -> bool:
        """Whether a `%` that ends at `end` stands between operands (`7 % 2`), not behind one."""
        match = _BLANK.match(self.text, end)
        at = match.end() if match else end
        return bool(_NUMBER.match(self.text, at) or self.text.startswith("(", at))

    def string(self, type: str) -> None:
        text, start = self.text, self.position
        match = _STRING.match(text, start)
        if match is None:
            self.unclosed(start)
            return
        self.emit(type, match.end(), match.group(), decode(match.group(1)), True)
        if self.tokens[-1].type == "STRING" and self.frames[-1].role == "context":
            name = normalise(str(self.tokens[-1].value))
            follow = _BLANK.match(text, self.position)
            if name and text.startswith(":", follow.end() if follow else self.position):
                insert(self.keys, name)
                self.bind(name)

    def unclosed(self, start: int) -> None:
        line = re.compile(r"[^\n\r]*").match(self.text, start)
        assert line is not None
        self.broken = True
        self.find("E0104", "this string is never closed", start, line.end(),
                  'end it with `"` on the same line; write `\\n` for a line break')
        self.emit("STRING", line.end(), self.text[start:line.end()], "", True)

    def at(self) -> None:
        text, start = self.text, self.position
        follow = _BLANK.match(text, start + 1)
        quote = follow.end() if follow else start + 1
        match = _STRING.match(text, quote)
        if match is None:
            self.broken = True
            self.find("E0101", "`@` is followed by a date, time or duration in quotes", start, start + 1,
                      'write it like `@"2026-07-01"`')
            self.position = start + 1
            return
        self.emit("AT", match.end(), match.group(), decode(match.group(1)), True)

    # --- signs ----------------------------------------------------------------------

    def push(self, sign: str, role: str, offset: int) -> None:
        if len(self.frames) > MAX_DEPTH:
            self.fail("E0107", f"brackets are nested more than {MAX_DEPTH} deep", offset, offset + 1,
                      "split the expression into several")
        self.frames.append(_Frame(sign, role, offset))
        if role == "filter":
            self.filters += 1

    def pop(self) -> None:
        frame = self.frames.pop()
        if frame.names is not None:
            # Only the top frame binds, so its names are the last that were added.
            self.bound.pop()
        if frame.role == "filter":
            self.filters -= 1

    def operator(self, sign: str, end: int) -> None:
        frame = self.frames[-1]
        start = self.position
        if frame.role == "type" and sign in (">", ">="):
            self.emit("TGT", start + 1, ">", None, True)
            self.pop()
            return
        if sign == ".":
            self.emit("DOT", end, sign)
            return
        if sign == "/" and self.text.startswith("/*", start):
            self.broken = True
            self.find("E0104", "this comment is never closed", start, start + 2, "end it with `*/`")
            self.position = len(self.text)
            return
        if sign in "([{" or (sign == "]" and not self.operand):
            if self.open(sign, end):
                return
        if sign in ")]}":
            self.close(sign, end)
            return
        self.emit(_SIMPLE_OPERATORS[sign], end, sign)
        if sign == "..":
            frame.range = True
        elif sign == ",":
            if frame.pending:
                self.iterator()
            elif frame.role in ("context", "call", "params"):
                self.key_next = True
            elif frame.role == "type":
                self.key_next, self.type_next = frame.members, not frame.members
        elif sign == ":" and frame.role in ("params", "type"):
            self.type_next = True
        elif sign == "->":
            self.type_next = True

    def open(self, sign: str, end: int) -> bool:
        start = self.position
        frame = self.frames[-1]
        last = self.tokens[-1].type if self.tokens else ""
        if sign == "(":
            role = "params" if last == "FUNCTION" else "call" if self.operand else "group"
            self.emit("LPAR", end, sign)
            self.push(sign, role, start)
            self.key_next = role != "group"
        elif sign == "{":
            self.emit("LBRACE", end, sign)
            self.push(sign, "context", start)
            self.key_next = True
        elif sign == "[":
            if self.operand and frame.range and _CAN_FOLLOW_RANGE.match(self.text, end):
                self.emit("SHUT", end, sign, None, True)
                self.pop()
                return True
            role = "filter" if self.operand else "list"
            self.emit("LSQB", end, sign)
            self.push(sign, role, start)
        else:
            # `]` where an operand should start opens a range, unless it closes an empty list.
            if last == "LSQB" or _NOT_OPERAND.match(self.text, end):
                return False
            self.emit("OPEN", end, sign)
            self.push(sign, "list", start)
        return True

    def close(self, sign: str, end: int) -> None:
        frame = self.frames[-1]
        start = self.position
        if len(self.frames) == 1:
            self.broken = True
            self.find("E0103", f"`{sign}` closes nothing", start, end, "remove it, or add what opens it")
            self.position = end
            return
        if frame.sign != "<" and (_CLOSERS[frame.sign] == sign or frame.range and sign in ")]" and frame.sign != "{"):
            params = frame.role == "params"
            self.pop()
            self.emit({")": "RPAR", "]": "RSQB", "}": "RBRACE"}[sign], end, sign, None, not params)
            return
        self.broken = True
        self.fail("E0103", f"`{frame.sign}` is closed by `{sign}`", start, end,
                  f"it should be closed by `{_CLOSERS[frame.sign]}`")

    def foreign(self, sign: str) -> None:
        start = self.position
        end = start + len(sign)
        meant, type = FOREIGN[sign]
        self.find("E0112", f"FEEL has no `{sign}`", start, end, f"write `{meant}`", self.spaced(meant, start, end))
        self.emit(type, end, meant)

    def spaced(self, word: str, start: int, end: int) -> str:
        """`word` for `start..end`, with spaces where it would run into its neighbours."""
        if not word.isalpha():
            return word
        before = "" if start == 0 or self.text[start - 1].isspace() else " "
        after = "" if end >= len(self.text) or self.text[end].isspace() else " "
        return before + word + after

    def slip(self, char: str) -> None:
        """A full-width or typographic sign."""
        text, start = self.text, self.position
        if char in QUOTES:
            self.quoted(char)
            return
        meant = FULL_WIDTH[char]
        end = start + 1
        if meant.isdigit():
            while end < len(text) and (text[end] in FULL_WIDTH and FULL_WIDTH[text[end]] in "0123456789."
                                       or text[end].isdigit() or text[end] == "."):
                end += 1
            meant = "".join(FULL_WIDTH.get(c, c) for c in text[start:end])
            self.find("E0113", f"`{text[start:end]}` is written in full-width digits", start, end,
                      f"write `{meant}`", meant)
            match = _NUMBER.fullmatch(meant)
            self.emit("NUMBER", end, meant, number_value(meant) if match else 0, True)
            return
        if end < len(text):
            pair = meant + FULL_WIDTH.get(text[end], text[end])
            if pair in FOREIGN or pair in _SIMPLE_OPERATORS and len(pair) == 2:
                meant, end = pair, end + 1
        if meant in FOREIGN:
            meant = FOREIGN[meant][0]
        self.find("E0113", f"`{text[start:end]}` is full-width punctuation", start, end, f"write `{meant}`", meant)
        if meant == "@":
            self.broken = True
            self.position = end
        elif meant in ("and", "or"):
            self.emit(meant.upper(), end, meant)
        elif meant in ("!", "%"):
            self.findings.pop()
            self.other(meant)
        elif operator := _OPERATOR.fullmatch(meant):
            self.operator(operator.group(), end)

    def quoted(self, char: str) -> None:
        text, start = self.text, self.position
        closing = QUOTES[char]
        end = text.find(closing, start + 1)
        newline = text.find("\n", start + 1)
        if end < 0 or 0 <= newline < end:
            self.broken = True
            self.find("E0114", f"`{char}` does not quote text in FEEL", start, start + 1, 'use `"`')
            self.position = start + 1
            return
        body = text[start + 1:end]
        escaped = '"' + body.replace('"', '\\"') + '"'
        kind = "single" if char == "'" else "typographic" if char != "`" else "backward"
        self.find("E0114" if char in "'`" else "E0113", f"text in {kind} quotes", start, end + 1,
                  f"write `{escaped}`", escaped)
        self.emit("STRING", end + 1, escaped, decode(body), True)

    def other(self, char: str) -> None:
        text, start = self.text, self.position
        if char == "!":
            self.bang()
        elif char == "%" and self.operand:
            if self.tokens[-1].type == "NUMBER" and self.tokens[-1].end == start and not self.is_remainder(start + 1):
                self.find("E0112", f"`{self.tokens[-1].text}%` is read in policies only", self.tokens[-1].start,
                          start + 1, "divide by 100")
                self.position = start + 1
                return
            self.find("E0112", "FEEL has no `%` operator", start, start + 1, "write `modulo(a, b)` for the remainder")
            self.emit("MUL", start + 1, "*")
        else:
            self.broken = True
            shown = f"`{char}`" if char.isprintable() and char > " " else f"the character U+{ord(char):04X}"
            known = {"$": "names are written without a sign before them", ";": "separate with `,`",
                     "#": "comments start with `//`", "~": "write `not(...)`", "\\": "a backslash stands only in text"}
            self.find("E0105", f"{shown} has no meaning in an expression", start, start + 1,
                      known.get(char, "remove it, or put text in double quotes"))
            self.position = start + 1

    def bang(self) -> None:
        text, start = self.text, self.position
        follow = _BLANK.match(text, start + 1)
        at = follow.end() if follow else start + 1
        if text.startswith("(", at):
            self.find("E0112", "FEEL has no `!`", start, at, "write `not(...)`", "not")
            self.emit("NAME", at, "not", "not", True)
            return
        rest = WORD.match(text, at)
        if rest is not None:
            self.position = rest.start()
            found = self.known()
            stop = self.extend(found[1] if found else rest.end())
            operand = text[rest.start():stop]
            self.find("E0112", "FEEL has no `!`", start, stop, f"write `not({operand})`", f"not({operand})")
        else:
            self.find("E0112", "FEEL has no `!`", start, start + 1, "write `not(...)`")
        self.position = at
