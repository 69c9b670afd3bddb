"""Reads a file of letters; `fit` holds its names against the policy."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.diagnostics import Diagnostic, Problem, Span
from engine.notice.slots import LISTS, lone_braces
from engine.records import Record
from engine.source.nodes import Mapping, Node, Scalar, Sequence, load_file, normal
from engine.source.schema import validate

DECLINE, COUNTER_OFFER, INCOMPLETE, APPROVAL = "decline", "counter-offer", "incomplete", "approval"
#: The letters that take adverse action, which owe the customer their reasons.
ADVERSE = (DECLINE, COUNTER_OFFER)

#: A text in each language of the letters.
Texts = dict[str, Scalar]


class NoticeError(Problem):
    """Letters that cannot be used; `diagnostics` say why, `sources` hold the texts that they point into."""

    def __init__(self, diagnostics: list[Diagnostic], sources: dict[str, str]) -> None:
        super().__init__(*diagnostics)
        self.sources = sources


class Named(Record):
    """A name in the file with its place."""

    text: str
    at: Span


class Clock(Record):
    """So many days after "received" or "letter"; or the day that the policy calls `by`."""

    days: int
    after: str
    by: Named | None = None


class Document(Record):
    """What a customer can be asked for: the inputs and histories that it tells, the reasons that ask for it."""

    name: Named
    texts: Texts
    tells: tuple[Named, ...]
    reasons: tuple[Named, ...]


class LetterSpec(Record):
    """One kind of letter."""

    kind: str
    at: Span
    outcomes: tuple[Named, ...]
    due: Clock | None
    reply: Clock | None
    subject: Texts
    body: Texts


class Letters(Record):
    """A file of letters. `creditor` and `statements` are slots by their names; `received` is an input."""

    path: str
    source: str
    policy: Named
    languages: tuple[str, ...]
    decision: Named
    received: Named | None
    creditor: dict[str, Texts]
    statements: dict[str, tuple[Span, Texts]]
    words: dict[str, Texts]
    percentages: dict[str, Span]
    documents: tuple[Document, ...]
    ours: tuple[Named, ...]
    no_letter: tuple[Named, ...]
    head: Texts
    foot: Texts | None
    letters: dict[str, LetterSpec]

    def error(self, found: list[Diagnostic], sources: dict[str, str] | None = None) -> NoticeError:
        return NoticeError(found, {**(sources or {}), self.path: self.source})

    def wanting(self) -> LetterSpec | None:
        return self.letters.get(INCOMPLETE)


def read_letters(path: str) -> Letters:
    """The letters at `path`; raises NoticeError with everything that is wrong with the file by itself."""
    try:
        document = load_file(Path(path), path)
    except Problem as problem:
        raise NoticeError(list(problem.diagnostics), _source(path)) from None
    found = [*document.problems, *validate(document, "notice")]
    if not any(d.is_error for d in found):
        assert isinstance(document.root, Mapping)
        reader = _Reader(found)
        letters = reader.letters(document.root, path, document.text)
        if not found:
            return letters
    raise NoticeError(found, {document.name: document.text})


def _source(path: str) -> dict[str, str]:
    """The text of a file that is no YAML, to point into; nothing where it cannot be read."""
    try:
        return {path: Path(path).read_bytes()[:1_000_000].decode("utf-8", "replace")}
    except (OSError, ValueError):
        return {}


class _Reader:
    def __init__(self, found: list[Diagnostic]) -> None:
        self.found = found
        self.languages: tuple[str, ...] = ()

    def letters(self, root: Mapping, path: str, source: str) -> Letters:
        languages = _names(root.get("languages"))
        self.languages = tuple(n.text for n in languages)
        if not languages:
            self.add("E0994", "letters are written in no language", _span(root, "languages"), "write `languages: [en]`")
        received = root.get("received")
        foot = root.get("foot")
        creditor = {f"creditor {normal(k.text)}": self.texts(v, k) for k, v in _entries(root.get("creditor"))}
        return Letters(
            path, source, _named(root.get("notice")), self.languages, _named(root.get("decision")),
            _named(received) if received is not None else None, creditor,
            {normal(k.text): (k.span, self.texts(v, k)) for k, v in _entries(root.get("statements"))},
            {k.text.strip(): self.texts(v, k) for k, v in _entries(root.get("words"))},
            {n.text: n.at for n in _names(root.get("percentages"))},
            tuple(self.document(k, v) for k, v in _entries(root.get("documents")) if isinstance(v, Mapping)),
            _names(root.get("ours")), _names(root.get("no letter")),
            self.under(root, "head"), self.under(root, "foot") if foot is not None else None,
            {k.text: self.letter(k, v) for k, v in _entries(root.get("letters")) if isinstance(v, Mapping)},
        )

    def document(self, key: Scalar, node: Mapping) -> Document:
        return Document(
            Named(normal(key.text), key.span), self.under(node, "text"), _names(node.get("for")),
            _names(node.get("reasons")),
        )

    def letter(self, key: Scalar, node: Mapping) -> LetterSpec:
        return LetterSpec(
            key.text, key.span, _names(node.get("for")), _clock(node.get("due")), _clock(node.get("reply")),
            self.under(node, "subject"), self.under(node, "body"),
        )

    def under(self, node: Mapping, name: str) -> Texts:
        key, value = node.key(name), node.get(name)
        assert key is not None and value is not None, "the schema asks for it"
        return self.texts(value, key)

    def texts(self, node: Node, key: Scalar) -> Texts:
        """A text in every language; a single one serves for all."""
        if isinstance(node, Scalar):
            found = dict.fromkeys(self.languages, node)
        else:
            found = {normal(k.text): v for k, v in _entries(node) if isinstance(v, Scalar)}
            for language in self.languages:
                if language not in found:
                    self.add("E0994", f"`{normal(key.text)}` has no text in `{language}`", key.span,
                             f"add `{language}: ...` below it, or leave `{language}` out of `languages`")
        for text in {id(v): v for v in found.values()}.values():
            for at in lone_braces(text):
                self.add("E0992", f"the brace `{text.text[at]}` is alone", text.locate(at, at + 1),
                         "write `{name}` where a value is to stand")
        return found

    def add(self, code: str, message: str, at: Span, help: str) -> None:
        self.found.append(Diagnostic(code, message, at, help))


def all_texts(letters: Letters) -> Iterator[Texts]:
    """Every text of the file that may hold slots of any kind."""
    yield letters.head
    if letters.foot is not None:
        yield letters.foot
    for _, texts in letters.statements.values():
        yield texts
    for letter in letters.letters.values():
        yield letter.subject
        yield letter.body


def standing(letter: LetterSpec) -> tuple[str, ...]:
    """The slots that a letter of this kind has of itself."""
    more = LISTS[1:] if letter.kind == INCOMPLETE else LISTS[:1] if letter.kind in ADVERSE else ()
    due = ("due",) if letter.due is not None else ()
    reply = ("reply by",) if letter.reply is not None else ()
    return ("date", "received", "reference", "addressee", *more, *due, *reply)


def _clock(node: Node | None) -> Clock | None:
    if not isinstance(node, Mapping):
        return None
    days, after, by = node.get("days"), node.get("after"), node.get("by")
    if by is not None:
        return Clock(0, "", _named(by))
    assert isinstance(days, Scalar) and isinstance(after, Scalar)
    return Clock(int(float(days.text)), after.text)


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return tuple(node.entries) if isinstance(node, Mapping) else ()


def _named(node: Node | None) -> Named:
    assert isinstance(node, Scalar), "the schema asks for it"
    return Named(normal(node.text), node.span)


def _names(node: Node | None) -> tuple[Named, ...]:
    return tuple(_named(item) for item in node.items) if isinstance(node, Sequence) else ()


def _span(root: Mapping, name: str) -> Span:
    key = root.key(name)
    return root.span if key is None else key.span
