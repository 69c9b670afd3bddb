"""Opens whatever a place names and binds it."""
from __future__ import annotations

from collections.abc import Sequence

from engine.portfolio.binding import Declared, Reading
from engine.portfolio.columnar import postgres, tables, text, workbook
from engine.portfolio.columnar.binding import Misread, Relation, bind
from engine.portfolio.columnar.locations import DATABASE, FILE, PARQUET, POSTGRES, Location, located
from engine.portfolio.columnar.raw import Raw
from engine.portfolio.columnar.session import Session
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Options

__all__ = ["Options", "opened"]


def opened(
    session: Session, place: str, declared: Sequence[Declared], options: Options, reading: Reading
) -> Relation:
    """The rows at `place` as a bound relation; raises DataProblem."""
    location = located(place)
    try:
        raw = _raw(session, location, declared, options, reading)
        try:
            found = bind(session, raw, declared, reading)
            if raw.attached is not None:                # results may go to another table of it
                session.run("USE memory")
                session.run(f"DETACH {raw.attached}")
            return found
        except Misread:
            # what the database cannot read, or reads into another number of rows, the one-by-one reader judges
            anew = text.row_by_row(session, raw.path, declared, options, reading, raw.shown)
            return bind(session, anew, declared, reading)
    except DataProblem as problem:
        if problem.file.startswith(session.folder):     # a copy of what the user named
            problem.message = problem.message.replace(problem.file, location.shown)
            problem.file = location.shown
        raise


def _raw(
    session: Session, location: Location, declared: Sequence[Declared], options: Options, reading: Reading
) -> Raw:
    if options.format == "parquet" or location.kind == PARQUET:
        return tables.parquet(session, location, declared)
    if location.kind == FILE:
        return text.open_text_source(session, location.path, declared, options, reading)
    if location.kind == DATABASE:
        return tables.database(session, location, declared)
    if location.kind == POSTGRES:
        return postgres.read(session, location, declared)
    return workbook.read(session, location, declared, reading)
