"""The LALR tables of `feel.lark`, and the loop that runs them.

Lark turns the grammar into tables, which takes some 100 ms with its import; the tables are
therefore generated (`python -m engine.syntax.table`) and shipped as `feel.table.json`, which
loads in a few. The file carries the digest of the grammar it was made from; where that
differs from the grammar at hand, or the file is missing or damaged, the tables are built
anew in memory. JSON is data: nothing in it can run.
"""
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.syntax.tokens import Token

_GRAMMAR = Path(__file__).with_name("feel.lark")
_TABLE = Path(__file__).with_name("feel.table.json")
_STARTS = ("expression", "tests")
#: Raised when the file's layout changes.
_FORMAT = 1


class Unexpected(Exception):
    """No rule takes `token` (None: the text ends); `expected` are the terminals that could stand there."""

    def __init__(self, token: Token | None, expected: frozenset[str]) -> None:
        super().__init__("unexpected token")
        self.token = token
        self.expected = expected


class ParseTable:
    """Shift and reduce by the tables, with the grammar actions of a builder.

    `data["states"][state][symbol]` is a state to go to, or `-1 - r` to reduce by rule r. A rule
    is [origin, size, action, inlined, expand]: `inlined` are the positions of helper rules whose
    children take their place, a helper's own action is "", and `expand` means that an only
    child stands for the rule.
    """

    def __init__(self, data: dict[str, Any], builder: object) -> None:
        rows: list[dict[str, int]] = data["rows"]
        self._states = [rows[index] for index in data["states"]]
        self._starts: dict[str, int] = data["starts"]
        self._ends: dict[str, int] = data["ends"]
        self._rules = [
            (origin, size, getattr(builder, action) if action else None, tuple(inlined), expand)
            for origin, size, action, inlined, expand in data["rules"]
        ]
        #: For rules that only rename their one child, the name.
        self._units: list[str | None] = [
            rule[0] if rule[1] == 1 and rule[4] and not rule[3] else None for rule in self._rules]

    def parse(self, tokens: list[Token], start: str) -> Any:
        """The value of `start`'s rule over the tokens; raises `Unexpected`, or what an action raises."""
        states, rules, units = self._states, self._rules, self._units
        stack = [self._starts[start]]
        values: list[Any] = []
        for token in tokens:
            kind = token.type
            while True:
                target = states[stack[-1]].get(kind)
                if target is None:
                    raise Unexpected(token, self._expected(stack[-1]))
                if target >= 0:
                    stack.append(target)
                    values.append(token)
                    break
                unit = units[-1 - target]
                if unit is not None:
                    # An operand climbs the levels of precedence: its value stays, the state changes.
                    stack[-1] = states[stack[-2]][unit]
                else:
                    self._reduce(rules[-1 - target], stack, values)
        end = self._ends[start]
        while stack[-1] != end:
            target = states[stack[-1]].get("$END")
            if target is None:
                raise Unexpected(None, self._expected(stack[-1]))
            self._reduce(rules[-1 - target], stack, values)
        return values[-1]

    def _reduce(self, rule: tuple[Any, ...], stack: list[int], values: list[Any]) -> None:
        origin, size, action, inlined, expand = rule
        if size:
            children = values[-size:]
            del values[-size:]
            del stack[-size:]
            if inlined:
                # A helper's list grows in place: long lists stay linear.
                flat: list[Any] = []
                for position, child in enumerate(children):
                    if position not in inlined:
                        flat.append(child)
                    elif flat:
                        flat.extend(child)
                    else:
                        flat = child
                children = flat
        else:
            children = []
        if expand and len(children) == 1:
            value = children[0]
        elif action is not None:
            value = action(children)
        else:
            value = children
        stack.append(self._states[stack[-1]][origin])
        values.append(value)

    def _expected(self, state: int) -> frozenset[str]:
        return frozenset(symbol for symbol in self._states[state] if symbol.isupper())


def grammar_digest() -> str:
    return hashlib.sha256(_GRAMMAR.read_bytes() + b"%d" % _FORMAT).hexdigest()


def build_table() -> dict[str, Any]:
    """The tables as plain data, by Lark."""
    import lark  # noqa: PLC0415 - heavy, and needed only when the shipped tables do not fit

    parser = lark.Lark(
        _GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="basic", start=list(_STARTS),
        maybe_placeholders=False,
    )
    frontend: Any = parser.parser
    table = frontend.parser._parse_table
    rules: dict[Any, int] = {}
    listed: list[list[Any]] = []
    for rule in parser.rules:
        origin = rule.origin.name
        helper = origin.startswith("_")
        inlined = [i for i, s in enumerate(rule.expansion) if not s.is_term and s.name.startswith("_")]
        action = "" if helper else rule.alias or origin
        expand = bool(rule.options.expand1) and not rule.alias
        rules[rule] = len(listed)
        listed.append([origin, len(rule.expansion), "" if expand and len(rule.expansion) == 1 else action,
                       inlined, expand])
    rows: list[dict[str, int]] = []
    index: dict[str, int] = {}
    states = []
    for state in range(len(table.states)):
        row = {
            symbol: (-1 - rules[arg] if action.name == "Reduce" else arg)
            for symbol, (action, arg) in sorted(table.states[state].items())
        }
        key = json.dumps(row)
        if key not in index:
            index[key] = len(rows)
            rows.append(row)
        states.append(index[key])
    return {
        "grammar": grammar_digest(), "starts": dict(table.start_states), "ends": dict(table.end_states),
        "rules": listed, "states": states, "rows": rows,
    }


def load_table(builder: object) -> ParseTable:
    """The shipped tables, or new ones where they do not fit the grammar."""
    try:
        data = json.loads(_TABLE.read_bytes())
        if data["grammar"] == grammar_digest():
            return ParseTable(data, builder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        data = None
    return ParseTable(build_table(), builder)


def main() -> None:
    _TABLE.write_text(json.dumps(build_table(), separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
