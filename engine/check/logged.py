"""What the last logged decision of a customer may hold: the decisions of this policy, as they declare their outcomes.

What a decision gave is known before any of today's decisions is, so a type that only its expression tells will not do:
it may itself read the previous one.
"""
from __future__ import annotations

from collections.abc import Iterable

from engine.check.arms import LIST_HITS
from engine.check.decisions import Draft
from engine.check.model import Plain
from engine.check.previous import DATE
from engine.check.rules import LIMIT
from engine.check.scope import PREVIOUS, Binding
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type


def binding(drafts: Iterable[Draft], faulty: Iterable[str]) -> Binding:
    """The name `previous`: null where there is none, else the outcomes, each of which may be null. Nothing is known of
    `faulty` decisions, and nothing said."""
    fields = [(DATE, Type(dt.DATE, True))]
    fields.extend((d.spec.name, _declared(d)) for d in drafts if d.spec.family != "features")
    fields.extend((name, Type(dt.NULL, True)) for name in faulty)
    return Binding(PREVIOUS, PREVIOUS, Type(dt.CONTEXT, True, fields=tuple(fields)))


def _declared(draft: Draft) -> Type:
    """What a decision's outcome is by its declaration alone; a list, or any, is not to be read."""
    results = draft.reader.results
    if draft.hit in LIST_HITS:
        return dt.list_of(results.single)
    if results.members:
        return Type(dt.CONTEXT, fields=tuple((n, _known(t)) for n, t in results.members))
    if draft.hit in ("scorecard", "collect count"):
        return _known(Type(dt.NUMBER))
    plain = draft.hit != "value" and all(isinstance(v, Plain) for arm in draft.arms for _, v in arm.outcome)
    return _known(results.single) if results.stated or plain else Type(dt.ANY)


def _known(kind: Type) -> Type:
    bounded = kind.replace(lower=-LIMIT, upper=LIMIT) if kind.kind in dt.NUMERIC else kind
    return bounded.optional()
