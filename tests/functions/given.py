"""Plugins with functions as tests write them, and policies that call these."""
from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import engine as tierwise
from engine.hooks import Plugins
from engine.hookspecs import Function
from engine.policy import Policy, load_policy

HEAD = """\
policy: example
version: "1"
effective: {from: 2026-01-01}
currency: CNY
on missing: refer
"""


def function(name: str, body: Callable[..., Any], parameters: dict[str, str] | None = None, result: str = "number",
             **more: Any) -> Function:
    return Function(more.pop("set", "acme"), name, parameters or {"x": "number"}, result, body, **more)


def plugins(*functions: Function, **named: Any) -> Plugins:
    """The built-in plugins and one that gives these functions."""

    def register_functions() -> list[Function]:
        return list(functions)

    module = ModuleType("given")
    vars(module).update(tierwise_hooks=1, register_functions=tierwise.hookimpl(register_functions), **named)
    return Plugins(given={"given": module}, installed=False)


def policy(folder: Path, text: str, *functions: Function, sets: str = "[acme]") -> Policy:
    """A policy of what stands behind the head, with the functions of these plugins."""
    path = folder / "policy.yaml"
    path.write_text(f"{HEAD}functions: {sets}\n{textwrap.dedent(text)}", encoding="utf-8")
    return load_policy(path, plugins(*functions))
