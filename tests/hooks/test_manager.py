"""Where plugins are found, when they are imported, and what a name means."""
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

import engine as tierwise
from engine import commands
from engine.hooks import Origin, PluginProblem, Plugins, builtin
from engine.hooks.given import SHAPES
from engine.hookspecs import Hooks
from engine.source.nodes import load_text
from engine.source.schema import validate
from tests.hooks.conftest import Install, scorer

Write = Callable[[str, str], Path]
ROOT = Path(__file__).resolve().parents[2]


def codes(problem: PluginProblem) -> list[str]:
    return [d.code for d in problem.diagnostics]


def told(plugins: Plugins, name: str = "any") -> tuple[str, str, str]:
    """Code, message and help of the one problem that asking for a scorer meets."""
    with pytest.raises(PluginProblem) as caught:
        plugins.scorers().get(name)
    (found,) = caught.value.diagnostics
    return found.code, found.message, found.help or ""


# --- finding ------------------------------------------------------------------------------


def test_a_file(plugin: Write) -> None:
    plugins = Plugins([plugin("ratings.py", scorer("ratings"))])
    kind = plugins.scorers()["ratings"]
    assert kind.settings["file"].kind == "path"
    owner = plugins.owner("register_scorers", "ratings")
    assert owner is not None
    assert (owner.name, owner.origin, owner.hooks) == ("ratings", Origin.OPTION, ("register_scorers",))
    assert "nothing" not in plugins.scorers() and plugins.scorers().get("nothing") is None


def test_a_package_with_modules_of_its_own(plugin: Write) -> None:
    init = plugin("acme/__init__.py", "from .hooks import register_scorers, tierwise_hooks as tierwise_hooks\n")
    plugin("acme/hooks.py", scorer("acme"))
    assert list(Plugins([init.parent]).scorers()) == [*builtin.BUILT_IN["register_scorers"], "acme"]
    assert list(Plugins([init]).scorers())[-1] == "acme"


