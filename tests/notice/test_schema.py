"""The schema of letters: one that editors and the checker both read."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from engine.source.schema import INFORMS, READ
from tests.source.test_schema import subschemas

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "notice.schema.json").read_text("utf-8"))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_only_words_that_the_checker_reads() -> None:
    assert {word for _, schema in subschemas(SCHEMA) for word in schema} <= READ | INFORMS


def test_every_key_is_explained() -> None:
    definitions = SCHEMA["$defs"]
    for place, schema in subschemas(SCHEMA):
        for name, inner in schema.get("properties", {}).items():
            target = definitions[inner["$ref"].removeprefix("#/$defs/")] if "$ref" in inner else inner
            assert inner.get("description") or target.get("description"), f"{place}: {name}"
            assert inner.get("title") or target.get("title"), f"{place}: {name}"
