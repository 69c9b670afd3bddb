"""A letter to one customer: the slots of its texts filled."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.decision import Decision
from engine.explain.phrases import phrases_of
from engine.explain.plan import describe, plan_of
from engine.explain.reasons import for_customer
from engine.explain.values import plain, show, visible
from engine.ir import nodes as ir
from engine.ir.door import Refusal, admit_input, raw_input
from engine.ir.stored import digest_of
from engine.notice.choice import Choice
from engine.notice.facts import Fact, facts, value_of
from engine.notice.slots import parts, passages
from engine.notice.spec import ADVERSE, Clock, Letters
from engine.records import Record
from engine.source.nodes import Scalar

#: A customer's inputs by their declared names, None for missing.
Inputs = dict[str, Any]

#: A notice gives the principal reasons, and more than four are more than anybody takes in
#: (Official Interpretations of Regulation B, 9(b)(2)-1).
MOST_REASONS = 4
#: Digits of the digest that a reference shows; the JSON form has all.
_MARK = 12


class Unwritable(Exception):
    """Why a letter to this customer cannot be written, and the way out."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Block(Record):
    """A "paragraph" of one text, or the "items" or "steps" (in order) of a list."""

    kind: str
    texts: tuple[str, ...]


class Letter(Record):
    """A letter. `due` is the day by which it must be sent, `reply_by` that by which the customer answers."""

    kind: str
    language: str
    head: tuple[str, ...]
    subject: str
    blocks: tuple[Block, ...]
    foot: tuple[str, ...]
    reference: str
    reasons: tuple[tuple[str, str], ...] = ()
    documents: tuple[tuple[str, str], ...] = ()
    due: datetime.date | None = None
    reply_by: datetime.date | None = None


def write(
    letters: Letters, choice: Choice, decision: Decision, inputs: Inputs, language: str, addressee: Sequence[str],
    received: datetime.date | None,
) -> Letter:
    """The letter that was chosen; raises Unwritable. Dated as the decision is."""
    return _Writer(letters, choice, decision, inputs, language, addressee, received).letter()


def due_date(
    clock: Clock | None, received: datetime.date | None, decision: Decision, inputs: Inputs
) -> datetime.date | None:
    """The end of a clock; raises Unwritable where it hangs on a day that nobody told."""
    if clock is None:
        return None
    if clock.by is not None:
        found: datetime.date | None = value_of(
            facts(plan_of(decision.program))[clock.by.text], decision.values, inputs
        )
        if found is None:
            raise Unwritable(f"the letter is due by `{clock.by.text}`, which has no value for this customer",
                             "`tierwise decide` explains why; a clock must be known")
        return found
    if clock.after == "received" and received is None:
        raise Unwritable("the letter has a legal clock, and nobody told when the application was received",
                         "give the day on which it was complete: `--received YYYY-MM-DD`")
    start = received if clock.after == "received" and received is not None else decision.as_of
    return start + datetime.timedelta(days=clock.days)


def received_on(letters: Letters, inputs: Inputs, given: datetime.date | None) -> datetime.date | None:
    """When the application was received: as given, else as the policy's input tells."""
    if given is not None or letters.received is None:
        return given
    found: datetime.date | None = inputs.get(letters.received.text)
    return found


def inputs_of(program: ir.Program, given: Mapping[str, Any]) -> Inputs:
    """A customer's inputs as the policy reads them, those included that no rule reads, such as the key."""
    found: Inputs = {}
    for decl in program.inputs:
        try:
            found[decl.name] = admit_input(decl, raw_input(decl, given))
        except Refusal:                                 # what a rule reads would have refused the customer
            found[decl.name] = None
    return found


def customer_key(program: ir.Program, inputs: Inputs) -> str:
    """The customer's key, "" where it is personal or not given."""
    keys = [inputs.get(i.name) for i in program.inputs if i.key and not i.personal]
    return " ".join(visible(str(k)) for k in keys if k is not None)


def day_in(day: datetime.date, language: str) -> str:
    """A date in words; ISO for languages that have none here."""
    base = language.split("-")[0]
    if base == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}" if base == "en" else day.isoformat()


