"""Each row by the version of its application date, in both engines."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.policy import load_policy
from engine.portfolio.request import EXTRAS, Request
from tests.portfolio.columnar.both import DAY, agree

POLICY = """\
policy: terms
version: "{version}"
effective: {{from: {start}{end}}}
application date: applied on
owner: tests
on missing: refer
reasons:
  R{version}: {{text: 'Version {version}'}}
inputs:
  id: {{type: string, key: true}}
  applied on: {{type: date{optional}}}
  amount: {{type: number, optional: true}}
service:
  longest term:
    value: if amount = null then {term} else {term} + 12
  decision:
    values: [approve, refer]
    rules:
      - rule: D{version}
        when: amount > {term}
        then: refer
        reason: R{version}
      - otherwise: approve
"""
ROWS = """\
id,applied_on,amount
a,2026-01-01,10
b,2026-06-30,40
c,2026-07-01,40
d,2030-01-01,
e,1999-01-01,100
f,,50
g,2026-13-01,50
h,soon,1
i,2026-06-30,x
"""


@pytest.mark.parametrize("optional", ["", ", optional: true"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_pick_their_version(tmp_path: Path, form: str, optional: str) -> None:
    terms = tmp_path / "terms"
    terms.mkdir()
    for version, start, end, term in (("1", "2026-01-01", ", to: 2026-06-30", 24), ("2", "2026-07-01", "", 48)):
        text = POLICY.format(version=version, start=start, end=end, term=term, optional=optional)
        (terms / f"{version}.yaml").write_text(text, "utf-8")
    (tmp_path / "rows.csv").write_text(ROWS, "utf-8")
    request = Request(str(tmp_path / "rows.csv"), DAY, form=form, extras=EXTRAS)
    found = agree(load_policy(terms), request, tmp_path)
    assert found.summary is not None
    assert found.summary.refused == (4 if not optional else 3)
    if form == "csv":
        terms_of = {line.split(",")[1]: line.split(",")[3] for line in found.out.splitlines()[1:]}
        assert [terms_of[key] for key in "abcde"] == ["36", "36", "60", "48", "36"]
