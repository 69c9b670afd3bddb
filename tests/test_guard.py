"""In a command, whatever plugins write and however they do, standard output has the results alone, and no secret is
shown."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PLUGIN = """\
import os, subprocess, sys, threading
import click, tierwise

tierwise_hooks = 1
TOKEN = os.environ["TOKEN"]

def thread(what):
    t = threading.Thread(target=what)
    t.start()
    t.join()

def failing():
    raise ValueError("rejected " + TOKEN)

def said():
    raise tierwise.PluginFailure("rejected " + TOKEN)

class Wordless(tierwise.PluginFailure):
    def __str__(self):
        raise RuntimeError(TOKEN)

def wordless():
    raise Wordless

def opened():
    policy = tierwise.load_policy("policy.yaml")
    with tierwise.open_deployment("deployment.yaml") as deployment:
        deployment.bind(policy)
        said()

WAYS = {
    "nothing": lambda: None,
    "print": lambda: print("told", TOKEN),
    "bytes": lambda: sys.stdout.buffer.write(b"told " + TOKEN.encode() + b"\\n"),
    "error": lambda: sys.stderr.buffer.write(b"told " + TOKEN.encode() + b"\\n"),
    "lines": lambda: sys.stdout.writelines(["told ", TOKEN, "\\n"]),
    "descriptor": lambda: os.write(1, b"told " + TOKEN.encode() + b"\\n"),
    "much": lambda: os.write(1, b"told " + TOKEN.encode() + b"\\n" + b"x" * 1_000_000 + b"\\n"),
    "program": lambda: subprocess.run(["echo", "told", TOKEN], check=True),
    "thread": lambda: thread(lambda: print("told", TOKEN)),
    "thread's error": lambda: thread(lambda: print("told", TOKEN, file=sys.stderr)),
    "failing thread": lambda: thread(failing),
    "failing thread in words": lambda: thread(said),
    "closed": lambda: sys.stdout.close(),
    "words": said,
    "wordless": wordless,
    "deployment": opened,
}

def write(who):
    if who == os.environ["WHO"]:
        WAYS[os.environ["WAY"]]()

class Model:
    def __init__(self, settings):
        pass

    def describe(self):
        return tierwise.ScorerDescription({"x": tierwise.Field()}, tierwise.Field(lower=0, upper=1), "1")

    def one(self, row):
        write("scorer")
        return tierwise.Score(row["x"] / 10)

    def batch(self, rows):
        import pyarrow as pa
        write("scorer")
        return pa.table({"value": pa.array([x / 10 for x in rows["x"].to_pylist()], pa.float64())})

    def close(self):
        pass

def half(x):
    write("function")
    return x / 2

@tierwise.hookimpl
def register_scorers():
    return [tierwise.ScorerKind("told", Model, {"token": tierwise.Setting("secret")})]

@tierwise.hookimpl
def register_functions():
    return [tierwise.Function("telling", "half", {"x": "number"}, "number", half)]

@tierwise.hookimpl
def register_commands():
    def make():
        @click.command()
        def command():
            write("command")
        return command
    return [tierwise.Command("tell", make)]
"""
POLICY = """\
policy: told
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: refer
inputs:
  firm id: {type: string, key: true}
  x: {type: number}
%s
service:
  decision:
    values: [approve, decline]
    order: best first
    rules:
      - rule: D1
        when: pd > 0.3
        then: decline
      - otherwise: approve
"""
MODEL = """\
risk:
  pd: {type: number, range: '[0..1]', model: pd, inputs: {x: 'x'}, on failure: stop}
"""
FUNCTION = """\
functions: [telling]
features:
  pd: {value: 'half(x) / 5'}
