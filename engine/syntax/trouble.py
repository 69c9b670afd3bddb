"""Says why a text is no expression: from the token that does not fit to a message and its mend."""
from __future__ import annotations

from engine.syntax.tokens import Finding, Token

_OPERATORS = frozenset({"COMPARE", "PLUS", "MINUS", "MUL", "POW", "AND", "OR", "IN", "BETWEEN"})
_KEYWORDS = frozenset({
    "IF", "THEN", "ELSE", "FOR", "RETURN", "SOME", "EVERY", "SATISFIES", "IN", "BETWEEN", "AND", "OR", "INSTANCE",
    "FUNCTION",
})
_OPERAND_ENDS = frozenset({
    "NAME", "MEMBER", "NUMBER", "STRING", "AT", "TRUE", "FALSE", "NULL", "RPAR", "RSQB", "RBRACE", "SHUT", "TYPE",
    "TGT",
})


def explain(text: str, tokens: list[Token], token: Token | None, expected: frozenset[str], start: str) -> Finding:
    """The finding for `token` (None: the end) where only `expected` terminals may stand."""
    position = len(tokens) if token is None else tokens.index(token)
    before = tokens[position - 1] if position else None
    at = token.start if token is not None else len(text.rstrip())
    end = token.end if token is not None else at
    habit = _habit(text, tokens, position, start) if token is not None else None
    if habit is not None:
        return habit
    word = _open_if(tokens[:position])
    if word is not None and "ELSE" in expected and (
            token is None or token.type in ("RPAR", "RSQB", "RBRACE", "COMMA")):
        return Finding("E0116", "this `if` has no `else`", word.start, word.end,
                       "end it with `else` and a value, `else null` for none")
    if word is not None and "THEN" in expected and not (before and before.type in _OPERATORS):
        if token is None or token.type not in ("NAME", "NUMBER", "STRING"):
            return Finding("E0116", "this `if` has no `then`", word.start, word.end,
                           "write `if condition then value else value`")
    operand_wanted = "NAME" in expected
    if token is not None and token.type == "COMPARE" and before is not None and before.type in ("AND", "OR"):
        return _half_comparison(text, tokens, position)
    if token is None:
        if operand_wanted and before is not None:
            return Finding("E0102", f"a value is missing after `{before.text}`", before.start, before.end,
                           "the expression ends too early")
        wanted = _wanted(expected)
        return Finding("E0102", "the expression ends too early", max(at - 1, 0), at, f"{wanted} is expected here")
    shown = text[token.start:token.end]
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    if operand_wanted:
        called = position + 1 < len(tokens) and tokens[position + 1].type == "LPAR"
        if token.type in ("AND", "OR") and called and (before is None or before.type in _OPERATORS):
            joint = token.type.lower()
            return Finding("E0101", f"`{joint}` is no function in FEEL", at, end,
                           f"write it between the conditions, as in `a > 1 {joint} b < 5`")
        if token.type in _KEYWORDS:
            return Finding("E0101", f"`{shown}` is a word of FEEL and cannot stand here", at, end,
                           "a value is expected; a name may not start with this word")
        after = f" after `{before.text}`" if before is not None and before.type in _OPERATORS else ""
        return Finding("E0101", f"a value is expected{after}, not `{shown}`", at, end,
                       "write the missing value" + (", or remove the sign" if token.type in _OPERATORS else ""))
    if before is not None and before.type in _OPERAND_ENDS and token.type in (
            "NAME", "NUMBER", "STRING", "AT", "TRUE", "FALSE", "NULL", "LBRACE", "IF", "FOR", "SOME", "EVERY",
            "FUNCTION", "KEY"):
        return Finding("E0101", f"an operator is missing before `{shown}`", at, end,
                       "join two conditions with `and` or `or`, texts with `+`")
    if token.type == "DOTS":
        pair = tokens[max(0, position - 3):position]
        if [t.type for t in pair] == ["NUMBER", "COMMA", "NUMBER"] and pair[0].end + 1 == pair[2].start:
            return Finding("E0101", "`,` cannot stand in a number", pair[1].start, pair[1].end,
                           f"write `{pair[0].text}.{pair[2].text}`, with a point")
        return Finding("E0101", "`..` stands inside brackets", at, end,
                       "write a range like `[1..3]`, or `(1..3)` without its ends")
    if start == "tests" and token.type in ("AND", "OR"):
        return Finding("E0101", f"`{shown}` cannot join tests", at, end,
                       "separate alternatives with `,`; join conditions over `?`, as in `? > 3 and ? < 5`")
    if token.type == "COMMA" and start == "expression" and before is not None:
        return Finding("E0101", "`,` cannot stand here", at, end,
                       "write `x in (a, b)` for one of several values, `[a, b]` for a list")
    return Finding("E0101", f"`{shown}` cannot stand here", at, end, f"{_wanted(expected)} is expected here")


_CURRENCIES = frozenset({"cny", "rmb", "yuan", "元", "usd", "dollar", "eur", "euro", "gbp", "hkd", "jpy"})

_NAMES = {
    "RPAR": "`)`", "RSQB": "`]`", "RBRACE": "`}`", "SHUT": "`[`", "COMMA": "`,`", "COLON": "`:`", "DOTS": "`..`",
    "THEN": "`then`", "ELSE": "`else`", "RETURN": "`return`", "SATISFIES": "`satisfies`", "IN": "`in`",
    "KEY": "a name", "BOUND": "a name", "MEMBER": "a name", "TYPE": "a type", "LPAR": "`(`", "TLT": "`<`", "TGT": "`>`",
    "AND": "`and`", "ARROW": "`->`",
}


