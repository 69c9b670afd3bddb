"""The contract of a whole plugin."""
from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from engine.hooks import Plugin, Plugins
from engine.hookspecs import Command
from engine.testing.contract import Contract, fail


class PluginContract(Contract):
    """What a plugin must hold to: that it can be loaded, gives what its hooks say, and explains itself.

    `plugin` is its module, or the name of the module.
    """

    plugin: ModuleType | str | None = None

    @property
    def loaded(self) -> tuple[Plugins, Plugin]:
        if self.plugin is None:
            raise fail(f"`{type(self).__name__}` does not say what it tests",
                       "set `plugin` to the module that the entry point names")
        module: Any = import_module(self.plugin) if isinstance(self.plugin, str) else self.plugin
        plugins = Plugins(given={module.__name__: module}, installed=False)
        found = next((p for p in plugins.all() if p.module is module), None)
        for problem in plugins.problems:
            first = problem.diagnostics[0]
            raise fail(first.message, first.help or f"see {first.page}") from problem
        assert found is not None                        # else there would be a problem
        return plugins, found

    def test_it_loads(self) -> None:
        self.loaded  # noqa: B018 - raises where it does not

    def test_it_explains_itself(self) -> None:
        plugins, plugin = self.loaded
        for hook in plugin.hooks:
            for gift in plugins.gifts(plugin, hook):
                if not gift.help.strip():
                    raise fail(f"`{gift.name}` has no help", "say in `help` what it is: `tierwise plugins` shows it")
                takes = {} if isinstance(gift, Command) else getattr(gift, "settings", {})
                for name, setting in takes.items():
                    if not setting.help.strip():
                        raise fail(f"the setting `{name}` of `{gift.name}` has no help",
                                   "say in `help` what it is for: `tierwise plugins NAME` shows it")
