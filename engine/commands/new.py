"""`tierwise new`: the beginning of a policy."""
from __future__ import annotations

import os
import re
from pathlib import Path

import click

from engine import bundled
from engine.commands.common import INVALID, Failure, talk
from engine.portfolio.problems import reason

_POLICY = """\
# yaml-language-server: $schema={schema}
policy: {name}
version: "0.1"
effective: {{from: 2026-01-01}}
owner: name the team that answers for these rules
currency: CNY
on missing: refer                      # what becomes of a decision that missing data leave open

reasons:                               # every code that a rule names
  R1:
    text: Less than one year in business ({{years trading}} years)
    rank: 10
  R2: {{text: Income does not cover debt service, rank: 5}}

inputs:
  firm id: {{type: string, key: true}}
  annual revenue: {{type: money, range: '>= 0'}}
  years trading: {{type: number, range: '>= 0'}}
  dscr: {{type: number, optional: true}}

segmentation:
  segment:                             # the first rule that holds wins
    values: [new, core, priority]
    rules: |
      id | when                                           || then
      S1 | years trading < 1                              || new
      S2 | annual revenue >= 500万 and years trading >= 3 || priority
      S3 | otherwise                                      || core

service:
  decision:                            # every rule is tried, the worst outcome wins
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: dscr < 1
        then: decline
        reason: R2
      - rule: D2
        when: years trading < 1
        then: refer
        reason: R1
      - otherwise: approve
  limit:
    type: money
    value: if decision = "approve" then 20% * annual revenue else 0
"""


@click.group()
def command() -> None:
    """Begin a policy."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def policy(path: Path, force: bool) -> None:
    """Write a small policy to PATH, to be read, checked and changed."""
    if path.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"`{path}` does not end in `.yaml`")
    if path.exists() and not force:
        raise Failure(f"`{path}` is there already", code=INVALID, help="name another file or add `--force`")
    name = re.sub(r"[\W_]+", " ", path.stem).strip().lower() or "policy"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_POLICY.format(name=name, schema=_schema(path)), encoding="utf-8")
    except OSError as problem:
        message = f"`{path}` cannot be written: {reason(problem)}"
        raise Failure(message, code=INVALID) from None
    talk(f"wrote {path}; next: tierwise check {path}")


def _schema(path: Path) -> str:
    """The policy schema as an editor finds it from `path`: relative within one project."""
    schema = bundled.schema("policy")
    folder = path.resolve().parent
    project = schema.parent.parent
    if folder.is_relative_to(project):
        return Path(os.path.relpath(schema, folder)).as_posix()
    return schema.as_uri()