def test_one_place_is_imported_once(plugin: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = plugin("once.py", scorer("once"))
    for _ in range(2):
        assert Plugins([path, path.parent / "." / path.name]).scorers()["once"]
    assert capsys.readouterr().err == "imported once\n"


def test_a_plugin_is_not_taken_for_a_module_of_python(plugin: Write) -> None:
    assert "json" in Plugins([plugin("json.py", scorer("json"))]).scorers()
    assert sys.modules["json"] is json


def test_installed_ones_are_imported_only_for_a_name_found_nowhere_else(
    plugin: Write, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("far", scorer("far"))
    plugins = Plugins([plugin("near.py", scorer("near"))])
    assert plugins.scorers()["near"]
    assert capsys.readouterr().err == "imported near\n"
    owner = plugins.owner("register_scorers", "far")
    assert owner is not None
    assert (owner.place, owner.version, owner.origin) == ("site-far 1.2", "1.2", Origin.INSTALLED)
    assert capsys.readouterr().err == "imported far\n"


def test_nothing_is_imported_before_it_is_asked(plugin: Write, capsys: pytest.CaptureFixture[str]) -> None:
    plugins = Plugins([plugin("idle.py", scorer("idle"))])
    plugins.scorers()
    assert capsys.readouterr().err == ""


def test_installed_ones_can_be_left_out(install: Install) -> None:
    install("far", scorer("far"))
    assert "far" in Plugins().scorers()
    assert "far" not in Plugins(installed=False).scorers()


def test_an_object_with_hooks() -> None:
    kind = tierwise.ScorerKind("mine", lambda settings: None)  # type: ignore[arg-type,return-value]

    class Mine:
        tierwise_hooks = 1

        @staticmethod
        @tierwise.hookimpl
        def register_scorers() -> list[tierwise.ScorerKind]:
            return [kind]

    assert Plugins(given={"mine": Mine()}).scorers()["mine"] is kind


def test_two_managers_share_nothing(plugin: Write) -> None:
    first = Plugins([plugin("one.py", scorer("one"))])
    assert "one" in first.scorers()
    assert "one" not in Plugins().scorers()


def test_versions(plugin: Write) -> None:
    stated = plugin("stated.py", scorer("stated") + '\n__version__ = "3.4"\n')
    silent = plugin("silent.py", scorer("silent"))
    plugins = Plugins([stated, silent])
    versions = {p.name: p.version for p in plugins.all() if p.origin is Origin.OPTION}
    assert versions["stated"] == "3.4"
    assert len(versions["silent"]) == 12 and int(versions["silent"], 16)


def test_functions_come_in_sets(plugin: Write) -> None:
    text = """\
import engine as tierwise
tierwise_hooks = 1
@tierwise.hookimpl
def register_functions():
    for set_, name in (("a", "one"), ("b", "two"), ("a", "three")):
        yield tierwise.Function(set_, name, {"x": "number"}, "number", lambda x: x)
"""
    plugins = Plugins([plugin("sets.py", text)])
    assert [f.name for f in plugins.functions("a")] == ["one", "three"]
    assert plugins.functions("c") == ()
    assert plugins.function_sets()[-2:] == ("a", "b")


# --- the project file -----------------------------------------------------------------------


def project(folder: Path, text: str) -> Path:
    path = folder / "tierwise.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_project_file_lists_what_is_used(plugin: Write, install: Install, tmp_path: Path) -> None:
    install("one", scorer("one"))
    install("two", scorer("two"))
    plugin("code/ours.py", scorer("ours"))
    project(tmp_path, "plugins:\n  - ./code/ours.py\n  - two\n")
    (tmp_path / "policies" / "deep").mkdir(parents=True)
    plugins = Plugins.beside(tmp_path / "policies" / "deep")
    assert {p.name: p.origin for p in plugins.all() if p.origin is not Origin.BUILT_IN} == {
        "ours": Origin.PROJECT, "two": Origin.PROJECT}
    assert "one" not in plugins.scorers()
    extra = plugin("extra.py", scorer("extra"))
    assert "extra" in Plugins.beside(tmp_path, [extra]).scorers()


@pytest.mark.parametrize("text", ["", "# a comment alone\n", "---\n", "deployment: a.yaml\n"])
def test_a_project_file_that_says_nothing_of_plugins(text: str, install: Install, tmp_path: Path) -> None:
    install("one", scorer("one"))
    (tmp_path / "a.yaml").write_text("")
    project(tmp_path, text)
    assert "one" in Plugins.beside(tmp_path).scorers()


def test_an_empty_list_allows_none(install: Install, tmp_path: Path) -> None:
    install("one", scorer("one"))
    project(tmp_path, "plugins: []\n")
    assert "one" not in Plugins.beside(tmp_path).scorers()


@pytest.mark.parametrize(
    ("listed", "way"),
    [
        ("acme-bnk", "did you mean `acme-bank`?"),
        ("something-else", "installed are `acme-bank` and `other`"),
        ("local", "a path starts with `./`: `./local.py`"),
        ("pack", "a path starts with `./`: `./pack`"),
    ],
)
def test_a_name_that_is_not_installed(plugin: Write, install: Install, tmp_path: Path, listed: str, way: str) -> None:
    install("one", scorer("one"), entry="acme-bank")
    install("two", scorer("two"), entry="other")
    plugin("local.py", scorer("local"))
    plugin("pack/__init__.py", scorer("pack"))
    project(tmp_path, f"plugins: [{listed}]\n")
    assert told(Plugins.beside(tmp_path)) == ("E1002", f"no installed plugin is called `{listed}`", way)


def test_two_packages_with_one_entry_point(install: Install, tmp_path: Path) -> None:
    install("one", scorer("one"), entry="acme")
    install("two", scorer("two"), entry="acme")
    code, message, _ = told(Plugins())
    assert (code, message) == ("E1008", "two plugins are called `acme`: site-one 1.2 and site-two 1.2")
    project(tmp_path, "plugins: [acme]\n")
    assert told(Plugins.beside(tmp_path))[0] == "E1008"


def test_a_path_that_is_not_there(plugin: Write, tmp_path: Path) -> None:
    plugin("ratings.py", scorer("ratings"))
    assert told(Plugins([tmp_path / "raitings.py"]))[::2] == ("E1001", "did you mean `ratings.py`?")
    plugin("acme/src/acme_scores/__init__.py", scorer("acme"))
    code, message, way = told(Plugins([tmp_path / "acme"]))
    assert code == "E1001" and "is no Python package" in message and way.endswith("/acme/src/acme_scores`")
    plugin("model.json", "{}")
    assert "is no Python file" in told(Plugins([tmp_path / "model.json"]))[1]


def test_a_policy_called_like_the_project_file(install: Install, tmp_path: Path) -> None:
    install("one", scorer("one"))
    project(tmp_path, 'policy: tierwise\nversion: "1"\n')
    assert "one" in Plugins.beside(tmp_path).scorers()


def test_the_schema_of_project_files() -> None:
    schema = json.loads((ROOT / "schemas" / "project.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    for text, sound in (
        ({}, True), ({"plugins": []}, True), ({"plugins": ["./a.py", "b"], "deployment": "d.yaml"}, True),
        ({"plugin": []}, False), ({"plugins": "a"}, False), ({"plugins": [1]}, False), ({"deployment": []}, False),
    ):
        assert validator(schema).is_valid(text) is sound
        document = load_text(json.dumps(text))
        assert (validate(document, "project") == []) is sound


# --- what a name means ------------------------------------------------------------------------


def test_a_kind_given_twice(plugin: Write) -> None:
    pair = [plugin("a.py", scorer("same")), plugin("b.py", scorer("same"))]
    code, message, _ = told(Plugins(pair), "same")
    assert code == "E1008"
    assert "`same` is given by two plugins" in message and "a.py" in message and "b.py" in message


def test_two_plugins_of_one_name(plugin: Write, install: Install) -> None:
    pair = [plugin("x/mine.py", scorer("a")), plugin("y/mine.py", scorer("b"))]
    assert told(Plugins(pair))[0] == "E1008"
    install("mine", scorer("c"))
    assert told(Plugins(pair[:1]))[:1] == ("E1008",)


@pytest.mark.parametrize("hook", [h for h, names in builtin.BUILT_IN.items() if names])
def test_a_name_of_a_built_in_plugin(plugin: Write, hook: str) -> None:
    name = next(iter(builtin.BUILT_IN[hook]))
    shape = SHAPES[hook].__name__
    args = f'"{name}", "f", {{}}, "number", len' if shape == "Function" else f'"{name}", print'
    path = plugin("theirs.py", f"""\
import engine as tierwise
tierwise_hooks = 1
@tierwise.hookimpl
def {hook}():
    return [tierwise.{shape}({args})]
""")
    with pytest.raises(PluginProblem) as caught:
        Plugins([path]).owner(hook, name)
    assert codes(caught.value) == ["E1008"]


def test_a_broken_installed_plugin_hinders_no_other(install: Install) -> None:
    install("broken", "1/0\n")
    install("sound", scorer("sound"))
    plugins = Plugins()
    assert "sound" in plugins.scorers()
    assert [codes(p) for p in plugins.problems] == [["E1003"]]
    # the name may be one that the broken plugin gives
    assert told(plugins, "unknown")[0] == "E1003"


def test_a_failed_plugin_is_not_imported_again(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("broken", "import sys\nprint('once', file=sys.stderr)\n1/0\n")
    plugins = Plugins()
    for _ in range(3):
        assert told(plugins)[0] == "E1003"
    assert capsys.readouterr().err == "once\n"


def test_a_misspelt_hook_does_not_taint_the_next_plugin(plugin: Write) -> None:
    wrong = plugin("wrong.py", scorer("wrong").replace("def register_scorers", "def register_scorer"))
    plugins = Plugins([wrong, plugin("right.py", scorer("right"))])
    loaded = {p.name for p in plugins.all()}
    assert "right" in loaded and "wrong" not in loaded
    assert [codes(p) for p in plugins.problems] == [["E1006"]]


# --- what a plugin does when it is imported -------------------------------------------------------


def test_what_it_prints_goes_to_standard_error(plugin: Write, capfd: pytest.CaptureFixture[str]) -> None:
    text = scorer("loud") + "import os\nprint('by print')\nos.system('echo by a program')\n"
    text += "os.write(1, b'by the system\\n')\n"
    text = text.replace("    return [", "    print('in a hook')\n    return [")
    assert "loud" in Plugins([plugin("loud.py", text)]).scorers()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == ["imported loud", "by print", "by a program", "by the system", "in a hook"]
    print("and afterwards it is there again")
    assert capfd.readouterr().out == "and afterwards it is there again\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/0", "plugin `p` fails when it is imported, with `ZeroDivisionError`"),
        ("import sys\nsys.exit(0)", "plugin `p` ends the process when it is imported"),
        ("import nowhere_at_all", "plugin `p` needs `nowhere_at_all`, which is not installed"),
        ("def f(:", "plugin `p` is not valid Python: invalid syntax"),
        ("raise GeneratorExit", "plugin `p` fails when it is imported, with `GeneratorExit`"),
        ("raise ValueError('the password is hunter2')", "plugin `p` fails when it is imported, with `ValueError`"),
    ],
)
def test_what_it_raises(plugin: Write, text: str, message: str) -> None:
    path = plugin("p.py", f"tierwise_hooks = 1\n\n{text}\n")
    with pytest.raises(PluginProblem) as caught:
        Plugins([path]).scorers().get("x")
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("E1003", message)
    assert found.help and "hunter2" not in found.help
    assert found.span is not None
    assert found.span.line == 3 + text.count("\n")
    assert found.span.file.endswith("p.py")


def test_the_place_is_in_the_plugin_even_where_a_library_raised(plugin: Write) -> None:
    path = plugin("p.py", "tierwise_hooks = 1\nimport json\njson.loads('{')\n")
    with pytest.raises(PluginProblem) as caught:
        Plugins([path]).scorers().get("x")
    span = caught.value.diagnostics[0].span
    assert span is not None and (Path(span.file).name, span.line) == ("p.py", 3)


def test_an_import_from_beside_a_file(plugin: Write) -> None:
    plugin("helper.py", "x = 1\n")
    code, _, way = told(Plugins([plugin("p.py", "import helper\n")]))
    assert code == "E1003" and "from . import helper" in way


def test_a_package_that_names_itself(plugin: Write) -> None:
    init = plugin("acme_scores/__init__.py", "from acme_scores.inner import x\n")
    plugin("acme_scores/inner.py", "x = 1\n")
    code, _, way = told(Plugins([init.parent]))
    assert code == "E1003" and "from . import" in way


# --- the tables ---------------------------------------------------------------------------------------


def test_the_table_of_built_in_plugins_is_what_they_give() -> None:
    """A built-in plugin that the table lacks would never be found; one it has in vain would be imported for nothing."""
    folder = Path(builtin.__file__).parents[2] / "plugins"
    there = {p.stem for p in (*folder.glob("*.py"), *(f.parent for f in folder.glob("*/__init__.py")))}
    hooked = {n for n in there - {"__init__"} if _has_hooks(folder, n)}
    assert set(builtin.modules()) == hooked
    plugins = Plugins(installed=False)
    given: dict[str, dict[str, str]] = {hook: {} for hook in builtin.BUILT_IN}
    for plugin_ in plugins.all():
        for hook in plugin_.hooks:
            for gift in plugins.gifts(plugin_, hook):
                given[hook][gift.set if hook == "register_functions" else gift.name] = plugin_.name
    assert plugins.problems == []
    assert given == {hook: dict(names) for hook, names in builtin.BUILT_IN.items()}


def _has_hooks(folder: Path, name: str) -> bool:
    file = folder / f"{name}.py"
    text = (file if file.is_file() else folder / name / "__init__.py").read_text("utf-8")
    return "tierwise_hooks" in text


def test_hooks_and_commands_are_those_that_there_are() -> None:
    specified = [name for name in vars(Hooks) if not name.startswith("_")]
    assert sorted(SHAPES) == sorted(specified) == sorted(builtin.BUILT_IN)
    assert set(commands.COMMANDS) == builtin.COMMANDS


def test_what_is_no_list() -> None:
    assert told(Plugins(given={"n": SimpleNamespace(tierwise_hooks=1)}))[0] == "E1006"


def test_a_plugin_imports_tierwise_in_a_checkout_that_is_not_installed(root: Path, plugin: Write) -> None:
    path = plugin("ratings.py", scorer("ratings").replace("import engine as tierwise", "import tierwise"))
    # without the packages of the environment there is no alias but the checkout's own
    code = f"""
import subprocess
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name == "tierwise" else find(name, *rest)
from engine.hooks import Plugins
assert "ratings" in Plugins([{str(path)!r}]).scorers()
import tierwise, engine
assert tierwise.hookimpl is engine.hookimpl
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
