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

# Name characters (rules 28 and 29): letters and digits of any script, marks that belong to them,
# currency and letter-like signs, and everything beyond the first plane (emoji). Full-width and
# ideographic punctuation, which the standard's ranges let through, is left out: `（`, `＝` and `，` are
# typing slips and get a hint; a declared name may hold them. `\w` keeps the patterns quick to compile.
MARKS = (
    "\u00b7\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u06d6-\u06ed\u0900-\u1cff"
    "\u200c\u200d\u203f\u2040\u20a0-\u20ff\u2100-\u218f\U00010000-\U000effff"
)

#: A word of a name, which does not begin with a digit; `?` stands alone.
WORD = re.compile(rf"\?|(?!\d)[\w{MARKS}]+")
#: A run of name characters inside a name, digits first allowed.
PIECE = re.compile(rf"[\w{MARKS}]+|[{SPACES}]+|.", re.DOTALL)
_SPACE_RUN = re.compile(rf"[{SPACES}]+")

#: The key under which a trie node keeps the whole name that ends there.
END = ""
Trie = dict[str, "Trie | str"]



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


#: What every expression knows: built-in functions and types by their names, and properties.
KNOWN_NAMES: Trie = {}
KNOWN_MEMBERS: Trie = {}
for _name in (*SPACED_FUNCTIONS, *SPACED_TYPES):
    insert(KNOWN_NAMES, _name)
for _name in SPACED_MEMBERS:
    insert(KNOWN_MEMBERS, _name)


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
        for name in self.names:
            insert(self.trie, name)
        self.member_trie: Trie = {}
        for name in self.members:
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
