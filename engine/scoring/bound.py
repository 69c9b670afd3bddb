"""A scorer bound to a model: what it says of itself against what the policy asks, and calls that always end."""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from engine.calling import Caller, CallFailed, Secrets, TimedOut
from engine.diagnostics import Diagnostic
from engine.hookspecs import Field, Scorer, ScorerDescription
from engine.ir import nodes as ir
from engine.ir.door import Refusal, check_domain, convert, listing, show
from engine.semantics import dtypes as dt

T = TypeVar("T")

#: Seconds that one customer's score, and a batch's, may take where nothing else is stated.
ONE_LIMIT, BATCH_LIMIT = 5.0, 600.0
#: A scorer that did not come back so often is not opened again: each time holds a thread.
MOST_HUNG = 3
#: Types of values as a scorer's fields name them.
_KINDS = {dt.MONEY: dt.NUMBER}


class Bound:
    """A scorer as a deployment binds it. `open` makes it, anew after a call that never came back.

    Raises CallFailed where it does not open.
    """

    def __init__(
        self, kind: str, open: Callable[[], Scorer], secrets: Secrets | None = None, one_limit: float = ONE_LIMIT,
        batch_limit: float = BATCH_LIMIT,
    ) -> None:
        self.kind = kind
        self._open = open
        self._caller = Caller(secrets or Secrets())
        self._limits = (one_limit, batch_limit)
        self._hung = 0
        self._scorer: Scorer | None = self._opened()
        scorer = self._scorer
        found = _sound(self._caller.call(scorer.describe, BATCH_LIMIT))
        version = (secrets or Secrets()).scrub(found.version)
        self.described = dataclasses.replace(found, version=version, reasons=tuple(found.reasons))

    def _opened(self) -> Scorer:
        return self._caller.call(self._open, BATCH_LIMIT)

    @property
    def version(self) -> str:
        return self.described.version

    def one(self, row: Mapping[str, Any]) -> Any:
        """What the scorer answers for one customer, unseen; raises CallFailed."""
        given = dict(row)
        return self._call(lambda scorer: scorer.one(given), self._limits[0])

    def batch(self, table: Any) -> Any:
        """What the scorer answers for an Arrow table, unseen; raises CallFailed."""
        return self._call(lambda scorer: scorer.batch(table), self._limits[1])

    def _call(self, ask: Callable[[Scorer], T], limit: float) -> T:
        scorer = self._scorer
        if scorer is None:
            if self._hung >= MOST_HUNG:
                raise CallFailed(f"it did not answer {MOST_HUNG} times, and is not asked again")
            scorer = self._scorer = self._opened()
        try:
            return self._caller.call(lambda: ask(scorer), limit)
        except TimedOut:
            self._scorer = None             # the call that hangs still has it
            self._hung += 1
            raise

    def close(self) -> None:
        """Let go of the scorer; what goes wrong meanwhile is nobody's matter any more."""
        scorer, self._scorer = self._scorer, None
        if scorer is not None:
            try:
                self._caller.call(scorer.close, ONE_LIMIT)
            except CallFailed:
                return
        self._caller.close()


def _sound(found: Any) -> ScorerDescription:
    """What a scorer says of itself; raises CallFailed where it is not as the hooks ask."""
    if not isinstance(found, ScorerDescription):
        raise CallFailed(f"its `describe` gives `{type(found).__name__}`, not a `ScorerDescription`")
    if not isinstance(found.inputs, Mapping):
        raise CallFailed("the `inputs` of its description are no mapping of names to fields")
    for name, field in (*found.inputs.items(), ("output", found.output)):
        if not isinstance(name, str) or not isinstance(field, Field) or not isinstance(field.type, str):
            raise CallFailed(f"`{name}` of its description is no `Field`")
    if not isinstance(found.version, str):
        raise CallFailed("the `version` of its description is no text")
    if not isinstance(found.reasons, (tuple, list)) or any(not isinstance(r, str) for r in found.reasons):
        raise CallFailed("the `reasons` of its description are no list of texts")
    return found


