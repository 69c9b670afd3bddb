"""Rows pasted from a spreadsheet: lines with tabs under the key of a grid become a grid with bars.

    table:                                   table: |
    first	score	tier                 ->      first | score || tier
    T1	>= 560	A                            T1 | >= 560 || A

This works on the raw text, since YAML takes tabs for indentation and would not read such a file. Where `||`
belongs is told by a column of its own (empty, or with `||` in it), or by the name of the first result; where that
is not certain the lines are left alone, and the checker asks for bars.
"""
from __future__ import annotations

import re

_KEYS = frozenset({"table", "scorecard", "rules", "worst", "collect", "grid"})
_PARENTS = frozenset({"parameters", "tables"})
_OPENS = re.compile(r"( *)((?:- +)?)([^\s#:'\"|][^:#'\"|]*?):[ \t]*([|>][-+0-9]*)?[ \t]*(#.*)?")
_BAR_CELLS = ("", "|", "||")
_BARS = re.compile(r'"(?:[^"\\]|\\.)*"|(\|{1,2})')
_RESULTS = frozenset({"then", "reason", "reasons"})
_CARD = frozenset({"characteristic", "bin", "points"})


def with_bars(text: str) -> str:
    """`text` (line ends LF) with pasted rows as grids."""
    if "\t" not in text:
        return text
    lines = text.split("\n")
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        found = _OPENS.fullmatch(line)
        if found is None:
            out.append(line)
            continue
        column = len(found[1]) + len(found[2])
        end = _end(lines, at, column)
        block = lines[at:end]
        if not any("\t" in row.strip() for row in block) or not _holds_grid(found, lines, at - 1):
            out.append(line)
            continue
        rows = _converted(block, found[3].strip(), lines, at - 1, column)
        if rows is None:
            out.append(line)
            continue
        comment = f"  {found[5]}" if found[5] else ""
        out.append(f"{found[1]}{found[2]}{found[3]}: |{comment}")
        out += [f"{' ' * (column + 2)}{row}" if row else "" for row in rows]
        at = end
    return "\n".join(out)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _parent(lines: list[str], at: int) -> tuple[int, str] | None:
    """The line above `at` that is less indented than it: its number and key."""
    own = _indent(lines[at])
    for number in range(at - 1, -1, -1):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#") and "\t" not in line and _indent(line) < own:
            return number, line.strip().partition(":")[0].strip("'\"")
    return None


def _holds_grid(found: re.Match[str], lines: list[str], at: int) -> bool:
    if found[3].strip() in _KEYS:
        return True
    parent = _parent(lines, at)
    return parent is not None and parent[1] in _PARENTS and _indent(lines[parent[0]]) == 0


def _end(lines: list[str], at: int, column: int) -> int:
    """The line behind the block under a key at `column`: pasted rows may stand anywhere, others must be indented."""
    last = at
    for number in range(at, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        if "\t" not in line and _indent(line) <= column:
            break
        last = number + 1
    return last


def _converted(block: list[str], key: str, lines: list[str], at: int, column: int) -> list[str] | None:
    template: list[str] | None = None                   # the bars of the header
    dropped: int | None = None                          # a column that stands for `||`
    rows: list[str] = []
    for line in block:
        typed = line.strip(" ")
        bare = typed.strip()
        if not bare or bare.startswith("//"):
            rows.append(bare)
            continue
        if "\t" not in typed.rstrip("\t "):
            bars = [m[1] for m in _BARS.finditer(bare) if m[1]]
            if not bars and not bare.startswith("base "):
                return None                             # a key, or prose: this is no grid
            if template is None and bars:
                template = bars
            rows.append(bare)
            continue
        cells = [_unquoted(c.strip()) for c in typed.split("\t")]
        if any(m[1] for c in cells if c not in ("|", "||") for m in _BARS.finditer(c)):
            return None                                 # bars and tabs mixed in one line
        if template is None:
            if key == "scorecard" and cells[0] == "base":
                rows.append(f"base {' '.join(c for c in cells[1:] if c)}")
                continue
            while cells and not cells[-1]:
                cells.pop()
            if _CARD <= set(cells):
                template = ["|"] * (len(cells) - 1)
            else:
                where = _split(cells, key, lines, at, column)
                if where is None:
                    return None
                split, dropped = where
                if dropped is not None:
                    cells.pop(dropped)
                template = ["||" if n == split - 1 else "|" for n in range(len(cells) - 1)]
        else:
            if dropped is not None and len(cells) > dropped:
                if cells[dropped] not in _BAR_CELLS:
                    return None
                cells.pop(dropped)
            wanted = len(template) + 1
            place = template.index("||") + 1 if "||" in template else wanted
            if dropped is None and len(cells) == wanted + 1 and place < wanted and (
                    cells[place] in ("|", "||") or not cells[place] and cells[place + 1]):
                cells.pop(place)                        # a row of a sheet that has a column for `||`
            while len(cells) > wanted and not cells[-1]:
                cells.pop()
            cells += [""] * (wanted - len(cells))
        if len(cells) != len(template) + 1:
            return None
        rows.append(_joined(cells, template))
    return rows


def _joined(cells: list[str], bars: list[str]) -> str:
    text = cells[0]
    for bar, cell in zip(bars, cells[1:], strict=True):
        text += f" {bar} {cell}" if cell else f" {bar}"
    return text.strip()


def _unquoted(cell: str) -> str:
    """A cell without the quotes that a spreadsheet puts around one that holds quotes."""
    if len(cell) > 4 and cell.startswith('"') and cell.endswith('"') and '""' in cell[1:-1]:
        return cell[1:-1].replace('""', '"')
    return cell


def _split(cells: list[str], key: str, lines: list[str], at: int, column: int) -> tuple[int, int | None] | None:
    """How many cells of a header stand before `||`, and the column that stands for it, if one does."""
    for place, cell in enumerate(cells):
        if place and cell in ("|", "||"):
            return place, place
    empty = [place for place, cell in enumerate(cells) if not cell]
    if len(empty) == 1 and empty[0] > 0:
        return empty[0], empty[0]
    if empty:
        return None
    if cells[0] == "from":
        return (len(cells) - 1, None) if cells[-1] == "value" else None
    names = _RESULTS if key != "table" else _RESULTS | _outcomes(lines, at)
    first = next((n for n, cell in enumerate(cells) if n and cell in names), None)
    return None if first is None else (first, None)


def _outcomes(lines: list[str], at: int) -> set[str]:
    """The names of the decision that the key at `at` belongs to: its own, and its outputs."""
    parent = _parent(lines, at)
    if parent is None:
        return set()
    names = {parent[1]}
    own = _indent(lines[at])
    inside = False
    for line in lines[parent[0] + 1:at]:
        key, _, rest = line.strip().partition(":")
        if _indent(line) == own:
            inside = key == "outputs"
            if inside:
                names |= {n.strip() for n in re.findall(r"[{,]([^:{},]+):", rest)}
        elif inside and line.strip() and _indent(line) == own + 2:
            names.add(key.strip("'\""))
    return names
