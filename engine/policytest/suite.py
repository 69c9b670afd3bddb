"""A test file, from its path to cases that can be decided."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.check.scope import Report
from engine.diagnostics import Diagnostic, Problem, Span
from engine.ir import nodes as ir
from engine.policy import Policy, PolicyError, load_policy
from engine.policytest import tables, values
from engine.policytest.cases import BY_DECISION, LISTS, CaseReader, Draft
from engine.policytest.model import Case, Portfolio, Suite
from engine.policytest.sheets import file_sheet
from engine.policytest.values import Datum, datum
from engine.portfolio.binding import Columns, Reading
from engine.portfolio.histories import Key
from engine.portfolio.problems import DataProblem
from engine.portfolio.tables import BadRow, open_table
from engine.semantics import dtypes as dt
from engine.source.files import PROJECT_FILE, real
from engine.source.nodes import Document, Mapping, Node, Scalar, Sequence, load_file, load_text, normal
from engine.source.schema import validate

ENDINGS = (".test.yaml", ".test.yml")
_POLICIES = ("", ".yaml", ".yml")


def is_test(path: Path) -> bool:
    """Whether a path has the name of a test file."""
    return path.name.endswith(ENDINGS)


def read_suite(path: Path, load: Callable[[Path], Policy] = load_policy, text: str | None = None) -> Suite:
    """Read the test file at `path`; what is wrong with it, or with its policy, stands in the result.

    `load` loads a policy and may raise `PolicyError`. `text` is read instead of what the file holds.
    """
    return _Suite(path, load).read(text)


class _Suite:
    def __init__(self, path: Path, load: Callable[[Path], Policy]) -> None:
        self.path = path
        self.load = load
        self.report = Report()
        self.sources: dict[str, str] = {}
        self.shown = shown(path)
        self.root = _root(real(path).parent)
        self._rows: dict[tuple[Path, str], list[tuple[Any, dict[str, Any]]] | None] = {}

    def read(self, text: str | None) -> Suite:
        name = self.path.name
        policy: Policy | None = None
        cases: list[Case] = []
        portfolios: list[Portfolio] = []
        try:
            document = load_file(self.path, self.shown) if text is None else load_text(text, self.shown)
            self.sources[self.shown] = document.text
            for diagnostic in (*document.problems, *validate(document, "test")):
                self.report.add(diagnostic)
            if isinstance(document.root, Mapping):
                name = _text(document.root.get("test")) or name
                policy = self._policy(document)
                if policy is not None and not self.report.has_errors:
                    cases = self._cases(document.root, policy)
                    portfolios = self._portfolios(document.root, policy)
        except Problem as problem:
            for diagnostic in problem.diagnostics:
                self.report.add(diagnostic)
            self._remember()
        except PolicyError as error:
            for diagnostic in error.diagnostics:
                if diagnostic.is_error:
                    self.report.add(diagnostic)
            self.sources |= error.sources
        found = tuple(sorted(self.report.diagnostics, key=_order))
        return Suite(self.shown, name, policy, tuple(cases), found, self.sources, tuple(portfolios))

    def _remember(self) -> None:
        """Keep a broken file's text, so that its findings can be shown with their lines."""
        if self.shown not in self.sources:
            try:
                self.sources[self.shown] = self.path.read_bytes()[:1_000_000].decode("utf-8", "replace")
            except OSError:
                return                                  # that it cannot be read is the finding

    def _policy(self, document: Document) -> Policy | None:
        """The policy of the tests; raises Problem or PolicyError."""
        root = document.root
        assert isinstance(root, Mapping)
        stated = root.get("policy")
        if isinstance(stated, Scalar):
            return self.load(self._resolve(stated, _POLICIES))
        name = self.path.name
        stem = next((name.removesuffix(e) for e in ENDINGS if name.endswith(e)), self.path.stem)
        for ending in (".yaml", ".yml", ""):
            candidate = self.path.with_name(stem + ending)
            if candidate.exists() and candidate != self.path:
                return self.load(candidate)
        span = root.entries[0][0].span
        raise Problem(Diagnostic("E0701", f"there is no policy `{stem}.yaml` beside this file", span,
                                 "name the policy: `policy: PATH`, relative to this file"))

    def _resolve(self, reference: Scalar, endings: tuple[str, ...] = ("",)) -> Path:
        """The file that a path names, relative to this one and within the project; raises Problem."""
        text, span = reference.text, reference.span
        if "\x00" in text or text.startswith(("~", "/", "\\")) or ":" in text:
            way = "name it relative to this file"
            raise Problem(Diagnostic("E0702", f"`{text}` is not a relative path", span, way))
        for ending in endings:
            candidate = self.path.parent / f"{text}{ending}"
            if not real(candidate).is_relative_to(self.root):
                way = f"put a `{PROJECT_FILE}` in a folder above both"
                raise Problem(Diagnostic("E0702", f"`{text}` leads out of the tests' folder", span, way))
            if candidate.exists():
                return candidate
        way = "check the path, which is relative to this file"
        raise Problem(Diagnostic("E0701", f"there is no `{text}`", span, way))

    # --- cases ------------------------------------------------------------------------

    def _cases(self, root: Mapping, policy: Policy) -> list[Case]:
        fixtures = root.get("fixtures")
        shared = {
            normal(k.text): v for k, v in fixtures.entries if isinstance(v, Mapping)
        } if isinstance(fixtures, Mapping) else {}
        reader = CaseReader(
            policy, self.report, self._rows_from, shared, _datum(root.get("as of")), _number(root.get("tolerance"))
        )
        reader.check_fixtures(policy.program)
        found: list[Case] = []
        seen: dict[str, Span] = {}
        for draft in (*_listed(root), *self._tabled(root, reader, policy)):
            if draft.name in seen:
                self.report.at("E0905", f"two cases are called `{draft.name}`", draft.place.span,
                               f"the other stands on line {seen[draft.name].line}; give each a name of its own")
                continue
            seen[draft.name] = draft.place.span
            case = reader.case(draft)
            if case is not None:
                found.append(case)
        if not seen and "portfolios" not in root and not self.report.has_errors:
            self.report.at("E0908", "the file holds no case", root.entries[0][0].span, "write one under `cases`")
        return found

    def _portfolios(self, root: Mapping, policy: Policy) -> list[Portfolio]:
        """The portfolios; their expectations take the checker, which cases do not need."""
        holder = root.get("portfolios")
        if holder is None:
            return []
        reader = import_module("engine.policytest.portfolios").PortfolioReader(
            policy, self.report, self._resolve, shown, _datum(root.get("as of"))
        )
        return list(reader.read(holder))

    def _tabled(self, root: Mapping, reader: CaseReader, policy: Policy) -> Iterator[Draft]:
        holder = root.get("tables")
        if not isinstance(holder, Mapping):
            return
        programs = [reader.names(v.program) for v in policy.versions]

        def own(name: str) -> bool:
            return any(name in p.inputs for p in programs)

        def decides(name: str) -> bool:
            return any(p.outcome(name) is not None for p in programs)

        for key, node in holder.entries:
            table = node if isinstance(node, Mapping) else None
            grid = node if table is None else table.get("grid")
            file = None if table is None else table.get("file")
            sheet = None
            if isinstance(grid, Scalar):
                sheet = tables.grid_sheet(grid, self.report)
            elif isinstance(file, Scalar):
                try:
                    path = self._resolve(file)
                    named = None if table is None else _text(table.get("sheet"))
                    sheet = file_sheet(path, shown(path), named, file, self.report, self._seen)
                except Problem as problem:
                    for diagnostic in problem.diagnostics:
                        self.report.add(diagnostic)
            if sheet is None:
                continue
            shared = tables.Shared() if table is None else tables.Shared(
                values.names(table.get("base")) or [], _datum(table.get("as of")), values.names(table.get("only")),
                _number(table.get("tolerance")),
            )
            yield from tables.drafts(sheet, normal(key.text), self.report, own, decides, shared)

    def _seen(self, name: str, text: str) -> None:
        self.sources[name] = text

    # --- rows of histories -----------------------------------------------------------------

    def _rows_from(self, reference: Scalar, history: ir.HistoryDecl, own: Any) -> list[dict[str, Any]] | None:
        """The rows of a file that are this customer's: all, where it has no column for the key."""
        try:
            path = self._resolve(reference)
        except Problem as problem:
            for diagnostic in problem.diagnostics:
                self.report.add(diagnostic)
            return None
        key = (path, history.name)
        if key not in self._rows:
            self._rows[key] = self._table(path, reference, history)
        rows = self._rows[key]
        if rows is None:
            return None
        return [row for owner, row in rows if owner is None or own is None or owner == str(own)]

    def _table(
        self, path: Path, reference: Scalar, history: ir.HistoryDecl
    ) -> list[tuple[Any, dict[str, Any]]] | None:
        """The rows of a history's file with whose they are, None without a key column."""
        declared: list[Any] = list(history.fields)
        key = history.key
        if key is not None and key not in {f.name for f in history.fields}:
            declared.append(Key(key, dt.plain(dt.STRING)))
        found: list[tuple[Any, dict[str, Any]]] = []
        try:
            with open_table(str(path)) as table:
                columns = Columns(table, declared, Reading())
                for row in table:
                    if isinstance(row, BadRow):
                        raise DataProblem(row.message, str(path), row.line, row.help)
                    cells = columns.values(row.cells)
                    owner = cells.get(key) if key is not None else None
                    found.append((None if owner is None else str(owner), cells))
        except DataProblem as problem:
            where = shown(path) + (f":{problem.line}" if problem.line is not None else "")
            message = problem.message.replace(str(path), shown(path))
            self.report.at("E0908", f"{where}: {message}", reference.span, problem.help)
            return None
        return found


