"""Where schemas, shipped policies and built-in plugins lie.

In a checkout they are folders beside `engine/`; in a wheel they travel inside the
package, under `engine/_bundled/`. They are found by place and never by import, so
that a user's own `plugins/` or `policies/` folder cannot stand in for them.
"""
from __future__ import annotations

from pathlib import Path

_ENGINE = Path(__file__).resolve().parent
_KINDS = ("schemas", "policies", "plugins")


def folder(kind: str) -> Path:
    """The folder of `kind`: "schemas", "policies" or "plugins".

    Raises FileNotFoundError where an installation lost it.
    """
    if kind not in _KINDS:
        raise ValueError(f"no bundled kind `{kind}`")
    checkout = _ENGINE.parent / kind
    # A checkout is known by its project file: beside an installed engine lies site-packages,
    # where a folder of this name would be a stranger's.
    if (_ENGINE.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    packed = _ENGINE / "_bundled" / kind
    if packed.is_dir():
        return packed
    raise FileNotFoundError(f"the bundled {kind} are missing beside {_ENGINE}; install tierwise anew")


def schema(name: str) -> Path:
    """The JSON Schema of `name`, as `policy`; it need not exist."""
    return folder("schemas") / f"{name}.schema.json"


def policy(name: str) -> Path:
    """The shipped policy of `name`, as `working-capital`; it need not exist."""
    return folder("policies") / f"{name}.yaml"