"""
SCORED = """\
line,firm id,status,pd,decision,reasons,open,missing,failures,problem
2,F1,decided,0.1,approve,,,,,
3,F2,decided,0.5,decline,,,,,
"""
COMPUTED = """\
line,firm id,status,decision,reasons,open,missing,problem
2,F1,decided,approve,,,,
3,F2,decided,decline,,,,
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "plugin.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "rows.csv").write_text("firm id,x\nF1,1\nF2,5\n", "utf-8")
    (tmp_path / "one.json").write_text('{"firm id": "F1", "x": 1}', "utf-8")
    (tmp_path / "deployment.yaml").write_text(
        "deployment: told\nmodels:\n  pd: {kind: told, token: {secret: TOKEN}}\n", "utf-8")
    return tmp_path


def tierwise(place: Path, who: str, way: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "--plugin", "plugin.py", *args], cwd=place, capture_output=True,
        text=True, env={**os.environ, "TOKEN": "s3cr3tTok", "WHO": who, "WAY": way}, timeout=60,
    )


WAYS = {
    "nothing": "", **dict.fromkeys(
        ("print", "bytes", "error", "lines", "descriptor", "much", "program", "thread", "thread's error"), "told ***"),
    "failing thread": "a thread of a plugin failed: it raised ValueError",
    "failing thread in words": "a thread of a plugin failed: rejected ***",
    "closed": "",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_scorer(place: Path, way: str) -> None:
    (place / "policy.yaml").write_text(POLICY % MODEL, "utf-8")
    done = tierwise(place, "scorer", way, "run", "policy.yaml", "rows.csv", "--deployment", "deployment.yaml",
                    "--as-of", "2026-07-01", "--no-summary", "--engine", "python")
    assert done.stdout == SCORED
    assert "s3cr3tTok" not in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.count(WAYS[way]) == 2 if WAYS[way] else done.returncode == 0


@pytest.mark.parametrize("way", ["print", "descriptor", "program", "thread", "closed"])
def test_a_function(place: Path, way: str) -> None:
    (place / "policy.yaml").write_text(POLICY % FUNCTION, "utf-8")
    done = tierwise(place, "function", way, "run", "policy.yaml", "rows.csv", "--as-of", "2026-07-01", "--no-summary",
                    "--engine", "python")
    assert done.stdout == COMPUTED
    assert done.stderr.count("told s3cr3tTok") == (0 if way == "closed" else 2)      # of which nobody knows yet


@pytest.mark.parametrize(
    ("way", "text"),
    [("print", "told ***"), ("descriptor", "told ***"), ("words", "failed: rejected ***"),
     ("wordless", "failed: it gives no reason")],
)
def test_a_function_beside_a_deployment_that_has_the_secret(place: Path, way: str, text: str) -> None:
    both = FUNCTION.replace("half(x)", "half(x) + 0 * model pd") + MODEL.replace("  pd:", "  model pd:")
    (place / "policy.yaml").write_text(POLICY % both, "utf-8")
    for command in (["run", "policy.yaml", "rows.csv", "--engine", "python", "--no-summary"],
                    ["decide", "policy.yaml", "one.json"]):
        done = tierwise(place, "function", way, *command, "--deployment", "deployment.yaml", "--as-of", "2026-07-01")
        assert text in " ".join((done.stdout + done.stderr).split()) and "s3cr3tTok" not in done.stdout + done.stderr


@pytest.mark.parametrize("way", ["print", "descriptor", "program"])
def test_what_a_plugins_command_writes_is_its_own(place: Path, way: str) -> None:
    done = tierwise(place, "command", way, "tell")
    assert (done.stdout, done.stderr, done.returncode) == ("told s3cr3tTok\n", "", 0)


def test_what_a_plugins_command_says_of_its_failure(place: Path) -> None:
    (place / "tierwise.yaml").write_text("plugins: [./plugin.py]\n", "utf-8")
    (place / "policy.yaml").write_text(POLICY % MODEL, "utf-8")
    done = tierwise(place, "command", "deployment", "tell")
    assert (done.stdout, done.stderr, done.returncode) == ("", "error: `tell`: rejected ***\n", 3)
