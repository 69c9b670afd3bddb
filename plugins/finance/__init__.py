"""Functions of lending arithmetic: instalments, rates, day counts, losses, and the figures that models are judged by.

Amounts stay what they are: an instalment of money is money. Nothing is rounded but where a function says so. Each
function names its source; where its form in SQL stands beside it, both do the same steps in the same order, so that
they agree to the last bit.
"""
from __future__ import annotations

from engine import Function, hookimpl

from . import days, instalments, losses, rates, scores, surveys

tierwise_hooks = 1


@hookimpl
def register_functions() -> list[Function]:
    """The set, in the order of its page."""
    modules = (instalments, rates, days, losses, scores, surveys)
    return [function for module in modules for function in module.FUNCTIONS]
