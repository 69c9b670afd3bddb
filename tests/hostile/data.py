"""Hostile data: files, arguments and standard input for a small sound policy.

Each case makes its files in a folder that holds `p.yaml` (`POLICY`), and gives the arguments, the exit code and a part
of what is said.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

POLICY = """\
policy: p
version: '1'
effective: {from: 2026-01-01}
on missing: refer
reasons:
  R1: {text: 'Small: {x} in {city}'}
inputs:
  id: {type: string, key: true}
  x: {type: number, optional: true}
  city: {type: string, values: [SH, BJ], optional: true, on unknown value: missing}
  tier: {type: string, values: [A, B], optional: true, on unknown value: refuse}
  grade: {type: string, values: [G, H], optional: true, on unknown value: stop}
  name: {type: string, optional: true}
history:
  events:
    key: id
    fields:
      amount: {type: number}
segmentation:
  place:
    values: [here, there]
    rules:
      - rule: P1
        when: city = "SH" or tier = "A" or grade = "G"
        then: here
      - otherwise: there
service:
  d:
    values: [yes, refer]
    rules:
      - rule: A
        when: x > 1
        then: yes
        reason: R1
      - otherwise: refer
  total:
    type: number
    value: if events = null then 0 else sum(events.amount)
  greeting:
    type: string
    value: 'if name = null then "-" else name'
