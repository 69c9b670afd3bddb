"""Write the generated pages of docs/, or with --check tell which are out of date.

A page is a function that gives its text; a new one is added to `PAGES`. Where only a part is
generated, it stands between a line `<!-- written by ... -->` and a line `<!-- end -->`.
"""
from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine import commands  # noqa: E402
from scripts.api_reference import reference  # noqa: E402
from scripts.backend_support import backends  # noqa: E402
from scripts.capability_table import table  # noqa: E402
from scripts.feel_functions import functions  # noqa: E402
from scripts.function_sets import function_sets  # noqa: E402
from scripts.glossary import outcomes  # noqa: E402
from scripts.hook_reference import reference as hooks  # noqa: E402

_WIDTH = 96


def cli() -> str:
    """The help of every command, as a terminal of fixed width shows it."""
    parts = [
        "# The command line\n",
        "Written by `make docs` from the commands themselves.\n",
        _help(commands.group, None, ["tierwise"]),
    ]
    with click.Context(commands.group, info_name="tierwise", **commands.group.context_settings) as context:
        for name in commands.group.list_commands(context):
            command = commands.group.get_command(context, name)
            assert command is not None
            parts.append(_section(command, context, ["tierwise", name]))
    return "\n".join(parts)


def _section(command: click.Command, parent: click.Context, path: list[str]) -> str:
    text = f"## {' '.join(path)}\n\n" + _help(command, parent, path)
    if isinstance(command, click.Group):
        with click.Context(command, info_name=path[-1], parent=parent) as context:
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                text += "\n" + _section(inner, context, [*path, name])
    return text


def _help(command: click.Command, parent: click.Context | None, path: list[str]) -> str:
    settings = {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    with click.Context(command, info_name=path[-1], parent=parent, **settings) as context:
        return f"```text\n{command.get_help(context)}\n```\n"


def _filled(name: str, part: Callable[[], str]) -> Callable[[], str]:
    """A page whose generated part is `part`."""
    def page() -> str:
        text = (ROOT / name).read_text(encoding="utf-8")
        head, tail = re.split(r"(?<=-->\n).*(?=<!-- end -->)", text, maxsplit=1, flags=re.DOTALL)
        return f"{head}\n{part()}\n{tail}"

    return page


PAGES: dict[str, Callable[[], str]] = {
    "docs/cli.md": cli,
    "docs/capabilities/index.md": _filled("docs/capabilities/index.md", table),
    "docs/feel.md": _filled("docs/feel.md", functions),
    "docs/api.md": _filled("docs/api.md", reference),
    "docs/functions.md": function_sets,
    "docs/glossary.md": _filled("docs/glossary.md", outcomes),
    "docs/plugins/hooks.md": _filled("docs/plugins/hooks.md", hooks),
    "docs/support.md": backends,
}


def main(args: list[str]) -> int:
    stale = []
    for name, page in PAGES.items():
        path = ROOT / name
        text = page()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in args:
            stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    for name in stale:
        print(f"{name} is out of date: run `make docs` and commit it", file=sys.stderr)
    if "--check" in args and not stale:
        print(f"{len(PAGES)} generated pages are up to date")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
