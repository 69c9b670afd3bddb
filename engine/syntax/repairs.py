"""Reads near-FEEL: names each slip with its mend, and goes on with what was meant."""
from __future__ import annotations

import datetime
import re
from abc import ABC, abstractmethod

from engine.semantics.lazy import Lazy
from engine.syntax.literals import decode, number_value
from engine.syntax.reading import BLANK, Reading
from engine.syntax.slips import FOREIGN, FULL_WIDTH, QUOTES
from engine.syntax.vocabulary import SPACES, WORD

NUMBER = re.compile(r"(?:[0-9]+(?:\.(?=[0-9])[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
OPERATOR = re.compile(r"\*\*|<=|>=|!=|\.\.|->|[-+*/<>=.,:()\[\]{}]")
OPERATORS = {
    "**": "POW", "<=": "COMPARE", ">=": "COMPARE", "!=": "COMPARE", "=": "COMPARE", "<": "COMPARE", ">": "COMPARE",
    "+": "PLUS", "-": "MINUS", "*": "MUL", "/": "MUL", ",": "COMMA", ":": "COLON", "..": "DOTS", "->": "ARROW",
}
_IS_NULL = Lazy(rf"[{SPACES}]*\bis[{SPACES}]+(not[{SPACES}]+)?(null|none|missing|empty)\b", re.IGNORECASE)
#: What no right side of a remainder begins with.
_BEHIND_PERCENT = Lazy(rf"[{SPACES}]*(?:[-+*/,)\]<>=!}}]|(?:and|or|then|else)\b|$)")
FOREIGN_SIGN = Lazy(r"===|!==|==|<>|=<|=>|&&?|\|\|?|\^")


class Repairs(Reading, ABC):
    """What is wrong but understood."""

    @abstractmethod
    def operator(self, sign: str, end: int) -> None:
        """Read a sign that FEEL has."""

    def negation(self, word: str, end: int) -> None:
        if self.opens(end):
            self.emit("NAME", end, "not", "not", True)
            return
        start = self.position
        follow = BLANK.match(self.text, end)
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

    def unclosed(self, start: int) -> None:
        line = re.compile(r"[^\n\r]*").match(self.text, start)
        assert line is not None
        self.broken = True
        self.find("E0104", "this string is never closed", start, line.end(),
                  'end it with `"` on the same line; write `\\n` for a line break')
        self.emit("STRING", line.end(), self.text[start:line.end()], "", True)

    def is_remainder(self, end: int) -> bool:
        """Whether a `%` that ends at `end` stands between operands (`7 % 2`), not behind one."""
        match = BLANK.match(self.text, end)
        at = match.end() if match else end
        return bool(NUMBER.match(self.text, at) or self.text.startswith("(", at))

    def day(self, match: re.Match[str]) -> bool:
        """A day without its function, `2026-07-01`, which would be a subtraction; whether there is such a day."""
        try:
            day = datetime.date(int(match[1]), int(match[3]), int(match[4])).isoformat()
        except ValueError:
            return False
        meant = f'date("{day}")'
        self.find("E0112", f"`{match[0]}` is read as a calculation, not as a date", match.start(), match.end(),
                  f"write `{meant}`", meant)
        self.emit("AT", match.end(), f'@"{day}"', day, True)
        return True

    def grouped(self, digits: str) -> str:
        """A number with thousands separators, read without them; `100,200` may have meant two tests."""
        start, bare = self.position, digits.replace(",", "")
        surely = any(part.startswith("0") for part in digits.split(",")[1:])
        self.find("E0112", f"`{digits}` is not read as a number", start, start + len(digits),
                  f"write `{bare}`, without thousands separators" + (
                      "" if surely else "; where both numbers are meant, put a space behind the comma"),
                  bare if surely else None)
        return bare

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
            match = NUMBER.fullmatch(meant)
            self.emit("NUMBER", end, meant, number_value(meant) if match else 0, True)
            return
        if end < len(text):
            pair = meant + FULL_WIDTH.get(text[end], text[end])
            if pair in FOREIGN or pair in OPERATORS and len(pair) == 2:
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
        elif operator := OPERATOR.fullmatch(meant):
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
        start = self.position
        if char == "!":
            self.bang()
        elif char == "%" and self.operand:
            if self.tokens[-1].type == "NUMBER" and self.tokens[-1].end == start and not self.is_remainder(start + 1):
                self.find("E0112", f"`{self.tokens[-1].text}%` is read in policies only", self.tokens[-1].start,
                          start + 1, "divide by 100")
                self.position = start + 1
                return
            number = self.tokens[-1]
            if number.type == "NUMBER" and _BEHIND_PERCENT.match(self.text, start + 1):
                self.find("E0112", f"`{number.text} %` is not read as a number", number.start, start + 1,
                          f"write `{number.text}%`", f"{number.text}%")
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
        follow = BLANK.match(text, start + 1)
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
