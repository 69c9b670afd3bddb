"""What YAML makes of a text, circles, and customers that no rule is for."""
from __future__ import annotations

import re
from collections.abc import Iterator

from tests.policies.planting import FAMILIES, Fault, Line, Plant, each, lines, replaced, without

_VALUE = r"((?:- )?(?:value|when): )([^|'\"=>#\n]+[^ |'\"=>#\n])$"


def _tab(line: Line) -> Iterator[str]:
    if not line.in_block and line.text.startswith("    "):
        yield "\t" + line.text.lstrip()


def _tab_in_block(line: Line) -> Iterator[str]:
    if line.in_block and line.row is None:
        yield "\t" + line.text.lstrip()


def _indented(more: int) -> Plant:
    def change(line: Line) -> Iterator[str]:
        if not line.in_block and line.text.startswith("    ") and not line.text.lstrip().startswith("- "):
            yield " " * more + line.text if more > 0 else line.text[-more:]

    return each(change, *FAMILIES)


def _twice(text: str) -> Iterator[Fault]:
    whole = text.split("\n")
    for line in lines(text):
        if line.section in FAMILIES and re.match(r" {4}(?:values|type|value): ", line.text):
            at = line.number
            yield Fault("\n".join([*whole[:at + 1], whole[at], *whole[at + 1:]]), at + 1, at + 2)


def _decision_twice(text: str) -> Iterator[Fault]:
    whole = text.split("\n")
    for line in lines(text):
        if line.section in FAMILIES and re.fullmatch(r"  [\w ]+:", line.text):
            at = line.number
            yield Fault("\n".join([*whole[:at], line.text, "    value: 1", *whole[at:]]), at + 1, at + 3)


def _flow(text: str) -> Iterator[Fault]:
    """A rule of three lines as one line in braces, as JSON would have it."""
    whole = text.split("\n")
    for at in range(len(whole) - 2):
        rule = re.match(r"( +)- rule: (\w+)$", whole[at])
        when = re.match(r" +when: (.+)$", whole[at + 1])
        then = re.match(r" +then: (\w+)$", whole[at + 2])
        if rule and when and then and not (len(whole) > at + 3 and whole[at + 3].lstrip().startswith("reason")):
            new = f"{rule[1]}- {{rule: {rule[2]}, when: {when[1]}, then: {then[1]}}}"
            yield Fault("\n".join([*whole[:at], new, *whole[at + 3:]]), at + 1, at + 1)


def _hash(text: str) -> Iterator[Fault]:
    """A ` #` within a text of an expression, where YAML ends the expression."""
    yield from replaced(r'(when: \w[\w ]* (?:=|!=) ")([^"]+)"$', r'\1no #1"', *FAMILIES)(text)


def _comment(line: Line) -> Iterator[str]:
    if re.search(rf"^ +{_VALUE}", line.text):
        yield f"{line.text} # see the manual"


def _circle(text: str) -> Iterator[Fault]:
    whole = text.rstrip("\n").split("\n")
    added = ["  ring one:", "    value: ring two", "  ring two:", "    value: ring one"]
    yield Fault("\n".join([*whole, *added, ""]), len(whole) + 1, len(whole) + 4)


def _key_line(text: str, decision: str) -> int:
    return next(x.number for x in lines(text) if x.section in FAMILIES and x.text.startswith(f"  {decision}:")) + 1


def _circle_of_itself(text: str) -> Iterator[Fault]:
    for line in lines(text):
        if line.section in FAMILIES and (found := re.match(r"    value: (?![|>])", line.text)) and line.decision:
            new = f"{found[0]}({line.decision}) + ({line.text[found.end():].partition(' #')[0]})"
            whole = text.split("\n")
            spoilt = "\n".join([*whole[:line.number], new, *whole[line.number + 1:]])
            yield Fault(spoilt, _key_line(text, line.decision), line.number + 1)


def _circle_back(text: str) -> Iterator[Fault]:
    """A feature that reads a decision which reads it."""
    found = lines(text)
    whole = text.split("\n")
    for line in found:
        if line.section != "features" or not re.match(r"    value: (?![|>])", line.text):
            continue
        name = line.decision
        reader = next((other for other in found if other.section in FAMILIES[1:] and other.decision != name
                       and re.search(rf"(?<![\w ]){re.escape(name)}(?!\w)", other.text.partition(": ")[2])), None)
        if reader is not None:
            new = f"{line.text} + (if {reader.decision} = null then 1 else 0)"
            yield Fault("\n".join([*whole[:line.number], new, *whole[line.number + 1:]]), _key_line(text, name),
                        line.number + 1)


def _circle_in_where(text: str) -> Iterator[Fault]:
    whole = text.split("\n")
    for line in lines(text):
        if line.text == "    where:":
            at = line.number
            added = ["      ring one: ring two", "      ring two: ring one"]
            yield Fault("\n".join([*whole[:at + 1], *added, *whole[at + 1:]]), at + 2, at + 3)


def _order_gone(text: str) -> Iterator[Fault]:
    """Without an order there is no worst."""
    every = lines(text)
    for line in every:
        if line.text.startswith("    order: "):
            same = [x for x in every if x.section == line.section and x.decision == line.decision]
            if any(x.text.startswith("    worst:") for x in same):
                yield Fault(without(text, line.number, line.number), same[0].number + 1, same[-1].number)


