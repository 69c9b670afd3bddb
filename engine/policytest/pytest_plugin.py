"""The pytest plugin: `pytest policies/` collects test files of policies, each case and expectation as a test.

Registered under the entry point group `pytest11`. The engine is imported when the first such file is met.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

#: As `engine.policytest.suite` has it, which is not to be imported for this.
ENDINGS = (".test.yaml", ".test.yml")
#: One of the keys of such a file; other tools call their files alike.
_KEY = re.compile(rb"^(?:\xef\xbb\xbf)?(?:test|cases|tables|fixtures|portfolios)[ \t]*:", re.MULTILINE)
_HEAD = 65_536


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the files that are called as tests of policies are, and have a key of theirs."""
    if not file_path.name.endswith(ENDINGS):
        return None
    try:
        with file_path.open("rb") as file:
            known = _KEY.search(file.read(_HEAD)) is not None
    except OSError:
        known = True                                    # collecting it tells why it cannot be read
    return PolicyTests.from_parent(parent, path=file_path) if known else None


class PolicyTests(pytest.File):
    """A test file; one that is not valid is an error of collection."""

    def collect(self) -> Iterator[pytest.Item]:
        suite = import_module("engine.policytest.suite").read_suite(self.path)
        if not suite.is_valid:
            errors = [d for d in suite.diagnostics if d.is_error]
            raise self.CollectError(import_module("engine.render").render_text(errors, suite.sources))
        running = import_module("engine.policytest.running")
        for case in suite.cases:
            run = partial(running.run_case, suite.policy, case)
            yield PolicyItem.from_parent(self, name=case.name, about=case, run=run)
        for portfolio in suite.portfolios:
            judge = cache(partial(_judge_of, suite.policy, portfolio))
            for expectation in portfolio.expectations:
                run = partial(_judged, judge, expectation)
                yield PolicyItem.from_parent(self, name=expectation.name, about=expectation, run=run)


def _judge_of(policy: Any, portfolio: Any) -> Callable[[Any], Any]:
    """Decides a portfolio, which is done when the first of its expectations is run."""
    judge: Callable[[Any], Any] = import_module("engine.policytest.session").judge_of(policy, portfolio)
    return judge


def _judged(judge: Callable[[], Callable[[Any], Any]], expectation: Any) -> Any:
    return judge()(expectation)


class CaseFailed(Exception):
    """A case or expectation that came out otherwise; its text says how, and why."""


class PolicyItem(pytest.Item):
    """One case, or one expectation of a portfolio; `run` gives its result."""

    def __init__(self, *, about: Any, run: Callable[[], Any], **rest: Any) -> None:
        super().__init__(**rest)
        self.about = about
        self.run = run

    def runtest(self) -> None:
        result = self.run()
        if not result.passed:
            report = import_module("engine.policytest.report")
            raise CaseFailed(f"{report.headline(result)}\n{report.indented(report.failure(result))}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A case that failed in words; anything else as pytest shows it."""
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.about.span.line - 1, self.name