def _order(found: Diagnostic) -> tuple[str, int, int]:
    span = found.span
    return ("", 0, 0) if span is None else (span.file, span.line, span.column)


def shown(path: Path) -> str:
    """A path as people see it: relative to the working folder where it lies below."""
    try:
        return str(real(path).relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _root(start: Path) -> Path:
    """The project's folder, else the file's own."""
    return next((f for f in (start, *start.parents) if (f / PROJECT_FILE).is_file()), start)


def _listed(root: Mapping) -> Iterator[Draft]:
    """The cases under `cases`."""
    holder = root.get("cases")
    for node in holder.items if isinstance(holder, Sequence) else ():
        if not isinstance(node, Mapping):
            continue
        name = node.get("case")
        assert isinstance(name, Scalar)                 # the schema asks for it
        yield Draft(
            normal(name.text), name, values.fields(node.get("given")), values.fields(node.get("expect")),
            {k: v for k in LISTS if (v := node.get(k)) is not None},
            {k: values.fields(node.get(k)) for k in BY_DECISION if k in node},
            values.names(node.get("base")) or [], node.get("history"), _datum(node.get("as of")),
            values.names(node.get("only")), _number(node.get("tolerance")), _text(node.get("why")) or "",
        )


def _datum(node: Node | None) -> Datum | None:
    return datum(node) if isinstance(node, Scalar) else None


def _number(node: Node | None) -> float | None:
    return float(node.text) if isinstance(node, Scalar) else None


def _text(node: Node | None) -> str | None:
    return node.text.strip() if isinstance(node, Scalar) else None
