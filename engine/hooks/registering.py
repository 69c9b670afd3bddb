"""Taking a plugin on: imported, of a version that is known, its hooks spelt rightly."""
from __future__ import annotations

import inspect
from typing import Any

import pluggy

from engine import __version__
from engine.hooks.found import Candidate, Origin
from engine.hooks.given import SHAPES
from engine.hooks.importing import defined, imported, version_of
from engine.hooks.problems import PluginProblem, near, one_of, problem
from engine.hookspecs import HOOK_VERSION
from engine.records import Record

HOOKS = tuple(SHAPES)
MARK = "tierwise_hooks"


class Plugin(Record):
    """A loaded plugin. `place` says where it is from, `hooks` which of them it carries out."""

    name: str
    origin: Origin
    place: str
    version: str
    hook_version: int
    hooks: tuple[str, ...]
    module: Any
    id: str


def register(manager: pluggy.PluginManager, candidate: Candidate) -> Plugin:
    """Import a plugin and register it with pluggy; raises `PluginProblem`, and then leaves the manager as it was."""
    module = imported(candidate)
    stated = _hook_version(candidate, module)
    try:
        manager.register(module, candidate.id)
    except pluggy.PluginValidationError:
        raise _refused(manager, candidate, module) from None
    except ValueError:                                  # pluggy's word for an object that it has already
        raise problem("E1008", f"plugin `{candidate.name}` is given twice", None, "give each plugin once") from None
    try:
        manager.check_pending()
        hooks = tuple(hook for hook in HOOKS if _implements(manager, candidate.id, hook))
        _unmarked(candidate, module, hooks)
        version = version_of(candidate, module)
    except (pluggy.PluginValidationError, PluginProblem) as error:
        manager.unregister(name=candidate.id)
        _forget_unknown(manager)
        raise error if isinstance(error, PluginProblem) else _refused(manager, candidate, module) from None
    return Plugin(candidate.name, candidate.origin, candidate.place, version, stated, hooks, module, candidate.id)


def _hook_version(candidate: Candidate, module: Any) -> int:
    stated = getattr(module, MARK, None)
    plugin = f"plugin `{candidate.name}`"
    if stated is None:
        alike = near(MARK, [name for name in dir(module) if "hook" in name.lower()])
        way = f"write `{MARK} = {HOOK_VERSION}` in it"
        raise problem("E1004", f"{plugin} does not state the version of the hooks that it was written for", None,
                      way if alike is None else f"rename `{alike}`: {way}")
    if isinstance(stated, bool) or not isinstance(stated, int) or stated < 1:
        raise problem("E1004", f"{plugin} states `{MARK}` as no whole number from 1", None,
                      f"write `{MARK} = {HOOK_VERSION}`, without quotes")
    if stated > HOOK_VERSION:
        message = f"{plugin} was written for version {stated} of the hooks, and this is version {HOOK_VERSION}"
        raise problem("E1005", message, None,
                      f"upgrade tierwise, which is {__version__}, or use an older version of the plugin")
    return stated


def _refused(manager: pluggy.PluginManager, candidate: Candidate, module: Any) -> PluginProblem:
    """Why pluggy did not take a plugin: a hook that is none, or one that asks for arguments."""
    span = None
    for name in dir(module):
        options = manager.parse_hookimpl_opts(module, name)
        if options is None:
            continue
        function = getattr(module, name)
        hook = options.get("specname") or name
        if hook not in HOOKS:
            close = near(hook, HOOKS)
            way = f"did you mean `{close}`?" if close else f"the hooks are {one_of(HOOKS)}"
            message = f"plugin `{candidate.name}` has an unknown hook `{hook}`"
            return problem("E1006", message, defined(function), way)
        if inspect.signature(function).parameters:
            span = defined(function)
    return problem("E1006", f"a hook of plugin `{candidate.name}` takes arguments, and hooks are given none", span,
                   f"write it without: `def {HOOKS[0]}():`")


def _forget_unknown(manager: pluggy.PluginManager) -> None:
    """Drop the callers that pluggy made for unknown hooks, so that the next plugin is not blamed for them."""
    for name in [n for n in vars(manager.hook) if n[0] != "_" and n not in HOOKS]:
        delattr(manager.hook, name)


def _implements(manager: pluggy.PluginManager, name: str, hook: str) -> bool:
    return any(implementation.plugin_name == name for implementation in getattr(manager.hook, hook).get_hookimpls())


def _unmarked(candidate: Candidate, module: Any, hooks: tuple[str, ...]) -> None:
    """Raise where a hook is written but not marked, which pluggy passes over without a word, or where there is none."""
    for hook in HOOKS:
        if hook not in hooks and callable(getattr(module, hook, None)):
            message = f"`{hook}` of plugin `{candidate.name}` is not marked as a hook"
            raise problem("E1006", message, defined(getattr(module, hook)), "put `@tierwise.hookimpl` above it")
    if not hooks:
        slip = next((n for n in dir(module) if n.startswith("register_") and near(n, HOOKS)), None)
        way = f"mark a function such as `{HOOKS[0]}` with `@tierwise.hookimpl`, in the module that is loaded"
        if slip is not None:
            way = f"rename `{slip}` to `{near(slip, HOOKS)}`, and put `@tierwise.hookimpl` above it"
        span = None if slip is None else defined(getattr(module, slip))
        raise problem("E1006", f"plugin `{candidate.name}` carries out no hook", span, way)
