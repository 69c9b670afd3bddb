"""The wheel: built, installed into an empty environment, used beside strangers of our names."""
from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheel")


def run(*command: str | Path, cwd: Path, code: int = 0, **env: str) -> str:
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**clean, **env}, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == code, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, root, cwd=root)  # sdist, then wheel from it
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(root: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment with the locked requirements and the wheel."""
    home = tmp_path_factory.mktemp("home")
    run(sys.executable, "-m", "venv", home / "env", cwd=home)
    found = home / "env" / "bin" / "python"
    pip = (found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", root / "requirements.txt", cwd=home, HOME=str(home))
    run(*pip, "--no-deps", wheel, cwd=home, HOME=str(home))
    run(found, "-m", "pip", "check", cwd=home)
    return found


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A user's folder with packages and folders named like ours."""
    for name in ("plugins", "policies", "schemas", "engine_notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "plugins" / "__init__.py").write_text("raise SystemExit('the bank plugin was imported unasked')\n")
    (tmp_path / "schemas" / "policy.schema.json").write_text("{}")
    return tmp_path


def test_the_wheel_holds_what_it_should(root: Path, wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    written = {str(p.relative_to(root)) for p in (root / "engine" / "beginnings").rglob("*") if p.is_file()}
    hidden = "engine/beginnings/plugin/every/.gitignore.in"
    assert {"engine/beginnings/ci/github.yml.in", hidden} <= written <= set(names)
    tops = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == {"engine", "tierwise"}
    for wanted in (
        "tierwise/__init__.py",
        "engine/py.typed",
        "tierwise/py.typed",
        "engine/syntax/feel.lark",
        "engine/_bundled/plugins/__init__.py",
        "engine/_bundled/policies/working-capital.yaml",
        "engine/_bundled/schemas/policy.schema.json",
    ):
        assert wanted in names
    assert not [name for name in names if "__pycache__" in name or "_alias" in name or name.startswith("tests/")]


def test_the_command_works_from_another_folder(python: Path, bank: Path) -> None:
    tierwise = python.parent / "tierwise"
    assert "Decide lending applications" in run(tierwise, "--help", cwd=bank)
    where = "from engine import bundled; print(bundled.policy('working-capital'))"
    shipped = run(python, "-c", where, cwd=bank).strip()
    assert "site-packages" in shipped
    run(tierwise, "check", shipped, cwd=bank)
    run(tierwise, "new", "policy", "policies/ours.yaml", cwd=bank)
    run(tierwise, "check", "policies/ours.yaml", cwd=bank)
    run(tierwise, "new", "plugin", "ours", cwd=bank)
    run(tierwise, "new", "ci", "gitlab", cwd=bank)
    assert (bank / ".gitlab-ci.yml").is_file() and (bank / "ours" / ".github" / "workflows" / "test.yml").is_file()
    (bank / "customer.json").write_text('{"firm id": "F1", "annual revenue": 2e6, "years trading": 4, "dscr": 0.5}')
    told = run(tierwise, "decide", "policies/ours.yaml", "customer.json", "--as-of", "2026-07-01", cwd=bank)
    assert "decline" in told


def test_built_in_plugins_are_found_by_place_and_need_no_extra(python: Path, bank: Path) -> None:
    told = run(python.parent / "tierwise", "plugins", cwd=bank)
    for name in ("files", "database", "http", "scorers", "calendar", "cn", "finance", "webhook"):
        assert f"\n{name} 0.1.0  built-in" in f"\n{told}"
    assert "error" not in told


def test_the_alias_is_the_engine(python: Path, bank: Path) -> None:
    code = (
        "import tierwise, engine, tierwise.feel, engine.feel\n"
        "assert tierwise.load_policy is engine.load_policy\n"
        "assert tierwise.feel.evaluate is engine.feel.evaluate\n"
        "assert tierwise.feel.Range is engine.feel.Range\n"
        "assert tierwise.feel.evaluate('1 + 1') == 2\n"
        "import tierwise.testing\n"
        "assert tierwise.testing.ScorerContract.__module__ == 'engine.testing.scorers'\n"
        "print(tierwise.__version__)"
    )
    assert run(python, "-c", code, cwd=bank).strip() == "0.1.0"
