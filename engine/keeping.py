"""Loaded policies, kept between runs while no file that they were read from has changed.

What is kept is the typed program, as data (`engine.ir.stored`), from which evaluators are made anew:
neither source nor check is needed to decide, and no code is kept.
"""
from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from engine.cache import recall, remember
from engine.diagnostics import Problem
from engine.functions import functions_of
from engine.ir.stored import Unstorable, pack, unpack
from engine.policy import Policy, Version

if TYPE_CHECKING:
    from engine.hooks import Plugins

_KIND = "policy"


def kept(path: str, plugins: Plugins | None = None) -> Policy | None:
    """The policy at `path` as it was kept, None where it was not or has changed, or where a set of functions that it
    calls is no longer that of `plugins`."""
    known = recall(path, _KIND)
    if known is None:
        return None
    try:
        day = datetime.date.fromisoformat
        functions = functions_of(path, plugins)
        versions = [Version(day(start), day(end), unpack(packed, functions)) for start, end, packed in known.more]
    except (Problem, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None
    return Policy(versions, known.diagnostics, known.sources) if versions else None


def keep(path: str, policy: Policy) -> None:
    """Keep a policy that was loaded from `path`."""
    if policy.reads is None:
        return
    try:
        versions = [[v.start.isoformat(), v.end.isoformat(), pack(v.program)] for v in policy.versions]
    except Unstorable:
        return
    remember(path, policy.reads, policy.warnings, policy.sources, _KIND, versions)
