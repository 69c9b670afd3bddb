"""Importing a plugin, whatever it does meanwhile.

What it prints goes to standard error, since standard output is for data; what it raises becomes a diagnostic with
the place in its own file. Of an exception only the kind is told: its text may hold what must not be.
"""
from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.diagnostics import Span
from engine.hooks.found import Candidate, Origin
from engine.hooks.problems import PluginProblem, problem
from engine.source.project import shown
from engine.watching import Overdue, Within

#: The package under which modules that are loaded by their place stand among Python's modules.
_BUILT_IN = "tierwise_built_in"
_LIBRARIES = "site-packages"
#: Seconds for the import of a plugin with all its libraries, and for each of its hooks.
LIMIT = 60.0


def imported(candidate: Candidate) -> Any:
    """The module (or object) of a plugin; raises `PluginProblem`."""
    if candidate.module is not None:
        return candidate.module
    _see_to_the_alias()
    with contained(candidate, "when it is imported", "E1003"):
        if candidate.entry is not None:
            return candidate.entry.load()
        assert candidate.file is not None
        return _at(candidate, candidate.file)


@contextlib.contextmanager
def contained(candidate: Candidate, when: str, code: str) -> Iterator[None]:
    """Run code of a plugin: what it prints goes to standard error, what it raises is raised as `PluginProblem`."""
    try:
        with Within(LIMIT), printing_aside():
            yield
    except PluginProblem:
        raise
    except Overdue as late:
        message = f"plugin `{candidate.name}` takes longer than {LIMIT:g} s {when}"
        way = "let it load and reach out for what it needs when it is used, not before"
        raise problem(code, message, _where(candidate, late.__context__ or late), way) from None
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        message = f"plugin `{candidate.name}` ends the process {when}"
        way = "take the call of `sys.exit` out of the plugin, or put it under `if __name__ == \"__main__\"`"
        raise problem(code, message, _where(candidate, error), way) from None
    except BaseException as error:  # noqa: BLE001 - the code is a stranger's
        raise failure(candidate, error, when, code) from None


@contextlib.contextmanager
def printing_aside() -> Iterator[None]:
    """Send what is printed to standard error, by Python or by a library beneath it."""
    with contextlib.suppress(OSError, ValueError):      # a closed pipe is told by whoever writes next
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:                                     # there is no standard output, hence nothing to keep clean
        kept = None
    try:
        if kept is not None:
            with contextlib.suppress(OSError):          # without standard error the text goes where it went
                os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def _at(candidate: Candidate, file: Path) -> ModuleType:
    """Import a file or package by its place; each place once, as Python does."""
    name = _module_name(candidate, file)
    known = sys.modules.get(name)
    if known is not None:
        return known
    is_package = file.name == "__init__.py"
    spec = importlib.util.spec_from_file_location(
        name, file, submodule_search_locations=[str(file.parent)] if is_package else None)
    assert spec is not None and spec.loader is not None   # the name of the file ends in `.py`
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        for left in [n for n in sys.modules if n == name or (n.startswith(f"{name}.") and n not in before)]:
            del sys.modules[left]
        raise
    return module


