"""From bytes to text: UTF-8 only, and only characters that a reader can see.

YAML 1.2 knows two line ends, LF and CR (together one). The parser also takes NEL and the
Unicode line and paragraph separators for line ends, which an editor may not show, so
these are refused with the control characters. Directional overrides are refused since they
make a rule read differently from what it says.
"""
from __future__ import annotations

import re

from engine.diagnostics import Diagnostic, Problem
from engine.semantics.lazy import Lazy
from engine.source.tree import Document

_BOM = "\ufeff"
_FORBIDDEN = Lazy(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
_HAN = Lazy("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
#: None of the forbidden is printable; what remains of most files without these is.
_ENDS = dict.fromkeys(map(ord, "\t\n\r"))
_HIGH = re.compile(b"[\x80-\xff]+")
_NAMES = {
    "\0": "a null character", "\x0b": "a vertical tab", "\x0c": "a form feed", "\x1b": "an escape character",
    "\x7f": "a delete character", "\x85": "the line end U+0085", "\u2028": "the line separator U+2028",
    "\u2029": "the paragraph separator U+2029",
    "\ufeff": "a byte order mark behind its start",
}
_SAMPLE = 65536


def decode(data: bytes | str, name: str) -> Document:
    """The document of some bytes, its problems noted; raises Problem where they are not UTF-8.

    A byte order mark is dropped. A forbidden character is read as a space, so that the rest
    of the file is still checked and places stay true.
    """
    if isinstance(data, bytes):
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Problem(_not_utf8(data, error, name)) from None
    else:
        text = data.removeprefix(_BOM)
    found = _first_of_each(text)
    document = Document(_FORBIDDEN.compiled.sub(" ", text) if found else text, name)
    document.problems = tuple(_forbidden(document, text[index], index, count) for index, count in found)
    return document


def _first_of_each(text: str) -> list[tuple[int, int]]:
    """The first index of each forbidden character and how often it occurs, in the order of the text."""
    if text.translate(_ENDS).isprintable() or _FORBIDDEN.compiled.search(text) is None:
        return []
    return sorted((text.index(char), text.count(char)) for char in set(text) if _FORBIDDEN.match(char))


def _forbidden(document: Document, char: str, index: int, count: int) -> Diagnostic:
    what = _NAMES.get(char)
    if what is None:
        override = "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
        what = f"the {'directional override' if override else 'control character'} U+{ord(char):04X}"
    more = "" if count == 1 else f", {count} times in all"
    return Diagnostic("E0004", f"the file holds {what}, which a policy may not{more}", document.span(index, index + 1),
                      help="delete it; most editors can show invisible characters")


def _not_utf8(data: bytes, error: UnicodeDecodeError, name: str) -> Diagnostic:
    at = error.start
    before = data[:at].decode("utf-8-sig", "replace")
    span = Document(_FORBIDDEN.compiled.sub(" ", before), name).span(len(before), len(before))
    guess = _guess(data)
    if error.reason == "unexpected end of data":
        message = f"the file ends in the middle of a character, at byte {at + 1:,}"
        help_ = "it seems cut off; fetch or save it anew"
    elif guess:
        message = f"the file is not UTF-8 but seems to be {guess}"
        help_ = "save it as UTF-8; editors offer this as `Save with encoding`"
    else:
        message = f"the file is not UTF-8: byte {at + 1:,} is 0x{data[at]:02X}"
        help_ = "save it as UTF-8; editors offer this as `Save with encoding`"
    return Diagnostic("E0003", message, span, help=help_)


def _guess(data: bytes) -> str | None:
    """The likely encoding of bytes that are not UTF-8, in words, or None."""
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    sample = data[:_SAMPLE]
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if max(odd, even) * 4 > len(sample):
        return "UTF-16"
    high = [len(run) for run in _HIGH.findall(sample)]
    if sum(n for n in high if n > 1) * 2 <= sum(high):  # Western text has single accented letters between others
        return None
    for cut in range(4):                                # a sample may end inside a character
        try:
            text = sample[:len(sample) - cut].decode("gb18030")
        except UnicodeDecodeError:
            continue
        foreign = [c for c in text if c > "\x7f"]
        return "GB18030 (GBK)" if len(_HAN.compiled.findall(text)) * 2 > len(foreign) else None
    return None
