"""Put the VS Code extension together: `python editors/stage.py FOLDER`, then `npx @vscode/vsce package` there.

The schemas and the licence are those of the project, copied in here and kept nowhere else.
"""
from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Those of files that people write.
SCHEMAS = ("allocation", "deployment", "notice", "policy", "project", "report", "test")


def stage(folder: Path) -> None:
    """Write the extension's files into `folder`, which must not be there yet."""
    shutil.copytree(ROOT / "editors" / "vscode", folder)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    (folder / "schemas").mkdir()
    for name in SCHEMAS:
        shutil.copy(ROOT / "schemas" / f"{name}.schema.json", folder / "schemas")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python editors/stage.py FOLDER")
    if Path(sys.argv[1]).exists():
        sys.exit(f"`{sys.argv[1]}` is there already; name a new folder")
    stage(Path(sys.argv[1]))
