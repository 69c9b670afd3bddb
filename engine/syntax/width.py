"""How many columns a text takes on a terminal."""
from __future__ import annotations

import unicodedata


def char_width(char: str) -> int:
    """Columns of one code point: 2 for East Asian wide and full-width, 0 for what combines, else 1.

    Ambiguous characters count as 1, as terminals in all but legacy East Asian locales draw them.
    """
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def text_width(text: str) -> int:
    """Columns of a text without tabs and line ends."""
    return len(text) if text.isascii() else sum(map(char_width, text))
