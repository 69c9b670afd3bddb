"""Typing errors, habits from other languages, and values of the wrong type."""
from __future__ import annotations

import re
from collections.abc import Iterator

from tests.policies.planting import FAMILIES, Fault, Line, Plant, cut, each, lines, replaced, to_block_end

TEXT = r'"([a-zA-Z_]{4,})"'
COMPARED = r"(<=|>=|<|>) (\d[\d.]*)(?![\d.]*[%万亿\w])"
_DECLARED = re.compile(r"  ([a-z][a-z_ ]{4,}):")


def names(text: str) -> list[str]:
    """The names that a policy's expressions may hold, longest first."""
    found = {m[1] for line in lines(text) if line.section in ("inputs", "features", "history", "parameters")
             if (m := _DECLARED.match(line.text))}
    return sorted(found, key=lambda n: (-len(n), n))


def _in_names(spoil: str) -> Plant:
    def plant(text: str) -> Iterator[Fault]:
        known = names(text)

        def change(line: Line) -> Iterator[str]:
            body, comment = cut(line.text)
            if line.text.lstrip().startswith(("description:", "- rule:")) or not line.in_block and ": " not in body:
                return
            start = 0 if line.in_block else body.index(": ")
            for name in known:
                found = re.search(rf"(?<![\w .\"]){re.escape(name)}(?![\w\"])|(?<= ){re.escape(name)}(?![\w\"])",
                                  body[start:])
                if found is not None:
                    new = spoilt(name, spoil)
                    at = start + found.start()
                    if new is not None and new not in known:
                        yield body[:at] + new + body[at + len(name):] + comment
                    return

        yield from each(change, *FAMILIES)(text)

    return plant


def spoilt(name: str, way: str) -> str | None:
    middle = len(name) // 2
    if way == "drop":
        return name[:middle] + name[middle + 1:]
    if way == "swap":
        return name[:middle - 1] + name[middle] + name[middle - 1] + name[middle + 1:]
    if way == "capitals":
        return name.replace("_", " ").title().replace(" ", "_" if "_" in name else " ")
    if "_" in name:
        return name.replace("_", " ")
    return name.replace(" ", "_") if " " in name else None


def _missing_quote(found: re.Match[str]) -> str:
    return found[0][:-1]