def _wanted(expected: frozenset[str]) -> str:
    if "NAME" in expected:
        return "a value"
    closers = [_NAMES[t] for t in ("THEN", "ELSE", "RETURN", "SATISFIES", "BOUND", "KEY", "MEMBER", "TYPE", "COLON",
                                   "RPAR", "RSQB", "RBRACE", "TGT", "COMMA", "DOTS") if t in expected]
    if "COMPARE" in expected:
        return " or ".join(["an operator", *closers[:2]])
    if closers:
        return " or ".join(closers[:3])
    return " or ".join(sorted(_NAMES.get(t, t.lower()) for t in expected)[:3]) or "the end"


def _habit(text: str, tokens: list[Token], position: int, start: str) -> Finding | None:
    """What people write who come from another language, at the token that does not fit."""
    token = tokens[position]
    before = tokens[position - 1] if position else None
    behind = tokens[position + 1] if position + 1 < len(tokens) else None
    shown = text[token.start:token.end]
    if before is None:
        if shown == "=" and start == "expression":
            return Finding("E0112", "an expression does not start with `=`", token.start, token.end, "leave it out", "")
        return None
    if shown == "?":
        return Finding("E0112", "FEEL has no `? :`", token.start, token.end,
                       "write `if condition then value else value`")
    if token.type == "COLON" and behind is not None and behind.text == "=":
        return Finding("E0112", "FEEL has no `:=`", token.start, behind.end, "write `=`", "=")
    if token.type == "NULL" and text[before.start:before.end] == "is" and start == "tests":
        return Finding("E0117", "FEEL has no `is null`", before.start, token.end, "write `null`", "null")
    if token.type == "COMMA":
        opened = _open_if(tokens[:position])
        if opened is not None and not any(t.type == "THEN" for t in tokens):
            return Finding("E0116", "this `if` has no `then`", opened.start, opened.end,
                           "write `if condition then value else value`")
        digits = behind is not None and behind.type == "NUMBER" and len(text[behind.start:behind.end]) == 3
        if before.type == "NUMBER" and digits and before.end == token.start and start == "expression":
            return Finding("E0101", "`,` cannot stand in a number", token.start, token.end,
                           "write it without separators, as in `5000000` or `500万`")
    if token.type == "NAME" and before.type == "NUMBER":
        if any(t.type == "BETWEEN" for t in tokens) and shown.startswith("to"):
            return Finding("E0101", "`between` needs `and`", token.start, token.start + 2,
                           "write `x between 1 and 5`", "and")
        unit = shown.split()[0].rstrip("s").lower()
        if unit in _CURRENCIES:
            return Finding("E0101", f"a number has no currency behind it, but `{shown.split()[0]}` stands there",
                           token.start, token.start + len(shown.split()[0]),
                           "leave it out: the policy's `currency` holds for all its money", "")
        if unit == "percent":
            return Finding("E0101", f"an operator is missing before `{shown}`", token.start, token.end,
                           f"write `{before.text}%`, and for a share of something `{before.text}% * ...`")
        way = "a number has no unit behind it but `%`, `万` and `亿`; a span of time is `duration(\"P5Y\")`"
        return Finding("E0101", f"an operator is missing before `{shown}`", token.start, token.end, way)
    if token.type == "STRING" and text[before.start:before.end].split()[-1] == "like":
        return Finding("E0117", "FEEL has no `like`", before.end - 4, before.end,
                       "write `contains(x, \"ltd\")`, `starts with(...)` or `matches(...)`")
    return None


def _open_if(tokens: list[Token]) -> Token | None:
    """The innermost `if` without its `else`."""
    closed = 0
    for token in reversed(tokens):
        if token.type == "ELSE":
            closed += 1
        elif token.type == "IF":
            if closed == 0:
                return token
            closed -= 1
    return None


def _half_comparison(text: str, tokens: list[Token], position: int) -> Finding:
    """`x > 5 and < 10`: the left side must be written again."""
    sign = tokens[position]
    left = _left_operand(text, tokens, position - 1)
    word = text[tokens[position - 1].start:tokens[position - 1].end]
    if left is None:
        return Finding("E0111", f"`{sign.text}` after `{word}` has no left side", sign.start, sign.end,
                       "write both sides of the comparison again")
    return Finding("E0111", f"`{sign.text}` after `{word}` has no left side", sign.start, sign.end,
                   f"write `{left} {sign.text} ...`", f"{left} {sign.text}")


def _left_operand(text: str, tokens: list[Token], joint: int) -> str | None:
    """The left side of the comparison before `and` or `or`, where it is a name or a path."""
    depth = 0
    for index in range(joint - 1, -1, -1):
        kind = tokens[index].type
        if kind in ("RPAR", "RSQB", "RBRACE"):
            depth += 1
        elif kind in ("LPAR", "LSQB", "LBRACE"):
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0 and kind == "COMPARE":
            first = index - 1
            while first >= 0 and tokens[first].type in ("NAME", "MEMBER", "DOT"):
                first -= 1
            if first == index - 1 or tokens[first + 1].type != "NAME":
                return None
            if first >= 0 and tokens[first].type not in ("AND", "OR", "LPAR", "THEN", "ELSE", "IF", "COMMA"):
                return None
            return text[tokens[first + 1].start:tokens[index - 1].end]
        elif depth == 0 and kind in ("AND", "OR"):
            return None
    return None
