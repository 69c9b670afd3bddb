"""Near-FEEL: what people type who come from another language or from a Chinese keyboard.

Each table maps a sign to the FEEL it stands for, so that the lexer can report it with the
mend and read on.
"""
from __future__ import annotations

#: Full-width and typographic signs, and the ASCII they are mistaken for.
FULL_WIDTH = {
    "（": "(", "）": ")", "［": "[", "］": "]", "【": "[", "】": "]", "｛": "{", "｝": "}",
    "，": ",", "、": ",", "：": ":", "．": ".", "＋": "+", "－": "-", "−": "-", "–": "-", "—": "-",
    "＊": "*", "×": "*", "／": "/", "÷": "/", "＝": "=", "＜": "<", "＞": ">", "！": "!",
    "＆": "&", "｜": "|", "％": "%", "＾": "^", "＠": "@", "≥": ">=", "⩾": ">=", "≧": ">=",
    "≤": "<=", "⩽": "<=", "≦": "<=", "≠": "!=", "；": ",",
}
FULL_WIDTH.update({chr(0xFF10 + d): str(d) for d in range(10)})

#: Opening quotes other than `"` and the signs that close them.
QUOTES = {"“": "”", "”": "”", "„": "“", "‘": "’", "’": "’", "「": "」", "『": "』", "＂": "＂", "'": "'", "`": "`"}

#: Operators of other languages: (FEEL's spelling, token type).
FOREIGN = {
    "===": ("=", "COMPARE"), "!==": ("!=", "COMPARE"), "==": ("=", "COMPARE"), "<>": ("!=", "COMPARE"),
    "=<": ("<=", "COMPARE"), "=>": (">=", "COMPARE"), "&&": ("and", "AND"), "&": ("and", "AND"),
    "||": ("or", "OR"), "|": ("or", "OR"), "^": ("**", "POW"),
}

#: Spellings of keywords that are surely meant as such; `In` or `For` may begin a name.
_CASED = ("and", "or", "not", "true", "false", "null", "then", "else", "between")
CASED = {spelling: word for word in _CASED for spelling in (word.upper(), word.capitalize())}
CASED.update({"IF": "if", "If": "if", "IN": "in", "RETURN": "return", "SATISFIES": "satisfies", "FOR": "for",
              "SOME": "some", "EVERY": "every", "None": "null", "NULL": "null", "nil": "null"})
CASED.update({"且": "and", "并且": "and", "而且": "and", "或": "or", "或者": "or", "如果": "if", "那么": "then",
              "否则": "else"})