"""

RUN = ["run", "p.yaml", "d.csv", "--as-of", "2026-07-01"]
DECIDE = ["decide", "p.yaml", "c.json", "--as-of", "2026-07-01"]
HEADER = "id,x,city,tier,grade,name\n"
GOOD = "a,2,SH,A,G,Ann\n"

#: Arguments, exit code, a part of what is said, standard input.
Case = tuple[list[str], int, str, bytes | Path]


#: A file's content; what is large is made when it is needed, so that the child's memory is not that of its parent.
Content = str | bytes | Callable[[], str | bytes]


def written(place: Path, content: Content) -> None:
    made = content() if callable(content) else content
    place.write_bytes(made if isinstance(made, bytes) else made.encode())


def csv(text: Content, code: int, part: str, *more: str) -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        written(folder / "d.csv", text)
        return [*RUN, *more], code, part, b""

    return make


def jsonl(text: Content, code: int, part: str, *more: str) -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        written(folder / "d.jsonl", text)
        return ["run", "p.yaml", "d.jsonl", "--as-of", "2026-07-01", *more], code, part, b""

    return make


def customer(text: Content, code: int, part: str, *more: str) -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        written(folder / "c.json", text)
        return [*DECIDE, *more], code, part, b""

    return make


def history(text: Content, code: int, part: str, name: str = "e.csv") -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        (folder / "d.csv").write_text(HEADER + GOOD + "b,2,BJ,B,H,Bo\n")
        written(folder / name, text)
        return [*RUN, "--history", f"events={name}"], code, part, b""

    return make


def args(code: int, part: str, *given: str, stdin: bytes | Path = b"") -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        (folder / "d.csv").write_text(HEADER + GOOD)
        (folder / "c.json").write_text('{"id": "a", "x": 2}')
        (folder / "folder").mkdir(exist_ok=True)
        (folder / "loop").unlink(missing_ok=True)
        (folder / "loop").symlink_to("loop")
        if not (folder / "fifo").exists():
            os.mkfifo(folder / "fifo")
        return list(given), code, part, stdin

    return make


def lookup(table: Content, code: int, part: str) -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        written(folder / "t.csv", table)
        (folder / "l.yaml").write_text(
            "policy: l\nversion: '1'\neffective: {from: 2026-01-01}\non missing: refer\ninputs:\n  k: {type: string}\n"
            "service:\n  d:\n    type: number\n    lookup:\n      table: t.csv\n      key:\n        k: k\n"
            "      column: v\n"
        )
        return ["check", "l.yaml"], code, part, b""

    return make


def linked(target: str, name: str = "x.yaml") -> Callable[[Path], Case]:
    def make(folder: Path) -> Case:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
        (folder / "u.yaml").write_text(
            "policy: u\nversion: '1'\neffective: {from: 2026-01-01}\nuse: {o: {policy: x, with: {}}}\n"
            "service: {d: {type: number, value: o.d}}\n"
        )
        return ["check", "u.yaml"], 1, "E070", b""

    return make


BIG = 60_000_000

CASES: dict[str, Callable[[Path], Case]] = {
    # --- CSV
    "csv good": csv(HEADER + GOOD, 0, "1 row: 1 decided"),
    "csv empty": csv("", 3, "is empty"),
    "csv header alone": csv(HEADER, 0, "0 rows"),
    "csv ragged": csv(HEADER + "a,2\n" + GOOD + "b,2,SH,A,G,Bo,more\n", 1, "3 rows: 1 decided, 2 refused"),
    "csv ragged strict": csv(HEADER + GOOD + "b,2\n" + GOOD, 3, "d.csv:3", "--strict"),
    "csv semicolons": csv((HEADER + GOOD).replace(",", ";"), 3, "--delimiter"),
    "csv tabs": csv((HEADER + GOOD).replace(",", "\t"), 3, "--delimiter tab"),
    "csv bars": csv((HEADER + GOOD).replace(",", "|"), 3, "--delimiter"),
    "csv byte order mark": csv(b"\xef\xbb\xbf" + (HEADER + GOOD).encode(), 0, "1 decided"),
    "csv gb18030": csv((HEADER + "a,2,SH,A,G,中小企业信贷政策\n").encode("gb18030"), 3, "--encoding gb18030"),
    "csv gb18030 named": csv(
        (HEADER + "a,2,SH,A,G,中小企业\n").encode("gb18030"), 0, "中小企业", "--encoding", "gb18030"
    ),
    "csv utf-16": csv((HEADER + GOOD).encode("utf-16"), 0, "1 decided"),
    "csv utf-16 without mark": csv((HEADER + GOOD).encode("utf-16-le"), 3, "--encoding utf-16-le"),
    "csv utf-32": csv((HEADER + GOOD).encode("utf-32"), 0, "1 decided"),
    "csv truncated utf-16": csv((HEADER + GOOD).encode("utf-16")[:-1], 3, "UTF-16"),
    "csv latin-1 in one row": csv(
        (HEADER + GOOD).encode() + b"b,2,SH,A,G,Andr\xe9\n" + GOOD.encode(), 1, "2 decided, 1 refused"
    ),
    "csv unknown encoding": csv(HEADER + GOOD, 3, "no encoding", "--encoding", "klingon"),
    "csv encoding that is no text": csv(HEADER + GOOD, 3, "", "--encoding", "base64"),
    "csv encoding zip": csv(HEADER + GOOD, 3, "", "--encoding", "zlib"),
    "csv encoding idna": csv(HEADER + GOOD, 3, "", "--encoding", "idna"),
    "csv encoding undefined": csv(HEADER + GOOD, 3, "", "--encoding", "undefined"),
    "csv encoding unicode_escape": csv(HEADER + GOOD, 0, "", "--encoding", "unicode_escape"),
    "csv encoding nul": csv(HEADER + GOOD, 3, "no encoding", "--encoding", "\x01"),
    "csv duplicate headers": csv("id,x,x\na,1,2\n", 3, "both called `x`"),
    "csv two spellings": csv("id,on_x,x\na,1,2\n", 0, ""),
    "csv no key column": csv("x\n2\n", 0, "no column for `id`"),
    "csv words in numbers": csv(HEADER + "a,lots,SH,A,G,Ann\n" + GOOD, 1, "1 decided, 1 refused"),
    "csv thousands": csv(HEADER + 'a,"1,000",SH,A,G,Ann\n', 1, "without thousands separators"),
    "csv huge exponent": csv(HEADER + "a,1e999999999,SH,A,G,Ann\n" + GOOD, 1, "1 refused"),
    "csv huge exponent of one digit more": csv(HEADER + "a,1e999999,SH,A,G,Ann\n" + GOOD, 1, "1 refused"),
    "csv many digits": csv(HEADER + f"a,{'9' * 100_000},SH,A,G,Ann\n" + GOOD, 1, "1 refused"),
    "csv infinity": csv(HEADER + "a,inf,SH,A,G,Ann\nb,NaN,SH,A,G,Bo\n", 1, "2 refused"),
    "csv other digits": csv(HEADER + "a,１２,SH,A,G,Ann\nb,٣,SH,A,G,Bo\n", 1, "2 refused"),
    "csv unknown value missing": csv(HEADER + "a,2,XX,A,G,Ann\n", 0, "1 decided"),
    "csv unknown value refuse": csv(HEADER + "a,2,SH,Z,G,Ann\n" + GOOD, 1, "`Z` is not one of `A`, `B`"),
    "csv unknown value stop": csv(HEADER + "a,2,SH,A,Z,Ann\n" + GOOD, 3, "`Z` is not one of `G`, `H`"),
    "csv huge field": csv(HEADER + f"a,2,SH,A,G,{'n' * 200_000}\n" + GOOD, 1, "1 refused"),
    "csv huge line": csv(lambda: HEADER + f"a,2,SH,A,G,{'n' * 5_000_000}\n" + GOOD, 3, "longer than"),
    "csv one line of 60 MB": csv(lambda: b"x" * BIG, 3, "longer than"),
    "csv 60 MB of commas": csv(lambda: b"id," + b"," * BIG, 3, "longer than"),
    "csv many columns": csv(lambda: ",".join(f"c{i}" for i in range(100_000)) + "\n", 3, "columns"),
    "csv unclosed quote": csv(HEADER + 'a,2,SH,A,G,"Ann\n' + GOOD * 3, 1, "3 decided, 1 refused"),
    "csv unclosed quotes": csv(HEADER + 'a,2,SH,A,G,"Ann"x\n' * 300, 1, ""),
    "csv quotes never closed": csv(HEADER + "".join(f'a{i},2,SH,A,G,"A" n\n' for i in range(500)), 1, "refused"),
    "csv quote after quote": csv(HEADER + "".join(f'a{i},2,SH,A,G,"An\n' for i in range(2001)), 3, "never closed"),
    "csv null character": csv(HEADER + "a,2,SH,A,G,A\0nn\n" + GOOD, 1, "NUL"),
    "csv all nulls": csv(lambda: b"\0" * 1_000_000, 3, ""),
    "csv null character in the header": csv("id,x\0,city\n" + GOOD, 3, ""),
    "csv carriage returns": csv((HEADER + GOOD + GOOD).replace("\n", "\r"), 0, "2 rows"),
    "csv of binary": csv(bytes(range(256)) * 1000, 3, ""),
    "csv is a workbook": csv(b"PK\x03\x04" + bytes(1000), 3, "workbook"),
    "csv is parquet": csv(b"PAR1" + bytes(1000), 3, "Parquet"),
    "csv escape sequences": csv(HEADER + "\x1b[31mred\x1b[0m,2,SH,Z,G,\x1b]0;title\x07\n", 1, "\\u{1b}"),
    "csv bidi": csv(HEADER + "ab\u202edc,2,SH,Z,G,n\n", 1, "\\u{202e}"),
    "csv blank lines": csv(HEADER + "\n\n\n" + GOOD + "\n", 0, "1 decided"),
    # --- JSON lines
    "jsonl broken": jsonl('{"id": "a", "x": 2}\n{"id": "b", "x": \n{"id": "c", "x": 3}\n', 1, "d.jsonl:2: "),
    "jsonl broken strict": jsonl('{"id": "a", "x": 2}\n{"id": \n', 3, "d.jsonl:2", "--strict"),
    "jsonl list": jsonl('[{"id": "a"}]\n', 3, "one object a line"),
    "jsonl many lines": jsonl('{\n"id": "a"}\n', 3, "many lines"),
    "jsonl no objects": jsonl('"a"\n5\nnull\n', 1, "3 refused"),
    "jsonl nested": jsonl('{"id": "a", "x": ' + "[" * 100_000 + "\n" + '{"id": "b", "x": 2}\n', 1, "1 refused"),
    "jsonl nested closed": jsonl('{"id": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n", 1, "1 refused"),
    "jsonl nested but read": jsonl('{"id": "a", "x": ' + "[" * 400 + "]" * 400 + "}\n", 1, "1 refused"),
    "jsonl huge number": jsonl(
        '{"id": "a", "x": 1e999999999}\n{"id": "b", "x": ' + "9" * 50_000 + "}\n", 1, "too many digits"
    ),
    "jsonl NaN": jsonl('{"id": "a", "x": NaN}\n', 1, "NaN"),
    "jsonl wrong kinds": jsonl('{"id": 5, "x": "2", "city": ["SH"], "name": {"a": 1}}\n', 1, "1 refused"),
    "jsonl repeated member": jsonl('{"id": "a", "id": "b"}\n', 1, "twice"),
    "jsonl surrogate": jsonl('{"id": "a\\ud800", "x": 2, "name": "\\udfff"}\n', 1, "1 refused"),
    "jsonl surrogate as csv": jsonl('{"id": "a", "x": 2, "name": "\\udfff"}\n', 1, "1 refused", "--format", "csv"),
    "jsonl null characters": jsonl('{"id": "a\\u0000", "x": 2, "name": "\\u001b[31m"}\n', 0, ""),
    "jsonl key of an object": jsonl('{"id": {"a": 1}, "x": 2}\n{"id": ["a"], "x": 2}\n', 1, "2 refused"),
    "jsonl big integer": jsonl('{"id": "a", "x": ' + "9" * 200 + "}\n", 1, "beyond"),
    # --- one customer
    "customer good": customer('{"id": "a", "x": 2}', 0, "yes"),
    "customer empty": customer("", 3, "is empty"),
    "customer list": customer("[]", 3, "not a JSON object"),
    "customer nested": customer('{"x": ' + "[" * 100_000, 3, "deeply"),
    "customer nested objects": customer('{"x":' * 100_000, 3, "deeply"),
    "customer large": customer(lambda: b'{"id": "' + b"x" * BIG + b'"}', 3, "longer than"),
    "customer text of 15 MB": customer(lambda: b'{"id": "a", "x": 2, "name": "' + b"x" * 15_000_000 + b'"}', 0, ""),
    "customer not utf-8": customer(b'{"id": "\xff"}', 3, "UTF-8"),
    "customer huge exponent": customer('{"id": "a", "x": 1e999999999}', 0, ""),
    "customer surrogate": customer('{"id": "\\ud800", "x": 2, "name": "\\udc00"}', 3, "half a character"),
    "customer surrogate as json": customer('{"id": "a", "x": 2, "name": "\\udc00"}', 3, "half", "--format", "json"),
    "customer surrogate unexplained": customer('{"id": "a", "x": 2, "name": "\\udc00"}', 3, "half", "--no-explain"),
    "customer escape sequences": customer('{"id": "a", "x": 2, "name": "\\u001b[31m\\u202e"}', 0, "\\u{1b}"),
    "customer stranger": customer('{"id": "a", "\\u001b[31m": 2}', 0, "\\u{1b}"),
    "customer surrogate stranger": customer('{"id": "a", "x": 2, "\\ud800": 2}', 3, "half"),
    "customer history of wrong kind": customer('{"id": "a", "history": {"events": [1]}}', 3, "not a list of objects"),
    "customer history object": customer('{"id": "a", "history": 5}', 3, "not an object"),
    "customer history of nulls": customer('{"id": "a", "x": 2, "history": {"events": [{"amount": null}]}}', 1, ""),
    "customer format strings": customer(
        '{"id": "%s%n{0}{x}", "x": 2, "name": "{0.__class__}%(a)s"}', 0, "{0.__class__}"
    ),
    # --- histories
    "history good": history("id,amount\na,1\na,2\n", 0, "2 decided"),
    "history without key column": history("name,amount\na,1\n", 3, "needs a column `id`"),
    "history without field": history("id\na\n", 1, ""),
    "history empty": history("", 3, "is empty"),
    "history of words": history("id,amount\na,lots\n", 1, "1 decided, 1 refused"),
    "history ragged": history("id,amount\na\nb,1\n", 1, "1 decided, 1 refused"),
    "history keyless row": history("id,amount\n,5\n", 3, "belongs to no customer"),
    "history jsonl key object": history('{"id": {"a": 1}, "amount": 5}\n', 3, "no customer", "e.jsonl"),
    "history large": history(lambda: "id,amount\n" + "a,1\n" * 50_000, 0, ""),
    "history unknown": args(2, "no history", *RUN, "--history", "nobody=d.csv"),
    "history twice": args(2, "twice", *RUN, "--history", "events=d.csv", "--history", "events=d.csv"),
    # --- lookup tables
    "lookup large": lookup(lambda: b"k,v\n" + b"a,1\n" * 25_000_000, 1, "too large"),
    "lookup ragged": lookup(b"k,v\na,1\nb\n", 1, "E0708"),
    "lookup gb18030": lookup("k,v\n中国,1\n".encode("gb18030"), 1, "not UTF-8"),
    "lookup utf-16": lookup("k,v\na,1\n".encode("utf-16"), 1, "not UTF-8"),
    "lookup null characters": lookup(b"k,v\na\0,1\n", 1, "E07"),
    "lookup of many rows": lookup(lambda: b"k,v\n" + b"".join(b"k%d,%d\n" % (i, i) for i in range(150_000)), 0, ""),
    "lookup of too many rows": lookup(
        lambda: b"k,v\n" + b"".join(b"k%d,1\n" % i for i in range(300_000)), 1, "too many"
    ),
    "lookup huge number": lookup(b"k,v\na,1e999999999\n", 1, "E07"),
    "lookup huge field": lookup(lambda: b"k,v\na," + b"9" * 1_000_000 + b"\n", 1, "E07"),
    "lookup unclosed": lookup(lambda: b'k,v\n"a,1\n' + b"b,2\n" * 100_000, 1, "E0708"),
    # --- places
    "policy absent": args(1, "no such file", "check", "nobody.yaml"),
    "policy folder empty": args(2, "no policy", "check", "folder"),
    "policy zero device": args(1, "E000", "check", "/dev/zero"),
    "policy random device": args(1, "E000", "check", "/dev/urandom"),
    "policy null device": args(1, "E00", "check", "/dev/null"),
    "policy fifo": args(1, "E000", "check", "fifo"),
    "policy terminal": args(1, "E000", "check", "/dev/tty"),
    "policy null character": args(1, "E000", "check", "a\x01b"),
    "policy long path": args(1, "E000", "check", "a" * 5_000),
    "policy looping itself": args(1, "E000", "check", "loop"),
    "policy below a file": args(1, "E000", "check", "c.json/p.yaml"),
    "policy looping link": linked("x.yaml"),
    "policy link out": linked("/etc/hostname"),
    "policy link to a device": linked("/dev/zero"),
    "policy stdin": args(1, "", "check", "-"),
    "policy decide zero": args(2, "E000", "decide", "/dev/zero", "c.json"),
    "policy run zero": args(2, "E000", "run", "/dev/zero", "d.csv"),
    "policy schema zero": args(2, "E000", "schema", "/dev/zero"),
    "data zero device": args(3, "", "run", "p.yaml", "/dev/zero"),
    "data random device": args(3, "", "run", "p.yaml", "/dev/urandom"),
    "data folder": args(3, "is a folder", "run", "p.yaml", "folder"),
    "data absent": args(3, "no file", "run", "p.yaml", "nobody.csv"),
    "data null device": args(3, "empty", "run", "p.yaml", "/dev/null"),
    "data zero on stdin": args(3, "", "run", "p.yaml", "-", stdin=Path("/dev/zero")),
    "customer zero device": args(3, "", "decide", "p.yaml", "/dev/zero"),
    "customer random device": args(3, "", "decide", "p.yaml", "/dev/urandom"),
    "customer folder": args(3, "folder", "decide", "p.yaml", "folder"),
    "history zero device": args(3, "", *RUN, "--history", "events=/dev/zero"),
    "history file zero device": args(3, "", *DECIDE, "--history", "/dev/zero"),
    "output folder": args(3, "folder", *RUN, "-o", "folder"),
    "output nowhere": args(3, "", *RUN, "-o", "nobody/out.csv"),
    "output full": args(3, "", *RUN, "-o", "/dev/full"),
    "rejects full": args(3, "", *RUN, "--rejects", "/dev/full"),
    "rejects folder": args(3, "folder", *RUN, "--rejects", "folder"),
    "output long name": args(3, "", *RUN, "-o", "n" * 300),
    "output null character": args(3, "", *RUN, "-o", "a/b\x01/c"),
    "output onto the data": args(2, "would be replaced", *RUN, "-o", "d.csv"),
    # --- other commands
    "fmt zero device": args(2, "pipe or device", "fmt", "/dev/zero"),
    "fmt fifo": args(2, "pipe or device", "fmt", "fifo"),
    "fmt looping link": args(2, "loop", "fmt", "loop"),
    "test zero device": args(2, "", "test", "/dev/zero"),
    "test looping link": args(2, "loop", "test", "loop"),
    "test fifo": args(2, "", "test", "fifo"),
    "fix zero device": args(1, "E0001", "check", "--fix", "/dev/zero"),
    "table zero device": args(2, "pipe or device", "table", "export", "/dev/zero", "t.xlsx"),
    "table of no workbook": args(3, "", "table", "import", "p.yaml", "c.json"),
    "fifo in a folder": lambda folder: fifo_beside(folder),
    # --- FEEL
    "feel nested": args(1, "nested", "feel", "-", stdin=b"(" * 90_000),
    "feel long": args(1, "E0108", "feel", "-", stdin=b"x+" * 100_000),
    "feel zero": args(3, "", "feel", "-", stdin=Path("/dev/zero")),
    "feel null character": args(1, "E0", "feel", "1 + \x01"),
    "feel billion": args(1, "E0151", "feel", "for a in 1..1000000000, b in 1..1000000000 return a"),
    "feel cubes": args(1, "E0151", "feel", "count(for a in 1..900000, b in 1..900000 return a)"),
    "feel pattern": args(1, "E0151", "feel", 'matches(string join(for i in 1..5000 return "a") + "b", "^(a|aa|a?)+$")'),
    "feel patterns": args(
        1,
        "E0151",
        "feel",
        'for i in 1..1000 return matches(string join(for j in 1..500 return "a") '
        '+ string(i), "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a0-9]$")',
    ),
    "feel power": args(0, "null", "feel", "9 ** 9 ** 9 ** 9"),
    "feel huge number": args(1, "E0", "feel", "1e999999999"),
    "feel recursion": args(1, "E0151", "feel", "{f: function(x) f(x + 1), r: f(0)}.r"),
    "feel text doubling": args(
        1,
        "E0151",
        "feel",
        "{" + 'a0: "aaaaaaaaaa", ' + ", ".join(f"a{i}: a{i - 1} + a{i - 1}" for i in range(1, 60)) + "}.a59",
    ),
    "feel list doubling": args(
        1, "E0151", "feel", "{" + "a0: [1], " + ", ".join(f"a{i}: [a{i - 1}, a{i - 1}]" for i in range(1, 60)) + "}.a59"
    ),
    "feel import": args(0, "null", "feel", '__import__("os").system("id")'),
    "feel escape sequences": args(0, "\\u{1b}", "feel", '"\x1b[31m"'),
    "feel names": args(2, "E0", "feel", "x", "--names", "{x: " + "[" * 1_000),
    "feel external function": args(
        0, "function", "feel", 'function(a) external {java: {class: "java.lang.Runtime", method signature: "exec(a)"}}'
    ),
    "gzip bomb": lambda folder: gzipped(folder, b"\0", 500),
    "gzip bomb of rows": lambda folder: gzipped(folder, b"x", 500),
    "gzip truncated": lambda folder: gzipped(folder, (HEADER + GOOD * 50_000).encode(), cut=200),
    "gzip of nothing": lambda folder: gzipped(folder, b"", cut=5),
}


def fifo_beside(folder: Path) -> Case:
    """A folder of policies that holds a pipe too."""
    os.mkfifo(folder / "pipe.yaml")
    return ["check", "."], 0, "1 policy", b""


def gzipped(folder: Path, data: bytes, millions: int = 0, cut: int | None = None) -> Case:
    """A compressed file: `data` as it is, or repeated to so many megabytes."""
    place = folder / "d.csv.gz"
    with gzip.open(place, "wb", 1) as stream:
        for _ in range(millions):
            stream.write(data * 1_000_000)
        if not millions:
            stream.write(data)
    if cut is not None:
        place.write_bytes(place.read_bytes()[:cut])
    return ["run", "p.yaml", "d.csv.gz"], 3, "", b""
