"""What the contracts share: opening with settings, failures with a way out, and all tests in one call."""
from __future__ import annotations

import functools
import inspect
import io
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from engine.hookspecs import PluginFailure, Setting, Settings

T = TypeVar("T")

_PYTHON: Mapping[str, tuple[type, ...]] = {
    "text": (str,), "number": (int, float), "boolean": (bool,), "duration": (int, float), "path": (str, Path),
    "secret": (str,), "list": (list, tuple), "map": (Mapping,), "any": (object,),
}


class Broken(AssertionError):
    """A contract that does not hold."""


def fail(message: str, way: str) -> Broken:
    """What is to be raised: a sentence, and how to mend it."""
    return Broken(f"{message}\n  = help: {way}")


def settings(takes: Mapping[str, Setting], given: Mapping[str, Any], folder: str | Path = ".") -> Settings:
    """Settings as an entry of a deployment file would give them: checked, and absent ones by default.

    A path is relative to `folder`, a duration in seconds; a secret is the text itself.
    """
    place = Path(folder).resolve()
    return Settings("test", _values(takes, given, place), place)


def _values(takes: Mapping[str, Setting], given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    for name in given:
        if name not in takes:
            listed = ", ".join(f"`{n}`" for n in takes) or "none"
            raise fail(f"there is no setting `{name}`", f"the settings are {listed}")
    return {name: _value(name, setting, given, folder) for name, setting in takes.items()}


def _value(name: str, setting: Setting, given: Mapping[str, Any], folder: Path) -> Any:
    if name not in given:
        if setting.required:
            raise fail(f"the setting `{name}` is required", f"give it in `settings`: `{{\"{name}\": ...}}`")
        return setting.default
    value: Any = given[name]
    if not _is_of(value, setting.kind):
        raise fail(f"the setting `{name}` is no {setting.kind}", "give a value of the setting's kind")
    if setting.values and value not in setting.values:
        raise fail(f"`{value}` is no value of the setting `{name}`", f"it may be {', '.join(setting.values)}")
    if setting.kind == "path":
        return (folder / value).resolve()
    if setting.kind in ("number", "duration"):
        return float(value)
    if setting.of is not None:
        return {inner: _values(setting.of, parts, folder) for inner, parts in value.items()}
    return value


def _is_of(value: Any, kind: str) -> bool:
    """Whether a value may be given for a setting of that kind; true is no number."""
    return isinstance(value, _PYTHON[kind]) and not (isinstance(value, bool) and kind in ("number", "duration"))


class Contract:
    """Base of the contracts: `kind` with its `settings`, relative to `folder`; or `open` overridden.

    One object is opened for all tests of a class, which run on a thread of their own: none may print, end the program,
    or take longer than `limit` seconds; behind one that does not come back the others fail at once. `broken` gives an
    object that fails as soon as it is asked; by default one with a path that leads nowhere, where the kind has a path
    among its settings.
    """

    kind: Any = None
    settings: Mapping[str, Any] = {}
    folder: str | Path = "."
    #: Made-up rows, and the seed that they come from.
    size: int = 40
    seed: int = 20260701
    limit: float = 120.0
    _kept: ClassVar[dict[type, Any]] = {}
    _threads: ClassVar[dict[type, _Thread]] = {}
    _hung: ClassVar[dict[type, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__module__.startswith(f"{__package__}."):    # somebody's own tests may do what they like
            for name, test in list(vars(cls).items()):
                if name.startswith("test_"):
                    setattr(cls, name, _guarded(test))

    def open(self) -> Any:
        """Open what is tested."""
        if self.kind is None:
            raise fail(f"`{type(self).__name__}` does not say what it tests",
                       "set `kind` (and `settings`), or write a method `open`")
        return self.kind.open(settings(self.kind.settings, self.settings, self.folder))

    def broken(self) -> Any:
        """Something opened that fails when it is asked; raises `PluginFailure` where opening fails. None for nothing
        to test."""
        takes: Mapping[str, Setting] = getattr(self.kind, "settings", None) or {}
        wrong = _astray(takes, self.settings)
        return None if wrong is None else self.kind.open(settings(takes, wrong, self.folder))

    @property
    def opened(self) -> Any:
        """What is tested, opened once a class."""
        kept = Contract._kept
        if type(self) not in kept:
            kept[type(self)] = self.open()
        return kept[type(self)]

    @classmethod
    def teardown_class(cls) -> None:
        """Close what was opened; pytest calls it when a class is done."""
        opened, thread = Contract._kept.pop(cls, None), Contract._threads.pop(cls, None)
        Contract._hung.pop(cls, None)
        close = getattr(opened, "close", None)
        try:
            if close is not None:
                if thread is None:
                    close()
                else:
                    _in_time(thread, close, cls.limit, "`close`")
        finally:
            if thread is not None:
                thread.jobs.put(None)


class _Thread(threading.Thread):
    """Runs what it is given, one at a time; a daemon, so that what never ends does not keep the program from ending."""

    def __init__(self) -> None:
        super().__init__(name="tierwise contract", daemon=True)
        self.jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            do, future = job
            try:
                future.set_result(do())
            except BaseException as error:  # noqa: BLE001 - raised again on the thread that waits
                future.set_exception(error)


class _Hangs(Broken):
    """A call that did not come back."""


def _in_time(thread: _Thread, do: Callable[[], Any], limit: float, what: str) -> None:
    future: Future[Any] = Future()
    thread.jobs.put((do, future))
    if not wait([future], limit).done:
        raise _Hangs(str(fail(f"{what} does not come back within {limit:g} seconds",
                              "give everything that waits a time limit, shorter than the engine's; or set `limit`")))
    try:
        future.result()
    except (SystemExit, KeyboardInterrupt) as error:
        raise fail(f"it tries to end the program, with `{type(error).__name__}`",
                   "raise `tierwise.PluginFailure`: the program belongs to whoever runs it") from error


def _guarded(test: Callable[[Any], None]) -> Callable[[Any], None]:
    """A test of a contract within its limits."""
    @functools.wraps(test)
    def run(self: Contract) -> None:
        cls = type(self)
        if cls in Contract._hung:
            raise fail(f"not asked, since `{Contract._hung[cls]}` still waits for an answer", "mend that test first")
        if cls not in Contract._threads:
            Contract._threads[cls] = _Thread()
        thread = Contract._threads[cls]
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                _in_time(thread, lambda: test(self), self.limit, "it")
        except _Hangs:
            Contract._kept.pop(cls, None)                   # the thread still holds it
            Contract._threads.pop(cls).jobs.put(None)
            Contract._hung[cls] = test.__name__
            raise
        if text := printed.getvalue().strip():
            raise fail(f"it prints `{text[:80]}`",
                       "standard output is for results: use `logging`, or print to standard error")
    return run


def _astray(takes: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Settings with one path that leads nowhere; None where none is a path."""
    for name, setting in takes.items():
        if setting.kind == "path":
            return {**given, name: "there-is-no-such-file"}
        if setting.of is not None:
            for inner, parts in given.get(name, {}).items():
                wrong = _astray(setting.of, parts)
                if wrong is not None:
                    return {**given, name: {**given[name], inner: wrong}}
    return None


def check(contract: type[Contract], **attributes: Any) -> None:
    """Run all tests of a contract; raises `Broken` with everything that does not hold, and all exceptions of the
    plugin, the first of them as its cause. Functions among the attributes take no `self`."""
    case: type[Contract] = type(contract.__name__, (contract,), {n: _bound(v) for n, v in attributes.items()})
    told: list[str] = []
    first: Exception | None = None
    tests: list[tuple[str, Callable[[Any], None]]] = [
        (name, test) for name, test in inspect.getmembers(case, inspect.isfunction) if name.startswith("test_")
    ]
    for name, test in (*tests, ("close", lambda _: case.teardown_class())):
        try:
            test(case())
        except Broken as problem:
            told.append(f"{name}: {problem}")
        except Exception as problem:  # noqa: BLE001 - the plugin's own; its author wants all of it
            first = first or problem
            told.append(f"{name}: `{type(problem).__name__}`: {problem}")
    if told:
        raise Broken("\n".join(told)) from first


def _bound(value: Any) -> Any:
    """An attribute that stays what it is on an instance."""
    return staticmethod(value) if inspect.isfunction(value) else value


def fails_rightly(do: Callable[[], Any], what: str) -> bool:
    """Whether something raised `PluginFailure` with a text; False where it raised nothing. Any other exception is a
    broken contract."""
    try:
        do()
    except PluginFailure as failure:
        if not str(failure).strip():
            way = "raise `tierwise.PluginFailure(\"why, and what to do\")`"
            raise fail(f"{what} fails without a word", way) from None
        return True
    except Broken:
        raise
    except Exception as error:
        raise fail(
            f"{what} fails with `{type(error).__name__}`, of which users are shown the kind alone",
            "catch it, and raise `tierwise.PluginFailure` with a sentence that leads to the fix and holds no secret",
        ) from error
    return False


def on_another_thread(do: Callable[[], T]) -> T:
    """The result of a call on a thread of its own, as the engine calls to keep its time limit."""
    found: list[T] = []
    problem: list[BaseException] = []

    def run() -> None:
        try:
            found.append(do())
        except BaseException as error:  # noqa: BLE001 - raised again below, on the thread that asked
            problem.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if problem:
        error = problem[0]
        raise fail(
            f"it works on the thread that opened it and fails on another, with `{type(error).__name__}`",
            "the engine calls from several threads, one at a time: open connections with that allowed "
            "(`check_same_thread=False`), or when they are first used",
        ) from error
    return found[0]
