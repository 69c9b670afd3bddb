"""What a hook gave, checked before anything else sees it."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.hooks.builtin import COMMANDS
from engine.hooks.problems import PluginProblem, article, near, one_of, problem
from engine.hookspecs import Command, Function, ReportSection, ScorerKind, Setting, SinkKind, SourceKind

#: What each hook gives.
SHAPES: Mapping[str, type] = {
    "register_sources": SourceKind,
    "register_scorers": ScorerKind,
    "register_functions": Function,
    "register_sinks": SinkKind,
    "register_report_sections": ReportSection,
    "register_commands": Command,
}
SETTINGS = ("text", "number", "boolean", "duration", "path", "secret", "list", "map", "any")


def checked(plugin: str, hook: str, given: Any) -> tuple[Any, ...]:
    """What a plugin's hook gave, as a tuple; raises `PluginProblem`."""
    shape = SHAPES[hook]
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        way = f"return a list: `[{shape.__name__}(...)]`"
        if given is None:
            way = f"return a list, empty where there is nothing: `return [{shape.__name__}(...)]`"
        raise _wrong(plugin, hook, f"{_kind(given)} instead of a list", way)
    items = tuple(given)
    for item in items:
        if not isinstance(item, shape):
            raise _wrong(plugin, hook, f"a list with {_kind(item)}", f"return a list of `tierwise.{shape.__name__}`")
        fault = _fault(item)
        if fault is not None:
            raise _wrong(plugin, hook, f"{_called(item)}, {fault[0]}", fault[1])
    names = [key(hook, item) for item in items] if hook != "register_functions" else [
        f"{item.set}: {item.name}" for item in items]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise problem("E1008", f"plugin `{plugin}` gives `{twice}` twice", None, "rename or delete one of the two")
    return items


def key(hook: str, item: Any) -> str:
    """The name under which something is asked for; functions are asked for by their set."""
    return str(item.set if hook == "register_functions" else item.name)


def _wrong(plugin: str, hook: str, what: str, way: str) -> PluginProblem:
    return problem("E1007", f"`{hook}` of plugin `{plugin}` gives {what}", None, way)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class `{name}`" if isinstance(value, type) else f"{article(name).split()[0]} `{name}`"


def _called(item: Any) -> str:
    name = item.name if isinstance(item.name, str) and item.name.strip() else None
    return f"`{name}`" if name is not None else "something without a name"


def _fault(item: Any) -> tuple[str, str] | None:
    """What is wrong with one thing that was given, and the way out."""
    if not isinstance(item.name, str) or not item.name.strip():
        return "which nobody could ask for", "give it a `name`"
    if item.name != item.name.strip():
        return "whose name begins or ends with a blank", f"write `{item.name.strip()}`"
    if isinstance(item, Function):
        return _function_fault(item)
    if isinstance(item, Command):
        if item.name in COMMANDS:
            return "which is a command of `tierwise` itself", "give the command another name"
        return _not_callable(item.make, "make")
    if isinstance(item, ReportSection):
        return _not_callable(item.make, "make") or _settings_fault(item.settings)
    return _not_callable(item.open, "open") or _settings_fault(item.settings)


def _not_callable(value: Any, name: str) -> tuple[str, str] | None:
    if callable(value):
        return None
    return f"whose `{name}` cannot be called", f"give `{name}` a function or class"


def _settings_fault(settings: Any) -> tuple[str, str] | None:
    if not isinstance(settings, Mapping):
        return "whose settings are no mapping", "write `settings={\"name\": tierwise.Setting(...)}`"
    for name, setting in settings.items():
        if not isinstance(name, str) or not isinstance(setting, Setting):
            return f"whose setting `{name}` is no `tierwise.Setting`", f"write `{{\"{name}\": tierwise.Setting(...)}}`"
        if setting.kind not in SETTINGS:
            close = near(str(setting.kind), SETTINGS)
            way = f"did you mean `{close}`?" if close else f"it may be {one_of(SETTINGS)}"
            return f"whose setting `{name}` is of the unknown kind `{setting.kind}`", way
        if setting.of is not None and setting.kind != "map":
            way = "write `tierwise.Setting(\"map\", of=...)`"
            return f"whose setting `{name}` has settings of its own and is no map", way
        inner = None if setting.of is None else _settings_fault(setting.of)
        if inner is not None:
            return inner
    return None


def _function_fault(item: Function) -> tuple[str, str] | None:
    if not isinstance(item.set, str) or not item.set.strip() or item.set != item.set.strip():
        return "which is in no set", "give it a `set`, the name that a policy states under `functions`"
    if not isinstance(item.parameters, Mapping) or not all(
            isinstance(n, str) and n.strip() and isinstance(t, str) for n, t in item.parameters.items()):
        return "whose parameters are no names with types", "write `parameters={\"amount\": \"number\"}`"
    if not isinstance(item.result, str) or not item.result.strip():
        return "whose result has no type", "write the type as policies do: `result=\"number\"`"
    strange = next((name for name in item.optional if name not in item.parameters), None)
    if strange is not None:
        close = near(strange, item.parameters)
        way = f"did you mean `{close}`?" if close else "name parameters of the function"
        return f"whose optional `{strange}` is no parameter of it", way
    return _not_callable(item.body, "body") or (None if item.sql is None else _not_callable(item.sql, "sql"))
