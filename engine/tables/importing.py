"""Sheets read back: which grid each is, what its cells hold, and the file's text with the grids that changed.

Findings are E0911 for a cell that a spreadsheet changed and E0912 for a sheet that is not the grid's. Places in a
workbook are rows and columns; messages name the cell, such as `tier!B7`.
"""
from __future__ import annotations

from collections.abc import Sequence

from engine.diagnostics import Diagnostic, Edit, Span
from engine.format.edits import applied
from engine.format.grids import Lines, aligned, read_lines
from engine.format.roles import SCORECARD, Place
from engine.records import Record
from engine.source.quoting import quoted
from engine.source.schema import kind as json_kind
from engine.source.tree import Scalar
from engine.tables.book import RawSheet, column_letter
from engine.tables.damage import ID, RESULT, TEST, Raw, read
from engine.tables.model import BARS, INDEX, VALUES, Sheet, Source, lines_of


class Brought(Record):
    """What a workbook brings: the new text of each file, by name, what was found, and what was mended.

    Of what was mended `help` is the text taken. `changed` are the sheets whose grids change, `absent` the grids that
    have no sheet, `strange` sheets of no grid.
    """

    texts: dict[str, str]
    findings: tuple[Diagnostic, ...]
    mended: tuple[Diagnostic, ...]
    changed: tuple[str, ...]
    absent: tuple[str, ...]
    strange: tuple[str, ...]


def bring(raws: Sequence[RawSheet], sources: Sequence[Source], shown: str, fix: bool) -> Brought:
    """Read the sheets of a workbook, called `shown`, for some files; with `fix`, cells whose text is certain
    although a spreadsheet changed them are taken as mended."""
    known = {(s.file, s.place): (source, s) for source in sources for s in source.sheets}
    pages = {raw.title: raw for raw in raws if raw.title != INDEX}
    named = _named(raws) or {s.title: (s.file, s.place) for _, s in known.values()}
    reader = _Reader(shown, fix)
    edits: dict[str, list[Edit]] = {}
    changed: list[str] = []
    used: set[str] = set()
    absent: list[str] = []
    by_place = {place: title for title, place in named.items()}
    for place, (source, sheet) in known.items():
        title = by_place.get(place, sheet.title)
        raw = pages.get(title)
        if raw is None:
            absent.append(title)
            continue
        used.add(title)
        made = _values(reader, raw, source) if sheet.kind == VALUES else _grid(reader, raw, sheet, source)
        if made:
            changed.append(title)
            edits.setdefault(source.name, []).extend(made)
    texts = {s.name: applied(s.document.text, edits[s.name]) for s in sources if s.name in edits}
    strange = tuple(title for title in pages if title not in used)
    return Brought(texts, tuple(reader.findings), tuple(reader.mended), tuple(changed), tuple(absent), strange)


def _named(raws: Sequence[RawSheet]) -> dict[str, tuple[str, str]]:
    """The first sheet's list of what each sheet is: title to file and place."""
    index = next((raw for raw in raws if raw.title == INDEX), None)
    found: dict[str, tuple[str, str]] = {}
    for row in index.rows[1:] if index is not None else ():
        texts = [str(cell.value) for cell in row[:3] if cell.value is not None]
        if len(texts) == 3:
            found[texts[0]] = (texts[1], texts[2])
    return found


class _Reader:
    """Reads cells and keeps what was found."""

    def __init__(self, shown: str, fix: bool) -> None:
        self.shown = shown
        self.fix = fix
        self.findings: list[Diagnostic] = []
        self.mended: list[Diagnostic] = []

    def at(self, code: str, title: str, row: int, column: int, message: str, help_: str) -> Diagnostic:
        where = f"`{title}!{column_letter(column)}{row}`"
        return Diagnostic(code, f"{where} {message}", Span(self.shown, row, column, row, column), help_)

    def wrong(self, title: str, row: int, column: int, message: str, help_: str) -> None:
        self.findings.append(self.at("E0912", title, row, column, message, help_))

    def text(
        self, raw: Raw, title: str, row: int, column: int, role: str, before: Sequence[str], header: str = ""
    ) -> str:
        found = read(raw, role, before, header)
        if found.damage is not None:
            if found.certain and self.fix:
                help_ = found.text
            elif found.certain:
                help_ = f"`{found.text}` is meant; --fix takes it so"
            else:
                help_ = "format the cell as text, and type it anew"
            told = self.at("E0911", title, row, column, found.damage, help_)
            (self.mended if found.certain and self.fix else self.findings).append(told)
        return found.text


def _grid(reader: _Reader, raw: RawSheet, sheet: Sheet, source: Source) -> list[Edit]:
    place = source.grids[sheet.place]
    before = read_lines(place.scalar.text, place.kind)
    assert before is not None                           # what could not be read has no sheet
    count = len(reader.findings)
    rows, split = _rows(reader, raw, before, sheet.kind)
    if len(reader.findings) > count or rows is None:
        return []
    after = lines_of(rows, split)
    if after == before:
        return []
    lines = aligned(after)
    again = read_lines("\n".join(lines), place.kind)
    if again != after:
        reader.wrong(raw.title, 1, 1, "does not make a grid",
                     "compare it with a fresh `tierwise table export`: a header, ids, and one row a line")
        return []
    return [_replaced(place, lines)]


