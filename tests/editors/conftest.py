"""Node packages that real tests drive, installed once a session; Node must be there."""
from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
#: Visual Studio Code's own grammars of YAML, packed for the web.
CODE_YAML = "@codingame/monaco-vscode-yaml-default-extension@36.2.7"


def node(*command: str, cwd: Path, input: str | None = None, **env: str) -> str:
    """What a command of Node's prints; fails with all that it said."""
    assert shutil.which(command[0]), f"`{command[0]}` is not on the path; these tests need Node.js and npm"
    done = subprocess.run(command, cwd=cwd, input=input, env={**os.environ, **env}, capture_output=True,
                          encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `node_modules` holds the packages of package.json, and `code-yaml` VS Code's grammars."""
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(HERE / "package.json", folder)
    node("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
    packed = folder / node("npm", "pack", "--silent", CODE_YAML, cwd=folder).strip().splitlines()[-1]
    with tarfile.open(packed) as archive:
        archive.extractall(folder / "code-yaml", filter="data")
    return folder
