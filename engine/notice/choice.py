"""Which letter an outcome calls for."""
from __future__ import annotations

from engine.decision import Decision
from engine.explain.reasons import collect
from engine.ir import nodes as ir
from engine.notice.spec import INCOMPLETE, Document, Letters, LetterSpec
from engine.records import Record


class Choice(Record):
    """The letter and what it asks for; without a letter, why there is none."""

    outcome: str | None
    letter: LetterSpec | None
    documents: tuple[Document, ...] = ()
    why: str = ""


def choose(letters: Letters, decision: Decision) -> Choice:
    """The letter for a decided customer.

    While the decision is open, or a person is to decide and papers would help, the customer is asked for what is
    missing; a settled outcome has the letter that names it.
    """
    name = letters.decision.text
    outcome = decision.values.get(name)
    is_open = name in decision.summary.open
    referred = outcome in {n.text for n in letters.no_letter}
    if is_open or referred:
        missing = _missing(decision, name)
        codes = decision.reasons_of(name)
        documents = tuple(
            d for d in letters.documents
            if any(n.text in missing for n in d.tells) or any(n.text in codes for n in d.reasons)
        )
        wanting = letters.letters.get(INCOMPLETE)
        if documents and wanting is not None:
            return Choice(outcome, wanting, documents)
        if is_open:
            return Choice(outcome, None, why=_why_open(missing))
        return Choice(outcome, None, why=f"`{outcome}` calls for no letter, a person decides")
    for letter in letters.letters.values():
        if outcome in {n.text for n in letter.outcomes}:
            return Choice(outcome, letter)
    return Choice(outcome, None, why=f"`{name}` has no outcome")


def _missing(decision: Decision, name: str) -> dict[str, None]:
    """The inputs and histories behind what is open, in the decision or in those whose reasons it takes."""
    names: dict[str, None] = {}
    trace = decision.trace
    collect(trace, ir.MISSING, trace.outcomes[name], names, set())
    return names


def _why_open(missing: dict[str, None]) -> str:
    if missing:
        listed = ", ".join(f"`{n}`" for n in missing)
        return f"the decision is open for want of {listed}, which no customer is asked for"
    return "the decision is open though no data are missing, a person decides"
