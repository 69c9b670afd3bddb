"""Start-up: whole processes against bare Python and the imports that a command cannot do without.

The commands run as the installed script would, from a checkout: `python cli.py`. Compiled modules
lie in a folder of the measurement's own, as they do beside installed packages.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import policies
from benchmarks.given import ROOT
from benchmarks.report import Goal, Line, Section
from benchmarks.timing import processes

_RULES = 100
_BARE = "python -c pass"
_CLICK = "python -c 'import click'"
_YAML = "python -c 'import click, yaml'"
_HELP = "tierwise --help"
_WARM = "tierwise check, unchanged policy of 100 rules"
_COLD = "tierwise check, policy never seen"
_RUN = "tierwise run, to its first row"
_RUN_COLD = "tierwise run, policy never seen, to its first row"
_DATABASE = "python -c, a query of duckdb"
_RUN_COLUMNS = "tierwise run --engine duckdb, to its first row"
_MARK = "ROW-ONE"


def environment(cache: Path | None, compiled: Path) -> dict[str, str]:
    """The environment of a child: its own cache folder or none, compiled modules kept."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TIERWISE_CACHE", "XDG_CACHE_HOME")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    env["PYTHONPYCACHEPREFIX"] = str(compiled)
    if cache is None:
        env["TIERWISE_CACHE"] = "0"
    else:
        env["XDG_CACHE_HOME"] = str(cache)
    return env


def measure(rounds: int) -> Section:
    """Time each command as a whole process, interleaved."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        policy, fresh = folder / "policy.yaml", folder / "fresh.yaml"
        text = policies.sized(_RULES)
        policy.write_text(text, "utf-8")
        data = folder / "rows.csv"
        data.write_text(f"id,revenue,dpd\n{_MARK},100000,3\n", "utf-8")
        written = 0

        def refresh() -> None:
            nonlocal written
            written += 1
            fresh.write_text(f"{text}# {written}\n", "utf-8")

        python, cli = sys.executable, str(ROOT / "cli.py")
        run = ["--as-of", "2026-07-01", "--no-summary"]
        commands: dict[str, list[str]] = {
            _BARE: [python, "-c", "pass"],
            _CLICK: [python, "-c", "import click"],
            _YAML: [python, "-c", "import click, yaml"],
            _HELP: [python, cli, "--help"],
            _WARM: [python, cli, "check", str(policy)],
            _COLD: [python, cli, "check", str(fresh)],
            _RUN: [python, cli, "run", str(policy), str(data), *run],
            _RUN_COLD: [python, cli, "run", str(fresh), str(data), *run],
            _DATABASE: [python, "-c", "import duckdb; duckdb.connect().execute('SELECT 1').fetchall()"],
            _RUN_COLUMNS: [python, cli, "run", str(policy), str(data), *run, "--engine", "duckdb"],
        }
        env: dict[str, Mapping[str, str]] = dict.fromkeys(commands, environment(folder / "cache", folder / "compiled"))
        before: dict[str, Callable[[], None]] = {_COLD: refresh, _RUN_COLD: refresh}
        until = dict.fromkeys((_RUN, _RUN_COLD, _RUN_COLUMNS), _MARK.encode())
        found = processes(commands, rounds, ROOT, env, until, before)

    over = {
        _HELP: Goal(15, "ms", found[_HELP].minus(found[_CLICK]), "over import click"),
        _WARM: Goal(40, "ms", found[_WARM].minus(found[_YAML]), "over import click, yaml"),
        _COLD: Goal(150, "ms", found[_COLD].minus(found[_BARE]), "over bare Python"),
        _RUN: Goal(150, "ms", found[_RUN].minus(found[_BARE]), "over bare Python"),
        _RUN_COLUMNS: Goal(150, "ms", found[_RUN_COLUMNS].minus(found[_DATABASE]), "over a query of duckdb"),
    }
    lines = tuple(
        Line(name, "ms", series, None, (over[name],) if name in over else ()) for name, series in found.items()
    )
    return Section("start", "Start-up, whole processes", "", lines)
