"""The table of capabilities: the command that shows each over the sample portfolio, and a line of what it prints.

A command is run in a folder of its own, beside `policies`, as the pages are. Its line is the first one that matches;
bars of charts and times are left out of it, so that it hangs on nothing but the policies and the sample.
"""
from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from engine.commands import run

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "capabilities"
_SME = "policies/sme"


class Shown(NamedTuple):
    """A row: the page without `.md`, the study's own term, the command, what its line begins with, and what must have
    been run before."""

    page: str
    term: str
    command: str
    line: str
    before: tuple[str, ...] = ()


def _decided(policy: str) -> str:
    """The decision on one firm of the sample, F0000003."""
    return f"decide {_SME}/{policy}.yaml {_SME}/samples/customer.json --as-of 2026-07-01"


def _run(policy: str, *more: str) -> str:
    """A run over the sample; a word without a dash is a history."""
    tables = [f"--history {m}={_SME}/samples/{m}.csv" for m in more if not m.startswith("-")]
    options = [m for m in more if m.startswith("-")]
    return " ".join([f"run {_SME}/{policy} {_SME}/samples/firms.csv --as-of 2026-07-01", *tables, *options])


ROWS = (
    Shown("d01-segmentation", "客户识别", _decided("profile"), "  segment "),
    Shown("d02-products", "需求分析, 定制化方案", _decided("products"), "  product "),
    Shown("d03-credit-evaluation", "信用评价体系", _decided("credit"), "  score "),
    Shown("d04-risk-tiers", "风险评级, 差异化管理", f"test {_SME}/tier.test.yaml", ""),
    Shown("d05-approval", "自动化审批", _decided("lending"), "  decision "),
    Shown("d06-limit-price-term", "额度, 利率, 期限", _decided("lending"), "  offer "),
    Shown("d07-stages", "资料审核 → 额度审批 → 签约 → 放款 → 贷后", _run("stages.yaml", "events", '--only "go on"'),
          "  stuck "),
    Shown("d08-missing-information", "信息不对称", _decided("lending"), "  ebit  would settle"),
    Shown("d09-monitoring", "贷后管理, 预警", _decided("monitoring"), "  level "),
    Shown("d10-reminders", "到期提醒, 续贷, 自动化营销", f"test {_SME}/reminders.test.yaml", ""),
    Shown("d11-care", "回访, 关系评估", f"test {_SME}/care.test.yaml", ""),
    Shown("d12-satisfaction", "满意度, 投诉",
          _run("satisfaction.yaml", "surveys", "complaints", '--only "would recommend"'), "  promoter "),
    Shown("d13-allocation", "信贷资源分配", f"allocate value.csv --plan {_SME}/allocation.yaml -o shared.csv", "worth ",
          (_run("value.yaml", "invoices", "repayments", "-o value.csv"),)),
    Shown("d14-high-potential", "潜在优质客户", _decided("potential"), "  high potential "),
    Shown("d15-risk-reserve", "风险准备金", _decided("reserve"), "  reserve "),
    Shown("d16-behaviour", "行为分析", _decided("behaviour"), "  pattern "),
    Shown("d17-decision-support", "决策支持", _decided("stress"), "  tier "),
    Shown("d18-team-performance", "团队业绩",
          _run("stages.yaml", "events", "--where 'firm id = \"F0000012\"'", "--only turnaround", "--no-summary"),
          "13,"),
    Shown("d19-internal-control", "内部控制", _run("authority", "--only approver"), "  manager "),
    Shown("d20-data-sources", "资源整合", f"check {_SME}/bank.yaml", ""),
    Shown("d21-elastic-scale", "弹性扩展", f"sql {_SME}/repayment.yaml --dialect spark", "-- repayment"),
    Shown("d22-risk-and-relationship", "风险与关系平衡", f"test {_SME}/terms.test.yaml -k relationship", ""),
)


def table() -> str:
    """The rows in Markdown, each command as it is written in a shell and its line."""
    rows = ["| | | | shown by | a line of it |", "|---|---|---|---|---|"]
    printed: dict[str, list[str]] = {}                          # several rows are of one decision
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "policies").symlink_to(ROOT / "policies")
        with contextlib.chdir(folder):
            for shown in ROWS:
                for command in shown.before:
                    _printed(command)
                if shown.command not in printed:
                    printed[shown.command] = _printed(shown.command)
                line = next((_plain(x) for x in printed[shown.command] if x.startswith(shown.line) and x.strip()), None)
                if line is None:
                    raise RuntimeError(f"`tierwise {shown.command}` printed no line that begins with `{shown.line}`")
                number, _, title = _heading(shown.page).partition(": ")
                command = shown.command.replace("|", "\\|")
                cells = (number, f"[{title}]({shown.page}.md)", shown.term, f"`tierwise {command}`", f"`{line}`")
                rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _heading(page: str) -> str:
    return (PAGES / f"{page}.md").read_text("utf-8").partition("\n")[0].removeprefix("# ")


def _plain(line: str) -> str:
    """A line without bars and times."""
    line = re.sub(r",? [\d.]+ s\b", "", re.sub(r"\s*█*\s*$", "", line))
    return " ".join(line.split())


def _printed(command: str) -> list[str]:
    """Both streams of a command, run in this process."""
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        before, sys.stdin = sys.stdin, io.StringIO()
        try:
            run(shlex.split(command))
        finally:
            sys.stdin = before
    return screen.getvalue().splitlines()