def _gone(pattern: str, *sections: str) -> Plant:
    """A line taken out; a message may point anywhere in its decision."""
    def plant(text: str) -> Iterator[Fault]:
        every = lines(text)
        for line in every:
            if line.section in sections and re.search(pattern, line.text):
                same = [x.number for x in every if x.section == line.section and x.decision == line.decision]
                yield Fault(without(text, line.number, line.number), min(same) + 1, max(same))

    return plant


def _used(text: str, pattern: str) -> tuple[int, int]:
    """The first and last line (from 1) where something that was taken out is still used."""
    found = [x.number + 1 for x in lines(text) if x.section in (*FAMILIES, "use", "parameters")
             and re.search(pattern, x.text.partition(" #")[0])]
    return (min(found), max(found)) if found else (0, 0)


def _undeclared(text: str) -> Iterator[Fault]:
    """An input taken out: each line that names it is at fault."""
    for line in lines(text):
        if line.section == "inputs" and (found := re.match(r"  ([\w ]+): \{", line.text)):
            spoilt = without(text, line.number, line.number)
            name = re.escape(found[1])
            first, last = _used(spoilt, rf"(?<![\w ]){name}(?!\w)|(?<=[(:|=] ){name}(?!\w)")
            if first:
                yield Fault(spoilt, first, last)


def _reason_gone(text: str) -> Iterator[Fault]:
    for line in lines(text):
        if line.section == "reasons" and (found := re.fullmatch(r"  (R\d+):", line.text)):
            spoilt = without(text, line.number, line.number + 3)
            yield Fault(spoilt, *_used(spoilt, rf"{found[1]}$"))


def _key_gone(key: str, needed_by: str) -> Plant:
    """A key of the whole policy taken out: what needs it is at fault."""
    def plant(text: str) -> Iterator[Fault]:
        for line in lines(text):
            if line.text.startswith(f"{key}:"):
                spoilt = without(text, line.number, line.number)
                places = [x.number + 1 for x in lines(spoilt) if x.section != "description"
                          and (re.search(needed_by, x.text) or x.in_block)]
                yield Fault(spoilt, min(places), max(places))

    return plant


TRAPS: dict[str, Plant] = {
    "double-quoted expression": replaced(_VALUE, r'\1"\2"', *FAMILIES),
    "expression in braces": _flow,
    "comment behind an expression": each(_comment, *FAMILIES),
    "hash in a text": _hash,
    "tab before a key": each(_tab, *FAMILIES),
    "tab in a wrapped expression": each(_tab_in_block, *FAMILIES),
    "key given twice": _twice,
    "decision given twice": _decision_twice,
    "a space more": _indented(1),
    "a space less": _indented(-1),
    "no space behind the colon": replaced(r"^( +(?:- )?)(when|then|value|type|rule): (?=\w)", r"\1\2:", *FAMILIES),
    "full-width colon": replaced(r"^( +(?:- )?)(when|then|value|type): (?=\w)", r"\1\2：", *FAMILIES),
    "colon left out": replaced(r"^( +(?:- )?)(when|then|values|order): ", r"\1\2 ", *FAMILIES),
    "dash without a space": replaced(r"^( +)- (rule|otherwise):", r"\1-\2:", *FAMILIES),
    "text begins the expression": replaced(r'(when: )(\w[\w ]*) (=|!=) ("[^"]+")$', r"\1\4 \3 \2", *FAMILIES),
    "comparison begins the expression": replaced(r"(when: )\w[\w ]* (>=?) (\d+)$", r"\1\2 \3", *FAMILIES),
    "anchor": replaced(r"(values: )\[", r"\1&list ["),
    "alias": replaced(r"(type: )(number|boolean)$", r"\1*\2", *FAMILIES),
    "tag": replaced(r"(type: )(number|boolean)$", r"\1!!str \2", *FAMILIES),
    "merge key": replaced(r"^    (values|type): .*$", r"    <<: \1", *FAMILIES),
    "brace not closed": replaced(r"^(  [\w ]+: \{.*)\}$", r"\1", "inputs"),
    "list not closed": replaced(r"(values: \[[\w, ]+)\]$", r"\1"),
    "colon in a description": replaced(r"(owner: )(.*)$", r"\1team: \2"),
    "quote not closed in YAML": replaced(r"range: '([^']*)'", r"range: '\1"),
    "range without quotes": replaced(r"range: '([^']*)'", r"range: \1", "inputs"),
    "second document": replaced(r"^(risk|service|segmentation):", r"---\n\1:"),
    "octal": replaced(r"(when: \w[\w ]* (?:>=?|<=?) )(\d+)$", r"\g<1>0\2", *FAMILIES),
    "circle of two": _circle,
    "circle of one": _circle_of_itself,
    "circle back": _circle_back,
    "circle in where": _circle_in_where,
    "otherwise taken out": _gone(r"^ +- otherwise:|^ +- rule: \w+$(?=\n +otherwise)|\| otherwise +\|\|", *FAMILIES),
    "last row of a table taken out": _gone(r"^ +[\w-]+ +(\| - +)+\|\|", *FAMILIES),
    "bin taken out": _gone(r"^ +\| ([\[(].*\]|> .*|>= .*) +\| +-?\d", "risk"),
    "input taken out": _undeclared,
    "reason taken out": _reason_gone,
    "order taken out": _order_gone,
    "on missing taken out": _key_gone("on missing", r"(value|when): |\|"),
    "currency taken out": _key_gone("currency", r"type: money"),
}