# --- whether it answers what a policy asks -------------------------------------------------------


def misfits(decl: ir.ModelDecl, bound: Bound) -> Iterator[Diagnostic]:
    """Why the scorer cannot answer a model of a policy; E0802 each."""
    described, name = bound.described, f"the scorer of `{decl.model}`"
    asked = dict(decl.types)
    for key in asked:
        if key not in described.inputs:
            near = get_close_matches(key, list(described.inputs), 1)
            way = f"did you mean `{near[0]}`?" if near else f"it takes {listing(list(described.inputs))}"
            yield _misfit(decl, f"{name} takes no input `{key}`", way)
    for key, field in described.inputs.items():
        if key not in asked:
            if not get_close_matches(key, [k for k in asked if k not in described.inputs], 1):
                yield _misfit(decl, f"{name} takes `{key}`, which is not given", f"add `{key}: ...` under `inputs`")
        elif (why := _unlike(asked[key], field)) is not None:
            yield _misfit(decl, f"{name} takes {why} for `{key}`", "convert it in the expression, or bind another one")
    if (why := _unlike(decl.type, described.output)) is not None:
        yield _misfit(decl, f"{name} gives {why}", "state that `type`, or bind another one")
    elif decl.type.values is not None and described.output.values:
        strange = [v for v in described.output.values if v not in decl.type.values]
        if strange:
            yield _misfit(
                decl, f"{name} can give `{strange[0]}`, which is not one of the values of `{decl.decision}`",
                f"the values are {listing(decl.type.values)}",
            )
    for reason, _ in decl.reasons:
        if reason not in described.reasons:
            near = get_close_matches(reason, described.reasons, 1)
            has = listing(described.reasons) if described.reasons else "none"
            yield _misfit(
                decl, f"{name} knows no reason `{reason}`", f"did you mean `{near[0]}`?" if near else f"it has {has}"
            )
    if decl.with_missing and not described.handles_missing:
        yield _misfit(
            decl, f"{name} does not take missing inputs", "drop `ask with missing`, or bind one that takes them"
        )


def _unlike(kind: dt.Type, field: Field) -> str | None:
    """What a scorer's field is, where it is not what the policy has."""
    if _KINDS.get(kind.kind, kind.kind) != field.type:
        return f"a value of type {field.type}"
    return None


def _misfit(decl: ir.ModelDecl, message: str, help: str) -> Diagnostic:
    return Diagnostic("E0802", message, decl.at.span, help)


def unbound(programs: Sequence[ir.Program], bound: Mapping[str, Bound]) -> list[ir.ModelDecl]:
    """The models that no scorer is bound to."""
    found = {m.model: m for program in programs for m in program.models if m.model not in bound}
    return list(found.values())


# --- what it answered -----------------------------------------------------------------------------


def taken(decl: ir.ModelDecl, value: Any) -> Any:
    """An answer as a value of the policy, None for none; raises CallFailed for one that cannot be."""
    if value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        raise CallFailed(f"it gave {value}, which is no number")
    try:
        found = convert(value, decl.type)
        if found is None:
            raise CallFailed("it gave what is no finite number")
        if decl.type.values is not None and found not in decl.type.values:
            raise CallFailed(f"it gave {show(found)}, which is not one of {listing(decl.type.values)}")
        check_domain(decl.domain, decl.type, found)
    except Refusal as refusal:
        raise CallFailed(f"it gave {show(value)}, which does not fit: {refusal}") from None
    return found


def taken_reasons(bound: Bound, reasons: Any) -> tuple[str, ...]:
    """An answer's reasons; raises CallFailed for one that was not declared."""
    if not isinstance(reasons, (tuple, list)) or any(not isinstance(r, str) for r in reasons):
        raise CallFailed("its reasons are not a list of texts")
    for reason in reasons:
        if reason not in bound.described.reasons:
            raise CallFailed(f"it gave the reason {show(reason)}, which it did not declare")
    return tuple(reasons)
