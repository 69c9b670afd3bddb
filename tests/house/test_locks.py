"""The lock files: exact versions with hashes, and no place to take them from."""
from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt", "requirements-bench.txt")
_PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)(?: ; [^\\]+)? \\$")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def pins(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _PIN.match(line):
            found[match[1]] = match[2]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_pin_or_a_hash(root: Path, name: str) -> None:
    for line in (root / name).read_text(encoding="utf-8").splitlines():
        assert _PIN.match(line) or _HASH.fullmatch(line) or line.startswith("# ")
    assert pins(root / name)


def test_the_locks_agree_with_one_another(root: Path) -> None:
    locks = [pins(root / name) for name in LOCKS]
    for one in locks:
        for other in locks:
            assert {n: v for n, v in one.items() if n in other} == {n: other[n] for n in one if n in other}


def test_every_dependency_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^A-Za-z0-9_.-]", r)[0].lower().replace("_", "-") for r in requirements}

    assert names(project["dependencies"]) <= set(pins(root / "requirements.txt"))
    for extra, lock in (("dev", "requirements-dev.txt"), ("bench", "requirements-bench.txt")):
        assert names(project["optional-dependencies"][extra]) <= set(pins(root / lock))
