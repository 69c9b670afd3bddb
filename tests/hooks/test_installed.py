"""Plugins from beginning to use: written, built as wheels, installed beside tierwise's own, asked by policies."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("wheel")]

KINDS = ("function", "scorer", "source")


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """What a command prints on standard output; fails with all that it said."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env={**kept, "PYTHONUTF8": "1"},
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bin(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a fresh environment with tierwise and a plugin of each kind installed, all from wheels."""
    place = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", place / "dist", root, cwd=root)
    for kind in KINDS:
        run(sys.executable, root / "cli.py", "new", "plugin", f"acme-{kind}", "--kind", kind, cwd=place)
        run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", place / "dist", f"acme-{kind}",
            cwd=place)
    run(sys.executable, "-m", "venv", place / "env", cwd=place)
    found = place / "env" / "bin"
    pip = (found / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    (ours,) = (place / "dist").glob("tierwise-*.whl")
    run(*pip, f"{ours}[arrow,duckdb]", "pytest", cwd=place)
    run(*pip, *sorted((place / "dist").glob("acme_*.whl")), cwd=place)
    run(found / "python", "-m", "pip", "check", cwd=place)
    return found


@pytest.fixture
def example(bin: Path, tmp_path: Path) -> Path:
    """The examples of the plugins without their code, so that only what is installed can be found."""
    for kind in KINDS:
        shutil.copytree(bin.parent.parent / f"acme-{kind}" / "example", tmp_path / kind)
    return tmp_path


def test_they_are_listed(bin: Path, tmp_path: Path) -> None:
    told = json.loads(run(bin / "tierwise", "plugins", "--format", "json", cwd=tmp_path))
    assert told["problems"] == []
    found = {p["name"]: p for p in told["plugins"] if p["origin"] == "installed"}
    assert set(found) == {f"acme-{kind}" for kind in KINDS}
    assert {"files", "finance", "scorers"} <= {p["name"] for p in told["plugins"] if p["origin"] == "built-in"}
    assert {p["version"] for p in found.values()} == {"0.1.0"}
    assert {g["kind"] for p in found.values() for g in p["gives"]} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_their_own_tests_pass_in_the_environment(bin: Path, kind: str) -> None:
    folder = bin.parent.parent / f"acme-{kind}"
    assert " passed" in run(bin / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_that_uses_it_is_sound(bin: Path, example: Path, kind: str) -> None:
    run(bin / "tierwise", "check", "--strict", "policy.yaml", cwd=example / kind)


DECIDE = {
    "function": ("customer.json",),
    "scorer": ("customer.json", "--deployment", "deployment.yaml"),
    "source": ("--deployment", "deployment.yaml", "--key", "F1"),
}
RUN = {
    "function": ("customers.csv",),
    "scorer": ("customers.csv", "--deployment", "deployment.yaml"),
    "source": ("--deployment", "deployment.yaml"),
}
DECIDED = {
    "function": {"F1": "approve", "F2": "decline", "F3": "refer", "F4": "approve"},
    "scorer": {"F1": "approve", "F2": "decline", "F3": "refer"},
    "source": {"F1": "approve", "F2": "decline"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_decide(bin: Path, example: Path, kind: str) -> None:
    told = run(bin / "tierwise", "decide", "policy.yaml", *DECIDE[kind], "--as-of", "2026-07-01", "--format", "json",
               "--no-explain", cwd=example / kind)
    assert json.loads(told)["values"]["decision"] == DECIDED[kind]["F1"]


@pytest.mark.parametrize("engine", ["python", "duckdb"])
@pytest.mark.parametrize("kind", KINDS)
def test_run(bin: Path, example: Path, kind: str, engine: str) -> None:
    run(bin / "tierwise", "run", "policy.yaml", *RUN[kind], "--as-of", "2026-07-01", "--engine", engine,
        "-o", "out.jsonl", cwd=example / kind)
    rows = [json.loads(line) for line in (example / kind / "out.jsonl").read_text("utf-8").splitlines()]
    assert {row["firm id"]: row["decision"] for row in rows} == DECIDED[kind]


def test_a_list_that_leaves_one_out(bin: Path, example: Path) -> None:
    (example / "tierwise.yaml").write_text("plugins: [acme-scorer]\n")
    told = run(bin / "tierwise", "check", "function/policy.yaml", cwd=example, code=1)
    assert "there is no set of functions `acme-function`" in told


def test_uninstalled_it_is_gone(bin: Path, example: Path) -> None:
    pip = (bin / "python", "-m", "pip")
    run(*pip, "uninstall", "--yes", "--quiet", "acme-function", cwd=example)
    try:
        assert "acme-function" not in run(bin / "tierwise", "plugins", cwd=example)
        (example / "tierwise.yaml").write_text("plugins: [acme-function]\n")
        told = subprocess.run([bin / "tierwise", "plugins"], cwd=example, capture_output=True, text=True, timeout=60)
        assert told.returncode == 1 and "no installed plugin is called `acme-function`" in told.stderr
    finally:
        (wheel,) = (bin.parent.parent / "dist").glob("acme_function-*.whl")
        run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=example)
