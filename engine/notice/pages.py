"""A letter as text, as one HTML page without network or script, and as data."""
from __future__ import annotations

import datetime
from collections.abc import Iterator
from html import escape
from typing import Any

from engine.decision import Decision
from engine.explain.text import wrap
from engine.ir.stored import digest_of
from engine.notice.choice import Choice
from engine.notice.writing import Letter

#: Columns of a letter as text.
WIDTH = 80

_STYLE = """\
body { font: 12pt/1.5 Georgia, "Songti SC", SimSun, serif; color: #111; background: #fff; margin: 0; }
main { max-width: 40em; margin: 3em auto; padding: 0 1.5em; }
h1 { font-size: 1.15em; margin: 1.6em 0 1em; }
li { margin: .3em 0; }
@media print { main { margin: 0; max-width: none; } @page { margin: 2.5cm; } }"""


def text(letter: Letter) -> str:
    """The letter as text, at most 80 columns wide."""
    return "\n".join(line.rstrip() for line in _lines(letter)) + "\n"


def _lines(letter: Letter) -> Iterator[str]:
    for line in letter.head:
        yield from wrap(line, 0, 0, WIDTH)
    yield ""
    yield from wrap(letter.subject, 0, 0, WIDTH)
    for block in letter.blocks:
        yield ""
        for number, each in enumerate(block.texts, start=1):
            lead = {"paragraph": "", "items": "- ", "steps": f"{number}. "}[block.kind]
            yield from wrap(each, lead, len(lead), WIDTH)
    if letter.foot:
        yield ""
    for line in letter.foot:
        yield from wrap(line, 0, 0, WIDTH)


def html(letter: Letter) -> str:
    """The letter as a page; every text in it is escaped."""
    language = "zh-CN" if letter.language == "zh" else escape(letter.language)
    parts = ["<!DOCTYPE html>", f'<html lang="{language}">', "<head>", '<meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width">', f"<title>{escape(letter.subject)}</title>",
             f"<style>\n{_STYLE}\n</style>", "</head>", "<body>", "<main>", f"<header>{_broken(letter.head)}</header>",
             f"<h1>{escape(letter.subject)}</h1>"]
    for block in letter.blocks:
        if block.kind == "paragraph":
            parts.append(f"<p>{escape(block.texts[0])}</p>")
        else:
            mark = "ol" if block.kind == "steps" else "ul"
            parts += [f"<{mark}>", *(f"<li>{escape(t)}</li>" for t in block.texts), f"</{mark}>"]
    if letter.foot:
        parts.append(f"<footer>{_broken(letter.foot)}</footer>")
    return "\n".join([*parts, "</main>", "</body>", "</html>", ""])


def _broken(lines: tuple[str, ...]) -> str:
    """Lines as they stand; an empty one begins a paragraph."""
    stretches: list[list[str]] = [[]]
    for line in lines:
        if line:
            stretches[-1].append(escape(line))
        elif stretches[-1]:
            stretches.append([])
    return "\n".join(f"<p>{'<br>'.join(s)}</p>" for s in stretches if s)


def plain(
    choice: Choice, letter: Letter | None, decision: Decision, key: str, due: datetime.date | None, late: int
) -> dict[str, Any]:
    """The letter as data for the bank's file: with the codes of the reasons, which the letter itself never shows.

    `due` is when this letter, or the one that is still to come, must be sent; `late` the days since then.
    """
    program = decision.program
    return {
        "version": 1,
        "letter": None if letter is None else letter.kind,
        "why_none": choice.why or None,
        "language": None if letter is None else letter.language,
        "as_of": decision.as_of,
        "policy": {"name": program.name, "version": program.version, "digest": digest_of(program)},
        "customer": key or None,
        "outcome": choice.outcome,
        "reference": None if letter is None else letter.reference,
        "due": due,
        "days_late": late,
        "reply_by": None if letter is None else letter.reply_by,
        "reasons": [] if letter is None else [{"code": c, "text": t} for c, t in letter.reasons],
        "documents": [] if letter is None else [{"name": n, "text": t} for n, t in letter.documents],
        "subject": None if letter is None else letter.subject,
        "text": None if letter is None else text(letter),
    }
