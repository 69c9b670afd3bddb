"""The commands of plugins, looked up where a word is no command of `tierwise` itself."""
from __future__ import annotations

from pathlib import Path

import click

from engine import process
from engine.calling import EVERY, said
from engine.commands import PLUGIN_COMMAND
from engine.commands.common import BAD_DATA, Failure
from engine.commands.plugging import plugins_for, tell_broken, unusable
from engine.hooks import PluginProblem, Plugins, failure
from engine.hookspecs import PluginFailure

_PLUGINS = "tierwise.further"


def names() -> tuple[str, ...]:
    """The names of all commands of plugins. Those that cannot be used are told, one of which may have the command; then
    the others are not looked through."""
    plugins = _plugins()
    try:
        found = tuple(plugins.commands())
    except PluginProblem as problem:
        unusable(problem)
        return ()
    tell_broken(plugins)
    return found


def command(name: str) -> click.Command | None:
    """A plugin's command, made; None where no plugin has it."""
    plugins = _plugins()
    try:
        found = plugins.commands().get(name)
        if found is None:
            return None
        made = plugins.made(found)
    except PluginProblem as problem:
        raise unusable(problem) from None
    click.get_current_context().meta[PLUGIN_COMMAND] = name
    return made


def failed(name: str, problem: Exception) -> Failure:
    """The end of a plugin's command that failed: in the plugin's own words where it meant them to be read."""
    if isinstance(problem, PluginFailure):
        return Failure(f"`{name}`: {said(problem, EVERY)}", code=BAD_DATA)
    plugins = _plugins()
    owner = plugins.owner("register_commands", name)
    assert owner is not None                            # the command was found before it failed
    told = failure(plugins.candidate(owner), problem, f"in its command `{name}`", "E1007").diagnostics[0]
    place = "" if told.span is None else f", in {told.span.file}, line {told.span.line}"
    return Failure(f"{told.message}{place}", code=BAD_DATA)


def _plugins() -> Plugins:
    """Those of the folder that one works in, found once a command."""
    process.owned = False                               # what a plugin's command prints is the command's own
    meta = click.get_current_context().meta
    known = meta.get(_PLUGINS)
    if not isinstance(known, Plugins):
        known = meta[_PLUGINS] = plugins_for(Path())
    return known
