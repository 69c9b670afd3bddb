"""Diagnostics as text, JSON and SARIF."""
from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.diagnostics import Diagnostic, Edit, Label, Span
from engine.render import render_json, render_sarif, render_text, summary
from engine.syntax.width import text_width

POLICY = "a: 1\n        when: anual revenue >= 500万\nlast: x\n"


def one(column: int, end: int, line: int = 1, **more: object) -> Diagnostic:
    return Diagnostic("E0203", "unknown name `x`", Span("p.yaml", line, column, line, end), **more)  # type: ignore[arg-type]


def shown(diagnostic: Diagnostic, text: str, **how: int) -> list[str]:
    return render_text([diagnostic], {"p.yaml": text}, **how).split("\n")


def underlined(lines: list[str]) -> str:
    """What stands above the carets, by columns."""
    at = next(n for n, line in enumerate(lines) if "^" in line)
    start, end = lines[at].index("^"), lines[at].rindex("^") + 1
    out, column = "", 0
    for char in lines[at - 1]:
        width = text_width(char)
        if width and start <= column < end:             # a mark that combines has no column of its own
            out += char
        column += width
    return out


def test_one_error() -> None:
    found = Diagnostic("E0203", "unknown name `anual revenue`", Span("policies/wc.yaml", 2, 15, 2, 28),
                       "did you mean `annual revenue`?")
    assert render_text([found], {"policies/wc.yaml": POLICY}) == """\
error[E0203]: unknown name `anual revenue`
 --> policies/wc.yaml:2:15
2 |         when: anual revenue >= 500万
  |               ^^^^^^^^^^^^^
  = help: did you mean `annual revenue`?
  = page: docs/errors/E0203.md

1 error
"""


def test_labels_above_and_in_another_file() -> None:
    found = Diagnostic("W0009", "twice", Span("p.yaml", 12, 1, 12, 2), labels=(
        Label(Span("p.yaml", 3, 4, 3, 6), "first here"), Label(Span("q.yaml", 1, 1, 1, 2), "and there")))
    text = "\n".join(f"l: {n}" for n in range(10, 30))
    assert render_text([found], {"p.yaml": text, "q.yaml": "z"}) == """\
warning[W0009]: twice
  --> p.yaml:12:1
 3 | l: 12
   |    -- first here
...
12 | l: 21
   | ^
  ::: q.yaml:1:1
 1 | z
   | - and there
   = page: docs/errors/W0009.md

1 warning
"""


def test_without_a_place_or_a_source() -> None:
    text = render_text([Diagnostic("E0001", "cannot read `x`"), one(1, 2)], {})
    assert "-->" not in text.split("\n\n")[0]
    assert " --> p.yaml:1:1\n  = page" in text and text.endswith("\n2 errors\n")


def test_nothing_and_counts() -> None:
    assert render_text([], {}) == ""
    errors, warnings = [one(1, 2)] * 2, [Diagnostic("W0001", "x")]
    assert summary([*errors, *warnings]) == "2 errors, 1 warning"
    assert summary([]) == "no problems"


@given(st.text(st.sampled_from("ab年万👍é\u0301\t ｜"), min_size=1, max_size=30), st.data())
def test_carets_stand_under_the_text(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(start + 1, len(line)))
    wanted = line[start:end].replace("\t", "    ").replace("\u0301", "")
    got = underlined(shown(one(start + 1, end + 1), line + "|"))
    assert got == wanted or not wanted


def test_an_empty_place_has_one_caret() -> None:
    assert shown(one(5, 5), "a: 1")[3] == "  |     ^"


def test_a_place_over_several_lines_is_marked_on_the_first() -> None:
    found = Diagnostic("E0203", "x", Span("p.yaml", 1, 4, 3, 2))
    assert shown(found, "a: bcd  \ne\nf\n")[3] == "  |    ^^^"


@given(st.integers(0, 5000), st.integers(1, 200), st.sampled_from("x年"), st.integers(40, 160))
def test_long_lines_show_the_part_around_the_fault(before: int, size: int, filler: str, width: int) -> None:
    line = filler * before + "F" * size + filler * 3000
    lines = shown(one(before + 1, before + size + 1), line, width=width)
    assert text_width(lines[2]) <= width + len("1 | ……")
    assert lines[2].endswith("…") and set(underlined(lines)) <= {"F", "…"} and underlined(lines)[0] == "F"


def test_marks_far_apart_do_not_show_the_whole_line() -> None:
    found = one(5, 6, labels=(Label(Span("p.yaml", 1, 90_001, 1, 90_005), "there"),))
    assert max(len(line) for line in shown(found, "x" * 100_000)) < 140


def test_text_of_a_file_cannot_steer_the_terminal() -> None:
    found = Diagnostic("E0203", "unknown `\x1b[31mred\x07`", Span("p\x1b.yaml", 1, 1, 1, 2), "try\n`\u202e`",
                       (Label(Span("p\x1b.yaml", 1, 2, 1, 3), "\x9b"),))
    for color in (False, True):
        text = render_text([found], {"p\x1b.yaml": "a\x1b[2J\u202eb\x00"}, color)
        assert not re.search("[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]|\x1b(?!\\[[0-9;]*m)", text)
    assert "\\u{1b}" in text


