"""The table of what each backend carries out, from the backends' own tables."""
from __future__ import annotations

from engine.backends.python.supported import SUPPORT as PYTHON
from engine.backends.reference.supported import SUPPORT as REFERENCE
from engine.backends.smt.expressions import SmtExpressions
from engine.backends.sql.dialects import lacking
from engine.backends.sql.relations import Expressions
from engine.backends.support import page


def backends() -> str:
    return page((REFERENCE, PYTHON, Expressions.support(), SmtExpressions.support()), lacking())
