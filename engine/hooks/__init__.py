"""Plugins: found, loaded when something asks for what they give, and checked.

`Plugins` is a value; nothing here is global but Python's own table of modules. What is wrong with a plugin is raised
as `PluginProblem`, whose diagnostics name the plugin.
"""
from __future__ import annotations

from engine.hooks.found import Origin
from engine.hooks.importing import failure
from engine.hooks.manager import Kinds, Plugins
from engine.hooks.problems import PluginProblem
from engine.hooks.registering import Plugin

__all__ = ["Kinds", "Origin", "Plugin", "PluginProblem", "Plugins", "failure"]
