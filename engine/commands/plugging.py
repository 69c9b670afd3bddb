"""Plugins as commands name and find them."""
from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.commands import PLUGIN_PATHS, keep_plugins
from engine.commands.common import paint, talk
from engine.commands.policies import invalid
from engine.diagnostics import Problem
from engine.render import visible

if TYPE_CHECKING:
    from engine.hooks import Plugins

F = TypeVar("F", bound=Callable[..., Any])


def plugin_option(function: F) -> F:
    """Give a command the option `--plugin`, which goes before the command's name too; `plugins_for` reads both."""
    return click.option(
        "--plugin", "plugin_paths", multiple=True, metavar="PATH", expose_value=False, callback=keep_plugins,
        help="A plugin beside the installed ones, a file or package; many times.",
    )(function)


def plugins_for(place: str | Path) -> Plugins:
    """The plugins for what lies at `place`: named by `--plugin`, by the project file above it, built-in, installed."""
    context = click.get_current_context()
    hooks: Any = import_module("engine.hooks")          # which a command that asks for no plugin need not wait for
    found: Plugins = hooks.Plugins.beside(place, context.meta.get(PLUGIN_PATHS, ()))
    return found


def named_for(place: str | Path) -> Plugins | None:
    """`plugins_for` where somebody named a plugin by `--plugin`; None where what needs plugins finds them by itself,
    and only once it does."""
    context = click.get_current_context()
    return plugins_for(place) if context.meta.get(PLUGIN_PATHS) else None


def unusable(problem: Problem) -> click.exceptions.Exit:
    """Show why a plugin or project file cannot be used; the end of the command."""
    return invalid(problem.diagnostics, getattr(problem, "sources", {}))


def tell_broken(plugins: Plugins) -> None:
    """A note for each installed plugin that could not be used while another was looked for."""
    for problem in plugins.problems:
        for found in problem.diagnostics:
            talk(f"{paint('note', sys.stderr, bold=True)}: {visible(found.message)}")