def _see_to_the_alias() -> None:
    """Let plugins import `tierwise` in a checkout that is not installed."""
    if importlib.util.find_spec("tierwise") is not None:
        return
    place = Path(__file__).resolve().parent.parent / "_alias"
    spec = importlib.util.spec_from_file_location(
        "tierwise", place / "__init__.py", submodule_search_locations=[str(place)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tierwise"] = module
    spec.loader.exec_module(module)


def _module_name(candidate: Candidate, file: Path) -> str:
    """A name that no other module has: a plugin `json.py` must not stand in for Python's own."""
    if candidate.origin is Origin.BUILT_IN:
        _built_in_package(file.parent if file.name != "__init__.py" else file.parent.parent)
        return f"{_BUILT_IN}.{candidate.name}"
    mark = hashlib.blake2b(os.fsencode(file), digest_size=6).hexdigest()
    stem = "".join(c if c.isalnum() else "_" for c in candidate.name)
    return f"tierwise_plugin_{stem}_{mark}"


def _built_in_package(folder: Path) -> None:
    """The package of the built-in plugins, so that one may import another relatively."""
    if _BUILT_IN not in sys.modules:
        package = ModuleType(_BUILT_IN)
        package.__path__ = [str(folder)]
        sys.modules[_BUILT_IN] = package


def version_of(candidate: Candidate, module: Any) -> str:
    """The version of a plugin: its package's, what it states, or a digest of its own files."""
    stated = getattr(module, "__version__", None)
    if candidate.version is not None:
        return candidate.version
    if isinstance(stated, str) and stated.strip():
        return stated.strip()
    if candidate.file is None:
        return "unknown"
    files = sorted(candidate.file.parent.rglob("*.py")) if candidate.file.name == "__init__.py" else [candidate.file]
    mark = hashlib.sha256()
    for file in files:
        if file.is_file():                              # a link may lead nowhere
            mark.update(file.read_bytes())
    return mark.hexdigest()[:12]


# --- what went wrong -------------------------------------------------------------------


def failure(candidate: Candidate, error: BaseException, when: str, code: str) -> PluginProblem:
    """What a plugin raised, as a problem with the place in its own files."""
    plugin = f"plugin `{candidate.name}`"
    span = _where(candidate, error)
    if isinstance(error, SyntaxError) and error.filename is not None:
        place = _span(Path(error.filename), error.lineno or 1, error.offset or 1)
        return problem(code, f"{plugin} is not valid Python: {error.msg}", place, "mend the line in the plugin")
    if isinstance(error, ModuleNotFoundError) and error.name:
        own = candidate.file is not None and candidate.file.parent.name == error.name.partition(".")[0]
        if own:
            way = f"inside the package write `from . import ...`, not `import {error.name}`"
        elif candidate.file is not None and (candidate.file.parent / f"{error.name}.py").is_file():
            way = f"make a package of the folder (`__init__.py`), and write `from . import {error.name}`"
        else:
            way = f"install what the plugin needs, most likely `pip install {error.name.partition('.')[0]}`"
        return problem(code, f"{plugin} needs `{error.name}`, which is not installed", span, way)
    kind = type(error).__name__
    return problem(code, f"{plugin} fails {when}, with `{kind}`", span, _alone(candidate, code))


def _alone(candidate: Candidate, code: str) -> str:
    """How to see the whole error."""
    if code != "E1003":
        return "call it in a Python session to see the whole error"
    if candidate.entry is not None:
        module = str(candidate.entry.value).partition(":")[0]
        return f"`python -c \"import {module}\"` shows the whole error, if it comes from there"
    if candidate.file is not None and candidate.file.name != "__init__.py":
        return f"`python {candidate.place}` shows the whole error, if it comes from there"
    if candidate.file is not None:
        package = candidate.file.parent
        command = f'PYTHONPATH={shown(package.parent)} python -c "import {package.name}"'
        return f"`{command}` shows the whole error, if it comes from there"
    return "import the plugin in a Python session to see the whole error"


def _where(candidate: Candidate, error: BaseException) -> Span | None:
    """The last place in the plugin's own files that the error passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = _own_folder(candidate)
    if own is None:
        return candidate.span
    for frame in reversed(frames):
        file = Path(frame.filename)
        strange = _LIBRARIES in file.parts and _LIBRARIES not in own.parts
        if frame.lineno is not None and file.is_relative_to(own) and not strange:
            return _span(Path(frame.filename), frame.lineno, (frame.colno or 0) + 1)
    return candidate.span


def defined(function: Any) -> Span | None:
    """Where a function is written, if that is known."""
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    return None if code is None else _span(Path(code.co_filename), code.co_firstlineno, 1)


def _own_folder(candidate: Candidate) -> Path | None:
    if candidate.folder is not None:
        return candidate.folder
    name = str(candidate.entry.value).partition(":")[0].partition(".")[0] if candidate.entry is not None else ""
    module = sys.modules.get(name)
    places = getattr(module, "__path__", None)
    if module is None:                                  # taken out again as its import failed
        try:
            spec = importlib.util.find_spec(name) if name else None
        except (ImportError, ValueError):
            return None
        places = spec.submodule_search_locations if spec is not None else None
    found = list(places or ())
    return Path(found[0]) if found else None


def _span(file: Path, line: int, column: int) -> Span:
    return Span(shown(file), line, column, line, column)
