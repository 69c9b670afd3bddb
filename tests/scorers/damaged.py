"""`python -m tests.scorers.damaged KIND FILE`: open a model's file with damage of many kinds, in a process of its own.

Exits with 0 where each was refused or read; a library that ends the process ends this one.
"""
from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import engine as tierwise
from tests.scorers.given import opened
from tests.scorers.models import customers


def main(kind: str, path: Path, seed: int = 11, count: int = 200) -> None:
    whole = path.read_bytes()
    table = customers(50)
    read = 0
    for content in damaged(whole, random.Random(seed), count):
        path.write_bytes(content)
        try:
            scorer = opened(kind, path, reasons=1)
            if len(scorer.describe().inputs) == table.num_columns:
                scorer.batch(table.rename_columns(list(scorer.describe().inputs)))
            read += 1
        except tierwise.PluginFailure:
            continue
        except Exception as problem:  # noqa: BLE001 - of the libraries only their own come here
            assert type(problem).__name__ in ("XGBoostError", "LightGBMError"), repr(problem)
    print(f"{count} files, {read} read all the same")


def damaged(whole: bytes, draw: random.Random, count: int) -> Iterator[bytes]:
    for number in range(count):
        content = bytearray(whole)
        for _ in range(draw.choice([1, 1, 3, 20])):
            at = draw.randrange(len(content) if number % 2 else min(len(content), 4000))
            if draw.random() < 0.7:
                content[at] = draw.choice(b'0123456789-. \n,[]{}"=') if draw.random() < 0.8 else draw.randrange(256)
            elif draw.random() < 0.5:
                del content[at:at + draw.choice([1, 1, 2, 30])]
            else:
                content[at:at] = draw.choice([b"1", b"9", b"-", b" 3", b" "])
        yield bytes(content)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
