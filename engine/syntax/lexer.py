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

from engine.semantics.builtin_names import SPACED_TYPES
from engine.semantics.lazy import Lazy
from engine.syntax.literals import decode, number_value, plain
from engine.syntax.reading import BLANK, INSTANCE, KEYWORDS
from engine.syntax.repairs import FOREIGN_SIGN, NUMBER, OPERATOR, OPERATORS, Repairs
from engine.syntax.slips import CASED, FULL_WIDTH, QUOTES
from engine.syntax.tokens import Token
from engine.syntax.vocabulary import KNOWN_MEMBERS, MARKS, SPACES, WORD, Trie, insert, longest, normalise

MAX_LENGTH = 100_000
MAX_TOKENS = 20_000

#: Keywords behind which an operand is complete.
_VALUES = frozenset({"TRUE", "FALSE", "NULL"})
#: Units that a policy does not read, as powers of ten of 万.
_THOUSANDS = {"千万": 3, "百万": 2}
_EXPONENTS = {"%": -2, "千万": 7, "百万": 6, "万": 4, "亿": 8}

_UNIT = Lazy("%|千万|百万|万|亿")
#: A number with thousands separators. Behind a space the comma parts two tests, and inside brackets two items.
_DAY = Lazy(r"((?:19|20)\d\d)([-/])(\d{1,2})\2(\d{1,2})(?!\d|\.\d|%)")
_GROUPED = Lazy(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])")
_STRING = re.compile(r'"((?:[^"\\\n\r]|\\.)*)"', re.DOTALL)
_KEY = re.compile(rf"([\w{MARKS}?][\w{MARKS}{SPACES}./\-'+*?]*)")
#: An iterator's name reaches to `in`; bounded, so that texts without `in` stay linear.
_BOUND = Lazy(rf"[\w{MARKS}][\w{MARKS}{SPACES}./\-'+*]{{0,200}}?(?=[{SPACES}]+in(?!\w))")
_CAN_FOLLOW_RANGE = Lazy(
    rf"(?:[{SPACES}]|//[^\n\r]*|/\*.*?\*/)*(?:$|[)\],}}=<>!|&]|(?:and|or|in|instance|between|then|else|return|satisfies)(?!\w))",
    re.DOTALL)
_NOT_OPERAND = re.compile(rf"[{SPACES}]*(?:$|[)\],}}:*/+=<>!])")
_CLOSERS = {"(": ")", "[": "]", "{": "}", "]": "[", "<": ">"}

_TYPES: Trie = {}
for _name in SPACED_TYPES:
    insert(_TYPES, _name)


class Lexer(Repairs):
    """One pass over one text: `run` gives its tokens."""

    def run(self) -> list[Token]:
        text = self.text
        size = len(text)
        if size > MAX_LENGTH:
            self.fail("E0108", f"the expression is {size:,} characters long; at most {MAX_LENGTH:,} are read", 0, 0,
                      "split it into several decisions or features")
        blank, word_at, number_at = BLANK.match, WORD.match, NUMBER.match
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
            elif foreign := FOREIGN_SIGN.match(text, start):
                self.foreign(foreign.group())
            elif operator := OPERATOR.match(text, start):
                self.operator(operator.group(), operator.end())
            else:
                self.other(char)
        if len(self.frames) > 1:
            frame = self.frames[-1]
            self.broken = True
            self.find("E0103", f"`{frame.sign}` is never closed", frame.offset, frame.offset + 1,
                      f"add `{_CLOSERS[frame.sign]}` where it should end")
        return self.tokens

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
        if word == "instance" and (match := INSTANCE.match(self.text, self.position)):
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

    def keyword(self, type: str, word: str, end: int) -> None:
        frame = self.frames[-1]
        self.emit(type, end, word, None, type in _VALUES)
        if type in ("FOR", "SOME", "EVERY"):
            frame.pending += 1
            self.iterator()
        elif type in ("RETURN", "SATISFIES") and frame.pending:
            frame.pending -= 1

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
        match = BLANK.match(text, end)
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
        match = BLANK.match(text, self.position)
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

    def number(self, match: re.Match[str]) -> None:
        text, start = self.text, self.position
        digits, end, shift = match.group(), match.end(), 0
        if self.policy and (day := _DAY.match(text, start)) and self.day(day):
            return
        if self.policy and text.startswith(",", end) and len(self.frames) == 1:
            if grouped := _GROUPED.match(text, start):
                digits, end = self.grouped(grouped.group()), grouped.end()
        if unit := _UNIT.match(text, end):
            sign = unit.group()
            if sign != "%" or self.policy and not self.is_remainder(unit.end()):
                shift, end = _EXPONENTS[sign], unit.end()
            if sign in _THOUSANDS and self.policy:
                mend = None if "e" in digits.lower() else f"{plain(digits, _THOUSANDS[sign])}万"
                self.find("E0112", f"`{digits}{sign}` is not read as a number", start, end,
                          "numbers end in `%`, `万` or `亿`", mend)
            elif sign != "%" and not self.policy:
                self.find("E0112", f"`{digits}{sign}` is read in policies only", start, end, "write the number out")
        value = number_value(digits, shift)
        if math.isinf(value):
            self.broken = True
            shown = digits if len(digits) <= 30 else digits[:27] + "..."
            self.find("E0119", f"the number `{shown}` is out of range", start, end,
                      "numbers reach to about 1.8e308")
        self.emit("NUMBER", end, text[start:end], value, True)

    def string(self, type: str) -> None:
        text, start = self.text, self.position
        match = _STRING.match(text, start)
        if match is None:
            self.unclosed(start)
            return
        self.emit(type, match.end(), match.group(), decode(match.group(1)), True)
        if self.tokens[-1].type == "STRING" and self.frames[-1].role == "context":
            name = normalise(str(self.tokens[-1].value))
            follow = BLANK.match(text, self.position)
            if name and text.startswith(":", follow.end() if follow else self.position):
                insert(self.keys, name)
                self.bind(name)

    def at(self) -> None:
        text, start = self.text, self.position
        follow = BLANK.match(text, start + 1)
        quote = follow.end() if follow else start + 1
        match = _STRING.match(text, quote)
        if match is None:
            self.broken = True
            self.find("E0101", "`@` is followed by a date, time or duration in quotes", start, start + 1,
                      'write it like `@"2026-07-01"`')
            self.position = start + 1
            return
        self.emit("AT", match.end(), match.group(), decode(match.group(1)), True)

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
        self.emit(OPERATORS[sign], end, sign)
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
            # The outermost frame may have a range too (`for a in 1..3`), and nothing to shut.
            if self.operand and frame.range and len(self.frames) > 1 and _CAN_FOLLOW_RANGE.match(self.text, end):
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
