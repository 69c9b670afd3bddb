"""`tierwise plugins`, `--plugin`, and commands of plugins."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Tierwise

PLUGIN = '''\
import sys

import click

import engine as tierwise

__version__ = "2.1"
tierwise_hooks = 1
print("imported", file=sys.stderr)


def open_scorer(settings):
    return None


@tierwise.hookimpl
def register_scorers():
    return [tierwise.ScorerKind("acme", open_scorer, {
        "file": tierwise.Setting("path", required=True, help="The model. A file."),
        "link": tierwise.Setting("text", default="logit", values=("logit", "identity")),
        "scale": tierwise.Setting("number"),
        "bands": tierwise.Setting("map", of={"from": tierwise.Setting("number", required=True, help="The least.")}),
    }, help="Acme's ratings.")]


@tierwise.hookimpl
def register_functions():
    return [tierwise.Function(
        "acme", "scaled", {"amount": "number", "by": "number"}, "number", lambda amount, by=2: amount * by,
        optional=("by",), help="An amount, scaled.")]


def make():
    @click.command()
    @click.option("--how", default="well")
    def command(how):
        """Say hello."""
        print("printing is data here")
        if how == "failing":
            raise tierwise.PluginFailure("the service is closed on Sundays")
        if how == "broken":
            raise ValueError("the password is hunter2")
        if how == "usage":
            raise click.UsageError("not so")
        return 7
    return command


@tierwise.hookimpl
def register_commands():
    return [tierwise.Command("hello", make, "Says hello."), tierwise.Command("odd", lambda: 3)]
'''


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acme.py").write_text(PLUGIN, encoding="utf-8")
    return "acme.py"


def test_text(tierwise: Tierwise, acme: str) -> None:
    result = tierwise("plugins", "--plugin", acme)
    assert result.code == 0
    shown = result.out[result.out.index("acme 2.1"):]
    assert shown == """\
acme 2.1  by --plugin, acme.py
  scorer acme: Acme's ratings
  functions acme: scaled
  command hello: Says hello
  command odd
"""


def test_text_of_one_with_its_settings(tierwise: Tierwise, acme: str) -> None:
    result = tierwise("--plugin", acme, "plugins", "acme")
    assert result.out == """\
acme 2.1  by --plugin, acme.py
  scorer acme: Acme's ratings
    file (path, required): The model
    link (logit | identity, "logit")
    scale (number)
    bands (map)
      from (number, required): The least
  functions acme
    scaled(amount: number, by?: number): number: An amount, scaled
  command hello: Says hello
  command odd
"""
    assert tierwise("plugins", "--plugin", acme, "hello").out == "acme 2.1  by --plugin, acme.py\n" \
        "  command hello: Says hello\n"
    unknown = tierwise("plugins", "--plugin", acme, "hallo")
    assert unknown.code == 2 and "is called `hallo`" in unknown.err


def test_json(tierwise: Tierwise, acme: str) -> None:
    result = tierwise("plugins", "--format", "json", "--plugin", acme, "acme")
    told = json.loads(result.out)
    assert (told["version"], told["hook_version"], told["problems"]) == (1, 1, [])
    (plugin,) = told["plugins"]
    assert plugin["origin"] == "option" and plugin["place"] == "acme.py" and plugin["version"] == "2.1"
    assert plugin["hooks"] == ["register_scorers", "register_functions", "register_commands"]
    scorer, function, *commands = plugin["gives"]
    assert [s["name"] for s in scorer["settings"]] == ["file", "link", "scale", "bands"]
    assert [s["name"] for s in scorer["settings"][-1]["of"]] == ["from"]
    assert function["signature"] == "scaled(amount: number, by?: number): number" and function["columnar"] is False
    assert [c["name"] for c in commands] == ["hello", "odd"]


def test_json_is_json_whatever_plugins_print(tmp_path: Path, root: Path) -> None:
    (tmp_path / "loud.py").write_text(PLUGIN.replace("def open", "print('on standard output')\n\n\ndef open"))
    done = subprocess.run(
        [sys.executable, str(root / "cli.py"), "plugins", "--format", "json", "--plugin", "loud.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["problems"] == []
    assert done.stderr.splitlines()[-2:] == ["imported", "on standard output"]


def test_json_of_a_broken_one(tierwise: Tierwise, acme: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    result = tierwise("plugins", "--format", "json", "--plugin", acme, "--plugin", "broken.py")
    assert result.code == 1
    told = json.loads(result.out)
    assert [p["code"] for p in told["problems"]] == ["E1003"]
    assert "acme" in [p["name"] for p in told["plugins"]]


# --- commands of plugins ------------------------------------------------------------------


def test_a_command(tierwise: Tierwise, acme: str) -> None:
    result = tierwise("--plugin", acme, "hello")
    assert (result.code, result.out) == (7, "printing is data here\n")
    assert "Say hello." in tierwise("--plugin", acme, "hello", "--help").out
    (Path(acme).parent / "tierwise.yaml").write_text("plugins: [./acme.py]\n")
    assert tierwise("hello").code == 7


@pytest.mark.parametrize(
    ("how", "code", "told"),
    [
        ("failing", 3, "error: `hello`: the service is closed on Sundays\n"),
        ("broken", 3, "error: plugin `acme` fails in its command `hello`, with `ValueError`, in acme.py, line 42\n"),
        ("usage", 2, "Error: not so\n"),
    ],
)
def test_a_command_that_fails(tierwise: Tierwise, acme: str, how: str, code: int, told: str) -> None:
    result = tierwise("--plugin", acme, "hello", "--how", how)
    assert result.code == code
    assert result.err.endswith(told)


def test_a_make_that_makes_no_command(tierwise: Tierwise, acme: str) -> None:
    result = tierwise("--plugin", acme, "odd")
    assert result.code == 2
    assert "error[E1007]: `make` of the command `odd` of plugin `acme` gives no click command" in result.err


def test_a_slip_in_the_name_of_a_command(tierwise: Tierwise, acme: str) -> None:
    assert "no command is called `helo`; did you mean `hello`?" in tierwise("--plugin", acme, "helo").err
    assert "did you mean `check`?" in tierwise("--plugin", acme, "chek").err


@pytest.mark.parametrize(("word", "told"), [("hello", "`hello`"), ("chek", "`chek`; did you mean `check`?")])
def test_a_broken_plugin_is_told_where_a_command_is_looked_for(
    tierwise: Tierwise, acme: str, tmp_path: Path, word: str, told: str
) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    result = tierwise("--plugin", "broken.py", "--plugin", acme, word)
    assert result.code == 2
    assert "E1003" in result.err and f"no command is called {told}" in result.err


def test_commands_of_our_own_import_no_plugin(tierwise: Tierwise, acme: str) -> None:
    for args in (["--help"], ["feel", "1 + 1"], ["check", "--help"]):
        result = tierwise("--plugin", acme, *args)
        assert result.code == 0 and result.err == ""
