"""What test files gave, as text, JSON or JUnit XML."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from engine.diagnostics import Diagnostic
from engine.explain.values import visible
from engine.policytest.model import Case, Expectation, Lacking, Suite
from engine.policytest.running import Difference, Result
from engine.policytest.verdicts import Verdict, plural
from engine.portfolio.writing import json_text
from engine.records import Record
from engine.syntax.width import text_width

#: Changes only if a key changes its meaning.
VERSION = 1
#: Customers that a failing expectation names.
MAX_NAMED = 10
#: Columns beyond which what was expected and what came out stand one below the other.
_ROOM = 100
#: Characters that XML 1.0 has no form for.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Outcome(Record):
    """A test file and what its cases and expectations gave, in the order of the file; none where the file is not valid.

    `seconds` is the time that deciding took, `left` the number of cases and expectations that were not asked for or
    not reached, `lacking` what DuckDB does not carry out.
    """

    suite: Suite
    results: tuple[Result, ...]
    seconds: float
    left: int = 0
    verdicts: tuple[Verdict, ...] = ()
    lacking: tuple[Lacking, ...] = ()

    @property
    def not_columnar(self) -> list[Case | Expectation]:
        """The cases and expectations that DuckDB does not carry out."""
        return list({id(i): i for part in self.lacking for i in part.items}.values())

    @property
    def all(self) -> list[Result | Verdict]:
        """Cases, then expectations."""
        return [*self.results, *self.verdicts]

    @property
    def failed(self) -> list[Result | Verdict]:
        return [r for r in self.all if not r.passed]


def failure(result: Result | Verdict, language: str = "en") -> str:
    """What failed: what was expected and what came out, of whom, then why."""
    parts = ["\n".join(_differences(result.differences))]
    if isinstance(result, Verdict):
        parts += filter(None, ("\n".join(map(visible, result.lines)), _named(result)))
    parts += filter(None, (result.explanation(language),))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _named(verdict: Verdict) -> str:
    """`83 of 189 customers: F001, F003, ...`."""
    if not verdict.named:
        return ""
    keys = [visible(c.key) for c in verdict.named[:MAX_NAMED]]
    more = ", ..." if len(verdict.named) > MAX_NAMED else ""
    return f"{len(verdict.named):,} of {plural(verdict.of)}: {', '.join(keys)}{more}"


def item(result: Result | Verdict) -> Case | Expectation:
    """What was decided or judged."""
    return result.case if isinstance(result, Result) else result.expectation


def _differences(differences: Sequence[Difference]) -> Iterator[str]:
    width = max(text_width(d.what) for d in differences)
    longest = max(text_width(d.expected) for d in differences)
    for d in differences:
        what, expected, got = visible(d.what), visible(d.expected), visible(d.got)
        head = f"{what}{' ' * (width - text_width(what))}  expected {expected}"
        if width + longest + text_width(got) + 20 > _ROOM:
            yield head
            yield f"{' ' * (width + 2)}got      {got}"
        else:
            yield f"{head}{' ' * (longest - text_width(expected))}  got {got}"


def headline(result: Result | Verdict) -> str:
    """The place and name of what failed."""
    about = item(result)
    why = f" ({visible(about.why)})" if about.why else ""
    return f"{about.span.file}:{about.span.line}: {visible(about.name)}{why}"


def indented(text: str, by: str = "  ") -> str:
    return "".join(f"{by}{line}\n" if line else "\n" for line in text.splitlines())


def closing(outcomes: Sequence[Outcome]) -> str:
    """`3 of 120 cases failed in 2 files`; expectations are counted beside cases where there are any."""
    cases = [r.passed for o in outcomes for r in o.results]
    expectations = [v.passed for o in outcomes for v in o.verdicts]
    invalid = sum(not o.suite.is_valid for o in outcomes)
    left = sum(o.left for o in outcomes)
    told = [(cases, "case")] if cases or not expectations else []
    told += [(expectations, "expectation")] if expectations else []
    if not all(cases + expectations):
        counted = " and ".join(f"{part.count(False):,} of {plural(len(part), noun)}" for part, noun in told)
        text = f"{counted} failed"
    else:
        text = f"{' and '.join(plural(len(part), noun) for part, noun in told)} passed"
    text += f" in {plural(len(outcomes), 'file')}, {sum(o.seconds for o in outcomes):.2f} s"
    if left:
        text += f"; {left:,} left out"
    if lacking := sum(len(o.not_columnar) for o in outcomes):
        text += f"; {lacking:,} not columnar"
    return text + (f"; {invalid:,} file{'s are' if invalid != 1 else ' is'} invalid" if invalid else "")


def as_json(outcomes: Sequence[Outcome], language: str = "en") -> dict[str, Any]:
    """All files and cases as JSON."""
    return {
        "version": VERSION,
        "files": [_file(o, language) for o in outcomes],
        "cases": sum(len(o.results) for o in outcomes),
        "expectations": sum(len(o.verdicts) for o in outcomes),
        "failed": sum(len(o.failed) for o in outcomes),
        "left_out": sum(o.left for o in outcomes),
        "not_columnar": sum(len(o.not_columnar) for o in outcomes),
        "invalid": sum(not o.suite.is_valid for o in outcomes),
    }


def _file(outcome: Outcome, language: str) -> dict[str, Any]:
    suite = outcome.suite
    return {
        "file": suite.file,
        "test": suite.name,
        "policy": None if suite.policy is None else suite.policy.name,
        "seconds": round(outcome.seconds, 4),
        "problems": [_problem(d) for d in suite.diagnostics],
        "cases": [_case(r, language) for r in outcome.results],
        "expectations": [_expectation(v, language) for v in outcome.verdicts],
        "not_columnar": [
            {"names": [i.name for i in part.items], "problems": [_problem(d) for d in part.diagnostics]}
            for part in outcome.lacking
        ],
    }


def _problem(found: Diagnostic) -> dict[str, Any]:
    span = found.span
    place = None if span is None else {"file": span.file, "line": span.line, "column": span.column}
    return {"code": found.code, "message": found.message, "help": found.help, "place": place}


def _case(result: Result, language: str) -> dict[str, Any]:
    return {"case": result.case.name, **_told(result, language)}


def _expectation(verdict: Verdict, language: str) -> dict[str, Any]:
    told = {"expectation": verdict.expectation.name, **_told(verdict, language), "notes": list(verdict.notes)}
    if not verdict.passed:
        keys = [c.key for c in verdict.named[:MAX_NAMED]]
        told["customers"] = {"count": len(verdict.named), "of": verdict.of, "keys": keys}
        told["lines"] = list(verdict.lines)
    return told


def _told(result: Result | Verdict, language: str) -> dict[str, Any]:
    about = item(result)
    told: dict[str, Any] = {
        "line": about.span.line, "as_of": about.as_of.isoformat(), "passed": result.passed,
    }
    if not result.passed:
        told["differences"] = [{"what": d.what, "expected": d.expected, "got": d.got} for d in result.differences]
        told["explanation"] = result.explanation(language)
    return told


def as_junit(outcomes: Sequence[Outcome], language: str = "en") -> str:
    """JUnit XML: a suite for each file, an error in place of the cases where a file is not valid."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    totals = {
        "tests": sum(len(o.all) + len(_skipped(o)) + (not o.suite.is_valid) for o in outcomes),
        "failures": sum(len(o.failed) for o in outcomes),
        "errors": sum(not o.suite.is_valid for o in outcomes),
    }
    lines.append(f"<testsuites{_attributes({'name': 'tierwise', **totals})}>")
    for outcome in outcomes:
        lines += _junit_suite(outcome, language)
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _junit_suite(outcome: Outcome, language: str) -> Iterator[str]:
    suite, results, skipped = outcome.suite, outcome.all, _skipped(outcome)
    invalid = not suite.is_valid
    yield "  <testsuite" + _attributes({
        "name": suite.name, "tests": len(results) + len(skipped) + invalid, "failures": len(outcome.failed),
        "errors": int(invalid), "skipped": len(skipped), "time": f"{outcome.seconds:.4f}", "file": suite.file,
    }) + ">"
    if invalid:
        errors = [d for d in suite.diagnostics if d.is_error]
        yield f"    <testcase{_attributes({'name': suite.file, 'classname': suite.name})}>"
        text = "\n".join(_line(d) for d in errors)
        message = errors[0].message if errors else "invalid"
        yield f"      <error{_attributes({'message': message})}>{_text(text)}</error>"
        yield "    </testcase>"
    each = outcome.seconds / max(len(results), 1)
    for result in results:
        about = item(result)
        head = {"name": about.name, "classname": suite.name, "file": suite.file, "line": about.span.line,
                "time": f"{each:.6f}"}
        if result.passed:
            yield f"    <testcase{_attributes(head)}/>"
            continue
        first = result.differences[0]
        yield f"    <testcase{_attributes(head)}>"
        message = f"{first.what}: expected {first.expected}, got {first.got}"
        yield f"      <failure{_attributes({'message': message})}>{_text(failure(result, language))}</failure>"
        yield "    </testcase>"
    for about, why in skipped:
        head = {"name": about.name, "classname": suite.name, "file": suite.file, "line": about.span.line}
        yield f"    <testcase{_attributes(head)}>"
        yield f"      <skipped{_attributes({'message': f'not columnar: {why}'})}/>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _skipped(outcome: Outcome) -> list[tuple[Case | Expectation, str]]:
    """What was not run because DuckDB does not carry it out, with what it lacks."""
    done = {id(item(r)) for r in outcome.all}
    told = [(about, part.diagnostics[0].message) for part in outcome.lacking for about in part.items]
    return [(about, why) for about, why in told if id(about) not in done]


def _line(found: Diagnostic) -> str:
    place = f"{found.span.file}:{found.span.line}:{found.span.column}: " if found.span is not None else ""
    return f"{place}{found.code}: {found.message}" + (f" ({found.help})" if found.help else "")


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(f" {name}={quoteattr(_NO_XML.sub('?', str(value)))}" for name, value in values.items())


def _text(text: str) -> str:
    return _NO_XML.sub("?", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def json_report(outcomes: Sequence[Outcome], language: str = "en") -> str:
    """`as_json` as text."""
    return json_text(as_json(outcomes, language), indent=2)
