"""The manager: which plugins there are, and what they give, asked for by name.

In the order of asking stand the plugins that somebody named (`--plugin`, the project file), which are loaded as soon
as anything of their hook is asked for; the built-in ones, imported one by one for the names of a fixed table; and
those of installed packages, imported only where a name is found nowhere else. So a name means the same whatever else
is installed, and two plugins that give one name are an error, never a matter of order.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import pluggy

from engine import __version__, process
from engine.diagnostics import Span
from engine.hooks import builtin, found, importing
from engine.hooks.found import Candidate, Origin
from engine.hooks.given import checked, key
from engine.hooks.problems import PluginProblem, near, one_of, problem
from engine.hooks.registering import Plugin, register
from engine.hookspecs import Command, Function, Hooks, ReportSection, ScorerKind, SinkKind, SourceKind
from engine.source.project import Project, ProjectProblem, find_project, read_project

if TYPE_CHECKING:
    import click

T = TypeVar("T")
P = ParamSpec("P")

class Kinds(Mapping[str, T], Generic[T]):
    """Kinds by name; a plugin is imported for the name that it gives. Raises `PluginProblem`."""

    def __init__(self, find: Callable[[str], T | None], names: Callable[[], tuple[str, ...]]) -> None:
        self._find = find
        self._names = names

    def __getitem__(self, name: str) -> T:
        value = self._find(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())


class Plugins:
    """The plugins of one command or program.

    `paths` are plugins at paths, `given` loaded modules or objects with hooks; `project` is a project file, read or
    as its path. `installed=False` leaves out those of installed packages.
    """

    def __init__(
        self,
        paths: Iterable[str | Path] = (),
        *,
        project: Project | Path | None = None,
        given: Mapping[str, object] | None = None,
        installed: bool = True,
    ) -> None:
        self._paths = tuple(dict.fromkeys(Path(path) for path in paths))
        self._project = project
        self._given = dict(given or {})
        self._use_installed = installed
        self._manager = pluggy.PluginManager("tierwise")
        self._manager.add_hookspecs(Hooks)
        self._plugins: dict[str, Plugin] = {}
        self._candidates: dict[str, Candidate] = {}
        self._failed: dict[str, PluginProblem] = {}
        self._gifts: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._explicit: list[Candidate] | None = None
        self._installed: list[Candidate] | None = None
        #: Problems of installed plugins that nobody named, met while something was looked for.
        self.problems: list[PluginProblem] = []

    @classmethod
    def beside(cls, place: str | Path, paths: Iterable[str | Path] = ()) -> Plugins:
        """The plugins for what lies at a place: with those of the project file at or above it."""
        return cls(paths, project=find_project(Path(place)))

    # --- what plugins give ------------------------------------------------------------

    def sources(self) -> Kinds[SourceKind]:
        """Kinds of data sources by name."""
        return self._kinds("register_sources")

    def scorers(self) -> Kinds[ScorerKind]:
        """Kinds of scorers by name."""
        return self._kinds("register_scorers")

    def sinks(self) -> Kinds[SinkKind]:
        """Kinds of sinks by name."""
        return self._kinds("register_sinks")

    def report_sections(self) -> Kinds[ReportSection]:
        """Sections of reports by name."""
        return self._kinds("register_report_sections")

    def commands(self) -> Kinds[Command]:
        """Commands by name."""
        return self._kinds("register_commands")

    def functions(self, set_: str) -> tuple[Function, ...]:
        """The functions of a set in the order of their plugin; empty where no plugin has the set."""
        owner = self.owner("register_functions", set_)
        return () if owner is None else tuple(f for f in self._gift(owner, "register_functions") if f.set == set_)

    def function_sets(self) -> tuple[str, ...]:
        """The names of all sets of functions."""
        return self._names("register_functions")

    def owner(self, hook: str, name: str) -> Plugin | None:
        """The plugin that gives something of a name through a hook, loaded; None where none does."""
        owners = [plugin for plugin in self._ask(self._named()) if name in self._keys(plugin, hook)]
        module = builtin.BUILT_IN[hook].get(name)
        if module is not None:
            candidate = self._built_in(module)
            if owners:
                raise _clash(hook, name, candidate, self._candidates[owners[0].id])
            return self._load(candidate)
        if not owners:
            owners = [p for p in self._ask(self._others(), soft=True) if name in self._keys(p, hook, soft=True)]
            if not owners and self.problems:            # one of these may be what was meant
                raise PluginProblem(*(d for wrong in self.problems for d in wrong.diagnostics))
        if len(owners) > 1:
            raise _clash(hook, name, *(self._candidates[p.id] for p in owners[:2]))
        return owners[0] if owners else None

    # --- all of them --------------------------------------------------------------------

    def all(self) -> tuple[Plugin, ...]:
        """Every plugin, loaded and asked for all it gives. Those that cannot be used stand in `problems`."""
        candidates = self._everything()
        loaded = list(self._ask(candidates, soft=True))
        for plugin in list(loaded):
            if any(self._softly(self._gift, plugin, hook) is None for hook in plugin.hooks):
                loaded.remove(plugin)
        owners: dict[tuple[str, str], Plugin] = {}
        for plugin in loaded:
            for hook in plugin.hooks:
                for name in dict.fromkeys(self._keys(plugin, hook)):
                    other = owners.setdefault((hook, name), plugin)
                    if other is not plugin:
                        pair = (self._candidates[other.id], self._candidates[plugin.id])
                        self._note(_clash(hook, name, *pair))
        return tuple(loaded)

    def gifts(self, plugin: Plugin, hook: str) -> tuple[Any, ...]:
        """All that a plugin gives through a hook."""
        return self._gift(plugin, hook)

    def candidate(self, plugin: Plugin) -> Candidate:
        """Where a loaded plugin was found."""
        return self._candidates[plugin.id]

    def made(self, command: Command) -> click.Command:
        """A plugin's command, made by it; raises `PluginProblem`."""
        owner = self.owner("register_commands", command.name)
        assert owner is not None                        # the command came from here
        candidate = self.candidate(owner)
        with importing.contained(candidate, f"as it makes its command `{command.name}`", "E1007"):
            made = command.make()
        if not _is_command(made):
            message = f"`make` of the command `{command.name}` of plugin `{owner.name}` gives no click command"
            raise problem("E1007", message, candidate.span, "return what `@click.command()` made, without calling it")
        return made

    def _everything(self) -> list[Candidate]:
        built_in = [self._built_in(module) for module in builtin.modules()]
        try:
            named = self._named()
        except PluginProblem as found_:
            self._note(found_)
            named = []
        try:
            return [*built_in, *named, *self._others()]
        except PluginProblem as found_:
            self._note(found_)
            return [*built_in, *named]

    # --- finding ------------------------------------------------------------------------

    def find(self) -> None:
        """Find the plugins that somebody named, importing none; raises `PluginProblem` where one is not there."""
        self._named()

    def _named(self) -> list[Candidate]:
        """The plugins that somebody named; raises `PluginProblem` where one is not there."""
        if self._explicit is None:
            candidates = [
                Candidate(name, Origin.GIVEN, "given", module=module) for name, module in self._given.items()
            ]
            candidates += [found.at_path(path, Origin.OPTION) for path in self._paths]
            candidates += self._of_project()
            try:
                self._explicit = _distinct(candidates)
            except PluginProblem as wrong:
                raise PluginProblem(*wrong.diagnostics, sources=self._texts()) from None
        return self._explicit

    def _texts(self) -> dict[str, str]:
        """The text of the project file, where it was read."""
        return dict(self._project.sources) if isinstance(self._project, Project) else {}

    def _of_project(self) -> list[Candidate]:
        project = self.project
        if project is None or project.plugins is None:
            return []
        candidates = []
        for listed in project.plugins:
            try:
                if listed.path is not None:
                    candidates.append(found.at_path(listed.path, Origin.PROJECT, listed.span))
                else:
                    entry = self._entry(listed.text)
                    candidates.append(entry.replace(origin=Origin.PROJECT, span=listed.span))
            except PluginProblem as missing:
                told = (d.replace(span=d.span or listed.span) for d in missing.diagnostics)
                raise PluginProblem(*told, sources=self._texts()) from None
        return candidates

    def _entry(self, name: str) -> Candidate:
        """The installed plugin of a name."""
        entries = found.installed()
        alike = [entry for entry in entries if entry.name == name]
        if len(alike) > 1:
            raise _twins(*alike[:2])
        if alike:
            return alike[0]
        close = near(name, [entry.name for entry in entries])
        folder = self.project.folder if self.project is not None else Path()
        if close is not None:
            way = f"did you mean `{close}`?"
        elif (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file():
            way = f"a path starts with `./`: `./{name if (folder / name).is_dir() else name + '.py'}`"
        elif entries:
            way = f"installed are {one_of(entry.name for entry in entries).replace(' or ', ' and ')}"
        else:
            way = "install its package, or name a path that ends in `.py`; no plugin is installed"
        raise problem("E1002", f"no installed plugin is called `{name}`", None, way)

    def _others(self) -> list[Candidate]:
        """The plugins of installed packages that nobody named; none where a project file lists what may be used."""
        if self._installed is None:
            project = self.project
            closed = project is not None and project.plugins is not None
            candidates = found.installed() if self._use_installed and not closed else []
            named = {candidate.name: candidate for candidate in self._named()}
            for candidate in candidates:
                if candidate.name in named:
                    raise _twins(named[candidate.name], candidate)
            self._installed = _distinct(candidates)
        return self._installed

    @property
    def project(self) -> Project | None:
        """The project file, read when first asked for; raises `PluginProblem` where it has errors."""
        if isinstance(self._project, Path):
            try:
                self._project = read_project(self._project)
            except ProjectProblem as wrong:
                raise PluginProblem(*wrong.diagnostics, sources=wrong.sources) from None
        return self._project

    def _built_in(self, module: str) -> Candidate:
        return found.built_in(module, __version__)

    # --- loading --------------------------------------------------------------------------

    def _ask(self, candidates: Iterable[Candidate], soft: bool = False) -> Iterator[Plugin]:
        for candidate in candidates:
            plugin = self._softly(self._load, candidate) if soft else self._load(candidate)
            if plugin is not None:
                yield plugin

    def _softly(self, do: Callable[P, T], *args: P.args, **more: P.kwargs) -> T | None:
        """The result of something that may be a problem, which is then noted."""
        try:
            return do(*args, **more)
        except PluginProblem as wrong:
            self._note(wrong)
            return None

    def _note(self, wrong: PluginProblem) -> None:
        if wrong.diagnostics not in [known.diagnostics for known in self.problems]:
            self.problems.append(wrong)

    def _load(self, candidate: Candidate) -> Plugin:
        """Import a plugin and register it; each once."""
        failed = self._failed.get(candidate.id)
        if failed is not None:
            raise failed
        known = self._plugins.get(candidate.id)
        if known is None:
            try:
                known = register(self._manager, candidate)
            except PluginProblem as wrong:
                told = self._failed[candidate.id] = self._at_its_place(wrong, candidate)
                raise told from None
            self._plugins[candidate.id] = known
            self._candidates[candidate.id] = candidate
            if process.owned and candidate.origin is not Origin.BUILT_IN:
                from engine.calling import guard  # noqa: PLC0415 - what no command without plugins need wait for

                guard()
        return known

    def _at_its_place(self, wrong: PluginProblem, candidate: Candidate, place: Span | None = None) -> PluginProblem:
        """A problem that has no place of its own, at `place`, or where the plugin is named."""
        told = tuple(d.replace(span=d.span or place or candidate.span) for d in wrong.diagnostics)
        return PluginProblem(*told, sources={**self._texts(), **wrong.sources})

    # --- asking hooks -----------------------------------------------------------------------

    def _gift(self, plugin: Plugin, hook: str) -> tuple[Any, ...]:
        """What a plugin gives through a hook; it is asked once."""
        if hook not in plugin.hooks:
            return ()
        known = self._gifts.get((plugin.id, hook))
        if known is None:
            candidate = self._candidates[plugin.id]
            others = [p for p in self._manager.get_plugins() if p is not plugin.module]
            ask = self._manager.subset_hook_caller(hook, others)
            try:
                with importing.contained(candidate, f"in `{hook}`", "E1007"):
                    (answer,) = ask() or (None,)
                    known = checked(plugin.name, hook, answer)
            except PluginProblem as wrong:
                place = importing.defined(getattr(plugin.module, hook, None))
                raise self._at_its_place(wrong, candidate, place) from None
            self._gifts[plugin.id, hook] = known
        return known

    def _keys(self, plugin: Plugin, hook: str, soft: bool = False) -> list[str]:
        found_ = self._softly(self._gift, plugin, hook) if soft else self._gift(plugin, hook)
        return [key(hook, item) for item in found_ or ()]

    def _kinds(self, hook: str) -> Kinds[Any]:
        def find(name: str) -> Any:
            owner = self.owner(hook, name)
            return None if owner is None else next(k for k in self._gift(owner, hook) if key(hook, k) == name)

        return Kinds(find, lambda: self._names(hook))

    def _names(self, hook: str) -> tuple[str, ...]:
        names = list(builtin.BUILT_IN[hook])
        for plugin in (*self._ask(self._named()), *self._ask(self._others(), soft=True)):
            names += self._keys(plugin, hook, soft=True)
        return tuple(dict.fromkeys(names))


# --- parts --------------------------------------------------------------------------------


def _is_command(made: object) -> bool:
    """Whether something is a command of click's, which the engine itself does not import."""
    return callable(getattr(made, "make_context", None)) and callable(getattr(made, "invoke", None))


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    """Candidates without those that are one plugin named twice; raises where two share a name."""
    kept: dict[str, Candidate] = {}
    for candidate in candidates:
        other = kept.setdefault(candidate.name, candidate)
        if other is not candidate and (candidate.file is None or candidate.file != other.file):
            raise _twins(other, candidate)
    return list(kept.values())


def _described(candidate: Candidate) -> str:
    words = {Origin.BUILT_IN: "the built-in plugin", Origin.INSTALLED: "the installed plugin"}
    return f"{words.get(candidate.origin, 'the plugin')} `{candidate.name}` ({candidate.place})"


def _twins(one: Candidate, other: Candidate) -> PluginProblem:
    return problem(
        "E1008", f"two plugins are called `{one.name}`: {one.place} and {other.place}", other.span or one.span,
        "rename a file, leave out `--plugin`, or uninstall a package; a plugin is asked by its name")


def _clash(hook: str, name: str, one: Candidate, other: Candidate) -> PluginProblem:
    what = hook.removeprefix("register_").removesuffix("s")
    what = {"function": "the set of functions", "command": "the command"}.get(what, f"the {what}")
    pair = f"{_described(one)} and {_described(other)}"
    return problem(
        "E1008", f"{what} `{name}` is given by two plugins: {pair}", other.span or one.span,
        "rename it in one of them, or use one: `plugins` in `tierwise.yaml` says which installed plugins are used")
