"""What starting the command imports; times are measured by the benchmarks, not here."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine import commands

HEAVY = ("lark", "jsonschema", "yaml", "pluggy", "rich", "duckdb", "sqlglot", "importlib.metadata", "asyncio")


def loaded(root: Path, code: str) -> set[str]:
    """Modules loaded after `code` ran in a fresh interpreter."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.__stderr__)"
    result = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return set(result.stderr.split())


@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_help_loads_click_and_the_group_alone(root: Path, args: list[str]) -> None:
    modules = loaded(root, f"from engine.commands import run\nrun({args!r})")
    ours = {m for m in modules if m.split(".")[0] in ("engine", "plugins")}
    assert ours == {"engine", "engine.commands", "engine.process"}     # the last says whose the process is, and no more
    assert not modules & set(HEAVY)


def test_the_public_package_loads_nothing_heavy(root: Path) -> None:
    assert not loaded(root, "import engine") & set(HEAVY)


@pytest.mark.parametrize("args", [
    ["check", "policies/working-capital.yaml"],
    ["sql", "policies/working-capital.yaml"],
    ["decide", "policies/working-capital.yaml", "policies/samples/customer.json", "--as-of", "2026-07-01"],
])
def test_a_policy_without_plugins_looks_for_none(root: Path, args: list[str]) -> None:
    modules = loaded(root, f"from engine.commands import run\nrun({args!r})")
    assert not [m for m in modules if m.startswith(("engine.hooks.", "plugins", "tierwise_built_in"))]


def test_each_command_describes_itself_as_the_group_does() -> None:
    with commands.group.make_context("tierwise", ["check"], resilient_parsing=True) as context:
        names = commands.group.list_commands(context)
        assert names == sorted(commands.COMMANDS)
        for name in names:
            command = commands.group.get_command(context, name)
            assert command is not None
            assert command.get_short_help_str(100) == commands.COMMANDS[name][1]
