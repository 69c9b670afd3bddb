"""A decided customer as a case of a test file: written behind the cases that are there, all else left as it is."""
from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.decision import Decision
from engine.diagnostics import Problem
from engine.explain.values import plain
from engine.ir.door import raw_input
from engine.ir.reads import Cone
from engine.policy import Policy
from engine.policytest.running import run_case
from engine.policytest.suite import ENDINGS, read_suite, shown
from engine.source.nodes import Document, load_text, normal
from engine.source.nodes import Mapping as MappingNode
from engine.source.nodes import Sequence as ListNode
from engine.source.quoting import quoted

_PLAIN = re.compile(r"[^\W\d][\w./-]*(?: [\w./-]+)*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})


class NotKept(Exception):
    """Why a decision cannot be a case of a file, and the way out."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Kept:
    """A case about to be kept: `case` is its text, `text` that of the whole file."""

    def __init__(self, case: str, text: str) -> None:
        self.case = case
        self.text = text


def keep(
    path: Path, policy_path: Path, policy: Policy, decision: Decision, inputs: Mapping[str, Any],
    history: Mapping[str, Any] | None, name: str | None = None,
) -> Kept:
    """The case for a decision, and the test file at `path` with it; raises NotKept. Nothing is written.

    `inputs` and `history` are what was decided; of them the case holds what the policy reads.
    """
    if not path.name.endswith(ENDINGS):
        raise NotKept(f"`{path}` is not called as a test file is", "call it NAME.test.yaml")
    document = _document(path)
    taken = _names(document)
    called = normal(name) if name else _free(_name(decision, inputs), taken)
    if called in taken:
        raise NotKept(f"`{path}` has a case `{called}` already", "name this one with `--case`")
    reach = policy.cone(decision.program)
    lines = list(_case(called, decision, inputs, history, reach))
    text = _appended(document, lines) if document is not None else _begun(path, policy_path, policy, lines)
    suite = read_suite(path, lambda _: policy, text)
    case = next((c for c in suite.cases if c.name == called), None)
    if not suite.is_valid or case is None:
        first = next((d.message for d in suite.diagnostics if d.is_error), "it cannot be read again")
        raise NotKept(f"the case cannot be kept in `{path}`: {first}", "mend the test file, or write the case by hand")
    if not run_case(policy, case).passed:
        raise NotKept("the case would not give this decision again", "write it by hand")
    return Kept("".join(f"{line}\n" for line in lines), text)


def _document(path: Path) -> Document | None:
    """The test file as it is, None where there is none; raises NotKept."""
    if not path.exists():
        return None
    try:
        document = load_text(path.read_bytes(), shown(path))
    except Problem as problem:
        raise NotKept(f"`{path}` cannot be added to: {problem.diagnostics[0].message}") from None
    except OSError as problem:
        raise NotKept(f"`{path}` cannot be read: {(problem.strerror or 'it is damaged').lower()}") from None
    if not isinstance(document.root, MappingNode):
        raise NotKept(f"`{path}` is not a test file")
    return document


def _names(document: Document | None) -> set[str]:
    root = None if document is None else document.root
    cases = root.get("cases") if isinstance(root, MappingNode) else None
    items = cases.items if isinstance(cases, ListNode) else ()
    named = (item.get("case") for item in items if isinstance(item, MappingNode))
    return {normal(getattr(node, "text", "")) for node in named}


def _name(decision: Decision, inputs: Mapping[str, Any]) -> str:
    keys = [str(raw_input(d, inputs)) for d in decision.program.inputs if d.key and raw_input(d, inputs) is not None]
    return normal(" ".join([*keys, "as of", decision.as_of.isoformat()]))


def _free(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found = f"{name} ({number})"
        number += 1
    return found


# --- the case as YAML -------------------------------------------------------------------


def _case(
    name: str, decision: Decision, inputs: Mapping[str, Any], history: Mapping[str, Any] | None, reach: Cone
) -> Iterator[str]:
    program = decision.program
    yield f"- case: {scalar(name)}"
    yield f"  as of: {decision.as_of.isoformat()}"
    given = {
        d.name: raw for d in program.inputs if d.name in reach.inputs and (raw := raw_input(d, inputs)) is not None
    }
    yield from _block("given", given)
    events: dict[str, Any] = {}
    for relation in program.histories:
        rows = (history or {}).get(relation.name)
        if rows is not None and relation.name in reach.relations:
            fields = {n for f in relation.fields for n in (f.name, f.column, f.name.replace(" ", "_"))}
            events[relation.name] = [{n: v for n, v in row.items() if n in fields and v is not None} for row in rows]
    yield from _block("history", events)
    if decision.refused:
        yield f"  refused: {_flow(decision.refused)}"
        return
    yield from _block("expect", {n: plain(v) for n, v in decision.values.items()})
    yield f"  reasons: {_flow(decision.reasons)}"
    if decision.fired:
        yield "  fired:"
        yield from (f"    {scalar(n)}: {_flow(rules)}" for n, rules in decision.fired.items())
    yield f"  open: {_flow(tuple(decision.open))}"
    if decision.open:
        yield f"  missing: {_flow(decision.missing)}"


def _block(key: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values:
        yield f"  {key}:"
        for name, value in values.items():
            yield from _entry(scalar(name), value, "    ")


def _entry(name: str, value: Any, pad: str) -> Iterator[str]:
    """A key and its value, which may have members or items."""
    if isinstance(value, Mapping) and value:
        yield f"{pad}{name}:"
        for inner, part in value.items():
            yield from _entry(scalar(inner), part, f"{pad}  ")
    elif isinstance(value, (list, tuple)) and value:
        yield f"{pad}{name}:"
        for item in value:
            yield from _item(item, f"{pad}  ")
    else:
        yield f"{pad}{name}: {scalar(value)}"


def _item(value: Any, pad: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        lines = [line for name, part in value.items() for line in _entry(scalar(name), part, f"{pad}  ")]
        yield f"{pad}- {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield f"{pad}- {scalar(value)}"


def _flow(names: Sequence[str]) -> str:
    return f"[{', '.join(scalar(n) for n in names)}]"


def scalar(value: Any) -> str:
    """A plain value as YAML that reads back as what it is."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(int(value) if float(value).is_integer() and abs(value) < 1e15 else value)
    if isinstance(value, (list, tuple, dict)):
        return "[]" if not isinstance(value, dict) else "{}"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS or re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text
    return quoted(text) if text.isprintable() else f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


# --- the file ----------------------------------------------------------------------------


def _begun(path: Path, policy_path: Path, policy: Policy, lines: Sequence[str]) -> str:
    """A new test file with one case."""
    stem = next(path.name.removesuffix(e) for e in ENDINGS if path.name.endswith(e))
    relative = Path(os.path.relpath(policy_path.resolve(), path.resolve().parent)).as_posix()
    bare = relative.removesuffix(".yaml")
    head = [f"test: {scalar(policy.name)}"]
    if bare != stem:
        head.append(f"policy: {scalar(bare)}")
    return "\n".join([*head, "cases:", *(f"  {line}" for line in lines)]) + "\n"


def _appended(document: Document, lines: Sequence[str]) -> str:
    """The file with the case behind its last one; raises NotKept where its `cases` are not a list of lines."""
    text, root = document.text, document.root
    assert isinstance(root, MappingNode)
    cases = root.get("cases")
    if cases is None:
        indent, at, head = "  ", len(text.rstrip()), "\ncases:"
    elif isinstance(cases, ListNode) and cases.items and text[cases.start] == "-":
        indent = " " * (document.position(cases.start)[1] - 1)
        at, head = document.line_end(len(text[:cases.end].rstrip())), ""
    else:
        way = "begin each case with `- case:` on its own line"
        raise NotKept(f"`cases` of `{document.name}` is no list of lines", way)
    end = "\r\n" if "\r\n" in text else "\n"
    added = "".join(f"\n{indent}{line}" if line else "\n" for line in lines)
    return f"{text[:at]}{(head + added).replace(chr(10), end)}{text[at:] or end}"

