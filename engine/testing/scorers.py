"""The contract of a scorer."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.hookspecs import Field, Score, ScorerDescription
from engine.testing.arrow import column, table_of
from engine.testing.contract import Contract, fail, fails_rightly, on_another_thread
from engine.testing.values import Maker, fault, field_fault, rows, same, untouched


class ScorerContract(Contract):
    """What a scorer must hold to. Set `kind` and `settings`, or write `open`.

    `rows` are inputs of your own, beside the made-up ones. Where the scorer reads a file, the kit checks by itself what
    becomes of one that is not there; `broken` may give another scorer that fails when it is asked.
    """

    rows: Sequence[Mapping[str, Any]] = ()

    # --- what it says of itself ---------------------------------------------------------

    @property
    def description(self) -> ScorerDescription:
        found = self.opened.describe()
        if not isinstance(found, ScorerDescription):
            raise fail(f"`describe` gives `{type(found).__name__}`", "return a `tierwise.ScorerDescription`")
        return found

    def test_it_describes_itself(self) -> None:
        found = self.description
        for name, field in (*found.inputs.items(), ("the output", found.output)):
            wrong = field_fault(name, field)
            if wrong is not None:
                raise fail(f"`describe`: {wrong}",
                           "declare inputs and output as `tierwise.Field(\"number\")` and the like")
        if not found.inputs:
            raise fail("`describe` names no inputs", "a scorer is given its declared inputs and nothing else")
        if not isinstance(found.version, str) or not found.version.strip():
            raise fail("`describe` gives no version",
                       "the version stands in every decision: give the model's own, or a digest of its file")

    def test_it_describes_itself_alike_when_opened_again(self) -> None:
        again = self.open()
        try:
            if again.describe() != self.description:
                raise fail("`describe` says something else when the scorer is opened again",
                           "what it says must hang on the model alone, not on time or chance")
        finally:
            again.close()

    # --- what it answers -------------------------------------------------------------------

    def inputs(self) -> list[dict[str, Any]]:
        """Made-up inputs behind those of `rows`; with nulls where the scorer says that it handles them."""
        found = self.description
        fields = {name: field for name, field in found.inputs.items() if isinstance(field, Field)}
        made = rows(fields, Maker(self.seed), self.size)
        if found.handles_missing:
            names = list(fields)
            for n, name in enumerate(names):
                made[n % len(made)] = {**made[n % len(made)], name: None}
            made.append(dict.fromkeys(names))
        given = [dict(row) for row in self.rows]
        for row in given:
            short = next((name for name in fields if name not in row), None)
            if short is not None:
                raise fail(f"a row of `rows` has no `{short}`", "give each row a value for every declared input")
        return [*given, *made]

    def _one(self, row: Mapping[str, Any]) -> Score:
        answer = self.opened.one(row)
        if not isinstance(answer, Score):
            raise fail(f"`one` gives `{type(answer).__name__}`", "return `tierwise.Score(value, reasons)`")
        return answer

    def test_answers_have_the_declared_type(self) -> None:
        found = self.description
        for row in self.inputs():
            answer = self._one(row)
            wrong = fault(answer.value, Field(found.output.type, found.output.values, found.output.lower,
                                              found.output.upper))
            if wrong is not None:
                raise fail(f"for {row} the value {answer.value!r} {wrong}",
                           "return a plain `float` within the range of `output`; None where there is no answer")
            if not isinstance(answer.reasons, (tuple, list)) or not all(isinstance(r, str) for r in answer.reasons):
                raise fail(f"for {row} the reasons are {answer.reasons!r}", "give a tuple of texts, empty for none")
            strange = next((r for r in answer.reasons if r not in found.reasons), None)
            if strange is not None:
                raise fail(f"the reason `{strange}` is not among those that `describe` lists",
                           "list every reason that may be given: policies map them to their codes by name")

    def test_the_same_answer_again(self) -> None:
        again = self.open()
        try:
            for row in self.inputs():
                first = self._one(row)
                for scorer, when in ((self.opened, "asked again"), (again, "opened again")):
                    second = scorer.one(row)
                    if not _alike(first, second):
                        raise fail(f"for {row} it gives {_shown(first)}, and {_shown(second)} when {when}",
                                   "the answer may hang on the inputs and the model alone: no clock, no chance")
        finally:
            again.close()

    def test_it_leaves_its_input_as_it_is(self) -> None:
        for row in self.inputs():
            untouched(self._one, dict(row), "`one`")

    def test_it_answers_on_another_thread(self) -> None:
        row = self.inputs()[0]
        here = self._one(row)
        if not _alike(here, on_another_thread(lambda: self._one(row))):
            raise fail("it answers otherwise on another thread", "keep nothing of a call in the scorer")

    # --- batches -----------------------------------------------------------------------------

    def _batch(self, given: Sequence[Mapping[str, Any]]) -> list[Score]:
        table = table_of(given, self.description.inputs)
        kept = table_of(given, self.description.inputs)
        answer = self.opened.batch(table)
        if not table.equals(kept):
            raise fail("`batch` changes the table that it is given",
                       "arrays may share memory with the table: copy before writing into them")
        values = column(answer, "value", len(given), "`batch`")
        reasons: list[Any] = [None] * len(values)
        if "reasons" in answer.column_names:
            reasons = column(answer, "reasons", len(given), "`batch`")
        return [Score(value, tuple(why or ())) for value, why in zip(values, reasons, strict=True)]

    def test_a_batch_is_the_same_as_one_by_one(self) -> None:
        given = self.inputs()
        for row, together in zip(given, self._batch(given), strict=True):
            alone = self._one(row)
            if not _alike(alone, together):
                raise fail(
                    f"for {row} `one` gives {_shown(alone)} and `batch` gives {_shown(together)}",
                    "a customer must get one answer: let `one` score a table of one row, or compute both in one order "
                    "and one precision (float64)")

    def test_a_batch_keeps_the_order(self) -> None:
        given = self.inputs()
        order = Maker(self.seed).shuffled(range(len(given)))
        straight, mixed = self._batch(given), self._batch([given[n] for n in order])
        for place, n in enumerate(order):
            if not _alike(straight[n], mixed[place]):
                raise fail("`batch` gives other answers, or in another order, when the rows are shuffled",
                           "give the answer to row n as row n, computed from that row alone")

    def test_a_batch_of_one_and_of_none(self) -> None:
        given = self.inputs()
        for size in (1, 0):
            self._batch(given[:size])

    # --- failing --------------------------------------------------------------------------------

    def test_it_fails_with_words(self) -> None:
        row = self.inputs()[0]

        def ask() -> None:
            scorer = self.broken()
            if scorer is not None:
                try:
                    scorer.one(row)
                finally:
                    scorer.close()
                raise fail("a scorer that is broken answers all the same",
                           "fail where the model cannot be read, or let `broken` give another scorer that fails")

        fails_rightly(ask, "a broken scorer")


def _alike(one: Score, other: Any) -> bool:
    return isinstance(other, Score) and same(one.value, other.value) and list(one.reasons) == list(other.reasons)


def _shown(score: Any) -> str:
    if not isinstance(score, Score):
        return repr(score)
    return f"{score.value!r}" + (f" ({', '.join(score.reasons)})" if score.reasons else "")
