"""`tierwise plugins`: which there are, from where, and what they give."""
from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import click

from engine.commands.common import FINDINGS, paint
from engine.commands.plugging import plugin_option, plugins_for
from engine.commands.policies import show
from engine.hooks import Origin, Plugin, Plugins
from engine.hookspecs import HOOK_VERSION, Command, Function, Setting
from engine.render import visible

Gifts = dict[str, tuple[Any, ...]]

#: Columns of a line that lists names.
_WIDTH = 100
#: Heading and hook, in the order in which a plugin's gifts are listed.
_GIFTS = {
    "register_sources": "source",
    "register_scorers": "scorer",
    "register_functions": "functions",
    "register_sinks": "sink",
    "register_report_sections": "report section",
    "register_commands": "command",
}
_ORIGINS = {
    Origin.BUILT_IN: "built-in",
    Origin.INSTALLED: "installed",
    Origin.PROJECT: "by tierwise.yaml",
    Origin.OPTION: "by --plugin",
    Origin.GIVEN: "given",
}


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--settings/--no-settings", default=None, help="Show the settings of each kind. [default: with NAME]")
@plugin_option
def command(names: tuple[str, ...], form: str, settings: bool | None) -> int:
    """List plugins and what they give.

    Every plugin that a policy of this folder could use is loaded: the built-in ones, those of installed packages, those
    of the project file `tierwise.yaml` here or above, and those of `--plugin`. NAME is a plugin, or a source, scorer,
    set of functions, sink or command; without one all are listed. Exits with 1 where a plugin cannot be used.
    """
    plugins = plugins_for(".")
    loaded = plugins.all()
    chosen = [(plugin, _chosen(plugins, plugin, names)) for plugin in loaded]
    chosen = [(plugin, gifts) for plugin, gifts in chosen if not names or plugin.name in names or any(gifts.values())]
    known = {name for plugin in loaded for name in _names(plugins, plugin)}
    unknown = [name for name in names if name not in known]
    if form == "json":
        click.echo(json.dumps(_plain(plugins, chosen), ensure_ascii=False, indent=2))
    else:
        with_settings = bool(names) if settings is None else settings
        for plugin, gifts in chosen:
            click.echo("\n".join(_told(plugin, gifts, with_settings)))
    for problem in plugins.problems:
        show(problem.diagnostics, problem.sources, sys.stderr)
    if unknown and not plugins.problems:                # else a broken one may be what was meant
        raise click.UsageError(f"no plugin, and nothing that one gives, is called `{visible(unknown[0])}`")
    return FINDINGS if plugins.problems else 0


def _named(gift: Any) -> str:
    return str(gift.set if isinstance(gift, Function) else gift.name)


def _names(plugins: Plugins, plugin: Plugin) -> set[str]:
    return {plugin.name, *(_named(gift) for hook in plugin.hooks for gift in plugins.gifts(plugin, hook))}


def _chosen(plugins: Plugins, plugin: Plugin, names: tuple[str, ...]) -> Gifts:
    """What a plugin gives by hook: all of it, or what is named where the plugin itself is not."""
    whole = not names or plugin.name in names
    return {
        hook: tuple(g for g in plugins.gifts(plugin, hook) if whole or _named(g) in names) for hook in _GIFTS
    }


# --- text ------------------------------------------------------------------------------


def _told(plugin: Plugin, gifts: Gifts, with_settings: bool) -> Iterator[str]:
    name = paint(visible(plugin.name), sys.stdout, bold=True)
    yield f"{name} {visible(plugin.version)}  {_ORIGINS[plugin.origin]}, {visible(plugin.place)}"
    for hook, word in _GIFTS.items():
        if hook == "register_functions":
            yield from _sets(gifts[hook], with_settings)
            continue
        for gift in gifts[hook]:
            yield f"  {word} {visible(gift.name)}{_help(gift.help)}"
            if with_settings and not isinstance(gift, Command):
                yield from _settings(gift.settings, "    ")


def _sets(functions: tuple[Function, ...], with_settings: bool) -> Iterator[str]:
    for set_ in dict.fromkeys(f.set for f in functions):
        own = [f for f in functions if f.set == set_]
        listed = "" if with_settings else ": " + ", ".join(visible(f.name) for f in own)
        yield textwrap.fill(f"  functions {visible(set_)}{listed}", _WIDTH, subsequent_indent="    ")
        if with_settings:
            yield from (f"    {visible(signature(f))}{_help(f.help)}" for f in own)


def _help(text: str) -> str:
    """The first sentence of a help text."""
    first = " ".join(text.split()).partition(". ")[0].rstrip(".")
    return f": {visible(first)}" if first else ""


def signature(function: Function) -> str:
    """`name(first: type, second?: type): type`, as the reference of functions writes it."""
    shown = [f"{n}{'?' if n in function.optional else ''}: {t}" for n, t in function.parameters.items()]
    return f"{function.name}({', '.join(shown)}): {function.result}"


def _settings(settings: Mapping[str, Setting], indent: str) -> Iterator[str]:
    for name, setting in settings.items():
        yield f"{indent}{_setting(name, setting)}"
        if setting.of is not None:
            yield from _settings(setting.of, indent + "  ")


def _setting(name: str, setting: Setting) -> str:
    kind = " | ".join(setting.values) if setting.values else setting.kind
    if setting.required:
        more = ", required"
    else:
        more = "" if setting.default is None else f", {json.dumps(setting.default, ensure_ascii=False, default=str)}"
    return f"{visible(name)} ({visible(kind)}{visible(more)}){_help(setting.help)}"


# --- JSON ------------------------------------------------------------------------------


def _plain(plugins: Plugins, chosen: list[tuple[Plugin, Gifts]]) -> dict[str, Any]:
    """All as JSON; keys are only ever added."""
    return {
        "version": 1,
        "hook_version": HOOK_VERSION,
        "plugins": [
            {
                "name": plugin.name, "version": plugin.version, "origin": plugin.origin.value, "place": plugin.place,
                "hook_version": plugin.hook_version, "hooks": list(plugin.hooks),
                "gives": [_gift(word, gift) for hook, word in _GIFTS.items() for gift in gifts[hook]],
            }
            for plugin, gifts in chosen
        ],
        "problems": [
            {"code": d.code, "message": d.message, "help": d.help, "page": d.page}
            for problem in plugins.problems for d in problem.diagnostics
        ],
    }


def _gift(word: str, gift: Any) -> dict[str, Any]:
    if isinstance(gift, Function):
        return {
            "kind": "function", "name": gift.name, "set": gift.set, "signature": signature(gift), "help": gift.help,
            "columnar": gift.sql is not None,
        }
    if isinstance(gift, Command):
        return {"kind": word, "name": gift.name, "help": gift.help}
    return {
        "kind": word, "name": gift.name, "help": gift.help, "version": gift.version,
        "settings": _plain_settings(gift.settings),
    }


def _plain_settings(settings: Mapping[str, Setting]) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "kind": s.kind, "required": s.required, "help": s.help, "values": list(s.values),
            "default": s.default if isinstance(s.default, (str, int, float, bool, type(None))) else str(s.default),
            **({} if s.of is None else {"of": _plain_settings(s.of)}),
        }
        for name, s in settings.items()
    ]