SLIPS: dict[str, Plant] = {
    "name without a letter": _in_names("drop"),
    "name with letters swapped": _in_names("swap"),
    "name in capitals": _in_names("capitals"),
    "underscore or space in a name": _in_names("underscore"),
    "value without a letter": replaced(TEXT, lambda m: f'"{m[1][:-2]}{m[1][-1]}"', *FAMILIES),
    "value in capitals": replaced(TEXT, lambda m: f'"{m[1].capitalize()}"', *FAMILIES),
    "outcome without a letter": replaced(r"((?:then|otherwise): )(\w{4,})$",
                                         lambda m: m[1] + m[2][:-2] + m[2][-1], *FAMILIES),
    "two equals signs": replaced(r'(\w) = (?=")', r"\1 == ", *FAMILIES),
    "arrow for a comparison": replaced(r">= (?=\d)", "=> ", *FAMILIES),
    "not-equals of a spreadsheet": replaced(r" != ", " <> ", *FAMILIES),
    "ampersands": replaced(r" and (?=\w)", " && ", *FAMILIES),
    "bars for or": replaced(r" or (?!else)(?=\w)", " || ", *FAMILIES),
    "connective in capitals": replaced(r" and (?=\w)", " AND ", *FAMILIES),
    "misspelt connective": replaced(r" and (?=\w)", " adn ", *FAMILIES),
    "misspelt otherwise": replaced(r"(?<=[- ])otherwise(?=:| )", "otherwsie", *FAMILIES),
    "single quotes": replaced(TEXT, r"'\1'", *FAMILIES),
    "quote not closed": replaced(TEXT, _missing_quote, *FAMILIES),
    "bracket not closed": replaced(r"\(([^()]*)\)(?=[^()]*$)", r"(\1", *FAMILIES),
    "bracket too many": to_block_end(replaced(r"\(([^()]*)\)(?=[^()]*$)", r"(\1))", *FAMILIES)),
    "misspelt function": replaced(r"\b(get or else|count|floor|min|max|sum)\(", lambda m: f"{m[1][:-2]}{m[1][-1]}(",
                                  *FAMILIES),
    "comma left out": replaced(r", (?=false\))", " ", *FAMILIES),
    "operator left out": replaced(r" (<=|>=|<|>) (?=\d)", " ", *FAMILIES),
    "sign twice": replaced(r"(?<=\w) (\*|/) (?=\w)", r" \1 \1 ", *FAMILIES),
    "negation without brackets": replaced(r"\bnot\((\w+)\)", r"not \1", *FAMILIES),
    "is null": replaced(r" = null", " is null", *FAMILIES),
    "unit of a letter": replaced(COMPARED, r"\1 \2k", *FAMILIES),
    "currency behind a number": replaced(COMPARED, r"\1 \2 CNY", *FAMILIES),
    "blank before a percent": replaced(r"(\d)% (?=[*/])", r"\1 % ", *FAMILIES),
    "and in Chinese": replaced(r" and (?=\w)", " 且 ", *FAMILIES),
    "day without its function": replaced(r'date\("(\d{4}-\d\d-\d\d)"\)', r"\1", *FAMILIES),
    "field cut to its type": replaced(r"^( +[\w ]+: )\{type: (\w+)\}$", r"\1\2", "inputs", "history"),
    "otherwise as else": replaced(r"- otherwise:", "- else:", *FAMILIES),
    "text for a number": replaced(COMPARED, r'\1 "\2"', *FAMILIES),
    "number for a text": replaced(r' (=|!=) "[^"]*"', r" \1 7", *FAMILIES),
    "boolean in quotes": replaced(r", (true|false)\)", r', "\1")', *FAMILIES),
    "default of another type": replaced(r"(get or else\(\w[\w ]*, )false\)", r"\g<1>0)", *FAMILIES),
    "date as a text": replaced(r'date\(("\d{4}-\d\d-\d\d")\)', r"\1", *FAMILIES),
    "day that is none": replaced(r'"(\d{4})-\d\d-\d\d"', r'"\1-02-30"', *FAMILIES),
    "money added to a count": replaced(r"(?<== |: )count\((\w+)\) > 0", r"count(\1) + annual revenue > 0", *FAMILIES),
    "field that is none": replaced(r"\.(net|due|days|amount|buyer)\b", r".\1s", *FAMILIES),
    "misspelt top key": replaced(r"^(inputs|segmentation|risk|service|features|reasons|currency|on missing|effective)"
                                 r"(?=:)", lambda m: m[1][:2] + m[1][3] + m[1][2] + m[1][4:]),
    "misspelt key": replaced(r"^( {4}|      (?:- )?|        )(values|order|value|rules|worst|table|scorecard|where|when"
                             r"|then|reason|rule|otherwise)(?=:)", lambda m: m[1] + m[2][:1] + m[2][2:], *FAMILIES),
    "misspelt type": replaced(r"type: (number|boolean|money|string|date)", lambda m: f"type: {m[1][:-2]}{m[1][-1]}"),
    "misspelt hit word": replaced(r"^( +)first(?= +\|)", r"\1frist", *FAMILIES),
    "misspelt order": replaced(r"order: best first", "order: best frist", *FAMILIES),
    "wrong boolean": replaced(r"optional: true", "optional: yes"),
    "boolean in capitals": replaced(r"optional: true", "optional: True"),
    "reason code that is none": replaced(r"(reason: R)(\d)\d$", r"\1\g<2>99", *FAMILIES),
    "reasons of no decision": replaced(r"from tier", "from tear", *FAMILIES),
    "policy that is none": replaced(r"policy: standards/cn-sme-size", "policy: standards/cn-sme-sise"),
    "value listed twice": replaced(r"values: \[(\w+), ", r"values: [\1, \1, "),
    "range turned round": replaced(r"'\[0\.\.100\]'", "'[100..0]'"),
    "range without a bracket": replaced(r"'\[0\.\.100\]'", "'0..100'"),
}
