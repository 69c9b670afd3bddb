"""What a spreadsheet does to cells, in rows that were pasted from it into a policy."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.policies.planting import Fault, Plant, cells, in_cells, lines

#: ASCII signs to the full-width ones of a Chinese keyboard.
WIDE = {ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789<>=()[],.-%"}
_AMOUNT = re.compile(r"(?<![\w.])(\d{4,})(?![\w.\-])")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)$")
_SERIAL = {"2026-01-01": "46023", "2026-06-01": "46174", "2026-07-01": "46204"}


def _tests(change: Callable[[str], str | None]) -> Plant:
    return in_cells(change, results=False)


def _results(change: Callable[[str], str | None]) -> Plant:
    return in_cells(change, results=True)


def _both(change: Callable[[str], str | None]) -> Plant:
    def plant(text: str) -> Iterator[Fault]:
        yield from in_cells(change, results=False)(text)
        yield from in_cells(change, results=True)(text)

    return plant


def _sub(pattern: str, new: str | Callable[[re.Match[str]], str]) -> Callable[[str], str | None]:
    def change(cell: str) -> str | None:
        made = re.sub(pattern, new, cell, count=1)
        return None if made == cell else made

    return change


def _first(change: Callable[[str], str | None]) -> Plant:
    """Spoils the first cell of a row: a date of a parameter, or an id."""
    def plant(text: str) -> Iterator[Fault]:
        whole = text.split("\n")
        for line in lines(text):
            if not line.row:
                continue
            start, end = cells(line.text)[0]
            new = change(line.text[start:end])
            if new is not None:
                spoilt = line.text[:start] + new + line.text[end:]
                yield Fault("\n".join([*whole[:line.number], spoilt, *whole[line.number + 1:]]),
                            line.number + 1, line.number + 1)

    return plant


def _row(change: Callable[[str], str | None], header: bool = False) -> Plant:
    """Spoils a row as a whole."""
    def plant(text: str) -> Iterator[Fault]:
        whole = text.split("\n")
        for line in lines(text):
            if line.row is None or (line.row == 0) != header:
                continue
            new = change(line.text)
            if new is not None and new != line.text:
                yield Fault("\n".join([*whole[:line.number], new, *whole[line.number + 1:]]),
                            line.number + 1, line.number + 1 + new.count("\n"))

    return plant


def _tabs(row: str) -> str:
    return re.sub(r" *\|\|? *", "\t", row.strip())


def _pasted(text: str) -> Iterator[Fault]:
    """A whole grid as a spreadsheet gives it to the clipboard."""
    whole = text.split("\n")
    grid: list[int] = []
    rows = [line for line in lines(text) if line.row is not None]
    for index, line in enumerate(rows):
        grid.append(line.number)
        if index + 1 == len(rows) or rows[index + 1].row == 0:
            for number in grid:
                assert "|" in whole[number]
            made = {number: _tabs(whole[number]) for number in grid}
            spoilt = [made.get(number, old) for number, old in enumerate(whole)]
            yield Fault("\n".join(spoilt), grid[0] + 1, grid[-1] + 1)
            grid = []


def _csv(row: str) -> str:
    """The cells as a file of comma-separated values."""
    quoted = ('"' + c.replace('"', '""') + '"' if '"' in c or "," in c else c
              for c in (row[start:end] for start, end in cells(row)))
    return " " * (len(row) - len(row.lstrip())) + ",".join(quoted)


def _wrapped(row: str) -> str | None:
    """A cell with a line end in it."""
    for start, end in cells(row)[1:]:
        at = row.find(" ", start, end)
        if at > 0:
            return f"{row[:at]}\n{row[at + 1:]}"
    return None


def _shifted(row: str) -> str | None:
    """A cell lost, so that what follows moves to the left."""
    found = cells(row)
    if len(found) < 4:
        return None
    return row[:found[1][0]] + row[found[2][0]:]


SHEETS: dict[str, Plant] = {
    "day as its number": _first(lambda c: _SERIAL.get(c)),
    "day as 1-Jan": _first(_sub(_DAY.pattern, lambda m: f"{int(m[3])}-Jan")),
    "day with slashes": _first(_sub(_DAY.pattern, lambda m: f"{m[1]}/{int(m[2])}/{int(m[3])}")),
    "day the American way": _first(_sub(_DAY.pattern, lambda m: f"{int(m[2])}/{int(m[3])}/{m[1]}")),
    "day with a time": _first(_sub(_DAY.pattern, lambda m: f"{m[0]} 00:00:00")),
    "number as 1E3": _tests(_sub(_AMOUNT.pattern, lambda m: f"{float(m[1]):.2E}")),
    "comparison in words": _tests(_sub(r"^>= (?=\d)", "at least ")),
    "comparison in Chinese": _tests(_sub(r"^<= (?=\d)", "不超过")),
    "word for any": _tests(lambda c: "any" if c == "-" else None),
    "hyphen in a range": _tests(_sub(r"^[\[(](\d+)%?\.\.(\d+)%?[\])]$", r"\1-\2")),
    "comment behind a row": _row(lambda row: f"{row} # checked"),
    "curly quotes": _tests(_sub(r'"([^"]*)"', r"“\1”")),
    "quotes lost": _tests(_sub(r'^"([^"]*)"$', r"\1")),
    "quotes doubled": _tests(_sub(r'^"([^"]*)"$', r'"""\1"""')),
    "full-width digits": _tests(_sub(r"\d+", lambda m: m[0].translate(WIDE))),
    "full-width digits in a result": _results(_sub(r"^-?\d+%?$", lambda m: m[0].translate(WIDE))),
    "full-width comparison": _tests(_sub(r"<=|>=", lambda m: "≤" if m[0] == "<=" else "≥")),
    "full-width sign": _tests(_sub(r"^[<>](?==? ?\d)", lambda m: m[0].translate(WIDE))),
    "full-width comma": _tests(_sub(r", ", "，")),
    "full-width brackets": _tests(_sub(r"^\((.*)\]$", r"（\1］")),
    "full-width bars": _row(lambda row: row.replace(" | ", " ｜ ", 1) if " | " in row else None),
    "dash for any": _tests(lambda c: "–" if c == "-" else None),
    "long dash for minus": _both(_sub(r"^-(?=\d)", "−")),
    "ellipsis in a range": _tests(_sub(r"\.\.", "…")),
    "blank that is no space": _tests(_sub(r"(?<=[<>=]) (?=\d)", "\xa0")),
    "thousands separators": _tests(_sub(_AMOUNT.pattern, lambda m: f"{int(m[1]):,}")),
    "thousands separators in a result": _results(_sub(r"^(\d+)万$", lambda m: f"{int(m[1]) * 10000:,}")),
    "percent as a fraction": _both(_sub(r"(\d+(?:\.\d+)?)%", lambda m: f"{round(float(m[1]) / 100, 6):g}")),
    "decimal comma": _both(_sub(r"(\d)\.(\d)", r"\1,\2")),
    "TRUE": _results(lambda c: c.upper() if c in ("true", "false") else None),
    "empty for any": _tests(lambda c: "" if c == "-" else None),
    "error of the spreadsheet": _tests(lambda c: "#REF!" if c != "-" else None),
    "error as a result": _results(lambda c: "#N/A"),
    "currency sign": _results(_sub(r"^(\d+)万$", lambda m: f"¥{int(m[1]) * 10000}")),
    "row with tabs": _row(_tabs),
    "grid with tabs": _pasted,
    "row of commas": _row(_csv),
    "cell in two lines": _row(_wrapped),
    "cell lost": _row(_shifted),
    "id lost": _row(lambda row: None if row.lstrip().startswith("|") or "||" not in row
                    else re.sub(r"^( +)[\w-]+(?= +\|)", lambda m: m[1] + " " * (len(m[0]) - len(m[1])), row)),
    "lost separator": _row(lambda row: row.replace(" | ", "   ", 1) if "||" in row and " | " in row.split("||")[0]
                           else None),
    "border": _row(lambda row: f"{row} |"),
    "single bar": _row(lambda row: row.replace("||", "| ", 1) if "||" in row else None),
    "misspelt column": in_cells(_sub(r"^([a-z_]{3,})([a-z])([a-z]{2,})$", r"\1\3"), results=False, header=True),
    "misspelt result column": in_cells(_sub(r"^([a-z_]+)([a-z])([a-z]{2,})$", r"\1\3"), results=True, header=True),
}
