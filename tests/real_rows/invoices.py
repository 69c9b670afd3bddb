"""The masked firms of CUMCM 2020 C and their invoices, as tables of DuckDB and as histories of single customers."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import duckdb

from engine.backends.sql.memory import Customer
from engine.backends.sql.tables import Column, Customers, Events, Source
from engine.ir import nodes as ir

DATE_FORMAT = "%Y/%m/%d"
#: The files of the histories, by name.
FILES = {"sales": "sales.csv.gz", "purchases": "purchases.csv.gz"}
TYPES = {"date": "DATE", "money": "DOUBLE"}


def read(connection: duckdb.DuckDBPyConnection, program: ir.Program, folder: Path) -> Source:
    """Make the tables straight from the files, with the columns that the policy names; gives where they stand."""
    firms = str(folder / "firms.csv")
    connection.execute("CREATE TABLE firms AS SELECT * FROM read_csv(?, all_varchar = true)", [firms])
    events = {}
    for history in program.histories:
        cells = []
        for field in history.fields:
            text = f'"{field.column}"'
            if field.type.kind == "date":
                text = f"CAST(strptime({text}, '{DATE_FORMAT}') AS DATE)"
            cells.append(f'CAST({text} AS {TYPES.get(field.type.kind, "TEXT")}) AS "{field.name}"')
        connection.execute(
            f'CREATE TABLE {history.name} AS SELECT "企业代号", {", ".join(cells)}, '
            f"row_number() OVER () AS place FROM read_csv(?, all_varchar = true, parallel = false)",
            [str(folder / FILES[history.name])],
        )
        columns = {f.name: Column(f.name) for f in history.fields}
        events[history.name] = Events(history.name, "企业代号", columns, "place")
    inputs = {i.name: Column(i.column or i.name) for i in program.inputs}
    return Source(Customers("firms", inputs, "企业代号"), events)


def customers(connection: duckdb.DuckDBPyConnection, program: ir.Program) -> dict[str, Customer]:
    """Each firm with its own rows, in their order."""
    names = ", ".join(f'"{i.column or i.name}" AS "{i.name}"' for i in program.inputs)
    found = connection.execute(f'SELECT "企业代号", {names} FROM firms').fetchall()
    firms = {row[0]: Customer(dict(zip((i.name for i in program.inputs), row[1:], strict=True)), {}) for row in found}
    for history in program.histories:
        names = ", ".join(f'"{f.name}"' for f in history.fields)
        rows: dict[str, list[dict[str, Any]]] = {firm: [] for firm in firms}
        events = connection.execute(f'SELECT "企业代号", {names} FROM {history.name} ORDER BY place').fetchall()
        for firm, *cells in events:
            rows[firm].append(dict(zip((f.name for f in history.fields), cells, strict=True)))
        firms = {f: c.replace(history={**c.history, history.name: rows[f]}) for f, c in firms.items()}
    return firms


#: Within the years of the invoices, with two of them before it.
AS_OF = datetime.date(2020, 1, 1)
