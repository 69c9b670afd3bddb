"""What makes data unusable as a whole, in words."""
from __future__ import annotations

from engine.runs import DataProblem

__all__ = ["DataProblem", "reason", "shown"]


def shown(path: str) -> str:
    """A path as messages name it."""
    return "standard input" if path == "-" else path


def reason(problem: Exception) -> str:
    """What the system says, without its number."""
    text = getattr(problem, "strerror", None) or str(problem) or "it is damaged"
    return text[:1].lower() + text[1:]