class _Writer:
    def __init__(
        self, letters: Letters, choice: Choice, decision: Decision, inputs: Inputs, language: str,
        addressee: Sequence[str], received: datetime.date | None,
    ) -> None:
        assert choice.letter is not None
        self.letters = letters
        self.spec = choice.letter
        self.choice = choice
        self.decision = decision
        self.inputs = inputs
        self.language = language
        self.phrases = phrases_of(language)
        self.plan = plan_of(decision.program)
        self.facts: Mapping[str, Fact] = facts(self.plan)
        self.day = decision.as_of
        self.received = received
        self.due = due_date(self.spec.due, received, decision, inputs)
        self.reply_by = due_date(self.spec.reply, received, decision, inputs)
        key = customer_key(decision.program, inputs)
        self.reference = _reference(decision, key)
        self.addressee = [visible(line) for line in addressee] or ([key] if key else [])
        self.reasons = self.given() if self.spec.kind in ADVERSE else ()
        self.documents = tuple(
            (d.name.text, self.fill(d.texts[language].text.strip())) for d in choice.documents
        )

    def letter(self) -> Letter:
        language = self.language
        foot = self.letters.foot
        return Letter(
            self.spec.kind, language, self.lines(self.letters.head[language]),
            self.fill(" ".join(self.spec.subject[language].text.split())), self.blocks(self.spec.body[language].text),
            self.lines(foot[language]) if foot is not None else (), self.reference, self.reasons, self.documents,
            self.due, self.reply_by,
        )

    def given(self) -> tuple[tuple[str, str], ...]:
        """The principal reasons of the decision in order; what reads alike is said once."""
        codes = [c for c in self.decision.reasons_of(self.letters.decision.text) if c not in ir.RESERVED]
        texts = for_customer(self.decision.program, self.decision.trace, codes, self.language)
        first: dict[str, str] = {}
        for code, text in zip(codes, texts, strict=True):
            first.setdefault(text, code)
        if not first:
            raise Unwritable(
                f"`{self.choice.outcome}` has no reason that a letter could give",
                "a customer is owed the reasons of a refusal: give the rule that led to it a reason",
            )
        return tuple((code, text) for text, code in first.items())[:MOST_REASONS]

    # --- texts ---------------------------------------------------------------------------

    def lines(self, text: Scalar) -> tuple[str, ...]:
        """A head or foot, line by line."""
        found: list[str] = []
        for line in text.text.strip("\n").split("\n"):
            if line.strip() == "{addressee}":
                found.extend(self.named("addressee").split("\n"))
            else:
                found.append(self.fill(line.rstrip()))
        return tuple(found)

    def blocks(self, body: str) -> tuple[Block, ...]:
        found: list[Block] = []
        for group in passages(body):
            before = ""                                 # items that follow one another are one list
            for passage in group:
                if passage.kind == "list":
                    of = self.reasons if passage.text == "reasons" else self.documents
                    found.append(Block("steps" if passage.text == "reasons" else "items", tuple(t for _, t in of)))
                elif passage.kind == "item":
                    try:
                        text = self.fill(passage.text)
                    except _NoValue:                    # an item about what this customer does not have
                        continue
                    if before == "item":
                        found[-1] = Block("items", (*found[-1].texts, text))
                    else:
                        found.append(Block("items", (text,)))
                else:
                    found.append(Block("paragraph", (self.fill(passage.text),)))
                before = passage.kind
        return tuple(found)

    def fill(self, text: str) -> str:
        return "".join(self.named(t) if is_slot else t for is_slot, t in parts(text))

    def named(self, name: str) -> str:
        own = _OWN.get(name)
        if own is not None:
            found = own(self)
            if found is None:
                raise Unwritable(f"the letter says `{{{name}}}`, which is not known", _TELL[name])
            return found
        for texts in (self.letters.creditor.get(name), self.letters.statements.get(name, (None, None))[1]):
            if texts is not None:
                return self.fill(" ".join(texts[self.language].text.split()))
        return self.value(self.facts[name])

    def value(self, fact: Fact) -> str:
        value = value_of(fact, self.decision.values, self.inputs)
        if value is None:
            raise _NoValue(
                f"the letter says `{{{fact.name}}}`, which has no value for this customer",
                "write what a customer may lack as an item of its own (`- ...`), which is then left out",
            )
        if fact.type.values is not None and value in self.letters.words:
            return self.letters.words[value][self.language].text.strip()
        if type(value) is datetime.date:
            return day_in(value, self.language)
        if fact.name in self.letters.percentages and isinstance(value, (int, float)):
            return f"{value:.2%}"
        kind: Any = describe(fact.type)
        return show(plain(value), kind, self.phrases, self.plan.program.currency, fact.percent)


class _NoValue(Unwritable):
    """A value of the policy that the customer does not have."""


def _reference(decision: Decision, key: str) -> str:
    """Whose letter it is, of which day, and by which rules: policy, version and digest."""
    program = decision.program
    mark = (digest_of(program) or "")[:_MARK]
    return " / ".join(t for t in (
        key, decision.as_of.isoformat(), f"{visible(program.name)} {visible(program.version)}", mark,
    ) if t)


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")
_OWN: Mapping[str, Callable[[_Writer], str | None]] = {
    "date": lambda w: day_in(w.day, w.language),
    "received": lambda w: None if w.received is None else day_in(w.received, w.language),
    "due": lambda w: None if w.due is None else day_in(w.due, w.language),
    "reply by": lambda w: None if w.reply_by is None else day_in(w.reply_by, w.language),
    "reference": lambda w: w.reference,
    "addressee": lambda w: "\n".join(w.addressee) or None,
}
_TELL = {
    "received": "give the day on which the application was received: `--received YYYY-MM-DD`",
    "addressee": "say whom the letter goes to: `--to NAME`",
    "due": "give the letter a `due`",
    "reply by": "give the letter a `reply`",
}
