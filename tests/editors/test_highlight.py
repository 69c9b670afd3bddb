"""The grammars by VS Code's own engine, on lines whose scopes are written below them.

A file of `highlight/` is read as YAML. In it `#   ^^^ scope other !third` speaks of the columns marked in
the line before, `#<- scope` of its first column: each character there has the scopes, and not those with `!`.
Columns count code points.
"""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.check.declarations import RESERVED
from engine.semantics.catalogue import BUILTINS
from engine.syntax.reading import KEYWORDS
from engine.syntax.slips import FULL_WIDTH
from tests.editors.conftest import HERE, node

ROOT = HERE.parents[1]
SYNTAXES = ROOT / "editors" / "vscode" / "syntaxes"
OURS = (SYNTAXES / "feel.tmLanguage.json", SYNTAXES / "feel-in-yaml.injection.tmLanguage.json")
FILES = sorted((HERE / "highlight").glob("*.yaml"))
BASES = ("textmate", "vscode")

_CLAIM = re.compile(r"#(?:(<-)|( *)(\^+)) +(\S.*)")

Token = tuple[int, int, frozenset[str]]


class Claim(NamedTuple):
    """Columns `start` to `end` of line `line`, all from 0, and the scopes stated."""

    line: int
    start: int
    end: int
    scopes: tuple[str, ...]


def parsed(text: str) -> tuple[list[str], list[Claim]]:
    lines: list[str] = []
    claims: list[Claim] = []
    for line in text.splitlines():
        if match := _CLAIM.fullmatch(line):
            start = 0 if match[1] else 1 + len(match[2])
            claims.append(Claim(len(lines) - 1, start, start + len(match[3] or "^"), tuple(match[4].split())))
        else:
            lines.append(line)
    return lines, claims


def tokens(packages: Path, base: str, texts: list[str]) -> list[list[list[Token]]]:
    """For each text, for each line, its tokens; all these lines lie in the basic plane, so units are columns."""
    if base == "textmate":
        grammars = [packages / "node_modules" / "tm-grammars" / "grammars" / "yaml.json"]
    else:
        grammars = sorted((packages / "code-yaml" / "package" / "resources").glob("*.tmLanguage.json"))
    assert grammars
    request = {"grammars": [*map(str, grammars), *map(str, OURS)], "scope": "source.yaml",
               "injections": ["source.yaml.tierwise"], "texts": texts}
    answer = node("node", str(HERE / "tokens.cjs"), cwd=packages, input=json.dumps(request),
                  NODE_PATH=str(packages / "node_modules"))
    return [[[(start, end, frozenset(scopes)) for start, end, *scopes in line] for line in text]
            for text in json.loads(answer)]


@pytest.mark.real
@pytest.mark.parametrize("base", BASES)
def test_lines_have_their_scopes(packages: Path, base: str) -> None:
    read = [parsed(path.read_text("utf-8")) for path in FILES]
    found = tokens(packages, base, ["\n".join(lines) for lines, _ in read])
    faults: list[str] = []
    for path, (lines, claims), text in zip(FILES, read, found, strict=True):
        assert claims
        for claim in claims:
            for column in range(claim.start, claim.end):
                scopes = next((s for start, end, s in text[claim.line] if start <= column < end), frozenset[str]())
                if any((scope[1:] in scopes) if scope.startswith("!") else scope not in scopes
                       for scope in claim.scopes):
                    faults.append(f"{path.name}: `{lines[claim.line]}` column {column + 1}: "
                                  f"{' '.join(claim.scopes)}, but {' '.join(sorted(scopes))}")
                    break
    assert not faults, "\n".join(faults)


@pytest.mark.real
def test_shipped_files_look_alike_over_both_grammars_of_yaml(packages: Path) -> None:
    """From `policy:` on our grammar alone decides, and it marks nothing in a shipped policy as a fault."""
    paths = [p for p in sorted((ROOT / "policies").rglob("*.yaml"))
             if re.search("^(policy|test): ", p.read_text("utf-8"), re.MULTILINE)]
    texts = [p.read_text("utf-8") for p in paths]
    seen = []
    for base in BASES:
        ours = [[[(start, end, scopes - {"source.yaml"}) for start, end, scopes in line if "meta.tierwise" in scopes]
                 for line in text] for text in tokens(packages, base, texts)]
        seen.append([[[(s, e, frozenset(x for x in scopes if not x.startswith("meta."))) for s, e, scopes in line]
                      for line in text] for text in ours])
    assert seen[0] == seen[1]
    assert all(any(line for line in text) for text in seen[0])
    bad = [f"{path}: {text.splitlines()[n][start:end]}" for path, text, lines in zip(paths, texts, seen[0], strict=True)
           for n, line in enumerate(lines) for start, end, scopes in line if any("invalid" in s for s in scopes)]
    assert not bad


def words(part: dict[str, str]) -> set[str]:
    """The words that a pattern of alternatives names."""
    inner = re.search(r"\(\?:((?:[^()|]|\[[^\]]*\])+(?:\|[^()]+)*)\)", part["match"])
    assert inner is not None
    return {word.replace("[ \\t]+", " ") for word in inner[1].split("|")}


def test_the_grammar_knows_every_built_in_function_and_no_other() -> None:
    grammar = json.loads(OURS[0].read_text("utf-8"))["repository"]
    assert words(grammar["call"]["patterns"][0]) == set(BUILTINS.functions()) - {"not"}


def test_the_grammar_knows_the_keywords_and_the_full_width_signs() -> None:
    grammar = json.loads(OURS[0].read_text("utf-8"))["repository"]
    known = {w for part in grammar["keyword"]["patterns"] if "|" in part["match"] for w in words(part)}
    assert set(KEYWORDS) <= known
    special = grammar["special"]["match"]
    assert all(name.replace(" ", "[ \\t]+") in special for name in RESERVED - {"today", "now"})
    assert set(FULL_WIDTH) <= set(grammar["slip"]["match"])


def test_claims_are_read() -> None:
    lines, claims = parsed("a: b\n#<- x\n#  ^ y !z\n")
    assert lines == ["a: b"]
    assert claims == [Claim(0, 0, 1, ("x",)), Claim(0, 3, 4, ("y", "!z"))]