def test_color_only_adds_color() -> None:
    found = one(5, 6, help="h", labels=(Label(Span("p.yaml", 3, 1, 3, 3), "l"),))
    plain, painted = (render_text([found], {"p.yaml": POLICY}, color) for color in (False, True))
    assert painted != plain == re.sub("\x1b\\[[0-9;]*m", "", painted)


FOUND = [
    Diagnostic("E0010", "twice", Span("dir/年 x.yaml", 3, 1, 3, 4), "rename",
               (Label(Span("o.yaml", 1, 2, 2, 3), "first"),),
               (Edit(Span("dir/年 x.yaml", 3, 1, 3, 4), "new"),)),
    Diagnostic("W0100", "no place"),
]


def test_json_has_the_documented_shape(root: Path) -> None:
    schema = json.loads((root / "schemas" / "diagnostics.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(render_json(FOUND))
    jsonschema.validate(data, schema, cls=jsonschema.Draft202012Validator)
    jsonschema.validate(json.loads(render_json([])), schema, cls=jsonschema.Draft202012Validator)
    assert (data["errors"], data["warnings"]) == (1, 1)
    first, second = data["diagnostics"]
    span = {"file": "dir/年 x.yaml", "line": 3, "column": 1, "end_line": 3, "end_column": 4}
    assert first == {
        "code": "E0010", "severity": "error", "message": "twice", "help": "rename", "page": "docs/errors/E0010.md",
        "span": span, "edits": [{"span": span, "replacement": "new"}],
        "labels": [{"span": {"file": "o.yaml", "line": 1, "column": 2, "end_line": 2, "end_column": 3},
                    "text": "first"}]}
    assert second["span"] is None and second["severity"] == "warning"


def test_sarif() -> None:
    log = json.loads(render_sarif(FOUND))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0" and run["columnKind"] == "unicodeCodePoints"
    rules = run["tool"]["driver"]["rules"]
    first, second = run["results"]
    assert [r["ruleId"] for r in run["results"]] == ["E0010", "W0100"]
    assert [rules[r["ruleIndex"]]["id"] for r in run["results"]] == ["E0010", "W0100"]
    assert (first["level"], second["level"]) == ("error", "warning")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "dir/%E5%B9%B4%20x.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 4}
    assert first["relatedLocations"][0]["message"] == {"text": "first"}
    change = first["fixes"][0]["artifactChanges"][0]
    assert change["replacements"][0]["insertedContent"] == {"text": "new"}
    assert second["locations"] == []


# The parts of the SARIF 2.1.0 schema (OASIS) that bear on what is written, with its closed objects.
def closed(**properties: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


COUNT = {"type": "integer", "minimum": 1}
REGION = closed(startLine=COUNT, startColumn=COUNT, endLine=COUNT, endColumn=COUNT)
TEXT = closed(text={"type": "string"})
ARTIFACT = closed(uri={"type": "string", "format": "uri-reference", "pattern": "^[!-~]*$"})
PHYSICAL = closed(artifactLocation=ARTIFACT, region=REGION)
LOCATION = closed(id={"type": "integer", "minimum": -1}, physicalLocation=PHYSICAL, message=TEXT)
RESULT = {"type": "object", "additionalProperties": False, "required": ["message"], "properties": {
    "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": -1},
    "level": {"enum": ["none", "note", "warning", "error"]}, "message": TEXT,
    "locations": {"type": "array", "items": LOCATION},
    "relatedLocations": {"type": "array", "items": LOCATION, "uniqueItems": True},
    "fixes": {"type": "array", "uniqueItems": True, "items": {
        "type": "object", "additionalProperties": False, "required": ["artifactChanges"], "properties": {
            "description": TEXT, "artifactChanges": {"type": "array", "minItems": 1, "items": {
                "type": "object", "additionalProperties": False, "required": ["artifactLocation", "replacements"],
                "properties": {"artifactLocation": ARTIFACT, "replacements": {"type": "array", "minItems": 1, "items": {
                    "type": "object", "additionalProperties": False, "required": ["deletedRegion"],
                    "properties": {"deletedRegion": REGION, "insertedContent": TEXT}}}}}}}}}}}


@pytest.mark.parametrize("found", [FOUND, []], ids=["some", "none"])
def test_sarif_has_the_standard_shape(found: list[Diagnostic]) -> None:
    log = json.loads(render_sarif(found, "1.2"))
    assert set(log) == {"$schema", "version", "runs"}
    assert set(log["runs"][0]) == {"tool", "columnKind", "results"}
    assert set(log["runs"][0]["tool"]["driver"]) == {"name", "version", "rules"}
    for result in log["runs"][0]["results"]:
        jsonschema.validate(result, RESULT, cls=jsonschema.Draft202012Validator)
