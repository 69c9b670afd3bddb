"""Reading a text from left to right: the state of the lexer and what it knows of names.

`Reading` keeps the place, the tokens, the stack of open brackets with what they are, and the
names bound inside the text (iterators, parameters, context keys).
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from engine.semantics.lazy import Lazy
from engine.syntax.slips import CASED
from engine.syntax.tokens import Finding, SyntaxProblem, Token
from engine.syntax.vocabulary import EMPTY, KNOWN_NAMES, MARKS, SPACES, Trie, Vocabulary, insert, longest

MAX_DEPTH = 100
#: Slips named before reading stops.
MAX_FINDINGS = 50

KEYWORDS = {w: w.upper() for w in (
    "if", "then", "else", "for", "return", "some", "every", "satisfies", "in", "between", "and", "or",
    "true", "false", "null",
)}
BLANK = re.compile(rf"(?:[{SPACES}]+|//[^\n\r]*|/\*.*?\*/)+", re.DOTALL)
_NEXT_WORD = re.compile(rf"[{SPACES}]+([\w{MARKS}]+)")
_IS_NOT_START = Lazy(rf"is[{SPACES}]+(?:not[{SPACES}]+)?(?:null|none|missing|empty)\b", re.IGNORECASE)
INSTANCE = Lazy(rf"instance[{SPACES}]+of(?!\w)")


class Frame:
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


class Reading:
    """The state of one pass over one text. After it `findings` hold the slips met, and `broken` says that
    the text could not be read through."""

    def __init__(self, text: str, vocabulary: Vocabulary = EMPTY, dialect: str = "feel") -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.policy = dialect == "policy"
        self.tokens: list[Token] = []
        self.findings: list[Finding] = []
        self.broken = False
        self.root = Frame("", "group", 0)
        self.frames = [self.root]
        self.bound: list[Trie] = []
        self.keys: Trie = {}
        self.operand = False          # whether the last token completes an operand
        self.type_next = False
        self.key_next = False
        self.filters = 0
        self.position = 0

    def emit(self, type: str, end: int, text: str, value: object = None, operand: bool = False) -> None:
        self.tokens.append(Token(type, self.position, end, text, value))
        self.operand = operand
        self.position = end

    def find(self, code: str, message: str, start: int, end: int, help: str | None = None,
             replacement: str | None = None) -> None:
        self.findings.append(Finding(code, message, start, end, help, replacement))
        if len(self.findings) >= MAX_FINDINGS:
            raise SyntaxProblem(self.findings)

    def fail(self, code: str, message: str, start: int, end: int, help: str | None = None) -> NoReturn:
        raise SyntaxProblem([*self.findings, Finding(code, message, start, end, help)])

    def bind(self, name: str) -> None:
        frame = self.frames[-1]
        if frame.names is None:
            frame.names = {}
            self.bound.append(frame.names)
        insert(frame.names, name)

    def push(self, sign: str, role: str, offset: int) -> None:
        if len(self.frames) > MAX_DEPTH:
            self.fail("E0107", f"brackets are nested more than {MAX_DEPTH} deep", offset, offset + 1,
                      "split the expression into several")
        self.frames.append(Frame(sign, role, offset))
        if role == "filter":
            self.filters += 1

    def pop(self) -> None:
        frame = self.frames.pop()
        if frame.names is not None:
            # Only the top frame binds, so its names are the last that were added.
            self.bound.pop()
        if frame.role == "filter":
            self.filters -= 1

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
            if word == "instance" and INSTANCE.match(text, match.start(1)):
                break
            if word in ("is", "IS", "Is") and _IS_NOT_START.match(text, match.start(1)):
                break
            stop = match.end()
        return stop

    def opens(self, end: int) -> bool:
        """Whether the next sign is `(`."""
        match = BLANK.match(self.text, end)
        return self.text.startswith("(", match.end() if match else end)
