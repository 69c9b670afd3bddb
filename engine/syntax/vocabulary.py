"""The names an expression may use, and how the longest of them is found.

FEEL's names may hold spaces and the signs `. / - ' + *`, so a text can only be cut into
tokens against the names that are known. Names are kept in a trie of *pieces*: a run of
letters and digits, a single space, or any other character by itself. Walking the trie
reads each piece of the text once.
"""
from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from unicodedata import is_normalized
from unicodedata import normalize as unicode_normalize

from engine.semantics.builtin_names import SPACED_FUNCTIONS, SPACED_MEMBERS, SPACED_TYPES

#: White space of FEEL (DMN 1.5, 10.3.1.2, rules 61 and 62).
SPACES = "\t\n\v\f\r \x85\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"

# Name characters (rules 28 and 29) without the full-width and ideographic punctuation that the
# standard's ranges let through: `（`, `＝` and `，` are typing slips, and get a hint.
_START = (
    "?A-Z_a-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3038-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe"
    "\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\U00010000-\U000effff"
)
_PART = _START.replace("?", "", 1) + "0-9\u00b7\u0300-\u036f\u203f-\u2040\uff10-\uff19"

#: A word of a name; `?` stands alone.
WORD = re.compile(rf"\?|(?:[{_START[1:]}][{_PART}]*)")
#: A run of name characters inside a name, digits first allowed.
PIECE = re.compile(rf"[{_PART}]+|[{SPACES}]+|.", re.DOTALL)
_SPACE_RUN = re.compile(rf"[{SPACES}]+")

#: The key under which a trie node keeps the whole name that ends there.
END = ""
Trie = dict[str, "Trie | str"]

#: Names every expression knows: built-in functions and types, and words bound by FEEL itself.
_ALWAYS = (*SPACED_FUNCTIONS, *SPACED_TYPES)


def normalise(name: str) -> str:
    """NFC, outer spaces removed, each inner run of white space one space."""
    if not name.isascii() and not is_normalized("NFC", name):
        name = unicode_normalize("NFC", name)
    return _SPACE_RUN.sub(" ", name).strip(" ")


def pieces(name: str) -> list[str]:
    """The trie path of a normalised name."""
    return PIECE.findall(name)


def insert(trie: Trie, name: str) -> None:
    node = trie
    for piece in pieces(name):
        node = node.setdefault(piece, {})  # type: ignore[assignment]
    node[END] = name


def longest(trie: Trie, text: str, start: int) -> tuple[str, int] | None:
    """The longest name of `trie` that stands in `text` at `start`, and the offset behind it."""
    node = trie
    found: tuple[str, int] | None = None
    position = start
    match = PIECE.match
    while piece := match(text, position):
        word = piece.group()
        key = word
        if word[0].isspace() or _SPACE_RUN.match(word):
            key = " "
        elif not word.isascii() and not is_normalized("NFC", word):
            key = unicode_normalize("NFC", word)
        step = node.get(key)
        if step is None or isinstance(step, str):
            break
        position = piece.end()
        node = step
        if END in node:
            found = (str(node[END]), position)
        if len(node) == 1 and found is not None and found[1] == position:
            break
    return found


class Vocabulary:
    """Names in scope (`names`) and names that may follow a `.` or be read in a filter (`members`).

    Immutable. Built-in names are known besides; they need not be given.
    """

    __slots__ = ("_digest", "members", "names", "trie", "member_trie")

    def __init__(self, names: Iterable[str] = (), members: Iterable[str] = ()) -> None:
        self.names = frozenset(n for n in map(normalise, names) if n)
        self.members = frozenset(n for n in map(normalise, members) if n)
        self._digest: str | None = None
        self.trie: Trie = {}
        for name in (*_ALWAYS, *self.names):
            insert(self.trie, name)
        self.member_trie: Trie = {}
        for name in (*SPACED_MEMBERS, *self.members):
            insert(self.member_trie, name)

    @property
    def digest(self) -> str:
        """A key for caches: equal for equal sets of names and members."""
        if self._digest is None:
            text = "\x00".join(sorted(self.names)) + "\x01" + "\x00".join(sorted(self.members))
            self._digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return self._digest

    def extended(self, names: Iterable[str] = (), members: Iterable[str] = ()) -> Vocabulary:
        """A vocabulary that knows further names."""
        return Vocabulary((*self.names, *names), (*self.members, *members))


EMPTY = Vocabulary()
