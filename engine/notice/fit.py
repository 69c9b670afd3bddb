"""Holds a file of letters against the policy, so that no customer is the first to meet what is missing.

Found before a letter is written: names that the policy does not have (E0991), slots that stand for nothing (E0992),
what no customer may read (E0993), texts and slots that a letter cannot be without (E0994), and what the policy can lead
to that no letter answers (E0995).
"""
from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

from engine.diagnostics import Diagnostic, Span
from engine.explain.plan import Plan, plan_of
from engine.explain.reasons import customer_template
from engine.ir import nodes as ir
from engine.ir.reads import cone, reads
from engine.notice.facts import Fact, codes_behind, facts, guarded, shown
from engine.notice.slots import LISTS, alone, slots
from engine.notice.spec import ADVERSE, INCOMPLETE, Letters, LetterSpec, Named, Texts, all_texts, standing
from engine.source.nodes import Scalar


def misfits(letters: Letters, program: ir.Program) -> list[Diagnostic]:
    """What is wrong with the letters for this policy, in the order of the file."""
    found = list(_Fitting(letters, program).found())
    return sorted(found, key=lambda d: (d.span.line, d.span.column) if d.span is not None else (0, 0))


class _Fitting:
    def __init__(self, letters: Letters, program: ir.Program) -> None:
        self.letters = letters
        self.program = program
        self.plan: Plan = plan_of(program)
        self.facts = facts(self.plan)
        self.guarded = guarded(program)
        self.checked: set[tuple[int, int]] = set()

    def found(self) -> Iterator[Diagnostic]:
        letters = self.letters
        if letters.policy.text != self.program.name:
            yield _unknown(letters.policy, f"these letters are those of `{letters.policy.text}`, and the policy is "
                           f"called `{self.program.name}`", (self.program.name,), "name the policy's own letters")
            return
        decision = self.plan.decisions.get(letters.decision.text)
        shown_ = [n for n in self.program.declared if not self.plan.decisions[n].internal]
        if decision is None or letters.decision.text not in shown_:
            yield _unknown(letters.decision, f"the policy has no decision `{letters.decision.text}`", shown_,
                           "name the decision that says what becomes of an application")
            return
        if decision.type.values is None or isinstance(decision, ir.Score):
            yield Diagnostic(
                "E0991", f"the decision `{decision.name}` has no list of outcomes", letters.decision.at,
                "letters tell a decision that states its `values`",
            )
            return
        yield from self.outcomes(decision.type.values)
        yield from self.inputs()
        yield from self.documents(decision)
        for texts in all_texts(letters):
            yield from self.statement_slots(texts)
        for letter in letters.letters.values():
            yield from self.letter(letter)
        yield from self.unused()
        for name, at in letters.percentages.items():
            numbers = [n for n, fact in self.facts.items() if fact.type.kind == "number"]
            if name not in numbers:
                yield _unknown(Named(name, at), f"the policy has no number `{name}`", numbers,
                               "name a number among the policy's inputs and outcomes")
        yield from self.reasons(decision)

    # --- which letter --------------------------------------------------------------------

    def outcomes(self, values: tuple[str, ...]) -> Iterator[Diagnostic]:
        """Every outcome calls for one letter, or for none."""
        first: dict[str, Named] = {}
        every = [n for letter in self.letters.letters.values() for n in letter.outcomes] + [*self.letters.no_letter]
        for named in every:
            if named.text not in values:
                yield _unknown(named, f"`{named.text}` is no outcome of `{self.letters.decision.text}`", values,
                               f"it has {_listed(values)}")
            elif named.text in first:
                yield Diagnostic("E0991", f"the outcome `{named.text}` is named twice", named.at,
                                 "each outcome calls for one letter, or for none")
            first.setdefault(named.text, named)
        for value in values:
            if value not in first:
                yield Diagnostic(
                    "E0995", f"no letter is for the outcome `{value}`", self.letters.decision.at,
                    "add it to the `for` of a letter, or to `no letter` where a person decides",
                )

    def inputs(self) -> Iterator[Diagnostic]:
        named = self.letters.received
        if named is None:
            return
        dates = [i.name for i in self.program.inputs if i.type.kind == "date"]
        if named.text not in dates:
            yield _unknown(named, f"the policy has no date input `{named.text}`", dates,
                           "name the input that holds the day of the application, or give it by `--received`")
        elif named.text in self.guarded:
            yield self.kept(named.text, named.at)

    # --- what to ask for -------------------------------------------------------------------

    def documents(self, decision: ir.Decision) -> Iterator[Diagnostic]:
        letters = self.letters
        reach = cone(self.program, [decision.name])
        can_lack = [i.name for i in self.program.inputs
                    if i.name in reach.inputs and not i.required and not i.previous and not i.model]
        can_lack += [h.name for h in self.program.histories if h.each is None and h.name in reach.relations]
        every = [i.name for i in self.program.inputs] + [h.name for h in self.program.histories if h.each is None]
        codes = codes_behind(self.program, decision)
        named: dict[str, Named] = {}
        for each in (*(n for d in letters.documents for n in d.tells), *letters.ours):
            if each.text not in every:
                yield _unknown(each, f"the policy has no input or history `{each.text}`", every,
                               "name what the document tells as the policy does")
            elif each.text in named:
                yield Diagnostic("E0991", f"`{each.text}` is named twice", each.at,
                                 "one document tells it, or the bank gets it itself")
            named.setdefault(each.text, each)
        for each in (n for d in letters.documents for n in d.reasons):
            if each.text not in codes:
                yield _unknown(each, f"`{decision.name}` gives no reason `{each.text}`", codes,
                               f"it gives {_listed(codes)}")
        wanting = letters.wanting()
        lacking = [name for name in can_lack if name not in named]
        if wanting is None and can_lack:
            yield Diagnostic(
                "E0995", f"an application can lack {_listed(can_lack)}, and no letter asks for them",
                letters.decision.at, "add the letter `incomplete`",
            )
        elif lacking:
            yield Diagnostic(
                "E0995", f"nothing says how to ask for {_listed(lacking)}", letters.decision.at,
                "name each under the `for` of a document, or under `ours` where the bank gets it itself",
            )

    # --- slots -------------------------------------------------------------------------------

    def letter(self, letter: LetterSpec) -> Iterator[Diagnostic]:
        own = standing(letter)
        for clock in (letter.due, letter.reply):
            if clock is not None and clock.by is not None:
                yield from self.day(clock.by)
        for language in self.letters.languages:
            read: set[str] = set()
            for texts in (self.letters.head, letter.subject, letter.body, self.letters.foot):
                if texts is not None:
                    here = [s.name for s in slots(texts[language])]
                    read.update(here)
                    for name in here:
                        if name in self.letters.statements:
                            read.update(s.name for s in slots(self.letters.statements[name][1][language]))
                    yield from self.text(letter, texts[language], own, texts is letter.body)
            for name in self.needed(letter):
                if name not in read:
                    yield Diagnostic(
                        "E0994", f"the letter `{letter.kind}` does not say `{{{name}}}` in `{language}`", letter.at,
                        _WHY.get(name, "put the slot into its body, or into the head or foot of all letters"),
                    )

    def day(self, named: Named) -> Iterator[Diagnostic]:
        """A clock's end that the policy works out."""
        dates = [name for name, fact in self.facts.items() if fact.type.kind == "date"]
        if named.text not in dates:
            yield _unknown(named, f"the policy has no date `{named.text}`", dates,
                           "name a date among the policy's inputs and outcomes, or count `days`")
        elif named.text in self.guarded:
            yield self.kept(named.text, named.at)
        else:
            yield from self.hidden_behind(self.facts[named.text], named.at)

    def needed(self, letter: LetterSpec) -> Iterator[str]:
        yield from ("creditor name", "creditor address", "date", "reference")
        if letter.kind in ADVERSE:
            yield "reasons"
        if letter.kind == INCOMPLETE:
            yield "documents"
        if letter.reply is not None:
            yield "reply by"

    def text(self, letter: LetterSpec, text: Scalar, own: Collection[str], is_body: bool) -> Iterator[Diagnostic]:
        """The slots of one text of a letter, told once where texts are shared."""
        for slot in slots(text):
            at = text.locate(slot.start, slot.end)
            if slot.name in own:
                if slot.name in LISTS and not (is_body and alone(text, slot)):
                    yield Diagnostic("E0992", f"`{{{slot.name}}}` is a list", at,
                                     "put it on a line of its own in the body of the letter")
                continue
            if slot.name in self.letters.creditor or slot.name in self.letters.statements:
                continue
            if (mark := (id(text), slot.start)) in self.checked:
                continue
            self.checked.add(mark)
            yield from self.fact(slot.name, at, (*own, *self.letters.creditor, *self.letters.statements))

    def statement_slots(self, texts: Texts) -> Iterator[Diagnostic]:
        """Statements put in what every letter has; not one another, which could go round in a circle."""
        for name, (_, stated) in self.letters.statements.items():
            if stated is not texts:
                continue
            if name in self.facts or name in self.letters.creditor or name in _FIXED:
                yield Diagnostic("E0991", f"the statement `{name}` is called like a slot that there is",
                                 self.letters.statements[name][0], "call it otherwise")
            for text in {id(v): v for v in stated.values()}.values():
                for slot in slots(text):
                    if slot.name not in self.letters.creditor and slot.name not in _EVERYWHERE:
                        yield from self.fact(slot.name, text.locate(slot.start, slot.end),
                                             (*_EVERYWHERE, *self.letters.creditor))

    def fact(self, name: str, at: Span, others: Iterable[str]) -> Iterator[Diagnostic]:
        """A slot that names a value of the policy."""
        fact = self.facts.get(name)
        if fact is None:
            near = difflib.get_close_matches(name, [*others, *self.facts], n=1, cutoff=0.6)
            way = f"did you mean `{{{near[0]}}}`?" if near else \
                f"letters have {_listed([*others])} and the policy's inputs and outcomes"
            yield Diagnostic("E0992", f"no slot is called `{name}`", at, way)
        elif name in self.guarded:
            yield self.kept(name, at)
        else:
            yield from self.hidden_behind(fact, at)
            for value in fact.type.values or ():
                if value not in self.letters.words:
                    yield Diagnostic("E0993", f"`{{{name}}}` would show the code `{value}`", at,
                                     f"say under `words` what letters call `{value}`")

    def hidden_behind(self, fact: Fact, at: Span) -> Iterator[Diagnostic]:
        decision = self.plan.decisions[fact.decision] if fact.decision else None
        if isinstance(decision, ir.Decide):
            for arm in decision.arms:
                for member, node in arm.outcome:
                    for name, _ in shown(self.plan, node) if member == fact.member else ():
                        if name in self.guarded:
                            yield self.kept(name, at)
                            return

    def kept(self, name: str, at: Span) -> Diagnostic:
        what = self.guarded[name]
        return Diagnostic("E0993", f"the input `{name}` is {what} and may not stand in a letter", at,
                          "leave the slot out; who the letter goes to is said by `--to`, the slot `addressee`")

    def unused(self) -> Iterator[Diagnostic]:
        read = {s.name for texts in all_texts(self.letters) for text in texts.values() for s in slots(text)}
        for name, (at, _) in self.letters.statements.items():
            if name not in read:
                yield Diagnostic("E0994", f"no letter says the statement `{name}`", at,
                                 f"put `{{{name}}}` into the letters that owe it, or delete it")

    # --- reasons -----------------------------------------------------------------------------

    def reasons(self, decision: ir.Decide) -> Iterator[Diagnostic]:
        """What the reasons of a refusal say to a customer, in every language."""
        adverse = {n.text for kind in ADVERSE if kind in self.letters.letters
                   for n in self.letters.letters[kind].outcomes}
        arms = [a for a in decision.arms if _outcome(a) is None or _outcome(a) in adverse]
        for arm in arms:
            if not arm.reasons and _outcome(arm) in adverse:
                yield Diagnostic(
                    "E0995", f"the rule `{arm.rule}` gives no reason for `{_outcome(arm)}`",
                    arm.at.span if arm.at is not None else self.letters.decision.at,
                    "a letter owes the customer a reason; give the rule one",
                )
        for code in codes_behind(self.program, decision.replace(arms=tuple(arms))):
            yield from self.reason(self.plan.reasons[code])

    def reason(self, reason: ir.ReasonDecl) -> Iterator[Diagnostic]:
        at = self.letters.decision.at
        for language in self.letters.languages:
            template = customer_template(reason, language)
            if template is None:
                yield Diagnostic("E0995", f"the reason `{reason.code}` has no text in `{language}`", at,
                                 f"add `{language}: ...` to it in the policy")
                continue
            for node in (part for part in template if isinstance(part, ir.Node)):
                secret = next((name for name, _ in shown(self.plan, node) if name in self.guarded), None)
                strange = self.never_read(node)
                code, what = "E0993", ""
                if secret is not None:
                    what = f"the {self.guarded[secret]} input `{secret}`"
                elif node.type.values is not None:
                    what = f"codes such as `{node.type.values[0]}`"
                elif strange:
                    code, what = "E0995", f"`{strange[0]}`, which no rule reads,"
                if what:
                    yield Diagnostic(
                        code, f"the reason `{reason.code}` shows {what} in `{language}`", at,
                        f"give the reason a text without it for letters: `notice: {{{language}: ...}}`",
                    )

    def never_read(self, node: ir.Node) -> list[str]:
        """The inputs behind a text's value that no outcome hangs on: these are not looked at when a customer is
        decided."""
        direct = reads([node])
        behind = cone(self.program, sorted(direct.refs)).inputs | direct.inputs
        return sorted(behind - cone(self.program, self.program.declared).inputs)


def _outcome(arm: ir.Arm) -> str | None:
    """The outcome of an arm of plain data."""
    node = arm.outcome[0][1] if arm.outcome else None
    return node.value if isinstance(node, ir.Const) and isinstance(node.value, str) else None


def _unknown(named: Named, message: str, known: Iterable[str], otherwise: str) -> Diagnostic:
    near = difflib.get_close_matches(named.text, list(known), n=1, cutoff=0.6)
    return Diagnostic("E0991", message, named.at, f"did you mean `{near[0]}`?" if near else otherwise)


def _listed(names: Iterable[str]) -> str:
    found = [f"`{n}`" for n in names]
    return ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")


_EVERYWHERE = ("date", "received", "reference", "addressee")
_FIXED = (*_EVERYWHERE, *LISTS, "due", "reply by")
_WHY = {
    "reasons": "a customer who does not get what was asked for is owed the reasons; put the slot on a line of its own",
    "documents": "the letter exists to say what to send; put the slot on a line of its own",
    "reply by": "the customer must know by when to answer; put the slot into the body",
}