def _rows(
    reader: _Reader, raw: RawSheet, before: Lines, kind: str
) -> tuple[list[tuple[str, ...]] | None, int | None]:
    """The rows of a sheet without their bars, and the number of cells before these."""
    title = raw.title
    columns = {name: [row[n] for row in before.rows[1:]] for n, name in reversed(list(enumerate(before.rows[0])))}
    comments = [line for line in before.lines if isinstance(line, str)]
    rows: list[tuple[str, ...]] = []
    header: list[str] | None = None
    bars: int | None = None
    split: int | None = None
    for number, cells in enumerate(raw.rows, start=1):
        filled = [n for n, cell in enumerate(cells) if cell.value is not None and str(cell.value).strip()]
        if not filled:
            rows.append(())
            continue
        first = str(cells[0].value or "").strip()
        if first.startswith("//"):
            if len(filled) > 1:
                reader.wrong(title, number, filled[1] + 1, "stands behind a comment", "give a comment a row of its own")
            rows.append((" ".join(first.split("\n")) if first not in comments else first,))
            continue
        if header is None:
            if kind == SCORECARD and first == "base":
                points = cells[1] if len(cells) > 1 else Raw(None, "n", "")
                base = [c.removeprefix("base ") for c in comments if c.startswith("base ")]
                rows.append(("base", reader.text(points, title, number, 2, TEST, base)))
                continue
            names = before.rows[0]
            header = [reader.text(c, title, number, n + 1, TEST, (*names, BARS)) for n, c in enumerate(cells)]
            while header and not header[-1]:
                header.pop()
            if kind != SCORECARD:
                if header.count(BARS) != 1 or header.index(BARS) == 0:
                    reader.wrong(title, number, 1, "starts a header without its column `||`",
                                 "a column of `||` parts the conditions from the results")
                    return None, None
                split = bars = header.index(BARS)
                header = header[:bars] + header[bars + 1:]
            rows.append(tuple(header))
            continue
        width = len(header) + (bars is not None)
        texts: list[str] = []
        for n in range(max(width, len(cells))):
            cell = cells[n] if n < len(cells) else Raw(None, "n", "")
            if n == bars:
                if cell.value not in (None, "", BARS):
                    reader.wrong(title, number, n + 1, f"stands in the column of `||`: `{cell.value}`",
                                 "leave that column as it is, and insert columns beside it")
            elif n >= width:
                if n in filled:
                    reader.wrong(title, number, n + 1, "stands beside the grid", "name its column in the header")
            else:
                at = n - (bars is not None and n > bars)
                role = ID if at == 0 else TEST if split is None or at < split else RESULT
                if split is None and at == 0:
                    role = TEST
                name = header[at]
                text = reader.text(cell, title, number, n + 1, role, columns.get(name, ()), name)
                if "|" in _outside_strings(text):
                    reader.wrong(title, number, n + 1, "holds a bar, which parts cells", "write `or`, or two rows")
                texts.append(text)
        if not texts[0] and split is not None:
            reader.wrong(title, number, 1, "holds no id", "each row starts with an id of its own")
        rows.append(tuple(texts))
    if header is None:
        reader.wrong(title, 1, 1, "starts an empty sheet", "write a header and rows, or delete the sheet")
        return None, None
    return rows, split


def _outside_strings(text: str) -> str:
    return "".join(text.split('"')[::2])


def _replaced(place: Place, lines: Sequence[str]) -> Edit:
    """The block of a grid with other lines, at the indentation it has."""
    scalar = place.scalar
    document = scalar.document
    text = document.text
    begin = document.line_end(scalar.start)
    first, _ = document.position(begin)
    begin = document.starts[first]                      # the line behind the block's first
    body = text[begin:scalar.end]
    line = next(line for line in body.splitlines() if line.strip())
    pad = line[:len(line) - len(line.lstrip(" "))]
    if "\r\n" in text:
        ends = "\r\n"
    else:
        ends = "\n"
    end = scalar.indexes(0, len(scalar.text.rstrip("\n ")))[1]
    return Edit(document.span(begin, end), ends.join(pad + row if row else "" for row in lines))


def _values(reader: _Reader, raw: RawSheet, source: Source) -> list[Edit]:
    """The parameters that change."""
    edits: list[Edit] = []
    for number, cells in enumerate(raw.rows[1:], start=2):
        name = str(cells[0].value or "").strip() if cells else ""
        if not name:
            continue
        scalar = source.values.get(name)
        if scalar is None:
            reader.wrong(raw.title, number, 1, f"names `{name}`, which is no parameter of one value",
                         "declare a parameter in the policy, then export anew")
            continue
        value = cells[1] if len(cells) > 1 else Raw(None, "n", "")
        text = reader.text(value, raw.title, number, 2, RESULT, (scalar.text,))
        if not text:
            reader.wrong(raw.title, number, 2, f"holds no value for `{name}`", "delete the row to change nothing")
        elif text != scalar.text:
            edits.append(Edit(scalar.span, _as_data(text, scalar)))
    return edits


def _as_data(text: str, scalar: Scalar) -> str:
    """A value as YAML that reads as that text, plain where the former one was and it can be."""
    plain = scalar.style == "plain" and text[:1].isalnum() and not scalar.in_flow and not any(
        mark in text for mark in (": ", " #", '"', "'", "|"))
    if plain and not text.endswith(":"):
        return text
    if scalar.style == "plain" and json_kind(scalar) in ("number", "integer") and text.lstrip("-+.").isdigit():
        return text
    return quoted(text)


